"""Tell what a POST means where one URL takes all: what it removes, and that what it asks for is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from ifmatch.diagnosis.reading.stamps import stamped
from ifmatch.diagnosis.steps.resources import bare
from ifmatch.dialects.glossary import Words
from ifmatch.dialects.pointers import values_at
from ifmatch.model.late import late_pattern
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.message import Content

# The operation of a mutation, a call, an element.
_REMOVES: Final = Words(r"(?:[a-z0-9]+[._/:])*_?(?:delete|remove|destroy|erase|purge)(?!(?-i:[a-z]))\w*")
_CHANGES: Final = Words(
    r"(?:[a-z0-9]+[._/:])*_?(?:update|edit|modify|patch|save|change|rename)(?!(?-i:[a-z]))\w*"
)
_ALTERS: Final = Words(
    r"(?:[a-z0-9]+[._/:])*_?(?:update|edit|modify|patch|save|change|rename|set|put|store|write|create|add|insert"
    r"|post|cancel|close|open|book|approve|reject|submit|start|stop|move|assign)(?!(?-i:[a-z]))\w*"
)
_READS: Final = Words(
    r"(?:get|read|load|fetch|list|find|search|show|query|describe|open|view|lookup|retrieve|select|status|info"
    r"|log|history|feed|trail|audit|journal|changes|events|activity|timeline|report|overview|since|diff)"
)
_WRITES: Final = Words(
    r"(?:update|edit|modify|patch|save|change|rename|set|put|store|write|create|add|insert|post|cancel|close|book"
    r"|approve|reject|submit|move|assign|delete|remove|destroy|erase|purge|replace|upsert|amend|adjust)"
)
# The words of a name: `shelf.write`, `SetReserve`, `stock_put`.
_PARTS: Final = late_pattern(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LAST_PIECE: Final = late_pattern(r"[/:]")
_MUTATION: Final = late_pattern(r"\bmutation\b[^{]*\{\s*(?:\w+\s*:\s*)?(\w+)")
_ELEMENT: Final = late_pattern(r"<(?:\w+:)?Body\b[^>]*>\s*<(?:\w+:)?(\w+)")
# Services that spell the operation as the last step of the path.
_ACTION: Final = late_pattern(r"/actions?/(\w+)$")
_FORM_METHODS: Final = frozenset({"PUT", "PATCH", "DELETE"})
_ABSENT: Final = Words(
    r"not[ _-]?found|no such|does not exist|doesn.t exist|unknown (?:id|record|object|document)|nonexistent"
    r"|NoSuch"
)
_LONGEST: Final = 20_000
_OK, _BAD, _NOT_FOUND, _FAILED = 200, 400, 404, 500


def operation(step: Step) -> str:
    """Return the name of what a POST calls, "" where it calls nothing by name.

    Args:
        step: any step.

    Source: GraphQL October 2021 section 2.3, JSON-RPC 2.0 section 4, SOAP 1.1 section 7.1.
    """
    body = step.view.sent_json
    named = _named_beside(step)
    if named:
        return named
    if step.dialect is not None and step.dialect.operation.startswith("/"):
        called = next(values_at(body, step.dialect.operation), None)
        return called if isinstance(called, str) else ""
    if isinstance(body, dict):
        members = cast("dict[str, object]", body)
        query, method = members.get("query"), members.get("method")
        if isinstance(query, str) and (found := _MUTATION.search(query[:_LONGEST])) is not None:
            return found[1]
        return method if isinstance(method, str) and ("jsonrpc" in members or "params" in members) else ""
    found = _ELEMENT.search(step.view.sent_text)
    return found[1] if found is not None else ""


def changes(name: str) -> bool:
    """Tell whether the name of an operation says that it changes or removes something.

    Args:
        name: of the operation.
    """
    return _REMOVES.fullmatch(name) is not None or _ALTERS.fullmatch(name) is not None


def writes(name: str) -> bool:
    """Tell whether one of the words of an operation's name says that it changes or removes something.

    Args:
        name: of the operation.
    """
    return any(_WRITES.fullmatch(one) for one in _PARTS.findall(name))


def reads(name: str) -> bool:
    """Tell whether one of the words of an operation's name says that it looks at something, and none else.

    Args:
        name: of the operation.
    """
    return any(_READS.fullmatch(one) for one in _PARTS.findall(name)) and not writes(name)


def asks(step: Step) -> bool:
    """Tell whether a POST looks at something, as the end of its path says: `/entries:list`, `/log/search`.

    Args:
        step: any request.
    """
    if step.method != "POST" or step.status != _OK:
        return False
    path = bare(step.exchange.request.url)
    return reads(_LAST_PIECE.split(path)[-1])


def is_call(step: Step) -> bool:
    """Tell whether a request is a GraphQL mutation, whose text says what is to be done.

    Args:
        step: any request.
    """
    body = step.view.sent_json
    said = cast("dict[str, object]", body).get("query") if isinstance(body, dict) else None
    return isinstance(said, str) and _MUTATION.search(said) is not None


def _named_beside(step: Step) -> str:
    """Return the operation that a field or the last step of the path names, "" where neither does."""
    field = step.dialect.operation if step.dialect is not None else ""
    if field.startswith("/"):
        return ""
    called = step.view.request.fields.text(field) if field else None
    if called:
        return called.rpartition(".")[2]
    found = _ACTION.search(step.view.path)
    return found[1] if found is not None else ""


def take_as_meant(step: Step) -> None:
    """Let a POST count as the method that it means, and a read under 200 that finds nothing as 404.

    A form says the method in `_method`; where one URL takes all, the operation's name says what it removes.

    Args:
        step: any step; its dialect, and whether it reads, are known.
    """
    if step.is_read and step.status == _OK and _shows_none(step):
        step.status = _NOT_FOUND
    if step.method != "POST":
        return
    if step.reads:
        if step.status in {_OK, _BAD, _FAILED} and _finds_nothing(step):
            step.status = _NOT_FOUND
        return
    meant = step.view.form.get("_method", "").upper()
    if meant in _FORM_METHODS:
        step.method = meant
    elif _REMOVES.fullmatch(called := operation(step)) is not None:
        step.method = "DELETE"
    elif _CHANGES.fullmatch(called) is not None and "#" in step.resource and not _named_beside(step):
        step.method = "PATCH"


def take_as_whole(steps: Sequence[Step]) -> None:
    """Let a change that names every member of what was there count as a replacement of the whole.

    Args:
        steps: of one service, in order of time; what each POST means is known.
    """
    shown: dict[str, set[str]] = {}
    for step in steps:
        posted = step.exchange.request.method == "POST" and step.method == "PATCH"
        named = _members(step.body) if posted else set[str]()
        before = shown.get(step.resource)
        if before and len(before) > 1 and before <= named:
            step.method = "PUT"
        there = _members(step.representation)
        if there:
            shown[step.resource] = there


def _members(content: Content | None) -> set[str]:
    """Return the names of a record's members, but for those that servers write by themselves."""
    value = content.json() if content is not None else None
    if not isinstance(value, dict):
        return set()
    return {name for name in cast("dict[str, object]", value) if not stamped("/" + name)}


def _shows_none(step: Step) -> bool:
    """Tell whether an answer has a null, or an empty list, in the place where its API shows the record."""
    if step.dialect is None:
        return False
    for place in step.dialect.states:
        if place.shown and list(values_at(step.view.json, place.shown)) == [None]:
            return True
        if place.shown.startswith("/0") and step.view.json == []:
            return True
    return False


def _finds_nothing(step: Step) -> bool:
    """Tell whether the answer to a read is an error, and no data, that says that there is no such thing."""
    value = step.view.json
    if value is UNKNOWN:
        text = step.view.text
        return "Fault" in text and _ABSENT.search(text) is not None
    if not isinstance(value, dict):
        return False
    members = cast("dict[str, object]", value)
    if (
        not any(members.get(name) for name in ("errors", "error", "__type"))
        or members.get("result") is not None
    ):
        return False
    if any(one is not None for one in values_at(members, "/data/*")):
        return False
    return _ABSENT.search(step.view.text[:_LONGEST]) is not None
