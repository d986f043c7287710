"""Ask across our Turtle and Mondo's with rdflib alone: products by group of diseases, through Mondo's own hierarchy.

``python docs/examples/across_mondo.py [mondo.owl or a slice in Turtle]`` prints each group with its products. Without
an argument it takes the slice in ``ontology/imports``; a whole ``mondo.owl`` works the same, and takes longer to read.
"""

from __future__ import annotations

import sys
from pathlib import Path

from rdflib import Dataset, Graph, URIRef

import atmpkg

GROUPS = {"MONDO:0002561": "lysosomal storage disease", "MONDO:0005328": "eye disorder"}
QUERY = """
PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT DISTINCT ?product ?kind {
  ?term rdfs:subClassOf* ?group .
  ?disease skos:exactMatch|skos:broadMatch ?term .
  ?use a atmp:Indication ; atmp:disease ?disease ; atmp:product/rdfs:label ?product .
  ?term rdfs:label ?kind
}
ORDER BY ?product ?kind
"""


def main() -> None:
    """Load both graphs and print what they say together."""
    slice = Path(__file__).parents[2] / "ontology" / "imports" / "mondo.ttl"
    mondo = Graph().parse(sys.argv[1] if sys.argv[1:] else slice)
    ours = atmpkg.open()
    both: Dataset = ours.rdflib()  # or: Dataset(default_union=True).parse("atmpkg.nq")
    for triple in mondo:
        both.add((*triple, URIRef("urn:mondo")))  # type: ignore[arg-type]
    for curie, label in GROUPS.items():
        print(f"{label} ({curie})")
        rows = both.query(QUERY, initBindings={"group": URIRef(ours.names.expand(curie))})
        for product, kind in rows:  # type: ignore[misc]
            print(f"  {product}: {kind}")


if __name__ == "__main__":
    main()
