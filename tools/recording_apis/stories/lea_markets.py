"""Shops, mail and document databases: versions in bodies, states of accounts, filters, and locks of workers."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

from tools.recording_apis import fronts
from tools.recording_apis.actors import Actor, Requests
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import lea_setting as place

_MUG = "gid://shopify/InventoryItem/30322695"
_CUP = "gid://shopify/InventoryItem/30322696"
_DATA = "/app/data-x/endpoint/data/v1/action/"


@case(
    "b352",
    "lea-cart-changed-by-the-call-centre",
    "other-writer",
    "recovered",
    alone="other-writer",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A storefront polls a cart and adds an item; the call centre has set another address in the meantime: 409 "
        "ConcurrentModification. It reads the cart again, adds the item to the new version and goes on."
    ),
)
def centre(stage: Stage) -> None:
    """Add to a cart that has changed."""
    server = place.market(stage, "commercetools")
    front = fronts.envoy(stage, [server])
    me = stage.actor(
        "client", front, place.SHOP, "node:fetch", place.bearer("store", **{"X-Client": "storefront"})
    )
    other = stage.actor(
        "other", front, place.SHOP, "httpx", place.bearer("desk", **{"X-Client": "call-centre"})
    )
    me.get("/acme/carts?limit=20")
    for _ in range(12):
        version = me.get(place.CART).json["version"]
        time.sleep(0.05)
    theirs = other.get(place.CART).json["version"]
    other.send("POST", place.CART, 200, None, place.acts(theirs, place.email("ola@work.test")))
    time.sleep(0.6)
    me.get(place.CART_2)
    me.send("POST", place.CART, 409, None, place.acts(version, place.item("BOWL-2")))
    version = me.get(place.CART).json["version"]
    version = me.send("POST", place.CART, 200, None, place.acts(version, place.item("BOWL-2"))).json[
        "version"
    ]
    me.send("POST", place.CART, 200, None, place.acts(version, place.item("SPOON-1", 4)))


@case(
    "b353",
    "lea-cart-update-without-version",
    "token-missing",
    "400",
    alone="token-missing",
    synthetic=True,
    description=(
        "A script posts actions to carts without version: 400, version: Missing required value, for two carts. "
        "With the version of the read the update is taken."
    ),
)
def versionless(stage: Stage) -> None:
    """Leave the version out."""
    server = place.market(stage, "commercetools")
    me = stage.actor("client", server, place.SHOP, "curl", place.bearer("migrate"))
    for path in (place.CART, place.CART_2):
        me.get(path)
        me.send("POST", path, 400, None, {"actions": [place.email("x@mail.test")]})
    me.get("/acme/carts?limit=20")
    version = me.get(place.CART).json["version"]
    me.send("POST", place.CART, 200, None, place.acts(version, place.email("x@mail.test")))


@case(
    "b354",
    "lea-stock-compared-with-a-spreadsheet",
    "payload-precondition-mismatch",
    "200",
    alone="payload-precondition-mismatch status-dialect-mismatch",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A stocktaking script sets Shopify quantities with compareQuantity from last week's spreadsheet: the answer "
        "is 200 with COMPARE_QUANTITY_STALE for the first row, and nothing is set. With the quantity as it is, it is."
    ),
)
def spreadsheet(stage: Stage) -> None:
    """Compare with what is not there."""
    server = place.market(stage, "Shopify's Admin API")
    me = stage.actor(
        "client", server, "acme.myshop.test", "node:axios", {"X-Shopify-Access-Token": "shpat-0"}
    )
    query = {"query": "{ inventoryLevels { item { id } quantities { name quantity } } }"}
    me.send("POST", place.STOCK, 200, None, place.stock(_MUG, 40, 25))
    me.send("POST", place.STOCK, 200, None, place.stock(_MUG, 40, 25))
    seen = me.send("POST", place.STOCK, 200, None, query)
    place.require(holds='"quantity":18' in seen.text.replace(" ", ""), otherwise="it was set")
    done = me.send("POST", place.STOCK, 200, None, place.stock(_MUG, 40, 18))
    place.require(holds="STALE" not in done.text, otherwise="not set")
    me.send("POST", place.STOCK, 200, None, place.stock(_CUP, 9, 7))


@case(
    "b355",
    "lea-mail-state-of-the-whole-account",
    "coarse-token-scope",
    "200",
    alone="coarse-token-scope other-writer status-dialect-mismatch",
    also="other-writer status-dialect-mismatch",
    synthetic=True,
    description=(
        "A desktop renames the mailbox Receipts with ifInState; the phone has changed Projects: stateMismatch within "
        "200, since the state is that of all mailboxes. Receipts is as it was read."
    ),
)
def mailbox(stage: Stage) -> None:
    """Be refused for another mailbox."""
    server = place.market(stage, "JMAP")
    me = stage.actor("client", server, place.MAIL, "httpx", place.bearer("desktop"))
    other = stage.actor("other", server, place.MAIL, "requests", place.bearer("phone"))
    read = place.calls(("Mailbox/get", {"ids": None}))
    me.send("POST", "/jmap/api/", 200, None, read)
    state = me.send("POST", "/jmap/api/", 200, None, read).json["methodResponses"][0][1]["state"]
    theirs = other.send("POST", "/jmap/api/", 200, None, read).json["methodResponses"][0][1]["state"]
    change = {"ifInState": theirs, "update": {"Mb2": {"sortOrder": 2}}}
    other.send("POST", "/jmap/api/", 200, None, place.calls(("Mailbox/set", change)))
    time.sleep(0.5)
    change = {"ifInState": state, "update": {"Mb3": {"name": "Invoices"}}}
    answer = me.send("POST", "/jmap/api/", 200, None, place.calls(("Mailbox/set", change)))
    place.require(holds="stateMismatch" in answer.text, otherwise="taken")
    again = me.send("POST", "/jmap/api/", 200, None, read).json["methodResponses"][0][1]
    place.require(holds="Receipts" in json.dumps(again), otherwise="renamed")


@case(
    "b356",
    "lea-mail-state-too-old-for-changes",
    "token-expired",
    "200",
    alone="token-expired",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "The server keeps three states. A laptop that was shut asks for changes since its stored state and is told "
        "cannotCalculateChanges (too old, expired), within 200; it reads everything anew and goes on from there."
    ),
)
def too_old(stage: Stage) -> None:
    """Ask for changes since a state that is forgotten."""
    server = place.market(stage, "JMAP", KEEP="3")
    me = stage.actor("client", server, place.MAIL, "aiohttp", place.bearer("laptop"))
    other = stage.actor("other", server, place.MAIL, "httpx", place.bearer("phone"))
    read = place.calls(("Mailbox/get", {"ids": None}))
    state = me.send("POST", "/jmap/api/", 200, None, read).json["methodResponses"][0][1]["state"]
    for number in range(5):
        change = {"update": {"Mb1": {"unreadEmails": number}}}
        other.send("POST", "/jmap/api/", 200, None, place.calls(("Mailbox/set", change)))
    for _ in range(2):
        answer = me.send(
            "POST", "/jmap/api/", 200, None, place.calls(("Mailbox/changes", {"sinceState": state}))
        )
        place.require(holds="expired" in answer.text, otherwise="still known")
        time.sleep(0.4)
    state = me.send("POST", "/jmap/api/", 200, None, read).json["methodResponses"][0][1]["state"]
    me.send("POST", "/jmap/api/", 200, None, place.calls(("Mailbox/changes", {"sinceState": state})))


@case(
    "b357",
    "lea-room-update-time-of-the-first-read",
    "stale-stored-token",
    "400",
    alone="stale-stored-token",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A booking screen keeps the document of its first read; its own two writes return new update times, and its "
        "third names that of the first read: FAILED_PRECONDITION. Nobody else writes."
    ),
)
def first_read(stage: Stage) -> None:
    """Keep an update time too long."""
    server = place.market(stage, "Firestore")
    me = stage.actor("client", server, place.STORE, "java", place.bearer("screen"))
    first = me.get(place.ROOM).json["updateTime"]
    me.get(place.ROOM.replace("harbour", "garden"))
    moment = first
    for seats in ("10", "8"):
        path = f"{place.ROOM}?updateMask.fieldPaths=seats&currentDocument.updateTime={moment}"
        moment = me.send("PATCH", path, 200, None, {"fields": {"seats": {"integerValue": seats}}}).json[
            "updateTime"
        ]
        time.sleep(0.3)
    path = f"{place.ROOM}?updateMask.fieldPaths=open&currentDocument.updateTime={first}"
    me.send("PATCH", path, 400, None, {"fields": {"open": {"booleanValue": False}}})
    me.send("PATCH", path.replace(first, moment), 200, None, {"fields": {"open": {"booleanValue": False}}})


@case(
    "b358",
    "lea-room-update-time-cut-to-milliseconds",
    "malformed-validator",
    "400",
    alone="malformed-validator date-precision",
    also="date-precision status-dialect-mismatch",
    synthetic=True,
    description=(
        "A client parses updateTime into a Date of JavaScript and formats it again: the microseconds are gone, and "
        "every guarded write is refused, right after a read. The served text itself is taken."
    ),
)
def cut(stage: Stage) -> None:
    """Lose the end of a timestamp."""
    server = place.market(stage, "Firestore")
    me = stage.actor("client", server, place.STORE, "node:fetch", place.bearer("kiosk"))
    change = {"fields": {"open": {"booleanValue": False}}}
    for _ in range(2):
        served = me.get(place.ROOM).json["updateTime"]
        path = f"{place.ROOM}?updateMask.fieldPaths=open&currentDocument.updateTime={served[:-4]}Z"
        me.send("PATCH", path, 400, None, change)
        me.get(place.ROOM.replace("harbour", "garden"))
    path = f"{place.ROOM}?updateMask.fieldPaths=open&currentDocument.updateTime={served}"
    me.send("PATCH", path, 200, None, change)


@case(
    "b359",
    "lea-sanity-revision-of-another-page",
    "wrong-token-source",
    "409",
    alone="wrong-token-source",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A bulk editor keeps one revision for the page it last loaded and patches the jobs page with the revision "
        "of the press page; 409 names both. With its own revision the patch is taken."
    ),
)
def another_page(stage: Stage) -> None:
    """Use another document's revision."""
    server = place.market(stage, "Sanity's mutations")
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, "x1.api.cms.test", "requests", place.bearer("bulk"))
    revisions = {}
    for key in ("page-home", "page-jobs", "page-press"):
        revisions[key] = me.get(f"/v2025-02-19/data/doc/production/{key}").json["documents"][0]["_rev"]
    for revision, status in (("page-press", 409), ("page-press", 409), ("page-jobs", 200)):
        patch = {"id": "page-jobs", "ifRevisionID": revisions[revision], "set": {"title": "Work with us"}}
        me.send("POST", place.SANITY, status, None, {"mutations": [{"patch": patch}]})
        time.sleep(0.2)
    me.get("/v2025-02-19/data/doc/production/page-jobs")


