"""Read what tools list of their requests: Playwright's call log, JetBrains' log, Node's http module.

Source of the notations: `APIRequestContext` of playwright-core (also `DEBUG=pw:api`),
`http-requests-log.http` of JetBrains' HTTP client, lib/_http_agent.js of Node 20 and 22 (`NODE_DEBUG=http`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft
from ifmatch.capture.base.moments import iso_moment
from ifmatch.capture.base.target_uri import target_uri
from ifmatch.capture.client_logs.lines import Conversation, moment
from ifmatch.errors import InputError
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.capture.base.drafts import Drafts

__all__ = ["JETBRAINS", "NODE_HTTP", "PLAYWRIGHT", "read_jetbrains", "read_node_http", "read_playwright_log"]

_FIELD = r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}): ?(.*?)\s*$"
_LEAD = r"^(?:[^\u2190\u2192]{0,60}pw:api ?|\s{0,12}-? {0,3})"
PLAYWRIGHT: Final = re.compile(rf"{_LEAD}\u2192 (GET|HEAD|PUT|POST|PATCH|DELETE|OPTIONS) (https?://\S+)\s*$")
_PLAYWRIGHT_ANSWER = re.compile(rf"{_LEAD}\u2190 (\d{{3}})(?: (.*?))?\s*$")
_PLAYWRIGHT_FIELD = re.compile(rf"^(?:[^\u2190\u2192]{{0,60}}pw:api {{1,4}}|\s{{1,12}}- {{1,4}}){_FIELD}")
JETBRAINS: Final = re.compile(
    r"^<> \S{0,200}?(\d{4}-\d\d-\d\d)T(\d\d)(\d\d)(\d\d)(?:-\d+)?\.(\d{3})\.\w{1,10}\s*$"
)
_REQUEST = re.compile(r"^(GET|HEAD|PUT|POST|PATCH|DELETE|OPTIONS) (\S+)(?: HTTP/\S+)?\s*$")
_PLAIN_FIELD = re.compile(rf"^{_FIELD}")
NODE_HTTP: Final = re.compile(r"^HTTP \d+: (?:createConnection|call onSocket|outgoing message end)\b")
_NODE_OPENS = re.compile(r"^HTTP (\d+): createConnection (\S+?): ")
_NODE_SENT = re.compile(r"^HTTP \d+: outgoing message end")
_NODE_MEMBER = re.compile(r"^\s{1,6}'?([\w-]+)'?: (?:'((?:[^'\\]|\\.)*)'|(\d+)),?\s*$")
_NODE_HEADERS = re.compile(r"^\s{1,6}headers: \{(.*?)(\}?),?\s*$")
_NODE_PAIR = re.compile(r"(?:'([^']{1,100})'|\b([\w-]{1,100})): (?:'((?:[^'\\]|\\.)*)'|(\d+))")
# What a script prints of its answers: `412`, `412 Precondition Failed`, `status: 412`.
_PRINTED = re.compile(
    r"^(?:[\w .]{0,30}?status(?:Code)?[ :=]{1,3})?([2-5]\d\d)(?: [A-Z][A-Za-z' -]{1,40})?\s*$"
)


def read_playwright_log(lines: Sequence[str], drafts: Drafts) -> None:
    """Read requests of Playwright's own client: an arrow to the right, one to the left, fields below each.

    Args:
        lines: of the whole text.
        drafts: takes the exchanges.
    """
    conversation = Conversation(drafts)
    draft: Draft | None = None
    received = False
    # An error repeats at its end what was logged.
    logged = any("pw:api" in line and PLAYWRIGHT.match(line) is not None for line in lines)
    for number, line in enumerate(lines, 1):
        if logged and "pw:api" not in line:
            continue
        if (sent := PLAYWRIGHT.match(line)) is not None:
            draft, received = Draft(sent[1], sent[2], line=number, received_complete=False), False
            draft.framed = False
            at = moment(line)
            draft.started, draft.resolution = at if at is not None else (None, 1.0)
            conversation.request(draft)
        elif (answer := _PLAYWRIGHT_ANSWER.match(line)) is not None:
            draft, received = conversation.answered(number), True
            draft.status, draft.reason = int(answer[1]), answer[2] or ""
        elif draft is not None and (field := _PLAYWRIGHT_FIELD.match(line)) is not None:
            (draft.add_received if received else draft.add_sent)(field[1], field[2])
        elif line.strip():
            draft = None


def read_jetbrains(lines: Sequence[str], drafts: Drafts) -> None:
    """Read the log of requests of JetBrains' client; the name of each file of an answer holds its status.

    Args:
        lines: of the whole text.
        drafts: takes the exchanges, the oldest first.
    """
    found: list[Draft] = []
    draft: Draft | None = None
    in_head = False
    body: list[str] = []
    for number, line in enumerate(lines, 1):
        if (begun := _REQUEST.match(line)) is not None and not in_head:
            draft = Draft(begun[1], begun[2], line=number, sent_complete=False, received_complete=False)
            draft.framed, in_head, body = False, True, []
        elif draft is not None and (answer := JETBRAINS.match(line)) is not None:
            text = "\n".join(body).strip()
            draft.content = Content.from_text(text) if text else draft.content
            at = iso_moment(f"{answer[1]}T{answer[2]}:{answer[3]}:{answer[4]}Z")
            draft.started, draft.resolution = at if at is not None else (None, 1.0)
            draft.status, in_head = int(answer[5]), False
            found.append(draft)
            draft = None
        elif draft is not None and in_head and (field := _PLAIN_FIELD.match(line)) is not None:
            draft.add_sent(field[1], field[2])
        elif line.startswith("###"):
            draft, in_head = None, False
        else:
            in_head = False
            body.append(line)
    # The newest stands first; within one second as well.
    found.reverse()
    found.sort(key=lambda one: one.started or 0.0)
    drafts.found.extend(found)


def read_node_http(lines: Sequence[str], drafts: Drafts) -> None:
    """Read `NODE_DEBUG=http`, which shows a request where it opens a connection, and no answer.

    A request is read only where what the script printed tells the status of each; one whose answer is not
    shown would look like one that got none.

    Args:
        lines: of the whole text.
        drafts: takes the exchanges.

    Raises:
        InputError: it does not.
    """
    found: list[Draft] = []
    in_headers = False
    sent = 0
    statuses: list[int] = []
    for number, line in enumerate(lines, 1):
        sent += _NODE_SENT.match(line) is not None
        if (opened := _NODE_OPENS.match(line)) is not None:
            draft = Draft("GET", "", line=number, sent_complete=False, received_complete=False)
            draft.framed = False
            draft.peer, in_headers = opened[2], False
            found.append(draft)
        elif (printed := _PRINTED.match(line)) is not None:
            statuses.append(int(printed[1]))
        elif found and (headers := _NODE_HEADERS.match(line)) is not None:
            _pairs(found[-1], headers[1])
            in_headers = not headers[2]
        elif found and in_headers:
            _pairs(found[-1], line)
            in_headers = line.strip() not in {"}", "},"}
        elif found and (member := _NODE_MEMBER.match(line)) is not None:
            _member(found[-1], member[1], member[2] or member[3] or "")
    if not found or len(found) != sent or len(statuses) not in {1, sent} or not all(one.url for one in found):
        raise InputError(
            "this is a log of NODE_DEBUG=http, which shows neither target nor answer",
            source=drafts.name,
            advice="Print status and headers of the answer: ifmatch explain capture fetch",
        )
    shown = found if len(statuses) == sent else found[-1:]
    for draft, status in zip(shown, statuses, strict=True):
        draft.status, draft.peer = status, ""
    drafts.found.extend(shown)


def _member(draft: Draft, name: str, value: str) -> None:
    if name == "method" and value.isupper():
        draft.method = value
    elif name == "href" or (name == "path" and value.startswith("/") and not draft.url):
        draft.url = value if name == "href" else target_uri(value, draft.peer, scheme="http")


def _pairs(draft: Draft, text: str) -> None:
    for quoted, bare, value, digits in _NODE_PAIR.findall(text):
        draft.add_sent(quoted or bare, value.replace("\\'", "'") or digits)
