# ruff: noqa: E501 - messages stand on one line, as they are read
"""Golden answers: every question, asked on the sample, gives exactly these rows.

``tests/golden/<question>.tsv``, or ``<question>.<case>.tsv`` where one answer does not show enough. After a change,
``pytest tests/test_questions.py --write-golden`` writes them anew; read each changed row against the question's words.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from pyoxigraph import NamedNode

from atmpkg.errors import UsageError
from atmpkg.formats import WRITERS
from atmpkg.graph import KnowledgeGraph
from atmpkg.names import graph_iri
from atmpkg.project import Project, home
from atmpkg.queries import read_queries
from atmpkg.reasoning import infer
from atmpkg.stores import Embedded

HERE = Path(__file__).parent
QUESTIONS = read_queries([home() / "queries" / "questions"])

ASKED = {
    "access-map": "",
    "applications-pending": "",
    "boxed-warnings": "",
    "boxed-warnings.2020": "jurisdiction=US as-of=2020",
    "car-constructs": "",
    "car-constructs.target": "target=CD19",
    "car-constructs.silenced": "target=PDCD1",
    "clinical-holds": "",
    "genome-editing": "",
    "mechanisms": "",
    "mechanisms.one": "mechanism=gene-replacement",
    "products-by-disease": "disease=lymphoma",
    "products-by-disease.member": "disease=cancer jurisdiction=DE as-of=2015-01-01",
    "risk-management-changes": "",
    "risk-management-changes.since": "jurisdiction=US since=2020",
    "safety-timeline": "product=deltavec",
    "shared-targets": "disease=lymphoma",
    "stale-facts": "older-than-days=1000",
    "authorisations-by-country": "as-of=2015",
    "status-matrix": "",
    "status-matrix.2012": "modality=til as-of=2012-06-01",
    "unconfirmed-facts": "",
    "unconfirmed-facts.place": "jurisdiction=US",
    "vectors": "",
    "vectors.one": "vector=aav9",
    "applications-pending.2017": "jurisdiction=EU as-of=2017",
    "approval-lag": "first=US second=EU",
    "authorisation-count": "jurisdiction=EU,US,DE",
    "authorisation-count.2015": "jurisdiction=EU as-of=2015-01-01",
    "authorised-here-not-there": "here=US there=EU",
    "authorised-here-not-there.2016": "here=EU there=US as-of=2016-01-01",
    "authorised-products": "jurisdiction=EU,US",
    "authorised-products.2013": "jurisdiction=DE as-of=2013-12-01",
    "availability": "",
    "availability.2020": "as-of=2020-06-01",
    "basis-and-designations": "",
    "basis-and-designations.2017": "jurisdiction=EU as-of=2017",
    "changes-between": "since=2012 until=2014",
    "classification": "",
    "compare-outcomes": "disease=lymphoma endpoint=response",
    "consent-and-equity": "",
    "coverage": "",
    "decision-history": "product=Foxtrana",
    "disputes": "",
    "durability": "",
    "event-rates": "",
    "event-rates.hepatotoxicity": "event=hepatotoxicity",
    "ever-authorised": "jurisdiction=EU,US",
    "ever-authorised.2015": "jurisdiction=EU as-of=2015-01-01",
    "evidence-strength": "",
    "exclusivity": "",
    "external-ids": "thing=Alphara",
    "external-ids.disease": "thing=LBCL",
    "follow-up-duties": "",
    "follow-up-duties.product": "product=charlievec",
    "hta-decisions": "",
    "hta-disagreements": "",
    "indications": "disease=lymphoma as-of=2019-01-01",
    "indications.2021": "product=ABC-001 as-of=2021-01-01",
    "list-prices": "",
    "manufacturing-failures": "",
    "mapping-coverage": "",
    "market-exits": "",
    "names": "",
    "not-an-atmp": "",
    "obligations": "",
    "opinion-to-decision": "",
    "outcomes": "",
    "outside-marketing-authorisation": "",
    "payment-schemes": "",
    "pivotal-evidence": "",
    "precedents": "product=bravocel",
    "refused-or-withdrawn-applications": "",
    "refused-or-withdrawn-applications.since": "jurisdiction=EU since=2020",
    "reporting-signals": "",
    "ruling-agreement": "",
    "sites": "",
    "time-to-access": "country=GB",
    "trial-landscape": "by=phase",
    "trial-landscape.country": "by=country",
    "trial-versus-real-world": "",
    "trials-by-disease": "disease=cancer",
    "trials-of-product": "",
    "turnaround": "",
    "unmapped": "",
}


def asked(kg: KnowledgeGraph, case: str) -> str:
    question, *_ = case.split(".")
    return WRITERS["tsv"](kg.ask(question, **dict(word.split("=") for word in ASKED[case].split())))


def test_every_question_has_a_golden_answer_and_every_golden_answer_a_question() -> None:
    assert {case.split(".")[0] for case in ASKED} == set(QUESTIONS)
    assert {path.stem for path in (HERE / "golden").glob("*.tsv")} == set(ASKED)


@pytest.mark.parametrize("case", ASKED)
def test_the_answer_is_the_golden_one(case: str, sample: KnowledgeGraph, pytestconfig: pytest.Config) -> None:
    golden = HERE / "golden" / f"{case}.tsv"
    if pytestconfig.getoption("--write-golden"):
        golden.write_text(asked(sample, case), encoding="utf-8")
    assert asked(sample, case) == golden.read_text(encoding="utf-8")


def test_no_question_ignores_its_data(sample_project: Project, in_memory: Callable[[Project], KnowledgeGraph]) -> None:
    """Each row of the sample is taken away in turn, and put back; for each question some loss shows in its answer."""
    kg = in_memory(sample_project)
    store, rules = kg.store, read_queries(sample_project.folders("queries", "rules")).values()
    assert isinstance(store, Embedded)
    golden = {case: (HERE / "golden" / f"{case}.tsv").read_text(encoding="utf-8") for case in ASKED}
    left = {case for case in ASKED if golden[case].count("\n") > 1}
    assert {case.split(".")[0] for case in left} == set(QUESTIONS), "an answer without rows shows nothing"
    for table in kg.tables:
        for row in {
            quad.subject for quad in store.engine.quads_for_pattern(None, None, None, NamedNode(graph_iri(table)))
        }:
            concerned = {case for case in left if not tables_of(case) or table in tables_of(case)}
            if not concerned:
                break
            lost = list(store.engine.quads_for_pattern(row, None, None, NamedNode(graph_iri(table))))
            for quad in lost:
                store.engine.remove(quad)
            infer(store, rules)
            shown = {case.split(".")[0] for case in concerned if answer_or_error(kg, case) != golden[case]}
            left = {case for case in left if case.split(".")[0] not in shown}
            store.engine.extend(lost)
    assert sorted(left) == []


def tables_of(case: str) -> tuple[str, ...]:
    return QUESTIONS[case.split(".")[0]].words("tables")


def answer_or_error(kg: KnowledgeGraph, case: str) -> str:
    try:
        return asked(kg, case)
    except UsageError as error:  # what was asked about is gone
        return str(error)


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=lambda question: question.name)
def test_the_example_of_a_question_gives_rows_on_the_real_data(question: object, real: KnowledgeGraph) -> None:
    example = question.header["example"]  # type: ignore[attr-defined]
    answer = real.ask(question.name, **example)  # type: ignore[attr-defined]
    assert len(answer) > 0 or answer.remarks.empty.endswith("has no rows yet.")


def test_what_is_not_there_counts_as_zero(sample: KnowledgeGraph) -> None:
    assert sample.ask("authorisation-count", jurisdiction="GB").rows == ((0, 0, 0, 0, 0, 0, "GB"),)


def test_a_product_has_its_status_since_the_first_authorisation_that_never_ceased(sample: KnowledgeGraph) -> None:
    answer = sample.ask("ever-authorised", jurisdiction="US", as_of="2024-01-01")
    since = {row[0]: row[4] for row in answer.rows}
    assert since["charlievec"] == "2019-05-24"


def test_a_product_comes_before_the_substance_of_the_same_id(sample: KnowledgeGraph) -> None:
    assert sample.ask("external-ids", thing="alfacel").rows == sample.ask("external-ids", thing="product:alfacel").rows


def test_an_answer_says_how_much_it_knows(sample: KnowledgeGraph) -> None:
    remarks = sample.ask("authorised-products", jurisdiction="EU", as_of="2024-06-01").remarks
    assert (remarks.as_of, remarks.knowledge_until, remarks.nothing_recorded) == ("2024-06-01", "2024-01-31", 0)
    assert remarks.lines(1) == [
        "warning: 2024-06-01 is later than the day until which the data reach (2024-01-31)",
        f"1 row · as of 2024-06-01 · known until 2024-01-31 · 0 products without a recorded decision in EU"
        f" · release {remarks.release}",
    ]


@pytest.mark.parametrize(
    "name, given, said",
    [
        ("evidence-strength", {"jurisdiction": "US"}, r"products? without a recorded study-role$"),
        ("authorised-products", {"jurisdiction": "DE"}, r"recorded decision in DE, EU$"),
        ("approval-lag", {"first": "EU", "second": "EU"}, r"recorded decision in EU$"),
        ("hta-decisions", {"product": "alfacel"}, r"products? asked for without a recorded hta$"),
        ("consent-and-equity", {}, r"^$"),
    ],
)
def test_what_is_not_recorded_is_counted_where_the_question_looks(
    sample: KnowledgeGraph, name: str, given: dict[str, str], said: str
) -> None:
    remarks = sample.ask(name, **given).remarks
    assert re.search(said, remarks.scope)
    assert (remarks.nothing_recorded is None) == (not remarks.scope)
    assert remarks.nothing_recorded is None or "asked for" not in said or remarks.nothing_recorded <= 1


def test_dash_underscore_lists_and_dates_are_the_same(sample: KnowledgeGraph) -> None:
    import datetime as dt

    one = sample.ask("authorised-products", **{"jurisdiction": "EU|US", "as-of": "2020-01-01"})
    other = sample.ask("authorised-products", jurisdiction=["US", "EU"], as_of=dt.date(2020, 1, 1))
    assert one.rows == other.rows
    assert len(one) == 3


def test_the_day_before_a_decision_is_not_the_day_of_it(sample: KnowledgeGraph) -> None:
    def products(day: str) -> set[object]:
        return {row[0] for row in sample.ask("authorised-products", jurisdiction="EU", as_of=day).rows}

    assert "alfacel" not in products("2018-08-22") and "alfacel" in products("2018-08-23")
    assert "bravocel" in products("2014-09-18") and "bravocel" not in products("2014-09-19")


@pytest.mark.parametrize(
    "question, parameters, message",
    [
        ("authorised-product", {}, "there is no such question; did you mean authorised-products"),
        ("zzz", {}, "cannot ask 'zzz': there is no such question. See: atmpkg questions"),
        ("authorised-products", {}, "it needs jurisdiction. For example: atmpkg ask authorised-products jurisdiction=EU"),
        ("authorised-products", {"jurisdicton": "EU"}, "no parameter 'jurisdicton'; it takes jurisdiction, as-of; did you"),
        ("names", {"product": "alfacell"}, "cannot find the product 'alfacell'. Did you mean alfacel?"),
        ("names", {"product": "Twin"}, "cannot tell which product 'Twin' means: deltavec (common Twin), echocel (common Twin)"),
        ("authorised-products", {"jurisdiction": "XX"}, "cannot find the jurisdiction 'XX'. Expected one of DE, EU, GB, US."),
        ("stale-facts", {"older-than-days": "many"}, "cannot read older-than-days='many': expected a whole number."),
        ("stale-facts", {"older-than-days": "9" * 30}, "': expected a whole number."),
        ("vectors", {"vector": "lentivirus"}, "cannot read vector='lentivirus': expected one of AAV9, aav, lentiviral; did you mean"),
        ("authorised-products", {"jurisdiction": "EU", "as_of": "soon"}, "cannot read as-of='soon': not of the form"),
        ("authorised-products", {"jurisdiction": "EU", "as_of": "2020|2021"}, "cannot take 2 values for as-of; expected one."),
        ("not-an-atmp", {"product": "x"}, "no parameter 'product'; it takes none."),
    ],
)  # fmt: skip
def test_a_wrong_question_says_what_would_be_right(
    question: str, parameters: dict[str, str], message: str, sample: KnowledgeGraph
) -> None:
    with pytest.raises(UsageError) as caught:
        sample.ask(question, **parameters)
    assert message in str(caught.value)
