"""The HTTP application: SPARQL 1.1 Protocol, Graph Store Protocol, questions, descriptions, and the query page."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import email.policy
import functools
import hashlib
import hmac
import json
import re
import sys
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from email.parser import BytesParser
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route

import atmpkg
from atmpkg.names import is_iri
from atmpkg.serve import about, guard, page
from atmpkg.serve.crew import Busy, Crew
from atmpkg.serve.jobs import Ask, Delete, Graph, Put, Reply, Select, Update
from atmpkg.serve.limits import Settings
from atmpkg.serve.metrics import MEDIA, Metrics
from atmpkg.serve.negotiation import TRIPLES, best, takes_gzip
from atmpkg.serve.openapi import Document

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PROBLEMS = "https://w3id.org/atmpkg/problem/"
NO_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_PIECE = 64 << 10  # bytes of an answer that must pass within the patience with clients
_MOST_PARAMETERS = 200
_RETRY = 2  # seconds after which to try again
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
_COMMON = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_OURS = ("As-Of", "Known-Until", "Rows", "Nothing-Recorded", "Release")
_EXPOSED = ", ".join(("ETag", "Last-Modified", "Retry-After", *(f"Atmpkg-{name}" for name in _OURS)))


class Refused(Exception):
    """A request that is answered with a problem."""

    def __init__(self, status: int, problem: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.problem, self.detail, self.headers = status, problem, detail, headers or {}


@dataclass(frozen=True)
class Served:
    """What is served: what the graph says of itself, and its release."""

    facts: about.Facts
    openapi: Callable[[str], Document]
    questions: Sequence[Mapping[str, object]]
    digest: str
    modified: dt.datetime
    base: str


class Answered:
    """A response: sent piece by piece, each within the patience with clients."""

    def __init__(
        self, status: int, body: bytes = b"", media: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        self.status, self.body, self.media = status, body, media
        self.headers = dict(headers or {})

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Send it (ASGI)."""
        fields = {**_COMMON, "Access-Control-Expose-Headers": _EXPOSED, "Content-Security-Policy": NO_CONTENT_POLICY}
        fields |= self.headers
        if self.media:
            fields["Content-Type"] = self.media
        if self.status not in (204, 304):
            fields["Content-Length"] = str(len(self.body))
        raw = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in fields.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": raw})
        for at in range(0, max(1, len(self.body)), _PIECE):
            last = at + _PIECE >= len(self.body)
            piece = self.body if len(self.body) <= _PIECE else self.body[at : at + _PIECE]
            await send({"type": "http.response.body", "body": piece, "more_body": not last})


