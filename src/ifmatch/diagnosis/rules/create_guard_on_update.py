"""Detect `create-guard-on-update`: `If-None-Match: *` where If-Match was meant."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ifmatch.diagnosis.facts.next_names import made_as_next
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.links.in_time import is_row
from ifmatch.diagnosis.reading.conditions import Guard, wants_absent
from ifmatch.diagnosis.reading.sent_rows import entries_in
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.rules.exists_already import edited_from_it, told
from ifmatch.diagnosis.rules.null_token import defaulted
from ifmatch.diagnosis.steps.left_undone import sent_rows
from ifmatch.diagnosis.steps.resources import host_of, path_of
from ifmatch.dialects import Carrier
from ifmatch.model.exchange import Vantage
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "create-guard-on-update"
# They tell of single resources, and which tags these have.
_LISTING = frozenset({"PROPFIND", "REPORT", "SEARCH"})

# A shorter name is met by chance, and so many steps later a list is about something else.
_TELLING = 2
_NEAR = 60


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a create guard on a resource that the same actor knew to exist."""
    guard = facts.guard
    if facts.refused and guard is None and facts.step.method in {"PUT", "PATCH"} and told(facts):
        yield from _in_own_words(facts)
    if not facts.refused or guard is None or guard.guard is not Guard.ABSENT or guard.name == "Overwrite":
        return
    known = _known(facts)
    if all(one.method in _LISTING for one in known) and made_as_next(facts) is not None:
        # It had not looked for the name in the list, and wanted one that is free.
        return
    by_itself = [one for one in facts.own(facts.earlier) if not is_row(one)]
    if not by_itself and (seen := _in_a_list(facts)) is not None:
        yield note("a list had shown it to the client, with its version and other values", 5.0, seen)
        return
    if not by_itself and edited_from_it(facts):
        text = "what is there and what was to be created are two versions of one thing: an edit, it seems"
        yield note(text, 0.6, facts.refresh)
    made = [one for one in facts.history if one.accepted and one.status == 201 and one.method == "PUT"]
    if len(made) > 1 and all(wants_absent(one.guard) for one in made):
        # Created anew and anew: it comes and goes, and having made it once tells nothing.
        return
    gone = [
        step
        for step in facts.own(facts.earlier)
        if step.finds_nothing or (step.accepted and step.method == "DELETE")
    ]
    if known and not (gone and gone[-1].order > known[-1].order):
        step = known[-1]
        how = "read" if step.is_read else "listed" if step.method in _LISTING else "written"
        # Upstream, many clients may share one credential: those that a client's own file lacks are others.
        many = facts.step.vantage is not Vantage.CLIENT and any(
            one.vantage is Vantage.CLIENT for one in facts.case.steps
        )
        text = f"the client had {how} it before ({step.status}): it knew that the resource exists"
        unknown = facts.step.exchange.request.content is UNKNOWN
        again = wants_absent(step.guard)
        # Who asks for creation each time may only make sure that it is there: the content would tell.
        default = defaulted(facts)
        if default is not None and guard.carrier in {Carrier.BODY, Carrier.FORM}:
            # A 0 in a member may as well be what the record holds where nobody filled in its version.
            yield note(text, 2.0 if default[1] is not None else 4.0, step)
            return
        yield note(text, 2.0 if many or (unknown and again) else 6.0, step)
        if step.etag is not None:
            yield note(f"it had been given {step.etag}, which belongs into If-Match", 1.0, step, "ETag")


def _known(facts: Facts) -> list[Step]:
    """Return the steps of the same actor by which it knew that the resource exists."""
    return [
        step
        for step in facts.own(facts.earlier)
        if facts.step.follows(step)
        and not is_row(step)
        and (
            step.read_ok
            or (step.method in _LISTING and step.status == HTTPStatus.OK and step.etag is not None)
            or (
                step.accepted and step.replaces and step.method != "DELETE" and not facts.step.unordered(step)
            )
        )
    ]


def _in_a_list(facts: Facts) -> Step | None:
    """Return the last list that had shown the client what it writes: with a version, and what it changes."""
    step = facts.step
    name = unquote(path_of(step.resource).partition("?")[0].rpartition("/")[2])
    wanted = {each: value for row in sent_rows(step)[:1] for each, value in row.items()}
    if len(name) < _TELLING or step.method not in {"PUT", "PATCH"}:
        return None
    for one in reversed(facts.case.steps[max(0, step.order - _NEAR) : step.order]):
        if one.actor != step.actor or not one.read_ok or host_of(one.resource) != host_of(step.resource):
            continue
        for entry in entries_in(one.view.text):
            here = entry.values
            versioned = any(called_version(each) and value for each, value in here.items())
            changed = any(here.get(each, value) != value for each, value in wanted.items())
            if name in here.values() and versioned and changed:
                return one
    return None


def _in_own_words(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a change to a thing at its own address that is refused because the thing exists."""
    before = facts.own(facts.earlier)
    last = before[-1] if before else None
    if last is None or not last.read_ok:
        return
    text = "the client had read it, and the change is refused because it exists: it asks for creation only"
    # Whether it asked for that stands in fields that the evidence leaves out.
    told_only = last.method == "HEAD" and not facts.step.exchange.request.fields.complete
    yield note(text, 2.5 if told_only else 6.0, last)
    passed = next((one for one in facts.own(facts.later) if one.is_write and one.accepted), None)
    if passed is not None and passed.guard is not None:
        yield note("the change passed with the version that it was made from", 1.0, passed)
