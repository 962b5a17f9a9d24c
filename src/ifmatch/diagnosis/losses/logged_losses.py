"""Find what an accepted write took away of a change that only a list of changes shows."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.links.in_time import looked
from ifmatch.diagnosis.losses.accounts_counted import between_versions
from ifmatch.diagnosis.losses.lists_in_turn import element_lost
from ifmatch.diagnosis.losses.looks_beside import look_beside
from ifmatch.diagnosis.losses.one_count import met_one
from ifmatch.diagnosis.losses.states_in_turn import (
    built_beside,
    by_word,
    dropped,
    made_versions,
    overwritten,
    own_entry,
    own_in_time,
    replaced,
    set_by,
    stored_beside,
    taken_twice,
    told_twice,
)
from ifmatch.diagnosis.losses.told_changes import (
    account_of,
    known_as,
    lists,
    moments_of,
    telling_piece,
    telling_words,
)
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.dates import http_date, shown
from ifmatch.diagnosis.reading.listed_records import leaves_of, records_in
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.reading.transitions import transitions
from ifmatch.diagnosis.steps.resources import bare
from ifmatch.model.diagnosis import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.case.gathered import Gathered
    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.losses.told_changes import Change
    from ifmatch.diagnosis.reading.transitions import Transition
    from ifmatch.diagnosis.steps.step import Step

# Seconds by which the time of an own change may lie beside its request, where clocks agree; times of a list
# may lack the fraction of their second.
_BESIDE: Final = 0.5
_CUT: Final = 1.0
# So many steps after a write an account of changes is looked for.
_NEAR: Final = 80


def logged_between(case: Case, history: History, step: Step) -> Damage | None:
    """Find another's change that a list of changes has between a write and what it was made from.

    Args:
        case: everything known.
        history: of the resource.
        step: an accepted write whose precondition, if any, kept nothing from it.
    """
    base = looked(history, step) or look_beside(case, step) if _in_accounts(step) else None
    if base is None:
        return None
    answers = _answers(case, step)
    return _told_between(case, base, step, answers) or _by_versions(history, base, step, answers)


def _by_versions(history: History, base: Step, step: Step, answers: Sequence[Step]) -> Damage | None:
    """Find another's change that lies between two versions, by their count or their turn in a list."""
    if not step.puts or (step.guard is not None and step.guard.guard is not Guard.EXISTS):
        return None
    if step.etag is None and not made_versions(step):
        return None
    if not base.issued() and base.content is None:
        return None
    told = [one for one in (step, *answers) if lists(one)]
    versions = known_as((*base.issued(), *step.issued()))
    for changes in _accounts(step, told, versions):
        found = between_versions(history, base, step, changes)
        if found is not None:
            text = f"the list of changes has one by {found.who} between the version read and the one written"
            return Damage(Outcome.LOST_UPDATE, text, lost=found.listing, told=found.when)
    return None


def _in_accounts(step: Step) -> bool:
    """Tell whether a write is one of which accounts of changes are read."""
    if not step.timed or step.method == "DELETE":
        return False
    return step.puts or step.alters or step.method == "PATCH" or step.guard is not None


def _told_between(case: Case, base: Step, step: Step, answers: Sequence[Step]) -> Damage | None:
    """Find another's change between a read and a write in what answers tell of changes."""
    told = [one for one in (step, *answers) if lists(one)]
    if not base.timed or not told:
        return None
    versions = known_as((base.etag, step.etag))
    # The answer to the write may have the list as well.
    for changes in _accounts(step, told, versions, bare=True):
        found = _by_times(base, step, changes) or _in_turn(case, base, step, changes)
        if found is not None:
            return found
    return None


def _answers(case: Case, step: Step) -> list[Step]:
    """Return the answers that the sender of a write was given soon after it, and that may tell of it.

    A list that has as many entries as it had before the write shows things as they are: one of what became
    of them has one more.
    """
    gathered = case.gathered(step.actor)
    if not gathered.answers_after(step, _NEAR):
        return []
    near = gathered.answers_naming(telling_piece(step), step, _NEAR)
    if words := telling_words(step):
        # What is told of changes may say what was set, and not of what.
        known = {one.order for one in near}
        more = [one for one in gathered.answers_naming(words, step, _NEAR) if one.order not in known]
        near = sorted([*near, *more], key=lambda one: one.order)
    return [one for one in near if not _as_long(gathered, step, one)]