@case(
    "b360",
    "lea-mongo-update-matched-nothing",
    "status-dialect-mismatch",
    "lost-write",
    alone="status-dialect-mismatch",
    also="other-writer",
    synthetic=True,
    description=(
        "The version is part of the filter. A clerk's tool has cancelled the order meanwhile; the shipping job's "
        "update matches nothing, which is 200 with matchedCount 0, and the job goes on as if it were done."
    ),
)
def matched_nothing(stage: Stage) -> None:
    """Take 200 for success."""
    server = place.market(stage, "MongoDB's Data API")
    me = stage.actor("client", server, "data.mongo.test", "requests", {"apiKey": "k-ship"})
    other = stage.actor("other", server, "data.mongo.test", "node:axios", {"apiKey": "k-clerk"})
    me.send("POST", f"{_DATA}find", 200, None, {"collection": "orders", "filter": {"status": "open"}})
    mine = me.send(
        "POST", f"{_DATA}findOne", 200, None, {"collection": "orders", "filter": {"_id": "ord-501"}}
    )
    change = {"collection": "orders", "filter": {"_id": "ord-501", "version": 6}}
    theirs = {**change, "update": {"$set": {"status": "cancelled"}, "$inc": {"version": 1}}}
    other.send("POST", f"{_DATA}updateOne", 200, None, theirs)
    time.sleep(0.6)
    version = mine.json["document"]["version"]
    change = {"collection": "orders", "filter": {"_id": "ord-501", "version": version}}
    update = {"$set": {"status": "shipped"}, "$inc": {"version": 1}}
    answer = me.send("POST", f"{_DATA}updateOne", 200, None, {**change, "update": update})
    place.require(holds=answer.json["matchedCount"] == 0, otherwise="matched")
    second = {"collection": "orders", "filter": {"_id": "ord-502", "version": 6}}
    me.send("POST", f"{_DATA}updateOne", 200, None, {**second, "update": update})
    me.send("POST", f"{_DATA}find", 200, None, {"collection": "orders", "filter": {"status": "shipped"}})


