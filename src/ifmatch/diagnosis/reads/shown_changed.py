"""Find 304s to a date of nobody's answers that another tag, or a list of such things, shows to be wrong."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from ifmatch.diagnosis.links.in_time import back_from
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.dates import http_date, instant
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.reads.listed_changes import entries_beside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.reading.listed_records import Record
    from ifmatch.diagnosis.steps.step import Step


def shown_changed(history: History, step: Step) -> Step | None:
    """Return a 304 to a date whose own tag is another one than that of what its reader has, None for others.

    Args:
        history: of the resource, in order of time.
        step: an answer to a read under a date.

    Source: RFC 9110 section 15.4.5 (a 304 has the ETag that a 200 would have).
    """
    had = _had(history, step)
    return step if had is not None and _other_tag(had, step) and not _back_again(history, had, step) else None


def listed_later(case: Case, history: History, step: Step) -> tuple[Step, float] | None:
    """Return the list that has a thing as changed later than what its reader has, before a 304, and when.

    Args:
        case: everything known.
        history: of the resource, in order of time.
        step: an answer to a read under a date.
    """
    had = _had(history, step)
    return _by_list(case, had, step) if had is not None else None


def _had(history: History, step: Step) -> Step | None:
    """Return the look by which a reader has what a 304 to a date tells to be current, None for other answers.

    The date stands in no answer, and lies later than that of the version which the reader has: under one that
    was served, a change of the very second may slip through.
    """
    condition = step.condition(Guard.DIFFERENT_DATE)
    sent = http_date(condition.value) if condition is not None else None
    if step.status != HTTPStatus.NOT_MODIFIED or sent is None or step.date is None or step.cache_marked:
        return None
    if step.condition(Guard.DIFFERENT) is not None:
        return None
    if any(sent in {one.last_modified, one.date} for one in history):
        return None
    looks = history.represented.get(step.actor, ())
    had = next((one for one in back_from(looks, step.order) if one.status == HTTPStatus.OK), None)
    if had is None or had.last_modified is None or had.variant != step.variant or had.cache_marked:
        return None
    return had if had.last_modified < sent else None


def _other_tag(had: Step, step: Step) -> bool:
    """Tell whether two answers have tags of one making that name two versions."""
    one, two = tokens.base(had.etag or ""), tokens.base(step.header("etag") or "")
    if not one or not two or one.startswith(two) or two.startswith(one):
        return False
    return tokens.shape(one) == tokens.shape(two)


def _back_again(history: History, had: Step, step: Step) -> bool:
    """Tell whether the tag of a 304 was there before, or the old one came back: nodes have their own tags."""
    mine, other = tokens.base(had.etag or ""), tokens.base(step.header("etag") or "")
    for one in history:
        tag = tokens.base(one.etag or "")
        if (one.order < had.order and tag == other) or (one.order > step.order and tag == mine):
            return True
    return False


def _by_list(case: Case, had: Step, step: Step) -> tuple[Step, float] | None:
    """Return the list that has the thing with a later change than the reader's, made before the 304."""
    if had.last_modified is None or step.date is None:
        return None
    for one, record in entries_beside(case, had, step):
        for moment in _changes(record):
            if had.last_modified < moment < step.date:
                return one, moment
    return None


def _changes(record: Record) -> Iterator[float]:
    """Yield when an entry says that its thing was changed last, cut to the second as dates of answers are."""
    for name, value in record.items():
        if called_version(name.rpartition("/")[2]) and (moment := instant(value)) is not None:
            yield float(int(moment))
