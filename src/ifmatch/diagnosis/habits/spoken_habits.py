"""Learn from words what no value shows: how an API is told that nothing may be there, what it asks for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.habits.habit_evidence import Habit
from ifmatch.diagnosis.habits.habit_traffic import place_of
from ifmatch.diagnosis.habits.wanted_by_name import ASKING, faulted_alone
from ifmatch.diagnosis.links.spent_versions import prints
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.version_words import speaks_of_versions
from ifmatch.diagnosis.steps.message_members import Member, sent, shown
from ifmatch.diagnosis.steps.refusal_words import THERE_ALREADY, WANTED
from ifmatch.dialects.glossary import Words
from ifmatch.dialects.words import VERSION
from ifmatch.model.late import late_pattern
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.habits.habit_traffic import Traffic
    from ifmatch.diagnosis.steps.step import Step

_CONFLICT: Final = frozenset({409, 412})
_GONE: Final = frozenset({404, 410})
# What stands in the place of a version where there is to be none yet.
_NOTHING: Final = Words(
    r"no[-_ ]?(?:such[-_ ]?)?(?:stream|document|entity|record|resource|item|row|object|version|revision|key"
    r"|event)s?"
    r"|(?:(?:must|should|shall|does|do)[-_ ]?)?not[-_ ]?(?:exist(?:s|ing)?|present|found)"
    r"|(?:if[-_ ]?)?absent|non[-_ ]?exist(?:ent|ing)"
)
_EXPECTS: Final = Words(
    r"version|revision|position|e-?tag|generation|sequence|offset|stream|exist|precondition|match|state|stand"
)
_BLANK: Final = (
    r"can.?t be (?:blank|empty|null|missing)|(?:may|must|can|should) ?not be (?:blank|empty|null|missing)"
    r"|not be null"
    r"|leer sein|être vide|estar vac[ií]o|essere vuot[oa]|leeg zijn|может быть пуст"
)
# A release is called by numbers with points between them: that is data.
_RELEASE: Final = late_pattern(r"v?\d+(?:\.\d+)+\S*", re.IGNORECASE)
_LONGEST: Final = 4000
# What some call a version, and others something else: a count, a tag or a moment under such a name is one.
_STATE: Final = Words(
    r"_?(?:(?:no|nr|num|number|record|row|object|entity|document|edit|data|my|current|last)[-_ ]?)?"
    r"(?:stand|state|gen|epoch|concurrency|cas|mutation|as[-_ ]?of)"
    r"(?:[-_ ]?(?:no|nr|num|number|count|counter|id|stamp|token|tag))?"
    r"|(?:change|update|edit|write|save|mod|modification|record|row)"
    r"[-_ ]?(?:no|nr|num|number|count|counter|stamp|token|tag)"
)
# What has so few values is a choice among some.
_CHOICE: Final = late_pattern(r"\d")
# Fields of a service's own.
_OWN: Final = late_pattern(r"x-", re.IGNORECASE)
_VERSION_LIKE: Final = late_pattern(
    r"\d{1,19}|\d+[-.][0-9a-f]+|[0-9a-f]{6,64}|(?=\S*\d)[\w+/=-]{8,64}|\d{4}-\d\d-\d\d[T ][\d:.]+\S*",
    re.IGNORECASE,
)


def for_nothing(traffic: Traffic) -> dict[tuple[str, str], tuple[Member, set[str]]]:
    """Return the places where requests say in a word that nothing may be there yet, with these words.

    A service compares such a word when it refuses one over what is there: its answer repeats it, or says
    that the thing exists.

    Args:
        traffic: of the service.
    """
    found: dict[tuple[str, str], tuple[Member, set[str]]] = {}
    met: set[tuple[str, str]] = set()
    for write in traffic.writes:
        for member in sent(write):
            if member.where == "text" or not _NOTHING.fullmatch(member.value):
                continue
            if _EXPECTS.search(member.word) is None:
                continue
            place = place_of(member)
            found.setdefault(place, (member, set()))[1].add(member.value)
            if _meets_something(traffic, write, member):
                met.add(place)
    return {place: one for place, one in found.items() if place in met}


def _meets_something(traffic: Traffic, write: Step, member: Member) -> bool:
    if write.status not in _CONFLICT:
        return False
    text = write.view.text[:_LONGEST]
    says = prints(write, member.value) or THERE_ALREADY.search(text)
    after = next((one for one in traffic.after(write) if one.is_read or traffic.took(one)), None)
    return bool(says) and (after is None or after.status not in _GONE)


def asked_for(traffic: Traffic) -> tuple[list[Habit], str]:
    """Return where a service wants a version that its requests never carry, and how it says so.

    The refusal names a member as missing, and a read of the same thing shows a version under that very name.

    Args:
        traffic: of the service.

    Returns:
        The places, empty when nothing is asked for, and a regular expression that finds the demand.
    """
    for write in traffic.writes:
        if write.status not in ASKING or write.content is None:
            continue
        text = write.view.text[:_LONGEST]
        given = {member.word.lower() for member in sent(write)}
        for source in _versions(traffic, write):
            demand = _demand(source.word)
            if source.word.lower() not in given and Words(demand).search(text):
                return [Habit(_place(write, source), source, None)], demand
        for source in _counts(traffic, write):
            if source.word.lower() not in given:
                name = rf"(?i)(?<![^\W_]){re.escape(source.word)}(?![^\W_])"
                return [Habit(_place(write, source), source, None)], name
    return [], ""


def _counts(traffic: Traffic, write: Step) -> Iterator[Member]:
    """Yield what a refusal faults, and the last look at its thing shows to count its states.

    It does by its name, or by what became of it. A service that names it, and nothing else, as what is wrong
    with a write that leaves it out, wants it.
    """
    for read in list(reversed(traffic.before(write)))[:1]:
        for one in shown(read):
            within = one.where == "body" and any(part.isdigit() for part in one.name.split("/"))
            own = one.where in {"body", "text"} or (one.where == "header" and _OWN.match(one.name))
            if (
                within
                or not own
                or not _VERSION_LIKE.fullmatch(one.value)
                or not faulted_alone(write, one.word)
            ):
                continue
            word = _OWN.sub("", one.word)
            called = _STATE.fullmatch(word) is not None or VERSION.search(word) is not None
            called = called and not (_CHOICE.fullmatch(one.value) and word.casefold() == "state")
            if (called and not _set_by_writes(traffic, one)) or _moved_by_itself(traffic, write, one):
                yield one


def _set_by_writes(traffic: Traffic, member: Member) -> bool:
    """Tell whether a write was taken that put a value there, or left it as it was: it is data."""
    for one in traffic.writes:
        mine = {held.value for held in sent(one) if held.word == member.word}
        if not mine or not traffic.took(one):
            continue
        before = {
            held.value for read in traffic.before(one) for held in shown(read) if held.word == member.word
        }
        if before and not mine & before:
            return True
        # What counts states is another one once a write was taken.
        told = {held.value for held in shown(one) if held.word == member.word}
        if mine & told:
            return True
    return False


def _moved_by_itself(traffic: Traffic, write: Step, member: Member) -> bool:
    """Tell whether writes are answered with a count one further than they carry under its name."""
    if not member.value.isdigit():
        return False
    for one in traffic.writes:
        if one is write or not traffic.took(one):
            continue
        mine = {held.value for held in sent(one) if held.word == member.word}
        told = {held.value for held in shown(one) if held.word == member.word}
        if any(tokens.steps_on(old, new) == 1 for old in mine for new in told):
            return True
    return False


def _versions(traffic: Traffic, write: Step) -> Iterator[Member]:
    for read in reversed(traffic.before(write)):
        for one in shown(read):
            within = one.where == "body" and any(part.isdigit() for part in one.name.split("/"))
            named = speaks_of_versions(Member("body", one.name, one.word, one.value))
            if named and not within and not _RELEASE.fullmatch(one.value):
                yield one


def _demand(word: str) -> str:
    wanted = rf"(?:{WANTED}|{_BLANK})"
    name = rf"(?<![\w-]){re.escape(word)}\b"
    return rf"{name}[^.]{{0,60}}{wanted}|{wanted}[^.]{{0,40}}{name}"


def _place(write: Step, source: Member) -> Member:
    """Return where a request would carry what an answer shows."""
    if source.where == "header":
        return source
    if (
        source.where == "text"
        and write.view.sent_json is UNKNOWN
        and write.view.sent_text.lstrip()[:1] == "<"
    ):
        return source
    return Member("body", f"/{source.word}", source.word, source.value)
