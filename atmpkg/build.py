"""Build: tables, ontology and mappings into a store, with what follows from them.

A built store is never written again. It is made in a new folder and a pointer is swapped, so that a build killed at
any moment leaves the old answers::

    FOLDER/current            name of the build that answers
    FOLDER/<hash>/graph.nq    the quads, unless they are too many to be read into memory
    FOLDER/<hash>/store       the quads on disk, unless they are so few that they are read into memory at once
    FOLDER/<hash>/names.json  the names of all things, beside the quads on disk
    FOLDER/<hash>/build.json  what is in it
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import atmpkg
from atmpkg.checks import faults
from atmpkg.errors import DataError, Problem, StoreError
from atmpkg.linking import import_quads, mapping_quads, read_sets, set_quads
from atmpkg.mapping import description_quads, quads
from atmpkg.names import Names, graph_iri
from atmpkg.project import FORMAT, Project
from atmpkg.queries import read_queries
from atmpkg.reasoning import INFERRED, infer
from atmpkg.records import Record, Validator, term_problems
from atmpkg.search import Index
from atmpkg.shapes import findings
from atmpkg.stores import Embedded, Store
from atmpkg.tables import Table, missing_problems, name_problems, read_tables
from atmpkg.terms import Terms

_MAPPED = f" <{graph_iri('mappings')}> .\n"
_POINTER = "current"
_ABOUT = "build.json"
_FILE = "graph.nq"
_STORE = "store"
_NAMES = "names.json"
_OURS = re.compile(r"current(\.\d+)?|new-\w+|[0-9a-f]{24}|\..*")
Progress = Callable[[int, int], None]  # rows done, and of how many
_TELL = 5000  # rows between two words of progress
_ABANDONED = 3600  # seconds after which the folder of a killed build is removed
IN_MEMORY = 100_000_000  # bytes of N-Quads, about 500,000 quads: read in two seconds, and answered four times faster
AT_ONCE = 10_000_000  # bytes of N-Quads, about 50,000 quads: read as soon as a store on disk answers one question


@dataclass(frozen=True)
class Built:
    """A finished build: its folder and what is in it."""

    folder: Path
    quads: int
    rows: Mapping[str, int]
    inferred: Mapping[str, int]
    digest: str = ""

    @classmethod
    def read(cls, folder: Path) -> Built:
        """Read what a build says of itself; raise OSError or ValueError where that cannot be."""
        about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        if not isinstance(about, dict):
            raise ValueError(f"{_ABOUT} is damaged")
        if about.get("format") != FORMAT:
            version = f"format {about.get('format')}, this is atmpkg {atmpkg.__version__} with format {FORMAT}"
            raise ValueError(f"it has {version}")
        try:
            return cls(folder, int(about["quads"]), dict(about["rows"]), dict(about["inferred"]), str(about["digest"]))
        except (KeyError, TypeError):
            raise ValueError(f"{_ABOUT} is damaged") from None

    def open(self, *, briefly: bool = False) -> Embedded:
        """Open it for reading; raise StoreError where it is damaged.

        ``briefly``: for one question, where reading everything into memory would take longer than asking on disk.
        """
        path = self.folder / _FILE
        if briefly and path.exists() and (self.folder / _STORE).exists():
            with contextlib.suppress(StoreError):
                return Embedded.open(self.folder / _STORE)
        return Embedded.read(self._content()) if path.exists() else Embedded.open(self.folder / _STORE)

    def verify(self) -> None:
        """Raise StoreError where it is damaged, without reading the quads into memory."""
        if (self.folder / _FILE).exists():
            self._content()
        else:
            Embedded.open(self.folder / _STORE)

    def _content(self) -> bytes:
        try:
            content = (self.folder / _FILE).read_bytes()
        except OSError as error:
            raise StoreError(f"cannot read the store {self.folder}: {error.strerror}. Build it again.") from None
        if _digest(content) != self.digest:
            raise StoreError(f"cannot read the store {self.folder}: it was changed after it was built. Build it again.")
        return content

    def index(self) -> Index | None:
        """Return the names of all things where the build keeps them."""
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
            return Index.loads((self.folder / _NAMES).read_text(encoding="utf-8"))
        return None


@dataclass(frozen=True)
class Prepared:
    """What the rows of a project are turned into quads with, and the problems of shape that were found on the way."""

    tables: Mapping[str, Table]
    names: Names
    terms: Terms
    ids: Mapping[str, Mapping[str, int]]
    problems: tuple[Problem, ...]

    @property
    def validator(self) -> Validator:
        """Turns rows into records."""
        return Validator(self.tables, self.names, self.terms)


def prepare(project: Project) -> Prepared:
    """Read the descriptions, the ontology's terms and all ids; raise DataError where the descriptions do not fit."""
    tables = read_tables(project.tables)
    names = Names.read(project.prefixes, tables)
    if unknown := sorted(name_problems(tables, names)):
        raise DataError(unknown)
    terms = Terms.read(project.ontology)
    if unknown := sorted(term_problems(tables, names, terms)):
        raise DataError(unknown)
    ids: dict[str, dict[str, int]] = {}
    shape = [*missing_problems(tables), *Validator(tables, names, terms).collect(ids)]
    return Prepared(tables, names, terms, ids, tuple(shape))


