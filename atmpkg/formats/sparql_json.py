"""Answers as W3C SPARQL 1.1 Query Results JSON, and as one JSON object a line."""

from __future__ import annotations

import json

from atmpkg.answers import Answer, Value
from atmpkg.queries import AnswerColumn

_XSD = "http://www.w3.org/2001/XMLSchema#"
_DATES = ("gYear", "gYearMonth", "date")  # by number of dashes


def json_text(answer: Answer) -> str:
    """Write SPARQL results JSON; an unknown value is left out of its binding, as the standard asks."""
    bindings = [
        {
            column.name: _literal(value, column)
            for column, value in zip(answer.columns, row, strict=True)
            if value is not None
        }
        for row in answer.rows
    ]
    document = {"head": {"vars": list(answer.names)}, "results": {"bindings": bindings}}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def jsonl_text(answer: Answer) -> str:
    """Write each row as a JSON object on a line of its own; unknown is null."""
    rows = (dict(zip(answer.names, row, strict=True)) for row in answer.rows)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _literal(value: Value, column: AnswerColumn) -> dict[str, str]:
    match value:
        case bool():
            return {"type": "literal", "value": str(value).lower(), "datatype": f"{_XSD}boolean"}
        case int():
            return {"type": "literal", "value": str(value), "datatype": f"{_XSD}integer"}
        case float():
            return {"type": "literal", "value": f"{value:.10g}", "datatype": f"{_XSD}decimal"}
        case str() if column.type == "date" and not column.many and value.count("-") <= 2:
            return {"type": "literal", "value": value, "datatype": _XSD + _DATES[value.count("-")]}
        case _:
            return {"type": "literal", "value": str(value)}
