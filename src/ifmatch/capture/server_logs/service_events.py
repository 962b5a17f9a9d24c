"""Read events that services keep of requests: CloudTrail, logs of Azure Storage, Cloud Audit Logs, Sentry.

They name who asked for what when, and how it ended; conditions and tags only Azure Storage names. What an
event does not name is unknown. Source of the formats: record contents of CloudTrail, Storage Analytics log
format 1.0 and 2.0 and resource logs of Azure Monitor, `AuditLog` of Google Cloud, event payloads of Sentry.
"""

from __future__ import annotations

import csv
import html
import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.base.json_values import load, moment, number, objects, read_limited, text
from ifmatch.capture.base.moments import iso_moment
from ifmatch.model.json_values import members_in
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from ifmatch.model.exchange import Capture

__all__ = ["read_service_events"]

_ANALYTICS: Final = re.compile(r"[12]\.\d;\d{4}-\d\d-\d\dT")
# Columns of Storage Analytics logs, counted from 0.
_STARTED, _OPERATION, _WORD, _STATUS = 1, 2, 3, 4
_URL, _ADDRESS, _VERSION, _ETAG, _MODIFIED, _CONDITIONS, _AGENT = 11, 15, 16, 24, 25, 26, 27
_VERBS: Final = (
    (re.compile(r"(?:Get|Head)\w*(?:Properties|Metadata|Acl)\Z|HeadObject\Z"), "HEAD"),
    (re.compile(r"(?:Get|List|Query|Select|Read)", re.IGNORECASE), "GET"),
    (re.compile(r"(?:Delete|Remove)", re.IGNORECASE), "DELETE"),
    (re.compile(r"(?:Merge|Patch)", re.IGNORECASE), "PATCH"),
    (re.compile(r"(?:Insert|Post|CreateMultipart|CompleteMultipart)", re.IGNORECASE), "POST"),
    (re.compile(r"(?:Put|Set|Copy|Update|Create|Append|Lease|Upload|Rename|Flush)", re.IGNORECASE), "PUT"),
)  # fmt: skip
_S3_STATUS: Final = {
    "PreconditionFailed": 412, "ConditionalRequestConflict": 409, "OperationAborted": 409, "NoSuchKey": 404,
    "AccessDenied": 403, "NotModified": 304,
}  # fmt: skip
_DYNAMODB: Final = frozenset({"ConditionalCheckFailedException", "TransactionCanceledException"})
# google.rpc.Code: how the JSON API of Cloud Storage says the same.
_RPC_STATUS: Final = {0: 200, 5: 404, 7: 403, 9: 412, 10: 409}
_CONDITION: Final = re.compile(r"(If-(?:None-)?Match|If-(?:Un)?Modified-Since)=([^;]+)", re.IGNORECASE)
_LINE_LIMIT: Final = 64 * 1024
_ADVICE: Final = "Record the traffic of the client: ifmatch explain capture"


def read_service_events(stream: BinaryIO, name: str) -> Capture:
    """Read events of requests.

    Args:
        stream: binary stream at the start of the file.
        name: name of the source as the user gave it.

    Raises:
        InputError: no event names a request and how it ended, or the file is larger than 256 MiB.
    """
    data = read_limited(stream, name, what="log")
    drafts = Drafts(name)
    skipped = 0
    events = _analytics(data) if _ANALYTICS.match(data[:40].decode("latin-1").lstrip()) else _json(data)
    for line, found in events:
        if found is None or not found.url or not found.status:
            skipped += 1
            continue
        found.line = line
        drafts.found.append(found)
    if skipped:
        drafts.warn(f"events that tell of no request and its end were passed over: {skipped}")
    drafts.order_by_time()
    if not any(name.lower() == "etag" for one in drafts.found for name, _ in one.received or ()):
        drafts.warn("these events name no entity tags, so most causes cannot be told from them. " + _ADVICE)
    return drafts.capture(
        "service-events", nothing="no event in this log names a request and how it ended", advice=_ADVICE
    )


