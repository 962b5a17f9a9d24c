"""Read requests and responses as people paste them into a ticket, a mail or a file.

A message starts with its request line or status line and goes on until the next start: Content-Length is no
guide, because pasted content is re-indented and cut. See docs/decisions/017-paste-damage.md and
018-content-of-text-captures.md. Source of the format: RFC 9112 sections 2 to 6.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ifmatch.capture.base.captured_content import ReadContent, from_display, json_length
from ifmatch.capture.base.clock import date_seconds, keep_monotone
from ifmatch.capture.base.decoding_clients import withheld_by_client
from ifmatch.capture.base.target_uri import target_uri
from ifmatch.capture.commands.request_commands import is_request_command, read_request_command
from ifmatch.capture.pastes.message_wrappings import unpacked
from ifmatch.capture.texts.field_lines import (
    FIELD_LINE,
    html_escaped,
    of_two_heads,
    parse_field_lines,
    unescaped,
    unwrapped,
)
from ifmatch.capture.texts.pasted_lines import (
    CUT,
    DROPPED,
    StartLine,
    asks_below,
    is_comment,
    is_label,
    is_separator,
    start_line,
    without_direction,
    without_double_spacing,
)
from ifmatch.capture.texts.text_source import TextSource, read_text
from ifmatch.errors import InputError
from ifmatch.model.exchange import Capture, CaptureWarning, Exchange, Provenance
from ifmatch.model.message import Content, Fields, Request, Response
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from ifmatch.capture.commands.curl_prompt import CurlPrompt

_EMBEDDING = re.compile(r"(?:multipart/|message/http|application/http)", re.IGNORECASE)
_BOUNDARY = re.compile(r"boundary=\"?([^\";, ]{1,70})", re.IGNORECASE)
_CONDITIONS = frozenset({"if-match", "if-none-match", "if-unmodified-since"})
_BODY_HEADING = re.compile(r"(?:(?:request|response) )?(?:body|content):[ \t]*\Z", re.IGNORECASE)
_FILE_REFERENCE = re.compile(r"<[@>]? \.{0,2}/?[\w./ -]{1,200}\Z")


@dataclass(slots=True)
class _Message:
    """A message while it is read: line numbers are 1-based."""

    line: int
    start: StartLine
    prompt: CurlPrompt | None = None
    head: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    body: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    until: str = ""
    lost_blank: int = 0
    is_wrapped: bool = False
    is_cut: bool = False

    @property
    def is_request(self) -> bool:
        return self.start.status == 0

    def count_from(self, numbers: Sequence[int]) -> None:
        """Take the lines' numbers in the source for those in the prepared text."""
        self.line = numbers[self.line - 1]
        self.lost_blank = numbers[self.lost_blank - 1] if self.lost_blank else 0
        self.head = [(numbers[number - 1], text) for number, text in self.head]


def read_http_messages(stream: BinaryIO, name: str) -> Capture:
    """Read pasted requests and responses.

    Args:
        stream: binary stream at the start of the text.
        name: name of the source as the user gave it.

    Returns:
        One exchange a request; a request without a response has `response` None, a response without a
        request has a request with method and URL "" and nothing known of its fields.

    Raises:
        InputError: no line of the text starts a message.
    """
    source = read_text(stream, name)
    numbers, lines, doubled = _prepared(source.lines)
    messages = _Splitter(lines, escaped=html_escaped(source.lines)).messages()
    if not messages:
        raise InputError(
            "no request line and no status line is in this text",
            source=name,
            expected="lines such as `PUT /x HTTP/1.1` and `HTTP/1.1 412 Precondition Failed`",
            advice="Paste the request and the response with their header fields",
        )
    builder = _Builder(source)
    if doubled:
        builder.warn("a blank line behind every line was dropped", None, 1)
    for message in messages:
        message.count_from(numbers)
    exchanges = builder.exchanges(_pairs(messages))
    return Capture(name, "http-messages", tuple(exchanges), tuple(builder.warnings), torn=builder.torn)


