"""Every format holds every value; tables fit the terminal, whatever the script."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atmpkg.answers import Answer, Remarks, as_text
from atmpkg.formats import WRITERS
from atmpkg.formats.table import display_width, table_text
from atmpkg.queries import AnswerColumn

values = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(st.characters(exclude_categories=["Cs"]))
words = st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=30)


def answer(*rows: tuple[object, ...], names: tuple[str, ...] = ("product", "days")) -> Answer:
    return Answer("q", "Q", tuple(AnswerColumn(name) for name in names), rows, Remarks())  # type: ignore[arg-type]


@pytest.mark.parametrize("name", WRITERS)
def test_an_empty_answer_still_has_its_header(name: str) -> None:
    written = WRITERS[name](answer())
    assert name == "jsonl" or ("product" in written and "days" in written)
    assert written == "" or written.endswith("\n")


@given(st.lists(st.tuples(values, values), max_size=4))
def test_a_tsv_has_a_line_per_row_and_a_cell_per_column(rows: list[tuple[object, ...]]) -> None:
    lines = WRITERS["tsv"](answer(*rows)).removesuffix("\n").split("\n")
    assert [line.count("\t") for line in lines] == [1] * (len(rows) + 1)


@given(st.lists(st.tuples(values, values), max_size=4))
def test_a_csv_reads_back_as_it_was(rows: list[tuple[object, ...]]) -> None:
    read = list(csv.reader(io.StringIO(WRITERS["csv"](answer(*rows)), newline="")))
    assert read == [["product", "days"], *([as_text(value) for value in row] for row in rows)]  # type: ignore[arg-type]


@given(st.lists(st.tuples(values, values), max_size=4))
def test_json_reads_back_as_it_was(rows: list[tuple[object, ...]]) -> None:
    document = json.loads(WRITERS["json"](answer(*rows)))
    assert [set(row) for row in document["results"]["bindings"]] == [
        {name for name, value in zip(("product", "days"), row, strict=True) if value is not None} for row in rows
    ]
    lines = WRITERS["jsonl"](answer(*rows)).split("\n")[:-1]
    assert [tuple(json.loads(line).values()) for line in lines] == rows


@given(st.lists(st.tuples(words, words), max_size=4))
def test_a_markdown_table_has_a_line_per_row(rows: list[tuple[str, str]]) -> None:
    lines = WRITERS["md"](answer(*rows)).removesuffix("\n").split("\n")
    assert len(lines) == len(rows) + 2
    assert {line.replace("\\|", "").count("|") for line in lines} == {3}


@given(st.lists(st.tuples(words, words, words), max_size=4), st.integers(60, 140))
def test_a_table_fits_its_width(rows: list[tuple[str, ...]], width: int) -> None:
    text = table_text(answer(*rows, names=("product", "days", "detail")), width)
    assert max(map(display_width, text.splitlines())) <= width


def test_a_table_wraps_aligns_and_leaves_out_the_sources() -> None:
    rows = [("tisagenlecleucel", 358, "A long detail that has to wrap somewhere", "s1"), ("β", -9, "x|y", "s2")]
    text = table_text(answer(*rows, names=("product", "days", "detail", "source")), 48)
    assert text.splitlines() == [
        "product           days  detail",
        "────────────────  ────  ────────────────────────",
        "tisagenlecleucel   358  A long detail that has",
        "                        to wrap somewhere",
        "β                   -9  x, y",
    ]


def test_wide_characters_take_two_columns() -> None:
    text = table_text(answer(("遺伝子", "a"), ("abc", "b")), 80)
    assert text.splitlines()[2:] == ["遺伝子   a", "abc      b"]


@pytest.mark.parametrize(
    "value, text",
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (-1265, "-1265"),
        (2.5, "2.5"),
        (4.10, "4.1"),
        (1e6, "1000000"),
    ],
)
def test_values_are_written_for_people(value: object, text: str) -> None:
    assert as_text(value) == text  # type: ignore[arg-type]
