"""Tell who changed a record since it was read from the list of its writers that it carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

from ifmatch.diagnosis.facts.own_names import names_of
from ifmatch.diagnosis.reading.contents import value_at
from ifmatch.diagnosis.reading.editors import EDITOR, SYSTEM
from ifmatch.dialects.glossary import Words
from ifmatch.model.json_values import elements_in
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

_MOST: Final = 100
# So many own steps before the request are looked at for what was known.
_NEAR: Final = 20
# A place within an entry of a list.
_ENTRY: Final = late_pattern(r"/\d+(?:/.*)?$")
# What an entry calls the one that it is about.
_WHO: Final = Words(r"(?:field_?)?manager|by|actor|agent|user|who|modifier|editor|author|writer|principal")
# What an entry says of when, and of what was done: without one it is no account of changes.
_WHAT: Final = Words(r"time|at|when|date|timestamp|on|operation|action|op|change(?:s|d)?|event")
# Programs that are a part of Kubernetes, and what they alone write to.
_OF_SERVICE: Final = Words(r"kube-.*|kubelet|cloud-controller-manager|k[03]s(?:-.*)?")
_PART: Final = "subresource"
_OF_CONTROLLERS: Final = "status"


class Signed(NamedTuple):
    """An entry that the list of a record's writers has since the record was read.

    Attributes:
        name: of the writer.
        itself: whether the writer is a part of the service.
    """

    name: str
    itself: bool


def signed_since_read(facts: Facts) -> tuple[Signed, ...]:
    """Return the entries that a record's list of its writers has gained, or has otherwise, since the read.

    Source: kubernetes.io, Server-Side Apply, Field management (`metadata.managedFields`: manager, operation,
    time, and the subresource that was written to, which for `status` is what controllers do).

    Args:
        facts: of a refused request.
    """
    found: list[Signed] = []
    lists = dict.fromkeys(_ENTRY.sub("", pointer) for pointer in facts.moved_pointers or ())
    for pointer in lists:
        now = value_at(facts.current_content, pointer)
        if not isinstance(now, list) or not now:
            continue
        # What the client's own write has put there, its answer shows.
        shown = [one.shown_content for one in facts.own(facts.earlier)[-_NEAR:]]
        old = [
            entry
            for content in (facts.base_content, *shown)
            for entry in elements_in(value_at(content, pointer))[-_MOST:]
        ]
        found += _gained(facts.step, cast("list[object]", now)[-_MOST:], old)
    return tuple(found)


def _gained(step: Step, entries: list[object], old: list[object]) -> Iterator[Signed]:
    for one in entries:
        if not isinstance(one, dict) or one in old:
            continue
        entry = {name: value for name, value in cast("dict[str, object]", one).items() if value}
        who = [
            value
            for name, value in entry.items()
            if isinstance(value, str) and (_WHO.fullmatch(name) or EDITOR.search(name))
        ]
        if not who or not any(
            _WHAT.fullmatch(name) or name.lower().endswith(("_at", "at")) for name in entry
        ):
            continue
        if who[0] in names_of(step) or who[0] in (step.sent.text("user-agent") or ""):
            continue
        itself = entry.get(_PART) == _OF_CONTROLLERS or _OF_SERVICE.fullmatch(who[0]) is not None
        yield Signed(who[0], itself=itself or SYSTEM.search(who[0]) is not None)
