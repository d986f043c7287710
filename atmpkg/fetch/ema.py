"""The European Medicines Agency's download of medicine data, as workbook or as JSON.

The table of the workbook begins somewhere below a stamp; the names of its columns change between releases, so columns
are found by their words. ``Withdrawn`` there is every end of an authorisation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from atmpkg.errors import UsageError
from atmpkg.fetch.listed import Listed, iso

_STATUS = {
    "authorised": "authorised",
    "withdrawn": "withdrawn",
    "expired": "expired",
    "lapsed": "expired",
    "not renewed": "expired",
    "revoked": "revoked",
    "refused": "refused",
    "application withdrawn": "application withdrawn",
    "opinion": "opinion",
}
_DATES = {
    "granted": "marketing_authorisation_date",
    "opinion": "opinion_adopted_date",
    "refused": "refusal_of_marketing_authorisation_date",
    "application withdrawn": "withdrawal_of_application_date",
    "ended": "withdrawal_expiry_revocation_lapse_of_marketing_authorisation_date",
    "suspended": "suspension_of_marketing_authorisation_date",
}
_NEEDED = (
    "name_of_medicine",
    "ema_product_number",
    "medicine_status",
    "advanced_therapy",
    "marketing_authorisation_date",
)


def read(path: Path) -> Iterator[Listed]:
    """Yield the human medicines of a workbook (``.xlsx``) or of the JSON; raise UsageError where it is neither."""
    found = 0
    for row in _json(path) if path.suffix == ".json" else _workbook(path):
        if row.get("category", "Human").casefold() != "human":
            continue
        found += 1
        yield _listed(row)
    if not found:
        raise UsageError(f"cannot read {path}: no human medicine is in it. Is it EMA's download of medicine data?")


def _listed(row: Mapping[str, str]) -> Listed:
    name = row["name_of_medicine"].strip()
    previous = re.search(r"\((?:previously|previous name:?) ([^)]*)\)", name)
    names = [re.sub(r"\s*\(.*\)", "", name), *(previous[1].split(",") if previous else ())]
    status = row["medicine_status"].strip().casefold()
    return Listed(
        number=row["ema_product_number"].strip(),
        names=tuple(n.strip() for n in names if n.strip()),
        inn=row.get("international_non_proprietary_name_common_name", "").strip(),
        status=_STATUS.get(status, status),
        holder=row.get("marketing_authorisation_developer_applicant_holder", "").strip(),
        advanced=row["advanced_therapy"].strip().casefold() == "yes",
        dates={what: iso(row.get(column, ""), "%d/%m/%Y") for what, column in _DATES.items()},
    )


def _key(title: object) -> str:
    """Write the title of a column as the JSON does.

    >>> _key("Withdrawal / expiry / revocation / lapse of marketing authorisation date")
    'withdrawal_expiry_revocation_lapse_of_marketing_authorisation_date'
    """
    return re.sub(r"[^a-z]+", "_", str(title or "").casefold()).strip("_")


def _json(path: Path) -> Iterator[Mapping[str, str]]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["data"]
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"cannot read {path}: it is not EMA's JSON with an entry «data».") from None
    for entry in entries:
        yield _whole(path, {str(key): str(value or "") for key, value in entry.items()})


def _workbook(path: Path) -> Iterator[Mapping[str, str]]:
    import zipfile

    try:
        from openpyxl import load_workbook
        from openpyxl.utils.exceptions import InvalidFileException
    except ImportError:
        raise UsageError("cannot read a workbook: pip install 'atmpkg[fetch]', or give the JSON.") from None
    if not path.is_file():
        raise UsageError(f"cannot read {path}: there is no such file.")
    try:
        book = load_workbook(path, read_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError):
        raise UsageError(f"cannot read {path}: it is not a workbook (.xlsx).") from None
    with closing(book):
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # the size that it states is wrong
        head: list[str] = []
        for cells in sheet.iter_rows(values_only=True):
            if not head:
                keys = [_key(cell) for cell in cells]
                head = keys if "ema_product_number" in keys else []
            elif any(cell is not None for cell in cells):
                yield _whole(path, dict(zip(head, (_text(cell) for cell in cells), strict=False)))


def _text(cell: object) -> str:
    import datetime as dt

    return f"{cell:%d/%m/%Y}" if isinstance(cell, dt.datetime) else str(cell if cell is not None else "")


def _whole(path: Path, row: dict[str, str]) -> dict[str, str]:
    if missing := [column for column in _NEEDED if column not in row]:
        raise UsageError(f"cannot read {path}: no column {missing[0].replace('_', ' ')}. Its form has changed.")
    return row
