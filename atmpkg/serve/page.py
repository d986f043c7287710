"""The query page: YASGUI (MIT), which ``scripts/browser-code`` fetches from npm, and our few lines around it.

Parts are looked up by name in a fixed list; no address of a request is ever used as a path.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

_HERE = Path(__file__).parent
_BROWSER = _HERE.parent / "browser"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
LIBRARY = {
    "yasgui.min.js": "text/javascript; charset=utf-8",
    "yasgui.min.css": "text/css; charset=utf-8",
}
_OURS = {
    "": ("query.html", "text/html; charset=utf-8"),
    "query.js": ("query.js", "text/javascript; charset=utf-8"),
    "query.css": ("query.css", "text/css; charset=utf-8"),
}
_prefixes: dict[str, str] = {}


def missing() -> bool:
    """Tell whether the browser library is not there."""
    return not all((_BROWSER / name).is_file() for name in LIBRARY)


def know(prefixes: Mapping[str, str]) -> None:
    """Let the page complete these prefixes."""
    _prefixes.update(prefixes)


@lru_cache(maxsize=8)
def part(name: str) -> tuple[bytes, str] | None:
    """Return content and media type of a part of the page; None where there is no such part.

    >>> part("../../pyproject.toml") is None
    True
    """
    if name in _OURS:
        file, media = _OURS[name]
        return (_HERE / file).read_bytes(), media
    if name == "prefixes.json":
        return json.dumps(_prefixes).encode(), "application/json"
    if name in LIBRARY and (_BROWSER / name).is_file():
        return (_BROWSER / name).read_bytes(), LIBRARY[name]
    return None