def problem(status: int, kind: str, detail: str, headers: Mapping[str, str] | None = None) -> Answered:
    """Return a problem (RFC 9457)."""
    said = {"type": PROBLEMS + kind, "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    extra = dict(headers or {}) | {"Cache-Control": "no-store"}
    if status == 503:
        extra.setdefault("Retry-After", str(_RETRY))
    return Answered(status, json.dumps(said, ensure_ascii=False).encode(), "application/problem+json", extra)


class Endpoint:
    """Answers requests with a crew of workers."""

    def __init__(self, served: Served, settings: Settings, crew: Crew) -> None:
        self._served = served
        self._settings = settings
        self._limits = settings.limits
        self._crew = crew
        self._metrics = Metrics()
        self._modified = served.modified
        self._digest = served.digest

    # What is asked of SPARQL

    async def sparql(self, request: Request) -> Answered:
        """SPARQL 1.1 Protocol; a GET without a query is answered with the service description."""
        url = self._pairs(request.scope["query_string"])
        if request.method in ("GET", "HEAD"):
            if _all(url, "update"):
                raise Refused(400, "bad-request", "an update is sent by POST")
            if not _all(url, "query"):
                return self._described(request)
            return await self._query(request, _one(url, "query"), url)
        if request.method != "POST":
            raise Refused(405, "method", "expected GET or POST", {"Allow": "GET, HEAD, POST, OPTIONS"})
        media = _media(request)
        body = await self._body(request)
        if media == "application/x-www-form-urlencoded":
            form = self._pairs(body)
            if _all(url, "query") or _all(url, "update"):
                raise Refused(
                    400, "bad-request", "the query stands in the address and in the body; expected one of them"
                )
            if bool(_all(form, "query")) == bool(_all(form, "update")):
                raise Refused(400, "bad-request", "expected either query or update in the body")
            pairs = [*url, *form]
            if _all(form, "update"):
                return await self._update(request, _one(form, "update"), pairs)
            return await self._query(request, _one(form, "query"), pairs)
        if _all(url, "query") or _all(url, "update"):
            raise Refused(400, "bad-request", "the query stands in the address and in the body; expected one of them")
        if media == "application/sparql-query":
            return await self._query(request, _utf8(body), url)
        if media == "application/sparql-update":
            return await self._update(request, _utf8(body), url)
        raise Refused(
            415,
            "unknown-format",
            "expected application/x-www-form-urlencoded, application/sparql-query or application/sparql-update",
        )

    async def _query(self, request: Request, sparql: str, pairs: Sequence[tuple[str, str]]) -> Answered:
        if _all(pairs, "using-graph-uri") or _all(pairs, "using-named-graph-uri"):
            raise Refused(400, "bad-request", "using-graph-uri belongs to an update; a query takes default-graph-uri")
        default, named = _graphs(pairs, "default-graph-uri"), _graphs(pairs, "named-graph-uri")
        job = Select(sparql, _accept(request), _address(self._base(request), request), default, named, _gzip(request))
        tag = ""
        if request.method != "POST" and not guard.changes(sparql):
            tag = self._tag(sparql, job.accept, default, named, job.gzip)
        return await self._answered(request, job, tag)

    async def _update(self, request: Request, update: str, pairs: Sequence[tuple[str, str]]) -> Answered:
        self._may_write(request, 403)
        if _all(pairs, "default-graph-uri") or _all(pairs, "named-graph-uri"):
            raise Refused(400, "bad-request", "default-graph-uri belongs to a query; an update takes using-graph-uri")
        try:
            using, named = _graphs(pairs, "using-graph-uri"), _graphs(pairs, "using-named-graph-uri")
            update = guard.using(update, using, named)
        except guard.Conflict as error:
            raise Refused(400, "bad-request", f"{error}") from None
        return await self._changed(Update(update, _address(self._base(request), request)))

    async def _changed(self, job: Update | Put | Delete) -> Answered:
        reply = await self._crew.change(job)
        if reply.status < 300:
            self._modified = dt.datetime.now(dt.UTC)
            self._digest = hashlib.sha256(f"{self._digest} {time.time_ns()}".encode()).hexdigest()[:24]
        return self._of(reply)

    def _may_write(self, request: Request, closed: int) -> None:
        """Raise Refused unless writing is on and the request brings the token."""
        if not self._settings.writable:
            detail = "this graph is read-only"
            raise Refused(closed, "read-only", detail, {"Allow": "GET, HEAD, OPTIONS"} if closed == 405 else None)
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(given.strip().encode(), self._settings.token.encode())
        if scheme.lower() != "bearer" or not right:
            challenge = {"WWW-Authenticate": 'Bearer realm="atmpkg"'}
            raise Refused(401, "token", "writing needs the token of this server", challenge)

    # Graph Store Protocol

    async def graphs(self, request: Request) -> Answered:
        """SPARQL 1.1 Graph Store HTTP Protocol; without a graph all quads are read."""
        pairs = self._pairs(request.scope["query_string"])
        if request.method in ("GET", "HEAD"):
            iri = self._graph(request, pairs)
            job = Graph(iri, _accept(request), _gzip(request))
            return await self._answered(request, job, self._tag("graph", str(iri), job.accept, job.gzip))
        if request.method not in ("PUT", "POST", "DELETE"):
            raise Refused(
                405, "method", "expected GET, HEAD, PUT, POST or DELETE", {"Allow": "GET, HEAD, PUT, POST, DELETE"}
            )
        self._may_write(request, 405)
        iri = self._graph(request, pairs)
        location: dict[str, str] = {}
        if iri is None:
            if request.method != "POST":
                raise Refused(400, "bad-request", "expected ?default or ?graph=IRI")
            # 5.5: a POST to the store itself makes a new graph and says where.
            new = hashlib.sha256(f"{time.time_ns()} {self._digest}".encode()).hexdigest()[:16]
            iri = f"{self._base(request)}/graphs/{new}"
            location = {"Location": iri}
        if request.method == "DELETE":
            return await self._changed(Delete(iri))
        media, body = _media(request), await self._body(request)
        if not media:
            raise Refused(415, "unknown-format", "expected a Content-Type, such as text/turtle")
        parts = _parts(request, body) if media == "multipart/form-data" else ((media, body),)
        base = iri or _address(self._base(request), request)
        answered = await self._changed(Put(iri, parts, base, replace=request.method == "PUT"))
        answered.headers |= location if answered.status < 300 else {}
        return answered

    def _graph(self, request: Request, pairs: Sequence[tuple[str, str]]) -> str | None:
        """Return the graph that a request means: an IRI, empty for the default graph, None for the store itself."""
        named = _all(pairs, "graph")
        unnamed = [value for name, value in pairs if name == "default"]
        if unknown := {name for name, _ in pairs} - {"graph", "default"}:
            raise Refused(400, "bad-request", f"no parameter {min(unknown)!r} here; expected default or graph")
        if len(named) + len(unnamed) > 1 or any(unnamed):
            raise Refused(400, "bad-request", "expected one of ?default and ?graph=IRI, once")
        if unnamed:
            return ""
        path = request.scope.get("raw_path", b"").decode("ascii", "replace")
        direct = path.partition("/graphs")[2]
        if direct.strip("/"):
            if named:
                raise Refused(400, "bad-request", "the graph stands in the path and in the parameter")
            named = [f"{self._base(request)}/graphs{direct}"]
        if not named:
            return None
        if not is_iri(named[0]):
            raise Refused(400, "bad-request", "the graph is not an absolute IRI")
        return named[0]

    # Questions

    async def ask(self, request: Request) -> Answered:
        """Answer a question, in the formats of ``atmpkg ask``."""
        given: dict[str, list[str]] = {}
        for name, value in self._pairs(request.scope["query_string"]):
            given.setdefault(name.replace("-", "_"), []).append(value)
        format = given.pop("format", [""])
        if len(format) > 1:
            raise Refused(400, "bad-request", "expected one format")
        sources = given.pop("with_sources", ["no"])
        if not {*sources} <= {"yes", "no"}:
            raise Refused(400, "bad-request", "expected with-sources=yes or no")
        name = request.path_params["question"]
        job = Ask(name, given, _accept(request), format[0], "yes" in sources, _gzip(request))
        day = dt.date.today().isoformat()
        tag = self._tag("ask", name, sorted(given.items()), job.accept, job.format, job.with_sources, day, job.gzip)
        return await self._answered(request, job, tag)

    async def questions(self, request: Request) -> Answered:
        """List the questions."""
        return _json({"questions": self._served.questions})

    # Descriptions

    def _described(self, request: Request) -> Answered:
        base = self._base(request)
        address = base + request.scope["path"]
        return self._triples(request, self._description(address, base))

    @functools.lru_cache(maxsize=16)  # noqa: B019  # one endpoint in a process
    def _description(self, address: str, base: str) -> str:
        modified = self._served.modified.isoformat()
        return about.service_description(self._served.facts, address, base, modified, writable=self._settings.writable)

    async def void(self, request: Request) -> Answered:
        """Describe the graph (VoID)."""
        return self._triples(request, self._void)

    @functools.cached_property
    def _void(self) -> str:
        return about.void(self._served.facts, self._served.base, self._served.modified.isoformat())

    def _triples(self, request: Request, text: str) -> Answered:
        media = best(_accept(request), list(TRIPLES))
        if not media:
            return problem(406, "not-acceptable", f"expected one of {', '.join(TRIPLES)}")
        tag = self._tag("about", request.scope["path"], media, text)
        if unchanged := self._unchanged(request, tag):
            return unchanged
        body, whole = _rewritten(text, TRIPLES[media])
        return Answered(200, body, whole or media, self._caching(tag))

    async def openapi(self, request: Request) -> Answered:
        """Describe all of this for programs."""
        return self._openapi(self._base(request))

    @functools.lru_cache(maxsize=16)  # noqa: B019  # one endpoint in a process
    def _openapi(self, base: str) -> Answered:
        return _json(self._served.openapi(base))

    async def health(self, request: Request) -> Answered:
        """Tell whether queries can be answered."""
        sizes = self._crew.sizes
        alive = sizes["idle"] + sizes["busy"] + sizes["long"] > 0
        said = {"status": "ok" if alive else "no workers", "release": atmpkg.__version__, "workers": sizes}
        return Answered(
            200 if alive else 503, json.dumps(said).encode(), "application/json", {"Cache-Control": "no-store"}
        )

    async def metrics(self, request: Request) -> Answered:
        """Count for Prometheus."""
        text = self._metrics.text(self._crew.tally, self._crew.sizes, self._served.facts.quads, atmpkg.__version__)
        return Answered(200, text.encode(), MEDIA, {"Cache-Control": "no-store"})

    async def page(self, request: Request) -> Answered:
        """Show the query page, or a part of it."""
        found = page.part(request.path_params.get("name", ""))
        if found is None:
            raise Refused(404, "no-such-page", "there is no such page")
        body, media = found
        tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
        if unchanged := self._unchanged(request, tag):
            return unchanged
        return Answered(
            200, body, media, {"Content-Security-Policy": page.POLICY, "ETag": tag, "Cache-Control": "max-age=300"}
        )

    # What all share

    async def _answered(self, request: Request, job: Select | Ask | Graph, tag: str) -> Answered:
        if unchanged := self._unchanged(request, tag):
            return unchanged

        async def waits() -> bool:
            return not await request.is_disconnected()

        reply = await self._crew.do(job, waits)
        return self._of(reply, tag)

    def _of(self, reply: Reply, tag: str = "") -> Answered:
        if reply.problem:
            return problem(reply.status, reply.problem, reply.body.decode(), dict(reply.headers))
        return Answered(reply.status, reply.body, reply.media, {**dict(reply.headers), **self._caching(tag)})

    def _tag(self, *parts: object) -> str:
        """Return the tag of an answer: it changes with the release, what is asked, and how it is to be written."""
        return f'"{hashlib.sha256(repr((self._digest, parts)).encode()).hexdigest()[:24]}"'

    def _caching(self, tag: str) -> dict[str, str]:
        fields = {"Vary": "Accept, Accept-Encoding"}
        if tag:
            fields |= {"ETag": tag, "Last-Modified": format_datetime(self._modified, usegmt=True)}
            fields["Cache-Control"] = "no-cache" if self._settings.writable else "public, max-age=60"
        else:
            fields["Cache-Control"] = "no-store"
        return fields

    def _unchanged(self, request: Request, tag: str) -> Answered | None:
        """Return 304 where the client holds what it would get (RFC 9110, 13.2.2)."""
        if not tag or request.method not in ("GET", "HEAD"):
            return None
        if known := request.headers.get("if-none-match"):
            tags = {part.strip().removeprefix("W/") for part in known.split(",")}
            same = tag in tags or "*" in tags
        elif since := request.headers.get("if-modified-since"):
            try:
                same = not self._settings.writable and self._modified.replace(microsecond=0) <= parsedate_to_datetime(
                    since
                )
            except (ValueError, TypeError):
                same = False
        else:
            return None
        return Answered(304, headers=self._caching(tag)) if same else None

    def _base(self, request: Request) -> str:
        """Return the public address of this server, without a slash at its end."""
        if self._settings.base:
            return self._settings.base.rstrip("/")
        host = request.headers.get("host", "")
        if not _HOST.fullmatch(host):
            raise Refused(400, "bad-request", "the Host header is missing or malformed")
        return f"{request.scope['scheme']}://{host}"

    def _pairs(self, text: bytes) -> list[tuple[str, str]]:
        try:
            return parse_qsl(
                text.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS
            )
        except ValueError:
            raise Refused(400, "bad-request", "the parameters are not percent-encoded UTF-8, or too many") from None

    async def _body(self, request: Request) -> bytes:
        """Read the body within the limits of size and time."""
        most = self._limits.body
        closing = {"Connection": "close"}
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > most:
            raise Refused(413, "too-large", f"the body is larger than {most} bytes", closing)
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise Refused(415, "unknown-format", "a body is read as it is, without Content-Encoding", closing)
        parts = bytearray()
        try:
            async with asyncio.timeout(self._limits.client):
                async for chunk in request.stream():
                    parts += chunk
                    if len(parts) > most:
                        raise Refused(413, "too-large", f"the body is larger than {most} bytes", closing)
        except TimeoutError:
            raise Refused(408, "too-slow", "the body came too slowly", closing) from None
        return bytes(parts)

    def options(self, request: Request) -> Answered:
        """Answer a preflight: reading is open to every page, writing to none."""
        fields = {
            "Allow": "GET, HEAD, POST, OPTIONS",
            "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
            "Access-Control-Allow-Headers": "Accept, Content-Type, If-None-Match, If-Modified-Since",
            "Access-Control-Max-Age": "86400",
        }
        return Answered(204, headers=fields)

    def app(self) -> Callable[[Message, Receive, Send], Awaitable[None]]:
        """Return the ASGI application."""

        @contextlib.asynccontextmanager
        async def life(app: Starlette) -> AsyncIterator[None]:
            await self._crew.start()
            yield
            self._crew.stop()

        routes = [
            self._route("/", self.page, "page"),
            self._route("/page/{name}", self.page, "page"),
            self._route("/sparql", self.sparql, "sparql", *_METHODS),
            self._route("/sparql/", self.sparql, "sparql", *_METHODS),
            self._route("/graphs", self.graphs, "graphs", *_METHODS),
            self._route("/graphs/{path:path}", self.graphs, "graphs", *_METHODS),
            self._route("/ask", self.questions, "ask"),
            self._route("/ask/{question}", self.ask, "ask"),
            self._route("/.well-known/void", self.void, "void"),
            self._route("/openapi.json", self.openapi, "openapi"),
            self._route("/health", self.health, "health"),
            self._route("/metrics", self.metrics, "metrics"),
        ]
        app = Starlette(routes=routes, lifespan=life, exception_handlers={HTTPException: _of_starlette})
        app.router.redirect_slashes = False
        return app

    def _route(self, path: str, handle: Callable[[Request], Awaitable[Answered]], name: str, *methods: str) -> Route:
        return Route(path, _Handler(self, handle, name), methods=list(methods or ("GET", "HEAD", "OPTIONS")))


class _Handler:
    """Runs one handler: turns faults into problems, counts, and cuts off clients that do not read."""

    def __init__(self, endpoint: Endpoint, handle: Callable[[Request], Awaitable[Answered]], name: str) -> None:
        self._endpoint, self._handle, self._name = endpoint, handle, name

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        start = time.perf_counter()
        request = Request(scope, receive)
        answered = await self._response(request)
        await answered(scope, receive, self._patient(scope, send))
        took = time.perf_counter() - start
        self._endpoint._metrics.count(self._name, request.method, answered.status, took, len(answered.body))

    async def _response(self, request: Request) -> Answered:
        try:
            if request.method == "OPTIONS":
                return self._endpoint.options(request)
            return await self._handle(request)
        except Refused as refused:
            return problem(refused.status, refused.problem, refused.detail, refused.headers)
        except Busy:
            return problem(503, "busy", "no worker is free; try again later")
        except ClientDisconnect:
            return problem(400, "bad-request", "the request was not complete", {"Connection": "close"})
        except Exception:
            traceback.print_exc(file=sys.stderr)  # for whoever runs the server; the client learns nothing of it
            return problem(500, "fault", "the server made a mistake")

    def _patient(self, scope: Message, send: Send) -> Send:
        abort = scope.get("extensions", {}).get("atmpkg.abort")
        if abort is None:
            return send
        loop, patience = asyncio.get_running_loop(), self._endpoint._limits.client

        async def within(message: Message) -> None:
            timer = loop.call_later(patience, abort)
            try:
                await send(message)
            finally:
                timer.cancel()

        return within


async def _of_starlette(request: Request, error: Exception) -> Any:
    status = error.status_code if isinstance(error, HTTPException) else 500
    said = {404: "there is nothing at this address", 405: "this method is not allowed here"}
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    return problem(status, "not-found" if status == 404 else "method", said.get(status, "not allowed"), headers)


def _json(document: object) -> Answered:
    body = json.dumps(document, ensure_ascii=False).encode()
    return Answered(200, body, "application/json", {"Cache-Control": "public, max-age=60", "Vary": "Accept"})


@functools.lru_cache(maxsize=32)
def _rewritten(ntriples: str, format: str) -> tuple[bytes, str]:
    """Write N-Triples in another format; return also its media type with the charset."""
    import pyoxigraph as ox

    from atmpkg.serve.jobs import _rdf_formats

    chosen = _rdf_formats()[format]
    read = ox.parse(ntriples.encode(), format=ox.RdfFormat.N_TRIPLES)
    triples = (quad.triple for quad in read)
    body = ox.serialize(triples, format=chosen, prefixes=about.PREFIXES) or b""
    return body, "text/turtle; charset=utf-8" if format == "ttl" else ""


def _all(pairs: Sequence[tuple[str, str]], name: str) -> list[str]:
    return [value for given, value in pairs if given == name]


def _one(pairs: Sequence[tuple[str, str]], name: str) -> str:
    values = _all(pairs, name)
    if len(values) != 1:
        raise Refused(400, "bad-request", f"expected {name} once, found it {len(values)} times")
    return values[0]


def _graphs(pairs: Sequence[tuple[str, str]], name: str) -> tuple[str, ...]:
    values = tuple(dict.fromkeys(_all(pairs, name)))
    if not all(map(is_iri, values)):
        raise Refused(400, "bad-request", f"{name} is not an absolute IRI")
    return values


def _media(request: Request) -> str:
    """Return the media type of the body; raise Refused where its charset is not UTF-8."""
    media, *parameters = (part.strip().lower() for part in request.headers.get("content-type", "").split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8", "us-ascii"):
            raise Refused(415, "unknown-format", "the body must be UTF-8")
    return media


def _parts(request: Request, body: bytes) -> tuple[tuple[str, bytes], ...]:
    """Read the parts of a multipart body: media type and content of each."""
    head = b"Content-Type: " + request.headers["content-type"].encode("latin-1") + b"\r\n\r\n"
    message = BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    if not message.is_multipart() or message.defects:
        raise Refused(400, "bad-request", "the parts of the body cannot be told apart")
    found = []
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        found.append((part.get_content_type(), content if isinstance(content, bytes) else b""))
    return tuple(found)


def _utf8(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Refused(400, "bad-request", "the body is not UTF-8") from None


def _accept(request: Request) -> str:
    return ", ".join(request.headers.getlist("accept"))


def _gzip(request: Request) -> bool:
    return takes_gzip(request.headers.get("accept-encoding", ""))


def _address(base: str, request: Request) -> str:
    """Return the address that was asked, for relative IRIs."""
    path = request.scope.get("raw_path", b"").decode("ascii", "replace")
    return base + path if is_iri(base + path) else base + "/"
