"""The networkx window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atmpkg.formats.rows import edge_facts, node_facts
from atmpkg.views import Graph, Held

if TYPE_CHECKING:
    import networkx as nx


def to_networkx(graph: Graph) -> nx.MultiDiGraph:
    """Return a graph as a MultiDiGraph: numbers are numbers, several values are a list, what is not known is absent."""
    import networkx as nx

    network = nx.MultiDiGraph(name=graph.name, title=graph.title, as_of=graph.remarks.as_of)
    for node in graph.nodes:
        network.add_node(node.id, **_typed(node_facts(node)))
    for edge in graph.edges:
        network.add_edge(edge.start, edge.end, key=edge.id, **_typed(edge_facts(edge)))
    return network


def _typed(facts: dict[str, Held]) -> dict[str, object]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in facts.items()}
