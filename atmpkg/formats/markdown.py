"""Answers as a Markdown table."""

from __future__ import annotations

from atmpkg.answers import Answer, as_text


def markdown_text(answer: Answer) -> str:
    """Write a pipe table; pipes inside values are escaped."""
    lines = ["| " + " | ".join(answer.names) + " |", "|" + " --- |" * len(answer.names)]
    lines += ["| " + " | ".join(as_text(value).replace("|", "\\|") for value in row) + " |" for row in answer.rows]
    return "\n".join(lines) + "\n"
