"""The report: sections with a table each, and a verdict for every target."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

_RATIOS = "## Ratios"


@dataclass(frozen=True)
class Verdict:
    """A target, what was measured, and whether that is good enough."""

    target: str
    measured: str
    met: bool


@dataclass
class Section:
    """One benchmark: how it was done, its numbers, its verdicts."""

    title: str
    how: str
    header: Sequence[str]
    rows: list[Any] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    ratios: dict[str, float] = field(default_factory=dict)

    def markdown(self) -> str:
        """Write the section as Markdown."""
        notes = "".join(f"\n- {remark}" for remark in self.remarks)
        return f"## {self.title}\n\n{self.how}\n\n{table(self.header, self.rows)}{notes and notes + chr(10)}"


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Write a Markdown table; all columns but the first are numbers."""
    lines = [header, ["---", *["--:"] * (len(header) - 1)], *rows]
    return "".join("| " + " | ".join(_cell(cell) for cell in line) + " |\n" for line in lines)


def number(value: float) -> str:
    """Write a number with three significant digits.

    >>> number(1234.5), number(0.01234), number(2.5)
    ('1,234', '0.0123', '2.50')
    """
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:#.3g}"


def machine() -> str:
    """Say on what was measured; no paths and no names."""
    parts = [
        f"{os.cpu_count()} cores",
        _processor(),
        f"{platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}",
        *(f"{name} {version(name)}" for name in ("pyoxigraph", "rdflib", "atmpkg")),
        f"load average at start {os.getloadavg()[0]:.1f}",
    ]
    return ", ".join(parts)


def report(sections: Sequence[Section], about: str, disturbance: str, took: float) -> str:
    """Write the whole report; ``disturbance`` says how much other work the machine had."""
    verdicts = [verdict for section in sections for verdict in section.verdicts]
    missed = sum(not verdict.met for verdict in verdicts)
    rows = [(v.target, v.measured, "met" if v.met else "**MISSED**") for v in verdicts]
    why = " Why: decisions/0066." if missed else ""
    summary = f"{len(verdicts) - missed} of {len(verdicts)} targets met, {missed} missed.{why}" if verdicts else ""
    return "\n".join(
        [
            "# Benchmark results",
            "",
            f"Written by `python -m bench` on {dt.date.today().isoformat()} in {took:.0f} s: {about}.",
            f"Every ratio was measured in this one run. Other work on the machine: {disturbance};",
            "believe no difference smaller than that.",
            "",
            f"## Targets\n\n{summary}\n\n{table(('target', 'measured', ''), rows)}",
            *(section.markdown() for section in sections),
            _listed(sections),
        ]
    )


def _listed(sections: Sequence[Section]) -> str:
    """List the ratios that the next run is compared with."""
    found = {name: ratio for section in sections for name, ratio in section.ratios.items()}
    rows = [(name, number(ratio)) for name, ratio in found.items()]
    return f"{_RATIOS}\n\n{table(('ratio', 'here'), rows)}" if rows else ""


def ratios(text: str) -> dict[str, float]:
    """Read the ratios of a report.

    >>> section = Section("One", "How.", ("name",), ratios={"a / b": 1234.0})
    >>> ratios(report([section], "a machine", "none", 1.0))
    {'a / b': 1234.0}
    """
    lines = text.partition(_RATIOS)[2].splitlines()[4:]
    cells = (line.strip("| ").rsplit(" | ", 1) for line in lines if line.startswith("| "))
    return {name.replace("\\|", "|"): float(ratio.replace(",", "")) for name, ratio in cells}


def changes(before: Mapping[str, float], now: Mapping[str, float], noise: float) -> list[str]:
    """Say which ratios changed by more than the noise (and by half at the least), the largest change first.

    >>> changes({"a": 1.0, "b": 8.0}, {"a": 1.4, "b": 2.0}, 1.2)
    ['2 ratios compared with the committed table; 1 changed by more than 1.5 times', 'b: 8.00 before, 2.00 now']
    """
    most = max(1.5, noise)
    shared = [name for name in now if before.get(name) and now[name]]
    change = {name: max(now[name] / before[name], before[name] / now[name]) for name in shared}
    large = sorted((name for name in shared if change[name] > most), key=lambda name: -change[name])
    said = f"{len(shared)} ratios compared with the committed table; {len(large)} changed by more than {most:.1f} times"
    return [said, *(f"{name}: {number(before[name])} before, {number(now[name])} now" for name in large)]


def _cell(value: object) -> str:
    text = number(value) if isinstance(value, float) else str(value)
    return text.replace("|", "\\|")


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"
