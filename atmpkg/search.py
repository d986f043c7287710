"""Entity search: from what a person types to the thing that is meant."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from atmpkg.names import DATA
from atmpkg.stores import Store, rows

KINDS = ("product", "substance", "disease", "target", "organisation", "authority", "jurisdiction", "boundary-case")
_FUZZY = 0.78

_INDEX = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX sssom: <https://w3id.org/sssom/>
SELECT ?thing ?text ?reason {
  { ?thing dcterms:identifier ?text BIND("id" AS ?reason) }
  UNION { ?thing rdfs:label ?text BIND("label" AS ?reason) }
  UNION { ?thing skos:altLabel ?text BIND("synonym" AS ?reason) }
  UNION { ?thing atmp:fullName ?text BIND("full name" AS ?reason) }
  UNION { ?name atmp:product ?thing ; atmp:nameKind ?reason ; rdfs:label ?text }
  UNION { ?event atmp:product ?thing ; a atmp:RegulatoryEvent ; atmp:number ?text BIND("number" AS ?reason) }
  UNION { ?mapping sssom:subject_id ?thing ; sssom:predicate_id ?p ; sssom:object_id ?text
          FILTER(?p != skos:narrowMatch) BIND("external id" AS ?reason) }
  FILTER(STRSTARTS(STR(?thing), "https://w3id.org/atmpkg/id/"))
}
"""


@dataclass(frozen=True, order=True)
class Match:
    """A thing found: what matched, why, and how well (1 = exactly)."""

    kind: str
    id: str
    label: str
    matched: str
    reason: str
    score: float


@dataclass
class Index:
    """All names of all things, by their folded form."""

    labels: dict[tuple[str, str], str] = field(default_factory=dict)
    entries: dict[str, list[tuple[tuple[str, str], str, str]]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, store: Store) -> Index:
        """Read the names from a store."""
        index = cls()
        for row in rows(store, _INDEX):
            text, reason = row["text"], row["reason"]
            kind, _, id = row["thing"].removeprefix(DATA).partition("/")
            if kind in KINDS:
                if reason == "label":
                    index.labels[kind, id] = text
                index.entries[folded(text)].append(((kind, id), text, reason))
        return index

    def exactly(self, text: str, kinds: Iterable[str]) -> list[Match]:
        """Return the things of these kinds that have this name, whatever its case, accents and punctuation."""
        wanted = set(kinds)
        found = [self._match(*entry, 1.0) for entry in self.entries.get(folded(text), ()) if entry[0][0] in wanted]
        return _best(found)

    def search(self, text: str, kinds: Iterable[str] = KINDS, most: int = 20) -> list[Match]:
        """Return the things that a text may mean, best first: exact, then beginning, then part, then similar."""
        wanted, key = set(kinds), folded(text)
        if not key:
            return []
        found = []
        for entry, names in self.entries.items():
            if score := _score(key, entry):
                found += [self._match(*name, score) for name in names if name[0][0] in wanted]
        if not found or (len(key) > 4 and max(match.score for match in found) < _FUZZY):
            for entry in difflib.get_close_matches(key, self.entries, n=10, cutoff=_FUZZY):
                score = round(0.9 * difflib.SequenceMatcher(None, key, entry).ratio(), 2)
                found += [self._match(*name, score) for name in self.entries[entry] if name[0][0] in wanted]
        return _best(found)[:most]

    def suggestions(self, text: str, kinds: Iterable[str]) -> list[str]:
        """Return a few ids that may have been meant."""
        return [match.id for match in self.search(text, kinds, most=3)]

    def _match(self, thing: tuple[str, str], text: str, reason: str, score: float) -> Match:
        return Match(thing[0], thing[1], self.labels.get(thing, thing[1]), text, reason, score)


def folded(text: str) -> str:
    """Fold case, accents and punctuation away.

    >>> folded("Strímvelis ®"), folded("HPC, Cord Blood")
    ('strimvelis', 'hpc cord blood')
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", plain.casefold()))


def _score(key: str, entry: str) -> float:
    if entry == key:
        return 1.0
    if entry.startswith(key):
        return 0.9
    if len(key) > 2 and f" {key}" in f" {entry}":
        return 0.8
    if len(key) > 3 and key in entry:
        return 0.6
    return 0.0


def _best(matches: Iterable[Match]) -> list[Match]:
    """Keep the best match of each thing, best first; among equals products come first, then the shorter name."""
    best: dict[tuple[str, str], Match] = {}
    for match in matches:
        kept = best.get((match.kind, match.id))
        if kept is None or (match.score, -len(match.matched)) > (kept.score, -len(kept.matched)):
            best[match.kind, match.id] = match
    return sorted(best.values(), key=lambda m: (-m.score, KINDS.index(m.kind), len(m.matched), m.id))
