"""Find writes that were answered with success, and of which no later look at the thing shows anything.

Whatever the answer says: where the values that a write was to change are as before, and so is the version, or
another change alone moved it on, the write was not carried out. Looks out of caches, looks that a later one
corrects, and work that was only taken in say nothing of the kind.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote, urlsplit

from ifmatch.diagnosis.links.listed_versions import may_list
from ifmatch.diagnosis.links.values_by_name import state_sent, state_shown
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.listed_records import records_in
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.message_members import shown
from ifmatch.diagnosis.steps.refusal_words import says_done, says_waiting
from ifmatch.diagnosis.steps.resources import bare, host_of, last_step, path_of
from ifmatch.model.grouped import grouped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.steps.step import Step

_OK: Final = 200
# What has been made is there, and what was only taken in may come yet.
_SUCCESS: Final = frozenset({200, 204, 303})
_TAKEN_IN: Final = 202
_CHANGING: Final = frozenset({"PUT", "PATCH", "POST", "MERGE"})
_MOST: Final = 200
# So many looks at a thing are compared.
_LOOKS: Final = 12
_REFUSED: Final = 400
# What shows the version and not the content.
_GLANCES: Final = frozenset({"HEAD", "PROPFIND"})
_NAME: Final = 2
# Shorter values stand in a text by chance.
_TELLING: Final = 4


def take_untraced(steps: Sequence[Step]) -> None:
    """Set for each write that left no trace the look that shows it.

    Args:
        steps: of a case, in order of time, nothing read from them yet.
    """
    places = grouped((_place(step), step) for step in steps)
    for near in places.values():
        for number, step in enumerate(near):
            if step.method in _CHANGING and step.is_write and (step.status in _SUCCESS or _ended(step)):
                begin = number + 1
                if step.seen.account_at is not None and step.status == _TAKEN_IN:
                    # What was looked at before the work had ended shows nothing of it.
                    told = bisect_right(near, step.seen.account_at.order, key=lambda one: one.order)
                    begin = max(begin, told)
                before, after = near[max(0, number - _LOOKS) : number], near[begin : begin + _MOST]
                look = _untraced(before, step, after)
                if look is not None and not _shown_elsewhere(steps, step, look):
                    step.seen.no_trace = look


def take_by_versions(steps: Sequence[Step]) -> None:
    """Look again at the writes that seem to have left no trace, once families tell where versions stand.

    Args:
        steps: of a case, in order of time, their dialects set.
    """
    told = [one for one in steps if one.seen.no_trace is not None and one.dialect is not None and one.etag]
    if told:
        for one in told:
            one.seen.no_trace = None
        take_untraced(steps)
        for one in told:
            one.forget()


def _ended(step: Step) -> bool:
    """Tell whether work that was only taken in has ended, as its last account tells, and was not done."""
    if step.status != _TAKEN_IN or step.seen.account_at is None:
        return False
    return not (says_waiting(step.seen.account) or says_done(step.seen.account))


def _place(step: Step) -> str:
    """Return what a thing is found by, whatever view of it is asked for."""
    url = step.exchange.request.url
    return host_of(url) + urlsplit(url).path.rstrip("/")


def _untraced(before: Sequence[Step], write: Step, after: Sequence[Step]) -> Step | None:
    """Return the next look at a thing that shows that a write came to nothing, None without one."""
    base = next((one for one in reversed(before) if _looks(one)), None)
    if base is None or _sends_back(base, write):
        return None
    if _moved(base, write) and not _by_another(base, write):
        return None
    was, wanted = state_shown(base), state_sent(write)
    changes = {word: value for word, value in wanted.items() if was.get(word, value) != value}
    if not changes or _tells_of(write, changes):
        return None
    told = state_shown(write)
    denied = all(told.get(word) == was[word] for word in changes) and _by_another(base, write)
    denied = denied and not _shows_anew(base, write, wanted)
    if (_moved(base, write) or _counted_on(base, write)) and not denied:
        return None
    look: Step | None = None
    glanced = False
    for one in after:
        glanced = glanced or (one.method in _GLANCES and _tagged_anew(base, one))
        if one.is_write and one.method in _CHANGING:
            if one.status >= _REFUSED:
                continue
            again = state_sent(one)
            if any(again.get(word) == was[word] for word in changes):
                # It may have put back what was there.
                return look
            if look is not None and any(again.get(word) == value for word, value in changes.items()):
                return look
        elif _looks(one):
            there = state_shown(one)
            if any(there.get(word) == value for word, value in changes.items()):
                return None
            if glanced and one.etag == base.etag:
                # The version had been another one by then: the look is out of a copy, or a replica.
                return None
            if all(there.get(word) == was[word] for word in changes) and look is None:
                look = one if not _moved(base, one) or _by_another(base, one) else None
    return look


def _tagged_anew(base: Step, one: Step) -> bool:
    """Tell whether a look at the version alone shows another tag of the same making than a look before."""
    if base.etag is None or one.etag is None or one.cache_hit:
        return False
    old, new = tokens.opaque(base.etag), tokens.opaque(one.etag)
    return old != new and tokens.shape(old) == tokens.shape(new)


def _shown_elsewhere(steps: Sequence[Step], write: Step, look: Step) -> bool:
    """Tell whether a list had the thing as it was sent before a look at the thing itself had it as before.

    Args:
        steps: of a case, in order of time.
        write: that is to have left no trace.
        look: that shows nothing of it.
    """
    name, path = last_step(write.resource), unquote(path_of(bare(write.resource)))
    begin = bisect_right(steps, write.order, key=lambda one: one.order)
    old, wanted = state_shown(look), state_sent(write)
    changes = {word: value for word, value in wanted.items() if old.get(word, value) != value}
    for one in steps[begin : begin + _LOOKS]:
        if one is look or len(name) < _NAME:
            return False
        if not _looks(one) or one.resource == look.resource or name not in one.view.text:
            continue
        if not may_list(one, write):
            continue
        for record in records_in(one.view.text):
            if name not in record.values() and path not in record.values():
                continue
            if any(record.get(word) == value for word, value in changes.items()):
                return True
    return False


def _sends_back(base: Step, write: Step) -> bool:
    """Tell whether a write carries just what a look had shown: it changes nothing."""
    body = write.view.sent_json
    return isinstance(body, dict) and cast("object", body) == base.view.json


def edits(look: Step, write: Step) -> bool:
    """Tell whether what a write carries is an edit of what a look shows: its members are mostly those there.

    Args:
        look: at the thing.
        write: to it.
    """
    there, wanted = state_shown(look), state_sent(write)
    return 2 * len(there.keys() & wanted.keys()) > len(wanted)


def _looks(step: Step) -> bool:
    return step.method == "GET" and step.status == _OK and step.content is not None and not step.cache_hit


def _tells_of(write: Step, changes: dict[str, str]) -> bool:
    """Tell whether an answer repeats what was to be changed, as one that did it does."""
    there = state_shown(write)
    return any(there.get(word) == value for word, value in changes.items())


def _shows_anew(base: Step, write: Step, wanted: dict[str, str]) -> bool:
    """Tell whether an answer has, wherever it keeps it, a value that was sent and was not there before."""
    before, after = base.view.text, write.view.text
    return any(len(value) >= _TELLING and value in after and value not in before for value in wanted.values())


def _versions(step: Step) -> dict[str, str]:
    """Return what an answer shows that names the version of the thing."""
    found = {one.word: one.value for one in shown(step) if called_version(one.word)}
    # Where the family is known, so is where else it gives out the version.
    tag = step.header("etag") if step.dialect is None else step.etag
    return found if tag is None else {**found, "etag": tokens.opaque(tag)}


def _moved(base: Step, step: Step) -> bool:
    """Tell whether an answer shows another version than a look before."""
    old, new = _versions(base), _versions(step)
    return any(new.get(word, value) != value for word, value in old.items())


def _counted_on(base: Step, write: Step) -> bool:
    """Tell whether an answer has what was shown, and sent back as it was, one further: it was carried out."""
    was, mine, told = state_shown(base), state_sent(write), state_shown(write)
    return any(
        mine.get(word) == value and tokens.steps_on(value, told[word]) == 1
        for word, value in was.items()
        if word in told and value.isdigit()
    )


def _by_another(base: Step, look: Step) -> bool:
    """Tell whether one change alone was made between two looks, of other members."""
    old, new = _versions(base), _versions(look)
    if all(tokens.steps_on(old[word], new[word]) != 1 for word in old.keys() & new.keys()):
        return False
    was, there = state_shown(base), state_shown(look)
    return any(there.get(word, value) != value for word, value in was.items())
