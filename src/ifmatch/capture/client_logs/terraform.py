"""Read the structured HTTP records in the debug log of Terraform's AWS provider (TF_LOG=DEBUG).

Source of the notation: hashicorp/aws-sdk-go-base/v2/logging, hashicorp/go-hclog/intlogger.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.client_logs.lines import Conversation, moment, starts_record
from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.model.unknown import UnknownType

__all__ = ["TERRAFORM", "read_terraform"]

# The calls may stand megabytes below the line that Terraform begins with.
TERRAFORM: Final = re.compile(r"HTTP (?:Request Sent|Response Received):\s|\bTerraform version: \d")
_KIND = re.compile(r"HTTP (Request Sent|Response Received):")
_VALUE = re.compile(
    r"(?:^|\s)([@A-Za-z][\w.@-]*)=(?:\"((?:[^\"\\]|\\.)*+)\"|\[((?:[^\]\"]|\"(?:[^\"\\]|\\.)*+\")*+)\]|([^\s\"\[]\S*)|(?=\s|\Z))"
)
_BLOCK = re.compile(r"^\s{1,4}([@A-Za-z][\w.@-]*)=\s*\Z")
_ITEM = re.compile(r"\"((?:[^\"\\]|\\.)*+)\"|([^,\s][^,]*)")
_MASKED: Final = "[Redacted"


def read_terraform(lines: Sequence[str], drafts: Drafts) -> None:
    """Read the log of the AWS provider.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    conversation = Conversation(drafts)
    number = 0
    while number < len(lines):
        found = _KIND.search(lines[number])
        if found is None:
            number += 1
            continue
        end = number + 1
        while end < len(lines) and not starts_record(lines[end]):
            end += 1
        values = _values(lines[number][found.end() :], lines[number + 1 : end])
        key = f"{_one(values, 'tf_req_id')} {_one(values, 'rpc.method')}"
        at = moment(lines[number])
        if found[1] == "Request Sent":
            conversation.request(_request(values, number + 1, at), key)
        else:
            _response(conversation.answered(number + 1, key), values, at)
        number = end


def _values(first: str, following: Sequence[str]) -> dict[str, list[str]]:
    """Return the values of one record by name; a value of several lines stands below its name."""
    values: dict[str, list[str]] = {}

    def take(text: str) -> None:
        for name, quoted, several, plain in _VALUE.findall(text):
            if several:
                items = [one or other.strip() for one, other in _ITEM.findall(several)]
                values[name] = [_plain(item) for item in items]
            else:
                values[name] = [_plain(quoted) if quoted else plain]

    take(first)
    block = ""
    for line in following:
        if line.startswith("  | "):
            if block:
                values.setdefault(block, []).append(line[4:])
        elif (opened := _BLOCK.match(line)) is not None:
            block = opened[1]
            values[block] = []
        else:
            block = ""
            take(line)
    return values


def _plain(text: str) -> str:
    return text.replace('\\"', '"').replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\")


def _one(values: dict[str, list[str]], name: str) -> str:
    return "\n".join(values.get(name, ()))


def _fields(values: dict[str, list[str]], prefix: str) -> list[tuple[str, str]]:
    return [
        ("-".join(part.capitalize() for part in name.removeprefix(prefix).split("_")), value)
        for name, several in values.items()
        if name.startswith(prefix)
        for value in several
    ]


def _content(values: dict[str, list[str]], name: str) -> Content | UnknownType | None:
    if name not in values:
        return UNKNOWN
    text = _one(values, name)
    if _MASKED in text[:40]:
        return UNKNOWN
    return Content.from_text(text) if text else None


def _request(values: dict[str, list[str]], line: int, at: tuple[float, float] | None) -> Draft:
    draft = Draft(method=_one(values, "http.method"), url=_one(values, "http.url"), line=line)
    draft.sent = _fields(values, "http.request.header.")
    agent = _one(values, "http.user_agent")
    if agent:
        draft.sent.append(("User-Agent", agent))
    draft.content = _content(values, "http.request.body")
    if at is not None:
        draft.started, draft.resolution = at
    return draft


def _response(draft: Draft, values: dict[str, list[str]], at: tuple[float, float] | None) -> None:
    status = _one(values, "http.status_code") or _one(values, "http.response.status_code")
    draft.status = int(status) if status.isascii() and status.isdigit() and len(status) == 3 else 0
    draft.received = _fields(values, "http.response.header.")
    draft.received_content = _content(values, "http.response.body")
    took = _one(values, "http.duration")
    if took.isascii() and took.isdigit() and len(took) < 9:
        draft.duration = int(took) / 1000
    elif at is not None and draft.started is not None:
        draft.duration = max(0.0, at[0] - draft.started)
    if not draft.url:
        draft.url = _one(values, "http.url")
