"""Tell the sides of a proxy apart in a packet capture that was taken on its machine.

Such a capture holds each request twice: as it came in, and as it was sent on. Those are two vantages, so they
become two captures. Only packets count: who spoke to whom, and when (docs/decisions/081).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.target_uri import path_and_query
from ifmatch.model.grouped import grouped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.capture.base.drafts import Draft

__all__ = ["sides"]

_PEERS: Final = 50
_SAMPLE: Final = 1000
_BEHIND: Final = 0.9
_LEAST: Final = 3
_LOOKED_BACK: Final = 200


def sides(drafts: Sequence[Draft]) -> dict[str, list[Draft]]:
    """Group exchanges by the side that they were seen from.

    Args:
        drafts: in order of time; `peer` is the server's address, `connection` the client's.

    Returns:
        The exchanges of servers that no other one speaks to under "", those of a server behind another one
        under its address; order kept.
    """
    by_server = grouped((draft.peer, draft) for draft in drafts)
    behind: set[str] = set()
    if 1 < len(by_server) <= _PEERS:
        behind = {
            server
            for server, found in by_server.items()
            if any(_is_behind(found, others) for name, others in by_server.items() if name != server)
        }
    # Servers that are behind each other only echo the same paths at the same time.
    if len(behind) == len(by_server):
        behind = set()
    return grouped((draft.peer if draft.peer in behind else "", draft) for draft in drafts)


def _is_behind(found: Sequence[Draft], others: Sequence[Draft]) -> bool:
    """Tell whether these requests were sent while requests of the same kind waited at another server."""
    sample = found[:_SAMPLE]
    if len(sample) < _LEAST or _host(sample[0].connection) != _host(others[0].peer):
        return False
    position = contained = 0
    for draft in sample:
        while position < len(others) and _before(others[position], draft):
            position += 1
        candidates = others[max(0, position - _LOOKED_BACK) : position]
        contained += any(_encloses(other, draft) for other in reversed(candidates))
    return contained >= _BEHIND * len(sample)


def _host(address: str) -> str:
    return address.rpartition(":")[0].strip("[]")


def _before(one: Draft, other: Draft) -> bool:
    return one.started is not None and other.started is not None and one.started <= other.started


def _encloses(outer: Draft, inner: Draft) -> bool:
    if outer.started is None or inner.started is None or outer.duration is None:
        return False
    end = outer.started + outer.duration
    return (
        outer.method == inner.method
        and inner.started + (inner.duration or 0.0) <= end + 0.001
        and outer.connection != inner.connection
        and path_and_query(outer.url) == path_and_query(inner.url)
    )
