# ruff: noqa: E501 - what is said of a measurement stands together
"""Rules and whole-graph checks on our own data, as they are and grown to about a million quads."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from atmpkg import reasoning
from atmpkg.build import Built, build
from atmpkg.project import Project
from atmpkg.queries import Query, read_queries
from atmpkg.reasoning import infer
from atmpkg.stores import Embedded, rows
from bench.growing import grown_once
from bench.report import Section, Verdict, number
from bench.timing import seconds

_CHECKS, _NEAR_LINEAR, _SHOWN = 3.0, 1.3, 12


def section(project: Project, work: Path) -> Section:
    """Run the rules anew and the checks, at two sizes."""
    small = build(project, work / "small")
    _, large = grown_once(project, work, small)
    rules = list(read_queries(project.folders("queries", "rules")).values())
    checks = list(read_queries(project.folders("queries", "checks")).values())
    here, more = _measured(small, rules, checks), _measured(large, rules, checks)
    kinds = ("rule", "check")
    one, ten = ({kind: sum(s for (k, _), s in found.items() if k == kind) for kind in kinds} for found in (here, more))
    inferred = sum(large.inferred.values()) / sum(small.inferred.values())
    slowest = sorted(more, key=lambda name: -more[name])[:_SHOWN]
    return Section(
        title="Rules and checks",
        how=(
            f"In memory, on {small.quads:,} quads and on {large.quads:,} (the products and their rows copied): all "
            "rules, into an empty graph `inferred`, and every SPARQL check, each once. The slowest are listed. What the "
            f"rules say grows {inferred:.1f} times, as not everything is about products."
        ),
        header=("query", "s", "s, more data", "growth"),
        rows=[
            *((f"**all {kind}s**", one[kind], ten[kind], f"{ten[kind] / one[kind]:.1f}") for kind in kinds),
            *((f"{k} {n}", here[k, n], more[k, n], f"{more[k, n] / here[k, n]:.1f}") for k, n in slowest),
        ],
        verdicts=[
            Verdict(
                f"rules near linear: at most {_NEAR_LINEAR} times as much longer as they say more",
                f"{ten['rule'] / one['rule']:.1f} times for {inferred:.1f} times the triples",
                ten["rule"] <= _NEAR_LINEAR * inferred * one["rule"],
            ),
            Verdict(
                f"all {len(checks)} checks under {_CHECKS:.0f} s at {large.quads:,} quads",
                f"{number(ten['check'])} s",
                ten["check"] < _CHECKS,
            ),
        ],
        ratios={f"{kind}s, growth": ten[kind] / one[kind] for kind in kinds},
    )


def _measured(built: Built, rules: list[Query], checks: list[Query]) -> dict[tuple[str, str], float]:
    """Return the seconds of each rule and each check."""
    store = built.open()
    taken = {("check", check.name): seconds(lambda c=check: list(rows(store, c.sparql))) for check in checks}  # type: ignore[misc]  # of a lambda with a default
    for name, spent in _rules(store, rules).items():
        taken["rule", name] = spent
    return taken


def _rules(store: Embedded, rules: list[Query]) -> dict[str, float]:
    taken: dict[str, float] = {}
    plain = reasoning._added

    def added(of: Embedded, rule: Query, known: set[bytes]) -> int:
        start = time.perf_counter()
        count = plain(of, rule, known)
        taken[rule.name] = taken.get(rule.name, 0.0) + time.perf_counter() - start
        return count

    patched: Any = reasoning
    patched._added = added
    try:
        infer(store, rules)
    finally:
        patched._added = plain
    return taken
