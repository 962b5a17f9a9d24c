"""Read a service's own account of what became of a resource: who changed it when, to which version, how."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from ifmatch.diagnosis.links.operations import asks
from ifmatch.diagnosis.links.path_members import of_a_kind
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.dates import told_clock, told_moment
from ifmatch.diagnosis.reading.editors import PROGRAM, signed_by_service
from ifmatch.diagnosis.reading.embedded import may_be_coded
from ifmatch.diagnosis.reading.listed_records import Record, leaves_of, may_list, records_in
from ifmatch.diagnosis.reading.transitions import transitions
from ifmatch.diagnosis.reading.version_words import dates_change
from ifmatch.diagnosis.steps.resources import bare, host_of, path_of
from ifmatch.dialects.glossary import Words
from ifmatch.dialects.words import VERSION
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ifmatch.diagnosis.steps.step import Step

_LONGEST: Final = 200_000
_OK: Final = 200
# Shorter names are met by chance.
_FEW: Final = 2
_NAME: Final = 3
# The path of a resource with its slash and without are names of it; a telling last part is a third.
_PATHS: Final = 2
_PIECES: Final = late_pattern(r"[A-Za-z0-9]+")
# What things are named by in lists of them.
_NAMED: Final = late_pattern(r"_?(?:id|uid|uuid|guid|key|code|slug|nr|no)", re.IGNORECASE)
_OPERATION: Final = late_pattern(r"(?<=[^:/]):[A-Za-z]\w*$")
# Longer contents are no questions.
_ASKED: Final = 2000
_LAST_COUNT: Final = late_pattern(r"(?<!\d)(\d{1,12})$")
_WHO: Final = Words(
    r"(?:author|committer|editor|user|actor|by|who|whom|person|principal|account|agent|client|program|application"
    r"|app|manager|source|origin|device|station|terminal|workstation|host|node"
    r"|writer|operator|login|subject|member|owner"
    r"|(?:last[_ ]?)?"
    r"(?:modified|changed|updated|edited|created|saved|written|made|done|committed|recorded)[-_ ]?by)"
    r"(?:[-_ ]?(?:name|id|login|e?mail|display_?name|agent|user))?"
)
_WHEN: Final = Words(
    r"(?:when|at|date|time|timestamp|ts|moment|instant|published|start|end"
    r"|(?:created|committed|modified|changed|updated|edited|saved|recorded|authored|written|occurred|event|valid|log)"
    r"(?:[-_ ]?(?:at|on|date|time|timestamp|when))?)"
)
_NUMBER: Final = Words(r"(?:number|no|nr|num|n|to|new|key|id|after|result)")
# What did not become of it.
_FAILED: Final = Words(
    r".*(?:refus|reject|denied|fail|conflict|not[ _-]?(?:applied|stored|saved|done|accepted)|error|aborted"
    r"|discard|rolled[ _-]?back|invalid|409|412).*"
)
_DONE: Final = Words(
    r"ok|done|success(?:ful)?|succeeded|accepted|applied|saved|stored|written|committed"
    r"|carried[_ -]?out|executed|taken(?:[_ -]?over)?|effective|granted|approved"
    r"|posted|booked|processed|persisted|recorded"
)
_NO: Final = frozenset({"false", "no", "n", "0"})
_LOOKED: Final = Words(
    r"(?:read|view(?:ed)?|open(?:ed)?|get|head|fetch(?:ed)?|download(?:ed)?|log(?:ged)?[ _-]?(?:in|out)"
    r"|print(?:ed)?|export(?:ed)?|lock(?:ed)?|unlock(?:ed)?|look(?:ed)?|search(?:ed)?|list(?:ed)?)"
)
# What calls itself a part of the service: `system:geocoder`, `rating-engine`.
_PART: Final = late_pattern(r"(?i)[a-z]{2,}(?:[-_.:/@][a-z0-9]+)+|system")
_HOW: Final = Words(
    r"(?:what|how|action|event|kind|type|op|operation|verb|method|status|result|outcome|state|decision|code|note"
    r"|reason|verdict|answer|conclusion|disposition)"
    r"(?:[_-]?(?:type|name|code))?"
)


# A text that two hardly set alike, a run of it that no format escapes, and so many changes are followed back.
_TEXT: Final = 12
_RUNS: Final = late_pattern(r"[A-Za-z0-9 ,.-]{6,}")
_STEPS: Final = 20
_STATUS: Final = late_pattern(r"20[0-7]|30[1-8]|4[0-5]\d|50[0-4]")


class Change(Frozen, frozen=True):
    """One entry of a service's account.

    Attributes:
        listing: the answer that tells it.
        record: its values by their names.
        who: who or what made it, "" where it is not told.
        when: seconds since the epoch, None where it is not told.
        version: the version that it made, "" where it is not told.
    """

    listing: Step
    record: Record
    who: str
    when: float | None
    version: str


def account_of(
    step: Step, listings: Iterable[Step], versions: Sequence[str], *, bare: bool = False
) -> Iterator[Change]:
    """Yield what answers tell of changes of one resource, in the order in which they stand there.

    Args:
        step: on the resource.
        listings: answers that may tell of it.
        versions: of the resource, as far as they are known, without quotes.
        bare: whether to yield also what tells neither a moment nor a version.
    """
    telling = [(one, text) for one in listings if (text := _listed(one, step))]
    if not telling:
        return
    names, last = _names(step), _last_pieces(step)
    path = _path(step)
    named = last if len(names) > _PATHS else _PIECES.findall(unquote(path))
    said = telling_words(step)
    for one, text in telling:
        # Letters and digits are escaped nowhere: without them neither the address nor a record names it.
        where = one.exchange.request.url
        if one.method == "POST":
            where += one.view.sent_text[:_ASKED]
        by_name = _holds(where, last) or _holds(text, named) or may_be_coded(text)
        if not (by_name or (said and said in text)):
            continue
        records: Sequence[Record] = records_in(text)
        if one is step:
            records = _beside_the_sent(records, step)
        if host_of(one.resource) != host_of(step.resource) and not _of_both(one, step, records, versions):
            continue
        if not about(one, step):
            of_it = tuple(record for record in records if names & set(record.values()))
            records = of_it or _of_the_value(records, step)
        records = _of_the_thing(records, step)
        yield from _changes(one, records, versions, bare=bare, own=about(one, step))


def _beside_the_sent(records: Sequence[Record], step: Step) -> Sequence[Record]:
    """Return the records in the answer to a write but for those that it sent: parts of the thing itself."""
    sent = [one.items() for one in records_in(step.body.text)] if step.body is not None else []
    return [one for one in records if not any(each <= one.items() for each in sent)] if sent else records


def _listed(one: Step, step: Step) -> str:
    """Return the content of an answer that may list changes of a resource, "" of any other one."""
    content = one.content
    if content is None or one.status != _OK or len(content) > _LONGEST:
        return ""
    if not (one.is_read or one is step or asks(one)):
        return ""
    return content.text if lists(one) else ""


def lists(step: Step) -> bool:
    """Tell whether an answer may list records, as `may_list` has it.

    Args:
        step: any request.
    """
    kept = step.view.kept
    if "lists" not in kept:
        # Each answer is asked about for all the requests around it.
        kept["lists"] = step.content is not None and may_list(step.content.text)
    return kept["lists"] is True


def _path(step: Step) -> str:
    """Return the path of a resource without the operation that may stand behind a colon."""
    return _path_in(step.resource)


@lru_cache(maxsize=512)
def _path_in(resource: str) -> str:
    return _OPERATION.sub("", bare(path_of(resource)))


@lru_cache(maxsize=512)
def _asked_at(url: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the path of a URL, and what its query asks for."""
    parts = urlsplit(url)
    return parts.path, tuple(parse_qsl(parts.query))


