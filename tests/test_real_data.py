"""Plausibility of the data that the package ships: what can be wrong in a table and still have the right form."""

import csv
import datetime as dt
import gzip
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from atmpkg.build import check
from atmpkg.dates import day_number, from_day_number
from atmpkg.graph import KnowledgeGraph

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = Path(os.environ.get("ATMPKG_REFERENCE", ROOT.parent / "shared" / "reference"))
PLACES = ("EU", "US")
DAYS = ("2010-01-01", "2015-06-30", "2018-12-31", "2022-01-01", "2024-07-01", "2026-10-31")


def rows(kg: KnowledgeGraph, sparql: str) -> list[tuple[object, ...]]:
    return [tuple(value for value in row) for row in kg.select(sparql).rows]


def test_every_check_is_silent(real: KnowledgeGraph) -> None:
    assert [str(problem) for problem in check(real.project)] == []


def test_the_tables_are_there_and_large_enough(real: KnowledgeGraph) -> None:
    count = {row[0]: int(str(row[2])) for row in real.inventory().rows}
    assert count["product"] >= 80 and count["decision"] >= 400 and count["source"] >= 500
    assert {table for table, rows in count.items() if not rows} <= {"criterion", "ruling"}  # the next issue fills them


@pytest.mark.parametrize("place, least", [("EU", 25), ("US", 40)])
def test_about_as_many_products_as_there_are(place: str, least: int, real: KnowledgeGraph) -> None:
    ((ever, current, *_),) = real.ask("authorisation-count", jurisdiction=place).rows
    assert least <= int(str(ever)) <= 2 * least and int(str(current)) > least / 2


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("day", DAYS)
def test_ever_is_the_sum_of_its_parts_and_the_lists_agree(place: str, day: str, real: KnowledgeGraph) -> None:
    ((ever, *parts, _),) = real.ask("authorisation-count", jurisdiction=place, as_of=day).rows
    assert ever == sum(int(str(part)) for part in parts)
    listed = real.ask("ever-authorised", jurisdiction=place, as_of=day)
    status = Counter(row[listed.names.index("status")] for row in listed.rows)
    assert [len(listed), *parts] == [
        ever,
        *(status[word] for word in ("authorised", "withdrawn", "expired", "suspended", "revoked")),
    ]
    current = {row[0] for row in real.ask("authorised-products", jurisdiction=place, as_of=day).rows}
    assert current == {row[0] for row in listed.rows if row[listed.names.index("status")] == "authorised"}


@pytest.mark.parametrize("place", PLACES)
def test_ever_never_shrinks(place: str, real: KnowledgeGraph) -> None:
    ever = [real.ask("authorisation-count", jurisdiction=place, as_of=day).rows[0][0] for day in DAYS]
    assert ever == sorted(ever, key=lambda n: int(str(n)))


@pytest.mark.parametrize(
    "step", ["ApplicationSubmitted", "ApplicationAccepted", "PositiveOpinion", "ReExaminedOpinion"]
)
def test_no_grant_before_its_application_and_no_opinion_after_its_decision(step: str, real: KnowledgeGraph) -> None:
    """The step of a first authorisation: of the events before or after it, at least one must not be after."""
    found = rows(
        real,
        f"""
        SELECT ?product ?jurisdiction (MIN(?day) AS ?step) (MIN(?granted) AS ?first) {{
          ?event a atmp:{step} ; atmp:product ?product ; atmp:jurisdiction ?jurisdiction ;
            atmp:date/atmp:firstDay ?day .
          ?f a atmp:FirstAuthorisation ; atmp:product ?product ; atmp:jurisdiction ?jurisdiction ; atmp:day ?granted
        }}
        GROUP BY ?product ?jurisdiction HAVING (?step > ?first)
        """,
    )
    assert found == []


