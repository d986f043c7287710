# ruff: noqa: E501 - messages stand on one line, as they are read
"""Answers as files and frames: read back by the tools they are for, typed by description alone."""

import datetime as dt
import io
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from atmpkg.answers import Answer, Remarks
from atmpkg.formats import BINARY, FORMATS, content
from atmpkg.formats.table import table_text
from atmpkg.graph import KnowledgeGraph
from atmpkg.queries import AnswerColumn

COLUMNS = (
    AnswerColumn("product", "Product id", type="id"),
    AnswerColumn("since", "First day", type="date"),
    AnswerColumn("days", "Length", type="integer", unit="days"),
    AnswerColumn("share", "Share", type="percent", unit="%"),
    AnswerColumn("sure", "Whether", type="flag"),
    AnswerColumn("brand", "Brands", many=True),
    AnswerColumn("source", "Sources", many=True),
)
ROWS = (
    ("alfacel", "2024-02", 3, 1, True, "A|B", "register"),
    ("=1+1", "2024-02-03", None, None, None, None, None),
    ("アルファ", None, -4, 2.5, False, "C", "register|paper"),
)
ANSWER = Answer("q", "Q", COLUMNS, ROWS, Remarks(as_of="2024-06-01", release="1"))  # type: ignore[arg-type]
EMPTY = Answer("q", "Q", COLUMNS, (), Remarks(release="1"))


@pytest.fixture(autouse=True)
def components(needs: Callable[[bool, str], None]) -> None:
    for name in ("pandas", "polars", "pyarrow", "xlsxwriter", "openpyxl", "duckdb"):
        needs(find_spec(name) is not None, name)


def test_a_frame_has_its_types_whatever_the_rows_hold() -> None:
    full, empty = ANSWER.to_pandas(), EMPTY.to_pandas()
    assert dict(full.dtypes.astype(str)) == dict(empty.dtypes.astype(str)) == {
        "product": "str", "since": "datetime64[s]", "days": "Int64", "share": "Float64", "sure": "boolean",
        "brand": "str", "source": "str", "since_precision": "str",
    }  # fmt: skip
    assert str(full["since"][0]) == "2024-02-01 00:00:00" and full["since_precision"][0] == "month"
    assert full["days"].isna().tolist() == [False, True, False]
    assert full.attrs["as_of"] == "2024-06-01" and full.attrs["question"] == "q"


def test_polars_and_arrow_have_the_same_types() -> None:
    assert ANSWER.to_polars().schema == EMPTY.to_polars().schema
    assert ANSWER.to_polars()["brand"].to_list() == [["A", "B"], None, ["C"]]
    assert ANSWER.to_polars()["since"].to_list() == [dt.date(2024, 2, 1), dt.date(2024, 2, 3), None]
    schema = ANSWER.to_arrow().schema
    assert schema.field("days").metadata == {b"meaning": b"Length", b"unit": b"days", b"type": b"integer"}


def test_parquet_is_read_by_others_with_its_meanings(tmp_path: Path) -> None:
    import duckdb
    import pyarrow.parquet as pq

    (tmp_path / "a.parquet").write_bytes(content(ANSWER, "parquet"))
    rows = duckdb.sql(f"SELECT product, since, days, brand FROM '{tmp_path / 'a.parquet'}'").fetchall()
    assert rows[0] == ("alfacel", dt.date(2024, 2, 1), 3, ["A", "B"])
    said = pq.read_schema(tmp_path / "a.parquet").metadata
    assert said[b"question"] == b"q" and said[b"as_of"] == b"2024-06-01" and b"1 row" not in said[b"completeness"]
    assert pq.read_table(io.BytesIO(content(EMPTY, "parquet"))).num_rows == 0


def test_a_workbook_says_what_its_columns_mean_and_what_it_rests_on(sample: KnowledgeGraph) -> None:
    from openpyxl import load_workbook

    answer = sample.ask("approval-lag", first="US", second="EU")
    book = load_workbook(io.BytesIO(content(answer, "xlsx")))
    sheet, about = book["answer"], book["about"]
    assert [cell.value for cell in sheet[1]] == list(answer.names)
    assert sheet["D1"].comment.text == "Second minus first (days)"
    assert sheet["C3"].value == dt.datetime(2018, 8, 23) and sheet["D3"].value == 309
    assert sheet["B2"].value == "2011"  # a year is no day
    cells = {row[0].value: row[1].value for row in about.iter_rows() if row[0].value}
    assert cells["as of"] == "2024-06-01" and cells["register"] == "Sample register"
    assert cells["query (SPARQL)"].startswith("#+ title: Lag") or "SELECT ?product" in cells["query (SPARQL)"]
    assert [row[2].value for row in about.iter_rows() if row[0].value == "register"] == ["https://example.org/register"]


