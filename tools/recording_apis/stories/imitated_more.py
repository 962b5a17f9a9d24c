"""More imitated services: health records, key stores, libraries, repositories, filters."""

from __future__ import annotations

import base64
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tools.recording_apis.stage import Stage, StoryError, case

if TYPE_CHECKING:
    from tools.recording_apis.servers import Server


def service(stage: Stage) -> Server:
    """Start the imitations."""
    return stage.server("application", app="more_imitations")


@case(
    "a235",
    "fhir-conditional-create-two-matches",
    "multi-match",
    "412",
    alone="multi-match",
    description="If-None-Exist finds two patients with the identifier: 412 with an OperationOutcome.",
    synthetic=True,
)
def multi(stage: Stage) -> None:
    """Create unless it exists, when it exists twice."""
    server = service(stage)
    me = stage.actor("client", server, "fhir.example.test")
    patient = {"resourceType": "Patient", "identifier": [{"value": "4711"}]}
    me.send("POST", "/fhir/Patient", 412, {"If-None-Exist": "identifier=4711"}, patient)
    me.get("/fhir/Patient?identifier=4711")


@case(
    "a236",
    "fhir-weak-version-other-writer",
    "other-writer",
    "412",
    alone="other-writer",
    description="FHIR's If-Match takes weak version tags by design; another clinic has updated the patient.",
    synthetic=True,
)
def fhir(stage: Stage) -> None:
    """Two clinics update one patient."""
    server = service(stage)
    me = stage.actor("client", server, "fhir.example.test", "httpx")
    other = stage.actor("other", server, "fhir.example.test")
    read, theirs = me.get("/fhir/Patient/p1"), other.get("/fhir/Patient/p1")
    body = {**theirs.json, "active": False}
    other.put("/fhir/Patient/p1", body, 200, {"If-Match": theirs.etag})
    time.sleep(0.5)
    me.put("/fhir/Patient/p1", {**read.json, "gender": "female"}, 412, {"If-Match": read.etag})
    me.get("/fhir/Patient/p1")


@case(
    "a237",
    "fhir-weak-versions-healthy",
    "none",
    "healthy",
    alone="none",
    description="A patient is created unless there, read, and updated twice under weak version tags.",
    synthetic=True,
)
def fhir_healthy(stage: Stage) -> None:
    """Update under weak tags."""
    server = service(stage)
    me = stage.actor("client", server, "fhir.example.test", "aiohttp")
    patient = {"resourceType": "Patient", "identifier": [{"value": "0815"}]}
    guard = {"If-None-Exist": "identifier=0815"}
    made = me.send("POST", "/fhir/Patient", 201, guard, patient)
    me.send("POST", "/fhir/Patient", 200, guard, patient)
    path = f"/fhir/Patient/{made.json['id']}"
    tag = made.etag
    for active in (True, False):
        tag = me.put(path, {**patient, "active": active}, 200, {"If-Match": tag}).etag


@case(
    "a238",
    "consul-cas-false-taken-for-success",
    "other-writer",
    "lost-write",
    alone="other-writer status-dialect-mismatch",
    also="status-dialect-mismatch",
    description=(
        "Consul refuses a check-and-set with 200 and the text false; the client looks at the status only and "
        "goes on as if its value were stored."
    ),
    synthetic=True,
)
def consul(stage: Stage) -> None:
    """Believe the status."""
    server = service(stage)
    me = stage.actor("client", server, "consul.example.test")
    other = stage.actor("other", server, "consul.example.test", "httpx")
    path = "/v1/kv/service/limits"
    index = me.get(path).json[0]["ModifyIndex"]
    theirs = other.get(path).json[0]["ModifyIndex"]
    other.put(f"{path}?cas={theirs}", '{"limit":12}', 200)
    time.sleep(0.3)
    me.put(f"{path}?cas={index}", '{"limit":10,"burst":3}', 200)
    me.get(path)


@case(
    "a239",
    "couchdb-database-exists",
    "exists-already",
    "412",
    alone="exists-already",
    description="PUT of a database that is there: 412 file_exists without any condition in the request.",
    synthetic=True,
)
def couch(stage: Stage) -> None:
    """Make a database that is there."""
    server = service(stage)
    me = stage.actor("client", server, "couch.example.test", "curl:trace-time")
    me.put("/orders-2026", None, 412)
    me.get("/orders-2026")


