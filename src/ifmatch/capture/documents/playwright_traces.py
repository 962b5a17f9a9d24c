"""Read the network file of a Playwright trace (`trace.network` in `trace.zip`): an entry of HAR a line.

Contents stand in files of their own beside it. Source: playwright-core, trace recorder and
`HAREntry` of packages/trace; HAR 1.2.
"""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from ifmatch.capture.base.drafts import CONTENT_LIMIT
from ifmatch.capture.base.json_values import load, read_limited, text
from ifmatch.capture.har.reader import read_har
from ifmatch.errors import InputError
from ifmatch.model.exchange import CaptureWarning
from ifmatch.model.json_values import members_in

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Callable, Sequence
    from typing import BinaryIO

    from ifmatch.model.exchange import Capture

__all__ = ["is_playwright_archive", "read_playwright", "read_playwright_archive"]

_ADVICE: Final = (
    "Record it anew: context.tracing.start(snapshots=True), or new_context(record_har_path='x.har')"
)


_NETWORK: Final = re.compile(r"\.network\Z")


class _Archive(Protocol):
    name: str
    members: list[zipfile.ZipInfo]

    def read(self, member: zipfile.ZipInfo) -> bytes: ...


def is_playwright_archive(names: Sequence[str]) -> bool:
    """Tell by the names of its files whether a zip archive is a trace of Playwright."""
    return any(_NETWORK.search(name) for name in names) and any(name.endswith(".trace") for name in names)


def read_playwright_archive(archive: _Archive) -> Capture:
    """Read a trace with the contents that it keeps.

    Args:
        archive: the opened zip.

    Raises:
        InputError: it is encrypted or damaged, or no request is in it.
    """
    files = {member.filename: member for member in archive.members}
    octets = b"\n".join(archive.read(member) for name, member in files.items() if _NETWORK.search(name))

    def content(file: str) -> bytes | None:
        member = files.get(file) or files.get(f"resources/{file}")
        if member is None or member.file_size > CONTENT_LIMIT:
            return None
        try:
            return archive.read(member)
        except InputError:
            return None

    return _capture(octets, archive.name, content)


def read_playwright(stream: BinaryIO, name: str) -> Capture:
    """Read the requests of a trace whose archive was unpacked; contents count as not known.

    Args:
        stream: binary stream at the start of the file.
        name: name of the source as the user gave it.

    Raises:
        InputError: no request is in it, or it is larger than 256 MiB.
    """
    return _capture(read_limited(stream, name, what="trace"), name, lambda _: None)


def _capture(data: bytes, name: str, content: Callable[[str], bytes | None]) -> Capture:
    entries: list[dict[str, object]] = []
    damaged = 0
    for line in data.split(b"\n"):
        event = members_in(load(line)) if line.strip() else {}
        damaged += bool(line.strip()) and not event
        entry = members_in(event.get("snapshot"))
        if event.get("type") == "resource-snapshot" and "request" in entry:
            entries.append(_with_contents(entry, content))
    if not entries:
        raise InputError("no request is in this trace of Playwright", source=name, advice=_ADVICE)
    har = {"log": {"version": "1.2", "creator": {"name": "Playwright", "version": ""}, "entries": entries}}
    capture = read_har(io.BytesIO(json.dumps(har).encode()), name)
    if damaged:
        said = CaptureWarning(f"skipped what is no whole event of the trace: {damaged}")
        capture = replace(capture, warnings=(said, *capture.warnings))
    return replace(capture, format="playwright")


def _with_contents(entry: dict[str, object], content: Callable[[str], bytes | None]) -> dict[str, object]:
    """Return an entry with the contents that stand in files of the trace, as far as they are there."""
    request, response = dict(members_in(entry.get("request"))), dict(members_in(entry.get("response")))
    sent, received = members_in(request.get("postData")), members_in(response.get("content"))
    if (file := _file(sent)) != "":
        # The text that stands here then is empty, whatever was sent.
        request.pop("postData")
        octets = content(file)
        if octets is not None:
            said = {"mimeType": text(sent.get("mimeType")), "text": octets.decode("utf-8", "replace")}
            request["postData"] = said
    if (file := _file(received)) != "":
        octets = content(file)
        kept = {name: value for name, value in received.items() if name not in {"_sha1", "_file", "text"}}
        shown = (
            {"text": base64.b64encode(octets).decode(), "encoding": "base64"} if octets is not None else {}
        )
        response["content"] = {**kept, **shown}
    return {**entry, "request": request, **({"response": response} if response else {})}


def _file(part: dict[str, object]) -> str:
    return text(part.get("_file")) or text(part.get("_sha1"))
