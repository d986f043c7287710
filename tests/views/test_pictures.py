"""Pictures: nothing covers anything, everything is named, and what a picture rests on stands below it."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree

from atmpkg.graph import KnowledgeGraph
from atmpkg.layouts import WIDTH, columns, dated, force, shortened, text_width, tree
from atmpkg.palette import OTHER, colours
from atmpkg.pictures import picture
from atmpkg.views import Graph

Written = Callable[[Graph, str], Path]
SVG = {"s": "http://www.w3.org/2000/svg"}


def texts(svg: str) -> list[str]:
    return [text.text for text in etree.fromstring(svg.encode()).iterfind("s:text", SVG)]


def test_a_picture_names_every_thing_its_kinds_and_what_it_rests_on(ptd: Graph) -> None:
    told = texts(picture(ptd))
    assert {shortened(node.label) for node in ptd.nodes} <= set(told)
    assert {"target", "product", "disease"} <= set(told)
    assert told[0] == ptd.title
    assert told[-1].startswith(f"atmpkg {ptd.remarks.release} · as of 2024-06-01")
    assert told[1] == "10 things, 7 lines"


def test_a_timeline_has_a_bar_for_every_status(history: Graph) -> None:
    root = etree.fromstring(picture(history).encode())
    bars = [rect.findtext("s:title", namespaces=SVG) for rect in root.iterfind("s:rect", SVG)]
    assert "bencel: authorised from 2020-03-02 until 2022-05-05" in bars
    assert "bencel: withdrawn from 2022-05-05 until today" in bars
    assert sum(bar is not None for bar in bars) == 5


def test_nothing_recorded_is_said(small: KnowledgeGraph) -> None:
    empty = small.graph("safety-network", jurisdiction="EU")
    assert "Nothing is recorded for what was asked." in texts(picture(empty))


@pytest.mark.parametrize(
    "name", ["product-target-disease", "product-disease-jurisdiction", "vector-landscape", "company-network"]
)
def test_no_label_covers_another_on_the_real_tables(real: KnowledgeGraph, name: str) -> None:
    layout = columns(real.graph(name))
    assert layout.letters >= 11
    piles: dict[float, list[float]] = {}
    for place in layout.places.values():
        piles.setdefault(round(place.x), []).append(place.y)
        assert place.x + place.width + layout.letters <= WIDTH
    for rows in piles.values():
        assert all(below - above >= layout.letters * 1.2 for above, below in pairwise(sorted(rows)))


def test_a_tree_stands_to_the_right_of_what_it_hangs_from(small: KnowledgeGraph) -> None:
    graph = small.graph("ontology-classes", under="modality")
    layout = tree(graph)
    assert all(layout.places[edge.start].x > layout.places[edge.end].x for edge in graph.edges)
    assert len({(place.x, place.y) for place in layout.places.values()}) == len(graph.nodes)


def test_a_history_stands_in_the_order_of_its_dates(history: Graph) -> None:
    places = dated(history).places
    days = {edge.end: edge.since for edge in history.edges if edge.kind == "underwent" and edge.since}
    ordered = sorted(days, key=lambda id: days[id])
    assert [places[id].x for id in ordered] == sorted(places[id].x for id in ordered)


def test_springs_give_the_same_picture_each_time(small: KnowledgeGraph) -> None:
    graph = small.graph("whole-graph")
    assert force(graph) == force(graph)


def test_png_and_pdf_are_made(ptd: Graph, written: Written) -> None:
    image = written(ptd, "png").read_bytes()
    assert image[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(image[16:20], "big") == 2 * WIDTH
    assert written(ptd, "pdf").read_bytes().startswith(b"%PDF")


def test_kinds_beyond_the_palette_share_a_colour() -> None:
    many = colours(["product", *(f"kind {at}" for at in range(9))])
    assert many["product"] == "#0072b2" and set(many.values()) == {"#0072b2", OTHER}
    few = colours(["product", "vector", "serotype"])
    assert len(set(few.values())) == 3


def test_wide_letters_take_more_room() -> None:
    assert text_width("WWW") > text_width("aaa") > text_width("iii")
    assert shortened("x" * 50) == "x" * 39 + "…"
