"""Graphs as DOT, for Graphviz, and as Mermaid flowcharts, for Markdown pages."""

from __future__ import annotations

import re

from atmpkg.files import Out
from atmpkg.palette import colours
from atmpkg.views import Graph


def dot(graph: Graph, out: Out) -> None:
    """Write a directed graph in the DOT language."""
    paint = colours(node.kind for node in graph.nodes)
    with out.file() as file:
        about = f"label={_quoted(graph.title)}, rankdir=LR, fontname=Helvetica"
        file.write(f"digraph {_quoted(graph.name)} {{\n  graph [{about}];\n".encode())
        file.write(b"  node [shape=box, style=filled, fontcolor=white, fontname=Helvetica];\n")
        for node in graph.nodes:
            look = f"label={_quoted(node.label)}, class={_quoted(node.kind)}, fillcolor={_quoted(paint[node.kind])}"
            file.write(f"  {_quoted(node.id)} [{look}];\n".encode())
        for edge in graph.edges:
            look = f"id={_quoted(edge.id)}, class={_quoted(edge.kind)}, label={_quoted(edge.label)}"
            file.write(f"  {_quoted(edge.start)} -> {_quoted(edge.end)} [{look}];\n".encode())
        file.write(b"}\n")


def mermaid(graph: Graph, out: Out) -> None:
    """Write a flowchart; Mermaid draws up to 500 edges unless its ``maxEdges`` is raised."""
    names = {node.id: f"n{at}" for at, node in enumerate(graph.nodes)}
    paint = colours(node.kind for node in graph.nodes)
    classes = {kind: f"kind{at}" for at, kind in enumerate(paint)}
    with out.file() as file:
        file.write(f"---\ntitle: {_plain(graph.title)}\n---\nflowchart LR\n".encode())
        for node in graph.nodes:
            file.write(f'  {names[node.id]}["{_plain(node.label)}"]:::{classes[node.kind]}\n'.encode())
        for edge in graph.edges:
            file.write(f'  {names[edge.start]} -->|"{_plain(edge.label)}"| {names[edge.end]}\n'.encode())
        for kind, colour in paint.items():
            file.write(f"  classDef {classes[kind]} fill:{colour},color:#fff\n".encode())


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'


def _plain(text: str) -> str:
    """Write what Mermaid would read as its own as numbered characters.

    >>> _plain('a "b"')
    'a #34;b#34;'
    """
    return re.sub(r'[#"<>&\[\]{}|`:;\n\\]', lambda found: f"#{ord(found[0])};" if found[0] != "\n" else " ", text)
