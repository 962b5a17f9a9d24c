"""Stories on Google's services for offices."""

from __future__ import annotations

import base64
import json
import time
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from tools.recording_apis.apps import tia_google as google
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_tia_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage


@case(
    "e053",
    "tia-door-signs-escape-their-tags",
    "malformed-validator",
    "wasted-transfer",
    alone="malformed-validator",
    synthetic=True,
    description=(
        "Door signs poll the events of their rooms with If-None-Match. The firmware takes the tag out of the content, "
        "where it is a JSON string, as it is written there, with its backslashes: no poll is ever 304. The sign of another "
        "firmware beside it, which sends what the field held, is answered 304."
    ),
)
def signs(stage: Stage) -> None:
    """Poll with backslashes."""
    rooms = {
        "saal3": {"summary": "Probe Streicher"},
        "saal4": {"summary": "Vorstand"},
        "saal5": {"summary": "Jury"},
    }
    server = place.open_box(
        stage,
        google.calendar("haus%40konservatorium.example".replace("%40", "@"), rooms),
        "cheroot",
        "Google Calendar",
    )
    me = stage.actor(
        "client", server, "www.googleapis.example", "urllib", place.google("doorsign/1.9 (gzip)")
    )
    base = "/calendar/v3/calendars/haus%40konservatorium.example/events"
    me.get(f"{base}?singleEvents=true")
    held = {name: me.get(f"{base}/{name}") for name in rooms}
    for number in range(3):
        place.rest(0.6)
        for name in ("saal3", "saal4"):
            raw = json.dumps(held[name].json["etag"])[1:-1]
            held[name] = me.get(f"{base}/{name}", 200, {"If-None-Match": raw})
        me.get(
            f"{base}/saal5", 304, {"If-None-Match": held["saal5"].etag, "User-Agent": "doorsign/2.0 (gzip)"}
        )
        place.sure(number < 3)


@case(
    "e040",
    "tia-rota-after-the-sabbatical",
    "token-expired",
    "410",
    alone="token-expired",
    synthetic=True,
    description=(
        "A rota follows a calendar by sync tokens and comes back after weeks with the one it had stored: 410 "
        "fullSyncRequired, twice; the full list hands out a token of the same kind, by which the next change is told."
    ),
)
def rota(stage: Stage) -> None:
    """Come back with a token that is too old."""
    duties = {f"dienst{n}": {"summary": f"Bereitschaft {n}"} for n in range(1, 5)}
    api = google.calendar("pflege@spital.example", duties)
    server = place.open_box(stage, api, "cheroot", "Google Calendar")
    me = stage.actor(
        "client", server, "www.googleapis.example", "requests", place.google("rota-sync/3 (gzip)")
    )
    other = stage.actor("other", server, "www.googleapis.example", "httpx", place.google("Calendar-Web"))
    base = "/calendar/v3/calendars/pflege%40spital.example/events"
    token = f"{base64.urlsafe_b64encode(f'CPDA{time.time() - 3400000:.3f}'.encode()).decode()}0="
    api.epoch = 1  # type: ignore[attr-defined]
    me.get("/calendar/v3/colors")
    for _ in range(2):
        me.get(f"{base}?syncToken={quote(token)}&showDeleted=true", 410)
        place.rest(0.7)
    token = me.get(f"{base}?maxResults=250&showDeleted=true").json["nextSyncToken"]
    other.send("PATCH", f"{base}/dienst2", 200, None, {"summary": "Bereitschaft 2 (Tausch)"})
    place.rest(0.5)
    seen = me.get(f"{base}?syncToken={quote(token)}&showDeleted=true").json
    place.sure(len(seen["items"]) == 1)


