"""Start the server: open the graph, say what it is, fork the front, and stay behind as the nursery of the workers."""

from __future__ import annotations

import atexit
import contextlib
import datetime as dt
import gc
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from atmpkg.build import Built, current, finished
from atmpkg.errors import AtmpkgError, StoreError, UsageError, quoted
from atmpkg.graph import KnowledgeGraph
from atmpkg.names import is_iri
from atmpkg.serve import page
from atmpkg.serve.about import Facts, served_graphs
from atmpkg.serve.jobs import Bench, Kept
from atmpkg.serve.limits import Limits, Settings
from atmpkg.serve.nursery import Nursery
from atmpkg.stores import Embedded, is_address

if TYPE_CHECKING:
    from atmpkg.serve.application import Served

Say = Callable[[str], None]
_COPY = ".serving-"  # begins the name of a copy of a store on disk
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+(/[A-Za-z0-9._~/-]*)?")


def open_graph(data: Path | None, store: str | None, say: Say) -> tuple[Kept, str, dt.datetime]:
    """Open the graph to be served; return it with the digest and the time of its build."""
    if store and is_address(store):
        raise UsageError(
            f"cannot serve {quoted(store)}: it is an endpoint already. Name a folder made by build --store."
        )
    kg = KnowledgeGraph.open(data=data, store=store, say=say)
    built = _build_of(kg, Path(store) if store else None)
    when = dt.datetime.now(dt.UTC)
    digest = kg.project.fingerprint()
    if built:
        when = dt.datetime.fromtimestamp((built.folder / "build.json").stat().st_mtime, dt.UTC)
        digest = built.digest or built.folder.name
    return Kept(kg.store, kg.project), digest, when.replace(microsecond=0)


def _build_of(kg: KnowledgeGraph, store: Path | None) -> Built | None:
    with contextlib.suppress(AtmpkgError, OSError):
        if store is not None:
            return current(store)
        return finished(kg.project.cache, kg.project.fingerprint()) or current(kg.project.cache)
    return None


def check(settings: Settings) -> None:
    """Raise UsageError or StoreError where it cannot be served so."""
    if not hasattr(os, "fork"):
        raise StoreError("cannot serve on this system: it has no fork. Use Linux or macOS, or a container.")
    if settings.writable and len(settings.token) < 16:
        raise UsageError(
            "cannot serve --writable without a token: set ATMPKG_TOKEN to a secret of 16 characters or more."
        )
    if not 0 <= settings.port < 1 << 16:
        raise UsageError("cannot listen on this port: expected a number from 0 to 65535.")
    if settings.base and not (is_iri(settings.base) and _ADDRESS.fullmatch(settings.base)):
        raise UsageError("cannot use the base: expected an address such as https://example.org/atmpkg.")
    if not all(map(find_spec, ("starlette", "uvicorn"))):
        raise StoreError("cannot serve: starlette and uvicorn are missing. Install them: pip install 'atmpkg[serve]'")


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raise StoreError where that cannot be."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address)
            sock.listen(512)
        except BaseException:
            sock.close()
            raise
    except (OSError, OverflowError, UnicodeError) as error:
        cause = getattr(error, "strerror", None) or error
        raise StoreError(f"cannot listen on {host}:{port}: {cause}. Choose another --host or --port.") from None
    return sock


def serve(kg: Kept, digest: str, modified: dt.datetime, settings: Settings, say: Say, *, describe: bool = True) -> int:
    """Serve a graph until SIGINT or SIGTERM; return the exit code.

    ``describe``: add what the graph says of itself to the graph, or to a copy of it where it is on disk.
    """
    check(settings)
    if settings.writable and kg.on_disk():
        raise UsageError("cannot serve --writable from a store on disk: a built store is never written again.")
    sock = listening(settings.host, settings.port)
    host, port = sock.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    base = settings.base.rstrip("/") or address
    bench, served = _prepared(kg, digest, modified, settings, base, describe, say)
    quads = len(kg.store)
    if kg.on_disk():
        kg.let_go()
    ours, theirs = socket.socketpair()
    gc.collect()
    gc.freeze()
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    front = os.fork()
    if front == 0:
        ours.close()
        _front(sock, theirs, served, settings, parent)
    sock.close()
    theirs.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the front as well, which ends first
    signal.signal(signal.SIGTERM, lambda *_: os.kill(front, signal.SIGTERM))
    say(f"serving {quads:,} quads at {address} (stop with Ctrl-C)")
    if page.missing():
        say("note: the query page lacks YASGUI; fetch it once with: sh scripts/browser-code")
    code = Nursery(lambda: bench, settings.limits, ours).run(front=front)
    return 0 if code in (0, -signal.SIGINT, -signal.SIGTERM) else 3


