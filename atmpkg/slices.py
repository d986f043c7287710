"""Slices of other ontologies: what lies above the terms that our rows are linked to.

``imports/<prefix>_terms.txt`` is the ask, one CURIE a line; ``imports/<prefix>.ttl`` is the generated answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from atmpkg.errors import DataError, Problem, UsageError, one_of, quoted
from atmpkg.linking import MappingSet, mapped
from atmpkg.names import Names
from atmpkg.records import literal
from atmpkg.references import Reference, References

_PREFIXES = ("dcterms", "oboInOwl", "owl", "rdfs", "skos")


def import_slice(
    name: str, mapping_set: MappingSet, mappings: Path, imports: Path, known: References, names: Names
) -> int:
    """Write the slice above everything asked for, adding to the ask what is mapped; return its number of terms.

    Raises DataError with every term of the ask that the reference does not hold.
    """
    ask = imports / f"{name}_terms.txt"
    wanted = dict(_asked(ask)) if ask.is_file() else {}
    for curie in mapped(mappings / f"{name}.sssom.tsv", rows_only=True):
        wanted.setdefault(curie, known.terms[curie].label if curie in known.terms else "")
    if not wanted:
        raise UsageError(
            f"cannot import {name}: nothing is asked for in {ask.name}, and no mapping set {name} names terms."
        )
    problems = [
        Problem(ask.name, 0, "", quoted(curie), f"a term of {one_of(sorted(known.files.get(curie.split(':')[0], ())))}")
        for curie in wanted
        if curie not in known.terms
    ]
    if problems:
        raise DataError(problems)
    imports.mkdir(parents=True, exist_ok=True)
    lines = (f"{curie}  # {comment}".rstrip("# ") for curie, comment in sorted(wanted.items()))
    ask.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    terms = sorted(known.ancestors(wanted))
    turtle = "".join(_turtle(name, mapping_set, (known.terms[id] for id in terms), set(terms), names))
    (imports / f"{name}.ttl").write_text(turtle, encoding="utf-8")
    return len(terms)


def _asked(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        curie, _, comment = (part.strip() for part in line.partition("#"))
        if curie:
            yield curie, comment


def _turtle(
    name: str, mapping_set: MappingSet, terms: Iterable[Reference], inside: set[str], names: Names
) -> Iterator[str]:
    yield f"# Made by atmpkg link import {name}; do not edit. Ask for more terms in {name}_terms.txt.\n"
    yield f"# A slice of {mapping_set.source}, version {mapping_set.version}, licence {mapping_set.licence}\n\n"
    for prefix in sorted({*_PREFIXES, *mapping_set.prefixes}):
        yield f"@prefix {prefix}: <{names.uris[prefix]}> .\n"
    yield f"\n<https://w3id.org/atmpkg/imports/{name}> a owl:Ontology ;\n"
    yield f"    dcterms:source <{mapping_set.source}> ;\n    owl:versionInfo {literal(mapping_set.version)} ;\n"
    yield f"    dcterms:license <{mapping_set.licence}> .\n\n"
    for term in terms:
        values = [f"a owl:Class ; rdfs:label {literal(term.label)}"]
        if parents := sorted(set(term.parents) & inside):
            values.append(f"rdfs:subClassOf {', '.join(parents)}")
        if synonyms := sorted(set(term.synonyms) - {term.label}):
            values.append(f"oboInOwl:hasExactSynonym {', '.join(literal(synonym) for synonym in synonyms)}")
        yield " ;\n    ".join((f"{term.id} {values[0]}", *values[1:])) + " .\n"
