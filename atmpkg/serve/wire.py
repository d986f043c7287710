"""The wire between the processes of one server: length-prefixed pickles, and short lines with file descriptors.

Both ends are our own processes, joined by unnamed socket pairs, so pickles come from nowhere else.
"""

from __future__ import annotations

import pickle
import socket
import struct
from collections.abc import Iterator
from typing import Any

HEAD = struct.Struct(">I")
_MOST_DESCRIPTORS = 16


def packed(message: object) -> bytes:
    """Write a message as bytes with their length before them."""
    content = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return HEAD.pack(len(content)) + content


def receive(sock: socket.socket) -> Any:
    """Read one message, waiting for it; None where the other end has gone."""
    head = _exactly(sock, HEAD.size)
    content = _exactly(sock, HEAD.unpack(head)[0]) if head else b""
    return pickle.loads(content) if content else None


def _exactly(sock: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = sock.recv(min(1 << 20, size - len(parts)))
        if not part:
            return b""
        parts += part
    return bytes(parts)


class Lines:
    """Reads lines, some of which bring a file descriptor, from a socket.

    >>> one, other = socket.socketpair()
    >>> send_line(one, "hello 1"), list(Lines(other).read())
    (None, [('hello 1', None)])
    >>> one.close(), other.close()
    (None, None)
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._rest = b""
        self._descriptors: list[int] = []
        self.ended = False

    def read(self) -> Iterator[tuple[str, int | None]]:
        """Yield what has come: each line with its descriptor; ``ended`` is set where the other end has gone."""
        try:
            content, descriptors, _, _ = socket.recv_fds(self._sock, 1 << 16, _MOST_DESCRIPTORS)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            content, descriptors = b"", []
        self.ended = not content
        self._descriptors += descriptors
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            text = line.decode()
            yield text, self._descriptors.pop(0) if text.endswith(" +") else None


def send_line(sock: socket.socket, line: str, descriptor: int | None = None) -> None:
    """Send a line; with a descriptor it ends in `` +``."""
    if descriptor is None:
        sock.sendall(f"{line}\n".encode())
    else:
        socket.send_fds(sock, [f"{line} +\n".encode()], [descriptor])
