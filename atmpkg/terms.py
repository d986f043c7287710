"""The ontology's terms: which notations stand for which classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from atmpkg.errors import DataError, Problem, quoted
from atmpkg.stores import Embedded, rows

_NOTATIONS = """
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT ?under ?notation ?term {
  ?term skos:notation ?notation ; (a|rdfs:subClassOf)/rdfs:subClassOf* ?under
  FILTER(STRSTARTS(STR(?under), "https://w3id.org/atmpkg/ontology/"))
}
ORDER BY ?under ?notation ?term
"""


@dataclass(frozen=True)
class Terms:
    """The ontology as N-Triples, and its notations by the class they stand below."""

    triples: bytes
    notations: Mapping[str, Mapping[str, str]]

    @classmethod
    def read(cls, folder: Path) -> Terms:
        """Read every ``*.ttl`` of a folder; raise DataError with every file that does not parse."""
        import pyoxigraph as ox

        dataset = ox.Dataset()
        problems = []
        for path in sorted(folder.glob("*.ttl")):
            try:
                for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE, rename_blank_nodes=True):
                    dataset.add(quad)
            except (SyntaxError, OSError) as error:
                line = getattr(error, "lineno", None) or 0
                problems.append(Problem(path.name, line, "", quoted(str(getattr(error, "msg", error)), 300), "Turtle"))
        if problems:
            raise DataError(problems)
        dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)  # the same blank nodes in every build
        store = ox.Store()
        store.extend(dataset)
        notations: dict[str, dict[str, str]] = {}
        for row in rows(Embedded(store), _NOTATIONS):
            other = notations.setdefault(row["under"], {}).setdefault(row["notation"], row["term"])
            if other != row["term"]:
                found = f"two terms with notation {row['notation']} below {row['under']}"
                problems.append(Problem("ontology", 0, row["notation"], found, "one"))
        if problems:
            raise DataError(problems)
        triples = store.dump(format=ox.RdfFormat.N_TRIPLES, from_graph=ox.DefaultGraph())
        return cls(b"".join(sorted((triples or b"").splitlines(keepends=True))), notations)
