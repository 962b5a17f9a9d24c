"""Tell the formats of tools that wrap traffic into documents of their own: cassettes, sessions, traces.

Source of the signs: each reader names that of its format.
"""

from __future__ import annotations

from typing import Final

from ifmatch.model.late import late_pattern

__all__ = [
    "is_api_client",
    "is_apigee",
    "is_charles",
    "is_devtools_events",
    "is_har",
    "is_jaeger",
    "is_journal",
    "is_kubernetes_audit",
    "is_log_export",
    "is_mitmproxy",
    "is_net_log",
    "is_newman",
    "is_otlp",
    "is_playwright",
    "is_postman",
    "is_service_events",
    "is_tshark",
    "is_vcr",
    "is_xml_session",
]

_CASSETTE: Final = late_pattern(
    rb"(?:\A|\n)(?:http_)?interactions:[ \t]*(?:\n[ \t]*- |\[\])|"
    rb'\A\s*\{\s*(?:"(?:version|recorded_with)"\s*:\s*[^{}\[\],]{1,80},\s*){0,2}"(?:http_)?interactions"\s*:\s*\['
)
_TRANSACTIONS: Final = late_pattern(rb"\A\s*\[\s*\{")
_EXECUTIONS: Final = late_pattern(rb'"(?:run|executions|collection)"\s*:')
_SPANS: Final = late_pattern(rb'"(?:resourceSpans|resource_spans)"\s*:\s*\[')
_XML_SESSION: Final = late_pattern(rb"<(?:charles-session\b|items burpVersion=|httpSample\s)")
_BATCHES: Final = late_pattern(rb'\A\s*\{\s*"batches"\s*:\s*\[')
_STORED_SPAN: Final = late_pattern(rb'\A\s*\{[^\n]{0,4000}"traceID"[^\n]{0,8000}"operationName"')

# Elasticsearch, Datadog, Loki, Splunk, CloudWatch Logs Insights, Azure Monitor, OTLP logs.
_EXPORTS: Final = tuple(
    (sign, late_pattern(pattern))
    for sign, pattern in (
        (b'"_source"', rb'"hits"\s*:\s*\[\s*\{[^{}]{0,400}"_(?:source|index)"'),
        (b'"log"', rb'"data"\s*:\s*\[\s*\{[\s\S]{0,400}?"attributes"\s*:\s*\{'),
        (b'"values"', rb'"resultType"\s*:\s*"streams"|"result"\s*:\s*\[\s*\{\s*"stream"\s*:'),
        (b'"_raw"', rb'"results?"\s*:\s*(?:\[\s*)?\{'),
        (b'"@message"', rb'"results"\s*:\s*\[\s*\[\s*\{\s*"field"\s*:'),
        (b'"columns"', rb'"tables"\s*:\s*\[\s*\{[\s\S]{0,400}?"columns"\s*:\s*\['),
        (b'Logs"', rb'"resourceLogs"\s*:\s*\['),
    )
)

_FLOWS: Final = late_pattern(rb"\d{2,12}:\d{1,3}:[A-Za-z_]{1,40}[,;]")
_POINTS: Final = late_pattern(rb'"point"\s*:\s*\[[\s\S]{0,4000}?"ActionResult"\s*:')

_AUDIT: Final = late_pattern(rb'"apiVersion"\s*:\s*"audit\.k8s\.io/')

# Storage Analytics, CloudTrail, resource logs of Azure Storage, Cloud Audit Logs of Cloud Storage, Sentry.
_ANALYTICS: Final = late_pattern(rb"\s*[12]\.\d;\d{4}-\d\d-\d\dT[\d:.]+Z;\w+;\w+;\d{3};")
_EVENTS: Final = tuple(
    (sign, late_pattern(pattern))
    for sign, pattern in (
        (b"eventSource", rb'\\?"eventSource\\?"\s*:\s*\\?"(?:s3|dynamodb)\.amazonaws\.com\\?"'),
        (b'"Storage', rb'"category"\s*:\s*"Storage(?:Read|Write|Delete)"'),
        (b"protoPayload", rb'"protoPayload"\s*:\s*\{[\s\S]{0,8000}?"storage\.objects\.\w+"'),
        (b'"status_code"', rb'"breadcrumbs"\s*:\s*(?:\{\s*"values"\s*:\s*)?\['),
    )
)

_TSHARK_COLUMN: Final = late_pattern(
    rb"(?:\A|[\t,;|\"])(?:frame\.(?:number|time\w*)|tcp\.stream|http2\.(?:streamid|headers?\.\w+)|"
    rb"http\.(?:request\.(?:uri|full_uri|line)|response\.(?:code|line|phrase)|file_data))(?=[\t,;|\"\r\n]|\Z)"
)
_TSHARK_JSON: Final = late_pattern(rb'"layers"\s*:\s*\{\s*"frame"\s*:\s*\{\s*"frame[._]')

