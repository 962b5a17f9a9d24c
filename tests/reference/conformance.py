"""The rows of the requirements on validators and preconditions that one origin can show, as raw requests.

Each row is a function that gets an `Origin` and asserts. `ROWS` lists them with the sections they hold; a
test of any server runs those whose needs it meets:

    @pytest.mark.parametrize("row", rows(FEATURES), ids=str)
    def test_row(row, origin):
        row.check(origin)

What an origin has to offer is what `ifmatch serve` is contracted to: a resource that takes PUT, and siblings.
"""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from tests.reference.wire import Connection, Raw, message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["ALL_FEATURES", "ROWS", "Origin", "Row", "rows"]

ALL_FEATURES = frozenset(
    {"dates", "delete", "tagged", "dated", "forbidden", "moved", "transform", "range", "patch", "prefer"}
    | {"compress", "negotiated", "cors", "problem", "early", "raw"}
)
IMF = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4}"
    r" \d\d:\d\d:\d\d GMT"
)
TAG = re.compile(r'(W/)?"[\x21\x23-\x7e\x80-\xff]*"')
JSON = ("Content-Type", "application/json")
_numbers = itertools.count(1)


@dataclass
class Origin:
    """A server under test.

    Attributes:
        url: `http://host:port`.
        base: path of the resource; the siblings are at `base-missing` and so on.
        below: whether `base/anything` is a resource of its own, 404 until PUT; else `base-missing` is used.
    """

    url: str
    base: str = "/resource"
    below: bool = True

    def connect(self) -> Connection:
        return Connection(self.url)

    def ask(self, method: str, target: str, *lines: tuple[str, str], content: bytes | None = None) -> Raw:
        with self.connect() as connection:
            return connection.ask(method, target, *lines, content=content)

    def put(self, target: str, *lines: tuple[str, str], content: bytes = b"{}") -> Raw:
        """Send a PUT with JSON."""
        return self.ask("PUT", target, JSON, *lines, content=content)

    def missing(self) -> str:
        """Return the path of a resource that is not there, and would be made by PUT."""
        if self.below:
            return f"{self.base}/row-{next(_numbers)}-{datetime.now(UTC).timestamp():.0f}"
        self.ask("DELETE", f"{self.base}-missing")
        return f"{self.base}-missing"

    def fresh(self, content: bytes = b'{"title": "first", "count": 0}') -> str:
        """Return the path of a resource that is there, with this content."""
        path = self.missing()
        made = self.ask("PUT", path, JSON, content=content)
        assert made.status == 201, made
        return path

    def tag(self, path: str) -> str:
        tag = self.ask("GET", path).get("etag")
        assert tag is not None
        return tag

    def tagged(self, tag: str) -> str:
        """Return the path of the resource with this field value of ETag."""
        return f"{self.base}-tagged?etag={quote(tag.encode('latin-1'), safe='')}"

    def holds(self, path: str, content: bytes) -> bool:
        return self.ask("GET", path).content == content


@dataclass(frozen=True)
class Row:
    """One row: the numbers of the matrix that it shows, and how."""

    numbers: tuple[int, ...]
    name: str
    section: str
    needs: frozenset[str]
    check: Callable[[Origin], None]

    def __str__(self) -> str:
        return f"{'+'.join(map(str, self.numbers))}-{self.name}"


ROWS: list[Row] = []


def rows(features: Iterable[str] = ALL_FEATURES) -> list[Row]:
    """Return the rows that a server with these features has to pass."""
    offered = frozenset(features)
    return [row for row in ROWS if row.needs <= offered]


def row(*numbers: int, section: str, needs: str = ""):
    def register(check):
        name = check.__name__
        ROWS.append(Row(numbers, name, section, frozenset(needs.split()), check))
        return check

    return register


def moment(text: str | None) -> datetime:
    assert text is not None
    assert IMF.fullmatch(text), text
    return parsedate_to_datetime(text)


# --- validators


@row(1, 2, 3, 43, section="8.8.2.1", needs="dates")
def last_modified_is_there_and_never_later_than_date(origin: Origin) -> None:
    path = origin.fresh()
    for method, _ in itertools.product(("GET", "HEAD"), range(3)):
        answer = origin.ask(method, path)
        gap = moment(answer.get("date")) - moment(answer.get("last-modified"))
        assert timedelta(0) <= gap <= timedelta(seconds=5)


@row(6, 7, section="8.8.3")
def etag_is_there_strong_and_well_formed(origin: Origin) -> None:
    tag = origin.tag(origin.fresh())
    assert TAG.fullmatch(tag)
    assert not tag.startswith("W/")


@row(9, section="8.8.3")
def the_tag_holds_no_backslash(origin: Origin) -> None:
    assert "\\" not in origin.tag(origin.fresh())


@row(11, section="8.8.1")
def the_tag_changes_with_the_content(origin: Origin) -> None:
    path = origin.fresh()
    seen = {origin.tag(path)}
    for number in range(3):
        assert origin.put(path, content=b'{"n": %d}' % number).status in {200, 204}
        tag = origin.tag(path)
        assert tag not in seen
        seen.add(tag)


@row(11, section="8.8.1")
def the_tag_stays_while_nothing_changes(origin: Origin) -> None:
    path = origin.fresh()
    assert len({origin.tag(path) for _ in range(4)}) == 1


@row(12, section="8.8.1", needs="delete")
def a_tag_does_not_come_back_after_delete_and_another_content(origin: Origin) -> None:
    path = origin.fresh(b'{"life": 1}')
    before = origin.tag(path)
    assert origin.ask("DELETE", path).status in {200, 204}
    assert origin.put(path, content=b'{"life": 2}').status == 201
    assert origin.tag(path) != before
    assert origin.put(path, ("If-Match", before)).status == 412


@row(14, section="8.8.3.3", needs="compress")
def a_coded_variant_has_its_own_tag(origin: Origin) -> None:
    path = origin.fresh(b'{"text": "' + b"again " * 40 + b'"}')
    plain = origin.ask("GET", path, ("Accept-Encoding", "identity"))
    coded = origin.ask("GET", path, ("Accept-Encoding", "gzip"))
    assert coded.get("content-encoding") == "gzip"
    assert gzip.decompress(coded.content) == plain.content
    assert coded.get("etag") != plain.get("etag")
    for answer in (plain, coded):
        assert "accept-encoding" in (answer.get("vary") or "").lower()


