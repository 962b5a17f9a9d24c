"""Choose and ask the questions until the cause is clear, nothing is left to ask, or the budget is spent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ifmatch.core.entity_tag import is_entity_tag
from ifmatch.diagnosis import diagnose
from ifmatch.diagnosis.reading import tokens
from ifmatch.doctor.probes import PROBES, Known, clock_offset, observe
from ifmatch.errors import BudgetSpentError, TargetUnreachableError
from ifmatch.model.diagnosis import HopAnswer, LiveFindings, ProbeAnswer
from ifmatch.model.exchange import Capture, Exchange, Provenance
from ifmatch.model.message import Content, Fields, Response
from ifmatch.model.unknown import UNKNOWN
from ifmatch.wire import origin_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ifmatch.doctor.failing import Failing
    from ifmatch.doctor.hops import HopTable
    from ifmatch.doctor.probes import Probe
    from ifmatch.model.diagnosis import Diagnosis, Incident
    from ifmatch.model.finding import Attested
    from ifmatch.model.message import Request
    from ifmatch.wire import Sender

__all__ = ["Asked", "LiveDiagnosis"]

_ENOUGH: Final = 0.95
_ALWAYS: Final = ("read", "identity")
_MOST_REDIRECTS: Final = 5
_LONGEST_PAUSE: Final = 10.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was asked, and what came of it.

    Attributes:
        probe: the question.
        exchanges: what was sent and answered.
        settled: what the answers show, in a sentence.
        diagnosis: of everything known then.
    """

    probe: Probe
    exchanges: tuple[Exchange, ...]
    settled: str
    diagnosis: Diagnosis


