"""Learn how the calls of one address name what they are about and carry its version: in their own names."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ifmatch.diagnosis.habits.call_records import calls
from ifmatch.diagnosis.habits.dialect_habits import joined, learn
from ifmatch.diagnosis.reading.version_words import speaks_of_versions
from ifmatch.diagnosis.steps.message_members import Member, sent, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.dialects import Dialect

# The members of the envelope itself number and name the call, not the thing.
_WITHIN: Final = 2
_MOST: Final = 400


def naming(service: Sequence[Step], dialect: Dialect) -> Dialect | None:
    """Return a family of calls that knows the member by which these calls name a thing, None without one.

    The answer to a read repeats the member under its name, and a write carries the same value at that place.

    Args:
        service: its steps, their dialects set, none of them named by a member that the family knows.
        dialect: the family, such as JSON-RPC.
    """
    if not calls(dialect) or any("#" in step.resource for step in service):
        return None
    read: dict[str, set[str]] = {}
    written: Counter[tuple[str, str]] = Counter()
    for step in service[:_MOST]:
        named = [one for one in sent(step) if _names(one)]
        if step.is_write:
            written.update((one.name, one.value) for one in named)
            continue
        answered = {(one.word, one.value) for one in shown(step)}
        for one in named:
            if (one.word, one.value) in answered:
                read.setdefault(one.name, set()).add(one.value)
    votes = Counter[str]()
    for (pointer, value), times in written.items():
        if value in read.get(pointer, ()):
            votes[pointer] += times
    if not votes:
        return None
    return replace(dialect, identity=(*dialect.identity, votes.most_common(1)[0][0]))


def _names(member: Member) -> bool:
    inside = member.where == "body" and member.name.count("/") >= _WITHIN
    return inside and not speaks_of_versions(member)


def carrying(service: Sequence[Step], dialect: Dialect) -> Dialect | None:
    """Return a family that knows where these calls carry a version, None when they show no such place.

    Args:
        service: its steps, their dialects and resources set.
        dialect: the family.
    """
    if not calls(dialect) or any(step.guard is not None for step in service if step.is_write):
        return None
    learned = learn(service)
    return joined(learned, dialect) if learned is not None else None
