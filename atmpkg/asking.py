"""The questions of a graph, to browse: by name, by completion, by pack; each can be called."""

from __future__ import annotations

import html
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from atmpkg.answers import Answer
from atmpkg.queries import Query

Ask = Callable[..., Answer]


class Questions(Mapping[str, Query]):
    """All questions by name; as attributes they can be asked, and an editor completes their names.

    ``kg.questions["approval-lag"]`` is the question, ``kg.questions.approval_lag(first="US", second="EU")`` its answer.
    """

    def __init__(self, queries: Mapping[str, Query], ask: Ask) -> None:
        self._queries = queries
        self._ask = ask

    def __getitem__(self, name: str) -> Query:
        return self._queries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._queries)

    def __len__(self) -> int:
        return len(self._queries)

    def __getattr__(self, name: str) -> Question:
        query = self._queries.get(name.replace("_", "-")) if not name.startswith("_") else None
        if query is None:
            raise AttributeError(f"there is no question {name.replace('_', '-')}; see list(kg.questions)")
        return Question(query, self._ask)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(name.replace("-", "_") for name in self._queries)})

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._queries)

    def pack(self, name: str) -> dict[str, Query]:
        """Return the questions of one pack."""
        return {key: query for key, query in self._queries.items() if query.pack == name}

    def __repr__(self) -> str:
        packs = dict.fromkeys(query.pack for query in self._queries.values())
        listed = (f"  {pack}: {', '.join(self.pack(pack))}" for pack in packs)
        return "\n".join([f"{len(self)} questions", *listed])

    def _repr_html_(self) -> str:
        cells = (
            f"<tr><td>{html.escape(q.pack)}</td><td><code>{html.escape(q.name)}</code></td>"
            f"<td>{html.escape(' '.join(_said(p.name) + '!' * p.required for p in q.parameters))}</td>"
            f"<td>{html.escape(q.text('answers'))}</td></tr>"
            for q in sorted(self._queries.values(), key=lambda q: (q.pack, q.name))
        )
        head = "<tr><th>pack</th><th>question</th><th>parameters (! = required)</th><th>answers</th></tr>"
        return f"<table>{head}{''.join(cells)}</table>"


class Question:
    """One question that can be called; its signature and help are those of the question file."""

    def __init__(self, query: Query, ask: Ask) -> None:
        self.query = query
        self._ask = ask
        self.__name__ = query.name.replace("-", "_")
        self.__doc__ = "\n".join(_help(query))
        self.__signature__ = inspect.Signature(
            [
                inspect.Parameter(
                    p.name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=inspect.Parameter.empty if p.required else p.default or None,
                )
                for p in query.parameters
                if p.name.isidentifier()
            ]
        )

    def __call__(self, **parameters: Any) -> Answer:
        """Ask it."""
        return self._ask(self.query.name, **parameters)

    def __repr__(self) -> str:
        return f"<question {self.query.name}: {self.query.text('answers')}>"


def _help(query: Query) -> Iterator[str]:
    yield from (query.text("answers"), "")
    for key, word in (("counts", "Counts"), ("not_counted", "Does not count")):
        if text := query.text(key):
            yield f"{word}: {text}"
    yield from ("", *(f"{p.name}: {p.meaning} ({p.type})" for p in query.parameters))
    yield f"Returns: {', '.join(column.name for column in query.columns)}"


def _said(name: str) -> str:
    return name.replace("_", "-")
