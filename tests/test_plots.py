"""Pictures belong to questions: each specification is drawn, says what it rests on, and its labels do not meet."""

import json
import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from atmpkg.answers import Answer
from atmpkg.errors import DataError, StoreError, UsageError
from atmpkg.graph import KnowledgeGraph
from atmpkg.palette import OTHER, PALETTES
from atmpkg.plots import Plot, spec_of
from atmpkg.project import home
from atmpkg.queries import AnswerColumn, read_queries
from atmpkg.world import FOLDER

QUESTIONS = read_queries([home() / "queries" / "questions"])
DRAWN = [question for question in QUESTIONS.values() if spec_of(question.path)]


@pytest.fixture(autouse=True)
def components(needs: Callable[[bool, str], None]) -> None:
    needs(find_spec("vl_convert") is not None, "vl-convert, an extra of the package,")
    needs((FOLDER / "countries-110m.json").exists(), "the shapes of countries (sh scripts/browser-code)")


def example(kg: KnowledgeGraph, name: str) -> Answer:
    return kg.ask(name, **QUESTIONS[name].example)


def test_no_picture_is_without_its_question() -> None:
    specs = {path.name.split(".")[0] for path in (home() / "queries" / "questions").rglob("*.vl.*")}
    assert specs == {question.name for question in DRAWN} and len(specs) >= 8


@pytest.mark.parametrize("name", [question.name for question in DRAWN])
def test_a_picture_shows_title_values_and_what_it_rests_on(name: str, real: KnowledgeGraph) -> None:
    answer = example(real, name)
    if not answer.rows:
        assert answer.remarks.empty.endswith("has no rows yet.")
        return
    svg = answer.plot().svg()
    said = re.findall(r"<text[^>]*>([^<]+)</text>", svg)
    assert any(
        line.startswith(f"As of {answer.remarks.as_of}") and f"atmpkg {answer.remarks.release}" in line for line in said
    )
    assert any(line.startswith("Sources: ") for line in said)
    assert not any("{" in line or "undefined" in line or "NaN" in line or "null" in line for line in said)


Box = tuple[float, float, float, float, str]


def labels(svg: str) -> list[Box]:
    """Return the box (left, top, right, bottom) and the text of each label, read off the nested translations."""
    at: list[tuple[float, float]] = [(0.0, 0.0)]
    found = []
    for closing, kind, about, alone, text in re.findall(r"<(/?)(g|text)([^>]*?)(/?)>([^<]*)", svg):
        moved = re.search(r'transform="translate\(([-\d.]+),\s*([-\d.]+)\)', about)
        x, y = at[-1]
        here = (x + float(moved[1]), y + float(moved[2])) if moved else (x, y)
        if kind == "g" and closing:
            at.pop()
        elif kind == "g" and not alone:
            at.append(here)
        elif kind == "text" and not closing and text.strip() and 'opacity="0"' not in about:
            size = float(re.search(r'font-size="([\d.]+)px"', about)[1])  # type: ignore[index]
            anchor = re.search(r'text-anchor="(\w+)"', about)
            width = 0.5 * size * len(text)  # on the narrow side: what meets here meets for certain
            left = here[0] - {"middle": width / 2, "end": width}.get(anchor[1] if anchor else "start", 0)
            found.append((left, here[1] - 0.7 * size, left + width, here[1], text))
    return found


def meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


CROWDED = [
    "outcomes",
    "compare-outcomes",
    "event-rates",
    "hta-decisions",
    "evidence-strength",
    "decision-history",
    "approval-lag",
    "market-exits",
    "opinion-to-decision",
    "status-matrix",
    "safety-timeline",
]


@pytest.mark.parametrize("name", CROWDED)
def test_no_two_labels_stand_on_one_another(name: str, real: KnowledgeGraph) -> None:
    found = labels(example(real, name).plot().svg())
    assert len(found) > 10
    assert [(a[4], b[4]) for at, a in enumerate(found) for b in found[:at] if meet(a, b)] == []


def test_labels_that_meet_would_be_seen() -> None:
    svg = '<g transform="translate(5,5)"><text font-size="10px">one</text><text font-size="10px">two</text></g>'
    (one, other) = labels(svg)
    assert one[:2] == (5.0, -2.0) and meet(one, other)


