"""More traffic in which nothing is wrong, or is healed."""

from __future__ import annotations

import os
import time
from typing import Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.ria_desk import Desk
from tools.recording_apis.apps.ria_ground import Ask, Reply, serve
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.ria_setting import need, rest


@case(
    "b888",
    "ria-odata-weak-tags-are-good",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "An OData service hands out weak tags and compares them weakly, as its standard says; every PATCH with the "
        "@odata.etag of the last answer is accepted."
    ),
)
def odata(stage: Stage) -> None:
    """Use weak tags where they are good."""
    rows: dict[str, Any] = {
        str(n): {"AccountId": str(n), "Name": f"Kunde {n}", "Credit": 1000} for n in (1, 2, 3)
    }
    stamp = dict.fromkeys(rows, 88_100)

    def shown(name: str) -> dict[str, Any]:
        return {"@odata.etag": f'W/"{stamp[name]}"', **rows[name]}

    def handle(ask: Ask) -> Reply:
        name = ask.path.rpartition("(")[2].rstrip(")")
        fields = {"OData-Version": "4.0", "Content-Type": "application/json; odata.metadata=minimal"}
        if ask.method == "GET":
            return Reply(
                200, shown(name) if name in rows else {"value": [shown(one) for one in rows]}, fields
            )
        if ask.fields.get("if-match") not in {"*", f'W/"{stamp[name]}"'}:
            return Reply(
                412, {"error": {"code": "0x80060882", "message": "The version of the record differs"}}, fields
            )
        rows[name] |= ask.json
        stamp[name] = max(stamp.values()) + 7
        return Reply(200, shown(name), {**fields, "ETag": f'W/"{stamp[name]}"'})

    server = serve(stage, handle, "flask", "Microsoft-IIS/10.0")
    me = stage.actor(
        "client",
        server,
        "org.crm.test",
        "aiohttp",
        {"Authorization": "Bearer crm", "Prefer": "return=representation"},
    )
    base = "/api/data/v9.2/accounts"
    me.get(base)
    for name in rows:
        tag = me.get(f"{base}({name})").json["@odata.etag"]
        for credit in (1500, 1800):
            tag = me.send("PATCH", f"{base}({name})", 200, {"If-Match": tag}, {"Credit": credit}).etag
    me.get(base)


@case(
    "b889",
    "ria-address-is-taken",
    "none",
    "healthy",
    alone="none",
    description=(
        "A sign-up page meets what sign-up pages meet: 422 for a short password, 409 since the e-mail address has an "
        "account already, 404 for a voucher, then 201. No condition and no version is in play."
    ),
)
def signup(stage: Stage) -> None:
    """Be told that an address is taken."""
    taken = {"ina@mail.test"}

    def handle(ask: Ask) -> Reply:
        if ask.method == "GET":
            found = not ask.path.startswith("/vouchers")
            return (
                Reply(200, {"plans": ["S", "M"]}) if found else Reply(404, {"fehler": "Gutschein unbekannt"})
            )
        sent = ask.json
        if len(sent["password"]) < 8:
            return Reply(422, {"fehler": {"password": ["zu kurz (mindestens 8 Zeichen)"]}})
        if sent["email"] in taken:
            return Reply(409, {"fehler": {"email": ["Diese Adresse hat bereits ein Konto."]}})
        taken.add(sent["email"])
        return Reply(201, {"id": 4410, "email": sent["email"]}, {"Location": "/accounts/4410"})

    front = fronts.nginx(stage, serve(stage, handle, "tornado"))
    me = stage.actor("client", front, "konto.radio.test", "node:axios", {"Origin": "http://konto.radio.test"})
    me.get("/plans")
    me.send("POST", "/accounts", 422, None, {"email": "ina@mail.test", "password": "kurz", "plan": "S"})
    me.send("POST", "/accounts", 409, None, {"email": "ina@mail.test", "password": "langgenug", "plan": "S"})
    me.get("/vouchers/XMAS", 404)
    me.send(
        "POST", "/accounts", 201, None, {"email": "ina.k@mail.test", "password": "langgenug", "plan": "M"}
    )
    me.get("/plans")


