"""Tell contents that differ only in values drawn at random for each answer, whatever these are called."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.reading.stamps import rendered, stamped
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    import re
    from collections.abc import Sequence

    from ifmatch.diagnosis.steps.step import Step

_LONGEST: Final = 100_000
# Shorter values may be counts, and two of them the states of a member.
_DRAWN: Final = late_pattern(r"(?<![\w+~-])[\w+~-]{8,400}(?![\w+~-])={0,2}")
# The name before a value: of a member, an attribute, an element, a field of a form.
_NAME: Final = late_pattern(r"([^\W\d][\w.-]*)[\"']?\s*(?:[:=>]|\s(?:value|content)=)[\s\"']*$")
_BEFORE: Final = 80
# What is called after a content, or points to one.
_OF: Final = late_pattern(
    r"(?i)sha|md5|crc|sum|hash|digest|blob|oid|commit|tree|parent|head|snapshot|content."
)
# Two contents may be those before and after a change of one value.
_LEAST: Final = 3
_MOST: Final = 12
_PLACES: Final = 3
# So many reads show that a number counts them, or that an order is nobody's.
_COUNTED: Final = 4
# The longest distance of two reads is so many times the shortest where no clock explains their count.
_UNEVEN: Final = 5.0
# Within so many seconds nothing comes into another order by itself.
_AT_ONCE: Final = 2.0
# Two entries that changed places.
_SWAP: Final = 2
_NUMBER: Final = late_pattern(r"(?<![\w.,-])\d{1,15}(?![\w:-]|[.,]\d)")
_PARTS: Final = late_pattern(r"[^\s,;\[\](){}<>]+")
# Moments are told to the second, and made a moment before.
_TICK: Final = 1.5
_TURN: Final = 10.0
# A number that is drawn has so many digits, and goes up and down.
_DIGITS: Final = 6
# What is drawn begins alike by chance in this many signs.
_ALIKE: Final = 4
_UNLIKE: Final = 0.6


def drawn_anew(reads: Sequence[Step]) -> bool:
    """Tell whether contents differ in a few values alone, that have nothing in common from read to read.

    What a version is called may have been moved by somebody who stored the same again. A number may count the
    reads, a list may come in whatever order its service has it in at the moment.

    Args:
        reads: of one resource, in order of time.
    """
    shown = [one for one in reads if one.representation is not None][:_MOST]
    texts = [one.representation.text for one in shown if one.representation is not None]
    if len(texts) < _LEAST or len(texts) < min(len(reads), _MOST) or len(set(texts)) < len(texts):
        return False
    if max(map(len, texts)) > _LONGEST:
        return False
    if len({_DRAWN.sub("#", text) for text in texts}) > 1:
        return _counts_reads(shown, texts) or _in_any_order(shown, texts)
    found = [list(_DRAWN.finditer(text)) for text in texts]
    moved = [row for row in zip(*found, strict=True) if len({one[0] for one in row}) > 1]
    if not moved:
        return _counts_reads(shown, texts) or _in_any_order(shown, texts)
    drawn = [_at_random(row, texts[0], shown) for row in moved]
    if len(moved) <= _PLACES and any(drawn):
        # A signature stands beside the moment until which it holds.
        return all(
            one or _by_the_clock([each[0] for each in row], shown)
            for one, row in zip(drawn, moved, strict=True)
        )
    return _in_any_order(shown, texts)


def _counts_reads(reads: Sequence[Step], texts: Sequence[str]) -> bool:
    """Tell whether contents differ in one number alone, which goes on by one from read to read.

    What goes on by itself does so by the clock: then reads at uneven distances show it at uneven numbers.
    """
    if len(texts) < _COUNTED or not all(one.timed for one in reads):
        return False
    if len({_NUMBER.sub("#", text) for text in texts}) > 1:
        return False
    found = [list(_NUMBER.finditer(text)) for text in texts]
    rows = [row for row in zip(*found, strict=True) if len({one[0] for one in row}) > 1]
    if len(rows) != 1 or any(int(two[0]) - int(one[0]) != 1 for one, two in pairwise(rows[0])):
        return False
    if _named_after_state(texts[0], rows[0][0].start()):
        return False
    gaps = [two.start - one.start for one, two in pairwise(reads)]
    return max(gaps) > _UNEVEN * min(gaps)


def _in_any_order(reads: Sequence[Step], texts: Sequence[str]) -> bool:
    """Tell whether contents differ in the order of their parts alone, which is ever another one.

    Entries that somebody moves, or that are shown in turn, keep their order but for one; a ranking takes its
    time.
    """
    if len(texts) < _COUNTED or min(two.start - one.start for one, two in pairwise(reads)) > _AT_ONCE:
        return False
    parts = [_PARTS.findall(text) for text in texts]
    first = sorted(parts[0])
    if any(sorted(one) != first for one in parts[1:]):
        return False
    moved = [row for row in zip(*parts, strict=True) if len(set(row)) > 1]
    orders = list(zip(*moved, strict=True))
    if len(moved) < _LEAST or len(set(orders)) < len(orders):
        return False
    return not any(_one_moved(one, two) or _turned(one, two) for one, two in pairwise(orders))


def _one_moved(one: Sequence[str], two: Sequence[str]) -> bool:
    """Tell whether two orders are the same but for the place of one entry, or for two that changed places."""
    apart = [at for at, (a, b) in enumerate(zip(one, two, strict=True)) if a != b]
    if len(apart) <= _SWAP:
        return True
    start, end = apart[0], apart[-1]
    mine, other = list(one[start : end + 1]), list(two[start : end + 1])
    return mine[1:] == other[:-1] or mine[:-1] == other[1:]


def _turned(one: Sequence[str], two: Sequence[str]) -> bool:
    """Tell whether an order is another one from a later entry on."""
    return any(two == (*one[at:], *one[:at]) for at in range(1, min(len(one), _MOST)))


def _by_the_clock(row: Sequence[str], reads: Sequence[Step]) -> bool:
    """Tell whether the moments at one place lie as far from those of their answers each."""
    away = [
        moment - one.start
        for text, one in zip(row, reads, strict=True)
        if (moment := told_moment(text)) is not None
    ]
    return len(away) == len(reads) and max(away) - min(away) <= _TICK


def _of_state(name: str) -> bool:
    """Tell whether a value is called after a state, or after a content that it is the digest of."""
    if called_version(name) or _OF.search(name) is not None:
        return True
    return stamped("/" + name) and not rendered("/" + name)


def _named_after_state(text: str, at: int) -> bool:
    name = _NAME.search(text[max(0, at - _BEFORE) : at])
    return name is not None and _of_state(name[1])


def _at_random(row: Sequence[re.Match[str]], text: str, reads: Sequence[Step]) -> bool:
    """Tell whether the values of one place are ever other ones, of one length and nothing else in common."""
    values = [one[0] for one in row]
    if len(set(values)) < len(values) or _named_after_state(text, row[0].start()):
        return False
    mixed = sum(any(map(str.isdigit, one)) and any(map(str.isalpha, one)) for one in values)
    numbers = all(map(str.isdigit, values))
    if max(map(len, values)) - min(map(len, values)) > 1:
        return False
    if numbers:
        # What was coined at some time goes up, as a clock does.
        ups = sum(int(two) > int(one) for one, two in pairwise(values))
        if len(values) < _COUNTED or ups in {0, len(values) - 1} or len(values[0]) < _DIGITS:
            return False
        # Codes that turn by the clock do so every half minute.
        if min(two.start - one.start for one, two in pairwise(reads)) > _TURN:
            return False
    elif mixed < _UNLIKE * len(values):
        return False
    first = values[0]
    same = (sum(a == b for a, b in zip(first, one, strict=False)) for one in values[1:])
    return all(count <= max(_ALIKE, len(first) * (1 - _UNLIKE)) for count in same)
