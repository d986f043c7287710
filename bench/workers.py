"""Work that may never end: done in a process of its own, which is stopped at a limit."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from atmpkg.build import Built
from atmpkg.project import Project

_SPAWN = multiprocessing.get_context("spawn")
_READY = 120


@dataclass(frozen=True)
class Timed:
    """Milliseconds of the first call, in the middle and at the least of the others, and the rows that came."""

    first: float
    median: float
    least: float
    rows: list[tuple[str, ...]]


class Worker:
    """A process that holds something opened and answers one job after another."""

    def __init__(self, open: Callable[..., Callable[..., Timed]], *given: object) -> None:
        self._given = (open, *given)
        self._start()

    def _start(self) -> None:
        self._here, there = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(there, *self._given), daemon=True)
        self._process.start()
        there.close()
        if not self._here.poll(_READY):
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

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()
        self._here.close()


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
        return timed(lambda: [_texts(row) for row in opened.query(sparql)], most=most, budget=budget)  # type: ignore[union-attr]

    return work


def open_rdflib(project: Project, built: Built) -> Callable[..., Timed]:
    """Copy a built store into an rdflib Dataset whose default graph is the union."""
    from atmpkg.graph import KnowledgeGraph

    dataset = KnowledgeGraph(built.open(), project).rdflib()

    def work(sparql: str, most: int, budget: float) -> Timed:
        return timed(lambda: [_texts(row) for row in dataset.query(sparql)], most=most, budget=budget)

    return work


def _texts(row: Any) -> tuple[str, ...]:
    """Return the texts of a solution; rdflib's terms are texts, pyoxigraph's have one."""
    return tuple("" if term is None else term if isinstance(term, str) else str(term.value) for term in row)
