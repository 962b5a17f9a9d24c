"""Tell what servers write by themselves in a content: times, versions, what each answer has anew."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from ifmatch.dialects.glossary import Words
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from ifmatch.model.message import Content

_VOLATILE = late_pattern(r"[0-9a-f]{8,}|\d+", re.IGNORECASE)
# Words in the names of members that servers stamp themselves.
_STAMPS = frozenset(
    {
        "fingerprint",
        "cas",
        "ctag",
        "metageneration",
        "checksum",
        "indexed",
        "lastmod",
        "mtime",
        "version",
        "scanned",
        "rev",
        "rendered",
        "hash",
        "modification",
        "refreshed",
        "etag",
        "cached",
        "synced",
        "seqno",
        "editor",
        "changed",
        "edited",
        "generation",
        "touched",
        "modified",
        "saved",
        "processed",
        "revision",
        "lsn",
        "modifier",
        "sequence",
        "updated",
        "digest",
        "timestamp",
    }
)
_WORDS = late_pattern(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
# Members, and words of pages, that are made anew for each answer.
_RENDERED = Words(
    r"(?:^|[^a-z])served|served_?(?:at|by|in|from)|render|generated|nonce|csrf|xsrf|authenticity|request[_-]?id|trace|\bnow\b|server_?time|session"
    r"|_token\b|elapsed|took|load_?time|visit"
)

# Who, or which program, had changed it last: services write that beside what was changed.
_BY = Words(
    r"(?:last[_ -]?)?(?:(?:modif|chang|updat|edit|sav|written|stor|set|record|touch|comput|calculat"
    r"|process)\w*[_ -]?)?(?:by|by[_ -](?:user|whom|job|process|program|app))"
)


def rendered(pointer: str) -> bool:
    """Tell whether a JSON Pointer names a member that is made anew for each answer."""
    return _RENDERED.search(pointer.rpartition("/")[2]) is not None


def stamped(pointer: str) -> bool:
    """Tell whether a JSON Pointer names a member that servers write by themselves.

    What can be done with a thing now stands in its `_links` (HAL).
    """
    return "/_links/" in pointer or _stamped(pointer.rpartition("/")[2])


@lru_cache(maxsize=4096)
def _stamped(name: str) -> bool:
    """Tell it of a name: the same few come again with every record."""
    words = [name, *_WORDS.findall(name)]
    return any(word.lower() in _STAMPS for word in words) or _RENDERED.search(name) is not None


def signature(pointer: str) -> bool:
    """Tell whether a JSON Pointer names a member that says who, or which program, changed the thing last."""
    return _BY.fullmatch(pointer.rpartition("/")[2]) is not None


def differs_by_nonce(first: Content | None, second: Content | None) -> bool:
    """Tell whether two texts differ only in numbers or nonces that the text itself calls so."""
    if first is None or second is None or first.octets == second.octets:
        return False
    one, two = _VOLATILE.sub("#", first.text), _VOLATILE.sub("#", second.text)
    if one != two:
        return False
    text = first.text
    changed = [
        found
        for found, other in zip(_VOLATILE.finditer(text), _VOLATILE.findall(second.text), strict=True)
        if found[0] != other
    ]
    return 0 < len(changed) <= 3 and all(
        _RENDERED.search(text[max(0, found.start() - 60) : found.start()]) for found in changed
    )
