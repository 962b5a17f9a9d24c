"""Detect `weak-until-settled`: a just-written file has a weak tag until its clock tick has passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis import tokens
from ifmatch.diagnosis.evidence import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts import Facts
    from ifmatch.model.finding import Evidence

CAUSE = "weak-until-settled"

_TICK = 2.0


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a weak token issued within a tick of the modification, strong afterwards.

    Source: RFC 9110 section 8.8.1 (a validator is weak while a second change may share it).
    """
    source = facts.source
    if not facts.refused or not facts.weak_token or source is None or facts.token is None:
        return
    modified, date = source.last_modified, source.date
    if modified is None or date is None or source.coding:
        return
    if date - modified > _TICK:
        yield note("the file was old enough when its weak tag was issued", -4.0, source, "Last-Modified")
        return
    yield note("the weak tag was issued within about a second of Last-Modified", 3.0, source, "Last-Modified")
    for step in facts.later:
        if (
            step.etag is not None
            and not tokens.is_weak(step.etag)
            and tokens.opaque(step.etag) == tokens.opaque(facts.token)
        ):
            yield note("the same tag is strong a little later", 5.5, step, "ETag")
            return
    if "apache" in (source.header("server") or "").lower():
        yield note("Apache httpd does this", 2.0, source, "Server")
    if any(step.accepted and step.replaces for step in facts.earlier):
        yield note("the resource had just been written", 1.0)
