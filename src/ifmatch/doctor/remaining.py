"""List what stays readable after redaction, so that a person can look before handing it on."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.model.exchange import Exchange
    from ifmatch.model.message import Request, Response

__all__ = ["remaining"]

_LONGEST = 100


def remaining(exchanges: Sequence[Exchange]) -> Iterator[str]:
    """Yield lines: hosts, paths, header values and the beginnings of contents that are still there.

    Args:
        exchanges: redacted already.
    """
    hosts, paths, fields = Counter[str](), Counter[str](), Counter[str]()
    contents: list[str] = []
    for exchange in exchanges:
        parts = urlsplit(exchange.request.url)
        hosts[parts.netloc] += 1
        paths[parts.path + (f"?{parts.query}" if parts.query else "")] += 1
        messages: list[Request | Response] = [exchange.request]
        if exchange.response is not None:
            messages.append(exchange.response)
        for message in messages:
            fields.update(f"{name}: {value}" for name, value in message.fields)
            if isinstance(message.content, Content) and message.content.octets:
                contents.append(" ".join(message.content.text[:_LONGEST].split()))
    for title, counted in (("hosts", hosts), ("paths", paths), ("header fields", fields)):
        yield f"{title}:"
        yield from (f"  {text[:_LONGEST]}" for text, _ in counted.most_common())
    if contents:
        yield "contents begin with:"
        yield from (f"  {text}" for text in dict.fromkeys(contents))