def _prepared(lines: Sequence[str | None]) -> tuple[list[int], list[str | None], bool]:
    """Return where each line stands in the source, the lines, and whether blank ones were dropped."""
    unwrapped_lines = unpacked(lines)
    directed = without_direction([line for _, line in unwrapped_lines])
    kept, doubled = without_double_spacing(directed)
    return [number for number, _ in unwrapped_lines], kept, doubled


class _Splitter:
    """Split lines into messages."""

    def __init__(self, lines: list[str | None], *, escaped: bool) -> None:
        self._lines = lines
        self._commands = [unescaped(line) if line else line for line in lines] if escaped else lines
        self._messages: list[_Message] = []
        self._current: _Message | None = None
        self._in_head = False

    def messages(self) -> list[_Message]:
        """Return all messages in order."""
        skip_to = 0
        for index, line in enumerate(self._lines):
            if index < skip_to or line == DROPPED:
                continue
            if line is None:
                self._current = None
                continue
            if line == CUT:
                self._messages[-1].is_cut = True
                continue
            if is_request_command(line) and not self._in_head:
                prompt = read_request_command(self._commands, index)
                skip_to = prompt.last_line
                start = StartLine(method=prompt.method or "GET", bare=True)
                self._begin(_Message(index + 1, start, prompt))
                self._current = None
                continue
            if not self._in_head and self._messages and asks_below(self._lines, index):
                self._begin(_Message(index + 1, StartLine(bare=True)))
                continue
            self._line(line, index + 1)
        return self._messages

    def _begin(self, message: _Message) -> None:
        self._messages.append(message)
        self._current = message
        self._in_head = True

    def _line(self, line: str, number: int) -> None:
        current = self._current
        start = start_line(line) if current is None or not current.until else None
        if start is not None and self._starts_here(start):
            self._begin(_Message(number, start))
            return
        if current is None:
            return
        if current.until and line.strip().startswith(current.until):
            current.until = ""
        if not self._in_head:
            current.body.append((number, line))
        elif not line.strip(" \t\r\u00a0"):
            # Below a heading the fields may stand apart.
            if (
                not current.head
                and not current.start.method
                and current.is_request
                and current.prompt is None
            ):
                return
            self._in_head = False
            self._embed(current)
        elif FIELD_LINE.match(line.lstrip("\u200b\ufeff")) or (
            line[0] in " \t" and current.head and line.lstrip()[:1] not in {"{", "[", "<"}
        ):
            current.head.append((number, line))
        elif is_separator(line) or is_comment(line):
            return
        elif (
            whole := unwrapped(current.head[-1][1] if current.head else "", line, self._after(number))
        ) is not None:
            current.head[-1] = (current.head[-1][0], whole)
            current.is_wrapped = True
        else:
            self._in_head = False
            current.lost_blank = number
            current.body.append((number, line))

    def _after(self, number: int) -> str | None:
        """Return the line below the one with this 1-based number, None at the end."""
        return self._lines[number] if number < len(self._lines) else None

    def _starts_here(self, start: StartLine) -> bool:
        """Tell whether a start line without version stands where a message can start."""
        if not start.bare:
            return True
        current = self._current
        before = self._messages[-1] if self._messages else None
        if start.status:
            # `412 Precondition Failed` in an error page is content, behind a request it is the answer.
            return before is not None and before.is_request
        previous = current.body[-1][1] if current is not None and current.body else ""
        return current is None or (
            not self._in_head and (not previous.strip() or is_separator(previous) or is_comment(previous))
        )

    @staticmethod
    def _embed(message: _Message) -> None:
        """Keep start lines inside multipart content from starting a message."""
        for _, text in message.head:
            name, _, value = text.partition(":")
            if name.strip().lower() == "content-type" and _EMBEDDING.search(value):
                boundary = _BOUNDARY.search(value)
                message.until = f"--{boundary.group(1)}--" if boundary is not None else ""


