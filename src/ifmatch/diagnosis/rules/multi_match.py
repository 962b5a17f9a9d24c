"""Detect `multi-match`: 412 means that the criteria matched more than one resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.facts.selections import counts, named_in_refusal, named_singly, selects, several
from ifmatch.diagnosis.facts.undone_reasons import left_in_success
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.rules.nonprecondition_412 import spoken
from ifmatch.dialects import Meaning
from ifmatch.dialects.glossary import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.model.finding import Evidence

CAUSE = "multi-match"
_FAILED = 412

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


# That there are more than one, without a word for what: another look has to show how many.
_MANY = Words(
    r"several|multiple|more than (?:one|1)|ambiguous|duplicates?|not (?:unique|selective|distinct)"
    r"|not unambiguous|no(?:t one)? single|uniqueness|exactly (?:one|1)|only (?:one|1)"
)
# What is counted in an answer about the state: tries, versions, who holds it.
_OTHER = Words(
    r"version|revision|\be-?tag|\block(?:ed)?\b|(?<!p)lease|attempts?|tries|left|remain|quota|limit|exceed"
)
_HEARD = frozenset({300, 400, 409, 412, 422})


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from conditional operations that select by search (FHIR R4 http section 3.1.0.8)."""
    yield from left_in_success(facts, CAUSE)
    step = facts.step
    if not facts.refused or step.status not in {400, 409, 412}:
        yield from _shown(facts) if facts.refused and step.status in _HEARD else ()
        return
    refusal = step.refusal
    told = refusal is not None and refusal.meaning is Meaning.MULTIPLE
    searched = step.sent.text("if-none-exist") is not None or "?" in step.exchange.request.url
    # Under another status the words may be about what was sent; those to a search are about what is there.
    heard = step.status == 412 or (searched and facts.guard is None)
    if not told and not (heard and _WORDS.search(facts.error_text)):
        yield from _shown(facts)
        return
    yield note("the answer says that several resources match", 7.5, step)
    if searched:
        yield note("the request selects its target by search", 1.0, step, "If-None-Exist")


def says_several(facts: Facts) -> bool:
    """Tell whether a refusal without a condition of versions says that what is selected is several things.

    Args:
        facts: of the write.
    """
    step = facts.step
    if facts.guard is not None or not step.is_write or step.status not in _HEARD:
        return False
    told = step.refusal is not None and step.refusal.meaning is Meaning.MULTIPLE
    words = step.status == _FAILED and _WORDS.search(facts.error_text) is not None
    return told or words or fits_several(facts)


def _shown(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a search for what the write selects by, and from how many the refusal counts."""
    step = facts.step
    if facts.guard is not None or not step.is_write:
        return
    text = facts.error_text
    listed = named_in_refusal(step)
    found = several(facts)
    if found is None:
        if listed > 1 and selects(step) and not _OTHER.search(text):
            yield note(f"the refusal lists {listed} things that the request selects", 4.0, step)
        return
    number, read = found
    counted = counts(step, number) and not _OTHER.search(text)
    many = _MANY.search(text) is not None
    single = named_singly(facts, read)
    if step.status != _FAILED and not fits_several(facts):
        return
    if not (counted or many or (selects(step) and not spoken(text))):
        return
    plain = "a search for what the request selects by"
    yield note(f"{plain} shows {number} things", 3.5 if counted or many else 2.8, read)
    if counted:
        yield note(f"the refusal counts {number} as well", 3.5, step)
    elif many:
        yield note("the refusal says that there is not just one", 3.0, step)
    if single is not None:
        yield note("a write that names one of these things passed", 1.5, single)


def fits_several(facts: Facts) -> bool:
    """Tell whether a write was refused, under whatever status, as what it selects by fits several things.

    A search shows them, and the refusal says so, or counts them and what names one of them passes.

    Args:
        facts: of the write.
    """
    step = facts.step
    found = several(facts) if step.status in _HEARD and selects(step) else None
    if found is None or _OTHER.search(facts.error_text):
        return False
    if _MANY.search(facts.error_text):
        return True
    return counts(step, found[0]) and named_singly(facts, found[1]) is not None
