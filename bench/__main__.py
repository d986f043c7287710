"""Run the benchmarks, print the report, compare it with the committed one and take its place: ``python -m bench``.

``--only engines`` (again for more) runs a part and writes nothing; ``--size 7`` adds data of 10^7 quads to the engines.
Ctrl-C prints what was measured until then.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from atmpkg.build import build
from atmpkg.project import Project
from bench import asking, building, engines, exporting, processes, scaling, serving, writing
from bench.report import Section, changes, machine, ratios, report
from bench.timing import Disturbance, Progress

PARTS = ("build", "writing", "questions", "processes", "serving", "engines", "scaling", "export")
SIZES = [5, 6]
_RESULTS = Path(__file__).with_name("RESULTS.md")


def sections(project: Project, work: Path, parts: list[str], sizes: list[int], say: Progress) -> Iterator[Section]:
    """Yield each section of the wanted parts when it is done."""
    slowest = ["names", "product=Kymriah"]
    if "build" in parts:
        yield building.section(project, work)[0]
    if "writing" in parts:
        yield writing.section(project, work)
    if "questions" in parts:
        asked, slowest = asking.section(project, build(project, work / "small"), work)
        yield asked
    if "processes" in parts:
        yield processes.section(project, work, slowest)
    if "serving" in parts:
        yield serving.section(project, work)
    if "engines" in parts:
        yield from engines.sections(project, work, sizes, say)
    if "scaling" in parts:
        yield scaling.section(project, work)
    if "export" in parts:
        yield exporting.section()


def main() -> None:
    """Measure and print; a whole run writes ``bench/RESULTS.md``."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure, as ratios in one run.")
    parser.add_argument("project", nargs="?", help="project folder; the shipped one when omitted")
    parser.add_argument("--only", action="append", choices=PARTS, help="run this part; nothing is written")
    parser.add_argument(
        "--size", action="append", type=int, choices=[4, 5, 6, 7], help=f"power of ten of quads for engines; {SIZES}"
    )
    given = parser.parse_args()
    project, sizes = Project.find(given.project), sorted(set(given.size or SIZES))
    about, start = machine(), time.perf_counter()

    def say(line: str) -> None:
        print(f"{line}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)

    done: list[Section] = []
    disturbance = Disturbance()
    disturbance.look()
    broken_off = False
    with tempfile.TemporaryDirectory(prefix="atmpkg-bench-") as folder, suppress(KeyboardInterrupt):
        broken_off = True
        for section in sections(project, Path(folder), given.only or list(PARTS), sizes, say):
            say(section.title)
            done.append(section)
            disturbance.look()
        broken_off = False
    text = report(done, about, str(disturbance), time.perf_counter() - start)
    before = _RESULTS.read_text(encoding="utf-8") if _RESULTS.is_file() else ""
    if not (given.only or given.size or given.project or broken_off):
        _RESULTS.write_text(text, encoding="utf-8", newline="\n")
    print(text, end="")
    print("\n".join(changes(ratios(before), ratios(text), disturbance.most)), file=sys.stderr)


if __name__ == "__main__":
    main()
