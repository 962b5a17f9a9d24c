"""Recognise the API family of some traffic by what it shows, and say by what."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ifmatch.dialects.pointers import scalar, values_at
from ifmatch.dialects.record import MarkPlace
from ifmatch.dialects.view import View
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ifmatch.dialects.record import Dialect, Mark
    from ifmatch.model.message import Request, Response

__all__ = ["Recognition", "Seen", "recognise", "recognise_all", "recognise_views"]

_ENOUGH: Final = 0.999


@dataclass(frozen=True, slots=True)
class Seen:
    """A mark that was found.

    Attributes:
        mark: of the family.
        text: what was found, for readers.
    """

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class Recognition:
    """The family of some traffic, and what gave it away.

    Attributes:
        dialect: the family.
        evidence: the marks that were found, the heaviest first.
        score: their sum; 1.0 is enough.
    """

    dialect: Dialect
    evidence: tuple[Seen, ...]
    score: float


@lru_cache(maxsize=4096)
def pattern(text: str) -> re.Pattern[str]:
    """Return a compiled pattern of a data file; case does not matter."""
    return re.compile(text, re.IGNORECASE)


def recognise(
    request: Request, *responses: Response, dialects: Sequence[Dialect] | None = None
) -> Recognition | None:
    """Return the API family of a request and its responses, None when none shows itself.

    Args:
        request: as seen.
        responses: what came back; several when the same request was sent again.
        dialects: the families to choose from; all built-in and installed ones when left out.
    """
    views = [View(request, response) for response in responses] or [View(request)]
    return recognise_views(views, dialects)


def recognise_views(views: Iterable[View], dialects: Sequence[Dialect] | None = None) -> Recognition | None:
    """Return the API family of several exchanges with one service, None when none shows itself.

    Args:
        views: exchanges of one service.
        dialects: as for `recognise`.
    """
    return next(iter(recognise_all(views, dialects)), None)


def recognise_all(
    views: Iterable[View], dialects: Sequence[Dialect] | None = None
) -> tuple[Recognition, ...]:
    """Return the API families that several exchanges with one service show, the surest first.

    Each mark counts once, however often it is seen. A family gives way to one that names it in
    `more-special-than`, a general one to all others; then the higher sum comes first.

    Args:
        views: exchanges of one service.
        dialects: as for `recognise`.
    """
    if dialects is None:
        from ifmatch.dialects.registry import all_dialects  # noqa: PLC0415 - the registry imports this layer

        dialects = all_dialects()
    looked = list(views)
    names = _names(looked)
    found: list[Recognition] = []
    for dialect in dialects:
        marks = [mark for mark in dialect.marks if _may_show(mark, names)]
        if sum(mark.weight for mark in marks) < _ENOUGH:
            continue
        seen = [one for mark in marks if (one := _first(mark, looked)) is not None]
        score = sum(one.mark.weight for one in seen)
        if score >= _ENOUGH and any(one.mark.at is not MarkPlace.HOST for one in seen):
            evidence = tuple(sorted(seen, key=lambda one: -one.mark.weight))
            found.append(Recognition(dialect, evidence, score))
    gives_way = {name for one in found for name in one.dialect.more_special_than}
    if not all(one.dialect.general for one in found):
        gives_way.update(one.dialect.id for one in found if one.dialect.general)
    # Families that name each other keep their sums; the order of the data files settles the rest.
    special = [one for one in found if one.dialect.id not in gives_way] or found
    return tuple(sorted(special, key=lambda one: -one.score))


@dataclass(frozen=True, slots=True)
class _Names:
    sent: frozenset[str]
    received: frozenset[str]
    query: frozenset[str]


def _names(views: Sequence[View]) -> _Names:
    """Gather what any of the exchanges has, so that most marks need no second look."""
    return _Names(
        frozenset(name.lower() for view in views for name, _ in view.request.fields),
        frozenset(name.lower() for view in views if view.received is not None for name, _ in view.received),
        frozenset(name for view in views for name in view.query),
    )


def _may_show(mark: Mark, names: _Names) -> bool:
    if mark.at is MarkPlace.REQUEST_HEADER:
        return mark.name.lower() in names.sent
    if mark.at is MarkPlace.RESPONSE_HEADER:
        return mark.name.lower() in names.received
    if mark.at is MarkPlace.QUERY:
        return mark.name.lower() in names.query
    return True


def _first(mark: Mark, views: Sequence[View]) -> Seen | None:
    for view in views:
        if mark.status and view.status not in mark.status:
            continue
        if mark.methods and view.request.method not in mark.methods:
            continue
        text = _shows(mark, view)
        if text is not None:
            return Seen(mark, text)
    return None


def _shows(mark: Mark, view: View) -> str | None:
    """Return what a view shows of a mark, in words; None when it does not show it."""
    at = mark.at
    if at is MarkPlace.REQUEST_HEADER:
        return _named(mark, mark.name, view.request.fields.text(mark.name))
    if at is MarkPlace.RESPONSE_HEADER:
        return _named(mark, mark.name, view.received.text(mark.name) if view.received is not None else None)
    if at is MarkPlace.QUERY:
        return _named(mark, f"?{mark.name}", view.query.get(mark.name.lower()))
    if at is MarkPlace.PATH:
        return _named(mark, "path", view.path)
    if at is MarkPlace.HOST:
        return _named(mark, "host", view.host or None)
    if at is MarkPlace.METHOD:
        return _named(mark, "method", view.request.method)
    sent = at is MarkPlace.REQUEST_BODY
    where = "request body" if sent else "response body"
    if not mark.name:
        return _named(mark, where, (view.sent_text if sent else view.text) or None)
    value = view.sent_json if sent else view.json
    if value is UNKNOWN:
        return None
    for member in values_at(value, mark.name):
        if not mark.matches:
            return f"{where} {mark.name}"
        text = scalar(member)
        if text is not None and (shown := _named(mark, f"{where} {mark.name}", text)) is not None:
            return shown
    return None


def _named(mark: Mark, where: str, value: str | None) -> str | None:
    if value is None:
        return None
    if not mark.matches:
        return f"{where}: {value[:60]}" if where else value[:60]
    match = pattern(mark.matches).search(value)
    return f"{where}: {match.group()[:60]}" if match is not None else None
