"""Find looks that show what had been there before their reader's own write: out of a copy, or a replica."""

from __future__ import annotations

import re
from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.links.in_time import back_from, on_from
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.cache_marks import asks_past
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import ABSENT, changed_pointers, holds, same_content, value_at
from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.reading.projections import is_view
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.reads.glimpses import glimpsed, listed_anew
from ifmatch.diagnosis.reads.loose_reads import asks_loosely, reached_less
from ifmatch.model.diagnosis import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step

# What is only accepted for later is rightly not there yet.
_DONE: Final = frozenset({200, 201, 204})
# Seconds after which a replica has caught up: what is as it was then was mostly put back.
_SOON: Final = 120.0
# Seconds in which nobody takes back what was just stored, and stores it anew.
_AT_ONCE: Final = 2.0
# Seconds around a write in which a time that its answer tells is that of the write.
_ABOUT: Final = 60.0
# By so much the time of a file and that of the answer that made it lie apart.
_TICK: Final = 1.0
# So many steps after a look another one is looked for that shows the write.
_NEAR: Final = 60
# A shorter value stands in any content.
_SHORT: Final = 2
# A shorter version stands in any answer.
_TELLING: Final = 5
# Longer texts are data.
_LONG: Final = 20_000
# A text of fewer words is hardly the same but for one.
_LEAST: Final = 4
_WORD: Final = re.compile(r"[\w.:-]+")
# So many members of two states are compared.
_FEW: Final = 12
# So many writes of one actor are looked at.
_MOST: Final = 200


def old_looks(case: Case, history: History) -> Iterator[tuple[Step, Damage]]:
    """Yield for each writer the first look after an own write that shows the state before it once more.

    The write has to be seen later, as it was made, or its version before: else somebody may have put the old
    state back.

    Args:
        case: everything known.
        history: of one resource, in order of time.
    """
    done: set[str] = set()
    tried: Counter[str] = Counter()
    for write in history.writes:
        if write.actor in done or write.method == "DELETE" or write.status not in _DONE or not write.timed:
            continue
        tried[write.actor] += 1
        if tried[write.actor] > _MOST:
            continue
        near = history.around(write)
        looks = near.represented.get(write.actor, ())
        before = next((one for one in back_from(looks, write.order) if _shows(one, write)), None)
        if before is None or asks_past(before.sent):
            # Who asks the origin before each edit knows that a copy may be old, and works with none.
            continue
        for look in _after(case, near, write):
            if look.is_write and look.accepted:
                break
            if not _old(before, write, look):
                continue
            later = next((one for one in _looks_after(case, look) if _made(before, write, one)), None)
            later = later or _counted_on(case, write, look)
            seen = glimpsed(near, write, look, look.etag) or listed_anew(case, write, look)
            if later is None or not (seen is not None or _told(case, write, look, later)):
                later = seen
            if later is not None:
                done.add(write.actor)
                if _refused_after(near, look):
                    # The refusal tells of the look as where its version came from.
                    break
                text = "the look after an own write showed what had been there before it"
                yield look, Damage(Outcome.WRONG_CONTENT, text, lost=later, first=write, behind=look)
                break


def _after(case: Case, near: History, write: Step) -> Iterator[Step]:
    """Yield what comes after a write: at its resource, or else the looks at views of it, by its path."""
    own = on_from(near, write.order)
    if (first := next(own, None)) is not None:
        yield first
        yield from own
    if first is not None or write.etag is None:
        return
    path = write.resource.partition("?")[0]
    for one in case.steps[write.order + 1 : write.order + _NEAR]:
        view = one.is_read and one.resource.startswith(f"{path}?") and one.etag is not None
        if view and all(is_view(name) for name in one.view.query):
            yield one


def _refused_after(near: History, look: Step) -> bool:
    """Tell whether the reader's next write named the version that an old look showed, and was refused."""
    mine = (one for one in on_from(near, look.order) if one.actor == look.actor and one.is_write)
    first = next(mine, None)
    return first is not None and first.refused and look.etag is not None and first.presents(look.etag)


def _shows(one: Step, write: Step) -> bool:
    return (
        one.actor == write.actor
        and one.is_read
        and one.status == HTTPStatus.OK
        and one.representation is not None
    )


def _old(before: Step, write: Step, look: Step) -> bool:
    """Tell whether a look after a write shows the very state that its writer had read before."""
    if not _shows(look, write) or look.start < write.end or look.variant != before.variant:
        return False
    if look.etag != before.etag or not same_content(look.representation, before.representation):
        return False
    # A write that changes nothing leaves what was there.
    return not holds(look.representation, write.body) and not same_content(write.made, look.representation)


