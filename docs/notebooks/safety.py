# %% [markdown]
# # What went wrong, and what was done about it
#
# The pack `safety`: warnings, measures, rates, signals, duties of follow-up.

# %% parameters
product = "Carvykti"
jurisdiction = "US"
as_of = "2026-10-31"
since = "2023-01-01"

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
# ## A product's safety timeline

# %%
picture(ask("safety-timeline", product=product))

# %% [markdown]
# ## Boxed warnings in force

# %%
ask("boxed-warnings", jurisdiction=jurisdiction, as_of=as_of)

# %% [markdown]
# ## Measures against risks

# %%
ask("risk-management-changes", jurisdiction=jurisdiction, since=since)

# %% [markdown]
# ## Event rates

# %%
ask("event-rates", product=product)

# %% [markdown]
# ## Reporting signals

# %%
ask("reporting-signals", product=product)

# %% [markdown]
# ## Who must be followed, and how long

# %%
ask("follow-up-duties", product=product)

# %% [markdown]
# ## Consent and equity

# %%
ask("consent-and-equity")

# %% [markdown]
# ## What this rests on

# %%
print(*sorted({f"As of {a.remarks.as_of} · {a.remarks.reach()}: {a.name}" for a in answers}), sep="\n")
print(f"Release {atmpkg.__version__} · CC BY 4.0")
sources = {source.id: source for answer in answers for source in answer.sources}
pd.DataFrame([(s.publisher, s.title, s.url) for s in sources.values()], columns=["publisher", "title", "URL"])
