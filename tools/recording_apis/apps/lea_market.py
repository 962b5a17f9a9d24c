"""Imitations after published documentation, on Starlette: shops, mail, document databases.

commercetools (``version`` in the body, 409), Shopify's inventory (``compareQuantity``), JMAP (``ifInState``,
stateMismatch within 200), Firestore (``currentDocument``), Sanity (``ifRevisionID``), MongoDB's Data API (a
filter that finds nothing).

Environment: ``TAX`` seconds after which the shop itself writes to a cart; ``SLOW`` seconds an update takes;
``KEEP`` states of a mailbox that are kept for ``/changes``; ``GATE`` seconds between check and store.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

_TAX, _GATE = float(os.environ.get("TAX", "0")), float(os.environ.get("GATE", "0"))
_KEEP = int(os.environ.get("KEEP", "99"))
_WAITS = [float(os.environ.get("SLOW", "0"))]
_CARTS: dict[str, dict[str, Any]] = {
    key: {
        "id": key,
        "version": 4,
        "customerEmail": mail,
        "lineItems": [{"id": "li-1", "sku": "MUG-01", "quantity": 1}],
        "shippingAddress": {"country": "NL", "city": "Delft"},
        "lastModifiedBy": {"clientId": "storefront"},
    }
    for key, mail in (("c-81f2", "ola@mail.test"), ("c-81f3", "bo@mail.test"), ("c-9a07", "em@mail.test"))
}
_STOCK = {"gid://shopify/InventoryItem/30322695": 18, "gid://shopify/InventoryItem/30322696": 7}
_BOXES: dict[str, dict[str, Any]] = {
    "Mb1": {"name": "Inbox", "sortOrder": 1, "unreadEmails": 3},
    "Mb2": {"name": "Projects", "sortOrder": 5, "unreadEmails": 0},
    "Mb3": {"name": "Receipts", "sortOrder": 9, "unreadEmails": 0},
}
_MAIL = {"state": 78540}
_ROOMS: dict[str, dict[str, Any]] = {}
_CONTENT: dict[str, dict[str, Any]] = {
    key: {"_id": key, "_type": "page", "_rev": hashlib.sha256(key.encode()).hexdigest()[:22], "title": title}
    for key, title in (("page-home", "Home"), ("page-jobs", "Jobs"), ("page-press", "Press"))
}
_SHEET: dict[str, dict[str, Any]] = {
    key: {"_id": key, "version": 6, "status": "open", "amount": amount}
    for key, amount in (("ord-501", 120), ("ord-502", 80))
}
_TASKS: set[asyncio.Task[None]] = set()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


for _name in ("harbour", "garden"):
    _ROOMS[_name] = {
        "fields": {"open": {"booleanValue": True}, "seats": {"integerValue": "12"}},
        "createTime": "2026-10-02T07:11:00.118200Z",
        "updateTime": "2026-11-19T16:04:27.902113Z",
    }


async def _tarry() -> None:
    wait, _WAITS[0] = _WAITS[0], 0.0
    if wait:
        await asyncio.sleep(wait)


async def _taxed(cart: dict[str, Any]) -> None:
    await asyncio.sleep(_TAX)
    cart.update(
        version=cart["version"] + 1,
        taxedPrice={"centAmount": 2118},
        lastModifiedBy={"clientId": "tax-service"},
    )


def _conflict(cart: dict[str, Any], sent: object) -> JSONResponse:
    text = f"Object {cart['id']} has a different version than expected. "
    text += f"Expected: {sent} - Actual: {cart['version']}."
    error = {"code": "ConcurrentModification", "message": text, "currentVersion": cart["version"]}
    return JSONResponse({"statusCode": 409, "message": text, "errors": [error]}, 409)


def _acted(cart: dict[str, Any], action: dict[str, Any]) -> None:
    match action["action"]:
        case "setCustomerEmail":
            cart["customerEmail"] = action["email"]
        case "setShippingAddress":
            cart["shippingAddress"] = action["address"]
        case "addLineItem":
            made = {
                "id": f"li-{len(cart['lineItems']) + 1}",
                "sku": action["sku"],
                "quantity": action["quantity"],
            }
            cart["lineItems"] = [*cart["lineItems"], made]
        case "changeLineItemQuantity":
            items = [
                one | {"quantity": action["quantity"]} if one["id"] == action["lineItemId"] else one
                for one in cart["lineItems"]
            ]
            cart["lineItems"] = items
        case other:
            raise ValueError(other)


async def cart(request: Request) -> Response:
    """Answer for a cart of commercetools."""
    fields = {"X-Correlation-ID": f"acme/{uuid.uuid4()}", "Server": "istio-envoy"}
    if "authorization" not in request.headers:
        return JSONResponse({"statusCode": 401, "message": "invalid_token", "error": "invalid_token"}, 401)
    key = request.path_params.get("key")
    if key is None:
        return JSONResponse(
            {"limit": 20, "count": len(_CARTS), "results": list(_CARTS.values())}, headers=fields
        )
    one = _CARTS.get(key)
    if one is None:
        return JSONResponse(
            {"statusCode": 404, "message": f"The Resource with ID '{key}' was not found."}, 404
        )
    if request.method == "GET":
        return JSONResponse(one, headers=fields)
    sent = await request.json()
    if "version" not in sent:
        text = "Request body does not contain valid JSON. version: Missing required value"
        error = {"code": "InvalidJsonInput", "message": "Request body does not contain valid JSON."}
        error["detailedErrorMessage"] = "version: Missing required value"
        return JSONResponse({"statusCode": 400, "message": text, "errors": [error]}, 400, fields)
    if sent["version"] != one["version"]:
        return _conflict(one, sent["version"])
    await asyncio.sleep(_GATE)
    for action in sent["actions"]:
        _acted(one, action)
    who = request.headers.get("x-client", "storefront")
    one.update(
        version=one["version"] + len(sent["actions"]), lastModifiedAt=_now(), lastModifiedBy={"clientId": who}
    )
    if _TAX:
        task = asyncio.create_task(_taxed(one))
        _TASKS.add(task)
        task.add_done_callback(_TASKS.discard)
    shown = dict(one)
    await _tarry()
    return JSONResponse(shown, headers=fields)


async def shop(request: Request) -> Response:
    """Answer GraphQL about stock as Shopify's Admin API does."""
    sent = await request.json()
    cost = {"cost": {"requestedQueryCost": 11, "throttleStatus": {"currentlyAvailable": 1989}}}
    fields = {"X-Request-Id": str(uuid.uuid4()), "X-Shopify-API-Version": "2026-10"}
    if "inventorySetQuantities" not in sent["query"]:
        levels = [
            {"item": {"id": key}, "quantities": [{"name": "available", "quantity": n}]}
            for key, n in _STOCK.items()
        ]
        return JSONResponse(
            {"data": {"inventoryLevels": {"nodes": levels}}, "extensions": cost}, headers=fields
        )
    errors: list[dict[str, Any]] = []
    for number, row in enumerate(sent["variables"]["input"]["quantities"]):
        if row["compareQuantity"] != _STOCK[row["inventoryItemId"]]:
            path = ["input", "quantities", str(number), "compareQuantity"]
            text = "The compareQuantity value does not match persisted value."
            errors.append({"field": path, "message": text, "code": "COMPARE_QUANTITY_STALE"})
    if not errors:
        _STOCK.update(
            {row["inventoryItemId"]: row["quantity"] for row in sent["variables"]["input"]["quantities"]}
        )
    group = None if errors else {"createdAt": _now(), "reason": "correction"}
    data = {"inventorySetQuantities": {"inventoryAdjustmentGroup": group, "userErrors": errors}}
    return JSONResponse({"data": data, "extensions": cost}, headers=fields)


