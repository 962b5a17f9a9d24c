"""Read what the host of ASP.NET Core logs of each request: one line when it starts, one when it is answered.

Source of the notations: HostingApplicationDiagnostics of ASP.NET Core 2 to 8.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft
from ifmatch.capture.client_logs.lines import Conversation, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.capture.base.drafts import Drafts

__all__ = ["HOSTING", "read_hosting"]

HOSTING: Final = re.compile(
    r"\bRequest (?:starting HTTP/\d(?:\.\d)? [A-Z]{3,10} https?://|finished in [\d.]+ms \d{3}\b"
    r"|finished HTTP/\d(?:\.\d)? [A-Z]{3,10} https?://)"
)
_STARTED = re.compile(r"\bRequest starting HTTP/\S{1,4} ([A-Z]{3,10}) (https?://\S+)")
_FINISHED = re.compile(
    r"\bRequest finished (?:in ([\d.]+)ms (\d{3})\b|HTTP/\S{1,4} ([A-Z]{3,10}) (https?://\S+)"
    r".{0,200}? - (\d{3})\b(?:.{0,200}? ([\d.]+)ms)?)"
)


def read_hosting(lines: Sequence[str], drafts: Drafts) -> None:
    """Read the host's lines; one that names its request answers that one, others the oldest that waits.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    conversation = Conversation(drafts)
    named = any("Request finished HTTP/" in line for line in lines)
    for number, line in enumerate(lines, 1):
        if (begun := _STARTED.search(line)) is not None:
            draft = Draft(method=begun[1], url=begun[2], line=number, sent_complete=False, framed=False)
            draft.started, draft.resolution = moment(line) or (None, 1.0)
            conversation.request(draft, f"{begun[1]} {begun[2]}" if named else "")
        elif (ended := _FINISHED.search(line)) is not None:
            draft = conversation.answered(number, f"{ended[3]} {ended[4]}" if named else "")
            draft.method, draft.url = draft.method or ended[3] or "", draft.url or ended[4] or ""
            draft.status, draft.received_complete = int(ended[2] or ended[5]), False
            took = ended[1] or ended[6]
            draft.duration = float(took) / 1000 if took else None
