"""Documentation is under test: console blocks are run, links lead somewhere."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PAGES = [README, *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("decisions/*.md"))]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
CLI = "from atmpkg.cli import main; main()"


def without_code(text: str) -> str:
    return re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)


def console(text: str) -> list[tuple[str, str]]:
    """Return command and shown output of each ``$ atmpkg`` line of the console blocks."""
    found = []
    for block in re.findall(r"```(?:console|text|sh|shell|bash)?\n(.*?)```", text, flags=re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            if command.startswith("atmpkg "):
                found.append((command, output.strip("\n")))
    return found


COMMANDS = [(page.name, *pair) for page in PAGES if page.exists() for pair in console(page.read_text(encoding="utf-8"))]


def test_the_readme_shows_commands_with_their_output() -> None:
    assert len([command for page, command, output in COMMANDS if page == "README.md" and output]) >= 4


@pytest.mark.parametrize("page, command, output", COMMANDS, ids=[f"{page}: {command}" for page, command, _ in COMMANDS])
def test_a_shown_command_gives_what_is_shown(page: str, command: str, output: str) -> None:
    """Lines of ``…`` or ``...`` stand for lines left out; remarks on stderr may be shown too."""
    words = shlex.split(command.partition("|")[0])[1:]
    run = subprocess.run([sys.executable, "-c", CLI, *words], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    given = [line.rstrip() for line in (run.stdout + run.stderr).splitlines()]
    shown = [line.rstrip() for line in output.splitlines() if line.strip() not in ("", "…", "...")]
    assert [line for line in shown if line not in given] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.strip(), "an empty page"
    links = [link for link in LINK.findall(without_code(text)) if not re.match(r"[a-z]+:|#", link)]
    assert [link for link in links if not (page.parent / link.partition("#")[0]).exists()] == []


@pytest.mark.parametrize("name", ["CHANGELOG.md", "LICENSE", "data/LICENSE"])
def test_what_a_repository_must_say_is_said(name: str) -> None:
    assert len((ROOT / name).read_text(encoding="utf-8").strip()) > 100


def test_a_console_block_is_read() -> None:
    text = "x\n```console\n$ make\n$ atmpkg find a\nid\n1\n$ atmpkg tables\n```\n"
    assert console(text) == [("atmpkg find a", "id\n1"), ("atmpkg tables", "")]


def test_the_readme_names_the_two_commands() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(re.findall(r"^(?:make|\./|sh |scripts/|\$ make|\$ \./).*$", text, flags=re.MULTILINE)) >= 2
