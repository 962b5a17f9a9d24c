"""Put several captures together to one case: steps in order of time, actors, vantages, resources."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ifmatch.diagnosis.aftermath.later_reports import take_reports
from ifmatch.diagnosis.aftermath.own_in_flight import take_collided
from ifmatch.diagnosis.aftermath.told_undone import take_outdated
from ifmatch.diagnosis.case import page_saves, pairing, saves
from ifmatch.diagnosis.case.called_by_query import called_by_query
from ifmatch.diagnosis.case.content_names import named_in_contents
from ifmatch.diagnosis.case.dialect_services import speak
from ifmatch.diagnosis.case.gathered import Gathered
from ifmatch.diagnosis.case.host_names import share_names
from ifmatch.diagnosis.case.imported_rows import take_rows
from ifmatch.diagnosis.case.left_no_trace import take_by_versions, take_untraced
from ifmatch.diagnosis.case.lines_apart import lines_apart
from ifmatch.diagnosis.case.ordering import in_order
from ifmatch.diagnosis.case.remote_calls import take_calls
from ifmatch.diagnosis.case.second_fronts import join_versions
from ifmatch.diagnosis.case.wordless_refusals import take_by_course
from ifmatch.diagnosis.links import actors, negotiated, targets
from ifmatch.diagnosis.links.history import CASE_REACH, History, Stretch
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.steps import addresses
from ifmatch.diagnosis.steps.resources import bare, host_of, resource_key
from ifmatch.diagnosis.steps.step import SAFE_METHODS, Step
from ifmatch.model.cached import cached_property
from ifmatch.model.exchange import Capture, CaptureWarning, Source, Vantage
from ifmatch.model.grouped import grouped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ifmatch.dialects import Dialect
    from ifmatch.model.exchange import Exchange
    from ifmatch.model.finding import Attested

# So many times without a fraction are no accident.
_FEW_TIMES = 2
# Seconds of one tick from which on a clock is too coarse to tell an order.
_COARSE = 0.5
# How the operations of families without a name are told, one after the other.
_SETTLES = (saves.posted, page_saves.take_pages, called_by_query, addresses.settle, negotiated.choose)


@dataclass
class Case:
    """Everything known, ready for reconstruction.

    Attributes:
        captures: in a canonical order that names and arguments do not influence.
        steps: in order of time.
        sources: rows of the report, in the order in which the captures were given.
        histories: steps by resource, in order of time.
        attested: what is known from outside of the captures.
        whole: the case that this is a stretch of, None when it is whole.
    """

    captures: tuple[Capture, ...]
    steps: list[Step]
    sources: tuple[Source, ...]
    histories: dict[str, History] = field(default_factory=dict[str, History])
    attested: tuple[Attested, ...] = ()
    whole: Case | None = None

    def history_of(self, resource: str) -> History:
        """Return the steps of one resource, in a stretch of a case too; empty for an unknown one.

        Args:
            resource: its key.
        """
        found = self.histories.get(resource)
        if found is None and self.whole is not None:
            found = self.whole.histories.get(resource)
        return found if found is not None else History()

    def around(self, step: Step) -> Case:
        """Return what lies near a request: all of a short case, else `CASE_REACH` steps or more around it.

        Args:
            step: of the case.
        """
        if len(self.steps) <= 3 * CASE_REACH:
            return self
        block = step.order // CASE_REACH
        if block not in self._stretches:
            begin = max(0, block - 1) * CASE_REACH
            steps = Stretch(self.steps[begin : (block + 2) * CASE_REACH])
            steps.begin, held = begin, _by_resource(steps)
            self._stretches[block] = Case(self.captures, steps, self.sources, held, self.attested, self)
        return self._stretches[block]

    @cached_property
    def kept(self) -> dict[str, object]:
        """Return what searches have worked out of these steps and ask for again, by names of their own."""
        return {}

    @cached_property
    def _stretches(self) -> dict[int, Case]:
        return {}

    @cached_property
    def by_actor(self) -> dict[str, list[Step]]:
        """Return the steps of each actor, in order of time."""
        return grouped((step.actor, step) for step in self.steps)

    def gathered(self, actor: str) -> Gathered:
        """Return what one actor sent and was shown.

        Args:
            actor: label of who sent it.
        """
        return (self.whole or self)._gathered[actor]  # noqa: SLF001 - its own

    @cached_property
    def _gathered(self) -> dict[str, Gathered]:
        return {actor: Gathered(own) for actor, own in self.by_actor.items()}

    def givers(self, opaque: str) -> Sequence[Step]:
        """Return the steps that gave out an opaque tag, in order of time; those near by where there are some.

        Args:
            opaque: a tag without its quotes and weakness mark.
        """
        if self.whole is not None:
            return self._nearest(self.whole.givers(opaque))
        return self._issued.get(opaque, ())

    def naming(self, opaque: str) -> Sequence[Step]:
        """Return the steps whose answers hold an opaque tag anywhere, in order of time; as for `givers`.

        Args:
            opaque: a tag without its quotes and weakness mark.
        """
        if self.whole is not None:
            return self._nearest(self.whole.naming(opaque))
        return self._naming.get(opaque, ())

    def _nearest(self, found: Sequence[Step]) -> Sequence[Step]:
        """Return those of some steps of the whole case that lie in this stretch; without any the nearest."""
        begin = next(iter(self.steps)).order
        place = bisect_left(found, begin, key=lambda one: one.order)
        end = bisect_left(found, begin + len(self.steps), key=lambda one: one.order)
        if place < end:
            return found[place:end]
        return found[max(0, place - CASE_REACH) : place + CASE_REACH]

    @cached_property
    def _naming(self) -> dict[str, list[Step]]:
        found: dict[str, list[Step]] = {}
        for step in self.steps:
            for opaque in {tokens.opaque(value) for value in (step.etag, *step.carried) if value}:
                found.setdefault(opaque, []).append(step)
        return found

    @cached_property
    def _issued(self) -> dict[str, list[Step]]:
        return grouped((tokens.opaque(step.etag), step) for step in self.steps if step.etag is not None)


def _fingerprint(capture: Capture) -> tuple[float, str]:
    digest = hashlib.sha256()
    first = float("inf")
    for exchange in capture.exchanges[:2000]:
        started = exchange.started if exchange.started is not None else -1.0
        first = min(first, started)
        line = (
            f"{started} {exchange.request.method} {exchange.request.url} {exchange.status} "
            f"{exchange.duration}"
        )
        digest.update(line.encode("utf-8", "surrogateescape"))
    return first, digest.hexdigest()


def _with_tick(capture: Capture) -> Capture:
    """Return a capture that says so when all its times are whole seconds, whatever its format could hold."""
    times = [exchange.started for exchange in capture.exchanges if exchange.started is not None]
    if len(times) < _FEW_TIMES or not all(time == int(time) for time in times):
        return capture
    exchanges = tuple(
        exchange if exchange.resolution >= 1 else replace(exchange, resolution=1.0)
        for exchange in capture.exchanges
    )
    return replace(capture, exchanges=exchanges)


def build(captures: Iterable[Capture], dialects: Sequence[Dialect] | None = None) -> Case:
    """Build the case of some captures.

    Args:
        captures: as read; order and names do not matter.
        dialects: API families to recognise; all built-in and installed ones when left out.
    """
    given = tuple(_with_tick(capture) for capture in captures)
    order = sorted(range(len(given)), key=lambda number: _fingerprint(given[number]))
    ordered = tuple(given[number] for number in order)
    clock = pairing.offsets(ordered)
    links = pairing.links(ordered, clock) if len(ordered) > 1 else []
    vantages = _vantages(ordered, links)
    nodes = _nodes(ordered, links, vantages)
    _refine(clock, links)
    steps = _steps(ordered, clock, links, vantages, nodes)
    take_calls(steps)
    named_in_contents(steps)
    steps = _with(steps, lines_apart(steps))
    for take in (take_rows, take_reports, take_outdated, take_untraced):
        take(steps)
    held = speak(steps, dialects)
    if held:
        steps = _with(steps, held)
        take_untraced(steps)
    for step in steps:
        if step.dialect is not None:
            step.forget()
    take_by_versions(steps)
    join_versions(steps)
    targets.settle(steps)
    for settle in _SETTLES:
        settle(steps)
    owners = actors.assign(steps, ordered, vantages)
    for take in (take_by_course, take_collided):
        take(steps)
    rows = [
        Source(
            name=capture.name,
            format=capture.format,
            exchanges=len(capture.exchanges) + capture.unread,
            vantage=_seen_from(capture, vantages[number]),
            actor=owners[number],
            node=nodes[number],
            clock_offset_ms=round(clock[number] * 1000),
            warnings=capture.warnings,
            answered=_answered(capture),
        )
        for number, capture in enumerate(ordered)
    ]
    sources = _unrelated([rows[order.index(number)] for number in range(len(given))], given)
    case = Case(ordered, steps, tuple(sources))
    case.histories = _by_resource(steps)
    return case


def _with(steps: list[Step], held: Mapping[Step, Sequence[Step]]) -> list[Step]:
    """Return the steps, each followed by those that it holds, in their new order."""
    found = [one for step in steps for one in (step, *held.get(step, ()))]
    for place, step in enumerate(found):
        step.order = place
    return found


def _by_resource(steps: Iterable[Step]) -> dict[str, History]:
    found: dict[str, History] = {}
    for step in steps:
        found.setdefault(step.resource, History()).append(step)
    return found


def _unrelated(sources: Sequence[Source], captures: Sequence[Capture]) -> list[Source]:
    """Warn about files that share no resource with any other."""
    if len(sources) < 2:
        return list(sources)
    tails = [
        {bare(exchange.request.url).rpartition("/")[2] for exchange in capture.exchanges}
        for capture in captures
    ]
    rows: list[Source] = []
    for number, source in enumerate(sources):
        others = set[str]().union(*(tails[other] for other in range(len(tails)) if other != number))
        if tails[number] & others or not tails[number]:
            rows.append(source)
            continue
        text = "shares no resource with the other files: treated as a case of its own"
        rows.append(replace(source, warnings=(*source.warnings, CaptureWarning(text))))
    return rows


def _answered(capture: Capture) -> bool:
    """Tell whether a capture shows what became of any of its requests."""
    return bool(capture.unread) or any(one.response or one.error for one in capture.exchanges)


def _seen_from(capture: Capture, inferred: Vantage) -> Vantage:
    """Return where a capture was made, for the report: the lone log of a server is no client's."""
    if capture.format not in actors.SERVER_LOGS or inferred is not Vantage.CLIENT or capture.declared_vantage:
        return inferred
    proxied = any(exchange.peer for exchange in capture.exchanges)
    return Vantage.EDGE if proxied else Vantage.ORIGIN


