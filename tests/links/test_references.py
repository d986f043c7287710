"""References: five kinds of file, one meaning."""

import gzip
from pathlib import Path

import pytest

from atmpkg.errors import UsageError
from atmpkg.names import Names
from atmpkg.project import home
from atmpkg.references import READERS, Reference, References

TINY = Path(__file__).parent / "references"
NAMES = Names.read(home() / "ontology" / "prefixes.yaml")
FILES = sorted(TINY.glob("tiny.*"))


def test_there_is_a_file_of_each_kind() -> None:
    assert {path.suffix[1:] for path in FILES} == set(READERS) - {"nt"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.suffix)
def test_every_kind_of_file_says_the_same(path: Path) -> None:
    known = References.read([path], NAMES)
    assert {id for id in known.terms if id.startswith("MONDO:")} == {f"MONDO:900000{n}" for n in range(1, 8)}
    lymphoma, old = known.terms["MONDO:9000003"], known.terms["MONDO:9000007"]
    expected = Reference("MONDO:9000003", "lymphoma", ("malignant lymphoma",), ("MONDO:9000002",), False, (), path.name)
    assert lymphoma == expected
    assert (old.obsolete, old.replaced_by) == (True, ("MONDO:9000003",))
    assert known.terms["MONDO:9000005"].synonyms == ('"thesaurismosis"',)
    assert known.ancestors(["MONDO:9000004", "MONDO:1"]) == {f"MONDO:900000{n}" for n in range(1, 5)}


def test_a_gzipped_table_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "tiny.tsv.gz"
    path.write_bytes(gzip.compress((TINY / "tiny.tsv").read_bytes()))
    assert "MONDO:9000003" in References.read([path], NAMES).terms


def test_a_table_of_genes_proves_the_ids_of_four_vocabularies(tmp_path: Path) -> None:
    path = tmp_path / "hgnc.tsv"
    path.write_text(
        "hgnc_id\tsymbol\tname\tensembl_gene\tncbi_gene\tuniprot\tuniprot_entry_name\n"
        "HGNC:1633\tCD19\tCD19 molecule\tENSG00000177455\t930\tP15391\tCD19_HUMAN\n"
    )
    terms = References.read([path], NAMES).terms
    assert {id: term.label for id, term in terms.items()} == {
        "HGNC:1633": "CD19",
        "ENSEMBL:ENSG00000177455": "CD19",
        "NCBIGene:930": "CD19",
        "UniProt:P15391": "CD19_HUMAN",
    }


def test_a_cross_reference_proves_that_an_id_exists_but_not_its_label(tmp_path: Path) -> None:
    path = tmp_path / "mondo.tsv"
    path.write_text(
        "id\tlabel\texact_orphanet\texact_icd10who\nMONDO:9000003\tlymphoma\tOrphanet:223727\tICD10WHO:C85\n"
    )
    known = References.read([path], NAMES)
    assert known.terms["Orphanet:223727"].label == known.terms["ICD10:C85"].label == ""
    assert set(known.files) == {"MONDO"}


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("mondo.xyz", "", "expected a file that ends in one of obo, owl"),
        ("absent.obo", None, "there is no such file"),
        ("words.tsv", "word\tmeaning\n", "none of its columns is one of id"),
        ("broken.ttl", "a b", "Is it really ttl?"),
        ("broken.json", "{", "Is it really json?"),
    ],
)
def test_a_file_that_is_no_reference_is_refused(name: str, content: str | None, message: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(UsageError, match="cannot read the reference") as caught:
        References.read([tmp_path / name], NAMES)
    assert message in str(caught.value)
