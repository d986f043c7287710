"""The command line: data on stdout, remarks on stderr; exit 0 right, 1 problems, 2 wrong use, 3 could not be done."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from atmpkg import __version__
from atmpkg.errors import AtmpkgError, UsageError, nearest, one_of, quoted

if TYPE_CHECKING:
    from atmpkg.answers import Answer
    from atmpkg.graph import KnowledgeGraph
    from atmpkg.queries import Query

_EXAMPLES = """Examples:

\b
  atmpkg build                        build the graph from the tables
  atmpkg check                        every problem with file, line and column
  atmpkg questions approval-lag       one question explained
  atmpkg tables                       what is known, and until when
  atmpkg ask authorised-products jurisdiction=EU as-of=2022-01-01
  atmpkg ask changes-between since=2026-01-01 --format tsv
  atmpkg query 'SELECT * { ?s a atmp:Product } LIMIT 3'
  atmpkg draw company-network --out companies.svg
  atmpkg find "beta thalassaemia"     search by any name
  atmpkg show Kymriah                 one product on one page
  atmpkg explain decision:tisagenlecleucel-eu-grant
  atmpkg classify darvadstrocel       what it is by law, and why
  atmpkg serve                        a SPARQL endpoint with a query page
  atmpkg link coverage disease        how well diseases are linked to other vocabularies

\b
Exit codes: 0 right, 1 problems found, 2 wrong use, 3 could not be done.
"""


class _InOrder(click.Group):
    """A group that lists its commands as they stand here: what is done first comes first."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


_SETTINGS = {"help_option_names": ["-h", "--help"], "show_default": True}
_OPEN = {"allow_extra_args": True, "ignore_unknown_options": True}
_PATH = click.Path(path_type=Path)
_FORMAT = "table, tsv, csv, json, jsonl or md; table on a terminal, else tsv."
_data = click.option("--data", type=_PATH, help="Folder of a project (with data/tables) instead of this one.")
_store = click.option("--store", help="Folder or web address (SPARQL endpoint) of a store made by build --store.")
_quiet = click.option("--quiet", "-q", is_flag=True, help="No remarks on stderr.")
_out = click.option("--out", "-o", type=_PATH, help="File to write, in the format that its name ends with.")


def _format_option(help: str = _FORMAT) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option("--format", "-f", default="", show_default=False, help=help)


@click.group(cls=_InOrder, no_args_is_help=True, context_settings=_SETTINGS, epilog=_EXAMPLES)
@click.version_option(__version__, message="atmpkg %(version)s", help="Print the version and stop.")
def app() -> None:
    """Open knowledge graph of Advanced Therapy Medicinal Products: status and history, each fact with its source."""


def say(line: str) -> None:
    """Write a remark to stderr."""
    print(line, file=sys.stderr, flush=True)


def _open(data: Path | None, store: str | None, quiet: bool, *, briefly: bool = False) -> KnowledgeGraph:
    """Open the graph; ``briefly`` where little of it is asked."""
    from atmpkg.graph import KnowledgeGraph

    return KnowledgeGraph.open(data=data, store=store, briefly=briefly, say=_warn if quiet else say)


def _warn(line: str) -> None:
    """Write a warning to stderr and drop any other remark."""
    if line.startswith("warning"):
        say(line)


@app.command()
@_data
@_store
@click.option("--engine", default="local", help="local, or spark (needs Java and atmpkg[spark]), with --out.")
@click.option("--out", "-o", type=_PATH, help="New folder for the shards of --engine spark.")
@_quiet
def build(data: Path | None, store: str | None, engine: str, out: Path | None, quiet: bool) -> None:
    """Build the graph from the tables.  Example: atmpkg build --store ./store"""
    if engine not in ("local", "spark"):
        raise UsageError(f"cannot build with {quoted(engine)}: expected local or spark.")
    if (engine == "spark") != (out is not None) or (out and store):
        raise UsageError("cannot build so: --engine spark takes --out, and no --store; --out goes with it alone.")
    if out:
        _shards(data, out, quiet)
        return
    from atmpkg.build import build as make
    from atmpkg.build import send
    from atmpkg.project import Project
    from atmpkg.stores import is_address

    project = Project.find(data)
    address = store if store and is_address(store) else ""
    if address:
        built = send(project, address, (lambda line: None) if quiet else say)
    else:
        built = make(project, Path(store) if store else project.cache, progress=None if quiet else _progress())
    if not quiet:
        rows, inferred = sum(built.rows.values()), sum(built.inferred.values())
        say(f"built {built.quads:,} quads from {rows:,} rows ({inferred:,} inferred) in {address or built.folder}")


