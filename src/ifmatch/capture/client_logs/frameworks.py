"""Read logs that name each part of a message: of ASP.NET's HttpLogging, Faraday, rest-client, resty.

Source of the notations: Microsoft.AspNetCore.HttpLogging, lib/faraday/logging/formatter.rb of Faraday 2,
lib/restclient/request.rb of rest-client 2, middleware.go of go-resty 2.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft
from ifmatch.capture.base.python_literals import python_text
from ifmatch.capture.client_logs.lines import Conversation, moment
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.capture.base.drafts import Drafts

__all__ = [
    "ASPNET", "FARADAY", "RESTY", "REST_CLIENT", "read_aspnet", "read_faraday", "read_rest_client",
    "read_resty",
]  # fmt: skip

ASPNET: Final = re.compile(r"AspNetCore\.HttpLogging\.HttpLoggingMiddleware")
FARADAY: Final = re.compile(r"\b(?:request: [A-Z]{3,9} https?://|response: Status \d{3}\b)")
REST_CLIENT: Final = re.compile(r"^\s*RestClient\.(?:get|head|put|post|patch|delete|options) \"https?://")
_REST_CLIENT_REQUEST = re.compile(r"^\s*RestClient\.([a-z]{3,8}) \"(https?://[^\"\s]+)\"(.*)$")
_REST_CLIENT_STATUS = re.compile(r"^\s*# => (\d{3}) (\w*)")
_RUBY_STRING = r"\"(?:[^\"\\]|\\.)*+\""
_RUBY_PAIR = re.compile(rf"({_RUBY_STRING})=>({_RUBY_STRING})")
_RUBY_CONTENT = re.compile(rf", ({_RUBY_STRING})(?!=>)")
RESTY: Final = re.compile(r"~~~ (?:REQUEST|RESPONSE)(?:\(CURL\))? ~~~")
_NAMED = re.compile(r"\s*([\w-]{1,80})\s*: ?(.*?)\s*\Z")
_PART = re.compile(r"\s*(?:info: \S+ )?(Request|Response):\s*\Z")
_ASPNET_OWN: Final = frozenset(
    {"protocol", "method", "scheme", "pathbase", "path", "querystring", "statuscode", "duration"}
)
_FARADAY_REQUEST = re.compile(r"\brequest: ([A-Z]{3,9}) (https?://\S+)")
_FARADAY_STATUS = re.compile(r"\bresponse: Status (\d{3})\b")
_FARADAY_PART = re.compile(r"\b(request|response): (.*)")
_FARADAY_FIELD = re.compile(r"([A-Za-z][\w-]{0,80}): (\"(?:[^\"\\]|\\.)*+\")\s*\Z")
_RESTY_PART = re.compile(r"~~~ (REQUEST|RESPONSE) ~~~")
_RESTY_LINE = re.compile(r"([A-Z]{3,9}) {1,3}(\S+) {1,3}HTTP/\d")
_RESTY_END = re.compile(r"[=-]{40,}\s*\Z")


def read_aspnet(lines: Sequence[str], drafts: Drafts) -> None:
    """Read what the HTTP logging of ASP.NET Core says of requests and answers.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    conversation = Conversation(drafts)
    said: dict[str, str] = {}
    fields: list[tuple[str, str]] = []
    part, start = "", 0
    at: tuple[float, float] | None = None

    def close() -> None:
        if part == "Request" and said.get("method"):
            url = f"{said.get('pathbase', '')}{said.get('path', '/')}{said.get('querystring', '')}"
            host = next((value for name, value in fields if name.lower() == "host"), "")
            draft = Draft(method=said["method"], url=url, line=start, sent_complete=False)
            if host:
                draft.url = f"{said.get('scheme') or 'http'}://{host}{url}"
            draft.sent = list(fields)
            if at is not None:
                draft.started, draft.resolution = at
            conversation.request(draft)
        elif part == "Response" and said.get("statuscode", "").isdigit():
            draft = conversation.answered(start)
            draft.status, draft.received = int(said["statuscode"]), list(fields)

    for number, line in enumerate(lines, 1):
        found = _PART.match(line)
        named = _NAMED.match(line) if part and line[:1] in {" ", "\t"} else None
        if found is not None or (part and named is None and line.strip()):
            close()
            said, fields = {}, []
            part, start = (found[1] if found is not None else ""), number
        elif named is not None:
            lowered = named[1].lower()
            if lowered in _ASPNET_OWN:
                said.setdefault(lowered, named[2])
            else:
                fields.append((named[1], named[2]))
        at = moment(line) or at
    close()


