"""A build is all or nothing: whatever happens to it, the old answers stay."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from atmpkg.build import Built, build, check, current
from atmpkg.errors import DataError, StoreError
from atmpkg.graph import KnowledgeGraph
from atmpkg.project import Project, home
from atmpkg.search import Index
from atmpkg.stores import Embedded, rows

Run = Callable[..., Any]
Ready = Callable[[int, Path], Built]
BIG = 10**9  # more than any graph here: kept in a file and read into memory; 0 keeps it on disk


@pytest.fixture
def project(own_sample: Path) -> Project:
    return Project(own_sample, home())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture(scope="session")
def ready(sample_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Ready:
    """Return what puts a finished build of the sample into a folder, built once for each way to keep it."""
    kept: dict[int, Path] = {}

    def copy(most: int, folder: Path) -> Built:
        if most not in kept:
            kept[most] = tmp_path_factory.mktemp("ready") / "store"
            build(sample_project, kept[most], most_in_memory=most)
        return current(Path(shutil.copytree(kept[most], folder)))

    return copy


def replace(project: Project, table: str, old: str, new: str) -> None:
    path = project.root / "data" / "tables" / f"{table}.tsv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def label(folder: Path) -> object:
    """Return what the graph that answers calls bravocel."""
    kg = KnowledgeGraph.open(data=Path(__file__).parent / "sample", store=folder)
    return kg.select("SELECT ?l { product:bravocel rdfs:label ?l }").rows[0][0]


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_the_sample_has_no_problems(sample_project: Project) -> None:
    assert list(check(sample_project)) == []


def test_nothing_is_loaded_when_anything_is_wrong(project: Project, folder: Path) -> None:
    replace(project, "decision", "2018-08-23", "2018-08-32")
    replace(project, "product", "first-pharma|second-pharma", "first-pharma|nobody")
    with pytest.raises(DataError) as caught:
        build(project, folder)
    assert str(caught.value).splitlines() == [
        "decision.tsv:4 [date]: found '2018-08-32'; "
        "expected a date YYYY, YYYY-MM or YYYY-MM-DD (day is out of range for month)",
        "product.tsv:7 [developer]: found 'nobody'; expected an id of table organisation",
    ]
    assert left(folder) == []


def test_a_build_says_what_is_in_it(project: Project, folder: Path) -> None:
    built = build(project, folder)
    assert built.rows["product"] == 6
    assert built.inferred["first-authorisation"] > 0
    assert built.quads == len(built.open())
    assert left(folder) == sorted(["current", built.folder.name])


DUMP = """
import hashlib, pathlib, sys
from atmpkg.build import build
from atmpkg.project import Project, home
from atmpkg.search import Index
built = build(Project(pathlib.Path(sys.argv[1]), home()), pathlib.Path(sys.argv[2]))
print(hashlib.sha256(built.open().dump()).hexdigest())
"""


def test_the_same_tables_give_the_same_bytes(project: Project, tmp_path: Path) -> None:
    here = build(project, tmp_path / "one").open().dump()
    there = subprocess.run(
        [sys.executable, "-c", DUMP, project.root, tmp_path / "two"],
        env=os.environ | {"PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == hashlib.sha256(here).hexdigest()
    assert here == b"".join(sorted(here.splitlines(keepends=True)))


def test_the_same_content_is_built_once(project: Project, folder: Path) -> None:
    first = build(project, folder)
    written = (first.folder / "build.json").stat().st_mtime_ns
    assert build(project, folder) == first
    assert (first.folder / "build.json").stat().st_mtime_ns == written


def test_the_old_store_stays_readable_while_and_after_a_new_one_is_built(project: Project, folder: Path) -> None:
    old = build(project, folder)
    reader = KnowledgeGraph.open(data=project.root, store=folder)
    replace(project, "product", "bravocel\tbravocel\tbravocel", "bravocel\tnew name\tbravocel")
    new = build(project, folder)
    assert old.folder != new.folder
    assert reader.select("SELECT ?l { product:bravocel rdfs:label ?l }").rows == (("bravocel",),)
    assert label(folder) == "new name"
    replace(project, "product", "new name", "bravocel")
    assert build(project, folder).folder == old.folder
    assert label(folder) == "bravocel"


HANG = """
import pathlib, sys, time
from atmpkg.build import build
from atmpkg.project import Project, home
from atmpkg.search import Index
from atmpkg.stores import Embedded
owner = pathlib.Path if sys.argv[3] in ("rename", "replace") else Embedded
def hang(*args, **kwargs):
    print("here", flush=True)
    time.sleep(600)
