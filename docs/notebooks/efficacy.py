# %% [markdown]
# # What was measured
#
# The pack `efficacy`: outcomes with interval, population and data cut; comparable only where the caveat is empty.

# %% parameters
product = "Kymriah"
disease = "large B-cell lymphoma"

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
# ## Outcomes of a product

# %%
ask("outcomes", product=product)

# %% [markdown]
# ## Evidence behind the decisions

# %%
ask("pivotal-evidence", product=product)

# %% [markdown]
# ## Durability

# %%
ask("durability", product=product)

# %% [markdown]
# ## Side by side, with what forbids comparing

# %%
ask("compare-outcomes", disease=disease)

# %% [markdown]
# ## Trial against real world

# %%
ask("trial-versus-real-world", product=product)

# %% [markdown]
# ## What this rests on

# %%
print(*sorted({f"As of {a.remarks.as_of} · {a.remarks.reach()}: {a.name}" for a in answers}), sep="\n")
print(f"Release {atmpkg.__version__} · CC BY 4.0")
sources = {source.id: source for answer in answers for source in answer.sources}
pd.DataFrame([(s.publisher, s.title, s.url) for s in sources.values()], columns=["publisher", "title", "URL"])