_HOPPSCOTCH: Final = late_pattern(
    rb'"responses"\s*:\s*\{\s*"[^"]{0,200}"\s*:\s*\{[\s\S]{0,400}?"originalRequest"'
)
# A log holds an object a line; a journal holds a list.
_LINES: Final = late_pattern(rb"\s*\{[^\n]*\}\s*\n\s*\{")
_LISTED: Final = late_pattern(rb'"[\w-]{1,40}"\s*:\s*\[\s*\{')
# ChromeDriver puts each event into a string.
_EVENT: Final = late_pattern(
    rb'\\?"method\\?"\s*:\s*\\?"Network\.(?:requestWillBeSent|responseReceived)(?:ExtraInfo)?\\?"'
)
_ASKED: Final = late_pattern(
    rb'"(?:httpR|r)equest"\s*:\s*\{[^{}]{0,4000}?"(?:method|uri|url|path|absoluteUrl)"\s*:|'
    rb'"(?:httpR|r)equest"\s*:\s*\{[\s\S]{0,4000}?"method"\s*:'
)
_ANSWERED: Final = late_pattern(
    rb'"(?:httpR|r)esponse(?:Definition)?"\s*:\s*\{[\s\S]{0,8000}?"(?:status|statusCode|status_code)"\s*:'
)
# What tools for tests record: nock, Azure's test proxy, httpreplay, a stub of WireMock.
_MOCKED: Final = late_pattern(
    rb'\s*\[\s*\{\s*(?:"[\w-]+"\s*:\s*[^{}\[\]]{0,300},\s*){0,3}"scope"\s*:\s*"https?://'
    rb'|\s*\{(?:\s*"Variables"\s*:\s*(?:\{[^{}]*\}|null)\s*,)?\s*"Entries"\s*:\s*\[\s*\{\s*"RequestUri"'
    rb'|\s*\{\s*"Initial"\s*:[\s\S]{0,4000}?"Entries"\s*:\s*\[\s*\{'
    rb'|\s*\{(?:\s*"(?:id|uuid|name|priority|persistent|metadata)"\s*:\s*(?:[^{}\[\]]{0,300}|\{[^{}]{0,2000}\})\s*,){0,8}?'
    rb'(?:\s*"mappings"\s*:\s*\[[\s\S]{0,2000}?)?\s*"request"\s*:\s*\{[\s\S]{0,4000}?'
    rb'(?:"urlPath"|"equalTo(?:Json|Xml)?"|"bodyFileName")[\s\S]{0,4000}'
)
_JOURNAL_YAML: Final = late_pattern(
    # White space is not given back: each of its characters would be tried as the end of a run.
    rb"\s*+(?:(?:#[^\n]*|(?:---|[\w-]{1,40}:)[^\S\n]*+)\n(?:[^\S\n]*+\n)*+){0,5}\s*+"
    rb"- (?:[\w-]+: [^\n]*\n\s++){0,6}request:[^\S\n]*+\n"
)
_JOURNAL_ANSWER: Final = late_pattern(rb"\n[^\S\n]++response:[^\S\n]*+\n")
_INSOMNIA_5: Final = late_pattern(
    rb"(?:\A|\n)type: \"?(?:collection|spec|mock|environment)\.insomnia\.rest/5"
)
_BRUNO_RUN: Final = late_pattern(rb'"results"\s*:\s*\[\s*\{[\s\S]{0,600}?"(?:request|filename)"')


def is_har(head: bytes) -> bool:
    """Tell whether this is a HAR file."""
    if head.lstrip()[:1] != b"{":
        return False
    # Other formats need none of what the HAR reader imports.
    from ifmatch.capture.har.reader import looks_like_har  # noqa: PLC0415

    return looks_like_har(head)


def is_mitmproxy(head: bytes) -> bool:
    """Tell whether this is a flow file of mitmproxy."""
    return _FLOWS.match(head) is not None


def is_vcr(head: bytes) -> bool:
    """Tell whether this is a cassette of VCR, vcrpy, betamax or go-vcr."""
    return _CASSETTE.search(head[:65536]) is not None


def is_charles(head: bytes) -> bool:
    """Tell whether this is a JSON session of Charles."""
    start = head[:8192]
    return _TRANSACTIONS.match(start) is not None and all(
        sign in start for sign in (b'"protocolVersion"', b'"host"', b'"tunnel"')
    )


def is_xml_session(head: bytes) -> bool:
    """Tell whether this is a session of Charles, Burp or JMeter as XML."""
    return head.lstrip()[:1] == b"<" and _XML_SESSION.search(head[:16384]) is not None


def is_postman(head: bytes) -> bool:
    """Tell whether this is a Postman collection."""
    if head.lstrip()[:1] != b"{":
        return False
    start = head[:65536]
    return b'"item"' in start and any(
        sign in start for sign in (b"getpostman.com/json/collection", b'"_postman_id"', b'"originalRequest"')
    )


def is_newman(head: bytes) -> bool:
    """Tell whether this is the JSON report of a newman run."""
    if head.lstrip()[:1] != b"{" or not _EXECUTIONS.search(head[:4096]):
        return False
    # The collection that was run stands first, and may be long.
    return b'"executions"' in head or (b'"collection"' in head[:200] and b'"item"' in head)


