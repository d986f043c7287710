# %% [markdown]
# # Who has what, since when, and on what basis
#
# The pack `regulatory`: decisions, status, designations, duties, names.

# %% parameters
jurisdiction = "EU"
as_of = "2026-10-31"
since = "2025-01-01"
product = "Zolgensma"
modality = "car-t"

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
# ## How many?

# %%
ask("authorisation-count", jurisdiction=["EU", "US", "GB", "JP"], as_of=as_of)

# %% [markdown]
# ## Who has what: one kind of therapy in all jurisdictions

# %%
picture(ask("status-matrix", modality=modality, as_of=as_of))

# %% [markdown]
# ## On the map

# %%
picture(ask("authorisations-by-country", as_of=as_of))

# %% [markdown]
# ## What changed lately?

# %%
ask("changes-between", jurisdiction=jurisdiction, since=since, until=as_of)

# %% [markdown]
# ## The history of one product

# %%
picture(ask("decision-history", product=product))

# %% [markdown]
# ## For whom?

# %%
ask("indications", product=product, as_of=as_of)

# %% [markdown]
# ## Authorised in one place and not in the other

# %%
ask("authorised-here-not-there", here="US", there=jurisdiction, as_of=as_of)

# %% [markdown]
# ## Duties that are still open

# %%
duties = ask("obligations", jurisdiction=jurisdiction, as_of=as_of)
duties.to_pandas().groupby(["kind", "state"], dropna=False).size()

# %% [markdown]
# ## What is not an advanced therapy

# %%
ask("not-an-atmp")

# %% [markdown]
# ## What this rests on

# %%
print(*sorted({f"As of {a.remarks.as_of} · {a.remarks.reach()}: {a.name}" for a in answers}), sep="\n")
print(f"Release {atmpkg.__version__} · CC BY 4.0")
sources = {source.id: source for answer in answers for source in answer.sources}
pd.DataFrame([(s.publisher, s.title, s.url) for s in sources.values()], columns=["publisher", "title", "URL"])