def _vantages(captures: Sequence[Capture], links: Sequence[pairing.Link]) -> list[Vantage]:
    down = {link.down for link in links}
    up = {link.up for link in links}
    found: list[Vantage] = []
    for number, capture in enumerate(captures):
        if capture.declared_vantage is not None:
            found.append(capture.declared_vantage)
        elif number in up:
            found.append(Vantage.EDGE if number in down else Vantage.UPSTREAM)
        else:
            found.append(Vantage.CLIENT)
    return found


def _nodes(
    captures: Sequence[Capture], links: Sequence[pairing.Link], vantages: Sequence[Vantage]
) -> list[str | None]:
    """Label captures of one depth that pair with the same partner: they are nodes."""
    labels: list[str | None] = [capture.declared_node for capture in captures]
    for down in range(len(captures)):
        ups = [link.up for link in links if link.down == down and vantages[link.up] is Vantage.UPSTREAM]
        if len(ups) > 1:
            for rank, up in enumerate(sorted(ups)):
                labels[up] = labels[up] or f"node {rank + 1}"
    return labels


def _refine(clock: list[float], links: Sequence[pairing.Link]) -> None:
    """Bring the clocks of linked captures together as pairing found them; upstream ones are the reference."""
    differences: dict[int, list[tuple[int, float]]] = {}
    for link in links:
        apart = clock[link.down] - clock[link.up] + link.shift
        differences.setdefault(link.up, []).append((link.down, apart))
        differences.setdefault(link.down, []).append((link.up, -apart))
    ups = {link.up for link in links}
    roots = sorted(differences, key=lambda one: (abs(clock[one]), one not in ups, one))
    seen: set[int] = set()
    for root in roots:
        waiting = [] if root in seen else [root]
        seen.add(root)
        while waiting:
            one = waiting.pop()
            for other, apart in differences[one]:
                if other not in seen:
                    seen.add(other)
                    clock[other] = clock[one] + apart
                    waiting.append(other)


