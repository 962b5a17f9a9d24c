"""Work something out at the first question, and keep it: `functools.cached_property` without its lock.

Up to Python 3.11 that one takes a lock for each value, which costs more than most of the values that are kept
for every request. Without it two threads that ask at once both work it out, and get equal answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Self, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["cached_property"]

T = TypeVar("T")


class cached_property(Generic[T]):  # noqa: N801 - read as the one that it stands for
    """A property whose value is kept in the object's `__dict__`, where it is dropped to be worked out anew.

    Args:
        work_out: makes the value from the object.
    """

    def __init__(self, work_out: Callable[..., T]) -> None:
        self._work_out = work_out
        self._name = work_out.__name__
        self.__doc__ = work_out.__doc__

    @overload
    def __get__(self, kept_by: None, kind: type | None = None) -> Self: ...
    @overload
    def __get__(self, kept_by: object, kind: type | None = None) -> T: ...
    def __get__(self, kept_by: object, kind: type | None = None) -> Self | T:
        """Return the value of an object that does not hold it yet; the property itself for the class."""
        if kept_by is None:
            return self
        value = kept_by.__dict__[self._name] = self._work_out(kept_by)
        return value
