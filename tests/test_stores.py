"""One battery for every store. A further store only has to be added to STORES."""

from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox
import pytest

from atmpkg.errors import StoreError, UsageError
from atmpkg.stores import Embedded, Store, rows

STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda folder: Embedded.memory(),
    "disk": lambda folder: Embedded.create(folder / "store"),
}
QUADS = b"""\
<urn:a> <urn:p> "1" <urn:g> .
<urn:b> <urn:p> "2" <urn:h> .
"""
VALUES = "SELECT ?o { ?s <urn:p> ?o } ORDER BY ?o"


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    made = STORES[request.param](tmp_path)
    made.load(QUADS)
    return made


def values(store: Store, select: str = VALUES) -> list[str]:
    return [row["o"] for row in rows(store, select)]


def test_it_counts_its_quads(store: Store) -> None:
    assert len(store) == 2


def test_it_loads_from_a_file(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "more.nq"
    path.write_bytes(b'<urn:c> <urn:p> "3" <urn:h> .\n')
    store.load(path)
    assert values(store) == ["1", "2", "3"]


@pytest.mark.parametrize("as_file", [False, True])
def test_it_loads_all_or_none(store: Store, tmp_path: Path, as_file: bool) -> None:
    broken = b'<urn:c> <urn:p> "3" <urn:h> .\n' * 1000 + b"<urn:d> nonsense .\n"
    path = tmp_path / "broken.nq"
    path.write_bytes(broken)
    with pytest.raises(StoreError, match=r"^cannot load quads: .*1001"):
        store.load(path if as_file else broken)
    assert values(store) == ["1", "2"]


def test_a_missing_file_is_told(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"^cannot load quads: .*"):
        store.load(tmp_path / "absent.nq")


def test_a_query_sees_the_union_of_graphs_and_graph_reaches_one(store: Store) -> None:
    assert values(store) == ["1", "2"]
    assert values(store, "SELECT ?o { GRAPH <urn:h> { ?s <urn:p> ?o } }") == ["2"]
    assert values(store, "SELECT (STR(?g) AS ?o) { GRAPH ?g { ?s <urn:p> '1' } }") == ["urn:g"]


def test_a_triple_of_two_graphs_counts_twice_which_is_why_no_triple_may_stand_in_two(store: Store) -> None:
    store.load(b'<urn:a> <urn:p> "1" <urn:h> .\n')
    assert values(store) == ["1", "1", "2"]


def test_ask_and_construct_give_their_own_results(store: Store) -> None:
    assert bool(store.query("ASK { ?s <urn:p> '2' }"))
    triples = store.query("CONSTRUCT { ?s <urn:q> ?o } WHERE { ?s <urn:p> ?o }")
    assert isinstance(triples, ox.QueryTriples)
    assert {triple.object.value for triple in triples} == {"1", "2"}


def test_an_unbound_variable_is_an_empty_text(store: Store) -> None:
    assert list(rows(store, "SELECT ?a ?b { VALUES ?a { 1 } }")) == [{"a": "1", "b": ""}]


def test_clear_empties_one_graph_only(store: Store) -> None:
    store.clear("urn:h")
    store.clear("urn:absent")
    assert values(store) == ["1"]


def test_infer_adds_only_what_no_graph_holds(store: Store) -> None:
    both = "CONSTRUCT { ?s <urn:p> ?o . ?s <urn:seen> true } WHERE { ?s <urn:p> ?o }"
    assert store.infer(both, "urn:i") == 2
    assert store.infer(both, "urn:i") == 0
    assert len(store) == 4
    assert values(store, "SELECT (STR(?s) AS ?o) { GRAPH <urn:i> { ?s ?p ?any } } ORDER BY ?o") == ["urn:a", "urn:b"]


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_a_malformed_query_shows_the_place(store: Store, end: str) -> None:
    with pytest.raises(UsageError) as caught:
        store.query("SELECT * {\n  ?s ?p }" + end)
    first, line, caret = str(caught.value).splitlines()
    assert first.startswith("the query is malformed at line 2, column ")
    assert line == "    ?s ?p }"
    assert caret.strip() == "^"


@pytest.mark.parametrize(
    "query",
    ["", "SELECT", "SELECT * {", "SELECT * { ?s foo:p ?o }", "\n\n}", "SELECT ?a (COUNT(?b) AS ?c) { ?a ?p ?b }"],
)
def test_every_malformed_query_is_a_usage_error(store: Store, query: str) -> None:
    with pytest.raises(UsageError, match="malformed"):
        store.query(query)


def test_a_query_cannot_write(store: Store) -> None:
    for update in ("DROP ALL", "INSERT DATA { <urn:x> <urn:p> '3' }", "DELETE WHERE { ?s ?p ?o }"):
        with pytest.raises(UsageError):
            store.query(update)
    assert values(store) == ["1", "2"]


def test_a_service_that_is_not_there_is_told(store: Store) -> None:
    with pytest.raises(StoreError, match=r"^cannot evaluate the query: "):
        list(rows(store, "SELECT * { SERVICE <http://localhost:1/sparql> { ?s ?p ?o } }"))


def test_rules_and_rows_want_their_own_query_form(store: Store) -> None:
    with pytest.raises(UsageError, match="not a CONSTRUCT"):
        store.infer(VALUES, "urn:i")
    with pytest.raises(UsageError, match="not a SELECT"):
        list(rows(store, "ASK { }"))


def test_a_dump_is_sorted_and_does_not_depend_on_the_order_of_loading() -> None:
    first, second = Embedded.memory(), Embedded.memory()
    first.load(QUADS)
    for line in reversed(QUADS.splitlines(keepends=True)):
        second.load(line)
    assert first.dump() == second.dump() == QUADS


def test_a_store_on_disk_can_be_read_while_it_is_open_elsewhere(tmp_path: Path) -> None:
    written = Embedded.create(tmp_path / "store")
    written.load(QUADS)
    written.optimize()
    del written
    one, other = Embedded.open(tmp_path / "store"), Embedded.open(tmp_path / "store")
    assert values(one) == values(other) == ["1", "2"]


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    first = Embedded.create(tmp_path / "store")
    with pytest.raises(StoreError, match=r"^cannot write the store "):
        Embedded.create(tmp_path / "store")
    assert len(first) == 0


def test_a_store_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"^cannot read the store .* Build it again\.$"):
        Embedded.open(tmp_path / "absent")
