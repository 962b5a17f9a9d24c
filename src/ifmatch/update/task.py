"""Say what a conditional update is to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ifmatch.model.quick import quick
from ifmatch.update.dialect import HTTP

if TYPE_CHECKING:
    from ifmatch.update.authorship import Authorship
    from ifmatch.update.changes import Change
    from ifmatch.update.dialect import Dialect
    from ifmatch.update.records import State

__all__ = ["UNREAD", "Task", "Unread"]


class _Marker(Enum):
    UNREAD = "unread"


Unread: TypeAlias = Literal[_Marker.UNREAD]
UNREAD: Final = _Marker.UNREAD
"""Stands where nothing is known of the state yet; None would say that there is no resource."""


@quick
@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done.

    Attributes:
        change: decides what to write, on each state anew.
        operation: id of this update, different from all others; all its attempts carry it.
        target: URL of the resource.
        known: the state that was seen last, as a first guess; None: no such resource; UNREAD: nothing is
            known.
        dialect: how the service does conditional writes.
        authorship: how own writes are proven; None: they cannot be, and an ambiguous outcome may stay
            unknown.
        media_type: of new content, when the state has none.
        read_fields: header fields of reads, such as Accept: the same negotiation as the write is compared
            with.
        write_fields: header fields of writes.
        same_value_is_enough: True when the caller declares that it does not matter who wrote the wanted
            content.
    """

    change: Change
    operation: str
    target: str = ""
    known: State | Unread | None = UNREAD
    dialect: Dialect = HTTP
    authorship: Authorship | None = None
    media_type: str = "application/json"
    read_fields: tuple[tuple[str, str], ...] = ()
    write_fields: tuple[tuple[str, str], ...] = ()
    same_value_is_enough: bool = False
