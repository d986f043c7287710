"""What every test may use: the sample project, its graph, the real graph, and the command line.

Nothing here reads the clock, the network or the user's cache. A component that a machine lacks is skipped with the
reason; in CI (``CI=true``) its absence is a failure.
"""

import datetime as dt
import os
import shutil
import sys
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
