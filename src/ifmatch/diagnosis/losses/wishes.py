"""Tell what a write wants stored, apart from the version in it that it is guarded by; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl, urlencode

from ifmatch.diagnosis.reading.conditions import IN_CONTENT, Guard
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from ifmatch.diagnosis.steps.step import Step

_OF_VERSION = frozenset({Guard.SAME, Guard.SAME_DATE})

# What a form is sent as; a state may be sent so where it is shown as JSON.
_FORM = late_pattern(r"(?=[^=&]+=)[^\s{<]{3,4000}")


def wish_of(step: Step) -> Content | None:
    """Return what a write carries but for the member of its precondition, whatever that is called.

    A state may count its versions under another name than the one by which a request names the version that
    it was made from, and in no case has it the old one after the write.

    Args:
        step: a write.
    """
    body, guard = step.body, step.guard
    if body is None or guard is None or guard.carrier not in IN_CONTENT or guard.guard not in _OF_VERSION:
        return body
    members = body.json()
    if not isinstance(members, dict) and _FORM.fullmatch(body.text):
        own = guard.name.rpartition("/")[2]
        pairs = parse_qsl(body.text, keep_blank_values=True)
        kept = [(name, value) for name, value in pairs if name != own]
        return Content.from_text(urlencode(kept)) if kept else body
    if not isinstance(members, dict) or not guard.name.startswith("/"):
        return body
    path = [one.replace("~1", "/").replace("~0", "~") for one in guard.name.split("/")[1:]]
    left = _without(cast("dict[str, object]", members), path)
    return Content.from_json(left) if left and left != members else body


def _without(members: dict[str, object], path: list[str]) -> dict[str, object]:
    """Return members without the one at the end of a path; an object that is empty then goes as well."""
    inner = members.get(path[0])
    if len(path) == 1:
        return {name: value for name, value in members.items() if name != path[0]}
    if not isinstance(inner, dict):
        return members
    rest = _without(cast("dict[str, object]", inner), path[1:])
    return {
        name: (rest if name == path[0] else value)
        for name, value in members.items()
        if name != path[0] or rest
    }
