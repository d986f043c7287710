"""What is made of the question files: Turtle that an independent engine runs, JSON that a form can use, notebooks."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from rdflib import Graph, Namespace
from rdflib.plugins.sparql import prepareQuery

from atmpkg.catalogue import description, turtle
from atmpkg.graph import KnowledgeGraph
from atmpkg.project import home
from atmpkg.queries import Query, read_queries

ROOT = Path(__file__).resolve().parents[1]
QUESTIONS = read_queries([home() / "queries" / "questions"])
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.py"))
SH = Namespace("http://www.w3.org/ns/shacl#")
SCHEMA = Namespace("https://schema.org/")
RDFS = Namespace("http://www.w3.org/2000/01/rdf-schema#")


def name(query: Query) -> str:
    return query.name


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=name)
def test_the_turtle_of_a_question_holds_it_whole(question: Query) -> None:
    graph = Graph().parse(data=turtle(question), format="turtle")
    (node,) = graph.subjects(SH.select, None)
    assert str(graph.value(node, SH.select)).strip() == question.body.strip()
    assert prepareQuery(str(graph.value(node, SH.select))) is not None
    assert {str(word) for word in graph.objects(node, SCHEMA.keywords)} == set(question.words("keywords"))
    assert graph.value(node, SCHEMA.target) is not None
    assert graph.value(node, RDFS.comment).language == "en"  # type: ignore[union-attr]


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=name)
def test_the_json_of_a_question_is_a_schema_that_its_example_keeps(
    question: Query, needs: Callable[[bool, str], None]
) -> None:
    needs(find_spec("jsonschema") is not None, "jsonschema")
    import jsonschema

    schema = description(question)["parameters"]
    jsonschema.Draft202012Validator.check_schema(schema)
    given = {
        key: int(value) if schema["properties"][key].get("type") == "integer" else value  # type: ignore[index]
        for key, value in question.example.items()
    }
    jsonschema.validate(given, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(given | {"zzz": "1"}, schema)


def test_allowed_values_are_those_of_the_graph(sample: KnowledgeGraph) -> None:
    about = json.loads(json.dumps(sample.description("vectors")))
    one, _ = about["parameters"]["properties"]["vector"]["anyOf"]
    assert one["enum"] == ["AAV9", "aav", "lentiviral"]


def test_a_pack_has_its_notebook_and_there_is_a_tour() -> None:
    assert {path.stem for path in NOTEBOOKS} == {question.pack for question in QUESTIONS.values()} | {"tour"}
    for path in NOTEBOOKS:
        text = path.read_text(encoding="utf-8")
        assert "# %% parameters\n" in text and text.index("# %% parameters") < text.index("import atmpkg")
        assert "# ## What this rests on" in text


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_without_a_network(path: Path, needs: Callable[[bool, str], None]) -> None:
    """Each source is run as a script; the tour also as a notebook, with the kernel that readers have."""
    needs(find_spec("pandas") is not None and find_spec("vl_convert") is not None, "atmpkg[tables,plot]")
    offline = "import socket; socket.socket.connect = None; import runpy, sys; runpy.run_path(sys.argv[1])"
    place = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    run = subprocess.run(
        [sys.executable, "-c", offline, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": place},
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.filterwarnings("ignore")  # of the kernel's own libraries
def test_the_tour_shows_tables_and_pictures(
    needs: Callable[[bool, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    needs(find_spec("nbclient") is not None and find_spec("ipykernel") is not None, "nbclient and ipykernel")
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    notebook = nbformat.read(ROOT / "docs" / "notebooks" / "tour.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.get("outputs") for cell in notebook.cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}).execute()
    shown = [kind for cell in notebook.cells for out in cell.get("outputs", []) for kind in out.get("data", {})]
    assert shown.count("image/svg+xml") >= 4 and shown.count("text/html") >= 7
