"""Find what an unguarded write took away, by a list that numbers the states of a thing and gives no times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.damages import Damage
from ifmatch.diagnosis.listed_records import leaves_of, records_in
from ifmatch.diagnosis.stamps import stamped
from ifmatch.diagnosis.told_changes import about
from ifmatch.diagnosis.unguarded_losses import by_word
from ifmatch.model.diagnosis import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.case import Case
    from ifmatch.diagnosis.history import History
    from ifmatch.diagnosis.steps import Step

# So many steps after a write a list is looked for.
_NEAR: Final = 80
_LONGEST: Final = 200_000
_OK: Final = 200
_TWO: Final = 2


def numbered_between(case: Case, history: History, step: Step) -> Damage | None:
    """Find the state before the own one in a numbered list, with a value that was read and written otherwise.

    Had it been there already when the record was read, the read would have shown it.

    Args:
        case: everything known.
        history: of the resource.
        step: an accepted write without a precondition.
    """
    if step.guard is not None or not step.puts or step.body is None:
        return None
    own = (one for one in reversed(history) if one.order < step.order and one.actor == step.actor)
    base = next((one for one in own if one.read_ok or one.accepted), None)
    if base is None or base.representation is None or base.cache_hit:
        return None
    old, mine = (by_word(leaves_of(one.text)) for one in (base.representation, step.body))
    edited = {
        word for word, value in mine.items() if old.get(word, value) != value and not stamped("/" + word)
    }
    kept = {word for word, value in mine.items() if old.get(word) == value and not stamped("/" + word)}
    for listing in case.steps[step.order + 1 : step.order + _NEAR] if edited else ():
        content = listing.content if listing.actor == step.actor and listing.is_read else None
        if content is None or listing.status != _OK or len(content) > _LONGEST or not about(listing, step):
            continue
        records = [by_word(tuple(one.items())) for one in records_in(content.text)]
        lost = _taken_back(records, mine, edited, kept)
        if lost:
            text = f"the state before this write has another {', '.join(sorted(lost))} than was read: gone"
            return Damage(Outcome.LOST_UPDATE, text, lost=listing)
    return None


def _taken_back(
    records: Sequence[dict[str, str]], mine: dict[str, str], edited: set[str], kept: set[str]
) -> list[str]:
    """Return what the state before the own one has otherwise than it was read and written.

    Args:
        records: the states, by a number of each.
        mine: what was written.
        edited: what in it differs from what was read.
        kept: what in it is as it was read.
    """
    for before, after in _in_a_row(records):
        stored = any(after.get(word) == mine[word] for word in edited)
        if not stored or any(after.get(word, value) != value for word, value in mine.items()):
            continue
        # The last such state is the own one: values may have been the same long ago.
        if any(before.get(word) == mine[word] for word in edited):
            return []
        return [word for word in kept if before.get(word, mine[word]) != mine[word]]
    return []


def _in_a_row(records: Sequence[dict[str, str]]) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Yield each two records of which one has the number after the other's, the last ones first."""
    if len(records) < _TWO:
        return
    for name in sorted(set(records[0]).intersection(*records)):
        numbers = [record[name] for record in records]
        if not all(one.isdigit() and len(one) <= len("1000000") for one in numbers):
            continue
        held = {int(record[name]): record for record in records}
        if len(held) == len(records) and all(one + 1 in held for one in sorted(held)[:-1]):
            for one in sorted(held, reverse=True)[1:]:
                yield held[one], held[one + 1]
            return
