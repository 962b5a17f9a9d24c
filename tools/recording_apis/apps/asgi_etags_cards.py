"""A service behind the asgi-etags middleware, which looks at If-Match after the method has been done."""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from asgi_etags import ETagMiddleware

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

CARDS: dict[str, dict[str, Any]] = {"/cards/9": {"text": "Buy paint", "lane": "todo"}}


def tag_of(content: bytes) -> str:
    """Return a strong tag: a hash of the content."""
    return f'"{hashlib.sha1(content).hexdigest()[:12]}"'  # noqa: S324


async def cards(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Read or replace a card."""
    if scope["method"] == "PUT":
        sent, more = b"", True
        while more:
            part = await receive()
            sent, more = sent + part.get("body", b""), part.get("more_body", False)
        CARDS[scope["path"]] = json.loads(sent)
    content = json.dumps(CARDS.get(scope["path"], {})).encode()
    fields = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": content})


application = ETagMiddleware(cards, tag_of)
