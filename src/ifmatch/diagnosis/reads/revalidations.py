"""Find readers that ask with the tag they were given and get the same content again, never a 304."""

from __future__ import annotations

from http import HTTPStatus
from itertools import pairwise
from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.links.likeness import holds_own_tag, same_state
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import changed_pointers
from ifmatch.diagnosis.reading.dates import http_date, told_moment
from ifmatch.diagnosis.reading.listed_records import leaves_of
from ifmatch.diagnosis.reading.stamps import differs_by_nonce, rendered, stamped
from ifmatch.diagnosis.reads.content_digests import alike_by_fields
from ifmatch.diagnosis.reads.drawn_values import drawn_anew
from ifmatch.diagnosis.reads.reloads import wants_whole
from ifmatch.diagnosis.reads.rendered_times import made_for_each
from ifmatch.diagnosis.reads.wasted_tags import HURT
from ifmatch.diagnosis.steps.resources import host_of
from ifmatch.model.diagnosis import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step

# Once may be chance: a node that just joined, a state that was written and taken back.
_OFTEN = 2
# Services that send dates without a look at them are many: it takes a reader that relies on them.
_DATED = 3
# So many steps away the same client is looked at.
_NEAR = 30
# Contents that differ only in what is rendered anew need more looks where no date says that nothing changed.
_UNDATED = 4
# So many of their answers are compared, and so long is what has more than a moment.
_MOST, _RICH = 8, 60
# Longer pages are not compared by their numbers.
_LONGEST = 100_000
# Signs of a time at least.
_TIME = 10


def never_unmodified(case: Case, history: History) -> Iterator[tuple[Step, Damage]]:
    """Yield for each reader that is never told 304 its first needless answer.

    Once is no finding: some services send a young state whole.

    Args:
        case: everything known.
        history: of one resource, in order of time.
    """
    readers: dict[str, list[Step]] = {}
    lookers: dict[str, list[Step]] = {}
    for step in history:
        if step.method in {"GET", "HEAD"} and step.status in {200, 304}:
            (readers if step.method == "GET" else lookers).setdefault(step.actor, []).append(step)
    for reads in lookers.values():
        yield from _by_no_tag(case, history, reads)
    for reads in readers.values():
        if not any(step.conditions for step in reads):
            continue
        whole = [step for step in reads if step.status == 200]
        yield from _only_as_strong(history, reads, whole)
        yield from _never_by_date(history, reads)
        yield from _by_no_date(history, reads)
        yield from _by_no_tag(case, history, reads)
        # Two nodes with a tag each answer 304 whenever the balancer happens to stay at one of them.
        bare = [step for step in whole if _dropped(history, step)]
        if len(bare) >= _OFTEN and len(whole) < len(reads):
            text = f"asked {len(bare)} times with the current tag, of which the origin never heard"
            yield bare[0], Damage(Outcome.ERROR, text, needless=(*bare,))
            continue
        turns = tokens.comes_back([tokens.base(step.etag or "") for step in whole])
        if len(whole) <= _OFTEN or (len(whole) < len(reads) and not turns):
            continue
        pairs = [pair for pair in pairwise(whole) if _needless(history, *pair, undated=turns)]
        again = [step for _, step in pairs]
        if not again and (moving := _of_their_moments(history, whole)):
            text = (
                f"asked {len(moving) - 1} times with the last tag: only what is made for each answer differs"
            )
            yield moving[1], Damage(Outcome.ERROR, text, needless=moving)
        # Where the tag is another one each time, it is no matter of who asks for it anew.
        if all(wants_whole(history, step) and _named(step) for step in again):
            continue
        undated = all(step.last_modified is None for step in again)
        few = pairs[:_UNDATED]
        same = all(_known_same(*pair) or _stamped_same(whole[0], pair[1]) for pair in few)
        least = _OFTEN if not undated or same else _UNDATED
        if len(again) >= least and _telling(again):
            text = f"asked {len(again)} times with the tag of the answer before: the same content, never 304"
            # What came after a change is the first of its state.
            shown = dict.fromkeys((whole[0], *(one for pair in pairs for one in pair)))
            yield again[0], Damage(Outcome.ERROR, text, needless=(*shown,))


