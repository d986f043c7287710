"""Publishing: a built graph onto a server, so that readers see the old one or the new one and never a mixture.

Every graph is first loaded into a graph of its own below ``https://w3id.org/atmpkg/store/``, and counted there, and all
are united in one more. Then one update moves them to their places and writes the manifest, which names the build, its
graphs and their triples.
While that update runs the manifest says so, and readers wait; if it is broken off, they are told.

The rules are not run on the server: it gets what the embedded store inferred, so that both hold the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from atmpkg.errors import StoreError
from atmpkg.names import GRAPH, ONTOLOGY
from atmpkg.project import FORMAT
from atmpkg.remote import CHANGING, MANIFEST, STAGING, Remote
from atmpkg.stores import Embedded

_PART = 4_000_000  # bytes of N-Triples in one request


def publish(store: Embedded, build: str, remote: Remote, say: Callable[[str], None] = lambda line: None) -> int:
    """Make a server hold what an embedded store holds, under the name of a build; return the number of triples.

    What an upload before this one left unfinished is taken up where it broke off. Raises StoreError where the server
    refuses something or holds less than it was given; what it held before is then as it was.
    """
    graphs = store.graphs()
    union = f"{STAGING}{build}/"
    if remote.holds(build, union, graphs):
        say(f"{remote.addresses.query} holds this build already")
        return sum(graphs.values())
    staged = {graph: f"{union}{graph.removeprefix(GRAPH)}" for graph in graphs}
    answering = remote.manifest().union
    if answering == union:  # and it is damaged
        remote.update(" ;\n".join(_manifest_update([CHANGING])), "announce the upload")
        answering = ""
    stale = {place for place in remote.names(STAGING) if place not in {answering, *staged.values()}}
    if stale:
        remote.update(_drop(stale), "remove an unfinished upload")
    before = remote.counts(staged.values())
    for number, (graph, place) in enumerate(staged.items(), 1):
        if (there := before.get(place, 0)) != graphs[graph]:
            _load(store, graph, place, remote, begun=0 < there < graphs[graph])
        say(f"loaded {number} of {len(staged)} graphs, {graph.removeprefix(GRAPH)} with {graphs[graph]:,} triples")
    _whole(remote.counts(staged.values()), {staged[graph]: count for graph, count in graphs.items()})
    for place in staged.values():
        remote.update(f"ADD <{place}> TO <{union}>", "unite the graphs")
    _whole(remote.counts([union]), {union: sum(graphs.values())})
    old = [graph for graph in remote.names(GRAPH) if graph not in graphs]
    remote.update(" ;\n".join(_swap(build, union, graphs, staged, old)), "put the graphs in their places")
    if not remote.holds(build, union, graphs):
        raise StoreError(
            f"cannot publish to {remote.addresses.query}: the graphs did not come to their places. Run it again."
        )
    if answering:
        remote.update(_drop([answering]), "remove the old graphs")
    return sum(graphs.values())


def manifest(build: str, union: str, graphs: dict[str, int]) -> Iterator[str]:
    """Yield the triples of the manifest, in N-Triples syntax."""
    yield f'<{MANIFEST}> <{ONTOLOGY}storeState> "current" .'
    yield f'<{MANIFEST}> <{ONTOLOGY}storeBuild> "{build}" .'
    yield f"<{MANIFEST}> <{ONTOLOGY}storeUnion> <{union}> ."
    yield f'<{MANIFEST}> <{ONTOLOGY}storeFormat> "{FORMAT}" .'
    for graph, count in graphs.items():
        yield f'<{graph}> <{ONTOLOGY}storeTriples> "{count}"^^<http://www.w3.org/2001/XMLSchema#integer> .'


def _swap(build: str, union: str, graphs: dict[str, int], staged: dict[str, str], old: Iterable[str]) -> Iterator[str]:
    yield from _manifest_update([CHANGING])
    yield from (f"DROP SILENT GRAPH <{graph}>" for graph in old)
    yield from (f"MOVE <{place}> TO <{graph}>" for graph, place in staged.items())
    yield from _manifest_update(manifest(build, union, graphs))


def _manifest_update(lines: Iterable[str]) -> Iterator[str]:
    yield f"DROP SILENT GRAPH <{MANIFEST}>"
    yield f"INSERT DATA {{ GRAPH <{MANIFEST}> {{ {' '.join(lines)} }} }}"


def _drop(graphs: Iterable[str]) -> str:
    return " ;\n".join(f"DROP SILENT GRAPH <{graph}>" for graph in sorted(graphs))


def _load(store: Embedded, graph: str, place: str, remote: Remote, *, begun: bool) -> None:
    """Load a graph in parts: all lines with blank nodes in the first, since their names hold in one request only.

    Where it was ``begun`` before and has no blank nodes, what is there need not be removed first.
    """
    with store.triples(graph) as lines:
        first = b"".join(line for line in lines if _has_blank(line))
        lines.seek(0)
        replace = bool(first) or not begun
        for part in _parts(line for line in lines if not _has_blank(line)):
            remote.put(place, first + part, replace=replace)
            first, replace = b"", False
        if first:
            remote.put(place, first, replace=True)


def _parts(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines together, in parts of about four megabytes."""
    part: list[bytes] = []
    size = 0
    for line in lines:
        part.append(line)
        size += len(line)
        if size >= _PART:
            yield b"".join(part)
            part, size = [], 0
    if part:
        yield b"".join(part)


def _has_blank(line: bytes) -> bool:
    """Tell whether a line of N-Triples has a blank node.

    >>> _has_blank(b'<urn:a> <urn:b> _:c .'), _has_blank(b'<urn:a> <urn:b> "_:c" .')
    (True, False)
    """
    return line.startswith(b"_:") or line.split(b" ", 2)[2].startswith(b"_:")


def _whole(found: dict[str, int], given: dict[str, int]) -> None:
    """Make sure that the server holds what it was given."""
    for graph, count in given.items():
        if found.get(graph, 0) != count:
            raise StoreError(
                f"cannot publish: the server took {count:,} triples for {graph} and holds {found.get(graph, 0):,}. "
                "What it held before is as it was. Is another upload running?"
            )
