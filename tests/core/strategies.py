"""Generated requests and states that come near the edges of the grammar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from ifmatch.core.http_date import format_http_date

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
LAST_MODIFIED = datetime(2025, 7, 1, 10, 0, 0, tzinfo=UTC)

opaques = st.sampled_from(
    [b"a", b"b", b"", b",", b"*", b"a,b", b"\\", b"\xe9", b"\x80\xff", b"A"]
) | st.binary(max_size=4)
well_formed_tags = st.builds(
    lambda weak, octets: (b"W/" if weak else b"") + b'"' + octets + b'"',
    st.booleans(),
    st.sampled_from([b"a", b"b", b"", b",", b"*", b"a,b", b"\\", b"\xe9", b"\x80\xff", b"A", b"W/"]),
)
any_tags = st.builds(
    lambda weak, octets: (b"W/" if weak else b"") + b'"' + octets + b'"', st.booleans(), opaques
)
junk = st.sampled_from(
    [
        b"*",
        b"a",
        b'"a',
        b'a"',
        b"w/",
        b'w/"a"',
        b'W/ "a"',
        b'"a""b"',
        b'"a" "b"',
        b"\r\n",
        b"\x00",
        b"",
        b'""',
        b'"a b"',
    ]
)
members = well_formed_tags | well_formed_tags | any_tags | junk | st.binary(max_size=6)
separators = st.sampled_from([b",", b", ", b" ,\t", b",,", b", ,", b" ", b";", b"\n,"])


@st.composite
def tag_lists(draw: st.DrawFn) -> bytes:
    pieces: list[bytes] = []
    clean = draw(st.booleans())
    for _ in range(draw(st.integers(0, 5))):
        pieces.append(draw(well_formed_tags if clean else members))
        pieces.append(draw(st.sampled_from([b",", b", ", b" , ,\t"]) if clean else separators))
    if pieces and draw(st.booleans()):
        pieces.pop()
    return b"".join(pieces)


tag_fields = (
    st.just(b"*")
    | tag_lists()
    | tag_lists()
    | st.text(st.sampled_from('W/"a*, \t\x00é'), max_size=12).map(lambda text: text.encode("latin-1"))
)

LONG_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@st.composite
def dates(draw: st.DrawFn) -> bytes:
    near = st.integers(-2, 2).map(lambda seconds: LAST_MODIFIED + timedelta(seconds=seconds))
    edge = st.integers(-2, 2).map(lambda seconds: NOW.replace(year=2076) + timedelta(seconds=seconds))
    far = st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0))
    moment = draw(near | edge | far)
    imf = format_http_date(moment)
    day, clock = moment.day, f"{moment:%H:%M:%S}"
    month = imf[8:11]
    form = draw(st.integers(0, 2))
    if form == 0:
        text = imf
    elif form == 1:
        text = f"{LONG_DAYS[moment.weekday()]}, {day:02d}-{month}-{moment.year % 100:02d} {clock} GMT"
    else:
        text = f"{imf[:3]} {month} {day:2d} {clock} {moment.year:04d}"
    change = draw(st.integers(0, 7))
    position = draw(st.integers(0, len(text) - 1))
    if change == 0:
        text = text[:position] + draw(st.sampled_from("0123456789 ,-GMT:aZ")) + text[position + 1 :]
    elif change == 1:
        text = text[:position] + text[position + 1 :]
    elif change == 2:
        text = text.replace(clock, clock[:6] + "60")
    elif change == 3:
        text = draw(
            st.sampled_from([text.lower(), text + "\n", text + ", " + text, "", text.replace("GMT", "UTC")])
        )
    return text.encode("latin-1")


def _case(names: bytes) -> st.SearchStrategy[bytes]:
    return st.sampled_from([names.lower(), names, names.upper(), names.swapcase()])


padding = st.sampled_from([b"", b"", b" ", b"\t ", b" \t"])


def _lines(name: bytes, values: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[tuple[bytes, bytes]]]:
    line = st.tuples(_case(name), st.builds(lambda a, v, b: a + v + b, padding, values, padding))
    return st.lists(line, max_size=2) | st.lists(line, min_size=1, max_size=1)


field_sections = st.tuples(
    _lines(b"If-Match", tag_fields) | st.just([]),
    _lines(b"If-None-Match", tag_fields) | st.just([]),
    _lines(b"If-Modified-Since", dates()) | st.just([]),
    _lines(b"If-Unmodified-Since", dates()) | st.just([]),
    _lines(b"If-Range", dates() | well_formed_tags | tag_fields) | st.just([]),
    _lines(b"Range", st.sampled_from([b"bytes=0-1", b"", b"x"])) | st.just([]),
    st.just([(b"Cache-Control", b"no-cache"), (b"If-Matchh", b"*"), (b"Host", b"a.example")]),
).flatmap(lambda groups: st.permutations([line for group in groups for line in group]))

methods = st.sampled_from(
    ["GET", "GET", "HEAD", "PUT", "PUT", "DELETE", "PATCH", "POST", "OPTIONS", "TRACE", "CONNECT", "get"]
)
