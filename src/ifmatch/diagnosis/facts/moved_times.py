"""Tell what a service keeps of its own in a record: who wrote it, and when, whatever that is called there."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis.facts.own_names import sender_of
from ifmatch.diagnosis.reading.contents import unwrapped
from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.reading.listed_records import leaves_of
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from ifmatch.diagnosis.steps.step import Step

# Seconds by which a service's clock may differ from that of its `Date`, or from that of the client.
_APART: Final = 5.0
# Seconds that may lie between an attempt that got no answer and its repeat.
_WHILE: Final = 120.0
# A time has so many characters at least: a number of seconds since the epoch.
_SHORTEST: Final = 10
# What stands where nobody has written yet.
_NOTHING: Final = late_pattern(r"[\W_0]*|null|none|never|n/?a|init(?:ial)?|nobody|unknown", re.IGNORECASE)


def but_moved_times(body: Content, before: Content | None, refresh: Step | None, step: Step) -> Content:
    """Return what a write carries, with what the service itself set when it stored it as it shows that.

    That was sent back just as it had been read. In a later read it is of the time of the write, or names its
    sender.

    Args:
        body: what the write carries.
        before: the state that it was made from.
        refresh: the read after it.
        step: the write.
    """
    now = refresh.representation if refresh is not None else None
    if before is None or refresh is None or now is None or not (step.timed and refresh.timed):
        return body
    # What is sent bare may be shown in an envelope.
    was, there = (dict(leaves_of(unwrapped(one, body).text)) for one in (before, now))
    text, own = body.text, sender_of(step)
    for name, value in leaves_of(text):
        shown = there.get(name, value)
        if shown == value or was.get(name) != value:
            continue
        moment, old = told_moment(shown), told_moment(value)
        if shown in own:
            text = _put(text, name, shown)
        elif moment is None or not _of_the_write(moment, step, refresh):
            continue
        elif old is not None and moment > old and len(value) >= _SHORTEST:
            text = text.replace(value, shown)
        elif _NOTHING.fullmatch(value) and len(shown) >= _SHORTEST:
            text = _put(text, name, shown)
    return Content.from_text(text) if text != body.text else body


def _put(text: str, name: str, value: str) -> str:
    """Return JSON or XML with another text in the member of a name; any other content as it is."""
    if text.lstrip()[:1] == "<":
        return _put_in_markup(text, name.rpartition("/")[2], value)
    try:
        whole: object = json.loads(text)
    except ValueError:
        return text
    held, path = whole, name.split("/")
    for part in path[:-1]:
        held = cast("dict[str, object]", held).get(part) if isinstance(held, dict) else None
    if not isinstance(held, dict) or path[-1] not in held:
        return text
    cast("dict[str, object]", held)[path[-1]] = value
    return json.dumps(whole, ensure_ascii=False)


def _put_in_markup(text: str, name: str, value: str) -> str:
    """Return XML with another text in the only element of a name; as it is where there are more, or none."""
    held = rf"(<(?:[\w.-]+:)?{re.escape(name)}(?:\s[^<>]*)?>)[^<>]*(?=</)"
    if len(re.findall(held, text)) != 1:
        return text
    return re.sub(held, lambda found: f"{found[1]}{html.escape(value, quote=False)}", text)


def _of_the_write(moment: float, step: Step, refresh: Step) -> bool:
    """Tell whether a moment lies between a while before a write and a later read, by either clock."""
    if step.start - _WHILE <= moment <= refresh.end + _APART:
        return True
    return refresh.date is not None and refresh.date - _WHILE <= moment <= refresh.date + _APART