def _last_pieces(step: Step) -> list[str]:
    """Return the letters and digits of the last part of a path: what tells of it holds them, or is at it."""
    path = _path(step)
    return _PIECES.findall(unquote(path).rpartition("/")[2])


def telling_piece(step: Step) -> str:
    """Return a piece of a resource's name that every account of its changes holds, or is asked for by.

    Args:
        step: on the resource.
    """
    return max(_last_pieces(step), key=len, default="")


def telling_words(step: Step) -> str:
    """Return the longest run of plain words in what a write sets, "" where all that it sets is short.

    Args:
        step: the write.
    """
    values = [value for _, value in leaves_of(step.body.text)] if step.body is not None else []
    runs = [run for value in values if len(value) >= _TEXT for run in _RUNS.findall(value)]
    return max(runs, key=len, default="")


def _of_the_value(records: Sequence[Record], step: Step) -> Sequence[Record]:
    """Return the entries that lead to a text that a write set, each from what the one before had made of it.

    Queries for changes need not repeat whose they are; a long text is set but once.

    Args:
        records: what a list tells.
        step: a write.
    """
    body = step.body.text if step.body is not None else ""
    wanted = {(name.rpartition("/")[2], value) for name, value in leaves_of(body) if len(value) >= _TEXT}
    told = [(record, one) for record in records for one in transitions(record)] if wanted else []
    made = [(record, one) for record, one in told if (one.word, one.after) in wanted]
    if len(made) != 1:
        return ()
    chain = [made[0][0]]
    before, word = made[0][1].before, made[0][1].word
    for _ in range(_STEPS):
        found = [(each, one) for each, one in told if (one.word, one.after) == (word, before)]
        if len(found) != 1 or found[0][0] in chain:
            break
        chain.append(found[0][0])
        before = found[0][1].before
    return tuple(record for record in records if record in chain)


