"""What must be said beside an answer: how far the data reach, how much is not recorded, and why nothing was found."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import urlsplit

import atmpkg
from atmpkg.answers import Remarks, Source
from atmpkg.dates import from_day_number
from atmpkg.names import DATA, ID_PATTERN, ONTOLOGY, data_iri, graph_iri
from atmpkg.queries import Query, values_blocks
from atmpkg.stores import Store, rows

_PREFIXES = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX schema: <https://schema.org/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
"""
_SURVEYS = f"""{_PREFIXES}
SELECT ?table ?jurisdiction ?product ?scope ?until ?whole ?complete ?kinds {{
  ?survey a atmp:Survey ; atmp:surveyedTable/dcterms:identifier ?table ; atmp:knowledgeUntil/atmp:latest ?until ;
    atmp:whole ?whole ; atmp:complete ?complete ; rdfs:label ?scope .
  OPTIONAL {{ ?survey atmp:jurisdiction ?jurisdiction }}
  OPTIONAL {{ ?survey atmp:product ?product }}
  OPTIONAL {{
    SELECT ?survey (GROUP_CONCAT(?kind; SEPARATOR=" ") AS ?kinds) {{ ?survey atmp:surveyedKind/skos:notation ?kind }}
    GROUP BY ?survey
  }}
}}
"""
_AREAS = f"""{_PREFIXES}
SELECT ?area {{ ?reach atmp:reaches <%s> ; atmp:reachOf ?area }}
"""
_UNRECORDED = f"""{_PREFIXES}
SELECT (COUNT(DISTINCT ?product) AS ?n) {{
  VALUES ?product {{ UNDEF }}
  ?product a atmp:Product
  MINUS {{ VALUES ?jurisdiction {{ UNDEF }} GRAPH <%s> {{ ?row atmp:product ?product %s }} }}
}}
"""
_STATES = f"{_PREFIXES} SELECT (1 AS ?yes) {{{{ GRAPH <%s> {{{{ ?row atmp:%s ?value }}}} }}}} LIMIT 1"
_SOURCES = f"""{_PREFIXES}
SELECT ?id ?title ?publisher ?url {{
  VALUES ?source {{ %s }}
  ?source a atmp:Source ; dcterms:identifier ?id ; dcterms:title ?title ; dcterms:publisher ?publisher ; schema:url ?url
}}
ORDER BY ?id
"""
_REASONS = f"""{_PREFIXES}
SELECT ?row ?property ?absence {{
  VALUES ?absence {{ atmp:unknownFor atmp:notApplicableFor atmp:confidentialFor }}
  VALUES ?row {{ %s }}
  ?row ?absence ?property
}}
"""
_WORDS = {"unknownFor": "unknown", "notApplicableFor": "not-applicable", "confidentialFor": "confidential"}
_ABOUT = {"product": "atmp:product", "target": "atmp:target"}


@dataclass(frozen=True)
class Survey:
    """A scope that was looked through: rows of a table in a place (IRI; "" for all places), of a product or all."""

    table: str
    place: str
    product: str
    scope: str
    until: str  # ISO 8601
    kinds: frozenset[str]  # of rows that were looked for; empty for all
    done: bool  # whether all that there is was entered


