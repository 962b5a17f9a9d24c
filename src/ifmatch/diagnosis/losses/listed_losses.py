"""Find writes made from a version that a list had shown their client to be replaced."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.links.likeness import edit_of
from ifmatch.diagnosis.links.linked_writes import own_name
from ifmatch.diagnosis.losses.listed_rows import moved_on, of_another_size, rows_of
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.diagnosis.reading.dates import shown
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.model.diagnosis import Outcome

if TYPE_CHECKING:
    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.losses.listed_rows import Row
    from ifmatch.diagnosis.steps.step import Step

_LONGEST: Final = 50_000
_FAILED: Final = 500
# So many lists before a look are asked whether they had shown a version.
_FEW: Final = 5


def listed_over(case: Case, history: History, step: Step) -> Damage | None:
    """Find a condition that was accepted after a list had shown its client a later version of the thing.

    Args:
        case: everything known.
        history: of the resource.
        step: an accepted write on one version, or on the date of one.
    """
    guard = step.guard
    if guard is None or guard.guard not in {Guard.SAME, Guard.SAME_DATE} or not guard.tokens:
        return None
    known = [
        one
        for one in history
        if one.order < step.order and one.actor == step.actor and (one.read_ok or one.accepted)
    ]
    token = guard.tokens[0]
    named = [one for one in known if token in one.issued() or (one.header("last-modified") or "") == token]
    found = _moved(case, named[-1], step, "" if guard.standard else guard.name) if named else None
    if found is None or any(one.order > named[-1].order and one.at != found[0].step.at for one in known):
        # What it was shown of the thing itself since is another state: that tells more.
        return None
    text = f"a list had shown {found[1]} before: `{guard.value}` was not current, and was accepted"
    return Damage(Outcome.LOST_UPDATE, text, lost=found[0].step, stale_accepted=True, proven=False)


def listed_apart(case: Case, base: Step, step: Step) -> Damage | None:
    """Find a whole state sent without a condition, an edit of one that a list had shown to be replaced.

    What another put there in between was never read, and is gone.

    Args:
        case: everything known.
        base: the last own look at the thing before the write.
        step: an accepted write without a precondition.
    """
    content = base.representation
    if content is None or same_content(content, step.body) or not edit_of(step.body, content):
        return None
    found = _moved(case, base, step, "")
    if found is None:
        return None
    text = f"a list had shown {found[1]}, another version than the content is made from: what it held is gone"
    return Damage(Outcome.LOST_UPDATE, text, lost=found[0].step)


def _moved(case: Case, base: Step, step: Step, called: str) -> tuple[Row, str] | None:
    """Return what the last list between a look and a write shows, and its version where that is another."""
    if base.cache_hit or step.order - base.order <= 1:
        return None
    row = next(rows_of(case, step, base.order + 1), None)
    if row is None or not row.step.follows(base) or row.step.cache_hit or not step.follows(row.step):
        return None
    version = _another(case, row, base, step, called)
    return (row, version) if version is not None and not _by_itself(case, base, row.step, step) else None


def _another(case: Case, row: Row, base: Step, step: Step, called: str) -> str | None:
    """Return the version that a row of a list shows where it is neither a look's nor what a write made."""
    if base.etag is None:
        when, read = row.modified, base.date if base.last_modified is not None else None
        if when is not None and read is not None and when > read + 1:
            return f"a change at {shown(when)}"
        if read is not None and of_another_size(case, row, base):
            return f"another size ({row.size} octets)"
        return None
    known = _family_version(row, base)
    if known is not None:
        made = step.etag is not None and tokens.opaque(step.etag) == known
        return known if not made and tokens.steps_on(base.etag, known) > 0 else None
    before = next(rows_of(case, base), None)
    version = row.version(base.etag, called.rpartition("/")[2]) or row.version_beside(before, base.etag)
    bare = tokens.opaque(version or "")
    if version is None:
        return _counted_since(case, row, base)
    if any(tokens.opaque(one) in {bare, ""} for one in base.issued()):
        return None
    if step.etag is not None and tokens.opaque(step.etag) == bare:
        return None
    through = tokens.counted_in_hex(base.etag, version, step.etag or "")
    if not through and not moved_on(row, base, version, None if _seen_before(case, base, bare) else before):
        return None
    # Lists may have tags of their own.
    own = before is not None and tokens.opaque(before.version(base.etag) or "") == bare
    return None if own else version


def _seen_before(case: Case, base: Step, version: str) -> bool:
    """Tell whether a version had been shown before a look at another one: a list may run behind."""
    known = case.history_of(base.resource)
    if any(version in map(tokens.opaque, one.issued()) for one in known.before(base)):
        return True
    rows = islice(rows_of(case, base), _FEW)
    return any(tokens.opaque(value) == version for one in rows for value in one.values.values())


def _family_version(row: Row, base: Step) -> str | None:
    """Return the version of a row by the name that the family's own tokens have, where it is a count.

    Other members of the row may count as well: since when the thing is there, how often it was locked.
    """
    family = base.dialect
    if family is None or family.general or not tokens.opaque(base.etag or "").isdigit():
        return None
    names = {place.name.rpartition("/")[2] for place in family.tokens if place.at == "body"}
    found = {value for name, value in row.values.items() if name.rpartition("/")[2] in names}
    return found.pop() if len(found) == 1 and all(map(str.isdigit, found)) else None


def _counted_since(case: Case, row: Row, base: Step) -> str | None:
    """Return the count that a row of a list shows where a list before the look showed a lower one.

    Lists may count versions of what has another tag by itself. What was looked at is older than the first
    list by its time of change, so the change was made after the look.
    """
    before = next(rows_of(case, base), None)
    if before is None or base.last_modified is None or before.step.date is None:
        return None
    if base.last_modified > before.step.date - 1 or before.step.resource != row.step.resource:
        return None
    for name, value in row.values.items():
        old = before.values.get(name)
        if old is not None and called_version(name.rpartition("/")[2]) and tokens.counted_on(old, value):
            return value
    return None


def _by_itself(case: Case, base: Step, listing: Step, step: Step) -> bool:
    """Tell whether the client itself may have changed the thing between a look and a list."""
    name = own_name(step)
    for one in case.steps[base.order + 1 : listing.order]:
        if one.actor != step.actor or not one.is_write or one.refused:
            continue
        if one.resource == step.resource and (not one.status or one.status >= _FAILED):
            return True
        sent = one.view.sent_text if one.accepted else ""
        if one.accepted and (name in one.exchange.request.url or (len(sent) <= _LONGEST and name in sent)):
            return True
    return False
