"""Take apart and join addresses that were found in messages, whatever they hold.

`urllib.parse` raises ValueError over brackets that are no address of IPv6 and over signs that turn into
`/` or `:`. Damaged or hostile answers hold such values wherever an address may stand: a diagnosis goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urljoin, urlsplit

if TYPE_CHECKING:
    from urllib.parse import SplitResult

__all__ = ["joined", "port_in", "split", "splittable"]

# All that a URL may hold but brackets.
_SAFE: Final = ":/?#@!$&'()*+,;=%-._~"


def splittable(url: str) -> str:
    """Return a URL as it is, percent-encoded where `urlsplit` refuses it.

    Args:
        url: absolute, relative, or no URL at all.
    """
    if url.isascii() and "[" not in url and "]" not in url:
        return url
    try:
        host = urlsplit(url).netloc.rpartition("@")[2]
        # Brackets before the sign hide those behind it.
        urlsplit(f"//{host}")
    except ValueError:
        return quote(url, safe=_SAFE, errors="replace")
    return url


def split(url: str) -> SplitResult:
    """Return the parts of a URL, percent-encoded first where it cannot be taken apart.

    Args:
        url: absolute, relative, or no URL at all.
    """
    return urlsplit(splittable(url))


def joined(base: str, place: str) -> str:
    """Return where a reference leads that a message holds; what is no URL is percent-encoded.

    Args:
        base: URL of the request.
        place: reference, such as the value of Location.

    Source: RFC 3986 section 5.2.
    """
    return splittable(urljoin(splittable(base), splittable(place)))


def port_in(url: str) -> str:
    """Return what stands as the port of a URL, "" without one; it need not be a number.

    Args:
        url: absolute.
    """
    return split(url).netloc.rpartition("@")[2].rpartition("]")[2].partition(":")[2]
