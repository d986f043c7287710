"""What a served graph may cost, and how it is offered."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limits:
    """Bounds on what clients may use: seconds, bytes and counts. Zero in ``memory`` means no ceiling."""

    timeout: float = 30.0  # seconds that a query may run
    patience: float = 10.0  # seconds that a request waits for a free worker
    queue: int = 256  # requests that may wait
    workers: int = 0  # that answer at the same time; 0: one per core, at least 2
    long_after: float = 0.5  # seconds after which a query counts as long: it is niced, and a worker takes its place
    long_most: int = 4  # long queries beside the workers
    memory: int = 2 << 30  # bytes of address space that a worker may use beyond the graph
    result: int = 64 << 20  # bytes of one answer
    body: int = 4 << 20  # bytes of a request body
    headers: int = 64 << 10  # bytes of request line and headers
    client: float = 15.0  # seconds within which headers, a body, or a piece of an answer must have passed
    connections: int = 1000  # open at the same time

    @property
    def crew(self) -> int:
        """Number of workers."""
        return self.workers or max(2, os.cpu_count() or 2)


@dataclass(frozen=True)
class Settings:
    """How a graph is served."""

    host: str = "127.0.0.1"
    port: int = 8000
    writable: bool = False
    token: str = field(default="", repr=False)
    base: str = ""  # public address, where a proxy stands before it
    limits: Limits = Limits()
    prefixes: Mapping[str, str] | None = None  # known to queries; those of the project when omitted
    today: dt.date | None = None  # that questions are asked on; the day of the request when omitted
    checked: bool = True  # without limits and checks only to measure what they cost
