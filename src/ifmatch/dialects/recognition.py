"""Recognise the API family of some traffic by what it shows, and say by what."""

from __future__ import annotations

import re
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final, cast

from ifmatch.dialects.glossary import lowered
from ifmatch.dialects.pointers import first_step, scalar, values_at
from ifmatch.dialects.record import MarkPlace
from ifmatch.dialects.view import View
from ifmatch.model.cached import cached_property
from ifmatch.model.slotted import Frozen
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ifmatch.dialects.record import Dialect, Mark
    from ifmatch.model.message import Request, Response

__all__ = ["Recognition", "Seen", "recognise", "recognise_all", "recognise_views"]

_ENOUGH: Final = 0.999
# What sums of weights may lack of the same sum in another order.
_ROUNDING: Final = 1e-9
_BODIES: Final = frozenset({MarkPlace.REQUEST_BODY, MarkPlace.RESPONSE_BODY})
_NAMED: Final = frozenset({MarkPlace.REQUEST_HEADER, MarkPlace.RESPONSE_HEADER, MarkPlace.QUERY})
# What a mark without a name is looked for in.
_VALUES: Final[dict[MarkPlace, Callable[[View], str]]] = {
    MarkPlace.PATH: lambda view: view.path,
    MarkPlace.HOST: lambda view: view.host,
    MarkPlace.METHOD: lambda view: view.request.method,
    MarkPlace.REQUEST_BODY: lambda view: view.sent_text,
    MarkPlace.RESPONSE_BODY: lambda view: view.text,
}

# What a mark with the name of a field is looked for in.
_FIELDS: Final[dict[MarkPlace, Callable[[str, View], str | None]]] = {
    MarkPlace.REQUEST_HEADER: lambda name, view: view.request.fields.text(name),
    MarkPlace.RESPONSE_HEADER: lambda name, view: view.received.text(name) if view.received else None,
}


class Seen(Frozen, frozen=True):
    """A mark that was found.

    Attributes:
        mark: of the family.
        text: what was found, for readers.
    """

    mark: Mark
    text: str


class Recognition(Frozen, frozen=True):
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


@lru_cache(maxsize=4096)
def _quick(text: str) -> re.Pattern[str] | None:
    """Return the same for texts of ASCII in lower case, where there is such a pattern."""
    return lowered(text)


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
    sample = _Sample(list(views))
    found: list[Recognition] = []
    for dialect in dialects:
        seen = _seen(dialect, sample)
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


class _Sample:
    """The exchanges that are looked at, with what any of them has, so that most marks need no second look."""

    def __init__(self, views: Sequence[View]) -> None:
        self.views = views
        # Names of fields and parameters, and the steps that lead into any JSON body, `*` for every one.
        self.names: dict[MarkPlace, set[str]] = {
            MarkPlace.REQUEST_HEADER: {name.lower() for view in views for name, _ in view.request.fields},
            MarkPlace.RESPONSE_HEADER: {name.lower() for view in views for name, _ in view.received or ()},
            MarkPlace.QUERY: {name for view in views for name in view.query},
            MarkPlace.REQUEST_BODY: _steps_into(view.sent_json for view in views),
            MarkPlace.RESPONSE_BODY: _steps_into(view.json for view in views),
        }
        self._naming: dict[tuple[MarkPlace, str], list[View]] = {}

    def naming(self, mark: Mark) -> list[View]:
        """Return the exchanges that show a value in a field which none before them shows there."""
        asked = mark.at, mark.name
        if asked not in self._naming:
            self._naming[asked] = list(_distinct(self.views, partial(_FIELDS[mark.at], mark.name)))
        return self._naming[asked]

    @cached_property
    def distinct(self) -> dict[MarkPlace, list[View]]:
        """Return by place the exchanges that show something there which none before them shows."""
        return {place: list(_distinct(self.views, value)) for place, value in _VALUES.items()}


def _steps_into(values: Iterable[object]) -> set[str]:
    found: set[str] = set()
    for value in values:
        if isinstance(value, dict):
            found.update(cast("dict[str, object]", value), "*")
        elif isinstance(value, list):
            found.update(map(str, range(len(cast("list[object]", value)))), "*")
    return found


def _distinct(views: Iterable[View], value: Callable[[View], str | None]) -> Iterator[View]:
    known: set[str | None] = set()
    for view in views:
        text = value(view)
        if text not in known:
            known.add(text)
            yield view


class _Sought(Frozen, frozen=True):
    """A mark of a family, its number, and the name that some exchange has to have for it, "" for none."""

    mark: Mark
    number: int
    name: str
    at: MarkPlace
    weight: float


# Families are many, and the same for all services; each is kept with what was made of it.
_SOUGHT: Final[dict[int, tuple[Dialect, tuple[_Sought, ...]]]] = {}
_MOST: Final = 1000


def _sought(dialect: Dialect) -> tuple[_Sought, ...]:
    """Return the marks of a family, those first that cost little to look at."""
    known = _SOUGHT.get(id(dialect))
    if known is None:
        if len(_SOUGHT) >= _MOST:
            _SOUGHT.clear()
        numbers = sorted(range(len(dialect.marks)), key=lambda number: _cost(dialect.marks[number]))
        marks = tuple(
            _Sought(mark, number, _name(mark), mark.at, mark.weight)
            for number in numbers
            for mark in dialect.marks[number : number + 1]
        )
        known = _SOUGHT[id(dialect)] = dialect, marks
    return known[1]


def _name(mark: Mark) -> str:
    if mark.at in _BODIES:
        return first_step(mark.name) if mark.name else ""
    return mark.name.lower() if mark.at in _NAMED else ""


def _cost(mark: Mark) -> int:
    return 0 if mark.at not in _BODIES else 1 if mark.name else 2


def _seen(dialect: Dialect, sample: _Sample) -> list[Seen]:
    """Return the marks that show, in their order; none as soon as the rest cannot be enough any more."""
    names, none = sample.names, frozenset[str]()
    sought = [one for one in _sought(dialect) if not one.name or one.name in names.get(one.at, none)]
    possible = sum([one.weight for one in sought])
    if possible < _ENOUGH - _ROUNDING:
        return []
    seen: dict[int, Seen] = {}
    for one in sought:
        shown = _first(one.mark, sample)
        if shown is not None:
            seen[one.number] = shown
            continue
        possible -= one.weight
        if possible < _ENOUGH - _ROUNDING:
            return []
    return [seen[number] for number in sorted(seen)]


def _first(mark: Mark, sample: _Sample) -> Seen | None:
    if mark.status or mark.methods:
        views = sample.views
    elif mark.at in _FIELDS:
        views = sample.naming(mark)
    elif mark.name:
        views = sample.views
    else:
        views = sample.distinct.get(mark.at, sample.views)
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
    quick = _quick(mark.matches) if value.isascii() else None
    if quick is not None and quick.search(value.lower()) is None:
        return None
    match = pattern(mark.matches).search(value)
    return f"{where}: {match.group()[:60]}" if match is not None else None
