"""What the tests of links use: a tiny clinic, the shipped graph, and a SPARQL endpoint on this machine."""

import datetime as dt
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pyoxigraph as ox
import pytest

from atmpkg import cli
from atmpkg.build import build, in_memory
from atmpkg.graph import KnowledgeGraph
from atmpkg.project import Project, home

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATMPKG_CACHE", str(tmp_path_factory.mktemp("links-cache")))
        yield


@pytest.fixture(scope="session")
def clinic() -> KnowledgeGraph:
    """Return the graph of seven diseases, one product and a slice of a tiny Mondo."""
    project = Project(HERE / "clinic", home())
    return KnowledgeGraph(in_memory(project), project, today=dt.date(2024, 6, 1))


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    """Return the graph that the package ships."""
    project = Project(ROOT, home())
    built = build(project, tmp_path_factory.mktemp("shipped"))
    return KnowledgeGraph(built.open(), project, today=dt.date(2026, 11, 28))


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run the command line in this process."""

    def run(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["atmpkg", *map(str, words)])
        capsys.readouterr()
        code: object = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        assert isinstance(code, int)
        return Said(code, *capsys.readouterr())

    return run


@dataclass
class Elsewhere:
    """A real SPARQL endpoint over HTTP; it notes what it was asked and by whom, and can be told to fail first."""

    url: str
    asked: list[str] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)
    answer: bytes | None = None


@pytest.fixture
def elsewhere() -> Iterator[Callable[[str], Elsewhere]]:
    """Return a function that starts an endpoint on loopback with the given Turtle in it."""
    servers: list[HTTPServer] = []

    def start(turtle: str) -> Elsewhere:
        store = ox.Store()
        store.load(turtle.encode(), format=ox.RdfFormat.TURTLE)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                plain = self.headers["Content-Type"].startswith("application/sparql-query")
                sparql = body if plain else parse_qs(body)["query"][0]
                here.asked.append(sparql)
                here.agents.append(self.headers["User-Agent"])
                if here.failures:
                    self.send_error(here.failures.pop(0))
                    return
                try:
                    found = store.query(sparql).serialize(format=ox.QueryResultsFormat.JSON)  # type: ignore[union-attr]
                except SyntaxError as error:
                    self.send_error(400, str(error).splitlines()[0])
                    return
                self.send_response(200)
                content = here.answer if here.answer is not None else found or b""
                self.send_header("Content-Type", "application/sparql-results+json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                return

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        here = Elsewhere(f"http://127.0.0.1:{server.server_port}/sparql")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return here

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
