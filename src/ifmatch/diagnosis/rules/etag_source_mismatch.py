"""Detect `etag-source-mismatch`: two code paths compute the tag differently."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import replace
from typing import TYPE_CHECKING

from ifmatch.diagnosis.facts.forms_apart import written_otherwise
from ifmatch.diagnosis.facts.two_paths import (
    another_product,
    heads_refused,
    judged_by,
    listed_apart,
    listed_otherwise,
    one_version,
    read_elsewhere,
    refused_afresh,
    told_twice,
)
from ifmatch.diagnosis.links.damages import Reason
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.links.likeness import names_text
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import holds, same_content
from ifmatch.diagnosis.reads.wasted_reads import told_of_waste
from ifmatch.diagnosis.steps.compared_values import of_state
from ifmatch.diagnosis.steps.resources import parent_of, path_of
from ifmatch.diagnosis.steps.told_versions import named_beside

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "etag-source-mismatch"
# Once may be a node that had not caught up.
_OFTEN = 2


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from two tags for one state: HEAD and GET, a write's or a refusal's answer and a read.

    Source: RFC 9110 section 9.3.2 (HEAD carries the same fields as GET).
    """
    yield from told_of_waste(facts, Reason.PATH)
    guard = facts.guard
    if not facts.refused or facts.token is None or guard is None or _names_no_tag(facts.step, guard):
        return
    own = tuple(_head_and_get(facts.history))
    yield from own
    pairs = heads_refused(facts) if not own else []
    if len(pairs) >= _OFTEN:
        head, _ = pairs[-1]
        text = f"{len(pairs)} times a tag from HEAD was refused, and the one from GET passed at once"
        yield note(text, 6.5, head, "ETag")
    elif not own:
        yield from _head_and_get_beside(facts)
    yield from _write_and_read(facts)
    yield from _read_and_judged(facts)
    yield from _in_content_and_field(facts)
    yield from _refusal_names(facts, facts.token)
    yield from _other_form_passed(facts, facts.token)
    yield from _in_list_and_item(facts, facts.token)
    current = facts.current_tag
    unheard = not facts.issues and facts.damaged_from is None and facts.elsewhere is None
    if (
        current is not None
        and unheard
        and tokens.shape(current) != tokens.shape(facts.token)
        and not tokens.null_word(facts.token)
        and guard.well_formed
    ):
        yield note(
            f"the resource shows {current}, of another form than the token {facts.token}",
            2.5,
            facts.refresh,
            "ETag",
        )
        if facts.inside is not None:
            yield note("the token stands in the content of an earlier answer", 1.0, facts.inside)


def _uploaded_otherwise(facts: Facts, token: str, current: str) -> bool:
    """Tell whether two tags differ as those of one store do, of what came whole and what came in parts.

    Reads had shown the one that was sent: it was the tag of what was there.
    """
    if {tokens.shape(token), tokens.shape(current)} != {"md5-multipart", "hex32"}:
        return False
    return any(one.read_ok for one in facts.issues)


def _refusal_names(facts: Facts, token: str) -> Iterator[Evidence]:
    """Yield evidence from a refusal that names a tag of another form than the one that was sent."""
    refusal = facts.step.etag or facts.step.told or named_beside(facts.step)
    if (
        refusal is not None
        and facts.issues
        and facts.token_again
        and tokens.shape(refusal) != tokens.shape(token)
    ):
        yield note(
            f"the refusal shows {refusal}, of another form than the tag that reads show",
            5.0,
            facts.step,
            "ETag",
        )
    elif (
        refusal is not None
        and facts.issues
        and tokens.shape(refusal) != tokens.shape(token)
        and not _uploaded_otherwise(facts, token, refusal)
    ):
        yield note(f"the refusal shows {refusal}, of another form than {token}", 3.0, facts.step, "ETag")
    source = facts.source
    field = source.header("etag") if source is not None else None
    if source is not None and field is not None and facts.state_moved is not True:
        apart = token not in {field.strip(), None} and tokens.shape(field) != tokens.shape(token)
        if apart and tokens.opaque(field) != tokens.opaque(token) and source.version is not None:
            text = f"the answer has {token} in its content, and {field}, of another form, as its ETag"
            yield note(text, 3.5, source, "ETag")


