"""Know the HTTP clients that take the content coding off an answer before a log of theirs sees it.

Go's http.Transport, OkHttp above its network layer and .NET drop Content-Encoding together with
Content-Length; axios on Node drops Content-Encoding alone. What such a log does not show is unknown: an
encoder may have changed the entity tag all the same. Source: net/http Response.Uncompressed,
okhttp BridgeInterceptor, .NET DecompressionHandler, axios lib/adapters/http.js; the field is that of
RFC 9110 section 8.4.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["withheld_by_client"]

_CODING: Final = frozenset({"content-encoding"})
_DROPS_BOTH = re.compile(r"(?:Go-http-client|okhttp|got)\b", re.IGNORECASE)
_DROPS_ONE = re.compile(r"axios/", re.IGNORECASE)


def withheld_by_client(
    sent: Iterable[tuple[str, str]], received: Iterable[tuple[str, str]], *, decodes: bool = False
) -> frozenset[str]:
    """Return the names of the response fields whose absence says nothing, in lower case.

    Args:
        sent: field lines of the request, which name the client.
        received: field lines of the response.
        decodes: whether the log is known to be one of a client that decodes, whatever its name.
    """
    agent = next((value for name, value in sent if name.lower() == "user-agent"), "")
    if _DROPS_ONE.match(agent):
        return _CODING
    if not decodes and not _DROPS_BOTH.match(agent):
        return frozenset()
    framed = any(name.lower() == "content-length" for name, _ in received)
    return frozenset() if framed else _CODING
