"""Tables that describe themselves: ``<noun>.tsv`` beside ``<noun>.yaml``.

The description says once what each column is; reading, checking, mapping to RDF, the data dictionary and CSVW come
from it. Tables are IANA TSV in UTF-8: no quoting, no tab or newline inside a cell, ``|`` splits only columns marked
``many``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from atmpkg.errors import DataError, Problem, nearest, one_of, quoted
from atmpkg.names import Names, load_yaml

KINDS = (
    "id",  # the row's own id
    "text",  # any text
    "number",  # decimal number
    "date",  # YYYY, YYYY-MM or YYYY-MM-DD
    "flag",  # yes or no
    "code",  # one of `values`
    "link",  # web address
    "term",  # skos:notation of an ontology term below `under`
    "row",  # id of a row of `table`
    "any-row",  # table:id
    "curie",  # CURIE with one of `prefixes`
    "table",  # name of a table
    "column",  # column of the row that the column named by `of` points to
)
MISSING = ("unknown", "not-applicable", "confidential")
_KIND_NEEDS = {"code": "values", "term": "under", "row": "table", "column": "of", "curie": "prefixes"}
_SHARED = "shared"


@dataclass(frozen=True)
class Column:
    """One column: what its cells mean and how they are written."""

    name: str
    title: str
    meaning: str
    kind: str
    property: str = ""
    required: bool = False
    many: bool = False
    table: str = ""
    under: str = ""
    of: str = ""
    values: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    pattern: str = ""


@dataclass(frozen=True)
class Table:
    """A described table; ``path`` is where its rows are, or would be."""

    name: str
    title: str
    meaning: str
    rdf_class: str
    sentence: str
    columns: tuple[Column, ...]
    path: Path

    def column(self, name: str) -> Column | None:
        """Return the column of that name, if there is one."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True)
class Row:
    """A line of a table, split into cells; not yet checked."""

    line: int
    cells: tuple[str, ...]


@dataclass
class _Description:
    """Builds a Table from its YAML, collecting what is wrong."""

    path: Path
    shared: Mapping[str, object]
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, where: str, found: object, expected: str) -> None:
        shown = "nothing" if found == "nothing" else quoted(str(found))
        self.problems.append(Problem(self.path.name, 0, where, shown, expected))

    def table(self, rows: Path) -> Table:
        entry = load_yaml(self.path)
        if not isinstance(entry, dict):
            self.wrong("", entry, "title, meaning, class, columns")
            entry = {}
        known = {"title", "meaning", "class", "sentence", "with", "columns"}
        for key in entry.keys() - known:
            self.wrong(str(key), key, one_of(sorted(known)))
        for key in ("title", "meaning", "class", "sentence"):
            if not isinstance(entry.get(key, ""), str):
                self.wrong(key, entry[key], "text")
        for key in {"title", "meaning", "class", "columns"} - entry.keys():
            self.wrong(key, "nothing", f"a value for {key}")
        columns = entry.get("columns")
        columns = dict(columns) if isinstance(columns, dict) else {}
        if extra := entry.get("with"):
            common = self.shared.get(extra) if isinstance(extra, str) else None
            if isinstance(common, dict):
                columns |= common
            else:
                self.wrong("with", extra, one_of(self.shared))
        made = tuple(self.column(str(name), about) for name, about in columns.items())
        names = [column.name for column in made]
        if [column.name for column in made if column.kind == "id"] != ["id"]:
            self.wrong("columns", names, "exactly one column of kind id, named id")
        for column in made:
            if column.kind == "column" and column.of not in names:
                self.wrong(f"{column.name}.of", column.of, one_of(names))
        return Table(
            name=self.path.stem,
            title=str(entry.get("title", "")),
            meaning=str(entry.get("meaning", "")),
            rdf_class=str(entry.get("class", "")),
            sentence=str(entry.get("sentence", "{id}")),
            columns=made,
            path=rows,
        )

    def column(self, name: str, about: object) -> Column:
        about = dict(about) if isinstance(about, dict) else {}
        fields = set(Column.__dataclass_fields__) - {"name"}
        for key in about.keys() - fields:
            self.wrong(f"{name}.{key}", key, one_of(sorted(fields)) + nearest(str(key), fields))
        kind = str(about.get("kind"))
        if kind not in KINDS:
            self.wrong(f"{name}.kind", kind, one_of(KINDS, 20) + nearest(kind, KINDS))
        if (need := _KIND_NEEDS.get(kind)) and not about.get(need):
            self.wrong(f"{name}.{need}", "nothing", f"{need}, which a column of kind {kind} needs")
        if kind != "id" and not about.get("property"):
            self.wrong(f"{name}.property", "nothing", "the RDF property as a CURIE")
        about = {key: value for key, value in about.items() if key in fields}
        for key, value in list(about.items()):
            right = bool if key in ("required", "many") else list if key in ("values", "prefixes") else str
            if not isinstance(value, right):
                self.wrong(f"{name}.{key}", value, {bool: "true or false", list: "a list", str: "text"}[right])
                del about[key]
        try:
            re.compile(about.get("pattern", ""))
        except re.error:
            self.wrong(f"{name}.pattern", about.pop("pattern"), "a regular expression")
        for key in ("values", "prefixes"):
            listed = about.get(key, [])
            if not isinstance(listed, list) or not all(isinstance(value, str) for value in listed):
                self.wrong(f"{name}.{key}", listed, "a list of words (in quotes where YAML takes them for yes or no)")
                listed = []
            about[key] = tuple(listed)
        return Column(**({"title": name, "meaning": "", "kind": "text"} | about | {"name": name}))


