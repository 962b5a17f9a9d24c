"""Mail, a calendar and a game."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from tools.recording_apis.apps.cal_apis import Api, Req, Res, Row, hashed, instant
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_cal_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage


@case(
    "e384",
    "cal-mail-state-of-last-month",
    "token-expired",
    "stale-read",
    alone="token-expired",
    synthetic=True,
    description="A mail client asks a JMAP server for the changes since the state that it stored weeks ago: 200 with the error cannotCalculateChanges for Email, three polls long, while the mailboxes' state still works; it then queries everything anew, and the new state works.",
)
def mail(stage: Stage) -> None:
    """Ask since a state that nobody keeps."""
    state = {"Email": 9120, "Mailbox": 301}
    mails: dict[str, dict[str, Any]] = {
        f"M{n}": {"id": f"M{n}", "subject": s, "keywords": {}}
        for n, s in ((880, "Rota"), (881, "Keys"), (882, "Roof"))
    }
    api = Api(
        lambda _req: {"Cache-Control": "no-cache, no-store, must-revalidate"},
        "application/json; charset=utf-8",
    )
    api.say(
        "GET",
        "/jmap/session",
        {
            "username": "bell@parish.example",
            "apiUrl": "http://jmap.parish.example/jmap/api",
            "primaryAccounts": {"urn:ietf:params:jmap:mail": "u1"},
            "capabilities": {"urn:ietf:params:jmap:core": {"maxCallsInRequest": 16}},
            "state": "s55",
        },
    )

    def call(name: str, given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        kind = name.partition("/")[0]
        if name.endswith("/changes"):
            since = int(given["sinceState"][1:])
            if since < 9000 and kind == "Email":
                return "error", {
                    "type": "cannotCalculateChanges",
                    "description": "The server has discarded the history before this state",
                    "newState": f"s{state[kind]}",
                }
            return name, {
                "accountId": "u1",
                "oldState": given["sinceState"],
                "newState": f"s{state[kind]}",
                "hasMoreChanges": False,
                "created": [],
                "updated": [],
                "destroyed": [],
            }
        if name == "Email/query":
            return name, {
                "accountId": "u1",
                "queryState": "q9",
                "ids": list(mails),
                "total": len(mails),
                "position": 0,
            }
        if name == "Email/set":
            state["Email"] += 1
            for key, more in given["update"].items():
                mails[key]["keywords"] = more.get("keywords", {})
            return name, {
                "accountId": "u1",
                "oldState": given.get("ifInState"),
                "newState": f"s{state['Email']}",
                "updated": dict.fromkeys(given["update"]),
            }
        if name == "Mailbox/get":
            return name, {
                "accountId": "u1",
                "state": f"s{state['Mailbox']}",
                "list": [{"id": "in", "name": "Inbox", "totalEmails": len(mails)}],
            }
        return name, {
            "accountId": "u1",
            "state": f"s{state['Email']}",
            "list": list(mails.values()),
            "notFound": [],
        }

    @api.on("POST", "/jmap/api")
    def run(req: Req) -> Res:
        return Res(
            200,
            {
                "methodResponses": [[*call(n, g), tag] for n, g, tag in req.json["methodCalls"]],
                "sessionState": "s55",
            },
        )

    server = place.open_box(stage, api, "tornado", "JMAP")
    me = stage.actor("client", server, "jmap.parish.example", "aiohttp", {"Authorization": "Bearer fm1"})
    me.get("/jmap/session")

    def ask(*calls: tuple[str, dict[str, Any]]) -> list[Any]:
        sent = [[n, {"accountId": "u1", **g}, f"c{i}"] for i, (n, g) in enumerate(calls)]
        told: list[Any] = me.send(
            "POST",
            "/jmap/api",
            200,
            body={"using": ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"], "methodCalls": sent},
        ).json["methodResponses"]
        return told

    for _turn in range(3):
        got = ask(
            ("Mailbox/changes", {"sinceState": "s298"}),
            ("Email/changes", {"sinceState": "s7404", "maxChanges": 200}),
        )
        place.sure(got[1][0] == "error")
        place.rest(0.9)
    ask(("Mailbox/get", {"ids": None}))
    ask(
        ("Email/query", {"filter": {"inMailbox": "in"}}),
        ("Email/get", {"ids": list(mails), "properties": ["id", "subject", "keywords"]}),
    )
    ask(("Email/changes", {"sinceState": "s9120"}))
    ask(("Email/set", {"ifInState": "s9120", "update": {"M882": {"keywords": {"$seen": True}}}}))


@case(
    "e386",
    "cal-game-board-saved-by-two-timers",
    "self-race",
    "412",
    alone="self-race",
    synthetic=True,
    description="A game keeps its board in a Twilio Sync document: the move and the clock's tick each post the document with the revision that both hold, some hundredths of a second apart and in one session; one is 200, the other 412 with 54103, twice in a game.",
)
def board(stage: Stage) -> None:
    """Tick while moving."""
    row = Row({"board": "........", "clock": 300}, 10)
    api = Api(
        lambda _req: {
            "Twilio-Request-Id": f"RQ{hashed(time.time(), 'md5')}",
            "Twilio-Request-Duration": "0.011",
            "X-Shenanigans": "none",
        },
        "application/json; charset=utf-8",
    )
    base = "/v1/Services/IS7c2e/Documents/MP91"

    def shown() -> dict[str, Any]:
        return {
            "sid": "ET91",
            "unique_name": "MP91",
            "service_sid": "IS7c2e",
            "revision": f"{row.rev:x}",
            "date_updated": instant(row.at),
            "created_by": "table-4",
            "data": row.data,
        }

    @api.on("GET|POST", base)
    def doc(req: Req) -> Res:
        if req.method == "POST":
            with api.lock:
                if req.fields.get("if-match") not in {None, f"{row.rev:x}"}:
                    return Res(
                        412,
                        {
                            "code": 54103,
                            "message": "The revision of the Document does not match the expected revision",
                            "more_info": "https://www.twilio.com/docs/errors/54103",
                            "status": 412,
                        },
                    )
                row.add(json.loads(parse_qs(req.body.decode())["Data"][0]), "table-4")
                time.sleep(0.12)
        return Res(200, shown(), {"ETag": f"{row.rev:x}"})

    api.say(
        "GET",
        "/v1/Services/IS7c2e",
        {"sid": "IS7c2e", "friendly_name": "tables", "reachability_webhooks_enabled": False},
    )
    server = place.open_box(stage, api, "starlette", "Twilio Sync")
    me = stage.actor(
        "client",
        server,
        "sync.boardroom.example",
        "httpx",
        {"Authorization": "Basic QUM6eA==", "User-Agent": "tables/0.9 (device 4)"},
    )
    me.get("/v1/Services/IS7c2e")

    def save(tag: str, text: str) -> Answer:
        return me.send(
            "POST",
            base,
            (200, 412),
            {"If-Match": tag, "Content-Type": "application/x-www-form-urlencoded"},
            f"Data={text}",
        )

    for turn in range(3):
        tag = me.get(base).json["revision"]
        move = partial(save, tag, f"%7B%22board%22%3A%22{'x' * (turn + 1)}.......%22%7D")
        if turn == 0:
            place.sure(move().status == 200)
        else:
            got = place.at_once(move, partial(save, tag, f"%7B%22clock%22%3A{290 - turn}%7D"), apart=0.04)
            place.sure([one.status for one in got] == [200, 412])
        place.rest(0.6)
    me.get(base)


@case(
    "e398",
    "cal-rehearsal-saved-with-the-first-etag",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    synthetic=True,
    description="A choir's planner keeps Google Calendar events as it first listed them: the first patch of an event is taken and its answer has a new etag, the second goes out with the listed one and is 412 conditionNotMet; nobody else writes. The other events, patched once each, are fine.",
)
def rehearsal(stage: Stage) -> None:
    """Save the object that one had."""
    rows = {
        f"ev{n}k": Row(
            {"summary": s, "location": "Hall", "start": {"dateTime": f"2025-02-0{n}T19:00:00Z"}},
            3400000000 + n,
        )
        for n, s in ((3, "Rehearsal"), (5, "Sectional"), (8, "Concert"))
    }
    api = Api(
        lambda _req: {
            "Vary": "Origin, X-Origin, Referer",
            "Server": "ESF",
            "Cache-Control": "private, max-age=0, must-revalidate, no-transform",
        },
        "application/json; charset=UTF-8",
    )
    base = "/calendar/v3/calendars/choir%40bells.example/events"
    plain = "/calendar/v3/calendars/choir@bells.example/events"

    def shown(key: str) -> dict[str, Any]:
        row = rows[key]
        return {
            "kind": "calendar#event",
            "etag": f'"{row.rev}000"',
            "id": key,
            "status": "confirmed",
            "updated": instant(row.at),
            "organizer": {"email": "choir@bells.example", "self": True},
            "sequence": len(row.past),
            **row.data,
        }

    @api.on("GET", plain)
    def listed(_req: Req) -> Res:
        return Res(
            200,
            {
                "kind": "calendar#events",
                "etag": f'"p33{sum(r.rev for r in rows.values()) % 9973}"',
                "summary": "Choir",
                "timeZone": "Europe/Oslo",
                "nextSyncToken": "CPDAlvWD",
                "items": [shown(k) for k in rows],
            },
        )

    @api.on("GET|PATCH|PUT", plain + "/([a-z0-9]+)")
    def one(req: Req, key: str) -> Res:
        row = rows[key]
        if req.method != "GET":
            if req.fields.get("if-match") not in {None, f'"{row.rev}000"'}:
                return Res(
                    412,
                    {
                        "error": {
                            "errors": [
                                {
                                    "domain": "global",
                                    "reason": "conditionNotMet",
                                    "message": "Precondition Failed",
                                    "locationType": "header",
                                    "location": "If-Match",
                                }
                            ],
                            "code": 412,
                            "message": "Precondition Failed",
                        }
                    },
                )
            row.add(
                {k: v for k, v in req.json.items() if k in {"summary", "location", "start", "description"}},
                step=7,
            )
        return Res(200, shown(key), {"ETag": shown(key)["etag"]})

    server = place.open_box(stage, api, "cheroot", "Google Calendar")
    me = stage.actor(
        "client",
        server,
        "calendar.bells.example",
        "httpx",
        {"Authorization": "Bearer ya29.k", "User-Agent": "bells/1.0 google-api-dotnet-client/1.57.0 (gzip)"},
    )
    kept = {
        one["id"]: one
        for one in me.get(base + "?singleEvents=true&timeMin=2025-02-01T00:00:00Z").json["items"]
    }

    def patch_event(key: str, expect: int, **more: object) -> None:
        me.send("PATCH", f"{base}/{key}", expect, {"If-Match": kept[key]["etag"]}, more)
        place.rest(0.5)

    patch_event("ev3k", 200, location="Crypt")
    patch_event("ev8k", 200, summary="Concert, white shirts")
    patch_event("ev3k", 412, description="Bring lamps")
    patch_event("ev5k", 200, location="Vestry")
    now = me.get(f"{base}/ev3k").json
    place.sure(now["location"] == "Crypt" and now["sequence"] == 1)
