"""The W3C suites of SPARQL 1.1 over HTTP: protocol, graph store protocol, service description, queries, result formats.

The suites are not part of the repository; they lie in ``../shared/w3c-sparql11`` (or where ATMPKG_W3C says).
"""

# ruff: noqa: E501  # queries and requests are easier to read on one line

import csv
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pyoxigraph as ox
import pytest
import rdflib
from rdflib.collection import Collection
from rdflib.compare import isomorphic

ROOT = Path(__file__).resolve().parents[2]
SUITES = Path(os.environ.get("ATMPKG_W3C", ROOT.parent / "shared" / "w3c-sparql11"))
THERE = SUITES.is_dir()
SITE = "http://www.w3.org/2009/sparql/docs/tests/data-sparql11/"
MF = rdflib.Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
QT = rdflib.Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-query#")
HT = rdflib.Namespace("http://www.w3.org/2011/http#")
CNT = rdflib.Namespace("http://www.w3.org/2011/content#")
UT = rdflib.Namespace("http://www.w3.org/2009/sparql/tests/test-update#")
RS = rdflib.Namespace("http://www.w3.org/2001/sw/DataAccess/tests/result-set#")

COLLECTED = {"protocol": 34, "graph-store": 14, "evaluation": 235, "syntax": 103}
# Tests on which the engine differs, each with the reason. A test that passes after all fails here, so the list stays true.
_EMPTY = "a path of length zero is not matched for a constant that no triple of the dataset has"
_GROUPS = "GROUP_CONCAT of literals with one language keeps the language, as SPARQL 1.2 asks"
DIFFERENT = {
    "aggregates/agg-empty-group-count-graph": "GRAPH ?g around a sub-SELECT does not give each named graph a group of its own",
    "aggregates/agg-groupconcat-04": _GROUPS,
    "aggregates/agg-groupconcat-06": _GROUPS,
    "bindings/graph": "VALUES inside GRAPH ?g does not bind ?g to each graph",
    "csv-tsv-res/tsv03": "integer types derived from xsd:integer become xsd:integer when they are stored",
    "functions/bnode01": "BNODE(text) gives one node for the text in all solutions, not one in each",
    "negation/graph-minus": "GRAPH ?g is taken to bind ?g on both sides of MINUS",
    "property-path/zero_or_more_set_end": _EMPTY,
    "property-path/zero_or_more_set_start": _EMPTY,
    "property-path/zero_or_one_set_end": _EMPTY,
    "property-path/zero_or_one_set_start": _EMPTY,
    "syntax-query/test_4": "a function that is not known is refused when the query is read, before there is a row to fail for",
}


