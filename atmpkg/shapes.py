"""Shapes: SHACL for every kind of node, and pySHACL's findings as Problems.

What the table descriptions say (required, many, kind, values) becomes shapes here, so that nobody writes it twice;
what they cannot say stands in ``ontology/shapes/*.ttl``. Every shape has an ``sh:message`` that says what is expected.
A shape without a path of its own names with ``dcterms:subject`` the property at which its faults are shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from atmpkg.checks import placed
from atmpkg.errors import DataError, Problem, StoreError, one_of, quoted
from atmpkg.names import DATA, ID_PATTERN, ONTOLOGY, Names
from atmpkg.records import may_be_missing
from atmpkg.stores import Store, solutions
from atmpkg.tables import Column, Table
from atmpkg.terms import Terms

if TYPE_CHECKING:
    import rdflib
    from rdflib.term import Node

GENERATED = "tables.ttl"
SHAPE = "https://w3id.org/atmpkg/shape/"
_SH = "http://www.w3.org/ns/shacl#"
_SUBJECT = "http://purl.org/dc/terms/subject"
_PART_OF = "http://purl.org/dc/terms/isPartOf"
_PREFIXES = {
    "atmp": ONTOLOGY,
    "csvw": "http://www.w3.org/ns/csvw#",
    "dcterms": "http://purl.org/dc/terms/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "row": f"{SHAPE}row/",
    "schema": "https://schema.org/",
    "sh": _SH,
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_LOCAL = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_ABSENCE = "[ sh:alternativePath ( atmp:unknownFor atmp:notApplicableFor atmp:confidentialFor ) ]"
_EVERYTHING = "SELECT ?s ?p ?o { ?s ?p ?o }"


def table_shapes(tables: Mapping[str, Table], names: Names, terms: Terms) -> Iterator[str]:
    """Yield, in Turtle, the shapes that the table descriptions imply: one for each table and each column."""
    yield from (f"@prefix {prefix}: <{uri}> .\n" for prefix, uri in _PREFIXES.items())
    for table in tables.values():
        yield from _table(table, tables, names, terms)


def findings(
    store: Store, folders: Iterable[Path], tables: Mapping[str, Table], names: Names, terms: Terms
) -> Iterator[Problem]:
    """Validate a store with the shapes of the tables and of the folders; yield a Problem for each finding.

    Needs ``atmpkg[shacl]``; raises StoreError where it is missing, and DataError where a shape cannot be read.
    """
    try:
        import pyshacl
        from pyshacl.errors import ReportableRuntimeError, ValidationFailure
    except ImportError:
        raise StoreError(
            "cannot check the shapes: pyshacl is not installed. Install it: pip install 'atmpkg[shacl]'."
        ) from None
    shapes = _shapes(folders, tables, names, terms)
    data = _copy(store)
    try:
        _, report, _ = pyshacl.validate(data, shacl_graph=shapes, inference="none")
        if isinstance(report, ValidationFailure):
            raise report
    except (ReportableRuntimeError, ValidationFailure) as error:
        fault = str(error).partition("\n")[0]
        raise DataError([Problem("ontology/shapes", 0, "", quoted(fault, 200), "SHACL that can be read")]) from None
    yield from sorted(_Report(report, shapes, data, tables, names).problems())


def _table(table: Table, tables: Mapping[str, Table], names: Names, terms: Terms) -> Iterator[str]:
    own = f"row:{table.name}"
    target = _term(names.expand(table.rdf_class))
    iri = re.escape(f"{DATA}{table.name}/") + ID_PATTERN
    columns = " , ".join(f"{own}.{column.name}" for column in table.columns)
    yield f"""
# {" ".join(f"{table.title}: {table.meaning}".split())}
{own} a sh:NodeShape ;
    sh:targetClass {target} ;
    sh:nodeKind sh:IRI ;
    sh:pattern {_text(f"^{iri}$")} ;
    sh:message {_text(f"a row of table {table.name}")} ;
    sh:property {columns} .
