"""Tell by what an answer that denies a write says which of its values was compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.habits.habit_traffic import place_of
from ifmatch.diagnosis.links.spent_versions import THERE, counts_in, counts_past, named_past
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.version_words import EXPECTS, alike, only_expected
from ifmatch.diagnosis.steps.message_members import sent, shown
from ifmatch.diagnosis.steps.refusal_words import says_cannot, says_outdated
from ifmatch.dialects.words import VERSION

if TYPE_CHECKING:
    from ifmatch.diagnosis.habits.habit_traffic import Traffic
    from ifmatch.diagnosis.steps.message_members import Member
    from ifmatch.diagnosis.steps.step import Step


def left_out_later(traffic: Traffic, write: Step, member: Member) -> bool:
    """Tell whether a service cannot do a value that is called a condition, or the same passed without it.

    Args:
        traffic: of the service.
        write: not carried out, as its answer says.
        member: a value of it.
    """
    if not says_cannot(write):
        return False
    if EXPECTS.search(member.word) is not None:
        return True
    rest = {place_of(one) for one in sent(write)} - {place_of(member)}
    return any(
        traffic.took(one) and {place_of(held) for held in sent(one)} == rest for one in traffic.after(write)
    )


def denied_over(traffic: Traffic, write: Step, member: Member, source: Member) -> bool:
    """Tell whether an answer that denies a write names a count of it that has gone on since.

    Args:
        traffic: of the service.
        write: any write.
        member: a value of it.
        source: where an answer had shown that value.
    """
    if traffic.took(write):
        return False
    if not alike(member.word, source.word):
        return _only_expected(traffic, write, member, source)
    if _counted_past(traffic, write, member) or _called_there(traffic, write, member, source):
        return True
    return 200 <= write.status < 300 and named_past(
        write, member, traffic.next_shown(write, place_of(source))
    )


def _only_expected(traffic: Traffic, write: Step, member: Member, source: Member) -> bool:
    """Tell whether a value is called expected, and nothing else, where answers show a version of that value.

    The denial names a later one, or says that it is outdated.
    """
    if not traffic.conflicts(write) or VERSION.search(source.word) is None:
        return False
    if not only_expected(member.word) or traffic.stored(write, member):
        return False
    return says_outdated(write) or any(tokens.counted_on(member.value, one) for one in counts_in(write))


def _called_there(traffic: Traffic, write: Step, member: Member, source: Member) -> bool:
    """Tell whether a value is called expected, and its refusal shows what it was called after further on.

    `if_state: 20` is answered with `state: 21`.
    """
    if not traffic.conflicts(write) or EXPECTS.search(member.word) is None or member.word == source.word:
        return False
    there = {one.value for one in shown(write) if one.word == source.word}
    return len(there) == 1 and tokens.counted_on(member.value, next(iter(there)))


def _counted_past(traffic: Traffic, write: Step, member: Member) -> bool:
    """Tell whether a refusal prints the count that was sent and the one that is there, and no third."""
    if not traffic.conflicts(write) or not counts_past(write, member.value):
        return False
    told = [one for one in shown(write) if one.where in {"body", "text"}]
    there = [one for one in told if tokens.counted_on(member.value, one.value)]
    named = any(THERE.search(one.word) or VERSION.search(one.word) for one in there)
    return len({one.value for one in there}) == 1 and (named or says_outdated(write))
