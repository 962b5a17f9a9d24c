"""Guards and demands: what an API in use asks for, refuses or adds by itself; leases, loops and elections."""

from __future__ import annotations

import importlib
import time
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from tools.recording_apis import fronts
from tools.recording_apis.apps.pau_bodies import Commercetools, Contentful, Elasticsearch, Kubernetes
from tools.recording_apis.apps.pau_engine import Answer, Request
from tools.recording_apis.apps.pau_stores import GoogleObjects
from tools.recording_apis.apps.pau_tagged import Tagged
from tools.recording_apis.names import route
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories import pau_setting as place
from tools.recording_apis.stories.pau_setting import bearer, must, pause, together

if TYPE_CHECKING:
    from tools.recording_apis.servers import Server


@case(
    "b675",
    "pau-zero-generation-for-an-update",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    synthetic=True,
    description=(
        "A report is read with its generation and written back with ifGenerationMatch=0, the guard of a creation: "
        "conditionNotMet every time; with the generation it goes through."
    ),
)
def zero(stage: Stage) -> None:
    """Guard an update as a creation."""
    base = "/storage/v1/b/reports/o"
    product = GoogleObjects({f"{base}/week-47.json": '{"sum": 1}', f"{base}/week-48.json": '{"sum": 0}'})
    server = place.api(stage, product, "Cloud Storage JSON", "cheroot")
    me = stage.actor("client", server, "storage.googleapis.test", "aiohttp", bearer("report"))
    place.beside(me, "t")
    query = "?uploadType=media&name=week-48.json&ifGenerationMatch="
    me.get(base)
    for total in (410, 411):
        seen = me.get(f"{base}/week-48.json").json["generation"]
        body = f'{{"sum": {total}}}'
        me.send("POST", f"/upload{base}{query}0", 412, {"Content-Type": "application/json"}, body)
        pause()
    me.send("POST", f"/upload{base}{query}{seen}", 200, {"Content-Type": "application/json"}, body)


@case(
    "b676",
    "pau-order-without-a-condition",
    "token-missing",
    "428",
    alone="token-missing",
    synthetic=True,
    description=(
        "A dispatcher's tool patches sales orders as it does elsewhere, without If-Match; the ERP says 428 with "
        "SADL_ENTITY_RUNTIME/004 for each. Its reads had the tag in the header and in the body."
    ),
)
def orders(stage: Stage) -> None:
    """Leave out what is required."""
    base = "/sap/opu/odata4/sap/api_salesorder/srvd_a2x/sap/salesorder/0001/SalesOrder/"
    rows = {f"{base}{n}": {"SalesOrder": str(n), "ShippingCondition": "01"} for n in range(4711, 4719)}
    server = place.api(stage, Tagged("sap", rows), "SAP S4HANA", "wsgiref")
    front = fronts.apache(stage, server)
    me = stage.actor(
        "client",
        front,
        "erp.yard.test",
        "requests",
        {"Authorization": "Basic ZmFrZTpmYWtl", "Accept": "application/json"},
    )
    place.beside(me, "la")
    csrf = {"X-CSRF-Token": "kq1fake=="}
    for path in rows:
        must(me.get(path, 200, {"X-CSRF-Token": "Fetch"}).etag.startswith('W/"SADL'), "no tag")
        me.send("PATCH", path, 428, csrf, {"ShippingCondition": "02"})
        pause(0.2)


@case(
    "b677",
    "pau-plain-client-passes-no-version",
    "token-missing",
    "409",
    alone="token-missing",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "An import creates entries well and updates an existing one without X-Contentful-Version: 409 "
        "VersionMismatch with the advice to pass sys.version as header."
    ),
)
def plain(stage: Stage) -> None:
    """Update as one creates."""
    base = "/spaces/sp1/environments/master/entries/"
    server = place.api(
        stage, Contentful({base + "faq": {"fields": {"q": {"en": "?"}}}}), "Contentful", "tornado"
    )
    me = stage.actor("client", server, "api.contentful.test", "curl", bearer("import"))
    kind = {"Content-Type": "application/vnd.contentful.management.v1+json"}
    me.put(f"{base}new1", place.dumped({"fields": {"q": {"en": "How?"}}}), 201, kind)
    me.put(f"{base}new2", place.dumped({"fields": {"q": {"en": "Why?"}}}), 201, kind)
    me.get(f"{base}faq")
    for _ in range(2):
        me.put(f"{base}faq", place.dumped({"fields": {"q": {"en": "When?"}}}), 409, kind)
        pause()


