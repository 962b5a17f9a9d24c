"""Detect `wrong-token-source`: a valid token, but of another thing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from ifmatch.diagnosis.facts.dialect_scopes import scope_path
from ifmatch.diagnosis.facts.listed_beside import listed_as_another
from ifmatch.diagnosis.facts.parts_apart import parts_apart
from ifmatch.diagnosis.facts.selected_entries import one_tag_for_all, passed_over
from ifmatch.diagnosis.facts.tags_elsewhere import ever_new_at_source
from ifmatch.diagnosis.facts.views_apart import views_apart
from ifmatch.diagnosis.links.damages import Reason
from ifmatch.diagnosis.links.dialect_tokens import misplaced, pointers_of
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.links.likeness import shows
from ifmatch.diagnosis.links.linked_writes import own_name
from ifmatch.diagnosis.links.listed_versions import entries_in
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import beside, scalars, version_member
from ifmatch.diagnosis.reading.listed_records import lists_changes
from ifmatch.diagnosis.reading.projections import projection
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.reads.wasted_reads import told_of_waste
from ifmatch.diagnosis.rules.unsupported_precondition import says_so
from ifmatch.diagnosis.steps.message_members import sent
from ifmatch.diagnosis.steps.resources import host_of, last_step, parent_of, path_of
from ifmatch.dialects import Scope
from ifmatch.dialects.pointers import values_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.facts.listed_beside import Listed
    from ifmatch.diagnosis.facts.parts_apart import Apart
    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "wrong-token-source"
_TELLING = 5
_NAMED = re.compile(r"version|revision|(?:^|[_-])rev(?:$|[_-])|e-?tag", re.IGNORECASE)
_CONFLICTS = frozenset({400, 409, 412, 422})
# What a parameter is called that names a thing, and not who asks or by which request.
_NAMING = re.compile(
    r"^(?!.*(?:request|trace|correlation|session|client|api|transaction|message|sort|order|user|trace))"
    r"(?:|.*[_-]|.*[a-z])(?:id|key|name|path|file|title|uuid|guid|slug|ref|sku|item)$",
    re.IGNORECASE,
)
# Lists lie so deep at most in an answer.
_DEEP = 3
# So many characters stand in two answers by chance hardly ever.
_UNLIKELY = 12
# So many steps back an answer is looked for that shows two versions; shorter numbers are met by chance.
_NEAR = 60
_FEW_DIGITS = 2


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a token that the evidence shows only as somebody else's."""
    yield from told_of_waste(facts, Reason.THING)
    guard = facts.guard
    if facts.refused and guard is None:
        yield from _of_another_thing(facts)
    if not facts.refused or guard is None or guard.guard is not Guard.SAME or facts.token is None:
        return
    if tokens.null_word(facts.token) or facts.damaged_from is not None or says_so(facts):
        # What the service cannot compare says nothing of where it came from.
        return
    # Where no read shows which of two members is compared, what was sent seems to be the target's own.
    apart = parts_apart(facts)
    if apart is not None and (
        apart.still is not None or apart.called or not facts.issues or _counted_back(facts, apart)
    ):
        yield from _of_another_part(facts, apart)
        return
    beside = _given_beside(facts)
    if beside is not None:
        yield beside
    if facts.issues or beside is not None:
        return
    found = tuple(misplaced(facts)) or tuple(_of_what_stands_beside(facts))
    if found:
        yield from found
        return
    if ever_new_at_source(facts):
        # No tag of it is known again, at whatever address.
        return
    if facts.elsewhere is not None:
        yield from _from_elsewhere(facts, facts.elsewhere)
    elif (entry := listed_as_another(facts)) is not None:
        yield from _from_entry(entry)
    elif facts.inside is not None and (tokens.is_entity_tag(facts.token) or _of_another(facts, guard)):
        yield from _from_inside(facts, facts.inside)


