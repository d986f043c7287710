"""FDA's Purple Book as CSV: a title, the changed rows, then the whole table, or any part of these.

One licence has a row for each presentation and supplement; the original submission with the earliest date is its
grant. Rows are of CBER; dates are written 26-Mar-21.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from atmpkg.errors import UsageError
from atmpkg.fetch.listed import Listed, iso

_NEEDED = ("BLA Number", "Proprietary Name", "Proper Name", "Applicant", "Approval Date", "Licensure", "Center")
_STATUS = {"licensed": "authorised", "revoked": "revoked"}


def read(path: Path) -> Iterator[Listed]:
    """Yield the licences of CBER; raise UsageError where the file is no Purple Book."""
    licences: dict[str, list[dict[str, str]]] = {}
    for row in _rows(path):
        if row["Center"].strip() == "CBER":
            licences.setdefault(row["BLA Number"].strip(), []).append(row)
    if not licences:
        raise UsageError(f"cannot read {path}: no licence of CBER is in it. Is it a download of the Purple Book?")
    for number, entries in licences.items():
        days = sorted(day for entry in entries if (day := iso(entry["Approval Date"], "%d-%b-%y")))
        # two digits of a year: none of these licences is of the future
        days = [day for day in days if day <= dt.date.today().isoformat()]
        first = entries[0]
        names = dict.fromkeys(name.strip() for entry in entries for name in entry["Proprietary Name"].split(","))
        status = first["Licensure"].strip().casefold()
        yield Listed(
            number=number,
            names=tuple(name for name in names if name and name != "N/A") or (first["Proper Name"].strip(),),
            inn=first["Proper Name"].strip(),
            status=_STATUS.get(status, status),
            holder=first["Applicant"].strip(),
            dates={"granted": days[0] if days else ""},
        )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            head: list[str] = []
            for cells in csv.reader(lines):
                if "BLA Number" in cells:
                    head = cells
                    if missing := [column for column in _NEEDED if column not in head]:
                        raise UsageError(f"cannot read {path}: no column {missing[0]}. Its form has changed.")
                elif head and len(cells) == len(head):
                    yield dict(zip(head, cells, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"cannot read {path}: {error}. Expected CSV in UTF-8.") from None
