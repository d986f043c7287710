"""Records: rows that are valid. A record that exists needs no further check.

Each cell becomes, once, the RDF term it stands for, in N-Triples syntax; a cell that does not fit becomes a Problem
with its file, line and column.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from atmpkg.dates import YEARS, CalendarDate
from atmpkg.errors import Problem, nearest, one_of, quoted
from atmpkg.names import DATA, ID_PATTERN, ONTOLOGY, Names, data_iri, is_iri
from atmpkg.tables import MISSING, Column, Row, Table, read_rows
from atmpkg.terms import Terms

_XSD = "http://www.w3.org/2001/XMLSchema#"
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})
_ABSENCE = {
    "unknown": f"<{ONTOLOGY}unknownFor>",
    "not-applicable": f"<{ONTOLOGY}notApplicableFor>",
    "confidential": f"<{ONTOLOGY}confidentialFor>",
}
_PLACING = ("row", "any-row", "column", "term", "code", "table")  # without them a row has no place in the graph
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u2028\u2029\ufeff]")
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Record:
    """A valid row: its table, its id, its line, and a predicate and term (in N-Triples syntax) for each value."""

    table: Table
    id: str
    line: int
    values: tuple[tuple[str, str], ...]
    dates: tuple[CalendarDate, ...]


def literal(text: str, datatype: str = "") -> str:
    """Write a literal in N-Triples syntax.

    >>> literal('say "no"')
    '"say \\\\"no\\\\""'
    >>> literal("12", "integer")
    '"12"^^<http://www.w3.org/2001/XMLSchema#integer>'
    """
    suffix = f"^^<{_XSD}{datatype}>" if datatype else ""
    return f'"{text.translate(_ESCAPES)}"{suffix}'


class Unfit(ValueError):
    """A cell that does not fit its column; the message says what was expected."""


def term_problems(tables: Mapping[str, Table], names: Names, terms: Terms) -> Iterator[Problem]:
    """Yield a Problem for each column of terms whose class has no notation below it in the ontology."""
    for table in tables.values():
        for column in table.columns:
            if column.kind == "term" and names.expand(column.under) not in terms.notations:
                expected = "a class of the ontology with notations below it"
                yield Problem(f"{table.name}.yaml", 0, f"{column.name}.under", quoted(column.under), expected)


@dataclass(frozen=True)
class Validator:
    """Checks rows against the descriptions, the ontology's terms and each other."""

    tables: Mapping[str, Table]
    names: Names
    terms: Terms

    def records(self) -> Iterator[Record | Problem]:
        """Yield a Record for each valid row of every table, and a Problem for each fault."""
        ids: dict[str, dict[str, int]] = {}
        yield from self.collect(ids)
        for table in self.tables.values():
            yield from self.part(table, ids)

    def collect(self, ids: dict[str, dict[str, int]]) -> Iterator[Problem]:
        """Fill in the ids of every table with their lines; yield a Problem for each fault of shape."""
        ids |= {name: {} for name in self.tables}
        for table in self.tables.values():
            yield from self._collect(table, ids[table.name])

    def _collect(self, table: Table, ids: dict[str, int]) -> Iterator[Problem]:
        """Fill in the ids of a table; every fault of shape, and every id used twice, is a Problem."""
        at = [column.kind for column in table.columns].index("id")
        for row in read_rows(table):
            if isinstance(row, Problem):
                yield row
            elif row.cells[at] in ids:
                found = f"{quoted(row.cells[at])}, which is also the id of line {ids[row.cells[at]]}"
                yield Problem(table.path.name, row.line, "id", found, "an id of its own")
            else:
                ids[row.cells[at]] = row.line

    def part(
        self, table: Table, ids: Mapping[str, Mapping[str, int]], span: tuple[int, int, int] | None = None
    ) -> Iterator[Record | Problem]:
        """Yield a Record for each valid row of a table, or of a span of its lines, and a Problem for each fault."""
        fits = [self._fit(column, table, ids) for column in table.columns]
        for row in read_rows(table, span):
            if isinstance(row, Row):
                yield from _record(table, row, fits)

    def _fit(self, column: Column, table: Table, ids: Mapping[str, Mapping[str, int]]) -> Fit:
        """Return the function that turns the cells of a column into terms."""
        term = self._term(column, table, ids)
        if column.pattern:
            pattern, plain = re.compile(column.pattern), term

            def term(text: str, row: Row) -> str:
                if not pattern.fullmatch(text):
                    raise Unfit(f"text of the form {column.pattern}")
                return plain(text, row)

        predicate = f"<{self.names.expand(column.property)}>" if column.property else ""
        return Fit(column, predicate, term)

    def _term(self, column: Column, table: Table, ids: Mapping[str, Mapping[str, int]]) -> Cell:
        match column.kind:
            case "id":
                return _id
            case "number":
                return _number
            case "date":
                return _date
            case "flag":
                return _flag
            case "link":
                return _link
            case "code":
                return _choice({value: literal(value) for value in column.values})
            case "term":
                known = self.terms.notations.get(self.names.expand(column.under), {})
                return _choice({notation: f"<{iri}>" for notation, iri in known.items()})
            case "table":
                return _choice({name: f"<{data_iri('table', name)}>" for name in self.tables})
            case "row":
                return _reference(column.table, ids[column.table])
            case "any-row":
                return _any_reference(ids)
            case "column":
                return _column(self.tables, [c.name for c in table.columns].index(column.of))
            case "curie":
                return _curie(self.names, column.prefixes)
            case _:
                return _text


