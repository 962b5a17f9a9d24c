"""The line that shows how far a long source was read."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from ifmatch.cli import progress
from ifmatch.cli.progress import Progress

if TYPE_CHECKING:
    import pytest


def watched(
    monkeypatch: pytest.MonkeyPatch, *, terminal: bool, size: int
) -> tuple[Progress, object, io.BytesIO]:
    monkeypatch.setattr(progress, "is_terminal", lambda _: terminal)
    monkeypatch.setattr(progress, "_INTERVAL", 0.0)
    shown, stream = Progress(), io.BytesIO(bytes(range(256)) * (size // 256))
    return shown, shown.watched(stream, "reading giant.har", size), stream


def test_the_share_is_shown_and_the_octets_are_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    size = progress.GIANT // 256 * 256 + 256
    shown, seen, stream = watched(monkeypatch, terminal=True, size=size)
    assert isinstance(seen, io.BufferedReader)
    assert seen.read(1000) == stream.getvalue()[:1000]
    assert seen.seek(size - 300) == size - 300
    assert seen.read() == stream.getvalue()[-300:]
    assert seen.seekable()
    shown.done()
    said = capsys.readouterr().err
    assert "reading giant.har, 50 MB: 2%" in said
    assert "100%" in said
    assert said.endswith("\r\x1b[2K")


def test_nothing_is_shown_where_nobody_looks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for terminal, size in ((False, 60_000_000), (True, 2560)):
        _, seen, stream = watched(monkeypatch, terminal=terminal, size=size)
        assert seen is stream
    assert capsys.readouterr().err == ""
