"""Detect `malformed-validator`: the token was damaged on its way through the client, or is no entity tag."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from ifmatch.diagnosis.facts.misheard_tokens import misheard
from ifmatch.diagnosis.links.damages import Reason
from ifmatch.diagnosis.links.dialect_tokens import misplaced, pointers_of
from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.links.spent_versions import echoed
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.dates import whole_second
from ifmatch.diagnosis.reading.respellings import respelt
from ifmatch.diagnosis.reads.wasted_reads import told_of_waste
from ifmatch.diagnosis.reads.wasted_tags import HURT
from ifmatch.dialects import Carrier, Grammar
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.finding import Evidence

CAUSE = "malformed-validator"
# What may be a version in an answer: a time or a long number.
_VALUE = late_pattern(r"\d{4}-\d\d-\d\d[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)?|(?<![\w.])\d{16,20}(?!\w)")
_QUOTED_STAR = '"*"'
_DAMAGE = {
    "unquoted": "without its quotes",
    "quoted-twice": "with quotes inside quotes",
    "escaped": "with backslashes",
    "html-escaped": "with HTML entities",
    "percent-encoded": "percent-encoded",
    "percent-decoded": "with its percent-encoding undone",
    "plus-lost": "with a blank for its plus sign",
    "base64": "in base64",
    "case-changed": "in another case",
    "cut": "cut short",
    "weakness-added": "with a W/ that the server never sent",
}

# Damage that no API means, wherever the token stands.
_IN_CONTENT = frozenset(
    {"percent-encoded", "plus-lost", "html-escaped", "base64", "escaped", "cut", "quoted-twice"}
)
_ANYWHERE = _IN_CONTENT | {"percent-decoded", "case-changed"}


def _of_served(facts: Facts, guard: Condition, step: Step, kind: str) -> Iterator[Evidence]:
    """Yield evidence from a token that is a served one with a damage."""
    # What an origin sees has passed intermediaries: they add a weakness mark, clients hardly do.
    # So does what the client itself was never shown before: its capture may have begun too late.
    shown = step.actor == facts.step.actor and step.order < facts.step.order
    way = kind == "weakness-added" and (facts.step.forwarded or not shown)
    weight = 2.0 if way else 7.0
    yield note(f"the token is the served {step.etag} {_DAMAGE[kind]}", weight, facts.step, guard.called)
    yield note(f"the server had sent {step.etag}", 0.5, step, "ETag")


def _polled(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from reads under a damaged tag: they never get the 304 that spares the content.

    Source: RFC 9110 section 13.1.2 (a tag that equals the current one gives 304).
    """
    step = facts.step
    asked = step.condition(Guard.DIFFERENT)
    if asked is None or step.etag is None or tokens.null_word(asked.value):
        return
    kind = tokens.damage(asked.value, step.etag)
    if kind not in HURT:
        return
    yield note(f"the token is the served {step.etag} {_DAMAGE[kind]}", 5.0, step, asked.called)
    for one in facts.history:
        well = one.condition(Guard.DIFFERENT)
        if one.status == HTTPStatus.NOT_MODIFIED and well is not None and step.etag in well.tokens:
            yield note(f"{step.etag} as it was served gets its 304", 2.5, one, well.called)
            return


