"""The endpoint as clients see it: formats, caching, questions, descriptions, and what it refuses."""

# ruff: noqa: E501  # queries and requests are easier to read on one line

import gzip
import json
import re
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyoxigraph as ox
import pytest
import rdflib

from atmpkg.build import build
from atmpkg.formats import FORMATS, content
from atmpkg.graph import KnowledgeGraph
from atmpkg.serve.negotiation import QUADS, TRIPLES
from atmpkg.serve.run import _copy

SELECT = "SELECT ?product ?label { ?product a atmp:Product ; rdfs:label ?label } ORDER BY ?product"
PRODUCTS = f"/sparql?query={quote(SELECT)}"


@pytest.mark.parametrize(
    "media", ["application/sparql-results+json", "application/sparql-results+xml", "text/tab-separated-values"]
)
def test_rows_come_in_every_format(served: Any, sample: KnowledgeGraph, media: str) -> None:
    got = served.get(PRODUCTS, media)
    assert (got.status, got.headers["content-type"].split(";")[0]) == (200, media)
    read = ox.parse_query_results(got.body, format=ox.QueryResultsFormat.from_media_type(media))
    assert [row["product"] for row in read] == [row["product"] for row in sample.query(SELECT)]  # type: ignore[union-attr]


def test_rows_come_as_csv(served: Any, sample: KnowledgeGraph) -> None:
    lines = served.get(PRODUCTS, "text/csv").text.splitlines()
    assert lines[0] == "product,label" and len(lines) == 1 + len(list(sample.query(SELECT)))


@pytest.mark.parametrize("accept, media", [
    ("", "application/sparql-results+json"), ("*/*", "application/sparql-results+json"),
    ("text/csv;q=0.5, application/sparql-results+xml;q=0.9", "application/sparql-results+xml"),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/xml"),
    ("application/json", "application/json"), ("text/*", "text/xml"),
    ("application/sparql-results+json;q=0, */*;q=0.1", "application/json"),
])  # fmt: skip
def test_the_accept_header_decides(served: Any, accept: str, media: str) -> None:
    assert served.get(PRODUCTS, accept).headers["content-type"].split(";")[0] == media


@pytest.mark.parametrize("path", [PRODUCTS, "/graphs?default", "/.well-known/void", "/ask/coverage", "/sparql"])
def test_what_cannot_be_written_is_406(served: Any, path: str) -> None:
    got = served.get(path, "image/png")
    assert (got.status, got.headers["content-type"]) == (406, "application/problem+json")
    assert json.loads(got.body)["type"].endswith("/not-acceptable")


@pytest.mark.parametrize("media", dict.fromkeys(TRIPLES))
def test_triples_come_in_every_format(served: Any, media: str) -> None:
    got = served.query("CONSTRUCT { ?s rdfs:label ?o } { ?s a atmp:Product ; rdfs:label ?o }", media)
    assert (got.status, got.headers["content-type"].split(";")[0]) == (200, media)
    expected = sum(1 for _ in ox.parse_query_results(served.query(SELECT).body, format=ox.QueryResultsFormat.JSON))  # type: ignore[arg-type]
    kinds = {"nq": ox.RdfFormat.N_QUADS, "trig": ox.RdfFormat.TRIG, "jsonld": ox.RdfFormat.JSON_LD}
    if kind := kinds.get(TRIPLES[media]):
        assert sum(1 for _ in ox.parse(got.body, format=kind)) == expected
        return
    graph = rdflib.Graph()
    graph.parse(data=got.body, format={"ttl": "turtle", "nt": "nt", "rdf": "xml"}[TRIPLES[media]])
    assert len(graph) == expected


def test_turtle_names_the_prefixes_it_uses_and_no_others(served: Any) -> None:
    text = served.query("DESCRIBE <https://w3id.org/atmpkg/id/product/alfacel>", "text/turtle").text
    assert "@prefix atmp:" in text and "@prefix MONDO:" not in text


@pytest.mark.parametrize("media", dict.fromkeys(QUADS))
def test_the_whole_dataset_is_read(served: Any, media: str) -> None:
    got = served.get("/graphs", media)
    format = {"nq": ox.RdfFormat.N_QUADS, "trig": ox.RdfFormat.TRIG, "jsonld": ox.RdfFormat.JSON_LD}[QUADS[media]]
    quads = sum(1 for _ in ox.parse(got.body, format=format))
    assert quads == int(
        json.loads(served.query("SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }").body)["results"]["bindings"][0][
            "n"
        ]["value"]
    )