def _progress() -> Callable[[int, int], None] | None:
    """Return what writes progress over and over on one line of a terminal; nothing where there is none."""
    if not sys.stderr.isatty():
        return None
    start = time.monotonic()

    def tell(done: int, total: int) -> None:
        left = (time.monotonic() - start) * (total - done) / max(1, done)
        print(f"\r{done:,} of {total:,} rows, {left:.0f} s left \033[K", end="", file=sys.stderr, flush=True)
        if total - done < 5000:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    return tell


def _shards(data: Path | None, out: Path, quiet: bool) -> None:
    from atmpkg.clusters import build_on_spark
    from atmpkg.project import Project

    rows = build_on_spark(Project.find(data), out)
    if not quiet:
        say(f"wrote the quads of {sum(rows.values()):,} rows and of the ontology in {out}; the rules are not run")


@app.command()
@click.option("--shacl", is_flag=True, help="Validate with the SHACL shapes too.")
@_data
@_store
@_quiet
def check(shacl: bool, data: Path | None, store: str | None, quiet: bool) -> None:
    """Validate tables, links and rules without keeping anything.  Example: atmpkg check --shacl"""
    from atmpkg.build import check as problems
    from atmpkg.project import Project

    found = 0
    project = Project.find(data)
    built = _open(data, store, quiet).store if store else None
    for problem in problems(project, shacl=shacl, store=built):
        print(problem)
        found += 1
    if not quiet:
        say(f"{found} problem{'' if found == 1 else 's'}")
    raise click.exceptions.Exit(1 if found else 0)


@app.command()
@click.argument("name", required=False, help="One question, explained.")
@_data
@_format_option()
def questions(name: str | None, data: Path | None, format: str) -> None:
    """List what can be asked, or explain one question.  Example: atmpkg questions approval-lag"""
    from atmpkg.answers import Answer, Remarks
    from atmpkg.graph import KnowledgeGraph
    from atmpkg.project import Project
    from atmpkg.queries import AnswerColumn
    from atmpkg.stores import Embedded

    kg = KnowledgeGraph(Embedded.memory(), Project.find(data))
    if name:
        _explain_question(kg.question(name))
        return
    columns = tuple(AnswerColumn(c) for c in ("pack", "question", "parameters", "answers"))
    rows = tuple(
        (q.pack, q.name, " ".join(p.name.replace("_", "-") + "!" * p.required for p in q.parameters), q.text("answers"))
        for q in sorted(kg.questions.values(), key=lambda q: (q.pack, q.name))
    )
    _print(Answer("questions", "What can be asked", columns, rows, Remarks(release=__version__)), format)
    say("! = must be given · explained one by one: atmpkg questions NAME")


def _explain_question(question: Query) -> None:
    print(f"{question.title}\n{question.text('answers')}")
    for key, word in (("counts", "Counts"), ("not_counted", "Does not count")):
        if text := question.text(key):
            print(f"{word}: {text}")
    print("\nParameters")
    for p in question.parameters:
        note = "required" if p.required else f"default {p.default}" if p.default else "optional"
        print(f"  {p.name.replace('_', '-'):<14}{p.meaning} ({p.type}, {note})")
    print("\nColumns")
    for c in question.columns:
        print(f"  {c.name:<18}{c.meaning}{f' ({c.unit})' if c.unit else ''}")
    example = question.header.get("example")
    given = " ".join(_quoted_pair(str(k), str(v)) for k, v in example.items()) if isinstance(example, dict) else ""
    print(f"\nExample\n  atmpkg {question.verb} {question.name} {given}".rstrip())


def _quoted_pair(key: str, value: str) -> str:
    pair = f"{key}={value}"
    return f'"{pair}"' if " " in pair else pair


