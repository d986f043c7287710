"""An interactive page that is one file: the graph, our page and Cytoscape.js inside it; it asks nothing of the network.

Cytoscape.js (MIT) is fetched from npm by ``scripts/browser-code`` into ``atmpkg/browser``, which the wheel carries and
the repository does not.
"""

from __future__ import annotations

import html
import json
from pathlib import Path

from atmpkg.errors import StoreError
from atmpkg.files import Out
from atmpkg.formats.cytoscape import edge_element, node_element
from atmpkg.layouts import Layout, columns, dated, force, shortened, tree
from atmpkg.palette import colours
from atmpkg.pictures import footer
from atmpkg.views import Graph

_HERE = Path(__file__).parent
LIBRARY = _HERE.parent / "browser" / "cytoscape.min.js"


def page(graph: Graph, out: Out) -> None:
    """Write the page."""
    try:
        library = LIBRARY.read_text(encoding="utf-8")
    except OSError:
        raise StoreError(
            "cannot draw html: the browser library Cytoscape.js is missing. Fetch it once with: sh scripts/browser-code"
        ) from None
    text = (_HERE / "page.html").read_text(encoding="utf-8")
    parts = {
        "title": html.escape(graph.title),
        "footer": html.escape(footer(graph)),
        "library": library.replace("</script", "<\\/script"),
        "data": json.dumps(_data(graph), ensure_ascii=False).replace("<", "\\u003c"),
    }
    for name, content in parts.items():
        text = text.replace("{{" + name + "}}", content)
    with out.file() as file:
        file.write(text.encode())


def _data(graph: Graph) -> dict[str, object]:
    layout = _layout(graph)
    points = {id: {"x": round(place.x, 1), "y": round(place.y, 1)} for id, place in layout.places.items()}
    nodes = []
    for node in graph.nodes:
        element = node_element(node)
        short = layout.places[node.id].label if node.id in layout.places else shortened(node.label)
        element["data"] = {**element["data"], "short": short}
        nodes.append(element | ({"position": points[node.id]} if node.id in points else {}))
    edges = [edge_element(edge) for edge in graph.edges]
    cited = {id for element in (*nodes, *edges) for id in element["data"].get("sources", ())}
    return {
        "elements": {"nodes": nodes, "edges": edges},
        "points": points,
        "placed": bool(points),
        "letters": layout.letters,
        "quiet": graph.quiet,
        "colours": colours(graph.kinds),
        "sources": {id: [title, url] for id, title, url in graph.sources if id in cited},
    }


def _layout(graph: Graph) -> Layout:
    match graph.layout:
        case "tree":
            return tree(graph)
        case "timeline":
            return dated(graph)
        case "force":
            try:
                return force(graph)
            except StoreError:  # without igraph the browser arranges it
                return Layout({}, 12.0)
        case _:
            return columns(graph)