@row(14, 48, section="13.1.1", needs="compress")
def the_tag_of_a_coded_variant_guards_a_write(origin: Origin) -> None:
    path = origin.fresh()
    coded = origin.ask("GET", path, ("Accept-Encoding", "gzip")).get("etag") or ""
    assert origin.put(path, ("If-Match", coded), content=b'{"n": 1}').status in {200, 204}
    assert origin.put(path, ("If-Match", coded), content=b'{"n": 2}').status == 412


@row(14, section="13.1.2", needs="compress")
def each_variant_has_its_own_304(origin: Origin) -> None:
    path = origin.fresh()
    coding = ("Accept-Encoding", "gzip")
    coded, plain = origin.ask("GET", path, coding).get("etag") or "", origin.tag(path)
    assert origin.ask("GET", path, coding, ("If-None-Match", coded)).status == 304
    assert origin.ask("GET", path, ("If-None-Match", plain)).status == 304
    assert origin.ask("GET", path, ("If-None-Match", coded)).status == 200
    assert origin.ask("GET", path, coding, ("If-None-Match", f"{plain}, {coded}")).get("etag") == coded


@row(14, section="12.5.3", needs="compress")
def no_coding_that_was_not_asked_for(origin: Origin) -> None:
    path = origin.fresh()
    for value in ("identity", "br", "gzip;q=0", ""):
        assert origin.ask("GET", path, ("Accept-Encoding", value)).get("content-encoding") is None
    assert origin.ask("GET", path).get("content-encoding") is None
    for value in ("gzip", "GZIP", "br, gzip;q=0.5", "*", "deflate, *;q=0.1"):
        assert origin.ask("GET", path, ("Accept-Encoding", value)).get("content-encoding") == "gzip", value


@row(16, section="8.8")
def the_tag_of_a_write_is_that_of_the_new_state(origin: Origin) -> None:
    path = origin.missing()
    made = origin.put(path, content=b'{"n": 1}')
    if made.get("etag") is not None:
        assert made.get("etag") == origin.tag(path)
    changed = origin.put(path, content=b'{"n": 2}')
    if changed.get("etag") is not None:
        assert changed.get("etag") == origin.tag(path)


@row(20, section="9.3.2")
def head_is_get_without_content(origin: Origin) -> None:
    path = origin.fresh()
    got, head = origin.ask("GET", path), origin.ask("HEAD", path)
    skipped = {"date"}
    assert [pair for pair in got.fields if pair[0] not in skipped] == [
        pair for pair in head.fields if pair[0] not in skipped
    ]
    assert head.get("content-length") == str(len(got.content))


@row(20, section="9.3.2", needs="raw")
def head_sends_no_octet_of_content(origin: Origin) -> None:
    path = origin.fresh()
    with origin.connect() as connection:
        assert connection.ask("HEAD", path).status == 200
        # Were there content, it would stand in front of this answer.
        assert connection.ask("GET", path).status == 200


@row(21, section="9.3.4", needs="transform")
def no_validators_after_a_put_that_was_transformed(origin: Origin) -> None:
    answer = origin.ask("PUT", f"{origin.base}-transform", ("Content-Type", "text/plain"), content=b"quiet")
    assert answer.status in {200, 201, 204}
    assert answer.get("etag") is None
    assert answer.get("last-modified") is None
    assert origin.holds(f"{origin.base}-transform", b"QUIET")


@row(22, section="9.3.4")
def put_creates_with_201_and_replaces_with_200_or_204(origin: Origin) -> None:
    path = origin.missing()
    assert origin.ask("GET", path).status == 404
    assert origin.put(path, content=b'{"n": 1}').status == 201
    assert origin.put(path, content=b'{"n": 2}').status in {200, 204}
    answer = origin.ask("GET", path)
    assert answer.content == b'{"n": 2}'
    assert answer.get("content-type") == "application/json"


@row(22, section="9.3.4")
def a_part_is_no_whole(origin: Origin) -> None:
    path = origin.fresh(b'{"n": 1}')
    answer = origin.put(path, ("Content-Range", "bytes 0-3/8"), content=b'{"n"')
    assert answer.status in {400, 415, 501}
    assert origin.holds(path, b'{"n": 1}')


@row(23, section="12.5.5", needs="negotiated")
def negotiated_answers_carry_vary_and_tags_of_their_own(origin: Origin) -> None:
    path = f"{origin.base}-negotiated"
    wishes = [
        (("Accept", media), ("Accept-Language", language))
        for media in ("application/json", "application/xml", "text/plain")
        for language in ("en", "de")
    ]
    answers = [origin.ask("GET", path, *wish) for wish in wishes]
    assert len({answer.get("etag") for answer in answers}) == 6
    assert len({answer.content for answer in answers}) >= 5  # JSON has the same members in both languages
    for wish, answer in zip(wishes, answers, strict=True):
        vary = (answer.get("vary") or "").lower()
        assert "accept" in vary.split(", ")
        assert "accept-language" in vary
        assert (answer.get("content-type") or "").startswith(wish[0][1])
        assert answer.get("content-language") == wish[1][1]
        assert origin.ask("GET", path, *wish, ("If-None-Match", answer.get("etag") or "")).status == 304


@row(23, 48, section="13.1.1", needs="negotiated")
def the_tag_of_any_current_variant_guards_a_write(origin: Origin) -> None:
    path = f"{origin.base}-negotiated"
    german = origin.ask("GET", path, ("Accept", "text/plain"), ("Accept-Language", "de")).get("etag") or ""
    document = json.loads(origin.ask("GET", path, ("Accept", "application/json")).content)
    document["count"] += 1
    content = json.dumps(document).encode()
    assert origin.put(path, ("If-Match", german), content=content).status in {200, 204}
    assert origin.put(path, ("If-Match", german), content=content).status == 412


# --- grammar of the conditions

# Field values of If-None-Match that name the tag "a" in a well-formed list.
WELL_FORMED = (
    '"a"',
    'W/"a"',
    '"a","b"',
    '"b" , "a"',
    '"b"\t,\t"a"',
    ', "a"',
    '"a" ,',
    ',,, "b",,"a",,',
    '"b", W/"a"',
    ' \t"a" \t',
)


