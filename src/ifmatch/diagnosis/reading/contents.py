"""Compare contents by what they say, not by how they are written."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl

from ifmatch.diagnosis.reading.embedded import may_hold, opened
from ifmatch.diagnosis.reading.inner_envelopes import unwrapped_within
from ifmatch.diagnosis.reading.lines_told import lines_tell
from ifmatch.diagnosis.reading.pages import fields_of, is_page, nested
from ifmatch.diagnosis.reading.sizes import size_of
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.dialects.glossary import Words
from ifmatch.model.grouped import grouped
from ifmatch.model.json_values import pointer_step
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator


ABSENT = object()
# Octets that two writers would hardly both have written.
_MUCH = 12
# How deep in its envelopes a stored object may stand, and the longest form that is read as one.
_DEEP = 3
_LONG_FORM = 4000
# Members that hold a version of their object.
_VERSION = Words(r"(?:^_*|[-_.]|(?<=[a-z]))(?:version|revision|rev|e?tag|generation|serial|sequence|seq|v)$")
# Members that a write says about itself, and no read of the thing shows.
_REMARK = Words(
    r"(?:(?:commit|edit|change|update|revision|version|save)[_-]?)?(?:message|comment|reason)"
    r"|(?:commit|edit|change|update|revision|version|save)[_-]?(?:summary|note|title|log)"
    r"|(?:start_?)?branch|(?:author|committer)(?:_?(?:name|e?mail))?"
)
# The last texts up to this length are taken apart once: many rules look at the same few.
_SHORT = 4_000
# A longer text is not taken apart.
_LONGEST = 200_000
# Names are of any script, with the marks on its letters; what no ">" ends is gone through once.
_LEAF = late_pattern(r"<([^\W\d][^\x00-,/;-@\[-^`{-\x7f]*+)[^<>]*+>([^<>]*+)</\1>")
_PROPERTY = late_pattern(r"^([A-Za-z][\w.-]*)(?:;[^:\r\n]*)?:(.*)$", re.MULTILINE)
# Lines that a server may add to a stored text, and the fewest that a text must have to be told by lines.
_FEW_LINES = 3
_FEW_LEAVES = 2


def _json(content: Content) -> object:
    """Return the JSON value of a content, with the documents that its strings hold taken as content too.

    It is not to be changed: the same content is asked for again.
    """
    if content.complete and len(content.text) <= _SHORT:
        return _remembered(content.text)
    return _opened(content)


@lru_cache(maxsize=512)
def _remembered(text: str) -> object:
    return _opened(Content.from_text(text))


def forget() -> None:
    """Let go of what was remembered of contents: one diagnosis is done."""
    _remembered.cache_clear()


def _opened(content: Content) -> object:
    value = content.json()
    return opened(value) if value is not UNKNOWN and may_hold(content.text) else value


def _object(value: object) -> dict[str, object] | None:
    """Return a JSON object with its type told, None when the value is none."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else None


def _members(content: Content) -> object:
    """Return the JSON value, or the properties or leaf elements of other texts; UNKNOWN without any."""
    value = _json(content)
    if value is not UNKNOWN:
        return value
    text = content.text
    if len(text) > _LONGEST:
        return UNKNOWN
    if is_page(text):
        return nested(fields_of(text)) or UNKNOWN
    if text.lstrip()[:1] == "<":
        head = text[:500].lower()
        data = ("<?xml" in head or "xmlns" in head) and "<html" not in head
        leaves = _LEAF.findall(text) if data else []
    else:
        lines = [line for line in text.splitlines() if line.strip()]
        leaves = _PROPERTY.findall(text)
        if len(lines) < _FEW_LINES or len(leaves) < 0.8 * len(lines):
            return _form(content)
    found = grouped((name, held.strip()) for name, held in leaves)
    # One element is the value, several of a name are a list.
    return {name: held[0] if len(held) == 1 else held for name, held in found.items()} or UNKNOWN


def same_content(first: Content | None, second: Content | None) -> bool:
    """Tell whether two contents say the same: same octets, same JSON, or the same lines in another order.

    Servers re-serialise: spaces in JSON, the order of properties in calendars.
    """
    if first is None or second is None:
        return False
    if first.octets == second.octets:
        return True
    one, two = _json(first), _json(second)
    if one is not UNKNOWN and two is not UNKNOWN:
        return one == two
    return _lines(first) == _lines(second) and len(_lines(first)) > 1


def _lines(content: Content) -> list[str]:
    return sorted(line.strip() for line in content.text.splitlines() if line.strip())


