"""The whole build, stage by stage, against the same quads made of plain rdflib objects."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyoxigraph as ox

import atmpkg.build
from atmpkg.build import Built, build, write_quads
from atmpkg.project import Project
from atmpkg.queries import read_queries
from atmpkg.reasoning import INFERRED, strata
from atmpkg.records import Validator
from atmpkg.search import Index
from atmpkg.stores import Embedded
from bench.report import Section, Verdict, number
from bench.timing import Stopped, seconds, watching, within

READ, WRITE, LOAD, RULES, KEEP, ELSE = (
    "read and validate",
    "write N-Quads",
    "load",
    "rules",
    "keep on disk",
    "everything else",
)
_WATCHED = {
    (atmpkg.build, "prepare"): READ,
    (Validator, "part"): READ,
    (atmpkg.build, "write_quads"): WRITE,
    (Embedded, "create"): LOAD,
    (Embedded, "load"): LOAD,
    (atmpkg.build, "infer"): RULES,
    (Embedded, "optimize"): KEEP,
    (Embedded, "write"): KEEP,
    (atmpkg.build, "_complete"): KEEP,
    (Index, "of"): KEEP,
    (Future, "result"): KEEP,
}
_ROUNDS, _LIMIT = 3, 30


@dataclass
class Plain:
    """The same build through rdflib: the seconds of its stages, and of each rule."""

    seconds: dict[str, float] = field(default_factory=dict)
    rules: dict[str, float] = field(default_factory=dict)


def section(project: Project, work: Path) -> tuple[Section, Built]:
    """Build thrice, then once through rdflib, and compare."""
    runs, parts, built = _ours(project, work)
    plain = _rdflib(project, work)
    complete = RULES in plain.seconds
    if complete:
        _same(built, work)
    theirs = {READ: parts[READ]} | plain.seconds
    ours, plainly = statistics.median(runs), sum(theirs.values()) + (0 if complete else _LIMIT)
    short, plainly_short = ours - parts[RULES], sum(theirs.values()) - theirs.get(RULES, 0)
    more = "" if complete else "more than "
    slow = sorted(plain.rules.items(), key=lambda item: -item[1])[:3]
    found = Section(
        title="1 Build",
        how=(
            f"`atmpkg.build.build` of the shipped tables into a new folder, in process: median of {_ROUNDS} "
            f"({', '.join(number(s) for s in runs)} s; files in the page cache, imports not counted), the stages "
            "from the median run. rdflib: once; the same validated rows (that stage is counted in both), terms made "
            "as URIRef and Literal (each IRI once) and added to a Dataset in memory ('load'), the same rules through "
            "its SPARQL in the same strata, then written as N-Quads, since it has no store on disk ('keep'). "
            + (
                f"Both end with the same {built.quads:,} quads (compared; those with blank nodes by number)."
                if complete
                else f"Its rules were stopped after {_LIMIT} s, so that the whole is more than what stands here."
            )
        ),
        header=("stage", "atmpkg s", "rdflib s", "rdflib / atmpkg"),
        rows=[
            (stage, parts.get(stage, 0.0), theirs.get(stage, "-"), _ratio(theirs.get(stage), parts.get(stage)))
            for stage in (READ, WRITE, LOAD, RULES, KEEP, ELSE)
        ],
        verdicts=[
            Verdict("full build under 3 s", f"{number(ours)} s", ours < 3),
            Verdict(
                "rdflib at least 10 times slower, with rules", f"{more}{plainly / ours:.1f} times", plainly >= 10 * ours
            ),
        ],
        remarks=[
            f"Without rules on either side rdflib is {plainly_short / short:.1f} times slower; the rest is the rules.",
            "Slowest rules in rdflib: " + ", ".join(f"{name} {number(s)} s" for name, s in slow) + ".",
        ],
    )
    found.rows.append(("**whole**", ours, f"{more}{number(plainly)}", f"{plainly / ours:.1f}"))
    found.rows.append(("whole without rules", short, plainly_short, f"{plainly_short / short:.1f}"))
    return found, built


def _ours(project: Project, work: Path) -> tuple[list[float], dict[str, float], Built]:
    runs = []
    for at in range(_ROUNDS):
        with watching(_WATCHED) as stages:
            start = time.perf_counter()
            built = build(project, work / f"build-{at}")
            runs.append((time.perf_counter() - start, dict(stages.seconds)))
    middle = sorted(runs, key=lambda run: run[0])[len(runs) // 2]
    return [whole for whole, _ in runs], middle[1], built


def _rdflib(project: Project, work: Path) -> Plain:
    from rdflib import BNode, Dataset, Literal, URIRef

    path = work / "asserted.nq"
    with path.open("w", encoding="utf-8", newline="\n") as out:
        write_quads(project, out)
    statements = [_texts(quad) for quad in ox.parse(path=str(path), format=ox.RdfFormat.N_QUADS)]
    rules = strata(read_queries(project.folders("queries", "rules")).values())
    dataset = Dataset(default_union=True)
    plain = Plain()

    def load() -> None:
        iris: dict[str, URIRef] = {}
        graphs = {name: dataset.graph(URIRef(name)) for name in {statement[3] for statement in statements}}

        def term(kind: str, value: str, datatype: str, language: str) -> URIRef | BNode | Literal:
            if kind == "iri":
                if value not in iris:
                    iris[value] = URIRef(value)
                return iris[value]
            if kind == "blank":
                return BNode(value)
            if language:
                return Literal(value, lang=language)
            return Literal(value, datatype=URIRef(datatype) if datatype else None)

        for subject, predicate, object, graph in statements:
            graphs[graph].add((term(*subject), term(*predicate), term(*object)))

    def infer() -> None:
        inferred = dataset.graph(URIRef(INFERRED))
        for stratum, group in rules:
            before = -1
            while before != len(inferred):
                before = len(inferred)
                for rule in group:
                    start = time.perf_counter()
                    result: Any = dataset.query(rule.sparql)
                    for triple in [t for t in result if t not in dataset]:
                        inferred.add(triple)
                    name = f"{stratum} {rule.name}"
                    plain.rules[name] = plain.rules.get(name, 0.0) + time.perf_counter() - start
                if not any(rule.header.get("recursive") for rule in group):
                    break

    plain.seconds[LOAD] = seconds(load)
    with suppress(Stopped), within(_LIMIT):
        plain.seconds[RULES] = seconds(infer)
    plain.seconds[KEEP] = seconds(lambda: dataset.serialize(str(work / "rdflib.nq"), format="nquads"))
    return plain


Text = tuple[str, str, str, str]


def _texts(quad: Any) -> tuple[Text, Text, Text, str]:
    return _text(quad.subject), _text(quad.predicate), _text(quad.object), quad.graph_name.value


def _text(term: Any) -> Text:
    match term:
        case ox.NamedNode():
            return ("iri", term.value, "", "")
        case ox.BlankNode():
            return ("blank", term.value, "", "")
    plain = term.datatype.value.endswith(("#string", "#langString"))
    return ("literal", term.value, "" if plain else term.datatype.value, term.language or "")


def _same(built: Built, work: Path) -> None:
    """Make sure that both sides did the same work: the same quads, and as many with blank nodes."""
    store = built.open()
    mine = list(ox.parse(store.dump(), format=ox.RdfFormat.N_QUADS))
    other = list(ox.parse(path=str(work / "rdflib.nq"), format=ox.RdfFormat.N_QUADS))
    if len(mine) != len(other) or _named(mine) != _named(other):
        differ = len(_named(mine) ^ _named(other))
        raise AssertionError(f"rdflib made {len(other)} quads, atmpkg {len(mine)}; {differ} without blank nodes differ")


def _named(quads: list[ox.Quad]) -> set[ox.Quad]:
    return {q for q in quads if not isinstance(q.subject, ox.BlankNode) and not isinstance(q.object, ox.BlankNode)}


def _ratio(theirs: float | None, ours: float | None) -> str:
    return f"{theirs / ours:.1f}" if theirs and ours else "-"
