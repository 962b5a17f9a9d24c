"""Choose what is looked at: refused requests, grouped to incidents of one actor and one intent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ifmatch.diagnosis.facts.given_elsewhere import given_elsewhere
from ifmatch.diagnosis.facts.incident import Facts
from ifmatch.diagnosis.facts.named_elements import REFUSED, counts_none, unlike_record
from ifmatch.diagnosis.facts.refused_marks import refused_mark
from ifmatch.diagnosis.facts.refused_repeats import repeated
from ifmatch.diagnosis.facts.removals import corrected
from ifmatch.diagnosis.facts.undone_reasons import reason_of
from ifmatch.diagnosis.findings.locks import asks
from ifmatch.diagnosis.links.likeness import eased, gives
from ifmatch.diagnosis.links.tickets import lapsed, outlived
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import IN_CONTENT, Guard
from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.diagnosis.reading.dates import http_date
from ifmatch.diagnosis.reads.parts import replaced
from ifmatch.diagnosis.rules import (
    exists_already,
    lease_or_lock,
    multi_match,
    payload_precondition_mismatch,
    precondition_stripped,
    status_dialect_mismatch,
    token_expired,
    token_missing,
    unsupported_precondition,
)
from ifmatch.diagnosis.steps.message_members import sent
from ifmatch.dialects import Carrier, Meaning
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Slotted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step

_PAUSE = 600.0
# By so much, and after so many attempts, a gap may be longer than the one before.
_GROWING, _GROWTH = 2, 3.0
_ASKS = frozenset({400, 403, 409})
_BAD_REQUEST, _UNPROCESSABLE, _FAILED = 400, 422, 500
_FAILURES = frozenset({500, 503})
# Looks that are answered so were refused nothing.
_READ = frozenset({200, 304})
_GONE = frozenset({404, 410})
_TICKETED = frozenset({400, 403, 409, 410, 422})
_REPLACED = frozenset({409, 410})
_SELECTED = frozenset({300, 400, 409, 422})
# Some have a status of their own for it: 419 and 440 of frameworks, 498 of map servers.
_LAPSED = _TICKETED | {404, 406, 408, 418, 419, 424, 425, 440, 498}
_CANNOT = frozenset({400, 405, 422, 501})
_OF_NONE = late_pattern(r"\b(?:null|none|nil|undefined)\b|version|revision|e-?tag|conflict|precondition")
_ACCOUNTED = frozenset({409, 412, 428})


class Subject(Slotted):
    """A refused request with all attempts of the same intent."""

    step: Step
    attempts: list[Step]


def _words(step: Step) -> str:
    response = step.exchange.response
    if response is None:
        return ""
    body = step.view.text[:4000]
    codes = step.header("x-ms-error-code") or ""
    return f"{response.reason} {codes} {body}"


# What a refusal in a dialect may mean, though the request carries no precondition.
_ALWAYS = frozenset(
    {
        Meaning.MISMATCH,
        Meaning.MISSING,
        Meaning.LOCK,
        Meaning.EXPIRED,
        Meaning.MULTIPLE,
        Meaning.PAYLOAD,
        Meaning.UNSUPPORTED,
    }
)


def _is_refusal(step: Step) -> bool:
    """Tell whether an answer refuses by precondition: 412, 428, or what its API uses for them.

    The answer to a batch refuses nothing itself: its parts do.
    """
    if step.batched:
        return False
    if step.status in {412, 428}:
        return True
    if step.status == _BAD_REQUEST and any(_misdated(one) or _misspelt(step, one) for one in step.conditions):
        return True
    refusal = step.refusal
    if refusal is not None:
        if refusal.meaning is Meaning.EXPIRED:
            return True
        if refusal.meaning is Meaning.OTHER or not (step.is_write or step.denied):
            return False
        if refusal.meaning in {Meaning.EXISTS, Meaning.BUSY} and step.status in {409, 412}:
            return True
        return bool(step.conditions) or refusal.meaning in _ALWAYS
    return _refuses_by_words(step)


def _names_condition(words: str) -> bool:
    lowered = words.lower()
    return any(name in lowered for name in ("if-", "condition", "etag", "validator"))


def _readable(guard: Condition) -> bool:
    """Tell whether a precondition keeps to the grammar of its field, dates included."""
    return guard.well_formed and (guard.guard is not Guard.SAME_DATE or http_date(guard.value) is not None)


def _misdated(condition: Condition) -> bool:
    """Tell whether a field of HTTP that takes a date has something else, which is not a word for none."""
    if not condition.standard or condition.guard not in {Guard.SAME_DATE, Guard.DIFFERENT_DATE}:
        return False
    return http_date(condition.value) is None and not tokens.null_word(condition.value)


def _misspelt(step: Step, condition: Condition) -> bool:
    """Tell whether a read was refused over an If-None-Match that breaks the grammar, as its answer says."""
    if not step.is_read or condition.guard is not Guard.DIFFERENT or condition.well_formed:
        return False
    return condition.standard and _names_condition(_words(step))


def _names_nothing(step: Step) -> bool:
    """Tell whether a write was refused that names a version by the word for none.

    A server that fails over it repeats the word, or tells of a number that it could not read.
    """
    if not step.is_write or step.status not in {_BAD_REQUEST, _UNPROCESSABLE, _FAILED}:
        return False
    guard = step.guard
    if guard is None or not tokens.null_word(guard.value):
        return False
    if step.status == _FAILED:
        words = _words(step)
        return tokens.opaque(guard.value) in words or "NumberFormat" in words
    if guard.carrier is Carrier.BODY and _speaks_of_another(step, guard):
        return False
    return step.status == _BAD_REQUEST or (step.status == _UNPROCESSABLE and not guard.standard)


def _speaks_of_another(step: Step, guard: Condition) -> bool:
    """Tell whether an answer names another member of the content than the one for the version."""
    words, named = _words(step).lower(), guard.name.rpartition("/")[2].lower()
    if named in words or _OF_NONE.search(words) is not None:
        return False
    members = {member.word.lower() for member in sent(step) if member.where == "body"}
    return any(re.search(rf"\b{re.escape(name)}\b", words) for name in members - {named})


def _of_a_member(step: Step, words: str) -> bool:
    """Tell whether a sentence of an answer names a member of what was sent: that is locked, not the thing."""
    names = {member.word.lower() for member in sent(step) if member.where == "body"}
    lowered = words.lower()
    return any(
        re.search(rf"\bthe {re.escape(name)}\b|[\"'`]{re.escape(name)}[\"'`] ", lowered) for name in names
    )


def _refuses_by_words(step: Step) -> bool:
    if step.status < _BAD_REQUEST:
        return False
    if step.status == 410 and token_expired.STRONG.search(_words(step)):
        return True
    if _names_nothing(step):
        return True
    if step.is_write and step.conditions and step.status in _FAILURES:
        plain = status_dialect_mismatch.PLAIN_WORDS.search(_words(step)) is not None
        return plain or unsupported_precondition.of_conditions(step.status, _words(step))
    if not step.is_write or step.status not in {400, 403, 405, 409, 410, 422, 423, 501}:
        return False
    if step.status == 423:
        return True
    guard = step.guard
    if step.status == _BAD_REQUEST and guard is not None and guard.standard and not _readable(guard):
        return True
    if step.status in _TICKETED and lapsed(step):
        return True
    if payload_precondition_mismatch.tests(step) or payload_precondition_mismatch.compared(step):
        return True
    words = _words(step)
    if step.conditions and step.status in {400, 422} and _names_condition(words):
        lost = step.guard is not None and precondition_stripped.asks_for(words, step.guard.name)
        return lost or unsupported_precondition.WORDS.search(words) is not None
    if step.conditions and (step.status in {409, 410, 501} or status_dialect_mismatch.WORDS.search(words)):
        return True
    if step.conditions and unsupported_precondition.of_conditions(step.status, words):
        return True
    if lease_or_lock.another_key(step) is not None or lease_or_lock.coded(step):
        return True
    if step.status == 409:
        changed = status_dialect_mismatch.WORDS.search(words) or status_dialect_mismatch.CHANGED.search(words)
        version = changed or token_missing.demands(words)
        return bool(version) or (
            lease_or_lock.held(words) and not asks(step) and not _of_a_member(step, words)
        )
    if step.status == 422:
        return token_missing.MANDATORY.search(words) is not None
    if step.status in {400, 403}:
        return bool(token_missing.demands(words) or lease_or_lock.CODES.search(words))
    return False


def refused(case: Case) -> Iterator[Subject]:
    """Yield the refused requests of a case, attempts with the same intent folded.

    Args:
        case: everything known.
    """
    for history in case.histories.values():
        told = [
            step for step in history if step.is_write or step.status not in _READ or step.refusal is not None
        ]
        barred = _barred(case, history, told) | _too_late(case, told) | _unlike_what_is(case, told)
        barred |= _of_several(case, told) | _of_parts(case, told) | _there_already(case, told)
        barred |= _left_in_successes(case, told)
        if not barred and not any(_is_refusal(step) for step in told):
            continue
        cleared = _cleared(history)
        for steps in history.by_actor.values():
            yield from _of_actor(steps, barred, cleared)


def _too_late(case: Case, told: Sequence[Step]) -> set[int]:
    """Return the orders of changes to what is there that were refused over a ticket past its time."""
    return {
        step.order
        for step in told
        if step.status in _LAPSED
        and not _is_refusal(step)
        and (outlived(Facts(case, step)) or refused_mark(case, step) is not None)
    }


def _of_several(case: Case, told: Sequence[Step]) -> set[int]:
    """Return the orders of writes that were refused because what they select by fits several things."""
    return {
        step.order
        for step in told
        if step.is_write
        and step.status in _SELECTED
        and step.guard is None
        and not step.batched
        and not _is_refusal(step)
        and multi_match.fits_several(Facts(case, step))
    }


def _there_already(case: Case, told: Sequence[Step]) -> set[int]:
    """Return the orders of creations that were refused, as the next look shows, over a thing of that name."""
    return {
        step.order
        for step in told
        if step.method == "POST"
        and step.status in _SELECTED
        and not _is_refusal(step)
        and exists_already.there_by_name(Facts(case, step)) is not None
    }


def _left_in_successes(case: Case, told: Sequence[Step]) -> set[int]:
    """Return the orders of writes that, successes by their status, left something undone for a cause."""
    return {
        step.order
        for step in told
        if step.is_write and not _is_refusal(step) and reason_of(case, step) is not None
    }


def _of_parts(case: Case, told: Sequence[Step]) -> set[int]:
    """Return the orders of reads of a part that were refused because another version is there by now."""
    return {
        step.order
        for step in told
        if step.method == "GET"
        and step.status in _REPLACED
        and not _is_refusal(step)
        and replaced(Facts(case, step)) is not None
    }


def _unlike_what_is(case: Case, told: Sequence[Step]) -> set[int]:
    """Return the orders of writes that were refused over a part of them that is not as the record is."""
    return {
        step.order
        for step in told
        if step.is_write
        and (step.status in REFUSED or counts_none(step))
        and not _is_refusal(step)
        and unlike_record(step, [one for one in case.around(step).steps if one.actor == step.actor])
        is not None
    }


def _barred(case: Case, history: History, told: Sequence[Step]) -> set[int]:
    """Return the orders of writes that were refused with a condition, and passed without, or with less of it.

    The answer does not have to say why: 400, 405, 422 and 501 to guarded attempts, and success to the same
    method without a condition, say it.
    """
    guarded = [
        step
        for step in told
        if step.is_write and step.status in _CANNOT and step.guard is not None and step.guard.standard
    ]
    asked = {
        step.order
        for step in told
        if step.is_write
        and step.guard is None
        and step.status in _ASKS
        and token_missing.passed_guarded(_following(history, step), step)
    }
    asked |= {
        step.order
        for step in told
        if _meets_own_deletion(history, step)
        or _met_nothing(case, history, step)
        or (step.status in _TICKETED and repeated(history.around(step), step) is not None)
        or (step.is_write and payload_precondition_mismatch.unmet(step, history.around(step)) is not None)
        or (step.is_write and corrected(step, _following(history, step)) is not None)
    }
    if not guarded:
        return asked
    return asked | {
        step.order
        for step in guarded
        if any(
            one.accepted and one.method == step.method and eased(step, one)
            for one in _following(history, step)
        )
    }


def _cleared(history: History) -> set[int]:
    """Return the orders of 400s to a precondition out of form that the same service took later.

    Whatever displeased it, the precondition was not what it was.
    """
    return {
        step.order
        for step in history
        if step.status == _BAD_REQUEST and (guard := step.guard) is not None and not _readable(guard)
        if any(
            one.order > step.order
            and one.method == step.method
            and one.guard is not None
            and (one.guard.name, one.guard.value) == (guard.name, guard.value)
            for one in history.around(step).writes
        )
    }


def _meets_own_deletion(history: History, step: Step) -> bool:
    """Tell whether a guarded DELETE finds nothing, right after one of the same actor that got no answer."""
    if step.method != "DELETE" or step.status not in _GONE or step.guard is None:
        return False
    before = reversed(history.around(step).before(step))
    last = next((one for one in before if one.actor == step.actor and one.is_write), None)
    return last is not None and last.method == "DELETE" and last.unanswered


def _following(history: History, step: Step) -> Iterator[Step]:
    """Yield what the same actor did to the resource afterwards."""
    for one in history.around(step).after(step):
        if one.actor == step.actor:
            yield one


def _met_nothing(case: Case, history: History, step: Step) -> bool:
    """Tell whether a guarded write finds nothing where its sender had been given the very token, or a date.

    A list gives tokens as well, and so does the answer to a creation at another address. Servers look for the
    resource first, and say 404 where RFC 9110 section 13.1.1 has 412. Where the version is no field of HTTP,
    a read has to find nothing either.
    """
    if step.status not in _GONE or not step.is_write:
        return False
    guard = step.guard
    if guard is None:
        return False
    near = history.around(step)
    given = any(one.actor == step.actor and gives(one, guard) for one in near.before(step))
    if not given and not any(given_elsewhere(case, step, token) for token in guard.tokens[:1]):
        return False
    looked = (one for one in near.after(step) if one.is_read or one.finds_nothing)
    after = next(looked, None)
    if guard.carrier in IN_CONTENT:
        return step.method != "DELETE" and after is not None and after.finds_nothing
    return after is None or after.finds_nothing


def _of_actor(steps: list[Step], barred: set[int], cleared: set[int]) -> Iterator[Subject]:
    current: Subject | None = None
    empty: Subject | None = None
    for step in steps:
        if current is not None and _ends(current, step):
            yield current
            current = None
        if current is not None and step.order not in cleared and _sends_nothing(current, step):
            # Whatever refused the attempts before, this one was bound to fail by itself.
            empty = empty or Subject(step, [])
            empty.attempts.append(step)
            continue
        if current is None:
            if step.order in barred or (_is_refusal(step) and step.order not in cleared):
                current = Subject(step, [step])
            continue
        current.attempts.append(step)
        if (
            step.accepted
            and step.replaces
            and step.start >= current.step.start
            and step.order > current.step.order
        ):
            if step.timed and step.start < current.step.end and step.method == current.step.method:
                continue
            yield current
            current = None
    if current is not None:
        yield current
    if empty is not None:
        yield empty


def _sends_nothing(current: Subject, step: Step) -> bool:
    """Tell whether a refused attempt names its version by the word for none, where those before did not."""
    guard, before = step.guard, current.step.guard
    if guard is None or before is None or guard.guard is Guard.ABSENT or not _is_refusal(step):
        return False
    return tokens.null_word(guard.value) and not tokens.null_word(before.value)


def _creates(current: Subject, step: Step) -> bool:
    """Tell whether a refused creation of something else follows a refused update: it is another intent.

    With the content of the update it is another way to the same end.
    """
    guard, before = step.guard, current.step.guard
    if guard is None or before is None or guard.guard is not Guard.ABSENT or before.guard is Guard.ABSENT:
        return False
    if step.body is None or current.step.body is None or not _is_refusal(step):
        return False
    return not same_content(step.body, current.step.body)


def _ends(current: Subject, step: Step) -> bool:
    last = current.attempts[-1]
    if step.timed and step.start - last.end > _PAUSE and not _backs_off(current, step):
        return True
    changed = (
        step.is_write
        and step.method != current.step.method
        and {step.method, current.step.method} != {"PUT", "PATCH"}
    )
    guarded = step.is_write and _is_refusal(step) and (step.guard is None) != (current.step.guard is None)
    return changed or (guarded and step.guard is None) or _creates(current, step)


def _backs_off(current: Subject, step: Step) -> bool:
    """Tell whether a request is the same as before, after a gap that grew as those before it did."""
    if len(current.attempts) < _GROWING or not _is_refusal(step):
        return False
    one, last = current.attempts[-2:]
    same = step.guard is not None and last.guard is not None and step.guard.value == last.guard.value
    again = same and (step.body is last.body is None or same_content(step.body, last.body))
    return again and step.start - last.start <= _GROWTH * (last.start - one.start)


def unaccounted(case: Case, taken: set[int]) -> Iterator[Step]:
    """Yield answers of 409, 412 and 428 that belong to no incident.

    Args:
        case: everything known.
        taken: orders of the steps that incidents hold.
    """
    for step in case.steps:
        if step.status in _ACCOUNTED and step.order not in taken and not step.batched:
            yield step
