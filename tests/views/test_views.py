"""Views: what a header says becomes nodes and edges, and parameters bind as in questions."""

from pathlib import Path

import pytest

from atmpkg.errors import DataError, UsageError
from atmpkg.graph import KnowledgeGraph
from atmpkg.project import home
from atmpkg.views import Counted, View

VIEWS = sorted(path.stem for path in (home() / "queries" / "views").glob("*.rq"))
HEAD = """#+ nodes:
#+   product: {kind: product}
#+   target: {kind: target}
#+ edges:
#+   acts_on: {from: product, to: target}
"""
BODY = "SELECT ?product ?target ?note { ?m atmp:product ?product ; atmp:target ?target }"


def ends(kg: KnowledgeGraph, view: str, kind: str, **parameters: object) -> set[tuple[str, str]]:
    graph = kg.graph(view, **parameters)
    return {(edge.start.split(":")[1], edge.end.split(":")[1]) for edge in graph.edges if edge.kind == kind}


def test_the_views_asked_for_are_there() -> None:
    assert {
        "company-network",
        "evidence-network",
        "mapping-network",
        "ontology-classes",
        "product-disease-jurisdiction",
        "product-target-disease",
        "regulatory-timeline",
        "safety-network",
        "vector-landscape",
        "whole-graph",
    } <= set(VIEWS)


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_draws_edges_between_its_nodes_each_once(small: KnowledgeGraph, name: str) -> None:
    graph = small.graph(name)
    edges = list(graph.edges)
    assert edges and edges == list(graph.edges)
    assert {end for edge in edges for end in (edge.start, edge.end)} <= {node.id for node in graph.nodes}
    assert len({edge.id for edge in edges}) == len(edges)
    assert {edge.kind for edge in edges} <= graph.edge_kinds.keys()


@pytest.mark.parametrize("name", VIEWS)
def test_the_example_of_a_view_draws_something_on_the_real_tables(name: str, real: KnowledgeGraph) -> None:
    query = real.views[name].query
    graph = real.graph(name, **query.header["example"])  # type: ignore[arg-type]
    assert len(list(graph.edges)) > 0 and query.text("answers").endswith("?")


def test_a_study_joins_product_result_and_decision(small: KnowledgeGraph) -> None:
    assert ends(small, "evidence-network", "tested_in") == {("anacel", "ana-1"), ("corvec", "cor-1")}
    assert ends(small, "evidence-network", "rests_on") == {("anacel-eu-grant", "ana-1")}
    assert ends(small, "evidence-network", "measured") == {("ana-1", "OverallResponse"), ("ana-1", "OverallSurvival")}
    assert ends(small, "evidence-network", "tested_in", disease="lymphoma") == {("anacel", "ana-1")}


def test_harms_have_no_place(small: KnowledgeGraph) -> None:
    assert ends(small, "safety-network", "had") == {("anacel", "CytokineReleaseSyndrome")}
    assert ends(small, "safety-network", "had", jurisdiction="US") == set()


def test_products_point_at_targets_and_diseases(small: KnowledgeGraph) -> None:
    assert ends(small, "product-target-disease", "acts_on") == {
        ("anacel", "CD19"),
        ("bencel", "CD19"),
        ("corvec", "F9"),
    }
    assert ("dermacel", "burn") in ends(small, "product-target-disease", "meant_for")


def test_a_disease_includes_its_kinds(small: KnowledgeGraph) -> None:
    found = ends(small, "product-target-disease", "meant_for", disease="cancer")
    assert found == {("anacel", "lymphoma"), ("bencel", "leukaemia")}


def test_a_list_of_products_and_a_target_narrow(small: KnowledgeGraph) -> None:
    assert ends(small, "product-target-disease", "acts_on", product="anacel|corvec", target="F9") == {("corvec", "F9")}


def test_a_jurisdiction_keeps_what_is_in_force_there(small: KnowledgeGraph) -> None:
    def found(day: str) -> set[str]:
        return {n for n, _ in ends(small, "product-target-disease", "meant_for", jurisdiction="EU", as_of=day)}

    assert found("2021-01-01") == {"anacel", "bencel"}
    assert found("2023-01-01") == {"anacel"}


