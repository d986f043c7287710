"""One battery for every store. A further store only has to be added to STORES."""

from pathlib import Path

import pyoxigraph as ox
import pytest

from atmpkg.errors import StoreError, UsageError
from atmpkg.publishing import publish
from atmpkg.remote import Http, Remote
from atmpkg.stores import Embedded, Store, nquads, rows

G, H = "https://w3id.org/atmpkg/graph/g", "https://w3id.org/atmpkg/graph/h"
QUADS = f"""\
<urn:a> <urn:p> "1" <{G}> .
<urn:b> <urn:p> "2" <{H}> .
""".encode()
VALUES = "SELECT ?o { ?s <urn:p> ?o } ORDER BY ?o"
SERVER_SETTINGS = {"ATMPKG_STORE_USER": "dba", "ATMPKG_STORE_PASSWORD": "a secret"}
LOCAL = ("memory", "disk")
SERVERS = ("oxigraph", "virtuoso")


def address(request: pytest.FixtureRequest, name: str) -> str:
    server = request.getfixturevalue(name)
    return server if isinstance(server, str) else server.url


def filled(request: pytest.FixtureRequest, name: str, folder: Path, quads: bytes = QUADS) -> Store:
    """Return a store of that kind with these quads."""
    embedded = Embedded.create(folder / "store") if name == "disk" else Embedded.memory()
    embedded.load(quads)
    if name in LOCAL:
        return embedded
    remote = Remote.at(address(request, name), Http(SERVER_SETTINGS, pause=0.01))
    publish(embedded, f"battery{len(quads)}", remote)
    return Remote.at(address(request, name), Http(SERVER_SETTINGS, pause=0.01))


@pytest.fixture(params=(*LOCAL, *SERVERS))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return filled(request, request.param, tmp_path)


@pytest.fixture(params=LOCAL)
def own(request: pytest.FixtureRequest, tmp_path: Path) -> Embedded:
    store = filled(request, request.param, tmp_path)
    assert isinstance(store, Embedded)
    return store


@pytest.fixture(params=SERVERS)
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Remote:
    store = filled(request, request.param, tmp_path)
    assert isinstance(store, Remote)
    return store


def values(store: Store, select: str = VALUES) -> list[str]:
    return [row["o"] for row in rows(store, select)]


def test_it_counts_its_quads(store: Store) -> None:
    assert len(store) == 2


def test_it_loads_from_a_file(own: Embedded, tmp_path: Path) -> None:
    path = tmp_path / "more.nq"
    path.write_bytes(b'<urn:c> <urn:p> "3" <urn:h> .\n')
    own.load(path)
    assert values(own) == ["1", "2", "3"]


@pytest.mark.parametrize("as_file", [False, True])
def test_it_loads_all_or_none(own: Embedded, tmp_path: Path, as_file: bool) -> None:
    broken = b'<urn:c> <urn:p> "3" <urn:h> .\n' * 1000 + b"<urn:d> nonsense .\n"
    path = tmp_path / "broken.nq"
    path.write_bytes(broken)
    with pytest.raises(StoreError, match=r"^cannot load quads: .*1001"):
        own.load(path if as_file else broken)
    assert values(own) == ["1", "2"]


def test_a_missing_file_is_told(own: Embedded, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"^cannot load quads: .*"):
        own.load(tmp_path / "absent.nq")


def test_a_query_sees_the_union_of_graphs_and_graph_reaches_one(store: Store) -> None:
    assert values(store) == ["1", "2"]
    assert values(store, f"SELECT ?o {{ GRAPH <{H}> {{ ?s <urn:p> ?o }} }}") == ["2"]
    assert values(store, "SELECT (STR(?g) AS ?o) { GRAPH ?g { ?s <urn:p> '1' } }") == [G]


def test_a_triple_of_two_graphs_counts_twice_which_is_why_no_triple_may_stand_in_two(own: Embedded) -> None:
    own.load(f'<urn:a> <urn:p> "1" <{H}> .\n'.encode())
    assert values(own) == ["1", "1", "2"]


