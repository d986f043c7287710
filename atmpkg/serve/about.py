"""What the graph says of itself: service description, VoID, prefixes and example queries, as RDF.

Vocabularies: https://www.w3.org/TR/sparql11-service-description/, https://www.w3.org/TR/void/, its statistics by class
as https://ldf.fi/void-ext# has them, and the SIB examples (https://github.com/sib-swiss/sparql-examples), which YASGUI
and the SIB editor read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import atmpkg
from atmpkg.errors import AtmpkgError
from atmpkg.names import ONTOLOGY, graph_iri
from atmpkg.stores import rows

if TYPE_CHECKING:
    from atmpkg.graph import KnowledgeGraph
    from atmpkg.queries import Query
    from atmpkg.stores import Store

_LARGE = 3_000_000  # quads beyond which counting by class would take minutes
DATASET = "https://w3id.org/atmpkg/"
LICENCE = "https://creativecommons.org/licenses/by/4.0/"
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDFS = "http://www.w3.org/2000/01/rdf-schema#"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_DCTERMS = "http://purl.org/dc/terms/"
_VOID = "http://rdfs.org/ns/void#"
_VOIDEXT = "http://ldf.fi/void-ext#"
_SD = "http://www.w3.org/ns/sparql-service-description#"
_SH = "http://www.w3.org/ns/shacl#"
_SCHEMA = "https://schema.org/"
_FORMATS = "http://www.w3.org/ns/formats/"
_WRITTEN = (
    "SPARQL_Results_JSON", "SPARQL_Results_XML", "SPARQL_Results_CSV", "SPARQL_Results_TSV",
    "Turtle", "N-Triples", "N-Quads", "TriG", "RDF_XML", "JSON-LD",
)  # fmt: skip
PREFIXES = {
    "void": _VOID, "void-ext": _VOIDEXT, "sd": _SD, "sh": _SH, "dcterms": _DCTERMS, "rdfs": _RDFS, "xsd": _XSD,
    "schema": _SCHEMA, "formats": _FORMATS,
}  # fmt: skip

_GRAPHS = "SELECT ?graph (COUNT(*) AS ?n) { GRAPH ?graph { ?s ?p ?o } } GROUP BY ?graph ORDER BY ?graph"
_SUBJECTS = "SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s ?p ?o }"
_OBJECTS = "SELECT (COUNT(DISTINCT ?o) AS ?n) { ?s ?p ?o }"
_CLASSES = (
    "SELECT ?class (COUNT(DISTINCT ?s) AS ?n) { ?s a ?class FILTER(isIRI(?class)) } GROUP BY ?class ORDER BY ?class"
)
_PROPERTIES = "SELECT ?property (COUNT(*) AS ?n) { ?s ?property ?o } GROUP BY ?property ORDER BY ?property"
_LINKS = """
SELECT ?class ?property ?other (COUNT(*) AS ?n) {
  ?s a ?class ; ?property ?o . ?o a ?other FILTER(isIRI(?class) && isIRI(?other))
}
GROUP BY ?class ?property ?other ORDER BY ?class ?property ?other
"""
_VALUES = """
SELECT ?class ?property ?other (COUNT(*) AS ?n) {
  ?s a ?class ; ?property ?o FILTER(isIRI(?class) && isLiteral(?o)) BIND(DATATYPE(?o) AS ?other)
}
GROUP BY ?class ?property ?other ORDER BY ?class ?property ?other
"""


@dataclass(frozen=True)
class Facts:
    """Counts of what is in a graph; IRIs to numbers."""

    quads: int
    graphs: Mapping[str, int] = field(default_factory=dict)
    subjects: int = 0
    objects: int = 0
    classes: Mapping[str, int] = field(default_factory=dict)
    properties: Mapping[str, int] = field(default_factory=dict)
    links: Mapping[tuple[str, str, str], int] = field(default_factory=dict)  # class, property, class of the object
    values: Mapping[tuple[str, str, str], int] = field(default_factory=dict)  # class, property, datatype

    @classmethod
    def of(cls, store: Store) -> Facts:
        """Count; of a large graph only what is quickly counted."""

        def counted(query: str, *names: str) -> Iterator[tuple[tuple[str, ...], int]]:
            return ((tuple(row[name] for name in names), int(row["n"])) for row in rows(store, query))

        quads = len(store)
        graphs = {name: n for (name,), n in counted(_GRAPHS, "graph")}
        if quads > _LARGE:
            return cls(quads, graphs)
        three = ("class", "property", "other")
        return cls(
            quads,
            graphs,
            next(n for _, n in counted(_SUBJECTS)),
            next(n for _, n in counted(_OBJECTS)),
            {name: n for (name,), n in counted(_CLASSES, "class")},
            {name: n for (name,), n in counted(_PROPERTIES, "property")},
            {(a, b, c): n for (a, b, c), n in counted(_LINKS, *three)},
            {(a, b, c): n for (a, b, c), n in counted(_VALUES, *three)},
        )


class _Triples:
    """Writes triples as N-Triples."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._blank = 0

    def add(self, subject: str, *pairs: tuple[str, str]) -> None:
        """Add statements about a subject; every term is in N-Triples syntax, predicates are plain IRIs."""
        self.lines += [f"{subject} <{predicate}> {term} .\n" for predicate, term in pairs]

    def blank(self) -> str:
        """Return a new blank node."""
        self._blank += 1
        return f"_:v{self._blank}"

    def text(self) -> str:
        """Return all of it."""
        return "".join(self.lines)


