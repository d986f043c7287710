"""Opinion: what a product or a described thing is by law, written for a person, rule by rule."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from atmpkg.classify import Facts, Law, Verdict, facts_of, hermit, read_description
from atmpkg.dates import CalendarDate
from atmpkg.errors import UsageError, quoted
from atmpkg.graph import KnowledgeGraph
from atmpkg.names import DATA, ID_PATTERN
from atmpkg.stores import rows

_WIDTH = 100
_CAVEAT = "Decision support from the answers below, not a ruling: only the authority decides."
_STATED = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT ?place ?label ?combined {
  ?row a atmp:StatedCategory ; atmp:product <%s> ; atmp:jurisdiction/dcterms:identifier ?place ;
    atmp:category/rdfs:label ?label
  OPTIONAL { ?row atmp:combined ?combined }
}
ORDER BY ?place
"""
_RULINGS = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?id ?label ?use ?outcome ?date ?criterion ?answer {
  ?ruling a atmp:Ruling ; dcterms:identifier ?id ; rdfs:label ?label ; atmp:intendedUse ?use ;
    atmp:category/rdfs:label ?outcome .
  ?statement a atmp:CriterionStatement ; atmp:thing ?ruling ; atmp:criterion/skos:notation ?criterion ;
    atmp:criterionValue ?answer
  OPTIONAL { ?ruling atmp:date/rdfs:label ?date }
}
ORDER BY ?id ?criterion
"""


def opinion(kg: KnowledgeGraph, thing: str, laws: Sequence[str] = (), reasoner: str = "rules") -> str:
    """Write what each law makes of a product of the graph, a ruling, or a description in a file.

    ``laws``: jurisdictions, each with ``@day`` where not today's law is meant. Raises UsageError where the thing, a law
    or a criterion is not known.
    """
    law = Law(kg.project)
    label, iri, facts = _facts(kg, law, thing)
    lines = [label, "═" * len(label), _CAVEAT, ""]
    lines += _answers(law, facts, kg.today.isoformat())
    asked = [_law(text, kg) for text in laws] or [("", kg.today.isoformat())]
    for place, day in asked:
        for verdict in law.classify(facts, day=day, jurisdictions=[place] if place else []):
            lines += ["", *_verdict_lines(law, verdict, day)]
    if reasoner == "hermit":
        lines += ["", *_second_opinion(law, facts)]
    if stated := [f"{row['place']}: {row['label']}" for row in rows(kg.store, _STATED % iri)] if iri else []:
        lines += ["", "Stated by the authorities", *(f"  {text}" for text in stated)]
    lines += _precedents(kg, iri, facts)
    return "\n".join(lines) + "\n"


def _facts(kg: KnowledgeGraph, law: Law, thing: str) -> tuple[str, str, Facts]:
    """Return label, IRI (empty for a description) and the known answers."""
    if thing.endswith((".yaml", ".yml", ".json")):
        label, given = read_description(Path(thing))
        return label, "", law.check(given)
    if thing.startswith("ruling:"):
        if not re.fullmatch(ID_PATTERN, thing.removeprefix("ruling:")):
            raise UsageError(f"cannot classify {quoted(thing)}: there is no such ruling.")
        iri = f"{DATA}ruling/{thing.removeprefix('ruling:')}"
        label = thing
    else:
        id = kg.product(thing)
        iri, label = f"{DATA}product/{id}", id
    facts = facts_of(kg.store, iri)
    if not facts:
        raise UsageError(f"cannot classify {quoted(thing)}: no criterion is recorded for it (table criterion).")
    return label, iri, facts


def _law(text: str, kg: KnowledgeGraph) -> tuple[str, str]:
    """Read EU or EU@2026-11 as a jurisdiction and the last day that the date allows."""
    place, at, date = text.partition("@")
    if not at:
        return place.upper(), kg.today.isoformat()
    try:
        return place.upper(), CalendarDate.parse(date).latest.isoformat()
    except ValueError as error:
        raise UsageError(f"cannot read the law {quoted(text)}: {error}; expected a date, as in EU@2026-11.") from None


def _answers(law: Law, facts: Facts, day: str) -> Iterator[str]:
    yield "What is known of it"
    for answer, word in ((True, "yes"), (False, "no")):
        said = "; ".join(law.criteria[c][1] for c in law.criteria if facts.get(c) is answer)
        yield from _hanging(f"  {word:<9}", said) if said else ()
    asked = law.criteria_in_force(day)
    unknown = "; ".join(law.criteria[c][1] for c in law.criteria if c not in facts and c in asked)
    yield from _hanging("  unknown  ", unknown) if unknown else ()


def _verdict_lines(law: Law, verdict: Verdict, day: str) -> Iterator[str]:
    yield from _hanging(f"{verdict.jurisdiction}  ", verdict.outcome.upper())
    for definition in verdict.holds:
        since = f"{definition.law}, valid since {definition.valid_from}"
        yield from _hanging("    rule     ", f"{definition.notation}: {definition.citation} ({since}; asked for {day})")
        for condition in verdict.fired[definition.notation]:
            yield from _hanging("    because  ", f"{condition.label} ({condition.citation})")
    if verdict.missing:
        names = "; ".join(law.criteria[c][1] for c in verdict.missing)
        yield from _hanging("    missing  ", f"the answer to: {names}")
    for label, failed in verdict.excluded.items():
        why = "; ".join(f"{c.label} ({c.citation})" for c in failed)
        yield from _hanging("    not      ", f"{label}; unmet: {why}")
    for criterion, answer, outcome in verdict.counterfactuals:
        said = f"if «{law.criteria[criterion][1]}» were {'yes' if answer else 'no'}: {outcome}"
        yield from _hanging("    change   ", said)


def _second_opinion(law: Law, facts: Facts) -> Iterator[str]:
    met = hermit(law, {"thing": facts})["thing"]
    by_rules = {iri for iri in law.derive({"thing": facts})["thing"]["meets"] if iri in law.definitions}
    names = ", ".join(sorted(law.definitions[iri].notation for iri in met)) or "nothing"
    agrees = "agrees with the rules" if met == by_rules else "DISAGREES with the rules"
    yield from _hanging("HermiT   ", f"derives from the axioms: {names}; it {agrees}")


def _precedents(kg: KnowledgeGraph, iri: str, facts: Facts, most: int = 5) -> list[str]:
    """Return the rulings that share most answers."""
    found: dict[str, tuple[dict[str, str], int, int]] = {}
    for row in rows(kg.store, _RULINGS):
        before, same, other = found.get(row["id"], (row, 0, 0))
        shared = facts.get(row["criterion"]) is (row["answer"] == "true")
        differs = row["criterion"] in facts and not shared
        found[row["id"]] = (before, same + shared, other + differs)
    ranked = sorted(found.values(), key=lambda item: (item[2] - item[1], item[0]["id"]))
    lines = [
        line
        for row, same, other in ranked[:most]
        if same and f"{DATA}ruling/{row['id']}" != iri
        for line in _hanging(
            "  ",
            f"{row['date']} {row['outcome']}: {row['label']}; {row['use']} ({same} shared answers, {other} others)",
            6,
        )
    ]
    return ["", "Nearest published rulings", *lines] if lines else []


def _hanging(head: str, text: str, indent: int = 0) -> list[str]:
    below = " " * (indent or len(head))
    return textwrap.wrap(text, _WIDTH, initial_indent=head, subsequent_indent=below, break_long_words=False) or [head]
