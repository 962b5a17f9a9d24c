"""Answer the questions that rules ask about one incident.

The cleverness is here so that the rules stay short: each property is one fact, three-valued where the
evidence may not tell (None: not known).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis import tokens
from ifmatch.diagnosis.authorship import account_in, proven
from ifmatch.diagnosis.blind_facts import BlindFacts
from ifmatch.diagnosis.conditions import IN_CONTENT, Guard
from ifmatch.diagnosis.contents import (
    beside,
    change_of,
    changed_pointers,
    holds,
    same_content,
    speak_of_one,
    telling,
    value_at,
)
from ifmatch.diagnosis.counted_requests import counted
from ifmatch.diagnosis.counts import counts_along
from ifmatch.diagnosis.editors import PROGRAM, SYSTEM, editor_above, editor_like, handed_over, same_moment
from ifmatch.diagnosis.likeness import shows, taken_on
from ifmatch.diagnosis.listed_tokens import listings_of
from ifmatch.diagnosis.own_marks import marks_of
from ifmatch.diagnosis.own_names import names_itself, signed_by_own
from ifmatch.diagnosis.resources import bare, last_step
from ifmatch.diagnosis.served_dates import served_dates
from ifmatch.diagnosis.stamps import stamped
from ifmatch.diagnosis.told_order import stored_first
from ifmatch.diagnosis.version_words import called_version
from ifmatch.model.cached import cached_property
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.authorship import Proof
    from ifmatch.diagnosis.conditions import Condition
    from ifmatch.diagnosis.counted_requests import Counted
    from ifmatch.diagnosis.damages import Damage
    from ifmatch.diagnosis.listed_tokens import Listing
    from ifmatch.diagnosis.own_marks import Mark
    from ifmatch.diagnosis.steps import Step
    from ifmatch.diagnosis.told_changes import Change


_DATE_SLACK = 2.5  # Seconds by which a Date may lag, being cut to the second.
_LISTED = 3  # A shorter token stands in a listing by chance.
# What names one intent over several attempts.
_NOTHING = Content.from_text("{}")
_INTENT_FIELDS = ("idempotency-key", "x-idempotency-key", "x-ms-client-request-id", "amz-sdk-invocation-id")


class Facts(BlindFacts):
    """What the evidence says around one request: the token, the state, the writers, the way.

    Its attributes are those of `StateFacts`.
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
            if above := editor_above(pointer):
                value, name = (str(value_at(self.current_content, one)) for one in (above, pointer))
                if names_itself(self.step, pointer, name) or signed_by_own(self, pointer, name):
                    continue
                program = self._answered_by_programs and PROGRAM.search(value)
                if not SYSTEM.search(value) and not program:
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
        reads = [one.representation for one in self.earlier if one.read_ok]
        shown = next((one for one in reversed(reads) if one is not None), None)
        return any(handed_over(shown, now, kind) for kind in kinds)

    # -- dates ------------------------------------------------------------------------

    @cached_property
    def sent_date(self) -> float | None:
        """Return the date of the precondition in seconds since the epoch, None when it is none."""
        if self.guard is None or self.guard.guard is not Guard.SAME_DATE:
            return None
        return self.guard.moment

    @cached_property
    def served_dates(self) -> list[tuple[float, Step]]:
        """Return the modification dates that this actor was given before the request, latest first."""
        own = self.own(self.earlier)
        return served_dates(self.case, own, self.step, self.guard, self.sent_date)

    @cached_property
    def client_skew(self) -> float | None:
        """Return how far the actor's clock is ahead of the server's Date at this request, in seconds.

        A Date that lies within the request says of no difference, however long the request took.
        """
        exchange = self.step.exchange
        if exchange.started is None or self.step.date is None:
            return None
        if exchange.started - 1.0 < self.step.date <= exchange.started + (exchange.duration or 0.0):
            return 0.0
        middle = exchange.started + (exchange.duration or 0.0) / 2
        return middle - self.step.date - 0.5

    @cached_property
    def may_be_kept(self) -> bool:
        """Tell whether answers about the resource allow caches to keep them for a while."""
        return any(step.lifetime for step in self.history if step.is_read)

    @cached_property
    def answers_apart(self) -> tuple[float, Step] | None:
        """Return how far the Dates of one service's answers lie apart, beyond the time between them.

        Answers out of caches do not count: they carry the Date of when they were made.
        """
        answers = [
            (step.date - step.exchange.ended, step.date - step.start_here + _DATE_SLACK, step)
            for step in self.history
            if step.date is not None
            and step.exchange.ended is not None
            and not self.from_cache(step)
            and step.actor == self.step.actor
        ]
        if len(answers) < 2:
            return None
        # Each Date bounds its clock from both sides: bounds that exclude each other are of two clocks.
        least = max(answers, key=lambda one: one[0])
        most = min(answers, key=lambda one: one[1])
        if least[0] - most[1] <= 0:
            return None
        return least[0] - (most[1] - _DATE_SLACK), least[2]

    # -- the way ----------------------------------------------------------------------

    @cached_property
    def error_text(self) -> str:
        """Return the refusal's words: reason phrase, error codes and the beginning of its content."""
        response = self.step.exchange.response
        if response is None:
            return ""
        codes = [
            value
            for name in ("x-ms-error-code", "x-amz-error-code", "x-error-code", "warning")
            if (value := response.fields.text(name)) is not None
        ]
        # Some services fill their answers up with blanks, which each rule would search.
        body = self.step.view.text[:4000].rstrip()
        return " ".join([response.reason, *codes, body])

    @cached_property
    def html_answer(self) -> bool:
        """Tell whether the answer's content is an HTML page."""
        kind = (self.step.header("content-type") or "").lower()
        return kind.startswith("text/html")

    @cached_property
    def cross_origin(self) -> bool:
        """Tell whether a script in a browser sent the request to another origin."""
        origin = self.step.sent.text("origin")
        if origin is None or origin == "null":
            return origin is not None
        host = self.step.exchange.request.url.partition("://")[2].partition("/")[0].lower()
        return origin.partition("://")[2].lower() != host

    def upstream_tag(self, step: Step) -> str | None:
        """Return the tag that the origin gave for a step, None when that was not seen."""
        for hop in reversed(step.hops):
            if hop.response is not None:
                fields = hop.response.fields
                value = fields.text("etag")
                # A server's log shows what it sent, so what its own encoder made of the tag.
                logged = not fields.complete and fields.get("content-encoding") not in {None, "identity"}
                if value is not None and not (logged and tokens.is_weak(value.strip())):
                    return value.strip()
        return None

    # -- damage -----------------------------------------------------------------------

    damage: Damage | None = None