@case(
    "b678",
    "pau-update-with-a-hidden-comparison",
    "implicit-precondition",
    "409",
    alone="implicit-precondition",
    also="other-writer status-dialect-mismatch",
    synthetic=True,
    description=(
        "A counter is raised with POST _update, which carries no condition; inside, the index reads and compares, and "
        "under load it answers version_conflict_engine_exception. With retry_on_conflict=3 the same call succeeds."
    ),
)
def hidden(stage: Stage) -> None:
    """Meet a condition that one never sent."""
    doc = "/visits/_doc/home"
    product = Elasticsearch({doc: {"n": 10}}, first=70)

    def update(request: Request) -> Answer | None:
        if not request.path.startswith("/visits/_update/"):
            return None
        for _ in range(1 + int(request.query.get("retry_on_conflict", "0"))):
            before = product.items[doc]
            time.sleep(0.35)
            with product.lock:
                if product.items[doc] is before:
                    return product.done(
                        request, doc, product.store(doc, {"n": before.data["n"] + 1}, "x"), False
                    )
        return product.refuse(request, doc, product.items[doc], before.token)

    product.before.append(update)
    server = place.api(stage, product, "Elasticsearch", "cheroot")
    me = stage.actor("client", server, "search.site.test", "node:axios", {"Authorization": "ApiKey fake"})
    other = stage.actor("other", server, "search.site.test", "httpx", {"Authorization": "ApiKey fake2"})
    me.get("/visits/_doc/home")
    script = {"script": {"source": "ctx._source.n += params.by", "params": {"by": 1}}}

    def mine() -> Any:
        return me.send("POST", "/visits/_update/home", 409, None, script)

    for _ in range(2):
        together(mine, lambda: other.put(doc, {"n": 40}, 200), apart=0.15)
        pause(0.2)
    me.send("POST", "/visits/_update/home?retry_on_conflict=3", 200, None, script)


@case(
    "b679",
    "pau-list-continues-too-late",
    "token-expired",
    "410",
    alone="token-expired",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A report lists pods in pages; after a pause its continue token is 410 Expired (too old resource version). It "
        "begins anew with a fresh list, whose token works."
    ),
)
def pages(stage: Stage) -> None:
    """Go on with a list that has been compacted."""
    path = "/api/v1/pods"
    product = Kubernetes({}, first=90210)
    issued: dict[str, float] = {}

    def listed(request: Request) -> Answer | None:
        token = request.query.get("continue")
        if request.path != path:
            return None
        if token and time.time() - issued.get(token, 0) > 0.8:
            text = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter."
            return Answer(
                410,
                {
                    "kind": "Status",
                    "apiVersion": "v1",
                    "status": "Failure",
                    "message": text,
                    "reason": "Expired",
                    "code": 410,
                },
            )
        made = f"eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6{int(time.time() * 1e3)}"
        issued[made] = time.time()
        meta = {"resourceVersion": "90313"} | ({} if token else {"continue": made, "remainingItemCount": 1})
        items = [{"metadata": {"name": f"pod-{'b' if token else 'a'}", "namespace": "yard"}}]
        return Answer(200, {"kind": "PodList", "apiVersion": "v1", "metadata": meta, "items": items})

    product.before.append(listed)
    server = place.api(stage, product, "Kubernetes", "uvicorn")
    me = stage.actor(
        "client",
        server,
        "kubernetes.yard.test",
        "requests",
        bearer("report", **{"User-Agent": "kubectl/v1.31.2"}),
    )
    place.beside(me, "s")
    token = me.get(f"{path}?limit=1").json["metadata"]["continue"]
    pause(1.1)
    place.beside(me, "t")
    me.get(f"{path}?limit=1&continue={token}", 410)
    token = me.get(f"{path}?limit=1").json["metadata"]["continue"]
    me.get(f"{path}?limit=1&continue={token}")


@case(
    "b680",
    "pau-two-effects-for-one-cart",
    "self-race",
    "409",
    alone="self-race",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A storefront sends two changes of one cart at the same moment with one version, same session and same "
        "anonymous client: one is taken, the other is ConcurrentModification some milliseconds later."
    ),
)
def effects(stage: Stage) -> None:
    """Have two writes in flight on one version."""
    path = "/shop/me/carts/77aa"
    product = Commercetools({path: {"lineItems": [{"sku": "CUP", "quantity": 1}]}}, first=6)
    product.late[1] = 0.12
    server = place.api(stage, product, "commercetools", "waitress")
    always = bearer(
        "anon-5512",
        **{
            "Cookie": "session=9f31",
            "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
        },
    )
    me = stage.actor("client", server, "api.shop.test", "requests", always)
    place.beside(me, "la")
    version = me.get(path).json["version"]

    def change(sku: str) -> Any:
        body = {"version": version, "actions": [{"action": "addLineItem", "sku": sku, "quantity": 1}]}
        return me.send("POST", path, (200, 409), None, body)

    answers = together(lambda: change("POT"), lambda: change("LID"), apart=0.03)
    must(sorted(one.status for one in answers) == [200, 409], "both alike")
    pause()
    me.get(path)


