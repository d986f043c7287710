"""Proofs: whether the ids and labels of mapping sets are those of the vocabularies they link to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from atmpkg.errors import Problem, quoted
from atmpkg.linking import NO_TERM, mapping_rows
from atmpkg.references import Reference, References


def faults(paths: Iterable[Path], known: References) -> Iterator[Problem]:
    """Yield a Problem for each id that is missing or obsolete in the references, and each label that has drifted.

    Ids of vocabularies for which no reference was read are passed over; ``uncovered`` counts them.
    """
    for path in paths:
        for line, row in mapping_rows(path):
            id, label = row["object_id"], row["object_label"]
            if id == NO_TERM or id.partition(":")[0] not in known.files:
                continue
            term = known.terms.get(id)
            if term is None:
                files = ", ".join(sorted(known.files[id.partition(":")[0]]))
                yield Problem(path.name, line, "object_id", f"{id} {quoted(label)}", f"an id that {files} holds")
            elif term.obsolete:
                yield Problem(
                    path.name, line, "object_id", f"{id} {quoted(label)}, which is obsolete", _instead(term, known)
                )
            elif term.label and not term.is_named(label):
                expected = f"{quoted(term.label)} ({term.file})"
                yield Problem(path.name, line, "object_label", f"{quoted(label)} for {id}", expected)


def _instead(term: Reference, known: References) -> str:
    named = [f"{id} {known.terms[id].label if id in known.terms else ''}".strip() for id in term.replaced_by]
    return " or ".join(named) if named else "another term; nothing replaces it"


def uncovered(paths: Iterable[Path], known: References) -> dict[str, int]:
    """Count the links whose vocabulary no reference covers, by prefix."""
    counts: dict[str, int] = {}
    for path in paths:
        for _, row in mapping_rows(path):
            id, prefix = row["object_id"], row["object_id"].partition(":")[0]
            if id != NO_TERM and prefix not in known.files and id not in known.terms:
                counts[prefix] = counts.get(prefix, 0) + 1
    return counts