"""
    for column in table.columns:
        path = "dcterms:identifier" if column.kind == "id" else _term(names.expand(column.property))
        extra = 1 if path == "rdf:type" else 0  # the class of the table stands beside the kind
        lines = [f"sh:path {path}", f"sh:name {_text(column.title)}", *_kind(column, table, tables, names, terms)]
        if column.kind == "id" or (column.required and not may_be_missing(column)):
            lines.append("sh:minCount 1")
        if not column.many:
            lines.append(f"sh:maxCount {1 + extra}")
        yield f"{own}.{column.name} a sh:PropertyShape ;\n    " + " ;\n    ".join(lines) + " .\n"
        if column.required and may_be_missing(column):
            yield (
                f"{own}.{column.name}-required a sh:NodeShape ;\n"
                f"    sh:targetClass {target} ;\n"
                f"    dcterms:subject {path} ;\n"
                f"    sh:or ( [ sh:path {path} ; sh:minCount {1 + extra} ]"
                f" [ sh:path {_ABSENCE} ; sh:hasValue {path} ] ) ;\n"
                '    sh:message "a value" .\n'
            )


def _kind(column: Column, table: Table, tables: Mapping[str, Table], names: Names, terms: Terms) -> Iterator[str]:
    """Yield the constraints of a column's kind, and the message that says what is expected."""
    pattern = column.pattern
    expected = f"text of the form {pattern}" if pattern else "text"
    match column.kind:
        case "id":
            pattern = pattern or ID_PATTERN
            expected = f"an id of the form {pattern}"
            yield "sh:datatype xsd:string"
        case "number":
            yield "sh:or ( [ sh:datatype xsd:integer ] [ sh:datatype xsd:decimal ] )"
            expected = "a number"
        case "date":
            yield "sh:class atmp:CalendarDate"
            expected = "a date"
        case "flag":
            yield "sh:datatype xsd:boolean"
            expected = "yes or no"
        case "code":
            yield "sh:in ( " + " ".join(map(_text, column.values)) + " )"
            expected = one_of(column.values)
        case "link":
            pattern, expected = "https?://.+", "a web address"
            yield "sh:nodeKind sh:IRI"
        case "term":
            known = terms.notations.get(names.expand(column.under), {})
            values = [_term(iri) for iri in sorted(set(known.values()))]
            own = [_term(names.expand(table.rdf_class))] if column.property == "rdf:type" else []
            yield "sh:in ( " + " ".join([*own, *values]) + " )"
            expected = f"a term below {column.under}"
        case "table":
            yield "sh:class csvw:Table"
            expected = "a table"
        case "row":
            yield f"sh:class {_term(names.expand(tables[column.table].rdf_class))}"
            expected = f"a row of table {column.table}"
        case "any-row":
            yield "sh:nodeKind sh:IRI"
            pattern = re.escape(DATA) + f"({'|'.join(tables)})/{ID_PATTERN}"
            expected = "a row of one of the tables"
        case "curie":
            yield "sh:nodeKind sh:IRI"
            pattern = f"({'|'.join(re.escape(names.uris[prefix]) for prefix in column.prefixes)}).+"
            expected = "a CURIE with prefix " + one_of(column.prefixes)
        case _:
            yield "sh:datatype xsd:string ;\n    sh:minLength 1"
    if pattern:
        yield f"sh:pattern {_text(f'^({pattern})$')}"
    yield f"sh:message {_text(expected)}"


def _term(iri: str) -> str:
    """Write an IRI in Turtle, short where a prefix is declared above."""
    for prefix, uri in _PREFIXES.items():
        if iri.startswith(uri) and _LOCAL.fullmatch(iri[len(uri) :]):
            return f"{prefix}:{iri[len(uri) :]}"
    return f"<{iri}>"


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _shapes(folders: Iterable[Path], tables: Mapping[str, Table], names: Names, terms: Terms) -> rdflib.Graph:
    import rdflib

    shapes = rdflib.Graph()
    shapes.parse(data="".join(table_shapes(tables, names, terms)), format="turtle")
    paths = {path.name: path for folder in folders for path in sorted(folder.glob("*.ttl"))}
    for name, path in paths.items():
        if name != GENERATED:
            shapes.parse(data=_turtle(path), format="nt")
    _flatten(shapes)
    return shapes


def _turtle(path: Path) -> bytes:
    """Read a Turtle file as N-Triples; raise DataError with the line where it is none."""
    import pyoxigraph as ox

    try:
        triples = [
            quad.triple for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE, rename_blank_nodes=True)
        ]
    except SyntaxError as error:
        raise DataError([Problem(path.name, error.lineno or 0, "", quoted(str(error.msg)), "Turtle")]) from None
    return ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b""


