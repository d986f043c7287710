"""A graph as two tables, and the one rule by which values become plain: what all tabular formats share.

The rule: several values are joined with ``|``, dates are text in ISO 8601, what is not known is left out (or is an
empty cell), and flags are ``true`` and ``false``. Formats that can hold lists, such as JSON and Parquet, do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from atmpkg.queries import AnswerColumn
from atmpkg.views import Edge, Graph, Held, Node

NODE_FIELDS = tuple(AnswerColumn(name) for name in ("id", "label", "kind", "category", "iri"))
EDGE_FIELDS = (
    *(AnswerColumn(name) for name in ("id", "source", "target", "kind", "label", "predicate")),
    AnswerColumn("valid_from", type="date"),
    AnswerColumn("valid_until", type="date"),
    AnswerColumn("row"),
)


def node_columns(graph: Graph) -> tuple[AnswerColumn, ...]:
    """Return the columns of the table of nodes."""
    return (*NODE_FIELDS, *graph.node_columns)


def edge_columns(graph: Graph) -> tuple[AnswerColumn, ...]:
    """Return the columns of the table of edges."""
    return (*EDGE_FIELDS, *graph.edge_columns)


def node_rows(graph: Graph) -> Iterator[list[Held]]:
    """Yield the nodes as rows."""
    names = [column.name for column in graph.node_columns]
    for n in graph.nodes:
        yield [n.id, n.label, n.kind, n.category, n.iri or None, *map(n.attributes.get, names)]


def edge_rows(graph: Graph) -> Iterator[list[Held]]:
    """Yield the edges as rows."""
    row = edge_row(graph)
    return map(row, graph.edges)


def edge_row(graph: Graph) -> Callable[[Edge], list[Held]]:
    """Return a function that makes a row of an edge."""
    names = [column.name for column in graph.edge_columns]

    def row(e: Edge) -> list[Held]:
        about = [e.id, e.start, e.end, e.kind, e.label, e.predicate, e.valid_from, e.valid_until, e.row or None]
        return [*about, *map(e.attributes.get, names)]

    return row


def node_facts(node: Node) -> dict[str, Held]:
    """Return what is known of a node, without what is not."""
    known = {"label": node.label, "kind": node.kind, "category": node.category, "iri": node.iri or None}
    return {name: value for name, value in (known | dict(node.attributes)).items() if value is not None}


def edge_facts(edge: Edge) -> dict[str, Held]:
    """Return what is known of an edge, without what is not."""
    known: dict[str, Held] = {"kind": edge.kind, "label": edge.label, "predicate": edge.predicate}
    known |= {"valid_from": edge.valid_from, "valid_until": edge.valid_until, "row": edge.row or None}
    return {name: value for name, value in (known | dict(edge.attributes)).items() if value is not None}


def flat(value: Held) -> str:
    """Write a value as plain text by the rule above.

    >>> flat(("a", "b")), flat(True), flat(2.50), flat(None)
    ('a|b', 'true', '2.5', '')
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "|".join(value)
    return f"{value:.10g}" if isinstance(value, float) else str(value)