def test_one_graph_is_read_by_parameter_and_by_path(served: Any) -> None:
    graph = "https://w3id.org/atmpkg/graph/product"
    got = served.get(f"/graphs?graph={quote(graph, safe='')}", "application/n-triples")
    assert got.status == 200 and b"/id/product/alfacel> " in got.body
    assert served.get("/graphs?graph=urn:none").status == 404
    assert served.get("/graphs/decision").status == 404  # that would be http://HOST/graphs/decision
    assert served.get("/graphs?default").body == b""  # everything stands in a named graph


def test_answers_are_compressed_on_request(served: Any) -> None:
    plain = served.get("/graphs", "application/n-quads")
    packed = served.get("/graphs", "application/n-quads", accept_encoding="br;q=1, gzip;q=0.5")
    assert packed.headers["content-encoding"] == "gzip" and gzip.decompress(packed.body) == plain.body
    assert "content-encoding" not in served.get("/graphs", accept_encoding="gzip;q=0").headers
    assert "Accept-Encoding" in plain.headers["vary"] and packed.headers["etag"] != plain.headers["etag"]


def test_an_unchanged_answer_is_not_sent_again(served: Any) -> None:
    first = served.get(PRODUCTS)
    assert first.headers["last-modified"] == "Fri, 02 Jan 2026 00:00:00 GMT"
    for header in ({"if_none_match": first.headers["etag"]}, {"if_none_match": f'"x", W/{first.headers["etag"]}'},
                   {"if_modified_since": first.headers["last-modified"]}):  # fmt: skip
        again = served.get(PRODUCTS, **header)
        assert (again.status, again.body) == (304, b"") and again.headers["etag"] == first.headers["etag"]
    assert served.get(PRODUCTS, "text/csv", if_none_match=first.headers["etag"]).status == 200
    assert served.get(PRODUCTS, if_none_match='"other"', if_modified_since=first.headers["last-modified"]).status == 200
    assert served.get(PRODUCTS, if_modified_since="yesterday").status == 200
    changing = served.get("/sparql?query=" + quote("SELECT (NOW() AS ?now) {}"))
    assert "etag" not in changing.headers and changing.headers["cache-control"] == "no-store"


def test_head_has_the_headers_and_no_body(served: Any) -> None:
    head, get = served.request("HEAD", PRODUCTS), served.get(PRODUCTS)
    assert (head.status, head.body) == (200, b"")
    for name in ("content-length", "content-type", "etag"):
        assert head.headers[name] == get.headers[name]


def test_pages_elsewhere_may_read_and_not_write(served: Any) -> None:
    assert served.get(PRODUCTS, origin="https://example.org").headers["access-control-allow-origin"] == "*"
    asked = {"origin": "https://example.org", "access-control-request-method": "POST"}
    got = served.request("OPTIONS", "/sparql", headers=asked)
    assert got.status == 204 and "content-type" in got.headers["access-control-allow-headers"].lower()
    assert "authorization" not in got.headers["access-control-allow-headers"].lower()
    assert "PUT" not in got.headers["access-control-allow-methods"]


def test_the_default_graph_is_the_union_and_from_is_heeded(served: Any) -> None:
    def count(query: str) -> int:
        return int(json.loads(served.query(query).body)["results"]["bindings"][0]["n"]["value"])

    union = count("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")
    one = count("SELECT (COUNT(*) AS ?n) FROM <https://w3id.org/atmpkg/graph/product> { ?s ?p ?o }")
    assert 0 < one < union
    assert count("SELECT (COUNT(*) AS ?n) FROM NAMED <https://w3id.org/atmpkg/graph/product> { ?s ?p ?o }") == 0


def test_the_server_is_read_only(served: Any) -> None:
    update = served.request("POST", "/sparql", b"CLEAR ALL", {"content-type": "application/sparql-update"})
    assert update.status == 403 and json.loads(update.body)["detail"] == "this graph is read-only"
    for method in ("PUT", "POST", "DELETE"):
        got = served.request(method, "/graphs?default", b"", {"content-type": "text/turtle"})
        assert got.status == 405 and got.headers["allow"] == "GET, HEAD, OPTIONS"
    assert served.request("PATCH", "/graphs?default", b"").status == 405


def test_changes_need_the_token(scratch: Any) -> None:
    for given in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic YTpi"}, {"authorization": "Bearer "}):
        headers = {"content-type": "text/turtle", **given}
        got = scratch.request("PUT", "/graphs?graph=urn:token", b"<urn:a> <urn:b> 1 .", headers)
        assert got.status == 401 and got.headers["www-authenticate"].startswith("Bearer")
    assert scratch.get("/graphs?graph=urn:token").status == 404


