"""Services whose trouble makes no noise."""

from __future__ import annotations

import datetime as dt
import hashlib
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps import zed_ground as ground
from tools.recording_apis.apps import zed_records as records
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "e283",
    "zed-roster-for-the-berth-before",
    "stale-cache-read",
    "lost-update",
    alone="stale-cache-read",
    description=(
        "A port's Spring Data REST behind a caching nginx: a planner moves a vessel (204, new ETag) and reads it for the "
        "tug roster: a HIT with the older ETag and berth, so the roster names the old berth; with no-cache the read is new."
    ),
    synthetic=True,
)
def berth(stage: Stage) -> None:
    """Read from a store."""
    things = {str(n): {"name": f"MV Skua {n}", "berth": f"N{n}", "draught": 7.5} for n in (4, 5, 6)}
    server = place.open_box(stage, ground.Spring("vessels", things), "waitress", "Spring Data REST")
    more = "proxy_cache_bypass $http_cache_control; add_header X-Cache-Status $upstream_cache_status;"
    front = fronts.nginx_cache(stage, server, 120, more)
    me = stage.actor("client", front, "berths.port.example", "aiohttp", {"Accept": "application/hal+json"})
    me.get("/api")
    me.get("/api/vessels?size=20")
    for key in "45":
        seen = me.get(f"/api/vessels/{key}")
    saved = me.put("/api/vessels/5", {**seen.json, "berth": "S2"}, 204, {"If-Match": seen.etag})
    place.rest(0.7)
    got = me.get("/api/vessels/5")
    place.sure(got.fields["x-cache-status"] == "HIT" and got.etag == seen.etag != saved.etag)
    roster = {
        "vessel": got.json["name"],
        "berth": got.json["berth"],
        "tugs": ["Alk", "Jan van Gent"],
        "version": got.etag,
    }
    me.send("POST", "/api/rosters", 201, None, roster)
    me.get("/api/vessels/6")
    place.rest(0.5)
    fresh = me.get("/api/vessels/5", 200, {"Cache-Control": "no-cache"})
    place.sure(fresh.etag == saved.etag and fresh.json["berth"] == "S2")


@case(
    "e297",
    "zed-profile-downloaded-again-and-again",
    "inconsistent-backends",
    "wasted-transfers",
    alone="inconsistent-backends",
    description=(
        "A learning record store of two nodes behind HAProxy: each has a tag of its own for the same profile, so a "
        "player's conditional reads are never 304, although the octets stay the same; the node's name alternates with the tag."
    ),
    synthetic=True,
)
def profile(stage: Stage) -> None:
    """Ask one node with the other's tag."""
    documents = {
        "course-map": {"units": [{"id": n, "title": f"Leçon {n}"} for n in range(1, 9)]},
        "theme": {"ink": "navy"},
    }
    nodes = [
        place.open_box(
            stage, ground.Lrs(f"lrs-{n}", f"boot{n * 71}", documents), "starlette", "an xAPI record store"
        )
        for n in (1, 2)
    ]
    front = fronts.haproxy(stage, nodes)
    me = stage.actor(
        "client",
        front,
        "lrs.campus.example",
        "httpx",
        {"X-Experience-API-Version": "1.0.3", "Authorization": "Basic a2V5OnNlYw=="},
    )
    path = "/xapi/activities/profile?activityId=http%3A%2F%2Fcampus.example%2Ffr-1&profileId=course-map"
    me.get("/xapi/about")
    got = me.get(path)
    tags = {got.etag}
    for number in range(5):
        got = me.get(path, 200, {"If-None-Match": got.etag})
        tags.add(got.etag)
        place.rest(0.25)
        if number in {1, 3}:
            said = {
                "actor": {"mbox": "mailto:lea@campus.example"},
                "verb": {"id": "http://adlnet.gov/expapi/verbs/progressed"},
                "object": {"id": f"http://campus.example/fr-1/{number}"},
            }
            me.send("POST", "/xapi/statements", 200, None, said)
            me.send(
                "POST", "/xapi/statements", 200, None, {**said, "result": {"score": {"raw": 60 + number}}}
            )
    place.sure(len(tags) == 2)


