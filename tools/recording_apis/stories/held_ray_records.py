"""Stories on Dataverse's records and Firefox's sync storage."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from tools.recording_apis.apps.ray_core import Req, Res, guid
from tools.recording_apis.apps.ray_suites import dataverse, sync
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_ray_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_TOP = "/api/data/v9.2"


def _path(table: str, name: str) -> str:
    return f"{_TOP}/{table}({guid(name)})"


@case(
    "b946",
    "ray-field-app-saves-and-closes",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    synthetic=True,
    description=(
        "A field service app saves a work order's notes and, right after the answer, its closing, both with the "
        "etag of the one read: one is 204, the other 412 some hundredths of a second later; for two work orders."
    ),
    notes=(
        (
            "Its author meant a self-race; in what was recorded the first answer was there before the second write was "
            "sent."
        ),
    ),
)
def field(stage: Stage) -> None:
    """Send two changes at once on one etag."""
    orders = {f"WO-{n}": {"msdyn_name": f"WO-{n}", "statuscode": 1, "notes": ""} for n in (5512, 5513, 5514)}
    api = dataverse({"msdyn_workorders": orders})
    server = place.open_box(stage, api, "tornado", "Dataverse")
    phone = {**place.ODATA, "User-Agent": "okhttp/4.12.0", "x-ms-client-session-id": guid("session")}
    me = stage.actor("client", server, "feldservice.crm4.dynamics.example", "httpx", phone)
    me.get(f"{_TOP}/WhoAmI")
    me.get(f"{_TOP}/msdyn_workorders?$top=50")
    for name, note in (("WO-5512", "Pumpe getauscht"), ("WO-5514", "Dichtung erneuert")):
        path = _path("msdyn_workorders", name)
        tag = {"If-Match": me.get(path).etag}
        send = partial(me.send, "PATCH", path, (204, 412), tag)
        got = place.at_once(partial(send, {"notes": note}), partial(send, {"statuscode": 5}), apart=0.06)
        place.sure(sorted(one.status for one in got) == [204, 412])
        place.rest(0.5)
        place.sure(me.get(path).json["statuscode"] == 1)
    path = _path("msdyn_workorders", "WO-5513")
    me.send("PATCH", path, 204, {"If-Match": me.get(path).etag}, {"notes": "nicht angetroffen"})


@case(
    "b945",
    "ray-flow-with-backslashes",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    synthetic=True,
    description=(
        "An integration keeps @odata.etag as it stands in a JSON text, with backslashes before the quotes, and sends it "
        "so: 412 for each contact, though the tag is the current one when the backslashes are taken off."
    ),
)
def flow(stage: Stage) -> None:
    """Send a tag with the escapes of JSON."""
    people = {
        name: {"fullname": name, "emailaddress1": f"{name[:3].lower()}@kunde.example"}
        for name in ("Ana Duarte", "Rui Lopes", "Inês Melo")
    }
    server = place.open_box(stage, dataverse({"contacts": people}, 51220944), "waitress", "Dataverse")
    me = stage.actor(
        "client",
        server,
        "lisboa.crm4.dynamics.example",
        "node:axios",
        {**place.ODATA, "User-Agent": "azure-logic-apps/1.0"},
    )
    me.get(f"{_TOP}/WhoAmI")
    rows = me.get(f"{_TOP}/contacts?$select=fullname,emailaddress1").json["value"]
    for row in rows:
        escaped = row["@odata.etag"].replace('"', '\\"')
        path = f"{_TOP}/contacts({row['contactid']})"
        me.send("PATCH", path, 412, {"If-Match": escaped}, {"mobilephone": "+351 910 000 000"})
        place.rest(0.3)
        place.sure(me.get(path).json["@odata.etag"] == row["@odata.etag"])


@case(
    "b935",
    "ray-lead-that-was-merged-away",
    "target-missing",
    "404",
    alone="target-missing",
    synthetic=True,
    description=(
        "A campaign tool scores leads with the etags of its list; one lead has been deleted by a salesman meanwhile: "
        "404 with If-Match, again after a pause, and its GET is 404 and the list no longer has it."
    ),
)
def lead(stage: Stage) -> None:
    """Write what is gone."""
    leads = {
        name: {"subject": name, "leadscore": 10} for name in ("Solpaneler", "Värmepump", "Laddbox", "Batteri")
    }
    api = dataverse({"leads": leads}, 990120)
    server = place.open_box(stage, api, "flask", "Dataverse")
    me = stage.actor(
        "client",
        server,
        "energi.crm4.dynamics.example",
        "requests",
        {**place.ODATA, "Authorization": "Bearer campaign", "User-Agent": "scorer/1.7"},
    )

    def delete(_req: Req, key: str) -> Res:
        del api.rows[key]
        return Res(204)

    api.on("DELETE", f"{_TOP}/(leads\\([^)]+\\))", delete)
    other = stage.actor(
        "other",
        server,
        "energi.crm4.dynamics.example",
        "node:fetch",
        {**place.ODATA, "Authorization": "Bearer sales"},
    )
    rows = me.get(f"{_TOP}/leads?$select=subject,leadscore").json["value"]
    other.send("DELETE", _path("leads", "Laddbox"), 204)
    place.rest(0.8)
    for row in rows:
        path, tag = f"{_TOP}/leads({row['leadid']})", {"If-Match": row["@odata.etag"]}
        if row["subject"] != "Laddbox":
            me.send("PATCH", path, 204, tag, {"leadscore": 55})
            continue
        me.send("PATCH", path, 404, tag, {"leadscore": 70})
        place.rest(0.5)
        me.send("PATCH", path, 404, tag, {"leadscore": 70})
        me.get(path, 404)
    place.sure(len(me.get(f"{_TOP}/leads?$select=subject,leadscore").json["value"]) == 3)


@case(
    "b952",
    "ray-upsert-that-may-only-insert",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    synthetic=True,
    description=(
        "A price import reads each product, which is there and has an etag, changes its price and sends the PATCH with "
        "If-None-Match: *: 412 for all that exist; only the one that was missing is made."
    ),
)
def prices(stage: Stage) -> None:
    """Guard an update as if it were an insert."""
    products = {f"P-{n}": {"productnumber": f"P-{n}", "price": 9.9 + n} for n in (10, 11, 12)}
    server = place.open_box(stage, dataverse({"products": products}), "cheroot", "Dataverse")
    me = stage.actor(
        "client",
        server,
        "handel.crm11.dynamics.example",
        "urllib",
        {**place.ODATA, "User-Agent": "price-import/4", "Prefer": 'odata.include-annotations="*"'},
    )
    me.get(f"{_TOP}/products?$select=productnumber,price")
    for number in (10, 11, 12, 13):
        path = _path("products", f"P-{number}")
        if number == 13:
            me.get(path, 404)
            me.send("PATCH", path, 204, {"If-None-Match": "*"}, {"productnumber": "P-13", "price": 30.5})
            continue
        seen = me.get(path)
        me.send("PATCH", path, 412, {"If-None-Match": "*"}, {"price": round(seen.json["price"] * 1.04, 2)})
        place.rest(0.2)
        place.sure(me.get(path).etag == seen.etag)
    me.get(f"{_TOP}/products?$select=productnumber,price")


@case(
    "b955",
    "ray-cases-closed-with-star",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A service desk reads cases with If-None-Match (304), closes them with If-Match: * so as to make none anew, as "
        "meant, and edits others with weak etags, which Dataverse compares as they are; nobody else writes them."
    ),
)
def desk(stage: Stage) -> None:
    """Update with the wildcard and with weak tags."""
    cases = {f"CAS-{n}": {"title": f"Sak {n}", "statecode": 0} for n in range(70, 75)}
    server = place.open_box(stage, dataverse({"incidents": cases}, 77001), "aiohttp", "Dataverse")
    me = stage.actor(
        "client",
        server,
        "hjelp.crm4.dynamics.example",
        "aiohttp",
        {**place.ODATA, "User-Agent": "desk-bot/2"},
    )
    me.get(f"{_TOP}/WhoAmI")
    me.get(f"{_TOP}/incidents?$select=title")
    for number in range(70, 75):
        path = _path("incidents", f"CAS-{number}")
        seen = me.get(path)
        me.get(path, 304, {"If-None-Match": seen.etag})
        if number % 2:
            me.send("PATCH", path, 204, {"If-Match": "*"}, {"statecode": 1})
        else:
            told = me.send("PATCH", path, 204, {"If-Match": seen.etag}, {"title": f"Sak {number}: venter"})
            me.send("PATCH", path, 204, {"If-Match": told.etag}, {"statecode": 1})
        place.sure(me.get(path).json["statecode"] == 1)


_USER = 48813207
_ROOT = f"/1.5/{_USER}"


def _payload(word: str) -> str:
    return (
        '{"ciphertext":"'
        + guid(word).replace("-", "")
        + '","IV":"c29tZQ==","hmac":"'
        + guid(word + "h").replace("-", "")
        + '"}'
    )


@case(
    "b958",
    "ray-bookmarks-in-one-collection",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope other-writer",
    also="other-writer",
    synthetic=True,
    description=(
        "Firefox on a phone uploads its bookmark with X-If-Unmodified-Since of the whole collection; the desktop has "
        "uploaded other bookmarks meanwhile: 412, twice, and what is newer in the collection are other ids each time; "
        "the phone's own record is as it was."
    ),
)
def bookmarks(stage: Stage) -> None:
    """Be refused because of other records of the collection."""
    api = sync(
        _USER,
        {
            "bookmarks": {word: _payload(word) for word in ("mobile______", "toolbar_____", "bQ7f2kL0aa1x")},
            "tabs": {"phone": _payload("tabs")},
        },
    )
    server = place.open_box(stage, api, "cheroot", "Firefox Sync storage")
    host = "sync-1-eu-west-1.sync.services.example"
    me = stage.actor(
        "client", server, host, "java", {**place.HAWK, "User-Agent": "Firefox AndroidSync 1.131.0 (Firefox)"}
    )
    other = stage.actor(
        "other",
        server,
        host,
        "node:fetch",
        {**place.HAWK, "User-Agent": "Firefox/131.0 (Windows NT 10.0) FxSync/1.133.0.desktop"},
    )
    me.get(f"{_ROOT}/info/collections")
    since = me.get(f"{_ROOT}/storage/bookmarks?full=1").fields["x-last-modified"]
    for number in (1, 2):
        held = me.get(f"{_ROOT}/storage/bookmarks/bQ7f2kL0aa1x").json
        known = other.get(f"{_ROOT}/storage/bookmarks").fields["x-last-modified"]
        new = [{"id": f"dsk{number}Xw81mZ{n}q", "payload": _payload(f"d{number}{n}")} for n in range(2)]
        other.send("POST", f"{_ROOT}/storage/bookmarks", 200, {"X-If-Unmodified-Since": known}, new)
        place.rest(0.4)
        mine = [{"id": "bQ7f2kL0aa1x", "payload": _payload("renamed")}]
        me.send("POST", f"{_ROOT}/storage/bookmarks", 412, {"X-If-Unmodified-Since": since}, mine)
        newer = me.get(f"{_ROOT}/storage/bookmarks?full=1&newer={since}")
        place.sure("bQ7f2kL0aa1x" not in [one["id"] for one in newer.json])
        since = newer.fields["x-last-modified"]
        place.sure(me.get(f"{_ROOT}/storage/bookmarks/bQ7f2kL0aa1x").json == held)
        me.put(f"{_ROOT}/storage/tabs/phone", {"payload": _payload(f"tabs{number}")}, 200)


@case(
    "b970",
    "ray-reader-with-its-own-clock",
    "clock-skew",
    "412",
    alone="clock-skew",
    synthetic=True,
    description=(
        "A third-party reading list makes X-If-Unmodified-Since from its device's clock, which is five minutes slow, as "
        "its Date field shows beside the server's: each upload after its first is 412, though nobody else writes."
    ),
)
def reader(stage: Stage) -> None:
    """Make the condition from a slow clock."""
    api = sync(_USER, {"reading": {f"r{n}": _payload(f"r{n}") for n in range(3)}})
    server = place.open_box(stage, api, "tornado", "Firefox Sync storage")
    me = stage.actor(
        "client",
        server,
        "storage.selfhosted.example",
        "requests",
        {**place.HAWK, "User-Agent": "LeseListe/3.2 (eInk; Linux)"},
    )

    def clock() -> dict[str, str]:
        own = time.time() - 301.4
        stamp = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(own))
        return {"X-If-Unmodified-Since": f"{own:.2f}", "Date": stamp}

    me.get(f"{_ROOT}/info/configuration")
    me.get(f"{_ROOT}/storage/reading?full=1", 200, {"Date": clock()["Date"]})
    me.put(f"{_ROOT}/storage/reading/r1", {"payload": _payload("read")}, 200, clock())
    for number in range(3):
        place.rest(1.1)
        me.put(f"{_ROOT}/storage/reading/r{number}", {"payload": _payload(f"read{number}")}, 412, clock())
        me.get(
            f"{_ROOT}/storage/reading?full=1&newer={time.time() - 200:.2f}", 200, {"Date": clock()["Date"]}
        )
    me.get(f"{_ROOT}/info/collections")
