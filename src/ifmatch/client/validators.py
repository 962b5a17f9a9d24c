"""Remember which version of each URL this client saw last, per thread or task and per variant.

A write has to carry the tag of the version that its content was made from. Another thread may have read a
newer one meanwhile: taking that tag would let the write pass and lose a change. So what a scope saw itself
comes first, and of what others saw the oldest: that refuses at worst what was sound, once.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import weakref
from typing import Final, Protocol, TypeAlias, cast

from ifmatch.client.history import told_apart

__all__ = [
    "RequestFields",
    "Scope",
    "Sighting",
    "ValidatorMemory",
    "current_task_scope",
    "current_thread_scope",
    "is_strong",
    "thread",
]

Scope: TypeAlias = "weakref.ref[object]"
_SIGHTINGS: Final = 8


class RequestFields(Protocol):
    """Fields of a request, whatever the library."""

    def get(self, name: str, /) -> str | None:
        """Return the value of a field, None when there is none."""
        ...


thread: Final = threading.local()
"""Holds as `scope` what `current_thread_scope` gave to this thread before."""
_current_task: Final = asyncio.current_task


class _Thread:
    """Stands for one thread and ends with it; a number would come again in a later one."""

    __slots__ = ("__weakref__",)


def current_thread_scope() -> Scope:
    """Return what stands for the current thread."""
    try:
        scope: Scope = thread.scope
    except AttributeError:
        thread.stands = _Thread()
        stands: Scope = weakref.ref(thread.stands)
        scope = thread.scope = stands
    return scope


def current_task_scope() -> Scope:
    """Return what stands for the current task, of asyncio or of trio."""
    try:
        task: object = _current_task()
    except RuntimeError:
        task = _task_of_trio()
    return current_thread_scope() if task is None else weakref.ref(task)


def _task_of_trio() -> object:
    trio = sys.modules.get("trio")
    return None if trio is None else cast("object", trio.lowlevel.current_task())


Sighting: TypeAlias = "tuple[str, Scope, tuple[tuple[str, str], ...], bool]"
"""A version of a URL as one scope saw it: the strong tag, the scope, names and values of the request's fields
that the answer varies on, and whether a write was refused since. Plain, since every write makes one."""


def is_strong(tag: str) -> bool:
    """Tell whether a field value is one strong entity tag, as a condition on a write needs it.

    Source: RFC 9110 section 8.8.3.
    """
    return len(tag) > 1 and tag[0] == '"' and tag[-1] == '"'


class ValidatorMemory:
    """Keep the sightings of a client.

    Args:
        urls: how many URLs are remembered; the one that is known longest goes first.

    Attributes:
        sightings: what was seen of each URL, the last at the end; read only.
    """

    def __init__(self, urls: int = 4096) -> None:
        self._urls = urls
        self.sightings: dict[str, tuple[Sighting, ...]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.sightings)

    def saw(self, url: str, tag: str, scope: Scope, variant: tuple[tuple[str, str], ...] = ()) -> None:
        """Take in a version that a scope was given.

        Args:
            url: of the resource.
            tag: of the version, strong.
            scope: who saw it.
            variant: names and values of the request's fields that the answer varies on.
        """
        sighting = (tag, scope, variant, False)
        with self._lock:
            before = self.sightings.get(url, ())
            # What an ended scope saw, and was refused with, is over now that somebody looked again.
            others = [
                one
                for one in before
                if not (one[3] and one[1]() is None) and (one[1] != scope or one[2] != variant)
            ]
            self.sightings[url] = (*others, sighting)[-_SIGHTINGS:]
            if len(self.sightings) > self._urls:
                del self.sightings[next(iter(self.sightings))]

    def wrote(self, url: str, scope: Scope, tag: str | None) -> None:
        """Take in what an own write led to; what it or an ended scope saw before is no base any more.

        Args:
            url: of the resource.
            scope: who wrote.
            tag: of the new version, None when the answer named none; one that is not strong is none.
        """
        sightings = self.sightings
        # As `is_strong`, whose call takes as long again: this runs for every write.
        if tag is not None and (len(tag) < 2 or tag[0] != '"' or tag[-1] != '"'):
            tag = None
        if tag is None:
            if url in sightings:
                self._wrote(url, scope, ())
            return
        made = ((tag, scope, (), False),)
        # A write of the only scope that saw this URL: nearly all are.
        with self._lock:
            before = sightings.get(url)
            if before is not None and len(before) == 1 and before[0][1] is scope:
                sightings[url] = made
                return
        self._wrote(url, scope, made)

    def _wrote(self, url: str, scope: Scope, made: tuple[Sighting, ...]) -> None:
        """Put what a write led to in the place of what its scope and ended ones saw."""
        sightings = self.sightings
        with self._lock:
            others = [one for one in sightings.get(url, ()) if one[1] != scope and one[1]() is not None]
            kept = (*others, *made)[-_SIGHTINGS:]
            if not kept:
                sightings.pop(url, None)
                return
            sightings[url] = kept
            if len(sightings) > self._urls:
                del sightings[next(iter(sightings))]

    def refused(self, url: str) -> None:
        """Take in that a write was refused.

        Args:
            url: of the resource.
        """
        with self._lock:
            before = self.sightings.get(url)
            if before:
                self.sightings[url] = tuple([(*one[:3], True) for one in before])

    def forget(self, url: str) -> None:
        """Drop what is known of a URL."""
        with self._lock:
            self.sightings.pop(url, None)

    def base(self, url: str, scope: Scope, fields: RequestFields) -> str | None:
        """Return the tag that a write of this scope is based on, as far as this client can know.

        Args:
            url: of the resource.
            scope: who writes.
            fields: of the write.

        Returns:
            What the scope saw last, of the variant that the write asks for when there are several; else what
            others saw, the oldest when they differ.
        """
        sightings = self.sightings.get(url)
        if not sightings:
            return None
        if len(sightings) == 1:
            return sightings[0][0]
        own = [one for one in sightings if one[1] == scope]
        for one in reversed(own):
            if all(told_apart(name, fields.get(name) or "") == value for name, value in one[2]):
                return one[0]
        return own[-1][0] if own else sightings[0][0]
