"""Tell whether a service marks its tags weak for good: by what it made them of, and by its other answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.dates import http_date
from ifmatch.diagnosis.steps.multistatus_contents import LONGEST, MULTI_STATUS, entries_in
from ifmatch.diagnosis.steps.resources import host_of

if TYPE_CHECKING:
    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

# Seconds after which no server waits for its clock any more.
SETTLED = 2.0
# So many requests away other answers of the host are looked at.
_NEAR = 60
_MILLISECONDS = 1000


def changed_at(step: Step) -> float | None:
    """Return when what an answer tells of was changed last, in seconds since the epoch; None when not told.

    Args:
        step: a read, or a look at the properties of one thing (RFC 4918 section 15.7).
    """
    content = step.content
    if step.last_modified is not None or step.status != MULTI_STATUS or content is None:
        return step.last_modified
    if len(content) > LONGEST:
        return None
    told = [one.fields.get("Last-Modified") for _, one in entries_in(content.text)]
    return http_date(told[0]) if len(told) == 1 and told[0] is not None else None


def of_milliseconds(step: Step) -> bool:
    """Tell whether an answer's tag holds its Last-Modified in milliseconds, decimal or hexadecimal.

    Servlet containers and the static files of Node.js make such tags (size and time), and mark all of them
    weak; Apache httpd counts microseconds.

    Args:
        step: a read.
    """
    modified = changed_at(step)
    if step.etag is None or modified is None:
        return False
    for part in tokens.opaque(step.etag).split("-")[-2:]:
        for base in (10, 16):
            try:
                number = int(part, base)
            except ValueError:
                continue
            if 0 <= number - int(modified) * _MILLISECONDS < _MILLISECONDS:
                return True
    return False


def weak_uncoded(facts: Facts) -> Step | None:
    """Return an answer that was not encoded and bears the refused weak tag all the same, None without one.

    It shows what the origin sends, unless an intermediary that leaves its marks weakens what it passes on.

    Args:
        facts: of a refused request.
    """
    token = facts.token or ""
    plain = [
        step
        for step in facts.history
        if step.uncoded and step.etag is not None and tokens.opaque(step.etag) == tokens.opaque(token)
    ]
    if any(not tokens.is_weak(step.etag or "") for step in plain):
        return None
    # What was stored encoded and weakened stays weak when it is handed out plain.
    straight = (step for step in plain if not step.cache_marked and step.header("via") is None)
    return next(straight, None)


def weak_elsewhere(facts: Facts) -> Step | None:
    """Return a plain answer of the same host, about something long settled, whose tag is weak all the same.

    Args:
        facts: of a refused request.
    """
    host = host_of(facts.step.resource)
    for step in facts.case.steps:
        if (
            step.is_read
            and step.uncoded
            and step.etag is not None
            and tokens.is_weak(step.etag)
            and step.date is not None
            and step.last_modified is not None
            and step.date - step.last_modified > SETTLED
            and host_of(step.resource) == host
            and step.etag != facts.token
        ):
            return step
    return None


def made_weak(facts: Facts, tag: str) -> tuple[Step, str] | None:
    """Return an answer that shows that a weak tag was a strong one at its origin, and that one.

    The origin was seen, or another thing of the host is weak with content coding and strong without it.

    Args:
        facts: of a request that carries the tag.
        tag: as it was sent.
    """
    if not tokens.is_weak(tag):
        return None
    given = [one for one in facts.history if one.etag == tag]
    for one in given:
        origin = facts.upstream_tag(one)
        if origin is not None:
            strong = not tokens.is_weak(origin) and tokens.opaque(origin) == tokens.opaque(tag)
            return (one, origin) if strong else None
    if not any(one.coding for one in given) or any(one.uncoded for one in given):
        return None
    host, place = host_of(facts.step.resource), facts.step.order
    coded: dict[str, Step] = {}
    plain: dict[str, Step] = {}
    for one in facts.case.steps[max(0, place - _NEAR) : place + _NEAR]:
        if one.etag is None or host_of(one.resource) != host:
            continue
        if one.coding and tokens.is_weak(one.etag):
            coded.setdefault(tokens.opaque(one.etag), one)
        elif not one.coding and not tokens.is_weak(one.etag) and one.is_read:
            plain.setdefault(tokens.opaque(one.etag), one)
    both = next((value for value in coded if value in plain), None)
    return (plain[both], plain[both].etag or "") if both is not None else None