@case(
    "e076",
    "tia-two-numbers-of-a-choir-member",
    "replica-lag",
    "stale-read",
    alone="replica-lag",
    synthetic=True,
    description=(
        "A choir's list writes a new number to a contact and reads the contact back to note what is there: for two seconds "
        "the read shows the old number under the tag from before the save, in the list as well, with no mark of a cache. "
        "Then the tag is that of the save's answer."
    ),
)
def choir(stage: Stage) -> None:
    """Read from behind one's own save."""
    names = {
        f"c{n}": {"names": [{"displayName": name}], "phoneNumbers": [{"value": f"+49 551 {n}"}]}
        for n, name in ((4417, "Ute Ahrens"), (4418, "Jan Brandt"), (4423, "Mo Celik"))
    }
    server = place.open_box(stage, google.people(names, 2.2), "cheroot", "Google People API")
    me = stage.actor(
        "client", server, "people.googleapis.example", "httpx", place.google("chorliste/0.7 (gzip)")
    )
    fields = "personFields=names,phoneNumbers"
    me.get(f"/v1/people/me/connections?{fields}&pageSize=200")
    for key in ("c4418", "c4423"):
        seen = me.get(f"/v1/people/{key}?{fields}").json
        body = {"etag": seen["etag"], "phoneNumbers": [{"value": f"+49 170 9{key[1:]}"}]}
        saved = me.send(
            "PATCH", f"/v1/people/{key}:updateContact?updatePersonFields=phoneNumbers", 200, None, body
        ).json
        place.rest(0.3)
        read = me.get(f"/v1/people/{key}?{fields}").json
        place.sure(read["etag"] == seen["etag"] != saved["etag"])
        place.rest(0.5)
        me.get(f"/v1/people/me/connections?{fields}&pageSize=200")
        place.rest(1.8)
        place.sure(me.get(f"/v1/people/{key}?{fields}").json["etag"] == saved["etag"])


@case(
    "e061",
    "tia-two-admins-by-turns",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "Two administrators grant roles in one project by turns: each reads the policy, adds a member and stores it under "
        "the etag that was read. The tag moves between the client's own two grants, and both are kept."
    ),
)
def grants(stage: Stage) -> None:
    """Store a policy in turns."""
    bindings = [{"role": "roles/viewer", "members": ["group:alle@verlag.example"]}]
    server = place.open_box(
        stage, google.policies("verlag-archiv", bindings), "cheroot", "Google Resource Manager"
    )
    host = "cloudresourcemanager.googleapis.example"
    me = stage.actor("client", server, host, "requests", place.google("gcloud/502.0 grants"))
    other = stage.actor("other", server, host, "node:fetch", place.google("console"))
    top = "/v1/projects/verlag-archiv"

    def grant(who: Actor, role: str, member: str) -> None:
        policy = who.send(
            "POST", f"{top}:getIamPolicy", 200, None, {"options": {"requestedPolicyVersion": 1}}
        ).json
        policy["bindings"].append({"role": role, "members": [member]})
        place.rest(0.3)
        who.send("POST", f"{top}:setIamPolicy", 200, None, {"policy": policy})

    me.get(top)
    grant(me, "roles/storage.objectViewer", "user:lena@verlag.example")
    grant(other, "roles/logging.viewer", "user:omar@verlag.example")
    place.rest(0.8)
    grant(me, "roles/bigquery.user", "serviceAccount:bericht@verlag-archiv.example")
    final = me.send("POST", f"{top}:getIamPolicy", 200, None, {}).json
    place.sure(len(final["bindings"]) == 4)


@case(
    "e048",
    "tia-labels-by-the-other-fingerprint",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    synthetic=True,
    description=(
        "An inventory sets labels on machines with the fingerprint of their metadata instead of labelFingerprint: 412, "
        "after a fresh read as well, though nobody writes. Its setMetadata calls, which take that fingerprint, pass."
    ),
)
def labels(stage: Stage) -> None:
    """Take the fingerprint of another part."""
    server = place.open_box(
        stage,
        google.machines("europe-west3-b", ("pacs-1", "pacs-2", "ris-1")),
        "cheroot",
        "Google Compute Engine",
    )
    me = stage.actor(
        "client", server, "compute.googleapis.example", "node:axios", place.google("inventar/5.1 gaxios/6")
    )
    base = "/compute/v1/projects/klinik-prod/zones/europe-west3-b/instances"
    for seen in me.get(base).json["items"][:2]:
        path, meta = f"{base}/{seen['name']}", seen["metadata"]
        items = [*meta["items"], {"key": "contact", "value": "radiologie"}]
        me.send(
            "POST", f"{path}/setMetadata", 200, None, {"fingerprint": meta["fingerprint"], "items": items}
        )
        for _ in range(2):
            now = me.get(path).json
            place.rest(0.4)
            body = {
                "labels": {**now["labels"], "cost": "k-77"},
                "labelFingerprint": now["metadata"]["fingerprint"],
            }
            me.send("POST", f"{path}/setLabels", 412, None, body)
    place.sure("cost" not in me.get(f"{base}/pacs-1").json["labels"])