def write_quads(project: Project, out: IO[str], progress: Progress | None = None) -> dict[str, int]:
    """Write everything asserted as N-Quads; return the rows of each table. Raise DataError with all problems.

    ``progress`` is told how many rows are written, and of how many.
    """
    prepared = prepare(project)
    problems = list(prepared.problems)
    rows = dict.fromkeys(prepared.tables, 0)
    total, done = sum(map(len, prepared.ids.values())), 0

    def records() -> Iterator[Record]:
        nonlocal done
        for table in prepared.tables.values():
            for item in prepared.validator.part(table, prepared.ids):
                if isinstance(item, Problem):
                    problems.append(item)
                    continue
                rows[table.name] += 1
                done += 1
                if progress and done % _TELL == 0:
                    progress(done, total)
                yield item

    out.writelines(quads(records(), prepared.names))
    out.writelines(static_quads(project, prepared, problems))
    if problems:
        raise DataError(sorted(problems))
    return rows


def static_quads(project: Project, prepared: Prepared, problems: list[Problem]) -> Iterator[str]:
    """Yield what is not rows: descriptions, ontology, mapping sets, slices; add what is wrong to the problems."""
    yield from description_quads(prepared.tables, prepared.names)
    end = f" <{graph_iri('ontology')}> .\n"
    triples = [line.decode().removesuffix(" .") for line in prepared.terms.triples.splitlines()]
    yield from (line + end for line in triples)
    yield from set_quads(read_sets(project.mappings))
    own = prepared.terms.own
    said = set(triples)
    for path in sorted(project.mappings.glob("*.sssom.tsv")):
        for item in mapping_quads(path, prepared.names, prepared.ids, own):
            if isinstance(item, Problem):
                problems.append(item)
            else:
                yield item
                said.add(item.removesuffix(_MAPPED))
    for path in project.slices():
        graph = f" <{graph_iri(path.stem)}> .\n"
        for item in import_quads(path, said):
            if isinstance(item, Problem):
                problems.append(item)
            else:
                yield item
                said.add(item.removesuffix(graph))


def fill(
    project: Project, path: Path, choose: Callable[[], Embedded], progress: Progress | None = None
) -> tuple[Embedded, dict[str, int], Mapping[str, int]]:
    """Write everything asserted to a file of N-Quads, load it and run the rules.

    Return the store, the rows and the inferred triples. ``choose`` gives the empty store, when the file is written.
    """
    rules = read_queries(project.folders("queries", "rules")).values()
    try:
        with path.open("w", encoding="utf-8", newline="\n") as out:
            rows = write_quads(project, out, progress)
        store = choose()
        store.load(path)
    except OSError as error:
        raise StoreError(f"cannot build the graph: {error.strerror or error}.") from None
    return store, rows, infer(store, rules)


def in_memory(project: Project) -> Embedded:
    """Build the project's graph in memory, keeping nothing."""
    with tempfile.TemporaryDirectory() as work:
        store, _, _ = fill(project, Path(work) / _FILE, Embedded.memory)
    return store


