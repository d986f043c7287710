"""Entity search: from what a person types to the thing that is meant.

Names are compared without case, accents, punctuation, and the differences of British and American spelling. Words of
the trade (CAR, TIL, cell, gene ...) find no product on their own: they are in too many names, and begin others.
"""

from __future__ import annotations

import bisect
import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from atmpkg.names import DATA, ONTOLOGY
from atmpkg.stores import Store, rows

MONDO = "mondo"  # kind of a disease of Mondo above ours
CLASSES = ("vector", "mechanism-class", "adverse-event", "endpoint")  # kinds of classes of the ontology
KINDS = (
    "product",
    "substance",
    "disease",
    MONDO,
    "target",
    "organisation",
    "authority",
    "jurisdiction",
    "boundary-case",
    "trial",
    *CLASSES,
    "publication",
)
_MEDICINES = ("product", "substance", "trial", "publication")  # trade words find none of these on their own
_LATER = (MONDO, "trial", "publication", *CLASSES)  # what is like the text in part comes after other things
_TRADE_WORDS = """
    aav allogeneic atmp autologous car cell cells cel chimeric condition crispr disease disorder drug ema fda gene
    genes human immunotherapy lentiviral medicine msc nk product products stem t tcr therapy therapies til tissue
    vaccine vec vector
"""
_TRADE = frozenset(_TRADE_WORDS.split())
_SHORT = ("acronym", "code", "number")  # names that are written with and without blanks and hyphens
_SHORTEST_BRAND = 4  # letters; fewer begin too many names
_ALIKE = 0.78  # least similarity of a misspelling
_OBO = "http://purl.obolibrary.org/obo/"
_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "κ": "kappa", "ζ": "zeta"}
)
_WORD, _DIPHTHONG = re.compile(r"\w+"), re.compile("[ao]+e")
_NUMBERS = (  # spellings of ids: pattern -> how the index writes it
    (re.compile(r"(EU/\d/\d\d/\d{3,4})/\d{3}", re.I), r"\1"),  # with the number of a presentation
    (re.compile(r"(?:BLA|STN|BL)\W*(\d{6})(?:/\d+)?", re.I), r"\1"),
    (re.compile(r"ORPHA(?:NET)?\W*(\d+)", re.I), r"Orphanet:\1"),
    (re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)(10\.\S+)", re.I), r"\1"),
    (re.compile(r"(?:PMID|PubMed)\W*(\d+)", re.I), r"\1"),
    (re.compile(r"https?://\S*[/=#]([A-Za-z]+)[_:]([A-Za-z0-9]+)/?"), r"\1:\2"),
    (re.compile(r"https?://\S*[/=#]([A-Za-z0-9]+)/?"), r"\1"),
)

