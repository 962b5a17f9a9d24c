"""Stories on offices, files and notes, several behind real intermediaries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps import gus_office
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_gus_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "e483",
    "gus-tag-as-the-feed-spells-it",
    "malformed-validator",
    "no-304",
    alone="malformed-validator",
    description="A script cuts the tag out of an Atom entry with a pattern and polls with its entities: it is never told unchanged.",
    synthetic=True,
)
def feed(stage: Stage) -> None:
    """Quotes of XML in a field of HTTP."""
    rows = {41: {"Title": "Fenster F-12", "Status": "bestellt"}, 42: {"Title": "Tür T-03", "Status": "offen"}}
    app = place.hold(stage, gus_office.sharepoint(rows, "bau.sharepoint.example"), "flask", "SharePoint")
    ours = place.actor(
        stage, "client", app, "bau.sharepoint.example", "perl", {"Authorization": "Bearer eyJ0"}
    )
    base = "/sites/bau/_api/web/lists/getbytitle('Bauteile')/items"
    ours.send("POST", "/sites/bau/_api/contextinfo", 200, {"Accept": "application/json"}, b"")
    ours.get(f"{base}?$select=Id,Title,Status&$top=50")
    other = ours.get(f"{base}(41)").etag
    text = ours.get(f"{base}(42)").text
    tag = (re.search(r'm:etag="([^"]+)"', text) or [""])[1]
    for _ in range(3):
        place.sure(ours.get(f"{base}(42)", 200, {"If-None-Match": tag}).text == text)
        ours.get(f"{base}(41)", 304, {"If-None-Match": other})
        place.wait(0.4)


@case(
    "e494",
    "gus-house-never-the-same-tag",
    "unstable-etag",
    "no-304",
    alone="unstable-etag",
    description="The tag of a property holds the time at which it was rendered; a poll is never told unchanged.",
    synthetic=True,
)
def house(stage: Stage) -> None:
    """Nobody writes, the tag moves."""
    rows = {
        "RPT210044": {
            "id": "RPT210044",
            "modified": "2026-11-19T11:20:31Z",
            "bedrooms": 3,
            "selling": {"price": 415000},
        },
        "RPT210051": {
            "id": "RPT210051",
            "modified": "2026-11-12T08:00:02Z",
            "bedrooms": 2,
            "selling": {"price": 268000},
        },
    }
    app = place.hold(stage, gus_office.reapit(rows), "aiohttp", "Reapit Foundations")
    ours = place.actor(
        stage,
        "client",
        app,
        "platform.maisons.example",
        "node:fetch",
        {"Authorization": "Bearer eyJr", "reapit-customer": "RPT", "api-version": "2020-01-31"},
    )
    ours.get("/properties?pageSize=25&office=TRU")
    seen = ours.get("/properties/RPT210044")
    for _ in range(3):
        place.wait(0.3)
        seen = ours.get("/properties/RPT210044", 200, {"If-None-Match": seen.etag})
    ours.get("/properties/RPT210051")
    ours.get("/properties/RPT210044")


@case(
    "e507",
    "gus-tag-of-the-upload-answer",
    "etag-source-mismatch",
    "no-304",
    alone="etag-source-mismatch",
    description="An upload answers a tag of the content, reads and listings tell one of the file's row; the client that asks with the first gets its own bytes again.",
    synthetic=True,
)
def upload(stage: Stage) -> None:
    """Two ways to make a tag."""
    app = place.hold(
        stage,
        gus_office.cloud_files({"Acta/reunion.md": b"# Acta\n", "Acta/orden.md": b"1. Saludo\n"}),
        "falcon",
        "Nextcloud",
    )
    ours = place.actor(
        stage,
        "client",
        app,
        "nube.cooperativa.example",
        "ruby",
        {"Authorization": "Basic bXJleWVz", "User-Agent": "Mozilla/5.0 (Linux) mirall/3.14.3"},
    )
    root = "/remote.php/dav/files/mreyes/"
    ours.get("/ocs/v2.php/cloud/capabilities?format=json")
    ours.send(
        "PROPFIND",
        f"{root}Acta",
        207,
        {"Depth": "1", "Content-Type": "application/xml"},
        '<d:propfind xmlns:d="DAV:"><d:prop><d:getetag/><d:getcontentlength/></d:prop></d:propfind>',
    )
    tag, text = ours.get(f"{root}Acta/reunion.md").etag, "# Acta\n\nAsisten 14.\n"
    tag = ours.put(f"{root}Acta/reunion.md", text, 204, {"If-Match": tag}).etag
    for _ in range(2):
        now = ours.get(f"{root}Acta/reunion.md", 200, {"If-None-Match": tag})
        place.sure(now.text == text)
        ours.get(f"{root}Acta/orden.md")
        place.wait(0.4)
    ours.get(f"{root}Acta/reunion.md", 304, {"If-None-Match": now.etag})
    ours.send(
        "PROPFIND",
        f"{root}Acta",
        207,
        {"Depth": "1", "Content-Type": "application/xml"},
        '<d:propfind xmlns:d="DAV:"><d:prop><d:getetag/></d:prop></d:propfind>',
    )


@case(
    "e514",
    "gus-note-with-a-coding-in-its-tag",
    "etag-suffix-rewrite",
    "no-304",
    alone="etag-suffix-rewrite",
    description="Apache compresses notes and adds -gzip to their tags; the application behind it does not know them and sends the note anew at each poll.",
    synthetic=True,
)
def note(stage: Stage) -> None:
    """mod_deflate as it is delivered."""
    long = "Brot: 500 g Roggen, 350 ml Wasser, 10 g Salz. " * 6
    rows = {
        81: {
            "title": "Brot",
            "content": long,
            "category": "Küche",
            "favorite": False,
            "modified": 1795000000,
        },
        82: {
            "title": "Garten",
            "content": "Knoblauch stecken",
            "category": "",
            "favorite": True,
            "modified": 1794000000,
        },
    }
    app = place.hold(stage, gus_office.notes(rows), "flask", "Nextcloud Notes")
    front = fronts.apache(stage, app, "AddOutputFilterByType DEFLATE application/json")
    ours = place.actor(
        stage,
        "client",
        front,
        "notizen.hof.example",
        "requests",
        {
            "Authorization": "Basic aG9m",
            "User-Agent": "nextcloud-notes-android/4.3.1",
            "Accept": "application/json",
        },
    )
    base = "/index.php/apps/notes/api/v1"
    ours.get(f"{base}/notes?exclude=content")
    ours.get(f"{base}/settings")
    got = ours.get(f"{base}/notes/81")
    place.sure("gzip" in got.etag, got.fields)
    for _ in range(2):
        place.wait(0.4)
        ours.get(f"{base}/notes/81", 200, {"If-None-Match": got.etag})
    bare = ours.get(f"{base}/notes/81", 200, {"Accept-Encoding": "identity"}).etag
    ours.get(f"{base}/notes/81", 304, {"If-None-Match": bare, "Accept-Encoding": "identity"})
    ours.get(f"{base}/notes/82")


@case(
    "e498",
    "gus-guard-that-never-arrives",
    "precondition-stripped",
    "428",
    alone="precondition-stripped",
    description="A gateway lets only listed fields through; the application asks for the If-Match that was sent.",
    synthetic=True,
)
def sample(stage: Stage) -> None:
    """Sent here, missed there."""
    rows = {
        "64b1f0c2": {"ort": "Becken 2", "ph": 7.1, "chlor": 0.42},
        "64b1f0c3": {"ort": "Becken 3", "ph": 7.3, "chlor": 0.38},
    }
    app = place.hold(stage, gus_office.eve(rows), "falcon", "Eve")
    lines = 'proxy_pass_request_headers off; proxy_set_header Authorization $http_authorization; proxy_set_header Accept "application/json"; '
    lines += "proxy_set_header Content-Type $content_type; proxy_set_header Content-Length $content_length; add_header Via '1.1 nginx' always;"
    front = fronts.nginx(stage, app, lines)
    ours = place.actor(stage, "client", front, "labor.bad.example", "java", {"Authorization": "Basic YmFk"})
    ours.get("/proben?max_results=25")
    tag = ours.get("/proben/64b1f0c2").etag
    ours.send("PATCH", "/proben/64b1f0c2", 428, {"If-Match": tag}, {"chlor": 0.46})
    ours.get("/proben/64b1f0c2")
    ours.send("PATCH", "/proben/64b1f0c2", 428, {"If-Match": tag}, {"chlor": 0.46})


@case(
    "e513",
    "gus-map-refused-by-the-store-between",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates stale-cache-read",
    also="stale-cache-read",
    description="A client pins a read to the tag its own write was answered; the cache between compares that with what it keeps and refuses itself.",
    synthetic=True,
)
def map_(stage: Stage) -> None:
    """A refusal of which the origin knows nothing."""
    app, _kept = gus_office.bucket(
        {"netz/stil.json": b'{"stil":"hell","ebenen":12}', "netz/zoom.json": b'{"max":18}'}
    )
    box = place.hold(stage, app, "aiohttp", "Amazon S3")
    front = fronts.nginx_cache(
        stage,
        box,
        120,
        'proxy_cache_key "$request_method$uri"; proxy_cache_methods GET HEAD; add_header X-Cache $upstream_cache_status always;',
    )
    ours = place.actor(
        stage,
        "client",
        front,
        "s3.karten.example",
        "bare",
        {"Authorization": "AWS4-HMAC-SHA256 Credential=x"},
    )
    ours.get("/karten/netz/zoom.json")
    first = ours.get("/karten/netz/stil.json")
    tag = ours.put(
        "/karten/netz/stil.json", '{"stil":"dunkel","ebenen":14}', 200, {"If-Match": first.etag}
    ).etag
    ours.get("/karten/netz/stil.json", 412, {"If-Match": tag})
    place.wait(0.5)
    ours.get("/karten/netz/stil.json", 412, {"If-Match": tag})
    listed = ours.get("/karten?list-type=2&prefix=netz%2F")
    place.sure(tag.strip('"') in listed.text)


@case(
    "e497",
    "gus-record-through-a-compressor",
    "etag-weakened",
    "400",
    alone="etag-weakened",
    also="status-dialect-mismatch",
    description="nginx compresses the answers of a Kinto and weakens their tags; the store does not take such a tag back.",
)
def kinto(stage: Stage) -> None:
    """A real store behind a real compressor."""
    store = stage.server("kinto")
    front = fronts.nginx_gzip(stage, store)
    auth = {"Authorization": "Basic aG9sejpicmV0dA=="}
    ours = place.actor(
        stage, "client", front, "kinto.saegewerk.example", "httpx", {**auth, "User-Agent": "kinto.js/15.0"}
    )
    ours.put("/v1/accounts/holz", {"data": {"password": "brett"}}, 201, {"Authorization": ""})
    ours.put("/v1/buckets/werk", {}, 201)
    ours.put("/v1/buckets/werk/collections/stapel", {}, 201)
    path = "/v1/buckets/werk/collections/stapel/records/la-19"
    ours.put(
        path,
        {
            "data": {
                "holz": "Lärche",
                "m3": 14.2,
                "platz": "C4",
                "bemerkung": "trocken lagern, Süd, unter Dach",
            }
        },
        201,
    )
    stage.forget()
    ours.get("/v1/")
    ours.get("/v1/buckets/werk/collections/stapel/records?_limit=20")
    got = ours.get(path)
    place.sure(got.etag.startswith("W/"), got.fields)
    ours.send("PATCH", path, 400, {"If-Match": got.etag}, {"data": {"m3": 13.1}})
    ours.get(path)
