"""Notebooks made of plain Python: ``docs/notebooks/<name>.py`` in cells that begin with ``# %%``.

A cell ``# %% [markdown]`` holds text behind ``#``; the cell ``# %% parameters`` is the one that readers change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parent.parent / "docs" / "notebooks"
_HEAD = re.compile(r"^# %%[ \t]*(.*)$", re.MULTILINE)


def notebooks() -> Iterator[tuple[Path, str]]:
    """Yield each notebook, without outputs, with its content."""
    for path in sorted(NOTEBOOKS.glob("*.py")):
        yield path.with_suffix(".ipynb"), notebook(path.read_text(encoding="utf-8"))


def notebook(source: str) -> str:
    """Return the notebook of a source."""
    _, *parts = _HEAD.split(source)
    cells = [_cell(number, *pair) for number, pair in enumerate(zip(parts[::2], parts[1::2], strict=True))]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return (
        json.dumps(
            {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, indent=1, ensure_ascii=False
        )
        + "\n"
    )


def _cell(number: int, head: str, body: str) -> dict[str, object]:
    text = body.strip("\n")
    if head == "[markdown]":
        lines = [line.removeprefix("#").removeprefix(" ") for line in text.splitlines()]
        return {"cell_type": "markdown", "id": f"cell-{number}", "metadata": {}, "source": _lines("\n".join(lines))}
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": f"cell-{number}",
        "metadata": {"tags": [head]} if head else {},
        "outputs": [],
        "source": _lines(text),
    }


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