def _mail_call(name: str, asked: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    state = str(_MAIL["state"])
    if name == "Mailbox/get":
        rows = [{"id": key, **box} for key, box in _BOXES.items() if key in (asked.get("ids") or _BOXES)]
        return name, {"accountId": "u33", "state": state, "list": rows, "notFound": []}
    if name == "Mailbox/changes":
        if _MAIL["state"] - int(asked["sinceState"]) > _KEEP:
            return "error", {
                "type": "cannotCalculateChanges",
                "description": "sinceState is too old and has expired",
            }
        told = {"oldState": asked["sinceState"], "newState": state, "hasMoreChanges": False}
        return name, {"accountId": "u33", **told, "created": [], "updated": ["Mb1"], "destroyed": []}
    if asked.get("ifInState") not in {None, state}:
        return "error", {"type": "stateMismatch"}
    for key, changes in asked["update"].items():
        _BOXES[key].update(changes)
    _MAIL["state"] += 1
    done = dict.fromkeys(asked["update"])
    return name, {
        "accountId": "u33",
        "oldState": state,
        "newState": str(_MAIL["state"]),
        "updated": done,
        "notUpdated": None,
    }


async def mail(request: Request) -> Response:
    """Answer a JMAP request."""
    if "authorization" not in request.headers:
        return PlainTextResponse("Unauthorized", 401, {"WWW-Authenticate": 'Bearer realm="jmap"'})
    sent = await request.json()
    answers = []
    for name, asked, call in sent["methodCalls"]:
        told, content = _mail_call(name, asked)
        answers.append([told, content, call])
        if told == "error":
            break
    return JSONResponse({"methodResponses": answers, "sessionState": "cyrus-0;p-5;vfs-0"})


def _google(code: int, status: str, text: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": text, "status": status}}, code)


async def room(request: Request) -> Response:
    """Answer for a document of Firestore."""
    key = request.path_params["key"]
    name = f"projects/acme/databases/(default)/documents/rooms/{key}"
    kept, asked = _ROOMS.get(key), request.query_params
    if request.method == "GET":
        if kept is None:
            return _google(404, "NOT_FOUND", f'Document "{name}" not found.')
        return JSONResponse({"name": name, **kept}, headers={"Vary": "Origin, X-Origin, Referer"})
    wanted, exists = asked.get("currentDocument.updateTime"), asked.get("currentDocument.exists")
    if wanted is not None:
        try:
            datetime.fromisoformat(wanted)
        except ValueError:
            return _google(
                400,
                "INVALID_ARGUMENT",
                f"Invalid value at 'current_document.update_time' (Timestamp), \"{wanted}\"",
            )
    if exists == "false" and kept:
        return _google(409, "ALREADY_EXISTS", f"Document already exists: {name}")
    if (exists == "true" or wanted) and kept is None:
        return _google(404, "NOT_FOUND", f"No document to update: {name}")
    if wanted and kept and wanted != kept["updateTime"]:
        text = (
            f"the stored version ({kept['updateTime']}) does not match the required base version ({wanted})"
        )
        return _google(400, "FAILED_PRECONDITION", text)
    if request.method == "DELETE":
        _ROOMS.pop(key, None)
        return JSONResponse({})
    sent = await request.json()
    fields = {**(kept["fields"] if kept and "updateMask.fieldPaths" in asked else {}), **sent["fields"]}
    moment = _now()
    _ROOMS[key] = {
        "fields": fields,
        "createTime": kept["createTime"] if kept else moment,
        "updateTime": moment,
    }
    shown = {"name": name, **_ROOMS[key]}
    await _tarry()
    return JSONResponse(shown)


async def mutate(request: Request) -> Response:
    """Apply mutations as Sanity does."""
    sent = await request.json()
    made = hashlib.sha256(str(time.time_ns()).encode()).hexdigest()[:22]
    for step in (one["patch"] for one in sent["mutations"]):
        kept, wanted = _CONTENT[step["id"]], step.get("ifRevisionID")
        if wanted is not None and wanted != kept["_rev"]:
            cause = {
                "description": f'"{step["id"]}" has unexpected revision ID "{kept["_rev"]}", not "{wanted}"',
                "type": "documentRevisionIDDoesNotMatchError",
                "currentRevisionID": kept["_rev"],
                "expectedRevisionID": wanted,
            }
            error = {
                "description": "Mutation(s) failed with 1 error(s)",
                "type": "mutationError",
                "items": [{"index": 0, "error": cause}],
            }
            return JSONResponse({"error": error}, 409)
    for step in (one["patch"] for one in sent["mutations"]):
        _CONTENT[step["id"]].update(step["set"], _rev=made, _updatedAt=_now())
    results = [{"id": one["patch"]["id"], "operation": "update"} for one in sent["mutations"]]
    return JSONResponse(
        {"transactionId": made, "results": results}, headers={"X-Sanity-Shard": "gcp-eu-w1-01"}
    )


async def document(request: Request) -> Response:
    """Answer for a document of Sanity."""
    kept = _CONTENT[request.path_params["key"]]
    return JSONResponse({"ms": 3, "documents": [kept]}, headers={"X-Sanity-Shard": "gcp-eu-w1-01"})


async def data(request: Request) -> Response:
    """Answer an action of MongoDB's Data API."""
    sent, action = await request.json(), request.path_params["action"]
    hits = [
        row
        for row in _SHEET.values()
        if all(row.get(name) == value for name, value in sent["filter"].items())
    ]
    if action == "find":
        return JSONResponse({"documents": hits})
    if action == "findOne":
        return JSONResponse({"document": hits[0] if hits else None})
    for row in hits[:1]:
        row.update(sent["update"].get("$set", {}))
        for name, step in sent["update"].get("$inc", {}).items():
            row[name] += step
    return JSONResponse({"matchedCount": len(hits[:1]), "modifiedCount": len(hits[:1])})


async def up(_: Request) -> Response:
    """Say that it runs."""
    return PlainTextResponse("up")


application = Starlette(
    routes=[
        Route("/-/up", up),
        Route("/acme/carts", cart),
        Route("/acme/carts/{key}", cart, methods=["GET", "POST"]),
        Route("/admin/api/2026-10/graphql.json", shop, methods=["POST"]),
        Route("/jmap/api/", mail, methods=["POST"]),
        Route(
            "/v1/projects/acme/databases/(default)/documents/rooms/{key}",
            room,
            methods=["GET", "PATCH", "DELETE"],
        ),
        Route("/v2025-02-19/data/mutate/production", mutate, methods=["POST"]),
        Route("/v2025-02-19/data/doc/production/{key}", document),
        Route("/app/data-x/endpoint/data/v1/action/{action}", data, methods=["POST"]),
    ]
)