def _iri(iri: str) -> str:
    return f"<{iri}>"


def _text(text: str, language: str = "") -> str:
    escaped = text.translate(_ESCAPES)
    return f'"{escaped}"' + (f"@{language}" if language else "")


def _number(number: int) -> str:
    return f'"{number}"^^<{_XSD}integer>'


def _dataset(out: _Triples, facts: Facts, base: str, modified: str, *, whole: bool = True) -> None:
    """Describe the dataset; the partitions by class only in ``whole``."""
    dataset = _iri(DATASET)
    out.add(
        dataset,
        (f"{_RDF}type", _iri(f"{_VOID}Dataset")),
        (f"{_DCTERMS}title", _text("atmpkg: knowledge graph of advanced therapy medicinal products", "en")),
        (f"{_DCTERMS}license", _iri(LICENCE)),
        (f"{_DCTERMS}modified", f'"{modified}"^^<{_XSD}dateTime>'),
        (f"{_DCTERMS}hasVersion", _text(atmpkg.__version__)),
        (f"{_VOID}sparqlEndpoint", _iri(f"{base}/sparql")),
        (f"{_VOID}dataDump", _iri(f"{base}/graphs")),
        (f"{_VOID}uriSpace", _text(f"{DATASET}id/")),
        (f"{_VOID}vocabulary", _iri(ONTOLOGY)),
        (f"{_VOID}triples", _number(facts.quads)),
    )
    if facts.subjects:
        out.add(
            dataset,
            (f"{_VOID}distinctSubjects", _number(facts.subjects)),
            (f"{_VOID}distinctObjects", _number(facts.objects)),
            (f"{_VOID}classes", _number(len(facts.classes))),
            (f"{_VOID}properties", _number(len(facts.properties))),
        )
    if whole:
        _partitions(out, dataset, facts)


def _partitions(out: _Triples, dataset: str, facts: Facts) -> None:
    classes = {}
    for name, number in facts.classes.items():
        node = classes[name] = out.blank()
        out.add(dataset, (f"{_VOID}classPartition", node))
        out.add(node, (f"{_VOID}class", _iri(name)), (f"{_VOID}entities", _number(number)))
    for name, number in facts.properties.items():
        node = out.blank()
        out.add(dataset, (f"{_VOID}propertyPartition", node))
        out.add(node, (f"{_VOID}property", _iri(name)), (f"{_VOID}triples", _number(number)))
    parts: dict[tuple[str, str], str] = {}
    for counts, partition, about in (
        (facts.links, f"{_VOID}classPartition", f"{_VOID}class"),
        (facts.values, f"{_VOIDEXT}datatypePartition", f"{_VOIDEXT}datatype"),
    ):
        for (name, property, other), number in counts.items():
            if (part := parts.get((name, property))) is None:
                part = parts[name, property] = out.blank()
                out.add(classes[name], (f"{_VOID}propertyPartition", part))
                out.add(part, (f"{_VOID}property", _iri(property)))
            node = out.blank()
            out.add(part, (partition, node))
            out.add(node, (about, _iri(other)), (f"{_VOID}triples", _number(number)))


def void(facts: Facts, base: str, modified: str) -> str:
    """Describe the dataset in N-Triples; ``base``: public address, ``modified``: xsd:dateTime."""
    out = _Triples()
    _dataset(out, facts, base, modified)
    for name, number in facts.graphs.items():
        out.add(_iri(DATASET), (f"{_VOID}subset", _iri(name)))
        out.add(_iri(name), (f"{_RDF}type", _iri(f"{_VOID}Dataset")), (f"{_VOID}triples", _number(number)))
    return out.text()


