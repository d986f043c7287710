"""Jobs: what a worker does, one at a time, and the replies it gives.

Every fault of a client becomes a reply with a status and a sentence; nothing of the inside is told.
"""

from __future__ import annotations

import datetime as dt
import gzip
import io
import resource
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from atmpkg.errors import AtmpkgError, StoreError, UsageError, quoted
from atmpkg.graph import KnowledgeGraph
from atmpkg.serve.guard import forbidden, names_dataset
from atmpkg.serve.negotiation import ANSWERS, QUADS, READABLE, ROWS, TRIPLES, best, media_type
from atmpkg.stores import Embedded, malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyoxigraph as ox

    from atmpkg.queries import Query

_CHARSET = ("text/", "application/n-triples", "application/n-quads", "application/trig")
_UNKNOWN_FUNCTION = "custom function"  # in the engine's message
_SMALLEST = 1024  # bytes worth compressing
_PREFIXED = ("ttl", "trig")
_TIDIED = 1 << 20  # bytes of a text that is looked through for the prefixes it uses


@dataclass(frozen=True)
class Reply:
    """What a client gets: a status, headers and a body; ``problem`` names the kind of fault, ``body`` then says it."""

    status: int
    body: bytes = b""
    media: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    problem: str = ""


def fault(status: int, problem: str, detail: str) -> Reply:
    """Return the reply to a request that cannot be met."""
    return Reply(status, detail.encode(), problem=problem)


@dataclass(frozen=True)
class Select:
    """A SPARQL query, with the dataset of the request (graph IRIs) where it names one."""

    sparql: str
    accept: str = ""
    base: str = ""
    default: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    gzip: bool = False


@dataclass(frozen=True)
class Ask:
    """A question with what was given for its parameters; ``format`` overrules the Accept header."""

    question: str
    given: Mapping[str, Sequence[str]]
    accept: str = ""
    format: str = ""
    with_sources: bool = False
    gzip: bool = False


@dataclass(frozen=True)
class Graph:
    """One graph to be read: its IRI, empty for the default graph, or None for the whole dataset."""

    iri: str | None
    accept: str = ""
    gzip: bool = False


@dataclass(frozen=True)
class Update:
    """A SPARQL update."""

    sparql: str
    base: str = ""


@dataclass(frozen=True)
class Put:
    """RDF for a graph, added to it or taking its place; each part has a media type and text."""

    iri: str
    parts: tuple[tuple[str, bytes], ...]
    base: str = ""
    replace: bool = False


@dataclass(frozen=True)
class Delete:
    """A graph to be removed."""

    iri: str


Job = Select | Ask | Graph | Update | Put | Delete


class Kept(KnowledgeGraph):
    """A graph whose questions and names were read before the workers were forked, so that none is read again."""

    _path: Path | None = None

    def question(self, name: str) -> Query:
        """Return one question."""
        return self.questions[name] if name in self.questions else super().question(name)

    def on(self, day: dt.date) -> Kept:
        """Return the graph as it is asked on a day: a server runs for weeks."""
        if day == self.today:
            return self
        other = Kept(self.store, self.project, today=day)
        other.__dict__ |= {"questions": self.questions, "names": self.names}
        other.resolver.take(self.index)
        return other

    def on_disk(self) -> Path | None:
        """Return the path of a store that is read from disk; nothing where it is in memory."""
        return self.store.path if isinstance(self.store, Embedded) else None

    def let_go(self) -> None:
        """Close the store: one on disk has threads of its own, and a process with threads must not be forked."""
        path, index = self.on_disk(), self.index
        self.store = Embedded.memory()
        for name in ("resolver", "completeness"):
            self.__dict__.pop(name, None)
        self.resolver.take(index)
        self._path = path

    def again(self) -> Kept:
        """Open the store that was let go, in a process of its own."""
        assert self._path is not None
        other = Kept(Embedded.open(self._path), self.project, today=self.today)
        other.__dict__ |= {"questions": self.questions, "names": self.names}
        other.resolver.take(self.index)
        return other

    def all_open(self) -> bool:
        """Say whether a query need open nothing: the graph is in memory, or every file of the store is open."""
        path = self.on_disk()
        if path is None:
            return True
        with suppress(OSError):  # a system without /proc
            held = {entry.resolve() for entry in Path("/proc/self/fd").iterdir()}
            return all(file.resolve() in held for file in path.glob("*.sst"))
        return False


class TooLarge(Exception):
    """An answer larger than it may be."""