@case(
    "e300",
    "zed-notes-list-never-unchanged",
    "unstable-etag",
    "wasted-transfers",
    alone="unstable-etag",
    description=(
        "A notes app polls its list with the ETag of the answer before: each answer has a new one over the same octets, "
        "never 304, while single notes keep theirs."
    ),
    synthetic=True,
)
def polled(stage: Stage) -> None:
    """Poll in vain."""
    texts = {
        str(n): {"title": f"Merkzettel {n}", "content": "Leim, Schrauben 4x40" * 3} for n in (41, 43, 47)
    }
    server = place.open_box(stage, ground.Notes(texts), "cheroot", "Nextcloud Notes")
    me = stage.actor(
        "client",
        server,
        "wolke.tischlerei.example",
        "node:fetch",
        {"Authorization": "Basic aGFubmE6cHc=", "OCS-APIRequest": "true"},
    )
    base = "/index.php/apps/notes/api/v1/notes"
    me.get("/ocs/v2.php/cloud/capabilities?format=json")
    got = me.get(base)
    first = got.body
    one = me.get(f"{base}/43")
    for number in range(5):
        got = me.get(base, 200, {"If-None-Match": got.etag})
        place.sure(got.body == first)
        if number == 2:
            me.get(f"{base}/43", 304, {"If-None-Match": one.etag})
        place.rest((0.05, 0.4)[number % 2])
    me.put(f"{base}/43", {**texts["43"], "content": "Leim"}, 200, {"If-Match": one.etag})
    after = me.get(base, 200, {"If-None-Match": got.etag})
    me.get(base, 200, {"If-None-Match": after.etag})


@case(
    "e293",
    "zed-network-through-the-rewriting-gateway",
    "validator-stripped",
    "lost-update",
    alone="validator-stripped unconditional-write",
    also="unconditional-write",
    description=(
        "A tenant's tool reaches Oracle's networks through an nginx that rewrites links in JSON (sub_filter) and drops "
        "their etag on the way; an answer without content still has one. The tool, which sends if-match when it has a "
        "tag, writes without, and a colleague's tag on the network is gone."
    ),
    synthetic=True,
)
def gateway(stage: Stage) -> None:
    """Get no tag."""
    keys = [f"ocid1.vcn.oc1.eu-zurich-1.amaaaaaa{hashlib.sha1(bytes([n])).hexdigest()[:20]}" for n in (1, 2)]  # noqa: S324 - names
    networks = {
        key: {"displayName": f"lab-{n}", "cidrBlock": f"10.{n}.0.0/16", "freeformTags": {}}
        for n, key in enumerate(keys)
    }
    server = place.open_box(stage, ground.Oracle(networks), "waitress", "Oracle Cloud Infrastructure")
    lines = "sub_filter_types application/json; sub_filter_once off; sub_filter 'https://iaas.eu-zurich-1.oraclecloud.com' 'http://oci.gw.lab.example';"
    front = fronts.nginx(stage, server, lines)
    me = stage.actor(
        "client",
        front,
        "oci.gw.lab.example",
        "requests",
        {"Accept-Encoding": "identity", "opc-client-info": "Oracle-PythonSDK/2.139.0"},
    )
    other = stage.actor("other", server, "iaas.eu-zurich-1.oraclecloud.com", "httpx")
    me.get("/20160918/vcns?compartmentId=ocid1.compartment.oc1..lab")
    seen = me.get(f"/20160918/vcns/{keys[0]}")
    place.sure("etag" not in seen.fields)
    moved = me.send(
        "POST",
        f"/20160918/vcns/{keys[1]}/actions/changeCompartment",
        202,
        None,
        {"compartmentId": "ocid1.compartment.oc1..attic"},
    )
    place.sure("etag" in moved.fields)
    theirs = other.get(f"/20160918/vcns/{keys[0]}")
    other.put(
        f"/20160918/vcns/{keys[0]}",
        {**theirs.json, "freeformTags": {"hold": "audit-77"}},
        200,
        {"if-match": theirs.etag},
    )
    place.rest(0.8)
    me.get("/20160918/vcns?compartmentId=ocid1.compartment.oc1..lab")
    me.put(f"/20160918/vcns/{keys[0]}", {**seen.json, "displayName": "lab-zero"}, 200)
    place.sure(me.get(f"/20160918/vcns/{keys[0]}").json["freeformTags"] == {})


