"""Tell from a content who edited it last: a person, another program, the service itself."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ifmatch.diagnosis.pages import fields_of, is_page, nested

if TYPE_CHECKING:
    from ifmatch.model.message import Content

EDITOR = re.compile(
    r"(?:modif(?:ied|y|ication)|updated?|changed?|edit(?:ed)?|written|saved|touched)_?by"
    r"(?:_?(?:value|id|name|user|login|email))?$"
    r"|^_?(?:by|(?:last_?)?(?:editor|author|writer|modifier|maintainer))$",
    re.IGNORECASE,
)
# A record that names an application and no user (Microsoft Graph's identity sets) is the service's own doing.
SYSTEM = re.compile(
    r"system|automat|index|render|server|internal|'application': (?!.*'user': )", re.IGNORECASE
)
_APPLICATION = re.compile(
    r'"(?:last_?)?(?:modified|updated|changed)_?By"\s*:\s*\{\s*"application"\s*:\s*\{[^{}]*\}\s*\}',
    re.IGNORECASE,
)
# Programs that may as well be clients of their own.
PROGRAM = re.compile(
    r"service|worker|workflow|controller|reconcil|scheduler|pipeline|bot\b|job|daemon|trigger|\bapp[:/]|roll-?up"
    r"|(?<![a-z])(?:svc|cron|webhook)(?![a-z])|[a-z](?:[-_.:](?:engine|processor|runner|hook|task|agent)|Svc)$"
    r"|^(?:engine|processor|task|sa|srv|proc)[-_:.]",
    re.IGNORECASE,
)
_EDITED_BY = re.compile(
    r"(?:modified_?by|updated?_?by|change_?by|\"_?(?:checked_?|touched_?)?by(?=\")|\beditor|\b_?maintainer"
    r"|changed_?by|edited_?by|processed_?by|\bactor|\bagent|\bauthor)(?:_?(?:value|id|name|user|login))?"
    r'["\s:=>;]{1,6}(?:\{[^}]{0,80}?)?"?([^"\n<>{}]{1,60})',
    re.IGNORECASE,
)


def editor_like(content: Content | None, kind: re.Pattern[str]) -> bool:
    """Tell whether a content (JSON, XML or lines) names a last editor of some kind."""
    if content is None:
        return False
    if kind is SYSTEM and _APPLICATION.search(content.text):
        return True
    # In a page, a field's name and what stands in it are attributes.
    fields = fields_of(content.text) if is_page(content.text) else {}
    text = json.dumps(nested(fields)) if fields else content.text
    return any(kind.search(name) for name in _EDITED_BY.findall(text))
