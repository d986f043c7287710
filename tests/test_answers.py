# ruff: noqa: E501 - messages stand on one line, as they are read
"""Answers are rows of plain values, and say how much they know."""

from collections.abc import Callable
from importlib.util import find_spec

import pyoxigraph as ox
import pytest

from atmpkg.answers import Remarks, from_result
from atmpkg.graph import KnowledgeGraph
from atmpkg.queries import AnswerColumn


def rows(select: str, *columns: AnswerColumn) -> tuple[tuple[object, ...], ...]:
    result = ox.Store().query(select)
    assert isinstance(result, ox.QuerySolutions | ox.QueryBoolean)
    return from_result(result, "q", "Q", columns, Remarks()).rows


def test_terms_become_plain_values() -> None:
    row = rows('SELECT ?a ?b ?c ?d ?e ?f { VALUES (?a ?b ?c ?d ?e ?f) { (1 2.5 true "t" <urn:x> UNDEF) } }')
    assert row == ((1, 2.5, True, "t", "urn:x", None),)


def test_an_id_is_the_end_of_our_iri_and_a_list_is_sorted_and_without_gaps() -> None:
    select = 'SELECT ?p ?s { VALUES (?p ?s) { (<https://w3id.org/atmpkg/id/product/alfacel> "b||a|b") } }'
    assert rows(select, AnswerColumn("p", type="id"), AnswerColumn("s", many=True)) == (("alfacel", "a|b"),)


def test_described_columns_come_first() -> None:
    assert rows("SELECT ?a ?b { VALUES (?a ?b) { (1 2) } }", AnswerColumn("b")) == ((2, 1),)


def test_ask_gives_one_row_and_construct_none() -> None:
    assert rows("ASK {}") == ((True,),)
    with pytest.raises(TypeError, match="gives triples"):
        from_result(ox.Store().query("CONSTRUCT { } WHERE { }"), "q", "Q", (), Remarks())


@pytest.mark.parametrize(
    "remarks, lines",
    [
        (Remarks(release="1"), ["2 rows · release 1"]),
        (Remarks(as_of="2020-01-01", known={"EU": "2024-01-31"}, everywhere=False, release="1"),
         ["2 rows · as of 2020-01-01 · known until 2024-01-31 · release 1"]),
        (Remarks(as_of="2025-01-01", known={"EU": "2024-01-31"}, everywhere=False, release="1"),
         ["warning: 2025-01-01 is later than the day until which the data reach (2024-01-31)",
          "2 rows · as of 2025-01-01 · known until 2024-01-31 · release 1"]),
        (Remarks(scope="products without a recorded price", nothing_recorded=3, release="1"),
         ["2 rows · no survey says until when the data reach · 3 products without a recorded price · release 1"]),
    ],
)  # fmt: skip
def test_remarks_warn_first(remarks: Remarks, lines: list[str]) -> None:
    assert remarks.lines(2) == lines


def test_an_answer_is_a_data_frame_too(sample: KnowledgeGraph, needs: Callable[[bool, str], None]) -> None:
    needs(find_spec("pandas") is not None, "pandas, an extra of the package,")
    frame = sample.ask("approval-lag", first="US", second="EU").to_pandas()
    assert list(frame["product"]) == ["foxtrocel", "alfacel"]
    assert frame.attrs["question"] == "approval-lag"


def test_an_answer_is_told_in_one_line(sample: KnowledgeGraph) -> None:
    answer = sample.ask("authorised-products", jurisdiction="EU", as_of="2020-01-01")
    assert repr(answer) == (
        "<answer authorised-products jurisdiction=EU as_of=2020-01-01: 1 row · as of 2020-01-01 · known until 2024-01-31"
        f" · 0 products without a recorded decision in EU · release {answer.remarks.release}>"
    )
    assert "<table>" in answer._repr_html_()


@pytest.mark.filterwarnings("ignore:Dataset.default_context is deprecated:DeprecationWarning")  # within rdflib 7
def test_the_whole_graph_is_an_rdflib_dataset_too(sample: KnowledgeGraph) -> None:
    dataset = sample.rdflib()
    assert len(dataset) == len(sample.store)
    counted = dataset.query("SELECT (COUNT(?p) AS ?n) { ?p a <https://w3id.org/atmpkg/ontology/Product> }")
    assert [int(row[0]) for row in counted] == [6]