@case(
    "e289",
    "zed-abstracts-that-failed-inside",
    "status-dialect-mismatch",
    "lost-update",
    alone="status-dialect-mismatch",
    also="other-writer",
    description=(
        "A reference manager sends three changed items to Zotero: the answer is 200, but one of them is listed under "
        "failed with code 412. The manager takes 200 for success, forgets its change and syncs on; the item never has it."
    ),
    synthetic=True,
)
def abstracts(stage: Stage) -> None:
    """Look at the status only."""
    items = {
        key: {"itemType": "journalArticle", "title": f"Peat {key[:2]}", "abstractNote": ""}
        for key in ("AB3KX2MN", "C7QQ91TZ", "D0PLW5RA")
    }
    server = place.open_box(stage, ground.Zotero(items), "falcon", "Zotero")
    always = {"Zotero-API-Version": "3", "Zotero-API-Key": "P9NiFoyLeZu2bZNvvuQPDWsd"}
    me = stage.actor("client", server, "api.zotero.org", "aiohttp", always)
    other = stage.actor("other", server, "api.zotero.org", "requests", always)
    me.get("/keys/current")
    got = me.get("/users/475425/items?since=0&format=json")
    me.get(
        "/users/475425/items?since=0&format=json",
        304,
        {"If-Modified-Since-Version": got.fields["last-modified-version"]},
    )
    held = {one["key"]: one["version"] for one in got.json}
    other.send(
        "POST",
        "/users/475425/items",
        200,
        None,
        [{"key": "C7QQ91TZ", "version": held["C7QQ91TZ"], "extra": "read by Jo"}],
    )
    place.rest(0.6)
    sent = [
        {"key": key, "version": version, "abstractNote": f"On peat, {key}"} for key, version in held.items()
    ]
    told = me.send(
        "POST", "/users/475425/items", 200, {"Zotero-Write-Token": "19a4f01ad623aa7214f82347e3711f56"}, sent
    )
    place.sure(list(told.json["failed"]) == ["1"])
    version = told.fields["last-modified-version"]
    for _ in range(2):
        me.get(
            f"/users/475425/items?since={version}&format=json", 304, {"If-Modified-Since-Version": version}
        )
        place.rest(0.3)
    place.sure(me.get("/users/475425/items/C7QQ91TZ").json["data"]["abstractNote"] == "")
    me.get("/users/475425/items/AB3KX2MN")


@case(
    "e307",
    "zed-account-an-hour-ahead",
    "timezone-error",
    "stale-copy",
    alone="timezone-error",
    description=(
        "A mirror asks Salesforce for an account with If-Modified-Since: the served date an hour later, local time that "
        "is called GMT. A seller's change in between is answered 304, while a query shows it; without the field it comes."
    ),
    synthetic=True,
)
def ahead(stage: Stage) -> None:
    """Ask with local time."""
    things = {f"001D000000IqhS{n}": {"Name": f"Optik Brandt {n}", "Phone": "+49 30 1100"} for n in "QRS"}
    server = place.open_box(stage, records.Salesforce("Account", things), "bottle", "Salesforce")
    me = stage.actor(
        "client", server, "brandt.my.salesforce.com", "urllib", {"Authorization": "Bearer 00DD0!mirror"}
    )
    other = stage.actor(
        "other", server, "brandt.my.salesforce.com", "node:axios", {"Authorization": "Bearer 00DD0!seller"}
    )
    base = "/services/data/v61.0"
    me.get(f"{base}/limits")
    held: dict[str, str] = {}
    for key in things:
        told = parsedate_to_datetime(me.get(f"{base}/sobjects/Account/{key}").fields["last-modified"])
        held[key] = formatdate((told + dt.timedelta(hours=1)).timestamp(), usegmt=True)
    for round_ in range(2):
        for key, date in held.items():
            me.get(f"{base}/sobjects/Account/{key}", 304, {"If-Modified-Since": date})
        if not round_:
            other.send(
                "PATCH", f"{base}/sobjects/Account/001D000000IqhSR", 204, None, {"Phone": "+49 30 7788"}
            )
            place.rest(1.1)
    found = me.get(f"{base}/query?q=SELECT+Id,Phone,LastModifiedDate+FROM+Account").json["records"]
    place.sure(found[1]["Phone"].endswith("7788"))
    me.get(f"{base}/sobjects/Account/001D000000IqhSR", 304, {"If-Modified-Since": held["001D000000IqhSR"]})
    me.get(f"{base}/sobjects/Account/001D000000IqhSR")


