"""A real server: the whole graph on Virtuoso answers as the embedded store does, and each failure is one clear line."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from atmpkg.errors import StoreError
from atmpkg.graph import KnowledgeGraph
from atmpkg.project import home
from atmpkg.publishing import publish
from atmpkg.queries import Query, read_queries
from atmpkg.remote import Http, Remote
from atmpkg.stores import Embedded, rows

SERVER_SETTINGS = {"ATMPKG_STORE_USER": "dba", "ATMPKG_STORE_PASSWORD": "a secret"}
QUESTIONS = read_queries([home() / "queries" / "questions"])
CHECKS = read_queries([home() / "queries" / "checks"])
VIEWS = read_queries([home() / "queries" / "views"])
QUADS = b'<urn:a> <urn:p> "old" <https://w3id.org/atmpkg/graph/g> .\n'
SELECT = "SELECT ?o { ?s <urn:p> ?o }"


def http(**more: object) -> Http:
    return Http(SERVER_SETTINGS, pause=0.01, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def published(real: KnowledgeGraph, virtuoso: Any) -> KnowledgeGraph:
    """Return the shipped graph on the server."""
    assert isinstance(real.store, Embedded)
    publish(real.store, "real", Remote.at(virtuoso.url, http()))
    return KnowledgeGraph(Remote.at(virtuoso.url, http()), real.project, today=real.today)


def test_all_queries_are_compared() -> None:
    assert len(QUESTIONS) >= 63 and len(CHECKS) >= 62 and len(VIEWS) >= 9


def test_it_holds_every_quad(real: KnowledgeGraph, published: KnowledgeGraph) -> None:
    assert isinstance(published.store, Remote)
    assert sum(published.store.counts(published.store.graphs).values()) == len(published.store) == len(real.store)


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=lambda question: question.name)
def test_a_question_is_answered_as_by_the_embedded_store(
    question: Query, real: KnowledgeGraph, published: KnowledgeGraph
) -> None:
    example = question.header["example"]
    assert isinstance(example, Mapping)
    mine, theirs = real.ask(question.name, **example), published.ask(question.name, **example)
    assert theirs.rows == mine.rows
    assert theirs.remarks == mine.remarks


@pytest.mark.parametrize("check", CHECKS.values(), ids=lambda check: check.name)
def test_a_check_finds_what_it_finds_in_the_embedded_store(
    check: Query, real: KnowledgeGraph, published: KnowledgeGraph
) -> None:
    assert list(rows(published.store, check.sparql)) == list(rows(real.store, check.sparql))


@pytest.mark.parametrize("view", sorted(VIEWS.keys() - {"whole-graph"}))  # every quad is counted above
def test_a_view_draws_what_it_draws_of_the_embedded_store(
    view: str, real: KnowledgeGraph, published: KnowledgeGraph
) -> None:
    mine, theirs = ({str(edge) for edge in kg.graph(view).edges} for kg in (real, published))
    assert theirs == mine and mine


def test_the_other_verbs_work(
    virtuoso: Any, published: KnowledgeGraph, atmpkg: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    from atmpkg.pages import explanation, product_page

    assert "Kymriah" in product_page(published, "Kymriah")
    assert "tisagenlecleucel" in explanation(published, "decision:tisagenlecleucel-eu-grant")
    assert published.find("kymria").rows[0][0] == "tisagenlecleucel"


@pytest.mark.parametrize("password", ["wrong", ""])
def test_a_wrong_password_is_told_and_not_shown(password: str, virtuoso: Any) -> None:
    settings = {"ATMPKG_STORE_USER": "dba", "ATMPKG_STORE_PASSWORD": password}
    with pytest.raises(
        StoreError, match=r"it refuses the user or the password\. See ATMPKG_STORE_USER and ATMPKG_STORE_PASSWORD"
    ) as caught:
        publish(store(QUADS), "secret", Remote.at(virtuoso.url, Http(settings, pause=0.01)))
    assert not password or f" {password}" not in str(caught.value).replace("the password", "")


def test_no_password_is_told(virtuoso: Any) -> None:
    with pytest.raises(StoreError, match=r"it asks for a user and a password\. Put them into ATMPKG_STORE_USER"):
        publish(store(QUADS), "nobody", Remote.at(virtuoso.url, Http({}, pause=0.01)))


def test_a_server_that_is_down_is_told() -> None:
    with pytest.raises(
        StoreError,
        match=r"^cannot ask at http://127\.0\.0\.1:1/sparql: .*refused \(4 tries\)\. Is the server running\?$",
    ):
        len(Remote.at("http://127.0.0.1:1/sparql", http()))


def store(quads: bytes) -> Embedded:
    made = Embedded.memory()
    made.load(quads)
    return made


def many(count: int) -> bytes:
    """Return quads of another graph; texts that differ in their last letters alone would take Virtuoso minutes."""
    graph = "https://w3id.org/atmpkg/graph/many"
    return "".join(f'<urn:s{n // 6}> <urn:q{n % 6}> "{hash((n, 7))} {n}" <{graph}> .\n' for n in range(count)).encode()


def test_a_server_killed_while_it_loads_keeps_the_old_graphs(virtuosos: Callable[..., Any]) -> None:
    server = virtuosos()
    publish(store(QUADS), "old", Remote.at(server.url, http()))
    server.isql("checkpoint;")
    new = store(QUADS.replace(b"old", b"new") + many(60_000))
    killed = threading.Timer(0.7, server.kill)
    killed.start()
    with pytest.raises(StoreError, match=r"^cannot .* at http://127\.0\.0\.1:\d+/.*Is the server running\?$"):
        publish(new, "new", Remote.at(server.url, http()))
    killed.join()
    server.start()
    assert [row["o"] for row in rows(Remote.at(server.url, http()), SELECT)] == ["old"]
    publish(new, "new", Remote.at(server.url, http()))
    assert [row["o"] for row in rows(Remote.at(server.url, http()), SELECT)] == ["new"]


def test_a_full_transaction_is_told_and_keeps_the_old_graphs(virtuosos: Callable[..., Any]) -> None:
    server = virtuosos(limit=100_000)
    publish(store(QUADS), "old", Remote.at(server.url, http()))
    with pytest.raises(
        StoreError, match=r"^cannot load https://\S+ at http://\S+: it (takes less at a time|says 500)"
    ) as caught:
        publish(store(many(30_000)), "new", Remote.at(server.url, http()))
    assert "HTTP/1.1" not in str(caught.value) and "\n" not in str(caught.value)
    assert [row["o"] for row in rows(Remote.at(server.url, http()), SELECT)] == ["old"]


def test_an_answer_that_the_server_cuts_is_never_given_out(virtuosos: Callable[..., Any]) -> None:
    server = virtuosos(rows=1200)
    publish(store(many(1500)), "cut", Remote.at(server.url, http()))
    remote = Remote.at(server.url, http())
    assert len(list(rows(remote, "SELECT ?s { ?s ?q ?o FILTER(?q != <urn:p>) } LIMIT 1100"))) == 1100
    for query in ("SELECT ?s { ?s ?p ?o }", "SELECT ?s { ?s ?p ?o } LIMIT 1200"):
        with pytest.raises(
            StoreError, match=r"the server gives at most 1,200 rows at a time, and the answer has as many or more"
        ):
            remote.query(query)


def test_a_server_of_another_kind_that_cuts_answers_is_found_out() -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        query = dict(httpx.QueryParams(request.content.decode()))["query"]
        if "storeState" in query or "graph/" in query or "/store>" in query:
            cells = [{"graph": {"type": "uri", "value": "https://w3id.org/atmpkg/graph/g"}}]
            found = cells if "DISTINCT" in query else []
            names = ["graph"]
        else:
            names, found = ["n"], [{"n": {"type": "literal", "value": str(n)}} for n in range(7)]
        return httpx.Response(200, json={"head": {"vars": names}, "results": {"bindings": found}})

    remote = Remote.at("https://example.org/ask", Http({}, transport=httpx.MockTransport(serve)))
    with pytest.raises(StoreError, match="at most 7 rows at a time"):
        remote.query("SELECT ?n { ?s ?p ?n }")


@pytest.mark.parametrize("body", [b'{"head": {"vars": ["n"]}, "results": {"bindings": [', b"<html>hello</html>", b""])
def test_an_answer_that_is_broken_off_is_told(body: bytes) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=body))
    with pytest.raises(StoreError, match="is broken off or no answer"):
        len(Remote.at("https://example.org/ask", Http({}, transport=transport)))


def test_shards_are_loaded_as_the_documentation_says(virtuosos: Callable[..., Any], tmp_path: Path) -> None:
    import gzip

    server = virtuosos()
    shards = server.folder / "shards"
    shards.mkdir()
    for number, line in enumerate(QUADS.splitlines(keepends=True) + many(100).splitlines(keepends=True)):
        with gzip.open(shards / f"part-{number % 3:05}.nq.gz", "ab") as out:
            out.write(line)
    text = (home() / "docs" / "stores.md").read_text(encoding="utf-8")
    recipe = text.split("```sql\n")[1].split("```")[0].replace("/data/shards", str(shards))
    for command in filter(None, map(str.strip, recipe.split(";\n"))):
        done = server.isql(f"{command};")
        assert done.returncode == 0, done.stdout + done.stderr
    remote = Remote.at(server.url, http())
    assert [row["o"] for row in rows(remote, SELECT)] == ["old"]
    assert len(remote) == 101
