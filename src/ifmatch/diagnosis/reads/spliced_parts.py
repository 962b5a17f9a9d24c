"""Find parts of a read that do not belong together, and who gave them: a cache, or the origin."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.dates import http_date
from ifmatch.diagnosis.reads.parts import goes_on, part_version
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step

_CONTENT_RANGE = late_pattern(r"bytes (\d+)-(\d+)/")
# Parts that lie further apart in time belong to two downloads.
_ONE_DOWNLOAD = 120.0


def spliced(history: History) -> Iterator[tuple[Step, Damage]]:
    """Find ranges of one read that carry different validators.

    Args:
        history: of one resource, in order of time.
    """
    last: dict[str, Step] = {}
    for step in history:
        if step.method != "GET" or step.status != 206 or (mine := part_version(step)) is None:
            continue
        before = last.get(step.actor)
        last[step.actor] = step
        if (
            before is None
            or part_version(before) == mine
            or (before.validator is None) != (step.validator is None)
            or (before.etag is None) != (step.etag is None)
        ):
            continue
        condition = step.condition(Guard.RANGE, Guard.SAME)
        text = f"one part carries {part_version(before)}, the next {mine}"
        if condition is not None and condition.tokens and mine not in condition.tokens:
            cached = (cached_on_the_way(step) or dropped(step, condition)) and not heard(step, condition)
            what = (
                f"206 although {condition.name} names {condition.tokens[0]} and the object "
                f"carries {step.validator}"
            )
            yield (
                step,
                Damage(Outcome.WRONG_CONTENT, what, lost=before, range_ignored=not cached, by_cache=cached),
            )
        elif (
            condition is None
            and _adjoining(before, step)
            and (step.validator is not None or goes_on(before, step))
        ):
            yield step, Damage(Outcome.WRONG_CONTENT, text, lost=before, parts=True)


def _adjoining(before: Step, step: Step) -> bool:
    """Tell whether two answers are parts of one download: behind each other, or apart in one short while."""
    first, second = _range(before), _range(step)
    if first is None or second is None:
        return False
    if second[0] == first[1] + 1:
        return True
    apart = second[0] > first[1] or first[0] > second[1]
    return apart and step.timed and step.start - before.end <= _ONE_DOWNLOAD


def cached_on_the_way(step: Step) -> bool:
    """Tell whether a cache gave an answer: by its marks, or as nothing went on to the origin.

    Args:
        step: an answered read.
    """
    return step.cache_hit or (step.covered and not step.hops) or step.cache_marked


def _range(step: Step) -> tuple[int, int] | None:
    found = _CONTENT_RANGE.match((step.header("content-range") or "").strip())
    return (int(found[1]), int(found[2])) if found is not None else None


def heard(step: Step, condition: Condition) -> bool:
    """Tell whether the origin got the condition and gave this very answer, whatever marks it bears.

    Args:
        step: an answered read.
        condition: of it.
    """
    last = step.hops[-1] if step.hops else None
    answer = last.response if last is not None else None
    if last is None or answer is None or condition.name not in last.request.fields:
        return False
    return answer.status == step.status and answer.fields.text("etag") in {None, step.etag}


def dropped(step: Step, condition: Condition) -> bool:
    """Tell whether what asked the origin did so without the condition.

    Args:
        step: an answered read.
        condition: of it.
    """
    return bool(step.hops) and all(
        condition.name not in hop.request.fields and hop.request.fields.complete for hop in step.hops
    )


def resumed(step: Step) -> Damage | None:
    """Find a part that was sent although If-Range names another version than the answer does.

    Args:
        step: an answered read.

    Source: RFC 9110 section 13.1.5 (the Range is ignored when the condition is false).
    """
    condition = step.condition(Guard.RANGE)
    if condition is None or step.status != HTTPStatus.PARTIAL_CONTENT:
        return None
    named, sent = condition.tokens[0], http_date(condition.tokens[0])
    if tokens.is_entity_tag(named) and step.etag is not None:
        wrong = tokens.base(named) != tokens.base(step.etag)
    else:
        # An older part than the date names may come from a node whose copy is older: not so a newer one.
        wrong = sent is not None and step.last_modified is not None and step.last_modified > sent
    if not wrong:
        return None
    cached = (cached_on_the_way(step) or dropped(step, condition)) and not heard(step, condition)
    text = f"206 although `{condition.shown()}` names another version than the answer ({step.validator})"
    return Damage(Outcome.WRONG_CONTENT, text, by_cache=cached, range_ignored=not cached)