class Completeness:
    """Reads the remarks that belong to the answers of one store."""

    def __init__(self, store: Store, today: dt.date) -> None:
        self._store = store
        self._today = today
        self._areas_of: dict[str, set[str]] = {}

    def remarks(
        self,
        question: Query,
        given: Mapping[str, Sequence[str]],
        terms: Mapping[str, Sequence[str]],
        rows: int | None = None,
    ) -> Remarks:
        """Return the remarks for a question with these parameters; ``rows``: how many were found, where that counts."""
        tables = question.words("tables")
        places, products = _places(question, terms), _products(terms, question)
        days = (_day(terms[name][0]) for name in ("as_of", "until") if terms.get(name))
        scope, missing = self._unrecorded(question, tables, places, products)
        wholly, partly = self._reach(self._surveys_for(question, products, of_all_kinds=False), places)
        return Remarks(
            as_of=next(days, self._today.isoformat()),
            known={place: survey.until for place, survey in wholly.items()},
            partly={place: survey.until for place, survey in partly.items()},
            everywhere=not places,
            scope=scope,
            nothing_recorded=missing,
            release=atmpkg.__version__,
            parameters={name: tuple(values) for name, values in given.items()},
            empty=self._why(question, terms, places, products) if rows == 0 else "",
        )

    def sources(self, ids: Iterable[str]) -> list[Source]:
        """Return the sources with these ids, by id; a vocabulary that is named by its address stands for itself."""
        wanted = sorted({id for id in ids if id})
        addresses = [Source(id, id, urlsplit(id).hostname or "", id.split()[0]) for id in wanted if "://" in id]
        iris = " ".join(f"<{data_iri('source', id)}>" for id in wanted if re.fullmatch(ID_PATTERN, id))
        found = rows(self._store, _SOURCES % iris) if iris else ()
        return [*(Source(row["id"], row["title"], row["publisher"], row["url"]) for row in found), *addresses]

    def reasons(self, told_by: Iterable[str], names: Mapping[str, str]) -> dict[tuple[str, str], str]:
        """Return why rows lack a value: (row as table:id, property as CURIE) to the word in the cell.

        ``names``: property IRI to CURIE.
        """
        wanted = " ".join(f"<{DATA}{id.replace(':', '/', 1)}>" for id in sorted(set(told_by)) if id)
        found = rows(self._store, _REASONS % wanted) if wanted else ()
        return {
            (
                row["row"].removeprefix(DATA).replace("/", ":", 1),
                names.get(row["property"], row["property"]),
            ): _WORDS[row["absence"].removeprefix(ONTOLOGY)]
            for row in found
        }

    @cached_property
    def _surveys(self) -> list[Survey]:
        return [
            Survey(
                table=row["table"],
                place=row["jurisdiction"],
                product=row["product"],
                scope=row["scope"],
                until=row["until"],
                kinds=frozenset(row["kinds"].split()),
                done=row["complete"] == "true" and (row["whole"] == "true" or bool(row["product"])),
            )
            for row in rows(self._store, _SURVEYS)
        ]

    def _surveys_for(self, question: Query, products: Sequence[str], *, of_all_kinds: bool) -> list[Survey]:
        """Return the surveys that looked for what a question reads first; those of one product where it is asked for.

        One that looked for some of the kinds only is not done; ``of_all_kinds`` says whether this holds too where a
        question is about every kind.
        """
        table, kinds = question.words("tables")[:1], frozenset(question.words("kinds"))
        return [
            replace(survey, done=survey.done and (not survey.kinds or (bool(kinds) and kinds <= survey.kinds)))
            if kinds or of_all_kinds
            else survey
            for survey in self._surveys
            if survey.table in table
            and (not survey.product or survey.product in products)
            and (not survey.kinds or not kinds or kinds & survey.kinds)
        ]

    def _areas(self, place: str) -> set[str]:
        """Return the jurisdictions whose acts can have effect in a place, itself included."""
        if place not in self._areas_of:
            self._areas_of[place] = {place, *(row["area"] for row in rows(self._store, _AREAS % place))}
        return self._areas_of[place]

    def _reach(self, surveys: Sequence[Survey], places: Sequence[str]) -> tuple[dict[str, Survey], dict[str, Survey]]:
        """Return the survey that says how far the data reach in each place: where one is done, and where none is.

        A place is one that was asked for, else each that was surveyed. Its own surveys count before those of a union
        whose acts reach it; one that is done before any other; of several, the latest.
        """
        wholly: dict[str, Survey] = {}
        partly: dict[str, Survey] = {}
        for place in places or sorted({survey.place for survey in surveys}):
            own = [survey for survey in surveys if survey.place in ("", place)]
            fitting = own or [survey for survey in surveys if survey.place in self._areas(place)]
            if done := [survey for survey in fitting if survey.done]:
                wholly[_id(place)] = max(done, key=lambda survey: survey.until)
            elif fitting:
                partly[_id(place)] = max(fitting, key=lambda survey: survey.until)
        return wholly, partly

    def _states(self, table: str, property: str) -> bool:
        """Tell whether any row of a table names a product or a jurisdiction of its own."""
        return any(rows(self._store, _STATES % (graph_iri(table), property)))

    def _unrecorded(
        self, question: Query, tables: Sequence[str], places: Sequence[str], products: Sequence[str]
    ) -> tuple[str, int | None]:
        """Count the products, of those asked for if any were, without a row in the first table of the question.

        Where places were asked for, rows there and in what reaches them count, if rows of that table name a place.
        """
        if question.text("scope") != "product" or not tables or not self._states(tables[0], "product"):
            return "", None
        reached = self._reached(question, places) if places and self._states(tables[0], "jurisdiction") else []
        sparql = _UNRECORDED % (graph_iri(tables[0]), "; atmp:jurisdiction ?jurisdiction" if reached else "")
        for name, iris in (("jurisdiction", reached), ("product", products)):
            if iris:
                ((start, end),) = values_blocks(sparql)[name]
                sparql = sparql[:start] + " ".join(f"<{iri}>" for iri in iris) + sparql[end:]
        (row,) = rows(self._store, sparql)
        count = int(row["n"])
        whom = f"product{'' if count == 1 else 's'}{' asked for' if products else ''}"
        return f"{whom} without a recorded {tables[0]}{f' in {_ids(reached)}' if reached else ''}", count

    def _reached(self, question: Query, places: Sequence[str]) -> list[str]:
        """Return places, each once, and those whose acts count there where a question follows what reaches a place."""
        above = {area for place in places for area in self._areas(place)} if "atmp:reaches" in question.sparql else ()
        return [*dict.fromkeys(places), *sorted(set(above) - set(places))]

    def _why(
        self, question: Query, terms: Mapping[str, Sequence[str]], places: Sequence[str], products: Sequence[str]
    ) -> str:
        """Say why nothing was found: it was looked for and is not there, looked for in part, or not looked for.

        Rows of the table that do not fit are counted, as they show that something else would have been found.
        """
        tables = question.words("tables")
        if not tables:
            return "nothing recorded: nothing fits what was asked."
        table, kinds = tables[0], question.words("kinds")
        surveys = self._surveys_for(question, products, of_all_kinds=True)
        if not self._count(table, []):
            return self._looked_for(f"the table {table} has no rows yet", kinds, surveys, places)
        if places and not self._states(table, "jurisdiction"):
            places = []  # its rows name no place, so none can be counted there
        about = [(p, list(terms[p.name])) for p in question.parameters if p.type in _ABOUT and terms.get(p.name)]
        patterns = [f"{_ABOUT[p.type]} ?{p.type} . VALUES ?{p.type} {{ {' '.join(values)} }}" for p, values in about]
        above = sorted({area for place in places for area in self._areas(place)} - set(places))
        named = ", ".join(_id(value.strip("<>")) for _, values in about for value in values)
        whom = (f" for {named}" if named else "") + (f" in {_ids(places)}" if places else "")
        reaching = "atmp:reaches" in question.sparql  # what a union authorised counts for its members
        here = [*patterns, _in([*places, *above] if reaching else places)] if places else patterns
        if count := self._count(table, here):
            return self._looked_for(f"none of {_rows(count)} of {table}{whom} fits", kinds, surveys, places)
        if above and (count := self._count(table, [*patterns, _in(above)])):
            whose = f"{_rows(count)} in {_ids(above)}, whose acts reach or reached it"
            return f"nothing recorded: no {table}{whom} itself, but {whose}."
        return self._looked_for(f"no {table}{whom}", kinds, surveys, places)

    def _looked_for(self, none: str, kinds: Sequence[str], surveys: Sequence[Survey], places: Sequence[str]) -> str:
        """Say whether somebody looked for such rows in all those places; ``none``: what there is none of."""
        what = f" of {_one_of(kinds)}" if kinds else ""
        wholly, partly = self._reach(surveys, places)
        if not wholly and not partly:
            return f"not looked for: {none}, and no survey{what} says that anybody looked."
        if (places and len(wholly) == len(places)) or "" in wholly:
            first = min(wholly.values(), key=lambda survey: survey.until)
            return f"looked for and none found: {none}, until {first.until} ({first.scope})."
        if not places:
            return f"nothing recorded: {none}; surveys{what} cover some places or a part only."
        last = max([*partly.values(), *wholly.values()], key=lambda survey: survey.until)
        return f"nothing recorded: {none}; surveys{what} cover a part only, until {last.until} ({last.scope})."

    def _count(self, table: str, patterns: Sequence[str]) -> int:
        inside = "".join(f" ; {pattern.partition(' . ')[0]}" for pattern in patterns)
        values = " ".join(pattern.partition(" . ")[2] for pattern in patterns)
        sparql = (
            f"{_PREFIXES} SELECT (COUNT(DISTINCT ?row) AS ?n) "
            f"{{ {values} GRAPH <{graph_iri(table)}> {{ ?row dcterms:identifier ?id{inside} }} }}"
        )
        return int(next(iter(rows(self._store, sparql)))["n"])


