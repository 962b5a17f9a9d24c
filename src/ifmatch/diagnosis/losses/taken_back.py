"""Tell what a write takes back of what another version had changed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote

from ifmatch.diagnosis.links.likeness import PIECES, nearer
from ifmatch.diagnosis.reading.contents import ABSENT, changed_pointers, unwrapped, value_at
from ifmatch.diagnosis.reading.stamps import signature, stamped
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.merge import JsonValue

# Seconds in which nobody has read what was written, and changed it.
SOON: Final = 5.0
_TERM: Final = late_pattern(r"[^\W\d_]{2,}")
# The marks of an element of markup.
_MARKUP: Final = late_pattern(r"</?[A-Za-z][\w:.-]*(?:\s[^<>]{0,400})?/?>")
# An element's first mark with the text behind it, or the text behind a last mark.
_ELEMENT: Final = late_pattern(r"<[A-Za-z][^<>]{0,400}>[^<]*|(?<=>)[^<>]+")
# Between the entries of a list that is written as a text.
_SEPARATOR: Final = late_pattern(r"\s*[,;]\s*")
# Octets from which on a member is a text, of which parts may be taken back.
_PROSE = 40
# So many entries that are kept show what a list was made from.
_KEPT: Final = 2
# So many members make a form.
_FORM: Final = 3
# Members that a service gives a thing: its name, its kind, where it is.
_GIVEN: Final = late_pattern(
    r"[@_]|odata\.|(?:id|uid|uuid|guid|key|self|href|url|type|kind|etag)$", re.IGNORECASE
)
# A longer text is not told by its lines.
_LONGEST_TEXT = 200_000
_PAGE = 20_000
# What begins a line of settings or of a record: `name =`, `name:`, `<name>`.
_LINE_NAME = late_pattern(r"\s*[\"'<]?([A-Za-z][\w.-]*)[\"']?\s*(?:[=:>;]|$)")


class TwoEdits(Frozen, frozen=True):
    """What a write changed of a state, and what the next look shows changed of the same state.

    Attributes:
        base: the state before, without the envelope that the write lacks.
        now: the state that the look shows, likewise.
        wanted: JSON Pointers of what the write changed, but for what services set by themselves.
        others: JSON Pointers of what the look shows changed, likewise.
    """

    base: Content
    now: Content
    wanted: tuple[str, ...]
    others: tuple[str, ...]


def two_edits(old: Content, mine: Content, now: Content) -> TwoEdits | None:
    """Compare what a write and a later state changed of one state; None unless both changed something.

    Args:
        old: the state that the write was made from.
        mine: what was written.
        now: what a later look shows.
    """
    base, there = unwrapped(old, mine), unwrapped(now, mine)
    wanted = tuple(one for one in _told(base, mine) if value_at(mine, one) is not ABSENT)
    others = tuple(_told(base, there))
    return TwoEdits(base, there, wanted, others) if wanted and others else None


def _told(one: Content, two: Content) -> list[str]:
    """Return the JSON Pointers in which two states differ, but for what services set by themselves."""
    return [pointer for pointer in changed_pointers(one, two) or () if pointer and not stamped(pointer)]


def lost_pointers(
    base: Content | None, theirs: Content | None, mine: Content | None
) -> tuple[str, ...] | None:
    """Return what another version had changed and a later content lacks; None when that cannot be told.

    Args:
        base: content that the later one was made from.
        theirs: content of the version in between.
        mine: the later content.

    Returns:
        JSON Pointers, or a single "" for text whose new lines are all missing; empty when nothing is lost.
    """
    if base is None or theirs is None or mine is None:
        return None
    base, theirs = unwrapped(base, mine), unwrapped(theirs, mine)
    pointers = changed_pointers(base, theirs)
    if pointers is not None and changed_pointers(theirs, mine) is not None:
        return tuple(pointer for pointer in pointers if value_at(mine, pointer) != value_at(theirs, pointer))
    new = set(theirs.text.splitlines()) - set(base.text.splitlines())
    if not new:
        return ()
    return () if new & set(mine.text.splitlines()) else ("",)


def left_alone(
    base: Content | None, fresh: Content | None, mine: Content | None, lost: Sequence[str], version: str = ""
) -> tuple[str, ...]:
    """Return what of a loss still counts when a write carries other new values of the newer state.

    Who sends on what only the newer state had, was looking at it: what is left out of that state was left out
    by choice, or belongs to the service, as its note of who changed it last does. Only what is put back to
    its older value was passed over.

    Args:
        base: the older state.
        fresh: the newer one.
        mine: what was sent.
        lost: JSON Pointers of what the newer state had changed, and the write lacks.
        version: JSON Pointer of what counts the versions, which a blind write carries on as well.
    """
    new = [one for one in changed_pointers(base, fresh) or () if one and one != version and not stamped(one)]
    took = any(value_at(mine, one) == value_at(fresh, one) is not ABSENT for one in new)
    return tuple(one for one in lost if value_at(mine, one) is not ABSENT or not (took or signature(one)))


def names_all(state: Content | None, mine: Content | None, address: str = "") -> bool:
    """Tell whether a patch is a whole form: it names every member of a state, most with the values there.

    What only says which thing it is (keys that its address has, too) every patch of an API may have to name.

    Args:
        state: that was read.
        mine: what was sent.
        address: of the thing.
    """
    whole = unwrapped(state, mine).json() if state is not None and mine is not None else None
    sent = mine.json() if mine is not None else None
    if not (isinstance(whole, dict) and isinstance(sent, dict)):
        return False
    here, there = cast("dict[str, object]", whole), cast("dict[str, object]", sent)
    own = [one for one in here if not stamped(f"/{one}") and _GIVEN.match(one) is None]
    own = [one for one in own if not _addresses(here[one], there.get(one, ABSENT), address)]
    same = sum(there.get(one, ABSENT) == here[one] for one in own)
    return len(own) >= _FORM and all(one in there for one in own) and 2 * same >= len(own)


def _addresses(value: object, sent: object, address: str) -> bool:
    """Tell whether a member's text, sent as it was read, stands as a name in the address of its thing."""
    if not (isinstance(value, str) and value and value == sent):
        return False
    return re.search(rf"(?<!\w){re.escape(value)}(?!\w)", unquote(address)) is not None


