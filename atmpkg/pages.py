"""Pages for people: one product on one page, one fact with its sources."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping

from atmpkg.answers import Answer, Value, as_text
from atmpkg.errors import UsageError, nearest, quoted
from atmpkg.formats.table import display_width
from atmpkg.graph import KnowledgeGraph
from atmpkg.names import DATA, ID_PATTERN
from atmpkg.stores import rows

_IDENTITY = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?label ?modality ?origin ?cell_source ?delivery ?route ?developer ?description {
  VALUES ?product { <%s> }
  ?product rdfs:label ?label .
  OPTIONAL { ?product atmp:modality/rdfs:label ?modality }
  OPTIONAL { ?product atmp:cellOrigin ?origin }
  OPTIONAL { ?product atmp:cellSource ?cell_source }
  OPTIONAL { ?product atmp:delivery/rdfs:label ?delivery }
  OPTIONAL { ?product atmp:route ?route }
  OPTIONAL { ?product atmp:developer/rdfs:label ?developer }
  OPTIONAL { ?product atmp:substance/dcterms:description ?description }
}
ORDER BY ?developer
"""
_PARTS = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?what ?value {
  VALUES ?product { <%s> }
  {
    ?row a atmp:StatedCategory ; atmp:product ?product ; atmp:category ?category ; atmp:jurisdiction/rdfs:label ?where .
    ?category rdfs:label ?label BIND("category" AS ?what) BIND(CONCAT(?label, " (", ?where, ")") AS ?value)
  } UNION {
    ?row a atmp:Component ; atmp:product ?product ; atmp:part/rdfs:label ?what ; rdfs:label ?value
  } UNION {
    ?row a atmp:MechanismStatement ; atmp:product ?product ; atmp:mechanism/rdfs:label ?label .
    OPTIONAL { ?row atmp:target/rdfs:label ?target } OPTIONAL { ?row atmp:disease/rdfs:label ?disease }
    BIND("mechanism" AS ?what)
    BIND(COALESCE(CONCAT(" on ", ?target), "") AS ?on) BIND(COALESCE(CONCAT(" in ", ?disease), "") AS ?in)
    BIND(CONCAT(?label, ?on, ?in) AS ?value)
  }
}
ORDER BY ?what ?value
"""
_PLACES = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX dcterms: <http://purl.org/dc/terms/>
SELECT DISTINCT ?jurisdiction {
  ?row a atmp:Authorisation ; atmp:product <%s> ; atmp:jurisdiction/dcterms:identifier ?jurisdiction
}
ORDER BY ?jurisdiction
"""
_MARKS = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?kind ?effect { ?term atmp:statusEffect ?effect_term ; skos:notation ?kind
  BIND(REPLACE(STR(?effect_term), "^.*/", "") AS ?effect) }
"""
_MARK = {"Opens": "●", "Restores": "●", "Suspends": "◐", "Ends": "○", "Refuses": "✕"}
_ROW = """
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?property ?value ?notation ?label {
  <%s> ?property ?value
  OPTIONAL { ?value skos:notation ?notation }
  OPTIONAL { ?value rdfs:label ?label }
}
ORDER BY ?property ?value
"""
_SOURCE = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX schema: <https://schema.org/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?id ?title ?publisher ?url ?kind ?published ?read {
  <%s> dcterms:source ?source .
  ?source dcterms:identifier ?id ; dcterms:title ?title ; dcterms:publisher ?publisher ; schema:url ?url ;
    atmp:sourceKind ?term ; atmp:readOn/rdfs:label ?read .
  ?term rdfs:label ?kind ; atmp:rank ?rank .
  OPTIONAL { ?source dcterms:issued/rdfs:label ?published }
}
ORDER BY ?rank ?id
"""
_WIDTH = 100
_MOST = 10  # rows of evidence of one kind; the questions have all
_EVIDENCE = (
    (
        "Pivotal studies",
        "pivotal-evidence",
        ("jurisdiction", "decision_date", "trial", "design", "n", "endpoint", "value"),
    ),
    ("Harms", "event-rates", ("setting", "event", "grade", "rate", "n of total", "trial")),
    ("Verdicts", "hta-decisions", ("country", "body", "date", "verdict", "disease", "reference")),
    ("Payment", "payment-schemes", ("country", "kind", "trigger", "years")),
    ("Manufacture", "turnaround", ("region", "interval", "days", "statistic")),
    ("Follow-up", "follow-up-duties", ("jurisdiction", "years", "what", "basis")),
)
_PRICE = ("country", "price", "currency", "year", "kind", "per")


