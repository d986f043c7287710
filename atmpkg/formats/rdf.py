"""The statements behind a graph, as RDF: Turtle, TriG, N-Quads, RDF/XML and JSON-LD.

These hold the rows themselves with their own properties, not the drawing: the things and rows of the view, and the
dates that they name. TriG, N-Quads and JSON-LD keep the named graphs; Turtle and RDF/XML hold their union.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from atmpkg.files import Out
from atmpkg.names import Names
from atmpkg.views import Graph

if TYPE_CHECKING:
    import pyoxigraph as ox

_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_STRING = "http://www.w3.org/2001/XMLSchema#string"


def turtle(graph: Graph, out: Out) -> None:
    """Write the union of the graphs as Turtle."""
    import pyoxigraph as ox

    _write(graph, out, ox.RdfFormat.TURTLE)


def rdf_xml(graph: Graph, out: Out) -> None:
    """Write the union of the graphs as RDF/XML."""
    import pyoxigraph as ox

    _write(graph, out, ox.RdfFormat.RDF_XML)


def trig(graph: Graph, out: Out) -> None:
    """Write the named graphs as TriG."""
    import pyoxigraph as ox

    _write(graph, out, ox.RdfFormat.TRIG)


def nquads(graph: Graph, out: Out) -> None:
    """Write the named graphs as N-Quads."""
    import pyoxigraph as ox

    _write(graph, out, ox.RdfFormat.N_QUADS)


def _write(graph: Graph, out: Out, format: ox.RdfFormat) -> None:
    import pyoxigraph as ox

    statements: Iterable[Any] = graph.quads
    if not format.supports_datasets:
        statements = (quad.triple for quad in graph.quads)
    spaces = dict(graph.prefixes) if format not in (ox.RdfFormat.N_QUADS,) else None
    with out.file() as file:
        ox.serialize(statements, file, format=format, prefixes=spaces)


def jsonld(graph: Graph, out: Out) -> None:
    """Write the named graphs as JSON-LD 1.1 with a context of prefixes."""
    context = {prefix: {"@id": uri, "@prefix": True} for prefix, uri in sorted(graph.prefixes.items())}
    names = Names(graph.prefixes, {})
    with out.file() as file:
        file.write(f'{{"@context":{json.dumps(context)},\n"@graph":[\n'.encode())
        for at, block in enumerate(_blocks(graph.quads, names)):
            file.write(((",\n" if at else "") + json.dumps(block, ensure_ascii=False)).encode())
        file.write(b"\n]}\n")


def _blocks(quads: Iterable[ox.Quad], names: Names) -> Iterator[dict[str, object]]:
    """Yield what one graph says about one subject, one after another."""
    for (subject, graph), group in itertools.groupby(quads, lambda quad: (quad.subject, quad.graph_name)):
        told: dict[str, Any] = {"@id": _name(subject, names)}
        for quad in group:
            if quad.predicate.value == _TYPE:
                told.setdefault("@type", []).append(_name(quad.object, names))
            else:
                told.setdefault(names.compact(quad.predicate.value), []).append(_object(quad.object, names))
        yield {"@id": names.compact(graph.value), "@graph": [told]}


def _name(term: Any, names: Names) -> str:
    return names.compact(term.value) if not str(term).startswith("_:") else str(term)


def _object(term: Any, names: Names) -> Mapping[str, str]:
    if not hasattr(term, "datatype"):
        return {"@id": _name(term, names)}
    if term.language:
        return {"@value": term.value, "@language": term.language}
    if term.datatype.value == _STRING:
        return {"@value": term.value}
    return {"@value": term.value, "@type": names.compact(term.datatype.value)}
