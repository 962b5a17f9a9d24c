"""Find the own write that was under way when another one was turned down because of it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.dialects import Meaning, Refusal, Retry
from ifmatch.dialects.glossary import Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

# So many steps before a request, and behind it, may be in flight beside it.
_NEAR: Final = 40
_LONGEST: Final = 4000
_WORK: Final = (
    r"operation|request|change|update|modification|transaction|write|edit|job|task|action|process|call|command"
    r"|mutation|deployment|migration|workflow|saving|save"
)
_AT_WORK: Final = (
    r"(?:process|handl|chang|updat|modify|writ|edit|runn|execut|work|sav|deploy|provision|apply|commit|scal|mov"
    r"|configur|transition|start|stopp|stor|merg|sync(?:hroni[sz])?)ing"
)
_DONE_TO: Final = r"(?:process|handl|chang|updat|modifi|writt|edit|execut|sav|mov|migrat|appli|merg)e?[dn]"
# What says that something else is being done with the thing right now.
_UNDER_WAY: Final = Words(
    r"(?<![a-z])busy(?![a-z])|in[ _-]?(?:progress|flight)|under[ _-]way|concurren|simultaneous|in parallel"
    rf"|(?:is|are|still|currently|already|be|while|state|status)\W{{1,3}}(?:\w+ )?{_AT_WORK}"
    rf"|being[ _-](?:\w+ )?{_DONE_TO}|(?:still|currently)[ _-](?:\w+ )?{_DONE_TO}"
    rf"|(?:another|other|previous|prior|earlier|parallel|pending|ongoing)[\W_]{{1,3}}(?:\w+ )?(?:{_WORK})"
    rf"|(?:{_WORK})s?[ _-](?:is |are |already )?(?:pending|queued|running|ongoing|open)"
    r"|at the same time|at once|at a time|race[ _-]?condition|collision|colli(?:de|sion)"
    r"|not[ _-]?(?:yet[ _-]|been[ _-])?(?:completed?|finished|stable|settled)|transition(?:al|ing)?[ _-]state"
    r"|not in a stable|(?:try|retry)(?: it)? (?:again|later|in (?:a|\d))"
    r"|locked (?:by (?:another|a)|while) \w+"
)


def take_collided(steps: Sequence[Step]) -> None:
    """Set what conflicts mean that met a write without a version while an own other one was under way.

    Words say so, or the same request passed later, when nothing else was.

    Args:
        steps: of a case, their dialects and actors set.
    """
    for step in steps:
        if step.status != HTTPStatus.CONFLICT or not step.timed or not step.is_write:
            continue
        if step.batched or step.conditions or step.refusal is not None:
            continue
        other = next((one for one in _beside(steps, step) if one.start <= step.start), None)
        if other is None or same_content(other.body, step.body):
            continue
        if _UNDER_WAY.search(step.view.text[:_LONGEST]) or _passed_later(steps, step):
            step.forget()
            step.by_course = Refusal(Meaning.BUSY, step.status, "", Retry.WAIT, None)


def own_in_flight(facts: Facts) -> Step | None:
    """Return the own accepted write that was open while another one was turned down because of it.

    It is on the same thing, on a part of it, or on what it is a part of. Where a request names a version,
    that tells which writes exclude each other; else the service compares, and says that it was too busy, or
    that the thing changed meanwhile.

    Args:
        facts: of the refused request.
    """
    refusal = facts.step.refusal
    if refusal is None:
        return None
    compared = facts.guard is None and refusal.meaning is Meaning.MISMATCH
    if not compared and refusal.meaning is not Meaning.BUSY:
        return None
    return next(
        (one for one in _beside(facts.case.steps, facts.step) if compared or one.start <= facts.step.start),
        None,
    )


def _beside(steps: Sequence[Step], step: Step) -> Iterator[Step]:
    """Yield the own accepted writes on the thing, or around it, that were in flight beside a request."""
    for one in steps[max(0, step.order - _NEAR) : step.order + _NEAR]:
        if one is step or one.actor != step.actor or not one.accepted or not one.overlaps(step):
            continue
        if _related(one, step):
            yield one


def _passed_later(steps: Sequence[Step], step: Step) -> bool:
    """Tell whether the same request was carried out later."""
    return step.method != "POST" and any(
        one.actor == step.actor
        and one.method == step.method
        and one.resource == step.resource
        and one.accepted
        and same_content(one.body, step.body)
        for one in steps[step.order + 1 : step.order + _NEAR]
    )


def _related(one: Step, two: Step) -> bool:
    """Tell whether two writes are about one thing, or one of them about a part of what the other is about."""
    first, second = (f"{step.resource.partition('?')[0].rstrip('/')}/" for step in (one, two))
    if first == second:
        return True
    outer = one if second.startswith(first) else two if first.startswith(second) else None
    # What is posted to a collection makes another thing in it.
    return outer is not None and outer.method != "POST"