@case(
    "e067",
    "tia-record-as-the-plan-knows-it",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    synthetic=True,
    description=(
        "A tool moves a host: its change deletes the record as its plan has it, with a TTL of 300, and adds the new one. "
        "The live record's TTL is 3600: 412 for deletions[0], so nothing of the change happens. Another host's change with "
        "the record as it is passes."
    ),
)
def records(stage: Stage) -> None:
    """Delete a record that is not quite there."""
    sets = [
        {"name": f"{name}.hafen.example.", "type": "A", "ttl": ttl, "rrdatas": [ip]}
        for name, ttl, ip in (
            ("mail", 300, "192.0.2.7"),
            ("ais", 3600, "192.0.2.19"),
            ("kran", 300, "192.0.2.40"),
        )
    ]
    server = place.open_box(stage, google.zones("hafen", sets), "cheroot", "Google Cloud DNS")
    me = stage.actor("client", server, "dns.googleapis.example", "aiohttp", place.google("octodns/1.10"))
    base = "/dns/v1/projects/netz-2/managedZones/hafen"
    me.get(f"{base}/rrsets?maxResults=1000")
    for name, ip, status in (
        ("mail", "198.51.100.7", 200),
        ("ais", "198.51.100.19", 412),
        ("ais", "198.51.100.19", 412),
    ):
        old = next(one for one in sets if str(one["name"]).startswith(name))
        gone = {**old, "ttl": 300}
        me.send(
            "POST",
            f"{base}/changes",
            status,
            None,
            {"deletions": [gone], "additions": [{**gone, "rrdatas": [ip]}]},
        )
        place.rest(0.5)
    seen = me.get(f"{base}/rrsets?name=ais.hafen.example.").json["rrsets"][0]
    place.sure(seen["ttl"] == 3600)


@case(
    "e074",
    "tia-catalogue-of-tables-each-night",
    "unstable-etag",
    "wasted-transfer",
    alone="unstable-etag",
    synthetic=True,
    description=(
        "A data catalogue reads the metadata of tables with If-None-Match and never gets a 304: two reads in a row hold "
        "different etags while lastModifiedTime and everything else in the content is the same."
    ),
)
def catalogue(stage: Stage) -> None:
    """Read tags that are drawn."""
    names = {
        name: {"schema": {"fields": [{"name": "id", "type": "INT64"}, {"name": name, "type": "STRING"}]}}
        for name in ("bons", "kunden", "retouren")
    }
    server = place.open_box(stage, google.tables("kasse", names, steady=False), "cheroot", "BigQuery")
    me = stage.actor("client", server, "bigquery.googleapis.example", "java", place.google("katalog/2"))
    base = "/bigquery/v2/projects/handel/datasets/kasse/tables"
    held: dict[str, str] = {}
    for _round in range(3):
        for name in names:
            known = {"If-None-Match": held[name]} if name in held else {}
            got = me.get(f"{base}/{name}", 200, known)
            place.sure(held.get(name) != got.etag)
            held[name] = got.etag
        place.rest(0.4)


@case(
    "e043",
    "tia-descriptions-by-two-workers",
    "self-race",
    "412",
    alone="self-race",
    synthetic=True,
    description=(
        "One run of a documentation tool writes a table's description and its labels by two workers at once, both with the "
        "tag of the read that they share: the first is taken, the other refused some hundredths of a second later."
    ),
)
def descriptions(stage: Stage) -> None:
    """Write twice at once."""
    names = {name: {"description": "", "labels": {}} for name in ("fahrten", "tarife", "zonen")}
    server = place.open_box(stage, google.tables("verkehr", names, slow=0.25), "cheroot", "BigQuery")
    me = stage.actor(
        "client",
        server,
        "bigquery.googleapis.example",
        "httpx",
        {**place.google("dbt-docs/1.9"), "X-Run-Id": "r-20261128-2"},
    )
    base = "/bigquery/v2/projects/handel/datasets/verkehr/tables"
    for name in ("fahrten", "zonen"):
        tag = me.get(f"{base}/{name}").etag

        def save(body: dict[str, object], name: str = name, tag: str = tag) -> Answer:
            return me.send("PATCH", f"{base}/{name}", (200, 412), {"If-Match": tag}, body)

        got = place.at_once(
            partial(save, {"description": f"Alle {name}"}),
            partial(save, {"labels": {"team": "oepnv"}}),
            apart=0.05,
        )
        place.sure(sorted(one.status for one in got) == [200, 412])
        place.rest(0.5)
    now = me.get(f"{base}/tarife")
    me.send("PATCH", f"{base}/tarife", 200, {"If-Match": now.etag}, {"description": "Alle Tarife"})
    me.get(f"{base}/zonen")


