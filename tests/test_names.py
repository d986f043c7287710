"""CURIEs and IRIs: one prefix map, both ways."""

import re
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atmpkg.errors import DataError
from atmpkg.names import ID_PATTERN, Names, data_iri, graph_iri, is_iri
from atmpkg.project import home

NAMES = Names.read(home() / "ontology" / "prefixes.yaml", ["product", "jurisdiction-membership"])
ids = st.from_regex(re.compile(ID_PATTERN), fullmatch=True)


@pytest.mark.parametrize(
    "curie, iri",
    [
        ("atmp:Product", "https://w3id.org/atmpkg/ontology/Product"),
        ("product:tisagenlecleucel", "https://w3id.org/atmpkg/id/product/tisagenlecleucel"),
        ("MONDO:0018906", "http://purl.obolibrary.org/obo/MONDO_0018906"),
        ("HGNC:1633", "https://identifiers.org/hgnc:1633"),
    ],
)
def test_a_curie_is_a_short_iri(curie: str, iri: str) -> None:
    assert NAMES.expand(curie) == iri
    assert NAMES.compact(iri) == curie


@pytest.mark.parametrize(
    "curie, expected",
    [
        ("nothing", "a CURIE with a known prefix"),
        ("NOPE:1", "a CURIE with a known prefix"),
        ("MONDO:12", r"an id of MONDO, of the form \d{7}"),
        ("product:a/b", "an id of product, of the form "),
        ("atmp:a b", "an IRI without blanks"),
        ("atmp:a>b", "an IRI without blanks"),
    ],
)
def test_a_wrong_curie_says_what_was_expected(curie: str, expected: str) -> None:
    with pytest.raises(ValueError) as caught:
        NAMES.expand(curie)
    assert expected in str(caught.value)


def test_an_iri_without_a_prefix_stays_as_it_is() -> None:
    assert NAMES.compact("https://example.org/x") == "https://example.org/x"


@given(ids)
def test_every_row_id_goes_there_and_back(id: str) -> None:
    assert NAMES.expand(f"product:{id}") == data_iri("product", id)
    assert NAMES.compact(data_iri("product", id)) == f"product:{id}"
    assert is_iri(data_iri("product", id))


@given(st.text(max_size=30))
def test_no_text_crashes_or_leaves_the_angle_brackets(text: str) -> None:
    try:
        iri = NAMES.expand(text)
    except ValueError:
        return
    assert is_iri(iri)
    assert NAMES.expand(NAMES.compact(iri)) == iri


@given(st.text(max_size=30).map(lambda rest: f"http://{rest}"))
def test_what_is_called_an_iri_can_stand_in_nquads(text: str) -> None:
    if is_iri(text):
        (quad,) = ox.parse(f"<urn:s> <urn:p> <{text}> .", format=ox.RdfFormat.N_QUADS, lenient=True)
        assert quad.object == ox.NamedNode(text)


def test_graphs_have_their_own_names() -> None:
    assert graph_iri("inferred") == "https://w3id.org/atmpkg/graph/inferred"


def test_broken_yaml_gives_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "prefixes.yaml"
    path.write_text("atmp: {uri: 'https://example.org/'}\nrdf: [\n")
    with pytest.raises(DataError, match=r"^prefixes\.yaml:3: found .*; expected valid YAML in UTF-8$"):
        Names.read(path)
