"""Detect `unstable-etag`: the tag changes although nobody writes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from ifmatch.diagnosis.facts.tags_elsewhere import ever_new_at_source
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.links.likeness import same_state
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import changed_pointers
from ifmatch.diagnosis.reading.stamps import differs_by_nonce, rendered
from ifmatch.diagnosis.reads.content_digests import alike_contents
from ifmatch.diagnosis.reads.drawn_values import drawn_anew
from ifmatch.diagnosis.reads.rendered_times import made_for_each
from ifmatch.diagnosis.steps.told_versions import told
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "unstable-etag"
_FEW = 3


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from reads that show ever new tags while nobody writes.

    Source: RFC 9110 section 8.8.1 (a validator changes with the representation, not with the request).
    """
    needless = facts.damage.needless if facts.damage is not None else ()
    if not needless and (facts.guard is None or not facts.refused):
        return
    reads = needless or ever_new_at_source(facts) or facts.quiet_reads
    tags = [tokens.opaque(step.etag or "") for step in reads]
    if len(set(tags)) < 2:
        return
    if len(set(tags)) != len(tags):
        yield note("tags come back: they are few, not ever new", -3.0, reads[-1], "ETag")
        return
    dates = {step.last_modified for step in reads}
    if len(dates) == len(tags) and None not in dates:
        yield note(
            "Last-Modified moves together with the tag: somebody changes the resource",
            -4.0,
            reads[-1],
            "Last-Modified",
        )
    still = len(dates) == 1 and reads[0].settled
    if not still and needless and (states := _in_states(reads)):
        yield from _new_in_each(states)
    else:
        yield from _contents(reads, tags, still=still)
    yield from _told_another(facts)
    machines = {step.machine for step in reads}
    if len(machines) > 1 and "" not in machines:
        yield note("different nodes gave the tags", -2.5, reads[-1])


def _told_another(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a refusal that states a version as stored which the next read does not show."""
    now = told(facts.step) if facts.refused else None
    refresh = facts.refresh
    if now is None or refresh is None or refresh.etag is None or facts.content_moved is not False:
        return
    # Two code paths may have a version each: of two forms.
    alike = tokens.shape(now) == tokens.shape(refresh.etag)
    if alike and tokens.opaque(now) != tokens.opaque(refresh.etag):
        text = f"the refusal states {now}, and the next read shows {refresh.etag} for the same content"
        yield note(text, 2.0, refresh, "ETag")


def _in_states(reads: Sequence[Step]) -> list[list[Step]]:
    """Return the states that were each read several times in turn; empty where there is one only.

    Somebody may have changed the thing between: what the tags do while nothing changes is told by each state.
    """
    runs = [[reads[0]]]
    for before, step in pairwise(reads):
        alike = same_state(before, step) or _only_rendered((before, step))
        if alike and before.last_modified == step.last_modified:
            runs[-1].append(step)
        else:
            runs.append([step])
    return [run for run in runs if len(run) > 1] if len(runs) > 1 else []


def _new_in_each(states: Sequence[Sequence[Step]]) -> Iterator[Evidence]:
    """Yield evidence from the states of a thing that was changed meanwhile, each read several times."""
    again = sum(len(run) - 1 for run in states)
    last = max(states, key=len)[-1]
    which = "one state" if len(states) == 1 else f"{len(states)} states"
    text = f"read {again} times again, {which} of it got another tag each time for the same content"
    yield note(text, 2.2 + 1.8 * (again - 1), last, "ETag")
    if all(one.last_modified is not None and one.settled for run in states for one in run):
        yield note("Last-Modified moved only with the content", 0.5, last, "Last-Modified")


def _contents(reads: Sequence[Step], tags: Sequence[str], *, still: bool) -> Iterator[Evidence]:
    count = len(tags)
    # Two tags may be those of two nodes as well; from the third on they are ever new.
    weight = 2.2 + 1.8 * (count - 2)
    what = f"{count} reads show {count} different tags"
    alike = alike_contents(reads)
    if alike:
        yield note(f"{what} for the same content", weight, reads[-1], "ETag")
    elif made_for_each(reads):
        text = f"{what}; the contents differ in the moment of each answer alone"
        yield note(text, weight + 1.3, reads[-1], "ETag")
    elif drawn_anew(reads):
        text = f"{what}; the contents differ in what is drawn at random for each answer alone"
        yield note(text, weight + 1.3, reads[-1], "ETag")
    elif _only_rendered(reads) or (still and _few_members(reads)):
        yield note(f"{what}; only what is rendered for each request differs", weight + 1.3, reads[-1], "ETag")
    elif still and alike is None:
        yield note(f"{what} with one Last-Modified", weight - 1.0, reads[-1], "ETag")
    if still and alike is not False:
        yield note("Last-Modified did not move", 0.5, reads[-1], "Last-Modified")
    quick = reads[-1].start - reads[0].start
    if (alike or still) and reads[0].timed and quick < 2:
        yield note("the reads are less than two seconds apart", 0.5, reads[-1])


def _only_rendered(reads: Sequence[Step]) -> bool:
    """Tell whether all contents differ only in a nonce, a render time and the like."""
    bodies = [step.representation for step in reads if step.representation is not None]
    if len(bodies) < 2:
        return False
    for body in bodies[1:]:
        pointers = changed_pointers(bodies[0], body)
        if pointers is not None:
            if not pointers or not all(rendered(pointer) for pointer in pointers):
                return False
        elif bodies[0].json() is not UNKNOWN or not differs_by_nonce(bodies[0], body):
            return False
    return True


def _few_members(reads: Sequence[Step]) -> bool:
    bodies = [step.representation for step in reads if step.representation is not None]
    pointers = changed_pointers(bodies[0], bodies[-1]) if len(bodies) > 1 else None
    return pointers is not None and len(pointers) <= _FEW
