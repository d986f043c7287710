"""Ways out for answers: one writer per format, by name; those for graphs are in ``graphs``."""

from __future__ import annotations

from collections.abc import Callable

from atmpkg.answers import Answer
from atmpkg.formats.delimited import csv_text, tsv_text
from atmpkg.formats.markdown import markdown_text
from atmpkg.formats.sparql_json import json_text, jsonl_text
from atmpkg.formats.table import table_text

WRITERS: dict[str, Callable[[Answer], str]] = {
    "table": table_text,
    "tsv": tsv_text,
    "csv": csv_text,
    "json": json_text,
    "jsonl": jsonl_text,
    "md": markdown_text,
}