@row(26, 27, 29, 30, 35, section="5.6.1.2", needs="tagged")
def lists_are_read_with_empty_elements_and_white_space(origin: Origin) -> None:
    path = origin.tagged('"a"')
    for value in WELL_FORMED:
        assert origin.ask("GET", path, ("If-None-Match", value)).status == 304, value
    for value in ('"b"', '"A"', '"b", "c"', '""', '"a "'.replace(" ", "_"), '"a,"'):
        assert origin.ask("GET", path, ("If-None-Match", value)).status == 200, value


@row(35, section="8.8.3", needs="tagged")
def a_comma_within_quotes_belongs_to_the_tag(origin: Origin) -> None:
    path = origin.tagged('"a,b"')
    assert origin.ask("GET", path, ("If-None-Match", '"a,b"')).status == 304
    assert origin.ask("GET", path, ("If-None-Match", '"x", "a,b"')).status == 304
    assert origin.ask("GET", path, ("If-None-Match", '"a", "b"')).status == 200
    assert origin.put(path, ("If-Match", '"x","a,b"')).status == 204


@row(7, section="8.8.3", needs="tagged")
def the_empty_tag_is_a_tag(origin: Origin) -> None:
    path = origin.tagged('""')
    assert origin.ask("GET", path).get("etag") == '""'
    assert origin.ask("GET", path, ("If-None-Match", '""')).status == 304
    assert origin.put(path, ("If-Match", '""')).status == 204
    assert origin.put(path, ("If-Match", '"a"')).status == 412


@row(7, 9, section="8.8.3", needs="tagged")
def a_backslash_is_no_escape(origin: Origin) -> None:
    path = origin.tagged('"a\\"')
    assert origin.ask("GET", path, ("If-None-Match", '"a\\"')).status == 304
    assert origin.ask("GET", path, ("If-None-Match", '"a\\", "b"')).status == 304
    assert origin.ask("GET", path, ("If-None-Match", '"a"')).status == 200


@row(8, section="8.8.3", needs="tagged")
def the_mark_of_weakness_is_a_capital(origin: Origin) -> None:
    path = origin.tagged('W/"a"')
    assert origin.ask("GET", path, ("If-None-Match", 'W/"a"')).status == 304
    assert origin.ask("GET", path, ("If-None-Match", 'w/"a"')).status in {200, 304}
    strong = origin.tagged('"a"')
    assert origin.put(strong, ("If-Match", 'w/"a"')).status in {400, 412}


@row(34, 7, section="5.5", needs="tagged raw")
def octets_beyond_ascii_are_data(origin: Origin) -> None:
    for tag in ('"caf\xe9"', '"\x80\xff"', '"\xc3\xa9"'):
        path = origin.tagged(tag)
        assert origin.ask("GET", path).get("etag") == tag
        assert origin.ask("GET", path, ("If-None-Match", tag)).status == 304, tag
        assert origin.put(path, ("If-Match", tag)).status == 204, tag
        assert origin.put(path, ("If-Match", '"caf"')).status == 412
    # The same letter in another encoding is another tag.
    assert origin.ask("GET", origin.tagged('"\xe9"'), ("If-None-Match", '"\xc3\xa9"')).status == 200


@row(31, section="5.3", needs="raw")
def several_lines_are_one_list(origin: Origin) -> None:
    path = origin.fresh()
    tag = origin.tag(path)
    lines = (("If-None-Match", '"x"'), ("if-none-match", tag), ("IF-NONE-MATCH", '"y"'))
    for order in itertools.permutations(lines):
        assert origin.ask("GET", path, *order).status == 304
        guards = [(name.lower().replace("none-", ""), value) for name, value in order]
        assert origin.ask("GET", path, *guards).status == 200
    assert origin.put(path, ("If-Match", '"x"'), ("If-Match", tag)).status in {
        200,
        204,
    }


@row(31, 37, 38, section="13.1.1", needs="raw")
def a_star_among_members_is_malformed(origin: Origin) -> None:
    path = origin.fresh()
    tag = origin.tag(path)
    for lines in (
        (("If-Match", f"*, {tag}"),),
        (("If-Match", "*, *"),),
        (("If-Match", "*"), ("If-Match", '"x"')),
        (("If-Match", "*"), ("If-Match", "*")),
    ):
        assert origin.put(path, *lines, content=b'{"bad": 1}').status in {400, 412}, lines
    assert origin.tag(path) == tag


@row(33, section="5.1", needs="raw")
def names_of_fields_are_read_in_any_letter_case(origin: Origin) -> None:
    path = origin.fresh()
    tag = origin.tag(path)
    for name in ("if-none-match", "IF-NONE-MATCH", "If-none-MATCH"):
        assert origin.ask("GET", path, (name, tag)).status == 304
    assert origin.put(path, ("IF-MATCH", '"x"')).status == 412


@row(36, section="8.8.3")
def a_quoted_star_is_a_tag(origin: Origin) -> None:
    path = origin.fresh()
    tag = origin.tag(path)
    assert origin.put(path, ("If-Match", '"*"')).status == 412
    assert origin.ask("GET", path, ("If-None-Match", '"*"')).status == 200
    assert origin.tag(path) == tag


MALFORMED = (
    "abc",
    '"abc',
    'abc"',
    '""abc""',
    '"a" "b"',
    "'abc'",
    '"a"; q=1',
    "W/abc",
    '"a\x7f"',
    '"a b"',
    '"a"b"',
)


@row(38, section="13.1.1")
def a_malformed_if_match_never_lets_a_write_pass(origin: Origin) -> None:
    path = origin.fresh()
    tag = origin.tag(path)
    bare = tag.strip('"')
    for value in (
        *MALFORMED,
        bare,
        f'"{tag}"',
        f"'{bare}'",
        f"{tag} {tag}",
        f'\\"{bare}\\"',
        f"&quot;{bare}&quot;",
    ):
        answer = origin.put(path, ("If-Match", value), content=b'{"bad": 1}')
        assert answer.status in {400, 412}, value
        answer = origin.ask("DELETE", path, ("If-Match", value))
        assert answer.status in {400, 405, 412}, value
    assert origin.tag(path) == tag


@row(38, section="13.1.1")
def an_empty_if_match_never_lets_a_write_pass(origin: Origin) -> None:
    path = origin.fresh()
    tag = origin.tag(path)
    for value in ("", ",", " , ,"):
        assert origin.put(path, ("If-Match", value), content=b'{"bad": 1}').status in {400, 412}
    assert origin.tag(path) == tag