def read_tables(folders: list[Path]) -> dict[str, Table]:
    """Read all descriptions in the folders, a later one replacing an earlier; the rows are in the last folder.

    Raises DataError with every fault of every description.
    """
    described: dict[str, Path] = {}
    shared: dict[str, object] = {}
    problems: list[Problem] = []
    for path in (path for folder in folders for path in sorted(folder.glob("*.yaml"))):
        if path.stem == _SHARED:
            entry = load_yaml(path)
            shared |= entry if isinstance(entry, dict) else {}
            problems += [
                Problem(path.name, 0, str(name), quoted(str(about)), "columns, as in a table description")
                for name, about in shared.items()
                if not isinstance(about, dict)
            ]
        else:
            described[path.stem] = path
    tables: dict[str, Table] = {}
    for name, path in sorted(described.items()):
        description = _Description(path, shared)
        tables[name] = description.table(folders[-1] / f"{name}.tsv")
        problems += description.problems
    problems += [
        Problem(
            path.name, 0, "", "a table without description", f"{path.stem}.yaml beside it" + nearest(path.stem, tables)
        )
        for path in sorted(folders[-1].glob("*.tsv"))
        if path.stem not in tables
    ]
    problems += [
        Problem(path.name, 0, "", "a folder", "a file")
        for path in sorted(folders[-1].glob("*.tsv"))
        if not path.is_file()
    ]
    problems += [
        Problem(f"{table.name}.yaml", 0, f"{column.name}.table", quoted(column.table), one_of(tables))
        for table in tables.values()
        for column in table.columns
        if column.kind == "row" and column.table not in tables
    ]
    if problems:
        raise DataError(sorted(problems))
    return tables


def missing_problems(tables: Mapping[str, Table]) -> Iterator[Problem]:
    """Yield a Problem for each description that has no rows beside it: a lost file is not an empty table."""
    for table in tables.values():
        if table.path.with_suffix(".yaml").exists() and not table.path.exists():
            yield Problem(table.path.name, 0, "", "no such file", "the rows of the table, or its header alone")


def name_problems(tables: Mapping[str, Table], names: Names) -> Iterator[Problem]:
    """Yield a Problem for each class, property or `under` of the descriptions that no prefix can expand."""
    for table in tables.values():
        said = [("class", table.rdf_class)]
        said += [(f"{column.name}.property", column.property) for column in table.columns if column.property]
        said += [(f"{column.name}.under", column.under) for column in table.columns if column.under]
        for where, curie in said:
            try:
                names.expand(curie)
            except ValueError as error:
                yield Problem(f"{table.name}.yaml", 0, where, quoted(curie), str(error))


def read_rows(table: Table, span: tuple[int, int, int] | None = None) -> Iterator[Row | Problem]:
    """Yield the rows of a table in the order of its description, and a Problem for each line that is not one.

    A missing file is an empty table. Nothing but the shape is checked here: encoding, line ends, header, cell count.
    ``span``: read only the lines between two bytes of the file, of which the first has that number.
    """
    if not table.path.exists():
        return
    name = table.path.name
    with table.path.open("rb") as file:
        header = file.readline()
        if header.startswith(b"\xef\xbb\xbf"):
            yield Problem(name, 1, "", "a byte order mark", "UTF-8 without one")
            header = header[3:]
        if not header.strip():
            yield Problem(name, 1, "", "no header", "the columns " + ", ".join(c.name for c in table.columns))
            return
        names, faults = _header(table, header)
        yield from faults
        if faults:
            return
        order = [names.index(column.name) if column.name in names else None for column in table.columns]
        start, end, first = span or (0, 0, 2)
        if span:
            file.seek(start)
        for line, raw in enumerate(file, first):
            if span and start >= end:
                return
            start += len(raw)
            if not raw.endswith(b"\n"):
                yield Problem(
                    name, line, "", "a last line without a line feed", "a whole line; the file may be cut off"
                )
            cells, fault = _cells(name, line, raw)
            if fault:
                yield fault
            elif len(cells) != len(names):
                yield Problem(name, line, "", f"{len(cells)} cells", f"{len(names)} cells, as in the header")
            else:
                yield Row(line, tuple("" if at is None else cells[at] for at in order))


def texts(table: Table) -> Iterator[list[str]]:
    """Yield the names of the columns, then the cells of each row as written; lines that are no rows are left out."""
    yield [column.name for column in table.columns]
    for row in read_rows(table):
        if isinstance(row, Row):
            yield list(row.cells)


def _header(table: Table, raw: bytes) -> tuple[list[str], list[Problem]]:
    names, fault = _cells(table.path.name, 1, raw)
    if fault:
        return [], [fault]
    faults = []
    known = [column.name for column in table.columns]
    for at, name in enumerate(names):
        if name in names[:at]:
            faults.append(Problem(table.path.name, 1, name, "the column twice", "each column once"))
        elif name not in known:
            faults.append(
                Problem(table.path.name, 1, name, "an unknown column", one_of(known, 30) + nearest(name, known))
            )
    for column in table.columns:
        if column.name not in names and (column.required or column.kind == "id"):
            faults.append(Problem(table.path.name, 1, column.name, "no such column", "this required column"))
    return names, faults


def _cells(file: str, line: int, raw: bytes) -> tuple[list[str], Problem | None]:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return [], Problem(file, line, "", f"the byte {raw[error.start]:#04x} at {error.start + 1}", "UTF-8")
    text = text.removesuffix("\n")
    if "\r" in text:
        return [], Problem(file, line, "", "a carriage return", "lines that end in a line feed alone")
    if "\0" in text:
        return [], Problem(file, line, "", "a NUL character", "text")
    if not text:
        return [], Problem(file, line, "", "an empty line", "a row")
    return text.split("\t"), None
