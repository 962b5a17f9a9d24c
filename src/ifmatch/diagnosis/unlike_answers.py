"""Tell that the answer to a write has another code than those to writes of the kind, whatever the code means."""

from __future__ import annotations

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
_LONGEST: Final = 4000
# A code is no sentence.
_CODE: Final = 24
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
    near = (*service[max(0, place - _NEAR) : place], *service[place + 1 : place + 1 + _NEAR])
    others = [theirs for one in near if _of_a_kind(one, write) and (theirs := _codes(one)).keys() == mine.keys()]
    for name, value in mine.items():
        told = {one[name] for one in others}
        if len(told) != 1 or value in told:
            continue
        if len(others) >= _SEVERAL or told <= _FINE:
            return True
    return False


def _of_a_kind(one: Step, write: Step) -> bool:
    """Tell whether a request is a write of another content, of the same thing or of one beside it."""
    if one.method != write.method or not 200 <= one.status < 300 or one.content is None:
        return False
    same = one.resource == write.resource or beside_each_other(one.resource, write.resource)
    return same and one.view.sent_text != write.view.sent_text


def _codes(write: Step) -> dict[str, str]:
    """Return the short values of an answer by their names, none that was sent, and no version."""
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


def name_of(step: Step) -> str:
    """Return the last part of the path of a request: what its thing is called.

    Args:
        step: the request.
    """
    return unquote(path_of(step.resource).partition("?")[0].rstrip("/").rpartition("/")[2])


def of_another(one: Step, write: Step) -> bool:
    """Tell whether a request is about a thing beside the one that is written.

    Args:
        one: any request of the service.
        write: of a thing that has an address of its own.
    """
    here, there = (each.resource.partition("?")[0].rstrip("/") for each in (write, one))
    return here != there and any(map(str.isdigit, name_of(write))) and beside_each_other(here, there)


def entry_of(look: Step, write: Step) -> dict[str, str]:
    """Return what a list shows of the thing that is written, by the members' own names; empty without it.

    Args:
        look: an answer.
        write: of a thing that has an address of its own.
    """
    name = name_of(write)
    text = look.view.text
    if len(name) < _TELLING or name not in text or look.resource == write.resource:
        return {}
    found = [one for one in records_in(text) if name in one.values()]
    if len(found) != 1:
        return {}
    return {key.rpartition("/")[2]: value for key, value in found[0].items()}