def _looked_on(base: Content, fresh: Content, mine: Content, version: Sequence[str]) -> bool:
    """Tell whether a text may be made from the newer of two states: it has a piece that only that one had.

    It may as well where the newer state only added who changed it, which services leave to nobody.

    Args:
        base: the older state, a text.
        fresh: the newer one.
        mine: what was sent.
        version: tokens that a blind write carries on as well, wherever they stand in a text.
    """
    if max(map(len, (base, fresh, mine))) > _LONGEST_TEXT:
        return False
    before, sent = set(_said(base.text)), set(_said(mine.text))
    new = [
        one
        for one in _said(fresh.text)
        if one and one not in before and not _stamped_line(one)
        if not any(token and token in one for token in version)
    ]
    return any(one in sent for one in new) or (bool(new) and all(_signed_line(one) for one in new))


def line_undone(base: Content | None, theirs: Content | None, mine: Content | None) -> str:
    """Return a line that another version had changed and a later text has as before, "" without any.

    The later text has to be an edit of the older version in other lines as well: the older version again may
    be meant so.

    Args:
        base: text that the later one may be made from.
        theirs: text of the version in between.
        mine: the later text.
    """
    if base is None or theirs is None or mine is None or max(map(len, (base, theirs, mine))) > _LONGEST_TEXT:
        return ""
    if changed_pointers(base, theirs) is not None:
        return ""
    texts = [each.text for each in (base, theirs, mine)]
    if not nearer(mine, base, theirs):
        return ""
    found = _piece_undone(*([one for one in text.splitlines() if one.strip()] for text in texts))
    if found or max(map(len, texts)) > _PAGE or not all(_MARKUP.search(text) for text in texts):
        return found
    # A page may be one line, or a few: its elements tell, each with the text that follows its mark.
    return _piece_undone(
        *([one for each in _ELEMENT.findall(text) if (one := each.strip())] for text in texts)
    )


def _piece_undone(old: list[str], new: list[str], sent: list[str]) -> str:
    """Return a piece that the newer of two texts had changed and a later one has as the older, or ""."""
    if len(set(old) & set(sent)) < len(set(sent) - set(old)):
        return ""
    added = [one for one in new if one not in old]
    removed = [one for one in old if one not in new]
    edited = [one for one in (*sent, *old) if (one in sent) is not (one in old)]
    if not edited or all(_stamped_line(one) for one in edited) or any(one in sent for one in added):
        return ""
    undone = [one for one in removed if one in sent and not _stamped_line(one)]
    return next(iter(undone or ([] if removed else [one for one in added if not _stamped_line(one)])), "")


