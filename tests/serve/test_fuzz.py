"""Fuzz of the HTTP layer: schemathesis on our own OpenAPI description, hypothesis on addresses and parameters."""

# ruff: noqa: E501  # queries and requests are easier to read on one line

import json
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PATHS = [
    "/",
    "/sparql",
    "/sparql/",
    "/graphs",
    "/graphs/a",
    "/ask",
    "/ask/coverage",
    "/ask/authorised-products",
    "/page/query.js",
    "/health",
]
NAMES = [
    "query",
    "update",
    "default-graph-uri",
    "named-graph-uri",
    "using-graph-uri",
    "graph",
    "default",
    "format",
    "jurisdiction",
    "as-of",
    "product",
]
FEW = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def is_sound(got: Any) -> None:
    """A client's fault is a problem without internals; the server has no faults."""
    assert got.status < 500 or got.status in (503, 504), got.text
    if got.status >= 400:
        assert got.headers["content-type"] == "application/problem+json"
        assert set(json.loads(got.body)) <= {"type", "title", "status", "detail"}
    assert b"Traceback" not in got.body and b"site-packages" not in got.body


@FEW
@given(
    path=st.sampled_from(PATHS),
    pairs=st.lists(st.tuples(st.sampled_from(NAMES) | st.text(max_size=8), st.text(max_size=40) | st.sampled_from(["EU", "urn:a", "ASK {}", "2022-13-45", "0000-00-00"])), max_size=5),
    accept=st.sampled_from(["", "*/*", "text/csv", "text/html", "a/b;q=2", ",,;", "text/*;q=0"]),
)  # fmt: skip
def test_any_parameters_get_a_sound_answer(served: Any, path: str, pairs: list[tuple[str, str]], accept: str) -> None:
    query = urlencode([(n, v) for n, v in pairs if encodes(n + v)])
    is_sound(served.get(f"{path}?{query}", accept))


def encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@FEW
@given(body=st.binary(max_size=200) | st.text(max_size=100).filter(encodes).map(str.encode), media=st.sampled_from(
    ["application/sparql-query", "application/x-www-form-urlencoded", "application/sparql-query; charset=utf-8",
     "application/sparql-query; charset=\"utf-16\"", "multipart/form-data; boundary=a", "application/sparql-update", "", ";;"]))  # fmt: skip
def test_any_body_gets_a_sound_answer(served: Any, body: bytes, media: str) -> None:
    is_sound(served.request("POST", "/sparql", body, {"content-type": media}))


@FEW
@given(raw=st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=255, blacklist_characters="#?"), max_size=30))
def test_any_path_gets_a_sound_answer(served: Any, raw: str) -> None:
    is_sound(served.get("/" + quote(raw, safe="%/:.;,@&=+$!*'()~<>[]|\\^`{}\"")))


@FEW
@given(body=st.binary(max_size=300), media=st.sampled_from(
    ["text/turtle", "application/n-triples", "application/rdf+xml", "application/ld+json", "application/n-quads", "multipart/form-data; boundary=a", "text/plain"]))  # fmt: skip
def test_any_graph_gets_a_sound_answer(scratch: Any, body: bytes, media: str) -> None:
    headers = {"content-type": media, "authorization": "Bearer a-token-for-tests-only"}
    got = scratch.request("PUT", "/graphs?graph=urn:fuzz", body, headers)
    is_sound(got)


def test_the_openapi_description_holds(served: Any, needs: Callable[[bool, str], None]) -> None:
    """schemathesis sends what the description allows and what it does not, and compares the answers with it."""
    needs(find_spec("schemathesis") is not None, "schemathesis")
    import schemathesis

    described = json.loads(served.get("/openapi.json").body)
    described["servers"] = [{"url": served.url}]
    keep = (
        "/ask/authorised-products",
        "/ask/approval-lag",
        "/ask/changes-between",
        "/ask/stale-facts",
        "/ask/coverage",
        "/sparql",
        "/graphs",
        "/health",
        "/.well-known/void",
    )
    described["paths"] = {path: item for path, item in described["paths"].items() if path in keep}
    assert len(described["paths"]) >= 8
    schema = schemathesis.openapi.from_dict(described)
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    tried: list[int] = []

    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(
            max_examples=25, suppress_health_check=list(HealthCheck), deadline=None, derandomize=True, database=None
        )
        @given(case=operation.as_strategy())
        def run(case: Any) -> None:
            response = case.call(base_url=served.url, timeout=30)
            tried.append(response.status_code)
            case.validate_response(response, excluded_checks=[positive_data_acceptance])  # "EU" is right, "XX" is not

        run()
    assert len(tried) > 100 and {200, 400} <= set(tried)