def test_a_cell_is_never_a_formula() -> None:
    from openpyxl import load_workbook

    sheet = load_workbook(io.BytesIO(content(ANSWER, "xlsx")))["answer"]
    assert (sheet["A3"].value, sheet["A3"].data_type) == ("=1+1", "s")
    assert load_workbook(io.BytesIO(content(EMPTY, "xlsx")))["answer"].max_row == 1


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_written_to_a_file_by_its_name(format: str, atmpkg: Callable[..., Any], tmp_path: Path) -> None:
    out = tmp_path / ("a.txt" if format == "table" else f"a.{format}")
    run = atmpkg("ask", "names", "product=alfacel", "--out", out)
    assert (run.code, run.out) == (0, "") and "4 rows" in run.err
    head = {"parquet": b"PAR1", "xlsx": b"PK", "json": b"{", "jsonl": b"{", "md": b"| product", "table": b"name  "}
    assert out.read_bytes().startswith(head.get(format, b"product"))


def test_a_file_is_written_whole_or_not_at_all(atmpkg: Callable[..., Any], tmp_path: Path) -> None:
    for words, said in (
        (["--out", tmp_path / "a.doc"], "cannot tell the format of 'a.doc': name one with --format, one of table, tsv"),
        (["--format", "xslx"], "cannot write 'xslx': expected one of table, tsv, csv, json, jsonl, md, parquet, xlsx"),
        (["--out", tmp_path / "no" / "a.csv"], "Make its folder first."),
        (["--plot", tmp_path / "a.doc"], "cannot draw 'a.doc': expected a name that ends in one of svg, png, pdf"),
        (["--plot", tmp_path / "a.svg"], "cannot draw 'names': no picture belongs to it."),
    ):
        run = atmpkg("ask", "names", "product=alfacel", *words)
        assert run.code in (2, 3) and said in run.err and "Traceback" not in run.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", BINARY)
def test_binary_goes_to_a_pipe(format: str, tmp_path: Path, sample: KnowledgeGraph) -> None:
    assert content(sample.ask("names"), format)[:2] in (b"PA", b"PK")


def test_a_terminal_gets_colours_of_its_width() -> None:
    plain, coloured = table_text(ANSWER, 60), table_text(ANSWER, 60, colour=True)
    assert "\x1b[" not in plain and "\x1b[1m" in coloured
    import re

    bare = re.sub(r"\x1b\[\d+m", "", coloured)
    assert [line.rstrip() for line in bare.splitlines()] == plain.splitlines()


def test_a_date_is_not_broken_to_fit() -> None:
    assert "2024-02-03" in table_text(ANSWER, 40)


def test_a_notebook_shows_links_and_escapes_the_rest(sample: KnowledgeGraph) -> None:
    page = sample.ask("names", product="alfacel")._repr_html_()
    assert '<a href="https://w3id.org/atmpkg/id/product/alfacel">alfacel</a>' in page
    assert '<a href="https://example.org/register" title="Sample register">register</a>' in page
    hostile = Answer("q", "<i>", (AnswerColumn("a", "<b>"),), (("<script>",),), Remarks(release="1"))
    assert "<script>" not in hostile._repr_html_() and "<i>" not in hostile._repr_html_()


def test_a_missing_value_keeps_its_reason(sample: KnowledgeGraph) -> None:
    history = sample.ask("decision-history", product="foxtrocel")
    at = [row[0] for row in history.rows].index("2011")
    assert history.rows[at][history.names.index("holder")] is None
    assert history.reasons == {(at, "holder"): "unknown"}
    assert history.told_by[at] == "decision:foxtrocel-us-grant"
    assert "<i>unknown</i>" in history._repr_html_()


