"""Know the members of JSON access logs: what people call method, target, status, times and fields.

Members are known by their names, nested ones by their path. A member that is missing, null, empty or `-` says
nothing. Source of the names: the access log pages of the servers named,
see docs/decisions/071-access-logs.md.
"""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING, Final, cast

from ifmatch.model.json_values import elements_in
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.capture.server_logs.records import LogRecord

__all__ = ["fill", "meaning_at"]

_PLACES: Final = (
    "httprequest",
    "http.request",
    "http.response",
    "http",
    "request",
    "req",
    "response",
    "res",
    "resp",
    "upstream",
    "jsonpayload",
    "url",
    "fields",
    "cs",
    "sc",
    "client",
    "event",
    "attributes",
    # An error of axios as JSON.
    "config",
    "user_agent",
)
_MEANINGS: Final = {
    "method": "method",
    "request_method": "method",
    "requestmethod": "method",
    "verb": "method",
    "http_method": "method",
    "reqmethod": "method",
    "cs_method": "method",
    "http_request_method": "method",
    "csmethod": "method",
    "clientrequestmethod": "method",
    "httpmethod": "method",
    "url": "target",
    "uri": "target",
    "request_uri": "target",
    "requesturl": "target",
    "path": "target",
    "requestpath": "target",
    "full": "target",
    "original": "target",
    "request_path": "target",
    "http_target": "target",
    "http_url": "target",
    "url_full": "target",
    "target": "target",
    "cs_uri": "target",
    "originalurl": "target",
    "clientrequesturi": "target",
    "csuristem": "target",
    "cs_uri_stem": "target",
    "requesturi": "target",
    "http_route": "",
    "request": "request",
    "request_line": "request",
    "status": "status",
    "status_code": "status",
    "statuscode": "status",
    "response_code": "status",
    "http_status": "status",
    "httpstatus": "status",
    "responsestatus": "status",
    "downstreamstatus": "status",
    "code": "status",
    "http_status_code": "status",
    "http_response_status_code": "status",
    "sc_status": "status",
    "edgeresponsestatus": "status",
    "resultcode": "status",
    "responsecode": "status",
    "httpstatuscode": "status",
    "scstatus": "status",
    "response_status": "status",
    "host": "host",
    "http_host": "host",
    "authority": "host",
    "requesthost": "host",
    "clientrequesthost": "host",
    "server_name": "",
    "requestaddr": "host",
    "cshost": "host",
    "x_host_header": "host",
    "domain": "host",
    "url_domain": "host",
    "scheme": "scheme",
    "requestscheme": "scheme",
    "cs_protocol": "scheme",
    "http_scheme": "scheme",
    "remote_addr": "client",
    "remote_ip": "client",
    "remoteip": "client",
    "remoteaddress": "client",
    "client_ip": "client",
    "clienthost": "client",
    "c_ip": "client",
    "clientip": "client",
    "cip": "client",
    "calleripaddress": "client",
    "source_ip": "client",
    "client_address": "client",
    "network_client_ip": "client",
    "client": "client",
    "downstream_remote_address": "client",
    "ip": "client",
    "query": "query",
    "query_string": "query",
    "csuriquery": "query",
    "args": "query",
    "upstream_addr": "peer",
    "upstream_host": "peer",
    "forensic_id": "mark",
    "unique_id": "mark",
    "proto": "version",
    "protocol": "version",
    "server_protocol": "version",
    "requestprotocol": "version",
    "httpversion": "version",
    "request_time": "duration:s",
    "duration_ms": "duration:ms",
    "durationms": "duration:ms",
    "elapsed_ms": "duration:ms",
    "took_ms": "duration:ms",
    "responsetime": "duration:ms",
    "response_time_ms": "duration:ms",
    "latency_ms": "duration:ms",
    "duration_us": "duration:us",
    "duration_ns": "duration:ns",
    # Elastic Common Schema, Datadog.
    "event_duration": "duration:ns",
    "@duration": "duration:ns",
    # Kong.
    "latencies_request": "duration:ms",
    "started_at": "start:?",
    "duration": "duration:?",
    "latency": "duration:?",
    "elapsed": "duration:?",
    "response_time": "duration:?",
    "took": "duration:?",
    "start_time": "start:?",
    "started": "start:?",
    "startedat": "start:?",
    "starttime": "start:?",
    "startutc": "start:?",
    "request_start": "start:?",
    "begin": "start:?",
    "starttimestamp": "start:?",
    "edgestarttimestamp": "start:?",
    "requesttime": "end:?",
    "ts": "end:?",
    "time": "end:?",
    "timestamp": "end:?",
    "@timestamp": "end:?",
    "timegenerated": "end:?",
    "_time": "end:?",
    "time_local": "end:clf",
    "time_iso8601": "end:iso",
    "msec": "end:epoch",
    "datetime": "end:?",
    "date": "end:?",
    "t": "end:?",
    "user_agent": "sent:User-Agent",
    "useragent": "sent:User-Agent",
    "user_agent_original": "sent:User-Agent",
    "http_useragent": "sent:User-Agent",
    "request_user_agent": "sent:User-Agent",
    "clientrequestuseragent": "sent:User-Agent",
    "http_user_agent": "sent:User-Agent",
    "referer": "sent:Referer",
    "upstream_cache_status": "cache",
    "cache_status": "cache",
    "cachestatus": "cache",
    "cachecachestatus": "cache",
    "cache_result": "cache",
    "x_edge_result_type": "cache",
    "hitmiss": "cache",
    "handling": "cache",
    "response_flags": "flags",
    "termination_state": "flags",
    "ts_state": "flags",
    "etag": "received:ETag",
    "content_encoding": "received:Content-Encoding",
    "last_modified": "received:Last-Modified",
    "request_id": "sent:X-Request-Id",
    "x_request_id": "sent:X-Request-Id",
}
_CONDITIONS: Final = {
    "if_match": "If-Match",
    "if_none_match": "If-None-Match",
    "if_unmodified_since": "If-Unmodified-Since",
    "if_modified_since": "If-Modified-Since",
    "if_range": "If-Range",
    "content_type": "Content-Type",
}
_ANSWERED: Final = {
    "etag": "ETag",
    "last_modified": "Last-Modified",
    "age": "Age",
    "vary": "Vary",
    "cache_control": "Cache-Control",
    "content_encoding": "Content-Encoding",
    "location": "Location",
    "content_type": "Content-Type",
}
_SENT_PREFIX = re.compile(
    r"(?:http|req|request|cs|requestheader|request_header|req_header|reqheader|header)_(?=.)"
)
_RECEIVED_PREFIX = re.compile(
    r"(?:sent_http|upstream_http|resp|res|response|sc|responseheader|response_header|resp_header|origin|"
    r"downstream|upstream)_(?=.)"
)
_SENT_HEADERS: Final = frozenset(
    {
        "request.headers",
        "req.headers",
        "request_headers",
        "requestheaders",
        "http.request.headers",
        "req_headers",
        "headers",
        "config.headers",
        "http.request.header",
        "request.header",
    }
)
_RECEIVED_HEADERS: Final = frozenset(
    {
        "resp_headers",
        "response.headers",
        "res.headers",
        "response_headers",
        "responseheaders",
        "http.response.headers",
        "res_headers",
        "http.response.header",
        "response.header",
        "resp.headers",
    }
)
_BODIES: Final = {
    "request_body": True,
    "req_body": True,
    "requestbody": True,
    "request.body": True,
    "req.body": True,
    "config.data": True,
    "response_body": False,
    "resp_body": False,
    "responsebody": False,
    "response.body": False,
    "res.body": False,
}
# Fields that only answers have, and fields that only requests have.
_ANSWERS: Final = frozenset({"etag", "last-modified", "server", "set-cookie", "age", "vary", "accept-ranges"})
_ASKS: Final = frozenset(
    {
        "host",
        "user-agent",
        "accept",
        "authorization",
        "cookie",
        "if-match",
        "if-none-match",
        "accept-encoding",
    }
)
_DURATION = re.compile(r"([\d.]{1,20})\s*(ns|us|µs|ms|s)\Z")
_NANOSECONDS: Final = 1_000_000
_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")
_CLOCK = re.compile(r"\d\d:\d\d:\d\d(?:\.\d{1,9})?\Z")
_DEPTH: Final = 20
_HEADERS: Final = _SENT_HEADERS | _RECEIVED_HEADERS
_WHOLE: Final = _HEADERS | _BODIES.keys()


