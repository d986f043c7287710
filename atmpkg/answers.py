"""Answers: rows of plain values, with the columns' meanings and what the reader must know about them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from atmpkg.names import DATA
from atmpkg.queries import AnswerColumn

if TYPE_CHECKING:
    import pandas as pd

    from atmpkg.stores import Result

Value = str | int | float | bool | None
_XSD = "http://www.w3.org/2001/XMLSchema#"
_INTEGERS = {f"{_XSD}{name}" for name in ("integer", "int", "long", "nonNegativeInteger", "positiveInteger")}
_DECIMALS = {f"{_XSD}{name}" for name in ("decimal", "double", "float")}


@dataclass(frozen=True)
class Remarks:
    """What stands beside an answer: dates in ISO 8601, and how much is not known."""

    as_of: str = ""
    knowledge_until: str = ""
    scope: str = ""
    nothing_recorded: int | None = None
    release: str = ""
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def lines(self, rows: int) -> list[str]:
        """Return the remarks as sentences: a warning first, then the completeness line."""
        said = [f"{rows} row{'' if rows == 1 else 's'}"]
        if self.as_of:
            said.append(f"as of {self.as_of}")
        if self.knowledge_until:
            said.append(f"known until {self.knowledge_until}")
        elif self.scope:
            said.append("no survey says until when the data reach")
        if self.nothing_recorded is not None:
            said.append(f"{self.nothing_recorded} {self.scope}")
        said.append(f"release {self.release}")
        warning = []
        if self.knowledge_until and self.as_of > self.knowledge_until:
            warning = [
                f"warning: {self.as_of} is later than the day until which the data reach ({self.knowledge_until})"
            ]
        return [*warning, " · ".join(said)]


@dataclass(frozen=True)
class Answer:
    """Rows that answer a question or a query."""

    name: str
    title: str
    columns: tuple[AnswerColumn, ...]
    rows: tuple[tuple[Value, ...], ...]
    remarks: Remarks = Remarks()

    @property
    def names(self) -> tuple[str, ...]:
        """Column names, in order."""
        return tuple(column.name for column in self.columns)

    def to_pandas(self) -> pd.DataFrame:
        """Return the rows as a DataFrame, with the remarks in ``attrs``; needs ``atmpkg[tables]``."""
        import pandas as pd

        frame = pd.DataFrame(list(self.rows), columns=list(self.names))
        frame.attrs |= {"question": self.name, "as_of": self.remarks.as_of, "release": self.remarks.release}
        return frame

    def __len__(self) -> int:
        return len(self.rows)


def from_result(result: Result, name: str, title: str, columns: Iterable[AnswerColumn], remarks: Remarks) -> Answer:
    """Turn the result of a SELECT or ASK into an Answer; columns that are not described come after those that are."""
    import pyoxigraph as ox

    from atmpkg.stores import solutions

    if isinstance(result, ox.QueryBoolean):
        return Answer(name, title, (AnswerColumn("answer", type="flag"),), ((bool(result),),), remarks)
    if not isinstance(result, ox.QuerySolutions):
        raise TypeError("a CONSTRUCT or DESCRIBE query gives triples, not rows")
    variables = [variable.value for variable in result.variables]
    described = [column for column in columns if column.name in variables]
    known = {column.name for column in described}
    extra = [AnswerColumn(variable) for variable in variables if variable not in known]
    order = (*described, *extra)
    rows = tuple(tuple(value_of(solution[c.name], c) for c in order) for solution in solutions(result))
    return Answer(name, title, order, rows, remarks)


def value_of(term: Any, column: AnswerColumn) -> Value:
    """Turn an RDF term into a plain value; the parts of a ``many`` column are sorted, so that the answer is stable."""
    if term is None:
        return None
    datatype = term.datatype.value if hasattr(term, "datatype") else ""
    try:
        if datatype in _INTEGERS:
            number = int(term.value)
            return bool(number) if column.type == "flag" and number in (0, 1) else number
        if datatype in _DECIMALS and math.isfinite(real := float(term.value)):
            return real
    except ValueError:  # an ill-typed literal stays as it is written
        pass
    if datatype == f"{_XSD}boolean":
        return bool(term.value == "true" or term.value == "1")
    text = str(term.value) if hasattr(term, "value") else str(term)
    if column.type == "id" and text.startswith(DATA):
        text = text.rsplit("/", 1)[-1]
    if column.many:
        return "|".join(sorted({part for part in text.split("|") if part})) or None
    return text or None


def as_text(value: Value) -> str:
    """Write a value for people and for TSV: yes/no for booleans, nothing for what is not known.

    >>> as_text(True), as_text(2.50), as_text(None)
    ('yes', '2.5', '')
    """
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.10g}"
        case _:
            return str(value)
