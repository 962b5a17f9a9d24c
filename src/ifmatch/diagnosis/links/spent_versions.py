"""Tell from a refusal in any language that a value of the request is a version, and an older one; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.dates import told_moment, whole_second
from ifmatch.diagnosis.reading.version_words import CHANGED, UNCHANGED, alike
from ifmatch.diagnosis.steps.message_members import sent, shown
from ifmatch.diagnosis.steps.refusal_words import THERE_ALREADY, says_outdated
from ifmatch.dialects.glossary import Words
from ifmatch.dialects.words import VERSION
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ifmatch.diagnosis.steps.message_members import Member
    from ifmatch.diagnosis.steps.step import Step

_LONGEST: Final = 4000
_CONFLICT: Final = frozenset({409, 412})
_OVER_VERSIONS: Final = frozenset({400, 409, 412, 422, 428})
# What a sentence has in quotes, with a space or a colon before it.
_SPOKEN: Final = late_pattern(r"(?<=[\s:])(?:'([^'\n]{4,120})'|\"([^\"\n]{4,120})\")")
# What nobody does to a version on purpose, and answers show beside the version itself.
_DAMAGES: Final = frozenset(
    {
        "percent-encoded",
        "percent-decoded",
        "plus-lost",
        "html-escaped",
        "escaped",
        "unquoted",
        "quoted-twice",
        "base64",
        "case-changed",
        "cut",
    }
)
_NUMBER: Final = late_pattern(r"(?<![\w.-])\d{1,15}(?![\w-])")
_LAPSED: Final = Words(r"no longer valid|expired?|lapsed|timed? ?out|has ended|is over")
_TOKEN: Final = late_pattern(r"[\w.:-]+")
# Shorter values stand in a refusal by chance.
_TELLING: Final = 6
# What a refusal calls the value that is there, not the one that was sent.
THERE: Final = Words(
    r"(?:^|[-_.]|(?<=[a-z]))(?:current|stored|actual|latest|newest|server|existing|saved|present|found|have|is|now"
    r"|aktuell\w*|ist|gespeichert\w*|vorhanden\w*|actuel\w*|enregistr\w+|guardad[oa]|almacenad[oa]|actual"
    r"|attuale|salvat[oa]|huidige?|opgeslagen|atual|salv[oa]|gravad[oa]|nuvarande|lagrad|gemt|lagret|obecn\w+"
    r"|zapisan\w+|текущ\w+)(?:$|[-_.]|(?=[A-Z]))"
)
# What it says of the two, beside the name of the value.
_APART: Final = (
    r"[-_ .:]{0,3}(?:\w+ ){0,3}(?:mismatch|conflict|stale|outdated|differs?|(?:does not|doesn.t|not) match)"
)


def prints(step: Step, value: str) -> bool:
    """Tell whether an answer's content holds a value as a word of its own.

    Args:
        step: whose answer is searched.
        value: a version.
    """
    text = step.content.text[:_LONGEST] if step.content is not None else ""
    bare = tokens.opaque(value)
    return bare in text and re.search(rf"(?<![\w.-]){re.escape(bare)}(?![\w-])", text) is not None


def counts_past(step: Step, value: str) -> bool:
    """Tell whether an answer's content prints a sent count and one a few steps further on.

    Args:
        step: whose answer is searched.
        value: a count of the request.
    """
    if not value.isdigit() or not prints(step, value):
        return False
    text = step.content.text[:_LONGEST] if step.content is not None else ""
    return any(tokens.counted_on(value, one) for one in _NUMBER.findall(text))


def counts_in(step: Step) -> list[str]:
    """Return the numbers that stand in an answer's content by themselves.

    Args:
        step: whose answer is searched.
    """
    return _NUMBER.findall(step.content.text[:_LONGEST] if step.content is not None else "")


def named_past(step: Step, member: Member, after: str | None) -> bool:
    """Tell whether a denial names one count of a request and no other value of it, and that went on.

    Its new value stands in the answer, or the next look shows it.

    Args:
        step: not carried out.
        member: a value of it.
        after: what is shown there next, None when that is not known.
    """
    text = (step.content.text[:_LONGEST] if step.content is not None else "").casefold()
    if not member.value.isdigit() or not _says(text, member.word):
        return False
    others = {one.word for one in sent(step) if one.where in {"body", "text"} and one.word != member.word}
    if any(len(one) > 1 and _says(text, one) for one in others):
        return False
    told = set(_NUMBER.findall(text)) - {member.value}
    if told:
        return len(told) == 1 and tokens.counted_on(member.value, next(iter(told)))
    return after is not None and tokens.counted_on(member.value, after)


def _says(text: str, word: str) -> bool:
    said = word.casefold()
    return said in text and re.search(rf"(?<!\w){re.escape(said)}(?!\w)", text) is not None


def printed_beside(write: Step, member: Member, answers: Iterable[Step]) -> Member | None:
    """Return the version in an answer that a refusal prints beside the one that was sent; None without one.

    Two versions in one refusal say the same in every language.

    Args:
        write: refused.
        member: a value of it that is called like a version.
        answers: about the same resource.
    """
    if not prints(write, member.value):
        return None
    others = (one for answer in answers for one in _versions(answer, member) if prints(write, one.value))
    return next(others, None)


def stated_beside(write: Step, member: Member) -> str | None:
    """Return the value that a refusal states as the one that is there, beside one that was sent.

    A refusal that gives back one value of a request, and with it another one of the same kind that the
    request did not hold, says what was compared, whatever the two are called in the record.

    Args:
        write: refused.
        member: a value of it.
    """
    mine = tokens.opaque(member.value)
    if write.status not in _CONFLICT or len(mine) < _TELLING or not prints(write, mine):
        return None
    told = [one for one in shown(write) if one.where in {"body", "text"}]
    if not any(tokens.opaque(one.value) == mine for one in told):
        return None
    known = {tokens.opaque(one.value) for one in sent(write)}
    others = [one for one in told if tokens.opaque(one.value) not in known]
    return next((one.value for one in others if _stands_against(write, member, one)), None)


def echoed(write: Step, sent_value: str) -> str | None:
    """Return the value that a refusal states beside one it was sent, if the sent one is that with a damage.

    Args:
        write: refused.
        sent_value: as the request has it.
    """
    if write.status not in _OVER_VERSIONS or len(tokens.opaque(sent_value)) < _TELLING:
        return None
    told = [one.value for one in shown(write) if one.where in {"body", "text"}]
    told += spoken(write)
    if sent_value not in told:
        return None
    return next((one for one in told if tokens.damage(sent_value, one) in _DAMAGES), None)


def spoken(step: Step) -> list[str]:
    """Return what the sentences of an answer have in quotes.

    Args:
        step: whose answer is searched.
    """
    return [one or two for one, two in _SPOKEN.findall(step.view.text[:_LONGEST])]


def righted(write: Step, value: str, after: str) -> bool:
    """Tell whether a conflict names, in the place of what was sent, the value that is shown there next.

    Neither a word nor a count is made of letters and digits both.

    Args:
        write: refused.
        value: as it was sent.
        after: what is shown there next.
    """
    one, two = tokens.opaque(value), tokens.opaque(after)
    mixed = all(any(map(str.isdigit, each)) and any(map(str.isalpha, each)) for each in (one, two))
    telling = mixed and one != two and min(len(one), len(two)) >= _TELLING
    return telling and write.status in _CONFLICT and prints(write, after)


def blamed(write: Step, member: Member, later: Step | None) -> bool:
    """Tell whether a conflict is over one value of what was sent, one that is no word and no count.

    It names this one member alone, or what was sent in its place when the write passed.

    Args:
        write: refused.
        member: a value of it.
        later: what was carried out next on the same resource.
    """
    if _put_right(write, member, later):
        return True
    value, text = tokens.opaque(member.value), write.view.text[:_LONGEST].casefold()
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value)) and _TOKEN.fullmatch(value)
    if write.status not in _CONFLICT or not mixed or len(value) < _TELLING or THERE_ALREADY.search(text):
        return False
    if told_moment(value) is not None or _LAPSED.search(text):
        # The times of an appointment say nothing of its version, and what holds for a while is a ticket.
        return False
    words = {one.word.casefold() for one in sent(write) if one.where == member.where and len(one.word) > 1}
    return {word for word in words if word in text} == {member.word.casefold()}


def _put_right(write: Step, member: Member, later: Step | None) -> bool:
    """Tell whether what a conflict names was sent in the place of a value, and the write passed then."""
    if write.status not in _CONFLICT or later is None or later.method != write.method:
        return False
    known = {one.value for one in sent(write)}
    return any(
        (one.where, one.name) == (member.where, member.name)
        and len(one.value) >= _TELLING
        and one.value not in known
        and prints(write, one.value)
        for one in sent(later)
    )


def changed_since(write: Step, member: Member, dated: Member) -> bool:
    """Tell whether a refusal is over a time since which nothing may have changed.

    It says so itself, or the record does: it was changed later than that.

    Args:
        write: refused.
        member: a value of it whose name says that nothing may have changed since.
        dated: when the record was changed, as an answer shows it.
    """
    if says_outdated(write) or stated_beside(write, member) is not None:
        return True
    sent_time, changed = told_moment(member.value), told_moment(dated.value)
    later = sent_time is not None and changed is not None and changed > sent_time
    return later and write.status in _CONFLICT


def _stands_against(write: Step, member: Member, other: Member) -> bool:
    """Tell whether a value of a refusal is what the sent one was compared with."""
    mine, there = tokens.opaque(member.value), tokens.opaque(other.value)
    if whole_second(mine, there):
        return True
    if told_moment(mine) is not None:
        # The times of an appointment say nothing of its version.
        guard, changed = UNCHANGED.search(member.word), CHANGED.search(member.word)
        dated = told_moment(there) is not None
        return dated and (
            (guard is not None and CHANGED.search(other.word) is not None)
            or (changed is not None and THERE.search(other.word) is not None)
        )
    if tokens.shape(mine) == "text" or tokens.shape(mine) != tokens.shape(there):
        return False
    text = write.view.text[:_LONGEST]
    apart = re.search(rf"{re.escape(member.word)}{_APART}", text, re.IGNORECASE) if member.word else None
    return apart is not None or THERE.search(other.word) is not None


def spent_on(write: Step, member: Member, accepted: Iterable[Step]) -> Member | None:
    """Return the version that took the place of the one that was sent, when it was accepted before.

    Whatever the words of 409 or 412 are, the version that an own write has replaced is reason enough.

    Args:
        write: refused.
        member: a value of it that is called like a version.
        accepted: writes on the same resource.
    """
    if write.status not in _CONFLICT or (write.content and THERE_ALREADY.search(write.content.text)):
        return None
    for one in accepted:
        if one.order < write.order and one.actor == write.actor and member in sent(one):
            return next(_versions(one, member), None)
    return None


def _versions(answer: Step, member: Member) -> Iterator[Member]:
    """Yield the versions of an answer that are called like a sent one, and are others."""
    mine = tokens.opaque(member.value)
    for one in shown(answer):
        if VERSION.search(one.word) and alike(one.word, member.word) and tokens.opaque(one.value) != mine:
            yield one