def _leaves(value: dict[str, object], path: str = "", depth: int = 0) -> Iterator[tuple[str, object]]:
    for key, member in value.items():
        place = f"{path}.{key}".lstrip(".") if path else key
        if isinstance(member, dict) and depth < _DEPTH and place.lower() not in _WHOLE:
            yield from _leaves(cast("dict[str, object]", member), place, depth + 1)
        else:
            yield place, member


def fill(record: LogRecord, value: dict[str, object]) -> None:
    """Take what the members of one JSON object say.

    Args:
        record: of the line.
        value: the object; members that mean nothing here are passed over.
    """
    if "traceId" in value and isinstance(value.get("timestamp"), int) and "localEndpoint" in value:
        # A span of Zipkin counts microseconds from its start.
        record.set("start:epoch", str(value["timestamp"]))
        record.set("duration:us", str(value.get("duration", "")))
        value = {name: member for name, member in value.items() if name not in {"timestamp", "duration"}}
    if "StartUTC" in value and isinstance(value.get("Duration"), int):
        # Traefik counts nanoseconds, however few.
        record.set("duration:ns", str(value["Duration"]))
        value = {name: member for name, member in value.items() if name != "Duration"}
    value = _without_insights(record, value)
    day, clock = value.get("date"), value.get("time")
    if isinstance(day, str) and isinstance(clock, str) and _DAY.match(day) and _CLOCK.match(clock):
        # The members of a log of the W3C format.
        record.set("end:iso", f"{day}T{clock}Z")
        value = {name: member for name, member in value.items() if name not in {"date", "time"}}
    _fill(record, value)
    for member in value.values():
        # A member of the log's own holds the request: `{"nginx": {"request": ...}}`.
        draft = record.draft
        if isinstance(member, dict) and not (draft.method and draft.url and draft.status):
            _fill(record, cast("dict[str, object]", member))


