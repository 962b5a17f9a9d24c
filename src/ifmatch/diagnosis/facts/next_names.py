"""Find what a refused creation was made as instead: under the next name beside it, whose own it bears."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.written_things import name_of
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.steps.resources import beside_each_other
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

# So many steps later it is something else that is made.
_NEAR: Final = 40
# Shorter names stand in a content by chance.
_TELLING: Final = 2
_LONGEST: Final = 20_000
_OFTEN: Final = 20
_DIGITS: Final = late_pattern(r"\d+")
# Who puts an edit that was refused beside the thing keeps it for later: it was an update all the same.
_SET_ASIDE: Final = late_pattern(r"conflict|copy|backup|draft|mine|\bold\b|\(\d+\)", re.IGNORECASE)


def made_as_next(facts: Facts) -> Step | None:
    """Return the creation of the same thing under another name, which passed after one was taken.

    The content is the same but for the name in it; or the names are numbers of one kind.

    Args:
        facts: of the refused creation.
    """
    step = facts.step
    if step.body is None or len(step.body) > _LONGEST:
        return None
    for one in facts.case.steps[step.order + 1 : step.order + 1 + _NEAR]:
        if one.actor != step.actor or one.method != step.method or not one.accepted:
            continue
        guard = one.guard
        if guard is None or guard.guard is not Guard.ABSENT or one.resource == step.resource:
            continue
        if beside_each_other(step.resource, one.resource) and _next(step, one):
            return one
    return None


def _next(step: Step, one: Step) -> bool:
    taken, free = _stem(step), _stem(one)
    if one.body is None or len(taken) < _TELLING or taken == free or _SET_ASIDE.search(free):
        return False
    wanted, made = step.body.text if step.body is not None else "", one.body.text
    if wanted == made:
        return _DIGITS.search(taken) is not None and _DIGITS.sub("0", taken) == _DIGITS.sub("0", free)
    around = wanted.split(taken)
    if not 1 < len(around) <= _OFTEN or free not in made:
        return False
    # It may stand there for something else, too.
    either = f"(?:{re.escape(free)}|{re.escape(taken)})"
    return wanted != made and re.fullmatch(either.join(map(re.escape, around)), made) is not None


def _stem(step: Step) -> str:
    """Return what a thing is called, without the kind of file that it is."""
    name = name_of(step)
    return name.rpartition(".")[0] or name
