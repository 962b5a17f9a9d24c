"""Remember which version of each URL this client saw last, per thread or task and per variant.

A write has to carry the tag of the version that its content was made from. Another thread may have read a
newer one meanwhile: taking that tag would let the write pass and lose a change. So what a scope saw itself
comes first, and of what others saw the oldest: that refuses at worst what was sound, once.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Scope", "Sighting", "ValidatorMemory", "current_task_scope", "current_thread_scope"]

Scope: TypeAlias = "weakref.ref[object]"
_SIGHTINGS: Final = 8
_thread = threading.local()


class _Thread:
    """Stands for one thread and ends with it; a number would come again in a later one."""

    __slots__ = ("__weakref__",)


def current_thread_scope() -> Scope:
    """Return what stands for the current thread."""
    try:
        scope: Scope = _thread.scope
    except AttributeError:
        _thread.stands = _Thread()
        stands: Scope = weakref.ref(_thread.stands)
        scope = _thread.scope = stands
    return scope


def current_task_scope() -> Scope:
    """Return what stands for the current task."""
    task = asyncio.current_task()
    return current_thread_scope() if task is None else weakref.ref(task)


class Sighting(NamedTuple):
    """A version of a URL as one scope saw it.

    Attributes:
        tag: the entity tag, strong.
        scope: who saw it.
        variant: names and values of the request's fields that the answer varies on.
        refused: whether a write was refused since.
    """

    tag: str
    scope: Scope
    variant: tuple[tuple[str, str], ...] = ()
    refused: bool = False


# Takes a third of the time of the constructor that NamedTuple makes.
_sighting: Final = cast(
    "Callable[[type[Sighting], tuple[object, ...]], Sighting]",
    tuple.__new__,  # pyright: ignore[reportUnknownMemberType]
)


class ValidatorMemory:
    """Keep the sightings of a client.

    Args:
        urls: how many URLs are remembered; the one that is known longest goes first.
    """

    def __init__(self, urls: int = 4096) -> None:
        self._urls = urls
        self._sightings: dict[str, tuple[Sighting, ...]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._sightings)

    def saw(self, url: str, tag: str, scope: Scope, variant: tuple[tuple[str, str], ...] = ()) -> None:
        """Take in a version that a scope was given.

        Args:
            url: of the resource.
            tag: of the version, strong.
            scope: who saw it.
            variant: names and values of the request's fields that the answer varies on.
        """
        known = self._sightings.get(url)
        if known is not None:
            last = known[-1]
            if last == (tag, scope, variant, False):
                return
        sighting = Sighting(tag, scope, variant)
        with self._lock:
            before = self._sightings.get(url, ())
            # What an ended scope saw, and was refused with, is over now that somebody looked again.
            others = [
                one
                for one in before
                if not (one.refused and one.scope() is None)
                and (one.scope != scope or one.variant != variant)
            ]
            self._sightings[url] = (*others, sighting)[-_SIGHTINGS:]
            if len(self._sightings) > self._urls:
                del self._sightings[next(iter(self._sightings))]

    def wrote(self, url: str, scope: Scope, tag: str | None) -> None:
        """Take in what an own write led to; what it or an ended scope saw before is no base any more.

        Args:
            url: of the resource.
            scope: who wrote.
            tag: of the new version, None when the answer named none.
        """
        if tag is None and url not in self._sightings:
            return
        made = () if tag is None else (_sighting(Sighting, (tag, scope, (), False)),)
        with self._lock:
            before = self._sightings.get(url, ())
            if before and not (len(before) == 1 and before[0].scope is scope):
                others = [one for one in before if one.scope != scope and one.scope() is not None]
                made = (*others, *made)[-_SIGHTINGS:]
            if made:
                self._sightings[url] = made
                if len(self._sightings) > self._urls:
                    del self._sightings[next(iter(self._sightings))]
            else:
                self._sightings.pop(url, None)

    def refused(self, url: str) -> None:
        """Take in that a write was refused.

        Args:
            url: of the resource.
        """
        with self._lock:
            before = self._sightings.get(url)
            if before:
                self._sightings[url] = tuple(one._replace(refused=True) for one in before)

    def forget(self, url: str) -> None:
        """Drop what is known of a URL."""
        with self._lock:
            self._sightings.pop(url, None)

    def base(self, url: str, scope: Scope, field: Callable[[str], str | None]) -> str | None:
        """Return the tag that a write of this scope is based on, as far as this client can know.

        Args:
            url: of the resource.
            scope: who writes.
            field: gives the value of a field of the write, by lower-case name.

        Returns:
            What the scope saw last, of the variant that the write asks for when there are several; else what
            others saw, the oldest when they differ.
        """
        sightings = self._sightings.get(url)
        if not sightings:
            return None
        if len(sightings) == 1:
            return sightings[0].tag
        own = [one for one in sightings if one.scope == scope]
        for one in reversed(own):
            if all((field(name) or "") == value for name, value in one.variant):
                return one.tag
        return own[-1].tag if own else sightings[0].tag
