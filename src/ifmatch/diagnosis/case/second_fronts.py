"""Find that one host has a thing under two paths, one for each front: phones have a way in of their own.

What is one thing shows by both paths what was written by one. What is kept beside it, a draft or a copy, goes
on with versions of its own; where nothing was looked at after a write, its name may say that it is such.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.linked_writes import own_name
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import changed_pointers, holds, resemblance, scalars
from ifmatch.diagnosis.steps.resources import host_of
from ifmatch.dialects.glossary import Words
from ifmatch.model.json_values import members_in
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.steps.step import Step

_OK: Final = 200
_REFUSED: Final = 412
# So many steps at the end of two paths must be the same.
_SAME: Final = 2
# What a front adds to a path is a word or two.
_FRONT: Final = 2
_NEAR: Final = 40
# A shorter tag is that of many things.
_TELLING: Final = 6
# A count of so many digits is that of one thing, where the client went to both with it.
_COUNTED: Final = 5
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
# Statuses under which services refuse in words of their own.
_REFUSING: Final = frozenset({400, 409, 422})


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


def join_versions(steps: Sequence[Step]) -> None:
    """Do the same for what carries its versions elsewhere, once it is known where they stand.

    Args:
        steps: of a case, in order of time, their guards known.
    """
    if any(_refused_on(one, elsewhere=True) is not None for one in steps):
        found = _sent_to_both(steps, elsewhere=True)
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


def _sent_to_both(steps: Sequence[Step], *, elsewhere: bool = False) -> dict[str, str]:
    """Return the names of what a client sends, on one version, to one path and then to the other.

    The first refuses it, and shows a later state of what the other had shown.
    """
    found: dict[str, str] = {}
    for number, step in enumerate(steps):
        sent = _refused_on(step, elsewhere=elsewhere)
        if sent is None or "://" not in step.resource:
            continue
        for one in steps[number + 1 : number + 1 + _NEAR]:
            if one.resource == step.resource or not _again(step, one, sent, elsewhere=elsewhere):
                continue
            same = _unnamed(step.body, step) == _unnamed(one.body, one) is not None
            if same and _one_thing(steps[max(0, number - _NEAR) : number + _NEAR], step, one, sent):
                first, other = sorted((step.resource, one.resource), key=len)
                found[other] = first
    return found


def _refused_on(step: Step, *, elsewhere: bool) -> str | None:
    """Return the version that a whole state was refused on, None where none was.

    Args:
        step: any step.
        elsewhere: whether versions stand in contents, or fields of a service's own.
    """
    if elsewhere:
        # What went to both paths is the same change: none of them need know the words of a refusal.
        failed = step.refused or step.status in _REFUSING
        guard = step.guard if failed and step.replaces else None
        # A field of HTTP may carry what contents show.
        field = guard is not None and guard.standard and len(tokens.opaque(guard.value)) >= _TELLING
        named = guard is not None and (guard.key or field)
        return guard.tokens[0] if guard is not None and named and guard.tokens else None
    sent = step.sent.text("if-match") if step.status == _REFUSED and step.method == "PUT" else None
    return sent if sent is not None and len(tokens.opaque(sent)) >= _TELLING else None


def _again(refused: Step, one: Step, sent: str, *, elsewhere: bool) -> bool:
    """Tell whether a sender has got in, on the same version, what was refused."""
    if not 200 <= one.status < 300:
        return False
    if elsewhere:
        guarded = one.changes and one.guard is not None and sent in one.guard.tokens
    else:
        guarded = one.method == "PUT" and one.sent.text("if-match") == sent
    return guarded and _sender(one) == _sender(refused)


def _one_thing(near: Sequence[Step], refused: Step, taken: Step, sent: str) -> bool:
    """Tell whether two paths lead to one thing, by what they show after a write, or else by their states."""
    if not _later_state(near, refused, taken, sent):
        return False
    if host_of(refused.resource) == host_of(taken.resource) and _shows_made(near, refused, taken):
        return True
    fronts = _fronts(refused.resource, taken.resource)
    if not fronts:
        return False
    shown = _writes_show(near, refused.resource, taken.resource)
    if shown is not None:
        return shown
    # Nothing was looked at afterwards: what else there is of a thing mostly says so by its name.
    return len(tokens.opaque(sent)) >= _COUNTED and len(fronts) == 1 and _STAGE.search(fronts[0]) is None


def _shows_made(near: Sequence[Step], refused: Step, taken: Step) -> bool:
    """Tell whether the next look where a state was refused has the version that it made elsewhere, and it."""
    after = (
        one for one in near if one.resource == refused.resource and one.start > taken.end and _looks(one)
    )
    look = next(after, None)
    if look is None or taken.etag is None or look.etag != taken.etag or taken.body is None:
        return False
    made = _unnamed(taken.body, taken)
    return holds(look.representation, made) or holds(look.representation, taken.made)


def _unnamed(content: Content | None, step: Step) -> Content | None:
    """Return a content without what names the address that it is sent to, which a front has of its own.

    The version that it was made from is not there any more when the next look shows it.
    """
    name, members = own_name(step), members_in(content.json()) if content is not None else {}
    if content is None or not members or len(name) <= _FRONT:
        return content
    told = [*(step.guard.tokens if step.guard is not None else ()), step.etag or ""]
    versions = {tokens.opaque(one) for one in told} - {""}
    rest = {
        word: one
        for word, one in members.items()
        if not _ends_in(one, name) and not (isinstance(one, str) and tokens.opaque(one) in versions)
    }
    return Content.from_json(rest) if len(rest) < len(members) else content


def _ends_in(value: object, name: str) -> bool:
    """Tell whether a value is an address or a name of a thing, or holds no other."""
    if isinstance(value, str):
        return value.endswith(name)
    held = list(members_in(value).values())
    return bool(held) and all(_ends_in(one, name) for one in held)


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
        if _stores(step):
            made[there], before[there] = step, set(seen[there])
            made.pop(here, None)
            continue
        tag = step.etag or ""
        if not _looks(step) or step.cache_hit or not tag:
            continue
        write = made.pop(here, None)
        if write is not None and (_telling(tag) and tag == write.etag):
            return True
        if write is not None and write.body is not None and holds(step.representation, write.body):
            return True
        if write is not None and tag in before[here]:
            return False
        seen[here].add(tag)
    return None


def _stores(step: Step) -> bool:
    """Tell whether a step stored a state, whatever its method is called."""
    stored = step.method in _STORING or (step.method == "POST" and step.replaces)
    return stored and 200 <= step.status < 300 and not step.denied


def _looks(step: Step) -> bool:
    """Tell whether a step was shown a state."""
    return (step.method == "GET" or step.reads) and step.status == _OK


def _telling(tag: str) -> bool:
    return len(tokens.opaque(tag)) >= _TELLING


def _later_state(near: Sequence[Step], refused: Step, taken: Step, sent: str) -> bool:
    """Tell whether one path shows, at the refusal, what the other had shown before, with a change in it."""
    looks = [one for one in near if _looks(one) and one.representation is not None]
    had = [
        one
        for one in looks
        if one.resource == taken.resource and tokens.opaque(one.etag or "") == tokens.opaque(sent)
    ]
    now = [one for one in looks if one.resource == refused.resource and one.start < taken.start]
    if not had or not now or had[0].start > refused.start:
        return False
    early, late = had[-1], now[-1]
    if early.etag is None or late.etag is None or early.etag == late.etag:
        return False
    if tokens.shape(early.etag) != tokens.shape(late.etag):
        return False
    there = (one for one in looks if one.resource == late.resource and one.start < early.start)
    if any(one.etag == late.etag for one in there):
        # It was there before the other: both were current at once.
        return False
    old, new = early.last_modified, late.last_modified
    if old is not None and new is not None and not old <= new:
        return False
    return _nearly_same(_unnamed(early.representation, early), _unnamed(late.representation, late))


def _nearly_same(one: Content | None, two: Content | None) -> bool:
    """Tell whether two states have half of what they hold in common, in an envelope or not."""
    if one is None or two is None or resemblance(one, two) >= _NEARLY:
        return one is not None and two is not None
    moved = changed_pointers(one, two)
    return moved is not None and len(moved) <= _NEARLY * len(list(scalars(one.json())))


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
    left, right = (_called(path[len(host) :]).strip("/").split("/") for path in (one, two))
    pairs = zip(reversed(left), reversed(right), strict=False)
    same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
    fronts = ["/".join(path[: len(path) - same]) for path in (left, right) if len(path) > same]
    if same < _SAME or any(front.count("/") >= _FRONT for front in fronts):
        return ()
    return tuple(fronts)


def _called(path: str) -> str:
    """Return the path of a thing, or what a call names where one address takes all."""
    return path.partition("#")[2] or path
