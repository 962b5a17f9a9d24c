"""Find signs that one count stands for several things: others show it as well, or its name says so."""

from __future__ import annotations

from itertools import islice, pairwise
from typing import TYPE_CHECKING, cast

from ifmatch.diagnosis.links.likeness import holds_own_tag
from ifmatch.diagnosis.links.listed_versions import entries_in, may_list
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import changed_pointers
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.reading.version_words import called_version, words_of
from ifmatch.diagnosis.steps.resources import bare, host_of, parent_of, path_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

# Shorter counts of different things meet by chance.
_TELLING = 3
# A collection, a thing of it, and what is in that thing.
_NESTED = 2
# So many steps before and after what a request was made from are looked at.
_AROUND = 40
# So many counts that came by themselves.
_MORE = 2


def carried_along(facts: Facts) -> tuple[Step, Step | None] | None:
    """Return a read of another item with the current count, and one that saw that item change with the count.

    Both items showed the two counts, and this one was the same under either.

    Args:
        facts: of a refused request whose target shows another count and the same content.

    Returns:
        The read, with None when no change of the other item was seen; None without such a read.
    """
    current = tokens.opaque(facts.current_tag or "")
    beside = [one for one in facts.case.givers(current) if len(current) >= _TELLING and _beside(facts, one)]
    for one in beside:
        for other in facts.case.history_of(one.resource):
            if other.read_ok and _changed(other, one) and _unmoved_at(facts, other):
                return one, other
    return (beside[0], None) if beside else None


def moved_along(facts: Facts) -> tuple[Step, tuple[str, ...], Step | None] | None:
    """Return a read of another item with a count to which this one had come although nothing of it changed.

    Counts of two things may meet; that one has moved more than once by itself, and the other has just its
    number then, is no chance.

    Args:
        facts: of a refused request whose target shows another count and the same content.

    Returns:
        The read, the counts that the target showed, and an accepted write of the other item on its count.
    """
    shown = [one for one in facts.own(facts.later) if one.read_ok and one.representation is not None]
    refresh = facts.refresh
    counts: list[str] = []
    for one in shown:
        if refresh is None or (one is not refresh and _changed(refresh, one)):
            break
        if one.etag is not None and tokens.opaque(one.etag) not in counts:
            counts.append(tokens.opaque(one.etag))
    if len(counts) < _MORE or not all(tokens.counted_on(*pair) for pair in pairwise(counts)):
        return None
    for count in reversed(counts):
        for one in facts.case.givers(count) if len(count) >= _TELLING else ():
            if _beside(facts, one):
                history = facts.case.history_of(one.resource)
                taken = (each for each in history.passed.get(count, ()) if each.order > one.order)
                return one, tuple(counts), next(taken, None)
    return None


def one_count(facts: Facts) -> tuple[Step, tuple[str, ...]] | None:
    """Return a look at another item by which all items of the collection show one count at a time.

    Short counts of two things meet by chance. That whatever is looked at, three things and more, shows the
    count of the moment, and none ever an older one than another thing had shown before, is no chance.

    Args:
        facts: of a refused request whose target shows another count and the same content.

    Returns:
        A step that shows another item at the current count, and the counts that several things showed.
    """
    issue, refresh = facts.source, facts.refresh
    token, current = facts.token, facts.current_tag
    if issue is None or refresh is None or token is None or current is None:
        return None
    span = facts.case.steps[max(0, issue.order - _AROUND) : refresh.order + _AROUND]
    own = [one for one in span if one.actor == facts.step.actor]
    if issue.within is not None and refresh.within is not None:
        return _in_lists(issue.within, refresh.within, token, current)
    found = _in_turn(facts, own, token, current) or _in_turn(facts, span, token, current)
    return found or _in_one_list(own, refresh, token, current)


def _in_one_list(
    own: Sequence[Step], refresh: Step, token: str, current: str
) -> tuple[Step, tuple[str, ...]] | None:
    """Return the list behind a look whose entries, the target among them, have all come to its new count."""
    new = tokens.opaque(current)
    if new.isdigit() and int(new) <= _MORE:
        # What was changed once, or never, has such a count of its own.
        return None
    for one in own:
        near = one.order > refresh.order and one.read_ok and new in one.view.text
        if near and host_of(one.resource) == host_of(refresh.resource) and may_list(one, refresh):
            entries = _entries(one)
            for name in {word for entry in entries for word in entry if called_version(word)}:
                shown = {str(entry.get(name, "")) for entry in entries}
                if len(entries) > _MORE and shown == {new}:
                    return one, (tokens.opaque(token), new)
    return None


def _of_one_kind(one: str, two: str) -> bool:
    """Tell whether two things are of one collection: beside each other, by a query, or by one step above."""
    if parent_of(one) == parent_of(two) or bare(one) == bare(two):
        return True
    if host_of(one) != host_of(two) or "?" in one or "?" in two:
        return False
    parts, others = (path_of(each).split("/") for each in (one, two))
    return (
        len(parts) == len(others)
        and sum(each != other for each, other in zip(parts, others, strict=True)) == 1
    )


def _in_lists(first: Step, last: Step, token: str, current: str) -> tuple[Step, tuple[str, ...]] | None:
    """Return the later of two lists where all entries have one count, and had another one before."""
    old, new = tokens.opaque(token), tokens.opaque(current)
    for name in {word for one in _entries(last) for word in one if called_version(word)}:
        lists = [[str(one[name]) for one in _entries(each) if name in one] for each in (first, last)]
        if min(map(len, lists)) > _MORE and [set(one) for one in lists] == [{old}, {new}]:
            return last, (old, new)
    return None


