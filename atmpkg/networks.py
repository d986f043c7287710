"""The networkx window: views as graphs in memory, and what researchers ask of them.

Every analysis takes the ``MultiDiGraph`` that ``kg.view`` returns and reads the directions away, since a line of a
view says that two things belong together; parallel lines count once. Results are rows that ``pandas.DataFrame`` takes.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atmpkg.errors import UsageError, nearest, quoted
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


@dataclass(frozen=True)
class Centrality:
    """How central a node is."""

    id: str
    label: str
    kind: str
    degree: int
    betweenness: float


def centrality(network: nx.MultiDiGraph) -> list[Centrality]:
    """Return the neighbours and the betweenness (Freeman 1977, normalised) of each node, the largest first."""
    import networkx as nx

    plain = _plain(network)
    between = nx.betweenness_centrality(plain)
    found = [
        Centrality(id, about["label"], about["kind"], plain.degree(id), between[id])
        for id, about in plain.nodes.items()
    ]
    return sorted(found, key=lambda row: (-row.degree, -row.betweenness, row.id))


def projection(network: nx.MultiDiGraph, kind: str, through: str) -> nx.Graph:
    """Join the nodes of one kind that share neighbours of another; ``weight`` counts these, ``shared`` names them.

    For example products that share targets, or diseases that share products (Newman 2001, the simple weighted form).
    """
    import networkx as nx

    plain = _plain(network)
    joined = nx.Graph()
    joined.add_nodes_from((id, plain.nodes[id]) for id in _of_kind(plain, kind))
    for middle in _of_kind(plain, through):
        beside = sorted(id for id in plain[middle] if plain.nodes[id]["kind"] == kind)
        for one, other in itertools.combinations(beside, 2):
            shared = [*joined.get_edge_data(one, other, default={"shared": []})["shared"], middle]
            joined.add_edge(one, other, weight=len(shared), shared=shared)
    return joined


def communities(network: nx.Graph, resolution: float = 1.0) -> list[list[str]]:
    """Return the communities that the Louvain method finds (Blondel 2008), the largest first; the same in every run."""
    import networkx as nx

    plain = _plain(network)
    ordered = nx.Graph()
    ordered.add_nodes_from(sorted(plain))
    ordered.add_edges_from(sorted((*sorted(ends), about) for *ends, about in plain.edges(data=True)))
    found = nx.community.louvain_communities(ordered, resolution=resolution, seed=0)
    return sorted((sorted(part) for part in found), key=lambda part: (-len(part), part))


@dataclass(frozen=True)
class Path:
    """A way from one thing to another: the things, and the rows that state each step."""

    nodes: tuple[str, ...]
    labels: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        return " – ".join(self.labels)


def explanation_paths(network: nx.MultiDiGraph, start: str, end: str, most: int = 10) -> list[Path]:
    """Return all shortest ways from one thing to another, as evidence; none where nothing joins them."""
    import networkx as nx

    plain = _plain(network)
    for id in (start, end):
        _known(plain, id)
    if not nx.has_path(plain, start, end):
        return []
    ways = sorted(nx.all_shortest_paths(plain, start, end))[:most]
    return [_path(network, way) for way in ways]


@dataclass(frozen=True)
class Similarity:
    """How alike two things are by what they share.

    ``jaccard``: shared over all that either has; ``p_value``: chance of sharing at least so many, were the features
    of both drawn at random from all features (hypergeometric), not corrected for many comparisons.
    """

    one: str
    other: str
    shared: int
    jaccard: float
    p_value: float


def similarities(
    network: nx.MultiDiGraph, kind: str = "product", through: Iterable[str] = ("target",)
) -> list[Similarity]:
    """Return every pair of a kind that shares something of the other kinds, the most alike first."""
    plain = _plain(network)
    wanted = set(through)
    features = {
        id: {other for other in plain[id] if plain.nodes[other]["kind"] in wanted} for id in _of_kind(plain, kind)
    }
    everything = set().union(*features.values())
    found = []
    for one, other in itertools.combinations(sorted(features), 2):
        shared = len(features[one] & features[other])
        if shared:
            jaccard = shared / len(features[one] | features[other])
            chance = _chance(shared, len(features[one]), len(features[other]), len(everything))
            found.append(Similarity(one, other, shared, jaccard, chance))
    return sorted(found, key=lambda row: (row.p_value, -row.jaccard, row.one, row.other))


@dataclass(frozen=True)
class Candidate:
    """A hypothesis, not a fact: a disease for which others are meant that act on the same target."""

    product: str
    disease: str
    label: str
    support: int
    paths: tuple[Path, ...]
    status: str = "hypothesis"


def candidate_indications(network: nx.MultiDiGraph, product: str) -> list[Candidate]:
    """Rank diseases that share a target with a product through other products; each with its ways as evidence.

    ``support`` counts these ways. A hypothesis to be looked into: shared mechanism does not show benefit.
    """
    plain = _plain(network)
    _known(plain, product)
    known = {id for id in plain[product] if plain.nodes[id]["kind"] == "disease"}
    ways: dict[str, list[list[str]]] = defaultdict(list)
    for target in sorted(id for id in plain[product] if plain.nodes[id]["kind"] == "target"):
        for other in sorted(id for id in plain[target] if plain.nodes[id]["kind"] == "product" and id != product):
            for disease in sorted(
                id for id in plain[other] if plain.nodes[id]["kind"] == "disease" and id not in known
            ):
                ways[disease].append([product, target, other, disease])
    found = [
        Candidate(
            product, disease, plain.nodes[disease]["label"], len(way), tuple(_path(network, step) for step in way)
        )
        for disease, way in ways.items()
    ]
    return sorted(found, key=lambda candidate: (-candidate.support, candidate.disease))


def _plain(network: nx.Graph) -> nx.Graph:
    import networkx as nx

    return network if not network.is_multigraph() and not network.is_directed() else nx.Graph(network.to_undirected())


def _of_kind(network: nx.Graph, kind: str) -> list[str]:
    kinds = {str(about["kind"]) for _, about in network.nodes(data=True)}
    if kind not in kinds:
        raise UsageError(f"cannot find nodes of kind {quoted(kind)}: there are {', '.join(sorted(kinds))}.")
    return sorted(id for id, about in network.nodes(data=True) if about["kind"] == kind)


def _known(network: nx.Graph, id: str) -> None:
    if id not in network:
        raise UsageError(f"cannot find the node {quoted(id)} in this graph{nearest(id, network) or '.'}")


def _path(network: nx.MultiDiGraph, way: Sequence[str]) -> Path:
    steps = []
    for one, other in itertools.pairwise(way):
        both = [
            *network.get_edge_data(one, other, default={}).values(),
            *network.get_edge_data(other, one, default={}).values(),
        ]
        steps.append(tuple(sorted({about["row"] for about in both if "row" in about})))
    return Path(tuple(way), tuple(str(network.nodes[id]["label"]) for id in way), tuple(steps))


def _chance(shared: int, first: int, second: int, all: int) -> float:
    """Return the chance that ``second`` draws from ``all`` hit at least ``shared`` of ``first``.

    >>> round(_chance(1, 1, 1, 10), 3)
    0.1
    """
    hits = range(shared, min(first, second) + 1)
    return sum(math.comb(first, k) * math.comb(all - first, second - k) for k in hits) / math.comb(all, second)
