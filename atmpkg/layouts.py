"""Where things stand in a picture: layouts that leave room for every label.

A layout gives each node a point and the height of its letters; labels stand to the right of their points.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from atmpkg.errors import StoreError
from atmpkg.views import Edge, Graph, Node

WIDTH, HEIGHT = 1920, 1080  # of a slide
TOP, BOTTOM, SIDE = 110, 50, 40
SMALLEST, LARGEST = 11.0, 20.0  # letters, in pixels of a slide
_LONGEST = 40  # letters of a label
_GAP = 3.2  # letter heights between two columns
_LINE = 1.35  # letter heights from one line of text to the next
_NARROW, _WIDE = set("iljtfrI.,:;'|!()[] -"), set("mwMW@%")


@dataclass(frozen=True)
class Place:
    """Where a node stands, how wide its label is, and where lines leave the column of labels."""

    x: float
    y: float
    label: str
    width: float
    leave: float
    column: int


@dataclass(frozen=True)
class Layout:
    """Places of the nodes of a graph, in pixels."""

    places: Mapping[str, Place]
    letters: float
    height: float = HEIGHT


def text_width(text: str) -> float:
    """Estimate the width of a text in letter heights, as in Helvetica."""
    return sum(
        0.29 if c in _NARROW else 0.86 if c in _WIDE else 0.69 if c.isupper() else 1.0 if ord(c) > 0x2E80 else 0.55
        for c in text
    )


def shortened(text: str, most: int = _LONGEST) -> str:
    """Cut a text to so many letters.

    >>> shortened("axicabtagene ciloleucel", 10)
    'axicabtag…'
    """
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def columns(graph: Graph) -> Layout:
    """Stand the kinds beside each other, and what hangs together in a block; blocks fill up to four piles."""
    if not graph.nodes:
        return Layout({}, LARGEST)
    parts = _components(graph)
    blocks = sorted((_block(graph, part) for part in parts), key=lambda block: (-block.rows, block.name))
    widths: dict[int, float] = defaultdict(float)
    for node in graph.nodes:
        number = graph.kinds[node.kind]
        widths[number] = max(widths[number], text_width(shortened(node.label)))
    numbers = sorted(widths)
    broad = sum(widths.values()) + _GAP * (len(numbers) - 1) + 1.5
    best = _packed(blocks, 1, broad)
    for piles in (2, 3, 4):
        if (other := _packed(blocks, piles, broad)).letters > best.letters * 1.15:
            best = other
    letters = max(SMALLEST, best.letters)
    most = max(best.heights, default=1.0)
    height = max(HEIGHT, TOP + BOTTOM + most * _LINE * letters)
    line = min((height - TOP - BOTTOM) / most, letters * 3)
    pile = (WIDTH - 2 * SIDE) / len(best.heights)
    room = pile * (1.0 if len(best.heights) == 1 else 0.95)
    gap = _GAP * letters + (room - broad * letters) / max(len(numbers) - 1, 1)
    lefts = {}
    x = letters
    for number in numbers:
        lefts[number] = x
        x += widths[number] * letters + gap
    places = {}
    for block, at, top in best.blocks:
        for number, column in block.columns.items():
            for row, node in enumerate(column):
                label = shortened(node.label)
                places[node.id] = Place(
                    x=SIDE + at * pile + lefts[number],
                    y=TOP + (top + (row + 0.5) * block.rows / len(column)) * line,
                    label=label,
                    width=text_width(label) * letters,
                    leave=SIDE + at * pile + lefts[number] + (widths[number] + 0.9) * letters,
                    column=number,
                )
    return Layout(places, letters, height)


@dataclass(frozen=True)
class _Block:
    """What hangs together, in columns whose order leaves few crossings."""

    columns: Mapping[int, Sequence[Node]]
    rows: int
    name: str


def _block(graph: Graph, part: tuple[Sequence[Node], Sequence[tuple[str, str]]]) -> _Block:
    nodes, pairs = part
    by_column: dict[int, list[Node]] = defaultdict(list)
    for node in sorted(nodes, key=lambda node: (node.label, node.id)):
        by_column[graph.kinds[node.kind]].append(node)
    numbers = sorted(by_column)
    ordered = _uncrossed([by_column[number] for number in numbers], pairs)
    return _Block(dict(zip(numbers, ordered, strict=True)), max(map(len, ordered)), min(node.label for node in nodes))


@dataclass(frozen=True)
class _Packing:
    letters: float
    heights: Sequence[float]
    blocks: Sequence[tuple[_Block, int, float]]


def _packed(blocks: Sequence[_Block], piles: int, broad: float) -> _Packing:
    """Put each block on the lowest of so many piles; the letters are as large as the piles allow."""
    heights = [0.0] * piles
    placed = []
    for block in blocks:
        at = heights.index(min(heights))
        placed.append((block, at, heights[at]))
        heights[at] += block.rows + 0.5
    high = (HEIGHT - TOP - BOTTOM) / (_LINE * max(max(heights), 1.0))
    return _Packing(min(LARGEST, high, 0.95 * (WIDTH - 2 * SIDE) / piles / broad), heights, placed)


def _components(graph: Graph) -> list[tuple[list[Node], list[tuple[str, str]]]]:
    """Return the nodes and lines of each part of a graph that hangs together, the same in every run."""
    leader = {node.id: node.id for node in graph.nodes}

    def root(id: str) -> str:
        while leader[id] != id:
            leader[id] = leader[leader[id]]
            id = leader[id]
        return id

    pairs = sorted({(edge.start, edge.end) for edge in graph.edges})
    for start, end in pairs:
        one, other = sorted((root(start), root(end)))
        leader[other] = one
    parts: dict[str, tuple[list[Node], list[tuple[str, str]]]] = {}
    for node in graph.nodes:
        parts.setdefault(root(node.id), ([], []))[0].append(node)
    for start, end in pairs:
        parts[root(start)][1].append((start, end))
    return list(parts.values())


def _uncrossed(columns: list[list[Node]], pairs: Iterable[tuple[str, str]]) -> list[list[Node]]:
    """Order each column by the mean place of what its nodes are joined to, over and over, and keep the best."""
    beside: dict[str, list[str]] = defaultdict(list)
    for start, end in pairs:
        beside[start].append(end)
        beside[end].append(start)

    def places(of: Sequence[Sequence[Node]]) -> dict[str, float]:
        return {node.id: (at + 0.5) / len(column) for column in of for at, node in enumerate(column)}

    def length(of: Sequence[Sequence[Node]]) -> float:
        place = places(of)
        return sum(abs(place[id] - place[other]) for id in place for other in beside[id])

    best, shortest = columns, length(columns)
    for turn in range(24):
        order = range(len(columns)) if turn % 2 else reversed(range(len(columns)))
        for number in order:
            place = places(columns)
            means = {
                node.id: sum(place[other] for other in beside[node.id]) / len(beside[node.id])
                if beside[node.id]
                else place[node.id]
                for node in columns[number]
            }
            columns = [*columns]
            columns[number] = sorted(columns[number], key=lambda node: (means[node.id], node.label, node.id))
        if (now := length(columns)) < shortest - 1e-9:
            best, shortest = columns, now
    return best


def tree(graph: Graph) -> Layout:
    """Stand each node to the right of what it hangs from, the leaves below each other."""
    above: dict[str, str] = {}
    below: dict[str, list[str]] = defaultdict(list)
    nodes = {node.id: node for node in graph.nodes}
    for edge in sorted(graph.edges, key=lambda edge: (edge.start, edge.end)):
        if edge.start not in above and edge.end != edge.start:
            above[edge.start] = edge.end
            below[edge.end].append(edge.start)
    depth: dict[str, int] = {}
    row: dict[str, float] = {}
    leaves = 0.0

    def visit(id: str, level: int) -> None:
        nonlocal leaves
        depth[id] = level
        children = sorted((child for child in below[id] if child not in depth), key=lambda child: nodes[child].label)
        for child in children:
            visit(child, level + 1)
        if children:
            row[id] = (row[children[0]] + row[children[-1]]) / 2
        else:
            row[id] = leaves
            leaves += 1

    for id in sorted(nodes.keys() - above.keys(), key=lambda id: nodes[id].label):
        visit(id, 0)
    for id in sorted(nodes.keys() - depth.keys()):  # in a circle
        visit(id, 0)
    levels = max(depth.values(), default=0) + 1
    widths = [0.0] * levels
    for id, level in depth.items():
        widths[level] = max(widths[level], text_width(shortened(nodes[id].label)))
    room = WIDTH - 2 * SIDE
    high = (HEIGHT - TOP - BOTTOM) / (_LINE * max(leaves, 1))
    letters = max(SMALLEST, min(LARGEST, high, room / (sum(widths) + _GAP * levels)))
    line = max(letters * _LINE, min((HEIGHT - TOP - BOTTOM) / max(leaves, 1), letters * 3))
    gap = min(360.0, max(_GAP * letters, (room - sum(widths) * letters) / levels))
    lefts = [SIDE + sum(widths[:level]) * letters + gap * level for level in range(levels)]
    places = {}
    for id, level in depth.items():
        label = shortened(nodes[id].label)
        x, y = lefts[level] + letters, TOP + (row[id] + 0.5) * line
        leave = x + (widths[level] + 0.9) * letters
        places[id] = Place(x, y, label, text_width(label) * letters, leave, level)
    return Layout(places, letters, max(HEIGHT, TOP + BOTTOM + leaves * line))


def force(graph: Graph) -> Layout:
    """Let lines pull and nodes push; only the nodes with most lines are labelled, where there is room."""
    try:
        import igraph
    except ImportError:
        raise StoreError(
            "cannot lay out the picture: igraph is missing. Install it: pip install 'atmpkg[plot]'"
        ) from None
    igraph.set_random_number_generator(random.Random(7))
    number = {node.id: at for at, node in enumerate(graph.nodes)}
    pairs = sorted({(number[edge.start], number[edge.end]) for edge in graph.edges})
    drawn = igraph.Graph(n=len(number), edges=pairs)
    seed = [[random.Random(at).random(), random.Random(-at - 1).random()] for at in range(len(number))]
    points = drawn.layout_fruchterman_reingold(
        niter=max(50, min(400, 400_000 // max(len(number), 1))),
        seed=seed,
        grid="nogrid" if len(number) < 1000 else "grid",
    )
    xs, ys = (
        _fitted([x for x, _ in points], WIDTH - 2 * SIDE - 160),
        _fitted([y for _, y in points], HEIGHT - TOP - BOTTOM),
    )
    letters = 15.0
    labels = _uncovered(graph.nodes, xs, ys, drawn.degree(), letters)
    return Layout(
        {
            node.id: Place(
                SIDE + 20 + xs[at], TOP + ys[at], labels.get(node.id, ""), text_width(node.label) * letters, 0.0, 0
            )
            for at, node in enumerate(graph.nodes)
        },
        letters,
    )


def _fitted(values: Sequence[float], room: float) -> list[float]:
    """Spread values over the room by their rank and their size, so that crowds open up and outliers come near."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    rank = {at: number for number, at in enumerate(sorted(range(len(values)), key=lambda at: values[at]))}
    most = max(len(values) - 1, 1)
    return [
        room * (0.5 * (value - low) / ((high - low) or 1.0) + 0.5 * rank[at] / most) for at, value in enumerate(values)
    ]


