"""Tell whether a fault names the value that carries versions in other requests, and that this one lacks."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading.listed_records import leaves_of
from ifmatch.diagnosis.steps.message_members import sent
from ifmatch.diagnosis.steps.refusal_words import says_outdated
from ifmatch.dialects.glossary import Words, english
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from ifmatch.diagnosis.steps.step import Step

# What services answer to a request that lacks something.
ASKING: Final = frozenset({400, 403, 409, 412, 422, 428})
# Of these, what tells by itself that the request is at fault, and no state.
_FAULTS: Final = frozenset({400, 422, 428})
# Longer answers are records, and shorter names are met by chance.
_LONGEST: Final = 2000
_NAME: Final = 3
# A complaint about one value is short.
_SHORT: Final = 400
# What stands before a name in a code, and behind it.
_WANTS: Final = frozenset(
    {"no", "missing", "without", "lacks", "lacking", "need", "needs", "want", "wants", "require", "requires"}
    | {"errno", "errmissing", "emissing", "eno", "missed", "absent", "empty", "null", "nil", "required"}
)
_IS_WANTED: Final = frozenset(
    {
        "missing",
        "required",
        "absent",
        "null",
        "nil",
        "empty",
        "blank",
        "needed",
        "wanted",
        "mandatory",
        "lacking",
    }
    | {"notset", "notgiven", "notsent", "notpresent", "undefined", "expected", "ismissing", "isrequired"}
)
_CODE: Final = late_pattern(r"(?=[^\W\d])[\w.-]{1,24}")
_FAULTY: Final = Words(r"error|fault|fail|problem|violation|invalid|issues?$|message|detail")
# A name as it stands in a fault: alone, in a pointer to it, or behind a code.
_WORD: Final = late_pattern(r"(?<![^\s/.$:,;|=(\[\"'#-])[^\W\d][\w-]*(?![^\s.:,;|=)\]\"'])")
# What is wrong with a value that is there, or that need not be.
_ANOTHER: Final = Words(
    r"\b(?:unknown|unexpected|unsupported|not (?:allowed|permitted|known|supported)|forbidden|read[ _-]?only"
    r"|immutable|too (?:long|short|large|small|many|big|high|low)|range|format|type|pattern|duplicate"
    r"|unique)\b"
)
# `runNo`, `run_no` and `run-no` are one name.
_PARTS: Final = late_pattern(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_SAID_OF_ONE: Final = (
    r"required|mandatory|missing|obligatory|needed|necessary|absent|lacking|blank|empty|null|none|undefined"
)
_GIVEN: Final = r"given|provided|supplied|specified|sent|set|found|present|named"
_GIVE: Final = r"send|give|specify|supply|provide|include|name|carry|contain|state|pass|add"
# What is said of a value that is not there: alone, behind its name, and before it.
_LACKS: Final = Words(rf"\b(?:{_SAID_OF_ONE})\b|not be (?:blank|empty|null)|\bnot (?:{_GIVEN})\b")
_BEHIND: Final = (
    rf"\b(?:{_SAID_OF_ONE})\b|(?:not|must be|has to be|to be) (?:{_GIVEN})\b|not be (?:blank|empty|null)"
)
_BEFORE: Final = (
    r"\b(?:required|mandatory|missing|obligatory|absent|lacking|lacks?|needs?)\b[^.]{0,20}"
    r"|\b(?:no|without)(?: (?:an?|the|its|your|any))? "
    rf"|\b(?:must|please|has to|have to|should) (?:{_GIVE})\b[^.]{{0,20}}"
)


def wanted_by_name(step: Step, names: frozenset[str]) -> bool:
    """Tell whether a write failed with an answer that says of a value that the request lacks it.

    Names may be words of every day: what an answer says has to be about its absence, or to be nothing but
    the name. The record that an answer shows, or a list of all that may be sent, is no complaint.

    Args:
        step: a write without a version.
        names: what the values are called that carry versions in requests to the service.
    """
    text = step.view.text
    if step.status not in ASKING or not 0 < len(text) <= _LONGEST:
        return False
    here = {_folded(one.word) for one in sent(step)}
    wanted = [one for one in names if len(one) >= _NAME and _folded(one) not in here]
    if not wanted or says_outdated(step):
        return False
    leaves = leaves_of(text) if text.lstrip()[:1] in {"{", "[", "<"} else ()
    fault = step.status in _FAULTS
    return any(_named_alone(leaves, name, fault=fault) or _said_of(leaves, text, name) for name in wanted)


def faulted_alone(step: Step, name: str) -> bool:
    """Tell whether a fault of a write has a name alone, as that of what the request lacks.

    Args:
        step: a write.
        name: of a value that its request has not.
    """
    text = step.view.text
    if step.status not in ASKING or not 0 < len(text) <= _SHORT or len(name) < _NAME:
        return False
    if says_outdated(step) or any(name.casefold() in one.value.casefold() for one in sent(step)):
        return False
    leaves = leaves_of(text) if text.lstrip()[:1] in {"{", "[", "<"} else (("", text.strip()),)
    # A refusal that has the name of another value as well is about the form of the whole.
    given = {_folded(one.word) for one in sent(step)}
    if any(_folded(value) in given for _, value in leaves):
        return False
    words = [word for _, value in leaves for word in _WORD.findall(value)]
    # A code may stand under the name of what it is about.
    under = [where.split("/") for where, value in leaves if _CODE.fullmatch(value)]
    words += [part for steps in under if any(_FAULTY.search(one) for one in steps) for part in steps]
    return any(_lacked(word, name) for word in words) and not any(_ANOTHER.search(one) for _, one in leaves)


def _lacked(word: str, name: str) -> bool:
    """Tell whether a word is a name, or the code of its want: `NO_EDITION`, `edition_missing`."""
    said, called = _folded(word), _folded(name)
    before, held, behind = said.partition(called)
    return bool(held) and (
        said == called or (not behind and before in _WANTS) or (not before and behind in _IS_WANTED)
    )


def _named_alone(leaves: tuple[tuple[str, str], ...], name: str, *, fault: bool) -> bool:
    """Tell whether a value of an answer is the name alone, or a complaint stands under it."""
    for where, value in leaves:
        steps = where.split("/")
        if _folded(value) == _folded(name):
            alone = fault and (
                not steps[-1].isdigit() or sum(_list(one) == _list(where) for one, _ in leaves) == 1
            )
            if alone or any(_LACKS.search(one) for one in (*steps, *_beside(leaves, where))):
                return True
        elif any(_folded(one) == _folded(name) for one in steps) and _LACKS.search(value) is not None:
            return True
    return False


def _list(where: str) -> str:
    return where.rpartition("/")[0]


def _beside(leaves: tuple[tuple[str, str], ...], where: str) -> list[str]:
    """Return the texts of the object in whose list a value stands: `{"loc": ["body", "x"], "msg": ...}`."""
    held = _list(_list(where))
    return [value for other, value in leaves if held and _list(other) == held]


def _said_of(leaves: tuple[tuple[str, str], ...], text: str, name: str) -> bool:
    """Tell whether a sentence of an answer says of a name that there is none."""
    sentences = [value for _, value in leaves] or text.splitlines()
    called = _lacking(name)
    return any(
        called.search(one) is not None or called.search(english(one)) is not None
        for one in sentences
        if len(one) > len(name)
    )


def _folded(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()


@lru_cache(maxsize=256)
def _lacking(name: str) -> re.Pattern[str]:
    """Return the pattern of what says of a name, in whatever way its parts are joined, that there is none."""
    called = {_joined(name), _joined(english(name))}
    there = rf"(?<![^\W_])(?:{'|'.join(sorted(called))})(?![^\W_])"
    return re.compile(rf"{there}[^.]{{0,30}}(?:{_BEHIND})|(?:{_BEFORE}){there}", re.IGNORECASE)


def _joined(name: str) -> str:
    return r"[\W_]?".join([re.escape(one) for one in _PARTS.findall(name)] or [re.escape(name)])