def read_faraday(lines: Sequence[str], drafts: Drafts) -> None:
    """Read the logger of Faraday.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    conversation = Conversation(drafts)
    draft: Draft | None = None
    part = ""
    for number, line in enumerate(lines, 1):
        section = _FARADAY_PART.search(line)
        if (request := _FARADAY_REQUEST.search(line)) is not None:
            draft = conversation.request(Draft(method=request[1], url=request[2], line=number, framed=False))
            at = moment(line.partition("[")[2])
            draft.started, draft.resolution = at if at is not None else (None, 1.0)
            part = "request"
        elif (status := _FARADAY_STATUS.search(line)) is not None:
            draft = conversation.answered(number)
            draft.status, part = int(status[1]), "response"
        elif draft is not None and part:
            part = section[1] if section is not None else part
            text = section[2] if section is not None else line
            field = _FARADAY_FIELD.match(text.strip())
            if field is not None:
                value = _string(field[2])
                (draft.add_sent if part == "request" else draft.add_received)(field[1], value)
            elif section is not None and text:
                _content(draft, part, text)
                part = ""
            elif text.strip():
                # Something else stands before the fields; what they are is not known.
                draft.sent_complete = draft.received_complete = False


def read_rest_client(lines: Sequence[str], drafts: Drafts) -> None:
    """Read the log of rest-client: fields and content that were sent, the status that came back.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    conversation = Conversation(drafts)
    for number, line in enumerate(lines, 1):
        if (request := _REST_CLIENT_REQUEST.match(line)) is not None:
            draft = Draft(request[1].upper(), request[2], line=number, received_complete=False, framed=False)
            draft.sent = [
                (python_text(name), python_text(said)) for name, said in _RUBY_PAIR.findall(request[3])
            ]
            if (content := _RUBY_CONTENT.match(request[3])) is not None:
                draft.content = Content.from_text(python_text(content[1]))
            conversation.request(draft)
        elif (status := _REST_CLIENT_STATUS.match(line)) is not None:
            conversation.answered(number).status = int(status[1])


def read_resty(lines: Sequence[str], drafts: Drafts) -> None:
    """Read what resty prints with `SetDebug(true)`.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    conversation = Conversation(drafts)
    draft = Draft()
    part = section = path = ""
    body: list[str] = []
    for number, line in enumerate(lines, 1):
        found = _RESTY_PART.search(line)
        named = _NAMED.match(line) if section != "body" else None
        if found is not None or _RESTY_END.match(line):
            if body:
                _content(draft, part, "\n".join(body))
            body, section = [], ""
            part = found[1].lower() if found is not None else ""
            draft = conversation.answered(number) if part == "response" else draft
        elif part == "request" and (start := _RESTY_LINE.match(line)) is not None:
            draft = conversation.request(Draft(method=start[1], line=number, framed=False))
            path = start[2]
        elif not part:
            continue
        elif section == "body":
            body.append(line)
        elif named is not None and line[:1] in {" ", "\t"}:
            (draft.add_sent if part == "request" else draft.add_received)(named[1], named[2])
        elif named is not None and named[1] == "HOST":
            draft.url = f"https://{named[2]}{path}"
        elif named is not None and named[1] == "STATUS":
            draft.status = int(named[2][:3]) if named[2][:3].isdigit() else 0
        elif named is not None and named[1] == "BODY":
            section = "body"


def _content(draft: Draft, part: str, text: str) -> None:
    if text.strip() in {"***** NO CONTENT *****", ""}:
        return
    if part == "request":
        draft.content = Content.from_text(text)
    else:
        draft.received_content = Content.from_text(text)


def _string(literal: str) -> str:
    try:
        value: object = json.loads(literal)
    except ValueError:
        return literal[1:-1]
    return value if isinstance(value, str) else literal
