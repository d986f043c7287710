"""The commands ``atmpkg link ...``: check, coverage, import, enrich and ask."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from atmpkg.errors import UsageError, nearest, one_of, quoted

link = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Links to other vocabularies: check them, count them, import what lies above them, ask elsewhere.",
)
Data = Annotated[Path | None, typer.Option(help="Folder of a project (with data/tables) instead of this one.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No remarks on stderr.")]
Format = Annotated[str, typer.Option("--format", "-f", help="table, tsv, csv, json, jsonl or md.")]
Sets = Annotated[list[str] | None, typer.Option("--set", help="Only this mapping set; may be repeated.")]
_OPEN = {"allow_extra_args": True, "ignore_unknown_options": True}


@link.command()
def check(
    against: Annotated[
        list[Path] | None, typer.Option(help="OBO, OWL, Turtle, obographs JSON or TSV file(s); else the evidence kept.")
    ] = None,
    more: Annotated[list[Path] | None, typer.Argument(help="Further files.", show_default=False)] = None,
    data: Data = None,
    quiet: Quiet = False,
) -> None:
    """Find ids that are missing or obsolete and labels that drifted.  Example: atmpkg link check --against mondo.obo"""
    from atmpkg.cli import say
    from atmpkg.names import Names
    from atmpkg.project import Project
    from atmpkg.proofs import faults, uncovered
    from atmpkg.references import References

    project = Project.find(data)
    files = [*(against or ()), *(more or ())] or [project.mappings / "evidence.tsv"]
    known = References.read(files, Names.read(project.prefixes))
    paths = sorted(project.mappings.glob("*.sssom.tsv"))
    found = 0
    for problem in faults(paths, known):
        print(problem)
        found += 1
    if not quiet:
        left = uncovered(paths, known)
        listed = ", ".join(f"{prefix} ({count})" for prefix, count in sorted(left.items()))
        say(f"{found} problem{'' if found == 1 else 's'} in {len(paths)} mapping sets")
        if left:
            say(f"not covered by these files: {listed}")
    raise typer.Exit(1 if found else 0)


@link.command()
def coverage(
    kind: Annotated[str, typer.Argument(help="Kind of thing, such as disease; all when omitted.")] = "",
    format: Format = "",
    data: Data = None,
    quiet: Quiet = False,
) -> None:
    """Count how well each kind of thing is linked to each vocabulary.  Example: atmpkg link coverage disease"""
    from atmpkg.cli import _open, _print

    _print(_open(data, None, quiet).ask("mapping-coverage", kind=kind or None), format)


@link.command(name="import")
def import_(
    name: Annotated[str, typer.Argument(help="Mapping set whose vocabulary is sliced: mondo, cl.")],
    source: Annotated[list[Path], typer.Option("--from", help="Local copy of it: OBO, OWL, obographs JSON or TSV.")],
    data: Data = None,
    quiet: Quiet = False,
) -> None:
    """Write the slice of a vocabulary above our terms.  Example: atmpkg link import mondo --from mondo.obo"""
    from atmpkg.cli import say
    from atmpkg.linking import read_sets
    from atmpkg.names import Names
    from atmpkg.project import Project
    from atmpkg.references import References
    from atmpkg.slices import import_slice

    project = Project.find(data)
    sets = read_sets(project.mappings)
    if name not in sets or not sets[name].licence:
        known = [key for key, about in sets.items() if about.licence]
        raise UsageError(f"cannot import {quoted(name)}: expected {one_of(known, 30)}{nearest(name, known)}")
    names = Names.read(project.prefixes)
    known_terms = References.read(source, names)
    count = import_slice(name, sets[name], project.mappings, project.imports, known_terms, names)
    if not quiet:
        say(f"{count} terms in {project.imports / f'{name}.ttl'}")


@link.command()
def enrich(
    endpoint: Annotated[str, typer.Option(help="Address of a SPARQL endpoint.")],
    sets: Sets = None,
    name: Annotated[str, typer.Option(help="Name of the file and graph; else made of the address.")] = "",
    timeout: Annotated[int, typer.Option(help="Seconds to wait for each answer.")] = 30,
    data: Data = None,
    quiet: Quiet = False,
) -> None:
    """Bring labels and cross-references of linked terms home.  Example: atmpkg link enrich --endpoint https://..."""
    from atmpkg.cli import say
    from atmpkg.federation import Endpoint, enriched
    from atmpkg.linking import mapped
    from atmpkg.names import Names
    from atmpkg.project import Project

    project = Project.find(data)
    names = Names.read(project.prefixes)
    known = {path.name.removesuffix(".sssom.tsv"): path for path in sorted(project.mappings.glob("*.sssom.tsv"))}
    for wanted in sets or ():
        if wanted not in known:
            raise UsageError(
                f"cannot enrich the set {quoted(wanted)}: expected {one_of(known, 30)}{nearest(wanted, known)}"
            )
    things = sorted({names.expand(id) for key in sets or known for id in mapped(known[key])})
    lines = list(enriched(things, Endpoint(endpoint, timeout=timeout)))
    path = project.imports / f"{name or f'enriched-{_host(endpoint)}'}.ttl"
    if not lines:
        say(f"{endpoint} knows none of the {len(things)} things asked for; nothing was written")
        raise typer.Exit(1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"# Made by atmpkg link enrich from {endpoint}; do not edit.\n{''.join(lines)}", encoding="utf-8")
    if not quiet:
        say(f"{len(lines)} statements about {len(things)} things asked for in {path}")


def _host(endpoint: str) -> str:
    from urllib.parse import urlsplit

    return (urlsplit(endpoint).hostname or "endpoint").replace(".", "-")


@link.command(context_settings=_OPEN)
def ask(
    ctx: typer.Context,
    question: Annotated[str, typer.Argument(help="Federated question; all are listed when omitted.")] = "",
    endpoint: Annotated[str, typer.Option(help="Another endpoint instead of the public one.")] = "",
    timeout: Annotated[int, typer.Option(help="Seconds to wait for each answer.")] = 30,
    format: Format = "",
    data: Data = None,
    quiet: Quiet = False,
) -> None:
    """Ask a question that goes out to a public endpoint.  Example: atmpkg link ask protein-functions target=CD19"""
    from atmpkg.cli import _open, _print, given, say

    kg = _open(data, None, quiet)
    if not question:
        for name, query in sorted(kg.federated.items()):
            print(f"{name}\t{query.title}")
        return
    parameters = given(ctx.args)
    say(f"asking {endpoint or 'the public endpoint'} (needs a connection)")
    answer = kg.ask_elsewhere(question, endpoint=endpoint, timeout=timeout, **parameters)
    _print(answer, format)