@case(
    "e308",
    "zed-appointment-with-an-iso-date",
    "bad-date",
    "lost-update",
    alone="bad-date",
    description=(
        "A practice's front desk sends If-Unmodified-Since in ISO 8601, made of the Last-Modified that it was served: the "
        "server passes over what is no HTTP date, and the nurse's change of the same appointment is gone."
    ),
    synthetic=True,
)
def appointment(stage: Stage) -> None:
    """Send a date that is none."""
    keys = ("7d1ce256-01", "7d1ce256-02", "7d1ce256-03")
    things = {key: {"status": "booked", "description": "Check", "comment": ""} for key in keys}
    server = place.open_box(stage, records.Canvas("Appointment", things), "tornado", "Canvas Medical")
    me = stage.actor(
        "client", server, "fumage-hill.canvasmedical.com", "httpx", {"Authorization": "Bearer w8sJ1"}
    )
    other = stage.actor(
        "other", server, "fumage-hill.canvasmedical.com", "curl", {"Authorization": "Bearer k2uu7"}
    )
    me.send(
        "POST",
        "/auth/token/",
        200,
        {"Content-Type": "application/x-www-form-urlencoded"},
        "grant_type=client_credentials",
    )
    me.get("/Appointment?status=booked")

    def guard(date: str) -> dict[str, str]:
        return {"If-Unmodified-Since": parsedate_to_datetime(date).isoformat()}

    first = me.get(f"/Appointment/{keys[0]}")
    me.put(
        f"/Appointment/{keys[0]}",
        {**first.json, "status": "arrived"},
        200,
        guard(first.fields["last-modified"]),
    )
    mine, theirs = me.get(f"/Appointment/{keys[1]}"), other.get(f"/Appointment/{keys[1]}")
    saved = other.put(
        f"/Appointment/{keys[1]}",
        {**theirs.json, "comment": "Allergic to latex"},
        200,
        {"If-Unmodified-Since": theirs.fields["last-modified"]},
    )
    place.rest(1.2)
    place.sure(me.get("/Appointment?status=booked").json["entry"][1]["resource"]["comment"])
    me.put(
        f"/Appointment/{keys[1]}",
        {**mine.json, "status": "arrived"},
        200,
        guard(mine.fields["last-modified"]),
    )
    place.sure(saved.fields["last-modified"] != mine.fields["last-modified"])
    place.sure(me.get(f"/Appointment/{keys[1]}").json["comment"] == "")
    me.get(f"/Appointment/{keys[2]}")


@case(
    "e288",
    "zed-pipelines-through-a-compressing-apache",
    "etag-suffix-rewrite",
    "wasted-transfers",
    alone="etag-suffix-rewrite",
    description=(
        "A dashboard polls GoCD's pipelines through an Apache that compresses and appends -gzip to the tag, which GoCD "
        "does not know: never 304, until the same pipeline is asked for without compression."
    ),
    synthetic=True,
)
def pipelines(stage: Stage) -> None:
    """Send the suffix back."""
    things = {
        name: {
            "group": "brew",
            "label_template": "${COUNT}",
            "materials": [
                {
                    "type": "git",
                    "attributes": {"url": f"git@git.brewhouse.example:{name}.git", "branch": "main"},
                }
            ]
            * 3,
        }
        for name in ("mash", "sparge")
    }
    server = place.open_box(stage, records.Gocd(things), "flask", "GoCD")
    front = fronts.apache(stage, server, "SetOutputFilter DEFLATE")
    me = stage.actor(
        "client",
        front,
        "ci.brewhouse.example",
        "requests",
        {"Authorization": "bearer 6f2d", "Accept": "application/vnd.go.cd+json"},
    )
    base = "/go/api/admin/pipelines"
    me.get("/go/api/version")
    held = {name: me.get(f"{base}/{name}").etag for name in things}
    place.sure(all(tag.endswith('-gzip"') for tag in held.values()))
    for _ in range(2):
        for name in things:
            held[name] = me.get(f"{base}/{name}", 200, {"If-None-Match": held[name]}).etag
        me.get("/go/api/agents")
        place.rest(0.4)
    plain = me.get(f"{base}/mash", 200, {"Accept-Encoding": "identity"})
    me.get(f"{base}/mash", 304, {"Accept-Encoding": "identity", "If-None-Match": plain.etag})
    me.get(f"{base}/sparge", 200, {"If-None-Match": held["sparge"]})
