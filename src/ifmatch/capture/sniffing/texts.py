"""Tell what a source is by its first octets; say of what cannot be read what it is and what to do instead."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.magic_numbers import is_pcap
from ifmatch.capture.client_logs.hclog import is_json_record
from ifmatch.capture.client_logs.reader import looks_like_sdk_log
from ifmatch.capture.commands.curl_prompt import is_command
from ifmatch.capture.commands.request_commands import is_request_command
from ifmatch.capture.pastes.devtools_panes import looks_like_pane
from ifmatch.capture.pastes.message_wrappings import unpacked
from ifmatch.capture.server_logs.access_logs import looks_like_access_log
from ifmatch.capture.server_logs.apache_dumpio import looks_like_dumpio
from ifmatch.capture.server_logs.apache_forensic import looks_like_forensic
from ifmatch.capture.server_logs.json_logs import looks_like_json_log
from ifmatch.capture.server_logs.proxy_debug_logs import looks_like_proxy_debug_log
from ifmatch.capture.server_logs.tables import looks_like_log_table
from ifmatch.capture.server_logs.varnish_logs import looks_like_varnish_log
from ifmatch.capture.texts.log_pastes import mended
from ifmatch.capture.texts.pasted_lines import start_line, without_direction
from ifmatch.capture.texts.text_source import decode, unwrap
from ifmatch.capture.words.error_reports import looks_like_error_report
from ifmatch.capture.words.told_causes import tells_alone

if TYPE_CHECKING:
    from collections.abc import Sequence

_PREFIX = r"(?:\d\d:\d\d:\d\d\.\d{3,6} )?(?:\[[0-9x]+-[0-9x]+\] )?"
_TRACE_HEADING = re.compile(
    rf"[^\n]{{0,200}}{_PREFIX}(?:=>|<=) (?:Send|Recv) (?:header|data), \d+ bytes \(0x"
)
_TRACE_HEX = re.compile(r"[0-9a-f]{4}: (?:[0-9a-f]{2} ){3,16}")
_TRACE_INFO = re.compile(rf"{_PREFIX}== Info: ")
_INFO = re.compile(
    rf"{_PREFIX}\* (?: *Trying |Connected to |Connection #|Closing connection|Could not resolve|"
    rf"Host \S+:\d+ was |Hostname |Re-?using existing|Failed to connect|Connecting to |TLSv1|ALPN|SSL conn|"
    rf"Using HTTP2|\[HTTP/[23]\]|h2h?3? |Established connection|using HTTP/|Mark bundle|Request completely|"
    rf"We are completely|upload completely|Empty reply|Recv failure|Operation timed out|Server certificate)"
)
# What stands below a status line where a message was pasted.
_FIELD = re.compile(
    r"[\s<>|*]{0,6}(?:content-(?:type|length)|date|server|etag|location|cache-control|connection|last-modified"
    r"|vary|transfer-encoding|x-[\w-]+)\s*:",
    re.IGNORECASE,
)
_BYTES_DATA = re.compile(rf"{_PREFIX}[{{}}] \[\d+ bytes data\]")
_RECEIVED = re.compile(r"< HTTP/\d(?:\.\d)? \d{3}")
_FAILURE = re.compile(r"curl: \((?!22\))\d{1,3}\) ")
_STAMPED = re.compile(r"(?:\d\d:\d\d:\d\d\.\d{3,6} |\[[0-9x]+-[0-9x]+\] ){1,2}[<>] (?:HTTP/|[A-Z]{3,})")

_HAR_ADVICE: Final = (
    "In the browser's developer tools, Network panel, use `Save all as HAR`, and give that file"
)
_LONG_LINE: Final = 60_000
# A command in so few lines is all that was pasted.
_FEW: Final = 4
_TRACE_ADVICE: Final = "Run the request with `curl -v ... > trace.txt 2>&1` and give that file"

_MAGIC: Final = (
    (b"\x89PNG", "this is a PNG picture", "A picture cannot be read. " + _HAR_ADVICE),
    (b"\xff\xd8\xff", "this is a JPEG picture", "A picture cannot be read. " + _HAR_ADVICE),
    (b"GIF8", "this is a GIF picture", "A picture cannot be read. " + _HAR_ADVICE),
    (b"RIFF", "this is a WebP picture or a sound", "A picture cannot be read. " + _HAR_ADVICE),
    (b"%PDF", "this is a PDF document", "Copy the text out of it, or: " + _HAR_ADVICE),
    (b"\x1f\x8b", "this is gzip inside gzip", "Decompress it, and give the file inside"),
    (b"BZh", "this is bzip2-compressed", "Decompress it with `bunzip2`, and give the file inside"),
    (b"\xfd7zXZ", "this is xz-compressed", "Decompress it with `unxz`, and give the file inside"),
    (b"\x28\xb5\x2f\xfd", "this is zstd-compressed", "Decompress it with `unzstd`, and give the file inside"),
    (b"Rar!\x1a\x07", "this is a RAR archive", "Unpack it, and give the file inside"),
    (b"7z\xbc\xaf", "this is a 7-Zip archive", "Unpack it, and give the file inside"),
    (b"SQLite format 3", "this is an SQLite database", _HAR_ADVICE),
    (b"\xac\xed\x00\x05", "this is a Charles session", "In Charles use File > Export Session > HTTP Archive"),
    (b"-----BEGIN PGP", "this is an encrypted capture (PGP)", "Decrypt it, and give the file inside"),
    (b"age-encryption.org", "this is an encrypted capture (age)", "Decrypt it, and give the file inside"),
    (b"Salted__", "this is an encrypted capture (openssl enc)", "Decrypt it, and give the file inside"),
)
_HTML = re.compile(
    rb"\s*(?:<!--.{0,500}?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
# An error answer of JSON is short; longer JSON is a file of its own kind.
_JSON_ERROR_LIMIT: Final = 4096
_JSON_START = re.compile(rb"\s*(?:\{\s*(?:[\"}]|\Z)|\[\s*(?:[\"{\[\]]|-?\d+[\s,\]]|true|false|null|\Z))")
_PACKET_LIST = re.compile(r"\s*\d+\s+\d+\.\d{6,9}\s+\S+\s+(?:\u2192|->)\s+\S+\s+\S+\s+\d+\s")
_NAMELESS = re.compile(
    r"(?=[^\n]*(?:\t|\A)1\d{9}\.\d{6,9}(?:\t|\Z))(?=[^\n]*(?:\t|\A)(?:[A-Z]{3,8}|[1-5]\d\d)(?:\t|\Z))[^\t\n]*\t[^\t\n]*\t"
)
_TSHARK_ADVICE: Final = (
    "Add the names of the fields: tshark -r FILE -Y http -T fields -E header=y -e frame.time_epoch "
    "-e tcp.stream -e http.request.method -e http.request.full_uri "
    "-e http.request.line -e http.response.code -e http.response.line. Or give the packet capture itself"
)
_KEY_LOG = re.compile(
    r"(?:CLIENT_RANDOM|(?:SERVER|CLIENT)_(?:HANDSHAKE_)?TRAFFIC_SECRET\w*|EXPORTER_SECRET) [0-9a-f]{64}"
)
_COLLECTIONS: Final = (
    (b'"clientName": "Thunder Client"', "Thunder Client"),
    (b'"clientName":"Thunder Client"', "Thunder Client"),
    (b'"yaakSchema"', "Yaak"),
)
_REQUESTS_ONLY = ((re.compile(r"meta \{\Z"), "Bruno"),)
_ACCESS_LOG = re.compile(r"\S+ \S+ \S+ \[\d{2}/\w{3}/\d{4}:\d{2}:\d{2}:\d{2}")


# Each format asks in turn; the head is taken apart once.
@functools.lru_cache(maxsize=1)
def _text(head: bytes) -> str:
    cut = head
    # A head may end in the middle of a character.
    for _ in range(3):
        if cut and cut[-1] >= 0x80:
            cut = cut[:-1]
    return decode(cut)[0]


@functools.lru_cache(maxsize=1)
def _lines(head: bytes) -> Sequence[str]:
    lines, _ = unwrap(list(_text(head).split("\n")))
    return tuple(line for line in lines if line is not None)


def _told(head: bytes) -> Sequence[str]:
    """Return all lines, those around a fence too: there people say what is wrong with what is in it."""
    return tuple(_text(head).split("\n"))


@functools.lru_cache(maxsize=1)
def _log_lines(head: bytes) -> Sequence[str]:
    """Return the lines of a log, what pasting did to them undone."""
    lines, _ = mended(_lines(head))
    return tuple(lines)


def is_varnish_log(head: bytes) -> bool:
    """Tell whether varnishlog wrote this."""
    return looks_like_varnish_log(_log_lines(head))


def is_dumpio(head: bytes) -> bool:
    """Tell whether Apache's mod_dumpio wrote this."""
    return b" mod_dumpio: " in head and looks_like_dumpio(_log_lines(head))


