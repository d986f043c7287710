"""Search goes from what a person types to the thing that is meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atmpkg.graph import KnowledgeGraph
from atmpkg.search import KINDS, Index, folded


@pytest.mark.parametrize(
    "one, other",
    [("Strímvelis®", "strimvelis"), ("HPC, Cord-Blood", "hpc cord blood"), ("ＡＢＣ", "abc"), ("ß", "ss"), ("β", "Β")],
)
def test_case_accents_and_punctuation_do_not_matter(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@given(st.text(max_size=20))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize(
    "text, id, reason, score",
    [
        ("alfacel", "alfacel", "id", 1.0),
        ("ALPHARA", "alfacel", "brand", 1.0),
        ("alph", "alfacel", "brand", 0.9),
        ("b-cell", "large-b-cell-lymphoma", "label", 0.8),
        ("999004", "foxtrocel", "number", 1.0),
        ("CD19 molecule", "CD19", "full name", 1.0),
    ],
)
def test_the_best_match_comes_first_with_its_reason(
    text: str, id: str, reason: str, score: float, sample: KnowledgeGraph
) -> None:
    best = sample.index.search(text)[0]
    assert (best.id, best.score) == (id, score)
    assert best.reason == reason or best.reason in ("id", "label")


def test_a_thing_is_found_once_and_the_best_first(sample: KnowledgeGraph) -> None:
    found = sample.index.search("alfacel")
    assert len({(match.kind, match.id) for match in found}) == len(found)
    assert [match.score for match in found] == sorted((match.score for match in found), reverse=True)
    assert found[0].kind == "product"


def test_a_misspelling_is_forgiven_and_nonsense_is_not(sample: KnowledgeGraph) -> None:
    assert [match.id for match in sample.index.search("Alphera")] == ["alfacel"]
    assert sample.index.search("qqqqqqqq") == [] == sample.index.search(" - ")


def test_kinds_narrow_the_search(sample: KnowledgeGraph) -> None:
    assert {match.kind for match in sample.index.search("lymphoma", ["disease"])} == {"disease"}
    assert {match.kind for match in sample.index.search("a")} <= set(KINDS)


@given(text=st.text(max_size=15))
def test_no_text_crashes_the_search(text: str, sample: KnowledgeGraph) -> None:
    assert all(0 < match.score <= 1 for match in sample.index.search(text))


def test_an_empty_index_finds_nothing() -> None:
    assert Index().search("anything") == []


def test_a_product_is_found_by_the_whole_words_that_its_brand_begins_with() -> None:
    index = Index({("product", "a"): "alfa", ("product", "b"): "bravo", ("product", "c"): "charlie"})
    for id, name, kind in (
        ("a", "Colla Intramuscular 4 mg", "brand"),
        ("b", "Human Skin", "brand"),
        ("b", "bravo gel", "inn"),
        ("c", "Twin Infusion", "brand"),
        ("a", "Twin Vial", "brand"),
    ):
        index._add(("product", id), name, kind)
    found = {text: [match.id for match in index.by_brand(text)] for text in ("colla", "Col", "Human", "bravo", "twin")}
    assert found == {"colla": ["a"], "Col": [], "Human": [], "bravo": [], "twin": ["a", "c"]}
