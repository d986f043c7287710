"""Graphs as CSV for ``neo4j-admin database import`` (header grammar of the Neo4j operations manual)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from atmpkg.files import Out
from atmpkg.formats.rows import EDGE_FIELDS, NODE_FIELDS, edge_rows, flat, node_rows
from atmpkg.queries import AnswerColumn
from atmpkg.views import Graph, Held

_TYPES = {"integer": "long", "number": "double", "percent": "double", "flag": "boolean"}
_NODES = {"id": "id:ID", "kind": ":LABEL"}
_EDGES = {"source": ":START_ID", "target": ":END_ID", "kind": ":TYPE", "valid_from": "valid_from:date"}
_EDGES |= {"valid_until": "valid_until:date"}


def neo4j(graph: Graph, out: Out) -> None:
    """Write nodes.csv and edges.csv into a folder; the arrays of several values are separated by ``|``."""
    with out.file("nodes.csv") as file:
        file.writelines(
            _lines(_header(NODE_FIELDS, graph.node_columns, _NODES), _labelled(node_rows(graph), 2, _label))
        )
    with out.file("edges.csv") as file:
        file.writelines(_lines(_header(EDGE_FIELDS, graph.edge_columns, _EDGES), _labelled(edge_rows(graph), 3, _type)))


def _header(fields: Iterable[AnswerColumn], columns: Iterable[AnswerColumn], special: dict[str, str]) -> list[str]:
    return [special.get(column.name) or f"{column.name}:string" for column in fields] + [
        f"{column.name}:{'string[]' if column.many else _TYPES.get(column.type, 'string')}" for column in columns
    ]


def _labelled(rows: Iterable[list[Held]], at: int, named: Callable[[str], str]) -> Iterator[list[Held]]:
    for row in rows:
        row[at] = named(str(row[at]))
        yield row


def _label(kind: str) -> str:
    """Return a label as Neo4j writes them: SafetyAction."""
    return "".join(word.capitalize() for word in re.split(r"[^A-Za-z0-9]+", kind)) or "Thing"


def _type(kind: str) -> str:
    """Return a relationship type as Neo4j writes them: ACTS_ON."""
    return re.sub(r"[^A-Z0-9]+", "_", kind.upper())


def _lines(header: Sequence[str], rows: Iterable[list[Held]]) -> Iterator[bytes]:
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([" ".join(flat(value).split("\n")) for value in row])
        if page.tell() > 1 << 16:
            yield page.getvalue().encode()
            page.seek(0)
            page.truncate()
    yield page.getvalue().encode()
