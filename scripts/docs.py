"""Write the generated documents: dictionary, questions, catalogue, notebooks, ontology, CSVW metadata, SHACL shapes.

``python scripts/docs.py`` writes them; ``--check`` only says which are stale, and exits 1.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from notebooks import NOTEBOOKS, notebooks
from ontology_page import page

from atmpkg.catalogue import json_text, turtle
from atmpkg.graph import KnowledgeGraph
from atmpkg.mapping import csvw_metadata
from atmpkg.names import DATA, ID_PATTERN, Names
from atmpkg.plots import spec_of
from atmpkg.project import Project
from atmpkg.queries import AnswerColumn, Query
from atmpkg.shapes import GENERATED, table_shapes
from atmpkg.stores import Embedded
from atmpkg.tables import Column, Table, read_tables
from atmpkg.terms import Terms

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "docs" / "catalogue"
MADE = (".md", ".ttl", ".json", ".ipynb")  # in folders where all is generated
_MADE = "<!-- made by scripts/docs.py; do not edit -->\n"


def documents() -> Iterator[tuple[Path, str]]:
    """Yield every generated document with its content."""
    project = Project.find(ROOT)
    tables = read_tables(project.tables)
    names = Names.read(project.prefixes, tables)
    yield ROOT / "docs" / "data-dictionary.md", _dictionary(tables)
    questions = dict(KnowledgeGraph(Embedded.memory(), project).questions)
    yield ROOT / "docs" / "questions.md", _index(questions)
    for pack in sorted({question.pack for question in questions.values()}):
        yield ROOT / "docs" / "questions" / f"{pack}.md", _pack(pack, questions)
    for question in questions.values():
        yield CATALOGUE / question.pack / f"{question.name}.ttl", turtle(question)
        yield CATALOGUE / question.pack / f"{question.name}.json", json_text(question)
    yield from notebooks()
    yield ROOT / "docs" / "registry" / "context.jsonld", json.dumps(names.context(), indent=1) + "\n"
    yield ROOT / "docs" / "registry" / "bioregistry.json", json.dumps(_registry(tables), indent=2) + "\n"
    metadata = json.dumps(csvw_metadata(tables, names), indent=1, ensure_ascii=False)
    yield ROOT / "data" / "tables" / "csvw-metadata.json", metadata + "\n"
    yield ROOT / "docs" / "ontology.html", page(project)
    shapes = "".join(table_shapes(tables, names, Terms.read(project.ontology)))
    yield ROOT / "ontology" / "shapes" / GENERATED, "# made by scripts/docs.py; do not edit\n" + shapes


def _registry(tables: dict[str, Table]) -> dict[str, object]:
    """Return the entry for the Bioregistry, ready to be proposed."""
    return {
        "atmpkg": {
            "name": "atmpkg: knowledge graph of advanced therapy medicinal products",
            "description": "Advanced therapy medicinal products, their decisions, indications and evidence.",
            "homepage": "https://w3id.org/atmpkg",
            "keywords": ["gene therapy", "cell therapy", "regulatory science", "pharmaceutical product"],
            "license": "CC-BY-4.0",
            "uri_format": f"{DATA}$1",
            "pattern": f"^({'|'.join(sorted(tables))})/{ID_PATTERN}$",
            "example": "product/tisagenlecleucel",
            "preferred_prefix": "atmpkg",
        }
    }


def _dictionary(tables: dict[str, Table]) -> str:
    parts = [
        "# Data dictionary\n",
        _MADE,
        "Every table of `data/tables`, as its description says it.",
        "`!` = required, `…` = several values joined with `|`.\n",
        "`unknown`, `not-applicable` and `confidential` may stand in nearly every cell.",
        "An empty cell was not looked for.\n",
    ]
    for table in tables.values():
        parts += [f"\n## {table.name}\n", f"{table.title}: {table.meaning} Class `{table.rdf_class}`.\n"]
        parts += ["| column | kind | property | meaning |", "| --- | --- | --- | --- |"]
        parts += [_column(column) for column in table.columns]
    return "\n".join(parts) + "\n"


def _column(column: Column) -> str:
    kind = column.kind + "!" * column.required + "…" * column.many
    detail = column.table or column.under or ", ".join(column.values)
    kind += f" ({detail})" if detail else ""
    return f"| {column.name} | {kind} | {f'`{column.property}`' if column.property else ''} | {column.meaning} |"


def _index(questions: dict[str, Query]) -> str:
    parts = ["# Questions\n", _MADE]
    parts += [
        "One file each in `queries/questions`; the same question as SPARQL example and as JSON description",
        "(JSON Schema of its parameters) is in `docs/catalogue`. A star marks a question with a picture (`--plot`).",
    ]
    for pack in sorted({question.pack for question in questions.values()}):
        parts += [f"\n## [{pack}](questions/{pack}.md)\n", "| question | parameters (! = required) | answers |"]
        parts.append("| --- | --- | --- |")
        for question in _of(pack, questions):
            given = " ".join(p.name.replace("_", "-") + "!" * p.required for p in question.parameters)
            star = " *" if spec_of(question.path) else ""
            link = f"[{question.name}](questions/{pack}.md#{question.name}){star}"
            parts.append(f"| {link} | {given} | {question.text('answers')} |")
    return "\n".join(parts) + "\n"


def _of(pack: str, questions: dict[str, Query]) -> list[Query]:
    return sorted((q for q in questions.values() if q.pack == pack), key=lambda q: q.name)


def _pack(pack: str, questions: dict[str, Query]) -> str:
    parts = [f"# Questions of the pack {pack}\n", _MADE]
    for question in _of(pack, questions):
        parts += [f"\n## {question.name}\n", question.text("answers"), ""]
        for key, word in (("counts", "Counts"), ("not_counted", "Does not count")):
            if text := question.text(key):
                parts += [f"{word}: {text}", ""]
        if question.parameters:
            parts += ["| parameter | type | | meaning |", "| --- | --- | --- | --- |"]
        for p in question.parameters:
            need = "required" if p.required else f"default {p.default}" if p.default else "optional"
            parts.append(f"| `{p.name.replace('_', '-')}` | {p.type} | {need} | {p.meaning} |")
        parts += [""] * bool(question.parameters)
        parts += ["| column | type | meaning |", "| --- | --- | --- |"]
        parts += [_answer_column(column) for column in question.columns]
        given = " ".join(f'"{k}={v}"' if " " in v else f"{k}={v}" for k, v in question.example.items())
        parts += ["", "```", f"atmpkg ask {question.name} {given}".rstrip(), "```", ""]
        picture = " · a picture: `--plot FILE.svg`" if spec_of(question.path) else ""
        home = f"../../queries/questions/{pack}/{question.name}.rq"
        kept = f"../catalogue/{pack}/{question.name}"
        parts.append(f"[query]({home}) · [SPARQL example]({kept}.ttl) · [JSON]({kept}.json){picture}")
    return "\n".join(parts) + "\n"


def _answer_column(column: AnswerColumn) -> str:
    kind = column.type + "…" * column.many + (" (with --with-sources)" if column.on_request else "")
    return f"| {column.name} | {kind} | {column.meaning}{f' ({column.unit})' if column.unit else ''} |"


def _left_over(made: set[Path]) -> Iterator[Path]:
    """Yield the generated files of questions that are gone."""
    for folder in (CATALOGUE, ROOT / "docs" / "questions", NOTEBOOKS):
        yield from (path for path in folder.rglob("*.*") if path.is_file() and path.suffix in MADE and path not in made)


def main() -> int:
    """Write or check; return the exit code."""
    stale, made = 0, set()
    for path, text in documents():
        made.add(path)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if "--check" in sys.argv:
            print(f"{path.relative_to(ROOT)} is stale; run: python scripts/docs.py")
            stale = 1
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    for path in _left_over(made):
        if "--check" in sys.argv:
            print(f"{path.relative_to(ROOT)} is of nothing that is left; run: python scripts/docs.py")
            stale = 1
        else:
            path.unlink()
            print(f"removed {path.relative_to(ROOT)}")
    return stale


if __name__ == "__main__":
    sys.exit(main())
