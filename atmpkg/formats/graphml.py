"""Graphs as GraphML (http://graphml.graphdrawing.org/specification.html), for yEd, Cytoscape, igraph and networkx."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from atmpkg.files import Out
from atmpkg.formats.rows import edge_columns, edge_rows, flat, node_columns, node_rows
from atmpkg.queries import AnswerColumn
from atmpkg.views import Graph, Held

_TYPES = {"integer": "long", "number": "double", "percent": "double", "flag": "boolean"}
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0
_SPECIAL = re.compile("[^\u0020!#-%(-;=?-\ud7ff]")  # what may need care; most texts have none of it
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
        tags = [f'<data key="n{at}">' for at in range(len(nodes))]
        for id, *values in node_rows(graph):
            file.write(f'<node id="{text(id)}">{_data(tags, values)}</node>\n'.encode())
        tags = [f'<data key="e{at}">' for at in range(len(edges))]
        for id, start, end, *values in edge_rows(graph):
            ends = f'id="{text(id)}" source="{text(start)}" target="{text(end)}"'
            file.write(f"<edge {ends}>{_data(tags, values)}</edge>\n".encode())
        file.write(b"</graph>\n</graphml>\n")


def _key(of: str, at: int, column: AnswerColumn) -> bytes:
    kind = "string" if column.many else _TYPES.get(column.type, "string")
    return f'<key id="{of[0]}{at}" for="{of}" attr.name="{column.name}" attr.type="{kind}"/>\n'.encode()


def _data(tags: Iterable[str], values: Iterable[Held]) -> str:
    pairs = zip(tags, values, strict=True)
    return "".join([f"{tag}{text(value)}</data>" for tag, value in pairs if value is not None])


def text(value: Held) -> str:
    """Escape a value for XML; characters that XML cannot hold are dropped."""
    plain = flat(value)
    return html.escape(_ILLEGAL.sub("", plain)) if _SPECIAL.search(plain) else plain
