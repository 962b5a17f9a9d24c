"""Restrict a report to what the user pointed at; the evidence stays whole."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ifmatch.model.diagnosis import Advice, Benign, Diagnosis, Incident
    from ifmatch.model.exchange import Capture, Exchange, Provenance

__all__ = ["Selection", "parse_time", "unmatched", "url_matches"]

_AGO: Final = late_pattern(r"(\d+)\s*(s|m|h|d|w)")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class Selection:
    """What to report.

    Attributes:
        entries: 0-based entries; empty for all.
        url: glob, "" for all.
        since: seconds since the epoch, None for all.
    """

    entries: frozenset[int] = frozenset()
    url: str = ""
    since: float | None = None

    @property
    def is_everything(self) -> bool:
        """Tell whether nothing is left out."""
        return not self.entries and not self.url and self.since is None

    def of(self, diagnosis: Diagnosis, exchanges: Mapping[Provenance, Exchange]) -> Diagnosis:
        """Return the diagnosis with the selected incidents, benign answers and advice.

        Args:
            diagnosis: of the whole evidence.
            exchanges: where each exchange stands, for the URL and time of what is no incident.
        """
        if self.is_everything:
            return diagnosis
        return replace(
            diagnosis,
            incidents=_without_dangling(tuple(i for i in diagnosis.incidents if self._incident(i))),
            benign=tuple(b for b in diagnosis.benign if self._place(b, exchanges)),
            advice=tuple(a for a in diagnosis.advice if self._place(a, exchanges)),
        )

    def _incident(self, incident: Incident) -> bool:
        places = [incident.exchange, *(attempt.at_entry for attempt in incident.attempts)]
        if self.entries and not any(place.entry in self.entries for place in places):
            return False
        if self.url and not url_matches(incident.resource, self.url):
            return False
        if self.since is None:
            return True
        times = [incident.at, *(attempt.at for attempt in incident.attempts)]
        known = [time for time in times if time is not None]
        return not known or max(known) >= self.since

    def _place(self, said: Benign | Advice, exchanges: Mapping[Provenance, Exchange]) -> bool:
        if said.at is None:
            return True
        if self.entries and said.at.entry not in self.entries:
            return False
        exchange = exchanges.get(said.at)
        if exchange is None:
            return True
        if self.url and not url_matches(exchange.request.url, self.url):
            return False
        return self.since is None or exchange.started is None or exchange.started >= self.since


def _without_dangling(incidents: tuple[Incident, ...]) -> tuple[Incident, ...]:
    # A fold onto an incident that is not shown would hide this one too.
    shown = {incident.id for incident in incidents}
    renamed: dict[str, str] = {}
    kept: list[Incident] = []
    for incident in incidents:
        head = incident.same_cause_as
        if head is not None and head not in shown:
            head = renamed.setdefault(head, incident.id)
            head = None if head == incident.id else head
        kept.append(replace(incident, same_cause_as=head))
    return tuple(kept)


def unmatched(selection: Selection, captures: Sequence[Capture]) -> Iterator[str]:
    """Yield a sentence for each choice that no exchange fits: "no incident" would mislead then.

    Args:
        selection: what the user asked for.
        captures: what was read; with exchanges that were left unread, nothing is said.
    """
    exchanges = [exchange for capture in captures for exchange in capture.exchanges]
    if not exchanges or any(capture.unread for capture in captures):
        return
    if selection.url and not any(url_matches(one.request.url, selection.url) for one in exchanges):
        yield f"--url {selection.url}: none of the {len(exchanges)} exchanges has such a URL"
    times = [one.started for one in exchanges if one.started is not None]
    if selection.since is not None and times and max(times) < selection.since:
        last = datetime.fromtimestamp(max(times), UTC).isoformat(timespec="seconds")
        yield f"--since: the last of the {len(exchanges)} exchanges began before, at {last}"


def url_matches(url: str, pattern: str) -> bool:
    """Tell whether a URL is meant by a pattern.

    Args:
        url: absolute, or the target of a request.
        pattern: without `*`, `?` or `[`, a part of the URL; with `://`, a glob for the whole URL; else a
            glob for path and query.
    """
    if not any(character in pattern for character in "*?["):
        return pattern in url
    if "://" in pattern:
        return fnmatch.fnmatchcase(url, pattern)
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(parts.path, pattern)


def parse_time(text: str, now: datetime) -> float:
    """Return seconds since the epoch.

    Args:
        text: ISO 8601 (UTC unless it names an offset), seconds since the epoch, or an age such as `30m`,
            `2h`, `1d`.
        now: aware; ages count from here.

    Raises:
        ValueError: when it is none of these.
    """
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        return (now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})).timestamp()
    if re.fullmatch(r"\d{9,11}(\.\d+)?", text):
        return float(text)
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()
