"""Find out where the requests of an unknown API carry a version: by the values, whatever they are called.

A value is one when an answer about the resource had shown it and one of these holds: both names speak of
versions; the service took it and counted on at the place where it had shown it; the refusal prints it beside
the version that is shown next.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ifmatch.diagnosis.habits.coined_values import coined
from ifmatch.diagnosis.habits.denials import denied_over, left_out_later
from ifmatch.diagnosis.habits.denied_versions import DAMAGES, corrected_source, denied_version, passed_with
from ifmatch.diagnosis.habits.habit_traffic import place_of
from ifmatch.diagnosis.habits.hidden_fields import counts_states, hidden_source
from ifmatch.diagnosis.habits.lapsed_marks import asks_for_news
from ifmatch.diagnosis.habits.named_sources import alike_source, dated_source, of_state, respelled_source
from ifmatch.diagnosis.habits.passed_counts import CALENDAR, called_past, passed_over
from ifmatch.diagnosis.links.spelled_times import unread_time
from ifmatch.diagnosis.links.spent_versions import (
    blamed,
    counts_past,
    echoed,
    printed_beside,
    prints,
    righted,
    spent_on,
    stated_beside,
)
from ifmatch.diagnosis.links.succession import TIME, advanced, later_time
from ifmatch.diagnosis.links.targets import names_a_thing
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.version_words import (
    CHANGED,
    EXPECTS,
    NO_STATE,
    UNCHANGED,
    alike,
    of_changes,
    speaks_of_versions,
    telling_words,
    words_of,
)
from ifmatch.diagnosis.steps.message_members import sent, shown
from ifmatch.diagnosis.steps.refusal_words import refuses, says_outdated, speaks_of
from ifmatch.dialects.glossary import Words
from ifmatch.dialects.words import VERSION
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ifmatch.diagnosis.habits.habit_traffic import Traffic
    from ifmatch.diagnosis.links.path_members import InPath
    from ifmatch.diagnosis.steps.message_members import Member
    from ifmatch.diagnosis.steps.step import Step

# Shorter names say too little by themselves.
_WORD: Final = 3
# Shorter values are met by chance: the name has to speak too.
_TELLING: Final = 8
# A value stands in so many places of an answer that are looked at.
_PLACES: Final = 4
# What refusals say of a count that went on, whatever they call it.
_GONE_BY: Final = Words(r"\b(?:passed|past|moved|behind|gone|old|older|over|left behind|no longer|went on)\b")
# What is coded once too often is not meant so, wherever it stands.
_CODED: Final = frozenset({"html-escaped", "percent-encoded", "plus-lost", "escaped"})


class Habit(Frozen, frozen=True):
    """Where requests carry a version, and where answers show it.

    Attributes:
        guard: the place in a request; its value is one that was seen.
        source: the place in an answer, None where no answer shows versions.
        path: how it stands in the path, None when it stands elsewhere.
    """

    guard: Member
    source: Member | None
    path: InPath | None


# How sure a place is.
_NAMED, _PROVEN, _LIKELY, _MET = 4, 3, 2, 1


def _sources(read: Step, member: Member) -> list[Member]:
    wanted = tokens.opaque(member.value)
    tag = read.header("etag")
    if not wanted or tokens.null_word(member.value) or (tag is not None and tokens.opaque(tag) == wanted):
        return []
    found = [one for one in shown(read) if tokens.opaque(one.value) == wanted]
    return sorted(found, key=lambda one: (not VERSION.search(one.word), not alike(one.word, member.word)))


def _rank(traffic: Traffic, write: Step, member: Member, source: Member) -> int:
    if traffic.of_a_format(place_of(source)):
        return 0
    versions = VERSION.search(source.word) is not None
    given_back = _field_given_back(traffic, write, member, source)
    if given_back or denied_version(traffic, write, member, source):
        return _PROVEN
    if speaks_of_versions(member) and (
        versions or (source.where == "body" and len(member.value) >= _TELLING)
    ):
        return _NAMED
    if _time_of_change(write, member, source):
        return _LIKELY if member.where in {"body", "text"} else _NAMED
    if stated_beside(write, member) is not None or _expected(traffic, write, member, source):
        return _PROVEN
    if left_out_later(traffic, write, member) or denied_over(traffic, write, member, source):
        return _PROVEN
    if source.where == "text" and counts_states(traffic.about[traffic.bases[write]], member.word):
        return _PROVEN
    if versions and traffic.conflicts(write) and counts_past(write, member.value) and says_outdated(write):
        # It prints the version that was sent, and the one that is there.
        return _PROVEN
    later = next((one for one in traffic.after(write) if traffic.took(one)), None)
    if not traffic.took(write) and blamed(write, member, later):
        return _PROVEN
    after = traffic.next_shown(write, place_of(source))
    if not traffic.steady(traffic.bases[write], place_of(source)):
        return 0
    if _repeated_beside(traffic, write, member, source):
        return _PROVEN
    if _shown_further(traffic, write, member, source) or called_past(traffic, write, member, source):
        return _PROVEN
    if (met := _stepped_on(traffic, write, member, source)) > 0:
        return met
    if after is None:
        return 0
    inside = member.where in {"body", "text"}
    same = alike(member.word, source.word) or (member.where == "path" and versions)
    if traffic.took(write):
        if (inside and traffic.by_tag) or not advanced(*map(tokens.opaque, (member.value, after))):
            return 0
        return _PROVEN if same else 0 if inside else _MET
    if after != member.value and prints(write, member.value) and prints(write, after):
        return _PROVEN if same or not inside else _MET
    if same and righted(write, member.value, after):
        return _PROVEN
    if traffic.conflicts(write) or says_outdated(write):
        moved = tokens.counted_on(member.value, after) or later_time(member.value, after)
        return _LIKELY if same and moved and (not inside or _alone(traffic, write, member)) else 0
    return 0


def _expected(traffic: Traffic, write: Step, member: Member, source: Member) -> bool:
    """Tell whether a value beside the content is called expected, and an answer showed it as a version."""
    beside = member.where in {"header", "query"}
    if not beside or VERSION.search(source.word) is None or EXPECTS.search(member.name) is None:
        return False
    return traffic.took(write) or traffic.conflicts(write)


def _repeated_beside(traffic: Traffic, write: Step, member: Member, source: Member) -> bool:
    """Tell whether a refused request repeats a number of the record beside its content, and is told so.

    What only names the thing is in its path as well.
    """
    if member.where not in {"header", "query"} or traffic.took(write) or not traffic.conflicts(write):
        return False
    if CALENDAR.fullmatch(source.word) or not member.value.isdigit():
        return False
    if not alike(member.word, source.word) or names_a_thing(member.name):
        return False
    gone_by = _GONE_BY.search(write.view.text) is not None or says_outdated(write)
    return gone_by and member.value not in write.view.path.split("/") and prints(write, member.value)


def _field_given_back(traffic: Traffic, write: Step, member: Member, source: Member) -> bool:
    """Tell whether a refused request gives back a field of the state, and is told that this is outdated.

    What the reads carry too, or what other things are shown with, says who asks.
    """
    if member.where != "header" or source.where != "header" or member.name.lower() != source.name.lower():
        return False
    if traffic.took(write) or not traffic.conflicts(write) or not says_outdated(write):
        return False
    if NO_STATE.search(member.name) is not None or not any(map(str.isdigit, member.value)):
        return False
    return not traffic.of_who_asks(write, member)


def _shown_further(traffic: Traffic, write: Step, member: Member, source: Member) -> bool:
    """Tell whether the answer to a write shows the record with a sent count further on.

    A refusal that gives the record as it is now says by its numbers which value was too old; so does a
    success that gives it in another wrapping than the read. What stands in a record that is sent back whole
    may be any count of it.
    """
    if member.where in {"body", "text"} or not member.value.isdigit():
        return False
    if not (traffic.took(write) or traffic.conflicts(write)):
        return False
    wanted = [one for one in shown(write) if place_of(one) == place_of(source) or one.word == source.word]
    return len(wanted) == 1 and tokens.counted_on(member.value, wanted[0].value)


def _stepped_on(traffic: Traffic, write: Step, member: Member, source: Member) -> int:
    """Return how sure it is that a value is a version because the answer shows the very next one, 0 if not.

    Arguments of calls have names of their own: `r` for what a record shows as `revision`.
    """
    called = VERSION.search(source.word) is not None and member.word != source.word
    if not called or not traffic.took(write) or not member.value.isdigit():
        return 0
    if any(one.word == source.word for one in sent(write)):
        return 0
    held = (one for read in traffic.before(write)[-1:] for one in shown(read))
    if any((one.word, one.value) == (member.word, member.value) for one in held):
        # It is what the record itself calls so.
        return 0
    made = [one.value for one in shown(write) if one.word == source.word]
    if len(made) != 1 or tokens.steps_on(member.value, made[0]) != 1:
        return 0
    if member.value in write.view.path.split("/") or traffic.contradicts(place_of(member), source):
        return 0
    return _LIKELY if len(member.value) > 1 or EXPECTS.search(member.word) is not None else _MET


def _time_of_change(write: Step, member: Member, source: Member) -> bool:
    """Tell whether a value is when a thing was changed last, and the request can only mean it as a version.

    Beside the content it means nothing else; in the content only an answer that speaks of versions says so.
    """
    if TIME.fullmatch(member.value) is None:
        return False
    if member.where in {"header", "query"} and (UNCHANGED.search(member.word) or CHANGED.search(source.word)):
        # What a time is called that is sent back beside the content says how it is meant, not what it is.
        return True
    if not (of_changes(member) and CHANGED.search(source.word)):
        return False
    beside = member.where in {"header", "query", "path"} or write.method == "DELETE"
    return beside or says_outdated(write) or stated_beside(write, member) is not None


def _alone(traffic: Traffic, write: Step, member: Member) -> bool:
    """Tell whether a member is the only one in a request that is as it was read: the rest is the change."""
    before = traffic.before(write)
    if not before:
        return False
    held = {(one.word, one.value) for one in shown(before[-1])}
    # What names the thing says nothing of its state.
    name = unquote(write.resource.partition("#")[2] or write.resource.rpartition("/")[2])
    mine = [one for one in sent(write) if one.where == member.where and one.value != name]
    return [one for one in mine if (one.word, one.value) in held] == [member]


def _damaged_source(traffic: Traffic, write: Step, member: Member) -> Member | None:
    """Return where an answer holds what a refused value is with a damage, whatever the refusal says.

    A time in a record that is sent back whole is no precondition: servers and clients spell it as they like.
    """
    if not traffic.conflicts(write):
        return None
    before = traffic.before(write)
    if any(read.header("etag") is not None for read in before):
        return None
    if (respelled := respelled_source(write, member, before)) is not None:
        return respelled
    if (hidden := hidden_source(write, member, before)) is not None:
        return hidden
    for read in reversed(before):
        for held in of_state(traffic, read):
            versions = VERSION.search(held.word) is not None
            if not (versions or alike(held.word, member.word)):
                continue
            aside = member.where not in {"body", "text"} or member.word != held.word
            kind = tokens.damage(member.value, held.value)
            blamed_for = kind in _CODED and member.word.casefold() in write.view.text.casefold()
            if not (speaks_of_versions(member) if versions else aside or blamed_for):
                continue
            if kind in DAMAGES:
                return held
    return None


def _echoed_source(traffic: Traffic, write: Step, member: Member) -> Member | None:
    """Return where answers hold the value that a refusal states beside a sent one that is a damage of it."""
    stated = None if traffic.took(write) else echoed(write, member.value)
    if stated is None:
        return None
    answers = [*traffic.before(write)[::-1], *traffic.read_after(write)]
    return next((one for read in answers for one in shown(read) if one.value == stated), None)


def _nothing_for(traffic: Traffic, write: Step, member: Member) -> Member | None:
    """Return the value that answers show under the name of one that was sent for none.

    Where that was taken, only a name that versions alone have, beside the content, tells that it was meant as
    one: a member may be emptied. What programs print for want of a value, nobody means.
    """
    if not tokens.null_word(member.value) or member.value in {"0", "-1"}:
        return None
    if member.where == "text" and (traffic.took(write) or not _blamed_for_none(write, member)):
        return None
    if traffic.took(write):
        beside = member.where in {"header", "query"} and bool(member.value.strip())
        if not ((beside or tokens.printed(member.value)) and speaks_of_versions(member)):
            return None
    elif not (says_outdated(write) or _blamed_for_none(write, member)):
        return None
    for read in reversed(traffic.before(write) or traffic.read_after(write)):
        held = [one for one in of_state(traffic, read) if alike(one.word, member.word)]
        if len(held) == 1 and any(map(str.isdigit, held[0].value)):
            return held[0]
    return None


def _blamed_for_none(write: Step, member: Member) -> bool:
    """Tell whether a fault is laid to what is called a version, and holds a word that programs alone print.

    The answer names it, or it stands beside a content: there is nothing else that it may be meant for.
    """
    if not refuses(write) or not member.value.strip() or not speaks_of_versions(member):
        return False
    return member.where in {"header", "query"} or prints(write, member.word)


def _printed_against(traffic: Traffic, write: Step, member: Member) -> Member | None:
    """Return the version of a thing that a refusal prints beside a sent value, whatever that is called.

    A name that says nothing counts where the same request passed with what the thing had shown under it, and
    the sent value is what another thing has under it.
    """
    if traffic.took(write) or not refuses(write) or not prints(write, member.value):
        return None
    if any(
        (one.name, one.value) == ("/id", member.value) == (member.name, one.value) for one in shown(write)
    ):
        # An answer repeats the number of the call that it answers (JSON-RPC 2.0 section 5).
        return None
    apart = traffic.elsewhere(write, member, least=1, words=partial(alike, member.word)) is not None
    passed = set(passed_with(traffic, write, member)) if apart else set[str]()
    for read in reversed(traffic.before(write)):
        held = [one for one in shown(read) if one.value != member.value]
        held = [
            one
            for one in held
            if VERSION.search(one.word) or (one.value in passed and alike(one.word, member.word))
        ]
        told = [one for one in held if prints(write, one.value)]
        if len(told) == 1 and tokens.shape(told[0].value) == tokens.shape(member.value) != "text":
            return told[0] if speaks_of(write, told[0].word) else None
    return None


def _of_another(traffic: Traffic, write: Step, member: Member) -> Member | None:
    """Return the mark of a thing that a refusal shows, where that of another thing was expected."""
    if not traffic.conflicts(write) or not EXPECTS.search(member.word):
        return None
    told = {(one.word, one.value) for one in shown(write)}
    for read in reversed(traffic.before(write)):
        for one in shown(read):
            if one.value == member.value or (one.word, one.value) not in told or one.value in write.resource:
                continue
            if any(map(str.isdigit, one.value)) and traffic.elsewhere(
                write, member, least=1, words=partial(alike, one.word)
            ):
                return one
    return None


def _unshown(traffic: Traffic, write: Step, member: Member) -> tuple[Member | None, int]:
    """Return where a refused value comes from that no answer about its resource shows, and how sure it is.

    Only the name, and an answer that speaks of versions, say then that it is one.
    """
    named = speaks_of_versions(member) or (member.where in {"header", "query"} and of_changes(member))
    if not named and (held := _printed_against(traffic, write, member)) is not None:
        return held, _PROVEN
    if member.where == "path" and not traffic.took(write) and counts_past(write, member.value):
        # It prints the number of the address, and the one that is there.
        return None, _PROVEN if says_outdated(write) else 0
    unread = not named or traffic.took(write) or not says_outdated(write)
    if unread and (held := _nothing_for(traffic, write, member)) is not None:
        return held, _PROVEN
    held = _of_another(traffic, write, member) or corrected_source(traffic, write, member)
    if held is not None:
        return held, _PROVEN
    if (held := unread_time(write, member, reversed(traffic.before(write)))) is not None:
        return held, _PROVEN
    if UNCHANGED.search(member.word):
        dated = dated_source(traffic, write, member)
        sure = _NAMED if traffic.took(write) else _LIKELY
        return dated, sure if dated is not None else 0
    if traffic.took(write) or not named:
        return None, 0
    taken_elsewhere = traffic.elsewhere(write, member, least=1) if traffic.conflicts(write) else None
    if taken_elsewhere is not None and (meant := alike_source(traffic, write, member)) is not None:
        return meant, _LIKELY
    if not says_outdated(write):
        stored = printed_beside(write, member, [*traffic.before(write)[::-1], *traffic.read_after(write)])
        stored = stored or spent_on(write, member, traffic.taken(write))
        return stored, _PROVEN if stored is not None else 0
    source = alike_source(traffic, write, member)
    if source is not None:
        return source, _LIKELY
    short = len(member.word) < _WORD and member.where != "path"
    if short or any(one.header("etag") is not None for one in traffic.before(write)):
        return None, 0
    return traffic.elsewhere(write, member), _LIKELY


def _called_alike(read: Step, member: Member, held: Sequence[Member]) -> Member | None:
    """Return the version of an answer that a sent value is called after, where another one holds the value.

    `expectedVersion` means `version`, be `etag` or `rev` what its value was taken from.
    """
    versions = [one for one in shown(read) if VERSION.search(one.word)]
    if member.where in {"body", "text"}:
        # In a content it is the very member that a record has.
        same = [one for one in versions if place_of(one) == place_of(member)]
        return same[0] if same and place_of(member) not in {place_of(one) for one in held} else None
    for words in (words_of, telling_words):
        wanted = words(member.word)
        if any(words(one.word) & wanted for one in held):
            return None
        named = [one for one in versions if words(one.word) & wanted]
        if len(named) == 1:
            return named[0]
    return None


def _shown_before(traffic: Traffic, write: Step, member: Member) -> tuple[Member | None, int]:
    """Return where answers show what a value of a write is, and how sure that is."""
    for read in reversed(traffic.before(write)):
        if read.header("etag") is not None and not traffic.took(write):
            # Where answers have a tag, another token counts only if the service took it once.
            continue
        found = _sources(read, member)
        if found and not traffic.took(write) and says_outdated(write):
            meant = _called_alike(read, member, found)
            if meant is not None:
                return meant, _NAMED
        if found:
            ranked = [(one, rank) for one in found[:_PLACES] if (rank := _rank(traffic, write, member, one))]
            return ranked[0] if ranked else (None, 0)
    if (held := _echoed_source(traffic, write, member)) is not None:
        return held, _PROVEN
    if (held := passed_over(traffic, write, member)) is not None:
        return held, _NAMED
    source, rank = _unshown(traffic, write, member)
    damaged = _damaged_source(traffic, write, member) if source is None else None
    return (damaged, _LIKELY) if damaged is not None else (source, rank)


_Key = tuple[tuple[str, str], tuple[str, str] | None]


def habits(
    traffic: Traffic, meant: Callable[[Traffic, Step, Member, Member], bool] | None = None
) -> list[Habit]:
    """Return where the requests of a service carry versions, the surest place first.

    Args:
        traffic: of the service.
        meant: tells whether a value of a write, shown by an earlier answer, counts; all do when left out.
    """
    ranks: dict[_Key, int] = {}
    votes: Counter[_Key] = Counter()
    values: dict[_Key, set[str]] = {}
    seen: dict[_Key, Habit] = {}
    for write in traffic.writes:
        mark = asks_for_news(write)
        for member, path in (one for one in traffic.carried(write) if not mark or one[0].word != mark):
            # An address says where a thing is, and is spelled as the reader came by.
            source, rank = _shown_before(traffic, write, member) if "://" not in member.value else (None, 0)
            if not rank or coined(traffic, write, member):
                continue
            if meant is not None and (source is None or not meant(traffic, write, member, source)):
                continue
            key = place_of(member), place_of(source) if source is not None else None
            ranks[key] = max(rank, ranks.get(key, 0))
            votes[key] += 1
            values.setdefault(key, set()).add(member.value)
            seen.setdefault(key, Habit(member, source, path))
    # Two values that meet in two places, and go on in both, do not meet by chance.
    good = [key for key in votes if ranks[key] > _MET or len(values[key]) > 1]
    good.sort(key=lambda key: (key[1] is None, -ranks[key], -votes[key]))
    if not good:
        return []
    named = [key for key in good if ranks[key] == _NAMED]
    chosen = named[:3] or [key for key in good if key[0] == good[0][0]][:3]
    return [seen[key] for key in chosen]