def _step(exchange: Exchange, source: int, offset: float, running: int) -> Step:
    timed = exchange.started is not None
    start = (exchange.started or 0.0) - offset if timed else float(running)
    return Step(exchange, source=source, start=start, end=start + (exchange.duration or 0.0), timed=timed)


def _clocked(capture: Capture, captures: Sequence[Capture]) -> bool:
    """Tell whether an exchange without a time stands among some that have one, and so is guessed by those.

    A log that takes its times from the answers has none for what got no answer.
    """
    return len(captures) > 1 or any(one.started is not None for one in capture.exchanges)


def _place_by_hop(step: Step, hop: Exchange, offset: float) -> None:
    """Take the time of the server's log where its clock tells finer when it was than the client's."""
    began = [one.started for one in step.hops if one.started is not None]
    # What a proxy sent again later says nothing of when the request came.
    first = hop.started is not None and hop.started <= min(began)
    if hop.started is not None and first and hop.resolution < _COARSE <= step.exchange.resolution:
        step.start = hop.started - offset
        step.end = step.start + max(step.exchange.duration or 0.0, hop.duration or 0.0)


def _steps(
    captures: Sequence[Capture],
    clock: Sequence[float],
    links: Sequence[pairing.Link],
    vantages: Sequence[Vantage],
    nodes: Sequence[str | None],
) -> list[Step]:
    downstream = [number for number in range(len(captures)) if vantages[number] is Vantage.CLIENT]
    steps: dict[tuple[int, int], Step] = {}
    partners: dict[tuple[int, int], tuple[int, int]] = {}
    for link in links:
        if link.down in downstream:
            for up_number, down_number in link.pairs.items():
                partners.setdefault((link.up, up_number), (link.down, down_number))
    for link in links:
        if vantages[link.down] is not Vantage.EDGE:
            continue
        for up_number, down_number in link.pairs.items():
            edge = (link.down, down_number)
            partners.setdefault((link.up, up_number), partners.get(edge, edge))
    last_time = 0.0
    for number, capture in enumerate(captures):
        clocked = _clocked(capture, captures)
        clocks = frozenset(link.up for link in links if link.down == number)
        for index, exchange in enumerate(capture.exchanges):
            if (number, index) in partners:
                continue
            step = _step(exchange, number, clock[number], index)
            if not step.timed and clocked:
                step.start = step.end = _guess(exchange, last_time)
            last_time = step.start
            step.vantage = vantages[number]
            step.clocks, step.node = clocks, nodes[number] or ""
            steps[number, index] = step
    for (up, up_number), partner in sorted(partners.items()):
        below = steps.get(partner)
        if below is not None and vantages[up] is not Vantage.EDGE:
            hop = captures[up].exchanges[up_number]
            below.hops.append(hop)
            _place_by_hop(below, hop, clock[up])
            below.node = below.node or (nodes[up] or "")
    for step in steps.values():
        step.hops.sort(key=lambda hop: hop.started or 0.0)
        step.resource = resource_key(step.exchange.request.url)
    _cover(captures, clock, links, vantages, steps)
    share_names(list(steps.values()))
    ordered = in_order(steps.values())
    for order, step in enumerate(ordered):
        step.order = order
    return ordered