@row(39, section="13.1.2")
def a_malformed_if_none_match_gives_the_content(origin: Origin) -> None:
    path = origin.fresh()
    for value in MALFORMED:
        assert origin.ask("GET", path, ("If-None-Match", value)).status in {200, 400}, value


@row(40, section="5.4", needs="raw")
def a_field_that_is_too_large_is_refused_not_ignored(origin: Origin) -> None:
    path = origin.fresh()
    tag = origin.tag(path)
    large = ", ".join(f'"{number:060d}"' for number in range(3000))
    with contextlib.suppress(ConnectionError), origin.connect() as connection:
        with contextlib.suppress(ConnectionError):
            connection.send(
                message("PUT", path, connection.host, JSON, ("If-Match", large), content=b'{"bad": 1}')
            )
        assert 400 <= connection.answer("PUT").status < 500
    assert origin.tag(path) == tag


@row(31, section="5.3")
def a_long_list_is_read_to_its_end(origin: Origin) -> None:
    path = origin.fresh()
    tag = origin.tag(path)
    many = ", ".join([*(f'"{number}"' for number in range(600)), tag])
    assert origin.ask("GET", path, ("If-None-Match", many)).status == 304
    assert origin.put(path, ("If-Match", many)).status in {200, 204}


@row(41, section="5.5", needs="raw")
def nul_and_bare_cr_in_a_value_are_not_passed_on(origin: Origin) -> None:
    path = origin.fresh()
    tag = origin.tag(path)
    for octet in (b"\0", b"\r"):
        with origin.connect() as connection:
            octets = message("PUT", path, connection.host, JSON, ("If-Match", "MARK"), content=b'{"bad": 1}')
            connection.send(octets.replace(b"MARK", b'"a' + octet + b'b"'))
            assert connection.answer("PUT").status in {400, 412}
    assert origin.tag(path) == tag


@row(41, section="5.5", needs="tagged")
def a_tag_that_no_field_can_hold_is_refused(origin: Origin) -> None:
    for octet in ("%0D", "%0A", "%00"):
        assert origin.ask("GET", f"{origin.base}-tagged?etag=%22a{octet}b%22").status == 400


# The two old forms of dates and the new one, all of the same moment.
FORMS = ("Tue, 01 Jul 2025 10:00:00 GMT", "Tuesday, 01-Jul-25 10:00:00 GMT", "Tue Jul  1 10:00:00 2025")


@row(42, section="5.6.7", needs="dated")
def all_three_forms_of_dates_are_read(origin: Origin) -> None:
    path = f"{origin.base}-dated"
    for form in FORMS:
        assert origin.ask("GET", path, ("If-Modified-Since", form)).status == 304, form
        assert origin.put(path, ("If-Unmodified-Since", form)).status == 204, form
    earlier = ("Tue, 01 Jul 2025 09:59:59 GMT", "Tuesday, 01-Jul-25 09:59:59 GMT", "Tue Jul  1 09:59:59 2025")
    for form in earlier:
        assert origin.ask("GET", path, ("If-Modified-Since", form)).status == 200, form
        assert origin.put(path, ("If-Unmodified-Since", form)).status == 412, form


@row(44, section="5.6.7", needs="dated")
def two_digit_years_are_read_by_the_rule_of_fifty_years(origin: Origin) -> None:
    path = f"{origin.base}-dated"
    now = datetime.now(UTC)
    ahead = datetime(now.year + 49, 1, 6, tzinfo=UTC)
    past = datetime(now.year + 51, 1, 6, tzinfo=UTC)
    said = [date.strftime("%A, %d-%b-%y 00:00:00 GMT") for date in (ahead, past)]
    # 49 years ahead is the future, so "not modified since" holds; 51 ahead is 49 ago, so it does not.
    assert origin.ask("GET", path, ("If-Modified-Since", said[0])).status == 304
    assert origin.ask("GET", path, ("If-Modified-Since", said[1])).status == 200


@row(46, section="5.3", needs="raw")
def nothing_happens_before_the_header_section_is_whole(origin: Origin) -> None:
    path = origin.fresh(b"whole")
    with origin.connect() as connection:
        connection.send(f"DELETE {path} HTTP/1.1\r\nHost: {connection.host}\r\n".encode())
        assert origin.holds(path, b"whole")
        connection.end_of_sending()
        connection.is_closed()
    assert origin.holds(path, b"whole")


@row(46, section="9.3.4", needs="raw")
def content_that_is_cut_is_not_stored(origin: Origin) -> None:
    path = origin.fresh(b"whole")
    with origin.connect() as connection:
        octets = message(
            "PUT", path, connection.host, ("Content-Type", "text/plain"), content=b"cut off here"
        )
        connection.send(octets[:-4])
        connection.end_of_sending()
        connection.is_closed()
    assert origin.holds(path, b"whole")


# --- evaluation


@row(47, 48, 50, section="13.1.1")
def if_match_lets_the_current_tag_pass_and_no_other(origin: Origin) -> None:
    path = origin.fresh()
    first = origin.tag(path)
    assert origin.put(path, ("If-Match", first), content=b'{"n": 1}').status in {200, 204}
    answer = origin.put(path, ("If-Match", first), content=b'{"n": 2}')
    assert answer.status == 412
    assert origin.holds(path, b'{"n": 1}')
    assert origin.ask("GET", path, ("If-Match", first)).status == 412
    assert origin.ask("HEAD", path, ("If-Match", first)).status == 412
    assert origin.ask("GET", path, ("If-Match", origin.tag(path))).status == 200


@row(47, 50, section="13.1.1", needs="delete")
def if_match_guards_delete(origin: Origin) -> None:
    path = origin.fresh()
    tag = origin.tag(path)
    assert origin.ask("DELETE", path, ("If-Match", '"x"')).status == 412
    assert origin.ask("GET", path).status == 200
    assert origin.ask("DELETE", path, ("If-Match", tag)).status in {200, 204}
    assert origin.ask("GET", path).status == 404


@row(48, 18, section="8.8.3.2", needs="tagged")
def if_match_compares_strongly(origin: Origin) -> None:
    strong, weak = origin.tagged('"a"'), origin.tagged('W/"a"')
    assert origin.put(strong, ("If-Match", '"a"')).status == 204
    for path, value in ((strong, 'W/"a"'), (weak, 'W/"a"'), (weak, '"a"')):
        assert origin.put(path, ("If-Match", value)).status == 412, (path, value)
        assert origin.ask("GET", path, ("If-Match", value)).status == 412


