"""Find writes that a service took whatever their condition says, as it tells that it does no conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.diagnosis.reading.dates import http_date
from ifmatch.diagnosis.steps.refusal_words import CONDITION, cannot_do
from ifmatch.diagnosis.steps.resources import host_of
from ifmatch.dialects.glossary import Words
from ifmatch.model.diagnosis import Outcome

if TYPE_CHECKING:
    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step

# So many looks before a write may have shown what its service can do.
_NEAR: Final = 60
_LONGEST: Final = 20_000
_COMPARED: Final = frozenset({Guard.ABSENT, Guard.SAME, Guard.SAME_DATE})
_ASKS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# A member, an element or a line that says of conditions that there are none.
_NONE: Final = Words(
    rf"(?i)(?:{CONDITION})[\w -]{{0,24}}[\"'>]?\s*[:=>]\s*[\"']?"
    r"(?:false|no\b|none|off\b|0\b|never|unsupported|disabled|null)"
)


def not_offered(case: Case, history: History, step: Step) -> Damage | None:
    """Find a write that passed over a condition that cannot have held, as its service says it does none.

    The answer says so in a field or in its content, or a page about the service does.

    Args:
        case: everything known.
        history: of the resource.
        step: an accepted write with a precondition of HTTP.
    """
    met = _met(history, step)
    if met is None:
        return None
    fields = "\n".join(f"{name}: {value}" for name, value in step.received or ())
    if cannot_do(fields) or cannot_do(step.view.text):
        text = "the answer says that the service does not do the condition, which cannot have held"
        return Damage(Outcome.LOST_UPDATE, text, lost=met, unoffered=True, proven=False)
    for one in case.steps[max(0, step.order - _NEAR) : step.order]:
        asks = one.method in _ASKS and 0 < len(one.view.text) <= _LONGEST and one.resource != step.resource
        told = asks and host_of(one.resource) == host_of(step.resource)
        if told and _NONE.search(one.view.text) is not None:
            text = "a page says that the service does no conditions, and one that cannot have held passed"
            return Damage(Outcome.LOST_UPDATE, text, lost=one, unoffered=True, proven=False)
    return None


def _met(history: History, step: Step) -> Step | None:
    """Return what shows that a condition cannot have held: a thing that was there, or one without a tag."""
    guard = step.guard
    if guard is None or not guard.standard or guard.guard not in _COMPARED:
        return None
    if guard.guard is Guard.SAME and any(
        one.etag is not None or one.last_modified is not None for one in history
    ):
        return None
    seen = reversed(history.before(step))
    last = next((one for one in seen if one.read_ok or one.accepted or one.finds_nothing), None)
    if last is None or last.finds_nothing or last.method == "DELETE" or step.overlaps(last):
        return None
    if guard.guard is Guard.ABSENT:
        return None if last.is_write and same_content(last.body, step.body) else last
    if guard.guard is Guard.SAME_DATE:
        sent, there = http_date(guard.value), last.last_modified
        return last if sent is not None and there is not None and there > sent else None
    return last
