"""Say what all reports say alike: times, places, headlines, and wire data made harmless."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ifmatch.model.catalogue import causes
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.grouped import grouped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.model.diagnosis import Diagnosis, HopAnswer, Incident, LiveFindings, Suppression
    from ifmatch.model.exchange import CaptureWarning, Provenance, Source
    from ifmatch.model.finding import Finding

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Cc control, Cf format (bidirectional overrides, zero width), Cs lone surrogates, Zl and Zp line breaks.
_HARMFUL: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_BLANK: Final = frozenset("\t\n\r")

_OUTCOMES: Final = {
    Outcome.LOST_UPDATE: "Another change was overwritten",
    Outcome.LOST_WRITE: "The write was confirmed but not stored",
    Outcome.WRONG_CONTENT: "Content of the wrong version was used",
    Outcome.WRONG_NOT_MODIFIED: "Changed content was reported as not modified",
    Outcome.REFUSED: "The request was refused",
    Outcome.ERROR: "The request failed",
    Outcome.RECOVERED: "A refusal that was recovered from",
}

_AGAIN: Final = "Unchanged content was sent again"
_SAFE: Final = frozenset({"GET", "HEAD"})

REPAIR_WORDS: Final = {
    "allowed": "a tool may do it unasked: read again, re-apply the change, send it with the fresh validator",
    "already-applied": "the change is already stored; do not send it again",
    "ask": "a person must agree first; the change may touch someone else's work",
    "forbidden": "an unattended retry can lose data; act by hand",
    "none": "nothing to repair",
}


def neutralise(text: str) -> str:
    r"""Make text of the wire harmless on a terminal and in a file.

    Line breaks and tabs become a space; other control characters, bidirectional and invisible format
    characters, line separators and lone surrogates become visible escapes such as `\x1b` or `\u202e`.

    Args:
        text: any text.

    Returns:
        One line without control characters.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if character in _BLANK:
        return " "
    code = ord(character)
    # The last two code points of each plane are noncharacters; XML 1.0 section 2.2 forbids U+FFFE and U+FFFF.
    if unicodedata.category(character) not in _HARMFUL and code & 0xFFFE != 0xFFFE:
        return character
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def outcome(incident: Incident) -> str:
    """Return what an incident did, in a few words.

    A read that was answered did not fail: its whole answer was needless where 304 was due (RFC 9110
    section 13.2.2, step 3).

    Args:
        incident: any.
    """
    if incident.outcome is Outcome.ERROR and incident.method in _SAFE and 200 <= incident.status < 300:
        return _AGAIN
    return _OUTCOMES[incident.outcome]


def command_lines(command: str) -> list[str]:
    """Return the lines of a command, each made harmless; a command is never wrapped.

    Args:
        command: a shell command, perhaps of several lines.
    """
    return [neutralise(line) for line in command.split("\n") if line.strip()]


@lru_cache(maxsize=1024)
def timestamp(seconds: float | None) -> str | None:
    """Return a time as RFC 3339 in UTC with milliseconds.

    Args:
        seconds: since the epoch; None when unknown.

    Returns:
        Such as `2026-03-10T09:14:11.003Z`; None when unknown or beyond the calendar.
    """
    if seconds is None:
        return None
    try:
        moment = _EPOCH + timedelta(milliseconds=round(seconds * 1000))
    except (OverflowError, ValueError):
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def place(at: Provenance | None, field: str = "") -> str:
    """Return where something stands, such as `bug.har entry 3, ETag`.

    Args:
        at: the place, None when it concerns the whole case.
        field: name of the field that shows it, "" when none.

    Returns:
        The place, harmless; "" when nothing is known.
    """
    parts: list[str] = []
    if at is not None:
        where = at.source
        if at.entry is not None:
            where += f" entry {at.entry}"
        if at.line is not None:
            where += f" line {at.line}"
        parts.append(where)
    if field:
        parts.append(field)
    return neutralise(", ".join(parts))


def title(cause_id: str) -> str:
    """Return the headline of a cause, the id itself when the catalogue has none."""
    record = causes().get(cause_id)
    return record.title if record is not None and record.title else neutralise(cause_id)


def named(cause_id: str) -> str:
    """Return the headline of a cause with its id in parentheses."""
    headline = title(cause_id)
    return headline if headline == neutralise(cause_id) else f"{headline} ({cause_id})"


def percent(likelihood: float) -> str:
    """Return a probability in whole per cent; only certainty is called 0 or 100.

    Args:
        likelihood: 0 to 1.
    """
    if 0.99 < likelihood < 1:
        return "> 99 %"
    if 0 < likelihood < 0.01:
        return "< 1 %"
    return f"{likelihood * 100:.0f} %"


def sureness(finding: Finding) -> str:
    """Return level and likelihood of a finding, such as `high, 94 %`."""
    return f"{finding.level.value}, {percent(finding.likelihood)}"


def request_line(incident: Incident) -> str:
    """Return method, resource and answer of an incident on one line."""
    request = f"{incident.method} {incident.resource or '(resource unknown)'}".strip()
    if incident.hearsay and not incident.status:
        return neutralise(request)
    return neutralise(f"{request} -> {incident.status or 'no answer'}")