def _pairs(messages: list[_Message]) -> list[tuple[_Message | None, _Message | None]]:
    """Put requests and responses together."""
    # A response may be interim (RFC 9110 section 15.2): another one of the same request follows.
    kept = [
        message
        for message, following in zip(messages, [*messages[1:], None], strict=True)
        if not (100 <= message.start.status < 200 and following is not None and not following.is_request)
    ]
    requests = [message for message in kept if message.is_request]
    split = len(requests)
    if 1 < split == len(kept) - split and all(message.is_request for message in kept[:split]):
        # All requests first, then all responses.
        return list(zip(requests, kept[split:], strict=True))
    if _is_answer_first(kept):
        return [(kept[1], kept[0])]
    pairs: list[tuple[_Message | None, _Message | None]] = []
    waiting: _Message | None = None
    for message in kept:
        if message.is_request:
            if waiting is not None and _is_repeated(waiting, message):
                continue
            if waiting is not None and not (waiting.prompt is not None and _same_request(waiting, message)):
                pairs.append((waiting, None))
            if waiting is not None and waiting.prompt is not None and _same_request(waiting, message):
                message.prompt = waiting.prompt
            waiting = message
        else:
            pairs.append((waiting, message))
            waiting = None
    if waiting is not None:
        pairs.append((waiting, None))
    return pairs


def _holds_together(message: _Message, fields: Fields, *, has_content: bool) -> bool:
    """Tell whether a head can be whole: text that was torn out of a log leaves one that cannot.

    HTTP/1.1 has a Host field on each request (RFC 9112 section 3.2), and content of a request is announced
    (section 6.3).
    """
    start = message.start
    as_sent = start.version == "HTTP/1.1" and start.target.startswith("/") and message.prompt is None
    if not message.is_request or not as_sent:
        # Absolute targets stand in logs, which leave out what HTTP needs below them.
        return True
    if "host" not in fields:
        return False
    announced = "content-length" in fields or "transfer-encoding" in fields
    return announced or not has_content


def _is_answer_first(messages: list[_Message]) -> bool:
    """Tell whether a refusal stands above its request, as in the panes of developer tools."""
    if len(messages) != 2 or messages[0].is_request or not messages[1].is_request:
        return False
    names = {text.partition(":")[0].strip().lower() for _, text in messages[1].head}
    return messages[0].start.status == 412 and bool(names & _CONDITIONS) and messages[1].prompt is None


def _is_repeated(request: _Message, message: _Message) -> bool:
    """Tell whether a tool names the request again above its answer, without its fields."""
    return (
        request.prompt is None
        and bool(request.head)
        and message.start.bare
        and not message.head
        and message.prompt is None
        and (message.start.method, message.start.target) == (request.start.method, request.start.target)
    )


def _same_request(command: _Message, message: _Message) -> bool:
    return (
        command.start.target == "" and command.start.method == message.start.method and message.prompt is None
    )


