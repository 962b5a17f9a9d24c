"""Take a fault of a request for a conflict where no word tells, and what became of the version does."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import takewhile
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from ifmatch.diagnosis.aftermath.held_up import asks_to_hold, held_by_state, says_held
from ifmatch.diagnosis.case.dated_refusals import refuses_date
from ifmatch.diagnosis.case.left_no_trace import edits
from ifmatch.diagnosis.case.passed_as_it_stood import over_content
from ifmatch.diagnosis.links.spent_versions import prints
from ifmatch.diagnosis.links.values_by_name import state_sent, state_shown, values_shown
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard, versions_in
from ifmatch.diagnosis.reading.contents import holds, same_content, speak_of_one
from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.steps.message_members import sent, shown
from ifmatch.diagnosis.steps.refusal_words import (
    asks_for_condition,
    refuses,
    says_cannot,
    says_outdated,
    says_undone,
)
from ifmatch.dialects import Meaning, Refusal, Retry
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ifmatch.diagnosis.steps.step import Step

# What services answer to a false condition that they have no status for.
_FAULTS: Final = frozenset({400, 422, 428})
# What has a meaning of its own, so that a version is not thought of; any other number of a fault has none.
_MEANT: Final = frozenset({*range(401, 417), 421, 423, 426, 429, 431, 451})
_NUMBERS: Final = range(417, 500)
# What is wrong with a request by itself, whatever the state.
_OF_THE_REQUEST: Final = Words(
    r"invalid|malformed|required|mandatory|missing|must\b|blank|empty|too (?:long|short|large|small|many)"
    r"|not (?:allowed|permitted)|forbidden|format|schema|validat|pars(?:e|ing)|syntax|unknown|unsupported"
    r"|exceed|limit|quota"
    r"|ungültig|fehl(?:t|end)|pflicht|erforderlich|invalide|manquant|obligatoire|inválid|requerid|obligatori"
)
# What says that something was left as it was.
_LEFT: Final = Words(
    r"(?i)unchanged|untouched|no[ _-]?(?:change|op\b)"
    r"|not[ _-]?(?:changed|modified|created|written|overwritten|replaced)|already|exists|present|left as"
    r"|[\"'](?:created|changed|written|stored|inserted)[\"']\s*:\s*(?:false|0\b)"
)
# When a thing was made, as members of it are called.
_MADE: Final = Words(
    r"creat|made|added|since|registered|entered|opened|inserted|born|(?:valid|stored)[_-]?from"
)
# Seconds that clocks may differ by.
_A_WHILE: Final = 3600.0
_DAY: Final = late_pattern(r"(\d{4})[-/.](\d\d)[-/.](\d\d)")
_STORING: Final = frozenset({"PUT", "PATCH", "POST"})
_CREATED: Final = 201
_CONFLICT: Final = 409
# What an answer has for a code where the condition was false.
_FALSE: Final = "412"
_LONGEST: Final = 4000
# What tells a write on a version from others: the actor, the method, the version and the content.
_Sent: TypeAlias = "tuple[str, str, tuple[str, ...], bytes]"


def take_by_course(steps: Iterable[Step]) -> None:
    """Set what answers mean that say in no known word why a write on a version was not carried out.

    The version had been given out for the very resource, and was another one at that time: an own write had
    made it, or the next look shows it. An answer that names another member, or a fault, means that. Nor was
    what is there already created by a success that leaves it as it was.

    Args:
        steps: of a case, their dialects, versions and actors set.
    """
    histories: dict[tuple[str, str], list[Step]] = {}
    alike: dict[_Sent, list[Step]] = {}
    for step in steps:
        histories.setdefault((step.resource, step.actor), []).append(step)
        if (key := _sent_as(step)) is not None:
            alike.setdefault(key, []).append(step)
    for history in histories.values():
        for step in history:
            found = _by_course(history, alike, step) if not _plain(step) else None
            if found is not None:
                step.forget()
                step.by_course = found


def _plain(step: Step) -> bool:
    """Tell whether an answer certainly means what its status says: nothing in it or after it denies that."""
    if not step.is_write:
        return step.seen.no_trace is None and not step.conditions
    if not 200 <= step.status < 300 or step.seen.no_trace is not None or step.seen.report is not None:
        return False
    if step.negative or _says_false(step):
        return False
    return step.guard is None or step.guard.guard is not Guard.ABSENT


def _sent_as(step: Step) -> _Sent | None:
    """Return who sent a write on a version, and what; None of other requests."""
    if not step.is_write or step.guard is None or step.body is None:
        return None
    return step.actor, step.method, step.guard.tokens, step.body.octets


def _by_course(history: Sequence[Step], alike: Mapping[_Sent, Sequence[Step]], step: Step) -> Refusal | None:
    """Return what an answer means by what became of the thing, None when it means what it says.

    Args:
        history: steps of the same actor about the same thing.
        alike: all writes on a version, by what was sent.
        step: one of the history.
    """
    meaning, retry = Meaning.MISMATCH, Retry.REFRESH
    if _held_up(history, step):
        meaning = Meaning.LOCK
    elif over_content(history, step):
        meaning, retry = Meaning.OTHER, Retry.NEVER
    elif step.is_write and not step.batched and not step.refused and asks_for_condition(step):
        meaning = Meaning.MISSING
    elif _cannot(step):
        meaning = Meaning.UNSUPPORTED
    elif not (
        _created_nothing(history, step)
        or _met_older(history, step)
        or _outdated_without_trace(history, step)
        or _undone_by_its_words(history, step)
    ):
        if not (
            (_unread(step) and _outdated(history, _twins(alike, step), step))
            or _prints_both(history, step)
            or _false_and_as_it_was(history, step)
            or _shows_another(history, step)
            or refuses_date(history, step)
        ):
            return None
        retry = step.dialect.retry if step.dialect is not None else retry
    return Refusal(meaning, step.status, "", retry, None)


def _held_up(history: Sequence[Step], step: Step) -> bool:
    """Tell whether a success left all as it was because somebody holds the thing, or its sender does not."""
    if not step.is_write or step.batched or step.refused or not 200 <= step.status < 300:
        return False
    text = step.view.text[:_LONGEST]
    if not (step.seen.no_trace is not None or step.seen.report is not None or step.negative):
        return False
    if not text or holds(step.content, step.body) or asks_to_hold(step):
        return False
    looks = [one for one in history if one.read_ok and one.content is not None]
    before = [one for one in looks if one.order < step.order][-1:]
    after = [one for one in looks if one.order > step.order][:1]
    return says_held(text) or held_by_state(step, [*before, *after])


def _cannot(step: Step) -> bool:
    """Tell whether a success denies a write because the service cannot do its condition."""
    return step.is_write and not step.batched and step.guard is not None and says_cannot(step)


def _unread(step: Step) -> bool:
    """Tell whether a write on a version was answered with a fault that no known word explains."""
    odd = step.status in _NUMBERS and step.status not in _MEANT | _FAULTS
    if not (odd or (step.status in _FAULTS and step.dialect is not None)):
        return False
    if not step.is_write or step.batched or (odd and step.refused):
        return False
    refusal, guard = step.refusal, step.guard
    if guard is None or guard.guard is not Guard.SAME or not guard.tokens or guard.unseen:
        return False
    if refusal is not None and (refusal.meaning is not Meaning.MISSING or refusal.words):
        return False
    words = step.view.text[:_LONGEST]
    told = odd or bool(words.strip())
    return told and not _OF_THE_REQUEST.search(words) and not _names_another(step, words)


def _undone_by_its_words(history: Sequence[Step], step: Step) -> bool:
    """Tell whether a success of no known family says that nothing was done, for the version that was sent.

    It says so of versions, or prints the tag that was sent beside the one that is there.
    """
    guard = step.guard
    if step.dialect is not None or guard is None or not guard.standard or guard.guard is not Guard.SAME:
        return False
    if step.refused or step.batched or not step.is_write or step.denial is None:
        return False
    return (
        says_outdated(step)
        or step.denial.code == _FALSE
        or _prints_both(history, step)
        or _names_its_field(step, guard.name)
        or _passed_on_another(history, step)
    )


def _passed_on_another(history: Sequence[Step], step: Step) -> bool:
    """Tell whether the very same passed later, on another version than the one that came to nothing."""
    later = next((one for one in history if one.order > step.order and one.is_write and one.accepted), None)
    if later is None or later.guard is None or step.guard is None or step.body is None:
        return False
    mine = versions_in(step.guard)
    other = later.guard.standard and not mine & versions_in(later.guard)
    return other and later.method == step.method and same_content(later.body, step.body)


def _names_its_field(step: Step, name: str) -> bool:
    """Tell whether an answer that denies a write names, as the reason, the field that its version came in."""
    words = step.view.text[:_LONGEST]
    folded = re.sub(r"[^a-z]", "", name.lower())
    return folded in re.sub(r"[^a-z]", "", words.lower()) and not _OF_THE_REQUEST.search(words)


def _prints_both(history: Sequence[Step], step: Step) -> bool:
    """Tell whether a write failed with an answer that prints the sent version, and the one that is there."""
    guard = step.guard
    if step.refused or step.batched or guard is None or not guard.tokens:
        return False
    if (
        guard.guard is not Guard.SAME
        or not (guard.standard if step.dialect is None else guard.key)
        or not refuses(step)
        or not prints(step, guard.tokens[0])
    ):
        return False
    last = next(
        (one for one in reversed(history) if one.order < step.order and one.read_ok and one.etag), None
    )
    # What the next look shows was there before, if nothing was written since.
    after = next((one for one in history if one.order > step.order and (one.read_ok or one.accepted)), None)
    looks = (last, after if after is not None and after.read_ok else None)
    there = {tokens.opaque(one.etag or "") for one in looks if one is not None}
    return any(prints(step, one) for one in there - {"", tokens.opaque(guard.tokens[0])})


def _shows_another(history: Sequence[Step], step: Step) -> bool:
    """Tell whether a success says that nothing was done, and has a later version where the sent one stood."""
    guard = step.guard
    if step.refused or step.batched or guard is None or guard.guard is not Guard.SAME or not guard.key:
        return False
    if not step.negative or not guard.tokens or not _says_more(history, step):
        return False
    word, value = guard.name.rpartition("/")[2], guard.tokens[0]
    there = {one.value for one in shown(step) if one.word == word and one.where == "body"}
    return len(there) == 1 and any(tokens.steps_on(value, one) > 0 for one in there)


def _says_more(history: Sequence[Step], step: Step) -> bool:
    """Tell whether what an answer denies is not just what the record had said of itself before."""
    read = next((one for one in reversed(history) if one.order < step.order and one.read_ok), None)
    answer, before = step.view.json, read.view.json if read is not None else None
    if not isinstance(answer, dict) or not isinstance(before, dict):
        return True
    members, old = cast("dict[str, object]", answer), cast("dict[str, object]", before)
    same = {name for name, value in members.items() if name in old and old[name] == value}
    return not any(says_undone(f'"{name}": "{members[name]}"') for name in same)


def _created_nothing(history: Sequence[Step], step: Step) -> bool:
    """Tell whether a success left all as it was because it was to create only what is not there.

    The answer says so, and still has the tag of before, or the next look shows what had been there.
    """
    done = 200 <= step.status < 300 and step.status != _CREATED
    guard = step.guard if done and step.is_write and step.method in _STORING else None
    if guard is None or guard.guard is not Guard.ABSENT or not guard.standard or step.body is None:
        return False
    before = next(
        (one for one in reversed(history) if one.order < step.order and (one.read_ok or one.accepted)), None
    )
    after = next((one for one in history if one.order > step.order and (one.read_ok or one.is_write)), None)
    seen = after.representation if after is not None and after.is_read else None
    if before is None:
        return after is not None and _older(step, after)
    there = before.representation if before.read_ok else None
    if there is None or holds(there, step.body):
        return False
    if _edit_given_back(before, step):
        return True
    if step.seen.no_trace is not None:
        # An edit of what was read: it was not to be created.
        return edits(step.seen.no_trace, step) or _LEFT.search(step.view.text[:_LONGEST]) is not None
    if _LEFT.search(step.view.text[:_LONGEST]) is None or holds(step.content, there):
        # Who asks for a thing to be there, and is given what is there, has what was asked for.
        return False
    return same_content(seen, there) if seen is not None else step.etag == before.etag is not None


def _edit_given_back(before: Step, step: Step) -> bool:
    """Tell whether a success gives an edit of what was read back as it was read, with the tag of then.

    Who only wants a thing to be there sends no more than one value that it has already.
    """
    if step.etag is None or step.etag != before.etag or not edits(before, step):
        return False
    was, told = state_shown(before), state_shown(step)
    wanted = state_sent(step)
    changed = [word for word, value in wanted.items() if was.get(word, value) != value]
    kept = [word for word, value in wanted.items() if was.get(word) == value]
    return bool(changed) and len(kept) > 1 and all(told.get(word) == was[word] for word in (*changed, *kept))


def _met_older(history: Sequence[Step], step: Step) -> bool:
    """Tell whether a creation failed, in whatever words, on an older thing that holds other values."""
    guard = step.guard
    if step.status not in _FAULTS | {_CONFLICT} or not step.is_write or step.batched or step.refused:
        return False
    if guard is None or guard.guard is not Guard.ABSENT or not guard.standard or step.body is None:
        return False
    words = step.view.text[:_LONGEST]
    if _OF_THE_REQUEST.search(words) or any(one.order < step.order and one.read_ok for one in history):
        return False
    after = next((one for one in history if one.order > step.order and (one.read_ok or one.is_write)), None)
    return after is not None and after.is_read and _older(step, after)


def _false_and_as_it_was(history: Sequence[Step], step: Step) -> bool:
    """Tell whether a success says that something is not so, and the state is the one that was there before.

    Whatever the word for it: the answer denies, the version is an old one, and what was sent is not there.
    """
    if not (step.is_write and 200 <= step.status < 300) or step.batched:
        return False
    if step.refused or step.denied or not step.conditions or step.body is None or not _says_false(step):
        return False
    own = [one for one in history if one.order < step.order]
    known = {tokens.opaque(token) for one in own for token in one.issued()}
    read = next((one for one in reversed(own) if one.representation is not None), None)
    if read is None or holds(read.representation, step.body):
        return False
    later = next((one for one in history if one.order > step.order and (one.is_write or one.read_ok)), None)
    shown = later if later is not None and later.read_ok else None
    if shown is not None and shown.representation is not None and holds(shown.representation, step.body):
        return False
    named = [tokens.opaque(one.etag) for one in (step, shown) if one is not None and one.etag is not None]
    return bool(named) and all(one in known for one in named)


def _says_false(step: Step) -> bool:
    """Tell whether an answer has a member of its own at the top that is false, and none that is true."""
    if step.content is None or "false" not in step.content.text:
        return False
    answer, asked = step.view.json, step.view.sent_json
    if not isinstance(answer, dict):
        return False
    members = cast("dict[str, object]", answer)
    names = set(cast("dict[str, object]", asked)) if isinstance(asked, dict) else set[str]()
    said = [value for name, value in members.items() if isinstance(value, bool) and name not in names]
    return bool(said) and not any(said)


def _older(step: Step, look: Step) -> bool:
    """Tell whether a look shows another thing than was to be created, and one that is older than that."""
    there = look.representation
    if there is None or step.body is None or holds(there, step.body) or not step.timed:
        return False
    if not speak_of_one(there, step.body) or (step.etag is not None and step.etag != look.etag):
        return False
    if look.last_modified is not None:
        return look.last_modified < step.start - _A_WHILE
    named = (value for name, value in values_shown(look).items() if _MADE.search(name))
    made = (moment for value in named if (moment := _made_by(value)) is not None)
    return any(one < step.start - _A_WHILE for one in made)


def _made_by(value: str) -> float | None:
    """Return when at the latest a thing was made, by a member that says so: a moment, or the end of a day."""
    day = _DAY.fullmatch(value.strip())
    if day is None:
        return told_moment(value)
    try:
        begin = datetime(int(day[1]), int(day[2]), int(day[3]), tzinfo=UTC)
    except ValueError:
        return None
    # In some zone a day ends twelve hours later.
    return begin.timestamp() + 36 * _A_WHILE


def _outdated_without_trace(history: Sequence[Step], step: Step) -> bool:
    """Tell whether a write on a version came to nothing under a success, and another was there by then."""
    guard = step.guard
    if step.seen.no_trace is None or step.refused or step.batched or guard is None:
        return False
    if guard.guard is not Guard.SAME or not guard.tokens or guard.unseen:
        return False
    later = next((one for one in history if one.order > step.order and one.read_ok and one.etag), None)
    last = next((one for one in reversed(history) if one.order < step.order and one.etag), None)
    wanted = versions_in(guard)
    return any(one is not None and tokens.opaque(one.etag or "") not in wanted for one in (later, last))


def _names_another(step: Step, words: str) -> bool:
    """Tell whether an answer names a member of what was sent, other than the one for the version."""
    guard = step.guard
    own = guard.name.rpartition("/")[2].lower() if guard is not None else ""
    names = {one.word.lower() for one in sent(step) if one.where in {"body", "text"}} - {own, ""}
    lowered = words.lower()
    return any(len(name) > 1 and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", lowered) for name in names)


def _twins(alike: Mapping[_Sent, Sequence[Step]], step: Step) -> list[Step]:
    """Return the writes of the same version and content by the same actor that were carried out."""
    key = _sent_as(step)
    return [one for one in alike.get(key, ()) if one is not step and one.accepted] if key is not None else []


def _outdated(history: Sequence[Step], twins: Sequence[Step], step: Step) -> bool:
    """Tell whether the version that a write expects had been given out, and another one was there by then.

    That a twin of the write passed, at the same time or for another thing, shows that it was well-formed.

    Args:
        history: steps of the same actor about the same thing.
        twins: the same write, sent by the same actor and carried out.
        step: the write.
    """
    guard = step.guard
    wanted = versions_in(guard)
    before = [one for one in history if one.order < step.order]
    gave = [one for one in before if wanted & {tokens.opaque(token) for token in one.issued()}]
    if not gave and not any(one.resource != step.resource for one in twins):
        return False
    made = any(one.changes and one.presents(next(iter(wanted))) for one in before)
    made = made or any(one.replaces and one.resource == step.resource and one.overlaps(step) for one in twins)
    later = takewhile(lambda one: not one.changes, (one for one in history if one.order > step.order))
    shown = next((one for one in later if one.read_ok and one.etag is not None), None)
    moved = shown is not None and tokens.opaque(shown.etag or "") not in wanted
    return made or moved
