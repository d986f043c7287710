"""The guard against queries that reach out: what it refuses, and that what it lets pass never does."""

# ruff: noqa: E501  # queries and requests are easier to read on one line

import http.server
import threading
import time
from collections.abc import Iterator

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atmpkg.serve.guard import Conflict, changes, forbidden, names_dataset, using

REFUSED = {
    "plain": "SELECT * { SERVICE <http://example.org/> { ?s ?p ?o } }",
    "lower case": "select * { service <http://example.org/> { ?s ?p ?o } }",
    "silent": "SELECT * { SERVICE SILENT <http://example.org/> { ?s ?p ?o } }",
    "variable": "SELECT * { VALUES ?g { <http://example.org/> } SERVICE ?g { ?s ?p ?o } }",
    "prefixed name": "PREFIX : <http://example.org/> SELECT * { SERVICE :sparql { ?s ?p ?o } }",
    "no blank before a name": "PREFIX : <http://example.org/> SELECT * { SERVICE:sparql { ?s ?p ?o } }",
    "a prefix of that name": "PREFIX SERVICE: <urn:a> PREFIX : <urn:b> SELECT * { SERVICE:sparql { ?s ?p ?o } }",
    "no blank before an IRI": "SELECT * { SERVICE<http://example.org/>{ ?s ?p ?o } }",
    "no blank before silent": "SELECT * { SERVICESILENT<http://example.org/>{ ?s ?p ?o } }",
    "after a literal": "SELECT * { ?s ?p trueSERVICE <http://example.org/> { ?s ?p ?o } }",
    "after a literal and a dot": "SELECT * { ?s ?p true.SERVICE <http://example.org/> { ?s ?p ?o } }",
    "after a number": "SELECT * { ?s ?p 1SERVICE <http://example.org/> { ?s ?p ?o } }",
    "comment between": "SELECT * { SERVICE # here\n <http://example.org/> { ?s ?p ?o } }",
    "comment before": "SELECT * { # '\n SERVICE <http://example.org/> { ?s ?p ?o } # '\n }",
    "nested": "SELECT * { { SELECT * { OPTIONAL { { SERVICE <http://example.org/> { ?s ?p ?o } } } } } }",
    "in an EXISTS": "ASK { FILTER NOT EXISTS { SERVICE <http://example.org/> { ?s ?p ?o } } }",
    "in a CONSTRUCT": "CONSTRUCT { ?s ?p ?o } { SERVICE <http://example.org/> { ?s ?p ?o } }",
    "escaped": r"SELECT * { \u0053ERVICE <http://example.org/> { ?s ?p ?o } }",
    "escaped with eight digits": r"SELECT * { \U00000053\u0045RVICE <http://example.org/> { ?s ?p ?o } }",
    "escaped quote before": r"SELECT * { ?s ?p \u0022a\u0022 . SERVICE <http://example.org/> { ?s ?p ?o } }",
    "escaped quote in a name": r"SELECT * { ?s :a\' ?o . SERVICE <http://example.org/> { ?s ?p ?o } ?s :a\' ?o }",
    "quote after a comparison": "SELECT * { FILTER(?a<?b&&?c='>') SERVICE <http://a.b/> { ?s ?p ?o } FILTER(?d='x') }",
    "comment after a comparison": "SELECT * { FILTER(?a<?b).SERVICE#>\n<http://example.org/> { ?s ?p ?o } }",
    "quotes of three": "SELECT * { ?s ?p '''a''b''' . SERVICE <http://example.org/> { ?s ?p '''c''' } }",
    "quotes of two and one": "SELECT * { ?s ?p ''''a''' . SERVICE <http://example.org/> { ?s ?p '' } }",
    "a quote without end": "SELECT * { ?s ?p 'SERVICE <http://example.org/> { ?s ?p ?o } }",
    "long s": "SELECT * { \u017fERVICE <http://example.org/> { ?s ?p ?o } }",
    "no-break space": "SELECT * {\u00a0SERVICE\u00a0<http://example.org/> { ?s ?p ?o } }",
    "byte order mark": "\ufeffSELECT * { SERVICE <http://example.org/> { ?s ?p ?o } }",
    "nul": "SELECT * { SERVICE\x00<http://example.org/> { ?s ?p ?o } }",
}
ALLOWED = {
    "in a string": "SELECT * { ?s ?p 'SERVICE <http://example.org/> {}' }",
    "in a long string": 'SELECT * { ?s ?p """a "SERVICE" b""" }',
    "in a comment": "SELECT * { ?s ?p ?o } # SERVICE <http://example.org/> {}",
    "in an IRI": "SELECT * { <http://example.org/service/1#a> ?p ?o }",
    "in the prologue": "PREFIX sd: <http://www.w3.org/ns/sparql-service-description#> SELECT * { ?s a sd:Service }",
    "a variable": "SELECT ?service { ?service ?p ?o FILTER(?service != <http://example.org/a>) }",
    "a local name": "SELECT * { ?s ex:service ?o ; ex:a.service ?b }",
    "a language": "SELECT * { ?s ?p 'a'@service }",
    "a blank node": "SELECT * { _:service ?p ?o }",
    "a comparison": "SELECT * { ?service ?p ?o FILTER(?a<?b && ?c>?d) }",
    "LOAD in a query": "SELECT * { ?load ?p ?o }",
}


