"""Records under dates, tags of their own and Google's words."""

from __future__ import annotations

import hashlib
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.ivo_desk import Ask, Desk, Row, Rows, Say, http_date, iso
from tools.recording_apis.stories import held_ivo_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _moment(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp()
    except ValueError:
        return None


def _canvas() -> Desk:
    desk = Desk({"fumage-correlation-id": "a1d3b0c2-5c8f"})
    rows = Rows({})
    for number in (3, 4, 5):
        data = {
            "resourceType": "Task",
            "id": f"b7c1-{number}",
            "status": "requested",
            "description": "Call back",
        }
        rows[f"b7c1-{number}"] = Row(data, 1, 1764230000.0 + number * 61 + 0.483)

    def shown(key: str) -> dict[str, Any]:
        return {**rows[key].data, "meta": {"versionId": str(rows[key].rev), "lastUpdated": iso(rows[key].at)}}

    @desk.on("GET", "/Task")
    def page(_ask: Ask) -> Say:
        return Say(
            200,
            {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": shown(k)} for k in rows]},
        )

    @desk.on("GET", "/Task/(.+)")
    def read(_ask: Ask, key: str) -> Say:
        return Say(200, shown(key), {"Last-Modified": http_date(rows[key].at)})

    @desk.on("PUT", "/Task/(.+)")
    def write(ask: Ask, key: str) -> Say:
        limit = _moment(ask.field("if-unmodified-since"))
        if limit is not None and rows[key].at > limit:
            issue = {
                "severity": "error",
                "code": "conflict",
                "details": {"text": "Resource updated since If-Unmodified-Since"},
            }
            return Say(412, {"resourceType": "OperationOutcome", "issue": [issue]})
        body = {name: value for name, value in ask.json.items() if name != "meta"}
        rows.keep(key, body)
        return Say(200, None, {"Last-Modified": http_date(rows[key].at)})

    desk.shows(
        "/Practitioner/dr-9", {"resourceType": "Practitioner", "id": "dr-9", "name": [{"family": "Oyelaran"}]}
    )
    return desk


@at.tell(
    "e576",
    "call-back-tasks",
    "date-precision",
    "412",
    "Canvas Medical's FHIR: tasks are saved with If-Unmodified-Since set to the very Last-Modified that was served; the "
    "server keeps thousandths (meta.lastUpdated shows them) and refuses, though a second read has the same date.",
)
def tasks(stage: Stage) -> None:
    """Echo the date."""
    server = at.opened(stage, _canvas(), "Canvas Medical", "uvicorn")
    me = stage.actor(
        "client", server, "fumage-clinic.canvasmedical.test", "java", {"Authorization": "Bearer t"}
    )
    at.look(me, "/Practitioner/dr-9", "/Task?status=requested")
    for key in ("b7c1-3", "b7c1-5"):
        seen = me.get(f"/Task/{key}")
        body = {**seen.json, "status": "in-progress"}
        at.rest(0.3)
        me.put(f"/Task/{key}", body, 412, {"If-Unmodified-Since": seen.fields["last-modified"]})
        again = me.get(f"/Task/{key}")
        at.sure(again.fields["last-modified"] == seen.fields["last-modified"])
    at.look(me, "/Task?status=in-progress")


def _salesforce() -> Desk:
    desk = Desk({"Sforce-Limit-Info": "api-usage=18/15000"})
    rows = Rows(
        {
            f"001D000000Iq{one}AAC": {"Name": f"Mill {one}", "Phone": "", "Rating": "Warm"}
            for one in ("hS", "kT", "mU")
        }
    )
    base = "/services/data/v62.0"

    @desk.on("GET", f"{base}/sobjects/Account/([A-Za-z0-9]+)")
    def read(_ask: Ask, key: str) -> Say:
        row = rows[key]
        tag = hashlib.md5(repr(row).encode()).hexdigest()[:24]  # noqa: S324
        data = {
            "attributes": {"type": "Account", "url": f"{base}/sobjects/Account/{key}"},
            "Id": key,
            **row.data,
        }
        stamp = iso(row.at, 3).replace("Z", "+0000")
        return Say(
            200,
            {**data, "LastModifiedDate": stamp},
            {"Last-Modified": http_date(row.at), "ETag": f'"{tag}--gzip"'},
        )

    @desk.on("PATCH", f"{base}/sobjects/Account/([A-Za-z0-9]+)")
    def write(ask: Ask, key: str) -> Say:
        limit = _moment(ask.field("if-unmodified-since"))
        if limit is not None and int(rows[key].at) > limit:
            return Say(
                412, [{"message": "The resource has been modified", "errorCode": "PRECONDITION_FAILED"}]
            )
        rows.keep(key, {**rows[key].data, **ask.json})
        return Say(204)

    desk.shows(f"{base}/limits", {"DailyApiRequests": {"Max": 15000, "Remaining": 14982}})
    desk.on("GET", f"{base}/query")(
        lambda _ask: Say(200, {"totalSize": 3, "done": True, "records": [{"Id": key} for key in rows]})
    )
    desk.on("POST", "/services/oauth2/token")(
        lambda _ask: Say(200, {"access_token": "00Dx0!AQ", "token_type": "Bearer"})
    )
    return desk


@at.tell(
    "e588",
    "accounts-from-denver",
    "timezone-error",
    "412",
    "Salesforce accounts: a sync in Denver turns the served Last-Modified into local time and writes it back as GMT; "
    "each If-Unmodified-Since is seven hours early with the same minutes and seconds, and each PATCH is 412.",
)
def accounts(stage: Stage) -> None:
    """Write the local hour with GMT behind it."""
    server = at.opened(stage, _salesforce(), "Salesforce", "waitress")
    me = stage.actor("client", server, "mills.my.salesforce.test", "node:axios")
    token = me.send("POST", "/services/oauth2/token", 200, None, "grant_type=client_credentials").json
    head = {"Authorization": f"Bearer {token['access_token']}"}
    base = "/services/data/v62.0"
    at.look(me, f"{base}/limits", f"{base}/query?q=SELECT+Id+FROM+Account", head=head)
    for key in ("hS", "kT", "mU"):
        target = f"{base}/sobjects/Account/001D000000Iq{key}AAC"
        seen = me.get(target, 200, head)
        local = http_date((_moment(seen.fields["last-modified"]) or 0) - 7 * 3600)
        at.rest(0.3)
        me.send("PATCH", target, 412, {**head, "If-Unmodified-Since": local}, {"Phone": "303-555-0147"})
    at.look(me, f"{base}/limits", head=head)


def _weave() -> Desk:
    desk, state = Desk(), {"at": time.time() - 3000.0}
    items: dict[str, dict[str, Any]] = {
        f"bm{n}x": {"id": f"bm{n}x", "payload": "{}", "modified": round(state["at"], 2)} for n in (1, 2)
    }

    def head() -> dict[str, str]:
        return {"X-Weave-Timestamp": f"{time.time():.2f}", "X-Last-Modified": f"{state['at']:.2f}"}

    base = "/1.5/84410/storage/bookmarks"

    @desk.on("GET", "/1.5/84410/info/collections")
    def info(_ask: Ask) -> Say:
        return Say(200, {"bookmarks": round(state["at"], 2), "meta": 1764200000.11}, head())

    @desk.on("GET", base)
    def page(ask: Ask) -> Say:
        since = float(ask.query.get("newer", "0"))
        return Say(200, [one for one in items.values() if one["modified"] > since], head())

    @desk.on("POST", base)
    def write(ask: Ask) -> Say:
        limit = ask.field("x-if-unmodified-since")
        if limit and float(limit) < round(state["at"], 2):
            return Say(412, "0", {"Content-Type": "application/json", **head()})
        state["at"] = round(time.time(), 2)
        for one in ask.json:
            items[one["id"]] = {**one, "modified": state["at"]}
        return Say(
            200, {"modified": state["at"], "success": [one["id"] for one in ask.json], "failed": {}}, head()
        )

    desk.shows(
        "/1.5/84410/storage/meta/global",
        {"id": "global", "payload": '{"storageVersion":5}', "modified": 1764200000.11},
    )
    return desk


@at.tell(
    "e572",
    "bookmarks-of-a-slow-clock",
    "clock-skew",
    "412",
    "Firefox Sync: a device whose clock is eleven minutes slow stamps X-If-Unmodified-Since with its own time at each "
    "sync, a value that the server never gave; right after its own upload it is 412 although nobody else writes.",
)
def bookmarks(stage: Stage) -> None:
    """Trust one's own clock."""
    server = at.opened(stage, _weave(), "Firefox Sync", "tornado")
    me = stage.actor(
        "client", server, "sync-1-us-west1-g.sync.services.test", "httpx", {"Authorization": "Hawk id=e"}
    )
    slow = 664.0
    base = "/1.5/84410/storage/bookmarks"
    at.look(me, "/1.5/84410/info/collections", "/1.5/84410/storage/meta/global")
    me.get(f"{base}?full=1&newer=0")
    for number, expect in enumerate((200, 412, 412)):
        own = time.time() - slow
        record = {"id": f"n{number}kQ", "payload": f'{{"title":"r{number}","dateAdded":{int(own * 1000)}}}'}
        stamp = {"X-If-Unmodified-Since": f"{own:.2f}", "Date": http_date(own)}
        me.send("POST", base, expect, stamp, [record])
        at.rest(0.9)
        me.get("/1.5/84410/info/collections", 200, {"Date": http_date(time.time() - slow)})
    me.get(f"{base}?full=1&newer={time.time() - 30:.2f}")


def _pod() -> Desk:
    desk, rows = (
        Desk({"Accept-Patch": "text/n3", "WAC-Allow": 'user="read write"', "Vary": "Accept"}),
        Rows({"card": "Ines", "tasks": "milk"}),
    )
    rows["card"].at = rows["tasks"].at = 1764210000.0

    def kind(ask: Ask, name: str) -> str:
        return "application/ld+json" if "ld+json" in ask.field(name) else "text/turtle"

    def head(key: str, form: str) -> dict[str, str]:
        return {
            "ETag": f'"{int(rows[key].at * 1000)}-{form}"',
            "Last-Modified": http_date(rows[key].at),
            "Content-Type": form,
        }

    @desk.on("GET", "/ines/profile/([a-z]+)")
    def read(ask: Ask, key: str) -> Say:
        form, value = kind(ask, "accept"), rows[key].data
        text = f'<#me> <http://xmlns.com/foaf/0.1/name> "{value}".'
        if "ld+json" in form:
            text = f'[{{"@id":"#me","http://xmlns.com/foaf/0.1/name":[{{"@value":"{value}"}}]}}]'
        return Say(200, text, head(key, form))

    @desk.on("PUT", "/ines/profile/([a-z]+)")
    def write(ask: Ask, key: str) -> Say:
        form = kind(ask, "content-type")
        if ask.field("if-match") not in {"", head(key, form)["ETag"]}:
            told = {
                "name": "PreconditionFailedHttpError",
                "message": "",
                "statusCode": 412,
                "errorCode": "H412",
            }
            return Say(412, told)
        rows.keep(key, ask.body.decode().rpartition('"')[0].rpartition('"')[2])
        return Say(205, None, {"ETag": head(key, form)["ETag"]})

    desk.shows("/ines/", "<> a <http://www.w3.org/ns/ldp#BasicContainer>.", Content_Type="text/turtle")
    return desk


@at.tell(
    "e589",
    "card-in-two-tongues",
    "representation-mismatch",
    "412",
    "A Solid pod whose tags name the media type: an app reads its card as JSON-LD and writes Turtle with that tag: 412; "
    "with the tag of the Turtle that it then reads, of the same moment, the PUT passes.",
)
def card(stage: Stage) -> None:
    """Read one form and write the other."""
    server = at.opened(stage, _pod(), "Community Solid Server", "cheroot")
    me = stage.actor("client", server, "pods.solid.test", "node:fetch", {"Authorization": "DPoP ey"})
    at.look(me, "/ines/")
    for key, value in (("card", "Inês"), ("tasks", "milk, rye")):
        seen = me.get(f"/ines/profile/{key}", 200, {"Accept": "application/ld+json"})
        body = f'<#me> <http://xmlns.com/foaf/0.1/name> "{value}".'
        at.rest()
        me.put(f"/ines/profile/{key}", body, 412, {"If-Match": seen.etag, "Content-Type": "text/turtle"})
        turtle = me.get(f"/ines/profile/{key}", 200, {"Accept": "text/turtle"})
        me.put(f"/ines/profile/{key}", body, 205, {"If-Match": turtle.etag, "Content-Type": "text/turtle"})
    at.look(me, "/ines/")


_OLD_TOKEN = (
    "calendar",
    "fullSyncRequired",
    "Sync token is no longer valid, a full sync is required.",
    "parameter",
    "syncToken",
)


def _google(status: int, *words: str) -> Say:
    one = dict(zip(("domain", "reason", "message", "locationType", "location"), words, strict=True))
    return Say(status, {"error": {"errors": [one], "code": status, "message": one["message"]}})


def _calendar() -> Desk:
    desk = Desk({"Vary": "Origin, X-Origin"})
    rows = Rows({f"ev{n}8fk": {"summary": f"Fitting {n}", "location": "Studio"} for n in (1, 2, 3)})
    base = "/calendar/v3/calendars/studio%40atelier.test"

    def shown(key: str) -> dict[str, Any]:
        row = rows[key]
        head = {
            "kind": "calendar#event",
            "etag": f'"{int(row.at * 1000000)}"',
            "id": key,
            "updated": iso(row.at),
        }
        who = {"email": row.by if "@" in row.by else "import@atelier.test"}
        return {**head, "creator": who, "sequence": row.rev, **row.data}

    @desk.on("GET", "/calendar/v3/calendars/[^/]+/events")
    def page(ask: Ask) -> Say:
        told = ask.query.get("syncToken", "")
        if told.startswith("CJj"):
            return _google(410, *_OLD_TOKEN)
        items = [] if told else [shown(key) for key in rows]
        return Say(
            200, {"kind": "calendar#events", "items": items, "nextSyncToken": f"CPn{rows.tick}EAEaAA=="}
        )

    @desk.on("GET", "/calendar/v3/calendars/[^/]+/events/([a-z0-9]+)")
    def read(_ask: Ask, key: str) -> Say:
        return Say(200, shown(key), {"ETag": shown(key)["etag"]})

    @desk.on("PUT", "/calendar/v3/calendars/[^/]+/events/([a-z0-9]+)")
    def write(ask: Ask, key: str) -> Say:
        if ask.field("if-match") not in {"", shown(key)["etag"]}:
            return _google(412, "global", "conditionNotMet", "Precondition Failed", "header", "If-Match")
        rows.keep(
            key,
            {k: v for k, v in ask.json.items() if k in {"summary", "location", "attendees"}},
            ask.field("x-who"),
        )
        return Say(200, shown(key), {"ETag": shown(key)["etag"]})

    desk.shows(
        base.replace("%40", "@"),
        {"kind": "calendar#calendar", "summary": "Studio", "timeZone": "Europe/Lisbon"},
    )
    desk.shows(
        "/calendar/v3/users/me/calendarList",
        {"kind": "calendar#calendarList", "items": [{"id": "studio@atelier.test"}]},
    )
    return desk


@at.tell(
    "e560",
    "fitting-moved-five-times",
    "retry-reuses-failed-token",
    "412",
    "Google Calendar: after a change in the browser an add-on's PUT is 412 conditionNotMet; its backoff sends the same "
    "If-Match and content again four times, ever later, without a read between.",
    also="other-writer",
)
def fitting(stage: Stage) -> None:
    """Try the same again."""
    server = at.opened(stage, _calendar(), "Google Calendar", "waitress")
    me = stage.actor(
        "client", server, "calendar.googleapis.test", "requests", {"Authorization": "Bearer ya29"}
    )
    other = stage.actor("other", server, "calendar.googleapis.test", "httpx", {"X-Who": "rosa@atelier.test"})
    events = "/calendar/v3/calendars/studio%40atelier.test/events"
    at.look(me, "/calendar/v3/users/me/calendarList", f"{events}?maxResults=50")
    seen = me.get(f"{events}/ev28fk")
    other.put(f"{events}/ev28fk", {"summary": "Fitting 2", "location": "Loft"}, 200)
    at.rest(0.4)
    body = {**seen.json, "attendees": [{"email": "paulo@x.test"}]}
    for wait in (0.2, 0.4, 0.8, 1.6, 0.1):
        me.put(f"{events}/ev28fk", body, 412, {"If-Match": seen.etag})
        at.rest(wait)
    one = me.get(f"{events}/ev38fk")
    me.put(f"{events}/ev38fk", {**one.json, "location": "Loft"}, 200, {"If-Match": one.etag})


@at.tell(
    "e580",
    "sync-after-the-holidays",
    "token-expired",
    "410",
    "Google Calendar: a display that was off for weeks asks for changes with its stored syncToken: 410 fullSyncRequired, "
    "again after a pause; a full list gives a new token, and asking with that one works.",
)
def display(stage: Stage) -> None:
    """Come back with a token of last month."""
    server = at.opened(stage, _calendar(), "Google Calendar", "flask")
    me = stage.actor(
        "client", server, "www.googleapis.test", "curl:trace-time", {"Authorization": "Bearer ya29"}
    )
    events = "/calendar/v3/calendars/studio%40atelier.test/events"
    at.look(me, "/calendar/v3/users/me/calendarList", "/calendar/v3/calendars/studio%40atelier.test")
    old = f"{events}?syncToken=CJj4kfTq1okDEJj4kfTq1okDGAUg"
    me.get(old, 410)
    at.rest(1.0)
    me.get(old, 410)
    token = me.get(f"{events}?maxResults=250").json["nextSyncToken"]
    for _ in range(2):
        at.rest(0.4)
        token = me.get(f"{events}?syncToken={token.replace('=', '%3D')}").json["nextSyncToken"]
