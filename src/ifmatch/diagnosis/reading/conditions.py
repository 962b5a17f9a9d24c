"""Find the preconditions of a request, whatever field, parameter or member carries them.

HTTP's own fields are RFC 9110 section 13.1; what API families carry elsewhere is data in `ifmatch.dialects`.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.dates import http_date, instant
from ifmatch.dialects import Carrier, Demand, Meaning, View, guards_in, unseen_guard
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content
from ifmatch.model.quick import quick
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.dialects import Dialect, PresentedGuard, Refusal
    from ifmatch.model.message import Request


class Guard(enum.StrEnum):
    """What a precondition demands of the current state."""

    SAME = "same"  # the state is the one that this token names
    SAME_DATE = "same-date"  # nothing changed since this date
    EXISTS = "exists"
    ABSENT = "absent"
    DIFFERENT = "different"  # a read that wants news only, or a cache's validator
    DIFFERENT_DATE = "different-date"
    RANGE = "range"
    LOCK = "lock"


_PLACE: Final = late_pattern(r"offset|position|append-?pos", re.IGNORECASE)
_DATED: Final = late_pattern(r"-if-unmodified-since$", re.IGNORECASE)


@quick
@dataclass(frozen=True, slots=True)
class Condition:
    """One precondition as sent.

    Attributes:
        name: field or parameter name as sent; for a member of a body its JSON Pointer (RFC 6901).
        value: its value as sent.
        guard: what it demands.
        tokens: the members of a list of tags, or the single token; empty for `*`.
        well_formed: False when the value breaks the grammar of its field.
        standard: True for the fields of RFC 9110 section 13.1.
        key: what the dialect calls this guard, "" without a dialect.
        carrier: where it stands.
        unseen: whether only the family's habit tells of it: the content that holds it is not in the evidence.
        place: where it was sent, where `name` is a pointer into a reading of it; "" where it is `name`.
    """

    name: str
    value: str
    guard: Guard
    tokens: tuple[str, ...] = ()
    well_formed: bool = True
    standard: bool = True
    key: str = ""
    carrier: Carrier = Carrier.HEADER
    unseen: bool = False
    place: str = ""

    @property
    def weak(self) -> bool:
        """Tell whether every token is weak."""
        return bool(self.tokens) and all(tokens.is_weak(token) for token in self.tokens)

    @property
    def of_place(self) -> bool:
        """Tell whether it names a place in what is sent or appended in parts, which begins at 0."""
        return _PLACE.search(self.name) is not None

    @property
    def of_one(self) -> bool:
        """Tell whether it names one version, which may be given in two spellings: with quotes and without."""
        return len(versions_in(self)) == 1

    @property
    def called(self) -> str:
        """Return where it stands in what was sent: field, parameter, pointer, path of an element."""
        return self.place or self.name

    @property
    def moment(self) -> float | None:
        """Return the date that it names in seconds since the epoch, None where services read none.

        Fields of other names than those of RFC 9110 hold its dates as well: `x-amz-copy-source-if-…`.
        """
        dated = self.standard or (self.carrier is Carrier.HEADER and _DATED.search(self.name) is not None)
        return (http_date if dated else instant)(self.value)

    def shown(self) -> str:
        """Return it as a header line, parameter or member for reports."""
        if self.carrier is Carrier.QUERY:
            return f"?{self.name}={self.value}"
        if self.carrier is Carrier.PATH:
            return f"{self.value} in the path"
        return f"{self.called}: {self.value}"


def versions_in(guard: Condition | None) -> set[str]:
    """Return the versions that a precondition names, without quotes and marks of weakness.

    Args:
        guard: of a request, None where it has none.
    """
    return {tokens.opaque(token) for token in guard.tokens} if guard is not None else set()


def wants_absent(condition: Condition | None) -> bool:
    """Tell whether a precondition is that there is nothing yet: the write creates.

    Args:
        condition: of a write, None where it has none.
    """
    return condition is not None and condition.guard is Guard.ABSENT


def _entity_tags(name: str, value: str, guard: Guard, star: Guard) -> Condition:
    text = value.strip()
    if text == "*":
        return Condition(name, value, star)
    members = tokens.split_list(text)
    if members is None or not members:
        return Condition(name, value, guard, (text,), well_formed=False)
    return Condition(name, value, guard, members)


def _date(name: str, value: str, guard: Guard) -> Condition:
    return Condition(name, value, guard, (value.strip(),))


# Where a precondition is a part of the content.
IN_CONTENT: Final = frozenset({Carrier.BODY, Carrier.FORM, Carrier.TEXT})
# The value of a precondition in a content that is not in the evidence.
_UNSEEN: Final = "…"
# Parameters that carry a precondition wherever they are seen, or defeat caches: not what the resource is.
QUERY_NOT_IDENTITY: Final = frozenset(
    {
        "ifgenerationmatch",
        "ifmetagenerationmatch",
        "ifgenerationnotmatch",
        "ifmetagenerationnotmatch",
        "ifsourcegenerationmatch",
        "if_seq_no",
        "if_primary_term",
        "prevvalue",
        "previndex",
        "prevexist",
        "cas",
        "rev",
        "_",
        "cb",
        "nocache",
        "cachebust",
        "cachebuster",
        "_t",
        "ts",
        "timestamp",
    }
)
_STANDARD: Final = frozenset(
    {"if-match", "if-unmodified-since", "if-none-match", "if-modified-since", "if-range"}
)


def conditions_of(
    request: Request,
    dialect: Dialect | None = None,
    view: View | None = None,
    *,
    refusal: Refusal | None = None,
) -> tuple[Condition, ...]:
    """Return the preconditions of a request in the order of RFC 9110 section 13.2.2, others after them.

    Args:
        request: the request as one vantage saw it.
        dialect: the API family of its service, None when none shows itself.
        view: the request as dialects look at it; needed with a dialect.
        refusal: what the answer says about a precondition, None when nothing.
    """
    found = list(_of_http(request)) if request.fields.has_any(_STANDARD) else []
    if dialect is None or view is None:
        found.extend(_overwrite(request))
        return tuple(found)
    presented = guards_in(view, dialect)
    for guard in presented:
        if guard.carrier in {Carrier.TEXT, Carrier.PATH}:
            where = "content" if guard.carrier is Carrier.TEXT else "path"
            found.append(replace(_carried(guard), name=f"{guard.key} in the {where}"))
        elif guard.carrier is Carrier.HEADER and guard.name.lower() in _STANDARD:
            _loosen(found, guard)
        else:
            found.append(replace(_carried(guard), place=view.places.get(guard.name, "")))
    if not any(guard.name == "Overwrite" for guard in presented):
        found.extend(_overwrite(request))
    if not presented:
        told = refusal is not None and refusal.meaning is Meaning.MISMATCH
        spec = unseen_guard(view, dialect, told=told)
        if spec is not None:
            same = Condition(spec.name, _UNSEEN, Guard.SAME, standard=False, key=spec.key, unseen=True)
            same = replace(same, carrier=spec.carrier)
            repeated = refusal.sent if refusal is not None else None
            if repeated is not None:
                same = replace(same, value=repeated, tokens=(repeated,), unseen=False)
            found.append(same)
    return tuple(found)


def carries(request: Request, guard: Condition, dialect: Dialect | None) -> bool | None:
    """Tell whether a request carries a precondition that another vantage saw in it; None when not known.

    Args:
        request: as seen there.
        guard: as it was seen elsewhere.
        dialect: the API family of the service, None when none shows itself.
    """
    if guard.carrier in {Carrier.HEADER, Carrier.WEBDAV_IF}:
        return True if guard.name in request.fields else (False if request.fields.complete else None)
    if guard.place:
        # Calls are read where the client sent them, together with what was answered to others.
        return None
    if guard.carrier in IN_CONTENT:
        # What a vantage did not keep of the content may hold it.
        return None if request.content is UNKNOWN or not _whole(request) else _finds(request, guard, dialect)
    return _finds(request, guard, dialect)


def _whole(request: Request) -> bool:
    return not isinstance(request.content, Content) or request.content.complete


def _finds(request: Request, guard: Condition, dialect: Dialect | None) -> bool:
    if dialect is None:
        return False
    return any(one.key == guard.key for one in guards_in(View(request), dialect))


def _of_http(request: Request) -> Iterator[Condition]:
    fields = request.fields
    if (value := fields.text("if-match")) is not None:
        yield _entity_tags("If-Match", value, Guard.SAME, Guard.EXISTS)
    if (value := fields.text("if-unmodified-since")) is not None:
        yield _date("If-Unmodified-Since", value, Guard.SAME_DATE)
    if (value := fields.text("if-none-match")) is not None:
        yield _entity_tags("If-None-Match", value, Guard.DIFFERENT, Guard.ABSENT)
    if (value := fields.text("if-modified-since")) is not None:
        yield _date("If-Modified-Since", value, Guard.DIFFERENT_DATE)
    if (value := fields.text("if-range")) is not None:
        yield Condition("If-Range", value, Guard.RANGE, (value.strip(),))


def _overwrite(request: Request) -> Iterator[Condition]:
    if request.method not in {"MOVE", "COPY"}:
        return
    if (request.fields.text("overwrite") or "").strip().upper() == "F":
        yield Condition("Overwrite", "F", Guard.ABSENT, standard=False)


def _loosen(found: list[Condition], guard: PresentedGuard) -> None:
    """Take the value of a standard field as its family takes it: some accept a tag without quotes."""
    for number, condition in enumerate(found):
        if condition.name.lower() != guard.name.lower():
            continue
        if guard.token is None and guard.well_formed and condition.tokens:
            # A word of the family's own for what is there, or is not.
            meant = _DEMANDS[guard.demands]
            found[number] = replace(condition, guard=meant, tokens=(), well_formed=True, key=guard.key)
        elif not condition.well_formed and guard.well_formed and guard.token is not None:
            bare = guard.token
            found[number] = replace(condition, tokens=(bare, f'"{bare}"'), well_formed=True, key=guard.key)
        else:
            found[number] = replace(condition, key=guard.key)


_DEMANDS: Final = {
    Demand.SAME: Guard.SAME,
    Demand.SAME_DATE: Guard.SAME_DATE,
    Demand.EXISTS: Guard.EXISTS,
    Demand.ABSENT: Guard.ABSENT,
    Demand.DIFFERENT: Guard.DIFFERENT,
    Demand.DIFFERENT_DATE: Guard.DIFFERENT_DATE,
    Demand.LOCK: Guard.LOCK,
}


def _carried(guard: PresentedGuard) -> Condition:
    token = guard.current
    return Condition(
        guard.name,
        guard.value,
        _DEMANDS[guard.demands],
        (token,) if token is not None else (),
        well_formed=guard.well_formed,
        standard=False,
        key=guard.key,
        carrier=guard.carrier,
    )
