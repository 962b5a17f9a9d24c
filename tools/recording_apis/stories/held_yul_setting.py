"""Where yul's stories play: what goes over the wire beside them."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stories.vic_setting import Lake, at_once, drops, open_box, rest, signature, sure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.servers import Server

__all__ = ["Lake", "at_once", "drops", "open_box", "rest", "signature", "sure"]

PROPFIND = (
    '<?xml version="1.0" encoding="utf-8"?><d:propfind xmlns:d="DAV:"><d:prop><d:getetag/>'
    "<d:getlastmodified/><d:getcontentlength/><d:lockdiscovery/></d:prop></d:propfind>"
)


def listed(me: Actor, folder: str, depth: str = "1") -> Answer:
    """List a collection as a WebDAV client does."""
    return me.send("PROPFIND", folder, 207, {"Depth": depth, "Content-Type": "application/xml"}, PROPFIND)


def date_of(moment: float) -> str:
    """Return a moment as a date of HTTP."""
    return formatdate(moment, usegmt=True)


def watch(me: Actor, paths: Sequence[str], rounds: int, fields: Mapping[str, str] | None = None) -> None:
    """Poll documents with the tag that each was last served with."""
    held: dict[str, str] = {}
    for _ in range(rounds):
        for path in paths:
            own = {**(fields or {}), **({"If-None-Match": held[path]} if path in held else {})}
            got = me.send("GET", path, (200, 304), own)
            held[path] = got.fields.get("etag", held.get(path, ""))
            time.sleep(0.05)


def rewrite(site: Server, path: str, text: str | bytes, age: float = 0.0) -> None:
    """Replace a file on the server's side."""
    fronts.put_file(site.directory, path, text, age)
