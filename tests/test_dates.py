"""Dates carry their precision, and day numbers compare them."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atmpkg.dates import FOREVER, NEVER, CalendarDate, day_number, from_day_number


@pytest.mark.parametrize(
    "text, precision, earliest, latest",
    [
        ("2018-08-23", "day", "2018-08-23", "2018-08-23"),
        ("2018-08", "month", "2018-08-01", "2018-08-31"),
        ("2024-02", "month", "2024-02-01", "2024-02-29"),
        ("2023-02", "month", "2023-02-01", "2023-02-28"),
        ("2018", "year", "2018-01-01", "2018-12-31"),
    ],
)
def test_a_date_spans_the_days_it_allows(text: str, precision: str, earliest: str, latest: str) -> None:
    date = CalendarDate.parse(text)
    assert (date.text, date.precision) == (text, precision)
    assert (date.earliest.isoformat(), date.latest.isoformat()) == (earliest, latest)


@pytest.mark.parametrize(
    "text",
    ["", "18", "2018-8", "2018-13", "2018-00", "2018-02-29", "2018-08-23T00:00", " 2018", "2018 ", "2018\n", "0000",
     "20180823", "+2018", "-2018", "٢٠١٨", "2018-08-", "unknown"],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not of the form|out of range|must be in"):
        CalendarDate.parse(text)


@given(st.text(max_size=12))
def test_no_text_crashes_the_reader(text: str) -> None:
    try:
        date = CalendarDate.parse(text)
    except ValueError:
        return
    assert date.earliest <= date.latest
    assert date.latest.isoformat().startswith(text)


@given(st.dates(dt.date(1, 1, 1)))
def test_day_numbers_and_dates_are_two_ways_to_say_the_same(date: dt.date) -> None:
    assert from_day_number(day_number(date)) == date
    assert CalendarDate.parse(date.isoformat()).latest == date


@given(st.dates(), st.dates())
def test_day_numbers_order_and_count(one: dt.date, other: dt.date) -> None:
    assert day_number(other) - day_number(one) == (other - one).days


def test_the_ends_of_time_are_the_ends_of_the_calendar() -> None:
    assert from_day_number(NEVER) == dt.date.min
    assert from_day_number(FOREVER) == dt.date.max
    assert day_number(dt.date(1970, 1, 1)) == 0