_INDEX = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX graph: <https://w3id.org/atmpkg/graph/>
PREFIX oboInOwl: <http://www.geneontology.org/formats/oboInOwl#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX sssom: <https://w3id.org/sssom/>
SELECT ?thing ?text ?reason {
  { ?thing rdfs:label ?text BIND("label" AS ?reason) }
  UNION { ?thing skos:altLabel ?text BIND("synonym" AS ?reason) }
  UNION { ?thing atmp:fullName ?text BIND("full name" AS ?reason) }
  UNION { ?thing a atmp:ClinicalStudy ; atmp:acronym ?text BIND("acronym" AS ?reason) }
  UNION { ?thing a atmp:ClinicalStudy ; atmp:trialNumber ?text BIND("number" AS ?reason) }
  UNION { ?thing a atmp:Publication ; dcterms:title ?text BIND("label" AS ?reason) }
  UNION { ?thing a atmp:Publication ; atmp:pmid|atmp:doi ?text BIND("number" AS ?reason) }
  UNION { ?name atmp:product ?thing ; atmp:nameKind ?reason ; rdfs:label ?text }
  UNION { ?event atmp:product ?thing ; a atmp:RegulatoryEvent ; atmp:number ?text BIND("number" AS ?reason) }
  UNION { ?given atmp:product ?thing ; a atmp:Designation ; atmp:number ?text BIND("designation number" AS ?reason) }
  UNION { ?mapping sssom:subject_id ?thing ; sssom:predicate_id ?p ; atmp:objectCurie ?text
          FILTER(?p != skos:narrowMatch && ?text != "sssom:NoTermFound") BIND("external id" AS ?reason) }
  UNION { ?thing a atmp:Disease ; skos:exactMatch ?term . ?term rdfs:label|oboInOwl:hasExactSynonym ?text
          FILTER(STRSTARTS(STR(?term), "http://purl.obolibrary.org/obo/MONDO_")) BIND("name in Mondo" AS ?reason) }
  FILTER(STRSTARTS(STR(?thing), "https://w3id.org/atmpkg/id/"))
}
"""
_KINDS_OF_CLASSES = " ".join(f'"{kind}"' for kind in CLASSES)
_OF_CLASSES = f"""
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX sssom: <https://w3id.org/sssom/>
SELECT DISTINCT ?kind ?thing ?text ?reason {{
  VALUES ?kind {{ {_KINDS_OF_CLASSES} }}
  ?thing atmp:kindToLink ?kind
  {{ ?thing rdfs:label ?text BIND("label" AS ?reason) }}
  UNION {{ ?thing skos:altLabel ?text BIND("synonym" AS ?reason) }}
  UNION {{ ?thing skos:notation ?text BIND("code" AS ?reason) }}
  UNION {{ ?mapping sssom:subject_id ?thing ; sssom:predicate_id ?p ; atmp:objectCurie ?text
          FILTER(?p != skos:narrowMatch && ?text != "sssom:NoTermFound") BIND("external id" AS ?reason) }}
}}
"""
_ABOVE = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX oboInOwl: <http://www.geneontology.org/formats/oboInOwl#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT DISTINCT ?thing ?text ?reason {
  {
    SELECT DISTINCT ?thing {
      ?disease atmp:withinDisease ?thing FILTER(STRSTARTS(STR(?thing), "http://purl.obolibrary.org/obo/MONDO_"))
    }
  }
  ?thing ?property ?text
  VALUES (?property ?reason) { (rdfs:label "label") (oboInOwl:hasExactSynonym "synonym") }
  MINUS { ?ours skos:exactMatch ?thing }
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

    @property
    def curie(self) -> str:
        """The thing as a CURIE: a row or class of ours, or a term of Mondo."""
        return _curie(self.kind, self.id)


Name = tuple[tuple[str, str], str, str]


def _curie(kind: str, id: str) -> str:
    if kind == MONDO:
        return id
    return f"atmp:{id}" if kind in CLASSES else f"{kind}:{id}"


@dataclass
class Index:
    """All names of all things, by their folded form."""

    labels: dict[tuple[str, str], str] = field(default_factory=dict)
    entries: dict[str, list[Name]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, store: Store) -> Index:
        """Read the names from a store."""
        index = cls()
        for row in rows(store, _INDEX):
            kind, _, id = row["thing"].removeprefix(DATA).partition("/")
            if kind in KINDS:
                index._add((kind, id), row["text"], row["reason"])
        for row in rows(store, _OF_CLASSES):
            index._add((row["kind"], row["thing"].removeprefix(ONTOLOGY)), row["text"], row["reason"])
        for row in rows(store, _ABOVE):
            thing = (MONDO, row["thing"].removeprefix(_OBO).replace("_", ":"))
            index._add(thing, row["text"], row["reason"])
        for kind, id in list(index.labels):
            if kind not in (MONDO, *CLASSES):
                index._add((kind, id), id, "id")
            index._add((kind, id), _curie(kind, id), "id")
        return index

    def dumps(self) -> str:
        """Write the names as JSON.

        >>> index = Index({("product", "a"): "Alpha"}, {"alpha": [(("product", "a"), "Alpha", "label")]})
        >>> Index.loads(index.dumps()) == index
        True
        """
        labels = [(kind, id, label) for (kind, id), label in self.labels.items()]
        return json.dumps([labels, self.entries], ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def loads(cls, text: str) -> Index:
        """Read what `dumps` wrote; raise ValueError or TypeError where it is something else."""
        labels, entries = json.loads(text)
        index = cls({(kind, id): label for kind, id, label in labels})
        for key, names in entries.items():
            index.entries[key] = [((kind, id), text, reason) for (kind, id), text, reason in names]
        return index

    def _add(self, thing: tuple[str, str], text: str, reason: str) -> None:
        if reason == "label":
            self.labels[thing] = text
        self.entries[folded(text)].append((thing, text, reason))
        local = text.partition(":")[2]
        if reason in _SHORT and " " in (key := folded(text)):  # zuma1 is as good as ZUMA-1
            self.entries[key.replace(" ", "")].append((thing, text, reason))
        if reason == "external id" and not local.isdigit():  # L01XL04 is as good as ATC:L01XL04; 12 says nothing
            self.entries[folded(local)].append((thing, text, reason))

    def exactly(self, text: str, kinds: Iterable[str]) -> list[Match]:
        """Return the things of these kinds that have this name, whatever its case, accents and punctuation."""
        wanted = set(kinds)
        keys = _keys(text)
        squeezed = [key.replace(" ", "") for key in keys[:1] if " " in key]
        names = [name for key in (*keys, *squeezed) for name in self.entries.get(key, ())]
        return _best(self._match(name, 1.0) for name in names if name[0][0] in wanted)

    def by_brand(self, text: str) -> list[Match]:
        """Return the products whose brands begin with these whole words: Kymriah of Kymriah Suspension for Infusion.

        >>> Index({("product", "a"): "Alpha"}, {"go inj": [(("product", "a"), "GO Inj.", "brand")]}).by_brand("Go")
        []
        """
        key = folded(text)
        if len(key) < _SHORTEST_BRAND or all(word in _TRADE for word in key.split()):
            return []
        begun = [names for entry, names in self.entries.items() if entry.startswith(f"{key} ")]
        return _best(self._match(n, 1.0) for names in begun for n in names if n[0][0] == "product" and n[2] == "brand")

    def search(self, text: str, kinds: Iterable[str] = KINDS, most: int = 20) -> list[Match]:
        """Return the things that a text may mean, best first: exact, then beginning, part, and misspelt."""
        wanted, keys = set(kinds), _keys(text)
        if not keys:
            return []
        found = [match for key in keys for match in self._scored(key, wanted)]
        if " " in keys[0]:
            found += self._all(keys[0].replace(" ", ""), 1.0, wanted)
        if max((match.score for match in found), default=0) < 1:
            found += self._misspelt(keys[0], wanted, unless=bool(found))
        return _best(found)[:most]

    def suggestions(self, text: str, kinds: Iterable[str]) -> list[str]:
        """Return a few ids that may have been meant."""
        return [match.id for match in self.search(text, kinds, most=3)]

    def _scored(self, key: str, wanted: set[str]) -> Iterator[Match]:
        words = key.split()
        trade = all(word in _TRADE or len(word) < 3 for word in words)
        for entry in self._candidates(key, words):
            if score := _score(key, words, entry):
                for name in self.entries[entry]:
                    medicine = name[0][0] in _MEDICINES
                    if name[0][0] in wanted and not (medicine and score < 1 and (trade or len(key) < 4)):
                        yield self._match(name, score)

    def _candidates(self, key: str, words: list[str]) -> set[str]:
        """Return the entries that hold the key, that hold all its words, or that are one of its words."""
        text, starts = self._text
        found = {word for word in (key, *words) if word in self.entries}
        at = text.find(key)
        while at >= 0:
            end = text.index("\n", at)
            found.add(text[starts[bisect.bisect_right(starts, at) - 1] : end])
            at = text.find(key, end)
        if len(words) > 1:
            found |= set.intersection(*(self._words.get(word, set()) for word in words))
        return found

    def _misspelt(self, key: str, wanted: set[str], *, unless: bool) -> Iterator[Match]:
        """Yield the things whose name differs in a few letters, as a whole or word by word."""
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        if len(key) < 4:
            return
        near = process.extract(key, self._names, scorer=OSA.normalized_similarity, score_cutoff=_ALIKE, limit=12)
        for entry, similarity, _ in near:
            if _digits(entry) == _digits(key):  # another number is another thing
                yield from self._all(entry, round(0.9 * similarity, 2), wanted)
        if unless:
            return
        words = [word for word in key.split() if word not in _TRADE]
        best = [
            process.extractOne(word, self._vocabulary, scorer=OSA.normalized_similarity, score_cutoff=_ALIKE)
            for word in words
            if len(word) > 3
        ]
        mended = [match[0] for match in best if match]
        if not mended or len(mended) < len(words):
            return
        for entry in set.intersection(*(self._words[word] for word in mended)):
            yield from self._all(entry, 0.65, wanted)

    def _all(self, entry: str, score: float, wanted: set[str]) -> Iterator[Match]:
        return (self._match(name, score) for name in self.entries.get(entry, ()) if name[0][0] in wanted)

    @cached_property
    def _text(self) -> tuple[str, list[int]]:
        """All entries as lines of one text, and where each begins: a search in it takes no loop."""
        starts, at = [], 0
        for entry in self.entries:
            starts.append(at)
            at += len(entry) + 1
        return "".join(f"{entry}\n" for entry in self.entries), starts

    @cached_property
    def _names(self) -> list[str]:
        return [entry for entry in self.entries if len(entry) > 3 and not entry.isdigit()]

    @cached_property
    def _words(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for entry in self.entries:
            for word in entry.split():
                found[word].add(entry)
        return dict(found)

    @cached_property
    def _vocabulary(self) -> list[str]:
        return [word for word in self._words if len(word) > 3 and word not in _TRADE and not word.isdigit()]

    def _match(self, name: Name, score: float) -> Match:
        thing, text, reason = name
        if thing[0] in _LATER and score < 1:
            score = round(0.88 * score, 2)
        return Match(thing[0], thing[1], self.labels.get(thing, thing[1]), text, reason, score)


def folded(text: str) -> str:
    """Fold away case, accents, punctuation, and the spellings -ae-, -oe-, -our.

    >>> folded("Strímvelis ®"), folded("HPC, Cord Blood"), folded("β-thalassaemia")
    ('strimvelis', 'hpc cord blood', 'beta thalassemia')
    """
    plain = text.casefold()
    if not plain.isascii():
        whole = unicodedata.normalize("NFKD", text)
        plain = "".join(c for c in whole if not unicodedata.combining(c)).casefold().translate(_LETTERS)
    return " ".join(_WORD.findall(_DIPHTHONG.sub("e", plain))).replace("tumour", "tumor")


def _keys(text: str) -> list[str]:
    """Return the folded forms under which a text is looked up: its own, and that of the id that it spells."""
    ids = [pattern.sub(form, text.strip()) for pattern, form in _NUMBERS if pattern.fullmatch(text.strip())]
    return list(dict.fromkeys(filter(None, map(folded, (*ids[:1], text)))))


def _score(key: str, words: list[str], entry: str) -> float:
    if entry == key:
        return 1.0
    if entry.startswith(key):
        return 0.9 if len(key) > 2 else 0.0
    if len(key) > 2 and f" {key}" in f" {entry}":
        return 0.8
    if len(words) > 1:
        inside = entry.split()
        if all(word in inside for word in words):
            return 0.75
        if len(inside) == 1 and len(entry) > 3 and entry in words and entry not in _TRADE and not entry.isdigit():
            return 0.7
        return 0.0
    return 0.6 if len(key) > 4 and key in entry else 0.0


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def _worth(match: Match) -> tuple[float, int, bool]:
    return match.score, -len(match.matched), match.reason == "label"


def _best(matches: Iterable[Match]) -> list[Match]:
    """Keep the best match of each thing, best first; among equals products come first, then the shorter name."""
    best: dict[tuple[str, str], Match] = {}
    for match in matches:
        kept = best.get((match.kind, match.id))
        if kept is None or _worth(match) > _worth(kept):
            best[match.kind, match.id] = match
    return sorted(best.values(), key=lambda m: (-m.score, KINDS.index(m.kind), len(m.matched), m.id))
