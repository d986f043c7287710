# ruff: noqa: E501 - messages stand on one line, as they are read
"""Shapes: silent on the sample, and each fault comes back as a Problem at its row and column."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from atmpkg.build import check, in_memory
from atmpkg.errors import DataError, StoreError
from atmpkg.graph import KnowledgeGraph
from atmpkg.names import Names
from atmpkg.project import Project, home
from atmpkg.shapes import GENERATED, SHAPE, findings, table_shapes
from atmpkg.stores import Embedded, rows
from atmpkg.tables import read_tables
from atmpkg.terms import Terms

FOLDER = home() / "ontology" / "shapes"

# What is done to the sample's graph, and the Problem that must come of it.
FAULTS: dict[str, tuple[str, str]] = {
    "nothing where a value is required": (
        "DELETE WHERE { GRAPH ?g { decision:alfacel-eu-grant atmp:authority ?a } }",
        "decision.tsv:4 [authority]: found alfacel-eu-grant: nothing; expected a row of table authority (decision.authority)",
    ),
    "nothing, and not said to be unknown": (
        "DELETE WHERE { GRAPH ?g { decision:alfacel-us-grant atmp:date ?a } }",
        "decision.tsv:8 [date]: found alfacel-us-grant: nothing; expected a value (decision.date-required)",
    ),
    "two values where one is right": (
        "INSERT DATA { GRAPH graph:decision { decision:alfacel-eu-grant atmp:number 'EU/1/18/0000' } }",
        "decision.tsv:4 [number]: found alfacel-eu-grant: 2 values; expected at most 1 (decision.number)",
    ),
    "a code that is none": (
        "DELETE WHERE { GRAPH ?g { name:alfacel-us-brand atmp:nameKind ?k } } ;"
        "INSERT DATA { GRAPH graph:name { name:alfacel-us-brand atmp:nameKind 'brnad' } }",
        "name.tsv:3 [kind]: found alfacel-us-brand: 'brnad'; "
        "expected one of brand, inn, proper-name, code, common, misspelling (name.kind)",
    ),
    "a row of the wrong table": (
        "INSERT DATA { GRAPH graph:product { product:alfacel atmp:developer disease:lymphoma } }",
        "product.tsv:2 [developer]: found alfacel: disease:lymphoma; expected a row of table organisation (product.developer)",
    ),
    "a term of the wrong kind": (
        "INSERT DATA { GRAPH graph:product { product:bravocel atmp:modality atmp:Grant } }",
        "product.tsv:3 [modality]: found bravocel: atmp:Grant; expected a term below atmp:Modality (product.modality)",
    ),
    "text where a date belongs": (
        "INSERT DATA { GRAPH graph:source { source:paper dcterms:issued '2019' } }",
        "source.tsv:3 [published]: found paper: '2019'; expected a date (source.published)",
    ),
    "what is unverified without a note": (
        "DELETE WHERE { GRAPH ?g { decision:deltavec-us-complete-response atmp:confidence ?c } } ;"
        "INSERT DATA { GRAPH graph:decision { decision:deltavec-us-complete-response atmp:confidence 'unverified' } }",
        "decision.tsv:19 [note]: found deltavec-us-complete-response: nothing; "
        "expected why the row is unverified (unverified-says-why)",
    ),
    "a decision of a committee": (
        "DELETE WHERE { GRAPH ?g { decision:bravocel-eu-grant atmp:authority ?a } } ;"
        "INSERT DATA { GRAPH graph:decision { decision:bravocel-eu-grant atmp:authority authority:ema-chmp } }",
        "decision.tsv:10 [authority]: found bravocel-eu-grant: authority:ema-chmp; "
        "expected an authority that decides (decision-by-regulator)",
    ),
    "ages the wrong way round": (
        "INSERT DATA { GRAPH graph:indication { indication:bravocel-eu-cartilage atmp:minimumAge 65 ; atmp:maximumAge 18 } }",
        "indication.tsv:4 [age_min]: found bravocel-eu-cartilage: '65'; "
        "expected an age that is not above the highest (indication-order)",
    ),
    "an authorisation that two events open": (
        "INSERT { GRAPH graph:inferred { ?a atmp:openedBy decision:bravocel-eu-grant } }"
        "WHERE { GRAPH graph:inferred { ?a atmp:openedBy decision:alfacel-eu-grant } }",
        "https://w3id.org/atmpkg/id/authorisation/alfacel-eu-grant [atmp:openedBy]: found 2 values; "
        "expected at most 1 (authorisation)",
    ),
    "an interval that ends before it begins": (
        "DELETE { GRAPH graph:inferred { ?i atmp:untilDay ?u } } INSERT { GRAPH graph:inferred { ?i atmp:untilDay 0 } }"
        "WHERE { GRAPH graph:inferred { ?i a atmp:StatusInterval ; atmp:fromEvent decision:alfacel-us-grant ; atmp:untilDay ?u } }",
        "https://w3id.org/atmpkg/id/status-interval/alfacel-us-grant.alfacel-us-grant [atmp:fromDay]: found '17457'; "
        "expected one first day that is not after the end (from-day)",
    ),
    "a date with a precision of its own": (
        "INSERT DATA { GRAPH graph:dates { <https://w3id.org/atmpkg/id/date/2018-08-23> atmp:precision 'week' } }",
        "https://w3id.org/atmpkg/id/date/2018-08-23 [atmp:precision]: found 'week'; "
        "expected one of year, month, day (calendar-date)",
    ),
    "a law in force since no day": (
        "DELETE WHERE { GRAPH ?g { atmp:JpPmdAct2014 atmp:validFrom ?d } }",
        "https://w3id.org/atmpkg/ontology/JpPmdAct2014 [atmp:validFrom]: found nothing; "
        "expected the first day of a law that is or was in force (law-in-force-since)",
    ),
}  # fmt: skip


def lines(project: Project, store: Embedded) -> list[str]:
    tables = read_tables(project.tables)
    names = Names.read(project.prefixes, tables)
    return [str(problem) for problem in findings(store, project.shapes, tables, names, Terms.read(project.ontology))]


@pytest.fixture(scope="module")
def spoilt(sample_project: Project) -> list[str]:
    """Return what is found when all faults are put into one graph."""
    store = in_memory(sample_project)
    prefixes = Names.read(sample_project.prefixes, read_tables(sample_project.tables)).uris
    for update, _ in FAULTS.values():
        before = store.dump()
        store._store.update(update, prefixes=prefixes)
        assert store.dump() != before, update
    return lines(sample_project, store)


def test_the_sample_keeps_every_shape(sample: KnowledgeGraph) -> None:
    assert isinstance(sample.store, Embedded)
    assert lines(sample.project, sample.store) == []


def test_the_real_graph_keeps_every_shape(real: KnowledgeGraph) -> None:
    assert isinstance(real.store, Embedded)
    assert lines(real.project, real.store) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_at_its_place(fault: str, spoilt: list[str]) -> None:
    assert FAULTS[fault][1] in spoilt


def test_little_else_is_found(spoilt: list[str]) -> None:
    """One fault may break two shapes; it breaks no more."""
    assert len(FAULTS) <= len(spoilt) <= 2 * len(FAULTS)


def test_every_kind_of_node_has_a_shape(sample: KnowledgeGraph) -> None:
    import rdflib
    from rdflib import SH

    shapes = rdflib.Graph()
    for path in sorted(FOLDER.glob("*.ttl")):
        shapes.parse(path)
    shaped = {str(target) for target in shapes.objects(predicate=SH.targetClass)}
    kinds = rows(
        sample.store,
        """
        PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
        SELECT DISTINCT ?kind ?above { GRAPH ?g { ?node a ?kind } ?kind rdfs:subClassOf* ?above
          FILTER(?g != <https://w3id.org/atmpkg/graph/ontology>) } ORDER BY ?kind ?above
        """,
    )
    above: dict[str, set[str]] = {}
    for row in kinds:
        above.setdefault(row["kind"], set()).add(row["above"])
    assert len(above) > 30
    assert [kind for kind in above if not above[kind] & shaped] == []


def test_every_shape_has_a_message_and_a_name() -> None:
    import rdflib
    from rdflib import RDF, SH

    shapes = rdflib.Graph()
    for path in sorted(FOLDER.glob("*.ttl")):
        shapes.parse(path)
    top = set(shapes.subjects(RDF.type, SH.NodeShape)) | set(shapes.objects(predicate=SH.property))
    assert len(top) > 200
    assert [s for s in top if not any(shapes.objects(s, SH.message)) and not any(shapes.objects(s, SH.property))] == []
    assert [s for s in shapes.subjects(RDF.type, SH.NodeShape) if not str(s).startswith(SHAPE)] == []


def test_the_generated_file_is_what_the_descriptions_say() -> None:
    project = Project(home(), home())
    tables = read_tables(project.tables)
    made = "".join(table_shapes(tables, Names.read(project.prefixes, tables), Terms.read(project.ontology)))
    assert (FOLDER / GENERATED).read_text(encoding="utf-8").endswith(made)


def test_check_runs_the_shapes_when_asked(atmpkg: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atmpkg.build.findings", lambda *_: iter(["a finding"]))
    assert "a finding" not in atmpkg("check").out.splitlines()
    run = atmpkg("check", "--shacl")
    assert "a finding" in run.out.splitlines() and run.code == 1


def test_without_pyshacl_one_clear_line(sample_project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyshacl", None)
    with pytest.raises(StoreError, match=r"^cannot check the shapes: pyshacl is not installed\. Install it: "):
        list(check(sample_project, shacl=True))


def test_shapes_of_a_project_are_added_to_the_packages(own_sample: Path) -> None:
    (own_sample / "ontology" / "shapes").mkdir()
    (own_sample / "ontology" / "shapes" / "own.ttl").write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
        "<urn:own> a sh:NodeShape ; sh:targetClass <https://w3id.org/atmpkg/ontology/Product> ;\n"
        "  sh:property [ sh:path rdfs:label ; sh:maxLength 8 ; sh:message 'a short name' ] .\n"
    )
    found = [str(problem) for problem in check(Project(own_sample, home()), shacl=True)]
    assert "product.tsv:4 [label]: found charlievec: 'charlievec'; expected a short name (urn:own)" in found


def test_a_project_with_tables_and_prefixes_of_its_own_has_shapes_too() -> None:
    """It may lack every prefix that ours have."""
    root = Path(__file__).parent / "minimal"
    project = Project(root, home=root)
    assert [str(problem) for problem in check(project, shacl=True)] == []


@pytest.mark.parametrize(
    "text, said",
    [
        ("@prefix sh: <http://www.w3.org/ns/shacl#> .\n<urn:a> a sh:NodeShape ,", "own.ttl:2: found "),
        (
            "@prefix sh: <http://www.w3.org/ns/shacl#> .\n<urn:a> a sh:NodeShape ; sh:targetClass <https://w3id.org/atmpkg/ontology/Product> ; sh:property [ sh:minCount 1 ] .",
            "ontology/shapes: found ",
        ),
    ],
    ids=["not Turtle", "not SHACL"],
)
def test_a_shape_that_cannot_be_read_is_named(text: str, said: str, own_sample: Path) -> None:
    (own_sample / "ontology" / "shapes").mkdir()
    (own_sample / "ontology" / "shapes" / "own.ttl").write_text(text)
    with pytest.raises(DataError) as caught:
        list(check(Project(own_sample, home()), shacl=True))
    assert str(caught.value).startswith(said) and "\n" not in str(caught.value)
