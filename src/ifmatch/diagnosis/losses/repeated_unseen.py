"""Find what was done twice because a look in between, at a copy or a replica, did not show that it was."""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import changed_pointers, same_content, value_at
from ifmatch.diagnosis.reading.listed_records import leaves_of, records_in
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.steps.resources import bare, host_of, path_of
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.steps.step import Step

# So many steps before a request the same one is looked for, and so many after it what became of both.
_NEAR: Final = 60
_LONGEST: Final = 200_000
# Seconds within which a person, or a program, does a thing again because it seems not done.
_SOON: Final = 900.0
_OK: Final = 200
# What is only accepted for later is rightly not there yet.
_DONE: Final = frozenset({200, 201, 204})
_TWICE: Final = 2
# What a client makes anew for each request.
_RANDOM: Final = late_pattern(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?=.*\d)[0-9a-f]{8,}", re.IGNORECASE
)
_COUNT: Final = late_pattern(r"-?\d{1,12}(?:\.\d{1,6})?")


def repeated_unseen(case: Case, step: Step) -> Damage | None:
    """Find the earlier request that an accepted POST repeats, and the look between that did not show it.

    What both did has to be seen later, and the look must show what had been there before the first.

    Args:
        case: everything known.
        step: an accepted POST, or a PATCH that counts on.
    """
    if not _plain(step):
        return None
    first = _same_before(case, step)
    if first is None:
        return None
    if _others_wrote(case, first, step):
        return None
    for look in reversed(case.steps[first.order + 1 : step.order]):
        if look.actor != step.actor or not look.is_read or look.start < first.end:
            continue
        if host_of(look.resource) != host_of(step.resource):
            continue
        seen = _shown_as_before(case, first, step, look) or _not_found(case, first, step, look)
        if seen is not None:
            text = "done twice: the look after the first time showed what had been there before it"
            return Damage(Outcome.WRONG_CONTENT, text, lost=seen, first=first, behind=look)
    return None


def _shown_as_before(case: Case, first: Step, step: Step, look: Step) -> Step | None:
    """Return the later read that shows what two requests did, where a look between them showed neither."""
    history = case.history_of(look.resource)
    before = [one for one in history if one.order < first.order and _shows(one)]
    state = _meant(before, look)
    if state is None or (before and not same_content(before[-1].representation, state.representation)):
        return None
    after = [one for one in history if one.order > step.order and _shows(one)]
    # More, or fewer, of the same list is asked for at the same place.
    after += [one for one in case.steps[step.order + 1 : step.order + _NEAR] if _of_same_list(one, look)]
    return next((one for one in after if _both_done(first, step, look, state, one)), None)


def _of_same_list(one: Step, look: Step) -> bool:
    """Tell whether a read shows the place of another one, with other values of the same parameters."""
    if one.actor != look.actor or one.resource == look.resource or not _shows(one):
        return False
    same = one.resource.partition("?")[0] == look.resource.partition("?")[0]
    return same and bool(look.view.query) and one.view.query.keys() == look.view.query.keys()


def _meant(before: Sequence[Step], look: Step) -> Step | None:
    """Return the answer that shows the content of a look: for a 304 the one that it says is still right."""
    if look.status != HTTPStatus.NOT_MODIFIED:
        return look if _shows(look) else None
    condition = look.condition(Guard.DIFFERENT)
    named = condition.tokens if condition is not None else ()
    return next((one for one in reversed(before) if one.etag in named), None)


def _not_found(case: Case, first: Step, step: Step, look: Step) -> Step | None:
    """Return the later list of two things, of which the first had not been found at its own address."""
    place = (first.header("location") or "").partition("?")[0].rstrip("/")
    if look.status not in {404, 410} or not place or not _url(look).endswith(path_of(place)):
        return None
    sent = _sent(first) & _sent(step)
    later = (one for one in case.steps[step.order + 1 : step.order + _NEAR] if one.actor == step.actor)
    lists = (one for one in later if _shows(one) and host_of(one.resource) == host_of(step.resource))
    return next((one for one in lists if sent and _count(one, sent) == _TWICE), None)


def _url(step: Step) -> str:
    return bare(step.exchange.request.url)


def _plain(step: Step) -> bool:
    return (
        step.method in {"POST", "PATCH"}
        and step.accepted
        and step.timed
        and step.guard is None
        and step.status in _DONE
        and not step.batched
    )


def _shows(step: Step) -> bool:
    content = step.representation
    return step.is_read and step.status == _OK and content is not None and len(content) <= _LONGEST


def _same_before(case: Case, step: Step) -> Step | None:
    """Return the last accepted request of the same actor that asked for the very same."""
    for one in reversed(case.steps[max(0, step.order - _NEAR) : step.order]):
        if (
            one.actor != step.actor
            or one.resource != step.resource
            or one.method != step.method
            or not _plain(one)
        ):
            continue
        if one.body is None or step.body is None or step.start - one.end > _SOON:
            return None
        return one if _asks_the_same(one, step) else None
    return None


