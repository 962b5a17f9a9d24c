"""Make the timeline of a resource for reports: who read and wrote what, what the refused token meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.reading import tokens
from ifmatch.model.timeline import EventKind, Timeline, TimelineEvent, Version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

_MOST = 200


def _kind(step: Step) -> EventKind:
    if step.status == 0:
        return EventKind.UNANSWERED
    if step.missing or step.status in {404, 410}:
        return EventKind.MISSING
    if step.is_read:
        if step.status == 304:
            return EventKind.NOT_MODIFIED
        return EventKind.READ if step.read_ok else EventKind.REFUSED if step.refused else EventKind.FAILED
    if step.accepted:
        return (
            EventKind.DELETE
            if step.method == "DELETE"
            else EventKind.WRITE
            if step.replaces
            else EventKind.OTHER
        )
    if step.status in {412, 428, 409, 423}:
        return EventKind.REFUSED
    return EventKind.FAILED if step.is_write else EventKind.OTHER


class _Versions:
    def __init__(self) -> None:
        self.found: list[Version] = []
        self.by_tag: dict[str, int] = {}

    def label(self, tag: str) -> str:
        number = self.by_tag.get(_key(tag))
        return self.found[number].label if number is not None else ""

    def see(self, step: Step) -> str:
        tag = step.etag
        if tag is None and step.header("last-modified") is not None and (step.read_ok or step.accepted):
            tag = step.header("last-modified")
        made = step.changes and step.method != "DELETE"
        if tag is None:
            if made:
                return self._add(step, (), made=True)
            return ""
        key = _key(tag)
        if key in self.by_tag:
            number = self.by_tag[key]
            version = self.found[number]
            if tag not in version.validators:
                self.found[number] = Version(
                    version.label,
                    (*version.validators, tag),
                    version.first_seen,
                    version.made_by,
                    version.made_at,
                )
            return version.label
        label = self._add(step, (tag,), made=made)
        self.by_tag[key] = len(self.found) - 1
        return label

    def _add(self, step: Step, validators: tuple[str, ...], *, made: bool) -> str:
        label = f"v{len(self.found) + 1}"
        self.found.append(
            Version(
                label,
                validators,
                step.start if step.timed else None,
                step.actor if made else "",
                step.at if made else None,
            )
        )
        return label


def _key(tag: str) -> str:
    return tokens.strip_suffix(tokens.opaque(tag))[0]


def _window(facts: Facts) -> Sequence[Step]:
    history = facts.history
    if len(history) <= _MOST:
        return history
    middle = history.index(facts.step)
    return history[max(0, middle - _MOST // 2) : middle + _MOST // 2]


def timeline_of(facts: Facts) -> Timeline:
    """Return the timeline around an incident.

    Args:
        facts: of the incident.
    """
    history = facts.history
    if len(history) > _MOST:
        return _timeline(facts)
    # All of a short history is shown, whichever of its requests is looked at.
    known = history.kept.get("timeline")
    if not isinstance(known, Timeline) or known.resource != facts.step.resource:
        known = history.kept["timeline"] = _timeline(facts)
    return known


def _timeline(facts: Facts) -> Timeline:
    versions = _Versions()
    events: list[TimelineEvent] = []
    issued: dict[tuple[str, str], Step] = {}
    for step in _window(facts):
        kind = _kind(step)
        shows = step.read_ok or step.accepted
        guard = step.guard if step.is_write else next(iter(step.conditions), None)
        token = guard.tokens[0] if guard is not None and guard.tokens else ""
        # What this actor was given itself comes before what somebody else was given.
        origin = issued.get((step.actor, token)) or issued.get(("", token))
        meant = versions.label(token) if token else ""
        label = versions.see(step) if shows else ""
        if shows:
            for tag in (*step.issued(), step.header("last-modified")):
                if tag is not None:
                    issued[step.actor, tag] = issued["", tag] = step
        events.append(
            TimelineEvent(
                at=step.start if step.timed else None,
                until=step.end if step.timed else None,
                actor=step.actor,
                kind=kind,
                method=step.method,
                status=step.status,
                version=label,
                presented=guard.shown() if guard is not None else "",
                token_from=origin.at if origin is not None else None,
                token_version=meant,
                provenance=step.at,
                note="from a cache" if step.is_read and facts.from_cache(step) else "",
            )
        )
    actors = tuple(dict.fromkeys(event.actor for event in events))
    return Timeline(facts.step.resource, actors, tuple(versions.found), tuple(events))