Cell = Callable[[str, Row], str]


@dataclass(frozen=True, slots=True)
class Fit:
    """A column with its predicate and the function from cell to term."""

    column: Column
    predicate: str
    term: Cell


def _record(table: Table, row: Row, fits: list[Fit]) -> Iterator[Record | Problem]:
    """Yield the record of a row, or all its problems."""
    id = ""
    values: list[tuple[str, str]] = []
    dates: list[CalendarDate] = []
    problems: list[Problem] = []
    for fit, cell in zip(fits, row.cells, strict=True):
        column = fit.column
        if not cell:
            if column.required or column.kind == "id":
                problems.append(Problem(table.path.name, row.line, column.name, "nothing", "a value"))
            continue
        if cell in MISSING and may_be_missing(column):
            values.append((_ABSENCE[cell], fit.predicate))
            continue
        for text in cell.split("|") if column.many else (cell,):
            try:
                if column.kind == "id":
                    id = fit.term(text, row)
                    continue
                if text in MISSING and column.many and may_be_missing(column):
                    raise Unfit(f"{text} alone, or values")
                values.append((fit.predicate, fit.term(_clean(text), row)))
                if column.kind == "date":
                    dates.append(CalendarDate.parse(text))
            except Unfit as error:
                problems.append(Problem(table.path.name, row.line, column.name, quoted(text), str(error)))
    if problems:
        yield from problems
    else:
        yield Record(table, id, row.line, tuple(dict.fromkeys(values)), tuple(dates))


def may_be_missing(column: Column) -> bool:
    """Tell whether a cell may say that its value is unknown: all but what places the row in the graph."""
    return column.kind != "id" and not (column.required and column.kind in _PLACING)


def _clean(text: str) -> str:
    if text.isascii() and text.isprintable() and text and text[0] != " " != text[-1]:
        return text
    if text != text.strip() or not text:
        raise Unfit("a value without blanks at its ends")
    if text.isascii():
        if _CONTROL.search(text):
            raise Unfit("text without control characters")
    elif _CONTROL.search(text) or not unicodedata.is_normalized("NFC", text):
        raise Unfit("text in Unicode form NFC without control characters")
    return text


def _text(text: str, _row: Row) -> str:
    return f'"{text.translate(_ESCAPES)}"'


def _id(text: str, _row: Row) -> str:
    if text in MISSING:
        raise Unfit("an id of its own")
    if not re.fullmatch(ID_PATTERN, text):
        raise Unfit("letters, digits, '.', '_' and '-', beginning with a letter or digit")
    return text


def _number(text: str, _row: Row) -> str:
    if not _NUMBER.fullmatch(text):
        raise Unfit("a number such as 12 or 0.5")
    return literal(text, "decimal" if "." in text else "integer")


def _date(text: str, _row: Row) -> str:
    try:
        date = CalendarDate.parse(text)
    except ValueError as error:
        raise Unfit(f"a date YYYY, YYYY-MM or YYYY-MM-DD ({error})") from None
    if date.earliest.year not in YEARS:
        raise Unfit(f"a year from {YEARS.start} to {YEARS.stop - 1}")
    return f"<{DATA}date/{text}>"


def _flag(text: str, _row: Row) -> str:
    if text not in ("yes", "no"):
        raise Unfit("yes or no")
    return literal("true" if text == "yes" else "false", "boolean")


def _link(text: str, _row: Row) -> str:
    if not text.startswith(("https://", "http://")) or not is_iri(text):
        raise Unfit("a web address without blanks or brackets")
    return f"<{text}>"


def _choice(terms: Mapping[str, str]) -> Cell:
    def cell(text: str, _row: Row) -> str:
        if text not in terms:
            raise Unfit(one_of(terms) + nearest(text, terms))
        return terms[text]

    return cell


def _reference(table: str, ids: Mapping[str, int]) -> Cell:
    iri = f"<{DATA}{table}/"

    near = lru_cache(maxsize=1024)(lambda text: nearest(text, ids))

    def cell(text: str, _row: Row) -> str:
        if text not in ids:
            raise Unfit(f"an id of table {table}{near(text)}")
        return f"{iri}{text}>"

    return cell


def _any_reference(ids: Mapping[str, Mapping[str, int]]) -> Cell:
    def cell(text: str, row: Row) -> str:
        table, colon, id = text.partition(":")
        if not colon or table not in ids:
            raise Unfit("table:id with one of the tables" + nearest(table, ids))
        return _reference(table, ids[table])(id, row)

    return cell


def _column(tables: Mapping[str, Table], of: int) -> Cell:
    def cell(text: str, row: Row) -> str:
        table = tables.get(row.cells[of].partition(":")[0])
        columns = [column.name for column in table.columns] if table else []
        if table and text not in columns:  # without a table the row's own cell is at fault
            raise Unfit("a column of that row's table: " + one_of(columns, 30) + nearest(text, columns))
        return literal(text)

    return cell


def _curie(names: Names, prefixes: tuple[str, ...]) -> Cell:
    def cell(text: str, _row: Row) -> str:
        if text.partition(":")[0] not in prefixes:
            raise Unfit("a CURIE with prefix " + one_of(prefixes))
        try:
            return f"<{names.expand(text)}>"
        except ValueError as error:
            raise Unfit(str(error)) from None

    return cell
