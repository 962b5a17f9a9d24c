"""Writers that meet on APIs in use, creates that meet what is there, reads in parts."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.tom_body import Contentful, Couch, Kubernetes
from tools.recording_apis.apps.tom_counts import Square
from tools.recording_apis.apps.tom_engine import Reply
from tools.recording_apis.apps.tom_google import Storage
from tools.recording_apis.apps.tom_microsoft import Cosmos, Drive
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.tom_setting import (
    api,
    at_once,
    azure,
    bearer,
    look,
    must,
    news,
    ping,
    report,
    rest,
    seek,
    sign_in,
    wait_for,
)

if TYPE_CHECKING:
    from tools.recording_apis.apps.tom_engine import Request


@case(
    "d085",
    "tom-two-dispatchers-one-tour",
    "other-writer",
    "412",
    alone="other-writer",
    synthetic=True,
    description="Two dispatchers plan one tour in Cosmos DB. The second one's replace carries the _etag from before the first one's, and fails with 412; the item that she reads afterwards has the first one's driver.",
)
def tours(stage: Stage) -> None:
    """Refuse the second dispatcher."""
    docs = "/dbs/fleet/colls/tours/docs"
    product = Cosmos(
        {
            f"{docs}/t-118": {"depot": "north", "driver": None, "stops": ["A4", "B1"], "plannedBy": "import"},
            f"{docs}/t-119": {"depot": "north", "driver": "Okoye", "stops": ["C2"], "plannedBy": "import"},
        },
        first=3,
    )
    server = api(stage, product, "Cosmos DB")
    version = {"x_ms_version": "2018-12-31"}
    me = stage.actor("client", server, "fleet.documents.test", "node:fetch", bearer("ines", **version))
    other = stage.actor("other", server, "fleet.documents.test", "httpx", bearer("paavo", **version))
    me.get(docs)
    sign_in(me)
    me.get(f"{docs}/t-119")
    mine = me.get(f"{docs}/t-118").json
    theirs = other.get(f"{docs}/t-118").json
    report(me)
    theirs |= {"driver": "Okoye", "plannedBy": "paavo"}
    other.put(f"{docs}/t-118", theirs, 200, {"If-Match": theirs["_etag"]})
    rest(0.7)
    news(me)
    mine |= {"stops": ["A4", "B1", "B7"], "plannedBy": "ines"}
    me.put(f"{docs}/t-118", mine, 412, {"If-Match": mine["_etag"]})
    must(me.get(f"{docs}/t-118").json["plannedBy"] == "paavo", "not the other's")
    me.get(docs)


_NAMESPACE = "/apis/apps/v1/namespaces/shop/deployments"


def _deployment(name: str, replicas: int) -> dict[str, Any]:
    spec = {
        "replicas": replicas,
        "template": {"spec": {"containers": [{"name": name, "image": f"{name}:1.4"}]}},
    }
    return {
        "kind": "Deployment",
        "apiVersion": "apps/v1",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": spec,
    }


@case(
    "d086",
    "tom-deployment-scaled-while-image-is-set",
    "other-writer",
    "409",
    alone="other-writer",
    also="status-dialect-mismatch",
    synthetic=True,
    description="A release job reads a deployment and sets a new image twenty list calls later; meanwhile an autoscaler has put another number of replicas. The PUT with the old resourceVersion gets 409 Conflict, and the job gives up.",
)
def scaled(stage: Stage) -> None:
    """Meet an autoscaler."""
    product = Kubernetes({f"{_NAMESPACE}/{name}": _deployment(name, 2) for name in ("web", "cart", "mail")})
    server = api(stage, product, "Kubernetes")
    me = stage.actor(
        "client", server, "kube.example", "curl", bearer("release", User_Agent="kubectl/v1.31.2")
    )
    other = stage.actor(
        "other",
        server,
        "kube.example",
        "requests",
        bearer("scaler", User_Agent="keda-adapter/v2.16.0 (linux/amd64)"),
    )
    me.get(_NAMESPACE)
    base = me.get(f"{_NAMESPACE}/web").json
    for name in ("cart", "mail"):
        me.get(f"{_NAMESPACE}/{name}")
    seen = other.get(f"{_NAMESPACE}/web").json
    seen["spec"]["replicas"] = 5
    other.put(f"{_NAMESPACE}/web", seen, 200)
    rest(0.4)
    wait_for(me, "push-88")
    base["spec"]["template"]["spec"]["containers"][0]["image"] = "web:1.5"
    me.put(f"{_NAMESPACE}/web", base, 409)
    now = me.get(f"{_NAMESPACE}/web").json
    must(now["metadata"]["managedFields"][0]["manager"] == "scaler", "not the scaler's")
    ping(me)


@case(
    "d087",
    "tom-autosave-overtakes-the-button",
    "self-race",
    "409",
    alone="self-race",
    also="status-dialect-mismatch",
    synthetic=True,
    description="An editor saves an entry by itself while its author presses the button: two PUTs with X-Contentful-Version 12 are under way at once, from one session. One becomes version 13, the other is 409 VersionMismatch.",
)
def autosave(stage: Stage) -> None:
    """Send two versions at once."""
    entries = "/spaces/q7/environments/master/entries"
    texts = {"lang": {"de-DE": "Sommerfahrplan"}, "body": {"de-DE": "Ab 1. Juni"}}
    product = Contentful(
        {f"{entries}/2hX": {"fields": texts}, f"{entries}/5kQ": {"fields": {"body": {"de-DE": ""}}}},
        first=12,
        takes=0.35,
    )
    server = api(stage, product, "Contentful")
    app = {
        "X_Contentful_User_Agent": "app contentful.web-app; platform browser;",
        "Content_Type": product.kind,
    }
    me = stage.actor("client", server, "api.contentful.test", "requests", bearer("u-lotte", **app))
    look(me)
    seek(me, "Fahrplan")
    news(me)
    version = me.get(f"{entries}/2hX").json["sys"]["version"]
    me.get(f"{entries}/5kQ")

    def save(text: str) -> Any:
        new = {"fields": {**texts, "body": {"de-DE": text}}}
        return me.put(f"{entries}/2hX", new, (200, 409), {"X-Contentful-Version": str(version)})

    rest(0.5)
    both = at_once(lambda: save("Ab 1. Juni gilt"), lambda: save("Ab 1. Juni gilt der Sommer"), apart=0.06)
    must(sorted(one.status for one in both) == [200, 409], "not one of each")
    must(me.get(f"{entries}/2hX").json["sys"]["updatedBy"]["sys"]["id"] == "u-lotte", "another's")
    report(me)


@case(
    "d088",
    "tom-till-adds-lines-in-parallel",
    "self-race",
    "409",
    alone="self-race",
    also="status-dialect-mismatch",
    synthetic=True,
    description="A till sends three order lines of one scan as three updates at once, each with order version 4. One is taken; the other two fail with VERSION_MISMATCH within the same tenth of a second, and the till prints the order without them.",
)
def lines(stage: Stage) -> None:
    """Send three updates of one order."""
    path = "/v2/orders/hXk9"
    product = Square(
        {
            path: {"state": "OPEN", "note": "", "table": None, "tip": 0},
            "/v2/orders/hXk8": {"state": "COMPLETED"},
        },
        first=4,
        takes=0.3,
    )
    server = api(stage, product, "Square")
    me = stage.actor(
        "client", server, "connect.till.test", "httpx", bearer("till-3", Square_Version="2025-10-16")
    )
    me.get("/v2/orders")
    order = me.get(path).json["order"]
    parts: list[dict[str, Any]] = [{"note": "no ice"}, {"table": "T12"}, {"tip": 150}]

    def change(part: dict[str, Any], version: int, expect: int | tuple[int, ...]) -> Any:
        return me.put(path, {"order": {**part, "version": version}}, expect)

    answers = at_once(
        *(lambda part=part: change(part, order["version"], (200, 409)) for part in parts),
        apart=0.03,
    )
    must(sorted(one.status for one in answers) == [200, 409, 409], "not one winner")
    now = me.get(path).json["order"]
    must(now["version"] == order["version"] + 1, "not one write")
    wait_for(me, "print-3")
    report(me)


@case(
    "d089",
    "tom-photo-moves-by-itself",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    synthetic=True,
    description="A program renames a picture in OneDrive and half a second later sets its description with the eTag of its own answer: 412. The service has read the picture's data meanwhile (lastModifiedBy an application, photo facet added); nobody else wrote.",
)
def photo(stage: Stage) -> None:
    """Write after the service has."""
    path = "/v1.0/me/drive/items/01BYE5"
    product = Drive(
        {path: {"name": "IMG_2210.jpg", "size": 2210331}, "/v1.0/me/drive/items/01BYE6": {"name": "b.jpg"}},
        first=2,
    )

    def enrich() -> None:
        item = product.items[path]
        facet = {"cameraMake": "Fairphone", "takenDateTime": "2026-05-02T10:11:12Z"}
        product.store(path, {**item.body, "photo": facet}, "app:OneDrive Media Processing")

    def later(request: Request, reply: Reply) -> None:
        if request.method == "PATCH" and reply.status == 200 and "name" in request.json:
            threading.Timer(0.3, enrich).start()

    product.after.append(later)
    server = api(stage, product, "Microsoft Graph")
    me = stage.actor("client", server, "graph.onedrive.test", "node:axios", bearer("album"))
    sign_in(me)
    me.get("/v1.0/me/drive/items")
    item = me.get(path).json
    renamed = me.send("PATCH", path, 200, {"If-Match": item["eTag"]}, {"name": "Fjord.jpg"}).json
    me.get("/v1.0/me/drive/items/01BYE6")
    rest(0.7)
    me.send("PATCH", path, 412, {"If-Match": renamed["eTag"]}, {"description": "Fjord at noon"})
    now = me.get(path).json
    must("application" in now["lastModifiedBy"] and now["name"] == "Fjord.jpg", "not the service's")
    wait_for(me, "thumbs")
    me.get("/v1.0/me/drive/items")


@case(
    "d090",
    "tom-export-replaced-between-parts",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer other-writer",
    also="other-writer",
    synthetic=True,
    description="A loader takes an export from Cloud Storage in four ranges, all pinned to one generation. After two of them a nightly job replaces the object; the third range is 412, twice, and the load fails with half a file.",
)
def export(stage: Stage) -> None:
    """Replace an object that is being read."""
    bucket = "/storage/v1/b/exports/o"
    path = f"{bucket}/rates.csv"
    product = Storage({path: "day;rate\n" * 90, f"{bucket}/meta.json": "{}"})
    server = api(stage, product, "Cloud Storage JSON")
    me = stage.actor("client", server, "storage.lake.test", "aiohttp", bearer("loader"))
    other = stage.actor("other", server, "storage.lake.test", "requests", bearer("nightly"))
    sign_in(me)
    sign_in(other)
    me.get(bucket)
    generation = me.get(path).json["generation"]

    def part(number: int, pinned: str, status: int) -> None:
        span = {"Range": f"bytes={number * 200}-{number * 200 + 199}"}
        me.send("GET", f"{path}?alt=media&ifGenerationMatch={pinned}", status, span)

    part(0, generation, 206)
    part(1, generation, 206)
    rest(0.2)
    before = other.get(path).json["generation"]
    other.send(
        "POST",
        f"/upload{bucket}?uploadType=media&name=rates.csv&ifGenerationMatch={before}",
        200,
        {"Content-Type": "text/csv"},
        "day;rate;source\n" * 60,
    )
    part(2, generation, 412)
    fresh = me.get(path).json["generation"]
    must(fresh != generation, "not replaced")
    me.get(f"{bucket}/meta.json?alt=media")
    part(2, generation, 412)


@case(
    "d091",
    "tom-container-blob-is-there-already",
    "exists-already",
    "409",
    alone="exists-already",
    also="status-dialect-mismatch",
    description="A set-up script uploads three defaults to a blob container with If-None-Match: *. One was put there weeks before by an operator and differs: 409 BlobAlreadyExists; the other two are created.",
)
def defaults(stage: Stage) -> None:
    """Create beside what is there."""
    server = stage.server("azurite")
    version = {"x-ms-version": "2021-12-02", "x-ms-blob-type": "BlockBlob"}
    other = stage.actor("other", server, "notes.blob.test", "requests", version)
    azure(other, "PUT", "/notes/defaults?restype=container", 201)
    azure(other, "PUT", "/notes/defaults/quota.json", 201, {}, '{"limit":40,"by":"operator"}')
    rest(0.5)
    me = stage.actor("client", server, "notes.blob.test", "curl", version)
    star = {"If-None-Match": "*"}
    azure(me, "PUT", "/notes/defaults/theme.json", 201, star, '{"dark":false}')
    azure(me, "PUT", "/notes/defaults/quota.json", 409, star, '{"limit":10}')
    azure(me, "PUT", "/notes/defaults/hooks.json", 201, star, "[]")
    azure(me, "HEAD", "/notes/defaults/quota.json", 200)
    kept = azure(me, "GET", "/notes/defaults/quota.json", 200)
    must(kept.json["by"] == "operator", "not the operator's")


@case(
    "d092",
    "tom-database-is-there-on-second-install",
    "exists-already",
    "412",
    alone="exists-already",
    synthetic=True,
    description="An installer runs a second time on a CouchDB: PUT of the database is 412 file_exists. It had been made by the first installation a day before, with documents in it, and the installer stops.",
)
def database(stage: Stage) -> None:
    """Install twice."""
    product = Couch(
        {"/tides/_design%2Fmap": {"views": {"by_day": {"map": "emit(doc.day)"}}}, "/tides/p-1": {"day": 3}}
    )
    product.fixed["GET /tides"] = Reply(200, {"db_name": "tides", "doc_count": 2, "update_seq": "2-g1AAAA"})
    server = api(stage, product, "CouchDB")
    me = stage.actor("client", server, "couch.harbour.test", "urllib", {"User-Agent": "setup/2.0"})
    ping(me)
    me.get("/favicon.ico", 404)
    me.get("/tides/p-1")
    me.put("/tides", None, 412)
    rest(0.3)
    me.get("/tides/_design%2Fmap")
    me.get("/tides")
    me.put("/berths", None, 201)
    me.get("/berths/_local", 200)


@case(
    "d093",
    "tom-contact-was-deleted-on-the-phone",
    "target-missing",
    "412",
    alone="target-missing",
    description="A desktop book edits a contact on Radicale with the ETag of yesterday's list. The phone has deleted the contact since; PUT with If-Match is 412, and GET is 404.",
)
def contact(stage: Stage) -> None:
    """Edit what is gone."""
    server = stage.server("radicale")
    basic = {"Authorization": "Basic bWFyYTpwdw==", "User-Agent": "Evolution/3.54.1"}
    me = stage.actor("client", server, "dav.home.test", "requests", basic)
    phone = stage.actor("other", server, "dav.home.test", "httpx", {**basic, "User-Agent": "DAVx5/4.4.5-ose"})
    book = '<mkcol xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><set><prop><resourcetype><collection/><C:addressbook/></resourcetype></prop></set></mkcol>'
    me.send("MKCOL", "/mara/people/", 201, {"Content-Type": "text/xml"}, book)
    card = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{0}\r\nFN:{0} Lindqvist\r\nN:Lindqvist;{0}\r\nEND:VCARD\r\n"
    kind = {"Content-Type": "text/vcard"}
    tags = {
        name: me.put(f"/mara/people/{name}.vcf", card.format(name), 201, {**kind, "If-None-Match": "*"}).etag
        for name in ("ada", "bo", "cleo")
    }
    query = '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
    listed = phone.send("PROPFIND", "/mara/people/", 207, {"Depth": "1", "Content-Type": "text/xml"}, query)
    must(tags["bo"].strip('"') in listed.text, "not listed")
    rest(0.4)
    phone.send("DELETE", "/mara/people/bo.vcf", (200, 204), {"If-Match": tags["bo"]})
    me.get("/mara/people/ada.vcf")
    changed = card.format("bo").replace("END:", "TEL:+4670000\r\nEND:")
    me.put("/mara/people/bo.vcf", changed, 412, {**kind, "If-Match": tags["bo"]})
    me.get("/mara/people/bo.vcf", 404)
    me.send("PROPFIND", "/mara/people/", 207, {"Depth": "1", "Content-Type": "text/xml"}, query)
