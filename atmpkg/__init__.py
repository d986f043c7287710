"""atmpkg: an open knowledge graph of Advanced Therapy Medicinal Products.

>>> import atmpkg
>>> kg = atmpkg.open()                                             # doctest: +SKIP
>>> kg.ask("authorised-products", jurisdiction="EU").to_pandas()   # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from atmpkg.graph import KnowledgeGraph

__version__ = "2026.11.1"
__all__ = ["__version__", "open"]


def open(*, data: Path | str | None = None, store: Path | str | None = None) -> KnowledgeGraph:
    """Open the knowledge graph, building it first where that has not been done.

    ``data``: folder of a project (with ``data/tables``); else the checkout around the working directory, else the
    tables that came with the package. ``store``: folder of a store made by ``atmpkg build --store``.
    """
    from atmpkg.graph import KnowledgeGraph

    return KnowledgeGraph.open(data=data, store=store)
