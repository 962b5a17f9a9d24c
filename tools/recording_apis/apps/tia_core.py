# mypy: ignore-errors
# ruff: noqa: ARG002, PLR0917, S324 - what a story replaces is handed all that it may want
"""Kinds of rows and blobs with the version carriers of APIs in use, in the process that records."""

from __future__ import annotations

import hashlib
import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.ray_core import Api, Req, Res, Row, guid, httpdate, iso

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Api", "Blobs", "Kind", "Req", "Res", "Row", "guid", "httpdate", "iso", "seconds"]


def seconds(text: str) -> int | None:
    """Return the moment of an HTTP date; None when it is none."""
    try:
        return int(parsedate_to_datetime(text).timestamp()) if "GMT" in text else None
    except (ValueError, TypeError):
        return None


class Kind:
    """Rows under a pattern with one group, read and written as one API has it.

    Args:
        api: Where the routes go.
        pattern: Path; its group is the key.
        bends: What differs: ``tag``, ``sent``, ``show``, ``stale``, ``need``, ``gone``, ``wrote``,
            ``change``, ``same``, ``key``.
    """

    def __init__(self, api: Api, pattern: str, **bends: Callable[..., Any]) -> None:
        self.api = api
        for name in ("tag", "sent", "show", "stale", "need", "gone", "wrote", "change", "same", "key"):
            setattr(self, name, bends.get(name, getattr(self, f"_{name}")))
        api.on("GET", pattern, self.read)
        api.on("PUT PATCH POST MERGE", pattern, self.write)
        api.on("DELETE", pattern, self.remove)

    def _tag(self, row: Row) -> str:
        return f'"{row.digest()}"'

    def _key(self, key: str) -> str:
        return key

    def _sent(self, req: Req) -> str | None:
        return req.fields.get("if-match")

    def _same(self, sent: str, row: Row) -> bool:
        return sent in ("*", self.tag(row))

    def _show(self, req: Req, row: Row) -> Res:
        return Res(200, row.data, {"ETag": self.tag(row)})

    def _stale(self, req: Req, row: Row) -> Res:
        return Res(412, {"error": "precondition failed"})

    def _need(self, req: Req, row: Row) -> Res | None:
        return None

    def _gone(self, req: Req) -> Res:
        return self.api.missing(req)

    def _wrote(self, req: Req, row: Row) -> Res:
        return self.show(req, row)

    def _change(self, req: Req, row: Row) -> Any:
        return {**row.data, **req.json}

    def read(self, req: Req, key: str) -> Res:
        """Answer a read."""
        row = self.api.rows.get(self.key(key))
        if row is None:
            return self.gone(req)
        known = req.fields.get("if-none-match")
        if known is not None and known.removeprefix("W/") == self.tag(row).removeprefix("W/"):
            return Res(304, b"", {"ETag": self.tag(row)})
        return self.show(req, row)

    def judge(self, req: Req, row: Row) -> Res | None:
        """Return the refusal of a write."""
        sent = self.sent(req)
        if sent is None:
            return self.need(req, row)
        return None if self.same(sent, row) else self.stale(req, row)

    def write(self, req: Req, key: str) -> Res:
        """Answer a change."""
        with self.api.lock:
            row = self.api.rows.get(self.key(key))
            if row is None:
                return self.gone(req)
            refusal = self.judge(req, row)
            if refusal is not None:
                return refusal
            by = req.fields.get("x-user", req.fields.get("authorization", ""))
            return self.wrote(req, self.api.keep(self.key(key), self.change(req, row), by))

    def remove(self, req: Req, key: str) -> Res:
        """Answer a removal."""
        with self.api.lock:
            row = self.api.rows.get(self.key(key))
            if row is None:
                return self.gone(req)
            refusal = self.judge(req, row)
            if refusal is None:
                del self.api.rows[self.key(key)]
            return refusal or Res(204)


def _xml_error(status: int, code: str, message: str, more: str = "") -> Res:
    trace = guid(f"{time.time()}").replace("-", "")[:16].upper()
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code>'
        f"<Message>{message}</Message>{more}<RequestId>{trace}</RequestId></Error>"
    )
    return Res(status, body, {"Content-Type": "application/xml"})


