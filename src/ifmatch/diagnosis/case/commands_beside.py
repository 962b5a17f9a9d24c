"""Find what a refused command is about where it goes to an address beside the one that was read.

`POST /things/7/commands` carries the version that `GET /things/7/state` shows, and `POST /books/7/write` that
of `GET /books/7/sheets/a`: both lie below one thing, and the command is refused over the version.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.version_words import EXPECTS, alike, called_version
from ifmatch.diagnosis.steps.carried_out import denial_told
from ifmatch.diagnosis.steps.message_members import sent, shown
from ifmatch.diagnosis.steps.refusal_words import says_outdated
from ifmatch.diagnosis.steps.resources import bare, host_of, path_of
from ifmatch.dialects import parts_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ifmatch.diagnosis.steps.message_members import Member
    from ifmatch.diagnosis.steps.step import Step

# So many looks back of the same service a version is looked for.
_NEAR: Final = 40
_SHORTEST: Final = 2
_OK: Final = 200
_CALLING: Final = frozenset({"POST", "PUT", "PATCH"})
_CONFLICT: Final = frozenset({409, 412})


def take_commands(steps: Sequence[Step]) -> None:
    """Take a command that is refused over a version as a write on what gave that version out.

    The other commands at that address are about what they carry the version of as well.

    Args:
        steps: of a case, in order of time, nothing read from them yet.
    """
    read = {bare(one.resource) for one in steps if one.method == "GET" and one.status == _OK}
    calls = [one for one in steps if one.method in _CALLING and one.is_write and "#" not in one.resource]
    refused = {path for one in calls if (path := bare(one.resource)) not in read and _refused(one)}
    looks: dict[str, deque[Step]] = {}
    found: list[tuple[Step, str, bool]] = []
    for step in steps if refused else ():
        host = host_of(step.exchange.request.url)
        if step.method == "GET" and step.status == _OK:
            looks.setdefault(host, deque(maxlen=_NEAR)).append(step)
        elif step.method in _CALLING and step.is_write and bare(step.resource) in refused:
            # A batch is told apart by its parts, each of which is about a thing of its own.
            about = "" if parts_in(step.view, None, {}) else _about(step, looks.get(host, ()))
            if about:
                found.append((step, about, _refused(step)))
    proven = {bare(step.resource) for step, _, over in found if over}
    for step, about, _ in found:
        if bare(step.resource) in proven:
            step.resource = about


def _refused(step: Step) -> bool:
    """Tell whether a command meets a conflict, or a success that denies it over its version."""
    if step.status not in _CONFLICT and not 200 <= step.status < 300:
        return False
    if not step.view.text or not any(map(_may_be_one, sent(step))):
        return False
    return says_outdated(step) and (step.status in _CONFLICT or denial_told(step) is not None)


def _may_be_one(member: Member) -> bool:
    """Tell whether a value is called like a version, or like what is expected to be there."""
    inside = member.where in {"body", "text"} and any(map(str.isdigit, member.value))
    return inside and (called_version(member.word) or EXPECTS.search(member.word) is not None)


def _about(step: Step, looks: Iterable[Step]) -> str:
    """Return the one resource beside a command that showed its version by the name that it has there."""
    above = bare(step.resource).rpartition("/")[0]
    if len(path_of(above)) < _SHORTEST:
        # At the root stand things of all kinds.
        return ""
    carried = sent(step)
    versions = [one for one in carried if _may_be_one(one)]
    values = {one.value for one in carried if one not in versions}
    found: dict[str, bool] = {}
    for look in looks:
        below = bare(look.resource)
        if not below.startswith(f"{above}/") or not any(_shows(look, one) for one in versions):
            continue
        own = {unquote(part) for part in below[len(above) :].split("/") if part}
        if own & values or any(map(str.isdigit, path_of(above))):
            found[look.resource] = bool(own & values)
    named = [key for key, by_name in found.items() if by_name] or list(found)
    return named[0] if len(named) == 1 else ""


def _shows(look: Step, member: Member) -> bool:
    return any(
        tokens.opaque(held.value) == tokens.opaque(member.value) and alike(held.word, member.word)
        for held in _of_one(look)
    )


def _of_one(look: Step) -> Iterator[Member]:
    yield from (one for one in shown(look) if one.where in {"body", "text"})
