"""The guard: what a query may not contain, found by reading its tokens.

The engine reads SPARQL without a lexer: ``SERVICE:x``, ``trueSERVICE<…>`` and ``SERVICESILENT<…>`` all reach out, as
tests show. So a keyword is looked for inside every run of word characters that stands outside strings, IRIs, comments,
variables and local names; and where ``<`` could open an IRI or compare two values in a way that would hide text from
one of the two readings, a query that mentions the keyword is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_BASE = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_INNER = f"{_BASE}_0-9\u00b7\u0300-\u036f\u203f-\u2040-"
_LOCAL = rf"(?:[{_INNER}:]|%[0-9A-Fa-f]{{2}}|\\[_~.\-!$&'()*+,;=/?\#@%])"

# The terminals of SPARQL 1.1 (https://www.w3.org/TR/sparql11-query/#sparqlGrammar, productions 139 to 173); a word may
# hold dots here, so that reading takes linear time whatever is sent.
_TOKEN = re.compile(
    rf"""
    (?P<blank>[ \t\r\n]+)
  | (?P<comment>\#[^\n\r]*)
  | (?P<iri><[^<>"{{}}|^`\\\x00-\x20]*>)
  | (?P<string>'''(?:(?:'|'')?(?:[^'\\]|\\.))*'''|\"\"\"(?:(?:"|"")?(?:[^"\\]|\\.))*\"\"\"
      |'(?:[^'\\\n\r]|\\.)*'|"(?:[^"\\\n\r]|\\.)*")
  | (?P<open>'''|\"\"\"|'|")
  | (?P<variable>[?$][{_BASE}_0-9\u00b7\u0300-\u036f\u203f-\u2040]+)
  | (?P<label>_:[{_INNER}](?:[{_INNER}.]*[{_INNER}])?)
  | (?P<language>@[A-Za-z]+(?:-[A-Za-z0-9]+)*)
  | (?P<name>(?P<prefix>(?:[{_BASE}_][{_INNER}.]*+)?):(?:{_LOCAL}(?:(?:{_LOCAL}|\.)*{_LOCAL})?)?)
  | (?P<word>[{_BASE}_][{_INNER}.]*+)
  | (?P<number>(?:[0-9]*\.[0-9]+|[0-9]+\.?)[eE][+-]?[0-9]+|[0-9]*\.[0-9]+|[0-9]+)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
_CLOCK = re.compile(r"now|rand|uuid", re.IGNORECASE)

Token = re.Match[str]


def tokens(sparql: str) -> Iterator[Token]:
    """Yield the tokens of a query; blanks and comments are left out, ``lastgroup`` names the kind of each."""
    return (match for match in _TOKEN.finditer(sparql) if match.lastgroup not in ("blank", "comment"))


def unescaped(sparql: str) -> str:
    r"""Replace the codepoint escapes, as the standard asks before anything is read.

    >>> unescaped(r"\u0053ERVICE")
    'SERVICE'
    """

    def character(match: Token) -> str:
        number = int(match[1] or match[2], 16)
        return chr(number) if number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else match[0]

    return _ESCAPE.sub(character, sparql)


def forbidden(sparql: str, *, update: bool = False) -> str:
    """Return the keyword with which a query or update would reach out or read files; empty where there is none.

    >>> forbidden("SELECT * { service silent ?where { ?s ?p ?o } }")
    'SERVICE'
    >>> forbidden("SELECT * { ?s ?p 'SERVICE <http://example.org/>' } # SERVICE")
    ''
    """
    for keyword in ("SERVICE", "LOAD") if update else ("SERVICE",):
        for text in dict.fromkeys((sparql, unescaped(sparql))):
            if keyword.casefold() in text.casefold() and _reaches(text, keyword.casefold()):
                return keyword
    return ""


def _reaches(sparql: str, keyword: str) -> bool:
    depth, before = 0, None
    for token in tokens(sparql):
        kind, text = token.lastgroup, token[0]
        if (kind == "word" and keyword in text.casefold()) or (
            kind == "name" and keyword in (token["prefix"] or "").casefold()
        ):
            return True
        if kind == "open":  # a string that never ends for us may end for the engine
            return True
        if kind == "iri" and depth and _operand(before) and re.search("['#]", text):
            return True  # `?a <?b && ?c = '>'` compares; it is no IRI, and what follows would be read as a string
        if kind == "other":
            depth += {"(": 1, ")": -1}.get(text, 0)
        before = token
    return False


def _operand(token: Token | None) -> bool:
    """Tell whether a comparison may follow a token."""
    if token is None:
        return False
    return token.lastgroup in ("variable", "string", "number", "name", "iri", "language", "word", "label") or token[
        0
    ] in (")", "]")


def changes(sparql: str) -> bool:
    """Tell whether the answer may differ from one moment to the next, as with NOW() or RAND().

    >>> changes("SELECT (NOW() AS ?now) {}"), changes("SELECT * { ?s ?p ?o }")
    (True, False)
    """
    return _CLOCK.search(unescaped(sparql)) is not None


def names_dataset(sparql: str) -> bool:
    """Tell whether a query says FROM or FROM NAMED.

    >>> names_dataset("ASK FROM <urn:g> {}"), names_dataset("ASK { ?s ?p 'from' }")
    (True, False)
    """
    if "from" not in sparql.casefold() and "\\" not in sparql:
        return False
    depth = 0
    for token in tokens(unescaped(sparql)):
        if token.lastgroup == "other":
            depth += {"{": 1, "}": -1}.get(token[0], 0)
        elif token.lastgroup == "word" and depth == 0 and "FROM" in token[0].upper():
            return True
    return False


class Conflict(ValueError):
    """An update that names a dataset although the request does, or that cannot take one."""


def using(update: str, default: Sequence[str], named: Sequence[str]) -> str:
    """Write the dataset of the request into an update, before every WHERE that takes one.

    SPARQL 1.1 Protocol, 2.2.3: with USING, USING NAMED or WITH in the update as well, that is an error.

    >>> using("INSERT { ?s ?p 1 } WHERE { ?s ?p 2 }", ["urn:g"], [])
    'INSERT { ?s ?p 1 } USING <urn:g> WHERE { ?s ?p 2 }'
    """
    if not default and not named:
        return update
    update = unescaped(update)
    clause = "".join([*(f"USING <{iri}> " for iri in default), *(f"USING NAMED <{iri}> " for iri in named)])
    parts, at, depth, before = [], 0, 0, ""
    for token in tokens(update):
        word = token[0].upper() if token.lastgroup == "word" else token[0]
        depth += {"{": 1, "}": -1}.get(word, 0) if token.lastgroup == "other" else 0
        if depth == 0 and token.lastgroup == "word" and word.startswith(("USING", "WITH")):
            raise Conflict(
                f"the update says {'WITH' if word.startswith('WITH') else 'USING'} and the request names a dataset too"
            )
        if depth == 0 and token.lastgroup == "word" and word.endswith("WHERE"):
            if before == "DELETE" or word != "WHERE":
                raise Conflict("DELETE WHERE takes no dataset; write DELETE { } WHERE { }")
            parts += [update[at : token.start()], clause]
            at = token.start()
        before = word
    return "".join([*parts, update[at:]])
