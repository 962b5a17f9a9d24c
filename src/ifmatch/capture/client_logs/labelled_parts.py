"""Read logs that put a label before each part of a message: Ktor, Dio, API Gateway, Tomcat's RequestDumper.

Source of the notations: io.ktor.client.plugins.logging, `LogInterceptor` of dio 5, execution logs of Amazon
API Gateway, org.apache.catalina.filters.RequestDumperFilter.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft
from ifmatch.capture.base.target_uri import target_uri
from ifmatch.capture.client_logs.lines import Conversation, moment, starts_record
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.capture.base.drafts import Drafts

__all__ = [
    "API_GATEWAY", "DIO", "KTOR", "TOMCAT", "read_api_gateway", "read_dio", "read_ktor", "read_tomcat",
]  # fmt: skip

KTOR: Final = re.compile(r"\bMETHOD: (?:HttpMethod\(value=)?[A-Z]{3,20}\)?\s*\Z")
_KTOR_REQUEST = re.compile(r"\bREQUEST: (\S+)\s*\Z")
_KTOR_STATUS = re.compile(r"\bRESPONSE: (\d{3})(?: (.*?))?\s*\Z")
_KTOR_METHOD = re.compile(r"\bMETHOD: (?:HttpMethod\(value=)?([A-Z]{3,20})\)?\s*\Z")
_KTOR_FROM = re.compile(r"\bFROM: (\S+)\s*\Z")
_KTOR_FIELD = re.compile(r"(?:.*\s)?-> ([\w-]{1,80}): ?(.*)\Z")
_KTOR_BODY = re.compile(r"\bBODY (START|END)\s*\Z")

DIO: Final = re.compile(
    r"\*\*\* (?:Request|Response|Dio(?:Exception|Error)) ?\*\*\*|\*\*\* Dio(?:Exception|Error) \*\*\*:"
)
_FLUTTER = re.compile(r"(?:[A-Z]/)?flutter(?: ?\( ?\d+\))?: |\[log\] |\[Dio\] ")
_DIO_PART = re.compile(r"\*\*\* (Request|Response|DioException|DioError) ?\*\*\*:?\s*\Z")
_DIO_SAID = re.compile(r"(uri|method|statusCode|headers|data|Response Text):\s?(.*)\Z")
_FIELD = re.compile(r" ([\w-]{1,80}): ?(.*)\Z")

API_GATEWAY: Final = re.compile(
    r"\([0-9a-f-]{36}\) (?:HTTP Method: [A-Z]{3,10}, Resource Path: |Method completed with status: \d{3})"
)
_GATEWAY = re.compile(r"\(([0-9a-f-]{36})\) (.*)\Z")
_GATEWAY_START = re.compile(r"HTTP Method: ([A-Z]{3,10}), Resource Path: (\S+)")
_GATEWAY_FIELDS = re.compile(r"Method (request|response) headers: \{(.*)\}?\s*\Z")
_GATEWAY_QUERY = re.compile(r"Method request query string: \{(.*)\}\s*\Z")
_GATEWAY_BODY = re.compile(r"Method (request body before|response body after) transformations: ?(.*)\Z")
_GATEWAY_STATUS = re.compile(r"Method completed with status: (\d{3})")
# A value may hold a comma and a blank; what goes on with a name and a sign is the next field.
_GATEWAY_PAIR = re.compile(r"([A-Za-z][\w-]{0,80})=(.*?)(?=, [A-Za-z][\w-]{0,80}=|\Z)")
_CUT: Final = "[TRUNCATED]"

TOMCAT: Final = re.compile(r"RequestDumperFilter\S* \S+ +(?:START TIME|requestURI|END TIME) *=")
_TOMCAT = re.compile(r"RequestDumperFilter\S* (\S+) +([\w -]+?) *=(.*)\Z")
_TOMCAT_TIME = re.compile(r"(\d\d)-([A-Z][a-z]{2})-(\d{4}) (\d\d:\d\d:\d\d)(\.\d{3})?")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def read_ktor(lines: Sequence[str], drafts: Drafts) -> None:
    """Read the plugin Logging of Ktor's client.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    conversation = Conversation(drafts)
    draft: Draft | None = None
    answers = inside = False
    body: list[str] = []
    for number, line in enumerate(lines, 1):
        if (edge := _KTOR_BODY.search(line)) is not None:
            inside = edge[1] == "START"
            if not inside and draft is not None:
                _keep(draft, "\n".join(body), received=answers)
            body = []
        elif inside and not starts_record(line):
            body.append(line)
        elif (request := _KTOR_REQUEST.search(line)) is not None:
            draft, answers, inside = Draft(url=request[1], line=number, framed=False), False, False
            draft.sent = []
            _at(draft, line)
            conversation.request(draft, request[1])
        elif (status := _KTOR_STATUS.search(line)) is not None:
            draft, answers, inside = (
                Draft(status=int(status[1]), reason=status[2] or "", line=number),
                True,
                False,
            )
            draft.received = []
        elif (method := _KTOR_METHOD.search(line)) is not None and draft is not None:
            draft.method = method[1]
        elif (origin := _KTOR_FROM.search(line)) is not None and draft is not None and answers:
            whole = conversation.answered(number, origin[1])
            whole.method, whole.url = whole.method or draft.method, origin[1]
            whole.status, whole.reason, whole.received = draft.status, draft.reason, draft.received
            draft = whole
        elif (found := _KTOR_FIELD.match(line)) is not None and draft is not None:
            # Several values stand on one line, after semicolons.
            (draft.add_received if answers else draft.add_sent)(found[1], found[2])


