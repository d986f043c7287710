"""The floor plan: a module imports only lower floors. ``atmpkg`` itself is the door and opens ``graph`` when asked."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "atmpkg"
PLAN = [
    "errors dates",
    "names queries stores project files palette",
    "world",
    "frames plots",
    "tables terms answers reasoning search references remote",
    "records checks views asking catalogue publishing",
    "layouts",
    "pictures",
    "mapping linking parameters classify formats federation shapes completeness",
    "build networks slices proofs",
    "graph clusters",
    "pages opinion fetch serve",
    "cli",
    "__main__",
]
FLOOR = {module: number for number, line in enumerate(PLAN) for module in line.split()}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
LATE = {
    "pyoxigraph",
    "yaml",
    "rdflib",
    "networkx",
    "SPARQLWrapper",
    "owlready2",
    "pandas",
    "pyshacl",
    "httpx",
    "pyspark",
}
AT_THE_TOP = {"cli": {"click"}, "serve": {"starlette", "uvicorn"}}


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path, *, top: bool = False) -> Iterator[str]:
    """Yield the modules that a file imports; with ``top``, only those imported when it is loaded."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {
        id(node)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef) or (isinstance(outer, ast.If) and "TYPE_CHECKING" in ast.dump(outer.test))
        for node in ast.walk(outer)
    }
    for node in ast.walk(tree):
        if top and id(node) in inner:
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            assert node.module
            yield node.module


def test_every_room_has_its_floor() -> None:
    assert {room(path) for path in FILES} == set(FLOOR)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_lower_floors(path: Path) -> None:
    own = room(path)
    rooms = {name.split(".")[1] for name in imports(path) if name.startswith("atmpkg.")} - {own}
    assert {other for other in rooms if FLOOR[other] >= FLOOR[own]} == set()


@pytest.mark.parametrize("path", [PACKAGE / "__init__.py", *FILES], ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_loads_nothing_heavy(path: Path) -> None:
    others = {name.split(".")[0] for name in imports(path, top=True)} - sys.stdlib_module_names - {"atmpkg"}
    assert others <= AT_THE_TOP.get(room(path), set())
    assert others & LATE == set()


def test_the_two_wings_meet_in_build_and_above_alone() -> None:
    inner, outer = {"records", "mapping", "linking"}, {"answers", "pages opinion", "formats"}
    for path in FILES:
        used = {name.split(".")[1] for name in imports(path) if name.startswith("atmpkg.")} | {room(path)}
        assert FLOOR[room(path)] >= FLOOR["build"] or not (used & inner and used & outer), path.name
