"""The interactive page in a browser: search, click, filter, and not one request."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from atmpkg.errors import StoreError
from atmpkg.files import Out
from atmpkg.formats import page as pages
from atmpkg.graph import KnowledgeGraph
from atmpkg.views import Graph

Written = Callable[[Graph, str], Path]
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@pytest.fixture(scope="module")
def browser(needs: Callable[[bool, str], None]) -> Iterator[Any]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    needs(chromium is not None, "chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=chromium, args=FLAGS.split())
        yield started
        started.close()


@pytest.fixture
def opened(browser: Any, written: Written, library: Path) -> Iterator[Callable[[Graph], Any]]:
    faults: list[str] = []
    asked: list[str] = []

    def open_page(graph: Graph) -> Any:
        path = written(graph, "html")
        page = browser.new_page(viewport={"width": 1600, "height": 900})
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_function("window.cy && document.getElementById('count').textContent")
        return page

    yield open_page
    assert faults == []
    assert len(asked) == 1  # the page itself


def shown(page: Any) -> set[str]:
    return set(page.evaluate("cy.nodes().filter(n => n.visible()).map(n => n.id())"))


def test_a_click_shows_facts_and_sources(ptd: Graph, opened: Callable[[Graph], Any], tmp_path: Path) -> None:
    page = opened(ptd)
    assert page.inner_text("h1") == ptd.title
    assert page.inner_text("#count") == "10 of 10 things, 7 of 7 lines"
    at = page.evaluate("cy.getElementById('product:anacel').renderedPosition()")
    frame = page.locator("#graph").bounding_box()
    page.mouse.click(frame["x"] + at["x"], frame["y"] + at["y"])
    facts = page.inner_text("#facts")
    assert "anacel" in facts and "CAR-T cell therapy" in facts and "EU, US" in facts
    page.get_by_role("button", name="acts on: CD19").click()
    link = page.get_by_role("link", name='Register of "advanced" medicines & more')
    assert link.get_attribute("href") == "https://example.org/register?a=1&b=2"
    assert len(page.screenshot(path=tmp_path / "page.png")) > 10_000


def test_search_finds_by_part_of_a_name(ptd: Graph, opened: Callable[[Graph], Any]) -> None:
    page = opened(ptd)
    page.fill("#search", "haemoph")
    page.locator("#search").press("Enter")
    assert "haemophilia B" in page.inner_text("#facts")
    page.fill("#search", "zzz")
    page.locator("#search").press("Enter")
    assert "Nothing here is called “zzz”." in page.inner_text("#facts")


def test_filters_by_kind_and_jurisdiction(ptd: Graph, opened: Callable[[Graph], Any]) -> None:
    page = opened(ptd)
    page.get_by_label("disease (4)").uncheck()
    assert not any(id.startswith("disease:") for id in shown(page))
    page.get_by_role("button", name="Show all").click()
    assert len(shown(page)) == 10
    page.select_option("#place", "US")
    assert "product:anacel" in shown(page) and "target:CD19" in shown(page)


def test_filters_by_day(small: KnowledgeGraph, opened: Callable[[Graph], Any]) -> None:
    page = opened(small.graph("product-disease-jurisdiction", as_of="2021-01-01"))
    page.fill("#day", "2019-01-01")
    page.locator("#day").dispatch_event("change")
    assert "product:bencel" not in shown(page) and "product:anacel" in shown(page)


def test_a_history_shows_its_events_first(history: Graph, opened: Callable[[Graph], Any]) -> None:
    page = opened(history)
    assert page.get_by_label("underwent (6)").is_checked() and not page.get_by_label("status (5)").is_checked()


def test_names_cannot_break_out_of_the_page(small: KnowledgeGraph, written: Written, library: Path) -> None:
    text = written(small.graph("product-target-disease"), "html").read_text(encoding="utf-8")
    data = text.split('id="data">')[1].split("</script>")[0]
    assert "<" not in data and "\\u003cX>" in data
    assert 'src="' not in text.split("<script>")[0] and "http-equiv" in text


def test_a_missing_library_is_told_in_one_line(ptd: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "LIBRARY", tmp_path / "none.js")
    with (
        pytest.raises(StoreError, match=r"cannot draw html: the browser library Cytoscape\.js is missing\. Fetch it"),
        Out(tmp_path / "page.html") as out,
    ):
        pages.page(ptd, out)
    assert list(tmp_path.iterdir()) == []
