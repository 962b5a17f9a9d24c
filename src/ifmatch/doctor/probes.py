"""The questions that a live server is asked: which causes each separates, what its answer settles."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading.dates import http_date
from ifmatch.model.message import Content, Fields

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ifmatch.doctor.failing import Failing
    from ifmatch.model.exchange import Exchange
    from ifmatch.model.message import Request

__all__ = ["PROBES", "Known", "Observation", "Probe", "observe", "opaque", "without_suffix"]

# Seconds from which on a modification date is a strong validator (RFC 9110 section 8.8.2.2).
_GRAIN: Final = 1.0
_CODED: Final = ("gzip", "deflate", "br")
_SUFFIXES: Final = ("-gzip", "--gzip", ";gzip", "-br", "-df", "-deflate", "-zstd", ":gzip")


@dataclass(frozen=True, slots=True)
class Observation:
    """What one answer shows.

    Attributes:
        status: 0 when none came.
        tag: value of ETag, "" when there was none.
        coding: value of Content-Encoding, "" when there was none.
        age: value of Age, "" when there was none.
        modified: value of Last-Modified, "" when there was none.
        digest: of the decoded content, "" when it is not known.
        error: why no answer came.
    """

    status: int
    tag: str = ""
    coding: str = ""
    age: str = ""
    modified: str = ""
    digest: str = ""
    error: str = ""

    @property
    def is_weak(self) -> bool:
        """Tell whether the tag is weak."""
        return self.tag.startswith("W/")

    def shown(self) -> str:
        """Return it in a few words."""
        if not self.status:
            return f"no answer ({self.error})"
        parts = [str(self.status), f"tag {self.tag}" if self.tag else "no tag"]
        parts += [self.coding] if self.coding else []
        parts += [f"Age {self.age}"] if self.age else []
        return ", ".join(parts)


def observe(exchange: Exchange) -> Observation:
    """Return what an exchange shows."""
    response = exchange.response
    if response is None:
        return Observation(0, error=exchange.error)
    tag, coding, age, modified = (
        (response.fields.text(name) or "").strip()
        for name in ("etag", "content-encoding", "age", "last-modified")
    )
    content = response.content
    whole = isinstance(content, Content) and content.complete and response.status == 200
    digest = hashlib.sha256(content.octets).hexdigest() if whole and isinstance(content, Content) else ""
    return Observation(response.status, tag, coding, age, modified, digest)


class Known:
    """What is known so far.

    Args:
        failing: the request that fails.
        nonce: a text that no cache has seen, for a query.
        samples: how many connections the sampling probe opens.
        origin: of the script, for the questions of a browser; "" to leave them out.
    """

    def __init__(self, failing: Failing, *, nonce: str, samples: int = 4, origin: str = "") -> None:
        self.failing = failing
        self.nonce = nonce
        self.samples = samples
        self.origin = origin
        self.seen: dict[str, list[Observation]] = {}

    def first(self, probe: str) -> Observation | None:
        """Return the first answer to a probe, None when it was not asked or not answered."""
        found = self.seen.get(probe)
        return found[0] if found and found[0].status else None

    @property
    def refused_tag(self) -> str:
        """Return the tag that the failing request presents, "" when it presents none or several."""
        value = self.failing.request.fields.text("if-match") or self.failing.request.fields.text(
            "if-none-match"
        )
        text = (value or "").strip()
        return "" if text == "*" or text.count('"') > 2 else text


@dataclass(frozen=True, slots=True)
class Probe:
    """One question.

    Attributes:
        id: short name.
        asks: the question in words.
        separates: causes that its answer speaks for or against.
        requests: makes the requests; none when the question makes no sense here.
        settles: says in a sentence what the answers show, given all that is known.
        fresh: whether each request goes over a connection of its own.
        protocols: for ALPN when the question is about the version of HTTP; empty for the route's own.
    """

    id: str
    asks: str
    separates: frozenset[str]
    requests: Callable[[Known], Sequence[Request]]
    settles: Callable[[Known, Sequence[Exchange]], str]
    fresh: bool = False
    protocols: tuple[str, ...] = ()


def opaque(tag: str) -> str:
    """Return a tag without its quotes and its mark of weakness."""
    return tag.removeprefix("W/").strip('"')


def without_suffix(tag: str) -> str:
    """Return the opaque value without the suffix of a content coding."""
    value = opaque(tag)
    return next((value.removesuffix(suffix) for suffix in _SUFFIXES if value.endswith(suffix)), value)


def _last(exchanges: Sequence[Exchange]) -> Observation:
    return observe(exchanges[-1])


def _relation(before: Observation | None, now: Observation) -> str:
    """Say how a tag relates to that of the plain read."""
    if before is None or not before.tag or not now.tag:
        return now.shown()
    if now.tag == before.tag:
        return f"the same tag {now.tag}"
    if opaque(now.tag) == opaque(before.tag):
        return f"the same opaque value, {'weak' if now.is_weak else 'strong'}: {now.tag}"
    if without_suffix(now.tag) == without_suffix(before.tag):
        return f"the same value without the coding suffix: {now.tag}"
    same = now.digest and now.digest == before.digest
    return f"another tag, {now.tag}, for {'the same' if same else 'other'} content"


# -- what each answer settles ---------------------------------------------------------


def _read(known: Known, exchanges: Sequence[Exchange]) -> str:
    said, dated = _compared(known, _last(exchanges)), _dated(exchanges[-1])
    return f"{said}; {dated}" if dated else said


def _dated(exchange: Exchange) -> str:
    """Say how far Last-Modified can be trusted: it has whole seconds (RFC 9110 section 8.8.2.2)."""
    fields = exchange.response.fields if exchange.response is not None else Fields()
    modified, date = (http_date(fields.text(name) or "") for name in ("last-modified", "date"))
    if modified is None or date is None:
        return ""
    age = date - modified
    if age < 0:
        return f"Last-Modified lies {-age:.0f} s after Date: a clock is wrong"
    if age < _GRAIN:
        return "Last-Modified is of the very second: two writes within it would look alike"
    return f"Last-Modified lies {age:.0f} s before Date, whole seconds"


def _compared(known: Known, now: Observation) -> str:
    refused = known.refused_tag
    if not refused or not now.tag:
        return now.shown()
    if now.tag == refused:
        return f"{now.shown()}: the refused token itself; the state did not move"
    if without_suffix(now.tag) == without_suffix(refused):
        return f"{now.shown()}: the refused token but for its strength or suffix"
    return f"{now.shown()}: not the refused token {refused}"


def _again(known: Known, exchanges: Sequence[Exchange]) -> str:
    relation = _relation(known.first("read"), _last(exchanges))
    return f"{relation}; the tag is stable" if relation.startswith("the same tag") else relation


def _plain(known: Known, exchanges: Sequence[Exchange]) -> str:
    before, now = known.first("read"), _last(exchanges)
    relation = _relation(before, now)
    if before is not None and before.is_weak and now.tag and not now.is_weak:
        return f"{relation}; an encoder on the way weakens it"
    if now.is_weak:
        return f"{relation}; the tag is weak without content coding, too"
    return relation


def _against_read(known: Known, exchanges: Sequence[Exchange]) -> str:
    return _relation(known.first("read"), _last(exchanges))


def _past_caches(known: Known, exchanges: Sequence[Exchange]) -> str:
    before, now = known.first("read"), _last(exchanges)
    relation = _relation(before, now)
    if before is not None and now.tag and now.tag != before.tag and now.digest != before.digest:
        return f"{relation}; what was read first came from a cache or a replica"
    return relation


def _sampled(known: Known, exchanges: Sequence[Exchange]) -> str:
    tags = [one.tag for one in map(observe, exchanges) if one.tag]
    before = known.first("read")
    if before is not None and before.tag:
        tags.insert(0, before.tag)
    different = list(dict.fromkeys(tags))
    if len(different) > 1:
        return f"{len(different)} tags over {len(tags)} connections: {', '.join(different[:4])}"
    missed = 0.5 ** max(len(tags) - 1, 0)
    return (
        f"one tag over {len(tags)} connections; a second node that answers every other request would "
        f"have gone unseen with a probability of {missed:.3f}"
    )


def _conditional(_: Known, exchanges: Sequence[Exchange]) -> str:
    said: list[str] = []
    for exchange in exchanges:
        fields = exchange.request.fields
        name = "If-None-Match" if "if-none-match" in fields else "If-Match"
        said.append(f"{name}: {fields.text(name)} -> {exchange.status or exchange.error}")
    return "; ".join(said)


def _preflight(_: Known, exchanges: Sequence[Exchange]) -> str:
    response = exchanges[0].response
    fields = response.fields if response is not None else Fields()
    allowed = (fields.text("access-control-allow-headers") or "").lower()
    said = (
        "the preflight allows If-Match"
        if "if-match" in allowed or allowed.strip() == "*"
        else ("the preflight does not allow If-Match")
    )
    read = exchanges[-1].response
    exposed = (read.fields.text("access-control-expose-headers") or "").lower() if read is not None else ""
    shown = "etag" in exposed or exposed.strip() == "*"
    return f"{said}; scripts {'see' if shown else 'do not see'} the ETag"


def _version(known: Known, exchanges: Sequence[Exchange]) -> str:
    response = exchanges[-1].response
    version = response.version if response is not None else "no answer"
    return f"over {version}: {_relation(known.first('read'), _last(exchanges))}"


def clock_offset(exchange: Exchange) -> float | None:
    """Return how many seconds the server's clock is ahead of ours, None when it shows no Date."""
    response = exchange.response
    text = response.fields.text("date") if response is not None else None
    if text is None or exchange.started is None:
        return None
    date = http_date(text)
    if date is None:
        return None
    return date - (exchange.started + (exchange.duration or 0.0) / 2)


