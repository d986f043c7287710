"""Rows become records or problems, never anything else; a record that exists is valid."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atmpkg.errors import Problem
from atmpkg.names import Names
from atmpkg.records import Record, Validator
from atmpkg.tables import MISSING, Row, Table, read_rows, read_tables
from atmpkg.terms import Terms

MINIMAL = Path(__file__).parent / "minimal"
TABLES = read_tables([MINIMAL / "data" / "tables"])
NAMES = Names.read(MINIMAL / "ontology" / "prefixes.yaml", TABLES)
TERMS = Terms.read(MINIMAL / "ontology")
HEADER = b"id\tlabel\tsynonym\tsource\n"

cells = st.text(st.characters(exclude_characters="\t\n\r\0", exclude_categories=["Cs"]), max_size=12)
almost_rows = st.lists(st.lists(cells, min_size=3, max_size=5).map("\t".join), max_size=4).map("\n".join)


def with_rows(table: str, content: bytes, folder: Path) -> Table:
    path = folder / f"{table}.tsv"
    path.write_bytes(content)
    return replace(TABLES[table], path=path)


def validated(content: bytes) -> list[Record | Problem]:
    with tempfile.TemporaryDirectory() as folder:
        tables = TABLES | {"product": with_rows("product", content, Path(folder))}
        return [item for item in Validator(tables, NAMES, TERMS).records() if about_products(item)]


def about_products(item: Record | Problem) -> bool:
    return item.table.name == "product" if isinstance(item, Record) else item.file == "product.tsv"


@given(st.binary(max_size=120))
def test_no_bytes_crash_the_reader(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        read = list(read_rows(with_rows("product", content, Path(folder))))
    assert all(isinstance(item, Row | Problem) for item in read)
    assert len(read) >= content.count(b"\n") - 1 or any(isinstance(item, Problem) and item.line == 1 for item in read)


@given(st.binary(max_size=80).map(lambda rows: HEADER + rows) | almost_rows.map(lambda rows: HEADER + rows.encode()))
def test_every_line_below_the_header_is_a_record_or_a_problem(content: bytes) -> None:
    found = validated(content)
    lines = content.count(b"\n") + (not content.endswith(b"\n"))
    assert {item.line for item in found} == set(range(2, lines + 1))
    assert all(item.file == "product.tsv" and item.expected for item in found if isinstance(item, Problem))


@given(st.lists(cells, min_size=4, max_size=4))
def test_a_row_is_a_record_or_its_problems_never_both(row: list[str]) -> None:
    found = validated(HEADER + "\t".join(row).encode() + b"\n")
    assert len(found) == 1 or all(isinstance(item, Problem) for item in found)


@given(cells)
def test_a_table_with_one_problem_still_tells_those_of_the_other_rows(label: str) -> None:
    found = validated(HEADER + f"alfacel\t{label}\t\tregister\nbravocel\tb\t\tnowhere\n".encode())
    assert [(p.line, p.column) for p in found if isinstance(p, Problem) and p.line == 3] == [(3, "source")]


def test_a_missing_file_is_an_empty_table(tmp_path: Path) -> None:
    assert list(read_rows(replace(TABLES["product"], path=tmp_path / "absent.tsv"))) == []


def test_a_last_line_without_line_feed_may_be_cut_off() -> None:
    problem, record = validated(HEADER + b"alfacel\ta\t\tregister")
    assert isinstance(record, Record)
    assert isinstance(problem, Problem) and problem.found == "a last line without a line feed"


@pytest.mark.parametrize("word", MISSING)
def test_what_places_a_row_may_not_be_missing(word: str) -> None:
    (problem,) = validated(HEADER + f"alfacel\ta\t\t{word}\n".encode())
    assert isinstance(problem, Problem)
    assert (problem.column, problem.found) == ("source", f"'{word}'")


def test_a_record_names_its_line_and_keeps_each_value_once() -> None:
    (record,) = validated(HEADER + b"alfacel\ta\tx|x\tregister|register\n")
    assert isinstance(record, Record)
    assert (record.id, record.line, len(record.values)) == ("alfacel", 2, 3)
