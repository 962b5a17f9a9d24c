"""Put messages that programs tell of connection by connection into the order of a conversation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Line: TypeAlias = tuple[int, str]

__all__ = ["Told", "in_turn"]

_START: Final = "HTTP/"


@dataclass(slots=True)
class Told:
    """A message as it is told.

    Attributes:
        key: what tells its connection from others, "" when nothing does.
        lines: of the message, each with the 1-based number of the line of the source it stands in.
    """

    key: str
    lines: list[Line] = field(default_factory=list["Line"])

    @property
    def is_request(self) -> bool:
        """Whether a request line begins it."""
        return not self.lines[0][1].startswith(_START)


def in_turn(messages: Iterable[Told]) -> Iterator[Line]:
    """Yield the lines of all messages: an answer behind the request of its connection that waits longest.

    Args:
        messages: in the order of the source.
    """
    order: list[list[Told]] = []
    waiting: dict[str, list[list[Told]]] = {}
    for message in messages:
        waits = waiting.setdefault(message.key, [])
        if message.is_request:
            order.append([message])
            waits.append(order[-1])
        elif waits:
            waits[0].append(message)
            if not message.lines[0][1].split(" ", 1)[1].startswith("1"):
                waits.pop(0)
        else:
            order.append([message])
    for told in order:
        for message in told:
            yield from message.lines
            yield message.lines[-1][0], ""
