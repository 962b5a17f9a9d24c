"""Read from a request who sends it: a field, an argument, a cookie or credentials name a user."""

from __future__ import annotations

import base64
import binascii
import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading.contents import value_at
from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.reading.editors import EDITOR
from ifmatch.diagnosis.reading.listed_records import leaves_of
from ifmatch.diagnosis.steps.message_members import sent
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.facts.state_facts import StateFacts
    from ifmatch.diagnosis.steps.step import Step

# Shorter values say nothing of who sent them.
_NAME: Final = 3
# So many own requests are looked at for the name that they came under.
_WRITES: Final = 60
_BASIC: Final = late_pattern(r"Basic\s+([A-Za-z0-9+/=]{4,400})", re.IGNORECASE)
_CLAIMS: Final = late_pattern(r"Bearer\s+[\w-]+\.([\w-]{4,4000})\.[\w-]*", re.IGNORECASE)
_PART: Final = late_pattern(r"[;,\s]+")
# What calls a person or a program; numbers and flags stand for much else.
_NAMED: Final = late_pattern(
    r"(?=.*[^\W\d_])(?!(?:true|false|null|none|yes|no|on|off)$)[\w.@+ -]{3,60}", re.IGNORECASE
)
# A time with a fraction of a second; another seldom writes in the same one.
_FINE: Final = late_pattern(r".*\d\d:\d\d:\d\d[.,]\d{2,}.*|\d{10}[.,]\d{2,}|\d{13}|\d{16}|\d{19}")
# Seconds that a request may take at most for that, and by which the clock of the service may lie beside.
_SHORT: Final = 2.0
_BESIDE: Final = 0.03


def names_of(step: Step) -> frozenset[str]:
    """Return the values of a request's fields, arguments and credentials by which it may say who sends it.

    Args:
        step: the request.
    """
    fields = {value.strip() for _, value in step.sent}
    inner = {one for name, value in step.sent for one in _inside(name.lower(), value.strip())}
    found = fields | inner | set(step.view.query.values())
    return frozenset(one for one in found if len(one) >= _NAME)


def _inside(name: str, value: str) -> Iterator[str]:
    """Yield the names inside one field: credentials and cookies hold several values."""
    if name == "authorization":
        yield from _credentials(value)
    elif name == "cookie":
        yield from (one.partition("=")[2].strip('"') for one in _PART.split(value))


@lru_cache(maxsize=256)
def _credentials(value: str) -> tuple[str, ...]:
    """Return the user of Basic credentials, or what the claims of a token say (RFC 7617, RFC 7519)."""
    basic, claims = _BASIC.fullmatch(value), _CLAIMS.fullmatch(value)
    if basic is not None:
        return (_plain(basic[1]).partition(":")[0],)
    if claims is None:
        return ()
    try:
        told: object = json.loads(_plain(claims[1]))
    except ValueError:
        return ()
    held = members_in(told)
    return tuple(one for one in held.values() if isinstance(one, str))


def _plain(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode(errors="replace")
    except (ValueError, binascii.Error):
        return ""


def names_itself(step: Step, pointer: str, value: str) -> bool:
    """Tell whether a name in a record is the one that a request carries at that place, or came under.

    Args:
        step: the request.
        pointer: JSON Pointer to the member.
        value: the name.
    """
    return value == str(value_at(step.body, pointer)) or value in names_of(step)


def signed_by_own(facts: StateFacts, pointer: str, name: str) -> bool:
    """Tell whether the answer to a write that the client got in has a name in the same place: it is its own.

    Args:
        facts: of a refused request.
        pointer: JSON Pointer to the name.
        name: in the record.
    """
    own = facts.own(facts.case.steps)[-_WRITES:]
    return any(one.accepted and str(value_at(one.shown_content, pointer)) == name for one in own)


def signs_senders(facts: StateFacts, pointer: str) -> bool:
    """Tell whether a member has the name of whoever wrote last, whatever it is called in whatever language.

    The answer to an own write has there the very name under which that write came, and the write has not.

    Args:
        facts: of a refused request.
        pointer: JSON Pointer to the member.
    """
    if not pointer or facts.source is None:
        return False
    for one in facts.own(facts.history)[-_WRITES:]:
        said = value_at(one.shown_content, pointer) if one.accepted and one.is_write else None
        if isinstance(said, str) and len(said) >= _NAME and said in names_of(one):
            return value_at(one.body, pointer) != said
    return False


def sender_of(step: Step) -> frozenset[str]:
    """Return the names of the sender in a request: of credentials, cookies and fields of the service's own.

    Args:
        step: the request.
    """
    own = {one.value for one in sent(step) if one.where == "header" and _NAMED.fullmatch(one.value)}
    inner = {one for name, value in step.sent for one in _inside(name.lower(), value.strip())}
    return frozenset(one for one in own | inner if len(one) >= _NAME)


def signed_since(facts: Facts, attempt: Step) -> tuple[Step, str] | None:
    """Return the read that has what an attempt sent, and names its sender as its last editor; told in words.

    The version that the attempt was made from names somebody else, and nobody else came under that name; or
    it names the same, and a time beside the name lies within the attempt.

    Args:
        facts: of a refused request.
        attempt: this request, or an earlier one with the same intent.
    """
    before, now, refresh = facts.base_content, facts.current_content, facts.refresh
    if before is None or now is None or refresh is None or not facts.ours_is_there:
        return None
    was, there = dict(leaves_of(before.text)), leaves_of(now.text)
    names, known = names_of(attempt), sender_of(attempt)
    for name, value in there:
        if value not in names or name not in was or not was[name]:
            continue
        by_name = any(EDITOR.search(part) for part in name.split("/"))
        if was[name] in names:
            since = "and a time of this very request"
            signed = (by_name or value in known) and was[name] == value and _just_then(attempt, was, there)
        else:
            since = "as it did not before"
            # Whatever the member is called: the service has put the sender's name there.
            signed = by_name or (value in known and _by_service(attempt, name, value))
        if signed and _alone(facts, attempt, value):
            return refresh, f"the state names who sent this very request as its last editor, {since}"
    return None


def _by_service(attempt: Step, name: str, value: str) -> bool:
    """Tell whether a value in a record is none that the content of a request has, by any name."""
    carried = leaves_of(attempt.body.text) if attempt.body is not None else ()
    return not any(one == value for _, one in carried) and name.count("/") <= 1


def _just_then(attempt: Step, was: dict[str, str], there: Iterable[tuple[str, str]]) -> bool:
    """Tell whether a time that a record has anew, told to the fraction of a second, lies within a request."""
    if not attempt.timed or attempt.end - attempt.start > _SHORT:
        return False
    for name, value in there:
        if was.get(name) == value or name not in was or _FINE.fullmatch(value) is None:
            continue
        moment = told_moment(value)
        if moment is not None and attempt.start - _BESIDE <= moment <= attempt.end + _BESIDE:
            return True
    return False


def _alone(facts: Facts, attempt: Step, name: str) -> bool:
    """Tell whether only one actor is seen under a name, and none of its other writes was taken since."""
    others = [one for one in facts.history if one is not attempt and name in names_of(one)]
    if any(one.actor != attempt.actor for one in others):
        return False
    base = facts.base.order if facts.base is not None else -1
    return not any(one.accepted and one.is_write and one.order > base for one in others)
