"""Give each step the version that its answer names in the language of its dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis.links.evidence import note
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.soap_bodies import tree_in
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.message_members import shown
from ifmatch.dialects import Carrier, Grammar, tokens_in
from ifmatch.dialects.glossary import Words
from ifmatch.dialects.pointers import end_of, scalar, values_at
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.dialects import Dialect, IssuedToken
    from ifmatch.model.finding import Evidence

# Longer contents are data, not records with a version.
_LONGEST: Final = 400_000
# Fields that hold a version or the like of a thing.
_COUNTS: Final = Words(r"version|revision|\brev\b|generation|sequence|\bhash\b|digest|checksum")
# Steps of a pointer pattern that name no member.
_ANY: Final = frozenset({"*", "0", ""})
# Shorter values are met by chance.
_TELLING: Final = 3
_COMPARED: Final = late_pattern(r"([\w.-]+)=[^=\s]+")
_STATE: Final = frozenset({Guard.SAME, Guard.SAME_DATE})


def _as_sent(value: str, grammar: Grammar) -> str:
    """Return a token from a body the way requests send it.

    Args:
        value: as it stands in the answer.
        grammar: of the guard that takes it.
    """
    text = value.strip()
    if tokens.is_entity_tag(text):
        return text
    if grammar is Grammar.WEAK_TAG:
        return f'W/"{text}"'
    if grammar in {Grammar.ENTITY_TAG, Grammar.QUOTED_INTEGER}:
        return f'"{text}"'
    return text


def _grammars(dialect: Dialect) -> dict[str, Grammar]:
    return {guard.key: guard.grammar for guard in dialect.guards}


def _fits(token: IssuedToken, keys: frozenset[str]) -> bool:
    return not token.feeds or any(key in keys for key in token.feeds)


def _names_a_version(condition: Condition) -> bool:
    """Tell whether a precondition stands where versions are sent, be it 0 for what does not exist."""
    absent = condition.guard is Guard.ABSENT and tokens.zero(condition.value)
    return absent or condition.guard in _STATE


def give_versions(steps: Sequence[Step], known: frozenset[str] = frozenset()) -> None:
    """Set `version` and `carried` of the steps of one service whose requests carry dialect guards.

    Args:
        steps: of one service, their dialects set.
        known: keys of guards that requests elsewhere carry.
    """
    keys: dict[str, set[str]] = {}
    for step in steps:
        for condition in step.conditions:
            if condition.key and _names_a_version(condition) and (step.is_write or step.refused):
                keys.setdefault(step.resource, set()).add(condition.key)
    everywhere = known.union(*keys.values())
    if not everywhere:
        return
    compared = _compared(steps)
    for step in steps:
        if step.dialect is None or step.exchange.response is None:
            continue
        wanted = frozenset(keys.get(step.resource, ())) or everywhere
        _give(step, step.dialect, wanted)
        if step.version is None and (names := compared.get(step.resource)):
            _give_compared(step, names)


def _compared(steps: Sequence[Step]) -> dict[str, set[str]]:
    """Return by resource the versions whose values expressions compare (`version=7`)."""
    found: dict[str, set[str]] = {}
    for step in steps:
        if step.dialect is None or not any(guard.placeholders for guard in step.dialect.guards):
            continue
        for condition in step.conditions:
            for token in condition.tokens if condition.key else ():
                match = _COMPARED.fullmatch(token)
                if match is not None and called_version(match[1]):
                    found.setdefault(step.resource, set()).add(match[1])
    return found


def _give_compared(step: Step, names: set[str]) -> None:
    """Give a step the compared member of the state that it shows, or makes, as expressions name it."""
    state = step.representation if step.is_read else None
    if state is None and step.accepted:
        # The answer may be the state before.
        state = step.body
    record = members_in(state.json()) if state is not None else {}
    told = [f"{name}={value}" for name in sorted(names) if (value := _plain(record.get(name))) is not None]
    if told:
        step.version = told[0]
        step.carried = tuple(told)


def _plain(value: object) -> str | None:
    """Return a value as expressions have it, without the type that DynamoDB puts around it."""
    typed = members_in(value)
    return scalar(next(iter(typed.values()))) if len(typed) == 1 else scalar(value)


def _give(step: Step, dialect: Dialect, wanted: frozenset[str]) -> None:
    if step.content is not None and len(step.content) > _LONGEST:
        return
    grammars = _grammars(dialect)
    fields = {guard.key for guard in dialect.guards if guard.carrier is Carrier.HEADER}
    values: list[str] = []
    for token in tokens_in(step.view, dialect):
        if not _fits(token, wanted) or token.name.lower() == "last-modified":
            continue
        keys = [key for key in token.feeds or wanted if key in grammars]
        from_content = token.name.startswith("/")
        value = _as_sent(token.value, grammars[keys[0]]) if keys and from_content else token.value
        if not from_content and keys and not fields.intersection(keys) and tokens.is_entity_tag(value):
            # Requests send it in their content or query, where it has no quotes.
            values.append(tokens.opaque(value))
        values.append(value)
        if keys and grammars[keys[0]] is Grammar.LOOSE_TAG:
            bare = tokens.opaque(value)
            values.extend((bare, f'"{bare}"') if not tokens.is_weak(value) else ())
    if not values and (enveloped := _in_envelope(step, wanted)):
        values.append(enveloped)
    if not values and (made := _said_by_itself(step, dialect)):
        values.append(made)
    if not values:
        return
    step.version = values[0]
    step.carried = tuple(dict.fromkeys(values))


def _in_envelope(step: Step, wanted: frozenset[str]) -> str:
    """Return the version of the one record that an answer wraps, whatever it calls it; "" without one.

    A family's places name the kinds of records that are known, and others are wrapped in the same way.
    """
    names = {end_of(key) for key in wanted if key.startswith("/")} - _ANY
    whole = members_in(step.view.json) if names and (step.is_read or step.accepted) else {}
    told = [
        text for name in names for one in values_at(whole, f"/*/{name}") if (text := scalar(one)) is not None
    ]
    return told[0] if len(told) == 1 else ""


def _said_by_itself(step: Step, dialect: Dialect) -> str:
    """Return the version that an accepted write says it makes; "" where it says none."""
    guard = step.guard
    state = step.body.json() if step.accepted and guard is not None and step.body is not None else None
    if guard is None or not guard.tokens or not isinstance(state, dict):
        return ""
    members = cast("dict[str, object]", state)
    names = {place.name.rpartition("/")[2] for place in dialect.tokens if place.at == "body"}
    told = (str(members[name]) for name in names if isinstance(members.get(name), str | int))
    return next((one for one in told if tokens.steps_on(guard.tokens[0], one) == 1), "")


def misplaced(facts: Facts) -> Iterator[Evidence]:
    """Yield evidence that a token came from another place of an answer than its guard is compared with.

    Args:
        facts: of a refused request.
    """
    guard, token = facts.guard, facts.token
    if guard is None or token is None or facts.issues:
        return
    for read in reversed(facts.own(facts.earlier)[-20:]):
        if read.etag is None or tokens.opaque(read.etag) == tokens.opaque(token):
            continue
        here = _beside(read, token, guard)
        if here is not None:
            there = next(iter(pointers_of(read, read.etag)), "") if guard.key else ""
            place = there or ("the ETag field" if read.header("etag") is not None else "its version")
            text = (
                f"the sent token stands at {here} of the answer; "
                f"this request is compared with {place} ({read.etag})"
            )
            yield note(text, 6.0, read)
            return


def _beside(read: Step, token: str, guard: Condition) -> str | None:
    """Return where an answer holds a token besides the place that the guard is compared with."""
    wanted = tokens.opaque(token)
    for name, value in read.received or ():
        if name.lower() != "etag" and _COUNTS.search(name) and tokens.opaque(value.strip()) == wanted:
            return f"the field {name}"
    if guard.key and len(wanted) >= _TELLING:
        for member in shown(read):
            if member.where != "body" and tokens.opaque(member.value) == wanted:
                kind = "field" if member.where == "header" else "line or element"
                return f"the {kind} {member.word}"
    if guard.key or (not guard.well_formed and wanted == token.strip()):
        first, comma, second = wanted.partition(",")
        pair = comma and first.isdigit() and second.isdigit()
        if pair and tokens.opaque(read.etag or "").partition(",")[2] == second:
            # A pair of numbers, the second one right: the first one has a place of its own.
            return next(iter(pointers_of(read, first)), None)
        # A short number stands in any member by chance.
        found = (one for one in pointers_of(read, token) if len(wanted) >= _TELLING or stamped(one))
        return next(found, None)
    return None


def pointers_of(step: Step, token: str) -> tuple[str, ...]:
    """Return the JSON Pointers at which an answer's content holds a token; of XML as if it were JSON.

    Args:
        step: whose answer is searched.
        token: as sent.
    """
    if step.content is None or len(step.content) > _LONGEST:
        return ()
    wanted = tokens.opaque(token)
    value = tree_in(step.content) if step.view.json is UNKNOWN else step.view.json
    return tuple(_search(value, wanted, ""))[:10]


def _search(value: object, wanted: str, pointer: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in cast("dict[str, object]", value).items():
            yield from _search(member, wanted, f"{pointer}/{name}")
    elif isinstance(value, list):
        for number, member in enumerate(cast("list[object]", value)[:200]):
            yield from _search(member, wanted, f"{pointer}/{number}")
    elif value is not None and not isinstance(value, bool) and tokens.opaque(str(value)) == wanted:
        yield pointer
