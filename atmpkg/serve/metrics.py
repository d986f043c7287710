"""Metrics in the text format of Prometheus."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from atmpkg.serve.crew import Tally

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
_BOUNDS = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 30.0)


class Metrics:
    """Counts requests by route, method and status, and the seconds they took by route."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self._buckets: dict[str, list[int]] = {}
        self._sums: defaultdict[str, float] = defaultdict(float)
        self.sent = 0

    def count(self, route: str, method: str, status: int, seconds: float, size: int) -> None:
        """Take note of one request."""
        self.requests[route, method, status] += 1
        buckets = self._buckets.setdefault(route, [0] * (len(_BOUNDS) + 1))
        at = next((at for at, bound in enumerate(_BOUNDS) if seconds <= bound), len(_BOUNDS))
        buckets[at] += 1
        self._sums[route] += seconds
        self.sent += size

    def text(self, tally: Tally, sizes: Mapping[str, int], quads: int, release: str) -> str:
        """Write everything that is counted."""
        return "".join(f"{line}\n" for line in self._lines(tally, sizes, quads, release))

    def _lines(self, tally: Tally, sizes: Mapping[str, int], quads: int, release: str) -> Iterator[str]:
        yield from _head("requests_total", "counter", "Requests by route, method and status.")
        for (route, method, status), number in sorted(self.requests.items()):
            yield f'atmpkg_requests_total{{route="{route}",method="{method}",status="{status}"}} {number}'
        yield from _head("request_seconds", "histogram", "Seconds that requests took.")
        for route, buckets in sorted(self._buckets.items()):
            total = 0
            for bound, number in zip((*_BOUNDS, "+Inf"), buckets, strict=True):
                total += number
                yield f'atmpkg_request_seconds_bucket{{route="{route}",le="{bound}"}} {total}'
            yield f'atmpkg_request_seconds_sum{{route="{route}"}} {self._sums[route]:.6f}'
            yield f'atmpkg_request_seconds_count{{route="{route}"}} {total}'
        yield from _head("workers", "gauge", "Workers by what they do.")
        for state in ("idle", "busy", "long"):
            yield f'atmpkg_workers{{state="{state}"}} {sizes[state]}'
        for name, kind, meaning, value in (
            ("waiting", "gauge", "Requests that wait for a worker.", sizes["waiting"]),
            ("queries_killed_total", "counter", "Queries ended at the deadline or left by their client.", tally.killed),
            ("workers_lost_total", "counter", "Workers that ended before they replied.", tally.lost),
            ("jobs_repeated_total", "counter", "Jobs given to another worker.", tally.repeated),
            ("turned_away_total", "counter", "Requests turned away because no worker was free.", tally.turned_away),
            ("workers_forked_total", "counter", "Workers started.", tally.forked),
            ("changes_total", "counter", "Changes made to the graph.", tally.changes),
            ("sent_bytes_total", "counter", "Bytes of answers.", self.sent),
            ("quads", "gauge", "Quads in the graph when it was opened.", quads),
        ):
            yield from _head(name, kind, meaning)
            yield f"atmpkg_{name} {value}"
        yield from _head("release", "gauge", "The release that is served.")
        yield f'atmpkg_release{{version="{release}"}} 1'


def _head(name: str, kind: str, meaning: str) -> Iterator[str]:
    yield f"# HELP atmpkg_{name} {meaning}"
    yield f"# TYPE atmpkg_{name} {kind}"
