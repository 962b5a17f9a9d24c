"""Stories on imitations of APIs in use behind real fronts: clusters, keys, lists, searches, drives."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps import yul_suites as suites
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_yul_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@case(
    "e279",
    "yul-operator-refreshes-only-the-version",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    synthetic=True,
    description=(
        "Kubernetes behind HAProxy: a rollout tool keeps a deployment's manifest, reads it again right before its "
        "PUT, takes only the resourceVersion from that, and sends its older spec: 200, and the autoscaler's replicas "
        "that the read had shown are back to what they were."
    ),
)
def rollout(stage: Stage) -> None:
    """Take the version and not the content."""

    def made(name: str, replicas: int, version: int) -> dict[str, Any]:
        meta = {"name": name, "namespace": "shop", "resourceVersion": str(version), "generation": 4}
        spec = {"replicas": replicas, "template": {"image": f"registry.shop/{name}:1.14"}, "paused": False}
        return {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": meta, "spec": spec}

    rows = {"cart": made("cart", 3, 883901), "till": made("till", 2, 883977), "mail": made("mail", 1, 884002)}
    base = "/apis/apps/v1/namespaces/shop/deployments"
    beside = {
        "/version": {"major": "1", "minor": "31"},
        "/api/v1/namespaces/shop/pods": {"kind": "PodList", "items": []},
    }
    server = place.open_box(stage, suites.Cluster(rows, beside), "tornado", "Kubernetes")
    front = fronts.haproxy(stage, [server])
    me = stage.actor(
        "client", front, "kube.shop.example", "requests", {"User-Agent": "rollout/0.12 (linux/amd64)"}
    )
    other = stage.actor("other", front, "kube.shop.example", "httpx", {"User-Agent": "autoscaler/1.31"})
    me.get("/version")
    me.get(base)
    kept = {name: me.get(f"{base}/{name}").json for name in ("cart", "till")}
    place.rest(0.7)
    media = {"Content-Type": "application/merge-patch+json"}
    other.send("PATCH", f"{base}/cart", 200, media, '{"spec":{"replicas":9}}')
    me.get("/api/v1/namespaces/shop/pods")
    place.rest(0.8)
    for name in ("till", "cart"):
        fresh = me.get(f"{base}/{name}").json
        spec = {**kept[name]["spec"], "template": {"image": f"registry.shop/{name}:1.15"}}
        meta = {**kept[name]["metadata"], "resourceVersion": fresh["metadata"]["resourceVersion"]}
        me.put(f"{base}/{name}", {**kept[name], "metadata": meta, "spec": spec}, 200)
    place.sure(fresh["spec"]["replicas"] == 9 and me.get(f"{base}/cart").json["spec"]["replicas"] == 3)
    me.get("/api/v1/namespaces/shop/pods")


@case(
    "e251",
    "yul-gateway-template-clears-the-field",
    "precondition-stripped",
    "lost-update",
    alone="precondition-stripped precondition-ignored",
    synthetic=True,
    description=(
        'Twilio Sync behind an nginx with proxy_set_header If-Match "": a wallboard\'s list has shown revision 1c, '
        "yet its write under If-Match 1b is 200 and takes the supervisor's state away; the supervisor, who goes "
        "there directly, is refused an old revision."
    ),
)
def cleared(stage: Stage) -> None:
    """Lose the field on the way."""
    base = "/v1/Services/IS3f2a/Documents"
    rows = {
        name: {
            "sid": f"ET{n}0ac",
            "unique_name": name,
            "revision": f"{0x1B - n * 4:x}",
            "data": '{"open":true}',
        }
        for n, name in enumerate(("queue-night", "queue-day", "queue-vip"))
    }
    server = place.open_box(stage, suites.Sync(rows), "falcon", "Twilio Sync")
    front = fronts.nginx(stage, server, 'proxy_set_header If-Match "";')
    me = stage.actor(
        "client", front, "sync.callcentre.example", "node:axios", {"Authorization": "Basic board"}
    )
    other = stage.actor(
        "other", server, "sync.callcentre.example", "requests", {"Authorization": "Basic supervisor"}
    )
    me.get(base)
    mine, theirs = me.get(f"{base}/queue-night").json, other.get(f"{base}/queue-night").json
    spare = me.get(f"{base}/queue-day").json
    changed = "Data=%7B%22open%22%3Afalse%2C%22why%22%3A%22fire+drill%22%7D"
    other.send("POST", f"{base}/queue-night", 200, {**_FORM, "If-Match": theirs["revision"]}, changed)
    other.send("POST", f"{base}/queue-night", 412, {**_FORM, "If-Match": theirs["revision"]}, "Data=%7B%7D")
    place.rest(0.6)
    me.send(
        "POST",
        f"{base}/queue-day",
        200,
        {**_FORM, "If-Match": spare["revision"]},
        "Data=%7B%22agents%22%3A4%7D",
    )
    place.sure("fire drill" in me.get(base).text)
    late = "Data=%7B%22open%22%3Atrue%2C%22agents%22%3A7%7D"
    me.send("POST", f"{base}/queue-night", 200, {**_FORM, "If-Match": mine["revision"]}, late)
    place.sure("fire drill" not in me.get(f"{base}/queue-night").text)


@case(
    "e260",
    "yul-list-item-from-before-its-merge",
    "stale-cache-read",
    "wrong-304",
    alone="stale-cache-read",
    synthetic=True,
    description=(
        'SharePoint\'s list items behind an nginx that stores reads for a minute: the merge is 204 with ETag "8", the '
        'reads after it are hits with "7" and the old status, and the poll with "7" is told 304 again and again.'
    ),
)
def stored(stage: Stage) -> None:
    """Poll what is stored."""
    rows = {n: ({"Title": f"Sak {n}", "Status": "Åpen", "Frist": "2026-12-04"}, n - 10) for n in (16, 17, 18)}
    base = "/sites/sak/_api/web/lists/getbytitle('Saker')/items"
    server = place.open_box(stage, suites.Lists(rows), "cheroot", "SharePoint")
    front = fronts.nginx_cache(stage, server, 60, "add_header X-Cache $upstream_cache_status;")
    always = {"Accept": "application/json;odata=minimalmetadata", "User-Agent": "Saksflyt/2.3"}
    me = stage.actor("client", front, "intranett.fylket.example", "aiohttp", always)
    me.get(f"{base}(16)")
    seen = me.get(f"{base}(17)")
    merge = {"X-HTTP-Method": "MERGE", "If-Match": seen.etag}
    place.rest(0.5)
    done = me.send("POST", f"{base}(17)", 204, merge, {"Status": "Lukket"})
    for _ in range(3):
        got = me.get(f"{base}(17)")
        place.sure(got.etag == seen.etag != done.etag and got.json["Status"] == "Åpen")
        place.rest(1.1)
        me.get(f"{base}(17)", 304, {"If-None-Match": got.etag})
    me.get(f"{base}(18)")


@case(
    "e266",
    "yul-two-panes-save-one-member",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race precondition-ignored",
    synthetic=True,
    description=(
        "z/OSMF behind Apache: two panes of one editor save a member with the same ETag within a tenth of a second "
        "and both are 204; one card of the job is gone. Another editor's save with that ETag a second later is 412."
    ),
)
def panes(stage: Stage) -> None:
    """Pass one check twice."""
    job = "//NIGHTLY  JOB (ACCT),'OPS'\n//STEP1    EXEC PGM=SORT\n"
    rows = {f"OPS.JCL({name})": job.replace("NIGHTLY", name) for name in ("NIGHTLY", "WEEKLY", "CLEANUP")}
    beside = {"/zosmf/info": {"zosmf_version": "28", "zosmf_hostname": "mvs1"}}
    server = place.open_box(stage, suites.Datasets(rows, beside), "waitress", "z/OSMF")
    front = fronts.apache(stage, server)
    always = {"X-CSRF-ZOSMF-HEADER": "true", "X-IBM-Return-Etag": "true", "User-Agent": "jcledit/3"}
    me = stage.actor("client", front, "mvs1.bank.example", "httpx", always)
    me.get("/zosmf/restfiles/ds/OPS.JCL/member")
    path, text = "/zosmf/restfiles/ds/OPS.JCL(NIGHTLY)", {"Content-Type": "text/plain"}
    other = stage.actor("other", front, "mvs1.bank.example", "requests", always)
    weekly = me.get("/zosmf/restfiles/ds/OPS.JCL(WEEKLY)")
    other.get(path)
    seen = me.get(path)
    bodies = (seen.text + "//SORTIN   DD DSN=PAY.IN\n", seen.text.replace("SORT", "ICETOOL"))

    def save(body: str) -> Answer:
        return me.put(path, body, 204, {**text, "If-Match": seen.etag})

    place.at_once(partial(save, bodies[0]), partial(save, bodies[1]), apart=0.09)
    place.rest(1.0)
    other.put(path, seen.text + "//SYSOUT   DD SYSOUT=*\n", 412, {**text, "If-Match": seen.etag})
    place.sure("SORTIN" not in me.get(path).text)
    me.put(
        "/zosmf/restfiles/ds/OPS.JCL(WEEKLY)", weekly.text + "//*\n", 204, {**text, "If-Match": weekly.etag}
    )


@case(
    "e256",
    "yul-appointment-twice-in-a-second",
    "date-precision",
    "lost-update",
    alone="date-precision",
    synthetic=True,
    description=(
        "Canvas Medical behind Envoy: after a booking desk's own write another desk writes the same appointment within "
        "the same second; the search shows that (lastUpdated with microseconds), but If-Unmodified-Since with the date "
        "of the first write passes, and the room is lost."
    ),
)
def second(stage: Stage) -> None:
    """Write twice within a second."""
    ids = ("a61e", "b07c", "c9d2")
    rows = {
        one: ({"resourceType": "Appointment", "id": one, "status": "booked"}, time.time() - 9000.3)
        for one in ids
    }
    server = place.open_box(stage, suites.Canvas(rows), "starlette", "Canvas Medical")
    front = fronts.envoy(stage, [server])
    me = stage.actor("client", front, "fhir.praxis.example", "httpx", {"Authorization": "Bearer desk-1"})
    other = stage.actor("other", front, "fhir.praxis.example", "requests", {"Authorization": "Bearer desk-2"})
    me.get("/Appointment?date=2026-11-30")
    other.get("/Appointment/c9d2")
    near = me.get("/Appointment/b07c")
    guard = {"If-Unmodified-Since": near.fields["last-modified"], "Content-Type": "application/fhir+json"}
    me.put("/Appointment/b07c", {**near.json, "status": "arrived"}, 200, guard)
    seen = me.get("/Appointment/a61e")
    time.sleep(1.02 - time.time() % 1)
    guard = {**guard, "If-Unmodified-Since": seen.fields["last-modified"]}
    own = me.put("/Appointment/a61e", {**seen.json, "description": "Kontrolle"}, 200, guard)
    place.rest(0.12)
    theirs = other.get("/Appointment/a61e")
    date = {**guard, "If-Unmodified-Since": theirs.fields["last-modified"]}
    other.put("/Appointment/a61e", {**theirs.json, "comment": "Raum 4"}, 200, date)
    place.rest(0.1)
    place.sure("Raum 4" in me.get("/Appointment?date=2026-11-30").text)
    guard["If-Unmodified-Since"] = own.fields["last-modified"]
    last = me.put("/Appointment/a61e", {**own.json, "minutesDuration": 20}, 200, guard)
    place.sure(last.fields["last-modified"] == own.fields["last-modified"])
    place.rest(0.6)
    place.sure("Raum 4" not in me.get("/Appointment/a61e").text)


@case(
    "e273",
    "yul-false-with-two-hundred",
    "status-dialect-mismatch",
    "lost-write",
    alone="status-dialect-mismatch",
    synthetic=True,
    description=(
        "Consul behind Caddy: a feature switch is written with cas of an index that a colleague's write has passed; "
        "the answer is 200 with false, the tool goes on to note the release as done, and the switch read later has "
        "the colleague's value."
    ),
)
def false(stage: Stage) -> None:
    """Take 200 for yes."""
    rows = {
        f"shop/flags/{name}": (b"off", n)
        for name, n in (("coupons", 20110), ("express", 20240), ("wishes", 20397))
    }
    beside = {"/v1/status/leader": "10.4.0.2:8300"}
    server = place.open_box(stage, suites.Keys(rows, beside), "flask", "Consul")
    front = fronts.caddy(stage, server)
    me = stage.actor(
        "client", front, "consul.shop.example", "urllib", {"X-Consul-Token": "t-rel", "User-Agent": "rel/3"}
    )
    other = stage.actor("other", front, "consul.shop.example", "curl", {"X-Consul-Token": "t-ops"})
    me.get("/v1/status/leader")
    me.get("/v1/kv/shop/flags?recurse")
    seen = {
        name: me.get(f"/v1/kv/shop/flags/{name}").json[0]["ModifyIndex"] for name in ("coupons", "express")
    }
    now = other.get("/v1/kv/shop/flags/express").json[0]["ModifyIndex"]
    other.put(f"/v1/kv/shop/flags/express?cas={now}", "off: carrier strike", 200)
    place.rest(0.5)
    got = [me.put(f"/v1/kv/shop/flags/{name}?cas={index}", "on", 200).text for name, index in seen.items()]
    place.sure([one.strip() for one in got] == ["true", "false"])
    me.put("/v1/kv/shop/releases/2026-48", "coupons=on express=on", 200)
    place.rest(0.6)
    place.sure("carrier strike" not in me.get("/v1/kv/shop/flags?recurse").text)
    me.get("/v1/kv/shop/releases/2026-48")


@case(
    "e240",
    "yul-two-workers-one-document",
    "self-race",
    "409",
    alone="self-race",
    synthetic=True,
    description=(
        "Elasticsearch behind nginx: an indexer's enrichment and its geocoder, one process, write one document with the "
        "same if_seq_no at once: one is 200, the other 409 version_conflict_engine_exception a moment later."
    ),
)
def workers(stage: Stage) -> None:
    """Write at once with one number."""
    rows = {f"b-{n}": ({"street": f"Calle {n}", "m2": 40 + n}, 500 + n, 2) for n in range(5)}
    server = place.open_box(stage, suites.Search(rows), "aiohttp", "Elasticsearch")
    front = fronts.nginx(stage, server)
    always = {"User-Agent": "indexer/5.0", "X-Opaque-Id": "run-7719"}
    me = stage.actor("client", front, "search.pisos.example", "httpx", always)
    me.get("/buildings/_search?size=20")
    for key in ("b-1", "b-3"):
        got = me.get(f"/buildings/_doc/{key}").json
        guard = f"if_seq_no={got['_seq_no']}&if_primary_term={got['_primary_term']}"

        def write(more: dict[str, Any], got: Any = got, guard: str = guard, key: str = key) -> Answer:
            return me.put(f"/buildings/_doc/{key}?{guard}", {**got["_source"], **more}, (200, 409))

        both = place.at_once(
            partial(write, {"energy": "C"}), partial(write, {"geo": [41.4, 2.1]}), apart=0.04
        )
        place.sure([one.status for one in both] == [200, 409])
        place.rest(0.4)
    me.get("/buildings/_doc/b-4")


@case(
    "e248",
    "yul-photo-is-looked-at-after-its-upload",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    synthetic=True,
    description=(
        "OneDrive through Graph behind Traefik: some tenths of a second after an upload the media service writes the "
        "photo's properties (lastModifiedBy names it; eTag moves, cTag does not), so the description under the eTag of "
        "the upload is 412 resourceModified."
    ),
)
def looked(stage: Stage) -> None:
    """Be overtaken by a service."""
    keys = {f"01PHOTO{n:04d}KLM{n}": f"hrad-{n}.jpg" for n in (3, 4, 5)}
    made = {"user": {"displayName": "Hana Novotná", "id": "48d31887"}}
    rows = {
        key: {"name": name, "size": 3, "n": 1, "c": 1, "lastModifiedBy": made} for key, name in keys.items()
    }
    drive = suites.Drive(rows)
    server = place.open_box(stage, drive, "bottle", "Microsoft Graph")
    front = fronts.traefik(stage, [server])
    me = stage.actor(
        "client", front, "graph.hrady.example", "node:fetch", {"Authorization": "Bearer eyJ.hana"}
    )
    me.get("/v1.0/me/drive/root/children")
    base = "/v1.0/me/drive/items"
    media = {"application": {"displayName": "Media Service", "id": "7ab7862c"}}
    for key in list(keys)[:2]:
        old = {"Content-Type": "image/jpeg", "If-Match": me.get(f"{base}/{key}").json["eTag"]}
        up = me.send("PUT", f"{base}/{key}/content", 200, old, b"\xff\xd8" + b"p" * 900)
        place.rest(0.5)
        with drive.lock:
            drive.touch(key, media, photo={"takenDateTime": "2026-11-21T14:02:11Z", "iso": 100})
        place.rest(0.5)
        match = {"If-Match": up.json["eTag"]}
        me.send("PATCH", f"{base}/{key}", 412, match, {"description": "západní věž"})
        now = me.get(f"{base}/{key}").json
        place.sure(now["lastModifiedBy"] == media and now["cTag"] == up.json["cTag"])
    me.get("/v1.0/me/drive/root/children")