def _as_long(gathered: Gathered, step: Step, listing: Step) -> bool:
    before = next(gathered.reads_of(listing, step), None)
    if before is None or before.content is None or listing.content is None:
        return False
    count = len(records_in(before.content.text))
    return count > 1 and count == len(records_in(listing.content.text))


def _accounts(
    step: Step, listings: Sequence[Step], versions: Sequence[str], *, bare: bool = False
) -> Iterator[list[Change]]:
    """Yield what each of some answers tells of changes of a thing, those that tell nothing left out."""
    told = account_of(step, listings, versions, bare=bare) if listings else ()
    for _, changes in groupby(told, key=lambda change: change.listing.order):
        yield list(changes)


def _by_times(base: Step, step: Step, changes: Sequence[Change]) -> Damage | None:
    """Return the damage that the entries of the time of a write, and those since the read, tell."""
    timely = [each for each in changes if _is_of(each, step)]
    own = own_in_time(step, timely)
    # One write may have a row for each value that it changed.
    mine = [each for each in timely if own is not None and each.when == own.when]
    if not mine:
        return None
    undone = next((one for each in mine if (one := _undone(base, step, each)) is not None), None)
    if undone is not None:
        return _taken(undone, mine[0].listing, _between(base, mine[0], changes))
    if len(mine) > 1:
        return None
    return _by_another(base, step, mine[0], _between(base, mine[0], changes))


def _between(base: Step, own: Change, changes: Sequence[Change]) -> list[Change]:
    """Return the entries of a time since a read and before an own one."""
    return [each for each in changes if each.when is not None and base.end < each.when < (own.when or 0.0)]


def _in_turn(case: Case, base: Step, step: Step, changes: Sequence[Change]) -> Damage | None:
    """Return the damage that the order of the entries tells, whatever their times, and be there none."""
    if base.left is None or step.body is None or _went_elsewhere(case, base, step):
        return None
    own = own_entry(base, step, changes)
    if own is None:
        # A list of values is no one value: which entry has it is told by the time.
        timely = [each for each in changes if _is_of(each, step)]
        return _element(base, step, timely[0], changes, shown=True) if len(timely) == 1 else None
    undone = _undone(base, step, own)
    if undone is not None:
        return _taken(undone, own.listing, [])
    part = _element(base, step, own, changes, shown=not step.puts)
    if part is not None:
        return part
    if (theirs := overwritten(base, step, own, changes)) is not None:
        change, word = theirs
        text = f"the list of changes has {word} changed by {change.who} before this write replaced it unseen"
        return Damage(Outcome.LOST_UPDATE, text, lost=change.listing, told=change.when)
    found = replaced(base, step, own, changes)
    if found is None and (added := dropped(base, step, own, changes)) is not None:
        change, word = added
        by = f" by {change.who}" if change.who else ""
        text = (
            f"the list of changes has one{by} right before this write, and the {word} that it added is gone"
        )
        return Damage(Outcome.LOST_UPDATE, text, lost=change.listing, told=change.when)
    if found is None:
        return None
    change, word = found
    by = f" by {change.who}" if change.who else ""
    text = f"the list of changes has one{by} right before this write, and the {word} that it set is gone"
    # An own entry without values does not tell whether others have what they set, or what was there before.
    shown = word in set_by(own)
    return Damage(Outcome.LOST_UPDATE, text, lost=change.listing, told=change.when, proven=shown)


def _element(base: Step, step: Step, own: Change, changes: Sequence[Change], *, shown: bool) -> Damage | None:
    """Return the damage to an element of a list, where entries tell of it."""
    part = element_lost(base, step, own, changes, shown=shown)
    if part is None:
        return None
    change, element = part
    by = f" by {change.who}" if change.who and change is not own else ""
    text = f"the list of changes has one{by} that tells of {element}, unseen by its sender, and undone"
    return Damage(Outcome.LOST_UPDATE, text, lost=change.listing, told=None if change is own else change.when)


def _went_elsewhere(case: Case, base: Step, step: Step) -> bool:
    """Tell whether the client itself changed parts of the thing, or all of it elsewhere, since the read."""
    here = bare(step.resource)
    return any(
        one.actor == step.actor
        and one.accepted
        and (one.resource.startswith(here + "/") or here.startswith(one.resource.partition("?")[0] + "/"))
        for one in case.steps[base.order + 1 : step.order]
    )


