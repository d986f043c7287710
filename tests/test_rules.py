"""What follows from decisions: intervals of status, basis and holder, reach, indications; and how the rules are kept.

A history is written as lines ``kind date [number] [key=value ...]`` of one product in the EU.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox
import pytest
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.parserutils import CompValue

from atmpkg.build import write_quads
from atmpkg.dates import FOREVER, from_day_number
from atmpkg.graph import KnowledgeGraph
from atmpkg.names import GRAPH
from atmpkg.project import Project, home
from atmpkg.queries import Query, read_queries
from atmpkg.reasoning import INFERRED, infer, strata
from atmpkg.stores import Embedded

RULES = read_queries([home() / "queries" / "rules"])
SAMPLE = Path(__file__).parent / "sample"
COLUMNS = ["id", "product", "jurisdiction", "authority", "kind", "date"]
COLUMNS += ["number", "basis", "holder", "reason", "source", "confidence"]
OPEN = from_day_number(FOREVER).isoformat()

History = Callable[..., KnowledgeGraph]


@pytest.fixture
def history(tmp_path: Path, in_memory: Callable[[Project], KnowledgeGraph]) -> History:
    """Return the graph of the sample with a history of its own; further tables are given as rows by name."""

    def graph(text: str, **tables: list[dict[str, str]]) -> KnowledgeGraph:
        root = Path(shutil.copytree(SAMPLE, tmp_path / "project"))
        for table in ("indication", "obligation", "dispute", "study-role"):
            (root / "data" / "tables" / f"{table}.tsv").unlink()
        tables = {
            "decision": [decision(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
        } | tables
        for table, rows in tables.items():
            columns = COLUMNS if table == "decision" else list(rows[0])
            lines = ["\t".join(columns), *("\t".join(row.get(c, "") for c in columns) for row in rows)]
            (root / "data" / "tables" / f"{table}.tsv").write_text("\n".join(lines) + "\n")
        return in_memory(Project(root, home()))

    return graph


def decision(line: int, text: str) -> dict[str, str]:
    kind, date, *rest = text.split()
    row = {"product": "alfacel", "jurisdiction": "EU", "authority": "european-commission", "kind": kind, "date": date}
    row |= {"id": f"e{line}", "source": "register", "confidence": "confirmed"}
    return row | dict(part.split("=") if "=" in part else ("number", part) for part in rest)


def intervals(kg: KnowledgeGraph, kind: str = "Status", value: str = "atmp:status/skos:notation") -> list[str]:
    """Return the intervals of a kind as ``number value from until``."""
    found = kg.select(
        f"SELECT ?number ?value ?from ?until {{ ?i a atmp:{kind}Interval ; atmp:authorisation ?a ; {value} ?value ;"
        f" atmp:fromDay ?from ; atmp:untilDay ?until . OPTIONAL {{ ?a atmp:number ?number }} }} ORDER BY ?number ?from"
    ).rows
    days = [
        (number, value, *(from_day_number(int(str(day))).isoformat() for day in span)) for number, value, *span in found
    ]
    return [" ".join(str(part) for part in row if part).replace(OPEN, "open") for row in days]


def test_a_grant_opens_and_nothing_closes_it(history: History) -> None:
    kg = history("grant 2018-08-23 EU/1/18/1")
    assert intervals(kg) == ["EU/1/18/1 authorised 2018-08-23 open"]


def test_suspension_then_expiry(history: History) -> None:
    kg = history("grant 2009-10-05\nsuspension 2014-09-19\nexpiry 2018-07-01")
    assert intervals(kg) == [
        "authorised 2009-10-05 2014-09-19",
        "suspended 2014-09-19 2018-07-01",
        "expired 2018-07-01 open",
    ]


def test_a_lifted_suspension_authorises_again(history: History) -> None:
    kg = history("grant 2009-10-05\nsuspension 2014-09-19\nsuspension-lifted 2015-01-01\nrevocation 2016-01-01")
    assert [line.split()[0] for line in intervals(kg)] == ["authorised", "suspended", "authorised", "revoked"]


def test_two_authorisations_are_told_apart_by_their_numbers(history: History) -> None:
    kg = history("grant 2010-01-01 A\ngrant 2012-01-01 B\nwithdrawal 2013-01-01 A")
    assert intervals(kg) == [
        "A authorised 2010-01-01 2013-01-01",
        "A withdrawn 2013-01-01 open",
        "B authorised 2012-01-01 open",
    ]


def test_an_event_without_number_concerns_every_authorisation_open_by_then(history: History) -> None:
    kg = history("grant 2010-01-01 A\ngrant 2012-01-01 B\nsuspension 2011-01-01\nwithdrawal 2013-01-01")
    assert intervals(kg) == [
        "A authorised 2010-01-01 2011-01-01",
        "A suspended 2011-01-01 2013-01-01",
        "A withdrawn 2013-01-01 open",
        "B authorised 2012-01-01 2013-01-01",
        "B withdrawn 2013-01-01 open",
    ]


def test_a_second_grant_after_the_end_is_an_authorisation_of_its_own(history: History) -> None:
    kg = history("grant 2010-01-01\nexpiry 2012-01-01\ngrant 2015-01-01")
    assert intervals(kg) == [
        "authorised 2010-01-01 2012-01-01",
        "expired 2012-01-01 open",
        "authorised 2015-01-01 open",
    ]


def test_what_has_ended_is_not_revived_by_an_event_without_number(history: History) -> None:
    kg = history(
        "grant 2010-01-01 A\nexpiry 2012-01-01 A\n"
        "grant 2015-01-01 B\nsuspension 2016-01-01\nsuspension-lifted 2017-01-01"
    )
    assert [line for line in intervals(kg) if line.startswith("A")] == [
        "A authorised 2010-01-01 2012-01-01",
        "A expired 2012-01-01 open",
    ]


def test_an_event_before_the_grant_changes_no_status(history: History) -> None:
    kg = history("opinion-positive 2017-01-01\nrefusal 2016-01-01\ngrant 2018-08-23\nopinion-negative 2019-01-01")
    assert intervals(kg) == ["authorised 2018-08-23 open"]


def test_a_refusal_alone_opens_nothing(history: History) -> None:
    kg = history("opinion-negative 2023-07-20\nrefusal 2023-09-24")
    assert intervals(kg) == []


@pytest.mark.parametrize(
    "date, since", [("2018", "2018-12-31"), ("2018-02", "2018-02-28"), ("2018-02-03", "2018-02-03")]
)
def test_an_imprecise_date_enters_at_its_latest_day_and_is_uncertain(history: History, date: str, since: str) -> None:
    kg = history(f"grant {date}\nwithdrawal 2020")
    assert intervals(kg) == [f"authorised {since} 2020-12-31", "withdrawn 2020-12-31 open"]
    flagged = kg.select(
        "SELECT ?uncertain { ?i a atmp:StatusInterval ; atmp:status atmp:Authorised ; atmp:uncertain ?uncertain }"
    )
    assert flagged.rows == ((len(date) < 10,),)


def test_a_transfer_names_the_next_holder(history: History) -> None:
    kg = history("application-submitted 2017-01-01 holder=first-pharma\ngrant 2018-01-01 holder=first-pharma\n"
                 "transfer 2020-01-01 holder=second-pharma")  # fmt: skip
    assert intervals(kg, "Holder", "atmp:holder/rdfs:label") == [
        "First Pharma 2018-01-01 2020-01-01",
        "Second Pharma 2020-01-01 open",
    ]


def test_a_conversion_changes_the_basis_and_not_the_status(history: History) -> None:
    kg = history("grant 2018-01-01 basis=conditional\nextension-of-indication 2019-01-01 basis=standard\n"
                 "conversion 2021-01-01 basis=standard")  # fmt: skip
    assert intervals(kg, "Basis", "atmp:basis/skos:notation") == [
        "conditional 2018-01-01 2021-01-01",
        "standard 2021-01-01 open",
    ]
    assert intervals(kg) == ["authorised 2018-01-01 open"]


def test_the_first_authorisation_is_the_earliest(history: History) -> None:
    kg = history("grant 2012-01-01 B\ngrant 2010 A\nwithdrawal 2011-01-01 A")
    first = kg.select("SELECT ?event { ?f a atmp:FirstAuthorisation ; atmp:fromEvent/dcterms:identifier ?event }")
    assert first.rows == (("e2",),)


@pytest.mark.parametrize(
    "place, day, products",
    [
        ("EU", "2018-08-22", 0),
        ("EU", "2018-08-23", 1),
        ("GB", "2020-12-31", 1),
        ("GB", "2021-01-01", 0),
        ("DE", "2024-01-01", 1),
        ("US", "2024-01-01", 0),
    ],
)
def test_an_authorisation_reaches_members_while_they_are_members(
    history: History, place: str, day: str, products: int
) -> None:
    kg = history("grant 2018-08-23")
    assert len(kg.ask("authorised-products", jurisdiction=place, as_of=day)) == products


def indication(id: str, decision: str, ended_by: str = "") -> dict[str, str]:
    row = {"id": id, "product": "alfacel", "jurisdiction": "EU", "disease": "lymphoma", "decision": decision}
    return row | {"ended_by": ended_by, "source": "register", "confidence": "confirmed"}


def uses(kg: KnowledgeGraph, day: str) -> list[object]:
    return [row[0] for row in kg.select(
        f"SELECT ?id {{ ?i a atmp:Indication ; dcterms:identifier ?id ; atmp:fromDay ?f ; atmp:untilDay ?u . "
        f"BIND(xsd:date('{day}') AS ?d) ?x atmp:latest ?d ; atmp:lastDay ?n FILTER(?f <= ?n && ?n < ?u) }} ORDER BY ?id"
    ).rows]  # fmt: skip


def test_an_indication_ends_by_its_decision_else_with_the_authorisation(history: History) -> None:
    kg = history(
        "grant 2010-01-01 A\nextension-of-indication 2012-01-01 A\n"
        "indication-withdrawn 2014-01-01 A\nwithdrawal 2016-01-01 A",
        indication=[indication("first", "e1"), indication("second", "e2", "e3"), indication("third", "e3")],
    )
    held = {day: uses(kg, day) for day in ("2010-01-01", "2012-01-01", "2014-01-01", "2016-01-01")}
    assert held == {
        "2010-01-01": ["first"],
        "2012-01-01": ["first", "second"],
        "2014-01-01": ["first", "third"],
        "2016-01-01": [],
    }


def test_an_indication_does_not_end_with_another_authorisation(history: History) -> None:
    kg = history("grant 2010-01-01 A\ngrant 2010-02-01 B\nwithdrawal 2016-01-01 A", indication=[indication("b", "e2")])
    assert uses(kg, "2016-01-01") == ["b"]


def test_a_row_was_last_read_when_the_latest_of_its_sources_was(history: History) -> None:
    kg = history("grant 2018-08-23 source=old-list\nwithdrawal 2019 source=paper|old-list|register")
    read = kg.select(
        "SELECT ?id ?day { ?row atmp:lastRead/rdfs:label ?day ; a atmp:RegulatoryEvent ; dcterms:identifier ?id }"
    )
    assert sorted(read.rows) == [("e1", "2020-01-01"), ("e2", "2024-02-02")]


def test_a_period_without_ends_always_holds(sample: KnowledgeGraph) -> None:
    days = sample.select("SELECT ?from ?until { name:alfacel-code atmp:fromDay ?from ; atmp:untilDay ?until }").rows
    assert [from_day_number(int(str(day))).isoformat() for day in days[0]] == ["0001-01-01", "9999-12-31"]


@pytest.mark.parametrize("graph", ["sample", "real"])
def test_no_triple_stands_in_two_graphs(graph: str, request: pytest.FixtureRequest) -> None:
    kg: KnowledgeGraph = request.getfixturevalue(graph)
    twice = kg.select(
        "SELECT ?s ?p ?o { GRAPH ?g { ?s ?p ?o } GRAPH ?h { ?s ?p ?o } FILTER(STR(?g) < STR(?h)) } LIMIT 5"
    )
    assert twice.rows == ()


@pytest.mark.parametrize("graph", ["sample", "real"])
def test_an_interval_has_one_beginning_one_end_and_the_one_comes_first(
    graph: str, request: pytest.FixtureRequest
) -> None:
    kg: KnowledgeGraph = request.getfixturevalue(graph)
    odd = kg.select(
        """
        SELECT ?i (COUNT(DISTINCT ?from) AS ?starts) (COUNT(DISTINCT ?until) AS ?ends) (MAX(?until) AS ?u)
          (MIN(?from) AS ?f) {
          VALUES ?class {
            atmp:StatusInterval atmp:BasisInterval atmp:HolderInterval atmp:Reach atmp:Name atmp:Designation
            atmp:Exclusivity atmp:SupplyRoute atmp:JurisdictionMembership atmp:Indication }
          ?i a ?class OPTIONAL { ?i atmp:fromDay ?from } OPTIONAL { ?i atmp:untilDay ?until }
        }
        GROUP BY ?i HAVING (?starts != 1 || ?ends != 1 || ?u <= ?f)
        """
    )
    assert odd.rows == ()


def test_inference_is_undone_by_clearing_one_graph(
    sample_project: Project, in_memory: Callable[[Project], KnowledgeGraph]
) -> None:
    store = in_memory(sample_project).store
    assert isinstance(store, Embedded)
    graphs = {quad.graph_name.value for quad in ox.parse(store.dump(), format=ox.RdfFormat.N_QUADS)}
    store.clear(INFERRED)
    assert {q.graph_name.value for q in ox.parse(store.dump(), format=ox.RdfFormat.N_QUADS)} == graphs - {INFERRED}
    assert all(graph.startswith(GRAPH) for graph in graphs)


# How the rules are kept ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_a_rule_says_what_it_means_and_runs_anywhere(rule: Query) -> None:
    assert rule.title.endswith(".")
    assert isinstance(rule.header["stratum"], int)
    functions = {str(node["iri"]) for node in nodes(prepareQuery(rule.sparql).algebra, "Function")}
    assert all(iri.startswith("http://www.w3.org/2001/XMLSchema#") for iri in functions)
    assert not list(nodes(prepareQuery(rule.sparql).algebra, "ServiceGraphPattern"))


def test_negation_and_aggregates_read_only_what_lower_strata_made(sample_project: Project, tmp_path: Path) -> None:
    """A rule that read too early would say something else at the end, when all but its own words is known."""
    path = tmp_path / "asserted.nq"
    with path.open("w", encoding="utf-8") as out:
        write_quads(sample_project, out)
    quads = ox.Store()
    quads.bulk_load(path=str(path), format=ox.RdfFormat.N_QUADS)
    store = Embedded(quads)
    made: dict[str, set[ox.Quad]] = {name: set() for name in RULES}
    for _, group in strata(RULES.values()):
        new = 1
        while new:
            for rule in group:
                made[rule.name] |= constructed(store, rule)
            new = sum(store.infer(rule.sparql, INFERRED) for rule in group)
    once = Embedded.memory()
    once.load(path)
    infer(once, RULES.values())
    assert once.dump() == store.dump()  # so each rule that reads its own stratum says that it is recursive
    readers = [rule for rule in RULES.values() if reads_all(rule)]
    assert len(readers) >= 8
    for rule in readers:
        for quad in made[rule.name]:
            quads.remove(quad)
        again: set[ox.Quad] = set()
        while new := constructed(store, rule) - again:
            again |= new
            if rule.header.get("recursive"):
                quads.extend(new)
            else:
                break
        assert again == made[rule.name], rule.name
        quads.extend(again)


def constructed(store: Embedded, rule: Query) -> set[ox.Quad]:
    result = store.query(rule.sparql)
    assert isinstance(result, ox.QueryTriples)
    return {ox.Quad(*triple, ox.NamedNode(INFERRED)) for triple in result}


def reads_all(rule: Query) -> bool:
    """Tell whether a rule reads the absence of something, or an aggregate."""
    algebra = prepareQuery(rule.sparql).algebra
    return any(list(nodes(algebra, name)) for name in ("Minus", "AggregateJoin", "Builtin_NOTEXISTS"))


def nodes(node: object, name: str) -> list[CompValue]:
    """Return all nodes of that name in a query's algebra."""
    below = node.values() if isinstance(node, dict) else node if isinstance(node, list | tuple) else ()
    own = [node] if isinstance(node, CompValue) and node.name == name else []
    return own + [found for child in below for found in nodes(child, name)]