def circumstances(incident: Incident) -> str:
    """Return when, where and by whom, as far as known."""
    parts = [timestamp(incident.at) or "", place(incident.exchange)]
    if incident.actor:
        parts.append(f"actor {neutralise(incident.actor)}")
    if len(incident.attempts) > 1:
        parts.append(f"{len(incident.attempts)} attempts")
    if incident.suppressed is not None:
        parts.append(suppression(incident.suppressed))
    return ", ".join(part for part in parts if part)


def suppression(suppressed: Suppression) -> str:
    """Return why an incident fails nothing, in one line."""
    until = f" until {suppressed.until.isoformat()}" if suppressed.until is not None else ""
    return neutralise(f"suppressed{until} by {suppressed.by}: {suppressed.reason}")


def live_lines(live: LiveFindings) -> list[str]:
    """Return what is to be said of a live run beside its questions."""
    lines = [*live.differences]
    if live.clock_offset is not None and abs(live.clock_offset) > 2:
        side = "ahead of" if live.clock_offset > 0 else "behind"
        lines.append(f"the server's clock is {abs(live.clock_offset):.0f} s {side} this machine's")
    if not live.sent:
        lines.append("the failing request itself was not sent")
    if live.stopped:
        lines.append(f"no more was asked: {live.stopped}")
    return [neutralise(line) for line in lines]


def hop_line(hop: HopAnswer) -> str:
    """Return what a hop answers, in one line."""
    return neutralise(f"{hop.name}: coded {hop.coded}; identity {hop.identity}; HEAD {hop.head}")


def counted(number: int, noun: str) -> str:
    """Return a number with its noun in singular or plural."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def source_line(source: Source) -> str:
    """Return what one source is and how it was understood."""
    parts = [f"{source.format}, {counted(source.exchanges, 'exchange')}, seen at {source.vantage.value}"]
    if source.actor:
        parts.append(f"actor {source.actor}")
    if source.node:
        parts.append(f"node {source.node}")
    if source.clock_offset_ms:
        parts.append(f"clock {source.clock_offset_ms:+d} ms")
    return neutralise(f"{source.name}: {', '.join(parts)}")


def checked(diagnosis: Diagnosis) -> str:
    """Return what was looked at when nothing was found."""
    exchanges = sum(source.exchanges for source in diagnosis.sources)
    if not exchanges:
        return (
            "Nothing was checked: the evidence holds no exchange. "
            "Record the request and its answer, then try again."
        )
    looked = f"Checked {counted(exchanges, 'exchange')} in {counted(len(diagnosis.sources), 'source')}"
    looked += " for refused, overwritten, lost and wrongly answered conditional requests."
    if not any(source.answered for source in diagnosis.sources):
        return (
            f"{looked} No answer is in the evidence, so it cannot tell whether a request was refused. "
            "Record the answers too: curl -v, or HAR from a browser."
        )
    benign = len(diagnosis.benign)
    if not benign:
        return f"{looked} All is well."
    need = "needs" if benign == 1 else "need"
    return f"{looked} {counted(benign, 'answer')} that may look like trouble {need} no action."


def benign_groups(diagnosis: Diagnosis, *, shown: int = 5) -> list[tuple[str, str, str]]:
    """Group benign answers with the same status and reason.

    Args:
        diagnosis: the finished diagnosis.
        shown: how many places of a group to name; the others are counted.

    Returns:
        Status, places and reason of each group, harmless, in order of the first of each.
    """
    groups = grouped(((benign.status, benign.why), place(benign.at)) for benign in diagnosis.benign)
    lines: list[tuple[str, str, str]] = []
    for (status, why), places in groups.items():
        more = f" and {len(places) - shown} more" if len(places) > shown else ""
        where = "; ".join(places[:shown]) + more
        lines.append((str(status) if status else "no answer", where, neutralise(why)))
    return lines


def folded(incidents: Sequence[Incident]) -> list[tuple[Incident, list[Incident]]]:
    """Group incidents by `same_cause_as`, the order of the report kept.

    Args:
        incidents: in the order of the report.

    Returns:
        Each incident to be told in full with those that have the same cause. A link that leads
        nowhere, or in a circle, folds nothing.
    """
    by_id = {incident.id: incident for incident in incidents}
    groups: dict[str, list[Incident]] = {}
    heads: list[Incident] = []
    for incident in incidents:
        root = _root(incident, by_id)
        if root is incident:
            heads.append(incident)
        else:
            groups.setdefault(root.id, []).append(incident)
    return [(head, groups.get(head.id, [])) for head in heads]


def _root(incident: Incident, by_id: dict[str, Incident]) -> Incident:
    seen = {incident.id}
    current = incident
    while current.same_cause_as is not None:
        following = by_id.get(current.same_cause_as)
        if following is None:
            return current
        if following.id in seen:
            return incident
        seen.add(following.id)
        current = following
    return current


def warning_line(warning: CaptureWarning) -> str:
    """Return a warning with its place within its source."""
    parts: list[str] = []
    if warning.entry is not None:
        parts.append(f"entry {warning.entry}")
    if warning.line is not None:
        parts.append(f"line {warning.line}")
    if warning.offset is not None:
        parts.append(f"octet {warning.offset}")
    text = neutralise(warning.text)
    return f"{', '.join(parts)}: {text}" if parts else text
