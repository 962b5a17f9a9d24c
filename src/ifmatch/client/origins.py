"""Compare origins of URLs, and decide where a redirect may lead a request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import urldefrag, urlunsplit

from ifmatch.errors import InputError
from ifmatch.model.places import joined, split

__all__ = [
    "REDIRECTS",
    "SAFE_METHODS",
    "Hop",
    "absolute",
    "is_condition",
    "next_hop",
    "origin",
    "same_origin",
    "without_userinfo",
]

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/]")
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


@lru_cache(256)
def origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port of a URL; a port that is no number is -1.

    Args:
        url: absolute.

    Source: RFC 9110 section 4.3.1.
    """
    parts = split(url)
    scheme = parts.scheme.lower()
    try:
        port = parts.port
    except ValueError:
        port = -1
    return scheme, (parts.hostname or "").lower(), _DEFAULT_PORTS.get(scheme) if port is None else port


def same_origin(one: str, other: str) -> bool:
    """Tell whether two absolute URLs have the same origin."""
    return origin(one) == origin(other)


def absolute(url: str) -> str:
    """Return a URL that is absolute.

    Raises:
        InputError: it is not, so that no request can be made of it.
    """
    if _SCHEME.match(url) is None:
        raise InputError(
            f"{url!r} is no absolute URL",
            source="url",
            advice="Give the whole URL, or make the client with a base URL",
        )
    return url


def is_condition(name: str) -> bool:
    """Tell whether a field holds a condition (If-Match, If-None-Match, dates, If-Range, WebDAV If)."""
    lowered = name.lower()
    return lowered == "if" or lowered.startswith(("if-", "x-if-"))


def without_userinfo(url: str) -> str:
    """Return a URL without user name and password."""
    if "@" not in url:
        return url
    parts = split(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


@dataclass(frozen=True, slots=True)
class Hop:
    """Where a redirect leads.

    Attributes:
        url: the next target.
        method: of the next request.
        crosses: whether it is another origin: conditions, content and credentials do not go there.
        refused: why it is not followed; "" when it is.
    """

    url: str
    method: str
    crosses: bool
    refused: str = ""


def next_hop(method: str, url: str, status: int, location: str | None) -> Hop | None:
    """Decide on a redirect; a write goes on only as the same write to the same origin.

    Args:
        method: of the request that was redirected.
        url: its target.
        status: of the answer.
        location: its Location field.

    Returns:
        None when the answer is no redirect.

    Source: RFC 9110 section 15.4: methods may change at 301 and 302, never at 307 and 308.
    """
    if status not in REDIRECTS or not location:
        return None
    target = urldefrag(joined(url, location))[0]
    crosses = not same_origin(url, target)
    if method in SAFE_METHODS:
        return Hop(target, method, crosses)
    if crosses:
        return Hop(target, method, crosses, "a write does not follow a redirect to another origin")
    if status not in (307, 308):
        return Hop(target, method, crosses, f"status {status} would turn the write into a read")
    return Hop(target, method, crosses)
