"""Make messages of the notations in which test tools and libraries log them: Karate, REST-assured, LWP, Hurl.

Source of the notations: HttpLogger of Karate 1, LogSpecification of REST-assured 5, `dump` of HTTP::Message,
`--verbose` and `--very-verbose` of Hurl 6.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    Line: TypeAlias = tuple[int, str | None]

__all__ = [
    "HURL",
    "KARATE",
    "LWP",
    "REST_ASSURED",
    "from_hurl",
    "from_karate",
    "from_lwp",
    "from_rest_assured",
]

_METHODS = r"(?:GET|HEAD|PUT|POST|PATCH|DELETE|OPTIONS)"
KARATE: Final = re.compile(rf"\d{{1,6}} (?:> {_METHODS} https?://\S+|< \d{{3}})\s*\Z")
_KARATE_START = re.compile(rf"(\d{{1,6}}) > ({_METHODS}) (https?://\S+)\s*\Z")
_KARATE_STATUS = re.compile(r"(\d{1,6}) < (\d{3})\s*\Z")
_KARATE_LINE = re.compile(r"\d{1,6} [<>] ?(.*)\Z")
_LOGGED = re.compile(r"\s*\[?(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d[.,]\d{3}\b")
REST_ASSURED: Final = re.compile(rf"Request method:\s+{_METHODS}\s*\Z")
_NAMED = re.compile(r"(Request method|Request URI|Headers|Body):\s*(.*?)\s*\Z")
_OTHER = re.compile(
    r"(?:Proxy|Request params|Query params|Form params|Path params|Cookies|Multiparts):\s*(.*)\Z"
)
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,100})=(.*)\Z")
_STATUS = re.compile(r"HTTP/\d(?:\.\d)? \d{3}\b")
LWP: Final = re.compile(r"Client-(?:Date|Peer|Response-Num): \S")
_LWP_START = re.compile(rf"{_METHODS} https?://\S+\s*\Z")
_FIELD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}: ?\S")
_NOTHING: Final = "(no content)"
HURL: Final = re.compile(r"\* Executing entry \d{1,6}\s*\Z")
_HURL_TARGET = re.compile(rf"\* {_METHODS} (https?://[^/\s]+)\S*\s*\Z")
_HURL_BODY = re.compile(r"\* (?:Request|Response) body:\s*\Z")
_HURL_START = re.compile(rf"> ({_METHODS}) (/\S*) (HTTP/\d(?:\.\d)?)\s*\Z")


def from_karate(lines: list[Line], dropped: str) -> Iterator[Line]:
    """Yield messages whose heads stand behind a number and an arrow, with content right below them.

    Args:
        lines: with their numbers in the source.
        dropped: stands for a line that is not there.
    """
    in_head = shows = False
    for number, line in lines:
        if line is None:
            in_head = shows = False
            yield number, None
        elif (start := _KARATE_START.match(line)) is not None:
            in_head = shows = True
            yield number, f"{start[2]} {start[3]} HTTP/1.1"
        elif (status := _KARATE_STATUS.match(line)) is not None:
            in_head = shows = True
            yield number, f"HTTP/1.1 {status[2]}"
        elif in_head and (field := _KARATE_LINE.match(line)) is not None:
            yield number, field[1]
        elif _LOGGED.match(line) is not None:
            in_head = shows = False
            yield number, dropped
        elif shows:
            if in_head:
                yield number, ""
                in_head = False
            yield number, line
        else:
            yield number, dropped


def from_rest_assured(lines: list[Line], dropped: str) -> Iterator[Line]:
    """Yield messages of a log that names the parts of a request, and prints its answer as it is on the wire.

    Args:
        lines: as above.
        dropped: as above.
    """
    method = part = ""
    for number, line in lines:
        named = _NAMED.match(line) if line is not None and part != "answer" else None
        if line is not None and REST_ASSURED.match(line):
            method, part = line.partition(":")[2].strip(), "request"
            yield number, dropped
        elif line is None or not part:
            yield number, line
        elif _STATUS.match(line):
            part = "answer"
            yield number, line
        elif named is not None and named[1] == "Request URI":
            yield number, f"{method} {named[2]} HTTP/1.1"
        elif named is not None and named[1] in {"Headers", "Body"}:
            part = named[1]
            yield from _rest_assured_part(number, part, named[2], dropped)
        elif part in {"request", "Headers"} and _OTHER.match(line):
            part = "request"
            yield number, dropped
        elif part == "Headers" and (field := _HEADER.match(line.strip())) is not None:
            yield number, f"{field[1]}: {field[2]}"
        elif part == "request":
            yield number, dropped
        else:
            yield number, line


def _rest_assured_part(number: int, part: str, text: str, dropped: str) -> Iterator[Line]:
    field = _HEADER.match(text)
    if part == "Body":
        yield number, ""
        yield number, dropped if text in {"", "<none>"} else text
    else:
        yield number, f"{field[1]}: {field[2]}" if field is not None else dropped


def from_lwp(lines: list[Line], dropped: str) -> Iterator[Line]:
    """Yield messages of `dump`, whose request lines name no version and stand right behind content.

    Args:
        lines: as above.
        dropped: as above.
    """
    for index, (number, line) in enumerate(lines):
        below = lines[index + 1][1] if index + 1 < len(lines) else None
        if line is not None and _LWP_START.match(line) and below is not None and _FIELD.match(below):
            yield number, f"{line.rstrip()} HTTP/1.1"
        else:
            yield number, dropped if line == _NOTHING else line


def from_hurl(lines: list[Line], dropped: str) -> Iterator[Line]:
    """Yield messages whose heads stand as curl has them, with content behind the signs of Hurl's own words.

    Args:
        lines: as above.
        dropped: as above.
    """
    origin = ""
    in_body = False
    for number, line in lines:
        if line is None or line[:1] not in {"*", ">", "<"}:
            yield number, dropped
        elif _HURL_BODY.match(line):
            in_body = True
            yield number, dropped
        elif line[0] == "*":
            target = _HURL_TARGET.match(line)
            origin = target[1] if target is not None else origin
            in_body = in_body and line.strip() != "*" and not line.startswith("**")
            yield number, line[2:] if in_body else dropped
        else:
            in_body = False
            start = _HURL_START.match(line)
            # The origin tells the scheme.
            yield number, f"{start[1]} {origin}{start[2]} {start[3]}" if start is not None else line[2:]
