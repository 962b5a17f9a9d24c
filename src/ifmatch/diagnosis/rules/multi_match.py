"""Detect `multi-match`: 412 means that the criteria matched more than one resource."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ifmatch.diagnosis.evidence import note
from ifmatch.dialects import Meaning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts import Facts
    from ifmatch.model.finding import Evidence

CAUSE = "multi-match"

_WORDS = re.compile(
    r"multiple[-_ ]match|multiple (?:resources|records|items|entries|objects)[^.]{0,30}(?:match|found)"
    r"|(?:match|found|returned)\w* (?:more than one|multiple|several)"
    r"|more than one (?:\w+ ){0,3}(?:match|found)"
    r"|match(?:es|ed)? (?:[2-9]|\d\d+) \w+"
    r"|(?:[2-9]|\d\d+) \w+ (?:match|were found|fit)\w*\b"
    r"|not selective enough|ambiguous"
    r"|(?:matched|found) (?:[2-9]|\d\d+) (?:resources|matches|records|entries|items|objects)",
    re.IGNORECASE,
)


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from conditional operations that select by search (FHIR R4 http section 3.1.0.8)."""
    step = facts.step
    if not facts.refused or step.status not in {400, 409, 412}:
        return
    refusal = step.refusal
    told = refusal is not None and refusal.meaning is Meaning.MULTIPLE
    if not told and (step.status != 412 or not _WORDS.search(facts.error_text)):
        return
    yield note("the answer says that several resources match", 7.5, step)
    if step.sent.text("if-none-exist") is not None or "?" in step.exchange.request.url:
        yield note("the request selects its target by search", 1.0, step, "If-None-Exist")