def _looks_after(case: Case, look: Step) -> Iterator[Step]:
    """Yield what the same reader was shown of the same thing afterwards, at whatever consistency.

    Where it is told that its version is current, or writes on it, that version is there as well.
    """
    path = look.resource.partition("?")[0]
    for one in case.steps[look.order + 1 : look.order + _NEAR]:
        if one.resource.partition("?")[0] != path:
            continue
        said = one.actor == look.actor and not _shows(one, look) and _confirmed(one)
        if not _shows(one, look) and (not said or (one.is_write and (look.cache_hit or look.age))):
            # Who writes on a version does not work with what a cache has shown of it.
            continue
        if one.resource == look.resource or not any(is_view(name) for name in one.view.query):
            yield one


def _confirmed(one: Step) -> str:
    """Return the one version that an answer says is there: by a 304 to it, or by a write that it lets pass.

    A copy that is kept somewhere answers 304 too: marks of one are looked for elsewhere.
    """
    if one.status == HTTPStatus.NOT_MODIFIED and one.is_read:
        asked = one.condition(Guard.DIFFERENT)
        alone = asked is not None and len(asked.tokens) == 1 and asked.well_formed
        return one.etag or (asked.tokens[0] if asked is not None and alone else "")
    guard = one.guard
    if guard is None or guard.guard is not Guard.SAME or not one.accepted or not guard.of_one:
        return ""
    return guard.tokens[0]


def _counted_on(case: Case, write: Step, look: Step) -> Step | None:
    """Return the reader's next write, whose answer counts on from an own write that a look did not show.

    A count that is called a version goes back in the look, and on from the write in the next answer: nobody
    had put back the old state.
    """
    made, shown = write.made, look.representation
    for pointer in (changed_pointers(shown, made) or ()) if look.timed and not look.cache_hit else ():
        if not called_version(pointer.rpartition("/")[2]):
            continue
        old, mine = value_at(shown, pointer), value_at(made, pointer)
        for one in case.steps[look.order + 1 : look.order + _NEAR]:
            if one.actor != look.actor or one.resource != look.resource or not one.accepted:
                continue
            new, sent = value_at(one.made, pointer), value_at(one.body, pointer)
            return (
                one if sent == mine and _counts(old, mine, new) and look.start - write.end <= _SOON else None
            )
    return None


def _counts(old: object, mine: object, new: object) -> bool:
    return isinstance(old, int) and isinstance(mine, int) and isinstance(new, int) and old < mine < new


def _tag_of(later: Step) -> str | None:
    """Return the version that a later answer shows, or says is there."""
    return _confirmed(later) or later.etag


def _made(before: Step, write: Step, later: Step) -> bool:
    """Tell whether a look shows what a write made, under the version that it was told."""
    if said := _confirmed(later):
        return write.etag is not None and tokens.opaque(tokens.base(write.etag)) == tokens.opaque(
            tokens.base(said)
        )
    if write.etag is not None and later.etag is not None:
        return tokens.base(write.etag) == tokens.base(later.etag)
    if same_content(write.made, later.representation) or holds(later.representation, write.body):
        return True
    if _texts_but_version(before, write, later) is not None:
        return True
    # The count of the versions, whatever it is called, may be carried as it was read.
    edits = [
        (value_at(write.body, one), value_at(later.representation, one))
        for one in changed_pointers(before.representation, write.body) or ()
        if one and value_at(write.body, one) is not ABSENT
    ]
    return bool(edits) and all(sent == shown for sent, shown in edits)


def _told(case: Case, write: Step, look: Step, later: Step) -> bool:
    """Tell whether marks of a cache, other machines or the count of the versions say why a look is old."""
    if look.cache_hit or look.age:
        return look.age > look.start - write.end or later.start - look.start <= _SOON
    if look.start - write.end > _SOON:
        return False
    if later.is_write and not _confirmed(later):
        # Its answer counts on from the write.
        return True
    if look.machine and look.machine != (write.machine or look.machine):
        return True
    if _there_by_then(look, later):
        return True
    made, shown = write.etag or "", look.etag or ""
    if tokens.counted_on(shown, made) or _untouched(write, look, later):
        return True
    if asks_loosely(look):
        # Who takes an old state into account does nothing with it before the new one is there.
        return _made_use_of(case, write, look, later)
    if _at_once(write, look, later) or _named_later(case, write, look, later):
        return True
    return reached_less(write, look) is not None


def _there_by_then(look: Step, later: Step) -> bool:
    """Tell whether the state that a later look shows is older than an earlier look, which lacks it."""
    changed, answered = later.last_modified, look.date
    if changed is None or answered is None or look.last_modified is None:
        return False
    return look.last_modified < changed < answered


