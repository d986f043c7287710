"""Hierarchies: a disease is found below what our rows and a slice of Mondo put above it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from atmpkg.errors import UsageError
from atmpkg.graph import KnowledgeGraph
from atmpkg.project import home

HERE = Path(__file__).parent


def within(kg: KnowledgeGraph, curie: str) -> set[str]:
    rows = kg.select(f"SELECT ?d {{ ?d atmp:withinDisease {curie} }}").rows
    return {str(row[0]).rpartition("/")[2] for row in rows}


@pytest.mark.parametrize(
    "wide, diseases",
    [
        ("disease:lymphoma", {"lymphoma", "large-cell-lymphoma"}),  # ours decides: no myeloma, though Mondo says so
        ("MONDO:9000003", {"lymphoma", "large-cell-lymphoma", "myeloma"}),
        ("disease:blood-cancer", {"blood-cancer", "lymphoma", "large-cell-lymphoma", "myeloma"}),
        ("MONDO:9000005", {"storage", "krabbe"}),
        ("disease:storage", {"storage", "krabbe"}),  # ours says nothing above krabbe, so Mondo does
        ("MONDO:9000001", {"blood-cancer", "lymphoma", "large-cell-lymphoma", "myeloma", "storage", "krabbe"}),
        ("disease:burn", {"burn"}),
    ],
)
def test_a_disease_lies_within_what_is_wider(wide: str, diseases: set[str], clinic: KnowledgeGraph) -> None:
    assert within(clinic, wide) == diseases


def test_every_disease_lies_within_all_diseases(clinic: KnowledgeGraph) -> None:
    assert len(within(clinic, "atmp:Disease")) == 7


@pytest.mark.parametrize(
    "word, term",
    [
        ("lymphoma", "<https://w3id.org/atmpkg/id/disease/lymphoma>"),
        ("malignant lymphoma", "<https://w3id.org/atmpkg/id/disease/lymphoma>"),  # a synonym of Mondo
        ("storage leukodystrophy", "<http://purl.obolibrary.org/obo/MONDO_9000006>"),  # Mondo alone has it
        ("MONDO:9000001", "<http://purl.obolibrary.org/obo/MONDO_9000001>"),
        ("http://purl.obolibrary.org/obo/MONDO_9000003", "<https://w3id.org/atmpkg/id/disease/lymphoma>"),
    ],
)
def test_a_disease_may_be_given_as_a_term_of_mondo(word: str, term: str, clinic: KnowledgeGraph) -> None:
    assert term in clinic.sparql("indications", disease=word)


def test_a_disease_that_nobody_knows_is_told(clinic: KnowledgeGraph) -> None:
    with pytest.raises(
        UsageError, match=r"cannot find the disease 'storage leukodystrofy'. Did you mean MONDO:9000006"
    ):
        clinic.sparql("indications", disease="storage leukodystrofy")


@pytest.mark.parametrize(
    "asked, found, not_found",
    [
        ("lymphoma", {"axicabtagene-ciloleucel", "tisagenlecleucel"}, {"idecabtagene-vicleucel"}),
        ("blood cancer", {"axicabtagene-ciloleucel", "idecabtagene-vicleucel"}, {"voretigene-neparvovec"}),
        ("lysosomal storage disease", {"atidarsagene-autotemcel"}, {"voretigene-neparvovec"}),
        ("eye disorder", {"voretigene-neparvovec", "corneal-epithelial-cells-holostem"}, {"atidarsagene-autotemcel"}),
        ("MONDO:0019118", {"voretigene-neparvovec"}, {"corneal-epithelial-cells-holostem"}),
        ("MONDO:0003847", {"voretigene-neparvovec", "etranacogene-dezaparvovec"}, {"axicabtagene-ciloleucel"}),
        ("plasma cell myeloma", {"idecabtagene-vicleucel"}, {"axicabtagene-ciloleucel"}),
        ("hereditary eye disease", {"voretigene-neparvovec"}, {"neltependocel", "revakinagene-taroretcel"}),
    ],
)
def test_indications_of_a_group_of_diseases(
    asked: str, found: set[str], not_found: set[str], shipped: KnowledgeGraph
) -> None:
    products = {row[0] for row in shipped.ask("indications", disease=asked).rows}
    assert found <= products and not not_found & products


@pytest.mark.parametrize(
    "asked, found, not_found",
    [
        (
            "lymphoma",
            {
                *("axicabtagene-ciloleucel", "brexucabtagene-autoleucel", "lisocabtagene-maraleucel"),
                *("tisagenlecleucel", "relmacabtagene-autoleucel", "talicabtagene-autoleucel"),
                *("varnimcabtagene-autoleucel", "anbalcabtagene-autoleucel"),
            },
            {
                "idecabtagene-vicleucel",
                "equecabtagene-autoleucel",
                "obecabtagene-autoleucel",
                "inaticabtagene-autoleucel",
            },
        ),
        (
            "all lysosomal diseases",
            {"atidarsagene-autotemcel", "rebisufligene-etisparvovec"},
            {"elivaldogene-autotemcel", "eladocagene-exuparvovec"},  # of peroxisomes, of an enzyme in the cytosol
        ),
        (
            "all monogenic eye diseases",
            {"voretigene-neparvovec"},
            {
                "corneal-epithelial-cells-holostem",
                "revakinagene-taroretcel",
                "lenadogene-nolparvovec",
            },  # not authorised
        ),
    ],
)
def test_products_of_a_group_of_diseases(
    asked: str, found: set[str], not_found: set[str], shipped: KnowledgeGraph
) -> None:
    disease = {
        "all lysosomal diseases": "lysosomal storage disease",
        "all monogenic eye diseases": "monogenic eye disease",
    }
    products = {row[0] for row in shipped.ask("products-by-disease", disease=disease.get(asked, asked)).rows}
    assert found <= products and not not_found & products


def test_a_group_of_ours_holds_what_lies_below_both_of_its_parents(shipped: KnowledgeGraph) -> None:
    """Every hereditary disorder of the eye that we have is a monogenic eye disease, and nothing else is."""
    both = shipped.select(
        "SELECT ?d { ?d a atmp:Disease ; atmp:withinDisease <http://purl.obolibrary.org/obo/MONDO_0003847> , "
        "<http://purl.obolibrary.org/obo/MONDO_0005328> }"
    ).rows
    ours = shipped.select(
        "SELECT ?d { ?d atmp:withinDisease <https://w3id.org/atmpkg/id/disease/monogenic-eye-disease> }"
    )
    assert len(both) >= 5 and set(both) == set(ours.rows)


def test_one_row_per_use_whatever_lies_above(shipped: KnowledgeGraph) -> None:
    every = shipped.ask("indications").rows
    assert (
        len(every)
        == len(set(every))
        == len(shipped.ask("indications", disease="MONDO:0000001").rows)
        + sum(1 for row in every if row[2] in _no_disease(shipped))
    )


def _no_disease(kg: KnowledgeGraph) -> set[object]:
    """Return what is no disease for Mondo: injuries, and what has no term there."""
    found = kg.select(
        "SELECT ?label { ?d a atmp:Disease ; rdfs:label ?label "
        "MINUS { ?d atmp:withinDisease <http://purl.obolibrary.org/obo/MONDO_0000001> } }"
    )
    return {row[0] for row in found.rows}


# ---- the command that makes a slice ---------------------------------------------------------------------------------


def test_import_writes_what_is_asked_for_and_all_above(tmp_path: Path, command: Callable[..., Any]) -> None:
    root = Path(shutil.copytree(HERE / "clinic", tmp_path / "own"))
    folder = root / "ontology" / "imports"
    kept = (folder / "mondo.ttl").read_text()
    for file in folder.iterdir():
        file.unlink()
    (folder / "mondo_terms.txt").write_text("MONDO:9000006  # by hand\n")
    for ending in ("obo", "json", "tsv", "owl"):
        said = command("link", "import", "mondo", "--from", HERE / "references" / f"tiny.{ending}", "--data", root)
        assert (said.code, said.out) == (0, "") and said.err.startswith("6 terms in ")
        assert (folder / "mondo.ttl").read_text() == kept
    assert (folder / "mondo_terms.txt").read_text().splitlines() == [
        "MONDO:9000002  # blood cancer",
        "MONDO:9000003  # lymphoma",
        "MONDO:9000004  # myeloma",
        "MONDO:9000005  # storage disease",
        "MONDO:9000006  # by hand",
    ]


def test_a_term_that_the_copy_lacks_is_told(tmp_path: Path, command: Callable[..., Any]) -> None:
    root = Path(shutil.copytree(HERE / "clinic", tmp_path / "own"))
    (root / "ontology" / "imports" / "mondo_terms.txt").write_text("MONDO:9000099\n")
    said = command("link", "import", "mondo", "--from", HERE / "references" / "tiny.obo", "--data", root)
    assert said.code == 1
    assert said.err == "mondo_terms.txt: found 'MONDO:9000099'; expected a term of one of tiny.obo\n"
    said = command("link", "import", "mando", "--from", HERE / "references" / "tiny.obo", "--data", root)
    assert said.code == 2 and "cannot import 'mando': expected one of mondo; did you mean mondo?" in said.err


def test_the_slices_that_are_shipped_name_source_version_and_licence() -> None:
    slices = sorted((home() / "ontology" / "imports").glob("*.ttl"))
    assert [path.name for path in slices] == ["cl.ttl", "mondo.ttl"]
    for path in slices:
        head = path.read_text(encoding="utf-8")[:1500]
        assert "owl:versionInfo" in head and "dcterms:license <https://creativecommons.org/licenses/by/4.0/>" in head
