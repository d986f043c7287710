"""Static pictures of graphs: SVG of our own, PNG and PDF made from it by vl-convert."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Iterator
from typing import Any

from atmpkg.dates import day_number, from_day_number
from atmpkg.errors import StoreError
from atmpkg.files import Out
from atmpkg.layouts import BOTTOM, HEIGHT, SIDE, TOP, WIDTH, Layout, columns, force, lanes, shortened, text_width, tree
from atmpkg.palette import OTHER, STATUS, colours
from atmpkg.views import Edge, Graph, Node

_FONT = "Liberation Sans, Helvetica, Arial, sans-serif"
_LAYOUTS = {"columns": columns, "tree": tree, "force": force}


def svg(graph: Graph, out: Out) -> None:
    """Write a picture for a slide as SVG."""
    with out.file() as file:
        file.write(picture(graph).encode())


def png(graph: Graph, out: Out) -> None:
    """Write a picture for a slide as PNG, two pixels for each of the slide's."""
    data = _converter().svg_to_png(picture(graph), scale=2)
    with out.file() as file:
        file.write(data)


def pdf(graph: Graph, out: Out) -> None:
    """Write a picture for a slide as PDF."""
    data = _converter().svg_to_pdf(picture(graph))
    with out.file() as file:
        file.write(data)


def _converter() -> Any:
    try:
        import vl_convert
    except ImportError:
        raise StoreError(
            "cannot draw png or pdf: vl-convert is missing. Install it: pip install 'atmpkg[plot]'"
        ) from None
    return vl_convert


def picture(graph: Graph) -> str:
    """Return the picture of a graph as SVG: title, legend, drawing, and a line that says what it rests on."""
    if graph.layout == "timeline":
        height, parts = _timeline(graph)
        kinds: dict[str, str] = {status: STATUS.get(status, OTHER) for status in _statuses(graph)}
    else:
        layout = _LAYOUTS[graph.layout](graph)
        height, parts = layout.height, list(_network(graph, layout))
        kinds = _named(colours(graph.kinds))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
            f'height="{height:.0f}" font-family="{_FONT}">',
            f"<title>{html.escape(graph.title)}</title>",
            f'<rect width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>',
            _text(SIDE, 52, graph.title, 32, weight="bold"),
            _text(SIDE, 80, _subtitle(graph), 17, "#555555"),
            *_legend(kinds),
            *((graph.nodes and parts) or [_text(SIDE, TOP + 60, "Nothing is recorded for what was asked.", 24)]),
            _text(SIDE, height - 18, footer(graph), 15, "#555555"),
            "</svg>\n",
        ]
    )


def _subtitle(graph: Graph) -> str:
    asked = [f"{name.replace('_', ' ')}: {', '.join(values)}" for name, values in graph.remarks.parameters.items()]
    if graph.layout == "timeline":
        asked += [f"{len(rows)} products in {panel}" for panel, rows in lanes(graph)]
    else:
        asked.append(f"{len(graph.nodes)} things, {len({(edge.start, edge.end) for edge in graph.edges})} lines")
    return shortened(" · ".join(asked), 150)


def footer(graph: Graph) -> str:
    """Return the line that says what a drawing rests on."""
    remarks = graph.remarks
    said = [f"atmpkg {remarks.release}", f"as of {remarks.as_of}" if remarks.as_of else ""]
    said += [remarks.reach() if remarks.knowledge_until else "", "CC BY 4.0"]
    return " · ".join(part for part in said if part) + f" · atmpkg draw {graph.name}"


def _legend(kinds: dict[str, str]) -> Iterator[str]:
    x = WIDTH - SIDE - sum(text_width(kind) * 17 + 44 for kind in kinds) + 20
    for kind, colour in kinds.items():
        yield f'<circle cx="{x:.1f}" cy="46" r="8" fill="{colour}"/>'
        yield _text(x + 14, 52, kind, 17)
        x += text_width(kind) * 17 + 44


def _network(graph: Graph, layout: Layout) -> Iterator[str]:
    paint = colours(graph.kinds)
    nodes = {node.id: node for node in graph.nodes}
    drawn = set()
    yield '<g fill="none" stroke-width="1.6" stroke-opacity="0.5">'
    for edge in graph.edges:
        if (edge.start, edge.end) not in drawn and edge.start != edge.end:
            drawn.add((edge.start, edge.end))
            yield _line(edge, nodes, layout, paint, graph.layout == "force")
    yield "</g>"
    radius = 3.5 if graph.layout == "force" else layout.letters * 0.36
    for id, place in layout.places.items():
        node = nodes[id]
        tip = f"<title>{html.escape(f'{node.label} ({node.kind}, {node.id})')}</title>"
        yield (
            f'<circle cx="{place.x:.1f}" cy="{place.y:.1f}" r="{radius:.1f}" fill="{paint[node.kind]}">{tip}</circle>'
        )
    for place in layout.places.values():
        if place.label:
            yield _text(
                place.x + radius + layout.letters * 0.35, place.y + layout.letters * 0.35, place.label, layout.letters
            )


def _named(paint: dict[str, str]) -> dict[str, str]:
    """Return the colours of a legend: those that stand for one kind, then one for all others."""
    return {kind: colour for kind, colour in paint.items() if colour != OTHER} | (
        {"other": OTHER} if OTHER in paint.values() else {}
    )


