"""Tell what was taken for later from what was carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.aftermath.later_reports import gives_only_a_name
from ifmatch.diagnosis.links.in_time import on_from
from ifmatch.diagnosis.reading.contents import holds
from ifmatch.diagnosis.steps.left_undone import counts_changes
from ifmatch.model.json_values import members_in
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step

_TAKEN: Final = 202
_INSIDE: Final = frozenset({"body", "text"})


def put_off(history: History, step: Step) -> bool:
    """Tell whether a request was only taken for later, and nothing shows that it was carried out.

    Args:
        history: of its resource.
        step: a write whose status is that of a success.

    Source: RFC 9110 section 15.3.3 (202 is noncommittal).
    """
    if step.etag is not None or not (step.status == _TAKEN or gives_only_a_name(step, _INSIDE)):
        return False
    if step.status != _TAKEN and _counts_done(step):
        return False
    body, guard = step.body, step.guard
    sent = members_in(body.json()) if body is not None else {}
    if guard is not None and guard.name[1:] in sent:
        # The version that is there later is another one.
        body = Content.from_json({name: one for name, one in sent.items() if name != guard.name[1:]})
    after = (one.representation for one in on_from(history, step.order) if one is not step)
    return body is None or not any(holds(shown, body) for shown in after if shown is not None)


def _counts_done(step: Step) -> bool:
    """Tell whether an answer counts what was done: `{"processed": 3, "errors": []}` is no ticket."""
    told = members_in(step.view.json).items()
    return any(type(one) is int and counts_changes(name) for name, one in told)