setattr(owner, sys.argv[3], hang)
build(
    Project(pathlib.Path(sys.argv[1]), home()), pathlib.Path(sys.argv[2]),
    most_in_memory=int(sys.argv[4]), at_once=int(sys.argv[5]),
)
"""


@pytest.mark.parametrize(
    "moment, most, at_once",
    [
        ("infer", BIG, BIG),
        ("optimize", 0, 0),
        ("triples", BIG, BIG),
        ("create", BIG, 0),
        ("optimize", BIG, 0),
        ("rename", 0, 0),
        ("replace", BIG, BIG),
    ],
)
def test_a_build_killed_at_any_moment_leaves_the_old_answers(
    project: Project, ready: Ready, folder: Path, moment: str, most: int, at_once: int
) -> None:
    ready(BIG, folder)
    replace(project, "product", "bravocel\tbravocel\tbravocel", "bravocel\tnew name\tbravocel")
    words = [sys.executable, "-c", HANG, str(project.root), str(folder), moment, str(most), str(at_once)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        os.kill(process.pid, signal.SIGKILL)
    assert label(folder) == "bravocel"
    build(project, folder)
    assert label(folder) == "new name"


def test_two_builds_at_once_do_not_disturb_each_other(project: Project, folder: Path) -> None:
    words = [sys.executable, "-c", DUMP, str(project.root), str(folder)]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert said[0] == said[1]
    assert len(left(folder)) == 2


# A store that cannot be read: one line, exit 3, and nothing is lost -------------------------------------------------


def spoil_format(built: Built) -> None:
    about = json.loads((built.folder / "build.json").read_text())
    (built.folder / "build.json").write_text(json.dumps(about | {"format": 999}))


def spoil_about(built: Built) -> None:
    (built.folder / "build.json").write_text('{"format"')


def without_quads(built: Built) -> None:
    for path in built.folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "build.json":
            path.unlink()


def truncated(pattern: str, share: float = 0.5) -> Callable[[Built], None]:
    def spoil(built: Built) -> None:
        found = list(built.folder.glob(pattern))
        assert found
        for path in found:
            path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])

    return spoil


def without_the_last_line(built: Built) -> None:
    path = built.folder / "graph.nq"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


SPOILS: dict[str, tuple[int, Callable[[Built], None]]] = {
    "another format": (BIG, spoil_format),
    "broken about": (BIG, spoil_about),
    "no quads": (BIG, without_quads),
    "half of the quads": (BIG, truncated("graph.nq")),
    "an empty file": (BIG, truncated("graph.nq", 0)),
    "a line too few": (BIG, without_the_last_line),
    "no store": (0, without_quads),
    "half of the manifest": (0, truncated("store/MANIFEST*")),
    "half of the pointer within": (0, truncated("store/CURRENT")),
    "half of the data": (0, truncated("store/*.sst")),
}


@pytest.mark.parametrize("most, spoil", SPOILS.values(), ids=SPOILS)
def test_a_store_that_cannot_be_read_gives_one_line(
    most: int, spoil: Callable[[Built], None], ready: Ready, folder: Path, atmpkg: Run
) -> None:
    spoil(ready(most, folder))
    run = atmpkg("ask", "names", "--store", folder)
    assert (run.code, run.out) == (3, "")
    assert run.err.count("\n") == 1 and run.err.startswith("cannot ")


def test_a_pointer_to_nowhere_gives_one_line(ready: Ready, folder: Path, atmpkg: Run) -> None:
    ready(BIG, folder)
    (folder / "current").write_text("nowhere")
    run = atmpkg("ask", "names", "--store", folder)
    assert (run.code, run.out, run.err.count("\n")) == (3, "", 1)


@pytest.mark.parametrize("most, spoil", SPOILS.values(), ids=SPOILS)
def test_a_spoiled_cache_is_built_again(
    most: int, spoil: Callable[[Built], None], project: Project, ready: Ready, atmpkg: Run
) -> None:
    spoil(ready(most, project.cache))
    again = atmpkg("ask", "names", "--data", project.root)
    assert again.code == 0 and again.out.count("\n") == 13
    settled = atmpkg("ask", "names", "--data", project.root)
    assert settled.out == again.out
    assert settled.err.count("\n") == 1  # the remark alone: nothing is built a third time


@pytest.mark.parametrize("most", [0, BIG])
def test_a_store_is_the_same_in_a_file_and_on_disk(
    most: int, project: Project, folder: Path, sample: KnowledgeGraph
) -> None:
    built = build(project, folder, most_in_memory=most)
    assert len(built.open()) == built.quads == len(sample.store)
    assert KnowledgeGraph(built.open(), project).ask("names").rows == sample.ask("names").rows


def test_a_single_question_is_asked_on_disk_and_answered_the_same(project: Project, folder: Path) -> None:
    built = build(project, folder, at_once=0)
    here, briefly = built.open(), built.open(briefly=True)
    assert here.path is None
    assert briefly.path == built.folder / "store"
    index = built.index()
    fresh = Index.of(here)
    assert index is not None
    assert index.labels == fresh.labels
    assert {key: sorted(names) for key, names in index.entries.items()} == {
        key: sorted(names) for key, names in fresh.entries.items()
    }
    kept, read = KnowledgeGraph(briefly, project, index=built.index), KnowledgeGraph(here, project)
    for name in ("names", "authorised-products", "disputes"):
        given = {"jurisdiction": "EU"} if name == "authorised-products" else {}
        assert kept.ask(name, **given).rows == read.ask(name, **given).rows
    (built.folder / "names.json").write_text("[[], 1]", encoding="utf-8")
    assert built.index() is None
    shutil.rmtree(built.folder / "store")
    (built.folder / "store").mkdir()
    assert len(built.open(briefly=True)) == built.quads  # read from the file instead


def test_blank_nodes_that_rules_speak_of_are_the_same_in_the_file_and_on_disk(project: Project, folder: Path) -> None:
    rules = project.root / "queries" / "rules"
    rules.mkdir(parents=True, exist_ok=True)
    (rules / "own.rq").write_text(
        "#+ title: A restriction is seen.\n#+ stratum: 1\n"
        "PREFIX owl: <http://www.w3.org/2002/07/owl#>\n"
        "CONSTRUCT { ?node <urn:seen> true } WHERE { ?node owl:onProperty ?property FILTER(isBlank(?node)) }\n"
    )
    built = build(project, folder, at_once=0)
    assert built.inferred["own"] > 0
    asked = "SELECT * { ?node <urn:seen> true ; <http://www.w3.org/2002/07/owl#onProperty> ?property }"
    for store in (built.open(), built.open(briefly=True)):
        assert len(list(rows(store, asked))) == built.inferred["own"]
        assert len(store) == built.quads


def test_a_copy_that_cannot_be_made_fails_the_build_and_leaves_the_old_answers(
    project: Project, ready: Ready, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(BIG, folder)
    replace(project, "product", "bravocel\tbravocel\tbravocel", "bravocel\tnew name\tbravocel")

    def full(path: Path) -> Embedded:
        raise StoreError(f"cannot write the store {path}: no space left.")

    with monkeypatch.context() as patch:
        patch.setattr(Embedded, "create", full)
        with pytest.raises(StoreError, match="no space left"):
            build(project, folder, at_once=0)
    assert label(folder) == "bravocel"
    assert not list(folder.glob("new-*"))
    build(project, folder, at_once=0)
    assert label(folder) == "new name"


def test_a_few_quads_are_read_into_memory(project: Project, folder: Path) -> None:
    built = build(project, folder)
    assert sorted(path.name for path in built.folder.iterdir()) == ["build.json", "graph.nq"]
    assert built.open(briefly=True).path is None


def test_a_missing_store_says_how_to_build_it(tmp_path: Path, atmpkg: Run) -> None:
    run = atmpkg("ask", "names", "--store", tmp_path / "absent")
    assert (run.code, run.out) == (3, "")
    assert run.err == (
        f"cannot open the store {tmp_path}/absent: nothing was built there. "
        f"Build it with: atmpkg build --store {tmp_path}/absent\n"
    )


def test_a_folder_that_cannot_be_written_is_told(project: Project, tmp_path: Path, atmpkg: Run) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"^cannot build into .*: Not a directory\. Choose another folder"):
        build(project, tmp_path / "file" / "store")
    run = atmpkg("build", "--store", tmp_path / "file" / "store", "--data", project.root)
    assert (run.code, run.out, run.err.count("\n")) == (3, "", 1)


def test_without_a_cache_the_graph_is_built_in_memory(
    project: Project, tmp_path: Path, atmpkg: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ATMPKG_CACHE", str(tmp_path / "file"))
    run = atmpkg("ask", "not-an-atmp", "--data", project.root)
    assert run.code == 0 and "acellular matrix" in run.out
    assert "Building in memory instead." in run.err


def test_a_store_made_read_only_still_answers(ready: Ready, folder: Path) -> None:
    ready(0, folder)
    paths = [folder, *folder.rglob("*")]
    for path in paths:
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        assert label(folder) == "bravocel"
    finally:
        for path in paths:
            path.chmod(path.stat().st_mode | 0o200)


def test_tables_broken_after_a_good_build_leave_the_last_good_answers(project: Project, atmpkg: Run) -> None:
    good = atmpkg("ask", "names", "--data", project.root)
    replace(project, "name", "\tcode\t", "\tcod\t")
    run = atmpkg("ask", "names", "--data", project.root)
    assert (run.code, run.out) == (0, good.out)
    assert "warning: the tables hold 1 problem (see: atmpkg check); the last good build answers\n" in run.err
    told = atmpkg("check", "--data", project.root)
    assert told.code == 1
    assert told.out.startswith("name.tsv:4 [kind]: found 'cod'; expected one of brand, inn")


def test_tables_broken_from_the_start_give_the_problems(project: Project, atmpkg: Run) -> None:
    replace(project, "name", "\tcode\t", "\tcod\t")
    run = atmpkg("ask", "names", "--data", project.root)
    assert (run.code, run.out) == (1, "")
    assert "name.tsv:4 [kind]: found 'cod'" in run.err