# -- what is sent ---------------------------------------------------------------------


def _busted(known: Known) -> Sequence[Request]:
    url = known.failing.request.url
    return [known.failing.read(url=f"{url}{'&' if '?' in url else '?'}cachebust={known.nonce}")]


def _conditions(known: Known) -> Sequence[Request]:
    tag, read = known.refused_tag, known.failing.read
    if not tag:
        return []
    requests = [read(("If-None-Match", tag)), read(("If-Match", tag))]
    strong = tag.removeprefix("W/")
    if strong != tag:
        requests.append(read(("If-Match", strong)))
    bare = without_suffix(tag)
    if bare != opaque(tag):
        requests.append(read(("If-Match", f'"{bare}"')))
    return requests


def _as_written(known: Known) -> Sequence[Request]:
    kind = known.failing.request.fields.text("content-type")
    accept = known.failing.request.fields.text("accept") or "*/*"
    media = (kind or "").partition(";")[0].strip()
    if (
        not media
        or "patch" in media
        or media == accept
        or media.startswith(("multipart/", "application/x-www-form"))
    ):
        return []
    return [known.failing.read(("Accept", media))]


def _in_browser(known: Known) -> Sequence[Request]:
    if not known.origin:
        return []
    asked = known.failing.read(
        ("Origin", known.origin),
        ("Access-Control-Request-Method", known.failing.request.method),
        ("Access-Control-Request-Headers", "content-type,if-match"),
        ("Authorization", ""),
        ("Cookie", ""),
        method="OPTIONS",
    )
    return [asked, known.failing.read(("Origin", known.origin))]


