"""Mapping sets (SSSOM TSV) that link our rows to other vocabularies."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

from atmpkg.errors import Problem, one_of, quoted
from atmpkg.names import DATA, Names, graph_iri
from atmpkg.records import literal

PREDICATES = ("skos:exactMatch", "skos:closeMatch", "skos:broadMatch", "skos:narrowMatch", "skos:relatedMatch")
NO_TERM = "sssom:NoTermFound"
_REQUIRED = ("subject_id", "predicate_id", "object_id", "object_label", "mapping_justification")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_LABEL = "http://www.w3.org/2000/01/rdf-schema#label"


def mapping_quads(path: Path, names: Names, ids: Mapping[str, Container[str]]) -> Iterator[str | Problem]:
    """Yield the N-Quads lines of a mapping set, and a Problem for each fault.

    Each mapping gives a direct link (unless no term was found) and a ``sssom:Mapping`` node that names its set.
    """
    mapping_set = path.name.removesuffix(".sssom.tsv")
    graph = f" <{graph_iri('mappings')}> .\n"
    header: list[str] = []
    labels: dict[str, str] = {}
    seen: dict[tuple[str, str], int] = {}
    try:
        lines = path.read_bytes().decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        yield Problem(path.name, 0, "", f"the byte at {error.start + 1}", "UTF-8")
        return
    for line, text in enumerate(lines, 1):
        if text.startswith("#"):
            continue
        if _CONTROL.search(text):
            yield Problem(
                path.name, line, "", "a carriage return or control character", "lines of text that end in a line feed"
            )
            return
        cells = text.split("\t")
        if not header:
            header = cells
            for column in _REQUIRED:
                if column not in header:
                    yield Problem(path.name, line, column, "no such column", "this required column of SSSOM")
                    return
            continue
        if len(cells) != len(header):
            yield Problem(path.name, line, "", f"{len(cells)} cells", f"{len(header)} cells, as in the header")
            continue
        row = dict(zip(header, cells, strict=True))
        problems = list(_faults(path.name, line, row, names, ids))
        pair = (row["subject_id"], row["object_id"])
        if pair in seen:
            problems.append(
                Problem(path.name, line, "object_id", f"the pair of line {seen[pair]} again", "each pair once")
            )
        seen[pair] = line
        if problems:
            yield from problems
            continue
        table, _, id = row["subject_id"].partition(":")
        subject, predicate = names.expand(row["subject_id"]), names.expand(row["predicate_id"])
        found = row["object_id"] != NO_TERM
        target = names.expand(row["object_id"])
        local = row["object_id"].replace(":", "_").replace("/", "_")
        node = f"<{DATA}mapping/{mapping_set}.{table}.{id}.{local}>"
        if found:
            yield f"<{subject}> <{predicate}> <{target}>{graph}"
            if labels.setdefault(target, row["object_label"]) != row["object_label"]:
                expected = f"{quoted(labels[target])}, as above"
                yield Problem(path.name, line, "object_label", quoted(row["object_label"]), expected)
        for name, term in (
            (_TYPE, f"<{names.expand('sssom:Mapping')}>"),
            (names.expand("sssom:subject_id"), f"<{subject}>"),
            (names.expand("sssom:predicate_id"), f"<{predicate}>"),
            (names.expand("sssom:object_id"), f"<{target}>"),
            (names.expand("sssom:object_label"), literal(row["object_label"])),
            (names.expand("sssom:mapping_set_id"), literal(mapping_set)),
        ):
            yield f"{node} <{name}> {term}{graph}"
    if not header:
        yield Problem(path.name, 0, "", "no header", "the columns of SSSOM: " + ", ".join(_REQUIRED))
    for target, label in sorted(labels.items()):
        yield f"<{target}> <{_LABEL}> {literal(label)}{graph}"


def _faults(
    file: str, line: int, row: Mapping[str, str], names: Names, ids: Mapping[str, Container[str]]
) -> Iterator[Problem]:
    table, _, id = row["subject_id"].partition(":")
    if table not in ids or id not in ids[table]:
        yield Problem(file, line, "subject_id", quoted(row["subject_id"]), "table:id of a row that is there")
    if row["predicate_id"] not in PREDICATES:
        yield Problem(file, line, "predicate_id", quoted(row["predicate_id"]), one_of(PREDICATES))
    if not row["mapping_justification"].startswith("semapv:"):
        yield Problem(file, line, "mapping_justification", quoted(row["mapping_justification"]), "a term of semapv")
    try:
        names.expand(row["object_id"])
    except ValueError as error:
        yield Problem(file, line, "object_id", quoted(row["object_id"]), str(error))
