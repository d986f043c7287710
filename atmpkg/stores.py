"""The store seam: one small protocol, and the embedded store that keeps it.

Every query is evaluated over the union of all named graphs; ``GRAPH`` still reaches a single one. Terms and results
are pyoxigraph's.
"""

from __future__ import annotations

import io
import re
import tempfile
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from atmpkg.errors import StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyoxigraph as ox

    Result = ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples

_PLACE = re.compile(r"\b(\d+):(\d+)\b")


class Store(Protocol):
    """What the house asks of a store of quads; it is filled by a build (`Embedded`) or by publishing one (`Remote`)."""

    def query(self, sparql: str, prefixes: Mapping[str, str] | None = None) -> Result:
        """Evaluate a SPARQL 1.1 query over the union of graphs; raise UsageError where it is malformed.

        ``prefixes``: prefix to IRI, known to the query without being declared.
        """

    def __len__(self) -> int:
        """Count the quads."""


class Embedded:
    """A pyoxigraph store, in memory or on disk.

    >>> store = Embedded.memory()
    >>> store.load(b'<urn:a> <urn:p> "1" <urn:g> .')
    >>> [row["o"].value for row in store.query("SELECT ?o { ?s ?p ?o }")]
    ['1']
    """

    def __init__(self, store: ox.Store, *, path: Path | None = None) -> None:
        self._store = store
        self.path = path  # of a store that is read from disk

    @classmethod
    def memory(cls) -> Embedded:
        """Make an empty store in memory."""
        import pyoxigraph as ox

        return cls(ox.Store())

    @classmethod
    def read(cls, nquads: bytes) -> Embedded:
        """Read into memory what `write` wrote."""
        import pyoxigraph as ox

        store = ox.Store()
        store.load(nquads, format=ox.RdfFormat.N_QUADS, lenient=True)
        return cls(store)

    def write(self, path: Path) -> None:
        """Write all quads to a file of N-Quads."""
        import pyoxigraph as ox

        self._store.dump(str(path), format=ox.RdfFormat.N_QUADS)

    @classmethod
    def create(cls, path: Path) -> Embedded:
        """Make or open a store on disk for writing; it is locked for other writers."""
        import pyoxigraph as ox

        try:
            return cls(ox.Store(str(path)))
        except (OSError, RuntimeError) as error:
            raise StoreError(f"cannot write the store {path}: {_cause(error)}.") from None

    @classmethod
    def open(cls, path: Path) -> Embedded:
        """Open a store on disk for reading only; it may be open elsewhere too."""
        import pyoxigraph as ox

        try:
            return cls(ox.Store.read_only(str(path)), path=path)
        except (OSError, RuntimeError) as error:
            raise StoreError(f"cannot read the store {path}: {_cause(error)}. Build it again.") from None

    def copied(self, path: Path) -> Embedded:
        """Copy a store on disk to a new folder and open the copy for writing; on one disk the files are shared."""
        import pyoxigraph as ox

        try:
            self._store.backup(str(path))
            return type(self)(ox.Store(str(path)))
        except (OSError, RuntimeError) as error:
            raise StoreError(f"cannot copy the store to {path}: {_cause(error)}.") from None

    def load(self, nquads: bytes | Path, *, checked: bool = False) -> None:
        """Add the quads of an N-Quads text or file, all or none.

        ``checked``: it was read before, so that its IRIs need not be looked at again, which is half of reading.
        """
        import pyoxigraph as ox

        try:
            if isinstance(nquads, Path):
                self._store.bulk_load(path=str(nquads), format=ox.RdfFormat.N_QUADS, lenient=checked)
            else:
                self._store.bulk_load(io.BytesIO(nquads), format=ox.RdfFormat.N_QUADS, lenient=checked)
        except (OSError, SyntaxError) as error:
            raise StoreError(f"cannot load quads: {_cause(error)}.") from None

    def query(self, sparql: str, prefixes: Mapping[str, str] | None = None) -> Result:
        """Evaluate a SPARQL 1.1 query over the union of graphs."""
        try:
            return self._store.query(sparql.rstrip(), prefixes=dict(prefixes or {}), use_default_graph_as_union=True)
        except SyntaxError as error:
            raise UsageError(malformed(sparql.rstrip(), str(error))) from None
        except (OSError, RuntimeError, ValueError) as error:
            raise StoreError(f"cannot evaluate the query: {_cause(error)}.") from None

    def infer(self, construct: str, graph: str, known: set[bytes] | None = None) -> int:
        """Add to a graph what a CONSTRUCT query yields and no graph holds yet; return how many triples.

        ``known``: what the same query yielded before, and is not looked up again; what it yields now is added.
        The triples stay text on their way, and most are known to be new by their predicate or subject alone: making
        an object of each term and asking for each triple takes three times as long as the queries.
        """
        import pyoxigraph as ox

        result = self.query(construct)
        if not isinstance(result, ox.QueryTriples):
            raise UsageError("cannot infer: the rule is not a CONSTRUCT query.")
        try:
            text = result.serialize(format=ox.RdfFormat.N_TRIPLES) or b""
        except (OSError, RuntimeError, ValueError) as error:
            raise StoreError(f"cannot evaluate the query: {_cause(error)}.") from None
        lines = set(text.splitlines(keepends=True))
        if known is not None:
            lines -= known
            known |= lines
        new = b"".join(self._new(sorted(lines)))
        if b"_:" in new:  # loading would give blank nodes other names
            read = ox.parse(new, format=ox.RdfFormat.N_TRIPLES)
            self._store.extend(ox.Quad(q.subject, q.predicate, q.object, ox.NamedNode(graph)) for q in read)
        else:
            self._store.load(new, format=ox.RdfFormat.N_TRIPLES, to_graph=ox.NamedNode(graph), lenient=True)
        return new.count(b"\n")

    def _new(self, lines: list[bytes]) -> Iterator[bytes]:
        """Yield those of some lines of N-Triples that no graph holds."""
        import pyoxigraph as ox

        @cache
        def used(place: int, iri: bytes) -> bool:
            if iri.startswith(b"_:"):
                return True
            pattern: list[ox.NamedNode | None] = [None, None, None]
            pattern[place] = ox.NamedNode(iri[1:-1].decode())
            return next(self._store.quads_for_pattern(*pattern), None) is not None

        unsure = []
        for line in lines:
            subject, predicate, _ = line.split(b" ", 2)
            if used(1, predicate) and used(0, subject):
                unsure.append(line)
            else:
                yield line
        read = ox.parse(b"".join(unsure), format=ox.RdfFormat.N_TRIPLES)
        yield from (line for line, quad in zip(unsure, read, strict=True) if not self._holds(quad.triple))

    def clear(self, graph: str) -> None:
        """Remove all quads of a graph."""
        import pyoxigraph as ox

        self._store.clear_graph(ox.NamedNode(graph))

    def dump(self) -> bytes:
        """Return all quads as sorted N-Quads; blank nodes are named canonically (RDFC-1.0)."""
        import pyoxigraph as ox

        dataset = ox.Dataset(self._store)
        dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
        text = ox.serialize(dataset, format=ox.RdfFormat.N_QUADS) or b""
        return b"".join(sorted(text.splitlines(keepends=True)))

    def add(self, ntriples: bytes, graph: str) -> None:
        """Add to a graph those triples of an N-Triples text that no graph holds yet."""
        import pyoxigraph as ox

        read = ox.parse(ntriples, format=ox.RdfFormat.N_TRIPLES, rename_blank_nodes=True)
        new = [quad.triple for quad in read if not self._holds(quad.triple)]
        self._store.extend(ox.Quad(t.subject, t.predicate, t.object, ox.NamedNode(graph)) for t in new)

    @property
    def engine(self) -> ox.Store:
        """The engine's own store, for what the seam does not offer: dataset parameters, updates, single graphs."""
        return self._store

    def graphs(self) -> dict[str, int]:
        """Count the triples of each named graph, by its IRI, sorted."""
        found = rows(self, "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g ORDER BY ?g")
        return {row["g"]: int(row["n"]) for row in found}

    def triples(self, graph: str) -> IO[bytes]:
        """Return the triples of a graph as an open file of N-Triples that vanishes when it is closed."""
        import pyoxigraph as ox

        file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        self._store.dump(file, format=ox.RdfFormat.N_TRIPLES, from_graph=ox.NamedNode(graph))
        file.seek(0)
        return file

    def optimize(self) -> None:
        """Compact the store after loading."""
        self._store.flush()
        self._store.optimize()

    def __len__(self) -> int:
        return len(self._store)

    def _holds(self, triple: ox.Triple) -> bool:
        found = self._store.quads_for_pattern(triple.subject, triple.predicate, triple.object, None)
        return next(found, None) is not None


