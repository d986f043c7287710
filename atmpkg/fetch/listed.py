"""What the list of a regulator says of one medicine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Listed:
    """One medicine of a list; dates in ISO 8601 by what they are (granted, ended ...), empty where there is none."""

    number: str
    names: tuple[str, ...]
    inn: str
    status: str = ""
    holder: str = ""
    advanced: bool = False
    dates: Mapping[str, str] = field(default_factory=dict)


def iso(text: object, form: str) -> str:
    """Return a date of that form in ISO 8601; empty where the cell holds none.

    >>> iso("23/08/2018", "%d/%m/%Y"), iso("-", "%d/%m/%Y")
    ('2018-08-23', '')
    """
    if isinstance(text, dt.datetime):
        return text.date().isoformat()
    try:
        return dt.datetime.strptime(str(text).strip(), form).date().isoformat()
    except ValueError:
        return ""
