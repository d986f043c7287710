"""N-Quads from validated records, against bare string formatting of the very same text."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from atmpkg.dates import CalendarDate, day_number
from atmpkg.errors import Problem
from atmpkg.mapping import quads
from atmpkg.names import DATA, ONTOLOGY, Names, graph_iri
from atmpkg.project import Project
from atmpkg.records import Record, Validator
from atmpkg.tables import Row, Table, read_rows, read_tables
from atmpkg.terms import Terms
from bench.report import Section, Verdict, number
from bench.timing import seconds

SIZES = (10_000, 100_000)
_ROUNDS, _READINGS = 3, 2
_XSD = "http://www.w3.org/2001/XMLSchema#"
_LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_OWN = f"<{DATA}decision/"
_GRAPH = f"<{graph_iri('decision')}> .\n"
_DATES = f"<{graph_iri('dates')}> .\n"


def section(project: Project, work: Path) -> Section:
    """Measure both sizes and compare."""
    found = Section(
        title="2 N-Quads from records",
        how=(
            "Rows in the shape of the decision table, generated (no chance in it), their references those of the "
            f"shipped tables. Validation: lines of the file to a list of records, least of {_READINGS}. Writing: "
            "`atmpkg.mapping.quads` of that list into a file in the page cache, against one f-string per row, whose "
            "terms were made beforehand, into another; "
            f"medians of {_ROUNDS}, taken in turn. Both files hold the same lines (compared)."
        ),
        header=("rows", "quads", "validate s", "us a row", "write s", "quads/s", "bare f-string s", "bare / atmpkg"),
    )
    measured: dict[int, tuple[float, float, float]] = {}
    for size in SIZES:
        validate, write, bare, lines = _measure(project, work / f"rows-{size}", size)
        measured[size] = (validate, write, bare)
        per_row = 1e6 * validate / size
        found.rows.append(
            (f"{size:,}", f"{lines:,}", validate, per_row, write, number(lines / write), bare, f"{bare / write:.2f}")
        )
        found.verdicts.append(
            Verdict(
                f"N-Quads of {size:,} rows at no less than 0.7 of the speed of bare f-strings",
                f"{bare / write:.2f}",
                bare / write >= 0.7,
            )
        )
    small, large = (measured[size] for size in SIZES)
    for name, at in (("validation", 0), ("N-Quads", 1)):
        growth = large[at] / small[at]
        found.verdicts.append(
            Verdict(f"{name}: at most 12 times for 10 times the rows", f"{growth:.1f} times", growth <= 12)
        )
    return found


def _measure(project: Project, folder: Path, size: int) -> tuple[float, float, float, int]:
    validator = _project(project, folder, size)
    records: list[Record] = []

    def validate() -> None:
        for item in validator.records():
            if isinstance(item, Problem):
                raise AssertionError(f"the generated rows do not validate: {item}")
            if item.table.name == "decision":
                records.append(item)

    took = []
    for _ in range(_READINGS):
        records.clear()
        gc.collect()
        took.append(seconds(validate))
    terms, dates = [_terms(record) for record in records], {d.text: d for r in records for d in r.dates}
    ours, other = folder / "ours.nq", folder / "bare.nq"
    gc.collect()
    write, bare = _in_turn(
        lambda: _into(ours, quads(records, validator.names)), lambda: _into(other, _bare(terms, dates))
    )
    text = ours.read_bytes().replace(b">  <", b"> <")  # a blank more says nothing
    if text != other.read_bytes():
        raise AssertionError("the two texts differ: _bare no longer fits the decision table")
    return min(took), write, bare, text.count(b"\n")


def _in_turn(first: Callable[[], None], second: Callable[[], None]) -> tuple[float, float]:
    pairs = [(seconds(first), seconds(second)) for _ in range(_ROUNDS)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def _into(path: Path, lines: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(lines)


def _project(project: Project, root: Path, size: int) -> Validator:
    """Write the decision table and those that it refers to, and return what validates them."""
    folder = root / "data" / "tables"
    folder.mkdir(parents=True)
    shipped = read_tables(project.tables)
    for name in _needed(shipped, "decision") - {"decision"}:
        rows = shipped[name].path
        (folder / rows.name).write_bytes(rows.read_bytes())
    terms = Terms.read(project.ontology)
    names = Names.read(project.prefixes, shipped)
    lines = _rows(shipped, terms, names, size)
    with (folder / "decision.tsv").open("w", encoding="utf-8", newline="\n") as out:
        out.write("\t".join(column.name for column in shipped["decision"].columns) + "\n")
        out.writelines(lines)
    return Validator(read_tables([*project.tables, folder]), names, terms)


def _needed(tables: dict[str, Table], name: str, seen: frozenset[str] = frozenset()) -> set[str]:
    """Return a table and those that its rows refer to, near and far."""
    found = {name}
    for column in tables[name].columns:
        if column.kind == "row" and column.table not in seen | found:
            found |= _needed(tables, column.table, seen | frozenset(found))
    return found


def _rows(tables: dict[str, Table], terms: Terms, names: Names, size: int) -> Iterator[str]:
    """Yield lines of the decision table: two sources in each second row, a reason in each fourth, quotes too."""
    decision = tables["decision"]
    choices = {c.name: _choices(c.kind, c.table, c.under, tables, terms, names) for c in decision.columns}
    for at in range(size):
        day = CalendarDate.parse(f"{2000 + at % 24}-{1 + at % 12:02d}-{1 + at % 28:02d}")
        source = choices["source"]
        cells = {
            name: (options[at % len(options)] if options else "")
            for name, options in choices.items()
        } | {
            "id": f"product-eu-decision-{at}",
            "date": day.text[:7] if at % 10 == 0 else day.text,
            "number": f"EU/1/{at % 100:02d}/{at % 10_000:04d}",
            "reason": choices["reason"][at % len(choices["reason"])] if at % 4 == 0 else "",
            "detail": f'For "large" B-cell lymphoma after {at % 7} lines' if at % 5 == 0 else "Renewed for five years",
            "source": "|".join({source[at % len(source)]: 0, source[(at * (at % 2)) % len(source)]: 0}),
            "locator": f"page {at % 50}",
            "confidence": "confirmed",
            "note": "day of the letter" if at % 3 == 0 else "",
        }  # fmt: skip
        yield "\t".join(cells[column.name] for column in decision.columns) + "\n"


def _choices(kind: str, table: str, under: str, tables: dict[str, Table], terms: Terms, names: Names) -> list[str]:
    if kind == "row":
        at = [column.kind for column in tables[table].columns].index("id")
        return [row.cells[at] for row in read_rows(tables[table]) if isinstance(row, Row)]
    return sorted(terms.notations[names.expand(under)]) if kind == "term" else []


def _terms(record: Record) -> tuple[str, ...]:
    """Return the terms of a row as a tuple; a column that may be empty gives an empty text, a second source its own."""
    one = dict(record.values)
    sources = [term for predicate, term in record.values if predicate == "<http://purl.org/dc/terms/source>"]
    own = [f"<{ONTOLOGY}{n}>" for n in ("product", "jurisdiction", "authority")]
    return (
        record.id,
        *(one[name] for name in own),
        one[f"<{_TYPE}>"],
        one[f"<{ONTOLOGY}date>"],
        one[f"<{ONTOLOGY}number>"],
        one[f"<{ONTOLOGY}basis>"],
        one[f"<{ONTOLOGY}holder>"],
        one.get(f"<{ONTOLOGY}reason>", ""),
        one["<http://purl.org/dc/terms/description>"],
        sources[0],
        sources[1] if len(sources) > 1 else "",
        one[f"<{ONTOLOGY}locator>"],
        one[f"<{ONTOLOGY}confidence>"],
        one.get("<http://www.w3.org/2004/02/skos/core#editorialNote>", ""),
    )


def _bare(rows: list[tuple[str, ...]], dates: dict[str, CalendarDate]) -> Iterator[str]:
    """Yield the same text from one f-string per row: nothing is looked up, escaped or looped over."""
    for (
        id, product, place, authority, kind, date, code, basis, holder, reason, detail, source, second, locator, sure,
        note,
    ) in rows:  # fmt: skip
        s = f"{_OWN}{id}>"
        yield (
            f"{s} <{_TYPE}> <{ONTOLOGY}RegulatoryEvent> {_GRAPH}"
            f'{s} <http://purl.org/dc/terms/identifier> "{id}" {_GRAPH}'
            f"{s} <{ONTOLOGY}product> {product} {_GRAPH}"
            f"{s} <{ONTOLOGY}jurisdiction> {place} {_GRAPH}"
            f"{s} <{ONTOLOGY}authority> {authority} {_GRAPH}"
            f"{s} <{_TYPE}> {kind} {_GRAPH}"
            f"{s} <{ONTOLOGY}date> {date} {_GRAPH}"
            f"{s} <{ONTOLOGY}number> {code} {_GRAPH}"
            f"{s} <{ONTOLOGY}basis> {basis} {_GRAPH}"
            f"{s} <{ONTOLOGY}holder> {holder} {_GRAPH}"
            f"{f'{s} <{ONTOLOGY}reason> {reason} {_GRAPH}' if reason else ''}"
            f"{s} <http://purl.org/dc/terms/description> {detail} {_GRAPH}"
            f"{s} <http://purl.org/dc/terms/source> {source} {_GRAPH}"
            f"{f'{s} <http://purl.org/dc/terms/source> {second} {_GRAPH}' if second else ''}"
            f"{s} <{ONTOLOGY}locator> {locator} {_GRAPH}"
            f"{s} <{ONTOLOGY}confidence> {sure} {_GRAPH}"
            f"{f'{s} <http://www.w3.org/2004/02/skos/core#editorialNote> {note} {_GRAPH}' if note else ''}"
        )
    for text, date_ in sorted(dates.items()):
        s, first, last = f"<{DATA}date/{text}>", date_.earliest, date_.latest
        yield (
            f"{s} <{_TYPE}> <{ONTOLOGY}CalendarDate> {_DATES}"
            f'{s} <{_LABEL}> "{text}" {_DATES}'
            f'{s} <{ONTOLOGY}precision> "{date_.precision}" {_DATES}'
            f'{s} <{ONTOLOGY}earliest> "{first.isoformat()}"^^<{_XSD}date> {_DATES}'
            f'{s} <{ONTOLOGY}latest> "{last.isoformat()}"^^<{_XSD}date> {_DATES}'
            f'{s} <{ONTOLOGY}firstDay> "{day_number(first)}"^^<{_XSD}integer> {_DATES}'
            f'{s} <{ONTOLOGY}lastDay> "{day_number(last)}"^^<{_XSD}integer> {_DATES}'
        )
