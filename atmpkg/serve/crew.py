"""The crew: the front's side of the workers. It queues jobs, ends those that run too long, and repeats lost ones."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import signal
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from atmpkg.serve.jobs import Job, Reply, fault
from atmpkg.serve.limits import Limits
from atmpkg.serve.wire import HEAD, Lines, packed, send_line

_NICE = 10  # of a long query, so that short ones go before it
_TRIES = 5  # of a job whose worker was killed by somebody else
_REMEMBERED = 256  # workers of which it is known how they ended
_FORKED = 5.0  # seconds to wait for a child that was asked for
_TOLD = 2.0  # seconds to wait for the word how a worker ended
_LOOK = 0.5  # seconds between looks whether the client of a long query still waits
_WITHOUT_MEMORY = (signal.SIGABRT, signal.SIGBUS)  # how a process ends that gets no more


class Busy(Exception):
    """No worker was free in time."""


class _Lost(Exception):
    """A worker ended before it replied; the signal says why, 0 where it is not known."""

    def __init__(self, number: int) -> None:
        self.number = number


class Link:
    """The line to a nursery."""

    def __init__(self, control: socket.socket, ended: Callable[[], None]) -> None:
        control.setblocking(False)
        self._control = control
        self._lines = Lines(control)
        self._ended = ended
        self._awaited: dict[str, deque[asyncio.Future[tuple[int, socket.socket]]]] = {
            "worker": deque(),
            "heir": deque(),
        }
        self._dead: dict[int, int] = {}  # pid to signal, of the last that ended
        self._mourners: dict[int, asyncio.Future[int]] = {}
        self.retired = False
        asyncio.get_running_loop().add_reader(control, self._read)

    def _read(self) -> None:
        for line, descriptor in self._lines.read():
            match line.split():
                case [("worker" | "heir") as kind, pid, "+"] if descriptor is not None:
                    arrived = socket.socket(fileno=descriptor)
                    self._dead.pop(int(pid), None)  # an earlier process had this number
                    waiting = next((w for w in self._awaited[kind] if not w.done()), None)
                    if waiting is None:
                        arrived.close()
                    else:
                        self._awaited[kind].remove(waiting)
                        waiting.set_result((int(pid), arrived))
                case ["dead", pid, number]:
                    self._death(int(pid), int(number))
        if self._lines.ended:
            self.close()
            if not self.retired:
                self._ended()

    def _death(self, pid: int, number: int) -> None:
        if (waiting := self._mourners.get(pid)) and not waiting.done():
            waiting.set_result(number)
            return
        self._dead[pid] = number
        while len(self._dead) > _REMEMBERED:
            del self._dead[next(iter(self._dead))]

    def order(self, line: str) -> None:
        """Send an order."""
        with contextlib.suppress(OSError):
            send_line(self._control, line)

    async def child(self, kind: str) -> tuple[int, socket.socket]:
        """Have a worker or an heir forked; return its pid and the socket to it. Raise TimeoutError where none comes."""
        waiting: asyncio.Future[tuple[int, socket.socket]] = asyncio.get_running_loop().create_future()
        self._awaited[kind].append(waiting)
        self.order("spawn" if kind == "worker" else kind)
        try:
            return await asyncio.wait_for(waiting, _FORKED)
        finally:
            with contextlib.suppress(ValueError):
                self._awaited[kind].remove(waiting)

    async def cause(self, pid: int) -> int:
        """Return the signal that ended a worker, once it is told; 0 where it is not."""
        if pid in self._dead:
            return self._dead.pop(pid)
        waiting = self._mourners[pid] = asyncio.get_running_loop().create_future()
        try:
            return await asyncio.wait_for(waiting, _TOLD)
        except TimeoutError:
            return 0
        finally:
            del self._mourners[pid]

    def close(self) -> None:
        """Close the line; the nursery ends."""
        if self._control.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()


class Worker(asyncio.Protocol):
    """One worker: sends it a job, and waits for the reply."""

    def __init__(self, pid: int, link: Link, lost: Callable[[Worker], None]) -> None:
        self.pid = pid
        self.link = link
        self.reply: asyncio.Future[bytes] | None = None
        self.replaced = False
        self.niced = False
        self.gone = False
        self._lost = lost
        self._content = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Collect the reply."""
        content = self._content
        content += data
        if len(content) >= HEAD.size and len(content) - HEAD.size >= HEAD.unpack_from(content)[0]:
            whole, self._content = bytes(memoryview(content)[HEAD.size :]), bytearray()
            if self.reply and not self.reply.done():
                self.reply.set_result(whole)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell whoever waits."""
        self.gone = True
        if self.reply and not self.reply.done():
            self.reply.set_exception(ConnectionResetError())
        self._lost(self)

    def send(self, message: bytes) -> asyncio.Future[bytes]:
        """Send a job; return what will be the reply."""
        assert self._transport is not None
        self.reply = asyncio.get_running_loop().create_future()
        self._transport.write(message)
        return self.reply

    def let_go(self) -> None:
        """Close the line; the worker ends by itself."""
        if self._transport:
            self._transport.close()


@dataclass
class Tally:
    """What the crew counts, for the metrics."""

    killed: int = 0
    lost: int = 0
    repeated: int = 0
    turned_away: int = 0
    forked: int = 0
    changes: int = 0


class Crew:
    """All workers, and the jobs that wait for one."""

    def __init__(
        self, control: socket.socket, limits: Limits, ended: Callable[[], None], *, checked: bool = True
    ) -> None:
        self._control = control
        self._limits = limits
        self._ended = ended
        self._checked = checked
        self._idle: deque[Worker] = deque()
        self._waiting: deque[asyncio.Future[Worker]] = deque()
        self._all: set[Worker] = set()
        self._forking = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._changing = asyncio.Lock()
        self._closing = False
        self.tally = Tally()

    async def start(self) -> None:
        """Have the workers forked; return when all are there."""
        self._link = Link(self._control, self._ended)
        self._forking += self._limits.crew
        await asyncio.gather(*(self._fork() for _ in range(self._limits.crew)))

    def stop(self) -> None:
        """Let all workers go, and the nursery end."""
        self._closing = True
        for worker in self._all:
            worker.let_go()
        self._link.close()

    @property
    def sizes(self) -> dict[str, int]:
        """How many workers there are by what they do, and how many jobs wait."""
        long = sum(worker.niced for worker in self._all)
        return {
            "idle": len(self._idle),
            "busy": len(self._all) - len(self._idle) - long,
            "long": long,
            "waiting": sum(not waiting.done() for waiting in self._waiting),
        }

    async def _fork(self) -> None:
        link = self._link
        worker: Worker | None = None
        try:
            pid, sock = await link.child("worker")
            worker = made = Worker(pid, link, self._buried)
            await asyncio.get_running_loop().create_unix_connection(lambda: made, sock=sock)
        except (TimeoutError, OSError):
            worker = None
        finally:
            self._forking -= 1
        if worker is None:
            self._fill()
            return
        self.tally.forked += 1
        self._all.add(worker)
        if worker.gone:
            self._buried(worker)
        else:
            self._offer(worker)
        self._fill()

    def _want(self) -> None:
        """Have one more worker forked, beside what goes on."""
        if not self._closing:
            self._forking += 1
            task = asyncio.get_running_loop().create_task(self._fork())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _offer(self, worker: Worker) -> None:
        """Give a free worker to the first who waits, else keep it."""
        if worker.gone:
            return
        if worker.link is not self._link:  # it answers from a graph that was changed meanwhile
            worker.let_go()
            return
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(worker)
                return
        self._idle.append(worker)

    def _buried(self, worker: Worker) -> None:
        """Take a worker that ended off the list, and have another in its place where it was needed."""
        if worker not in self._all:
            return
        self._all.discard(worker)
        with contextlib.suppress(ValueError):
            self._idle.remove(worker)
        self._fill()

    def _fill(self) -> None:
        """Have workers forked until there are enough, those on their way counted."""
        at_work = sum(not w.replaced for w in self._all if w.link is self._link)
        if not self._closing and at_work + self._forking < self._limits.crew:
            self._want()

    async def _free(self) -> Worker:
        while self._idle:
            worker = self._idle.popleft()
            if not worker.gone:
                return worker
        if self._checked and sum(not waiting.done() for waiting in self._waiting) >= self._limits.queue:
            raise Busy
        waiting: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            return await asyncio.wait_for(waiting, self._limits.patience if self._checked else None)
        except TimeoutError:
            if waiting.done() and not waiting.cancelled():  # it came in the same moment
                return waiting.result()
            raise Busy from None
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled():
                self._offer(waiting.result())
            raise
        finally:
            with contextlib.suppress(ValueError):
                self._waiting.remove(waiting)

    async def do(self, job: Job, waits: Callable[[], Awaitable[bool]] | None = None) -> Reply:
        """Have a job done; raise Busy where no worker is free in time.

        A worker that somebody killed loses nothing: its job is given to another. ``waits`` tells whether the client
        still waits; a long query is ended where it does not.
        """
        message = packed(job)
        for attempt in range(_TRIES):
            try:
                worker = await self._free()
            except Busy:
                self.tally.turned_away += 1
                raise
            try:
                return await self._done_by(worker, message, waits)
            except _Lost as lost:
                self.tally.lost += 1
                if lost.number == signal.SIGALRM:
                    return self._too_long()
                if lost.number == signal.SIGSEGV:
                    return fault(422, "too-deep", "the query is nested too deeply, or needs too much memory")
                if lost.number in _WITHOUT_MEMORY:
                    return fault(422, "too-much-memory", "the query needs more memory than a query may use")
                self.tally.repeated += attempt < _TRIES - 1
        return fault(503, "interrupted", "the query was interrupted several times; try again later")

    def _too_long(self) -> Reply:
        return fault(504, "too-long", f"the query did not end within {self._limits.timeout:g} seconds")

    async def _done_by(self, worker: Worker, message: bytes, waits: Callable[[], Awaitable[bool]] | None) -> Reply:
        if worker.gone:
            raise _Lost(0)
        reply = worker.send(message)
        if not self._checked:
            content = await reply
            self._finished(worker)
            return _read(content)
        watch = _Watch(self, worker, waits)
        try:
            content = await reply
        except ConnectionResetError:
            if watch.overdue:
                self.tally.killed += 1
                return self._too_long()
            raise _Lost(await worker.link.cause(worker.pid)) from None
        except asyncio.CancelledError:
            self.kill(worker)
            raise
        finally:
            watch.end()
        answer = _read(content)
        self._finished(worker)
        return answer

    def _finished(self, worker: Worker) -> None:
        worker.reply = None
        if worker.niced or worker.replaced:
            worker.let_go()  # a process cannot be made un-nice
        else:
            self._offer(worker)

    def kill(self, worker: Worker) -> None:
        """End a worker, whatever it does."""
        worker.link.order(f"kill {worker.pid}")
        worker.let_go()

    def lengthy(self, worker: Worker) -> None:
        """Let short queries go before a long one, and put another worker in its place."""
        if worker.gone:
            return
        worker.niced = True
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, worker.pid, _NICE)
        if sum(w.replaced for w in self._all) < self._limits.long_most:
            worker.replaced = True
            self._want()

    async def change(self, job: Job) -> Reply:
        """Have a change made by an heir of the nursery; all later jobs see it, or nothing of it."""
        async with self._changing:
            loop = asyncio.get_running_loop()
            try:
                pid, sock = await self._link.child("heir")
            except TimeoutError:
                return fault(503, "busy", "the change could not be made now; try again later")
            sock.setblocking(False)
            try:
                await loop.sock_sendall(sock, packed(job))
                content = await asyncio.wait_for(_message(sock), self._limits.timeout)
            except TimeoutError:
                self._link.order(f"kill {pid}")
                sock.close()
                return self._too_long()
            except (OSError, EOFError):
                sock.close()
                return fault(500, "not-evaluated", "the change could not be made")
            reply = _read(content)
            if reply.status >= 300:
                sock.close()
                return reply
            await self._succeed(sock)
            self.tally.changes += 1
            return reply

    async def _succeed(self, sock: socket.socket) -> None:
        before = self._link
        before.retired = True
        self._link = Link(sock, self._ended)
        idle, self._idle = list(self._idle), deque()
        for worker in idle:
            worker.let_go()
        before.order("retire")
        self._forking += self._limits.crew
        await asyncio.gather(*(self._fork() for _ in range(self._limits.crew)))


class _Watch:
    """Watches one job: after a while it is long, at the deadline it is ended."""

    def __init__(self, crew: Crew, worker: Worker, waits: Callable[[], Awaitable[bool]] | None) -> None:
        loop = asyncio.get_running_loop()
        self.overdue = False
        self._crew, self._worker, self._waits = crew, worker, waits
        self._task: asyncio.Task[None] | None = None
        limits = crew._limits
        self._first = loop.call_later(min(limits.long_after, limits.timeout), self._long)
        self._rest = max(0.0, limits.timeout - limits.long_after)
        self._last: asyncio.TimerHandle | None = None

    def _long(self) -> None:
        loop = asyncio.get_running_loop()
        self._last = loop.call_later(self._rest, self._late)
        self._crew.lengthy(self._worker)
        if self._waits:
            self._task = loop.create_task(self._look(self._waits))

    async def _look(self, waits: Callable[[], Awaitable[bool]]) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            if not await waits():
                self._late()
                return

    def _late(self) -> None:
        self.overdue = True
        self._crew.kill(self._worker)

    def end(self) -> None:
        """Stop watching."""
        self._first.cancel()
        if self._last:
            self._last.cancel()
        if self._task:
            self._task.cancel()


def _read(content: bytes) -> Reply:
    reply = pickle.loads(content)
    assert isinstance(reply, Reply)
    return reply


async def _message(sock: socket.socket) -> bytes:
    """Read one message from a socket that does not block."""
    loop, content = asyncio.get_running_loop(), bytearray()
    while len(content) < HEAD.size or len(content) - HEAD.size < HEAD.unpack_from(content)[0]:
        part = await loop.sock_recv(sock, 1 << 16)
        if not part:
            raise EOFError
        content += part
    return bytes(content[HEAD.size :])
