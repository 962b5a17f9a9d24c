"""Detect `inconsistent-backends`: nodes compute different tags for the same content."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.links.likeness import same_state
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.cache_marks import asks_past
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import changed_pointers, same_content, value_at
from ifmatch.diagnosis.reading.tokens import comes_back
from ifmatch.diagnosis.reads.content_digests import alike_contents
from ifmatch.diagnosis.reads.resumed_in_turn import of_machines
from ifmatch.diagnosis.steps.resources import host_of, path_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.links.damages import Damage
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence
    from ifmatch.model.message import Content

CAUSE = "inconsistent-backends"
_FEW = 4
_TWO = 2


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from tags that alternate between few values while nobody writes.

    Source: RFC 9110 section 8.8.3 (one tag for one representation).
    """
    if facts.damage is not None:
        yield from _parts(facts)
        return
    if not facts.refused or facts.guard is None:
        return
    reads = facts.quiet_reads
    tags = [tokens.base(step.etag or "") for step in reads]
    distinct = list(dict.fromkeys(tags))
    several = len(distinct) >= _TWO and not _only_past_caches(facts, reads)
    if several and not _caught_up(facts, reads) and not _older_state(reads, distinct):
        yield from _alternation(facts, reads, tags)
    yield from _machines(facts, reads, distinct)
    if len(distinct) < _TWO:
        yield from _elsewhere(facts)


