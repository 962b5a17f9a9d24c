"""Find the resource that a request names in its content, by the parameters by which reads ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast
from urllib.parse import parse_qsl, quote, urlencode

from ifmatch.diagnosis.case.commands_beside import take_commands
from ifmatch.diagnosis.reading.projections import is_view
from ifmatch.dialects.glossary import Words
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen, Slotted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ifmatch.diagnosis.steps.step import Step

_OK: Final = 200
# Parameters that tell one thing from the others: `type` and `page` choose some of many.
_ONE_THING: Final = Words(
    r"(?:\w*[-_.]|\w*(?=[A-Z]))?(?:id|ids|uid|uuid|guid|key|name|code|number|no|nr|ref|slug|path|file|uri|account"
    r"|object|record|item|document|doc|entity)|\w*[a-z]Id"
)
_LONGEST: Final = 200
# Forms in which a thing is read at a path of its own.
_FORMS: Final = (".json", ".xml", ".html", ".yaml", ".yml", ".csv", ".txt")
_CALL: Final = late_pattern(r"[A-Za-z][A-Za-z_-]{2,40}")


_Names = tuple[str, ...]


class _Asked(Frozen, frozen=True):
    """A read with parameters: its place, the key of its resource, and what it asks for by which names."""

    order: int
    key: str
    pairs: dict[str, tuple[str, str]]


class _Kind(Slotted):
    """Reads that ask for things by parameters of the same names.

    Attributes:
        reads: in order of time.
        lists: whether they were answered with lists.
        tables: the first read of each set of values, by the names of the parameters that are compared.
    """

    reads: list[_Asked]
    lists: bool
    tables: dict[_Names, dict[_Names, _Asked]]

    def first(self, names: _Names, values: _Names) -> _Asked | None:
        """Return the first read that asked for some values by some names."""
        table = self.tables.get(names)
        if table is None:
            table = self.tables[names] = {}
            for one in self.reads:
                table.setdefault(tuple(one.pairs[low][1] for low in names), one)
        return table.get(values)


def named_in_contents(steps: Sequence[Step]) -> None:
    """Take a write that names in its content what reads name in the query as one on what they read.

    `PUT /record` with `{"app": 42, "id": 318, ...}` is what `GET /record?app=42&id=318` shows. Where the
    value is another one than any read had, the write is about another thing than those.

    Args:
        steps: of a case, in order of time.
    """
    asked: dict[str, dict[tuple[_Names, bool], _Kind]] = {}
    writes: list[Step] = []
    for place, step in enumerate(steps):
        base, mark, query = step.resource.partition("?")
        if step.method == "GET" and step.status == _OK and mark:
            pairs = {name.casefold(): (name, value) for name, value in parse_qsl(query)}
            lists = isinstance(step.view.json, list)
            kinds = asked.setdefault(base, {})
            kind = kinds.setdefault((tuple(sorted(pairs)), lists), _Kind([], lists, {}))
            kind.reads.append(_Asked(place, step.resource, pairs))
        elif step.is_write:
            writes.append(step)
    for step in writes if asked else ():
        base, _, query = step.resource.partition("?")
        found = _named(asked[base].values(), step, dict(parse_qsl(query))) if base in asked else ""
        if found:
            step.resource = found
    read = {step.resource: step for step in steps if step.method == "GET" and step.status == _OK}
    for step in writes:
        _below(step, read)
    take_commands(steps)


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


def _named(asked: Iterable[_Kind], step: Step, given: dict[str, str]) -> str:
    """Return the key of the resource that a write's content names, "" where it names none as reads do."""
    sent = _scalars(step.view.sent_json)
    best: tuple[int, _Asked] | None = None
    like: _Asked | None = None
    for kind in asked:
        shared = _shared(kind.reads[0], sent, given)
        # What is posted to a list with the value that it is sorted by is a new entry of the list.
        if not shared or (kind.lists and step.method == "POST"):
            continue
        pairs = kind.reads[0].pairs
        names = tuple(low for low, (name, _) in pairs.items() if low in sent and not is_view(name))
        same = kind.first(names, tuple(sent[low] for low in names))
        if same is not None and (best is None or len(shared) > best[0]):
            best = len(shared), same
        if like is None or kind.reads[-1].order > like.order:
            like = kind.reads[-1]
    if best is not None or like is None:
        return best[1].key if best is not None else ""
    told = [(name, sent.get(low, value)) for low, (name, value) in like.pairs.items()]
    base = like.key.partition("?")[0]
    return f"{base}?{urlencode(sorted(told))}"


def _shared(one: _Asked, sent: dict[str, str], given: dict[str, str]) -> list[str]:
    """Return the parameters that name the thing in a read, and are members of a write's content."""
    known = {name.casefold() for name in given}
    return [
        low
        for low in one.pairs
        if low in sent and low not in known and _ONE_THING.fullmatch(one.pairs[low][0])
    ]


def _scalars(value: object) -> dict[str, str]:
    """Return the texts and numbers at the top of a content, by name in lower case."""
    members = members_in(value)
    return {
        name.casefold(): str(one)
        for name, one in members.items()
        if isinstance(one, str | int) and not isinstance(one, bool) and len(str(one)) <= _LONGEST
    }
