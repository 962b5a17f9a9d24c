"""Undo content codings and transfer coding of captured content, within limits.

Source: RFC 9110 section 8.4.1 (content codings), RFC 9112 section 7.1 (chunked).
"""

from __future__ import annotations

import zlib
from typing import Protocol, cast

from ifmatch.errors import InputError, MissingExtraError
from ifmatch.model.late import late_pattern

MAXIMAL_OCTETS = 256 * 1024 * 1024
MAXIMAL_RATIO = 100
# Below this size a high ratio is harmless, and common for repetitive text.
_RATIO_APPLIES_FROM = 1024 * 1024
_STEP = 1024 * 1024
_ZSTD = b"\x28\xb5\x2f\xfd"
_SKIPPED = 0x184D2A50
# Larger windows are asked for by no tool's default, and cost as much memory.
_WINDOW = 1 << 27
_CHUNK_SIZE = late_pattern(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")


class _Brotli(Protocol):
    """What is used of `brotli.Decompressor`."""

    def process(self, string: bytes, /, *, output_buffer_limit: int) -> bytes: ...

    def can_accept_more_data(self) -> bool: ...

    def is_finished(self) -> bool: ...


class _TooLargeError(Exception):
    """Stop a decompression that would grow beyond the limits."""


class _BrokenError(Exception):
    """Say that nothing of a file could be decompressed."""


def _inflate(data: bytes, window_bits: int) -> tuple[bytes, bool]:
    """Return what could be decompressed, and whether it ended early; zlib.error when nothing could."""
    parts: list[bytes] = []
    size = 0
    rest = data
    while rest:
        machine = zlib.decompressobj(window_bits)
        try:
            while True:
                part = machine.decompress(rest, _STEP)
                rest = machine.unused_data if machine.eof else machine.unconsumed_tail
                parts.append(part)
                size = _grown(size + len(part), len(data))
                if machine.eof or (not rest and len(part) < _STEP):
                    break
        except zlib.error:
            if not size:
                raise
            return b"".join(parts), True
        if not machine.eof:
            return b"".join(parts) + machine.flush(), True
        rest = rest if window_bits == 31 and rest[:2] == b"\x1f\x8b" else b""
    return b"".join(parts), False


def compression_of(head: bytes) -> str | None:
    """Tell by its first octets how a file is compressed: `gzip`, `zstd` or None.

    Args:
        head: the first octets.
    """
    if head[:2] == b"\x1f\x8b":
        return "gzip"
    return "zstd" if head[:4] == _ZSTD else None


def decompress(data: bytes, compression: str, name: str) -> tuple[bytes, bool]:
    """Decompress a file, several members or frames included.

    Args:
        data: the whole file.
        compression: as `compression_of` says.
        name: name of the source, for the error.

    Returns:
        The octets, and whether the file ended early or was broken behind them.

    Raises:
        InputError: it cannot be decompressed, or grows beyond 256 MiB or 100 times its size.
        MissingExtraError: it is zstd, and no library for that is installed.
    """
    try:
        if compression == "zstd":
            if (found := _unzstd(data)) is None:
                raise MissingExtraError("compressed", "reading files compressed with zstd")
            return found
        return _inflate(data, 31)
    except (zlib.error, _BrokenError) as error:
        raise InputError(
            f"the {compression} file cannot be decompressed ({error})",
            source=name,
            offset=0,
            advice="Copy it anew",
        ) from error
    except _TooLargeError:
        raise InputError(
            f"the {compression} file grows beyond 256 MiB or beyond 100 times its size",
            source=name,
            advice="Decompress it yourself if it can be trusted, and give the plain file",
        ) from None


def gunzip(data: bytes, name: str) -> tuple[bytes, bool]:
    """Decompress a gzip file; see `decompress`.

    Args:
        data: the whole file.
        name: name of the source, for the error.
    """
    return decompress(data, "gzip", name)


def _unzstd(data: bytes) -> tuple[bytes, bool] | None:
    """Return what could be decompressed, and whether it ended early; None without a library."""
    try:
        import zstandard  # noqa: PLC0415 - an extra
    except ImportError:
        return None
    machine = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    parts: list[bytes] = []
    size = 0
    try:
        with machine.stream_reader(data, read_across_frames=True) as reader:
            while part := reader.read(_STEP):
                parts.append(part)
                size = _grown(size + len(part), len(data))
    except zstandard.ZstdError as error:
        if not size:
            raise _BrokenError(str(error)) from error
        return b"".join(parts), True
    whole = _zstd_is_whole(data)
    if not parts and not whole:
        raise _BrokenError("it ends before its first block does")
    return b"".join(parts), not whole


def _zstd_is_whole(data: bytes) -> bool:
    """Tell whether zstd data ends where its last frame does (RFC 8878 section 3.1)."""
    position = 0
    while position + 8 <= len(data):
        magic = int.from_bytes(data[position : position + 4], "little")
        if magic & 0xFFFFFFF0 == _SKIPPED:
            position += 8 + int.from_bytes(data[position + 4 : position + 8], "little")
            continue
        if data[position : position + 4] != _ZSTD:
            return False
        descriptor = data[position + 4]
        single = descriptor >> 5 & 1
        sizes = (0, 1, 2, 4)[descriptor & 3] + ((single, 2, 4, 8)[descriptor >> 6])
        position += 5 + (1 - single) + sizes
        last = False
        while not last:
            if position + 3 > len(data):
                return False
            head = int.from_bytes(data[position : position + 3], "little")
            last = bool(head & 1)
            # A block of one repeated octet holds that octet only.
            position += 3 + (1 if head >> 1 & 3 == 1 else head >> 3)
        position += 4 if descriptor & 4 else 0
    return position == len(data)


def _unbrotli(data: bytes) -> tuple[bytes, bool] | None:
    """Return what could be decompressed, and whether it ended early; None without a library, or no brotli."""
    try:
        import brotli  # type: ignore[import-untyped] # pyright: ignore[reportMissingTypeStubs]  # noqa: PLC0415 - an extra
    except ImportError:
        return None
    machine = cast("_Brotli", brotli.Decompressor())  # pyright: ignore[reportUnknownMemberType]
    parts: list[bytes] = []
    size = 0
    try:
        for start in range(0, len(data), 4096):
            part = machine.process(data[start : start + 4096], output_buffer_limit=_STEP)
            while part or not machine.can_accept_more_data():
                parts.append(part)
                size = _grown(size + len(part), len(data))
                part = machine.process(b"", output_buffer_limit=_STEP)
    except cast("type[Exception]", brotli.error):
        return (b"".join(parts), True) if size else None
    # Brotli has no mark at its beginning: what gives nothing may be anything.
    return (b"".join(parts), not machine.is_finished()) if size or machine.is_finished() else None


def _grown(size: int, compressed: int) -> int:
    if size > MAXIMAL_OCTETS or (size > _RATIO_APPLIES_FROM and size > MAXIMAL_RATIO * compressed):
        raise _TooLargeError
    return size


def dechunk(data: bytes) -> tuple[bytes, bool] | None:
    """Undo the chunked transfer coding.

    Args:
        data: the message body as it was on the wire.

    Returns:
        The content and whether the last chunk was there; None when the data is not chunked.
    """
    parts: list[bytes] = []
    position = 0
    while True:
        found = _CHUNK_SIZE.match(data, position)
        if found is None:
            cut_in_size = len(data) - position < 64 and b"\n" not in data[position:]
            return (b"".join(parts), False) if parts and cut_in_size else None
        size = int(found.group(1), 16)
        start = found.end()
        if size == 0:
            return b"".join(parts), True
        parts.append(data[start : start + size])
        if start + size + 2 > len(data):
            return b"".join(parts), False
        if data[start + size : start + size + 2] != b"\r\n":
            return None
        position = start + size + 2


def decode_content(data: bytes, codings: str) -> tuple[bytes, bool] | None:
    """Undo the content codings of a message.

    Args:
        data: the content as received.
        codings: value of Content-Encoding, "" when there is none.

    Returns:
        The decoded content and whether it was whole; None when it cannot be decoded.
    """
    whole = True
    for coding in reversed([part.strip().lower() for part in codings.split(",")]):
        if coding in {"", "identity", "aws-chunked"}:
            continue
        try:
            if coding in {"gzip", "x-gzip"} and data[:2] == b"\x1f\x8b":
                data, cut = _inflate(data, 31)
            elif coding == "deflate":
                data, cut = _inflate(data, 15 if data[:1] == b"\x78" else -15)
            elif coding in {"zstd", "br"}:
                found = _unzstd(data) if coding == "zstd" else _unbrotli(data)
                if found is None:
                    return None
                data, cut = found
            else:
                return None
        except (zlib.error, _TooLargeError, _BrokenError):
            return None
        whole = whole and not cut
    return data, whole
