"""APIs in use that let two writers pass, trip over times, or know no condition."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.pau_engine import Answer, Request, iso, marker, stamp
from tools.recording_apis.apps.pau_google import Documents
from tools.recording_apis.apps.pau_stores import Vault
from tools.recording_apis.apps.pau_tagged import Tagged
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import pau_setting as place
from tools.recording_apis.stories.pau_setting import Aws, bearer, must, pause, together


@case(
    "b702",
    "pau-two-rotations-of-one-secret",
    "check-then-write-race",
    "lost-update",
    alone="none",
    synthetic=True,
    description=(
        "Two rotation jobs write one secret with cas=3 within a moment; the store compares and writes in two steps, "
        "and both are told success (versions 4 and 5). A later write with cas=3 is refused as it should be."
    ),
)
def rotations(stage: Stage) -> None:
    """Let two writers pass on one version."""
    path = "/v1/secret/data/crane/db"
    product = Vault({path: {"user": "crane", "password": "x1"}}, first=3)
    server = place.api(stage, product, "Vault", "waitress")
    me = stage.actor(
        "client",
        server,
        "vault.yard.test",
        "requests",
        {"X-Vault-Token": "hvs.fake1", "X-Vault-Request": "true"},
    )
    other = stage.actor(
        "other", server, "vault.yard.test", "httpx", {"X-Vault-Token": "hvs.fake2", "X-Vault-Request": "true"}
    )
    product.extra["GET /v1/auth/token/lookup-self"] = place.said(
        {"data": {"policies": ["rotate"], "ttl": 3511}}
    )
    me.get("/v1/auth/token/lookup-self")
    me.get(path)
    other.get(path)
    product.gap = 0.4

    def rotate(who: Any, secret: str) -> Any:
        return who.send(
            "POST", path, 200, None, {"options": {"cas": 3}, "data": {"user": "crane", "password": secret}}
        )

    mine, theirs = together(lambda: rotate(me, "m-771"), lambda: rotate(other, "o-102"), apart=0.08)
    must((mine.json["data"]["version"], theirs.json["data"]["version"]) == (4, 5), "not both")
    product.gap = 0.0
    other.send(
        "POST", path, 400, None, {"options": {"cas": 3}, "data": {"user": "crane", "password": "late"}}
    )
    other.get(path)


@case(
    "b703",
    "pau-update-time-through-a-javascript-date",
    "date-precision",
    "400",
    alone="date-precision",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A function keeps updateTime as a JavaScript Date, which ends at milliseconds, and sends it as "
        "currentDocument.updateTime: FAILED_PRECONDITION, the stored version has three digits more. The text as "
        "served is taken."
    ),
)
def microseconds(stage: Stage) -> None:
    """Lose the end of a time."""
    base = "/v1/projects/port/databases/(default)/documents/berths/"
    product = Documents({base + n: {"ship": {"stringValue": n}} for n in ("b1", "b2")})
    for one in product.items.values():
        one.changed = int(one.changed) + 0.294137
        one.token = iso(one.changed)
    server = place.api(stage, product, "Firestore", "waitress")
    me = stage.actor("client", server, "firestore.googleapis.test", "node:fetch", bearer("function"))
    place.beside(me, "s")
    for name in ("b1", "b2"):
        served = me.get(base + name).json["updateTime"]
        kept = f"{served[:-4]}Z"
        body = {"fields": {"ship": {"stringValue": "Elbe"}}}
        me.send(
            "PATCH",
            f"{base}{name}?updateMask.fieldPaths=ship&currentDocument.updateTime={kept}",
            400,
            None,
            body,
        )
        must(me.get(base + name).json["updateTime"] == served, "it has moved")
    place.beside(me, "t")
    me.send(
        "PATCH",
        f"{base}{name}?updateMask.fieldPaths=ship&currentDocument.updateTime={served}",
        200,
        None,
        body,
    )


def _appointments(stage: Stage, runner: str) -> Any:
    base = "/core/api/appointment/v1/"
    seed = {
        f"{base}{n}": {"resourceType": "Appointment", "id": n, "status": "booked"}
        for n in ("a51", "a52", "a53")
    }
    return base, place.api(stage, Tagged("canvas", seed), "Canvas Medical", runner)


@case(
    "b704",
    "pau-tablet-with-a-slow-clock",
    "clock-skew",
    "412",
    alone="clock-skew",
    synthetic=True,
    description=(
        "A ward tablet stamps If-Unmodified-Since with its own clock, which is 7 minutes and 17 seconds slow (its own "
        "Date field shows it): what it has itself saved moments ago counts as modified since. Nobody else writes."
    ),
)
def tablet(stage: Stage) -> None:
    """Use one's own, slow clock as a validator."""
    base, server = _appointments(stage, "uvicorn")
    me = stage.actor("client", server, "fhir.canvas.test", "aiohttp", bearer("tablet-4"))
    place.beside(me, "l")

    def now() -> dict[str, str]:
        told = stamp(time.time() - 437)
        return {"Date": told, "If-Unmodified-Since": told, "Content-Type": "application/fhir+json"}

    for name in ("a51", "a52"):
        path = base + name
        me.get(path)
        me.put(
            path,
            {"resourceType": "Appointment", "id": name, "status": "arrived"},
            200,
            {"Date": stamp(time.time() - 437)},
        )
        pause(1.1)
        me.put(path, {"resourceType": "Appointment", "id": name, "status": "fulfilled"}, 412, now())
        must(me.get(path).json["status"] == "arrived", "another write")


