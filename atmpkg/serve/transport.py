"""HTTP connections that clients cannot hold up: slow or endless headers, unread answers, too many at once."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from atmpkg.serve.limits import Limits


class Patient(HttpToolsProtocol):
    """uvicorn's protocol with an end to patience; ``limits`` is set on a subclass by `patient`."""

    limits = Limits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seen = 0
        self._in_head = True
        self._refusal = HTTPStatus.BAD_REQUEST
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # always a stream
        """Begin to wait for headers, unless there are too many connections."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes before the headers are complete."""
        if self.transport.is_closing():
            return
        if self._in_head:
            self._seen += len(data)
        super().data_received(data)
        if self._in_head and self._seen > self.limits.headers:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Wait for the headers of the next request."""
        super().on_message_begin()
        if self._timer is None:
            self._wait()

    def on_headers_complete(self) -> None:
        """Hand the request on, with a way to cut the connection."""
        self._stop()
        self._in_head, self._seen = False, 0
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > self.limits.headers:
            self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise ValueError("headers too large")  # the parser stops, and send_400_response is called
        self.scope["extensions"] = {"atmpkg.abort": self.transport.abort}  # type: ignore[dict-item]  # ours
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Expect headers again."""
        self._in_head, self._seen = True, 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Cut the connection later where the client does not read the end of the answer."""
        super().on_response_complete()
        if self.transport.get_write_buffer_size():
            self.loop.call_later(self.limits.client, self._reap)

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, whatever was left unread."""
        super().timeout_keep_alive_handler()
        self._reap()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        self._refuse(self._refusal)

    def _refuse(self, status: HTTPStatus) -> None:
        if self.transport.is_closing():
            return
        body = json.dumps({"title": status.phrase, "status": status.value}).encode()
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/problem+json\r\n"
        retry = "retry-after: 5\r\n" if status is HTTPStatus.SERVICE_UNAVAILABLE else ""
        self.transport.write(f"{head}{retry}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)
        self.transport.close()

    def _wait(self) -> None:
        self._timer = self.loop.call_later(self.limits.client, self._give_up)

    def _stop(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        self._reap()

    def _reap(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()


def patient(limits: Limits) -> type[Patient]:
    """Return the protocol with these limits."""
    return type("Patient", (Patient,), {"limits": limits})