def undone_at(base: Content | None, theirs: Content | None, mine: Content | None, pointer: str) -> bool:
    """Tell whether a member is sent as another version had found it, or as an edit of that text.

    Args:
        base: the older state.
        theirs: the newer one.
        mine: what was sent.
        pointer: JSON Pointer of a member that the newer state had changed.
    """
    old, new, sent = (value_at(one, pointer) for one in (base, theirs, mine))
    if sent == old or entries_undone(old, new, sent):
        return True
    if not (isinstance(old, str) and isinstance(new, str) and isinstance(sent, str)):
        return False
    if entries_undone(*(_SEPARATOR.split(text) for text in (old, new, sent))):
        return True
    if "\n" in old and line_undone(*map(Content.from_text, (old, new, sent))):
        return True
    if len(old) < _PROSE:
        return False
    before, there, now = ([one for one in _said(text) if one] for text in (old, new, sent))
    added = [one for one in there if one not in before]
    kept = sum(one in now for one in before)
    if 2 * kept < len(before) or not added or any(one in now for one in added):
        return False
    if _reworded(added, [one for one in now if one not in before]):
        return False
    return nearer(*map(Content.from_text, (sent, old, new)))


def entries_undone(old: object, new: object, mine: object) -> bool:
    """Tell whether a list has all of an older one, entries of its own, and none that a newer one had added.

    A name or a word alone may be put in the place of another by choice: there more of the older list has to
    be kept. A record is hardly put in the place of another.

    Args:
        old: the value of the older version, as `value_at` gives it.
        new: of the newer one.
        mine: what was sent.
    """
    if not (isinstance(old, list) and isinstance(new, list) and isinstance(mine, list)):
        return False
    before, there = cast("list[object]", old), cast("list[object]", new)
    sent = cast("list[object]", mine)
    if _records_undone(before, there, sent):
        return True
    theirs, own = ([one for one in each if one not in before] for each in (there, sent))
    if not theirs or not own or any(one in sent for one in theirs):
        return False
    if any(one not in there or one not in sent for one in before):
        return False
    return len(before) >= _KEPT or all(_of_itself(one) for one in (*theirs, *own))


def _records_undone(before: list[object], there: list[object], sent: list[object]) -> bool:
    """Tell whether a list of records is an edit of an older one, without what a newer one had in addition.

    The records are told apart by a member whose values differ in each of the three lists; what the service
    puts to them by itself (ids, times) need not be sent.

    Args:
        before: the list of the older version.
        there: of the newer one.
        sent: what was sent.
    """
    if not before or not all(isinstance(one, dict) for each in (before, there, sent) for one in each):
        return False
    lists = [cast("list[dict[str, object]]", each) for each in (before, there, sent)]
    for key in lists[0][0]:
        if not all(isinstance(one.get(key), str | int) for each in lists for one in each):
            continue
        old, new, mine = ({str(one[key]): one for one in each} for each in lists)
        if [len(old), len(new), len(mine)] != [len(one) for one in lists] or not old.keys() <= new.keys():
            continue
        kept = old.keys() & mine.keys()
        own = mine.keys() - new.keys() or any(_differs(old[one], mine[one]) for one in kept)
        if kept == old.keys() and own and new.keys() - old.keys() - mine.keys():
            return True
        # A patch may name a part of them, and have a list in one of these.
        if mine.keys() <= old.keys() and any(_undone_within(old[one], new[one], mine[one]) for one in kept):
            return True
    return False


def _differs(old: dict[str, object], mine: dict[str, object]) -> bool:
    """Tell whether a record was edited: a member that both have has another value."""
    return any(old[one] != mine[one] for one in old.keys() & mine.keys())


def _undone_within(old: dict[str, object], new: dict[str, object], mine: dict[str, object]) -> bool:
    names = old.keys() & new.keys() & mine.keys()
    return any(entries_undone(old[one], new[one], mine[one]) for one in names)


def _of_itself(entry: object) -> bool:
    """Tell whether an entry of a list is a record: several members, or a text of several words."""
    if isinstance(entry, dict | list):
        return len(cast("dict[str, object] | list[object]", entry)) > 1
    return isinstance(entry, str) and len(entry.split()) > 1


def _reworded(added: Sequence[str], mine: Sequence[str]) -> bool:
    """Tell whether a piece that somebody added is there in other words: who wrote these had read it."""
    words = [set(_TERM.findall(one.lower())) for one in mine]
    for piece in added:
        said = set(_TERM.findall(piece.lower()))
        if said and any(2 * len(said & one) > len(said) for one in words):
            return True
    return False


