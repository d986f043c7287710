"""What the tests of the endpoint use: real servers in processes of their own, and a plain HTTP client."""

# ruff: noqa: E501  # queries and requests are easier to read on one line

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "tests" / "sample"
TOKEN = "a-token-for-tests-only"

_SCRATCH = """
import datetime as dt, sys
from atmpkg.project import Project, home
from atmpkg.serve.jobs import Kept
from atmpkg.serve.limits import Limits, Settings
from atmpkg.serve.run import serve
from atmpkg.stores import Embedded
from pathlib import Path
kg = Kept(Embedded.memory(), Project(Path(sys.argv[1]), home()))
settings = Settings(port=0, writable=True, token=sys.argv[2], prefixes={}, limits=Limits(workers=2, **eval(sys.argv[3])))
say = lambda line: print(line, file=sys.stderr, flush=True)
sys.exit(serve(kg, "scratch", dt.datetime(2026, 1, 2, tzinfo=dt.UTC), settings, say, describe=False))
"""
_SAMPLE = """
import datetime as dt, sys
from atmpkg.build import in_memory
from atmpkg.project import Project, home
from atmpkg.serve.jobs import Kept
from atmpkg.serve.limits import Limits, Settings
from atmpkg.serve.run import serve
from pathlib import Path
project = Project(Path(sys.argv[1]), home())
kg = Kept(in_memory(project), project, today=dt.date(2024, 6, 1))
settings = Settings(port=0, today=dt.date(2024, 6, 1), limits=Limits(**eval(sys.argv[3])))
say = lambda line: print(line, file=sys.stderr, flush=True)
sys.exit(serve(kg, "sample", dt.datetime(2026, 1, 2, tzinfo=dt.UTC), settings, say))
"""


@dataclass(frozen=True)
class Got:
    """A response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Server:
    """A server in a process of its own."""

    process: subprocess.Popen[bytes]
    log: Path
    host: str = ""
    port: int = 0
    said: list[str] = field(default_factory=list)

    def wait(self) -> None:
        """Wait until it says where it listens."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if found := re.search(r"serving [\d,]+ quads at http://(.+):(\d+) ", self.log.read_text()):
                self.host, self.port = found[1], int(found[2])
                while self.get("/health").status != 200 and time.monotonic() < until:
                    time.sleep(0.05)
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"the server did not start: {self.log.read_text()}")

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> Got:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            fields = {name.lower(): value for name, value in (headers or {}).items()}
            connection.putrequest(method, path, skip_host="host" in fields, skip_accept_encoding=True)
            if body is not None:
                fields.setdefault("content-length", str(len(body)))
            for name, value in fields.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Got(response.status, found, response.read())
        finally:
            connection.close()

    def get(self, path: str, accept: str = "", **headers: str) -> Got:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("GET", path, headers=fields | ({"accept": accept} if accept else {}))

    def query(
        self, sparql: str, accept: str = "application/sparql-results+json", *, timeout: float = 60, **more: str
    ) -> Got:
        headers = {"content-type": "application/sparql-query", "accept": accept}
        path = "/sparql" + (f"?{urlencode(more)}" if more else "")
        return self.request("POST", path, sparql.encode(), headers, timeout)

    def update(self, sparql: str) -> Got:
        headers = {"content-type": "application/sparql-update", "authorization": f"Bearer {TOKEN}"}
        return self.request("POST", "/sparql", sparql.encode(), headers)

    def metric(self, name: str) -> float:
        """Return a number of /metrics."""
        found = re.search(rf"^atmpkg_{re.escape(name)} (\S+)$", self.get("/metrics").text, re.MULTILINE)
        assert found, name
        return float(found[1])

    def workers(self) -> list[int]:
        """Return the pids of the workers: children of the process, without the front."""
        return [pid for pid in self.children() if pid != self.front]

    @property
    def front(self) -> int:
        return min(self.children())  # it is forked first

    def children(self) -> list[int]:
        tasks = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in tasks.read_text().split()]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


Start = Callable[..., Server]


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory, needs: Callable[[bool, str], None]) -> Iterator[Start]:
    """Return a function that starts a server: "scratch" (empty, writable) or "sample", with other limits, or "command" for a store."""
    needs(hasattr(os, "fork") and Path("/proc/self/task").is_dir(), "fork and /proc")
    started: list[Server] = []

    def run(kind: str, store: str = "", **limits: float) -> Server:
        folder = tmp_path_factory.mktemp("served")
        log = folder / "log"
        env = os.environ | {"PYTHONPATH": str(ROOT)}
        if kind == "command":
            words = [sys.executable, "-m", "atmpkg", "serve", "--port", "0", "--data", str(SAMPLE), "--store", store]
        else:
            code = {"scratch": _SCRATCH, "sample": _SAMPLE}[kind]
            words = [sys.executable, "-c", code, str(SAMPLE), TOKEN, repr(limits)]
        with log.open("wb") as file:
            process = subprocess.Popen(words, stdout=file, stderr=file, env=env, cwd=folder)
        server = Server(process, log)
        started.append(server)
        server.wait()
        return server

    yield run
    for server in started:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture(scope="session")
def scratch(start: Start) -> Server:
    """Return an empty server that takes changes."""
    return start("scratch")


@pytest.fixture(scope="session")
def served(start: Start) -> Server:
    """Return a server of the sample project."""
    return start("sample")
