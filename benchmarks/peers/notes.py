"""The service that each peer serves in its documented way: state and versions, nothing of conditions.

Siblings are named as `ifmatch serve` names them, so that the table of tests/server/conformance.py fits.
"""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs

BASE = "/resource"
FIRST = b'{"text": "' + b"the first state of the resource " * 4 + b'"}'
DATED = datetime(2025, 7, 1, 10, 0, 0, tzinfo=UTC)
NAMES = ("", "-missing", "-tagged", "-dated", "-forbidden", "-moved", "-private")
METHODS = ("GET", "HEAD", "PUT", "DELETE")


class Notes:
    """Content by name, with a version that counts up and the time of the write."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[bytes, int, datetime]] = {"": (FIRST, 1, datetime(2026, 1, 1, tzinfo=UTC))}
        self.version = 1

    def content(self, name: str) -> bytes | None:
        if name in ("-tagged", "-dated"):
            return FIRST
        return self.held[name][0] if name in self.held else None

    def etag(self, name: str, query: str = "") -> str | None:
        """Return the whole field value; None when there is none."""
        if name == "-tagged":
            return parse_qs(query, encoding="latin-1", keep_blank_values=True).get("etag", ['"v1"'])[0]
        return f'"v{self.held[name][1]}"' if name in self.held else None

    def modified(self, name: str) -> datetime | None:
        if name == "-dated":
            return DATED
        return self.held[name][2] if name in self.held else None

    def write(self, name: str, method: str, content: bytes) -> int:
        if name in ("-tagged", "-dated"):
            return 204 if method == "PUT" else 405
        existed = name in self.held
        if method == "DELETE":
            self.held.pop(name, None)
            return 204 if existed else 404
        self.version += 1
        self.held[name] = (content, self.version, datetime.now(UTC).replace(microsecond=0))
        return 204 if existed else 201

    def refused_before(self, name: str, *, authorised: bool) -> int | None:
        """Return what is answered whatever the condition says."""
        if name == "-private" and not authorised:
            return 401
        return {"-forbidden": 403, "-moved": 302}.get(name)


def name_of(path: str) -> str | None:
    name = path.removeprefix(BASE)
    return name if path.startswith(BASE) and name in NAMES else None
