"""Answer whether a write that a fresh token let through was made from an older version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis.facts.looks_behind import Behind, look_behind
from ifmatch.diagnosis.facts.state_facts import StateFacts
from ifmatch.diagnosis.facts.undone_reasons import reason_of
from ifmatch.diagnosis.facts.unread_versions import listing, part_only
from ifmatch.diagnosis.links.in_time import back_from
from ifmatch.diagnosis.links.likeness import (
    edit_of,
    gives,
    named_by,
    not_shown,
    replaces_all,
    same_but_version,
    version_of,
)
from ifmatch.diagnosis.links.linked_writes import own_name
from ifmatch.diagnosis.links.listed_versions import entries_in, listed_before
from ifmatch.diagnosis.links.operations import changes, operation
from ifmatch.diagnosis.losses.earlier_editions import edition_shown
from ifmatch.diagnosis.losses.taken_back import (
    added_to_older,
    adds_to,
    left_alone,
    lost_pointers,
    names_all,
    reverts,
)
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import (
    ABSENT,
    changed_pointers,
    same_content,
    scalars,
    shares_members,
    unwrapped,
    value_at,
)
from ifmatch.diagnosis.reading.dates import whole_second
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.model.cached import cached_property
from ifmatch.model.json_values import pointer_step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.facts.row_reasons import Reason
    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.message import Content

# Seconds in which a program, and nobody else, writes what it has read.
_AT_ONCE = 5.0
_DEEP: Final = 3
_VERSIONED = frozenset({Guard.SAME, Guard.SAME_DATE})


class BlindFacts(StateFacts):
    """What the evidence says about the version that a write was made from, and the one it replaced.

    Its attributes are those of `StateFacts`.
    """

    @cached_property
    def look_behind(self) -> Behind | None:
        """Return the old look, wherever it was taken, that a refused write has its version from."""
        denied = self.step.is_write and self.refused
        return look_behind(self.case, self.step) if denied else None

    @cached_property
    def undone(self) -> Reason | None:
        """Return why a success by its status left something undone; None where nothing tells."""
        return reason_of(self.case, self.step) if self.step.is_write and not self.refused else None

    @cached_property
    def after_own_write(self) -> Step | None:
        """Return this actor's last accepted write before the request, when it gave or preceded the token."""
        own = [step for step in self.own(self.earlier) if step.changes]
        if not own and self.given is not None and self.given[0].accepted:
            return self.given[0]
        if not own or own[-1].method == "DELETE" or self.source is None:
            return None
        return own[-1] if own[-1].order <= self.source.order else None

    @cached_property
    def only_added(self) -> bool:
        """Tell whether everything of the token's version is still there, and something was added."""
        pointers = self.moved_pointers
        told = [pointer for pointer in pointers or () if not stamped(pointer)]
        before, now = self.base_content, self.current_content
        return bool(told) and all(adds_to(value_at(before, one), value_at(now, one)) for one in told)

    @cached_property
    def unread(self) -> tuple[Step, Step] | None:
        """Return what gave a write its token without content, and the older read that it was edited from.

        The client never read the version that it replaced, and what it sent resembles the one before.
        """
        write = self.blind_write
        guard = write.guard if write is not None else None
        if (
            write is None
            or guard is None
            or guard.guard not in _VERSIONED
            or not (guard.standard or guard.key)
        ):
            return None
        before = [one for one in self.history if one.order < write.order and one.actor == write.actor]
        gave = next((one for one in reversed(before) if gives(one, guard)), None) or listing(self.case, write)
        shown = [one for one in before if one.representation is not None and version_of(one, guard)]
        if gave is None or not self._without_state(gave, write, shown) or any(one.changes for one in before):
            return None
        if any(named_by(one, guard) and one is not gave for one in shown):
            return None
        shown = [one for one in shown if one is not gave]
        if not shown:
            return None
        old = shown[-1]
        token, version = guard.tokens[0], version_of(old, guard)
        moved = tokens.base(version) != tokens.base(token)
        if _taken_from(gave, old, write, token):
            return None
        like = moved and tokens.shape(version) == tokens.shape(token) and old.coding == gave.coding
        return (gave, old) if like and edit_of(write.body, old.representation) else None

    def _without_state(self, gave: Step, write: Step, shown: Sequence[Step]) -> bool:
        """Tell whether what gave a write its token does not show the state that the write replaces."""
        if gave.method in {"HEAD", "PROPFIND"} or gave.resource != write.resource or not_shown(gave, write):
            return True
        old = next((one for one in reversed(shown) if one is not gave), None)
        return old is not None and part_only(gave, old, write)

    @cached_property
    def blind_write(self) -> Step | None:
        """Return the accepted write of this incident that may rest on an older version."""
        for step in self.attempts:
            if (
                step.accepted
                and (step.method == "PATCH" or replaces_all(step))
                and step.body is not None
                and step.actor == self.step.actor
            ):
                return step
        return None

    @cached_property
    def blind(self) -> tuple[Step, tuple[str, ...]] | None:
        """Return the read that gave the fresh token, and what the write took back; None when nothing was."""
        write = self.blind_write
        guard = write.guard if write is not None else None
        if write is None or guard is None or guard.guard not in _VERSIONED or not guard.tokens:
            return None
        reads = [
            step
            for step in self.history
            if step.order < write.order and step.actor == write.actor and step.representation is not None
        ]
        found = self._fresh(write, guard)
        if found is None:
            return None
        fresh, content = found
        # What was made before the new version existed, and never saw it, takes back all that it lacks.
        unread = self.resent_unread is write or self.unread is not None
        for old in reversed(reads):
            if old.order >= fresh.order or version_of(old, guard) == version_of(fresh, guard):
                continue
            own_between = [
                step
                for step in self.history
                if old.order < step.order < fresh.order
                and step.accepted
                and step.actor == write.actor
                and step.replaces
            ]
            if own_between:
                return None
            if old.representation is None or same_content(content, old.representation):
                continue
            if fresh.representation is not None and old.kind != fresh.kind:
                continue
            base, now = unwrapped(old.representation, write.body), unwrapped(content, write.body)
            taken_back = tuple(
                pointer
                for pointer in lost_pointers(base, now, write.body) or ()
                if not stamped(pointer)
                and pointer != guard.name
                # A list names each thing; the thing's own address does that for what is read there.
                and str(value_at(now, pointer)) != own_name(write)
                # A patch says nothing of what it leaves out.
                and (write.puts or value_at(write.body, pointer) is not ABSENT)
                and (unread or reverts(base, now, write.body, pointer, guard.tokens))
            )
            taken_back = left_alone(base, now, write.body, taken_back, guard.name)
            return (fresh, taken_back) if taken_back else None
        taken_back = self._listed_back(write, guard, fresh, content)
        return (fresh, taken_back) if taken_back else None

    @cached_property
    def may_patch(self) -> bool:
        """Tell whether a call may set some members alone: all that it sends differs from what it had read.

        Where one method serves for both, whole records show themselves by what they carry along unchanged.
        """
        write = self.blind_write
        if write is None or self.blind is None or self.blind[0].resource != write.resource:
            # Who had the token from elsewhere was not shown what it would set back.
            return False
        called = operation(write)
        if write.puts and not write.alters and not changes(called):
            return False
        before: Content | None = None
        for one in self.history:
            alike = one.replaces and one.accepted and operation(one) == called
            if alike and before is not None and _carries_along(one, before):
                return False
            if one.order >= write.order:
                break
            before = one.representation or before
        return True

    @cached_property
    def patched_blindly(self) -> bool:
        """Tell whether a patch sets a member, right after a read of it, to an edit of its older value.

        What a patch sends means a value, and mostly not a version of the record: that is only told of lists
        and texts, which carry along what they were made from, and of forms of all members.
        """
        write, guard = self.blind_write, self.guard
        if write is None or guard is None or self.blind is None or not write.timed:
            return False
        fresh, taken_back = self.blind
        if fresh.representation is None or write.start - fresh.end > _AT_ONCE:
            return False
        version = version_of(fresh, guard)
        own = back_from(self.history.by_actor.get(write.actor, ()), fresh.order)
        old = next(
            (
                one.representation
                for one in own
                if one.representation is not None and version_of(one, guard) != version
            ),
            None,
        )
        if old is None:
            # A listing had shown it.
            return True
        if names_all(old, write.body, write.resource):
            # A form carries along all that it was opened with.
            return True
        states = (unwrapped(old, write.body), unwrapped(fresh.representation, write.body), write.body)
        return any(added_to_older(*(value_at(each, one) for each in states)) for one in taken_back)

    def _listed_back(self, write: Step, guard: Condition, fresh: Step, content: Content) -> tuple[str, ...]:
        """Return what a write takes back to what a listing had shown before, of what it is an edit of.

        Who sends the record again as it was may mean that; who edits it beside does not.
        """
        patch = write.method == "PATCH"
        if not (write.puts or patch) or fresh.representation is None:
            return ()
        if write.timed and write.start - fresh.end > _AT_ONCE:
            # Time to look at it and to change one's mind.
            return ()
        found = listed_before(self.case.gathered(write.actor).collection_reads(write, fresh), write)
        if found is None:
            return ()
        old, now, listing_order = found[1], unwrapped(content, write.body), found[0].order
        if any(listing_order < one.order < fresh.order for one in self.history if one.actor == write.actor):
            # What it read or wrote since is what it went on from.
            return ()
        edited = [one for one in changed_pointers(old, write.body) or () if not stamped(one)]
        back = [
            one
            for one in lost_pointers(old, now, write.body) or ()
            if one and not stamped(one) and one != guard.name and value_at(old, one) is not ABSENT
            if not patch or added_to_older(*(value_at(each, one) for each in (old, now, write.body)))
        ]
        return tuple(one for one in back if reverts(old, now, write.body, one)) if edited else ()

    @cached_property
    def resent_unread(self) -> Step | None:
        """Return the write that repeats the refused content on another token, the new state never read.

        A patch carries only its own changes: it may be repeated as it is.
        """
        write = self.blind_write
        if write is None or write is self.step or not self.step.puts or write.order < self.step.order:
            return None
        guard, refused = write.guard, self.guard
        if guard is None or refused is None or guard.guard is not Guard.SAME:
            return None
        known = {tag for one in self.own_reads_before if one.content is not None for tag in one.issued()}
        if any(token in refused.tokens or token in known for token in guard.tokens):
            # What it names had been read before: nothing new is passed over.
            return None
        if any(whole_second(one, token) for one in refused.tokens for token in guard.tokens):
            # The same time with its fraction names the same version.
            return None
        read = any(
            step.content is not None
            and (step.read_ok or (step.refused and shares_members(step.content, write.body)))
            for step in self.attempts
            if self.step.order <= step.order < write.order and step.method != "HEAD"
        )
        return write if not read and same_but_version(write, self.step) else None

    def _fresh(self, write: Step, guard: Condition) -> tuple[Step, Content] | None:
        """Return the answer that gave a write its token, and the content of the version it names.

        The answer may be a HEAD or the refusal itself; then another's write or read shows the content.
        """
        gave = next(
            (
                step
                for step in back_from(self.history.by_actor.get(write.actor, ()), write.order)
                if (step.read_ok or step.refused) and gives(step, guard)
            ),
            None,
        ) or listing(self.case, write)
        if gave is None:
            return None
        before = [one for one in self.history if one.order < gave.order and one.representation is not None]
        # A row of a list that the write has something from was looked at.
        shows = not (
            gave.resource != write.resource
            and before
            and _taken_from(gave, before[-1], write, guard.tokens[0])
        )
        if gave.representation is not None and shows and (self.unread is None or self.unread[0] is not gave):
            return gave, gave.representation
        for step in self.history:
            named = named_by(step, guard)
            if named and step.representation is not None and step is not gave:
                return gave, step.representation
            if named and step.accepted and replaces_all(step) and step.body is not None:
                return gave, step.body
        if (shown := edition_shown(self.case, write, guard.tokens[0])) is not None:
            return gave, shown[1]
        changed = [one for one in self.history if one.order < gave.order and one.changes]
        last = changed[-1] if changed else None
        # An answer without a tag: what was written last before the token was given out is what it names.
        return (gave, last.made) if last is not None and last.etag is None and last.made is not None else None