def _texts_but_version(look: Step, write: Step, later: Step) -> tuple[str, str] | None:
    """Return the count in which alone a sent text and a shown one differ, as it was read and as it is now."""
    old, sent, shown = look.representation, write.body, later.representation
    if old is None or sent is None or shown is None:
        return None
    if len(sent) > _LONG or abs(len(sent) - len(shown)) > _TELLING:
        return None
    words = [_WORD.findall(one.text) for one in (sent, shown)]
    if len(words[0]) != len(words[1]) or len(words[0]) < _LEAST:
        return None
    pairs = {(one, two) for one, two in zip(*words, strict=True) if one != two}
    if len(pairs) != 1:
        return None
    one, two = pairs.pop()
    return (one, two) if one in _WORD.findall(old.text) and _goes_on(one, two) else None


def _made_use_of(case: Case, write: Step, look: Step, later: Step) -> bool:
    """Tell whether the reader wrote down elsewhere what an old look showed, before it saw the new."""
    old = look.representation
    values = {
        str(value)
        for pointer in changed_pointers(old, write.made) or ()
        if isinstance(value := value_at(old, pointer), str | int | float) and len(str(value)) > _SHORT
    }
    if not values:
        return False
    whole = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, sorted(values)))})(?![\w.])")
    return any(
        one.actor == look.actor and one.is_write and one.accepted and whole.search(one.view.sent_text)
        for one in case.steps[look.order + 1 : later.order]
    )


def _at_once(write: Step, look: Step, later: Step) -> bool:
    """Tell whether a look came too soon for anybody to have put back the old version, and then the new."""
    there = _tag_of(later)
    if write.etag is None or look.etag is None or there is None:
        return False
    again = tokens.base(there) == tokens.base(write.etag) != tokens.base(look.etag)
    return again and look.start - write.end < _AT_ONCE


def _named_later(case: Case, write: Step, look: Step, later: Step) -> bool:
    """Tell whether an old look has a version that can only go on, and the next one is that of the write.

    The answer to the write names it somewhere, or nothing else was written until it was seen, and the reader
    had taken the old one for what is there: who puts back what was there gives it a version of its own.
    """
    pairs = [pair for pair in _versions(write, look, later) if _goes_on(*pair)]
    fields = write.exchange.response.fields if write.exchange.response is not None else ()
    told = [write.view.text, *(value for _, value in fields)]
    for _, new in pairs:
        whole = re.compile(rf"(?<![\w-]){re.escape(new)}(?![\w-])")
        if len(new) >= _TELLING and new not in write.view.sent_text and any(map(whole.search, told)):
            return True
    if not pairs or look.etag is None:
        return False
    between = case.steps[write.order + 1 : later.order]
    alone = not any(one.is_write and one.resource == write.resource for one in between)
    return alone and _made_use_of(case, write, look, later)


def _versions(write: Step, look: Step, later: Step) -> list[tuple[str, str]]:
    """Return what may be the versions of two states: their tags, and without tags the members that differ."""
    there = _tag_of(later)
    if look.etag is not None or there is not None:
        return [(tokens.opaque(look.etag or ""), tokens.opaque(there or ""))]
    old, new = look.representation, later.representation
    if (pair := _texts_but_version(look, write, later)) is not None:
        return [pair]
    pointers = [one for one in changed_pointers(old, new) or () if one][:_FEW]
    pairs = ((value_at(old, one), value_at(new, one)) for one in pointers)
    return [(str(one), str(two)) for one, two in pairs if _plain(one) and _plain(two)]


def _plain(value: object) -> bool:
    return isinstance(value, str | int)


def _goes_on(old: str, new: str) -> bool:
    """Tell whether a version is a count, or a time, and another one a later of its kind."""
    if old.isdigit() and new.isdigit():
        return int(old) < int(new)
    moments = told_moment(old), told_moment(new)
    if moments[0] is not None and moments[1] is not None:
        return moments[0] < moments[1]
    return tokens.steps_on(old, new) > 0


def _untouched(write: Step, look: Step, later: Step) -> bool:
    """Tell whether a later look has the very time of the write: nobody had put back the old state between."""
    then, old = write.last_modified, look.last_modified
    if then is not None and old is not None:
        return old < then == later.last_modified
    stored = later.last_modified
    if write.etag is not None and stored is not None and old is not None and write.date is not None:
        # The answer to a write may have no date, and the state has it later.
        named = later.etag is not None and tokens.base(later.etag) == tokens.base(write.etag)
        return named and old < stored and abs(stored - write.date) <= _TICK
    for pointer in changed_pointers(look.representation, write.made) or ():
        value = value_at(write.made, pointer)
        moment = told_moment(value) if isinstance(value, str) else None
        if moment is not None and abs(moment - (write.date or write.start)) <= _ABOUT:
            return value == value_at(later.representation, pointer)
    return False
