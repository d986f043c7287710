"""Hostile and unlucky clients: runaway queries, killed workers, floods, and connections that never end."""

# ruff: noqa: E501  # queries and requests are easier to read on one line

import contextlib
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

RUNAWAY = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
LOOKUP = "SELECT ?label { <https://w3id.org/atmpkg/id/product/alfacel> rdfs:label ?label }"
TIMEOUT = 1.5


@pytest.fixture(scope="module")
def strict(start: Callable[..., Any]) -> Any:
    """Return a server of the sample with tight limits."""
    return start(
        "sample", workers=2, timeout=TIMEOUT, long_after=0.1, long_most=2, patience=0.4, queue=4, client=1.0,
        result=200_000, body=50_000, headers=8_000, memory=300 << 20, connections=60,
    )  # fmt: skip


def kind(got: Any) -> str:
    return str(json.loads(got.body)["type"]).rpartition("/")[2]


@contextlib.contextmanager
def together(*calls: Callable[[], object]) -> Iterator[list[object]]:
    """Run calls beside the block; give what they returned when it ends."""
    results: list[object] = []
    threads = [threading.Thread(target=lambda call=call: results.append(call())) for call in calls]  # type: ignore[misc]
    for thread in threads:
        thread.start()
    yield results
    for thread in threads:
        thread.join(60)


@contextlib.contextmanager
def connection(server: Any) -> Iterator[socket.socket]:
    with socket.create_connection((server.host, server.port), timeout=10) as sock:
        yield sock


def rest(sock: socket.socket) -> bytes:
    """Read until the other side closes."""
    parts = []
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        while part := sock.recv(65536):
            parts.append(part)
    return b"".join(parts)


def test_a_runaway_query_is_ended_at_the_deadline_while_lookups_go_on(strict: Any) -> None:
    killed = strict.metric("queries_killed_total")
    start = time.monotonic()
    took: list[float] = []
    with together(*[lambda: (strict.query(RUNAWAY), time.monotonic() - start)] * 2) as ends:
        time.sleep(0.3)
        while time.monotonic() - start < TIMEOUT - 0.2:
            at = time.monotonic()
            assert strict.query(LOOKUP).status == 200
            took.append(time.monotonic() - at)
    for got, seconds in ends:  # type: ignore[misc]
        assert (got.status, kind(got)) == (504, "too-long")
        assert TIMEOUT - 0.1 < seconds < TIMEOUT + 1.5
    assert len(took) >= 3 and max(took) < 1
    assert strict.metric("queries_killed_total") == killed + 2
    assert all(Path(f"/proc/{pid}").exists() for pid in strict.workers())


def test_work_stops_when_the_query_is_ended(strict: Any) -> None:
    strict.query(RUNAWAY)
    time.sleep(0.3)

    def ticks() -> int:
        found = 0
        for pid in strict.workers():
            with contextlib.suppress(OSError):
                found += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
        return found

    before = ticks()
    time.sleep(0.5)
    assert ticks() - before < 10  # hundredths of a second: nobody works


def test_a_client_that_leaves_ends_its_query(start: Callable[..., Any]) -> None:
    server = start("sample", workers=2, timeout=60, long_after=0.1)
    body = RUNAWAY.encode()
    with connection(server) as sock:
        head = f"POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Type: application/sparql-query\r\nContent-Length: {len(body)}\r\n\r\n"
        sock.sendall(head.encode() + body)
        time.sleep(0.5)
    until = time.monotonic() + 10
    while server.metric("queries_killed_total") == 0 and time.monotonic() < until:
        time.sleep(0.1)
    assert server.metric("queries_killed_total") == 1
    assert server.stop() == 0


def test_killed_workers_lose_no_answer(start: Callable[..., Any]) -> None:
    server = start("sample", workers=2, patience=60)
    query = "SELECT (COUNT(*) AS ?n) { ?a a atmp:Product . ?b rdfs:label ?c FILTER(STRLEN(STR(?a)) > STRLEN(?c)) }"
    expected = server.query(query).body
    answers: list[Any] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():  # so that workers are busy when they are killed
            answers.append(server.query(query))

    with together(ask, ask, ask):
        for turn in range(8):
            time.sleep(0.25)
            with contextlib.suppress(ProcessLookupError):
                workers = server.workers()
                os.kill(workers[turn % len(workers)], signal.SIGKILL)
        over.set()
    assert {got.status for got in answers} == {200} and len(answers) > 8
    assert {got.body for got in answers} == {expected}
    assert server.metric("workers_lost_total") > 0
    time.sleep(0.5)  # the last may have been killed this very moment
    until = time.monotonic() + 10
    while json.loads(server.get("/health").body)["workers"]["idle"] != 2 and time.monotonic() < until:
        time.sleep(0.1)
    assert json.loads(server.get("/health").body)["workers"] == {"idle": 2, "busy": 0, "long": 0, "waiting": 0}
    assert server.stop() == 0


