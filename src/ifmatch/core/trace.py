"""Tell why a precondition came out as it did.

This walks section 13.2.2 again, with parsed values and plain steps. It shares the parsers with the evaluator
but not its shortcuts; a property test holds the two together.

Source: RFC 9110 section 13.2.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ifmatch.core.conditional_fields import CONDITIONAL_FIELDS, ConditionalFields, Values, parse_values
from ifmatch.core.entity_tag import EntityTag
from ifmatch.core.http_date import Clock, format_http_date
from ifmatch.core.list_syntax import Wildcard, well_formed_members
from ifmatch.core.malformed import Malformed

if TYPE_CHECKING:
    from datetime import datetime

    from ifmatch.core.list_syntax import TagList
    from ifmatch.core.representation import Representation

__all__ = ["Condition", "Step", "Trace", "explain"]


class Condition(enum.Enum):
    """What a condition is: true, false, or neither because it does not apply.

    Source: RFC 9110 section 13.1.
    """

    TRUE = "true"
    FALSE = "false"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One precondition of a request and what became of it.

    Attributes:
        number: the step of RFC 9110 section 13.2.2, 1 to 5.
        field: name of the field.
        value: its value, lines joined.
        condition: what the condition is.
        reason: why, one sentence without a full stop.
        section: the section of RFC 9110 that decides.
        tag: the member of the field that decided, None when no single one did.
        malformed: where and why the value is malformed, None when it is not.
    """

    number: int
    field: str
    value: str
    condition: Condition
    reason: str
    section: str
    tag: EntityTag | None = None
    malformed: Malformed | None = None

    def __str__(self) -> str:
        return (
            f"step {self.number}, {self.field}: {self.value} -> {self.condition.value}:"
            f" {self.reason} (RFC 9110 section {self.section})"
        )


@dataclass(frozen=True, slots=True)
class Trace:
    """The steps of one evaluation, in the order of RFC 9110 section 13.2.2.

    Attributes:
        steps: one for each conditional field that the request carries.
        status: None to perform the request, else 304 or 412.
    """

    steps: tuple[Step, ...]
    status: int | None

    @property
    def deciding(self) -> Step | None:
        """Return the step that refused the request, None when it is to be performed.

        Source: RFC 9110 section 13.2.2.
        """
        if self.status is None:
            return None
        return next((step for step in self.steps if step.condition is Condition.FALSE), None)

    def __str__(self) -> str:
        outcome = "perform the request" if self.status is None else f"answer {self.status}"
        return "\n".join((*map(str, self.steps), outcome))


_STEP = {"If-Match": 1, "If-Unmodified-Since": 2, "If-None-Match": 3, "If-Modified-Since": 4, "If-Range": 5}
_SECTION = {
    "If-Match": "13.1.1",
    "If-None-Match": "13.1.2",
    "If-Modified-Since": "13.1.3",
    "If-Unmodified-Since": "13.1.4",
    "If-Range": "13.1.5",
}


@dataclass(frozen=True, slots=True)
class _Finding:
    condition: Condition
    reason: str
    tag: EntityTag | None = None
    malformed: Malformed | None = None
    section: str = ""


def _not_applicable(reason: str, section: str = "") -> _Finding:
    return _Finding(Condition.NOT_APPLICABLE, reason, section=section)


def explain(
    method: str,
    values: Values | None,
    current: Representation | None,
    creates: bool | None,
    now: Clock | None,
) -> Trace:
    """Walk the steps of RFC 9110 section 13.2.2 and say at each what the condition is and why.

    Args:
        method: the request method.
        values: the values that `conditional_values` collected.
        current: the selected representation, None when there is none.
        creates: whether the method would make a missing resource; None: PUT does, others do not.
        now: the present, None for the clock of this machine; for dates with a two-digit year only.

    Source: RFC 9110 section 13.2.
    """
    if values is None:
        return Trace((), None)
    present: dict[str, str | None] = dict(zip(CONDITIONAL_FIELDS, values, strict=True))
    fields = parse_values(values, now)
    ignored = _ignored(method, current, method == "PUT" if creates is None else creates)
    steps: list[Step] = []
    status: int | None = None
    decided_at = 0
    for name, number in _STEP.items():
        value = present[name]
        if value is None:
            continue
        if ignored is not None:
            finding = ignored
        elif decided_at:
            finding = _not_applicable(f"step {decided_at} has decided", "13.2.2")
        else:
            finding = _finding(name, method, fields, current)
        steps.append(
            Step(
                number=number,
                field=name,
                value=value,
                condition=finding.condition,
                reason=finding.reason,
                section=finding.section or _SECTION[name],
                tag=finding.tag,
                malformed=finding.malformed,
            )
        )
        if finding.condition is Condition.FALSE and name != "If-Range":
            decided_at = number
            reads = name in ("If-None-Match", "If-Modified-Since") and method in ("GET", "HEAD")
            status = 304 if reads else 412
    return Trace(tuple(steps), status)


def _ignored(method: str, current: Representation | None, creates: bool) -> _Finding | None:
    if method in ("CONNECT", "OPTIONS", "TRACE"):
        return _not_applicable(f"{method} neither selects nor changes a representation", "13.2.1")
    if current is None and not creates:
        reason = f"there is no current representation and {method} does not make one, so the answer is 404"
        return _not_applicable(reason, "13.2.1")
    return None


