"""Learn the flags by which an unknown API is told that a write is to create, and to overwrite nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis.steps.refusal_words import EXISTS
from ifmatch.dialects import Carrier, Demand, GuardSpec
from ifmatch.dialects.glossary import Words
from ifmatch.model.json_values import pointer_step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.habits.habit_traffic import Traffic
    from ifmatch.diagnosis.steps.step import Step

_CONFLICT: Final = frozenset({409, 412})
_REFUSING: Final = frozenset({400, 403, 409, 412, 422})
_LONGEST: Final = 4000
# Shorter names stand in an answer by chance.
_NAME: Final = 5
_ON: Final = frozenset({"true", "1", "yes", "on", "t", "y"})
_OFF: Final = frozenset({"false", "0", "no", "off", "f", "n"})
# What is called so and on asks for creation only.
_CREATES: Final = Words(
    r"(?:x[-_])?(?:(?:create|insert|add|new)[-_ ]?only"
    r"|only[-_ ]?(?:if[-_ ]?)?(?:create|insert|add|new|absent)"
    r"|(?:if|when|must|should)[-_ ]?(?:be[-_ ]?)?(?:new|absent|not[-_ ]?(?:exist\w*|present|there))"
    r"|(?:fail|error|refuse|abort)[-_ ]?(?:if|when|on)[-_ ]?(?:it[-_ ]?)?(?:exist\w*|present|there|known)"
    r"|(?:no|not|never|don.?t|do[-_ ]?not)[-_ ]?(?:overwrite|replace|clobber|update))"
)
# What is called so and off asks for the same.
_REPLACES: Final = Words(
    r"(?:x[-_])?(?:allow[-_ ]?)?(?:overwrite|replace|upsert|clobber)(?:[-_ ]?(?:if[-_ ]?)?exist\w*)?"
)
_EXISTS: Final = Words(
    rf"(?i){EXISTS}|already[ _-]?(?:created|made|defined|registered|stored|known|recorded|listed|on file)"
)


def creation_flags(traffic: Traffic) -> tuple[GuardSpec, ...]:
    """Return the flags that a service compared with what is there: it refused one because the thing exists.

    Its name says what it asks for, or the refusal names it.

    Args:
        traffic: of the service.
    """
    found: dict[tuple[Carrier, str], GuardSpec] = {}
    for write in traffic.writes:
        if write.status not in _REFUSING or write.content is None:
            continue
        text = write.view.text[:_LONGEST]
        exists = _EXISTS.search(text) is not None
        # What a record shows of itself is no order.
        known = {one for read in traffic.before(write) for one in _names(read.view.json)}
        for carrier, name, word, value in _flags(write):
            if carrier is Carrier.BODY and word in known:
                continue
            on = value in _ON
            called = (_CREATES if on else _REPLACES).fullmatch(word) is not None
            told = on and len(word) >= _NAME and word.casefold() in text.casefold()
            if (exists and (called or told)) or (called and told and write.status in _CONFLICT):
                values = "|".join(sorted(_ON if on else _OFF))
                found[carrier, name] = GuardSpec(
                    carrier=carrier, name=name, demands=Demand.ABSENT, matches=rf"(?i)^(?:{values})$"
                )
    return tuple(found.values())


def asks_creation(word: str, value: str) -> bool:
    """Tell whether a member asks by its very name for creation only.

    Args:
        word: its name.
        value: on or off.
    """
    on = value.lower() in _ON
    if not on and value.lower() not in _OFF:
        return False
    return (_CREATES if on else _REPLACES).fullmatch(word.rpartition("/")[2]) is not None


def _names(value: object) -> Iterator[str]:
    """Yield the names of the members of an object, and of what it wraps."""
    for name, one in cast("dict[str, object]", value).items() if isinstance(value, dict) else ():
        yield name
        if isinstance(one, dict):
            yield from cast("dict[str, object]", one)


def _flags(write: Step) -> Iterator[tuple[Carrier, str, str, str]]:
    """Yield what is on or off in a request: where it stands, its name, what it is called, and its value."""
    switches = _ON | _OFF
    for name, value in write.sent:
        if value.strip().lower() in switches:
            yield Carrier.HEADER, name, name, value.strip().lower()
    for name, value in write.view.query.items():
        if value.lower() in switches:
            yield Carrier.QUERY, name, name, value.lower()
    body = write.view.sent_json
    for name, held in cast("dict[str, object]", body).items() if isinstance(body, dict) else ():
        value = str(held).lower()
        if isinstance(held, bool | str) and value in switches:
            yield Carrier.BODY, f"/{pointer_step(name)}", name, value
