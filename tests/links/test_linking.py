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
from atmpkg.linking import mapped, mapping_rows, read_sets
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
    assert {row[0] for row in rows} == {"disease", "mechanism-class", "organisation", "product", "target", "vector"}
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


def test_external_ids_tell_links_and_absences(clinic: KnowledgeGraph) -> None:
    asked = clinic.ask("external-ids", thing=["CD19", "burn"]).rows
    assert [row[2:6] for row in asked] == [
        ("none found", "sssom:NoTermFound", None, "mondo"),
        ("skos:closeMatch", "UniProt:P15391", "CD19_HUMAN", "uniprot"),
    ]


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
        path.read_text().replace(
            "disease:burn\tskos:exactMatch\tsssom:NoTermFound\t\tsemapv:ManualMappingCuration\t\n", ""
        )
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


# ---- registry -------------------------------------------------------------------------------------------------------


def test_the_registry_files_fit_the_names_of_the_house(shipped: KnowledgeGraph) -> None:
    import json
    import re

    context = json.loads((ROOT / "docs" / "registry" / "context.jsonld").read_text())["@context"]
    assert context["product"]["@id"] == "https://w3id.org/atmpkg/id/product/"
    assert {key for key in context if key != "@version"} == set(shipped.names.uris)
    entry = json.loads((ROOT / "docs" / "registry" / "bioregistry.json").read_text())["atmpkg"]
    assert re.fullmatch(entry["pattern"], entry["example"])
    redirects = (ROOT / "docs" / "registry" / "w3id.htaccess").read_text()
    rules = [words[1] for text in redirects.splitlines() if (words := text.split()) and words[0] == "RewriteRule"]
    for path in (
        "id/product/tisagenlecleucel",
        "mappings/mondo",
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
    ):
        assert names.compact(names.expand(curie)) == curie
    for wrong in ("UniProt:P1", "NCT:NCT1", "ATC:1", "MESH:X1"):
        with pytest.raises(ValueError, match="an id of"):
            names.expand(wrong)