def _asks_the_same(one: Step, two: Step) -> bool:
    """Tell whether two requests have one content, but for their own times and what each is called by."""
    if same_content(one.body, two.body):
        return True
    pointers = changed_pointers(one.body, two.body)
    return bool(pointers) and all(
        pointer
        and (
            stamped(pointer)
            or all(_RANDOM.fullmatch(str(value_at(each.body, pointer))) for each in (one, two))
        )
        for pointer in pointers or ()
    )


def _others_wrote(case: Case, first: Step, step: Step) -> bool:
    """Tell whether something else was written between two requests, by whomever."""
    between = case.steps[first.order + 1 : step.order]
    return any(one.is_write and one.accepted and one.resource == step.resource for one in between)


def _both_done(first: Step, step: Step, look: Step, state: Step, after: Step) -> bool:
    """Tell whether a later look shows what two requests did, and the state of the look between neither."""
    if same_content(state.representation, after.representation):
        return False
    if _answered_ahead(first, step, state, after):
        return True
    if _listed_twice(_sent(first) & _sent(step), state, after):
        return _behind(first, look) or _as_made(first, after)
    # Some book later what they take at once.
    return _behind(first, look) and _moved_twofold(step, state, after)


def _behind(first: Step, look: Step) -> bool:
    """Tell whether a look came out of a copy that was older than a request, or from another machine."""
    if look.cache_hit:
        return look.exchange.from_cache or look.age > look.start - first.end or not look.age
    return bool(look.machine and first.machine) and look.machine != first.machine


def _as_made(first: Step, after: Step) -> bool:
    """Tell whether a later look lists a thing just as the answer to its creation had it, with its name.

    It had been a thing for that list from the beginning, then, and had not to become one.
    """
    content, listing = first.content, after.representation
    if content is None or listing is None:
        return False
    told = {(name.rpartition("/")[2].lower(), value) for name, value in leaves_of(content.text)}
    for record in records_in(listing.text):
        held = {(name.rpartition("/")[2].lower(), value) for name, value in record.items()}
        if len(told) >= _TWICE and told <= held:
            return True
    return False


def _moved_twofold(step: Step, look: Step, after: Step) -> bool:
    """Tell whether a number moved by twice what a request says."""
    sent = {abs(number) for _, value in leaves_of(step.view.sent_text) if (number := _number(value))}
    shown, then = _leaves(look), _leaves(after)
    for name in shown.keys() & then.keys():
        old, new = _number(shown[name]), _number(then[name])
        if stamped("/" + name) or old is None or new is None or old == new:
            continue
        if abs(new - old) / _TWICE in sent:
            return True
    return False


def _number(text: str) -> Decimal | None:
    """Return the number that a value is, None for other values."""
    return Decimal(text) if _COUNT.fullmatch(text) is not None else None


def _answered_ahead(first: Step, step: Step, look: Step, after: Step) -> bool:
    """Tell whether the first answer stated another value than the look, and the last look the second's."""
    told, again = _values(first), _values(step)
    shown, then = _leaves(look), _leaves(after)
    moved = [
        name
        for name in told.keys() & again.keys() & shown.keys() & then.keys()
        if told[name] != shown[name] and told[name] != again[name] == then[name] != shown[name]
    ]
    return bool(moved)


def _listed_twice(sent: set[tuple[str, str]], look: Step, after: Step) -> bool:
    """Tell whether a later look lists two things with all values that two requests have, and a look none."""
    return bool(sent) and _count(after, sent) - _count(look, sent) == _TWICE and _count(look, sent) == 0


def _sent(step: Step) -> set[tuple[str, str]]:
    """Return the values of a request by the last words of their names, without what only names a moment."""
    leaves = ((name.rpartition("/")[2].lower(), value) for name, value in leaves_of(step.view.sent_text))
    return {(name, value) for name, value in leaves if value and not stamped("/" + name)}


def _count(step: Step, sent: set[tuple[str, str]]) -> int:
    """Return how many listed things have the values of a request, those that its place already says aside."""
    content = step.representation
    if content is None:
        return 0
    found = 0
    for record in records_in(content.text):
        held = {(name.rpartition("/")[2].lower(), value) for name, value in record.items()}
        names = {name for name, _ in held}
        mine = {pair for pair in sent if pair[0] in names}
        # What the list is of may stand in its own place alone.
        rest = {value for _, value in sent - mine}
        if mine and mine <= held and all(value in step.resource for value in rest):
            found += 1
    return found


def _values(step: Step) -> dict[str, str]:
    return _once(leaves_of(step.content.text)) if step.content is not None else {}


def _leaves(step: Step) -> dict[str, str]:
    content = step.representation
    return _once(leaves_of(content.text)) if content is not None else {}


def _once(leaves: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return values by the last words of their names, those alone that stand once."""
    pairs = [(name.rpartition("/")[2].lower(), value) for name, value in leaves]
    counts = Counter(name for name, _ in pairs)
    return {name: value for name, value in pairs if counts[name] == 1 and not name.isdigit()}
