"""Prefixes, CURIEs and IRIs: the one place where a name becomes an address and back."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from atmpkg.errors import DataError, Problem, quoted

BASE = "https://w3id.org/atmpkg/"
ONTOLOGY = f"{BASE}ontology/"
DATA = f"{BASE}id/"
GRAPH = f"{BASE}graph/"

_MOST_BRACKETS = 5000
ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]*"


def load_yaml(path: Path) -> object:
    """Read a YAML file with the fast safe loader; a syntax error becomes a DataError with its line."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        text = path.read_text(encoding="utf-8")
        if max(text.count("["), text.count("{")) > _MOST_BRACKETS:
            raise ValueError("more brackets than any description needs")
        return yaml.load(text, Loader=loader)
    except (yaml.YAMLError, OSError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        what = getattr(error, "problem", None) or str(error)
        raise DataError([Problem(path.name, line, "", quoted(what), "valid YAML in UTF-8")]) from None


def _prefix_problems(path: Path, entries: Mapping[object, object]) -> Iterator[Problem]:
    for prefix, entry in entries.items():
        if not isinstance(entry, dict) or not isinstance(entry.get("uri"), str) or not is_iri(entry["uri"]):
            yield Problem(path.name, 0, str(prefix), quoted(str(entry)), "{uri: ...} with an address")
            continue
        try:
            re.compile(entry.get("pattern", ""))
        except (re.error, TypeError):
            yield Problem(path.name, 0, f"{prefix}.pattern", quoted(str(entry["pattern"])), "a regular expression")


def is_iri(text: str) -> bool:
    """Tell whether a text can stand between < and > in N-Quads.

    >>> is_iri("https://example.org/a"), is_iri("https://example.org/a b"), is_iri("nothing")
    (True, False, False)
    """
    import pyoxigraph as ox

    try:
        ox.NamedNode(text)
    except ValueError:
        return False
    return True


def data_iri(table: str, id: str) -> str:
    """Return the IRI of a row.

    >>> data_iri("product", "tisagenlecleucel")
    'https://w3id.org/atmpkg/id/product/tisagenlecleucel'
    """
    return f"{DATA}{table}/{id}"


def graph_iri(name: str) -> str:
    """Return the IRI of a named graph.

    >>> graph_iri("inferred")
    'https://w3id.org/atmpkg/graph/inferred'
    """
    return f"{GRAPH}{name}"


@dataclass(frozen=True)
class Names:
    """A prefix map that expands CURIEs and compacts IRIs.

    >>> names = Names({"MONDO": "http://purl.obolibrary.org/obo/MONDO_"}, {"MONDO": re.compile("[0-9]{7}")})
    >>> names.expand("MONDO:0005575")
    'http://purl.obolibrary.org/obo/MONDO_0005575'
    >>> names.compact("http://purl.obolibrary.org/obo/MONDO_0005575")
    'MONDO:0005575'
    >>> names.expand("MONDO:5575")
    Traceback (most recent call last):
    ...
    ValueError: an id of MONDO, of the form [0-9]{7}
    """

    uris: Mapping[str, str]
    patterns: Mapping[str, re.Pattern[str]]

    @classmethod
    def read(cls, path: Path, tables: Iterable[str] = ()) -> Names:
        """Read ``prefixes.yaml`` and add one prefix per table."""
        entries = load_yaml(path)
        if not isinstance(entries, dict):
            raise DataError([Problem(path.name, 1, "", "no mapping", "prefix: {uri: ...} lines")])
        if problems := sorted(_prefix_problems(path, entries)):
            raise DataError(problems)
        uris = {str(prefix): str(entry["uri"]) for prefix, entry in entries.items()}
        patterns = {str(p): re.compile(entry["pattern"]) for p, entry in entries.items() if "pattern" in entry}
        uris |= {table: f"{DATA}{table}/" for table in tables}
        patterns |= {table: re.compile(ID_PATTERN) for table in tables}
        return cls(uris, patterns)

    def expand(self, curie: str) -> str:
        """Return the IRI of a CURIE; raise ValueError saying what was expected."""
        prefix, colon, local = curie.partition(":")
        if not colon or prefix not in self.uris:
            raise ValueError("a CURIE with a known prefix (prefixes.yaml)")
        pattern = self.patterns.get(prefix)
        if pattern and not pattern.fullmatch(local):
            raise ValueError(f"an id of {prefix}, of the form {pattern.pattern}")
        iri = self.uris[prefix] + local
        if not is_iri(iri):
            raise ValueError("an IRI without blanks, quotes or brackets")
        return iri

    def compact(self, iri: str) -> str:
        """Return the CURIE of an IRI, or the IRI itself where no prefix fits."""
        for uri, prefix in self._longest_first:
            if iri.startswith(uri):
                return f"{prefix}:{iri[len(uri) :]}"
        return iri

    def context(self) -> dict[str, object]:
        """Return the prefix map as a JSON-LD context.

        >>> Names({"MONDO": "http://purl.obolibrary.org/obo/MONDO_"}, {}).context()
        {'@context': {'@version': 1.1, 'MONDO': {'@id': 'http://purl.obolibrary.org/obo/MONDO_', '@prefix': True}}}
        """
        prefixes = {prefix: {"@id": uri, "@prefix": True} for prefix, uri in self.uris.items()}
        return {"@context": {"@version": 1.1, **prefixes}}

    @functools.cached_property
    def _longest_first(self) -> list[tuple[str, str]]:
        return sorted(((uri, prefix) for prefix, uri in self.uris.items()), key=lambda pair: -len(pair[0]))
