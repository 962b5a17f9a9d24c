"""Tell which value of a write is the version over which a success denies it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.habits.habit_traffic import place_of
from ifmatch.diagnosis.links.spent_versions import counts_past, prints
from ifmatch.diagnosis.links.succession import later_time
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.version_words import alike
from ifmatch.diagnosis.steps.message_members import sent, shown
from ifmatch.diagnosis.steps.refusal_words import says_outdated
from ifmatch.dialects.words import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.habits.habit_traffic import Traffic
    from ifmatch.diagnosis.steps.message_members import Member
    from ifmatch.diagnosis.steps.step import Step

_CLIENT_FAULT: Final = 400
_SERVER_FAULT: Final = 500
# Who asks, how often, and for what is not there.
_OF_OTHERS: Final = frozenset({401, 404, 405, 408, 410, 411, 413, 414, 415, 416, 429, 431, 451})
# What nobody does to a value on purpose.
DAMAGES: Final = frozenset(
    {
        "respelt",
        "cut",
        "percent-encoded",
        "percent-decoded",
        "plus-lost",
        "html-escaped",
        "base64",
        "escaped",
        "case-changed",
    }
)


def denied_version(traffic: Traffic, write: Step, member: Member, source: Member) -> bool:
    """Tell whether a value that an answer had shown is the version over which a write came to nothing.

    The answer calls it outdated and it is named as the version which was shown, or the write left all as it
    was and the count is printed, or shown, further on.

    Args:
        traffic: of the service.
        write: that carries the value.
        member: the value in the request.
        source: the same value in the answer that showed it.
    """
    same = alike(member.word, source.word)
    blamed = same and VERSION.search(source.word) is not None and prints(write, member.value)
    if blamed and traffic.conflicts(write) and says_outdated(write):
        return True
    if write.seen.outdated is None:
        return False
    if prints(write, member.value) and counts_past(write, member.value):
        return True
    after = traffic.next_shown(write, place_of(source)) if same else None
    return after is not None and (tokens.counted_on(source.value, after) or later_time(source.value, after))


def passed_with(traffic: Traffic, write: Step, member: Member) -> Iterator[str]:
    """Yield what later requests that passed have in the place of a refused value, and no other difference.

    Args:
        traffic: of the service.
        write: refused.
        member: its value.
    """
    rest = {one for one in sent(write) if one != member}
    for one in traffic.after(write):
        if traffic.took(one) and one.method == write.method:
            apart = [held for held in sent(one) if held not in rest]
            if len(apart) == 1 and place_of(apart[0]) == place_of(member):
                yield apart[0].value


def corrected_source(traffic: Traffic, write: Step, member: Member) -> Member | None:
    """Return where a thing shows the value that passed in the place of a sent one, and counted on.

    Whatever the two are called, and whatever the fault said: with the thing's own count, and no other
    difference, the same request was carried out, and the count went on by that.

    Args:
        traffic: of the service.
        write: answered with a fault of the request.
        member: a value of it.
    """
    if not _CLIENT_FAULT <= write.status < _SERVER_FAULT or write.status in _OF_OTHERS:
        return None
    for value in passed_with(traffic, write, member) if member.value.isdigit() else ():
        for read in (*reversed(traffic.before(write)), *traffic.read_after(write)):
            for one in shown(read):
                if one.value != value or not alike(one.word, member.word):
                    continue
                passed = next(each for each in traffic.after(write) if traffic.took(each))
                after = traffic.next_shown(passed, place_of(one))
                if after is not None and tokens.counted_on(value, after):
                    return one
    return None