def product_page(kg: KnowledgeGraph, text: str) -> str:
    """Write the page of a product: identity, status, indications, designations, timeline, disputes, sources."""
    id = kg.product(text)
    iri = f"{DATA}product/{id}"
    return "\n".join(_product_lines(kg, id, iri)) + "\n"


def _product_lines(kg: KnowledgeGraph, id: str, iri: str) -> Iterator[str]:
    identity = list(rows(kg.store, _IDENTITY % iri))
    names = kg.ask("names", product=id)
    brands = _unique(name for _, name, kind, *_ in names.rows if kind == "brand")
    label = identity[0]["label"]
    title = label + (f"  ·  {', '.join(brands)}" if brands else "")
    yield from (title, "═" * display_width(title))
    facts: dict[str, str | list[str]] = {
        "id": id,
        "what": identity[0]["description"],
        "modality": _unique(row["modality"] for row in identity),
        "cells": ", ".join(filter(None, (identity[0]["origin"], identity[0]["cell_source"]))),
        "delivery": " · ".join(filter(None, (identity[0]["delivery"], identity[0]["route"]))),
        "developer": _unique(row["developer"] for row in identity),
        "other names": _unique(name for _, name, kind, *_ in names.rows if kind not in ("brand", "misspelling")),
    }
    parts: dict[str, list[str]] = {}
    for row in rows(kg.store, _PARTS % iri):
        parts.setdefault(row["what"], []).append(row["value"])
    wide = max((display_width(what) for what in parts), default=0)
    for what, value in facts.items():
        yield from _fact(what, value, wide)
    for what, values in sorted(parts.items(), key=lambda part: part[0] != "category"):
        yield from _fact(what, values, wide)
    yield from _section("Where it stands", _standing(kg, id, iri))
    yield from _section("Authorised uses", _uses(kg.ask("indications", product=id)))
    yield from _section("Bases and designations", _designations(kg, id))
    yield from _section("Obligations", _table(kg, "obligations", id, ("jurisdiction", "obligation", "due", "state")))
    yield from _section(
        "Outside an authorisation",
        _table(kg, "outside-marketing-authorisation", id, ("jurisdiction", "route", "since", "limits")),
    )
    for title, question, shown in _EVIDENCE:
        yield from _section(title, _table(kg, question, id, shown, most=_MOST))
    prices = [row for row in _dicts(kg.ask("list-prices")) if row["product"] == id]
    yield from _section("Prices", (_joined(row, _PRICE) for row in prices))
    history = kg.ask("decision-history", product=id)
    yield from _section("Timeline   ● authorised  ◐ suspended  ○ ended  ✕ refused", _timeline(kg, history))
    disputes = kg.ask("disputes", product=id)
    yield from _section("Where sources disagree", _disputes(disputes))
    cited = kg.sources(history)
    yield from (
        "",
        f"{len(history)} events from {len(cited)} sources · atmpkg ask decision-history product={id} --with-sources",
    )


def _standing(kg: KnowledgeGraph, id: str, iri: str) -> Iterator[str]:
    places = [place["jurisdiction"] for place in rows(kg.store, _PLACES % iri)]
    now_by, ever_by = _by_place(kg, "authorised-products", id, places), _by_place(kg, "ever-authorised", id, places)
    for where in places:
        now, ever = now_by.get(where), ever_by.get(where, {})
        status, since = as_text(ever.get("status")), as_text(ever.get("status_since"))
        said = [f"{status} since {since}"]
        if now:
            said += [as_text(now[key]).replace("|", ", ") for key in ("basis", "number", "holder") if now[key]]
        else:
            said += [f"authorised {as_text(ever.get('first_authorised'))}", as_text(ever.get("number"))]
            said += [f"reason: {ever['status_reason']}"] if ever.get("status_reason") else []
        yield from _hanging(f"  {where:<4}", " · ".join(filter(None, said)))


