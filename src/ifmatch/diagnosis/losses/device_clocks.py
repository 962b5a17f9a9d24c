"""Read what time a client has: from when its capture says that it asked, and from what its requests say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading.dates import http_date, told_moment
from ifmatch.diagnosis.steps.message_members import sent
from ifmatch.dialects.glossary import Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

# Seconds by which a client's word for the time may lag behind it, and a reading lie off what was made of it.
_LAG: Final = 3.0
_NEAR: Final = 2.0
# Seconds from which on two requests tell that a time goes along with them.
_APART: Final = 4.0
_FEW: Final = 2
_MOST: Final = 200
# No clock is further off.
_FAR: Final = 2 * 86400.0
# What names the time of something else.
_OF_THEN: Final = Words(
    r"modif|since|range|base|version|sync|last|chang|updat|creat|expir|edit|read|start|open|until|seen"
)


def _moment(text: str) -> float | None:
    found = told_moment(text)
    return found if found is not None else http_date(text)


def _told(step: Step) -> Iterator[tuple[str, float]]:
    """Yield the moments that a request names, with what they are called there."""
    date = step.sent.text("date")
    if date is not None and (moment := http_date(date)) is not None:
        yield "Date", moment
    for member in sent(step):
        if len(member.value) > _FEW and (moment := _moment(member.value)) is not None:
            yield member.name, moment


def _server(step: Step) -> float | None:
    return step.date if step.date is not None else step.exchange.started


def _stated(facts: Facts, but: str = "") -> tuple[str, float] | None:
    """Return where an actor's requests tell the time that it has, and how far that is ahead of the server's.

    What goes along with the time of sending in several requests is a clock, whatever it is called.

    Args:
        facts: of one of the requests.
        but: name of the value in question, which proves nothing about itself.
    """
    found: dict[str, list[tuple[float, float]]] = {}
    own = facts.own(facts.case.steps)[:_MOST]
    for step in own:
        now = _server(step)
        for name, moment in _told(step) if now is not None else ():
            if name != but and now is not None and abs(moment - now) < _FAR and not _OF_THEN.search(name):
                found.setdefault(name, []).append((moment - now, now))
    for name, seen in found.items():
        offsets = [one for one, _ in seen]
        times = [one for _, one in seen]
        if len(seen) >= _FEW and max(offsets) - min(offsets) <= _LAG and max(times) - min(times) >= _APART:
            return name, sorted(offsets)[len(offsets) // 2]
    return None


def made_at(
    facts: Facts, moment: float, but: str = "", steps: Sequence[Step] = ()
) -> tuple[Step, float] | None:
    """Return the request at which a client's own clock showed a moment, and how far ahead that clock is.

    Args:
        facts: of the request that carries the moment.
        moment: in seconds since the epoch.
        but: name of the value that holds it.
        steps: where to look; all requests of the actor up to this one when left out.
    """
    told = _stated(facts, but)
    own = list(steps) or [one for one in facts.own(facts.case.steps) if one.order <= facts.step.order]
    for step in reversed(own[-_MOST:]):
        now = _server(step)
        if now is None:
            continue
        started = step.exchange.started
        readings = [] if started is None else [started, step.exchange.ended or started]
        readings += [now + told[1]] if told is not None else []
        if any(abs(moment - reading) <= _NEAR for reading in readings):
            return step, moment - now
    return None
