"""Serving: what limits and checks cost, what a runaway query does to others, and what killed workers lose.

``python -m bench.serving`` measures for about a minute; ``--minutes 10`` lets the mixed load run that long.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from atmpkg.graph import KnowledgeGraph
from atmpkg.project import Project
from atmpkg.stores import Embedded
from bench.report import Section, Verdict
from bench.timing import seconds

_CONNECTIONS = (4, 32, 128)
_ROUND = 2.0  # seconds of each measurement; what is compared takes turns
_ROUNDS = 3
_QUEUE = 512
_PREFIX = "PREFIX atmp: <https://w3id.org/atmpkg/ontology/> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> "
LOOKUPS = [
    f"{_PREFIX}SELECT ?label {{ <https://w3id.org/atmpkg/id/product/{product}> rdfs:label ?label }}"
    for product in ("tisagenlecleucel", "axicabtagene-ciloleucel", "voretigene-neparvovec", "strimvelis")
]
JOIN = f"{_PREFIX}SELECT ?p ?d {{ ?e atmp:product ?p ; atmp:date ?on . ?on atmp:earliest ?d }} ORDER BY ?d ?p LIMIT 200"
GROUP = "SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p ORDER BY DESC(?n) ?p"
HEAVY = (
    "SELECT ?c ?p (COUNT(*) AS ?n) (MIN(STR(?o)) AS ?least) { ?s a ?c ; ?p ?o } GROUP BY ?c ?p ORDER BY DESC(?n) ?c ?p"
)
RUNAWAY = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
Request = tuple[bytes, bytes]  # what is sent, and the body expected; empty where any will do


@dataclass
class Load:
    """What a closed loop of connections saw."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    wrong: int = 0
    refused: int = 0
    lost: int = 0

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.times) / self.seconds

    def at(self, share: float) -> float:
        """Return the time in ms below which that share of requests stayed."""
        ordered = sorted(self.times)
        return 1e3 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class _Client(asyncio.Protocol):
    """One connection: sends a request, waits for the answer, sends the next until the time is over."""

    def __init__(self, requests: Sequence[Request], load: Load, until: float, done: asyncio.Future[None]) -> None:
        self._requests, self._load, self._until, self._done = requests, load, until, done
        self._at = random.Random(len(load.times) + id(self) % 97).randrange(len(requests))
        self._content = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._at = (self._at + 1) % len(self._requests)
        self._start = time.perf_counter()
        self._transport.write(self._requests[self._at][0])  # type: ignore[attr-defined]  # of a TCP connection

    def data_received(self, data: bytes) -> None:
        self._content += data
        head, blank, body = self._content.partition(b"\r\n\r\n")
        if not blank:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        if len(body) < length:
            return
        now = time.perf_counter()
        self._content = b""
        expected = self._requests[self._at][1]
        if not head.startswith(b"HTTP/1.1 200"):
            self._load.refused += 1
        elif expected and body != expected:
            self._load.wrong += 1
        else:
            self._load.times.append(now - self._start)
        if now >= self._until:
            self._transport.close()
        else:
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self._load.lost += time.perf_counter() < self._until
        if not self._done.done():
            self._done.set_result(None)


def load(port: int, requests: Sequence[Request], connections: int, length: float) -> Load:
    """Drive a server on loopback with so many connections for so many seconds."""

    async def drive() -> Load:
        loop, seen, start = asyncio.get_running_loop(), Load(), time.perf_counter()
        waiting = []
        for _ in range(connections):
            done = loop.create_future()
            waiting.append(done)
            client = _Client(requests, seen, start + length, done)
            await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]  # of a lambda with a default
        await asyncio.wait(waiting, timeout=length + 60)
        seen.seconds = time.perf_counter() - start
        return seen

    return asyncio.run(drive())


def request(sparql: str, expected: bytes = b"") -> Request:
    """Write a query as a GET."""
    head = f"GET /sparql?query={quote(sparql, safe='')} HTTP/1.1\r\nHost: localhost\r\n"
    return f"{head}Accept: application/sparql-results+json\r\n\r\n".encode(), expected