@case(
    "a240",
    "zotero-library-version",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    description=(
        "The version guards the whole library: somebody edited another item, so the write of this one is "
        "refused with 'expected 24024, found 24027'."
    ),
    synthetic=True,
)
def zotero(stage: Stage) -> None:
    """Guard one item with the library's version."""
    server = service(stage)
    me = stage.actor("client", server, "zotero.example.test")
    other = stage.actor("other", server, "zotero.example.test", "httpx")
    version = me.get("/users/7/items/ABCD2345").fields["last-modified-version"]
    theirs = other.get("/users/7/items/WXYZ6789").fields["last-modified-version"]
    field = "If-Unmodified-Since-Version"
    items = [{"key": "WXYZ6789", "title": "Atlas, 2nd edition"}]
    other.send("POST", "/users/7/items", 200, {field: theirs}, items)
    time.sleep(0.3)
    items = [{"key": "ABCD2345", "title": "Field notes 1911"}]
    me.send("POST", "/users/7/items", 412, {field: version}, items)
    me.get("/users/7/items/ABCD2345")


@case(
    "a241",
    "github-parallel-commits",
    "coarse-token-scope",
    "409",
    alone="coarse-token-scope self-race",
    also="self-race status-dialect-mismatch",
    description=(
        "A job commits two different files at once by the contents interface; both go to one branch "
        "head, so one is 409 'is at ... but expected ...' although its file did not change."
    ),
    synthetic=True,
)
def github(stage: Stage) -> None:
    """Commit two files at once."""
    server = service(stage)
    me = stage.actor("client", server, "git.example.test", "requests", {"User-Agent": "docs-publisher/1.2"})
    shas = {name: me.get(f"/repos/acme/site/contents/docs/{name}").json["sha"] for name in ("a.md", "b.md")}

    def commit(name: str) -> int:
        text = base64.b64encode(f"# {name}\nUpdated.\n".encode()).decode()
        body = {"message": f"Update {name}", "content": text, "sha": shas[name]}
        return me.put(f"/repos/acme/site/contents/docs/{name}", body, (200, 409)).status

    with ThreadPoolExecutor(2) as pool:
        if sorted(pool.map(commit, ("a.md", "b.md"))) != [200, 409]:
            raise StoryError("the commits did not collide")
    me.get("/repos/acme/site/contents/docs/b.md")


@case(
    "a242",
    "graph-media-analysis",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "After the upload of a sound file the service fills in its duration and title by itself; the tag "
        "of the upload's answer is outdated when the client sets the description."
    ),
    synthetic=True,
)
def graph(stage: Stage) -> None:
    """Upload, then describe."""
    server = service(stage)
    me = stage.actor("client", server, "graph.example.test")
    path = "/v1.0/me/drive/items/01ABC"
    tag = me.put(f"{path}/content", "ID3 sound " * 30, 200, {"Content-Type": "audio/mpeg"}).json["eTag"]
    time.sleep(1.1)
    me.send("PATCH", path, 412, {"If-Match": tag}, {"description": "Talk in Oslo"})
    me.get(path)


@case(
    "a243",
    "planner-task-tag-on-details",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description="The details of a task are changed with the tag of the task; they have one of their own.",
    synthetic=True,
)
def planner(stage: Stage) -> None:
    """Take the task's tag."""
    server = service(stage)
    me = stage.actor("client", server, "graph.example.test", "httpx")
    tag = me.get("/v1.0/planner/tasks/T1").json["@odata.etag"]
    body = {"description": "Twelve chairs"}
    me.send("PATCH", "/v1.0/planner/tasks/T1/details", 412, {"If-Match": tag}, body)
    own = me.get("/v1.0/planner/tasks/T1/details").json["@odata.etag"]
    me.send("PATCH", "/v1.0/planner/tasks/T1/details", 204, {"If-Match": own}, body)


