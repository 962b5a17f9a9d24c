"""Find own writes whose work is gone at the next look, and tags that a newer date shows to be outdated."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.habits.dialect_habits import LEARNED
from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.links.in_time import back_from, between, on_from
from ifmatch.diagnosis.links.likeness import edit_of
from ifmatch.diagnosis.losses.taken_back import SOON, line_undone, two_edits
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import ABSENT, changed_pointers, same_content, value_at
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.json_values import members_in

if TYPE_CHECKING:
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step

# The status of a creation.
_MADE: Final = 201


def overwritten(history: History, step: Step) -> Damage | None:
    """Find an unguarded write that the next own looks show no longer: another made of the version before it.

    Args:
        history: of the resource.
        step: an accepted write without a precondition.
    """
    if not step.puts or step.guard is not None or not step.timed:
        return None
    base, looks = _around(history, step)
    if base is None:
        return None
    for after in looks:
        if after.start - step.end > SOON:
            return None
        if after.etag not in {None, step.etag, base.etag} and _lacks(base, step, after):
            text = (
                "what this write had stored is gone again: what is there is an edit of the version before it"
            )
            return Damage(Outcome.LOST_UPDATE, text, lost=after)
    return None


def made_twice(history: History, step: Step) -> Damage | None:
    """Find an own write whose very version the next own look shows with another's content: two made it.

    A count that goes on with each write is the same for two only where both were compared before either was
    stored.

    Args:
        history: of the resource.
        step: an accepted write on a version.
    """
    version = tokens.opaque(step.etag or "")
    if not version.isdigit():
        return None
    base, looks = _around(history, step)
    if base is None or not looks:
        return None
    after = looks[0]
    if tokens.opaque(after.etag or "") != version:
        return None
    alters = step.puts or step.alters or step.method == "PATCH"
    if not (alters and _lacks(base, step, after)) and not _other_value(base, step, after):
        return None
    text = f"the next look shows {step.etag}, which this write had made, with another's content: two made it"
    return Damage(Outcome.LOST_UPDATE, text, lost=after, overlap=True, slipped=True)


def both_made(history: History, step: Step, token: str) -> Damage | None:
    """Find two writes on a version, in flight together, that were both accepted with contents of their own.

    That the version is one, its place tells, though no answer in the evidence has given it out. Where the
    place was only learned, it has to be a count that goes on.

    Args:
        history: of the resource.
        step: an accepted write on a version.
        token: of the version.
    """
    for other in history.writes_beside(step):
        if other is step or not (_replaces(step, token) and _replaces(other, token)):
            continue
        if other.presents(token) and other.overlaps(step) and not same_content(other.body, step.body):
            text = "two writes on one token were both accepted"
            return Damage(Outcome.LOST_UPDATE, text, lost=other, overlap=True, stale_accepted=True)
    return None


def _replaces(step: Step, token: str) -> bool:
    """Tell whether an accepted write has put another version in the place of a token, as far as one knows."""
    if step.dialect is not None and step.dialect.id == LEARNED:
        return step.etag is not None and tokens.steps_on(token, step.etag) > 0
    if step.etag is None:
        # A version may stand in an answer of which nobody knows the family.
        return tokens.opaque(token) not in step.view.text
    return tokens.opaque(step.etag) != tokens.opaque(token)


def dated_beside(history: History, step: Step) -> Damage | None:
    """Find two writes in flight together on the time of one version, as a family has it, both accepted.

    Args:
        history: of the resource.
        step: an accepted write on a time.
    """
    guard = step.guard
    if guard is None or guard.standard or not guard.key or len(guard.tokens) != 1:
        return None
    for other in history.writes_beside(step):
        theirs = other.guard.tokens if other.guard is not None else ()
        twin = other is not step and theirs == guard.tokens and other.overlaps(step)
        if twin and not same_content(other.body, step.body):
            text = "two writes on one token were both accepted"
            return Damage(Outcome.LOST_UPDATE, text, lost=other, overlap=True, stale_accepted=True)
    return None


def _around(history: History, step: Step) -> tuple[Step | None, list[Step]]:
    """Return the last own look before a write, and those after it until the next own write.

    None where the writes of others are in the evidence: then they tell themselves.
    """
    if history.writers - {step.actor}:
        return None, []
    earlier = back_from(history, step.order)
    before = next((one for one in earlier if one.changes or one.representation is not None), None)
    if before is None or before.changes:
        return None, []
    later = takewhile(lambda one: not one.changes, on_from(history, step.order))
    looks = (one for one in later if one.representation is not None and not one.cache_hit)
    return before, [one for one in looks if one.variant == before.variant]


def _lacks(base: Step, step: Step, after: Step) -> bool:
    """Tell whether a state is another edit of an older version, without anything that a write had changed."""
    old, mine, now = base.representation, step.body, after.representation
    if old is None or mine is None or now is None:
        return False
    if line_undone(old, mine, now):
        return True
    edits = two_edits(old, mine, now)
    if edits is None or not edit_of(edits.now, edits.base):
        return False
    # What neither state names may be told elsewhere, in another form.
    told = all(value_at(edits.base, one) is not ABSENT for one in edits.wanted)
    return told and all(
        value_at(edits.now, one) != value_at(mine, one)
        and value_at(edits.now, one) == value_at(edits.base, one)
        for one in edits.wanted
    )


def _other_value(base: Step, step: Step, after: Step) -> bool:
    """Tell whether a state has other values for what a write changed, as its answer had confirmed."""
    old, mine, made, now = base.representation, step.body, step.shown_content, after.representation
    edited = [one for one in changed_pointers(old, made) or () if one and not stamped(one)]
    sent = [one for one in edited if value_at(mine, one) == value_at(made, one) is not ABSENT]
    return bool(sent) and all(value_at(now, one) not in (ABSENT, value_at(made, one)) for one in sent)


def dated_later(issued: Step, newest: Step, step: Step) -> Damage | None:
    """Find an accepted tag after a HEAD had shown its client another one that was modified later.

    Tags alone prove nothing, as nodes may differ in them: a later modification does.

    Args:
        issued: what gave out the tag that was sent.
        newest: the last own look before the write, without content.
        step: the accepted write.
    """
    guard = step.guard
    if newest.method != "HEAD" or newest.etag is None or guard is None or newest.variant != issued.variant:
        return None
    if newest.last_modified is None or issued.last_modified is None or newest.cache_hit:
        return None
    token = guard.tokens[0]
    if tokens.base(newest.etag) == tokens.base(token) or newest.last_modified <= issued.last_modified:
        return None
    text = f"a token was accepted after the client itself had been shown {newest.etag}, modified later"
    return Damage(Outcome.LOST_UPDATE, text, lost=newest, stale_accepted=True)


def put_back(history: History, removal: Step, step: Step) -> bool:
    """Tell whether a write puts back what its own sender had removed, and had then seen to be gone.

    Recycled things keep their last version, which the write may name. That it was answered as a replacement,
    not as a creation, says that the thing was kept; nobody's change is lost either way.

    Args:
        history: of the resource.
        removal: an accepted write before the other, not made together with it.
        step: an accepted write on the version from before the removal.
    """
    if removal.method != "DELETE" or removal.actor != step.actor or not step.replaces or step.status == _MADE:
        return False
    since = between(history, removal.order, step.order)
    gone = any(one.finds_nothing and one.actor == step.actor for one in since)
    return gone and not any(one.changes for one in since)


def set_anew(history: History, step: Step) -> bool:
    """Tell whether a resource is a single value that its writer sets and never reads: nothing of it is lost.

    Args:
        history: of the resource.
        step: an unguarded write.
    """
    if step.body is None or step.actor in history.readers or history.guarded:
        return False
    members = members_in(step.body.json())
    if members:
        return len(members) == 1
    form = "form-urlencoded" in (step.sent.text("content-type") or "")
    return form and "&" not in step.body.text
