"""From records to N-Quads: one row is one node, one column is one property, one table is one graph.

A date is a node of its own, described once in the graph ``dates``: its text, precision, first and last day.
The table descriptions go into the graph ``tables`` in the CSVW vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from atmpkg.dates import CalendarDate, day_number
from atmpkg.names import DATA, ONTOLOGY, Names, data_iri, graph_iri
from atmpkg.records import Record, literal
from atmpkg.tables import Column, Table

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDFS = "http://www.w3.org/2000/01/rdf-schema#"
_DCTERMS = "http://purl.org/dc/terms/"
_CSVW = "http://www.w3.org/ns/csvw#"
_TYPE = f"<{_RDF}type>"
_IDENTIFIER = f"<{_DCTERMS}identifier>"


def quads(records: Iterable[Record], names: Names) -> Iterator[str]:
    """Yield the N-Quads lines of the records, then those of the dates they name."""
    dates: dict[str, CalendarDate] = {}
    heads: dict[str, tuple[str, str, str]] = {}
    for record in records:
        table = record.table.name
        if table not in heads:
            rdf_class = names.expand(record.table.rdf_class)
            heads[table] = (f"<{DATA}{table}/", f" {_TYPE} <{rdf_class}>", f" <{graph_iri(table)}> .\n")
        prefix, typed, graph = heads[table]
        subject = f"{prefix}{record.id}>"
        lines = [f'{subject}{typed}{graph}{subject} {_IDENTIFIER} "{record.id}"{graph}']
        lines += [f"{subject} {predicate} {term}{graph}" for predicate, term in record.values]
        yield "".join(lines)
        for date in record.dates:
            dates[date.text] = date
    for text in sorted(dates):
        yield from date_quads(dates[text])


def date_quads(date: CalendarDate) -> Iterator[str]:
    """Yield the lines that describe a date: text, precision, first and last day and their numbers."""
    yield from _lines(
        f"{DATA}date/{date.text}",
        "dates",
        [
            (_TYPE, f"<{ONTOLOGY}CalendarDate>"),
            (f"<{_RDFS}label>", literal(date.text)),
            (f"<{ONTOLOGY}precision>", literal(date.precision)),
            (f"<{ONTOLOGY}earliest>", literal(date.earliest.isoformat(), "date")),
            (f"<{ONTOLOGY}latest>", literal(date.latest.isoformat(), "date")),
            (f"<{ONTOLOGY}firstDay>", literal(str(day_number(date.earliest)), "integer")),
            (f"<{ONTOLOGY}lastDay>", literal(str(day_number(date.latest)), "integer")),
        ],
    )


def description_quads(tables: Mapping[str, Table], names: Names) -> Iterator[str]:
    """Yield the lines that describe the tables and their columns (CSVW), for queries and data dictionaries."""
    for table in tables.values():
        node = data_iri("table", table.name)
        yield from _lines(
            node,
            "tables",
            [
                (_TYPE, f"<{_CSVW}Table>"),
                (_IDENTIFIER, literal(table.name)),
                (f"<{_DCTERMS}title>", literal(table.title)),
                (f"<{_DCTERMS}description>", literal(table.meaning)),
                (f"<{_CSVW}aboutUrl>", literal(f"{DATA}{table.name}/{{id}}")),
                (f"<{ONTOLOGY}rowClass>", f"<{names.expand(table.rdf_class)}>"),
                (f"<{ONTOLOGY}rowGraph>", f"<{graph_iri(table.name)}>"),
            ],
        )
        for column in table.columns:
            about = data_iri("column", f"{table.name}.{column.name}")
            values = [
                (_TYPE, f"<{_CSVW}Column>"),
                (f"<{_CSVW}name>", literal(column.name)),
                (f"<{_CSVW}titles>", literal(column.title)),
                (f"<{_DCTERMS}description>", literal(column.meaning)),
                (f"<{_CSVW}required>", literal("true" if column.required else "false", "boolean")),
                (f"<{ONTOLOGY}columnKind>", literal(column.kind)),
            ]
            if column.property:
                values.append((f"<{_CSVW}propertyUrl>", f"<{names.expand(column.property)}>"))
            yield from _lines(about, "tables", values)
            yield from _lines(node, "tables", [(f"<{_CSVW}column>", f"<{about}>")])


_DATATYPES = {"number": "decimal", "flag": "boolean", "link": "anyURI"}


def csvw_metadata(tables: Mapping[str, Table], names: Names) -> dict[str, object]:
    """Return the CSVW metadata (W3C "Metadata Vocabulary for Tabular Data") of all tables as a JSON object."""
    return {
        "@context": "http://www.w3.org/ns/csvw",
        "dialect": {"delimiter": "\t", "quoteChar": None, "header": True, "encoding": "utf-8"},
        "tables": [
            {
                "url": f"{table.name}.tsv",
                "dc:title": table.title,
                "dc:description": table.meaning,
                "tableSchema": {
                    "aboutUrl": f"{DATA}{table.name}/{{id}}",
                    "primaryKey": "id",
                    "columns": [_csvw_column(column, names) for column in table.columns],
                    "foreignKeys": [
                        {
                            "columnReference": column.name,
                            "reference": {"resource": f"{column.table}.tsv", "columnReference": "id"},
                        }
                        for column in table.columns
                        if column.kind == "row" and not column.many
                    ],
                },
            }
            for table in tables.values()
        ],
    }


def _csvw_column(column: Column, names: Names) -> dict[str, object]:
    about: dict[str, object] = {
        "name": column.name,
        "titles": column.name,
        "dc:description": column.meaning,
        "required": column.required,
    }
    if column.property:
        about["propertyUrl"] = names.expand(column.property)
    if column.many:
        about["separator"] = "|"
    if column.kind == "code":
        about["datatype"] = {"base": "string", "format": "|".join(column.values)}
    else:
        about["datatype"] = _DATATYPES.get(column.kind, "string")
    if column.kind == "row":
        about["valueUrl"] = f"{DATA}{column.table}/{{{column.name}}}"
    return about


def _lines(subject: str, graph: str, values: Iterable[tuple[str, str]]) -> Iterator[str]:
    end = f" <{graph_iri(graph)}> .\n"
    for predicate, term in values:
        yield f"<{subject}> {predicate} {term}{end}"
