"""Read the debug logs of HTTP clients and cloud SDKs: which one wrote a log is told by its own lines.

What such a log does not show is unknown: docs/decisions/072-client-logs.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture import (
    python_prompts,
    sdk_axios,
    sdk_azure,
    sdk_botocore,
    sdk_consoles,
    sdk_dumps,
    sdk_firefox,
    sdk_frameworks,
    sdk_header_blocks,
    sdk_hosting,
    sdk_kubectl,
    sdk_labelled_parts,
    sdk_listings,
    sdk_python,
    sdk_servers,
    sdk_swagger,
    sdk_terraform,
    sdk_wget,
)
from ifmatch.capture.curl_clock import date_seconds, keep_monotone
from ifmatch.capture.drafts import Drafts
from ifmatch.capture.field_lines import of_two_heads
from ifmatch.capture.log_pastes import opened
from ifmatch.capture.sdk_hclog import as_text, is_json_record
from ifmatch.capture.sdk_lines import settle_zone
from ifmatch.capture.text_source import read_text
from ifmatch.model.message import Fields
from ifmatch.model.slotted import Frozen
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO

    from ifmatch.capture.drafts import Draft
    from ifmatch.capture.text_source import TextSource
    from ifmatch.model.exchange import Capture

__all__ = ["looks_like_sdk_log", "read_sdk_log"]


class _Family(Frozen, frozen=True):
    """A notation.

    Attributes:
        name: who writes it.
        marks: what tells its lines; such a line must not be found in a message's content.
        read: takes the lines.
        covers: notations that say less of the same requests.
        shows_octets: whether fields stand there octet by octet, as Go writes them; others write a character
            for each octet, or are read so.
        decodes: whether such a program takes content codings off before it logs an answer.
    """

    name: str
    marks: re.Pattern[str]
    read: Callable[[Sequence[str], Drafts], None]
    covers: tuple[str, ...] = ()
    shows_octets: bool = False
    decodes: bool = False


_FAMILIES: Final = (
    _Family("botocore", sdk_botocore.BOTOCORE, sdk_botocore.read_botocore, ("http.client", "urllib3")),
    _Family("Azure SDK", sdk_azure.AZURE, sdk_azure.read_azure, ("http.client", "urllib3")),
    _Family(
        "Terraform",
        sdk_terraform.TERRAFORM,
        sdk_terraform.read_terraform,
        (),
        shows_octets=True,
        decodes=True,
    ),
    _Family("kubectl", sdk_kubectl.KUBECTL, sdk_kubectl.read_kubectl, (), shows_octets=True, decodes=True),
    _Family("message dumps", sdk_dumps.DUMPS, sdk_dumps.read_dumps, decodes=True),
    _Family("java.net.http", sdk_header_blocks.JAVA, sdk_header_blocks.read_java),
    _Family(".NET HttpClient", sdk_header_blocks.DOTNET, sdk_header_blocks.read_dotnet, decodes=True),
    _Family("ASP.NET", sdk_frameworks.ASPNET, sdk_frameworks.read_aspnet, ("ASP.NET's host",)),
    _Family("ASP.NET's host", sdk_hosting.HOSTING, sdk_hosting.read_hosting),
    _Family("Faraday", sdk_frameworks.FARADAY, sdk_frameworks.read_faraday, decodes=True),
    _Family("rest-client", sdk_frameworks.REST_CLIENT, sdk_frameworks.read_rest_client, decodes=True),
    _Family("resty", sdk_frameworks.RESTY, sdk_frameworks.read_resty, decodes=True),
    _Family("Ktor", sdk_labelled_parts.KTOR, sdk_labelled_parts.read_ktor, decodes=True),
    _Family("Dio", sdk_labelled_parts.DIO, sdk_labelled_parts.read_dio, decodes=True),
    _Family("API Gateway", sdk_labelled_parts.API_GATEWAY, sdk_labelled_parts.read_api_gateway),
    _Family("Tomcat", sdk_labelled_parts.TOMCAT, sdk_labelled_parts.read_tomcat),
    _Family("http.client", sdk_python.HTTP_CLIENT, sdk_python.read_http_client, ("urllib3",)),
    _Family("Python prompt", python_prompts.PROMPT, python_prompts.read_prompt, decodes=True),
    _Family("axios", sdk_axios.AXIOS, sdk_axios.read_axios, ("undici",), decodes=True),
    _Family("Postman's console", sdk_consoles.POSTMAN, sdk_consoles.read_postman_console, decodes=True),
    _Family("Cypress", sdk_consoles.CYPRESS, sdk_consoles.read_cypress, decodes=True),
    _Family("PowerShell", sdk_consoles.POWERSHELL, sdk_consoles.read_powershell, decodes=True),
    _Family("Swagger UI", sdk_swagger.SWAGGER, sdk_swagger.read_swagger, decodes=True),
    _Family("Playwright", sdk_listings.PLAYWRIGHT, sdk_listings.read_playwright_log, decodes=True),
    _Family("Node", sdk_listings.NODE_HTTP, sdk_listings.read_node_http),
    _Family("JetBrains", sdk_listings.JETBRAINS, sdk_listings.read_jetbrains),
    _Family("Firefox", sdk_firefox.FIREFOX, sdk_firefox.read_firefox),
    _Family("wget", sdk_wget.WGET, sdk_wget.read_wget),
    _Family("Rails", sdk_servers.RAILS, sdk_servers.read_rails),
    _Family("Phoenix", sdk_servers.PHOENIX, sdk_servers.read_phoenix),
    _Family("Spring", sdk_servers.SPRING, sdk_servers.read_spring),
    _Family("undici", sdk_servers.UNDICI, sdk_servers.read_undici, decodes=True),
    _Family("httpcore", sdk_python.HTTPCORE, sdk_python.read_httpcore),
    _Family("urllib3", sdk_python.URLLIB3, sdk_python.read_urllib3),
)
# `wget -d` shows whole messages.
_MESSAGES: Final = "---request begin---"
_LINE_LIMIT: Final = 64 * 1024
_STAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7,9}(?:Z|[+-]\d\d:\d\d) ?")
_ADVICE: Final = "How to log more: ifmatch explain capture"


def looks_like_sdk_log(lines: Sequence[str]) -> bool:
    """Tell whether a client or an SDK logged these lines.

    Args:
        lines: the first lines of a source.
    """
    lines = [line.rstrip("\r") for line in lines]
    if _MESSAGES in lines:
        return False
    texts = as_text(lines)[0] if any(is_json_record(line) for line in lines if line) else lines
    return any(family.marks.search(line[:2000]) is not None for line in texts if line for family in _FAMILIES)


def read_sdk_log(stream: BinaryIO, name: str) -> Capture:
    """Read the debug log of a client.

    Args:
        stream: binary stream at the start of the log.
        name: name of the source as the user gave it.

    Raises:
        InputError: no request and no answer is in it.
    """
    source = read_text(stream, name)
    drafts, texts = opened(source)
    long = 0
    lines: list[str] = []
    for line in _without_stamps(texts):
        text = line.rstrip("\r")
        long += len(text) > _LINE_LIMIT
        lines.append(text[:_LINE_LIMIT])
    lines, numbers = as_text(lines)
    if long:
        drafts.warn(f"lines longer than {_LINE_LIMIT // 1024} KiB were cut: {long}")
    covered: set[str] = set()
    for family in _FAMILIES:
        if family.name in covered or not any(family.marks.search(line) for line in lines):
            continue
        covered.update(family.covers)
        read = Drafts(name)
        family.read(lines, read)
        if family.shows_octets:
            _as_wire(read, source)
        for draft in read.found:
            _without_two_heads(draft, read)
            draft.decodes = family.decodes
            draft.line = numbers[draft.line - 1] if draft.line else draft.line
        drafts.found.extend(draft for draft in read.found if draft.method or draft.url or draft.status)
        drafts.warnings.extend(read.warnings)
        drafts.torn = drafts.torn or read.torn
    _settle_times(drafts.found)
    zone = settle_zone(drafts.found)
    if zone:
        drafts.warn(f"the log's clock is {zone / 3600:+g} h from UTC, by the Date of the answers; undone")
    return drafts.capture("sdk-log", nothing="no request is in this log", advice=_ADVICE)


def _without_stamps(lines: list[str]) -> list[str]:
    """Take off the times that `kubectl logs --timestamps` and Docker put before every line."""
    filled = [line for line in lines if line.strip()]
    if not filled or sum(_STAMP.match(line) is not None for line in filled) < 0.9 * len(filled):
        return lines
    return [_STAMP.sub("", line, count=1) for line in lines]


def _without_two_heads(draft: Draft, drafts: Drafts) -> None:
    """Drop heads that are of two messages: the lines between them are missing in the log."""
    torn = [bool(of_two_heads(pairs or ())) for pairs in (draft.sent, draft.received)]
    if any(torn):
        drafts.torn = True
        drafts.warn("lines are missing here: this head is of two messages, and is not read", line=draft.line)
    if torn[0]:
        draft.sent, draft.content = None, UNKNOWN
    if torn[1]:
        draft.received, draft.received_content = None, UNKNOWN


def _as_wire(drafts: Drafts, source: TextSource) -> None:
    for draft in drafts.found:
        draft.sent = [(key, source.wire(value)) for key, value in draft.sent or ()] or draft.sent
        draft.received = [(key, source.wire(value)) for key, value in draft.received or ()] or draft.received


def _settle_times(drafts: list[Draft]) -> None:
    """Drop durations between whole seconds; where the log shows no time take that of the answers."""
    for draft in drafts:
        if draft.started is not None and draft.resolution >= 1:
            draft.duration = None
    if any(draft.started is not None for draft in drafts):
        return
    dates = keep_monotone([date_seconds(Fields(draft.received or ())) for draft in drafts])
    for draft, date in zip(drafts, dates, strict=True):
        draft.started, draft.resolution = date, 1.0
