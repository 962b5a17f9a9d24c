"""Detect `multi-match`: 412 means that the criteria matched more than one resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.evidence import note
from ifmatch.dialects import Meaning
from ifmatch.dialects.glossary import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts import Facts
    from ifmatch.model.finding import Evidence

CAUSE = "multi-match"

# Some number of things, whatever they are called; what else answers count is none.
_SEVERAL = (
    r"(?:[2-9]|\d\d+|two|three|four|five|several|multiple|more than (?:one|1)) (?:\w+[ _-]){0,2}?"
    r"(?!errors|problems|violations|conflicts|changes|times|attempts|characters|bytes|seconds|minutes|hours"
    r"|versions|values|fields|members|tags|conditions)(?:[a-z]+s|people|data|one)\b"
)
_PICKS = (
    r"\b(?:select|identif(?:y|ie)|address|resolv|hit|yield|return|match|find|found|fit|point to|stand for"
    r"|name)"
)
_PICKED = r"(?:match|fit|found|select|fulfil|satisf|meet|share|with (?:this|that|the same))\w*"
_WORDS = Words(
    rf"{_PICKS}\w* (?:out )?(?:by \w+ )?{_SEVERAL}"
    rf"|{_PICKS}\w* more than (?:one|1)\b"
    rf"|{_SEVERAL} (?:are |were |was |is )?{_PICKED}"
    r"|multiple[-_ ]match|multiple (?:resources|records|items|entries|objects)[^.]{0,30}(?:match|found)"
    r"|(?:match|found|returned)\w* (?:more than one|multiple|several)"
    r"|more than one (?:\w+ ){0,3}(?:match|found|exist|ha[sv])"
    r"|match(?:es|ed)? (?:[2-9]|\d\d+) \w+"
    r"|(?:[2-9]|\d\d+) \w+ (?:match|were found|fit)\w*\b"
    r"|not selective enough|ambiguous"
    r"|(?:matched|found) (?:[2-9]|\d\d+) (?:resources|matches|records|entries|items|objects)"
)


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from conditional operations that select by search (FHIR R4 http section 3.1.0.8)."""
    step = facts.step
    if not facts.refused or step.status not in {400, 409, 412}:
        return
    refusal = step.refusal
    told = refusal is not None and refusal.meaning is Meaning.MULTIPLE
    searched = step.sent.text("if-none-exist") is not None or "?" in step.exchange.request.url
    # Under another status the words may be about what was sent; those to a search are about what is there.
    heard = step.status == 412 or (searched and facts.guard is None)
    if not told and not (heard and _WORDS.search(facts.error_text)):
        return
    yield note("the answer says that several resources match", 7.5, step)
    if searched:
        yield note("the request selects its target by search", 1.0, step, "If-None-Exist")
