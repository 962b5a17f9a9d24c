"""Work out what a refused write should become: base, mine and theirs, and what of it needs a decision."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ifmatch.doctor.failing import CONDITIONS
from ifmatch.errors import InputError
from ifmatch.merge import (
    MISSING,
    Conflict,
    Policies,
    apply_merge_patch,
    format_pointer,
    merge_text,
    parse_json,
    resolve_pointer,
    write_json,
)
from ifmatch.model.message import Content
from ifmatch.update import (
    DELETE,
    HTTP,
    NOTHING,
    DataConflictError,
    JsonPatch,
    MergeDocument,
    Replace,
    Task,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.doctor.failing import Failing
    from ifmatch.merge import JsonValue, Missing, TextConflict
    from ifmatch.update import Change, State

__all__ = ["Kind", "Plan", "TextConflictError", "make_plan", "task_of"]

_TEXT_TYPES: Final = ("text/", "application/xml", "application/yaml", "application/toml", "application/sql")


class Kind(enum.StrEnum):
    """What the content of a write is, and so how it can be brought in."""

    JSON = "json"
    MERGE_PATCH = "merge-patch"
    JSON_PATCH = "json-patch"
    TEXT = "text"
    OPAQUE = "opaque"
    DELETE = "delete"


class TextConflictError(DataConflictError):
    """Say that both sides changed the same lines.

    Args:
        parts: the conflicts.
        marked: the whole text with the conflicts between markers.
        theirs: the current state.
    """

    def __init__(self, parts: tuple[TextConflict, ...], marked: str, theirs: State | None) -> None:
        conflicts = tuple(
            Conflict(f"line {part.line}", "changed-both", part.base, part.mine, part.theirs) for part in parts
        )
        super().__init__(conflicts, theirs)
        self.marked = marked


@dataclass(frozen=True, slots=True)
class Plan:
    """What a repair would do on the state that was read.

    Attributes:
        kind: of the content.
        base: octets that the edit was made on, None when they are not known.
        mine: octets of the edit; None for a deletion.
        theirs: the current state, None when there is none.
        result: octets that would be written; None for a deletion, or when nothing would be written.
        conflicts: what needs a decision.
        holds: whether the current state already says what the edit wants.
        changes: what would change for the current state, a line each.
        kept: what the other side changed since the base and stays, a line each.
        marked: text with conflict markers, "" without text conflicts.
    """

    kind: Kind
    base: bytes | None
    mine: bytes | None
    theirs: State | None
    result: bytes | None = None
    conflicts: tuple[Conflict, ...] = ()
    holds: bool = False
    changes: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    marked: str = ""

    @property
    def is_clean(self) -> bool:
        """Tell whether it can be written without a decision."""
        return not self.conflicts


def kind_of(failing: Failing) -> Kind:
    """Return what the content of a write is.

    Raises:
        InputError: the method is none that can be brought in again.
    """
    request = failing.request
    if request.method == "DELETE":
        return Kind.DELETE
    media = (request.fields.text("content-type") or "").partition(";")[0].strip().lower()
    if request.method not in {"PUT", "PATCH"}:
        raise InputError(
            f"{request.method} cannot be repaired: what it does a second time is not known",
            source=request.url,
            advice="Read the resource, look, and decide by hand",
        )
    if "merge-patch" in media:
        return Kind.MERGE_PATCH
    if "json-patch" in media:
        return Kind.JSON_PATCH
    if request.method == "PATCH":
        return (
            Kind.MERGE_PATCH
            if media in {"application/json", ""} and _is_object(_mine(failing))
            else Kind.OPAQUE
        )
    if media.endswith(("/json", "+json")) or (not media and _is_object(_mine(failing))):
        return Kind.JSON
    return Kind.TEXT if media.startswith(_TEXT_TYPES) or media.endswith("+xml") else Kind.OPAQUE


def _mine(failing: Failing) -> bytes:
    content = failing.request.content
    return content.octets if isinstance(content, Content) else b""


def _is_object(octets: bytes) -> bool:
    try:
        return isinstance(parse_json(octets), dict)
    except InputError:
        return False


@dataclass(frozen=True, slots=True)
class _Patch:
    """Send a merge patch as it is, as long as nobody else changed what it names."""

    octets: bytes
    base: bytes | None
    policies: Policies | None

    def propose(self, state: State | None) -> bytes:
        """Return the patch; a member that both changed is a contradiction."""
        conflicts = tuple(_patched_by_both(self.octets, self.base, state))
        if conflicts and (self.policies is None or self.policies.default == "raise"):
            raise DataConflictError(conflicts, state)
        return self.octets


def _patched_by_both(patch: bytes, base: bytes | None, state: State | None) -> Iterator[Conflict]:
    if state is None or base is None:
        return
    before, now = parse_json(base, source="the base"), parse_json(state.octets, source="the current state")
    for pointer, mine in _leaves(parse_json(patch, source="the patch"), ()):
        was, theirs = (_at(document, pointer) for document in (before, now))
        if theirs not in (was, mine):
            yield Conflict(pointer, "changed-both", was, MISSING if mine is None else mine, theirs)


def _leaves(value: JsonValue, path: tuple[str, ...]) -> Iterator[tuple[str, JsonValue]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves(member, (*path, name))
    else:
        yield format_pointer(path), value


def _at(document: JsonValue, pointer: str) -> JsonValue | Missing:
    return resolve_pointer(document, pointer)


@dataclass(frozen=True, slots=True)
class _Text:
    """Bring in a text that was edited from a base."""

    base: str
    mine: str
    resolve: str

    def propose(self, state: State | None) -> bytes:
        """Merge by lines; lines that both changed are a contradiction."""
        theirs = state.octets.decode("utf-8", "surrogateescape") if state is not None else ""
        merged = merge_text(self.base, self.mine, theirs)
        if merged.conflicts and self.resolve not in {"mine", "theirs"}:
            raise TextConflictError(merged.conflicts, merged.text(), state)
        chosen = [
            part if isinstance(part, str) else (part.mine if self.resolve == "mine" else part.theirs)
            for part in merged.parts
        ]
        return "".join(chosen).encode("utf-8", "surrogateescape")


def change_of(
    failing: Failing, base: bytes | None, policies: Policies | None = None, *, mine: bytes | None = None
) -> Change:
    """Return what the write means, for any current state.

    Args:
        failing: the refused write.
        base: octets that the edit was made on, None when they are not known.
        policies: how contradictions are decided, None to raise them.
        mine: takes the place of the write's content.

    Raises:
        InputError: the content is no JSON where it has to be.
    """
    kind = kind_of(failing)
    octets = _mine(failing) if mine is None else mine
    resolve = policies.default if policies is not None and isinstance(policies.default, str) else "raise"
    expected = _expected(failing)
    if kind is Kind.DELETE:
        return Replace(DELETE, None if resolve == "mine" else expected)
    if kind is Kind.JSON:
        before: JsonValue | Missing = MISSING if base is None else parse_json(base, source="the base")
        return MergeDocument(before, parse_json(octets, source="the content of the write"), policies)
    if kind is Kind.MERGE_PATCH:
        return _Patch(octets, base, policies)
    if kind is Kind.JSON_PATCH:
        return _SentPatch(octets)
    if kind is Kind.TEXT and base is not None:
        text, before_text = (one.decode("utf-8", "surrogateescape") for one in (octets, base))
        return _Text(before_text, text, resolve)
    return Replace(octets, None if resolve == "mine" else expected)


@dataclass(frozen=True, slots=True)
class _SentPatch:
    """Send a JSON patch as it is, once it is seen to fit the state."""

    octets: bytes

    def propose(self, state: State | None) -> bytes:
        """Return the patch; one that does not fit raises."""
        operations = parse_json(self.octets, source="the patch")
        JsonPatch(operations).propose(state)  # type: ignore[arg-type]
        return self.octets


def _expected(failing: Failing) -> tuple[str, ...] | None:
    """Return the token that the write rests on, None when it names none."""
    value = (failing.request.fields.text("if-match") or "").strip()
    return (value,) if value and value != "*" else None


def make_plan(
    failing: Failing, base: bytes | None, theirs: State | None, policies: Policies | None = None
) -> Plan:
    """Return what a repair would do on a state.

    Args:
        failing: the refused write.
        base: octets that the edit was made on, None when they are not known.
        theirs: the current state, None when there is none.
        policies: how contradictions are decided, None to list them.

    Raises:
        InputError: the content is no JSON where it has to be.
    """
    kind = kind_of(failing)
    mine = None if kind is Kind.DELETE else _mine(failing)
    if base is None and theirs is not None and theirs.token == _expected(failing):
        # The state did not move: what is there is what the edit was made on.
        base = theirs.octets
    plan = Plan(kind, base, mine, theirs, holds=_holds(kind, mine, theirs))
    if plan.holds:
        return plan
    unknown = _unknown_base(kind, base, theirs, policies)
    if unknown is not None:
        return replace(plan, conflicts=unknown)
    try:
        proposal = change_of(failing, base, policies).propose(theirs)
    except TextConflictError as error:
        return replace(plan, conflicts=error.conflicts, marked=error.marked)
    except DataConflictError as error:
        return replace(plan, conflicts=error.conflicts)
    if proposal is NOTHING:
        return replace(plan, holds=True)
    result = proposal if isinstance(proposal, bytes) else None
    return replace(
        plan,
        result=result,
        changes=tuple(_differences(kind, theirs.octets if theirs is not None else None, result)),
        kept=tuple(_differences(Kind.JSON, base, theirs.octets))
        if theirs is not None and base is not None
        else (),
    )


def _holds(kind: Kind, mine: bytes | None, theirs: State | None) -> bool:
    """Tell whether the state says what the write wants; who wrote it is another question."""
    if kind is Kind.DELETE:
        return theirs is None
    if theirs is None or mine is None or kind is Kind.JSON_PATCH:
        return False
    if kind in {Kind.JSON, Kind.MERGE_PATCH}:
        try:
            now, wanted = parse_json(theirs.octets), parse_json(mine)
        except InputError:
            return False
        return (now if kind is Kind.JSON else apply_merge_patch(now, wanted)) == (
            wanted if kind is Kind.JSON else now
        )
    return theirs.octets == mine


def _unknown_base(
    kind: Kind, base: bytes | None, theirs: State | None, policies: Policies | None
) -> tuple[Conflict, ...] | None:
    """Return a contradiction for a whole document whose base is not known: what it dropped cannot be told."""
    if kind not in {Kind.JSON, Kind.TEXT} or base is not None or theirs is None:
        return None
    if policies is not None and policies.default != "raise":
        return None
    return (Conflict("", "changed-both", MISSING, MISSING, MISSING),)


def _differences(kind: Kind, before: bytes | None, after: bytes | None) -> Iterator[str]:
    """Yield what changes, a line each: members for JSON, lines for text."""
    if after is None:
        yield "the resource is removed"
        return
    if kind in {Kind.MERGE_PATCH, Kind.JSON_PATCH}:
        yield f"the patch is sent as it is ({len(after)} octets)"
        return
    try:
        old: JsonValue | Missing = MISSING if before is None else parse_json(before)
        yield from _members(old, parse_json(after), ())
    except InputError:
        if before != after:
            yield f"{len(before or b'')} octets become {len(after)}"


def _members(old: JsonValue | Missing, new: JsonValue, path: tuple[str, ...]) -> Iterator[str]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys((*old, *new)):
            if name not in new:
                yield f"{format_pointer((*path, name))}: removed (was {_short(old[name])})"
            else:
                yield from _members(old.get(name, MISSING), new[name], (*path, name))
    else:
        was = "nothing" if old is MISSING else _short(old)
        yield f"{format_pointer(path) or '(the whole document)'}: {was} becomes {_short(new)}"


def _short(value: JsonValue) -> str:
    text = write_json(value)
    return text if len(text) <= 60 else text[:57] + "..."


def task_of(failing: Failing, change: Change, *, operation: str, same_value_is_enough: bool = False) -> Task:
    """Return the update that a repair performs.

    Args:
        failing: whose fields and media type are kept.
        change: of `change_of`.
        operation: id of this repair.
        same_value_is_enough: whether equal content counts as success whoever wrote it.
    """
    read = [
        (name, value) for name, value in failing.read().fields
        if name.lower() not in {"accept-encoding", "cache-control", "pragma"}
    ]  # fmt: skip
    dropped = CONDITIONS | {
        "content-length",
        "host",
        "connection",
        "transfer-encoding",
        "accept-encoding",
        "expect",
    }
    write = [(name, value) for name, value in failing.request.fields if name.lower() not in dropped]
    method = failing.request.method if failing.request.method in {"PUT", "PATCH"} else "PUT"
    return Task(
        change=change,
        operation=operation,
        target=failing.request.url,
        dialect=replace(HTTP, method=method),
        media_type=failing.request.fields.text("content-type") or "application/json",
        read_fields=tuple(read),
        write_fields=tuple(write),
        same_value_is_enough=same_value_is_enough,
    )