def _without_insights(record: LogRecord, value: dict[str, object]) -> dict[str, object]:
    """Take what a record of Application Insights says in its own way; return the rest.

    A request, or a dependency, begins its name with the method, and counts from its start. A dependency is
    called by its host as target, and holds the URL as data.
    """
    named = {key.lower(): (key, member) for key, member in value.items()}
    name = named.get("name", ("", None))[1]
    if "resultcode" not in named or not isinstance(name, str):
        return value
    taken = {"timestamp", "timegenerated", "duration", "durationms", "id", "success", "target", "data"}
    record.set("method", name.partition(" ")[0])
    data = named.get("data", ("", ""))[1]
    if isinstance(data, str) and data.startswith("http"):
        record.set("target", data)
    for key in ("timestamp", "timegenerated"):
        record.set("start:iso", str(named.get(key, ("", ""))[1]))
    for key in ("duration", "durationms"):
        record.set("duration:ms", str(named.get(key, ("", ""))[1]))
    return {key: member for key, member in value.items() if key.lower() not in taken}


def _fill(record: LogRecord, value: dict[str, object]) -> None:
    draft = record.draft
    for place, member in _leaves(value):
        lowered = place.lower()
        if lowered in _HEADERS:
            _headers(record, member, sent=lowered in _SENT_HEADERS)
        elif lowered in _BODIES:
            text = member if isinstance(member, str) else json.dumps(member) if member is not None else ""
            if text and _BODIES[lowered]:
                draft.content = Content.from_text(text)
            elif text:
                draft.received_content = Content.from_text(text)
        elif isinstance(member, str | int | float) and not isinstance(member, bool):
            _leaf(record, lowered, member)
        elif member is None:
            record.set(meaning_at(lowered), "")


def _headers(record: LogRecord, value: object, *, sent: bool) -> None:
    pairs: list[tuple[str, object]] = []
    if isinstance(value, dict):
        pairs = list(cast("dict[str, object]", value).items())
    elif isinstance(value, list):
        for one in cast("list[object]", value):
            if isinstance(one, dict):
                pair = cast("dict[str, object]", one)
                pairs.append((str(pair.get("name") or pair.get("key") or ""), pair.get("value")))
    if sent and _ANSWERS.intersection(name.lower() for name, _ in pairs):
        # `headers` without a word of whose: only an answer has such ones.
        sent = bool(_ASKS.intersection(name.lower() for name, _ in pairs))
    for name, said in pairs:
        values = cast("list[object]", said) if isinstance(said, list) else [said]
        for text in values:
            if isinstance(text, str | int | float) and name and not name.startswith(":"):
                (record.draft.add_sent if sent else record.draft.add_received)(
                    name, " ".join(str(text).split("\n"))
                )
            if sent and name.lower() == "host" and isinstance(text, str):
                record.host = record.host or text


