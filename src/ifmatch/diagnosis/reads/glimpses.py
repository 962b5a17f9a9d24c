"""Find looks at the version alone, and lists, that show what a look at the content does not show yet.

HEAD and PROPFIND ask for a tag and a date. Caches keep answers to GET, what a balancer sends to a replica is
told by its method, and lists are kept for themselves: a glimpse may come from the origin where the look
beside it does not.
"""

from __future__ import annotations

from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ifmatch.diagnosis.links.in_time import back_from, between, on_from
from ifmatch.diagnosis.links.likeness import shows
from ifmatch.diagnosis.links.linked_writes import own_name
from ifmatch.diagnosis.links.listed_versions import may_list
from ifmatch.diagnosis.links.values_by_name import state_sent, state_shown
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.dates import http_date
from ifmatch.diagnosis.reading.listed_records import records_in
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.reads.shared_seconds import names_thing
from ifmatch.diagnosis.steps.multistatus_contents import LONGEST, MULTI_STATUS, Told, entries_in
from ifmatch.diagnosis.steps.resources import bare, path_of
from ifmatch.model.places import joined

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step

# What asks for the version and shows no content (RFC 9110 section 9.3.2, RFC 4918 section 9.1).
_VERSION_ONLY: Final = frozenset({"HEAD", "PROPFIND"})
_SHOWN: Final = frozenset({200, MULTI_STATUS})
# So many steps after a write are looked through.
_NEAR: Final = 40
# Seconds in which nobody has put back what was there.
_SOON: Final = 5.0
# Longer lists are data, and shorter names stand in one by chance.
_LONGEST: Final = 200_000
_NAME: Final = 2
# Seconds after which a replica has caught up.
_LONG: Final = 120.0


def glimpsed(history: History, write: Step, look: Step, old: str | None) -> Step | None:
    """Return a glimpse by which the version after a write was there when a look still showed the older one.

    Args:
        history: of the resource, or what of it is near.
        write: accepted.
        look: after it, by the same reader.
        old: the tag that the look shows, or asks with.
    """
    if old is None or not look.follows(write):
        return None
    for one in islice(on_from(history, write.order), _NEAR):
        if one.is_write and one.accepted:
            return None
        if not _glances(one) or one.actor != look.actor or not _another(tag_shown(one), old):
            continue
        if write.etag is not None and _another(tag_shown(one), write.etag):
            continue
        if _there_by(one, look):
            return one
    return None


def listed_anew(case: Case, write: Step, look: Step) -> Step | None:
    """Return a list that has the thing as a write made it, by its version or its values, when a look had not.

    Args:
        case: everything known.
        write: accepted.
        look: after it, by the same reader, which shows the state before.
    """
    name, path = own_name(write), unquote(path_of(bare(write.resource)))
    if len(name) < _NAME:
        return None
    was, wanted = state_shown(look), state_sent(write)
    changed = {word: value for word, value in wanted.items() if was.get(word, value) != value}
    for one in case.steps[write.order + 1 : look.order + _NEAR]:
        content = one.content if one.actor == look.actor and shows(one) and not one.cache_hit else None
        if one.resource == look.resource and one.is_write and one.accepted:
            return None
        if content is None or len(content) > _LONGEST or name not in content.text or not may_list(one, write):
            continue
        if one.order > look.order and not (look.cache_hit and one.start - look.end <= _SOON):
            continue
        for record in records_in(content.text):
            if names_thing(record.values(), name, path) and _as_made(record, changed, write, look):
                return one
    return None


def _as_made(record: Mapping[str, str], changed: Mapping[str, str], write: Step, look: Step) -> bool:
    """Tell whether an entry of a list has another version than a look, or a value that a write has made."""
    held = {word.rpartition("/")[2]: value for word, value in record.items()}
    if any(held.get(word) == value for word, value in changed.items()):
        return True
    old = look.etag or ""
    return any(
        called_version(word)
        and _another(value, old)
        and (write.etag is None or not _another(value, write.etag))
        for word, value in held.items()
    )


def glimpsed_before(history: History, step: Step, condition: Condition) -> Step | None:
    """Return a glimpse that shows the version named by a read's condition to be replaced when it got its 304.

    It was changed after the reader had been shown the named version: at a time that the glimpse tells, or by
    the reader's own write.

    Args:
        history: of the resource, or what of it is near.
        step: a 304 to a tag.
        condition: that names the tag, or several.
    """
    named = condition.tokens
    if condition.guard is not Guard.DIFFERENT or not condition.well_formed:
        return None
    if "glances" not in history.kept:
        history.kept["glances"] = any(_glances(one) for one in history)
    if not history.kept["glances"]:
        return None
    mine = history.by_actor.get(step.actor, ())
    shown = {tokens.base(tag) for tag in named}
    had = next((one for one in back_from(mine, step.order) if _gave(one, shown)), None)
    if had is None:
        return None
    for one in islice(on_from(mine, had.order), _NEAR):
        if not _glances(one) or not all(_another(tag_shown(one), tag) for tag in named):
            continue
        changed, then = changed_at(one), had.last_modified
        if changed is not None and then is not None and step.date is not None and then < changed < step.date:
            return one
        if one.order < step.order and _written_by(between(mine, had.order, one.order)):
            return one
    return None


