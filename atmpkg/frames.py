"""Rows as typed columns: Arrow first, Polars and pandas from it. A column's type follows from its description alone.

A date may be a year or a month. It becomes its first day, and a column ``<name>_precision`` at the end of the table
says ``day``, ``month`` or ``year``; so a column of dates is one of dates whatever the rows hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from atmpkg.dates import CalendarDate
from atmpkg.errors import StoreError
from atmpkg.queries import AnswerColumn

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

PRECISION = "_precision"


def arrow(columns: Sequence[AnswerColumn], rows: Sequence[Sequence[Any]], about: Mapping[str, str]) -> pa.Table:
    """Return the rows as an Arrow table; meanings and units are metadata of the fields, ``about`` of the table."""
    pa = _module("pyarrow")
    types = {"integer": pa.int64(), "number": pa.float64(), "percent": pa.float64(), "flag": pa.bool_()}
    fields, arrays = [], []
    for column, values in _typed(columns, rows):
        kind = pa.list_(pa.string()) if column.many else types.get(column.type, pa.string())
        kind = pa.date32() if column.type == "date" and not column.many else kind
        said = {"meaning": column.meaning, "unit": column.unit, "type": column.type}
        fields.append(pa.field(column.name, kind, metadata={key: text for key, text in said.items() if text}))
        arrays.append(pa.array(values, kind))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=dict(about)))


def polars(columns: Sequence[AnswerColumn], rows: Sequence[Sequence[Any]]) -> pl.DataFrame:
    """Return the rows as a Polars frame."""
    frame: pl.DataFrame = _module("polars").from_arrow(arrow(columns, rows, {}))
    return frame


def pandas(columns: Sequence[AnswerColumn], rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """Return the rows as a pandas frame with nullable types; several values stay one text, joined with ``|``."""
    pd = _module("pandas")
    types = {"integer": "Int64", "number": "Float64", "percent": "Float64", "flag": "boolean", "date": "datetime64[s]"}
    joined = [column if not column.many else AnswerColumn(column.name) for column in columns]
    return pd.DataFrame(
        {column.name: pd.Series(values, dtype=types.get(column.type, "str")) for column, values in _typed(joined, rows)}
    )


def _typed(columns: Sequence[AnswerColumn], rows: Sequence[Sequence[Any]]) -> Iterator[tuple[AnswerColumn, list[Any]]]:
    """Yield the columns with their values in Python's own types, then the precision of each date column."""
    late = []
    for at, column in enumerate(columns):
        values = [row[at] for row in rows]
        if column.many:
            yield column, [None if value is None else str(value).split("|") for value in values]
        elif column.type == "date":
            dates = [None if value is None else CalendarDate.parse(str(value)) for value in values]
            yield column, [date and date.earliest for date in dates]
            meaning = f"Precision of {column.name}: day, month or year"
            late.append((AnswerColumn(column.name + PRECISION, meaning), [date and date.precision for date in dates]))
        elif column.type in ("number", "percent"):
            yield column, [None if value is None else float(value) for value in values]
        elif column.type in ("integer", "flag"):
            yield column, values
        else:
            yield column, [None if value is None else str(value) for value in values]
    yield from late


def _module(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError:
        raise StoreError(f"cannot make a table: {name} is missing. Install it: pip install 'atmpkg[tables]'") from None
