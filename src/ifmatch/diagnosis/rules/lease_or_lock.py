"""Detect `lease-or-lock`: a lease or lock stands in the way, or its token is missing or lost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from ifmatch.diagnosis.aftermath.freezes import HOLDER, frozen
from ifmatch.diagnosis.aftermath.held_up import coded_hold
from ifmatch.diagnosis.facts.keys_taken import of_key
from ifmatch.diagnosis.facts.undone_reasons import left_in_success
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.links.in_time import back_from
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.pages import is_page
from ifmatch.dialects import Meaning
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "lease-or-lock"

CODES = late_pattern(
    r"Lease(?:IdMissing|IdMismatch|NotPresent|Lost|AlreadyPresent|Is)\w*|lock-token-(?:submitted|matches)"
    r"|no-conflicting-lock|SPFileLockException|UNABLE_TO_LOCK_ROW",
    re.IGNORECASE,
)
_WORDS = Words(
    r"\b(?:lease|leased|lock token|lock-token|is (?:currently )?locked|locked by|checked out by"
    r"|being edited by|lock (?:is )?held)\b"
)
# That somebody has it, in a sentence or as the name of a member that says who.
_HELD = Words(
    r"(?:\block(?:ed)?|checked[ _-]?out|\bleased?|being edited|(?:opened|held) for editing)"
    r"[^.\"]{0,30}\b(?:by|holder|owner)\b"
    r"|(?:locked|checked_?out|leased|lock|lease)[_-]?(?:by|holder|owner)\b"
)
# Fields in which a lock is named, and statuses that tell that it is another one.
_KEY = Words(
    r"(?i)(?<![a-z])(?:lock|lease|check[-_]?out|hold|claim|permit|latch)s?(?:[-_]?(?:id|token|key))?$"
)
_CODED = frozenset({400, 403, 409, 412, 422})
_KEYED = frozenset({400, 403, 409, 412, 423})
_TAKEN = Words(r"\block(?:ed)?\b|checked[ _-]?out|\bleased?\b|being edited")
# Locks of databases and transactions are nothing that a client holds.
_INNER = Words(r"optimistic[ _-]?lock|deadlock|lock ?version|lock wait|StaleObject")


def held(text: str) -> bool:
    """Tell whether an answer says that somebody else holds a lock, a lease, or a thing that is checked out.

    Args:
        text: of the answer.
    """
    if _INNER.search(text) or frozen(text):
        return False
    if _HELD.search(text):
        return True
    return _TAKEN.search(text) is not None and HOLDER.search(text) is not None


def _of_the_form(facts: Facts) -> bool:
    """Tell whether a page that gives a form again has the word from the form itself, as the last read shows.

    A flat may have a lease, and a canal locks.
    """
    found, reads = _WORDS.search(facts.error_text), facts.own_reads_before
    if found is None or not reads or not is_page(facts.step.view.text):
        return False
    return found[0].lower() in reads[-1].view.text.lower()


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from lease and lock codes, states and tokens.

    Source: RFC 4918 sections 6, 10.4 and 11.3 (locks, If, 423 Locked).
    """
    yield from left_in_success(facts, CAUSE)
    step = facts.step
    if not facts.refused:
        return
    refusal = step.refusal
    code = CODES.search(facts.error_text)
    if code:
        field = "x-ms-error-code" if step.header("x-ms-error-code") else ""
        yield note(f"the answer names {code.group()}", 8.0, step, field)
    elif step.status == 423:
        yield note("423: the resource is locked", 6.5, step)
    elif step.by_course is not None and step.by_course.meaning is Meaning.LOCK:
        yield note(
            "a success that changed nothing: what is told of it says that somebody holds it", 6.0, step
        )
    elif refusal is not None and refusal.meaning is Meaning.LOCK and step.dialect is not None:
        yield note(f"{step.status} is how {step.dialect.name} says that a lock stands in the way", 6.5, step)
    elif (
        step.status in {409, 412}
        and _WORDS.search(facts.error_text)
        and not _INNER.search(facts.error_text)
        and not frozen(facts.error_text)
        and not _of_the_form(facts)
    ):
        yield note("the answer speaks of a lock or lease", 4.0, step)
    elif (step.status in {409, 412} and held(facts.error_text)) or coded(step):
        yield note("the answer says that somebody else holds it", 4.5, step)
    if (other := another_key(step)) is not None:
        name, value = other
        yield note(f"the answer names another lock in {name} than the request: {value}", 5.0, step, name)
    if (lacked := of_key(facts.case, step)) is not None:
        for text, weight, seen in lacked.said:
            yield note(text, weight, seen)
    lock = step.condition(Guard.LOCK)
    if lock is not None and step.status in {412, 409, 423}:
        yield note(f"the request submits a lock token ({lock.called})", 3.0, step, lock.called)
    yield from _history(facts)


def coded(step: Step) -> bool:
    """Tell whether a write with a precondition is refused by a code of a hold, with its holder beside it.

    Args:
        step: any step.
    """
    # Who creates what another holds takes part in an election.
    creates = any(one.guard is Guard.ABSENT for one in step.conditions)
    return step.status in _CODED and bool(step.conditions) and not creates and coded_hold(step.view.text)


def another_key(step: Step) -> tuple[str, str] | None:
    """Return the field in which an answer names another lock than the request does, with what it names there.

    Args:
        step: a write.

    Source: Microsoft, WOPI protocol, X-WOPI-Lock (a 409 has the lock that is held, empty where none is).
    """
    if step.status not in _KEYED:
        return None
    for name, value in step.received or ():
        sent = step.sent.text(name) if _KEY.search(name) else None
        if sent is not None and value.strip() != sent.strip():
            return name, value.strip() or "none"
    return None


def _held_at(history: History) -> Sequence[Step]:
    """Return the answers that tell of a lease on a resource, and those that granted a lock."""
    if "held at" not in history.kept:
        history.kept["held at"] = [
            one
            for one in history
            if one.header("x-ms-lease-state") is not None or (one.method == "LOCK" and one.accepted)
        ]
    return cast("list[Step]", history.kept["held at"])


def _history(facts: Facts) -> Iterator[Evidence]:
    step = facts.step
    for read in back_from(_held_at(facts.history), step.order):
        state = (read.header("x-ms-lease-state") or "").lower()
        if state == "leased" and step.sent.text("x-ms-lease-id") is None:
            text = "the resource was leased, and the request carries no lease id"
            yield note(text, 2.0, read, "x-ms-lease-state")
            return
        if read.method == "LOCK" and read.accepted:
            whose = "the client" if read.actor == step.actor else read.actor
            yield note(f"{whose} had locked it", 1.5, read, "Lock-Token")
            return
