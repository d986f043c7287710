"""Classification by law: the cases people ask about, precedence, what is undecided, and two reasoners that agree."""

import random
import shutil
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from atmpkg.classify import Facts, Law, facts_of, hermit
from atmpkg.errors import UsageError
from atmpkg.graph import KnowledgeGraph
from atmpkg.names import DATA, ONTOLOGY, load_yaml
from atmpkg.project import Project, home
from atmpkg.queries import read_queries
from atmpkg.reasoning import infer
from atmpkg.stores import Embedded, rows

HERE = Path(__file__).parent
DESCRIPTIONS = sorted((HERE / "descriptions").glob("*.yaml"))
DAY = "2026-11-23"
PLACES = ("EU", "US", "JP")


@pytest.fixture(scope="module")
def law() -> Law:
    return Law(Project(home(), home()))


def described(path: Path) -> dict[str, Any]:
    entry = load_yaml(path)
    assert isinstance(entry, dict)
    return entry


# Cases ---------------------------------------------------------------------------------------------------------------


def test_there_are_descriptions() -> None:
    assert len(DESCRIPTIONS) >= 12


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("path", DESCRIPTIONS, ids=lambda path: path.stem)
def test_a_described_product_is_what_its_fixture_expects(path: Path, place: str, law: Law) -> None:
    entry = described(path)
    (verdict,) = law.classify(law.check(entry["criteria"]), day=DAY, jurisdictions=[place])
    assert sorted(definition.notation for definition in verdict.holds) == sorted(entry["expected"][place])
    for definition in verdict.holds:
        assert definition.citation and verdict.fired[definition.notation]
        assert all(condition.citation for condition in verdict.fired[definition.notation])


@pytest.mark.parametrize(
    "name, place, outcome, article",
    [
        ("car-t-cells", "EU", "GENE THERAPY MEDICINAL PRODUCT", "Annex I, Part IV, point 2.1"),
        ("adipose-stem-cells-for-fistula", "EU", "SOMATIC CELL THERAPY MEDICINAL PRODUCT", "Part IV, point 2.2"),
        ("stromal-cells-for-gvhd", "EU", "SOMATIC CELL THERAPY MEDICINAL PRODUCT", "Annex I, Part IV, point 2.2"),
        ("stromal-cells-for-gvhd", "US", "US CELLULAR THERAPY", "21 CFR 1271.20"),
        ("stromal-cells-for-cartilage", "EU", "TISSUE ENGINEERED PRODUCT", "Article 2(1)(b) and (c)"),
        ("fat-graft-same-procedure", "EU", "NOT AN ATMP IN THE EU", "Article 2(1)(a)"),
        ("fat-graft-same-procedure", "US", "US HCT/P EXEMPT FOR SAME SURGICAL PROCEDURE", "21 CFR 1271.15(b)"),
    ],
)
def test_the_command_prints_class_and_article(
    name: str, place: str, outcome: str, article: str, atmpkg: Callable[..., Any]
) -> None:
    run = atmpkg("classify", HERE / "descriptions" / f"{name}.yaml", "--law", f"{place}@{DAY}")
    assert run.code == 0
    said = " ".join(run.out.split())
    assert f"{place} {outcome}" in said and article in said and "not a ruling" in said


@pytest.mark.parametrize(
    "product, notation",
    [
        ("tisagenlecleucel", "eu-gtmp"),
        ("onasemnogene-abeparvovec", "eu-gtmp"),
        ("darvadstrocel", "eu-sctmp"),
        ("nalotimagene-carmaleucel", "eu-sctmp"),
    ],
)
def test_a_product_of_the_graph_is_what_everybody_knows(
    product: str, notation: str, law: Law, real: KnowledgeGraph
) -> None:
    (verdict,) = law.classify(facts_of(real.store, f"{DATA}product/{product}"), day=DAY, jurisdictions=["EU"])
    assert [definition.notation for definition in verdict.holds] == [notation]


def test_the_claim_alone_makes_the_difference(law: Law) -> None:
    """The same cells, for graft-versus-host disease and for cartilage; the counterfactual says so."""
    facts = law.check(described(HERE / "descriptions" / "stromal-cells-for-gvhd.yaml")["criteria"])
    (verdict,) = law.classify(facts, day=DAY, jurisdictions=["EU"])
    assert ("presented-for-regeneration", True, "tissue engineered product") in verdict.counterfactuals


def test_a_law_is_asked_for_a_day(law: Law) -> None:
    facts = law.check({"viable-cells": "yes", "substantially-manipulated": "yes", "presented-for-cell-action": "yes"})
    (old,) = law.classify(facts, day="2005-01-01", jurisdictions=["EU"])
    assert [definition.notation for definition in old.holds] == ["eu-2003-sctmp"]
    (new,) = law.classify(facts, day=DAY, jurisdictions=["EU"])
    assert new.outcome == "undecided" and "contains-cells-or-tissues" in new.missing


