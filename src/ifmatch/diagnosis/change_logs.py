"""Read a service's own list of changes: commits, versions, an audit trail, what changed since a version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from ifmatch.diagnosis import tokens
from ifmatch.diagnosis.listed_versions import entries_in, members_in
from ifmatch.diagnosis.path_members import of_a_kind
from ifmatch.diagnosis.resources import host_of, path_of
from ifmatch.dialects.glossary import Words

if TYPE_CHECKING:
    from ifmatch.diagnosis.facts import Facts
    from ifmatch.diagnosis.steps import Step

# Longer contents are data.
_LONGEST: Final = 200_000
_DEEP: Final = 2
_OK: Final = 200
# Shorter names are met by chance.
_FEW: Final = 2
# Seconds by which the time of an own change may lie beside its request, where clocks agree.
_BESIDE: Final = 0.5
WHO: Final = Words(
    r"(?:author|committer|editor|user|actor|by|who|(?:modified|changed|updated|edited|created|saved)_?by)"
    r"(?:_?(?:name|id|login|email))?"
)
WHEN: Final = Words(
    r"(?:when|at|date|time|timestamp|ts|(?:created|committed|modified|changed|updated|saved|recorded|authored)"
    r"(?:_?(?:at|on|date|time))?)"
)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
_NAMES: Final = ("id", "_id", "key", "uid", "uuid", "href", "name", "slug", "path")


def speaks_of(listing: Step, step: Step) -> bool:
    """Tell whether a listing lies below a resource, or names it in its query.

    Args:
        listing: any step.
        step: about the resource.
    """
    if not listing.is_read or listing.status != _OK or host_of(listing.resource) != host_of(step.resource):
        return False
    path = path_of(step.resource).partition("?")[0].rstrip("/")
    there = urlsplit(listing.exchange.request.url)
    if there.path.startswith(path + "/") and len(path) > 1:
        return True
    whole = unquote(path)
    name = whole.rpartition("/")[2]
    if len(name) > 1 and any(map(str.isdigit, name)) and name in unquote(there.path).split("/")[1:-1]:
        # Below the thing, whatever else leads to it.
        return True
    return any(len(value) > _FEW and whole.endswith("/" + value) for _, value in parse_qsl(there.query))


def others_changed(facts: Facts) -> tuple[Step, str] | None:
    """Return the own listing of what had changed since the refused version, where that is other things alone.

    Args:
        facts: of a refused write.

    Returns:
        The listing, and the name of one thing that changed; None when there is no such list, or it has the
        thing that was to be written.
    """
    token = tokens.opaque(facts.token or "")
    if not token:
        return None
    for one in facts.case.steps[facts.step.order + 1 :]:
        if one.actor != facts.step.actor:
            continue
        if not one.is_read:
            return None
        since = [value for _, value in parse_qsl(urlsplit(one.exchange.request.url).query)]
        if token not in since or one.status != _OK or one.content is None or len(one.content) > _LONGEST:
            continue
        listed = [entry for entry in entries_in(one.view.json, _DEEP) if entry]
        called = (*_NAMES, *_after_kind(facts.step, listed))
        names = {name: [str(entry[name]) for entry in listed if name in entry] for name in called}
        whole = [name for name, values in names.items() if listed and len(values) == len(listed)]
        wanted = _written(facts.step)
        if not whole or not wanted:
            return None
        apart = not any(value in wanted for name in whole for value in names[name])
        return (one, names[whole[0]][0]) if apart else None
    return None


def _after_kind(step: Step, listed: list[dict[str, object]]) -> list[str]:
    """Return the members of a list of changes that are called as the path of a write calls such things."""
    kind = path_of(step.resource).partition("?")[0].rstrip("/").rpartition("/")[0].rpartition("/")[2]
    return [name for name in (listed[0] if listed else ()) if of_a_kind(kind, name)]


def _written(step: Step) -> set[str]:
    """Return the names of what a write is about: of its entries, or the last segment of its path."""
    listed = list(entries_in(step.view.sent_json, 0))
    sent = listed or [members_in(step.view.sent_json)]
    named = {str(entry[name]) for entry in sent for name in _NAMES[:5] if name in entry}
    if listed:
        return named
    last = path_of(step.resource).partition("?")[0].rstrip("/").rpartition("/")[2]
    return {*named, unquote(last)}
