"""One request of one actor, from every vantage that saw it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.cache_marks import OF_CACHES, ON_THE_WAY, says_hit
from ifmatch.diagnosis.reading.conditions import Condition, Guard, conditions_of
from ifmatch.diagnosis.reading.dates import http_date
from ifmatch.diagnosis.reading.machines import machine_of
from ifmatch.diagnosis.reading.overridden import method_of
from ifmatch.diagnosis.reading.readings import Reading, view_of
from ifmatch.diagnosis.reading.soap_bodies import pairs_as_json, state_in
from ifmatch.diagnosis.steps.addresses import carried_state
from ifmatch.diagnosis.steps.carried_out import Denial, Seen, denial_of, denial_told, succeeded
from ifmatch.diagnosis.steps.outcomes import made_by, shown_elsewhere
from ifmatch.diagnosis.steps.refusal_words import meant
from ifmatch.diagnosis.steps.told_versions import told
from ifmatch.dialects import Meaning, View, acts_in, changes_in, refusal_in, replaces_in, shown_state
from ifmatch.model.cached import cached_property
from ifmatch.model.exchange import Exchange, Provenance, Vantage
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from ifmatch.dialects import Dialect, Refusal
    from ifmatch.model.message import Fields

SAFE_METHODS = frozenset(
    {"GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH", "QUERY", "CONNECT"}
)
_READ_METHODS = frozenset({"GET", "HEAD"})
_REPLACING = frozenset({"PUT", "PATCH", "DELETE", "MERGE", "PROPPATCH", "MOVE", "MKCOL", "MKCALENDAR"})
# What looks at a resource besides (RFC 4918, RFC 3253, RFC 5323).
_LOOKING = frozenset({"PROPFIND", "REPORT", "SEARCH", "QUERY"})
_GONE = frozenset({404, 410})
# A clock that ticks slower than this cannot order what happens within one tick.
_COARSE, _TICK = 0.5, 1.5
# By how many seconds the clocks of two files may differ, and of two that one upstream capture saw.
_TWO_CLOCKS, _LINKED_CLOCKS = 2.0, 0.2
# What `Step.variant` holds, by the names that Vary has for it.
_VERSION_FIELDS: tuple[str, ...] = ("api-version", "accept-version", "x-api-version")
# What looks different once the dialect is known.
_ASKED = ("conditions", "guard", "etag", "refusal", "told", "replaces", "puts", "alters", "accepted")
_DERIVED = (*_ASKED, "denial", "body", "representation", "shown_content", "made")
_OK, _MULTI_STATUS = 200, 207
_ISSUING = frozenset({200, 201, 202, 203, 204, 206, 304, 412})
_FORWARDING = ("via", "x-forwarded-for", "forwarded", "x-real-ip", "x-envoy-expected-rq-timeout-ms")
# What 412 and 428 say.
_PLAIN = frozenset({Meaning.MISMATCH, Meaning.MISSING})
_FROM_START = late_pattern(r"bytes 0-(\d+)/(\d+)")
_GATEWAY_FAILURES = frozenset({0, 408, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524})


class Step:
    """A request with what came back, its hops further upstream, and who sent it.

    Attributes:
        exchange: as the vantage nearest to the client saw it.
        method: of the request.
        status: that the actor saw, 0 for none.
        hops: the same request further upstream, in order of time; more than one when a proxy sent it again.
        source: number of the capture that holds `exchange`.
        start: seconds on the reference clock; a running number where the capture has no times.
        end: as above, of the last octet.
        timed: whether `start` is a time.
        order: position among all steps.
        actor: label of who sent it.
        resource: key of the resource.
        vantage: where `exchange` was seen.
        covered: whether an upstream vantage would have seen this request if it had gone there.
        clocks: numbers of the upstream captures that the times of its own capture are set by.
        carried: tokens that the answer gives for its own resource, as its dialect spells them.
        version: of these the one that the resource's guards name; None when the ETag is it.
        dialect: the API family of its service, None when none shows itself.
        reads: whether the dialect says that this request reads, whatever its method.
        batched: whether it holds other requests, which are steps of their own.
        within: the step of the batch that holds this request.
        missing: whether its own content says that the resource is not there.
        opens: whether it only opens such a session, and stores nothing yet.
        address: members of its content by which the resource is asked for, with their values; no state.
        by_course: what its answer means where no word tells it.
        seen: what was seen of it beside its own answer.
        opened_by: the step that opened the upload session that this one goes on with; its conditions hold.
        varies: fields of the service's own by which requests for its resource choose a representation.
        reading: what it says as a call that families know, where it was written otherwise.
    """

    def __init__(self, exchange: Exchange, *, source: int, start: float, end: float, timed: bool) -> None:
        self.exchange = exchange
        self.method = method_of(exchange.request)
        self.status = exchange.status
        self.hops: list[Exchange] = []
        self.source = source
        self.start = start
        self.end = end
        self.timed = timed
        self.order, self.actor, self.resource = 0, "", ""
        self.vantage, self.node, self.covered = Vantage.CLIENT, "", False
        self.clocks: frozenset[int] = frozenset()
        self.carried: tuple[str, ...] = ()
        self.version: str | None = None
        self.dialect: Dialect | None = None
        self.reads = self.batched = self.missing = False
        self.within: Step | None = None
        self.address: dict[str, object] = {}
        self.by_course: Refusal | None = None
        self.seen = Seen()
        self.opened_by: Step | None = None
        self.opens, self.varies = False, _VERSION_FIELDS
        self.reading: Reading | None = None

    def forget(self) -> None:
        """Drop what was derived before the dialect was known."""
        for name in _DERIVED:
            self.__dict__.pop(name, None)

    def overlaps(self, other: Step) -> bool:
        """Tell whether two requests were certainly in flight together, as far as their clocks resolve."""
        if not (self.timed and other.timed):
            return False
        tick = max(self.exchange.resolution, other.exchange.resolution)
        # Each began before the other ended, also where one is short and lies within the other.
        return min(self.end - other.start, other.end - self.start) > 1.5 * tick

    def unordered(self, other: Step) -> bool:
        """Tell whether a slow clock leaves open which of two requests came first, or if they overlapped."""
        if self.source == other.source and self._told_in_turn and other._told_in_turn:
            return False
        tick = max(self.exchange.resolution, other.exchange.resolution)
        gap = abs(self.start - other.start)
        first = self if self.start < other.start else other
        if gap >= tick and self.source == other.source and 0 < (first.exchange.duration or 0.0) < tick / 2:
            # Begun in another tick, and over soon: hardly in flight together.
            return False
        return self.timed and other.timed and tick >= _COARSE and gap <= tick

    @property
    def _told_in_turn(self) -> bool:
        """Tell whether a transcript holds it, timed by Date alone: answers stand before what follows."""
        told = self.exchange.duration is None and self.exchange.provenance.line is not None
        return told and self.date is not None and self.date == self.exchange.started

    def follows(self, other: Step) -> bool:
        """Tell whether this request began after another one had ended, as far as their clocks resolve."""
        return self.order > other.order and not self.overlaps(other)

    def surely_after(self, earlier: Step) -> bool:
        """Tell whether it certainly came after another: clocks of two files agree to two seconds only.

        Where one upstream capture saw both, its clock tells; where it saw others of both files, nearly so.
        """
        if self.source == earlier.source or not (self.timed and earlier.timed):
            return True
        seen = {hop.provenance.source: hop.provenance.entry or 0 for hop in self.hops}
        for hop in earlier.hops:
            if hop.provenance.source in seen:
                return seen[hop.provenance.source] > (hop.provenance.entry or 0)
        apart = _LINKED_CLOCKS if self.clocks & earlier.clocks else _TWO_CLOCKS
        return self.start - earlier.end > apart

    @property
    def start_here(self) -> float:
        """Return when it began by its own capture's clock, in seconds."""
        return self.exchange.started if self.exchange.started is not None else self.start

    @property
    def at(self) -> Provenance:
        """Return where it stands in the evidence."""
        return self.exchange.provenance

    @property
    def sent(self) -> Fields:
        """Return the request's fields."""
        return self.exchange.request.fields

    @cached_property
    def received(self) -> Fields | None:
        """Return the response's fields, None without a response."""
        return self.exchange.response.fields if self.exchange.response is not None else None

    def header(self, name: str) -> str | None:
        """Return a response field's value; None when absent or not known."""
        return self.received.text(name) if self.received is not None else None

    @cached_property
    def etag(self) -> str | None:
        """Return what names the version: the token that the dialect's guards take, else the ETag field."""
        if self.version is not None:
            return self.version
        value = self.header("etag")
        return value.strip() if value is not None else None

    @property
    def validator(self) -> str | None:
        """Return what names the version: the ETag, else the Last-Modified value; None without either."""
        return self.etag if self.etag is not None else self.header("last-modified")

    @cached_property
    def last_modified(self) -> float | None:
        """Return Last-Modified in seconds since the epoch, None when absent or not a date."""
        value = self.header("last-modified")
        return http_date(value) if value is not None else None

    @property
    def lifetime(self) -> bool:
        """Tell whether caches may keep the answer for a while without asking (RFC 9111 section 4.2.1)."""
        value = (self.header("cache-control") or "").lower()
        if "no-store" in value or "no-cache" in value or "private" in value:
            return False
        fresh = ("max-age=" in value and "max-age=0" not in value) or "s-maxage=" in value
        return fresh or (self.header("expires") is not None and not value)

    @property
    def settled(self) -> bool:
        """Tell whether Last-Modified is older than its own tick; two writes may share a younger one."""
        return (
            self.last_modified is not None
            and self.date is not None
            and self.date - self.last_modified >= _TICK
        )

    @cached_property
    def date(self) -> float | None:
        """Return the Date field in seconds since the epoch."""
        value = self.header("date")
        return http_date(value) if value is not None else None

    @cached_property
    def age(self) -> int:
        """Return how long caches held the answer, in seconds (RFC 9111 section 5.1)."""
        value = (self.header("age") or "").strip()
        return int(value) if value.isdigit() and len(value) < 8 else 0

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """Return the preconditions as sent."""
        if self.batched:
            return ()
        if self.opened_by is not None:
            return self.opened_by.conditions
        if self.dialect is None:
            return conditions_of(self.exchange.request)
        return conditions_of(self.exchange.request, self.dialect, self.view, refusal=self.refusal)

    @cached_property
    def view(self) -> View:
        """Return the exchange as dialects look at it."""
        return view_of(self.exchange, self.reading)

    @cached_property
    def refusal(self) -> Refusal | None:
        """Return what the answer says about a precondition in its dialect, None when it says nothing."""
        if self.by_course is not None:
            return self.by_course
        if self.dialect is None or self.exchange.response is None or self.batched:
            return None
        return meant(self, self.dialect, refusal_in(self.view, self.dialect))

    @property
    def denied(self) -> bool:
        """Tell whether the answer is a success by its status and a refusal by its content."""
        if not 200 <= self.status < 300:
            return False
        refusal = self.refusal
        return refusal is not None and refusal.meaning is not Meaning.OTHER

    @cached_property
    def told(self) -> str | None:
        """Return the version that a refusal in an API's own words says is stored now, None without one."""
        return told(self) if self.refused and self.dialect is not None else None

    def condition(self, *guards: Guard) -> Condition | None:
        """Return the first precondition of one of these guards."""
        return next((condition for condition in self.conditions if condition.guard in guards), None)

    @cached_property
    def guard(self) -> Condition | None:
        """Return the precondition that protects a write, by the precedence of RFC 9110 section 13.2.2."""
        return self.condition(Guard.SAME) or self.condition(
            Guard.EXISTS, Guard.ABSENT, Guard.SAME_DATE, Guard.LOCK
        )

    @property
    def is_write(self) -> bool:
        """Tell whether the method is unsafe (RFC 9110 section 9.2.1)."""
        return self.method not in SAFE_METHODS and not self.reads

    @cached_property
    def replaces(self) -> bool:
        """Tell whether the method changes the state of its target URI itself."""
        if self.opens or "x-ms-lease-action" in self.sent:
            # Taking or giving back a lease leaves the state as it is.
            return False
        called = self.method == "POST" and (self.guard is not None or self.puts or self.alters)
        return called or self.method in _REPLACING

    @cached_property
    def alters(self) -> bool:
        """Tell whether a POST changes some members of the state of its resource.

        Its API has it so; where no API is known, `saves.posted` finds it by what such a POST was answered.
        """
        return self.dialect is not None and not self.reads and changes_in(self.view, self.dialect)

    @cached_property
    def puts(self) -> bool:
        """Tell whether the request carries a whole state: PUT, or what its API has for it."""
        if self.method == "PUT":
            return self.dialect is None or not acts_in(self.view, self.dialect)
        return self.dialect is not None and self.is_write and replaces_in(self.view, self.dialect)

    @property
    def is_read(self) -> bool:
        """Tell whether it asks for the representation."""
        return self.method in _READ_METHODS or self.reads

    @cached_property
    def accepted(self) -> bool:
        """Tell whether a write was answered with success, and nothing denies that it was carried out."""
        return self.is_write and succeeded(self) and denial_of(self) is None

    @property
    def changes(self) -> bool:
        """Tell whether it changed the state of its target URI: what replaces it, and was carried out."""
        return self.accepted and self.replaces

    @cached_property
    def denial(self) -> Denial | None:
        """Return what its answer, a report or a later look has against it, None without anything."""
        return denial_told(self)

    @property
    def negative(self) -> bool:
        """Tell whether something denies that it was carried out, although its status is a success."""
        return self.denial is not None

    @property
    def posted(self) -> bool:
        """Tell whether a POST was carried out, and its answer says where the outcome is."""
        return shown_elsewhere(self)

    @property
    def read_ok(self) -> bool:
        """Tell whether it shows validators of the current representation: 200, 206 or 304 to GET or HEAD."""
        return self.is_read and self.status in {200, 203, 206, 304}

    @property
    def finds_nothing(self) -> bool:
        """Tell whether it looked for the resource, in whatever way, and there was none."""
        return self.missing or (self.status in _GONE and (self.is_read or self.method in _LOOKING))

    @property
    def refused(self) -> bool:
        """Tell whether the answer refuses by precondition: 412, 428, or what its API says for them."""
        if self.status in {412, 428}:
            return True
        refusal = self.refusal if self.is_write else None
        return refusal is not None and refusal.meaning in _PLAIN

    @property
    def unanswered(self) -> bool:
        """Tell whether the actor cannot know what became of the request."""
        return self.status in _GATEWAY_FAILURES

    @cached_property
    def body(self) -> Content | None:
        """Return the state that the request carries; None when there was none or it is not known."""
        return carried_state(self)

    @cached_property
    def content(self) -> Content | None:
        """Return the response's content; None when there was none or it is not known."""
        response = self.view.response
        return response.content if response is not None and isinstance(response.content, Content) else None

    @property
    def withheld(self) -> bool:
        """Tell whether a GET was answered with a content that the evidence does not hold."""
        response = self.exchange.response
        unknown = response is not None and response.content is UNKNOWN
        return unknown and self.method == "GET" and self.status == _OK

    @cached_property
    def representation(self) -> Content | None:
        """Return the whole selected representation, when this step shows it."""
        if self.method != "GET" and not self.reads:
            return None
        if self.status == 206:
            part = _FROM_START.fullmatch((self.header("content-range") or "").strip())
            if part is None or int(part[1]) + 1 != int(part[2]):
                return None
        return self.shown_content if self.status in {200, 206} else None

    @cached_property
    def shown_content(self) -> Content | None:
        """Return the state that the answer shows, without what its family wraps around it; None without."""
        state = shown_state(self.view, self.dialect) if self.dialect is not None else None
        record = pairs_as_json(self.content) if state is None else None
        return record or state_in(self.content, state)

    @cached_property
    def made(self) -> Content | None:
        """Return the content of the version that an accepted write made, None when it is not known."""
        return made_by(self) if self.changes else None

    @property
    def left(self) -> Content | None:
        """Return the content of the version that it shows, or makes; None when it is not known."""
        return self.representation if self.representation is not None else self.made

    @cached_property
    def cache_hit(self) -> bool:
        """Tell whether marks in the answer say that a cache answered."""
        return self.exchange.from_cache or (self.received is not None and says_hit(self.received))

    @cached_property
    def cache_marked(self) -> bool:
        """Tell whether the answer shows that some cache or proxy is on the way."""
        return self.received is not None and any(name in self.received for name in ON_THE_WAY)

    @cached_property
    def cache_told(self) -> bool:
        """Tell whether a cache, not only some proxy, says in the answer that it was on the way."""
        return self.received is not None and any(name in self.received for name in OF_CACHES)

    @property
    def forwarded(self) -> bool:
        """Tell whether the request came through an intermediary before this vantage saw it."""
        return self.vantage is not Vantage.CLIENT or any(name in self.sent for name in _FORWARDING)

    @cached_property
    def machine(self) -> str:
        """Return which machine answered as far as the answer or its vantage tells, "" when it does not."""
        if self.node:
            return self.node
        return machine_of(self.received) if self.received is not None else ""

    @cached_property
    def variant(self) -> tuple[str, str, str]:
        """Return what the request asked for: media type, language, query-independent negotiation fields."""
        fields = self.sent
        return (
            (fields.text("accept") or "*/*").strip().lower(),
            (fields.text("accept-language") or "").strip().lower(),
            next((said for name in self.varies if (said := fields.text(name))), "").strip().lower(),
        )

    @cached_property
    def kind(self) -> tuple[str, str]:
        """Return the media type and language of the answer."""
        return (
            (self.header("content-type") or "").partition(";")[0].strip().lower(),
            (self.header("content-language") or "").strip().lower(),
        )

    @cached_property
    def coding(self) -> str:
        """Return the content coding of the answer, "" for none."""
        value = (self.header("content-encoding") or "").strip().lower()
        return "" if value == "identity" else value

    @property
    def uncoded(self) -> bool:
        """Tell whether the answer shows no content coding, where its capture would show one."""
        fields = self.received
        return not self.coding and fields is not None and fields.get("content-encoding") is not UNKNOWN

    @property
    def origin_side(self) -> Exchange:
        """Return the exchange nearest to the origin that belongs to the answer the actor got."""
        return self.hops[-1] if self.hops else self.exchange

    def issued(self) -> tuple[str, ...]:
        """Return the validators that this answer gave out for its own resource, as field values."""
        if self.etag is None and self.told is not None:
            return (self.told,)
        # What is deleted keeps its versions where its API shows them beside.
        kept = self.version is not None and self.status in _GONE and self.is_read
        listed = self.status == _MULTI_STATUS and self.method == "PROPFIND"
        if self.status not in _ISSUING and not (kept or listed):
            return ()
        if self.etag is None or self.etag in self.carried:
            return self.carried
        return (self.etag, *self.carried) if self.carried else (self.etag,)

    def presents(self, token: str) -> bool:
        """Tell whether this request carries a token in a state guard, whatever its weakness mark."""
        wanted = tokens.opaque(token)
        return any(
            tokens.opaque(member) == wanted
            for condition in self.conditions
            if condition.guard in {Guard.SAME, Guard.SAME_DATE}
            for member in condition.tokens
        )

    def __repr__(self) -> str:
        return f"<{self.at.source}#{self.at.entry} {self.actor} {self.method} {self.status}>"
