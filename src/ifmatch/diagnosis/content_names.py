"""Find the resource that a request names in its content, by the parameters by which reads ask for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import parse_qsl, quote, urlencode

from ifmatch.diagnosis.projections import is_view
from ifmatch.dialects.glossary import Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ifmatch.diagnosis.steps import Step

_OK: Final = 200
# Parameters that tell one thing from the others: `type` and `page` choose some of many.
_ONE_THING: Final = Words(
    r"(?:\w*[-_.]|\w*(?=[A-Z]))?(?:id|ids|uid|uuid|guid|key|name|code|number|no|nr|ref|slug|path|file|uri|account"
    r"|object|record|item|document|doc|entity)|\w*[a-z]Id"
)
_LONGEST: Final = 200
# Forms in which a thing is read at a path of its own.
_FORMS: Final = (".json", ".xml", ".html", ".yaml", ".yml", ".csv", ".txt")
_CALL: Final = re.compile(r"[A-Za-z][A-Za-z_-]{2,40}")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A read with parameters: the key of its resource, and what it asks for, by names in lower case."""

    key: str
    pairs: dict[str, tuple[str, str]]
    lists: bool


def named_in_contents(steps: Sequence[Step]) -> None:
    """Take a write that names in its content what reads name in the query as one on what they read.

    `PUT /record` with `{"app": 42, "id": 318, ...}` is what `GET /record?app=42&id=318` shows. Where the
    value is another one than any read had, the write is about another thing than those.

    Args:
        steps: of a case, in order of time.
    """
    asked: dict[str, list[_Asked]] = {}
    writes: list[Step] = []
    for step in steps:
        base, mark, query = step.resource.partition("?")
        if step.method == "GET" and step.status == _OK and mark:
            pairs = {name.casefold(): (name, value) for name, value in parse_qsl(query)}
            asked.setdefault(base, []).append(_Asked(step.resource, pairs, isinstance(step.view.json, list)))
        elif step.is_write:
            writes.append(step)
    for step in writes if asked else ():
        base, _, query = step.resource.partition("?")
        found = _named(asked[base], step, dict(parse_qsl(query))) if base in asked else ""
        if found:
            step.resource = found
    read = {step.resource: step for step in steps if step.method == "GET" and step.status == _OK}
    for step in writes:
        _below(step, read)


def _below(step: Step, read: Mapping[str, Step]) -> None:
    """Take a write as one on what was read in a form of its own, or beside the name of the call.

    `POST /stations/417` is about `/stations/417.json`, and `POST /slots/allocate` with `{"slot": "0905-31"}`
    about `/slots/0905-31`, which says of itself that it is that slot.
    """
    path, mark, query = step.resource.partition("?")
    if path in read or step.resource in read:
        return
    folder, _, last = path.rpartition("/")
    for thing, rest in ((path, ""), (folder, f"/{last}")):
        formed = next((f"{thing}{form}" for form in _FORMS if f"{thing}{form}" in read), "")
        if formed and thing not in read and (not rest or _CALL.fullmatch(last)):
            step.resource = f"{formed}{rest}{mark}{query}"
            return
    if step.method != "POST" or not _CALL.fullmatch(last) or folder in read:
        return
    for name, value in _members(step.view.sent_json):
        thing = f"{folder}/{quote(value)}"
        if len(value) > 1 and thing in read and (name, value) in set(_members(read[thing].view.json)):
            step.resource = f"{thing}/{last}{mark}{query}"
            return


def _members(value: object) -> Iterator[tuple[str, str]]:
    """Yield name and value of the texts and numbers at the top of a content."""
    for name, one in cast("dict[str, object]", value).items() if isinstance(value, dict) else ():
        if isinstance(one, str | int) and not isinstance(one, bool):
            yield name, str(one)


def _named(asked: Sequence[_Asked], step: Step, given: dict[str, str]) -> str:
    """Return the key of the resource that a write's content names, "" where it names none as reads do."""
    sent = _scalars(step.view.sent_json)
    if step.method == "POST":
        # What is posted to a list with the value that it is sorted by is a new entry of the list.
        asked = [one for one in asked if not one.lists]
    kinds = [one for one in asked if _shared(one, sent, given)]
    same = [one for one in kinds if _agrees(one, sent)]
    if same:
        return max(same, key=lambda one: len(_shared(one, sent, given))).key
    if not kinds:
        return ""
    like = kinds[-1]
    pairs = [(name, sent.get(low, value)) for low, (name, value) in like.pairs.items()]
    base = like.key.partition("?")[0]
    return f"{base}?{urlencode(sorted(pairs))}"


def _shared(one: _Asked, sent: dict[str, str], given: dict[str, str]) -> list[str]:
    """Return the parameters that name the thing in a read, and are members of a write's content."""
    known = {name.casefold() for name in given}
    return [
        low
        for low in one.pairs
        if low in sent and low not in known and _ONE_THING.fullmatch(one.pairs[low][0])
    ]


def _agrees(one: _Asked, sent: dict[str, str]) -> bool:
    """Tell whether a content has no other value for any parameter of a read but those that choose a view."""
    return all(sent.get(low, value) == value for low, (name, value) in one.pairs.items() if not is_view(name))


def _scalars(value: object) -> dict[str, str]:
    """Return the texts and numbers at the top of a content, by name in lower case."""
    members = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    return {
        name.casefold(): str(one)
        for name, one in members.items()
        if isinstance(one, str | int) and not isinstance(one, bool) and len(str(one)) <= _LONGEST
    }