def test_a_change_that_fails_changes_nothing(scratch: Any) -> None:
    before = scratch.get("/graphs").body
    assert (
        scratch.update("INSERT DATA { <urn:a> <urn:b> 1 } ; CREATE GRAPH <urn:x> ; CREATE GRAPH <urn:x>").status == 409
    )
    assert scratch.update("INSERT DATA { GRAPH <urn:a> { <urn:a> <urn:b> }").status == 400
    assert scratch.update("LOAD <file:///etc/hostname>").status == 403
    assert scratch.get("/graphs").body == before


def test_a_change_is_seen_by_all_workers_and_changes_the_tag(scratch: Any) -> None:
    path = "/sparql?query=" + quote("SELECT (COUNT(*) AS ?n) { GRAPH <urn:seen> { ?s ?p ?o } }")
    before = scratch.get(path)
    assert scratch.update("INSERT DATA { GRAPH <urn:seen> { <urn:a> <urn:b> 1, 2, 3 } }").status == 204
    for _ in range(8):
        got = scratch.get(path, if_none_match=before.headers["etag"])
        assert got.status == 200 and b'"value":"3"' in got.body
    assert scratch.update("DROP SILENT GRAPH <urn:seen>").status == 204


@pytest.mark.parametrize("format", FORMATS)
def test_questions_are_answered_as_on_the_command_line(served: Any, sample: KnowledgeGraph, format: str) -> None:
    got = served.get(f"/ask/authorised-products?jurisdiction=EU&as-of=2022-01-01&format={format}")
    answer = sample.ask("authorised-products", jurisdiction="EU", as_of="2022-01-01")
    assert got.status == 200, got.text
    if format != "xlsx":  # it holds the time at which it was made
        assert got.body == content(answer, format)