def _begun(operation: str, url: str, status: int) -> Draft:
    method = next((verb for pattern, verb in _VERBS if pattern.match(operation)), "POST")
    draft = Draft(method, url, sent_complete=False, received_complete=False, framed=False)
    draft.status = status if 100 <= status <= 599 else 0
    return draft


def _timed(draft: Draft, said: str) -> None:
    at = iso_moment(said)
    if at is not None:
        draft.started, draft.resolution = at


def _asked_by(draft: Draft, agent: str, address: str, user: str) -> None:
    """Keep who asked, as a server that logs fields would show it."""
    host = address.rpartition(":")[0] if re.fullmatch(r"[\d.]+:\d+", address) else address
    for name, value in (("User-Agent", agent), ("X-Forwarded-For", host), ("X-Remote-User", user)):
        if value:
            draft.add_sent(name, value)


def _tag(said: str) -> str:
    """Return an entity tag between its quotes: a log of Azure Storage leaves them out or escapes them."""
    value = html.unescape(said).strip()
    return value if value[:1] in {'"', "*", ""} or value.startswith("W/") else f'"{value}"'


def _azure_fields(draft: Draft, conditions: str, etag: str, word: str, version: str) -> None:
    for found in _CONDITION.finditer(html.unescape(conditions)):
        is_tag = found[1].lower().endswith("-match")
        draft.add_sent(found[1], _tag(found[2]) if is_tag else found[2].strip())
    if version:
        draft.add_sent("x-ms-version", version)
    if _tag(etag):
        draft.add_received("ETag", _tag(etag))
    if draft.status >= 400 and word:
        draft.add_received("x-ms-error-code", word)


def _analytics(data: bytes) -> Iterator[tuple[int | None, Draft | None]]:
    """Yield the lines of a Storage Analytics log."""
    for line, octets in enumerate(data.split(b"\n"), 1):
        said = octets[:_LINE_LIMIT].decode("utf-8", "replace").strip()
        if not said:
            continue
        try:
            cells = next(csv.reader([said], delimiter=";"))
        except (csv.Error, StopIteration):
            cells = []
        if len(cells) <= _AGENT or not _ANALYTICS.match(said):
            yield line, None
            continue
        status = number(cells[_STATUS])
        draft = _begun(
            cells[_OPERATION], html.unescape(cells[_URL]), int(status) if status is not None else 0
        )
        _timed(draft, cells[_STARTED])
        _asked_by(draft, html.unescape(cells[_AGENT]), cells[_ADDRESS], "")
        _azure_fields(draft, cells[_CONDITIONS], cells[_ETAG], cells[_WORD], cells[_VERSION])
        if cells[_MODIFIED] and draft.method in {"GET", "HEAD"}:
            draft.add_received("Last-Modified", cells[_MODIFIED])
        yield line, draft


def _json(data: bytes) -> Iterator[tuple[int | None, Draft | None]]:
    whole = load(data)
    if whole is not None:
        for event in _listed(whole):
            yield from ((None, draft) for draft in _event(event))
        return
    for line, octets in enumerate(data.split(b"\n"), 1):
        start = octets.find(b"{")
        if start >= 0:
            for event in _listed(load(octets[start:].strip(b" \r\t,]"))):
                yield from ((line, draft) for draft in _event(event))


def _listed(whole: object) -> list[dict[str, object]]:
    """Return the events of a document: a list, one alone, or what the services wrap them in."""
    one = members_in(whole)
    for name in ("Records", "records", "Events", "entries"):
        if listed := objects(one.get(name)):
            return [members_in(load(text(each.get("CloudTrailEvent")).encode())) or each for each in listed]
    return objects(whole) or ([one] if one else [])


def _event(event: dict[str, object]) -> Iterator[Draft | None]:
    if "eventSource" in event and "eventName" in event:
        yield _cloudtrail(event)
    elif members_in(event.get("protoPayload")):
        yield _audit(event)
    elif "operationName" in event and "properties" in event:
        yield _resource_log(event)
    elif "breadcrumbs" in event:
        yield from _breadcrumbs(event)
    else:
        yield None