def _carries_along(write: Step, before: Content) -> bool:
    """Tell whether a write sends a member of a state again as it is."""
    sent = write.body.json() if write.body is not None else None
    if not isinstance(sent, dict):
        return True
    now, guard = unwrapped(before, write.body), write.guard
    no_state = {own_name(write), guard.value.strip('"') if guard is not None else ""}
    return any(
        value == value_at(now, f"/{pointer_step(name)}") and str(value) not in no_state
        for name, value in cast("dict[str, object]", sent).items()
        if not stamped(f"/{name}")
    )


def _taken_from(gave: Step, old: Step, write: Step, token: str) -> bool:
    """Tell whether a write sends what the row that gave its token shows, and the older read does not."""
    base = unwrapped(old.representation, write.body) if old.representation is not None else None
    changed = {
        str(value_at(write.body, one))
        for one in changed_pointers(base, write.body) or ()
        if value_at(write.body, one) is not ABSENT
    } - {tokens.opaque(token), token, own_name(write), *scalars(old.view.json)}
    for entry in entries_in(gave.view.json, _DEEP) if changed else ():
        shown = {str(one) for one in entry.values() if isinstance(one, str | int)}
        if any(tokens.opaque(one) == tokens.opaque(token) for one in shown) and shown & changed:
            return True
    return False
