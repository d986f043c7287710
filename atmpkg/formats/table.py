"""Answers as an aligned table for a terminal, wrapped to its width."""

from __future__ import annotations

import shutil
import textwrap
import unicodedata

from atmpkg.answers import Answer, as_text

_NARROWEST = 6


def table_text(answer: Answer, width: int | None = None) -> str:
    """Write the rows aligned; long cells wrap, numbers stand to the right, several values stand below each other.

    ``width``: characters a line may have; the terminal's when omitted.
    """
    width = width or shutil.get_terminal_size((120, 24)).columns
    cells = [[as_text(value).replace("|", ", ") for value in row] for row in answer.rows]
    shown = [at for at, column in enumerate(answer.columns) if column.name != "source"]
    heads = [answer.names[at].replace("_", " ") for at in shown]
    cells = [[row[at] for at in shown] for row in cells]
    widths = _widths(heads, cells, width)
    right = [all(isinstance(row[at], int | float) or row[at] is None for row in answer.rows) for at in shown]
    lines = [_joined(heads, widths, right), "  ".join("─" * w for w in widths)]
    for row in cells:
        wrapped = [_wrap(cell, w) for cell, w in zip(row, widths, strict=True)]
        for at in range(max(map(len, wrapped), default=0)):
            lines.append(_joined([cell[at] if at < len(cell) else "" for cell in wrapped], widths, right))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def display_width(text: str) -> int:
    """Count the columns that a text takes on a terminal (East Asian wide characters take two).

    >>> display_width("CAR-T"), display_width("遺伝子")
    (5, 6)
    """
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def _widths(heads: list[str], cells: list[list[str]], width: int) -> list[int]:
    """Give each column its natural width, and take from the widest until the line fits."""
    natural = [max([display_width(head), *(display_width(row[at]) for row in cells)]) for at, head in enumerate(heads)]
    least = [max(_NARROWEST, max(map(len, head.split()), default=0)) for head in heads]
    widths = natural[:]
    while sum(widths) + 2 * (len(widths) - 1) > width:
        widest = max(range(len(widths)), key=lambda at: widths[at] - least[at])
        if widths[widest] <= least[widest]:
            break
        widths[widest] -= 1
    return widths


def _wrap(text: str, width: int) -> list[str]:
    if display_width(text) <= width:
        return [text]
    wide = display_width(text) != len(text)
    return textwrap.wrap(text, max(1, width // 2 if wide else width), break_on_hyphens=True) or [""]


def _joined(cells: list[str], widths: list[int], right: list[bool]) -> str:
    padded = []
    for cell, width, numeric in zip(cells, widths, right, strict=True):
        blank = " " * max(0, width - display_width(cell))
        padded.append(blank + cell if numeric else cell + blank)
    return "  ".join(padded)
