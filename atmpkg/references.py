"""References: local copies of other vocabularies, against which ids and labels are checked.

Read are OBO files, OWL as RDF (RDF/XML, Turtle, N-Triples), obographs JSON, and tables (TSV, plain or gzipped) whose
columns have one of the names below.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from atmpkg.errors import UsageError, one_of
from atmpkg.names import Names

_OBO = "http://purl.obolibrary.org/obo/"
_OIO = "http://www.geneontology.org/formats/oboInOwl#"
_OWL = "http://www.w3.org/2002/07/owl#"
_RDFS = "http://www.w3.org/2000/01/rdf-schema#"
_REPLACED, _CONSIDER, _EXACT = f"{_OBO}IAO_0100001", f"{_OIO}consider", f"{_OIO}hasExactSynonym"
_PREFERRED = {
    "orpha": "Orphanet",
    "ordo": "Orphanet",
    "icd10who": "ICD10",
    "icd11.foundation": "ICD11",
    "nci": "NCIT",
    "entrez": "NCBIGene",
    "uniprotkb": "UniProt",
}

# Column of a table -> prefix of ids written without one, columns of the label (the first that is there), of synonyms.
_TABLES: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "id": ("", ("label", "scientific_name", "name"), ("synonyms",)),
    "iri": ("", ("label",), ()),
    "hgnc_id": ("", ("symbol",), ("name", "alias_symbols", "previous_symbols")),
    "ensembl_gene": ("ENSEMBL", ("symbol",), ()),
    "ncbi_gene": ("NCBIGene", ("symbol",), ()),
    "uniprot": ("UniProt", ("uniprot_entry_name", "symbol"), ("symbol",)),
    "mesh_id": ("MESH", ("label",), ("synonyms",)),
    "atc_code": ("ATC", ("atc_name",), ()),
    "atc": ("ATC", ("name",), ()),
    "mesh": ("MESH", ("name",), ()),
    "drugbank": ("DRUGBANK", ("name",), ()),
    "vo": ("VO", ("name",), ()),
    "ema_product_number": ("EMA", ("name",), ()),
    "ror": ("ROR", ("name",), ("synonyms",)),
    "wikidata": ("wikidata", ("name",), ("synonyms",)),
    "unii": ("UNII", ("name",), ("synonyms",)),
    "rxcui": ("RXNORM", ("name",), ()),
}
# Columns that only prove that an id exists: its label there is not the vocabulary's own.
_NAMELESS = ("orphanet", "omim", "doid", "ncit", "efo", "mesh", "icd10cm", "icd10who", "icd11_foundation")


@dataclass(frozen=True, slots=True)
class Reference:
    """A term of another vocabulary: its CURIE, label, exact synonyms, parents, and what replaces it."""

    id: str
    label: str = ""
    synonyms: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    obsolete: bool = False
    replaced_by: tuple[str, ...] = ()
    file: str = ""

    def is_named(self, text: str) -> bool:
        """Tell whether a text is the label or an exact synonym, whatever its case."""
        return _plain(text) in {_plain(name) for name in (self.label, *self.synonyms)}


@dataclass
class References:
    """Terms by CURIE, and for each prefix the files that list its terms with their labels."""

    terms: dict[str, Reference] = field(default_factory=dict)
    files: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, paths: Iterable[Path], names: Names) -> References:
        """Read reference files; of two files with one id the first gives the label, and both give synonyms."""
        found = cls()
        curie = canonical(names)
        for path in paths:
            for term in _terms(path, curie):
                found._add(term)
        return found

    def _add(self, term: Reference) -> None:
        known = self.terms.get(term.id)
        if term.label:  # what is only a cross-reference does not tell which ids there are
            self.files.setdefault(term.id.partition(":")[0], set()).add(term.file)
        if known is None:
            self.terms[term.id] = term
            return
        extra = (term.label,) if term.label and known.label else ()
        self.terms[term.id] = Reference(
            term.id,
            known.label or term.label,
            tuple(dict.fromkeys((*known.synonyms, *extra, *term.synonyms))),
            known.parents or term.parents,
            known.obsolete or term.obsolete,
            known.replaced_by or term.replaced_by,
            known.file if known.label else term.file,
        )

    def ancestors(self, ids: Iterable[str]) -> set[str]:
        """Return the terms above the given ones, and these themselves; what is not known is left out."""
        found: set[str] = set()
        waiting = [id for id in ids if id in self.terms]
        while waiting:
            id = waiting.pop()
            if id not in found:
                found.add(id)
                waiting += [parent for parent in self.terms[id].parents if parent in self.terms]
        return found


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def canonical(names: Names) -> Callable[[str, str], str]:
    """Return the function that writes any spelling of an id (CURIE, IRI, bare) as the house's CURIE."""
    spelled = {prefix.casefold(): prefix for prefix in names.uris} | _PREFERRED

    def curie(text: str, prefix: str = "") -> str:
        if text.startswith(("http://", "https://")):
            return names.compact(text)
        before, colon, local = text.partition(":")
        if colon and (known := spelled.get(before.casefold())):
            return f"{known}:{local}"
        return f"{prefix}:{text}" if prefix else text

    return curie


def _terms(path: Path, curie: Callable[[str, str], str]) -> Iterator[Reference]:
    """Yield the terms of one file; raise UsageError where it cannot be read."""
    stem, _, ending = path.name.removesuffix(".gz").rpartition(".")
    if ending not in READERS or not stem:
        raise UsageError(f"cannot read the reference {path}: expected a file that ends in {one_of(READERS)}.")
    try:
        yield from READERS[ending](path, curie)
    except FileNotFoundError:
        raise UsageError(f"cannot read the reference {path}: there is no such file.") from None
    except (OSError, UnicodeDecodeError, ValueError, SyntaxError, KeyError) as error:
        cause = str(error) or type(error).__name__
        raise UsageError(f"cannot read the reference {path}: {cause}. Is it really {ending}?") from None


