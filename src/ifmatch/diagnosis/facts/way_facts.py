"""Answer what lies between a client and its service: clocks, caches, the words of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.facts.served_dates import served_dates
from ifmatch.diagnosis.facts.state_facts import StateFacts
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.model.cached import cached_property

if TYPE_CHECKING:
    from ifmatch.diagnosis.steps.step import Step

_DATE_SLACK = 2.5  # Seconds by which a Date may lag, being cut to the second.


class WayFacts(StateFacts):
    """What the evidence says about the way of one request and its answer."""

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