def _elsewhere(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from tags of one service that change under one content and one date, nobody writing.

    The refused token comes back: nodes take turns, no tag is made anew each time.
    """
    if not facts.token_again or facts.state_moved is not False or facts.passed_later is not None:
        return
    found = [pair for history in _of_service(facts) if (pair := _two_names(facts, history)) is not None]
    if not found:
        return
    first, other = found[0]
    text = (
        f"{path_of(other.resource)} was {first.etag} and {other.etag} with one content and one Last-Modified"
    )
    yield note(text, 4.0, other, "ETag")
    if len(found) > 1:
        yield note(f"so were {len(found) - 1} more of this service's resources", 1.0, found[1][1], "ETag")


def _of_service(facts: Facts) -> Iterator[Sequence[Step]]:
    host = host_of(facts.step.resource)
    yield facts.history
    for key, history in facts.case.histories.items():
        if key != facts.step.resource and host_of(key) == host:
            yield history


def _two_names(facts: Facts, history: Sequence[Step]) -> tuple[Step, Step] | None:
    """Return two answers in a row that name one state by two tags, None without such."""
    shown = [
        step
        for step in history
        if step.actor == facts.step.actor
        and step.etag is not None
        and step.last_modified is not None
        and (step.representation is not None or step.made is not None)
        and not facts.from_cache(step)
    ]
    for one, two in pairwise(shown):
        if one.coding != two.coding or one.kind != two.kind or one.last_modified != two.last_modified:
            continue
        contents = one.representation or one.made, two.representation or two.made
        names = tokens.base(one.etag or ""), tokens.base(two.etag or "")
        apart = names[0] != names[1] and not tokens.counted_on(*names)
        if two.is_read and apart and _same_but_tags(one, two, *contents):
            return one, two
    return None


def _same_but_tags(one: Step, two: Step, first: Content | None, second: Content | None) -> bool:
    """Tell whether two contents are one state, but for members that repeat the tag of their answer."""
    if same_content(first, second):
        return True
    pointers = changed_pointers(first, second)
    return bool(pointers) and all(
        tokens.opaque(str(value_at(first, pointer))) == tokens.opaque(one.etag or "")
        and tokens.opaque(str(value_at(second, pointer))) == tokens.opaque(two.etag or "")
        for pointer in pointers or ()
    )


def _caught_up(facts: Facts, reads: Sequence[Step]) -> bool:
    """Tell whether tags went back and forth between two contents until all nodes showed one."""
    newest = reads[-1]
    older = [one for one in reads if one.etag != newest.etag]
    if any(one.representation is None for one in (newest, *older)) or not older:
        return False
    apart = all(not same_state(one, newest) for one in older)
    last = max(one.order for one in older)
    settled = [one for one in facts.own_reads_after if one.order > last and one.etag == newest.etag]
    machines = {one.machine for one in settled}
    return apart and len(settled) > 1 and {one.machine for one in older} <= machines


def _older_state(reads: Sequence[Step], distinct: Sequence[str]) -> bool:
    """Tell whether two tags count the states of one thing: each of them always has a content of its own."""
    if len(distinct) != _TWO or not all(map(str.isdigit, distinct)):
        return False
    states = {tag: [one for one in reads if tokens.base(one.etag or "") == tag] for tag in distinct}
    firsts = [each[0] for each in states.values()]
    if any(one.representation is None for one in firsts) or same_state(*firsts):
        return False
    return all(
        same_content(one.representation, first.representation)
        for first, each in zip(firsts, states.values(), strict=True)
        for one in each
    )


def _alternation(facts: Facts, reads: Sequence[Step], tags: Sequence[str]) -> Iterator[Evidence]:
    distinct = list(dict.fromkeys(tags))
    alike = alike_contents(reads)
    shown = ", ".join(f'"{tag}"' for tag in distinct[:3])
    if comes_back(tags) and len(distinct) <= max(_FEW, len(tags) // 2):
        yield note(
            f"with no write in between the tag goes back and forth between {shown}", 5.0, reads[-1], "ETag"
        )
        if alike:
            yield note("the content is the same every time", 1.5, reads[-1])
    elif (
        alike
        and len(distinct) == 2
        and not (tokens.counted_on(distinct[0], distinct[1]) or touched_between(reads[0], reads[-1]))
    ):
        yield note(f"the same content carries different tags ({shown})", 2.2, reads[-1], "ETag")
    dates = {step.last_modified for step in reads if step.last_modified is not None}
    if len(dates) == 1 and alike is not False:
        yield note("Last-Modified did not move", 0.5, reads[-1], "Last-Modified")
    later = [step for step in facts.own(facts.later) if step.accepted and step.guard is not None]
    # A tag that took the other's place for good is another version, if of something larger.
    several = comes_back(tags) or len({step.machine for step in reads if step.machine}) > 1
    if alike and several and later and any(step.presents(f'"{distinct[-1]}"') for step in later):
        yield note("another tag of the same content was accepted later", 1.0, later[0])


def _only_past_caches(facts: Facts, reads: Sequence[Step]) -> bool:
    """Tell whether plain reads agree and only those that ask past the caches show something else."""
    plain: set[str] = set()
    past: set[str] = set()
    for step in reads:
        busted = step.exchange.request.url != facts.step.exchange.request.url
        (past if busted or asks_past(step.sent) else plain).add(tokens.base(step.etag or ""))
    return len(plain) == 1 and bool(past - plain)


def _machines(facts: Facts, reads: Sequence[Step], distinct: Sequence[str]) -> Iterator[Evidence]:
    by_machine: dict[str, set[str]] = {}
    for step in reads:
        if step.machine:
            by_machine.setdefault(step.machine, set()).add(tokens.base(step.etag or ""))
    steady = len(by_machine) > 1 and all(len(tags) == 1 for tags in by_machine.values())
    dates = {step.last_modified for step in reads if step.machine}
    # Another content under another date is another version, whichever node shows it.
    one_date = len(dates) == 1 and None not in dates
    steady = steady and (one_date or alike_contents(reads) is True or comes_back(list(distinct)))
    if steady and len({tag for tags in by_machine.values() for tag in tags}) > 1:
        yield note(f"each node has its own tag ({', '.join(sorted(by_machine)[:3])})", 5.5, reads[-1], "ETag")
        return
    source, step = facts.source, facts.step
    if source is None or not source.machine or not step.machine or source.machine == step.machine:
        return
    caught_up = any(
        one.machine == source.machine and not facts.names(one) and not same_state(one, source)
        for one in facts.own_reads_after
        if one.representation is not None and source.representation is not None
    )
    if facts.token_again and not facts.foreign_writes and not caught_up:
        text = f"{source.machine} gave the token and still gives it, {step.machine} refused it"
        # Where one answers the reads and another one the writes, they do not take turns.
        readers = {one.machine for one in facts.history if one.read_ok}
        writers = {one.machine for one in facts.history if one.is_write}
        apart = bool(writers) and readers.isdisjoint(writers) and len(facts.history) > _FEW
        yield note(text, 1.0 if apart else 4.0, step)
    elif len(distinct) > 1 and not facts.foreign_writes and facts.content_moved is False:
        yield note(f"{source.machine} gave the token, {step.machine} refused it", 2.0, step)


def _parts(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from parts of one read whose tags go back and forth."""
    damage = facts.damage
    if damage is not None and damage.needless and facts.step.condition(Guard.RANGE) is not None:
        yield from _resumed(damage)
        return
    if damage is not None and damage.needless:
        tags = [tokens.base(step.etag or "") for step in damage.needless]
        if len(set(tags)) > 1:
            yield from _alternation(facts, damage.needless, tags)
            yield from _machines(facts, damage.needless, list(dict.fromkeys(tags)))
        return
    if damage is None or not damage.parts:
        return
    parts = [step for step in facts.own(facts.history) if step.status == 206 and step.etag is not None]
    tags = [step.etag or "" for step in parts]
    if comes_back(tags):
        yield note("the tags of the parts go back and forth", 5.5, parts[-1], "ETag")
    if len({step.last_modified for step in parts}) == 1 and parts[0].last_modified is not None:
        yield note("all parts carry one Last-Modified", 2.5, parts[-1], "Last-Modified")


def _resumed(damage: Damage) -> Iterator[Evidence]:
    """Yield evidence from a download that begins anew whenever another node answers."""
    chain = damage.needless
    named = list(dict.fromkeys(step.validator or "" for step in chain))
    yield note(damage.text, 2.0, chain[-1], "If-Range")
    if comes_back([tokens.base(step.validator or "") for step in chain]):
        text = f"with no write in between the version goes back and forth between {', '.join(named[:3])}"
        yield note(text, 4.5, chain[-1], "ETag")
    if of_machines(chain):
        nodes = sorted({step.machine for step in chain})
        yield note(f"each node has its own ({', '.join(nodes[:3])})", 4.5, chain[-1], "ETag")


def touched_between(before: Step, after: Step) -> bool:
    """Tell whether something was written between two reads: the second is dated after the first answer."""
    if before.last_modified is None or after.last_modified is None or before.date is None:
        return False
    return after.last_modified > before.last_modified and after.last_modified >= before.date - 1