class _Bounded(io.BytesIO):
    """Bytes up to a limit."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._left = limit

    def write(self, data: Any, /) -> int:
        self._left -= len(data)
        if self._left < 0:
            raise TooLarge
        return super().write(data)


@dataclass
class Bench:
    """Where a worker works: the opened graph and the bounds of an answer."""

    kg: Kept
    prefixes: Mapping[str, str]
    most: int  # bytes of an answer
    today: dt.date | None = None  # that questions are asked on, where it is not the day of the request
    guarded: bool = True  # refuse what would reach out
    confined: bool = False  # a query can open neither a socket nor a file: right where the whole graph is open

    def do(self, job: Job) -> Reply:
        """Do a job; what a client did wrong becomes a reply, as does what the engine cannot do."""
        try:
            return _DOERS[type(job)](self, job)
        except TooLarge:
            return fault(
                422, "answer-too-large", f"the answer is larger than {self.most} bytes; use LIMIT, or narrow it"
            )
        except MemoryError:
            return fault(422, "too-much-memory", "the query needs more memory than a query may use")
        except UsageError as error:
            return fault(400, "bad-request", str(error))
        except (AtmpkgError, OSError, RuntimeError, ValueError):
            return fault(500, "not-evaluated", "the query cannot be evaluated")

    def open(self) -> None:
        """Open in this process what cannot be shared between processes."""
        if not self.confined:
            self.kg = self.kg.again()
            self.confined = self.kg.all_open()

    @property
    def engine(self) -> ox.Store:
        """The engine's store."""
        if not isinstance(self.kg.store, Embedded):
            raise StoreError("cannot serve this store: it is not an embedded one.")
        return self.kg.store.engine


@contextmanager
def _without_new_files(confined: bool) -> Iterator[None]:
    """Let nothing be opened: no file, no socket. What is open stays usable."""
    if not confined:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _select(bench: Bench, job: Select) -> Reply:
    import pyoxigraph as ox

    if bench.guarded and (keyword := forbidden(job.sparql)):
        return fault(403, "reaches-out", f"{keyword} is not allowed here: queries are answered from this graph alone")
    chosen: dict[str, Any] = {"use_default_graph_as_union": not names_dataset(job.sparql)}
    if job.default or job.named:
        # SPARQL 1.1 Protocol, 2.1.4: the dataset of the request takes the place of the query's own.
        chosen = {
            "default_graph": [ox.NamedNode(iri) for iri in job.default],
            "named_graphs": [ox.NamedNode(iri) for iri in job.named],
        }
    with _without_new_files(bench.confined):
        try:
            result = bench.engine.query(
                job.sparql.rstrip(), base_iri=job.base or None, prefixes=dict(bench.prefixes), **chosen
            )
        except SyntaxError as error:
            return fault(400, "malformed-query", malformed(job.sparql.rstrip(), str(error)))
        except RuntimeError as error:
            if _UNKNOWN_FUNCTION not in str(error):
                raise
            return fault(400, "unknown-function", "the query calls a function that is not known here")
        if isinstance(result, ox.QueryTriples):
            media = best(job.accept, list(TRIPLES))
            if not media:
                return _unacceptable(TRIPLES)
            name, triples = TRIPLES[media], result
            format = _rdf_formats()[name]
            known = _prefixes(bench, name)
            body = _tidy(_written(bench, lambda out: ox.serialize(triples, out, format=format, prefixes=known)), name)
        else:
            media = best(job.accept, list(ROWS))
            if not media:
                return _unacceptable(ROWS)
            rows, kind = result, _rows_formats()[ROWS[media]]
            body = _written(bench, lambda out: rows.serialize(out, format=kind))
    return _reply(body, media, job.gzip)


def _prefixes(bench: Bench, format: str) -> dict[str, str] | None:
    return dict(bench.prefixes) if format in _PREFIXED else None


def _tidy(body: bytes, format: str) -> bytes:
    """Leave out the prefixes that a short text does not use."""
    if format not in _PREFIXED or len(body) > _TIDIED:
        return body
    lines = body.splitlines(keepends=True)
    head = next((at for at, line in enumerate(lines) if not line.startswith(b"@prefix ")), len(lines))
    rest = b"".join(lines[head:])
    return b"".join(line for line in lines[:head] if line.split()[1] in rest) + rest


def _ask(bench: Bench, job: Ask) -> Reply:
    from atmpkg.formats import FORMATS, content, web_page

    offered = (*FORMATS, "html")
    formats = {media: name for media, name in ANSWERS.items() if name in offered}
    if job.format and job.format not in offered:
        known = ", ".join(offered)
        return fault(400, "bad-request", f"cannot write {quoted(job.format)}: expected one of {known}")
    media = media_type(formats, job.format) if job.format else best(job.accept, list(formats))
    if not media:
        return _unacceptable(formats)
    kg = bench.kg = bench.kg.on(bench.today or dt.date.today())
    if job.question not in kg.questions:
        return fault(
            404, "no-such-question", f"there is no question {quoted(job.question)}; all are listed at /openapi.json"
        )
    answer = kg.ask(job.question, with_sources=job.with_sources, **job.given)
    name = job.format or formats[media]
    body = web_page(answer) if name == "html" else content(answer, name)
    if len(body) > bench.most:
        raise TooLarge
    remarks = answer.remarks
    about = {
        "Atmpkg-As-Of": remarks.as_of,
        "Atmpkg-Known-Until": remarks.knowledge_until,
        "Atmpkg-Rows": str(len(answer)),
        "Atmpkg-Nothing-Recorded": "" if remarks.nothing_recorded is None else str(remarks.nothing_recorded),
        "Atmpkg-Release": remarks.release,
    }
    return _reply(body, media, job.gzip, tuple((name, value) for name, value in about.items() if value))


