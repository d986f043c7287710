"""Whole processes: how long a person waits for the command line."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

from atmpkg.project import Project
from bench.report import Section, Verdict
from bench.timing import seconds

_ROUNDS = 7
_COMMAND = (sys.executable, "-c", "from atmpkg.cli import main; main()")
_BARE = (sys.executable, "-c", "pass")


def section(project: Project, work: Path, slowest: list[str]) -> Section:
    """Measure bare Python, the import, the help and questions, in turn.

    ``slowest``: arguments of the question that was slowest inside the process.
    """
    script = Path(sys.executable).with_name("atmpkg")
    command = (str(script),) if script.is_file() else _COMMAND
    cache = work / "cache"
    env = os.environ | {"ATMPKG_CACHE": str(cache), "PYTHONPYCACHEPREFIX": str(work / "bytecode")}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its bytecode
    data = ("--data", str(project.root))
    _run((*command, "build", *data, "--quiet"), env)
    _run((*command, "build", *data, "--quiet", "--store", str(work / "fixed")), env)
    question = ("ask", "authorised-products", "jurisdiction=EU", "as-of=2022-01-01")
    runs = {
        "python -c pass": _BARE,
        'python -c "import atmpkg"': (sys.executable, "-c", "import atmpkg"),
        "atmpkg --help": (*command, "--help"),
        "atmpkg ask authorised-products ...": (*command, *question, *data),
        "atmpkg ask authorised-products ... --store": (*command, *question, *data, "--store", str(work / "fixed")),
        f"atmpkg ask {slowest[0]} ... (the slowest in 3)": (*command, "ask", *slowest, *data),
    }
    for words in runs.values():
        _run(words, env)
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(_ROUNDS):
        for name, words in runs.items():
            taken[name].append(seconds(lambda words=words: _run(words, env)))  # type: ignore[misc]  # of a lambda with a default
    medians = {name: statistics.median(times) for name, times in taken.items()}
    bare = medians["python -c pass"]
    verdicts = [
        Verdict(f"{name} within 0.15 s of bare Python", f"+{medians[name] - bare:.3f} s", medians[name] - bare <= 0.15)
        for name in ('python -c "import atmpkg"', "atmpkg --help")
    ]
    verdicts += [
        Verdict(f"{name} under 0.7 s", f"{medians[name]:.2f} s", medians[name] < 0.7)
        for name in runs
        if " ask " in name
    ]
    return Section(
        title="4 Processes",
        how=(
            f"Wall time of the whole process, median of {_ROUNDS}, in turn; bytecode written, files in the page cache, "
            "the graph already built. Without `--store` the command also hashes all inputs to see whether the build "
            "is still theirs."
        ),
        header=("command", "median s", "least s", "most s", "over bare Python s"),
        rows=[(name, medians[name], min(t), max(t), f"{medians[name] - bare:+.3f}") for name, t in taken.items()],
        verdicts=verdicts,
    )


def _run(words: tuple[str, ...], env: dict[str, str]) -> None:
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"{' '.join(words[1:])} ended with {done.returncode}: {done.stderr.strip()}")
