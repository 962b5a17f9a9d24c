"""Find the thing that a write is about in what else is sent to its service: by its name, in lists too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ifmatch.diagnosis.reading.listed_records import records_in
from ifmatch.diagnosis.steps.message_members import sent
from ifmatch.diagnosis.steps.resources import beside_each_other, path_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.steps.step import Step

# Shorter names stand in a list by chance.
_TELLING: Final = 2


def name_of(step: Step) -> str:
    """Return the last part of the path of a request: what its thing is called.

    Args:
        step: the request.
    """
    return unquote(path_of(step.resource).partition("?")[0].rstrip("/").rpartition("/")[2])


def names_in(write: Step, near: Sequence[Step]) -> frozenset[str]:
    """Return what a write says that looks at the service are asked by: names of things.

    Where all is sent to one address, the thing is named in the content, and in the targets of looks.

    Args:
        write: of a thing.
        near: requests of its service around it.
    """
    held = {one.value for one in sent(write) if one.where in {"body", "text", "query"}}
    held = {one for one in held if len(one) >= _TELLING and any(map(str.isdigit, one))}
    named = {value for one in near if one.is_read for value in _asked_for(one)} if held else set[str]()
    own = name_of(write)
    return frozenset(held & named | {one for one in (own,) if any(map(str.isdigit, one))})


def _asked_for(look: Step) -> set[str]:
    return {name_of(look), *look.view.query.values()}


def of_another(one: Step, write: Step, names: frozenset[str]) -> bool:
    """Tell whether a request is about a thing beside the one that is written.

    Args:
        one: any request of the service.
        write: of a thing.
        names: of the thing.
    """
    here, there = (each.resource.partition("?")[0].rstrip("/") for each in (write, one))
    if here != there and _stored(one) and _stored(write) and not _within(here, there):
        return True
    if not names:
        return False
    if here != there and name_of(write) in names and beside_each_other(here, there):
        return True
    if one.is_read and one.view.query:
        # It asks for something by name: another thing's.
        asked = set(one.view.query.values())
        return not names & asked and any(_like(value, name) for value in asked for name in names)
    if not one.is_read and here == there:
        return not names & {each.value for each in sent(one)} and name_of(write) not in names
    return False


def _stored(one: Step) -> bool:
    """Tell whether a request stores a thing at its own address (RFC 9110 section 9.3.4)."""
    return one.method == "PUT" and one.is_write


def _within(one: str, two: str) -> bool:
    return f"{one}/".startswith(f"{two}/") or f"{two}/".startswith(f"{one}/")


def _like(one: str, two: str) -> bool:
    """Tell whether two values may be names of things of a kind."""
    return len(one) == len(two) and [sign.isdigit() for sign in one] == [sign.isdigit() for sign in two]


def entry_of(look: Step, write: Step, names: frozenset[str]) -> dict[str, str]:
    """Return what a list shows of the thing that is written, by the members' own names; empty without it.

    Args:
        look: an answer.
        write: of a thing.
        names: of the thing.
    """
    text = look.view.text
    if look.resource == write.resource:
        return {}
    for name in names:
        if name not in text:
            continue
        found = [one for one in records_in(text) if name in one.values()]
        if len(found) == 1:
            return {key.rpartition("/")[2]: value for key, value in found[0].items()}
    return {}
