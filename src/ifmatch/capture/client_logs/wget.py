"""Read what `wget -S` prints: the answers' heads; method and fields sent stand in the command alone.

Source of the notation: src/http.c and src/retr.c of GNU Wget 1.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft
from ifmatch.capture.base.moments import iso_moment
from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.capture.base.drafts import Drafts
    from ifmatch.model.unknown import UnknownType

__all__ = ["WGET", "read_wget"]

WGET: Final = re.compile(r"^--\d{4}-\d\d-\d\d \d\d:\d\d:\d\d--(?: {1,2}\(try: ?\d{1,3}\))? {1,2}https?://")
_STARTED = re.compile(r"^--(\S{10} \S{8})--(?: {1,2}\(try: ?\d{1,3}\))? {1,2}(https?://\S+)")
_COMMAND = re.compile(r"^(?:\S{0,80}[$#%>+] ?)?wget\s(.{1,8000})")
_STATUS = re.compile(r"^ {2}HTTP/(\d(?:\.\d)?) (\d{3})(?: (.*?))?\s*$")
_FIELD = re.compile(r"^ {2}([!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}): ?(.*?)\s*$")
_METHOD = re.compile(r"[A-Za-z]{3,20}\Z")
_UNSHOWN: Final = (
    "wget -S shows no method and no field that was sent: put the command above it, or use wget -d"
)


@dataclass(slots=True)
class _Command:
    """What a command says of its requests.

    Attributes:
        method: "" while it is not known.
        fields: that it adds.
        content: of the request.
    """

    method: str = ""
    fields: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    content: Content | UnknownType | None = UNKNOWN


def read_wget(lines: Sequence[str], drafts: Drafts) -> None:
    """Read the output of wget.

    Args:
        lines: of the whole text.
        drafts: takes the exchanges.
    """
    command = _Command()
    draft: Draft | None = None
    in_head = False
    for number, line in enumerate(lines, 1):
        if (typed := _COMMAND.match(line)) is not None:
            command, draft = _command(typed[1]), None
        elif (started := _STARTED.match(line)) is not None:
            if draft is not None and command.method not in {"GET", "HEAD"}:
                # It follows a redirection, or the next of several; what it sends there is not said.
                command = _Command()
            draft = Draft(command.method, started[2], line=number, sent_complete=False, framed=False)
            draft.sent, draft.content = list(command.fields) or None, command.content
            at = iso_moment(started[1])
            draft.started, draft.resolution = at if at is not None else (None, 1.0)
            drafts.found.append(draft)
            in_head = False
        elif draft is not None and (status := _STATUS.match(line)) is not None:
            in_head = not 100 <= int(status[2]) < 200
            if in_head:
                draft.status, draft.reason, draft.received = int(status[2]), status[3] or "", None
                draft.response_version = f"HTTP/{status[1]}"
        elif in_head and draft is not None and (named := _FIELD.match(line)) is not None:
            draft.add_received(named[1], named[2])
        else:
            in_head = False
    if any(not one.method for one in drafts.found):
        drafts.warn(_UNSHOWN)
    # A line that names where it connects is no answer that failed to come.
    drafts.found = [one for one in drafts.found if one.status]


def _command(text: str) -> _Command:
    """Return what the words behind `wget` say; nothing where they cannot be told apart."""
    try:
        words = shlex.split(text)
    except ValueError:
        return _Command()
    command = _Command(method="GET")
    position = 0
    while position < len(words):
        name, equals, value = words[position].partition("=")
        position += 1
        if not equals and name in {
            "--method",
            "--header",
            "--body-data",
            "--post-data",
            "--body-file",
            "--post-file",
        }:
            value = words[position] if position < len(words) else ""
            position += 1
        if name == "--method" and _METHOD.match(value):
            command.method = value.upper()
        elif name == "--header" and ":" in value:
            key, _, said = value.partition(":")
            command.fields.append((key.strip(), said.strip()))
        elif name in {"--body-data", "--post-data"}:
            command.content = Content.from_text(value)
            command.method = "POST" if name == "--post-data" else command.method
        elif name == "--post-file":
            command.method = "POST"
        elif name == "--spider":
            command.method = "HEAD"
    return command
