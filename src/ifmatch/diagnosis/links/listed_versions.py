"""Find the version of a thing that a listing showed: clients edit what they have in a list, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.steps.resources import bare, parent_of, path_of
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ifmatch.diagnosis.steps.step import Step

# Longer contents are data.
_LONGEST: Final = 200_000
# Lists lie so deep at most in what a listing answers.
_DEEP: Final = 3
_OK: Final = 200
_FORM: Final = late_pattern(r"\.(?:json|xml)$")
_FEED: Final = late_pattern(
    r"_?(?:changes?|events?|feed|delta|history|activit(?:y|ies)|journal|updates|sync|cdc)"
)


def listed_before(steps: Iterable[Step], write: Step) -> tuple[Step, Content] | None:
    """Return the last own listing of the collection before a write, and its entry that the write is about.

    The entry has all that the write sends, so that an edit may have been made from it.

    Args:
        steps: of the service, the latest first.
        write: that carries a whole record, or members of it.
    """
    above = parent_of(write.resource).rstrip("/")
    name = path_of(write.resource).partition("?")[0].rpartition("/")[2]
    if not name:
        return None
    for one in steps:
        if one.actor != write.actor or not one.is_read or one.status != _OK:
            continue
        content = one.content if bare(one.resource) == above else None
        if content is None or len(content) > _LONGEST:
            continue
        wanted = members_in(write.view.sent_json)
        if not wanted or (len(wanted) == 1 and write.method != "PATCH"):
            return None
        entry = next((held for held in entries_in(one.view.json, _DEEP) if name in _names(held)), None)
        if entry is None or any(member not in entry for member in wanted if not stamped(f"/{member}")):
            return None
        return one, Content.from_json(entry)
    return None


def entry_before(steps: Iterable[Step], write: Step) -> dict[str, object] | None:
    """Return what the last own listing before a write showed of the thing, wherever it was asked for.

    Args:
        steps: of the service, the latest first.
        write: whose path ends in the name of the thing.
    """
    name = path_of(write.resource).partition("?")[0].rpartition("/")[2]
    if not name:
        return None
    for one in steps:
        content = one.content if one.actor == write.actor and one.status == _OK else None
        if content is None or len(content) > _LONGEST or name not in content.text:
            continue
        entry = next((held for held in entries_in(one.view.json, _DEEP) if name in _names(held)), None)
        if entry is not None:
            return entry
    return None


def _names(entry: dict[str, object]) -> set[str]:
    """Return the texts and numbers that an entry holds at its top: one of them is its name."""
    return {str(value) for value in entry.values() if isinstance(value, str | int)}


def entries_in(value: object, depth: int) -> Iterator[dict[str, object]]:
    """Yield the objects in the lists of a listing.

    Args:
        value: JSON as it was read.
        depth: how many objects a list may lie in.
    """
    if isinstance(value, list):
        yield from (members_in(one) for one in cast("list[object]", value))
    elif depth:
        for member in members_in(value).values():
            yield from entries_in(member, depth - 1)


def may_list(one: Step, step: Step) -> bool:
    """Tell whether a read is of what a resource lies in, or a search there: elsewhere names mean others.

    Args:
        one: the read.
        step: on the resource.
    """
    there, here = (each.resource.partition("?")[0].rstrip("/") for each in (one, step))
    if there == here:
        return False
    # Some call lists and things by the form that they have: /products.json, /products/7.json.
    there, here = _FORM.sub("", there), _FORM.sub("", here)
    above = parent_of(there)
    if here.startswith(there + "/") or above == parent_of(here):
        return True
    # The feed of all changes lies beside the folders of what changes.
    feed = _FEED.fullmatch(there.rpartition("/")[2]) is not None
    return feed and here.startswith(above.rstrip("/") + "/")