@functools.lru_cache(maxsize=4096)
def meaning_at(place: str) -> str:
    """Return the meaning of the member at a path in lower case, "" when it says nothing here."""
    name = place
    whole = _MEANINGS.get(re.sub(r"[^a-z0-9@]+", "_", place)) if "." in place else None
    if whole:
        return whole
    for prefix in _PLACES:
        if name.startswith(f"{prefix}.") and len(name) > len(prefix) + 1:
            side = prefix.rpartition(".")[2]
            name = name[len(prefix) + 1 :]
            received = side in {"response", "res", "resp", "upstream", "sc"}
            break
    else:
        received = False
    flat = re.sub(r"[^a-z0-9@]+", "_", name).strip("_")
    meaning = _MEANINGS.get(flat)
    if meaning is None and "@" in flat:
        # Datadog puts the sign before the names of attributes.
        return meaning_at(place.replace("@", ""))
    if meaning is None and flat[-2:] in {"_s", "_d"}:
        # Log Analytics says the type of a column behind its name.
        meaning = _MEANINGS.get(flat[:-2])
    return meaning if meaning is not None else _field_meaning(flat, received=received)


def _leaf(record: LogRecord, place: str, value: str | float) -> None:
    meaning = meaning_at(place)
    if not meaning:
        return
    kind, _, rest = meaning.partition(":")
    text = _alone(" ".join(str(value).split("\n")))
    if kind == "duration" and rest == "?":
        meaning, text = _duration(value)
    elif rest == "?":
        form = "epoch" if re.fullmatch(r"\d{9,19}(?:\.\d+)?", text) else "clf" if "/" in text[:8] else "iso"
        meaning = f"{kind}:{form}"
    elif meaning == "client" and re.fullmatch(r"[\d.]+:\d+", text):
        text = text.rpartition(":")[0]
    elif meaning == "query" and text in {"{}", "?"}:
        return
    if meaning == "target" and record.draft.url.startswith("http"):
        return
    record.set(meaning, text)


def _alone(text: str) -> str:
    """Return the one member of a list that stands in a string, as tracing writes header fields."""
    if not text.startswith('["') or not text.endswith('"]'):
        return text
    try:
        values: object = json.loads(text)
    except ValueError:
        return text
    only = elements_in(values)
    return only[0] if len(only) == 1 and isinstance(only[0], str) else text


def _field_meaning(flat: str, *, received: bool) -> str:
    """Return the meaning of a member that is called after a header field."""
    answered = _RECEIVED_PREFIX.match(flat)
    bare = flat[answered.end() :] if answered else flat
    bare = re.sub(r"\Aheaders?_", "", bare) if answered or received else bare
    if (answered or received) and bare in _ANSWERED:
        return f"{'upstream' if flat.startswith('upstream') else 'received'}:{_ANSWERED[bare]}"
    if flat in _CONDITIONS:
        return f"sent:{_CONDITIONS[flat]}"
    sent = _SENT_PREFIX.match(flat)
    bare = flat[sent.end() :] if sent else flat
    if sent and (bare in _CONDITIONS or bare in {"user_agent", "authorization", "x_forwarded_for"}):
        return f"sent:{_CONDITIONS.get(bare, bare.replace('_', '-'))}"
    return ""


def _duration(value: str | float) -> tuple[str, str]:
    """Tell the unit of a duration that names none: whole numbers are milliseconds, large ones nanoseconds."""
    if isinstance(value, str):
        found = _DURATION.match(value.strip())
        if found is not None:
            return f"duration:{found[2].replace('µ', 'u')}", found[1]
        return "duration:s", value
    if isinstance(value, int):
        # Go counts nanoseconds; so many milliseconds no request takes.
        return ("duration:ns" if value >= _NANOSECONDS else "duration:ms"), repr(value)
    return "duration:s", repr(value)
