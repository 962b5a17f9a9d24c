"""Find successes whose content has the code 412 where nothing was to be compared: a guard's answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.damages import Damage
from ifmatch.diagnosis.reading.pages import is_page
from ifmatch.diagnosis.reading.version_words import called_version, speaks_of_versions
from ifmatch.diagnosis.steps.message_members import sent, shown
from ifmatch.diagnosis.steps.resources import host_of
from ifmatch.dialects.glossary import Words
from ifmatch.model.diagnosis import Outcome
from ifmatch.model.json_values import members_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.steps.step import Step

_NEAR: Final = 60
_OK: Final = range(200, 300)
_FEW: Final = 4000
_PAGE: Final = "the heading of a page"
_HEADING: Final = Words(
    r"(?i)<(?:title|h[1-3])\b[^>]{0,80}>\s*(?:(?:http|error|status|code|fault)[\s:#/.\d-]{1,6}){0,3}412\b[^<]{0,80}</"
)
_CODES: Final = frozenset({"412", "-412"})
_DIGITS: Final = "412"
# What an answer's own code of success is.
_FINE: Final = frozenset({"0", "200", "201", "1", "ok", "success", "", "00", "000", "10000", "20000"})
_CODE: Final = Words(
    r"(?:err(?:or)?|result|return|ret|status|response|resp|biz|sub|http|api|app)?[-_]?(?:code|no|status"
    r"|num(?:ber)?|ret|rc)"
    r"|ret|rc|err(?:or)?|status|result|state|code"
)
_OF_STATE: Final = Words(
    r"if-(?:un)?(?:none-)?m|\be-?tag|\bversions?\b|revision|\bstale\b|concurren|meanwhile|in the meantime"
    r"|out of date"
    r"|since (?:you|it was)|conflict|already exists|\block(?:ed)?\b|(?<!p)lease|expected|mismatch|required"
)


def codes_inside(case: Case) -> Iterator[tuple[Step, Damage]]:
    """Yield the first request of each actor and service that a 412 in a success answers without a condition.

    Args:
        case: everything known.
    """
    seen: set[tuple[str, str]] = set()
    for step in case.steps:
        key = step.actor, host_of(step.resource)
        found = _coded(step) if key not in seen else None
        if found is None or _under_version(step):
            continue
        name, value = found
        other = _otherwise(case, step, name)
        if other is None or not _says_less(step, other) or value in {one.value for one in sent(step)}:
            continue
        seen.add(key)
        same = other.exchange.request.url == step.exchange.request.url and other.order > step.order
        text = f"{name} {value} in a success, where the request has no condition and names no version"
        yield step, Damage(Outcome.ERROR, text, lost=other, coded=True, proven=same)


def _coded(step: Step) -> tuple[str, str] | None:
    """Return the member of an answer that has the code, and nothing else of content, with its value."""
    if step.status not in _OK or step.content is None or len(step.content) > _FEW or step.batched:
        return None
    # Digits need no escapes, though JSON lets any sign be written as one.
    if _DIGITS not in step.content.text and "\\u" not in step.content.text:
        return None
    if is_page(step.view.text):
        heading = _HEADING.search(step.view.text)
        return (_PAGE, "412") if heading is not None and "412" not in step.exchange.request.url else None
    told = _members(step)
    for outer in (told, *map(members_in, told.values())):
        for name, value in outer.items():
            if str(value) in _CODES and not isinstance(value, bool) and _CODE.fullmatch(name):
                return name, str(value)
    return None


def _under_version(step: Step) -> bool:
    """Tell whether a request carries a condition, or what may be one, or its answer speaks of one."""
    if step.conditions or any(speaks_of_versions(one) or called_version(one.word) for one in sent(step)):
        return True
    # Reads are refused over no state.
    return step.is_write and _OF_STATE.search(step.view.text) is not None


def _otherwise(case: Case, step: Step, name: str) -> Step | None:
    """Return the request of the kind whose answer has a code of success there: the very same, or another."""
    near = case.steps[max(0, step.order - _NEAR) : step.order + _NEAR]
    path = step.resource.partition("?")[0]
    alike = [
        one
        for one in near
        if one.actor == step.actor
        and host_of(one.resource) == host_of(step.resource)
        and one.method == step.method
        and one.content is not None
        and _fine(one, name)
    ]
    again = [
        one
        for one in alike
        if one.order > step.order and one.exchange.request.url == step.exchange.request.url
    ]
    beside = [one for one in alike if one.resource.partition("?")[0] == path]
    return next(iter((*again, *beside, *alike)), None)


def _says_less(step: Step, other: Step) -> bool:
    """Tell whether an answer lacks what the other one gives: records of one kind have the same members."""
    return bool(_given(other) - _given(step))


def _members(one: Step) -> dict[str, object]:
    """Return the members of an answer, those of short XML too, as values of its elements and attributes."""
    told = members_in(one.view.json)
    text = one.view.text if not told else ""
    if not text.lstrip().startswith("<") or len(text) > _FEW:
        return told
    return {held.word: held.value for held in shown(one) if held.where == "text"}


def _given(one: Step) -> set[str]:
    told = _members(one)
    nested = {
        f"{name}/{word}"
        for name, held in told.items()
        for word, value in members_in(held).items()
        if value is not None
    }
    return {name for name, value in told.items() if value is not None and value not in ({}, [], "")} | nested


def fails_by_code(step: Step, near: Sequence[Step], old: str, new: str) -> bool:
    """Tell whether an answer has a code in it other than that of success, beside two versions.

    Others of the kind have one of success there. What counts a record may be called its state: then the code
    is all that has gone on, and what has the older value is what has it in every answer.

    Args:
        step: a write under a success.
        near: requests of the same service.
        old: the version that was sent.
        new: the later one that is told.
    """
    if step.status not in _OK or step.content is None or len(step.content) > _FEW:
        return False
    told = members_in(step.view.json)
    # What the request sends by that name is of the record: the state that it is in, or counted by.
    asked = members_in(step.view.sent_json)
    for name, value in told.items():
        if name in asked:
            continue
        plain = isinstance(value, str | int) and not isinstance(value, bool)
        if not plain or _CODE.fullmatch(name) is None or str(value).lower() in _FINE or " " in str(value):
            continue
        path = step.exchange.request.url.partition("?")[0]
        same = [one for one in near if one.exchange.request.url.partition("?")[0] == path and one is not step]
        fine = [one for one in same if one.content is not None and len(one.content) <= _FEW]
        fine = [one for one in fine if _fine(one, name)]
        if fine and value not in {one.value for one in sent(step)}:
            usual = [members_in(one.view.json) for one in fine if one.order < step.order]
            beside = {one: held for one, held in told.items() if one != name}
            moved = {
                one: held
                for one, held in beside.items()
                if not any(one in had and had[one] == held for had in usual)
            }
            return _has(moved, old) and _has(beside, new)
    return False


def _has(members: Mapping[str, object], version: str) -> bool:
    """Tell whether some members have a version, in a text or deeper inside too."""
    wanted = re.compile(rf"(?<![\w.-]){re.escape(version)}(?![\w-])")
    return any(wanted.search(str(value)) for value in members.values())


def _fine(one: Step, name: str) -> bool:
    if name == _PAGE:
        # Where a page stands in the way, what is meant is none.
        return one.status in _OK and not is_page(one.view.text)
    told = _members(one)
    return any(
        name in outer and str(outer[name]).lower() in _FINE
        for outer in (told, *map(members_in, told.values()))
    )
