"""Find the part of a record whose version was sent, where that of another part of it is compared."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis.links.dialect_tokens import pointers_of
from ifmatch.diagnosis.links.in_time import back_from
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.pages import fields_of, is_page
from ifmatch.diagnosis.reading.soap_bodies import tree_in
from ifmatch.diagnosis.reading.version_words import alike, called_version, telling_words
from ifmatch.diagnosis.steps.message_members import sent
from ifmatch.diagnosis.steps.told_versions import told
from ifmatch.model.grouped import grouped
from ifmatch.model.json_values import members_in
from ifmatch.model.slotted import Frozen
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step

# So many own reads before a request are looked at.
_RECENT: Final = 12
_DEEP: Final = 6
_MOST: Final = 200
# Two of one name in a list are enough to be no single one.
_ENTRIES: Final = 3
# As many signs of random texts.
_MADE: Final = 8
# Shorter names of parts stand in any sentence.
_SPOKEN: Final = 4


class Apart(Frozen, frozen=True):
    """Two versions that one answer shows.

    Attributes:
        read: the answer.
        sent: where it has the version that was sent.
        meant: where it has the one that is compared.
        value: the one that is compared.
        shown_by: the step that tells which one is compared.
        passed: whether that step is a request that passed with it.
        still: a later answer that has the sent version where it was, None without one.
        named: whether the request itself names the part.
        called: whether the request itself calls its version as the answer calls the other one.
    """

    read: Step
    sent: str
    meant: str
    value: str
    shown_by: Step
    passed: bool
    still: Step | None
    named: bool = False
    called: bool = False


def parts_apart(facts: Facts) -> Apart | None:
    """Return the places of the version that was sent and of the one that is compared, in one own answer.

    Which one is compared is told by a later request that passed with it, by the version that the refusal
    names, or by the part that it names while the sent version still stands where it stood.

    Args:
        facts: of a refused request whose token is known.
    """
    token, guard = tokens.opaque(facts.token or ""), facts.guard
    if not token or guard is None:
        return None
    own = back_from(_whole_reads(facts.case).get(facts.step.actor, ()), facts.step.order)
    reads = list(islice(own, _RECENT))[::-1]
    for read in reversed(reads):
        places = [one for one in _places(read, token) if _of_versions(one, guard)]
        if places:
            return next(_compared(facts, guard, read, places, reads), None)
    return None


def _whole_reads(case: Case) -> Mapping[str, Sequence[Step]]:
    """Return the reads of a case that show a content, by their actors."""
    if "whole reads" not in case.kept:
        found = grouped((one.actor, one) for one in case.steps if _whole(one))
        case.kept["whole reads"] = found
    return cast("Mapping[str, Sequence[Step]]", case.kept["whole reads"])


def _whole(step: Step) -> bool:
    return step.is_read and step.read_ok and step.within is None and step.content is not None


def _compared(
    facts: Facts, guard: Condition, read: Step, places: list[str], reads: list[Step]
) -> Iterator[Apart]:
    token = tokens.opaque(facts.token or "")
    later = (one for one in facts.case.steps[facts.step.order + 1 :] if one.resource == read.resource)
    after = next((one for one in later if one.actor == facts.step.actor and _whole(one)), None)
    left = [one for one in places if after is None or _at(after, one) == token]
    # A version that has gone on since was the one that is compared.
    if not left:
        return
    still = after if after is not None and len(left) == len(places) else None
    for value, by, passed in _told(facts, guard):
        if value == token or (still is None and tokens.counted_on(token, value)):
            continue
        for place in _places(read, value):
            here = _apart(place, left, guard)
            if here and not any(_at(one, place) == token for one in reads):
                yield Apart(read, here, place, value, by, passed, still)
    if still is not None:
        yield from _spoken_of(facts, guard, read, left, still)
        yield from _asked_for(facts, guard, read, left, still)
    if still is not None or after is None:
        yield from _called_so(facts, guard, read, left, still)


def _told(facts: Facts, guard: Condition) -> Iterator[tuple[str, Step, bool]]:
    """Yield what is compared: what passed later in the same place, and what the refusal says is stored."""
    for one in facts.own(facts.later) if guard.tokens else ():
        other = one.guard
        if other is None or not (one.accepted and other.tokens) or one.method != facts.step.method:
            continue
        if (other.carrier, other.name) == (guard.carrier, guard.name):
            yield tokens.opaque(other.tokens[0]), one, True
            break
    stored = told(facts.step)
    if stored is not None:
        yield tokens.opaque(stored), facts.step, False


def _places(read: Step, value: str) -> list[str]:
    """Return the places of an answer that hold a value; on a page the fields of its forms."""
    held = _tree(read)
    if is_page(read.view.text):
        return [f"/{name}" for name, one in members_in(held).items() if tokens.opaque(str(one)) == value]
    return list(pointers_of(read, value))


def _spoken_of(facts: Facts, guard: Condition, read: Step, places: list[str], still: Step) -> Iterator[Apart]:
    """Yield the one part that a refusal names, whose version the request did not send."""
    text = facts.step.view.text.casefold()
    named = [
        (place, value)
        for place, value in _versions(_tree(read), "", _DEEP)
        if (part := place.split("/")[-2]) and len(part) >= _SPOKEN and part.casefold() in text
        if _apart(place, places, guard)
    ]
    own = {part for one in places for part in one.split("/")[:-1] if len(part) >= _SPOKEN}
    if len(named) == 1 and not any(part.casefold() in text for part in own):
        place, value = named[0]
        yield Apart(read, _apart(place, places, guard), place, value, facts.step, False, still)


def _asked_for(facts: Facts, guard: Condition, read: Step, places: list[str], still: Step) -> Iterator[Apart]:
    """Yield the one entry of a list that a request names by its key, and sends not the version of."""
    carried = {(one.word, one.value) for one in sent(facts.step)}
    found: list[tuple[str, str]] = []
    for pointer, entries in _lists(_tree(read), "", _DEEP):
        keys = {
            name
            for name, value in entries[0].items()
            if isinstance(value, str | int) and len({str(one.get(name)) for one in entries}) == len(entries)
        }
        for number, entry in enumerate(entries):
            named = any((name, str(entry.get(name))) in carried for name in keys if not called_version(name))
            held = [
                (f"{pointer}/{number}/{name}", tokens.opaque(str(value)))
                for name, value in entry.items()
                if isinstance(value, str | int) and _of_versions(name, guard)
            ]
            found += held if named and len(held) == 1 else []
    token = tokens.opaque(facts.token or "")
    above = {one.rpartition("/")[0] for one in places}
    if len(found) == 1 and found[0][1] != token and found[0][0].rpartition("/")[0] not in above:
        place, value = found[0]
        if here := _apart(place, places, guard):
            yield Apart(read, here, place, value, facts.step, False, still, named=True)


def _lists(value: object, pointer: str, depth: int) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """Yield the lists of records in an answer, with their places."""
    for name, member in members_in(value).items() if depth else ():
        here = f"{pointer}/{name}"
        if isinstance(member, dict):
            yield from _lists(cast("object", member), here, depth - 1)
        elif isinstance(member, list):
            entries = cast("list[object]", member)
            if entries and len(entries) <= _MOST and all(isinstance(one, dict) for one in entries):
                yield here, cast("list[dict[str, object]]", entries)


def _called_so(
    facts: Facts, guard: Condition, read: Step, places: list[str], still: Step | None
) -> Iterator[Apart]:
    """Yield the one version of an answer that is called just as the guard is, where the sent one is not."""
    word, token = guard.name.rpartition("/")[2], tokens.opaque(facts.token or "")
    if any(_same_name(one, word) for one in places):
        return
    held = _members(_tree(read), "", _DEEP)
    named = [(place, value) for place, value in held if _same_name(place, word)]
    place, value = named[0] if len(named) == 1 else ("", token)
    if value == token or not (tokens.shape(value) == tokens.shape(token) or _as_long(value, token)):
        return
    yield Apart(read, places[0], place, value, facts.step, False, still, called=True)


def _as_long(one: str, two: str) -> bool:
    """Tell whether two values are as long as each other, and so long that one code path makes both."""
    return len(one) == len(two) >= _MADE


def _same_name(place: str, word: str) -> bool:
    """Tell whether a place is called as a guard is, but for what says how that is meant: `X-Weight-Rev`."""
    name = place.rpartition("/")[2]
    one, two = ("".join(each for each in text.casefold() if each.isalnum()) for text in (name, word))
    if one == two:
        return bool(one)
    words = telling_words(word)
    return words == telling_words(name) and bool(words - {"version"})


def _members(value: object, pointer: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield the places of all members in objects and lists, with what they hold."""
    inner: dict[str, object] = members_in(value) if depth else {}
    if depth and isinstance(value, list):
        entries = cast("list[object]", value)[:_ENTRIES]
        inner = {str(number): entry for number, entry in enumerate(entries)}
    for name, member in inner.items():
        here = f"{pointer}/{name}"
        if isinstance(member, dict | list):
            yield from _members(cast("object", member), here, depth - 1)
        elif isinstance(member, str | int) and not isinstance(member, bool):
            yield here, tokens.opaque(str(member))