def _uncovered(
    nodes: Sequence[Node], xs: Sequence[float], ys: Sequence[float], degrees: Sequence[int], letters: float
) -> dict[str, str]:
    """Choose the labels of the most joined nodes that do not cover each other."""
    shown: dict[str, str] = {}
    boxes: list[tuple[float, float, float]] = []
    for at in sorted(range(len(nodes)), key=lambda at: (-degrees[at], nodes[at].id))[:400]:
        if nodes[at].id.endswith(f":{nodes[at].label}"):  # no name of its own
            continue
        label = shortened(nodes[at].label, 28)
        left, right = xs[at], xs[at] + (text_width(label) + 1.2) * letters
        if all(right < a or left > b or abs(ys[at] - y) > letters * 1.4 for a, b, y in boxes):
            boxes.append((left, right, ys[at]))
            shown[nodes[at].id] = label
        if len(shown) == 60:
            break
    return shown


def dated(graph: Graph) -> Layout:
    """Stand the first kind below each other, what happened to each to its right by date, the second kind on top."""
    first, second, *_ = sorted({0, 1, *graph.kinds.values()})
    column = {node.id: graph.kinds[node.kind] for node in graph.nodes}
    events = [e for e in graph.edges if e.since is not None and column[e.start] == first and column[e.end] > second]
    days = [edge.since for edge in events if edge.since is not None]
    low, high = min(days, default=0), max(days, default=1)
    earliest = {edge.start: edge.since or 0 for edge in sorted(events, key=lambda e: -(e.since or 0))}
    things = [node for node in graph.nodes if column[node.id] == first]
    things.sort(key=lambda node: (earliest.get(node.id, high), node.label))
    letters, line = 13.0, 20.0
    origin = SIDE + max((text_width(shortened(node.label)) for node in things), default=0) * letters + 60
    rows = {node.id: TOP + 60 + at * line for at, node in enumerate(things)}
    places = {}
    at = 0
    for node in graph.nodes:
        if node.id in rows:
            places[node.id] = Place(SIDE, rows[node.id], shortened(node.label), 0.0, 0.0, 0)
        elif column[node.id] == second:
            places[node.id] = Place(origin + at * 260, TOP, shortened(node.label), 0.0, 0.0, 1)
            at += 1
    for edge in events:
        x = origin + ((edge.since or low) - low) / max(high - low, 1) * (WIDTH - SIDE - origin)
        places[edge.end] = Place(x, rows[edge.start], "", 0.0, 0.0, 2)
    return Layout(places, letters, TOP + 60 + len(things) * line)


def lanes(graph: Graph) -> list[tuple[str, list[tuple[str, list[Edge]]]]]:
    """Return the bars of a timeline by the thing they end at and the thing they start from, the earliest first."""
    label = {node.id: node.label for node in graph.nodes}
    panels: dict[str, dict[str, list[Edge]]] = defaultdict(lambda: defaultdict(list))
    for edge in graph.edges:
        if edge.since is not None and "status" in edge.attributes:
            panels[label[edge.end]][edge.start].append(edge)
    return [
        (
            panel,
            sorted(
                ((label[id], sorted(bars, key=lambda bar: bar.since or 0)) for id, bars in rows.items()),
                key=lambda lane: (lane[1][0].since, lane[0]),
            ),
        )
        for panel, rows in sorted(panels.items())
    ]
