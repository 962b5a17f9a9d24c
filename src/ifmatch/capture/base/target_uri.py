"""Rebuild the target URI of a request from its request target, Host and what else is known.

Source: RFC 9110 section 7.1, RFC 9112 sections 3.2 and 3.3.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ifmatch.model.exchange import CaptureWarning
from ifmatch.model.places import splittable as splittable_url

if TYPE_CHECKING:
    from ifmatch.model.exchange import Capture

_WARNINGS: Final = 20
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def target_uri(target: str, host: str, *, scheme: str) -> str:
    """Return the absolute target URI, or the request target as sent when no host is known.

    Args:
        target: request target: origin form, absolute form, authority form (CONNECT) or `*`.
        host: name and optional port, "" when unknown.
        scheme: `http` or `https`.
    """
    if _ABSOLUTE.match(target) or not host:
        return target
    if scheme == "https":
        host = host.removesuffix(":443")
    elif scheme == "http":
        host = host.removesuffix(":80")
    if target.startswith("/"):
        return f"{scheme}://{host}{target}"
    # OPTIONS * and CONNECT host:port name no path.
    return f"{scheme}://{host}" if target == "*" else target


def splittable(capture: Capture) -> Capture:
    """Return a capture whose URLs can be taken apart; what no URL can hold is percent-encoded.

    Args:
        capture: as read; damaged evidence may hold `http://[`, which `urlsplit` refuses.
    """
    encoded = {
        index: url
        for index, exchange in enumerate(capture.exchanges)
        if (url := splittable_url(exchange.request.url)) is not exchange.request.url
    }
    if not encoded:
        return capture
    exchanges = list(capture.exchanges)
    for index, url in encoded.items():
        exchanges[index] = replace(exchanges[index], request=replace(exchanges[index].request, url=url))
    warnings = tuple(
        CaptureWarning(f"this is no URL, it counts as {url[:200]}", entry=index)
        for index, url in [*encoded.items()][:_WARNINGS]
    )
    return replace(capture, exchanges=tuple(exchanges), warnings=(*capture.warnings, *warnings))


def path_and_query(url: str) -> str:
    """Return what a client puts into the request line for a URL.

    Args:
        url: an absolute URL.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
