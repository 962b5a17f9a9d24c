"""Detect `validator-stripped`: something on the way removes ETag and Last-Modified from answers."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from ifmatch.diagnosis.facts.carried_versions import carried_version
from ifmatch.diagnosis.facts.rewritten_answers import tagged_beside, tagged_where_empty, told_otherwise
from ifmatch.diagnosis.links.damages import Reason
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import holds
from ifmatch.diagnosis.reading.lost_members import lost_versions
from ifmatch.diagnosis.reading.version_words import version_field
from ifmatch.diagnosis.reads.stripped_reads import same_but_addresses, same_place
from ifmatch.diagnosis.reads.wasted_reads import told_of_waste
from ifmatch.diagnosis.rules.token_missing import demands
from ifmatch.diagnosis.steps.resources import bare, host_of, last_step
from ifmatch.dialects.glossary import Words
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "validator-stripped"
_TAGGED = frozenset({"GET", "HEAD"})
# What ownCloud and Nextcloud send beside ETag, with the same value.
_BESIDE = "OC-ETag"
# What is asked for is a field, not a member of the content.
_FIELD = Words(r"if-match|e-?tag|precondition (?:header|required)|condition")


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a validator at the origin that the client never got.

    Source: RFC 9110 section 7.7 (a proxy ought not change fields about the selected representation).
    """
    if facts.damage is not None and facts.damage.waste is not None:
        yield from told_of_waste(facts, Reason.STRIPPED)
        return
    if facts.guard is not None and facts.token is not None:
        return
    # What is read right after the refusal came the same way as what was read before it.
    reads = facts.own_reads_before or facts.own_reads_after
    for step in reversed(reads or _around(facts)):
        origin = facts.upstream_tag(step)
        if origin is not None and step.header("etag") is None and step.received is not None:
            yield note(f"the origin sent {origin}; the client got no ETag", 7.5, step, "ETag")
            return
        lost = _lost_version(step)
        if lost:
            yield note(
                f"the origin sent {lost}, which names the version; the client did not get it", 7.5, step
            )
            return
    yield from _by_other_way(facts)
    yield from _by_encoder(facts)
    yield from _by_property(facts)
    bare = [step for step in reads if step.method == "GET" and step.status == 200]
    if (
        not facts.refused
        or not (facts.step.status == 428 or (demands(facts.error_text) and _FIELD.search(facts.error_text)))
        or not bare
        or any(step.etag is not None or step.last_modified is not None for step in reads)
        or bare[-1].dialect is not None
        or any(version_field(name) for step in reads for name, _ in step.received or ())
    ):
        return
    last = bare[-1]
    # A version in the content of both needs no field, and the answer may be about that one.
    carried = facts.step.status == 428 and carried_version(facts) is not None
    yield note(
        "the service demands a validator, yet its answers reach the client without ETag and Last-Modified",
        1.0 if carried else 4.0,
        last,
    )
    if last.coding or (last.header("transfer-encoding") or "").lower() == "chunked" or last.cache_marked:
        yield note("the answer was re-coded or passed on by an intermediary", 2.5, last, "Transfer-Encoding")


def _lost_version(step: Step) -> str:
    """Return the field or member that names the version at the origin and is not in the client's answer."""
    origin, got = step.origin_side.response, step.received
    if not step.hops or origin is None or got is None or not got.complete:
        return ""
    fields = (name for name, _ in origin.fields if version_field(name) and name not in got)
    shown, whole = step.content, origin.content
    lost: tuple[str, ...] = ()
    if isinstance(whole, Content) and whole.complete and shown is not None and shown.complete:
        lost = lost_versions(whole, shown)
    return next(iter((*fields, *lost)), "")