@case(
    "b361",
    "lea-cart-two-clicks-at-once",
    "self-race",
    "409",
    alone="self-race",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A storefront sends two updates of one cart with version 4 while the first is still being answered; the "
        "second gets 409. Both are of one browser session."
    ),
)
def clicks(stage: Stage) -> None:
    """Click twice."""
    server = place.market(stage, "commercetools", SLOW="0.6")
    port = stage.tap("client", server)
    always = place.bearer(
        "store", **{"X-Client": "storefront", "X-Session": "s-771", "User-Agent": "shop-web/5"}
    )
    one, two = (Actor(place.SHOP, port, Requests(), always) for _ in range(2))
    one.get("/acme/carts?limit=20")
    version = one.get(place.CART).json["version"]
    two.get(place.CART_2)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(
            one.send, "POST", place.CART, 200, None, place.acts(version, place.item("BOWL-2"))
        )
        time.sleep(0.15)
        second = pool.submit(
            two.send, "POST", place.CART, 409, None, place.acts(version, place.item("CUP-9"))
        )
    place.require(holds=first.result().status == 200 and second.result().status == 409, otherwise="no race")
    one.get(place.CART)
    for actor in (one, two):
        actor.program.close()


@case(
    "b362",
    "lea-state-lock-outlived",
    "token-expired",
    "409",
    alone="token-expired lease-or-lock",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A pipeline locks its Terraform state; the backend's locks live 1.5 seconds, the plan takes longer, and the "
        "state posted with the lock's ID is refused as lock_expired. A new lock of the same kind works."
    ),
)
def outlived(stage: Stage) -> None:
    """Hold a lock longer than it lives."""
    server = place.forge(stage, "a Terraform http backend", LEASE="1500")
    me = stage.actor(
        "client", server, "tfstate.acme.test", "httpx", {"User-Agent": "HashiCorp Terraform/1.9.8"}
    )
    me.get("/state/prod", 204)
    state = {"version": 4, "serial": 88, "lineage": "3f2c", "resources": []}
    for lock, pause, status in (("a7b1", 2.1, 409), ("c90d", 0.2, 200)):
        info = {"ID": lock, "Operation": "OperationTypeApply", "Who": "ci@runner-4", "Created": f"run-{lock}"}
        me.send("POST", "/state/prod/lock", 200, None, info)
        time.sleep(pause)
        me.send("POST", f"/state/prod?ID={lock}", status, None, state)
    me.send("DELETE", "/state/prod/lock", 200, None, info)
    me.get("/state/prod")


