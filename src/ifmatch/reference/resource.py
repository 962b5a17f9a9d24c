"""Serve one versioned resource rightly: conditions, ranges, patches, preferences.

Every write goes through the shared loop of `ifmatch.server.loop`: the condition is evaluated on the state
that was read, and the store replaces exactly that state.

Source: RFC 9110 sections 9.3, 13 and 14; RFC 5789 (PATCH); RFC 7240 and RFC 8144 (Prefer).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ifmatch.core.preconditions import evaluate
from ifmatch.reference import patches
from ifmatch.reference.messages import Answer
from ifmatch.reference.problems import problem, refused, taken_over
from ifmatch.reference.ranges import partial
from ifmatch.reference.variants import Negotiation, Selected
from ifmatch.server import problem as server_problem
from ifmatch.server.answers import RequestFacts
from ifmatch.server.loop import Applied, Declined, Exhausted, Limits, NotModified, apply_async
from ifmatch.server.prefer import PREFERENCE_APPLIED, preferred_return
from ifmatch.server.stores.protocol import DELETED, Content, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifmatch.core.decision import Decision
    from ifmatch.reference.messages import Pairs, Request
    from ifmatch.reference.surroundings import Surroundings
    from ifmatch.server.loop import Change
    from ifmatch.server.stores.protocol import Absent, AsyncStore, Deleted, Lost, Version

__all__ = ["METHODS", "Resource", "method_not_allowed"]

METHODS: Final = "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"
# Content longer than this is worth a look at the condition before it is read.
_LONG: Final = 64 * 1024


def method_not_allowed(request: Request, methods: str = METHODS) -> Answer:
    """Make the 405; preconditions have no part in it (RFC 9110 section 13.2.1)."""
    detail = f"{request.method} is not for this resource. It takes {methods}."
    return problem(405, detail, instance=request.path, fields=(("Allow", methods),))


@dataclass(frozen=True, slots=True)
class _SelectingStore:
    """A store for one request: what is read is seen as the variant that the request is about."""

    store: AsyncStore
    select: Callable[[Snapshot], Selected]

    async def read(self, key: str) -> Snapshot | None:
        snapshot = await self.store.read(key)
        return None if snapshot is None else self.select(snapshot)

    async def swap(self, key: str, expected: Version | Absent, new: Content | Deleted) -> Version | Lost:
        return await self.store.swap(key, expected, new)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource of a store.

    Attributes:
        key: in the store; also the path, for Content-Location.
        store: where its states are.
        surroundings: clock, randomness, sleep.
        negotiation: which variants it has.
        transform: applied to content before it is stored; then the answer carries no validators, as the
            client cannot know what they describe (RFC 9110 section 9.3.4).
        limits: of the loop.
        extra_condition: refuses a state for another reason (WebDAV), None for none.
        extra_fields: further field lines for a state.
    """

    key: str
    store: AsyncStore
    surroundings: Surroundings
    negotiation: Negotiation = field(default_factory=Negotiation)
    transform: Callable[[bytes], bytes] | None = None
    limits: Limits = field(default_factory=Limits)
    extra_condition: Callable[[Request, Snapshot | None], Declined | None] | None = None
    extra_fields: Callable[[Snapshot], Pairs] | None = None

    async def answer(self, request: Request) -> Answer:
        """Answer a request for this resource."""
        if request.is_read:
            return await self.read(request)
        if request.method == "PUT":
            return await self.put(request)
        if request.method == "PATCH":
            return await self.patch(request)
        if request.method == "DELETE":
            return await self.delete(request)
        return method_not_allowed(request)

    async def read(self, request: Request) -> Answer:
        """Answer GET or HEAD."""
        snapshot = await self.store.read(self.key)
        if snapshot is None:
            return self._missing()
        current = self.negotiation.select(snapshot, request)
        return self.represent(request, current)

    def represent(self, request: Request, current: Selected) -> Answer:
        """Answer GET or HEAD with a state that is there, as the conditions demand.

        Source: RFC 9110 sections 13.2.2, 15.4.5 (fields of a 304) and 15.3.7 (of a 206).
        """
        decision = evaluate(request.method, request.fields, current.representation)
        if decision.status == 412:
            return self.refuse(request, decision, current)
        if decision.status == 304:
            return Answer(304, self._fields(current, without_date=current.tagged))
        if decision.use_range:
            known = request.get("if-range") is not None
            fields = self._fields(current, without_date=known and current.tagged)
            described = () if known else self._described(current)
            answer = partial(request.get("range") or "", current.octets, fields, described)
            if answer is not None:
                return answer
        return self._whole(200, current)

    def _whole(self, status: int, current: Selected) -> Answer:
        fields = (*self._described(current), *self._fields(current), ("Accept-Ranges", "bytes"))
        return Answer(status, fields, current.octets)

    @staticmethod
    def _described(current: Selected) -> Pairs:
        """Return what says how to read the content."""
        fields: Pairs = (("Content-Type", current.media_type), *current.content.fields)
        if current.variant.coding:
            fields = (*fields, ("Content-Encoding", current.variant.coding))
        if current.variant.language:
            fields = (*fields, ("Content-Language", current.variant.language))
        return fields

    def _fields(self, current: Selected, *, without_date: bool = False) -> Pairs:
        validators = current.validators(self.surroundings.clock())
        if without_date:
            validators = tuple(pair for pair in validators if pair[0] != "Last-Modified")
        extra = self.extra_fields(current) if self.extra_fields is not None else ()
        return (
            *validators,
            *extra,
            ("Cache-Control", "no-cache"),
            ("Vary", self.negotiation.vary),
            ("Content-Location", self.key),
        )

    def _missing(self) -> Answer:
        return problem(404, "There is nothing here. PUT creates it.", instance=self.key)

    async def put(self, request: Request) -> Answer:
        """Answer PUT: 201 when it made the resource, 204 when it replaced the state, or the preference.

        Source: RFC 9110 section 9.3.4.
        """
        refused = self._unusable(request) or await self.refused_early(request, creates=True)
        if refused is not None:
            return refused
        octets = await request.body.read()
        if self.transform is not None:
            octets = self.transform(octets)
        content = Content(octets, request.get("content-type") or "application/octet-stream")
        return await self._write(request, lambda _: content, creates=True)

    def _unusable(self, request: Request) -> Answer | None:
        if request.get("content-range") is not None:
            detail = (
                "Content-Range does not go with PUT: the whole content is wanted (RFC 9110 section 9.3.4)."
            )
            return problem(400, detail, instance=self.key)
        coding = (request.get("content-encoding") or "identity").lower()
        if coding != "identity":
            detail = f"Content-Encoding {coding} is not understood in requests. Send the content as it is."
            return problem(415, detail, instance=self.key, fields=(("Accept-Encoding", "identity"),))
        return None

    async def patch(self, request: Request) -> Answer:
        """Answer PATCH with a merge patch or a JSON patch.

        Source: RFC 5789, RFC 7396, RFC 6902.
        """
        kind = (request.get("content-type") or "").split(";")[0].strip().lower()
        if kind not in patches.MEDIA_TYPES:
            accepted = ", ".join(patches.MEDIA_TYPES)
            detail = f"PATCH takes {accepted}, not {kind or 'content without a type'}."
            return problem(415, detail, instance=self.key, fields=(("Accept-Patch", accepted),))
        refused = await self.refused_early(request, creates=False)
        if refused is not None:
            return refused
        change = patches.change(kind, await request.body.read())
        if isinstance(change, Declined):
            return problem(change.status, change.detail, instance=self.key)
        return await self._write(request, change, creates=False)

    async def delete(self, request: Request) -> Answer:
        """Answer DELETE: 204, or 404 when nothing is there.

        Source: RFC 9110 section 9.3.5.
        """
        return await self._write(request, _delete, creates=False)

    def _seen(self, request: Request) -> _SelectingStore:
        return _SelectingStore(self.store, lambda snapshot: self.negotiation.select(snapshot, request))

    async def refused_early(self, request: Request, *, creates: bool) -> Answer | None:
        """Look at the condition before long or announced content is read.

        A condition that is false on a state that was read is reason enough for 412 (RFC 9110 section 10.1.1).
        """
        expects = (request.get("expect") or "").lower() == "100-continue"
        length = request.get("content-length") or (
            "0" if "transfer-encoding" not in dict(request.fields) else ""
        )
        if not expects and length.isdecimal() and int(length) <= _LONG:
            return None
        snapshot = await self._seen(request).read(self.key)
        current = snapshot if isinstance(snapshot, Selected) else None
        representation = current.representation if current is not None else None
        decision = evaluate(request.method, request.fields, representation, creates=creates)
        if decision.status != 412:
            return None
        answer = self.refuse(request, decision, current)
        # Whether the announced content still comes is unknown, so the connection ends.
        return answer.adding((("Connection", "close"),)) if expects else answer

    def refuse(self, request: Request, decision: Decision, current: Selected | None) -> Answer:
        """Make the 412, or the 400 when the condition of a write cannot be read."""
        now = self.surroundings.clock()
        if current is None:
            return refused(decision, request, None, now=now)
        tags = tuple(f'"{current.version}{variant.suffix}"' for variant in self.negotiation.variants())
        answer = refused(decision, request, current.representation, now=now, other_tags=tags)
        wished = answer.status == 412 and not request.is_read
        if wished and preferred_return(request.fields) == "representation":
            # The current representation in the 412 saves the client a GET (RFC 8144 section 3.2).
            return self._whole(412, current).adding((PREFERENCE_APPLIED,))
        return answer

    async def _write(self, request: Request, change: Change, *, creates: bool) -> Answer:
        reported = self._reporting_malformed(request, creates=creates)
        if reported is not None:
            return reported

        def checked(snapshot: Snapshot | None) -> Content | Deleted | Declined:
            if snapshot is None and not creates:
                return Declined(404, "There is nothing here. PUT creates it.")
            if self.extra_condition is not None:
                declined = self.extra_condition(request, snapshot)
                if declined is not None:
                    return declined
            return change(snapshot)

        outcome = await apply_async(
            self._seen(request),
            self.key,
            request.method,
            request.fields,
            checked,
            clock=self.surroundings.monotonic,
            random=self.surroundings.random,
            sleep=self.surroundings.sleep,
            creates=creates,
            limits=self.limits,
        )
        if isinstance(outcome, Applied):
            return self._applied(request, outcome)
        if isinstance(outcome, Declined):
            return problem(outcome.status, outcome.detail, instance=self.key)
        if isinstance(outcome, Exhausted):
            facts = RequestFacts(request.method, request.target, request.fields)
            return taken_over(server_problem.exhausted(facts, retry_after=outcome.retry_after))
        assert not isinstance(outcome, NotModified)  # noqa: S101 - only for GET and HEAD, which do not come here
        current = outcome.current if isinstance(outcome.current, Selected) else None
        return self.refuse(request, outcome.decision, current)

    def _reporting_malformed(self, request: Request, *, creates: bool) -> Answer | None:
        """Refuse a malformed If-None-Match on a write, which the RFC would take for true."""
        if request.get("if-none-match") is None:
            return None
        decision = evaluate(request.method, request.fields, None, creates=creates)
        if "If-None-Match" in decision.malformed:
            return refused(decision, request, None, now=self.surroundings.clock())
        return None

    def _applied(self, request: Request, outcome: Applied) -> Answer:
        created = outcome.before is None
        if not isinstance(outcome.content, Content):
            return Answer(204)
        if self.transform is not None:
            return Answer(201 if created else 204)
        # The moment of the store is not known here, so no date: a wrong one would be worse than none.
        snapshot = Snapshot(outcome.version, outcome.content, self.surroundings.clock())
        wished = preferred_return(request.fields)
        if wished == "representation":
            current = self.negotiation.select(snapshot, request.without("if-match", "if-none-match"))
            answer = self._whole(201 if created else 200, current).without("Last-Modified")
            return answer.adding((PREFERENCE_APPLIED,))
        fields: Pairs = (("Preference-Applied", "return=minimal"),) if wished == "minimal" else ()
        if not self.negotiation.forms:
            # The tag of what was sent and stored, whatever coding the client takes.
            fields = (("ETag", snapshot.etag), ("Content-Location", self.key), *fields)
        return Answer(201 if created else 204, fields)


def _delete(snapshot: Snapshot | None) -> Deleted:
    del snapshot
    return DELETED
