"""Graphs as Parquet, for DuckDB, Polars, Spark and pandas: nodes, edges, and the tables behind them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from atmpkg.errors import StoreError
from atmpkg.files import Out
from atmpkg.formats.rows import edge_columns, edge_rows, node_columns, node_rows
from atmpkg.queries import AnswerColumn
from atmpkg.views import Graph

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH = 1 << 15


def parquet(graph: Graph, out: Out) -> None:
    """Write nodes.parquet, edges.parquet and tables/<table>.parquet into a folder; lists and dates keep their type."""
    try:
        import pyarrow as pa
    except ImportError:
        raise StoreError("cannot write parquet: pyarrow is missing. Install it: pip install 'atmpkg[tables]'") from None
    _write(out, "nodes.parquet", node_columns(graph), node_rows(graph), pa)
    _write(out, "edges.parquet", edge_columns(graph), edge_rows(graph), pa)
    for name, rows in graph.tables.items():
        lines = iter(rows)
        _write(out, f"tables/{name}.parquet", [AnswerColumn(head) for head in next(lines)], lines, pa)


def _write(out: Out, name: str, columns: Sequence[AnswerColumn], rows: Iterable[Sequence[Any]], pa: Any) -> None:
    import pyarrow.parquet as pq

    schema = pa.schema([(column.name, _type(column, pa)) for column in columns])
    with out.file(name) as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in _batches(rows, schema, pa):
            writer.write_batch(batch)


def _batches(rows: Iterable[Sequence[Any]], schema: pa.Schema, pa: Any) -> Iterator[pa.RecordBatch]:
    lines = iter(rows)
    while chunk := list(itertools.islice(lines, _BATCH)):
        filled = [pa.array(values, field.type) for values, field in zip(zip(*chunk, strict=True), schema, strict=True)]
        yield pa.record_batch(filled, schema=schema)


def _type(column: AnswerColumn, pa: Any) -> Any:
    """Return the type of a column; a date may be a month or a year, so it stays text in ISO 8601."""
    if column.many:
        return pa.list_(pa.string())
    types = {"integer": pa.int64(), "number": pa.float64(), "percent": pa.float64(), "flag": pa.bool_()}
    return types.get(column.type, pa.string())
