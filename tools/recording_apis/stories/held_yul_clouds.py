"""Stories on more imitations of APIs in use behind real fronts: files, content, clouds, names, notes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps import yul_clouds as clouds
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_yul_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "e252",
    "yul-file-thrown-away-meanwhile",
    "target-missing",
    "412",
    alone="target-missing",
    synthetic=True,
    description=(
        "Box behind HAProxy: a scanner renames a file under if-match 3 that a clerk has deleted in between: 412 "
        "precondition_failed, without a condition 404, and the folder's list no longer has it."
    ),
)
def thrown(stage: Stage) -> None:
    """Rename what is gone."""
    rows = {
        str(88112 + n): {
            "name": f"skan_{n}.pdf",
            "etag": str(n),
            "sequence_id": str(n),
            "item_status": "active",
        }
        for n in (2, 3, 4)
    }
    beside = {"/2.0/users/me": {"type": "user", "id": "1190", "login": "skaner@kancelaria.example"}}
    server = place.open_box(stage, clouds.Box(rows, beside), "cheroot", "Box")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "api.kancelaria.example", "node:axios", {"Authorization": "Bearer sk"})
    other = stage.actor("other", front, "api.kancelaria.example", "requests", {"Authorization": "Bearer re"})
    me.get("/2.0/users/me")
    me.get("/2.0/folders/0/items")
    seen = {key: me.get(f"/2.0/files/{key}") for key in ("88115", "88116")}
    other.send("DELETE", "/2.0/files/88115", 204, {"If-Match": other.get("/2.0/files/88115").json["etag"]})
    place.rest(0.9)
    match = {"If-Match": seen["88116"].json["etag"]}
    me.put("/2.0/files/88116", {"name": "2026-11_pozew.pdf"}, 200, match)
    match = {"If-Match": seen["88115"].json["etag"]}
    me.put("/2.0/files/88115", {"name": "2026-11_odpis.pdf"}, 412, match)
    me.get("/2.0/files/88115", 404)
    place.sure("88115" not in me.get("/2.0/folders/0/items").text)


@case(
    "e268",
    "yul-entry-saved-before-the-line-broke",
    "lost-response-replay",
    "409",
    alone="lost-response-replay",
    synthetic=True,
    description=(
        "Contentful behind nginx: the connection breaks after the entry was stored, the command line sends the same "
        "content under the same X-Contentful-Version again: VersionMismatch, and the entry read back holds its own "
        "content, one version on, updatedBy itself."
    ),
)
def broke(stage: Stage) -> None:
    """Send what had arrived."""

    def entry(key: str, version: int, title: str) -> dict[str, Any]:
        by = {"sys": {"type": "Link", "linkType": "User", "id": "redaktion"}}
        made = {
            "id": key,
            "type": "Entry",
            "version": version,
            "updatedAt": "2026-11-20T08:00:00.100Z",
            "updatedBy": by,
        }
        return {"sys": made, "fields": {"title": {"nl": title}, "body": {"nl": "..."}}}

    rows = {"4kP": entry("4kP", 12, "Kaas"), "7mQ": entry("7mQ", 31, "Brood"), "9zR": entry("9zR", 2, "Melk")}
    server = place.open_box(stage, clouds.Contentful(rows), "starlette", "Contentful")
    front = fronts.nginx(stage, server)
    base = "/spaces/boerderij/environments/master/entries"
    always = {"Authorization": "Bearer CFPAT-joke", "User-Agent": "import-cli/1.9"}
    me = stage.actor(
        "client", front, "cma.boerderij.example", "httpx", always, loses=place.drops("PUT", "/7mQ")
    )
    me.get(f"{base}?limit=100")
    for key, title in (("4kP", "Boerenkaas"), ("7mQ", "Desembrood")):
        seen = me.get(f"{base}/{key}").json
        body = {"fields": {**seen["fields"], "title": {"nl": title}}}
        version = {"X-Contentful-Version": str(seen["sys"]["version"])}
        me.put(f"{base}/{key}", body, 0 if key == "7mQ" else 200, version)
        place.rest(0.6)
    me.put(f"{base}/7mQ", body, 409, version)
    now = me.get(f"{base}/7mQ").json
    place.sure(now["fields"] == body["fields"] and now["sys"]["version"] == 32)
    me.get(f"{base}/9zR")


@case(
    "e258",
    "yul-the-other-fingerprint",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    synthetic=True,
    description=(
        "Compute Engine behind Caddy: a script labels instances with metadata.fingerprint where labelFingerprint "
        "belongs: 412 conditionNotMet each time, though the instances stay as they are."
    ),
)
def fingerprint(stage: Stage) -> None:
    """Send a fingerprint of something else."""
    rows = {
        name: {
            "kind": "compute#instance",
            "name": name,
            "labels": {"env": "prod"},
            "labelFingerprint": f"p1krTo{n}Vx9w=",
            "metadata": {"fingerprint": f"B7Jm{n}qK2sQ4=", "items": [{"key": "motd", "value": "hi"}]},
            "status": "RUNNING",
        }
        for n, name in enumerate(("render-1", "render-2", "render-3"))
    }
    base = "/compute/v1/projects/animatie/zones/europe-west4-b"
    beside = {
        f"{base}/machineTypes": {"kind": "compute#machineTypeList", "items": [{"name": "n2-highcpu-16"}]}
    }
    server = place.open_box(stage, clouds.Compute(rows, beside), "aiohttp", "Compute Engine")
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, "compute.studio.example", "urllib", {"Authorization": "Bearer ya29.s"})
    me.get(f"{base}/machineTypes")
    for name in ("render-1", "render-2"):
        got = me.get(f"{base}/instances/{name}").json
        body = {
            "labels": {**got["labels"], "show": "winter"},
            "labelFingerprint": got["metadata"]["fingerprint"],
        }
        me.send("POST", f"{base}/instances/{name}/setLabels", 412, None, body)
        place.rest(0.4)
        again = me.get(f"{base}/instances/{name}").json
        place.sure(again == got)
        motd = {
            "items": [{"key": "motd", "value": "queue 4"}],
            "fingerprint": again["metadata"]["fingerprint"],
        }
        me.send("POST", f"{base}/instances/{name}/setMetadata", 200, None, motd)
    me.get(f"{base}/instances/render-3")


@case(
    "e269",
    "yul-profile-tag-grows-a-suffix",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    synthetic=True,
    description=(
        "An xAPI record store behind Apache with mod_deflate: the profile is read compressed under a tag with -gzip "
        "inside its quotes, the store knows its sha1 alone, and the player's If-Match is 412; a read that wants "
        "identity shows the bare tag."
    ),
)
def grown(stage: Stage) -> None:
    """Send the tag as the compressor made it."""
    steps = [{"id": n, "name": {"fi": f"Tehtävä {n}"}, "max": 5} for n in range(30)]
    rows = {"huolto-1": {"steps": steps, "rev": 1}, "huolto-2": {"steps": steps[:12], "rev": 4}}
    server = place.open_box(stage, clouds.Learning(rows), "waitress", "an xAPI record store")
    front = fronts.apache(stage, server, "SetOutputFilter DEFLATE")
    always = {"X-Experience-API-Version": "1.0.3", "Authorization": "Basic cGxheWVy"}
    me = stage.actor("client", front, "lrs.koulutus.example", "requests", always)
    base = "/xapi/activities/profile?activityId=http%3A%2F%2Fkurssi%2Fnosturi"
    me.get(base)
    for key in rows:
        seen = me.get(f"{base}&profileId={key}")
        place.sure(seen.etag.endswith('-gzip"'))
        body = {**seen.json, "rev": seen.json["rev"] + 1}
        me.put(f"{base}&profileId={key}", body, 412, {"If-Match": seen.etag})
        place.rest(0.4)
    plain = me.get(f"{base}&profileId=huolto-1", 200, {"Accept-Encoding": "identity"})
    place.sure("-gzip" not in plain.etag)


@case(
    "e253",
    "yul-balancer-sends-the-note-twice",
    "intermediary-replay",
    "412",
    alone="intermediary-replay",
    synthetic=True,
    description=(
        "Nextcloud Notes behind HAProxy with retry-on response-timeout: the first try is stored but takes too long, "
        "HAProxy sends the PUT again, and the client, which has sent one, is told 412 with a body that is its own text."
    ),
)
def twice(stage: Stage) -> None:
    """Be told about the second try."""
    rows = {
        str(n): {
            "title": f"Liste {n}",
            "content": "Brot\n",
            "category": "",
            "favorite": False,
            "modified": 1795800000 + n,
        }
        for n in (41, 42, 43)
    }
    notes = clouds.Notes(rows)
    notes.slow = ("/42", 1.7)
    beside = {
        "/ocs/v2.php/cloud/capabilities?format=json": {"ocs": {"data": {"notes": {"api_version": ["1.3"]}}}}
    }
    notes.beside.update(beside)
    server = place.open_box(stage, notes, "cheroot", "Nextcloud Notes")
    lines = " timeout server 900ms\n retry-on response-timeout\n retries 2\n option redispatch"
    front = fronts.haproxy(stage, [server], lines, " option http-buffer-request")
    me = stage.actor(
        "client", front, "cloud.familie.example", "node:fetch", {"Authorization": "Basic YW5rZQ=="}
    )
    me.get("/ocs/v2.php/cloud/capabilities?format=json")
    base = "/index.php/apps/notes/api/v1/notes"
    me.get(base)
    for key, status in (("41", 200), ("42", 412)):
        seen = me.get(f"{base}/{key}")
        text = {"content": seen.json["content"] + "Hefe\n"}
        got = me.put(f"{base}/{key}", text, status, {"If-Match": seen.etag})
        place.sure(got.json["content"] == text["content"])
        place.rest(0.4)
    place.sure(me.get(f"{base}/42").json["content"] == text["content"])
    place.rest(1.2)
    sent = [one for one in stage.taps["upstream"].recorded if one.request.method == "PUT"]
    place.sure(len(sent) == 3, [(one.request.target, one.response) for one in sent])


@case(
    "e243",
    "yul-links-rewritten-tags-gone",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    synthetic=True,
    description=(
        "SAP Gateway behind an nginx that rewrites host names in JSON by sub_filter: the ETag goes with it, the app "
        "has nothing to send and each PATCH is 428; the 204 of a write with * , which nginx leaves alone, has a tag."
    ),
)
def rewritten(stage: Stage) -> None:
    """Have nothing to send."""
    rows = {
        f"45000012{n}": (
            {"PurchaseOrder": f"45000012{n}", "Plant": "1010", "Doc": "http://s4.intern.example/d/1"},
            20261121080000 + n,
        )
        for n in (31, 32, 33)
    }
    base = "/sap/opu/odata4/sap/api_purchaseorder/srvd/0001/PurchaseOrder"
    server = place.open_box(stage, clouds.Gateway(rows), "tornado", "SAP Gateway")
    lines = 'sub_filter_types "application/json;odata.metadata=none"; sub_filter_once off;\n'
    lines += "sub_filter 's4.intern.example' 'fiori.werk.example';"
    front = fronts.nginx(stage, server, lines)
    always = {"Accept": "application/json;odata.metadata=none", "sap-language": "DE"}
    me = stage.actor("client", front, "fiori.werk.example", "java", always)
    me.get(f"{base}?$top=20")
    for key in ("4500001231", "4500001232"):
        got = me.get(f"{base}('{key}')")
        place.sure("etag" not in got.fields)
        me.send("PATCH", f"{base}('{key}')", 428, None, {"Plant": "1020"})
        place.rest(0.4)
    forced = me.send("PATCH", f"{base}('4500001233')", 204, {"If-Match": "*"}, {"Plant": "1030"})
    place.sure("etag" in forced.fields)
    place.sure("etag" not in me.get(f"{base}('4500001233')").fields)


@case(
    "e249",
    "yul-season-stored-and-refused",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    synthetic=True,
    description=(
        "Spring Data REST behind Varnish: If-Unmodified-Since with the served date is looked at only when the change "
        "has been stored, so each first PATCH is 412, and the entity read afterwards has the new value and date."
    ),
)
def stored(stage: Stage) -> None:
    """Be refused and stored."""
    rows = {n: ({"name": f"Saison {n}", "courts": n}, time.time() - 70000 - n) for n in (5, 6, 7)}
    beside = {"/api/profile/seasons": {"alps": {"version": "1.0", "descriptor": []}}}
    server = place.open_box(stage, clouds.Repository(rows, beside), "flask", "Spring Data REST")
    pipe = "sub vcl_recv { return (pass); }"
    front = fronts.varnish(stage, server, pipe)
    me = stage.actor("client", front, "courts.tennis.example", "java", {"Accept": "application/hal+json"})
    me.get("/api/seasons")
    me.get("/api/profile/seasons")
    for key in (5, 7):
        seen = me.get(f"/api/seasons/{key}")
        guard = {
            "If-Unmodified-Since": seen.fields["last-modified"],
            "Content-Type": "application/merge-patch+json",
        }
        me.send("PATCH", f"/api/seasons/{key}", 412, guard, '{"courts":12}')
        place.rest(0.5)
        place.sure(me.get(f"/api/seasons/{key}").json["courts"] == 12)
    me.get("/api/seasons/6")


@case(
    "e278",
    "yul-deletion-with-another-lifetime",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    synthetic=True,
    description=(
        "Cloud DNS behind HAProxy: a certificate tool deletes a TXT record with ttl 300 where the zone has 60: 412 "
        "Precondition not met for deletions[0]; the list, before and after, shows the live record."
    ),
)
def lifetime(stage: Stage) -> None:
    """Name a record as it is not."""

    def record(name: str, kind: str, ttl: int, *data: str) -> dict[str, Any]:
        return {
            "kind": "dns#resourceRecordSet",
            "name": name,
            "type": kind,
            "ttl": ttl,
            "rrdatas": list(data),
        }

    txt = record("_acme-challenge.brod.example.", "TXT", 60, '"k3Vd_old"')
    found = [
        txt,
        record("brod.example.", "A", 3600, "192.0.2.41"),
        record("mail.brod.example.", "A", 3600, "192.0.2.44"),
    ]
    zones = clouds.Zones({one["name"] + one["type"]: one for one in found})
    base = "/dns/v1/projects/brod/managedZones/brod"
    zones.beside[base] = {"kind": "dns#managedZone", "name": "brod", "dnsName": "brod.example."}
    server = place.open_box(stage, zones, "falcon", "Cloud DNS")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "dns.brod.example", "requests", {"Authorization": "Bearer ya29.c"})
    me.get(base)
    me.get(f"{base}/rrsets")
    other = record("mail.brod.example.", "A", 3600, "192.0.2.45")
    me.send("POST", f"{base}/changes", 200, None, {"deletions": [found[2]], "additions": [other]})
    new = {**txt, "ttl": 300, "rrdatas": ['"Zp91_new"']}
    change = {"deletions": [{**txt, "ttl": 300}], "additions": [new]}
    me.send("POST", f"{base}/changes", 412, None, change)
    place.rest(1.0)
    place.sure(txt in me.get(f"{base}/rrsets").json["rrsets"])
    me.get(base)
