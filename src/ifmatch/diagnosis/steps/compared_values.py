"""Tell preconditions that name what a thing holds from those that name a version of it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, cast

from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.diagnosis.steps.resources import bare, path_of
from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.reading.conditions import Condition
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.dialects import Dialect

# A number, and the unit that one of two spellings leaves out.
_QUANTITY = late_pattern(r"\s*([+-]?\d+(?:[.,]\d+)?)\s*([A-Za-z%µ°/]{0,6})\s*")
# A number as people and programs write it.
_NUMBER = late_pattern(r"[+-]?\d{1,30}(?:[.,]\d{1,30})?(?:[eE][+-]?\d{1,2})?")
# Below a member that holds the record as it has to be.
_EXPECTED = Words(r"/(?:expect(?:ed|s)?|old|prev(?:ious)?|before|original|preconditions?|compare|asserts?)/")
_LONGEST = 20_000


def of_state(step: Step, condition: Condition) -> bool:
    """Tell whether a precondition is compared with what is stored, by what its dialect knows.

    Args:
        step: the request.
        condition: one of its preconditions.
    """
    dialect = step.dialect
    if dialect is None or not condition.key:
        return False
    shown = {place.shown for place in dialect.states if place.shown}
    return any(place.name in shown for place in dialect.tokens if condition.key in place.feeds)


def compared_as_content(dialect: Dialect | None, pointer: str) -> bool:
    """Tell whether a member is compared because requests say what the record holds, and names no version.

    `{"expected": {"balance": "7"}, ...}` compares the balance: where it differs, the content does.

    Args:
        dialect: of the service, None without one.
        pointer: JSON Pointer (RFC 6901) of a member of the record.
    """
    word = pointer.rpartition("/")[2]
    if dialect is None or not word or called_version(word):
        return False
    keys = [key for place in dialect.tokens if place.name == pointer for key in place.feeds]
    return bool(keys) and all(_EXPECTED.match(key) for key in keys)


def held_before(facts: Facts) -> tuple[str, Step] | None:
    """Return the value that the target held by the last look before the request, and that look.

    A listing counts as well: an entry that names the target, with the member that the dialect compares.

    Args:
        facts: of a request whose precondition names a value.
    """
    own = facts.own(facts.earlier)
    last = next((one for one in reversed(own) if one.read_ok or one.accepted), None)
    if last is not None and last.issued():
        return last.issued()[0], last
    if last is not None:
        return None
    for one in reversed(facts.own(facts.case.steps[: facts.step.order])):
        if not one.is_read or one.content is None or len(one.content) > _LONGEST:
            continue
        value = next(_entry_values(one.view.json, facts), None)
        if value is not None:
            return value, one
    return None


def _entry_values(value: object, facts: Facts) -> Iterator[str]:
    """Yield what the entries of a listing that name the target hold under the compared member."""
    if isinstance(value, list):
        for one in cast("list[object]", value):
            yield from _entry_values(one, facts)
    elif isinstance(value, dict):
        members = cast("dict[str, object]", value)
        held = next((members[name] for name in _members(facts) if isinstance(members.get(name), str)), None)
        if held is not None and any(_names(one, facts.step) for one in members.values() if one is not held):
            yield str(held)
        for one in members.values():
            yield from _entry_values(one, facts)


def _members(facts: Facts) -> list[str]:
    """Return what the dialect calls the member that the precondition is compared with."""
    dialect, guard = facts.step.dialect, facts.guard
    if dialect is None or guard is None:
        return []
    return [place.name.rpartition("/")[2] for place in dialect.tokens if guard.key in place.feeds]


def _names(value: object, step: Step) -> bool:
    """Tell whether a member is the target's path, or the end of it that begins with a slash."""
    path = bare(path_of(step.resource))
    return isinstance(value, str) and value.startswith("/") and len(value) > 1 and path.endswith(value)


def one_number(first: str, second: str) -> bool:
    """Tell whether two texts are one number in two spellings: 12.50 and 12.5, +3 and 3, 1e2 and 100.

    Args:
        first: a value.
        second: another one.
    """
    if not (_NUMBER.fullmatch(first.strip()) and _NUMBER.fullmatch(second.strip())):
        return False
    one, two = (Decimal(text.strip().replace(",", ".")) for text in (first, second))
    return one == two


def one_quantity(first: str, second: str) -> bool:
    """Tell whether two texts are one number, of which one spelling lacks the unit.

    Args:
        first: a value.
        second: another one.
    """
    one, two = _QUANTITY.fullmatch(first), _QUANTITY.fullmatch(second)
    return one is not None and two is not None and one[1] == two[1] and bool(one[2]) is not bool(two[2])
