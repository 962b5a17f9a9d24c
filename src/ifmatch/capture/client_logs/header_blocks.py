"""Read logs that list header fields below a label: java.net.http.HttpClient, .NET HttpClient.

Source of the notations: jdk.internal.net.http.common.Log, Microsoft.Extensions.Http
LoggingHttpMessageHandler.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.client_logs.lines import Conversation, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DOTNET", "JAVA", "read_dotnet", "read_java"]

JAVA: Final = re.compile(r"INFO: (?:REQUEST: https?://|HEADERS: (?:REQUEST|RESPONSE) HEADERS|RESPONSE: \()")
DOTNET: Final = re.compile(
    r"(?:Start processing|Sending) HTTP request [A-Z]{2,20} \S+|"
    r"Received HTTP response (?:headers )?after \S+ - \d{3}"
)
_JAVA_REQUEST = re.compile(r"INFO: REQUEST: (https?://\S+) ([A-Z]{2,20})")
_JAVA_HEADERS = re.compile(r"INFO: HEADERS: (REQUEST|RESPONSE) HEADERS:")
_JAVA_STATUS = re.compile(r"INFO: RESPONSE: \(([A-Z]{2,20}) (https?://\S+)\) (\d{3})(?: (HTTP_\S+))?")
_FIELD = re.compile(r"\s{0,12}(:?[!#$%&'*+.^_`|~0-9A-Za-z-]+): ?(.*)")
_DOTNET_REQUEST = re.compile(r"Sending HTTP request ([A-Z]{2,20}) (\S+)")
_DOTNET_STATUS = re.compile(r"Received HTTP response (?:headers )?after ([\d.]+)ms - (\d{3})")
_DOTNET_LABEL = re.compile(r"(Request|Response) Headers:\s*\Z")
_CLIENT_HANDLER: Final = "ClientHandler"


def read_java(lines: Sequence[str], drafts: Drafts) -> None:
    """Read `-Djdk.httpclient.HttpClient.log=requests,headers`.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    conversation = Conversation(drafts)
    sent: Draft | None = None
    received: list[tuple[str, str]] | None = None
    part = ""
    at: tuple[float, float] | None = None
    for number, line in enumerate(lines, 1):
        at = moment(line) or at
        if (request := _JAVA_REQUEST.search(line)) is not None:
            sent = conversation.request(
                Draft(method=request[2], url=request[1], line=number), f"{request[2]} {request[1]}"
            )
            sent.started, sent.resolution = at if at is not None else (None, 1.0)
        elif (label := _JAVA_HEADERS.search(line)) is not None:
            part = label[1]
            received = [] if part == "RESPONSE" else received
            if part == "REQUEST" and sent is not None and sent.sent is not None:
                # The line that names the request is missing.
                sent, drafts.torn = None, True
        elif (status := _JAVA_STATUS.search(line)) is not None:
            answer = conversation.answered(number, f"{status[1]} {status[2]}")
            answer.method, answer.url, answer.status = status[1], status[2], int(status[3])
            answer.received, received = received, None
            answer.response_version = {"HTTP_1_1": "HTTP/1.1", "HTTP_2": "HTTP/2"}.get(status[4] or "", "")
            part = ""
        elif part and (found := _FIELD.match(line)) is not None and at is not None and "INFO:" not in line:
            if part == "RESPONSE" and received is not None:
                received.append((found[1], found[2]))
            elif sent is not None and not found[1].startswith(":"):
                sent.add_sent(found[1], found[2])
        elif not line.strip():
            part = ""


def read_dotnet(lines: Sequence[str], drafts: Drafts) -> None:
    """Read the log of System.Net.Http.HttpClient at level Trace.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    conversation = Conversation(drafts)
    draft: Draft | None = None
    part = ""
    is_inner = True
    at: tuple[float, float] | None = None
    for number, line in enumerate(lines, 1):
        at = moment(line) or at
        if "HttpClient." in line:
            # The outer handler says the same once more.
            is_inner = _CLIENT_HANDLER in line
        if (request := _DOTNET_REQUEST.search(line)) is not None:
            # Content-Length is counted after the fields are logged.
            draft = conversation.request(Draft(method=request[1], url=request[2], line=number, framed=False))
            draft.started, draft.resolution = at if at is not None else (None, 1.0)
            part, is_inner = "", True
        elif (status := _DOTNET_STATUS.search(line)) is not None:
            draft = conversation.answered(number)
            draft.status, draft.duration = int(status[2]), float(status[1]) / 1000
            part, is_inner = "", True
        elif not is_inner or draft is None:
            continue
        elif (label := _DOTNET_LABEL.search(line)) is not None:
            part = label[1]
        elif part and line[:1] in {" ", "\t"} and (found := _FIELD.match(line)) is not None:
            (draft.add_sent if part == "Request" else draft.add_received)(found[1], found[2])
        elif part and line[:1] not in {" ", "\t"}:
            part = ""
