"""Read XML-RPC as the JSON-RPC that it could be, and arguments by the names that answers have for them.

A call without names gives its arguments in their order: `setzen("W-114", 57, "Altona")`. What an answer of
the same address shows under a name is what the argument with that value is, and that of all calls of the
method. Nor does XML that says by its first element what is to be done differ from a call.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple, cast
from xml.etree import ElementTree as ET

from ifmatch.diagnosis import tokens
from ifmatch.diagnosis.soap_bodies import root_of
from ifmatch.diagnosis.version_words import called_version
from ifmatch.dialects.glossary import Words
from ifmatch.model.json_values import is_plain, members_in
from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ifmatch.diagnosis.steps import Step
    from ifmatch.model.message import Request, Response

_HEAD: Final = 300
_LONGEST: Final = 60_000
_DEEP: Final = 12
_MOST: Final = 400
_FEW: Final = 8
_SEVERAL: Final = 2
_NUMBERS: Final = frozenset({"int", "i1", "i2", "i4", "i8"})
# Members that have the arguments in their order, and those that say what is called.
_PARAMS: Final = ("params", "args", "arguments", "parameters", "argv", "with")
_METHODS: Final = (
    *("method", "call", "op", "operation", "fn", "func", "function", "cmd", "command", "action", "do"),
    *("proc", "procedure", "verb", "rpc", "name"),
)


# Members that name a thing, or how many there are of it.
_NAMES: Final = Words(r"\w*(?:id|nr|no|number|key|code|count|amount|quantity|total)")


class _Call(NamedTuple):
    """A call with its arguments in their order, and the member that has them."""

    at: str
    method: str
    given: list[object]


def take_calls(steps: Sequence[Step]) -> None:
    """Put what XML-RPC says as JSON-RPC, and name the arguments of calls that have none.

    Args:
        steps: of a case, in order of time, nothing read from them yet.
    """
    places: dict[str, list[Step]] = {}
    _elements_as_calls(steps)
    for step in steps:
        if step.method != "POST" or not isinstance(step.exchange.request.content, Content):
            continue
        if "methodCall" in step.exchange.request.content.text[:_HEAD]:
            _as_json(step)
        if _by_order(step) is not None:
            places.setdefault(step.resource, []).append(step)
    for calls in places.values():
        _name(calls[:_MOST])


def _as_json(step: Step) -> None:
    """Put an XML-RPC call and its answer as JSON-RPC.

    Source: xmlrpc.com/spec.md (methodCall, methodResponse, fault).
    """
    request, response = step.exchange.request, step.exchange.response
    called = _root(request.content, "methodCall")
    if called is None:
        return
    method = (called.findtext("methodName") or "").strip()
    params = [_value(one) for one in called.iterfind("params/param/value")]
    # What is named already is read by its names.
    named: object = params
    if len(params) == 1 and isinstance(params[0], dict):
        named = cast("object", params[0])
    sent: dict[str, object] = {"jsonrpc": "2.0", "id": 1, "method": method, "params": named}
    answer = _answer(response)
    _put(step, sent, answer)


def _elements_as_calls(steps: Sequence[Step]) -> None:
    """Put XML that says by its first element what is to be done as JSON-RPC, where one address takes several.

    One of them has to look: it carries no version, and is answered with one and more than it asks with.
    """
    places: dict[str, list[Step]] = {}
    for step in steps:
        content = step.exchange.request.content
        if step.method == "POST" and isinstance(content, Content) and content.text.lstrip()[:1] == "<":
            places.setdefault(step.resource, []).append(step)
    for calls in places.values():
        roots = [_plain_root(step.exchange.request.content) for step in calls[:_MOST]]
        if len({one.tag for one in roots if one is not None}) < _SEVERAL or None in roots:
            continue
        answers = [_plain_root(step.content) for step in calls[:_MOST]]
        if not any(_looks(one, told) for one, told in zip(roots, answers, strict=True)):
            continue
        if any(map(_lacks_version, roots)):
            # Where a version is left empty the place tells more than the name.
            continue
        for step, root, told in zip(calls, roots, answers, strict=False):
            if root is not None:
                sent = {"jsonrpc": "2.0", "id": 1, "method": root.tag, "params": dict(_leaves(root))}
                told_as = (
                    {"jsonrpc": "2.0", "id": 1, "result": dict(_leaves(told))} if told is not None else None
                )
                _put(step, sent, told_as)


def _plain_root(content: object) -> ET.Element | None:
    """Return the first element of an XML text that has no names from elsewhere: no envelope, no feed."""
    if not isinstance(content, Content) or not 0 < len(content) <= _LONGEST or "<!" in content.text:
        return None
    if "xmlns" in content.text[:_HEAD] or "methodCall" in content.text[:_HEAD]:
        return None
    try:
        root = root_of(content.text)
    except (ET.ParseError, RecursionError):
        return None
    names = [one.tag for one in root.iter()]
    return root if len(names) <= _FEW * _FEW and len(set(names)) == len(names) else None


def _looks(asked: ET.Element | None, told: ET.Element | None) -> bool:
    if asked is None or told is None:
        return False
    sent, shown = dict(_leaves(asked)), dict(_leaves(told))
    more = len(shown) > len(sent) + 1 and bool(set(sent.values()) & set(shown.values()))
    return more and not any(map(called_version, sent)) and any(map(called_version, shown))


def _lacks_version(asked: ET.Element | None) -> bool:
    return asked is not None and any(called_version(name) and not one for name, one in _leaves(asked))


def _leaves(element: ET.Element) -> Iterator[tuple[str, str]]:
    """Yield the attributes and texts of an element and what is inside it."""
    for one in element.iter():
        yield from one.attrib.items()
        if not len(one) and one is not element:
            yield one.tag, (one.text or "").strip()


def _answer(response: Response | None) -> dict[str, object] | None:
    """Return what an answer says as JSON-RPC has it, None where it is no such answer."""
    told = _root(response.content, "methodResponse") if response is not None else None
    if told is None:
        return None
    fault = told.find("fault/value")
    if fault is None:
        values = [_value(one) for one in told.iterfind("params/param/value")]
        return {"jsonrpc": "2.0", "id": 1, "result": values[0] if len(values) == 1 else values}
    record = members_in(_value(fault))
    error = {"code": record.get("faultCode"), "message": record.get("faultString")}
    return {"jsonrpc": "2.0", "id": 1, "error": error}


def _put(step: Step, sent: Mapping[str, object], answer: Mapping[str, object] | None) -> None:
    """Let a step have other contents."""
    request: Request = replace(step.exchange.request, content=Content.from_json(sent))
    response = step.exchange.response
    if response is not None and answer is not None:
        response = replace(response, content=Content.from_json(answer))
    step.exchange = replace(step.exchange, request=request, response=response)
    # What was read from the former contents is read anew.
    for name in ("view", "content"):
        step.__dict__.pop(name, None)
    step.forget()


def _root(content: object, name: str) -> ET.Element | None:
    if not isinstance(content, Content) or len(content) > _LONGEST or name not in content.text[:_HEAD]:
        return None
    if "<!" in content.text:
        # It needs no declarations, and entities may grow without end.
        return None
    try:
        root = root_of(content.text)
    except (ET.ParseError, RecursionError):
        return None
    return root if root.tag == name else None


def _value(element: ET.Element, depth: int = _DEEP) -> object:
    """Return a value of XML-RPC; one without a type is a text."""
    typed = element[0] if len(element) else None
    if typed is None or depth == 0:
        return (element.text or "").strip()
    kind, text = typed.tag, (typed.text or "").strip()
    if kind == "struct":
        members = cast("Iterable[ET.Element]", typed.iterfind("member"))
        return {
            (one.findtext("name") or "").strip(): _value(held, depth - 1)
            for one in members
            if (held := one.find("value")) is not None
        }
    if kind == "array":
        return [_value(one, depth - 1) for one in typed.iterfind("data/value")]
    if kind in _NUMBERS and text.lstrip("-").isdigit():
        return int(text)
    if kind == "boolean":
        return text in {"1", "true"}
    return None if kind == "nil" else text


def _by_order(step: Step) -> _Call | None:
    """Return the method and the arguments of a call that gives them in their order, None for all else."""
    sent = step.view.sent_json
    if not isinstance(sent, dict):
        return None
    members = cast("dict[str, object]", sent)
    at = next((one for one in _PARAMS if isinstance(members.get(one), list)), "")
    method = next((held for one in _METHODS if isinstance(held := members.get(one), str)), "")
    if not at or not method:
        return None
    given = cast("list[object]", members[at])
    plain = 0 < len(given) <= _FEW and any(is_plain(one) for one in given)
    return _Call(at, method, given) if plain else None


def _name(calls: Sequence[Step]) -> None:
    """Give the arguments of some calls of one address the names that its answers have for their values."""
    names: dict[tuple[str, int], Counter[str]] = {}
    shown = [list(_shown(step)) for step in calls]
    for place, step in enumerate(calls):
        called = _by_order(step)
        near = [one for told in shown[max(0, place - _FEW) : place + _FEW] for one in told]
        for number, one in enumerate(called.given if called is not None else ()):
            if called is not None and is_plain(one):
                votes = names.setdefault((called.method, number), Counter())
                votes.update(word for word, value in near if value == str(one))
                # A count that was not shown itself may be an older one of what is shown.
                votes.update(
                    word for word, value in near if _older(str(one), word, value) and not votes[word]
                )
    for step in calls:
        called = _by_order(step)
        if called is None:
            continue
        named: dict[str, object] = {}
        for number, one in enumerate(called.given):
            inner = members_in(one)
            if inner and not named.keys() & inner.keys():
                named |= inner
                continue
            votes = names.get((called.method, number), Counter[str]())
            best = max(votes, key=lambda word: (votes[word], called_version(word)), default="")
            named[best if best and best not in named else f"argument{number}"] = one
        if any(not name.startswith("argument") for name in named):
            _put(step, {**members_in(step.view.sent_json), called.at: named}, None)


def _older(value: str, word: str, shown: str) -> bool:
    return not _NAMES.fullmatch(word) and tokens.counted_on(value, shown)


def _shown(step: Step) -> Iterator[tuple[str, str]]:
    """Yield the names and values of the records in an answer."""
    told = step.view.json
    if told is UNKNOWN:
        return
    # The number of the call stands beside its result.
    waiting: list[tuple[object, int]] = [(members_in(told).get("result", told), 0)]
    while waiting:
        value, depth = waiting.pop()
        held = members_in(value)
        for name, one in held.items():
            if is_plain(one):
                yield name, str(one)
        inner = cast("list[object]", value)[:_FEW] if isinstance(value, list) else list(held.values())
        waiting += [(one, depth + 1) for one in inner if depth < _FEW and isinstance(one, dict | list)]
