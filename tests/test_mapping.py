"""Any text that a cell may hold comes back from N-Quads as it was, in every RDF reader."""

import io
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib import Dataset

from atmpkg.build import write_quads
from atmpkg.mapping import description_quads, quads
from atmpkg.names import Names, graph_iri
from atmpkg.project import Project, home
from atmpkg.records import Record, literal
from atmpkg.tables import read_tables

MINIMAL = Path(__file__).parent / "minimal"
TABLES = read_tables([MINIMAL / "data" / "tables"])
NAMES = Names.read(MINIMAL / "ontology" / "prefixes.yaml", TABLES)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def nquads(text: str) -> str:
    label = f"<{NAMES.expand('rdfs:label')}>"
    record = Record(TABLES["product"], "alfacel", 2, ((label, literal(text)),), ())
    return "".join(quads([record], NAMES))


@given(texts)
def test_any_text_comes_back_through_pyoxigraph(text: str) -> None:
    made = list(ox.parse(nquads(text), format=ox.RdfFormat.N_QUADS))
    assert len(made) == 3
    assert {quad.graph_name.value for quad in made} == {graph_iri("product")}
    assert made[-1].object == ox.Literal(text)


@pytest.mark.filterwarnings("ignore:Dataset.default_context is deprecated:DeprecationWarning")  # within rdflib 7
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
def test_any_text_of_a_cell_comes_back_through_rdflib(text: str) -> None:
    dataset = Dataset(default_union=True).parse(data=nquads(text), format="nquads")
    assert text in {str(value) for value in dataset.objects(predicate=None)}


@pytest.mark.parametrize(
    "text, datatype, written",
    [
        ("plain", "", '"plain"'),
        ('say "no"', "", r'"say \"no\""'),
        ("back\\slash", "", r'"back\\slash"'),
        ("two\nlines\r", "", r'"two\nlines\r"'),
        ("β", "", '"β"'),
        ("12", "integer", '"12"^^<http://www.w3.org/2001/XMLSchema#integer>'),
    ],
)
def test_a_literal_is_written_as_n_triples(text: str, datatype: str, written: str) -> None:
    assert literal(text, datatype) == written
    (triple,) = ox.parse(f"<urn:s> <urn:p> {written} .", format=ox.RdfFormat.N_TRIPLES)
    assert isinstance(triple.object, ox.Literal)
    assert triple.object.value == text


@given(texts)
def test_a_literal_is_one_term_of_sparql_too(text: str) -> None:
    store = ox.Store()
    (row,) = store.query(f"SELECT ?x {{ VALUES ?x {{ {literal(text)} }} }}")
    assert row["x"] == ox.Literal(text)


def test_the_descriptions_are_in_the_graph_as_csvw() -> None:
    store = ox.Store()
    store.load("".join(description_quads(TABLES, NAMES)).encode(), format=ox.RdfFormat.N_QUADS)
    columns = store.query(
        """
        PREFIX csvw: <http://www.w3.org/ns/csvw#>
        SELECT ?name ?kind { GRAPH <https://w3id.org/atmpkg/graph/tables> {
          <https://w3id.org/atmpkg/id/table/source> a csvw:Table ; csvw:column ?column .
          ?column csvw:name ?name ; <https://w3id.org/atmpkg/ontology/columnKind> ?kind } } ORDER BY ?name
        """
    )
    assert [(row["name"].value, row["kind"].value) for row in columns] == [
        ("id", "id"),
        ("read", "date"),
        ("url", "link"),
    ]


def test_one_row_is_one_node_and_one_table_one_graph(sample_project: Project) -> None:
    out = io.StringIO()
    rows = write_quads(sample_project, out)
    found = list(ox.parse(out.getvalue(), format=ox.RdfFormat.N_QUADS))
    for table, count in rows.items():
        subjects = {quad.subject for quad in found if quad.graph_name.value == graph_iri(table)}
        assert len(subjects) == count
    assert set(rows) == set(read_tables([home() / "data" / "tables"]))
