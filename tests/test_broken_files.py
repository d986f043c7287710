"""Whatever is wrong with a file of a project, the message names that file and no traceback reaches the user."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atmpkg.build import check
from atmpkg.errors import AtmpkgError
from atmpkg.project import Project

MINIMAL = Path(__file__).parent / "minimal"
YAML = "title: G\nmeaning: g\nclass: {cls}\ncolumns:\n  id: {{kind: id}}\n  a: {{{a}}}\n"
SSSOM = "subject_id\tpredicate_id\tobject_id\tobject_label\tmapping_justification\n"
PREFIXES = (MINIMAL / "ontology" / "prefixes.yaml").read_text(encoding="utf-8")


def described(a: str = "kind: text, property: atmp:b", cls: str = "atmp:G") -> str:
    return YAML.format(a=a, cls=cls)


BROKEN: dict[str, tuple[str, str | bytes]] = {
    "class with an unknown prefix": ("data/tables/g.yaml", described(cls="foo:G")),
    "property with an unknown prefix": ("data/tables/g.yaml", described("kind: text, property: foo:b")),
    "property that is no IRI": ("data/tables/g.yaml", described("kind: text, property: 'atmp:b c'")),
    "term below an unknown prefix": ("data/tables/g.yaml", described("kind: term, under: foo:X, property: atmp:b")),
    "term below nothing": ("data/tables/g.yaml", described("kind: term, under: atmp:Nothing, property: atmp:b")),
    "values that are a number": ("data/tables/g.yaml", described("kind: code, values: 3, property: atmp:b")),
    "values that are one text": ("data/tables/g.yaml", described("kind: code, values: abc, property: atmp:b")),
    "values that YAML takes for booleans": (
        "data/tables/g.yaml",
        described("kind: code, values: [yes, no], property: atmp:b"),
    ),
    "columns that are a list": ("data/tables/g.yaml", "title: G\nmeaning: g\nclass: atmp:G\ncolumns: [id]\n"),
    "with that is a list": ("data/tables/g.yaml", described() + "with: [sourced]\n"),
    "no YAML at all": ("data/tables/g.yaml", ""),
    "YAML in Latin-1": ("data/tables/g.yaml", b"title: \xe9\n"),
    "shared columns that are text": ("data/tables/shared.yaml", "sourced: hello\n"),
    "prefix without uri": ("ontology/prefixes.yaml", PREFIXES + "X: {}\n"),
    "prefix that is text": ("ontology/prefixes.yaml", PREFIXES + "X: http://example.org/\n"),
    "prefix with a broken pattern": ("ontology/prefixes.yaml", PREFIXES + "X: {uri: 'http://x/', pattern: '['}\n"),
    "no prefixes": ("ontology/prefixes.yaml", ""),
    "Turtle in UTF-16": ("ontology/tiny.ttl", b"\xff\xfe"),
    "mappings in UTF-16": ("ontology/mappings/x.sssom.tsv", b"\xff\xfe"),
    "mappings with a byte order mark": ("ontology/mappings/x.sssom.tsv", "\ufeff" + SSSOM),
    "mappings with carriage returns": ("ontology/mappings/x.sssom.tsv", SSSOM.replace("\n", "\r\n")),
    "mappings with a control character": (
        "ontology/mappings/x.sssom.tsv",
        SSSOM + "product:alfacel\tskos:exactMatch\tMONDO:0000001\td\x07\tsemapv:ManualMappingCuration\n",
    ),
    "mappings without a header": ("ontology/mappings/x.sssom.tsv", ""),
    "mapping without a justification": (
        "ontology/mappings/x.sssom.tsv",
        SSSOM + "product:alfacel\tskos:exactMatch\tMONDO:0000001\td\tnonsense\n",
    ),
    "rule that is no SPARQL": ("queries/rules/r.rq", "#+ stratum: 1\nCONSTRUCT { ?s ?p } WHERE {}\n"),
    "rule without a stratum": ("queries/rules/r.rq", "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }\n"),
    "rule that selects": ("queries/rules/r.rq", "#+ stratum: 1\nSELECT * { ?s ?p ?o }\n"),
    "rule in UTF-16": ("queries/rules/r.rq", b"\xff\xfe"),
    "check without place": ("queries/checks/c.rq", "SELECT ?x { VALUES ?x { 1 } } ORDER BY ?x\n"),
    "check with a broken header": ("queries/checks/c.rq", "#+ {\nSELECT ?place { } ORDER BY ?place\n"),
    "parameter values that are a number": (
        "queries/checks/c.rq",
        "#+ parameters:\n#+   a: {type: code, values: 3}\nSELECT ?place { VALUES ?a { 1 } } ORDER BY ?place\n",
    ),
}


@pytest.mark.parametrize("file, content", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_named(file: str, content: str | bytes, tmp_path: Path) -> None:
    root = Path(shutil.copytree(MINIMAL, tmp_path / "project"))
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        said = "\n".join(str(problem) for problem in check(Project(root, home=root)))
    except AtmpkgError as error:
        said = str(error)
    assert path.name in said


@settings(max_examples=25)
@given(st.binary(max_size=80), st.sampled_from(["data/tables/product.tsv", "ontology/mappings/x.sssom.tsv"]))
def test_no_bytes_crash_a_check(content: bytes, file: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        root = Path(shutil.copytree(MINIMAL, Path(folder) / "project"))
        (root / file).parent.mkdir(exist_ok=True)
        (root / file).write_bytes(content)
        assert all(str(problem) for problem in check(Project(root, home=root)))
