"""Find writes that pass once a hold is taken: the same again, with a key that was given out in between.

Whatever the answer to the first try says, and whatever the hold and its key are called, the second tells that
it was a hold that was lacking: all else is as it was, the version too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.facts.row_reasons import Reason, shorten
from ifmatch.diagnosis.reading.contents import same_content
from ifmatch.diagnosis.reading.dates import told_moment
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.message_members import sent, shown
from ifmatch.diagnosis.steps.resources import bare, host_of
from ifmatch.dialects.glossary import Words
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.steps.message_members import Member
    from ifmatch.diagnosis.steps.step import Step

_NEAR: Final = 60
_FEW: Final = 4000
_DONE: Final = range(200, 300)
# What is no success of a write over a hold, by status or by what the answer says.
_REFUSALS: Final = frozenset({400, 403, 405, 409, 412, 422, 423, 424, 428})
# A shorter key is met by chance.
_TELLING: Final = 2
# What holds are called, in names of fields and places, and in codes.
_HOLD: Final = Words(
    r"(?i)(?<![^\W_])(?:un)?(?:lock(?:ed|s|ing)?|leas(?:e[ds]?|ing)|check[-_ ]?(?:ed[-_ ]?)?out|checkouts?"
    r"|h[eo]ld(?:s|er|ing)?"
    r"|claim(?:ed|s)?|reserv(?:e[ds]?|ations?|ing)|seat|latch|borrow(?:ed|ing)?|permits?"
    r"|occup(?:y|ied)|in[-_ ]?use|edit(?:ing)?[-_ ]?(?:session|right|token|slip|pass)"
    r"|mutex|semaphore)(?![a-z])"
)
# Keys of other kinds that a client has to fetch before it writes.
_OTHERS: Final = Words(
    r"(?i)csrf|xsrf|nonce|captcha|challenge|otp|mfa|2fa|totp|auth|login|sign[-_ ]?in"
    r"|session(?![-_ ]?lock)|bearer"
    r"|consent|approv|confirm|idempoten|quote|upload|receipt|payment"
)


class _Key(Frozen, frozen=True):
    """A key that a write passed with.

    Attributes:
        name: of the field, parameter or member that carries it.
        grant: the request that it was given for.
        passed: the write with it.
        back: the request that gave it back; None where none did.
    """

    name: str
    grant: Step
    passed: Step
    back: Step | None


def of_key(case: Case, step: Step) -> Reason | None:
    """Return that a hold was lacking where a write passes once one is taken; None where nothing shows it.

    Args:
        case: everything known.
        step: a write.
    """
    if not step.is_write or step.batched or not _may_lack(step):
        return None
    own = [
        one
        for one in case.steps[step.order + 1 : step.order + _NEAR]
        if one.actor == step.actor and host_of(one.resource) == host_of(step.resource)
    ]
    found = _taken(step, own)
    if found is None:
        return None
    answer = step.view.text[:_FEW]
    what = f"the very same passed with {found.name}, which had been given out in between"
    said = [(what, 3.5, found.passed), ("it was asked for after the refusal", 1.5, found.grant)]
    if found.back is not None:
        said.append(("it was given back afterwards", 1.0, found.back))
    if answer:
        said.append((f"what is told of the write without it: “{shorten(answer)}”", 1.0, step))
    return Reason("lease-or-lock", tuple(said))


def _may_lack(step: Step) -> bool:
    if step.status in _REFUSALS:
        return True
    return step.status in _DONE and (step.negative or step.seen.report is not None)


def _taken(step: Step, own: Sequence[Step]) -> _Key | None:
    """Return the key with which the same write passed."""
    again = (
        one for one in own if one.is_write and one.method == step.method and one.resource == step.resource
    )
    passed = next(again, None)
    if passed is None or not passed.accepted or not _same(step, passed):
        return None
    before = {(one.where, one.name): one.value for one in sent(step)}
    for key in _more(before, passed):
        for grant in own[: own.index(passed)]:
            if not _grants(grant, step, key.value):
                continue
            later = own[own.index(passed) + 1 :]
            back = next((one for one in later if _gives_back(one, grant, key.value)), None)
            place = grant.exchange.request.url.partition("://")[2].partition("/")[2]
            texts = (key.name, place, step.view.text[:_FEW], grant.view.sent_text[:_FEW])
            hold = any(_HOLD.search(one) for one in texts) or (back is not None and _for_a_time(grant))
            if hold and not (_OTHERS.search(key.name) or _OTHERS.search(place)):
                return _Key(key.name, grant, passed, back)
    return None


def _more(before: dict[tuple[str, str], str], passed: Step) -> Iterator[Member]:
    """Yield what a write carries and the one before did not, none of it a version."""
    old = set(before.values())
    for one in sent(passed):
        new = (one.where, one.name) not in before and one.value not in old
        if new and len(one.value) > _TELLING and (_HOLD.search(one.name) or not called_version(one.word)):
            yield one


def _same(one: Step, two: Step) -> bool:
    """Tell whether two writes mean the same: their conditions, and their contents but for one more member."""
    guards = [None if each.guard is None else each.guard.value for each in (one, two)]
    if guards[0] != guards[1]:
        return False
    if one.body is None or two.body is None or same_content(one.body, two.body):
        return (one.body is None) == (two.body is None)
    mine = {(each.name, each.value) for each in sent(one) if each.where in {"body", "text"}}
    theirs = {(each.name, each.value) for each in sent(two) if each.where in {"body", "text"}}
    return mine < theirs and len(theirs) - len(mine) == 1


def _grants(grant: Step, step: Step, value: str) -> bool:
    """Tell whether a request, other than the write itself, was answered with a key that it did not carry."""
    if not grant.is_write or grant.status not in _DONE or grant.negative or grant.resource == step.resource:
        return False
    if value in grant.exchange.request.url or value in grant.view.sent_text:
        return False
    place = (grant.header("location") or "").rstrip("/").rpartition("/")[2]
    return value == place or any(one.value.strip("<>") == value.strip("<>") for one in shown(grant))


def _gives_back(one: Step, grant: Step, value: str) -> bool:
    """Tell whether a request ends what was taken: it removes its place, or carries its key and no change."""
    if not one.is_write or one.status not in _DONE:
        return False
    here = bare(grant.exchange.request.url)
    there = bare(one.exchange.request.url)
    if one.method == "DELETE":
        return there.startswith(here) or value in there
    carries = value in one.exchange.request.url or any(each.value == value for each in sent(one))
    return carries and there.startswith(here.rpartition("/")[0]) and len(sent(one)) <= _TELLING


def _for_a_time(grant: Step) -> bool:
    """Tell whether what was taken is given for a time: by what was asked, or by the answer."""
    told = [*shown(grant), *sent(grant)]
    return any(told_moment(one.value) is not None or one.value.isdigit() for one in told)
