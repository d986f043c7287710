# ruff: noqa: E501 - what is said of a measurement stands together
"""What users would pick instead: rdflib, oxrdflib and Virtuoso beside ours, on the same quads, rows compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from atmpkg.build import build
from atmpkg.graph import KnowledgeGraph
from atmpkg.project import Project
from atmpkg.stores import Embedded
from bench import servers
from bench.generated import AGGREGATE, AS_OF, GENERIC, JOIN, LOOKUP, MAX_OF_DAYS, PATH, PORTABLE, write
from bench.growing import grown_once
from bench.report import Section, Verdict
from bench.timing import Progress
from bench.workers import (
    Forking,
    Timed,
    open_disk,
    open_memory,
    open_oxrdflib,
    open_plain_rdflib,
    unordered,
)

MEMORY, DISK, RDFLIB, OXRDFLIB, SERVE, VIRTUOSO = "memory", "disk", "rdflib", "oxrdflib", "serve", "Virtuoso"
ENGINES = (MEMORY, DISK, RDFLIB, OXRDFLIB, SERVE, VIRTUOSO)
SHIPPED = "question"
_LARGEST_IN_RDFLIB = 6  # powers of ten: at the seventh it would need 17 GB
_MOST, _BUDGET = 5, 1.5  # measurements of a query, and seconds for them
_GROWTH, _RDFLIB_TIMES, _AGGREGATES = 15.0, 10.0, 3.0
_HOW = (
    "Each engine alone, one after the other, over the union of the graphs: ours in memory, ours on disk (RocksDB, "
    "read-only), rdflib with its own store, oxrdflib (pyoxigraph behind rdflib), and over HTTP on loopback with one kept "
    "connection, to the last byte of the JSON, `atmpkg serve` (with all its limits) and Virtuoso (its defaults, 170,000 "
    "buffers). Least of up to 5 calls after the first, in ms; > : stopped (rdflib when it had taken at least 15 times as "
    "long as ours). In process the rows are read into texts; rows of all engines are compared as sets."
)


@dataclass
class Data:
    """A set of quads, the queries on it, and what each engine took for each."""

    title: str
    size: int
    path: Path
    queries: dict[str, tuple[str, str]]
    quads: int = 0
    times: dict[str, dict[str, Timed | float | str]] = field(default_factory=dict)

    def least(self, engine: str, query: str) -> float | None:
        """Milliseconds; None where the engine is not there, refused, or was stopped."""
        found = self.times.get(engine, {}).get(query)
        return found.least if isinstance(found, Timed) else None

    def at_least(self, engine: str, query: str) -> float | None:
        """Milliseconds that it took or, where it was stopped, had taken already."""
        found = self.times.get(engine, {}).get(query)
        return found.least if isinstance(found, Timed) else found if isinstance(found, float) else None


def sections(project: Project, work: Path, sizes: list[int], say: Progress) -> Iterator[Section]:
    """Measure the twelve queries on made data of these powers of ten, then the questions on our own, grown."""
    folder = work / "engines"
    folder.mkdir()
    made = []
    for size in sizes:
        path = folder / f"made-{size}" / "made.nq"
        path.parent.mkdir()
        queries = {q.name: (q.kind, q.sparql) for q in (*GENERIC, MAX_OF_DAYS)}
        data = Data(f"{10**size:,} quads", size, path, queries)
        data.quads = write(path, 10**size)
        _measure(data, folder, say)
        made.append(data)
        path.unlink()
    yield _generic(made)
    yield from (_table(data, f"Engines: twelve queries on {data.quads:,} made quads") for data in made)
    if max(sizes) >= 6:
        ours = _shipped(project, work, folder)
        _measure(ours, folder, say)
        yield _questions(ours)


def _shipped(project: Project, work: Path, folder: Path) -> Data:
    """Our own data grown to about 10^6 quads, and the questions on them with their example parameters."""
    small = build(project, work / "small")
    big, built = grown_once(project, work, small)
    kg = KnowledgeGraph(built.open(), big)
    queries = {}
    for name, question in sorted(kg.questions.items()):
        given = {key.replace("-", "_"): value for key, value in question.example.items()}
        queries[name] = (SHIPPED, kg.sparql(name, **given))
    path = folder / "grown" / "grown.nq"
    path.parent.mkdir()
    path.write_bytes((built.folder / "graph.nq").read_bytes())
    return Data("our own data, grown", 6, path, queries, built.quads)


def _measure(data: Data, folder: Path, say: Progress) -> None:
    """Ask every engine everything."""
    patience = 60 * 10 ** max(0, data.size - 5)
    disk = folder / "disk"
    for engine in ENGINES:
        if engine in (RDFLIB, OXRDFLIB) and data.size > _LARGEST_IN_RDFLIB:
            continue
        if (engine == SERVE and not servers.endpoint_there()) or (engine == VIRTUOSO and not servers.virtuoso_there()):
            continue
        if engine in (SERVE, VIRTUOSO):
            server: AbstractContextManager[servers.Http] = (servers.endpoint if engine == SERVE else servers.virtuoso)(
                data.path, folder / engine
            )
            try:
                with server as http:
                    data.times[engine] = {
                        name: _asked(partial(http.do, sparql, _MOST, _BUDGET, limit=30), 30)
                        for name, (_, sparql) in data.queries.items()
                    }
                    http.close()
            except AssertionError as error:  # the others are measured all the same
                data.times[engine] = dict.fromkeys(data.queries, str(error))
        else:
            if engine == DISK:
                kept = Embedded.create(disk)
                kept.load(data.path)
                del kept
            opener = {MEMORY: open_memory, RDFLIB: open_plain_rdflib, OXRDFLIB: open_oxrdflib}.get(engine, open_disk)
            worker = Forking(opener, disk if engine == DISK else data.path, ready=patience)
            data.times[engine] = {}
            for name, (_, sparql) in data.queries.items():
                limit = _limit(data, engine, name)
                data.times[engine][name] = _asked(partial(worker.do, sparql, _MOST, _BUDGET, limit=limit), limit)
            worker.stop()
        say(f"{data.title}, {engine}")
    _remove(disk)


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _limit(data: Data, engine: str, name: str) -> float:
    """Seconds after which a query is stopped; of rdflib only as many as show that it is slower than the goal."""
    if engine != RDFLIB:
        return 30.0
    ours = data.at_least(MEMORY, name) or 1e3
    return max(2.0, 1.5 * _RDFLIB_TIMES * ours / 1e3)


def _asked(ask: Callable[[], Timed | None], limit: float) -> Timed | float | str:
    """Return the times, the milliseconds after which it was stopped, or why it was refused."""
    try:
        found = ask()
    except AssertionError as error:
        return str(error)
    return 1e3 * limit if found is None else found


def _generic(made: list[Data]) -> Section:
    """Sum up what the twelve queries show: growth, and the goals at the largest size that all engines hold."""
    first, last = made[0], made[-1]
    goal = next((data for data in made if data.size == _LARGEST_IN_RDFLIB), last)
    verdicts = []
    rows = []
    if first is not last:
        times = last.quads / first.quads
        most = _GROWTH ** (last.size - first.size)
        steep = []
        for name in first.queries:
            small, large = first.least(MEMORY, name), last.at_least(MEMORY, name)
            if small is None or large is None:
                continue
            growth = large / small
            rows.append((name, first.queries[name][0], small, large, f"{growth:.1f}"))
            if growth > most and name != PORTABLE:
                steep.append(f"{name} {growth:.0f}")
        verdicts.append(
            Verdict(
                f"made data: none of twelve queries more than {most:.0f} times longer on {times:.0f} times the quads",
                ", ".join(steep) or "none",
                not steep,
            )
        )
    one, portable = goal.least(MEMORY, AS_OF), goal.least(MEMORY, PORTABLE)
    if one and portable:
        verdicts.append(
            Verdict(
                f"as-of by intervals no slower than the portable form (MAX, GROUP BY) at {goal.quads:,} quads",
                f"{one:.1f} against {portable:.1f} ms",
                one <= portable,
            )
        )
    return Section(
        title="Engines: growth of twelve queries, ours in memory",
        how=f"From {first.quads:,} to {last.quads:,} made quads (bench/generated.py), ms.",
        header=("query", "kind", "ms", "ms, more data", "growth"),
        rows=rows,
        verdicts=verdicts + _goals(goal, ""),
    )


def _goals(data: Data, of: str) -> list[Verdict]:
    """The goals against rdflib and, over HTTP on both sides, Virtuoso."""
    found = []
    if RDFLIB in data.times:
        slow = [
            f"{name} {theirs / ours:.1f}"
            for name in data.queries
            if (ours := data.least(MEMORY, name))
            and (theirs := data.at_least(RDFLIB, name))
            and theirs < _RDFLIB_TIMES * ours
        ]
        count = len(data.queries) - (PORTABLE in data.queries)
        target = f"each of {count} {of or 'queries'} at least {_RDFLIB_TIMES:.0f} times faster than rdflib at {data.quads:,} quads"
        found.append(Verdict(target, f"not {', '.join(slow)}" if slow else "all", not slow))
    if SERVE in data.times and VIRTUOSO in data.times:
        quick = [n for n, (kind, _) in data.queries.items() if kind in (LOOKUP, JOIN, PATH, SHIPPED) and n != PORTABLE]
        heavy = [n for n, (kind, _) in data.queries.items() if kind == AGGREGATE]
        slow = _behind(data, quick, 1)
        what = of or "lookups, joins and paths"
        target = f"over HTTP {what} faster than Virtuoso at {data.quads:,} quads ({len(quick)})"
        found.append(Verdict(target, f"not {len(slow)}: {', '.join(slow)}" if slow else "all", not slow))
        if heavy:
            slow = _behind(data, heavy, _AGGREGATES)
            target = (
                f"over HTTP aggregates within {_AGGREGATES:.0f} times Virtuoso at {data.quads:,} quads ({len(heavy)})"
            )
            found.append(Verdict(target, f"not {', '.join(slow)}" if slow else "all", not slow))
    differ = _different(data)
    engines = ", ".join(data.times)
    found.append(
        Verdict(f"the same rows from {engines} at {data.quads:,} quads", "; ".join(differ) or "all", not differ)
    )
    return found


def _behind(data: Data, names: list[str], times: float) -> list[str]:
    """Return the queries in which our endpoint takes more than ``times`` as long as Virtuoso, with how much more."""
    found = []
    for name in names:
        ours, theirs = data.at_least(SERVE, name), data.least(VIRTUOSO, name)
        if ours is None:
            found.append(f"{name} refused")
        elif theirs is not None and ours > times * theirs:
            found.append(f"{name} {ours / theirs:.1f} times")
    return found


def _different(data: Data) -> list[str]:
    """Return where an engine gave other rows than ours in memory."""
    found = []
    for engine in data.times:
        wrong = []
        for name in data.queries:
            ours, theirs = data.times[MEMORY][name], data.times[engine][name]
            if isinstance(ours, Timed) and isinstance(theirs, Timed) and unordered(ours.rows) != unordered(theirs.rows):
                wrong.append(f"{name} ({len(theirs.rows)} instead of {len(ours.rows)})")
        if wrong:
            found.append(f"{engine}: {', '.join(wrong)}")
    return found


def _questions(data: Data) -> Section:
    found = _table(data, f"Engines: the questions on our own data, grown to {data.quads:,} quads")
    found.verdicts += _goals(data, "questions")
    return found


def _table(data: Data, title: str) -> Section:
    engines = [engine for engine in ENGINES if engine in data.times]
    refused = [
        f"{engine} refused {name}: {' '.join(found.split())[:160]}"
        for engine in engines
        for name, found in data.times[engine].items()
        if isinstance(found, str)
    ]
    missing = [engine for engine in ENGINES if engine not in data.times]
    notes = [f"Not measured here: {', '.join(missing)}."] if missing else []
    ratios = {}
    rows = []
    for name, (kind, _) in data.queries.items():
        ours, theirs = data.times[MEMORY][name], data.at_least(RDFLIB, name)
        base, stopped = data.least(MEMORY, name), isinstance(data.times.get(RDFLIB, {}).get(name), float)
        ratio, http = "", ""
        if base and theirs:
            ratio = f"{'> ' if stopped else ''}{theirs / base:.0f}"
        if base and (disk := data.least(DISK, name)):
            ratios[f"{data.title}, {name}: disk / memory"] = disk / base
        if (serve := data.least(SERVE, name)) and (other := data.least(VIRTUOSO, name)):
            http = f"{other / serve:.1f}"
            ratios[f"{data.title}, {name}: Virtuoso / serve"] = other / serve
        count = len(ours.rows) if isinstance(ours, Timed) else ""
        rows.append((name, kind, count, *(_cell(data.times[e][name]) for e in engines), ratio, http))
    return Section(
        title=title,
        how=_HOW,
        header=("query", "kind", "rows", *engines, "rdflib / memory", "Virtuoso / serve"),
        rows=rows,
        remarks=notes + refused,
        ratios=ratios,
    )


def _cell(found: Timed | float | str) -> str:
    if isinstance(found, Timed):
        return f"{found.least:.2f}" if found.least < 10 else f"{found.least:,.0f}"
    return f"> {found:,.0f}" if isinstance(found, float) else "refused"
