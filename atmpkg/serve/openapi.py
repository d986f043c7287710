"""The OpenAPI description of the endpoint: one path for every question, and the protocols beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import atmpkg
from atmpkg.queries import Parameter, Query
from atmpkg.serve.negotiation import ANSWERS, QUADS, ROWS, TRIPLES, media_type

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_SAID = {
    "400": "The request does not fit; `detail` says how.",
    "404": "There is no such thing.",
    "406": "None of the formats that the Accept header asks for.",
    "408": "The request came too slowly.",
    "413": "The request is too large.",
    "415": "The media type of the request is not known.",
    "422": "The answer is too large, or needs too much memory.",
    "503": "No worker is free; try again after `Retry-After` seconds.",
    "504": "The query took too long and was ended.",
}
Document = dict[str, Any]


def openapi(questions: Iterable[Query], formats: Sequence[str], base: str) -> Document:
    """Describe the endpoint; ``formats`` are those of answers, ``base`` is the public address."""
    paths: Document = {}
    for question in sorted(questions, key=lambda q: (q.pack, q.name)):
        paths[f"/ask/{question.name}"] = {"get": _question(question, formats)}
    paths["/sparql"] = {"get": _sparql_get(), "post": _sparql_post()}
    paths["/graphs"] = {"get": _graphs()}
    described: Document = {media: {} for media in dict.fromkeys(media_type(TRIPLES, name) for name in TRIPLES.values())}
    paths["/.well-known/void"] = {"get": _plain("void", "Description of the graph (VoID)", described, "406")}
    paths["/ask"] = {"get": _plain("questions", "All questions", {"application/json": {}})}
    paths["/health"] = {"get": _plain("health", "Whether queries can be answered", {"application/json": {}}, "503")}
    paths["/metrics"] = {"get": _plain("metrics", "Counts for Prometheus", {"text/plain": {}})}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "atmpkg",
            "version": atmpkg.__version__,
            "summary": "Knowledge graph of advanced therapy medicinal products",
            "license": {"name": "CC BY 4.0", "url": "https://creativecommons.org/licenses/by/4.0/"},
        },
        "servers": [{"url": base}],
        "paths": paths,
        "components": {"schemas": {"Problem": _problem()}},
    }


def _problem() -> Document:
    return {
        "type": "object",
        "required": ["type", "title", "status"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
        },
    }


def _faults(*codes: str) -> Document:
    return {code: {"description": _SAID[code], "content": _PROBLEM} for code in codes}


def _plain(name: str, summary: str, content: Mapping[str, object], *codes: str) -> Document:
    responses = {"200": {"description": summary, "content": content}, **_faults(*codes)}
    return {"operationId": name, "summary": summary, "responses": responses, "tags": ["about"]}


def _question(question: Query, formats: Sequence[str]) -> Document:
    content: Document = {media: {} for media, name in ANSWERS.items() if name in formats}
    example = question.header.get("example")
    examples = {str(k).replace("-", "_"): str(v) for k, v in example.items()} if isinstance(example, dict) else {}
    said = [question.text("answers")]
    said += [f"Counts: {text}" for text in [question.text("counts")] if text]
    said += [f"Does not count: {text}" for text in [question.text("not_counted")] if text]
    said.append("Columns: " + "; ".join(f"`{c.name}` {c.meaning}".strip() for c in question.columns))
    return {
        "operationId": question.name,
        "tags": [question.pack or "questions"],
        "summary": question.title,
        "description": "\n\n".join(said),
        "parameters": [
            *(_parameter(parameter, examples.get(parameter.name)) for parameter in question.parameters),
            {
                "name": "format",
                "in": "query",
                "description": "Format of the answer; else the Accept header decides.",
                "schema": {"type": "string", "enum": list(formats)},
            },
            {
                "name": "with-sources",
                "in": "query",
                "description": "Give the source column of a pure count too.",
                "schema": {"type": "string", "enum": ["yes", "no"]},
            },
        ],
        "responses": {
            "200": {"description": question.text("answers") or question.title, "content": content},
            **_faults("400", "406", "422", "503", "504"),
        },
    }


def _parameter(parameter: Parameter, example: str | None) -> Document:
    schema: Document = {"type": "string", "minLength": 1}
    if parameter.values and not parameter.many:
        schema["enum"] = list(parameter.values)
    if parameter.type == "integer":
        schema = {"type": "integer"}
    note = f" Default: {parameter.default}." if parameter.default else ""
    described: Document = {
        "name": parameter.name.replace("_", "-"),
        "in": "query",
        "required": parameter.required,
        "description": f"{parameter.meaning} ({parameter.type}).{note}",
        "schema": schema,
    }
    return described | ({"example": example} if example is not None else {})


def _answered() -> Document:
    content: Document = {media: {} for media in dict.fromkeys((*ROWS, *TRIPLES))}
    return {
        "200": {
            "description": "Rows, a boolean or triples; without a query the service description",
            "content": content,
        },
        **_faults("400", "406", "408", "413", "415", "422", "503", "504"),
        "403": {
            "description": "The query would reach out, or an update was sent to a server that takes none.",
            "content": _PROBLEM,
        },
    }


def _dataset() -> list[Document]:
    schema = {"type": "array", "items": {"type": "string", "format": "uri"}}
    return [
        {"name": name, "in": "query", "schema": schema, "description": "Dataset of the query (SPARQL 1.1 Protocol)"}
        for name in ("default-graph-uri", "named-graph-uri")
    ]


def _sparql_get() -> Document:
    query = {"name": "query", "in": "query", "schema": {"type": "string"}, "example": "SELECT * { ?s ?p ?o } LIMIT 3"}
    return {
        "operationId": "query",
        "tags": ["sparql"],
        "summary": "SPARQL 1.1 query",
        "parameters": [query, *_dataset()],
        "responses": _answered(),
    }


def _sparql_post() -> Document:
    form = {"type": "object", "required": ["query"], "properties": {"query": {"type": "string"}}}
    return {
        "operationId": "query-by-post",
        "tags": ["sparql"],
        "summary": "SPARQL 1.1 query in the body",
        "parameters": _dataset(),
        "requestBody": {
            "required": True,
            "content": {
                "application/sparql-query": {"schema": {"type": "string"}, "example": "ASK { ?s ?p ?o }"},
                "application/x-www-form-urlencoded": {"schema": form, "example": {"query": "ASK { ?s ?p ?o }"}},
            },
        },
        "responses": _answered(),
    }


def _graphs() -> Document:
    content: Document = {media: {} for media in dict.fromkeys((*TRIPLES, *QUADS))}
    return {
        "operationId": "graph",
        "tags": ["graphs"],
        "summary": "One graph, or all of them (SPARQL 1.1 Graph Store Protocol)",
        "parameters": [
            {"name": "graph", "in": "query", "schema": {"type": "string", "format": "uri"}, "description": "IRI"},
            {
                "name": "default",
                "in": "query",
                "schema": {"type": "string", "maxLength": 0},
                "allowEmptyValue": True,
                "description": "What stands in no named graph",
            },
        ],
        "responses": {
            "200": {"description": "Triples; without a graph all quads", "content": content},
            **_faults("400", "404", "406", "422", "503", "504"),
        },
    }
