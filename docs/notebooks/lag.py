# %% [markdown]
# # How long it takes
#
# The pack `lag`: days between decisions, opinions, verdicts and exits.

# %% parameters
first, second = "US", "EU"
country = "GB"
jurisdiction = "EU"

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
# ## From one jurisdiction to the other

# %%
lag = ask("approval-lag", first=first, second=second)
picture(lag)

# %% [markdown]
# ## In numbers

# %%
lag.to_pandas()["days"].astype("float").describe().round(0)

# %% [markdown]
# ## From opinion to decision

# %%
picture(ask("opinion-to-decision", jurisdiction=jurisdiction))

# %% [markdown]
# ## From authorisation to access

# %%
picture(ask("time-to-access", country=country))

# %% [markdown]
# ## What left the market

# %%
picture(ask("market-exits"))

# %% [markdown]
# ## What this rests on

# %%
print(*sorted({f"As of {a.remarks.as_of} · {a.remarks.reach()}: {a.name}" for a in answers}), sep="\n")
print(f"Release {atmpkg.__version__} · CC BY 4.0")
sources = {source.id: source for answer in answers for source in answer.sources}
pd.DataFrame([(s.publisher, s.title, s.url) for s in sources.values()], columns=["publisher", "title", "URL"])
