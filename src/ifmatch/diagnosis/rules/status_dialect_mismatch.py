"""Detect `status-dialect-mismatch`: the API signals the failed condition with another status."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ifmatch.diagnosis.contents import changed_pointers, holds, same_content, stamped
from ifmatch.diagnosis.evidence import note
from ifmatch.diagnosis.resources import parent_of, path_of
from ifmatch.dialects import Meaning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts import Facts
    from ifmatch.diagnosis.steps import Step
    from ifmatch.model.finding import Evidence

CAUSE = "status-dialect-mismatch"

WORDS = re.compile(
    r"version[_ ]?conflict|version ?mismatch|VersionMismatch|EtagMismatch"
    r"|ConditionalRequestConflict|has been modified|was modified|Resource ?Modified|concurrent"
    r"|stale|optimistic|UpdateConditionNotSatisfied|ConcurrentModification|revision|seqNo"
    r"|resourceVersion|Document update conflict"
    r"|conditionNotMet|Compare failed|is at [0-9a-f]{7,} but expected|different than the current"
    r"|failedPrecondition|ABORTED",
    re.IGNORECASE,
)
_RIGHTS = re.compile(r"oauth|token|login|session|permission|/auth", re.IGNORECASE)
_FORM = re.compile(r"schema|openapi|swagger|validat|/docs?/", re.IGNORECASE)
# A client that acts on its misreading shows the root, whoever had written.
_MISREAD = 10.0
# Seconds within which a look belongs to the answer before.
_AT_ONCE = 0.9
_FAILED = frozenset({Meaning.MISMATCH, Meaning.EXISTS, Meaning.ABSENT, Meaning.PAYLOAD, Meaning.BUSY})


def _misread(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence that the client took the refusal for something else, such as a name clash."""
    step = facts.step
    if step.denied:
        following = facts.case.steps[step.order + 1 :]
        after = next((one for one in following if one.actor == step.actor), None)
        if after is not None and after.is_write and after.resource.startswith(step.resource + "/"):
            text = f"{step.status} looks like success, and the client goes on as if it were stored"
            yield note(text, _MISREAD, after)
        elif after is not None and after.resource != step.resource and not _written(facts):
            # Who reads it again next may have understood.
            text = f"{step.status} looks like success, and the client never sent its write again"
            yield note(text, _MISREAD, step)
        elif after is not None and after.is_read and not _resumed(facts):
            text = f"{step.status} looks like success: the client looked, and left it at that"
            # Who looks at once may have understood, and the evidence ends before the next try.
            at_once = after.timed and after.start - step.end < _AT_ONCE
            yield note(text, 1.0 if at_once else _MISREAD, after)
        return
    following = facts.case.steps[step.order + 1 :]
    # What was on its way already tells nothing of how the answer was taken.
    mine = (one for one in following if one.actor == step.actor and not one.overlaps(step))
    after = next(mine, None)
    if after is None:
        return
    if after.resource == step.resource:
        yield from _mended(step, after)
        return
    path = path_of(after.resource)
    if step.status in {400, 422} and _FORM.search(path):
        yield note(f"the client took it for a fault of form: it looked {path} up next", _MISREAD, after)
        return
    if step.status == 403 and _RIGHTS.search(path):
        yield note(f"the client took it for a want of rights: it asked {path} next", _MISREAD, after)
        return
    if not after.is_write or step.body is None:
        return
    aside = parent_of(step.resource) in {parent_of(after.resource), after.resource}
    # A patch for what is taken for a name clash becomes a whole new thing with the same members.
    whole = step.method == "PATCH" and after.status == 201 and holds(after.body, step.body)
    if aside and (whole or same_content(after.body, step.body)):
        name = path_of(after.resource)
        yield note(f"the client took it for something else: it stored the same under {name}", _MISREAD, after)


def _written(facts: Facts) -> bool:
    """Tell whether the client wrote to the resource at another time too."""
    return any(one.is_write for one in facts.own(facts.history) if one is not facts.step)


def _resumed(facts: Facts) -> bool:
    """Tell whether the client went on after a look, or was refused because of what it had written itself."""
    if facts.own_writes or facts.overlapping_own or facts.unanswered_own is not None:
        return True
    return len(facts.own(facts.later)) > 1


def _mended(step: Step, after: Step) -> Iterator[Evidence]:
    """Yield evidence that the client changed its content, not its token, after 400 or 422."""
    guard, same = step.guard, after.guard
    if step.status not in {400, 422} or guard is None or same is None or after.method != step.method:
        return
    moved = [pointer for pointer in changed_pointers(step.body, after.body) or () if not stamped(pointer)]
    if moved and same.value == guard.value:
        text = "the client took it for a fault of the content: it sent another content on the same token"
        yield note(text, _MISREAD, after)


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a refusal, in the API's own words, under a status that is not 412."""
    step = facts.step
    if not facts.refused or step.status in {412, 428, 423}:
        return
    yield from _misread(facts)
    refusal = step.refusal
    if refusal is not None and refusal.meaning in _FAILED and step.dialect is not None:
        said = f" with “{refusal.words}”" if refusal.words else ""
        text = f"{step.status}{said} is how {step.dialect.name} says that a precondition failed"
        yield note(text, 3.0, step)
        return
    found = WORDS.search(facts.error_text)
    if found:
        said = f"{step.status} with the words “{found.group()}”"
        yield note(f"{said} is this API's way to say that a precondition failed", 3.0, step)
