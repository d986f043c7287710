"""Lists of regulators: read from a file or from the web, and compared with what the graph says.

A source is a module that yields what its list says of each medicine (`Listed`); everything else is the same for all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from atmpkg import __version__
from atmpkg.answers import Answer, Remarks
from atmpkg.errors import StoreError, UsageError, one_of, quoted
from atmpkg.fetch import ema, purple_book
from atmpkg.fetch.listed import Listed
from atmpkg.names import data_iri
from atmpkg.queries import AnswerColumn
from atmpkg.stores import Store, rows

if TYPE_CHECKING:
    from atmpkg.graph import KnowledgeGraph

_AGENT = f"atmpkg/{__version__} (+https://w3id.org/atmpkg)"
# International non-proprietary names of cells, genes and viruses (WHO stem book), and words of US proper names.
_STEM = re.compile(
    r"(leucel|temcel|tocel|cabtagene|gene\b.*(vec|cel|vase)\b|parvovec|repvec|denovec|radenovec|lanvec|mestrocel|strocel)"
    r"|\b(HPC|cord blood|chondrocytes|keratinocytes|autologous|allogeneic|islet|thymus)\b",
    re.I,
)
_EVENTS = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?product ?row ?kind ?date ?number {
  ?row a ?class ; atmp:product ?product ; atmp:jurisdiction <%s> ; atmp:date/rdfs:label ?date .
  ?class skos:notation ?kind .
  OPTIONAL { ?row atmp:number ?number }
}
"""
_DISPUTES = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX dcterms: <http://purl.org/dc/terms/>
SELECT ?product ?id ?claimed {
  ?dispute a atmp:Dispute ; atmp:about ?product ; dcterms:identifier ?id ; atmp:claimed ?claimed
}
"""
_NUMBERS = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?product ?id { ?product a atmp:Product ; skos:exactMatch ?id FILTER(STRSTARTS(STR(?id), "%s")) }
"""
_ENDED = ("withdrawn", "expired", "revoked")


@dataclass(frozen=True)
class Source:
    """A list of a regulator: where it is, how it is read, and for which jurisdiction it speaks."""

    title: str
    jurisdiction: str
    url: str
    read: Callable[[Path], Iterator[Listed]]
    numbers: str = ""  # IRI before its own numbers, where mapping sets link them
    kinds: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # what a date of the list is -> kinds of decision


SOURCES: Mapping[str, Source] = {
    "ema": Source(
        "EMA download of medicine data",
        "EU",
        "https://www.ema.europa.eu/en/documents/report/medicines-output-medicines-report_en.xlsx",
        ema.read,
        "https://w3id.org/atmpkg/registry/ema/",
        {
            "granted": ("grant",),
            "opinion": ("opinion-positive", "opinion-negative", "opinion-re-examination"),
            "refused": ("refusal",),
            "application withdrawn": ("application-withdrawn",),
            "ended": ("withdrawal", "expiry", "sunset", "revocation", "conditional-term-lapse"),
            "suspended": ("suspension",),
        },
    ),
    "purple-book": Source(
        "FDA Purple Book",
        "US",
        "https://www.accessdata.fda.gov/drugsatfda_docs/PurpleBook/",
        purple_book.read,
        "",
        {"granted": ("grant",), "ended": ("withdrawal", "expiry", "revocation")},
    ),
}


def source(name: str) -> Source:
    """Return a source by name; raise UsageError where there is none."""
    if name not in SOURCES:
        raise UsageError(f"cannot fetch {quoted(name)}: expected {one_of(SOURCES)}.")
    return SOURCES[name]


def listed(name: str, file: Path | None, *, folder: Path | None = None) -> list[Listed]:
    """Return all that a list says; without ``file`` it is brought from the web into ``folder``."""
    about = source(name)
    path = file or _download(about.url, folder or Path.cwd())
    try:
        return list(about.read(path))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}.") from None


def is_advanced(item: Listed) -> bool:
    """Tell whether a list marks a medicine as an advanced therapy, or its name shows that it is one."""
    return item.advanced or bool(_STEM.search(item.inn))


def harvested(name: str, items: Iterable[Listed]) -> Answer:
    """Return what a list says of advanced therapies as rows."""
    rows = tuple(
        (
            item.number,
            "|".join(item.names),
            item.inn,
            item.status,
            item.holder,
            *(item.dates.get(k) for k in _kinds(name)),
        )
        for item in items
        if is_advanced(item)
    )
    columns = ("number", "name", "inn", "status", "holder", *(kind.replace(" ", "_") for kind in _kinds(name)))
    return Answer(name, source(name).title, tuple(AnswerColumn(c) for c in columns), rows, Remarks(release=__version__))


