"""Detect `token-expired`: a token past its lifetime."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ifmatch.diagnosis.facts.dialect_scopes import lifespan
from ifmatch.diagnosis.facts.refused_marks import refused_mark
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.links.tickets import LAPSED, TICKET, late, overdue, renewed, spoken_of, tickets
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.dates import span
from ifmatch.dialects import Meaning
from ifmatch.dialects.glossary import Words
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.links.tickets import Ticket
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "token-expired"
_TICKETED = frozenset({400, 403, 404, 406, 408, 409, 410, 412, 418, 419, 422, 423, 424, 425, 428, 440, 498})
# What is meant for conditions too: under any other status only a ticket can have expired.
_SAYS = frozenset({400, 403, 409, 410, 412})
STRONG = Words(
    r"too old|expired|LeaseLost|valid-sync-token|\bcompacted\b|fullSyncRequired"
    r"|\b\w+_lapsed\b|(?:token|ticket|permit|grant|lease|lock) (?:has |is )?(?:lapsed|timed out)"
    r"|(?:history|log|index|cursor|token|revision|ticket|permit|grant)[^.]{0,40}"
    r"(?:cleared|no longer (?:valid|available|kept))"
    # An outdated revision is an older one, which a write on it learns at any age.
    r"|(?:history|log|index|cursor|(?:sync|delta|change|page|continuation)[ _-]?token|ticket|permit|grant)"
    r"[^.]{0,40}outdated"
)
_KEPT = Words(r"resourceVersion|sync ?token|continuation|cursor|no longer (?:valid|available)")
_SIGN_IN = late_pattern(
    r"\b(?:access|bearer|id|csrf|session|jwt)[ _-]?token|signature|credential", re.IGNORECASE
)


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from answers that name an expiry, and from lifetimes that have run out."""
    step = facts.step
    if facts.damage is not None and facts.damage.lapsed:
        yield note(facts.damage.text, 5.0, step)
        lost = facts.damage.lost
        if lost is not None and lost.order > step.order and facts.damage.outcome is Outcome.ERROR:
            yield note("an answer to a fresh mark of the kind says nothing like it", 1.0, lost)
        elif facts.damage.outcome is Outcome.ERROR:
            yield note("an answer before had given out the mark", 1.0, facts.damage.lost or step)
        else:
            yield note("the reader goes on from where that answer ended", 1.0, facts.damage.lost or step)
        return
    if not facts.refused:
        return
    refusal = step.refusal
    if refusal is not None and refusal.meaning is Meaning.EXPIRED:
        said = f" (“{refusal.words}”)" if refusal.words else ""
        yield note(f"the answer says that the token is past its lifetime{said}", 7.0, step)
    elif step.status in _TICKETED and _says_expired(facts):
        yield note("the answer says that the token has expired", 7.0 if step.status == 410 else 5.0, step)
    elif step.status == 410 and step.conditions and _KEPT.search(facts.error_text):
        yield note("410 to a request with a stored token", 3.0, step)
    yield from _run_out(facts)
    yield from tuple(_ticket(facts)) or _mark(facts)


def _mark(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a mark that a feed gave out, refused when it came later than those that passed."""
    found = refused_mark(facts.case, facts.step)
    if found is None:
        return
    text = f"{found.name} carries the mark {found.value}, which an earlier answer had given out"
    yield note(text, 2.0, found.giver, found.name)
    if found.kept is not None:
        text = f"it is kept for {span(found.kept)}, and the request came {span(found.elapsed)} later"
        yield note(text, 3.0, facts.step)
    elif found.oldest is not None:
        text = f"it was {span(found.elapsed)} old; those that passed were {span(found.oldest)} old at most"
        yield note(text, 2.0, facts.step, found.name)
    if found.fresh is not None:
        yield note(f"with a mark given out afterwards {found.name} passed", 1.5, found.fresh, found.name)
    if found.said:
        yield note(f"the answer says “{found.said}”", 1.0, facts.step)


def _says_expired(facts: Facts) -> bool:
    if STRONG.search(facts.error_text) is None or _SIGN_IN.search(facts.error_text):
        return False
    held = tickets(facts)
    guard = facts.guard
    if not facts.step.conditions and facts.step.status != 410 and not held:
        return False
    if facts.step.status not in _SAYS and not held:
        return False
    # Where the token is the current one, what has expired is something else.
    return guard is None or not guard.standard or not facts.token_again or bool(held)


def _ticket(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence about a ticket that the request carries beside its precondition, or in its place."""
    step = facts.step
    held = tickets(facts) if step.status in _TICKETED else ()
    if not held or _SIGN_IN.search(facts.error_text):
        return
    told = LAPSED.search(facts.error_text)
    again = renewed(facts)
    ticket = again[0] if again is not None else _lapsed(held, step)
    if ticket is None:
        return
    if told and not STRONG.search(facts.error_text):
        text = f"{ticket.name} carries what an earlier answer gave out, and the refusal says: {told.group()}"
        yield note(text, 5.0, ticket.grant, ticket.name)
    if again is not None:
        yield note(f"with a fresh {ticket.name} and all else the same it passed", 2.5, again[1], ticket.name)
    times = overdue(ticket, step)
    if times is None:
        return
    seconds, elapsed = times
    if elapsed > seconds:
        text = f"it was granted for {seconds:.3g} s, and the request came {elapsed:.1f} s later"
        yield note(text, 4.0, ticket.grant)
    elif not told:
        text = f"it was granted for {seconds:.3g} s, and only {elapsed:.1f} s had passed"
        yield note(text, -2.5, ticket.grant)


def _lapsed(held: Sequence[Ticket], step: Step) -> Ticket | None:
    """Return the ticket that is called one, that the answer speaks of, or else that came too late."""
    named = [one for one in held if TICKET.search(one.name)]
    named += [one for one in held if spoken_of(one, step)]
    if named:
        return named[0]
    # What a client calls itself by is no ticket, though the grant repeats it.
    given = (one for one in held if one.value not in one.grant.view.sent_text)
    return next((one for one in given if late(one, step)), None)


def _run_out(facts: Facts) -> Iterator[Evidence]:
    """Yield what the granted lifetime says; it counts for locks, and for keys that are gone."""
    step = facts.step
    guard = facts.guard
    if step.status not in {404, 409, 410, 412, 423} or guard is None:
        return
    lock = step.condition(Guard.LOCK) is not None
    gone = step.refusal is not None and step.refusal.meaning in {Meaning.ABSENT, Meaning.LOCK}
    if not lock and not gone:
        return
    found = lifespan(facts)
    if found is None:
        return
    if found.over:
        text = f"it was granted for {found.seconds:g} s, and the request came {found.elapsed:.1f} s later"
        yield note(text, 6.0 if gone or step.status == 412 else 5.0, found.grant)
    else:
        text = f"it was granted for {found.seconds:g} s, and only {found.elapsed:.1f} s had passed"
        yield note(text, -2.5, found.grant)
