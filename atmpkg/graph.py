"""The knowledge graph that users open: questions, queries, search, pages."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, overload

import atmpkg
from atmpkg.answers import Answer, Links, Remarks, from_result
from atmpkg.asking import Questions
from atmpkg.completeness import Completeness
from atmpkg.errors import AtmpkgError, DataError, StoreError, UsageError, nearest, quoted
from atmpkg.names import Names
from atmpkg.parameters import Resolver
from atmpkg.plots import spec_of
from atmpkg.project import Project
from atmpkg.queries import AnswerColumn, Parameter, Query, find_query, read_queries
from atmpkg.search import Index
from atmpkg.stores import Embedded, Store, is_address, nquads, rows

if TYPE_CHECKING:
    import networkx as nx
    from rdflib import Dataset

    from atmpkg.stores import Result
    from atmpkg.tables import Column, Table
    from atmpkg.views import Graph, View

Say = Callable[[str], None]

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

    def __init__(
        self,
        store: Store,
        project: Project,
        *,
        today: dt.date | None = None,
        index: Callable[[], Index | None] = lambda: None,
    ) -> None:
        """Take an opened store; ``index`` gives the names of all things in it, if they were kept."""
        self.store = store
        self._index = index
        self.project = project
        self.today = today or dt.date.today()
        self._read: dict[str, Query] = {}

    @classmethod
    def open(
        cls,
        *,
        data: Path | str | None = None,
        store: Path | str | None = None,
        briefly: bool = False,
        say: Say = lambda line: None,
    ) -> KnowledgeGraph:
        """Open a graph, building it first where its tables have changed since.

        ``data``: project folder; ``store``: folder made by ``atmpkg build --store``, or address of a SPARQL endpoint;
        ``briefly``: for one question, read from disk what it needs; else everything is read into memory, which takes a
        second and answers four times faster; ``say`` takes remarks.
        Where the tables hold problems, the last good build answers and a remark says so; without one, DataError.
        """
        project = Project.find(data)
        if isinstance(store, str) and is_address(store):
            from atmpkg.remote import Remote

            return cls(Remote.at(store), project)
        if store is not None:
            from atmpkg.build import current

            built = current(Path(store))
            return cls(built.open(briefly=briefly), project, index=built.index)
        opened, index = _cached(project, say, briefly)
        return cls(opened, project, index=index)

    @cached_property
    def names(self) -> Names:
        """The prefix map, with one prefix per table."""
        tables = {path.stem for folder in self.project.tables for path in folder.glob("*.yaml")}
        return Names.read(self.project.prefixes, tables - {"shared"})

    @cached_property
    def questions(self) -> Questions:
        """All questions by name; ``kg.questions.approval_lag(first="US", second="EU")`` asks one."""
        return Questions(read_queries(self.project.folders("queries", "questions")), self.ask)

    def question(self, name: str) -> Query:
        """Return one question; only its file is read, and once."""
        if name in self._read:
            return self._read[name]
        folders = self.project.folders("queries", "questions")
        if found := find_query(folders, name):
            self._read[name] = found
            return found
        known = sorted({p.stem for f in folders for p in f.rglob("*.rq")})
        hint = nearest(name, known) or ". See: atmpkg questions"
        raise UsageError(f"cannot ask {quoted(name)}: there is no such question{hint}")

    @cached_property
    def resolver(self) -> Resolver:
        """Turns given parameter values into terms."""
        return Resolver(self.store, self.names, self.today, self._index)

    @property
    def index(self) -> Index:
        """The names of all things."""
        return self.resolver.index

    def ask(self, name: str, /, *, with_sources: bool = False, **parameters: object) -> Answer:
        """Answer a question; parameter names take dash or underscore, values are text, dates, numbers or lists.

        ``with_sources``: give the source column of a pure count too. Raises UsageError where the question, a parameter
        or a value is not known.
        """
        question = self.question(name)
        given, terms = self._terms(question, parameters)
        sparql = question.bind(terms, with_row=question.by_row)
        late = {column.name for column in question.columns if column.on_request and not with_sources}
        hidden = {*late, *(["row"] if question.by_row else [])}
        result = self.store.query(sparql)
        answer = from_result(result, name, question.title, question.columns, Remarks(), hidden=hidden)
        return replace(
            answer,
            remarks=self.completeness.remarks(question, given, terms, len(answer)),
            sparql=question.bind(terms),
            about={key: text for key in ("answers", "counts", "not_counted") if (text := question.text(key))},
            spec=spec_of(question.path),
            links=Links(self.completeness.sources, self._reasons, lambda: question.properties),
        )

    def _terms(
        self, question: Query, parameters: Mapping[str, object]
    ) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        given = {key.replace("-", "_"): _texts(value) for key, value in parameters.items() if value is not None}
        return given, self.resolver.terms(question, given)

    @cached_property
    def completeness(self) -> Completeness:
        """Reads what must be said beside answers."""
        return Completeness(self.store, self.today)

    def _reasons(self, told_by: Iterable[str]) -> Mapping[tuple[str, str], str]:
        properties = {self.names.expand(column.property): column.property for column in self._columns}
        return self.completeness.reasons(told_by, properties)

    @property
    def _columns(self) -> list[Column]:
        return [column for table in self.tables.values() for column in table.columns if column.property]

    def description(self, name: str) -> dict[str, object]:
        """Return a question as JSON for a form or an agent: JSON Schema of its parameters, columns, an example.

        Where a parameter takes one of the values in the graph, they are listed.
        """
        from atmpkg.catalogue import description

        question = self.question(name)
        return description(question, {p.name: self.resolver.allowed(p) for p in question.parameters})

    def sparql(self, name: str, /, **parameters: object) -> str:
        """Return the SPARQL of a question with the values filled in, without the described header."""
        question = self.question(name)
        _, terms = self._terms(question, parameters)
        return replace(question, sparql=question.bind(terms)).body

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
        _, terms = self._terms(question, parameters)
        bound = question.bind(terms)
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

    @overload
    def graph(self) -> Dataset: ...
    @overload
    def graph(self, view: str, **parameters: object) -> Graph: ...
    def graph(self, view: str = "", **parameters: object) -> Dataset | Graph:
        """Return what a view draws, or, without a view, the whole graph as an rdflib Dataset over the same store.

        The edges of a view are read from the store when asked for; parameters are given as to ``ask``. The Dataset
        needs ``atmpkg[rdflib]`` (oxrdflib); without it, it is a copy. Raises UsageError where the view, a parameter or
        a value is not known.
        """
        if not view:
            return self._dataset()
        from atmpkg.views import Again, View, draw

        chosen = View.of(view_query(self.project, view))
        given, terms = self._terms(chosen.query, parameters)
        graph = draw(chosen, self.store, self.names, terms)
        wanted = self.tables if chosen.query.words("tables") == ("all",) else chosen.query.words("tables")
        made_from = {name: Again(partial(self._rows_of, name)) for name in wanted}
        return replace(
            graph,
            remarks=self.completeness.remarks(chosen.query, given, terms),
            tables=made_from,
            sources=Again(self._sources),
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
        return [(source.id, source.title, source.url) for source in answer.sources]

    def rdflib(self) -> Dataset:
        """Return the whole graph as an rdflib Dataset (a copy) whose default graph is the union."""
        from rdflib import Dataset

        dataset = Dataset(default_union=True)
        dataset.parse(data=nquads(self.store), format="nquads")
        return dataset

    def _dataset(self) -> Dataset:
        try:
            from oxrdflib import OxigraphStore
        except ImportError:
            return self.rdflib()
        from rdflib import Dataset

        if not isinstance(self.store, Embedded):
            return self.rdflib()
        return Dataset(store=OxigraphStore(store=self.store.engine), default_union=True)


def _cached(project: Project, say: Say, briefly: bool) -> tuple[Store, Callable[[], Index | None]]:
    """Open the cached build of a project, building it where needed; without a cache, build in memory."""
    from atmpkg.build import build, current, finished, in_memory

    folder, name = project.cache, project.fingerprint()
    if found := finished(folder, name):
        with contextlib.suppress(StoreError):
            return found.open(briefly=briefly), found.index
        say(f"the store in {folder} is damaged; building it again")
        shutil.rmtree(found.folder, ignore_errors=True)
    try:
        say(f"building the graph from {project.root} (once)")
        built = build(project, folder)
        return built.open(briefly=briefly), built.index
    except DataError as error:
        with contextlib.suppress(AtmpkgError):
            last = current(folder)
            opened = last.open(briefly=briefly)
            count = len(error.problems)
            problems = f"{count} problem{'s' * (count > 1)}"
            say(f"warning: the tables hold {problems} (see: atmpkg check); the last good build answers")
            return opened, last.index
        raise
    except StoreError as error:
        say(f"{error} Building in memory instead.")
        return in_memory(project), lambda: None


def view_query(project: Project, name: str) -> Query:
    """Return the query of a view; raise UsageError where there is no such view."""
    folders = project.folders("queries", "views")
    query = find_query(folders, name)
    if query is None:
        known = sorted({p.stem for f in folders for p in f.rglob("*.rq")})
        hint = nearest(name, known) or ". See: atmpkg views"
        raise UsageError(f"cannot draw {quoted(name)}: there is no such view{hint}")
    return query


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Iterable):
        return [str(item) for item in value]
    return [str(value)]
