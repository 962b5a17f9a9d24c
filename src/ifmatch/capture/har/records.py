"""The members of HAR 1.2 that are read, as records; every one may be missing or null.

Source of the terms: HTTP Archive 1.2. Unknown members are skipped without being built.
"""

from __future__ import annotations

import msgspec


class Pair(msgspec.Struct, gc=False):
    """A header, query or form member."""

    name: str | None = None
    value: str | None = None


class PostData(msgspec.Struct, gc=False):
    """The content of a request."""

    mimeType: str | None = None  # noqa: N815 - the name in the file
    text: str | None = None
    params: list[Pair] | None = None
    encoding: str | None = None


class Body(msgspec.Struct, gc=False):
    """The content of a response."""

    size: float | None = None
    mimeType: str | None = None  # noqa: N815 - the name in the file
    text: str | None = None
    encoding: str | None = None


class RequestRecord(msgspec.Struct, gc=False):
    """A request."""

    method: str | None = None
    url: str | None = None
    httpVersion: str | None = None  # noqa: N815 - the name in the file
    headers: list[Pair] | None = None
    postData: PostData | None = None  # noqa: N815 - the name in the file
    bodySize: float | None = None  # noqa: N815 - the name in the file


class ResponseRecord(msgspec.Struct, gc=False):
    """A response; status 0 or below says that none came."""

    status: float | None = None
    statusText: str | None = None  # noqa: N815 - the name in the file
    httpVersion: str | None = None  # noqa: N815 - the name in the file
    headers: list[Pair] | None = None
    content: Body | None = None
    redirectURL: str | None = None  # noqa: N815 - the name in the file
    transferred: float | None = msgspec.field(default=None, name="_transferSize")
    error: str | None = msgspec.field(default=None, name="_error")
    failure: str | None = msgspec.field(default=None, name="_failureText")


class Entry(msgspec.Struct, gc=False):
    """One exchange."""

    startedDateTime: str | None = None  # noqa: N815 - the name in the file
    time: float | None = None
    request: RequestRecord | None = None
    response: ResponseRecord | None = None
    timings: dict[str, msgspec.Raw] | None = None
    serverIPAddress: str | None = None  # noqa: N815 - the name in the file
    connection: str | None = None
    pageref: str | None = None
    resource_type: str | None = msgspec.field(default=None, name="_resourceType")
    from_cache_word: str | None = msgspec.field(default=None, name="_fromCache")
    from_disk: bool | None = msgspec.field(default=None, name="_fromDiskCache")
    connection_id: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="_connectionId")
    error: str | None = msgspec.field(default=None, name="_error")
    failure: str | None = msgspec.field(default=None, name="_failureText")


class Creator(msgspec.Struct, gc=False):
    """The program that wrote the file."""

    name: str | None = None
    version: str | None = None


class Log(msgspec.Struct, gc=False):
    """The file, its entries left unread."""

    entries: list[msgspec.Raw] | None = None
    creator: Creator | None = None
    browser: Creator | None = None


class File(msgspec.Struct, gc=False):
    """The outermost object."""

    log: Log | None = None
