"""The networkx window: typed attributes, and analyses whose results can be worked out by hand."""

import math

import networkx as nx
import pytest
from scipy import stats

from atmpkg.errors import UsageError
from atmpkg.graph import KnowledgeGraph
from atmpkg.networks import (
    candidate_indications,
    centrality,
    communities,
    explanation_paths,
    projection,
    similarities,
)


@pytest.fixture
def network(small: KnowledgeGraph) -> nx.MultiDiGraph:
    return small.view("product-target-disease", as_of="2021-01-01")


def test_a_view_is_a_multidigraph_with_typed_attributes(network: nx.MultiDiGraph) -> None:
    assert isinstance(network, nx.MultiDiGraph) and network.graph["as_of"] == "2021-01-01"
    assert network.nodes["product:anacel"]["authorised_in"] == ["EU", "US"]
    assert "authorised_in" not in network.nodes["product:dermacel"]
    assert network.edges["product:anacel", "target:CD19", "mechanism:anacel-1/acts_on"]["sources"] == [
        "paper",
        "register",
    ]


def test_dates_of_a_history_can_be_filtered(small: KnowledgeGraph) -> None:
    history = small.view("regulatory-timeline")
    held = {
        start
        for start, _, about in history.edges(data=True)
        if about.get("status") == "authorised"
        and about["valid_from"] <= "2021-01-01" < about.get("valid_until", "9999")
    }
    assert held == {"product:anacel", "product:bencel"}


def test_centrality_counts_neighbours_once(network: nx.MultiDiGraph) -> None:
    found = {row.id: row for row in centrality(network)}
    assert found["target:CD19"].degree == 2 and found["product:anacel"].degree == 2
    # anacel lies on the ways from lymphoma to the three others of its part, as does bencel from the other side
    pairs = math.comb(len(network) - 1, 2)
    assert found["product:anacel"].betweenness == pytest.approx(3 / pairs)
    assert found["target:CD19"].betweenness == pytest.approx(4 / pairs)


def test_products_that_share_a_target_are_joined(network: nx.MultiDiGraph) -> None:
    joined = projection(network, "product", "target")
    assert list(joined.edges(data=True)) == [
        ("product:anacel", "product:bencel", {"weight": 1, "shared": ["target:CD19"]})
    ]
    assert len(joined) == 4


def test_communities_are_the_parts_that_hang_together(network: nx.MultiDiGraph) -> None:
    found = communities(network)
    assert found == communities(network)
    assert {frozenset(part) for part in found} >= {
        frozenset({"product:corvec", "target:F9", "disease:haemophilia-b"}),
        frozenset({"product:dermacel", "disease:burn"}),
    }


def test_a_path_explains_itself_with_rows(network: nx.MultiDiGraph) -> None:
    (path,) = explanation_paths(network, "product:anacel", "disease:leukaemia")
    assert str(path) == "anacel – CD19 – bencel – leukaemia"
    assert path.rows == (("mechanism:anacel-1",), ("mechanism:bencel-1",), ("mechanism:bencel-1",))
    assert explanation_paths(network, "product:anacel", "disease:burn") == []


def test_similarity_is_jaccard_and_hypergeometric(network: nx.MultiDiGraph) -> None:
    (pair,) = similarities(network)
    assert (pair.one, pair.other, pair.shared, pair.jaccard) == ("product:anacel", "product:bencel", 1, 1.0)
    assert pair.p_value == pytest.approx(1 / 2)  # one of two targets drawn twice
    assert pair.p_value == pytest.approx(stats.hypergeom.sf(0, 2, 1, 1))


def test_candidates_are_hypotheses_with_their_evidence(network: nx.MultiDiGraph) -> None:
    (candidate,) = candidate_indications(network, "product:anacel")
    assert (candidate.disease, candidate.support, candidate.status) == ("disease:leukaemia", 1, "hypothesis")
    assert [str(path) for path in candidate.paths] == ["anacel – CD19 – bencel – leukaemia"]
    assert candidate_indications(network, "product:dermacel") == []


def test_what_is_not_there_is_told_in_one_line(network: nx.MultiDiGraph) -> None:
    with pytest.raises(
        UsageError, match=r"cannot find the node 'product:anace' in this graph; did you mean product:ana"
    ):
        explanation_paths(network, "product:anace", "disease:burn")
    with pytest.raises(UsageError, match=r"cannot find nodes of kind 'gene': there are disease, product, target\."):
        projection(network, "product", "gene")
