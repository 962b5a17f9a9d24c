"""Tell why rows were left undone that no version, search or former value explains.

Somebody holds the thing, it was there already, the service cannot do what a member asks for, or a code that
stands for preconditions is used for a rule of the trade.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.aftermath.freezes import frozen
from ifmatch.diagnosis.aftermath.held_up import asks_to_hold, says_held
from ifmatch.diagnosis.habits.creation_flags import asks_creation
from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.reading.sent_rows import entries_in
from ifmatch.diagnosis.reading.version_words import EXPECTS, called_version
from ifmatch.diagnosis.steps.left_undone import (
    Left,
    account_in,
    codes_of,
    sent_rows,
    told_rows,
    undone,
    whole_of,
)
from ifmatch.diagnosis.steps.refusal_words import INCAPABLE, THERE_ALREADY
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.reading.sent_rows import Row
    from ifmatch.diagnosis.steps.step import Step

_LOCKED: Final = "423"
_FAILED: Final = "412"
_CANNOT_CODES: Final = frozenset({"501", "405", "400", "422"})
# Shorter names stand in an answer by chance.
_TELLING: Final = 3
# So many letters say that a version is compared: `if`, `expect`, `when`.
_PREFIX: Final = 8
_IF: Final = Words(
    r"_?(?:if|when|match(?:es)?|unless|only[-_]?if|cond(?:ition)?|guard|require|compare|assert|must)"
    r"(?:[-_.]|(?-i:(?=[A-Z]))|(?:ed|s)?$)"
)
# Looks on each side of a write at which a holder may be shown.
_LOOKS: Final = 8
_LONGEST: Final = 100_000
_TOKEN_WANTED: Final = late_pattern(r"lock-token-(?:submitted|matches)|no-conflicting-lock", re.IGNORECASE)
# What an answer about the state says, in sentences about rows as well.
_OF_STATE: Final = Words(
    r"if-(?:un)?(?:none-)?m|\be-?tag|\bversions?\b|revision|\bstale\b|concurren|meanwhile|in the meantime"
    r"|out of date|since (?:you|it was)|already exists|(?<!p)lease|newer|outdated"
)
_CANNOT: Final = Words(rf"(?i){INCAPABLE}|not available|no(?:t a)? known|not (?:a )?valid here")


_RULE: Final = Words(
    r"\b(?:must (?:not )?be|may not|exceed(?:s|ed)?|ceiling|at (?:most|least)|maximum|minimum|quota"
    r"|not (?:allowed|permitted|enabled|verified|approved|signed|paid|active)|needs? (?:an? )?approval"
    r"|insufficient|budget|threshold|blocked|barred|suspended|closed|frozen|overdue|limit|approval|permission"
    r"|verification|verif(?:y|ied)|license|credit|complete (?:the|your))\b"
)


# Two clocks differ by as many seconds.
_SKEW: Final = 2.0


class Reason(Frozen, frozen=True):
    """Why something was left undone.

    Attributes:
        cause: id of the root cause.
        said: sentences, each with its weight and the step that shows it.
    """

    cause: str
    said: tuple[tuple[str, float, Step], ...]


def shorten(text: str) -> str:
    """Return the beginning of what is told, for a sentence of a report.

    Args:
        text: any.
    """
    return text.strip("; ")[:120]


def of_hold(step: Step, left: Left, own: Sequence[Step]) -> Reason | None:
    """Find a row that was left alone because somebody holds its thing: by its code, its words, or a look.

    Args:
        step: the write.
        left: the row.
        own: what the same actor did around it, on the same host.
    """
    text = left.entry.text
    if asks_to_hold(step) or frozen(text):
        return None
    what = f"what is told of it: “{shorten(text)}”"
    coded = _LOCKED in codes_of(left.entry) or _TOKEN_WANTED.search(text) is not None
    holder = _holder(step, left, own)
    # Under a code of conditions guards of other kinds say that they block something.
    bare = _FAILED in codes_of(left.entry) and not any(map(_conditional, left.row))
    if coded or (says_held(text) and (holder is not None or not bare)):
        said = [(what, 6.0 if coded else 5.0, left.seen)]
        if holder is not None:
            said.append((f"a look shows that {holder[0]} has it", 1.5, holder[1]))
        return Reason("lease-or-lock", tuple(said))
    if holder is not None:
        shown = f"a look shows that {holder[0]}, which the answer names, has it for a time that is not over"
        return Reason("lease-or-lock", ((shown, 4.5, holder[1]), (what, 1.5, left.seen)))
    return None


def _holder(step: Step, left: Left, own: Sequence[Step]) -> tuple[str, Step] | None:
    """Return who or what has a thing for a time around a write, and is named by what is told of a row."""
    text = left.entry.text
    mine = {value for value in left.row.values() if value}
    for look in sorted(own, key=lambda one: abs(one.order - step.order))[: 2 * _LOOKS]:
        if look in {step, left.seen} or look.status != 200 or not 0 < len(look.view.text) <= _LONGEST:
            continue
        records = [one.values for one in entries_in(look.view.text)] or [{}]
        for record in (*records, whole_of(look.view.text).values):
            times = [one for value in record.values() if (one := told_moment(value)) is not None]
            # When it was edited last lies before any look; how long it is held lies behind it.
            since = max(step.start, look.start + _SKEW if look.timed else step.start)
            if not step.timed or not times or max(times) <= since:
                continue
            asked = look.view.query.values(), whole_of(look.view.sent_text).values.values()
            about = mine & {*record.values(), *(value for held in asked for value in held)}
            about |= {one for one in mine if one in look.exchange.request.url.split("/")}
            named = [
                value
                for value in record.values()
                if len(value) >= _TELLING
                and value not in mine
                and told_moment(value) is None
                and re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", text) is not None
            ]
            if about and named:
                return named[0], look
    return None


def of_existing(step: Step, left: Left, own: Sequence[Step]) -> Reason | None:
    """Find a row that was to create only, whose thing was there before, with other content than the row's.

    Args:
        step: the write.
        left: the row.
        own: what the same actor did around it, on the same host.
    """
    flagged = any(asks_creation(name, value) for name, value in left.row.items())
    told = THERE_ALREADY.search(left.entry.text) is not None
    named = any(
        len(name) > _TELLING and value in {"true", "1"} and name in left.entry.text
        for name, value in left.row.items()
    )
    if not (told or flagged or named):
        return None
    weight = 4.0 if told or named else 2.5
    for read in own:
        if not read.is_read or not read.read_ok or read.content is None or read is left.seen:
            continue
        for record in _about(read, left.row):
            other = _other_content(record, left.row)
            older = [one for value in record.values() if (one := told_moment(value)) is not None]
            before = step.timed and older and min(older) < step.start
            if other and (before or (told and read.order < step.order)):
                said = [
                    (f"what is told of it: “{shorten(left.entry.text)}”", weight, left.seen),
                    ("it was there before, and holds something else than the request", 3.0, read),
                ]
                return Reason("exists-already", tuple(said))
    return None


def _about(read: Step, row: Row) -> Iterator[Row]:
    """Yield the records of an answer that are about the thing of a row."""
    mine = {value for value in row.values() if len(value) >= _TELLING}
    path = set(read.resource.partition("?")[0].split("/"))
    whole = whole_of(read.view.text).values
    for record in [one.values for one in entries_in(read.view.text)]:
        if mine & set(record.values()):
            yield record
    if mine & (path | set(read.view.query.values()) | set(whole.values())):
        yield whole


def _other_content(record: Row, row: Row) -> bool:
    """Tell whether a record has another value than a row under one of its names."""
    shown = {name.rpartition("/")[2]: value for name, value in record.items()}
    return any(
        shown.get(word := name.rpartition("/")[2], value) != value and not called_version(word)
        for name, value in row.items()
        if value
    )


def of_incapacity(left: Left, later: Sequence[Step]) -> Reason | None:
    """Find a row with a condition that the service says it cannot do, or that passes without it.

    Args:
        left: the row.
        later: what the same actor sent there afterwards.
    """
    text = left.entry.text
    codes = codes_of(left.entry)
    cannot = "501" in codes or _CANNOT.search(text.replace("_", " ")) is not None
    if not cannot or (codes and not codes & _CANNOT_CODES and _FAILED not in codes):
        return None
    without = _passed_without(left, later)
    if without is not None and _asks(without[0], left, (left.seen, *later)):
        name, one = without
        return Reason(
            "unsupported-precondition",
            (
                (f"what is told of it: “{shorten(text)}”", 4.0, left.seen),
                (f"without {name} the same was carried out", 3.0, one),
            ),
        )
    named = [name for name, value in left.row.items() if value and _conditional(name) and name in text]
    if named:
        what = f"the answer says that it cannot do {named[0]}: “{shorten(text)}”"
        return Reason("unsupported-precondition", ((what, 5.0, left.seen),))
    return None


def _asks(name: str, left: Left, answers: Sequence[Step]) -> bool:
    """Tell whether a member is a condition: by its name, or by one that answers have for what it compares.

    `siHuella` asks for the `huella` that answers show.
    """
    word = name.rpartition("/")[2]
    if _conditional(word) or called_version(word) or asks_creation(word, left.row[name]):
        return True
    told = [name for one in answers for name in whole_of(account_in(one)).values]
    shown = {each.rpartition("/")[2].casefold() for each in told}
    folded = word.casefold()
    return any(
        len(each) >= _TELLING and folded.endswith(each) and 0 < len(folded) - len(each) <= _PREFIX
        for each in shown
    )


def _conditional(name: str) -> bool:
    word = name.rpartition("/")[2]
    return EXPECTS.search(word) is not None or _IF.match(word) is not None


def _passed_without(left: Left, later: Sequence[Step]) -> tuple[str, Step] | None:
    """Return the one member of a row without which a later attempt passed, and that attempt."""
    for one in later:
        for row, entry in _carried_out(one):
            more = [name for name, value in left.row.items() if value and name not in row]
            same = all(left.row.get(name) == value for name, value in row.items())
            if len(more) == 1 and same and len(row) > 0 and not says_held(entry):
                return more[0], one
    return None


def _carried_out(one: Step) -> Iterator[tuple[Row, str]]:
    """Yield the rows of a later attempt that were carried out, with what is told of them."""
    told = dict(told_rows(one))
    for number, row in enumerate(sent_rows(one)):
        entry = told.get(number) or whole_of(account_in(one))
        if not undone(entry, row, [each for place, each in told.items() if place != number]):
            yield row, entry.text


def of_rule(left: Left, rows: Sequence[Row], later: Sequence[Step]) -> Reason | None:
    """Find a row with a 412 in a report where no row has a version: what it names is a rule of the trade.

    Args:
        left: the row.
        rows: of the request.
        later: what the same actor sent there afterwards.
    """
    text = left.entry.text
    if _FAILED not in codes_of(left.entry) or _OF_STATE.search(text) is not None:
        return None
    if any(called_version(name) or _conditional(name) for row in rows for name in row):
        return None
    what = f"a 412 where nothing sent is a condition or a version: “{shorten(text)}”"
    corrected = _corrected(left, later)
    if corrected is not None:
        value, other, one = corrected
        blamed = re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", text) is not None
        passed = f"with {other} instead of {value} it was carried out"
        return Reason("nonprecondition-412", ((what, 3.5 if blamed else 2.5, left.seen), (passed, 3.0, one)))
    if says_held(text):
        return None
    again = next((one for one in later for row, _ in _carried_out(one) if row == left.row), None)
    if again is not None:
        passed = "the very same was carried out later, with no other condition"
        return Reason("nonprecondition-412", ((what, 3.0, left.seen), (passed, 2.0, again)))
    shared = {value for row in rows if row is not left.row for value in row.values()}
    named = [value for value in left.row.values() if len(value) >= _TELLING and value in text]
    if any(value in shared or not _key_like(left, value) for value in named) or _RULE.search(text):
        return Reason("nonprecondition-412", ((what, 4.5, left.seen),))
    return None


def _key_like(left: Left, value: str) -> bool:
    """Tell whether a value stands alone in what is told of a row: it says which row, not what is wrong."""
    return value in left.entry.values.values()


def _corrected(left: Left, later: Sequence[Step]) -> tuple[str, str, Step] | None:
    """Return the one value of a row that a later attempt had otherwise and passed with, and that attempt."""
    for one in later:
        for row, _ in _carried_out(one):
            apart = [name for name in left.row if row.get(name) != left.row[name]]
            if len(apart) == 1 and set(row) == set(left.row) and len(row) > 1 and row[apart[0]]:
                return left.row[apart[0]], row[apart[0]], one
    return None
