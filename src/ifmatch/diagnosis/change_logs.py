"""Read a service's own list of changes: commits, versions, an audit trail, what changed since a version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from ifmatch.diagnosis import tokens
from ifmatch.diagnosis.listed_versions import entries_in, members_in
from ifmatch.diagnosis.path_members import of_a_kind
from ifmatch.diagnosis.resources import path_of

if TYPE_CHECKING:
    from ifmatch.diagnosis.facts import Facts
    from ifmatch.diagnosis.steps import Step

# Longer contents are data.
_LONGEST: Final = 200_000
_DEEP: Final = 2
_OK: Final = 200
_NAMES: Final = ("id", "_id", "key", "uid", "uuid", "href", "name", "slug", "path")


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
