"""Detect `coarse-token-scope`: the token guards a larger scope than the thing that was edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ifmatch.diagnosis.facts.change_logs import others_changed
from ifmatch.diagnosis.facts.dialect_scopes import policy_entries_apart, scope_path, scope_writes
from ifmatch.diagnosis.facts.listings import listed, untouched
from ifmatch.diagnosis.facts.parts_apart import parts_apart
from ifmatch.diagnosis.facts.selected_entries import passed_over
from ifmatch.diagnosis.facts.shared_counts import (
    carried_above,
    carried_along,
    moved_along,
    named_after,
    one_count,
)
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.diagnosis.reading.tokens import comes_back
from ifmatch.diagnosis.rules.inconsistent_backends import touched_between
from ifmatch.diagnosis.rules.wrong_token_source import had_own_since
from ifmatch.diagnosis.steps.resources import bare, parent_of, path_of
from ifmatch.dialects import Meaning, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence
    from ifmatch.model.message import Content

CAUSE = "coarse-token-scope"
# Tags that may be made of the content: equal items have equal ones.
_HASHES = frozenset({"hex32", "hex40", "hex64", "md5-multipart"})
# Tags that web servers make of inode, size and time: nodes differ in these.
_OF_FILES = frozenset({"hex-hex", "hex-hex-hex"})
# Shorter tags are counters, and those of different things meet by chance.
_TELLING = 3
_SELECTING = frozenset({"DELETE", "PATCH", "PUT", "POST"})
_LARGER = frozenset({Scope.LIBRARY, Scope.COLLECTION, Scope.BRANCH})


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a refusal although only siblings were written."""
    guard = facts.guard
    if not facts.refused or guard is None or facts.token is None:
        return
    yield from _adds(facts)
    yield from _commands(facts)
    yield from _selects(facts)
    yield from _counted_together(facts)
    scope, path = scope_path(facts.step)
    yield from _entries(facts)
    others = others_changed(facts)
    if others is not None:
        text = f"what changed since the refused version is {others[1]} and no more: one token for all of them"
        yield note(text, 6.0, others[0])
    if facts.foreign_writes or facts.own_writes:
        return
    if scope in _LARGER and facts.step.dialect is not None and path:
        yield from _by_dialect(facts, scope)
    else:
        yield from _by_siblings(facts)


def _by_dialect(facts: Facts, scope: Scope) -> Iterator[Evidence]:
    step = facts.step
    name = step.dialect.name if step.dialect is not None else ""
    refusal = step.refusal
    if refusal is None or refusal.meaning is not Meaning.MISMATCH:
        return
    if scope is Scope.BRANCH and not facts.issues and facts.inside is not None:
        return
    if facts.own_reads_before and _issuer(facts) is None and facts.inside is None:
        # What was read had other tokens: nothing that moved since explains one that nobody gave out.
        return
    if facts.token_again and scope is not Scope.BRANCH:
        # What is compared with is still there: it has not moved, be it of the item or of all.
        return
    moved = scope_writes(facts, _issuer(facts))
    seen = listed(facts)
    shown = seen is not None and seen.same
    quiet = facts.content_moved is False or facts.only_versions_moved
    still = shown or quiet
    # Nodes that have tags of their own show one content under several as well.
    nodes = _may_be_two_nodes(facts) and not moved
    yield note(f"tokens of {name} count for the whole {scope.value}", 2.0 if moved or still else 0.5, step)
    if moved:
        write = moved[-1]
        text = f"{path_of(write.resource)} of the same {scope.value} was written by {write.actor} in between"
        yield note(text, 4.0, write)
    if facts.token_again and scope is Scope.BRANCH:
        text = f"the item itself did not change: what moved is the {scope.value}"
        yield note(text, 1.0 if nodes else 4.0, facts.refresh)
    elif quiet:
        text = f"the item's content did not change: what moved is the {scope.value}"
        yield note(text, 1.0 if nodes else 3.5, facts.refresh)
    elif seen is not None and seen.same:
        text = f"a listing shows the item as it was before: what moved is the {scope.value}"
        yield note(text, 3.5, seen.after)
    elif facts.content_moved is True or (seen is not None and not seen.same):
        yield note("the item's content changed", -3.0, facts.refresh)


