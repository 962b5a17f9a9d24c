# mypy: ignore-errors
"""Sheets of any media type by path, in the process that records; a story adds views and hooks."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vic_core import Req, Res

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Desk", "Req", "Res", "Sheet", "counted", "hashed"]


@dataclass
class Sheet:
    """One version of a sheet."""

    body: bytes
    media: str
    rev: int
    at: float
    by: str

    @property
    def json(self) -> Any:
        """Return the content decoded."""
        return json.loads(self.body)


def hashed(length: int = 12, name: str = "sha1", form: str = '"{}"') -> Callable[[str, Sheet], str]:
    """Return a maker of tags from the content."""
    return lambda path, sheet: form.format(
        hashlib.new(name, path.encode() + sheet.body + bytes([sheet.rev % 250])).hexdigest()[:length]
    )


def counted(form: str = '"{}"') -> Callable[[str, Sheet], str]:
    """Return a maker of tags from the number of the version."""
    return lambda _path, sheet: form.format(sheet.rev)


def _octets(given: Any) -> tuple[str, bytes]:
    if isinstance(given, tuple):
        return given[0], given[1].encode()
    return "application/json", json.dumps(given, ensure_ascii=False, separators=(", ", ": ")).encode()


class Desk:
    """Sheets with validators and conditions after RFC 9110.

    Args:
        sheets: What becomes JSON, or a media type and a text, by path.
        tag: Makes the tag of a version; no tags when None.
        dated: Whether there is a Last-Modified.
        words: Media type and text of errors by status.
        needs: Status of a write without a condition; 0 takes it.
        echo: Whether a write is answered with the content.
        since: The first version's number.
        lag: Seconds after which a read sees a write.
        also: Fields of each answer.
    """

    def __init__(
        self,
        sheets: Mapping[str, Any],
        tag: Callable[[str, Sheet], str] | None = None,
        *,
        dated: bool = False,
        words: Mapping[int, tuple[str, str]] | None = None,
        needs: int = 0,
        echo: bool = True,
        since: int = 1,
        lag: float = 0.0,
        also: Mapping[str, str] | None = None,
    ) -> None:
        self.kept: dict[str, list[Sheet]] = {}
        self.tag, self.dated, self.words, self.needs = tag, dated, dict(words or {}), needs
        self.echo, self.since, self.lag, self.also = echo, since, lag, dict(also or {})
        self.lock = threading.RLock()
        self.views: dict[str, Callable[[Req], Res]] = {}
        self.fits: Any = self._fits
        self.first: list[Callable[[Req], Res | None]] = []
        self.last: list[Callable[[Req, Res], Res | None]] = []
        self.stored: list[Callable[[Req, str], object]] = []
        for number, (path, given) in enumerate(sheets.items()):
            media, body = _octets(given)
            self.kept[path] = [Sheet(body, media, since, time.time() - 400000 - number * 4711, "import")]

    def newest(self, path: str) -> Sheet | None:
        """Return the newest version."""
        return self.kept[path][-1] if self.kept.get(path) else None

    def look(self, path: str) -> Sheet | None:
        """Return the version that a read sees."""
        seen = [one for one in self.kept.get(path, []) if one.at <= time.time() - self.lag]
        return seen[-1] if seen else None

    def refuse(self, status: int, text: str = "", media: str = "text/plain; charset=utf-8") -> Res:
        """Return an error in the words of the service."""
        kind, said = self.words.get(status, (media, text or f"{status}"))
        return Res(status, said, {"Content-Type": kind})

    def marks(self, path: str, sheet: Sheet) -> dict[str, str]:
        """Return the validators of a version."""
        own = {"ETag": self.tag(path, sheet)} if self.tag else {}
        return {**own, "Last-Modified": formatdate(sheet.at, usegmt=True)} if self.dated else own

    def put(self, path: str, given: Any, by: str) -> Sheet:
        """Keep a new version as somebody's."""
        media, body = given if isinstance(given, tuple) and isinstance(given[1], bytes) else _octets(given)
        old = self.newest(path)
        sheet = Sheet(body, media, old.rev + 1 if old else self.since, time.time(), by)
        self.kept.setdefault(path, []).append(sheet)
        return sheet

    def _fits(self, value: str, path: str, sheet: Sheet | None, strong: bool) -> bool:
        if sheet is None:
            return False
        own = self.tag(path, sheet) if self.tag else ""
        sent = [one.strip() for one in value.split(",")]
        if "*" in sent:
            return True
        if strong:
            return own in sent and not own.startswith("W/")
        return own.removeprefix("W/") in [one.removeprefix("W/") for one in sent]

    def __call__(self, req: Req) -> Res:
        """Answer a request."""
        res = next((got for hook in self.first if (got := hook(req)) is not None), None)
        if res is None and req.path in self.views:
            res = self.views[req.path](req)
        if res is None:
            res = self.read(req) if req.safe else self.write(req)
        for hook in self.last:
            res = hook(req, res) or res
        res.fields = {**self.also, **res.fields}
        if isinstance(res.body, dict | list):
            res.fields.setdefault("Content-Type", "application/json")
        return res

    def read(self, req: Req) -> Res:
        """Answer a read."""
        sheet = self.look(req.path)
        if sheet is None:
            return self.refuse(404)
        fields = self.marks(req.path, sheet)
        match, none = req.fields.get("if-match"), req.fields.get("if-none-match")
        since = req.fields.get("if-modified-since")
        if match is not None and not self.fits(match, req.path, sheet, True):
            return self.refuse(412)
        if none is not None and self.tag and self.fits(none, req.path, sheet, False):
            return Res(304, b"", fields)
        if none is None and since and self.dated and not self._later(since, sheet):
            return Res(304, b"", fields)
        return Res(200, sheet.body, {"Content-Type": sheet.media, **fields})

    @staticmethod
    def _later(since: str, sheet: Sheet) -> bool:
        return int(sheet.at) > parsedate_to_datetime(since).timestamp()

    def judge(self, req: Req) -> Res | None:
        """Return the refusal of a write, None when it may go on."""
        sheet = self.newest(req.path)
        match, none = req.fields.get("if-match"), req.fields.get("if-none-match")
        since = req.fields.get("if-unmodified-since")
        if self.needs and sheet is not None and match is None and none is None and since is None:
            return self.refuse(self.needs)
        if match is not None and not self.fits(match, req.path, sheet, True):
            return self.refuse(412)
        if match is None and since is not None and sheet and self._later(since, sheet):
            return self.refuse(412)
        if none is not None and self.fits(none, req.path, sheet, False):
            return self.refuse(412)
        return None

    def write(self, req: Req) -> Res:
        """Answer a write."""
        with self.lock:
            refusal = self.judge(req)
            if refusal is not None:
                return refusal
            old = self.newest(req.path)
            if req.method == "DELETE":
                if old is None:
                    return self.refuse(404)
                del self.kept[req.path]
                return Res(204)
            if req.method not in {"PUT", "PATCH"}:
                return self.refuse(405)
            body = req.body
            if req.method == "PATCH":
                body = json.dumps(
                    {**old.json, **req.json}, ensure_ascii=False, separators=(", ", ": ")
                ).encode()
            media = old.media if old else req.fields.get("content-type", "application/json")
            sheet = self.put(req.path, (media, body), req.who)
            for hook in self.stored:
                hook(req, req.path)
            fields = self.marks(req.path, sheet)
            if not self.echo:
                return Res(204 if old else 201, b"", fields)
            return Res(200 if old else 201, sheet.body, {"Content-Type": media, **fields})
