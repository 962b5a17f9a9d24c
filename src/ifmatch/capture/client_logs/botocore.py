"""Read the debug log of botocore (boto3, AWS CLI --debug): endpoint, parsers and the urllib3 below.

Source of the notation: botocore/endpoint.py, botocore/awsrequest.py, botocore/parsers.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.base.python_literals import python_pairs, python_text
from ifmatch.capture.client_logs.lines import Conversation, moment
from ifmatch.capture.client_logs.python import URLLIB3
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BOTOCORE", "read_botocore"]

BOTOCORE: Final = re.compile(
    r"botocore\.(?:endpoint|parsers|awsrequest)\b|Sending http request: <AWSPrepared"
)
_SENDING = re.compile(
    r"Sending http request: <AWSPreparedRequest .{0,40}?method=([A-Z]+), url=(\S+), headers=(\{.*)"
)
_PARAMETERS = re.compile(r"Making request for OperationModel\(name=(\w+)\).{0,20} with params: (.*)")
_BODY = re.compile(r"'body': (b(?:'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\")),")
_HEADERS = re.compile(r"Response headers: (\{.*)")
_RESPONSE_BODY = re.compile(r"Response body:\s*(.*)")
_OCTETS = re.compile(r"b(?:'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\")\s*\Z")
_CODE = re.compile(r"<Code>(\w{3,60})</Code>|\"(?:__type|code)\":\s*\"(?:[\w.]+#)?(\w{3,60})\"")
# What a log without urllib3 leaves to the error code.
_STATUSES: Final = {
    "PreconditionFailed": 412, "ConditionalRequestConflict": 409, "NotModified": 304, "NoSuchKey": 404,
    "NoSuchBucket": 404, "AccessDenied": 403, "ConditionalCheckFailedException": 400,
    "InvalidIfMatchVersion": 400, "SlowDown": 503, "InternalError": 500,
}  # fmt: skip


def read_botocore(lines: Sequence[str], drafts: Drafts) -> None:
    """Read the log of botocore.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    asked = sum(_SENDING.search(line) is not None for line in lines)
    told_of = max(sum(one.search(line) is not None for line in lines) for one in (URLLIB3, _HEADERS))
    reader = _Botocore(Conversation(drafts, lost=max(0, asked - told_of)))
    for number, line in enumerate(lines, 1):
        reader.line(number, line)
    told = [draft for draft in drafts.found if draft.received is not None and not draft.status]
    for draft in told:
        draft.status = _status(draft)
    if told:
        drafts.warn("the log shows no status lines; each status was told from the code in the answer")


def _status(draft: Draft) -> int:
    text = draft.received_content.text if isinstance(draft.received_content, Content) else ""
    found = _CODE.search(text[:4000])
    if found is None:
        return 200
    return _STATUSES.get(found[1] or found[2], 400)


class _Botocore:
    """Put the lines together."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._content: str | None = None
        self._answer: Draft | None = None
        self._expects_body = False

    def line(self, number: int, line: str) -> None:
        if self._expects_body:
            self._expects_body = False
            self._body(line)
        elif (made := _PARAMETERS.search(line)) is not None:
            body = _BODY.search(made[2])
            self._content = python_text(body[1]) if body is not None else None
        elif (sending := _SENDING.search(line)) is not None:
            self._sending(number, line, sending)
        elif (told := URLLIB3.search(line)) is not None:
            self._told(number, line, told)
        elif (headers := _HEADERS.search(line)) is not None:
            answer = self._answer if self._answer is not None else self._conversation.answered(number)
            answer.received = python_pairs(headers[1])
            self._answer = answer
        elif (body := _RESPONSE_BODY.search(line)) is not None:
            if body[1]:
                self._body(body[1])
            else:
                self._expects_body = True

    def _sending(self, number: int, line: str, found: re.Match[str]) -> None:
        draft = Draft(method=found[1], url=found[2], sent=python_pairs(found[3]), line=number)
        at = moment(line)
        if at is not None:
            draft.started, draft.resolution = at
        if self._content is not None:
            octets = self._content.encode("latin-1", "replace")
            draft.content = Content.from_octets(octets) if octets else None
        self._content = None
        self._answer = None
        self._conversation.request(draft)

    def _told(self, number: int, line: str, found: re.Match[str]) -> None:
        answer = self._conversation.answered(number)
        answer.status = int(found[5])
        if not answer.method:
            answer.method, answer.url = found[3], f"{found[1]}://{found[2]}{found[4]}"
        at = moment(line)
        if at is not None and answer.started is not None:
            answer.duration = max(0.0, at[0] - answer.started)
        self._answer = answer

    def _body(self, text: str) -> None:
        if self._answer is not None and _OCTETS.match(text.strip()) is not None:
            octets = python_text(text.strip()).encode("latin-1", "replace")
            self._answer.received_content = Content.from_octets(octets) if octets else None
        self._answer = None
