"""Read the YAML export of Insomnia 5: requests as they would be sent, without what came back.

Variables are filled in where the export says their value. Fields that Insomnia adds by itself are unknown.
Source of the format: `insomnia-v5` in Insomnia's sources, version 10.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.base.json_values import objects, text
from ifmatch.capture.documents.vcr_yaml import YamlError, load_yaml
from ifmatch.errors import InputError
from ifmatch.model.json_values import elements_in, members_in
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ifmatch.model.exchange import Capture

__all__ = ["read_insomnia_yaml"]

_LIMIT: Final = 64 * 1024 * 1024
_DEPTH: Final = 50
_VARIABLE: Final = re.compile(r"\{\{\s*(?:_\.)?([\w.-]{1,100})\s*\}\}")
_HAR: Final = (
    "Export the requests as HAR instead: it holds the last answer to each. Or record the traffic: curl -v"
)
_NO_ANSWERS: Final = (
    "this export of Insomnia holds requests, and no answer: why one was refused cannot be told from it. "
)
_KINDS: Final = {
    "mock": "this is a mock server of Insomnia: it holds answers that were made up",
    "environment": "this is an environment of Insomnia: it holds variables",
}


def read_insomnia_yaml(data: bytes, name: str) -> Capture:
    """Read the requests of an export.

    Args:
        data: the file, UTF-8.
        name: name of the source as the user gave it.

    Raises:
        InputError: it is no YAML, holds no request, or is larger than 64 MiB.
        MissingExtraError: PyYAML is not installed.
    """
    if len(data) > _LIMIT:
        raise InputError("the export is larger than 64 MiB", source=name, advice=_HAR)
    source = data.decode("utf-8", "replace")
    drafts = Drafts(name)
    document = members_in(_whole(drafts, source))
    kind = text(document.get("type")).partition(".")[0]
    if kind in _KINDS:
        raise InputError(_KINDS[kind], source=name, expected="recorded traffic", advice=_HAR)
    known = _variables(members_in(document.get("environments")))
    skipped: list[str] = []
    drafts.found = [
        draft for item in objects(document.get("collection")) for draft in _item(item, known, skipped, 0)
    ]
    drafts.warn(_NO_ANSWERS + _HAR)
    if skipped:
        drafts.warn(f"what is no HTTP request was skipped: {', '.join(skipped[:5])}")
    return drafts.capture("api-client", nothing="this export of Insomnia holds no request", advice=_HAR)


def _whole(drafts: Drafts, source: str) -> object:
    """Return the document, of one that is cut or damaged what stands before the damage."""
    try:
        return load_yaml(source, "reading exports of Insomnia 5")
    except YamlError as error:
        end = len(source) if error.position is None else error.position
    for found in reversed([*re.finditer(r"(?m)^\s{0,40}(?:- |(?=[A-Za-z]))", source[:end])][-60:]):
        try:
            value = load_yaml(source[: found.start()], "reading exports of Insomnia 5")
        except YamlError:
            continue
        drafts.warn("the file is damaged or cut: what stands before is read")
        return value
    return None


def _variables(environments: Mapping[str, object]) -> dict[str, str]:
    """Return what variables stand for; a name that sub-environments tell differently stays open."""
    known = dict(_leaves(environments.get("data"), ""))
    told: dict[str, set[str]] = {}
    for one in objects(environments.get("subEnvironments")):
        for key, value in _leaves(one.get("data"), ""):
            told.setdefault(key, set()).add(value)
    for key, values in told.items():
        if len(values) == 1:
            known.setdefault(key, *values)
    return known


def _leaves(value: object, path: str) -> Iterator[tuple[str, str]]:
    for key, one in members_in(value).items():
        if (leaf := text(one)) or isinstance(one, str):
            yield f"{path}{key}", leaf
        elif path.count(".") < _DEPTH:
            yield from _leaves(one, f"{path}{key}.")


def _item(
    item: Mapping[str, object], known: Mapping[str, str], skipped: list[str], depth: int
) -> Iterator[Draft]:
    if depth > _DEPTH:
        return
    if "children" in item:
        inner = {**known, **dict(_leaves(item.get("environment"), ""))}
        for child in objects(item.get("children")):
            yield from _item(child, inner, skipped, depth + 1)
        return
    method, url = text(item.get("method")).upper(), text(item.get("url"))
    if not method or not url:
        skipped.append(text(item.get("name")) or url or "without a name")
        return
    yield _request(item, method, url, known)


def _request(item: Mapping[str, object], method: str, url: str, known: Mapping[str, str]) -> Draft:
    def filled(value: object) -> str:
        # A value may name another variable.
        once = _VARIABLE.sub(lambda found: known.get(found[1], found[0]), text(value))
        return _VARIABLE.sub(lambda found: known.get(found[1], found[0]), once)

    address = filled(url)
    for one in _switched_on(item.get("pathParameters")):
        address = address.replace(f":{text(one.get('name'))}", quote(filled(one.get("value")), safe=""))
    pairs = [
        f"{quote(filled(one.get('name')))}={quote(filled(one.get('value')))}"
        for one in _switched_on(item.get("parameters"))
    ]
    address += ("&" if "?" in address else "?") + "&".join(pairs) if pairs else ""
    draft = Draft(method, address if "://" in address or address.startswith("{{") else f"http://{address}")
    draft.sent_complete = draft.received_complete = draft.framed = False
    for one in _switched_on(item.get("headers")):
        draft.add_sent(text(one.get("name")), filled(one.get("value")))
    if said := filled(members_in(item.get("body")).get("text")):
        draft.content = Content.from_text(said)
    return draft


def _switched_on(value: object) -> list[dict[str, object]]:
    return [
        one
        for one in objects(elements_in(value))
        if text(one.get("name")) and one.get("disabled") is not True
    ]
