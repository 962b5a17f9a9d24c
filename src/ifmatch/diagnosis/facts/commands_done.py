"""Tell whether what changed is what the commands of a request say, and when and by whom it was changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis.facts.signed_entries import signed_since_read
from ifmatch.diagnosis.reading.contents import value_at
from ifmatch.diagnosis.reading.dates import instant
from ifmatch.diagnosis.reading.editors import EDITOR, signed_by_service
from ifmatch.diagnosis.reading.stamps import stamped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

_MOST: Final = 50
_DEEPEST: Final = 5
# Shorter texts, flags and numbers may well be what another wanted, too.
_TELLING: Final = 5


def changed_as_told(facts: Facts) -> tuple[str, ...]:
    """Return the members that changed since the read, where each holds what the request's commands say.

    Every command has to show, and nothing else may have changed but what servers stamp; else empty.

    Args:
        facts: of a refused request that carries a list of commands, such as actions or patch operations.
    """
    told = [set(_leaves(one, 0)) for one in _commands(facts.step)]
    now = facts.current_content
    moved = [
        pointer for pointer in facts.moved_pointers or () if pointer and not _by_server(pointer, facts.step)
    ]
    values = [value_at(now, pointer) for pointer in moved]
    if not told or not moved or not all(isinstance(one, str | int | float) for one in values):
        return ()
    shown = {str(one) for one in values}
    if not all(one & shown for one in told) or not shown <= set().union(*told):
        return ()
    texts = [one for one in values if isinstance(one, str) and len(one) >= _TELLING]
    return tuple(moved) if texts else ()


def changed_at(facts: Facts) -> float | None:
    """Return the time of the current version that its content tells, in seconds since the epoch.

    Args:
        facts: of a refused request.
    """
    for pointer in facts.moved_pointers or ():
        value = value_at(facts.current_content, pointer)
        if isinstance(value, str) and stamped(pointer) and (found := instant(value)) is not None:
            return found
    return None


def signed_as_own(facts: Facts) -> Step | None:
    """Return the own accepted write after which the content names the editor that it names now.

    The version that the request was made from names another one.

    Args:
        facts: of a refused request.
    """
    signed = [pointer for pointer in facts.moved_pointers or () if _editor(pointer)]
    for write in facts.own(facts.history) if signed else ():
        made = (write.made or write.content) if write.changes else None
        if made is not None and all(
            value_at(made, pointer) == value_at(facts.current_content, pointer) for pointer in signed
        ):
            return write
    return None


def signed_by_itself(facts: Facts) -> str | None:
    """Return what the service calls itself where the content says who changed it last, None if it does not.

    Args:
        facts: of a refused request.
    """
    for pointer in facts.moved_pointers or ():
        value = value_at(facts.current_content, pointer)
        if any(signed_by_service(part, value) for part in pointer.split("/")[1:]):
            return str(value)
    signed = signed_since_read(facts)
    return signed[0].name if signed and all(one.itself for one in signed) else None


def _commands(step: Step) -> Iterator[dict[str, object]]:
    """Yield the commands of a request: the objects of its only list that holds objects."""
    body = step.view.sent_json
    lists = list(cast("dict[str, object]", body).values()) if isinstance(body, dict) else [body]
    found = [cast("list[object]", one)[:_MOST] for one in lists if isinstance(one, list)]
    if len(found) == 1 and all(isinstance(one, dict) for one in found[0]):
        yield from (cast("dict[str, object]", one) for one in found[0])


def _leaves(value: object, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        for member in cast("dict[str, object]", value).values():
            yield from _leaves(member, depth + 1)
    elif isinstance(value, list):
        for member in cast("list[object]", value)[:_MOST]:
            yield from _leaves(member, depth + 1)
    elif isinstance(value, str | int | float):
        yield str(value)


def _editor(pointer: str) -> bool:
    return any(EDITOR.search(part) is not None for part in pointer.split("/")[1:])


def _by_server(pointer: str, step: Step) -> bool:
    """Tell whether a member is the server's own: a stamp, an editor, the version that the request names."""
    guard = step.guard
    version = guard is not None and guard.name == pointer
    return version or stamped(pointer) or _editor(pointer)
