"""Find another's change that a list of changes has between two versions, whatever its times and values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.losses.states_in_turn import by_word, made_versions
from ifmatch.diagnosis.losses.told_changes import known_as
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.reading.listed_records import leaves_of
from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.reading.version_words import called_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.losses.told_changes import Change
    from ifmatch.diagnosis.steps.step import Step

_LONGEST: Final = 60_000


def between_versions(history: History, base: Step, step: Step, changes: Sequence[Change]) -> Change | None:
    """Return another's change that lies between the version that a write was made from and the one it made.

    The count of the versions tells so, or the entries of both stand on either side of it. Times of whole
    seconds do not tell whether a change came before a read within theirs.

    Args:
        history: of the resource.
        base: what the sender of the write had seen last.
        step: a write that replaces all, whatever its version was.
        changes: the entries of one list.
    """
    made = set(known_as((step.etag, *made_versions(step))))
    read = set(known_as((*base.issued(), *_versions_in(base)))) - made
    mine = [place for place, one in enumerate(changes) if one.version and one.version in made]
    if len(mine) != 1 or not read:
        return None
    own = changes[mine[0]]
    if not own.who:
        return None
    known = [place for place, one in enumerate(changes) if one.version and one.version in read]
    low, high = sorted((known[0], mine[0])) if len(known) == 1 else (0, 0)
    for place, one in enumerate(changes):
        if not one.who or one.who == own.who or not one.version or one.version in read | made:
            continue
        beside = low < place < high or any(
            tokens.counted_between(each, one.version, own.version) for each in read
        )
        if beside and not _kept(history, base, step, own.who):
            return one
    return None


def _versions_in(step: Step) -> list[str]:
    """Return what a content calls a version of what it shows."""
    text = step.view.text
    told = leaves_of(text) if len(text) <= _LONGEST else ()
    return [value for name, value in told if called_version(name.rpartition("/")[2])]


def _kept(history: History, base: Step, step: Step, who: str) -> bool:
    """Tell whether the answer to a write has something otherwise that it sent as it was read: it was merged.

    What the service sets by itself, such as who wrote last and when, tells nothing.
    """
    old = base.left or next(
        (
            one.left
            for one in reversed(history.before(base))
            if one.actor == step.actor and one.left is not None and one.etag == base.etag
        ),
        None,
    )
    if old is None or step.body is None:
        return False
    was, sent, now = (by_word(leaves_of(text)) for text in (old.text, step.body.text, step.view.text))
    return any(
        was.get(word) == value != now[word]
        for word, value in sent.items()
        if word in now
        and not stamped("/" + word)
        and not called_version(word)
        and now[word] != who
        and told_moment(now[word]) is None
    )