@contextlib.contextmanager
def serving(project: Project, work: Path, name: str, **limits: object) -> Iterator[tuple[int, int]]:
    """Start a server; give its port and pid. ``checked=False`` in limits starts it without limits and checks."""
    log = work / f"{name}.log"
    words = [sys.executable, "-m", "bench.serving", "serve", str(project.root), json.dumps(limits)]
    with log.open("wb") as file:
        process = subprocess.Popen(
            words, stdout=file, stderr=file, env=os.environ | {"ATMPKG_CACHE": str(work / "cache")}
        )
    try:
        until = time.monotonic() + 120
        while not (found := re.search(r"serving .* at http://127\.0\.0\.1:(\d+)", log.read_text())):
            if process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"the server did not start: {log.read_text()}")
            time.sleep(0.05)
        load(int(found[1]), [request("ASK {}")], 2, 0.5)
        yield int(found[1]), process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _serve(root: str, limits: dict[str, object]) -> int:
    from atmpkg.serve import run
    from atmpkg.serve.limits import Limits, Settings

    checked = bool(limits.pop("checked", True))
    kg, digest, modified = run.open_graph(Path(root), None, lambda line: None)
    settings = Settings(port=0, limits=Limits(queue=_QUEUE, **limits), checked=checked)  # type: ignore[arg-type]  # each a number
    return run.serve(kg, digest, modified, settings, lambda line: print(line, file=sys.stderr, flush=True))


def section(project: Project, work: Path, *, minutes: float = 0.3) -> Section:
    """Measure; ``minutes``: how long the mixed load with killed workers runs."""
    result = Section(
        title="5 Serving",
        how=(
            "`atmpkg serve` on loopback, the load generator on the same cores, closed loop. Plain: the same server and "
            "workers without deadlines, guard and queue limits. Both take turns; median of "
            f"{_ROUNDS} rounds of {_ROUND:g} s."
        ),
        header=("what", "requests/s", "p50 ms", "p99 ms", "plain requests/s", "plain p99 ms"),
    )
    with serving(project, work, "checked") as (port, pid), serving(project, work, "plain", checked=False) as (plain, _):
        _lookups(result, port, plain)
        _heavy(result, project, work, port)
        _beside_a_runaway(result, port)
        _with_kills(result, port, pid, 60 * minutes)
    return result


def _lookups(result: Section, port: int, plain: int) -> None:
    requests = [request(query) for query in LOOKUPS]
    for connections in _CONNECTIONS:
        ours, theirs = [], []
        for _ in range(_ROUNDS):
            ours.append(load(port, requests, connections, _ROUND))
            theirs.append(load(plain, requests, connections, _ROUND))
        one, other = (statistics.median(seen.rate for seen in loads) for loads in (ours, theirs))
        p50, p99 = (statistics.median(seen.at(share) for seen in ours) for share in (0.5, 0.99))
        plain_p99 = statistics.median(seen.at(0.99) for seen in theirs)
        result.rows.append((f"lookups, {connections} connections", one, p50, p99, other, plain_p99))
        ratio = one / other
        result.verdicts.append(
            Verdict(f"lookups with limits >= 0.8x without, {connections} connections", f"{ratio:.2f}x", ratio >= 0.8)
        )


def _heavy(result: Section, project: Project, work: Path, port: int) -> None:
    """Compare a heavy query in this process, JSON included, with the same over HTTP."""
    import pyoxigraph as ox

    kg = _opened(project, work)
    store = kg.store
    assert isinstance(store, Embedded)

    def direct() -> object:
        found = store.engine.query(HEAVY, use_default_graph_as_union=True)
        assert isinstance(found, ox.QuerySolutions)
        return found.serialize(format=ox.QueryResultsFormat.JSON)

    for graph, ntriples in _described(kg, port):
        store.add(ntriples.encode(), graph)
    alone, over = [], []
    for _ in range(7):
        alone.append(seconds(direct))
        over.append(load(port, [request(HEAVY)], 1, 0.0).times[0])
    ratio = statistics.median(alone) / statistics.median(over)
    took = statistics.median(over)
    result.rows.append(("heavy query, 1 connection", 1 / took, 1e3 * took, 1e3 * max(over), "", ""))
    result.verdicts.append(Verdict("heavy queries >= 0.95x of direct", f"{ratio:.2f}x", ratio >= 0.95))


def _opened(project: Project, work: Path) -> KnowledgeGraph:
    from atmpkg.serve.run import open_graph

    os.environ["ATMPKG_CACHE"] = str(work / "cache")
    return open_graph(project.root, None, lambda line: None)[0]


def _described(kg: KnowledgeGraph, port: int) -> Iterator[tuple[str, str]]:
    from atmpkg.serve.about import Facts, served_graphs

    return served_graphs(kg, Facts.of(kg.store), f"http://127.0.0.1:{port}", "2026-01-01T00:00:00+00:00")


