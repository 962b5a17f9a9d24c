"""Find a request in what a service or an inspector lists of the requests that it got, with their fields.

`/actuator/httpexchanges` of Spring Boot, `/__admin/requests` of WireMock, the inspector of ngrok, Telescope,
mitmproxy's flows and many a debugging page show each request with method, address and fields.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.links.in_time import looked
from ifmatch.diagnosis.losses.one_count import met_one
from ifmatch.diagnosis.losses.requests_told import all_told, by_another, is_about, may_tell, mine, without
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.dates import instant
from ifmatch.diagnosis.steps.resources import bare, last_step, path_of
from ifmatch.dialects import Carrier
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.json_values import elements_in, members_in
from ifmatch.model.places import split

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.losses.requests_told import Told
    from ifmatch.diagnosis.steps.step import Step

# So many steps after a write a list of requests is looked for.
_NEAR: Final = 40
_LONGEST: Final = 400_000
_MOST: Final = 400
_DEEP: Final = 6
# So many of its fields have to be shown that one more would be shown, too.
_FIELDS: Final = 2
# Seconds by which the time of an entry may lie beside its request.
_BESIDE: Final = 2.0
# By so much of the time to the write a look may be later than an own request that is listed.
_HARDLY: Final = 0.2
_METHODS: Final = ("method", "httpMethod", "http_method", "requestMethod", "request_method")
_ADDRESSES: Final = (
    "uri", "url", "path", "target", "absoluteUrl", "requestUri", "requestUrl", "request_uri", "raw_path",
)  # fmt: skip
_HEADERS: Final = ("headers", "requestHeaders", "request_headers", "header", "httpHeaders")
_UNSAFE: Final = frozenset({"PUT", "PATCH", "POST", "DELETE"})


class Listed(NamedTuple):
    """A request as an answer lists it.

    Attributes:
        method: of it.
        path: of its address.
        fields: its fields by their names in lower case.
        when: seconds since the epoch, None where it is not told.
    """

    method: str
    path: str
    fields: dict[str, str]
    when: float | None


def listed_without(case: Case, history: History, step: Step) -> Damage | None:
    """Find a guarded write that is listed without its condition, over another's change in between.

    Args:
        case: everything known.
        history: of the resource.
        step: an accepted write.
    """
    found = shown_bare(case, step)
    base = looked(history, step) if found is not None else None
    if found is None or base is None:
        return None
    listing, entries = found
    if not entries:
        return _told_without(case, listing, base, step)
    between = next((one for one in entries if _of_another(one, base, step)), None)
    if between is None and not met_one(case, base, step):
        return None
    told = f"a {between.method}" if between is not None else "another write"
    text = f"the list of requests has {told} of the resource between the read and this write"
    if between is None:
        text = "the count went on by two: another write lies between the read and this write"
    when = between.when if between is not None else None
    return Damage(
        Outcome.LOST_UPDATE, text, lost=listing, stale_accepted=True, proven=between is not None, told=when
    )


def _told_without(case: Case, listing: Step, base: Step, step: Step) -> Damage | None:
    """Find a write whose condition is told not to have come, over another's that is told beside it."""
    rows = _told(listing)
    other = by_another([one for one in rows if is_about(one, step)], step)
    timed = other is not None and other.when is not None and base.timed and step.timed
    inside = timed and other is not None and base.start < (other.when or 0.0) < step.start
    placed = other is not None and other.when is None and _placed_between(case, rows, other, base, step)
    if not (inside or placed or met_one(case, base, step)):
        return None
    told = f"another's {other.method} of the resource" if other is not None else "another write"
    text = f"what the service tells of the requests has {told} between the read and this write"
    if other is None:
        text = "the count went on by two: another write lies between the read and this write"
    when = other.when if inside and other is not None else None
    return Damage(
        Outcome.LOST_UPDATE,
        text,
        lost=listing,
        stale_accepted=True,
        proven=other is not None,
        told=when,
    )


def _told(listing: Step) -> tuple[Told, ...]:
    """Return the requests of which an answer tells in words of its own."""
    content = listing.content
    return all_told(content.text, listing.view.json) if content is not None else ()


def _placed_between(case: Case, rows: Sequence[Told], other: Told, base: Step, step: Step) -> bool:
    """Tell whether a list without times has another's request between a look and a write.

    An own request that stands before it has to be later than the look, or hardly earlier: what lies between
    that request and the write is then mostly behind the look.
    """
    ours = [one for one in mine([each for each in rows if is_about(each, step)], step) if one is not other]
    if not ours:
        return False
    place = next((number for number, one in enumerate(rows) if one is other), 0)
    own = [number for number, one in enumerate(rows) if one is ours[-1] or one is ours[0]]
    falling = own[-1] < place
    before = rows[place + 1 :] if falling else rows[:place]
    for one in reversed(case.steps[max(0, step.order - _NEAR) : step.order]):
        if one.actor != step.actor or not (one.timed and base.timed and step.timed):
            continue
        if any(each.method == one.exchange.request.method and is_about(each, one) for each in before):
            return base.end - one.start <= _HARDLY * (step.start - base.end)
    return False