def _of_their_moments(history: History, whole: list[Step]) -> tuple[Step, ...]:
    """Return the whole answers to the tags of those before them that differ in what is made for each alone.

    What shows little else is asked for to know the time.
    """
    chain = tuple(whole[:_MOST])
    texts = [step.representation.text for step in chain if step.representation is not None]
    if len(chain) <= _DATED or len(texts) < len(chain) or any(len(text) < _RICH for text in texts):
        return ()
    asked = 0
    for before, step in pairwise(chain):
        condition = _different(step)
        if before.variant != step.variant or before.etag is None or before.etag == step.etag:
            return ()
        if condition is None and not step.conditions:
            # A plain look between, or after them, is shown another tag as well.
            continue
        if condition is None or tokens.base(condition.tokens[0]) != tokens.base(before.etag):
            return ()
        if wants_whole(history, step):
            return ()
        asked += 1
    if asked < _DATED:
        return ()
    if history.written_between(chain[0], chain[-1]) or not (made_for_each(chain) or drawn_anew(chain)):
        return ()
    return chain


def _only_as_strong(history: History, reads: list[Step], whole: list[Step]) -> Iterator[tuple[Step, Damage]]:
    """Yield the first whole answer to the weak form of the current tag where its strong form gets a 304.

    Source: RFC 9110 section 13.1.2 (If-None-Match compares weakly).
    """
    strong = {condition.value for step in reads if step.status == 304 if (condition := _different(step))}
    weak = [
        step
        for step in whole
        if (condition := _different(step)) is not None
        and tokens.is_weak(condition.tokens[0])
        and condition.value.removeprefix("W/") == step.etag
        and step.etag in strong
        and not wants_whole(history, step)
    ]
    if len(weak) >= _OFTEN:
        text = f"{weak[0].etag} gets its 304, and its weak form never: If-None-Match compares weakly"
        yield weak[0], Damage(Outcome.ERROR, text, contradicted=True)


def _never_by_date(history: History, reads: list[Step]) -> Iterator[tuple[Step, Damage]]:
    """Yield the first of several whole answers to the very date that they carry, for a reader without 304s.

    Source: RFC 9110 section 13.1.3 (the condition is false for a date that is not earlier).
    """
    if len(reads) <= _DATED or any(step.status != HTTPStatus.OK for step in reads):
        return
    again = [step for before, step in pairwise(reads) if _same_date(history, before, step)]
    browser = any((step.sent.text("user-agent") or "").startswith("Mozilla/") for step in again)
    if len(again) >= _DATED and not browser and all(not step.cache_hit for step in again):
        text = f"asked {len(again)} times with the date of the answer before: the same content, never 304"
        yield again[0], Damage(Outcome.ERROR, text, needless=(reads[0], *again))


def _by_no_date(history: History, reads: list[Step]) -> Iterator[tuple[Step, Damage]]:
    """Yield the first of several whole answers with the same content to what is no date.

    Source: RFC 9110 section 13.1.3 (a value that is no valid date is ignored).
    """
    again = [
        step
        for before, step in pairwise(reads)
        if (condition := step.condition(Guard.DIFFERENT_DATE)) is not None
        and http_date(condition.value) is None
        and not tokens.null_word(condition.value)
        and _different(step) is None
        and step.status == HTTPStatus.OK
        and before.variant == step.variant
        and before.representation is not None
        and same_state(before, step)
        and not history.written_between(before, step)
    ]
    if len(again) >= _OFTEN:
        text = f"asked {len(again)} times with what is no date: the same content, never 304"
        yield again[0], Damage(Outcome.ERROR, text, needless=(reads[0], *again))


