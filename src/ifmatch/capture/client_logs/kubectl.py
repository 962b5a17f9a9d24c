"""Read what kubectl logs from -v=6 on: method, URL, status; with -v=8 fields, with -v=9 a curl command.

Source of the notation: k8s.io/client-go/transport/round_trippers.go and rest/request.go, 1.10 to 1.35.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.client_logs.lines import Conversation, moment, year_of
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["KUBECTL", "read_kubectl"]

_METHODS: Final = "GET|HEAD|PUT|POST|PATCH|DELETE|OPTIONS"
KUBECTL: Final = re.compile(
    rf"[IWE]\d{{4}} \d\d:\d\d:\d\d\.\d{{1,6}}\s+\d+ [\w.]+:\d+\] "
    rf"(?:(?:{_METHODS}) https?://|curl (?:-k )?-v -X|Response Status: |\"(?:Request|Response)\" )"
)
_KLOG = re.compile(r"[IWEF]\d{4} \d\d:\d\d:\d\d\.\d{1,6}\s+\d+ [\w.]+:\d+\] ?")
_REQUEST = re.compile(
    rf"({_METHODS}) (https?://\S+)(?: (\d{{3}})(?: ([A-Za-z ]+?))? in (\d+) milliseconds)?\s*\Z"
)
_CURL = re.compile(rf"curl (?:-k )?-v -X({_METHODS}) (.*) '(https?://[^']+)'\s*\Z")
# From 1.33 on, -v=9 shows the request as nothing but this command.
_NEW_CURL = re.compile(r'"Request" curlCommand=(<\n.*|".*)', re.DOTALL)
_CURL_FIELD = re.compile(r'-H ("(?:[^"\\]|\\.)*+")')
_STATUS = re.compile(r"Response Status: (\d{3})(?: ([A-Za-z ]+?))? in (\d+) milliseconds")
_FIELD = re.compile(r"    ([!#$%&'*+.^_`|~0-9A-Za-z-]+): (.*)")
_BODY = re.compile(r"\"?(Request|Response) Body\"?(?:: | body=)(.*)", re.DOTALL)
# From 1.33 on the log is structured.
_NEW_REQUEST = re.compile(rf'"Request" verb="({_METHODS})" url="([^"]+)"')
_NEW_RESPONSE = re.compile(r'"Response" (?:verb="[A-Z]+" url="[^"]*" )?status="(\d{3})(?: ([^"]*))?"')
_NEW_FIELDS = re.compile(r" headers=<\Z")
_MILLISECONDS = re.compile(r"milliseconds=(\d+)")


def read_kubectl(lines: Sequence[str], drafts: Drafts) -> None:
    """Read the log of kubectl.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    reader = _Kubectl(Conversation(drafts), year_of(lines))
    for number, text in _records(lines):
        reader.record(number, text)
    drafts.found[:] = [draft for draft in drafts.found if draft.method]


def _records(lines: Sequence[str]) -> list[tuple[int, str]]:
    """Return each record with the lines below it that belong to it."""
    records: list[tuple[int, str]] = []
    taken: list[str] = []
    start = 0
    for number, line in enumerate(lines, 1):
        if _KLOG.match(line) is not None:
            if taken:
                records.append((start, "\n".join(taken)))
            taken, start = [line], number
        elif taken and line[:1] in {"\t", " "}:
            taken.append(line)
        elif taken:
            records.append((start, "\n".join(taken)))
            taken = []
    if taken:
        records.append((start, "\n".join(taken)))
    return records


def _unquoted(text: str) -> str:
    """Return a value as klog writes it: quoted as in Go, or in lines between `<` and `>`."""
    text = text.strip()
    if text.startswith("<\n"):
        lines = text[2:].removesuffix(">").rstrip(" \n").split("\n")
        return "\n".join(line.removeprefix("\t") for line in lines)
    if text[:1] == '"':
        try:
            value, _ = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError):
            return text.strip('"')
        return value if isinstance(value, str) else text
    return text


