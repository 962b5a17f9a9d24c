"""Detect `precondition-stripped`: a proxy removes the precondition before the origin sees it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ifmatch.diagnosis.facts.accounted_conditions import told_bare
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.losses.requests_listed import shown_bare
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard, carries
from ifmatch.diagnosis.reading.contents import value_at
from ifmatch.diagnosis.reading.lost_members import lost_versions
from ifmatch.diagnosis.steps.resources import host_of, path_of
from ifmatch.dialects import Carrier, Meaning
from ifmatch.dialects.glossary import Words
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "precondition-stripped"
_DEMANDED = 428
# Shorter tokens stand in a text by chance.
_TELLING = 6
# So many steps of a path name one thing, whatever stands before them.
_STEPS = 2


# How an answer asks for what it did not get.
_ASKS = Words(
    r"\b(?:please |must |should |need(?:s|ed)? to |have to |has to )?"
    r"(?:pass|send|provide|supply|specify|include|set|give|add|submit)\b|required|missing|mandatory|is absent"
    r"|no(?:t| \w+)? (?:passed|sent|given|provided|supplied|specified|found|present)"
)
_DIFFERS = Words(
    r"(?:does|did|do)(?: not|n.t) match|\bstale\b|\bolder?\b|outdated|out of date|changed since|was modified"
    r"|has been modified|expected .{1,40} (?:but|got)"
)


# That it did not get it, whatever the state.
_LACKS = Words(
    r"\b(?:required|missing|mandatory|absent)\b"
    r"|\bmust be (?:passed|sent|given|provided|supplied|specified|set|included)\b"
    r"|\b(?:not|no [\w-]+) (?:been |was )?(?:passed|sent|given|provided|supplied|specified)"
)


def asks_for(words: str, name: str) -> bool:
    """Tell whether an answer asks for a field as for one that it did not get.

    Args:
        words: of the answer.
        name: of the field.
    """
    if name.lower() not in words.lower() or _DIFFERS.search(words) is not None:
        return False
    return any(
        name.lower() in sentence.lower() and _LACKS.search(sentence) is not None
        for sentence in re.split(r"[.!?;]\s|[{}\"]", words)
    )


def _asked_for(facts: Facts, guard: Condition) -> bool:
    """Tell whether an answer asks for the very precondition that the request carries.

    What reads like a request for the latest version may be one: only while the version holds, it tells.
    """
    step, text = facts.step, facts.error_text
    if not facts.refused or guard.carrier is not Carrier.HEADER or facts.state_moved:
        return False
    if any(tokens.opaque(one) in text for one in guard.tokens if len(tokens.opaque(one)) >= _TELLING):
        # An answer that names what was sent has got it, whatever it advises to send next.
        return False
    if step.status != _DEMANDED and asks_for(text, guard.name):
        return True
    if facts.state_moved is None:
        return False
    refusal = step.refusal
    if refusal is not None and refusal.meaning is Meaning.MISSING:
        return True
    named = guard.name.lower() in text.lower()
    return named and _ASKS.search(text) is not None and _DIFFERS.search(text) is None


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a precondition at the client that is absent at the origin.

    Source: RFC 9110 section 13.2.1 (intermediaries forward preconditions that they do not evaluate).
    """
    guard = facts.guard
    step = facts.step
    if guard is None and step.is_write:
        yield from _taken_out(facts)
    polled = facts.damage is not None and bool(facts.damage.needless) and not step.cache_told
    if guard is None or not (step.is_write or polled) or guard.unseen:
        return
    if not carries(step.exchange.request, guard, step.dialect):
        return
    for hop in step.hops:
        if carries(hop.request, guard, step.dialect) is False:
            yield note(f"the client sent {guard.called}; it is absent at the origin", 8.5, hop, guard.called)
            return
    if facts.damage is not None and facts.damage.stale_accepted and not step.hops:
        yield note("what the origin got of this request is not in the evidence", 2.5, step, guard.called)
        if step.cache_marked:
            yield note("an intermediary is on the way", 1.0, step, "Via")
        if (bare := told_bare(facts)) is not None:
            yield note(bare[0], 5.5, bare[1])
        elif (listed := shown_bare(facts.case, step)) is not None:
            text = f"the list of the requests that the service got has this one without {guard.called}"
            yield note(text, 5.5, listed[0])
        yield from _heeded_past(facts, guard)
        return
    asked = _asked_for(facts, guard)
    if asked:
        current = " with the version that is current" if facts.state_moved is False else ""
        text = f"the answer asks for {guard.called}, which the request carries{current}"
        yield note(text, 5.0, step, guard.called)
        return
    if step.status == _DEMANDED and (step.refusal is None or step.refusal.meaning is not Meaning.MISMATCH):
        text = (
            f"428 although the request carries {guard.called}: it was lost on the way, or the "
            "server reads another field"
        )
        yield note(text, 4.0, step, guard.called)