def _versions(value: object, pointer: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield the places of objects in objects that are called versions, with what they hold."""
    for name, member in members_in(value).items() if depth else ():
        here = f"{pointer}/{name}"
        if isinstance(member, dict):
            yield from _versions(cast("object", member), here, depth - 1)
        elif isinstance(member, str | int) and not isinstance(member, bool) and pointer:
            yield here, tokens.opaque(str(member))


def _tree(step: Step) -> object:
    """Return what an answer holds by names: JSON, the fields of a page, or XML."""
    if step.view.json is not UNKNOWN:
        return step.view.json
    if is_page(step.view.text):
        return fields_of(step.view.text)
    return tree_in(step.content)


def _at(step: Step, pointer: str) -> str:
    """Return the value at a place of an answer, be it JSON or XML; "" where it has none."""
    held = _tree(step)
    for part in pointer.split("/")[1:]:
        if isinstance(held, list):
            entries = cast("list[object]", held)
            held = entries[int(part)] if part.isdigit() and int(part) < len(entries) else None
        else:
            held = members_in(held).get(part)
    return tokens.opaque(str(held)) if isinstance(held, str | int) else ""


def _apart(place: str, others: list[str], guard: Condition) -> str:
    """Return the place in another object that is called alike, "" without one.

    Of the entries of one list each is a state or a thing of its own: which one is meant only names tell.
    """
    above, _, word = place.rpartition("/")
    for one in others:
        part, _, name = one.rpartition("/")
        if not _of_versions(place, guard):
            continue
        if part == above and name != word:
            # Side by side they are told apart by their names: `board_version` and `version`.
            if called_version(name) and called_version(word):
                return one
            continue
        if _shape(part) == _shape(above):
            continue
        if name == word or alike(name, word) or (called_version(name) and called_version(word)):
            return one
    return ""


def _shape(pointer: str) -> list[str]:
    return ["0" if part.isdigit() else part for part in pointer.split("/")]


def _of_versions(place: str, guard: Condition) -> bool:
    """Tell whether a place is called like a version, or as the guard is."""
    word = place.rpartition("/")[2]
    return called_version(word) or alike(word, guard.name.rpartition("/")[2])
