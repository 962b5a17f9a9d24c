"""Detect `unsupported-precondition`: the server or store cannot do this condition."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from ifmatch.diagnosis.facts.undone_reasons import left_in_success
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.dialects import Meaning
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "unsupported-precondition"

WORDS = Words(
    r"not ?implemented|not ?(?:currently )?supported|unsupported|NotImplemented|does not support"
    r"|(?:checks?|conditions?|versioning) (?:are|is) not available"
    r"|header you provided implies functionality|conditional (?:requests?|writes?) (?:are|is) not"
)
# Under these services refuse much else as unsupported: such an answer must name conditions.
_OTHER_MATTERS = frozenset({403, 405, 409, 500, 503})
_OF_CONDITIONS = late_pattern(
    r"\bif-(?:none-)?match\b|\bif-(?:un)?modified-since\b|\bprecondition|\bconditional\b|\be-?tags?\b",
    re.IGNORECASE,
)


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from an answer that refuses the condition itself."""
    yield from left_in_success(facts, CAUSE)
    step, damage = facts.step, facts.damage
    if damage is not None and damage.unoffered:
        yield note(damage.text, 5.0, step)
        if damage.lost is not None:
            yield note("what was there is replaced all the same", 1.0, damage.lost)
    if facts.guard is None or not facts.refused:
        return
    refusal = step.refusal
    told = refusal is not None and refusal.meaning is Meaning.UNSUPPORTED
    if says_so(facts):
        yield note(f"the server says that it cannot do this ({step.status})", 5.0, step, facts.guard.called)
    named = refusal is not None and refusal.meaning in {Meaning.MISMATCH, Meaning.EXISTS}
    if step.status in {400, 405, 422} and not told and not named and not WORDS.search(facts.error_text):
        yield from _only_bare(facts)
    yield from _never_tagged(facts)
    refused = [one for one in facts.attempts if one.status == step.status and one.guard is not None]
    values = {one.guard.value for one in refused if one.guard is not None}
    bare = [one for one in facts.own(facts.later) if one.accepted and one.replaces and one.guard is None]
    if len(refused) > 1 and bare and facts.token_again and not _weak_throughout(facts, refused):
        kinds = f"{len(values)} different conditions" if len(values) > 1 else "each try with a condition"
        yield note(f"{kinds} met a refusal, and the write without one passed", 4.5, bare[0])


def says_so(facts: Facts) -> bool:
    """Tell whether an answer says that the service cannot do the condition, by its status or in words.

    Args:
        facts: of the refused request.
    """
    step, refusal = facts.step, facts.step.refusal
    if refusal is not None and refusal.meaning is Meaning.UNSUPPORTED:
        return True
    if step.status == HTTPStatus.NOT_IMPLEMENTED:
        return True
    if WORDS.search(facts.error_text) is None:
        return False
    if step.status in {400, 405, 412, 422}:
        return True
    return of_conditions(step.status, facts.error_text)


def of_conditions(status: int, words: str) -> bool:
    """Tell whether an answer under a status of other matters says that it is conditions that it cannot do.

    Args:
        status: of the answer.
        words: of the answer.
    """
    if status not in _OTHER_MATTERS or WORDS.search(words) is None:
        return False
    return _OF_CONDITIONS.search(words) is not None


def not_evaluated(facts: Facts) -> bool:
    """Tell whether a refusal is none of a condition that was found false: by what it says, or its status.

    Args:
        facts: of the refused request.

    Source: RFC 9110 section 13.1.4 (a false condition is answered 412; 400 and 501 are about the request).
    """
    refusal = facts.step.refusal
    named = refusal is not None and refusal.meaning in {Meaning.MISMATCH, Meaning.EXISTS}
    return says_so(facts) or (facts.step.status in {400, 405, 422} and not named)


def _weak_throughout(facts: Facts, refused: Sequence[Step]) -> bool:
    """Tell whether all that was refused is the If-Match of a weak tag, with its mark or without it.

    Source: RFC 9110 section 13.1.1 (strong comparison: it can never match, however well it is supported).
    """
    guards = [one.guard for one in refused if one.guard is not None]
    served = [one.etag for one in facts.history if one.etag is not None]
    weak = {tokens.opaque(tag) for tag in served if tokens.is_weak(tag)}
    return (
        bool(weak)
        and all(tokens.is_weak(tag) for tag in served)
        and all(
            guard.name == "If-Match" and {tokens.opaque(token) for token in guard.tokens} <= weak
            for guard in guards
        )
    )


def _never_tagged(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from answers that never carry an entity tag, before and after an If-Match was refused.

    Source: RFC 9110 section 13.1.1 (without a current entity tag no listed one matches).
    """
    step, guard = facts.step, facts.guard
    if step.status != HTTPStatus.PRECONDITION_FAILED or guard is None or guard.name != "If-Match":
        return
    if (
        guard.guard is not Guard.SAME
        or not guard.well_formed
        or facts.foreign_writes
        or facts.own_writes
        or facts.issues
    ):
        return
    shown = [one for one in facts.history if one.is_read and one.status == HTTPStatus.OK]
    before = [one for one in shown if one.order < step.order]
    after = [one for one in shown if one.order > step.order]
    tagged = any(one.etag is not None or facts.upstream_tag(one) is not None for one in facts.history)
    if not before or not after or tagged:
        return
    yield note("no answer about it carries an ETag: there is none that If-Match could name", 3.0, after[0])
    dates = {one.last_modified for one in (before[-1], after[0])}
    if len(dates) == 1 and None not in dates:
        text = "Last-Modified did not move over the refusal: nobody wrote"
        yield note(text, 2.0, after[0], "Last-Modified")


def _only_bare(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence that the same write passes as soon as it carries no condition."""
    step = facts.step
    later = [one for one in facts.own(facts.later) if one.accepted and one.method == step.method]
    if later and later[0].guard is None and facts.guard is not None and facts.guard.well_formed:
        weight = 5.0 if later[0].body is None or same_content(later[0].body, step.body) else 3.0
        yield note(f"with the condition {step.status}, without it {later[0].status}", weight, later[0])