@row(49, section="13.1.1", needs="dated")
def a_star_asks_for_existence_and_not_for_a_tag(origin: Origin) -> None:
    assert origin.put(f"{origin.base}-dated", ("If-Match", "*")).status == 204
    assert origin.ask("GET", f"{origin.base}-dated", ("If-Match", "*")).status == 200
    path = origin.missing()
    assert origin.put(path, ("If-Match", "*")).status == 412
    assert origin.ask("GET", path).status == 404


@row(47, section="13.1.1")
def if_match_never_creates(origin: Origin) -> None:
    path = origin.missing()
    for value in ('"a"', 'W/"a"', '"a", "b"'):
        assert origin.put(path, ("If-Match", value)).status == 412
    assert origin.ask("GET", path).status == 404


@row(53, 55, 56, section="13.1.2")
def if_none_match_star_creates_once(origin: Origin) -> None:
    path = origin.missing()
    guard = ("If-None-Match", "*")
    assert origin.put(path, guard, content=b'{"n": 1}').status == 201
    assert origin.put(path, guard, content=b'{"n": 2}').status == 412
    assert origin.holds(path, b'{"n": 1}')
    assert origin.ask("GET", path, guard).status == 304
    assert origin.ask("HEAD", path, guard).status == 304


@row(54, 19, section="13.1.2", needs="tagged")
def if_none_match_compares_weakly_on_every_method(origin: Origin) -> None:
    for tag, value in itertools.product(('"a"', 'W/"a"'), repeat=2):
        path = origin.tagged(tag)
        for method in ("GET", "HEAD"):
            assert origin.ask(method, path, ("If-None-Match", value)).status == 304, (tag, value)
        assert origin.put(path, ("If-None-Match", value)).status == 412
    assert origin.put(origin.tagged('"a"'), ("If-None-Match", '"b"')).status == 204


@row(58, 59, 77, section="13.2.2", needs="dates")
def a_tag_field_switches_its_date_field_off(origin: Origin) -> None:
    path = origin.fresh()
    tag = origin.tag(path)
    old, future = "Tue, 01 Jul 2025 10:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
    assert origin.ask("GET", path, ("If-None-Match", '"x"'), ("If-Modified-Since", future)).status == 200
    assert origin.ask("GET", path, ("If-None-Match", tag), ("If-Modified-Since", old)).status == 304
    assert origin.ask("GET", path, ("If-None-Match", "garbage"), ("If-Modified-Since", future)).status in {
        200,
        400,
    }
    assert origin.ask("GET", path, ("If-Match", tag), ("If-Unmodified-Since", old)).status == 200
    assert origin.ask("GET", path, ("If-Match", '"x"'), ("If-Unmodified-Since", future)).status == 412
    content = b'{"n": 5}'
    guards = (("If-Match", tag), ("If-Unmodified-Since", old))
    assert origin.put(path, *guards, content=content).status in {200, 204}


@row(59, section="13.1.3", needs="dated")
def if_modified_since_is_ignored_when_it_is_no_date(origin: Origin) -> None:
    path = f"{origin.base}-dated"
    for value in ("yesterday", "2030-01-01T00:00:00Z", "0", "", f"{FORMS[0]}, {FORMS[0]}", FORMS[0] + " "):
        expected = 304 if value.strip() in FORMS else 200
        assert origin.ask("GET", path, ("If-Modified-Since", value)).status == expected, value
    lines = [("If-Modified-Since", FORMS[0])] * 2
    assert origin.ask("GET", path, *lines).status == 200


@row(59, section="13.1.3", needs="dated")
def if_modified_since_says_nothing_to_a_write(origin: Origin) -> None:
    path = f"{origin.base}-dated"
    for date in (FORMS[0], "Tue, 01 Jul 2025 09:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"):
        assert origin.put(path, ("If-Modified-Since", date)).status == 204


@row(60, 65, section="13.1.4", needs="tagged")
def dates_are_ignored_without_a_modification_date(origin: Origin) -> None:
    path = origin.tagged('"a"')
    for date in (FORMS[0], "Fri, 01 Jan 2100 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"):
        assert origin.ask("GET", path, ("If-Modified-Since", date)).status == 200
        assert origin.ask("GET", path, ("If-Unmodified-Since", date)).status == 200
        assert origin.put(path, ("If-Unmodified-Since", date)).status == 204


@row(62, section="13.1.3", needs="dated")
def if_modified_since_compares_in_order_and_takes_the_future(origin: Origin) -> None:
    path = f"{origin.base}-dated"
    for date, status in (
        ("Tue, 01 Jul 2025 09:59:59 GMT", 200),
        ("Tue, 01 Jul 2025 10:00:00 GMT", 304),
        ("Tue, 01 Jul 2025 10:00:01 GMT", 304),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 304),
    ):
        for method in ("GET", "HEAD"):
            assert origin.ask(method, path, ("If-Modified-Since", date)).status == status, date


@row(64, 66, section="13.1.4", needs="dated")
def if_unmodified_since_refuses_what_is_newer_and_ignores_what_is_no_date(origin: Origin) -> None:
    path = f"{origin.base}-dated"
    for date, status in (
        ("Tue, 01 Jul 2025 09:59:59 GMT", 412),
        ("Tue, 01 Jul 2025 10:00:00 GMT", 204),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 204),
        ("2025-07-01T09:00:00Z", 204),
        ("Tue, 01 Jul 2025 09:00:00 UTC", 204),
        ("Tue, 01 Jul 2025 09:00:00 GMT, Tue, 01 Jul 2025 09:00:00 GMT", 204),
        ("", 204),
    ):
        assert origin.put(path, ("If-Unmodified-Since", date)).status == status, date
        assert origin.ask("GET", path, ("If-Unmodified-Since", date)).status == (
            412 if status == 412 else 200
        )


@row(66, section="13.1.4", needs="dates")
def if_unmodified_since_guards_a_write(origin: Origin) -> None:
    path = origin.fresh(b"kept")
    old = ("If-Unmodified-Since", "Tue, 01 Jul 2025 10:00:00 GMT")
    assert origin.put(path, old).status == 412
    assert origin.holds(path, b"kept")
    served = origin.ask("GET", path).get("last-modified") or ""
    assert origin.put(path, ("If-Unmodified-Since", served)).status in {200, 204}


