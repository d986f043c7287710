"""The page of the ontology, made from its modules: what there is, how it hangs together, and the law as tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from atmpkg.classify import Definition, Law
from atmpkg.names import ONTOLOGY
from atmpkg.project import Project
from atmpkg.stores import rows

_PREFIXES = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX owl: <http://www.w3.org/2002/07/owl#>
PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
"""
_TERMS = """
SELECT ?term ?kind ?label ?definition ?notation ?note ?example ?citation ?elsewhere ?deprecated {
  VALUES ?kind { owl:Class owl:ObjectProperty owl:DatatypeProperty owl:AnnotationProperty owl:NamedIndividual }
  ?term a ?kind ; rdfs:label ?label FILTER(isIRI(?term))
  OPTIONAL { ?term skos:definition ?definition }
  OPTIONAL { ?term skos:notation ?notation }
  OPTIONAL { ?term skos:scopeNote ?note }
  OPTIONAL { ?term skos:example ?example }
  OPTIONAL { ?term atmp:citation ?citation }
  OPTIONAL { ?term rdfs:isDefinedBy ?elsewhere }
  OPTIONAL { ?term owl:deprecated ?deprecated }
}
ORDER BY ?term ?note ?example ?citation
"""
_LINKS = """
SELECT ?term ?how ?other {
  VALUES ?how {
    rdfs:subClassOf rdf:type rdfs:domain rdfs:range
    atmp:statusEffect atmp:resultingStatus atmp:scopeEffect atmp:appliesIn
  }
  ?term ?how ?other FILTER(isIRI(?term) && !isBlank(?other))
}
ORDER BY ?term ?how ?other
"""
_MODULES = """
SELECT ?module ?title ?description ?version ?licence ?imports {
  ?module a owl:Ontology ; dcterms:title ?title ; dcterms:description ?description ; owl:versionInfo ?version ;
    dcterms:license ?licence
  OPTIONAL { ?module owl:imports ?imports }
}
ORDER BY ?module ?imports
"""

# Where the classes of the drawing stand (column, row), and which properties are drawn.
DRAWN = {
    "Substance": (0, 0),
    "Component": (0, 1),
    "MechanismStatement": (0, 2),
    "Target": (0, 3),
    "Organisation": (1, 0),
    "Product": (1, 1),
    "ClinicalStudy": (1, 2),
    "Disease": (1, 3),
    "Authority": (2, 0),
    "RegulatoryEvent": (2, 1),
    "Indication": (2, 2),
    "HtaDecision": (2, 3),
    "StatusInterval": (3, 0),
    "Authorisation": (3, 1),
}
LINES = (
    ("Product", "substance", "Substance"),
    ("Product", "developer", "Organisation"),
    ("Component", "product", "Product"),
    ("MechanismStatement", "product", "Product"),
    ("MechanismStatement", "target", "Target"),
    ("MechanismStatement", "disease", "Disease"),
    ("ClinicalStudy", "product", "Product"),
    ("Indication", "product", "Product"),
    ("Indication", "disease", "Disease"),
    ("Indication", "decision", "RegulatoryEvent"),
    ("RegulatoryEvent", "product", "Product"),
    ("RegulatoryEvent", "authority", "Authority"),
    ("RegulatoryEvent", "holder", "Organisation"),
    ("Authorisation", "openedBy", "RegulatoryEvent"),
    ("StatusInterval", "authorisation", "Authorisation"),
    ("HtaDecision", "disease", "Disease"),
)
_STYLE = """
:root { color-scheme: light; --ink: #1d2733; --soft: #5b6876; --line: #d5dbe1; --edge: #2f6ea5 }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); max-width: 76rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 2rem; margin: 0 } h2 { margin: 2.5rem 0 .5rem; border-top: 3px solid var(--edge); padding-top: .6rem }
h3 { margin: 1.6rem 0 .4rem } a { color: #1c5a8f } code { font-size: .88em; background: #f2f4f6; padding: .05em .3em }
nav { margin: 1rem 0 } nav a { margin-right: 1.1rem; white-space: nowrap }
table { border-collapse: collapse; width: 100%; font-size: .92rem } caption { text-align: left; color: var(--soft) }
th, td { border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0 }
th { color: var(--soft); font-weight: 600 } td ul { margin: 0; padding-left: 1.1rem } .soft { color: var(--soft) }
.old { color: var(--soft) }
.drawing { overflow-x: auto; border: 1px solid var(--line); padding: .5rem; margin: .8rem 0 }
details { margin: .4rem 0 } summary { cursor: pointer; font-weight: 600 } :target { background: #fff3b8 }
td p { margin: .4rem 0 0 }
svg text { font: 14px system-ui, sans-serif; fill: var(--ink) } svg .soft { fill: var(--soft); font-size: 12px }
"""


