"""Read what Python's HTTP libraries log: http.client and httplib2 with debuglevel, urllib3, httpx.

Source of the notations: Lib/http/client.py, urllib3/connectionpool.py, httpcore/_trace.py, httpx/_client.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.captured_content import from_wire
from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.base.python_literals import python_pairs, python_text
from ifmatch.capture.base.target_uri import target_uri
from ifmatch.capture.client_logs.lines import Conversation, moment
from ifmatch.model.message import Fields
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["HTTPCORE", "HTTP_CLIENT", "URLLIB3", "read_http_client", "read_httpcore", "read_urllib3"]

HTTP_CLIENT: Final = re.compile(r"""(?:send: b?['"]|reply: ['"]HTTP/\d)""")
HTTPCORE: Final = re.compile(
    r"httpcore2?[.\w]*\W.{0,40}(?:send_request_headers|receive_response_headers)\.(?:started|complete)"
    r"|\bHTTP Request: [A-Z]{2,20} \S+ \"HTTP/\d"
)
URLLIB3: Final = re.compile(
    r"(https?)://([^\s/\"]+)(?::None)? \"([A-Z]{2,20}) (\S+) HTTP/\d(?:\.\d)?\" (\d{3})(?: (\d+|None))?"
)
_SEND = re.compile(r"send: (b?(?:'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\"))")
_SEND_OTHER = re.compile(r"(?:send: <|sendIng a |sending a readable)")
_REPLY = re.compile(r"""reply: ['"](HTTP/\d(?:\.\d)?) (\d{3})(?: ([^\r\\'"]*))?""")
_NO_REPLY = re.compile(r"""\breply: (?:''|"")\s*\Z""")
_THREAD = re.compile(r"(\d{1,20}) (?=(?:send|reply|header|connect|sendIng)\b)")
_HEADER = re.compile(r"header: ([!#$%&'*+.^_`|~0-9A-Za-z-]+):? ?(.*)")
_CONNECT = re.compile(r"connect: \(['\"]?([^'\",]+)['\"]?, (\d+)\)")
_NEW_CONNECTION = re.compile(r"Starting new (HTTPS?) connection \(\d+\): (\S+)")
_HEAD = re.compile(r"([A-Z][A-Z_-]{1,30}) (\S+) (HTTP/\d(?:\.\d)?)\r\n")
_SENDING = re.compile(r"send_request_headers\.started request=<Request \[b'([A-Z]+)'\]>")
_ANSWER = re.compile(r"receive_response_headers\.complete return_value=\((.*)\)\s*\Z", re.DOTALL)
_ANSWER_HEAD = re.compile(r"(?:b'(HTTP/[\d.]+)', )?(\d{3}), (?:b'([^']*)', )?")
_REQUEST_LINE = re.compile(r"HTTP Request: ([A-Z]{2,20}) (\S+) \"(HTTP/\d(?:\.\d)?) (\d{3})(?: ([^\"]*))?\"")


def read_http_client(lines: Sequence[str], drafts: Drafts) -> None:
    """Read `send:`, `reply:` and `header:` lines, as http.client and httplib2 print them.

    Args:
        lines: of the whole log; a number before the word is that of the thread, as `ifmatch explain capture
            requests` prints it.
        drafts: takes the exchanges.
    """
    schemes = _schemes(lines)
    threads: dict[str, list[tuple[int, str]]] = {}
    for number, line in enumerate(lines, 1):
        thread = _THREAD.match(line)
        threads.setdefault(thread[1] if thread is not None else "", []).append((number, line))
    for said in threads.values():
        reader = _HttpClient(Conversation(drafts, lost=_unanswered(line for _, line in said)), schemes)
        for number, line in said:
            reader.line(number, line)
        reader.close()
    if len(threads) > 1:
        drafts.found.sort(key=lambda draft: draft.line or 0)


def _unanswered(lines: Iterable[str]) -> int:
    """Return how many requests a log shows no answer for, and no line that says so."""
    requests = 0
    for line in lines:
        if (sent := _SEND.search(line)) is not None:
            requests += _HEAD.match(python_text(sent[1])) is not None
        elif (reply := _REPLY.search(line)) is not None:
            requests -= not reply[2].startswith("1") or reply[2] == "101"
        else:
            requests -= _NO_REPLY.search(line) is not None
    return max(0, requests)


def _schemes(lines: Sequence[str]) -> dict[str, str]:
    """Return the scheme of each host that the log names one for."""
    found: dict[str, str] = {}
    for line in lines:
        if (told := URLLIB3.search(line)) is not None:
            found[told[2].removesuffix(":443")] = told[1]
        elif (told := _NEW_CONNECTION.search(line)) is not None:
            found[told[2].removesuffix(":443")] = told[1].lower()
        elif (told := _CONNECT.search(line)) is not None and told[2] == "443":
            found[told[1]] = "https"
    return found


class _HttpClient:
    """Put the lines of http.client together."""

    def __init__(self, conversation: Conversation, schemes: dict[str, str]) -> None:
        self._conversation = conversation
        self._schemes = schemes
        self._sent: Draft | None = None
        self._payload = ""
        self._hidden = False
        self._answer: Draft | None = None

    def line(self, number: int, line: str) -> None:
        found = _SEND.search(line)
        if found is not None:
            self._send(number, line, python_text(found[1]))
        elif _SEND_OTHER.search(line) is not None:
            self._hidden = True
        elif _NO_REPLY.search(line) is not None:
            self._unanswered()
        elif (reply := _REPLY.search(line)) is not None:
            self.close()
            answer = self._conversation.answered(number)
            answer.status, answer.reason = int(reply[2]), (reply[3] or "").strip()
            answer.response_version = reply[1]
            if 100 <= answer.status < 200 and answer.status != 101:
                # Another answer to the same request follows (RFC 9110 section 15.2).
                answer.status = 0
                self._conversation.waiting.setdefault("", []).insert(0, answer)
                self._answer = None
                return
            answer.received = []
            at = moment(line)
            if at is not None and answer.started is not None:
                answer.duration = max(0.0, at[0] - answer.started)
            self._answer = answer
        elif "header: " in line and self._answer is not None:
            # Python 2 ends no line behind a header.
            for part in line[line.index("header: ") :].split(" header: "):
                field = _HEADER.match(part if part.startswith("header: ") else f"header: {part}")
                if field is not None:
                    self._answer.add_received(field[1], field[2].strip())

    def _unanswered(self) -> None:
        """Take that the connection was closed before a status line came."""
        self.close()
        self._answer = None
        waiting = self._conversation.waiting.get("")
        if waiting:
            waiting.pop().error = "the connection was closed before an answer came"

    def _send(self, number: int, line: str, text: str) -> None:
        head = _HEAD.match(text)
        if head is None:
            self._payload += text
            return
        self.close()
        self._answer = None
        at = moment(line)
        draft = Draft(method=head[1], request_version=head[3], line=number)
        if at is not None:
            draft.started, draft.resolution = at
        fields, _, rest = text[head.end() :].partition("\r\n\r\n")
        draft.sent = [
            (name.strip(), value.strip())
            for name, colon, value in (one.partition(":") for one in fields.split("\r\n"))
            if colon
        ]
        host = next((value for name, value in draft.sent if name.lower() == "host"), "")
        known = self._schemes
        scheme = known.get(host.removesuffix(":443")) or known.get(host.partition(":")[0]) or "http"
        draft.url = target_uri(head[2], host, scheme=scheme)
        self._sent, self._payload, self._hidden = draft, rest, False
        self._conversation.request(draft)

    def close(self) -> None:
        """Finish the content of the request that was being sent."""
        draft, self._sent = self._sent, None
        if draft is None:
            return
        if self._payload and not self._hidden:
            octets = self._payload.encode("latin-1", "replace")
            read = from_wire(octets, Fields(draft.sent or ()))
            draft.content = read.content
        elif self._hidden:
            draft.content = UNKNOWN
        self._payload, self._hidden = "", False


def read_urllib3(lines: Sequence[str], drafts: Drafts) -> None:
    """Read the lines of urllib3.connectionpool: method, URL and status, and nothing of the fields.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    for number, line in enumerate(lines, 1):
        found = URLLIB3.search(line)
        if found is None:
            continue
        scheme, host, method, target, status = found[1], found[2], found[3], found[4], int(found[5])
        draft = Draft(method=method, url=target_uri(target, host, scheme=scheme), status=status, line=number)
        at = moment(line)
        if at is not None:
            draft.started, draft.resolution = at
        drafts.found.append(draft)
    drafts.warn(
        "urllib3 logs method, URL and status only; the fields are not known. "
        "What shows them: ifmatch explain capture requests"
    )


def read_httpcore(lines: Sequence[str], drafts: Drafts) -> None:
    """Read the trace of httpcore and the request lines of httpx; the fields of requests are in neither.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    conversation = Conversation(drafts)
    traced: list[Draft] = []
    for number, line in enumerate(lines, 1):
        at = moment(line)
        if (sending := _SENDING.search(line)) is not None:
            draft = conversation.request(Draft(method=sending[1], line=number))
            if at is not None:
                draft.started, draft.resolution = at
        elif (answer := _ANSWER.search(line)) is not None:
            traced.append(_httpcore_answer(conversation, number, answer[1], at))
        elif (told := _REQUEST_LINE.search(line)) is not None:
            answered = next((one for one in traced if not one.url and one.status == int(told[4])), None)
            if answered is None:
                answered = Draft(line=number)
                drafts.found.append(answered)
                if at is not None:
                    answered.started, answered.resolution = at
            else:
                traced = [one for one in traced if one is not answered]
            answered.method, answered.url = told[1], told[2]
            answered.status, answered.reason, answered.response_version = int(told[4]), told[5] or "", told[3]
    for draft in drafts.found:
        draft.sent_complete = False
    drafts.warn(
        "httpcore and httpx log no fields of requests, so that the precondition is not known. "
        "What shows them: ifmatch explain capture httpx"
    )


def _httpcore_answer(
    conversation: Conversation, number: int, text: str, at: tuple[float, float] | None
) -> Draft:
    draft = conversation.answered(number)
    head = _ANSWER_HEAD.match(text)
    if head is not None:
        draft.response_version = head[1] or "HTTP/2"
        draft.status, draft.reason = int(head[2]), head[3] or ""
        draft.received = python_pairs(text[head.end() :])
    if at is not None and draft.started is not None:
        draft.duration = max(0.0, at[0] - draft.started)
    return draft
