"""Find out how an unknown API refuses over a version, or for want of one: by what became of the requests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.habits.denied_versions import corrected_source
from ifmatch.diagnosis.habits.habit_traffic import place_of
from ifmatch.diagnosis.habits.wanted_by_name import wanted_by_name
from ifmatch.diagnosis.links.spelled_times import unread_time
from ifmatch.diagnosis.links.spent_versions import counts_past, named_past, prints
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.diagnosis.reading.version_words import alike
from ifmatch.diagnosis.steps.message_members import Member, sent, shown
from ifmatch.diagnosis.steps.refusal_words import (
    DEMANDED,
    MEANWHILE,
    NEGATIVE,
    NOT_DONE,
    OUTDATED,
    says_outdated,
    speaks_of,
    unmodified,
)
from ifmatch.dialects import Meaning, SignalSpec
from ifmatch.dialects.glossary import Words
from ifmatch.dialects.words import VERSION
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.habits.habit_evidence import Habit
    from ifmatch.diagnosis.habits.habit_traffic import Traffic
    from ifmatch.diagnosis.steps.step import Step

# What says nothing of a precondition, whatever happens then.
_OTHER: Final = frozenset({401, 404, 405, 406, 408, 411, 413, 414, 415, 416, 429, 431, 451})
# Of these, what services without a status for a conflict may answer with.
ODD: Final = frozenset({406})
# What a JSON content, an element, a line says in words.
_TEXTS: Final = late_pattern(
    r"\"((?:[^\"\\]|\\.){2,120})\"\s*(?=[,}\]])"
    # Not one letter alone; a long gap is gone through once.
    r"|>(?:\s++|(?=[^<>]{2}))([^<>\s](?:[^<>]{0,118}[^<>\s])?)\s*+<"
    r"|[:=][ \t]*([^\W\d][^\r\n\"]{1,120}?)[ \t]*$",
    re.MULTILINE,
)
# What a service cannot do at all: mostly the method.
_UNABLE: Final = 501
_CONDITIONS: Final = Words(r"\bif[-_](?:none[-_])?match\b|(?:pre)?condition|optimistic")
_LONGEST: Final = 4000
_PIECES: Final = 3
# The current version as answers print it, beside the word for it.
_CURRENT: Final = (
    r"(?:current|have|found|latest|actual|is|now|aktuell|ist|vorhanden|actuel\w*|trouvée?|actual|attuale"
    r"|huidig|текущ\w+)[ _-]?"
    r"(?:version|revision|e?tag|stand|fassung)?\"?\W{1,4}(?:is )?\"?(\w+)"
)


def refusable(step: Step) -> bool:
    """Tell whether an answer may refuse a write over a version.

    Args:
        step: any step.
    """
    if not step.is_write:
        return False
    if step.status == _UNABLE:
        return _names_condition(step)
    failed = (400 <= step.status < 500 and step.status not in _OTHER) or step.status == 500
    return failed or unmodified(step) or step.negative


def _names_condition(step: Step) -> bool:
    """Tell whether an answer speaks of conditions, or of a value that the request carries, by its name."""
    text = step.view.text[:_LONGEST]
    words = {one.word.casefold() for one in sent(step) if len(one.word) > _PIECES}
    return _CONDITIONS.search(text) is not None or any(word in text.casefold() for word in words)


def signals(traffic: Traffic, found: Sequence[Habit]) -> tuple[SignalSpec, ...]:
    """Return how a service tells that a version is another one, or that one is wanted.

    Args:
        traffic: of the service.
        found: where its requests carry versions.
    """
    known: list[SignalSpec] = []
    places = {place_of(habit.guard) for habit in found}
    # What a fault says counts for nothing where the same passed with the thing's own count.
    righted = {
        step
        for step in traffic.writes
        if step.status in ODD
        and any(corrected_source(traffic, step, one) for one in _guards(traffic, step, places))
    }
    refused = [step for step in traffic.writes if refusable(step) or step in righted]
    proven = {step for step in refused if _over_version(traffic, step, places)}
    names = frozenset(one.word for habit in found for one in (habit.guard, habit.source) if one is not None)
    missed = {step for step in refused if _for_want(traffic, step, places, names)}
    for meaning, some in ((Meaning.MISSING, missed), (Meaning.MISMATCH, proven)):
        for step in sorted(some, key=lambda one: one.order):
            matches = _matches(traffic, step, some)
            if matches is None or any(one.matches == matches and step.status in one.status for one in known):
                continue
            known.append(
                SignalSpec(
                    status=(step.status,),
                    means=meaning,
                    matches=matches,
                    guarded=meaning is Meaning.MISMATCH,
                    unguarded=meaning is Meaning.MISSING,
                    current=_CURRENT if meaning is Meaning.MISMATCH else "",
                )
            )
    words = {re.escape(habit.guard.word) for habit in found if len(habit.guard.word) > _PIECES}
    unable = SignalSpec(
        status=(_UNABLE,),
        means=Meaning.UNSUPPORTED,
        guarded=True,
        matches="(?i)" + "|".join([_CONDITIONS.pattern, *sorted(words)]),
    )
    return (*known, unable, *_in_general())


def _in_general() -> tuple[SignalSpec, ...]:
    """Return how services tell it in the words of many languages, whatever they said in the traffic."""
    words = rf"(?i){OUTDATED}"
    demands = DEMANDED.pattern
    return (
        SignalSpec(
            status=(400, 403, 409, 412, 422, 428), means=Meaning.MISSING, unguarded=True, matches=demands
        ),
        SignalSpec(status=(409,), means=Meaning.MISMATCH, guarded=True, current=_CURRENT),
        SignalSpec(status=(412,), means=Meaning.MISMATCH, guarded=True, current=_CURRENT),
        SignalSpec(
            status=(400, 403, 422, 423, 428, 500),
            means=Meaning.MISMATCH,
            guarded=True,
            matches=words,
            current=_CURRENT,
        ),
        SignalSpec(
            status=(200, 202, 207),
            means=Meaning.MISMATCH,
            guarded=True,
            matches=rf"(?im)^(?=[\s\S]*?(?:{NEGATIVE}|{NOT_DONE}))[\s\S]*?(?:{OUTDATED})",
        ),
        SignalSpec(
            status=(200, 202),
            means=Meaning.MISMATCH,
            guarded=True,
            matches=rf"(?i)^(?=[\s\S]*?<form\b)[\s\S]*?(?:{MEANWHILE})",
            current=_CURRENT,
        ),
    )


def _guards(traffic: Traffic, step: Step, places: set[tuple[str, str]]) -> list[Member]:
    return [member for member, _ in traffic.carried(step) if place_of(member) in places]


def _over_version(traffic: Traffic, step: Step, places: set[tuple[str, str]]) -> bool:
    """Tell whether a write was refused over its version: by words, numbers, or what passed later."""
    carried = _guards(traffic, step, places)
    if not carried:
        return False
    unread = (unread_time(step, one, reversed(traffic.before(step))) for one in carried)
    if says_outdated(step) or any(unread):
        return True
    value = carried[0].value
    later = _later(traffic, step, places)
    if any(one != value and prints(step, one) and (prints(step, value) or len(one) > 1) for one in later):
        return True
    if counts_past(step, value) or (200 <= step.status < 300 and _named_past(traffic, step, carried[0])):
        return True
    return _tells_later(traffic, step, value) or _passed_with_newer(traffic, step, places)


def _tells_later(traffic: Traffic, step: Step, value: str) -> bool:
    """Tell whether a denial gives a later version by the name that the next look has for it."""
    return any(
        tokens.counted_on(value, held.value)
        and VERSION.search(held.word) is not None
        and prints(step, held.value)
        and speaks_of(step, held.word)
        for one in traffic.read_after(step)
        for held in shown(one)
    )


def _named_past(traffic: Traffic, step: Step, member: Member) -> bool:
    """Tell whether a denial names a count of the request that stands further on there, or later."""
    looks = (held for one in traffic.read_after(step) for held in shown(one))
    after = next((held.value for held in looks if alike(held.word, member.word)), None)
    return named_past(step, member, after)


def _later(traffic: Traffic, step: Step, places: set[tuple[str, str]]) -> set[str]:
    """Return the versions that requests carried later on the same resource, as long as none had passed."""
    found: set[str] = set()
    for one in traffic.after(step):
        found.update(member.value for member in _guards(traffic, one, places))
        if traffic.took(one):
            break
    return found


def _passed_with_newer(traffic: Traffic, step: Step, places: set[tuple[str, str]]) -> bool:
    """Tell whether the same request passed later with nothing but another version."""
    for one in traffic.after(step):
        if traffic.took(one) and one.method == step.method and one.source == step.source:
            return _differ_in(traffic, step, one, places) == "another"
    return False


def _for_want(traffic: Traffic, step: Step, places: set[tuple[str, str]], names: frozenset[str]) -> bool:
    """Tell whether a write without a version was refused, and asked for one, or passed as it was with one."""
    if _guards(traffic, step, places) or says_outdated(step):
        return False
    if wanted_by_name(step, names):
        return True
    for one in traffic.after(step):
        if traffic.took(one) and one.method == step.method and one.source == step.source:
            return _differ_in(traffic, step, one, places) == "added"
    return False


def _differ_in(traffic: Traffic, one: Step, two: Step, places: set[tuple[str, str]]) -> str:
    """Say how two requests differ: by an `added` version, by `another` one, or "" by anything else."""
    had, has = _guards(traffic, one, places), _guards(traffic, two, places)
    if not has:
        return ""
    rest, others = (
        {(member.where, member.name, member.value) for member in sent(step) if place_of(member) not in places}
        for step in (one, two)
    )
    fields = {(where, name) for where, name, _ in rest ^ others if where != "header"}
    text = (
        one.body is not None
        and two.body is not None
        and not sent(one)
        and not same_content(one.body, two.body)
    )
    if fields or text:
        return ""
    return "another" if had and had[0].value != has[0].value else "" if had else "added"


def _matches(traffic: Traffic, step: Step, proven: set[Step]) -> str | None:
    """Return the pattern of what only such answers say, None where they say nothing."""
    text = step.view.text[:_LONGEST]
    if not text:
        return None if 200 <= step.status < 300 else ""
    others = [
        one.view.text[:_LONGEST]
        for one in traffic.writes
        if one.content is not None and one not in proven and (refusable(one) or traffic.took(one))
    ]
    asked = " ".join([step.exchange.request.url, step.view.sent_text, *_shown(traffic, step)])
    pieces: list[str] = []
    for piece in _pieces(text):
        expression = re.escape(piece) if " " not in piece else re.sub(r"\d+", r"\\d+", re.escape(piece))
        if piece in asked or any(re.search(expression, other, re.IGNORECASE) for other in others):
            continue
        pieces.append(expression)
        if len(pieces) == _PIECES:
            break
    if pieces:
        first, *rest = pieces
        return first + "".join(rf"(?=[\s\S]*?{one})" for one in rest)
    marker = rf"(?im){NEGATIVE}|{NOT_DONE}"
    if 200 <= step.status < 300:
        return None if any(re.search(marker, other, re.IGNORECASE) for other in others) else marker
    # A status that other answers have too needs words of its own.
    alone = all(one in proven for one in traffic.writes if one.status == step.status)
    return "" if alone else None


def _shown(traffic: Traffic, step: Step) -> Iterator[str]:
    for one in traffic.before(step)[-2:]:
        yield one.view.text[:_LONGEST]


def _pieces(text: str) -> Iterator[str]:
    for groups in _TEXTS.findall(text):
        piece = next((one for one in groups if one), "").strip()
        if piece and not piece.replace(" ", "").isdigit():
            yield piece
