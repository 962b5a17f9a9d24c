"""Faults on request: each is wrong in one way, as real software is.

`QUIRKS` holds them all; `behaviours` turns what `--quirk` takes into wrappers for the server.
"""

from __future__ import annotations

from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ifmatch.errors import InputError
from ifmatch.reference.quirks import delivery, encoders, evaluation, fields, intermediaries, races, tags
from ifmatch.reference.quirks.quirk import Quirk, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ifmatch.reference.application import PracticeServer
    from ifmatch.reference.messages import Handler

__all__ = ["QUIRKS", "Quirk", "behaviours", "check"]

QUIRKS: Final[Mapping[str, Quirk]] = MappingProxyType(
    {
        quirk.name: quirk
        for quirk in (
            *encoders.QUIRKS,
            *tags.QUIRKS,
            *evaluation.QUIRKS,
            *fields.QUIRKS,
            *intermediaries.QUIRKS,
            *delivery.QUIRKS,
            *races.QUIRKS,
        )
    }
)
"""Every quirk by its name."""


def check(names: Sequence[str]) -> None:
    """Refuse names that are no quirks, and values that a quirk does not take.

    Args:
        names: as `NAME` or `NAME=VALUE`.

    Raises:
        InputError: says which names come close.
    """
    for given in names:
        name, equals, value = given.partition("=")
        quirk = QUIRKS.get(name)
        if quirk is None:
            close = get_close_matches(name, QUIRKS, 3)
            advice = f"Close to it: {', '.join(close)}" if close else "The list: ifmatch serve --quirks"
            raise InputError(f"{name!r} is no quirk", source="--quirk", advice=advice)
        if not equals:
            continue
        if not quirk.value:
            raise InputError(f"{name} takes no value", source="--quirk", advice=f"Write --quirk {name}")
        if name != "firewall-412" and not _is_number(value):
            expected = f"{name}={quirk.default}: {quirk.value}"
            raise InputError(f"{value!r} is no number", source="--quirk", expected=expected)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def behaviours(
    names: Sequence[str], *, rate: float = 1.0
) -> tuple[Callable[[PracticeServer, Handler], Handler], ...]:
    """Return the wrappers for a server, the first name outermost.

    Args:
        names: as `NAME` or `NAME=VALUE`.
        rate: share of requests that each of them touches, 0 to 1.

    Raises:
        InputError: a name is no quirk.
    """
    check(names)
    return tuple(_behaviour(given, rate) for given in names)


def _behaviour(given: str, rate: float) -> Callable[[PracticeServer, Handler], Handler]:
    name, _, value = given.partition("=")
    quirk = QUIRKS[name]

    def wrap(server: PracticeServer, handler: Handler) -> Handler:
        around = quirk.make(server, value or quirk.default)
        return wrapped(around, rate, server.surroundings.random)(server, handler)

    return wrap