def test_ask_and_construct_give_their_own_results(store: Store) -> None:
    assert bool(store.query("ASK { ?s <urn:p> '2' }"))
    triples = store.query("CONSTRUCT { ?s <urn:q> ?o } WHERE { ?s <urn:p> ?o }")
    assert isinstance(triples, ox.QueryTriples)
    assert {triple.object.value for triple in triples} == {"1", "2"}


def test_an_unbound_variable_is_an_empty_text(store: Store) -> None:
    assert list(rows(store, "SELECT ?a ?b { VALUES ?a { 1 } }")) == [{"a": "1", "b": ""}]


def test_clear_empties_one_graph_only(own: Embedded) -> None:
    own.clear(H)
    own.clear("urn:absent")
    assert values(own) == ["1"]


def test_infer_adds_only_what_no_graph_holds(own: Embedded) -> None:
    both = "CONSTRUCT { ?s <urn:p> ?o . ?s <urn:seen> true } WHERE { ?s <urn:p> ?o }"
    assert own.infer(both, "urn:i") == 2
    assert own.infer(both, "urn:i") == 0
    assert len(own) == 4
    assert values(own, "SELECT (STR(?s) AS ?o) { GRAPH <urn:i> { ?s ?p ?any } } ORDER BY ?o") == ["urn:a", "urn:b"]


def test_infer_tells_what_is_new_by_whole_triples_and_keeps_blank_nodes() -> None:
    own = Embedded.memory()
    own.load(b'<urn:a> <urn:p> "1" <urn:g> .\n<urn:b> <urn:p> "2" <urn:g> .\n<urn:c> <urn:q> _:x <urn:g> .\n')
    assert own.infer("CONSTRUCT { ?s <urn:p> '1' } WHERE { ?s ?p ?o }", "urn:i") == 2  # the first stands already
    assert own.infer("CONSTRUCT { ?x <urn:of> ?s . ?s <urn:q> ?x } WHERE { ?s <urn:q> ?x }", "urn:i") == 1
    assert values(own, "SELECT (STR(?s) AS ?o) { ?s <urn:q> ?x . ?x <urn:of> ?s }") == ["urn:c"]
    assert own.infer("CONSTRUCT { ?s <urn:t> 'a\\nb\\u0085\\r' } WHERE { ?s <urn:p> '2' }", "urn:i") == 1
    assert values(own, "SELECT ?o { ?s <urn:t> ?o }") == ["a\nb\u0085\r"]


def test_infer_does_not_look_up_again_what_the_query_yielded_before(own: Embedded) -> None:
    known: set[bytes] = set()
    query = "CONSTRUCT { ?s <urn:seen> true } WHERE { ?s <urn:p> ?o }"
    assert own.infer(query, "urn:i", known) == len(known) == 2
    own.clear("urn:i")
    assert own.infer(query, "urn:i", known) == 0


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
    with pytest.raises(StoreError, match=r"^cannot (evaluate the query|ask at .*): "):
        list(rows(store, "SELECT * { SERVICE <http://localhost:1/sparql> { ?s ?p ?o } }"))


def test_rules_and_rows_want_their_own_query_form(own: Embedded) -> None:
    with pytest.raises(UsageError, match="not a CONSTRUCT"):
        own.infer(VALUES, "urn:i")
    with pytest.raises(UsageError, match="not a SELECT"):
        list(rows(own, "ASK { }"))


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


TERMS = r"""
<urn:a> <urn:text> "quote \" backslash \\ newline \n tab \t"@en-GB <GRAPH> .
<urn:a> <urn:text> "\u00e9\u4e2d\U0001F9EC" <GRAPH> .
<urn:a> <urn:flag> "true"^^<http://www.w3.org/2001/XMLSchema#boolean> <GRAPH> .
<urn:a> <urn:flag> "false"^^<http://www.w3.org/2001/XMLSchema#boolean> <GRAPH> .
<urn:a> <urn:number> "-7"^^<http://www.w3.org/2001/XMLSchema#integer> <GRAPH> .
<urn:a> <urn:number> "2.5"^^<http://www.w3.org/2001/XMLSchema#decimal> <GRAPH> .
<urn:a> <urn:day> "2020-02-29"^^<http://www.w3.org/2001/XMLSchema#date> <GRAPH> .
<urn:a> <urn:like> "\"datatype\": \"http://www.w3.org/2001/XMLSchema#boolean\", \"value\": \"1\"" <GRAPH> .
""".replace("GRAPH", G).encode()