def holds(current: Content | None, wanted: Content | None) -> bool:
    """Tell whether the current content holds everything that a write wanted.

    What servers add or stamp is left aside, and so are envelopes: the wanted members may stand deeper.
    """
    if current is None or wanted is None:
        return False
    if same_content(current, wanted):
        return True
    one, two = _json(current), _json(wanted)
    if two is UNKNOWN:
        if one is UNKNOWN:
            two = _form(wanted)
            one = nested(fields_of(current.text)) if is_page(current.text) else _form(current)
            if not one or one is UNKNOWN or two is UNKNOWN:
                told = two is not UNKNOWN and lines_tell(current.text, two)
                return told or _lines_added(current, wanted) or _leaves_kept(current, wanted)
        two = _form(wanted)
    # A list of one is how some services show the one thing that was asked for.
    elements = cast("list[object]", one) if isinstance(one, list) else [one]
    stored, asked = _object(elements[0] if len(elements) == 1 else None), _object(two)
    if stored is None or asked is None:
        return False
    inner = next(iter(asked.values())) if len(asked) == 1 else None
    wrapped = [cast("dict[str, object]", inner)] if isinstance(inner, dict) else []
    parts = list(_objects(stored, _DEEP))
    if any(_covers(part, form) for part in parts for form in (asked, *wrapped)):
        return True
    return any(_covers(part, asked, around) for part, around in _inside(stored, _DEEP))


