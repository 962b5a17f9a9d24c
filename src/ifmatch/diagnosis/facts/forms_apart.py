"""Find writes that were answered with another form of tag than the next read shows for what they stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

from ifmatch.diagnosis.links.in_time import between
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import holds
from ifmatch.diagnosis.steps.resources import parent_of
from ifmatch.model.grouped import grouped

if TYPE_CHECKING:
    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

# So many steps before and after a refusal are looked through for writes beside it.
_NEAR: Final = 150
# So many steps after a write for the read of what it stored.
_SOON: Final = 30
# Seconds within which a read whose content is not in the evidence still shows what was stored.
_AT_ONCE: Final = 2.0


class Forms(NamedTuple):
    """The two tags of one state.

    Attributes:
        write: an accepted one, whose answer has a tag of one form.
        read: the next one of what it stored, with a tag of another form.
        passed: a write that was accepted under a tag of the former form, None without one.
    """

    write: Step
    read: Step
    passed: Step | None


def written_otherwise(facts: Facts) -> Forms | None:
    """Return a write and the next read of the same content, of which the read has the form that was refused.

    It is one of the resource, or of a thing beside it: the same two programs answer for that. Once a tag of
    the refused form has passed, the form is not what is wrong.

    Args:
        facts: of a refused request whose token a read had given.
    """
    source, token = facts.source, facts.token
    if source is None or token is None or not source.read_ok or facts.from_cache(source):
        return None
    here, order = facts.step.resource, facts.step.order
    taken = _taken(facts.case).get(parent_of(here), ())
    beside = between(taken, order - _NEAR - 1, order + _NEAR)
    refused = tokens.shape(token)
    if any(_of_form(one, refused) for one in beside):
        return None
    found: Forms | None = None
    for write in beside:
        if write.etag is None or not write.replaces or write.resource.partition("?")[0].endswith("/"):
            continue
        read = _next_read(facts, write)
        if read is None or tokens.shape(read.etag or "") != refused or not _apart(write, read):
            continue
        form = tokens.shape(write.etag)
        passed = next((one for one in beside if _of_form(one, form)), None)
        if found is None or write.resource == here:
            found = Forms(write, read, passed)
    return found


def _taken(case: Case) -> dict[str, list[Step]]:
    """Return the accepted writes of a case by the place that their targets are in, in order of time."""
    known = case.kept.get("taken by place")
    if known is None:
        found = grouped((parent_of(one.resource), one) for one in case.steps if one.is_write and one.accepted)
        known = case.kept["taken by place"] = found
    return cast("dict[str, list[Step]]", known)


def _of_form(write: Step, form: str) -> bool:
    """Tell whether a write was guarded by a tag of a form."""
    return write.guard is not None and any(tokens.shape(one) == form for one in write.guard.tokens)


def _apart(write: Step, read: Step) -> bool:
    """Tell whether two tags are of two forms, neither of them the other with something put to it."""
    one, two = (tokens.base(step.etag or "") for step in (write, read))
    if not one or not two or one in two or two in one:
        return False
    return tokens.shape(write.etag or "") != tokens.shape(read.etag or "")


def _next_read(facts: Facts, write: Step) -> Step | None:
    """Return the next read of what a write stored, None when another state may have come between."""
    after = facts.case.history_of(write.resource).after(write)[:_SOON]
    for one in after:
        if one.is_write and one.accepted:
            return None
        if one.read_ok and one.etag is not None and one.status == 200:
            if facts.from_cache(one):
                return None
            shown = one.representation
            same = holds(shown, write.body) if shown is not None else one.start - write.end < _AT_ONCE
            return one if same and write.body is not None else None
    return None