def service_description(facts: Facts, endpoint: str, base: str, modified: str, *, writable: bool) -> str:
    """Describe the service in N-Triples; ``endpoint`` is the address that was asked."""
    out = _Triples()
    service, graphs = _iri(endpoint), out.blank()
    languages = ["SPARQL11Query", "SPARQL10Query", *(["SPARQL11Update"] if writable else [])]
    out.add(
        service,
        (f"{_RDF}type", _iri(f"{_SD}Service")),
        (f"{_SD}endpoint", service),
        *((f"{_SD}supportedLanguage", _iri(f"{_SD}{language}")) for language in languages),
        *((f"{_SD}resultFormat", _iri(f"{_FORMATS}{name}")) for name in _WRITTEN),
        *((f"{_SD}inputFormat", _iri(f"{_FORMATS}{name}")) for name in _WRITTEN[4:] if writable),
        (f"{_SD}feature", _iri(f"{_SD}UnionDefaultGraph")),
        (f"{_SD}defaultEntailmentRegime", _iri("http://www.w3.org/ns/entailment/Simple")),
        (f"{_SD}defaultDataset", _iri(DATASET)),
        (f"{_SD}availableGraphs", graphs),
    )
    _dataset(out, facts, base, modified, whole=False)
    default = out.blank()
    out.add(_iri(DATASET), (f"{_RDF}type", _iri(f"{_SD}Dataset")), (f"{_SD}defaultGraph", default))
    out.add(default, (f"{_RDF}type", _iri(f"{_SD}Graph")), (f"{_VOID}triples", _number(facts.quads)))
    out.add(graphs, (f"{_RDF}type", _iri(f"{_SD}GraphCollection")))
    for name, number in facts.graphs.items():
        named, graph = out.blank(), out.blank()
        for holder in (_iri(DATASET), graphs):
            out.add(holder, (f"{_SD}namedGraph", named))
        out.add(
            named,
            (f"{_RDF}type", _iri(f"{_SD}NamedGraph")),
            (f"{_SD}name", _iri(name)),
            (f"{_SD}graph", graph),
        )
        out.add(graph, (f"{_RDF}type", _iri(f"{_SD}Graph")), (f"{_VOID}triples", _number(number)))
    return out.text()


def prefixes(uris: Mapping[str, str]) -> str:
    """Declare prefixes in N-Triples, as SHACL does."""
    out, node = _Triples(), _iri(f"{DATASET}prefixes")
    for prefix, uri in uris.items():
        declared = out.blank()
        out.add(node, (f"{_SH}declare", declared))
        out.add(declared, (f"{_SH}prefix", _text(prefix)), (f"{_SH}namespace", f"{_text(uri)}^^<{_XSD}anyURI>"))
    return out.text()


def examples(kg: KnowledgeGraph, base: str) -> str:
    """Write every question as an example query in N-Triples."""
    out = _Triples()
    for question in sorted(kg.questions.values(), key=lambda q: (q.pack, q.name)):
        node = _iri(f"{DATASET}example/{question.pack}/{question.name}")
        keywords = (question.pack, *question.words("keywords"))
        out.add(
            node,
            (f"{_RDF}type", _iri(f"{_SH}SPARQLExecutable")),
            (f"{_RDF}type", _iri(f"{_SH}SPARQLSelectExecutable")),
            (f"{_RDFS}label", _text(question.title, "en")),
            (f"{_RDFS}comment", _text(question.text("answers") or question.title, "en")),
            (f"{_SH}prefixes", _iri(f"{DATASET}prefixes")),
            (f"{_SH}select", _text(example(kg, question))),
            (f"{_SCHEMA}target", _iri(f"{base}/sparql")),
            *((f"{_SCHEMA}keywords", _text(word, "en")) for word in dict.fromkeys(keywords)),
        )
    return out.text()


def example(kg: KnowledgeGraph, question: Query) -> str:
    """Return the SPARQL of a question, with its example filled in where that can be, without its header."""
    given = question.header.get("example")
    try:
        return kg.sparql(question.name, **{str(k): v for k, v in given.items()} if isinstance(given, dict) else {})
    except AtmpkgError:  # another graph than ours does not know the things of the example
        return question.body


def served_graphs(kg: KnowledgeGraph, facts: Facts, base: str, modified: str) -> Iterator[tuple[str, str]]:
    """Yield the graphs that a served graph holds besides the built ones: name and N-Triples."""
    yield graph_iri("endpoint"), void(facts, base, modified)
    yield graph_iri("prefixes"), prefixes(kg.names.uris)
    yield graph_iri("examples"), examples(kg, base)
