"""Learn how an unknown API carries its versions: from what its clients send back of what they had read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from msgspec.structs import replace

from ifmatch.diagnosis.habits.creation_flags import creation_flags
from ifmatch.diagnosis.habits.habit_evidence import habits
from ifmatch.diagnosis.habits.habit_intent import meant_as_one, met_nothing
from ifmatch.diagnosis.habits.habit_signals import ODD, refusable, signals
from ifmatch.diagnosis.habits.habit_traffic import Traffic, place_of
from ifmatch.diagnosis.habits.spoken_habits import asked_for, for_nothing
from ifmatch.diagnosis.habits.wanted_by_name import ASKING
from ifmatch.diagnosis.links.succession import advanced
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.version_words import alike, speaks_of_versions
from ifmatch.diagnosis.steps.message_members import Member, shown
from ifmatch.dialects import (
    Carrier,
    Demand,
    Dialect,
    Grammar,
    GuardSpec,
    Meaning,
    SameResource,
    SignalSpec,
    StatePlace,
    TokenPlace,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ifmatch.diagnosis.habits.habit_evidence import Habit
    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step

# The id of what was learned; it is no file.
LEARNED: Final = "learned"
_UNSAFE: Final = ("PUT", "PATCH", "POST", "DELETE", "MERGE")


def learn(service: Sequence[Step]) -> Dialect | None:
    """Return the dialect that the traffic of a service shows by itself, None when it shows none.

    Where nothing is refused, what can only be meant as a precondition is one all the same.

    Args:
        service: steps of one service without a known dialect, in order of time.
    """
    writes = [step for step in service if step.is_write]
    if not writes:
        return None
    traffic = Traffic(service)
    if not any(refusable(step) or step.status in ODD for step in writes):
        expected = habits(traffic, meant=meant_as_one) or habits(traffic, meant=met_nothing)
        return _dialect(traffic, expected, loose=False, weak=False) if expected else None
    found, demand = habits(traffic), ""
    if not found:
        found, demand = asked_for(traffic)
    nothing, flags = for_nothing(traffic), creation_flags(traffic)
    loose = _takes(service, writes, odd=lambda token: not tokens.is_entity_tag(token))
    weak = _takes(service, writes, odd=tokens.is_weak)
    if not (found or nothing or flags or loose or weak):
        return None
    dialect = _dialect(traffic, found, loose=loose, weak=weak)
    spoken = _spoken(dialect, nothing, demand)
    return replace(spoken, guards=(*spoken.guards, *flags)) if flags else spoken


def _spoken(
    dialect: Dialect, nothing: Mapping[tuple[str, str], tuple[Member, set[str]]], demand: str
) -> Dialect:
    """Return what was learned with what words show: how absence is expected, and how a version is asked for.

    Args:
        dialect: what the values show.
        nothing: places of words that say that nothing may be there, with these words.
        demand: pattern of the answers that ask for a version, "" where none does.
    """
    guards = list(dialect.guards)
    for member, words in nothing.values():
        sentinels = dict.fromkeys(words, Demand.ABSENT)
        own = next((one for one in guards if (one.carrier, one.name) == (member.where, member.name)), None)
        if own is None:
            guards.append(GuardSpec(carrier=Carrier(member.where), name=member.name, sentinels=sentinels))
        else:
            guards[guards.index(own)] = replace(own, sentinels={**own.sentinels, **sentinels})
    told = dialect.signals
    if demand:
        told = (
            SignalSpec(status=tuple(sorted(ASKING)), means=Meaning.MISSING, unguarded=True, matches=demand),
            *dialect.signals,
        )
    return replace(dialect, guards=tuple(guards), signals=told)


def _takes(service: Sequence[Step], writes: Sequence[Step], odd: Callable[[str], bool]) -> bool:
    """Tell whether a service compares tags of an odd form: it accepted a current one, and refused one too.

    A service that drops what it cannot read accepts every one of them.
    """
    if all(_odd_guard(step, odd) is None for step in writes if step.status == 412):
        return False
    strange = {step: guard for step in writes if (guard := _odd_guard(step, odd)) is not None}
    accepted = refused = False
    served: dict[str, str] = {}
    for step in service:
        guard = strange.get(step)
        if guard is not None:
            current = served.get(step.resource)
            if step.accepted and current is not None:
                accepted = accepted or any(
                    tokens.opaque(one) == tokens.opaque(current) for one in guard.tokens
                )
            refused = refused or step.status == 412
        tag = step.header("etag")
        if tag is not None and (step.read_ok or step.accepted):
            served[step.resource] = tag
    return accepted and refused


def _odd_guard(step: Step, odd: Callable[[str], bool]) -> Condition | None:
    guard = step.condition(Guard.SAME)
    if guard is None or not guard.standard:
        return None
    return guard if any(odd(one) for one in guard.tokens) else None


def members_of(body: object, above: str = "") -> Iterator[tuple[Carrier, str, str]]:
    """Yield the members of a content that are called like versions: carrier, pointer and value.

    Args:
        body: JSON value.
        above: pointer to it; only members at the top and one level below are looked at.
    """
    if not isinstance(body, dict):
        return
    for name, value in cast("dict[str, object]", body).items():
        if isinstance(value, str | int) and speaks_of_versions(Member("body", name, name, str(value))):
            yield Carrier.BODY, f"{above}/{name}", str(value)
        elif not above:
            yield from members_of(value, f"/{name}")


def _dialect(traffic: Traffic, found: Sequence[Habit], *, loose: bool, weak: bool) -> Dialect:
    guards: dict[str, GuardSpec] = {}
    places: list[TokenPlace] = []
    others: dict[str, SameResource] = {}
    if loose or weak:
        guards["If-Match"] = _tag_guard(Grammar.LOOSE_TAG if loose else Grammar.WEAK_TAG)
        places.append(TokenPlace(at="header", name="ETag", feeds=("If-Match",)))
    for habit in found:
        guard = habit.guard
        spoken = guard.where in {"text", "path"}
        key = (guard.word or "version") if spoken else guard.name
        if key not in guards and guard.name.lower() == "if-match":
            guards[key] = _tag_guard(Grammar.LOOSE_TAG)
        elif key not in guards:
            guards[key] = GuardSpec(carrier=Carrier(guard.where), name=guard.name, id=key if spoken else "")
        if habit.source is not None:
            places.append(TokenPlace(at=habit.source.where, name=habit.source.name, feeds=(key,)))
            places += [TokenPlace(at=at, name=name, feeds=(key,)) for at, name in _made_at(traffic, habit)]
        if habit.path is not None:
            rule = habit.path.rule
            others[rule] = SameResource(path=rule, becomes=habit.path.becomes, methods=_UNSAFE)
    return Dialect(
        id=LEARNED,
        name="this API",
        source="the traffic itself",
        weak_tags_match=weak,
        guards=tuple(guards.values()),
        tokens=tuple(places),
        signals=signals(traffic, found),
        same_resource=tuple(others.values()),
        states=_wrappings(traffic),
    )


def _made_at(traffic: Traffic, habit: Habit) -> list[tuple[str, str]]:
    """Return where the answers to writes show the versions that they made, if reads show them elsewhere.

    Args:
        traffic: of a service.
        habit: where its requests carry versions, and where its reads show them.
    """
    guard, source = habit.guard, habit.source
    found: dict[tuple[str, str], None] = {}
    for write in traffic.writes if source is not None else ():
        held = {place_of(one) for one in shown(write)} if traffic.took(write) else set[tuple[str, str]]()
        if source is None or not held or place_of(source) in held:
            continue
        sent = next((one.value for one, _ in traffic.carried(write) if place_of(one) == place_of(guard)), "")
        for one in shown(write) if sent else ():
            named = alike(one.word, source.word) or alike(one.word, guard.word)
            if named and one.where != "text" and advanced(tokens.opaque(sent), tokens.opaque(one.value)):
                found[place_of(one)] = None
    return list(found)


def _wrappings(traffic: Traffic) -> tuple[StatePlace, ...]:
    """Return where requests wrap what they write in a member: beside it stand id, action and version.

    The member holds more of what a read shows than all members beside it.

    Args:
        traffic: of a service.
    """
    found: dict[str, StatePlace] = {}
    for write in traffic.writes:
        body = write.view.sent_json
        reads = traffic.before(write) if isinstance(body, dict) else []
        shown = reads[-1].view.json if reads else None
        if not isinstance(shown, dict):
            continue
        members = cast("dict[str, object]", body)
        names = set(cast("dict[str, object]", shown))
        for name, value in members.items():
            inner = set(cast("dict[str, object]", value)) if isinstance(value, dict) else set[str]()
            if name not in names and inner and len(inner & names) > len((set(members) - _BESIDE) & names):
                found[name] = StatePlace(sent=f"/{name}")
    return tuple(found.values())


# What stands beside the content, and in a record too.
_BESIDE: Final = frozenset({"id", "_id", "key", "name", "type", "version", "revision", "rev", "etag"})


def _tag_guard(grammar: Grammar) -> GuardSpec:
    star = {"*": Demand.EXISTS}
    return GuardSpec(carrier=Carrier.HEADER, name="If-Match", grammar=grammar, sentinels=star)


def beyond(learned: Dialect, general: Dialect) -> bool:
    """Tell whether the traffic shows places of versions that a general family does not know.

    Args:
        learned: what the traffic shows.
        general: the family that its answers speak.
    """
    known = {(guard.carrier, guard.name.lower()) for guard in general.guards}
    places = {(place.at, place.name.lower(), key.lower()) for place in general.tokens for key in place.feeds}
    if any((guard.carrier, guard.name.lower()) not in known for guard in learned.guards):
        return True
    return any(
        (place.at, place.name.lower(), key.lower()) not in places
        for place in learned.tokens
        for key in place.feeds
    )


def joined(learned: Dialect, general: Dialect) -> Dialect:
    """Return a general family with the places that the traffic shows before its own.

    Args:
        learned: what the traffic shows.
        general: the family that its answers speak.
    """
    taken = {(guard.carrier, guard.name.lower()) for guard in learned.guards}
    others = tuple(one for one in general.guards if (one.carrier, one.name.lower()) not in taken)
    return replace(
        general,
        guards=learned.guards + others,
        tokens=learned.tokens + general.tokens,
        signals=general.signals + learned.signals,
        same_resource=learned.same_resource + general.same_resource,
        states=learned.states + general.states,
    )