@pytest.mark.parametrize("name", SERVERS)
def test_terms_come_back_as_they_went_in(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    mine, theirs = filled(request, "memory", tmp_path, TERMS), filled(request, name, tmp_path, TERMS)
    assert sorted(nquads(theirs).splitlines()) == sorted(nquads(mine).splitlines())


def test_blank_nodes_keep_their_connections(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    quads = f"<urn:a> <urn:p> _:x <{G}> .\n_:x <urn:p> _:y <{G}> .\n_:y <urn:p> 'end' <{G}> .\n".replace("'", '"')
    for name in SERVERS:
        store = filled(request, name, tmp_path, quads.encode())
        assert values(store, "SELECT ?o { <urn:a> <urn:p>/<urn:p>/<urn:p> ?o }") == ["end"]
        assert values(store, f"SELECT ?o {{ GRAPH <{G}> {{ <urn:a> <urn:p> ?x }} ?x <urn:p>/<urn:p> ?o }}") == ["end"]


def test_questions_see_our_graphs_alone(remote: Remote) -> None:
    foreign = "INSERT DATA { GRAPH <urn:foreign> { <urn:z> <urn:p> 'foreign' } }"
    remote.update(foreign, "test")
    try:
        assert values(remote) == ["1", "2"]
        assert values(remote, "SELECT ?o { GRAPH ?g { ?s <urn:p> ?o } } ORDER BY ?o") == ["1", "2"]
        assert values(remote, "SELECT ?o { GRAPH <urn:foreign> { ?s <urn:p> ?o } }") == []
        assert len(remote) == 2
    finally:
        remote.update("DROP SILENT GRAPH <urn:foreign>", "test")


def test_publishing_again_converges_and_what_is_gone_goes_away(remote: Remote) -> None:
    after = Embedded.memory()
    after.load(f'<urn:a> <urn:p> "3" <{G}> .\n'.encode())
    for _ in range(2):
        publish(after, "later", remote)
        fresh = Remote(remote.addresses, remote.http)
        assert (values(fresh), dict(fresh.graphs), len(fresh)) == (["3"], {G: 1}, 1)
        assert fresh.names("https://w3id.org/atmpkg/store/") == ["https://w3id.org/atmpkg/store/later/"]
        assert fresh.names("https://w3id.org/atmpkg/graph/") == [G]


@pytest.mark.parametrize("at", range(1, 9))
def test_an_upload_broken_off_anywhere_leaves_the_old_or_says_so(
    at: int, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = Embedded.memory()
    after.load(QUADS.replace(b'"1"', b'"new"'))
    sent = 0
    send = Http.send

    def breaking(self: Http, do: str, method: str, url: str, **more: object) -> object:
        nonlocal sent
        sent += do != "ask"
        if sent == at:
            raise StoreError("cannot go on: the plug was pulled.")
        return send(self, do, method, url, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Http, "send", breaking)
    try:
        publish(after, f"broken{at}", remote)
        done = True
    except StoreError:
        done = False
    monkeypatch.undo()
    fresh = Remote(remote.addresses, remote.http)
    assert values(fresh) in ([["2", "new"]] if done else [["1", "2"], ["2", "new"]])
    publish(after, f"broken{at}", remote)
    assert values(Remote(remote.addresses, remote.http)) == ["2", "new"]


def test_readers_are_told_of_a_swap_that_was_broken_off(remote: Remote) -> None:
    from atmpkg.remote import CHANGING, MANIFEST

    remote.update(f"DROP SILENT GRAPH <{MANIFEST}> ; INSERT DATA {{ GRAPH <{MANIFEST}> {{ {CHANGING} }} }}", "test")
    with pytest.raises(StoreError, match=r"an upload was broken off .* Finish it with: atmpkg build --store http"):
        values(Remote(remote.addresses, remote.http))


def test_graphs_loaded_by_other_means_are_found(remote: Remote) -> None:
    from atmpkg.remote import MANIFEST

    remote.update(f"DROP SILENT GRAPH <{MANIFEST}>", "test")
    fresh = Remote(remote.addresses, remote.http)
    assert values(fresh) == ["1", "2"]
    assert len(fresh) == 2