class _Builder:
    """Make exchanges of message pairs."""

    def __init__(self, source: TextSource) -> None:
        self.warnings: list[CaptureWarning] = list(source.warnings)
        self.torn = False
        self._source = source
        self._escaped = html_escaped(source.lines)

    def warn(self, text: str, entry: int | None, line: int) -> None:
        """Keep a warning."""
        self.warnings.append(CaptureWarning(text, entry=entry, line=line))

    def exchanges(self, pairs: list[tuple[_Message | None, _Message | None]]) -> list[Exchange]:
        """Return an exchange for each pair."""
        built: list[Exchange] = []
        for entry, (sent, received) in enumerate(pairs):
            response = self._response(received, entry) if received is not None else None
            request = self._request(sent, response, entry)
            if response is not None and (hidden := withheld_by_client(request.fields, response.fields)):
                fields = Fields(response.fields.pairs, withheld=hidden, complete=response.fields.complete)
                response = replace(response, fields=fields)
            line = sent.line if sent is not None else received.line if received is not None else None
            built.append(Exchange(Provenance(self._source.name, entry, line), request, response))
        dates = [date_seconds(e.response.fields) if e.response is not None else None for e in built]
        return [
            Exchange(e.provenance, e.request, e.response, started, resolution=1.0)
            for e, started in zip(built, keep_monotone(dates), strict=True)
        ]

    def _head(self, message: _Message, entry: int) -> Fields:
        pairs, warnings = parse_field_lines(message.head, self._source, entry=entry, escaped=self._escaped)
        self.warnings.extend(warnings)
        if message.is_wrapped:
            self.warn("lines of the head that a mail program wrapped were joined", entry, message.line)
        if message.lost_blank:
            self.warn("the blank line between head and content is missing", entry, message.lost_blank)
        # A start line alone is what a summary shows; it does not say that there were no fields.
        fields = Fields(pairs, complete=bool(pairs) and not message.is_cut)
        if of_two_heads(pairs):
            self.torn = True
            self.warn(
                "text is missing here: this head is of two messages, and is not read", entry, message.line
            )
            return Fields((), complete=False)
        holds = _holds_together(message, fields, has_content=bool(self._body_text(message).strip()))
        return fields if holds else Fields(pairs, complete=False)

    def _content(self, message: _Message, fields: Fields) -> ReadContent:
        text = self._body_text(message)
        if not text.strip():
            empty = fields.text("content-length") == "0" or message.start.status in {204, 304}
            known = empty or (message.is_request and fields.complete and "content-length" not in fields)
            known = known and "transfer-encoding" not in fields
            return ReadContent(None if known else UNKNOWN)
        if _FILE_REFERENCE.match(text.strip()):
            return ReadContent(UNKNOWN)
        return from_display(self._source.octets(text), fields)

    def _body_text(self, message: _Message) -> str:
        lines = [line.rstrip("\r") for _, line in message.body]
        while lines and (not lines[-1].strip() or is_separator(lines[-1]) or is_label(lines[-1])):
            lines.pop()
        while lines and (not lines[0].strip() or (len(lines) > 1 and _BODY_HEADING.match(lines[0]))):
            lines.pop(0)
        text = "\n".join(lines)
        if self._escaped:
            text = unescaped(text)
        length = json_length(text)
        return text[:length] if length is not None else text

    def _request(self, message: _Message | None, response: Response | None, entry: int) -> Request:
        if message is None:
            return Request("", "", Fields((), complete=False), UNKNOWN)
        if message.prompt is not None and message.prompt.repaired:
            self.warn("quotes of the command that pasting had damaged were repaired", entry, message.line)
        if not message.start.target and message.prompt is not None:
            return self._commanded(message.prompt)
        fields = self._head(message, entry)
        read = self._content(message, fields)
        content = read.content
        prompt = message.prompt
        if content is UNKNOWN and prompt is not None and isinstance(prompt.content, str):
            content = Content.from_octets(self._source.octets(prompt.content))
        if read.warning:
            self.warn(read.warning, entry, message.line)
        target = self._source.wire(message.start.target)
        host = (fields.text("host") or fields.text(":authority") or "").strip()
        url = target_uri(target, host, scheme=_scheme(host, message, fields, response))
        return Request(message.start.method, url, fields, content, message.start.version)

    def _commanded(self, prompt: CurlPrompt) -> Request:
        """Make the request of a command whose output shows the response only."""
        content = prompt.content
        wire = self._source.wire
        fields = Fields([(name, wire(value)) for name, value in prompt.fields], complete=False)
        return Request(
            prompt.method or "GET",
            wire(prompt.urls[0]) if prompt.urls else "",
            fields,
            Content.from_octets(self._source.octets(content)) if isinstance(content, str) else content,
        )

    def _response(self, message: _Message, entry: int) -> Response:
        fields = self._head(message, entry)
        read = self._content(message, fields)
        if read.warning:
            self.warn(read.warning, entry, message.line)
        start = message.start
        reason = self._source.wire(start.reason)
        location = fields.text("location") or ""
        return Response(start.status, reason, fields, read.content, start.version, location)


def _scheme(host: str, message: _Message, fields: Fields, response: Response | None) -> str:
    """Guess the scheme: docs/decisions/018-content-of-text-captures.md."""
    if message.prompt is not None and "".join(message.prompt.urls[:1]).startswith("https:"):
        return "https"
    said = fields.text(":scheme")
    if said in {"http", "https"}:
        return said
    if host.endswith(":443") or message.start.version in {"HTTP/2", "HTTP/2.0", "HTTP/3"}:
        return "https"
    if response is not None and "strict-transport-security" in response.fields:
        return "https"
    places = [fields.text("origin"), fields.text("referer")]
    if response is not None:
        places += [response.fields.text("location"), response.fields.text("content-location")]
    secure = f"https://{host}".lower()
    return (
        "https" if any(place is not None and place.lower().startswith(secure) for place in places) else "http"
    )
