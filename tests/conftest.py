"""What every test may use: the sample project, its graph, the real graph, and the command line.

Nothing here reads the clock, the network or the user's cache. A component that a machine lacks is skipped with the
reason; in CI (``CI=true``) its absence is a failure.
"""

import contextlib
import datetime as dt
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest

from atmpkg import cli
from atmpkg.build import build
from atmpkg.build import in_memory as built_in_memory
from atmpkg.graph import KnowledgeGraph
from atmpkg.project import Project, home

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "tests" / "sample"
TODAY = dt.date(2024, 6, 1)

hypothesis.settings.register_profile("house", derandomize=True, database=None, deadline=None, max_examples=60)
hypothesis.settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-golden", action="store_true", help="write the golden answers anew; read the diff after it"
    )


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep what is built, and what hypothesis keeps, away from the user's own."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATMPKG_CACHE", str(folder))
        patch.setenv("COLUMNS", "120")
        yield folder


@pytest.fixture(scope="session")
def sample_project() -> Project:
    return Project(SAMPLE, home())


@pytest.fixture(scope="session")
def in_memory() -> Callable[[Project], KnowledgeGraph]:
    """Return what builds the graph of a project in memory."""
    return lambda project: KnowledgeGraph(built_in_memory(project), project, today=TODAY)


@pytest.fixture(scope="session")
def sample(sample_project: Project, in_memory: Callable[[Project], KnowledgeGraph]) -> KnowledgeGraph:
    return in_memory(sample_project)


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    """Return the graph that the package ships, built on disk once."""
    project = Project(ROOT, home())
    built = build(project, tmp_path_factory.mktemp("real"))
    return KnowledgeGraph(built.open(), project, today=dt.date(2026, 11, 23))


@pytest.fixture
def own_sample(tmp_path: Path) -> Path:
    """Return a copy of the sample project that a test may spoil."""
    return Path(shutil.copytree(SAMPLE, tmp_path / "own"))


@dataclass(frozen=True)
class Run:
    """What a command gave back."""

    code: int
    out: str
    err: str


@pytest.fixture
def atmpkg(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Run]:
    """Run the command line in this process, on the sample unless ``--data`` says otherwise."""

    def run(*words: object) -> Run:
        chosen = [] if "--data" in words or "--help" in words or not words else ["--data", str(SAMPLE)]
        monkeypatch.setattr(sys, "argv", ["atmpkg", *map(str, words), *chosen])
        capsys.readouterr()
        code: object = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        assert isinstance(code, int)
        return Run(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def needs() -> Callable[[bool, str], None]:
    """Skip, or in CI fail, where a component is absent."""

    def check(there: bool, what: str) -> None:
        if not there and os.environ.get("CI") == "true":
            pytest.fail(f"{what} is missing, and CI must have it")
        if not there:
            pytest.skip(f"{what} is missing here")

    return check


@dataclass
class Virtuoso:
    """A Virtuoso server of our own on loopback, with a database that goes away."""

    folder: Path
    rows: int = 1_000_000  # ResultSetMaxRows
    limit: int = 50_000_000  # bytes of one transaction
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.port, self.web = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.web}/sparql"

    def start(self) -> "Virtuoso":
        """Start it, and return when it answers."""
        (self.folder / "www").mkdir(parents=True, exist_ok=True)
        files = "".join(
            f"{key} = {self.folder / name}\n"
            for key, name in {"DatabaseFile": "v.db", "ErrorLogFile": "v.log", "LockFile": "v.lck"}.items()
        )
        text = (
            f"[Database]\n{files}TransactionFile = {self.folder}/v.trx\nxa_persistent_file = {self.folder}/v.pxa\n"
            f"[TempDatabase]\nDatabaseFile = {self.folder}/t.db\nTransactionFile = {self.folder}/t.trx\n"
            f"[Parameters]\nServerPort = 127.0.0.1:{self.port}\nDisableUnixSocket = 1\nCaseMode = 2\n"
            f"NumberOfBuffers = 10000\nMaxDirtyBuffers = 7000\nDirsAllowed = {self.folder}\n"
            f"TransactionAfterImageLimit = {self.limit}\n"
            f"[HTTPServer]\nServerPort = 127.0.0.1:{self.web}\nServerRoot = {self.folder}/www\nServerThreads = 5\n"
            f"[SPARQL]\nResultSetMaxRows = {self.rows}\n"
        )
        (self.folder / "v.ini").write_text(text)
        with (self.folder / "out.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["virtuoso-t", "+foreground", "+configfile", str(self.folder / "v.ini")], stdout=log, stderr=log
            )
        for _ in range(300):
            self.isql('set password "dba" "a secret";', "dba")
            if self.isql("select 1;").returncode == 0:
                return self
            time.sleep(0.2)
        raise AssertionError((self.folder / "out.log").read_text())

    def isql(self, text: str, password: str = "a secret") -> subprocess.CompletedProcess[str]:
        """Run SQL as its administrator."""
        command = ["isql-vt", f"127.0.0.1:{self.port}", "dba", password, f"exec={text}", "ERRORS=STDOUT"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if "*** Error" in done.stdout + done.stderr:
            done.returncode = 1
        return done

    def kill(self) -> None:
        """End it at once, as a failing machine would."""
        if self.process:
            self.process.kill()
            self.process.wait()
        (self.folder / "v.lck").unlink(missing_ok=True)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture(scope="session")
def virtuosos(
    needs: Callable[[bool, str], None], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Virtuoso]]:
    """Return what starts Virtuoso servers."""
    needs(bool(shutil.which("virtuoso-t") and shutil.which("isql-vt")), "Virtuoso (virtuoso-opensource-7-bin)")
    started: list[Virtuoso] = []

    def start(**settings: int) -> Virtuoso:
        started.append(Virtuoso(tmp_path_factory.mktemp("virtuoso"), **settings))
        return started[-1].start()

    yield start
    for server in started:
        server.kill()


@pytest.fixture(scope="session")
def virtuoso(virtuosos: Callable[..., Virtuoso]) -> Virtuoso:
    """Return one server for all tests that leave it running."""
    return virtuosos()


@pytest.fixture(scope="session")
def oxigraph(needs: Callable[[bool, str], None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start an Oxigraph server on loopback and return the address of its queries."""
    program = Path(sys.executable).with_name("oxigraph")
    needs(program.exists(), "the Oxigraph server (pip install oxigraph)")
    port = free_port()
    place = tmp_path_factory.mktemp("oxigraph")
    with (place / "out.log").open("wb") as log:
        process = subprocess.Popen(
            [str(program), "serve", "--location", str(place / "store"), "--bind", f"127.0.0.1:{port}"],
            stdout=log,
            stderr=log,
        )
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/query"
    finally:
        process.kill()
        process.wait()
