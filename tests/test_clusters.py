"""Spark makes the same quads as one machine."""

import gzip
import io
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from atmpkg.build import write_quads
from atmpkg.clusters import build_on_spark
from atmpkg.errors import DataError, StoreError, UsageError
from atmpkg.project import Project, home


@pytest.fixture(scope="module")
def spark(needs: Callable[[bool, str], None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a session with two executor processes of its own: a cluster on this machine."""
    needs(bool(shutil.which("java")), "Java")
    sql = pytest.importorskip("pyspark.sql")
    folder = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("SPARK_WORKER_DIR", str(folder / "work"))
        builder = sql.SparkSession.builder.master(os.environ.get("ATMPKG_SPARK", "local-cluster[2,1,1024]"))
        for key, value in {
            "spark.ui.enabled": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
            "spark.sql.shuffle.partitions": "2",
        }.items():
            builder = builder.config(key, value)
        session = builder.getOrCreate()
        yield session
        session.stop()


@pytest.mark.filterwarnings("ignore")
def test_the_shards_hold_the_very_lines_of_one_machine(spark: Any, sample_project: Project, tmp_path: Path) -> None:
    alone = io.StringIO()
    rows = write_quads(sample_project, alone)
    assert build_on_spark(sample_project, tmp_path / "out", spark, span=8000) == rows
    shards = sorted((tmp_path / "out" / "nquads").iterdir())
    assert len(shards) > 5 and all(path.name.endswith(".nq.gz") for path in shards)
    lines = b"".join(gzip.decompress(path.read_bytes()) for path in shards).splitlines()
    assert sorted(lines) == sorted(alone.getvalue().encode().splitlines())
    frame = spark.read.parquet(str(tmp_path / "out" / "parquet"))
    quads = {f"{r.subject} {r.predicate} {r.object} {r.graph} .".encode() for r in frame.collect()}
    assert quads == {b" ".join(line.split()) if b'"' not in line else line.replace(b">  ", b"> ") for line in lines}
    with pytest.raises(StoreError, match="it is there already"):
        build_on_spark(sample_project, tmp_path / "out", spark)


@pytest.mark.filterwarnings("ignore")
def test_problems_are_those_of_one_machine_and_nothing_is_written(spark: Any, own_sample: Path, tmp_path: Path) -> None:
    table = own_sample / "data" / "tables" / "decision.tsv"
    text = table.read_text(encoding="utf-8")
    table.write_text(text.replace("\t2018-08-23\t", "\t2018-13-23\t").replace("\tEU\t", "\tEUU\t", 1), encoding="utf-8")
    project = Project(own_sample, home())
    with pytest.raises(DataError) as alone:
        write_quads(project, io.StringIO())
    with pytest.raises(DataError) as together:
        build_on_spark(project, tmp_path / "out", spark, span=8000)
    assert together.value.problems == alone.value.problems
    assert list(tmp_path.glob("*out*")) == [] and not list(tmp_path.glob(".new-*"))


def test_wrong_arguments_are_told(atmpkg: Callable[..., Any], tmp_path: Path) -> None:
    for words in (["--engine", "flink"], ["--engine", "spark"], ["--out", tmp_path / "x"]):
        run = atmpkg("build", *words)
        assert (run.code, run.out) == (UsageError.exit_code, "") and run.err.startswith("cannot build ")