@case(
    "e057",
    "tia-parcels-by-update-time",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A parcel shop's scanner makes documents with currentDocument.exists=false and changes them under the update time "
        "that was answered last, with all its six digits; a 404 before the first write belongs to it. A colleague's change "
        "is read before the next of its own."
    ),
)
def parcels(stage: Stage) -> None:
    """Write by update times."""
    server = place.open_box(stage, google.documents("paketshop-9"), "cheroot", "Firestore")
    host = "firestore.googleapis.example"
    me = stage.actor("client", server, host, "node:fetch", place.google("grpc-web-rest/11.0"))
    other = stage.actor("other", server, host, "requests", place.google("desk"))
    base = "/v1/projects/paketshop-9/databases/(default)/documents/parcels"
    for number in ("JD0141", "JD0142"):
        path = f"{base}/{number}"
        me.get(path, 404)
        shelf = {"fields": {"shelf": {"stringValue": "B4"}, "state": {"stringValue": "in"}}}
        made = me.send("PATCH", f"{path}?currentDocument.exists=false", 200, None, shelf).json
        if number == "JD0142":
            place.rest(0.4)
            mask = (
                f"updateMask.fieldPaths=shelf&currentDocument.updateTime={other.get(path).json['updateTime']}"
            )
            other.send("PATCH", f"{path}?{mask}", 200, None, {"fields": {"shelf": {"stringValue": "C1"}}})
            place.rest(0.5)
            made = me.get(path).json
        mask = f"updateMask.fieldPaths=state&currentDocument.updateTime={made['updateTime']}"
        me.send("PATCH", f"{path}?{mask}", 200, None, {"fields": {"state": {"stringValue": "out"}}})
    place.sure(
        me.get(f"{base}/JD0142").json["fields"]
        == {"shelf": {"stringValue": "C1"}, "state": {"stringValue": "out"}}
    )


@case(
    "e052",
    "tia-manifest-as-if-it-were-new",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    synthetic=True,
    description=(
        "A podcast's publisher reads its feed's manifest, adds an episode and uploads it with ifGenerationMatch=0, as it "
        "does with new episodes: the manifest has been there all along, so each attempt is 412; the generation does not move."
    ),
)
def manifest(stage: Stage) -> None:
    """Guard an update as a creation."""
    api = google.objects("funkhaus-feed")
    api.keep("feed/manifest.json", {"episodes": ["s2e1", "s2e2"]}, "", 70000)
    server = place.open_box(stage, api, "cheroot", "Google Cloud Storage JSON API")
    me = stage.actor(
        "client",
        server,
        "storage.googleapis.example",
        "requests",
        place.google("feedpub/1.2 gcs-python/2.19"),
    )
    top = "/storage/v1/b/funkhaus-feed/o"

    def upload(name: str, body: object, status: int) -> None:
        target = f"/upload/storage/v1/b/funkhaus-feed/o?uploadType=media&name={quote(name, '')}&ifGenerationMatch=0"
        me.send("POST", target, status, None, body)

    me.get(f"{top}?prefix=feed%2F")
    upload("feed/s2e3.json", {"title": "Nebel", "length": 1804}, 200)
    seen = me.get(f"{top}/feed%2Fmanifest.json?alt=media")
    wanted = {"episodes": [*seen.json["episodes"], "s2e3"]}
    for _ in range(2):
        upload("feed/manifest.json", wanted, 412)
        place.rest(0.9)
    place.sure(me.get(f"{top}/feed%2Fmanifest.json").json["generation"] == seen.fields["x-goog-generation"])
    upload("feed/s2e4.json", {"title": "Tau", "length": 1760}, 200)
