"""Checks: SELECT queries whose every row is a fault; silence is right.

A check selects ``?place ?found ?expected`` and optionally ``?column``. The place is a row of a table; the message
names its file and line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from atmpkg.errors import Problem, UsageError
from atmpkg.names import DATA
from atmpkg.queries import Query
from atmpkg.stores import Store, rows
from atmpkg.tables import Row, Table, read_rows


def faults(store: Store, checks: Iterable[Query], tables: Mapping[str, Table]) -> Iterator[Problem]:
    """Run the checks and yield a Problem for each row that one of them finds."""
    for check in sorted(checks, key=lambda check: check.name):
        try:
            found = list(rows(store, check.sparql))
        except UsageError as error:
            yield Problem(check.path.name, 0, "", str(error), "a SELECT query")
            continue
        for row in found:
            if not {"place", "found", "expected"} <= row.keys():
                yield Problem(check.path.name, 0, "", f"the columns {', '.join(row)}", "?place ?found ?expected")
                break
            expected = f"{row['expected']} ({check.name})"
            yield placed(row["place"], row.get("column", ""), row["found"], expected, tables)


def placed(place: str, column: str, found: str, expected: str, tables: Mapping[str, Table]) -> Problem:
    """Return the Problem of a node: at its file and line where it is a row, else at its IRI."""
    table, _, id = place.removeprefix(DATA).partition("/")
    if not place.startswith(DATA) or table not in tables:
        return Problem(place, 0, column, found, expected)
    path = tables[table].path
    return Problem(path.name, _line(tables[table], id), column, f"{id}: {found}", expected)


def _line(table: Table, id: str) -> int:
    at = [column.kind for column in table.columns].index("id")
    return next((row.line for row in read_rows(table) if isinstance(row, Row) and row.cells[at] == id), 0)