def test_as_of_moves_the_picture(small: KnowledgeGraph) -> None:
    view = "product-disease-jurisdiction"
    assert ends(small, view, "authorised_in", as_of="2017-06-01") == set()  # 2017 counts from its last day
    assert ends(small, view, "authorised_in", as_of="2021-01-01") == {
        ("anacel", "EU"),
        ("anacel", "US"),
        ("bencel", "EU"),
    }


def test_edges_know_when_they_hold(small: KnowledgeGraph) -> None:
    held = {
        (edge.start, edge.label): (edge.valid_from, edge.valid_until)
        for edge in small.graph("regulatory-timeline", product="bencel").edges
        if edge.kind == "status"
    }
    assert held == {
        ("product:bencel", "authorised"): ("2020-03-02", "2022-05-05"),
        ("product:bencel", "withdrawn"): ("2022-05-05", None),
    }


def test_sources_of_one_row_are_joined(small: KnowledgeGraph) -> None:
    (edge,) = [e for e in small.graph("product-target-disease", product="anacel").edges if e.kind == "acts_on"]
    assert edge.attributes["sources"] == ("paper", "register")
    assert edge.row == "mechanism:anacel-1"


def test_edges_are_counted_while_they_are_read(small: KnowledgeGraph) -> None:
    said: list[str] = []
    counted = Counted(small.graph("product-target-disease").edges, said.append, every=3)
    assert counted.count is None and len(list(counted)) == counted.count == 7
    assert said == ["3 edges", "6 edges"]


def test_around_keeps_what_is_near(small: KnowledgeGraph) -> None:
    def near(hops: int) -> set[str]:
        graph = small.graph("product-target-disease", around="product:anacel", hops=hops)
        return {node.id.split(":")[1] for node in graph.nodes}

    assert near(1) == {"anacel", "CD19", "lymphoma"}
    assert near(2) == {"anacel", "CD19", "lymphoma", "bencel"}


def test_around_something_that_the_view_does_not_show(small: KnowledgeGraph) -> None:
    with pytest.raises(UsageError, match="cannot draw around target:GD2: the view product-target-disease does not"):
        small.graph("product-target-disease", around="GD2")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"view": "product-target-diseas"}, "no such view; did you mean product-target-disease?"),
        ({"view": "company-network", "colour": "red"}, "cannot draw company-network: no parameter 'colour'; it takes"),
        ({"view": "company-network", "product": "anacell"}, "cannot find the product 'anacell'. Did you mean anacel?"),
        ({"view": "safety-network", "as_of": "2024-13"}, "cannot read as-of='2024-13'"),
        ({"view": "company-network", "hops": "two"}, "cannot read hops='two': expected a whole number."),
    ],
)
def test_a_wrong_view_parameter_or_value_is_told_in_one_line(
    small: KnowledgeGraph, asked: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError) as told:
        small.graph(**asked)  # type: ignore[arg-type]
    assert message in str(told.value) and "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        ("", "[nodes]: found none; expected the variables that stand for things"),
        (HEAD.replace("{kind: target}", "{colour: red}"), "[nodes.target]: found 'colour'; expected one of category"),
        (HEAD.replace("{kind: target}", "{}"), "[nodes.target]: found no kind; expected kind: a word, or ?variable"),
        (HEAD.replace("to: target", "to: gene"), "[edges.acts_on.to]: found 'gene'; expected one of product, target"),
        (HEAD + "#+ layout: spiral\n", "[layout]: found 'spiral'; expected one of columns, force, timeline, tree"),
        (HEAD + "#+ columns:\n#+   kind: {}\n", "[columns.kind]: found 'kind'; expected a name that no format uses"),
        (
            HEAD + "#+ columns:\n#+   note: {of: row}\n",
            "[columns.note.of]: found 'row'; expected one of product, target",
        ),
        (HEAD.replace("{kind: target}", "{kind: t, column: last}"), "[nodes.target.column]: found 'last'"),
    ],
)
def test_a_faulty_header_is_told_with_its_place(tmp_path: Path, header: str, fault: str) -> None:
    path = tmp_path / "drawn.rq"
    path.write_text(f"{header}PREFIX atmp: <https://w3id.org/atmpkg/ontology/>\n{BODY}", encoding="utf-8")
    with pytest.raises(DataError) as told:
        View.read(path)
    assert f"drawn.rq {fault}" in str(told.value)
