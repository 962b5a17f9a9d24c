"""The parts of the trace readers: the command above a trace, the clock, the fields, the decompression."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ifmatch.capture.base.clock import date_seconds, keep_monotone
from ifmatch.capture.base.decompression import dechunk, decode_content
from ifmatch.capture.base.target_uri import target_uri
from ifmatch.capture.commands.curl_prompt import is_command, read_prompt, split_words
from ifmatch.capture.curl.clock import DayClock, epoch_shift
from ifmatch.capture.texts.field_lines import repair_value
from ifmatch.model.message import Fields
from ifmatch.model.unknown import UNKNOWN

COMMANDS = [
    ("$ curl -v https://h/x", "", ["https://h/x"], [], None),
    ("curl -sSvXPUT h/x -HIf-Match:\\ 1 -da=1 -d b=2", "PUT", ["http://h/x"], [("If-Match", "1")], "a=1&b=2"),
    ("user@host:~/a b$ curl --data-raw '@x' --url=https://h/x", "POST", ["https://h/x"], [], "@x"),
    ("PS C:\\> curl.exe -d @body.json https://h/x", "POST", ["https://h/x"], [], UNKNOWN),
    ("% curl -T file https://h/x > out 2>&1", "PUT", ["https://h/x"], [], UNKNOWN),
    ("# curl -I https://h/x | head", "HEAD", ["https://h/x"], [], None),
    ("$ curl -G -d q=1 https://h/x", "", ["https://h/x"], [], None),
    ("$ curl -v $'-d\\n\\'' https://h/x", "POST", ["https://h/x"], [], "\n'"),
    ('$ curl --json "{\\"a\\": \\"$x\\"}" https://h/x', "POST", ["https://h/x"], [], '{"a": "$x"}'),
    ("$ curl -o out -w '%{code}' -H 'X;' http://h/x http://h/y", "", ["http://h/x", "http://h/y"], [], None),
    ("$ curl -v https://h/x -d 'never closed", "POST", ["https://h/x"], [], "never"),
    ("$ curl -v https://h/x -X", "", ["https://h/x"], [], None),
    (r"$ curl https://h/x -d $'\x41\u0021\xff'", "POST", ["https://h/x"], [], "A!\ufffd"),
]  # fmt: skip


@pytest.mark.parametrize(("command", "method", "urls", "fields", "content"), COMMANDS)
def test_command(
    command: str, method: str, urls: list[str], fields: list[tuple[str, str]], content: object
) -> None:
    assert is_command(command)
    prompt = read_prompt([command, "* Connected"], 0)
    assert (prompt.method, prompt.urls[: len(urls)], prompt.fields) == (method, urls, fields)
    assert prompt.content == content
    assert prompt.last_line == 1


@pytest.mark.parametrize(
    "line", ["curl is a tool", "# curl", "* curl -v x", "recurl -v", "> User-Agent: curl/8.0 -x"]
)
def test_no_command(line: str) -> None:
    assert not is_command(line) or line[0] in "*>"


@given(st.text(alphabet="ab '\"\\$\n^`|;>-&{", max_size=40))
def test_words_never_raise_and_end_inside(text: str) -> None:
    """The reader ends at a line end, at the end, or says that a quote is open."""
    _, end = split_words(text)
    assert end == -1 or end == len(text) or text[end] == "\n"


@given(st.lists(st.one_of(st.none(), st.integers(0, 9).map(float)), max_size=9))
def test_kept_times_never_run_backwards_and_are_the_most_possible(times: list[float | None]) -> None:
    """The kept ones are non-decreasing; no larger choice would be (tried by brute force)."""
    kept = keep_monotone(times)
    values = [value for value in kept if value is not None]
    assert values == sorted(values)
    assert all(value is None or value == given for value, given in zip(kept, times, strict=True))
    known = [value for value in times if value is not None]
    best = 0
    for choice in range(1 << len(known)):
        chosen = [value for bit, value in enumerate(known) if choice >> bit & 1]
        if chosen == sorted(chosen):
            best = max(best, len(chosen))
    assert len(values) == best


@given(st.integers(0, 2_000_000_000), st.integers(-56, 56), st.floats(-440, 440))
def test_shift_finds_any_zone_and_keeps_the_deviation(now: int, quarters: int, deviation: float) -> None:
    """Zones are multiples of 15 minutes; a deviation below 7.5 minutes survives."""
    local = (now + quarters * 900 + deviation) % 86400
    assert abs(local + epoch_shift(local, float(now)) - (now + deviation)) < 1e-3


def test_clock_goes_on_across_midnight() -> None:
    clock = DayClock()
    assert [clock.local(t) for t in (86399.0, 86398.5, None, 1.0, 2.0)] == [
        86399.0,
        86398.5,
        None,
        86401.0,
        86402.0,
    ]


def test_date_and_age() -> None:
    date = "Tue, 10 Mar 2026 09:14:11 GMT"
    assert date_seconds(Fields([("Date", date)])) == 1773134051.0
    assert date_seconds(Fields([("Date", date), ("Age", "100")])) == 1773134151.0
    for broken in ("", "yesterday", "Tue, 99 Mar 2026", "0", "x" * 100):
        assert date_seconds(Fields([("Date", broken)])) is None
    assert date_seconds(Fields()) is None


REPAIRS = [
    ("If-Match", "\u201ca\u201d", '"a"'),
    ("If-Match", "W/\u201ca\u201d, \u201eb\u201c", 'W/"a", "b"'),
    ("ETag", "\u00a0\u201da\u201d\u200b", '"a"'),
    ("ETag", '"a\u00a0b"', '"a\u00a0b"'),
    ("ETag", '"\u201ca\u201d"', '"\u201ca\u201d"'),
    ("ETag", "\u201ca", "\u201ca"),
    ("ETag", "\u2018a\u2019", "\u2018a\u2019"),
    ("X-Note", "\u201ca\u201d", "\u201ca\u201d"),
    ("ETag", "'a'", "'a'"),
    ("ETag", '\\"a\\"', '\\"a\\"'),
]


@pytest.mark.parametrize(("name", "value", "expected"), REPAIRS)
def test_repair(name: str, value: str, expected: str) -> None:
    fixed, said = repair_value(name, value)
    assert fixed == expected
    assert bool(said) == (value != expected)


@given(
    st.sampled_from(["ETag", "If-Match"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=12),
)
def test_ascii_is_never_repaired(name: str, value: str) -> None:
    """Printable ASCII can be on the wire, so it stays."""
    assert repair_value(name, value) == (value, "")


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5), st.integers(0, 3))
def test_chunks(parts: list[bytes], missing: int) -> None:
    """Any chunked content comes back; when the end is missing it says so."""
    whole = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    assert dechunk(whole) == (b"".join(parts), True)
    if parts and missing:
        cut = dechunk(whole[: len(whole) - 5 - missing])
        assert cut is not None
        assert not cut[1]


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, lambda data: zlib.compress(data)[2:-4]])
def test_codings(pack: object) -> None:
    assert callable(pack)
    coding = "gzip" if pack is gzip.compress else "deflate"
    assert decode_content(pack(b"abc" * 999), coding) == (b"abc" * 999, True)
    cut = decode_content(pack(bytes(range(256)) * 9)[:-20], coding)
    assert cut is not None
    assert not cut[1]
    assert decode_content(b"plain", coding) is None or coding == "deflate"
    assert decode_content(b"x", "br") is None
    assert decode_content(b"x", "identity, ") == (b"x", True)


TARGETS = [
    ("/x?a=1", "h:443", "https", "https://h/x?a=1"),
    ("/x", "h:80", "http", "http://h/x"),
    ("/x", "h:8080", "http", "http://h:8080/x"),
    ("http://o/x", "h", "https", "http://o/x"),
    ("*", "h", "http", "http://h"),
    ("h:443", "h:443", "https", "h:443"),
    ("/x", "", "https", "/x"),
]


@pytest.mark.parametrize(("target", "host", "scheme", "expected"), TARGETS)
def test_target_uri(target: str, host: str, scheme: str, expected: str) -> None:
    assert target_uri(target, host, scheme=scheme) == expected
