"""Graphs as one table of edges with the labels of both ends, for spreadsheets and data frames."""

from __future__ import annotations

from atmpkg.files import Out
from atmpkg.formats.delimited import cell
from atmpkg.formats.rows import edge_columns, edge_rows, flat
from atmpkg.views import Graph


def edges_tsv(graph: Graph, out: Out) -> None:
    """Write a row per edge; nodes without edges do not appear."""
    labels = {node.id: (node.label, node.kind) for node in graph.nodes}
    names = ["source", "target", "source_label", "source_kind", "target_label", "target_kind"]
    names += [column.name for column in edge_columns(graph)[3:]]
    with out.file() as file:
        file.write(("\t".join(names) + "\n").encode())
        for _, start, end, *values in edge_rows(graph):
            ends = [start, end, *labels[str(start)], *labels[str(end)]]
            file.write(("\t".join([cell(flat(value)) for value in (*ends, *values)]) + "\n").encode())