def _flatten(shapes: rdflib.Graph) -> None:
    """Give the targets of a shape to its property shapes, which means the same.

    pySHACL validates a targeted property shape for all its nodes at once, and one below a node shape node by node,
    which takes three times as long.
    """
    from rdflib import SH, URIRef

    for shape, part in list(shapes.subject_objects(SH.property)):
        kinds = (SH.targetClass, SH.targetSubjectsOf) if (part, SH.path, None) in shapes else ()
        targets = [(p, o) for p in kinds for o in shapes.objects(shape, p)]
        for predicate, target in targets:
            shapes.add((part, predicate, target))
        if targets:
            shapes.remove((shape, SH.property, part))
            shapes.add((part, URIRef(_PART_OF), shape))


def _copy(store: Store) -> rdflib.Graph:
    """Copy the union of the graphs into rdflib, but for the blank nodes, which only the ontology's axioms have."""
    import pyoxigraph as ox
    import rdflib

    result = store.query(_EVERYTHING)
    assert isinstance(result, ox.QuerySolutions)
    iris: dict[str, rdflib.URIRef] = {}
    datatypes: dict[str, rdflib.URIRef | None] = {str(rdflib.XSD.string): None}

    def node(term: object) -> rdflib.URIRef | rdflib.Literal:
        if isinstance(term, ox.Literal):
            kind = term.datatype.value
            datatype = datatypes.setdefault(kind, rdflib.URIRef(kind))
            if term.language:
                return rdflib.Literal(term.value, lang=term.language)
            return rdflib.Literal(term.value, datatype=datatype)
        assert isinstance(term, ox.NamedNode)
        return iris.setdefault(term.value, rdflib.URIRef(term.value))

    graph = rdflib.Graph()
    for solution in solutions(result):
        if not any(isinstance(term, ox.BlankNode) for term in solution):
            subject, predicate, value = (node(term) for term in solution)
            graph.add((subject, predicate, value))
    return graph


class _Report:
    """Reads a validation report: where, what was found, what was expected."""

    def __init__(
        self,
        report: rdflib.Graph,
        shapes: rdflib.Graph,
        data: rdflib.Graph,
        tables: Mapping[str, Table],
        names: Names,
    ) -> None:
        self.report, self.shapes, self.data, self.tables, self.names = report, shapes, data, tables, names

    def problems(self) -> Iterator[Problem]:
        from rdflib import RDF, SH

        for result in self.report.subjects(RDF.type, SH.ValidationResult):
            focus = self._value(result, SH.focusNode)
            path = self._path(result)
            shape = self._value(result, SH.sourceShape)
            component = str(self._value(result, SH.sourceConstraintComponent)).removeprefix(_SH)
            expected = str(self._value(result, SH.resultMessage))
            if component.startswith("MaxCount"):
                expected = f"at most {self.shapes.value(shape, SH.maxCount)}"
            expected += f" ({str(self._named(shape)).removeprefix(SHAPE).removeprefix('row/')})"
            found = self._found(result, focus, path, component)
            yield placed(str(focus), self._column(str(focus), path), found, expected, self.tables)

    def _value(self, result: Node, predicate: rdflib.URIRef) -> Node | None:
        return self.report.value(result, predicate)

    def _path(self, result: Node) -> Node | None:
        """Return the property at which a finding is shown: its path, or what the shape says it is about."""
        from rdflib import SH, URIRef

        path = self._value(result, SH.resultPath)
        if isinstance(path, URIRef):
            return path
        shape = self._named(self._value(result, SH.sourceShape))
        return self.shapes.value(shape, URIRef(_SUBJECT)) if shape else None

    def _named(self, shape: Node | None) -> Node | None:
        """Return a shape, or the one that it is part of where it has no name."""
        from rdflib import URIRef

        return shape if shape is None or isinstance(shape, URIRef) else self.shapes.value(shape, URIRef(_PART_OF))

    def _found(self, result: Node, focus: Node | None, path: Node | None, component: str) -> str:
        from rdflib import SH, Literal

        value = self._value(result, SH.value)
        if component.startswith("MaxCount") and focus and path:
            return f"{len(set(self.data.objects(focus, path)))} values"
        if path and (value is None or value == focus):
            value = self.data.value(focus, path)
        if value is None:
            return "nothing"
        return quoted(str(value)) if isinstance(value, Literal) else self.names.compact(str(value))

    def _column(self, focus: str, path: Node | None) -> str:
        """Return the column of the row that a property stands for; elsewhere the property itself."""
        if path is None:
            return ""
        table = self.tables.get(focus.removeprefix(DATA).partition("/")[0]) if focus.startswith(DATA) else None
        curie = self.names.compact(str(path))
        if curie == "dcterms:identifier" and table:
            return "id"
        return next((c.name for c in table.columns if c.property == curie), curie) if table else curie
