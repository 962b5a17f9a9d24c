"""Tell the format of a source, and read it.

`read` sniffs the format by content and hands over to the reader of that format. A new format is one line in
`FORMATS` and one module with a function `(stream, name) -> Capture`.
"""

from __future__ import annotations

import importlib
import io
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from ifmatch.capture.base.decompression import compression_of, decompress
from ifmatch.capture.base.magic_numbers import is_archive, is_pcap
from ifmatch.capture.base.target_uri import splittable
from ifmatch.capture.sniffing import containers
from ifmatch.capture.texts.mail_messages import is_mail
from ifmatch.capture.texts.shown_texts import bare_document, is_document, is_quoted_document, shown_text
from ifmatch.errors import InputError
from ifmatch.model.exchange import CaptureWarning
from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from ifmatch.capture.documents.archives import MemberReader
    from ifmatch.model.exchange import Capture

    Reader: TypeAlias = Callable[[BinaryIO, str], Capture | tuple[Capture, ...]]
    Recogniser: TypeAlias = Callable[[bytes], bool]

__all__ = ["FORMATS", "HEAD_OCTETS", "CaptureFormat", "read", "read_all", "sniff"]

# How much of a source is looked at to tell its format: prose may stand before the first message.
HEAD_OCTETS: Final = 256 * 1024


class CaptureFormat(Frozen, frozen=True):
    """A format that can be read.

    Attributes:
        id: what `--from` takes and `Capture.format` says.
        title: what people call it.
        reader: `module:function`, imported when first used; it returns a capture, or several where one file
            holds what was seen from several places.
        recognises: tells by the head of a source (decompressed, UTF-16 undone) whether it is of this format.
    """

    id: str
    title: str
    reader: str
    recognises: Recogniser

    def load(self) -> Reader:
        """Import the reader."""
        module, _, function = self.reader.partition(":")
        reader: Reader = getattr(importlib.import_module(module), function)
        return reader


def _in_text(name: str) -> Recogniser:
    """Return a recogniser of `sniffing.texts`: documents need none of what that module imports."""

    def recognises(head: bytes) -> bool:
        found: Recogniser = getattr(importlib.import_module("ifmatch.capture.sniffing.texts"), name)
        return found(head)

    return recognises


# What the reader of debug logs says of one whose lines hold no request.
NO_REQUEST: Final = "no request is in this log"
# A HAR in a ticket: a fence or some words stand before it.
_QUOTED_HAR: Final = late_pattern(rb"(\s*[^\s{\xef][^{]{0,4000})\{\s*\"log\"\s*:\s*\{")

