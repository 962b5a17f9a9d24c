"""Find which entry of a list of changes an own write made, and what the ones before it had set; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.losses.told_changes import known_as, told_done
from ifmatch.diagnosis.losses.wishes import wish_of
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import versions_in
from ifmatch.diagnosis.reading.listed_records import leaves_of, member_word
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.reading.transitions import transitions
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.message_members import shown
from ifmatch.dialects.glossary import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.losses.told_changes import Change
    from ifmatch.diagnosis.steps.step import Step

_PAIR: Final = 2
# Seconds by which times of a list may lie early: they may lack the fraction of their second.
_CUT: Final = 1.0
# Seconds by which the clock of a list may lie beside that of the capture on one machine.
_TICK: Final = 0.01
# What an entry calls the version that it was made from.
_BASE: Final = Words(
    r"(?:base|based[-_ ]?on|basis|parent|predecessor|ancestor|from|prev(?:ious)?|prior|before|old|expected"
    r"|if[-_ ]?match|on|onto|over|after|against|read|seen|sent|given|start|origin|source)"
    r"(?:[-_ ]?(?:version|revision|rev|e?-?tag|state|stand|seq|no|number|id|generation|count))?"
)


def own_entry(base: Step, step: Step, changes: Sequence[Change]) -> Change | None:
    """Return the only entry that is of an own write, None where there is none, or which one is not told.

    It has the version that was made, or what the write changed, and nothing against it.

    Args:
        base: the read.
        step: the write.
        changes: all entries of a list.
    """
    old, mine = _states(base, step)
    edited = {word for word, value in mine.items() if not _of_service(word) and value != old.get(word)}
    made = known_as((step.etag, *made_versions(step)))
    named = [one for one in changes if one.version and one.version in made]
    found: list[Change] = []
    for one in named or changes:
        stored = set_by(one)
        shown = edited & stored.keys()
        if (named or shown) and all(stored[word] == mine[word] for word in shown):
            found.append(one)
    # A list within an entry tells parts of it again.
    whole = max(found, key=lambda one: len(one.record), default=None)
    if whole is None:
        return None
    values = set(whole.record.values())
    return whole if all(one is whole or set(one.record.values()) < values for one in found) else None


def own_in_time(step: Step, timely: Sequence[Change]) -> Change | None:
    """Return the entry of an own write among those of about its time, None where that is not told.

    It is signed as the request is, or lies within the request, where others lie beside it.

    Args:
        step: the write.
        timely: entries whose times lie about that of the write.
    """
    names = {value.strip() for _, value in step.sent} | set(step.view.query.values())
    within = [one for one in timely if one.when is not None and step.start <= one.when <= step.end + _TICK]
    signed = [one for one in timely if one.who and one.who in names]
    latest = [one for one in signed if all((each.when or 0.0) <= (one.when or 0.0) for each in signed)]
    for some in (within, latest, timely):
        # One write may have a row for each value that it changed.
        if some and len({one.when for one in some}) == 1:
            return some[0]
    return None


def made_versions(step: Step) -> list[str]:
    """Return what the answer to a write calls a version, and did not get from its sender.

    Args:
        step: the write.
    """
    sent = set(leaves_of(step.view.sent_text))
    told = leaves_of(step.view.text)
    return [value for name, value in told if called_version(name) and (name, value) not in sent]


def replaced(base: Step, step: Step, own: Change, changes: Sequence[Change]) -> tuple[Change, str] | None:
    """Return the entry before an own one that had set a value which the write set back, and its name.

    The last entry that has a value at all tells what was there when the write came. Its sender had read
    another one and left it so, and the own entry has it again: it was changed in between, and undone. An own
    entry that lists no values of the whole that was put there does not say otherwise.

    Args:
        base: the read.
        step: the write.
        own: its entry.
        changes: all entries of the list.
    """
    old, mine = _states(base, step)
    stored = set_by(own)
    kept = {
        word
        for word, value in stored.items()
        if not _of_service(word) and mine.get(word) == value == old.get(word)
    }
    if step.puts and not set(stored) & (mine.keys() | old.keys()):
        kept |= {one for one, value in mine.items() if not _of_service(one) and value == old.get(one)}
    if step.puts:
        # An entry of what was changed alone: what the answer shows is as it was sent, whatever stood there.
        answer = by_word(leaves_of(step.view.text)) if step.content is not None else {}
        kept |= {
            one for one, value in mine.items() if answer.get(one) == value == old.get(one)
        } - stored.keys()
        kept = {one for one in kept if not _of_service(one)}
    for change in before_it(own, changes):
        if change.who and change.who == own.who:
            return None
        theirs = set_by(change)
        told = kept & theirs.keys()
        lost = next((word for word in sorted(told) if theirs[word] != old[word]), None)
        if lost is not None:
            return change, lost
        kept -= told
    return None


def overwritten(base: Step, step: Step, own: Change, changes: Sequence[Change]) -> tuple[Change, str] | None:
    """Return the entry that made of what was read what an own write then replaced, and the name of the value.

    The own entry tells that something else was there than what its sender had read.

    Args:
        base: the read.
        step: the write.
        own: its entry.
        changes: all entries of the list.
    """
    old, mine = _states(base, step)
    for made in transitions(own.record):
        word, there = made.word, made.before
        if word not in old or mine.get(word) != made.after or there in {old[word], ""}:
            continue
        if there in made.after:
            # It is what was added to, or left as it was: its sender knew of it.
            continue
        for change in changes:
            other = change is not own and change.who and own.who and change.who != own.who
            if not other or (change.when is not None and base.timed and change.when < base.start - _CUT):
                continue
            if any((word, there) == (one.word, one.after) for one in transitions(change.record)):
                return change, word
    return None


def dropped(base: Step, step: Step, own: Change, changes: Sequence[Change]) -> tuple[Change, str] | None:
    """Return the entry right before an own one that has a member which the write left out, and its name.

    Its sender had not seen it either. The entries have to tell whole states: the one before also has a value
    that was there already, which an entry of what was changed alone has not.

    Args:
        base: the read.
        step: the write.
        own: its entry.
        changes: all entries of the list.
    """
    if not step.puts:
        return None
    old, mine = _states(base, step)
    before = before_it(own, changes)
    if not before or transitions(own.record) or (before[0].who and before[0].who == own.who):
        return None
    theirs, stored = set_by(before[0]), set_by(own)
    older = set_by(before[1]) if len(before) > 1 else None
    kept = [
        word
        for word, value in theirs.items()
        if word in mine and old.get(word) == value and not _of_service(word)
    ]
    # What every entry has, such as its author, is no member of the thing.
    added = sorted(
        word
        for word in theirs.keys() - stored.keys() - old.keys() - mine.keys()
        if not _of_service(word) and theirs[word] and (older is None or word not in older)
    )
    return (before[0], added[0]) if kept and added else None


def stored_beside(base: Step, step: Step, own: Change, changes: Sequence[Change]) -> Change | None:
    """Return an entry that made the very version which an own write made, with another value.

    Args:
        base: the read.
        step: the write.
        own: its entry.
        changes: all entries of the list.
    """
    edited = _edited(base, step)
    alike = [one for one in changes if one.version == own.version] if own.version.isdigit() else []
    return _other_edit(edited, own, alike)


def built_beside(base: Step, step: Step, own: Change, changes: Sequence[Change]) -> Change | None:
    """Return an entry that names the very version that an own write was made from as its own base.

    One version has one successor where it is compared: a second one was let through.

    Args:
        base: the read.
        step: the write.
        own: its entry.
        changes: all entries of the list.
    """
    edited = _edited(base, step)
    sent = versions_in(step.guard)
    for name, value in own.record.items():
        if tokens.opaque(value) in sent and _BASE.fullmatch(name.rpartition("/")[2]) is not None:
            alike = [one for one in changes if one.record.get(name) == value]
            if (found := _other_edit(edited, own, alike)) is not None:
                return found
    return None


def told_twice(step: Step, changes: Sequence[Change]) -> list[Change]:
    """Return the entries of an account by which several made the very version that a write made.

    They name the version that was sent as their own base, or they are of one time; which of them is the own
    one need not be told, as one version has one maker where it is compared.

    Args:
        step: the write.
        changes: all entries of a list.
    """
    made = known_as((step.etag,))
    sent = versions_in(step.guard)
    alike = [one for one in changes if one.version and one.version in made]
    if (
        len({one.who for one in alike}) != len(alike)
        or len(alike) < _PAIR
        or not all(one.who for one in alike)
    ):
        return []
    based = [one for one in alike if _built_from(one, sent)]
    return based if len(based) == len(alike) else []


def taken_twice(step: Step, changes: Sequence[Change]) -> list[Change]:
    """Return the entries of an account that say that several were taken which name the sent version as base.

    Which version each of them made need not be told: one version has one successor where it is compared.

    Args:
        step: the write.
        changes: all entries of a list.
    """
    sent = versions_in(step.guard)
    based = [one for one in changes if _built_from(one, sent)]
    if len(based) < _PAIR or not all(told_done(one) for one in based):
        return []
    given = {one.value for one in shown(step)}
    mine = [one for one in based if given & set(one.record.values()) - sent]
    makers = {one.who for one in based}
    return based if len(mine) == 1 and len(makers) == len(based) and "" not in makers else []


def _built_from(change: Change, sent: set[str]) -> bool:
    """Tell whether an entry names a version that was sent as what it was made from."""
    return any(
        tokens.opaque(value) in sent and _BASE.fullmatch(name.rpartition("/")[2]) is not None
        for name, value in change.record.items()
    )


def _other_edit(edited: set[str], own: Change, alike: Sequence[Change]) -> Change | None:
    """Return an entry that has other values than an own one for what the write edited: no part of it."""
    stored = set_by(own)
    for one in alike:
        theirs = set_by(one)
        if one is own or theirs.keys() != stored.keys():
            continue
        if any(theirs[word] != stored[word] for word in edited & stored.keys()):
            return one
    return None


def _states(base: Step, step: Step) -> tuple[dict[str, str], dict[str, str]]:
    """Return what was read and what was sent, by words."""
    read, sent = (one.text if one is not None else "" for one in (base.left, wish_of(step)))
    return by_word(leaves_of(read)), by_word(leaves_of(sent))


def _edited(base: Step, step: Step) -> set[str]:
    """Return what a write changes of what was read, by words; what the service itself sets is left aside."""
    old, mine = _states(base, step)
    return {word for word, value in mine.items() if not _of_service(word) and value != old.get(word)}


def _of_service(word: str) -> bool:
    return stamped("/" + word) or called_version(word)


def before_it(own: Change, changes: Sequence[Change]) -> list[Change]:
    """Return the entries before an own one, the last one first; nothing where their order is not told.

    Args:
        own: the entry.
        changes: all entries of the list.
    """
    others = [one for one in changes if one is not own]
    versions = [one.version for one in changes]
    if len(set(versions)) == len(versions) and all(
        tokens.steps_on(one.version, own.version) for one in others
    ):
        older = [one for one in others if tokens.steps_on(one.version, own.version) > 0]
        return sorted(older, key=lambda one: tokens.steps_on(one.version, own.version))
    whens = [one.when for one in changes]
    if own.when is not None and None not in whens and len(set(whens)) == len(whens):
        earlier = [one for one in others if one.when is not None and one.when < own.when]
        return sorted(earlier, key=lambda one: -(one.when or 0.0))
    if changes[0] is own:
        return others
    return others[::-1] if changes[-1] is own else []


def set_by(change: Change) -> dict[str, str]:
    """Return the values that an entry shows, by their words: of a value that became another, the new one.

    Args:
        change: the entry.
    """
    pairs = transitions(change.record)
    paired = {name for one in pairs for name in one.names}
    plain = [(name, value) for name, value in change.record.items() if name not in paired]
    return by_word(plain) | {one.word: one.after for one in pairs}


def by_word(leaves: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return values by the last parts of their names, those that stand once alone.

    Args:
        leaves: values of a content by their whole names.
    """
    found: dict[str, str] = {}
    twice: set[str] = set()
    for name, value in leaves:
        word = member_word(name)
        if word in found and found[word] != value:
            twice.add(word)
        found[word] = value
    return {word: value for word, value in found.items() if word not in twice}