def _by_no_tag(case: Case, history: History, reads: list[Step]) -> Iterator[tuple[Step, Damage]]:
    """Yield the first of several whole answers with the same content to a damaged tag, or a word for none.

    Source: RFC 9110 section 13.1.2 (what equals no current tag selects the representation).
    """
    again = [step for before, step in pairwise(reads) if _damaged(history, before, step)]
    if reads and reads[0].status == HTTPStatus.OK and _current_damaged(history, reads[0]):
        # Who asks for the first time with the very tag of what is there was told it elsewhere: by a list.
        again.insert(0, reads[0])
    if not again:
        return
    heeded = any(
        one.status == HTTPStatus.NOT_MODIFIED and (well := _different(one)) and again[0].etag in well.tokens
        for one in history
    )
    least = 1 if heeded or _elsewhere(case, again[0]) else _OFTEN
    if len(again) >= least and all(_asked_damaged(step) for step in reads if step.order > again[0].order):
        text = "asked with what names no version, and got the same content whole"
        yield again[0], Damage(Outcome.ERROR, text, needless=tuple(dict.fromkeys((reads[0], *again))))


def _elsewhere(case: Case, step: Step) -> bool:
    """Tell whether a reader asks for something else near by with its current tag, hurt in the same way."""
    condition = _asked(step)
    kind = tokens.damage(condition.value, step.etag or "") if condition is not None else ""
    if kind not in HURT:
        return False
    host = host_of(step.resource)
    return any(
        one.resource != step.resource
        and one.actor == step.actor
        and one.is_read
        and one.status == HTTPStatus.OK
        and one.etag is not None
        and (other := _asked(one)) is not None
        and tokens.damage(other.value, one.etag) == kind
        and host_of(one.resource) == host
        for one in case.steps[max(0, step.order - _NEAR) : step.order + _NEAR]
    )


def _current_damaged(history: History, step: Step) -> bool:
    """Tell whether a read asks with the very tag of its whole answer, hurt beyond any comparison."""
    condition = _asked(step)
    if (
        condition is None
        or step.etag is None
        or condition.value in history.passed
        or wants_whole(history, step)
    ):
        return False
    return tokens.damage(condition.value, step.etag) in HURT


def _asked_damaged(step: Step) -> bool:
    """Tell whether a read that asks by tag got its content whole, or asked well and got its 304."""
    condition = _asked(step)
    return condition is None or step.status == HTTPStatus.OK or step.etag in condition.tokens


def _asked(step: Step) -> Condition | None:
    """Return the If-None-Match of a read that means one version, in or out of form."""
    condition = step.condition(Guard.DIFFERENT)
    return condition if condition is not None and condition.standard and condition.of_one else None


def _damaged(history: History, before: Step, step: Step) -> bool:
    """Tell whether a whole answer only repeats the one before, and the tag that was sent is that one's, hurt.

    Where the service takes the same spelling at another time, it is no damage to it.
    """
    condition = _asked(step)
    if condition is None or step.status != HTTPStatus.OK or step.etag is None or step.etag != before.etag:
        return False
    sent = condition.value
    if not (tokens.null_word(sent) or tokens.damage(sent, step.etag) in HURT) or sent in history.passed:
        return False
    if wants_whole(history, step) or before.variant != step.variant or before.coding != step.coding:
        return False
    same = before.representation is None or step.representation is None or _alike(before, step)
    return same and not history.written_between(before, step)


def _same_date(history: History, before: Step, step: Step) -> bool:
    """Tell whether a whole answer only repeats the one before, whose date alone was sent."""
    condition = step.condition(Guard.DIFFERENT_DATE)
    if (
        condition is None
        or _different(step) is not None
        or wants_whole(history, step)
        or before.variant != step.variant
    ):
        return False
    date = condition.value.strip()
    if any((one.header("last-modified") or "").strip() != date for one in (before, step)):
        return False
    if before.representation is None or before.coding != step.coding or not same_state(before, step):
        return False
    return not history.written_between(before, step)


