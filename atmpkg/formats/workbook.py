"""Answers as an Excel workbook: the rows with notes on their columns, and a sheet with what they rest on."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

from atmpkg.answers import Answer, Value, as_text
from atmpkg.errors import StoreError
from atmpkg.queries import AnswerColumn

_MOST_ROWS = 1_048_575  # of a sheet, without its head
_LONGEST = 32_767  # characters of a cell
_WIDEST = 60


def xlsx_bytes(answer: Answer) -> bytes:
    """Write a workbook: sheet ``answer`` with the rows, sheet ``about`` with as-of date, sources and the query."""
    try:
        import xlsxwriter
    except ImportError:
        raise StoreError("cannot write xlsx: xlsxwriter is missing. Install it: pip install 'atmpkg[tables]'") from None
    if len(answer) > _MOST_ROWS:
        raise StoreError(f"cannot write xlsx: {len(answer):,} rows are more than a sheet holds. Write parquet or csv.")
    out = io.BytesIO()
    # what is written as text stays text: a cell that begins with = is no formula
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"title": answer.title, "comments": answer.remarks.lines(len(answer))[-1]})
        book.set_calc_mode("auto")
        _rows(book, answer)
        _about(book, answer)
    return out.getvalue()


def _rows(book: Any, answer: Answer) -> None:
    sheet = book.add_worksheet("answer")
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    day = book.add_format({"num_format": "yyyy-mm-dd", "valign": "top", "align": "left"})
    for at, column in enumerate(answer.columns):
        sheet.write_string(0, at, column.name, head)
        if column.meaning:
            unit = f" ({column.unit})" if column.unit else ""
            sheet.write_comment(0, at, column.meaning + unit, {"x_scale": 2})
        longest = max((len(as_text(row[at])) for row in answer.rows), default=0)
        sheet.set_column(at, at, min(_WIDEST, max(len(column.name), longest) + 2))
    for number, row in enumerate(answer.rows, start=1):
        for at, (column, value) in enumerate(zip(answer.columns, row, strict=True)):
            _cell(sheet, number, at, column, value, wrap, day)
    sheet.freeze_panes(1, 1)
    if answer.rows:
        sheet.autofilter(0, 0, len(answer), len(answer.columns) - 1)


def _cell(sheet: Any, number: int, at: int, column: AnswerColumn, value: Value, wrap: Any, day: Any) -> None:
    """Write a value in its own type; a month or year stays text, since Excel knows days only."""
    match value:
        case None:
            return
        case bool():
            sheet.write_string(number, at, as_text(value), wrap)
        case int() | float():
            sheet.write_number(number, at, value, wrap)
        case _ if column.type == "date" and len(value) == 10 and value >= "1900-03-01":
            sheet.write_datetime(number, at, dt.datetime.fromisoformat(value), day)
        case _:
            sheet.write_string(
                number, at, value.replace("|", "\n")[:_LONGEST] if column.many else value[:_LONGEST], wrap
            )


def _about(book: Any, answer: Answer) -> None:
    sheet = book.add_worksheet("about")
    bold = book.add_format({"bold": True, "valign": "top"})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 90)
    sheet.set_column(2, 2, 70)
    line = 0
    for name, text in answer.metadata():
        sheet.write_string(line, 0, name.replace("_", " "), bold)
        sheet.write_string(line, 1, text[:_LONGEST], wrap)
        line += 1
    sheet.write_row(line + 1, 0, ["source", "title", "URL", "publisher"], bold)
    line += 2
    for source in answer.sources:
        sheet.write_string(line, 0, source.id)
        sheet.write_string(line, 1, source.title, wrap)
        sheet.write_string(line, 2, source.url)
        sheet.write_string(line, 3, source.publisher)
        line += 1
    if answer.sparql:
        sheet.write_string(line + 1, 0, "query (SPARQL)", bold)
        sheet.write_string(line + 1, 1, answer.sparql[:_LONGEST], wrap)
