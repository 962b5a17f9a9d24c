"""Find out which captures saw the same requests, from which side, and how their clocks differ.

Only content counts: method, target, content, ids and containment in time (the client's interval encloses
the upstream's). Names and order of the files do not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ifmatch.diagnosis.case.partners import Partners
from ifmatch.diagnosis.case.sightings import SAME_CLOCK, Seen, credible, score, single_marks, writes
from ifmatch.diagnosis.reading.dates import http_date
from ifmatch.model.grouped import grouped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.model.exchange import Capture

# What a Date field resolves, where a capture has no times of its own.
_SECOND = 1.0
_MINIMUM_SCORE = 2
# How well the medians of Date fields, which tell whole seconds, can be trusted.
_TICK = 1.0
# What two exchanges outside of each other's interval must have in common, and how far apart they may begin.
_ALIKE = 6
_NEAR = 0.5
# The same, of a write whose answer the client did not see.
_WITHHELD = 5
_MOST_COMPARISONS = 200_000
# How many exchanges are enough to compare clocks.
_SAMPLE = 500


@dataclass(slots=True)
class Link:
    """Two captures of which one saw the other's requests nearer to the client.

    Attributes:
        down: number of the capture nearer to the client.
        up: number of the capture nearer to the origin.
        pairs: for each matched exchange of `up`: its number and that of its partner in `down`.
        shift: seconds to add to the times of `up` to get those of `down`.
    """

    down: int
    up: int
    pairs: dict[int, int] = field(default_factory=dict[int, int])
    shift: float = 0.0


def _clock_skew(capture: Capture) -> float | None:
    """Return how far this capture's clock is ahead of the servers' Date, in seconds; None when unknown.

    Args:
        capture: exchanges with start times and Date fields.

    Source: RFC 9110 section 6.6.1 (Date is the time at which the message was originated).
    """
    differences: list[float] = []
    for exchange in capture.exchanges[:_SAMPLE]:
        response = exchange.response
        if response is None or exchange.ended is None or "age" in response.fields:
            continue
        date = response.fields.text("date")
        seconds = http_date(date) if date else None
        if seconds is not None:
            differences.append(exchange.ended - seconds - 0.5)
    if not differences:
        return None
    return _median(differences)


def offsets(captures: Sequence[Capture]) -> list[float]:
    """Return each capture's clock minus the reference clock, in seconds.

    The reference is the clock that agrees with most others; differences below two seconds count as none.
    """
    skews = [_clock_skew(capture) for capture in captures]
    known = [skew for skew in skews if skew is not None]
    if not known:
        return [0.0] * len(captures)
    reference = min(known, key=lambda one: (sum(abs(one - other) > SAME_CLOCK for other in known), abs(one)))
    return [
        0.0 if skew is None or abs(skew - reference) <= SAME_CLOCK else skew - reference for skew in skews
    ]


def _match(partners: Partners, up: Sequence[Seen], shift: float, slack: float) -> dict[int, int]:
    """Return for each exchange of `up` its best enclosing partner."""
    down = partners.seen
    pairs: dict[int, int] = {}
    for number, seen in enumerate(up):
        start, end = seen.start + shift, seen.end + shift
        best: tuple[int, float, int] | None = None
        for candidate in partners.near(seen, start, slack):
            partner = down[candidate]
            points = partners.score(candidate, seen, number) + (1 if end <= partner.end + slack else -1)
            if points < _MINIMUM_SCORE:
                continue
            key = (points, -abs(start - partner.start), candidate)
            if best is None or key > best:
                best = key
        if best is not None:
            pairs[number] = best[2]
    return _in_turn(partners, up, pairs, shift, slack)


def _in_turn(
    known: Partners, up: Sequence[Seen], pairs: dict[int, int], shift: float, slack: float
) -> dict[int, int]:
    """Give each of several like requests its own partner, where a slow clock puts all into one moment."""
    if slack < _SECOND:
        return pairs
    down = known.seen
    partners = grouped((partner, number) for number, partner in pairs.items())
    for partner in sorted(partners):
        numbers = sorted(partners[partner])
        seen = down[partner]
        while len(numbers) > 1:
            first = up[numbers[0]]
            alone = [
                one
                for one in known.near(seen, first.start + shift, slack)
                if one < partner
                and one not in partners
                and (down[one].method, down[one].path, down[one].body) == (seen.method, seen.path, seen.body)
                and known.score(one, first, numbers[0]) >= _MINIMUM_SCORE
            ]
            if not alone:
                break
            nearest = max(alone)
            pairs[numbers[0]] = nearest
            partners[nearest] = [numbers.pop(0)]
    return pairs


def _direction(down: Sequence[Seen], up: Sequence[Seen], pairs: dict[int, int], *, one_clock: bool) -> float:
    """Return a positive number when the pairs say that `down` is nearer to the client.

    A found clock shift puts the middles of the intervals together: only their lengths tell then, and not
    those of a client that gave up.
    """
    total = 0.0
    for number, partner in pairs.items():
        lag = up[number].start - down[partner].start
        longer = (down[partner].end - down[partner].start) - (up[number].end - up[number].start)
        if up[number].status and down[partner].status:
            total += 0.5 if longer > 0 else -0.5 if longer < 0 else 0
        if one_clock:
            total += 1 if lag > 0 else -1 if lag < 0 else 0
        total += 2 * (up[number].forwarded - down[partner].forwarded)
        passed = down[partner].passed - up[number].passed
        total += 2 if passed > 0 else -2 if passed < 0 else 0
    return total


def _shifts(down: Sequence[Seen], up: Sequence[Seen]) -> list[float]:
    """Return clock shifts worth trying beside none: those that would put like exchanges into each other."""
    candidates = [
        (partner.start + partner.end) / 2 - (seen.start + seen.end) / 2
        for seen in up[:60]
        for partner in down[:200]
        if partner.path == seen.path and score(partner, seen) >= _MINIMUM_SCORE + 3
    ]
    return candidates[:400]


def _shared(one: Sequence[Seen], two: Sequence[Seen]) -> tuple[int, int]:
    """Count the exchanges on what both captures hold; where writes are among it, only on what is written.

    Assets and polling that pass beside the case say nothing about who saw whose requests.
    """
    both = {seen.tail for seen in one} & {seen.tail for seen in two}
    if not both:
        # A proxy may give each path another name: then only what the answers are called tells.
        marks = frozenset[str]().union(*(seen.marks for seen in one))
        marks &= frozenset[str]().union(*(seen.marks for seen in two))
        return sum(bool(seen.marks & marks) for seen in one), sum(bool(seen.marks & marks) for seen in two)
    written = both & {seen.tail for seen in [*one, *two] if writes(seen)}
    counted = written or both
    return sum(seen.tail in counted for seen in one), sum(seen.tail in counted for seen in two)


def _enough(pairs: dict[int, int], shared: tuple[int, int]) -> bool:
    smaller = min(shared)
    return len(pairs) >= 1 and smaller > 0 and len(pairs) >= 0.5 * smaller


def _median(values: Sequence[float]) -> float:
    """Return the value in the middle; `statistics` would be loaded for it alone, with fractions and all."""
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _expected(down: Sequence[Seen], up: Sequence[Seen]) -> float | None:
    """Return the shift that the Date fields of two captures speak for, None where they tell nothing."""
    sides = [
        [seen.end - seen.date for seen in part[:_SAMPLE] if seen.timed and seen.date is not None]
        for part in (down, up)
    ]
    if not all(sides):
        return None
    return _median(sides[0]) - _median(sides[1])


def _best(
    down: Sequence[Seen], up: Sequence[Seen], slack: float, *, one_clock: bool
) -> tuple[dict[int, int], float]:
    """Return the pairs and the clock shift that match best.

    Where the clocks are known to differ, Date has told the difference to the second only, and a shift has to
    be found; where they agree, none is looked for unless nothing fits without.
    """
    shared = _shared(down, up)
    partners = Partners(down)
    pairs = _match(partners, up, 0.0, slack)
    if one_clock and _enough(pairs, shared):
        return pairs, 0.0
    if not one_clock:
        tried = ((_match(partners, up, shift, slack), shift) for shift in (0.0, *_shifts(down, up)))
        return max(tried, key=lambda one: (len(one[0]), -abs(one[1])))
    best, best_shift = pairs, 0.0
    expected = _expected(down, up)
    for shift in _shifts(down, up):
        found = _match(partners, up, shift, slack)
        writes = sum(up[number].method not in {"GET", "HEAD"} for number in found)
        told = expected is not None and abs(expected) > _TICK and abs(shift - expected) <= _TICK
        likely = len(found) >= 2 and (writes or told)
        if len(found) > len(best) and likely and len(found) >= 0.6 * min(shared):
            best, best_shift = found, shift
    return best, best_shift


def links(captures: Sequence[Capture], clock: Sequence[float]) -> list[Link]:
    """Return which captures saw the same requests from different sides.

    Args:
        captures: two or more captures.
        clock: each capture's clock minus the reference clock, in seconds.

    Returns:
        One link for each pair of captures that saw the same requests.
    """
    seen = [
        [Seen(exchange, clock[number]) for exchange in capture.exchanges]
        for number, capture in enumerate(captures)
    ]
    for part in seen:
        single_marks(part)
    timed = [any(one.start >= 0 for one in part) for part in seen]
    found: list[Link] = []
    for one in range(len(captures)):
        for two in range(one + 1, len(captures)):
            if timed[one] and timed[two] and min(_shared(seen[one], seen[two])):
                same = abs(clock[one] - clock[two]) <= SAME_CLOCK
                slack = _slack(captures[one], captures[two])
                link = _link(seen, one, two, slack, one_clock=same)
                other_tools = captures[one].format != captures[two].format
                if link is not None and credible(
                    seen[link.down],
                    seen[link.up],
                    link.pairs,
                    one_clock=same and not link.shift,
                    told=slack < _SECOND or other_tools,
                ):
                    found.append(link)
    found = [link for link in found if not _neighbours(link, found)]
    return [link for link in found if not _siblings(seen, link, found)]


def _neighbours(link: Link, found: Sequence[Link]) -> bool:
    """Tell whether two captures are two clients beside each other: a third saw both, apart."""
    for one in found:
        for two in found:
            if one is link or two is link or one.up != two.up or {one.down, two.down} != {link.down, link.up}:
                continue
            apart = set(one.pairs).isdisjoint(two.pairs)
            if apart and min(len(one.pairs), len(two.pairs)) >= len(link.pairs):
                return True
    return False


def _siblings(seen: Sequence[Sequence[Seen]], link: Link, found: Sequence[Link]) -> bool:
    """Tell whether two captures stand beside each other behind one client, rather than behind each other.

    Behind each other, whatever reached the further one of them has passed the nearer one, and so has its
    answer.
    """
    for other in found:
        for another in found:
            if other.up != link.down or another.up != link.up or other.down != another.down:
                continue
            passed = set(other.pairs.values())
            reached = list(another.pairs.values())
            if reached and sum(number in passed for number in reached) < 0.8 * len(reached):
                return True
            if _answered_beside(seen, link, other, another):
                return True
    return False


def _answered_beside(seen: Sequence[Sequence[Seen]], link: Link, near: Link, far: Link) -> bool:
    """Tell whether the client got the further capture's answer to a write while the nearer had another one.

    Args:
        seen: exchanges of all captures.
        link: of the two captures that may stand behind each other.
        near: of the client and the nearer one.
        far: of the client and the further one.
    """
    for number, partner in link.pairs.items():
        client = far.pairs.get(number)
        if client is None or near.pairs.get(partner) != client:
            continue
        got, first, last = seen[far.down][client], seen[link.down][partner], seen[link.up][number]
        known = writes(got) and 0 not in {first.status, got.status}
        if known and got.status == last.status != first.status:
            return True
    return False


def _weight(
    down: Sequence[Seen],
    up: Sequence[Seen],
    pairs: dict[int, int],
    shift: float,
    more: int,
    *,
    one_clock: bool,
) -> tuple[bool, bool, float, int, int]:
    """Return what decides which of two captures is nearer to the client, most telling first."""
    enough = _enough(pairs, _shared(down, up))
    return (
        enough,
        one_clock and shift == 0.0,
        _direction(down, up, pairs, one_clock=one_clock and shift == 0.0),
        more,
        len(pairs),
    )


def _slack(one: Capture, two: Capture) -> float:
    ticks = [
        exchange.resolution if exchange.started is not None else _SECOND
        for capture in (one, two)
        for exchange in capture.exchanges[:1]
    ]
    return 2 * max(ticks, default=0.001)


def _link(seen: list[list[Seen]], one: int, two: int, slack: float, *, one_clock: bool) -> Link | None:
    forward, forward_shift = _best(seen[one], seen[two], slack, one_clock=one_clock)
    backward, backward_shift = _best(seen[two], seen[one], slack, one_clock=one_clock)
    shared = _shared(seen[one], seen[two])
    # Whoever is nearer to the origin sees more: other clients' requests as well.
    more = (len(seen[two]) > len(seen[one])) - (len(seen[one]) > len(seen[two]))
    forward_weight = _weight(seen[one], seen[two], forward, forward_shift, more, one_clock=one_clock)
    backward_weight = _weight(seen[two], seen[one], backward, backward_shift, -more, one_clock=one_clock)
    if forward_weight >= backward_weight:
        forward = _leftovers(seen[one], seen[two], forward, forward_shift)
        return Link(one, two, forward, forward_shift) if _enough(forward, shared) else None
    backward = _leftovers(seen[two], seen[one], backward, backward_shift)
    return Link(two, one, backward, backward_shift) if _enough(backward, shared) else None


def _alike(down: Seen, up: Seen) -> bool:
    """Tell whether two exchanges outside of each other's interval are one request.

    A browser that keeps an answer from a script shows neither it nor how long it took.
    """
    points = score(down, up)
    if down.status == up.status:
        return points >= _ALIKE
    return down.status == 0 and points >= _WITHHELD and bool(down.body) and down.body == up.body


def _leftovers(
    down: Sequence[Seen], up: Sequence[Seen], pairs: dict[int, int], shift: float
) -> dict[int, int]:
    """Pair what is alike in everything but lies just outside of the client's interval.

    Browsers start and stop their clocks around queues and preflights, so their intervals do not always
    enclose what the origin saw.
    """
    found = dict(pairs)
    free = set(range(len(down))) - set(pairs.values())
    for number, seen in enumerate(up):
        if number in found or not free or len(free) * len(up) > _MOST_COMPARISONS:
            continue
        near = [one for one in free if abs(down[one].start - seen.start - shift) <= _NEAR]
        alike = [one for one in near if _alike(down[one], seen)]
        if alike:
            best = min(alike, key=lambda one: abs(down[one].start - seen.start - shift))
            found[number] = best
            free.discard(best)
    return found