def read_dio(lines: Sequence[str], drafts: Drafts) -> None:
    """Read the LogInterceptor of Dio.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    conversation = Conversation(drafts)
    draft: Draft | None = None
    part = member = uri = ""
    for number, line in enumerate(lines, 1):
        bare = line[found.end() :] if (found := _FLUTTER.search(line[:120])) is not None else line
        if (start := _DIO_PART.search(bare)) is not None:
            part, member, uri, draft = start[1], "", "", None
            if part == "Request":
                draft = conversation.request(Draft(line=number, sent_complete=False, framed=False))
                _at(draft, line)
        elif (said := _DIO_SAID.match(bare)) is not None and part:
            member = said[1]
            if member == "uri":
                uri = said[2].strip()
                if draft is not None and part == "Request":
                    draft.url = uri
            elif member == "method" and draft is not None:
                draft.method = said[2].strip().upper()
            elif member == "statusCode" and said[2].strip().isdigit():
                draft = conversation.answered(number)
                draft.status, draft.url = int(said[2]), draft.url or uri
            elif member == "headers" and draft is not None and part != "Request":
                draft.received = []
        elif member == "headers" and (field := _FIELD.match(bare)) is not None and draft is not None:
            (draft.add_sent if part == "Request" else draft.add_received)(field[1], field[2])


def read_api_gateway(lines: Sequence[str], drafts: Drafts) -> None:
    """Read execution logs of Amazon API Gateway, requests apart by their ids.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    known: dict[str, Draft] = {}
    for number, line in enumerate(lines, 1):
        record = _GATEWAY.search(line)
        if record is None:
            continue
        key, said = record[1], record[2]
        if (start := _GATEWAY_START.match(said)) is not None:
            draft = known[key] = Draft(start[1], start[2], line=number)
            _at(draft, line)
            drafts.found.append(draft)
        elif key in known:
            _gateway(known[key], said)
    for draft in drafts.found:
        host = next((value for name, value in draft.sent or () if name.lower() == "host"), "")
        draft.url = target_uri(draft.url, host, scheme="https")


def _gateway(draft: Draft, said: str) -> None:
    if (fields := _GATEWAY_FIELDS.match(said)) is not None:
        whole = _CUT not in fields[2]
        pairs = _GATEWAY_PAIR.findall(fields[2].removesuffix("}"))
        if fields[1] == "request":
            draft.sent, draft.sent_complete = pairs, whole
        else:
            draft.received, draft.received_complete = pairs, whole
    elif (query := _GATEWAY_QUERY.match(said)) is not None:
        draft.url += f"?{query[1].replace(', ', '&')}" if query[1] else ""
    elif (body := _GATEWAY_BODY.match(said)) is not None and _CUT not in body[2]:
        _keep(draft, body[2], received=body[1].startswith("response"))
    elif (status := _GATEWAY_STATUS.match(said)) is not None:
        draft.status = int(status[1])


def read_tomcat(lines: Sequence[str], drafts: Drafts) -> None:
    """Read what Tomcat's RequestDumperFilter says of requests, threads apart.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    known: dict[str, tuple[Draft, dict[str, str]]] = {}
    answering: set[str] = set()
    shown: Draft | None = None
    for number, line in enumerate(lines, 1):
        found = _TOMCAT.search(line)
        if found is None:
            if line.strip() and shown is not None:
                # The field in the line above goes on here: it was wrapped.
                _without_last(shown)
            shown = None
            continue
        shown = None
        thread, name, value = found[1], found[2].strip(), found[3].strip()
        if name == "START TIME":
            draft = Draft(line=number)
            draft.started, draft.resolution = _tomcat_time(line)
            known[thread] = draft, {}
            answering.discard(thread)
            drafts.found.append(draft)
        elif thread in known:
            draft, said = known[thread]
            if name.startswith("---"):
                answering.add(thread)
            elif name == "header":
                key, _, one = value.partition("=")
                (draft.add_received if thread in answering else draft.add_sent)(key, one)
                shown = draft
            elif name == "status" and value.isdigit():
                draft.status = int(value)
            elif name == "END TIME":
                _tomcat_url(draft, said)
                known.pop(thread)
            else:
                said.setdefault(name, value)
    for draft, said in known.values():
        _tomcat_url(draft, said)


def _without_last(draft: Draft) -> None:
    """Drop the field that was read last: its value is not whole."""
    if draft.received:
        draft.received.pop()
        draft.received_complete = False
    elif draft.sent:
        draft.sent.pop()
        draft.sent_complete = False


def _tomcat_url(draft: Draft, said: dict[str, str]) -> None:
    draft.method = said.get("method", "")
    query = said.get("queryString", "null")
    target = said.get("requestURI", "") + (f"?{query}" if query != "null" else "")
    host = next(
        (value for name, value in draft.sent or () if name.lower() == "host"), said.get("serverName", "")
    )
    draft.url = target_uri(target, host, scheme=said.get("scheme", "http"))


def _tomcat_time(line: str) -> tuple[float | None, float]:
    found = _TOMCAT_TIME.search(line[:120])
    if found is None or found[2] not in _MONTHS:
        return moment(line) or (None, 1.0)
    month = _MONTHS.index(found[2]) + 1
    try:
        at = datetime.fromisoformat(f"{found[3]}-{month:02}-{found[1]}T{found[4]}").replace(tzinfo=UTC)
    except ValueError:
        return None, 1.0
    return at.timestamp() + float(found[5] or 0), 0.001 if found[5] else 1.0


def _at(draft: Draft, line: str) -> None:
    at = moment(line)
    draft.started, draft.resolution = at if at is not None else (None, 1.0)


def _keep(draft: Draft, text: str, *, received: bool) -> None:
    if received:
        draft.received_content = Content.from_text(text) if text else None
    elif text:
        draft.content = Content.from_text(text)