# What is undecided ---------------------------------------------------------------------------------------------------


def test_nothing_known_is_undecided_everywhere(law: Law) -> None:
    for verdict in law.classify({}, day=DAY):
        assert (verdict.outcome, verdict.holds) == ("undecided", ())
        assert verdict.missing


def test_what_a_higher_definition_may_take_away_does_not_hold_yet(law: Law) -> None:
    facts = law.check(described(HERE / "descriptions" / "edited-cells-of-unknown-effect.yaml")["criteria"])
    (verdict,) = law.classify(facts, day=DAY, jurisdictions=["EU"])
    assert verdict.outcome == "undecided"
    assert verdict.missing == ("effect-relates-to-sequence",)
    outcomes = {answer: outcome for c, answer, outcome in verdict.counterfactuals if c == "effect-relates-to-sequence"}
    assert outcomes[True] == "gene therapy medicinal product"
    assert outcomes[False] == "somatic cell therapy medicinal product"


def test_unknown_is_not_no(law: Law) -> None:
    facts = law.check({"contains-cells-or-tissues": "no", "presented-for-regeneration": "unknown"})
    derived = law.derive({"it": facts})["it"]
    assert f"{ONTOLOGY}EuTepDefinition" in derived["fails"]
    assert f"{ONTOLOGY}EuGtmpDefinition" in derived["undecidedFor"]


@pytest.mark.parametrize(
    "criteria, said",
    [({"viable": "yes"}, "no criterion 'viable'"), ({"viable-cells": "perhaps"}, "expected yes, no or unknown")],
)
def test_a_wrong_description_is_refused(criteria: dict[str, str], said: str, law: Law) -> None:
    with pytest.raises(UsageError, match=said):
        law.check(criteria)


# Precedence ----------------------------------------------------------------------------------------------------------


def ways(law: Law, iri: str) -> Iterator[dict[str, bool]]:
    """Yield the answers that meet a definition, one way after another."""
    if iri in law.conditions:
        yield from ({criterion: answer} for criterion, answer in law.conditions[iri].answers)
        return
    parts = [list(ways(law, part)) for part in law.parts[iri]]
    if iri in unions(law):
        yield from (way for part in parts for way in part)
        return
    for chosen in product(*parts):
        if (facts := together(*chosen)) is not None:
            yield facts


def together(*several: dict[str, bool]) -> dict[str, bool] | None:
    """Merge answers; None where they contradict each other."""
    merged: dict[str, bool] = {}
    for facts in several:
        if any(merged.get(criterion, answer) is not answer for criterion, answer in facts.items()):
            return None
        merged |= facts
    return merged


def unions(law: Law) -> set[str]:
    owl = "http://www.w3.org/2002/07/owl#"
    select = f"SELECT ?c {{ ?c <{owl}equivalentClass>/<{owl}unionOf> ?parts }} ORDER BY ?c"
    return {row["c"] for row in rows(law.store, select)}


def both(law: Law, higher: str, lower: str) -> dict[str, bool] | None:
    """Return answers that meet two definitions; None where none can."""
    pairs = product(ways(law, higher), ways(law, lower))
    return next((facts for one, two in pairs if (facts := together(one, two)) is not None), None)


# What no answers can meet both of: the precedence is said by the law and can never be needed.
EXCLUSIVE = {("UsGeneTherapyDefinition", "UsCellularTherapyDefinition")}


def classified(law: Law, things: dict[str, Facts]) -> dict[str, set[str]]:
    """Return the definitions by which the rules of the store classify things."""
    store = Embedded.memory()
    assert isinstance(law.store, Embedded)
    store.load(law.store.dump())
    store.load("".join(law._statements(things)).encode())
    infer(store, read_queries(law.project.folders("queries", "rules")).values())
    found: dict[str, set[str]] = {name: set() for name in things}
    for row in rows(store, f"SELECT ?t ?d {{ ?t <{ONTOLOGY}classifiedBy> ?d }} ORDER BY ?t ?d"):
        found[row["t"].removeprefix(f"{DATA}thing/")].add(row["d"])
    return found


