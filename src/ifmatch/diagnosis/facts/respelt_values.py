"""Find the value that a request gives as the one before, where the record has had another one all along."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ifmatch.diagnosis.reading.dates import instant
from ifmatch.diagnosis.reading.sent_rows import entries_in
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.left_undone import Left, account_in, sent_rows, told_rows, undone, whole_of
from ifmatch.diagnosis.steps.message_members import sent as sent_values
from ifmatch.diagnosis.steps.resources import path_of
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.reading.sent_rows import Row
    from ifmatch.diagnosis.steps.step import Step

_OK: Final = 200
_READS: Final = 12
_FEW: Final = 3
_AMOUNT: Final = late_pattern(r"[^\d.,'+-]*([+-]?\d[\d.,' \u00a0\u202f]*)[^\d]*")
_MINUS: Final = "-\u2212"
_DECIMALS: Final = late_pattern(r"[.,](\d{1,2})$")


class Former(Frozen, frozen=True):
    """A value that was to be the one before.

    Attributes:
        sent: in the request.
        held: in the record.
        read: that shows it.
        passed: the attempt that had the record's value, None without one.
    """

    sent: str
    held: str
    read: Step
    passed: Step | None


def former_value(step: Step, left: Left, later: Sequence[Step], own: Sequence[Step]) -> Former | None:
    """Return the value by which a row says what the record was, and what the record has instead.

    It is one value in two spellings, which the record has before and after; or the very same with the
    record's own value is carried out.

    Args:
        step: a write that left the row undone.
        left: the row.
        later: what the same actor sent there afterwards.
        own: what it did around it, on the same host.
    """
    parts = {unquote(one) for one in path_of(step.resource).partition("?")[0].split("/") if one}
    mine = {value for value in left.row.values() if value}
    # What the rows lie in may say of which thing they are.
    mine |= {one.value for one in sent_values(step) if one.where != "header"}
    reads = [
        one for one in own if one.content is not None and ((one.is_read and one.read_ok) or _asks(one, step))
    ]
    before = [one for one in reads if one.order < step.order][-_READS:]
    after = [one for one in reads if one.order > step.order][:_READS]
    for name, sent in left.row.items():
        if not sent or called_version(name) or len(mine) < 2:
            continue
        passed, instead = _corrected(left, name, later)
        for read in (*before[::-1], *after):
            if passed is not None and read.order > passed.order:
                break
            for record in _records(read):
                held = _held(record, (name, sent), mine, parts, instead)
                if not held or _edited_record(left.row, name, record):
                    continue
                kept = any(_shows(one, held, record) for one in after[:4])
                if passed is not None or (read in before and kept):
                    return Former(sent, held, read, passed)
    return None


def _asks(one: Step, step: Step) -> bool:
    """Tell whether a POST only asks: the answer has all that it sends, and more, and it is no such write."""
    if one.method != "POST" or one.status != _OK or one.negative or one.resource == step.resource:
        return False
    asked = {value for row in sent_rows(one) for value in row.values() if value}
    told = {value for record in _records(one) for value in record.values()}
    return bool(asked) and asked <= told and len(told) > len(asked) + 1


def _corrected(left: Left, name: str, later: Sequence[Step]) -> tuple[Step | None, str]:
    """Return the later attempt whose row differs in one value alone and was carried out, and that value."""
    for one in later:
        told = dict(told_rows(one))
        for number, theirs in enumerate(sent_rows(one)):
            apart = [each for each in {*theirs, *left.row} if theirs.get(each) != left.row.get(each)]
            if apart != [name] or not theirs.get(name):
                continue
            entry = told.get(number)
            whole = entry if entry is not None else whole_of(account_in(one))
            if (entry is not None or one.accepted) and not undone(whole, theirs, []):
                return one, theirs[name]
    return None, ""


def _held(record: Row, former: tuple[str, str], mine: set[str], parts: set[str], instead: str) -> str:
    """Return what a record has for a value of a request, "" where it has that, or is about something else."""
    name, sent = former
    values = {value for value in record.values() if value}
    if sent in values:
        return ""
    about = bool(values & parts) or bool((values & mine) - {sent})
    if not about:
        return ""
    called = [
        value for key, value in record.items() if key.rpartition("/")[2] in {*mine, name.rpartition("/")[2]}
    ]
    if instead:
        return instead if instead in values else ""
    candidates = [one for one in dict.fromkeys((*called, *values)) if one not in mine and alike(sent, one)]
    return candidates[0] if candidates else ""


def _edited_record(row: Row, name: str, record: Row) -> bool:
    """Tell whether a row is the record as it shall be: its values are the new ones, none the one before.

    It has the members that the record has, under their names, and another of them is changed as well. What
    is to be removed may be named by all that it has.

    Args:
        row: of a request.
        name: of the value that is thought to be the one before.
        record: as a read shows it.
    """
    held = {key.rpartition("/")[2]: value for key, value in record.items() if key.rpartition("/")[2]}
    mine = {key.rpartition("/")[2]: value for key, value in row.items()}
    if len(mine) < _FEW or not mine.keys() <= held.keys():
        return False
    rest = mine.keys() - {name.rpartition("/")[2]}
    return any(mine[one] != held[one] and not called_version(one) for one in rest)


def _records(read: Step) -> Iterator[Row]:
    found = [one.values for one in entries_in(read.view.text)]
    yield from found
    if len(found) <= 1 or read.view.text.lstrip()[:1] == "{":
        yield whole_of(read.view.text).values


def _shows(read: Step, held: str, record: Row) -> bool:
    """Tell whether an answer shows a record as it was."""
    return any(held in one.values() and set(one.values()) >= set(record.values()) for one in _records(read))


def alike(one: str, two: str) -> bool:
    """Tell whether two texts are one value in two spellings: case, marks, signs, local numbers, instants.

    Args:
        one: a value.
        two: another one.
    """
    if one == two:
        return False
    if one.strip(_MINUS) in {two, two.strip(_MINUS)} and (one[:1] in _MINUS) != (two[:1] in _MINUS):
        # Less than nothing is another number.
        return False
    first, second = folded(one), folded(two)
    if first and first == second:
        return True
    if _counts(one) == _counts(two) is not None:
        return True
    if one[:4].isdigit() and instant(one) == instant(two) is not None:
        return True
    amounts = _amount(one), _amount(two)
    return amounts[0] is not None and amounts[0] == amounts[1]


def folded(text: str) -> str:
    """Return the letters and digits of a text, without case and the marks on them.

    Args:
        text: a value, as somebody spelt it.
    """
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(sign for sign in plain if sign.isalnum())


def _counts(text: str) -> tuple[object, ...] | None:
    """Return the numbers of a time or a date, with what stands between them; None for all else."""
    numbers = re.findall(r"\d{1,4}", text)
    if len(numbers) < 2 or not re.fullmatch(r"[\d:./ T-]{3,25}", text):
        return None
    return (*map(int, numbers), re.sub(r"\d+", "", text))


def _amount(text: str) -> Decimal | None:
    """Return the number that a text is in some country's spelling, with a unit or without."""
    found = _AMOUNT.fullmatch(text.strip())
    if found is None or len(text) > 30:
        return None
    digits = re.sub(r"[ '\u00a0\u202f]", "", found[1]).rstrip(".,")
    decimals = _DECIMALS.search(digits)
    whole = digits[: decimals.start()] if decimals else digits
    plain = re.sub(r"[.,]", "", whole) + (f".{decimals[1]}" if decimals else "")
    try:
        return Decimal(plain)
    except InvalidOperation:
        return None
