"""Pictures of answers: a Vega-Lite specification beside the question, filled with the rows.

``<question>.vl.yaml`` (or ``.vl.json``) is Vega-Lite as its authors know it; the rows are the data named ``rows``.
A date column ``since`` is there as written, and as ``since_first`` and ``since_last``, the first and last day it may
mean. What the house adds: fonts, the colours of ``palette``, the values asked for in the title, and a last line with
as-of date and sources.
"""

from __future__ import annotations

import html
import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atmpkg.dates import CalendarDate
from atmpkg.errors import DataError, Problem, StoreError, UsageError, one_of, quoted
from atmpkg.files import Out
from atmpkg.palette import OTHER, PALETTES, WHEEL
from atmpkg.queries import AnswerColumn

if TYPE_CHECKING:
    import altair as alt

SUFFIXES = (".vl.yaml", ".vl.json")
FORMATS = ("svg", "png", "pdf", "html", "json")
_VERSION = "6.4"
_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_FONT = "Liberation Sans, Helvetica, Arial, sans-serif"
_WORD = re.compile(r"\{(\w+)(?::([^}]*))?\}")
_LINE = 110  # characters of a line of the footer
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body>
<main id="plot" role="img" aria-label="{title}"></main>
<script type="application/json" id="spec">{spec}</script>
<script>{library}</script>
<script>
const spec = JSON.parse(document.getElementById("spec").textContent);
vegaEmbed("#plot", spec, {{renderer: "svg", actions: {{export: true, source: false, compiled: false, editor: false}}}});
</script>
</body>
</html>
"""
_INK, _PALE = "#222222", "#5f6b76"


def spec_of(query: Path) -> Path | None:
    """Return the specification beside a query file; None where there is none."""
    found = (query.with_suffix(suffix) for suffix in SUFFIXES)
    return next((path for path in found if path.is_file()), None)


@dataclass(frozen=True)
class Plot:
    """A picture: a whole Vega-Lite specification, its data within."""

    name: str
    spec: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        path: Path,
        columns: Sequence[AnswerColumn],
        rows: Sequence[Sequence[Any]],
        *,
        words: Mapping[str, str],
        footer: Sequence[str],
    ) -> Plot:
        """Fill the specification at a path with rows; ``words`` fill ``{name}`` and ``{name:else}`` in its titles.

        Raises DataError where the file is no specification.
        """
        spec = _read(path)
        needs = spec.pop("usermeta", {}).get("needs", [])
        title = spec.pop("title", {})
        title = {"text": title} if isinstance(title, str | list) else dict(title)
        for key in ("text", "subtitle"):
            if key in title:
                title[key] = _filled(title[key], words)
        last = {
            "data": {"values": [{"line": n, "text": text} for n, text in enumerate(_lines(footer))]},
            "mark": {"type": "text", "align": "left", "baseline": "top", "color": _PALE, "fontSize": 10, "x": 0},
            "encoding": {
                "text": {"field": "text", "type": "nominal"},
                "y": {"field": "line", "type": "ordinal", "axis": None, "scale": {"paddingInner": 0}},
            },
            "width": 10,
            "height": {"step": 14},
            "view": {"stroke": None},
        }
        return cls(
            path.name,
            {
                "$schema": _SCHEMA,
                "title": title,
                "config": _config(),
                "datasets": {"rows": list(_records(columns, rows)), **_extra(needs)},
                "vconcat": [
                    _coloured(spec, _said(columns, rows)),
                    last,
                ],
                "spacing": 18,
                "padding": 16,
                "background": "white",
                "resolve": {"scale": dict.fromkeys(("color", "shape", "size", "opacity", "strokeDash"), "independent")},
            },
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the specification."""
        return dict(self.spec)

    def to_altair(self) -> alt.Chart:
        """Return the picture as an Altair chart; needs altair."""
        try:
            import altair as alt
        except ImportError:
            raise StoreError("cannot make a chart: altair is missing. Install it: pip install 'atmpkg[plot]'") from None
        return alt.Chart.from_dict(self.to_dict())

    @cached_property
    def _text(self) -> str:
        return json.dumps(self.spec, ensure_ascii=False)

    def svg(self) -> str:
        """Return the picture as SVG; raise StoreError where it cannot be drawn, as all of these do."""
        return str(self._drawn("svg", allowed_base_urls=[]))

    def png(self, scale: float = 2) -> bytes:
        """Return the picture as PNG, ``scale`` pixels for each of its own."""
        return bytes(self._drawn("png", scale=scale, allowed_base_urls=[]))

    def pdf(self) -> bytes:
        """Return the picture as PDF."""
        return bytes(self._drawn("pdf", allowed_base_urls=[]))

    def html(self) -> str:
        """Return a page with the picture that works without a network; Vega (BSD-3-Clause) is inside it."""
        title = self.spec["title"].get("text", self.name)
        said = html.escape(" ".join(title) if isinstance(title, list) else str(title))
        held = self._text.replace("<", "\\u003c")  # no value can end the script that holds it
        return _PAGE.format(title=said, library=_converter().javascript_bundle(vl_version=_VERSION), spec=held)

    def _drawn(self, format: str, **how: Any) -> Any:
        draw = getattr(_converter(), f"vegalite_to_{format}")
        try:
            return draw(self._text, vl_version=_VERSION, **how)
        except ValueError as error:
            cause = [line for line in str(error).splitlines() if line.strip() and not line.startswith("    at")]
            raise StoreError(f"cannot draw {self.name}: the specification is faulty ({' '.join(cause)}).") from None

    def save(self, path: Path | str) -> None:
        """Write the picture, whole or not at all, in the format that the name ends with.

        Raises UsageError where the name asks for another format, StoreError where it cannot be drawn or written.
        """
        path = Path(path)
        format = picture_format(path)
        match format:
            case "png" | "pdf":
                content = self.png() if format == "png" else self.pdf()
            case "svg" | "html":
                content = (self.svg() if format == "svg" else self.html()).encode()
            case _:
                content = (json.dumps(self.spec, ensure_ascii=False, indent=1) + "\n").encode()
        with Out(path) as out, out.file() as file:
            file.write(content)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """Show the picture in a notebook."""
        return {"image/svg+xml": self.svg()}