def _of_the_thing(records: Sequence[Record], step: Step) -> Sequence[Record]:
    """Return of a list of things the record of one; all, where they tell of one thing.

    Where each record has another name and one of them has that which the write gives its thing, the list
    shows things as they are, no changes of this one.

    Args:
        records: what a list tells.
        step: a write on the thing.
    """
    if len(records) < _FEW:
        return records
    body = step.body.text if step.body is not None else ""
    given = {name.rpartition("/")[2]: value for name, value in leaves_of(body) if value}
    # What a call is about is told apart from its address.
    inner = unquote(step.resource.partition("#")[2])
    for name in records[0]:
        if _NAMED.fullmatch(_word(name)) is None or any(name not in record for record in records):
            continue
        values = [record[name] for record in records]
        mine = inner or given.get(_word(name))
        if len(set(values)) == len(values) and mine in values:
            return tuple(record for record in records if record[name] == mine)
    return records


def _of_both(listing: Step, step: Step, records: Sequence[Record], versions: Sequence[str]) -> bool:
    """Tell whether another host's list is of the same thing: of its path, and with two of its versions.

    A front and what stands behind it, or two fronts of one service, have one thing under two names.
    """
    held = {tokens.opaque(value) for record in records for value in record.values()}
    telling = {one for one in versions if len(one) >= _NAME and not one.isdigit()}
    return about(listing, step) and len(telling & held) >= _FEW


def _holds(text: str, pieces: Sequence[str]) -> bool:
    return all(piece in text for piece in pieces)


def about(listing: Step, step: Step) -> bool:
    """Tell whether a listing lies at or below a resource, or names it in its query.

    Args:
        listing: an answered read.
        step: on the resource.
    """
    path = _path(step)
    there, query = _asked_at(listing.exchange.request.url)
    if len(path) > 1 and (there.rstrip("/") == path or there.startswith((path + "/", path + ":"))):
        return True
    whole = unquote(path)
    name = whole.rpartition("/")[2]
    if len(name) >= _NAME and any(map(str.isdigit, name)) and name in unquote(there).split("/")[1:-1]:
        # Below the thing, whatever else leads to it.
        return True
    kind = whole.rpartition("/")[0].rpartition("/")[2]
    asked = [*query]
    if listing.method == "POST" and len(listing.view.sent_text) <= _ASKED:
        asked += [(_word(called), value) for called, value in leaves_of(listing.view.sent_text)]
    return any(
        # After the word for such things, be it ever so short.
        (len(value) > _FEW or of_a_kind(kind, called)) and (whole.endswith("/" + value) or whole == value)
        for called, value in asked
    )


def _names(step: Step) -> set[str]:
    """Return what a listing of many things may name a resource by; nothing where that is met by chance."""
    path = unquote(_path(step))
    last = path.rpartition("/")[2]
    telling = len(last) > _NAME or (len(last) >= _NAME and any(map(str.isdigit, last)))
    return {path, path.lstrip("/"), *([last] if telling else [])} - {""}


def _changes(
    listing: Step, records: Sequence[Record], versions: Sequence[str], *, bare: bool, own: bool
) -> Iterator[Change]:
    counts = _version_name(records, versions)
    ended = _status_names(records)
    for record in records:
        if any(record[name][0] in "45" for name in ended):
            continue
        if any(_HOW.fullmatch(_word(name)) and _off(value) for name, value in record.items()):
            continue
        if any(_DONE.fullmatch(_word(name)) and value.lower() in _NO for name, value in record.items()):
            continue
        # What a field was and became says nothing of the entry itself, be it called `owner`.
        paired = {name for one in transitions(record) for name in one.names}
        who = next((said for name, said in record.items() if name not in paired and _who(name, said)), "")
        who = who or _program(record)
        when = _when(record) or _clocked(record, listing)
        version = tokens.opaque(record.get(counts, "")) if counts else ""
        if not version:
            version = next((one for name, one in record.items() if VERSION.search(_word(name))), "")
        # A terse one has no more than its version and something beside.
        telling = who or len(record) > _FEW or (counts and len(record) == _FEW and version)
        telling = telling or (own and when is not None and len(record) == _FEW)
        if (bare or when is not None or version) and telling:
            yield Change(listing, record, who, when, tokens.opaque(version))