def _asked_badly(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a read that was turned away over an If-None-Match that is none."""
    step = facts.step
    turned_away = facts.refused and step.status == HTTPStatus.BAD_REQUEST
    asked = step.condition(Guard.DIFFERENT) if turned_away and step.is_read else None
    if asked is None or asked.well_formed or tokens.null_word(asked.value):
        return
    yield note(f"`{asked.shown()}` breaks the grammar of entity tags", 5.5, step, asked.called)
    for one in reversed(facts.own_reads_before):
        kind = tokens.damage(asked.value, one.etag) if one.etag is not None else ""
        if kind in HURT:
            yield note(f"the token is the served {one.etag} {_DAMAGE[kind]}", 2.0, one, "ETag")
            return


def _made_up(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a write refused over an If-None-Match that is no tag, and was never issued."""
    failed = facts.refused and facts.step.status == HTTPStatus.PRECONDITION_FAILED
    asked = facts.step.condition(Guard.DIFFERENT) if failed and facts.step.is_write else None
    if asked is None or asked.well_formed or tokens.null_word(asked.value):
        return
    if not any(asked.value.strip() in one.issued() for one in facts.history):
        yield note(f"`{asked.shown()}` breaks the grammar of entity tags", 5.5, facts.step, asked.called)


def detect(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a token that equals a served one after undoing a damage, or breaks the grammar.

    Source: RFC 9110 section 8.8.3 (grammar of entity tags; quotes belong to the value).
    """
    yield from told_of_waste(facts, Reason.HURT)
    guard = facts.guard
    if facts.damage is not None and facts.damage.needless:
        yield from _polled(facts)
        return
    yield from _asked_badly(facts)
    yield from _made_up(facts)
    if guard is None or guard.guard not in {Guard.SAME, Guard.EXISTS}:
        return
    if not guard.standard:
        yield from _respelt(facts)
        yield from tuple(_damaged_elsewhere(facts, guard)) or tuple(_echoed(facts, guard)) or _heard(facts)
        return
    token = facts.token
    if token is None or tokens.null_word(token) or not (facts.refused or facts.step.accepted):
        return
    if any(
        step is not facts.step and step.presents(token) for step in facts.history.passed.get(guard.value, ())
    ):
        return
    yield from _served_bare(facts)
    yield from _spelt_bare(facts)
    yield from _respelt(facts)
    damaged = facts.damaged_from
    if damaged is not None and damaged[1] in _DAMAGE:
        yield from _of_served(facts, guard, *damaged)
    elif not guard.well_formed and (damaged is None or damaged[1] != "respelt"):
        inside = facts.inside
        if inside is not None and tokens.opaque(token) == token.strip():
            yield note(
                "the token stands like this in an earlier answer's content: this API may want it unquoted",
                -1.0,
                inside,
            )
        if token in {issued for step in facts.issues for issued in step.issued()}:
            yield note(
                "the server itself issues this tag, which breaks the grammar", 4.5, facts.source, "ETag"
            )
        else:
            # Another number of the answer, as it stands there: that it is the wrong one comes first.
            weight = 1.5 if tuple(misplaced(facts)) else 5.5
            text = f"`{guard.shown()}` breaks the grammar of entity tags"
            yield note(text, weight, facts.step, guard.called)
    elif token == _QUOTED_STAR:
        yield note('`"*"` is an entity tag, not the wildcard `*`', 6.0, facts.step, guard.called)
    elif damaged is not None and damaged[1] == "weakness-removed":
        yield note(
            f"the served tag is weak ({damaged[0].etag}); the client dropped the W/", 1.5, damaged[0], "ETag"
        )


def _respelt(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a version that is the served time or number, read and written again."""
    token, guard = facts.token, facts.guard
    if not facts.refused or token is None or guard is None or facts.issues:
        return
    damaged = facts.damaged_from
    if damaged is not None and damaged[1] == "respelt":
        step = damaged[0]
        served = next(one for one in step.issued() if respelt(token, one))
        if _without_fraction(guard, served):
            return
        # A time whose fraction was cut is `date-precision` first, though it is a damaged token as well.
        weight = 4.5 if whole_second(token, served) else 7.0
        text = f"the token is the served {served} {respelt(token, served)}"
        yield note(text, weight, facts.step, guard.called)
        if weight < 7.0:
            return
        passed = next((one for one in facts.own(facts.later) if one.accepted and one.presents(served)), None)
        if passed is not None:
            yield note("the write passed with the served text itself", 2.0, passed)
        return
    for found in _VALUE.finditer(facts.error_text):
        if way := respelt(token, found[0]):
            text = f"the token is {found[0]}, which this answer states, {way}"
            yield note(text, 6.0, facts.step, guard.called)
            return


def _without_fraction(guard: Condition, served: str) -> bool:
    """Tell whether a date condition carries the served time without its fraction: `date-precision`."""
    return "since" in guard.name.lower() and whole_second(guard.tokens[0], served)


def _damaged_elsewhere(facts: Facts, guard: Condition) -> Iterator[Evidence]:
    """Yield evidence from a damaged token in a parameter, a path, a content or a field of an API's own.

    What stands in a content is a member of it, and may be spelt as members are.
    """
    damaged = facts.damaged_from
    if damaged is None or not facts.refused:
        return
    step, kind = damaged
    served = step.etag or next(iter(step.issued()), "")
    if any(_without_fraction(guard, one) for one in (served, *step.issued())):
        return
    within = guard.carrier not in {Carrier.HEADER, Carrier.QUERY, Carrier.PATH}
    if kind not in (_IN_CONTENT if within else _ANYWHERE):
        return
    yield note(f"the token is the served {served} {_DAMAGE[kind]}", 7.0, facts.step, guard.called)
    yield note(f"the server had given {served}", 0.5, step, "ETag")


def _echoed(facts: Facts, guard: Condition) -> Iterator[Evidence]:
    """Yield evidence from a refusal that states the token as it came, and as it ought to be."""
    stated = echoed(facts.step, guard.value) if facts.refused and not facts.issues else None
    if stated is not None:
        how = _DAMAGE[tokens.damage(guard.value, stated)]
        yield note(f"the answer has the token as it came, and beside it {stated}: {how}", 7.0, facts.step)


def _heard(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a current token that the service got in another spelling than it was meant in."""
    token, step = facts.token, facts.step
    if not facts.refused or token is None or not facts.issues or facts.state_moved:
        return
    found = misheard(step, token)
    if found is None:
        return
    if found.place:
        text = f"{found.place} has the served {token} {_DAMAGE[found.kind]}: {found.value}"
        yield note(text, 5.0, step, found.place)
    if found.repeated:
        text = f"the answer speaks of {found.value}, which is {token} {_DAMAGE[found.kind]}"
        yield note(text, 2.0 if found.place else 6.0, step)


def _spelt_bare(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a tag without quotes that is refused although current, and passes with them."""
    guard, later = facts.guard, facts.passed_later
    if guard is None or len(guard.tokens) < 2 or guard.value.strip() != tokens.opaque(guard.value):
        return
    if later is not None and later.guard is not None:
        text = f"`{guard.shown()}` was refused, and the same tag in its quotes was accepted"
        yield note(text, 7.0, later, guard.called)
    elif _given_bare(facts, guard):
        return
    elif later is None and facts.refused and facts.state_moved is False and facts.token in guard.tokens:
        text = f"reads before and after show {facts.token}, and it was sent without its quotes"
        yield note(text, 4.5, facts.step, guard.called)


def _given_bare(facts: Facts, guard: Condition) -> bool:
    """Tell whether the service itself gave the tag out as it was sent, or takes any text for one."""
    dialect = facts.step.dialect
    if dialect is not None and any(
        one.key == guard.key and one.grammar is Grammar.OPAQUE for one in dialect.guards
    ):
        return True
    source = facts.source
    if source is None:
        return False
    given = source.header("etag")
    if given is None:
        # No field gives a tag in quotes: what stands in the content is what is sent.
        return bool(pointers_of(source, guard.value))
    return given.strip() == guard.value.strip()


def _served_bare(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence from a tag that the server gives out without quotes and refuses without them."""
    sent = facts.step.guard
    if not facts.refused or sent is None or sent.well_formed or facts.state_moved is not False:
        return
    source, token = facts.source, facts.token
    if source is None or token is None:
        return
    text = f"the server gave out {token} without quotes, refused it so, and still shows it"
    yield note(text, 4.0, source, "ETag")
    quoted = f'"{token}"'
    for step in facts.own(facts.later):
        guard = step.guard
        if step.accepted and guard is not None and quoted in guard.tokens:
            yield note(f"the same in quotes, {quoted}, was accepted later", 3.0, step, guard.called)
            return
