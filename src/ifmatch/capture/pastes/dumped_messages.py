"""Make exchanges of messages that a log holds whole: a request and its answer, each in a block of lines."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field

from ifmatch.capture.base.drafts import Draft
from ifmatch.capture.pastes.http_messages import read_http_messages
from ifmatch.errors import InputError

__all__ = ["Block", "draft_of"]


@dataclass(slots=True)
class Block:
    """One message.

    Attributes:
        is_request: what it is.
        key: what it shares with the message that belongs to it.
        line: 1-based.
        lines: as they were on the wire, the start line first.
        url: when the log names it beside the message.
        at: time and the seconds of one tick.
    """

    is_request: bool
    key: str
    line: int
    lines: list[str] = field(default_factory=list[str])
    url: str = ""
    at: tuple[float, float] | None = None


def draft_of(request: Block | None, response: Block | None) -> Draft | None:
    """Return the exchange of a request and its answer, None when neither is one.

    Args:
        request: None when only the answer is known.
        response: None when there is none.
    """
    parts = [block.lines for block in (request, response) if block is not None]
    text = "\n\n".join("\n".join(part) for part in parts)
    first = request or response
    try:
        read = read_http_messages(io.BytesIO(text.encode("utf-8", "surrogatepass")), "")
    except InputError:
        return None
    if first is None or len(read.exchanges) != 1 or read.torn:
        # Several in one place: lines between them are missing.
        return None
    exchange = read.exchanges[0]
    draft = Draft(
        method=exchange.request.method, url=exchange.request.url, sent=list(exchange.request.fields) or None
    )
    draft.content = exchange.request.content
    draft.sent_complete = exchange.request.fields.complete
    draft.line = first.line
    draft.request_version = exchange.request.version
    answer = exchange.response
    if answer is not None:
        draft.status, draft.reason, draft.response_version = answer.status, answer.reason, answer.version
        draft.received, draft.received_content = list(answer.fields) or None, answer.content
    url = next((block.url for block in (request, response) if block is not None and block.url), "")
    draft.url = url or _secure(draft.url)
    if first.at is not None and request is not None:
        draft.started, draft.resolution = first.at
        if response is not None and response.at is not None:
            draft.duration = max(0.0, response.at[0] - first.at[0])
    return draft


def _secure(url: str) -> str:
    """Take https for a host without a port: the dumps name no scheme, and these programs use https."""
    host = url.removeprefix("http://").partition("/")[0]
    plain = ":" in host or host == "localhost" or re.fullmatch(r"[\d.]+", host) is not None
    return url if plain or not url.startswith("http://") else "https://" + url.removeprefix("http://")
