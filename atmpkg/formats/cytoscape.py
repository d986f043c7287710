"""Graphs as the JSON that Cytoscape.js and Cytoscape take (https://js.cytoscape.org/#notation/elements-json)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from atmpkg.files import Out
from atmpkg.formats.rows import edge_facts, node_facts
from atmpkg.views import Edge, Graph, Held, Node


def cyjs(graph: Graph, out: Out) -> None:
    """Write a graph as elements in JSON; lists stay lists."""
    about = {"name": graph.name, "title": graph.title, "release": graph.remarks.release}
    if graph.remarks.as_of:
        about["as_of"] = graph.remarks.as_of
    with out.file() as file:
        file.write(f'{{"format_version":"1.0","generated_by":"atmpkg","data":{_json(about)},'.encode())
        file.write(b'"elements":{"nodes":[\n')
        _lines(file, map(node_element, graph.nodes))
        file.write(b'],"edges":[\n')
        _lines(file, map(edge_element, graph.edges))
        file.write(b"]}}\n")


def node_element(node: Node) -> dict[str, dict[str, Any]]:
    """Return a node as an element; ``name`` is where Cytoscape looks for a label."""
    return {"data": {"id": node.id, "name": node.label, **node_facts(node)}}


def edge_element(edge: Edge) -> dict[str, dict[str, Any]]:
    """Return an edge as an element; ``interaction`` is where Cytoscape looks for its kind."""
    ends: dict[str, Held] = {"id": edge.id, "source": edge.start, "target": edge.end, "interaction": edge.kind}
    return {"data": ends | edge_facts(edge)}


def _lines(file: IO[bytes], elements: Iterable[Mapping[str, object]]) -> None:
    file.writelines(_separated(map(_json, elements)))


def _separated(texts: Iterator[str]) -> Iterator[bytes]:
    for at, text in enumerate(texts):
        yield ((",\n" if at else "") + text).encode()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