def is_address(text: str) -> bool:
    """Tell whether what a user gave as a store is the address of a server.

    >>> is_address("https://example.org/sparql"), is_address("./store")
    (True, False)
    """
    return text.startswith(("https://", "http://"))


def nquads(store: Store) -> bytes:
    """Return all quads of a store as N-Quads, in no order.

    >>> store = Embedded.memory()
    >>> store.load(b'<urn:a> <urn:p> "1" <urn:g> .')
    >>> nquads(store)
    b'<urn:a> <urn:p> "1" <urn:g> .\\n'
    """
    import pyoxigraph as ox

    result = store.query("SELECT ?s ?p ?o ?g { GRAPH ?g { ?s ?p ?o } }")
    assert isinstance(result, ox.QuerySolutions)
    return "".join(f"{row['s']} {row['p']} {row['o']} {row['g']} .\n" for row in solutions(result)).encode()


def rows(store: Store, select: str) -> Iterator[dict[str, str]]:
    """Yield the solutions of a SELECT query as plain texts by variable name; empty where a variable is unbound.

    >>> list(rows(Embedded.memory(), "SELECT ?a ?b { VALUES ?a { 1 } }"))
    [{'a': '1', 'b': ''}]
    """
    import pyoxigraph as ox

    result = store.query(select)
    if not isinstance(result, ox.QuerySolutions):
        raise UsageError("cannot read rows: the query is not a SELECT.")
    names = [variable.value for variable in result.variables]
    for solution in solutions(result):
        yield {name: str(term.value) if (term := solution[name]) else "" for name in names}


