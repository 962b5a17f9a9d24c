"""Recognise refusals that need no action, and say why."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote

from ifmatch.diagnosis.findings.locks import why_awaited
from ifmatch.diagnosis.links.tickets import renewed
from ifmatch.diagnosis.links.written_things import name_of
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import changed_pointers, holds, same_content, value_at
from ifmatch.diagnosis.rules import post_commit_412
from ifmatch.diagnosis.steps.resources import bare, parent_of, path_of
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.findings.ranking import Ranking
    from ifmatch.diagnosis.steps.step import Step

_DIGEST = late_pattern(
    r"(?<![0-9a-f])(?:[0-9a-f]{128}|[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})(?![0-9a-f])", re.IGNORECASE
)
_ALREADY = Words(r"\balready (?:\w+ed|done|gone|taken|sent|paid)\b")
_UUID_DIGITS = 32
# As few other creations make a sweep, and so few octets are an empty content.
_MANY = 3
_EMPTY = 2
_OF_READS = frozenset({"token-expired", "read-changed-mid-transfer"})
_SHOWN = frozenset({200, 203, 206, 207, 304})
_OF_LOCKS = frozenset({"lease-or-lock", "token-expired"})
# Numbers from here on are times.
_TIMES = 100_000_000


def why_benign(facts: Facts, ranking: Ranking) -> str | None:
    """Return why an incident needs no action, None when it does.

    Args:
        facts: of the refused request.
        ranking: of its causes.
    """
    first = ranking.candidates[0].cause if ranking.candidates else ""
    awaited = why_awaited(facts) if first in _OF_LOCKS else None
    benign = awaited or _control_flow(ranking) or _ensured(facts, first) or _gone(facts, first)
    return benign or _done_by_another(facts, first) or _went_on(facts, first)


def _went_on(facts: Facts, first: str) -> str | None:
    """Return why a repeat that met its own creation needs no action: its client went on from that."""
    step = facts.step
    if first != "lost-response-replay" or facts.guard is not None or step.method != "POST":
        return None
    own = facts.own(facts.case.steps[step.order + 1 :])
    above = bare(step.resource) + "/"
    looked = next((one for one in own if one.read_ok and one.content is not None), None)
    if looked is None or not any(one.accepted and one.resource.startswith(above) for one in own):
        return None
    return "the repeat met what its first attempt had made, and the client looked and went on from there"


def _control_flow(ranking: Ranking) -> str | None:
    first = ranking.candidates[0] if ranking.candidates else None
    if first is None or first.cause != "expected-control-flow":
        return None
    return f"expected control flow, losing is the ordinary branch: {first.evidence[0].text}"


def _gone(facts: Facts, first: str) -> str | None:
    """Return why a deletion of whatever is there needs no action where nothing is.

    Who names a version wants to hear that it is another one, or none.
    """
    step, guard = facts.step, facts.guard
    if step.method != "DELETE" or guard is None or guard.guard is not Guard.EXISTS:
        return None
    if first != "target-missing" or facts.unanswered_own is not None:
        return None
    return "what was to be deleted, whatever its version, was gone already"


def _done_by_another(facts: Facts, first: str) -> str | None:
    """Return why a refused call needs no action: it was made already, and its list has the thing no more."""
    step = facts.step
    if first not in {"other-writer", ""} or not _ALREADY.search(facts.error_text):
        return None
    listed = next((one.within for one in reversed(facts.own(facts.earlier)) if one.within is not None), None)
    if listed is None or not listed.is_read or any(one.is_write for one in facts.own(facts.later)):
        return None
    after = [one for one in facts.own(facts.case.steps[step.order + 1 :]) if one.within is None]
    look = next((one for one in after if one.resource == listed.resource and one.is_read), None)
    shown = any(one.within is look for one in facts.own(facts.later))
    if look is None or shown or not any(one.accepted and one.order > look.order for one in after):
        return None
    return "what was called for had been done already: the list has it no more, and the client went on"


def _ensured(facts: Facts, first: str) -> str | None:
    guard = facts.guard
    if guard is None and first == "exists-already" and _brought_up(facts):
        return "create or update: it was there, and the client made it what it wanted, from what it read"
    if (
        guard is None
        or guard.guard is not Guard.ABSENT
        or first not in {"exists-already", "create-guard-on-update"}
    ):
        return None
    if facts.unanswered_own is not None or guard.name == "Overwrite" or post_commit_412.created(facts):
        return None
    if _content_addressed(facts):
        return "content-addressed: the name is the checksum of the content, so what is there is the same"
    own = [one.body for one in facts.own(facts.earlier) if one.accepted and one.method == facts.step.method]
    if any(same_content(body, facts.step.body) for body in own):
        return "ensure-exists: the client had written just this before, and nothing was to be changed"
    if (chosen := _chosen_instead(facts)) is not None:
        name = name_of(chosen)
        return f"the name was taken, and the client claimed another one and went on with that: {name}"
    if _built_on(facts):
        return "ensure-exists: it was there already, and the client read it and went on from what it read"
    if (
        facts.current_content is not None
        and holds(facts.current_content, facts.step.body)
        and facts.step.body is not None
        and not _counts_on(facts)
    ):
        return "ensure-exists: the resource was there already, with the wanted content"
    if facts.ours_is_there is False and not facts.step.resource.endswith("/"):
        # What is there is another's, and the client has looked at it.
        return _container(facts)
    return _swept(facts) or _container(facts)


def _counts_on(facts: Facts) -> bool:
    """Tell whether a request carries a count one or more further than what its client had read: an edit.

    Members that servers stamp are no part of what is wanted, but who counts one on wants that.
    """
    for pointer in changed_pointers(facts.base_content, facts.step.body) or ():
        before, wanted = (value_at(one, pointer) for one in (facts.base_content, facts.step.body))
        if type(before) is int and type(wanted) is int and before < wanted < _TIMES:
            return True
    return False


def _brought_up(facts: Facts) -> bool:
    """Tell whether a client whose POST found the thing there read it and stored its own there."""
    step = facts.step
    above = bare(step.resource) + "/"
    read: Step | None = None
    for one in facts.own(facts.case.steps[step.order + 1 :]):
        if not one.resource.startswith(above):
            continue
        if one.is_write:
            given = read.validator if read is not None and read.resource == one.resource else None
            return given is not None and one.accepted and one.presents(given) and _same_wish(step, one)
        if one.read_ok:
            read = one
    return False


def _same_wish(refused: Step, stored: Step) -> bool:
    """Tell whether a stored content has all that a refused creation was to make."""
    wanted, sent = refused.body, stored.body
    if wanted is None or sent is None:
        return False
    return holds(sent, wanted) or same_content(sent, wanted)


def _chosen_instead(facts: Facts) -> Step | None:
    """Return the create-only write that claimed another name for the same, with which its client went on.

    Whoever looks at what is there, or comes back to it, had wanted that very thing; a name that serves
    another write was only to be had.
    """
    step = facts.step
    if step.body is None or any(one is not step for one in facts.own(facts.history)):
        return None
    claimed: Step | None = None
    for one in facts.own(facts.case.steps[step.order + 1 :]):
        if claimed is not None:
            name = name_of(claimed)
            elsewhere = one.resource != claimed.resource and one.is_write and one.accepted
            if elsewhere and _has_word(name, f"{one.view.sent_text} {unquote(path_of(one.resource))}"):
                return claimed
        elif one.is_write:
            if not _claims_for_same(step, one):
                return None
            claimed = one if one.accepted else None
    return None


def _has_word(name: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def _claims_for_same(step: Step, one: Step) -> bool:
    """Tell whether a create-only write is a refused one over again, but for the name."""
    guard = one.guard
    if guard is None or guard.guard is not Guard.ABSENT or one.method != step.method:
        return False
    if parent_of(one.resource) != parent_of(step.resource) or one.body is None or step.body is None:
        return False
    return step.body.text.replace(name_of(step), "") == one.body.text.replace(name_of(one), "")


def _built_on(facts: Facts) -> bool:
    """Tell whether a client adds to what it could not begin: on the version that it read, and other things.

    A refused PUT that comes again as a guarded one replaces what is there: that makes sure of nothing.
    """
    read: Step | None = None
    for one in facts.own(facts.later):
        if one.is_read:
            read = one if one.read_ok and one.etag is not None else None
        elif one.is_write:
            shown = read.etag if read is not None else None
            adds = one.method == facts.step.method == "POST" and one.accepted
            return (
                adds
                and shown is not None
                and one.presents(shown)
                and not same_content(one.body, facts.step.body)
            )
    return False


def _swept(facts: Facts) -> str | None:
    """Return why a refused creation is one of many that are tried in turn, and skipped where known."""
    step = facts.step
    parent = parent_of(step.resource)
    tries = [
        one
        for one in facts.own(facts.case.steps)
        if one.method == step.method
        and parent_of(one.resource) == parent
        and one.guard is not None
        and one.guard.guard is Guard.ABSENT
    ]
    others = [one for one in tries if one.resource != step.resource]
    made = any(one.accepted for one in others)
    again = [one for one in facts.own(facts.history) if one.is_write and one is not step]
    if len({one.resource for one in others}) < _MANY or not made or again:
        return None
    tried = {one.resource for one in tries}
    # A look at what is there, before or after the try, is part of going on.
    rest = [
        one
        for one in facts.own(facts.case.steps)
        if one.order > step.order and not (one.is_read and one.resource in tried)
    ]
    if rest and rest[0] not in tries:
        return None
    return "ensure-exists: one of several creations in turn, and the client goes on where it is there already"


def _container(facts: Facts) -> str | None:
    """Return why a refused creation was only to make sure: the client goes on to work inside it."""
    step = facts.step
    inside = bare(step.resource) + "/"
    if any(one.is_write for one in facts.own(facts.later)):
        return None
    used = next(
        (
            one
            for one in facts.own(facts.case.steps[step.order + 1 :])
            if one.resource.startswith(inside) and one.is_write
        ),
        None,
    )
    empty = step.body is None or len("".join(step.body.text.split())) <= _EMPTY
    if used is None or not empty:
        return None
    return "ensure-exists: what was to hold other things was there already, and the client went on inside it"


def _content_addressed(facts: Facts) -> bool:
    """Tell whether the resource is named by a checksum of what was to be stored."""
    found = _DIGEST.findall(path_of(facts.step.resource).partition("?")[0])
    if not found or facts.ours_is_there is False:
        return False
    digest = found[-1].lower()
    body = facts.step.exchange.request.content
    if isinstance(body, Content):
        kinds = (hashlib.md5, hashlib.sha1, hashlib.sha256, hashlib.sha512)
        if any(kind(body.octets, usedforsecurity=False).hexdigest() == digest for kind in kinds):
            return True
    # A UUID without hyphens has 32 digits too: only a checksum that is longer speaks for itself.
    return len(digest) > _UUID_DIGITS


def recovered(facts: Facts) -> bool:
    """Tell whether the same client got its change in later, guarded, and without taking another's back.

    Args:
        facts: of the refused request.
    """
    if not facts.refused or facts.blind is not None:
        return False
    locked = facts.step.status == 423 or facts.step.condition(Guard.LOCK) is not None
    for step in facts.attempts:
        if not (step.changes and step.order > facts.step.order):
            continue
        if step.actor != facts.step.actor or _leaves_out(facts.step, step):
            continue
        guard = step.guard
        return locked or (guard is not None and guard.guard is not Guard.EXISTS)
    return False


def begun_anew(facts: Facts, first: str) -> bool:
    """Tell whether a client whose token had run out, or whose download had changed, came through anew.

    Args:
        facts: of the refused request.
        first: its likeliest cause.

    Source: RFC 9110 section 14.2 (a part that cannot be had is asked for as a whole).
    """
    if first == "token-expired" and renewed(facts) is not None:
        return True
    step = facts.step
    if first not in _OF_READS or not step.is_read:
        return False
    place = step.resource.partition("?")[0]
    later = [
        one
        for one in facts.own(facts.case.steps[step.order + 1 :])
        if one.is_read and one.resource.partition("?")[0] == place and one.method != "HEAD"
    ]
    # Refused again in the end, it has not come through.
    return bool(later) and later[-1].status in _SHOWN


def passed_later(facts: Facts) -> bool:
    """Tell whether a request without a condition was refused, and its client's next of the kind accepted.

    Args:
        facts: of the refused request.
    """
    step = facts.step
    if step.conditions or not step.is_write:
        return False
    return any(one.method == step.method and one.accepted for one in facts.own(facts.later))


def fulfilled(facts: Facts) -> str | None:
    """Return why a refusal needs no action: what was wanted is there, and the client saw so and went on.

    Who sends it again, or does nothing more, may not know.

    Args:
        facts: of a refused request whose state another changed.
    """
    refresh, step = facts.refresh, facts.step
    if facts.ours_is_there is not True or refresh is None or refresh.actor != step.actor:
        return None
    if any(one.is_write for one in facts.own(facts.later)):
        return None
    after = facts.own(facts.case.steps[refresh.order + 1 :])
    if not any(one.changes for one in after):
        return None
    return "what the client wanted was there already, by another: it read that, left it so and went on"


def _leaves_out(refused: Step, passed: Step) -> bool:
    """Tell whether a later partial change leaves out what the refused one was to change."""
    if refused.method not in {"PATCH", "POST"} or passed.method != refused.method:
        return False
    wanted, sent = _leaf_pointers(refused.body), _leaf_pointers(passed.body)
    return bool(wanted and sent) and bool(wanted - sent) and bool(sent - wanted)


def _leaf_pointers(content: Content | None) -> set[str]:
    """Return the JSON Pointers of a content's members that hold no others, lists left whole."""
    value = content.json() if content is not None else UNKNOWN
    found: set[str] = set()
    waiting: list[tuple[str, object]] = [("", value)] if isinstance(value, dict) else []
    while waiting:
        pointer, one = waiting.pop()
        if isinstance(one, dict) and one:
            members = cast("dict[str, object]", one)
            waiting.extend((f"{pointer}/{name}", member) for name, member in members.items())
        else:
            found.add(pointer)
    return found
