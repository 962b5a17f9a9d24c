"""Stories on products in use, most of them imitations."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.cal_books import Books, stamp
from tools.recording_apis.apps.vic_core import Box, Doc, Req, Res, Versions
from tools.recording_apis.stage import case
from tools.recording_apis.stories import cal_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _outcome(code: str, said: str) -> dict[str, Any]:
    issue = {"severity": "error", "code": code, "diagnostics": said}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


@case(
    "d488",
    "cal-two-patients-with-one-number",
    "multi-match",
    "412",
    alone="multi-match",
    synthetic=True,
    description=(
        "A clinic's FHIR server (imitation) has two patients with the same insurance number; a conditional create with "
        "If-None-Exist for it is 412, and the search shows both. For other numbers it creates one or finds one."
    ),
)
def two_patients(stage: Stage) -> None:
    """Create what two records match."""
    rows = {
        f"{n}": {"resourceType": "Patient", "identifier": [{"value": v}]}
        for n, v in ((4, "KV-77"), (9, "KV-77"), (12, "KV-80"))
    }
    books = Books(rows, lost=_outcome("not-found", "Resource is not known"))

    def found(number: str) -> list[str]:
        return [key for key, doc in books.rows.items() if doc.data["identifier"][0]["value"] == number]

    @books.on("GET", "/fhir/Patient")
    def search(req: Req) -> Res:
        hits = [{"resource": {"id": key, **books.rows[key].data}} for key in found(req.query["identifier"])]
        return Res(200, {"resourceType": "Bundle", "type": "searchset", "total": len(hits), "entry": hits})

    @books.on("POST", "/fhir/Patient")
    def create(req: Req) -> Res:
        hits = found(req.fields["if-none-exist"].partition("=")[2])
        if len(hits) > 1:
            said = f"Conditional create failed: criteria matched {len(hits)} resources"
            return Res(412, _outcome("multiple-matches", said), {"Content-Type": "application/fhir+json"})
        key = hits[0] if hits else str(len(books.rows) + 20)
        if not hits:
            books.keep(key, req.json)
        doc = books.rows[key]
        return Res(
            200 if hits else 201,
            {"id": key, **doc.data},
            {"ETag": f'W/"{doc.rev}"', "Location": f"/fhir/Patient/{key}"},
        )

    server = place.open_box(stage, books, "waitress", "a FHIR server")
    me = stage.actor("client", server, "fhir.clinic.test", "java", {"Accept": "application/fhir+json"})
    place.usual(books, me, "/fhir/metadata", "/fhir/Practitioner/2")
    for number, status in (("KV-80", 200), ("KV-77", 412), ("KV-91", 201), ("KV-77", 412)):
        body = {"resourceType": "Patient", "identifier": [{"value": number}], "active": True}
        me.send("POST", "/fhir/Patient", status, {"If-None-Exist": f"identifier={number}"}, body)
        place.rest(0.4)
    place.sure(me.get("/fhir/Patient?identifier=KV-77").json["total"] == 2)
    place.sure(me.get("/fhir/Patient?identifier=KV-91").json["total"] == 1)


@case(
    "d494",
    "cal-two-controllers-one-leader",
    "expected-control-flow",
    "409",
    alone="expected-control-flow",
    synthetic=True,
    description=(
        "Two controllers elect a leader by a Lease of a Kubernetes API (imitation): whenever it has run out both PUT it "
        "with the resourceVersion they read, one wins and the other gets 409, reads again and waits for its turn."
    ),
)
def election(stage: Stage) -> None:
    """Lose an election, and win one."""
    path = "/apis/coordination.k8s.io/v1/namespaces/ops/leases/ingress-controller"
    spec = {"holderIdentity": "ctl-0", "leaseDurationSeconds": 1, "leaseTransitions": 4}
    books = Books({"lease": spec}, 88120)

    def shown() -> dict[str, Any]:
        doc = books.rows["lease"]
        meta = {"name": "ingress-controller", "resourceVersion": str(doc.rev)}
        return {"kind": "Lease", "metadata": meta, "spec": {**doc.data, "renewTime": stamp(doc.at, 6)}}

    books.on("GET", path)(lambda _req: Res(200, shown()))

    @books.on("PUT", path)
    def renew(req: Req) -> Res:
        time.sleep(0.06)
        with books.lock:
            if req.json["metadata"]["resourceVersion"] != str(books.rows["lease"].rev):
                said = 'Operation cannot be fulfilled on leases.coordination.k8s.io "ingress-controller": the object has been modified; please apply your changes to the latest version and try again'
                return Res(
                    409,
                    {
                        "kind": "Status",
                        "status": "Failure",
                        "message": said,
                        "reason": "Conflict",
                        "code": 409,
                    },
                )
            books.keep("lease", req.json["spec"])
            return Res(200, shown())

    server = place.open_box(stage, books, "waitress", "Kubernetes")
    agent = "controller/v1.31 leader-election"
    me = stage.actor("client", server, "kube.api.test", "requests", {"User-Agent": agent, "X-Pod": "ctl-1"})
    other = stage.actor("other", server, "kube.api.test", "httpx", {"User-Agent": agent, "X-Pod": "ctl-2"})
    pods = {"ctl-1": me, "ctl-2": other}
    for number, winner in enumerate(("ctl-2", "ctl-1", "ctl-2", "ctl-2")):
        loser = "ctl-1" if winner == "ctl-2" else "ctl-2"
        held = {name: who.get(path).json for name, who in pods.items()}

        def claim(name: str, status: int, seen: dict[str, Any] = held, turn: int = number) -> Any:
            new = {**seen[name]["spec"], "holderIdentity": name, "leaseTransitions": 5 + turn}
            return pods[name].put(path, {**seen[name], "spec": new}, status)

        place.at_once(lambda w=winner, c=claim: c(w, 200), lambda o=loser, c=claim: c(o, 409))  # type: ignore[misc]
        for _ in range(2):
            place.rest(0.35)
            place.sure(pods[loser].get(path).json["spec"]["holderIdentity"] == winner)
            now = pods[winner].get(path).json
            pods[winner].put(path, now, 200)
        place.rest(1.1)
    me.get(path)


@case(
    "d504",
    "cal-gateway-wants-an-if-match",
    "token-missing",
    "428",
    alone="token-missing",
    synthetic=True,
    description=(
        "An SAP Gateway service (imitation) answers 428 to each PATCH of a business partner without If-Match, though "
        "the reads carry a tag; sent along, the change is taken."
    ),
)
def gateway(stage: Stage) -> None:
    """Send no condition where one is required."""
    root = "/sap/opu/odata4/sap/api_partner/srvd_a2x/sap/partner/0001/BusinessPartner"
    docs = {
        f"{root}('{n}')": {"BusinessPartner": n, "SearchTerm1": "NORD"}
        for n in ("1000181", "1000182", "1000190")
    }
    box = Box(docs, lambda _path, doc: f"W/\"'SADL-0202611{doc.rev:05}~{doc.digest()[:8]}'\"", need=428)
    box.matches = lambda value, path, doc, **_how: doc is not None and value == box.tag(path, doc)  # type: ignore[misc]
    said = "Precondition required: the request must contain an If-Match header"
    box.say = {
        428: {
            "error": {
                "code": "/IWBEP/CM_V4_APPS017",
                "message": said,
                "@SAP__common.ExceptionCategory": "Client_Error",
            }
        }
    }
    box.fixed[root] = Res(200, {"value": [{"BusinessPartner": "1000181"}, {"BusinessPartner": "1000182"}]})
    server = place.open_box(stage, box, "cheroot", "SAP Gateway")
    me = stage.actor(
        "client", server, "s4.erp.test", "node:axios", {"x-csrf-token": "q7Lm", "Accept": "application/json"}
    )
    me.get(root)
    for partner in ("1000182", "1000182", "1000190"):
        me.get(f"{root}('{partner}')")
        me.send("PATCH", f"{root}('{partner}')", 428, None, {"SearchTerm1": "SUED"})
        place.rest(0.5)
    seen = me.get(f"{root}('1000182')")
    me.send("PATCH", f"{root}('1000182')", 200, {"If-Match": seen.etag}, {"SearchTerm1": "SUED"})
    me.get(f"{root}('1000181')")


@case(
    "d462",
    "cal-estate-agent-drops-the-quotes",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    synthetic=True,
    description=(
        "A widget for an estate agent's platform (after Reapit) sends the _eTag of an applicant without the quotes that are "
        "part of it: 412, though nothing has changed; with the quotes the same value is taken."
    ),
)
def quotes(stage: Stage) -> None:
    """Send a tag without its quotes."""
    docs = {
        f"/applicants/OXF{n}": {"id": f"OXF{n}", "active": True, "sellingReason": "", "beds": 2}
        for n in (31, 32, 40)
    }
    box = Box(docs, lambda _path, doc: f'"{doc.digest().upper()}"')

    def show(_req: Req, path: str, doc: Doc) -> Res:
        marks = box.marks(path, doc)
        return Res(200, {**doc.data, "_eTag": marks["ETag"]}, marks)

    box.show = show
    box.say = {
        412: {
            "statusCode": 412,
            "description": "ETag provided does not match the current version of the resource",
        }
    }
    server = place.open_box(stage, box, "starlette", "Reapit Foundations")
    me = stage.actor("client", server, "platform.estates.test", "node:fetch", {"api-version": "2020-01-31"})
    me.get("/applicants")
    place.watch(me, ["/applicants/OXF31"], 2)
    for name in ("OXF32", "OXF40", "OXF32"):
        seen = me.get(f"/applicants/{name}")
        me.send("PATCH", f"/applicants/{name}", 412, {"If-Match": seen.json["_eTag"].strip('"')}, {"beds": 3})
        place.rest(0.4)
    me.get("/applicants/OXF31", 304, {"If-None-Match": me.get("/applicants/OXF31").etag})
    me.send("PATCH", "/applicants/OXF32", 200, {"If-Match": seen.json["_eTag"]}, {"beds": 3})


@case(
    "d463",
    "cal-url-cache-joins-the-save",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    synthetic=True,
    description=(
        "A course player on iOS saves its state to an xAPI store (imitation). The platform's URL cache adds If-None-Match "
        "with the tag of the stored answer to the PUT as it does to reads; the state is still that one, so the save is "
        "412. With the cache off for the call, the same save is stored."
    ),
    notes=(
        "the field is added by the platform's cache, of which the app's code knows nothing; requests plays it",
    ),
)
def url_cache(stage: Stage) -> None:
    """Save through a cache that adds a condition."""
    head = "/xapi/activities/state"
    docs = {f"{head}/{n}": {"page": 3, "score": None} for n in ("welding-1", "welding-2")}
    box = Box(docs, lambda _path, doc: f'"{doc.digest("sha1")}"', extra={"X-Experience-API-Version": "1.0.3"})
    box.say = {412: "Precondition failed: the document matches If-None-Match."}
    server = place.open_box(stage, box, "flask", "an xAPI store")
    agent = "CoursePlayer/88 CFNetwork/1568.200.51 Darwin/24.1.0"
    me = stage.actor(
        "client", server, "lrs.academy.test", "requests", {"User-Agent": agent, "Accept-Language": "sv"}
    )
    me.get("/healthz")
    kept = me.get(f"{head}/welding-1")
    me.get(f"{head}/welding-2")
    for page in (4, 4, 5):
        me.get(f"{head}/welding-1", 304, {"If-None-Match": kept.etag})
        me.put(f"{head}/welding-1", {"page": page, "score": None}, 412, {"If-None-Match": kept.etag})
        place.rest(0.6)
    me.put(
        f"{head}/welding-1",
        {"page": 5, "score": None},
        200,
        {"Cache-Control": "no-cache", "Pragma": "no-cache"},
    )
    me.get(f"{head}/welding-1", 200, {"Cache-Control": "no-cache", "Pragma": "no-cache"})


@case(
    "d481",
    "cal-version-from-before-publishing",
    "stale-stored-token",
    "409",
    alone="stale-stored-token",
    synthetic=True,
    description=(
        "An import to Contentful (imitation) saves an entry, publishes it, and saves it again with the version from before "
        "its own publishing, whose answer told the next one: VersionMismatch. Entries that it does not publish are fine."
    ),
)
def published(stage: Stage) -> None:
    """Keep the version from before one's own step."""
    head, key = "/spaces/q1/environments/master/entries", "X-Contentful-Version"
    docs = {f"{head}/{n}": {"title": {"en": n}} for n in ("6Ab", "7Cd", "8Ef")}
    box = Versions(docs, key, "header", 409, first=3)

    def shown(_req: Req, path: str, doc: Doc) -> Res:
        sys = {"type": "Entry", "id": path.rsplit("/", 1)[1], "version": doc.rev, "updatedAt": stamp(doc.at)}
        return Res(200, {"sys": sys, "fields": doc.data})

    def publish(req: Req) -> Res | None:
        path = req.path.removesuffix("/published")
        if path == req.path:
            return None
        refusal = box.judge(req, box.docs[path])
        return refusal or shown(req, path, box.store(path, box.docs[path].data, "import"))

    box.show, box.say = shown, {409: {"sys": {"type": "Error", "id": "VersionMismatch"}, "requestId": "a1"}}
    box.before.append(publish)
    server = place.open_box(stage, box, "cheroot", "Contentful")
    me = stage.actor(
        "client",
        server,
        "cma.content.test",
        "aiohttp",
        {"User-Agent": "import/9", "Authorization": "Bearer x"},
    )
    me.get(head)
    for entry, publishes in (("8Ef", False), ("6Ab", True), ("7Cd", True)):
        seen = me.get(f"{head}/{entry}").json
        saved = me.put(
            f"{head}/{entry}", {"title": {"en": "A"}}, 200, {key: str(seen["sys"]["version"])}
        ).json
        now = str(saved["sys"]["version"])
        if publishes:
            me.send("PUT", f"{head}/{entry}/published", 200, {key: now})
        place.rest(0.3)
        me.put(f"{head}/{entry}", {"title": {"en": "A", "sv": "B"}}, 409 if publishes else 200, {key: now})
    now = str(me.get(f"{head}/7Cd").json["sys"]["version"])
    me.put(f"{head}/7Cd", {"title": {"en": "A", "sv": "B"}}, 200, {key: now})


