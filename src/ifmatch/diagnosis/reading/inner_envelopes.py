"""Take records out of envelopes that stand inside what wraps requests and answers alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.model.json_values import members_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Envelopes lie so deep at most in one another.
_DEEP: Final = 2


def unwrapped_within(whole: Mapping[str, object], sent: Mapping[str, object]) -> dict[str, object] | None:
    """Return an object with what is sent in one of its members, where this has an envelope there; or None.

    Args:
        whole: as a read shows it: `{"kind": ..., "data": {"loan": {"due": ...}, "links": ...}}`.
        sent: as a write has it: `{"kind": ..., "data": {"due": ...}}`.
    """
    for name, value in sent.items():
        mine, there = members_in(value), members_in(whole.get(name))
        if not mine or not there:
            continue
        if not mine.keys().isdisjoint(there):
            inner = unwrapped_within(there, mine)
            if inner is not None:
                return {**whole, name: inner}
            continue
        found = next((one for one in _inside(there, _DEEP) if len(one.keys() & mine) > len(mine) // 2), None)
        if found is not None:
            return {**whole, name: found}
    return None


def _inside(value: Mapping[str, object], depth: int) -> Iterator[dict[str, object]]:
    for one in value.values():
        members = members_in(one)
        if members:
            yield members
            if depth > 1:
                yield from _inside(members, depth - 1)