def _beside_a_runaway(result: Section, port: int) -> None:
    requests = [request(query) for query in LOOKUPS]
    alone, beside = [], []
    for _ in range(_ROUNDS):
        alone.append(load(port, requests, 4, _ROUND))
        runaway = subprocess.Popen(
            [sys.executable, "-m", "bench.serving", "ask", str(port), str(2 * _ROUND)], stdout=subprocess.DEVNULL
        )
        time.sleep(1.2)  # it is long by now
        beside.append(load(port, requests, 4, _ROUND))
        runaway.kill()
        runaway.wait()
        time.sleep(1.0)  # the server sees that its client has gone
    quiet, loud = (statistics.median(seen.at(0.99) for seen in loads) for loads in (alone, beside))
    rate, p50 = statistics.median(seen.rate for seen in beside), statistics.median(seen.at(0.5) for seen in beside)
    result.rows.append(("lookups beside a runaway cross join, 4 connections", rate, p50, loud, "", quiet))
    result.verdicts.append(
        Verdict("a runaway moves p99 of lookups by at most 2x", f"{loud / quiet:.2f}x", loud <= 2 * quiet)
    )


def _with_kills(result: Section, port: int, pid: int, length: float) -> None:
    """Mix lookups, joins and aggregates, kill a worker every second, and compare every answer and the memory."""
    queries = [*LOOKUPS, *LOOKUPS, JOIN, GROUP]
    requests = [request(query, _body(port, query)) for query in queries]
    load(port, requests, 8, 2.0)
    memory = _memory(pid)
    killer = subprocess.Popen([sys.executable, "-m", "bench.serving", "kill", str(pid)])
    peak = memory
    try:
        total, end = Load(), time.monotonic() + length
        while (left := end - time.monotonic()) > 0:
            part = load(port, requests, 8, min(10.0, left))
            total.times += part.times
            total.wrong, total.refused, total.lost = (
                total.wrong + part.wrong, total.refused + part.refused, total.lost + part.lost
            )  # fmt: skip
            total.seconds += part.seconds
            peak = max(peak, _memory(pid))
    finally:
        killer.kill()
        killer.wait()
    time.sleep(1.0)
    after = _memory(pid)
    result.rows.append(
        (
            f"mixed, 8 connections, a worker killed every second, {length:.0f} s",
            total.rate,
            total.at(0.5),
            total.at(0.99),
            "",
            "",
        )
    )
    bad = total.wrong + total.refused + total.lost
    said = f"{total.wrong} wrong, {total.refused} refused, {total.lost} lost of {len(total.times) + bad:,}"
    result.verdicts.append(Verdict("killed workers lose no correct answer", said, bad == 0))
    grown = after / memory
    result.verdicts.append(
        Verdict("memory stays flat (within 10 %)", f"{grown:.2f}x after, {peak / memory:.2f}x at most", grown <= 1.1)
    )
    result.remarks.append(
        f"Memory of all processes, shared pages counted once: {memory / 1e6:.0f} MB before, {after / 1e6:.0f} MB after."
    )


def _body(port: int, query: str) -> bytes:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(
            "GET", f"/sparql?query={quote(query, safe='')}", headers={"Accept": "application/sparql-results+json"}
        )
        return connection.getresponse().read()
    finally:
        connection.close()


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _memory(pid: int) -> int:
    """Return the bytes of a server's processes; a page that several share counts once."""
    total = 0
    for process in (pid, *_children(pid)):
        with contextlib.suppress(OSError):
            found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{process}/smaps_rollup").read_text(), re.MULTILINE)
            total += 1024 * int(found[1]) if found else 0
    return total


def _kill_forever(pid: int) -> None:
    """Kill a worker every second; the first child is the front, whatever the numbers of those forked later."""
    front = _children(pid)[0]
    while True:
        time.sleep(1.0)
        workers = [child for child in _children(pid) if child != front]
        if workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(random.choice(workers), signal.SIGKILL)


def main(words: Sequence[str]) -> int:
    """Measure, or do what another process of this benchmark asks."""
    match words:
        case ["serve", root, limits]:
            return _serve(root, json.loads(limits))
        case ["ask", port, _]:
            load(int(port), [request(RUNAWAY)], 1, 60)
            return 0
        case ["kill", pid]:
            _kill_forever(int(pid))
            return 0
    import tempfile

    minutes = float(words[1]) if words[:1] == ["--minutes"] else 0.3
    with tempfile.TemporaryDirectory(prefix="atmpkg-bench-") as folder:
        done = section(Project.find(), Path(folder), minutes=minutes)
    print(done.markdown())
    for verdict in done.verdicts:
        print(f"{'met' if verdict.met else 'MISSED'}: {verdict.target}: {verdict.measured}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