def _guess(exchange: Exchange, fallback: float) -> float:
    from ifmatch.diagnosis.reading.dates import http_date  # noqa: PLC0415 - rare path

    date = exchange.response.fields.text("date") if exchange.response is not None else None
    seconds = http_date(date) if date else None
    return seconds if seconds is not None else fallback


def _cover(
    captures: Sequence[Capture],
    clock: Sequence[float],
    links: Sequence[pairing.Link],
    vantages: Sequence[Vantage],
    steps: dict[tuple[int, int], Step],
) -> None:
    """Mark the client's requests that an upstream capture would hold if they had gone there."""
    for link in links:
        if vantages[link.up] is not Vantage.UPSTREAM:
            continue
        ends = [one.ended for one in captures[link.up].exchanges if one.ended is not None]
        last = max(ends) - clock[link.up] if ends else float("inf")
        hosts = {
            host_of(steps[link.down, down].exchange.request.url)
            for down in link.pairs.values()
            if (link.down, down) in steps
        }
        first = _late(captures[link.up], clock[link.up], hosts, steps.values())
        begin = min(
            (one.started for one in captures[link.up].exchanges if one.started is not None), default=None
        )
        covered = [
            step
            for (source, _), step in steps.items()
            if source == link.down
            and (not step.timed or first <= step.start <= last)
            and host_of(step.exchange.request.url) in hosts
            and (begin is None or not _before(step, begin - clock[link.up]))
        ]
        # Caches do not answer writes: one that is missing here went another way, and so may reads have done.
        writes = {id(step) for step in covered if step.method not in SAFE_METHODS}
        partial = any(id(step) in writes and 200 <= step.status < 500 and not step.hops for step in covered)
        for step in covered:
            refused = id(step) in writes and not 200 <= step.status < 300
            step.covered = step.covered or not partial or refused


def _before(step: Step, begin: float) -> bool:
    """Tell whether a read came before all that an upstream capture shows, without a mark of a cache."""
    if not (step.timed and step.is_read and step.start < begin - step.exchange.resolution):
        return False
    return not (step.hops or step.lifetime or step.cache_marked)


def _late(capture: Capture, clock: float, hosts: set[str], steps: Iterable[Step]) -> float:
    """Return when an upstream capture began if a write that it lacks shows that it began late, else -inf."""
    starts = [one.started for one in capture.exchanges if one.started is not None]
    first = min(starts) - clock if starts else float("-inf")
    missed = any(
        step.accepted
        and step.timed
        and not step.hops
        and step.end < first
        and step.vantage is Vantage.CLIENT
        and host_of(step.exchange.request.url) in hosts
        for step in steps
    )
    return first if missed else float("-inf")
