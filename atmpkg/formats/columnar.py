"""Answers as Parquet: typed columns, with what they mean kept in the file."""

from __future__ import annotations

import io

from atmpkg.answers import Answer
from atmpkg.errors import StoreError


def parquet_bytes(answer: Answer) -> bytes:
    """Write the rows as Parquet.

    Field metadata say meaning and unit, those of the table question, parameters, as-of date and completeness. Dates are
    dates, with their precision in a column of its own; columns of several values are lists.
    """
    table = answer.to_arrow()
    try:
        import pyarrow.parquet as pq
    except ImportError:
        raise StoreError("cannot write parquet: pyarrow is missing. Install it: pip install 'atmpkg[tables]'") from None
    sources = "\n".join(f"{s.id}\t{s.title}\t{s.url}" for s in answer.sources)
    about = dict(table.schema.metadata or {}) | {b"sparql": answer.sparql.encode(), b"sources": sources.encode()}
    out = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(about), out, compression="zstd")
    return out.getvalue()