class LiveDiagnosis:
    """Ask about one failing request.

    Args:
        failing: the request.
        sender: sends, within its budget.
        known: what the probes need.
        evidence: captures that belong to the case; the one that holds `failing.recorded` takes the probes in.
        sleep: waits the given seconds, when the server asks for a pause.
        base: content of the version that the edit was made on, as the user gives it; it counts as what the
            refused token was read with.
        attested: what hops said that were asked by themselves.
    """

    def __init__(
        self,
        failing: Failing,
        sender: Sender,
        known: Known,
        *,
        evidence: Sequence[Capture] = (),
        sleep: Callable[[float], None],
        base: bytes | None = None,
        attested: Sequence[Attested] = (),
    ) -> None:
        self.failing = failing
        self.attested = tuple(attested)
        self.base = base
        self.sender = sender
        self.known = known
        self.evidence = tuple(evidence)
        self.asked: list[Asked] = []
        self.stopped = ""
        self._sleep = sleep
        self._write: Exchange | None = None

    def send(self) -> Exchange:
        """Send the failing request itself, once.

        Raises:
            BudgetSpentError: nothing may be sent any more.
            TargetUnreachableError: no connection came up.
        """
        self._write = self.sender.send(self.failing.request, route=self.failing.route)
        return self._write

    def run(self) -> Iterator[Asked]:
        """Ask, one question after the other, the most telling first.

        Raises:
            TargetUnreachableError: the server cannot be asked at all.
            ConsentMissingError: the address is not allowed.
        """
        left = list(PROBES)
        diagnosis: Diagnosis | None = None
        while (probe := self._next(left, diagnosis)) is not None:
            left.remove(probe)
            requests = probe.requests(self.known)
            if not requests:
                continue
            try:
                exchanges = tuple(self._exchange(probe, request) for request in requests)
            except BudgetSpentError as error:
                self.stopped = str(error)
                return
            self.known.seen[probe.id] = [observe(exchange) for exchange in exchanges]
            diagnosis = self.diagnosis()
            asked = Asked(probe, exchanges, probe.settles(self.known, exchanges), diagnosis)
            self.asked.append(asked)
            yield asked

    def _exchange(self, probe: Probe, request: Request) -> Exchange:
        route = self.failing.route
        if probe.protocols:
            route = replace(route, application_protocols=probe.protocols)
        exchange = self.sender.send(request, route=route, fresh=probe.fresh)
        exchange = self._patiently(exchange, request)
        return self._followed(exchange, request) if self.failing.follow else exchange

    def _patiently(self, exchange: Exchange, request: Request) -> Exchange:
        """Wait as the server asks and ask once more; longer pauses are left to the user."""
        if exchange.status not in {429, 503} or exchange.response is None:
            return exchange
        text = (exchange.response.fields.text("retry-after") or "").strip()
        if not text.isdigit() or float(text) > min(_LONGEST_PAUSE, self.sender.budget.seconds_left):
            return exchange
        self._sleep(float(text))
        return self.sender.send(request, route=self.failing.route)

    def _followed(self, exchange: Exchange, request: Request) -> Exchange:
        """Follow redirects within the origin; fields never go to another one."""
        for _ in range(_MOST_REDIRECTS):
            response = exchange.response
            if response is None or response.status not in {301, 302, 303, 307, 308} or not response.redirect:
                break
            target = _within(request.url, response.redirect)
            if not target:
                break
            request = replace(request, url=target)
            exchange = self.sender.send(request, route=self.failing.route)
        return exchange

    def _next(self, left: list[Probe], diagnosis: Diagnosis | None) -> Probe | None:
        if not left or self.sender.budget.is_spent:
            self.stopped = self.stopped or ("" if not left else "the budget is spent")
            return None
        # Who names the origin of a script asks what that script may send and see.
        wanted = (*_ALWAYS, "browser") if self.known.origin else _ALWAYS
        due = [probe for probe in left if probe.id in wanted]
        if due:
            return due[0]
        open_causes = _open(diagnosis, self.incident)
        if open_causes and max(open_causes.values()) >= _ENOUGH:
            return None
        return max(left, key=lambda probe: sum(open_causes.get(cause, 0.01) for cause in probe.separates))

    def diagnosis(self) -> Diagnosis:
        """Diagnose everything known: the captures, the write as sent or as told, and the answers."""
        return diagnose(self.captures(), attested=self.attested)

    def captures(self) -> list[Capture]:
        """Return everything known as captures."""
        write = self._write or (self._told() if self.failing.recorded is None else None)
        probes = [one for one in self.sender.exchanges if one is not self._write]
        if self.failing.recorded is None:
            own = [one for one in (self._told_read(), write, *probes) if one is not None]
            if self._write is not None:
                own.sort(key=lambda one: one.started or 0.0)
            return [*self.evidence, Capture(self.sender.source, "live", tuple(own))]
        extra = ([self._write] if self._write is not None else []) + probes
        home = self.failing.recorded.provenance.source
        return [
            replace(one, exchanges=(*one.exchanges, *extra)) if one.name == home else one
            for one in self.evidence
        ]

    @property
    def incident(self) -> Incident | None:
        """Return the incident of the failing request in the last diagnosis, None before and without one."""
        if not self.asked:
            return None
        incidents = self.asked[-1].diagnosis.incidents
        if self.failing.recorded is not None:
            place = self.failing.recorded.provenance
            for incident in incidents:
                if place in (incident.exchange, *(attempt.at_entry for attempt in incident.attempts)):
                    return incident
        return incidents[0] if incidents else None

    def _told(self) -> Exchange:
        """Return the failing request as the user told it: sent before now, and answered with its status."""
        known = [one.started for one in self.sender.exchanges if one.started is not None]
        answer = Response(self.failing.status, fields=Fields(complete=False), content=UNKNOWN)
        return Exchange(
            provenance=Provenance("the command", 0),
            request=self.failing.request,
            response=answer,
            started=min(known) - 1.0 if known else None,
            duration=0.05,
        )

    def _told_read(self) -> Exchange | None:
        """Return the read that the edit rests on: the user gives its content, the refused token is its tag.

        A token that no server gives out as it stands (damaged, a list) tells of no read.
        """
        tag, first = self.known.refused_tag, self._told().started
        if self.base is None or first is None or is_entity_tag(tag) is None or tokens.null_word(tag):
            return None
        fields = [("ETag", tag)]
        kind = self.failing.request.fields.text("content-type")
        fields += [("Content-Type", kind)] if kind and "patch" not in kind else []
        return Exchange(
            provenance=Provenance("--base", 0),
            request=self.failing.read(),
            response=Response(
                200, fields=Fields(fields, complete=False), content=Content.from_octets(self.base)
            ),
            started=first - 1.0,
            duration=0.05,
        )

    def findings(self, hops: HopTable | None = None) -> LiveFindings:
        """Return what was asked, for the report.

        Args:
            hops: of `compare_hops`, when hops were named.
        """
        rows = hops.hops if hops is not None else ()
        return LiveFindings(
            probes=tuple(
                ProbeAnswer(one.probe.id, one.probe.asks, one.settled, len(one.exchanges))
                for one in self.asked
            ),
            hops=tuple(
                HopAnswer(row.name, row.coded.shown(), row.identity.shown(), row.head.shown()) for row in rows
            ),
            differences=hops.differences if hops is not None else (),
            clock_offset=self.clock_offset,
            sent=self._write is not None,
            stopped=self.stopped,
        )

    @property
    def clock_offset(self) -> float | None:
        """Return how many seconds the server's clock is ahead of ours; None when it is not known."""
        offsets = [offset for one in self.sender.exchanges if (offset := clock_offset(one)) is not None]
        # Date has whole seconds: the true offset is up to a second more.
        return sorted(offsets)[len(offsets) // 2] + 0.5 if offsets else None


def _within(url: str, location: str) -> str:
    """Return where a redirect leads within the origin, "" when it leads elsewhere or nowhere."""
    from urllib.parse import urljoin  # noqa: PLC0415 - redirects are rare

    try:
        target = urljoin(url, location)
        same = origin_of(target) == origin_of(url)
    except (ValueError, TargetUnreachableError):
        return ""
    return target if same else ""


def _open(diagnosis: Diagnosis | None, incident: Incident | None) -> dict[str, float]:
    if diagnosis is None or incident is None:
        return {}
    return {finding.cause: finding.likelihood for finding in incident.findings}