def _products(terms: Mapping[str, Sequence[str]], question: Query) -> list[str]:
    """Return the IRIs of the products that were asked for."""
    names = [p.name for p in question.parameters if p.type == "product"]
    return [term.strip("<>") for name in names for term in terms.get(name, ())]


def _places(question: Query, terms: Mapping[str, Sequence[str]]) -> list[str]:
    names = [p.name for p in question.parameters if p.type == "jurisdiction"]
    return [term.strip("<>") for name in names for term in terms.get(name, ())]


def _id(iri: str) -> str:
    return iri.rsplit("/", 1)[-1]


def _ids(iris: Iterable[str]) -> str:
    return ", ".join(map(_id, iris))


def _in(places: Iterable[str]) -> str:
    return f"atmp:jurisdiction ?place . VALUES ?place {{ {' '.join(f'<{place}>' for place in places)} }}"


def _one_of(kinds: Sequence[str]) -> str:
    """Name kinds of rows, the first of many.

    >>> _one_of(["refusal"]), _one_of(["refusal", "withdrawal"]), _one_of("abcdefg")
    ('refusal', 'refusal or withdrawal', 'a, b, c or another kind asked for')
    """
    shown = list(kinds) if len(kinds) < 5 else [*kinds[:3], "another kind asked for"]
    return " or ".join([*([", ".join(shown[:-1])] if shown[:-1] else []), shown[-1]])


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"


def _day(term: str) -> str:
    """Return the ISO date of a day-number term."""
    return from_day_number(int(term.split('"')[1])).isoformat()