@dataclass(frozen=True)
class Request:
    """One request of a protocol test, and what is expected of its response."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    statuses: tuple[str, ...]
    boolean: bool | None
    format: str
    location: str
    expected: str  # Turtle
    media: str


@dataclass(frozen=True)
class Exchange:
    """A protocol test: data by graph, and requests in order."""

    name: str
    data: tuple[tuple[str, Path], ...]
    requests: tuple[Request, ...]


@dataclass(frozen=True)
class Evaluation:
    """A query test: the query, its data and the expected results."""

    name: str
    query: Path
    default: tuple[Path, ...]
    named: tuple[Path, ...]
    result: Path


@dataclass(frozen=True)
class Syntax:
    """A syntax test."""

    name: str
    query: Path
    right: bool


def manifest(path: Path) -> rdflib.Graph:
    graph = rdflib.Graph()
    graph.parse(path, format="turtle", publicID=path.as_uri())
    return graph


def file_of(node: Any) -> Path:
    return Path(str(node).removeprefix("file://"))


def headers_of(graph: rdflib.Graph, node: Any) -> tuple[tuple[str, str], ...]:
    listed = graph.value(node, HT.headers)
    if listed is None:
        return ()
    return tuple(
        (str(graph.value(field, HT.fieldName)), str(graph.value(field, HT.fieldValue)))
        for field in Collection(graph, listed)
    )


def request_of(graph: rdflib.Graph, node: Any) -> Request:
    def body_of(at: Any) -> str | None:
        body = graph.value(at, HT.body)
        return None if body is None else str(graph.value(body, CNT.chars))

    body, response = graph.value(node, HT.body), graph.value(node, HT.resp)
    encoding = str(graph.value(body, CNT.characterEncoding) or "UTF-8") if body else "UTF-8"
    content = body_of(node)
    boolean = graph.value(response, MF.expectedBoolean)
    return Request(
        str(graph.value(node, HT.methodName)),
        str(graph.value(node, HT.absolutePath)),
        headers_of(graph, node),
        None if content is None else content.encode(encoding),
        tuple(str(status).rpartition("#")[2] for status in graph.objects(response, MF.expectedStatus)),
        None if boolean is None else bool(boolean.toPython()),  # type: ignore[attr-defined]
        str(graph.value(response, MF.expectedFormat) or ""),
        str(graph.value(response, MF.expectedLocation) or ""),
        body_of(response) or "",
        dict(headers_of(graph, response)).get("content-type", ""),
    )


def exchanges(path: Path, kind: Any) -> Iterator[Exchange]:
    graph = manifest(path)
    for test in sorted(graph.subjects(rdflib.RDF.type, kind)):
        data = tuple(
            sorted(
                (str(graph.value(n, rdflib.RDFS.label)), file_of(graph.value(n, UT.graph)))
                for n in graph.objects(test, UT.graphData)
            )
        )
        listed = graph.value(graph.value(test, MF.action), HT.requests)
        yield Exchange(
            str(test).rpartition("#")[2], data, tuple(request_of(graph, node) for node in Collection(graph, listed))
        )


def evaluations() -> Iterator[Evaluation]:
    for folder in (*query_folders(), "csv-tsv-res", "json-res"):
        graph = manifest(SUITES / folder / "manifest.ttl")
        for kind in (MF.QueryEvaluationTest, MF.CSVResultFormatTest):
            for test in sorted(graph.subjects(rdflib.RDF.type, kind)):
                action = graph.value(test, MF.action)
                yield Evaluation(
                    f"{folder}/{str(test).rpartition('#')[2]}",
                    file_of(graph.value(action, QT.query)),
                    tuple(sorted(map(file_of, graph.objects(action, QT.data)))),
                    tuple(sorted(map(file_of, graph.objects(action, QT.graphData)))),
                    file_of(graph.value(test, MF.result)),
                )


def syntaxes() -> Iterator[Syntax]:
    for folder in query_folders():
        graph = manifest(SUITES / folder / "manifest.ttl")
        for kind, right in (
            (MF.PositiveSyntaxTest11, True),
            (MF.NegativeSyntaxTest11, False),
            (MF.PositiveSyntaxTest, True),
            (MF.NegativeSyntaxTest, False),
        ):
            for test in sorted(graph.subjects(rdflib.RDF.type, kind)):
                yield Syntax(f"{folder}/{str(test).rpartition('#')[2]}", file_of(graph.value(test, MF.action)), right)


def query_folders() -> list[str]:
    text = (SUITES / "manifest-sparql11-query.ttl").read_text()
    return re.findall(r"<([a-z-]+)/manifest\.ttl>", text)


PROTOCOL = list(exchanges(SUITES / "protocol" / "manifest.ttl", MF.ProtocolTest)) if THERE else []
GRAPH_STORE = [
    test
    for name in ("direct", "indirect")
    for test in (
        exchanges(SUITES / "graph-store-protocol" / f"manifest-{name}.ttl", MF.GraphStoreProtocolTest) if THERE else ()
    )
]
EVALUATION = list(evaluations()) if THERE else []
SYNTAX = list(syntaxes()) if THERE else []


def test_the_suites_are_there_and_whole(needs: Callable[[bool, str], None]) -> None:
    needs(THERE, "the W3C suite (../shared/w3c-sparql11, or ATMPKG_W3C)")
    found = {
        "protocol": len(PROTOCOL),
        "graph-store": len(GRAPH_STORE),
        "evaluation": len(EVALUATION),
        "syntax": len(SYNTAX),
    }
    assert found == COLLECTED
    assert set(DIFFERENT) <= {test.name for test in (*EVALUATION, *SYNTAX)}


def fits(status: int, expected: tuple[str, ...]) -> bool:
    words = {200: "OK", 201: "Created", 204: "NoContent", 404: "NotFound"}
    return bool({words.get(status, ""), f"StatusCode{status // 100}xx"} & set(expected))


def sent(server: Any, request: Request, swap: Callable[[str], str]) -> Any:
    headers = dict(request.headers) | {"host": "www.example", "authorization": "Bearer a-token-for-tests-only"}
    utf16 = any("UTF-16" in value for value in headers.values())
    body = request.body
    if body is not None:
        body = body if utf16 else swap(body.decode("latin-1")).encode("latin-1")
    if request.method in ("POST", "PUT") and body is None:
        body = b""
    return server.request(request.method, swap(request.path), body, headers)


@pytest.mark.parametrize("test", PROTOCOL, ids=lambda test: test.name)
def test_protocol(test: Exchange, scratch: Any) -> None:
    assert scratch.update("DROP ALL").status == 204
    for graph, path in test.data:
        put = scratch.request(
            "PUT",
            f"/graphs?graph={quote(graph, safe='')}",
            path.read_bytes(),
            {"content-type": "application/n-triples", "authorization": "Bearer a-token-for-tests-only"},
        )
        assert put.status == 201
    for request in test.requests:
        got = sent(scratch, request, lambda text: text)
        assert fits(got.status, request.statuses), (got.status, got.text)
        media = got.headers.get("content-type", "").split(";")[0]
        if got.status >= 300:
            continue
        match request.format:
            case "boolean":
                assert media in ("application/sparql-results+json", "application/sparql-results+xml")
            case "tabular":
                assert media in (
                    "application/sparql-results+json",
                    "application/sparql-results+xml",
                    "text/csv",
                    "text/tab-separated-values",
                )
            case "RDF":
                assert media in ("text/turtle", "application/rdf+xml", "application/n-triples", "application/ld+json")
        if request.boolean is not None:
            found = ox.parse_query_results(got.body, format=ox.QueryResultsFormat.from_media_type(media))
            assert bool(found) is request.boolean


@pytest.mark.parametrize("test", GRAPH_STORE, ids=lambda test: test.name)
def test_graph_store_protocol(test: Exchange, scratch: Any) -> None:
    assert scratch.update("DROP ALL").status == 204
    location = {}

    def swap(text: str) -> str:
        for name, value in location.items():
            text = text.replace(f"${name}$", value)
        return re.sub(r"(/|%2F)gsp\b", r"\1graphs", text)

    for request in test.requests:
        got = sent(scratch, request, swap)
        assert fits(got.status, request.statuses), (request.method, request.path, got.status, got.text)
        if request.location:
            location[request.location.strip("$")] = got.headers["location"]
        if request.media:
            assert got.headers["content-type"] == request.media
        if request.expected:
            found, expected = rdflib.Graph(), rdflib.Graph()
            found.parse(data=got.body, format="turtle")
            expected.parse(data=swap(request.expected), format="turtle")
            assert isomorphic(found, expected), got.text


SD = rdflib.Namespace("http://www.w3.org/ns/sparql-service-description#")


def described(server: Any) -> tuple[rdflib.Graph, str]:
    got = server.get("/sparql", "text/turtle")
    assert got.status == 200 and got.headers["content-type"].startswith("text/turtle")
    graph = rdflib.Graph()
    graph.parse(data=got.body, format="turtle")
    return graph, f"{server.url}/sparql"


def test_service_description_returns_rdf(scratch: Any) -> None:
    assert len(described(scratch)[0]) > 10


def test_service_description_has_the_endpoint(scratch: Any) -> None:
    graph, url = described(scratch)
    assert list(graph.subjects(SD.endpoint, rdflib.URIRef(url))) == [rdflib.URIRef(url)]


def test_service_description_conforms(scratch: Any, served: Any) -> None:
    """Every term is of the vocabulary, and the classes and values are those it asks for (its section 3)."""
    terms = {"Service", "endpoint", "supportedLanguage", "resultFormat", "inputFormat", "feature", "defaultDataset", "availableGraphs", "defaultEntailmentRegime",
             "Dataset", "defaultGraph", "namedGraph", "NamedGraph", "name", "graph", "Graph", "GraphCollection",
             "SPARQL11Query", "SPARQL10Query", "SPARQL11Update", "UnionDefaultGraph"}  # fmt: skip
    for server in (scratch, served):
        graph, _ = described(server)
        used = {str(term).removeprefix(str(SD)) for triple in graph for term in triple if str(term).startswith(str(SD))}
        assert used <= terms
        (service,) = graph.subjects(rdflib.RDF.type, SD.Service)
        for property, kind in ((SD.defaultDataset, SD.Dataset), (SD.availableGraphs, SD.GraphCollection)):
            (value,) = graph.objects(service, property)
            assert (value, rdflib.RDF.type, kind) in graph
        for named in graph.subjects(rdflib.RDF.type, SD.NamedGraph):
            assert isinstance(graph.value(named, SD.name), rdflib.URIRef)


LOADED: dict[Path, str] = {}


def loaded(server: Any, path: Path) -> str:
    """Put a file of data into the server once; return its graph."""
    if path not in LOADED:
        graph = SITE + str(path.relative_to(SUITES))
        media = {".ttl": "text/turtle", ".rdf": "application/rdf+xml", ".nt": "application/n-triples"}[path.suffix]
        headers = {"content-type": media, "authorization": "Bearer a-token-for-tests-only"}
        got = server.request("PUT", f"/graphs?graph={quote(graph, safe='')}", path.read_bytes(), headers)
        assert got.status in (201, 204), got.text
        LOADED[path] = graph
    return LOADED[path]


@pytest.fixture(scope="module")
def library(start: Callable[..., Any]) -> Any:
    """Return a server of its own for the data of the query tests."""
    return start("scratch")


MEDIA = {
    ".srx": "application/sparql-results+xml",
    ".srj": "application/sparql-results+json",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".ttl": "",
}


def evaluated(server: Any, test: Evaluation) -> Any:
    default = [loaded(server, path) for path in test.default]
    named = [loaded(server, path) for path in test.named]
    pairs = [("default-graph-uri", iri) for iri in default] + [("named-graph-uri", iri) for iri in named]
    sparql = test.query.read_text(encoding="utf-8")
    own = [loaded(server, test.query.parent / name) for name in re.findall(r"\bFROM\s+<([^>]+)>", sparql)]
    pairs = [] if own else pairs or [("default-graph-uri", "urn:empty")]  # else the request's would go before its own
    sparql = f"BASE <{SITE}{test.query.relative_to(SUITES)}>\n{sparql}"
    accept = MEDIA[test.result.suffix] or (
        "text/turtle" if re.search("CONSTRUCT|DESCRIBE", sparql) else "application/sparql-results+json"
    )
    headers = {"content-type": "application/sparql-query", "accept": accept}
    return server.request("POST", f"/sparql?{urlencode(pairs)}", sparql.encode(), headers)


def solutions(results: Any) -> list[dict[str, Any]]:
    names = [variable.value for variable in results.variables]
    return [{name: row[name] for name in names if row[name] is not None} for row in results]


def canonical(rows: list[dict[str, Any]]) -> set[Any]:
    """Return solutions as triples with canonical blank nodes, so that they can be compared."""
    dataset = ox.Dataset()
    for number, row in enumerate(rows):
        node = ox.BlankNode(f"row{number}")
        dataset.add(ox.Quad(node, ox.NamedNode("urn:row"), ox.Literal("row")))
        for name, value in row.items():
            dataset.add(ox.Quad(node, ox.NamedNode(f"urn:var:{name}"), by_value(value)))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return {str(quad) for quad in dataset}


def by_value(term: Any) -> Any:
    """Write a number in one way: "02", "2.0E0" and "2" are equal where their datatype is."""
    kind = term.datatype.value.rpartition("#")[2] if isinstance(term, ox.Literal) else ""
    if kind == "boolean":
        return ox.Literal({"1": "true", "0": "false"}.get(term.value, term.value), datatype=term.datatype)
    try:
        if kind in ("integer", "decimal"):
            return ox.Literal(f"{Decimal(term.value).normalize():f}", datatype=term.datatype)
        if kind in ("double", "float"):
            return ox.Literal(repr(float(term.value)), datatype=term.datatype)
    except (ArithmeticError, ValueError):
        pass
    return term


def cells(text: str) -> list[dict[str, str]]:
    """Read CSV; numbers are written in one way, and blank nodes have one name."""

    def cell(text: str) -> str:
        try:
            return repr(float(text))
        except ValueError:
            return "_:" if text.startswith("_:") else text

    return sorted(
        ({name: cell(value) for name, value in row.items()} for row in csv.DictReader(io.StringIO(text))),
        key=sorted_items,
    )


def sorted_items(row: dict[str, str]) -> list[tuple[str, str]]:
    return sorted(row.items())


def result_set(path: Path, base: str) -> list[dict[str, Any]] | bool | None:
    """Read a result set written as RDF; None where the file holds a plain graph."""
    graph = rdflib.Graph()
    graph.parse(path, format="turtle", publicID=base)
    top = graph.value(predicate=rdflib.RDF.type, object=RS.ResultSet)
    if top is None:
        return None
    if (boolean := graph.value(top, RS.boolean)) is not None:
        return bool(boolean.toPython())  # type: ignore[attr-defined]
    return [
        {str(graph.value(b, RS.variable)): term(graph.value(b, RS.value)) for b in graph.objects(s, RS.binding)}
        for s in graph.objects(top, RS.solution)
    ]


def term(node: Any) -> Any:
    if isinstance(node, rdflib.URIRef):
        return ox.NamedNode(str(node))
    if isinstance(node, rdflib.BNode):
        return ox.BlankNode(str(node))
    if node.language:
        return ox.Literal(str(node), language=node.language)
    return ox.Literal(str(node), datatype=ox.NamedNode(str(node.datatype))) if node.datatype else ox.Literal(str(node))


def difference(test: Evaluation, got: Any) -> str:
    """Say what was found and not expected, and the other way round; nothing where the results are the same."""
    media = got.headers["content-type"].split(";")[0]
    base = SITE + str(test.result.relative_to(SUITES))
    if test.result.suffix == ".csv":
        return said(cells(got.text), cells(test.result.read_text()))
    if test.result.suffix == ".ttl":
        expected = result_set(test.result, base)
        if expected is None:
            one, other = rdflib.Graph(), rdflib.Graph()
            one.parse(data=got.body, format="turtle")
            other.parse(test.result, format="turtle", publicID=base)
            return "" if isomorphic(one, other) else said(list(one), list(other))
    else:
        format = ox.QueryResultsFormat.from_media_type(MEDIA[test.result.suffix])
        read = ox.parse_query_results(test.result.read_bytes(), format=format)
        expected = bool(read) if isinstance(read, ox.QueryBoolean) else solutions(read)
    results = ox.parse_query_results(got.body, format=ox.QueryResultsFormat.from_media_type(media))
    if isinstance(results, ox.QueryBoolean):
        return said([bool(results)], [expected])
    assert isinstance(expected, list)
    return said(canonical(solutions(results)), canonical(expected))


def said(found: Iterable[Any], expected: Iterable[Any]) -> str:
    one, other = list(found), list(expected)
    more, less = [x for x in one if x not in other], [x for x in other if x not in one]
    return f"found {more}; expected {less}" if more or less or len(one) != len(other) else ""


@pytest.mark.parametrize("test", EVALUATION, ids=lambda test: test.name)
def test_query_evaluation(test: Evaluation, library: Any) -> None:
    got = evaluated(library, test)
    if test.name in DIFFERENT:
        assert got.status != 200 or difference(test, got), "it passes now; take it off the list"
        return
    assert got.status == 200, got.text
    assert difference(test, got) == ""


@pytest.mark.parametrize("test", SYNTAX, ids=lambda test: test.name)
def test_query_syntax(test: Syntax, library: Any) -> None:
    sparql = f"BASE <{SITE}>\n" + test.query.read_text(encoding="utf-8")
    got = library.query(sparql, "*/*", **{"default-graph-uri": "urn:empty"})
    right = got.status == 200 if test.right else got.status == 400
    assert right is not (test.name in DIFFERENT), got.text