class Blobs(Api):
    """Objects with octets, conditions after each store's habit.

    Args:
        pattern: Path of an object; its group is the key.
        prefix: Of the store's own fields, such as ``x-amz-``.
        tag: Makes the tag.
        reads: Conditions that reads look at.
        writes: Conditions that writes look at.
        extra: As for ``Api``.
    """

    def __init__(
        self,
        pattern: str = r"/(.+)",
        prefix: str = "x-amz-",
        tag: Callable[[Row], str] | None = None,
        reads: str = "if-match if-none-match if-modified-since if-unmodified-since",
        writes: str = "if-match if-none-match",
        extra: Callable[[Req], dict[str, str]] | None = None,
    ) -> None:
        super().__init__(
            extra, lambda _req: self.error(404, "NoSuchKey", "The specified key does not exist.")
        )
        self.prefix, self.reads, self.writes = prefix, reads.split(), writes.split()
        self.tag = tag or (lambda row: f'"{hashlib.md5(row.data).hexdigest()}"')
        self.media: dict[str, str] = {}
        self.shown: Any = lambda _row: {}
        self.error: Any = _xml_error
        self.failed: Any = lambda field: self.error(
            412,
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold",
            f"<Condition>{field}</Condition>",
        )
        self.on("GET", pattern, self.read)
        self.on("PUT", pattern, self.write)
        self.on("DELETE", pattern, self.remove)

    def fields(self, key: str, row: Row) -> dict[str, str]:
        """Return the fields of an object."""
        return {
            "ETag": self.tag(row),
            "Last-Modified": httpdate(row.at),
            "Accept-Ranges": "bytes",
            "Content-Type": self.media.get(key, "application/octet-stream"),
            **self.shown(row),
        }

    def judge(self, req: Req, row: Row | None, looked: list[str], *, safe: bool) -> Res | None:
        """Return the refusal, or the 304, of a request."""
        asked = {name: req.fields[name] for name in looked if name in req.fields}
        tag = self.tag(row) if row else None
        if "if-match" in asked:
            if row is None or asked["if-match"].strip('"') not in ("*", tag.strip('"')):
                return self.failed("If-Match") if row else self.missing(req)
        elif "if-unmodified-since" in asked and row:
            since = seconds(asked["if-unmodified-since"])
            if since is not None and int(row.at) > since:
                return self.failed("If-Unmodified-Since")
        if "if-none-match" in asked:
            told = asked["if-none-match"]
            if row and (told == "*" or tag in [one.strip() for one in told.split(",")]):
                return Res(304, b"", {"ETag": tag}) if safe else self.failed("If-None-Match")
        elif "if-modified-since" in asked and row and safe:
            since = seconds(asked["if-modified-since"])
            if since is not None and int(row.at) <= since:
                return Res(304, b"", {"ETag": tag, "Last-Modified": httpdate(row.at)})
        return None

    def read(self, req: Req, key: str) -> Res:
        """Answer a read."""
        row = self.rows.get(key)
        if row is None:
            return self.missing(req)
        refusal = self.judge(req, row, self.reads, safe=True)
        if refusal is not None:
            return refusal
        fields, content = self.fields(key, row), row.data
        asked = re.match(r"bytes=(\d+)-(\d*)$", req.fields.get("range", ""))
        if asked is None:
            return Res(200, content, fields)
        start, end = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
        return Res(
            206, content[start : end + 1], {**fields, "Content-Range": f"bytes {start}-{end}/{len(content)}"}
        )

    def write(self, req: Req, key: str) -> Res:
        """Answer an upload."""
        with self.lock:
            refusal = self.judge(req, self.rows.get(key), self.writes, safe=False)
            if refusal is not None:
                return refusal
            self.media[key] = req.fields.get("content-type", "application/octet-stream")
            row = self.keep(key, req.body, req.fields.get("authorization", ""))
            return Res(200, b"", {"ETag": self.tag(row), **self.shown(row)})

    def remove(self, req: Req, key: str) -> Res:
        """Answer a removal."""
        with self.lock:
            self.rows.pop(key, None)
            return Res(204)
