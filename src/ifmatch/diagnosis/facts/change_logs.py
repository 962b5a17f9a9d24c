"""Read a service's own list of changes: commits, versions, an audit trail, what changed since a version."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from ifmatch.diagnosis.aftermath.told_of_tokens import has_verdict
from ifmatch.diagnosis.links.listed_versions import entries_in
from ifmatch.diagnosis.links.path_members import of_a_kind
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.editors import EDITOR
from ifmatch.diagnosis.reading.version_words import alike, called_version
from ifmatch.diagnosis.steps.message_members import sent
from ifmatch.diagnosis.steps.resources import bare, last_step, path_of
from ifmatch.model.json_values import members_in
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

Record = dict[str, object]

# Longer contents are data.
_LONGEST: Final = 200_000
_DEEP: Final = 2
_OK: Final = 200
_MOST: Final = 200
# What the first column of a log is called.
_FIRST: Final = "0"
# What parts the columns of a log, and a path in one.
_COLUMNS: Final = late_pattern(r"[\s;,|]+")
_PATH: Final = late_pattern(r"/?[^/\s]+(?:/[^/\s]+)+/?")
_NAMES: Final = ("id", "_id", "key", "uid", "uuid", "href", "name", "slug", "path")


def others_changed(facts: Facts) -> tuple[Step, str] | None:
    """Return the own listing of what had changed since the refused version, where that is other things alone.

    Args:
        facts: of a refused write.

    Returns:
        The listing, and the name of one thing that changed; None when there is no such list, or it has the
        thing that was to be written.
    """
    token = tokens.opaque(facts.token or "")
    if not token:
        return None
    for one in facts.case.steps[facts.step.order + 1 :]:
        if one.actor != facts.step.actor:
            continue
        if not one.is_read:
            return None
        if one.status != _OK or one.content is None or len(one.content) > _LONGEST:
            continue
        listed = _since(one, token) or _counted(facts, one)
        # What was turned down changed nothing.
        listed = [entry for entry in listed if not has_verdict(entry)]
        if listed:
            name = _another(facts, listed)
            if name is None and facts.content_moved is not True:
                name = _another_path(facts.step, listed)
            return (one, name) if name else None
    return None


def _since(read: Step, token: str) -> list[Record]:
    """Return the changes that an answer lists, where its query asks for those since a version."""
    asked = token in (value for _, value in parse_qsl(urlsplit(read.exchange.request.url).query))
    asked = asked or (
        read.reads and any(_from(one.word) and tokens.opaque(one.value) == token for one in sent(read))
    )
    return _entries(read) if asked else []


def _from(word: str) -> bool:
    """Tell whether a member may say since when: calls have a number of their own."""
    return word.lower() not in {"id", "jsonrpc"}


def _counted(facts: Facts, read: Step) -> list[Record]:
    """Return of the changes that an answer lists those that made the versions after the one that was sent.

    What the thing itself shows is its state, and what stands below it its own history.
    """
    token, current = tokens.opaque(facts.token or ""), tokens.opaque(facts.current_tag or "")
    if not (token.isdigit() and current.isdigit()) or facts.content_moved is not False:
        return []
    wanted = {str(number) for number in range(int(token) + 1, int(current) + 1)[:_MOST]}
    own = facts.step.resource
    if not wanted or read.resource == own or read.resource.startswith(bare(own) + "/"):
        return []
    word = facts.guard.name.rpartition("/")[2] if facts.guard is not None else ""
    listed = _entries(read)
    for name in listed[0] if listed else ():
        made = [str(entry.get(name)) for entry in listed]
        # Each version after the one that was sent has its change there, be it among older ones.
        counts = name == _FIRST or called_version(name) or alike(name, word)
        if counts and wanted <= set(made) and len(set(made)) == len(made):
            return [entry for entry, value in zip(listed, made, strict=True) if value in wanted]
    return []


def _entries(read: Step) -> list[Record]:
    listed = [entry for entry in entries_in(read.view.json, _DEEP) if entry]
    return listed or _by_name(read.view.json) or _in_lines(read)


def _by_name(value: object) -> list[Record]:
    """Return the entries of a table of versions by the names of the things, at the top or one level below."""
    for held in (value, *members_in(value).values()):
        table = members_in(held)
        named = table and not any(called_version(name) for name in table)
        counts = {type(one) for one in table.values()} <= {int, str}
        if named and counts and all(any(map(str.isdigit, str(one))) for one in table.values()):
            return [{"name": name, "version": one} for name, one in table.items()]
    return []


def _in_lines(read: Step) -> list[Record]:
    """Return the lines of a log as records: JSON by lines, or words in columns."""
    text = read.view.text.strip()
    lines = [line for line in text.splitlines() if line.strip()][:_MOST]
    if text[:1] == "{":
        return [entry for line in lines if (entry := members_in(_parsed(line)))]
    if text[:1] in {"", "<", "["}:
        return []
    return [{str(place): word for place, word in enumerate(_COLUMNS.split(line))} for line in lines]


def _parsed(line: str) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _another(facts: Facts, listed: list[Record]) -> str | None:
    """Return the name of one thing in a list of changes, "" if the one to be written is there as well.

    Returns:
        None where no member names things.
    """
    step = facts.step
    called = (*_NAMES, *_after_kind(step, listed))
    named = _by_members(facts, listed)
    if named is not None:
        return named
    names = {name: [str(entry[name]) for entry in listed if name in entry] for name in called}
    whole = [name for name, values in names.items() if len(values) == len(listed)]
    wanted = _written(step)
    if whole and wanted:
        apart = not any(value in wanted for name in whole for value in names[name])
        return names[whole[0]][0] if apart else ""
    return None


def _by_members(facts: Facts, listed: list[Record]) -> str | None:
    """Return the name of one thing in a list of changes that a member of the write names things by.

    The write sends it as it was read, or its resource is called so: it is no part of the change.
    """
    step = facts.step
    own, base = step.resource.partition("#")[2], facts.base
    asked = (
        {value for _, value in parse_qsl(urlsplit(base.exchange.request.url).query)} if base else set[str]()
    )
    # The names above a thing are those of what it is a part of.
    asked |= set(map(unquote, path_of(base.resource).partition("?")[0].split("/"))) - {""} if base else set()
    for one in sent(step):
        named = one.value in {own, *asked} and not (called_version(one.word) or EDITOR.search(one.word))
        if one.where not in {"body", "text", "query"} or not named:
            continue
        values = [str(entry[one.word]) for entry in listed if one.word in entry]
        if len(values) == len(listed) and any(map(str.isdigit, "".join(values))):
            return values[0] if one.value not in values else ""
    return None


def _another_path(step: Step, listed: list[Record]) -> str:
    """Return the path of one thing in a list of changes by paths, as the path of a write ends; else "".

    `articles/9` in the log and `/shops/3/articles/5` in the request are two things of one kind.
    """
    here = [unquote(part) for part in path_of(step.resource).partition("?")[0].split("/") if part]
    for name in listed[0]:
        values = [str(entry.get(name, "")) for entry in listed]
        paths = [[unquote(part) for part in value.split("/") if part] for value in values]
        parts = len(paths[0])
        if not 1 < parts <= len(here) or any(len(path) != parts for path in paths):
            continue
        if any(" " in value or not _PATH.fullmatch(value) for value in values) or here[-parts:] in paths:
            continue
        if all(_alike(path, here[-parts:]) for path in paths):
            return values[0]
    return ""


def _alike(path: list[str], here: list[str]) -> bool:
    """Tell whether two ends of paths name things of a kind: part by part the same, numbers or words."""
    return all(one == two or _kind(one) == _kind(two) for one, two in zip(path, here, strict=True))


def _kind(part: str) -> tuple[bool, bool]:
    return any(map(str.isdigit, part)), any(map(str.isalpha, part))


def _after_kind(step: Step, listed: list[Record]) -> list[str]:
    """Return the members of a list of changes that are called as the path of a write calls such things."""
    kind = bare(path_of(step.resource)).rpartition("/")[0].rpartition("/")[2]
    return [name for name in (listed[0] if listed else ()) if of_a_kind(kind, name)]


def _written(step: Step) -> set[str]:
    """Return the names of what a write is about: of its entries, or the last segment of its path."""
    listed = list(entries_in(step.view.sent_json, 0))
    sent = listed or [members_in(step.view.sent_json)]
    named = {str(entry[name]) for entry in sent for name in _NAMES[:5] if name in entry}
    if listed:
        return named
    last = last_step(step.resource)
    return {*named, unquote(last)}
