"""A tiny project of its own for the views: four products, three targets, names that every format has to escape."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from atmpkg import cli
from atmpkg.files import Out
from atmpkg.formats.graphs import GRAPH_WRITERS
from atmpkg.graph import KnowledgeGraph
from atmpkg.project import Project, home
from atmpkg.views import Graph

PROJECT = Path(__file__).parent / "project"


@pytest.fixture(scope="session")
def small(in_memory: Callable[[Project], KnowledgeGraph]) -> KnowledgeGraph:
    return in_memory(Project(PROJECT, home()))


@pytest.fixture(scope="session")
def ptd(small: KnowledgeGraph) -> Graph:
    return small.graph("product-target-disease")


@pytest.fixture(scope="session")
def history(small: KnowledgeGraph) -> Graph:
    return small.graph("regulatory-timeline")


@pytest.fixture
def written(tmp_path: Path) -> Callable[[Graph, str], Path]:
    """Return a function that writes a graph in a format and returns the file or folder."""

    def write(graph: Graph, format: str) -> Path:
        path = tmp_path / f"{graph.name}.{format}"
        with Out(path) as out:
            GRAPH_WRITERS[format](graph, out)
        return path

    return write


@pytest.fixture
def tool(needs: Callable[[bool, str], None]) -> Callable[..., str]:
    """Run a program that users have."""

    def run(name: str, *words: object) -> str:
        program = shutil.which(name)
        needs(program is not None, name)
        assert program
        done = subprocess.run([program, *map(str, words)], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def draw(
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., tuple[int, str, str]]:
    """Run ``atmpkg draw`` on the small project; return exit code, standard output and standard error."""
    monkeypatch.setenv("ATMPKG_CACHE", str(tmp_path_factory.getbasetemp() / "views-cache"))

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["atmpkg", *map(str, words), "--data", str(PROJECT)])
        capsysbinary.readouterr()
        code: object = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        assert isinstance(code, int)
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return run


@pytest.fixture(scope="session")
def biolink() -> dict[str, dict[str, object]]:
    """Return the Biolink model that the package ``biolink-model`` carries."""
    from importlib.resources import files

    import yaml

    text = (files("biolink_model") / "schema" / "biolink_model.yaml").read_text(encoding="utf-8")
    model: dict[str, dict[str, object]] = yaml.load(text, Loader=yaml.CSafeLoader)
    return model


@pytest.fixture
def library(needs: Callable[[bool, str], None]) -> Path:
    """Return Cytoscape.js, which ``scripts/browser-code`` fetches."""
    from atmpkg.formats.page import LIBRARY

    needs(LIBRARY.exists(), "Cytoscape.js (sh scripts/browser-code)")
    return LIBRARY
