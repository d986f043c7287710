"""The knowledge graph that users open: questions, queries, search, pages."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import atmpkg
from atmpkg.answers import Answer, Remarks, from_result
from atmpkg.dates import from_day_number
from atmpkg.errors import AtmpkgError, DataError, StoreError, UsageError, nearest, quoted
from atmpkg.names import DATA, Names
from atmpkg.parameters import Resolver
from atmpkg.project import Project
from atmpkg.queries import AnswerColumn, Parameter, Query, find_query, read_queries
from atmpkg.search import Index
from atmpkg.stores import Store, is_address, nquads, rows

if TYPE_CHECKING:
    import networkx as nx
    from rdflib import Dataset

    from atmpkg.stores import Result
    from atmpkg.tables import Table
    from atmpkg.views import Graph, View

Say = Callable[[str], None]

_SURVEYS = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT ?table ?jurisdiction ?until ?whole ?complete {
  ?survey a atmp:Survey ; atmp:surveyedTable/dcterms:identifier ?table ; atmp:knowledgeUntil/atmp:latest ?until ;
    atmp:whole ?whole ; atmp:complete ?complete .
  OPTIONAL { ?survey atmp:jurisdiction ?jurisdiction }
}
"""
_AREAS = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
SELECT ?area { ?reach atmp:reaches <%s> ; atmp:reachOf ?area }
"""
_UNRECORDED = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
SELECT (COUNT(DISTINCT ?product) AS ?n) {
  ?product a atmp:Product
  MINUS { VALUES ?jurisdiction { UNDEF } GRAPH <%s> { ?row atmp:product ?product %s } }
}
"""
_TABLES = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX csvw: <http://www.w3.org/ns/csvw#>
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT ?table ?title ?meaning (COALESCE(?count, 0) AS ?n) ?until {
  ?node a csvw:Table ; dcterms:identifier ?table ; dcterms:title ?title ; dcterms:description ?meaning .
  OPTIONAL {
    SELECT ?node (COUNT(?row) AS ?count) { ?node atmp:rowGraph ?g . GRAPH ?g { ?row dcterms:identifier ?id } }
    GROUP BY ?node
  }
  OPTIONAL {
    SELECT ?node (MAX(?day) AS ?until) { ?s atmp:surveyedTable ?node ; atmp:knowledgeUntil/rdfs:label ?day }
    GROUP BY ?node
  }
}
ORDER BY ?table
"""
_SOURCES = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX schema: <https://schema.org/>
SELECT ?id ?title ?url { ?source a atmp:Source ; dcterms:identifier ?id ; dcterms:title ?title ; schema:url ?url }
ORDER BY ?id
"""


