"""Clocks: seconds of a call, medians, and the seconds that watched functions take for themselves."""

from __future__ import annotations

import signal
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

Progress = Callable[[str], None]


def seconds(call: Callable[[], object]) -> float:
    """Measure one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def median(call: Callable[[], object], times: int) -> float:
    """Measure a call several times and return the median."""
    return statistics.median(seconds(call) for _ in range(times))


class Stopped(Exception):
    """A call that took longer than it may."""


@contextmanager
def within(limit: float) -> Iterator[None]:
    """Stop the Python code inside after so many seconds, with Stopped; elsewhere than on Unix it runs to its end."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: object) -> None:
        raise Stopped

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@dataclass
class Disturbance:
    """How much other work slowed the machine: the same short loop, timed again and again."""

    times: list[float] = field(default_factory=list)

    def look(self) -> None:
        """Time the loop a few times."""
        self.times += [seconds(lambda: sum(at * at for at in range(200_000))) for _ in range(10)]

    @property
    def most(self) -> float:
        """How many times longer the slowest loop took than the fastest."""
        return max(self.times) / min(self.times)

    def __str__(self) -> str:
        middle = statistics.median(self.times) / min(self.times)
        return (
            f"the same loop, timed between the sections, took {middle:.1f} (median) to {self.most:.1f} times its least"
        )


class Stages:
    """Adds up the time of watched functions, each without that of watched functions inside it.

    A watched generator counts while it is asked for its next item, so that a stream of stages can be told apart.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._stack = ["everything else"]
        self._since = time.perf_counter()
        self._thread = threading.get_ident()

    def enter(self, stage: str) -> None:
        """Begin a stage; the one around it rests."""
        self._book()
        self._stack.append(stage)

    def leave(self) -> None:
        """End the stage; the one around it goes on."""
        self._book()
        self._stack.pop()

    def _book(self) -> None:
        now = time.perf_counter()
        self.seconds[self._stack[-1]] = self.seconds.get(self._stack[-1], 0.0) + now - self._since
        self._since = now

    def watched(self, call: Callable[..., Any], stage: str) -> Callable[..., Any]:
        """Return a function that does the same and counts for a stage."""

        @wraps(call)
        def timed(*args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() != self._thread:  # what is done beside takes no time of its own
                return call(*args, **kwargs)
            self.enter(stage)
            try:
                result = call(*args, **kwargs)
            finally:
                self.leave()
            return self._items(result, stage) if isinstance(result, Iterator) else result

        return timed

    def _items(self, items: Iterator[Any], stage: str) -> Iterator[Any]:
        while True:
            self.enter(stage)
            try:
                item = next(items)
            except StopIteration:
                return
            finally:
                self.leave()
            yield item


@contextmanager
def watching(places: dict[tuple[Any, str], str]) -> Iterator[Stages]:
    """Watch functions by ``(owner, name)`` for the stages they belong to."""
    originals = {(owner, name): owner.__dict__[name] for owner, name in places}
    stages = Stages()
    for (owner, name), stage in places.items():
        original = originals[owner, name]
        if isinstance(original, classmethod):
            setattr(owner, name, classmethod(stages.watched(original.__func__, stage)))
        else:
            setattr(owner, name, stages.watched(original, stage))
    stages._since = time.perf_counter()
    try:
        yield stages
    finally:
        stages._book()
        for (owner, name), original in originals.items():
            setattr(owner, name, original)
