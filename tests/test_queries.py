# ruff: noqa: E501 - the interface is a table
"""Questions are SPARQL as they stand; binding puts values into VALUES blocks and nowhere else."""

import re
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib.plugins.sparql import prepareQuery

from atmpkg.errors import DataError
from atmpkg.names import is_iri
from atmpkg.project import home
from atmpkg.queries import Query, read_queries, read_query, values_blocks
from atmpkg.records import literal

QUERIES = home() / "queries"
QUESTIONS = read_queries([QUERIES / "questions"])
RULES = read_queries([QUERIES / "rules"])
CHECKS = read_queries([QUERIES / "checks"])
ALL = [*QUESTIONS.values(), *RULES.values(), *CHECKS.values()]

# The interface of shared/questions.md: pack, question, parameters (! = required), leading columns.
INTERFACE = """
regulatory  authorised-products                jurisdiction!,as-of         product,brand,class,authorised_since,basis,holder,number
regulatory  ever-authorised                    jurisdiction!,as-of         product,brand,first_authorised,status,status_since,status_reason,number
regulatory  authorisation-count                jurisdiction!,as-of         ever,current,withdrawn,expired,suspended,revoked
regulatory  basis-and-designations             jurisdiction,as-of          product,brand,kind,name,granted,ended
regulatory  changes-between                    jurisdiction,since!,until   date,product,brand,event,detail
regulatory  refused-or-withdrawn-applications  jurisdiction,since          product,name,event,date,reason
regulatory  authorised-here-not-there          here!,there!,as-of          product,brand,authorised_since
regulatory  outside-marketing-authorisation    jurisdiction,as-of          product,name,jurisdiction,route,since,until,limits
regulatory  applications-pending               jurisdiction,as-of          product,name,jurisdiction,applied,last_event
regulatory  obligations                        jurisdiction,as-of          product,jurisdiction,obligation,due,state,trial
regulatory  exclusivity                        jurisdiction,as-of          product,brand,kind,from,until
regulatory  names                              product                     product,name,kind,jurisdiction,from,until
regulatory  not-an-atmp                        -                           thing,jurisdiction,regulated_as,reason
regulatory  decision-history                   product!                    date,jurisdiction,authority,event,detail,precision
regulatory  indications                        product,disease,jurisdiction,as-of  product,brand,disease,disease_id,population,line,since,until
lag         approval-lag                       first!,second!              product,first_date,second_date,days
lag         opinion-to-decision                jurisdiction                product,brand,opinion_date,decision_date,days
lag         market-exits                       jurisdiction                product,brand,entered,left,years,kind,reason
lag         time-to-access                     country!                    product,authorised,body,verdict_date,verdict,days
evidence    disputes                           product                     product,row,column,kept,claimed,kept_source,claimed_source,reason
evidence    coverage                           -                           table,jurisdiction,known,unknown,not_looked_for,as_of
links       external-ids                       thing!                      thing,label,predicate,external_id,external_label,mapping_set
"""
PROMISED = [line.split() for line in INTERFACE.split("\n") if line]

HOSTILE = [
    '"', "'", '"""', "}", "} } DROP ALL #", "} UNION { ?s ?p ?o", "# comment", "// comment", "\\", '\\"', "{", "?x", "$x",
    "\n", "\r\n", "\t", "\0", "<urn:x>", "a b", "UNDEF", "VALUES ?jurisdiction { <urn:x> }", "‮", "\U0001f4a5", "%s", "{0}",
]  # fmt: skip


def name(query: Query) -> str:
    return query.name


def test_every_promised_question_is_there() -> None:
    assert len(PROMISED) == 22
    assert {question for _, question, _, _ in PROMISED} <= set(QUESTIONS)


@pytest.mark.parametrize("pack, question, parameters, columns", PROMISED, ids=[line[1] for line in PROMISED])
def test_a_question_keeps_its_interface(pack: str, question: str, parameters: str, columns: str) -> None:
    query = QUESTIONS[question]
    asked = [p.name.replace("_", "-") + "!" * p.required for p in query.parameters]
    assert query.pack == pack
    assert asked == (parameters.split(",") if parameters != "-" else [])
    assert [column.name for column in query.columns][: columns.count(",") + 1] == columns.split(",")


@pytest.mark.parametrize("query", QUESTIONS.values(), ids=name)
def test_the_described_columns_are_the_columns_and_source_is_the_last(query: Query) -> None:
    result = ox.Store().query(query.sparql)
    assert isinstance(result, ox.QuerySolutions)
    described = [column.name for column in query.columns]
    assert [variable.value for variable in result.variables] == described
    assert described[-1] == "source" or query.name == "authorisation-count"
    assert (
        "jurisdiction" in described
        or not any(p.name in ("jurisdiction", "country") for p in query.parameters)
        or ("country" in described)
    )


@pytest.mark.parametrize("query", QUESTIONS.values(), ids=name)
def test_a_question_describes_itself(query: Query) -> None:
    assert query.title != query.name
    assert query.text("answers").endswith("?")
    assert "keywords" in query.header and "example" in query.header
    assert all(part.meaning for part in (*query.parameters, *query.columns))