def is_forensic(head: bytes) -> bool:
    """Tell whether Apache's mod_log_forensic wrote this."""
    return b"|" in head and looks_like_forensic(_log_lines(head))


def is_proxy_debug_log(head: bytes) -> bool:
    """Tell whether nginx, HAProxy or Envoy printed this while it was told to debug."""
    return looks_like_proxy_debug_log(_log_lines(head))


def is_trace(head: bytes) -> bool:
    """Tell whether this is a hexadecimal dump of `curl --trace`."""
    heading = False
    for line in _lines(head):
        if heading and _TRACE_HEX.match(line):
            return True
        heading = _TRACE_HEADING.match(line) is not None
    return False


def is_trace_ascii(head: bytes) -> bool:
    """Tell whether this is a dump of `curl --trace-ascii`."""
    return any(_TRACE_HEADING.match(line) or _TRACE_INFO.match(line) for line in _lines(head))


def is_verbose(head: bytes) -> bool:
    """Tell whether this is a trace of `curl -v`."""
    lines = _lines(head)
    if any(is_command(line) for line in lines) and any(_RECEIVED.match(line) for line in lines):
        return True
    return any(
        _INFO.match(line) or _BYTES_DATA.match(line) or _FAILURE.match(line) or _STAMPED.match(line)
        for line in lines
    )