def shown_bare(case: Case, step: Step) -> tuple[Step, Sequence[Listed]] | None:
    """Return the answer that lists a guarded write with its other fields and without its condition.

    Args:
        case: everything known.
        step: a write whose condition is a field.

    Returns:
        The answer with what it lists of requests for the resource: nothing where it has words of its own.
    """
    guard = step.guard
    if guard is None or guard.carrier is not Carrier.HEADER or guard.guard is Guard.LOCK:
        return None
    name = last_step(step.exchange.request.url)
    for one in _listings(case):
        near = step.order < one.order < step.order + _NEAR
        if not near or one.actor != step.actor or one.resource == step.resource:
            continue
        if one.content is None or name not in one.content.text:
            continue
        entries = tuple(_entries(one, step))
        own = [each for each in entries if _is_of(each, step)]
        if own and all(guard.name.lower() not in each.fields for each in own):
            return one, entries
        if (
            not entries
            and guard.standard
            and without([each for each in _told(one) if is_about(each, step)], step)
        ):
            return one, ()
    return None


def _listings(case: Case) -> Sequence[Step]:
    """Return the answers that may list requests, in order of time: each write asks for them."""
    if "requests listed" not in case.kept:
        case.kept["requests listed"] = tuple(one for one in case.steps if _may_list(one))
    return cast("Sequence[Step]", case.kept["requests listed"])


def _may_list(one: Step) -> bool:
    """Tell whether an answer may list requests with their fields."""
    if not one.is_read or one.status != HTTPStatus.OK or one.content is None:
        return False
    text = one.content.text
    return len(text) <= _LONGEST and (("eaders" in text and "ethod" in text) or may_tell(text))


def _entries(one: Step, step: Step) -> Iterator[Listed]:
    """Yield the requests for a resource that an answer lists."""
    path = bare(path_of(step.exchange.request.url)).rstrip("/")
    for entry, around in _records(one.view.json, {}, _DEEP):
        method = _first(entry, _METHODS).upper()
        there = split(_first(entry, _ADDRESSES)).path.rstrip("/")
        # What a front puts before the path of what stands behind it, and the other way round.
        if not method or not there or not (there == path or there.endswith(path) or path.endswith(there)):
            continue
        if there.rpartition("/")[2] != path.rpartition("/")[2]:
            continue
        fields = _fields(next((entry[name] for name in _HEADERS if name in entry), None))
        times = (instant(value) for value in {**around, **entry}.values() if isinstance(value, str))
        yield Listed(method, there, fields, next((each for each in times if each is not None), None))


def _records(
    value: object, around: dict[str, object], depth: int
) -> Iterator[tuple[dict[str, object], dict[str, object]]]:
    """Yield the objects that an answer holds, each with the one that it stands in."""
    if depth < 0:
        return
    for one in elements_in(value)[:_MOST]:
        yield from _records(one, around, depth - 1)
    members = members_in(value)
    if any(name in members for name in _HEADERS) and any(name in members for name in _METHODS):
        yield members, around
        return
    for one in members.values():
        yield from _records(one, members, depth - 1)


def _first(entry: dict[str, object], names: Sequence[str]) -> str:
    return next((value for name in names if isinstance(value := entry.get(name), str)), "")


def _fields(value: object) -> dict[str, str]:
    """Return the fields of a listed request: an object, or a list of pairs, of objects, or of lines."""
    found: dict[str, str] = {}
    for name, said in members_in(value).items():
        found[name.lower()] = _text(said)
    for one in elements_in(value):
        if isinstance(one, str):
            name, _, said = one.partition(":")
            found[name.strip().lower()] = said.strip()
        elif pair := elements_in(one):
            found[str(pair[0]).lower()] = _text(pair[-1])
        elif members := members_in(one):
            found[_first(members, ("name", "key", "Name", "Key")).lower()] = _text(
                members.get("value", members.get("Value"))
            )
    return found


def _text(value: object) -> str:
    several = elements_in(value)
    return str(several[0] if several else value)


def _is_of(entry: Listed, step: Step) -> bool:
    """Tell whether an entry is a request that was sent: its method and fields, about its time."""
    if entry.method != step.exchange.request.method or not _at_its_time(entry, step):
        return False
    sent = {name.lower(): value for name, value in step.sent}
    shared = [name for name in entry.fields if name in sent]
    told = [name for name in ("user-agent", "content-length") if name in shared]
    return len(shared) >= _FIELDS and bool(told) and all(entry.fields[name] == sent[name] for name in told)


def _at_its_time(entry: Listed, step: Step) -> bool:
    if entry.when is None or not step.timed:
        return True
    return step.start - _BESIDE <= entry.when <= step.end + _BESIDE


def _of_another(entry: Listed, base: Step, step: Step) -> bool:
    """Tell whether an entry is a write by another program between a read and a write."""
    if entry.method not in _UNSAFE or entry.when is None or not (base.timed and step.timed):
        return False
    agent = entry.fields.get("user-agent", "")
    apart = bool(agent) and agent != (step.sent.text("user-agent") or "")
    return apart and base.start < entry.when < step.start
