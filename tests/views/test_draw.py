"""The command ``draw``: one clear line for whatever is wrong, and never half a file."""

import errno
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from atmpkg.errors import StoreError
from atmpkg.files import Out
from atmpkg.formats.graphs import GRAPH_WRITERS
from atmpkg.project import home

Draw = Callable[..., tuple[int, str, str]]
VIEW = "product-target-disease"


def test_draw_writes_the_format_that_the_name_asks_for(draw: Draw, tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    code, out, err = draw("draw", VIEW, "target=CD19", "--out", path)
    assert (code, out) == (0, "")
    assert {node["data"]["id"] for node in json.loads(path.read_text())["elements"]["nodes"]} >= {"target:CD19"}
    assert err.splitlines()[-1].startswith("5 nodes, 4 edges · as of ")
    assert [file.name for file in tmp_path.iterdir()] == ["net.json"]


def test_draw_without_a_file_goes_to_standard_output(draw: Draw) -> None:
    code, out, _ = draw("draw", VIEW, "--format", "mermaid", "--quiet")
    assert code == 0 and out.splitlines()[3] == "flowchart LR"


def test_views_are_listed_and_explained(draw: Draw) -> None:
    code, out, _ = draw("views", "--format", "tsv")
    assert code == 0 and out.splitlines()[0] == "view\tparameters\tanswers"
    assert f"{VIEW}\tproduct disease target jurisdiction as-of around hops" in out
    code, out, _ = draw("views", VIEW)
    assert code == 0 and out.rstrip().endswith(f"atmpkg draw {VIEW} target=CD19")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["draw", "company-netwrk", "-f", "dot"], 2, "there is no such view; did you mean company-network"),
        (["draw", VIEW, "-f", "graphm"], 2, "cannot draw as 'graphm': expected one of html, svg"),
        (["draw", VIEW], 2, "cannot tell the format: name one with --format"),
        (["draw", VIEW, "-f", "kgx"], 2, "cannot write kgx to standard output: it is several files. Name a folder"),
        (["draw", VIEW, "-f", "dot", "around=nobody"], 2, "cannot find the thing 'nobody'"),
        (["draw", VIEW, "-f", "dot", "-o", "/nowhere/net.dot"], 3, "cannot write /nowhere/net.dot: No such file or"),
        (["draw", VIEW, "-f", "dot", "-o", "/dev/full"], 3, "cannot write /dev/full: No space left on device."),
        (["views", "company"], 2, "cannot explain 'company': there is no such view"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(draw: Draw, words: list[str], code: int, message: str) -> None:
    found, out, err = draw(*words)
    assert (found, out) == (code, "")
    assert message in err.splitlines()[-1]


def fail(file: IO[bytes]) -> None:
    file.write(b"half")
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    place = tmp_path / "net.graphml"
    place.write_bytes(b"old")
    told = pytest.raises(StoreError, match=r"No space left on device\. Choose another place")
    with told, Out(place) as out, out.file() as file:
        fail(file)
    assert place.read_bytes() == b"old" and list(tmp_path.iterdir()) == [place]


def test_an_error_in_the_second_file_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="bad"), Out(tmp_path / "kgx") as out:
        with out.file("nodes.tsv") as file:
            file.write(b"whole")
        with out.file("tables/edges.tsv") as file:
            raise ValueError("bad")
    assert list(tmp_path.iterdir()) == []


def test_other_files_of_a_folder_are_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "net"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    with Out(folder) as out, out.file("nodes.tsv") as file:
        file.write(b"id\n")
    assert {path.name for path in folder.iterdir()} == {"nodes.tsv", "notes.txt"}


def test_the_guide_names_every_view_and_every_format() -> None:
    text = (Path(__file__).parents[2] / "docs" / "views.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w-]+)`", text))
    assert {path.stem for path in (home() / "queries" / "views").glob("*.rq")} <= named
    assert set(GRAPH_WRITERS) <= named
