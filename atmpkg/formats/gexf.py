"""Graphs as GEXF 1.3 (https://gexf.net), for Gephi; edges that begin and end become time slices, to be played."""

from __future__ import annotations

from collections.abc import Iterable

from atmpkg.dates import from_day_number
from atmpkg.files import Out
from atmpkg.formats.graphml import text
from atmpkg.formats.rows import edge_columns, edge_row, node_columns, node_rows
from atmpkg.palette import colours
from atmpkg.queries import AnswerColumn
from atmpkg.views import Edge, Graph, Held

_TYPES = {"integer": "long", "number": "double", "percent": "double", "flag": "boolean"}


def gexf(graph: Graph, out: Out) -> None:
    """Write a graph; the last day of an edge is the day before the one on which it no longer holds."""
    nodes, edges = node_columns(graph)[2:], edge_columns(graph)[3:]
    paint = {kind: _colour(colour) for kind, colour in colours(node.kind for node in graph.nodes).items()}
    row = edge_row(graph)
    mode = 'mode="dynamic" timeformat="date" timerepresentation="interval"' if graph.timed else 'mode="static"'
    with out.file() as file:
        head = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<gexf xmlns="http://gexf.net/1.3" xmlns:viz="http://gexf.net/1.3/viz" version="1.3">\n'
            f"<meta><creator>atmpkg {text(graph.remarks.release)}</creator>"
            f"<description>{text(graph.title)}</description></meta>\n"
            f'<graph defaultedgetype="directed" {mode}>\n'
        )
        file.write((head + _attributes("node", nodes) + _attributes("edge", edges) + "<nodes>\n").encode())
        tags = [f'<attvalue for="n{at}" value="' for at in range(len(nodes))]
        for id, label, *values in node_rows(graph):
            about = f'<node id="{text(id)}" label="{text(label)}">{_values(tags, values)}'
            file.write(f"{about}{paint[str(values[0])]}</node>\n".encode())
        file.write(b"</nodes>\n<edges>\n")
        tags = [f'<attvalue for="e{at}" value="' for at in range(len(edges))]
        for edge in graph.edges:
            id, start, end, *values = row(edge)
            ends = f'id="{text(id)}" source="{text(start)}" target="{text(end)}"'
            names = f'kind="{text(edge.kind)}" label="{text(edge.label)}"'
            file.write(f"<edge {ends} {names}{_slice(edge)}>{_values(tags, values)}</edge>\n".encode())
        file.write(b"</edges>\n</graph>\n</gexf>\n")


def _attributes(of: str, columns: Iterable[AnswerColumn]) -> str:
    lines = [f'<attributes class="{of}" mode="static">\n']
    for at, column in enumerate(columns):
        kind = "string" if column.many else _TYPES.get(column.type, "string")
        lines.append(f'<attribute id="{of[0]}{at}" title="{column.name}" type="{kind}"/>\n')
    return "".join([*lines, "</attributes>\n"])


def _values(tags: Iterable[str], values: Iterable[Held]) -> str:
    pairs = zip(tags, values, strict=True)
    told = "".join([f'{tag}{text(value)}"/>' for tag, value in pairs if value is not None])
    return f"<attvalues>{told}</attvalues>" if told else ""


def _slice(edge: Edge) -> str:
    first = f' start="{edge.valid_from}"' if edge.since is not None else ""
    last = f' end="{from_day_number(edge.until - 1)}"' if edge.until is not None else ""
    return first + last


def _colour(code: str) -> str:
    red, green, blue = (int(code[at : at + 2], 16) for at in (1, 3, 5))
    return f'<viz:color r="{red}" g="{green}" b="{blue}"/>'
