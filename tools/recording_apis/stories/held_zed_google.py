"""Calendars, policies, instances, contacts, zones and objects at Google's."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from tools.recording_apis.apps import zed_google as google
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "e285",
    "zed-surgery-moved-by-reception",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "A surgery's calendar: while the vet's assistant edits an event's description, reception moves it to another "
        "room; the assistant's update with the event's etag is refused, and the event that is read then has the room."
    ),
    synthetic=True,
)
def surgery(stage: Stage) -> None:
    """Be second."""
    names = ("h2k9s0tq1", "h2k9s0tq2", "h2k9s0tq3")
    events = {
        one: {
            "summary": f"Cirurgia {n}",
            "location": "Sala 1",
            "start": {"dateTime": f"2026-12-0{n}T09:00:00Z"},
        }
        for n, one in enumerate(names, 1)
    }
    root = "/calendar/v3/calendars/clinica@vet.example/events"
    server = place.open_box(
        stage, google.Calendar("clinica@vet.example", events), "cheroot", "Google Calendar"
    )
    me = stage.actor(
        "client", server, "www.googleapis.com", "requests", {"Authorization": "Bearer ya29.a0AfB_assistant"}
    )
    other = stage.actor(
        "other", server, "www.googleapis.com", "node:axios", {"Authorization": "Bearer ya29.a0AfB_reception"}
    )
    me.get("/calendar/v3/users/me/calendarList")
    me.get(f"{root}?timeMin=2026-12-01T00:00:00Z&singleEvents=true")
    seen = me.get(f"{root}/{names[1]}").json
    first = me.get(f"{root}/{names[0]}").json
    me.put(f"{root}/{names[0]}", {**first, "description": "Jejum 12 h"}, 200, {"If-Match": first["etag"]})
    theirs = other.get(f"{root}/{names[1]}").json
    other.send("PATCH", f"{root}/{names[1]}", 200, {"If-Match": theirs["etag"]}, {"location": "Sala 3"})
    place.rest(1.2)
    me.put(f"{root}/{names[1]}", {**seen, "description": "Trazer análises"}, 412, {"If-Match": seen["etag"]})
    place.sure(me.get(f"{root}/{names[1]}").json["location"] == "Sala 3")
    me.get(f"{root}/{names[2]}")


@case(
    "e290",
    "zed-grants-tried-again-unchanged",
    "retry-reuses-failed-token",
    "409",
    alone="retry-reuses-failed-token",
    also="other-writer status-dialect-mismatch",
    description=(
        "A deploy script adds a member to a project's policy; another pipeline was faster. Its retry loop sends the same "
        "policy with the same etag four more times with growing pauses, and gives up."
    ),
    synthetic=True,
)
def grants(stage: Stage) -> None:
    """Try again and again."""
    start = [{"role": "roles/viewer", "members": ["group:ops@ferry.example"]}]
    server = place.open_box(
        stage, google.Policies("ferry-live", start), "flask-cheroot", "Google Resource Manager"
    )
    base = "/v1/projects/ferry-live"
    me = stage.actor(
        "client",
        server,
        "cloudresourcemanager.googleapis.com",
        "httpx",
        {"Authorization": "Bearer ya29.c.ci"},
    )
    other = stage.actor(
        "other", server, "cloudresourcemanager.googleapis.com", "curl", {"Authorization": "Bearer ya29.c.tf"}
    )
    me.get(base)
    me.send(
        "POST",
        f"{base}:testIamPermissions",
        200,
        None,
        {"permissions": ["resourcemanager.projects.setIamPolicy"]},
    )
    seen = me.send("POST", f"{base}:getIamPolicy", 200, None, {}).json
    theirs = other.send("POST", f"{base}:getIamPolicy", 200, None, {}).json
    theirs["bindings"].append({"role": "roles/logging.viewer", "members": ["user:mina@ferry.example"]})
    other.send("POST", f"{base}:setIamPolicy", 200, None, {"policy": theirs})
    seen["bindings"].append(
        {"role": "roles/run.invoker", "members": ["serviceAccount:web@ferry-live.iam.gserviceaccount.com"]}
    )
    for pause in (0.2, 0.4, 0.8, 1.6, 0.1):
        me.send("POST", f"{base}:setIamPolicy", 409, None, {"policy": seen})
        place.rest(pause)
    me.get(base)


@case(
    "e303",
    "zed-startup-script-fingerprint-of-instance",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "A fleet tool sets an instance's metadata with the fingerprint of the instance itself, not that of its "
        "metadata: refused on each instance, though nobody else changes anything; its labels work."
    ),
    synthetic=True,
)
def fingerprint(stage: Stage) -> None:
    """Take the wrong one of three."""
    server = place.open_box(
        stage, google.Compute("europe-west1-b", ["reef-a", "reef-b"]), "cheroot", "Google Compute"
    )
    base = "/compute/v1/projects/reef-prod/zones/europe-west1-b"
    me = stage.actor(
        "client", server, "compute.googleapis.com", "aiohttp", {"Authorization": "Bearer ya29.fleet"}
    )
    me.get(f"{base}/instances")
    for name in ("reef-a", "reef-b"):
        seen = me.get(f"{base}/instances/{name}").json
        labels = {"labels": {**seen["labels"], "wave": "2"}, "labelFingerprint": seen["labelFingerprint"]}
        done = me.send("POST", f"{base}/instances/{name}/setLabels", 200, None, labels).json
        me.get(f"{base}/operations/{done['name']}")
        seen = me.get(f"{base}/instances/{name}").json
        items = [*seen["metadata"]["items"], {"key": "startup-script", "value": "#!/bin/sh\necho reef"}]
        asked = {"fingerprint": seen["fingerprint"], "items": items}
        me.send("POST", f"{base}/instances/{name}/setMetadata", 412, None, asked)
    again = me.get(f"{base}/instances/reef-b").json
    asked = {"fingerprint": again["fingerprint"], "items": items}
    me.send("POST", f"{base}/instances/reef-b/setMetadata", 412, None, asked)


@case(
    "e281",
    "zed-address-book-after-the-holidays",
    "token-expired",
    "400",
    alone="token-expired",
    description=(
        "An address book asks for what changed since its stored sync token, which is older than a week: refused as "
        "expired; the whole list is read again, and its new token works."
    ),
    synthetic=True,
)
def holidays(stage: Stage) -> None:
    """Come back late."""
    names = ["Ada Prins", "Bo Lind", "Chidi Okoro", "Dora Maar", "Emre Kaya", "Fay Weldon", "Goran Ilic"]
    server = place.open_box(stage, google.People(names), "bottle", "Google People")
    me = stage.actor(
        "client", server, "people.googleapis.com", "node:fetch", {"Authorization": "Bearer ya29.abook"}
    )
    root = "/v1/people/me/connections?personFields=names,emailAddresses&requestSyncToken=true"
    me.get("/v1/contactGroups")
    me.get(f"{root}&syncToken=CIDYkeWs1I4DEgQQAhgB", 400)
    page, token = "", ""
    while not token:
        got = me.get(root + page).json
        token = got.get("nextSyncToken", "")
        page = f"&pageToken={got.get('nextPageToken')}"
    place.rest(1.0)
    for _ in range(2):
        me.get(f"{root}&syncToken={token}")
        place.rest(0.4)


@case(
    "e317",
    "zed-old-address-with-the-default-ttl",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    description=(
        "A DNS script replaces an address: its deletion names the record with its own default of 300 seconds, while the "
        "zone has 60, as its list of a moment before shows; the whole change is refused, twice."
    ),
    synthetic=True,
)
def default_ttl(stage: Stage) -> None:
    """Delete what is not there so."""
    live = [
        {
            "name": "orchard.fm.",
            "type": "SOA",
            "ttl": 21600,
            "rrdatas": ["ns-cloud-a1.googledomains.com. x. 1 2 3 4 5"],
        },
        {"name": "www.orchard.fm.", "type": "A", "ttl": 60, "rrdatas": ["203.0.113.7"]},
        {"name": "ftp.orchard.fm.", "type": "CNAME", "ttl": 300, "rrdatas": ["www.orchard.fm."]},
    ]
    server = place.open_box(stage, google.Zones(live), "cheroot", "Google Cloud DNS")
    base = "/dns/v1/projects/orchard/managedZones"
    me = stage.actor("client", server, "dns.googleapis.com", "requests", {"Authorization": "Bearer ya29.dns"})
    me.get(base)
    me.get(f"{base}/orchard-fm/rrsets?maxResults=100")
    fine = {
        "deletions": [
            {"name": "ftp.orchard.fm.", "type": "CNAME", "ttl": 300, "rrdatas": ["www.orchard.fm."]}
        ],
        "additions": [
            {"name": "ftp.orchard.fm.", "type": "CNAME", "ttl": 300, "rrdatas": ["cdn.orchard.fm."]}
        ],
    }
    made = me.send("POST", f"{base}/orchard-fm/changes", 200, None, fine).json
    me.get(f"{base}/orchard-fm/changes/{made['id']}")
    asked = {
        "deletions": [{"name": "www.orchard.fm.", "type": "A", "ttl": 300, "rrdatas": ["203.0.113.7"]}],
        "additions": [{"name": "www.orchard.fm.", "type": "A", "ttl": 300, "rrdatas": ["203.0.113.44"]}],
    }
    me.send("POST", f"{base}/orchard-fm/changes", 412, None, asked)
    place.rest(0.6)
    me.send("POST", f"{base}/orchard-fm/changes", 412, None, asked)
    me.get(f"{base}/orchard-fm/rrsets?maxResults=100")


@case(
    "e280",
    "zed-price-list-in-two-halves",
    "read-changed-mid-transfer",
    "silent-corruption",
    alone="read-changed-mid-transfer",
    description=(
        "An importer downloads a price list in ranges; between two of them the list is exported anew. The parts bear "
        "different generations, all are 206, and its own report tells a checksum that no version has."
    ),
    synthetic=True,
)
def halves(stage: Stage) -> None:
    """Splice two versions."""
    api = google.Objects("prices-eu")
    api.keep("lists/tiles.csv", b"".join(b"sku-%03d;%d.90\n" % (n, n * 3) for n in range(60)), age=86000)
    api.keep("lists/grout.csv", b"sku;price\n", age=99000)
    server = place.open_box(stage, api, "flask-cheroot", "Google Cloud Storage")
    me = stage.actor(
        "client", server, "storage.googleapis.com", "urllib", {"Authorization": "Bearer ya29.import"}
    )
    other = stage.actor(
        "other", server, "storage.googleapis.com", "requests", {"Authorization": "Bearer ya29.export"}
    )
    me.get("/storage/v1/b/prices-eu/o?prefix=lists/")
    told = me.get("/storage/v1/b/prices-eu/o/lists%2Ftiles.csv").json
    path, whole = "/download/storage/v1/b/prices-eu/o/lists%2Ftiles.csv?alt=media", b""
    for number in range(3):
        low = number * 300
        if number == 2:
            fresh = "".join(f"sku-{n:03d};{n * 4}.50\n" for n in range(60))
            other.send(
                "POST",
                "/upload/storage/v1/b/prices-eu/o?uploadType=media&name=lists/tiles.csv",
                200,
                {"Content-Type": "text/csv"},
                fresh,
            )
        high = int(told["size"]) - 1 if number == 2 else low + 299
        whole += me.get(path, 206, {"Range": f"bytes={low}-{high}"}).body
        place.rest(0.4)
    sum_of = base64.b64encode(hashlib.md5(whole).digest()).decode()  # noqa: S324 - as told
    report = f"rows={whole.count(10)} md5={sum_of} expected={told['md5Hash']} state=MISMATCH"
    me.send(
        "POST",
        "/upload/storage/v1/b/prices-eu/o?uploadType=media&name=reports/tiles.txt",
        200,
        {"Content-Type": "text/plain"},
        report,
    )
    me.get("/storage/v1/b/prices-eu/o?prefix=lists/")
