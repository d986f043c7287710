"""Parameters: from what a person types to the RDF terms that a question is bound to."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from atmpkg.dates import YEARS, CalendarDate, day_number
from atmpkg.errors import UsageError, nearest, one_of, quoted
from atmpkg.names import ID_PATTERN, ONTOLOGY, Names, data_iri
from atmpkg.queries import Parameter, Query
from atmpkg.records import literal
from atmpkg.search import CLASSES, MONDO, Index
from atmpkg.stores import Store, rows

_ENTITIES = {
    "jurisdiction": ("jurisdiction",),
    "product": ("product",),
    "disease": ("disease", MONDO),
    "target": ("target",),
    "body": ("authority",),
    "thing": (
        *("product", "substance", "disease", "target", "organisation", "authority", "jurisdiction"),
        *("trial", *CLASSES, "publication"),
    ),
}
_MANY = {"jurisdiction": "|,", "body": "|,", "code": "|,"}
_BEGIN = ("since", "from")
_MOST = 10**12  # of a whole number that stores compare without error
_IDS = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/> PREFIX dcterms: <http://purl.org/dc/terms/>
SELECT ?id { ?thing a atmp:%s ; dcterms:identifier ?id } ORDER BY ?id
"""


class Resolver:
    """Turns given values into terms, in N-Triples syntax, for one question after another."""

    def __init__(
        self, store: Store, names: Names, today: dt.date, kept: Callable[[], Index | None] = lambda: None
    ) -> None:
        """Take a store; ``kept`` gives the names of all things in it, if they were written down before."""
        self._kept = kept
        self._store = store
        self._names = names
        self._today = today
        self._index: Index | None = None

    @property
    def index(self) -> Index:
        """The names of all things, read when first needed."""
        if self._index is None:
            self._index = self._kept() or Index.of(self._store)
        return self._index

    def take(self, index: Index) -> None:
        """Use names that were read from the same store before."""
        self._index = index

    def terms(self, question: Query, given: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        """Return the terms of each parameter that was given or has a default; raise UsageError on what does not fit."""
        parameters = {parameter.name: parameter for parameter in question.parameters}
        for name in given:
            if name not in parameters:
                known = [n.replace("_", "-") for n in parameters]
                allowed = f"it takes {', '.join(known)}" if known else "it takes none"
                hint = nearest(name, known) or "."
                raise UsageError(
                    f"cannot {question.verb} {question.name}: no parameter {quoted(name)}; {allowed}{hint}"
                )
        terms: dict[str, list[str]] = {}
        for name, parameter in parameters.items():
            values = [value for value in given.get(name, ()) if value.strip()]
            if name in given and not values:
                raise UsageError(
                    f"cannot {question.verb} {question.name}: {_said(name)} is empty; give a value or leave it out."
                )
            values = values or self._default(parameter)
            if values:
                terms[name] = [
                    term for value in self._split(parameter, values) for term in self.resolve(parameter, value)
                ]
            elif parameter.required:
                example = question.header.get("example")
                hint = " ".join(f"{k}={v}" for k, v in example.items()) if isinstance(example, dict) else f"{name}=…"
                raise UsageError(
                    f"cannot {question.verb} {question.name}: it needs {name}. "
                    f"For example: atmpkg {question.verb} {question.name} {hint}"
                )
        if terms.get("since") and terms.get("until") and _number_of(terms["since"][0]) > _number_of(terms["until"][0]):
            raise UsageError(
                f"cannot {question.verb} {question.name}: since is later than until; expected the earlier day first."
            )
        return terms

    def _default(self, parameter: Parameter) -> list[str]:
        return [self._today.isoformat()] if parameter.default == "today" else []

    def _split(self, parameter: Parameter, values: Iterable[str]) -> list[str]:
        whole = (
            {word.casefold() for word in self.allowed(parameter)} if any("," in value for value in values) else set()
        )
        for separator in _MANY.get(parameter.type, "|"):
            values = [
                part
                for value in values
                for part in ([value] if value.strip().casefold() in whole else value.split(separator))
            ]
        found = list(dict.fromkeys(value.strip() for value in values if value.strip()))
        if len(found) > 1 and (parameter.type == "date" or not parameter.many):
            raise UsageError(f"cannot take {len(found)} values for {_said(parameter.name)}; expected one.")
        return found

    def resolve(self, parameter: Parameter, value: str) -> list[str]:
        """Return the terms that one value of a parameter means."""
        match parameter.type:
            case "date":
                return [self._day(parameter, value)]
            case "integer":
                return [_integer(parameter, value)]
            case "text":
                return [literal(value)]
            case "code":
                return [self._code(parameter, value)]
            case _:
                return self._things(parameter, value)

    def _day(self, parameter: Parameter, value: str) -> str:
        if value == "today":
            value = self._today.isoformat()
        try:
            date = CalendarDate.parse(value)
        except ValueError as error:
            raise UsageError(
                f"cannot read {_said(parameter.name)}={quoted(value)}: {error}; expected a date such as 2022-01-01."
            ) from None
        if date.earliest.year not in YEARS:
            span = f"a year from {YEARS.start} to {YEARS.stop - 1}"
            raise UsageError(f"cannot read {_said(parameter.name)}={quoted(value)}: expected {span}.")
        day = date.earliest if parameter.name.startswith(_BEGIN) else date.latest
        return literal(str(day_number(day)), "integer")

    def allowed(self, parameter: Parameter) -> list[str]:
        """Return the values that a parameter of type ``code`` takes; for other types, nothing."""
        if parameter.values_from:
            return [row["value"] for row in rows(self._store, parameter.values_from)]
        return list(parameter.values)

    def _code(self, parameter: Parameter, value: str) -> str:
        allowed = self.allowed(parameter)
        known = {word.casefold(): word for word in allowed}
        if value.casefold() not in known:
            expected = f"expected {one_of(allowed, 40)}{nearest(value, allowed)}"
            raise UsageError(f"cannot read {_said(parameter.name)}={quoted(value)}: {expected}")
        return literal(known[value.casefold()])

    def _of_id(self, value: str, kinds: Iterable[str]) -> str:
        """Return the thing that has this id as written, found without reading all names; else nothing."""
        if not re.fullmatch(ID_PATTERN, value):
            return ""
        for kind in kinds:
            iri = f"<{ONTOLOGY}{value}>" if kind in CLASSES else f"<{data_iri(kind, value)}>"
            proof = f'{iri} <{ONTOLOGY}kindToLink> "{kind}"' if kind in CLASSES else f"{iri} a ?type"
            if any(rows(self._store, f"SELECT (1 AS ?there) {{ {proof} }} LIMIT 1")):
                return iri
        return ""

    def _things(self, parameter: Parameter, value: str) -> list[str]:
        kinds = _ENTITIES[parameter.type]
        if iri := self._of_id(value, kinds):
            return [iri]
        found = self.index.exactly(value, kinds)
        if parameter.type == "thing" and found:
            found = [match for match in found if match.kind == found[0].kind]  # the product rather than its substance
        if not found and parameter.type == "product":
            found = self.index.by_brand(value)
        if not found:
            near = self.index.suggestions(value, kinds)
            hint = f" Did you mean {' or '.join(near)}?" if near else self._known(parameter)
            raise UsageError(f"cannot find the {parameter.type} {quoted(value)}.{hint}")
        if len(found) > 1 and parameter.type != "disease":
            listed = ", ".join(f"{m.id} ({m.reason} {m.matched})" for m in found)
            raise UsageError(
                f"cannot tell which {parameter.type} {quoted(value)} means: {listed}. Use one of these ids."
            )
        return [f"<{self._names.expand(match.curie)}>" for match in found]

    def _known(self, parameter: Parameter) -> str:
        """Say what is allowed where that is few, else how to look for it."""
        if parameter.type not in ("jurisdiction", "body"):
            return " Search for it: atmpkg find WORDS"
        kind = _ENTITIES[parameter.type][0].capitalize()
        found = rows(self._store, _IDS % kind)
        return f" Expected {one_of((row['id'] for row in found), 80)}."


def _said(name: str) -> str:
    """Write the name of a parameter as users do."""
    return name.replace("_", "-")


def _number_of(term: str) -> int:
    """Return the number of an integer literal in N-Triples syntax."""
    return int(term.split('"')[1])


def _integer(parameter: Parameter, value: str) -> str:
    try:
        number = int(value)
    except ValueError:
        number = _MOST
    if abs(number) >= _MOST:
        raise UsageError(f"cannot read {_said(parameter.name)}={quoted(value)}: expected a whole number.")
    if parameter.minimum is not None and number < parameter.minimum:
        raise UsageError(f"cannot read {_said(parameter.name)}={quoted(value)}: expected {parameter.minimum} or more.")
    return literal(str(number), "integer")