@case(
    "b890",
    "ria-compressed-pages-only-read",
    "none",
    "healthy",
    alone="none",
    description=(
        "A reader browses a club's site on Caddy with compressed answers: tags end in -gzip, revalidations are "
        "304, HEAD and GET agree in what they say, and nobody writes."
    ),
)
def browse(stage: Stage) -> None:
    """Read compressed pages and validate them again."""
    text = "<!doctype html><title>{0}</title><h1>{0}</h1>" + "<p>Training ist am Dienstag.</p>" * 30
    files = {f"{name}.html": text.format(name) for name in ("index", "termine", "vorstand")}
    server = fronts.site(stage, "caddy", files, " encode gzip")
    me = stage.actor(
        "client", server, "www.ruderclub.test", "requests", {"User-Agent": "Mozilla/5.0 (X11; Linux)"}
    )
    tags = {name: me.get(f"/{name}").etag for name in files}
    need(all("-gzip" in tag for tag in tags.values()), "no suffix")
    for _ in range(3):
        for name, tag in tags.items():
            me.get(f"/{name}", 304, {"If-None-Match": tag})
        rest(0.2)
    me.get("/404.html", 404)


@case(
    "b891",
    "ria-two-nodes-one-release",
    "none",
    "healthy",
    alone="none",
    description=(
        "HAProxy takes turns between two nginx nodes that hold the same files with the same times: one tag. Then a "
        "release reaches both, the tag changes once, with the content; polls are 304 before and after."
    ),
)
def release(stage: Stage) -> None:
    """Poll over a release on two nodes."""
    nodes = [
        fronts.site(stage, "nginx", {"app/config.json": '{"release":"2026.47","flags":["a"]}'})
        for _ in range(2)
    ]
    moment = int(time.time()) - 40_000

    def date(offset: int) -> None:
        for node in nodes:
            os.utime(node.directory / "app" / "config.json", (moment + offset, moment + offset))

    date(0)
    front = fronts.haproxy(stage, nodes)
    me = stage.actor("client", front, "app.bank.test", "httpx", {"User-Agent": "Bank/9.1 (Android 16)"})
    tag = me.get("/app/config.json").etag
    for _ in range(5):
        me.get("/app/config.json", 304, {"If-None-Match": tag})
    for node in nodes:
        fronts.put_file(node.directory, "app/config.json", '{"release":"2026.48","flags":["a","b"]}')
    date(39_000)
    new = me.get("/app/config.json", 200, {"If-None-Match": tag}).etag
    need(new != tag, "one tag")
    for _ in range(5):
        me.get("/app/config.json", 304, {"If-None-Match": new})