def _cloudtrail(event: dict[str, object]) -> Draft | None:
    """Return a request to S3, or one that a condition of DynamoDB refused: others name no object."""
    asked, code = members_in(event.get("requestParameters")), text(event.get("errorCode"))
    service, region = text(event.get("eventSource")).partition(".")[0], text(event.get("awsRegion"))
    operation, message = text(event.get("eventName")), text(event.get("errorMessage"))
    if service == "s3" and text(asked.get("key")):
        host = text(asked.get("Host")) or f"{text(asked.get('bucketName'))}.s3.{region}.amazonaws.com"
        status = _S3_STATUS.get(code, 0) if code else 200
        draft = _begun(operation, f"https://{host}/{quote(text(asked.get('key')))}", status)
        draft.add_received("x-amz-request-id", text(event.get("requestID")))
        answer = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    elif service == "dynamodb" and code in _DYNAMODB:
        draft = _begun("Post", f"https://dynamodb.{region}.amazonaws.com/", 400)
        draft.add_sent("X-Amz-Target", f"DynamoDB_20120810.{operation}")
        answer = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message})
    else:
        return None
    if code:
        draft.received_content = Content.from_text(answer)
    user = members_in(event.get("userIdentity"))
    who = text(user.get("arn")) or text(user.get("principalId"))
    _asked_by(draft, text(event.get("userAgent")), text(event.get("sourceIPAddress")), who)
    _timed(draft, text(event.get("eventTime")))
    return draft


def _audit(event: dict[str, object]) -> Draft | None:
    """Return a request to an object of Cloud Storage."""
    payload = members_in(event.get("protoPayload"))
    place = re.match(r"projects/[^/]+/buckets/([^/]+)/objects/(.+)\Z", text(payload.get("resourceName")))
    operation = text(payload.get("methodName")).rpartition(".")[2]
    said = members_in(payload.get("status"))
    code = number(said.get("code", 0))
    if place is None or code is None:
        return None
    url = f"https://storage.googleapis.com/storage/v1/b/{place[1]}/o/{quote(place[2], safe='')}"
    draft = _begun(operation, url, _RPC_STATUS.get(int(code), 0))
    if draft.status >= 400:
        answer = {"error": {"code": draft.status, "message": text(said.get("message"))}}
        draft.received_content = Content.from_json(answer)
    met = members_in(payload.get("requestMetadata"))
    who = text(members_in(payload.get("authenticationInfo")).get("principalEmail"))
    _asked_by(draft, text(met.get("callerSuppliedUserAgent")), text(met.get("callerIp")), who)
    _timed(draft, text(event.get("timestamp")))
    return draft


def _resource_log(event: dict[str, object]) -> Draft:
    said = members_in(event.get("properties"))
    status = number(event.get("statusCode"))
    url = text(event.get("uri"))
    draft = _begun(text(event.get("operationName")), url, int(status) if status is not None else 0)
    who = text(members_in(members_in(event.get("identity")).get("requester")).get("upn"))
    _asked_by(draft, text(said.get("userAgentHeader")), text(event.get("callerIpAddress")), who)
    word, version = text(event.get("statusText")), text(event.get("operationVersion"))
    _azure_fields(draft, text(said.get("conditionsUsed")), text(said.get("etag")), word, version)
    _timed(draft, text(event.get("time")))
    draft.duration = moment(event.get("durationMs"), 1000)
    return draft


def _breadcrumbs(event: dict[str, object]) -> Iterator[Draft | None]:
    """Yield the requests that a page or a program sent before Sentry was told of an error."""
    listed = event.get("breadcrumbs")
    for crumb in objects(members_in(listed).get("values")) or objects(listed):
        data = members_in(crumb.get("data"))
        status, url = number(data.get("status_code")), text(data.get("url"))
        if status is None or not url or not 100 <= status <= 599:
            continue
        draft = _begun("Get", url, int(status))
        draft.method = text(data.get("method")).upper()
        at = crumb.get("timestamp")
        draft.started = moment(at)
        if draft.started is None:
            _timed(draft, text(at))
        yield draft if draft.method else None
