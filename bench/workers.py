"""Work that may never end: done in a process of its own, which is stopped at a limit."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from atmpkg.build import Built
from atmpkg.project import Project
from atmpkg.stores import Embedded

_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Timed:
    """Milliseconds of the first call, in the middle and at the least of the others, and the rows that came."""

    first: float
    median: float
    least: float
    rows: list[tuple[str, ...]]


class Worker:
    """A process that holds something opened and answers one job after another."""

    def __init__(self, open: Callable[..., Callable[..., Timed]], *given: object, ready: float = 120) -> None:
        self._given = (open, *given)
        self._ready = ready
        self._start()

    def _start(self) -> None:
        self._here, there = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=self._serving, args=(there, *self._given), daemon=True)
        self._process.start()
        there.close()
        if not self._here.poll(self._ready):
            raise AssertionError("the worker did not open its data")
        self._here.recv()

    def do(self, *job: object, limit: float) -> Timed | None:
        """Do a job; None where it took longer than the limit, in seconds."""
        self._here.send(job)
        if self._here.poll(limit):
            answer: Timed | Exception = self._here.recv()
            if isinstance(answer, Exception):
                raise answer
            return answer
        self.stop()
        self._start()
        return None

    @property
    def _serving(self) -> Callable[..., None]:
        return _serve

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()
        self._here.close()


class Forking(Worker):
    """A process that holds what takes long to open, and does each job in a copy of itself that can be killed."""

    def do(self, *job: object, limit: float) -> Timed | None:
        """Do a job; None where it took longer than the limit, in seconds."""
        self._here.send((limit, job))
        answer: Timed | Exception | None = self._here.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def _serving(self) -> Callable[..., None]:
        return _serve_forking


def _serve_forking(there: Connection, open: Callable[..., Callable[..., Timed]], *given: object) -> None:
    work = open(*given)
    gc.collect()
    gc.freeze()
    there.send("ready")
    while True:
        try:
            limit, job = there.recv()
        except EOFError:
            return
        here, copy = multiprocessing.Pipe(duplex=False)
        child = os.fork()
        if child == 0:
            try:
                copy.send(work(*job))
            except Exception as error:  # the parent decides
                copy.send(AssertionError(f"{type(error).__name__}: {error}"))
            finally:
                os._exit(0)
        copy.close()
        try:
            answer = here.recv() if here.poll(limit) else None
        except EOFError:
            answer = AssertionError("the process died")
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        here.close()
        there.send(answer)


def _serve(there: Connection, open: Callable[..., Callable[..., Timed]], *given: object) -> None:
    work = open(*given)
    there.send("ready")
    while True:
        try:
            job = there.recv()
        except EOFError:
            return
        try:
            there.send(work(*job))
        except Exception as error:  # the parent decides
            there.send(error)


def timed(call: Callable[[], list[tuple[str, ...]]], *, most: int, budget: float) -> Timed:
    """Call once, then again until there are ``most`` measurements or the seconds are spent."""
    times: list[float] = []
    rows: list[tuple[str, ...]] = []
    while len(times) < most + 1 and (len(times) < 2 or sum(times) < budget):
        start = time.perf_counter()
        rows = call()
        times.append(time.perf_counter() - start)
        if times[0] > budget:
            break
    warm = times[1:] or times
    return Timed(1e3 * times[0], 1e3 * statistics.median(warm), 1e3 * min(warm), rows)


def open_atmpkg(project: Project, built: Built) -> Callable[..., Timed]:
    """Open a built store as users do; the names of all things are read before anything is timed."""
    from atmpkg.graph import KnowledgeGraph

    kg = KnowledgeGraph(built.open(), project)
    kg.index  # noqa: B018  # read the names once, before anything is timed

    def work(name: str, given: dict[str, Any], most: int, budget: float) -> Timed:
        return timed(
            lambda: [tuple(str(value) for value in row) for row in kg.ask(name, **given).rows], most=most, budget=budget
        )

    return work


def open_sparql(project: Project, built: Built) -> Callable[..., Timed]:
    """Open a built store for queries alone."""
    opened = built.open()

    def work(sparql: str, most: int, budget: float) -> Timed:
        return timed(lambda: [_texts(row) for row in opened.query(sparql)], most=most, budget=budget)  # type: ignore[union-attr]  # a SELECT

    return work


def open_rdflib(project: Project, built: Built) -> Callable[..., Timed]:
    """Copy a built store into an rdflib Dataset whose default graph is the union."""
    from atmpkg.graph import KnowledgeGraph

    dataset = KnowledgeGraph(built.open(), project).rdflib()

    def work(sparql: str, most: int, budget: float) -> Timed:
        return timed(lambda: [_texts(row) for row in dataset.query(sparql)], most=most, budget=budget)

    return work


def open_memory(nquads: Path) -> Callable[..., Timed]:
    """Read a file into our store in memory."""
    store = Embedded.memory()
    store.load(nquads)
    return lambda sparql, most, budget: _answered(store.query, sparql, most, budget)


def open_disk(folder: Path) -> Callable[..., Timed]:
    """Open our store on disk for reading, in each copy of the process anew: its threads do not survive a fork."""

    def work(sparql: str, most: int, budget: float) -> Timed:
        store = Embedded.open(folder)
        return _answered(store.query, sparql, most, budget)

    return work


def open_plain_rdflib(nquads: Path) -> Callable[..., Timed]:
    """Read a file into rdflib's own store."""
    from rdflib import Dataset

    dataset = Dataset(default_union=True)
    dataset.parse(str(nquads), format="nquads")
    return lambda sparql, most, budget: _answered(dataset.query, sparql, most, budget)


def open_oxrdflib(nquads: Path) -> Callable[..., Timed]:
    """Read a file into pyoxigraph behind rdflib."""
    from rdflib import Dataset

    dataset = Dataset(store="Oxigraph", default_union=True)
    dataset.parse(str(nquads), format="ox-nquads", transactional=False)
    return lambda sparql, most, budget: _answered(dataset.query, sparql, most, budget)


def _answered(query: Callable[[str], Any], sparql: str, most: int, budget: float) -> Timed:
    return timed(lambda: [_texts(row) for row in query(sparql)], most=most, budget=budget)


def _texts(row: Any) -> tuple[str, ...]:
    """Return the texts of a solution; rdflib's terms are texts, pyoxigraph's have one."""
    return tuple("" if term is None else term if isinstance(term, str) else str(term.value) for term in row)


def unordered(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Bring rows of any engine into one form: sorted, parts of a concatenation too and each once, numbers as numbers.

    >>> unordered([("b|a", "2.50"), ("a", "true")])
    [('a', '1'), ('a|b', '2.5')]
    """
    return sorted(tuple("|".join(sorted(set(map(_plain, cell.split("|"))))) for cell in row) for row in rows)


def _plain(cell: str) -> str:
    if cell in ("true", "false"):
        return str(int(cell == "true"))
    try:
        return f"{float(cell):.9g}"
    except ValueError:
        return cell
