"""Find that one host has a thing under two paths, one for each front: phones have a way in of their own.

What is one thing shows by both paths what was written by one. What is kept beside it, a draft or a copy, goes
on with versions of its own; where nothing was looked at after a write, its name may say that it is such.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis import tokens
from ifmatch.diagnosis.contents import resemblance
from ifmatch.diagnosis.resources import host_of
from ifmatch.dialects.glossary import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.steps import Step

_OK: Final = 200
_REFUSED: Final = 412
# So many steps at the end of two paths must be the same.
_SAME: Final = 2
# What a front adds to a path is a word or two.
_FRONT: Final = 2
_NEAR: Final = 40
# A shorter tag is that of many things.
_TELLING: Final = 6
# So many versions shown under both paths are no chance, and no copies.
_FOLLOWED: Final = 2
_NEARLY: Final = 0.5
# At most so many paths end alike in one service for this to be looked into.
_MOST: Final = 8
# What is kept beside the thing itself: another stage, state or copy of it.
_STAGE: Final = Words(
    r"draft|preview|stag(?:e|ing)|test|dev|demo|beta|alpha|canary|sandbox|live|prod|publish|public|edit|work"
    r"|archiv|old|new|backup|bak|copy|mirror|cache|trash|deleted|snapshot|histor|version|v\d|\d{2}|meta|raw"
    r"|thumb|export|import|private|personal|user|tenant|team|site|locale|lang|^[a-z]{2}(?:[-_][a-z]{2})?$"
)
_STORING: Final = frozenset({"PUT", "PATCH"})


def join_fronts(steps: Sequence[Step]) -> None:
    """Give the resources that one host has under two paths one name.

    Args:
        steps: of a case, in any order.
    """
    resources = {step.resource for step in steps}
    if len({_last(resource) for resource in resources}) == len(resources):
        # No two of them end alike.
        return
    found = _followed(steps) | _sent_to_both(sorted(steps, key=lambda one: one.start))
    for step in steps if found else ():
        step.resource = found.get(step.resource, step.resource)


def _followed(steps: Sequence[Step]) -> dict[str, str]:
    """Return the names of what shows, under both paths, the same versions one after the other."""
    tags: dict[tuple[str, ...], dict[str, set[str]]] = {}
    for step in steps:
        tag = _tag(step)
        if tag and step.status == _OK and "://" in step.resource:
            tags.setdefault(_end(step.resource), {}).setdefault(step.resource, set()).add(tag)
    found: dict[str, str] = {}
    for places in tags.values():
        if not 1 < len(places) <= _MOST:
            continue
        first, *others = sorted(places, key=lambda one: (len(one), one))
        for other in others:
            followed = len(places[first] & places[other]) >= _FOLLOWED and len(_fronts(first, other)) == 1
            if followed and _writes_show(steps, first, other) is not False:
                found[other] = first
    return found


def _sent_to_both(steps: Sequence[Step]) -> dict[str, str]:
    """Return the names of what a client sends, on one version, to one path and then to the other.

    The first refuses it, and shows a later state of what the other had shown.
    """
    found: dict[str, str] = {}
    for number, step in enumerate(steps):
        sent = step.sent.text("if-match") if step.status == _REFUSED and step.method == "PUT" else None
        if sent is None or len(tokens.opaque(sent)) < _TELLING or "://" not in step.resource:
            continue
        for one in steps[number + 1 : number + 1 + _NEAR]:
            again = (
                one.method == "PUT" and _sender(one) == _sender(step) and one.sent.text("if-match") == sent
            )
            if not again or not 200 <= one.status < 300 or one.resource == step.resource:
                continue
            same = step.body is not None and one.body is not None and step.body.octets == one.body.octets
            if same and _one_thing(steps[max(0, number - _NEAR) : number + _NEAR], step, one):
                first, other = sorted((step.resource, one.resource), key=len)
                found[other] = first
    return found


def _one_thing(near: Sequence[Step], refused: Step, taken: Step) -> bool:
    """Tell whether two paths lead to one thing, by what they show after a write, or else by their states."""
    fronts = _fronts(refused.resource, taken.resource)
    if not fronts or not _later_state(near, refused, taken):
        return False
    shown = _writes_show(near, refused.resource, taken.resource)
    if shown is not None:
        return shown
    # Nothing was looked at afterwards: what else there is of a thing mostly says so by its name.
    return len(fronts) == 1 and _STAGE.search(fronts[0]) is None


def _writes_show(steps: Sequence[Step], one: str, two: str) -> bool | None:
    """Tell whether a path shows next what a write by another one made, None where nobody looked.

    Args:
        steps: in order of time, of any resources.
        one: key of a resource.
        two: key of another.
    """
    seen: dict[str, set[str]] = {one: set(), two: set()}
    before: dict[str, set[str]] = {}
    made: dict[str, Step] = {}
    for step in sorted((each for each in steps if each.resource in seen), key=lambda each: each.start):
        here, there = step.resource, two if step.resource == one else one
        if step.method in _STORING and 200 <= step.status < 300:
            made[there], before[there] = step, set(seen[there])
            made.pop(here, None)
            continue
        tag = step.header("etag") or ""
        if step.method != "GET" or step.status != _OK or step.cache_hit or not tag:
            continue
        write = made.pop(here, None)
        if write is not None and (tag == write.header("etag") or step.content == write.body):
            return True
        if write is not None and tag in before[here]:
            return False
        seen[here].add(tag)
    return None


def _later_state(near: Sequence[Step], refused: Step, taken: Step) -> bool:
    """Tell whether one path shows, at the refusal, what the other had shown before, with a change in it."""
    sent = refused.sent.text("if-match")
    looks = [one for one in near if one.method == "GET" and one.status == _OK and one.content is not None]
    had = [one for one in looks if one.resource == taken.resource and one.header("etag") == sent]
    now = [one for one in looks if one.resource == refused.resource and one.start < taken.start]
    if not had or not now or had[0].start > refused.start:
        return False
    early, late = had[-1], now[-1]
    if tokens.shape(_tag(early)) != tokens.shape(_tag(late)) or _tag(early) == _tag(late):
        return False
    there = (one for one in looks if one.resource == late.resource and one.start < early.start)
    if any(_tag(one) == _tag(late) for one in there):
        # It was there before the other: both were current at once.
        return False
    old, new = early.last_modified, late.last_modified
    if old is not None and new is not None and not old <= new:
        return False
    return resemblance(early.content, late.content) >= _NEARLY


def _sender(step: Step) -> tuple[str | None, ...]:
    """Return who sent a request, as far as it says so itself."""
    return str(step.source), step.sent.text("user-agent"), step.sent.text("authorization")


def _tag(step: Step) -> str:
    """Return the strong tag that an answer bears, "" without one that tells anything."""
    value = (step.header("etag") or "").strip()
    return value if value.startswith('"') and len(tokens.opaque(value)) >= _TELLING else ""


def _end(resource: str) -> tuple[str, ...]:
    """Return what a resource shares with the same one behind another front: its host, and how it ends."""
    host = host_of(resource)
    return (host, *resource[len(host) :].split("/")[-_SAME:])


def _last(resource: str) -> tuple[str, ...]:
    """Return what two resources have in common at least for one of them to stand before the other."""
    host = host_of(resource)
    return (host, *resource[len(host) :].strip("/").split("/")[-_SAME:])


def _fronts(one: str, two: str) -> tuple[str, ...]:
    """Return what two paths of one host begin with before they are the same, nothing for other paths.

    Args:
        one: key of a resource.
        two: key of another.
    """
    host = host_of(one)
    if host != host_of(two):
        return ()
    left, right = (path[len(host) :].strip("/").split("/") for path in (one, two))
    pairs = zip(reversed(left), reversed(right), strict=False)
    same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
    fronts = ["/".join(path[: len(path) - same]) for path in (left, right) if len(path) > same]
    if same < _SAME or any(front.count("/") >= _FRONT for front in fronts):
        return ()
    return tuple(fronts)