@case(
    "a244",
    "sap-gateway-428",
    "token-missing",
    "428",
    alone="token-missing",
    description="SAP Gateway demands If-Match on PATCH: 428; the order had been read and its tag was known.",
    synthetic=True,
)
def sap(stage: Stage) -> None:
    """Change without a condition."""
    server = service(stage)
    me = stage.actor("client", server, "sap.example.test", "requests", {"sap-client": "100"})
    path = "/sap/opu/odata4/sap/api_order/Order('4500000001')"
    tag = me.get(path).etag
    me.send("PATCH", path, 428, None, {"Note": "urgent"})
    me.send("PATCH", path, 204, {"If-Match": tag}, {"Note": "urgent"})


@case(
    "a245",
    "iam-policy-concurrent",
    "other-writer",
    "409",
    alone="other-writer status-dialect-mismatch",
    also="status-dialect-mismatch coarse-token-scope",
    description=(
        "Another pipeline changed the policy's bindings in between: 409 ABORTED with both tags in the text."
    ),
    synthetic=True,
)
def iam(stage: Stage) -> None:
    """Two pipelines grant roles."""
    server = service(stage)
    me = stage.actor("client", server, "iam.example.test", "requests", {"User-Agent": "terraform/1.9.8"})
    other = stage.actor("other", server, "iam.example.test", "httpx", {"User-Agent": "grants-bot/3"})
    read = me.send("POST", "/v1/projects/shop:getIamPolicy", 200, None, {}).json
    theirs = other.send("POST", "/v1/projects/shop:getIamPolicy", 200, None, {}).json
    theirs["bindings"].append({"role": "roles/editor", "members": ["user:b@example.test"]})
    other.send("POST", "/v1/projects/shop:setIamPolicy", 200, None, {"policy": theirs})
    read["bindings"].append({"role": "roles/browser", "members": ["user:c@example.test"]})
    me.send("POST", "/v1/projects/shop:setIamPolicy", 409, None, {"policy": read})
    me.send("POST", "/v1/projects/shop:getIamPolicy", 200, None, {})


@case(
    "a246",
    "anti-bot-412",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description="A filter before the shop answers 412 with an HTML page to a script; no condition was sent.",
    synthetic=True,
)
def filtered(stage: Stage) -> None:
    """Be taken for an automaton."""
    server = service(stage)
    me = stage.actor("client", server, "shop.example.test")
    me.send("POST", "/checkout", 412, None, {"basket": "b-77", "pay": "card"})
    me.send("POST", "/checkout", 412, None, {"basket": "b-77", "pay": "card"})


@case(
    "a247",
    "business-rule-412",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description="412 stands for a rule of the business: the device is not enrolled.",
    synthetic=True,
)
def rule(stage: Stage) -> None:
    """Break a rule."""
    server = service(stage)
    me = stage.actor("client", server, "devices.example.test", "curl:trace-ascii")
    me.send("POST", "/v2/devices/d-1204/unlock", 412, None, {"reason": "lost key"})


@case(
    "a248",
    "store-without-conditional-writes",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    description="An S3-like store answers 501 NotImplemented to any conditional PUT, fresh tag or not.",
    synthetic=True,
)
def not_implemented(stage: Stage) -> None:
    """Ask for what the store cannot do."""
    server = service(stage)
    me = stage.actor("client", server, "vault.example.test", "httpx")
    me.put("/vault/state.json", {"serial": 1}, 200)
    tag = me.get("/vault/state.json").etag
    me.put("/vault/state.json", {"serial": 2}, 501, {"If-Match": tag})
    me.put("/vault/lock.json", {"by": "a"}, 501, {"If-None-Match": "*"})


@case(
    "a249",
    "asgi-etags-after-the-method",
    "post-commit-412",
    "412",
    alone="post-commit-412 intermediary-replay",
    description=(
        "asgi-etags runs the method first and compares If-Match with the tag of the new content: 412 for "
        "a write that has been stored, on the first attempt."
    ),
)
def after(stage: Stage) -> None:
    """Be refused after the deed."""
    server = stage.server("application", app="asgi_etags_cards")
    me = stage.actor("client", server, "board.example.test")
    tag = me.get("/cards/9").etag
    me.put("/cards/9", {"text": "Buy paint and brushes", "lane": "doing"}, 412, {"If-Match": tag})
    me.get("/cards/9")