@row(77, section="13.2.2")
def both_tag_fields_have_to_hold(origin: Origin) -> None:
    path = origin.fresh()
    tag = origin.tag(path)
    assert origin.ask("GET", path, ("If-Match", tag), ("If-None-Match", tag)).status == 304
    assert origin.ask("GET", path, ("If-Match", '"x"'), ("If-None-Match", tag)).status == 412
    assert origin.put(path, ("If-Match", tag), ("If-None-Match", tag)).status == 412
    both = (("If-Match", tag), ("If-None-Match", '"x"'))
    assert origin.put(path, *both).status in {200, 204}


# --- ranges


@row(68, 71, section="14.2", needs="range")
def range_is_for_get_and_for_bytes(origin: Origin) -> None:
    path = origin.fresh(b"0123456789")
    tag = origin.tag(path)
    assert origin.ask("GET", path, ("Range", "bytes=2-4")).content == b"234"
    assert origin.ask("HEAD", path, ("Range", "bytes=2-4")).status == 200
    for value in ("lines=1-2", "bytes", "bytes=4-2", "bytes=a-b", "bytes=-", "bytes=", "2-4"):
        assert origin.ask("GET", path, ("Range", value)).status in {200, 416}, value
    assert origin.ask("GET", path, ("If-Range", tag)).status == 200
    put = origin.ask("PUT", path, ("Range", "bytes=0-1"), ("If-Range", '"x"'), content=b"0123456789")
    assert put.status in {200, 204}


@row(83, section="15.3.7", needs="range")
def a_206_carries_what_the_200_would(origin: Origin) -> None:
    path = origin.fresh(b"0123456789")
    whole = origin.ask("GET", path)
    for value, content, where in (
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=8-", b"89", "bytes 8-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=5-99", b"56789", "bytes 5-9/10"),
        ("bytes=-99", b"0123456789", "bytes 0-9/10"),
        ("Bytes=1-1", b"1", "bytes 1-1/10"),
    ):
        part = origin.ask("GET", path, ("Range", value))
        assert (part.status, part.content, part.get("content-range")) == (206, content, where)
        for name in ("etag", "cache-control", "content-location", "vary", "expires"):
            assert part.get(name) == whole.get(name), name
        assert part.get("date") is not None


@row(83, section="15.3.7", needs="range")
def a_206_says_how_to_read_its_content(origin: Origin) -> None:
    path = origin.fresh(b'{"text": "0123456789"}')
    for lines in ((), (("Accept-Encoding", "gzip"),)):
        whole = origin.ask("GET", path, *lines)
        part = origin.ask("GET", path, ("Range", "bytes=3-9"), *lines)
        assert part.content == whole.content[3:10]
        for name in ("content-type", "content-encoding", "content-language", "last-modified", "etag"):
            assert part.get(name) == whole.get(name), name


@row(84, section="15.3.7", needs="range")
def a_206_to_if_range_says_no_more_than_it_has_to(origin: Origin) -> None:
    path = origin.fresh(b"0123456789")
    whole = origin.ask("GET", path)
    part = origin.ask("GET", path, ("Range", "bytes=3-5"), ("If-Range", whole.get("etag") or ""))
    assert (part.status, part.content) == (206, b"345")
    for name in ("etag", "cache-control", "content-location", "vary", "expires"):
        assert part.get(name) == whole.get(name), name
    for name in ("content-type", "content-language", "last-modified"):
        assert part.get(name) is None, name


@row(83, section="14.6", needs="range")
def several_ranges_come_as_parts(origin: Origin) -> None:
    path = origin.fresh(b"0123456789")
    answer = origin.ask("GET", path, ("Range", "bytes=0-1, 4-5"))
    assert answer.status == 206
    kind = answer.get("content-type") or ""
    assert kind.startswith("multipart/byteranges; boundary=")
    assert answer.get("content-range") is None
    boundary = kind.split("boundary=")[1].encode()
    parts = answer.content.split(b"--" + boundary)[1:-1]
    assert [part.split(b"\r\n\r\n")[1].strip(b"\r\n") for part in parts] == [b"01", b"45"]
    assert b"bytes 4-5/10" in parts[1]


@row(71, section="15.5.17", needs="range")
def a_range_beyond_the_end_is_416_with_the_length(origin: Origin) -> None:
    path = origin.fresh(b"0123456789")
    answer = origin.ask("GET", path, ("Range", "bytes=10-"))
    assert answer.status == 416
    assert answer.get("content-range") == "bytes */10"


@row(69, 70, section="13.1.5", needs="range")
def if_range_with_a_tag_compares_strongly(origin: Origin) -> None:
    path = origin.fresh(b"0123456789")
    tag = origin.tag(path)
    part = ("Range", "bytes=0-3")
    assert origin.ask("GET", path, part, ("If-Range", tag)).status == 206
    for value in ('"x"', f"W/{tag}", "garbage", f'{tag}, "x"', "*"):
        answer = origin.ask("GET", path, part, ("If-Range", value))
        assert (answer.status, answer.content) == (200, b"0123456789"), value
    # False: the whole content, and no 416 either.
    assert origin.ask("GET", path, ("Range", "bytes=99-"), ("If-Range", '"x"')).status == 200


@row(69, section="13.1.5", needs="range tagged")
def if_range_with_a_weak_tag_never_holds(origin: Origin) -> None:
    path = origin.tagged('W/"a"')
    for value in ('W/"a"', '"a"'):
        assert origin.ask("GET", path, ("Range", "bytes=0-3"), ("If-Range", value)).status == 200


@row(69, section="13.1.5", needs="range dated")
def if_range_with_a_date_wants_the_exact_one(origin: Origin) -> None:
    path = f"{origin.base}-dated"
    part = ("Range", "bytes=0-3")
    assert origin.ask("GET", path, part, ("If-Range", FORMS[0])).status == 206
    for value in (
        "Tue, 01 Jul 2025 10:00:01 GMT",
        "Tue, 01 Jul 2025 09:59:59 GMT",
        "Fri, 01 Jan 2100 00:00:00 GMT",
    ):
        assert origin.ask("GET", path, part, ("If-Range", value)).status == 200, value


