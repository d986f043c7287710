"""Answers as TSV (IANA: no quoting) and CSV (RFC 4180)."""

from __future__ import annotations

import csv
import io

from atmpkg.answers import Answer, as_text

_BREAKS = str.maketrans({"\t": " ", "\n": " ", "\r": " "})


def tsv_text(answer: Answer) -> str:
    """Write a header and the rows, tab-separated."""
    lines = ["\t".join(answer.names)]
    lines += ["\t".join(as_text(value).translate(_BREAKS) for value in row) for row in answer.rows]
    return "\n".join(lines) + "\n"


def csv_text(answer: Answer) -> str:
    """Write a header and the rows, comma-separated, quoted where needed."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(answer.names)
    writer.writerows([as_text(value) for value in row] for row in answer.rows)
    return out.getvalue()
