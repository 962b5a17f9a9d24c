"""Turn what one line of an access log says into an exchange.

A log holds what it was told to hold. A field that it does not show is unknown, never absent; so is content.
 Source of the terms: the log modules of nginx, Apache, HAProxy, Varnish, Caddy and Envoy.
"""

from __future__ import annotations

import re
from typing import Final

from ifmatch.capture.base.drafts import Draft
from ifmatch.capture.base.moments import clf_moment, epoch_moment, iso_moment
from ifmatch.capture.base.target_uri import target_uri

__all__ = ["NO_STATUS", "LogRecord", "is_cache_word", "unescape"]

_REQUEST = re.compile(r"([A-Za-z][A-Za-z_-]{0,39}) (\S+)(?: ((?:HTTP/)?\d(?:\.\d)?))?\Z")
_METHOD = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}\Z")
_HEX = re.compile(r"\\x([0-9A-Fa-f]{2})")
_HASH = re.compile(r"#([0-9A-F]{2})")
_BACKSLASH = re.compile(r"\\([\"\\nrt/])")
_BACKSLASHED: Final = {"n": "\n", "r": "\r", "t": "\t"}
_ABSENT: Final = frozenset({"", "-", "null", "None", "nil"})
# Envoy, Squid, HAProxy: the client went away before there was an answer.
NO_STATUS: Final = frozenset({"0", "000", "-1"})
# Words of nginx, Varnish, Squid, CloudFront and Fastly for an answer that a cache gave by itself.
_CACHED = re.compile(
    r"(?:HIT(?:-\w+)?|STALE|UPDATING|TCP(?:_\w+)?_HIT(?:_ABORTED)?|OriginShieldHit)\Z",
    re.IGNORECASE,
)
_NOT_CACHED = re.compile(
    r"(?:MISS(?:-\w+)?|EXPIRED|BYPASS|REVALIDATED|PASS|pipe|synth|hitmiss|hitpass|TCP_\w+|NONE(?:_NONE)?|RefreshHit|dynamic)\Z",
    re.IGNORECASE,
)
_ABORTED = re.compile(r"_ABORTED\Z")
_HTML: Final = (("&quot;", '"'), ("&#34;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))


def unescape(text: str, *, hashes: bool = False) -> str:
    """Undo how servers quote a value in a log line: backslash, HTML entity, and `#22` as HAProxy does.

    Args:
        text: the value as logged.
        hashes: whether the line is one of HAProxy.
    """
    if hashes:
        text = _HASH.sub(lambda found: chr(int(found[1], 16)), text)
    if "\\" in text:
        octets = _HEX.sub(lambda found: chr(int(found[1], 16)), text)
        text = _BACKSLASH.sub(lambda found: _BACKSLASHED.get(found[1], found[1]), octets)
    if "&quot;" in text or "&#34;" in text:
        for escaped, plain in _HTML:
            text = text.replace(escaped, plain)
    return text


def is_cache_word(value: str) -> bool:
    """Tell whether a column says what a cache did, as nginx, Varnish, Squid or a CDN word it."""
    word = value.partition(":")[0].partition("/")[0]
    return _CACHED.match(word) is not None or _NOT_CACHED.match(word) is not None


def _split_request_line(text: str) -> tuple[str, str, str] | None:
    """Return method, target and version of a logged request line, None when it is none."""
    found = _REQUEST.match(text)
    return (found[1], found[2], found[3] or "") if found is not None else None


class LogRecord:
    """What one line says, by meaning.

    Args:
        line: 1-based line.
    """

    def __init__(self, line: int) -> None:
        self.draft = Draft(line=line, sent_complete=False, received_complete=False)
        self.host = ""
        self.scheme = ""
        self.client = ""
        self.query = ""
        self._behind: list[tuple[str, str]] = []
        self._at_end: float | None = None
        # Why the client got no answer, "" when it may have got one.
        self.lost = ""

    def set(self, meaning: str, value: str) -> None:
        """Take one value.

        Args:
            meaning: `method`, `target`, `request`, `status`, `host`, `scheme`, `client`, `address` (of the
                client with its port), `query`, `peer`, `mark` (the id that the server gave the request),
                `version`, `duration:UNIT` (s, ms, us, ns), `start:KIND` and `end:KIND` (clf, iso, epoch),
                `sent:NAME`, `received:NAME`, `upstream:NAME` (as the server behind sent it); anything else
                is ignored.
            value: unescaped; `-` and the like say nothing.
        """
        kind, _, rest = meaning.partition(":")
        draft = self.draft
        if value in _ABSENT:
            if kind == "received" and rest.lower() == "content-encoding":
                # The log shows the coding and there was none: RFC 9110 section 12.5.3 calls that identity.
                draft.add_received(rest, "identity")
            return
        match kind:
            case "method":
                draft.method = value.upper() if _METHOD.match(value) else ""
            case "target":
                draft.url = value
            case "request":
                parts = _split_request_line(value)
                if parts is not None:
                    draft.method, draft.url, draft.request_version = parts
            case "status":
                if value.isascii() and value.isdigit() and len(value) == 3:
                    draft.status = int(value)
                if value in NO_STATUS:
                    self.lost = self.lost or "no answer was sent"
            case "version":
                draft.request_version = value
            case "address":
                self.client = value.rpartition(":")[0].strip("[]")
            case "host" | "scheme" | "client" | "query":
                setattr(self, kind, value)
            case "mark":
                draft.mark = value
            case "peer":
                draft.peer = value.partition(",")[0]
            case "duration":
                self._duration(value, rest)
            case "start" | "end":
                self._time(kind, rest, value)
            case "sent":
                draft.add_sent(rest, value)
            case "received":
                if not any(name.lower() == rest.lower() for name, _ in draft.received or ()):
                    draft.add_received(rest, value)
            case "upstream":
                self._behind.append((rest, value))
            case "cache":
                self._cache(value)
            case "lost":
                self.lost = value
            case _:
                pass

    def _cache(self, value: str) -> None:
        """Take the word of a cache for how it answered, as the field of RFC 9211 that says so."""
        word = value.partition(":")[0].partition("/")[0]
        if _ABORTED.search(word):
            self.lost = self.lost or f"the client closed the connection ({word})"
        if _CACHED.match(word) or _NOT_CACHED.match(word):
            hit = _CACHED.match(word) is not None
            self.draft.add_received("Cache-Status", f"log; {'hit' if hit else 'fwd=miss'}; detail={word}")

    def _duration(self, value: str, unit: str) -> None:
        factor = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}.get(unit, 1.0)
        try:
            seconds = float(value.lstrip("+")) / factor
        except ValueError:
            return
        if 0 <= seconds < 1e6:
            self.draft.duration = seconds

    def _time(self, kind: str, form: str, value: str) -> None:
        moment: tuple[float, float] | None = None
        if form == "epoch":
            try:
                seconds = epoch_moment(float(value))
            except (ValueError, OverflowError):
                return
            digits = len(value.partition(".")[2]) if "." in value else max(0, len(value.lstrip("-")) - 10)
            moment = (seconds, 10.0 ** -min(digits, 6)) if seconds is not None else None
        else:
            moment = clf_moment(value) if form == "clf" else iso_moment(value.replace("\t", " "))
        draft = self.draft
        if moment is None or (draft.started is not None and draft.resolution <= moment[1]):
            return
        draft.started, draft.resolution = moment
        self._at_end = moment[0] if kind == "end" else None

    def finished(self) -> Draft | None:
        """Return the draft, None when the line names no request or no status."""
        draft = self.draft
        if not draft.method or not draft.url or not (draft.status or self.lost):
            return None
        if self.lost and not 300 <= draft.status < 600:
            # What the server did is not what the client knows of.
            draft.error = self.lost + (f"; the server answered {draft.status}" if draft.status else "")
            draft.status, draft.received = 0, None
        for name, value in self._behind:
            # What the client got counts; the server behind tells where the log does not show that.
            self.set(f"received:{name}", value)
        if self._at_end is not None and draft.duration is not None and draft.resolution < 1:
            # The line was written when the response was over. Whole seconds keep the order of the file.
            draft.started = self._at_end - draft.duration
        if self.query and "?" not in draft.url:
            draft.url += self.query if self.query.startswith("?") else f"?{self.query}"
        draft.url = target_uri(draft.url, self.host, scheme=self.scheme or "http")
        if self.client and not any(name.lower() == "x-forwarded-for" for name, _ in draft.sent or ()):
            # See docs/decisions/071-access-logs.md: who asked is needed to tell actors apart.
            draft.add_sent("X-Forwarded-For", self.client)
        return draft