def picture_format(path: Path) -> str:
    """Return the format that the name of a picture ends with; raise UsageError where it is none of ours."""
    suffix = path.suffix.removeprefix(".").lower()
    if suffix not in FORMATS:
        raise UsageError(f"cannot draw {quoted(path.name)}: expected a name that ends in {one_of(FORMATS)}.")
    return suffix


def _converter() -> Any:
    try:
        import vl_convert
    except ImportError:
        raise StoreError("cannot draw: vl-convert is missing. Install it: pip install 'atmpkg[plot]'") from None
    return vl_convert


def _read(path: Path) -> dict[str, Any]:
    import yaml

    try:
        spec = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        raise DataError([Problem(path.name, line, "", quoted(str(error)), "a Vega-Lite specification")]) from None
    if not isinstance(spec, dict):
        raise DataError([Problem(path.name, 0, "", quoted(str(spec)), "a Vega-Lite specification")])
    return {key: value for key, value in spec.items() if key not in ("$schema", "config")}


def _filled(text: Any, words: Mapping[str, str]) -> Any:
    """Put the values asked for into a title.

    >>> _filled("{first} to {second:anywhere}", {"first": "US"})
    'US to anywhere'
    """
    if isinstance(text, list):
        return [_filled(line, words) for line in text]
    return _WORD.sub(lambda match: words.get(match[1]) or match[2] or "", str(text))


def _lines(footer: Sequence[str]) -> list[str]:
    return [line for text in footer for line in textwrap.wrap(text, _LINE, break_on_hyphens=False) or [""]]


def _records(columns: Sequence[AnswerColumn], rows: Sequence[Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Yield the rows as the objects that a specification reads."""
    dates = [column.name for column in columns if column.type == "date" and not column.many]
    for number, row in enumerate(rows):
        record = {"row": number} | {column.name: value for column, value in zip(columns, row, strict=True)}
        for name in dates:
            date = CalendarDate.parse(str(record[name])) if record[name] else None
            record[f"{name}_first"] = date and date.earliest.isoformat()
            record[f"{name}_last"] = date and date.latest.isoformat()
        yield record


def _extra(needs: Sequence[str]) -> dict[str, Any]:
    """Return the further data that a specification asks for in ``usermeta: {needs: [world]}``."""
    if "world" not in needs:
        return {}
    from atmpkg.world import places, shapes

    return {"world": shapes(), "places": places()}


def _said(columns: Sequence[AnswerColumn], rows: Sequence[Sequence[Any]]) -> dict[str, Set[str]]:
    """Return the values that each column holds."""
    return {
        column.name: {part for row in rows if row[at] is not None for part in str(row[at]).split("|")}
        for at, column in enumerate(columns)
    }


def _coloured(part: Any, said: Mapping[str, Set[str]], field: str = "") -> Any:
    """Replace ``palette: status`` in a scale by the colours of the values that the rows hold, here and below.

    A value of the field that the palette does not know is grey: without a colour it would not be drawn at all.
    """
    if isinstance(part, list):
        return [_coloured(item, said, field) for item in part]
    if not isinstance(part, dict):
        return part
    field = part.get("field", field)
    filled = {key: _coloured(value, said, field) for key, value in part.items()}
    if isinstance(name := filled.get("palette"), str):
        if name not in PALETTES:
            raise DataError([Problem("palette", 0, "", quoted(name), one_of(PALETTES))])
        del filled["palette"]
        known, held = PALETTES[name], set().union(*said.values())
        used = {value: colour for value, colour in known.items() if value in held}
        used |= dict.fromkeys(sorted(said.get(field, set()) - known.keys()), OTHER)
        filled |= {"domain": list(used), "range": list(used.values())}
    return filled


def _config() -> dict[str, Any]:
    text = {"labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal", "labelColor": _INK}
    return {
        "font": _FONT,
        "title": {
            "anchor": "start",
            "fontSize": 16,
            "subtitleFontSize": 12,
            "subtitleColor": _PALE,
            "subtitlePadding": 6,
            "offset": 14,
            "color": _INK,
        },
        "axis": {**text, "labelLimit": 320, "gridColor": "#e6e9ec", "domainColor": "#9aa4ae", "tickColor": "#9aa4ae"},
        "axisQuantitative": {"labelOverlap": True, "labelSeparation": 12},
        "axisTemporal": {"labelOverlap": True, "labelSeparation": 12},
        "header": {**text, "labelFontSize": 12, "labelFontWeight": "bold"},
        "legend": {**text, "symbolSize": 90, "labelLimit": 260},
        "range": {"category": list(WHEEL)},
        "view": {"stroke": None},
        "text": {"color": _INK, "fontSize": 11},
    }
