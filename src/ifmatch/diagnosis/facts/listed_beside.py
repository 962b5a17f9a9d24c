"""Find a sent version in a list that has it for another entry, and another one for the target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ifmatch.diagnosis.facts.listed_tokens import names_of
from ifmatch.diagnosis.facts.listings import IDS
from ifmatch.diagnosis.links.linked_writes import own_name
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.listed_records import records_in
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.resources import bare, path_of
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Collection

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.reading.listed_records import Record
    from ifmatch.diagnosis.steps.step import Step

# So many answers around a request are looked through; longer ones are data.
_NEAR: Final = 60
_LONGEST: Final = 200_000
# A lower count may be an older version of the target, and a little higher one the next that it gets.
_FEW: Final = 3
# A longer value than this stands in two places of one meaning.
_UNLIKELY: Final = 11
# A longer value is no name.
_SHORT: Final = 60


class Listed(Frozen, frozen=True):
    """What a list shows of two entries.

    Attributes:
        listing: the answer that has the list.
        sent: the version, without quotes.
        other: name of the entry whose version was sent.
        own: the version that the list has for the target.
        still: a later answer that shows it with that version, None without one.
    """

    listing: Step
    sent: str
    other: str
    own: str
    still: Step | None


def listed_as_another(facts: Facts, named: str = "") -> Listed | None:
    """Return the list that has the sent version for another entry than the target's, None without one.

    Args:
        facts: of a refused request on one version that was never the target's own.
        named: a value of the content that is called a version, where no guard is known.
    """
    token = tokens.opaque(facts.token or named)
    if not token or facts.issues:
        return None
    names, order = _Names(facts), facts.step.order
    for one in reversed(facts.own(facts.case.steps[max(0, order - _NEAR) : order])):
        records = _records(one, token)
        found = _apart(records, token, names) if records else None
        if found is None:
            continue
        word, mine, theirs = found
        own = tokens.opaque(mine[word])
        if _older(token, own):
            return None
        return Listed(one, token, _name(theirs, mine, word), own, _still(facts, word, own, names))
    return None


class _Names:
    """What the thing of a request is called in lists: by its path, its last part, and as the content says."""

    def __init__(self, facts: Facts) -> None:
        """Take the names from a request.

        Args:
            facts: of the request.
        """
        self._called = names_of(facts)
        self._name = own_name(facts.step)
        self._path = unquote(path_of(bare(facts.step.resource)))
        self.key = facts.guard.key.rpartition("/")[2].casefold() if facts.guard is not None else ""

    def are_of(self, record: Record) -> bool:
        """Tell whether an entry is that of the thing.

        Args:
            record: of a list.
        """
        if not self._called.isdisjoint(record.values()):
            return True
        short = any(self._name == value and name.lower() in IDS for name, value in record.items())
        ends = (one for one in record.values() if "/" in one)
        return short or any(one.endswith("/" + self._name) and self._path.endswith(one) for one in ends)


def _records(one: Step, text: str) -> tuple[Record, ...]:
    content = one.content
    if content is None or not 200 <= one.status < 300 or len(content) > _LONGEST or text not in content.text:
        return ()
    return records_in(content.text)


def _apart(records: Collection[Record], token: str, names: _Names) -> tuple[str, Record, Record] | None:
    """Return where the version stands, the target's record and the one that has the token, None without."""
    theirs = [record for record in records if token in map(tokens.opaque, record.values())]
    if any(names.are_of(record) for record in theirs):
        # It is the target's own, or the entry names the target as that which it belongs to.
        return None
    for record in theirs:
        for word, value in record.items():
            last = word.rpartition("/")[2]
            held = tokens.opaque(value) == token
            if not held or not (
                called_version(last) or last.casefold() == names.key or len(token) > _UNLIKELY
            ):
                continue
            mine = next((one for one in records if word in one and names.are_of(one)), None)
            if mine is not None:
                return word, mine, record
    return None


def _older(token: str, own: str) -> bool:
    """Tell whether a version may be one of the target itself, made before or soon after that of the list."""
    if not (token.isdigit() and own.isdigit()):
        return False
    return int(token) < int(own) or int(token) - int(own) < _FEW


def _name(theirs: Record, mine: Record, word: str) -> str:
    """Return what another entry is called: the first short value by which it differs from the target's."""
    apart = (value for name, value in theirs.items() if name != word and mine.get(name) != value)
    return next((one for one in apart if 0 < len(one) <= _SHORT), "another entry")


def _still(facts: Facts, word: str, own: str, names: _Names) -> Step | None:
    """Return a later answer that shows the target with the version that it had."""
    if facts.current_tag is not None and tokens.opaque(facts.current_tag) == own:
        return facts.refresh
    order = facts.step.order
    for one in facts.own(facts.case.steps[order + 1 : order + _NEAR]):
        if one.is_write and one.accepted:
            return None
        if any(
            names.are_of(each) and tokens.opaque(each.get(word, "")) == own for each in _records(one, own)
        ):
            return one
    return None
