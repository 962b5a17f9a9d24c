"""Build captures of any length, of many kinds of traffic, each with some refusals or losses where it can."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

START = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
HOST = "https://api.example"
JSON, XML, FORM = "application/json", "application/xml", "application/x-www-form-urlencoded"
CONFLICT = {"error": "conflict", "detail": "someone else has saved this in the meantime"}


class Log:
    """Entries of a HAR, each some seconds after the one before."""

    def __init__(self):
        self.entries = []
        self.clock = START

    def add(
        self,
        method,
        url,
        status,
        *,
        sent=(),
        got=(),
        body=None,
        content=None,
        kind=JSON,
        agent="one/1",
        gap=4,
    ):
        self.clock += timedelta(seconds=gap)
        request = [("User-Agent", agent), *([("Content-Type", kind)] if body is not None else ()), *sent]
        answer = [("Date", dated(self.clock)), ("Content-Type", kind), *got]
        self.entries.append(
            {
                "startedDateTime": self.clock.isoformat(),
                "time": 40,
                "request": {
                    "method": method,
                    "url": url if "://" in url else HOST + url,
                    "httpVersion": "HTTP/1.1",
                    "headers": [{"name": name, "value": value} for name, value in request],
                    **({"postData": {"mimeType": kind, "text": as_text(body)}} if body is not None else {}),
                },
                "response": {
                    "status": status,
                    "statusText": "",
                    "httpVersion": "HTTP/1.1",
                    "headers": [{"name": name, "value": value} for name, value in answer],
                    "content": {"mimeType": kind, "text": as_text(content)},
                },
            }
        )


def as_text(value):
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def dated(moment):
    return f"{moment:%a, %d %b %Y %H:%M:%S} GMT"


def two(number):
    return "one/1" if number % 2 else "two/2"


def note(number, version=None):
    record = {"id": 7, "title": f"title {number}", "text": f"written in round {number}, word for word"}
    return record if version is None else record | {"version": version}


def polls(log, number):
    tag = f'"{number // 10:05x}c3"'
    asked = [("If-None-Match", f'"{(number - 1) // 10:05x}c3"')] if number else []
    fresh = number % 10 == 0
    status = 200 if fresh else 304
    log.add(
        "GET", "/board/1", status, sent=asked, got=[("ETag", tag)], content=note(number) if fresh else None
    )


def unguarded_posts(log, number):
    log.add("POST", "/notes", 200, body=note(number), content=note(number), agent=two(number))


def posts_with_versions(log, number):
    body, held = note(number, number), note(number, number + 1)
    log.add("POST", "/save", 200, body=body, content=held, agent=two(number))


def silent_posts(log, number):
    log.add("POST", "/log", 204, body={"line": f"entry {number}", "level": number % 5})


def tagged_edits(log, number):
    old, new = f'"{number:05x}a7"', f'"{number + 1:05x}a7"'
    log.add("GET", "/notes/7", 200, got=[("ETag", old)], content=note(number))
    stale = f'"{max(0, number - 1):05x}a7"'
    if number % 10 == 5:
        log.add("PUT", "/notes/7", 412, sent=[("If-Match", stale)], body=note(number + 1), content=CONFLICT)
    log.add("PUT", "/notes/7", 200, sent=[("If-Match", old)], got=[("ETag", new)], body=note(number + 1))


def versions_in_contents(log, number):
    log.add("GET", "/notes/7", 200, content=note(number, number))
    if number % 10 == 5:
        log.add("PUT", "/notes/7", 409, body=note(number + 1, number - 1), content=CONFLICT)
    log.add("PUT", "/notes/7", 200, body=note(number + 1, number), content=note(number + 1, number + 1))


def unguarded_loops(log, number):
    log.add("GET", "/notes/7", 200, content=note(number), agent=two(number))
    log.add("PUT", "/notes/7", 200, body=note(number + 1), content=note(number + 1), agent=two(number))


def records_in_lists(log, number):
    row = number % 5
    rows = [{"id": each, "name": f"part {each}", "rev": number // 5} for each in range(5)]
    log.add("GET", "/parts", 200, content={"items": rows})
    mine = {"name": f"part {row} again", "rev": number // 5}
    refused = number % 10 == 7
    answer = CONFLICT if refused else mine | {"id": row, "rev": number // 5 + 1}
    log.add("PUT", f"/parts/{row}", 409 if refused else 200, body=mine, content=answer)


def job_lists(log, number):
    ticket = f"job-{number:06d}"
    log.add("POST", "/jobs", 202, body={"import": f"file {number}"}, content={"ticket": ticket})
    jobs = [
        {"ticket": f"job-{each:06d}", "state": "failed: conflict" if each % 10 == 3 else "done"}
        for each in range(max(0, number - 4), number + 1)
    ]
    log.add("GET", "/jobs", 200, content={"jobs": jobs})


def accepted_reports(log, number):
    where = f"/reports/{number}"
    log.add("PUT", f"/notes/{number}", 202, got=[("Location", where)], body=note(number, number))
    state = (
        {"status": "rejected", "reason": "version is outdated"} if number % 10 == 3 else {"status": "done"}
    )
    log.add("GET", where, 200, content=state)


def searches(log, number):
    rows = [{"id": each, "title": f"title {number}", "version": number} for each in range(4)]
    log.add("POST", "/search", 200, body={"query": f"word{number}"}, content={"hits": rows})
    refused = number % 10 == 3
    answer = CONFLICT if refused else note(number, number + 1)
    body = note(number, number - refused)
    log.add("PUT", f"/notes/{number % 4}", 409 if refused else 200, body=body, content=answer)


def webdav(log, number):
    tag, lock = f'"{number:05x}d"', f"<urn:uuid:{number:08x}-0000-4000-8000-000000000000>"
    status = (
        '<?xml version="1.0"?><D:multistatus xmlns:D="DAV:"><D:response><D:href>/dav/plan.txt</D:href>'
        f"<D:propstat><D:prop><D:getetag>{tag}</D:getetag></D:prop><D:status>HTTP/1.1 200 OK</D:status>"
        "</D:propstat></D:response></D:multistatus>"
    )
    log.add("PROPFIND", "/dav/plan.txt", 207, sent=[("Depth", "0")], content=status, kind=XML)
    log.add("LOCK", "/dav/plan.txt", 200, got=[("Lock-Token", lock)], content="<lockdiscovery/>", kind=XML)
    condition = f"({lock} [{tag}])"
    refused = number % 10 == 3
    log.add("PUT", "/dav/plan.txt", 412 if refused else 204, sent=[("If", condition)], body=f"plan {number}")
    log.add("UNLOCK", "/dav/plan.txt", 204, sent=[("Lock-Token", lock)])


def json_rpc(log, number):
    def call(method, params, **answer):
        body = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        log.add("POST", "/rpc", 200, body=body, content={"jsonrpc": "2.0", "id": number, **answer})

    call("note.get", {"id": 7}, result=note(number, number))
    if number % 10 == 5:
        call("note.save", note(number, number - 1), error={"code": -32009, "message": "version conflict"})
    call("note.save", note(number + 1, number), result=note(number + 1, number + 1))


def graphql(log, number):
    asked = {"query": "query { note(id: 7) { id title text version } }"}
    log.add("POST", "/graphql", 200, body=asked, content={"data": {"note": note(number, number)}})
    change = {
        "query": "mutation Save($input: NoteInput!) { saveNote(input: $input) { id version } }",
        "variables": {"input": note(number + 1, number)},
    }
    refused = number % 10 == 5
    told = {"errors": [{"message": "stale version", "extensions": {"code": "CONFLICT"}}], "data": None}
    done = {"data": {"saveNote": {"id": 7, "version": number + 1}}}
    log.add("POST", "/graphql", 200, body=change, content=told if refused else done)


def soap(log, number):
    def envelope(inner):
        return f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{inner}</s:Body></s:Envelope>'

    action = [("SOAPAction", '"SaveNote"')]
    body = envelope(
        f"<SaveNote><id>7</id><title>title {number}</title><version>{number}</version></SaveNote>"
    )
    refused = number % 10 == 5
    fault = "<s:Fault><faultcode>s:Server</faultcode><faultstring>version conflict</faultstring></s:Fault>"
    answer = envelope(
        fault if refused else f"<SaveNoteResponse><version>{number + 1}</version></SaveNoteResponse>"
    )
    log.add("POST", "/soap", 500 if refused else 200, sent=action, body=body, content=answer, kind=XML)


def batches(log, number):
    parts = [
        {"id": str(each), "method": "PUT", "url": f"/notes/{each}", "body": note(number, number)}
        for each in range(3)
    ]
    answers = [{"id": str(each), "status": 200, "body": note(number, number + 1)} for each in range(3)]
    if number % 10 == 3:
        answers[1] = {"id": "1", "status": 409, "body": CONFLICT}
    log.add("POST", "/$batch", 200, body={"requests": parts}, content={"responses": answers})


def ranges(log, number):
    begin, tag = number * 1000, f'"{number // 20:04x}film"'
    asked = [("Range", f"bytes={begin}-{begin + 999}"), ("If-Range", f'"{(number - 1) // 20:04x}film"')]
    part = f"bytes {begin}-{begin + 999}/9000000"
    whole = number % 20 == 0
    got = [("ETag", tag), *([] if whole else [("Content-Range", part)])]
    text = f"part {number} of the film"
    log.add("GET", "/film.bin", 200 if whole else 206, sent=asked, got=got, content=text, kind="text/plain")


def resumed_uploads(log, number):
    offset = number * 500
    late = number % 10 == 3
    sent = [("Tus-Resumable", "1.0.0"), ("Upload-Offset", str(offset - 500 * late))]
    got = [("Upload-Offset", str(offset + 500 * (not late)))]
    log.add("PATCH", "/files/24e5", 409 if late else 204, sent=sent, got=got, body=f"octets {number}")
    log.add("HEAD", "/files/24e5", 200, got=[("Upload-Offset", str(offset + 500))])


def refused_at_one(log, number):
    log.add("GET", "/notes/7", 200, got=[("ETag", f'"{number:05x}b1"')], content=note(number))
    sent = [("If-Match", f'"{max(0, number - 3):05x}b1"')]
    log.add("PUT", "/notes/7", 412, sent=sent, body=note(number + 1), content=CONFLICT, agent=two(number))


def conflicts_at_many(log, number):
    log.add("GET", f"/notes/{number}", 200, content=note(number, number))
    log.add("PUT", f"/notes/{number}", 409, body=note(number, number), content=CONFLICT)


def redirects(log, number):
    log.add("PUT", f"/old/{number}", 307, got=[("Location", f"/new/{number}")], body=note(number))
    log.add("PUT", f"/new/{number}", 200, body=note(number), content=note(number))
    log.add("GET", "/latest", 302, got=[("Location", f"/new/{number}")])
    log.add("GET", f"/new/{number}", 200, content=note(number))


def change_feeds(log, number):
    rows = [
        {"seq": number * 3 + each, "record": each, "by": two(each), "version": number} for each in range(3)
    ]
    content = {"changes": rows, "next": f"mark-{number + 1:06d}"}
    log.add("GET", f"/changes?since=mark-{number:06d}", 200, content=content)
    log.add("PUT", f"/notes/{number % 3}", 200, body=note(number), content=note(number, number))


def object_parts(log, number):
    key, upload = f"/bucket/{number}.bin", f"upl{number:08x}"
    text = f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
    log.add("POST", f"{key}?uploads", 200, content=text, kind=XML)
    tag = [("ETag", f'"{number:032x}"')]
    log.add("PUT", f"{key}?partNumber=1&uploadId={upload}", 200, got=tag, body=f"octets {number}", kind=XML)
    refused = number % 10 == 3
    answer = (
        "<Error><Code>PreconditionFailed</Code></Error>" if refused else f"<Result><Key>{key}</Key></Result>"
    )
    sent = [("If-None-Match", "*")]
    body = "<CompleteMultipartUpload/>"
    where = f"{key}?uploadId={upload}"
    log.add("POST", where, 412 if refused else 200, sent=sent, body=body, content=answer, kind=XML)


def html_forms(log, number):
    page = (
        f'<html><form action="/pages/7/edit" method="post"><input type="hidden" name="lock_version" '
        f'value="{number}"><textarea name="text">round {number}</textarea></form></html>'
    )
    log.add("GET", "/pages/7/edit", 200, content=page, kind="text/html")
    form = urlencode({"lock_version": number, "text": f"round {number + 1}"})
    refused = number % 10 == 3
    answer = "<html><p>Someone else has edited this page.</p></html>" if refused else ""
    got = [] if refused else [("Location", "/pages/7")]
    log.add("POST", "/pages/7/edit", 200 if refused else 302, got=got, body=form, content=answer, kind=FORM)


def dated_edits(log, number):
    before = [("Last-Modified", dated(log.clock - timedelta(seconds=60)))]
    log.add("GET", "/notes/7", 200, got=before, content=note(number))
    sent = [("If-Unmodified-Since", before[0][1])]
    refused = number % 10 == 5
    log.add("PUT", "/notes/7", 412 if refused else 204, sent=sent, body=note(number + 1), agent=two(number))


def leases(log, number):
    sent = [("If-None-Match", "*")]
    taken = number % 3 == 1
    log.add("PUT", "/leases/leader", 412 if taken else 201, sent=sent, body=note(number), agent=two(number))
    if number % 3 == 2:
        log.add("DELETE", "/leases/leader", 204)


def audits(log, number):
    log.add("PUT", "/notes/7", 200, body=note(number), content={"saved": True}, agent=two(number))
    rows = [
        {"at": each, "by": two(each), "old": f"title {each - 1}", "new": f"title {each}"}
        for each in (number,)
    ]
    log.add("GET", "/notes/7/history", 200, content={"entries": rows})


def created_one_by_one(log, number):
    log.add(
        "POST",
        "/orders",
        201,
        got=[("Location", f"/orders/{number}")],
        body=note(number),
        content={"id": number},
    )
    log.add("GET", f"/orders/{number}", 200, content=note(number) | {"id": number})


def keyed_payments(log, number):
    sent = [("Idempotency-Key", f"key-{number // 2:08x}")]
    log.add("POST", "/payments", 201, sent=sent, body={"amount": number // 2}, content={"id": number // 2})


KINDS = (
    polls,
    unguarded_posts,
    posts_with_versions,
    silent_posts,
    tagged_edits,
    versions_in_contents,
    unguarded_loops,
    records_in_lists,
    job_lists,
    accepted_reports,
    searches,
    webdav,
    json_rpc,
    graphql,
    soap,
    batches,
    ranges,
    resumed_uploads,
    refused_at_one,
    conflicts_at_many,
    redirects,
    change_feeds,
    object_parts,
    html_forms,
    dated_edits,
    leases,
    audits,
    created_one_by_one,
    keyed_payments,
)


def capture_of(kind, length):
    """Return a HAR of at least so many exchanges of a kind.

    Args:
        kind: of `KINDS`.
        length: of the capture.
    """
    log, number = Log(), 0
    while len(log.entries) < length:
        kind(log, number)
        number += 1
    creator = {"name": "x", "version": "1"}
    return json.dumps({"log": {"version": "1.2", "creator": creator, "entries": log.entries}}).encode()
