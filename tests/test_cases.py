"""Cases: a folder of rows in, and the problems or the graph that must come out.

The files of a case replace those of ``tests/minimal``. ``problems.txt`` holds every message expected, and nothing may
be loaded; ``graph.trig`` holds the graphs expected, compared as graphs (the ontology and the descriptions of the
tables are left out unless the case names them).
"""

import io
import shutil
from pathlib import Path

import pyoxigraph as ox
import pytest

from atmpkg.build import check, write_quads
from atmpkg.errors import DataError
from atmpkg.names import GRAPH
from atmpkg.project import Project

HERE = Path(__file__).parent
CASES = sorted(path for path in (HERE / "cases").iterdir() if path.is_dir())
GOOD = [case for case in CASES if (case / "graph.trig").is_file()]
BAD = [case for case in CASES if (case / "problems.txt").is_file()]
PLACES = {".tsv": "data/tables", ".yaml": "data/tables", ".ttl": "ontology", ".sssom.tsv": "ontology/mappings"}


def name(case: Path) -> str:
    return case.name


def project(case: Path, folder: Path) -> Project:
    root = Path(shutil.copytree(HERE / "minimal", folder / "project"))
    for path in case.iterdir():
        if place := PLACES.get("".join(path.suffixes)):
            (root / place).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, root / place / path.name)
    return Project(root, home=root)


def test_there_are_as_many_cases_as_folders() -> None:
    assert len(CASES) == len(GOOD) + len(BAD) == 32


@pytest.mark.parametrize("case", BAD, ids=name)
def test_every_problem_is_told_and_nothing_is_loaded(case: Path, tmp_path: Path) -> None:
    expected = (case / "problems.txt").read_text(encoding="utf-8").splitlines()
    with pytest.raises(DataError) as caught:
        write_quads(project(case, tmp_path), io.StringIO())
    assert str(caught.value).splitlines() == expected
    assert [str(problem) for problem in check(project(case, tmp_path / "again"))] == expected


@pytest.mark.parametrize("case", GOOD, ids=name)
def test_rows_become_the_graph(case: Path, tmp_path: Path) -> None:
    out = io.StringIO()
    write_quads(project(case, tmp_path), out)
    expected = set(ox.parse(path=str(case / "graph.trig"), format=ox.RdfFormat.TRIG))
    left_out = {ox.NamedNode(f"{GRAPH}{graph}") for graph in ("ontology", "tables")} - {q.graph_name for q in expected}
    made = set(ox.parse(out.getvalue(), format=ox.RdfFormat.N_QUADS))
    assert {quad for quad in made if quad.graph_name not in left_out} == expected