def test_a_query_that_always_loses_its_worker_ends(strict: Any) -> None:
    """The engine's parser overflows its stack on such depth; the job is not given to one worker after another."""
    got = strict.query("SELECT * { FILTER(" + "(" * 20_000 + "1" + ")" * 20_000 + ") }")
    assert got.status in (400, 422)
    assert strict.query(LOOKUP).status == 200


def test_memory_has_a_ceiling(start: Callable[..., Any]) -> None:
    server = start("sample", workers=2, timeout=30, memory=150 << 20)
    got = server.query("SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?a ?d ?g")
    assert (got.status, kind(got)) == (422, "too-much-memory")
    assert server.query(LOOKUP).status == 200
    assert server.stop() == 0


def test_an_answer_has_a_limit(strict: Any) -> None:
    got = strict.query("SELECT * { ?a ?b ?c }")
    assert (got.status, kind(got)) == (422, "answer-too-large")
    got = strict.query("CONSTRUCT { ?a ?b ?c } { ?a ?b ?c }", "text/turtle")
    assert (got.status, kind(got)) == (422, "answer-too-large")
    assert strict.get("/graphs").status == 422


def test_a_flood_is_turned_away_with_a_time_to_come_back(strict: Any) -> None:
    with together(*[lambda: strict.query(RUNAWAY)] * 14) as ends:
        time.sleep(0.8)
        assert strict.get("/health").status == 200
        assert strict.get("/openapi.json").status == 200
    statuses = [got.status for got in ends]  # type: ignore[attr-defined]
    assert set(statuses) == {503, 504}
    busy = next(got for got in ends if got.status == 503)  # type: ignore[attr-defined]
    assert int(busy.headers["retry-after"]) > 0 and kind(busy) == "busy"
    time.sleep(0.3)
    assert strict.query(LOOKUP).status == 200


def test_slow_headers_are_cut(strict: Any) -> None:
    start = time.monotonic()
    with connection(strict) as sock:
        sock.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n")
        with contextlib.suppress(OSError):
            while time.monotonic() - start < 5:
                sock.sendall(b"X: y\r\n")
                time.sleep(0.2)
        end = time.monotonic() - start
    assert end < 4


def test_a_connection_that_says_nothing_is_cut(strict: Any) -> None:
    with connection(strict) as sock:
        assert rest(sock).startswith(b"HTTP/1.1 408")


def test_slow_headers_on_a_used_connection_are_cut(strict: Any) -> None:
    with connection(strict) as sock:
        sock.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        assert sock.recv(65536).startswith(b"HTTP/1.1 200")
        sock.sendall(b"GET /health HTTP/1.1\r\nHos")
        start = time.monotonic()
        rest(sock)
        assert time.monotonic() - start < 4


def test_a_slow_body_is_cut(strict: Any) -> None:
    with connection(strict) as sock:
        sock.sendall(
            b"POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Type: application/sparql-query\r\nContent-Length: 100\r\n\r\nASK"
        )
        assert rest(sock).startswith(b"HTTP/1.1 408")


def test_a_large_body_is_refused_unread(strict: Any) -> None:
    with connection(strict) as sock:
        sock.sendall(
            b"POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Type: application/sparql-query\r\nContent-Length: 99999999999\r\n\r\n"
        )
        assert rest(sock).startswith(b"HTTP/1.1 413")
    with connection(strict) as sock:
        sock.sendall(
            b"POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Type: application/sparql-query\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        with contextlib.suppress(OSError):
            for _ in range(20):
                sock.sendall(b"2000\r\n" + b"#" * 0x2000 + b"\r\n")
        assert rest(sock)[:12] in (b"HTTP/1.1 413", b"")


def test_large_headers_are_refused(strict: Any) -> None:
    for head in (
        b"GET /sparql?query=" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20_000,
    ):
        with connection(strict) as sock:
            with contextlib.suppress(OSError):
                sock.sendall(head)
            assert rest(sock)[:12] in (b"HTTP/1.1 431", b"")


def test_a_client_that_does_not_read_is_cut(start: Callable[..., Any]) -> None:
    server = start("sample", workers=2, client=1.0)
    with connection(server) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(40):
            with contextlib.suppress(OSError):
                sock.sendall(b"GET /graphs HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(4)
        assert server.query(LOOKUP).status == 200
        with pytest.raises(OSError):
            for _ in range(200):
                sock.sendall(b"GET /graphs HTTP/1.1\r\nHost: a\r\n\r\n")
                time.sleep(0.01)
    assert server.stop() == 0


def test_connections_have_a_limit(strict: Any) -> None:
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(connection(strict)) for _ in range(80)]
        firsts = [rest(sock)[:12] for sock in socks]
    assert b"HTTP/1.1 503" in firsts
    assert strict.get("/health").status == 200


HOSTILE = [
    b"GET /\r\n\r\n", b"\x16\x03\x01\x00\xa5\x01", b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 100, b"GET http://evil/ HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET //evil.example/..%2f HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /ask/a%0d%0aSet-Cookie:%20x HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /sparql?query=%0d%0aSet-Cookie:x HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /graphs?graph=urn:a%0d%0aX:y HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: a\r\nAccept: " + b",".join([b"a/b;q=x"] * 500) + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data\r\nContent-Length: 3\r\n\r\nabc",
    b"POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Type: application/sparql-query\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /page/..%5c..%5cx HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
]  # fmt: skip


@pytest.mark.parametrize("request_", HOSTILE, ids=lambda content: repr(content[:50]))
def test_hostile_requests_get_a_plain_answer(strict: Any, request_: bytes) -> None:
    with connection(strict) as sock:
        sock.sendall(request_)
        sock.shutdown(socket.SHUT_WR)
        answer = rest(sock)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert answer == b"" or head.startswith(b"HTTP/1.1 ")
    assert b"HTTP/1.1 5" not in head and b"set-cookie" not in head.lower() and b"root:" not in body
    assert b"Traceback" not in body and b"site-packages" not in body
    assert strict.get("/health").status == 200
    assert "Traceback" not in strict.log.read_text()


def test_a_query_that_is_slow_to_read_stops_nobody(strict: Any) -> None:
    """The guard reads in a worker, within the deadline."""
    slow = b"SELECT * { " + b"<" * 45_000 + b" service"
    with together(*[lambda: strict.request("POST", "/sparql", slow, {"content-type": "application/sparql-query"})] * 4):
        start = time.monotonic()
        assert strict.get("/health").status == 200
        assert time.monotonic() - start < 1


def test_a_query_cannot_reach_out_or_open_files(strict: Any) -> None:
    heard: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.5)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        for query in (
            f"SELECT * {{ SERVICE <{address}> {{ ?s ?p ?o }} }}",
            f"PREFIX : <{address}> ASK {{ SERVICE SILENT:a {{ ?s ?p ?o }} }}",
        ):
            got = strict.query(query)
            assert (got.status, kind(got)) == (403, "reaches-out")
        assert (
            strict.query(f"SELECT * FROM <{address}> FROM <file:///etc/hostname> {{ ?s ?p ?o }}").text.count("value")
            == 0
        )
        with contextlib.suppress(TimeoutError):
            heard.append(listener.accept())
    assert heard == []