def build(
    project: Project,
    folder: Path,
    *,
    most_in_memory: int = IN_MEMORY,
    at_once: int = AT_ONCE,
    progress: Progress | None = None,
) -> Built:
    """Build the project's graph below a folder and make it the one that answers.

    Where the same content was built before, that build is used. A graph of more than ``most_in_memory`` bytes of
    N-Quads, before the rules, is kept on disk alone, one of more than ``at_once`` there too: it is copied while the
    rules run. Raises DataError where the tables hold problems.
    """
    name = project.fingerprint()
    if found := finished(folder, name):
        with contextlib.suppress(StoreError):
            found.verify()  # a damaged build is made again
            _point(folder, name)
            return found
        shutil.rmtree(found.folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if other := next((path.name for path in folder.iterdir() if not _OURS.fullmatch(path.name)), ""):
            raise StoreError(
                f"cannot build into {folder}: it holds other things ({other}). Choose a folder of its own."
            )
        work = Path(tempfile.mkdtemp(prefix="new-", dir=folder))
    except OSError as error:
        raise StoreError(f"cannot build into {folder}: {error.strerror}. Choose another folder with --store.") from None
    try:
        path, beside = work / _FILE, ThreadPoolExecutor(1)
        copying: Future[Embedded] | None = None

        def choose() -> Embedded:
            nonlocal copying
            size = path.stat().st_size
            if size > most_in_memory:
                return Embedded.create(work / _STORE)
            if size > at_once:
                copying = beside.submit(_copied, path, work / _STORE)
            return Embedded.memory()

        with beside:
            store, rows, inferred = fill(project, path, choose, progress)
            if copying:
                completing = beside.submit(_complete, store, path, copying.result)
                (work / _NAMES).write_text(Index.of(store).dumps(), encoding="utf-8")
                completing.result()
            elif (work / _STORE).exists():
                path.unlink()
                store.optimize()
            else:
                _complete(store, path)
        about = {
            "format": FORMAT,
            "version": atmpkg.__version__,
            "quads": len(store),
            "rows": rows,
            "inferred": dict(inferred),
            "digest": _digest(path.read_bytes()) if path.exists() else "",
        }
        if project.fingerprint() != name:
            raise StoreError("cannot finish the build: the tables were changed while they were read. Build again.")
        del store
        work.chmod(0o755)  # made for its owner alone
        (work / _ABOUT).write_text(json.dumps(about, indent=1), encoding="utf-8")
        if finished(folder, name) is None:
            shutil.rmtree(folder / name, ignore_errors=True)  # damaged, or of another format
        with contextlib.suppress(OSError):  # another process built the same content meanwhile
            work.rename(folder / name)
        _point(folder, name)
    except OSError as error:
        raise StoreError(f"cannot build into {folder}: {error.strerror or error}.") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    built = finished(folder, name)
    if built is None:
        raise StoreError(f"cannot find the build {name} in {folder}. Remove the folder and build again.")
    _tidy(folder, name)
    return built


def _copied(path: Path, folder: Path) -> Embedded:
    """Load a file of N-Quads into a new store on disk, for a single question need not read the whole graph."""
    store = Embedded.create(folder)
    store.load(path, checked=True)  # it is read into memory as well
    return store


def _complete(store: Embedded, path: Path, copy: Callable[[], Embedded] | None = None) -> None:
    """Add what the rules inferred to the file of what was asserted, and to the copy on disk."""
    with store.triples(INFERRED) as file:
        added = file.read()
    named = b"_:" not in added  # a blank node has its name in one text only
    added = added.replace(b" .\n", f" <{INFERRED}> .\n".encode())
    disk = copy() if copy else None  # which has read the file by now
    if named:
        with path.open("ab") as out:
            out.write(added)
        if disk:
            disk.load(added, checked=True)
            disk.optimize()  # two layers are read half as fast again as one
    else:
        store.write(path)
        if disk:
            disk.engine.clear()
            disk.load(path, checked=True)


def send(project: Project, url: str, say: Callable[[str], None] = lambda line: None) -> Built:
    """Build the project's graph in its cache and publish it to a server; raise StoreError where that cannot be done."""
    from atmpkg.publishing import publish
    from atmpkg.remote import Remote

    remote = Remote.at(url)  # a wrong address is told before the build
    built = build(project, project.cache)
    publish(built.open(), built.folder.name, remote, say)
    return built


def finished(folder: Path, name: str) -> Built | None:
    """Return the build of that name if it was finished by this format of atmpkg."""
    try:
        return Built.read(folder / name)
    except (OSError, ValueError):
        return None


def current(folder: Path) -> Built:
    """Return the build that a folder points to; raise StoreError where there is none that can be read."""
    again = f"Build it with: atmpkg build --store {folder}"
    try:
        return Built.read(folder / (folder / _POINTER).read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        raise StoreError(f"cannot open the store {folder}: nothing was built there. {again}") from None
    except (OSError, ValueError) as error:
        raise StoreError(f"cannot open the store {folder}: {error}. {again}") from None


def check(project: Project, *, shacl: bool = False, store: Store | None = None) -> Iterator[Problem]:
    """Yield every problem of the project without writing anything that lasts: rows, SPARQL checks, then the shapes.

    ``shacl``: validate with the SHACL shapes too; ``store``: a built graph that is checked instead of the rows.
    """
    try:
        checks = read_queries(project.folders("queries", "checks")).values()
        store = in_memory(project) if store is None else store
    except DataError as error:
        yield from error.problems
        return
    tables = read_tables(project.tables)
    yield from faults(store, checks, tables)
    if shacl:
        names = Names.read(project.prefixes, tables)
        yield from findings(store, project.shapes, tables, names, Terms.read(project.ontology))


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _point(folder: Path, name: str) -> None:
    """Make a build the one that answers, in one step."""
    pointer = folder / _POINTER
    with contextlib.suppress(OSError):
        if pointer.read_text(encoding="utf-8") == name:
            return
    fresh = folder / f"{_POINTER}.{os.getpid()}"
    fresh.write_text(name, encoding="utf-8")
    fresh.replace(pointer)


def _tidy(folder: Path, keep: str, most: int = 3) -> None:
    """Remove old builds, keeping the newest few: readers may still have them open."""
    for path in folder.glob("new-*"):
        if time.time() - path.stat().st_mtime > _ABANDONED:
            shutil.rmtree(path, ignore_errors=True)
    builds = [path for path in folder.iterdir() if (path / _ABOUT).is_file() and path.name != keep]
    for path in sorted(builds, key=lambda path: path.stat().st_mtime, reverse=True)[most - 1 :]:
        shutil.rmtree(path, ignore_errors=True)
