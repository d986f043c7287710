"""Mapping sets: what they say, whether it is proven, how much is covered."""

import csv
import importlib.util
import io
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from atmpkg.build import check, write_quads
from atmpkg.errors import DataError
from atmpkg.graph import KnowledgeGraph
from atmpkg.linking import NO_TERM, mapped, mapping_rows, read_sets
from atmpkg.names import Names
from atmpkg.project import Project, home

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MAPPINGS = ROOT / "ontology" / "mappings"
SETS = sorted(MAPPINGS.glob("*.sssom.tsv"))
TINY = HERE / "references"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Return a copy of the clinic that a test may spoil."""
    return Path(shutil.copytree(HERE / "clinic", tmp_path / "own"))


def line(root: Path, name: str, *cells: str) -> None:
    with (root / "ontology" / "mappings" / f"{name}.sssom.tsv").open("a", encoding="utf-8") as file:
        file.write("\t".join(cells) + "\n")


# ---- the sets that are shipped --------------------------------------------------------------------------------------


def test_every_set_is_described_and_every_description_has_its_set_or_a_reason() -> None:
    sets = read_sets(MAPPINGS)
    assert {path.name.removesuffix(".sssom.tsv") for path in SETS} == {n for n, s in sets.items() if not s.reason}
    assert len(SETS) >= 24
    for about in sets.values():
        assert about.reason or (about.source and about.version and about.licence)


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.name.partition(".")[0])
def test_the_sssom_package_takes_a_set_for_valid(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sssom and linkml warn about their own dependencies
        from sssom.parsers import parse_sssom_table
        from sssom.validators import validate
        from sssom_schema import Mapping

        found = parse_sssom_table(str(path))
        reports = validate(found, fail_on_error=False)
    assert len(found.df) == sum(1 for _ in mapping_rows(path)) > 0
    assert set(found.df.columns) <= set(Mapping.__dataclass_fields__)
    assert [result.message for report in reports.values() for result in report.results] == []


def test_every_id_and_label_is_proven_by_the_evidence_that_is_kept(command: Callable[..., Any]) -> None:
    said = command("link", "check")
    assert (said.code, said.out) == (0, "")
    assert said.err == f"0 problems in {len(SETS)} mapping sets\n"


def test_the_evidence_holds_just_what_is_used() -> None:
    with (MAPPINGS / "evidence.tsv").open(encoding="utf-8") as lines:
        kept = {row["id"] for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)}
    assert kept == {id for path in SETS for id in mapped(path)}


def test_only_the_curie_of_a_licensed_vocabulary_is_cited() -> None:
    for name in ("atc", "drugbank", "icd10", "icd10cm", "icd11", "omim"):
        licences = {row["license"] for _, row in mapping_rows(MAPPINGS / f"{name}.sssom.tsv")}
        assert len(licences) == 1 and next(iter(licences)).startswith("https://")


def test_every_thing_of_a_main_kind_is_linked_or_recorded_as_absent(shipped: KnowledgeGraph) -> None:
    rows = [row for row in shipped.ask("mapping-coverage").rows if row[9]]
    assert {row[0] for row in rows} == {
        *("disease", "target", "product", "substance", "organisation", "trial"),
        *("vector", "mechanism-class", "adverse-event", "endpoint"),
    }
    for kind, name, things, *_, not_looked_for, _main, reason, _source in rows:
        assert things and (not not_looked_for or reason), (kind, name)


def test_coverage_is_printed_per_kind_and_target(command: Callable[..., Any]) -> None:
    said = command("link", "coverage", "target", "--format", "tsv", "--data", HERE / "clinic", "--quiet")
    header, row = said.out.splitlines()
    assert header.split("\t")[:8] == [
        "kind",
        "mapping_set",
        "things",
        "exact",
        "close",
        "broad",
        "related",
        "none_found",
    ]
    assert row.split("\t")[:8] == ["target", "uniprot", "1", "0", "1", "0", "0", "0"]


# ---- what a set does ------------------------------------------------------------------------------------------------


def test_a_link_is_counted_in_its_linkset(clinic: KnowledgeGraph) -> None:
    rows = clinic.select(
        "SELECT ?name ?n ?subjects { ?set a void:Linkset ; dcterms:identifier ?name ; "
        "void:triples ?n ; void:distinctSubjects ?subjects } ORDER BY ?name"
    ).rows
    assert rows == (("mondo", 6, 6), ("uniprot", 1, 1))
    predicates = clinic.select("SELECT ?p { ?set dcterms:identifier 'mondo' ; void:linkPredicate ?p } ORDER BY ?p").rows
    assert [str(row[0]).rpartition("#")[2] for row in predicates] == ["broadMatch", "exactMatch"]


def test_the_linksets_of_the_graph_count_what_is_in_the_files(shipped: KnowledgeGraph) -> None:
    counted = shipped.select(
        "SELECT ?name ?n { ?set a void:Linkset ; dcterms:identifier ?name ; void:triples ?n ; dcterms:license ?terms }"
    ).rows
    links = {path.name.removesuffix(".sssom.tsv"): 0 for path in SETS}
    for path in SETS:
        links[path.name.removesuffix(".sssom.tsv")] = sum(row["object_id"] != NO_TERM for _, row in mapping_rows(path))
        assert all(row["license"].startswith(("http://", "https://")) for _, row in mapping_rows(path)), path.name
    assert {str(name): int(str(n)) for name, n in counted} == links


def test_external_ids_tell_links_and_absences(clinic: KnowledgeGraph) -> None:
    asked = clinic.ask("external-ids", thing=["CD19", "burn"]).rows
    assert [row[2:6] for row in asked] == [
        ("none found", "sssom:NoTermFound", None, "mondo"),
        ("skos:closeMatch", "UniProt:P15391", "CD19_HUMAN", "uniprot"),
    ]


def test_an_absence_says_whether_the_vocabulary_itself_was_looked_through(shipped: KnowledgeGraph) -> None:
    """ICD-10 was read only as Mondo cross-references it, so the claim must not be that ICD-10 has no such code."""
    rows = shipped.ask("external-ids", thing="large-b-cell-lymphoma").rows
    why = {row[5]: str(row[6]) for row in rows if row[2] == "none found"}
    assert why["icd10"].startswith("not looked up in the vocabulary itself: no exact cross-reference from MONDO:")
    assert why["doid"].startswith("not searched by name: ") and "were not looked up" in why["efo"]
    for path in SETS:
        for _, row in mapping_rows(path):
            only_chained = row["comment"].startswith(("not looked up in the vocab", "not searched by name"))
            if row["object_id"] == NO_TERM and only_chained:
                assert row["mapping_justification"] == "semapv:MappingChaining", path.name


def test_a_trial_and_a_harm_have_ids_elsewhere(shipped: KnowledgeGraph) -> None:
    trial = {row[2:4] for row in shipped.ask("external-ids", thing="NCT02348216").rows}
    assert trial == {("skos:exactMatch", "NCT:NCT02348216"), ("registry number", "NCT02348216")}
    harm = shipped.ask("external-ids", thing="cytokine-release-syndrome").rows
    assert {row[0] for row in harm} == {"CytokineReleaseSyndrome"}
    assert {row[3] for row in harm} >= {"MESH:D000080424", "MONDO:0600008", "NCIT:C78251", "sssom:NoTermFound"}
    paper = {row[3] for row in shipped.ask("external-ids", thing="admire-cd-gastroenterology-2018").rows}
    assert paper == {"DOI:10.1053/j.gastro.2017.12.020", "10.1053/j.gastro.2017.12.020"}


def test_what_was_looked_for_in_vain_says_where(shipped: KnowledgeGraph) -> None:
    reasons = {row[0]: row[2] for row in shipped.ask("unmapped").rows}
    assert reasons["atmp:DorsalRootGanglionToxicity"] == "none found: none of that name in the version that was read"
    assert reasons["trial:jrct2090220384"] == "none found: registered as jRCT2090220384"
    assert all(reason.startswith(("none found", "not looked for: ")) for reason in reasons.values())


def test_unmapped_tells_why(clinic: KnowledgeGraph) -> None:
    assert [row[:3] for row in clinic.ask("unmapped").rows] == [
        ("disease:burn", "burn", "none found"),
        ("product:alfacel", "alfacel", "not looked for: nobody asked"),
    ]
    assert [row[0] for row in clinic.ask("unmapped", kind="disease").rows] == ["disease:burn"]


def test_a_class_of_the_ontology_may_be_a_subject(own: Path) -> None:
    line(own, "uniprot", "atmp:Target", "skos:relatedMatch", "UniProt:P15391", "CD19_HUMAN", "semapv:MappingChaining")
    out = io.StringIO()
    write_quads(Project(own, home()), out)
    assert (
        "<https://w3id.org/atmpkg/ontology/Target> <http://www.w3.org/2004/02/skos/core#relatedMatch>" in out.getvalue()
    )
    line(own, "uniprot", "atmp:Tarrget", "skos:relatedMatch", "UniProt:P15391", "CD19_HUMAN", "semapv:MappingChaining")
    with pytest.raises(DataError, match=r"found 'atmp:Tarrget'; expected a term of the ontology"):
        write_quads(Project(own, home()), io.StringIO())


def test_a_disease_without_link_or_absence_is_a_problem(own: Path) -> None:
    path = own / "ontology" / "mappings" / "mondo.sssom.tsv"
    path.write_text(
        "".join(text for text in path.read_text().splitlines(keepends=True) if not text.startswith("disease:burn"))
    )
    expected = "disease.tsv:8: found burn: no mapping and no recorded absence; expected one of them in mondo.sssom.tsv"
    assert f"{expected} (linked-or-recorded)" in [str(problem) for problem in check(Project(own, home()))]


def test_same_as_is_a_problem(own: Path) -> None:
    slice = own / "ontology" / "imports" / "mondo.ttl"
    slice.write_text(slice.read_text() + "MONDO:9000003 owl:sameAs MONDO:9000004 .\n")
    assert any("found owl:sameAs; expected skos:exactMatch" in str(problem) for problem in check(Project(own, home())))


def test_a_wrong_description_of_a_set_is_told(own: Path) -> None:
    (own / "ontology" / "mappings" / "sets.yaml").write_text("mondo: {title: x, kind: disease}\n")
    with pytest.raises(DataError, match=r"sets.yaml \[mondo\]: found 'title, kind'; expected title, prefixes, kinds"):
        read_sets(own / "ontology" / "mappings")


# ---- checking against references ------------------------------------------------------------------------------------


def test_check_tells_what_is_missing_obsolete_or_renamed(own: Path, command: Callable[..., Any]) -> None:
    end = ("semapv:ManualMappingCuration", "")
    line(own, "mondo", "disease:burn", "skos:broadMatch", "MONDO:9000099", "burn", *end)
    line(own, "mondo", "disease:burn", "skos:broadMatch", "MONDO:9000007", "lymph growth", *end)
    line(own, "mondo", "disease:burn", "skos:closeMatch", "MONDO:9000001", "illness", *end)
    line(own, "mondo", "disease:burn", "skos:closeMatch", "MONDO:9000003", "Malignant lymphoma", *end)  # a synonym
    said = command("link", "check", "--data", own, "--against", TINY / "tiny.obo")
    assert said.code == 1
    assert said.out.splitlines() == [
        "mondo.sssom.tsv:11 [object_id]: found MONDO:9000099 'burn'; expected an id that tiny.obo holds",
        "mondo.sssom.tsv:12 [object_id]: found MONDO:9000007 'lymph growth', which is obsolete;"
        " expected MONDO:9000003 lymphoma",
        "mondo.sssom.tsv:13 [object_label]: found 'illness' for MONDO:9000001; expected 'disease' (tiny.obo)",
    ]
    assert "not covered by these files: UniProt (1)" in said.err


@pytest.mark.parametrize("ending", ["ttl", "owl", "json", "tsv"])
def test_every_kind_of_reference_proves_the_clinic(ending: str, command: Callable[..., Any]) -> None:
    said = command("link", "check", "--data", HERE / "clinic", "--against", TINY / f"tiny.{ending}")
    assert (said.code, said.out) == (0, "")


# ---- the script that makes the sets ---------------------------------------------------------------------------------


@pytest.fixture
def script() -> Any:
    spec = importlib.util.spec_from_file_location("mappings_script", ROOT / "scripts" / "mappings.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["mappings_script"] = module
    spec.loader.exec_module(module)
    return module


def test_making_a_set_again_keeps_what_was_made_by_hand(script: Any) -> None:
    Line, merged = script.Line, script.merged

    from types import SimpleNamespace

    terms = {"ATC:L01XL04": SimpleNamespace(label="tisagenlecleucel")}
    house = SimpleNamespace(labels={"product:a": "A", "product:b": "B"}, references=SimpleNamespace(terms=terms))
    hand = Line("product:a", "", "skos:broadMatch", "ATC:L01XL04", "", "semapv:ManualMappingCuration", "", "2026-01-02")
    made = [Line("product:a"), Line("product:b")]
    about = read_sets(MAPPINGS)["atc"]
    again = merged(made, [hand, Line("product:c")], about, house, "2026-11-23")
    assert [(x.subject_id, x.subject_label, x.object_id, x.object_label, x.mapping_date) for x in again] == [
        ("product:a", "A", "ATC:L01XL04", "tisagenlecleucel", "2026-01-02"),
        ("product:b", "B", "sssom:NoTermFound", "", "2026-11-23"),
    ]
    with pytest.raises(SystemExit, match="which no reference holds"):
        merged([Line("product:a", object_id="ATC:X")], [], about, house, "2026-11-23")


def test_a_number_links_as_far_as_it_goes(script: Any) -> None:
    from types import SimpleNamespace

    trials = [
        {"id": "one", "label": "One", "number": "NCT00000001|jRCT2090220384"},
        {"id": "pooled", "label": "Two together", "number": "NCT00000002|NCT00000003"},
        {"id": "phase-1", "label": "Part", "number": "NCT00000004"},
        {"id": "phase-2", "label": "Part", "number": "NCT00000004"},
        {"id": "other", "label": "Elsewhere", "number": "UMIN000000001"},
        {"id": "none", "label": "None", "number": ""},
    ]
    labels = {f"trial:{trial['id']}": trial["label"] for trial in trials}
    house = SimpleNamespace(tables={"trial": trials}, labels=labels)
    house.absent = lambda subject, why: script.House.absent(house, subject, why)
    made = list(script.to_registry("NCT", absences=True)(house))
    assert [(line.subject_id, line.predicate_id.partition(":")[2], line.object_id) for line in made] == [
        ("trial:one", "exactMatch", "NCT:NCT00000001"),
        ("trial:pooled", "narrowMatch", "NCT:NCT00000002"),
        ("trial:pooled", "narrowMatch", "NCT:NCT00000003"),
        ("trial:phase-1", "broadMatch", "NCT:NCT00000004"),
        ("trial:phase-2", "broadMatch", "NCT:NCT00000004"),
        ("trial:other", "exactMatch", "sssom:NoTermFound"),
        ("trial:none", "exactMatch", "sssom:NoTermFound"),
    ]
    assert [line.comment for line in made[-2:]] == ["registered as UMIN000000001", "no number is in its row"]


def test_an_organisation_is_the_one_of_its_name_in_its_country(script: Any) -> None:
    from types import SimpleNamespace

    def record(name: str, country: str, synonyms: str = "") -> dict[str, str]:
        return {"name": name, "country": country, "synonyms": synonyms, "wikidata": "", "status": "active"}

    ror = {
        "ROR:1": record("Vitalis (Switzerland)", "CH"),
        "ROR:2": record("Vitalis (United States)", "US", "VIT"),
        "ROR:3": record("Nova Bio (Japan)", "JP"),
        "ROR:4": record("Nova Bio K.K.", "JP"),
        "ROR:5": record("Aka University", "SE", "University of Aka"),
    }
    organisations = [
        {"id": "a", "label": "Vitalis Inc.", "country": "US"},
        {"id": "b", "label": "Vitalis GmbH", "country": "DE"},
        {"id": "c", "label": "Nova Bio", "country": "JP"},
        {"id": "d", "label": "University of Aka", "country": "SE"},
        {"id": "e", "label": "VIT", "country": "US"},
        {"id": "f", "label": "Aka University", "country": ""},
    ]
    labels = {f"organisation:{row['id']}": row["label"] for row in organisations}
    house = SimpleNamespace(tables={"organisation": organisations}, ror=ror, labels=labels)
    house.absent = lambda subject, why: script.House.absent(house, subject, why)
    made = {line.subject_id[-1]: line for line in script.to_ror(house)}
    assert {id: line.object_id for id, line in made.items()} == {
        "a": "ROR:2",
        "b": "sssom:NoTermFound",
        "c": "sssom:NoTermFound",
        "d": "ROR:5",
        "e": "sssom:NoTermFound",
        "f": "ROR:5",
    }
    assert made["a"].predicate_id == "skos:exactMatch" and made["f"].predicate_id == "skos:closeMatch"
    assert made["b"].comment.startswith("none of that name in DE, some in CH, US")
    assert made["c"].comment.startswith("2 of that name in JP")


@pytest.mark.parametrize(
    "source, modality, cells, tissue",
    [
        ("induced pluripotent stem cells of a donor, turned into cardiomyocytes", "ipsc-derived", "CL:0000746", None),
        ("induced pluripotent stem cells", "ipsc-derived", "", None),
        ("own rib cartilage", "cartilage-construct", "CL:0000138", "UBERON:0002236"),
        ("umbilical cord blood", "cord-blood", "CL:2000095", "UBERON:0012168"),
        ("umbilical cord", "msc", "CL:0002569", "UBERON:0002331"),
        ("lymphocytes of own blood", "nk-cell", "CL:0000623", "UBERON:0000178"),
        ("T cells of the haploidentical stem cell donor", "gene-modified-donor-t", "CL:0000084", None),
    ],
)
def test_cells_are_those_in_the_product(
    source: str, modality: str, cells: str, tissue: str | None, script: Any
) -> None:
    assert script._by_words(f"{source} ({modality})", script.CELLS) == cells
    assert script._by_words(source, script.TISSUES) == tissue


def test_sets_that_our_own_rows_fill_are_up_to_date(script: Any) -> None:
    """A number that came into a table has its link, and none is left of a number that went."""
    project = Project.find(ROOT)
    tables = script.own_tables(project)
    numbers = {(name, f"{prefix}:{number}") for name, prefix, number in script._own_numbers(tables)}
    sets = {"trial": script.REGISTRIES, "publication": ("PMID", "DOI"), "decision": script.LICENCES}
    files = {"EU": "eu-number"}
    for name, prefixes in sets.items():
        for prefix in prefixes:
            path = MAPPINGS / f"{files.get(prefix, prefix.lower())}.sssom.tsv"
            assert set(mapped(path)) == {id for table, id in numbers if table == name and id.startswith(f"{prefix}:")}


# ---- registry -------------------------------------------------------------------------------------------------------


def test_the_registry_files_fit_the_names_of_the_house(shipped: KnowledgeGraph) -> None:
    import json
    import re

    context = json.loads((ROOT / "docs" / "registry" / "context.jsonld").read_text())["@context"]
    assert context["product"]["@id"] == "https://w3id.org/atmpkg/id/product/"
    assert {key for key in context if key != "@version"} == set(shipped.names.uris)
    entry = json.loads((ROOT / "docs" / "registry" / "bioregistry.json").read_text())["atmpkg"]
    assert re.fullmatch(entry["pattern"], entry["example"])
    assert re.fullmatch(entry["pattern"], "trial/zuma-1") and not re.fullmatch(entry["pattern"], "mapping/x")
    redirects = (ROOT / "docs" / "registry" / "w3id.htaccess").read_text()
    rules = [words[1] for text in redirects.splitlines() if (words := text.split()) and words[0] == "RewriteRule"]
    for path in (
        "id/product/tisagenlecleucel",
        "mappings/mondo",
        "mappings/eu-number",
        "imports/mondo",
        "registry/eu/1/18/1297",
        "graph/void",
        "ontology/Product",
        "release/2026.11.1/",
    ):
        assert any(re.search(rule, path) for rule in rules), path


def test_prefixes_are_those_of_the_registries() -> None:
    names = Names.read(ROOT / "ontology" / "prefixes.yaml")
    for curie in (
        "UniProt:P15391",
        "ENSEMBL:ENSG00000177455",
        "Orphanet:399",
        "ICD10CM:E70.81",
        "ATC:L01XL04",
        "ROR:02mhbdp94",
        "NCT:NCT02348216",
        "jRCT:jRCT2090220384",
        "CTIS:2022-501234-12-00",
        "ISRCTN:ISRCTN12345678",
        "CTRI:CTRI/2021/01/030000",
        "KCRIS:KCT0001234",
        "PMID:34415265",
        "DOI:10.1016/S2352-3026(22)00113-2",
    ):
        assert names.compact(names.expand(curie)) == curie
    for wrong in ("UniProt:P1", "NCT:NCT1", "ATC:1", "MESH:X1", "jRCT:2090220384", "DOI:doi", "EudraCT:2012"):
        with pytest.raises(ValueError, match="an id of"):
            names.expand(wrong)