def _different(step: Step) -> Condition | None:
    condition = step.condition(Guard.DIFFERENT)
    return condition if condition is not None and len(condition.tokens) == 1 else None


def _dropped(history: History, step: Step) -> bool:
    """Tell whether a whole answer to the current tag was asked for at the origin without it."""
    condition = _different(step)
    if condition is None or condition.tokens[0] != step.etag or not step.hops or wants_whole(history, step):
        return False
    return all(
        hop.status == step.status and hop.request.fields.complete and condition.name not in hop.request.fields
        for hop in step.hops
    )


def _needless(history: History, before: Step, step: Step, *, undated: bool) -> bool:
    """Tell whether a whole answer only repeats the one before, whose tag was sent.

    Where the tags go back and forth, nodes may date the content each in its own way.
    """
    condition = step.condition(Guard.DIFFERENT)
    if condition is None or len(condition.tokens) != 1 or before.etag is None or step.etag is None:
        return False
    if tokens.base(condition.tokens[0]) != tokens.base(before.etag) or before.variant != step.variant:
        return False
    if before.coding != step.coding or (before.last_modified != step.last_modified and not undated):
        return False
    if before.representation is None and before.withheld and step.withheld:
        return alike_by_fields(before, step) is True and not history.written_between(before, step)
    if before.representation is None or not _alike(before, step):
        return False
    return not history.written_between(before, step)


def _alike(before: Step, step: Step) -> bool:
    """Tell whether two answers show one state, apart from what is rendered for each answer."""
    if same_state(before, step):
        return True
    pointers = changed_pointers(before.representation, step.representation)
    if pointers is None:
        short = before.representation is not None and len(before.representation) <= _LONGEST
        return short and differs_by_nonce(before.representation, step.representation)
    return bool(pointers) and all(
        rendered(pointer) or (holds_own_tag(before, pointer) and holds_own_tag(step, pointer))
        for pointer in pointers or ()
    )


def _known_same(one: Step, two: Step) -> bool:
    """Tell whether two whole answers show one content, by their fields where it is not in the evidence."""
    if one.withheld and two.withheld and one.representation is None:
        return alike_by_fields(one, two) is True
    return same_state(one, two)


def _stamped_same(one: Step, two: Step) -> bool:
    """Tell whether two contents hold one time of change, or version, of what they show: it did not change."""
    first, second = one.representation, two.representation
    if first is None or second is None:
        return False
    there = set(leaves_of(second.text))
    return any(
        pair in there and stamped("/" + pair[0]) and not rendered("/" + pair[0]) and len(pair[1]) >= _TIME
        for pair in leaves_of(first.text)
        if told_moment(pair[1]) is not None
    )


def _telling(again: list[Step]) -> bool:
    same = [step for step in again if _named(step)]
    if not same:
        return True
    if any(step.cache_hit or any(hop.status == 304 for hop in step.hops) for step in same):
        # A cache made a 200 of what it knew: that is looked at one answer at a time.
        return bool(suffix_of(same[0]))
    # Browsers validate their own cache and then show the stored 200 where the wire had 304.
    browser = (same[0].sent.text("user-agent") or "").startswith("Mozilla/")
    browser = browser and not all(step.hops and step.hops[-1].status == 200 for step in same)
    return not browser and len(same) == len(again)


def _named(step: Step) -> bool:
    condition = step.condition(Guard.DIFFERENT)
    named = condition.tokens[0] if condition is not None else ""
    return tokens.opaque(named) == tokens.opaque(step.etag or "")


def suffix_of(step: Step) -> str:
    """Return the coding suffix of the answer's tag, "" when it has none."""
    return tokens.strip_suffix(tokens.opaque(step.etag or ""))[1]
