"""Find what an unguarded write took away of a change that only a list shows: of changes, or of things."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis import tokens
from ifmatch.diagnosis.contents import ABSENT, changed_pointers, same_content, unwrapped, value_at
from ifmatch.diagnosis.damages import Damage
from ifmatch.diagnosis.listed_records import leaves_of
from ifmatch.diagnosis.listed_versions import entries_in
from ifmatch.diagnosis.resources import host_of, path_of
from ifmatch.diagnosis.stamps import stamped
from ifmatch.diagnosis.succession import advanced
from ifmatch.diagnosis.taken_back import lost_pointers
from ifmatch.diagnosis.told_changes import account_of
from ifmatch.diagnosis.transitions import transitions
from ifmatch.diagnosis.unseen_writes import may_list
from ifmatch.diagnosis.version_words import called_version
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.case import Case
    from ifmatch.diagnosis.history import History
    from ifmatch.diagnosis.steps import Step
    from ifmatch.diagnosis.told_changes import Change
    from ifmatch.diagnosis.transitions import Transition

# Seconds by which the time of an own change may lie beside its request, where clocks agree.
_BESIDE: Final = 0.5
# So many steps after a write an account of changes is looked for, and before it a list.
_NEAR: Final = 80
_DEEP: Final = 3
_LONGEST: Final = 200_000
_OK: Final = 200
_NAME: Final = 2


def logged_between(case: Case, history: History, step: Step) -> Damage | None:
    """Find another's change that a list of changes has between an unguarded write and what it was made from.

    Args:
        case: everything known.
        history: of the resource.
        step: an accepted write without a precondition.
    """
    if step.guard is not None or not step.timed or not (step.puts or step.method == "PATCH"):
        return None
    base = _looked(history, step)
    if base is None or not base.timed:
        return None
    versions = [tokens.opaque(one) for one in (base.etag, step.etag) if one is not None]
    for listing in case.steps[step.order + 1 : step.order + _NEAR]:
        if listing.actor != step.actor:
            continue
        changes = list(account_of(step, [listing], versions))
        mine = [each for each in changes if _is_of(each, step)]
        # One write may have a row for each value that it changed.
        if len({each.when for each in mine}) != 1:
            continue
        undone = next((one for each in mine if (one := _undone(base, step, each)) is not None), None)
        if undone is not None:
            return _taken(undone, listing)
        if len(mine) > 1:
            continue
        others = [
            each for each in changes if each.when is not None and base.end < each.when < (mine[0].when or 0.0)
        ]
        found = _by_another(base, step, mine[0], others)
        if found is not None:
            return found
    return None


def _looked(history: History, step: Step) -> Step | None:
    """Return the last step of a write's actor that had shown the resource, or changed it."""
    before = (one for one in reversed(history) if one.order < step.order and one.actor == step.actor)
    return next((one for one in before if one.read_ok or one.accepted), None)


def _taken(undone: Transition, listing: Step) -> Damage:
    told = f"{undone.word} go from {undone.before} to {undone.after}"
    text = f"the list of changes has {told} by this write, whose sender had left it as it was read"
    return Damage(Outcome.LOST_UPDATE, text, lost=listing)


def _is_of(change: Change, step: Step) -> bool:
    """Tell whether an entry is of the time of a write."""
    return change.when is not None and step.start - _BESIDE <= change.when <= step.end + _BESIDE


def _by_another(base: Step, step: Step, own: Change, others: Sequence[Change]) -> Damage | None:
    """Return the damage to another's change, told by its author, or by the state that the list has of it."""
    lost = next((each for each in others if _taken_from(base, step, own, each)), None)
    if step.method == "PUT" and own.who and lost is None:
        lost = next((each for each in others if each.who and each.who != own.who), None)
        text = f"the list of changes has one by {lost.who} between the read and this write" if lost else ""
    else:
        by = f" by {lost.who}" if lost is not None and lost.who and lost.who != own.who else ""
        text = f"the list of changes has one{by} between the read and this write, and what it set is gone"
    if lost is None or (lost.who and lost.who == own.who):
        return None
    return Damage(Outcome.LOST_UPDATE, text, lost=lost.listing)


def _taken_from(base: Step, step: Step, own: Change, change: Change) -> bool:
    """Tell whether an entry shows a state that differs from what was read, and that a write undid.

    Args:
        base: the read.
        step: the write.
        own: the entry of the write.
        change: the entry between the two.
    """
    if base.representation is None or step.body is None:
        return False
    old, mine = (by_word(leaves_of(one.text)) for one in (base.representation, step.body))
    theirs, stored = (_set_by(one) for one in (change, own))
    told = {word: value for word, value in theirs.items() if not stamped("/" + word)}
    known = {(one.word, one.before) for one in transitions(change.record)} | set(told.items())
    if not any(old.get(word) == value for word, value in known):
        # It has to show the record itself, of which some is as it was.
        return False
    for word, value in told.items():
        if word in mine and word in old and value not in {old[word], mine[word]}:
            return True
        if not step.puts or word in mine or word in stored:
            continue
        if value != old.get(word):
            return True
    return False


