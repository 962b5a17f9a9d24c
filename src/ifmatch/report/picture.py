"""Lay out the picture of a resource's versions over time, as numbers that the page's template draws.

Columns follow the order of events, not their distance in time: an idle hour would leave nothing to see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ifmatch.model.timeline import EventKind
from ifmatch.report.words import neutralise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.model.timeline import Timeline, TimelineEvent

MOST: Final = 60
COLUMN: Final = 104
LEFT: Final = 20
LANE: Final = 104
BAND: Final = 44
HUES: Final = 6
_MARKS: Final = {
    EventKind.READ: "read",
    EventKind.NOT_MODIFIED: "read",
    EventKind.WRITE: "write",
    EventKind.DELETE: "write",
    EventKind.REFUSED: "refused",
    EventKind.UNANSWERED: "lost",
    EventKind.MISSING: "lost",
    EventKind.FAILED: "lost",
    EventKind.OTHER: "other",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One event in the picture; lengths are pixels.

    Attributes:
        row: number of its row in the table, from 0.
        x: middle of its column.
        y: its actor's lane.
        kind: class for the style.
        label: method and status.
        version: label of the version that it read or made, "" for none.
        hue: colour number of that version.
        token: label of the version whose token it carried, "" when not known.
        token_hue: colour number of that version.
        stale: the token names another version than the one that was current.
        back_to: path of the line to the event that issued the token, "" when that was not seen.
        words: for a reader that sees no picture.
    """

    row: int
    x: int
    y: int
    kind: str
    label: str
    version: str
    hue: int
    token: str
    token_hue: int
    stale: bool
    back_to: str
    words: str


@dataclass(frozen=True, slots=True)
class Span:
    """A version on the top lane, from the column where it was first seen to the next one's."""

    label: str
    validator: str
    hue: int
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class Picture:
    """What the template draws; lengths are pixels.

    Attributes:
        width: of the drawing.
        height: of the drawing.
        lanes: name and y of each actor.
        spans: the versions.
        marks: the events.
        left_out: how many events were left out.
    """

    width: int
    height: int
    lanes: tuple[tuple[str, int], ...]
    spans: tuple[Span, ...]
    marks: tuple[Mark, ...]
    left_out: int


def picture_of(timeline: Timeline) -> Picture:
    """Lay out a timeline.

    Args:
        timeline: of one incident.
    """
    chosen = _chosen(timeline.events)
    present = {event.actor for _, event in chosen}
    actors = [actor for actor in timeline.actors if actor in present] or [""]
    lanes = {actor: BAND + LANE * (place + 1) - 14 for place, actor in enumerate(actors)}
    columns = {number: LEFT + COLUMN * place + COLUMN // 2 for place, (number, _) in enumerate(chosen)}
    width = LEFT + COLUMN * max(1, len(chosen)) + 20
    return Picture(
        width=width,
        height=BAND + LANE * len(lanes) + 44,
        lanes=tuple((neutralise(actor), y) for actor, y in lanes.items()),
        spans=_spans(timeline, chosen, columns, width),
        marks=_marks(timeline, chosen, columns, lanes),
        left_out=len(timeline.events) - len(chosen),
    )


def _chosen(events: Sequence[TimelineEvent]) -> list[tuple[int, TimelineEvent]]:
    """Thin a long history: what writes, is refused or missing stays, and what stands beside it."""
    numbered = list(enumerate(events))
    if len(numbered) <= MOST:
        return numbered
    quiet = {EventKind.READ, EventKind.NOT_MODIFIED, EventKind.OTHER}
    telling = {number for number, event in numbered if event.kind not in quiet}
    near = {one for number in telling for one in (number - 1, number, number + 1)}
    return [item for item in numbered if item[0] in near][-MOST:] or numbered[-MOST:]


def _marks(
    timeline: Timeline,
    chosen: Sequence[tuple[int, TimelineEvent]],
    columns: dict[int, int],
    lanes: dict[str, int],
) -> tuple[Mark, ...]:
    hues = _hues(timeline)
    issued = {event.provenance: number for number, event in chosen}
    top = min(lanes.values())
    current = ""
    marks: list[Mark] = []
    for number, event in chosen:
        x, y = columns[number], lanes.get(event.actor, top)
        origin = issued.get(event.token_from) if event.token_from is not None else None
        back = ""
        if origin is not None and origin != number:
            back = _curve(columns[origin], lanes.get(timeline.events[origin].actor, top), x, y)
        known = current or event.version
        marks.append(
            Mark(
                row=number,
                x=x,
                y=y,
                kind=_MARKS[event.kind],
                label=neutralise(f"{event.method} {event.status or 'no answer'}"),
                version=event.version,
                hue=hues.get(event.version, 0),
                token=event.token_version,
                token_hue=hues.get(event.token_version, 0),
                stale=bool(event.token_version and known and event.token_version != known),
                back_to=back,
                words=_words(event),
            )
        )
        # What a read shows, or a write makes, is current from then on as far as the evidence goes.
        if event.version and event.kind is not EventKind.REFUSED:
            current = event.version
    return tuple(marks)


def _hues(timeline: Timeline) -> dict[str, int]:
    return {version.label: place % HUES for place, version in enumerate(timeline.versions)}


def _curve(from_x: int, from_y: int, to_x: int, to_y: int) -> str:
    """Return the path of the line from a token's origin to its use: an arc below the marks."""
    low = max(from_y, to_y) + 44
    return f"M{from_x} {from_y + 11} C{from_x} {low} {to_x} {low} {to_x} {to_y + 13}"


def _words(event: TimelineEvent) -> str:
    parts = [f"{event.actor}: {event.method} {event.status or 'no answer'}"]
    if event.presented:
        parts.append(f"sent {event.presented}")
    if event.version:
        parts.append(f"version {event.version}")
    if event.note:
        parts.append(event.note)
    return neutralise(", ".join(parts))


def _spans(
    timeline: Timeline, chosen: Sequence[tuple[int, TimelineEvent]], columns: dict[int, int], width: int
) -> tuple[Span, ...]:
    first: dict[str, int] = {}
    for number, event in chosen:
        if event.version and event.version not in first:
            first[event.version] = columns[number] - COLUMN // 2 + 3
    known = sorted(
        (version for version in timeline.versions if version.label in first),
        key=lambda version: first[version.label],
    )
    if not known:
        return ()
    hues = _hues(timeline)
    ends = [first[version.label] for version in known[1:]] + [width - 17]
    return tuple(
        Span(
            version.label,
            neutralise(version.validators[0])[:24] if version.validators else "",
            hues[version.label],
            first[version.label],
            end - first[version.label] - 6,
        )
        for version, end in zip(known, ends, strict=True)
    )
