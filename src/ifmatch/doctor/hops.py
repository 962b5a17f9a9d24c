"""Ask each hop or node by itself, and say where on the way a tag changes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ifmatch.doctor.failing import NEVER
from ifmatch.doctor.probes import Observation, observe, opaque, without_suffix
from ifmatch.model.finding import Attested, Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ifmatch.doctor.failing import Failing
    from ifmatch.wire import Route, Sender

__all__ = ["REQUESTS_EACH", "Hop", "HopTable", "compare_hops"]

REQUESTS_EACH: Final = 4
"""Most requests that a hop is asked."""
# What a hop that is asked by itself shows is an experiment, not a trace: it outweighs any single record.
_WEIGHT: Final = 6.0


@dataclass(frozen=True, slots=True)
class Hop:
    """What one hop answers.

    Attributes:
        name: as the user gave it; `as sent` for the ordinary way.
        coded: with content codings accepted.
        identity: without.
        head: to HEAD.
        refusing: to a read with an If-Match that never holds; None when the failing request carries none.
            By RFC 9110 section 13.1.1 it is 412; a server may leave it out on reads.
    """

    name: str
    coded: Observation
    identity: Observation
    head: Observation
    refusing: Observation | None = None


@dataclass(frozen=True, slots=True)
class HopTable:
    """All hops, the ordinary way first, and where they differ.

    Attributes:
        hops: in the order given.
        differences: a sentence for each.
        attested: what they say about causes.
    """

    hops: tuple[Hop, ...]
    differences: tuple[str, ...]
    attested: tuple[Attested, ...] = ()


def compare_hops(failing: Failing, sender: Sender, routes: Mapping[str, Route]) -> HopTable:
    """Read the resource at each hop, in different ways.

    Args:
        failing: the request that fails.
        sender: sends; `REQUESTS_EACH` requests a hop at most.
        routes: by the hop's name.

    Raises:
        BudgetSpentError: nothing may be sent any more.
        TargetUnreachableError: a hop cannot be connected to.
    """
    reads = [
        failing.read(("Accept-Encoding", "gzip, deflate, br")),
        failing.read(("Accept-Encoding", "identity")),
        failing.read(method="HEAD"),
    ]
    if "if-match" in failing.request.fields:
        reads.append(failing.read(("If-Match", NEVER), ("Cache-Control", "no-cache")))
    hops: list[Hop] = []
    for name, route in {"as sent": failing.route, **routes}.items():
        answers = [observe(sender.send(request, route=route, fresh=True)) for request in reads]
        hops.append(Hop(name, *answers))
    pairs = list(itertools.pairwise(hops))
    said = [text for outer, inner in pairs for text in _differences(outer, inner)]
    url = failing.request.url
    attested = {
        (cause, text): Attested(url, cause, Evidence(text, _WEIGHT))
        for outer, inner in pairs
        for cause, text in _causes(outer, inner, (failing.request.fields.text("if-match") or "").strip())
    }
    return HopTable(tuple(hops), tuple(said), tuple(attested.values()))


def _differences(outer: Hop, inner: Hop) -> Iterator[str]:
    for what, one, other in (
        ("with content coding", outer.coded, inner.coded),
        ("without content coding", outer.identity, inner.identity),
        ("by HEAD", outer.head, inner.head),
    ):
        if one.tag != other.tag:
            both = f"{inner.name} gives {_shown(other)}, {outer.name} gives {_shown(one)}"
            yield f"{what}, {both}{_kind(one, other)}"
    if _is_stripped(outer, inner):
        yield (
            f"an If-Match that never holds gets 412 from {inner.name} and "
            f"{_status(outer)} from {outer.name}: the condition is lost between them"
        )


def _is_stripped(outer: Hop, inner: Hop) -> bool:
    if outer.refusing is None or inner.refusing is None:
        return False
    return inner.refusing.status == 412 and 200 <= outer.refusing.status < 300


def _status(hop: Hop) -> int:
    return hop.refusing.status if hop.refusing is not None else 0


def _causes(outer: Hop, inner: Hop, refused: str) -> Iterator[tuple[str, str]]:
    """Yield causes that a difference between two hops shows, with the observation.

    Args:
        outer: the hop nearer to the client.
        inner: the one behind it.
        refused: the token that was refused, "" without one.
    """
    if _is_stripped(outer, inner):
        text = f"{inner.name} evaluates If-Match (412), on the way through {outer.name} it gets lost"
        yield "precondition-stripped", text
    for one, other in ((outer.coded, inner.coded), (outer.identity, inner.identity)):
        both = f"{inner.name} gives {_shown(other)}, {outer.name} gives {_shown(one)}"
        if one.status != 200 or other.status != 200 or one.tag == other.tag:
            continue
        if not one.tag and other.tag:
            yield "validator-stripped", f"{both}: the tag is taken off between them"
        elif opaque(one.tag) == opaque(other.tag) and one.is_weak:
            yield "etag-weakened", f"{both}: it is weakened between them"
        elif without_suffix(one.tag) == opaque(other.tag):
            yield "etag-suffix-rewrite", f"{both}: the suffix comes on between them"
        elif one.digest != other.digest and (one.age or one.tag == refused):
            yield "stale-cache-read", f"{both} with other content: a copy between them is behind"
        elif one.digest and one.digest == other.digest and not one.coding and not other.coding:
            yield "inconsistent-backends", f"{both} for the same content"


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
