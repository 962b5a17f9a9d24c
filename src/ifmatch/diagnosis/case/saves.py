"""Tell which POSTs replace the thing that they are sent to, as PUT and PATCH do."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.habits.dialect_habits import LEARNED
from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.model.json_values import members_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.steps.step import Step

# Members that a thing keeps whatever is changed in it.
_IDS: Final = ("id", "_id", "ID", "Id", "uid", "uuid", "guid", "key", "sys_id", "@id", "self")
_MOST_NEW: Final = 2


def posted(steps: Sequence[Step]) -> None:
    """Mark the unguarded POSTs to a thing's own URL that were answered with its new version.

    Somebody had read the thing there; the answer is the thing again, by its name and members, under
    another version, and has all the members that were sent. What a list or a search is sent is none of
    these (RFC 9110 section 9.3.3 leaves open what POST does). Where the service's family is known, the
    version that its answers give says so by itself, as uploads have it.

    Args:
        steps: of a case in order of time, their resources known.
    """
    shown: dict[str, Step] = {}
    for step in steps:
        if step.method == "POST" and step.resource in shown and _replaced(shown[step.resource], step):
            step.forget()
            step.__dict__["alters"] = True
        if step.method == "GET" and step.status == HTTPStatus.OK and step.content is not None:
            shown[step.resource] = step


def _replaced(read: Step, step: Step) -> bool:
    if step.status not in {HTTPStatus.OK, HTTPStatus.CREATED} or not step.is_write:
        return False
    if step.guard is not None or step.opens:
        return False
    was, now, sent = (members_in(value) for value in (read.view.json, step.view.json, step.view.sent_json))
    sent = sent or dict(step.view.form)
    if _uploaded(read, step):
        return True
    if step.status != HTTPStatus.OK or not (was and now and sent):
        return False
    if same_content(read.content, step.content):
        return False
    if step.header("etag") is None or step.header("etag") == read.header("etag"):
        return False
    name = next((one for one in _IDS if isinstance(was.get(one), str | int)), None)
    if name is None or now.get(name) != was[name]:
        return False
    return {*map(str.lower, sent)} <= {*map(str.lower, now)} and len(now.keys() ^ was.keys()) <= _MOST_NEW


def _uploaded(read: Step, step: Step) -> bool:
    """Tell whether the family of a service says that an answer gives the new version of what was read."""
    family = step.dialect
    if family is None or family.general or family.id == LEARNED:
        return False
    return None not in {read.version, step.version} and read.version != step.version