@pytest.mark.parametrize("sparql", REFUSED.values(), ids=REFUSED)
def test_refused(sparql: str) -> None:
    assert forbidden(sparql) == "SERVICE"


@pytest.mark.parametrize("sparql", ALLOWED.values(), ids=ALLOWED)
def test_allowed(sparql: str) -> None:
    assert forbidden(sparql) == ""


@pytest.mark.parametrize(
    "update",
    [
        "LOAD <http://a.b/>",
        "load silent <http://a.b/> into graph <urn:g>",
        "CLEAR ALL;LOADSILENT<http://a.b/>",
        r"\u004cOAD <file:///etc/passwd>",
    ],
)
def test_load_is_refused_in_updates(update: str) -> None:
    assert forbidden(update, update=True) == "LOAD"
    assert forbidden("INSERT { ?s ?p ?o } WHERE { SERVICE ?x { ?s ?p ?o } }", update=True) == "SERVICE"


@pytest.mark.parametrize(
    "text", ["a.", "'", "<", "\\", "'''a", ":a.", "_:a.", '""', "@a-", "1", "((", "\u00e9.", "<a(", "?", "a:"]
)
def test_reading_takes_linear_time(text: str) -> None:
    start = time.perf_counter()
    forbidden(text * (200_000 // len(text)) + " service")
    assert time.perf_counter() - start < 5


class Listener:
    """A server on loopback that notes every request."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.asked.append(self.path)
                self.send_response(500)
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                return

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    here = Listener()
    yield here
    here.server.shutdown()
    here.server.server_close()


BEFORE = st.sampled_from(
    ["", " ", ".", "true", "true.", "false ", "1", "1.", "1.5", "1e3", "'a'", "'a'@en", "'a'@en.", ":a", ":a.", "_:b", "_:b.", "?x", "?x.", "<urn:a>", ")", "{}", "\n", "\t",
     "''", "''''a'''", '"""a"""', "''.", r"\u0020", r"\u0027", r"'\u0027", r"'\''", r":a\'", "UNDEF", "a", "[]", "()", "(1)", "'a'^^:b", "'a'^^:b.", "#'\n", "#\"\n", "\ufeff", "\u00a0", "FILTER(1<2)", "FILTER(?x<?y&&?z='>')",
     "FILTER(?x<?y)#>\n", "FILTER(?x<'a')", "BIND(1 AS ?b)", "VALUES ?v {1}", "MINUS{}", "{}UNION{}", "OPTIONAL{}", "GRAPH ?g{}"]
)  # fmt: skip
KEYWORD = st.sampled_from(
    ["SERVICE", "service", "SeRvIcE", r"\u0053ERVICE", r"SERV\u0049CE", r"\U00000053ervice", "\u017fervice"]
)
BETWEEN = st.sampled_from(["", " ", "\n", "SILENT", " SILENT ", "#>\n", "# a\n", "\t", " silent", r"\u0020", "\ufeff"])
TARGET = st.sampled_from(["<{}>", ":x", "?where", "p:x", "<{}#>", "SERVICE:x"])
AFTER = st.sampled_from(["", " ", "FILTER(?d='x')", ".", "#'\n", "'", "}", "FILTER('>'=?x)", "?s ?p '>'"])
PLACE = st.sampled_from(
    [
        "SELECT * {{ {} }}",
        "ASK {{ ?s ?p {} }}",
        "SELECT * {{ ?s ?p ?o {} }}",
        "ASK {{ FILTER EXISTS {{ {} }} }}",
        "SELECT * {{ {{ SELECT * {{ {} }} }} }}",
    ]
)


@settings(max_examples=1500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=PLACE, before=st.lists(BEFORE, max_size=3), keyword=KEYWORD, between=BETWEEN, target=TARGET, after=AFTER)
def test_what_passes_the_guard_never_reaches_out(
    listener: Listener, place: str, before: list[str], keyword: str, between: str, target: str, after: str
) -> None:
    url = f"http://127.0.0.1:{listener.server.server_port}/"
    service = f"{keyword}{between}{target.format(url)} {{ ?s ?p ?o }}"
    prologue = f"PREFIX : <{url}> PREFIX p: <{url}> PREFIX SERVICE: <{url}> "
    sparql = prologue + place.format("".join(before) + service + after)
    if forbidden(sparql):
        return
    listener.asked.clear()
    try:
        result = STORE.query(sparql)
        if not isinstance(result, ox.QueryBoolean):
            list(result)  # type: ignore[call-overload]
    except (SyntaxError, OSError, RuntimeError, ValueError):
        pass
    assert listener.asked == [], sparql


STORE = ox.Store()
for number in range(3):
    STORE.add(ox.Quad(ox.NamedNode(f"urn:{number}"), ox.NamedNode("urn:p"), ox.Literal(number), ox.DefaultGraph()))


def test_the_engine_would_reach_out(listener: Listener) -> None:
    """The trap that the guard is for is real; without it the test above would prove nothing."""
    url = f"http://127.0.0.1:{listener.server.server_port}/"
    for sparql in (
        f"SELECT * {{ SERVICE <{url}> {{ ?s ?p ?o }} }}",
        f"PREFIX : <{url}> SELECT * {{ SERVICE:x {{ ?s ?p ?o }} }}",
    ):
        listener.asked.clear()
        with pytest.raises(OSError):
            list(STORE.query(sparql))  # type: ignore[call-overload, arg-type]
        assert listener.asked


def test_the_dataset_of_a_request_is_written_into_an_update() -> None:
    update = "PREFIX : <urn:> INSERT DATA { :a :b 'WHERE' } ; DELETE { ?s ?p ?o } INSERT { ?s ?p 1 } WHERE { ?s ?p ?o } # WHERE"
    written = using(update, ["urn:a", "urn:b"], ["urn:c"])
    clause = "USING <urn:a> USING <urn:b> USING NAMED <urn:c> WHERE { ?s ?p ?o }"
    assert written.count("USING <") == 2 and clause in written
    assert using(update, [], []) == update


@pytest.mark.parametrize(
    "update",
    ["WITH <urn:a> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }", "INSERT { ?s ?p ?o } USING <urn:a> WHERE { ?s ?p ?o }",
     "WITH<urn:a>DELETE{?s ?p ?o}WHERE{?s ?p ?o}", "DELETE WHERE { ?s ?p ?o }", "INSERT{?s ?p 1}USINGNAMED<urn:a>WHERE{?s ?p ?o}"],
)  # fmt: skip
def test_two_datasets_are_a_conflict(update: str) -> None:
    with pytest.raises(Conflict):
        using(update, ["urn:g"], [])


def test_clocks_and_datasets_are_seen() -> None:
    assert (
        changes("SELECT (UUID() AS ?x) {}")
        and changes("SELECT * { FILTER(rand() < 0.5) }")
        and not changes("ASK { ?s ?p ?o }")
    )
    assert names_dataset("SELECT * FROM NAMED <urn:g> { }") and names_dataset("SELECT *from<urn:g>{}")
    assert not names_dataset("SELECT ?from { ?from <urn:from> 'FROM' } # FROM")
