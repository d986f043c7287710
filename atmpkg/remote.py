"""The remote store: any server of the SPARQL 1.1 Protocol and the Graph Store Protocol.

Every query is sent with the dataset as protocol parameters. The manifest of the store names our graphs and one more,
which holds their union: the named graphs and the default graph. What else the server holds is never seen. An answer is
taken whole, and looked at for truncation, before its first row is given out: it is complete, or a StoreError.

Users and passwords come from the environment or a keyring; they are never part of an address, a message or a log.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
import weakref
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from atmpkg import __version__
from atmpkg.errors import StoreError, UsageError
from atmpkg.names import GRAPH, ONTOLOGY, is_iri
from atmpkg.project import FORMAT
from atmpkg.queries import tokens
from atmpkg.stores import is_address, malformed

if TYPE_CHECKING:
    import httpx
    import pyoxigraph as ox

    from atmpkg.stores import Result

MANIFEST = "https://w3id.org/atmpkg/store"  # the graph that says which graphs are ours, and how many triples each has
STAGING = f"{MANIFEST}/"
CHANGING = f'<{MANIFEST}> <{ONTOLOGY}storeState> "changing" .'
_USER, _PASSWORD, _TIMEOUT = "ATMPKG_STORE_USER", "ATMPKG_STORE_PASSWORD", "ATMPKG_STORE_TIMEOUT"
_UPDATE, _GRAPHS = "ATMPKG_STORE_UPDATE", "ATMPKG_STORE_GRAPHS"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_BUSY = {429, 502, 503, 504}
_IN_MEMORY = 1 << 24  # bytes of an answer; a longer one waits on disk
_ROWS = "application/sparql-results+json"
_FORMS = {"SELECT": _ROWS, "ASK": _ROWS, "CONSTRUCT": "application/n-triples", "DESCRIBE": "application/n-triples"}
_READ = f"SELECT ?graph ?property ?value {{ GRAPH <{MANIFEST}> {{ ?graph ?property ?value }} }}"
_NAMES = 'SELECT DISTINCT ?graph {{ GRAPH ?graph {{ ?s ?p ?o }} FILTER(STRSTARTS(STR(?graph), "{}")) }}'
_COUNT = "SELECT (COUNT(*) AS ?n) { GRAPH <%s> { ?s ?p ?o } }"
# Virtuoso's own spellings in its JSON, one row a line; a quote inside a text is escaped, so no text looks like these.
_VIRTUOSO = (
    (re.compile(rb'("datatype": "http://www\.w3\.org/2001/XMLSchema#boolean", "value": )"1"'), rb'\1"true"'),
    (re.compile(rb'("datatype": "http://www\.w3\.org/2001/XMLSchema#boolean", "value": )"0"'), rb'\1"false"'),
    (re.compile(rb'("type": "bnode", "value": ")nodeID://'), rb"\1"),
)


@dataclass(frozen=True)
class Addresses:
    """Where a server takes queries, updates and graphs.

    >>> Addresses.of("http://localhost:8890/sparql").graphs
    'http://localhost:8890/sparql-graph-crud-auth'
    >>> Addresses.of("http://localhost:7878/query").update
    'http://localhost:7878/update'
    """

    query: str
    update: str
    graphs: str

    @classmethod
    def of(cls, url: str, settings: Mapping[str, str] | None = None) -> Addresses:
        """Work out the addresses from that of the queries; settings name those that follow no convention."""
        url, settings = _sound(url), settings or {}
        base, _, last = url.rpartition("/")
        if last == "sparql":  # Virtuoso
            update, graphs = f"{url}-auth", f"{url}-graph-crud-auth"
        elif last == "query":  # Oxigraph
            update, graphs = f"{base}/update", f"{base}/store"
        elif base.endswith("/repositories"):  # RDF4J, GraphDB
            update, graphs = f"{url}/statements", f"{url}/rdf-graphs/service"
        else:  # one address for all, as of a Fuseki dataset
            update = graphs = url
        return cls(url, _sound(settings.get(_UPDATE) or update), _sound(settings.get(_GRAPHS) or graphs))


def _sound(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, user, _ = parts.hostname, parts.username or parts.password, parts.port
    except ValueError:
        raise UsageError("cannot use the store: its address is not a web address.") from None
    if user is not None or "@" in parts.netloc:
        raise UsageError(
            "cannot use the store: its address holds a user or a password, which others can read. "
            f"Put them into {_USER} and {_PASSWORD}."
        )
    if parts.query or parts.fragment or not host or not is_address(url) or not is_iri(url):
        raise UsageError("cannot use the store: its address is not http(s)://host/path, without ? and #.")
    return url.rstrip("/")


@dataclass
class Http:
    """Sends requests to a server: with our name, a timeout, tries, and a password where the server asks for one."""

    settings: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    tries: int = 4
    pause: float = 0.5  # seconds before the second try; doubled before each further one
    sleep: Callable[[float], None] = time.sleep
    transport: httpx.BaseTransport | None = None

    def __post_init__(self) -> None:
        import httpx

        try:
            seconds = float(self.settings.get(_TIMEOUT) or 300)
        except ValueError:
            raise UsageError(f"cannot use {_TIMEOUT}: expected a number of seconds.") from None
        self._client = httpx.Client(
            timeout=httpx.Timeout(seconds, connect=10),
            headers={"User-Agent": f"atmpkg/{__version__} (+https://w3id.org/atmpkg)"},
            transport=self.transport,
        )
        weakref.finalize(self, self._client.close)

    def send(
        self, do: str, method: str, url: str, *, again: bool = True, into: IO[bytes] | None = None, **content: Any
    ) -> httpx.Response:
        """Send a request and return the response, its body read, or written into a file where one is given.

        ``do``: what is being done, for messages; ``again``: whether it may be tried again. Raises StoreError.
        """
        import httpx

        cause, wait = "", 0.0
        for attempt in range(self.tries if again else 1):
            if attempt:
                self.sleep(max(wait, self.pause * 2 ** (attempt - 1)))
            try:
                request = self._client.build_request(method, url, **content)
                response = self._client.send(request, auth=self._auth(url), stream=True)
                try:
                    if into is not None and response.is_success:
                        into.seek(0)
                        into.truncate()
                        for part in _mended(response):
                            into.write(part)
                    else:
                        response.read()
                finally:
                    response.close()
            except httpx.TimeoutException as error:
                cause = "no answer in time" if isinstance(error, httpx.ReadTimeout) else "no connection in time"
                if isinstance(error, httpx.ReadTimeout):
                    raise StoreError(f"cannot {do} at {url}: {cause}. Ask for less, or raise {_TIMEOUT}.") from None
                continue
            except (httpx.TransportError, httpx.DecodingError) as error:
                cause = _cause(error)
                continue
            except httpx.InvalidURL:
                raise UsageError("cannot use the store: its address is not a web address.") from None
            if response.status_code not in _BUSY:
                if not response.is_success:
                    raise StoreError(f"cannot {do} at {url}: {self._refusal(response)}")
                return response
            cause = f"it is busy ({response.status_code})"
            after = response.headers.get("retry-after", "")
            wait = min(float(after), 30.0) if after.isdigit() else 0.0
        tried = f" ({self.tries} tries)" if again else ""
        raise StoreError(f"cannot {do} at {url}: {cause}{tried}. Is the server running?")

    def _auth(self, url: str) -> httpx.Auth | None:
        import httpx

        settings = self.settings
        user = settings.get(_USER, "")
        if not user:
            return None

        class OnDemand(httpx.Auth):
            """Gives the password to a server that asks for it, in the way that it asks for."""

            def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
                response = yield request
                asked = response.headers.get("www-authenticate", "").lower()
                if response.status_code != 401:
                    return
                if "digest" in asked:
                    digest = httpx.DigestAuth(user, _password(settings, user, url)).auth_flow(request)
                    next(digest)
                    yield digest.send(response)
                elif "basic" in asked and (request.url.scheme == "https" or request.url.host in _LOOPBACK):
                    basic = httpx.BasicAuth(user, _password(settings, user, url))
                    yield next(basic.auth_flow(request))

        return OnDemand()

    def _refusal(self, response: httpx.Response) -> str:
        code = response.status_code
        if code == 401:
            asked = response.headers.get("www-authenticate", "").lower()
            if not self.settings.get(_USER):
                return f"it asks for a user and a password. Put them into {_USER} and {_PASSWORD}."
            url = response.request.url
            if "digest" not in asked and url.scheme == "http" and url.host not in _LOOPBACK:
                return "it asks for the password without encryption, which is not given. Use https."
            return f"it refuses the user or the password. See {_USER} and {_PASSWORD}."
        if response.is_redirect:
            return f"it has moved to {response.headers.get('location', 'another address')}. Give that address."
        said = self._said(response)
        if code == 403:
            return f"it does not allow this{f' ({said})' if said else ''}. Give a user that may: {_USER}."
        if code in (404, 405, 501):
            return f"it has no such service ({code}). Name its addresses with {_UPDATE} and {_GRAPHS}."
        if code == 413 or "SR325" in said or "SR476" in said:
            return f"it takes less at a time ({said or code}). Raise its limit of a request or transaction."
        return f"it says {code}{f': {said}' if said else ''}."

    def _said(self, response: httpx.Response) -> str:
        """Return the first line of what a server says, without markup, and without the password."""
        text = re.sub(r"<(head|style|title)\b.*?</\1>|<[^>]*>", " ", response.text[:20_000], flags=re.S | re.I)
        lines = [" ".join(line.split()) for line in text.splitlines()]
        said = [line for line in lines if line and not line.removeprefix("Error ").startswith("HTTP/")]
        line = next((line for line in said if "Error" in line), said[0] if said else "")[:200].rstrip(". ")
        secret = self.settings.get(_PASSWORD)
        return line.replace(secret, "…") if secret else line


def _password(settings: Mapping[str, str], user: str, url: str) -> str:
    """Return the password from the environment, else from the keyring where there is one."""
    if password := settings.get(_PASSWORD):
        return password
    try:
        import keyring

        return keyring.get_password(f"atmpkg {urlsplit(url).hostname}", user) or ""
    except Exception:  # no keyring, a locked one, or one without a backend: the server will say what is missing
        return ""


def _mended(response: httpx.Response) -> Iterator[bytes]:
    """Yield the body; what Virtuoso spells in its own way is spelt as the standard has it."""
    if "virtuoso" not in response.headers.get("server", "").lower():
        yield from response.iter_bytes()
        return
    rest = b""
    for part in response.iter_bytes():
        lines, newline, rest = (rest + part).rpartition(b"\n")
        yield _standard(lines + newline)
    yield _standard(rest)


def _standard(text: bytes) -> bytes:
    for pattern, right in _VIRTUOSO:
        text = pattern.sub(right, text)
    return text


class _Body(tempfile.SpooledTemporaryFile[bytes]):
    """The body of an answer; its rows are read from it for as long as somebody holds them, and then it goes."""

    def __del__(self) -> None:
        self.close()


@dataclass(frozen=True)
class Manifest:
    """What a server holds of ours: the build, the graph of the union, and the triples of each graph.

    ``state``: "current", "changing" while an upload takes its place, or empty where there is no manifest.
    """

    state: str = ""
    format: str = ""
    build: str = ""
    union: str = ""
    graphs: Mapping[str, int] = field(default_factory=dict)


class Remote:
    """A store on a server, asked over the graphs of its manifest."""

    def __init__(self, addresses: Addresses, http: Http) -> None:
        self.addresses = addresses
        self.http = http
        self._most: dict[str, int] = {}  # rows that the server has shown to give at once, by form of query
        self._cuts: set[str] = set()  # forms of which it has shown to give no more than that

    @classmethod
    def at(cls, url: str, http: Http | None = None) -> Remote:
        """Return the store at an address; nothing is sent yet. Raises UsageError where the address is not one."""
        http = http or Http()
        return cls(Addresses.of(url, http.settings), http)

    @property
    def graphs(self) -> Mapping[str, int]:
        """Our graphs with the triples that the manifest says of each (0 where there is no manifest)."""
        return self._held.graphs

    def holds(self, build: str, union: str, graphs: Mapping[str, int]) -> bool:
        """Tell whether the server holds this build, whole and in its places."""
        if self.manifest() != Manifest("current", str(FORMAT), build, union, dict(graphs)):
            return False
        return self.counts([union, *graphs]) == {union: sum(graphs.values()), **graphs}

    @cached_property
    def _held(self) -> Manifest:
        """What the server holds of ours; raise StoreError where that is nothing, or cannot be read."""
        found = self._settled()
        if found.state and found.format != str(FORMAT):
            raise StoreError(
                f"cannot open the store {self.addresses.query}: it has format {found.format}, this is "
                f"atmpkg {__version__} with format {FORMAT}. Build it again."
            )
        if not found.state:  # loaded by other means than ours
            found = Manifest(graphs=dict.fromkeys(self.names(GRAPH), 0))
        if not found.graphs:
            raise StoreError(
                f"cannot open the store {self.addresses.query}: nothing was built there. "
                f"Build it with: atmpkg build --store {self.addresses.query}"
            )
        return found

    def _settled(self) -> Manifest:
        """Read the manifest; wait while an upload takes its place, and raise StoreError where it was broken off."""
        for attempt in range(self.http.tries):
            if attempt:
                self.http.sleep(self.http.pause * 2 ** (attempt - 1))
            if (found := self.manifest()).state != "changing":
                return found
        raise StoreError(
            f"cannot open the store {self.addresses.query}: an upload was broken off while it took its place. "
            f"Finish it with: atmpkg build --store {self.addresses.query}"
        )

    def manifest(self) -> Manifest:
        """Read what the server says that it holds of ours."""
        about: dict[str, str] = {}
        graphs: dict[str, int] = {}
        for row in self._rows(_READ):
            name = row["property"].removeprefix(ONTOLOGY)
            if name == "storeTriples":
                graphs[row["graph"]] = int(row["value"])
            else:
                about[name.removeprefix("store").lower()] = row["value"]
        return Manifest(**about, graphs=graphs)

    def names(self, prefix: str) -> list[str]:
        """Return the graphs on the server whose IRI begins so."""
        return sorted(row["graph"] for row in self._rows(_NAMES.format(prefix)))

    def counts(self, graphs: Iterable[str]) -> dict[str, int]:
        """Count the triples of graphs, one by one; those that are empty are left out."""
        counts = {graph: int(self._rows(_COUNT % graph)[0]["n"]) for graph in graphs}
        return {graph: count for graph, count in counts.items() if count}

    def query(self, sparql: str, prefixes: Mapping[str, str] | None = None) -> Result:
        """Evaluate a SPARQL 1.1 query over the union of our graphs."""
        sparql = sparql.rstrip()
        form = _form(sparql, prefixes or {})
        declared = "".join(f"PREFIX {p}: <{iri}>\n" for p, iri in (prefixes or {}).items() if f"{p}:" in sparql)
        ours = list(self.graphs)
        union = [self._held.union] if self._held.union else ours
        return self._ask(declared + sparql, form, {"default-graph-uri": union, "named-graph-uri": ours})

    def update(self, text: str, do: str) -> None:
        """Run a SPARQL 1.1 Update; it is not tried again."""
        self.http.send(do, "POST", self.addresses.update, again=False, data={"update": text})

    def put(self, graph: str, triples: bytes, *, replace: bool) -> None:
        """Write N-Triples into a graph: in place of what it holds, or, without blank nodes, beside it."""
        self.http.send(
            f"load {graph}",
            "PUT" if replace else "POST",
            self.addresses.graphs,
            params={"graph": graph},
            content=triples,
            headers={"Content-Type": "text/turtle"},
        )

    def __len__(self) -> int:
        return sum(self.graphs.values()) or sum(self.counts(self.graphs).values())

    def _rows(self, select: str, dataset: Mapping[str, list[str]] | None = None) -> list[dict[str, str]]:
        result = cast("ox.QuerySolutions", self._ask(select, "SELECT", dataset or {}))
        names = [variable.value for variable in result.variables]
        return [{name: str(term.value) if (term := row[name]) else "" for name in names} for row in result]

    def _ask(self, sparql: str, form: str, dataset: Mapping[str, list[str]]) -> Result:
        """Send a query; return its whole answer, or raise StoreError."""
        result, count, told = self._fetch(sparql, form, dataset)
        if told or (count and self._cut(form, count)):  # nothing is never cut
            raise StoreError(
                f"cannot ask at {self.addresses.query}: the server gives at most {told or self._most[form]:,} rows at "
                "a time, and the answer has as many or more. Raise its limit (Virtuoso: ResultSetMaxRows), or ask less."
            )
        return result

    def _cut(self, form: str, count: int) -> bool:
        """Tell whether an answer of that many rows may be the beginning of a longer one.

        Servers may cut answers without a word. So one row more than we got is asked for, by a query whose answer we
        know; what the server has shown to give is remembered.
        """
        while count >= self._most.get(form, 0) and form not in self._cuts:
            wanted = max(1000, count + 1)
            digits = range(len(str(wanted - 1)))
            blocks = " ".join(f"VALUES ?d{at} {{ 0 1 2 3 4 5 6 7 8 9 }}" for at in digits)
            number = " + ".join(f"{10**at} * ?d{at}" for at in digits)
            head = "SELECT ?n" if form == "SELECT" else "CONSTRUCT { <urn:atmpkg:a> <urn:atmpkg:b> ?n } WHERE"
            _, got, told = self._fetch(f"{head} {{ {blocks} BIND({number} AS ?n) }} LIMIT {wanted}", form, {})
            self._most[form] = got
            if told or got < wanted:
                self._cuts.add(form)
        return form in self._cuts and count >= self._most[form]

    def _fetch(self, sparql: str, form: str, dataset: Mapping[str, list[str]]) -> tuple[Result, int, int]:
        """Send a query; return its answer, the number of its rows, and the limit that the server says it cut it to."""
        import pyoxigraph as ox

        body = cast("IO[bytes]", _Body(_IN_MEMORY))
        response = self.http.send(
            "ask",
            "POST",
            self.addresses.query,
            into=body,
            data={"query": sparql, **dataset},
            headers={"Accept": _FORMS[form]},
        )
        limit = response.headers.get("x-sparql-maxrows", "")
        told = int(limit) if limit.isdigit() else 0
        body.seek(0)
        try:
            if form in ("CONSTRUCT", "DESCRIBE"):
                store = ox.Store()
                store.load(body, format=ox.RdfFormat.N_TRIPLES)
                triples = store.query("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }")
                return cast("ox.QueryTriples", triples), len(store), told
            found = ox.parse_query_results(body, format=ox.QueryResultsFormat.JSON)
            if isinstance(found, ox.QueryBoolean) != (form == "ASK"):
                raise ValueError("another form of answer")
            if isinstance(found, ox.QueryBoolean):
                return found, 0, told
            count = sum(1 for _ in found)
            body.seek(0)
            return ox.parse_query_results(body, format=ox.QueryResultsFormat.JSON), count, told
        except (SyntaxError, ValueError, OSError, RuntimeError) as error:
            raise StoreError(
                f"cannot ask at {self.addresses.query}: what it gives is broken off or no answer ({_cause(error)})."
            ) from None


def _form(sparql: str, prefixes: Mapping[str, str]) -> str:
    """Return SELECT, ASK, CONSTRUCT or DESCRIBE; raise UsageError where the query is malformed."""
    import pyoxigraph as ox

    words = [token[0].upper() for token in tokens(sparql) if token.lastgroup == "word"]
    if "SERVICE" not in words:  # which the parser here would ask at once
        try:
            ox.Store().query(sparql, prefixes=dict(prefixes))
        except SyntaxError as error:
            raise UsageError(malformed(sparql, str(error))) from None
    form = next((word for word in words if word in _FORMS), "")
    if not form:
        raise UsageError("the query is malformed: expected SELECT, ASK, CONSTRUCT or DESCRIBE")
    return form


def _cause(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
