"""Tell which later version is told of a write beside the one that it was made from, and what denies it.

What is told may be its answer or a report, in whatever words: numbers, times and tags stand in any of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.succession import TIME, later_time
from ifmatch.diagnosis.links.written_things import name_of
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.message_members import sent, shown
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ifmatch.diagnosis.steps.step import Step

_LONGEST: Final = 4000
# What follows a colon is part of a time, but for the value of a member in JSON without blanks.
_NUMBER: Final = late_pattern(r"(?<![\w.,+-])(?:(?<!:)|(?<=[\"']:))\d{1,15}(?![\w:-]|[.,]\d)")
_MOMENT: Final = late_pattern(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.]*(?:Z|[+-]\d\d:?\d\d)?")
_WORD: Final = late_pattern(r"[\w][\w.:+/-]*")
# Of faults there are none, and codes have that number for success.
_NO_FAULT: Final = (
    r"(?![^\"'=<>:\n]{0,20}(?:fail|err|conflict|skip|reject|warn|fault|lost|status|code))"
    r"(?!(?:rc|rv|r|st|res|ret(?:urn)?|result|exit|kod|kode|codi\w*)[\"'=<>: ])"
)
# What denies or counts nothing, whatever it is called.
_NAUGHT: Final = late_pattern(
    rf"[\"']{_NO_FAULT}[^\"'\n]{{1,40}}[\"']\s*:\s*(?:false|0)\s*[,}}\]]"
    rf"|\s{_NO_FAULT}[\w.-]{{2,40}}=\"(?:false|0)\""
    rf"|<{_NO_FAULT}(?P<name>[\w.:-]{{2,40}})>\s*(?:false|0)\s*</"
    rf"|^[ \t]*{_NO_FAULT}[\w .-]{{2,40}}[:=][ \t]*(?:false|0)[ \t]*$",
    re.MULTILINE,
)
_INSIDE: Final = frozenset({"body", "text"})
# Of the envelope of a call, not of what is called.
_OF_CALLS: Final = frozenset({"/id", "/jsonrpc"})
_CALL: Final = late_pattern(r"^\s*\{(?:[^{}]*,)?\s*\"jsonrpc\"\s*:")
_CALL_ID: Final = late_pattern(r"(?<=[{,])\s*\"id\"\s*:\s*\d+\s*(?:,|(?=\}\s*$))")
# A count that goes on by more than one has met another's change.
_SEVERAL: Final = 2
_FEW: Final = 4


def later_beside(write: Step, said: str, *, denied: bool = False) -> Iterator[tuple[str, str]]:
    """Yield each value of a write that may be a version, with the later one that is told of it.

    One after the other may be what a write made of the first: there something else has to deny it.

    Args:
        write: whatever its answer is.
        said: what is told of it.
        denied: whether something else than its words denies it.
    """
    text = _without_call(said[:_LONGEST])
    denied = denied or has_naught(text)
    # What the thing is called is no version of it.
    numbers = [one for one in dict.fromkeys(_NUMBER.findall(text)) if one != name_of(write)]
    moments = list(dict.fromkeys(_MOMENT.findall(text)))
    members = sent(write)
    if numbers and not denied and _made(write, text):
        numbers = []
    beside = _OF_CALLS if any(one.name == "/jsonrpc" for one in members) else frozenset[str]()
    carried = [
        one.value
        for one in members
        if one.name not in beside and (one.where != "header" or called_version(one.name))
    ]
    for one in dict.fromkeys([*carried, (write.sent.text("if-match") or "").strip()]):
        value = tokens.opaque(one)
        if value.isdigit():
            later = [told for told in numbers if _after(value, told)]
            if later and (denied or named(text, value) or _far(value, later)):
                # A code may be a larger number.
                yield from ((value, one) for one in sorted(later, key=int, reverse=True)[:_FEW])
        elif TIME.fullmatch(value):
            later = [told for told in moments if later_time(value, told)]
            if later and (denied or named(text, value)):
                yield value, max(later)


def _made(write: Step, text: str) -> bool:
    """Tell whether an answer gives the very next of a count that was sent, by the same name.

    That is what a write makes of it; where the answer names both, it may be why it was turned down.
    """
    given = [one for one in shown(write) if one.value.isdigit() and one.where in _INSIDE]
    return any(
        mine.word == one.word and tokens.steps_on(mine.value, one.value) == 1 and not named(text, mine.value)
        for one in given
        for mine in sent(write)
    )


def _without_call(text: str) -> str:
    """Return an answer to a call without the number of the call (JSON-RPC 2.0 section 5)."""
    return _CALL_ID.sub("", text) if _CALL.search(text) is not None else text


def names_later_than_sent(write: Step, said: str) -> bool:
    """Tell whether what is told of a write names a version that it carries, and a later one beside it.

    Args:
        write: whatever its answer is.
        said: what is told of it.
    """
    if any(named(said, old) for old, _ in later_beside(write, said)):
        return True
    tags = [one for one in tags_of(write) if named(said, one)]
    words = {one for one in _WORD.findall(said[:_LONGEST]) if any(map(str.isdigit, one))}
    return any(_alike(tag, one) for tag in tags for one in words)


def names_two(values: Iterable[str], said: str) -> bool:
    """Tell whether what is told names one of some values that is a count or a time, and a later one.

    Args:
        values: as they were sent.
        said: what is told.
    """
    numbers, moments = _NUMBER.findall(said), _MOMENT.findall(said)
    return any(
        (value.isdigit() and value in numbers and any(_after(value, one) for one in numbers))
        or (value in moments and any(later_time(value, one) for one in moments))
        for value in values
    )


def tags_of(write: Step) -> list[str]:
    """Return the entity tags that a write says it is made from.

    Args:
        write: whatever its answer is.
    """
    guard = write.guard
    if guard is None or not guard.standard or guard.guard is not Guard.SAME:
        return []
    return list(dict.fromkeys(tokens.opaque(one) for one in guard.tokens if len(tokens.opaque(one)) > 1))


def named(text: str, value: str) -> bool:
    """Tell whether a text has a value that is part of no longer word.

    Args:
        text: of a message.
        value: any.
    """
    return re.search(rf"(?<![\w.-]){re.escape(value)}(?![\w-])", text) is not None


def has_naught(text: str) -> bool:
    """Tell whether a text says of something, whatever it is called, that it is not so, or that there is none.

    Args:
        text: what is told of a write.
    """
    return _NAUGHT.search(text) is not None


def without_usual(said: str, write: Step, looks: Iterable[Step]) -> str:
    """Return what is told of a write without the naughts that answers to looks have as well: `rc: 0`.

    Args:
        said: what is told of it.
        write: whatever its answer is.
        looks: at things of its service.
    """
    usual = {
        found[0].strip(" \t,}]")
        for one in looks
        if not _like_write(one, write)
        for found in _NAUGHT.finditer(one.view.text[:_LONGEST])
    }
    return _NAUGHT.sub(lambda found: "," if found[0].strip(" \t,}]") in usual else found[0], said)


def _like_write(one: Step, write: Step) -> bool:
    """Tell whether a request is of the kind of a write: it sends several members that the write sends."""
    mine = {member.word for member in sent(write) if member.where in _INSIDE}
    theirs = {member.word for member in sent(one) if member.where in _INSIDE}
    return len(mine & theirs) > _SEVERAL


def _alike(tag: str, other: str) -> bool:
    """Tell whether a word is another tag of the kind of one: a count in it has gone on, or a digest."""
    if tag == other:
        return False
    told = tokens.shape(tag)
    return (told == tokens.shape(other) != "text") or tokens.part_steps(tag, other) > 0


def _after(value: str, told: str) -> bool:
    return tokens.steps_on(value, told) > 0 and _like(value, told)


def _like(one: str, two: str) -> bool:
    """Tell whether two numbers may be of one count: a percentage and a year are not."""
    return tokens.counted_on(one, two) or (len(one) == len(two) > _SEVERAL and one[0] == two[0])


def _far(value: str, later: Sequence[str]) -> bool:
    return all(tokens.steps_on(value, one) >= _SEVERAL for one in later)