def _by_other_way(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from the same thing, read past what the write came through: there it has a tag.

    Args:
        facts: of a request without a precondition.
    """
    step = facts.step
    if facts.guard is not None or not step.is_write:
        return
    way, name = host_of(step.exchange.request.url), last_step(step.exchange.request.url)
    shown = _shown_as(facts.case.around(step)).get(name, ())
    bare = [one for one in shown if host_of(one.exchange.request.url) == way]
    if not bare or any(one.etag is not None or one.last_modified is not None for one in bare):
        return
    for one in shown:
        tag = one.header("etag")
        if tag is None or host_of(one.exchange.request.url) == way:
            continue
        twin = next((each for each in bare if same_but_addresses(each, one)), None)
        if twin is None and _shows_what_was_put(step, one):
            # Meanwhile it is what was written through the way without tags: the same thing all the same.
            twin = next((each for each in reversed(bare) if same_place(each, one)), None)
        if twin is not None:
            other = host_of(one.exchange.request.url)
            text = f"asked at {other}, the same carries {tag}; through {way} it comes without"
            yield note(text, 6.5, twin, "ETag")
            if "via" in (name.lower() for name, _ in twin.received or ()):
                yield note("an intermediary passed that answer on", 1.0, twin, "Via")
            return


def _shown_as(case: Case) -> Mapping[str, Sequence[Step]]:
    """Return the whole answers that show something, by the last part of where it was asked for."""
    if "shown as" not in case.kept:
        found: dict[str, list[Step]] = {}
        for one in case.steps:
            asked = one.method == "GET" and one.status == HTTPStatus.OK
            whole = asked and one.received is not None and one.received.complete
            if whole and one.representation is not None:
                found.setdefault(last_step(one.exchange.request.url), []).append(one)
        case.kept["shown as"] = found
    return cast("Mapping[str, Sequence[Step]]", case.kept["shown as"])


def _shows_what_was_put(step: Step, read: Step) -> bool:
    """Tell whether a later read has all that a write put there."""
    return step.puts and step.accepted and read.follows(step) and holds(read.representation, step.body)


def _around(facts: Facts) -> list[Step]:
    """Return the actor's reads of what the resource lies in, or of another view of it, around the request."""
    here = bare(facts.step.resource)
    above = [here[:place] for place, sign in enumerate(here) if sign == "/"]
    reads = _reads_at(facts.case)
    found = (
        one for there in dict.fromkeys((here, *above)) for one in reads.get((facts.step.actor, there), ())
    )
    return sorted(found, key=lambda one: one.order)


def _reads_at(case: Case) -> Mapping[tuple[str, str], Sequence[Step]]:
    """Return the answered reads of a case by their actors, and by where they were asked for."""
    if "reads at" not in case.kept:
        found: dict[tuple[str, str], list[Step]] = {}
        for one in case.steps:
            if one.read_ok:
                found.setdefault((one.actor, bare(one.resource)), []).append(one)
        case.kept["reads at"] = found
    return cast("Mapping[tuple[str, str], Sequence[Step]]", case.kept["reads at"])


def _by_property(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from answers without ETag, where a property or a second field has the tag.

    Source: RFC 4918 section 15.6 (`getetag` is what ETag says in answers to GET, and a resource that has the
    one has the other); docs.nextcloud.com, Basic WebDAV APIs (`OC-ETag` stands beside `ETag`, as some proxies
    take that off).
    """
    if facts.guard is not None or not facts.step.is_write:
        return
    got = [one for one in facts.own(facts.history) if one.method in _TAGGED and 200 <= one.status < 300]
    if not any(one.method == "GET" for one in got) or any(
        one.header("etag") is not None or one.received is None or not one.received.complete for one in got
    ):
        return
    beside = next((one for one in got if tokens.is_entity_tag(one.header(_BESIDE) or "")), None)
    if beside is not None:
        text = f"the answer has {_BESIDE} {beside.header(_BESIDE)} and no ETag, beside which it is sent"
        yield note(text, 4.5, beside, _BESIDE)
    told = next((one for one in facts.own(facts.history) if one.method == "PROPFIND" and one.etag), None)
    bare = next(one for one in got if one.method == "GET")
    if told is not None:
        yield note(f"the property getetag is {told.etag}; the answer to GET came without ETag", 2.4, bare)
    seen = [*told_otherwise(facts.own(facts.history))]
    yield from (note(*one) for one in seen)
    if (empty := tagged_where_empty(facts.case, bare)) is not None:
        tag = empty.header("etag")
        yield note(
            f"an answer without content has the ETag {tag}; those with content none", 2.4, empty, "ETag"
        )
    if (told is not None or seen) and (other := tagged_beside(facts.case, bare)) is not None:
        text = (
            f"answers of {other.kind[0]} have an ETag, {other.header('etag')}; those of {bare.kind[0]} none"
        )
        yield note(text, 1.8, other, "ETag")


def _by_encoder(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from answers that have an ETag only where they are not encoded."""
    reads = [
        step
        for step in (*facts.own_reads_before, *facts.own_reads_after)
        if step.method == "GET" and step.status == 200
    ]
    coded = [step for step in reads if step.coding]
    plain = next((step for step in reads if not step.coding and step.header("etag") is not None), None)
    if facts.refused and plain is not None and coded and all(one.header("etag") is None for one in coded):
        tag = plain.header("etag")
        text = f"without content coding the answer carries {tag}, with {coded[0].coding} no ETag"
        yield note(f"{text}: an encoder takes it off", 7.0, coded[0], "ETag")
