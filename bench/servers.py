"""Servers on loopback that answer SPARQL over HTTP: Virtuoso, and our own endpoint, on the same file of N-Quads."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import atmpkg
from atmpkg.project import FORMAT
from bench.workers import Timed, timed

_PATIENCE = 900.0  # seconds for loading
_CONFIG = """
[Database]
DatabaseFile = {folder}/virtuoso.db
ErrorLogFile = {folder}/virtuoso.log
LockFile = {folder}/virtuoso.lck
TransactionFile = {folder}/virtuoso.trx
xa_persistent_file = {folder}/virtuoso.pxa
[TempDatabase]
DatabaseFile = {folder}/virtuoso-temp.db
TransactionFile = {folder}/virtuoso-temp.trx
[Parameters]
ServerPort = 127.0.0.1:{sql}
DisableUnixSocket = 1
NumberOfBuffers = 170000
MaxDirtyBuffers = 130000
MaxCheckpointRemap = 2000
DirsAllowed = {folder}, {data}
[HTTPServer]
ServerPort = 127.0.0.1:{port}
ServerRoot = {folder}
ServerThreads = 4
MaxKeepAlives = 4
KeepAliveTimeout = 60
[SPARQL]
ResultSetMaxRows = 10000000
MaxQueryExecutionTime = 60
"""


class Http:
    """Queries over one kept connection; a time ends when the last byte of the JSON has come."""

    def __init__(self, url: str) -> None:
        self._at = urlsplit(url)
        self._connection: http.client.HTTPConnection | None = None

    def do(self, sparql: str, most: int, budget: float, *, limit: float) -> Timed | None:
        """Ask again and again; None where one took longer than the limit, AssertionError where it is refused."""
        body = b""

        def call() -> list[tuple[str, ...]]:
            nonlocal body
            body = self._post(sparql, limit)
            return []

        try:
            found = timed(call, most=most, budget=budget)
        except (TimeoutError, http.client.HTTPException, OSError) as error:
            self.close()
            if isinstance(error, TimeoutError):
                return None
            raise AssertionError(f"{type(error).__name__}: {error}") from None
        answer = json.loads(body)
        names = answer["head"]["vars"]
        rows = [tuple(row[n]["value"] if n in row else "" for n in names) for row in answer["results"]["bindings"]]
        return Timed(found.first, found.median, found.least, rows)

    def close(self) -> None:
        """Give the connection up."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def _post(self, sparql: str, limit: float) -> bytes:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._at.hostname or "", self._at.port)
            self._connection.connect()
            self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection.sock and self._connection.sock.settimeout(limit)
        headers = {
            "Accept": "application/sparql-results+json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self._connection.request("POST", self._at.path, urlencode({"query": sparql}), headers)
        response = self._connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise AssertionError(f"{response.status}: {body[:200].decode(errors='replace').strip()}")
        return body


def virtuoso_there() -> bool:
    """Tell whether Virtuoso is installed."""
    return bool(shutil.which("virtuoso-t") and shutil.which("isql-vt"))


def endpoint_there() -> bool:
    """Tell whether this atmpkg has an endpoint of its own."""
    return find_spec("atmpkg.serve") is not None


@contextmanager
def virtuoso(nquads: Path, folder: Path) -> Iterator[Http]:
    """Run Virtuoso on a file of N-Quads, loaded in bulk; stop it in the end."""
    folder.mkdir(parents=True)
    sql, port = _free(), _free()
    config = folder / "virtuoso.ini"
    config.write_text(_CONFIG.format(folder=folder, data=nquads.parent, sql=sql, port=port), encoding="utf-8")
    words = ["virtuoso-t", "+foreground", "+configfile", str(config)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    try:
        _until(lambda: _isql(sql, "select 1;").returncode == 0, process, 60)
        load = f"ld_dir('{nquads.parent}', '{nquads.name}', 'urn:none'); rdf_loader_run(); checkpoint;"
        state = "select 'left', count(*) from DB.DBA.load_list where ll_state <> 2 or ll_error is not null;"
        done = _isql(sql, load + state)
        if not re.search(r"left\s+0\b", done.stdout):
            raise AssertionError(f"Virtuoso did not load {nquads.name}: {(done.stdout + done.stderr)[-400:]}")
        yield Http(f"http://127.0.0.1:{port}/sparql")
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _isql(port: int, text: str) -> subprocess.CompletedProcess[str]:
    words = ["isql-vt", f"127.0.0.1:{port}", "dba", "dba", f"exec={text}"]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=_PATIENCE)


@contextmanager
def endpoint(nquads: Path, folder: Path) -> Iterator[Http]:
    """Run ``atmpkg serve`` on a file of N-Quads, read into memory; stop it in the end."""
    build = folder / hashlib.sha256(nquads.name.encode()).hexdigest()[:24]
    build.mkdir(parents=True)
    (folder / "current").write_text(build.name, encoding="utf-8")
    shutil.copyfile(nquads, build / "graph.nq")
    content = (build / "graph.nq").read_bytes()
    about = {
        "format": FORMAT,
        "version": atmpkg.__version__,
        "quads": content.count(b"\n"),
        "rows": {},
        "inferred": {},
        "digest": hashlib.blake2b(content, digest_size=16).hexdigest(),
    }
    (build / "build.json").write_text(json.dumps(about), encoding="utf-8")
    words = ["serve", "--store", str(folder), "--port", "0", "--timeout", "60", "--memory", "0"]
    process = subprocess.Popen(
        [sys.executable, "-c", "from atmpkg.cli import main; main()", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stderr is not None
    try:
        said = []
        while line := process.stderr.readline():
            said.append(line)
            if found := re.search(r"http://[\d.]+:\d+", line):
                break
        else:
            raise AssertionError(f"atmpkg serve did not start: {''.join(said)[-400:]}")
        http = Http(f"{found[0]}/sparql")
        _until(lambda: http.do("SELECT * { VALUES ?a { 1 } }", 1, 1, limit=5) is not None, process, 30)
        yield http
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _free() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _until(ready: Callable[[], object], process: subprocess.Popen[Any], most: float) -> None:
    end = time.monotonic() + most
    while True:
        try:
            if ready():
                return
        except (AssertionError, OSError):
            pass
        if process.poll() is not None or time.monotonic() > end:
            raise AssertionError(f"{process.args!r} did not start")
        time.sleep(0.2)
