"""Mapping sets (SSSOM TSV) that link our rows and classes to other vocabularies, and slices of those vocabularies.

``sets.yaml`` beside the sets says what each of them is: its vocabulary, version and licence, and the kinds of things
that are looked up in it.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from atmpkg.errors import DataError, Problem, one_of, quoted
from atmpkg.names import DATA, ONTOLOGY, Names, graph_iri, load_yaml
from atmpkg.records import literal

MAPPINGS = "https://w3id.org/atmpkg/mappings/"

PREDICATES = ("skos:exactMatch", "skos:closeMatch", "skos:broadMatch", "skos:narrowMatch", "skos:relatedMatch")
NO_TERM = "sssom:NoTermFound"
_SAID = (
    "sssom:Mapping",
    "sssom:subject_id",
    "sssom:predicate_id",
    "sssom:object_id",
    "sssom:object_label",
    "sssom:mapping_set_id",
)
_REQUIRED = ("subject_id", "predicate_id", "object_id", "object_label", "mapping_justification")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
_COMMENT = "http://www.w3.org/2000/01/rdf-schema#comment"
_DCTERMS = "http://purl.org/dc/terms/"
_VOID = "http://rdfs.org/ns/void#"
_SETS = "sets.yaml"


@dataclass(frozen=True)
class MappingSet:
    """What a mapping set is: the vocabulary it links to, and the kinds of things that are looked up there."""

    name: str
    title: str
    prefixes: tuple[str, ...]
    kinds: tuple[str, ...]
    main: tuple[str, ...] = ()
    source: str = ""
    version: str = ""
    licence: str = ""
    reason: str = ""  # why nothing was looked up there yet

    @property
    def iri(self) -> str:
        """IRI of the set."""
        return f"{MAPPINGS}{self.name}"


def read_sets(folder: Path) -> dict[str, MappingSet]:
    """Read ``sets.yaml`` of a folder of mapping sets; raise DataError with every fault. No file, no sets."""
    path = folder / _SETS
    if not path.is_file():
        return {}
    entries = load_yaml(path)
    known = set(MappingSet.__dataclass_fields__) - {"name"}
    sets, problems = {}, []
    for name, about in entries.items() if isinstance(entries, dict) else ():
        if not isinstance(about, dict) or not {"title", "prefixes", "kinds"} <= about.keys() <= known:
            found = ", ".join(map(str, about)) if isinstance(about, dict) else str(about)
            expected = f"title, prefixes, kinds, and of the rest only {', '.join(sorted(known))}"
            problems.append(Problem(_SETS, 0, str(name), quoted(found, 200), expected))
            continue
        values = {key: tuple(map(str, v)) if isinstance(v, list) else str(v) for key, v in about.items()}
        sets[str(name)] = MappingSet(name=str(name), **values)  # type: ignore[arg-type]  # the keys were checked above
    if problems:
        raise DataError(problems)
    return sets


def set_quads(sets: Mapping[str, MappingSet]) -> Iterator[str]:
    """Yield the lines that describe the mapping sets as VoID linksets; a rule adds what it counts."""
    graph = f" <{graph_iri('void')}> .\n"
    for mapping_set in sets.values():
        values = [
            (_TYPE, f"<{_VOID}Linkset>"),
            (f"{_DCTERMS}identifier", literal(mapping_set.name)),
            (f"{_DCTERMS}title", literal(mapping_set.title)),
            (f"{_VOID}subjectsTarget", "<https://w3id.org/atmpkg/>"),
            *((f"{ONTOLOGY}linksKind", literal(kind)) for kind in mapping_set.kinds),
            *((f"{ONTOLOGY}mainForKind", literal(kind)) for kind in mapping_set.main),
        ]
        if mapping_set.reason:
            values.append((f"{ONTOLOGY}notLookedFor", literal(mapping_set.reason)))
        if mapping_set.source:
            values += [
                (f"{_VOID}objectsTarget", f"<{mapping_set.source}>"),
                (f"{ONTOLOGY}sourceVersion", literal(mapping_set.version)),
                (f"{_DCTERMS}license", f"<{mapping_set.licence}>"),
            ]
        for predicate, term in values:
            yield f"<{mapping_set.iri}> <{predicate}> {term}{graph}"


def mapping_quads(
    path: Path, names: Names, ids: Mapping[str, Container[str]], terms: Container[str] = ()
) -> Iterator[str | Problem]:
    """Yield the N-Quads lines of a mapping set, and a Problem for each fault.

    Each mapping gives a direct link (or the comment that says why no term was found) and a ``sssom:Mapping`` node that
    names its set.
    Subjects are rows (``ids`` by table) or terms of our ontology (``terms``, as IRIs).
    """
    mapping_set = path.name.removesuffix(".sssom.tsv")
    graph = f" <{graph_iri('mappings')}> .\n"
    header: list[str] = []
    labels: dict[str, str] = {}
    seen: dict[tuple[str, str], int] = {}
    mapping, of_subject, of_predicate, of_object, of_label, of_set = (f"<{names.expand(name)}>" for name in _SAID)
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
        problems = list(_faults(path.name, line, row, names, ids, terms))
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
            if row["object_label"] and labels.setdefault(target, row["object_label"]) != row["object_label"]:
                expected = f"{quoted(labels[target])}, as above"
                yield Problem(path.name, line, "object_label", quoted(row["object_label"]), expected)
        if not found and (why := row.get("comment")):
            yield f"{node} <{_COMMENT}> {literal(why)}{graph}"
        for name, term in (
            (f"<{_TYPE}>", mapping),
            (of_subject, f"<{subject}>"),
            (of_predicate, f"<{predicate}>"),
            (of_object, f"<{target}>"),
            (f"<{ONTOLOGY}objectCurie>", literal(row["object_id"])),
            (of_label, literal(row["object_label"])),
            (of_set, literal(mapping_set)),
        ):
            yield f"{node} {name} {term}{graph}"
    if not header:
        yield Problem(path.name, 0, "", "no header", "the columns of SSSOM: " + ", ".join(_REQUIRED))
    for target, label in sorted(labels.items()):
        yield f"<{target}> <{_LABEL}> {literal(label)}{graph}"


def _faults(
    file: str,
    line: int,
    row: Mapping[str, str],
    names: Names,
    ids: Mapping[str, Container[str]],
    terms: Container[str],
) -> Iterator[Problem]:
    table, _, id = row["subject_id"].partition(":")
    if table == "atmp":
        if f"{ONTOLOGY}{id}" not in terms:
            yield Problem(file, line, "subject_id", quoted(row["subject_id"]), "a term of the ontology")
    elif table not in ids or id not in ids[table]:
        yield Problem(file, line, "subject_id", quoted(row["subject_id"]), "table:id of a row that is there")
    if row["predicate_id"] not in PREDICATES:
        yield Problem(file, line, "predicate_id", quoted(row["predicate_id"]), one_of(PREDICATES))
    if not row["mapping_justification"].startswith("semapv:"):
        yield Problem(file, line, "mapping_justification", quoted(row["mapping_justification"]), "a term of semapv")
    try:
        names.expand(row["object_id"])
    except ValueError as error:
        yield Problem(file, line, "object_id", quoted(row["object_id"]), str(error))


def import_quads(path: Path, said: Container[str]) -> Iterator[str | Problem]:
    """Yield the N-Quads lines of a slice of another vocabulary (Turtle), in a graph of its own name.

    Left out is what another graph says already (``said``, triples in N-Triples syntax): no triple stands in two graphs.
    """
    import pyoxigraph as ox

    graph = f" <{graph_iri(path.stem)}> .\n"
    try:
        for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE):
            if (text := str(quad.triple)) not in said:
                yield f"{text}{graph}"
    except SyntaxError as error:
        yield Problem(path.name, error.lineno or 0, "", quoted(str(error.msg)), "Turtle")


def mapping_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the lines of a mapping set as dicts by column, with their numbers; ``mapping_quads`` tells faults."""
    header: list[str] = []
    for line, text in enumerate(path.read_text(encoding="utf-8").removesuffix("\n").split("\n"), 1):
        if text.startswith("#"):
            continue
        cells = text.split("\t")
        if not header:
            header = cells
        elif len(cells) == len(header) and set(_REQUIRED) <= set(header):
            yield line, dict(zip(header, cells, strict=True))


def mapped(path: Path, *, rows_only: bool = False) -> list[str]:
    """Return the ids that a mapping set links to, each once; none where there is no such set.

    ``rows_only`` leaves out the links of classes of the ontology.
    """
    rows = (row for _, row in mapping_rows(path)) if path.is_file() else ()
    found = (row["object_id"] for row in rows if not (rows_only and row["subject_id"].startswith("atmp:")))
    return list(dict.fromkeys(id for id in found if id != NO_TERM))
