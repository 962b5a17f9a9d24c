"""Take a list of saves apart, each with the place that it goes to and with its content; pure.

Services that have no standard for it call the members as they like: `{"path": …, "body": …}`, `{"href": …,
"data": …}`. What the answer tells of each, by its place or in the order sent, shows that the list is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlunsplit

from ifmatch.dialects.bulk import status_in
from ifmatch.dialects.pointers import scalar
from ifmatch.model.places import joined, split, splittable
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ifmatch.dialects.view import View

__all__ = ["Placed", "placed_in"]

Record = dict[str, object]
_MOST: Final = 200
_PLACES: Final = ("path", "url", "href", "uri", "target", "resource", "location", "self")
_CONTENTS: Final = (
    "body",
    "data",
    "content",
    "payload",
    "document",
    "representation",
    "entity",
    "record",
    "value",
    "attributes",
)
_METHODS: Final = ("method", "verb", "httpMethod", "http_method")
# Some name the place by the method: `{"put": "/terms/bolt"}`.
_BY_METHOD: Final = ("put", "patch", "post", "PUT", "PATCH", "POST", "Put", "Patch", "Post")
# Conditions beside the content, as fields of HTTP are called in JSON.
_CONDITIONS: Final = {
    "ifmatch": "If-Match",
    "ifnonematch": "If-None-Match",
    "ifunmodifiedsince": "If-Unmodified-Since",
}
_FIELDS: Final = ("headers", "header", "fields", "conditions", "condition", "preconditions", "precondition")
_UNTOLD: Final = 200
_UNSAFE: Final = frozenset({"PUT", "PATCH", "POST", "DELETE", "MERGE"})
_REPLACING: Final = frozenset({"PUT", "PATCH"})


class Placed(Frozen, frozen=True):
    """One save of a list.

    Attributes:
        url: of what it changes.
        method: that it names, or that would do the same by itself.
        content: what it carries.
        status: of its own.
        answer: what the answer tells of it.
        conditions: fields of HTTP that stand beside the content.
    """

    url: str
    method: str
    content: Record
    status: int
    answer: Record
    conditions: tuple[tuple[str, str], ...] = ()


def placed_in(view: View, places: Mapping[str, str]) -> tuple[Placed, ...]:
    """Return the saves of a list of places and contents; empty for all else.

    Args:
        view: the exchange.
        places: paths of the folders in which things had been read, by the last part of the things' paths.
    """
    sent, told = _only_list(view.sent_json), _only_list(view.json)
    if not sent or len(sent) != len(told):
        return ()
    # What names the place, and what holds the content, is called alike in all records.
    at = next((name for name in (*_PLACES, *_BY_METHOD) if all(_is_place(one.get(name)) for one in sent)), "")
    inside = next((name for name in _CONTENTS if all(isinstance(one.get(name), dict) for one in sent)), "")
    if not at or not inside or any("op" in one for one in sent):
        return ()
    answers = _in_order([str(one[at]) for one in sent], at, told)
    # What is told of each by its place, and is no status, may be any outcome.
    untold = _UNTOLD if all(at in one for one in told) and any(map(_conditions, sent)) else None
    found: list[Placed] = []
    for record, answer in zip(sent, answers, strict=False):
        status = status_in(answer) or untold
        method = at.upper() if at in _BY_METHOD else _method(view, record)
        if status is None or method not in _UNSAFE:
            return ()
        url = _url(view, str(record[at]), places)
        content = cast("Record", record[inside])
        found.append(Placed(url, method, content, status, answer, tuple(_conditions(record))))
    return tuple(found)


def _conditions(record: Record) -> list[tuple[str, str]]:
    """Return the conditions of a save: its own members, or those of what stands for its header."""
    inner = (cast("Record", one) for name in _FIELDS if isinstance(one := record.get(name), dict))
    return [
        (field, text)
        for held in (record, *inner)
        for name, value in held.items()
        if (field := _CONDITIONS.get("".join(filter(str.isalpha, name.lower())))) is not None
        and (text := scalar(value)) is not None
    ]


def _only_list(value: object) -> list[Record]:
    """Return the one list of records that a content is or holds at its top; empty without just one."""
    held: list[object] = list(cast("Record", value).values()) if isinstance(value, dict) else [value]
    lists = [cast("list[object]", one) for one in held if isinstance(one, list) and one]
    if len(lists) != 1 or len(lists[0]) > _MOST or not all(isinstance(one, dict) for one in lists[0]):
        return []
    return [cast("Record", one) for one in lists[0]]


def _is_place(value: object) -> bool:
    return isinstance(value, str) and (value.startswith("/") or "://" in value)


def _in_order(names: list[str], at: str, told: list[Record]) -> Iterator[Record]:
    """Yield the answers in the order of the saves: by the places that they repeat, else as they stand."""
    by_place = {one.get(at): one for one in told}
    if set(names) == set(by_place):
        yield from (by_place[name] for name in names)
    elif all(at not in one for one in told):
        yield from told


def _method(view: View, record: Record) -> str:
    named = next((text for one in _METHODS if (text := scalar(record.get(one))) is not None), None)
    if named is not None:
        return named.upper()
    # Of what a list does not name nothing is known: it changes what it carries.
    return view.request.method if view.request.method in _REPLACING else "PATCH"


def _url(view: View, place: str, places: Mapping[str, str]) -> str:
    if "://" in place:
        return splittable(place)
    folder, _, name = place.rstrip("/").rpartition("/")
    known = places.get(name, "")
    # The paths of a list may leave out what stands before them all.
    path = f"{known}/{name}" if known.endswith(folder) and known else place
    base = view.request.url
    return joined(base, urlunsplit(split(path)._replace(scheme="", netloc="")))
