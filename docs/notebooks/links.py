# %% [markdown]
# # The same thing elsewhere
#
# The pack `links`: ids in other vocabularies, and what has none. You may come with an id of yours, or leave with one.

# %% parameters
thing = "Kymriah"
kind = "disease"
group = "MONDO:0002561"  # a term of Mondo above our diseases: lysosomal storage disease

# %%
import pandas as pd

import atmpkg

kg = atmpkg.open()
answers = []


def ask(name, **parameters):
    """Ask, and remember the answer for the list of sources."""
    answers.append(kg.ask(name, **parameters))
    return answers[-1]


def picture(answer):
    """Draw an answer, or say why there is nothing to draw."""
    return answer.plot() if answer.rows else answer

# %% [markdown]
# ## From what you have to the thing that is meant
# A brand, an acronym, another script, a misspelling, or an id of a registry; with the reason why it fits.

# %%
pd.concat([kg.find(text).to_pandas().head(1) for text in ("奕凯达", "zuma1", "NCT02348216", "MONDO:0018905", "BCMA", "CRS")])

# %% [markdown]
# ## Ids of a thing

# %%
ask("external-ids", thing=thing)

# %% [markdown]
# A trial and an adverse event have ids elsewhere too.

# %%
ask("external-ids", thing="ZUMA-1")

# %%
ask("external-ids", thing="cytokine release syndrome")

# %% [markdown]
# ## Coverage of the mapping sets

# %%
ask("mapping-coverage", kind=kind)

# %% [markdown]
# ## Things without a link

# %%
ask("unmapped", kind=kind)

# %% [markdown]
# ## Across Mondo with rdflib
# Our Turtle and Mondo's fit together: load both, and ask through Mondo's own hierarchy. Here it is the slice that comes with
# the package; a whole `mondo.ttl` works the same. The links say how exact they are; nothing is merged (`owl:sameAs` is never used).

# %%
from rdflib import Graph, URIRef

ours = kg.query("""
CONSTRUCT {
  ?use a atmp:Indication ; atmp:disease ?disease ; atmp:product ?product . ?product rdfs:label ?name . ?disease ?link ?term
} WHERE {
  ?use a atmp:Indication ; atmp:disease ?disease ; atmp:product ?product . ?product rdfs:label ?name .
  ?disease ?link ?term VALUES ?link { skos:exactMatch skos:broadMatch }
}""")
both = Graph().parse(kg.project.imports / "mondo.ttl")
for triple in ours:
    both.parse(data=f"{triple} .", format="nt")

found = both.query(
    """
    PREFIX atmp: <https://w3id.org/atmpkg/ontology/>
    PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
    PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
    SELECT DISTINCT ?name ?kind {
      ?term rdfs:subClassOf* ?group ; rdfs:label ?kind . ?disease skos:exactMatch|skos:broadMatch ?term .
      ?use a atmp:Indication ; atmp:disease ?disease ; atmp:product/rdfs:label ?name
    } ORDER BY ?name
    """,
    initBindings={"group": URIRef(kg.names.expand(group))},
)
pd.DataFrame([(str(name), str(kind)) for name, kind in found], columns=["product", "term of Mondo"])

# %% [markdown]
# The graph itself gives the same, with our own groups besides:

# %%
ask("products-by-disease", disease=group)

# %% [markdown]
# ## What this rests on

# %%
print(*sorted({f"As of {a.remarks.as_of} · {a.remarks.reach()}: {a.name}" for a in answers}), sep="\n")
print(f"Release {atmpkg.__version__} · CC BY 4.0")
sources = {source.id: source for answer in answers for source in answer.sources}
pd.DataFrame([(s.publisher, s.title, s.url) for s in sources.values()], columns=["publisher", "title", "URL"])
