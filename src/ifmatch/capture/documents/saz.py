"""Read Fiddler archives (.saz): a zip with request, response and an XML of times for each session.

Source of the format: Telerik, "SAZ files": `raw/NN_c.txt`, `raw/NN_s.txt`, `raw/NN_m.xml`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.base.moments import iso_moment
from ifmatch.capture.base.target_uri import target_uri
from ifmatch.capture.base.wire_messages import split_messages
from ifmatch.errors import InputError
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Sequence

    from ifmatch.model.exchange import Capture

__all__ = ["is_fiddler", "read_fiddler"]

_PART = re.compile(r"raw/(\d{1,9})_([csm])\.(?:txt|xml)\Z", re.IGNORECASE)
_ATTRIBUTE = re.compile(r'\b(\w{3,40})="([^"]{0,200})"')
_FLAG = re.compile(r'<SessionFlag\s+N="([^"]{1,60})"\s+V="([^"]{0,200})"', re.IGNORECASE)
_ADVICE: Final = "In Fiddler use File > Export Sessions > HTTPArchive, and give that file"


class _Archive(Protocol):
    name: str
    members: list[zipfile.ZipInfo]

    @property
    def is_encrypted(self) -> bool: ...

    def read(self, member: zipfile.ZipInfo) -> bytes: ...


def is_fiddler(names: Sequence[str]) -> bool:
    """Tell by the names of its files whether a zip archive is one of Fiddler's."""
    return any(_PART.match(name) for name in names)


def read_fiddler(archive: _Archive) -> Capture:
    """Read a Fiddler archive.

    Args:
        archive: the opened zip.

    Raises:
        InputError: it is encrypted, or holds no session that can be read.
    """
    sessions: dict[int, dict[str, zipfile.ZipInfo]] = {}
    for member in archive.members:
        found = _PART.match(member.filename)
        if found is not None:
            sessions.setdefault(int(found[1]), {})[found[2].lower()] = member
    drafts = Drafts(archive.name)
    if archive.is_encrypted:
        raise InputError(
            "this Fiddler archive is encrypted with a password",
            source=archive.name,
            advice=f"{_ADVICE}, or save it without a password",
        )
    for number in sorted(sessions):
        parts = sessions[number]
        try:
            octets = {kind: archive.read(member) for kind, member in parts.items()}
        except InputError as error:
            if error.source == archive.name:
                raise
            drafts.warn(f"session {number} was skipped: {error.text}")
            continue
        _session(drafts, number, octets)
    return drafts.capture("fiddler", nothing="no session of this Fiddler archive can be read", advice=_ADVICE)


def _session(drafts: Drafts, number: int, octets: dict[str, bytes]) -> None:
    sent = split_messages(octets.get("c", b""))
    if not sent or not sent[0].method:
        drafts.warn(f"session {number} was skipped: it has no request")
        return
    request = sent[0]
    if request.method == "CONNECT":
        return
    draft = Draft(
        request.method, target_uri(request.target, request.fields.text("host") or "", scheme="http")
    )
    draft.sent = list(request.fields)
    draft.sent_complete = request.fields.complete
    draft.content = request.content.content
    draft.request_version = request.version
    answers = [
        one for one in split_messages(octets.get("s", b""), methods=[request.method]) if one.status >= 200
    ]
    if answers:
        answer = answers[0]
        draft.status, draft.reason, draft.response_version = answer.status, answer.reason, answer.version
        draft.received, draft.received_complete = list(answer.fields), answer.fields.complete
        draft.received_content = answer.content.content
        for text in (request.content.warning, answer.content.warning):
            if text:
                drafts.warn(text, entry=len(drafts.found))
    else:
        draft.error = "no response in the archive"
        draft.received_content = UNKNOWN
    _times(draft, octets.get("m", b"").decode("utf-8", "replace"))
    drafts.found.append(draft)


def _times(draft: Draft, text: str) -> None:
    """Take times and addresses of the session's XML; it is searched, not parsed: no entity is expanded."""
    found = dict(_ATTRIBUTE.findall(text[:65536]))
    begin = iso_moment(found.get("ClientBeginRequest", "") or found.get("ClientDoneRequest", ""))
    end = iso_moment(found.get("ClientDoneResponse", "") or found.get("ServerDoneResponse", ""))
    # A time that never came is written as the year 1.
    if begin is not None and begin[0] > 0:
        draft.started, draft.resolution = begin
        if end is not None and end[0] >= begin[0]:
            draft.duration = end[0] - begin[0]
    flags = {name.lower(): value for name, value in _FLAG.findall(text[:65536])}
    draft.peer = flags.get("x-hostip", "")
    draft.connection = flags.get("x-serversocket", "")[:60]
