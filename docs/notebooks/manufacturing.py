# %% [markdown]
# # How they are made
#
# The pack `manufacturing`: failures, turnaround, sites.

# %% parameters
product = None  # all products

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
# ## Failures and products out of specification

# %%
ask("manufacturing-failures", product=product)

# %% [markdown]
# ## From vein to vein

# %%
ask("turnaround", product=product)

# %% [markdown]
# ## Sites

# %%
ask("sites", product=product)

# %% [markdown]
# ## What this rests on

# %%
print(*sorted({f"As of {a.remarks.as_of} · {a.remarks.reach()}: {a.name}" for a in answers}), sep="\n")
print(f"Release {atmpkg.__version__} · CC BY 4.0")
sources = {source.id: source for answer in answers for source in answer.sources}
pd.DataFrame([(s.publisher, s.title, s.url) for s in sources.values()], columns=["publisher", "title", "URL"])