def _taken(undone: Transition, listing: Step, others: Sequence[Change]) -> Damage:
    changed = f"{undone.word} go from {undone.before} to {undone.after}"
    text = f"the list of changes has {changed} by this write, whose sender had left it as it was read"
    when = others[0].when if len(others) == 1 else None
    return Damage(Outcome.LOST_UPDATE, text, lost=listing, told=when)


def _is_of(change: Change, step: Step) -> bool:
    """Tell whether an entry is of the time of a write."""
    if change.when is None:
        return False
    before = _BESIDE if change.when % 1 else _CUT
    return step.start - before <= change.when <= step.end + _BESIDE


def _by_another(base: Step, step: Step, own: Change, others: Sequence[Change]) -> Damage | None:
    """Return the damage to another's change, told by its author, or by the state that the list has of it."""
    lost: Change | None = next((each for each in others if _taken_from(base, step, own, each)), None)
    plain = step.guard is None or step.guard.guard is Guard.EXISTS
    if plain and step.puts and own.who and lost is None:
        lost = next((each for each in others if each.who and each.who != own.who), None)
        text = f"the list of changes has one by {lost.who} between the read and this write" if lost else ""
    else:
        by = f" by {lost.who}" if lost is not None and lost.who and lost.who != own.who else ""
        text = f"the list of changes has one{by} between the read and this write, and what it set is gone"
    if lost is None or (lost.who and lost.who == own.who):
        return None
    return Damage(Outcome.LOST_UPDATE, text, lost=lost.listing, told=lost.when)


def _taken_from(base: Step, step: Step, own: Change, change: Change) -> bool:
    """Tell whether an entry shows a state that differs from what was read, and that a write undid.

    Args:
        base: the read.
        step: the write.
        own: the entry of the write.
        change: the entry between the two.
    """
    if base.left is None or step.body is None:
        return False
    old, mine = (by_word(leaves_of(one.text)) for one in (base.left, step.body))
    theirs, stored = (set_by(one) for one in (change, own))
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
    if base.left is None or step.body is None:
        return None
    old, mine = (by_word(leaves_of(one.text)) for one in (base.left, step.body))
    for one in transitions(own.record):
        if one.before != one.after == old.get(one.word) == mine.get(one.word) and not stamped("/" + one.word):
            return one
    return None


def logged_over_date(case: Case, history: History, step: Step) -> Damage | None:
    """Find another's change that a list of changes has, and that a date of the same second let be undone.

    Args:
        case: everything known.
        history: of the resource.
        step: an accepted write on a date.

    Source: RFC 9110 section 8.8.2.2 (a date is weak within its second).
    """
    guard = step.guard
    sent = http_date(guard.value) if guard is not None else None
    if sent is None or not history.dated(step, sent):
        return None
    found = logged_between(case, history, step) or _within_second(case, history, step, sent)
    found = found or _counted_within(case, history, step, sent)
    if found is None or found.told is None or found.told < sent:
        return None
    if found.told < sent + 1:
        text = (
            f"{found.text}: it was made at {shown(found.told)}, in the very second of the date that was sent"
        )
        return replace(found, text=text)
    return replace(found, stale_accepted=True)


def _counted_within(case: Case, history: History, step: Step, sent: float) -> Damage | None:
    """Find a count that went on by two over one write, all within the second of the date that was sent."""
    base = looked(history, step) if step.puts and step.last_modified == sent else None
    if base is None or not base.read_ok or base.last_modified != sent or not met_one(case, base, step):
        return None
    text = "the count went on by two over one write: another lay in between"
    return Damage(Outcome.LOST_UPDATE, text, lost=base, proven=False, told=sent)