@app.command(context_settings=_OPEN)
@click.pass_context
@click.argument("question", help="Name of the question; see atmpkg questions.")
@_format_option("table, tsv, csv, json, jsonl, md, parquet or xlsx; table on a terminal, else tsv.")
@_out
@click.option("--plot", type=_PATH, help="Draw the picture of the question: svg, png, pdf, html or json.")
@click.option(
    "--with-sources", is_flag=True, help="List title and URL of every source; with --out, in a file beside it."
)
@click.option("--sparql", is_flag=True, help="Print the SPARQL alone, and stop.")
@click.option("--explain", is_flag=True, help="Print what is asked and the SPARQL with the values filled in, and stop.")
@_data
@_store
@_quiet
def ask(
    ctx: click.Context,
    question: str,
    format: str,
    out: Path | None,
    plot: Path | None,
    with_sources: bool,
    sparql: bool,
    explain: bool,
    data: Path | None,
    store: str | None,
    quiet: bool,
) -> None:
    """Answer a question.  Example: atmpkg ask authorised-products jurisdiction=EU as-of=2022-01-01"""
    parameters = given(ctx.args)
    format = _format(format, out)
    if plot:
        from atmpkg.plots import picture_format

        picture_format(plot)
    kg = _open(data, store, quiet, briefly=True)
    if sparql or explain:
        if explain:
            _print_meaning(kg.question(question), parameters)
        print(kg.sparql(question, **parameters), end="")
        return
    answer = kg.ask(question, with_sources=with_sources, **parameters)
    if plot:
        answer.plot().save(plot)
    if out or not plot:
        _write(answer, format, out)
    if with_sources and out:
        if format != "xlsx":  # which holds them in a sheet
            _write(_sources(answer), format, _beside(out))
    elif with_sources:
        for source in answer.sources:
            line = f"{source.id}: {source.title} <{source.url}>"
            print(line) if format == "table" and not plot else say(line)
    if not quiet:
        for line in answer.remarks.lines(len(answer)):
            say(line)


def _beside(out: Path) -> Path:
    """Return the file for the sources of an answer: prices.sources.tsv for prices.tsv."""
    return out.with_name(f"{out.stem}.sources{out.suffix}")


def _sources(answer: Answer) -> Answer:
    """Return the sources of an answer as an answer."""
    from atmpkg.answers import Answer, Remarks
    from atmpkg.queries import AnswerColumn

    columns = tuple(AnswerColumn(name) for name in ("source", "title", "publisher", "url"))
    rows = tuple((source.id, source.title, source.publisher, source.url) for source in answer.sources)
    return Answer("sources", f"Sources of {answer.name}", columns, rows, Remarks(release=answer.remarks.release))


def _print_meaning(question: Query, parameters: dict[str, list[str]]) -> None:
    """Print as comments what a question answers, counts and leaves out, and with which values."""
    for word, text in (
        ("", question.text("answers")),
        ("Counts: ", question.text("counts")),
        ("Does not count: ", question.text("not_counted")),
    ):
        if text:
            print(f"# {word}{text}")
    for p in question.parameters:
        value = "|".join(parameters.get(p.name, [])) or p.default or "all"
        print("# " + " ".join(f"{p.name.replace('_', '-')}={value}  ({p.type}: {p.meaning})".split()))


@app.command()
@click.argument("text", help="A file with SPARQL, - for standard input, or the SPARQL itself.")
@_format_option("Rows: table, tsv, csv, json, jsonl, md. Triples: ttl or nt.")
@_data
@_store
@_quiet
def query(text: str, format: str, data: Path | None, store: str | None, quiet: bool) -> None:
    """Run any SPARQL 1.1 query; our prefixes are known.  Example: atmpkg query 'SELECT * { ?s a atmp:Product }'"""
    import pyoxigraph as ox

    sparql = _sparql(text)
    kg = _open(data, store, quiet, briefly=True)
    result = kg.query(sparql)
    if isinstance(result, ox.QueryTriples):
        formats = {"ttl": ox.RdfFormat.TURTLE, "nt": ox.RdfFormat.N_TRIPLES, "": ox.RdfFormat.TURTLE}
        if format not in formats:
            raise UsageError(f"cannot write triples as {quoted(format)}: expected ttl or nt.")
        used = {p: uri for p, uri in kg.names.uris.items() if not format or format == "ttl"}
        sys.stdout.write((ox.serialize(result, format=formats[format], prefixes=used) or b"").decode())
        return
    if format == "json":
        sys.stdout.write((result.serialize(format=ox.QueryResultsFormat.JSON) or b"").decode() + "\n")
        return
    from atmpkg.answers import Remarks, from_result

    _print(from_result(result, "query", "query", (), Remarks(release=__version__)), format)


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # a query is not a file name
        return False


