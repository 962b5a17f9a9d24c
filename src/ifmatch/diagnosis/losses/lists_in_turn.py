"""Find in a list of changes an element of a list that a write took away without its sender having seen it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.losses.states_in_turn import before_it
from ifmatch.diagnosis.reading.listed_records import leaves_of
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.reading.transitions import transitions
from ifmatch.dialects.glossary import Words
from ifmatch.dialects.pointers import word_of
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ifmatch.diagnosis.losses.told_changes import Change
    from ifmatch.diagnosis.steps.step import Step

_Elements = frozenset[str]

# A list that is written as one text: `Abel, Cem`, `a;b`, `x | y`, `["a","b"]`.
_PARTED: Final = late_pattern(r"\s*(?:[,;|+&/]|\\n)\s*")
_AROUND: Final = " \t[](){}\"'"
# What an entry takes out of a list.
_REMOVED: Final = Words(
    r"(?:items?[-_ ]?)?(?:remov(?:e|ed|es|al|als)|delet(?:e|ed|es|ion|ions)|drop(?:s|ped)?"
    r"|tak(?:e|en)[-_ ]?out|taken|cut|struck|minus|out|without|unassigned|unlinked|detached|revoked"
    r"|subtracted|erased|lost|gone)"
    r"(?:[-_ ]?(?:items?|values?|elements?|entries|members?))?|-"
)
_SIGNED: Final = late_pattern(r"(?<![^\s,;(\[\"'])[-\u2212\u2013](?=[^\W\d_])([^\s,;)\]\"']+)")
_FLAGS: Final = frozenset({"true", "false", "yes", "no", "null", "none"})
# A shorter text is met by chance.
_TELLING: Final = 2
_LONGEST: Final = 300


def element_lost(
    base: Step, step: Step, own: Change, changes: Sequence[Change], *, shown: bool
) -> tuple[Change, str] | None:
    """Return the entry that put an element into a list, or took one out, that a write undid; and the element.

    Args:
        base: the read.
        step: the write.
        own: its entry.
        changes: all entries of the list.
        shown: whether the own entry has to have the very list that was sent: what a PATCH carries may
            name what to add, or take out, and leaves the rest as it is.
    """
    if not (step.puts or step.method == "PATCH") or base.left is None or step.body is None:
        return None
    read, sent = (leaves_of(one.text) for one in (base.left, step.body))
    told = "" if shown else _taken_out(base.left.text, step.body.text, own)
    if told:
        return own, told
    there, mine = _lists_of(read), _lists_of(sent)
    for word in sorted(there.keys() & mine.keys()):
        old, new = there[word], mine[word]
        if shown and _lists_of(own.record.items()).get(word) != new:
            continue
        if not _many(word, read) and not _many(word, sent) and len(old | new) <= _TELLING:
            continue
        if (found := _undone(word, old, new, own, changes)) is not None:
            return found
    return None


def _many(word: str, leaves: Iterable[tuple[str, str]]) -> bool:
    """Tell whether a content has a list under a word."""
    return any(word_of(name) == word and name.rpartition("/")[2].isdigit() for name, _ in leaves)


def _undone(
    word: str, old: _Elements, new: _Elements, own: Change, changes: Sequence[Change]
) -> tuple[Change, str] | None:
    """Return the entry before an own one whose list differs from the one that was read, and is undone."""
    for before, after in _became(word, own):
        if after == new and (lost := _apart(old, new, before)):
            return own, lost
    for change in before_it(own, changes):
        if change.who and change.who == own.who:
            return None
        arrows = [after for _, after in _became(word, change)]
        theirs = arrows[0] if arrows else _lists_of(change.record.items()).get(word)
        if theirs is None:
            continue
        lost = _apart(old, new, theirs)
        return (change, lost) if lost else None
    return None


def _became(word: str, change: Change) -> list[tuple[_Elements, _Elements]]:
    """Return what a list was and became by an entry; two elements of a list are no pair of that kind."""
    return [
        (_elements(one.before), _elements(one.after))
        for one in transitions(change.record)
        if one.word == word and not all(name.rpartition("/")[2].isdigit() for name in one.names)
    ]


def _apart(old: _Elements, new: _Elements, theirs: _Elements) -> str:
    """Return an element that another had added and a write lacks, or had removed and it still has, or ""."""
    if old and not old & theirs:
        # Another list under the same word.
        return ""
    added = (theirs - old) - new
    removed = (old - theirs) & new
    return next(iter(sorted(added) or sorted(removed)), "")


def _taken_out(read: str, sent: str, own: Change) -> str:
    """Return what an own entry says was taken out, and which its sender had neither seen nor sent."""
    out: list[str] = []
    for name, value in own.record.items():
        if len(value) > _LONGEST or value.lower() in _FLAGS or value.isdigit():
            # `"taken": true` takes nothing out.
            continue
        parts = [part for part in name.split("/") if not part.isdigit()]
        if any(_REMOVED.fullmatch(part) is not None for part in parts):
            out += _elements(value)
        else:
            out += _SIGNED.findall(value)
    return next(
        (one for one in out if len(one) >= _TELLING and not _holds(read, one) and not _holds(sent, one)), ""
    )


def _holds(text: str, value: str) -> bool:
    return value.casefold() in text.casefold()


def _lists_of(leaves: Iterable[tuple[str, str]]) -> dict[str, _Elements]:
    """Return the lists of a content by their words: elements with a number each, or one text with commas.

    Args:
        leaves: values by their whole names.
    """
    found: dict[str, set[str]] = {}
    for name, value in leaves:
        word = word_of(name)
        if not stamped("/" + word) and len(value) <= _LONGEST:
            found.setdefault(word, set()).update(_elements(value))
    return {word: frozenset(values) for word, values in found.items()}


def _elements(value: str) -> _Elements:
    return frozenset(one.strip(_AROUND) for one in _PARTED.split(value.strip(_AROUND))) - {""}