@pytest.mark.parametrize(
    "question, given, why",
    [
        ("outside-marketing-authorisation", {"jurisdiction": "US"}, "not looked for: no supply-route in US, and no survey"),
        ("exclusivity", {"jurisdiction": "DE"}, "nothing recorded: no exclusivity in DE itself, but 1 row in EU, whose"),
        ("outside-marketing-authorisation", {"jurisdiction": "DE", "as_of": "1999"}, "nothing recorded: none of 1 row of supply-route in DE fits; surveys cover"),
        ("names", {"product": "deltavec"}, ""),
        ("decision-history", {"product": "echocel"}, ""),
        ("safety-timeline", {"product": "bravocel"}, "nothing recorded: none of 4 rows of decision for bravocel fits; surveys cover some"),
        ("refused-or-withdrawn-applications", {"jurisdiction": "DE", "since": "2025"}, "nothing recorded: no decision in DE"),
    ],
)  # fmt: skip
def test_an_empty_answer_says_why(question: str, given: dict[str, str], why: str, sample: KnowledgeGraph) -> None:
    answer = sample.ask(question, **given)
    assert answer.remarks.empty.startswith(why) and bool(answer.remarks.empty) == (not answer.rows)


def test_looked_for_and_none_found_is_said(own_sample: Path, in_memory: Callable[..., KnowledgeGraph]) -> None:
    from atmpkg.project import Project, home

    surveys = own_sample / "data" / "tables" / "survey.tsv"
    with surveys.open("a", encoding="utf-8", newline="\n") as file:
        file.write("supply-us\tsupply-route\tUS\t\torphans\t2024-02-01\t2024-01-31\tno\tno\t0\tregister\t\t\n")
        file.write("price-gb\tprice\tGB\t\tlist prices\t2024-02-01\t2024-01-31\tyes\tyes\t0\tregister\t\t\n")
    kg = in_memory(Project(own_sample, home()))
    assert kg.ask("list-prices", country="GB").remarks.empty == (
        "looked for and none found: no price in GB, until 2024-01-31 (list prices)."
    )
    assert kg.ask("outside-marketing-authorisation", jurisdiction="US").remarks.empty == (
        "nothing recorded: no supply-route in US; surveys cover a part only, until 2024-01-31 (orphans)."
    )


def test_a_pure_count_gives_its_sources_when_asked(sample: KnowledgeGraph, atmpkg: Callable[..., Any]) -> None:
    assert sample.ask("authorisation-count", jurisdiction="EU").names[-1] == "jurisdiction"
    answer = sample.ask("authorisation-count", jurisdiction="EU", with_sources=True)
    assert answer.names[-1] == "source" and [source.id for source in answer.sources] == ["register"]
    run = atmpkg("ask", "authorisation-count", "jurisdiction=EU", "--with-sources", "--format", "tsv")
    assert run.out.splitlines()[0].endswith("\tsource") and "register: Sample register <https" in run.err


def test_explain_tells_the_meaning_and_the_query_runs(atmpkg: Callable[..., Any]) -> None:
    run = atmpkg("ask", "approval-lag", "first=US", "second=EU", "--explain")
    assert run.out.startswith("# How many days lie") and "# first=US (jurisdiction: First jurisdiction)" in run.out
    alone = atmpkg("ask", "approval-lag", "first=US", "second=EU", "--sparql")
    assert alone.out.startswith("PREFIX") and "#+" not in alone.out and alone.out in run.out
    assert "alfacel" in atmpkg("query", run.out, "--format", "tsv").out


def test_questions_are_browsed_completed_and_called(sample: KnowledgeGraph) -> None:
    questions = sample.questions
    assert "approval_lag" in dir(questions) and "approval-lag" in questions._ipython_key_completions_()
    assert (
        questions.approval_lag(first="US", second="EU").rows == sample.ask("approval-lag", first="US", second="EU").rows
    )
    assert str(questions.approval_lag.__signature__) == "(*, first, second)"
    assert "Counts: Products authorised in both" in (questions.approval_lag.__doc__ or "")
    assert "approval-lag" in questions.pack("lag") and "lag: approval-lag" in repr(questions)
    assert "<code>approval-lag</code>" in questions._repr_html_()
    with pytest.raises(AttributeError, match="there is no question zzz"):
        _ = questions.zzz


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # within rdflib and oxrdflib
def test_the_graph_is_an_rdflib_dataset_over_the_same_store(
    sample: KnowledgeGraph, needs: Callable[[bool, str], None]
) -> None:
    needs(find_spec("oxrdflib") is not None, "oxrdflib, an extra of the package,")
    dataset = sample.graph()
    assert len(dataset) == len(sample.store)
    counted = dataset.query("SELECT (COUNT(?p) AS ?n) { ?p a <https://w3id.org/atmpkg/ontology/Product> }")
    assert [int(row[0]) for row in counted] == [6]