def test_no_two_authorisations_of_a_number_are_in_force_at_once(real: KnowledgeGraph) -> None:
    """At the boundary days, where alone the answer can change."""
    spans = defaultdict(list)
    for product, place, number, start, until in rows(
        real,
        """
        SELECT ?product ?place ?number ?from ?until {
          ?i a atmp:StatusInterval ; atmp:status atmp:Authorised ; atmp:product ?product ; atmp:jurisdiction ?place ;
            atmp:fromDay ?from ; atmp:untilDay ?until ; atmp:authorisation ?a . OPTIONAL { ?a atmp:number ?number } }
        """,
    ):
        spans[product, place, number].append((int(str(start)), int(str(until))))
    assert len(spans) > 70
    for key, periods in spans.items():
        for day in {start for start, _ in periods}:
            assert sum(start <= day < until for start, until in periods) == 1, (key, from_day_number(day))


def test_what_was_suspended_or_ended_had_been_authorised(real: KnowledgeGraph) -> None:
    orphans = rows(
        real,
        """
        SELECT ?event { ?kind atmp:statusEffect ?effect . VALUES ?effect { atmp:Ends atmp:Suspends atmp:Restores }
          ?event a ?kind MINUS { ?event atmp:authorisation ?any } } ORDER BY ?event
        """,
    )
    assert orphans == []


def test_no_change_of_status_after_the_end(real: KnowledgeGraph) -> None:
    late = rows(
        real,
        """
        SELECT ?event {
          ?end a atmp:StatusInterval ; atmp:authorisation ?a ; atmp:fromDay ?ended ; atmp:fromEvent/a ?kind .
          ?kind atmp:statusEffect atmp:Ends .
          ?other a atmp:StatusInterval ; atmp:authorisation ?a ; atmp:fromDay ?later ; atmp:fromEvent ?event
          FILTER(?later > ?ended) } ORDER BY ?event
        """,
    )
    assert late == []


FORMS = {"EU": r"EU/1/\d\d/\d{3,4}", "US": r"\d{6}"}


@pytest.mark.parametrize("place", PLACES)
def test_every_grant_has_a_number_of_its_authority_or_says_that_it_is_unknown(place: str, real: KnowledgeGraph) -> None:
    grants = rows(
        real,
        f"""
        SELECT ?id (COALESCE(?n, IF(EXISTS {{ ?e atmp:unknownFor atmp:number }}, "unknown", "")) AS ?number) {{
          ?e a atmp:Grant ; dcterms:identifier ?id ; atmp:jurisdiction jurisdiction:{place}
          OPTIONAL {{ ?e atmp:number ?n }} }}
        """,
    )
    assert len(grants) >= 25
    assert [grant for grant in grants if not re.fullmatch(f"{FORMS[place]}|unknown", str(grant[1]))] == []


@pytest.mark.parametrize("place", PLACES)
def test_a_number_belongs_to_one_product(place: str, real: KnowledgeGraph) -> None:
    shared = rows(
        real,
        f"""
        SELECT ?number (COUNT(DISTINCT ?product) AS ?n) {{
          ?e a atmp:Grant ; atmp:number ?number ; atmp:product ?product ; atmp:jurisdiction jurisdiction:{place} }}
        GROUP BY ?number HAVING (?n > 1)
        """,
    )
    assert shared == []


def test_the_year_in_an_eu_number_is_the_year_of_the_grant_or_the_one_before(real: KnowledgeGraph) -> None:
    grants = rows(
        real,
        "SELECT ?number ?date { ?e a atmp:Grant ; atmp:jurisdiction jurisdiction:EU ; atmp:number ?number ;"
        " atmp:date/rdfs:label ?date }",
    )
    odd = [(n, d) for n, d in grants if int(str(d)[2:4]) - int(str(n).split("/")[2]) not in (0, 1)]
    assert odd == []


