"""Tell a version that went on with what people wrote from a count that goes on with each look; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.steps.message_members import sent, shown
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from ifmatch.diagnosis.steps.step import Step

# What is drawn anew for each answer, and what measures something, is no edit.
_DRAWN: Final = late_pattern(r"[\d.,:+-]*|[0-9a-f-]{8,}|(?=\S*\d)\S{8,}", re.IGNORECASE)


def written_words(about: Iterable[Step]) -> frozenset[str]:
    """Return the names of the members that requests about a resource write.

    Args:
        about: the steps of the resource.
    """
    return frozenset(one.word for step in about if step.is_write for one in sent(step) if one.where == "body")


def written_members(words: Collection[str], read: Step) -> dict[tuple[str, str], str]:
    """Return the members of an answer that requests about the same resource write, by their places.

    Args:
        words: names of what they write.
        read: an answered look at the resource.
    """
    return {(one.where, one.name): one.value for one in shown(read) if one.word in words}


def others_moved(
    was: Mapping[tuple[str, str], str], now: Mapping[tuple[str, str], str], place: tuple[str, str]
) -> bool:
    """Tell whether words that people write differ between two looks, besides what stands at a place.

    Args:
        was: the written members as the earlier look showed them.
        now: those of the later one.
        place: where the count stands.
    """
    return any(
        was[one] != now[one] and not any(map(_drawn, (was[one], now[one])))
        for one in was.keys() & now.keys() - {place}
    )


def _drawn(value: str) -> bool:
    return _DRAWN.fullmatch(value) is not None or told_moment(value) is not None
