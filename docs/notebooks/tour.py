# %% [markdown]
# # Ten minutes with atmpkg
#
# Advanced therapies (gene therapies, cell therapies, engineered tissues) are few, new and expensive, and what is known of
# them is scattered over regulators, assessment bodies and journals. `atmpkg` holds it as one graph: every fact with its date,
# its place and its source. This tour asks it a dozen questions. Nothing here needs a network.

# %% parameters
product = "Kymriah"  # an id, brand, INN or code name
disease = "lymphoma"  # a name or a CURIE such as MONDO:0005062; its kinds are included
here, there = "US", "EU"
as_of = "2026-10-31"

# %%
import atmpkg

kg = atmpkg.open()
kg.questions

# %% [markdown]
# Each line above is a question. A name completes with the tab key (`kg.questions.<tab>`), and a question tells what it counts:

# %%
help(kg.questions.approval_lag)

# %% [markdown]
# ## What is authorised?
# Status is never typed by hand. It follows from decisions, so any day of the past can be asked about.

# %%
authorised = kg.ask("authorised-products", jurisdiction=there, as_of=as_of)
authorised

# %% [markdown]
# The last lines say how far the data reach, and how many products have nothing recorded: absence is told, not hidden.
# Ten years ago the list was short:

# %%
kg.ask("authorised-products", jurisdiction=there, as_of="2016-01-01")

# %% [markdown]
# ## And in the rest of the world?

# %%
world = kg.ask("authorisations-by-country", as_of=as_of)
world.plot()

# %% [markdown]
# ## One product, its whole story
# A picture belongs to many questions. This one has a lane for each jurisdiction.

# %%
history = kg.ask("decision-history", product=product)
history.plot()

# %% [markdown]
# An answer is a table too; dates are dates, and a date known only to the month says so in a column of its own.

# %%
history.to_pandas()[["date", "date_precision", "jurisdiction", "event", "detail"]].tail(8)

# %% [markdown]
# ## Who comes first, and by how much?

# %%
lag = kg.ask("approval-lag", first=here, second=there)
lag.plot()

# %%
frame = lag.to_pandas()
print(f"{len(frame)} products in both; median {frame['days'].median():.0f} days; {(frame['days'] < 0).sum()} first in {there}")

# %% [markdown]
# ## What is there for a disease?
# The disease is found by any of its names, and what lies below it in Mondo counts as well.

# %%
for_disease = kg.ask("products-by-disease", disease=disease, jurisdiction=there, as_of=as_of)
for_disease

# %% [markdown]
# ## How are they built?

# %%
constructs = kg.ask("car-constructs", target="CD19")
constructs

# %% [markdown]
# ## What left the market, and why?

# %%
exits = kg.ask("market-exits")
exits.plot()

# %% [markdown]
# ## Nothing found is an answer too
# "Not recorded", "looked for and none found" and "not looked for" are three different things.

# %%
nothing = kg.ask("exclusivity", jurisdiction="BR")
print(*nothing.remarks.lines(len(nothing)), sep="\n")

# %% [markdown]
# ## Where does it come from?
# Every row ends with the ids of its sources. Sources that disagree are kept side by side:

# %%
disputes = kg.ask("disputes", product=product)
disputes

# %% [markdown]
# ## Your own question
# Any SPARQL goes, over the same graph; rdflib users get the same store as a Dataset (`kg.graph()`).

# %%
kg.select("""
SELECT ?modality (COUNT(?product) AS ?products) {
  ?product a atmp:Product ; atmp:modality/skos:notation ?modality
} GROUP BY ?modality ORDER BY DESC(?products) LIMIT 8
""")

# %% [markdown]
# ## Take it with you
# `authorised.to_polars()`, `.to_arrow()`; on the command line `atmpkg ask authorised-products jurisdiction=EU --out eu.xlsx`,
# and `--plot picture.svg`. The other notebooks go through one pack of questions each.
#
# ## What this rests on

# %%
import pandas as pd

answers = [authorised, world, history, lag, for_disease, constructs, exits, disputes]
print(f"As of {as_of} · release {atmpkg.__version__} · {sum(len(a) for a in answers)} rows · CC BY 4.0")
sources = {source.id: source for answer in answers for source in answer.sources}
pd.DataFrame([(s.publisher, s.title, s.url) for s in sources.values()], columns=["publisher", "title", "URL"])
