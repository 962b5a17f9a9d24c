"""Hold the history of one resource as the evidence shows it: versions, sightings, events.

Made by `ifmatch.diagnosis.reconstruct`; drawn by `ifmatch.report`.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ifmatch.model.exchange import Provenance


class EventKind(enum.StrEnum):
    """What an exchange did to the resource, or learnt of it."""

    READ = "read"
    NOT_MODIFIED = "not-modified"
    WRITE = "write"
    DELETE = "delete"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    MISSING = "missing"
    FAILED = "failed"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Version:
    """One state of the resource.

    Attributes:
        label: `v1`, `v2`, ... in order of time.
        validators: every entity tag and date seen for it, as field values, first seen first.
        first_seen: seconds since the epoch of the first sight, None when unknown.
        made_by: label of the actor that made it, "" when nobody in the evidence did.
        made_at: where it was made, None when its making was not seen.
    """

    label: str
    validators: tuple[str, ...] = ()
    first_seen: float | None = None
    made_by: str = ""
    made_at: Provenance | None = None


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One exchange on the timeline.

    Attributes:
        at: start in seconds since the epoch on the reference clock, None when unknown.
        until: end, None when unknown.
        actor: label of who sent it.
        kind: what it did.
        method: of the request.
        status: of the response, 0 when none came.
        version: label of the version that it read, made or confirmed, "" when not known.
        presented: the precondition as sent (`If-Match: "a"`), "" when none.
        token_from: where the presented validator was issued, None when nowhere in the evidence.
        token_version: label of the version that the presented validator names, "" when not known.
        provenance: where it stands in the evidence.
        note: a few words for the picture, "" when nothing is special.
    """

    at: float | None
    actor: str
    kind: EventKind
    method: str
    status: int
    provenance: Provenance
    until: float | None = None
    version: str = ""
    presented: str = ""
    token_from: Provenance | None = None
    token_version: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The history of one resource.

    Attributes:
        resource: its URL.
        actors: labels in order of appearance.
        versions: in order of time.
        events: in order of time.
    """

    resource: str
    actors: tuple[str, ...] = field(default=())
    versions: tuple[Version, ...] = field(default=())
    events: tuple[TimelineEvent, ...] = field(default=())
