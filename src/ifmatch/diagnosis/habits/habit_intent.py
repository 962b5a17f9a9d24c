"""Tell whether a version in a request can only be meant as a precondition, whatever became of the request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.habits.habit_traffic import place_of
from ifmatch.diagnosis.links.listed_versions import listed_before
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.version_words import EXPECTS, speaks_of_versions
from ifmatch.diagnosis.steps.message_members import members, sent, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ifmatch.diagnosis.habits.habit_traffic import Traffic
    from ifmatch.diagnosis.steps.message_members import Member
    from ifmatch.diagnosis.steps.step import Step

# What is not there any more.
_GONE: Final = frozenset({404, 410})
# Seconds after a look in which nobody has taken in what it shows, and changed it back.
_AT_ONCE: Final = 3.0
_SEVERAL: Final = 2
# Members that a record has, and a request about it too.
_NAMES: Final = frozenset({"id", "_id", "uuid", "key", "name", "type", "kind"})


def meant_as_one(traffic: Traffic, write: Step, member: Member, source: Member) -> bool:
    """Tell whether a value that a write carries is meant as a precondition, though nothing is refused.

    It names a version that goes on as the service takes writes, and no state of what is written: it stands
    beside the content, or in a content under a name of its own, or with a change rather than a record. A
    record that is sent back whole carries its version as it carries all its members.

    Args:
        traffic: of the service.
        write: that carries the value.
        member: the value in the request.
        source: the same value in the answer that showed it.
    """
    beside = member.where in {"header", "query"} and EXPECTS.search(member.name) is not None
    if not traffic.took(write):
        # What is not there, or was never answered: only its name tells what the value is meant as.
        alone = write.method == "DELETE" and member.where == "body"
        return (beside or alone) and (write.status in _GONE or write.unanswered)
    if beside:
        return True
    if not traffic.goes_on(place_of(source)):
        return False
    if member.where not in {"body", "text"} or tokens.printed(member.value):
        return True
    if write.method == "PATCH" or member.where != source.where or member.word != source.word:
        return True
    if not _whole(traffic, write, member) or _exchanged(traffic, write, member):
        return True
    if speaks_of_versions(member) and (
        tokens.counted_on(source.value, member.value) or _asked_apart(traffic, write, member)
    ):
        # The record was read with an older one: this one was asked for since, and put in.
        return True
    return _overtaken(traffic, write, member, source)


def _asked_apart(traffic: Traffic, write: Step, member: Member) -> bool:
    """Tell whether the last answer before a record is sent back shows its version, and nothing else of it.

    The record was read before, with another version.
    """
    before = traffic.before(write)
    if len(before) < _SEVERAL:
        return False
    mine = _of_content(one.word for one in sent(write) if one.where == member.where) - {member.word}
    held = [{one.word: one.value for one in shown(read)} for read in before]
    alone = held[-1].get(member.word) == member.value and mine.isdisjoint(held[-1])
    return alone and any(
        mine & one.keys() and member.value != one.get(member.word, member.value) for one in held[:-1]
    )


def _of_content(names: Iterable[str]) -> set[str]:
    """Return the names of members but for those that tell which thing it is, in whatever case."""
    return {name for name in names if name.casefold() not in _NAMES}


def _exchanged(traffic: Traffic, write: Step, member: Member) -> bool:
    """Tell whether a record that is sent back has a later version than its other members: it was put in.

    What differs between the two reads stands in it as the older read showed it, but for the version.
    """
    before = traffic.before(write)
    if not before:
        return False
    new = {one.name: one.value for one in shown(before[-1]) if one.where == "body"}
    mine = {one.name: one.value for one in sent(write) if one.where == "body"}
    reads = [{one.name: one.value for one in shown(read) if one.where == "body"} for read in before[:-1]]
    at_once = write.timed and 0 <= write.start - before[-1].end <= _AT_ONCE
    entry = listed_before(traffic.reads_above(write, before[-1]), write)
    if entry is not None:
        reads.append({one.name: one.value for one in members(entry[1].json())})
    for old in reads:
        apart = {name for name in old.keys() & new.keys() if old[name] != new[name]} - {member.name}
        late = old.get(member.name) != new.get(member.name) == mine.get(member.name)
        # What the service says beside, such as who wrote last, is not sent back.
        apart = apart & mine.keys() if at_once else apart
        enough = len(apart) > 1 or (len(apart) == 1 and at_once and _edits(mine, new, old))
        if late and enough and all(mine.get(name) == old[name] for name in apart):
            return True
    return False


def _edits(mine: Mapping[str, str], new: Mapping[str, str], old: Mapping[str, str]) -> bool:
    """Tell whether a write changes more than what it takes back."""
    return any(value not in {new.get(name), old.get(name)} for name, value in mine.items())


def _overtaken(traffic: Traffic, write: Step, member: Member, source: Member) -> bool:
    """Tell whether a record is sent back with an older version than its sender was last shown.

    Where the service counts on from the later one, that one was current, and nobody compared the two.
    """
    before, place = traffic.before(write), place_of(source)
    last = traffic.shows(before[-1]).get(place) if before else None
    if last is None or not speaks_of_versions(member) or last == member.value or traffic.tagged(write):
        return False
    after = traffic.next_shown(write, place)
    return after is not None and tokens.steps_on(last, after) == 1


def met_nothing(traffic: Traffic, write: Step, member: Member, source: Member) -> bool:
    """Tell whether a write names the version of a thing that was there when it was read, and is gone.

    Args:
        traffic: of the service.
        write: that carries the value.
        member: the value in the request.
        source: the same value in the answer that showed it.
    """
    if write.status not in _GONE or not (speaks_of_versions(member) and speaks_of_versions(source)):
        return False
    after = next((one for one in traffic.after(write) if one.is_read or traffic.took(one)), None)
    return after is not None and after.is_read and after.status in _GONE


def _whole(traffic: Traffic, write: Step, member: Member) -> bool:
    """Tell whether the members beside a version are those of the record as it was read."""
    beside = _of_content(one.word for one in sent(write) if one.where == member.where) - {member.word}
    records = [
        _of_content(one.word for one in shown(read) if one.where == "body") for read in traffic.before(write)
    ]
    if write.method == "POST" and records and beside < records[-1] - {member.word}:
        # What leaves out some members of the record is a change, as PATCH is.
        return False
    return any(beside & {one.word for one in shown(read)} for read in traffic.before(write))
