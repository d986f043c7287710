"""Entity search: what a newcomer types, and what must come first."""

import pytest

from atmpkg.errors import UsageError
from atmpkg.graph import KnowledgeGraph
from atmpkg.search import KINDS, folded

TYPED = [  # on the data that are shipped
    ("Kymriah", "product:tisagenlecleucel", "brand"),
    ("kymria", "product:tisagenlecleucel", "brand"),
    ("tisagenlecleucel", "product:tisagenlecleucel", "label"),
    ("tisagenleclucel", "product:tisagenlecleucel", "label"),
    ("CTL-019", "product:tisagenlecleucel", "code"),
    ("T-VEC", "product:talimogene-laherparepvec", "common"),
    ("Zolgensmma", "product:onasemnogene-abeparvovec", "brand"),
    ("L01XL04", "product:tisagenlecleucel", "external id"),
    ("ATC:L01XL04", "product:tisagenlecleucel", "external id"),
    ("DB13881", "product:tisagenlecleucel", "external id"),
    ("EMEA/H/C/004090", "product:tisagenlecleucel", "external id"),
    ("EU/1/18/1297/001", "product:tisagenlecleucel", "number"),
    ("BLA 125646", "product:tisagenlecleucel", "number"),
    ("STN 125646/0", "product:tisagenlecleucel", "number"),
    ("BCMA", "target:TNFRSF17", "synonym"),
    ("HGNC:1633", "target:CD19", "external id"),
    ("uniprot:P15391", "target:CD19", "external id"),
    ("β-thalassemia", "disease:beta-thalassaemia", "synonym"),
    ("haemofilia B", "disease:haemophilia-b", "synonym"),
    ("MONDO:0018905", "disease:diffuse-large-b-cell-lymphoma", "external id"),
    ("ORPHA:399", "disease:huntington-disease", "external id"),
    ("plasma cell myeloma", "disease:multiple-myeloma", "synonym"),
    ("lysosomal storage disease", "mondo:MONDO:0002561", "label"),
    ("Novartis", "organisation:novartis", "label"),
    ("disease:lymphoma", "disease:lymphoma", "id"),
]


@pytest.mark.parametrize("text, first, reason", TYPED, ids=[typed for typed, *_ in TYPED])
def test_what_a_newcomer_types_finds_the_right_thing_first(
    text: str, first: str, reason: str, shipped: KnowledgeGraph
) -> None:
    match = shipped.index.search(text)[0]
    assert (f"{match.kind}:{match.id}", match.reason) == (first, reason)


@pytest.mark.parametrize(
    "text", ["CAR", "car-t", "TIL", "cell", "cells", "gene", "gene therapy", "vec", "AAV", "abemaciclib", "T", "human"]
)
def test_false_friends_find_no_product(text: str, shipped: KnowledgeGraph) -> None:
    assert [match for match in shipped.index.search(text) if match.kind in ("product", "substance")] == []


def test_a_number_that_is_nearly_right_is_wrong(shipped: KnowledgeGraph) -> None:
    assert shipped.index.search("EU/1/18/1298") == []


def test_a_name_in_another_script_is_found(clinic: KnowledgeGraph) -> None:
    assert clinic.index.search("カーヴェラ")[0].curie == "product:alfacel"


def test_a_word_too_many_does_no_harm(clinic: KnowledgeGraph) -> None:
    assert [(m.curie, m.score) for m in clinic.index.search("Carvella myeloma")][:2] == [
        ("product:alfacel", 0.7),
        ("disease:myeloma", 0.7),
    ]


def test_the_words_of_a_name_may_come_in_any_order_and_misspelt(clinic: KnowledgeGraph) -> None:
    assert clinic.index.search("lymphoma large")[0].curie == "disease:large-cell-lymphoma"
    assert clinic.index.search("leukodistrophy")[0].curie == "disease:krabbe"


def test_an_ambiguous_name_lists_all_that_bear_it(shipped: KnowledgeGraph) -> None:
    found = shipped.index.exactly("ATC:M09AX02", KINDS)  # autologous chondrocytes, whoever makes them
    assert len(found) > 1 and {match.score for match in found} == {1.0}
    with pytest.raises(UsageError, match=r"cannot tell which product 'M09AX02' means: .*cultured-chondrocytes-tigenix"):
        shipped.ask("names", product="M09AX02")


def test_find_gives_the_reason(clinic: KnowledgeGraph) -> None:
    answer = clinic.find("carvela")
    assert answer.names == ("id", "kind", "label", "matched", "reason", "score")
    assert answer.rows[0][:5] == ("alfacel", "product", "alfacel", "Carvella", "brand")


def test_nothing_is_found_for_nothing(clinic: KnowledgeGraph) -> None:
    assert clinic.index.search("") == clinic.index.search("®") == clinic.index.search("xqzzw") == []


@pytest.mark.parametrize("one, other", [("Haemophilia", "hemophilia"), ("Œdema", "edema"), ("TUMOUR", "tumor")])
def test_spellings_that_are_the_same(one: str, other: str) -> None:
    assert folded(one) == folded(other)
