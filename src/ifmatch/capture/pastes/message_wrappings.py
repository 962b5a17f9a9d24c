"""Take messages out of what programs put around them before they logged or printed them.

Each notation is one that a program writes by itself: the quoted octets of Go's `%q`, of Ruby's
`set_debug_output` and of reqwest's verbose connections, the stamp of a logger before a dump of Go's httputil,
the headings of `tcpdump -A`, the marks of `wget -d`, two messages on one line as Wireshark's Follow Stream
saves them; hexadecimal dumps, and the trees of `tshark -V`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from ifmatch.capture.base.python_literals import python_text
from ifmatch.capture.pastes.dissections import DISSECTION, from_dissections
from ifmatch.capture.pastes.dissections_http2 import HTTP2_TREE, from_http2_trees
from ifmatch.capture.pastes.hex_dumps import HEX_DUMP, from_hex
from ifmatch.capture.pastes.message_notations import (
    HURL,
    KARATE,
    LWP,
    REST_ASSURED,
    from_hurl,
    from_karate,
    from_lwp,
    from_rest_assured,
)
from ifmatch.capture.pastes.request_summaries import AWS_JAVA, VARNISHTEST, from_aws_java, from_varnishtest
from ifmatch.capture.texts.pasted_lines import CUT, DROPPED, start_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    _Line: TypeAlias = tuple[int, str | None]
    Numbered: TypeAlias = list[_Line]

__all__ = ["unpacked"]

_START = r"(?:[A-Z]{3,20} \S{1,4000} HTTP/\d(?:\.\d)?|HTTP/\d(?:\.\d)? \d{3}(?: [^\"'\\]{0,100})?)"
# To the last quote of a line: those within may have lost their backslashes.
_LITERAL = re.compile(r"""b?(["']).*\1""")
# k6's log names the message first.
_QUOTED_START = re.compile(rf"""b?["'](?:(?:Request|Response):\\n)?{_START}\\r\\n""")
_NAMED = re.compile(r"(?:Request|Response):\n")
_K6 = re.compile(r"  group=\S* iter=\d+ .{0,200}\bsource=http-debug\b.{0,80}\Z")
_RUBY_CONTENT = re.compile(r"""(?:->|<-) "(?:[^"\\]|\\.)*+"\Z""")
_CHUNK = re.compile(r"[0-9a-fA-F]{1,8}\r?\n\Z")
# A stamp, a level or something in brackets ends before the message.
_STAMPED = re.compile(
    rf"([^\"'<>]{{0,200}}?(?:\d\d:\d\d:\d\d\S*|[\]:|])[ \t]+(?:[^\"'<>]{{0,120}}[\]:|][ \t]+)?)"
    rf"({_START})[ \t\r]*\Z"
)
_TCPDUMP = re.compile(r"\s{0,3}\d\d:\d\d:\d\d\.\d{6} IP6? \S+ > \S+: ")
_TCPDUMP_START = re.compile(rf"[ -~]*?(?<![A-Za-z])({_START})[ \t\r]*\Z")
_FOLLOWED = re.compile(r"Follow: https?2?,(?:ascii|utf-8)\s*\Z")
_COUNT = re.compile(r"\t?\d{1,9}\s*\Z")
_RULE = re.compile(r"={40,}\s*\Z|Filter: \S+ eq |Node [01]: ")
_WGET = re.compile(r"---(request|response) (begin|end)---\s*\Z")
_WGET_CONTENT = re.compile(r"\[BODY data: (.*)\]\s*\Z")
# Behind content without a line end: a blank or a quote before it would make it a part of the content.
_GLUED = re.compile(
    r"(.*[^\s\"'(\[`<>])"
    r"(HTTP/1\.[01] \d{3} [A-Z][A-Za-z -]{1,40}|(?<=[}\]])[A-Z]{3,10} /\S* HTTP/1\.[01])[ \t\r]*\Z"
)
_LONGEST: Final = 64 * 1024


def unpacked(lines: Sequence[str | None]) -> list[_Line]:
    """Return the lines of messages, each with the 1-based number of the line it stands in.

    Args:
        lines: of a source; None where nothing of interest stands.
    """
    numbered: Numbered = list(enumerate(lines, 1))
    # Each with what its lines hold in any case: most texts are none of these.
    steps: tuple[tuple[str, Callable[[str], object], Callable[[Numbered], Iterator[_Line]]], ...] = (
        ("0000", HEX_DUMP.match, _dumped),
        ("\\", DISSECTION.match, _dissected),
        ("Header: :", HTTP2_TREE.match, _http2_trees),
        ("\\r\\n", _QUOTED_START.search, _unquoted),
        ("Follow: http", _FOLLOWED.match, _followed),
        (" IP", _TCPDUMP.match, _packets),
        ("---", _WGET.match, _wget),
        ("http-debug", _K6.search, _without_k6_tags),
        ("://", KARATE.match, lambda numbered: from_karate(numbered, DROPPED)),
        ("* Executing", HURL.match, lambda numbered: from_hurl(numbered, DROPPED)),
        ("Request method:", REST_ASSURED.match, lambda numbered: from_rest_assured(numbered, DROPPED)),
        ("Client-", LWP.match, lambda numbered: from_lwp(numbered, DROPPED)),
        ("Headers: (", AWS_JAVA.match, lambda numbered: from_aws_java(numbered, DROPPED)),
        ("x", VARNISHTEST.match, lambda numbered: from_varnishtest(numbered, DROPPED)),
        ("HTTP/", _STAMPED.match, _unstamped),
        ("HTTP/1", _GLUED.match, _unglued),
    )
    for sign, is_one, step in steps:
        if any(line and sign in line and len(line) < _LONGEST and is_one(line) for _, line in numbered):
            numbered = list(step(numbered))
    return numbered


def _dumped(lines: Numbered) -> Iterator[_Line]:
    """Yield the messages in hexadecimal dumps, the lines themselves where no dump holds one."""
    yield from from_hex(lines, CUT) or lines


def _dissected(lines: Numbered) -> Iterator[_Line]:
    yield from from_dissections(lines, CUT) or lines


def _http2_trees(lines: Numbered) -> Iterator[_Line]:
    yield from from_http2_trees(lines, CUT) or lines


def _unquoted(lines: Numbered) -> Iterator[_Line]:
    """Yield the lines within string literals; what stands around them is the program's own."""
    open_message = False
    for number, line in lines:
        if line is None:
            yield number, None
            continue
        if not ("\\r\\n" in line or (open_message and _RUBY_CONTENT.match(line))):
            yield number, DROPPED
            continue
        begun = _QUOTED_START.search(line[:_LONGEST])
        literal = _LITERAL.search(line[:_LONGEST], begun.start() if begun is not None else 0)
        text = python_text(literal.group()) if literal is not None else ""
        if (named := _NAMED.match(text)) is not None:
            text = text[named.end() :]
        goes_on = open_message and (text.endswith("\r\n") or _RUBY_CONTENT.match(line) is not None)
        if _CHUNK.match(text) or not (
            goes_on or (begun is not None and start_line(text.partition("\r\n")[0]))
        ):
            yield number, DROPPED
            continue
        open_message = True
        cut = not text.endswith("\r\n") and "\r\n\r\n" not in text and begun is not None
        whole = text[: text.rfind("\r\n") + 2] if cut else text
        for piece in whole.removesuffix("\r\n").split("\r\n"):
            yield number, piece
        if cut:
            yield number, CUT


def _packets(lines: Numbered) -> Iterator[_Line]:
    """Yield what `tcpdump -A` shows of packets that start a message; a later packet's head is not cut off."""
    shows = False
    fresh = False
    for number, line in lines:
        if line is None or _TCPDUMP.match(line):
            shows, fresh = False, line is not None
            yield number, DROPPED if line is not None else None
        elif fresh:
            fresh = False
            found = _TCPDUMP_START.match(line)
            shows = found is not None
            yield number, found[1] if found is not None else DROPPED
        else:
            yield number, line if shows else DROPPED


def _followed(lines: Numbered) -> Iterator[_Line]:
    """Yield what `tshark -z follow,http` shows, without the counts of octets before each piece."""
    for number, line in lines:
        if line is not None and (_COUNT.match(line) or _FOLLOWED.match(line) or _RULE.match(line)):
            yield number, DROPPED
        else:
            yield number, line


def _wget(lines: Numbered) -> Iterator[_Line]:
    shows = False
    for number, line in lines:
        found = _WGET.match(line) if line is not None else None
        if found is not None:
            shows = found[2] == "begin"
            yield number, DROPPED
        elif line is not None and not shows:
            content = _WGET_CONTENT.match(line)
            yield number, content[1] if content is not None else DROPPED
        else:
            yield number, line


def _without_k6_tags(lines: Numbered) -> Iterator[_Line]:
    """Yield messages without what k6's console writes behind each: its group, iteration and request."""
    for number, line in lines:
        found = _K6.search(line[:_LONGEST]) if line and "http-debug" in line else None
        yield number, line[: found.start()] if found is not None and line is not None else line


def _unstamped(lines: Numbered) -> Iterator[_Line]:
    """Yield messages whose first line, or each line, stands behind what a logger writes before it."""
    prefix = ""
    for number, line in lines:
        found = _STAMPED.match(line) if line and "HTTP/" in line and len(line) < _LONGEST else None
        if found is not None and start_line(found[2]) is not None:
            prefix = found[1]
            yield number, found[2]
        elif prefix and line is not None and _shape(line[: len(prefix)]) == _shape(prefix):
            yield number, line[len(prefix) :]
        elif prefix and line and line.strip() and not line[: len(prefix)].strip():
            # PowerShell: `RawContent : HTTP/1.1 412 ...`, what follows stands below its beginning.
            yield number, line[len(prefix) :]
        elif prefix and line is not None and line.rstrip() == prefix.rstrip():
            yield number, ""
        else:
            yield number, line


def _shape(text: str) -> str:
    return re.sub(r"\d", "0", text)


def _unglued(lines: Numbered) -> Iterator[_Line]:
    for number, line in lines:
        found = _GLUED.match(line) if line and "HTTP/1" in line and len(line) < _LONGEST else None
        if found is not None and start_line(found[2]) is not None and start_line(line or "") is None:
            yield from ((number, found[1]), (number, found[2]))
        else:
            yield number, line
