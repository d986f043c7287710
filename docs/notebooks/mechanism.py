# %% [markdown]
# # How products are built and how they work
#
# The pack `mechanism`: vectors, constructs, mechanisms, edits, and what the law makes of them.

# %% parameters
vector = "aav"
target = "CD19"
disease = "multiple myeloma"
product = "darvadstrocel"

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
# ## Vectors

# %%
ask("vectors", vector=vector)

# %% [markdown]
# ## Which serotypes?

# %%
vectors = ask("vectors", vector=vector).to_pandas()
vectors["serotype"].value_counts(dropna=False)

# %% [markdown]
# ## CAR constructs

# %%
ask("car-constructs", target=target)

# %% [markdown]
# ## Genome editing

# %%
ask("genome-editing")

# %% [markdown]
# ## Mechanisms

# %%
ask("mechanisms", mechanism="gene-replacement")

# %% [markdown]
# ## Targets shared with other diseases

# %%
ask("shared-targets", disease="mantle cell lymphoma")

# %% [markdown]
# ## Products for a disease

# %%
ask("products-by-disease", disease=disease)

# %% [markdown]
# ## What it is by law, and why

# %%
ask("classification", product=product)

# %% [markdown]
# ## Precedents

# %%
ask("precedents", product=product)

# %% [markdown]
# ## What this rests on

# %%
print(*sorted({f"As of {a.remarks.as_of} · {a.remarks.reach()}: {a.name}" for a in answers}), sep="\n")
print(f"Release {atmpkg.__version__} · CC BY 4.0")
sources = {source.id: source for answer in answers for source in answer.sources}
pd.DataFrame([(s.publisher, s.title, s.url) for s in sources.values()], columns=["publisher", "title", "URL"])
