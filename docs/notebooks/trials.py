# %% [markdown]
# # The studies
#
# The pack `trials`: what was and is studied, in whom, and what was put on hold.

# %% parameters
product = "Kymriah"
disease = "large B-cell lymphoma"
since = "2018-01-01"

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
# ## Studies of a product

# %%
ask("trials-of-product", product=product)

# %% [markdown]
# ## Studies in a disease

# %%
ask("trials-by-disease", disease=disease)

# %% [markdown]
# ## The landscape by phase

# %%
ask("trial-landscape", by="phase")

# %% [markdown]
# ## Clinical holds

# %%
ask("clinical-holds", since=since)

# %% [markdown]
# ## What this rests on

# %%
print(*sorted({f"As of {a.remarks.as_of} · {a.remarks.reach()}: {a.name}" for a in answers}), sep="\n")
print(f"Release {atmpkg.__version__} · CC BY 4.0")
sources = {source.id: source for answer in answers for source in answer.sources}
pd.DataFrame([(s.publisher, s.title, s.url) for s in sources.values()], columns=["publisher", "title", "URL"])
