"""A shop's checkout on FastAPI, in memory: services that state their conditions each in a way of its own.

Carts carry a version in the content and answer 409; secrets are written with ``cas``; stock is changed by
JSON Patch with ``test``; DNS-like zones are changed by stating what is deleted; patients are updated by
search; drafts are edited under a ticket that expires; feeds are read by a cursor that expires; orders obey a
business rule; ``/graphql`` takes mutations with an expected version.

Environment: ``TICKET`` and ``CURSOR`` seconds that those last; ``CAS`` is ``400`` or ``false`` (200 and
the text false); ``CART`` the status of a cart's conflict.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import json
import os
import secrets
import time
from typing import Any

from fastapi import FastAPI, Request, Response

application = FastAPI()
E = os.environ.get
CARTS: dict[str, dict[str, Any]] = {}
SECRETS: dict[str, list[Any]] = {}
STOCK: dict[str, dict[str, Any]] = {
    "sku-8841": {"name": "Trail lamp", "onHand": 14, "price": {"amount": "39.90", "currency": "EUR"}},
    "sku-8850": {"name": "Dry bag 20 l", "onHand": 31, "price": {"amount": "24.00", "currency": "EUR"}},
}
ZONES: dict[str, list[dict[str, Any]]] = {
    "shop.example": [
        {"name": "www.shop.example.", "type": "A", "ttl": 300, "rrdatas": ["192.0.2.10"]},
        {"name": "mail.shop.example.", "type": "MX", "ttl": 3600, "rrdatas": ["10 mx1.shop.example."]},
    ]
}
PATIENTS: list[dict[str, Any]] = [
    {"id": "p-101", "identifier": "MRN-5531", "family": "Okafor", "birthDate": "1981-02-11", "v": 2},
    {"id": "p-245", "identifier": "MRN-5531", "family": "Okafor", "birthDate": "1981-02-11", "v": 1},
    {"id": "p-302", "identifier": "MRN-7002", "family": "Silva", "birthDate": "1990-07-30", "v": 4},
]
TICKETS: dict[str, float] = {}
EVENTS: list[dict[str, Any]] = [
    {"seq": n, "topic": "order.created", "order": f"o-{900 + n}"} for n in range(9)
]
BOOTED = time.time()


def told(status: int, body: object, **fields: str) -> Response:
    """Return JSON."""
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    media = "application/problem+json" if status >= 400 else "application/json"
    return Response(json.dumps(body, ensure_ascii=False), status, named, media)


def problem(status: int, title: str, detail: str, **more: object) -> Response:
    """Return a problem document."""
    kind = f"https://errors.shop.example/{title.lower().replace(' ', '-')}"
    instance = f"urn:uuid:{secrets.token_hex(6)}"
    return told(
        status,
        {"type": kind, "title": title, "status": status, "detail": detail, **more, "instance": instance},
    )


@application.get("/-/ready")
async def ready() -> Response:
    """Say that the service is up."""
    return told(200, {"status": "UP"})


@application.get("/catalog/products")
async def products(q: str = "") -> Response:
    """Search the catalogue."""
    rows = [{"sku": sku, **one} for sku, one in STOCK.items() if q.lower() in one["name"].lower()]
    return told(200, {"results": rows, "count": len(rows)}, Cache_Control="public, max-age=30")


@application.post("/carts")
async def new_cart(request: Request) -> Response:
    """Open a cart."""
    key = f"c-{secrets.token_hex(4)}"
    sent = await request.json()
    CARTS[key] = {"id": key, "version": 1, "customerId": sent.get("customerId"), "lineItems": []}
    return told(201, CARTS[key], Location=f"/carts/{key}")


@application.get("/carts/{key}")
async def cart(key: str) -> Response:
    """Return a cart."""
    return told(200, CARTS[key]) if key in CARTS else problem(404, "Not Found", f"cart {key}")


@application.post("/carts/{key}")
async def act(key: str, request: Request) -> Response:
    """Apply actions to a version of a cart."""
    sent, one = await request.json(), CARTS[key]
    if "version" not in sent:
        return problem(
            400, "Invalid Input", "Request body does not contain valid JSON: version: Missing required value"
        )
    if sent["version"] != one["version"]:
        error = {"code": "ConcurrentModification", "currentVersion": one["version"]}
        text = f"Object {key} has a different version than expected."
        text += f" Expected: {sent['version']} - Actual: {one['version']}."
        return problem(int(E("CART", "409")), "Conflict", text, errors=[error])
    for action in sent["actions"]:
        if action["action"] == "addLineItem":
            one["lineItems"].append({"sku": action["sku"], "quantity": action.get("quantity", 1)})
        elif action["action"] == "setShippingAddress":
            one["shippingAddress"] = action["address"]
        one["version"] += 1
    one["lastModifiedBy"] = request.headers.get("x-user", "guest")
    return told(200, one)


@application.post("/orders")
async def order(request: Request) -> Response:
    """Place an order; one below the minimum is refused with 412."""
    sent = await request.json()
    total = float(sent.get("total", 0))
    if total < 20:
        text = f"Minimum order value of EUR 20.00 not reached (EUR {total:.2f})."
        return problem(412, "Minimum Order Value", text, rule="MOV-20", remedy="add items")
    return told(201, {"id": f"o-{secrets.token_hex(3)}", "state": "Open", "total": f"{total:.2f}"})


@application.get("/secrets/data/{name:path}")
async def secret(name: str) -> Response:
    """Return the last version of a secret."""
    if name not in SECRETS:
        return told(404, {"errors": []})
    kept = SECRETS[name]
    return told(200, {"data": {"data": kept[-1], "metadata": {"version": len(kept), "destroyed": False}}})


@application.post("/secrets/data/{name:path}")
async def keep(name: str, request: Request) -> Response:
    """Write a secret if ``cas`` is its version."""
    sent = await request.json()
    cas, kept = sent.get("options", {}).get("cas"), SECRETS.setdefault(name, [])
    if cas is not None and cas != len(kept):
        if E("CAS") == "false":
            return told(200, False)
        return told(400, {"errors": ["check-and-set parameter did not match the current version"]})
    kept.append(sent["data"])
    return told(200, {"data": {"version": len(kept), "created_time": time.strftime("%FT%TZ", time.gmtime())}})


@application.get("/stock/{sku}")
async def stock(sku: str) -> Response:
    """Return an article."""
    return told(200, {"sku": sku, **STOCK[sku]})


@application.patch("/stock/{sku}")
async def patched(sku: str, request: Request) -> Response:
    """Apply a JSON Patch (RFC 6902), tests first."""
    one, operations = STOCK[sku], await request.json()
    for number, operation in enumerate(operations):
        if operation["op"] == "test":
            live: Any = one
            for part in operation["path"].strip("/").split("/"):
                live = live.get(part) if isinstance(live, dict) else None
            if live != operation["value"]:
                text = f"operation {number} (test {operation['path']}) failed:"
                text += f" expected {operation['value']!r}, found {live!r}"
                return problem(409, "Test Failed", text, pointer=f"/{number}")
    for operation in operations:
        if operation["op"] == "replace":
            one[operation["path"].strip("/")] = operation["value"]
    return told(200, {"sku": sku, **one})


@application.get("/dns/{zone}/rrsets")
async def rrsets(zone: str) -> Response:
    """Return a zone's records."""
    return told(200, {"kind": "dns#resourceRecordSetsListResponse", "rrsets": ZONES[zone]})


