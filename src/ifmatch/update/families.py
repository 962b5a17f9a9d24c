"""Make the dialects that the update machine speaks from the data of the API families.

Which one a service speaks is the caller's knowledge, and never guessed.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Final

from ifmatch.dialects import Carrier, Demand, Grammar, all_dialects
from ifmatch.dialects import dialect as record_of
from ifmatch.errors import InputError
from ifmatch.update.dialect import HTTP, Condition, Dialect
from ifmatch.update.etcd import EtcdDialect
from ifmatch.update.google_iam import GoogleIamDialect
from ifmatch.update.google_storage import GoogleStorageDialect

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifmatch.dialects.record import Dialect as Record
    from ifmatch.dialects.record import GuardSpec

__all__ = ["from_record", "speak"]

_CARRIERS: Final = {Carrier.HEADER: "field", Carrier.QUERY: "query", Carrier.BODY: "content"}
_NUMBERS: Final = frozenset({Grammar.INTEGER, Grammar.DECIMAL})
_LOOSE: Final = frozenset({Grammar.LOOSE_TAG, Grammar.WEAK_TAG, Grammar.QUOTED_INTEGER, Grammar.OPAQUE})
# What a write looks like beyond its precondition, which the data do not say.
_WRITES: Final[dict[str, dict[str, object]]] = {
    # Delete Blob answers so once the blob is gone.
    "azure-blob": {"accepted": True},
    "azure-table": {"creates_by": "POST"},
    "confluence": {"echoes": True},
    "contentful": {
        "absence_creates": True,
        "echoes": True,
        "media_type": "application/vnd.contentful.management.v1+json",
    },
    "couchdb": {"absence_creates": True},
    "consul-kv": {"media_type": "application/octet-stream"},
    "elasticsearch": {"envelope": ""},
    "github-contents": {
        "absence_creates": True,
        "around": (("message", "Update"),),
        "media_type": "application/json",
    },
    "gitlab-files": {"deletes": True},
    "kubernetes": {"echoes": True, "creates_by": "POST"},
    "odata": {"document": ""},
    "zotero": {"document": "/data", "envelope": ""},
}
# Which of several guards a write carries. Every calendar object and every card has a strong entity tag, while
# a Schedule-Tag is found on invitations only (RFC 4791 section 5.3.4, RFC 6352 section 6.3.2.3, RFC 6638
# section 3.2.10).
_PREFERRED: Final = {"caldav-carddav": "If-Match"}
# Reads and writes of these go to other places than the resource.
_SPECIAL: Final[dict[str, Callable[[Record], Dialect]]] = {
    "etcd-v3": EtcdDialect.of,
    "gcs-json": GoogleStorageDialect.of,
    "google-iam": GoogleIamDialect.of,
}


@cache
def speak(name: str) -> Dialect:
    """Return the dialect of an API family.

    Args:
        name: id of the family, as `ifmatch dialect list` shows it: `s3`, `azure-blob`, `kubernetes`,
            `etcd-v3`, ...

    Raises:
        InputError: there is no such family, or its writes cannot carry a version.
    """
    if name == "rfc9110":
        return HTTP
    record = record_of(name)
    if record is None:
        known = ", ".join(sorted(one.id for one in all_dialects()))
        raise InputError(f"{name!r} is no dialect", source="dialect", advice=f"There are: {known}")
    special = _SPECIAL.get(name)
    return from_record(record) if special is None else special(record)


def from_record(record: Record) -> Dialect:
    """Return the dialect for the data of a family, built in or your own (`ifmatch.dialects.read_file`).

    Args:
        record: the data.

    Raises:
        InputError: it names no guard that a PUT could carry a version in.
    """
    guard = _guard_for(record, "PUT")
    if guard is None:
        raise InputError(
            f"{record.name} has no precondition that a write could carry a version in", source=record.id
        )
    deletes = _guard_for(record, "DELETE")
    deletion = () if deletes is None or deletes is guard else _conditions(record, deletes)
    state = record.states[0] if record.states else None
    made = Dialect(
        record.name,
        _conditions(record, guard),
        deletion,
        record,
        document=state.shown if state is not None else "",
        envelope=state.sent if state is not None and not state.sent.startswith("form:") else "",
        coded=tuple(state.base64) if state is not None else (),
        # The content of a deletion is looked at only where the family says so (RFC 9110 section 9.3.5).
        deletes=deletes is not None and (deletes.carrier is not Carrier.BODY or "DELETE" in deletes.methods),
    )
    return replace(made, **_WRITES.get(record.id, {}))  # type: ignore[arg-type]


def _guard_for(record: Record, method: str) -> GuardSpec | None:
    """Return the guard that names a version in requests of a method; one made for that method comes first."""
    fitting = [
        guard
        for guard in record.guards
        if guard.demands is Demand.SAME
        and guard.carrier in _CARRIERS
        and (not guard.methods or method in guard.methods)
        and _sources(record, guard)
    ]
    preferred = _PREFERRED.get(record.id)
    fitting.sort(key=lambda guard: preferred is not None and guard.name != preferred)
    special = [guard for guard in fitting if guard.methods and method == "DELETE" and len(guard.methods) <= 2]
    return next(iter(special or fitting), None)


def _sources(record: Record, guard: GuardSpec) -> tuple[str, ...]:
    """Return where answers name the version that a guard takes, best first."""
    names = {guard.name, guard.id}
    own = [place for place in record.tokens if place.at in ("header", "body") and names & set(place.feeds)]
    places = own or [place for place in record.tokens if place.at in ("header", "body") and not place.feeds]
    # A field is named as a field, and a member as a member: ETag has quotes that a revision in content has
    # not.
    if guard.carrier is Carrier.HEADER:
        places.sort(key=lambda place: place.at != "header")
    else:
        members = [place for place in places if place.at == "body" or place.name.lower() != "etag"]
        places = members or places
    return tuple(dict.fromkeys(place.name for place in places))


def _conditions(record: Record, guard: GuardSpec) -> tuple[Condition, ...]:
    absent, absent_name = _absent(record, guard)
    first = Condition(
        _CARRIERS[guard.carrier],
        guard.name,
        _sources(record, guard),
        absent,
        absent_name,
        1 if guard.next else 0,
        record.weak_tags_match or guard.grammar is Grammar.WEAK_TAG,
        guard.grammar in _LOOSE,
        guard.grammar in _NUMBERS,
    )
    if not guard.pair:
        return (first,)
    pairs = tuple(place.pair for place in record.tokens if place.pair and guard.name in place.feeds)
    return first, Condition(first.carrier, guard.pair, pairs)


def _absent(record: Record, guard: GuardSpec) -> tuple[str | None, str]:
    """Return what says "must not exist yet", and where it goes when that is another place."""
    for value, demand in guard.sentinels.items():
        if demand is Demand.ABSENT:
            return value, ""
    for other in record.guards:
        if other.carrier is not guard.carrier:
            continue
        for value, demand in other.sentinels.items():
            if demand is Demand.ABSENT:
                return value, other.name
        plain = other.matches.removeprefix("^").removesuffix("$")
        if other.demands is Demand.ABSENT and plain.isalpha():
            return plain, other.name
    return None, ""
