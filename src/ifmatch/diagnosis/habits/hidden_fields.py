"""Find the version that a form carries in a hidden field: it goes on with what the form shows; pure."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.reading.pages import fields_of, hidden_of
from ifmatch.diagnosis.steps.message_members import shown
from ifmatch.diagnosis.steps.refusal_words import THERE_ALREADY
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ifmatch.diagnosis.steps.message_members import Member
    from ifmatch.diagnosis.steps.step import Step

_OK = 200
_LONGEST = 4000
# What a program does to a text that it carries on in the wrong spelling; nobody types it.
_MISSPELT = frozenset({"html-escaped", "percent-encoded", "escaped", "quoted-twice", "plus-lost", "base64"})
_TOKEN = late_pattern(r"(?=[^\s]*\d)[^\s<>]{2,120}")


def counts_states(answers: Iterable[Step], name: str) -> bool:
    """Tell whether a hidden field goes on when the other fields of its form do, and never without them.

    Nobody fills it in, so it is no content; what a page has anew for each answer, as a nonce against forged
    requests, moves while the other fields stay.

    Args:
        answers: about the resource whose form it is, in order of time.
        name: of the field.

    Source: HTML Living Standard section 4.10.5.1.1 (a hidden field is not to be changed by the user).
    """
    moved = False
    for (was, beside), (now, others) in pairwise(_states(answers, name)):
        if was == now:
            continue
        if beside == others:
            return False
        moved = moved or _went_on(was, now)
    return moved


def hidden_source(write: Step, member: Member, before: Sequence[Step]) -> Member | None:
    """Return the hidden field of a form whose value a conflict's request carries in a wrong spelling.

    All other hidden fields came back as they were given out.

    Args:
        write: that was refused.
        member: a value of it.
        before: the last answers that showed its resource.
    """
    if THERE_ALREADY.search(write.view.text[:_LONGEST]):
        return None
    for read in reversed(before):
        hidden = hidden_of(read.content.text) if read.content is not None else {}
        given = hidden.get(member.word)
        if given is None:
            continue
        damaged = tokens.damage(member.value, given) in _MISSPELT and _TOKEN.fullmatch(given) is not None
        kept = all(
            write.view.form.get(name.lower(), held) == held for name, held in hidden.items() if held != given
        )
        held = (one for one in shown(read) if one.word == member.word and one.value == given)
        return next(held, None) if damaged and kept else None
    return None


def _states(answers: Iterable[Step], name: str) -> list[tuple[str, dict[str, str]]]:
    """Return what a hidden field held in each answer, with the fields that people fill in."""
    found: list[tuple[str, dict[str, str]]] = []
    for one in answers:
        text = one.content.text if one.is_read and one.status == _OK and one.content is not None else ""
        hidden = hidden_of(text)
        if name in hidden:
            fields = {field: held for field, held in fields_of(text).items() if field not in hidden}
            found.append((hidden[name], fields))
    return found


def _went_on(was: str, now: str) -> bool:
    """Tell whether one value follows another as counts and times do: nonces and digests come in no order."""
    if tokens.counted_on(was, now):
        return True
    times = told_moment(was), told_moment(now)
    return times[0] is not None and times[1] is not None and times[0] < times[1]