def _of_another_thing(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a content that names one thing and carries the version of another one.

    Where one endpoint takes the changes of all, neither its URL nor a known member says what is guarded.
    """
    step = facts.step
    if step.status not in _CONFLICTS or not step.is_write:
        return
    carried = [one.value for one in sent(step)]
    versions = [one.value for one in sent(step) if _NAMED.search(one.word) and len(one.value) >= _TELLING]
    called = (one.value for one in sent(step) if called_version(one.word) and len(one.value) >= _TELLING)
    entry = next((found for one in called if (found := listed_as_another(facts, one)) is not None), None)
    if entry is not None:
        yield from _from_entry(entry)
        return
    held: dict[str, tuple[str, Step]] = {}
    for read, value in facts.case.gathered(step.actor).versions_before(step) if versions else ():
        held[value] = last_step(read.resource), read
    for value in versions:
        name, read = held.get(value, ("", step))
        target = next((one for one in held.values() if one[0] in carried and one[0] != name), None)
        if not name or name in carried or target is None:
            continue
        text = f"{value} was issued for {path_of(read.resource)}, while the content names {target[0]}"
        yield note(text, 7.0, read)
        return


def _of_what_stands_beside(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a token that the answer which showed the target's own version has beside it.

    A list shows the versions of all its entries, a record those of its parts. A lower number may be an older
    version of the target itself.
    """
    token = tokens.opaque(facts.token or "")
    read = next((one for one in reversed(facts.own(facts.earlier)) if one.read_ok and one.etag), None)
    whole = read.within if read is not None else None
    if read is None or whole is None or not token:
        return
    own = tokens.opaque(read.etag or "")
    mine = {one.rpartition("/")[2] for one in pointers_of(read, own)}
    inside = len(pointers_of(read, token))
    others = [
        one
        for one in pointers_of(whole, token)
        if (word := one.rpartition("/")[2]) in mine or called_version(word)
    ]
    if len(others) <= inside or _moved_on(facts, others[0], token):
        return
    older = token.isdigit() and own.isdigit() and len(token) < _TELLING and int(token) < int(own)
    place = others[0].rpartition("/")[0] or "the record around it"
    text = f"{token} is the version of {place} in the answer that shows {own} as the target's own"
    yield note(text, 2.0 if older else 6.5, whole)
    if facts.current_tag is not None and tokens.opaque(facts.current_tag) == own:
        yield note(f"the target's own version is {own} before and after", 1.5, facts.refresh or read)


def _given_beside(facts: Facts) -> Evidence | None:
    """Return evidence from one answer that shows the token under the same name as the one still current.

    It was never the target's own then: a batch has a state of each kind, a search the entries of two labels.
    Where versions or changes are listed, what stands beside is an older one of the same thing.
    """
    token = tokens.opaque(facts.token or "")
    current = tokens.opaque(facts.current_tag or "")
    # Small numbers are met in any entry.
    if not current or current == token or any(len(one) < _FEW_DIGITS for one in (token, current)):
        return None
    for one in reversed(facts.own(facts.case.steps[max(0, facts.step.order - _NEAR) : facts.step.order])):
        whole = one.within or one
        if not one.read_ok or token not in whole.view.text or current not in whole.view.text:
            continue
        name = last_step(whole.resource)
        if called_version(name) or lists_changes(name):
            continue
        if any((each.within or each) is not whole for each in facts.own(facts.issues)):
            # A look at the target itself gave it.
            return None
        places = [set(pointers_of(whole, value)) for value in (token, current)]
        pairs = [
            (mine, other)
            for mine in places[0]
            for other in places[1]
            if mine.rpartition("/")[2] == other.rpartition("/")[2] and mine.count("/") == other.count("/") > 1
        ]
        if len(pairs) == 1 and not _of_versions(pairs[0][0]):
            mine, other = (each.rpartition("/")[0] for each in pairs[0])
            if token.isdigit() and _names_target(facts, whole, mine):
                continue
            text = f"{token} is what {mine} had, in an answer that gave {current} at {other}"
            return note(f"{text}: that is current still", 7.0, whole)
    return None


def _names_target(facts: Facts, whole: Step, pointer: str) -> bool:
    """Tell whether a record of an answer is about the target: its number may stand elsewhere by chance."""
    name = own_name(facts.step)
    return any(
        str(value) == name
        for value in values_at(whole.view.json, f"{pointer}/*")
        if isinstance(value, str | int)
    )


def _of_versions(pointer: str) -> bool:
    return any(called_version(one) or lists_changes(one) for one in pointer.split("/")[1:-1])


def _moved_on(facts: Facts, pointer: str, token: str) -> bool:
    """Tell whether the version that was sent went on, where it stood, by the next own look: it was old."""
    for one in facts.own(facts.case.steps[facts.step.order + 1 :]):
        values = values_at(one.view.json, pointer) if one.is_read and one.within is None else ()
        for value in values:
            return tokens.counted_on(token, str(value))
    return False


def _counted_back(facts: Facts, apart: Apart) -> bool:
    """Tell whether what passed is the lower of two numbers: no version of one thing is counted back."""
    token = tokens.opaque(facts.token or "")
    return apart.passed and token.isdigit() and apart.value.isdigit() and int(apart.value) < int(token)


def _of_another_part(facts: Facts, apart: Apart) -> Iterator[Evidence]:
    """Yield evidence from a token of one part of a record, sent where that of another part is compared."""
    text = f"{facts.token} stands at {apart.sent} of the answer that has {apart.value} at {apart.meant}"
    yield note(text, 4.0, apart.read)
    if apart.passed:
        yield note(f"with {apart.value} the request passed", 3.5, apart.shown_by)
    elif apart.named:
        yield note(f"the request names the part that has {apart.meant}", 2.0, apart.shown_by)
    elif apart.called:
        yield note(f"the request calls it what {apart.meant} is called", 2.0, apart.shown_by)
    else:
        yield note(f"the refusal speaks of {apart.meant}", 2.0, apart.shown_by)
    if apart.still is not None:
        yield note(f"{apart.sent} still shows {facts.token}: it is not what is compared", 1.5, apart.still)


def _of_another(facts: Facts, guard: Condition) -> bool:
    """Tell whether a token of an API's own kind stands in an answer about another resource, not by chance."""
    inside, token = facts.inside, tokens.opaque(facts.token or "")
    return (
        bool(guard.key)
        and len(token) >= _UNLIKELY
        and inside is not None
        and (inside.resource != facts.step.resource)
    )


def _from_elsewhere(facts: Facts, other: Step) -> Iterator[Evidence]:
    guard, token = facts.guard, facts.token
    here, there = facts.step.resource, other.resource
    scope, path = scope_path(facts.step)
    # What a branch refuses, it names by the file: that is of one file all the same.
    larger = scope in {Scope.LIBRARY, Scope.COLLECTION} and path_of(there).startswith(path)
    if larger and path and not had_own_since(facts, other):
        # A token of the larger scope is one of the target too.
        return
    if views_apart(facts) is not None:
        # It is one of the target, of another representation than the one that is compared.
        return
    if projection(here, there) or (other.actor != facts.step.actor and other.forwarded):
        return
    if guard is None or token is None or _lists_target(facts, other, token):
        return
    if one_tag_for_all(facts, other) is not None or passed_over(facts) is not None:
        # A list has one tag, whatever is selected of it.
        return
    if facts.proof is not None:
        text = f"{facts.proof.text}: what it named was compared, and the change carried out"
        yield note(text, -5.0, facts.proof.step)
        return
    passed = _passed_from(facts, other)
    if passed is not None:
        yield note("a token from the same place was accepted at another time", -5.0, passed)
        return
    what, weight = _relation(here, there)
    count = tokens.opaque(token)
    number = not guard.standard and count.isdigit()
    if len(count) < _TELLING and (number or host_of(here) != host_of(there)):
        # Counters of different things meet at small numbers by chance.
        weight = 4.5 if _beyond_own(facts, count) else 1.0
    if _moved_under(facts, other):
        # Reading and writing have addresses of their own, and it moved under the one.
        weight = min(weight, 1.0)
    text = f"the token was issued for {what} ({path_of(there)}), never for the target"
    yield note(text, weight, other, "ETag")
    own = [step for step in facts.own_reads_before if step.etag is not None]
    if own:
        yield note(f"the target's own tag was {own[-1].etag}", 0.5, own[-1], "ETag")


def _moved_under(facts: Facts, other: Step) -> bool:
    """Tell whether what is called as the target is, and never read there, has another tag by the next look.

    `/show/7` and `/update/7` are about one thing, which somebody changed.
    """
    step = facts.step
    if last_step(other.resource) != last_step(step.resource) or any(one.read_ok for one in facts.history):
        return False
    there = facts.own(facts.case.history_of(other.resource))
    later = next((one for one in there if one.order > step.order), None)
    return later is not None and later.read_ok and later.etag is not None and later.etag != other.etag


def had_own_since(facts: Facts, other: Step) -> bool:
    """Tell whether the client had read the target's own, other token after it was given the one that it sent.

    Args:
        facts: of a refused request on one version.
        other: the step on another resource that gave the token out.
    """
    own = (one for one in facts.own_reads_before if one.order > other.order and one.etag is not None)
    return any(not facts.names(one) for one in own)


def _beyond_own(facts: Facts, count: str) -> bool:
    """Tell whether a sent count is further than the target's own, which the client had read, and stood still.

    A lower one may be an older version of the target itself.
    """
    own = [one.etag for one in facts.own_reads_before if one.etag is not None]
    if not own:
        return False
    passed = any(one.accepted and one.presents(own[-1]) for one in facts.own(facts.later))
    if facts.current_tag != own[-1] and not passed:
        return False
    there = tokens.opaque(own[-1])
    return there.isdigit() and count.isdigit() and int(count) > int(there)


def _lists_target(facts: Facts, other: Step, token: str) -> bool:
    """Tell whether the content of a search or listing, not its own tag, gives the token of the target."""
    content, name = other.content, own_name(facts.step)
    if content is None or not name or not shows(other) or other.header("etag") is not None:
        return False
    bare = tokens.opaque(token)
    return any(bare in scalars(one) and name in scalars(one) for one in entries_in(other.view.json, _DEEP))


def _passed_from(facts: Facts, other: Step) -> Step | None:
    """Return an accepted write on the target with a token that the same other resource gave out."""
    gave = facts.case.history_of(other.resource).issuers
    return next(
        (
            step
            for step in facts.history
            if step.accepted and step.guard is not None and any(tag in gave for tag in step.guard.tokens)
        ),
        None,
    )


def _named_apart(here: str, there: str) -> bool:
    """Tell whether the queries of two URLs name two things by one parameter, as `?path=/a` and `?path=/b`."""
    mine, other = (dict(parse_qsl(path_of(one).partition("?")[2])) for one in (here, there))
    return any(
        _NAMING.search(name) is not None and other.get(name, value) != value for name, value in mine.items()
    )


def _relation(here: str, there: str) -> tuple[str, float]:
    """Say what the resource of the token is to the target, and how much that weighs."""
    same_host = host_of(here) == host_of(there)
    if here.partition("#")[2] != there.partition("#")[2]:
        # What a content names, at an endpoint for all.
        return "another resource", 6.0
    if path_of(here).partition("?")[0] == path_of(there).partition("?")[0] and same_host:
        named = _named_apart(here, there)
        return ("what the query names otherwise", 6.0) if named else ("the same path with another query", 3.5)
    if path_of(here) == path_of(there):
        return "the same path on another host", 6.0
    parent = parent_of(here)
    if there.rstrip("/") == parent.rstrip("/") or parent_of(there) == here:
        return "a parent or part of the target", 6.0
    return "another resource", 6.0


def _from_entry(entry: Listed) -> Iterator[Evidence]:
    """Yield evidence from a token that a list shows as that of another entry than the target's."""
    text = f"the list has {entry.sent} for {entry.other}, and {entry.own} for the target"
    yield note(text, 6.5, entry.listing)
    if entry.still is not None:
        yield note(f"the target's own version is {entry.own} before and after", 1.5, entry.still)


def _from_inside(facts: Facts, inside: Step) -> Iterator[Evidence]:
    name = last_step(facts.step.resource)
    elsewhere = inside.resource != facts.step.resource
    token = tokens.opaque(facts.token or "")
    if elsewhere and inside.content is not None and name and beside(inside.content, token, name):
        # A listing that names the target gives the target's own token.
        return
    where = "in the content of another resource" if elsewhere else "in the content, not in the ETag field"
    weight = 3.5 if inside.etag is not None else 2.0
    member = "" if elsewhere else version_member(inside.content, token)
    if member and "tag" not in member.lower() and inside.etag is not None:
        where, weight = f"in the member {member} of the content, beside {inside.etag}", 4.5
    yield note(f"the token stands {where}, never as the target's own tag", weight, inside)
    tag = inside.etag if not elsewhere else None
    passed = [step for step in facts.own(facts.later) if step.accepted and tag and step.presents(tag)]
    if passed:
        yield note("the write passed with the tag of the ETag field", 3.0, passed[0], "If-Match")
