"""Dates that carry their precision, and day numbers.

A date is written as ``2018``, ``2018-08`` or ``2018-08-23``. Comparison uses day numbers: days since 1970-01-01,
the first and the last day that the text allows.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache

_FORM = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_EPOCH = dt.date(1970, 1, 1).toordinal()
FOREVER = 2932896  # 9999-12-31
NEVER = -719162  # 0001-01-01
YEARS = range(1900, 2101)  # in which a date of this field can lie


@dataclass(frozen=True)
class CalendarDate:
    """A day, month or year as a source gives it.

    >>> CalendarDate.parse("2024-02").latest
    datetime.date(2024, 2, 29)
    >>> CalendarDate.parse("2024-02-30")
    Traceback (most recent call last):
    ...
    ValueError: day is out of range for month
    """

    text: str
    precision: str
    earliest: dt.date
    latest: dt.date

    @classmethod
    @lru_cache(maxsize=65536)
    def parse(cls, text: str) -> CalendarDate:
        """Read ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``; raise ValueError otherwise."""
        match = _FORM.fullmatch(text)
        if not match:
            raise ValueError("not of the form YYYY, YYYY-MM or YYYY-MM-DD")
        year, month, day = (int(part) if part else None for part in match.groups())
        if year is None or year < 1:
            raise ValueError("year is out of range")
        if month is None:
            return cls(text, "year", dt.date(year, 1, 1), dt.date(year, 12, 31))
        if day is None:
            first = dt.date(year, month, 1)
            return cls(text, "month", first, first.replace(day=calendar.monthrange(year, month)[1]))
        exact = dt.date(year, month, day)
        return cls(text, "day", exact, exact)


def day_number(date: dt.date) -> int:
    """Count the days from 1970-01-01.

    >>> day_number(dt.date(1970, 1, 2))
    1
    """
    return date.toordinal() - _EPOCH


def from_day_number(day: int) -> dt.date:
    """Return the date of a day number.

    >>> from_day_number(20780).isoformat()
    '2026-11-23'
    """
    return dt.date.fromordinal(day + _EPOCH)