# The first one that recognises the head reads it.
FORMATS: Final = (
    CaptureFormat("har", "HAR 1.2", "ifmatch.capture.har.reader:read_har", containers.is_har),
    CaptureFormat(
        "mitmproxy",
        "mitmproxy flow file",
        "ifmatch.capture.documents.mitmproxy_flows:read_mitmproxy",
        containers.is_mitmproxy,
    ),
    CaptureFormat("pcap", "packet capture", "ifmatch.capture.packets.pcap:read_pcap", is_pcap),
    CaptureFormat(
        "charles",
        "JSON session of Charles",
        "ifmatch.capture.documents.charles:read_charles",
        containers.is_charles,
    ),
    CaptureFormat(
        "xml-session",
        "XML session of Charles, Burp or JMeter",
        "ifmatch.capture.documents.xml_sessions:read_xml_session",
        containers.is_xml_session,
    ),
    CaptureFormat(
        "apigee",
        "debug session of Apigee",
        "ifmatch.capture.documents.apigee:read_apigee",
        containers.is_apigee,
    ),
    CaptureFormat(
        "net-log",
        "network log of Chrome",
        "ifmatch.capture.documents.net_logs:read_net_log",
        containers.is_net_log,
    ),
    CaptureFormat(
        "devtools-events",
        "events of the Chrome DevTools Protocol",
        "ifmatch.capture.documents.devtools_events:read_devtools_events",
        containers.is_devtools_events,
    ),
    CaptureFormat(
        "newman",
        "report of newman",
        "ifmatch.capture.documents.postman:read_newman",
        containers.is_newman,
    ),
    CaptureFormat(
        "postman",
        "Postman collection",
        "ifmatch.capture.documents.postman:read_postman",
        containers.is_postman,
    ),
    CaptureFormat(
        "otlp", "trace as OTLP JSON", "ifmatch.capture.server_logs.otlp:read_otlp", containers.is_otlp
    ),
    CaptureFormat(
        "jaeger",
        "trace of Jaeger",
        "ifmatch.capture.server_logs.jaeger:read_jaeger",
        containers.is_jaeger,
    ),
    CaptureFormat(
        "vcr", "cassette of VCR or vcrpy", "ifmatch.capture.documents.vcr:read_vcr", containers.is_vcr
    ),
    CaptureFormat(
        "varnishlog",
        "varnishlog",
        "ifmatch.capture.server_logs.varnish_logs:read_varnish_log",
        _in_text("is_varnish_log"),
    ),
    CaptureFormat(
        "dumpio",
        "log of Apache's mod_dumpio",
        "ifmatch.capture.server_logs.apache_dumpio:read_dumpio",
        _in_text("is_dumpio"),
    ),
    CaptureFormat(
        "forensic",
        "log of Apache's mod_log_forensic",
        "ifmatch.capture.server_logs.apache_forensic:read_forensic",
        _in_text("is_forensic"),
    ),
    CaptureFormat(
        "proxy-debug",
        "debug log of nginx, HAProxy or Envoy",
        "ifmatch.capture.server_logs.proxy_debug_logs:read_proxy_debug_log",
        _in_text("is_proxy_debug_log"),
    ),
    CaptureFormat(
        "curl-trace", "curl --trace", "ifmatch.capture.curl.trace:read_curl_trace", _in_text("is_trace")
    ),
    CaptureFormat(
        "curl-trace-ascii",
        "curl --trace-ascii",
        "ifmatch.capture.curl.trace:read_curl_trace",
        _in_text("is_trace_ascii"),
    ),
    CaptureFormat(
        "curl-verbose", "curl -v", "ifmatch.capture.curl.verbose:read_curl_verbose", _in_text("is_verbose")
    ),
    CaptureFormat(
        "tshark",
        "packets as tshark takes them apart",
        "ifmatch.capture.packets.tshark_fields:read_tshark",
        containers.is_tshark,
    ),
    CaptureFormat(
        "playwright",
        "trace of Playwright",
        "ifmatch.capture.documents.playwright_traces:read_playwright",
        containers.is_playwright,
    ),
    CaptureFormat(
        "api-client",
        "export of Insomnia, Bruno or Hoppscotch",
        "ifmatch.capture.documents.api_clients:read_api_client",
        containers.is_api_client,
    ),
    CaptureFormat(
        "kubernetes-audit",
        "audit log of Kubernetes",
        "ifmatch.capture.server_logs.kubernetes_audit:read_kubernetes_audit",
        containers.is_kubernetes_audit,
    ),
    CaptureFormat(
        "service-events",
        "events of CloudTrail, Azure Storage, Cloud Audit Logs or Sentry",
        "ifmatch.capture.server_logs.service_events:read_service_events",
        containers.is_service_events,
    ),
    CaptureFormat(
        "log-export",
        "answer of a log service to a query",
        "ifmatch.capture.server_logs.exports:read_log_export",
        containers.is_log_export,
    ),
    CaptureFormat(
        "journal",
        "journal of requests with their answers",
        "ifmatch.capture.documents.journals:read_journal",
        containers.is_journal,
    ),
    CaptureFormat(
        "sdk-log",
        "debug log of an HTTP client or a cloud SDK",
        "ifmatch.capture.client_logs.reader:read_sdk_log",
        _in_text("is_sdk_log"),
    ),
    CaptureFormat(
        "log-table",
        "table of a log service",
        "ifmatch.capture.server_logs.tables:read_log_table",
        _in_text("is_log_table"),
    ),
    CaptureFormat(
        "access-log",
        "access log",
        "ifmatch.capture.server_logs.access_logs:read_access_log",
        _in_text("is_access_log"),
    ),
    CaptureFormat(
        "json-log",
        "JSON access log",
        "ifmatch.capture.server_logs.json_logs:read_json_log",
        _in_text("is_json_log"),
    ),
    CaptureFormat(
        "devtools-pane",
        "headers panes of a browser's developer tools",
        "ifmatch.capture.pastes.devtools_panes:read_devtools_pane",
        _in_text("is_devtools_pane"),
    ),
    CaptureFormat(
        "http-messages",
        "pasted requests and responses",
        "ifmatch.capture.pastes.http_messages:read_http_messages",
        _in_text("is_http_messages"),
    ),
    # The last one: it takes prose.
    CaptureFormat(
        "error-report",
        "traceback, error line or sentence",
        "ifmatch.capture.words.error_reports:read_error_report",
        _in_text("is_error_report"),
    ),
)

