"""Answer the questions about the precondition: what it names, and where its token came from."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from ifmatch.diagnosis.facts.given_elsewhere import given_elsewhere
from ifmatch.diagnosis.links.history import History
from ifmatch.diagnosis.links.in_time import between, is_row
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Condition, Guard
from ifmatch.diagnosis.reading.contents import version_member
from ifmatch.diagnosis.steps.resources import bare
from ifmatch.dialects import weak_tags_match
from ifmatch.model.cached import cached_property
from ifmatch.model.grouped import grouped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.message import Content

# Seconds after which two answers of one origin cannot carry one Date.
_COPY_AGE = 2.0


class TokenFacts:
    """What the evidence says about the precondition of one request, and where its token came from.

    Attributes:
        case: everything, of a long case what lies near the request.
        step: the request that the incident is about.
        attempts: all steps of the incident in order of time, `step` included.
        history: all steps on the resource, in order of time; of very many those near the attempts.
    """

    def __init__(self, case: Case, step: Step, attempts: Sequence[Step] = ()) -> None:
        self._owned: dict[int, tuple[Sequence[Step], list[Step]]] = {}
        self.case = case.around(step)
        self.step = step
        self.attempts = tuple(attempts) or (step,)
        whole = (case.whole or case).history_of(step.resource) or History([step])
        self.history = whole.near(self.attempts)

    # -- the precondition -------------------------------------------------------------

    @cached_property
    def guard(self) -> Condition | None:
        """Return the precondition that protects the request."""
        if self.step.is_write:
            guard = self.step.guard
            if guard is not None and not guard.well_formed and self._served_like_this(guard):
                # An API of its own: it gives out tokens without quotes, and takes them back so.
                return replace(guard, well_formed=True)
            return guard
        return self.step.condition(Guard.SAME, Guard.SAME_DATE, Guard.EXISTS) or next(
            iter(self.step.conditions), None
        )

    def _served_like_this(self, guard: Condition) -> bool:
        value = guard.value.strip()
        return any(step.etag == value for step in self.case.givers(tokens.opaque(value)))

    @cached_property
    def token(self) -> str | None:
        """Return the token that names the expected state, None without one.

        Of several in a list, the one that the resource issued last.
        """
        guard = self.guard
        if guard is None or guard.guard is not Guard.SAME or not guard.tokens:
            return None
        first, *others = guard.tokens
        if others:
            for step in reversed(self.earlier):
                for issued in step.issued():
                    if issued in guard.tokens:
                        return issued
        return first

    @cached_property
    def weak_token(self) -> bool:
        """Tell whether the expected state is named by weak tags only."""
        return (
            self.guard is not None
            and self.guard.guard is Guard.SAME
            and self.guard.well_formed
            and self.guard.weak
            and not (self.step.dialect is not None and weak_tags_match(self.step.dialect))
        )

    @cached_property
    def refused(self) -> bool:
        """Tell whether the request was refused (412, 428, or what its API uses for them)."""
        failed = not 200 <= self.step.status < 400 and self.step.status != 0
        return self.step.denied or failed or (self.step.status == 304 and self.step.refused)

    # -- neighbours in time -----------------------------------------------------------

    @cached_property
    def earlier(self) -> list[Step]:
        """Return the steps on the resource that began before the request."""
        return self.history.before(self.step)

    @cached_property
    def later(self) -> list[Step]:
        """Return the steps on the resource that began after the request."""
        return self.history.after(self.step)

    def own(self, steps: Sequence[Step]) -> list[Step]:
        """Return those of the same actor; not to be changed."""
        if steps is self.case.steps:
            return self.case.by_actor.get(self.step.actor, [])
        if steps is self.history:
            return self.history.by_actor.get(self.step.actor, [])
        known = self._owned.get(id(steps))
        if known is not None and known[0] is steps:
            return known[1]
        actor = self.step.actor
        found = [step for step in steps if step.actor == actor]
        self._owned[id(steps)] = (steps, found)
        return found

    @cached_property
    def own_reads_before(self) -> list[Step]:
        """Return this actor's reads that showed validators before the request."""
        return [step for step in self.own(self.earlier) if step.read_ok]

    @cached_property
    def own_reads_after(self) -> list[Step]:
        """Return this actor's reads with validators after the request, until its next accepted write."""
        found: list[Step] = []
        for step in self.own(self.later):
            if step.accepted:
                break
            if step.read_ok:
                found.append(step)
        return found

    # -- where the token came from ----------------------------------------------------

    def names(self, step: Step) -> bool:
        """Tell whether an answer gave out exactly the validator that the precondition carries."""
        if self.token is not None:
            return self.token in step.issued()
        if self.guard is not None and self.guard.guard is Guard.SAME_DATE:
            shows = step.read_ok or step.accepted
            return shows and (step.header("last-modified") or "").strip() == self.guard.value.strip()
        return False

    @cached_property
    def issues(self) -> list[Step]:
        """Return the steps on this resource that gave out exactly this validator.

        Those before the request, or, when the evidence begins with it, reads behind it: a capture often holds
        the refusal and what was read afterwards, but not the read that the token came from.
        """
        if self.token is not None:
            before = [*dict.fromkeys(between(self.history.issued(self.token), -1, self.step.order))]
        else:
            before = [step for step in self.earlier if self.names(step)]
        if not before and self.given is not None and self.given[0].accepted:
            return [self.given[0]]
        if before or self.own(self.earlier):
            return before
        return [step for step in self.own_reads_after if step.etag is not None and step.etag == self.token]

    @cached_property
    def given(self) -> tuple[Step, Content] | None:
        """Return the own answer on another resource that gave the token out with the thing, and the thing."""
        if self.token is None or between(self.history.issued(self.token), -1, self.step.order):
            return None
        return given_elsewhere(self.case, self.step, self.token)

    @cached_property
    def source(self) -> Step | None:
        """Return the step that the actor had the token from: its own latest, else anybody's latest."""
        own = self.own(self.issues)
        return own[-1] if own else (self.issues[-1] if self.issues else None)

    @cached_property
    def first_issue(self) -> Step | None:
        """Return the actor's first sight of the token."""
        own = self.own(self.issues)
        return own[0] if own else (self.issues[0] if self.issues else None)

    @cached_property
    def base(self) -> Step | None:
        """Return the read whose content the write is based on: the token's source, else the last own read."""
        if self.source is not None:
            return self.source
        reads = self.own_reads_before
        return reads[-1] if reads else None

    @cached_property
    def damaged_from(self) -> tuple[Step, str] | None:
        """Return the step whose tag, damaged, gives the sent token, and the kind of damage."""
        if self.token is None or self.issues:
            return None
        for step in reversed(
            self.own(self.history) + [one for one in self.history if one.actor != self.step.actor]
        ):
            # A later answer may give the very token, and beside it what its members spell otherwise.
            for issued in () if self.token in (given := step.issued()) else given:
                kind = tokens.damage(self.token, issued)
                if kind not in {"", "other"}:
                    return step, kind
        return None

    @cached_property
    def elsewhere(self) -> Step | None:
        """Return the step on another resource that gave out this token, None when there is none."""
        if self.token is None or self.issues or len(tokens.opaque(self.token)) < 1:
            return None
        wanted = tokens.opaque(self.token)
        gave = [one for one in self.case.givers(wanted) if one.order < self.step.order]
        gave = [one for one in gave if one.resource != self.step.resource]
        # What the client was given for another selection of the very list is what it sends.
        mine = (one for one in reversed(self.own(gave)) if bare(one.resource) == bare(self.step.resource))
        return next(mine, gave[-1] if gave else None)

    @cached_property
    def inside(self) -> Step | None:
        """Return an earlier step in whose content this token stands, though no field carried it."""
        if self.token is None or self.issues:
            return None
        wanted = tokens.opaque(self.token)
        if len(wanted) < 3:
            # A short number stands anywhere: only the own last read, and a member that names versions, tell.
            last = self.own_reads_before[-1] if self.own_reads_before else None
            return last if last is not None and version_member(last.content, wanted) else None
        for step in reversed(self.case.steps[: self.step.order]):
            if step.actor == self.step.actor and step.content is not None and wanted in step.content.text:
                return step
        return None

    def from_cache(self, step: Step) -> bool:
        """Tell whether a cache answered: by its marks or Date, or as the origin never saw the request."""
        return step.cache_hit or (step.covered and not step.hops) or self._copied(step)

    def _copied(self, step: Step) -> bool:
        """Tell whether an answer carries the Date of an earlier one, though time has passed: it is a copy."""
        if step.date is None or step.status != HTTPStatus.OK or not step.timed:
            return False
        return any(
            one.order < step.order and step.start - one.start > _COPY_AGE
            for one in self.history.shown.get((step.date, step.etag), ())
        )

    @cached_property
    def quiet_reads(self) -> list[Step]:
        """Return the reads around the request with tags of one representation and no accepted write between.

        What a cache answered tells nothing about the origin.
        GET and HEAD may be answered by two code paths, and lists by another one: those of the method that is
        seen more often.
        """
        window: list[Step] = []
        for step in self.history:
            if step.changes:
                if step.order < self.step.order:
                    window = []
                    continue
                break
            if step.is_read and step.status == 200 and step.etag is not None and not self.from_cache(step):
                window.append(step)
        groups = grouped(((step.method, is_row(step), step.variant, step.coding), step) for step in window)
        return max(groups.values(), key=len) if groups else []
