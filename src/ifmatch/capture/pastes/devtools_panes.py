"""Read what is copied out of the headers pane of a browser's developer tools: Chrome, Edge, Firefox, Safari.

Names and values stand on one line (`etag: "v3"`) or on alternating lines. The pane shows what the browser
knows: after `Provisional headers are shown` the request's fields are not complete.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.clock import date_seconds, keep_monotone
from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.base.json_values import load
from ifmatch.capture.base.target_uri import target_uri
from ifmatch.capture.texts.field_lines import FIELD_LINE, TAG_FIELDS, html_escaped, repair_value, unescaped
from ifmatch.capture.texts.text_source import read_text
from ifmatch.model.message import Content, Fields

if TYPE_CHECKING:
    from typing import BinaryIO

    from ifmatch.capture.texts.text_source import TextSource
    from ifmatch.model.exchange import Capture

__all__ = ["looks_like_pane", "read_devtools_pane"]

_HEADING = re.compile(
    r"[\s\u25bc\u25b6\u25be]*(General|Summary|Response Headers|Request Headers|Response|Request|"
    r"Query String Parameters|Request Payload|Payload|Form Data|Request Body|Response Body|"
    r"Request Data|Preview|Cookies|Timing)"
    r"(?:\s*\([^)\n]{0,40}\))?(?:\s*(?:view source|view parsed|view URL-encoded|Raw|Block))*\s*:?\s*\Z",
    re.IGNORECASE,
)
_TOKEN = re.compile(r":?[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}:?\Z")
_SUMMARY: Final = frozenset({
    "request url", "request method", "status code", "remote address", "referrer policy", "url", "status",
    "source", "address", "initiator", "scheme", "host", "filename", "version", "transferred",
    "request priority", "dns resolution", "method", "protocol", "query string", "blocked",
})  # fmt: skip
# Names that Firefox lists above the header fields.
_FIREFOX_START: Final = ("scheme", "host", "filename")
_PROVISIONAL = re.compile(r"provisional headers are shown|disable cache", re.IGNORECASE)
_STATUS = re.compile(r"(\d{3})\b[ \t]*(.*)", re.DOTALL)
_FIREFOX_TITLE = re.compile(r"(GET|HEAD|PUT|POST|PATCH|DELETE|OPTIONS)\s+(https?://\S+)\Z|(https?://\S+)\Z")
# Behind `View source` the first line of a message stands above its fields.
_START = re.compile(r"HTTP/|[A-Z]{3,20} \S+ HTTP/\d")
# Firefox: the tab between label and value is lost in some places.
_GLUED_LABEL = re.compile(
    r"(Version|Transferred|Referrer Policy|Request Priority|DNS Resolution|Status)(?=[A-Z0-9a-z])(.+)\Z"
)
# What a server never answers: with it the fields of the request begin where no heading says so.
_REQUEST_ONLY: Final = frozenset(
    {"accept", "accept-encoding", "accept-language", "host", "user-agent", "cookie", "if-match",
     "if-none-match", "if-modified-since", "if-unmodified-since", "referer", "origin", "authorization"}
)  # fmt: skip
_SAFARI_DATA = re.compile(r"(?:MIME Type|Encoding|Boundary): .*\Z|Request Data: ", re.IGNORECASE)
_NAME = re.compile(r"([{,]\s{0,40})([A-Za-z_$][\w$]{0,60})\s?:")
_METHODS: Final = frozenset({"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "PROPFIND"})
_NOISE: Final = frozenset(
    {"view source", "view parsed", "raw", "show more", "learn more", "edit and resend", "resend"}
)


def _squeezed(text: str) -> str:
    return text.strip(" \t\r\u00a0\u200b\ufeff")


def looks_like_pane(lines: list[str]) -> bool:
    """Tell whether lines were copied out of a headers pane.

    Args:
        lines: the first lines of a source.
    """
    kept = [_squeezed(line).lower() for line in lines[:2000] if line and line.strip()]
    names = {line.partition(":")[0] if line.startswith(tuple(_SUMMARY)) else line for line in kept}
    if "request url" in names and names & {"request method", "status code"}:
        return True
    if all(name in names for name in _FIREFOX_START) and "status" in names:
        return True
    if _is_titled(kept[:6]) and any(name.startswith("status") for name in names):
        return any(name.startswith(("transferred", "referrer policy", "dns resolution")) for name in names)
    headings = {found[1].lower() for line in kept if (found := _HEADING.match(line))}
    return "summary" in headings and "url" in names and bool(headings & {"request", "response"})


def _as_json(text: str) -> str:
    """Return content as it was sent where the pane shows it parsed: names without their quotes."""
    if text[:1] != "{" or text[1:].lstrip()[:1] in {'"', "}"}:
        return text
    named = _NAME.sub(r'\1"\2":', text)
    return named if load(named.encode("utf-8", "surrogatepass")) is not None else text


def _is_titled(lines: list[str]) -> bool:
    """Tell whether method and URL stand at the top, on one line or on two."""
    at = next((at for at, line in enumerate(lines) if "://" in line), None)
    if at is None:
        return False
    method = lines[at].partition(" ")[0] if " " in lines[at] else lines[at - 1] if at else ""
    return method.upper() in _METHODS


def read_devtools_pane(stream: BinaryIO, name: str) -> Capture:
    """Read one or more headers panes.

    Args:
        stream: binary stream at the start of the text.
        name: name of the source as the user gave it.

    Raises:
        InputError: no pane with a URL is in it.
    """
    source = read_text(stream, name)
    drafts = Drafts(name, warnings=list(source.warnings))
    reader = _Pane(source, drafts)
    for number, line in enumerate(source.lines, 1):
        if line is not None:
            reader.line(number, line)
    reader.finish()
    dates = [date_seconds(Fields(draft.received or ())) for draft in drafts.found]
    for draft, started in zip(drafts.found, keep_monotone(dates), strict=True):
        draft.started, draft.resolution = started, 1.0
    return drafts.capture(
        "devtools-pane",
        nothing="no request URL stands in this headers pane",
        expected="`Request URL`, `Request Method` and `Status Code` with their values",
        advice="Right-click the request, Copy > Copy all as HAR, and give that as a file",
    )


class _Pane:
    """Collect sections, each a list of numbered lines, and turn them into drafts."""

    def __init__(self, source: TextSource, drafts: Drafts) -> None:
        self._source = source
        self._drafts = drafts
        self._escaped = html_escaped(source.lines)
        self._draft: Draft | None = None
        self._section = "general"
        self._lines: list[tuple[int, str]] = []
        self._host = self._scheme = self._path = ""
        self._headers_seen = 0

    def line(self, number: int, line: str) -> None:
        """Take the next line."""
        text = _squeezed(unescaped(line) if self._escaped else line)
        found = _HEADING.match(text)
        if found is not None and not self._awaits_value():
            self._close()
            self._section = found[1].lower()
            return
        starts = text.lower().partition(":")[0] in {"request url", "scheme"} and self._in_summary()
        if starts and self._draft is not None and (self._draft.url or self._scheme):
            self._finish_draft()
        elif starts and self._section not in {"general", "summary"}:
            self._close()
            self._finish_draft()
        if starts:
            self._section = "general"
        if text or "body" in self._section or "payload" in self._section:
            self._lines.append((number, text))

    def _in_summary(self) -> bool:
        return self._section in {"general", "summary"} or not self._awaits_value()

    def _awaits_value(self) -> bool:
        """Tell whether the last line of an alternating list is a name still."""
        if not self._lines or self._section not in {"request headers", "response headers"}:
            return False
        if any(FIELD_LINE.match(text) and text.partition(":")[2].strip() for _, text in self._lines[:4]):
            return False
        return len(self._lines) % 2 == 1

    def finish(self) -> None:
        """Take the end of the source."""
        self._finish_draft()

    def _current(self, number: int) -> Draft:
        if self._draft is None:
            self._draft = Draft(line=number, framed=False)
        return self._draft

    def _close(self) -> None:
        lines, self._lines = self._lines, []
        if not lines:
            return
        section = self._section
        draft = self._current(lines[0][0])
        if section in {"general", "summary"}:
            self._general(draft, lines)
        elif section in {"request headers", "request"}:
            for name, value in self._pairs(lines, draft):
                self._sent(draft, name, value)
            draft.sent = draft.sent or []
        elif section in {"response headers", "response"} and not self._is_content(lines):
            for name, value in self._pairs(lines, draft):
                self._received(draft, name, value)
        elif section in {"request payload", "payload", "request body", "request data"}:
            draft.content = self._content(lines)
        elif section in {"response body", "response", "preview"}:
            draft.received_content = self._content(lines)

    def _is_content(self, lines: list[tuple[int, str]]) -> bool:
        return lines[0][1][:1] in {"{", "[", "<"}

    def _content(self, lines: list[tuple[int, str]]) -> Content:
        said = (_SAFARI_DATA.sub("", text, count=1) for _, text in lines if text.lower() not in _NOISE)
        text = _as_json("\n".join(said).strip())
        return Content.from_octets(self._source.octets(text))

    def _sent(self, draft: Draft, name: str, value: str) -> None:
        lowered = name.lower()
        if lowered == ":method":
            draft.method = draft.method or value
        elif lowered in {":authority", ":scheme", ":path"}:
            if lowered == ":authority":
                self._host = value
            elif lowered == ":scheme":
                self._scheme = value
            else:
                self._path = value
        else:
            draft.add_sent(name, value)

    @staticmethod
    def _received(draft: Draft, name: str, value: str) -> None:
        if name.lower() == ":status":
            draft.status = draft.status or (int(value) if value.isascii() and value.isdigit() else 0)
        else:
            draft.add_received(name, value)

    def _pairs(self, lines: list[tuple[int, str]], draft: Draft) -> list[tuple[str, str]]:
        """Return names and values of a list of fields, on one line each or on alternating lines."""
        kept: list[tuple[int, str]] = []
        for number, text in lines:
            if _PROVISIONAL.search(text) and "sent" not in text.lower()[:4]:
                draft.sent_complete = False
            elif text.lower() not in _NOISE and not _START.match(text):
                kept.append((number, text))
        with_colon = sum(
            1 for _, text in kept if (found := FIELD_LINE.match(text)) and found[2][:1] in {" ", "\t"}
        )
        # Old versions of Chrome put no blank behind the colon; a list of names and values in turn has few.
        glued = sum(1 for _, text in kept if (found := FIELD_LINE.match(text)) and found[2].strip())
        if with_colon * 2 > len(kept) or glued * 4 >= len(kept) * 3 > 0:
            return self._one_line_each(kept)
        return self._alternating(kept)

    def _one_line_each(self, lines: list[tuple[int, str]]) -> list[tuple[str, str]]:
        pairs: list[tuple[str, str]] = []
        for number, text in lines:
            found = FIELD_LINE.match(text)
            if found is not None:
                pairs.append((found[1], self._value(found[1], found[2].strip(), number)))
            elif pairs and not (pairs[-1][0].lower() in TAG_FIELDS and pairs[-1][1].endswith('"')):
                name, before = pairs[-1]
                pairs[-1] = (name, f"{before} {self._value(name, text, number)}".strip())
            else:
                self._drafts.warn(f"this line is no field and was skipped: {text[:60]!r}", line=number)
        return pairs

    def _alternating(self, lines: list[tuple[int, str]]) -> list[tuple[str, str]]:
        pairs: list[tuple[str, str]] = []
        position = 0
        while position < len(lines):
            number, text = lines[position]
            position += 1
            if _TOKEN.match(text) is None:
                self._drafts.warn(f"this line is no field name and was skipped: {text[:60]!r}", line=number)
                continue
            if position >= len(lines):
                break
            name = text[0] + text[1:].rstrip(":")
            pairs.append((name, self._value(name, lines[position][1], number)))
            position += 1
        return pairs

    def _value(self, name: str, value: str, number: int) -> str:
        fixed, repaired = repair_value(name, value, unicode_text=self._source.encoding != "latin-1")
        if repaired:
            self._drafts.warn(f"{name}: {repaired}", line=number)
        return self._source.wire(fixed)

    def _general(self, draft: Draft, lines: list[tuple[int, str]]) -> None:
        """Read the summary; Firefox lists the fields of response and request below it without a heading."""
        position = 0
        while position < len(lines):
            number, text = lines[position]
            position += 1
            label, colon, value = text.partition(":")
            label = label.strip().lower()
            title = _FIREFOX_TITLE.match(text)
            glued = _GLUED_LABEL.match(text) if not colon else None
            if glued is not None:
                label, value, colon = glued[1].lower(), glued[2], ":"
            if label in _SUMMARY:
                if not colon or not value.strip():
                    value = self._next_value(lines, position)
                    position += bool(value)
                position += self._summary(draft, label, value.strip(), lines, position)
            elif title is not None:
                draft.url = draft.url or title[2] or title[3]
                draft.method = draft.method or title[1] or ""
            elif text in _METHODS:
                draft.method = draft.method or text
            elif draft.status and (_TOKEN.match(text) or FIELD_LINE.match(text)):
                self._without_headings(draft, lines[position - 1 :])
                return
            elif not _PROVISIONAL.search(text):
                self._drafts.warn(f"this line of the summary was skipped: {text[:60]!r}", line=number)

    def _without_headings(self, draft: Draft, lines: list[tuple[int, str]]) -> None:
        """Take fields of the answer, then of the request, below a summary without headings."""
        pairs = self._pairs(lines, draft)
        names = [name.lower() for name, _ in pairs]
        first = next((at for at, name in enumerate(names) if name[:1] == ":" and name != ":status"), None)
        if first is None:
            first = next((at for at, name in enumerate(names) if name in _REQUEST_ONLY), None)
        split = len(pairs) if first is None else first
        for name, value in pairs[:split]:
            self._received(draft, name, value)
        for name, value in pairs[split:]:
            self._sent(draft, name, value)

    @staticmethod
    def _next_value(lines: list[tuple[int, str]], position: int) -> str:
        if position < len(lines) and lines[position][1].lower() not in _SUMMARY:
            return lines[position][1]
        return ""

    def _summary(
        self, draft: Draft, label: str, value: str, lines: list[tuple[int, str]], position: int
    ) -> int:
        """Take one row of the summary; return how many more lines it took."""
        value = self._source.wire(value)
        if label in {"request url", "url"}:
            draft.url = value
        elif label in {"request method", "method"}:
            draft.method = value.upper()
        elif label in {"status code", "status"}:
            found = _STATUS.search(value)
            if found is not None:
                draft.status = int(found[1])
                draft.reason = re.sub(r"\s*\(from [^)]*\)\s*", "", found[2]).strip()
                draft.from_cache = "(from" in found[2]
            following = lines[position][1] if position < len(lines) else ""
            is_phrase = re.fullmatch(r"[A-Z][A-Za-z' -]{1,40}", following) is not None
            if found is not None and not draft.reason and is_phrase and following.lower() not in _SUMMARY:
                draft.reason = following
                return 1
        elif label in {"remote address", "address"}:
            draft.peer = value
        elif label == "scheme":
            self._scheme = value
        elif label == "host":
            self._host = value
        elif label == "filename":
            self._path = value
        elif label in {"version", "protocol"}:
            draft.response_version = draft.request_version = value
        return 0

    def _finish_draft(self) -> None:
        self._close()
        draft, self._draft = self._draft, None
        if draft is not None:
            if not draft.url and (self._path or self._host):
                host = self._host or (Fields(draft.sent or ()).text("host") or "")
                draft.url = target_uri(self._path or "/", host, scheme=self._scheme or "https")
            if draft.url:
                draft.method = draft.method or "GET"
                self._drafts.found.append(draft)
            else:
                self._drafts.warn("a part of the pane without a URL was skipped", line=draft.line)
        self._host = self._scheme = self._path = ""
        self._section = "general"