# Those that are one JSON document.
_DOCUMENTS: Final = frozenset({
    "charles", "newman", "postman", "otlp", "jaeger", "vcr", "tshark", "api-client", "kubernetes-audit",
    "devtools-events", "journal", "log-export", "net-log", "service-events",
    "apigee",
})  # fmt: skip


def sniff(head: bytes) -> str | None:
    """Tell the format of a source by its content.

    Args:
        head: the first octets of the source, decompressed; `HEAD_OCTETS` are enough.

    Returns:
        The id of a format of `FORMATS`, None when it is none of them.
    """
    head = _plain(head)
    return next((known.id for known in FORMATS if known.recognises(head)), None)


def read(stream: BinaryIO, name: str, *, format: str | None = None) -> Capture:  # noqa: A002 - the option's name
    """Read a source in whatever format it is.

    Args:
        stream: binary stream at the start of the source; it is read whole when it cannot seek.
        name: name of the source as the user gave it, for references and errors. It says nothing about the
            format.
        format: id of the format when the user said it, None to tell by content.

    Returns:
        What the source holds.

    Raises:
        InputError: the format is not known, the source holds nothing of it, or it is an archive with more
            than one readable file (`read_all` reads those).
    """
    capture, *others = read_all(stream, name, format=format)
    if others:
        raise InputError(
            f"this holds {len(others) + 1} sources: files of an archive, or several places that saw traffic",
            source=name,
            expected="one source",
            advice="Unpack it and give the files, or read it with `ifmatch.capture.read_all`",
        )
    return capture


def read_all(
    stream: BinaryIO,
    name: str,
    *,
    format: str | None = None,  # noqa: A002 - as above
    log_format: str | None = None,
) -> tuple[Capture, ...]:
    """Read a source that may be an archive: each readable file in it is a source of its own.

    Args:
        stream: as for `read`.
        name: as for `read`; a file of an archive is called `name!file`.
        format: as for `read`; of the files when the source is an archive.
        log_format: what the columns of an access log are, as the server was told; such a source is one.

    Raises:
        InputError: nothing in it can be read.
    """
    stream, warnings = _opened(stream, name)
    head = stream.read(HEAD_OCTETS)
    stream.seek(-len(head), io.SEEK_CUR)
    if is_archive(head):
        from ifmatch.capture.documents.archives import read_archive  # noqa: PLC0415 - as `_in_text` has it

        return _warned(read_archive(stream, name, _plain_reader(format, log_format)), warnings)
    return _warned(_read_plain(stream, name, format, log_format), warnings)


def _plain_reader(form: str | None, log_format: str | None) -> MemberReader:
    def read_member(stream: BinaryIO, name: str) -> tuple[Capture, ...]:
        opened, warnings = _opened(stream, name)
        return _warned(_read_plain(opened, name, form, log_format), warnings)

    return read_member


def _warned(captures: tuple[Capture, ...], warnings: list[CaptureWarning]) -> tuple[Capture, ...]:
    if not warnings:
        return captures
    return (replace(captures[0], warnings=(*warnings, *captures[0].warnings)), *captures[1:])