def _within_second(case: Case, history: History, step: Step, sent: float) -> Damage | None:
    """Find an entry of the second of a date that was sent, made after the read and before the write.

    What it changed need not be told: a whole state that was made from the read takes it back, as does what
    removes it. What changes values alone takes back what had set the very same.

    Args:
        case: everything known.
        history: of the resource.
        step: an accepted write on the date.
        sent: the date.
    """
    base = looked(history, step) if step.timed else None
    if base is None or not base.timed or base.last_modified != sent or not base.read_ok:
        return None
    answers = [one for one in _answers(case, step) if lists(one)]
    for changes in _accounts(step, answers, known_as((base.etag, step.etag))):
        mine = own_in_time(step, [each for each in changes if _is_of(each, step)])
        if mine is None or mine.when is None:
            continue
        others = [one for one in _between(base, mine, changes) if sent <= (one.when or 0.0) < sent + 1]
        if not (step.puts or step.method == "DELETE"):
            others = [one for one in others if _set_anew(step, one)]
        lost = next((one for one in others if not (one.who and one.who == mine.who)), None)
        if lost is not None:
            by = f" by {lost.who}" if lost.who else ""
            text = f"the list of changes has one{by} between the read and this write"
            return Damage(Outcome.LOST_UPDATE, text, lost=lost.listing, told=lost.when)
    return None


def _set_anew(step: Step, change: Change) -> bool:
    """Tell whether a write sets a value that an entry had set otherwise."""
    mine = by_word(leaves_of(step.body.text)) if step.body is not None else {}
    theirs = set_by(change)
    return any(theirs[word] != mine[word] for word in mine.keys() & theirs.keys() if not stamped("/" + word))


def logged_over_version(case: Case, history: History, step: Step) -> Damage | None:
    """Find another's change that a list of changes has between a version that was accepted and its write.

    Args:
        case: everything known.
        history: of the resource.
        step: an accepted write on the version that its sender had read.
    """
    guard = step.guard
    if guard is None or guard.guard is not Guard.SAME or not guard.of_one or guard.unseen:
        return None
    answers = _answers(case, step)
    base = looked(history, step) if answers or lists(step) else None
    if base is None or not any(token in base.issued() for token in guard.tokens):
        return None
    found = _made_beside(base, step, answers)
    if found is None and _in_accounts(step):
        found = _told_between(case, base, step, answers)
    if found is None or found.overlap:
        return found
    if found.told is not None and found.told >= step.start:
        return replace(found, overlap=True, slipped=True)
    return replace(found, stale_accepted=True)


def _on_one_base(step: Step, own: Change, other: Change) -> Damage:
    """Return the damage of two writes that the list of changes has on one base, by what it tells of times."""
    moments = moments_of(other)
    together = bool(moments) and all(step.start - _CUT <= one <= step.end + _CUT for one in moments)
    text = "the list of changes has another one that was made from the very version that was sent"
    return Damage(
        Outcome.LOST_UPDATE,
        text,
        lost=own.listing,
        overlap=together or not moments,
        slipped=not moments,
        stale_accepted=bool(moments) and not together,
        told=other.when,
    )


def _several_made(step: Step, several: Sequence[Change], what: str) -> Damage:
    """Return the damage of two writes that the list of changes has as made of one base."""
    moments = [moment for one in several for moment in moments_of(one)]
    together = bool(moments) and all(step.start - _CUT <= one <= step.end + _CUT for one in moments)
    who = " and ".join(one.who for one in several[:2])
    text = f"the list of changes has {what} the version that was sent: {who}"
    return Damage(
        Outcome.LOST_UPDATE,
        text,
        lost=several[0].listing,
        overlap=together or not moments,
        slipped=not together,
        stale_accepted=bool(moments) and not together,
    )


def _made_beside(base: Step, step: Step, answers: Sequence[Step]) -> Damage | None:
    """Find in a list of changes two that made one version: both were compared before either was stored."""
    versions = known_as((base.etag, step.etag)) if answers else ()
    for changes in _accounts(step, answers, versions):
        listing, own = changes[0].listing, own_entry(base, step, changes)
        other = stored_beside(base, step, own, changes) if own is not None else None
        if own is not None and other is None:
            second = built_beside(base, step, own, changes)
            if second is not None:
                return _on_one_base(step, own, second)
        if other is None:
            if several := told_twice(step, changes):
                return _several_made(step, several, f"two that made {several[0].version} of")
            if step.puts and (several := taken_twice(step, changes)):
                return _several_made(step, several, "two that were taken in place of")
            continue
        moments = moments_of(other)
        together = bool(moments) and all(step.start - _CUT <= one <= step.end + _CUT for one in moments)
        text = f"the list of changes has another that made version {other.version} beside this one"
        return Damage(
            Outcome.LOST_UPDATE, text, lost=listing, overlap=True, slipped=not together, told=other.when
        )
    return None
