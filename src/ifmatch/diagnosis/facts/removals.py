"""Find deletions that repeat the record as it has to be: the condition is what they repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.reading.contents import changed_pointers, value_at
from ifmatch.dialects.glossary import Words
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ifmatch.diagnosis.steps.step import Step

_STATUSES = frozenset({400, 409, 412, 422})
_REMOVAL = Words(
    r"<(?:\w+:)?(?:action|op|operation|changetype|type)>\s*(?:delete|remove)\s*</"
    r"|\"(?:action|op|operation|change_?type|type|method)\"\s*:\s*\"(?:delete|remove)\""
)
# A change of more members is another request.
_FEW = 3


def corrected(step: Step, following: Iterable[Step]) -> tuple[Step, str, str] | None:
    """Return what passed in the place of a refused deletion, where they differ, and the value that passed.

    Args:
        step: a refused write.
        following: what its sender did after it, in order of time.
    """
    refused = _sent(step) if step.status in _STATUSES else None
    if refused is None or step.conditions:
        return None
    if _REMOVAL.search(refused.text) is None:
        return None
    for one in following:
        sent = _sent(one)
        if not one.is_write or one.method != step.method or not 200 <= one.status < 300 or sent is None:
            continue
        if _place(one) != _place(step):
            continue
        pointers = changed_pointers(refused, sent)
        if not pointers or len(pointers) > _FEW or not _REMOVAL.search(sent.text):
            return None
        return one, pointers[0], str(value_at(sent, pointers[0]))
    return None


def _sent(step: Step) -> Content | None:
    content = step.view.request.content
    return content if isinstance(content, Content) else None


def _place(step: Step) -> str:
    return step.resource.rstrip("/")
