"""Detect `weak-until-settled`: a just-written file has a weak tag until its clock tick has passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.damages import Reason
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reads.wasted_reads import told_of_waste
from ifmatch.diagnosis.reads.weak_tags import SETTLED, changed_at, of_milliseconds, weak_elsewhere
from ifmatch.diagnosis.steps.resources import path_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.model.finding import Evidence

CAUSE = "weak-until-settled"

_TICK = SETTLED
# Tags that Apache httpd makes of inode, size and time; those of what stands behind it do not settle.
_OF_FILES = frozenset({"hex-hex", "hex-hex-hex"})


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a weak token issued within a tick of the modification, strong afterwards.

    Source: RFC 9110 section 8.8.1 (a validator is weak while a second change may share it).
    """
    yield from told_of_waste(facts, Reason.UNSETTLED)
    source = facts.source
    if not facts.refused or not facts.weak_token or facts.token is None:
        return
    modified = changed_at(source) if source is not None else None
    if source is None or modified is None or source.date is None:
        yield from _as_now(facts)
        return
    date = source.date
    if source.coding:
        return
    if date - modified > _TICK:
        yield note("the file was old enough when its weak tag was issued", -4.0, source, "Last-Modified")
        return
    old = [
        step
        for step in facts.later
        if step.etag == facts.token
        and tokens.is_weak(facts.token)
        and step.date is not None
        and step.date - modified > _TICK
        and not step.coding
    ]
    if old:
        yield note("the same tag is still weak when it is old enough", -5.0, old[0], "ETag")
        return
    if of_milliseconds(source):
        text = "the tag counts milliseconds: servers that make such tags mark all of them weak, for good"
        yield note(text, -5.0, source, "ETag")
        return
    elsewhere = weak_elsewhere(facts)
    if elsewhere is not None:
        text = f"{path_of(elsewhere.resource)} was settled long ago, and its tag is weak as well"
        yield note(text, -5.0, elsewhere, "ETag")
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


def _as_now(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from how the present version is tagged, where the read of the token is not recorded."""
    reads = [
        step
        for step in facts.own_reads_after
        if step.etag is not None and not step.coding and "apache" in (step.header("server") or "").lower()
    ]
    young = [
        step
        for step in reads
        if tokens.is_weak(step.etag or "")
        and step.date is not None
        and step.last_modified is not None
        and step.date - step.last_modified <= _TICK
    ]
    strong = [step for step in reads if not tokens.is_weak(step.etag or "")]
    if any(tokens.is_weak(step.etag or "") and step not in young for step in reads):
        return
    if young:
        text = "the present tag is weak, too, within about a second of Last-Modified: Apache httpd does this"
        yield note(text, 5.0, young[0], "Last-Modified")
    of_file = bool(strong) and tokens.shape(strong[0].etag or "") in _OF_FILES
    if of_file and tokens.shape(strong[0].etag or "") == tokens.shape(facts.token or ""):
        text = f"the present tag {strong[0].etag} is strong and of the same form: Apache httpd's turn strong"
        yield note(text, 4.5, strong[0], "ETag")
