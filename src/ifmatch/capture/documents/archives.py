"""Read zip and tar archives: every readable file in one is a source; a Fiddler archive is one source.

Limits keep an archive from growing: RFC 1952 and the zip format have no limit of their own.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from ifmatch.capture.base.decompression import MAXIMAL_OCTETS, MAXIMAL_RATIO
from ifmatch.capture.base.magic_numbers import is_archive, is_zip
from ifmatch.capture.documents.playwright_traces import is_playwright_archive, read_playwright_archive
from ifmatch.capture.documents.saz import is_fiddler, read_fiddler
from ifmatch.errors import InputError, MissingExtraError
from ifmatch.model.exchange import CaptureWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO

    from ifmatch.model.exchange import Capture

    MemberReader: TypeAlias = Callable[[BinaryIO, str], tuple[Capture, ...]]

__all__ = ["MEMBER_LIMIT", "Archive", "read_archive"]

# Files of one archive that are looked at.
MEMBER_LIMIT: Final = 10_000
_RATIO_APPLIES_FROM: Final = 1 << 20
_READ_ERRORS: Final = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError,
    OverflowError, KeyError, IndexError, AssertionError, tarfile.TarError, UnicodeDecodeError,
)  # fmt: skip


class Archive:
    """A zip archive whose files are read within limits.

    Args:
        stream: binary stream at the start of the archive.
        name: name of the source.
        limit: octets that its files may have together.

    Raises:
        InputError: the archive is damaged or holds too many files.
    """

    def __init__(self, stream: BinaryIO, name: str, limit: int = MAXIMAL_OCTETS) -> None:
        self.name = name
        data = stream.read(MAXIMAL_OCTETS + 1)
        if len(data) > MAXIMAL_OCTETS:
            raise InputError(
                "the archive is larger than 256 MiB", source=name, advice="Unpack what is needed"
            )
        self._left = limit
        self._allowed = max(_RATIO_APPLIES_FROM, MAXIMAL_RATIO * len(data))
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _READ_ERRORS as error:
            raise InputError(
                f"the zip archive is damaged or cut ({_shown(str(error))})",
                source=name,
                offset=0,
                advice="Unpack it with another program, and give the files inside",
            ) from error
        self.members = [one for one in self._zip.infolist() if not one.filename.endswith("/")]
        if len(self.members) > MEMBER_LIMIT:
            raise InputError(
                f"the archive holds {len(self.members)} files", source=name, advice="Unpack what is needed"
            )

    @property
    def left(self) -> int:
        """Return how many octets its files may still have."""
        return self._left

    @property
    def is_encrypted(self) -> bool:
        """Tell whether any file needs a password."""
        return any(one.flag_bits & 1 for one in self.members)

    def names(self) -> list[str]:
        """Return the names of the files in the order of the archive."""
        return [one.filename for one in self.members]

    def read(self, member: zipfile.ZipInfo) -> bytes:
        """Return the octets of one file.

        Args:
            member: one of `members`.

        Raises:
            InputError: it is encrypted, damaged, or all files together grow beyond 256 MiB or 100 times
                the archive.
        """
        where = f"{self.name}!{_shown(member.filename)}"
        if member.flag_bits & 1:
            raise InputError(
                "this file is encrypted with a password", source=where, advice="Unpack it with the password"
            )
        try:
            with self._zip.open(member) as opened:
                limit = min(self._left, self._allowed)
                octets = opened.read(limit + 1)
        except _READ_ERRORS as error:
            why = _shown(str(error))
            raise InputError(f"this file of the archive is damaged ({why})", source=where) from error
        self._left -= len(octets)
        self._allowed -= len(octets)
        if min(self._left, self._allowed) < 0:
            raise InputError(
                "the archive grows beyond 256 MiB or beyond 100 times its size",
                source=self.name,
                advice="Unpack it yourself if it can be trusted, and give the files",
            )
        return octets


class TarArchive:
    """A tar archive whose files are read within limits.

    Args:
        stream: binary stream at the start of the archive.
        name: name of the source.

    Raises:
        InputError: the archive is damaged or holds too many files.
    """

    is_encrypted = False

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.name = name
        self._left = MAXIMAL_OCTETS
        self.damage = ""
        self.members: list[tarfile.TarInfo] = []
        try:
            self._tar = tarfile.TarFile(fileobj=stream)
            for member in self._tar:
                if member.isfile():
                    self.members.append(member)
                if len(self.members) > MEMBER_LIMIT:
                    raise InputError(
                        f"the archive holds more than {MEMBER_LIMIT} files",
                        source=name,
                        advice="Unpack what is needed",
                    )
        except _READ_ERRORS as error:
            self.damage = _shown(str(error)) or type(error).__name__
        if not self.damage and not _ends_with_zeros(stream):
            self.damage = "its end is missing"
        if self.damage and not self.members:
            raise InputError(
                f"the tar archive is damaged or cut ({self.damage})",
                source=name,
                offset=0,
                advice="Unpack it with another program, and give the files inside",
            )

    def names(self) -> list[str]:
        """Return the names of the files in the order of the archive."""
        return [member.name for member in self.members]

    def read(self, member: tarfile.TarInfo) -> bytes:
        """Return the octets of one file.

        Args:
            member: one of `members`.

        Raises:
            InputError: it is damaged, or all files together grow beyond 256 MiB.
        """
        where = f"{self.name}!{_shown(member.name)}"
        try:
            opened = self._tar.extractfile(member)
            octets = opened.read(self._left + 1) if opened is not None else b""
        except _READ_ERRORS as error:
            why = _shown(str(error))
            raise InputError(f"this file of the archive is damaged ({why})", source=where) from error
        self._left -= len(octets)
        if self._left < 0:
            raise InputError(
                "the archive grows beyond 256 MiB", source=self.name, advice="Unpack it, and give the files"
            )
        return octets


def _shown(name: str) -> str:
    """Return the name of a file without what a terminal would take for a command."""
    return "".join(character if character.isprintable() else "\ufffd" for character in name[:500])


def _ends_with_zeros(stream: BinaryIO) -> bool:
    """Tell whether the two blocks of zeros that end a tar archive are there."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(size - 1024, 0))
    return not stream.read().strip(b"\0")


