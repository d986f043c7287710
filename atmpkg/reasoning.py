"""Rules: CONSTRUCT queries that run in declared strata and fill the graph ``inferred``.

A rule's header says its ``stratum`` (a whole number) and which rule of the law or of the house it keeps. Negation and
aggregates may read only what lower strata made. A rule that reads what its own stratum makes says ``recursive: true``:
those run until nothing new follows, the others once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from atmpkg.errors import DataError, Problem, UsageError, quoted
from atmpkg.names import graph_iri
from atmpkg.queries import Query
from atmpkg.stores import Embedded

INFERRED = graph_iri("inferred")
_ROUNDS = 100


def strata(rules: Iterable[Query]) -> list[tuple[int, list[Query]]]:
    """Group the rules by stratum, lowest first; raise DataError where a rule names none."""
    rules = sorted(rules, key=lambda rule: rule.name)
    problems = [
        Problem(rule.path.name, 0, "stratum", quoted(str(rule.header.get("stratum"))), "a whole number")
        for rule in rules
        if not isinstance(rule.header.get("stratum"), int)
    ]
    if problems:
        raise DataError(problems)
    ordered = sorted(rules, key=_stratum)
    return [(number, list(group)) for number, group in groupby(ordered, key=_stratum)]


def infer(store: Embedded, rules: Iterable[Query]) -> Mapping[str, int]:
    """Empty the graph ``inferred`` and run the rules; return how many triples each added."""
    ordered = strata(rules)
    store.clear(INFERRED)
    added: dict[str, int] = {}
    for number, group in ordered:
        running, known = group, {rule.name: set[bytes]() for rule in group}
        for _ in range(_ROUNDS):
            new = {rule.name: _added(store, rule, known[rule.name]) for rule in running}
            for name, count in new.items():
                added[name] = added.get(name, 0) + count
            running = [rule for rule in running if rule.header.get("recursive")]
            if not any(new.values()) or not running:
                break
        else:
            names = ", ".join(rule.name for rule in group)
            raise DataError([Problem("rules", 0, "", f"no end of stratum {number} ({names})", "a fixed point")])
    return added


def _added(store: Embedded, rule: Query, known: set[bytes]) -> int:
    try:
        return store.infer(rule.sparql, INFERRED, known)
    except UsageError as error:
        raise DataError([Problem(rule.path.name, 0, "", str(error), "a CONSTRUCT query")]) from None


def _stratum(rule: Query) -> int:
    number = rule.header["stratum"]
    assert isinstance(number, int)
    return number