def compared(kg: KnowledgeGraph, name: str, items: Iterable[Listed]) -> Answer:
    """Return where a list and the graph differ; ``explained_by`` names the dispute that says why, if there is one."""
    about = source(name)
    view = _Ours.of(kg.store, about)
    found = []
    met, last = set(), ""
    for item in items:
        product = view.product(item, kg)
        met.add(product)
        last = max(last, item.dates.get("granted", ""))
        if not product and is_advanced(item):
            found.append(("", item.names[0], "product", "", item.number or item.inn, ""))
        if not product:
            continue
        for what, ours, theirs in view.differences(product, item, about.kinds):
            why = view.disputes.get((product, theirs), "")
            found.append((product.rsplit("/", 1)[-1], item.names[0], what, ours, theirs, why))
    for (product, kind), dates in sorted(view.dates.items()):
        if kind == "grant" and product not in met and min(dates) <= last:
            why = view.disputes.get((product, "not listed"), "")
            found.append((product.rsplit("/", 1)[-1], "", "listed", "|".join(sorted(dates)), "not listed", why))
    columns = (
        AnswerColumn("product", "Product of the graph", type="id"),
        AnswerColumn("name", "Name in the list"),
        AnswerColumn("what", "What differs"),
        AnswerColumn("ours", "What the graph says"),
        AnswerColumn("theirs", "What the list says"),
        AnswerColumn("explained_by", "Dispute that says why"),
    )
    title = f"{about.title} against the graph"
    unique = tuple(dict.fromkeys(found))
    return Answer(name, title, columns, unique, Remarks(release=__version__))


@dataclass(frozen=True)
class _Ours:
    """What the graph says of one jurisdiction, by product."""

    dates: Mapping[tuple[str, str], set[str]]  # product, kind of decision -> dates
    numbers: Mapping[str, str]  # number -> product
    disputes: Mapping[tuple[str, str], str]  # product, claimed value -> dispute

    @classmethod
    def of(cls, store: Store, about: Source) -> _Ours:
        dates: dict[tuple[str, str], set[str]] = {}
        numbers: dict[str, str] = {}
        for row in rows(store, _EVENTS % data_iri("jurisdiction", about.jurisdiction)):
            dates.setdefault((row["product"], row["kind"]), set()).add(row["date"])
            if row["number"]:
                numbers[row["number"]] = row["product"]
        if about.numbers:
            for row in rows(store, _NUMBERS % about.numbers):
                numbers[row["id"].removeprefix(about.numbers)] = row["product"]
        disputes = {(row["product"], row["claimed"]): row["id"] for row in rows(store, _DISPUTES)}
        return cls(dates, numbers, disputes)

    def product(self, item: Listed, kg: KnowledgeGraph) -> str:
        """Return the product that the list means, by its number, else by name; empty where there is none."""
        if item.number in self.numbers:
            return self.numbers[item.number]
        for name in (*item.names, item.inn):
            found = {m.id for m in kg.index.exactly(name, ("product",))} if name else set()
            if len(found) == 1:
                return data_iri("product", found.pop())
        return ""

    def differences(
        self, product: str, item: Listed, kinds: Mapping[str, tuple[str, ...]]
    ) -> Iterator[tuple[str, str, str]]:
        """Yield what differs, what the graph says, and what the list says; an imprecise date agrees with its days."""
        for what, theirs in item.dates.items():
            ours = {date for kind in kinds.get(what, ()) for date in self.dates.get((product, kind), ())}
            if theirs and not any(theirs.startswith(date) for date in ours):
                yield what, "|".join(sorted(ours)), theirs
        ended = any((product, kind) in self.dates for kind in kinds.get("ended", ()))
        granted = any((product, kind) in self.dates for kind in kinds["granted"])
        if item.status == "authorised" and not granted:
            yield "status", "no authorisation", item.status
        if item.status in _ENDED and not ended:
            yield "status", "authorised" if granted else "no authorisation", item.status


def _kinds(name: str) -> list[str]:
    return list(SOURCES[name].kinds)


def _download(url: str, folder: Path) -> Path:
    """Bring a file from the web, whole or not at all; raise StoreError where there is no connection."""
    from urllib.request import Request, urlopen

    target = folder / url.rsplit("/", 1)[-1]
    if target == folder / "":
        raise UsageError(f"cannot fetch this list by itself: download it from {url} and name it with --from-file.")
    try:
        with urlopen(Request(url, headers={"User-Agent": _AGENT}), timeout=60) as answer:
            content = answer.read()
        part = target.with_name(f"{target.name}.part")
        part.write_bytes(content)
        part.replace(target)
    except OSError as error:
        cause = getattr(error, "reason", None) or error.strerror or error
        raise StoreError(f"cannot fetch {url}: {cause}. Or name a copy with --from-file.") from None
    return target
