"""Answer the questions about the token and the state: where the one came from, how the other moved."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from ifmatch.diagnosis.facts.given_elsewhere import given_elsewhere
from ifmatch.diagnosis.facts.moved_times import but_moved_times
from ifmatch.diagnosis.links.history import History
from ifmatch.diagnosis.links.in_time import between
from ifmatch.diagnosis.links.likeness import told_by_digest
from ifmatch.diagnosis.links.negotiated import asks_alike, represented
from ifmatch.diagnosis.losses.wishes import wish_of
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Condition, Guard
from ifmatch.diagnosis.reading.contents import (
    holds,
    holds_stamps,
    same_content,
    speak_of_one,
    version_member,
)
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.steps.resources import bare
from ifmatch.diagnosis.steps.told_versions import moved
from ifmatch.dialects import weak_tags_match
from ifmatch.model.cached import cached_property
from ifmatch.model.grouped import grouped
from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.merge import JsonValue

# Seconds after which two answers of one origin cannot carry one Date.
_COPY_AGE = 2.0
# What a listing tells of the resource is a step of its own.
_LISTING = frozenset({"PROPFIND", "REPORT", "SEARCH"})


class StateFacts:
    """What the evidence says about the token and the state around one request; `Facts` says the rest.

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
        GET and HEAD may be answered by two code paths: those of the method that is seen more often.
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
        groups = grouped(((step.method, step.variant, step.coding), step) for step in window)
        return max(groups.values(), key=len) if groups else []

    # -- what the state was afterwards ------------------------------------------------

    @cached_property
    def refresh(self) -> Step | None:
        """Return the first read after the request that shows the state or its absence.

        Own ones are preferred, and of these the one that asked as the token's source had asked.
        """
        for steps in (self.own(self.later), self.later):
            found: Step | None = None
            for step in steps:
                if step.overlaps(self.step) and step.actor == self.step.actor:
                    continue
                if step.read_ok and self.names(step) and self.from_cache(step):
                    # A copy that still shows the refused token tells nothing about the state.
                    continue
                if step.finds_nothing:
                    return found or step
                if step.is_read and step.status in {200, 203, 206, 304}:
                    if self.comparable(step):
                        return step
                    found = found or step
                if step.accepted and (step.actor == self.step.actor or step.replaces):
                    break
            if found is not None:
                return found
        return None

    def comparable(self, step: Step) -> bool:
        """Tell whether a read asked for the same representation as the one that gave the token."""
        source = self.source or (self.own_reads_before[-1] if self.own_reads_before else None)
        said = source is not None and (source.is_read or source.sent.text("content-language") is not None)
        if source is None or not said:
            return True
        return asks_alike(source, represented(source, self.history), step)

    @cached_property
    def current_tag(self) -> str | None:
        """Return the tag at the time of the refusal; the refused answer's own counts unless it is an echo."""
        refresh = self.refresh
        if refresh is not None and refresh.etag is not None and refresh.status in {200, 203, 206, 304}:
            return refresh.etag
        if self.step.status == 412 and self.step.etag is not None and self.step.etag != self.token:
            return self.step.etag
        return self.step.told

    @cached_property
    def current_content(self) -> Content | None:
        """Return the content after the refusal, None when not known."""
        refresh = self.refresh
        if refresh is None:
            return None
        if refresh.representation is not None:
            return refresh.representation
        for step in self.later:
            if step.representation is not None and step.etag == refresh.etag and step.etag is not None:
                return step.representation
        return None

    @cached_property
    def token_again(self) -> bool:
        """Tell whether a read after the refusal still shows the refused token, or a write passes with it."""
        return self.passed_later is not None or any(
            (step.read_ok or (step.method in _LISTING and step.status == HTTPStatus.OK))
            and self.names(step)
            and not self.from_cache(step)
            for step in self._until_next_write(self.later)
        )

    @cached_property
    def passed_later(self) -> Step | None:
        """Return the next accepted write if it carries the very token that was refused: nothing had moved."""
        for step in self.later:
            if step.changes:
                guard = step.guard
                same = guard is not None and self.token in guard.tokens and step.follows(self.step)
                # By a slow clock it may as well be what replaced the token.
                return step if same and not step.unordered(self.step) else None
        return None

    def _until_next_write(self, steps: Sequence[Step]) -> Iterator[Step]:
        for step in steps:
            if step.changes:
                return
            yield step

    @cached_property
    def state_moved(self) -> bool | None:
        """Tell whether the state differs from the one the token names; None when not known."""
        current = self.current_tag
        if self.token is None or current is None:
            return None
        if self.token_again:
            return False
        if self.refresh is not None and current == self.refresh.etag and not self.comparable(self.refresh):
            return None
        return tokens.base(current) != tokens.base(self.token)

    @cached_property
    def ours_is_there(self) -> bool | None:
        """Tell whether what is there after the refusal is what this request wanted; None when not known."""
        body = wish_of(self.step)
        if body is None or self.step.method == "DELETE":
            # A removal may be a call whose content names the thing.
            return None
        if self.step.exchange.request.method == "PATCH" and not isinstance(body.json(), dict):
            return None
        if self.content_moved is not True and holds(self.base_content, body):
            # It was there before: nothing tells whether this request was carried out.
            return None
        body = but_moved_times(body, self.base_content, self.refresh, self.step)
        digest = self.refresh is not None and self.state_moved and told_by_digest(self.refresh, body)
        if self.state_moved and not digest and self._first_shows_another(body):
            # What a later read shows was put there after this one.
            return False
        if digest or any(holds(content, body) for content in self._shown_later):
            return True
        current = self.current_content
        return False if current is not None and speak_of_one(current, body) else None

    def _first_shows_another(self, body: Content) -> bool:
        """Tell whether the first read after the refusal shows a new version with other content."""
        current = self.current_content
        return current is not None and speak_of_one(current, body) and not holds(current, body)

    @cached_property
    def _shown_later(self) -> list[Content]:
        """Return what later reads of the path show, until the next accepted write, other views too.

        An object's data and its description may stand under one path with two queries.
        """
        path = self.step.resource.partition("?")[0]
        found = [self.current_content] if self.current_content is not None else []
        for step in self.case.steps[self.step.order + 1 : self.step.order + 60]:
            if step.resource.partition("?")[0] != path:
                continue
            if step.changes:
                break
            if step.representation is not None:
                found.append(step.representation)
        return found

    @cached_property
    def base_content(self) -> Content | None:
        """Return the content of the version that the token names."""
        if self.given is not None:
            return self.given[1]
        for step in [*reversed(self.own(self.issues)), *reversed(self.issues)]:
            if step.representation is not None:
                return step.representation
        for step in [*reversed(self.own(self.issues)), *reversed(self.issues)]:
            if (made := step.made or self._patched(step)) is not None:
                return made
        base = self.base
        if base is None:
            return None
        if base.representation is not None:
            return base.representation
        if base.changes:
            # What an own write made of it is not known: an older read does not show it.
            return None
        for step in reversed(self.own_reads_before):
            if step.representation is not None:
                return step.representation
        return None

    def _patched(self, step: Step) -> Content | None:
        """Return what a merge patch made of the version that its token names, None when not known."""
        merging = step.method in {"PATCH", "MERGE"}
        patch = step.body.json() if step.body is not None and merging else UNKNOWN
        if not step.accepted or not isinstance(patch, dict) or step.guard is None:
            return None
        from ifmatch.merge import apply_merge_patch  # noqa: PLC0415 - as in `taken_back`

        changes = cast("JsonValue", patch)
        for one in self.history.before(step):
            if one.representation is not None and one.etag in step.guard.tokens:
                before = one.representation.json()
                if isinstance(before, dict):
                    merged = apply_merge_patch(cast("JsonValue", before), changes)
                    return Content.from_json(merged)
        return None

    @cached_property
    def content_moved(self) -> bool | None:
        """Tell whether the content differs between the token's version and now; None when not known."""
        if self.base_content is None or self.current_content is None:
            return None
        if self.refresh is not None and not self.comparable(self.refresh):
            return None
        if same_content(self.base_content, self.current_content):
            return False
        return self._moved != ()

    @cached_property
    def _moved(self) -> tuple[str, ...] | None:
        return moved(self.step, self.base_content, self.current_content, self.current_tag)

    @cached_property
    def moved_pointers(self) -> tuple[str, ...] | None:
        """Return what differs between the token's version and now, None when not JSON."""
        return None if self.content_moved is None else self._moved

    @cached_property
    def only_stamps_moved(self) -> bool:
        """Tell whether only members that servers stamp differ between the token's version and now."""
        pointers = self.moved_pointers
        contents = [one for one in (self.base_content, self.current_content) if one is not None]
        return bool(pointers) and all(
            stamped(pointer) or any(holds_stamps(one, pointer) for one in contents)
            for pointer in pointers or ()
        )