@pytest.mark.parametrize("query", ALL, ids=name)
def test_a_query_is_valid_as_it_stands_for_two_readers(query: Query) -> None:
    assert ox.Store().query(query.sparql) is not None
    assert prepareQuery(query.sparql) is not None


@pytest.mark.parametrize("query", [*QUESTIONS.values(), *CHECKS.values()], ids=name)
def test_rows_come_in_an_order(query: Query) -> None:
    assert "ORDER BY" in query.sparql.rstrip().splitlines()[-1]


@pytest.mark.parametrize("query", QUESTIONS.values(), ids=name)
def test_a_parameter_is_in_every_part_that_uses_it(query: Query) -> None:
    for parameter in query.parameters:
        bound = query.bind({parameter.name: ["<urn:bound>"]})
        assert bound.count("<urn:bound>") == len(query.blocks[parameter.block]) >= 1


@pytest.mark.parametrize("query", CHECKS.values(), ids=name)
def test_a_check_selects_a_finished_sentence(query: Query) -> None:
    result = ox.Store().query(query.sparql)
    assert isinstance(result, ox.QuerySolutions)
    assert {variable.value for variable in result.variables} - {"column"} == {"place", "found", "expected"}


QUERY = """\
#+ parameters:
#+   x: {type: text}
#+   y: {type: text}
# VALUES ?x { "in a comment" }
SELECT ?x ?y ?text {
  VALUES ?x { "default } with # brace" }
  { SELECT ?y { values ?y
    { UNDEF } # }
  } }
  BIND("VALUES ?x { 1 }" AS ?text)
  { SELECT ?x { VALUES ?x { UNDEF } } }
}
ORDER BY ?x ?y
"""


@pytest.fixture(scope="module")
def query(tmp_path_factory: pytest.TempPathFactory) -> Query:
    path = tmp_path_factory.mktemp("queries") / "q.rq"
    path.write_text(QUERY)
    return read_query(path)


def answers(query: Query, **terms: list[str]) -> set[tuple[object, ...]]:
    result = ox.Store().query(query.bind(terms))
    assert isinstance(result, ox.QuerySolutions)
    return {(row["x"], row["y"], row["text"].value) for row in result}


def test_blocks_are_found_by_reading_tokens() -> None:
    found = {name: len(spans) for name, spans in values_blocks(QUERY).items()}
    assert found == {"x": 2, "y": 1}


def test_what_is_not_given_keeps_its_default(query: Query) -> None:
    assert query.bind({}) == QUERY
    assert answers(query) == {(ox.Literal("default } with # brace"), None, "VALUES ?x { 1 }")}


def test_a_list_gives_one_row_for_each_value(query: Query) -> None:
    found = answers(query, x=['"a"', '"b"'], y=["<urn:y>"])
    assert {(x.value, y.value) for x, y, _ in found} == {("a", "urn:y"), ("b", "urn:y")}  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_is_a_value(query: Query, value: str) -> None:
    assert answers(query, x=[literal(value)], y=[literal(value)]) == {
        (ox.Literal(value), ox.Literal(value), "VALUES ?x { 1 }")
    }


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.lists(st.sampled_from(HOSTILE)).map("".join))
def test_any_value_is_a_value(query: Query, value: str) -> None:
    assert answers(query, x=[literal(value)]) == {(ox.Literal(value), None, "VALUES ?x { 1 }")}


@given(st.lists(st.sampled_from([*HOSTILE, "urn:x", "http://example.org/", "é"])).map("".join))
def test_an_iri_that_passes_is_an_iri(query: Query, text: str) -> None:
    if is_iri(text):
        assert answers(query, x=[f"<{text}>"]) == {(ox.NamedNode(text), None, "VALUES ?x { 1 }")}


@given(st.text(alphabet="VALUES?xy{}#\"'<>\\\n ", max_size=60))
def test_no_text_crashes_the_reading_of_blocks(text: str) -> None:
    for name, spans in values_blocks(text).items():
        assert all(re.search(rf"VALUES\s*[?$]{name}", text[:start]) for start, _ in spans)


@pytest.mark.parametrize(
    "header, message",
    [
        (
            "parameters: {z: {type: text}}",
            "q.rq [parameters.z]: found no block of it; expected VALUES ?z { default } in",
        ),
        ("parameters: {x: {type: string}}", "q.rq [x.type]: found 'string'; expected one of date, jurisdiction"),
        ("parameters: {x: {type: text, dflt: a}}", "q.rq [x.dflt]: found 'dflt'; expected one of default"),
        ("parameters: {x: {type: integer, minimum: few}}", "q.rq [x.minimum]: found 'few'; expected a whole number"),
        ("columns: {x: {type: string}}", "q.rq [x.type]: found 'string'; expected one of text, id, date"),
        ("columns: {x: {units: a}}", "q.rq [x.units]: found 'units'; expected meaning, type, unit, many"),
    ],
)
def test_a_faulty_header_is_told(header: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "q.rq"
    path.write_text(f"#+ {header}\n" + QUERY.replace("#+", "##"))
    with pytest.raises(DataError) as caught:
        read_query(path)
    assert str(caught.value).startswith(message)