def is_devtools_pane(head: bytes) -> bool:
    """Tell whether this was copied out of the headers pane of a browser's developer tools."""
    if _HTML.match(head) or head.lstrip()[:1] in {b"{", b"["}:
        return False
    return looks_like_pane(list(_lines(head)))


def is_sdk_log(head: bytes) -> bool:
    """Tell whether an HTTP client or a cloud SDK logged this."""
    if _HTML.match(head):
        return False
    # `[AxiosError: ...] {`, `{` of an object that Node printed, `[pod/x] ` are no JSON.
    if _JSON_START.match(head) and not is_json_record(_text(head).partition("\n")[0]):
        return False
    return looks_like_sdk_log(_log_lines(head))


def is_access_log(head: bytes) -> bool:
    """Tell whether this is an access log of lines of text."""
    return not _HTML.match(head) and looks_like_access_log(_log_lines(head))


def is_json_log(head: bytes) -> bool:
    """Tell whether this is an access log of JSON objects."""
    return not _HTML.match(head) and looks_like_json_log("\n".join(_log_lines(head)))


def is_log_table(head: bytes) -> bool:
    """Tell whether this is a table of requests whose first row names the columns."""
    start = head.lstrip()[:1]
    return not _HTML.match(head) and start not in {b"{", b"["} and looks_like_log_table(_lines(head))