def _sparql(text: str) -> str:
    try:
        if text == "-":
            return sys.stdin.read() if sys.stdin else ""
        if _is_file(text):
            return Path(text).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"cannot read the query {text}: it is not UTF-8 at byte {error.start + 1}.") from None
    if text.endswith((".rq", ".sparql")):
        raise UsageError(f"cannot read the query {text}: there is no such file.")
    return text


@app.command()
@click.argument("name", required=False, help="One view, explained.")
@_data
@_format_option()
def views(name: str | None, data: Path | None, format: str) -> None:
    """List what can be drawn, or explain one view.  Example: atmpkg views company-network"""
    from atmpkg.answers import Answer, Remarks
    from atmpkg.graph import KnowledgeGraph
    from atmpkg.project import Project
    from atmpkg.queries import AnswerColumn
    from atmpkg.stores import Embedded

    known = KnowledgeGraph(Embedded.memory(), Project.find(data)).views
    if name:
        if name not in known:
            raise UsageError(f"cannot explain {quoted(name)}: there is no such view{nearest(name, known) or '.'}")
        _explain_question(known[name].query)
        return
    columns = tuple(AnswerColumn(c) for c in ("view", "parameters", "answers"))
    rows = tuple(
        (view.query.name, " ".join(p.name.replace("_", "-") for p in view.query.parameters), view.query.text("answers"))
        for view in known.values()
    )
    _print(Answer("views", "What can be drawn", columns, rows, Remarks(release=__version__)), format)


@app.command(context_settings=_OPEN)
@click.pass_context
@click.argument("view", help="Name of the view; see atmpkg views.")
@_format_option("html, svg, png, pdf, graphml, gexf, cyjs, kgx, neo4j, parquet ...")
@click.option("--out", "-o", type=_PATH, help="File to write, or folder for kgx, neo4j and parquet.")
@_data
@_store
@_quiet
def draw(
    ctx: click.Context, view: str, format: str, out: Path | None, data: Path | None, store: str | None, quiet: bool
) -> None:
    """Draw a view as a picture, a page or a file for other tools.  Example: atmpkg draw company-network -o net.svg"""
    from atmpkg.files import Out
    from atmpkg.formats.graphs import FOLDERS, graph_writer, suffix_format
    from atmpkg.graph import view_query
    from atmpkg.project import Project
    from atmpkg.views import Counted

    parameters = given(ctx.args)
    view_query(Project.find(data), view)  # a wrong name is said before a missing format, and before the graph is read
    format = format or suffix_format(out)
    writer = graph_writer(format)
    if out is None and format in FOLDERS:
        raise UsageError(f"cannot write {format} to standard output: it is several files. Name a folder with --out.")
    if out is None and format in ("png", "pdf") and sys.stdout.isatty():
        raise UsageError(f"cannot show {format} on a terminal. Name a file with --out.")
    graph = _open(data, store, quiet).graph(view, **parameters)
    graph = replace(graph, edges=Counted(graph.edges, say if sys.stderr.isatty() and not quiet else lambda line: None))
    with Out(out) as place:
        writer(graph, place)
    if not quiet:
        for line in graph.lines():
            say(line)


@app.command()
@click.argument("text", help="Brand, INN, code name, disease, gene, company or number.")
@_format_option()
@_data
@_store
@_quiet
def find(text: str, format: str, data: Path | None, store: str | None, quiet: bool) -> None:
    """Search things by any of their names.  Example: atmpkg find kymria"""
    answer = _open(data, store, quiet, briefly=True).find(text)
    _print(answer, format)
    if not answer.rows:
        say(f"nothing found that resembles {quoted(text)}")


