"""Read the HTTP logs of the Azure SDK for Python: the logging policy and the network trace; `az --debug` too.

Source of the notation: azure/core/pipeline/policies/_universal.py, azure/storage/*/_shared/policies.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.base.python_literals import python_text
from ifmatch.capture.client_logs.lines import Conversation, moment, starts_record
from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["AZURE", "read_azure"]

AZURE: Final = re.compile(r"Request URL: 'https?://|Response status: \d{3}\s*\Z")
_URL = re.compile(r"Request URL: '([^']+)'")
_METHOD = re.compile(r"Request method: '([A-Z]+)'")
_STATUS = re.compile(r"Response status: (\d{3})\s*\Z")
_FIELD = re.compile(
    r"(?:^|\s)('[!#$%&*+.^_`|~0-9A-Za-z-]+'): ('(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\")\s*\Z"
)
_LABEL = re.compile(r"(Request headers|Response headers|Request body|Response content):\s*\Z")
_NO_BODY: Final = "No body was attached to the request"
_SAYS_NOTHING = re.compile(r"(?:Hidden body|Body contains|Body is|File upload|Body is streamable)")
_REQUEST_ID: Final = "x-ms-client-request-id"


@dataclass(slots=True)
class _Stream:
    """What one logger says; two of them may tell of the same exchange.

    Attributes:
        lines: with their 1-based number, and whether a record starts there.
        answered: line of the status of each draft, by the identity of the draft.
    """

    conversation: Conversation
    draft: Draft | None = None
    part: str = ""
    width: int = 0
    text: list[str] = field(default_factory=list[str])
    lines: list[tuple[int, str, bool]] = field(default_factory=list[tuple[int, str, bool]])
    answered: dict[int, int] = field(default_factory=dict[int, int])


def read_azure(lines: Sequence[str], drafts: Drafts) -> None:
    """Read the log of an Azure SDK.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    policy = _Stream(Conversation(Drafts(drafts.name)))
    trace = _Stream(Conversation(Drafts(drafts.name)))
    stream = policy
    for number, line in enumerate(lines, 1):
        starts = starts_record(line)
        if starts or _URL.search(line) is not None:
            stream = policy if "http_logging_policy" in line or not starts else trace
        stream.lines.append((number, line, starts))
    for one in (policy, trace):
        _read(one)
    shown = {_request_id(draft) for draft in trace.conversation.drafts.found} - {""}
    kept = [draft for draft in policy.conversation.drafts.found if _request_id(draft) not in shown]
    drafts.found.extend(sorted(trace.conversation.drafts.found + kept, key=lambda draft: draft.line or 0))


def _read(stream: _Stream) -> None:
    asked = sum(_URL.search(line) is not None for _, line, _ in stream.lines)
    told = sum(_STATUS.search(line) is not None for _, line, _ in stream.lines)
    stream.conversation.lost = max(0, asked - told)
    for number, line, starts in stream.lines:
        _line(stream, number, line, starts=starts)
    _end_content(stream)
    found = stream.conversation.drafts.found
    found[:] = _once(found, stream.answered)


def _once(drafts: list[Draft], answered: dict[int, int]) -> list[Draft]:
    """Drop what is told twice: without a format the two loggers look alike, and both tell of each request.

    A repetition of the SDK has the id of the first attempt too, but begins when that is over.
    """
    kept: list[Draft] = []
    for draft in drafts:
        name = _request_id(draft)
        twin = next((one for one in reversed(kept) if name and _request_id(one) == name), None)
        if twin is None or (draft.line or 0) > answered.get(id(twin), 0):
            kept.append(draft)
            continue
        if _hidden(draft.sent) < _hidden(twin.sent):
            twin.sent, twin.url = draft.sent, draft.url
        if _hidden(draft.received) < _hidden(twin.received):
            twin.received = draft.received
        if twin.content is UNKNOWN:
            twin.content = draft.content
        if twin.received_content is UNKNOWN:
            twin.received_content = draft.received_content
    return kept


def _hidden(pairs: list[tuple[str, str]] | None) -> int:
    return sum(value == "REDACTED" for _, value in pairs) if pairs is not None else 1_000_000


def _request_id(draft: Draft) -> str:
    return next((value for name, value in draft.sent or () if name.lower() == _REQUEST_ID), "")


def _line(stream: _Stream, number: int, line: str, *, starts: bool) -> None:
    draft = stream.draft
    at = moment(line)
    if (url := _URL.search(line)) is not None:
        _end_content(stream)
        stream.draft = Draft(url=url[1], line=number)
        if at is not None:
            stream.draft.started, stream.draft.resolution = at
        stream.conversation.request(stream.draft)
    elif (status := _STATUS.search(line)) is not None:
        _end_content(stream)
        stream.draft = stream.conversation.answered(number)
        stream.draft.status = int(status[1])
        stream.answered[id(stream.draft)] = number
        if at is not None and stream.draft.started is not None:
            stream.draft.duration = max(0.0, at[0] - stream.draft.started)
    elif draft is None:
        return
    elif (method := _METHOD.search(line)) is not None:
        draft.method = method[1]
    elif (label := _LABEL.search(line)) is not None:
        _end_content(stream)
        stream.part, stream.width = label[1], label.start()
    elif stream.part.endswith("headers") and (found := _FIELD.search(line)) is not None:
        add = draft.add_sent if stream.part.startswith("Request") else draft.add_received
        add(python_text(found[1]), python_text(found[2]))
    elif line.strip() == _NO_BODY:
        draft.content = None
    elif stream.part in {"Request body", "Response content"}:
        _content_line(stream, line, starts=starts)


def _content_line(stream: _Stream, line: str, *, starts: bool) -> None:
    if not starts:
        stream.text.append(line)
        return
    # The first line stands behind a prefix as long as that of the label; later ones have none.
    if stream.text or _SAYS_NOTHING.search(line) is not None:
        _end_content(stream)
    else:
        stream.text.append(line[stream.width :])


def _end_content(stream: _Stream) -> None:
    """Keep the content that was logged; a note that it is hidden says nothing."""
    text, part = "\n".join(stream.text).strip("\n"), stream.part
    stream.text, stream.part = [], ""
    if stream.draft is None or not text or _SAYS_NOTHING.match(text) is not None:
        return
    if part == "Request body":
        stream.draft.content = Content.from_text(text)
    elif part == "Response content":
        stream.draft.received_content = Content.from_text(text)