def _heeded_past(facts: Facts, guard: Condition) -> Iterator[Evidence]:
    """Yield evidence from an outdated version of the same thing, refused by a host of another name.

    Source: RFC 9110 section 7.6.3 (what Via tells; the origin itself does not add it).
    """
    step = facts.step
    # The version itself may stand in an address.
    path, host = path_of(step.resource), host_of(step.exchange.request.url)
    for one in facts.case.steps:
        there = one.exchange.request.url
        if not (one.refused and one.is_write) or host_of(there) == host or one.cache_marked:
            continue
        if not _of_one_thing(path, path_of(one.resource)):
            continue
        same = any(one.presents(token) for token in guard.tokens)
        if same or _outdated(facts, one):
            what = "the very same version" if same else f"`{one.guard.shown() if one.guard else ''}`"
            text = f"{host_of(there)}, asked past what is on the way, refused {what}, which was outdated too"
            yield note(text, 5.5 if step.cache_marked else 3.5, one, guard.called)
            return


def _of_one_thing(path: str, there: str) -> bool:
    """Tell whether two paths are the same, but for what a front puts before those behind it."""
    one, two = sorted((path.partition("?")[0], there.partition("?")[0]), key=len)
    return one == two or (one.count("/") >= _STEPS and two.endswith(one))


def _outdated(facts: Facts, refused: Step) -> bool:
    """Tell whether a refused write names a version that the resource had had before."""
    guard = refused.guard
    if guard is None or guard.guard is not Guard.SAME:
        return False
    tagged = [one for one in facts.history if one.order < refused.order and one.etag is not None]
    if _others_there(facts, refused):
        return True
    return any(
        bool(issued := facts.history.issued(token))
        and issued[0].order < refused.order
        and tagged[-1].etag not in {None, token}
        and issued[-1].order < tagged[-1].order
        for token in guard.tokens
    )


def _others_there(facts: Facts, refused: Step) -> bool:
    """Tell whether the looks beside a refused write, at its own host, show another tag than that."""
    guard = refused.guard
    near = facts.own(facts.case.history_of(refused.resource))
    before = next((one for one in reversed(near) if one.order < refused.order and one.etag is not None), None)
    after = next((one for one in near if one.order > refused.order and one.etag is not None), None)
    shown = [one for one in (before, after) if one is not None and one.read_ok]
    return (
        guard is not None
        and guard.well_formed
        and bool(shown)
        and not any(
            tokens.base(one.etag or "") == tokens.base(token) for one in shown for token in guard.tokens
        )
    )


def _taken_out(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a version, sent in the content as it was read, that the origin did not get."""
    step = facts.step
    hop = step.hops[-1] if step.hops else None
    content = hop.request.content if hop is not None else None
    sent = step.exchange.request.content
    if hop is None or not (isinstance(content, Content) and content.complete and isinstance(sent, Content)):
        return
    shown = [one.representation for one in facts.own(facts.earlier) if one.representation is not None]
    for pointer in lost_versions(sent, content):
        value = str(value_at(sent, pointer))
        if any(str(value_at(read, pointer)) == value for read in shown):
            yield note(f"the client sent {pointer}, as it was read; it is absent at the origin", 8.5, hop)
            return
