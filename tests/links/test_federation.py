"""Federation: against a real SPARQL endpoint, started on this machine."""

import functools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from atmpkg.errors import StoreError, UsageError
from atmpkg.federation import Endpoint, federated, term
from atmpkg.graph import KnowledgeGraph
from atmpkg.project import home
from atmpkg.queries import read_queries
from atmpkg.stores import Embedded

HERE = Path(__file__).parent
# A slice of what the public endpoints hold, in their own vocabularies.
UNIPROT = """
@prefix up: <http://purl.uniprot.org/core/> .
@prefix uniprot: <http://purl.uniprot.org/uniprot/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
uniprot:P15391 up:annotation [ a up:Function_Annotation ; rdfs:comment "Lowers the \\"threshold\\" of B cells." ] ,
  [ a up:Subcellular_Location_Annotation ; rdfs:comment "Membrane." ] .
uniprot:Q02223 up:annotation [ a up:Function_Annotation ; rdfs:comment "Receptor." ] .
"""
WIKIDATA = """
@prefix wd: <http://www.wikidata.org/entity/> .
@prefix wdt: <http://www.wikidata.org/prop/direct/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
wd:Q1 wdt:P267 "L01XL04" ; rdfs:label "tisagenlecleucel"@en , "Tisagenlecleucel"@de .
wd:Q2 wdt:P267 "N02BE01" ; rdfs:label "another"@en .
"""
UBERGRAPH = """
@prefix MONDO: <http://purl.obolibrary.org/obo/MONDO_> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix oboInOwl: <http://www.geneontology.org/formats/oboInOwl#> .
MONDO:9000003 rdfs:label "lymphoma" ; oboInOwl:hasDbXref "DOID:0060058" ;
  oboInOwl:hasExactSynonym "malignant lymphoma" ; rdfs:subClassOf MONDO:9000003 .
MONDO:9000008 rdfs:subClassOf MONDO:9000003 ; rdfs:label "a kind of lymphoma" .
"""


def quick(url: str) -> Endpoint:
    return Endpoint(url, timeout=5, sleep=lambda seconds: None)


def test_every_federated_question_is_tested_here() -> None:
    questions = read_queries([home() / "queries" / "federated"])
    assert set(questions) == {"protein-functions", "wikidata-products", "kinds-of-disease"}
    for question in questions.values():
        assert question.columns and "https://" in question.sparql


def test_functions_of_a_target_come_from_uniprot(clinic: KnowledgeGraph, elsewhere: Callable[[str], Any]) -> None:
    there = elsewhere(UNIPROT)
    answer = clinic.ask_elsewhere("protein-functions", endpoint=there.url, target="CD19")
    assert answer.names == ("target", "protein", "function")
    assert answer.rows == (("CD19", "P15391", 'Lowers the "threshold" of B cells.'),)
    (asked,) = there.asked
    assert "P15391" in asked and "Q02223" not in asked  # only what we have is asked for
    assert there.agents[0].startswith("atmpkg/")


def test_products_in_wikidata_are_found_by_atc_code(shipped: KnowledgeGraph, elsewhere: Callable[[str], Any]) -> None:
    answer = shipped.ask_elsewhere("wikidata-products", endpoint=elsewhere(WIKIDATA).url, product="Kymriah")
    assert answer.rows == (("tisagenlecleucel", "L01XL04", "http://www.wikidata.org/entity/Q1", "tisagenlecleucel"),)


def test_kinds_of_a_disease_come_from_ubergraph(clinic: KnowledgeGraph, elsewhere: Callable[[str], Any]) -> None:
    answer = clinic.ask_elsewhere("kinds-of-disease", endpoint=elsewhere(UBERGRAPH).url)
    assert answer.rows == (("lymphoma", "http://purl.obolibrary.org/obo/MONDO_9000008", "a kind of lymphoma"),)


def test_the_engine_itself_gives_the_same_over_the_wire(
    clinic: KnowledgeGraph, elsewhere: Callable[[str], Any]
) -> None:
    url = elsewhere(UBERGRAPH).url
    sparql = clinic.federated["kinds-of-disease"].sparql.replace("https://ubergraph.apps.renci.org/sparql", url)
    ours = list(clinic.store.query(federated(clinic.store, sparql, quick)))  # type: ignore[arg-type]
    engine = list(clinic.store.query(sparql))  # type: ignore[arg-type]
    assert [str(row) for row in ours] == [str(row) for row in engine] and len(ours) == 1


def test_nothing_is_asked_where_nothing_is_bound(clinic: KnowledgeGraph, elsewhere: Callable[[str], Any]) -> None:
    there = elsewhere(WIKIDATA)
    assert clinic.ask_elsewhere("wikidata-products", endpoint=there.url).rows == ()
    assert there.asked == []


def test_many_things_are_asked_for_in_batches(elsewhere: Callable[[str], Any]) -> None:
    store, there = Embedded.memory(), elsewhere("<urn:n7> <urn:q> 7 . <urn:n205> <urn:q> 205 .")
    store.load("".join(f"<urn:n{n}> <urn:p> <urn:o> <urn:g> .\n" for n in range(250)).encode())
    sparql = f"SELECT ?s ?v {{ ?s <urn:p> ?o SERVICE <{there.url}> {{ ?s <urn:q> ?v }} }} ORDER BY ?v"
    found = [row["v"].value for row in store.query(federated(store, sparql, quick))]  # type: ignore[union-attr]
    assert found == ["7", "205"] and len(there.asked) == 3


