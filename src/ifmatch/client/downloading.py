"""Download one version of a resource in as many pieces as the network makes of it; never splice two."""

from __future__ import annotations

import json
import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from errno import EAGAIN, EISDIR, ENOLCK, EOPNOTSUPP
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Self, cast

from ifmatch.client.errors import DownloadChangedError
from ifmatch.client.history import clean
from ifmatch.client.origins import REDIRECTS, origin
from ifmatch.model.places import joined
from ifmatch.update import Answer, BudgetExhaustedError, NotAppliedError, TargetMissingError
from ifmatch.update.limits import wait_hint

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType, TracebackType

    from ifmatch.model.message import Fields
    from ifmatch.update import Limits

__all__ = ["Download", "Downloaded"]

_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)$", re.IGNORECASE)
_UNSATISFIED: Final = re.compile(r"bytes \*/(\d+)$", re.IGNORECASE)
_MOST_CHANGES: Final = 5
_MOST_HOPS: Final = 10
_locks: ModuleType | None
try:
    _locks = import_module("fcntl")
except ImportError:
    # Windows: there an open file cannot be renamed, and two downloads to one file are not told apart.
    _locks = None
_LATER: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What came of a download.

    Attributes:
        path: the file.
        octets: its size.
        etag: strong entity tag of the version, "" when the service named none.
        requests: how many were sent.
        resumed: how often it went on after a cut.
        restarts: how often it began anew because the version changed, or could not be told.
    """

    path: Path
    octets: int
    etag: str
    requests: int
    resumed: int
    restarts: int


class Download:
    """Decide on each answer of a download and write the file.

    Args:
        url: of the resource, absolute.
        file: where it goes.
        limits: bounds: `transport` requests in a row may fail.
        random: a number from 0 up to 1.
        progress: as in `Client.download`.
        clock: seconds that only go forward.

    Source: RFC 9110 sections 13.1.5 (If-Range), 14.4 (Content-Range), 15.3.7 (206).
    """

    def __init__(
        self,
        url: str,
        file: str | os.PathLike[str],
        limits: Limits,
        random: Callable[[], float],
        progress: Callable[[int, int | None], None] | None,
        *,
        clock: Callable[[], float],
    ) -> None:
        self.start = self.url = url
        self._shown = clean(url)
        self.path = Path(file)
        self.done = False
        self.pause = 0.0
        self._part = self.path.with_name(self.path.name + ".part")
        self._note = self.path.with_name(self.path.name + ".part.json")
        self._limits = limits
        self._random = random
        self._progress = progress
        self._clock = clock
        self._heard = clock()
        self._etag = ""
        self._origin: tuple[str, str, int | None] | None = None
        self._offset = 0
        self._total: int | None = None
        self._stream: BinaryIO | None = None
        self._asked = 0
        self._coded = False
        self._requests = self._resumed = self._restarts = self._failures = self._hops = 0

    def __enter__(self) -> Self:
        if self.path.is_dir():
            raise IsADirectoryError(EISDIR, "a download goes into a file", str(self.path))
        self._stream = _alone(self._part)
        self._pick_up()
        self._stream.truncate(self._offset)
        self._stream.seek(self._offset)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stream = self._open_stream()
        try:
            stream.flush()
            if _locks is None:
                # Where files are not locked, one that is open cannot be renamed.
                stream.close()
            if self.done:
                self._part.replace(self.path)
            if self.done or not self._etag or self._coded:
                # Without a strong tag, or an offset that ranges count as we do, nothing could go on.
                for left in (self._part, self._note):
                    left.unlink(missing_ok=True)
        finally:
            stream.close()

    def _pick_up(self) -> None:
        """Take up what an earlier run left, if it says of which version it is."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            note = cast("dict[str, object]", json.loads(self._note.read_text("utf-8")))
            size = self._part.stat().st_size
            etag, total = note["etag"], note["total"]
            if note["url"] == _named(self.start) and isinstance(etag, str) and _strong(etag) and size:
                self._etag, self._offset = etag, size
                self._total = total if isinstance(total, int) else None
                self._origin = origin(self.start) if note.get("same_origin") else None

    def fields(self) -> tuple[tuple[str, str], ...]:
        """Return the header fields of the next request."""
        made = [("Accept-Encoding", "identity")]
        # What one origin calls a version is none at another.
        named = self._etag and not self._coded
        if self._offset and named and (self._origin is None or self._origin == origin(self.url)):
            made += [("Range", f"bytes={self._offset}-"), ("If-Range", self._etag)]
            self._asked = self._offset
        else:
            self._asked = 0
        return tuple(made)

    def left(self) -> float:
        """Return the seconds that are left until the next octet has to be there."""
        return self._heard + self._limits.seconds - self._clock()

    def before(self) -> None:
        """Count a request that is about to be sent."""
        self.pause = 0.0
        self._requests += 1

    def begin(self, status: int, fields: Fields) -> bool:
        """Decide on an answer; True when its content belongs into the file.

        Raises:
            TargetMissingError: there is no such resource.
            NotAppliedError: the service refuses.
            DownloadChangedError: it changed too often.
        """
        if status in REDIRECTS and fields.text("Location"):
            self._hops += 1
            if self._hops > _MOST_HOPS:
                raise NotAppliedError(f"{self._shown}: more than {_MOST_HOPS} redirects")
            self.url = joined(self.url, fields.text("Location") or "")
            return False
        if status == 200:
            self._start_over(fields)
            return True
        if status == 206 and self._asked:
            if self._continues(fields):
                self._resumed += 1
                return True
            return self._discard()
        if status == 416 and self._asked:
            match = _UNSATISFIED.fullmatch((fields.text("Content-Range") or "").strip())
            if match and int(match[1]) == self._offset == self._total and fields.text("ETag") == self._etag:
                self.done = True
                return False
            return self._discard()
        if status == 412:
            return self._discard()
        if status in (404, 410):
            raise TargetMissingError(f"{self._shown}: there is no such resource (status {status})")
        if status in _LATER:
            self._fail(f"status {status}", Answer(status, fields))
            return False
        raise NotAppliedError(f"{self._shown}: the service answered with status {status}")

    def _continues(self, fields: Fields) -> bool:
        """Tell whether a part is of the version that is there, and begins where that ends."""
        match = _RANGE.fullmatch((fields.text("Content-Range") or "").strip())
        if match is None or int(match[1]) != self._offset or fields.text("ETag") != self._etag:
            return False
        if _coded(fields):
            # The range is one of the coded content.
            return False
        total = None if match[3] == "*" else int(match[3])
        if self._total is not None and total is not None and total != self._total:
            return False
        self._total = self._total if total is None else total
        return True

    def _start_over(self, fields: Fields) -> None:
        """Begin a version.

        Some services keep the content in a coding and send it so whatever is asked for: what arrives here is
        decoded, but length and ranges are those of the coded content.

        Source: RFC 9110 sections 8.4, 8.6 and 14.1.2.
        """
        if self._offset:
            self._changed()
        stream = self._open_stream()
        stream.seek(0)
        stream.truncate()
        tag = fields.text("ETag") or ""
        length = fields.text("Content-Length") or ""
        self._offset = 0
        self._coded = _coded(fields)
        self._etag = tag if _strong(tag) else ""
        known = length.isascii() and length.isdigit() and not self._coded
        self._total = int(length) if known else None
        self._origin = origin(self.url)
        if self._etag and not self._coded:
            note = {
                "url": _named(self.start),
                "etag": self._etag,
                "total": self._total,
                "same_origin": self._origin == origin(self.start),
            }
            self._note.write_text(json.dumps(note), "utf-8")

    def _discard(self) -> bool:
        """Drop what is there: the next request asks for everything."""
        self._changed()
        self._offset, self._etag, self._total = 0, "", None
        stream = self._open_stream()
        stream.seek(0)
        stream.truncate()
        return False

    def _changed(self) -> None:
        self._restarts += 1
        if self._restarts > _MOST_CHANGES:
            raise DownloadChangedError(
                f"{self._shown}: it began anew {_MOST_CHANGES} times, because the resource changes while"
                " it is read, has no strong entity tag, or comes in a content coding, so that a cut transfer"
                " cannot go on. Download a fixed version, or ask the service for strong tags and no coding"
            )

    def take(self, piece: bytes) -> None:
        """Write a piece of the content."""
        self._open_stream().write(piece)
        self._offset += len(piece)
        if piece:
            self._failures = 0
            self._heard = self._clock()
        if self._progress is not None:
            self._progress(self._offset, self._total)

    def ended(self) -> None:
        """Take in that the content of an answer ended without an error."""
        if self._total is None or self._offset == self._total:
            self.done = True
        elif self._offset > self._total:
            self._discard()
        else:
            self.cut(f"{self._offset} of {self._total} octets came")

    def cut(self, reason: str) -> None:
        """Take in that a transfer broke off."""
        self._open_stream().flush()
        self._fail(reason, None)

    def _fail(self, reason: str, answer: Answer | None) -> None:
        self._failures += 1
        if self._failures > self._limits.transport:
            raise BudgetExhaustedError(
                f"{self._shown}: {self._failures} requests in a row failed, the last with: {reason}. What is"
                " there stays, and the next call goes on from it"
            )
        limits, left = self._limits, self.left()
        if left <= 0:
            raise BudgetExhaustedError(
                f"{self._shown}: no octet came for {limits.seconds:g} s, the last request failed with:"
                f" {reason}"
            )
        bound = min(limits.longest_pause, limits.first_pause * 2 ** (self._failures - 1))
        hint = None if answer is None else wait_hint(answer, time.time)
        self.pause = self._random() * bound if hint is None else hint[0]
        if self.pause >= left:
            due = "a pause of {:.3g} s is due" if hint is None else "the service asks to wait {:.3g} s"
            raise BudgetExhaustedError(
                f"{self._shown}: {due.format(self.pause)} and {left:.3g} s are left, the last request failed"
                f" with: {reason}"
            )
        # Every attempt begins at the URL that was asked for: where it redirects to may have expired.
        self.url, self._hops = self.start, 0

    def _open_stream(self) -> BinaryIO:
        assert self._stream is not None  # noqa: S101 - within the context
        return self._stream

    def result(self) -> Downloaded:
        """Return what came of the download."""
        return Downloaded(self.path, self._offset, self._etag, self._requests, self._resumed, self._restarts)