@row(69, 5, section="8.8.2.2", needs="range dates")
def if_range_with_the_date_of_a_young_state_does_not_hold(origin: Origin) -> None:
    path = origin.fresh(b"0123456789")
    date = origin.ask("GET", path).get("last-modified") or ""
    assert origin.ask("GET", path, ("Range", "bytes=0-3"), ("If-Range", date)).status == 200


@row(72, section="14.2", needs="range")
def conditions_come_before_ranges(origin: Origin) -> None:
    path = origin.fresh(b"0123456789")
    tag = origin.tag(path)
    part = ("Range", "bytes=0-3")
    assert origin.ask("GET", path, part, ("If-None-Match", tag)).status == 304
    assert origin.ask("GET", path, part, ("If-Match", '"x"')).status == 412
    assert origin.ask("GET", path, part, ("If-Match", tag)).status == 206


# --- what ignores conditions


@row(74, section="13.2.1", needs="forbidden moved")
def conditions_are_ignored_where_the_answer_is_no_success(origin: Origin) -> None:
    for lines in ((("If-Match", '"x"'),), (("If-None-Match", "*"),), (("If-Unmodified-Since", FORMS[0]),)):
        for method in ("GET", "HEAD", "PUT", "DELETE"):
            content = b"{}" if method == "PUT" else None
            assert origin.ask(method, f"{origin.base}-forbidden", *lines, content=content).status == 403
            moved = origin.ask(method, f"{origin.base}-moved", *lines, content=content)
            assert moved.status == 302
            assert moved.get("location") is not None


@row(74, section="13.2.1")
def conditions_are_ignored_where_nothing_is_there(origin: Origin) -> None:
    path = origin.missing()
    for lines in ((("If-Match", '"x"'),), (("If-Match", "*"),), (("If-None-Match", '"x"'),)):
        for method in ("GET", "HEAD", "DELETE"):
            assert origin.ask(method, path, *lines).status in {404, 405}, (method, lines)


@row(74, section="13.2.1")
def conditions_are_ignored_with_a_method_that_is_not_allowed(origin: Origin) -> None:
    path = origin.fresh()
    for method in ("POST", "BREW"):
        answer = origin.ask(method, path, ("If-Match", '"x"'), content=b"{}")
        assert answer.status in {405, 501}, method
        assert "PUT" in (answer.get("allow") or "PUT")


@row(74, section="13.2.1", needs="patch")
def conditions_are_ignored_with_a_patch_of_unknown_type(origin: Origin) -> None:
    path = origin.fresh()
    answer = origin.ask("PATCH", path, ("Content-Type", "text/plain"), ("If-Match", '"x"'), content=b"x")
    assert answer.status == 415
    assert "application/merge-patch+json" in (answer.get("accept-patch") or "")


@row(75, section="13.2.1")
def conditions_are_ignored_with_options(origin: Origin) -> None:
    path = origin.fresh()
    for lines in ((("If-Match", '"x"'),), (("If-None-Match", "*"),)):
        assert origin.ask("OPTIONS", path, *lines).status in {200, 204}


# --- answers


@row(78, 79, 80, 81, section="15.4.5", needs="raw")
def a_304_carries_what_the_200_would_and_no_content(origin: Origin) -> None:
    path = origin.fresh()
    with origin.connect() as connection:
        whole = connection.ask("GET", path)
        answer = connection.ask("GET", path, ("If-None-Match", whole.get("etag") or ""))
        assert answer.status == 304
        for name in ("content-location", "etag", "vary", "cache-control", "expires"):
            assert answer.get(name) == whole.get(name), name
        assert answer.get("date") is not None
        for name in ("content-type", "content-encoding", "content-language", "content-range"):
            assert answer.get(name) is None, name
        assert answer.get("transfer-encoding") is None
        assert answer.get("content-length") in {None, str(len(whole.content))}
        # The next answer begins right behind the fields: no octet of content came.
        assert connection.ask("GET", path).content == whole.content


@row(78, section="15.4.5", needs="dated")
def a_304_without_a_tag_carries_the_date(origin: Origin) -> None:
    answer = origin.ask("GET", f"{origin.base}-dated", ("If-Modified-Since", FORMS[0]))
    assert answer.get("last-modified") == FORMS[0]


@row(82, section="9112 9.3", needs="raw")
def the_connection_stays_in_step_after_412(origin: Origin) -> None:
    path = origin.fresh(b"kept")
    large = b"x" * 300_000
    with origin.connect() as connection:
        for content in (b"{}", large):
            connection.send(
                message("PUT", path, connection.host, ("If-Match", '"x"'), content=content)
                + message("GET", path, connection.host)
            )
            first = connection.answer("PUT")
            assert first.status == 412
            if (first.get("connection") or "").lower() == "close":
                assert connection.is_closed()
                return
            second = connection.answer("GET")
            assert (second.status, second.content) == (200, b"kept")


@row(82, section="9112 9.3", needs="raw")
def the_connection_stays_in_step_with_chunked_content(origin: Origin) -> None:
    path = origin.fresh(b"kept")
    with origin.connect() as connection:
        chunked = ("Transfer-Encoding", "chunked")
        octets = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
        refused = message("PUT", path, connection.host, chunked, ("If-Match", '"x"'), content=octets)
        connection.send(refused + message("PUT", path, connection.host, chunked, content=octets))
        first = connection.answer("PUT")
        assert first.status == 412
        if (first.get("connection") or "").lower() == "close":
            return
        assert connection.answer("PUT").status in {200, 204}
    assert origin.holds(path, b"hello world")


@row(85, section="10.1.1", needs="early")
def a_false_condition_is_answered_before_the_content_is_asked_for(origin: Origin) -> None:
    path = origin.fresh(b"kept")
    with origin.connect() as connection:
        expect = (("Expect", "100-continue"), ("Content-Length", "1000000"))
        connection.send(message("PUT", path, connection.host, ("If-Match", '"x"'), *expect))
        answer = connection.any_answer("PUT")
        assert answer.status == 412
        assert (answer.get("connection") or "").lower() == "close"
        assert connection.is_closed()
    with origin.connect() as connection:
        expect = (("Expect", "100-continue"), ("Content-Length", "3"))
        connection.send(message("PUT", path, connection.host, ("If-Match", origin.tag(path)), *expect))
        assert connection.any_answer("PUT").status == 100
        connection.send(b"new")
        assert connection.answer("PUT").status in {200, 204}
    assert origin.holds(path, b"new")


