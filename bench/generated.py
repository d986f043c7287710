# ruff: noqa: E501 - a query, or the names of a vocabulary, stand on one line
"""Made data in the shape of our graph, of any size and the same on every run, and twelve queries over them.

The parts are those of the shipped graph, but in the proportions of an evidence base that is harvested: of the quads
about 67 in 100 are safety observations, 25 trials, the rest sources and harvests, products, their authorisations
(dated events, and the intervals that rules make of them), diseases and a tree of classes. As in our graph, each row
names its source, no triple stands in two graphs, and an interval that is open ends on a day that never comes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from atmpkg.names import DATA, GRAPH, ONTOLOGY

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDFS = "http://www.w3.org/2000/01/rdf-schema#"
_SKOS = "http://www.w3.org/2004/02/skos/core#"
_DCTERMS = "http://purl.org/dc/terms/"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_OWL_CLASS = "<http://www.w3.org/2002/07/owl#Class>"
_OPEN = 2932896  # 9999-12-31 in days since 1970-01-01
_CLASSES, _BATCH = 150, 500
_PLACES = ("EU", "US", "JP", "KR", "GB")
_STATUS = ("Authorised", "Suspended", "Authorised", "Withdrawn")
_PHASES = ("phase-1", "phase-2", "phase-3", "not-applicable")
_OUTCOMES = ("death", "hospitalisation", "life-threatening", "recovered", "other")
_WORDS = [
    "autologous",
    "allogeneic",
    "CAR-T",
    "AAV",
    "lentiviral",
    "vector",
    "chondrocytes",
    "keratinocytes",
    "stem",
    "cells",
    "relapsed",
    "refractory",
    "paediatric",
    "adult",
    "leukaemia",
    "lymphoma",
    "haemophilia",
    "retinal",
    "dystrophy",
    "myeloma",
    "safety",
    "efficacy",
    "follow-up",
]


class _Rows:
    """Writes rows as N-Quads and counts them."""

    def __init__(self, out: IO[str], seed: int) -> None:
        self.quads = 0
        self._write = out.write
        self._draw = random.Random(seed).random  # the only method that gives the same on every version of Python

    def upto(self, count: int, skew: int = 1) -> int:
        """Draw a number below ``count``; the larger ``skew``, the more often a small one."""
        return int(count * self._draw() ** skew)

    def add(self, graph: str, subject: str, *pairs: tuple[str, str]) -> None:
        """Write a row: its properties and values."""
        self._write("".join([f"{subject} {property} {value} {graph} .\n" for property, value in pairs]))
        self.quads += len(pairs)


def _of(base: str, *names: str) -> tuple[str, ...]:
    return tuple(f"<{base}{name}>" for name in names)


def _id(kind: str, at: object) -> str:
    return f"<{DATA}{kind}/{at}>"


def _whole(number: int) -> str:
    return f'"{number}"^^<{_XSD}integer>'


def _graph(name: str) -> str:
    return f"<{GRAPH}{name}>"


_TYPE = f"<{_RDF}type>"
_LABEL, _SUBCLASS = _of(_RDFS, "label", "subClassOf")
_BROADER = f"<{_SKOS}broader>"
_IDENTIFIER, _SOURCE, _TITLE, _ISSUED = _of(_DCTERMS, "identifier", "source", "title", "issued")
_A = {
    name: f"<{ONTOLOGY}{name}>"
    for name in [
        "Product",
        "Disease",
        "Authorisation",
        "StatusInterval",
        "RegulatoryEvent",
        "ClinicalTrial",
        "SafetyObservation",
        "Source",
        "Harvest",
        "holder",
        "substance",
        "treats",
        "authorisation",
        "authorisationOf",
        "jurisdiction",
        "status",
        "event",
        "day",
        "fromDay",
        "untilDay",
        "phase",
        "studies",
        "condition",
        "enrolment",
        "fromDate",
        "sponsor",
        "country",
        "suspect",
        "reaction",
        "outcome",
        "serious",
        "age",
        "caseNumber",
        "observedIn",
        "reported",
        "harvested",
        "confidence",
    ]
}


def write(path: Path, quads: int, seed: int = 7) -> int:
    """Write about so many quads as N-Quads; return how many."""
    products, trials, observations = max(60, quads // 900), max(60, quads // 50), max(100, quads * 65 // 1000)
    diseases, terms = max(60, min(4000, 2 * products)), max(200, min(20_000, observations // 40))
    holders = max(10, products // 3)
    with path.open("w", encoding="utf-8", newline="\n", buffering=1 << 20) as out:
        rows = _Rows(out, seed)
        _ontology(rows)
        _diseases(rows, diseases)
        _products(rows, products, diseases, holders)
        _trials(rows, trials, products, diseases, holders)
        _observations(rows, observations, products, terms)
        return rows.quads


def _ontology(rows: _Rows) -> None:
    graph = _graph("ontology")
    for at in range(_CLASSES):
        kind = f"<{ONTOLOGY}Kind{at}>"
        rows.add(graph, kind, (_TYPE, _OWL_CLASS), (_LABEL, f'"kind {at} of therapy"@en'))
        if at:
            rows.add(graph, kind, (_SUBCLASS, f"<{ONTOLOGY}Kind{(at - 1) // 3}>"))


def _diseases(rows: _Rows, count: int) -> None:
    graph = _graph("disease")
    for at in range(count):
        disease = _id("disease", at)
        rows.add(graph, disease, (_TYPE, _A["Disease"]), (_LABEL, f'"disease {at} of organ {at % 17}"@en'))
        if at:
            rows.add(graph, disease, (_BROADER, _id("disease", (at - 1) // 4)))


def _source(rows: _Rows, kind: str, at: int) -> str:
    source = _id("source", f"{kind}-{at}")
    rows.add(
        _graph("source"),
        source,
        (_TYPE, _A["Source"]),
        (_IDENTIFIER, f'"{kind}-{at}"'),
        (_TITLE, f'"List {at} of the {kind} register"'),
        (_ISSUED, f'"20{10 + at % 16}-0{1 + at % 9}-1{at % 10}"^^<{_XSD}date>'),
    )
    return source


def _products(rows: _Rows, count: int, diseases: int, holders: int) -> None:
    graph, decisions, inferred = _graph("product"), _graph("decision"), _graph("inferred")
    source = ""
    for at in range(count):
        if at % 20 == 0:
            source = _source(rows, "product", at // 20)
        product = _id("product", at)
        treats = {rows.upto(diseases), rows.upto(diseases)}
        rows.add(
            graph,
            product,
            (_TYPE, _A["Product"]),
            (_TYPE, f"<{ONTOLOGY}Kind{50 + rows.upto(_CLASSES - 50)}>"),
            (_IDENTIFIER, f'"{at}"'),
            (_LABEL, f'"Product {at}"@en'),
            (_A["holder"], _id("organisation", rows.upto(holders))),
            (_A["substance"], _id("substance", at % max(1, count // 2))),
            (_SOURCE, source),
            *((_A["treats"], _id("disease", disease)) for disease in sorted(treats)),
        )
        for place in _PLACES:
            if rows.upto(10) < 4:
                _authorisation(rows, decisions, inferred, at, place, source)


def _authorisation(rows: _Rows, decisions: str, inferred: str, at: int, place: str, source: str) -> None:
    product, authorisation = _id("product", at), _id("authorisation", f"{at}-{place}")
    rows.add(
        decisions,
        authorisation,
        (_TYPE, _A["Authorisation"]),
        (_A["authorisationOf"], product),
        (_A["jurisdiction"], _id("jurisdiction", place)),
    )
    days = [12_000 + rows.upto(3_000)]
    for _ in range(rows.upto(4)):
        days.append(days[-1] + 1 + rows.upto(2_000))
    for nth, day in enumerate(days):
        event, interval = _id("decision", f"{at}-{place}-{nth}"), _id("interval", f"{at}-{place}-{nth}")
        status = f"<{ONTOLOGY}{_STATUS[nth]}>"
        rows.add(
            decisions,
            event,
            (_TYPE, _A["RegulatoryEvent"]),
            (_A["authorisation"], authorisation),
            (_A["status"], status),
            (_A["day"], _whole(day)),
            (_SOURCE, source),
            (_A["confidence"], '"confirmed"'),
        )
        rows.add(
            inferred,
            interval,
            (_TYPE, _A["StatusInterval"]),
            (_A["authorisation"], authorisation),
            (_A["status"], status),
            (_A["fromDay"], _whole(day)),
            (_A["untilDay"], _whole(days[nth + 1] if nth + 1 < len(days) else _OPEN)),
        )


def _trials(rows: _Rows, count: int, products: int, diseases: int, holders: int) -> None:
    graph = source = ""
    for at in range(count):
        if at % _BATCH == 0:
            graph, source = _harvest(rows, "trial", at // _BATCH)
        title = " ".join(_WORDS[rows.upto(len(_WORDS))] for _ in range(8))
        countries = {rows.upto(60), rows.upto(60)}
        rows.add(
            graph,
            _id("trial", at),
            (_TYPE, _A["ClinicalTrial"]),
            (_IDENTIFIER, f'"NCT{at:08d}"'),
            (_LABEL, f'"{title}"@en'),
            (_A["phase"], f'"{_PHASES[at % 4]}"'),
            (_A["studies"], _id("product", rows.upto(products, 2))),
            (_A["condition"], _id("disease", rows.upto(diseases))),
            (_A["enrolment"], _whole(3 + rows.upto(900))),
            (_A["fromDay"], _whole(12_000 + rows.upto(8_000))),
            (_A["sponsor"], _id("organisation", rows.upto(holders))),
            (_SOURCE, source),
            *((_A["country"], _id("jurisdiction", f"C{country}")) for country in sorted(countries)),
        )


def _observations(rows: _Rows, count: int, products: int, terms: int) -> None:
    graph = source = ""
    for at in range(count):
        if at % _BATCH == 0:
            graph, source = _harvest(rows, "safety", at // _BATCH)
        reaction, outcome = rows.upto(terms, 3), _OUTCOMES[rows.upto(5, 2)]
        rows.add(
            graph,
            _id("observation", at),
            (_TYPE, _A["SafetyObservation"]),
            (_A["suspect"], _id("product", rows.upto(products, 2))),
            (_A["reaction"], _id("term", reaction)),
            (_A["outcome"], _id("outcome", outcome)),
            (_A["serious"], f'"{"true" if rows.upto(5) < 2 else "false"}"^^<{_XSD}boolean>'),
            (_A["age"], _whole(rows.upto(90))),
            (_A["observedIn"], _id("jurisdiction", f"C{rows.upto(60)}")),
            (_A["reported"], _whole(15_000 + rows.upto(5_500))),
            (_A["caseNumber"], f'"{10_000_000 + at}"'),
            (_SOURCE, source),
        )


def _harvest(rows: _Rows, kind: str, at: int) -> tuple[str, str]:
    """Begin a batch of harvested rows: it has a graph of its own, of which another says whence it came."""
    graph, source = _graph(f"{kind}/{at}"), _source(rows, kind, at)
    rows.add(
        _graph("harvests"), graph, (_TYPE, _A["Harvest"]), (_SOURCE, source), (_A["harvested"], _whole(20_000 + at))
    )
    return graph, source


LOOKUP, JOIN, PATH, AGGREGATE = "lookup", "join", "path", "aggregate"


@dataclass(frozen=True)
class Generic:
    """A query over made data."""

    name: str
    kind: str
    body: str

    @property
    def sparql(self) -> str:
        """The query with its prefixes."""
        return _PREFIXES + self.body


_PREFIXES = f"""PREFIX atmp: <{ONTOLOGY}>
PREFIX dcterms: <{_DCTERMS}>
PREFIX graph: <{GRAPH}>
PREFIX id: <{DATA}>
PREFIX rdf: <{_RDF}>
PREFIX rdfs: <{_RDFS}>
PREFIX skos: <{_SKOS}>
"""
AS_OF, PORTABLE = "as-of", "as-of, MAX of days"
GENERIC = (
    Generic("one thing", LOOKUP, f"SELECT ?p ?o {{ <{DATA}product/7> ?p ?o }}"),
    Generic(
        "star",
        JOIN,
        "SELECT ?label ?holder ?substance ?disease ?kind { ?x a atmp:Product ; rdfs:label ?label ; atmp:holder ?holder ; "
        "atmp:substance ?substance ; atmp:treats/rdfs:label ?disease . ?x a ?kind . ?kind rdfs:subClassOf ?above }",
    ),
    Generic(
        "kinds below",
        PATH,
        "SELECT (COUNT(DISTINCT ?x) AS ?n) { ?x rdf:type/rdfs:subClassOf* atmp:Kind5 }",
    ),
    Generic(
        "mean of groups",
        AGGREGATE,
        "SELECT ?where (COUNT(?o) AS ?n) (AVG(?age) AS ?mean) { ?o a atmp:SafetyObservation ; atmp:observedIn ?where ; "
        "atmp:age ?age } GROUP BY ?where",
    ),
    Generic(
        "here, not there",
        JOIN,
        f"SELECT ?x ?label {{ ?a atmp:jurisdiction <{DATA}jurisdiction/EU> ; atmp:authorisationOf ?x . "
        f"?x rdfs:label ?label MINUS {{ ?b atmp:jurisdiction <{DATA}jurisdiction/US> ; atmp:authorisationOf ?x }} }}",
    ),
    Generic(
        "whence a row came",
        LOOKUP,
        f'SELECT ?trial ?g ?title ?day {{ GRAPH ?g {{ ?trial atmp:studies <{DATA}product/3> ; atmp:phase "phase-2" }} '
        f"GRAPH <{GRAPH}harvests> {{ ?g dcterms:source ?source ; atmp:harvested ?day }} "
        f"GRAPH <{GRAPH}source> {{ ?source dcterms:title ?title }} }}",
    ),
    Generic(
        "text",
        JOIN,
        "SELECT ?trial ?label { ?trial a atmp:ClinicalTrial ; rdfs:label ?label "
        'FILTER(REGEX(STR(?label), "aav.*haemophilia", "i")) }',
    ),
    Generic(
        "first ten",
        AGGREGATE,
        "SELECT ?x (COUNT(?o) AS ?n) { ?o atmp:suspect ?x ; atmp:serious true } GROUP BY ?x ORDER BY DESC(?n) ?x LIMIT 10",
    ),
    Generic(
        "how many different",
        AGGREGATE,
        f"SELECT (COUNT(DISTINCT ?r) AS ?n) {{ ?o atmp:outcome <{DATA}outcome/death> ; atmp:reaction ?r }}",
    ),
    Generic(
        AS_OF,
        JOIN,
        "SELECT ?x ?where ?status { ?i a atmp:StatusInterval ; atmp:fromDay ?from ; atmp:untilDay ?until ; "
        "atmp:status ?status ; atmp:authorisation ?a FILTER(?from <= 15000 && 15000 < ?until) "
        "?a atmp:authorisationOf ?x ; atmp:jurisdiction ?where }",
    ),
    Generic(
        "diseases below",
        PATH,
        f"SELECT ?trial ?disease {{ ?disease skos:broader+ <{DATA}disease/2> . ?trial atmp:condition ?disease ; "
        'atmp:phase "phase-3" }',
    ),
    Generic(
        "kind by phase",
        AGGREGATE,
        "SELECT ?kind ?phase (COUNT(DISTINCT ?t) AS ?n) (SUM(?e) AS ?people) { ?t atmp:studies ?x ; atmp:phase ?phase ; "
        "atmp:enrolment ?e . ?x a ?kind . ?kind rdfs:subClassOf ?above } GROUP BY ?kind ?phase "
        "HAVING(COUNT(DISTINCT ?t) > 2)",
    ),
)
# the same answer as AS_OF without intervals, as one would write it for any store
MAX_OF_DAYS = Generic(
    PORTABLE,
    JOIN,
    "SELECT ?x ?where ?status { { SELECT ?a (MAX(?d) AS ?last) { ?any a atmp:RegulatoryEvent ; atmp:authorisation ?a ; "
    "atmp:day ?d FILTER(?d <= 15000) } GROUP BY ?a } ?e a atmp:RegulatoryEvent ; atmp:authorisation ?a ; atmp:day ?last ; "
    "atmp:status ?status . ?a atmp:authorisationOf ?x ; atmp:jurisdiction ?where }",
)
