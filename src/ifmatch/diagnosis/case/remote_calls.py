"""Read XML-RPC as families read calls in JSON, and arguments by the names that answers have for them.

A call without names gives its arguments in their order: `setzen("W-114", 57, "Altona")`. What an answer of
the same address shows under a name is what the argument with that value is, and that of all calls of the
method. Nor does XML that says by its first element what is to be done differ from a call.

What was sent stays as it is: a step gets a reading of it, which says of each value where it was sent.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple, cast
from xml.etree import ElementTree as ET

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.readings import Reading
from ifmatch.diagnosis.reading.soap_bodies import root_of
from ifmatch.diagnosis.reading.version_words import called_version
from ifmatch.dialects.glossary import Words
from ifmatch.model.json_values import is_plain, members_in, pointer_step
from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.message import Response

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


# What every call of JSON-RPC has, and every answer (JSON-RPC 2.0 sections 4 and 5).
_FRAME: Final = {"jsonrpc": "2.0", "id": 1}
# Members that name a thing, or how many there are of it.
_NAMES: Final = Words(r"\w*(?:id|nr|no|number|key|code|count|amount|quantity|total)")


class _Place(NamedTuple):
    """Where a value is: by its JSON Pointer in the reading, by the XPath of its element in what was sent."""

    pointer: str
    path: str

    def member(self, name: str) -> _Place:
        """Return where a member of the struct at this place is."""
        return _Place(
            f"{self.pointer}/{pointer_step(name)}", f'{self.path}/struct/member[name="{name}"]/value'
        )

    def element(self, number: int) -> _Place:
        """Return where an element of the array at this place is, counted from 0."""
        return _Place(f"{self.pointer}/{number}", f"{self.path}/array/data/value[{number + 1}]")


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
            _read_xml_rpc(step)
        if _by_order(step) is not None:
            places.setdefault(step.resource, []).append(step)
    for calls in places.values():
        _name(calls[:_MOST])


def _read_xml_rpc(step: Step) -> None:
    """Read an XML-RPC call and its answer.

    Source: xmlrpc.com/spec.md (methodCall, methodResponse, fault).
    """
    called = _root(step.exchange.request.content, "methodCall")
    if called is None:
        return
    method = (called.findtext("methodName") or "").strip()
    places = {"/method": "/methodCall/methodName"}
    params: list[object] = []
    given = called.findall("params/param/value")
    for number, one in enumerate(given):
        # What is named already is read by its names.
        alone = len(given) == 1 and one.find("struct") is not None
        place = "/methodCall/params/param" + ("" if len(given) == 1 else f"[{number + 1}]") + "/value"
        params.append(_value(one, _Place("/params" if alone else f"/params/{number}", place), places))
    named = (members_in(params[0]) or params) if len(params) == 1 else params
    _read(step, {"method": method, "params": named}, _answer(step.exchange.response, places), places)


def _elements_as_calls(steps: Sequence[Step]) -> None:
    """Read XML that says by its first element what is to be done as a call, where one address takes several.

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
                found = {"/method": f"/{root.tag}", **_places(root, "/params")}
                answer = {"result": dict(_leaves(told))} if told is not None else None
                found |= _places(told, "/result") if told is not None else {}
                _read(step, {"method": root.tag, "params": dict(_leaves(root))}, answer, found)


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


def _places(element: ET.Element, pointer: str) -> dict[str, str]:
    """Return by pointer where each of the leaves of an element stands in its document."""
    found: dict[str, str] = {}
    waiting = [(element, f"/{element.tag}")]
    while waiting:
        one, path = waiting.pop()
        found |= {f"{pointer}/{pointer_step(name)}": f"{path}/@{name}" for name in one.attrib}
        if not len(one) and one is not element:
            found[f"{pointer}/{pointer_step(one.tag)}"] = path
        waiting += [(inner, f"{path}/{inner.tag}") for inner in cast("Iterable[ET.Element]", one)]
    return found


def _answer(response: Response | None, places: dict[str, str]) -> dict[str, object] | None:
    """Return what an answer says as JSON-RPC has it, None where it is no such answer."""
    told = _root(response.content, "methodResponse") if response is not None else None
    if told is None:
        return None
    fault = told.find("fault/value")
    if fault is None:
        given = told.findall("params/param/value")
        place = _Place("/result", "/methodResponse/params/param/value")
        values = [_value(one, place, places if len(given) == 1 else {}) for one in given]
        return {"result": values[0] if len(values) == 1 else values}
    held: dict[str, str] = {}
    record = members_in(_value(fault, _Place("", "/methodResponse/fault/value"), held))
    members = (("code", "faultCode"), ("message", "faultString"))
    places |= {f"/error/{name}": held[f"/{told_as}"] for name, told_as in members if f"/{told_as}" in held}
    return {"error": {name: record.get(told_as) for name, told_as in members}}


def _read(
    step: Step,
    sent: Mapping[str, object],
    answer: Mapping[str, object] | None,
    places: Mapping[str, str],
) -> None:
    """Let a step be read as a call of JSON-RPC."""
    told = Content.from_json({**_FRAME, **answer}) if answer is not None else None
    step.reading = Reading(Content.from_json({**_FRAME, **sent}), told, places)
    _anew(step)


def _anew(step: Step) -> None:
    """Let what was read of a step before be read anew."""
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


def _value(element: ET.Element, place: _Place, places: dict[str, str], depth: int = _DEEP) -> object:
    """Return a value of XML-RPC, and note where it stands; one without a type is a text."""
    typed = element[0] if len(element) else None
    places[place.pointer] = place.path
    if typed is None or depth == 0:
        return (element.text or "").strip()
    kind, text = typed.tag, (typed.text or "").strip()
    if kind == "struct":
        found: dict[str, object] = {}
        for one in cast("Iterable[ET.Element]", typed.iterfind("member")):
            name, held = (one.findtext("name") or "").strip(), one.find("value")
            if held is not None:
                found[name] = _value(held, place.member(name), places, depth - 1)
        return found
    if kind == "array":
        elements = enumerate(typed.iterfind("data/value"))
        return [_value(one, place.element(number), places, depth - 1) for number, one in elements]
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
        places: dict[str, str] = {}
        for number, one in enumerate(called.given):
            given = f"/{called.at}/{number}"
            inner = members_in(one)
            if inner and not named.keys() & inner.keys():
                named |= inner
                within = {f"/{called.at}/{name}": f"{given}/{name}" for name in map(pointer_step, inner)}
                places |= _moved(step, within)
                continue
            votes = names.get((called.method, number), Counter[str]())
            best = max(votes, key=lambda word: (votes[word], called_version(word)), default="")
            name = best if best and best not in named else f"argument{number}"
            named[name] = one
            places |= _moved(step, {f"/{called.at}/{pointer_step(name)}": given})
        if any(not name.startswith("argument") for name in named):
            content = Content.from_json({**members_in(step.view.sent_json), called.at: named})
            reading = step.reading or Reading()
            step.reading = replace(reading, sent=content, places={**reading.places, **places})
            _anew(step)


def _moved(step: Step, pointers: Mapping[str, str]) -> dict[str, str]:
    """Return where values stand that a reading has at other pointers than the call that it is of."""
    return {pointer: step.view.places.get(given, given) for pointer, given in pointers.items()}


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
