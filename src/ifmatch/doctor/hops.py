"""Ask each hop or node by itself, and say where on the way a tag changes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ifmatch.doctor.probes import Observation, observe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ifmatch.doctor.failing import Failing
    from ifmatch.wire import Route, Sender

__all__ = ["Hop", "HopTable", "compare_hops"]


@dataclass(frozen=True, slots=True)
class Hop:
    """What one hop answers.

    Attributes:
        name: as the user gave it; `as sent` for the ordinary way.
        coded: with content codings accepted.
        identity: without.
        head: to HEAD.
    """

    name: str
    coded: Observation
    identity: Observation
    head: Observation


@dataclass(frozen=True, slots=True)
class HopTable:
    """All hops, the ordinary way first, and where they differ.

    Attributes:
        hops: in the order given.
        differences: a sentence for each.
    """

    hops: tuple[Hop, ...]
    differences: tuple[str, ...]


def compare_hops(failing: Failing, sender: Sender, routes: Mapping[str, Route]) -> HopTable:
    """Read the resource at each hop, three times in different ways.

    Args:
        failing: the request that fails.
        sender: sends; three requests a hop.
        routes: by the hop's name.

    Raises:
        BudgetSpentError: nothing may be sent any more.
        TargetUnreachableError: a hop cannot be connected to.
    """
    hops: list[Hop] = []
    for name, route in {"as sent": failing.route, **routes}.items():
        answers = [
            observe(sender.send(request, route=route, fresh=True))
            for request in (
                failing.read(("Accept-Encoding", "gzip, deflate, br")),
                failing.read(("Accept-Encoding", "identity")),
                failing.read(method="HEAD"),
            )
        ]
        hops.append(Hop(name, *answers))
    return HopTable(tuple(hops), tuple(_differences(hops)))


def _differences(hops: list[Hop]) -> list[str]:
    said: list[str] = []
    for outer, inner in itertools.pairwise(hops):
        for what, one, other in (
            ("with content coding", outer.coded, inner.coded),
            ("without content coding", outer.identity, inner.identity),
            ("by HEAD", outer.head, inner.head),
        ):
            if one.tag != other.tag:
                both = f"{inner.name} gives {_shown(other)}, {outer.name} gives {_shown(one)}"
                said.append(f"{what}, {both}{_kind(one, other)}")
    return said


def _shown(one: Observation) -> str:
    return one.tag or one.shown()


def _kind(outer: Observation, inner: Observation) -> str:
    if not outer.tag and inner.tag:
        return ": the tag is taken off between them"
    if outer.tag.removeprefix("W/") == inner.tag.removeprefix("W/"):
        return ": it is weakened between them" if outer.is_weak else ": it is strengthened between them"
    if outer.digest and outer.digest == inner.digest:
        return ": for the same content, so they make it differently"
    return ": the content differs, too"