@app.command()
@click.argument("product", help="Id, brand, INN or code name.")
@_data
@_store
@_quiet
def show(product: str, data: Path | None, store: str | None, quiet: bool) -> None:
    """Show one product on one page.  Example: atmpkg show Kymriah"""
    from atmpkg.pages import product_page

    print(product_page(_open(data, store, quiet, briefly=True), product), end="")


@app.command()
@click.argument("row", help="A row, as table:id.")
@_data
@_store
@_quiet
def explain(row: str, data: Path | None, store: str | None, quiet: bool) -> None:
    """Tell where a fact comes from and who disagrees.  Example: atmpkg explain decision:tisagenlecleucel-eu-grant"""
    from atmpkg.pages import explanation

    print(explanation(_open(data, store, quiet, briefly=True), row), end="")


@app.command()
@click.argument("thing", help="A product, a ruling (ruling:id), or a YAML or JSON file with criteria.")
@click.option(
    "--law", multiple=True, help="Jurisdiction, with a day if not today: EU, US@2026-11, JP. All when omitted."
)
@click.option("--reasoner", default="rules", help="rules, or hermit (needs Java and atmpkg[reason]).")
@_data
@_store
@_quiet
def classify(thing: str, law: Sequence[str], reasoner: str, data: Path | None, store: str | None, quiet: bool) -> None:
    """Say what a product is by law, and why.  Example: atmpkg classify darvadstrocel --law EU"""
    from atmpkg.opinion import opinion

    if reasoner not in ("rules", "hermit"):
        raise UsageError(f"cannot reason with {quoted(reasoner)}: expected rules or hermit.")
    print(opinion(_open(data, store, quiet, briefly=True), thing, law or [], reasoner), end="")


@app.command()
@click.argument("name", required=False, help="One table alone.")
@_format_option()
@_data
@_store
@_quiet
def tables(name: str | None, format: str, data: Path | None, store: str | None, quiet: bool) -> None:
    """List the tables: their rows and the day until which they reach.  Example: atmpkg tables"""
    answer = _open(data, store, quiet, briefly=True).inventory()
    if name:
        known = [str(row[0]) for row in answer.rows]
        if name not in known:
            hint = nearest(name, known) or ". See: atmpkg tables"
            raise UsageError(f"cannot list {quoted(name)}: there is no such table{hint}")
        answer = replace(answer, rows=tuple(row for row in answer.rows if row[0] == name))
    _print(answer, format)


@app.command()
@click.option("--host", default="127.0.0.1", help="Address to listen on; only this machine when omitted.")
@click.option("--port", default=8000, help="Port to listen on; 0 takes a free one.")
@click.option("--base", default="", show_default=False, help="Public address, where a proxy stands before it.")
@click.option("--writable", is_flag=True, help="Take changes that bring the token of ATMPKG_TOKEN.")
@click.option("--timeout", default=30.0, help="Seconds that a query may run.")
@click.option("--workers", default=0, help="Queries answered at the same time; 0: one per core.")
@click.option("--memory", default=2048, help="MB that a query may use beyond the graph; 0: no ceiling.")
@click.option("--answer", default=64, help="MB that an answer may have.")
@click.option("--body", default=4, help="MB that a request may have.")
@click.option("--queue", default=256, help="Requests that may wait for a worker.")
@_data
@_store
@_quiet
def serve(
    host: str,
    port: int,
    base: str,
    writable: bool,
    timeout: float,
    workers: int,
    memory: int,
    answer: int,
    body: int,
    queue: int,
    data: Path | None,
    store: str | None,
    quiet: bool,
) -> None:
    """Serve the graph as a SPARQL endpoint with a query page.  Example: atmpkg serve --port 8000"""
    from atmpkg.serve import run
    from atmpkg.serve.limits import Settings

    limits = run.limits(timeout, workers, memory, answer, body, queue)
    token = os.environ.pop("ATMPKG_TOKEN", "")
    settings = Settings(host=host, port=port, base=base, writable=writable, token=token, limits=limits)
    run.check(settings)
    kg, digest, modified = run.open_graph(data, store, _warn if quiet else say)
    raise click.exceptions.Exit(run.serve(kg, digest, modified, settings, _warn if quiet else say))


