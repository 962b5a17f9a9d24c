"""Show on standard error what takes long, when somebody is looking."""

from __future__ import annotations

import io
import sys
import time
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from ifmatch.cli.terminal import is_terminal, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import WriteableBuffer

__all__ = ["Progress"]

LARGE: Final = 5_000_000
"""Octets from which a source counts as long."""

GIANT: Final = 50_000_000
"""Octets from which the share that was read is shown."""
_INTERVAL: Final = 0.2


class Progress:
    """One line that is rewritten in place and removed at the end.

    Attributes:
        shown: whether anything was ever written.
    """

    def __init__(self) -> None:
        self.shown = False
        self._terminal = is_terminal(sys.stderr)
        self._large = False

    def step(self, text: str, size: int | None = None) -> None:
        """Announce a step.

        Args:
            text: what is being done.
            size: octets to work through; None for a step on what was read before.
        """
        if size is not None and size >= LARGE:
            self._large = True
            text = f"{text}, {size / 1e6:.0f} MB"
        if self._terminal and self._large:
            self.shown = True
            sys.stderr.write(f"\r\x1b[2K{printable(text)} ...")
            sys.stderr.flush()

    def watched(self, stream: BinaryIO, text: str, size: int) -> BinaryIO:
        """Return a stream whose reading is shown; the stream itself when nobody looks or it is short.

        Args:
            stream: seekable, at its start.
            text: what is being done.
            size: octets of it.
        """
        if not self._terminal or size < GIANT:
            return stream

        def show(share: float) -> None:
            self.shown = True
            sys.stderr.write(f"\r\x1b[2K{printable(text)}, {size / 1e6:.0f} MB: {share:.0%} ...")
            sys.stderr.flush()

        return cast("BinaryIO", io.BufferedReader(_Watched(stream, size, show), 1 << 20))

    def done(self) -> None:
        """Remove the line."""
        if self.shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()


class _Watched(io.RawIOBase):
    """Tell how far a stream was read, at most five times a second."""

    def __init__(self, stream: BinaryIO, size: int, show: Callable[[float], None]) -> None:
        self._stream = stream
        self._size = size
        self._show = show
        self._next = time.monotonic() + _INTERVAL

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readinto(self, buffer: WriteableBuffer) -> int:
        octets = self._stream.read(memoryview(buffer).nbytes)
        memoryview(buffer).cast("B")[: len(octets)] = octets
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _INTERVAL
            self._show(self._stream.tell() / self._size)
        return len(octets)
