"""Write the generated documents: data dictionary, questions, page of the ontology, CSVW metadata and SHACL shapes.

``python scripts/docs.py`` writes them; ``--check`` only says which are stale, and exits 1.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from ontology_page import page

from atmpkg.graph import KnowledgeGraph
from atmpkg.mapping import csvw_metadata
from atmpkg.names import DATA, ID_PATTERN, Names
from atmpkg.project import Project
from atmpkg.queries import Query
from atmpkg.shapes import GENERATED, table_shapes
from atmpkg.stores import Embedded
from atmpkg.tables import Column, Table, read_tables
from atmpkg.terms import Terms

ROOT = Path(__file__).resolve().parent.parent
_MADE = "<!-- made by scripts/docs.py; do not edit -->\n"


def documents() -> Iterator[tuple[Path, str]]:
    """Yield every generated document with its content."""
    project = Project.find(ROOT)
    tables = read_tables(project.tables)
    names = Names.read(project.prefixes, tables)
    yield ROOT / "docs" / "data-dictionary.md", _dictionary(tables)
    yield ROOT / "docs" / "questions.md", _questions(KnowledgeGraph(Embedded.memory(), project).questions)
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


def _questions(questions: dict[str, Query]) -> str:
    parts = ["# Questions\n", _MADE]
    pack = ""
    for question in sorted(questions.values(), key=lambda q: (q.pack, q.name)):
        if question.pack != pack:
            pack = question.pack
            parts.append(f"\n## Pack {pack}\n")
        parts += [f"\n### {question.name}\n", question.text("answers"), ""]
        for key, word in (("counts", "Counts"), ("not_counted", "Does not count")):
            if text := question.text(key):
                parts += [f"{word}: {text}", ""]
        for p in question.parameters:
            need = "required" if p.required else f"default {p.default}" if p.default else "optional"
            parts.append(f"- parameter `{p.name.replace('_', '-')}` ({p.type}, {need}): {p.meaning}")
        parts += ["", "| column | meaning |", "| --- | --- |"]
        parts += [f"| {c.name} | {c.meaning}{f' ({c.unit})' if c.unit else ''} |" for c in question.columns]
    return "\n".join(parts) + "\n"


def main() -> int:
    """Write or check; return the exit code."""
    stale = 0
    for path, text in documents():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if "--check" in sys.argv:
            print(f"{path.relative_to(ROOT)} is stale; run: python scripts/docs.py")
            stale = 1
        else:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    return stale


if __name__ == "__main__":
    sys.exit(main())
