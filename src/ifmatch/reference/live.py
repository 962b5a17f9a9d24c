"""Serve the page that shows who reads and who writes, and the stream of events behind it.

Source: HTML Standard, server-sent events.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from importlib import resources
from typing import TYPE_CHECKING, Final

from ifmatch.reference.messages import Answer

if TYPE_CHECKING:
    from ifmatch.reference.journal import Journal
    from ifmatch.reference.messages import Message, Receive, Request, Send

__all__ = ["page", "stream"]

_POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self';"
    " img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_STILL_HERE_SECONDS: Final = 10.0


def page() -> Answer:
    """Return the page; it asks nothing of anybody but this server."""
    text = resources.files(__package__ or "").joinpath("pages", "practice.html").read_bytes()
    fields = (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", _POLICY),
        ("X-Content-Type-Options", "nosniff"),
    )
    return Answer(200, fields, text)


async def stream(journal: Journal, request: Request, receive: Receive, send: Send) -> None:
    """Send events until the client or the server ends.

    Args:
        journal: whose events are sent, those of before too.
        request: may carry Last-Event-ID.
        receive: tells when the client has gone.
        send: of ASGI.
    """
    lines = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
    start: Message = {"type": "http.response.start", "status": 200, "headers": lines}
    await send(start)
    last = request.get("last-event-id") or ""
    number = int(last) if last.isdecimal() else 0
    gone = asyncio.ensure_future(_gone(receive))
    try:
        while not gone.done() and not journal.closed:
            events = await journal.fetch(number)
            for event in events:
                number = event.number
                data = json.dumps(event.document())
                await _send(send, f"id: {number}\ndata: {data}\n\n")
            if not events and not await journal.wait(_STILL_HERE_SECONDS):
                await _send(send, ": still here\n\n")
        end: Message = {"type": "http.response.body", "body": b""}
        await send(end)
    finally:
        gone.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await gone


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: Send, text: str) -> None:
    part: Message = {"type": "http.response.body", "body": text.encode(), "more_body": True}
    await send(part)