def _other_form_passed(facts: Facts, token: str) -> Iterator[Evidence]:
    """Yield evidence from what passed in the place of a token as reads give it: a value of another form.

    Reads never show it: the refusal names it, or the answer of a write.
    """
    source = facts.source
    if source is None or not source.read_ok or facts.from_cache(source):
        return
    passed = next((one for one in facts.own(facts.later) if one.accepted and one.guard is not None), None)
    if passed is None or passed.guard is None or facts.guard is None or passed.guard.name != facts.guard.name:
        return
    value = next(iter(passed.guard.tokens), token)
    if tokens.shape(value) == tokens.shape(token):
        return
    read = {tokens.opaque(tag) for one in facts.history if one.read_ok for tag in one.issued()}
    if tokens.opaque(value) in read:
        return
    wrote = any(tokens.opaque(value) == tokens.opaque(one.etag or "") for one in facts.history.writes)
    if wrote or tokens.opaque(value) in facts.error_text:
        where = "the answer of a write gave it" if wrote else "the refusal had named it"
        text = f"what passed is {value}, of another form than {token}, which reads show: {where}"
        yield note(text, 5.0, passed, passed.guard.called)


def _in_list_and_item(facts: Facts, token: str) -> Iterator[Evidence]:
    """Yield evidence from an entry of a list that gives another form of tag than the item's own read."""
    source = facts.source
    if source is None or source.within is None or not source.is_read or facts.state_moved is None:
        return
    item = next(
        (one for one in facts.history if one.within is None and one.read_ok and one.header("etag")), None
    )
    tag = (item.header("etag") or "").strip() if item is not None else ""
    listed = [one.etag for one in facts.history if one.within is not None and one.is_read and one.etag]
    apart = tokens.shape(tag) != tokens.shape(token) and len(tokens.opaque(tag)) != len(tokens.opaque(token))
    if not tag or not apart or any(tokens.shape(one) == tokens.shape(tag) for one in listed):
        return
    yield note(f"a list gives {token} for the item, whose own answer has {tag}, of another form", 5.0, item)
    passed = next((one for one in facts.history.writes if one.presents(tag)), None)
    if passed is not None:
        yield note("the write passed with the item's own tag", 1.5, passed, "If-Match")


