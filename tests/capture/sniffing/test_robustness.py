"""No octets make a text reader raise anything but InputError, and none make it slow."""

from __future__ import annotations

import gzip
import io
import pathlib
import random
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ifmatch import capture
from ifmatch.capture.curl.trace import read_curl_trace
from ifmatch.capture.curl.verbose import read_curl_verbose
from ifmatch.capture.pastes.http_messages import read_http_messages
from ifmatch.errors import InputError
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifmatch.model.exchange import Capture

ROOT = pathlib.Path(__file__).parents[3] / "cases"
SAMPLES = [path.read_bytes() for path in sorted(ROOT.glob("text/*/*.txt"))]
SAMPLES += [path.read_bytes() for path in sorted(ROOT.glob("lab/*.curl.txt")) if path.stat().st_size < 4000]
READERS = [read_curl_verbose, read_curl_trace, read_http_messages]
PIECES = [
    b"\n", b"\r\n", b"\0", b'"', b"'", b"> ", b"< ", b"* ", b"\xff", b"$ curl -v ", b"0000: ",
    b"\x1b[1m", b"```\n",
    b"[[[[", b"--", b"&quot;", b" ", "\u201c".encode(), b"99:99:99.999999 ",
    b"HTTP/1.1 412 Precondition Failed\n", b"<= Recv data, 99999999999 bytes (0x5)\n", b"{ [99 bytes data]\n",
    b"Content-Length: 99999999999999999999\n", b"Date: Tue, 99 Foo 99999 99:99:99 GMT\n",
    b"Content-Encoding: gzip\n", b"Transfer-Encoding: chunked\n", b"curl: (28) x\n",
    b"* Closing connection\n",
    b"* Issue another request to this URL: '//['\n", b"GET http://[ HTTP/1.1\n",
]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Draw a sample that was cut, doubled and mixed with pieces that mean something to a reader."""
    data = draw(st.sampled_from(SAMPLES))
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 200)))
        middle = draw(
            st.one_of(
                st.sampled_from(PIECES),
                st.just(b""),
                st.binary(max_size=8),
                st.sampled_from(SAMPLES).map(lambda sample: sample[: len(sample) // 2]),
            )
        )
        data = data[:start] + middle + data[end:]
    return data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data


def _use(read: Capture) -> None:
    """Touch what a diagnosis touches."""
    for entry, exchange in enumerate(read.exchanges):
        assert exchange.provenance.entry == entry
        assert exchange.provenance.line is not None
        assert exchange.provenance.line >= 1
        assert exchange.status == 0 or 200 <= exchange.status <= 599 or 100 <= exchange.status < 200
        messages = [exchange.request, *([exchange.response] if exchange.response else [])]
        for message in messages:
            assert all(ord(character) < 256 for _, value in message.fields for character in value)
            if isinstance(message.content, Content):
                assert isinstance(message.content.octets, bytes)
                message.content.json()


@given(data=damaged())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_samples_give_a_capture_or_an_input_error(data: bytes) -> None:
    """Whatever happened to a file: a capture, or an error that says what is wrong."""
    for reader in READERS:
        try:
            _use(reader(io.BytesIO(data), "x"))
        except InputError as error:
            assert str(error)  # noqa: PT017 - either outcome is right


@given(data=damaged())
@settings(max_examples=150, deadline=None)
def test_sniffing_never_raises_and_read_agrees(data: bytes) -> None:
    """`read` reads what `sniff` recognises, and refuses the rest."""
    found = capture.sniff(data)
    if found is None:
        with pytest.raises(InputError):
            capture.read(io.BytesIO(data), "x")
    elif found != "har":
        try:
            assert capture.read(io.BytesIO(data), "x").format in {found, "curl-trace", "curl-trace-ascii"}
        except InputError as error:
            assert str(error)  # noqa: PT017 - either outcome is right


@given(data=st.binary(max_size=300))
def test_any_octets_give_a_capture_or_an_input_error(data: bytes) -> None:
    """Octets that are nothing at all."""
    # With a version of HTTP in it, a line may be a message.
    assume(b"HTTP/" not in data)
    for reader in READERS:
        with pytest.raises(InputError):
            reader(io.BytesIO(data), "x")


def _repeated(piece: bytes) -> Callable[[int], bytes]:
    return lambda size: piece * (size // len(piece))


HEAD = b"* Connected to h (1.1.1.1) port 80 (#0)\n> GET / HTTP/1.1\n> Host: h\n> \n< HTTP/1.1 200 OK\n< \n"
GARBAGE: dict[str, Callable[[int], bytes]] = {
    "one line": lambda size: HEAD + b"x" * size,
    "blanks in one line": lambda size: b"GET " + b" " * size + b"\nHTTP/1.1 412 x" + b" " * size,
    "random": lambda size: HEAD + random.Random(1).randbytes(size),
    "lines": lambda size: HEAD + b"lorem ipsum dolor\n" * (size // 18),
    "blank lines": lambda size: b"PUT / HTTP/1.1\n" + b"\n" * size,
    "brackets": lambda size: b"PUT / HTTP/1.1\nHost: h\n\n" + b"[" * size,
    "open quotes": _repeated(b"$ curl -v -d '{\n> \n"),
    "curl": _repeated(b"curl 'x -v\n"),
    "continuations": _repeated(b"curl -v x \\\n"),
    "meters": lambda size: HEAD + b"\r  0     0    0     0    0     0      0      0 --:--:--" * (size // 54),
    "requests": _repeated(b"> GET / HTTP/1.1\n> \n"),
    "status lines": _repeated(b"HTTP/1.1 412 x\n"),
    "statuses of curl": _repeated(b"* Connected to h (1) port 1\n< HTTP/1.1 200 OK\n< \n"),
    "bare requests": _repeated(b"GET /\n\n"),
    "fences": _repeated(b"```\nGET / HTTP/1.1\n"),
    "quoting": _repeated(b"> > > > HTTP/1.1 412 x\n"),
    "trace": _repeated(b"=> Send header, 99999 bytes (0x5)\n0000: GET / HTTP/1.1\n"),
    "escapes": lambda size: b"GET / HTTP/1.1\nETag: " + b"\x1b[" * (size // 2),
    "curly": lambda size: b"GET / HTTP/1.1\nIf-Match: " + "\u201c,".encode() * (size // 4),
    "folding": lambda size: b"GET / HTTP/1.1\nA: b\n" + b" c\n" * (size // 3),
    "separators": lambda size: b"GET / HTTP/1.1\n\n" + b"---\n" * (size // 4),
    "time stamps": lambda size: HEAD + b"00:00:00.000000 [" * (size // 17),
    "responses without display": lambda size: HEAD * (size // len(HEAD)) + b"x" * 1000,
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_time_grows_with_size_and_no_faster(kind: str) -> None:
    """Ten times the garbage takes at most 40 times as long, or two seconds: far from 100 times.

    Other work on the machine can make a single measurement wrong, but not three.
    """

    def seconds(size: int) -> float:
        data = GARBAGE[kind](size)
        start = time.process_time()
        for reader in READERS:
            try:
                reader(io.BytesIO(data), "x")
            except InputError:
                continue
        return time.process_time() - start

    measured = []
    for _ in range(3):
        small, large = seconds(15_000), seconds(150_000)
        if large < max(0.5, 40 * small):
            return
        measured.append((small, large))
    pytest.fail(f"seconds for a part and for ten times as much: {measured}")


def test_gzip_is_undone_and_limited() -> None:
    sample = (ROOT / "text/http-messages/pair.txt").read_bytes()
    plain = capture.read(io.BytesIO(sample), "x")
    packed = gzip.compress(sample)
    assert capture.read(io.BytesIO(packed), "x") == plain
    assert capture.read(io.BytesIO(gzip.compress(sample[:50]) + gzip.compress(sample[50:])), "x") == plain
    assert read_http_messages(io.BytesIO(packed), "x") == plain
    cut = capture.read(io.BytesIO(packed[:-12]), "x")
    assert cut.exchanges[0].request == plain.exchanges[0].request
    assert "ends early" in cut.warnings[0].text
    bomb = gzip.compress(sample + b"\0" * 5_000_000)
    with pytest.raises(InputError, match="100 times"):
        capture.read(io.BytesIO(bomb), "x")
    with pytest.raises(InputError, match="gzip"):
        capture.read(io.BytesIO(b"\x1f\x8b" + b"x" * 30), "x")


def test_stream_that_cannot_seek_is_read() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, offset: int, whence: int = 0) -> int:
            raise OSError(offset, whence)

    sample = (ROOT / "text/http-messages/pair.txt").read_bytes()
    assert len(capture.read(Pipe(sample), "-").exchanges) == 1


def test_format_can_be_said() -> None:
    sample = (ROOT / "text/curl-verbose/continue-and-early-hints.txt").read_bytes()
    assert capture.read(io.BytesIO(sample), "x", format="http-messages").format == "http-messages"
    with pytest.raises(InputError, match="curl-trace, curl-trace-ascii"):
        capture.read(io.BytesIO(sample), "x", format="fax")
    with pytest.raises(InputError, match="no request and no response"):
        capture.read(io.BytesIO(b"nothing\n"), "x", format="curl-verbose")


def test_every_format_can_be_loaded() -> None:
    assert len({known.id for known in capture.FORMATS}) == len(capture.FORMATS)
    for known in capture.FORMATS:
        assert callable(known.load())
