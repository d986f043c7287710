"""The wheel carries ontology, tables and queries: it answers with no checkout in sight."""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WHERE = "import atmpkg, atmpkg.project; print(atmpkg.__file__); print(atmpkg.project.Project.find().root)"
ASK = "from atmpkg.cli import main; main()"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, needs: Callable[[bool, str], None]) -> Path:
    """Build the wheel and install it, without its dependencies, into a folder of its own."""
    for tool in ("hatchling", "pip"):
        needs(find_spec(tool) is not None, tool)
    work = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", work],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = work.glob("*.whl")
    words = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--no-compile",
        "--target",
        work / "site",
        wheel,
    ]
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    return work / "site"


def outside(installed: Path, folder: Path, code: str, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"PYTHONPATH": str(installed), "ATMPKG_CACHE": str(folder / "cache")}
    return subprocess.run(
        [sys.executable, "-c", code, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_wheel_is_what_is_imported(installed: Path, tmp_path: Path) -> None:
    run = outside(installed, tmp_path, WHERE)
    assert [Path(line).is_relative_to(installed) for line in run.stdout.splitlines()] == [True, True]


def test_the_wheel_carries_what_the_checkout_has(installed: Path) -> None:
    carried = installed / "atmpkg" / "home"
    for pattern in (
        "ontology/*.ttl",
        "ontology/mappings/*.tsv",
        "data/tables/*.tsv",
        "data/tables/*.yaml",
        "queries/**/*.rq",
    ):
        assert {p.relative_to(ROOT) for p in ROOT.glob(pattern)} == {
            p.relative_to(carried) for p in carried.glob(pattern)
        }
    assert not list(carried.rglob("*.py"))


def test_it_answers_outside_the_checkout_from_an_empty_cache(installed: Path, tmp_path: Path) -> None:
    words = ("ask", "authorised-products", "jurisdiction=EU", "as-of=2022-01-01")
    first = outside(installed, tmp_path, ASK, *words)
    assert first.returncode == 0, first.stderr
    assert "tisagenlecleucel\tKymriah\tgtmp\t2018-08-23" in first.stdout
    assert first.stderr.startswith(f"building the graph from {installed}/atmpkg/home (once)\n")
    again = outside(installed, tmp_path, ASK, *words)
    assert again.stdout == first.stdout
    assert again.stderr.count("\n") == 1
    assert list((tmp_path / "cache").iterdir())