def _in_content_and_field(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from an answer whose content repeats its tag, and has another one than the ETag field.

    Source: OData JSON Format 4.01 section 4.5.9 (`@odata.etag` is the value of the ETag header).
    """
    found = told_twice(facts)
    if found is None:
        return
    answer, held, field = found
    own = answer.resource == facts.step.resource
    where = "" if own else " of an item beside it"
    text = f"one answer{where} tells two tags of itself: {held} in the content, {field} in the ETag field"
    yield note(text, 4.5, answer, "ETag")
    passed = next((one for one in facts.history.writes if one.accepted and one.presents(field)), None)
    if own and passed is not None and not passed.presents(held):
        yield note("the write passed with the one of the ETag field", 3.5, passed, "If-Match")


def _head_and_get_beside(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence that HEAD, which gave the token, and GET have two tags for an item beside."""
    source, parent = facts.source, parent_of(facts.step.resource)
    if source is None or source.method != "HEAD" or source.within is not None:
        return
    for key, history in facts.case.histories.items():
        if key != facts.step.resource and parent_of(key) == parent:
            for one in _head_and_get(history):
                yield replace(one, weight=5.0)
                return


def _names_no_tag(step: Step, guard: Condition) -> bool:
    """Tell whether a precondition is about a place or the content itself."""
    return guard.of_place or of_state(step, guard)


def _head_and_get(history: Sequence[Step]) -> Iterator[Evidence]:
    for one in history:
        if one.method != "HEAD" or one.status != 200 or one.etag is None or one.within is not None:
            continue
        for two in history:
            if two.method != "GET" or two.status != 200 or two.etag is None or one.etag == two.etag:
                continue
            same = one.variant == two.variant and one.sent.text("accept-encoding") == two.sent.text(
                "accept-encoding"
            )
            first, last = sorted((one, two), key=lambda step: step.order)
            between = [step for step in history if step.is_write and first.order < step.order < last.order]
            # A refusal between them hints at a change that nobody saw: then more must tell the paths apart.
            apart = tokens.shape(one.etag) != tokens.shape(two.etag)
            dated = first.settled and one.last_modified == two.last_modified
            counted = one_version(history, one.etag, two.etag)
            quiet = not between or (
                not any(step.accepted for step in between) and (apart or dated or counted)
            )
            strong = tokens.opaque(one.etag) != tokens.opaque(two.etag)
            still = one.last_modified == two.last_modified
            if same and quiet and strong and still:
                yield note(
                    f"asked in the same way, HEAD shows {one.etag} and GET {two.etag}", 7.5, one, "ETag"
                )
                return


def _read_and_judged(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence that one program answers the reads, and another one judges the writes."""
    source = read_elsewhere(facts)
    if source is not None:
        text = "no read reaches what judges the writes, and no answer looks like a cache's"
        yield note(text, 4.0, source, "ETag")
        again = next((one for one in facts.own_reads_after if facts.names(one)), None)
        if again is not None:
            yield note("reads after the refusal still show the refused token", 1.5, again, "ETag")
    yield from _listed_and_read(facts)
    yield from _written_otherwise(facts)
    apart = listed_apart(facts)
    if apart is not None:
        own, source = apart
        text = (
            f"{facts.token} is how a listing shows it; what writes are compared with has another form: {own}"
        )
        yield note(text, 6.5, source)
    afresh = refused_afresh(facts)
    if afresh is not None:
        yield note("a token just read is refused again, and nothing moves", 1.5, afresh, "ETag")
    text = another_product(facts)
    if text:
        yield note(text, 2.5, facts.step)


def _listed_and_read(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a listing whose tags are of another form than those that GET shows.

    Source: RFC 4918 section 15.6 (getetag is what GET would give).
    """
    found = listed_otherwise(facts)
    if found is None:
        return
    tag, listing, read = found
    text = f"{listing.method} shows {tag}, of another form than {read.etag} from {read.method}"
    yield note(text, 4.0, read)
    other = tokens.form(facts.token or "") != tokens.form(tag)
    passed = next((one for one in facts.history.writes if tokens.form(_token(one)) == tokens.form(tag)), None)
    if passed is not None and other:
        yield note("a write under the other form of tag was accepted", 1.5, passed, "If-Match")
    if other:
        return
    if judged_by(facts, read):
        yield note(f"the refusal says that it compares with {read.etag}", 2.5, facts.step)
    passed = next((one for one in facts.history.writes if one.presents(read.etag or "-")), None)
    if passed is not None:
        yield note(f"the write passed with the tag of {read.method}", 2.0, passed, "If-Match")


def _written_otherwise(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from what a write stored, whose answer and next read show two forms of tag."""
    found = written_otherwise(facts)
    if found is None:
        return
    write, read, passed = found
    where = "" if read.resource == facts.step.resource else f" ({path_of(read.resource)})"
    text = f"a write{where} was answered with {write.etag}; the next read shows what it stored as {read.etag}"
    yield note(text, 4.5, read, "ETag")
    if passed is not None:
        text = "a tag as writes give it out passed, and none of the form that reads show did"
        yield note(text, 2.0, passed, passed.guard.name if passed.guard is not None else "")


def _spelling(token: str) -> str:
    """Return how a tag is spelt: words kept, every number as one sign."""
    return re.sub(r"\d+", "#", tokens.opaque(token))


def _two_tags(reads: list[Step], writes: list[Step]) -> list[tuple[Step, Step]]:
    """Return the writes whose answer shows the content of the next read, under a tag of its own.

    Tags that change with every read are not of two sources.
    """
    found: list[tuple[Step, Step]] = []
    orders = [one.order for one in reads]
    places = [bisect_left(orders, write.order) for write in writes]
    for write, begin, end in zip(writes, places, [*places[1:], len(reads)], strict=False):
        near = reads[begin:end]
        if len({one.etag for one in near}) != 1:
            continue
        same = same_content(near[0].representation, write.content) and write.content is not None
        dated = near[0].last_modified == write.last_modified
        if same and dated and tokens.opaque(near[0].etag or "") != tokens.opaque(write.etag or ""):
            found.append((write, near[0]))
    return found


def _token(step: Step) -> str:
    return step.guard.tokens[0] if step.guard is not None and step.guard.tokens else ""


def _write_and_read(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a token out of a write's answer, when reads show another form of tag."""
    source = facts.source
    if source is None or not source.accepted or source.etag is None:
        return
    reads = [step for step in facts.history if step.read_ok and step.etag is not None]
    writes = [step for step in facts.history if step.accepted and step.replaces and step.etag is not None]
    if not reads:
        return
    answer = source.content
    if answer is not None and not holds(answer, source.body) and names_text(source.etag, answer):
        text = f"{source.etag} is the checksum of the write's answer, not of what was stored"
        yield note(text, 6.0, source, "ETag")
        return
    states = _two_tags(reads, writes)
    if len(states) >= _OFTEN:
        write, read = states[0]
        text = f"the write's answer shows {write.etag} and the read after it {read.etag}, for one content"
        yield note(text, 4.0, read, "ETag")
        if write.last_modified is not None:
            yield note("both carry one Last-Modified: nobody wrote", 2.0, read, "Last-Modified")
        return
    read_forms = {tokens.shape(step.etag or "") for step in reads}
    write_forms = {tokens.shape(step.etag or "") for step in (*writes, source)}
    near = next((step for step in reads if step.order > source.order), reads[-1])
    spelt = {_spelling(step.etag or "") for step in writes}
    apart = (
        len(writes) > 1 and len(spelt) == 1 and spelt.isdisjoint(_spelling(one.etag or "") for one in reads)
    )
    if (read_forms.isdisjoint(write_forms) or apart) and tokens.opaque(near.etag or "") != tokens.opaque(
        source.etag
    ):
        text = (
            f"the write was answered with {source.etag}, of another form than {near.etag}, which reads show"
        )
        yield note(text, 5.0, near, "ETag")
