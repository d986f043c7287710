"""Clusters: the rows of tables turned into quads by Spark, in as many processes as there are.

Each process runs `Validator` and `quads`, the functions of a build on one machine, over its part of the lines; nothing
of the mapping is written a second time. The result is the asserted graph as sharded, gzipped N-Quads and in Parquet.
The tables and the place to write to must be seen by every worker under the same path.
"""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from atmpkg.build import Prepared, prepare, static_quads
from atmpkg.errors import DataError, Problem, StoreError, UsageError
from atmpkg.mapping import quads
from atmpkg.names import DATA

_DATE = f"<{DATA}date/"
_SPAN = 16_000_000  # bytes of a table in one part of the work


def build_on_spark(project: Any, out: Path, session: Any = None, *, span: int = _SPAN) -> Mapping[str, int]:
    """Write the asserted graph of a project into a new folder; return the rows of each table.

    ``session``: a SparkSession; else one with Spark's own settings. ``span``: bytes of a table in one part. Raises
    DataError with all problems of the rows, StoreError where Spark or the folder cannot be used.
    """
    if out.exists():
        raise StoreError(f"cannot write {out}: it is there already. Choose a new folder with --out.")
    prepared = prepare(project)
    mine = session or _session()
    work = Path(tempfile.mkdtemp(prefix=".new-", dir=_parent(out)))
    try:
        context = mine.sparkContext
        shared = context.broadcast(prepared)
        spans = [part for name in prepared.tables for part in _spans(prepared, name, span)]
        made = (
            context.parallelize(spans, _parts(context, spans)).flatMap(lambda part: _made(shared.value, part)).persist()
        )
        counts = made.filter(lambda item: isinstance(item, tuple)).reduceByKey(lambda a, b: a + b).collectAsMap()
        problems = [*prepared.problems, *made.filter(lambda item: isinstance(item, Problem)).collect()]
        static = list(static_quads(project, prepared, problems))
        if problems:
            raise DataError(sorted(problems))
        texts = made.filter(lambda item: isinstance(item, str))
        dates = texts.filter(lambda text: text.startswith(_DATE)).distinct()
        rows = texts.filter(lambda text: not text.startswith(_DATE))
        lines = rows.union(dates).union(context.parallelize(static, 1)).flatMap(lambda text: text.splitlines())
        folder = str(work / "nquads")
        Path(folder).mkdir()
        lines.mapPartitionsWithIndex(lambda number, part: _shard(folder, number, part)).count()
        fields = "subject string, predicate string, object string, graph string"
        mine.createDataFrame(lines.map(_columns), fields).write.parquet(str(work / "parquet"))
        work.chmod(0o755)  # made for its owner alone
        work.rename(out)
    except OSError as error:
        raise StoreError(f"cannot write {out}: {error.strerror or error}.") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if session is None:
            mine.stop()
    return dict.fromkeys(prepared.tables, 0) | dict(counts)


def _session() -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise UsageError("cannot use Spark: it is not installed. Install it: pip install 'atmpkg[spark]'") from None
    try:
        return SparkSession.builder.appName("atmpkg build").getOrCreate()
    except Exception as error:
        cause = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise StoreError(f"cannot start Spark: {cause}. Is Java 17 there?") from None


def _parent(out: Path) -> Path:
    parent = out.resolve().parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot write {out}: {error.strerror or error}.") from None
    return parent


def _spans(prepared: Prepared, name: str, size: int) -> Iterator[tuple[str, int, int, int]]:
    """Yield parts of a table as name, first byte, end, and number of the first line; a part ends where a line does."""
    path = prepared.tables[name].path
    if not path.exists():
        return
    with path.open("rb") as file:
        start, line = len(file.readline()), 2
        file.seek(start)
        while part := file.read(size):
            part += file.readline()
            yield name, start, start + len(part), line
            start, line = start + len(part), line + part.count(b"\n")


def _parts(context: Any, spans: list[tuple[str, int, int, int]]) -> int:
    """Return how many parts the work has: one a span, but for small tables, of which each process takes several."""
    return max(1, min(len(spans), 4 * int(context.defaultParallelism)))


def _made(prepared: Prepared, part: tuple[str, int, int, int]) -> Iterator[str | Problem | tuple[str, int]]:
    """Yield the lines of a part of a table, its problems, and the number of its rows."""
    name, *span = part
    problems: list[Problem] = []
    count = 0

    def records() -> Iterator[Any]:
        nonlocal count
        start, end, line = span
        for item in prepared.validator.part(prepared.tables[name], prepared.ids, (start, end, line)):
            if isinstance(item, Problem):
                problems.append(item)
            else:
                count += 1
                yield item

    yield from quads(records(), prepared.names)
    yield from problems
    yield name, count


def _shard(folder: str, number: int, lines: Iterable[str]) -> Iterator[int]:
    """Write a shard, whole or not at all; a second try of the same shard takes the place of the first."""
    place = Path(folder) / f"part-{number:05}.nq.gz"
    handle, temporary = tempfile.mkstemp(prefix=f".{place.name}.", dir=folder)
    count = 0
    with os.fdopen(handle, "wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as out:
        for line in lines:
            out.write(f"{line}\n".encode())
            count += 1
    Path(temporary).chmod(0o644)
    Path(temporary).replace(place)
    yield count


def _columns(line: str) -> tuple[str, str, str, str]:
    """Split a line of N-Quads, whose parts are in N-Triples syntax.

    >>> _columns('<urn:a> <urn:b> "c d" <urn:g> .')
    ('<urn:a>', '<urn:b>', '"c d"', '<urn:g>')
    """
    subject, predicate, rest = line.removesuffix(" .").split(" ", 2)
    value, _, graph = rest.strip().rpartition(" ")
    return subject, predicate.strip(), value.strip(), graph