def _is_packet_list(lines: Sequence[str]) -> bool:
    """Tell whether tshark printed a line a packet and said nothing of what the columns are."""
    shown = [line for line in lines[:50] if line.strip()]
    hits = sum(1 for line in shown if _PACKET_LIST.match(line) or _NAMELESS.match(line[:4000]))
    return hits > 1 and hits * 2 > len(shown)


def is_http_messages(head: bytes) -> bool:
    """Tell whether a request line or a status line is in this text."""
    if _HTML.match(head):
        return False
    lines = without_direction([line for _, line in unpacked(_lines(head))])
    said = [line for line in lines if line is not None and line.strip()]
    if len(said) == 1 and (only := start_line(said[0])) is not None and only.status:
        # A status line and nothing else is an error line: no message was shown.
        return not looks_like_error_report(said)
    starts = [found for line in lines if line is not None and (found := start_line(line)) is not None]
    if starts and not any(start.status for start in starts) and not any(map(start_line, _lines(head))):
        # Requests in string literals alone: an error that a program printed may say how they ended.
        return not looks_like_error_report(_lines(head))
    if starts and all(start.status for start in starts) and not any(map(_FIELD.match, filter(None, lines))):
        # Status lines without a field line: quoted in an account, or within the lines of a log.
        whole = any(map(start_line, _lines(head)))
        if tells_alone(_told(head)) or (not whole and looks_like_error_report(_lines(head))):
            return False
    commands = any(line is not None and is_request_command(line) for line in lines)
    if (
        starts
        and all(200 <= start.status < 400 for start in starts)
        and not commands
        and tells_alone(_told(head))
    ):
        # Answers alone show nothing that the words around them do not say better.
        return False
    return any(not start.bare for start in starts) or (
        # Without a protocol version two lines must agree that this is HTTP.
        any(start.status for start in starts) and (commands or any(start.method for start in starts))
    )


def is_error_report(head: bytes) -> bool:
    """Tell whether this is a traceback, an error line or a sentence about a refused request."""
    start = head.lstrip()[:1]
    if _HTML.match(head) or b"\0" in head[:4096] or any(head.startswith(magic) for magic, _, _ in _MAGIC):
        return False
    if start in {b"{", b"["} and len(head) > _JSON_ERROR_LIMIT:
        return False
    lines = _lines(head)
    if _is_packet_list(lines):
        return False
    if len(lines) < _FEW and any(is_command(line) for line in lines):
        return False
    return looks_like_error_report(lines) or (
        len(lines) < len(_told(head)) and looks_like_error_report(_told(head))
    )


