"""Tell whether an origin let caches keep what a reader was told to be unmodified."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.dates import http_date

if TYPE_CHECKING:
    from ifmatch.diagnosis.history import History
    from ifmatch.diagnosis.steps import Step

_LIFETIME: Final = re.compile(r"(?:^|[\s,])(?:s-maxage|max-age)\s*=\s*\"?(\d{1,9})", re.IGNORECASE)
# What may be given out beyond that, while the cache asks anew (RFC 5861 section 3).
_MEANWHILE: Final = re.compile(r"stale-while-revalidate\s*=\s*\"?(\d{1,9})", re.IGNORECASE)
_PAST: Final = re.compile(r"no-cache|no-store|max-age\s*=\s*\"?0(?!\d)", re.IGNORECASE)
# Seconds that are lost to dates and ages in whole seconds.
_TICK: Final = 1.0


def within_lifetime(history: History, step: Step, later: Step, changed: float | None) -> bool:
    """Tell whether a 304 after a change was one that the origin had granted to caches.

    A copy may serve for as long as its answer says, whatever happens at the origin meanwhile. That is no
    excuse towards whoever asked past the copies, or where a write in the evidence went the same way.

    Args:
        history: of the resource, in order of time.
        step: the 304.
        later: an answer that proves when the change was.
        changed: that moment.

    Source: RFC 9111 section 4.2 (freshness), section 4.3.2 (304 from what is stored), section 4.4 (writes).
    """
    if history.writes or step.date is None or changed is None:
        return False
    if any(_PAST.search(_asked(one)) for one in (step, later)):
        return False
    own = [one for one in history if one.order < step.order and one.actor == step.actor and one.read_ok]
    # What the 304 says replaces what the stored answer had said (RFC 9111 section 3.2).
    granted = next(
        (seconds for one in (step, *reversed(own)) if (seconds := _lifetime(one)) is not None), 0.0
    )
    now = step.date + step.age
    first = own[0] if own else None
    if first is not None and first.date is not None and first.timed and step.timed:
        # Some caches put a date of their own beside the age of the copy.
        now = min(now, first.date + first.age + step.start - first.start)
    gone = now - changed
    return granted > 0 and max(gone, float(step.age)) <= granted + _TICK


def _asked(step: Step) -> str:
    return f"{step.sent.text('cache-control') or ''} {step.sent.text('pragma') or ''}"


def _lifetime(step: Step) -> float | None:
    """Return for how many seconds an answer may be kept, None when it does not say."""
    value = step.header("cache-control") or ""
    if step.lifetime and not value:
        expires = http_date(step.header("expires") or "")
        return max(0.0, expires - step.date) if expires is not None and step.date is not None else None
    if not value:
        return None
    granted = max((float(one) for one in _LIFETIME.findall(value)), default=0.0) if step.lifetime else 0.0
    return granted + sum(float(one) for one in _MEANWHILE.findall(value)) if granted else 0.0