@case(
    "b363",
    "lea-state-locked-by-a-colleague",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    synthetic=True,
    description=(
        "A colleague holds the lock of a Terraform state; the pipeline's lock is refused with 423 and the holder's "
        "data three times, and its state, posted without a lock, as well."
    ),
)
def locked(stage: Stage) -> None:
    """Meet another's lock."""
    server = place.forge(stage, "a Terraform http backend")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "tfstate.acme.test", "curl", {"User-Agent": "OpenTofu/1.8.3"})
    other = stage.actor(
        "other", front, "tfstate.acme.test", "requests", {"User-Agent": "HashiCorp Terraform/1.9.8"}
    )
    theirs = {"ID": "11aa", "Operation": "OperationTypeApply", "Who": "ines@laptop", "Created": "22:10:41"}
    other.send("POST", "/state/prod/lock", 200, None, theirs)
    me.get("/state/prod", 204)
    mine = {"ID": "22bb", "Operation": "OperationTypePlan", "Who": "ci@runner-4", "Created": "22:11:02"}
    for _ in range(3):
        me.send("POST", "/state/prod/lock", 423, None, mine)
        time.sleep(0.5)
    me.send("POST", "/state/prod", 423, None, {"version": 4, "serial": 3})
    other.send("POST", "/state/prod?ID=11aa", 200, None, {"version": 4, "serial": 2})
    other.send("DELETE", "/state/prod/lock", 200, None, theirs)


