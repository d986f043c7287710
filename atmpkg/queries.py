"""Query files: a described header of ``#+`` lines in YAML, then SPARQL that is valid as it stands.

A parameter is a ``VALUES ?name { default }`` block, repeated wherever a sub-SELECT or MINUS uses it. Binding replaces
the rows of those blocks, found by reading the query's tokens, with serialised RDF terms; a value can therefore never
be read as SPARQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from atmpkg.errors import DataError, Problem, one_of, quoted

PARAMETER_TYPES = ("date", "jurisdiction", "product", "disease", "target", "body", "code", "text", "integer", "thing")
COLUMN_TYPES = ("text", "id", "date", "integer", "number", "flag", "percent")

# Terminals of the SPARQL 1.1 grammar that can hide a brace or a variable, then those that matter here.
_TOKEN = re.compile(
    r"""
    (?P<comment>\#[^\n\r]*)
  | (?P<iri><[^<>"{}|^`\\\x00-\x20]*>)
  | (?P<string>'''(?:(?:'|'')?(?:[^'\\]|\\.))*'''|\"\"\"(?:(?:"|"")?(?:[^"\\]|\\.))*\"\"\"
      |'(?:[^'\\\n\r]|\\.)*'|"(?:[^"\\\n\r]|\\.)*")
  | (?P<variable>[?$][A-Za-z_0-9\u00b7-\uffff]+)
  | (?P<word>[A-Za-z_][A-Za-z_0-9.:-]*)
  | (?P<brace>[{}])
  | (?P<other>[^\s])
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Parameter:
    """A parameter of a question: its type, whether it must be given, and its default in words."""

    name: str
    type: str
    meaning: str = ""
    required: bool = False
    default: str = ""
    many: bool = True
    values: tuple[str, ...] = ()
    values_from: str = ""
    minimum: int | None = None  # of an integer
    variable: str = ""  # of its VALUES block, where an answer column has the parameter's name

    @property
    def block(self) -> str:
        """Name of the variable in the VALUES block."""
        return self.variable or self.name


@dataclass(frozen=True)
class AnswerColumn:
    """A column of an answer: its meaning, type and unit; in a view also the node or edge that it tells about."""

    name: str
    meaning: str = ""
    type: str = "text"
    unit: str = ""
    many: bool = False
    of: str = ""
    on_request: bool = False  # left out unless sources are asked for


@dataclass(frozen=True)
class Query:
    """A query file, read: its name, header and SPARQL text."""

    name: str
    path: Path
    title: str
    sparql: str
    header: Mapping[str, object]
    pack: str = ""
    verb: str = "ask"  # what a user does with it on the command line
    parameters: tuple[Parameter, ...] = ()
    columns: tuple[AnswerColumn, ...] = ()
    blocks: Mapping[str, Sequence[tuple[int, int]]] = field(default_factory=dict)

    def text(self, key: str) -> str:
        """Return a header entry as text; empty where there is none."""
        return " ".join(str(self.header.get(key, "")).split())

    def words(self, key: str) -> tuple[str, ...]:
        """Return a header entry as a list of words."""
        entry = self.header.get(key, ())
        return tuple(str(word) for word in entry) if isinstance(entry, list) else ()

    @property
    def example(self) -> dict[str, str]:
        """Parameters of the example, as texts by name as users write it."""
        example = self.header.get("example")
        return {str(k).replace("_", "-"): str(v) for k, v in example.items()} if isinstance(example, dict) else {}

    @property
    def body(self) -> str:
        """The SPARQL without the described header."""
        return "".join(line for line in self.sparql.splitlines(keepends=True) if not line.startswith("#+"))

    @cached_property
    def by_row(self) -> bool:
        """Whether each row of the answer tells of one row of a table, the variable ``?row`` that groups them."""
        read = [match[0].upper() if match.lastgroup == "word" else match[0] for match in tokens(self.sparql)]
        last = len(read) - 1 - read[::-1].index("GROUP") if "GROUP" in read else len(read)
        return read[last + 1 : last + 3] == ["BY", "?row"] and all(column.name != "row" for column in self.columns)

    @cached_property
    def properties(self) -> dict[str, str]:
        """Columns that show one optional property of ``?row``, with that property as a CURIE.

        It is read off the pattern ``OPTIONAL { ?row atmp:due/rdfs:label ?due }`` and the names given in the SELECT.
        """
        read = tokens(self.sparql)
        words = [match[0] for match in read]
        shown: dict[str, str] = {}
        for at in range(len(words) - 4):
            if words[at : at + 3] == ["OPTIONAL", "{", "?row"] and read[at + 3].lastgroup == "word":
                variable = next((word for word in words[at + 4 :] if word.startswith("?")), "")
                shown[variable[1:]] = words[at + 3]
        for at, word in enumerate(words):
            if word == "AS" and words[at + 1 : at + 2] and words[at + 2 : at + 3] == [")"]:
                used = {w[1:] for w in words[_opening(words, at) : at] if w.startswith("?")}
                if len(used) == 1 and (name := used.pop()) in shown:
                    shown[words[at + 1][1:]] = shown[name]
        return shown

    def bind(self, values: Mapping[str, Sequence[str]], *, with_row: bool = False) -> str:
        """Return the SPARQL with the blocks of the named parameters filled with terms in N-Triples syntax.

        ``values``: parameter name to terms; a name that is no parameter is an error of the caller.
        ``with_row``: select ``?row`` as well, for a query that is ``by_row``.
        """
        block = {parameter.name: parameter.block for parameter in self.parameters}
        edits = sorted((span, terms) for name, terms in values.items() for span in self.blocks[block[name]])
        if with_row:
            select = next(m for m in tokens(self.sparql) if m.lastgroup == "word" and m[0].upper() == "SELECT")
            edits = sorted([*edits, ((select.end(), select.end()), ["?row"])])
        parts, at = [], 0
        for (start, end), terms in edits:
            parts += [self.sparql[at:start], " ", " ".join(terms), " "]
            at = end
        return "".join([*parts, self.sparql[at:]])


def tokens(sparql: str) -> list[re.Match[str]]:
    """Read the tokens of a query, without its comments; ``lastgroup`` names the kind of each."""
    return [match for match in _TOKEN.finditer(sparql) if match.lastgroup != "comment"]


def _opening(words: Sequence[str], at: int) -> int:
    """Return the place of the bracket that encloses a place."""
    depth = 0
    for place in range(at - 1, -1, -1):
        depth += (words[place] == ")") - (words[place] == "(")
        if depth < 0:
            return place
    return 0


def values_blocks(sparql: str) -> dict[str, list[tuple[int, int]]]:
    """Find the ``VALUES ?name { rows }`` blocks; return for each name the spans of the rows.

    >>> text = 'SELECT * { VALUES ?a { 1 } # VALUES ?b { 2 }'
    >>> [text[start:end] for start, end in values_blocks(text)["a"]]
    [' 1 ']
    """
    read = tokens(sparql)
    found: dict[str, list[tuple[int, int]]] = {}
    for first, name, opened in zip(read, read[1:], read[2:], strict=False):
        if first.lastgroup == "word" and first[0].upper() == "VALUES" and name.lastgroup == "variable":
            closed = next(
                (t for t in read if t[0] == "}" and t.lastgroup == "brace" and t.start() > opened.start()), None
            )
            if opened[0] == "{" and closed:
                found.setdefault(name[0][1:], []).append((opened.end(), closed.start()))
    return found


def find_query(folders: Sequence[Path], name: str) -> Query | None:
    """Read the query file of that name below the folders, the last folder first; only that file is read."""
    for folder in reversed(folders):
        for path in folder.rglob("*.rq"):
            if path.stem == name:
                return read_query(path, pack="" if path.parent == folder else path.parent.name)
    return None


def read_queries(folders: Sequence[Path]) -> dict[str, Query]:
    """Read every ``*.rq`` below the folders, a later folder replacing an earlier by name; raise DataError on faults."""
    queries: dict[str, Query] = {}
    problems: list[Problem] = []
    for folder in folders:
        for path in sorted(folder.rglob("*.rq")):
            try:
                queries[path.stem] = read_query(path, pack="" if path.parent == folder else path.parent.name)
            except DataError as error:
                problems += error.problems
    if problems:
        raise DataError(problems)
    return queries


def read_query(path: Path, pack: str = "") -> Query:
    """Read one query file; raise DataError naming every fault of its header."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError([Problem(path.name, 0, "", f"the byte at {error.start + 1}", "UTF-8")]) from None
    header = _header(path, text)
    blocks = values_blocks(text)
    problems = list(_faults(path, header, blocks))
    if problems:
        raise DataError(problems)
    return Query(
        name=path.stem,
        path=path,
        pack=pack,
        title=str(header.get("title", path.stem)),
        sparql=text,
        header=header,
        parameters=tuple(_parameters(header)),
        columns=tuple(_columns(header)),
        blocks=blocks,
    )


def _header(path: Path, text: str) -> dict[str, object]:
    import yaml

    lines = [line[2:].removeprefix(" ") for line in text.splitlines() if line.startswith("#+")]
    try:
        header = yaml.load("\n".join(lines), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise DataError([Problem(path.name, line, "", quoted(str(error)), "a header of YAML after '#+'")]) from None
    return header if isinstance(header, dict) else {}


def _entries(header: Mapping[str, object], key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    entries = header.get(key) or {}
    for name, about in entries.items() if isinstance(entries, dict) else ():
        yield str(name), dict(about) if isinstance(about, dict) else {"meaning": about or ""}


def _parameters(header: Mapping[str, object]) -> Iterator[Parameter]:
    for name, about in _entries(header, "parameters"):
        values = about.get("values")
        about["values"] = tuple(str(value) for value in values) if isinstance(values, list) else ()
        about["default"] = str(about.get("default", ""))
        yield Parameter(**{"name": name, "type": "text", **about})


def _columns(header: Mapping[str, object]) -> Iterator[AnswerColumn]:
    for name, about in _entries(header, "columns"):
        yield AnswerColumn(**{"name": name, **about})


def _faults(path: Path, header: Mapping[str, object], blocks: Mapping[str, object]) -> Iterator[Problem]:
    fields = set(Parameter.__dataclass_fields__)
    for name, about in _entries(header, "parameters"):
        if (block := str(about.get("variable") or name)) not in blocks:
            yield Problem(
                path.name, 0, f"parameters.{name}", "no block of it", f"VALUES ?{block} {{ default }} in the query"
            )
        if about.get("type") not in PARAMETER_TYPES:
            yield Problem(path.name, 0, f"{name}.type", quoted(str(about.get("type"))), one_of(PARAMETER_TYPES))
        for key in about.keys() - fields:
            yield Problem(path.name, 0, f"{name}.{key}", quoted(str(key)), one_of(sorted(fields)))
        if not isinstance(about.get("values", []), list):
            yield Problem(path.name, 0, f"{name}.values", quoted(str(about["values"])), "a list of words")
        if type(about.get("minimum", 0)) is not int:
            yield Problem(path.name, 0, f"{name}.minimum", quoted(str(about["minimum"])), "a whole number")
    for name, about in _entries(header, "columns"):
        if about.get("type", "text") not in COLUMN_TYPES:
            yield Problem(path.name, 0, f"{name}.type", quoted(str(about.get("type"))), one_of(COLUMN_TYPES))
        for key in about.keys() - set(AnswerColumn.__dataclass_fields__):
            yield Problem(path.name, 0, f"{name}.{key}", quoted(str(key)), "meaning, type, unit, many, of, on_request")