def _reworded_in(old: str, new: str, mine: str) -> bool:
    """Tell whether a text has in its own words what the newer one of two others had added to the older."""
    before = _said(old)
    added, fresh = ([one for one in _said(text) if one not in before] for text in (new, mine))
    return _reworded(added, fresh)


def _said(text: str) -> list[str]:
    """Return the pieces of a text without the marks of elements: these close around whatever is the last."""
    pieces = PIECES.split(text)
    if not _MARKUP.search(text):
        return pieces
    return [one for piece in pieces if (one := _MARKUP.sub(" ", piece).strip())]


def _stamped_line(line: str) -> bool:
    """Tell whether a line of a text gives a member that servers write by themselves, such as a date."""
    name = _LINE_NAME.match(line)
    return name is not None and stamped(f"/{name[1]}")


def _signed_line(line: str) -> bool:
    """Tell whether a line of a text says who changed it last."""
    name, sign, _ = line.partition(":")
    return sign != "" and signature(f"/{name.strip().replace(' ', '_')}")


def merged(base: Content | None, patch: Content | None) -> Content | None:
    """Return what members that were sent make of a state, None when either is no JSON object.

    Args:
        base: the state before, in its envelope or not.
        patch: members with their new values (RFC 7396).
    """
    if base is None or patch is None:
        return None
    before, changes = unwrapped(base, patch).json(), patch.json()
    if not isinstance(before, dict) or not isinstance(changes, dict):
        return None
    from ifmatch.merge import apply_merge_patch  # noqa: PLC0415 - few captures have any

    return Content.from_text(
        json.dumps(apply_merge_patch(cast("JsonValue", before), cast("JsonValue", changes)))
    )


def adds_to(before: object, now: object) -> bool:
    """Tell whether a value was not there before, or is a list that has all of it still, and more.

    Args:
        before: as `value_at` gives it.
        now: the value that is there later.
    """
    if before is ABSENT:
        return True
    if not (isinstance(before, list) and isinstance(now, list)):
        return False
    later = cast("list[object]", now)
    return all(one in later for one in cast("list[object]", before))


def _reverts_list(old: list[object], fresh: list[object], mine: list[object]) -> bool:
    """Tell whether a list lacks what another version had added, or still has what that had removed."""
    added = [one for one in fresh if one not in old]
    removed = [one for one in old if one not in fresh]
    kept = sum(one in mine for one in old)
    return 2 * kept >= len(old) and (
        any(one not in mine for one in added)
        if added and not removed
        else any(one in mine for one in removed)
    )


def added_to_older(old: object, fresh: object, mine: object) -> bool:
    """Tell whether a value is the older of two with a change of its own: a list with new entries, or a text.

    A list without any may be what somebody wants it to be, whatever it was.

    Args:
        old: the value of the older version, as `value_at` gives it.
        fresh: of the newer one.
        mine: what was sent, which takes back what the newer one had changed.
    """
    if isinstance(old, str) and isinstance(mine, str):
        return len(mine) >= _PROSE and mine != old
    if not (isinstance(old, list) and isinstance(fresh, list) and isinstance(mine, list)):
        return False
    known = [*cast("list[object]", old), *cast("list[object]", fresh)]
    return any(one not in known for one in cast("list[object]", mine))


def reverts(
    old: Content | None,
    fresh: Content | None,
    mine: Content | None,
    pointer: str,
    version: Sequence[str] = (),
) -> bool:
    """Tell whether a write puts back, at a pointer, what another version had changed.

    Args:
        old: content that the write was made from.
        fresh: content of the version that it replaces.
        mine: content that it carries.
        pointer: JSON Pointer (RFC 6901), "" for a text.
        version: tokens that the write carries.
    """
    if pointer:
        values = value_at(old, pointer), value_at(fresh, pointer), value_at(mine, pointer)
        before, now, sent = (Content.from_text(one) if isinstance(one, str) else None for one in values)
        if (
            before is not None
            and now is not None
            and sent is not None
            and max(map(len, (before, now, sent))) >= _PROSE
        ):
            # A text in one member, as wikis have it.
            told = _reworded_in(before.text, now.text, sent.text) or _looked_on(before, now, sent, version)
            return nearer(sent, before, now) and not told
        if all(isinstance(value, list) for value in values):
            return _reverts_list(*(cast("list[object]", value) for value in values))
        return values[2] == values[0]
    if old is None or fresh is None or mine is None:
        return False
    told = _reworded_in(old.text, fresh.text, mine.text) or _looked_on(old, fresh, mine, version)
    return nearer(mine, old, fresh) and not told
