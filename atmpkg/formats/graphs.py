"""Ways out for graphs: one writer per format, by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from atmpkg.errors import UsageError, nearest, one_of, quoted
from atmpkg.files import Out
from atmpkg.formats.cytoscape import cyjs
from atmpkg.formats.dot import dot, mermaid
from atmpkg.formats.edgelist import edges_tsv
from atmpkg.formats.gexf import gexf
from atmpkg.formats.graphml import graphml
from atmpkg.formats.kgx import kgx, kgx_jsonl
from atmpkg.formats.neo4j import neo4j
from atmpkg.formats.page import page
from atmpkg.formats.parquet import parquet
from atmpkg.formats.rdf import jsonld, nquads, rdf_xml, trig, turtle
from atmpkg.pictures import pdf, png, svg
from atmpkg.views import Graph

GRAPH_WRITERS: dict[str, Callable[[Graph, Out], None]] = {
    "html": page,
    "svg": svg,
    "png": png,
    "pdf": pdf,
    "graphml": graphml,
    "gexf": gexf,
    "cyjs": cyjs,
    "kgx": kgx,
    "kgx-jsonl": kgx_jsonl,
    "neo4j": neo4j,
    "parquet": parquet,
    "tsv": edges_tsv,
    "dot": dot,
    "mermaid": mermaid,
    "jsonld": jsonld,
    "ttl": turtle,
    "nq": nquads,
    "rdfxml": rdf_xml,
    "trig": trig,
}
FOLDERS = ("kgx", "kgx-jsonl", "neo4j", "parquet")  # formats of several files
_SUFFIXES = {"json": "cyjs", "gv": "dot", "mmd": "mermaid", "rdf": "rdfxml", "xml": "graphml", "htm": "html"}


def graph_writer(format: str) -> Callable[[Graph, Out], None]:
    """Return the writer of a format; raise UsageError where there is none."""
    if format not in GRAPH_WRITERS:
        raise UsageError(
            f"cannot draw as {quoted(format)}: expected {one_of(GRAPH_WRITERS, 30)}{nearest(format, GRAPH_WRITERS)}"
        )
    return GRAPH_WRITERS[format]


def suffix_format(path: Path | None) -> str:
    """Return the format that the name of a file asks for; raise UsageError where it asks for none.

    >>> suffix_format(Path("network.graphml"))
    'graphml'
    """
    suffix = path.suffix.removeprefix(".").lower() if path else ""
    format = _SUFFIXES.get(suffix, suffix)
    if format not in GRAPH_WRITERS:
        raise UsageError(f"cannot tell the format: name one with --format, {one_of(GRAPH_WRITERS, 30)}.")
    return format
