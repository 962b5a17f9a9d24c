"""Find the values in a request's path without which it names a resource that was read; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.spelled_times import spelled_time
from ifmatch.diagnosis.links.targets import views_of
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.steps.message_members import Member, sent, shown
from ifmatch.dialects.words import VERSION
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ifmatch.diagnosis.steps.step import Step

# What stands in a path beside a value: `;rev=7`, `@7`, `~v7`.
_EMBEDDED: Final = late_pattern(
    r"(?P<thing>.+?)(?P<before>[@;:~,!](?:[A-Za-z_-]+[=:.-]?)?)(?P<value>\w[\w.-]*)"
)
_NUMBER: Final = late_pattern(r"(?P<before>[A-Za-z]+[-_.=]?)(?P<value>\d+)")
_ACTION: Final = late_pattern(r"[A-Za-z][A-Za-z_-]{0,40}")
# What may stand where a version stands, and mean the current one: a word, whatever the language.
_ALIAS: Final = late_pattern(r"[^\W\d_]{3,20}")
# Shorter names begin alike by chance, and plurals end on no more letters.
_A_WORD: Final = 4
_ENDING: Final = 2
_SEVERAL: Final = 2
# So many reads back a value is looked for.
_RECENT: Final = 12
_OK: Final = 200


class InPath(Frozen, frozen=True):
    """A value in a path, and the resource that is left when it is taken out.

    Attributes:
        member: the value.
        resource: key of the resource without it.
        rule: regular expression over path and query that finds it for the same-resource rule.
        becomes: what is left of it.
    """

    member: Member
    resource: str
    rule: str
    becomes: str


def in_path(step: Step, read: set[str], *, itself: bool = False) -> list[InPath]:
    """Return the values in a request's path without which it names a resource that was read.

    `/units/7/revisions/3`, `/units/7/3`, `/units/7@3` and `/units/7;rev=3` all are about `/units/7`; one
    action may follow (`/units/7/3/close`).

    Args:
        step: the request.
        read: keys of the resources that were read, queries left out.
        itself: whether the whole path may be among them.
    """
    key = step.resource.partition("?")[0]
    if key in read and not itself:
        return []
    parts = key.split("/")
    first = 3 if "://" in key else 1
    found: list[InPath] = []
    for place in range(len(parts) - 1, max(first, len(parts) - 3), -1):
        rest = parts[place + 1 :]
        if len(rest) > 1 or any(not _ACTION.fullmatch(one) for one in rest):
            break
        found += _labelled(parts, place, read)
        found += _bare(parts, place, first, read)
        found += _embedded(parts, place, read)
    return found


def acted_on(
    step: Step, path: str, about: Mapping[str, Sequence[Step]], views: Mapping[str, Sequence[str]]
) -> str:
    """Return the resource that a call below it acts on (`POST /parts/7/stocktake`), "" when there is none.

    The resource was read before, and the call sends one of its values under the very name that it has there,
    or the time of its last change, however that is spelled.

    Args:
        step: the request.
        path: key of its resource without the query.
        about: the steps before it, by what they are about.
        views: keys of these that have a query, by their paths.
    """
    thing, _, action = path.rpartition("/")
    if step.method not in {"POST", "PUT", "PATCH"} or not _ACTION.fullmatch(action):
        return ""
    carried = [one for one in sent(step) if one.where in {"body", "query"}]
    for key in (thing, *views_of(thing, carried, views.get(thing, ()))):
        read = [one for one in about.get(key, ())[-_RECENT:] if one.is_read and one.status == _OK]
        if read and carried and _means(step, carried, read):
            return key
    return ""


def _means(step: Step, carried: Sequence[Member], read: Sequence[Step]) -> bool:
    """Tell whether a request sends a value of what was read, or its version, or the time of its change."""
    mine = {(one.word, one.value) for one in carried}
    shown_there = [one for each in read for one in shown(each) if one.where == "body"]
    if mine & {(one.word, one.value) for one in shown_there}:
        return True
    named = {word for word, _ in mine} & {one.word for one in shown_there}
    if named and any(spelled_time(one, reversed(read)) for one in sent(step)):
        return True
    # Of a change that sends a member under its name, the version may be called anything.
    versions = {one.value for one in shown_there if VERSION.search(one.word)}
    empty = named or {word for word, _ in mine} & {
        name for each in read for name in members_in(each.view.json)
    }
    return bool(empty) and any(
        one.word not in named and (one.value in versions or any(_next(held, one.value) for held in versions))
        for one in carried
    )


def _next(held: str, value: str) -> bool:
    return held.isdigit() and tokens.steps_on(held, value) == 1


def labelled(step: Step) -> list[InPath]:
    """Return the value that the last steps of a path call a version, whether its resource was read or not.

    Args:
        step: the request.
    """
    parts = step.resource.partition("?")[0].split("/")
    place = next((one for one in range(len(parts) - 1, 2, -1) if _NAMED.fullmatch(parts[one - 1])), 0)
    return list(_labelled(parts, place, {"/".join(parts[: place - 1])})) if place else []


# Steps of a path after which a version stands.
_NAMED: Final = late_pattern(r"versions?|revisions?|revs?|etags?|generations?|v", re.IGNORECASE)
_END: Final = r"(?=[/?]|$)"


def _labelled(parts: list[str], place: int, read: set[str]) -> Iterator[InPath]:
    base, label = "/".join(parts[: place - 1]), parts[place - 1]
    if base not in read or not _ACTION.fullmatch(label):
        return
    for kept in _beginnings(parts[place]):
        start = rf"/{re.escape(label)}/{re.escape(kept)}"
        value = parts[place][len(kept) :]
        like = _like("" if _NAMED.fullmatch(label) else value)
        yield InPath(
            Member("path", rf"{start}({like}){_END}", label, value), base, rf"{start}{like}{_END}", ""
        )


def _beginnings(part: str) -> list[str]:
    """Return what may stand before a version in a step of a path: nothing, or the letters before a number."""
    match = _NUMBER.fullmatch(part)
    return ["", match["before"]] if match is not None else [""]


def _like(value: str) -> str:
    """Return the pattern of values of a kind: numbers, or whatever stands between two slashes."""
    return r"\d+" if value.isdigit() else r"[^/?]+"


def _bare(parts: list[str], place: int, first: int, read: set[str]) -> Iterator[InPath]:
    base = "/".join(parts[:place])
    if base not in read:
        return
    above = "".join(f"/{re.escape(one)}" for one in parts[first : place - 1])
    thing = rf"{above}/[^/?]+"
    # What is read by its own name is a thing of a collection, whatever its name ends on.
    named = "/".join(parts[: place + 1]) in read
    for kept in _beginnings(parts[place]):
        if kept and named:
            continue
        rest, value = re.escape(kept), parts[place][len(kept) :]
        like = _like(value)
        member = Member("path", rf"^{thing}/{rest}({like}){_END}", kept.rstrip("-_.="), value)
        yield InPath(member, base, rf"^({thing})/{rest}{like}{_END}", r"\1")


def _embedded(parts: list[str], place: int, read: set[str]) -> Iterator[InPath]:
    match = _EMBEDDED.fullmatch(parts[place])
    base = "/".join([*parts[:place], match["thing"]]) if match is not None else ""
    if match is not None and base in read:
        before = re.escape(match["before"])
        word = match["before"].strip("@;:~,!=.-")
        member = Member("path", rf"{before}(\w[\w.-]*){_END}", word, match["value"])
        yield InPath(member, base, rf"{before}\w[\w.-]*{_END}", "")


def latest_words(read: set[str]) -> dict[str, list[str]]:
    """Return the words at the ends of paths that were read, by what stands before them; two at most.

    Args:
        read: keys of the resources that were read, queries left out.
    """
    found: dict[str, list[str]] = {}
    for key in sorted(read):
        folder, _, name = key.rpartition("/")
        words = found.setdefault(folder, [])
        if len(words) < _SEVERAL and _ALIAS.fullmatch(name):
            words.append(name)
    return found


def beside_latest(step: Step, words: Sequence[str]) -> list[InPath]:
    """Return the value at the end of a path, where a word in its place was read: `/revisions/latest`.

    `PUT /deeds/7/revisions/22` is about what `GET /deeds/7/revisions/latest` shows, if that shows 22: this is
    for the caller to find.

    Args:
        step: the request.
        words: words that were read in the place of the value, two at most.
    """
    folder, _, value = step.resource.partition("?")[0].rpartition("/")
    label = folder.rpartition("/")[2]
    # Where several words were read, they are things of a collection.
    if not value or len(words) != 1 or not _ACTION.fullmatch(label):
        return []
    start, like = rf"/{re.escape(label)}/", _like(value)
    member = Member("path", rf"{start}({like}){_END}", label, value)
    return [InPath(member, f"{folder}/{words[0]}", rf"{start}{like}{_END}", f"/{label}/{words[0]}")]


def of_a_kind(label: str, word: str) -> bool:
    """Tell whether a step of a path is the plural of what a member is called, in whatever language.

    Args:
        label: step of a path.
        word: name of a member.
    """
    one, two = label.casefold(), word.casefold()
    return len(two) >= _A_WORD and one.startswith(two[:-1]) and len(one) - len(two) <= _ENDING