def test_a_browser_gets_a_page_and_whoever_takes_anything_json(served: Any) -> None:
    path = "/ask/authorised-products?jurisdiction=EU&as-of=2022-01-01"
    got = served.get(path, "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
    assert got.status == 200 and got.headers["content-type"] == "text/html; charset=utf-8"
    assert got.headers["content-security-policy"].startswith("default-src 'none'") and got.headers["vary"]
    assert got.text.startswith("<!doctype html>") and "Alphara" in got.text and "<script" not in got.text
    assert served.get(f"{path}&format=html").body == got.body
    assert "json" in served.get(path, "*/*").headers["content-type"]
    hostile = served.get("/ask/authorised-products?jurisdiction=<script>alert(1)</script>", "text/html")
    assert hostile.status == 400 and hostile.headers["content-type"].startswith("application/problem+json")


def test_questions_take_the_accept_header_and_say_what_must_be_known(served: Any) -> None:
    got = served.get("/ask/authorised-products?jurisdiction=EU", "text/tab-separated-values")
    assert got.headers["content-type"] == "text/tab-separated-values; charset=utf-8"
    assert got.headers["atmpkg-as-of"] == "2024-06-01"
    assert int(got.headers["atmpkg-rows"]) == len(got.text.splitlines()) - 1
    several = served.get("/ask/authorised-products?jurisdiction=EU&jurisdiction=US")
    assert several.status == 200


@pytest.mark.parametrize("path, status, words", [
    ("/ask/authorised-products", 400, "it needs jurisdiction"),
    ("/ask/authorised-products?jurisdiction=Narnia", 400, "cannot find the jurisdiction 'Narnia'"),
    ("/ask/authorised-products?jurisdiction=EU&colour=red", 400, "no parameter 'colour'"),
    ("/ask/authorised-products?jurisdiction=EU&format=pdf", 400, "cannot write 'pdf'"),
    ("/ask/authorised-products?jurisdiction=", 400, "jurisdiction is empty"),
    ("/ask/nothing", 404, "no question 'nothing'"),
    ("/ask/..%2f..%2fetc%2fpasswd", 404, "no"),
    ("/sparql?query=SELECT", 400, "malformed"),
    ("/sparql?query=ASK%7B%7D&default-graph-uri=a%20b", 400, "not an absolute IRI"),
    ("/sparql?query=%FF", 400, "UTF-8"),
    ("/sparql?query=ASK%7B%7D&using-graph-uri=urn:a", 400, "belongs to an update"),
    ("/sparql?query=" + quote("SELECT (<urn:f>(1) AS ?x) {}"), 400, "not known here"),
    ("/graphs?graph=relative", 400, "not an absolute IRI"),
    ("/graphs?default&graph=urn:a", 400, "expected one of"),
    ("/graphs?name=a", 400, "no parameter 'name'"),
    ("/nowhere", 404, "nothing at this address"),
    ("/page/..%2f..%2fpyproject.toml", 404, "no"),
    ("/page/%2e%2e/%2e%2e/pyproject.toml", 404, "nothing"),
])  # fmt: skip
def test_faults_are_problems_in_one_sentence(served: Any, path: str, status: int, words: str) -> None:
    got = served.get(path)
    assert got.status == status and got.headers["content-type"] == "application/problem+json"
    said = json.loads(got.body)
    assert said["status"] == status and words in said["detail"]
    assert not re.search(r"Traceback|File \"|/site-packages|\.py\b|0x[0-9a-f]{6}", got.text)


def test_the_void_description_is_at_its_place_and_in_the_graph(served: Any) -> None:
    graph = rdflib.Graph()
    graph.parse(data=served.get("/.well-known/void", "text/turtle").body, format="turtle")
    void = rdflib.Namespace("http://rdfs.org/ns/void#")
    dataset = rdflib.URIRef("https://w3id.org/atmpkg/")
    assert graph.value(dataset, void.sparqlEndpoint) == rdflib.URIRef(f"{served.url}/sparql")
    triples = int(graph.value(dataset, void.triples))  # type: ignore[arg-type]
    assert triples == sum(int(graph.value(s, void.triples)) for s in graph.objects(dataset, void.subset))  # type: ignore[arg-type]
    asked = served.query("SELECT ?n { <https://w3id.org/atmpkg/> <http://rdfs.org/ns/void#triples> ?n }")
    assert f'"value":"{triples}"' in asked.text


# The queries that the SIB editor and YASGUI's helpers send to learn prefixes, classes and examples.
SIB_PREFIXES = "SELECT DISTINCT ?prefix ?namespace { [] sh:namespace ?namespace ; sh:prefix ?prefix } ORDER BY ?prefix"
SIB_CLASSES = """SELECT DISTINCT ?subjectClass ?prop ?objectClass ?objectDatatype {
  { ?cp void:class ?subjectClass ; void:propertyPartition ?pp . ?pp void:property ?prop .
    OPTIONAL { { ?pp void:classPartition [ void:class ?objectClass ] }
      UNION { ?pp void-ext:datatypePartition [ void-ext:datatype ?objectDatatype ] } } } }"""
SIB_EXAMPLES = """SELECT DISTINCT ?sq ?comment ?query {
  ?sq a sh:SPARQLExecutable ; rdfs:comment ?comment ; sh:select|sh:ask|sh:construct|sh:describe ?query } ORDER BY ?sq"""
PROLOGUE = """PREFIX sh: <http://www.w3.org/ns/shacl#> PREFIX void: <http://rdfs.org/ns/void#>
PREFIX void-ext: <http://ldf.fi/void-ext#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
"""


def rows(served: Any, query: str) -> list[dict[str, str]]:
    got = served.query(PROLOGUE + query)
    assert got.status == 200, got.text
    return [{k: v["value"] for k, v in row.items()} for row in json.loads(got.body)["results"]["bindings"]]


def test_editors_learn_prefixes_classes_and_examples(served: Any, sample: KnowledgeGraph) -> None:
    assert {r["prefix"]: r["namespace"] for r in rows(served, SIB_PREFIXES)} == dict(sample.names.uris)
    classes = rows(served, SIB_CLASSES)
    product = "https://w3id.org/atmpkg/ontology/Product"
    assert any(r["subjectClass"] == product and r.get("objectDatatype", "").endswith("#string") for r in classes)
    assert any(r["subjectClass"] == product and "objectClass" in r for r in classes)
    examples = rows(served, SIB_EXAMPLES)
    assert len(examples) == len(sample.questions) > 20


def test_every_example_runs_as_it_stands(served: Any) -> None:
    for example in rows(served, SIB_EXAMPLES):
        got = served.query(example["query"])
        assert got.status == 200, (example["sq"], got.text)
        assert "#+" not in example["query"]


def test_no_triple_stands_in_two_graphs(served: Any) -> None:
    got = served.query("ASK { GRAPH ?g { ?s ?p ?o } GRAPH ?h { ?s ?p ?o } FILTER(?g != ?h) }")
    assert b"false" in got.body


def test_the_openapi_description_names_every_question(served: Any, sample: KnowledgeGraph) -> None:
    described = json.loads(served.get("/openapi.json").body)
    assert {f"/ask/{name}" for name in sample.questions} <= set(described["paths"])
    (jurisdiction, *_) = described["paths"]["/ask/authorised-products"]["get"]["parameters"]
    assert (jurisdiction["name"], jurisdiction["required"]) == ("jurisdiction", True)
    listed = json.loads(served.get("/ask").body)["questions"]
    assert [q["name"] for q in listed if q["pack"] == "lag"] == sorted(
        q.name for q in sample.questions.values() if q.pack == "lag"
    )


def test_health_and_metrics(served: Any) -> None:
    assert json.loads(served.get("/health").body)["status"] == "ok"
    got = served.get("/metrics")
    assert got.headers["content-type"].startswith("text/plain; version=0.0.4")
    for line in got.text.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) atmpkg_\w+ .+|atmpkg_\w+(\{[^}]*\})? -?[\d.e+-]+", line), line
    assert re.search(r'atmpkg_requests_total\{route="sparql",method="GET",status="200"\} \d+', got.text)