def _named(url: str) -> str:
    """Return what tells a URL from others in a file: it may hold credentials, so it is not kept itself."""
    return sha256(url.encode()).hexdigest()


def _coded(fields: Fields) -> bool:
    return (fields.text("Content-Encoding") or "identity").strip().lower() not in ("identity", "")


def _alone(part: Path) -> BinaryIO:
    """Open the file of a download for this one alone.

    Args:
        part: where it is written.

    Raises:
        BlockingIOError: another download, of this process or another one, writes there.
    """
    while True:
        stream = os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666), "r+b")
        if _locks is None:
            return stream
        try:
            _locks.flock(stream, _locks.LOCK_EX | _locks.LOCK_NB)
            # Between opening and locking the one before may have finished and renamed it.
            if part.exists() and os.path.samestat(part.stat(), os.fstat(stream.fileno())):
                return stream
            stream.close()
        except BlockingIOError as error:
            stream.close()
            raise BlockingIOError(
                EAGAIN, "another download writes here: wait for it, or name another file", str(part)
            ) from error
        except OSError as error:
            # Some network file systems have no locks.
            if error.errno in (ENOLCK, EOPNOTSUPP):
                return stream
            stream.close()
            raise


def _strong(tag: str) -> bool:
    return len(tag) > 1 and tag.startswith('"') and tag.endswith('"')
