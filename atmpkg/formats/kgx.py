"""Graphs as KGX (https://github.com/biolink/kgx), with Biolink categories and predicates, as TSV or JSON lines.

Knowledge sources: rows are asserted by curators, so ``knowledge_level`` is ``knowledge_assertion`` and ``agent_type``
``manual_agent``; what rules derive from rows is a ``logical_entailment`` of an ``automated_agent``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from atmpkg.files import Out
from atmpkg.formats.delimited import cell
from atmpkg.formats.rows import flat
from atmpkg.views import Edge, Graph, Held, Node

INFORES = "infores:atmpkg"
_DERIVED = ("status-interval:", "holder-interval:", "basis-interval:", "authorisation:", "first-authorisation:")


def kgx(graph: Graph, out: Out) -> None:
    """Write nodes.tsv and edges.tsv into a folder."""
    with out.file("nodes.tsv") as file:
        file.writelines(_table(_node_names(graph), map(_node, graph.nodes)))
    with out.file("edges.tsv") as file:
        file.writelines(_table(_edge_names(graph), map(_edge, graph.edges)))


def kgx_jsonl(graph: Graph, out: Out) -> None:
    """Write nodes.jsonl and edges.jsonl into a folder; lists stay lists."""
    with out.file("nodes.jsonl") as file:
        file.writelines(_line(_node(node)) for node in graph.nodes)
    with out.file("edges.jsonl") as file:
        file.writelines(_line(_edge(edge)) for edge in graph.edges)


def _node(node: Node) -> dict[str, Held]:
    known = {
        "id": node.id,
        "category": (node.category,),
        "name": node.label,
        "kind": node.kind,
        "iri": node.iri or None,
    }
    return known | dict(node.attributes)


def _edge(edge: Edge) -> dict[str, Held]:
    derived = edge.row.startswith(_DERIVED)
    known: dict[str, Held] = {
        "id": edge.id,
        "subject": edge.start,
        "predicate": edge.predicate,
        "object": edge.end,
        "knowledge_level": "logical_entailment" if derived else "knowledge_assertion",
        "agent_type": "automated_agent" if derived else "manual_agent",
        "primary_knowledge_source": INFORES,
        "kind": edge.kind,
        "label": edge.label,
        "valid_from": edge.valid_from,
        "valid_until": edge.valid_until,
        "row": edge.row or None,
    }
    return known | dict(edge.attributes)


def _node_names(graph: Graph) -> list[str]:
    return [*_node(Node("", "", "", "")), *(column.name for column in graph.node_columns)]


def _edge_names(graph: Graph) -> list[str]:
    return [*_edge(Edge("", "", "", "", "", "")), *(column.name for column in graph.edge_columns)]


def _table(names: list[str], rows: Iterator[dict[str, Held]]) -> Iterator[bytes]:
    yield ("\t".join(names) + "\n").encode()
    for row in rows:
        yield ("\t".join([cell(flat(row.get(name))) for name in names]) + "\n").encode()


def _line(row: dict[str, Held]) -> bytes:
    known = {name: value for name, value in row.items() if value is not None}
    return (json.dumps(known, ensure_ascii=False) + "\n").encode()
