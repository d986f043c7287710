"""More data: the shipped tables with each product and its rows copied, the same on every run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from atmpkg.build import Built, build
from atmpkg.project import Project
from atmpkg.tables import Column, Row, Table, read_rows, read_tables

_NAMING = ("rdfs:label", "skos:altLabel", "atmp:fullName")
_ALL = 10**12  # bytes: everything is kept in memory
_QUADS = 1_000_000


def grown_once(project: Project, work: Path, small: Built) -> tuple[Project, Built]:
    """Return our own data grown to about a million quads, and their build in memory; made at the first call.

    ``small``: the build of the data as they are, of which two sizes tell how much a copy adds.
    """
    root = work / "grown"
    if root.exists():
        big = Project(root, project.home)
        return big, build(big, work / "grown-store", most_in_memory=_ALL)
    twice = build(grown(project, work / "twice", 2), work / "twice-store", most_in_memory=_ALL)
    times = 1 + round((_QUADS - small.quads) / (twice.quads - small.quads))
    big = grown(project, root, max(2, times))
    return big, build(big, work / "grown-store", most_in_memory=_ALL)


def grown(project: Project, root: Path, times: int) -> Project:
    """Write a project with ``times`` as many products, and rows about them, as the given one."""
    folder = root / "data" / "tables"
    folder.mkdir(parents=True)
    tables = read_tables(project.tables)
    rows = {table.name: [row for row in read_rows(table) if isinstance(row, Row)] for table in tables.values()}
    about = _about_products(tables, rows)
    for table in tables.values():
        lines = ["\t".join(column.name for column in table.columns), *("\t".join(r.cells) for r in rows[table.name])]
        for copy in range(1, times):
            lines += _copies(table, rows[table.name], about, f"-x{copy}")
        (folder / f"{table.name}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    for path in project.tables[-1].glob("*.yaml"):
        shutil.copy(path, folder)
    shutil.copytree(project.root / "ontology", root / "ontology")
    if (project.root / "queries").is_dir():
        shutil.copytree(project.root / "queries", root / "queries")
    return Project(root, project.home)


def _about_products(tables: dict[str, Table], rows: dict[str, list[Row]]) -> set[str]:
    """Return the products and the rows that are about one, straight or through another row, as table:id."""
    about: set[str] = set()
    while True:
        more = {
            _key(table, row)
            for table in tables.values()
            for row in rows[table.name]
            if table.name == "product" or any(target in about for target in _targets(table, row))
        }
        if more == about:
            return about
        about = more


def _key(table: Table, row: Row) -> str:
    return f"{table.name}:{row.cells[[column.kind for column in table.columns].index('id')]}"


def _targets(table: Table, row: Row) -> Iterator[str]:
    for column, cell in zip(table.columns, row.cells, strict=True):
        if cell and column.kind in ("row", "any-row"):
            yield from (_target(column, part) for part in _parts(column, cell))


def _target(column: Column, part: str) -> str:
    return part if column.kind == "any-row" else f"{column.table}:{part}"


def _parts(column: Column, cell: str) -> list[str]:
    return cell.split("|") if column.many else [cell]


def _copies(table: Table, rows: list[Row], about: set[str], mark: str) -> Iterator[str]:
    """Yield the rows about products again, under other ids, names and references."""
    for row in rows:
        if _key(table, row) in about:
            yield "\t".join(_copied(c, cell, about, mark) for c, cell in zip(table.columns, row.cells, strict=True))


def _copied(column: Column, cell: str, about: set[str], mark: str) -> str:
    match column.kind:
        case _ if not cell:
            return cell
        case "id":
            return cell + mark
        case "row" | "any-row":
            return "|".join(p + mark if _target(column, p) in about else p for p in _parts(column, cell))
        case "text" if column.property in _NAMING:
            return "|".join(part + mark for part in _parts(column, cell))
        case _:
            return cell