def _read_plain(
    stream: BinaryIO, name: str, form: str | None, log_format: str | None = None
) -> tuple[Capture, ...]:
    if log_format is not None and form in {None, "access-log"}:
        from ifmatch.capture.server_logs.access_logs import read_access_log  # noqa: PLC0415 - as `_in_text` has it

        return (splittable(read_access_log(stream, name, log_format)),)
    head = stream.read(HEAD_OCTETS)
    stream.seek(-len(head), io.SEEK_CUR)
    if form is None and (quoted := _QUOTED_HAR.match(head)) is not None:
        data = stream.read()
        stream = io.BytesIO(data[quoted.end(1) : data.rfind(b"}") + 1])
        head = stream.getvalue()[:HEAD_OCTETS]
    stream, chosen, warnings = (stream, form, []) if form is not None else _taken_out(stream, head)
    known = next((known for known in FORMATS if known.id == chosen), None)
    if known is not None:
        found = _read_as(known, stream, name, chosen_by_user=form is not None)
        captures = found if isinstance(found, tuple) else (found,)
        if form is None and len(captures) == 1 and len(head) < HEAD_OCTETS:
            from ifmatch.capture.words.words_around import heard_around  # noqa: PLC0415 - as `_in_text` has it

            captures = (heard_around(captures[0], head),)
        return _warned(tuple(splittable(one) for one in captures), warnings)
    if form is not None:
        raise InputError(
            f"there is no format {form!r}", source=name, expected=", ".join(known.id for known in FORMATS)
        )
    from ifmatch.capture.sniffing.texts import what_it_is  # noqa: PLC0415 - as `_in_text` has it

    seen, advice = what_it_is(_plain(head))
    raise InputError(seen, source=name, advice=advice)


def _read_as(
    known: CaptureFormat, stream: BinaryIO, name: str, *, chosen_by_user: bool
) -> Capture | tuple[Capture, ...]:
    """Read a source in a format; where its lines hold no request, in the next one that recognises it."""
    if chosen_by_user or known.id != "sdk-log":
        return known.load()(stream, name)
    data = stream.read()
    try:
        return known.load()(io.BytesIO(data), name)
    except InputError as error:
        if error.text != NO_REQUEST:
            raise
        head = _plain(data[:HEAD_OCTETS])
        others = FORMATS[FORMATS.index(known) + 1 :]
        other = next((one for one in others if one.recognises(head)), None)
        if other is None:
            raise
        return other.load()(io.BytesIO(data), name)


def _taken_out(stream: BinaryIO, head: bytes) -> tuple[BinaryIO, str | None, list[CaptureWarning]]:
    """Return a source without the page, mail or quotation around it, its format, and what was done."""
    chosen = sniff(head)
    if chosen in {None, "error-report", "json-log"} and is_quoted_document(head):
        data = stream.read()
        bare = bare_document(data)
        inner = sniff(bare[:HEAD_OCTETS]) if bare is not None else None
        if bare is not None and inner in _DOCUMENTS:
            return (
                io.BytesIO(bare),
                inner,
                [CaptureWarning("what a mail or a fence put around it was taken off")],
            )
        return io.BytesIO(data), chosen, []
    if is_document(head, chosen):
        data = stream.read()
        text, said = shown_text(data)
        shown = sniff(text[:HEAD_OCTETS])
        # The page of an error says no more than its status; a page about errors says nothing.
        if shown is not None and (is_mail(head) or shown != "error-report"):
            return io.BytesIO(text), shown, [CaptureWarning(said)]
        return io.BytesIO(data), chosen, []
    return stream, chosen, []


def _plain(head: bytes) -> bytes:
    """Return UTF-16 as UTF-8, other heads as they are."""
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"} or (b"\0" in head[:4] and b"\0" in head[4:8]):
        from ifmatch.capture.texts.text_source import decode  # noqa: PLC0415 - few sources are UTF-16

        text, encoding = decode(head)
        return text.encode(encoding, "replace") if "\0" not in text[:512] else head
    return head.removeprefix(b"\xef\xbb\xbf")


def _opened(stream: BinaryIO, name: str) -> tuple[BinaryIO, list[CaptureWarning]]:
    """Return a seekable stream at the start of the plain source: compression and UTF-16 undone."""
    if not stream.seekable():
        stream = io.BytesIO(stream.read())
    magic = stream.read(8)
    stream.seek(-len(magic), io.SEEK_CUR)
    compression = compression_of(magic)
    if compression is not None:
        data, cut = decompress(stream.read(), compression, name)
        warnings = (
            [CaptureWarning(f"the {compression} file ends early; what was whole is read")] if cut else []
        )
        inner = io.BytesIO(data)
        # Compressed twice is not opened twice.
        return (inner if compression_of(data[:8]) is not None else _opened(inner, name)[0]), warnings
    if magic[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        from ifmatch.capture.texts.text_source import decode  # noqa: PLC0415 - as above

        text, encoding = decode(stream.read())
        return io.BytesIO(text.encode(encoding, "replace")), []
    return stream, []