def _entries(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a document of entries of which another had changed others than this request."""
    theirs = policy_entries_apart(facts)
    if theirs:
        refused = {one.guard.value for one in facts.attempts if one.guard is not None and not one.accepted}
        # Once is a conflict like any other, whose writer is to be seen or not; again and again, on fresh
        # tokens, it is the scope.
        weight = 5.0 if len(refused) > 1 else 3.4 if facts.foreign_writes else 2.5
        text = f"what changed is {theirs}, which this request leaves alone: one token for all entries"
        yield note(text, weight, facts.refresh)


def _issuer(facts: Facts) -> Step | None:
    """Return the step that gave the token out, whatever its resource."""
    if facts.source is not None:
        return facts.source
    if facts.token is None:
        return None
    wanted = tokens.opaque(facts.token)
    return next((one for one in reversed(facts.case.naming(wanted)) if one.order < facts.step.order), None)


def _shared(facts: Facts, token: str) -> Step | None:
    """Return a look at another item of the collection, or a write there, that showed the very tag.

    What is there is another content.
    """
    wanted = tokens.opaque(token)
    if len(wanted) < _TELLING:
        return None
    here, mine = facts.step.resource, facts.base_content
    for read in facts.case.givers(wanted):
        if read.resource == here or parent_of(read.resource) != parent_of(here):
            continue
        if not (read.read_ok or (read.accepted and read.replaces)):
            continue
        if mine is not None and read.left is not None:
            if not same_content(mine, read.left):
                return read
        elif tokens.shape(token) not in _HASHES:
            return read
    return None


def _one_tag(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence that all items of the collection bear one tag at a time."""
    before = _shared(facts, facts.token or "")
    if before is None or not facts.issues:
        return
    if facts.token_again or tokens.form(facts.token or "").startswith("time-"):
        # What is still there did not move with anything. Files of one deployment have one time, and often
        # one size.
        return
    if facts.content_moved and not facts.only_stamps_moved:
        # The item itself has changed: a token that all items share has moved with good reason.
        return
    text = f"another item ({path_of(before.resource)}) carries the same tag {facts.token}"
    yield note(text, 3.0, before, "ETag")
    current = facts.current_tag
    after = _shared(facts, current) if current is not None and facts.state_moved is not False else None
    if after is not None:
        text = f"and the new tag {current} as well: one tag for the whole collection"
        yield note(text, 2.5, after, "ETag")
    if facts.content_moved is False:
        yield note("the item's content did not change", 2.0, facts.refresh)


def _counted_together(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence that an own write beside took the count on that this thing was read with as well.

    Two counts meet by chance; that several things show one count, and that a write on one of them gives out
    what another has now, tells of one count for all.
    """
    token, step = facts.token or "", facts.step
    current = facts.current_tag or (step.refusal.current if step.refusal is not None else None)
    issue = _issuer(facts)
    if current is None or issue is None or issue.resource != step.resource or facts.foreign_writes:
        return
    if not tokens.counted_on(tokens.opaque(token), tokens.opaque(current)):
        return
    still = facts.content_moved is False or facts.only_stamps_moved
    if facts.content_moved and not still:
        return
    shared = {one.resource for one in _beside(facts, token) if one.is_read}
    for one in _beside(facts, current):
        if one.accepted and one.presents(token):
            if one.resource not in shared or not (still or len(shared) > 1):
                continue
            name = one.resource.partition("#")[2] or path_of(one.resource)
            text = f"{name} had the same count {token}, and a write there took it on to {current}"
            yield note(text, 6.5 if still else 5.0, one)
            return


def _beside(facts: Facts, token: str) -> Iterator[Step]:
    """Yield the own steps on other resources before a request that gave out a token."""
    for one in facts.own(facts.case.naming(tokens.opaque(token))):
        if one.order < facts.step.order and one.resource != facts.step.resource:
            yield one


def _by_siblings(facts: Facts) -> Iterator[Evidence]:
    step = facts.step
    shared = tuple(_one_tag(facts))
    if shared:
        yield from shared
        return
    issue = _issuer(facts)
    if issue is not None and issue.resource == step.resource and facts.content_moved is False:
        yield from _larger(facts, issue)
        return
    if issue is not None and issue.resource == step.resource and facts.content_moved is None:
        yield from _parts(facts, issue, 2.5)
    if issue is None or issue.resource == step.resource or step.status in {404, 410}:
        return
    if not step.resource.startswith(parent_of(issue.resource)):
        # What is of another collection counts for this one as little.
        return
    if facts.refresh is not None and facts.refresh.finds_nothing:
        return
    if had_own_since(facts, issue):
        # Whoever then had the target's own token sent another thing's.
        return
    apart = parts_apart(facts)
    if apart is not None and apart.called:
        # Another part of the target itself has that version as well.
        return
    # Only what came after the token was issued is looked at: a long capture has thousands of steps before.
    moved = [
        one
        for one in facts.case.steps[issue.order + 1 : step.order]
        if one.accepted
        and one.replaces
        # A write to the very thing that the token was shown for makes it an old one of that thing.
        and one.resource not in {step.resource, issue.resource}
        and parent_of(one.resource) == parent_of(step.resource)
    ]
    seen = listed(facts)
    if not moved and seen is not None and seen.same and seen.others_moved and not facts.content_moved:
        text = "the listing shows this item as it was before, and others changed: the token counts for all"
        yield note(text, 4.0, seen.after)
    if moved:
        text = f"only a sibling ({path_of(moved[-1].resource)}) was written since the token was issued"
        yield note(text, 4.0, moved[-1])


def _larger(facts: Facts, issue: Step) -> Iterator[Evidence]:
    """Yield evidence that the token counts more than what is shown: a part was written, or it counted on."""
    parts = tuple(_parts(facts, issue, 4.0)) or tuple(_moved_with(facts, issue)) or tuple(_in_step(facts))
    if parts:
        yield from parts
        yield note("what was shown did not change: what moved is the collection", 2.0, facts.refresh)
        return
    current, refresh = facts.current_tag, facts.refresh
    if refresh is not None and current is not None and touched_between(issue, refresh):
        listed = _listing(refresh.representation)
        where = "the list" if listed else "it"
        text = f"what {where} shows is the same, yet it was written to since: the tag is of something larger"
        yield note(text, 4.0 if listed else 2.0, refresh, "Last-Modified")
        return
    if current is None or facts.token is None or not facts.state_moved:
        return
    passed = any(one.accepted and one.presents(current) for one in facts.own(facts.later))
    if passed and not tokens.counted_on(facts.token, current) and not _may_be_two_nodes(facts):
        text = f"the content is the same, yet {current} took the place of its tag once and for all"
        yield note(text, 3.0, facts.refresh, "ETag")
    elif passed and tokens.counted_on(facts.token, current):
        text = f"the content is the same, yet its tag counted on to {current}, which was accepted later"
        yield note(text, 3.0, facts.refresh, "ETag")


def _parts(facts: Facts, issue: Step, weight: float) -> Iterator[Evidence]:
    """Yield evidence from a part of the resource that another wrote since the token was issued."""
    here = bare(facts.step.resource)
    for one in facts.case.steps[issue.order + 1 : facts.step.order]:
        if one.accepted and one.replaces and one.resource.partition("?")[0].startswith(here + "/"):
            text = f"{path_of(one.resource)} was written, which is of the collection, not of what was shown"
            yield note(text, weight, one)
            return


def _moved_with(facts: Facts, issue: Step) -> Iterator[Evidence]:
    """Yield evidence from a write on a sibling whose answer gave out the tag that this item carries now."""
    current, refresh = facts.current_tag, facts.refresh
    if current is None or refresh is None or len(tokens.opaque(current)) < _TELLING:
        return
    for one in reversed(facts.case.steps[issue.order + 1 : refresh.order]):
        if (
            not (one.accepted and one.replaces and one.etag is not None)
            or one.resource == facts.step.resource
        ):
            continue
        if tokens.base(one.etag) == tokens.base(current) and parent_of(one.resource) == parent_of(
            facts.step.resource
        ):
            text = f"a write on {path_of(one.resource)} was answered with {current}, which this carries now"
            yield note(text, 4.0, one, "ETag")
            return


def _in_step(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence that the count is of more: another item shows it too, or its name says so."""
    token, current, refresh = facts.token, facts.current_tag, facts.refresh
    if token is None or current is None or refresh is None or _may_be_two_nodes(facts):
        return
    if not tokens.counted_on(token, current):
        return
    if (found := carried_along(facts)) is not None:
        beside, other = found
        name = path_of(beside.resource)
        yield note(f"{name} shows the count {current} as well", 1.5, beside)
        if other is not None:
            counts = " and ".join(
                one.etag or "" for one in sorted((other, beside), key=lambda one: one.order)
            )
            text = f"{name} is another at the counts {counts}, and this one is the same at both"
            yield note(text, 3.5, other)
    elif (moved := moved_along(facts)) is not None:
        there, shown, taken = moved
        text = (
            f"nothing of this changed from {token} to {shown[-1]}, a count that {path_of(there.resource)} has"
        )
        yield note(text, 3.5, there)
        if taken is not None:
            yield note("where a write on that count was carried out", 1.0, taken)
    elif (together := one_count(facts)) is not None:
        beside, at_once = together
        text = (
            f"{path_of(beside.resource)} has the count {current} as well: whatever was looked at had the "
            f"same at a time ({', '.join(at_once)})"
        )
        yield note(text, 5.0, beside)
    if (above := carried_above(facts)) is not None:
        whole, shared = above
        text = (
            f"{path_of(whole.resource)}, of which this is a part, shows the counts {' and '.join(shared)} too"
        )
        yield note(text, 4.0, whole)
    if larger := named_after(facts):
        name = facts.guard.name if facts.guard is not None else ""
        yield note(f"{name} is called after {larger}, of which this is a part", 2.0, facts.step, name)


def _may_be_two_nodes(facts: Facts) -> bool:
    """Tell whether tags go back and forth, or machines are named: two nodes may have tags of their own."""
    if tokens.shape(facts.token or "") in _OF_FILES:
        return True
    tags = [tokens.base(step.etag or "") for step in facts.history if step.read_ok and step.etag is not None]
    return comes_back(tags) or any(step.machine for step in facts.history)


def _listing(content: Content | None) -> bool:
    """Tell whether a content is a list of things: a JSON array, alone or as a member."""
    value = content.json() if content is not None else None
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return any(isinstance(one, list) for one in members.values())
    return isinstance(value, list)


def _adds(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a POST that adds to a list, refused for another thing that was added to it."""
    step, guard = facts.step, facts.guard
    if step.method != "POST" or facts.content_moved is not True or guard is None or not guard.standard:
        return
    lists = _listing(facts.base_content) and _listing(facts.current_content) and not _listing(step.body)
    if lists and facts.ours_is_there is not True:
        text = (
            "the request adds one thing; what changed in the list are others: the token counts for all of it"
        )
        yield note(text, 5.0, facts.refresh)


def _commands(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a POST that names the entries it changes, refused as others of the list changed."""
    step = facts.step
    found = untouched(facts) if step.method == "POST" and not facts.own_writes else None
    if found is not None:
        theirs, shows = found
        text = (
            f"what changed is {', '.join(theirs)}, which this request does not name: the token counts for all"
        )
        yield note(text, 6.5, shows)


def _selects(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a change of what a query selects, refused as entries that it leaves out changed."""
    found = passed_over(facts) if facts.step.method in _SELECTING and not facts.own_writes else None
    if found is not None:
        theirs, query, shows = found
        what = f"what changed is {', '.join(theirs)}, which `{query}` does not select"
        text = f"{what if theirs else f'what `{query}` selects is as it was'}: the token counts for all"
        yield note(text, 6.5, shows)