def _status_names(records: Sequence[Record]) -> list[str]:
    """Return the names under which every entry has a status of HTTP, at least one that of a success."""
    names = records[0] if len(records) >= _FEW else ()
    held = {name: [record.get(name, "") for record in records] for name in names}
    return [
        name
        for name, values in held.items()
        if all(map(_STATUS.fullmatch, values))
        and any(one[0] == "2" for one in values)
        and len(set(values)) < len(values)
    ]


def _off(value: str) -> bool:
    return _FAILED.fullmatch(value) is not None or _LOOKED.fullmatch(value) is not None


def _who(name: str, value: str) -> bool:
    """Tell whether a value says who: the name may be that of the object around it."""
    parts = [part for part in name.split("/") if not part.isdigit()]
    told = any(_WHO.fullmatch(part) is not None for part in parts[-3:])
    return told and bool(value) and told_moment(value) is None


def _program(record: Record) -> str:
    """Return what in an entry is called like a program of the service, whatever its name is; else ""."""
    told = (
        value
        for name, value in record.items()
        if _PART.fullmatch(value) and not _HOW.fullmatch(_word(name)) and not _NUMBER.fullmatch(_word(name))
    )
    return next((one for one in told if signed_by_service("by", one) or PROGRAM.search(one)), "")


def _word(name: str) -> str:
    parts = [part for part in name.split("/") if not part.isdigit()]
    return parts[-1] if parts else name


def _when(record: Record) -> float | None:
    """Return when an entry says that it happened: what is called so, else the only moment in it."""
    told = [(_word(name), value) for name, value in record.items()]
    named = [pair for pair in told if _WHEN.fullmatch(pair[0]) or dates_change(pair[0])]
    # Things have times of their own: an appointment has its start, and was changed at another time.
    named.sort(key=lambda pair: not dates_change(pair[0]))
    found = [moment for _, value in named if (moment := told_moment(value)) is not None]
    if found:
        return found[0]
    moments = {
        moment
        for value in record.values()
        if re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:", value) and (moment := told_moment(value)) is not None
    }
    return moments.pop() if len(moments) == 1 else None


def _clocked(record: Record, listing: Step) -> float | None:
    """Return when an entry says that it happened, where it tells the time of the day alone."""
    if listing.date is None and not listing.timed:
        return None
    by = listing.date if listing.date is not None else listing.end
    named = [value for name, value in record.items() if _WHEN.fullmatch(_word(name)) is not None]
    for values in (named, list(record.values())):
        moments = {moment for value in values if (moment := told_clock(value, by)) is not None}
        if moments:
            return moments.pop() if len(moments) == 1 else None
    return None


def moments_of(change: Change) -> tuple[float, ...]:
    """Return all moments that an entry tells, such as when a request came and when it was done.

    Args:
        change: the entry.
    """
    listing = change.listing
    by = listing.date if listing.date is not None else listing.end
    told = (told_moment(value) or told_clock(value, by) for value in change.record.values())
    return tuple(one for one in told if one is not None)


def told_done(change: Change) -> bool:
    """Tell whether an entry says of what it tells that it was taken.

    Args:
        change: the entry.
    """
    return any(
        _HOW.fullmatch(_word(name)) is not None and _DONE.fullmatch(value) is not None
        for name, value in change.record.items()
    )


def _version_name(records: Sequence[Record], versions: Sequence[str]) -> str:
    """Return the name under which entries give versions: it holds one that is known, or is called so."""
    names = dict.fromkeys(name for record in records for name in record)
    held = {name: {tokens.opaque(record.get(name, "")) for record in records} for name in names}
    known = set(versions)
    told = [name for name in names if held[name] & known]
    ranked = sorted(told, key=lambda name: (-len(held[name] & known), VERSION.search(_word(name)) is None))
    for name in ranked:
        sure = VERSION.search(_word(name)) is not None or _NUMBER.fullmatch(_word(name)) is not None
        sure = sure or _in_turn([record[name] for record in records if name in record])
        if sure or len(held[name] & known) > 1 or any(len(one) > _NAME for one in held[name] & known):
            return name
    return next((name for name in names if VERSION.search(_word(name)) is not None), "")


def _in_turn(values: Sequence[str]) -> bool:
    """Tell whether values count on by one, up or down: nothing but versions and their like does."""
    if len(values) < _FEW or not all(tokens.opaque(value)[-1:].isdigit() for value in values):
        return False
    return {tokens.steps_on(before, after) for before, after in pairwise(values)} in ({1}, {-1})


def known_as(issued: Iterable[str | None]) -> list[str]:
    """Return what accounts may call versions by: as they are, and the counts at their ends.

    Args:
        issued: versions that answers gave out, None where one gave none.
    """
    found: list[str] = []
    for one in issued:
        if one is not None:
            bare = tokens.opaque(one)
            count = _LAST_COUNT.search(bare)
            found += [bare, count[1]] if count is not None else [bare]
    return found