@case(
    "b892",
    "ria-graphql-conflict-healed",
    "none",
    "recovered",
    alone="other-writer none",
    also="other-writer",
    description=(
        "A playlist in GraphQL: moveTrack with revision 15 is answered with a conflict and the new revision; the "
        "player fetches the list, finds a friend's track in it, moves its own in that and succeeds."
    ),
)
def playlist(stage: Stage) -> None:
    """Heal a conflict in GraphQL."""
    state: dict[str, Any] = {"revision": 15, "tracks": ["Alba", "Brise", "Cala"], "lastBy": "noor"}

    def handle(ask: Ask) -> Reply:
        sent = ask.json
        given = sent.get("variables", {})
        if "mutation" in sent["query"]:
            if given["revision"] != state["revision"]:
                extensions = {"code": "STALE_REVISION", "revision": state["revision"]}
                error = {"message": "The playlist has a newer revision", "extensions": extensions}
                return Reply(200, {"data": None, "errors": [error]})
            state.update(revision=state["revision"] + 1, tracks=given["tracks"], lastBy=ask.fields["x-user"])
        return Reply(200, {"data": {"playlist": {"id": "p1", **state}}})

    server = serve(stage, handle, "aiohttp")
    me = stage.actor("client", server, "gql.musik.test", "urllib", {"X-User": "noor"})
    other = stage.actor("other", server, "gql.musik.test", "requests", {"X-User": "finn"})
    read = {"query": '{ playlist(id: "p1") { id revision tracks lastBy } }'}
    change = "mutation($revision: Int!, $tracks: [String!]!) { setTracks(revision: $revision, tracks: $tracks) { revision } }"

    def write(actor: Any, revision: int, tracks: list[str]) -> Any:
        body = {"query": change, "variables": {"revision": revision, "tracks": tracks}}
        return actor.send("POST", "/graphql", 200, None, body).json

    seen = me.send("POST", "/graphql", 200, None, read).json["data"]["playlist"]
    write(other, 15, [*seen["tracks"], "Duna"])
    rest(0.6)
    need("errors" in write(me, seen["revision"], ["Cala", "Alba", "Brise"]), "no conflict")
    now = me.send("POST", "/graphql", 200, None, read).json["data"]["playlist"]
    write(me, now["revision"], ["Cala", "Alba", "Brise", *now["tracks"][3:]])
    need(
        me.send("POST", "/graphql", 200, None, read).json["data"]["playlist"]["tracks"][-1] == "Duna", "lost"
    )


@case(
    "b893",
    "ria-etcd-counter-by-one-hand",
    "none",
    "healthy",
    alone="none",
    description=(
        "A ticket printer counts numbers in etcd by compare-and-swap on prevIndex, reads its settings in between and "
        "finds one of them missing (404, as on every start). All swaps succeed."
    ),
)
def printer(stage: Stage) -> None:
    """Count by compare-and-swap."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.kiosk.test", "curl", {"User-Agent": "printer/2"})
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    index = me.put("/v2/keys/kiosk/next?prevExist=false", "value=100", 201, form).json["node"][
        "modifiedIndex"
    ]
    me.get("/v2/keys/kiosk/header", 404)
    for number in range(101, 109):
        got = me.put(f"/v2/keys/kiosk/next?prevIndex={index}", f"value={number}", 200, form)
        index = got.json["node"]["modifiedIndex"]
        if number % 3 == 0:
            me.get("/v2/keys/kiosk/next")
    me.get("/v2/keys/kiosk/header", 404)


@case(
    "b894",
    "ria-long-night-of-a-price-job",
    "none",
    "healthy",
    alone="none",
    description=(
        "A job walks six articles of a wholesaler: busy at first (503 with Retry-After), then read, revalidate, "
        "write with the tag, one article gone (404), one moved (308). Twenty-nine exchanges, nothing wrong."
    ),
)
def night(stage: Stage) -> None:
    """Do a long job well."""
    busy = [2]

    class Shop(Desk):
        """Be busy at first, and have moved one article."""

        def __call__(self, ask: Ask) -> Reply:
            if busy[0]:
                busy[0] -= 1
                return Reply(503, "busy\n", {"Retry-After": "1"})
            if ask.path == "/articles/4-old":
                return Reply(308, b"", {"Location": "/articles/4"})
            return super().__call__(ask)

    desk = Shop({f"/articles/{n}": {"no": n, "net": 10 + n / 2, "vat": 19} for n in range(1, 7)}, dated=True)
    front = fronts.apache(stage, serve(stage, desk, "cheroot"))
    me = stage.actor("client", front, "artikel.grosso.test", "requests", {"Authorization": "Bearer night"})
    me.get("/articles", 503)
    me.get("/articles", 503)
    for item in me.get("/articles").json["items"]:
        path = f"/articles/{item['id']}"
        seen = me.get(path)
        me.get(path, 304, {"If-None-Match": seen.etag})
        got = me.put(
            path, {**seen.json, "net": round(seen.json["net"] * 1.03, 2)}, 200, {"If-Match": seen.etag}
        )
        need(got.etag != seen.etag, "one tag")
        me.get(path)
    me.get("/articles/99", 404)
    me.get("/articles/4-old", 308)
