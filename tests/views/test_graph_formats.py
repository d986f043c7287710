"""Every format is read back by the tool that it is for."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import igraph
import networkx as nx
import pytest
from lxml import etree

from atmpkg.files import Out
from atmpkg.formats.graphs import FOLDERS, GRAPH_WRITERS
from atmpkg.formats.rows import flat
from atmpkg.graph import KnowledgeGraph
from atmpkg.views import Graph

Written = Callable[[Graph, str], Path]
NASTY = 'dermacel "D" & <X>; β, 皮'
IN_FILES = [name for name in GRAPH_WRITERS if name not in ("html", "png", "pdf")]


def lines(graph: Graph) -> set[tuple[str, str]]:
    return {(edge.start, edge.end) for edge in graph.edges}


def contents(path: Path) -> dict[str, bytes]:
    files = [file for file in sorted(path.rglob("*")) if file.is_file()] if path.is_dir() else [path]
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


@pytest.mark.parametrize("format", IN_FILES)
def test_the_same_graph_gives_the_same_bytes(small: KnowledgeGraph, tmp_path: Path, format: str) -> None:
    for name in ("one", "two"):
        with Out(tmp_path / name) as out:
            GRAPH_WRITERS[format](small.graph("regulatory-timeline"), out)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_networkx_and_igraph_read_graphml(ptd: Graph, written: Written) -> None:
    path = written(ptd, "graphml")
    read = nx.read_graphml(path, force_multigraph=True)
    assert set(read) == {node.id for node in ptd.nodes}
    assert set(read.edges()) == lines(ptd)
    assert read.nodes["product:dermacel"]["label"] == NASTY
    assert read.edges["product:anacel", "target:CD19", "mechanism:anacel-1/acts_on"]["sources"] == "paper|register"
    assert "authorised_in" not in read.nodes["product:dermacel"]  # unknown is absent
    other = igraph.Graph.Read_GraphML(str(path))
    assert (other.vcount(), other.ecount()) == (len(ptd.nodes), len(list(ptd.edges)))
    assert NASTY in other.vs["label"]


def test_graphml_declares_every_key_that_it_uses(history: Graph, written: Written) -> None:
    space = {"g": "http://graphml.graphdrawing.org/xmlns"}
    root = etree.parse(written(history, "graphml")).getroot()
    keys = {(key.get("for"), key.get("id")): key.get("attr.type") for key in root.iterfind("g:key", space)}
    used = {(data.getparent().tag.split("}")[1], data.get("key")) for data in root.iterfind(".//g:data", space)}
    assert used <= keys.keys() and set(keys.values()) <= {"string", "long", "double", "boolean"}


def test_networkx_reads_gexf_with_its_slices(history: Graph, written: Written) -> None:
    path = written(history, "gexf")
    read = nx.read_gexf(path)
    assert set(read) == {node.id for node in history.nodes} and set(read.edges()) == lines(history)
    root = etree.parse(path).getroot()
    space = {"g": "http://gexf.net/1.3"}
    assert root.get("version") == "1.3"
    (graph,) = root.iterfind("g:graph", space)
    assert (graph.get("mode"), graph.get("timeformat")) == ("dynamic", "date")
    slices = {
        (edge.get("source"), edge.get("label")): (edge.get("start"), edge.get("end"))
        for edge in graph.iterfind("g:edges/g:edge[@kind='status']", space)
    }
    assert slices["product:bencel", "authorised"] == ("2020-03-02", "2022-05-04")  # the last day is included
    assert slices["product:bencel", "withdrawn"] == ("2022-05-05", None)
    declared = {(a.getparent().get("class"), a.get("id")) for a in graph.iterfind("g:attributes/g:attribute", space)}
    used = {(v.getparent().getparent().tag.split("}")[1], v.get("for")) for v in graph.iterfind(".//g:attvalue", space)}
    assert used <= declared


def test_cytoscape_js_loads_the_json(ptd: Graph, written: Written, tool: Callable[..., str], library: Path) -> None:
    path = written(ptd, "cyjs")
    script = (
        f"const cy = require({json.dumps(str(library))})("
        f"{{headless: true, ...JSON.parse(require('fs').readFileSync({json.dumps(str(path))}))}});"
        "const ana = cy.getElementById('product:anacel');"
        "console.log(JSON.stringify([cy.nodes().length, cy.edges().length, ana.neighborhood('node').map(n => n.id()),"
        " cy.edges().filter(e => e.data('kind') === 'acts_on')[0].data('sources'),"
        " cy.getElementById('product:dermacel').data('name')]));"
    )
    nodes, edges, near, sources, name = json.loads(tool("node", "-e", script))
    assert (nodes, edges) == (len(ptd.nodes), len(list(ptd.edges)))
    assert sorted(near) == ["disease:lymphoma", "target:CD19"]
    assert (sources, name) == (["paper", "register"], NASTY)


@pytest.mark.parametrize("name", ["product-target-disease", "product-disease-jurisdiction", "mapping-network"])
@pytest.mark.parametrize("format", ["kgx", "kgx-jsonl"])
def test_kgx_is_valid_against_the_biolink_model(
    small: KnowledgeGraph, written: Written, biolink: dict[str, dict[str, object]], name: str, format: str
) -> None:
    nodes, edges = read_kgx(written(small.graph(name), format))
    known = {f"biolink:{word.replace(' ', '_')}" for word in biolink["slots"]}
    classes = {"biolink:" + "".join(w[:1].upper() + w[1:] for w in word.split()) for word in biolink["classes"]}
    enums = biolink["enums"]
    assert {node["category"] for node in nodes} <= classes
    assert {edge["predicate"] for edge in edges} <= known
    assert {edge["knowledge_level"] for edge in edges} <= set(enums["KnowledgeLevelEnum"]["permissible_values"])  # type: ignore[index]
    assert {edge["agent_type"] for edge in edges} <= set(enums["AgentTypeEnum"]["permissible_values"])  # type: ignore[index]
    ids = {node["id"] for node in nodes}
    assert {end for edge in edges for end in (edge["subject"], edge["object"])} <= ids
    assert all(re.fullmatch(r"[A-Za-z][\w.-]*:\S+", id) for id in ids)
    assert {edge["primary_knowledge_source"] for edge in edges} == {"infores:atmpkg"}


def read_kgx(folder: Path) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    def read(name: str) -> list[dict[str, str]]:
        path = next(folder.glob(f"{name}.*"))
        with path.open(encoding="utf-8", newline="") as file:
            if path.suffix == ".tsv":
                return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
            return [{k: v[0] if k == "category" else v for k, v in json.loads(line).items()} for line in file]

    return read("nodes"), read("edges")


def test_what_rules_derive_is_marked_in_kgx(small: KnowledgeGraph, written: Written) -> None:
    _, edges = read_kgx(written(small.graph("product-disease-jurisdiction"), "kgx"))
    marks = {(edge["kind"], edge["knowledge_level"], edge["agent_type"]) for edge in edges}
    assert marks == {
        ("authorised_in", "logical_entailment", "automated_agent"),
        ("indicated_for", "knowledge_assertion", "manual_agent"),
    }
    assert {(e["valid_from"], e["valid_until"]) for e in edges if e["object"] == "disease:leukaemia"} == set()


def test_neo4j_headers_obey_the_grammar_of_the_import_tool(history: Graph, written: Written) -> None:
    folder = written(history, "neo4j")
    types = "int|long|float|double|boolean|byte|short|char|string|date|localtime|time|localdatetime|datetime|duration"
    word = re.compile(rf"\w+:({types})(\[\])?|\w*:ID(\(\w+\))?|:LABEL|:START_ID|:END_ID|:TYPE")
    tables = {}
    for name in ("nodes", "edges"):
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            header, *tables[name] = csv.reader(file)
            assert all(word.fullmatch(column) for column in header), header
            assert {len(row) for row in tables[name]} == {len(header)}
            assert len(set(header)) == len(header)
    ids = {row[0] for row in tables["nodes"]}
    assert {end for row in tables["edges"] for end in row[1:3]} <= ids
    assert {row[3] for row in tables["edges"]} == {"STATUS", "UNDERWENT", "DECIDED_FOR"}
    assert {row[2] for row in tables["nodes"]} == {"Product", "Jurisdiction", "Decision"}


def test_duckdb_pandas_and_polars_read_parquet(ptd: Graph, written: Written) -> None:
    import duckdb
    import pandas as pd
    import polars as pl

    folder = written(ptd, "parquet")
    found = duckdb.sql(
        f"SELECT n.label, e.sources FROM '{folder}/edges.parquet' e JOIN '{folder}/nodes.parquet' n ON n.id = e.target "
        "WHERE e.source = 'product:anacel' AND e.kind = 'acts_on'"
    ).fetchall()
    assert found == [("CD19", ["paper", "register"])]
    nodes = pd.read_parquet(folder / "nodes.parquet")
    assert nodes.set_index("id").loc["product:dermacel", "label"] == NASTY
    edges = pl.read_parquet(folder / "edges.parquet")
    assert edges.height == len(list(ptd.edges)) and edges["valid_until"].null_count() == edges.height
    tables = sorted(path.stem for path in (folder / "tables").glob("*.parquet"))
    assert tables == ["disease", "mechanism", "product", "target"]
    assert pl.read_parquet(folder / "tables" / "product.parquet")["id"].to_list() == [
        "anacel",
        "bencel",
        "corvec",
        "dermacel",
    ]


def test_the_whole_graph_carries_every_table(small: KnowledgeGraph, written: Written) -> None:
    folder = written(small.graph("whole-graph"), "parquet")
    assert {path.stem for path in (folder / "tables").glob("*.parquet")} == small.tables.keys()


def test_pandas_reads_the_edge_list_and_networkx_takes_it(ptd: Graph, written: Written) -> None:
    import pandas as pd

    table = pd.read_csv(written(ptd, "tsv"), sep="\t", quoting=csv.QUOTE_NONE)
    assert set(nx.from_pandas_edgelist(table, create_using=nx.MultiDiGraph).edges()) == lines(ptd)
    assert NASTY in set(table["source_label"])


def test_graphviz_reads_dot(ptd: Graph, written: Written, tool: Callable[..., str]) -> None:
    plain = tool("dot", "-Tjson", written(ptd, "dot"))
    read = json.loads(plain)
    assert {node["name"] for node in read["objects"]} == {node.id for node in ptd.nodes}
    assert NASTY in {node["label"] for node in read["objects"]}
    assert len(read["edges"]) == len(list(ptd.edges))


def test_mermaid_numbers_what_it_would_read_as_its_own(ptd: Graph, written: Written) -> None:
    text = written(ptd, "mermaid").read_text(encoding="utf-8")
    nodes = re.findall(r'^  (n\d+)\["([^"]*)"\]:::kind\d$', text, re.MULTILINE)
    arrows = re.findall(r'^  (n\d+) -->\|"([^"]*)"\| (n\d+)$', text, re.MULTILINE)
    assert len(nodes) == len(ptd.nodes) and len(arrows) == len(list(ptd.edges))
    assert "dermacel #34;D#34; #38; #60;X#62;#59; β, 皮" in dict(nodes).values()


@pytest.mark.filterwarnings("ignore:Dataset|ConjunctiveGraph:DeprecationWarning")  # rdflib calls what it deprecates
@pytest.mark.parametrize(
    ("format", "syntax"),
    [("ttl", "turtle"), ("rdfxml", "xml"), ("nq", "nquads"), ("trig", "trig"), ("jsonld", "json-ld")],
)
def test_rdflib_and_oxigraph_read_every_rdf_syntax_alike(
    small: KnowledgeGraph, ptd: Graph, written: Written, format: str, syntax: str
) -> None:
    import pyoxigraph as ox
    from rdflib import Dataset
    from rdflib import Graph as Triples
    from rdflib.compare import isomorphic

    path = written(ptd, format)
    named = format in ("nq", "trig", "jsonld")
    expected = {str(quad if named else quad.triple) for quad in ptd.quads}
    formats = {"ttl": "TURTLE", "rdfxml": "RDF_XML", "nq": "N_QUADS", "trig": "TRIG", "jsonld": "JSON_LD"}
    read = list(ox.parse(path=str(path), format=getattr(ox.RdfFormat, formats[format])))
    assert {str(quad if named else quad.triple) for quad in read} == expected
    ours = Triples().parse(data="\n".join(f"{quad.triple} ." for quad in ptd.quads), format="nt")
    theirs = Triples()
    dataset = Dataset()
    dataset.parse(data=path.read_bytes(), format=syntax)
    for statement in dataset.quads():
        theirs.add(statement[:3])
    assert isomorphic(ours, theirs)


def test_json_ld_has_a_context_of_our_prefixes(ptd: Graph, written: Written) -> None:
    document = json.loads(written(ptd, "jsonld").read_text(encoding="utf-8"))
    assert document["@context"]["product"]["@id"] == "https://w3id.org/atmpkg/id/product/"
    told = [item for block in document["@graph"] for item in block["@graph"] if item["@id"] == "product:anacel"]
    assert told[0]["@type"] == ["atmp:Product"]


def test_rdf_holds_the_rows_and_the_dates_that_they_name(small: KnowledgeGraph) -> None:
    subjects = {
        quad.subject.value.split("/id/")[-1] for quad in small.graph("regulatory-timeline", product="corvec").quads
    }
    assert {"product/corvec", "decision/corvec-us-grant", "jurisdiction/US", "date/2022-11"} <= subjects
    assert any(subject.startswith("status-interval/corvec") for subject in subjects)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (True, "true"), (3, "3"), (2.50, "2.5"), ("2024-05", "2024-05"), (("a", "b"), "a|b")],
)
def test_values_become_plain_by_one_rule(value: object, text: str) -> None:
    assert flat(value) == text  # type: ignore[arg-type]


def test_every_format_of_several_files_is_a_folder(ptd: Graph, written: Written) -> None:
    found = {name for name in IN_FILES if written(ptd, name).is_dir()}
    assert found == set(FOLDERS)


def test_characters_that_xml_cannot_hold_are_dropped() -> None:
    from atmpkg.formats.graphml import text

    assert text("a\x00b\x1f<c>") == "ab&lt;c&gt;"
    assert etree.parse(io.BytesIO(f"<a>{text(chr(0xFFFE) + 'x')}</a>".encode())).getroot().text == "x"