def test_each_decision_is_taken_by_an_authority_of_its_jurisdiction(real: KnowledgeGraph) -> None:
    foreign = rows(
        real,
        """
        SELECT ?event ?authority {
          ?event a atmp:RegulatoryEvent ; atmp:jurisdiction ?place ; atmp:authority ?authority .
          ?authority atmp:jurisdiction ?home FILTER(?home != ?place)
          MINUS { ?m a atmp:JurisdictionMembership ; atmp:member ?place ; atmp:memberOf ?home } } ORDER BY ?event
        """,
    )
    assert foreign == []


def test_committees_give_opinions_and_regulators_decide(real: KnowledgeGraph) -> None:
    odd = rows(
        real,
        """
        SELECT ?event ?role { ?kind atmp:statusEffect ?any . ?event a ?kind ; atmp:authority/atmp:role ?role
          FILTER(?role != "regulator") } ORDER BY ?event
        """,
    )
    assert odd == []


def test_no_event_lies_in_the_future(real: KnowledgeGraph) -> None:
    last = rows(real, "SELECT (MAX(?day) AS ?d) { ?e a atmp:RegulatoryEvent ; atmp:date/atmp:firstDay ?day }")
    assert int(str(last[0][0])) <= day_number(real.today)


def test_no_source_was_read_before_it_was_published_or_after_today(real: KnowledgeGraph) -> None:
    odd = rows(
        real,
        f"""
        SELECT ?id {{ ?s a atmp:Source ; dcterms:identifier ?id ; atmp:readOn/atmp:lastDay ?read .
          OPTIONAL {{ ?s dcterms:issued/atmp:firstDay ?issued }}
          FILTER(?read > {day_number(real.today)} || (BOUND(?issued) && ?issued > ?read)) }} ORDER BY ?id
        """,
    )
    assert odd == []


def test_every_authorised_product_has_a_name_in_use(real: KnowledgeGraph) -> None:
    named = {row[0] for row in real.ask("names").rows}
    bare = [
        row[0]
        for place in PLACES
        for row in real.ask("ever-authorised", jurisdiction=place).rows
        if row[0] not in named
    ]
    assert bare == []


# FDA states no category for these in any document that was read; an empty cell is right.
WITHOUT_STATED_CATEGORY = {
    "EU": set(),
    "US": {
        "acellular-nerve-allograft",
        "acellular-tissue-engineered-vessel",
        "cord-blood-bloodworks",
        "cord-blood-cleveland",
        "cord-blood-duke",
        "cord-blood-md-anderson",
        "obecabtagene-autoleucel",
        "orca-t",
    },
}


def test_authorised_products_have_an_indication_a_category_and_a_holder(real: KnowledgeGraph) -> None:
    for place in PLACES:
        answer = real.ask("authorised-products", jurisdiction=place)
        lacking = {
            column: {str(row[0]) for row in answer.rows if not row[answer.names.index(column)]}
            for column in ("class", "basis", "holder")
        }
        assert lacking == {"class": WITHOUT_STATED_CATEGORY[place], "basis": set(), "holder": set()}, place
        used = {row[0] for row in real.ask("indications", jurisdiction=place).rows}
        assert {row[0] for row in answer.rows} - used == set(), place


def test_what_everybody_knows(real: KnowledgeGraph) -> None:
    """A few dates that are printed in every review."""

    def first(place: str) -> dict[object, object]:
        return {row[0]: row[2] for row in real.ask("ever-authorised", jurisdiction=place).rows}

    eu, us = first("EU"), first("US")
    assert (us["tisagenlecleucel"], eu["tisagenlecleucel"]) == ("2017-08-30", "2018-08-23")
    assert eu["alipogene-tiparvovec"] == "2012-10-25"
    assert (us["onasemnogene-abeparvovec"], eu["onasemnogene-abeparvovec"]) == ("2019-05-24", "2020-05-18")
    assert us["sipuleucel-t"] == "2010-04-29"