class _Kubectl:
    """Put the records together."""

    def __init__(self, conversation: Conversation, year: int | None) -> None:
        self._conversation = conversation
        self._year = year
        self._draft: Draft | None = None
        self._body: str | None = None
        self._part = ""

    def record(self, number: int, text: str) -> None:
        head = _KLOG.match(text)
        message = text[head.end() :] if head is not None else text
        at = moment(text, self._year)
        if (body := _BODY.match(message)) is not None:
            self._content(body[1], _unquoted(body[2]))
        elif (request := _REQUEST.match(message)) is not None:
            self._request(number, request, at)
        elif (command := _CURL.match(message)) is not None:
            self._command(number, command, at)
        elif (shown := _NEW_CURL.match(message)) is not None:
            if (command := _CURL.match(_unquoted(shown[1]).strip())) is not None:
                self._command(number, command, at)
        elif (new := _NEW_REQUEST.match(message)) is not None:
            self._begin(number, new[1], new[2], at)
            self._fields(message, sent=True)
        elif (answer := _STATUS.match(message) or _NEW_RESPONSE.match(message)) is not None:
            self._status(number, answer, message)
        elif message.startswith(("Request Headers:", "Response Headers:")):
            self._part = message[:8].strip()
        elif (field := _FIELD.match(message)) is not None and self._draft is not None:
            add = self._draft.add_sent if self._part == "Request" else self._draft.add_received
            add(field[1], field[2])

    def _begin(self, number: int, method: str, url: str, at: tuple[float, float] | None) -> Draft:
        draft = Draft(method=method, url=url, line=number)
        if at is not None:
            draft.started, draft.resolution = at
        if self._body is not None:
            draft.content = Content.from_text(self._body) if self._body else None
        self._body = None
        self._draft = self._conversation.request(draft)
        return draft

    def _command(self, number: int, found: re.Match[str], at: tuple[float, float] | None) -> None:
        draft = self._begin(number, found[1], found[3], at)
        for quoted in _CURL_FIELD.findall(found[2]):
            name, _, value = _unquoted(quoted).partition(": ")
            draft.add_sent(name, value)

    def _request(self, number: int, found: re.Match[str], at: tuple[float, float] | None) -> None:
        if not found[3]:
            self._begin(number, found[1], found[2], at)
            return
        # With -v=6 and -v=9 this line comes when the answer is there.
        draft = self._draft
        if draft is None or (draft.method, draft.url, draft.status) != (found[1], found[2], 0):
            draft = self._begin(number, found[1], found[2], None)
            if at is not None:
                draft.started, draft.resolution = at[0] - int(found[5]) / 1000, at[1]
        self._answered(draft, found[3], found[4], found[5])

    def _status(self, number: int, found: re.Match[str], message: str) -> None:
        draft = self._draft if self._draft is not None and not self._draft.status else None
        if draft is None:
            draft = self._conversation.answered(number)
        took = _MILLISECONDS.search(message) if found.lastindex is None or found.lastindex < 3 else None
        duration = took[1] if took is not None else found[3] if found.re is _STATUS else None
        self._answered(draft, found[1], found[2], duration)
        self._fields(message, sent=False)

    def _answered(self, draft: Draft, status: str, reason: str | None, milliseconds: str | None) -> None:
        draft.status, draft.reason = int(status), reason or ""
        if milliseconds is not None:
            draft.duration = int(milliseconds) / 1000
        waiting = self._conversation.waiting.get("", [])
        waiting[:] = [one for one in waiting if one is not draft]
        self._draft = draft

    def _fields(self, message: str, *, sent: bool) -> None:
        """Take the field lines that a structured record shows between `<` and `>`."""
        lines = message.split("\n")
        if self._draft is None or _NEW_FIELDS.search(lines[0]) is None:
            return
        for line in lines[1:]:
            field = _FIELD.match("    " + line.strip())
            if field is not None:
                (self._draft.add_sent if sent else self._draft.add_received)(field[1], field[2])

    def _content(self, side: str, text: str) -> None:
        if side == "Request":
            self._body = text
        elif self._draft is not None:
            self._draft.received_content = Content.from_text(text.rstrip("\n")) if text else None