@dataclass
class Term:
    """A term of the ontology with what is said of it."""

    iri: str
    label: str
    definition: str
    notation: str
    elsewhere: str
    deprecated: bool
    kinds: set[str] = field(default_factory=set)
    notes: set[str] = field(default_factory=set)
    examples: set[str] = field(default_factory=set)
    citations: set[str] = field(default_factory=set)
    links: dict[str, list[str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Local name, for anchors."""
        return self.iri.removeprefix(ONTOLOGY).rpartition("/")[2].rpartition("#")[2]

    def to(self, how: str) -> list[str]:
        """Return what the term points at."""
        return self.links.get(how, [])


@dataclass(frozen=True)
class Vocabulary:
    """All terms, by IRI, and the module in whose file each stands."""

    terms: Mapping[str, Term]
    modules: Mapping[str, dict[str, str]]
    law: Law
    anchored: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, project: Project) -> Vocabulary:
        """Read the modules of a project."""
        law = Law(project)
        terms: dict[str, Term] = {}
        for row in rows(law.store, _PREFIXES + _TERMS):
            about = (row["term"], row["label"], row["definition"], row["notation"], row["elsewhere"])
            term = terms.setdefault(row["term"], Term(*about, deprecated=row["deprecated"] == "true"))
            term.kinds.add(row["kind"].rpartition("#")[2])
            for key, several in (("note", term.notes), ("example", term.examples), ("citation", term.citations)):
                several.update({row[key]} - {""})
        for row in rows(law.store, _PREFIXES + _LINKS):
            if row["term"] in terms:
                how = row["how"].rpartition("#")[2].rpartition("/")[2]
                terms[row["term"]].links.setdefault(how, []).append(row["other"])
        modules: dict[str, dict[str, str]] = {}
        for row in rows(law.store, _PREFIXES + _MODULES):
            about_module = modules.setdefault(row["module"], row | {"imports": ""})
            about_module["imports"] = f"{about_module['imports']} {row['imports']}".strip()
        return cls(terms, modules, law)

    def below(self, iri: str) -> list[Term]:
        """Return the classes directly below one, and its individuals, by label."""
        found = [t for t in self.terms.values() if iri in t.to("subClassOf") or iri in t.to("type")]
        return sorted(found, key=lambda t: t.label.casefold())

    def count(self, iri: str) -> int:
        """Count everything below a class."""
        return sum(1 + self.count(term.iri) for term in self.below(iri))

    def steps(self) -> set[str]:
        """Return the definitions without a category, which are shown within others."""
        return {part for parts in self.law.parts.values() for part in parts} - set(self.law.definitions)

    def anchor(self, iri: str) -> str:
        """Write the attribute that makes a term's first place on the page the one that links lead to."""
        name = self.terms[iri].name
        if name in self.anchored:
            return ""
        self.anchored.add(name)
        return f' id="{escape(name)}"'

    def link(self, iri: str) -> str:
        """Write a link to a term of the page; text where it is none of ours."""
        term = self.terms.get(iri)
        if term is None:
            return escape(iri.rpartition("#")[2] or iri)
        return f'<a href="#{escape(term.name)}">{escape(term.label)}</a>'


def page(project: Project) -> str:
    """Write the page as one HTML file that needs nothing else."""
    v = Vocabulary.read(project)
    parts = [
        "<!doctype html>\n<!-- made by scripts/docs.py; do not edit -->",
        '<html lang="en"><head><meta charset="utf-8"><title>The ontology of atmpkg</title>',
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>',
        *_head(v),
        '<h2 id="drawing">How it hangs together</h2>',
        "<p>The main kinds of node and the properties between them. Each also names its sources, and most name the "
        "jurisdiction in which they hold. Rules derive the status of an authorisation from its events.</p>",
        f'<div class="drawing">{_drawing(v)}</div>',
        '<h2 id="classes">Classes from above</h2>',
        "<p>Left the upper classes that are reused (BFO, COB, IAO, OBI, PROV-O), then our own. A number says how many "
        "further classes stand below.</p>",
        f'<div class="drawing">{_tree(v)}</div>',
        *_law(v),
        *_events(v),
        *_kinds(v),
        *_properties(v),
        *_reused(v),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _head(v: Vocabulary) -> Iterator[str]:
    own = [t for t in v.terms.values() if not t.elsewhere]
    classes, properties = (sum(any(word in k for k in t.kinds) for t in own) for word in ("Class", "Property"))
    version = next(iter(v.modules.values()))["version"]
    yield "<h1>The ontology of atmpkg</h1>"
    yield (
        f"<p>Advanced therapies, their regulation and the evidence about them in OWL 2 DL: {classes} classes and "
        f"{properties} properties of our own in {len(v.modules)} modules. Version {escape(version)}, "
        f'<a href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a>, namespace <code>{ONTOLOGY}</code>, '
        "prefix <code>atmp:</code>. Every term below has a definition; its word in the tables stands in "
        "<code>this type</code>.</p>"
    )
    places = (
        ("modules", "Modules"),
        ("drawing", "Drawing"),
        ("classes", "Classes"),
        ("legal-definitions", "Legal definitions"),
        ("criteria", "Criteria"),
        ("events", "Events"),
        ("kinds", "All kinds"),
        ("properties", "Properties"),
        ("reused", "Reused terms"),
    )
    yield "<nav>" + "".join(f'<a href="#{anchor}">{name}</a>' for anchor, name in places) + "</nav>"
    yield '<h2 id="modules">Modules</h2><table><tr><th>Module</th><th>What it holds</th><th>Imports</th></tr>'
    for iri, about in v.modules.items():
        imports = ", ".join(module.rpartition("/")[2] for module in about["imports"].split())
        yield (
            f"<tr><td><code>{escape(iri.rpartition('/')[2])}</code></td><td>{escape(about['description'])}</td>"
            f"<td>{imports}</td></tr>"
        )
    yield "</table>"


# Drawings ------------------------------------------------------------------------------------------------------------

_WIDE, _HIGH, _GAP_X, _GAP_Y = 184, 44, 128, 62


def _drawing(v: Vocabulary) -> str:
    """Draw boxes on a grid, and an arrow with its property's label for each line."""

    def corner(name: str) -> tuple[int, int]:
        column, row = DRAWN[name]
        return 12 + column * (_WIDE + _GAP_X), 12 + row * (_HIGH + _GAP_Y)

    lines, boxes, words = [], [], []
    for subject, how, value in LINES:
        (ax, ay), (bx, by) = corner(subject), corner(value)
        start, end = _border(ax, ay, bx, by), _border(bx, by, ax, ay)
        lines.append(
            f'<line x1="{start[0]}" y1="{start[1]}" x2="{end[0]}" y2="{end[1]}" stroke="#7b8794" '
            'marker-end="url(#tip)"/>'
        )
        x, y = (start[0] + end[0]) // 2, (start[1] + end[1]) // 2
        label = v.terms[ONTOLOGY + how].label
        width = _width(label, 12) + 8
        words.append(f'<rect x="{x - width // 2}" y="{y - 9}" width="{width}" height="17" fill="#fff"/>')
        words.append(f'<text class="soft" x="{x}" y="{y + 4}" text-anchor="middle">{escape(label)}</text>')
    for name in DRAWN:
        x, y = corner(name)
        term = v.terms[ONTOLOGY + name]
        boxes.append(
            f'<a href="#{name}"><rect x="{x}" y="{y}" width="{_WIDE}" height="{_HIGH}" rx="7" fill="#e8f1fa" '
            f'stroke="#2f6ea5"/><text x="{x + _WIDE // 2}" y="{y + 28}" text-anchor="middle">'
            f"{escape(term.label)}</text></a>"
        )
    columns, deep = (max(at[i] for at in DRAWN.values()) + 1 for i in (0, 1))
    width, height = 24 + columns * _WIDE + (columns - 1) * _GAP_X, 24 + deep * _HIGH + (deep - 1) * _GAP_Y
    tip = '<marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    tip += '<path d="M0 0L8 4L0 8z" fill="#7b8794"/></marker>'
    return _svg(width, height, [f"<defs>{tip}</defs>", *lines, *words, *boxes], "The main classes and their relations")


def _width(text: str, size: int) -> int:
    """Estimate how wide a text is drawn, rather too wide than too narrow."""
    units = sum(0.95 if letter in "mwMW" else 0.38 if letter in "iljtfr .,()'-" else 0.64 for letter in text)
    return round(units * size)


def _border(x: int, y: int, to_x: int, to_y: int) -> tuple[int, int]:
    """Return the point of a box's border that looks towards another box."""
    dx, dy = to_x - x, to_y - y
    middle = (x + _WIDE / 2, y + _HIGH / 2)
    scale = min(_WIDE / 2 / abs(dx) if dx else 9, _HIGH / 2 / abs(dy) if dy else 9)
    return round(middle[0] + dx * scale), round(middle[1] + dy * scale)


def _tree(v: Vocabulary, deep: int = 2) -> str:
    """Draw the hierarchy as an indented tree: reused classes first, our own below them."""
    tops = [
        t
        for t in v.terms.values()
        if "Class" in t.kinds and t.elsewhere and not any(above in v.terms for above in t.to("subClassOf"))
    ]
    placed: list[tuple[int, Term, int]] = []
    seen: set[str] = set()

    def worth(term: Term) -> bool:
        """Tell whether a term is ours, or has one of ours below it that was not drawn yet."""
        return term.iri not in seen and (not term.elsewhere or any(map(worth, v.below(term.iri))))

    def place(term: Term, depth: int, own: int) -> None:
        children = [t for t in v.below(term.iri) if "Class" in t.kinds and worth(t) and not t.deprecated]
        folded = own >= 1 and (len(children) > 5 or own >= deep)
        placed.append((depth, term, v.count(term.iri) if folded else 0))
        seen.add(term.iri)
        if not folded:
            for child in children:
                if child.iri not in seen:
                    place(child, depth + 1, own + (0 if child.elsewhere else 1))

    for top in sorted(tops, key=lambda t: (-v.count(t.iri), t.label)):
        if worth(top):
            place(top, 0, 0)
    half = next((n for n, (depth, *_) in enumerate(placed) if depth == 0 and n >= len(placed) * 0.45), len(placed))
    columns = [placed[:half], placed[half:]]
    parts = [part for number, column in enumerate(columns) for part in _branches(column, 10 + number * 570)]
    return _svg(1140, 16 + max(map(len, columns)) * _STEP, parts, "The class hierarchy from above")


_STEP, _INDENT = 25, 30


def _branches(placed: list[tuple[int, Term, int]], left: int) -> Iterator[str]:
    """Draw terms below each other, each indented by its depth and joined to the one above it in the hierarchy."""
    last: dict[int, int] = {}
    for number, (depth, term, more) in enumerate(placed):
        x, y = left + depth * _INDENT, 8 + number * _STEP
        if depth - 1 in last:
            yield f'<path d="M{x - _INDENT + 10} {last[depth - 1] + 20}V{y + 10}H{x}" fill="none" stroke="#b9c3cd"/>'
        last = {d: at for d, at in last.items() if d < depth} | {depth: y}
        width = _width(term.label, 14) + 18
        fill, stroke = ("#f2f4f6", "#9aa5b1") if term.elsewhere else ("#e8f1fa", "#2f6ea5")
        tail = f'<text class="soft" x="{x + width + 8}" y="{y + 15}">+ {more}</text>' if more else ""
        yield (
            f'<a href="#{escape(term.name)}"><rect x="{x}" y="{y}" width="{width}" height="20" rx="4" fill="{fill}" '
            f'stroke="{stroke}"/><text x="{x + 9}" y="{y + 15}">{escape(term.label)}</text></a>{tail}'
        )


def _svg(width: int, height: int, parts: Iterable[str], title: str) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'{head} role="img" aria-label="{escape(title)}">' + "\n".join(parts) + "</svg>"


# Law -----------------------------------------------------------------------------------------------------------------


def _law(v: Vocabulary) -> Iterator[str]:
    yield '<h2 id="legal-definitions">Legal definitions</h2>'
    yield (
        "<p>A definition is a class whose conditions are necessary and sufficient. A condition asks one criterion, or "
        "leaves a choice between several. Yes and no are facts with a source; what is not known leaves a definition "
        "undecided. Where a thing meets two definitions, precedence says which category holds.</p>"
    )
    places: dict[str, list[Definition]] = {}
    for definition in v.law.definitions.values():
        places.setdefault(definition.jurisdiction, []).append(definition)
    for place, definitions in sorted(places.items()):
        yield f"<h3>{escape(place)}</h3><table><tr><th>Category</th><th>Conditions</th><th>Law and article</th></tr>"
        for d in sorted(
            definitions, key=lambda d: (bool(d.valid_until), d.additional, d.iri in v.law.limbs, d.notation)
        ):
            yield _definition(v, d)
        yield "</table>"
    yield '<h3 id="criteria">Criteria</h3><table><tr><th>Criterion</th><th>The question</th><th>Article</th></tr>'
    for iri, _ in sorted(v.law.criteria.values(), key=lambda pair: v.terms[pair[0]].label):
        yield _row(v, v.terms[iri], "<br>".join(escape(c) for c in sorted(v.terms[iri].citations)))
    yield "</table>"


def _definition(v: Vocabulary, d: Definition) -> str:
    until = f" until {d.valid_until}" if d.valid_until else ""
    over = ", ".join(v.link(lower) for higher, lower in sorted(v.law.outranks) if higher == d.iri)
    role = "one way to meet it" if d.iri in v.law.limbs else "on top of another category" if d.additional else ""
    return (
        f"<tr{v.anchor(d.iri)}{' class=old' if until else ''}><td><b>{escape(d.label)}</b><br>"
        f"<code>{escape(d.notation)}</code>{f'<br><span class=soft>{role}</span>' if role else ''}</td>"
        f"<td>{_parts(v, d.iri)}{f'<p class=soft>Takes precedence over: {over}</p>' if over else ''}</td>"
        f"<td>{escape(d.citation)}<br><span class=soft>{escape(d.law)}, "
        f"from {d.valid_from or 'a day to come'}{until}</span></td></tr>"
    )


def _parts(v: Vocabulary, iri: str) -> str:
    """Write the parts of a definition as a list, each with the answers that meet it and its article."""
    items = []
    for part in v.law.parts.get(iri, ()):
        if part in v.law.conditions:
            c = v.law.conditions[part]
            answers = " <b>or</b> ".join(
                f"{v.link(v.law.criteria[criterion][0])}: {'yes' if answer else 'no'}"
                for criterion, answer in c.answers
            )
            items.append(f"<li{v.anchor(part)}>{answers} <span class=soft>({escape(c.citation)})</span></li>")
        elif part in v.law.definitions:
            items.append(f"<li>{v.link(part)}</li>")
        else:  # a step on the way, which has no category of its own
            items.append(f"<li{v.anchor(part)}>{escape(v.terms[part].label)}: {_parts(v, part)}</li>")
    word = "one of" if iri in _unions(v) else "all of"
    return f"{word}<ul>{''.join(items)}</ul>"


def _unions(v: Vocabulary) -> set[str]:
    found = rows(v.law.store, f"{_PREFIXES} SELECT ?c {{ ?c owl:equivalentClass/owl:unionOf ?parts }} ORDER BY ?c")
    return {row["c"] for row in found}


# Tables of terms -----------------------------------------------------------------------------------------------------


def _row(v: Vocabulary, term: Term, *cells: str) -> str:
    word = f"<br><code>{escape(term.notation)}</code>" if term.notation else ""
    gone = " <i>deprecated</i>" if term.deprecated else ""
    return (
        f"<tr{v.anchor(term.iri)}><td>{escape(term.label)}{gone}{word}</td><td>{_said(term)}</td>"
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
    )


def _said(term: Term) -> str:
    said = escape(term.definition)
    for note in sorted(term.notes):
        said += f"<br><span class=soft>{escape(note)}</span>"
    for example in sorted(term.examples):
        said += f"<br><span class=soft>For example: {escape(example)}</span>"
    return said


def _events(v: Vocabulary) -> Iterator[str]:
    yield '<h2 id="events">Events and what they do</h2>'
    yield (
        "<p>The status of an authorisation follows from its events. Rules read the effect from the class, so that a "
        "new kind of event needs a class and no code.</p>"
    )
    for group in v.below(f"{ONTOLOGY}RegulatoryEvent"):
        kinds = [t for t in _all_below(v, group.iri) if not t.deprecated]
        yield f"<h3{v.anchor(group.iri)}>{escape(group.label)}</h3><p>{escape(group.definition)}</p>"
        yield "<table><tr><th>Kind</th><th>Definition</th><th>Effect</th><th>Where</th><th>Article</th></tr>"
        for term in kinds:
            effects = [v.link(x) for how in ("statusEffect", "scopeEffect") for x in term.to(how)]
            effects += [f"→ {v.link(x)}" for x in term.to("resultingStatus")]
            where = ", ".join(term.to("appliesIn"))
            yield _row(v, term, "<br>".join(effects), where, "<br>".join(escape(c) for c in sorted(term.citations)))
        yield "</table>"


def _all_below(v: Vocabulary, iri: str) -> list[Term]:
    found: dict[str, Term] = {}
    for term in v.below(iri):
        found[term.iri] = term
        found |= {t.iri: t for t in _all_below(v, term.iri)}
    return list(found.values())


def _kinds(v: Vocabulary) -> Iterator[str]:
    yield '<h2 id="kinds">All kinds</h2><p>Every other class and individual, below the class that gathers it.</p>'
    shown = (
        {t.iri for t in _all_below(v, f"{ONTOLOGY}RegulatoryEvent")} | set(v.law.definitions) | set(v.law.conditions)
    )
    shown |= {iri for iri, _ in v.law.criteria.values()} | v.steps()
    own = {t.iri for t in v.terms.values() if not t.elsewhere and t.kinds & {"Class", "NamedIndividual"}} - shown
    tops = [v.terms[iri] for iri in own if not any(above in own for above in _above(v.terms[iri]))]
    for top in sorted(tops, key=lambda t: t.label.casefold()):
        below = [t for t in _all_below(v, top.iri) if t.iri in own]
        title = f"{escape(top.label)}{f' ({len(below)})' if below else ''}"
        yield f"<details{v.anchor(top.iri)}><summary>{title}</summary><p>{_said(top)}</p>"
        if below:
            yield "<table><tr><th>Kind</th><th>Definition</th><th>Below</th></tr>"
            for term in below:
                yield _row(v, term, ", ".join(v.link(above) for above in _above(term) if above in v.terms))
            yield "</table>"
        yield "</details>"


def _above(term: Term) -> list[str]:
    return [*term.to("subClassOf"), *(t for t in term.to("type") if t.startswith(ONTOLOGY))]


def _properties(v: Vocabulary) -> Iterator[str]:
    yield '<h2 id="properties">Properties</h2><table><tr><th>Property</th><th>Definition</th><th>From → to</th></tr>'
    own = [t for t in v.terms.values() if not t.elsewhere and any("Property" in kind for kind in t.kinds)]
    for term in sorted(own, key=lambda t: t.label.casefold()):
        ends = [", ".join(v.link(x) for x in term.to(how)) or "any" for how in ("domain", "range")]
        annotation = "annotation" if "AnnotationProperty" in term.kinds else " → ".join(ends)
        yield _row(v, term, f"{annotation}<br><code>atmp:{escape(term.name)}</code>")
    yield "</table>"


def _reused(v: Vocabulary) -> Iterator[str]:
    yield '<h2 id="reused">Reused terms</h2><table><tr><th>Term</th><th>IRI</th><th>Defined by</th></tr>'
    for term in sorted((t for t in v.terms.values() if t.elsewhere), key=lambda t: t.label.casefold()):
        source = escape(term.elsewhere.rstrip("/#").rpartition("/")[2] or term.elsewhere)
        yield f"<tr{v.anchor(term.iri)}><td>{escape(term.label)}</td><td><code>{escape(term.iri)}</code></td>"
        yield f"<td>{source}</td></tr>"
    yield "</table>"


if __name__ == "__main__":
    print(page(Project.find(Path(__file__).resolve().parent.parent)), end="")
