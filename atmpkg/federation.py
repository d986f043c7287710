"""Federation: questions that go out to other SPARQL endpoints, and what is brought home from them.

A federated question is a query file with a ``SERVICE`` block for a public endpoint; as it stands, it runs on any engine
that has the network. Here the block is asked by itself, in batches of what the rest of the query binds, with a
timeout, retries and our name, and its rows take its place as a ``VALUES`` block.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atmpkg import __version__
from atmpkg.errors import StoreError, UsageError
from atmpkg.names import is_iri
from atmpkg.queries import tokens
from atmpkg.records import literal
from atmpkg.stores import Store, rows

AGENT = f"atmpkg/{__version__} (+https://w3id.org/atmpkg)"
_BATCH = 100
_PREFIX = re.compile(r"^\s*PREFIX\s+\S+\s*<[^>]*>\s*$", re.I | re.M)
_ENRICHED = """
PREFIX oboInOwl: <http://www.geneontology.org/formats/oboInOwl#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT DISTINCT ?thing ?property ?value {
  VALUES ?thing { %s }
  VALUES ?property {
    rdfs:label skos:prefLabel skos:altLabel oboInOwl:hasExactSynonym
    oboInOwl:hasDbXref skos:exactMatch skos:closeMatch rdfs:seeAlso
  }
  ?thing ?property ?value
  FILTER(!ISBLANK(?value) && (LANG(?value) = "" || LANG(?value) = "en"))
}
"""

Cell = Mapping[str, str]  # of SPARQL results in JSON: type, value, and datatype or xml:lang


@dataclass(frozen=True)
class Endpoint:
    """A SPARQL endpoint somewhere else, asked politely."""

    url: str
    timeout: int = 30
    tries: int = 3
    pause: float = 1.0
    sleep: Callable[[float], None] = time.sleep

    def select(self, sparql: str) -> list[dict[str, Cell]]:
        """Return the rows of a SELECT query; raise StoreError where the endpoint cannot be reached or refuses."""
        from urllib.error import URLError

        from SPARQLWrapper import JSON, POST, SPARQLWrapper
        from SPARQLWrapper.SPARQLExceptions import QueryBadFormed, SPARQLWrapperException

        wrapper = SPARQLWrapper(self.url, agent=AGENT)
        wrapper.setTimeout(self.timeout)
        wrapper.setMethod(POST)
        wrapper.setReturnFormat(JSON)
        wrapper.setQuery(sparql)
        cause: object = None
        for attempt in range(self.tries):
            if attempt:
                self.sleep(self.pause * 2 ** (attempt - 1))
            try:
                found: Any = wrapper.query().convert()
                return list(found["results"]["bindings"])
            except QueryBadFormed as error:
                raise StoreError(f"cannot ask {self.url}: it takes the query for malformed. {_first(error)}") from None
            except (URLError, OSError, SPARQLWrapperException) as error:
                cause = getattr(error, "reason", None) or _first(error)
            except (ValueError, KeyError, TypeError):
                raise StoreError(f"cannot ask {self.url}: its answer is not SPARQL results in JSON.") from None
        raise StoreError(
            f"cannot reach {self.url}: {cause} ({self.tries} tries). "
            "Everything else works offline; try again when there is a connection."
        )


def federated(store: Store, sparql: str, endpoint: Callable[[str], Endpoint]) -> str:
    """Return the query with its SERVICE block replaced by the rows that the endpoint gives for it.

    Raises UsageError where the query has not exactly one such block with a fixed address.
    """
    url, start, inside, end = _service(sparql)
    prefixes = "\n".join(_PREFIX.findall(sparql))
    variables = _variables(sparql[inside:end])
    home = sparql[:start] + sparql[end + 1 :]
    body = home[_where(home) : home.rindex("}") + 1]
    shared = [name for name in variables if name in _variables(body)]
    bound = _bound(store, prefixes, body, shared)
    remote = endpoint(url)
    found: dict[str, None] = {}
    for at in range(0, len(bound), _BATCH):
        values = f"VALUES ({_list(shared)}) {{ {' '.join(bound[at : at + _BATCH])} }}"
        text = f"{prefixes}\nSELECT DISTINCT {_list(variables)} {{ {values} {sparql[inside:end]} }}"
        for row in remote.select(text):
            found[f"({' '.join(term(row.get(name)) for name in variables)})"] = None
    return f"{sparql[:start]}VALUES ({_list(variables)}) {{ {' '.join(sorted(found))} }}{sparql[end + 1 :]}"


def enriched(things: Sequence[str], endpoint: Endpoint) -> Iterator[str]:
    """Yield, sorted, what an endpoint says about things: labels, synonyms, cross-references (N-Triples lines)."""
    lines = set()
    for at in range(0, len(things), _BATCH):
        listed = " ".join(f"<{iri}>" for iri in things[at : at + _BATCH])
        for row in endpoint.select(_ENRICHED % listed):
            if row["property"]["value"].startswith("http://www.w3.org/2002/07/owl#"):
                continue
            lines.add(f"{term(row['thing'])} {term(row['property'])} {term(row['value'])} .\n")
    yield from sorted(lines)


def term(cell: Cell | None) -> str:
    """Write a cell of SPARQL results in N-Triples syntax; what is not safe to write is left undefined.

    >>> term({"type": "literal", "value": "lymphoma", "xml:lang": "en"})
    '"lymphoma"@en'
    """
    match cell:
        case {"type": "uri", "value": value} if is_iri(value):
            return f"<{value}>"
        case {"type": "literal" | "typed-literal", "value": value}:
            about: Cell = cell or {}
            language, datatype = about.get("xml:lang", ""), about.get("datatype", "")
            if re.fullmatch(r"[A-Za-z]+(-[A-Za-z0-9]+)*", language):
                return f"{literal(value)}@{language}"
            return f"{literal(value)}^^<{datatype}>" if datatype and is_iri(datatype) else literal(value)
        case _:
            return "UNDEF"


def _service(sparql: str) -> tuple[str, int, int, int]:
    """Return the address of the SERVICE block, and where it begins, where its inside begins, and where it ends."""
    found = tokens(sparql)
    blocks = [
        (address[0].strip("<>"), word.start(), opened, at)
        for at, (word, address, opened) in enumerate(zip(found, found[1:], found[2:], strict=False))
        if word.lastgroup == "word" and word[0].upper() == "SERVICE" and address.lastgroup == "iri" and opened[0] == "{"
    ]
    if len(blocks) != 1:
        raise UsageError(
            f"cannot ask elsewhere: the query has {len(blocks)} SERVICE blocks with an address; expected one."
        )
    url, start, opened, at = blocks[0]
    depth = 0
    for token in found[at + 2 :]:
        depth += {"{": 1, "}": -1}.get(token[0], 0) if token.lastgroup == "brace" else 0
        if depth == 0:
            return url, start, opened.end(), token.start()
    raise UsageError("cannot ask elsewhere: the SERVICE block does not end.")


def _variables(sparql: str) -> list[str]:
    return list(dict.fromkeys(token[0][1:] for token in tokens(sparql) if token.lastgroup == "variable"))


def _where(sparql: str) -> int:
    """Return where the pattern of a SELECT query begins."""
    return next(token.start() for token in tokens(sparql) if token[0] == "{" and token.lastgroup == "brace")


def _bound(store: Store, prefixes: str, body: str, shared: Sequence[str]) -> list[str]:
    """Return, as rows of a VALUES block, what the query binds to the shared variables without the remote part."""
    listed = " ".join(f"?{name} (DATATYPE(?{name}) AS ?{name}__type)" for name in shared)
    bound = set()
    for row in rows(store, f"{prefixes}\nSELECT DISTINCT {listed} {body}"):
        parts = [
            literal(row[name]) if row[f"{name}__type"] else f"<{row[name]}>" if row[name] else "UNDEF"
            for name in shared
        ]
        bound.add(f"({' '.join(parts)})")
    return sorted(bound)


def _list(variables: Sequence[str]) -> str:
    return " ".join(f"?{name}" for name in variables)


def _first(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