def test_what_was_in_force_in_the_eu_on_the_first_day_of_2022(real: KnowledgeGraph) -> None:
    answer = real.ask("authorised-products", jurisdiction="EU", as_of="2022-01-01")
    first = "Abecma Alofisel Holoclar Imlygic Kymriah Libmeldy Luxturna"
    second = "Spherox Strimvelis Tecartus Yescarta Zolgensma Zynteglo"
    assert sorted(str(row[1]) for row in answer.rows) == [*first.split(), *second.split()]


# Mappings ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reference() -> Callable[[str], dict[str, dict[str, str]]]:
    def table(name: str) -> dict[str, dict[str, str]]:
        csv.field_size_limit(10**7)
        with gzip.open(REFERENCE / f"{name}.tsv.gz", "rt", encoding="utf-8", newline="") as file:
            lines = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            return {next(iter(row.values())): row for row in lines}

    return table


def mappings(prefix: str) -> Iterator[tuple[str, dict[str, str]]]:
    for path in sorted((ROOT / "ontology" / "mappings").glob("*.sssom.tsv")):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["object_id"].startswith(prefix):
                yield f"{path.name} {row['subject_id']}", row


@pytest.mark.parametrize(
    "prefix, table, label, synonyms, least",
    [("MONDO:", "mondo", "label", "synonyms", 40), ("HGNC:", "hgnc", "symbol", "alias_symbols", 0)],
)
def test_every_mapped_id_is_in_the_reference_under_that_label(
    prefix: str,
    table: str,
    label: str,
    synonyms: str,
    least: int,
    reference: Callable[[str], dict[str, dict[str, str]]],
) -> None:
    if not (REFERENCE / f"{table}.tsv.gz").is_file():
        pytest.skip(f"the reference table {table} is not beside this checkout")
    known = reference(table)
    found = list(mappings(prefix))
    assert len(found) >= least
    wrong = [
        (place, row["object_id"], row["object_label"], known.get(row["object_id"], {}).get(label))
        for place, row in found
        if row["object_label"] != known.get(row["object_id"], {}).get(label)
        and row["object_label"] not in known.get(row["object_id"], {}).get(synonyms, "").split("|")
    ]
    assert wrong == []


def test_every_disease_is_mapped_or_said_to_have_no_term(real: KnowledgeGraph) -> None:
    unmapped = rows(
        real,
        """
        SELECT ?thing { ?thing a atmp:Disease MINUS { ?m sssom:subject_id ?thing } } ORDER BY ?thing
        """,
    )
    assert unmapped == []


def test_a_disease_has_one_exact_term_and_a_term_one_disease(real: KnowledgeGraph) -> None:
    pairs = rows(real, "SELECT ?d ?t { ?d a atmp:Disease ; skos:exactMatch ?t FILTER(CONTAINS(STR(?t), 'MONDO')) }")
    for side in (0, 1):
        assert [thing for thing, count in Counter(pair[side] for pair in pairs).items() if count > 1] == []


def test_no_verdict_is_called_the_first_after_a_reassessment(real: KnowledgeGraph) -> None:
    """Yescarta and Kymriah were assessed in Germany in 2019, and again later."""
    sooner = """
        SELECT ?product ?day {
          ?row a atmp:HtaDecision ; atmp:jurisdiction jurisdiction:DE ; atmp:step "reassessment" ;
            atmp:product/dcterms:identifier ?product ; atmp:date/atmp:lastDay ?day
        }
    """
    first = {row[0]: str(row[3]) for row in real.ask("time-to-access", country="DE").rows}
    assert first["axicabtagene-ciloleucel"] == "2019-05-02" and first["tisagenlecleucel"] == "2019-03"
    for product, day in rows(real, sooner):
        if product in first:
            assert first[str(product)] <= from_day_number(int(str(day))).isoformat()


def test_dates_of_today_do_not_leak_into_the_tests(real: KnowledgeGraph) -> None:
    assert real.today == dt.date(2026, 11, 28)