@row(88, section="5789 2.2", needs="patch")
def a_patch_that_does_not_fit_is_409_without_a_condition(origin: Origin) -> None:
    path = origin.fresh(b'{"n": 1}')
    kind = ("Content-Type", "application/json-patch+json")
    failing = b'[{"op": "test", "path": "/n", "value": 2}, {"op": "replace", "path": "/n", "value": 3}]'
    assert origin.ask("PATCH", path, kind, content=failing).status == 409
    assert origin.holds(path, b'{"n": 1}')
    assert origin.ask("PATCH", path, kind, content=failing.replace(b"2", b"1", 1)).status in {200, 204}
    assert json.loads(origin.ask("GET", path).content) == {"n": 3}


@row(89, section="5789 2", needs="patch")
def patch_is_guarded_by_if_match(origin: Origin) -> None:
    path = origin.fresh(b'{"n": 1, "m": 1}')
    tag = origin.tag(path)
    kind = ("Content-Type", "application/merge-patch+json")
    assert origin.ask("PATCH", path, kind, ("If-Match", '"x"'), content=b'{"n": 2}').status == 412
    answer = origin.ask("PATCH", path, kind, ("If-Match", tag), content=b'{"n": 2, "m": null}')
    assert answer.status in {200, 204}
    assert json.loads(origin.ask("GET", path).content) == {"n": 2}
    assert origin.ask("PATCH", path, kind, ("If-Match", tag), content=b'{"n": 3}').status == 412
    assert origin.ask("PATCH", origin.missing(), kind, content=b'{"n": 3}').status == 404


@row(90, section="8144 3.2", needs="prefer")
def a_412_carries_the_current_state_for_who_prefers_it(origin: Origin) -> None:
    path = origin.fresh(b'{"n": 1}')
    wish = ("Prefer", "return=representation")
    answer = origin.put(path, ("If-Match", '"x"'), wish, content=b'{"n": 2}')
    assert (answer.status, answer.content) == (412, b'{"n": 1}')
    assert answer.get("preference-applied") == "return=representation"
    assert answer.get("etag") == origin.tag(path)
    assert answer.get("content-location") == path
    assert answer.get("content-type") == "application/json"


@row(91, section="7240 4.2", needs="prefer")
def a_write_carries_the_new_state_for_who_prefers_it(origin: Origin) -> None:
    path = origin.missing()
    for status, content in ((201, b'{"n": 1}'), (200, b'{"n": 2}')):
        answer = origin.put(path, ("Prefer", "return=representation"), content=content)
        assert (answer.status, answer.content) == (status, content)
        assert answer.get("preference-applied") == "return=representation"
        assert answer.get("etag") == origin.tag(path)
    answer = origin.put(path, ("Prefer", "return=minimal"), content=b'{"n": 3}')
    assert (answer.status, answer.content) == (204, b"")


@row(92, section="9457", needs="problem")
def a_412_says_which_condition_failed_and_what_to_do(origin: Origin) -> None:
    path = origin.fresh()
    answer = origin.put(path, ("If-Match", '"outdated"'))
    assert answer.get("content-type") == "application/problem+json"
    document = json.loads(answer.content)
    assert {"type", "title", "status", "detail", "instance"} <= set(document)
    assert document["status"] == 412
    assert document["instance"] == path
    said = json.dumps(document)
    assert "If-Match" in said
    assert "outdated" in said
    assert answer.get("etag") == origin.tag(path)


@row(92, section="9457", needs="problem")
def a_400_says_what_is_malformed(origin: Origin) -> None:
    path = origin.fresh()
    tag = origin.tag(path)
    answer = origin.put(path, ("If-Match", tag.strip('"')))
    assert answer.status == 400
    assert "quote" in json.loads(answer.content)["detail"]


@row(20, section="Fetch Standard", needs="cors")
def pages_of_other_origins_can_read_the_tag_and_send_conditions(origin: Origin) -> None:
    path = origin.fresh()
    page = ("Origin", "https://app.example")
    for answer in (
        origin.ask("GET", path, page),
        origin.ask("GET", path, page, ("If-None-Match", "*")),
        origin.ask("PUT", path, page, JSON, ("If-Match", '"x"'), content=b"{}"),
        origin.ask("GET", f"{origin.base}-forbidden", page),
    ):
        assert answer.get("access-control-allow-origin") in {"*", page[1]}
        assert "etag" in (answer.get("access-control-expose-headers") or "").lower()
    asked = (
        ("Access-Control-Request-Method", "PUT"),
        ("Access-Control-Request-Headers", "content-type, if-match"),
    )
    answer = origin.ask("OPTIONS", path, page, *asked)
    assert answer.status in {200, 204}
    assert "if-match" in (answer.get("access-control-allow-headers") or "").lower()
    assert "PUT" in (answer.get("access-control-allow-methods") or "")


def one_of_each(origin: Origin, count: int) -> Iterator[Connection]:
    for _ in range(count):
        yield origin.connect()


@row(47, 50, section="13.2.1", needs="raw")
def of_many_writes_with_one_tag_one_passes(origin: Origin) -> None:
    path = origin.fresh()
    tag = origin.tag(path)
    connections = list(one_of_each(origin, 8))
    try:
        # All but the last octet first, so that the writes meet in the server.
        requests = [
            message("PUT", path, one.host, JSON, ("If-Match", tag), content=b'{"winner": %d}' % number)
            for number, one in enumerate(connections)
        ]
        for one, octets in zip(connections, requests, strict=True):
            one.send(octets[:-1])
        for one, octets in zip(connections, requests, strict=True):
            one.send(octets[-1:])
        statuses = sorted(one.answer("PUT").status for one in connections)
    finally:
        for one in connections:
            one.__exit__()
    assert statuses[0] in {200, 204}
    assert statuses[1:] == [412] * 7


@row(53, 55, section="13.2.1", needs="raw")
def of_many_creations_one_passes(origin: Origin) -> None:
    path = origin.missing()
    connections = list(one_of_each(origin, 8))
    try:
        for number, one in enumerate(connections):
            guard = ("If-None-Match", "*")
            one.send(message("PUT", path, one.host, JSON, guard, content=b'{"winner": %d}' % number))
        statuses = sorted(one.answer("PUT").status for one in connections)
    finally:
        for one in connections:
            one.__exit__()
    assert statuses == [201, *[412] * 7]