def _prepared(
    kg: Kept, digest: str, modified: dt.datetime, settings: Settings, base: str, describe: bool, say: Say
) -> tuple[Bench, Served]:
    """Do before the fork what every worker would do again."""
    from atmpkg.formats import FORMATS
    from atmpkg.serve.application import Served
    from atmpkg.serve.openapi import openapi

    if not isinstance(kg.store, Embedded):
        raise StoreError("cannot serve this store: it is not an embedded one. Ask its own endpoint.")
    path = kg.on_disk()
    facts = Facts.of(kg.store)
    if describe:
        graphs = [
            (ntriples.encode(), graph) for graph, ntriples in served_graphs(kg, facts, base, modified.isoformat())
        ]
        if path:
            kg.store = _copy(kg.store, path, graphs, say)
        else:
            for ntriples, graph in graphs:
                kg.store.add(ntriples, graph)
    prefixes = dict(kg.names.uris if settings.prefixes is None else settings.prefixes)
    kg.index  # noqa: B018  # the names of all things, shared by all workers
    page.know(prefixes)
    questions = list(kg.questions.values())
    listed = [
        {"name": q.name, "pack": q.pack, "title": q.title, "answers": q.text("answers"), "path": f"ask/{q.name}"}
        for q in sorted(questions, key=lambda q: (q.pack, q.name))
    ]
    bench = Bench(kg, prefixes, settings.limits.result, settings.today, confined=not path, guarded=settings.checked)
    formats = [*FORMATS, "html"]
    served = Served(facts, lambda at: openapi(questions, formats, at), listed, digest, modified, base)
    return bench, served


def _copy(store: Embedded, path: Path, graphs: list[tuple[bytes, str]], say: Say) -> Embedded:
    """Return a copy of a store on disk with more graphs, which goes with this process; where none can be made, itself.

    The copy lies beside the store and shares its files; one left by a killed server holds no lock and is removed.
    """
    import fcntl  # there is no fork without it

    try:
        for old in path.parent.glob(f"{_COPY}*"):
            with contextlib.suppress(OSError), (old / "lock").open() as held:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(old, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=_COPY, dir=path.parent))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)  # the workers and the front end without it
        lock = os.open(folder / "lock", os.O_CREAT | os.O_RDONLY, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the last process of this server has ended
        writable = store.copied(folder / path.name)
        for ntriples, graph in graphs:
            writable.add(ntriples, graph)
        del writable  # which closes it
        return Embedded.open(folder / path.name)
    except (OSError, StoreError) as error:
        say(
            f"note: beside {path} nothing can be written ({error}), so VoID, prefixes and examples are not in the graph"
        )
        return store


def _front(sock: socket.socket, control: socket.socket, served: Served, settings: Settings, parent: int) -> NoReturn:
    """Run the HTTP server in this process, and end with it."""
    code = 0
    try:
        _run(sock, control, served, settings, parent)
    except KeyboardInterrupt:
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        code = 1
        raise
    finally:
        sys.stderr.flush()
        os._exit(code)


def _run(sock: socket.socket, control: socket.socket, served: Served, settings: Settings, parent: int) -> None:
    import logging

    import uvicorn

    from atmpkg.serve.application import Endpoint
    from atmpkg.serve.crew import Crew
    from atmpkg.serve.transport import patient

    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)

    def ended() -> None:
        server.should_exit = True

    crew = Crew(control, settings.limits, ended, checked=settings.checked)
    config = uvicorn.Config(
        Endpoint(served, settings, crew).app(),
        http=patient(settings.limits),
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=int(max(1, settings.limits.client)),
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    server.run(sockets=[sock])


def limits(timeout: float, workers: int, memory: int, answer: int, body: int, queue: int) -> Limits:
    """Return limits from what a person gives: seconds, counts, and megabytes."""
    if timeout <= 0 or workers < 0 or memory < 0 or answer <= 0 or body <= 0 or queue < 0:
        raise UsageError("cannot serve with these limits: expected numbers above zero.")
    return Limits(
        timeout=timeout, workers=workers, memory=memory << 20, result=answer << 20, body=body << 20, queue=queue
    )
