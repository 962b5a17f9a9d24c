"""Find writes that never reached their resource: swallowed by a redirect, or never sent by a browser."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.reading.conditions import carries
from ifmatch.diagnosis.steps.message_members import sent, shown
from ifmatch.diagnosis.steps.resources import host_of, path_of, resource_key
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.places import joined

if TYPE_CHECKING:
    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step

# Seconds between a preflight and the write that it asks for.
_PREFLIGHT = 10.0
_TWICE = 2
# Redirects after which the very request is to be repeated (RFC 9110 sections 15.4.8 and 15.4.9).
_REPEATING = frozenset({307, 308})


def blocked(case: Case, step: Step) -> Damage | None:
    """Find a conditional write that a browser never sent, because the preflight does not allow its field.

    Source: Fetch standard, CORS-preflight fetch (Access-Control-Allow-Headers).
    """
    guard = step.guard
    if guard is None or not guard.standard:
        return None
    if (found := _withheld(case, step)) is not None:
        return found
    for other in case.steps[max(0, step.order - 40) : step.order + 40]:
        if other.method != "OPTIONS" or other.resource != step.resource:
            continue
        if step.timed and abs(other.start - step.start) > _PREFLIGHT:
            continue
        if step.sent.text("origin") is None and not _asks_for(other, step, guard.name):
            # A browser that stopped the request shows it without the fields it would have added.
            continue
        allowed = (other.header("access-control-allow-headers") or "").lower()
        names = {name.strip() for name in allowed.split(",")}
        if other.status and guard.name.lower() not in names and "*" not in names:
            text = f"the preflight does not allow {guard.name}: the browser never sent the write"
            return Damage(Outcome.ERROR, text, lost=other, blocked=True)
    return None


def unheard(history: History, step: Step) -> Damage | None:
    """Find a create-only write over something that was there: its condition never reached the origin.

    Where nothing had been there, the answer would be 201 (RFC 9110 section 9.3.4).
    """
    guard = step.guard
    if guard is None or not guard.standard or step.method != "PUT":
        return None
    if step.status not in {200, 204} or not step.hops:
        return None
    lost = all(guard.name not in hop.request.fields and hop.request.fields.complete for hop in step.hops)
    before = [
        one
        for one in history
        if one.order < step.order and (one.is_read or one.finds_nothing or one.accepted)
    ]
    gone = bool(before) and (before[-1].finds_nothing or before[-1].method == "DELETE")
    if not lost or gone or step.hops[-1].status == 201:
        return None
    text = f"a create-only write was answered {step.status}, not 201: something had been there"
    return Damage(Outcome.LOST_UPDATE, text, lost=step, stale_accepted=True, proven=False)


def _withheld(case: Case, step: Step) -> Damage | None:
    """Find a write whose answer a browser keeps from the script: it does not name the page's origin.

    From the browser's own file alone: reads across origins pass, and no such write does.

    Source: Fetch standard, CORS check (Access-Control-Allow-Origin).
    """
    for hop in step.hops:
        response = hop.response
        if response is None or hop.request.fields.text("origin") is None:
            continue
        if "access-control-allow-origin" not in response.fields and response.fields.complete:
            text = f"the {hop.status} lacks Access-Control-Allow-Origin: the script cannot see it"
            return Damage(Outcome.ERROR, text, lost=step, blocked=True)
    if step.hops or not _by_page(step):
        return None
    own = [one for one in case.history_of(step.resource) if one.actor == step.actor]
    across = [one for one in own if one.read_ok and one.header("access-control-allow-origin") is not None]
    writes = [one for one in own if one.is_write and one.guard is not None]
    if not across or len(writes) < _TWICE or any(one.status for one in writes) or writes[0] is not step:
        return None
    text = "reads across origins pass, and no write with a condition gets an answer that the script may see"
    return Damage(Outcome.ERROR, text, lost=across[-1], blocked=True, proven=False)


def _by_page(step: Step) -> bool:
    """Tell whether a page of another origin sent the request."""
    page = step.sent.text("origin") or step.sent.text("referer") or ""
    return "://" in page and host_of(page) != host_of(step.exchange.request.url)


def _asks_for(preflight: Step, step: Step, name: str) -> bool:
    """Tell whether a preflight asks for just this method with this field."""
    method = (preflight.sent.text("access-control-request-method") or "").strip()
    asked = (preflight.sent.text("access-control-request-headers") or "").lower()
    return method == step.method and name.lower() in {part.strip() for part in asked.split(",")}


def _same_place(step: Step, where: str) -> bool:
    """Tell whether a redirect leads to the same path elsewhere: another host or scheme, or a slash more."""
    if step.body is None or not where:
        return False
    for_good = step.status == HTTPStatus.MOVED_PERMANENTLY
    if "://" not in where and not for_good:
        return False
    where = joined(step.exchange.request.url, where)
    here, there = path_of(step.exchange.request.url), path_of(where)
    last = here.rpartition("/")[2]
    if for_good and here != there and last == there.rpartition("/")[2]:
        # A result is shown by 303 or 302: what has moved for good is the very target.
        return here.count("/") == there.count("/") and len(last) > 1
    if step.status == HTTPStatus.SEE_OTHER and here == there:
        return False
    moved = here != there or host_of(where) != host_of(step.resource)
    return moved and here.rstrip("/") == there.rstrip("/") and len(here) > 1


def _without_effect(case: Case, step: Step) -> bool:
    """Tell whether a thing that a POST was to change is shown before and after it, and is as it was.

    Args:
        case: everything known.
        step: a POST that was answered with a redirect.
    """
    wanted = {one.word: one.value for one in sent(step) if one.where in {"body", "text"}}
    if step.status == HTTPStatus.SEE_OTHER or not wanted:
        return False
    before: dict[str, dict[str, str]] = {}
    for one in case.steps:
        if one.actor != step.actor or one.representation is None or one.status != HTTPStatus.OK:
            continue
        told = {member.word: member.value for member in shown(one)}
        if one.order < step.order:
            before[one.resource] = told
        elif one.resource in before:
            # What comes first decides: later somebody may have brought it in.
            same = before[one.resource] == told
            common = wanted.keys() & told.keys()
            about = one.resource == step.resource or any(wanted[name] == told[name] for name in common)
            if about and any(wanted[name] != told[name] for name in common):
                return same
    return False


def redirected(case: Case, step: Step) -> Damage | None:
    """Find a redirect after which the write was not repeated.

    POST answered by a redirect to a result page is ordinary (RFC 9110 section 15.4.4).
    """
    where = step.header("location") or ""
    field = step.guard is not None and step.guard.standard
    # What its family sends to change a state is no form, whose result is shown elsewhere.
    field = field or step.puts or step.alters
    repeats = step.status in _REPEATING
    ordinary = step.method == "POST" and (not field or step.status == HTTPStatus.SEE_OTHER)
    if ordinary and not repeats and not _same_place(step, where) and not _without_effect(case, step):
        return None
    target = resource_key(where) if "://" in where else where.partition("?")[0]
    followed: Step | None = None
    for other in case.steps[step.order + 1 : step.order + 40]:
        if not target or not (
            target in {other.resource, resource_key(other.exchange.request.url)}
            or other.resource.endswith(target)
            or target.endswith(_path(other))
        ):
            continue
        if other.actor != step.actor and other.vantage == step.vantage:
            continue
        # What a call means is told by its answer, which a redirect is not: it is repeated as it was sent.
        repeated = (
            other.method == step.method or other.exchange.request.method == step.exchange.request.method
        )
        if repeated and step.body is not None and other.exchange.request.content is None:
            text = "the repeated write lacks the content"
            return Damage(Outcome.LOST_UPDATE, text, lost=other, redirect=True)
        if repeated:
            if step.guard is None or not other.accepted:
                return None
            if carries(other.exchange.request, step.guard, step.dialect) is not False:
                return None
            return Damage(
                Outcome.LOST_UPDATE,
                "the repeated write lacks the precondition",
                lost=other,
                redirect=True,
                proven=False,
            )
        followed = other
        break
    if repeats and followed is None:
        # Nobody need follow a redirect.
        return None
    return Damage(Outcome.LOST_WRITE, "a redirect swallowed the write", lost=followed, redirect=True)


def _path(step: Step) -> str:
    return "/" + step.resource.partition("://")[2].partition("/")[2]