def _finding(name: str, method: str, fields: ConditionalFields, current: Representation | None) -> _Finding:
    if name == "If-Match" and fields.if_match is not None:
        return _if_match(fields.if_match, current)
    if name == "If-None-Match" and fields.if_none_match is not None:
        return _if_none_match(fields.if_none_match, current)
    if name == "If-Unmodified-Since" and fields.if_unmodified_since is not None:
        if fields.if_match is not None:
            return _not_applicable("If-Match is there, and its presence switches this field off")
        return _date(fields.if_unmodified_since, current, true_when_modified=False)
    if name == "If-Modified-Since" and fields.if_modified_since is not None:
        if fields.if_none_match is not None:
            return _not_applicable("If-None-Match is there, and its presence switches this field off")
        if method not in ("GET", "HEAD"):
            return _not_applicable(f"the method is {method}, and the field is for GET and HEAD")
        return _date(fields.if_modified_since, current, true_when_modified=True)
    if method != "GET":
        return _not_applicable(f"the method is {method}, and Range is for GET")
    if fields.range is None or fields.if_range is None:
        return _not_applicable("there is no Range")
    if current is None:
        return _not_applicable("there is no current representation to take a range of")
    return _if_range(fields.if_range, current)


def _if_match(tags: TagList, current: Representation | None) -> _Finding:
    if isinstance(tags, Malformed):
        return _Finding(Condition.FALSE, f"the value is malformed: {tags.reason}", malformed=tags)
    if isinstance(tags, Wildcard):
        return _existence(current, true_when_it_exists=True)
    etag = None if current is None else current.etag
    if etag is None:
        what = "there is no current representation" if current is None else "it has no entity tag"
        return _Finding(Condition.FALSE, f"{what}, so no tag can match")
    for tag in tags:
        if tag.strongly_matches(etag):
            return _Finding(Condition.TRUE, f"{tag} is the current tag", tag)
    for tag in tags:
        if tag.weakly_matches(etag):
            reason = f"{tag} equals the current tag {etag} only by the weak comparison"
            return _Finding(Condition.FALSE, reason, tag, section="8.8.3.2")
    if not tags:
        return _Finding(Condition.FALSE, "the list is empty, so no tag matches")
    return _Finding(Condition.FALSE, f"the current tag {etag} is not in the list")


def _if_none_match(tags: TagList, current: Representation | None) -> _Finding:
    if isinstance(tags, Wildcard):
        return _existence(current, true_when_it_exists=False)
    malformed = tags if isinstance(tags, Malformed) else None
    members = well_formed_members(tags.text) if isinstance(tags, Malformed) else tags
    etag = None if current is None else current.etag
    for tag in members:
        if etag is not None and tag.weakly_matches(etag):
            return _Finding(Condition.FALSE, f"{tag} matches the current tag {etag}", tag, malformed)
    if malformed is not None:
        reason = f"the value is malformed: {malformed.reason}"
        return _Finding(Condition.TRUE, reason, malformed=malformed)
    if current is None:
        return _Finding(Condition.TRUE, "there is no current representation")
    what = "it has no entity tag" if etag is None else f"the current tag {etag} is not in the list"
    return _Finding(Condition.TRUE, what)


def _existence(current: Representation | None, *, true_when_it_exists: bool) -> _Finding:
    exists = current is not None
    reason = "a current representation exists" if exists else "there is no current representation"
    return _Finding(Condition.TRUE if exists is true_when_it_exists else Condition.FALSE, reason)


def _date(
    date: datetime | Malformed, current: Representation | None, *, true_when_modified: bool
) -> _Finding:
    if isinstance(date, Malformed):
        reason = f"the value is not one valid date: {date.reason}"
        return _Finding(Condition.NOT_APPLICABLE, reason, malformed=date)
    modified_at = None if current is None else current.last_modified
    if modified_at is None:
        return _not_applicable("no modification date is known")
    modified = modified_at > date
    what = "later than" if modified else "not later than"
    reason = f"Last-Modified is {format_http_date(modified_at)}, {what} the date of the field"
    return _Finding(Condition.TRUE if modified is true_when_modified else Condition.FALSE, reason)


def _if_range(validator: EntityTag | datetime | Malformed, current: Representation) -> _Finding:
    if isinstance(validator, Malformed):
        reason = f"the value is neither one tag nor one date: {validator.reason}"
        return _Finding(Condition.FALSE, reason, malformed=validator)
    if isinstance(validator, EntityTag):
        etag = current.etag
        if etag is None:
            return _Finding(Condition.FALSE, "the representation has no entity tag", validator)
        if etag.strongly_matches(validator):
            return _Finding(Condition.TRUE, f"{validator} is the current tag", validator)
        if etag.weakly_matches(validator):
            reason = f"{validator} equals the current tag {etag} only by the weak comparison"
            return _Finding(Condition.FALSE, reason, validator, section="8.8.3.2")
        return _Finding(Condition.FALSE, f"the current tag is {etag}", validator)
    if current.last_modified != validator:
        return _Finding(Condition.FALSE, "the date is not exactly that of Last-Modified")
    if not current.last_modified_is_strong:
        return _Finding(Condition.FALSE, "Last-Modified is a weak validator", section="8.8.2.2")
    return _Finding(Condition.TRUE, "the date is exactly that of Last-Modified, a strong validator")
