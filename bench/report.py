"""The report: sections with a table each, and a verdict for every target."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path


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
    rows: list[Sequence[object]] = field(default_factory=list)
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
    summary = f"{len(verdicts) - missed} of {len(verdicts)} targets met, {missed} missed." if verdicts else ""
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
        ]
    )


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
