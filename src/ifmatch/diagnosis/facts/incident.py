"""Answer the questions that rules ask about one incident.

The cleverness is here so that the rules stay short: each property is one fact, three-valued where the
evidence may not tell (None: not known).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.facts.authorship import account_in, proven
from ifmatch.diagnosis.facts.blind_facts import BlindFacts
from ifmatch.diagnosis.facts.counted_requests import counted
from ifmatch.diagnosis.facts.listed_tokens import listings_of
from ifmatch.diagnosis.facts.own_names import names_itself, signed_by_own, signs_senders
from ifmatch.diagnosis.facts.told_order import stored_first
from ifmatch.diagnosis.facts.way_facts import WayFacts
from ifmatch.diagnosis.links.likeness import shows, taken_on
from ifmatch.diagnosis.links.own_marks import marks_of
from ifmatch.diagnosis.losses.counts import counts_along
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import IN_CONTENT, Guard
from ifmatch.diagnosis.reading.contents import (
    beside,
    change_of,
    changed_pointers,
    holds,
    same_content,
    speak_of_one,
    telling,
    value_at,
)
from ifmatch.diagnosis.reading.editors import (
    PROGRAM,
    SYSTEM,
    editor_above,
    editor_like,
    handed_over,
    of_application,
    same_moment,
)
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.resources import bare, last_step
from ifmatch.model.cached import cached_property
from ifmatch.model.json_values import members_in
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.facts.authorship import Proof
    from ifmatch.diagnosis.facts.counted_requests import Counted
    from ifmatch.diagnosis.facts.listed_tokens import Listing
    from ifmatch.diagnosis.links.damages import Damage
    from ifmatch.diagnosis.links.own_marks import Mark
    from ifmatch.diagnosis.losses.told_changes import Change
    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.exchange import Told


_LISTED = 3  # A shorter token stands in a listing by chance.
# What names one intent over several attempts.
_NOTHING = Content.from_text("{}")
_INTENT_FIELDS = ("idempotency-key", "x-idempotency-key", "x-ms-client-request-id", "amz-sdk-invocation-id")


class Facts(BlindFacts, WayFacts):
    """What the evidence says around one request: the token, the state, the writers, the way.

    Its attributes are those of `StateFacts`; what lies between client and service is in `WayFacts`.
    """

    # -- who wrote --------------------------------------------------------------------

    def writes_between(self, since: Step | None, until: Step) -> list[Step]:
        """Return accepted writes that ended after `since` began and began before `until` ended."""
        return [
            step
            for step in self.history.writes
            if step is not until
            and (since is None or step.end >= since.start)
            and (since is None or step is not since)
            and step.start <= until.end
        ]

    @property
    def from_torn_source(self) -> bool:
        """Tell whether text is missing between the messages of the source that shows the request."""
        source = self.step.exchange.provenance.source
        return any(capture.torn and capture.name == source for capture in self.case.captures)

    @cached_property
    def foreign_writes(self) -> list[Step]:
        """Return other actors' accepted writes between the token's source and the request."""
        since = self.source or (self.own_reads_before[-1] if self.own_reads_before else None)
        return [step for step in self.writes_between(since, self.step) if step.actor != self.step.actor]

    @cached_property
    def own_writes(self) -> list[Step]:
        """Return this actor's accepted writes since it first saw the token, ended before the request.

        Where no answer in the evidence gave the token out, nothing tells that a write came after it.
        """
        since = self.first_issue
        if since is None:
            return []
        return [
            step
            for step in self.writes_between(since, self.step)
            if step.actor == self.step.actor
            and step.order < self.step.order
            and step.method != "DELETE"
            and not self.overlaps(step)
        ]

    @cached_property
    def replaced_before_read(self) -> Step | None:
        """Return the accepted write that had replaced the token before the read that gave it out again.

        Either the token was known before the write, or the read lacks what the write had put there.
        """
        source = self.source
        if source is None or not source.read_ok:
            return None
        for write in reversed(self.earlier):
            if not (write.changes and source.follows(write)):
                continue
            if self.names(write) and self.token is not None:
                return None  # What it read is what was written last.
            if self.names(write) or not source.surely_after(write):
                continue
            known = any(self.names(one) for one in self.known_before(write))
            if known or (self.lacks(source, write) and not self._follows_what_was_known(write)):
                return write
            return None
        return None

    def known_before(self, write: Step) -> list[Step]:
        """Return what was done to the resource before a write."""
        return [one for one in self.history if one.order < write.order]

    def _follows_what_was_known(self, write: Step) -> bool:
        """Tell whether the token is none of the versions that the actor knew up to a write: a later one."""
        before = self.own(self.known_before(write))
        # Nothing came between a version and the write that was taken on it.
        made = write.etag is not None or (
            write.guard is not None and any(self._gave(one, write.guard) for one in before)
        )
        return made and any(one.read_ok and one.etag is not None for one in before)

    @staticmethod
    def _gave(step: Step, guard: Condition) -> bool:
        """Tell whether an answer gave out what another write was made on."""
        return guard.guard is Guard.SAME and any(one in guard.tokens for one in step.issued())

    @cached_property
    def listings(self) -> Sequence[Listing]:
        """Return what own listings show of the target of a write whose token one of them gives."""
        return listings_of(self)

    @cached_property
    def listed_again(self) -> tuple[Step, Step] | None:
        """Return the own write that replaced the token, and the listing that showed it all the same."""
        replaced = self.own_writes or taken_on(self.own(self.earlier), self.token)
        if not replaced or self.token is None or replaced[-1].etag in {None, self.token}:
            return None
        write = replaced[-1]
        token = tokens.opaque(self.token).partition(",")[0]  # of a pair, what names the version
        for listing in reversed(self.listings):
            one = listing.step
            if write.order < one.order < self.step.order and listing.version == token and one.follows(write):
                return write, one
        name = last_step(self.step.resource)
        for one in reversed(self.case.steps[write.order + 1 : self.step.order]):
            if not (shows(one) and one.actor == self.step.actor and one.resource != self.step.resource):
                continue
            shown = one.content
            if shown is None or len(token) < _LISTED or token not in shown.text or not one.follows(write):
                continue
            # A list of changes has the new one as well.
            if tokens.opaque(write.etag or "") not in shown.text and name and beside(shown, token, name):
                return write, one
        return None

    def lacks(self, read: Step, write: Step) -> bool:
        """Tell whether a read certainly does not show what a write had put there before."""
        shown, put = read.representation, write.body
        if shown is None or put is None or not (write.puts or write.alters or write.method == "PATCH"):
            return False
        return speak_of_one(shown, put) and not holds(shown, put)

    @cached_property
    def moved_by_own(self) -> Step | None:
        """Return this actor's earlier write when it alone explains how the content differs from the base."""
        if not self.content_moved or not self.own_writes:
            return None
        write = self.own_writes[-1]
        if not holds(self.current_content, write.body):
            return None
        if write.puts:
            return write
        sent = {pointer.split("/")[1] for pointer in changed_pointers(_NOTHING, write.body) or () if pointer}
        moved = [pointer for pointer in self.moved_pointers or () if pointer and not stamped(pointer)]
        return write if moved and all(pointer.split("/")[1] in sent for pointer in moved) else None

    def overlaps(self, other: Step) -> bool:
        """Tell whether another request was in flight together with this one."""
        return self.step.overlaps(other)

    @cached_property
    def overlapping_own(self) -> list[Step]:
        """Return this actor's accepted writes on the same token that were in flight beside the request."""
        return [
            step
            for step in self.history.writes_beside(self.step)
            if step is not self.step
            and step.actor == self.step.actor
            and self.overlaps(step)
            and (self.token is None or step.presents(self.token) or step.guard is None)
        ]

    @cached_property
    def unordered_own(self) -> list[Step]:
        """Return this actor's accepted writes on the same token that a slow clock cannot put in order."""
        return [
            step
            for step in self.history.writes_beside(self.step)
            if step is not self.step
            and step.actor == self.step.actor
            and step.unordered(self.step)
            and step.guard is not None
            and self.guard is not None
            and step.guard.value == self.guard.value
        ]

    @cached_property
    def unanswered_own(self) -> Step | None:
        """Return this actor's last write before the request whose outcome it never learnt."""
        for step in reversed(self.own(self.earlier)):
            if step.changes:
                return None
            if step.is_write and step.unanswered and self._same_intent(step):
                return step
        return None

    @cached_property
    def marks(self) -> Sequence[Mark]:
        """Return what may name the request."""
        return marks_of(self.step)

    @cached_property
    def account(self) -> tuple[Change, ...]:
        """Return what the service's own lists tell of changes of the resource, around the request."""
        return account_in(self)

    @cached_property
    def proof(self) -> Proof | None:
        """Return what proves that the present state was made by this request, or an unanswered one before."""
        return proven(self, self.unanswered_own or self.step) if self.refused else None

    @cached_property
    def counted(self) -> Counted | None:
        """Return how many requests the service counted for the change that is there."""
        return counted(self)

    @cached_property
    def stored_first(self) -> Step | None:
        """Return the answer that tells that the request was stored, and compared only then."""
        return stored_first(self)

    def _same_intent(self, other: Step) -> bool:
        """Tell whether another request wanted the same, or is known to be what is stored now."""
        if other.method != self.step.method:
            return False
        if other.body is None or self.step.body is None:
            return True
        keys = {other.sent.text(name) for name in _INTENT_FIELDS} - {None}
        return (
            same_content(other.body, self.step.body)
            or any(self.step.sent.text(name) in keys for name in _INTENT_FIELDS)
            or holds(self.current_content, other.body)
        )

    @cached_property
    def never_arrived(self) -> bool:
        """Tell whether the unanswered attempt certainly did not reach the origin, or was refused there."""
        first = self.unanswered_own
        if first is None or not first.covered:
            return False
        return all(400 <= hop.status < 500 for hop in first.hops)

    @cached_property
    def repeats(self) -> list[Step]:
        """Return the refused attempts with the same precondition and no read between them, this one first."""
        found = [self.step]
        guard = self.guard
        if guard is None:
            return found
        for step in self.own(self.later):
            if step.read_ok or step.accepted or (not step.is_write and step.issued()):
                # A listing that tells its tag is a read as well.
                break
            same = step.guard
            if (
                step.is_write
                and same is not None
                and not same.unseen
                and same.value == guard.value
                and step.status == self.step.status
            ):
                found.append(step)
        return found

    @cached_property
    def ours_by_chance(self) -> bool:
        """Tell whether what this request wanted is so little that another may have written the same."""
        guard = self.guard
        if counts_along(self.own(self.history), self.step, self.base_content):
            return True
        body = self.step.body
        if body is not None and (self.step.method == "PATCH" or self.step.alters):
            body = change_of(body, self.base_content)
        inside = guard if guard is not None and guard.carrier in IN_CONTENT else None
        if inside is None or body is None or tokens.opaque(inside.value) not in body.text:
            # The state may be sent apart from the version that it is made from.
            return not telling(body)
        # The version, its name, and the braces of each object around it are no change.
        around = 6 * (inside.name.count("/") - 1) if inside.name.startswith("/") else 0
        return not telling(body, len(f"{inside.name}{inside.value}': '', ") + around)

    @cached_property
    def only_versions_moved(self) -> bool:
        """Tell whether but versions and times differ: they move with what is larger."""
        names = [pointer.rpartition("/")[2] for pointer in self.moved_pointers or ()]
        return self.only_stamps_moved and all(called_version(name) for name in names)

    @cached_property
    def only_added_to_sent(self) -> bool:
        """Tell whether what is there only has more than an own write had sent, which nobody has read."""
        source = self.source
        sent = (
            source is not None and source.accepted and source.made is not None and source.made is source.body
        )
        seen = any(one.representation is not None for one in self.own(self.earlier))
        return sent and not seen and self.only_added

    # -- who edited -------------------------------------------------------------------

    @cached_property
    def parts_written(self) -> list[Step]:
        """Return the accepted writes on what lies below the resource, since the token was given out."""
        if self.source is None:
            return []
        below = bare(self.step.resource) + "/"
        return [
            step
            for step in self.case.steps[self.source.order + 1 : self.step.order]
            if step.changes and not step.batched and step.resource.startswith(below)
        ]

    @cached_property
    def _answered_by_programs(self) -> bool:
        """Tell whether this actor had written what a job or worker of the service may have gone on from."""
        return self.after_own_write is not None or any(
            step.actor == self.step.actor for step in self.parts_written
        )

    @cached_property
    def within_own_write(self) -> bool:
        """Tell whether what is there is dated as the own write before it was answered: all was one change."""
        source = self.source
        own = source is not None and source.accepted and source.actor == self.step.actor
        return own and bool(self.state_moved) and same_moment(self.base_content, self.current_content)

    @cached_property
    def other_editor(self) -> str | None:
        """Return the pointer of a member that names another editor, human or program, than before."""
        if self.within_own_write:
            return None
        for pointer in self.moved_pointers or ():
            if above := editor_above(pointer) or (pointer if signs_senders(self, pointer) else ""):
                held = value_at(self.current_content, above)
                value, name = str(held), str(value_at(self.current_content, pointer))
                if names_itself(self.step, pointer, name) or signed_by_own(self, pointer, name):
                    continue
                program = self._answered_by_programs and PROGRAM.search(value)
                if not SYSTEM.search(value) and not program and not of_application(members_in(held)):
                    return pointer
        return None

    @cached_property
    def system_editor(self) -> bool:
        """Tell whether the content names a program of the service as its last editor, and did not before.

        A job or worker counts only after an own write, as what the service does about it.
        """
        kinds = [SYSTEM, PROGRAM] if self._answered_by_programs else [SYSTEM]
        now, before = self.current_content, self.base_content
        if any(editor_like(now, kind) and not editor_like(before, kind) for kind in kinds):
            return True
        for pointer in self.moved_pointers or ():
            said = value_at(now, pointer) if signs_senders(self, pointer) else None
            if isinstance(said, str) and any(kind.search(said) for kind in kinds):
                return True
        reads = [one.representation for one in self.earlier if one.read_ok]
        shown = next((one for one in reversed(reads) if one is not None), None)
        return any(handed_over(shown, now, kind) for kind in kinds)

    # -- damage -----------------------------------------------------------------------

    damage: Damage | None = None
    # Whether to hear the words around the traffic: where it is silent itself.
    hears: bool = False

    @property
    def told(self) -> tuple[Told, ...]:
        """What a text says of causes, as far as it is heard."""
        return tuple(one for one in self.step.exchange.told if self.hears or not one.beside)
