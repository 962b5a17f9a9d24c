"""Stories on health records, name servers and price lists."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording_apis.apps import gus_records
from tools.recording_apis.apps.gus_wire import day, iso
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_gus_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "e485",
    "gus-coverage-date-nobody-reads",
    "bad-date",
    "lost-update",
    alone="bad-date",
    description="A practice system writes the date of its guard in ISO 8601; it is passed over and a colleague's correction is lost.",
    synthetic=True,
)
def coverage(stage: Stage) -> None:
    """A guard in a form that is no date for HTTP."""
    rows = {
        f"Coverage/{key}": {
            "resourceType": "Coverage",
            "id": key,
            "status": "active",
            "subscriberId": number,
            "period": {"start": "2026-01-01"},
            "order": 1,
        }
        for key, number in (("a7f2d1", "XK-20981"), ("c04e77", "XK-20990"))
    }
    app = place.hold(stage, gus_records.canvas(rows), "falcon", "Canvas Medical")
    ours = place.actor(stage, "client", app, "fumage-elmwood.example", "node:fetch")
    their = place.actor(stage, "other", app, "fumage-elmwood.example", "requests")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    auth = {
        "Authorization": "Bearer "
        + ours.send("POST", "/auth/token/", 200, form, "grant_type=client_credentials").json["access_token"]
    }
    ours.get("/Coverage?patient=Patient%2F5350", 200, auth)
    mine = ours.get("/Coverage/a7f2d1", 200, auth)
    seen = their.get("/Coverage/a7f2d1")
    their.put(
        "/Coverage/a7f2d1",
        {**seen.json, "subscriberId": "XK-20918"},
        200,
        {"If-Unmodified-Since": seen.fields["last-modified"]},
    )
    place.wait(0.7)
    read = time.strptime(mine.fields["last-modified"], "%a, %d %b %Y %H:%M:%S GMT")
    ours.put(
        "/Coverage/a7f2d1",
        {**mine.json, "period": {"start": "2026-01-01", "end": "2026-12-31"}},
        200,
        {**auth, "If-Unmodified-Since": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", read)},
    )
    last = ours.get("/Coverage/a7f2d1", 200, auth)
    place.sure(last.json["subscriberId"] == "XK-20981")


@case(
    "e512",
    "gus-two-of-that-number",
    "multi-match",
    "412",
    alone="multi-match",
    description="A register updates by a number that two records carry.",
    synthetic=True,
)
def two_of_that_number(stage: Stage) -> None:
    """The criteria fit twice."""

    def one(key: str, number: str, name: str, version: str) -> dict[str, object]:
        return {
            "resourceType": "Patient",
            "id": key,
            "meta": {"versionId": version, "lastUpdated": iso(time.time() - 9000)},
            "identifier": [{"system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": number}],
            "name": [{"family": name}],
        }

    rows = {
        "411": one("411", "13116900216", "Solbakken", "3"),
        "412": one("412", "05073500186", "Berg", "1"),
        "566": one("566", "13116900216", "Solbakken-Moe", "1"),
    }
    app = place.hold(stage, gus_records.fhir(rows), "aiohttp", "FHIR")
    ours = place.actor(
        stage, "client", app, "journal.fjordhelse.example", "bare", {"Accept": "application/fhir+json"}
    )
    ours.get("/fhir/metadata")
    kind = {"Content-Type": "application/fhir+json"}
    for number, name, status in (("05073500186", "Berg", 200), ("13116900216", "Solbakken", 412)):
        data = {
            "resourceType": "Patient",
            "identifier": [{"system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": number}],
            "name": [{"family": name}],
            "telecom": [{"system": "phone", "value": "+47 400 11 222"}],
        }
        ours.put(f"/fhir/Patient?identifier=urn:oid:2.16.578.1.12.4.1.4.1%7C{number}", data, status, kind)
    ours.get("/fhir/Patient?identifier=urn:oid:2.16.578.1.12.4.1.4.1%7C13116900216&_summary=data")


@case(
    "e490",
    "gus-text-record-unlike-the-one-there",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    description="A tool takes a TXT record out as it would write it, its parts joined; the zone holds it in two parts.",
    synthetic=True,
)
def text_record(stage: Stage) -> None:
    """One long string is not two short ones."""
    name = "k1._domainkey.kiln.example."
    sets = [
        {
            "kind": "dns#resourceRecordSet",
            "name": "kiln.example.",
            "type": "MX",
            "ttl": 3600,
            "rrdatas": ["10 mx.kiln.example."],
        },
        {
            "kind": "dns#resourceRecordSet",
            "name": name,
            "type": "TXT",
            "ttl": 300,
            "rrdatas": ['"v=DKIM1; k=rsa; p=MIGf" "MA0GCSq"'],
        },
        {
            "kind": "dns#resourceRecordSet",
            "name": "www.kiln.example.",
            "type": "CNAME",
            "ttl": 300,
            "rrdatas": ["kiln.example."],
        },
    ]
    app = place.hold(stage, gus_records.cloud_dns("kiln-net", "kiln-zone", sets), "falcon", "Cloud DNS")
    ours = place.actor(
        stage,
        "client",
        app,
        "dns.apis.example",
        "requests",
        {"User-Agent": "dnscontrol/4.15.0", "Authorization": "Bearer ya29.k"},
    )
    base = "/dns/v1/projects/kiln-net/managedZones"
    ours.get(base)
    ours.get(f"{base}/kiln-zone/rrsets?maxResults=100")
    new = {"name": name, "type": "TXT", "ttl": 300, "rrdatas": ['"v=DKIM1; k=rsa; p=MIIBIj" "ANBgkqh"']}
    web = {"name": "www.kiln.example.", "type": "CNAME", "ttl": 300, "rrdatas": ["kiln.example."]}
    old = {**new, "rrdatas": ['"v=DKIM1; k=rsa; p=MIGfMA0GCSq"']}
    ours.send(
        "POST",
        f"{base}/kiln-zone/changes",
        412,
        None,
        {"deletions": [web, old], "additions": [{**web, "ttl": 900}, new]},
    )
    ours.get(f"{base}/kiln-zone/rrsets?name={name}&type=TXT")


@case(
    "e516",
    "gus-price-list-told-unchanged",
    "timezone-error",
    "wrong-304",
    alone="timezone-error",
    description="A shop keeps the date of a price list in the time of Nepal and sends it labelled GMT: the new list is told unchanged.",
    synthetic=True,
)
def price_list(stage: Stage) -> None:
    """Five hours and three quarters ahead."""
    app, put = gus_records.blobs(
        {"kathmandu.csv": b"sku,npr\nT-101,1450\nT-102,980\n", "pokhara.csv": b"sku,npr\nT-101,1500\n"}
    )
    box = place.hold(stage, app, "flask", "Azure Blob")
    ours = place.actor(
        stage, "client", box, "chiya.blob.example", "curl:verbose", {"x-ms-version": "2023-11-03"}
    )
    query = "?sv=2023-11-03&sp=rl&sig=Zm9v"
    ours.get(f"/prices{query}&restype=container&comp=list")
    first = ours.get(f"/prices/kathmandu.csv{query}")
    shown = (
        time.mktime(time.strptime(first.fields["last-modified"], "%a, %d %b %Y %H:%M:%S GMT")) - time.timezone
    )
    since = day(shown + 5.75 * 3600)
    ours.get(f"/prices/kathmandu.csv{query}", 304, {"If-Modified-Since": since})
    ours.get(f"/prices/pokhara.csv{query}")
    put("kathmandu.csv", b"sku,npr\nT-101,1690\nT-102,1040\nT-103,2100\n")
    place.wait(1.0)
    ours.get(f"/prices/kathmandu.csv{query}", 304, {"If-Modified-Since": since})
    ours.get(f"/prices{query}&restype=container&comp=list")
    place.wait(0.6)
    ours.get(f"/prices/kathmandu.csv{query}", 304, {"If-Modified-Since": since})
