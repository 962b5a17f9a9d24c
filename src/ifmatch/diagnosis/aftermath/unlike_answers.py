"""Tell that the answer to a write has another code than those to others of the kind, whatever it means."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.values_by_name import state_sent, state_shown
from ifmatch.diagnosis.links.written_things import name_of
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.listed_records import leaves_of
from ifmatch.diagnosis.reading.version_words import alike, called_version
from ifmatch.diagnosis.steps.message_members import sent
from ifmatch.diagnosis.steps.resources import beside_each_other

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.steps.step import Step

_NEAR: Final = 30
_MOST: Final = 8
_LONGEST: Final = 4000
# A code is no sentence.
_CODE: Final = 24
_SHORT: Final = 4
# So few others are alike by chance, unless theirs says that all is well.
_SEVERAL: Final = 2
_REFUSED: Final = frozenset({409, 412, 428})
_FINE: Final = frozenset({"0", "00", "000", "0000", "ok", "true", "success", "done", "200", "y", "yes", "1"})


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


def like_what_was_done(service: Sequence[Step], place: int) -> bool:
    """Tell whether an answer gives the next version just as those to writes that were carried out.

    The service says otherwise of what it refuses: by a status, or by other members.

    Args:
        service: steps of one service, in order of time.
        place: of the write among them.
    """
    write = service[place]
    step, mine = _next_told(write), _members(write)
    if not step:
        return False
    near = (*service[max(0, place - _NEAR) : place], *service[place + 1 : place + 1 + _NEAR])
    others = [
        one
        for one in near
        if _of_a_kind(one, write)
        and one.status == write.status
        and _members(one) == mine
        and _next_told(one) & step
        and _codes_but(one, step) == _codes_but(write, step)
    ]
    if not others:
        return False
    refused = (one for one in near if one.is_write and one.status in _REFUSED)
    near_by = any(
        one.resource == write.resource or beside_each_other(one.resource, write.resource) for one in refused
    )
    return near_by or any(_was_stored(near, one) for one in others)


def _codes_but(write: Step, counts: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in _codes(write).items() if name.rpartition("/")[2] not in counts}


def _next_told(write: Step) -> frozenset[str]:
    """Return the names under which an answer has the number after the one that was sent."""
    mine = {one.word: one.value for one in sent(write) if one.value.isdigit()}
    if not mine or not 0 < len(write.view.text) <= _LONGEST:
        return frozenset()
    told = ((name.rpartition("/")[2], value) for name, value in leaves_of(write.view.text))
    return frozenset(
        word
        for word, value in told
        if value.isdigit()
        and any(tokens.steps_on(old, value) == 1 for name, old in mine.items() if alike(name, word))
    )


def _was_stored(near: Sequence[Step], write: Step) -> bool:
    """Tell whether the next look at a thing shows all that was written to it, its version aside."""
    later = (one for one in near if one.order > write.order and one.resource == write.resource)
    look = next((one for one in later if one.is_write or one.read_ok), None)
    if look is None or not look.is_read:
        return False
    there = state_shown(look)
    wanted = {word: value for word, value in state_sent(write).items() if word not in _next_told(write)}
    return bool(wanted) and all(there.get(word) == value for word, value in wanted.items())


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
