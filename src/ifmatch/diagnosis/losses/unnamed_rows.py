"""Find in a list of changes, whose entries need not name their thing, two that made one version of it.

What an entry has set tells whose it is: one has what the write changed, the other what the next look shows.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.links.in_time import looked, on_from
from ifmatch.diagnosis.losses.told_changes import Change, lists, moments_of
from ifmatch.diagnosis.losses.wishes import wish_of
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.listed_records import leaves_of, member_word, records_in
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.model.diagnosis import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.reading.listed_records import Record
    from ifmatch.diagnosis.steps.step import Step

# So many steps after a write a list of changes is looked for.
_NEAR: Final = 80
# Seconds by which times of a list may lie beside those of the capture.
_BESIDE: Final = 1.0


def signed_twice(case: Case, history: History, step: Step) -> Damage | None:
    """Find a list that has the version of a write twice, as made by it and by what the next look shows.

    Args:
        case: everything known.
        history: of the resource.
        step: an accepted write on a version.
    """
    made = tokens.opaque(step.etag or "")
    base = looked(history, step) if made.isdigit() and step.body is not None else None
    if base is None or base.left is None or tokens.opaque(base.etag or "") == made:
        return None
    later = takewhile(lambda one: not one.changes, on_from(history, step.order))
    look = next((one for one in later if one.read_ok and one.representation is not None), None)
    if look is None or look.cache_hit or tokens.opaque(look.etag or "") != made:
        return None
    wish = wish_of(step)
    old, mine, now = (
        _values(one.text if one is not None else "") for one in (base.left, wish, look.representation)
    )
    edits = {word: value for word, value in mine.items() if old.get(word) != value != now.get(word)}
    theirs = {
        word: value for word, value in now.items() if word in old and value not in {old[word], mine.get(word)}
    }
    theirs = {word: value for word, value in theirs.items() if value != made}
    if not edits or not theirs:
        return None
    telling = max(edits.values(), key=len)
    for listing in case.gathered(step.actor).answers_naming(telling, step, _NEAR):
        found = _two_rows(listing, made, edits, theirs) if lists(listing) else None
        if found is not None:
            return _damage(step, listing, made, found)
    return None


def _values(text: str) -> dict[str, str]:
    """Return the values of a content by their words, without versions and what is stamped."""
    found = ((member_word(name), value) for name, value in leaves_of(text))
    return {word: value for word, value in found if not (stamped("/" + word) or called_version(word))}


def _two_rows(
    listing: Step, made: str, edits: dict[str, str], theirs: dict[str, str]
) -> tuple[Record, Record] | None:
    """Return the entries of one version that have what was written, and what is there; None without both."""
    content = listing.content
    rows: Sequence[Record] = records_in(content.text) if content is not None else ()
    rows = [one for one in rows if any(tokens.opaque(value) == made for value in one.values())]
    own, other = ([one for one in rows if _has(one, some)] for some in (edits, theirs))
    if len(own) != 1 or len(other) != 1 or own[0] is other[0]:
        return None
    return own[0], other[0]


def _has(row: Record, values: dict[str, str]) -> bool:
    """Tell whether an entry has a value by its word, or beside its word: `{"field": "room", "to": "2.2"}`."""
    said = list(row.values())
    return any(
        (member_word(name) == word and value == values[word]) or (value == word and values[word] in said)
        for word in values
        for name, value in row.items()
    )


def _damage(step: Step, listing: Step, made: str, found: tuple[Record, Record]) -> Damage:
    moments = moments_of(Change(listing, found[1], "", None, made))
    together = step.timed and any(step.start - _BESIDE <= one <= step.end + _BESIDE for one in moments)
    text = f"the list of changes has another that made version {made} beside this one, which is there"
    return Damage(
        Outcome.LOST_UPDATE,
        text,
        lost=listing,
        overlap=True,
        slipped=not together,
        told=moments[0] if moments else None,
    )
