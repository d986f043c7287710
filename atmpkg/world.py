"""The world's countries as shapes and places for maps: Natural Earth (public domain), as world-atlas packs it for npm.

``scripts/browser-code`` fetches the file into ``atmpkg/browser``, which the wheel carries and the repository does not.
Borders are those of Natural Earth at 1:110 million and say nothing about whose land is whose.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from atmpkg.errors import StoreError

FOLDER = Path(__file__).parent / "browser"
_EU = (9.0, 50.0)
_ABOVE = 8.0  # degrees by which a label stands over its place
# Labels of crowded places, which would stand on one another.
_LABELS = {
    "AE": (66.0, 20.5),
    "BH": (65.0, 26.0),
    "CH": (-4.0, 41.5),
    "CN": (95.0, 43.0),
    "EU": (24.0, 55.0),
    "GB": (-15.0, 58.0),
    "HK": (126.0, 17.5),
    "IL": (23.0, 32.0),
    "JP": (151.0, 42.0),
    "KR": (129.0, 46.5),
    "MO": (106.0, 16.5),
    "MY": (124.0, 4.5),
    "PH": (136.0, 11.5),
    "SA": (37.0, 17.0),
    "SG": (97.0, -4.5),
    "TW": (137.0, 24.0),
    "UA": (44.0, 50.5),
}
# ISO 3166-1: alpha-2 code and number, the key of the shapes.
_CODES = (
    "AD020 AE784 AF004 AG028 AI660 AL008 AM051 AO024 AQ010 AR032 AS016 AT040 AU036 AW533 AX248 AZ031 BA070 BB052 "
    "BD050 BE056 BF854 BG100 BH048 BI108 BJ204 BL652 BM060 BN096 BO068 BQ535 BR076 BS044 BT064 BV074 BW072 BY112 "
    "BZ084 CA124 CC166 CD180 CF140 CG178 CH756 CI384 CK184 CL152 CM120 CN156 CO170 CR188 CU192 CV132 CW531 CX162 "
    "CY196 CZ203 DE276 DJ262 DK208 DM212 DO214 DZ012 EC218 EE233 EG818 EH732 ER232 ES724 ET231 FI246 FJ242 FK238 "
    "FM583 FO234 FR250 GA266 GB826 GD308 GE268 GF254 GG831 GH288 GI292 GL304 GM270 GN324 GP312 GQ226 GR300 GS239 "
    "GT320 GU316 GW624 GY328 HK344 HM334 HN340 HR191 HT332 HU348 ID360 IE372 IL376 IM833 IN356 IO086 IQ368 IR364 "
    "IS352 IT380 JE832 JM388 JO400 JP392 KE404 KG417 KH116 KI296 KM174 KN659 KP408 KR410 KW414 KY136 KZ398 LA418 "
    "LB422 LC662 LI438 LK144 LR430 LS426 LT440 LU442 LV428 LY434 MA504 MC492 MD498 ME499 MF663 MG450 MH584 MK807 "
    "ML466 MM104 MN496 MO446 MP580 MQ474 MR478 MS500 MT470 MU480 MV462 MW454 MX484 MY458 MZ508 NA516 NC540 NE562 "
    "NF574 NG566 NI558 NL528 NO578 NP524 NR520 NU570 NZ554 OM512 PA591 PE604 PF258 PG598 PH608 PK586 PL616 PM666 "
    "PN612 PR630 PS275 PT620 PW585 PY600 QA634 RE638 RO642 RS688 RU643 RW646 SA682 SB090 SC690 SD729 SE752 SG702 "
    "SH654 SI705 SJ744 SK703 SL694 SM674 SN686 SO706 SR740 SS728 ST678 SV222 SX534 SY760 SZ748 TC796 TD148 TF260 "
    "TG768 TH764 TJ762 TK772 TL626 TM795 TN788 TO776 TR792 TT780 TV798 TW158 TZ834 UA804 UG800 UM581 US840 UY858 "
    "UZ860 VA336 VC670 VE862 VG092 VI850 VN704 VU548 WF876 WS882 YE887 YT175 ZA710 ZM894 ZW716 "
)
_BY_NUMBER = {pair[2:]: pair[:2] for pair in _CODES.split()}
Point = tuple[float, float]


@cache
def shapes() -> list[dict[str, Any]]:
    """Return the countries as GeoJSON features, each with its two-letter ``code`` and ``name``; Antarctica left out."""
    topology = _read("countries-110m.json")
    arcs = [list(_decoded(arc, topology["transform"])) for arc in topology["arcs"]]
    return [
        {
            "type": "Feature",
            "code": code,
            "properties": {"code": code, "name": item["properties"]["name"]},
            "geometry": {"type": item["type"], "coordinates": _filled(item, arcs)},
        }
        for item in topology["objects"]["countries"]["geometries"]
        if (code := _BY_NUMBER.get(item.get("id", ""), "")) != "AQ"
    ]


@cache
def places() -> list[dict[str, Any]]:
    """Return a point for each country, small ones too, and one for the EU, as ``code``, ``longitude``, ``latitude``.

    ``label_longitude`` and ``label_latitude`` say where its label stands.
    """
    topology = _read("countries-50m.json")
    arcs = [list(_decoded(arc, topology["transform"])) for arc in topology["arcs"]]
    largest: dict[str, tuple[float, Point]] = {"EU": (0.0, _EU)}
    for item in topology["objects"]["countries"]["geometries"]:
        if code := _BY_NUMBER.get(item.get("id", ""), ""):  # far islands may have the code of their country
            found = _middle(_filled(item, arcs), item["type"])
            largest[code] = max(largest.get(code, found), found)
    return [_place(code, *point) for code, (_, point) in largest.items()]


def _place(code: str, longitude: float, latitude: float) -> dict[str, Any]:
    label = _LABELS.get(code, (longitude, latitude + _ABOVE))
    place = {"code": code, "longitude": longitude, "latitude": latitude}
    return place | {"label_longitude": label[0], "label_latitude": label[1]}


def _read(name: str) -> dict[str, Any]:
    try:
        read: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    except OSError:
        raise StoreError(
            "cannot draw a map: the shapes of the countries are missing. Fetch them once with: sh scripts/browser-code"
        ) from None
    return read


def _decoded(arc: list[list[int]], transform: dict[str, list[float]]) -> Iterator[Point]:
    """Yield the points of an arc, which are kept as whole-number steps from one to the next."""
    (wide, high), (left, low) = transform["scale"], transform["translate"]
    x = y = 0
    for step_x, step_y in arc:
        x, y = x + step_x, y + step_y
        yield round(x * wide + left, 2), round(y * high + low, 2)


def _filled(item: dict[str, Any], arcs: list[list[Point]]) -> list[Any]:
    """Return the coordinates of a polygon or of several, its arcs joined to rings; ``~n`` is arc n backwards."""

    def ring(numbers: list[int]) -> list[Point]:
        parts = [arcs[n] if n >= 0 else arcs[~n][::-1] for n in numbers]
        return [*parts[0], *(point for part in parts[1:] for point in part[1:])]

    if item["type"] == "Polygon":
        return [ring(numbers) for numbers in item["arcs"]]
    return [[ring(numbers) for numbers in polygon] for polygon in item["arcs"]]


def _middle(coordinates: list[Any], kind: str) -> tuple[float, Point]:
    """Return the area of the largest ring, and its centre of mass."""
    rings = [coordinates[0]] if kind == "Polygon" else [polygon[0] for polygon in coordinates]
    area, x, y = max((_mass(_unwound(ring)) for ring in rings), key=lambda mass: abs(mass[0]))
    if not area:
        return 0.0, rings[0][0]
    return abs(area), ((round(x / area / 3, 2) + 180) % 360 - 180, round(y / area / 3, 2))


def _unwound(ring: list[Point]) -> list[Point]:
    """Let a ring that crosses the line of change of date go on beyond it.

    >>> _unwound([(179, 60), (-179, 60), (179, 61)])
    [(179, 60), (181, 60), (179, 61)]
    """
    found, turns = [ring[0]], 0
    for (before, _), (x, y) in pairwise(ring):
        turns += (x - before < -180) - (x - before > 180)
        found.append((x + 360 * turns, y))
    return found


def _mass(ring: list[Point]) -> tuple[float, float, float]:
    """Return twice the area of a ring, and its moments.

    >>> _mass([(0, 0), (2, 0), (2, 2), (0, 2), (0, 0)])
    (8.0, 24.0, 24.0)
    """
    area = x = y = 0.0
    for (ax, ay), (bx, by) in pairwise(ring):
        cross = ax * by - bx * ay
        area, x, y = area + cross, x + (ax + bx) * cross, y + (ay + by) * cross
    return area, x, y
