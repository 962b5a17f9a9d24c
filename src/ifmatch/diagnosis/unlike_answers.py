"""Tell that the answer to a write has another code than those to others of the kind, whatever it means."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ifmatch.diagnosis.listed_records import leaves_of, records_in
from ifmatch.diagnosis.message_members import sent
from ifmatch.diagnosis.resources import beside_each_other, path_of
from ifmatch.diagnosis.version_words import called_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.steps import Step

_NEAR: Final = 30
_MOST: Final = 8
_LONGEST: Final = 4000
# A code is no sentence.
_CODE: Final = 24
_SHORT: Final = 4
# So few others are alike by chance, unless theirs says that all is well.
_SEVERAL: Final = 2
_FINE: Final = frozenset({"0", "00", "000", "0000", "ok", "true", "success", "done", "200", "y", "yes", "1"})
# Shorter names stand in a list by chance.
_TELLING: Final = 2


def unlike_others(service: Sequence[Step], place: int) -> bool:
    """Tell whether an answer has a code of its own where those to other writes of the kind have one code.

    Args:
        service: steps of one service, in order of time.
        place: of the write among them.
    """
    write = service[place]
    mine = _codes(write)
    if not mine:
        return False
    near = (*service[max(0, place - _NEAR) : place][::-1], *service[place + 1 : place + 1 + _NEAR])
    alike = list(islice((one for one in near if _of_a_kind(one, write)), _MOST))
    others = [theirs for one in alike if (theirs := _codes(one)).keys() == mine.keys()]
    for name, value in mine.items():
        told = {one[name] for one in others}
        if len(told) != 1 or value in told:
            continue
        coded = len(value) <= _SHORT and len(value) == len(next(iter(told)))
        if len(others) >= _SEVERAL or told <= _FINE or coded:
            return True
    return _says_less(write, mine, alike)


def _says_less(write: Step, mine: dict[str, str], alike: Sequence[Step]) -> bool:
    """Tell whether an answer has a code where all that give the thing have that of success, and lacks that.

    Args:
        write: whose answer it is.
        mine: short values of the answer.
        alike: other writes of the kind.
    """
    coded = [
        name
        for name, value in mine.items()
        if value not in _FINE and any(_codes(one).get(name) in _FINE for one in alike)
    ]
    there = _members(write) if coded else frozenset[str]()
    others = [one for one in alike if _members(one) - there] if coded else []
    return bool(others) and any(all(_codes(one).get(name) in _FINE for one in others) for name in coded)


def _members(write: Step) -> frozenset[str]:
    """Return the names of what an answer gives."""
    text = write.view.text
    return frozenset(name for name, _ in leaves_of(text)) if 0 < len(text) <= _LONGEST else frozenset()


def _of_a_kind(one: Step, write: Step) -> bool:
    """Tell whether a request is a write of another content, of the same thing or of one beside it."""
    if one.method != write.method or not one.is_write or not 200 <= one.status < 300 or one.content is None:
        return False
    same = one.resource == write.resource or beside_each_other(one.resource, write.resource)
    return same and one.view.sent_text != write.view.sent_text


@lru_cache(maxsize=256)
def _codes(write: Step) -> dict[str, str]:
    """Return the short values of an answer by their names, none that was sent, and no version.

    It is not to be changed: each write is compared with those around it.
    """
    text = write.view.text
    if not 0 < len(text) <= _LONGEST:
        return {}
    mine = {one.value for one in sent(write)} | {name_of(write)}
    return {
        name: value.lower()
        for name, value in leaves_of(text)
        if value
        and len(value) <= _CODE
        and " " not in value
        and value not in mine
        and not called_version(name.rpartition("/")[2])
    }


def forget() -> None:
    """Let go of what was remembered of answers: all writes of a case were looked at."""
    _codes.cache_clear()


def name_of(step: Step) -> str:
    """Return the last part of the path of a request: what its thing is called.

    Args:
        step: the request.
    """
    return unquote(path_of(step.resource).partition("?")[0].rstrip("/").rpartition("/")[2])


def names_in(service: Sequence[Step], place: int) -> frozenset[str]:
    """Return what a write says that looks at the service are asked by: names of things.

    Where all is sent to one address, the thing is named in the content, and in the targets of looks.

    Args:
        service: steps of one service, in order of time.
        place: of the write among them.
    """
    write = service[place]
    held = {one.value for one in sent(write) if one.where in {"body", "text", "query"}}
    held = {one for one in held if len(one) >= _TELLING and any(map(str.isdigit, one))}
    near = service[max(0, place - _NEAR) : place + 1 + _NEAR] if held else ()
    named = {value for one in near if one.is_read for value in _asked_for(one)}
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