def _by_place(kg: KnowledgeGraph, question: str, id: str, places: list[str]) -> dict[str, dict[str, Value]]:
    """Return by jurisdiction what a question says of a product there; all places are asked for at once."""
    found = _dicts(kg.ask(question, jurisdiction=places)) if places else ()
    return {as_text(row["jurisdiction"]): row for row in found if row["product"] == id}


def _uses(answer: Answer) -> Iterator[str]:
    for use in _dicts(answer):
        ages = _ages(use["age_min"], use["age_max"])
        rest = "; ".join(as_text(use[key]) for key in ("population", "line", "biomarker", "prior_therapy") if use[key])
        detail = ", ".join(filter(None, (ages, rest)))
        yield from _hanging(f"  {use['jurisdiction']:<4}", f"{use['disease']}: {detail} (since {use['since']})")


def _ages(lowest: Value, highest: Value) -> str:
    match as_text(lowest), as_text(highest):
        case "", "":
            return ""
        case low, "":
            return f"from {low} years"
        case "", high:
            return f"up to {high} years"
        case low, high:
            return f"{low} to {high} years"


def _designations(kg: KnowledgeGraph, id: str) -> Iterator[str]:
    for row in _dicts(kg.ask("basis-and-designations")):
        if row["product"] == id:
            period = " – ".join(as_text(row[key]) for key in ("granted", "ended") if row[key])
            number = f" ({as_text(row['number']).replace('|', ', ')})" if row["number"] else ""
            yield from _hanging(
                f"  {row['jurisdiction']:<4}", f"{row['name']}{number}" + (f": {period}" if period else "")
            )


def _table(
    kg: KnowledgeGraph, question: str, id: str, columns: tuple[str, ...], most: int | None = None
) -> Iterator[str]:
    """Yield the rows of a question about a product, each once; what is beyond ``most`` rows is named by its command."""
    takes = any(parameter.name == "product" for parameter in kg.question(question).parameters)
    found = _dicts(kg.ask(question, product=id) if takes else kg.ask(question))
    lines = list(dict.fromkeys(_joined(row, columns) for row in found if row["product"] == id))
    for line in lines[:most]:
        yield from _hanging(line[:6], line[6:])
    if most and len(lines) > most:
        yield f"  … {len(lines) - most} more: atmpkg ask {question} product={id}"


def _joined(row: Mapping[str, Value], columns: tuple[str, ...]) -> str:
    """Write the named columns of a row on one line, the first in a place of its own; a unit stands by its value."""
    first, *others = columns
    return f"  {as_text(row[first]):<3} " + " · ".join(filter(None, (_cell(row, column) for column in others)))


def _cell(row: Mapping[str, Value], column: str) -> str:
    """Write a value so that it can be read alone: with its unit, a number of people as n of all."""
    if column == "n of total":
        some, all = as_text(row["n"]), as_text(row["total"])
        return f"{some} of {all}" if some and all else f"of {all}" if all else f"n {some}" if some else ""
    said = as_text(row[column]).replace("|", ", ")
    if not said:
        return ""
    if column == "value":
        unit = as_text(row["unit"])
        return said + {"percent": " %", "ratio": "", "": ""}.get(unit, f" {unit}")
    if column == "n":
        return f"n {said}"
    if column == "grade" and said != "any":
        return f"grade {said}"
    one = said == "1"
    units = {"rate": " %", "days": " day" if one else " days", "years": " year" if one else " years"}
    return said + units.get(column, "")


def _timeline(kg: KnowledgeGraph, history: Answer) -> Iterator[str]:
    marks = {row["kind"]: _MARK[row["effect"]] for row in rows(kg.store, _MARKS)}
    year = ""
    for event in _dicts(history):
        date = as_text(event["date"])
        shown = date[:4] if date[:4] != year else "    "
        year = date[:4]
        when = f"{shown} {date[5:]:<5}" if date else "no date   "
        mark = marks.get(as_text(event["event"]), "·")
        extra = [as_text(event[key]) for key in ("basis", "holder", "number") if event[key]]
        said = as_text(event["event"]).replace("-", " ") + (f" ({', '.join(extra)})" if extra else "")
        doubt = "" if event["confidence"] == "confirmed" else f" [{event['confidence']}]"
        detail = f": {event['detail']}" if event["detail"] else ""
        yield from _hanging(f"  {when} {event['jurisdiction']:<3} {mark} ", f"{said}{detail}{doubt}")


