"""Read the debug logs of HTTP clients and cloud SDKs: which one wrote a log is told by its own lines.

What such a log does not show is unknown: docs/decisions/072-client-logs.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.clock import date_seconds, keep_monotone, settle_zone
from ifmatch.capture.base.drafts import Drafts
from ifmatch.capture.client_logs import (
    axios,
    azure,
    botocore,
    consoles,
    dumps,
    firefox,
    frameworks,
    header_blocks,
    hosting,
    kubectl,
    labelled_parts,
    listings,
    python,
    python_prompts,
    servers,
    swagger,
    terraform,
    wget,
)
from ifmatch.capture.client_logs.hclog import as_text, is_json_record
from ifmatch.capture.texts.field_lines import of_two_heads
from ifmatch.capture.texts.log_pastes import opened
from ifmatch.capture.texts.text_source import read_text
from ifmatch.model.message import Fields
from ifmatch.model.slotted import Frozen
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO

    from ifmatch.capture.base.drafts import Draft
    from ifmatch.capture.texts.text_source import TextSource
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
    _Family("botocore", botocore.BOTOCORE, botocore.read_botocore, ("http.client", "urllib3")),
    _Family("Azure SDK", azure.AZURE, azure.read_azure, ("http.client", "urllib3")),
    _Family(
        "Terraform",
        terraform.TERRAFORM,
        terraform.read_terraform,
        (),
        shows_octets=True,
        decodes=True,
    ),
    _Family("kubectl", kubectl.KUBECTL, kubectl.read_kubectl, (), shows_octets=True, decodes=True),
    _Family("message dumps", dumps.DUMPS, dumps.read_dumps, decodes=True),
    _Family("java.net.http", header_blocks.JAVA, header_blocks.read_java),
    _Family(".NET HttpClient", header_blocks.DOTNET, header_blocks.read_dotnet, decodes=True),
    _Family("ASP.NET", frameworks.ASPNET, frameworks.read_aspnet, ("ASP.NET's host",)),
    _Family("ASP.NET's host", hosting.HOSTING, hosting.read_hosting),
    _Family("Faraday", frameworks.FARADAY, frameworks.read_faraday, decodes=True),
    _Family("rest-client", frameworks.REST_CLIENT, frameworks.read_rest_client, decodes=True),
    _Family("resty", frameworks.RESTY, frameworks.read_resty, decodes=True),
    _Family("Ktor", labelled_parts.KTOR, labelled_parts.read_ktor, decodes=True),
    _Family("Dio", labelled_parts.DIO, labelled_parts.read_dio, decodes=True),
    _Family("API Gateway", labelled_parts.API_GATEWAY, labelled_parts.read_api_gateway),
    _Family("Tomcat", labelled_parts.TOMCAT, labelled_parts.read_tomcat),
    _Family("http.client", python.HTTP_CLIENT, python.read_http_client, ("urllib3",)),
    _Family("Python prompt", python_prompts.PROMPT, python_prompts.read_prompt, decodes=True),
    _Family("axios", axios.AXIOS, axios.read_axios, ("undici",), decodes=True),
    _Family("Postman's console", consoles.POSTMAN, consoles.read_postman_console, decodes=True),
    _Family("Cypress", consoles.CYPRESS, consoles.read_cypress, decodes=True),
    _Family("PowerShell", consoles.POWERSHELL, consoles.read_powershell, decodes=True),
    _Family("Swagger UI", swagger.SWAGGER, swagger.read_swagger, decodes=True),
    _Family("Playwright", listings.PLAYWRIGHT, listings.read_playwright_log, decodes=True),
    _Family("Node", listings.NODE_HTTP, listings.read_node_http),
    _Family("JetBrains", listings.JETBRAINS, listings.read_jetbrains),
    _Family("Firefox", firefox.FIREFOX, firefox.read_firefox),
    _Family("wget", wget.WGET, wget.read_wget),
    _Family("Rails", servers.RAILS, servers.read_rails),
    _Family("Phoenix", servers.PHOENIX, servers.read_phoenix),
    _Family("Spring", servers.SPRING, servers.read_spring),
    _Family("undici", servers.UNDICI, servers.read_undici, decodes=True),
    _Family("httpcore", python.HTTPCORE, python.read_httpcore),
    _Family("urllib3", python.URLLIB3, python.read_urllib3),
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