def solutions(result: ox.QuerySolutions) -> Iterator[ox.QuerySolution]:
    """Yield the solutions of a query; what fails while they are read becomes a StoreError."""
    try:
        yield from result
    except (OSError, RuntimeError, ValueError) as error:
        raise StoreError(f"cannot evaluate the query: {_cause(error)}.") from None


def malformed(sparql: str, message: str) -> str:
    """Say where a query is malformed, and show the line.

    >>> print(malformed("SELECT * {\\n ?s ?p }", "error at 2:8: expected object"))
    the query is malformed at line 2, column 8: expected object
        ?s ?p }
              ^
    """
    place = _PLACE.search(message)
    cause = _expected(re.sub(r"^error at \d+:\d+:\s*", "", message))
    if not place:
        return f"the query is malformed: {cause}"
    line, column = int(place[1]), int(place[2])
    lines = sparql.splitlines()
    if not 1 <= line <= len(lines):
        return f"the query is malformed at its end: {cause}"
    shown = lines[line - 1]
    indent = len(shown) - len(shown.lstrip())
    caret = " " * max(0, column - 1 - indent)
    return f"the query is malformed at line {line}, column {column}: {cause}\n    {shown.strip()}\n    {caret}^"


def _expected(message: str) -> str:
    """Drop the character classes from the parser's list of what it would have taken."""
    _, _, allowed = message.partition("expected one of ")
    if "[" not in message:
        return message.strip()
    if sentence := re.search(r"[A-Z][A-Za-z]+(?: [A-Za-z]+){3,}", allowed):
        return sentence[0]
    allowed = re.sub(r"\\u\{[0-9A-F]+\}", "", allowed)
    words = re.findall(r'"(?:\\.|[^"\\])+"|Prefix not found|\b[A-Z]{2,}\b', allowed)
    if "Prefix not found" in words:
        return "unknown prefix; declare it with PREFIX"
    return f"expected {', '.join(dict.fromkeys(words))}" if words else "something else was expected here"


def _cause(error: BaseException) -> str:
    return str(error).strip().rstrip(".") or type(error).__name__
