"""Find writes that a client's own library turned into reads on the way: only what came of them shows it.

The library follows a redirect and hands on the last answer, so that the write seems to be answered 200. It is
a read's: it shows the thing as it was.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.diagnosis.reading.listed_records import records_in
from ifmatch.diagnosis.steps.resources import bare, path_of
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.late import late_pattern
from ifmatch.model.places import joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step

_OK: Final = 200
# So many steps after a write a log is looked for.
_NEAR: Final = 60
_LONGEST: Final = 200_000
_MOST: Final = 400
# Redirects after which a client may send a GET (RFC 9110 section 15.4).
_REWRITING: Final = late_pattern(r"(?<![\w.:/-])30[1-3](?![\w.:/-])")
_READ: Final = late_pattern(r"\b(?:GET|get)\b")


def redirected_unseen(case: Case, step: Step) -> Damage | None:
    """Find a write whose answer is that of a read at another place: it shows the thing as it was before.

    Args:
        case: everything known.
        step: a write that seems to be accepted.
    """
    if step.status != _OK or not step.accepted or step.method not in {"PUT", "PATCH", "POST"} or step.hops:
        return None
    if step.content is None or step.body is None or not _as_before(case.history_of(step.resource), step):
        return None
    if same_content(step.content, step.body):
        return None
    logged = _logged(case, step)
    if logged is not None:
        text = f"the service's own log has this {step.method} answered with a redirect, and then a GET"
        return Damage(Outcome.LOST_WRITE, text, lost=logged, redirect=True)
    if _answered_elsewhere(step) and not _read_here(case.history_of(step.resource), step):
        text = f"the answer to this {step.method} is that of a read at {step.header('content-location')}"
        return Damage(Outcome.LOST_WRITE, text, lost=step, redirect=True, proven=False)
    return None


def _as_before(history: History, step: Step) -> bool:
    """Tell whether an answer, and the next look, show what was there before a write of something else."""
    if history.in_turn:
        return False
    own = history.represented.get(step.actor, [])
    place = bisect_left(own, step.order, key=lambda one: one.order)
    before = own[place - 1] if place else None
    if before is None or (step.etag is not None and before.etag is not None and step.etag != before.etag):
        return False
    if same_content(before.representation, step.body):
        return False
    if not same_content(before.representation, step.content):
        return False
    after = next((one for one in own[place : place + 2] if one is not step), None)
    return after is None or same_content(before.representation, after.representation)


def _answered_elsewhere(step: Step) -> bool:
    """Tell whether an answer says that it is that of another scheme, host or path (RFC 9110 section 8.7)."""
    place = step.header("content-location")
    if not place:
        return False
    return _address(step.exchange.request.url) != _address(joined(step.exchange.request.url, place))


def _read_here(history: History, step: Step) -> bool:
    """Tell whether the place of a write answers reads by itself: where it redirects, it does so for all.

    An answer that names a place which nobody reads then names a canonical address, or that of a version.
    """
    url = step.exchange.request.url
    here, there = _address(url), _address(joined(url, step.header("content-location") or ""))
    reads = [
        _address(one.exchange.request.url)
        for one in history.represented.get(step.actor, [])
        if one.read_ok and not one.hops and not _answered_elsewhere(one)
    ]
    # Reads and writes of one thing may have addresses of their own, as calls have.
    return here in reads or (there not in reads and any(one[:2] == here[:2] == there[:2] for one in reads))


def _address(url: str) -> tuple[str, str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc, parts.path


def _logged(case: Case, step: Step) -> Step | None:
    """Return the answer that lists the write with a redirect, and a read of the same after it."""
    path = unquote(bare(path_of(step.resource)))
    method = re.compile(rf"\b{step.exchange.request.method}\b", re.IGNORECASE)
    for one in case.steps[step.order + 1 : step.order + _NEAR]:
        content = one.content
        if not one.read_ok or content is None or len(content) > _LONGEST:
            continue
        if path not in content.text or one.resource == step.resource or "30" not in content.text:
            continue
        if _rewritten(_entries(content.text), path, method):
            return one
    return None


def _rewritten(entries: Sequence[str], path: str, method: re.Pattern[str]) -> bool:
    """Tell whether an entry has the write with a redirect, and one beside it a read of the thing."""
    for place, entry in enumerate(entries):
        if path in entry and method.search(entry) and _REWRITING.search(entry):
            beside = [*entries[place + 1 : place + 3], *entries[max(0, place - 2) : place]]
            if any(_READ.search(other) and not _REWRITING.search(other) for other in beside):
                return True
    return False


def _entries(text: str) -> list[str]:
    if text.lstrip()[:1] in {"{", "[", "<"}:
        return ["\t".join(record.values()) for record in records_in(text)][:_MOST]
    return [line.replace("=", "= ") for line in text.splitlines() if line.strip()][:_MOST]