def _line(edge: Edge, nodes: dict[str, Node], layout: Layout, paint: dict[str, str], straight: bool) -> str:
    start, end = layout.places[edge.start], layout.places[edge.end]
    other = nodes[edge.end] if nodes[edge.end].kind != "product" else nodes[edge.start]
    colour = paint[other.kind]
    if straight:
        return (
            f'<path d="M{start.x:.1f} {start.y:.1f}L{end.x:.1f} {end.y:.1f}" stroke="{colour}" stroke-opacity="0.1"/>'
        )
    left, right = (start, end) if start.column <= end.column else (end, start)
    if left.column == right.column:
        bend = left.leave + 30
        tails = [place.x + place.width + layout.letters * 1.1 for place in (left, right)]
        way = (
            f"M{tails[0]:.1f} {left.y:.1f}H{left.leave:.1f}"
            f"C{bend:.1f} {left.y:.1f} {bend:.1f} {right.y:.1f} {right.leave:.1f} {right.y:.1f}H{tails[1]:.1f}"
        )
        return f'<path d="{way}" stroke="{colour}"/>'
    after = left.x + left.width + layout.letters * 1.1
    stop = right.x - layout.letters * 0.5
    middle = (left.leave + stop) / 2
    way = (
        f"M{after:.1f} {left.y:.1f}H{left.leave:.1f}"
        f"C{middle:.1f} {left.y:.1f} {middle:.1f} {right.y:.1f} {stop:.1f} {right.y:.1f}"
    )
    return f'<path d="{way}" stroke="{colour}"/>'


def _timeline(graph: Graph) -> tuple[float, list[str]]:
    """Draw a panel for each jurisdiction, a lane for each product, a bar for each status."""
    panels = lanes(graph)
    first = min((bar.since for _, rows in panels for _, bars in rows for bar in bars if bar.since), default=0)
    last = day_number(dt.date.fromisoformat(graph.remarks.as_of)) if graph.remarks.as_of else first + 1
    begin = from_day_number(first).year
    most = max((len(rows) for _, rows in panels), default=1)
    room = HEIGHT - TOP - BOTTOM - 50
    letters = max(11.0, min(18.0, room / most / 1.35))
    line = max(letters * 1.35, min(room / most, letters * 2))
    height = max(HEIGHT, TOP + BOTTOM + 50 + most * line)
    width = (WIDTH - 2 * SIDE - 50 * (len(panels) - 1)) / max(len(panels), 1)
    parts = []
    for number, (panel, rows) in enumerate(panels):
        left = SIDE + number * (width + 50)
        names = max(text_width(shortened(name)) for name, _ in rows) * letters + 14
        origin, scale = left + names, (width - names) / max(last - day_number(dt.date(begin, 1, 1)), 1)
        zero = day_number(dt.date(begin, 1, 1))
        parts.append(_text(left, TOP + 16, panel, 20, weight="bold"))
        parts += _years(begin, from_day_number(last).year, origin, scale, zero, TOP + 34, TOP + 40 + len(rows) * line)
        for at, (name, bars) in enumerate(rows):
            y = TOP + 46 + at * line
            parts.append(_text(left, y + line * 0.5 + letters * 0.35 - 2, shortened(name), letters))
            for bar in bars:
                start, end = (
                    origin + ((bar.since or zero) - zero) * scale,
                    origin + (min(bar.until or last, last) - zero) * scale,
                )
                told = str(bar.attributes["status"])
                colour = STATUS.get(told, OTHER)
                tip = html.escape(f"{name}: {told} from {bar.valid_from} until {bar.valid_until or 'today'}")
                parts.append(
                    f'<rect x="{start:.1f}" y="{y + line * 0.16:.1f}" width="{max(end - start, 1.5):.1f}" '
                    f'height="{line * 0.62:.1f}" rx="2" fill="{colour}"><title>{tip}</title></rect>'
                )
    return height, parts


def _years(begin: int, end: int, origin: float, scale: float, zero: int, top: float, bottom: float) -> Iterator[str]:
    step = 1 if end - begin <= 8 else 2 if end - begin <= 14 else 5
    for year in range(begin + -begin % step, end + 1, step):
        x = origin + (day_number(dt.date(year, 1, 1)) - zero) * scale
        yield f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom:.1f}" stroke="#dddddd"/>'
        yield _text(x, top - 4, str(year), 14, "#555555", anchor="middle")


def _statuses(graph: Graph) -> list[str]:
    found = {str(edge.attributes["status"]) for edge in graph.edges if "status" in edge.attributes}
    return [*(status for status in STATUS if status in found), *sorted(found - STATUS.keys())]


def _text(
    x: float, y: float, text: str, size: float, colour: str = "#1a1a1a", weight: str = "", anchor: str = ""
) -> str:
    more = (f' font-weight="{weight}"' if weight else "") + (f' text-anchor="{anchor}"' if anchor else "")
    halo = ' stroke="#ffffff" stroke-width="3" stroke-opacity="0.85" paint-order="stroke"' if size < 30 else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:.1f}" fill="{colour}"{more}{halo}>{html.escape(text)}</text>'
    )
