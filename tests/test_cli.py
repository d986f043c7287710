# ruff: noqa: E501 - messages stand on one line, as they are read
"""The command line: data on stdout, remarks on stderr, exit codes that mean something, and never a traceback."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atmpkg import __version__
from atmpkg.formats import WRITERS
from atmpkg.graph import KnowledgeGraph
from atmpkg.pages import _cell

Run = Callable[..., Any]
SAMPLE = Path(__file__).parent / "sample"
COMMANDS = ["build", "check", "questions", "ask", "query", "find", "show", "explain", "tables"]
HEAVY = {"rdflib", "networkx", "owlready2", "pandas", "SPARQLWrapper"}
CLI = "from atmpkg.cli import main\nmain()"
AUTHORISED = ("ask", "authorised-products", "jurisdiction=EU", "as-of=2020-01-01")


def in_a_process(code: str, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)


# What each command gives --------------------------------------------------------------------------------------------


def test_help_names_every_command_with_an_example(atmpkg: Run) -> None:
    run = atmpkg("--help")
    assert run.code == 0 and run.err == ""
    assert all(command in run.out for command in COMMANDS)
    for command in COMMANDS:
        assert f"Example: atmpkg {command}" in " ".join(atmpkg(command, "--help").out.split())


def test_without_words_it_helps_and_says_wrong_use(atmpkg: Run) -> None:
    assert atmpkg().code == 2


def test_version(monkeypatch: pytest.MonkeyPatch, atmpkg: Run) -> None:
    run = in_a_process("from atmpkg.cli import main; main()", "--version")
    assert (run.returncode, run.stdout, run.stderr) == (0, f"atmpkg {__version__}\n", "")


def test_ask_puts_data_on_stdout_and_remarks_on_stderr(atmpkg: Run) -> None:
    atmpkg("build")
    run = atmpkg(*AUTHORISED)
    assert run.code == 0
    assert run.out.splitlines()[1].startswith(
        "alfacel\tAlphara\tgtmp\t2018-08-23\tconditional\tFirst Pharma\tEU/1/18/9001\tEU\tno\t"
    )
    assert run.err == (
        "1 row · as of 2020-01-01 · known until 2024-01-31 · 0 products without a recorded decision in EU"
        f" · release {__version__}\n"
    )
    assert atmpkg(*AUTHORISED, "--quiet").err == ""


def test_both_ways_to_give_a_parameter_are_the_same(atmpkg: Run) -> None:
    first = atmpkg("ask", "authorised-products", "jurisdiction=EU", "as-of=2020-01-01")
    for words in (
        ["--jurisdiction", "EU", "--as-of", "2020-01-01"],
        ["--jurisdiction=EU", "as_of=2020-01-01"],
        ["--as_of=2020-01-01", "jurisdiction=eu"],
        ["jurisdiction=European Union", "--as-of", "2020-01"],
    ):
        assert atmpkg("ask", "authorised-products", *words).out.splitlines()[1:] == first.out.splitlines()[1:]


@pytest.mark.parametrize("format", WRITERS)
def test_every_format_holds_the_same_rows(format: str, atmpkg: Run) -> None:
    run = atmpkg("ask", "names", "product=alfacel", "--format", format)
    assert run.code == 0
    assert [name in run.out for name in ("Alphara", "Alfyta", "ABC-001", "アルファセル")] == [True] * 4


def test_tsv_csv_json_and_jsonl_are_read_back_by_their_readers(atmpkg: Run) -> None:
    asked = ("ask", "approval-lag", "first=US", "second=EU", "--format")
    tsv = [line.split("\t") for line in atmpkg(*asked, "tsv").out.removesuffix("\n").split("\n")]
    assert list(csv.reader(io.StringIO(atmpkg(*asked, "csv").out))) == tsv
    document = json.loads(atmpkg(*asked, "json").out)
    assert document["head"]["vars"] == tsv[0]
    assert [row.get("days") for row in document["results"]["bindings"]] == [
        None,
        {"type": "literal", "value": "309", "datatype": "http://www.w3.org/2001/XMLSchema#integer"},
    ]
    rows = [json.loads(line) for line in atmpkg(*asked, "jsonl").out.splitlines()]
    assert [(row["product"], row["days"]) for row in rows] == [("foxtrocel", None), ("alfacel", 309)]


def test_a_csv_ends_its_lines_as_the_standard_says_and_is_utf_8() -> None:
    select = "SELECT ?a ?b { VALUES (?a ?b) { ('x, y' 'アルファ') } }"
    words = [sys.executable, "-c", CLI, "query", select, "--format", "csv", "--data", str(SAMPLE)]
    run = subprocess.run(words, capture_output=True)
    assert run.stdout.decode() == 'a,b\r\n"x, y",アルファ\r\n'


@pytest.mark.parametrize("format, beside", [("tsv", True), ("md", True), ("xlsx", False)])
def test_with_sources_and_a_file_writes_them_beside_it(format: str, beside: bool, tmp_path: Path, atmpkg: Run) -> None:
    out = tmp_path / f"gone.{format}"
    run = atmpkg("ask", "market-exits", "--with-sources", "--quiet", "--out", str(out))
    assert (run.code, run.out, run.err) == (0, "", "")
    listed = tmp_path / f"gone.sources.{format}"
    assert sorted(tmp_path.iterdir()) == sorted([out, *([listed] if beside else [])])
    assert not beside or "Sample register" in listed.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words, said",
    [
        (["tables", "decisio"], "cannot list 'decisio': there is no such table; did you mean decision?\n"),
        (["tables", "nope"], "cannot list 'nope': there is no such table. See: atmpkg tables\n"),
        (["draw", "nope"], "cannot draw 'nope': there is no such view. See: atmpkg views\n"),
        (["draw", "nope", "--format", "pdff"], "cannot draw 'nope': there is no such view. See: atmpkg views\n"),
        (["ask", "stale-facts", "older-than-days=-1"], "cannot read older-than-days='-1': expected 0 or more.\n"),
        (["fetch", "ema", "--from-file", "gone.xls"], "cannot read gone.xls: there is no such file.\n"),
    ],
)
def test_a_wrong_name_is_told_in_one_line(words: list[str], said: str, atmpkg: Run) -> None:
    atmpkg("build")
    run = atmpkg(*words)
    assert (run.code, run.out, run.err) == (2, "", said)


def test_one_table_is_listed_alone(atmpkg: Run) -> None:
    assert [line.split("\t")[0] for line in atmpkg("tables", "decision").out.splitlines()] == ["table", "decision"]


def test_with_sources_lists_title_and_address(atmpkg: Run) -> None:
    run = atmpkg("ask", "disputes", "product=alfacel", "--with-sources", "--format", "tsv")
    assert "paper: Sample review <https://example.org/paper>\n" in run.err
    assert "paper: Sample review" not in run.out


def test_sparql_prints_the_bound_query(atmpkg: Run) -> None:
    run = atmpkg(*AUTHORISED, "--sparql")
    assert "VALUES ?jurisdiction { <https://w3id.org/atmpkg/id/jurisdiction/EU> }" in run.out
    again = atmpkg("query", run.out, "--format", "tsv")
    assert again.code == 0 and "alfacel" in again.out


def test_questions_lists_and_explains(atmpkg: Run) -> None:
    listed = atmpkg("questions", "--format", "tsv")
    assert "lag\tapproval-lag\tfirst! second!\t" in listed.out
    one = atmpkg("questions", "approval-lag")
    assert "Counts: " in one.out and "atmpkg ask approval-lag first=US second=EU" in one.out


def test_tables_tells_rows_and_how_far_they_reach(atmpkg: Run) -> None:
    rows = {line.split("\t")[0]: line.split("\t") for line in atmpkg("tables", "--format", "tsv").out.splitlines()}
    assert rows["product"][2] == "6"
    assert rows["supply-route"][3] == "2024-01-31"


@pytest.mark.parametrize(
    "text, first",
    [
        ("alphara", ["alfacel", "product"]),
        ("ABC 001", ["alfacel", "product"]),
        ("lbcl", ["large-b-cell-lymphoma", "disease"]),
        ("EU/1/18/9001", ["alfacel", "product"]),
        ("MONDO:0005062", ["lymphoma", "disease"]),
        ("アルファセル", ["alfacel", "product"]),
        ("alphera", ["alfacel", "product"]),
    ],
)
def test_find_finds_by_any_name(text: str, first: list[str], atmpkg: Run) -> None:
    lines = atmpkg("find", text, "--format", "tsv").out.splitlines()
    assert len(lines) > 1
    assert lines[1].split("\t")[:2] == first


def test_find_of_nothing_says_so(atmpkg: Run) -> None:
    run = atmpkg("find", "qqqqqqqq")
    assert run.code == 0 and run.out.count("\n") == 1
    assert run.err.endswith("nothing found that resembles 'qqqqqqqq'\n")


def test_show_is_one_page(atmpkg: Run) -> None:
    page = atmpkg("show", "Alfyta").out
    for part in (
        "alfacel  ·  Alphara, Alfyta",
        "autologous",
        "EU  authorised since 2018-08-23",
        "● grant",
        "kept 2017-10-18",
    ):
        assert part in page
    assert max(map(len, page.splitlines())) <= 100


@pytest.mark.parametrize(
    "column, row, said",
    [
        ("rate", {"rate": 79.4}, "79.4 %"),
        ("n of total", {"n": 54, "total": 68}, "54 of 68"),
        ("n of total", {"n": None, "total": 68}, "of 68"),
        ("n of total", {"n": 2, "total": None}, "n 2"),
        ("n of total", {"n": None, "total": None}, ""),
        ("value", {"value": 2.3, "unit": "months"}, "2.3 months"),
        ("value", {"value": None, "unit": "percent"}, ""),
        ("years", {"years": 1}, "1 year"),
        ("days", {"days": 21}, "21 days"),
        ("grade", {"grade": "3 or higher"}, "grade 3 or higher"),
        ("design", {"design": "control: none|single-arm-trial"}, "control: none, single-arm-trial"),
    ],
)
def test_a_number_on_the_page_of_a_product_says_what_it_counts(
    column: str, row: dict[str, str | float | None], said: str
) -> None:
    assert _cell(row, column) == said


def test_show_does_for_every_product(atmpkg: Run) -> None:
    for product in ("alfacel", "bravocel", "charlievec", "deltavec", "echocel", "foxtrocel"):
        run = atmpkg("show", product)
        assert run.code == 0 and run.out.startswith(product)


def test_explain_tells_the_source_and_who_disagrees(atmpkg: Run) -> None:
    said = atmpkg("explain", "decision:alfacel-us-grant").out
    for part in ("2017-10-18", "Sample register", "https://example.org/register", "paper says 2017-10-19"):
        assert part in said


def test_query_reads_text_files_and_standard_input(
    atmpkg: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sparql = "SELECT ?id { ?p a atmp:Product ; dcterms:identifier ?id } ORDER BY ?id LIMIT 2"
    (tmp_path / "q.rq").write_text(sparql)
    monkeypatch.setattr(sys, "stdin", io.StringIO(sparql))
    for text in (sparql, str(tmp_path / "q.rq"), "-"):
        assert atmpkg("query", text).out == "id\nalfacel\nbravocel\n"


def test_query_gives_triples_and_truth_too(atmpkg: Run) -> None:
    assert atmpkg("query", "ASK { product:alfacel a atmp:Product }").out == "answer\nyes\n"
    construct = "CONSTRUCT { ?s rdfs:label ?l } WHERE { ?s a atmp:Authority ; rdfs:label ?l FILTER(?l = 'European Commission') }"
    triple = '<https://w3id.org/atmpkg/id/authority/european-commission> <http://www.w3.org/2000/01/rdf-schema#label> "European Commission" .\n'
    assert atmpkg("query", construct, "--format", "nt").out == triple


def test_check_is_silent_on_good_data(atmpkg: Run) -> None:
    run = atmpkg("check")
    assert (run.code, run.out, run.err) == (0, "", "0 problems\n")


def test_build_tells_where_and_how_much(atmpkg: Run, tmp_path: Path) -> None:
    run = atmpkg("build", "--store", tmp_path / "store")
    assert (run.code, run.out) == (0, "")
    assert run.err.startswith("built ") and str(tmp_path / "store") in run.err
    assert atmpkg(*AUTHORISED, "--store", tmp_path / "store").out == atmpkg(*AUTHORISED).out


# Wrong use: one clear message, exit 2 -------------------------------------------------------------------------------

WRONG = {
    "unknown question": (["ask", "authorized-products"], "did you mean authorised-products"),
    "unknown parameter": (["ask", "names", "prodct=x"], "no parameter 'prodct'; it takes product; did you mean product?"),
    "missing parameter": (["ask", "approval-lag"], "atmpkg ask approval-lag first=US second=EU"),
    "not name=value": (["ask", "names", "alfacel"], "cannot read 'alfacel': expected name=value"),
    "no value": (["ask", "names", "--product"], "cannot read '--product'"),
    "unknown product": (["ask", "names", "product=alphera"], "Did you mean alfacel?"),
    "ambiguous product": (["show", "Twin"], "deltavec (common Twin), echocel (common Twin)"),
    "unknown product shown": (["show", "Alphraa"], "Did you mean alfacel?"),
    "bad date": (["ask", "authorised-products", "jurisdiction=EU", "as-of=2022-13-01"], "expected a date such as 2022-01-01"),
    "unknown format": (["ask", "names", "--format", "xml"], "cannot write 'xml': expected one of table, tsv, csv"),
    "unknown format of rows": (["query", "SELECT * { ?s ?p ?o } LIMIT 1", "--format", "xml"], "cannot write 'xml'"),
    "unknown format of triples": (["query", "DESCRIBE product:alfacel", "--format", "tsv"], "expected ttl or nt"),
    "malformed query": (["query", "SELECT * {\n ?s ?p }"], "malformed at line 2"),
    "malformed query with our prefixes": (["query", "SELECT * { ?s a atmp:Product ; }}"], "\n    SELECT * { ?s a atmp:Product ; }}\n"),
    "update": (["query", "DROP ALL"], "malformed"),
    "missing query file": (["query", "absent.rq"], "cannot read the query absent.rq: there is no such file."),
    "unknown row": (["explain", "decision:alfacel-us-gran"], "did you mean alfacel-us-grant"),
    "unknown table": (["explain", "decsion:alfacel-us-grant"], "did you mean decision"),
    "row without table": (["explain", "alfacel"], "expected table:id"),
    "row of no table": (["explain", "product:al>fa"], "has no such row"),
    "no such project": (["ask", "names", "--data", "/nowhere"], "it has no folder data/tables."),
    "unknown command": (["asks"], "asks"),
    "unknown option": (["build", "--colour"], "--colour"),
    "no question": (["ask"], "question"),
    "unknown disease": (["ask", "indications", "disease=MONDO:9999999"], "cannot find the disease 'MONDO:9999999'."),
    "malformed id": (["ask", "indications", "disease=MONDO:1"], "cannot find the disease 'MONDO:1'."),
    "hostile product": (["ask", "names", 'product="} DROP ALL #'], "cannot find the product"),
}  # fmt: skip


@pytest.mark.parametrize("words, message", WRONG.values(), ids=WRONG)
def test_wrong_use_is_told_and_exits_2(words: list[str], message: str, atmpkg: Run) -> None:
    run = atmpkg(*words)
    assert (run.code, run.out) == (2, "")
    assert message.casefold() in run.err.casefold()
    assert "Traceback" not in run.err


def test_a_file_that_is_no_text_is_told(atmpkg: Run, tmp_path: Path) -> None:
    (tmp_path / "q.rq").write_bytes(b"\xff\xfe")
    run = atmpkg("query", tmp_path / "q.rq")
    assert (run.code, run.out) == (2, "") and "q.rq" in run.err


def test_a_service_that_does_not_answer_is_told(atmpkg: Run) -> None:
    run = atmpkg("query", "SELECT * { SERVICE <http://localhost:1/sparql> { ?s ?p ?o } }")
    assert (run.code, run.out) == (3, "")
    assert run.err.splitlines()[-1].startswith("cannot ")


def test_a_format_is_refused_before_anything_is_built(atmpkg: Run, own_sample: Path) -> None:
    run = atmpkg("ask", "names", "--format", "xml", "--data", own_sample)
    assert run.err.count("\n") == 1


def test_a_broken_cell_gives_file_line_and_column(atmpkg: Run, own_sample: Path) -> None:
    path = own_sample / "data" / "tables" / "product.tsv"
    path.write_text(path.read_text().replace("car-t", "car-tt"))
    for words in (["build"], ["ask", "names"], ["show", "alfacel"], ["tables"]):
        run = atmpkg(*words, "--data", own_sample)
        assert (run.code, run.out) == (1, "")
        assert "product.tsv:2 [modality]: found 'car-tt'; expected one of " in run.err
    run = atmpkg("check", "--data", own_sample)
    assert run.code == 1
    assert run.out.startswith("product.tsv:2 [modality]: found 'car-tt'; expected one of ")
    assert run.err == "1 problem\n"


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    command=st.sampled_from([["ask", "names"], ["find"], ["show"], ["explain"], ["ask"], ["questions"]]),
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
)
def test_no_text_gives_a_traceback(command: list[str], text: str, atmpkg: Run) -> None:
    words = [*command, f"product={text}"] if len(command) > 1 else [*command, "--", text]
    run = atmpkg(*words)
    assert run.code in (0, 2)
    assert "Traceback" not in run.err


# The process --------------------------------------------------------------------------------------------------------


def loaded(code: str, *words: str) -> set[str]:
    """Return which heavy packages a process has imported when it ends."""
    watch = "import atexit, sys\natexit.register(lambda: print(sorted(sys.modules), file=sys.__stderr__))\n"
    run = in_a_process(watch + code, *words)
    assert run.returncode == 0, run.stderr
    modules = {name.split(".")[0] for name in eval(run.stderr.splitlines()[-1])}
    assert "atmpkg" in modules
    return modules


@pytest.mark.parametrize(
    "code, words",
    [
        ("import atmpkg", []),
        (CLI, ["--help"]),
        (CLI, [*AUTHORISED, "--data", str(SAMPLE)]),
        (CLI, ["questions", "--data", str(SAMPLE)]),
        (CLI, ["show", "alfacel", "--data", str(SAMPLE)]),
        (CLI, ["query", "ASK {}", "--data", str(SAMPLE)]),
    ],
    ids=["import", "help", "ask", "questions", "show", "query"],
)
def test_nothing_heavy_is_imported(code: str, words: list[str]) -> None:
    assert loaded(code, *words) & HEAVY == set()


def test_import_and_help_do_without_the_store_and_yaml() -> None:
    assert loaded("import atmpkg") & {"pyoxigraph", "yaml", "click"} == set()
    assert loaded(CLI, "--help") & {"pyoxigraph", "yaml"} == set()


def test_an_interruption_ends_without_a_word(atmpkg: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(KnowledgeGraph, "inventory", interrupted)
    run = atmpkg("tables")
    assert (run.code, run.out) == (130, "") and not run.err.strip()


def test_a_reader_that_goes_away_is_no_fault() -> None:
    code = "import sys\nfrom atmpkg import cli\nsys.argv = ['atmpkg', 'query', sys.argv[1], '--data', sys.argv[2]]\ncli.main()"
    sparql = "SELECT * { ?s ?p ?o . ?a ?b ?o } LIMIT 20000"
    with subprocess.Popen(
        [sys.executable, "-c", code, sparql, str(SAMPLE)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, b"Traceback" in said, b"BrokenPipe" in said) == (0, False, False)


def test_output_to_a_full_disk_is_told() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [sys.executable, "-c", CLI, "ask", "names", "--data", str(SAMPLE)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert run.returncode == 3
    assert "Traceback" not in run.stderr
