"""Give a write the resource that it is about, where its URL names something more or beside."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from ifmatch.diagnosis.links.texts_apart import languages_apart
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.dates import spelled_otherwise, told_moment
from ifmatch.diagnosis.reading.projections import is_view
from ifmatch.diagnosis.reading.tokens import damage, null_word, opaque
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.message_members import sent
from ifmatch.diagnosis.steps.resources import bare
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ifmatch.diagnosis.steps.message_members import Member
    from ifmatch.diagnosis.steps.step import Step

_ACTION = late_pattern(r"(.+/[^/?]+)[/:]([A-Za-z][A-Za-z_-]{2,40})")
# A path with a version at its end, by itself or after the word for it.
_VERSIONED = late_pattern(r"(.+?/[^/?]+)(?:/(?:versions?|revisions?|revs?))?[/@;]([^/?@;]+)", re.IGNORECASE)
# Members by which a content names the thing that it is about, and the least such a name has.
_NAMES_ITSELF = late_pattern(r"_?(?P<kind>\w*?)[_-]?(?:id|uid|uuid|guid|key|slug|code|ref)", re.IGNORECASE)
_SHORT = 2
# Parameters that say which thing is meant.
_NAMES_A_THING = late_pattern(
    r"(?:\w*[_-]?)?(?:id|key|name|path|file|uri|url|ref|branch|page|offset|cursor|slug|code|number|nr|part|q|query|filter"
    r"|type|kind|node|tenant|account|user|date|day|section)s?",
    re.IGNORECASE,
)

# How the session of an upload is called.
_SESSION = late_pattern(
    r"(?:multi-?part-?)?(?:upload|transfer|session|transaction)[_-]?(?:id|key|token)?", re.IGNORECASE
)

# What becomes of a token in a target.
_ON_THE_WAY = frozenset({"percent-encoded", "percent-decoded", "plus-lost"})


def settle(steps: Sequence[Step]) -> None:
    """Give all writes the resources that they are about.

    Args:
        steps: of a case, in order of time, their versions known.
    """
    for take in (
        _actions,
        _versioned_paths,
        _one_view,
        languages_apart,
        _saved_at_one_place,
        _extra_parameters,
    ):
        take(steps)


def _actions(steps: Sequence[Step]) -> None:
    """Take an action on a thing (`/orders/7/cancel`, `/events/7:publish`) as a write on the thing.

    It must carry a token that the thing gave out, and nobody may ever have read the action itself.
    """
    asked = {
        step.resource
        for step in steps
        if step.method == "POST" and _ACTION.fullmatch(step.resource) is not None
    }
    if not asked:
        return
    read = {step.resource for step in steps if step.is_read and 200 <= step.status < 400}
    issued: dict[str, set[str]] = {}
    views: dict[str, list[str]] = {}
    called: dict[str, str] = {}
    guarded: list[Step] = []
    for step in steps:
        found = _ACTION.fullmatch(step.resource) if step.method == "POST" else None
        guard = step.guard if found is not None else None
        if found is not None and guard is not None and step.resource not in read:
            guarded.append(step)
            for thing in (found[1], *views_of(found[1], sent(step), views.get(found[1], ()))):
                if any(_given(token, issued.get(thing, set())) for token in guard.tokens):
                    called[step.resource] = thing
                    break
        elif step.etag is not None:
            if step.resource not in issued and "?" in step.resource:
                views.setdefault(step.resource.partition("?")[0], []).append(step.resource)
            issued.setdefault(step.resource, set()).update(step.issued())
    # What one call is about, the others of its name are about as well, whatever version they carry.
    for step in guarded:
        step.resource = called.get(step.resource, step.resource)


def views_of(thing: str, carried: Iterable[Member], known: Iterable[str]) -> Iterator[str]:
    """Yield the views of a thing that were asked for by values which a request sends.

    Args:
        thing: key of its resource, without a query.
        carried: what the request sends.
        known: keys of resources.
    """
    mine = {one.value for one in carried}
    for key in known if mine else ():
        asked = parse_qsl(key[len(thing) + 1 :]) if key.startswith(f"{thing}?") else []
        if asked and all(value in mine for _, value in asked):
            yield key


def _given(token: str, issued: set[str]) -> bool:
    """Tell whether a thing gave out a token, which may have been damaged since, or spelled as people do."""
    if null_word(token):
        return bool(issued)
    if token in issued or any(damage(token, one) not in {"", "other"} for one in issued):
        return True
    moments = [moment for one in issued if (moment := told_moment(one)) is not None]
    return any(spelled_otherwise(token, moment) for moment in moments)


def _versioned_paths(steps: Sequence[Step]) -> None:
    """Take a write on a thing's path with its version behind it (`PUT /deeds/7/3`) as one on the thing.

    The thing had given out that version, the request carries it elsewhere as well, and nobody ever read the
    longer path.
    """
    writes = [
        (step, found, guard.tokens)
        for step in steps
        if step.is_write
        and (guard := step.guard) is not None
        and any(step.resource.endswith(opaque(token)) for token in guard.tokens)
        and (found := _VERSIONED.fullmatch(step.resource)) is not None
    ]
    if not writes:
        return
    read = {step.resource for step in steps if step.is_read and 200 <= step.status < 400}
    issued: dict[str, set[str]] = {}
    for step in steps:
        if step.etag is not None:
            thing = _VERSIONED.fullmatch(step.resource) if step.is_write else None
            of = thing[1] if thing is not None and thing[1] in read else step.resource
            issued.setdefault(of, set()).update(opaque(token) for token in step.issued())
    for step, found, carried in writes:
        given = issued.get(found[1], set())
        named = any(opaque(token) == found[2] and found[2] in given for token in carried)
        if named and step.resource not in read:
            step.resource = found[1]


def _one_view(steps: Sequence[Step]) -> None:
    """Take the reads of a thing that all ask for one selection of it as reads of the thing that is written.

    `GET /contacts/7?$select=name` shows what `PATCH /contacts/7` changes; where nobody reads it otherwise,
    there is nothing to tell apart. Several selections have one version where versions are those of records.
    """
    written = {step.resource for step in steps if step.is_write and "?" not in step.resource}
    versioned = {step.resource for step in steps if step.is_write and _of_record(step)}
    views: dict[str, set[str]] = {}
    for step in steps:
        base, _, query = step.resource.partition("?")
        if step.is_read and base in written:
            views.setdefault(base, set()).add(query)
    chosen = {
        f"{base}?{query}": base
        for base, queries in views.items()
        if len(queries) == 1 or (base in versioned and "" not in queries)
        for query in queries
        if query and all(is_view(name) for name, _ in parse_qsl(query, keep_blank_values=True))
    }
    for step in steps if chosen else ():
        if step.is_read and step.resource in chosen:
            step.resource = chosen[step.resource]


def _of_record(step: Step) -> bool:
    """Tell whether a refused write names a version of a record, which no selection of its members changes."""
    guard = step.guard if step.refused else None
    if guard is None or guard.guard is not Guard.SAME:
        return False
    weak = step.dialect is not None and step.dialect.weak_tags_match
    return weak or not guard.standard


def _saved_at_one_place(steps: Sequence[Step]) -> None:
    """Take a save under a version (`POST /boards/save`) as a write on the thing that its content names.

    The thing was read by itself and gave out versions; nobody ever read the place of the saves.
    """
    saves = [step for step in steps if step.is_write and (guard := step.guard) is not None and guard.key]
    read = {step.resource for step in steps if step.is_read and 200 <= step.status < 400}
    saves = [step for step in saves if step.resource not in read and "#" not in step.resource]
    if not saves:
        return
    things: dict[str, set[str]] = {}
    for step in steps:
        if step.read_ok and step.etag is not None:
            things.setdefault(_last(step.resource), set()).add(step.resource)
    for step in saves:
        if _last(step.resource) in things:
            continue
        named = [
            found
            for name in _own_names(step.view.sent_json, step.resource.lower())
            if (found := things.get(name))
        ]
        if named and len(named[0]) == 1:
            (step.resource,) = named[0]


def _last(resource: str) -> str:
    return bare(resource).rpartition("/")[2]


def _own_names(value: object, place: str, depth: int = 1) -> Iterator[str]:
    """Yield what members of a content name it by, those at the top first; `customerId` is about another."""
    members = members_in(value)
    for name, one in members.items():
        text = str(one) if isinstance(one, str | int) else ""
        found = _NAMES_ITSELF.fullmatch(name)
        if len(text) >= _SHORT and found is not None and found["kind"].lower() in place:
            yield text
    if depth:
        for one in members.values():
            yield from _own_names(one, place, depth - 1)


def names_a_thing(name: str) -> bool:
    """Tell whether a query parameter says which thing is meant.

    Args:
        name: of the parameter.
    """
    return _NAMES_A_THING.fullmatch(name) is not None


def _ends(opened: Sequence[Step], step: Step, name: str, value: str) -> bool:
    """Tell whether a parameter of a POST is the session of an upload that an earlier POST to the path opened.

    What ends it makes the thing at that path; the parts before it have tags of their own.
    """
    if step.method != "POST" or not step.accepted or not value or _SESSION.fullmatch(name) is None:
        return False
    word = re.compile(rf"(?<![\w-]){re.escape(value)}(?![\w-])")
    gave = (one.content for one in opened if one.order < step.order)
    return any(content is not None and word.search(content.text) is not None for content in gave)


def _repeats_guard(step: Step, name: str, value: str) -> bool:
    """Tell whether a parameter is the version that a write presents elsewhere, damaged or not."""
    guard = step.guard
    if guard is None or not called_version(name):
        return False
    return any(opaque(one) == value or damage(value, one) in _ON_THE_WAY for one in guard.tokens)


def _extra_parameters(steps: Sequence[Step]) -> None:
    """Take a write with parameters that no read has as one on the resource that was read without them.

    `?sendUpdates=none` or `?timeout=1m` say how to write, not where; what names a thing or a view stays.
    """
    read: dict[str, set[str]] = {}
    for step in steps:
        if step.is_read and (200 <= step.status < 400 or step.status in {404, 410}):
            read.setdefault(step.resource.partition("?")[0], set()).add(step.resource)
    opened: dict[str, list[Step]] = {}
    for step in steps:
        base, mark, query = step.resource.partition("?")
        if step.method == "POST" and step.accepted and base in read:
            opened.setdefault(base, []).append(step)
        views = read.get(base, set())
        if not mark and step.method == "POST" and len(views) == 1 and base not in views:
            # What is posted to a list is about the list, however it was sorted or cut when it was read.
            names = [
                name for name, _ in parse_qsl(next(iter(views)).partition("?")[2], keep_blank_values=True)
            ]
            if not any(is_view(name) for name in names):
                step.resource = next(iter(views))
            continue
        if not mark or step.is_read or step.resource in read.get(base, ()):
            continue
        given = {
            pair
            for pair in parse_qsl(query, keep_blank_values=True)
            if not (_ends(opened.get(base, ()), step, *pair) or _repeats_guard(step, *pair))
        }
        found = [
            (len(kept), key)
            for key in read.get(base, ())
            if (kept := set(parse_qsl(key.partition("?")[2], keep_blank_values=True))) <= given
            and not any(_NAMES_A_THING.fullmatch(name) or is_view(name) for name, _ in given - kept)
        ]
        if found:
            step.resource = max(found)[1]