def read_archive(stream: BinaryIO, name: str, reader: MemberReader) -> tuple[Capture, ...]:
    """Read every readable file of an archive.

    Args:
        stream: seekable binary stream at the start of the archive.
        name: name of the source as the user gave it; a file in it is called `name!file`.
        reader: reads one file.

    Returns:
        At least one capture; the first one's warnings name the files that could not be read.

    Raises:
        InputError: the archive is damaged, encrypted, or holds nothing that can be read.
    """
    magic = stream.read(4)
    stream.seek(-len(magic), io.SEEK_CUR)
    if not is_zip(magic):
        tar = TarArchive(stream, name)
        files = [(member.name, partial(tar.read, member)) for member in tar.members]
        damage = [CaptureWarning(f"the archive is damaged or cut ({tar.damage})")] if tar.damage else []
        return _read_files(name, files, reader, damage, encrypted=False)
    archive = Archive(stream, name)
    if (read := _as_one(archive)) is not None:
        return (read(archive),)
    files = [(member.filename, partial(archive.read, member)) for member in archive.members]
    return _read_files(name, files, reader, [], encrypted=archive.is_encrypted)


def _read_files(
    name: str,
    files: Sequence[tuple[str, Callable[[], bytes]]],
    reader: MemberReader,
    warnings: list[CaptureWarning],
    *,
    encrypted: bool,
) -> tuple[Capture, ...]:
    captures: list[Capture] = []
    skipped: list[CaptureWarning] = []
    # For all archives in this one together.
    left = MAXIMAL_OCTETS
    for member, read in files:
        shown = _shown(member)
        if member.startswith("__MACOSX/") or member.endswith("/.DS_Store"):
            continue
        try:
            octets = read()
            if is_archive(octets[:512]):
                inner = _inside(octets, f"{name}!{shown}", left)
                captures.append((_as_one(inner) or read_fiddler)(inner))
                left = inner.left
                continue
            captures.extend(reader(io.BytesIO(octets), f"{name}!{shown}"))
        except MissingExtraError as error:
            skipped.append(CaptureWarning(f"{shown} was skipped: {error}"))
        except InputError as error:
            if error.source == name:
                raise
            skipped.append(CaptureWarning(f"{shown} was skipped: {error.text}"))
    if captures:
        first = captures[0]
        captures[0] = replace(first, warnings=(*warnings, *first.warnings, *skipped[:100]))
        return tuple(captures)
    raise _nothing(name, skipped, encrypted=encrypted)


def _as_one(archive: Archive) -> Callable[[Archive], Capture] | None:
    """Return what reads an archive whose files belong together, None for any other."""
    names = archive.names()
    if is_fiddler(names):
        return read_fiddler
    return read_playwright_archive if is_playwright_archive(names) else None


def _inside(octets: bytes, name: str, left: int) -> Archive:
    """Return an archive that lies in another one, as those may that are one source each."""
    inner = Archive(io.BytesIO(octets), name, left) if is_zip(octets) else None
    if inner is None or _as_one(inner) is None:
        raise InputError(
            "this is an archive inside the archive", source=name, advice="Unpack it, and give it by itself"
        )
    return inner


def _nothing(name: str, skipped: list[CaptureWarning], *, encrypted: bool) -> InputError:
    if encrypted:
        return InputError(
            "this zip archive is encrypted with a password",
            source=name,
            advice="Unpack it with the password, and give the files inside",
        )
    why = "; ".join(warning.text for warning in skipped[:3])
    return InputError(
        f"this archive holds nothing that can be read{f' ({why})' if why else ''}",
        source=name,
        advice="Put HAR files or curl -v traces into it",
    )
