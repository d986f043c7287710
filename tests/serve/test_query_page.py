"""The query page in a browser: YASGUI runs, the questions are ready, and nothing is asked of anybody else."""

# queries and requests are easier to read on one line

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from atmpkg.serve import page as pages

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@pytest.fixture(scope="module")
def browser(needs: Callable[[bool, str], None]) -> Iterator[Any]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    needs(chromium is not None, "chromium")
    needs(not pages.missing(), "YASGUI (sh scripts/browser-code)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=chromium, args=FLAGS.split())
        yield started
        started.close()


@pytest.fixture
def opened(browser: Any, served: Any) -> Iterator[Any]:
    faults: list[str] = []
    asked: list[str] = []
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(served.url + "/")
    page.wait_for_selector("#examples button")
    yield page
    page.close()
    assert faults == []
    assert [url for url in asked if not url.startswith((served.url, "data:", "blob:"))] == []


def test_a_question_is_opened_and_answered(opened: Any, tmp_path: Path) -> None:
    opened.fill("#search", "authorised products")
    opened.locator("#examples button").first.click()
    assert "SELECT" in opened.evaluate("yasgui.getTab().getQuery()")
    opened.locator(".yasqe_queryButton").first.click()
    opened.wait_for_selector(".yasr table tbody tr")
    assert opened.locator(".yasr table tbody tr").count() >= 1
    shot = Path(os.environ.get("ATMPKG_SHOTS", tmp_path)) / "query-page.png"
    assert len(opened.screenshot(path=shot)) > 10_000


def test_every_question_is_listed_by_pack(opened: Any, sample: Any) -> None:
    assert opened.locator("#examples button").count() == len(sample.questions)
    packs = {question.pack for question in sample.questions.values()}
    assert {text.lower() for text in opened.locator("#examples h2").all_inner_texts()} == packs
    opened.fill("#search", "zzzz")
    assert opened.inner_text("#examples") == "no question fits"


def test_a_hostile_answer_does_nothing(browser: Any, served: Any) -> None:
    """YASGUI lets a cell become HTML for a moment before it cleans it; the policy keeps it from doing anything."""
    page = browser.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(served.url + "/")
    page.wait_for_selector("#examples button")
    cell = '<img src="http://127.0.0.1:9/x" onerror="document.title=1"><script>document.title=2</script>'
    page.evaluate("(cell) => { yasgui.getTab().setQuery(`SELECT ('${cell}' AS ?x) {}`) }", cell)
    page.locator(".yasqe_queryButton").first.click()
    page.wait_for_selector(".yasr table tbody tr")
    assert page.title() == "atmpkg: query the graph"
    assert page.locator(".yasr img, .yasr script").count() == 0
    assert [line for line in said if "Content Security Policy" not in line] == []
    page.close()