def _graph(bench: Bench, job: Graph) -> Reply:
    import pyoxigraph as ox

    formats = TRIPLES if job.iri is not None else QUADS
    media = best(job.accept, list(formats))
    if not media:
        return _unacceptable(formats)
    name = formats[media]
    engine = bench.engine
    format = _rdf_formats()[name]
    known = _prefixes(bench, name)
    if job.iri is None:
        body = _written(bench, lambda out: engine.dump(out, format=format, prefixes=known))
        return _reply(_tidy(body, name), media, job.gzip)
    graph = ox.NamedNode(job.iri) if job.iri else ox.DefaultGraph()
    if isinstance(graph, ox.NamedNode) and not engine.contains_named_graph(graph):
        return fault(404, "no-such-graph", "there is no such graph")
    body = _written(bench, lambda out: engine.dump(out, format=format, from_graph=graph, prefixes=known))
    return _reply(_tidy(body, name), media, job.gzip)


def _update(bench: Bench, job: Update) -> Reply:
    if keyword := forbidden(job.sparql, update=True):
        return fault(403, "reaches-out", f"{keyword} is not allowed here")
    with _without_new_files(bench.confined):
        try:
            bench.engine.update(job.sparql, base_iri=job.base or None, prefixes=dict(bench.prefixes))
        except SyntaxError as error:
            return fault(
                400, "malformed-update", malformed(job.sparql, str(error)).replace("the query", "the update", 1)
            )
        except RuntimeError:
            return fault(409, "conflict", "the update does not fit the graphs that there are; nothing was changed")
    return Reply(204)


def _put(bench: Bench, job: Put) -> Reply:
    import pyoxigraph as ox

    engine = bench.engine
    graph = ox.NamedNode(job.iri) if job.iri else ox.DefaultGraph()
    there = isinstance(graph, ox.DefaultGraph) or engine.contains_named_graph(graph)
    quads: list[ox.Quad] = []
    for media, content in job.parts:
        if media not in READABLE:
            return fault(415, "unknown-format", f"cannot read this media type; expected one of {', '.join(READABLE)}")
        if READABLE[media] in ("nq", "trig"):
            return fault(
                415, "unknown-format", "a graph is written as triples; expected Turtle, N-Triples, RDF/XML or JSON-LD"
            )
        try:
            read = ox.parse(
                content,
                format=_rdf_formats()[READABLE[media]],
                base_iri=job.base,
                without_named_graphs=True,
                rename_blank_nodes=True,
            )
            quads += [ox.Quad(quad.subject, quad.predicate, quad.object, graph) for quad in read]
        except (SyntaxError, ValueError) as error:
            return fault(400, "malformed-rdf", f"the RDF is malformed: {str(error).splitlines()[0]}")
    if job.replace:
        engine.clear_graph(graph)
    if isinstance(graph, ox.NamedNode):
        engine.add_graph(graph)
    engine.extend(quads)
    return Reply(204 if there else 201)


def _delete(bench: Bench, job: Delete) -> Reply:
    import pyoxigraph as ox

    if not job.iri:
        bench.engine.clear_graph(ox.DefaultGraph())
        return Reply(204)
    graph = ox.NamedNode(job.iri)
    if not bench.engine.contains_named_graph(graph):
        return fault(404, "no-such-graph", "there is no such graph")
    bench.engine.remove_graph(graph)
    return Reply(204)


_DOERS: dict[type, Callable[[Bench, Any], Reply]] = {
    Select: _select,
    Ask: _ask,
    Graph: _graph,
    Update: _update,
    Put: _put,
    Delete: _delete,
}


def _written(bench: Bench, write: Callable[[IO[bytes]], object]) -> bytes:
    out = _Bounded(bench.most)
    write(out)
    return out.getvalue()


def _reply(body: bytes, media: str, gzipped: bool, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    if media.startswith(_CHARSET):
        media += "; charset=utf-8"
    if gzipped and len(body) >= _SMALLEST:
        return Reply(200, gzip.compress(body, 3, mtime=0), media, (*headers, ("Content-Encoding", "gzip")))
    return Reply(200, body, media, headers)


def _unacceptable(formats: Mapping[str, str]) -> Reply:
    return fault(
        406, "not-acceptable", f"cannot write what the Accept header asks for; expected one of {', '.join(formats)}"
    )


def _rows_formats() -> dict[str, ox.QueryResultsFormat]:
    import pyoxigraph as ox

    kinds = ox.QueryResultsFormat
    return {"json": kinds.JSON, "xml": kinds.XML, "csv": kinds.CSV, "tsv": kinds.TSV}


def _rdf_formats() -> dict[str, ox.RdfFormat]:
    import pyoxigraph as ox

    kinds = ox.RdfFormat
    return {
        "ttl": kinds.TURTLE,
        "nt": kinds.N_TRIPLES,
        "rdf": kinds.RDF_XML,
        "jsonld": kinds.JSON_LD,
        "nq": kinds.N_QUADS,
        "trig": kinds.TRIG,
    }
