"""Find what a list had shown of a thing that nobody read by itself before it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ifmatch.diagnosis.links.linked_writes import own_name
from ifmatch.diagnosis.links.listed_versions import entries_in, may_list
from ifmatch.diagnosis.links.steps_inside import step_inside
from ifmatch.diagnosis.steps.resources import host_of, path_of
from ifmatch.model.message import Content, Fields, Request, Response

if TYPE_CHECKING:
    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.steps.step import Step

_OK: Final = 200
_NEAR: Final = 60
_DEEP: Final = 3
_LONGEST: Final = 200_000
_NAME: Final = 2


def look_beside(case: Case, step: Step) -> Step | None:
    """Return a step that shows what the last list before a write had of its thing, None without one.

    Args:
        case: everything known.
        step: an accepted write.
    """
    name = own_name(step)
    if len(name) < _NAME:
        return None
    path = unquote(path_of(step.resource.partition("?")[0]))
    for one in reversed(case.steps[max(0, step.order - _NEAR) : step.order]):
        content = one.content if one.actor == step.actor and one.is_read and one.status == _OK else None
        if content is None or len(content) > _LONGEST or name not in content.text:
            continue
        if host_of(one.resource) != host_of(step.resource) or not may_list(one, step):
            continue
        entries = [entry for entry in entries_in(one.view.json, _DEEP) if _names(entry, name, path)]
        if len(entries) == 1:
            shown = Response(_OK, "", Fields([]), Content.from_json(entries[0]))
            request = Request("GET", step.exchange.request.url.partition("?")[0], one.sent)
            look = step_inside(one, request, shown, step.resource)
            look.order, look.actor = one.order, one.actor
            return look
    return None


def _names(entry: dict[str, object], name: str, path: str) -> bool:
    return any(
        text == name or (text.endswith("/" + name) and path.endswith(text))
        for value in entry.values()
        if isinstance(value, str | int) and not isinstance(value, bool)
        for text in [str(value)]
    )