@app.command()
@click.argument("source", help="List of a regulator: ema or purple-book.")
@click.option("--from-file", type=_PATH, help="Local copy of it; else it is brought from the web.")
@click.option("--compare", is_flag=True, help="Show where it and the graph differ.")
@_format_option()
@_data
@_store
@_quiet
def fetch(
    source: str, from_file: Path | None, compare: bool, format: str, data: Path | None, store: str | None, quiet: bool
) -> None:
    """Read the list of a regulator, and compare it.  Example: atmpkg fetch ema --from-file medicines.xlsx --compare"""
    from atmpkg.fetch import compared, harvested, is_advanced, listed

    items = listed(source, from_file)
    advanced = sum(map(is_advanced, items))
    if not compare:
        _print(harvested(source, items), format)
        if not quiet:
            say(f"{advanced} advanced therapies in {from_file or source}")
        return
    answer = compared(_open(data, store, quiet), source, items)
    _print(answer, format)
    open_ones = sum(1 for row in answer.rows if not row[-1])
    if not quiet:
        say(
            f"{advanced} advanced therapies in the list · {len(answer)} differences · "
            f"{len(answer) - open_ones} explained by a dispute"
        )
    raise click.exceptions.Exit(1 if open_ones else 0)


@app.group(cls=_InOrder, no_args_is_help=True)
def link() -> None:
    """Links to other vocabularies: check, count, import, ask."""


@link.command("check")
@click.option(
    "--against",
    type=_PATH,
    multiple=True,
    help="OBO, OWL, Turtle, obographs JSON or TSV file(s); else the evidence kept.",
)
@click.argument("more", type=_PATH, required=False, nargs=-1, help="Further files.")
@_data
@_quiet
def link_check(against: Sequence[Path], more: Sequence[Path], data: Path | None, quiet: bool) -> None:
    """Find ids that are missing or obsolete and labels that drifted.  Example: atmpkg link check --against mondo.obo"""
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
    raise click.exceptions.Exit(1 if found else 0)


@link.command("coverage")
@click.argument("kind", required=False, default="", help="Kind of thing, such as disease; all when omitted.")
@_format_option()
@_data
@_quiet
def link_coverage(kind: str, format: str, data: Path | None, quiet: bool) -> None:
    """Count how well each kind of thing is linked to each vocabulary.  Example: atmpkg link coverage disease"""

    _print(_open(data, None, quiet, briefly=True).ask("mapping-coverage", kind=kind or None), format)


@link.command("import")
@click.argument("name", help="Mapping set whose vocabulary is sliced: mondo, cl.")
@click.option(
    "--from",
    "source",
    type=_PATH,
    multiple=True,
    required=True,
    help="Local copy of it: OBO, OWL, obographs JSON or TSV.",
)
@_data
@_quiet
def link_import(name: str, source: Sequence[Path], data: Path | None, quiet: bool) -> None:
    """Write the slice of a vocabulary above our terms.  Example: atmpkg link import mondo --from mondo.obo"""
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


@link.command("enrich")
@click.option("--endpoint", required=True, help="Address of a SPARQL endpoint.")
@click.option("--set", "sets", multiple=True, help="Only this mapping set; may be repeated.")
@click.option("--name", default="", show_default=False, help="Name of the file and graph; else made of the address.")
@click.option("--timeout", default=30, help="Seconds to wait for each answer.")
@_data
@_quiet
def link_enrich(endpoint: str, sets: Sequence[str], name: str, timeout: int, data: Path | None, quiet: bool) -> None:
    """Bring labels and cross-references of linked terms home.  Example: atmpkg link enrich --endpoint https://..."""
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
        raise click.exceptions.Exit(1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"# Made by atmpkg link enrich from {endpoint}; do not edit.\n{''.join(lines)}", encoding="utf-8")
    if not quiet:
        say(f"{len(lines)} statements about {len(things)} things asked for in {path}")


def _host(endpoint: str) -> str:
    from urllib.parse import urlsplit

    return (urlsplit(endpoint).hostname or "endpoint").replace(".", "-")


