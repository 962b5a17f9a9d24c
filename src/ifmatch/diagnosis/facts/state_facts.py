"""Answer the questions about the state: what it was when the request was refused, and how it had moved."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from ifmatch.diagnosis.facts.moved_times import but_moved_times
from ifmatch.diagnosis.facts.token_facts import TokenFacts
from ifmatch.diagnosis.links.likeness import told_by_digest
from ifmatch.diagnosis.links.negotiated import asks_alike, represented
from ifmatch.diagnosis.losses.wishes import wish_of
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import holds, holds_stamps, same_content, speak_of_one
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.steps.told_versions import moved
from ifmatch.model.cached import cached_property
from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.merge import JsonValue

# What a listing tells of the resource is a step of its own.
_LISTING = frozenset({"PROPFIND", "REPORT", "SEARCH"})


class StateFacts(TokenFacts):
    """What the evidence says about the token and the state around one request; `Facts` says the rest.

    Its attributes are those of `TokenFacts`.
    """

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
