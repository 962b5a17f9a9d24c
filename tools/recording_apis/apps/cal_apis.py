"""Routes over versioned rows, in the process that records; each story says them in the words of one API."""

from __future__ import annotations

import hashlib
import re
import threading
import time
import uuid
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vic_core import Req, Res

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Api", "Req", "Res", "Row", "guid", "hashed", "instant", "stamp"]


def stamp(at: float) -> str:
    """Return an HTTP date."""
    return formatdate(at, usegmt=True)


def instant(at: float, digits: int = 3) -> str:
    """Return an RFC 3339 time in UTC with so many digits after the point."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))
    return whole + (f".{int((at % 1) * 10**digits):0{digits}d}Z" if digits else "Z")


def hashed(text: object, name: str = "sha1") -> str:
    """Return a hash of what something prints as."""
    return hashlib.new(name, str(text).encode()).hexdigest()


def guid(text: str) -> str:
    """Return an id that depends on a name alone."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, text))


class Row:
    """One record with its revision, time, writer and past.

    Attributes:
        seq: The place of its newest version in the order of all writes, for an API that counts them.
        term: The term of the primary that took that version, for an API that tells it.
    """

    def __init__(self, data: dict[str, Any], rev: int = 1, by: str = "system", age: float = 86400.0) -> None:
        self.data, self.rev, self.by, self.at = data, rev, by, time.time() - age
        self.seq, self.term = 0, 0
        self.past: list[tuple[int, float, str, dict[str, Any]]] = []

    def set(self, data: dict[str, Any], by: str = "", step: int = 1) -> Row:
        """Store the next version."""
        self.past.append((self.rev, self.at, self.by, self.data))
        self.data, self.rev, self.at, self.by = dict(data), self.rev + step, time.time(), by or self.by
        return self

    def add(self, more: Mapping[str, Any], by: str = "", step: int = 1) -> Row:
        """Store the next version with some fields changed."""
        return self.set({**self.data, **more}, by, step)


class Api:
    """Routes in their order; the first whose method and pattern fit answers.

    Args:
        fields: Makes the fields of each answer.
        media: Content type of JSON answers.
        lost: What an unknown path answers.
    """

    def __init__(
        self,
        fields: Callable[[Req], Mapping[str, str]] | None = None,
        media: str = "application/json",
        lost: object = None,
    ) -> None:
        self.routes: list[tuple[re.Pattern[str], re.Pattern[str], Callable[..., Res]]] = []
        self.fields, self.media, self.lost = fields, media, lost or {"message": "Not Found"}
        self.lock = threading.RLock()
        self.count = 0

    def on(self, method: str, pattern: str) -> Callable[[Callable[..., Res]], Callable[..., Res]]:
        """Register what answers."""

        def keep(made: Callable[..., Res]) -> Callable[..., Res]:
            self.routes.append((re.compile(method), re.compile(pattern), made))
            return made

        return keep

    def say(self, method: str, pattern: str, body: object, status: int = 200, **fields: str) -> None:
        """Register a fixed answer."""
        named = {name.replace("_", "-"): value for name, value in fields.items()}

        @self.on(method, pattern)
        def _(_req: Req, *_more: str) -> Res:
            return Res(status, body, dict(named))

    def __call__(self, req: Req) -> Res:
        """Answer one request."""
        self.count += 1
        got = self._find(req)
        given = dict(self.fields(req)) if self.fields else {}
        got.fields = {**given, **got.fields}
        if got.body != b"" and "Content-Type" not in got.fields and got.status not in {204, 304}:
            got.fields["Content-Type"] = self.media
        return got

    def _find(self, req: Req) -> Res:
        for method, pattern, made in self.routes:
            found = pattern.fullmatch(req.path)
            if method.fullmatch(req.method) and found:
                return made(req, *found.groups())
        return Res(404, self.lost)
