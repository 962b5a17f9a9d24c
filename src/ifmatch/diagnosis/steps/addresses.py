"""Tell what of a request's content only says which thing it is about, where one URL takes all; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis.reading.soap_bodies import state_in
from ifmatch.dialects import Scope, guards_in, sent_state
from ifmatch.model.json_values import members_in
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.steps.step import Step

_POINTER: Final = "/"


def carried_state(step: Step) -> Content | None:
    """Return the state that a request carries, without what its family wraps around it; None without.

    Args:
        step: any step.
    """
    content = step.view.request.content
    if not isinstance(content, Content):
        return None
    state = sent_state(step.view, step.dialect) if step.dialect is not None else None
    if state is not None or not step.address:
        return state_in(content, state)
    return _without(content, step.address)


def _without(content: Content, address: dict[str, object]) -> Content:
    """Return a content without the members that name the thing; as it is where nothing else is left."""
    value = content.json()
    if not isinstance(value, dict):
        return content
    members = cast("dict[str, object]", value)
    left = {name: held for name, held in members.items() if name not in address or address[name] != held}
    return Content.from_json(left) if left and len(left) < len(members) else content


def settle(steps: Sequence[Step]) -> None:
    """Give each write the members of its content by which reads ask for the same resource, and its version.

    Where a call is a POST to one URL, name, scope and id stand beside what is to be stored, and so does the
    version that is expected.

    Args:
        steps: their dialects and resources set.
    """
    _in_lists(steps)
    asked: dict[str, dict[str, object]] = {}
    for step in steps:
        if step.reads and step.method == "POST":
            asked.setdefault(step.resource, {}).update(_scalars(step.view.sent_json))
    for step in steps:
        if step.is_write and (known := asked.get(step.resource)):
            sent = _scalars(step.view.sent_json)
            step.address = {name: value for name, value in known.items() if sent.get(name) == value}
            if step.address:
                step.address |= _expected(step, sent)
                step.forget()


def _in_lists(steps: Sequence[Step]) -> None:
    """Take for a write's resource the list that shows its thing, where the thing is read in no other way."""
    read = {step.resource for step in steps if step.is_read}
    for step in steps:
        whole, named, _ = step.resource.partition("#")
        larger = step.dialect is not None and step.dialect.scope is Scope.COLLECTION
        if named and larger and step.is_write and step.resource not in read and whole in read:
            step.resource = whole
            step.forget()


def _expected(step: Step, sent: dict[str, object]) -> dict[str, object]:
    """Return the members that hold the version which a write expects."""
    guards = guards_in(step.view, step.dialect) if step.dialect is not None else ()
    names = {guard.name.removeprefix(_POINTER) for guard in guards if guard.name.startswith(_POINTER)}
    return {name: sent[name] for name in names if name in sent}


def _scalars(value: object) -> dict[str, object]:
    """Return the members of an object that hold one value."""
    members = members_in(value)
    return {name: one for name, one in members.items() if isinstance(one, str | int | float)}
