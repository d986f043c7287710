"""Answers as TSV (IANA: no quoting) and CSV (RFC 4180)."""

from __future__ import annotations

import csv
import io

from atmpkg.answers import Answer, as_text

_BREAKS = str.maketrans({"\t": " ", "\n": " ", "\r": " "})


def tsv_text(answer: Answer) -> str:
    """Write a header and the rows, tab-separated."""
    lines = ["\t".join(answer.names)]
    lines += ["\t".join(cell(as_text(value)) for value in row) for row in answer.rows]
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """Make a text fit a TSV cell: tabs and line ends become blanks.

    >>> cell("a\\tb")
    'a b'
    """
    return text.translate(_BREAKS) if not text.isprintable() else text


def csv_text(answer: Answer) -> str:
    """Write a header and the rows, comma-separated, quoted where needed."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(answer.names)
    writer.writerows([as_text(value) for value in row] for row in answer.rows)
    return out.getvalue()
