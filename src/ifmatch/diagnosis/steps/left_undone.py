"""Find what a success left undone: rows of a list that its answer, or the report about it, tells apart.

The status of such a write is a success, or says that it was taken in. What counts is told row by row, in
counts of what was changed, or by what the rows that went well have and these have not.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading.contents import holds
from ifmatch.diagnosis.reading.listed_records import leaves_of
from ifmatch.diagnosis.reading.running_operations import under_way
from ifmatch.diagnosis.reading.sent_rows import (
    Entry,
    Row,
    documents,
    entries_in,
    rows_in,
    table,
    told_of,
    words_in,
)
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.multistatus_contents import members_failed
from ifmatch.diagnosis.steps.refusal_words import says_undone
from ifmatch.diagnosis.steps.shown_things import shows_thing
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ifmatch.diagnosis.steps.step import Step

_DONE: Final = frozenset({200, 201, 202, 207})
_NONE: Final = frozenset({"0", "false", "no", "n", "none"})
_LONGEST: Final = 600
# What became of one row is told in fewer characters: more is what was asked for.
_ACCOUNT: Final = 8_000
# Of texts up to this length it is kept what they say.
_REMEMBERED: Final = 20_000
# Shorter values stand in a sentence by chance.
_SHORT: Final = 1
# What is counted, or said yes to, where something was done.
_VERBS: Final = (
    r"changed|modified|updated|touched|affected|written|saved|stored|applied|replaced|edited|patched"
    r"|accepted"
    r"|taken(?:[ _-]?over)?|merged|upserted|created|inserted|deleted|removed|done|executed"
    r"|carried[ _-]?out|processed"
    r"|success(?:es|ful|fully)?|succeeded|ok|committed|adopted|corrected|amended|imported|transferred"
    r"|booked|posted|moved|renamed|performed|recorded|persisted|entered|set|shifted|placed|adjusted|altered"
    r"|revised"
    r"|ack(?:nowledged)?|effective|effects?|changes?|updates?|writes?|edits?"
)
_COUNTED: Final = Words(
    r"(?:n|num|count|number|total|rows?|records?|items?|entries|docs?|ok|success|successful"
    r"|done)?[ _/-]*(?:of)?[ _/-]*"
    rf"(?:{_VERBS})[ _/-]*(?:n|num|count|number|rows?|records?|items?|entries|docs?)?"
)
# The same in a line of text, where none was.
_COUNTED_NONE: Final = Words(
    rf"(?<![\w.,])(?:0|zero|no|none|nothing)\s+(?:[^\W\d]+\s+){{0,2}}(?:{_VERBS})\b"
    rf"|\b(?:{_VERBS})\s*[:=]?\s*(?:0|none)\b(?![.,]\d)"
)
# What is counted of what was met: several may be, and none changed.
_MET: Final = Words(
    r"(?:n|no)?[ _-]?(?:rows?|records?|lines?|items?|docs?|matched|matches|match|hits?|found"
    r"|n)(?:[ _-]?count)?"
)
_STATE: Final = Words(r"delet|remov|eras|replaced|merged|edited|cancel")
# That something was not done, in any of the words that reports have for it.
_UNDONE: Final = Words(
    r"\b(?:not|never|nor|cannot|can.t|could ?n.t|could not|un(?:able|changed|touched|modified|resolved"
    r"|processed|matched"
    r"|known|written|saved|assigned|applied|successful|altered|edited)|no[ _-]?(?:change|such|effect"
    r"|match|target|hit"
    r"|action|update|row|record)\w*|without (?:target|effect|match|change|result)|nothing|none|null|void"
    r"|nil|nowhere"
    r"|skip\w*|ignor\w*|left[ _-](?:out|alone|as|over|behind|open|un\w+)|leftovers?|omit\w*"
    r"|pass(?:ed)?[ _-]?over|bypass\w*"
    r"|reject\w*|refus\w*|declin\w*|denied|den(?:y|ies)|drop(?:ped)?|discard\w*|fail\w*|errors?|fault\w*"
    r"|problem\w*"
    r"|remain(?:s|ed|der|ing)?|stays?|kept|held[ _-]?back|on hold|park(?:ed)?|set[ _-]?aside"
    r"|put[ _-]?aside|exclu\w+"
    r"|returned|bounced|ambiguous|missing|gone|absent|lacks?|lacking|required|mandatory|obligatory|must"
    r"|needs?"
    r"|needed|conflict\w*|mismatch\w*|differs?|different|invalid|abort\w*|cancel\w*|blocked|stopp?ed"
    r"|suspended"
    r"|postponed|unfulfilled|nok|ko|abandoned|disregarded|voided|suppressed|deferred|stale|outdated"
    r"|expired)\b"
)
# That there is none of a kind by a name: "no plot 18".
NO_THING: Final = Words(r"\bno (?:[^\W\d]+ ){1,2}[\"'#(]?[\w-]*\d[\w-]*")


# Lines of names with values, and one whose value is empty: `last-error:` tells of no error.
_SAID: Final = late_pattern(r"^[\w-]{1,60}:[ \t]+\S", re.MULTILINE)
_UNSAID: Final = late_pattern(r"^[\w-]{1,60}:[ \t]*\r?\n(?![ \t])", re.MULTILINE)
_FORM: Final = 3
# The ends of the time for which something holds.
_VALID: Final = late_pattern(r"\bnot[ _]?(?:before|after)\b", re.IGNORECASE)
# A status of HTTP, alone or with its words.
_HTTP: Final = late_pattern(r"(?:HTTP/[\d.]+ )?-?([1-5]\d\d)(?: [A-Z].*)?$")
_CODE: Final = Words(
    r"(?:http|err(?:or)?|result|return|resp(?:onse)?)?[-_]?(?:code|status|state|rc|ret|result|response)"
    r"(?:[-_]?code)?|http|kod|sc"
)


class Left(Frozen, frozen=True):
    """A row that was left undone.

    Attributes:
        number: its place among the rows of the request.
        row: what the request has.
        entry: what is told of it.
        seen: the step whose answer tells it.
        alone: whether it is all that the request has.
    """

    number: int
    row: Row
    entry: Entry
    seen: Step
    alone: bool

    @property
    def said(self) -> str:
        """Return what is told of it, without what only repeats the request."""
        return said_of(self.entry, self.row)


def counts_changes(name: str) -> bool:
    """Tell whether a member counts what was changed, or says whether something was, by its name.

    Args:
        name: of the member.
    """
    return _COUNTED.fullmatch(name) is not None


def sent_rows(step: Step) -> tuple[Row, ...]:
    """Return the rows that a write sends; the parameters of its URL where it sends nothing else.

    Args:
        step: a write.
    """
    return rows_in(step.view.sent_text) or ((dict(step.view.query),) if step.view.query else ())


def account_of(step: Step) -> Step:
    """Return the step whose answer tells what became of a write: the report about it, or its own.

    Args:
        step: a write.
    """
    return step.seen.account_at or step


def account_in(step: Step) -> str:
    """Return what is told of a write, as text.

    Args:
        step: a write.
    """
    return step.seen.account or step.view.text


def told_rows(step: Step) -> list[tuple[int, Entry]]:
    """Return what is told of each row of a write.

    Args:
        step: a write.
    """
    text = account_in(step)
    rows = sent_rows(step)
    if len(rows) == 1:
        return [(0, whole_of(text))] if text else []
    return told_of(rows, entries_in(text))


def whole_of(text: str) -> Entry:
    """Return all that an answer says as one record.

    Args:
        text: its content.
    """
    return _whole(text) if len(text) <= _REMEMBERED else _whole.__wrapped__(text)


@lru_cache(maxsize=512)
def _whole(text: str) -> Entry:
    values = documents(text)
    if text.lstrip()[:1] == "<":
        return Entry("", dict(leaves_of(text)), text)
    rows = rows_in(text) if len(values) == 1 and isinstance(values[0], list) else ()
    if len(rows) == 1:
        return Entry("", rows[0], text)
    leaves: Row = {}
    if not values and not table(text):
        told = _said_in_form(text) if len(_SAID.findall(text)) >= _FORM else text
        return Entry("", words_in(told), told)
    for one in entries_in(f"[{text}]") if len(values) == 1 else entries_in(text):
        leaves = {**one.values, **leaves}
    return Entry("", leaves, text)


def left_undone(step: Step) -> list[Left]:
    """Return the rows of a write that were left undone although its status is a success.

    Args:
        step: a write.
    """
    if not step.is_write or step.status not in _DONE:
        return []
    seen = account_of(step)
    if seen is step and (step.header("etag") or holds(step.content, step.body)):
        # What shows a version, or all that was sent, was stored.
        return []
    shown = seen is not step and seen.resource == step.resource
    if under_way(account_in(step)) or (shown and under_way(step.view.text)):
        # How it ends is told later, and a look at the thing itself is no report.
        return []
    rows = sent_rows(step)
    if seen is step and ((len(rows) == 1 and len(step.view.text) > _ACCOUNT) or shows_thing(step, rows)):
        return []
    failed = [
        Left(number, {"href": href}, _of_member(href, status, text), step, alone=True)
        for number, (href, status, text) in enumerate(members_failed(step))
    ]
    if failed:
        return failed
    told = told_rows(step) if rows and not _all_done(account_in(step), rows) else []
    alone = len(rows) == 1
    entries = [one for _, one in told]
    if not alone and _none_done(account_in(step)):
        by_row = dict(told)
        whole = whole_of(account_in(step))
        return [Left(number, row, by_row.get(number, whole), seen, alone) for number, row in enumerate(rows)]
    if not told and not alone and rows:
        return _named_alone(rows, account_in(step), seen)
    return [
        Left(number, rows[number], one, seen, alone)
        for number, one in told
        if undone(one, rows[number], [other for other in entries if other is not one])
        or _explained(one, rows, [other for place, other in told if place != number])
    ]


def _said_in_form(text: str) -> str:
    """Return lines of names with values, without empty ones, and without a list of words below them."""
    head, _, below = _UNSAID.sub("", text.replace("\r\n", "\n")).partition("\n\n")
    words = below.splitlines()
    return head if len(words) >= _FORM and all(len(one.split()) <= 1 for one in words) else f"{head}\n{below}"


def _named_alone(rows: Sequence[Row], text: str, seen: Step) -> list[Left]:
    """Return the one row of several that an answer names that denies the whole."""
    if not 0 < len(text) <= _LONGEST or not says_undone(text):
        return []
    shared = Counter(value for row in rows for value in set(row.values()))
    named = [
        number
        for number, row in enumerate(rows)
        if any(
            len(value) > _SHORT
            and shared[value] == 1
            and re.search(rf"(?<![\w.-]){re.escape(value)}(?![\w-])", text)
            for value in row.values()
        )
    ]
    return [
        Left(number, rows[number], whole_of(text), seen, alone=False) for number in named if len(named) == 1
    ]


def _of_member(href: str, status: str, text: str) -> Entry:
    return Entry("", {"href": href, "status": status}, f"{href} {status} {text}")


def codes_of(entry: Entry) -> set[str]:
    """Return the numbers in an entry of a report that stand where a status of HTTP does.

    Args:
        entry: of a report.
    """
    return {
        code[1]
        for name, value in entry.values.items()
        if _CODE.fullmatch(name.rpartition("/")[2]) and (code := _HTTP.match(value)) is not None
    }


def said_of(entry: Entry, row: Row) -> str:
    """Return what an entry of a report says, without what only repeats a row of the request.

    Args:
        entry: of a report.
        row: of the request.
    """
    mine = set(row.values())
    said = [
        f"{name.rpartition('/')[2]} {value}" if not name.isdigit() and name else value
        for name, value in entry.values.items()
        if value and value.lower() not in _NONE and value not in mine
    ]
    return f"{entry.under}; {'; '.join(said)}"[:_LONGEST]


def says_left(text: str) -> bool:
    """Tell whether a report says in words that something was not carried out.

    Args:
        text: of the report.
    """
    return _UNDONE.search(text.replace("_", " ")) is not None or says_undone(text)


def undone(entry: Entry, row: Row, others: Sequence[Entry]) -> bool:
    """Tell whether an entry of a report says that a row was not carried out.

    Args:
        entry: what is told of the row.
        row: of the request.
        others: what is told of the others.
    """
    counts = [
        (name, value)
        for name, value in entry.values.items()
        if name not in row and counts_changes(name.rpartition("/")[2])
    ]
    if any(value.isdigit() and int(value) for _, value in counts):
        return False
    if _coded(entry, others):
        return True
    told = [value for name, value in (*counts, *_met(entry, row)) if not _of_state(name, value)]
    if any(value.lower() in _NONE for value in told) or _counts_none(entry, row):
        return True
    if any(value == "true" for name, value in counts if name.rpartition("/")[2] != "done"):
        return False
    if (
        _UNDONE.search(_VALID.sub("", said_of(entry, row)).replace("_", " "))
        or says_undone(entry.text)
        or _COUNTED_NONE.search(entry.text)
        or NO_THING.search(entry.text)
        or (not others and _lists_left(entry))
    ):
        return True
    return _lacks_version(entry, others)


def _lists_left(entry: Entry) -> bool:
    """Tell whether an answer has a list of what was not carried out, with something in it."""
    return any(
        one.isdigit() and _UNDONE.fullmatch(above.replace("_", " ")) is not None
        for name in entry.values
        for above, one in itertools.pairwise(name.split("/"))
    )


def _coded(entry: Entry, others: Sequence[Entry]) -> bool:
    """Tell whether a row has the code of a failure: by its name, or as others have that of a success."""
    if any(code[0] in "45" for code in codes_of(entry)):
        return True
    for name, value in entry.values.items():
        beside = [one.values[name] for one in others if name in one.values]
        if re.fullmatch(r"[45]\d\d", value) and any(re.fullmatch(r"20[0-9]", one) for one in beside):
            return True
    return False


def _explained(entry: Entry, rows: Sequence[Row], others: Sequence[Entry]) -> bool:
    """Tell whether a sentence is told of one row and of none of the others: success needs no words."""
    mine = {value for row in rows for value in row.values()}
    return len(rows) > 1 and _wordy(entry, mine) and not any(_wordy(one, mine) for one in others)


def _wordy(entry: Entry, sent: set[str]) -> bool:
    return any(len(value.split()) > 2 and value not in sent for value in entry.values.values())


def _counts_none(entry: Entry, row: Row) -> bool:
    """Tell whether all that is told is a count of none."""
    told = [value for name, value in entry.values.items() if name and value and value not in row.values()]
    return bool(told) and set(told) == {"0"} and not all(name.isdigit() for name in entry.values)


def _all_done(text: str, rows: Sequence[Row]) -> bool:
    """Tell whether a report counts as many as were sent."""
    told = whole_of(text).values
    counts = [value for name, value in told.items() if "/" not in name and counts_changes(name)]
    return len(rows) > 1 and any(value.isdigit() and int(value) >= len(rows) for value in counts)


def _none_done(text: str) -> bool:
    """Tell whether a report counts what was done, and all its counts are none."""
    told = whole_of(text).values if text else {}
    counts = [value for name, value in told.items() if "/" not in name and counts_changes(name)]
    numbers = [value for value in counts if value.isdigit()]
    return bool(numbers) and all(int(value) == 0 for value in numbers) and "true" not in counts


def _met(entry: Entry, row: Row) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, value in entry.values.items()
        if name not in row and name and _MET.fullmatch(name.rpartition("/")[2])
    ]


def _lacks_version(entry: Entry, others: Iterable[Entry]) -> bool:
    """Tell whether others of a report have been given a version, and this one says something else instead."""
    mine = _last_words(entry)
    given = [_last_words(one) for one in others if one.under == entry.under]
    return any(
        names != mine and any(called_version(one) and one not in mine for one in names) for names in given
    )


def _last_words(entry: Entry) -> set[str]:
    return {name.rpartition("/")[2] for name, value in entry.values.items() if value}


def _of_state(name: str, value: str) -> bool:
    """Tell whether a flag is a member of a record: what is not deleted is there."""
    return value == "false" and _STATE.search(name) is not None
