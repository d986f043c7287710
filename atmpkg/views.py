"""Views: query files whose rows are drawn as a graph.

A view is a SELECT query with the header of a question and two entries more. ``nodes`` names the variables that stand
for things, ``edges`` says between which of them a row draws a line (where both, and its ``id``, are bound); a column
tells about the node or edge that it names under ``of``::

    #+ nodes:
    #+   product: {kind: product, label: product_name, category: biolink:Drug}
    #+   disease: {kind: disease, label: disease_name, category: biolink:Disease}
    #+ edges:
    #+   meant_for: {from: product, to: disease, id: row, predicate: biolink:treats_or_applied_or_studied_to_treat}
    #+ columns:
    #+   modality: {of: product, meaning: Kind of therapy}

A ``kind``, ``category``, ``predicate`` or ``caption`` that begins with ``?`` is read from that variable.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from atmpkg.answers import Remarks, Value, value_of
from atmpkg.dates import FOREVER, NEVER, from_day_number
from atmpkg.errors import DataError, Problem, UsageError, one_of, quoted
from atmpkg.names import DATA, Names
from atmpkg.queries import AnswerColumn, Parameter, Query, read_query
from atmpkg.stores import Store, solutions

if TYPE_CHECKING:
    import pyoxigraph as ox

Held = Value | tuple[str, ...]  # what an attribute holds: a plain value, or several texts
Attributes = Mapping[str, Held]

LAYOUTS = ("columns", "force", "timeline", "tree")
RESERVED = ("id", "kind", "label", "category", "source", "target", "predicate", "row", "valid_from", "valid_until")

AROUND = (
    Parameter("around", "thing", "Only what is within so many hops of these things"),
    Parameter("hops", "integer", "How many hops (1 when omitted)", many=False),
)


@dataclass(frozen=True)
class NodeRole:
    """A variable of a view that stands for a thing."""

    name: str
    kind: str
    label: str = ""
    category: str = "biolink:NamedThing"
    column: str = ""  # of a picture in columns; the next one when omitted
    meaning: str = ""


@dataclass(frozen=True)
class EdgeRole:
    """A line that a row of a view draws, where both of its ends and its id (if it names one) are bound."""

    name: str
    start: str
    end: str
    id: str = ""  # variable of the row that says so
    since: str = ""  # variable of the first day number
    until: str = ""  # variable of the day number on which it no longer holds
    caption: str = ""
    predicate: str = "biolink:related_to"
    quiet: str = ""  # yes: the interactive page shows it only when asked
    meaning: str = ""


@dataclass(frozen=True)
class View:
    """A view, read: its query, roles and layout."""

    query: Query
    nodes: tuple[NodeRole, ...]
    edges: tuple[EdgeRole, ...]
    layout: str = "force"

    @classmethod
    def read(cls, path: Path) -> View:
        """Read a view file; raise DataError naming every fault of its header."""
        return cls.of(read_query(path))

    @classmethod
    def of(cls, query: Query) -> View:
        """Take the roles from the header of a query."""
        problems = list(_faults(query))
        if problems:
            raise DataError(problems)
        nodes = tuple(NodeRole(**{"name": name} | about) for name, about in _entries(query, "nodes"))
        edges = tuple(
            EdgeRole(**{"name": name} | {_FIELD.get(key, key): text for key, text in about.items()})
            for name, about in _entries(query, "edges")
        )
        known = replace(query, verb="draw", parameters=(*query.parameters, *AROUND))
        return cls(known, nodes, edges, query.text("layout") or "force")

    @property
    def node_columns(self) -> tuple[AnswerColumn, ...]:
        """The columns that tell about nodes, each name once."""
        names = {role.name for role in self.nodes}
        return tuple(column for column in self.query.columns if column.of in names)

    @property
    def edge_columns(self) -> tuple[AnswerColumn, ...]:
        """The columns that tell about edges."""
        names = {role.name for role in self.nodes}
        return tuple(column for column in self.query.columns if column.of not in names)


@functools.lru_cache(maxsize=1 << 14)
def _iso(day: int) -> str:
    return from_day_number(day).isoformat()


@dataclass(frozen=True, slots=True)
class Node:
    """A thing in a graph."""

    id: str
    kind: str
    label: str
    category: str
    iri: str = ""
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Edge:
    """A line between two things: what it says, where that is stated, and when it holds (``until`` no longer)."""

    id: str
    kind: str
    start: str
    end: str
    label: str
    predicate: str
    row: str = ""
    since: int | None = None
    until: int | None = None
    attributes: Attributes = field(default_factory=dict)

    @property
    def valid_from(self) -> str | None:
        """First day on which it holds, in ISO 8601; None where it has no beginning."""
        return None if self.since is None else _iso(self.since)

    @property
    def valid_until(self) -> str | None:
        """Day on which it no longer holds, in ISO 8601; None where it has no end."""
        return None if self.until is None else _iso(self.until)


Thing = TypeVar("Thing", Node, Edge)


@dataclass(frozen=True)
class Graph:
    """What a view draws: nodes in the order of their ids, and edges that can be read again and again.

    ``quads`` are the statements behind it, ``tables`` the rows of the tables that it is made from.
    """

    name: str
    title: str
    nodes: Sequence[Node]
    edges: Iterable[Edge]
    node_columns: tuple[AnswerColumn, ...] = ()
    edge_columns: tuple[AnswerColumn, ...] = ()
    layout: str = "force"
    remarks: Remarks = field(default_factory=Remarks)
    quads: Iterable[ox.Quad] = ()
    prefixes: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, Iterable[Sequence[str]]] = field(default_factory=dict)
    kinds: Mapping[str, int] = field(default_factory=dict)  # of nodes, each with its column in a picture
    edge_kinds: Mapping[str, str] = field(default_factory=dict)  # meaning of each
    sources: Iterable[tuple[str, str, str]] = ()  # id, title and URL of those there are
    quiet: tuple[str, ...] = ()  # kinds of edges that a page shows only when asked
    timed: bool = False  # whether edges may begin and end

    def lines(self) -> list[str]:
        """Return the remarks that stand beside a drawing: how much it shows, as of when, known until when."""
        *warning, said = self.remarks.lines(0)
        count = self.edges.count if isinstance(self.edges, Counted) else None
        count = sum(1 for _ in self.edges) if count is None else count
        return [*warning, f"{len(self.nodes)} nodes, {count} edges" + said.removeprefix("0 rows")]

    def around(self, centre: Iterable[str], hops: int) -> Graph:
        """Keep what is within so many hops of the nodes with these ids, whatever the direction of the lines."""
        near = set(centre)
        beside: dict[str, set[str]] = {}
        for edge in self.edges:
            beside.setdefault(edge.start, set()).add(edge.end)
            beside.setdefault(edge.end, set()).add(edge.start)
        rim = set(near)
        for _ in range(hops):
            rim = {other for id in rim for other in beside.get(id, ())} - near
            near |= rim
        edges = tuple(edge for edge in self.edges if edge.start in near and edge.end in near)
        return replace(self, nodes=[node for node in self.nodes if node.id in near], edges=edges)


@dataclass(frozen=True)
class Again:
    """An iterable that makes its iterator anew each time, so that much can be read twice and never be kept."""

    make: Callable[[], Iterator[Any]]

    def __iter__(self) -> Iterator[Any]:
        return self.make()


class Counted:
    """Edges that are counted while they are read, with a word every so many."""

    def __init__(self, edges: Iterable[Edge], say: Callable[[str], None], every: int = 100_000) -> None:
        self.count: int | None = None
        self._edges, self._say, self._every = edges, say, every

    def __iter__(self) -> Iterator[Edge]:
        at = 0
        for at, edge in enumerate(self._edges, 1):
            if at % self._every == 0:
                self._say(f"{at:,} edges")
            yield edge
        self.count = at


def draw(view: View, store: Store, names: Names, terms: Mapping[str, Sequence[str]]) -> Graph:
    """Run a view with its parameters bound; nodes are collected, edges are read from the store when asked for."""
    sparql = view.query.bind({name: values for name, values in terms.items() if name not in ("around", "hops")})
    rows = Again(lambda: _rows(store, sparql))
    found: dict[str, Node] = {}
    kinds: list[set[str]] = [set() for _ in view.nodes]
    for row in rows:
        for role, seen in zip(view.nodes, kinds, strict=True):
            if node := _node(role, view, row, names):
                seen.add(node.kind)
                found[node.id] = _joined(found[node.id], node) if node.id in found else node
    graph = Graph(
        name=view.query.name,
        title=view.query.title,
        nodes=[found[id] for id in sorted(found)],
        edges=Again(lambda: _edges(view, rows, names)),
        node_columns=tuple({column.name: column for column in view.node_columns}.values()),
        edge_columns=view.edge_columns,
        layout=view.layout,
        prefixes=names.uris,
        kinds=_columns(view, kinds),
        edge_kinds={role.name: role.meaning for role in view.edges},
        quiet=tuple(role.name for role in view.edges if role.quiet == "True"),
        timed=any(role.since for role in view.edges),
    )
    if centre := [_short(term.strip("<>"), names) for term in terms.get("around", ())]:
        if missing := [id for id in centre if id not in found]:
            raise UsageError(f"cannot draw around {', '.join(missing)}: the view {view.query.name} does not show it.")
        hops = int(terms["hops"][0].split('"')[1]) if terms.get("hops") else 1
        graph = graph.around(centre, hops)
    return replace(graph, quads=Again(lambda: _behind(graph, store, names)))


def _columns(view: View, kinds: Sequence[Iterable[str]]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for at, (role, found) in enumerate(zip(view.nodes, kinds, strict=True)):
        for kind in sorted(found):
            columns.setdefault(kind, int(role.column or at))
    return columns


def _rows(store: Store, sparql: str) -> Iterator[Mapping[str, Any]]:
    result = store.query(sparql)
    variables: list[Any] = list(getattr(result, "variables", ()))
    names = [variable.value for variable in variables]
    for solution in solutions(result):  # type: ignore[arg-type]  # a view is a SELECT
        yield {name: term for name, term in zip(names, solution, strict=True) if term is not None}


def _node(role: NodeRole, view: View, row: Mapping[str, Any], names: Names) -> Node | None:
    term = row.get(role.name)
    if term is None:
        return None
    kind = _told(role.kind, row)
    id = _id(term, kind, names)
    told = row.get(role.label)
    label = told.value if told is not None and told.value else id.partition(":")[2] or id
    iri = term.value if _is_iri(term) else ""
    return Node(id, kind, label, _told(role.category, row), iri, _attributes(view.node_columns, role.name, row))


def _edges(view: View, rows: Iterable[Mapping[str, Any]], names: Names) -> Iterator[Edge]:
    """Yield the edges; what follows directly with the same id is the same edge, told once more with other values."""
    kinds = {role.name: role.kind for role in view.nodes}
    stated = [role.id for role in view.edges if role.id]
    shared = {id for id in stated if stated.count(id) > 1}
    held: dict[str, Edge] = {}
    for row in rows:
        for role in view.edges:
            start, end = row.get(role.start), row.get(role.end)
            if start is None or end is None or (role.id and role.id not in row):
                continue
            edge = _edge(
                role,
                view,
                row,
                names,
                (_id(start, _told(kinds[role.start], row), names), _id(end, _told(kinds[role.end], row), names)),
                role.id in shared,
            )
            last = held.get(role.name)
            if last and last.id == edge.id:
                held[role.name] = _joined(last, edge)
                continue
            if last:
                yield last
            held[role.name] = edge
    yield from held.values()


def _edge(
    role: EdgeRole, view: View, row: Mapping[str, Any], names: Names, ends: tuple[str, str], shared: bool
) -> Edge:
    stated = row.get(role.id)
    told = _short(stated.value, names) if stated is not None else ""
    name = f"{told}/{role.name}" if told and shared else told
    label = _told(role.caption, row) or role.name.replace("_", " ")
    since, until = _day(row.get(role.since), NEVER), _day(row.get(role.until), FOREVER)
    return Edge(
        id=name or f"{ends[0]}--{label}--{ends[1]}",
        kind=role.name,
        start=ends[0],
        end=ends[1],
        label=label,
        predicate=_told(role.predicate, row),
        row=told,
        since=since,
        until=until,
        attributes=_attributes(view.edge_columns, role.name, row),
    )


def _attributes(columns: Iterable[AnswerColumn], role: str, row: Mapping[str, Any]) -> dict[str, Held]:
    found: dict[str, Held] = {}
    for column in columns:
        if column.of in (role, "") and (value := value_of(row.get(column.name), column)) is not None:
            found[column.name] = tuple(str(value).split("|")) if column.many else value
    return found


def _joined(first: Thing, second: Thing) -> Thing:
    """Put together what two rows tell about one thing; of two single values the smaller, so that order is no matter."""
    if first.attributes == second.attributes:
        return first
    told = dict(first.attributes)
    for name, value in second.attributes.items():
        told[name] = _both(told.get(name), value)
    return replace(first, attributes=dict(sorted(told.items())))


def _both(have: Held, value: Held) -> Held:
    if have is None or have == value:
        return value
    if isinstance(have, tuple) and isinstance(value, tuple):
        return tuple(sorted({*have, *value}))
    return min(have, value, key=str)


def _told(text: str, row: Mapping[str, Any]) -> str:
    if not text.startswith("?"):
        return text
    term = row.get(text[1:])
    return "" if term is None else str(term.value)


def _is_iri(term: Any) -> bool:
    return not hasattr(term, "datatype") and term.value != "" and ":" in term.value


def _id(term: Any, kind: str, names: Names) -> str:
    return _short(term.value, names) if _is_iri(term) else f"{kind}:{term.value}"


def _short(iri: str, names: Names) -> str:
    """Return the CURIE of an IRI; rows that rules derive (status intervals) get one like those of tables."""
    short = names.compact(iri)
    return short.removeprefix(DATA).replace("/", ":", 1) if short.startswith(DATA) else short


def _long(short: str, names: Names) -> str:
    prefix, colon, local = short.partition(":")
    if not colon or local.startswith("//"):
        return short
    return f"{names.uris.get(prefix, f'{DATA}{prefix}/')}{local}"


def _day(term: Any, open_end: int) -> int | None:
    return None if term is None or int(term.value) == open_end else int(term.value)


def _behind(graph: Graph, store: Store, names: Names) -> Iterator[ox.Quad]:
    """Yield the statements about the things and rows of a graph, and about the dates that these name, in order."""
    import pyoxigraph as ox

    about = {node.iri for node in graph.nodes} | {_long(edge.row, names) for edge in graph.edges}
    dates: set[str] = set()
    for batch in _batches(sorted(about - {""})):
        for quad in _described(store, batch):
            if isinstance(quad.object, ox.NamedNode) and quad.object.value.startswith(f"{DATA}date/"):
                dates.add(quad.object.value)
            yield quad
    for batch in _batches(sorted(dates)):
        yield from _described(store, batch)


def _batches(iris: Sequence[str], size: int = 500) -> Iterator[Sequence[str]]:
    return (iris[at : at + size] for at in range(0, len(iris), size))


def _described(store: Store, iris: Iterable[str]) -> list[ox.Quad]:
    """Return the quads with these subjects, sorted; axioms over nameless classes stay in the ontology files."""
    import pyoxigraph as ox

    values = " ".join(f"<{iri}>" for iri in iris)
    result = store.query(f"SELECT * {{ VALUES ?s {{ {values} }} GRAPH ?g {{ ?s ?p ?o }} FILTER(!ISBLANK(?o)) }}")
    quads = [ox.Quad(row["s"], row["p"], row["o"], row["g"]) for row in solutions(result)]  # type: ignore[arg-type]  # all four are bound
    return sorted(quads, key=str)


_FIELD = {"from": "start", "to": "end"}


def _entries(query: Query, key: str) -> Iterator[tuple[str, dict[str, str]]]:
    entries = query.header.get(key) or {}
    for name, about in entries.items() if isinstance(entries, dict) else ():
        yield str(name), {str(k): str(v) for k, v in about.items()} if isinstance(about, dict) else {}


def _faults(query: Query) -> Iterator[Problem]:
    file = query.path.name
    nodes, edges = dict(_entries(query, "nodes")), dict(_entries(query, "edges"))
    if not nodes:
        yield Problem(file, 0, "nodes", "none", "the variables that stand for things, each with its kind")
    known = {"nodes": {"kind", "label", "category", "column", "meaning"}}
    known["edges"] = {_back(name) for name in EdgeRole.__dataclass_fields__} - {"name"}
    for key, entries in (("nodes", nodes), ("edges", edges)):
        for name, about in entries.items():
            for word in about.keys() - known[key]:
                yield Problem(file, 0, f"{key}.{name}", quoted(word), one_of(sorted(known[key])))
    for name, about in nodes.items():
        if "kind" not in about:
            yield Problem(file, 0, f"nodes.{name}", "no kind", "kind: a word, or ?variable")
    for name, about in edges.items():
        for end in ("from", "to"):
            if about.get(end) not in nodes:
                yield Problem(file, 0, f"edges.{name}.{end}", quoted(about.get(end, "")), one_of(nodes))
    for column in query.columns:
        if column.name in RESERVED:
            yield Problem(file, 0, f"columns.{column.name}", quoted(column.name), "a name that no format uses itself")
        if column.of and column.of not in (*nodes, *edges):
            yield Problem(file, 0, f"columns.{column.name}.of", quoted(column.of), one_of([*nodes, *edges]))
    for name, about in nodes.items():
        if not about.get("column", "0").isdigit():
            yield Problem(file, 0, f"nodes.{name}.column", quoted(about["column"]), "a whole number")
    if (layout := query.text("layout")) and layout not in LAYOUTS:
        yield Problem(file, 0, "layout", quoted(layout), one_of(LAYOUTS))


def _back(name: str) -> str:
    return {field: word for word, field in _FIELD.items()}.get(name, name)
