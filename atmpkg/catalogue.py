"""What a question says of itself, for others: JSON for forms and agents, Turtle for catalogues of SPARQL examples."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from atmpkg.names import BASE
from atmpkg.plots import spec_of
from atmpkg.queries import Parameter, Query

ENDPOINT = f"{BASE}sparql"
_DATE = r"^([0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?|today)$"
_WORDS = {
    "date": "YYYY, YYYY-MM, YYYY-MM-DD or today",
    "jurisdiction": "EU, US, or an ISO 3166 alpha-2 code",
    "product": "an id, brand, INN or code name",
    "disease": "a name or CURIE; its kinds are included",
    "target": "a gene symbol or HGNC CURIE",
    "body": "the id or name of an authority or assessment body",
    "thing": "an id or name of any thing, or kind:id",
}


def description(query: Query, allowed: Mapping[str, Sequence[str]] | None = None) -> dict[str, object]:
    """Return a question as JSON: what it answers, its parameters as JSON Schema (2020-12), its columns.

    ``allowed``: values that the graph holds for parameters that take one of a list, by name.
    """
    return {
        "name": query.name,
        "pack": query.pack,
        "title": query.title,
        "description": query.text("answers"),
        "counts": query.text("counts"),
        "notCounted": query.text("not_counted"),
        "keywords": list(query.words("keywords")),
        "parameters": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {_said(p.name): _schema(p, (allowed or {}).get(p.name, ())) for p in query.parameters},
            "required": [_said(p.name) for p in query.parameters if p.required],
            "additionalProperties": False,
        },
        "columns": [
            {
                key: value
                for key, value in {
                    "name": c.name,
                    "type": c.type,
                    "unit": c.unit,
                    "many": c.many,
                    "description": c.meaning,
                    "onRequest": c.on_request,
                }.items()
                if value
            }
            for c in query.columns
        ],
        "example": query.example,
        "picture": spec_of(query.path) is not None,
    }


def json_text(query: Query) -> str:
    """Write the description of a question as JSON."""
    return json.dumps(description(query), ensure_ascii=False, indent=1) + "\n"


def turtle(query: Query) -> str:
    """Write a question in the form of SIB's sparql-examples (https://github.com/sib-swiss/sparql-examples)."""
    keywords = " , ".join(_quoted(word) for word in query.words("keywords"))
    said = ". ".join(part.rstrip(".") for part in (query.title, query.text("answers")) if part)
    return f"""\
@prefix ex: <{BASE}question/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix schema: <https://schema.org/> .
@prefix sh: <http://www.w3.org/ns/shacl#> .

ex:{query.name} a sh:SPARQLExecutable , sh:SPARQLSelectExecutable ;
  rdfs:comment {_quoted(said)}@en ;
  schema:keywords {keywords} ;
  schema:target <{ENDPOINT}> ;
  sh:select {_long(query.body)} .
"""


def _schema(parameter: Parameter, allowed: Sequence[str]) -> dict[str, object]:
    """Return the JSON Schema of one parameter."""
    words = _WORDS.get(parameter.type, "")
    about: dict[str, object] = {"description": parameter.meaning + (f" ({words})" if words else "")}
    one: dict[str, object] = {"type": "integer" if parameter.type == "integer" else "string"}
    if parameter.minimum is not None:
        one["minimum"] = parameter.minimum
    if parameter.type == "date":
        one["pattern"] = _DATE
    if values := parameter.values or tuple(allowed):
        one["enum"] = list(values)
    if parameter.default:
        about["default"] = parameter.default
    if not parameter.many or parameter.type in ("date", "integer"):
        return about | one
    return about | {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


def _said(name: str) -> str:
    return name.replace("_", "-")


def _quoted(text: str) -> str:
    """Write a text as a Turtle literal.

    >>> _quoted('say "no"')
    '"say \\\\"no\\\\""'
    """
    return json.dumps(text, ensure_ascii=False)


def _long(text: str) -> str:
    escaped = text.strip().replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""{escaped}\n"""'
