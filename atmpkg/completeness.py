"""What must be said beside an answer: how far the data reach, how much is not recorded, and why nothing was found."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
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
"""
_SURVEYS = f"""{_PREFIXES}
SELECT ?table ?jurisdiction ?product ?scope ?until ?whole ?complete {{
  ?survey a atmp:Survey ; atmp:surveyedTable/dcterms:identifier ?table ; atmp:knowledgeUntil/atmp:latest ?until ;
    atmp:whole ?whole ; atmp:complete ?complete ; rdfs:label ?scope .
  OPTIONAL {{ ?survey atmp:jurisdiction ?jurisdiction }}
  OPTIONAL {{ ?survey atmp:product ?product }}
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
        seen: Iterable[str] = (),
    ) -> Remarks:
        """Return the remarks for a question with these parameters.

        ``rows``: how many were found, where that counts; ``seen``: ids of the jurisdictions that the answer names; they
        count where none was asked for.
        """
        tables = question.words("tables")
        places = _places(question, terms)
        days = (_day(terms[name][0]) for name in ("as_of", "until") if terms.get(name))
        scope, missing = self._unrecorded(question, tables, places, _products(terms, question))
        reach = self._knowledge_until(tables, places or [data_iri("jurisdiction", id) for id in sorted(set(seen))])
        return Remarks(
            as_of=next(days, self._today.isoformat()),
            knowledge_until=min(reach.values(), default=""),
            knowledge=reach,
            scope=scope,
            nothing_recorded=missing,
            release=atmpkg.__version__,
            parameters={name: tuple(values) for name, values in given.items()},
            empty=self._why(question, terms, places) if rows == 0 else "",
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
    def _surveys(self) -> list[dict[str, str]]:
        return list(rows(self._store, _SURVEYS))

    def _areas(self, place: str) -> set[str]:
        """Return the jurisdictions whose acts can have effect in a place, itself included."""
        if place not in self._areas_of:
            self._areas_of[place] = {place, *(row["area"] for row in rows(self._store, _AREAS % place))}
        return self._areas_of[place]

    def _knowledge_until(self, tables: Sequence[str], places: Sequence[str]) -> dict[str, str]:
        """Return the day until which the first of the tables was surveyed, by place; nothing where one was not.

        A complete survey of the whole jurisdiction counts before any other; of several, the latest.
        """
        surveys = [row for row in self._surveys if row["table"] in tables[:1]]
        latest: dict[str, str] = {}
        for place in places or sorted({row["jurisdiction"] for row in surveys}):
            areas = {"", *self._areas(place)} if place else set()
            fitting = [row for row in surveys if not place or row["jurisdiction"] in areas]
            if not fitting:
                return {}
            sure = [row for row in fitting if row["whole"] == row["complete"] == "true"]
            latest[_id(place)] = max(row["until"] for row in sure or fitting)
        return latest

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

    def _why(self, question: Query, terms: Mapping[str, Sequence[str]], places: Sequence[str]) -> str:
        """Say why nothing was found: nothing recorded at all, nothing that fits, none there, or not looked for."""
        tables = question.words("tables")
        if not tables:
            return "nothing fits what was asked."
        table = tables[0]
        if not self._count(table, []):
            return f"nothing is recorded: the table {table} has no rows yet."
        if places and not self._states(table, "jurisdiction"):
            places = []  # its rows name no place, so none can be counted there
        about = [(p, list(terms[p.name])) for p in question.parameters if p.type in _ABOUT and terms.get(p.name)]
        patterns = [f"{_ABOUT[p.type]} ?{p.type} . VALUES ?{p.type} {{ {' '.join(values)} }}" for p, values in about]
        above = sorted({area for place in places for area in self._areas(place)} - set(places))
        named = ", ".join(_id(value.strip("<>")) for _, values in about for value in values)
        whom = (f" for {named}" if named else "") + (f" in {_ids(places)}" if places else "")
        reaching = "atmp:reaches" in question.sparql  # what a union authorised counts for its members
        here = [*patterns, _in([*places, *above] if reaching else places)] if places else patterns
        if here and (count := self._count(table, here)):
            return f"nothing fits: {table} has {_rows(count)}{whom}, but none that fits all that was asked."
        if not here:
            return f"nothing fits: {table} has {_rows(self._count(table, []))}, but none that fits what was asked."
        if above and (count := self._count(table, [*patterns, _in(above)])):
            whose = f"{_rows(count)} in {_ids(above)}, whose acts reach or reached it"
            return f"nothing recorded: no {table}{whom} itself, but {whose}."
        return self._looked_for(table, whom, _products(terms, question), [*places, *above])

    def _looked_for(self, table: str, whom: str, products: Sequence[str], areas: Sequence[str]) -> str:
        """Say whether somebody looked for rows of a table about products in areas, and how far."""
        fitting = [
            row
            for row in self._surveys
            if row["table"] == table
            and (not row["jurisdiction"] or not areas or row["jurisdiction"] in areas)
            and (not row["product"] or row["product"] in products)
        ]
        if sure := [row for row in fitting if row["complete"] == "true" and (row["whole"] == "true" or row["product"])]:
            last = max(sure, key=lambda row: row["until"])
            return f"looked for and none found: no {table}{whom} until {last['until']} ({last['scope']})."
        if fitting:
            last = max(fitting, key=lambda row: row["until"])
            return (
                f"nothing recorded: no {table}{whom}; it was looked for in part only, until {last['until']} "
                f"({last['scope']})."
            )
        return f"not looked for: no {table}{whom} is recorded, and no survey says that anybody looked."

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


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"


def _day(term: str) -> str:
    """Return the ISO date of a day-number term."""
    return from_day_number(int(term.split('"')[1])).isoformat()