@case(
    "b705",
    "pau-date-from-a-database-column",
    "bad-date",
    "412",
    alone="bad-date",
    synthetic=True,
    description=(
        "A nightly job writes If-Unmodified-Since as its database prints times (2026-11-26 03:40:00+00), which is no "
        "HTTP date; the service cannot read it and refuses. The moment itself is the Last-Modified that was served."
    ),
)
def column(stage: Stage) -> None:
    """Send a date in no form of HTTP."""
    base, server = _appointments(stage, "cheroot")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "fhir.canvas.test", "requests", bearer("nightly"))
    place.beside(me, "j")
    for name in ("a51", "a52", "a53"):
        served = me.get(base + name).fields["last-modified"]
        moment = datetime.strptime(served, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
        sent = moment.strftime("%Y-%m-%d %H:%M:%S+00")
        me.put(
            base + name,
            {"resourceType": "Appointment", "id": name, "status": "noshow"},
            412,
            {"If-Unmodified-Since": sent},
        )


@case(
    "b706",
    "pau-base-timestamp-in-local-time",
    "timezone-error",
    "200-error",
    alone="timezone-error",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A bot turns the revision's timestamp into local time and labels it Z: basetimestamp is one hour before the "
        "served one, minutes and seconds alike, and the wiki says editconflict within 200. The revision is the same "
        "as before; with the timestamp as served the edit is a success."
    ),
)
def wiki(stage: Stage) -> None:
    """Send a time of another zone."""
    product = Tagged("notes", {})
    state: dict[str, Any] = {"revid": 88120, "timestamp": iso(time.time() - 5 * 3600, 0), "user": "Tidewater"}

    def mediawiki(request: Request) -> Answer | None:
        if request.method == "GET":
            kind = request.query.get("meta") or "revisions"
            if kind == "tokens":
                return Answer(200, {"batchcomplete": "", "query": {"tokens": {"csrftoken": "9f1fake+\\"}}})
            page = {"pageid": 712, "title": "Pier 3", "revisions": [dict(state)]}
            return Answer(200, {"query": {"pages": {"712": page}}})
        form = request.form
        if form["basetimestamp"] < state["timestamp"]:
            error = {"code": "editconflict", "info": "Edit conflict: Pier 3"}
            return Answer(200, {"error": error, "servedby": "mw1"}, {"MediaWiki-API-Error": "editconflict"})
        old = state["revid"]
        state.update(revid=old + 4, timestamp=iso(time.time(), 0), user="PierBot")
        return Answer(
            200,
            {
                "edit": {
                    "result": "Success",
                    "title": "Pier 3",
                    "oldrevid": old,
                    "newrevid": old + 4,
                    "newtimestamp": state["timestamp"],
                }
            },
        )

    product.before.append(mediawiki)
    server = place.api(stage, product, "MediaWiki", "tornado")
    me = stage.actor(
        "client",
        server,
        "wiki.tide.test",
        "urllib",
        {"User-Agent": "PierBot/1.0 (bot@tide.test)", "Cookie": "tideSession=fake"},
    )
    place.beside(me, "a")
    me.get("/w/api.php?action=query&meta=tokens&format=json")
    asked = "/w/api.php?action=query&prop=revisions&titles=Pier_3&rvprop=ids%7Ctimestamp%7Cuser&format=json"

    def edit(base: str) -> None:
        form = f"action=edit&format=json&title=Pier_3&text=Closed+for+ice.&basetimestamp={base}&token=9f1fake%2B%5C"
        me.send("POST", "/w/api.php", 200, {"Content-Type": "application/x-www-form-urlencoded"}, form)

    for _ in range(2):
        served = me.get(asked).json["query"]["pages"]["712"]["revisions"][0]["timestamp"]
        moment = datetime.fromisoformat(served).timestamp()
        edit(iso(moment - 3600, 0))
        pause(0.5)
    edit(served)


@case(
    "b707",
    "pau-store-knows-no-if-match",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    synthetic=True,
    description=(
        "boto3 replaces a state file with IfMatch on an S3-compatible appliance: 501 NotImplemented, a header you "
        "provided implies functionality that is not implemented, with a tag that it has just served, twice; without "
        "the header the put is taken."
    ),
)
def appliance(stage: Stage) -> None:
    """Ask for what a store cannot do."""
    path = "/tf/state.json"
    product = Tagged("notes", {path: '{"serial": 3}'})
    product.media = "application/json"  # type: ignore[misc]

    def refused(request: Request) -> Answer | None:
        if not request.writes or "if-match" not in request.fields:
            return None
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NotImplemented</Code><Message>A header you provided implies functionality that is not implemented</Message><Header>If-Match</Header><RequestId>{marker()}</RequestId></Error>'
        return Answer(501, text, {"Content-Type": "application/xml"})

    def silent(request: Request, answer: Answer) -> Answer:
        return Answer(200, b"", answer.fields) if request.writes and answer.status == 200 else answer

    product.before.append(refused)
    product.after.append(silent)
    server = place.api(stage, product, "an S3 appliance", "waitress")
    me = Aws(stage, "client", server, "s3")
    key = {"Bucket": "tf", "Key": "state.json"}
    for _ in range(2):
        tag = me.call("get_object", **key)["ETag"]
        me.call(
            "put_object",
            "NotImplemented",
            **key,
            Body=b'{"serial": 4}',
            IfMatch=tag,
            ContentType="application/json",
        )
        pause(0.2)
    me.call("put_object", **key, Body=b'{"serial": 4}', ContentType="application/json")
