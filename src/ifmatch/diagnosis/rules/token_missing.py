"""Detect `token-missing`: the server demands a precondition and got none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ifmatch.diagnosis.facts.carried_versions import carried_version
from ifmatch.diagnosis.facts.undone_reasons import left_in_success
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import IN_CONTENT, Guard
from ifmatch.diagnosis.reading.contents import holds, same_content
from ifmatch.diagnosis.reading.version_words import speaks_of_versions
from ifmatch.diagnosis.steps.message_members import sent
from ifmatch.diagnosis.steps.refusal_words import MEANWHILE, asks_for_condition, says_outdated
from ifmatch.dialects import Meaning
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "token-missing"
_WORDS = Words(
    r"(?:if-match|if-unmodified-since|etag|version|revision|\b_?rev\b|precondition|generation|fingerprint|condition)"
    r"[^.]{0,60}"
    r"(?:required|mandatory|missing|must|not (?:provided|supplied|specified|sent))"
    r"|(?:required|missing|must (?:specify|supply|send|provide|include|name|state|carry))[^.]{0,40}"
    r"(?:if-match|if-unmodified-since|etag|version|revision|precondition)"
    r"|must be conditional|conditional (?:request|header|update)s?[^.]{0,20}(?:required|only|expected)"
    r"|(?:send|provide|supply|specify|include|use) (?:an? |the )?(?:valid )?"
    r"(?:if-match|etag|precondition|version)"
    r"|(?:if-?match|e-?tag|version|revision|pre-?condition|generation|fingerprint)[ ._:/-]{1,2}(?:is[ ._-])?"
    r"(?:required|missing|absent|mandatory|needed|not[ ._-](?:given|provided|supplied|specified|sent))"
    r"|(?:name|state|give|cite|quote|tell|repeat|attach|carry|pass|put|include)s? "
    r"(?:us )?(?:the |its |a |your )?(?:\w+ )?(?:e-?tag|version|revision|generation)\b[^.]{0,60}\bif-?match\b"
    r"|InvalidIfMatchVersion"
)

# What 422 has to say: a form has versions and required members too.
MANDATORY = Words(
    r"(?:if-match|e-?tag|revision|precondition|lock_?version|row_?version)[^.]{0,20}(?:required|mandatory|missing)"
    r"|(?:version) is (?:required|mandatory) (?:for|to) (?:change|update|edit|modify|delete)"
)
_COMPARED = frozenset({409, 412})
_ALTERED = Words(MEANWHILE)
_FAULTS = frozenset({400, 403, 409, 412, 422})
# The status line says no more than the status, and the head of an XML document has a version of its own.
_STATUS_LINE = late_pattern(r"pre-?condition[ _-]?failed|<\?xml\b[^>]{0,200}\?>", re.IGNORECASE)


def demands(words: str) -> bool:
    """Tell whether an answer asks for a precondition.

    Args:
        words: reason phrase, error codes and content.
    """
    return _WORDS.search(_STATUS_LINE.sub(" ", words)) is not None


def passed_guarded(later: Iterable[Step], refused: Step) -> Step | None:
    """Return the step that brought a refused request through with a condition, None without one.

    Args:
        later: steps of the same actor on the resource after it.
        refused: a write without a condition.
    """
    if refused.status not in {400, 403, 409, 412, 422, 428} or refused.guard is not None:
        return None
    for one in later:
        if one.method != refused.method or not one.is_write:
            continue
        guard = one.guard
        alike = one.body is None or refused.body is None or same_content(one.body, refused.body)
        if guard is not None and guard.carrier in IN_CONTENT:
            # The condition stands in the content itself: all else of it is what was refused.
            alike = holds(one.body, refused.body)
        known = guard is not None and guard.guard is Guard.SAME and (guard.standard or guard.key)
        if one.accepted and alike and known:
            return one
        if one.accepted:
            return None
    return None


def _told_of_change(facts: Facts) -> Step | None:
    """Return the look that shows a thing as it was read, of which a refusal says that it has changed.

    Who sends no version is told the same as who sends an old one, where both are compared alike. What stands
    for a version in the content is one that was sent.

    Args:
        facts: of a refused write without a condition.
    """
    step = facts.step
    if step.status not in _COMPARED or not (says_outdated(step) or _ALTERED.search(facts.error_text)):
        return None
    if any(speaks_of_versions(one) for one in sent(step)):
        return None
    read = next((one for one in reversed(facts.own_reads_before) if one.read_ok and one.etag), None)
    if read is None or read.etag is None or read.etag in step.view.sent_text:
        return None
    looks = (one for one in facts.own(facts.later) if one.read_ok and one.etag)
    after = next(looks, None)
    if after is None:
        # Told the same twice, with a look between, it is the second one that nothing follows.
        told = [one for one in facts.own(facts.earlier) if one.refused and one.status == step.status]
        return read if told and read.order > told[0].order else None
    return after if tokens.base(after.etag or "") == tokens.base(read.etag) else None


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a refused write without precondition.

    Source: RFC 6585 section 3 (428 Precondition Required).
    """
    yield from left_in_success(facts, CAUSE)
    step = facts.step
    if not facts.refused or not step.is_write or facts.guard is not None:
        return
    refusal = step.refusal
    if refusal is not None and refusal.meaning is Meaning.MISSING and step.dialect is not None:
        text = (
            f"{step.status} is how {step.dialect.name} asks for a precondition, and the request carries none"
        )
        yield note(text, 5.5, step)
    elif step.status == 428:
        carried = carried_version(facts)
        # What is called a version and is another one may be what the answer is about.
        weight = 5.0 if carried is None else 2.0
        known = "none" if carried is None else f"none but {carried.name}"
        yield note(f"428: the server wants a precondition, and the request carries {known}", weight, step)
    elif (refusal is None and step.status in _FAULTS and demands(facts.error_text)) or asks_for_condition(
        step
    ):
        text = (
            f"the answer ({step.status}) says that a precondition is required, and the request carries none"
        )
        yield note(text, 4.5, step)
    elif (passed := passed_guarded(facts.own(facts.later), step)) is not None:
        text = f"{step.status} without a condition, and the same request passed with one"
        yield note(text, 4.5, passed)
    elif (still := _told_of_change(facts)) is not None:
        text = f"{step.status} speaks of a change, and there was none: no version was sent to compare"
        yield note(text, 4.5, still)
    else:
        return
    reads = [one for one in facts.own_reads_before if one.etag is not None]
    if reads:
        yield note(f"the client had been given {reads[-1].etag} and did not send it", 1.0, reads[-1], "ETag")
