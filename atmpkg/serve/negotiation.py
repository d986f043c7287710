"""Content negotiation: which of our formats a client takes, by its Accept header (RFC 9110, 12.5.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

ROWS = {
    "application/sparql-results+json": "json",
    "application/json": "json",
    "application/sparql-results+xml": "xml",
    "application/xml": "xml",
    "text/xml": "xml",
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "text/plain": "tsv",
}
TRIPLES = {
    "text/turtle": "ttl",
    "application/x-turtle": "ttl",
    "application/n-triples": "nt",
    "application/rdf+xml": "rdf",
    "application/ld+json": "jsonld",
    "application/n-quads": "nq",
    "application/trig": "trig",
    "application/json": "jsonld",
    "application/xml": "rdf",
    "text/xml": "rdf",
    "text/plain": "nt",
}
QUADS = {
    "application/n-quads": "nq",
    "application/trig": "trig",
    "application/ld+json": "jsonld",
    "application/json": "jsonld",
    "text/plain": "nq",
}
ANSWERS = {
    "application/sparql-results+json": "json",
    "application/json": "json",
    "text/tab-separated-values": "tsv",
    "text/csv": "csv",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "text/markdown": "md",
    "text/plain": "table",
    "text/html": "html",
    "application/vnd.apache.parquet": "parquet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}
READABLE = {
    "text/turtle": "ttl",
    "application/x-turtle": "ttl",
    "application/n-triples": "nt",
    "text/plain": "nt",
    "application/rdf+xml": "rdf",
    "application/ld+json": "jsonld",
    "application/n-quads": "nq",
    "application/trig": "trig",
}
_LONGEST = 4096


def media_type(formats: Mapping[str, str], name: str) -> str:
    """Return the media type under which a format is sent: the first of its names.

    >>> media_type(ROWS, "json")
    'application/sparql-results+json'
    """
    return next((media for media, format in formats.items() if format == name), "application/octet-stream")


def best(accept: str, offered: Sequence[str]) -> str:
    """Return the offered media type that fits an Accept header best, earlier ones first; empty where none does.

    >>> best("text/csv;q=0.5, text/*", ["application/json", "text/csv", "text/plain"])
    'text/plain'
    >>> best("", ["application/json"]), best("image/png", ["application/json"])
    ('application/json', '')
    """
    ranges = _ranges(accept[:_LONGEST]) or [("*", "*", 1.0)]
    found, most = "", 0.0
    for media in offered:
        main, _, sub = media.partition("/")
        fitting = [
            ((a != "*") + (b != "*"), quality) for a, b, quality in ranges if a in ("*", main) and b in ("*", sub)
        ]
        quality = max(fitting, key=lambda pair: pair[0])[1] if fitting else 0.0
        if quality > most:
            found, most = media, quality
    return found


@lru_cache(maxsize=256)
def _ranges(accept: str) -> list[tuple[str, str, float]]:
    found = []
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        main, slash, sub = media.partition("/")
        if slash and main and sub:
            found.append((main, sub, _quality(parameters)))
    return found


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0


def takes_gzip(accept_encoding: str) -> bool:
    """Tell whether a client takes gzip.

    >>> takes_gzip("br, gzip;q=0.8"), takes_gzip("gzip;q=0"), takes_gzip("")
    (True, False, False)
    """
    for part in accept_encoding[:_LONGEST].lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if name in ("gzip", "*"):
            return _quality(parameters) > 0
    return False
