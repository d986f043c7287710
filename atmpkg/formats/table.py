"""Answers as an aligned table for a terminal, wrapped to its width."""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from atmpkg.answers import Answer, as_text

_NARROWEST = 6
_LONGEST_WORD = 20


_GOOD, _CARE, _BAD, _GONE = "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[2m"
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"
_COLOURS = {
    **dict.fromkeys(("authorised", "confirmed", "recommended", "grant", "yes"), _GOOD),
    **dict.fromkeys(("suspended", "single", "suspension", "managed-access", "recommended-restricted"), _CARE),
    **dict.fromkeys(("revoked", "refused", "refusal", "revocation", "unverified", "not-recommended"), _BAD),
    **dict.fromkeys(("withdrawn", "expired", "withdrawal", "expiry", "no"), _GONE),
}


def table_text(answer: Answer, width: int | None = None, *, colour: bool = False) -> str:
    """Write the rows aligned; long cells wrap, numbers stand to the right, several values stand below each other.

    ``width``: characters a line may have; the terminal's when omitted. ``colour``: with the marks of a terminal, bold
    heads, and green, yellow, red or pale for words such as authorised, single, revoked and expired.
    """
    width = width or shutil.get_terminal_size((120, 24)).columns
    shown = list(_shown(answer))
    heads = [answer.names[at].replace("_", " ") for at in shown]
    cells = [[as_text(row[at]).replace("|", ", ") for at in shown] for row in answer.rows]
    widths = _widths(heads, cells, width)
    right = [all(isinstance(row[at], int | float) or row[at] is None for row in answer.rows) for at in shown]
    lines = [*_wrapped(heads, widths, right), "  ".join("─" * w for w in widths)]
    if colour:
        lines = [f"{_BOLD}{line}{_PLAIN}" for line in lines[:-1]] + [f"{_GONE}{lines[-1]}{_PLAIN}"]
    for row in cells:
        lines += _wrapped(row, widths, right, [_COLOURS.get(cell, "") for cell in row] if colour else ())
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _shown(answer: Answer) -> Iterator[int]:
    """Yield the places of the columns worth a reader's eye.

    Left out: source ids (see --with-sources), columns without any value, and those that only repeat what was asked.
    """
    for at, name in enumerate(answer.names):
        values = {row[at] for row in answer.rows}
        repeats = len(answer.remarks.parameters.get(name, ())) == 1 and len(values) == 1
        if name != "source" and not repeats and (values != {None} or not answer.rows):
            yield at


def _longest_word(texts: Iterable[str]) -> int:
    return max((display_width(word.strip(" ")) for text in texts for word in _words(text)), default=_NARROWEST)


def display_width(text: str) -> int:
    """Count the columns that a text takes on a terminal (East Asian wide characters take two).

    >>> display_width("CAR-T"), display_width("遺伝子")
    (5, 6)
    """
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def _widths(heads: list[str], cells: list[list[str]], width: int) -> list[int]:
    """Give each column its natural width, and take from the widest until the line fits."""
    natural = [max([display_width(head), *(display_width(row[at]) for row in cells)]) for at, head in enumerate(heads)]
    least = [min(_LONGEST_WORD, _longest_word([head, *(row[at] for row in cells)])) for at, head in enumerate(heads)]
    widths = natural[:]
    while sum(widths) + 2 * (len(widths) - 1) > width:
        widest = max(range(len(widths)), key=lambda at: widths[at] - least[at])
        if widths[widest] <= least[widest]:
            break
        widths[widest] -= 1
    return widths


def _wrapped(cells: list[str], widths: list[int], right: list[bool], colours: Sequence[str] = ()) -> Iterator[str]:
    """Yield the lines that a row takes."""
    wrapped = [_wrap(cell, width) for cell, width in zip(cells, widths, strict=True)]
    for at in range(max(map(len, wrapped), default=0)):
        padded = _padded([cell[at] if at < len(cell) else "" for cell in wrapped], widths, right)
        marked = [
            f"{c}{text}{_PLAIN}" if c else text for c, text in zip(colours or [""] * len(padded), padded, strict=True)
        ]
        yield "  ".join(marked)


def _wrap(text: str, width: int) -> list[str]:
    """Break a text at spaces and after hyphens so that no line takes more columns than ``width``.

    >>> _wrap("Yescarta Intravenous, イエスカルタ点滴静注", 12)
    ['Yescarta', 'Intravenous,', 'イエスカルタ', '点滴静注']
    """
    if display_width(text) <= width:
        return [text]
    lines = [""]
    for word in _words(text):
        if lines[-1] and display_width(lines[-1] + word) > width:
            lines.append("")
        for letter in word if lines[-1] else word.lstrip(" "):  # a word that fits no line is broken inside
            if lines[-1] and display_width(lines[-1] + letter) > width:
                lines.append("")
            lines[-1] += letter
    return [line.rstrip(" ") for line in lines]


def _words(text: str) -> list[str]:
    """Cut a text where a line may end: before a space, and after a hyphen between words of two letters or more.

    >>> _words("anti-CD19 CAR-T, zuma-1")
    ['anti-', 'CD19', ' CAR-T,', ' zuma-1']
    """
    return re.split(r"(?<=[^\W\d]{2}-)(?=[^\W\d]{2})|(?=(?<! ) )", text)


def _padded(cells: list[str], widths: list[int], right: list[bool]) -> list[str]:
    padded = []
    for cell, width, numeric in zip(cells, widths, right, strict=True):
        blank = " " * max(0, width - display_width(cell))
        padded.append(blank + cell if numeric else cell + blank)
    return padded
