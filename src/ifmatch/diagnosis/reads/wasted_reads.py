"""Find conditional reads that should have been spared their content, with the proof of why they never are.

The thing stays as it is, its reader had been shown the current validator, and asks with another value all
the same: the tag of something else, a tag that was changed on the way, a date of another zone.
"""

from __future__ import annotations

from http import HTTPStatus
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.damages import Damage, Reason, Waste
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.diagnosis.reading.dates import http_date, zones_apart
from ifmatch.diagnosis.reads.reloads import wants_whole
from ifmatch.diagnosis.reads.wasted_tags import HURT, Found, reason_of
from ifmatch.diagnosis.steps.resources import path_of
from ifmatch.model.diagnosis import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

    _Way = tuple[str, tuple[str, str, str], str]

# Once may be a state that was written and taken back, or the first look after a change.
_OFTEN: Final = 2
_SPARED: Final = frozenset({HTTPStatus.NOT_MODIFIED, HTTPStatus.PARTIAL_CONTENT})

_WHY: Final = {
    Reason.THING: "is the tag of another thing, never of this one",
    Reason.REPRESENTATION: "is the tag of another representation",
    Reason.PATH: "was made for the same state by another path of the service, in its own way",
    Reason.SUFFIX: "ends in what an encoder appends, and is never known again",
    Reason.WEAKENED: "is weak, and strong without content coding: a range needs a strong tag",
    Reason.UNSETTLED: "is weak within about a second of Last-Modified, and strong afterwards",
    Reason.WEAK_ONLY: "is weak as all tags here are: a range needs a strong one",
    Reason.NONE: "is a word for none",
    Reason.HURT: "is the served tag, damaged",
    Reason.ZONE: "is the served date, moved by whole quarters of an hour",
    Reason.STRIPPED: "is taken off on the way, so that no reader can ask with it",
}


def wasted_reads(case: Case, history: History) -> Iterator[tuple[Step, Damage]]:
    """Yield for each reader the first read whose condition cannot hold, while the thing stays as it is.

    Args:
        case: everything known.
        history: of one resource, in order of time.
    """
    told: set[str] = set()
    in_vain = _asked_in_vain(history)
    spared = _all_spared(history) if in_vain else {}
    for asked in in_vain.values():
        step, condition = asked[0], _asked(asked[0])
        if condition is None or step.actor in told:
            continue
        near, about = history.around(step), case.around(step)
        waste = _by_date(near, spared, asked, condition) or _by_tag(about, near, spared, asked, condition)
        if waste is None:
            continue
        told.add(step.actor)
        text = f"`{condition.shown()}` never spares the content: {waste.sent} {_WHY[waste.reason]}"
        yield step, Damage(Outcome.ERROR, text, waste=waste)
    for actor, steps in history.by_actor.items():
        compared = _compared(steps) if actor not in told else None
        if compared is not None:
            text = f"HEAD tells {compared.sent}, GET {compared.current}: who compares them loads it each time"
            yield compared.asked[0], Damage(Outcome.ERROR, text, waste=compared)


def _compared(steps: list[Step]) -> Waste | None:
    """Find a reader that looks with HEAD, and loads each time what is the same under another tag.

    Two tags of one form may be those before and after a change, unless they come in turn.
    """
    pairs = [
        (one, two)
        for one, two in pairwise(steps)
        if one.method == "HEAD" and two.method == "GET" and one.status == two.status == HTTPStatus.OK
        if one.variant == two.variant and not two.conditions
    ]
    if len(pairs) < _OFTEN:
        return None
    heads, gets = {one.etag for one, _ in pairs}, {two.etag for _, two in pairs}
    head, get = pairs[0]
    if len(heads) != 1 or len(gets) != 1 or head.etag is None or get.etag is None:
        return None
    dates = {step.last_modified for pair in pairs for step in pair}
    loaded = [one for one in steps if one.method == "GET" and one.etag == get.etag]
    same = all(same_content(one.representation, get.representation) for one in loaded)
    dated = len(dates) == 1 and None not in dates
    if not dated and (get.representation is None or not same or dates != {None}):
        return None
    # Loaded before the first HEAD already, under the tag that it is loaded with again.
    in_turn = same and loaded[0].order < head.order
    apart = tokens.form(head.etag) != tokens.form(get.etag)
    least = _OFTEN if in_turn and apart else _OFTEN + 1 if apart or in_turn else None
    if least is None or len(pairs) < least or tokens.opaque(head.etag) == tokens.opaque(get.etag):
        return None
    asked = tuple(two for _, two in pairs[1:])
    return Waste(Reason.PATH, head.etag, "ETag", get.etag, asked, gave=head)


def told_of_waste(facts: Facts, *reasons: Reason) -> Iterator[Evidence]:
    """Yield evidence from reads whose condition never holds for one of some reasons.

    Args:
        facts: of the first of them.
        reasons: those that are a cause's.
    """
    waste = facts.damage.waste if facts.damage is not None else None
    if waste is None or waste.reason not in reasons:
        return
    yield note(f"{waste.sent} {_WHY[waste.reason]}", 5.0, waste.asked[0], waste.name)
    if waste.gave is not None:
        where = f"{waste.gave.method} {path_of(waste.gave.resource)}"
        yield note(f"{where} shows where it is from", 1.0, waste.gave)
    count = len(waste.asked)
    if not waste.current:
        yield note(f"{count} whole answers repeat what the reader had", 1.0, waste.asked[-1])
    elif count > 1 or waste.reason in {Reason.THING, Reason.REPRESENTATION, Reason.PATH}:
        text = f"the reader had been shown {waste.current}, which {count} whole answers carry again"
        yield note(text, 1.0, waste.asked[-1])
    if waste.passed is not None:
        text = f"asked as it should be, the same reads are spared ({waste.passed.status})"
        yield note(text, 2.5, waste.passed)