@pytest.mark.parametrize("where", ["memory", "disk"])
def test_a_worker_could_not_connect_even_if_the_guard_let_it(sample: Any, where: str, tmp_path: Path) -> None:
    """The second fence: while a query is evaluated nothing can be opened."""
    from atmpkg.build import build
    from atmpkg.serve.jobs import Bench, Kept, Select

    on_disk = where == "disk"
    store = build(sample.project, tmp_path / "built", most_in_memory=0).open() if on_disk else sample.store
    bench = Bench(Kept(store, sample.project), {}, 1 << 20, guarded=False, confined=not on_disk)
    if on_disk:
        bench.kg.let_go()
        bench.open()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.3)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        reply = bench.do(Select(f"SELECT * {{ SERVICE <{address}> {{ ?s ?p ?o }} }}"))
        assert reply.status == 500 and b"127.0.0.1" not in reply.body
        with pytest.raises(TimeoutError):
            listener.accept()
    assert bench.do(Select("SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }")).status == 200


def processes(server: Any) -> list[int]:
    return [server.process.pid, *server.children()]


def gone(pids: list[int]) -> bool:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if not any(
            Path(f"/proc/{pid}").exists()
            and "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            for pid in pids
        ):
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_server_ends_when_it_is_told(start: Callable[..., Any], number: int) -> None:
    server = start("sample", workers=2)
    pids = processes(server)
    for pid in (server.process.pid, server.front) if number == signal.SIGINT else (server.process.pid,):
        os.kill(pid, number)  # a terminal sends SIGINT to all
    assert server.process.wait(20) == 0
    assert gone(pids)


def test_nothing_is_left_when_a_part_is_killed(start: Callable[..., Any]) -> None:
    server = start("sample", workers=2)
    pids = processes(server)
    os.kill(server.front, signal.SIGKILL)
    assert server.process.wait(20) == 3 and gone(pids)
    server = start("sample", workers=2)
    pids = processes(server)
    server.process.kill()
    server.process.wait()
    assert gone(pids)


def test_changes_can_be_made_again_and_again_without_leaving_processes(start: Callable[..., Any]) -> None:
    server = start("scratch")
    for number in range(15):
        assert server.update(f"INSERT DATA {{ GRAPH <urn:g> {{ <urn:a> <urn:b> {number} }} }}").status == 204
        assert f'"value":"{number + 1}"' in server.query("SELECT (COUNT(*) AS ?n) { GRAPH <urn:g> { ?s ?p ?o } }").text
    assert server.update("INSERT { ?a ?b ?c } WHERE { ?a ?b ?c . ?d ?e ?f . FILTER(false) }").status == 204
    time.sleep(1)
    group = [
        pid for pid in [int(at.name) for at in Path("/proc").iterdir() if at.name.isdigit()] if _command_of(pid, server)
    ]
    assert len(group) <= 6, group  # the first process, the front, the nursery, two workers
    assert server.stop() == 0 and gone(group)


def _command_of(pid: int, server: Any) -> bool:
    try:
        return bool(server.log.parent == Path(f"/proc/{pid}/cwd").readlink())
    except OSError:
        return False
