"""Tell from the answer to a write, or a report about it, that somebody holds the thing, whatever the status.

The words are those of locks, checkouts, permits, reservations and the like; a hold that the state of the
thing shows, with who has it and until when, says the same where an answer only names who that is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from ifmatch.diagnosis.aftermath.freezes import frozen
from ifmatch.diagnosis.links.operations import operation
from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.steps.message_members import sent
from ifmatch.diagnosis.steps.refusal_words import says_done
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.steps.step import Step

_LONGEST: Final = 4000
_DEEP: Final = 4
_SHORT: Final = 3
_HELD: Final = (
    r"locked|held|reserved|checked[ _-]?out|claimed|occupied|leased|in edit(?:ing)?"
    r"|being (?:edited|modified|changed|worked on)"
    r"|(?:opened|open|taken|kept|in use|assigned|reserved|blocked) "
    r"(?:for (?:edit(?:ing)?|changes?|writing)[ _-])?"
)
_HOLD: Final = (
    r"(?:edit(?:ing)?[ _-]?|write[ _-]?|change[ _-]?|work[ _-]?)?(?:lock|lease|check[ _-]?out|permit"
    r"|reservation|ticket|hold|claim|grant|edit(?:ing)?[ _-]?(?:right|session|token|pass|slip|key)|latch|seat"
    r"|borrowing|loan)"
)
_WITHOUT: Final = (
    r"missing|required|needed|not (?:held|yours|valid|known|found|active|given|present|owned|open)|no longer"
    r"|lost|belongs? to|taken over|passed (?:on )?to|unknown|expired|invalid|is another|of another|broken"
    r"|withdrawn|revoked"
)
_LACKS: Final = r"missing|required|lost|expired|no(?: valid| own| such)?|without(?: an?| own| the)?"
_SAYS: Final = Words(
    rf"\b(?:{_HELD})[ _-]*(?:for )?by\b|\b(?:{_HELD})[ _-]*(?:until|till)\b"
    rf"|\b(?:{_LACKS})[ :]+(?:[xX]-)?{_HOLD}\b"
    rf"|\b(?:[xX]-)?{_HOLD}\b[^.;\n]{{0,30}}\b(?:{_WITHOUT})\b"
    rf"|\b{_HOLD}[^.;\"\n]{{0,20}} (?:is )?(?:held |owned |kept )?by\b"
    r"|\b(?:somebody|someone|another (?:user|person|editor|desk|client)|other user)\b[^.\"\n]{0,30}"
    r"\b(?:edit\w*|holds?|has (?:it|the)|working)\b"
    r"|\block(?:ed)?[ _-]?(?:holder|owner)\b"
)
# A code, and who or until when as the next member, attribute or column: `"c":"HELD","by":"anl"`.
_CODED: Final = Words(
    rf"(?<![a-z])(?:is[ _-]|already[ _-])?(?:{_HELD}|lock|lease|in[ _-]use|busy)"
    r"(?:[ _-](?:out|record|item|row|object|already|error|conflict))?[\"'>]?[\s,;:|}]{1,4}<?[\"']?"
    r"(?:(?:held|locked|kept|taken|owned)[ _-]?)?(?:by|holder|owner|until|till|who|since)"
    r"[\"'>]?\s?[=:|>]"
)
# A hold of one's own stands in nobody's way.
_OWN: Final = Words(r"\bby (?:you|me|yourself|myself|us|this (?:client|session|user))\b")
# Locks of databases and transactions are nothing that a client holds.
_INNER: Final = Words(r"optimistic[ _-]?lock|deadlock|lock ?version|lock wait|StaleObject")
# What several things have is held by nobody.
_SEVERAL: Final = Words(
    rf"\b(?:{_HELD})[ _-]*by "
    r"(?:\d+|two|three|four|five|several|many|multiple|both|more than|various|different)\b"
)
# What a try to get a hold is called, and how it says for whom and how long.
_TAKES: Final = Words(
    r"(?i)(?:try_?)?(?:un_?|re_?)?(?:locks?|locking|acquire|leases?|check_?(?:out|in)|checkouts?|reserve"
    r"|reservations?|claims?|holds?|permits?|tickets?|borrow|release|renew)"
)
_HOLDER: Final = Words(
    r"(?i)(?:lock_?|lease_?)?(?:holder\w*|ttl\w*|owner|locked_?by|lease_?(?:seconds|duration))"
)
# The words of a name: `lockPage`, `page_lock`.
_PARTS: Final = late_pattern(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_NAMED: Final = Words(rf"{_HOLD}|(?:{_HELD})(?:[ _-]?(?:by|for|until))?|holder|editor")


def says_held(text: str) -> bool:
    """Tell whether what is told of a write says that somebody holds the thing, or that its sender does not.

    Args:
        text: of an answer or a report.
    """
    told = text[:_LONGEST]
    if says_done(told) or _OWN.search(told) is not None or _SEVERAL.search(told) is not None:
        return False
    held = _SAYS.search(told) is not None or _CODED.search(told) is not None
    return held and _INNER.search(told) is None and not frozen(told)


def coded_hold(text: str) -> bool:
    """Tell whether a refusal is a code of a hold, with who has it or until when as the next member.

    Args:
        text: of the answer.
    """
    told = text[:_LONGEST]
    return _CODED.search(told) is not None and _INNER.search(told) is None and not frozen(told)


def asks_to_hold(step: Step) -> bool:
    """Tell whether a request is itself the try to get a hold: by what it calls, or by whom it names.

    Args:
        step: any write.
    """
    last = re.split(r"[/:#]", urlsplit(step.exchange.request.url).path.rstrip("/"))[-1]
    if any(_TAKES.fullmatch(one) is not None for one in (last, *_PARTS.findall(operation(step)))):
        return True
    return any(_HOLDER.fullmatch(one.word) is not None for one in sent(step) if one.where != "header")


def held_by_state(write: Step, looks: Sequence[Step]) -> bool:
    """Tell whether looks at a thing show who holds it, and the answer to a write names that or its ticket.

    Args:
        write: not carried out.
        looks: at the thing, before the write and after it.
    """
    text = write.view.text[:_LONGEST]
    if frozen(text):
        return False
    mine = {one.value for one in sent(write)}
    for look in looks:
        for hold in _holds(look.view.json, "", 0):
            names = {one for one in hold.values() if isinstance(one, str) and told_moment(one) is None}
            until = [one for value in hold.values() if isinstance(value, str) and (one := told_moment(value))]
            lasts = not until or not write.timed or max(until) > write.start or len(names) > 1
            if lasts and not names & mine and any(len(one) >= _SHORT and one in text for one in names):
                return True
    return False


def _holds(value: object, name: str, depth: int) -> Iterator[dict[str, object]]:
    """Yield the members of a record that are called like a hold, with what they hold."""
    if not isinstance(value, dict) or depth > _DEEP:
        return
    record = cast("dict[str, object]", value)
    if name and _NAMED.search(name) is not None:
        yield record
    for word, one in record.items():
        if isinstance(one, dict):
            yield from _holds(cast("dict[str, object]", one), word, depth + 1)
        elif isinstance(one, str) and _NAMED.search(word) is not None:
            yield {word: one}