def _one(*fields: tuple[str, str], method: str = "GET") -> Callable[[Known], Sequence[Request]]:
    return lambda known: [known.failing.read(*fields, method=method)]


def _coded(coding: str) -> Callable[[Known], Sequence[Request]]:
    return lambda known: [known.failing.read(("Accept-Encoding", coding))]


_ENCODERS: Final = frozenset(
    {"etag-weakened", "weak-only-origin", "etag-suffix-rewrite", "weak-until-settled"}
)
_CACHES: Final = frozenset({"stale-cache-read", "replica-lag", "cache-misevaluates", "stale-stored-token"})
_NODES: Final = frozenset({"inconsistent-backends", "unstable-etag", "replica-lag"})

PROBES: Final = (
    Probe(
        "read",
        "What does the program read where it wants to write?",
        frozenset({"other-writer", "target-missing", "stale-stored-token"}),
        _one(("Accept-Encoding", ", ".join(_CODED))),
        _read,
    ),
    Probe(
        "identity",
        "Is the tag another one without content coding?",
        _ENCODERS,
        _coded("identity"),
        _plain,
    ),
    Probe(
        "again",
        "Is the tag the same when read again at once?",
        frozenset({"unstable-etag", "inconsistent-backends", "server-side-mutation"}),
        _one(("Accept-Encoding", ", ".join(_CODED))),
        _again,
        fresh=True,
    ),
    Probe(
        "no-cache",
        "Is it another one past the caches?",
        _CACHES,
        _one(("Cache-Control", "no-cache"), ("Pragma", "no-cache"), ("Accept-Encoding", ", ".join(_CODED))),
        _past_caches,
    ),
    Probe(
        "busted",
        "And under a URL that no cache has seen?",
        _CACHES,
        _busted,
        _past_caches,
    ),
    Probe(
        "head",
        "Does HEAD show the same tag as GET?",
        frozenset({"etag-source-mismatch", "server-precondition-bug"}),
        _one(method="HEAD"),
        _against_read,
    ),
    Probe(
        "as-written",
        "Is it another one for the media type that is written?",
        frozenset({"representation-mismatch"}),
        _as_written,
        _against_read,
    ),
    Probe(
        "nodes",
        "Do all connections show the same tag?",
        _NODES,
        lambda known: [known.failing.read(("Accept-Encoding", ", ".join(_CODED)))] * known.samples,
        _sampled,
        fresh=True,
    ),
    Probe(
        "conditional",
        "How does the server compare the refused token on reads?",
        _ENCODERS | {"server-precondition-bug", "precondition-ignored", "malformed-validator"},
        _conditions,
        _conditional,
    ),
    Probe("gzip", "Which tag comes with gzip?", _ENCODERS, _coded("gzip"), _against_read),
    Probe("br", "Which tag comes with br?", _ENCODERS, _coded("br"), _against_read),
    Probe(
        "browser",
        "May a script of that origin send If-Match and see the ETag?",
        frozenset({"cors-hidden-etag", "token-missing", "null-token"}),
        _in_browser,
        _preflight,
    ),
    Probe(
        "language",
        "Is it another one for another language?",
        frozenset({"representation-mismatch"}),
        _one(("Accept-Language", "de;q=1, fr;q=0.5")),
        _against_read,
    ),
    Probe(
        "http2",
        "Is it another one over HTTP/2?",
        frozenset({"inconsistent-backends", "etag-weakened", "etag-suffix-rewrite"}),
        lambda known: [known.failing.read()] if known.failing.request.url.startswith("https:") else [],
        _version,
        fresh=True,
        protocols=("h2", "http/1.1"),
    ),
)
"""All questions; the first two are always asked, the others by what is open."""
