# %% [markdown]
# # How good the data are
#
# The pack `evidence`: strength of evidence, disputes, what is unconfirmed, stale or was never looked for.

# %% parameters
jurisdiction = "EU"
older_than_days = 30
as_of = "2026-12-31"

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
# ## Strength of the evidence behind decisions

# %%
ask("evidence-strength", jurisdiction=jurisdiction)

# %% [markdown]
# ## Disputes between sources

# %%
ask("disputes")

# %% [markdown]
# ## Facts that are not confirmed

# %%
ask("unconfirmed-facts", jurisdiction=jurisdiction)

# %% [markdown]
# ## Facts read long ago

# %%
stale = ask("stale-facts", older_than_days=older_than_days, as_of=as_of)
stale.to_pandas()["days"].describe()

# %% [markdown]
# ## What is known and what is not

# %%
ask("coverage")

# %% [markdown]
# ## What this rests on

# %%
print(*sorted({f"As of {a.remarks.as_of} · {a.remarks.reach()}: {a.name}" for a in answers}), sep="\n")
print(f"Release {atmpkg.__version__} · CC BY 4.0")
sources = {source.id: source for answer in answers for source in answer.sources}
pd.DataFrame([(s.publisher, s.title, s.url) for s in sources.values()], columns=["publisher", "title", "URL"])
