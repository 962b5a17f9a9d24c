"""Read what Swagger UI shows below Execute: the command, the URL, the answer; as text of its page.

Source: the live response of swagger-ui 4 and 5. A page sees no more fields of an answer than the service
exposes to other origins (Fetch Standard section 3.3.6), so that a missing one says nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft
from ifmatch.capture.commands.curl_prompt import is_command, read_prompt
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.capture.base.drafts import Drafts
    from ifmatch.capture.commands.curl_prompt import CurlPrompt

__all__ = ["SWAGGER", "read_swagger"]

SWAGGER: Final = re.compile(r"^\s{0,8}Server response\s*$")
_HEADING = re.compile(
    r"^\s{0,8}(Curl|Request URL|Server response|Response body|Response headers|Responses|"
    r"Request duration)\s*$"
)
_STATUS = re.compile(r"^\s{0,8}([1-5]\d\d)(?:\s.*)?$")
_FIELD = re.compile(r"^\s{0,8}([!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}): ?(.*?)\s*$")
# A date is a list to the page: `Tue,10 Mar 2026`.
_DATE = re.compile(r"^((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)),(?=\d\d )")
_CHROME: Final = frozenset({"download", "copy", "code", "details", "code\tdetails", "undocumented"})


def read_swagger(lines: Sequence[str], drafts: Drafts) -> None:
    """Read the operations of a page that were executed.

    Args:
        lines: of the whole text.
        drafts: takes the exchanges.
    """
    prompt: CurlPrompt | None = None
    draft: Draft | None = None
    section, url = "", ""
    body: list[str] = []
    for number, line in enumerate(lines, 1):
        heading = _HEADING.match(line)
        if is_command(line):
            prompt, section = read_prompt(list(lines), number - 1), ""
            url = prompt.urls[0] if prompt.urls else ""
        if heading is not None:
            if draft is not None and section == "Response body":
                _content(draft, body)
            section, body = heading[1], []
            if section == "Server response":
                draft = _begun(prompt, url, number)
                drafts.found.append(draft)
                prompt, url = None, ""
        elif section == "Request URL" and line.strip().startswith("http"):
            url, section = line.strip(), ""
        elif draft is not None and section == "Server response" and not draft.status:
            status = _STATUS.match(line)
            draft.status = int(status[1]) if status is not None else 0
        elif draft is not None and section == "Response headers":
            field = _FIELD.match(line)
            if field is not None:
                draft.add_received(field[1], _DATE.sub(r"\1, ", field[2]))
        elif section == "Response body":
            body.append(line)
    drafts.found[:] = [one for one in drafts.found if one.status]


def _begun(prompt: CurlPrompt | None, url: str, line: int) -> Draft:
    draft = Draft(line=line, url=url, sent_complete=False, received_complete=False)
    draft.framed = False
    if prompt is not None:
        draft.method = prompt.method or "GET"
        draft.sent = list(prompt.fields) or None
        draft.line = prompt.line
        if isinstance(prompt.content, str):
            draft.content = Content.from_text(prompt.content)
    return draft


def _content(draft: Draft, lines: Sequence[str]) -> None:
    kept = [line for line in lines if line.strip().lower() not in _CHROME]
    text = "\n".join(kept).strip()
    if text:
        draft.received_content = Content.from_text(text)