def _lines_added(current: Content, wanted: Content) -> bool:
    """Tell whether a text kept every line that was wanted, and only a few were added."""
    there, asked = _lines(current), _lines(wanted)
    if len(asked) < _FEW_LINES or len(there) > len(asked) + max(_FEW_LINES, len(asked) // 4):
        return False
    return not Counter(asked) - Counter(there)


_ROOT = late_pattern(r"<(?:[\w.-]+:)?([^\W\d][^\x00-,/:-@\[-^`{-\x7f]*)[\s>/]")
# What stands before the first element: declarations and comments (XML 1.0 section 2.8).
_PROLOGUE = late_pattern(r"(?:\s*<[?!][^<>]*>)*\s*")
_ENVELOPE = late_pattern(r"<(?:\w+:)?Envelope\b")


def _leaves_kept(current: Content, wanted: Content) -> bool:
    """Tell whether a document holds every leaf element of another one, whatever was wrapped around them."""
    if wanted.text.lstrip()[:1] != "<" or max(len(current), len(wanted)) > _LONGEST:
        return False
    head, begun = current.text[:500].lower(), _PROLOGUE.sub("", wanted.text, count=1)
    if "<html" in head or "<!doctype html" in head or _ROOT.match(begun) is None:
        return False
    if not ("<?xml" in head or "xmlns" in head) and (_root(current) or "-") != _root(wanted):
        # What declares nothing is known by its first element alone.
        return False
    there = _elements(current)
    asked = Counter({leaf: count for leaf, count in _elements(wanted).items() if not stamped("/" + leaf[0])})
    wrapped = _ENVELOPE.search(wanted.text[:500]) is not None
    if wrapped:
        # The name of what is written stands beside it, and not in answers.
        names = {name for name, _ in there}
        asked = Counter({leaf: count for leaf, count in asked.items() if leaf[0] in names})
    few = 1 if wrapped or _root(current) == _root(wanted) else _FEW_LEAVES
    return len(asked) >= few and not asked - there


def _root(content: Content) -> str:
    """Return the local name of the first element of a document, "" without one."""
    found = _ROOT.search(content.text[:_LONG_FORM])
    # Several elements side by side are a piece of a page.
    whole = found is not None and content.text.rstrip().endswith((f"{found[1]}>", "/>"))
    return found[1] if found is not None and whole else ""


def _elements(content: Content) -> Counter[tuple[str, str]]:
    return Counter((name.rpartition(":")[2], held.strip()) for name, held in _LEAF.findall(content.text))


# What frameworks add to a form: the method that is meant, a check of the encoding, the button.
_OF_THE_FORM = frozenset({"_method", "utf8", "commit", "csrfmiddlewaretoken", "authenticity_token"})


def _form(content: Content) -> object:
    """Return the members of a urlencoded form, UNKNOWN when the content is none."""
    text = content.text
    if "=" not in text or len(text) > _LONG_FORM or any(character in text for character in " <>\n{"):
        return UNKNOWN
    members = {name: value for name, value in parse_qsl(text) if name not in _OF_THE_FORM}
    return nested(members) or UNKNOWN


def _objects(value: object, depth: int) -> Iterator[dict[str, object]]:
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        yield members
        if depth:
            for member in members.values():
                yield from _objects(member, depth - 1)


def _inside(
    whole: dict[str, object], depth: int, around: dict[str, object] | None = None
) -> Iterator[tuple[dict[str, object], dict[str, object]]]:
    """Yield the objects within an object, each with the members that stand around it and are none."""
    beside = {name: value for name, value in whole.items() if not isinstance(value, dict | list)}
    beside = {**(around or {}), **beside}
    for member in whole.values():
        inner = _object(member)
        if inner is not None:
            yield inner, beside
            if depth > 1:
                yield from _inside(inner, depth - 1, beside)


def _spelt_alike(one: object, two: object) -> bool:
    """Tell whether two values differ only in their JSON type: some stores keep all as strings."""
    if isinstance(one, str) and isinstance(two, list | dict):
        return "".join(one.split()).replace("'", '"') == json.dumps(two, separators=(",", ":"))
    scalar = (str, int, float, bool)
    if not (isinstance(one, scalar) and isinstance(two, scalar)) or isinstance(one, str) == isinstance(
        two, str
    ):
        return False
    return str(one).lower() == str(two).lower()


def _covers(
    current: dict[str, object], wanted: dict[str, object], around: dict[str, object] | None = None
) -> bool:
    """Tell whether an object holds what was wanted, but for what stands around it: the name of the thing."""
    compared = 0
    for name, value in wanted.items():
        if stamped("/" + name):
            continue
        there = current.get(name, ABSENT)
        if there is ABSENT and around is not None and around.get(name, ABSENT) == value:
            continue
        if there is ABSENT and (_REMARK.fullmatch(name) or _only_stamps(name, value)):
            continue
        part, held = _object(value), _object(there)
        if part is not None and held is not None:
            if part and all(stamped("/" + one) for one in part):
                continue
            if part and not any(_covers(one, part) for one in _objects(held, 1)):
                return False
        elif there != value and not _spelt_alike(there, value):
            return False
        compared += 1
    return compared > 0


def shares_members(one: Content | None, two: Content | None) -> bool:
    """Tell whether a content is a representation like another one: both JSON objects with a common member."""
    if one is None or two is None:
        return False
    first, second = _object(_json(one)), _object(_json(two))
    if first is None or second is None:
        return False
    names = {name for part in _objects(first, _DEEP) for name in part}
    return len(names & set(second)) > len(second) // 2


def unwrapped(content: Content, like: Content | None) -> Content:
    """Return the part of a content that is what a write sends: services put records into envelopes.

    Args:
        content: JSON, as a read shows it.
        like: what a write carries; None when not known.

    Returns:
        The inner object that has most members of what is sent, the content itself where there is none.
    """
    whole, sent = _object(_members(content)), _object(_members(like)) if like is not None else None
    if whole is None or not sent:
        return content
    parts = list(_objects(whole, _DEEP))
    # A version that is sent beside the change stands beside the record, too.
    names = {name for name, value in sent.items() if not _only_stamps(name, value)} or set(sent)
    most = [part for part in parts if len(set(part) & names) > len(names) // 2]
    # What is sent may say more: who and where, and the version.
    inner = [part for part in parts if len(part) > 1 and set(part) <= set(sent)]
    part = next(iter((*most, *inner)), whole)
    found = unwrapped_within(part, sent) or part
    return content if found is whole else Content.from_json(found)


def _only_stamps(name: str, value: object) -> bool:
    """Tell whether a member is one that servers write by themselves, or holds none but such."""
    inner = _object(value)
    return stamped("/" + name) or (bool(inner) and all(stamped("/" + one) for one in inner or ()))


def holds_stamps(content: Content, pointer: str) -> bool:
    """Tell whether the object at a pointer holds nothing but what servers write by themselves.

    Args:
        content: JSON.
        pointer: JSON Pointer (RFC 6901).
    """
    inner = _object(value_at(content, pointer))
    return bool(inner) and all(stamped("/" + name) for name in inner or ())


def speak_of_one(one: Content, two: Content) -> bool:
    """Tell whether two contents can be compared at all: not an object's data with its description.

    Two JSON objects need a member in common; JSON and other text have nothing to compare.
    """
    first, second = _json(one), _json(two)
    left, right = _object(first), _object(second)
    if left is not None and right is not None:
        inner = [part for value in left.values() if (part := _object(value)) is not None]
        return not right or any(name in left or any(name in part for part in inner) for name in right)
    return (first is UNKNOWN) == (second is UNKNOWN)


def resemblance(one: Content | None, two: Content | None) -> float:
    """Return how much of a content another one repeats: members or lines, 0 to 1; 0 where not known."""
    if one is None or two is None:
        return 0.0
    first, second = _members(one), _members(two)
    if isinstance(first, dict) and isinstance(second, dict):
        left, right = cast("dict[str, object]", first), cast("dict[str, object]", second)
        return sum(right.get(name, ABSENT) == value for name, value in left.items()) / max(1, len(left))
    lines, others = _lines(one), set(_lines(two))
    return sum(line in others for line in lines) / max(1, len(lines))


def telling(content: Content | None, less: int = 0) -> bool:
    """Tell whether a content says more than two writers may hit on: a counter's next value, a flag, a word.

    Args:
        content: of a request.
        less: as many characters of it say nothing of the state, such as a version.
    """
    return content is not None and size_of(content) - less >= _MUCH


def change_of(content: Content, base: Content | None) -> Content:
    """Return what a patch changes: without what it repeats, without a version, out of what is around it.

    Args:
        content: of a request.
        base: what it was made from.
    """
    sent, there = (_object(_json(one)) if one is not None else None for one in (content, base))
    while sent is not None:
        known = there or {}
        left = {
            name: value
            for name, value in sent.items()
            if known.get(name, ABSENT) != value and not (isinstance(value, int) and _VERSION.search(name))
        }
        name, inner = next(((name, _object(value)) for name, value in left.items()), ("", None))
        if len(left) != 1 or inner is None:
            return Content.from_json(left)
        sent, there = inner, _object(known.get(name))
    return content


def changed_pointers(before: Content | None, after: Content | None) -> tuple[str, ...] | None:
    """Return the JSON Pointers (RFC 6901) of what differs, None when either has no members.

    Properties of calendars and contacts, and leaf elements of XML, are taken as members, too.

    Args:
        before: content of the earlier version.
        after: content of the later version.
    """
    if before is None or after is None:
        return None
    one, two = _members(before), _members(after)
    if one is UNKNOWN or two is UNKNOWN:
        return None
    found: list[str] = []
    _compare(one, two, "", found)
    return tuple(found)


def _compare(one: object, two: object, pointer: str, found: list[str]) -> None:
    if len(found) > 200:
        return
    if isinstance(one, dict) and isinstance(two, dict):
        left, right = cast("dict[str, object]", one), cast("dict[str, object]", two)
        for name in [*left, *(key for key in right if key not in left)]:
            if name not in left or name not in right:
                found.append(f"{pointer}/{pointer_step(name)}")
            elif not (isinstance(left[name], str) and left[name] == right[name]):
                _compare(left[name], right[name], f"{pointer}/{pointer_step(name)}", found)
    elif isinstance(one, list) and isinstance(two, list):
        before, after = cast("list[object]", one), cast("list[object]", two)
        if len(before) != len(after):
            found.append(pointer)
            return
        for index, (left_item, right_item) in enumerate(zip(before, after, strict=True)):
            _compare(left_item, right_item, f"{pointer}/{index}", found)
    elif isinstance(one, str | int) and type(one) is type(two):
        found += [pointer] if one != two else []
    elif json.dumps(one, sort_keys=True) != json.dumps(two, sort_keys=True):
        found.append(pointer)


def beside(content: Content, token: str, name: str) -> bool:
    """Tell whether a name stands in the same JSON object, or right beside, a token in a listing."""
    value = content.json()
    if value is UNKNOWN:
        text = content.text
        place = text.find(token)
        return place >= 0 and name in text[max(0, place - 250) : place + 150]
    holder = _holder(value, token)
    return holder is not None and name in json.dumps(holder)


def _holder(value: object, token: str) -> object:
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        if any(
            token in member if isinstance(member, str) else isinstance(member, int) and str(member) == token
            for member in members.values()
        ):
            return members
        inner = list(members.values())
    elif isinstance(value, list):
        inner = cast("list[object]", value)
    else:
        return None
    return next((found for one in inner if (found := _holder(one, token)) is not None), None)


def version_member(content: Content | None, token: str) -> str:
    """Return the JSON object's member that names a version and holds just this token, "" when none does."""
    members = (_object(_members(content)) if content is not None else None) or {}
    return next(
        (
            name
            for name, value in members.items()
            if _VERSION.search(name) and isinstance(value, str | int) and str(value) == token
        ),
        "",
    )


def scalars(value: object) -> Iterator[str]:
    """Yield the words and numbers of a JSON value, at any depth, as they are written.

    Args:
        value: a JSON value.
    """
    if isinstance(value, dict):
        for member in cast("dict[str, object]", value).values():
            yield from scalars(member)
    elif isinstance(value, list):
        for member in cast("list[object]", value):
            yield from scalars(member)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)


def value_at(content: Content | None, pointer: str) -> object:
    """Return the JSON value at a pointer, or a private marker when there is none."""
    if content is None:
        return ABSENT
    value = _members(content)
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = cast("dict[str, object]", value).get(name, ABSENT)
        elif isinstance(value, list) and name.isdigit() and int(name) < len(cast("list[object]", value)):
            value = cast("list[object]", value)[int(name)]
        else:
            return ABSENT
    return value
