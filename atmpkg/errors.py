"""What can go wrong, and how it is said.

::

    AtmpkgError
    ├── DataError     the tables hold problems; all of them are listed          exit 1
    ├── UsageError    something was asked that is not there, or in a wrong form  exit 2
    └── StoreError    the store cannot be built, opened or read                 exit 3
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One fault in the data, at its place.

    >>> print(Problem("product.tsv", 3, "modality", "'gene therpy'", "one of car-t, til"))
    product.tsv:3 [modality]: found 'gene therpy'; expected one of car-t, til
    """

    file: str
    line: int
    column: str
    found: str
    expected: str

    def __str__(self) -> str:
        column = f" [{self.column}]" if self.column else ""
        line = f":{self.line}" if self.line else ""
        return f"{self.file}{line}{column}: found {self.found}; expected {self.expected}"


class AtmpkgError(Exception):
    """Any fault that has a clear message for the user."""

    exit_code = 3


class DataError(AtmpkgError):
    """The tables, the ontology or the query files hold problems; nothing was loaded."""

    exit_code = 1

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UsageError(AtmpkgError):
    """A question, parameter, value or query that does not fit."""

    exit_code = 2


class StoreError(AtmpkgError):
    """A store that cannot be built, opened, read or written."""

    exit_code = 3


def quoted(text: str, limit: int = 60) -> str:
    """Show a found value in quotes, shortened, with control characters escaped.

    >>> quoted("a\\tb")
    "'a\\\\tb'"
    """
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def one_of(words: Iterable[str], limit: int = 12) -> str:
    """List what is allowed, shortened.

    >>> one_of(["yes", "no"])
    'one of yes, no'
    """
    allowed = list(words)
    shown = ", ".join(allowed[:limit])
    return f"one of {shown}" + (f", … ({len(allowed)} in all)" if len(allowed) > limit else "")


def nearest(word: str, words: Iterable[str]) -> str:
    """Suggest the nearest known words, as the end of a message.

    >>> nearest("tisagenleclucel", ["tisagenlecleucel", "til"])
    '; did you mean tisagenlecleucel?'
    """
    known = {w.casefold(): w for w in words}
    close = difflib.get_close_matches(word.casefold(), known, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(known[w] for w in close)}?" if close else ""