def test_every_precedence_works_on_things_that_meet_both(law: Law) -> None:
    """In the verdict, and in the rule of the graph."""
    cases = {pair: both(law, *pair) for pair in law.outranks}
    short = {pair: tuple(iri.removeprefix(ONTOLOGY) for iri in pair) for pair in cases}
    assert {short[pair] for pair, facts in cases.items() if facts is None} == EXCLUSIVE
    things = {"-".join(short[pair]): facts for pair, facts in cases.items() if facts is not None}
    assert len(things) >= 10
    met, by_rule = law.derive(things), classified(law, things)
    for pair, facts in cases.items():
        if facts is not None:
            name = "-".join(short[pair])
            assert set(pair) <= met[name]["meets"], name
            place = law.definitions[pair[0]].jurisdiction
            (verdict,) = law.classify(facts, day=DAY, jurisdictions=[place])
            assert pair[1] not in {definition.iri for definition in verdict.holds}, name
            assert pair[1] not in by_rule[name], name


def test_every_precedence_waits_for_an_answer_that_is_missing(law: Law) -> None:
    """Where the higher definition is open for want of one answer, the lower does not hold, and the answer is named."""
    tried = 0
    for higher, lower in law.outranks:
        facts = both(law, higher, lower)
        needed = {c for way in ways(law, higher) for c in way} - {c for way in ways(law, lower) for c in way}
        for criterion in sorted(needed & set(facts or {})):
            rest = {c: answer for c, answer in (facts or {}).items() if c != criterion}
            state = law.derive({"it": rest})["it"]
            if lower in state["meets"] and higher in state["undecidedFor"]:
                place = law.definitions[higher].jurisdiction
                (verdict,) = law.classify(rest, day=DAY, jurisdictions=[place])
                assert lower not in {definition.iri for definition in verdict.holds}
                assert higher in {definition.iri for definition in verdict.open} and criterion in verdict.missing
                tried += 1
                break
    assert tried >= 6


def test_precedence_has_no_circle(law: Law) -> None:
    reached = set(law.outranks)
    while more := {(a, d) for a, b in reached for c, d in law.outranks if b == c} - reached:
        reached |= more
    assert [pair for pair in reached if pair[0] == pair[1]] == []


# Two reasoners -------------------------------------------------------------------------------------------------------


def synthetic(law: Law, count: int = 60) -> dict[str, Facts]:
    """Make things that meet each definition exactly, and things with answers by lot (yes, no or none)."""
    things: dict[str, Facts] = {}
    for iri, definition in law.definitions.items():
        things[f"exactly.{definition.notation}"] = next(ways(law, iri))
    lot = random.Random(3)
    for number in range(count):
        answers = {criterion: lot.choice((True, False, None)) for criterion in sorted(law.criteria)}
        things[f"lot.{number}"] = {criterion: answer for criterion, answer in answers.items() if answer is not None}
    return things


def disagreements(law: Law, things: dict[str, Facts]) -> list[str]:
    by_axioms, by_rules = hermit(law, things), law.derive(things)
    return [name for name in things if by_axioms[name] != by_rules[name]["meets"] & set(law.definitions)]


@pytest.fixture
def java(needs: Callable[[bool, str], None]) -> None:
    needs(bool(shutil.which("java")), "Java")


@pytest.mark.usefixtures("java")
def test_rules_and_hermit_agree_on_synthetic_things(law: Law) -> None:
    things = synthetic(law) | {path.stem: law.check(described(path)["criteria"]) for path in DESCRIPTIONS}
    assert len(things) > 90
    met = law.derive(things)
    for name in things:  # each thing made to meet a definition meets it
        if name.startswith("exactly."):
            notations = {law.definitions[iri].notation for iri in met[name]["meets"] if iri in law.definitions}
            assert name.removeprefix("exactly.") in notations
    assert disagreements(law, things) == []


@pytest.mark.usefixtures("java")
def test_rules_and_hermit_agree_on_every_product_and_ruling_of_the_graph(law: Law, real: KnowledgeGraph) -> None:
    """In less than a minute."""
    found = rows(real.store, f"SELECT DISTINCT ?thing {{ ?row <{ONTOLOGY}thing> ?thing }} ORDER BY ?thing")
    iris = [row["thing"] for row in found]
    things: dict[str, Facts] = {
        iri.removeprefix(DATA).replace("/", "."): facts for iri in iris if (facts := facts_of(real.store, iri))
    }
    if not things:
        pytest.skip("the graph has no criteria yet")
    begun = time.monotonic()
    assert disagreements(law, things) == []
    assert time.monotonic() - begun < 60


@pytest.mark.parametrize("answer", [["yes"], 1, {"a": "b"}, "maybe", 0.0])
def test_an_answer_that_is_none_is_told(answer: object) -> None:
    with pytest.raises(UsageError, match=r"^cannot classify: found viable-cells: .*; expected yes, no or unknown\.$"):
        Law(Project(home(), home())).check({"viable-cells": answer})
