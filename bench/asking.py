"""Every shipped question on the built store, on ten times the data, and a few through rdflib."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atmpkg.build import Built, build
from atmpkg.graph import KnowledgeGraph
from atmpkg.project import Project
from bench.growing import grown_once
from bench.report import Section, Verdict, number
from bench.timing import median, seconds
from bench.workers import Timed, Worker, open_atmpkg, open_rdflib, open_sparql, unordered

RDFLIB = ("names", "not-an-atmp", "external-ids", "indications", "market-exits", "authorised-products")
_HEADER = ("question", "rows", "first ms", "ask ms", "least ms", "query ms", "disk ms")
_TARGET, _GROWTH, _PATIENCE = 50.0, 15.0, 10.0


@dataclass(frozen=True)
class Asked:
    """A question with its example parameters and what was measured of it."""

    name: str
    given: dict[str, Any]
    sparql: str
    here: Timed
    query: Timed
    disk: Timed
    more: Timed | None

    @property
    def growth(self) -> float | None:
        """How many times longer on more data; None where it was stopped."""
        return self.more.least / self.here.least if self.more else None


def section(project: Project, built: Built, work: Path) -> tuple[Section, list[str]]:
    """Ask everything; also return the slowest question as words for the command line."""
    big, large = grown_once(project, work, built)
    disk = build(project, work / "disk", most_in_memory=0)
    asked = _ask(project, built, disk, big, large)
    opening, opening_disk = median(built.open, 5), median(disk.open, 5)
    opened = built.open()
    slow = [a for a in asked if a.here.median >= _TARGET]
    steep = [a for a in asked if a.growth is None or a.growth > _GROWTH]
    slowest = max(asked, key=lambda a: a.here.median)
    names = f"{seconds(lambda: KnowledgeGraph(opened, project).index) * 1e3:.0f}"
    rdflib, note = _rdflib(project, built, asked)
    found = Section(
        title="3 Questions",
        how=(
            "`KnowledgeGraph.ask` with the example of each question, in process, on the built store as it opens: "
            "first = first call of that question in the opened store (cold for what only it reads), then median "
            "and least of up to 7 warm calls. query = its SPARQL alone; disk = the same SPARQL on a build that is kept "
            f"in RocksDB (least of each). more = ask on a build of the tables with the products and "
            f"rows about them copied ({large.quads:,} instead of {built.quads:,} quads), "
            f"least of up to 5, stopped after {_PATIENCE:.0f} s; growth = least / least. Reading the names of all "
            f"things, once per process and only where a parameter is a name, takes {names} ms more."
        ),
        header=(*_HEADER, "more ms", "growth", "rdflib / query"),
        rows=[_row(a, rdflib) for a in asked],
        verdicts=[
            Verdict(
                f"each of {len(asked)} questions under {_TARGET:.0f} ms",
                _named(slow, "all", lambda a: f"{a.name} {a.here.median:.0f} ms (least {a.here.least:.0f})"),
                not slow,
            ),
            Verdict(
                f"each at most {_GROWTH:.0f} times longer on {large.quads / built.quads:.0f} times the quads",
                _named(steep, "all", lambda a: f"{a.name} {f'{a.growth:.0f} times' if a.growth else 'stopped'}"),
                not steep,
            ),
        ],
        remarks=[
            f"Opening the build takes {opening * 1e3:.0f} ms; kept on disk it would take {opening_disk * 1e3:.0f} ms.",
            note,
        ],
    )
    return found, [slowest.name, *(f"{key.replace('_', '-')}={value}" for key, value in slowest.given.items())]


def _ask(project: Project, built: Built, disk: Built, big: Project, large: Built) -> list[Asked]:
    kg = KnowledgeGraph(built.open(), project)
    workers = [
        Worker(open_atmpkg, project, built),
        Worker(open_sparql, project, built),
        Worker(open_sparql, project, disk),
        Worker(open_atmpkg, big, large),
    ]
    here, query, kept, more = workers
    asked = []
    for name, question in sorted(kg.questions.items()):
        given: dict[str, Any] = {key.replace("-", "_"): value for key, value in question.example.items()}
        sparql = kg.sparql(name, **given)
        one, two = here.do(name, given, 7, 3.0, limit=60), query.do(sparql, 7, 3.0, limit=60)
        three = kept.do(sparql, 7, 3.0, limit=60)
        if not (one and two and three):
            raise AssertionError(f"{name} did not end within a minute on the shipped data")
        asked.append(Asked(name, given, sparql, one, two, three, more.do(name, given, 5, 2.0, limit=_PATIENCE)))
    for worker in workers:
        worker.stop()
    return asked


def _rdflib(project: Project, built: Built, asked: list[Asked]) -> tuple[dict[str, Timed | None], str]:
    worker = Worker(open_rdflib, project, built)
    found: dict[str, Timed | None] = {}
    for one in asked:
        if one.name in RDFLIB:
            found[one.name] = worker.do(one.sparql, 1, 5.0, limit=20)
            if (other := found[one.name]) and unordered(other.rows) != unordered(one.query.rows):
                raise AssertionError(f"{one.name}: rdflib and pyoxigraph give different rows")
    worker.stop()
    said = (f"{name} {number(t.least) + ' ms' if t else 'stopped after 20 s'}" for name, t in found.items())
    note = f"rdflib (the same SPARQL, quads and rows, in memory; {len(found)} questions tried): {', '.join(said)}."
    return found, note


def _row(a: Asked, rdflib: dict[str, Timed | None]) -> tuple[object, ...]:
    more, growth = (f"{a.more.least:.1f}", f"{a.growth:.1f}") if a.more else (f"> {_PATIENCE * 1e3:,.0f}", "stopped")
    if a.name in rdflib:
        other = rdflib[a.name]
        ratio = f"{other.least / a.query.least:.0f}" if other else f"> {20e3 / a.query.least:.0f}"
    else:
        ratio = ""
    times = (f"{ms:.1f}" for ms in (a.here.first, a.here.median, a.here.least, a.query.least, a.disk.least))
    late = a.here.median >= _TARGET
    steep = a.growth is None or a.growth > _GROWTH
    return (f"**{a.name}**" if late or steep else a.name, len(a.here.rows), *times, more, growth, ratio)


def _named(found: list[Asked], good: str, say: Callable[[Asked], str]) -> str:
    said = ", ".join(say(a) for a in sorted(found, key=lambda a: -a.here.median))
    return f"not {len(found)}: {said}" if found else good
