"""Classification by law: from yes/no answers to the category, with the rule that fired and what would change it.

The definitions are OWL classes in ``ontology/atmp-law.ttl``; the rules ``law-*`` walk them. Two readers of the same
axioms stand here: those rules over a store (fast, three-valued) and HermiT (on demand, open world).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from atmpkg.errors import StoreError, UsageError, nearest, one_of, quoted
from atmpkg.names import DATA, ONTOLOGY, graph_iri
from atmpkg.project import Project
from atmpkg.queries import read_queries
from atmpkg.reasoning import infer
from atmpkg.stores import Embedded, Store, rows
from atmpkg.terms import Terms

Facts = Mapping[str, bool]  # criterion notation -> answer; a criterion that is unknown is left out

# YAML reads an unquoted yes, no and ~ as true, false and nothing.
_ANSWERS = {"yes": "yes", "True": "yes", "no": "no", "False": "no", "unknown": "unknown", "None": "unknown"}
_RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_CRITERIA = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?criterion ?notation ?label { ?criterion a atmp:Criterion ; skos:notation ?notation ; rdfs:label ?label }
ORDER BY ?notation
"""
_DEFINITIONS = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?definition ?notation ?citation ?category ?label ?additional ?jurisdiction ?law ?from ?until {
  ?definition atmp:definesCategory ?category_class ; skos:notation ?notation ; atmp:citation ?citation ;
    atmp:law ?version .
  ?version atmp:jurisdictionCode ?jurisdiction ; rdfs:label ?law .
  ?category_class rdfs:label ?label .
  OPTIONAL { ?category_class skos:notation ?category }
  OPTIONAL { ?definition atmp:additional ?additional }
  OPTIONAL { ?version atmp:validFrom ?from }
  OPTIONAL { ?version atmp:validUntil ?until }
}
ORDER BY ?jurisdiction ?notation
"""
_OUTRANKS = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
SELECT ?higher ?lower { ?higher atmp:outranks ?lower }
ORDER BY ?higher ?lower
"""
_PARTS = """
PREFIX owl: <http://www.w3.org/2002/07/owl#>
PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT ?whole ?part {
  ?whole owl:equivalentClass/(owl:intersectionOf|owl:unionOf)/rdf:rest*/rdf:first ?part
  FILTER(isIRI(?part))
}
ORDER BY ?whole ?part
"""
_CONDITIONS = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX owl: <http://www.w3.org/2002/07/owl#>
PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?condition ?label ?citation ?how ?criterion {
  VALUES ?how { atmp:satisfies atmp:lacks }
  { ?condition owl:equivalentClass ?restriction } UNION
  { ?condition owl:equivalentClass/owl:unionOf/rdf:rest*/rdf:first ?restriction }
  ?restriction owl:onProperty ?how ; owl:hasValue/skos:notation ?criterion .
  ?condition rdfs:label ?label .
  OPTIONAL { ?condition atmp:citation ?citation }
  FILTER(isIRI(?condition))
}
ORDER BY ?condition ?criterion
"""
_MEETS = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
SELECT ?thing ?how ?class {
  VALUES ?how { atmp:meets atmp:fails atmp:undecidedFor }
  ?thing ?how ?class
}
ORDER BY ?thing ?how ?class
"""
_STATED = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?criterion ?value {
  ?statement a atmp:CriterionStatement ; atmp:thing <%s> ; atmp:criterion/skos:notation ?criterion ;
    atmp:criterionValue ?value
}
ORDER BY ?criterion
"""


@dataclass(frozen=True)
class Definition:
    """A legal definition: the category it gives, the law it stands in and the days between which that applies."""

    iri: str
    notation: str
    citation: str
    category: str
    label: str
    additional: bool
    jurisdiction: str
    law: str
    valid_from: str
    valid_until: str

    def in_force(self, day: str) -> bool:
        """Tell whether the law applies on a day (ISO 8601); a law without a first day is pending."""
        return bool(self.valid_from) and self.valid_from <= day and (not self.valid_until or day < self.valid_until)


@dataclass(frozen=True)
class Condition:
    """One condition of a definition: its words, its article, and the answers of which one is enough."""

    label: str
    citation: str
    answers: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Verdict:
    """What the law of one jurisdiction makes of a thing on a day.

    ``holds``: definitions that hold after precedence; ``open``: those that an unknown answer leaves undecided and that
    could still change the outcome; ``missing``: the criteria that would decide them; ``fired``: the conditions met;
    ``counterfactuals``: a criterion with the answer it would need, and what the thing would then be.
    """

    jurisdiction: str
    holds: tuple[Definition, ...]
    open: tuple[Definition, ...]
    missing: tuple[str, ...]
    fired: Mapping[str, tuple[Condition, ...]]
    excluded: Mapping[str, tuple[Condition, ...]]
    counterfactuals: tuple[tuple[str, bool, str], ...] = ()

    @property
    def outcome(self) -> str:
        """The category in words, with what is additional to it; says so where nothing holds."""
        main = list(dict.fromkeys(d.label for d in self.holds if not d.additional))
        also = list(dict.fromkeys(d.label for d in self.holds if d.additional))
        if not main:
            return "undecided" if self.open else "none of what this law defines"
        return " and ".join(main + also)


@dataclass
class Law:
    """The definitions and conditions of the law module, with the rules that apply them."""

    project: Project
    store: Embedded = field(init=False)

    def __post_init__(self) -> None:
        triples = Terms.read(self.project.ontology).triples
        graph = f" <{graph_iri('ontology')}> .\n".encode()
        self.store = Embedded.memory()
        self.store.load(b"".join(line[: -len(b" .")] + graph for line in triples.splitlines()))

    @cached_property
    def criteria(self) -> dict[str, tuple[str, str]]:
        """Criterion notation to IRI and label."""
        return {row["notation"]: (row["criterion"], row["label"]) for row in rows(self.store, _CRITERIA)}

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        """Definitions that give a category, by IRI."""
        return {
            row["definition"]: Definition(
                iri=row["definition"],
                notation=row["notation"],
                citation=row["citation"],
                category=row["category"],
                label=row["label"],
                additional=row["additional"] == "true",
                jurisdiction=row["jurisdiction"],
                law=row["law"],
                valid_from=row["from"],
                valid_until=row["until"],
            )
            for row in rows(self.store, _DEFINITIONS)
        }

    @cached_property
    def outranks(self) -> set[tuple[str, str]]:
        """Pairs of definitions of which the first takes precedence."""
        return {(row["higher"], row["lower"]) for row in rows(self.store, _OUTRANKS)}

    @cached_property
    def conditions(self) -> dict[str, Condition]:
        """Conditions by IRI."""
        found: dict[str, Condition] = {}
        for row in rows(self.store, _CONDITIONS):
            before = found.get(row["condition"])
            answer = (row["criterion"], row["how"].endswith("satisfies"))
            answers = (*before.answers, answer) if before else (answer,)
            found[row["condition"]] = Condition(row["label"], row["citation"], answers)
        return found

    @cached_property
    def parts(self) -> dict[str, tuple[str, ...]]:
        """Parts of each definition, whether all or one of them is asked for."""
        found: dict[str, tuple[str, ...]] = {}
        for row in rows(self.store, _PARTS):
            found[row["whole"]] = (*found.get(row["whole"], ()), row["part"])
        return found

    @cached_property
    def limbs(self) -> set[str]:
        """Definitions that are one way of meeting another of the same category; they do not stand for themselves."""
        return {
            part
            for whole, parts in self.parts.items()
            for part in parts
            if whole in self.definitions
            and part in self.definitions
            and self.definitions[whole].category == self.definitions[part].category
        }

    def leaves(self, definition: str) -> tuple[str, ...]:
        """Return the conditions below a definition."""
        if definition in self.conditions:
            return (definition,)
        return tuple(dict.fromkeys(leaf for part in self.parts.get(definition, ()) for leaf in self.leaves(part)))

    def criteria_in_force(self, day: str) -> set[str]:
        """Return the criteria that some definition in force on a day asks for."""
        leaves = (leaf for d in self.definitions.values() if d.in_force(day) for leaf in self.leaves(d.iri))
        return {criterion for leaf in leaves for criterion, _ in self.conditions[leaf].answers}

    def check(self, facts: Mapping[str, object]) -> dict[str, bool]:
        """Return the answers that are known; raise UsageError on a criterion or an answer that is not."""
        known: dict[str, bool] = {}
        for name, value in facts.items():
            if name not in self.criteria:
                raise UsageError(f"cannot classify: no criterion {quoted(name)}{nearest(name, self.criteria) or '.'}")
            answer = _ANSWERS.get(str(value))
            if answer is None or not isinstance(value, bool | str | None):
                raise UsageError(f"cannot classify: found {name}: {quoted(str(value))}; expected yes, no or unknown.")
            if answer != "unknown":
                known[name] = answer == "yes"
        return known

    def derive(self, things: Mapping[str, Facts]) -> dict[str, dict[str, set[str]]]:
        """Run the rules over named things; return for each what it meets, fails and is undecided for (class IRIs)."""
        store = Embedded.memory()
        store.load(self.store.dump())
        store.load("".join(self._statements(things)).encode())
        infer(store, read_queries(self.project.folders("queries", "rules")).values())
        found: dict[str, dict[str, set[str]]] = {
            name: {"meets": set(), "fails": set(), "undecidedFor": set()} for name in things
        }
        for row in rows(store, _MEETS):
            found[row["thing"].removeprefix(f"{DATA}thing/")][row["how"].removeprefix(ONTOLOGY)].add(row["class"])
        return found

    def _statements(self, things: Mapping[str, Facts]) -> Iterable[str]:
        end = f" <{graph_iri('criterion')}> .\n"
        for name, facts in things.items():
            asked = f"<{DATA}criterion/{name}>"  # without an answer: what nothing is known of is undecided, not nothing
            yield f"{asked} <{_RDF_TYPE}> <{ONTOLOGY}CriterionStatement>{end}"
            yield f"{asked} <{ONTOLOGY}thing> <{DATA}thing/{name}>{end}"
            for criterion, answer in facts.items():
                node = f"<{DATA}criterion/{name}.{criterion}>"
                value = f'"{str(answer).lower()}"^^<http://www.w3.org/2001/XMLSchema#boolean>'
                yield f"{node} <{_RDF_TYPE}> <{ONTOLOGY}CriterionStatement>{end}"
                yield f"{node} <{ONTOLOGY}thing> <{DATA}thing/{name}>{end}"
                yield f"{node} <{ONTOLOGY}criterion> <{self.criteria[criterion][0]}>{end}"
                yield f"{node} <{ONTOLOGY}criterionValue> {value}{end}"

    def classify(self, facts: Facts, *, day: str = "", jurisdictions: Iterable[str] = ()) -> list[Verdict]:
        """Say what each law makes of the facts on a day (ISO 8601), and what one answer would change."""
        day = day or dt.date.today().isoformat()
        places = sorted({d.jurisdiction for d in self.definitions.values() if d.in_force(day)})
        wanted = [place for place in places if not jurisdictions or place in set(jurisdictions)]
        if unknown := set(jurisdictions) - set(places):
            raise UsageError(f"cannot classify under {', '.join(sorted(unknown))}: expected {one_of(places)} on {day}.")
        variants: dict[str, Facts] = {"as-it-is": facts}
        for criterion in self.criteria:
            for answer in (True, False):
                if facts.get(criterion) is not answer:
                    variants[f"{criterion}.{'yes' if answer else 'no'}"] = {**facts, criterion: answer}
        derived = self.derive(variants)
        return [self._verdict(place, day, facts, variants, derived) for place in wanted]

    def _verdict(
        self,
        place: str,
        day: str,
        facts: Facts,
        variants: Mapping[str, Facts],
        derived: Mapping[str, Mapping[str, set[str]]],
    ) -> Verdict:
        state = derived["as-it-is"]
        verdict = self._plain(place, day, state)
        missing = dict.fromkeys(
            criterion
            for definition in verdict.open
            for leaf in self.leaves(definition.iri)
            if leaf not in state["meets"] and leaf not in state["fails"]
            for criterion, _ in self.conditions[leaf].answers
            if criterion not in facts
        )
        changes = []
        for name, changed in variants.items():
            if name != "as-it-is":
                other = self._plain(place, day, derived[name]).outcome
                if other != verdict.outcome:
                    criterion = name.rpartition(".")[0]
                    changes.append((criterion, changed[criterion], other))
        met = {
            d.notation: tuple(self.conditions[c] for c in self.leaves(d.iri) if c in state["meets"])
            for d in verdict.holds
        }
        lost = {
            d.label: tuple(self.conditions[c] for c in self.leaves(d.iri) if c in state["fails"])
            for d in self.definitions.values()
            if d.jurisdiction == place
            and d.in_force(day)
            and d.iri in state["fails"]
            and d.iri not in self.limbs
            and not d.additional
        }
        return Verdict(place, verdict.holds, verdict.open, tuple(missing), met, lost, tuple(changes))

    def _plain(self, place: str, day: str, state: Mapping[str, set[str]]) -> Verdict:
        """Apply validity and precedence to what was derived."""
        valid = {
            iri: d
            for iri, d in self.definitions.items()
            if d.jurisdiction == place and d.in_force(day) and iri not in self.limbs
        }
        met = [iri for iri in valid if iri in state["meets"]]
        blocking = [iri for iri in valid if iri in state["meets"] or iri in state["undecidedFor"]]
        holds = [iri for iri in met if not any((higher, iri) in self.outranks for higher in blocking)]
        undecided = [iri for iri in valid if iri in state["undecidedFor"]]
        decided = any(not valid[iri].additional for iri in holds)
        open_ = [iri for iri in undecided if not decided or any((iri, lower) in self.outranks for lower in met)]
        return Verdict(place, tuple(valid[i] for i in holds), tuple(valid[i] for i in open_), (), {}, {})


def facts_of(store: Store, iri: str) -> dict[str, bool]:
    """Return the known answers that the graph holds for a product or a ruling."""
    return {row["criterion"]: row["value"] == "true" for row in rows(store, _STATED % iri) if row["value"]}


def read_description(path: Path) -> tuple[str, dict[str, object]]:
    """Read a hypothetical product from YAML or JSON: ``label`` and ``criteria`` (criterion: yes, no or unknown)."""
    from atmpkg.names import load_yaml

    try:
        entry = load_yaml(path)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}.") from None
    if not isinstance(entry, dict) or not isinstance(entry.get("criteria"), dict):
        raise UsageError(f"cannot read {path}: expected label and criteria (criterion: yes, no or unknown).")
    return str(entry.get("label", path.stem)), {str(k): v for k, v in entry["criteria"].items()}


def hermit(law: Law, things: Mapping[str, Facts]) -> dict[str, set[str]]:
    """Let HermiT classify named things by the axioms; return the definitions (IRIs) that each one meets.

    Only the law module and the answers are given to the reasoner. Needs ``atmpkg[reason]`` and Java.
    """
    import shutil
    import tempfile

    try:
        import owlready2
    except ImportError:
        raise StoreError(
            "cannot run HermiT: owlready2 is not installed. Install it: pip install 'atmpkg[reason]'."
        ) from None
    if not shutil.which("java"):
        raise StoreError(
            "cannot run HermiT: Java was not found. Install a Java runtime (default-jre-headless, openjdk)."
        )
    world = owlready2.World()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "law.nt"
        path.write_text("".join(_axioms(law, things)), encoding="utf-8")
        ontology = world.get_ontology(path.as_uri()).load()
        with ontology:
            owlready2.sync_reasoner(world, debug=0)
    found: dict[str, set[str]] = {name: set() for name in things}
    for iri in law.definitions:
        for individual in world[iri].instances(world=world):
            name = individual.iri.removeprefix(f"{DATA}thing/")
            if name in found:
                found[name].add(iri)
    return found


def _axioms(law: Law, things: Mapping[str, Facts]) -> Iterable[str]:
    """Yield the law module and the answers as N-Triples, without imports and without dates."""
    import pyoxigraph as ox

    path = law.project.ontology / "atmp-law.ttl"
    kept = (
        triple.triple
        for triple in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE)
        if not triple.predicate.value.endswith("#imports")
    )
    yield (ox.serialize(kept, format=ox.RdfFormat.N_TRIPLES) or b"").decode()
    for name, facts in things.items():
        thing = f"<{DATA}thing/{name}>"
        yield f"{thing} <{_RDF_TYPE}> <http://www.w3.org/2002/07/owl#NamedIndividual> .\n"
        for criterion, answer in facts.items():
            how = "satisfies" if answer else "lacks"
            yield f"{thing} <{ONTOLOGY}{how}> <{law.criteria[criterion][0]}> .\n"