@link.command("ask", context_settings=_OPEN)
@click.pass_context
@click.argument("question", required=False, default="", help="Federated question; all are listed when omitted.")
@click.option("--endpoint", default="", show_default=False, help="Another endpoint instead of the public one.")
@click.option("--timeout", default=30, help="Seconds to wait for each answer.")
@_format_option()
@_data
@_quiet
def link_ask(
    ctx: click.Context, question: str, endpoint: str, timeout: int, format: str, data: Path | None, quiet: bool
) -> None:
    """Ask a question that goes out to a public endpoint.  Example: atmpkg link ask protein-functions target=CD19"""

    kg = _open(data, None, quiet, briefly=True)
    if not question:
        for name, query in sorted(kg.federated.items()):
            print(f"{name}\t{query.title}")
        return
    parameters = given(ctx.args)
    say(f"asking {endpoint or 'the public endpoint'} (needs a connection)")
    answer = kg.ask_elsewhere(question, endpoint=endpoint, timeout=timeout, **parameters)
    _print(answer, format)


def given(words: Sequence[str]) -> dict[str, list[str]]:
    """Read ``name=value``, ``--name value`` and ``--name=value``; dash and underscore are the same.

    >>> given(["jurisdiction=EU", "--as-of", "2022-01-01"])
    {'jurisdiction': ['EU'], 'as_of': ['2022-01-01']}
    """
    found: dict[str, list[str]] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.removeprefix("--").partition("=")
        if not equals:
            if not word.startswith("--") or not rest:
                raise UsageError(f"cannot read {quoted(word)}: expected name=value, such as jurisdiction=EU.")
            value = rest.pop(0)
        found.setdefault(name.replace("-", "_"), []).append(value)
    return found


def _format(name: str, out: Path | None = None) -> str:
    """Return the format asked for, by its name or by the end of a file's name."""
    from atmpkg.formats import BINARY, FORMATS, suffix_format

    if not name and out is not None and not (name := suffix_format(out.suffix)):
        raise UsageError(f"cannot tell the format of {quoted(out.name)}: name one with --format, {one_of(FORMATS)}.")
    if not name:
        return "table" if sys.stdout.isatty() else "tsv"
    if name not in FORMATS:
        raise UsageError(f"cannot write {quoted(name)}: expected {one_of(FORMATS)}{nearest(name, FORMATS) or '.'}")
    if name in BINARY and out is None and sys.stdout.isatty():
        raise UsageError(f"cannot show {name} on a terminal. Name a file with --out.")
    return name


def _print(answer: Answer, format: str) -> None:
    _write(answer, _format(format), None)


def _write(answer: Answer, format: str, out: Path | None) -> None:
    from atmpkg.files import Out
    from atmpkg.formats import BINARY, WRITERS, content
    from atmpkg.formats.table import table_text

    if out is None and format == "table":
        sys.stdout.write(table_text(answer, colour=_coloured()))
    elif out is None and format not in BINARY:
        sys.stdout.write(WRITERS[format](answer))
    else:
        written = content(answer, format)
        sys.stdout.flush()
        with Out(out) as place, place.file() as file:
            file.write(written)


def _coloured() -> bool:
    """Whether the terminal takes colours and the user has not said no (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _misuse(error: click.ClickException) -> str:
    """Say in one line what is wrong with the words given, and where to read what is right."""
    path = getattr(getattr(error, "ctx", None), "command_path", "atmpkg")
    message = " ".join(error.format_message().split()).rstrip(".")
    stop = "" if message.endswith("?") else "."
    return f"cannot run {path}: {message[:1].lower()}{message[1:]}{stop} See {path} --help."


def main() -> None:
    """Run the command line; every known fault becomes a clear line and an exit code."""
    if sys.stdout is None or sys.stderr is None:  # closed by the caller, as in `>&-`
        sys.exit(3)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a character still shows the rest
    try:
        code = app.main(prog_name="atmpkg", standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message())
        sys.exit(2)
    except click.ClickException as error:
        say(_misuse(error))
        sys.exit(2)
    except AtmpkgError as error:
        sys.stdout.flush()
        say(str(error))
        sys.exit(error.exit_code)
    except BrokenPipeError:  # the reader of our output has gone, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:  # of the output: what is read has been turned into our own faults
        say(f"cannot write the output: {error.strerror or error}.")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(3)
    except (KeyboardInterrupt, click.Abort):  # Click makes the one of the other
        sys.exit(130)