@pytest.mark.parametrize("path", ["/", "/sparql", "/nowhere", "/ask/coverage", "/health", "/graphs?default"])
def test_every_answer_is_fenced(served: Any, path: str) -> None:
    headers = served.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert ("unsafe-eval" not in policy and "script-src 'self';" in policy + ";") or path != "/"
    assert headers["x-content-type-options"] == "nosniff" and "server" not in headers


def test_nothing_of_a_request_comes_back_as_html(served: Any) -> None:
    for path in (
        "/<script>alert(1)</script>",
        "/ask/<script>",
        "/ask/disputes?product=<script>alert(1)</script>",
        "/ask/stale-facts?older-than-days=<script>alert(1)</script>",
        "/sparql?query=<script>",
        "/graphs?graph=<script>",
        "/?q=<script>",
    ):
        got = served.request("GET", quote(path, safe="/?=<>()"), headers={"accept": "text/html,*/*"})
        assert "html" not in got.headers["content-type"] or b"<script>alert" not in got.body


@pytest.mark.parametrize("host", ["a b", "evil.example\\", "<x>", "a/b", "a@b", "'", "", "x" * 300])
def test_a_hostile_host_is_not_repeated(served: Any, host: str) -> None:
    got = served.request("GET", "/sparql", headers={"host": host, "accept": "text/turtle"})
    assert got.status == 400 and (not host or host.encode() not in got.body)


def test_a_store_on_disk_is_served_by_the_command_line(sample_project: Any, start: Any, tmp_path: Path) -> None:
    """Each worker opens a copy for itself, in which is what the graph says of itself; the build stays as it is."""
    built = build(sample_project, tmp_path / "store", most_in_memory=0)
    left = built.folder / ".serving-by-a-killed-server"
    left.mkdir()
    (left / "lock").touch()
    server = start("command", str(tmp_path / "store"))
    assert server.get(PRODUCTS, "text/csv").text.count("\n") == len(list(sample_rows(server)))
    assert server.get("/ask/authorised-products?jurisdiction=EU&as-of=2022-01-01", "text/csv").status == 200
    assert server.get("/.well-known/void", "text/turtle").status == 200
    assert b"true" in server.query("ASK { GRAPH <https://w3id.org/atmpkg/graph/endpoint> { ?s ?p ?o } }").body
    assert not left.exists() and len(list(built.folder.glob(".serving-*"))) == 1
    refused = server.query("SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }")
    assert refused.status == 403
    assert server.stop() == 0
    assert not list(built.folder.glob(".serving-*"))
    assert len(built.open()) == built.quads


def test_a_store_that_cannot_be_copied_is_served_as_it_is(
    sample_project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = build(sample_project, tmp_path / "store", most_in_memory=0)
    store, said = built.open(), list[str]()

    def refuse(**_: object) -> str:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    assert _copy(store, built.folder / "store", [], said.append) is store
    assert "Read-only file system" in said[0]


def sample_rows(server: Any) -> list[str]:
    return server.get(PRODUCTS, "text/tab-separated-values").text.splitlines()


@pytest.mark.parametrize("words, code, said", [
    (["--writable"], 2, "without a token"), (["--timeout", "0"], 2, "with these limits"), (["--base", "javascript:x"], 2, "cannot use the base"),
    (["--host", "no.such.host.invalid"], 3, "cannot listen on no.such.host.invalid"), (["--port", "99999"], 2, "cannot listen"),
])  # fmt: skip
def test_what_cannot_be_served_is_said_in_one_line(atmpkg: Any, words: list[str], code: int, said: str) -> None:
    run = atmpkg("serve", *words)
    assert run.code == code and said in run.err.splitlines()[-1]


def test_a_taken_port_is_said_in_one_line(atmpkg: Any, served: Any) -> None:
    run = atmpkg("serve", "--port", served.port)
    assert run.code == 3 and "Choose another" in run.err
