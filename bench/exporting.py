# ruff: noqa: E501 - what is said of a measurement stands together
"""Export of a large view: our writers beside networkx's, each in a process of its own.

``python -m bench.exporting [EDGES]`` prints seconds, megabytes written and peak memory; a graph of EDGES lines
(1,000,000 when omitted) and a fifth as many things is made while it is written, as a view is read from the store.
networkx is measured at a tenth of that, since its writers hold the whole graph and more.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from atmpkg.files import Out
from atmpkg.formats.graphs import GRAPH_WRITERS
from atmpkg.networks import to_networkx
from atmpkg.queries import AnswerColumn
from atmpkg.views import Again, Edge, Graph, Node
from bench.report import Section, Verdict

OURS = ("graphml", "gexf", "kgx", "kgx-jsonl", "parquet", "neo4j", "tsv", "cyjs")
_TIMES = 25


class Nodes:
    """So many things, made when asked for."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Node]:
        for at in range(self.count):
            kind = ("product", "target", "disease")[at % 3]
            yield Node(f"{kind}:{at}", kind, f"{kind} number {at}", "biolink:NamedThing", f"https://example.org/{at}")


def made(edges: int) -> Graph:
    """Return a graph of so many lines."""
    nodes = edges // 5
    kinds = ("product", "target", "disease")

    def lines() -> Iterator[Edge]:
        for at in range(edges):
            start, end = at % nodes, (at * 7919 + 13) % nodes
            yield Edge(
                id=f"mechanism:{at}",
                kind="acts_on",
                start=f"{kinds[start % 3]}:{start}",
                end=f"{kinds[end % 3]}:{end}",
                label="gene replacement",
                predicate="biolink:affects",
                row=f"mechanism:{at}",
                since=10_000 + at % 9_000,
                attributes={"sources": ("register", f"paper-{at % 997}"), "score": at / 7},
            )

    return Graph(
        name="made",
        title="Made",
        nodes=Nodes(nodes),  # type: ignore[arg-type]  # a stand-in that streams
        edges=Again(lines),
        edge_columns=(AnswerColumn("sources", many=True), AnswerColumn("score", type="number")),
        timed=True,
    )


def ours(format: str, edges: int, folder: Path, *, held: bool = False) -> float:
    """Write with our writer, from a stream or from what is held; return the seconds."""
    graph = made(edges)
    if held:
        graph = replace(graph, nodes=list(graph.nodes), edges=list(graph.edges))
    began = time.perf_counter()
    with Out(folder / "out") as out:
        GRAPH_WRITERS[format](graph, out)
    return time.perf_counter() - began


def theirs(format: str, edges: int, folder: Path) -> float:
    """Write the same attributes with networkx (and lxml, where it uses it); return the seconds of writing alone."""
    import networkx as nx

    network = to_networkx(made(edges))
    network.graph.clear()
    for about in (*(d for _, d in network.nodes(data=True)), *(d for *_, d in network.edges(data=True))):
        about.update({name: "|".join(value) for name, value in about.items() if isinstance(value, list | tuple)})
    began = time.perf_counter()
    {"graphml": nx.write_graphml, "gexf": nx.write_gexf}[format](network, folder / "out")
    return time.perf_counter() - began


def section() -> Section:
    """Compare our GraphML and GEXF with networkx's, in turn and on the same graph."""
    edges = 100_000
    rows: list[tuple[object, ...]] = []
    verdicts, ratios = [], {}
    for format in ("graphml", "gexf"):
        runs = [(_apart("held", format, edges), _apart("networkx", format, edges)) for _ in range(3)]
        mine, other = min(run[0] for run in runs), min(run[1] for run in runs)
        rows.append((format, mine, other, f"{other / mine:.1f}"))
        ratios[f"{format}: networkx / atmpkg"] = other / mine
        if format == "graphml":
            goal = f"GraphML of {edges:,} edges at least {_TIMES} times faster than networkx's writer"
            verdicts.append(Verdict(goal, f"{other / mine:.1f} times", other >= _TIMES * mine))
    return Section(
        title="Export",
        how=(
            f"A view of {edges:,} edges and {edges // 5:,} nodes with their labels, kinds, sources and a score, written "
            "to a file, least of 3, each in a process of its own: the same attributes, from a graph that each already "
            "holds, and networkx through lxml, which it uses where it is installed."
        ),
        header=("format", "atmpkg s", "networkx s", "networkx / atmpkg"),
        rows=rows,
        verdicts=verdicts,
        ratios=ratios,
    )


def _apart(who: str, format: str, edges: int) -> float:
    words = [sys.executable, "-m", "bench.exporting", who, format, str(edges)]
    return float(subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()[3])


def measure(who: str, format: str, edges: int) -> None:
    """Print one line, from inside a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        if who == "networkx":
            seconds = theirs(format, edges, Path(folder))
        else:
            seconds = ours(format, edges, Path(folder), held=who == "held")
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{who:<9}{format:<10}{edges:>9,}{seconds:>9.2f}{seconds / edges * 1e6:>11.2f}{size:>9.0f}{peak:>9.0f}",
        flush=True,
    )


def main() -> None:
    """Measure everything, at a tenth and at the whole, so that growth shows."""
    if len(sys.argv) == 4:
        measure(sys.argv[1], sys.argv[2], int(sys.argv[3]))
        return
    edges = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    print(f"{'writer':<9}{'format':<10}{'edges':>9}{'s':>9}{'us/edge':>11}{'MB':>9}{'peak MB':>9}", flush=True)
    runs = [("atmpkg", format, count) for format in OURS for count in (edges // 10, edges)]
    runs += [("networkx", format, edges // 10) for format in ("graphml", "gexf")]
    for who, format, count in runs:
        subprocess.run([sys.executable, "-m", "bench.exporting", who, format, str(count)], check=True)


if __name__ == "__main__":
    main()
