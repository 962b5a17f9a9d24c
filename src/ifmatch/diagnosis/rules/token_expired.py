"""Detect `token-expired`: a token past its lifetime."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ifmatch.diagnosis.conditions import Guard
from ifmatch.diagnosis.dialect_scopes import lifespan
from ifmatch.diagnosis.evidence import note
from ifmatch.dialects import Meaning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts import Facts
    from ifmatch.model.finding import Evidence

CAUSE = "token-expired"
_TOKEN_FIELD = re.compile(
    r"(?:edit|lock|lease|update|version|change|write|upload)[_-]?(?:token|id|key|ticket|permit|grant)",
    re.IGNORECASE,
)
_TELLING = 8

STRONG = re.compile(
    r"too old|expired|LeaseLost|valid-sync-token|\bcompacted\b|fullSyncRequired"
    r"|\b\w+_lapsed\b|(?:token|ticket|permit|grant|lease|lock) (?:has |is )?(?:lapsed|timed out)"
    r"|(?:history|log|index|cursor|token|revision|ticket|permit|grant)[^.]{0,40}"
    r"(?:cleared|outdated|no longer (?:valid|available|kept))",
    re.IGNORECASE,
)
_KEPT = re.compile(
    r"resourceVersion|sync ?token|continuation|cursor|no longer (?:valid|available)", re.IGNORECASE
)
_SIGN_IN = re.compile(
    r"\b(?:access|bearer|id|csrf|session|jwt)[ _-]?token|signature|credential", re.IGNORECASE
)


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from answers that name an expiry, and from lifetimes that have run out."""
    step = facts.step
    if not facts.refused:
        return
    refusal = step.refusal
    if refusal is not None and refusal.meaning is Meaning.EXPIRED:
        said = f" (“{refusal.words}”)" if refusal.words else ""
        yield note(f"the answer says that the token is past its lifetime{said}", 7.0, step)
    elif step.status in {400, 403, 409, 410, 412} and _says_expired(facts):
        yield note("the answer says that the token has expired", 7.0 if step.status == 410 else 5.0, step)
    elif step.status == 410 and step.conditions and _KEPT.search(facts.error_text):
        yield note("410 to a request with a stored token", 3.0, step)
    yield from _run_out(facts)


def _says_expired(facts: Facts) -> bool:
    if not facts.step.conditions and facts.step.status != 410 and not _granted(facts):
        return False
    return STRONG.search(facts.error_text) is not None and not _SIGN_IN.search(facts.error_text)


def _granted(facts: Facts) -> bool:
    """Tell whether the request carries, in a field of its own, a token that an earlier answer gave out."""
    values = {
        value.strip()
        for name, value in facts.step.sent
        if _TOKEN_FIELD.search(name) and len(value.strip()) >= _TELLING
    }
    given = [
        one.content for one in facts.own(facts.case.steps[: facts.step.order]) if one.content is not None
    ]
    return any(value in content.text for value in values for content in given)


def _run_out(facts: Facts) -> Iterator[Evidence]:
    """Yield what the granted lifetime says; it counts for locks, and for keys that are gone."""
    step = facts.step
    guard = facts.guard
    if step.status not in {404, 409, 410, 412, 423} or guard is None:
        return
    lock = step.condition(Guard.LOCK) is not None
    gone = step.refusal is not None and step.refusal.meaning in {Meaning.ABSENT, Meaning.LOCK}
    if not lock and not gone:
        return
    found = lifespan(facts)
    if found is None:
        return
    if found.over:
        text = f"it was granted for {found.seconds:g} s, and the request came {found.elapsed:.1f} s later"
        yield note(text, 6.0 if gone or step.status == 412 else 5.0, found.grant)
    else:
        text = f"it was granted for {found.seconds:g} s, and only {found.elapsed:.1f} s had passed"
        yield note(text, -2.5, found.grant)
