# ruff: noqa: E501 - messages stand on one line, as they are read
"""Each check is silent on the sample and finds the one fault that is put into it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from atmpkg.build import check
from atmpkg.project import Project, home

Spoil = Callable[[Path], None]


def row(table: str, **cells: str) -> Spoil:
    """Add a row; what is not given is taken from the first row of the table."""

    def spoil(tables: Path) -> None:
        path = tables / f"{table}.tsv"
        head, first, *_ = path.read_text(encoding="utf-8").splitlines()
        columns = head.split("\t")
        assert set(cells) <= set(columns)
        values = dict(zip(columns, first.split("\t"), strict=True)) | cells
        with path.open("a", encoding="utf-8") as out:
            out.write("\t".join(values[column] for column in columns) + "\n")

    return spoil


def cell(table: str, old: str, new: str) -> Spoil:
    def spoil(tables: Path) -> None:
        path = tables / f"{table}.tsv"
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), encoding="utf-8")

    return spoil


def main_set(tables: Path) -> None:
    """Take away the link of cancer, though Mondo is the first choice for diseases."""
    path = tables.parents[1] / "ontology" / "mappings" / "mondo.sssom.tsv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("disease:cancer")), encoding="utf-8")


def same_as(tables: Path) -> None:
    """Import a triple that merges one of our things with another."""
    imports = tables.parents[1] / "ontology" / "imports"
    imports.mkdir()
    merged = "<https://w3id.org/atmpkg/id/product/alfacel> <http://www.w3.org/2002/07/owl#sameAs> <urn:x> .\n"
    (imports / "merged.ttl").write_text(merged)


def triple_of_the_ontology(tables: Path) -> None:
    ontology = tables.parents[1] / "ontology"
    for path in (home() / "ontology").glob("*.ttl"):
        shutil.copy(path, ontology)
    label = "<https://w3id.org/atmpkg/id/product/alfacel> <http://www.w3.org/2000/01/rdf-schema#label> 'alfacel' .\n"
    (ontology / "extra.ttl").write_text(label)


CASES: dict[str, tuple[Spoil, str]] = {
    "authority-of-jurisdiction": (
        cell("decision", "US\tfda-cber\tmarketing-ended", "US\tema-chmp\tmarketing-ended"),
        "decision.tsv:20 [authority]: found alfacel-us-marketing-ended: ema-chmp in US; expected an authority of that jurisdiction",
    ),
    "brand-of-one-product": (
        cell("name", "Foxtrana", "Alfyta"),
        "name.tsv:3 [name]: found alfacel-us-brand: Alfyta, also a brand of foxtrocel; expected a brand of one product",
    ),
    "broader-has-no-cycle": (
        cell("disease", "cancer\tcancer\t\t\t", "cancer\tcancer\t\tlymphoma\t"),
        "disease.tsv:2 [broader]: found cancer: a circle; expected broader diseases only",
    ),
    "confirmed-by-evidence": (
        cell("decision", "manufacturing\t\tpaper\t\tsingle", "manufacturing\t\tpaper\t\tconfirmed"),
        "decision.tsv:19 [confidence]: found deltavec-us-complete-response: confirmed by paper alone, a source of rank 4; "
        "expected a regulator's document or list, or a second source; else single",
    ),
    "dispute-differs": (
        cell("dispute", "2017-10-19", "2017-10-18"),
        "dispute.tsv:2 [claimed]: found alfacel-us-grant-date: 2017-10-18; expected a value that differs from the one kept",
    ),
    "event-once": (
        row("decision", id="again", kind="application-submitted"),
        "decision.tsv:41: found again: the same application-submitted on the same day as alfacel-eu-submitted; expected one row for one event",
    ),
    "grant-after-application": (
        row("decision", id="late", date="2018-09-01", number="EU/1/18/9001"),
        "decision.tsv:4 [date]: found alfacel-eu-grant: granted 2018-08-23, but application-submitted on 2018-09-01; expected the application first",
    ),
    "grant-is-whole": (
        cell("decision", "999003\tregular", "999003\t"),
        "decision.tsv:14 [basis]: found charlievec-us-grant-2: nothing; expected a value, or unknown",
    ),
    "indication-decision-grants": (
        cell("indication", "alfacel-eu-extension\t\tadults", "alfacel-eu-submitted\t\tadults"),
        "indication.tsv:3 [decision]: found alfacel-eu-lbcl-2: application-submitted; expected a grant, an extension, restriction or conversion, or a label change",
    ),
    "indication-of-decision": (
        cell("indication", "bravocel-eu-grant", "alfacel-eu-grant"),
        "indication.tsv:4 [decision]: found bravocel-eu-cartilage: a decision of another product or jurisdiction; expected one of its own",
    ),
    "number-of-authority": (
        cell("decision", "2023-12\t999003", "2023-12\tBLA 9003"),
        "decision.tsv:14 [number]: found charlievec-us-grant-2: BLA 9003; expected the six-digit BLA, or unknown",
    ),
    "one-authorisation-in-force": (
        cell("decision", "2023-12\t999003", "2023-12\t999002"),
        "decision.tsv:13 [number]: found charlievec-us-grant-1: a second authorisation in force with 999002; expected one grant of that number",
    ),
    "one-status-a-day": (
        cell("decision", "suspension-lifted\t2013-11-04", "suspension-lifted\t2013-05-01"),
        "decision.tsv:27 [date]: found foxtrocel-eu-suspension: two changes of status on one day; expected one",
    ),
    "period-order": (
        cell("exclusivity", "2012-02-03\t2016-03-31", "2016-04-01\t2016-03-31"),
        "exclusivity.tsv:3: found foxtrocel-eu-orphan: 2016-03-31 before 2016-04-01; expected an end that is not before the beginning",
    ),
    "linked-or-recorded": (
        main_set,
        "disease.tsv:2: found cancer: no mapping and no recorded absence; expected one of them in mondo.sssom.tsv",
    ),
    "never-same-as": (
        same_as,
        "product.tsv:2: found alfacel: owl:sameAs; expected skos:exactMatch, in a mapping set",
    ),
    "product-has-a-story": (
        row("product", id="silent", label="silent"),
        "product.tsv:8: found silent: no event, supply route or assessment; expected at least one",
    ),
    "row-in-use": (
        row("disease", id="forgotten", label="forgotten"),
        "disease.tsv:6: found forgotten: a row that no other row names; expected a row in use, or none",
    ),
    "status-event-without-authorisation": (
        row("decision", id="early", kind="withdrawal", date="2015-01-01", reason="commercial", **{"holder": ""}),
        "decision.tsv:41 [kind]: found early: withdrawal without an authorisation open by then; expected a grant before it with the same number",
    ),
    "status-event-has-date": (
        cell("decision", "expiry\t2018-07-01", "expiry\tunknown"),
        "decision.tsv:12 [date]: found bravocel-eu-expiry: expiry without a date; expected a day, a month or a year",
    ),
    "survey-reaches-back": (
        cell("survey", "sample\t2024-02-01\t2024-01-31", "sample\t2024-02-01\t2024-03"),
        "survey.tsv:2 [until]: found decision-eu: 2024-03; expected a day not after 2024-02-01",
    ),
    "triple-in-two-graphs": (
        triple_of_the_ontology,
        "product.tsv:2: found alfacel: the same triple in two graphs; expected it in one of "
        "https://w3id.org/atmpkg/graph/ontology and https://w3id.org/atmpkg/graph/product",
    ),
    "unverified-says-why": (
        cell("decision", "manufacturing\t\tpaper\t\tsingle", "manufacturing\t\tpaper\t\tunverified"),
        "decision.tsv:19 [note]: found deltavec-us-complete-response: nothing; expected why the row is unverified",
    ),
    "affected-among-assessed": (
        cell("safety", "94\t101", "194\t101"),
        "safety.tsv:2 [n]: found alfacel-safety-1: 194 of 101; expected at most the number assessed",
    ),
    "share-fits-counts": (
        cell("outcome", "73\t101", "83\t101"),
        "outcome.tsv:2: found alfacel-outcome-1: 72 percent beside 83 of 101; expected a share within one percentage point of the counts",
    ),
    "percent-in-range": (
        cell("outcome", "50.5", "150.5"),
        "outcome.tsv:5: found alfacel-outcome-4: 150.5; expected 0 to 100 percent",
    ),
    "value-within-limits": (
        cell("outcome", "62\t81", "75\t81"),
        "outcome.tsv:2 [value]: found alfacel-outcome-1: 72 with limit 75; expected lower limit, value and upper limit in this order",
    ),
    "ratio-compares-arms": (
        cell("outcome", "trial\tcomparison", "trial\ttreatment"),
        "outcome.tsv:7 [arm]: found alfacel-outcome-6: hazard-ratio of arm treatment; expected comparison for what compares two arms, else treatment or control",
    ),
    "study-of-product": (
        cell("safety", "charlievec\tcharlie-1", "charlievec\talpha-1"),
        "safety.tsv:5 [trial]: found charlievec-safety-1: alpha-1 does not study charlievec; expected a study that names the product",
    ),
    "disease-of-study": (
        cell("outcome", "alpha-registry\tlarge-b-cell-lymphoma", "alpha-registry\tcartilage-defect"),
        "outcome.tsv:8 [disease]: found alfacel-outcome-7: cartilage-defect in alpha-registry; expected a disease of the study",
    ),
    "setting-of-study": (
        cell("outcome", "real-world", "trial"),
        "outcome.tsv:8 [setting]: found alfacel-outcome-7: trial in alpha-registry; expected real-world for real-world and registry studies, else trial",
    ),
    "total-within-study": (
        cell("safety", "1\t15", "1\t150"),
        "safety.tsv:5 [total]: found charlievec-safety-1: 150 counted, 15 in charlie-1; expected at most a tenth more than were enrolled or treated; no study for a pooled figure",
    ),
    "treated-among-enrolled": (
        cell("trial", "111\t101", "111\t121"),
        "trial.tsv:2 [treated]: found alpha-1: 121 of 111; expected at most the number enrolled",
    ),
    "study-number-once": (
        cell("trial", "NCT09999993", "NCT09999992"),
        "trial.tsv:5 [number]: found charlie-1: NCT09999992 is also that of nct09999992; expected one row for one study",
    ),
    "role-decision-of-product": (
        cell("study-role", "bravocel-eu-grant", "alfacel-eu-grant"),
        "study-role.tsv:6 [decision]: found bravo-eu: alfacel-eu-grant is on alfacel; expected a decision on the product of the row",
    ),
    "result-once": (
        row("outcome", id="again"),
        "outcome.tsv:11: found again: the same result as alfacel-outcome-1; expected one row for one result",
    ),
}  # fmt: skip


def test_every_check_has_a_case() -> None:
    there = {path.stem for path in (home() / "queries" / "checks").rglob("*.rq")}
    assert {name for name in there if not name.startswith("ontology-")} == set(CASES)  # see test_ontology


@pytest.mark.parametrize("name", CASES)
def test_a_check_finds_its_fault(name: str, own_sample: Path) -> None:
    spoil, expected = CASES[name]
    spoil(own_sample / "data" / "tables")
    found = [str(problem) for problem in check(Project(own_sample, home()))]
    mine = [line for line in found if line.endswith(f"({name})")]
    assert f"{expected} ({name})" in mine
    assert len(mine) <= 2  # a disagreement of two rows may be told at both