def _disputes(answer: Answer) -> Iterator[str]:
    for row in _dicts(answer):
        said = (
            f"kept {as_text(row['kept']) or 'nothing'}; {row['claimed_source']} says {row['claimed']}. {row['reason']}"
        )
        yield from _hanging(f"  {row['row']} [{row['column']}] ", said, indent=6)


def explanation(kg: KnowledgeGraph, row: str) -> str:
    """Write where a fact comes from: its cells, sources, and who disagrees. ``row``: table:id."""
    table, colon, id = row.partition(":")
    if not colon or table not in kg.tables:
        raise UsageError(
            f"cannot explain {quoted(row)}: expected table:id, such as decision:…{nearest(table, kg.tables)}"
        )
    if not re.fullmatch(ID_PATTERN, id):
        raise UsageError(f"cannot explain {quoted(row)}: table {table} has no such row.")
    iri = f"{DATA}{table}/{id}"
    known: dict[str, list[str]] = {}
    for found in rows(kg.store, _ROW % iri):
        known.setdefault(found["property"], []).append(_shown(found))
    if not known:
        ids = [r["id"] for r in rows(kg.store, _IDS % table)]
        raise UsageError(f"cannot explain {quoted(row)}: table {table} has no such row{nearest(id, ids) or '.'}")
    return "\n".join(_explanation_lines(kg, row, iri, known)) + "\n"


_IDS = """
SELECT ?id { GRAPH <https://w3id.org/atmpkg/graph/%s> { ?row <http://purl.org/dc/terms/identifier> ?id } }
"""


def _shown(found: Mapping[str, str]) -> str:
    if found["value"].startswith(f"{DATA}date/"):
        return found["label"]
    if found["value"].startswith(DATA):
        id = found["value"].rsplit("/", 1)[-1]
        return f"{found['label']} ({id})" if found["label"] and found["label"] != id else id
    return found["notation"] or found["value"]


def _explanation_lines(kg: KnowledgeGraph, row: str, iri: str, known: Mapping[str, list[str]]) -> Iterator[str]:
    table = kg.tables[row.partition(":")[0]]
    yield from (f"{row}  ({table.title.lower()})", "─" * (len(row) + len(table.title) + 4))
    for column in table.columns:
        if not column.property or column.name == "source":
            continue
        predicate = kg.names.expand(column.property)
        values = known.get(predicate, [])
        if column.property == "rdf:type":
            values = [value for value in values if not value.startswith("http")]
        if values:
            yield from _fact(column.title.lower(), values)
    yield from _section("Read in", _source_lines(kg, iri))
    disputes = [r for r in _dicts(kg.ask("disputes")) if r["row"] == row]
    said = (
        f"  [{r['column']}] kept {as_text(r['kept'])}; {r['claimed_source']} says {r['claimed']}. {r['reason']}"
        for r in disputes
    )
    yield from _section("Who disagrees", (line for text in said for line in _hanging("", text, indent=4)))


def _source_lines(kg: KnowledgeGraph, iri: str) -> Iterator[str]:
    for source in rows(kg.store, _SOURCE % iri):
        dates = f"published {source['published']}, " if source["published"] else ""
        yield from _hanging(
            "  ", f"{source['title']} ({source['publisher']}; {source['kind']}; {dates}read {source['read']})"
        )
        yield f"      {source['url']}"


def _dicts(answer: Answer) -> Iterator[dict[str, Value]]:
    for row in answer.rows:
        yield dict(zip(answer.names, row, strict=True))


def _unique(values: Iterable[Value]) -> list[str]:
    return list(dict.fromkeys(str(value) for value in values if value))


def _fact(what: str, value: str | list[str], wide: int = 0) -> Iterator[str]:
    text = ", ".join(value) if isinstance(value, list) else value
    if text:
        yield from _hanging(f"{what:<{max(wide, 12)}}  ", text)


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    listed = list(lines)
    if listed:
        yield from ("", title, *listed)


def _hanging(head: str, text: str, indent: int = 0) -> Iterator[str]:
    """Yield text after a head, wrapped, further lines below its beginning."""
    below = " " * (indent or display_width(head))
    yield from textwrap.wrap(text, _WIDTH, initial_indent=head, subsequent_indent=below, break_long_words=False) or [
        head
    ]