def is_net_log(head: bytes) -> bool:
    """Tell whether Chrome wrote this as its network log."""
    start = head[:4096]
    return (
        start.lstrip()[:1] == b"{"
        and b'"constants"' in start
        and (b'"logEventTypes"' in head or b'"activeFieldTrialGroups"' in start)
    )


def is_otlp(head: bytes) -> bool:
    """Tell whether this is a trace as OTLP JSON."""
    if _BATCHES.match(head) is not None:
        return b'"scopeSpans"' in head or b'"instrumentationLibrarySpans"' in head
    return head.lstrip()[:1] == b"{" and _SPANS.search(head[:8192]) is not None


def is_jaeger(head: bytes) -> bool:
    """Tell whether this is a trace as Jaeger gives it out."""
    start = head[:65536]
    if head.lstrip()[:1] != b"{" or b'"traceID"' not in start:
        return False
    return b'"spans"' in start or _STORED_SPAN.match(start) is not None


def is_log_export(head: bytes) -> bool:
    """Tell whether a log service answered this to a query."""
    start = head[:32768]
    if start.lstrip()[:1] not in {b"{", b"["}:
        return False
    return any(sign in start and pattern.search(start) is not None for sign, pattern in _EXPORTS)


def is_kubernetes_audit(head: bytes) -> bool:
    """Tell whether the API server of Kubernetes wrote this as its audit log."""
    start = head[:65536]
    return b'"auditID"' in start and _AUDIT.search(start) is not None


def is_apigee(head: bytes) -> bool:
    """Tell whether this is a debug session of Apigee."""
    start = head[:65536]
    if start.lstrip()[:1] == b"<":
        return b"<DebugSession" in start[:4096] and b"<Point" in start
    return start.lstrip()[:1] in {b"{", b"["} and _POINTS.search(start) is not None


def is_devtools_events(head: bytes) -> bool:
    """Tell whether these are events of the Chrome DevTools Protocol."""
    start = head[:65536]
    return start.lstrip()[:1] in {b"{", b"["} and _EVENT.search(start) is not None


def _replayed(head: bytes) -> bool:
    from ifmatch.capture.documents.replay_lines import is_replay  # noqa: PLC0415 - as nock's scripts

    return is_replay(head)


def _nock_script(head: bytes) -> bool:
    from ifmatch.capture.documents.nock_scripts import is_nock_script  # noqa: PLC0415 - few sources are scripts

    return is_nock_script(head)


def is_journal(head: bytes) -> bool:
    """Tell whether a tool kept requests here, each with its answer, in one document."""
    start = head[:65536]
    if _MOCKED.match(start) is not None or (b"nock(" in start and _nock_script(head)):
        return True
    if start.lstrip()[:4] == b"http" and _replayed(head):
        return True
    if _JOURNAL_YAML.match(start) is not None:
        return _JOURNAL_ANSWER.search(start) is not None
    asked = _ASKED.search(start)
    if asked is None or start.lstrip()[:1] not in {b"{", b"["} or _LINES.match(start) is not None:
        return b'"response_status"' in start and b'"response_headers"' in start and b'"entries"' in start
    listed = start.lstrip()[:1] == b"[" or _LISTED.search(start, 0, asked.start()) is not None
    return listed and _ANSWERED.search(start) is not None


def is_service_events(head: bytes) -> bool:
    """Tell whether a cloud service or Sentry kept these events of requests."""
    if _ANALYTICS.match(head) is not None:
        return True
    start = head[:65536]
    if start.lstrip()[:1] not in {b"{", b"["}:
        return False
    return any(sign in start and pattern.search(start) is not None for sign, pattern in _EVENTS)


def is_tshark(head: bytes) -> bool:
    """Tell whether these are packets as tshark takes them apart, with the names of the fields."""
    start = head.lstrip()[:65536]
    if start[:1] == b"<":
        return b"<pdml" in start[:4096]
    if start[:1] in {b"[", b"{"}:
        return _TSHARK_JSON.search(start) is not None
    # A greeting or a fence may stand above.
    return any(
        b"http" in line and len(_TSHARK_COLUMN.findall(line.strip())) > 1
        for line in start.split(b"\n", 9)[:9]
    )


def is_playwright(head: bytes) -> bool:
    """Tell whether this is the network file of a Playwright trace."""
    return head.lstrip()[:1] == b"{" and b'"resource-snapshot"' in head[:8192]


def is_api_client(head: bytes) -> bool:
    """Tell whether Insomnia, Bruno or Hoppscotch exported this, with responses in it, or Insomnia 5."""
    if _INSOMNIA_5.search(head[:4096]) is not None:
        return True
    if head.lstrip()[:1] not in {b"{", b"["}:
        return False
    if b'"__export_format"' in head[:4096]:
        return b'"response"' in head or b'"res_' in head
    start = head[:65536]
    if b'"responseMeta"' in start and b'"endpoint"' in start:
        return True
    if b'"originalRequest"' in start and b'"endpoint"' in start:
        return _HOPPSCOTCH.search(start) is not None
    if b'"assertionResults"' in start and _BRUNO_RUN.search(start) is not None:
        return True
    return b'"examples"' in start and b'"items"' in start and b'"statusText"' in start