def _undone(base: Step, step: Step, own: Change) -> Transition | None:
    """Return what the entry of a write has it change that its sender had left as it was read, None without.

    Args:
        base: the read.
        step: the write.
        own: the entry of the write.
    """
    if base.representation is None or step.body is None:
        return None
    old, mine = (by_word(leaves_of(one.text)) for one in (base.representation, step.body))
    for one in transitions(own.record):
        if one.before != one.after == old.get(one.word) == mine.get(one.word) and not stamped("/" + one.word):
            return one
    return None


def _set_by(change: Change) -> dict[str, str]:
    """Return the values that an entry shows, by their words: of a value that became another, the new one."""
    pairs = transitions(change.record)
    paired = {name for one in pairs for name in one.names}
    plain = [(name, value) for name, value in change.record.items() if name not in paired]
    return by_word(plain) | {one.word: one.after for one in pairs}


def by_word(leaves: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return values by the last parts of their names, those that stand once alone.

    Args:
        leaves: names and values.
    """
    found: dict[str, str] = {}
    twice: set[str] = set()
    for name, value in leaves:
        word = next((part for part in reversed(name.split("/")) if not part.isdigit()), name)
        if word in found and found[word] != value:
            twice.add(word)
        found[word] = value
    return {word: value for word, value in found.items() if word not in twice}


def listed_newer(case: Case, history: History, step: Step) -> Damage | None:
    """Find an unguarded write that undoes what a list had shown its actor of the thing since the read.

    Who sends the record again as it was may mean that; who edits it beside does not.

    Args:
        case: everything known.
        history: of the resource.
        step: an accepted write without a precondition.
    """
    if not step.puts or step.body is None:
        return None
    base = _looked(history, step)
    if base is None or base.representation is None:
        return None
    old = unwrapped(base.representation, step.body)
    mine = unwrapped(step.body, old)
    for listing, entry in _listed(case, base, step):
        now = unwrapped(entry, mine)
        lost = [
            one
            for one in lost_pointers(old, now, mine) or ()
            if one and not stamped(one) and value_at(now, one) is not ABSENT
            # What stands elsewhere in a list, and its own version, is no member of the record.
            if value_at(mine, one) == value_at(old, one) is not ABSENT
            and not called_version(one.rpartition("/")[2])
        ]
        edited = [one for one in changed_pointers(old, mine) or () if not _of_server(old, mine, one)]
        if lost and edited and not same_content(old, now):
            text = f"what a list had shown of it since the read ({', '.join(lost[:4])}) is gone"
            return Damage(Outcome.LOST_UPDATE, text, lost=listing)
    return None


def _of_server(old: Content, mine: Content, pointer: str) -> bool:
    """Tell whether a member is no edit: one that the write leaves out, or that servers set by themselves."""
    return stamped(pointer) or value_at(mine, pointer) is ABSENT or value_at(old, pointer) is ABSENT


def _listed(case: Case, base: Step, step: Step) -> Iterator[tuple[Step, Content]]:
    """Yield the own lists between a read and a write that have the thing, and their entries of it."""
    name = path_of(step.resource).partition("?")[0].rstrip("/").rpartition("/")[2]
    for one in reversed(case.steps[max(base.order + 1, step.order - _NEAR) : step.order]):
        content = one.content if one.actor == step.actor and one.is_read and one.status == _OK else None
        if content is None or len(content) > _LONGEST or len(name) <= _NAME or one.resource == step.resource:
            continue
        if host_of(one.resource) != host_of(step.resource) or not may_list(one, step):
            continue
        for entry in entries_in(one.view.json, _DEEP):
            if any(str(value) == name for value in entry.values() if isinstance(value, str | int)):
                yield one, Content.from_text(json.dumps(entry))


def version_carried(own: Sequence[Step], step: Step) -> tuple[str, bool] | None:
    """Return where an accepted write carries what counts its versions, and whether that is the last one read.

    Whatever it is called: two reads of two states show two values, and after the write there is a third.

    Args:
        own: what the same actor did to the resource, in order of time.
        step: a write whose content was read before.
    """
    reads = [one.representation for one in own if one.order < step.order and one.representation is not None]
    after = [one.shown_content for one in own if one.order >= step.order and one.shown_content is not None]
    if len(reads) < _NAME or not after or step.body is None:
        return None
    for pointer in _scalars_at(step.body):
        value = value_at(step.body, pointer)
        seen = [value_at(one, pointer) for one in reads]
        then = next((found for one in after if (found := value_at(one, pointer)) is not ABSENT), ABSENT)
        if then is ABSENT or value not in seen or seen[-1] == seen[0] or ABSENT in seen:
            continue
        values = [str(one) for one in (*dict.fromkeys(map(str, seen)), then)]
        if all(advanced(one, two) for one, two in pairwise(values)):
            return pointer, value == seen[-1]
    return None


def _scalars_at(content: Content) -> Iterator[str]:
    """Yield the JSON Pointers of the values of an object, and of the objects in it."""
    value = content.json()
    for name, one in cast("dict[str, object]", value).items() if isinstance(value, dict) else ():
        if isinstance(one, str | int) and not isinstance(one, bool):
            yield f"/{name.replace('~', '~0').replace('/', '~1')}"
