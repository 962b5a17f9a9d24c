"""Ask a live server for `ifmatch diagnose`: what is sent, what it settled, and what is known afterwards."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from ifmatch.cli.live_options import (
    failing_of_command,
    hop_routes,
    make_budget,
    make_sender,
    nonce,
    read_file,
    with_route,
)
from ifmatch.cli.terminal import is_terminal, say
from ifmatch.errors import BudgetSpentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ifmatch.cli.live_options import LiveOptions
    from ifmatch.cli.selection import Selection
    from ifmatch.doctor import Asked, Failing, HopTable, LiveDiagnosis
    from ifmatch.model.diagnosis import Incident, LiveFindings
    from ifmatch.model.exchange import Capture, Exchange
    from ifmatch.model.finding import Attested
    from ifmatch.wire import Budget, Route

__all__ = ["Answered", "ask", "incident_exchange"]


@dataclass(frozen=True, slots=True)
class Answered:
    """What is known when a server was asked.

    Attributes:
        captures: with the answers.
        findings: for the report.
        attested: what hops said that were asked by themselves.
    """

    captures: tuple[Capture, ...]
    findings: LiveFindings
    attested: tuple[Attested, ...]


def ask(
    words: Sequence[str], options: LiveOptions, captures: Sequence[Capture], selection: Selection
) -> Answered:
    """Ask the server about a command, a URL, or the first incident of captures.

    Args:
        words: program and arguments, or one URL; empty to ask about captures.
        options: what the user allowed and named.
        captures: as read.
        selection: which incident is meant.

    Returns:
        Everything known, and what was asked.

    Raises:
        TargetUnreachableError: the server cannot be asked.
        ConsentMissingError: the address is not allowed.
    """
    from ifmatch.doctor import LiveDiagnosis
    from ifmatch.doctor.probes import Known

    failing = (
        failing_of_command(words, options, say)
        if words
        else _failing_of_captures(captures, options, selection)
    )
    routes = hop_routes(failing, options)
    budget = make_budget(options)
    hops, problem = _hops(failing, options, routes, budget, typed=bool(words))
    attested = hops.attested if hops is not None else ()
    with make_sender(options, typed=bool(words), budget=budget) as sender:
        known = Known(failing, nonce=nonce(), origin=options.origin or _origin(failing))
        base = read_file(options.base) if options.base else None
        run = LiveDiagnosis(
            failing, sender, known, evidence=captures, sleep=time.sleep, base=base, attested=attested
        )
        run.stopped = problem
        _send(run, failing, options)
        for asked in run.run():
            _show(asked, run)
        return Answered(tuple(run.captures()), run.findings(hops), attested)


def _failing_of_captures(captures: Sequence[Capture], options: LiveOptions, selection: Selection) -> Failing:
    from ifmatch.diagnosis import diagnose
    from ifmatch.doctor import from_exchange

    exchanges = {exchange.provenance: exchange for capture in captures for exchange in capture.exchanges}
    diagnosis = selection.of(diagnose(captures), exchanges)
    if not diagnosis.incidents:
        raise click.UsageError("--live: there is no incident to ask about in these recordings.")
    exchange = incident_exchange(diagnosis.incidents[0], exchanges.values())
    given = [
        (name.strip(), value.strip()) for name, _, value in (one.partition(":") for one in options.headers)
    ]
    return with_route(from_exchange(exchange, credentials=given, captured=options.use_captured_auth), options)


def incident_exchange(incident: Incident, exchanges: Iterable[Exchange]) -> Exchange:
    """Return the exchange that an incident is about.

    Raises:
        click.UsageError: it stands in no source.
    """
    for exchange in exchanges:
        if exchange.provenance == incident.exchange:
            return exchange
    raise click.UsageError("The request of this incident stands in none of the sources.")


def _origin(failing: Failing) -> str:
    return (failing.request.fields.text("origin") or "").strip()


def _send(run: LiveDiagnosis, failing: Failing, options: LiveOptions) -> None:
    from ifmatch.capture.redact import Redactor

    request = failing.request
    shown = f"{request.method} {Redactor().url(request.url)}"
    if options.send or failing.is_safe:
        say(f"sending {shown} once, as --send allows" if options.send else f"sending {shown}")
        exchange = run.send()
        say(f"  {exchange.status or exchange.error}")
    elif failing.recorded is None:
        say(f"{shown} is not sent (see --send) and counts as {failing.status}")


def _show(asked: Asked, run: LiveDiagnosis) -> None:
    say(f"{asked.probe.asks}\n  {asked.settled}")
    incident = run.incident
    first = incident.findings[0] if incident is not None and incident.findings else None
    if first is not None and is_terminal(sys.stderr):
        say(f"  so far: {first.cause}, {first.likelihood:.0%}")


def _hops(
    failing: Failing, options: LiveOptions, routes: dict[str, Route], budget: Budget, *, typed: bool
) -> tuple[HopTable | None, str]:
    """Ask the hops, before anything else; return what they said, or why there was too little to ask with."""
    from ifmatch.doctor import compare_hops
    from ifmatch.doctor.hops import REQUESTS_EACH

    if not routes:
        return None, ""
    # Their answers are no traffic of the program: a sender of their own keeps them apart.
    with make_sender(options, typed=typed, source="hops", budget=budget) as sender:
        try:
            return compare_hops(failing, sender, routes), ""
        except BudgetSpentError as error:
            return None, f"{error}; the hops need {REQUESTS_EACH * (len(routes) + 1)}, see --budget"
