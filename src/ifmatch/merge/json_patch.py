"""Apply JSON Merge Patch and JSON Patch without changing what they are applied to.

Source: RFC 7396; RFC 6902.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, cast

from ifmatch.errors import IfmatchError
from ifmatch.merge.identity import Identities
from ifmatch.merge.json_text import SpelledFloat
from ifmatch.merge.pointer import array_index, parse_pointer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ifmatch.merge.json_text import JsonValue

__all__ = ["PatchError", "apply_json_patch", "apply_merge_patch", "make_merge_patch"]


class PatchError(IfmatchError):
    """Say which operation of a patch does not apply, and why; nothing was applied.

    Args:
        text: what is wrong, one sentence without a full stop.
        index: 0-based number of the operation.
        operation: the operation as given.
    """

    def __init__(self, text: str, *, index: int = 0, operation: object = None) -> None:
        super().__init__(text)
        self.text = text
        self.index = index
        self.operation = operation

    def __str__(self) -> str:
        return f"operation {self.index} of the patch does not apply: {self.text}. Nothing was changed."


def apply_merge_patch(target: JsonValue, patch: JsonValue) -> JsonValue:
    """Apply a JSON Merge Patch.

    Args:
        target: the document; stays as it is.
        patch: members to set; null removes.

    Returns:
        The changed document; unchanged parts are shared with the target.

    Source: RFC 7396 section 2.
    """
    if not isinstance(patch, dict):
        return patch
    result: dict[str, JsonValue] = dict(target) if isinstance(target, dict) else {}
    stack: list[tuple[dict[str, JsonValue], dict[str, JsonValue]]] = [(result, patch)]
    while stack:
        into, changes = stack.pop()
        for name, value in changes.items():
            if value is None:
                into.pop(name, None)
            elif isinstance(value, dict):
                before = into.get(name)
                copied: dict[str, JsonValue] = dict(before) if isinstance(before, dict) else {}
                into[name] = copied
                stack.append((copied, value))
            else:
                into[name] = value
    return result


def make_merge_patch(before: JsonValue, after: JsonValue) -> JsonValue:
    """Return the merge patch that leads from one document to another.

    Raises:
        ValueError: the difference cannot be said in a merge patch, because a member becomes null.

    Source: RFC 7396 section 1.
    """
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    identities = Identities()
    patch: dict[str, JsonValue] = {}
    stack = [(patch, before, after)]
    while stack:
        into, old, new = stack.pop()
        for name in old:
            if name not in new:
                into[name] = None
        for name, value in new.items():
            previous = old.get(name)
            if name in old and identities.of(previous) == identities.of(value):
                continue
            if isinstance(value, dict) and isinstance(previous, dict):
                inner: dict[str, JsonValue] = {}
                into[name] = inner
                stack.append((inner, previous, value))
                continue
            if _holds_null(value):
                raise ValueError(f"the member {name!r} holds null, which a merge patch reads as removal")
            into[name] = value
    return patch


def _holds_null(value: JsonValue) -> bool:
    """Tell whether an object (arrays are taken whole) holds a null member at any depth, or is null."""
    stack = [value]
    while stack:
        item = stack.pop()
        if item is None:
            return True
        if isinstance(item, dict):
            stack.extend(item.values())
    return False


def apply_json_patch(document: JsonValue, operations: Sequence[Mapping[str, JsonValue]]) -> JsonValue:
    """Apply a JSON Patch, all of it or nothing.

    Args:
        document: stays as it is.
        operations: the patch.

    Returns:
        The changed document; unchanged parts are shared with the argument.

    Raises:
        PatchError: an operation is malformed or does not apply, `test` included.

    Source: RFC 6902 sections 4 and 5.
    """
    for index, operation in enumerate(operations):
        try:
            document = _apply_one(document, operation)
        except (ValueError, LookupError, TypeError) as error:
            text = str(error.args[0]) if error.args else type(error).__name__
            raise PatchError(text, index=index, operation=dict(operation)) from None
    return document


def _member(operation: Mapping[str, JsonValue], name: str) -> str:
    value = operation.get(name)
    if not isinstance(value, str):
        raise ValueError(f"the operation needs {name!r}, a JSON Pointer")  # noqa: TRY004 - data, no argument
    return value


def _value(operation: Mapping[str, JsonValue]) -> JsonValue:
    if "value" not in operation:
        raise ValueError("the operation needs 'value'")
    return operation["value"]


def _apply_one(document: JsonValue, operation: Mapping[str, JsonValue]) -> JsonValue:
    verb = operation.get("op")
    path = parse_pointer(_member(operation, "path"))
    if verb == "add":
        return _change(document, path, "add", _value(operation))
    if verb == "remove":
        return _change(document, path, "remove", None)
    if verb == "replace":
        return _change(document, path, "replace", _value(operation))
    if verb == "test":
        if not _numerically_same(_found(document, path), _value(operation)):
            raise ValueError(f"the test of {operation['path']!r} failed: another value is there")
        return document
    if verb in ("move", "copy"):
        source = parse_pointer(_member(operation, "from"))
        moved = _found(document, source)
        if verb == "move":
            if path[: len(source)] == source and len(path) > len(source):
                raise ValueError("a value cannot be moved into itself")
            if path == source:
                return document
            document = _change(document, source, "remove", None)
        return _change(document, path, "add", moved)
    raise ValueError(f"{verb!r} is no operation: use add, remove, replace, move, copy or test")


def _found(document: JsonValue, path: tuple[str, ...]) -> JsonValue:
    value = document
    for token in path:
        value = _child(value, token)
    return value


def _child(value: JsonValue, token: str) -> JsonValue:
    if isinstance(value, dict):
        if token not in value:
            raise LookupError(f"there is no member {token!r}")
        return value[token]
    if isinstance(value, list):
        position = array_index(token, len(value))
        if position == len(value):
            raise LookupError(f"the array ends before {token!r}")
        return value[position]
    raise LookupError(f"{token!r} lies inside a value that holds nothing")


def _change(document: JsonValue, path: tuple[str, ...], verb: str, new: JsonValue) -> JsonValue:
    """Copy the containers along a path and change the last one."""
    if not path:
        if verb == "remove":
            raise ValueError("the whole document cannot be removed by a patch")
        return new
    parents: list[JsonValue] = [document]
    for token in path[:-1]:
        parents.append(_child(parents[-1], token))
    changed = _change_last(parents[-1], path[-1], verb, new)
    for parent, token in zip(reversed(parents[:-1]), reversed(path[:-1]), strict=True):
        if isinstance(parent, dict):
            copied = dict(parent)
            copied[token] = changed
            changed = copied
        else:
            elements = list(cast("list[JsonValue]", parent))
            elements[array_index(token, len(elements))] = changed
            changed = elements
    return changed


def _change_last(parent: JsonValue, token: str, verb: str, new: JsonValue) -> JsonValue:
    if isinstance(parent, dict):
        if verb != "add" and token not in parent:
            raise LookupError(f"there is no member {token!r}")
        members = dict(parent)
        if verb == "remove":
            del members[token]
        else:
            members[token] = new
        return members
    if isinstance(parent, list):
        position = array_index(token, len(parent))
        elements = list(parent)
        if verb == "add":
            elements.insert(position, new)
        elif position == len(parent):
            raise LookupError(f"the array ends before {token!r}")
        elif verb == "remove":
            del elements[position]
        else:
            elements[position] = new
        return elements
    raise LookupError(f"{token!r} lies inside a value that holds nothing")


def _numerically_same(first: JsonValue, second: JsonValue) -> bool:
    """Compare as the operation `test` does: numbers by value, so 1 equals 1.0, and true is no number."""
    stack = [(first, second)]
    while stack:
        one, other = stack.pop()
        if isinstance(one, dict) and isinstance(other, dict):
            if one.keys() != other.keys():
                return False
            stack.extend((one[name], other[name]) for name in one)
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            stack.extend(zip(one, other, strict=True))
        elif isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
            if one is not other:
                return False
        elif isinstance(one, (int, float)) and isinstance(other, (int, float)):
            if _exact(one) != _exact(other):
                return False
        elif type(one) is not type(other) or one != other:
            return False
    return True


def _exact(number: float) -> Fraction | float:
    spelling = number.spelling if isinstance(number, SpelledFloat) else repr(number)
    exponent = spelling.lower().partition("e")[2]
    # A fraction of an absurd exponent would fill the memory.
    return Fraction(spelling) if abs(int(exponent or "0")) <= 400 else float(number)