def caught_up_after(history: History, step: Step) -> Step | None:
    """Return the own later answer to the very question of a 304 that shows another version, None without it.

    Nothing was written in between: who answered with 304 did not have that version yet. Who named its tag
    in the 304 had it (RFC 9110 section 15.4.5), and another question, such as one without the date, may get
    another answer of the same server.

    Args:
        history: of the resource.
        step: a 304 to a tag.
    """
    asked = step.condition(Guard.DIFFERENT)
    if asked is None or not step.timed:
        return None
    also = _beside(step)
    for one in islice(on_from(history.by_actor.get(step.actor, ()), step.order), _NEAR):
        again = one.condition(Guard.DIFFERENT)
        if again is None or again.tokens != asked.tokens or one.status != HTTPStatus.OK or one.etag is None:
            continue
        if step.etag is not None and tokens.base(step.etag) == tokens.base(one.etag):
            return None
        if _beside(one) != also:
            continue
        late = one.start - step.end > _LONG or history.written_between(step, one)
        return None if late or any(not _another(one.etag, tag) for tag in asked.tokens) else one
    return None


def without_date(history: History, step: Step) -> Step | None:
    """Return the own answer that gave another version to a tag alone, where the date beside it made a 304.

    Nothing was written in between, as far as is seen.

    Source: RFC 9110 section 13.1.3 (If-Modified-Since counts for nothing beside If-None-Match).

    Args:
        history: of the resource.
        step: a 304 to a tag and a date.
    """
    asked = step.condition(Guard.DIFFERENT)
    if asked is None or not _beside(step) or not step.timed:
        return None
    mine = history.by_actor.get(step.actor, ())
    for one in (*islice(back_from(mine, step.order), _NEAR), *islice(on_from(mine, step.order), _NEAR)):
        again = one.condition(Guard.DIFFERENT)
        if again is None or again.tokens != asked.tokens or one.status != HTTPStatus.OK or one.etag is None:
            continue
        if _beside(one) or abs(one.start - step.start) > _LONG or one.cache_hit:
            continue
        early, late = sorted((one, step), key=lambda each: each.order)
        if history.written_between(early, late):
            continue
        if all(_another(one.etag, tag) for tag in asked.tokens):
            return one
    return None


def _beside(step: Step) -> tuple[str, ...]:
    """Return the dates that a read asks with beside its tags."""
    return tuple(one.value.strip() for one in step.conditions if one.guard is Guard.DIFFERENT_DATE)


def _gave(step: Step, shown: set[str]) -> bool:
    """Tell whether an answer showed its reader the content of one of the tags."""
    return step.representation is not None and tokens.base(step.etag or "") in shown


def _written_by(steps: Sequence[Step]) -> bool:
    return any(one.changes and one.method != "DELETE" for one in steps)


def glances(step: Step) -> bool:
    """Tell whether a step shows which version is there, and not what it holds.

    Args:
        step: any.
    """
    return step.method in _VERSION_ONLY and step.status in _SHOWN


def _glances(step: Step) -> bool:
    return glances(step) and not step.cache_hit and tag_shown(step) is not None


def _another(tag: str | None, old: str) -> bool:
    """Tell whether a tag is another one of the same making, however its quotes and its weakness are."""
    if tag is None:
        return False
    one, two = (tokens.opaque(tokens.base(each)) for each in (tag, old))
    return one != two and tokens.shape(one) == tokens.shape(two)


def _there_by(glimpse: Step, look: Step) -> bool:
    """Tell whether what a glimpse shows was there when a look was answered: seen before, or dated before."""
    if glimpse.order < look.order:
        changed, shown = changed_at(glimpse), look.last_modified
        later = changed is not None and shown is not None and shown < changed
        return later or (look.timed and look.start - glimpse.end <= _SOON)
    changed, answered = changed_at(glimpse), look.date
    if changed is not None and answered is not None:
        return changed < answered or (look.cache_hit and changed <= answered)
    return look.cache_hit and look.timed and glimpse.start - look.end <= _SOON


def changed_at(step: Step) -> float | None:
    """Return when the thing was changed last, as an answer about its version has it, None where it tells not.

    Args:
        step: a glimpse.
    """
    if step.last_modified is not None:
        return step.last_modified
    return http_date(told_of_itself(step).get("Last-Modified", ""))


def tag_shown(step: Step) -> str | None:
    """Return the tag that an answer about the version of a thing gives for it, None without one.

    Args:
        step: a glimpse.
    """
    if step.etag is not None:
        return step.etag
    told = _told(step)
    return told.tag or None if told is not None else None


def told_of_itself(step: Step) -> dict[str, str]:
    """Return what a multi-status answer tells of the very thing that was asked for, as fields of an answer.

    Args:
        step: a glimpse.
    """
    told = _told(step)
    return told.fields if told is not None else {}


def _told(step: Step) -> Told | None:
    if step.status != MULTI_STATUS or step.content is None or len(step.content) > LONGEST:
        return None
    url = step.exchange.request.url
    here = path_of(url).rstrip("/")
    entries = entries_in(step.content.text)
    return next((told for href, told in entries if path_of(joined(url, href)).rstrip("/") == here), None)