def what_it_is(head: bytes) -> tuple[str, str]:
    """Say what a source is that cannot be read, and how to get one that can.

    Args:
        head: the first octets of the source.

    Returns:
        What was seen, and advice.
    """
    for magic, seen, advice in _MAGIC:
        if head.startswith(magic):
            return seen, advice
    if is_pcap(head):
        text = "In Wireshark use Follow > HTTP Stream > Save as; TLS needs its key log. Simpler: "
        return "this is a packet capture (pcap)", text + _HAR_ADVICE
    if head[:2] == b"\x16\x03" and len(head) > 4 and head[2] <= 4:
        return "this is an encrypted capture (TLS records)", "Record at the client instead. " + _TRACE_ADVICE
    if head[257:262] == b"ustar":
        return "this is a tar archive", "Unpack it, and give the file inside"
    if not head.strip():
        return "the source is empty", _TRACE_ADVICE
    if _HTML.match(head):
        return "this looks like an HTML page", "Save the traffic, not the page. " + _HAR_ADVICE
    if _JSON_START.match(head) and b"\0" not in head[:4096]:
        return _json_kind(head)
    if head[4:12] in {b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypavif"}:
        return "this is a HEIC or AVIF picture", "A picture cannot be read. " + _HAR_ADVICE
    if head[4:8] == b"ftyp":
        return "this is a film", "A recording of the screen cannot be read. " + _HAR_ADVICE
    if b"\0" in head[:4096] or sum(octet < 9 or 13 < octet < 32 for octet in head[:512]) > 25:
        return f"this is binary data that begins {head[:8].hex(' ')}", _HAR_ADVICE
    return _text_kind(_text(head))


def _json_kind(head: bytes) -> tuple[str, str]:
    start = head[:65536]
    if b"getpostman.com" in start or b"_postman_id" in start or b"_postman_variable_scope" in start:
        text = "It holds requests, not what came back. In Postman's console copy both, or: "
        return "this is a Postman collection", text + _TRACE_ADVICE
    if b'"logEventTypes"' in start or b'"constants"' in start:
        return "this is a Chrome network log (chrome://net-export)", _HAR_ADVICE
    if b'"openapi"' in start or b'"swagger"' in start:
        return "this is an OpenAPI description", "It holds no traffic. " + _TRACE_ADVICE
    if b'"endpoint"' in start and b'"requests"' in start and b'"folders"' in start:
        return "this is a collection of Hoppscotch", "It holds requests, not what came back. " + _TRACE_ADVICE
    if (tool := next((name for sign, name in _COLLECTIONS if sign in start), None)) is not None:
        return f"this is an export of {tool}", "It holds requests, not what came back. " + _TRACE_ADVICE
    if b'"_type":"export"' in start.replace(b" ", b""):
        return "this is an Insomnia export", "It holds requests, not what came back. " + _TRACE_ADVICE
    return "this is JSON, but no HAR: the member `log` with `entries` is missing", _HAR_ADVICE


def _text_kind(text: str) -> tuple[str, str]:
    lines = [line.strip() for line in text.splitlines()[:50] if line.strip()]
    first = lines[0] if lines else ""
    if any(_ACCESS_LOG.match(line) for line in lines[:5]):
        return (
            "this looks like an access log",
            "It holds no entity tags, so no cause can be read from it. " + _HAR_ADVICE,
        )
    if any(line.startswith("Traceback (most recent call last)") for line in lines):
        return "this is a Python traceback", "It shows no traffic. " + _TRACE_ADVICE
    if "Request URL" in text and "Request Method" in text:
        seen = "this is the Headers pane of a browser's developer tools"
        return seen, "Right-click the request there, Copy > Copy all as HAR, and give that as a file"
    if is_command(first):
        return "this is a curl command without its output", "Add -v and keep what it prints. " + _TRACE_ADVICE
    if is_request_command(first):
        seen = "this is a request as developer tools copy it, without its answer"
        return seen, "Paste the status line and the fields of the answer below it. Or: " + _HAR_ADVICE
    if _KEY_LOG.match(first):
        seen = "this is a log of TLS keys (SSLKEYLOGFILE)"
        return seen, (
            "Open it in Wireshark as (Pre)-Master-Secret log together with the packet capture, save Follow > "
            "HTTP Stream as text, and give that"
        )
    if tool := next(
        (name for sign, name in _REQUESTS_ONLY if any(sign.match(line) for line in lines[:5])), None
    ):
        return f"this is a request of {tool}", "It holds requests, not what came back. " + _TRACE_ADVICE
    if _is_packet_list(lines):
        return "this is tshark's list of packets, or fields without their names", _TSHARK_ADVICE
    words = " ".join(first.split()[:8])[:60]
    printable = "".join(c if c.isprintable() else "?" for c in words)
    found = f"no HTTP traffic was found in this text, which begins {printable!r}"
    if len(first) > _LONG_LINE:
        found += "; its first line is very long: a line of a log is read up to 64 KiB"
    return (
        found,
        f"{_TRACE_ADVICE}. Or: {_HAR_ADVICE}",
    )