def _entries(listing: Step) -> list[dict[str, object]]:
    return [*islice(entries_in(listing.view.json, _NESTED), _AROUND)]


def _in_turn(
    facts: Facts, span: Sequence[Step], token: str, current: str
) -> tuple[Step, tuple[str, ...]] | None:
    here, now = facts.step.resource, tokens.opaque(current)
    shown = [
        one
        for one in span
        if one.etag is not None and (one.read_ok or one.accepted) and _of_one_kind(one.resource, here)
    ]
    counts = [tokens.opaque(one.etag or "") for one in shown]
    if any(one != two and tokens.steps_on(one, two) <= 0 for one, two in pairwise(counts)):
        return None
    things: dict[str, set[str]] = {}
    for count, one in zip(counts, shown, strict=True):
        things.setdefault(count, set()).add(one.resource)
    old, new = (len(things.get(tokens.opaque(one), set()) - {here}) for one in (token, current))
    several = tuple(count for count, who in things.items() if len(who) > 1)
    if not new or (not old and new < _MORE) or len({one.resource for one in shown}) <= _MORE:
        return None
    if len(several) < _MORE and new < _MORE:
        return None
    beside = (one for one in shown if one.resource != here and tokens.opaque(one.etag or "") == now)
    return next(beside), several


def _beside(facts: Facts, read: Step) -> bool:
    """Tell whether a step is a read of another item of the same collection, or of one that counts along."""
    here = facts.step.resource
    if read.resource == here or not read.read_ok:
        return False
    return parent_of(read.resource) == parent_of(here) or _in_step(facts, read)


def _in_step(facts: Facts, read: Step) -> bool:
    """Tell whether another thing of the service, wherever it is, showed two of the counts that this one had.

    One such count may be met by chance, as versions of files in two folders are.
    """
    here = facts.step.resource
    if host_of(read.resource) != host_of(here):
        return False
    if any(
        one.resource.startswith(f"{other.resource.partition('?')[0].rstrip('/')}/")
        for one, other in ((facts.step, read), (read, facts.step))
    ):
        # A list shows the versions of its entries, a part that of the whole.
        return False
    near = (facts.case.history_of(one).near((facts.step,)) for one in (here, read.resource))
    mine, there = ({tokens.opaque(one.etag or "") for one in each if one.read_ok} for each in near)
    return len([one for one in mine & there if one.isdigit() and len(one) >= _TELLING]) >= _MORE


def carried_above(facts: Facts) -> tuple[Step, tuple[str, ...]] | None:
    """Return the own read of what the target is a part of, and the counts that both of them showed.

    A list of things shows the versions of its entries, no count of its own.

    Args:
        facts: of a refused request whose target shows another count and the same content.
    """
    mine = {one.etag for one in facts.own(facts.history) if one.read_ok} - {None}
    here = facts.step.resource.partition("?")[0]
    found: dict[str, list[Step]] = {}
    for count in mine:
        for one in facts.own(facts.case.givers(tokens.opaque(count or ""))):
            if one.read_ok and here.startswith(bare(one.resource) + "/"):
                found.setdefault(one.resource, []).append(one)
    for reads in found.values():
        counts = tuple(dict.fromkeys(tokens.opaque(one.etag or "") for one in reads))
        if len(counts) > 1 and all(count.isdigit() for count in counts) and not _of_entries(reads[-1]):
            return reads[-1], counts
    return None


def _of_entries(read: Step) -> bool:
    """Tell whether what a read shows is a list, or holds lists of records."""
    value = read.view.json
    held: list[object] = [value]
    if isinstance(value, dict):
        held += list(cast("dict[str, object]", value).values())
    return any(
        isinstance(one, list) and any(isinstance(entry, dict) for entry in cast("list[object]", one))
        for one in held
    )


def _changed(before: Step, after: Step) -> bool:
    """Tell whether two reads of one thing show two counts, and two contents beside the counts."""
    if before.etag is None or after.etag is None or before.etag == after.etag:
        return False
    pointers = changed_pointers(before.representation, after.representation) or ()
    return any(
        not stamped(pointer) and not (holds_own_tag(before, pointer) and holds_own_tag(after, pointer))
        for pointer in pointers
    )


def _unmoved_at(facts: Facts, there: Step) -> bool:
    """Tell whether the target was shown under the count of another item's read as under the current one."""
    refresh = facts.refresh
    if refresh is None:
        return False
    shown = [one for one in facts.own(facts.history) if one.read_ok and one.representation is not None]
    return any(one.etag == there.etag and not _changed(one, refresh) for one in shown)


def named_after(facts: Facts) -> str:
    """Return the collection whose things the guard's own name speaks of, "" when it speaks of none above.

    `boardVersion` of what stands under `/boards/` and the board's own name counts for the board.

    Args:
        facts: of a refused request.
    """
    guard = facts.guard
    if guard is None or guard.standard:
        return ""
    words = words_of(guard.name.rpartition("/")[2])
    parts = [part for part in path_of(facts.step.resource).partition("?")[0].split("/") if part]
    above = parts[: -_NESTED - 1]
    return next((part for part in reversed(above) if words & set(_singular(part.lower()))), "")


def _singular(name: str) -> Iterator[str]:
    """Yield what one thing of a collection may be called, nothing for a name that is no plural."""
    if name.endswith("ies"):
        yield name[:-3] + "y"
    if name.endswith("es"):
        yield name[:-2]
    if name.endswith("s") and not name.endswith("ss"):
        yield name[:-1]