def _lines(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        yield from lines


def _table(path: Path, curie: Callable[[str, str], str]) -> Iterator[Reference]:
    reader = csv.DictReader(
        (line for line in _lines(path) if not line.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE
    )
    columns = reader.fieldnames or ()
    ids = [column for column in columns if column in _TABLES]
    others = [column for column in columns if column.removeprefix("exact_") in _NAMELESS and column not in ids]
    if not ids:
        raise ValueError(f"none of its columns is {one_of(_TABLES)}")
    for row in reader:
        for column in ids:
            prefix, labels, synonyms = _TABLES[column]
            for id in filter(None, (row[column] or "").split("|")):
                label = next((row[name] for name in labels if row.get(name)), "")
                yield Reference(
                    curie(id, prefix),
                    label,
                    tuple(word for name in synonyms for word in (row.get(name) or "").split("|") if word),
                    tuple(curie(parent, "") for parent in (row.get("is_a") or "").split("|") if parent),
                    label.startswith("obsolete "),
                    tuple(
                        curie(other, "")
                        for name in ("replaced_by", "consider")
                        for other in (row.get(name) or "").split("|")
                        if other
                    ),
                    path.name,
                )
        for column in others:
            prefix = column.removeprefix("exact_")
            for id in filter(None, (row[column] or "").split("|")):
                yield Reference(curie(id, prefix), file=path.name)


def _obo(path: Path, curie: Callable[[str, str], str]) -> Iterator[Reference]:
    frame: dict[str, list[str]] = {}
    for line in (*_lines(path), "[end]"):
        text = line.strip()
        if text.startswith("["):
            if "id" in frame:
                yield _of_frame(frame, path.name, curie)
            frame = {}
        elif ": " in text:
            tag, _, value = text.partition(": ")
            frame.setdefault(tag, []).append(value)


def _of_frame(frame: Mapping[str, list[str]], file: str, curie: Callable[[str, str], str]) -> Reference:
    """Make a term of the tags of an OBO frame (OBO 1.4, section 3.2)."""

    def ids(*tags: str) -> tuple[str, ...]:
        return tuple(curie(re.split(r"[ {!]", value)[0], "") for tag in tags for value in frame.get(tag, ()))

    quoted = [re.match(r'"((?:[^"\\]|\\.)*)"\s+EXACT', value) for value in frame.get("synonym", ())]
    return Reference(
        curie(frame["id"][0], ""),
        frame.get("name", [""])[0],
        tuple(match[1].replace('\\"', '"') for match in quoted if match),
        ids("is_a"),
        frame.get("is_obsolete", [""])[0].startswith("true"),
        ids("replaced_by", "consider"),
        file,
    )


def _obographs(path: Path, curie: Callable[[str, str], str]) -> Iterator[Reference]:
    for graph in json.loads("".join(_lines(path)))["graphs"]:
        parents: dict[str, list[str]] = {}
        for edge in graph.get("edges", ()):
            if edge["pred"] == "is_a":
                parents.setdefault(edge["sub"], []).append(curie(edge["obj"], ""))
        for node in graph["nodes"]:
            meta = node.get("meta", {})
            exact = (s["val"] for s in meta.get("synonyms", ()) if s["pred"] == "hasExactSynonym")
            values = meta.get("basicPropertyValues", ())
            yield Reference(
                curie(node["id"], ""),
                node.get("lbl", ""),
                tuple(exact),
                tuple(parents.get(node["id"], ())),
                bool(meta.get("deprecated")),
                tuple(curie(v["val"], "") for v in values if v["pred"] in (_REPLACED, _CONSIDER)),
                path.name,
            )


def _rdf(path: Path, curie: Callable[[str, str], str]) -> Iterator[Reference]:
    import pyoxigraph as ox

    ending = path.name.removesuffix(".gz").rpartition(".")[2]
    kinds = {"ttl": ox.RdfFormat.TURTLE, "nt": ox.RdfFormat.N_TRIPLES}
    wanted = {f"{_RDFS}label", _EXACT, f"{_RDFS}subClassOf", f"{_OWL}deprecated", _REPLACED, _CONSIDER}
    found: dict[str, dict[str, list[str]]] = {}
    with cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb") as file:
        for quad in ox.parse(file, format=kinds.get(ending, ox.RdfFormat.RDF_XML)):
            if quad.predicate.value not in wanted or not isinstance(quad.subject, ox.NamedNode):
                continue
            if isinstance(quad.object, ox.NamedNode | ox.Literal):  # a class expression is no parent
                about = found.setdefault(quad.subject.value, {})
                about.setdefault(quad.predicate.value, []).append(quad.object.value)
    for iri, about in found.items():
        yield Reference(
            curie(iri, ""),
            about.get(f"{_RDFS}label", [""])[0],
            tuple(about.get(_EXACT, ())),
            tuple(curie(parent, "") for parent in about.get(f"{_RDFS}subClassOf", ())),
            about.get(f"{_OWL}deprecated", ["false"])[0] in ("true", "1"),
            tuple(curie(other, "") for other in (*about.get(_REPLACED, ()), *about.get(_CONSIDER, ()))),
            path.name,
        )


READERS: Mapping[str, Callable[[Path, Callable[[str, str], str]], Iterator[Reference]]] = {
    "obo": _obo,
    "owl": _rdf,
    "ttl": _rdf,
    "nt": _rdf,
    "json": _obographs,
    "tsv": _table,
}