class _Blobs:
    """The azure-storage-blob library behind a tap of its own."""

    def __init__(self, stage: Stage, name: str, server: Server) -> None:
        self._port = stage.tap(name, server)
        library = importlib.import_module("azure.storage.blob")
        text = "AccountName=notes;AccountKey=ZXhhbXBsZQ==;DefaultEndpointsProtocol=http;BlobEndpoint=http://blob.crew.test/notes"
        with patch("platform.platform", return_value="Linux-x86_64"):  # its name is sent along
            self.service = library.BlobServiceClient.from_connection_string(text, retry_total=0)
        self._errors = importlib.import_module("azure.core.exceptions")

    def blob(self, container: str, name: str) -> Any:
        """Return the SDK's client of a blob, for the next call."""
        route("blob.crew.test", self._port)
        with patch("platform.platform", return_value="Linux-x86_64"):
            return self.service.get_blob_client(container, name)

    def fails(self, status: int, what: Any) -> None:
        """Insist that a call is refused."""
        try:
            what()
        except self._errors.HttpResponseError as refused:
            must(refused.status_code == status, f"{refused.status_code}: {refused.message}")
        else:
            raise StoryError("it was taken")


def _container(stage: Stage, name: str, content: bytes) -> Server:
    server = stage.server("azurite")
    setup = _Blobs(stage, "setup", server)
    route("blob.crew.test", stage.taps["setup"].port)
    setup.service.create_container("plans")
    setup.blob("plans", name).upload_blob(content)
    stage.forget()
    return server


@case(
    "b681",
    "pau-lease-broken-by-the-next-shift",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    description=(
        "A planner holds a lease on a blob (Azurite, Microsoft's library); the next shift breaks it and takes its "
        "own. The planner's upload with the old lease id is 412, LeaseIdMismatchWithBlobOperation."
    ),
)
def lease(stage: Stage) -> None:
    """Write under a lease that somebody has broken."""
    server = _container(stage, "berths.json", b'{"b1": ""}')
    me, other = _Blobs(stage, "client", server), _Blobs(stage, "other", server)
    mine = me.blob("plans", "berths.json").acquire_lease(lease_duration=60)
    me.blob("plans", "berths.json").upload_blob(b'{"b1": "Elbe"}', overwrite=True, lease=mine)
    blob = other.blob("plans", "berths.json")
    importlib.import_module("azure.storage.blob").BlobLeaseClient(blob).break_lease(0)
    blob.acquire_lease(lease_duration=60)
    pause(0.4)
    blob = me.blob("plans", "berths.json")
    me.fails(412, lambda: blob.upload_blob(b'{"b1": "Elbe", "b2": "Rhein"}', overwrite=True, lease=mine))
    me.blob("plans", "berths.json").get_blob_properties()


@case(
    "b682",
    "pau-document-open-elsewhere",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    also="status-dialect-mismatch",
    description=(
        "A colleague has a drawing open and locked (WsgiDAV). A sync program finds the lock with PROPFIND no earlier "
        "than after its PUT was 423; it tries again later, 423, though its If-Match is the current tag."
    ),
)
def opened(stage: Stage) -> None:
    """Write what another has locked."""
    server = stage.server("wsgidav")
    (server.directory / "deck.dxf").write_text("0\nSECTION\n")
    other = stage.actor(
        "other", server, "dav.dock.test", "requests", {"User-Agent": "Microsoft-WebDAV-MiniRedir/10.0.22631"}
    )
    me = stage.actor("client", server, "dav.dock.test", "httpx", {"User-Agent": "syncd/1.4"})
    lock = '<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype><owner>ruth</owner></lockinfo>'
    other.send("LOCK", "/deck.dxf", 200, {"Timeout": "Second-600", "Content-Type": "application/xml"}, lock)
    tag = me.get("/deck.dxf").etag
    me.put("/deck.dxf", "0\nSECTION\n2\n", 423, {"If-Match": tag})
    asked = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><lockdiscovery/><getetag/></prop></propfind>'
    me.send("PROPFIND", "/deck.dxf", 207, {"Depth": "0", "Content-Type": "application/xml"}, asked)
    pause(0.6)
    me.put("/deck.dxf", "0\nSECTION\n2\n", 423, {"If-Match": tag})


@case(
    "b690",
    "pau-download-in-parts-of-a-growing-log",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    description=(
        "Microsoft's library downloads a blob in parts, the later ones under If-Match of the first (it adds that "
        "itself); a logger replaces the blob meanwhile, and a part in the middle is 412 ConditionNotMet."
    ),
)
def parts(stage: Stage) -> None:
    """Read what is replaced while one reads."""
    server = _container(stage, "log.txt", b"07:00 gate opened\n" * 40)
    me, other = _Blobs(stage, "client", server), _Blobs(stage, "other", server)
    for one in (me,):
        settings = one.service._config  # noqa: SLF001 - as its keyword arguments would
        settings.max_single_get_size, settings.max_chunk_get_size = 256, 256
    stream = me.blob("plans", "log.txt").download_blob()
    chunks = stream.chunks()
    next(chunks)
    route("blob.crew.test", stage.taps["client"].port)
    next(chunks)
    other.blob("plans", "log.txt").upload_blob(b"07:00 gate opened\n" * 44, overwrite=True)
    route("blob.crew.test", stage.taps["client"].port)
    me.fails(412, lambda: list(chunks))
