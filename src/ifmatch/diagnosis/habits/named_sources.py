"""Find where answers show what a sent value is called after, whatever value was sent; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.spent_versions import changed_since, prints
from ifmatch.diagnosis.reading.dates import told_moment, whole_second, zones_apart
from ifmatch.diagnosis.reading.version_words import CHANGED, NO_STATE, alike, of_changes
from ifmatch.diagnosis.steps.message_members import shown
from ifmatch.diagnosis.steps.refusal_words import says_outdated
from ifmatch.dialects.glossary import Words
from ifmatch.dialects.words import VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.habits.habit_traffic import Traffic
    from ifmatch.diagnosis.steps.message_members import Member
    from ifmatch.diagnosis.steps.step import Step

_FAILED: Final = 412
_CONFLICT: Final = 409
_REFUSING: Final = frozenset({400, 409, 412, 422})
# What is called after its end is no state that was read.
_ENDS: Final = Words(r"until|expir|\bend|\bto\b|due|deadline|till|start|\bfrom\b|begin|when|schedul|next")
# Time zones lie whole quarters of an hour apart, and no two of them further than this.
_QUARTER: Final = 900
_FURTHEST: Final = 14 * 3600
_TICK: Final = 1e-3


def of_state(traffic: Traffic, read: Step) -> list[Member]:
    """Return the values of an answer that may be about its state: no versions of formats, APIs, programs.

    Args:
        traffic: of the service.
        read: the answer.
    """
    return [
        one
        for one in shown(read)
        if not traffic.of_a_format((one.where, one.name))
        and not (one.where == "header" and NO_STATE.search(one.name) is not None)
    ]


def alike_source(traffic: Traffic, write: Step, member: Member) -> Member | None:
    """Return where answers hold what a refused value is called after, whatever value was sent.

    A damaged, empty or invented version stands in no answer.

    Args:
        traffic: of the service.
        write: that carries the value.
        member: the value.
    """
    words = CHANGED if of_changes(member) else VERSION
    for read in reversed(traffic.before(write) or traffic.read_after(write)):
        if read.header("etag") is not None:
            return None
        held = [
            one
            for one in of_state(traffic, read)
            if words.search(one.word) and not traffic.of_a_format((one.where, one.name))
        ]
        same = [one for one in held if alike(one.word, member.word)]
        if same or len(held) == 1:
            return (same or held)[0]
    return None


def dated_source(traffic: Traffic, write: Step, member: Member) -> Member | None:
    """Return where answers show when a thing was changed, for a time since which it may not have been.

    Beside the content such a name means nothing else, and no answer needs to have shown the time itself.

    Args:
        traffic: of the service.
        write: that carries the time.
        member: the time, under a name that says that nothing may have changed since.
    """
    dated = alike_source(traffic, write, member)
    if dated is None:
        return None
    if traffic.took(write):
        return dated if member.where in {"header", "query"} else None
    return dated if changed_since(write, member, dated) else None


def respelled_source(write: Step, member: Member, before: Sequence[Step]) -> Member | None:
    """Return the time under the very name that a refused one was made from: moved by a zone, or cut.

    Only an answer that can be about nothing else says so: clients spell the times of a record as they like.

    Args:
        write: that was refused.
        member: a value of it.
        before: the last answers that showed its resource.
    """
    sent_at = told_moment(member.value)
    if sent_at is None:
        return None
    refused = write.status == _FAILED or says_outdated(write)
    for read in reversed(before) if refused or write.status in _REFUSING else ():
        for held in shown(read):
            moment = told_moment(held.value)
            if moment is None or held.value == member.value:
                continue
            if held.word != member.word or not refused:
                if _zoned_beside(write, member, held):
                    return held
                continue
            away = abs(sent_at - moment)
            zoned = 0 < away <= _FURTHEST and min(away % _QUARTER, _QUARTER - away % _QUARTER) < _TICK
            if zoned or whole_second(member.value, held.value):
                return held
    return None


def _zoned_beside(write: Step, member: Member, held: Member) -> bool:
    """Tell whether a refused time is, in another zone, that of the last change, whatever it is called.

    The refusal prints both, or it stands beside the content, where it means nothing else. What runs for whole
    quarters of an hour from a change on is told neither way.
    """
    sent_at, moment = told_moment(member.value), told_moment(held.value)
    if sent_at is None or moment is None or not zones_apart(sent_at, moment):
        return False
    named = CHANGED.search(held.word) is not None
    if prints(write, member.value) and prints(write, held.value):
        return named or member.where in {"header", "query"}
    beside = member.where in {"header", "query"} and write.status in {_CONFLICT, _FAILED}
    return named and beside and _ENDS.search(member.word) is None
