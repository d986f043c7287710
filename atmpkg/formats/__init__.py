"""Ways out for answers: one writer per format, by name; those for graphs are in ``graphs``."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from atmpkg.answers import Answer
from atmpkg.formats.columnar import parquet_bytes
from atmpkg.formats.delimited import csv_text, tsv_text
from atmpkg.formats.markdown import markdown_text
from atmpkg.formats.sparql_json import json_text, jsonl_text
from atmpkg.formats.table import table_text
from atmpkg.formats.workbook import xlsx_bytes

WRITERS: dict[str, Callable[[Answer], str]] = {
    "table": table_text,
    "tsv": tsv_text,
    "csv": csv_text,
    "json": json_text,
    "jsonl": jsonl_text,
    "md": markdown_text,
}
BINARY: dict[str, Callable[[Answer], bytes]] = {"parquet": parquet_bytes, "xlsx": xlsx_bytes}
FORMATS = (*WRITERS, *BINARY)
_SUFFIXES = {"markdown": "md", "ndjson": "jsonl", "txt": "table", "srj": "json"}


def suffix_format(suffix: str) -> str:
    """Return the format that the end of a file's name asks for; empty where it asks for none.

    >>> suffix_format(".xlsx"), suffix_format(".doc")
    ('xlsx', '')
    """
    name = suffix.removeprefix(".").lower()
    name = _SUFFIXES.get(name, name)
    return name if name in FORMATS else ""


def content(answer: Answer, format: str) -> bytes:
    """Return an answer in a format, as what a file would hold."""
    return BINARY[format](answer) if format in BINARY else WRITERS[format](answer).encode()


def web_page(answer: Answer) -> bytes:
    """Return an answer as a page for a browser: no script and no style, and all text of it escaped."""
    head = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(answer.title)}</title></head><body>'
    )
    return "".join([head, *answer.html(), "</body></html>\n"]).encode()
