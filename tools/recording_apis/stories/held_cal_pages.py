"""Pages of wikis, and contents that are published."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

from tools.recording_apis.apps.cal_apis import Api, Req, Res, Row, guid, hashed, instant
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_cal_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage


def _confluence(row: Row, users: dict[str, str]) -> Api:
    api = Api(
        lambda req: {
            "X-AUSERNAME": users.get(req.fields.get("authorization", ""), "anonymous"),
            "X-Confluence-Request-Time": str(int(time.time() * 1000)),
            "Cache-Control": "no-cache, no-store, must-revalidate",
            "Server": "AtlassianEdge",
        }
    )

    def version(rev: int, at: float, by: str) -> dict[str, Any]:
        return {
            "by": {"type": "known", "username": by, "displayName": by.title()},
            "when": instant(at),
            "number": rev,
            "minorEdit": False,
        }

    def shown(req: Req) -> dict[str, Any]:
        wide, out = (
            req.query.get("expand", ""),
            {"id": "98371", "type": "page", "status": "current", "title": row.data["title"]},
        )
        if "version" in wide:
            out["version"] = version(row.rev, row.at, row.by)
        if "body.storage" in wide:
            out["body"] = {"storage": {"value": row.data["text"], "representation": "storage"}}
        return {
            **out,
            "_links": {
                "webui": "/display/OPS/Restart",
                "self": "http://wiki.kestrel.example/rest/api/content/98371",
            },
        }

    api.say(
        "GET",
        "/rest/api/user/current",
        {"type": "known", "username": "runbook-bot", "displayName": "Runbook Bot"},
    )
    api.say(
        "GET",
        "/rest/api/content/98371/label",
        {"results": [{"prefix": "global", "name": "runbook", "id": "55"}], "size": 1},
    )

    @api.on("GET", "/rest/api/content/98371")
    def get(req: Req) -> Res:
        return Res(200, shown(req))

    @api.on("GET", "/rest/api/content/98371/version")
    def versions(_req: Req) -> Res:
        told = [(row.rev, row.at, row.by), *((r, a, b) for r, a, b, _ in reversed(row.past))]
        return Res(
            200, {"results": [version(*one) for one in told], "start": 0, "limit": 200, "size": len(told)}
        )

    @api.on("PUT", "/rest/api/content/98371")
    def put(req: Req) -> Res:
        body, who = req.json, users[req.fields["authorization"]]
        if body["version"]["number"] != row.rev + 1:
            return Res(
                409,
                {
                    "statusCode": 409,
                    "data": {"authorized": False, "valid": True, "errors": []},
                    "message": f"Version must be incremented on update. Current version is: {row.rev}",
                },
            )
        row.set({"title": body["title"], "text": body["body"]["storage"]["value"]}, who)
        return Res(200, shown(Req("GET", "/?expand=version", {}, b"")))

    return api


@case(
    "e361",
    "cal-runbook-bot-takes-the-number-late",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    synthetic=True,
    description="A bot renders a Confluence page from the text it read at version 12, asks for the version number right before it saves, gets 13 (a colleague's) and puts 14: taken; the colleague's paragraph is gone from the page that it shows later.",
)
def confluence(stage: Stage) -> None:
    """Take a fresh number for an old text."""
    users = {"Bearer bot": "runbook-bot", "Bearer mira": "mira.holt"}
    row = Row(
        {"title": "Restart the ledger", "text": "<p>1. Drain the queue.</p><p>2. Restart.</p>"},
        12,
        "mira.holt",
    )
    server = place.open_box(stage, _confluence(row, users), "cheroot", "Confluence")
    me = stage.actor(
        "client",
        server,
        "wiki.kestrel.example",
        "node:axios",
        {"Authorization": "Bearer bot", "X-Atlassian-Token": "no-check"},
    )
    other = stage.actor("other", server, "wiki.kestrel.example", "httpx", {"Authorization": "Bearer mira"})
    path = "/rest/api/content/98371"
    me.get("/rest/api/user/current")
    seen = me.get(path + "?expand=body.storage,version").json
    me.get(path + "/label")
    theirs = other.get(path + "?expand=body.storage,version").json
    added = theirs["body"]["storage"]["value"] + "<p>3. Tell the auditors.</p>"
    other.put(
        path,
        {
            "id": "98371",
            "type": "page",
            "title": theirs["title"],
            "version": {"number": 13},
            "body": {"storage": {"value": added, "representation": "storage"}},
        },
        200,
    )
    place.rest(1.2)
    number = me.get(path + "?expand=version").json["version"]
    text = seen["body"]["storage"]["value"].replace("Restart.", "Restart node A, then node B.")
    me.put(
        path,
        {
            "id": "98371",
            "type": "page",
            "title": "Restart the ledger",
            "version": {"number": number["number"] + 1, "message": "rendered"},
            "body": {"storage": {"value": text, "representation": "storage"}},
        },
        200,
    )
    me.get(path + "/version")
    place.sure("auditors" not in me.get(path + "?expand=body.storage,version").text)


@case(
    "e391",
    "cal-wiki-page-saved-by-two-gadgets",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race",
    also="self-race",
    synthetic=True,
    description="A bot's two gadgets edit one MediaWiki page with the same basetimestamp while each other is under way: both are told Success over the same oldrevid, and the text has only the second's line; the same stale edit made later, alone, is answered with editconflict (200).",
)
def wiki(stage: Stage) -> None:
    """Pass one check twice."""
    row = Row({"text": "== Ferries ==\n* 08:10 north\n"}, 5100, "Mole")
    api = Api(
        lambda _req: {
            "MediaWiki-API-Error": "",
            "Vary": "Accept-Encoding,Treat-as-Untrusted",
            "X-Content-Type-Options": "nosniff",
        },
        "application/json; charset=utf-8",
    )

    def page(full: bool) -> dict[str, Any]:
        kept = [
            (row.rev, row.at, row.by, row.data["text"]),
            *((r, a, b, d["text"]) for r, a, b, d in reversed(row.past)),
        ]
        return {
            "query": {
                "pages": [
                    {
                        "pageid": 77,
                        "title": "Ferries",
                        "revisions": [
                            {
                                "revid": r,
                                "timestamp": instant(a),
                                "user": b,
                                "size": len(t),
                                "slots": {"main": {"content": t}},
                            }
                            for r, a, b, t in (kept if full else kept[:1])
                        ],
                    }
                ]
            },
            "curtimestamp": instant(time.time()),
        }

    @api.on("GET", "/w/api.php")
    def read(req: Req) -> Res:
        if req.query.get("meta") == "tokens":
            return Res(200, {"batchcomplete": True, "query": {"tokens": {"csrftoken": "9c2e+\\"}}})
        return Res(200, page("rvlimit" in req.query))

    @api.on("POST", "/w/api.php")
    def edit(req: Req) -> Res:
        sent = {k: v[0] for k, v in parse_qs(req.body.decode()).items()}
        if sent["basetimestamp"] != instant(row.at):
            return Res(
                200,
                {
                    "error": {
                        "code": "editconflict",
                        "info": "Edit conflict: the page was changed since basetimestamp.",
                    },
                    "servedby": "mw4",
                },
            )
        old = row.rev
        time.sleep(0.25)
        with api.lock:
            row.set({"text": sent["text"]}, req.fields["x-gadget"], 3)
            return Res(
                200,
                {
                    "edit": {
                        "result": "Success",
                        "pageid": 77,
                        "title": "Ferries",
                        "contentmodel": "wikitext",
                        "oldrevid": old,
                        "newrevid": row.rev,
                        "newtimestamp": instant(row.at),
                    }
                },
            )

    server = place.open_box(stage, api, "waitress", "MediaWiki")
    me = stage.actor(
        "client",
        server,
        "wiki.sound.example",
        "httpx",
        {"User-Agent": "FerryBot/2.1 httpx", "X-Gadget": "FerryBot"},
    )
    me.get("/w/api.php?action=query&meta=tokens&format=json")

    def look() -> tuple[str, str]:
        seen = me.get(
            "/w/api.php?action=query&prop=revisions&titles=Ferries&rvprop=ids%7Ctimestamp%7Ccontent&rvslots=main&curtimestamp=1&formatversion=2&format=json"
        ).json["query"]["pages"][0]["revisions"][0]
        return seen["timestamp"], seen["slots"]["main"]["content"]

    def save(base: str, text: str) -> Answer:
        return me.send(
            "POST",
            "/w/api.php",
            200,
            {"Content-Type": "application/x-www-form-urlencoded"},
            urlencode(
                {
                    "action": "edit",
                    "title": "Ferries",
                    "text": text,
                    "basetimestamp": base,
                    "nocreate": 1,
                    "token": "9c2e+\\",
                    "format": "json",
                }
            ),
        )

    base, text = look()
    save(base, text + "* 09:40 south\n")
    base, text = look()
    got = place.at_once(
        partial(save, base, text + "* 11:15 north\n"),
        partial(save, base, "{{Season|winter}}\n" + text),
        apart=0.08,
    )
    place.sure(all("Success" in one.text for one in got))
    place.rest(0.5)
    place.sure("11:15" not in look()[1])
    place.sure("editconflict" in save(base, text + "* 11:15 north\n").text)
    me.get(
        "/w/api.php?action=query&prop=revisions&titles=Ferries&rvlimit=10&rvprop=ids%7Ctimestamp%7Cuser%7Ccontent&rvslots=main&formatversion=2&format=json"
    )


def _recipe_api(base: str) -> Api:
    rows = {
        n: Row({"title": {"en-GB": t}, "minutes": {"en-GB": 30}}, 5, "3Ala")
        for n, t in (("4kCrumble", "Crumble"), ("4kPickle", "Pickle"))
    }
    published: dict[str, tuple[int, dict[str, Any]]] = {k: (4, r.data) for k, r in rows.items()}
    api = Api(
        lambda _req: {
            "X-Contentful-Request-Id": guid(str(time.time())),
            "X-Contentful-RateLimit-Second-Remaining": "9",
            "Server": "Contentful",
        },
        "application/vnd.contentful.management.v1+json",
    )

    def shown(key: str) -> dict[str, Any]:
        row = rows[key]
        return {
            "sys": {
                "type": "Entry",
                "id": key,
                "version": row.rev,
                "publishedVersion": published[key][0],
                "updatedAt": instant(row.at),
                "updatedBy": {"sys": {"type": "Link", "linkType": "User", "id": row.by}},
            },
            "fields": row.data,
        }

    @api.on("GET", base + "/entries")
    def listed(_req: Req) -> Res:
        return Res(
            200,
            {
                "sys": {"type": "Array"},
                "total": 2,
                "skip": 0,
                "limit": 100,
                "items": [shown(k) for k in rows],
            },
        )

    @api.on("GET", "/delivery" + base + "/entries/([0-9A-Za-z]+)")
    def delivered(_req: Req, key: str) -> Res:
        rev, data = published[key]
        return Res(
            200,
            {"sys": {"type": "Entry", "id": key, "revision": rev}, "fields": data},
            {"ETag": f'"{hashed((rev, key), "md5")}"', "Cache-Control": "max-age=0"},
        )

    @api.on("GET|PUT", base + "/entries/([0-9A-Za-z]+)(/published)?")
    def one(req: Req, key: str, publish: str | None) -> Res:
        row = rows[key]
        if req.method == "PUT":
            if req.fields.get("x-contentful-version") != str(row.rev):
                return Res(409, {"sys": {"type": "Error", "id": "VersionMismatch"}, "requestId": guid(key)})
            if publish:
                published[key] = (row.rev, row.data)
                row.add({}, req.fields["x-user"])
            else:
                row.set(req.json["fields"], req.fields["x-user"])
        return Res(200, shown(key))

    return api


@case(
    "e399",
    "cal-recipe-edited-and-published",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description="An editor on Contentful: X-Contentful-Version from each answer, the version that grows by one as the entry is published, a colleague's draft read before it is edited, the delivery's copy that lags a version behind by design, an asset never made (404). All is stored.",
)
def recipe(stage: Stage) -> None:
    """Edit, publish, edit."""
    base = "/spaces/kitchen/environments/master"
    server = place.open_box(stage, _recipe_api(base), "starlette", "Contentful")
    me = stage.actor(
        "client",
        server,
        "cma.kitchen.example",
        "node:axios",
        {"Authorization": "Bearer CFPAT-a", "X-User": "3Ala"},
    )
    other = stage.actor(
        "other",
        server,
        "cma.kitchen.example",
        "requests",
        {"Authorization": "Bearer CFPAT-b", "X-User": "9Bo"},
    )
    head = {"Content-Type": "application/vnd.contentful.management.v1+json"}

    def save(who: Actor, key: str, part: str = "", **more: object) -> dict[str, Any]:
        seen = who.get(f"{base}/entries/{key}").json
        body = None if part else {"fields": {**seen["fields"], **{k: {"en-GB": v} for k, v in more.items()}}}
        kept: dict[str, Any] = who.put(
            f"{base}/entries/{key}{part}",
            body,
            200,
            {**head, "X-Contentful-Version": str(seen["sys"]["version"])},
        ).json
        return kept

    me.get(f"{base}/entries?content_type=recipe")
    made = save(me, "4kCrumble", minutes=45)
    me.put(
        f"{base}/entries/4kCrumble/published",
        None,
        200,
        {"X-Contentful-Version": str(made["sys"]["version"])},
    )
    me.get(f"/delivery{base}/entries/4kCrumble")
    save(other, "4kPickle", title="Bread and butter pickle")
    place.rest(0.7)
    save(me, "4kPickle", minutes=20)
    me.get(f"/delivery{base}/entries/4kPickle")
    me.get(f"{base}/assets/hero77", 404)
    save(me, "4kCrumble", title="Rhubarb crumble")
    save(me, "4kPickle", "/published")
    place.sure(
        me.get(f"/delivery{base}/entries/4kPickle").json["fields"]["title"]["en-GB"].startswith("Bread")
    )