def test_every_format_is_written_whole(real: KnowledgeGraph, tmp_path: Path) -> None:
    plot = example(real, "approval-lag").plot()
    heads = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF", "html": b"<!DOCTYPE html>", "json": b"{"}
    for format, head in heads.items():
        plot.save(tmp_path / f"lag.{format}")
        assert (tmp_path / f"lag.{format}").read_bytes().lstrip().startswith(head)
    assert json.loads((tmp_path / "lag.json").read_text())["$schema"].endswith("vega-lite/v6.json")
    assert not re.search(r'<script[^>]+src="http', (tmp_path / "lag.html").read_text())
    assert list(plot._repr_mimebundle_()) == ["image/svg+xml"]


def test_it_is_an_altair_chart_too(real: KnowledgeGraph, needs: Callable[[bool, str], None]) -> None:
    needs(find_spec("altair") is not None, "altair, an extra of the package,")
    assert "vconcat" in example(real, "market-exits").plot().to_altair().to_dict()


def test_what_cannot_be_drawn_says_why(sample: KnowledgeGraph, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot draw 'names': no picture belongs to it"):
        sample.ask("names").plot()
    with pytest.raises(UsageError, match=r"cannot draw 'market-exits': there are no rows\. nothing "):
        sample.ask("market-exits", jurisdiction="GB").plot()
    with pytest.raises(UsageError, match=r"cannot draw 'lag.doc': expected a name that ends in one of svg, png"):
        sample.ask("approval-lag", first="US", second="EU").plot().save(tmp_path / "lag.doc")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "spec, error, message",
    [
        ("- a", DataError, r"found \"\['a'\]\"; expected a Vega-Lite specification"),
        ("a: [", DataError, "expected a Vega-Lite specification"),
        ("mark: bar\nencoding: {color: {scale: {palette: zebra}}}", DataError, "expected one of status, phase"),
        ("mark: zebra", StoreError, "cannot draw q.vl.yaml: the specification is faulty"),
    ],
)
def test_a_faulty_specification_is_told(spec: str, error: type[Exception], message: str, tmp_path: Path) -> None:
    path = tmp_path / "q.vl.yaml"
    path.write_text(spec)
    with pytest.raises(error, match=message):
        Plot.of(path, [AnswerColumn("a")], [("x",)], words={}, footer=["f"]).svg()


def test_a_specification_cannot_fetch(tmp_path: Path) -> None:
    path = tmp_path / "q.vl.yaml"
    path.write_text(
        "data: {url: 'http://127.0.0.1:9/x.json'}\nmark: point\nencoding: {x: {field: a, type: quantitative}}"
    )
    plot = Plot.of(path, [AnswerColumn("a")], [(1,)], words={}, footer=["f"])
    try:
        assert "circle" not in plot.svg()
    except StoreError as error:
        assert "cannot draw q.vl.yaml" in str(error)


def test_hostile_text_stays_text(sample: KnowledgeGraph, tmp_path: Path) -> None:
    path = tmp_path / "q.vl.yaml"
    path.write_text("title: '{who}'\nmark: text\ndata: {name: rows}\nencoding: {text: {field: a, type: nominal}}")
    plot = Plot.of(path, [AnswerColumn("a")], [("</script><b>&\"'",)], words={"who": "<i>{x}</i>"}, footer=["f"])
    assert "<b>" not in plot.svg() and "<i>" not in plot.svg()
    assert "</script><b>" not in plot.html()


def test_a_date_is_there_as_first_and_last_day(tmp_path: Path) -> None:
    path = tmp_path / "q.vl.yaml"
    path.write_text("mark: point")
    plot = Plot.of(path, [AnswerColumn("d", type="date")], [("2024-02",), (None,)], words={}, footer=[])
    assert plot.to_dict()["datasets"]["rows"] == [
        {"row": 0, "d": "2024-02", "d_first": "2024-02-01", "d_last": "2024-02-29"},
        {"row": 1, "d": None, "d_first": None, "d_last": None},
    ]


def test_every_verdict_and_every_end_has_a_colour(real: KnowledgeGraph) -> None:
    verdicts = "?term rdfs:subClassOf* atmp:HtaVerdict ; skos:notation ?word"
    ends = "?term atmp:statusEffect atmp:Ends ; skos:notation ?word"
    for palette, pattern in (("verdict", verdicts), ("exit", ends)):
        words = {row[0] for row in real.select(f"SELECT DISTINCT ?word {{ {pattern} }}").rows}
        assert words
        assert words <= PALETTES[palette].keys()


def test_a_value_without_a_colour_of_its_own_is_drawn_in_grey(tmp_path: Path) -> None:
    path = tmp_path / "x.vl.yaml"
    path.write_text("mark: bar\nencoding: {color: {field: verdict, scale: {palette: verdict}}}\n", encoding="utf-8")
    rows = [("listed",), ("unheard-of",), (None,)]
    spec = Plot.of(path, [AnswerColumn("verdict")], rows, words={}, footer=[]).to_dict()
    scale = spec["vconcat"][0]["encoding"]["color"]["scale"]
    assert scale == {"domain": ["listed", "unheard-of"], "range": [PALETTES["verdict"]["listed"], OTHER]}


def test_the_names_of_many_bodies_do_not_meet(real: KnowledgeGraph) -> None:
    found = labels(real.ask("hta-decisions", product="Kymriah").plot().svg())
    assert [(a[4], b[4]) for at, a in enumerate(found) for b in found[:at] if meet(a, b)] == []
