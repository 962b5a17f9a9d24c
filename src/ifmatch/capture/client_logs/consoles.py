"""Read what API clients and test runners print of a request: Postman's console, Cypress, PowerShell.

Source of the notations: Postman's console (objects unfolded and copied), the error of `cy.request`,
`Invoke-WebRequest -Debug` of PowerShell 7.4.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.capture.base.drafts import Drafts

__all__ = ["CYPRESS", "POSTMAN", "POWERSHELL", "read_cypress", "read_postman_console", "read_powershell"]

_CALL = r"[^\w\s\"'{]{0,3}\s{0,4}(GET|HEAD|PUT|POST|PATCH|DELETE|OPTIONS) (https?://[^\s\"]+?)"
_TOOK = r"[\d.]{1,12} ?m?s"
POSTMAN: Final = re.compile(
    rf"^{_CALL}(?::|\s+\d{{3}}(?: [A-Za-z ]{{2,40}})?\s+{_TOOK}:?) ?\{{\s*$|^{_CALL}\s+\d{{3}}\s+{_TOOK}\s*$"
)
CYPRESS: Final = re.compile(r"^\s{0,8}The (?:request we sent|response we got) was:\s*$")
POWERSHELL: Final = re.compile(r"^\s{0,4}DEBUG: (?:\[[^\]]{1,60}\] )?Web(?:Request|Response) Detail\s*$")
_POSTMAN_CALL = re.compile(
    rf"^{_CALL}(?::)?(?:\s+(\d{{3}})(?: ([A-Za-z ]{{2,40}}?))?)?(?:\s+({_TOOK}))?:?(?: ?\{{)?\s*$"
)
_SECTION = re.compile(
    r"^\s{0,8}[^\w\s\"{]{0,2} ?\"?"
    r"(Network|Request Headers|Request Body|Response Headers|Response Body|Error)\"?\s*(?::\s*(.*))?$"
)
_PAIR = re.compile(r"^\s{0,12}\"?([!#$%&'*+.^`|~0-9A-Za-z-]{1,100})\"?: ?(\"(?:[^\"\\]|\\.)*\"),?\s*$")
_STATUS = re.compile(r"^\s{0,8}(\d{3})(?: ([A-Za-z' -]{2,40}))?\s*$")
_CYPRESS_LINE = re.compile(r"^\s{0,8}(Method|URL|Status|Headers|Body): ?(.*)$")
_CYPRESS_STATUS = re.compile(r"(\d{3})(?: - (.*))?")
_POWERSHELL_LINE = re.compile(
    r"^\s*(>>>|<<<)\s{1,2}(?:(\w+(?: \w+)?)(?:\s*: (.*))?|- ([\w-]+)\s*: (.*)|(.*))$"
)
_POWERSHELL_STATUS = re.compile(r"(?:(\w+) )?\(?(\d{3})\)?")


def _text(literal: str) -> str:
    try:
        value: object = json.loads(literal, strict=False)
    except ValueError:
        return literal.strip('"').replace('\\"', '"')
    return value if isinstance(value, str) else literal


def read_postman_console(lines: Sequence[str], drafts: Drafts) -> None:
    """Read requests of Postman's console, unfolded or not.

    The unfolded object itself says no status; without one beside it an exchange cannot be told from one that
    got no answer, and is left out.

    Args:
        lines: of the whole text.
        drafts: takes the exchanges.
    """
    found: list[Draft] = []
    section = ""
    for number, line in enumerate(lines, 1):
        if (call := _POSTMAN_CALL.match(line)) is not None:
            draft = Draft(call[1], call[2], line=number, sent_complete=False, received_complete=False)
            draft.framed, section = False, ""
            draft.status, draft.reason = int(call[3] or 0), (call[4] or "").strip()
            draft.duration = _seconds(call[5] or "")
            found.append(draft)
        elif not found:
            continue
        elif (begun := _SECTION.match(line)) is not None:
            _close(found[-1], section)
            section = begun[1]
            _postman_body(found[-1], section, (begun[2] or "").strip().rstrip(","))
        elif section == "" and not found[-1].status and (status := _STATUS.match(line)) is not None:
            found[-1].status, found[-1].reason = int(status[1]), status[2] or ""
        elif (pair := _PAIR.match(line)) is not None and section.endswith("Headers"):
            add = found[-1].add_sent if section.startswith("Request") else found[-1].add_received
            add(pair[1], _text(pair[2]))
        elif line.strip() in {"}", "},"}:
            _close(found[-1], section)
    silent = [draft for draft in found if not draft.status]
    if silent:
        drafts.warn(
            f"Postman's console shows no status with the object: {len(silent)} requests were left out. "
            "Copy `Show raw log` instead",
            line=silent[0].line,
        )
    drafts.found.extend(draft for draft in found if draft.status)


def _close(draft: Draft, section: str) -> None:
    """Note that a list of fields was shown to its end."""
    if section == "Request Headers" and draft.sent:
        draft.sent_complete = True
    elif section == "Response Headers" and draft.received:
        draft.received_complete = True


def _postman_body(draft: Draft, section: str, said: str) -> None:
    if len(said) < 2 or not section.endswith("Body"):
        return
    content = Content.from_text(_text(said)) if said[0] == said[-1] == '"' else None
    if content is not None and section.startswith("Request"):
        draft.content = content
    elif content is not None:
        draft.received_content = content


def _seconds(took: str) -> float | None:
    found = re.match(r"([\d.]+) ?(m?)s", took)
    try:
        return float(found[1]) / (1000 if found[2] else 1) if found is not None else None
    except ValueError:
        return None


def read_cypress(lines: Sequence[str], drafts: Drafts) -> None:
    """Read the error with which `cy.request` fails: the request and the answer, each with its fields.

    Args:
        lines: of the whole text.
        drafts: takes the exchanges.
    """
    draft: Draft | None = None
    side = member = ""
    block: list[str] = []

    def keep() -> None:
        if draft is not None and member in {"Headers", "Body"}:
            _cypress_block(draft, side, member, "\n".join(block).strip())

    for number, line in enumerate(lines, 1):
        if CYPRESS.match(line):
            keep()
            side, member = ("request" if "request we sent" in line else "response"), ""
            if side == "request" or draft is None:
                draft = Draft(line=number, sent_complete=False, received_complete=False)
                draft.framed = False
                drafts.found.append(draft)
        elif (
            draft is not None
            and (said := _CYPRESS_LINE.match(line)) is not None
            and _is_next(member, said[1])
        ):
            keep()
            member, block = said[1], [said[2]]
            _cypress_line(draft, member, said[2].strip())
        elif re.match(r"\s{0,8}-{20,}\s*\Z", line):
            keep()
            member = ""
        else:
            block.append(line)
    keep()


def _is_next(member: str, name: str) -> bool:
    """Tell whether a line may begin a member: content comes last, so that none begins within it."""
    return member != "Body" and (member != "Headers" or name == "Body")


def _cypress_line(draft: Draft, member: str, said: str) -> None:
    if member == "Method":
        draft.method = said.upper()
    elif member == "URL":
        draft.url = said
    elif member == "Status" and (status := _CYPRESS_STATUS.match(said)) is not None:
        draft.status, draft.reason = int(status[1]), (status[2] or "").strip()


def _cypress_block(draft: Draft, side: str, member: str, text: str) -> None:
    if member == "Body":
        # What follows on the error is the stack.
        body = re.split(r"\n\s{2,8}at \S", text)[0].strip()
        if body and side == "request":
            draft.content = Content.from_text(body)
        elif body:
            draft.received_content = Content.from_text(body)
        return
    whole = text.rstrip().endswith("}")
    for line in text.split("\n"):
        if (pair := _PAIR.match(line)) is not None:
            (draft.add_sent if side == "request" else draft.add_received)(pair[1], _text(pair[2]))
    if side == "request":
        draft.sent_complete = whole and bool(draft.sent)
    else:
        draft.received_complete = whole and bool(draft.received)


def read_powershell(lines: Sequence[str], drafts: Drafts) -> None:
    """Read what `Invoke-WebRequest -Debug` prints: a detail of the request, one of the answer.

    Args:
        lines: of the whole text.
        drafts: takes the exchanges.
    """
    draft: Draft | None = None
    body = False
    for number, line in enumerate(lines, 1):
        if POWERSHELL.match(line):
            body = False
            if "WebRequest" in line or draft is None or draft.status:
                draft = Draft(line=number, sent_complete=False, received_complete=False)
                draft.framed = False
                drafts.found.append(draft)
        elif draft is not None and (said := _POWERSHELL_LINE.match(line)) is not None:
            sent = said[1] == ">>>"
            body = (body or said[2] == "Body") and said[2] not in {"Headers", "Content Headers"}
            if said[4]:
                (draft.add_sent if sent else draft.add_received)(said[4], said[5].strip())
            elif said[3]:
                _powershell_line(draft, said[2], said[3].strip())
            elif body and said[6]:
                content = Content.from_text(said[6].strip())
                draft.content, draft.received_content = (
                    (content, draft.received_content) if sent else (draft.content, content)
                )


def _powershell_line(draft: Draft, name: str, said: str) -> None:
    if name == "Method":
        draft.method = said.upper()
    elif name == "Uri":
        draft.url = said
    elif name == "Status" and (status := _POWERSHELL_STATUS.match(said)) is not None:
        draft.status = int(status[2])