@application.post("/dns/{zone}/changes")
async def changes(zone: str, request: Request) -> Response:
    """Replace records: each deletion has to equal the live record."""
    sent = await request.json()
    for number, gone in enumerate(sent.get("deletions", [])):
        if gone not in ZONES[zone]:
            text = f"Precondition not met for 'entity.change.deletions[{number}]'"
            return told(412, {"error": {"code": 412, "message": text, "status": "FAILED_PRECONDITION"}})
    kept = [one for one in ZONES[zone] if one not in sent.get("deletions", [])]
    ZONES[zone] = kept + sent.get("additions", [])
    return told(200, {"kind": "dns#change", "id": secrets.token_hex(2), "status": "pending", **sent})


def resource(one: dict[str, Any]) -> dict[str, Any]:
    """Return a patient as FHIR."""
    name = [{"family": one["family"]}]
    meta = {"versionId": str(one["v"])}
    identifier = [{"system": "urn:mrn", "value": one["identifier"]}]
    body = {"resourceType": "Patient", "id": one["id"], "meta": meta, "identifier": identifier}
    return {
        **body,
        "name": name,
        "birthDate": one["birthDate"],
        **({"telecom": one["telecom"]} if "telecom" in one else {}),
    }


@application.get("/r4/Patient")
async def search(identifier: str) -> Response:
    """Search patients."""
    found = [resource(one) for one in PATIENTS if one["identifier"] == identifier.rsplit("|", 1)[-1]]
    entry = [{"fullUrl": f"/r4/Patient/{one['id']}", "resource": one} for one in found]
    return told(200, {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": entry})


@application.put("/r4/Patient")
async def by_search(identifier: str, request: Request) -> Response:
    """Update the one patient that a search finds."""
    sent = await request.json()
    found = [one for one in PATIENTS if one["identifier"] == identifier.rsplit("|", 1)[-1]]
    if len(found) > 1:
        text = "HAPI-0958: Failed to UPDATE resource with match URL because this search matched "
        text += f"{len(found)} resources"
        issue = [{"severity": "error", "code": "multiple-matches", "diagnostics": text}]
        return told(412, {"resourceType": "OperationOutcome", "issue": issue})
    found[0]["telecom"] = sent.get("telecom")
    found[0]["v"] += 1
    return told(200, resource(found[0]), ETag=f'W/"{found[0]["v"]}"')


@application.post("/drafts/{name}/ticket")
async def ticket(name: str) -> Response:
    """Hand out an edit ticket."""
    key = f"{name}.{secrets.token_hex(8)}"
    TICKETS[key] = time.time() + float(E("TICKET", "2"))
    lasts = time.strftime("%FT%TZ", time.gmtime(TICKETS[key]))
    return told(201, {"ticket": key, "expiresAt": lasts, "expiresIn": float(E("TICKET", "2"))})


@application.put("/drafts/{name}")
async def draft(name: str, request: Request) -> Response:
    """Save a draft under a ticket."""
    key = request.headers.get("x-edit-ticket", "")
    if TICKETS.get(key, 0) < time.time():
        return problem(
            412, "Ticket Expired", f"edit ticket {key} has expired; request a new one", code="TICKET_EXPIRED"
        )
    return told(200, {"draft": name, "saved": True, "bytes": len(await request.body())})


@application.get("/events")
async def events(cursor: str = "") -> Response:
    """Return events after a cursor, which lasts for a while only."""
    start = 0
    if cursor:
        number, issued = cursor.split("-")
        age = time.time() - BOOTED - float(issued)
        if age > float(E("CURSOR", "2")):
            text = f"cursor is {age:.1f} s old, past retention; list again without cursor"
            return problem(410, "Cursor Expired", text, code="CURSOR_EXPIRED")
        start = int(number)
    page = EVENTS[start : start + 3]
    return told(200, {"events": page, "next": f"{start + len(page)}-{time.time() - BOOTED:.2f}"})


@application.post("/graphql")
async def graph(request: Request) -> Response:
    """Answer a query for a cart, or a mutation that expects a version of it."""
    sent = await request.json()
    given = sent.get("variables", {})
    one = CARTS[given["id"]]
    if "mutation" not in sent["query"]:
        return told(200, {"data": {"cart": one}})
    if given["expectedVersion"] != one["version"]:
        more = {"code": "VERSION_CONFLICT", "expected": given["expectedVersion"], "actual": one["version"]}
        fault = {"message": "cart was changed", "path": ["updateCart"], "extensions": more}
        return told(200, {"data": {"updateCart": None}, "errors": [fault]})
    one.update(given["input"], version=one["version"] + 1)
    one["lastModifiedBy"] = request.headers.get("x-user", "guest")
    return told(200, {"data": {"updateCart": one}})