_LOCK = {"TableName": "locks", "Key": {"id": {"S": "leader"}}}
_AWS = "AWS4-HMAC-SHA256 Credential=EXAMPLE/20261126/eu-central-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"


def _dynamo(actor: Actor, operation: str, body: dict[str, object], expect: int = 200) -> None:
    fields = {"X-Amz-Target": f"DynamoDB_20120810.{operation}", "Content-Type": "application/x-amz-json-1.0"}
    actor.send("POST", "/", expect, {**fields, "Authorization": _AWS}, place.dumped(body))


@case(
    "b364",
    "lea-dynamodb-workers-try-to-lead",
    "expected-control-flow",
    "400",
    alone="expected-control-flow other-writer",
    also="status-dialect-mismatch",
    description=(
        "Two workers compete for a leader's lock in moto's DynamoDB with a conditional update every half second; "
        "the one that does not hold it gets ConditionalCheckFailedException each time, until the holder lets go."
    ),
)
def leader(stage: Stage) -> None:
    """Lose an election again and again."""
    server = stage.server("moto")
    stage.servers["moto"] = stage.servers["moto"].replace(" S3", " DynamoDB")
    me = stage.actor(
        "client", server, "dynamodb.eu-central-1.cloud.test", "requests", {"User-Agent": "worker-b"}
    )
    other = stage.actor(
        "other", server, "dynamodb.eu-central-1.cloud.test", "httpx", {"User-Agent": "worker-a"}
    )
    keys = {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}
    keys |= {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}
    _dynamo(other, "CreateTable", {"TableName": "locks", **keys, "BillingMode": "PAY_PER_REQUEST"})
    stage.forget()

    def take(holder: str) -> dict[str, object]:
        values = {":me": {"S": holder}, ":n": {"N": "1"}}
        condition = {"ConditionExpression": "attribute_not_exists(holder) OR holder = :me"}
        update = {"UpdateExpression": "SET holder = :me ADD beats :n", "ExpressionAttributeValues": values}
        return {**_LOCK, **condition, **update}

    for _ in range(6):
        _dynamo(other, "UpdateItem", take("worker-a"))
        _dynamo(me, "UpdateItem", take("worker-b"), 400)
        time.sleep(0.5)
    _dynamo(other, "DeleteItem", {**_LOCK})
    for _ in range(3):
        _dynamo(me, "UpdateItem", take("worker-b"))
        time.sleep(0.3)
