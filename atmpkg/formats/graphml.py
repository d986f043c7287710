"""Graphs as GraphML (http://graphml.graphdrawing.org/specification.html), for yEd, Cytoscape, igraph and networkx."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator

from atmpkg.files import Out
from atmpkg.formats.rows import edge_columns, edge_rows, flat, node_columns, node_rows
from atmpkg.queries import AnswerColumn
from atmpkg.views import Graph, Held

_TYPES = {"integer": "long", "number": "double", "percent": "double", "flag": "boolean"}
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0
_SPECIAL = re.compile("[^\u0020!#-%(-;=?-\ud7ff]")  # what may need care; most texts have none of it
_SOME = 1000  # elements that are written at once
_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
"""


def graphml(graph: Graph, out: Out) -> None:
    """Write a graph with typed attributes; several edges may join two nodes."""
    nodes, edges = node_columns(graph)[1:], edge_columns(graph)[3:]
    with out.file() as file:
        file.write(_HEAD.encode())
        file.writelines(_key("node", at, column) for at, column in enumerate(nodes))
        file.writelines(_key("edge", at, column) for at, column in enumerate(edges))
        file.write(f'<graph id="{text(graph.name)}" edgedefault="directed">\n'.encode())
        file.writelines(_elements("<node id=%s>", "</node>\n", "n", len(nodes), node_rows(graph)))
        start = "<edge id=%s source=%s target=%s>"
        file.writelines(_elements(start, "</edge>\n", "e", len(edges), edge_rows(graph)))
        file.write(b"</graph>\n</graphml>\n")


def _key(of: str, at: int, column: AnswerColumn) -> bytes:
    kind = "string" if column.many else _TYPES.get(column.type, "string")
    return f'<key id="{of[0]}{at}" for="{of}" attr.name="{column.name}" attr.type="{kind}"/>\n'.encode()


def _elements(start: str, end: str, of: str, columns: int, rows: Iterable[list[Held]]) -> Iterator[bytes]:
    """Yield an element for each row, some at a time; the first cells are attributes of it, the others its data.

    One form is made for all rows that lack the same cells. The characters that need care are sought once in a row.
    """
    named = start.count("%s")
    head = start.replace("%s", '"%s"')
    forms: dict[tuple[bool, ...], str] = {}
    some: list[str] = []
    for row in rows:
        there = tuple([cell is not None for cell in row])
        form = forms.get(there)
        if form is None:
            data = (f'<data key="{of}{at}">%s</data>' for at in range(columns) if there[named + at])
            form = forms[there] = f"{head}{''.join(data)}{end}"
        cells = [cell if cell.__class__ is str else flat(cell) for cell in row if cell is not None]
        if _SPECIAL.search("".join(cells)):
            cells = [text(cell) for cell in cells]
        some.append(form % tuple(cells))
        if len(some) == _SOME:
            yield "".join(some).encode()
            some.clear()
    yield "".join(some).encode()


def text(value: Held) -> str:
    """Escape a value for XML; characters that XML cannot hold are dropped."""
    plain = flat(value)
    return html.escape(_ILLEGAL.sub("", plain)) if _SPECIAL.search(plain) else plain