@case(
    "d503",
    "cal-task-app-guards-every-save",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "A task app on Radicale sends If-None-Match: * with every PUT, also when it ticks off tasks that it has read "
        "under their tags: 412. New tasks are created by the same request, and with If-Match the tick is stored."
    ),
)
def ticks(stage: Stage) -> None:
    """Guard an update as a creation."""
    server = stage.server("radicale")
    me = stage.actor(
        "client", server, "tasks.family.test", "httpx", {**place.basic("noor"), "User-Agent": "tick/0.9"}
    )
    task = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tick//EN\r\nBEGIN:VTODO\r\nUID:{0}\r\nDTSTAMP:20261120T080000Z\r\nSUMMARY:{0}\r\nSTATUS:{1}\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
    guard = {"Content-Type": "text/calendar; charset=utf-8", "If-None-Match": "*"}
    me.send("MKCALENDAR", "/noor/tasks/", 201)
    for name in ("paint", "bins", "boiler"):
        me.put(f"/noor/tasks/{name}.ics", task.format(name, "NEEDS-ACTION"), 201, guard)
    place.rest(0.6)
    for name in ("bins", "boiler", "bins"):
        seen = me.get(f"/noor/tasks/{name}.ics")
        me.put(f"/noor/tasks/{name}.ics", task.format(name, "COMPLETED"), 412, guard)
        place.rest(0.4)
    me.put("/noor/tasks/roof.ics", task.format("roof", "NEEDS-ACTION"), 201, guard)
    own = {"Content-Type": guard["Content-Type"], "If-Match": seen.etag}
    me.put("/noor/tasks/bins.ics", task.format("bins", "COMPLETED"), (201, 204), own)
