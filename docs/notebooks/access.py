# %% [markdown]
# # Who can have it, and at what price
#
# The pack `access`: verdicts, prices, schemes, availability.

# %% parameters
country = "US"
body = "nice"
as_of = "2026-10-31"

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
# ## Verdicts of one body

# %%
ask("hta-decisions", body=body)

# %% [markdown]
# ## Where bodies disagree

# %%
ask("hta-disagreements")

# %% [markdown]
# ## Prices

# %%
ask("list-prices", country=country)

# %% [markdown]
# ## Payment schemes

# %%
ask("payment-schemes")

# %% [markdown]
# ## Availability

# %%
ask("availability", as_of=as_of)

# %% [markdown]
# ## Authorised, recommended, refused

# %%
ask("access-map", as_of=as_of)

# %% [markdown]
# ## What this rests on

# %%
print(*sorted({f"As of {a.remarks.as_of} · {a.remarks.reach()}: {a.name}" for a in answers}), sep="\n")
print(f"Release {atmpkg.__version__} · CC BY 4.0")
sources = {source.id: source for answer in answers for source in answer.sources}
pd.DataFrame([(s.publisher, s.title, s.url) for s in sources.values()], columns=["publisher", "title", "URL"])
