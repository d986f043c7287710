# ruff: noqa: E501 - surveys stand on one line, as in the table
"""How far the data reach is said by surveys: by those of the whole where there are any, and of what was asked for."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from atmpkg.graph import KnowledgeGraph
from atmpkg.project import Project, home

KINDS = "SELECT ?kind { ?class rdfs:subClassOf+ atmp:RegulatoryEvent ; skos:notation ?kind }"
HEADER = "id table jurisdiction product scope kinds date until whole complete found source locator note"
SURVEYS = """
    eu        decision EU . all              grant               2024-02-01 2024-01-31 yes yes 4 register . .
    gb        decision GB . old-list         grant               2024-02-01 2008-07-14 no  no  0 register . .
    us        decision US . the-first-boxes  boxed-warning-added 2024-02-01 2023-01-31 no  no  0 register . .
    us-crl    decision US . every-refusal complete-response|refusal|application-withdrawn 2024-02-01 2024-01-15 yes yes 0 register . .
    hta-de    hta      DE . some             .                   2024-02-01 2020-01-31 no  no  0 register . .
    hta-gb    hta      GB . some             .                   2024-02-01 2023-01-31 no  no  0 register . .
    one       site     .  deltavec it     .                   2024-02-01 2024-01-20 no  yes 0 register . .
"""


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory: pytest.TempPathFactory, in_memory: Callable[..., KnowledgeGraph]) -> KnowledgeGraph:
    """Give the sample with surveys of its own: of some kinds, old, partial, and of one product."""
    root = tmp_path_factory.mktemp("surveyed") / "sample"
    shutil.copytree(Path(__file__).parent / "sample", root)
    lines = [line.split() for line in (HEADER, *SURVEYS.strip().splitlines())]
    rows = ("\t".join("" if cell == "." else cell for cell in line) for line in lines)
    (root / "data" / "tables" / "survey.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8", newline="\n")
    return in_memory(Project(root, home()))


@pytest.mark.parametrize(
    "asked, said",
    [
        ("authorised-here-not-there here=EU there=GB", "known until 2024-01-31, in part until 2008-07-14"),
        ("opinion-to-decision", "looked for in part, until 2024-01-31 at the latest"),
        ("boxed-warnings", "looked for in part, until 2023-01-31 at the latest"),
        ("boxed-warnings jurisdiction=US", "looked for in part until 2023-01-31"),
        ("boxed-warnings jurisdiction=EU", "no survey says until when the data reach"),
        ("refused-or-withdrawn-applications", "known until 2024-01-15, elsewhere in part"),
        ("refused-or-withdrawn-applications jurisdiction=US", "known until 2024-01-15"),
        ("changes-between since=2020", "known until 2024-01-15 (US) to 2024-01-31 (EU), elsewhere in part"),
        ("market-exits", "no survey says until when the data reach"),
        ("hta-decisions", "looked for in part, until 2023-01-31 at the latest"),
        ("hta-decisions body=nice", "looked for in part, until 2023-01-31 at the latest"),
    ],
)
def test_a_place_looked_through_in_part_does_not_bound_what_was_asked_of_all(
    asked: str, said: str, surveyed: KnowledgeGraph
) -> None:
    question, *words = asked.split()
    answer = surveyed.ask(question, **dict(word.split("=") for word in words))
    assert answer.remarks.lines(0)[-1].split(" · ")[2] == said


def test_the_warning_names_the_place_whose_data_end_first(surveyed: KnowledgeGraph) -> None:
    warned = surveyed.ask("authorised-products", jurisdiction="EU|GB", as_of="2024-03-01").remarks.lines(1)[0]
    assert warned == "warning: 2024-03-01 is later than the day until which the data reach (2008-07-14 in GB)"


@pytest.mark.parametrize(
    "asked, why",
    [
        ("boxed-warnings jurisdiction=EU",
         "not looked for: none of … rows of decision in EU fits, and no survey of boxed-warning-added or"),
        ("boxed-warnings jurisdiction=US as-of=1990",
         "nothing recorded: none of … rows of decision in US fits; surveys of boxed-warning-added or "
         "boxed-warning-changed cover a part only, until 2023-01-31 (the-first-boxes)."),
        ("refused-or-withdrawn-applications jurisdiction=US since=2030",
         "looked for and none found: none of … rows of decision in US fits, until 2024-01-15 (every-refusal)."),
        ("changes-between jurisdiction=EU since=2024-05-30", "nothing recorded: none of … rows of decision in EU"),
        ("refused-or-withdrawn-applications jurisdiction=US,EU since=2030", "nothing recorded: none of … rows"),
        ("clinical-holds since=2030", "not looked for: none of … rows of decision fits, and no survey of"),
        ("sites product=deltavec", "looked for and none found: no site for deltavec"),
    ],
)  # fmt: skip
def test_an_empty_answer_says_whether_that_was_looked_for(asked: str, why: str, surveyed: KnowledgeGraph) -> None:
    question, *words = asked.split()
    answer = surveyed.ask(question, **dict(word.split("=") for word in words))
    assert re.sub(r"\d+ rows", "… rows", answer.remarks.empty)[: len(why)] == why


def test_the_kinds_that_a_question_looks_for_are_kinds_of_its_first_table(sample: KnowledgeGraph) -> None:
    known = {row[0] for row in sample.select(KINDS).rows}
    named = {name: set(query.words("kinds")) for name, query in sample.questions.items() if query.words("kinds")}
    assert len(named) > 10 and {name: kinds - known for name, kinds in named.items() if kinds - known} == {}
    assert all(sample.questions[name].words("tables")[0] == "decision" for name in named)
