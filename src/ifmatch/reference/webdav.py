"""Evaluate the conditions that WebDAV and calendars add: `If`, and `If-Schedule-Tag-Match`.

There are no locks here: a state token other than `<DAV:no-lock>` names a lock that nobody holds.

Source: RFC 4918 section 10.4; RFC 6638 section 3.2.10.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote

from ifmatch.core.entity_tag import EntityTag, parse_entity_tag
from ifmatch.core.malformed import Malformed
from ifmatch.model.places import split
from ifmatch.server.loop import Declined

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifmatch.reference.messages import Pairs, Request
    from ifmatch.server.stores.protocol import AsyncStore, Snapshot

__all__ = ["Condition", "If", "StateList", "parse_if", "prepared", "schedule_fields", "schedule_tag"]

# A parenthesis, Not, <...>, or [...] with a tag that may hold a bracket within its quotes.
_TOKEN: Final = re.compile(
    r'[ \t]*(?:(\()|(\))|(Not)(?=[ \t<\[])|<([^<>\s]*)>|\[[ \t]*((?:W/)?"[^"]*"|[^\]]*?)[ \t]*\])',
    re.IGNORECASE,
)
_LONGEST: Final = 8192


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a list.

    Attributes:
        etag: to compare with, None for a state token.
        state_token: URI of a lock, "" for an entity tag.
        negated: True behind `Not`.
    """

    etag: EntityTag | None
    state_token: str
    negated: bool

    def holds(self, etag: EntityTag | None) -> bool:
        """Tell whether it is true of a state.

        Args:
            etag: of the state, None when nothing is there.
        """
        found = False
        if self.etag is not None:
            found = etag is not None and etag.strongly_matches(self.etag)
        return found is not self.negated


@dataclass(frozen=True, slots=True)
class StateList:
    """Conditions that have to hold together.

    Attributes:
        path: of the resource that they are about, "" for that of the request.
        conditions: at least one.
    """

    path: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class If:
    """A value of `If`: true when one of its lists is.

    Attributes:
        lists: in order.
    """

    lists: tuple[StateList, ...]

    def holds(self, etag_of: Callable[[str], EntityTag | None]) -> bool:
        """Tell whether it is true.

        Args:
            etag_of: gives the current tag of a path ("" for that of the request), None when nothing is there.

        Source: RFC 4918 section 10.4.3.
        """
        return any(
            all(condition.holds(etag_of(one.path)) for condition in one.conditions) for one in self.lists
        )

    @property
    def paths(self) -> frozenset[str]:
        """Return the paths of other resources that it names."""
        return frozenset(one.path for one in self.lists if one.path)


def parse_if(text: str) -> If | Malformed:
    """Read a value of `If`.

    Args:
        text: the field value.

    Source: RFC 4918 section 10.4.2.
    """
    if len(text) > _LONGEST:
        return Malformed(text, _LONGEST, "the field is too long")
    lists: list[StateList] = []
    conditions: list[Condition] | None = None
    path, tagged, negated, position = "", False, False, 0
    while position < len(text.rstrip()):
        found = _TOKEN.match(text, position)
        if found is None:
            return Malformed(text, position, "expected a list in parentheses, <...>, [...] or Not")
        opened, closed, negation, reference, tag = found.groups()
        if conditions is None:
            if reference is not None and not tagged and (not lists or path):
                path, tagged = unquote(split(reference).path) or "/", True
            elif opened is not None:
                conditions, tagged = [], False
            else:
                return Malformed(text, position, "a condition stands in parentheses")
        elif closed is not None:
            if not conditions or negated:
                return Malformed(text, position, "a list holds at least one condition")
            lists.append(StateList(path, tuple(conditions)))
            conditions = None
        elif negation is not None and not negated:
            negated = True
        elif reference is not None:
            # Nobody holds a lock, so <DAV:no-lock> is as false as any other token: no state has it.
            conditions.append(Condition(None, reference, negated))
            negated = False
        elif tag is not None:
            parsed = parse_entity_tag(tag)
            if isinstance(parsed, Malformed):
                return Malformed(text, position, f"[{tag}] holds no entity tag: {parsed.reason}")
            conditions.append(Condition(parsed, "", negated))
            negated = False
        else:
            return Malformed(text, position, "lists do not hold lists, and Not stands once")
        position = found.end()
    if conditions is not None or tagged or not lists:
        return Malformed(text, position, "the last list is not closed, or there is none")
    return If(tuple(lists))


def schedule_tag(snapshot: Snapshot) -> str:
    """Return the Schedule-Tag of a state: it changes unless only the member `replies` does.

    Source: RFC 6638 section 3.2.10.
    """
    try:
        found: object = json.loads(snapshot.content.octets)
    except ValueError:
        return snapshot.etag
    if not isinstance(found, dict):
        return snapshot.etag
    kept = {name: value for name, value in cast("dict[str, object]", found).items() if name != "replies"}
    digest = blake2b(json.dumps(kept, sort_keys=True).encode(), digest_size=12)
    return f'"s-{digest.hexdigest()}"'


def schedule_fields(snapshot: Snapshot) -> Pairs:
    """Return the field line Schedule-Tag of a state."""
    return (("Schedule-Tag", schedule_tag(snapshot)),)


async def prepared(
    request: Request, store: AsyncStore
) -> Callable[[Request, Snapshot | None], Declined | None] | None:
    """Return what refuses a state for the fields `If` and `If-Schedule-Tag-Match`, None without them.

    Args:
        request: carries them.
        store: is asked for the other resources that `If` names; they are read before the state itself is.
    """
    text, schedule = request.get("if"), request.get("if-schedule-tag-match")
    if text is None and schedule is None:
        return None
    parsed = parse_if(text) if text is not None else None
    others: dict[str, EntityTag | None] = {}
    if isinstance(parsed, If):
        for path in parsed.paths:
            snapshot = await store.read(path)
            others[path] = _tag(snapshot)

    def refuse(_: Request, snapshot: Snapshot | None) -> Declined | None:
        if isinstance(parsed, Malformed):
            return Declined(400, f"If: {parsed.reason} (at position {parsed.position}).")
        states = {**others, "": _tag(snapshot), request.path: _tag(snapshot)}
        if parsed is not None and not parsed.holds(states.get):
            return Declined(412, "If: none of its lists is true of the current state. Nothing was done.")
        if schedule is not None and (snapshot is None or schedule_tag(snapshot) != schedule):
            return Declined(412, "If-Schedule-Tag-Match: the schedule is no longer the one that was read.")
        return None

    return refuse


def _tag(snapshot: Snapshot | None) -> EntityTag | None:
    return None if snapshot is None else EntityTag.parse(snapshot.etag)