class KnowledgeGraph:
    """A built graph, opened for reading."""

    def __init__(self, store: Store, project: Project, *, today: dt.date | None = None) -> None:
        self.store = store
        self.project = project
        self.today = today or dt.date.today()

    @classmethod
    def open(
        cls, *, data: Path | str | None = None, store: Path | str | None = None, say: Say = lambda line: None
    ) -> KnowledgeGraph:
        """Open a graph, building it first where its tables have changed since.

        ``data``: project folder; ``store``: folder made by ``atmpkg build --store``, or address of a SPARQL endpoint;
        ``say`` takes remarks.
        Where the tables hold problems, the last good build answers and a remark says so; without one, DataError.
        """
        project = Project.find(data)
        if isinstance(store, str) and is_address(store):
            from atmpkg.remote import Remote

            return cls(Remote.at(store), project)
        if store is not None:
            from atmpkg.build import current

            return cls(current(Path(store)).open(), project)
        return cls(_cached(project, say), project)

    @cached_property
    def names(self) -> Names:
        """The prefix map, with one prefix per table."""
        tables = {path.stem for folder in self.project.tables for path in folder.glob("*.yaml")}
        return Names.read(self.project.prefixes, tables - {"shared"})

    @cached_property
    def questions(self) -> Mapping[str, Query]:
        """All questions by name."""
        return read_queries(self.project.folders("queries", "questions"))

    def question(self, name: str) -> Query:
        """Return one question; only its file is read."""
        folders = self.project.folders("queries", "questions")
        if found := find_query(folders, name):
            return found
        known = sorted({p.stem for f in folders for p in f.rglob("*.rq")})
        hint = nearest(name, known) or ". See: atmpkg questions"
        raise UsageError(f"cannot ask {quoted(name)}: there is no such question{hint}")

    @cached_property
    def resolver(self) -> Resolver:
        """Turns given parameter values into terms."""
        return Resolver(self.store, self.names, self.today)

    @property
    def index(self) -> Index:
        """The names of all things."""
        return self.resolver.index

    def ask(self, name: str, /, **parameters: object) -> Answer:
        """Answer a question; parameter names take dash or underscore, values are text, dates, numbers or lists.

        Raises UsageError where the question, a parameter or a value is not known.
        """
        question = self.question(name)
        given = {key.replace("-", "_"): _texts(value) for key, value in parameters.items() if value is not None}
        terms = self.resolver.terms(question, given)
        result = self.store.query(question.bind(terms))
        return from_result(result, name, question.title, question.columns, self._remarks(question, given, terms))

    def sparql(self, name: str, /, **parameters: object) -> str:
        """Return the SPARQL of a question with the values filled in."""
        question = self.question(name)
        given = {key.replace("-", "_"): _texts(value) for key, value in parameters.items() if value is not None}
        return question.bind(self.resolver.terms(question, given))

    @cached_property
    def federated(self) -> Mapping[str, Query]:
        """The questions that go out to other endpoints, by name."""
        return read_queries(self.project.folders("queries", "federated"))

    def ask_elsewhere(self, name: str, *, endpoint: str = "", timeout: int = 30, **parameters: object) -> Answer:
        """Answer a federated question; ``endpoint`` takes the place of the public one that it names.

        Raises StoreError where the endpoint cannot be reached.
        """
        from atmpkg.federation import Endpoint, federated

        if name not in self.federated:
            hint = nearest(name, self.federated) or ". See: atmpkg link ask"
            raise UsageError(f"cannot ask {quoted(name)} elsewhere: there is no such question{hint}")
        question = self.federated[name]
        given = {key.replace("-", "_"): _texts(value) for key, value in parameters.items() if value is not None}
        bound = question.bind(self.resolver.terms(question, given))
        sparql = federated(self.store, bound, lambda url: Endpoint(endpoint or url, timeout=timeout))
        result = self.store.query(sparql)
        return from_result(result, name, question.title, question.columns, Remarks(release=atmpkg.__version__))

    def query(self, sparql: str) -> Result:
        """Evaluate any SPARQL 1.1 query over the union of graphs; all prefixes of the house are known."""
        return self.store.query(sparql, self.names.uris)

    def select(self, sparql: str, title: str = "query") -> Answer:
        """Evaluate a SELECT or ASK query and return its rows."""
        return from_result(self.query(sparql), title, title, (), Remarks(release=atmpkg.__version__))

    @cached_property
    def views(self) -> Mapping[str, View]:
        """All views by name."""
        from atmpkg.views import View

        return {name: View.of(query) for name, query in read_queries(self.project.folders("queries", "views")).items()}

    def graph(self, view: str, **parameters: object) -> Graph:
        """Return what a view draws, its edges read from the store when asked for; parameters are given as to ``ask``.

        Raises UsageError where the view, a parameter or a value is not known.
        """
        from atmpkg.views import Again, View, draw

        folders = self.project.folders("queries", "views")
        query = find_query(folders, view)
        if query is None:
            known = sorted({p.stem for f in folders for p in f.rglob("*.rq")})
            raise UsageError(
                f"cannot draw {quoted(view)}: there is no such view{nearest(view, known) or '. See: atmpkg views'}"
            )
        chosen = View.of(query)
        given = {key.replace("-", "_"): _texts(value) for key, value in parameters.items() if value is not None}
        terms = self.resolver.terms(chosen.query, given)
        graph = draw(chosen, self.store, self.names, terms)
        wanted = self.tables if query.words("tables") == ("all",) else query.words("tables")
        made_from = {name: Again(partial(self._rows_of, name)) for name in wanted}
        return replace(
            graph, remarks=self._remarks(chosen.query, given, terms), tables=made_from, sources=Again(self._sources)
        )

    def view(self, view: str, **parameters: object) -> nx.MultiDiGraph:
        """Return what a view draws as a networkx graph with typed attributes.

        For example: ``kg.view("product-target-disease", target="CD19", as_of="2022-01-01")``.
        """
        from atmpkg.networks import to_networkx

        return to_networkx(self.graph(view, **parameters))

    def draw(self, view: str, path: Path | str, *, format: str, **parameters: object) -> None:
        """Write what a view draws to a file (or a folder, for formats of several files), whole or not at all."""
        from atmpkg.files import Out
        from atmpkg.formats.graphs import graph_writer

        writer = graph_writer(format)
        graph = self.graph(view, **parameters)
        with Out(Path(path)) as out:
            writer(graph, out)

    def find(self, text: str) -> Answer:
        """Search things by name, brand, code, number or external id; best first."""
        columns = tuple(
            AnswerColumn(*pair)
            for pair in (
                ("id", "Id of the thing"),
                ("kind", "Table of the thing"),
                ("label", "Its label"),
                ("matched", "The name that matched"),
                ("reason", "What that name is"),
                ("score", "1 = exactly, less = in part or similar"),
            )
        )
        found = self.index.search(text)
        listed = tuple((m.id, m.kind, m.label, m.matched, m.reason, m.score) for m in found)
        return Answer("find", f"Things that {text!r} may mean", columns, listed, Remarks(release=atmpkg.__version__))

    def product(self, text: str) -> str:
        """Return the id of the product that a name means; raise UsageError where there is none or more than one."""
        term = self.resolver.resolve(Parameter("product", "product"), text)[0]
        return term.strip("<>").rsplit("/", 1)[-1]

    @cached_property
    def tables(self) -> Mapping[str, Table]:
        """The table descriptions."""
        from atmpkg.tables import read_tables

        return read_tables(self.project.tables)

    def inventory(self) -> Answer:
        """Return the tables with their rows and the day until which they were surveyed."""
        columns = tuple(
            AnswerColumn(*pair)
            for pair in (
                ("table", "Name of the table"),
                ("title", "What its rows are"),
                ("rows", "Number of rows"),
                ("known_until", "Latest day that a survey of it reaches"),
                ("meaning", "What a row says"),
            )
        )
        listed = tuple(
            (r["table"], r["title"], int(r["n"]), r["until"] or None, r["meaning"]) for r in rows(self.store, _TABLES)
        )
        return Answer("tables", "What is known", columns, listed, Remarks(release=atmpkg.__version__))

    def _rows_of(self, table: str) -> Iterator[list[str]]:
        from atmpkg.tables import texts

        return texts(self.tables[table])

    def _sources(self) -> Iterator[tuple[str, str, str]]:
        return ((row["id"], row["title"], row["url"]) for row in rows(self.store, _SOURCES))

    def sources(self, answer: Answer) -> list[tuple[str, str, str]]:
        """Return id, title and URL of every source that an answer names."""
        if "source" not in answer.names:
            return []
        at = answer.names.index("source")
        wanted = {id for row in answer.rows for id in str(row[at] or "").split("|")}
        return [source for source in self._sources() if source[0] in wanted]

    def rdflib(self) -> Dataset:
        """Return the whole graph as an rdflib Dataset (a copy) whose default graph is the union."""
        from rdflib import Dataset

        dataset = Dataset(default_union=True)
        dataset.parse(data=nquads(self.store), format="nquads")
        return dataset

    def _remarks(
        self, question: Query, given: Mapping[str, Sequence[str]], terms: Mapping[str, Sequence[str]]
    ) -> Remarks:
        tables = question.words("tables")
        asked = [p.name for p in question.parameters if p.type == "jurisdiction"]
        places = [term.strip("<>") for name in asked for term in terms.get(name, ())]
        as_of = next((_day(terms[name][0]) for name in ("as_of", "until") if terms.get(name)), self.today.isoformat())
        scope, missing = self._unrecorded(question, tables, places)
        return Remarks(
            as_of=as_of,
            knowledge_until=self._knowledge_until(tables, places),
            scope=scope,
            nothing_recorded=missing,
            release=atmpkg.__version__,
            parameters={name: tuple(values) for name, values in given.items()},
        )

    @cached_property
    def _surveys(self) -> list[dict[str, str]]:
        return list(rows(self.store, _SURVEYS))

    def _knowledge_until(self, tables: Sequence[str], places: Sequence[str]) -> str:
        """Return the day until which the first of the tables was surveyed for all the places; empty where it was not.

        A complete survey of the whole jurisdiction counts before any other; of several, the latest.
        """
        surveys = [row for row in self._surveys if row["table"] in tables[:1]]
        latest = []
        for place in places or sorted({row["jurisdiction"] for row in surveys}):
            areas = {"", place, *(row["area"] for row in rows(self.store, _AREAS % place))} if place else set()
            fitting = [row for row in surveys if not place or row["jurisdiction"] in areas]
            if not fitting:
                return ""
            sure = [row for row in fitting if row["whole"] == row["complete"] == "true"]
            latest.append(max(row["until"] for row in sure or fitting))
        return min(latest, default="")

    def _unrecorded(self, question: Query, tables: Sequence[str], places: Sequence[str]) -> tuple[str, int | None]:
        """Count the products that have no row in the first table of the question, in the places asked for."""
        if question.text("scope") != "product" or not tables:
            return "", None
        from atmpkg.names import graph_iri
        from atmpkg.queries import values_blocks

        sparql = _UNRECORDED % (graph_iri(tables[0]), "; atmp:jurisdiction ?jurisdiction" if places else "")
        if places:
            ((start, end),) = values_blocks(sparql)["jurisdiction"]
            sparql = sparql[:start] + " ".join(f"<{place}>" for place in places) + sparql[end:]
        (row,) = rows(self.store, sparql)
        where = f" in {', '.join(place.removeprefix(DATA + 'jurisdiction/') for place in places)}" if places else ""
        count = int(row["n"])
        return f"product{'' if count == 1 else 's'} without a recorded {tables[0]}{where}", count


def _cached(project: Project, say: Say) -> Store:
    """Open the cached build of a project, building it where needed; without a cache, build in memory."""
    from atmpkg.build import build, current, finished, in_memory

    folder, name = project.cache, project.fingerprint()
    if found := finished(folder, name):
        with contextlib.suppress(StoreError):
            return found.open()
        say(f"the store in {folder} is damaged; building it again")
        shutil.rmtree(found.folder, ignore_errors=True)
    try:
        say(f"building the graph from {project.root} (once)")
        return build(project, folder).open()
    except DataError as error:
        with contextlib.suppress(AtmpkgError):
            last = current(folder).open()
            count = len(error.problems)
            problems = f"{count} problem{'s' * (count > 1)}"
            say(f"warning: the tables hold {problems} (see: atmpkg check); the last good build answers")
            return last
        raise
    except StoreError as error:
        say(f"{error} Building in memory instead.")
        return in_memory(project)


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Iterable):
        return [str(item) for item in value]
    return [str(value)]


def _day(term: str) -> str:
    """Return the ISO date of a day-number term."""
    return from_day_number(int(term.split('"')[1])).isoformat()
