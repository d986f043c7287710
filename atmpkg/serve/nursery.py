"""The nursery: a process with one thread that holds the graph and forks the workers that answer from it.

A worker shares the memory of the nursery until it writes, so it costs a few milliseconds and few bytes, and can be
killed at any time: the store has no way to stop a query. Orders come from the front as lines::

    spawn          fork a worker; answered with "worker PID +" and the socket to it
    kill PID       end a worker
    heir           fork a process that applies one change and, if that went well, is the next nursery; "heir PID +"
    retire         the heir has taken over: free the graph, and end with the last worker

Of a child that ended, "dead PID SIGNAL" is told. A nursery ends when the front does.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import resource
import select
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from atmpkg.serve.jobs import Bench, Job, Reply
from atmpkg.serve.limits import Limits
from atmpkg.serve.wire import Lines, packed, receive, send_line

_GRACE = 5.0  # seconds after the deadline at which the kernel ends a worker whose front has forgotten it


class Nursery:
    """Forks workers from a prepared bench until the front ends."""

    def __init__(self, prepare: Callable[[], Bench], limits: Limits, control: socket.socket) -> None:
        self._bench: Bench | None = prepare()
        self._limits = limits
        self._control = control
        self._children: set[int] = set()
        self._heirs: set[int] = set()
        self._retired = False

    def run(self, *, front: int = 0) -> int:
        """Take orders until the front ends; return its exit code. ``front``: its pid, where it is a child."""
        wake, woken = os.pipe()
        os.set_blocking(woken, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        lines = Lines(self._control)
        code = 0
        while True:
            ready, _, _ = select.select([self._control.fileno(), wake], [], [])
            if wake in ready:
                os.read(wake, 4096)
                code = self._bury(front, code)
            if self._control.fileno() in ready:
                for line, _ in lines.read():
                    self._obey(line, (wake, woken))
            if lines.ended or (self._retired and not front and not self._children):
                break
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if front:
            with contextlib.suppress(ChildProcessError):
                _, status = os.waitpid(front, 0)
                code = os.waitstatus_to_exitcode(status)
        return code

    def _obey(self, line: str, inherited: tuple[int, int]) -> None:
        match line.split():
            case ["spawn"]:
                self._fork("worker", inherited)
            case ["heir"]:
                self._fork("heir", inherited)
            case ["kill", pid] if int(pid) in self._children | self._heirs:
                os.kill(int(pid), signal.SIGKILL)
            case ["retire"]:
                self._retired = True
                self._bench = None
                gc.collect()
                _give_memory_back()

    def _bury(self, front: int, code: int) -> int:
        """Take note of children that ended; return the front's exit code where it is among them."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return code
            if pid == 0:
                return code
            if pid == front:
                code = os.waitstatus_to_exitcode(status)
            self._heirs.discard(pid)
            if pid in self._children:
                self._children.discard(pid)
                number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
                with contextlib.suppress(OSError):
                    send_line(self._control, f"dead {pid} {number}")

    def _fork(self, kind: str, inherited: tuple[int, int]) -> None:
        if self._bench is None:
            return
        ours, theirs = socket.socketpair()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            _be_a_child(ours, self._control, *inherited)
            if kind == "worker":
                _work(self._bench, self._limits, theirs)
            _succeed(self._bench, self._limits, theirs)
        theirs.close()
        (self._children if kind == "worker" else self._heirs).add(pid)
        with contextlib.suppress(OSError):
            send_line(self._control, f"{kind} {pid}", ours.fileno())
        ours.close()


def _be_a_child(ours: socket.socket, control: socket.socket, *descriptors: int) -> None:
    """Let go of what belongs to the parent."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # it ends the process, whatever the engine is doing
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the front decides when to end
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ours.close()
    control.close()
    for descriptor in descriptors:
        os.close(descriptor)


def _work(bench: Bench, limits: Limits, front: socket.socket) -> NoReturn:
    """Do one job after another until the front closes the line."""
    code = 0
    try:
        bench.open()
        _bound(limits)
        while (job := receive(front)) is not None:
            reply = _timed(bench, job, limits)
            front.sendall(packed(reply))
            if reply.problem == "too-much-memory":
                break  # what is left of its memory is not worth keeping
    except (OSError, EOFError):  # the front has gone
        code = 1
    except BaseException:
        code = 1
        raise
    finally:
        os._exit(code)


def _timed(bench: Bench, job: Job, limits: Limits) -> Reply:
    signal.setitimer(signal.ITIMER_REAL, limits.timeout + _GRACE)
    try:
        return bench.do(job)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _succeed(bench: Bench, limits: Limits, front: socket.socket) -> NoReturn:
    """Apply one change; where it went well, be the nursery of the graph as it is now."""
    code = 0
    try:
        job = receive(front)
        if job is not None:
            reply = _timed(bench, job, limits)
            front.sendall(packed(reply))
            if reply.status < 300:
                Nursery(lambda: bench, limits, front).run()
    except (OSError, EOFError):
        code = 1
    except BaseException:
        code = 1
        raise
    finally:
        os._exit(code)


def _bound(limits: Limits) -> None:
    """Set the ceiling of memory above what is shared, and leave no core files."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if limits.memory and (now := _address_space()):
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = now + limits.memory
        if hard == resource.RLIM_INFINITY or most < hard:
            resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _address_space() -> int:
    """Return the bytes of address space of this process; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _give_memory_back() -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