def _asked_in_vain(history: History) -> dict[tuple[str, ...], list[Step]]:
    """Return the whole answers that only repeat what their readers had, by reader, way and value sent."""
    if not any(step.conditions for step in history):
        return {}
    known: set[tuple[str, ...]] = set()
    found: dict[tuple[str, ...], list[Step]] = {}
    for step in history:
        if step.method not in {"GET", "HEAD"} or step.status not in {200, 206, 304}:
            continue
        way = (step.actor, step.method, *step.variant)
        state = (*way, step.validator or "")
        # One that wants a whole answer, whatever is stored, asks for no less.
        condition = _asked(step) if not wants_whole(history, step) else None
        had = state in known or (condition is not None and _holds_part(step, condition))
        if condition is not None and step.status == HTTPStatus.OK and had:
            found.setdefault((*way, condition.name, condition.value, step.validator or ""), []).append(step)
        if step.validator is not None:
            known.add(state)
    return found


def _holds_part(step: Step, condition: Condition) -> bool:
    """Tell whether a read asks for the rest of the very state that its whole answer shows.

    Whoever names it need not have loaded it before: a HEAD, or an upload of its own, told the tag.
    """
    named = {tokens.opaque(one) for one in condition.tokens}
    return condition.guard is Guard.RANGE and tokens.opaque(step.etag or "") in named - {""}


def _asked(step: Step) -> Condition | None:
    """Return the condition that could have spared a read its content, or most of it; None without one."""
    if not step.conditions:
        return None
    condition = step.condition(Guard.DIFFERENT)
    if condition is None and step.condition(Guard.ABSENT) is None:
        condition = step.condition(Guard.DIFFERENT_DATE)
    if condition is None:
        condition = step.condition(Guard.RANGE)
        if condition is not None and step.sent.text("range") is None:
            return None
    if condition is None or not condition.standard or not condition.of_one:
        return None
    return condition


def _all_spared(history: History) -> dict[_Way, Step]:
    """Return the reads that were spared their content, by method, representation and validator."""
    found: dict[_Way, Step] = {}
    for step in history:
        condition = _asked(step) if step.status in _SPARED else None
        if condition is None or not condition.tokens:
            continue
        if (step.status == HTTPStatus.PARTIAL_CONTENT) == (condition.guard is Guard.RANGE):
            found.setdefault((step.method, step.variant, condition.tokens[0].strip()), step)
    return found


def _spared(spared: dict[_Way, Step], like: Step, values: set[str]) -> Step | None:
    """Return a read of the same representation that was spared its content with one of some validators."""
    found = (spared.get((like.method, like.variant, value)) for value in values)
    return next((one for one in found if one is not None), None)


def _by_date(
    history: History, spared: dict[_Way, Step], asked: list[Step], condition: Condition
) -> Waste | None:
    """Find a date that is the served one in the time of another zone, earlier than it, or a word for none."""
    step, sent = asked[0], http_date(condition.value)
    modified = step.last_modified
    none = condition.guard is Guard.DIFFERENT_DATE and tokens.null_word(condition.value)
    if modified is None or not (none or (sent is not None and zones_apart(sent, modified) < 0)):
        return None
    if any(one.last_modified == sent for one in history if sent is not None):
        return None
    served = step.header("last-modified") or ""
    passed = _spared(spared, step, {served.strip()})
    if len(asked) < _OFTEN and passed is None:
        return None
    reason = Reason.NONE if none else Reason.ZONE
    return Waste(reason, condition.value, condition.name, served, tuple(asked), passed=passed)


def _by_tag(
    case: Case, history: History, spared: dict[_Way, Step], asked: list[Step], condition: Condition
) -> Waste | None:
    """Find a tag that cannot be the current one, or that cannot be known again as it."""
    step, sent = asked[0], condition.tokens[0]
    if step.etag is None or condition.guard is Guard.DIFFERENT_DATE:
        return None
    ranged = condition.guard is Guard.RANGE
    if _spared(spared, step, {sent}) is not None or http_date(sent) is not None:
        return None
    if not tokens.is_entity_tag(sent):
        hurt = tokens.damage(sent, step.etag) in HURT
        if not ranged or not (hurt or tokens.null_word(sent)):
            # Those in If-None-Match are looked at by `revalidations`.
            return None
        found: Found | None = Found(Reason.HURT if hurt else Reason.NONE, None, {step.etag})
    else:
        found = reason_of(case, history, step, sent, ranged=ranged)
    if found is None:
        return None
    reason, gave, right = found
    passed = _spared(spared, step, right)
    certain = passed is not None or (reason is Reason.WEAKENED and gave is not None and ranged)
    least = 1 if certain else _OFTEN
    if reason is Reason.SUFFIX and passed is None:
        return None
    if len(asked) < least:
        return None
    return Waste(reason, sent, condition.name, step.etag, tuple(asked), gave, passed)
