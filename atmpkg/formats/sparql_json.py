"""Answers as W3C SPARQL 1.1 Query Results JSON, and as one JSON object a line."""

from __future__ import annotations

import json

from atmpkg.answers import Answer, Value

_XSD = "http://www.w3.org/2001/XMLSchema#"


def json_text(answer: Answer) -> str:
    """Write SPARQL results JSON; an unknown value is left out of its binding, as the standard asks."""
    bindings = [
        {name: _literal(value) for name, value in zip(answer.names, row, strict=True) if value is not None}
        for row in answer.rows
    ]
    document = {"head": {"vars": list(answer.names)}, "results": {"bindings": bindings}}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def jsonl_text(answer: Answer) -> str:
    """Write each row as a JSON object on a line of its own; unknown is null."""
    rows = (dict(zip(answer.names, row, strict=True)) for row in answer.rows)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _literal(value: Value) -> dict[str, str]:
    match value:
        case bool():
            return {"type": "literal", "value": str(value).lower(), "datatype": f"{_XSD}boolean"}
        case int():
            return {"type": "literal", "value": str(value), "datatype": f"{_XSD}integer"}
        case float():
            return {"type": "literal", "value": f"{value:.10g}", "datatype": f"{_XSD}decimal"}
        case _:
            return {"type": "literal", "value": str(value)}
