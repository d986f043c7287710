"""Answers: rows of plain values, with the columns' meanings and what the reader must know about them."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atmpkg.errors import UsageError, quoted
from atmpkg.names import DATA, ONTOLOGY
from atmpkg.plots import Plot
from atmpkg.queries import AnswerColumn

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from atmpkg.stores import Result

Value = str | int | float | bool | None
_XSD = "http://www.w3.org/2001/XMLSchema#"
_STRING = f"{_XSD}string"
_INTEGERS = {f"{_XSD}{name}" for name in ("integer", "int", "long", "nonNegativeInteger", "positiveInteger")}
_DECIMALS = {f"{_XSD}{name}" for name in ("decimal", "double", "float")}
_ROW = "row"  # hidden variable: the row of a table that an answer's row tells of
_SHOWN = 60  # rows that a notebook shows


@dataclass(frozen=True)
class Source:
    """A document that an answer rests on."""

    id: str
    title: str
    publisher: str
    url: str


@dataclass(frozen=True)
class Remarks:
    """What stands beside an answer: dates in ISO 8601, how much is not known, and why there is nothing."""

    as_of: str = ""
    known: Mapping[str, str] = field(default_factory=dict)  # until when, by place; where all that there is was entered
    partly: Mapping[str, str] = field(default_factory=dict)  # the same, where a part was looked for
    everywhere: bool = True  # whether no place was asked for
    scope: str = ""
    nothing_recorded: int | None = None
    release: str = ""
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    empty: str = ""

    @property
    def knowledge_until(self) -> str:
        """The day until which the data reach; empty where no survey says so.

        It is the first of the days of the places asked for. Where none was asked for, a place that was looked through
        in part only does not bound the answer, unless there is no other: then it is the last day of any.

        >>> Remarks(known={"EU": "2026-03-14"}, partly={"PH": "2008-07-14"}).knowledge_until
        '2026-03-14'
        >>> Remarks(known={"EU": "2026-03-14"}, partly={"PH": "2008-07-14"}, everywhere=False).knowledge_until
        '2008-07-14'
        """
        if not self.everywhere:
            return min([*self.known.values(), *self.partly.values()], default="")
        return min(self.known.values(), default="") or max(self.partly.values(), default="")

    def lines(self, rows: int) -> list[str]:
        """Return the remarks as sentences: a warning first, then why nothing was found, then the completeness line."""
        said = [f"{rows} row{'' if rows == 1 else 's'}"]
        if self.as_of:
            said.append(f"as of {self.as_of}")
        if self.knowledge_until or self.scope:
            said.append(self.reach())
        if self.nothing_recorded is not None:
            said.append(f"{self.nothing_recorded} {self.scope}")
        said.append(f"release {self.release}")
        warning = []
        if self.knowledge_until and self.as_of > self.knowledge_until:
            warning = [f"warning: {self.as_of} is later than the day until which the data reach ({self._bound()})"]
        return [*warning, *([self.empty] if self.empty else []), " · ".join(said)]

    def _bound(self) -> str:
        """Name the day until which the data reach, and the places where they do if there are several."""
        both = {**self.known, **self.partly}
        places = sorted(place for place, day in both.items() if place and day == self.knowledge_until)
        told = len(both) > 1 and (self.known or not self.everywhere)
        return self.knowledge_until + (f" in {', '.join(places)}" if told else "")

    def reach(self) -> str:
        """Say until when the data reach; where places differ, the first and the last of them.

        >>> Remarks(known={"EU": "2026-03-14", "US": "2026-08-19"}, partly={"PH": "2008-07-14"}).reach()
        'known until 2026-03-14 (EU) to 2026-08-19 (US), elsewhere in part'
        >>> Remarks(partly={"PH": "2008-07-14"}, everywhere=False).reach()
        'looked for in part until 2008-07-14'
        """
        if not self.knowledge_until:
            return "no survey says until when the data reach"
        if not self.known and self.everywhere:
            return f"looked for in part, until {self.knowledge_until} at the latest"
        if not self.known:
            return f"looked for in part until {_span(self.partly)}"
        said = f"known until {_span(self.known)}"
        if self.everywhere:
            return said if "" in self.known else f"{said}, elsewhere in part"
        return f"{said}, in part until {_span(self.partly)}" if self.partly else said


def _span(days: Mapping[str, str]) -> str:
    """Write the days until which several places are known: the first and the last, each with its place."""
    first, last = (end(days, key=lambda place: (days[place], place)) for end in (min, max))
    if days[first] == days[last]:
        return days[first]
    return " to ".join(f"{days[place]} ({place or 'all'})" for place in (first, last))


@dataclass(frozen=True)
class Links:
    """What an answer can still ask of its graph, when asked itself."""

    sources: Callable[[Iterable[str]], list[Source]] = lambda ids: []
    reasons: Callable[[Iterable[str]], Mapping[tuple[str, str], str]] = lambda rows: {}
    properties: Callable[[], Mapping[str, str]] = dict  # column to the property that it shows


@dataclass(frozen=True, repr=False)
class Answer:
    """Rows that answer a question or a query."""

    name: str
    title: str
    columns: tuple[AnswerColumn, ...]
    rows: tuple[tuple[Value, ...], ...]
    remarks: Remarks = Remarks()
    sparql: str = ""
    about: Mapping[str, str] = field(default_factory=dict)  # what the question says of itself: answers, counts ...
    tables: Mapping[str, str] = field(default_factory=dict)  # column of ids to the table that they are of
    told_by: tuple[str, ...] = ()  # for each row, the row of a table that it tells of, as table:id
    spec: Path | None = None  # the picture that belongs to the question
    links: Links = field(default=Links(), repr=False, compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Column names, in order."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def sources(self) -> list[Source]:
        """Every source that the rows name, by id."""
        if "source" not in self.names:
            return []
        at = self.names.index("source")
        return self.links.sources({id for row in self.rows for id in str(row[at] or "").split("|")})

    @cached_property
    def reasons(self) -> Mapping[tuple[int, str], str]:
        """Why a value is missing, by number of the row and name of the column: unknown, not-applicable, confidential.

        A missing value that is not here was not looked for, or the question cannot tell.
        """
        if not self.told_by:
            return {}
        found, properties = self.links.reasons(self.told_by), self.links.properties()
        gaps = (
            (at, column.name, (self.told_by[at], properties.get(column.name, "")))
            for at, row in enumerate(self.rows)
            for column, value in zip(self.columns, row, strict=True)
            if value is None
        )
        return {(at, name): found[key] for at, name, key in gaps if key in found}

    def to_arrow(self) -> pa.Table:
        """Return the rows as an Arrow table whose metadata carry meanings, units and remarks; see ``frames``."""
        from atmpkg.frames import arrow

        return arrow(self.columns, self.rows, dict(self.metadata()))

    def to_polars(self) -> pl.DataFrame:
        """Return the rows as a Polars frame; several values are a list."""
        from atmpkg.frames import polars

        return polars(self.columns, self.rows)

    def to_pandas(self) -> pd.DataFrame:
        """Return the rows as a pandas frame, with the remarks in ``attrs``; needs ``atmpkg[tables]``."""
        from atmpkg.frames import pandas

        frame = pandas(self.columns, self.rows)
        frame.attrs |= dict(self.metadata())
        return frame

    def metadata(self) -> Iterator[tuple[str, str]]:
        """Yield what an export should say of itself, as texts by name."""
        yield from (("question", self.name), ("title", self.title))
        yield from self.about.items()
        given = " ".join(f"{name.replace('_', '-')}={'|'.join(v)}" for name, v in self.remarks.parameters.items())
        said = {
            "parameters": given,
            "as_of": self.remarks.as_of,
            "known_until": self.remarks.knowledge_until,
            "completeness": self.remarks.lines(len(self))[-1],
            "release": self.remarks.release,
            "licence": "CC-BY-4.0",
        }
        yield from ((name, text) for name, text in said.items() if text)

    def plot(self) -> Plot:
        """Return the picture of the question; raise UsageError where it has none or there is nothing to draw.

        In a notebook it shows itself; ``.save("lag.svg")`` writes SVG, PNG, PDF, HTML or the Vega-Lite JSON.
        """
        if self.spec is None:
            raise UsageError(f"cannot draw {quoted(self.name)}: no picture belongs to it.")
        if not self.rows:
            raise UsageError(f"cannot draw {quoted(self.name)}: there are no rows. {self.remarks.empty}".rstrip())
        return Plot.of(
            self.spec,
            self.columns,
            self.rows,
            words={name: ", ".join(values) for name, values in self.remarks.parameters.items()},
            footer=tuple(self.footer()),
        )

    def footer(self) -> Iterator[str]:
        """Yield the lines that a picture ends with: as-of date, and who published what it rests on."""
        remarks = self.remarks
        said = [f"As of {remarks.as_of}"] if remarks.as_of else []
        said += [remarks.reach()] if remarks.knowledge_until else []
        yield " · ".join([*said, f"atmpkg {remarks.release}", "CC BY 4.0", self.name])
        counts: dict[str, int] = {}
        for source in self.sources:
            counts[source.publisher] = counts.get(source.publisher, 0) + 1
        if counts:
            ranked = sorted(counts, key=lambda name: (-counts[name], name))
            more = f" and {len(ranked) - 4} more publishers" if len(ranked) > 4 else ""
            shown = ", ".join(f"{name} ({counts[name]})" for name in ranked[:4])
            yield f"Sources: {shown}{more}; {sum(counts.values())} documents"

    def __repr__(self) -> str:
        """Say in one line what was answered; the rows are in ``rows``, ``to_pandas()`` or, in a notebook, shown."""
        given = (f"{name}={', '.join(values)}" for name, values in self.remarks.parameters.items())
        return f"<answer {' '.join([self.name, *given])}: {self.remarks.lines(len(self))[-1]}>"

    def _repr_html_(self) -> str:
        return "".join(self.html(most=_SHOWN))

    def html(self, *, most: int | None = None) -> Iterator[str]:
        """Yield the answer as HTML: ids and sources are links, a missing value says why where that is known.

        ``most``: rows to show; all when omitted.
        """
        urls = {source.id: source for source in self.sources}
        yield f"<p><b>{html.escape(self.title)}</b></p><table><thead><tr>"
        for column in self.columns:
            meaning = column.meaning + (f" ({column.unit})" if column.unit else "")
            yield f'<th title="{html.escape(meaning)}">{html.escape(column.name.replace("_", " "))}</th>'
        yield "</tr></thead><tbody>"
        for at, row in enumerate(self.rows[:most]):
            cells = (self._cell(at, column, value, urls) for column, value in zip(self.columns, row, strict=True))
            yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        yield "</tbody></table>"
        if most is not None and len(self) > most:
            yield f"<p>… {len(self) - most} more rows</p>"
        yield "".join(f"<p><small>{html.escape(line)}</small></p>" for line in self.remarks.lines(len(self)))

    def _cell(self, at: int, column: AnswerColumn, value: Value, urls: Mapping[str, Source]) -> str:
        if value is None:
            return f"<small><i>{self.reasons.get((at, column.name), '')}</i></small>"
        parts = str(value).split("|") if column.many else [as_text(value)]
        if column.name == "source":
            return ", ".join(_link(urls[id].url, id, urls[id].title) if id in urls else html.escape(id) for id in parts)
        if table := self.tables.get(column.name):
            return ", ".join(_link(f"{DATA}{table}/{id}", id) for id in parts)
        return ", ".join(html.escape(part) for part in parts)

    def __len__(self) -> int:
        return len(self.rows)


def _link(url: str, text: str, title: str = "") -> str:
    """Write a link; only web addresses are linked."""
    if not url.startswith(("https://", "http://")):
        return html.escape(text)
    told = f' title="{html.escape(title)}"' if title else ""
    return f'<a href="{html.escape(url)}"{told}>{html.escape(text)}</a>'


def from_result(
    result: Result,
    name: str,
    title: str,
    columns: Iterable[AnswerColumn],
    remarks: Remarks,
    *,
    hidden: Iterable[str] = (),
) -> Answer:
    """Turn the result of a SELECT or ASK into an Answer; columns that are not described come after those that are.

    ``hidden``: variables that are no columns; of these, ``row`` says which row of a table each row tells of.
    """
    import pyoxigraph as ox

    from atmpkg.stores import solutions

    if isinstance(result, ox.QueryBoolean):
        return Answer(name, title, (AnswerColumn("answer", type="flag"),), ((bool(result),),), remarks)
    if not isinstance(result, ox.QuerySolutions):
        raise TypeError("a CONSTRUCT or DESCRIBE query gives triples, not rows")
    left_out = set(hidden)
    places = {v.value: at for at, v in enumerate(result.variables)}  # a term by its place is found four times faster
    told_at = places.get(_ROW) if _ROW in left_out else None
    described = [column for column in columns if column.name in places and column.name not in left_out]
    known = {column.name for column in described}
    order = [*described, *(AnswerColumn(name) for name in places if name not in known | left_out)]
    shown = [(places[column.name], column) for column in order]
    ids = [(places[column.name], column.name) for column in described if column.type == "id"]
    rows, told_by, tables = [], [], dict[str, str]()
    for solution in solutions(result):
        terms = tuple(solution)
        for at, id in ids:
            if id not in tables and terms[at] is not None:
                tables[id] = _table_of(terms[at])
        if told_at is not None:
            told_by.append(_row_id(terms[told_at]))
        rows.append(tuple([value_of(terms[at], column) for at, column in shown]))
    order[len(described) :] = [
        _seen(column, at + len(described), rows) for at, column in enumerate(order[len(described) :])
    ]
    return Answer(
        name,
        title,
        tuple(order),
        tuple(rows),
        remarks,
        tables={id: table for id, table in tables.items() if table},
        told_by=tuple(told_by),
    )


def _seen(column: AnswerColumn, at: int, rows: list[tuple[Value, ...]]) -> AnswerColumn:
    """Type a column that nobody described by all its values."""
    kinds = {type(row[at]) for row in rows if row[at] is not None}
    names = {frozenset({int}): "integer", frozenset({float}): "number", frozenset({int, float}): "number"}
    return replace(column, type=names.get(frozenset(kinds), "flag" if kinds == {bool} else "text"))


def _table_of(term: Any) -> str:
    text = str(getattr(term, "value", ""))
    return text.removeprefix(DATA).rpartition("/")[0] if text.startswith(DATA) else ""


def _row_id(term: Any) -> str:
    return str(getattr(term, "value", "")).removeprefix(DATA).replace("/", ":", 1)


def value_of(term: Any, column: AnswerColumn) -> Value:
    """Turn an RDF term into a plain value; the parts of a ``many`` column are sorted, so that the answer is stable."""
    if term is None:
        return None
    kind = getattr(term, "datatype", None)
    text = str(term.value) if hasattr(term, "value") else str(term)
    if kind is not None and (datatype := kind.value) != _STRING:
        try:
            if datatype in _INTEGERS:
                number = int(text)
                return bool(number) if column.type == "flag" and number in (0, 1) else number
            if datatype in _DECIMALS and math.isfinite(real := float(text)):
                return real
        except ValueError:  # an ill-typed literal stays as it is written
            pass
        if datatype == f"{_XSD}boolean":
            return text in ("true", "1")
    if column.type == "id" and text.startswith(ONTOLOGY):
        return text.removeprefix(ONTOLOGY)
    if column.type == "id" and text.startswith(DATA):
        text = text.rsplit("/", 1)[-1]
    if column.many and "|" in text:
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
