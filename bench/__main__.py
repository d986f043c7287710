"""Run all benchmarks, print the report and write it: ``python -m bench``."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from atmpkg.project import Project
from bench import asking, building, processes, serving, writing
from bench.report import Section, machine, report
from bench.timing import Disturbance


def sections(project: Project, work: Path) -> Iterator[Section]:
    """Yield each section when it is done."""
    built_section, built = building.section(project, work)
    yield built_section
    yield writing.section(project, work)
    asked, slowest = asking.section(project, built, work)
    yield asked
    yield processes.section(project, work, slowest)
    yield serving.section(project, work)


def main() -> None:
    """Measure, print, write ``bench/RESULTS.md``; a project folder may be given instead of the shipped one."""
    project = Project.find(sys.argv[1] if len(sys.argv) > 1 else None)
    about, start = machine(), time.perf_counter()
    done: list[Section] = []
    disturbance = Disturbance()
    disturbance.look()
    with tempfile.TemporaryDirectory(prefix="atmpkg-bench-") as folder:
        for section in sections(project, Path(folder)):
            print(f"{section.title}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
            done.append(section)
            disturbance.look()
    text = report(done, about, str(disturbance), time.perf_counter() - start)
    Path(__file__).with_name("RESULTS.md").write_text(text, encoding="utf-8", newline="\n")
    print(text, end="")


if __name__ == "__main__":
    main()
