"""Colours by kind: the eight of Okabe and Ito, which people who see colours differently can tell apart."""

from __future__ import annotations

from collections.abc import Iterable

WHEEL = ("#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#0072b2")
OTHER = "#a9b4c0"
_KNOWN = {
    "product": "#0072b2",
    "disease": "#d55e00",
    "target": "#009e73",
    "organisation": "#cc79a7",
    "jurisdiction": "#e69f00",
    "modality": "#56b4e9",
    "decision": "#8c6d31",
    "source": "#6b6b6b",
}
STATUS = {
    "authorised": "#009e73",
    "suspended": "#e69f00",
    "withdrawn": "#8a8a8a",
    "expired": "#b0b0b0",
    "revoked": "#d55e00",
    "refused": "#a8323e",
}
# For `palette: NAME` in a scale of a picture; only the values that occur in the rows are used, others are grey.
PALETTES = {
    "status": STATUS,
    "phase": {
        "application": "#56b4e9",
        "opinion": "#cc79a7",
        "authorisation": "#009e73",
        "variation": "#0072b2",
        "safety": "#d55e00",
        "market": "#e69f00",
    },
    "exit": {
        "withdrawal": "#0072b2",
        "expiry": "#8a8a8a",
        "sunset": "#b0b0b0",
        "conditional-term-lapse": "#56b4e9",
        "revocation": "#d55e00",
        "marketing-ended": "#e69f00",
    },
    "verdict": {
        "recommended": "#009e73",
        "listed": "#009e73",
        "added-benefit": "#41ae76",
        "added-benefit-major": "#00563f",
        "added-benefit-considerable": "#009e73",
        "added-benefit-minor": "#7fcdbb",
        "added-benefit-non-quantifiable": "#56b4e9",
        "smr-sufficient": "#66c2a5",
        "recommended-restricted": "#56b4e9",
        "managed-access": "#0072b2",
        "coverage-with-evidence": "#8c6d31",
        "listed-commercial-insurance": "#cc79a7",
        "no-added-benefit": "#e69f00",
        "smr-insufficient": "#d55e00",
        "not-recommended": "#d55e00",
        "not-listed": "#a8323e",
        "terminated": "#a9b4c0",
    },
    "confidence": {"confirmed": "#0072b2", "single": "#e69f00", "unverified": "#d55e00"},
}


def colours(kinds: Iterable[str]) -> dict[str, str]:
    """Give each kind a colour: its own where it has one, else the next that is free; where too few are, one for all.

    >>> colours(["product", "vector"])
    {'product': '#0072b2', 'vector': '#d55e00'}
    """
    wanted = list(dict.fromkeys(kinds))
    taken = {_KNOWN[kind] for kind in wanted if kind in _KNOWN}
    others = [kind for kind in wanted if kind not in _KNOWN]
    free = [colour for colour in WHEEL if colour not in taken]
    fresh = dict(zip(others, free, strict=False)) if len(others) <= len(free) else dict.fromkeys(others, OTHER)
    return {kind: _KNOWN.get(kind) or fresh[kind] for kind in wanted}