def test_a_hiccup_is_tried_again(elsewhere: Callable[[str], Any]) -> None:
    there = elsewhere(WIKIDATA)
    there.failures[:] = [503, 500]
    waited: list[float] = []
    rows = Endpoint(there.url, sleep=waited.append).select("SELECT ?s { ?s ?p 'L01XL04' }")
    assert [row["s"]["value"] for row in rows] == ["http://www.wikidata.org/entity/Q1"]
    assert waited == [1.0, 2.0]


@pytest.mark.parametrize(
    "failures, answer, message",
    [
        (
            [503, 503, 503],
            None,
            r"cannot reach http://\S+: .*Service Unavailable.* \(3 tries\)\. Everything else works offline",
        ),
        ([400], None, r"cannot ask http://\S+: it takes the query for malformed"),
        ([], b"<html>", r"cannot ask http://\S+: its answer is not SPARQL results in JSON"),
        ([], b"{}", r"cannot ask http://\S+: its answer is not SPARQL results in JSON"),
    ],
)
def test_what_goes_wrong_there_is_told(
    failures: list[int], answer: bytes | None, message: str, elsewhere: Callable[[str], Any]
) -> None:
    there = elsewhere(WIKIDATA)
    there.failures[:], there.answer = failures, answer
    with pytest.raises(StoreError, match=message):
        quick(there.url).select("SELECT ?s { ?s ?p ?o }")


def test_offline_is_one_clear_line(command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atmpkg.federation.Endpoint", functools.partial(Endpoint, sleep=lambda seconds: None))
    said = command(
        "link", "ask", "protein-functions", "--endpoint", "http://127.0.0.1:9/sparql", "--data", HERE / "clinic"
    )
    assert (said.code, said.out) == (3, "")
    assert said.err.splitlines()[-1].startswith("cannot reach http://127.0.0.1:9/sparql: ")
    assert said.err.splitlines()[-1].endswith("Everything else works offline; try again when there is a connection.")


@pytest.mark.parametrize("sparql", ["SELECT * { ?s ?p ?o }", "SELECT * { SERVICE ?e { ?s ?p ?o } }"])
def test_a_query_without_one_fixed_service_is_refused(sparql: str) -> None:
    with pytest.raises(UsageError, match="the query has 0 SERVICE blocks"):
        federated(Embedded.memory(), sparql, quick)


def test_a_word_in_a_string_or_comment_is_no_service() -> None:
    with pytest.raises(UsageError, match="has 0 SERVICE"):
        federated(Embedded.memory(), 'SELECT * { ?s ?p "SERVICE <http://x> {" } # SERVICE <http://x> {}', quick)


@pytest.mark.parametrize(
    "cell, written",
    [
        ({"type": "uri", "value": "urn:a"}, "<urn:a>"),
        ({"type": "uri", "value": "urn:a> . DROP ALL"}, "UNDEF"),
        ({"type": "literal", "value": 'a"b\n'}, '"a\\"b\\n"'),
        ({"type": "literal", "value": "a", "xml:lang": "en-GB"}, '"a"@en-GB'),
        ({"type": "literal", "value": "a", "xml:lang": "en } DROP ALL"}, '"a"'),
        ({"type": "typed-literal", "value": "1", "datatype": "urn:t"}, '"1"^^<urn:t>'),
        ({"type": "bnode", "value": "b0"}, "UNDEF"),
        (None, "UNDEF"),
    ],
)
def test_what_comes_back_can_do_no_harm(cell: dict[str, str] | None, written: str) -> None:
    assert term(cell) == written


def test_enrich_writes_its_own_graph_again_and_again(
    tmp_path: Path, elsewhere: Callable[[str], Any], command: Callable[..., Any]
) -> None:
    root, there = Path(shutil.copytree(HERE / "clinic", tmp_path / "own")), elsewhere(UBERGRAPH)
    words = ("link", "enrich", "--endpoint", there.url, "--set", "mondo", "--name", "extra", "--data", root)
    first, path = command(*words), root / "ontology" / "imports" / "extra.ttl"
    assert first.code == 0 and first.err.startswith("3 statements about 5 things asked for in ")
    written = path.read_text()
    assert command(*words).code == 0 and path.read_text() == written
    assert '"DOID:0060058"' in written and "127.0.0.1" in written.splitlines()[0]
    asked = command("query", "SELECT ?x { GRAPH graph:extra { ?s ?p ?x } }", "--data", root, "--format", "tsv")
    assert asked.out == "x\nDOID:0060058\n"  # label and synonym are in other graphs already
    assert command("check", "--data", root, "--quiet").out.count("two graphs") == 0


def test_enrich_says_when_nothing_is_known_there(elsewhere: Callable[[str], Any], command: Callable[..., Any]) -> None:
    said = command("link", "enrich", "--endpoint", elsewhere("").url, "--data", HERE / "clinic")
    assert said.code == 1 and said.err.endswith("knows none of the 6 things asked for; nothing was written\n")
    said = command("link", "enrich", "--endpoint", "http://127.0.0.1:9/", "--set", "mando", "--data", HERE / "clinic")
    assert (
        said.code == 2
        and "cannot enrich the set 'mando': expected one of mondo, uniprot; did you mean mondo?" in said.err
    )
