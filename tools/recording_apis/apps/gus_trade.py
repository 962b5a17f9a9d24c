"""Imitations after their documentation: commercetools, Square, Spring Data REST, Twilio Sync."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any
from urllib.parse import parse_qs

from tools.recording_apis.apps.gus_wire import Ask, Counter, Tell, day, iso


def _uid() -> str:
    return str(uuid.uuid4())


def _no_cart(key: str) -> Tell:
    text = f"The Resource with ID '{key}' was not found."
    errors = [{"code": "ResourceNotFound", "message": text}]
    return Tell(404, {"statusCode": 404, "message": text, "errors": errors})


def _old_cart(key: str, sent: int, now: int) -> Tell:
    text = f"Object {key} has a different version than expected. Expected: {sent} - Actual: {now}."
    errors = [{"code": "ConcurrentModification", "message": text, "currentVersion": now}]
    return Tell(409, {"statusCode": 409, "message": text, "errors": errors})


def commerce(project: str, carts: dict[str, dict[str, Any]]) -> Counter:
    """Return carts with the version in the body; each action raises it."""
    desk = Counter({"Server": "istio-envoy", "X-Served-Config": "sphere-projects-ws-1.0"})
    for one in carts.values():
        one.setdefault("createdAt", iso(time.time() - 900))
        one.setdefault("lastModifiedAt", iso(time.time() - 300))

    @desk.at("POST", "/oauth/token")
    def token(_ask: Ask) -> Any:
        return {
            "access_token": _uid().replace("-", ""),
            "token_type": "Bearer",
            "expires_in": 172800,
            "scope": f"manage_orders:{project} view_products:{project}",
        }

    @desk.at("GET", f"/{project}/carts/([^/]+)")
    def read(_ask: Ask, key: str) -> Any:
        return carts.get(key) or _no_cart(key)

    @desk.at("GET", f"/{project}/carts")
    def listed(ask: Ask) -> Any:
        found = list(carts.values())
        return {
            "limit": int(ask.query.get("limit", "20")),
            "offset": 0,
            "count": len(found),
            "total": len(found),
            "results": [
                {k: one[k] for k in ("id", "version", "cartState", "lastModifiedAt")} for one in found
            ],
        }

    @desk.at("POST", f"/{project}/carts/([^/]+)")
    def update(ask: Ask, key: str) -> Any:
        one = carts.get(key)
        if one is None:
            return _no_cart(key)
        with desk.lock:
            if ask.data["version"] != one["version"]:
                return _old_cart(key, ask.data["version"], one["version"])
            for act in ask.data["actions"]:
                _act(one, act)
            one["version"] += 3 * len(ask.data["actions"])
            one["lastModifiedAt"] = iso()
            return Tell(200, dict(one))

    return desk


def _act(one: dict[str, Any], act: dict[str, Any]) -> None:
    match act["action"]:
        case "changeLineItemQuantity":
            row = next(row for row in one["lineItems"] if row["id"] == act["lineItemId"])
            row["quantity"] = act["quantity"]
        case "addDiscountCode":
            one.setdefault("discountCodes", []).append({"code": act["code"], "state": "MatchesCart"})
        case "setShippingMethod":
            one["shippingInfo"] = {"shippingMethodName": act["shippingMethod"]["key"]}


def square(people: dict[str, dict[str, Any]]) -> Counter:
    """Return customers whose version is checked only when it is sent."""
    desk = Counter({"Square-Version": "2025-01-23", "Server": "envoy"})

    @desk.at("GET", "/v2/customers/([A-Z0-9]+)")
    def read(_ask: Ask, key: str) -> Any:
        return {"customer": people[key]}

    @desk.at("POST", "/v2/customers/search")
    def search(_ask: Ask) -> Any:
        return {"customers": list(people.values()), "count": len(people)}

    desk.plain("/v2/locations", {"locations": [{"id": "L7QW2M", "name": "Hafenstraße", "status": "ACTIVE"}]})

    @desk.at("PUT", "/v2/customers/([A-Z0-9]+)")
    def write(ask: Ask, key: str) -> Any:
        one, sent = people[key], dict(ask.data)
        given = sent.pop("version", None)
        if given is not None and given != one["version"]:
            return Tell(
                409,
                {
                    "errors": [
                        {
                            "category": "INVALID_REQUEST_ERROR",
                            "code": "CONFLICT",
                            "detail": "Version mismatch",
                            "field": "version",
                        }
                    ]
                },
            )
        one.update(sent, version=one["version"] + 1, updated_at=iso())
        return {"customer": dict(one)}

    return desk


def spring(rows: dict[str, dict[str, Any]]) -> Counter:
    """Return rows whose If-Unmodified-Since is looked at after the row was saved."""
    desk = Counter({"Vary": "Origin", "X-Application-Context": "tarife:prod"}, "application/hal+json")
    times = {key: time.time() - 400 for key in rows}

    def shown(key: str) -> dict[str, Any]:
        return {**rows[key], "_links": {"self": {"href": f"/api/tarifs/{key}"}}}

    @desk.at("GET", "/api/tarifs/([0-9]+)")
    def read(_ask: Ask, key: str) -> Any:
        return Tell(200, shown(key), {"Last-Modified": day(times[key])})

    @desk.at("GET", "/api/tarifs")
    def listed(_ask: Ask) -> Any:
        return {
            "_embedded": {"tarifs": [shown(key) for key in rows]},
            "page": {"size": 20, "totalElements": len(rows), "totalPages": 1, "number": 0},
        }

    @desk.at("PUT|PATCH", "/api/tarifs/([0-9]+)")
    def write(ask: Ask, key: str) -> Any:
        rows[key].update(ask.data)
        times[key] = time.time()
        since = ask.head.get("if-unmodified-since")
        if since is not None and since != day(times[key]):
            return Tell(412)
        return Tell(204, b"", {"Last-Modified": day(times[key])})

    return desk


def sync(service: str, docs: dict[str, dict[str, Any]]) -> Counter:
    """Return Sync documents guarded by their revision."""
    desk = Counter({"Server": "envoy", "Twilio-Request-Duration": "0.021", "X-API-Domain": "sync.twilio.com"})

    def shown(name: str) -> dict[str, Any]:
        return {"unique_name": name, "service_sid": service, "date_expires": None, **docs[name]}

    def bad(status: int, code: int, text: str) -> Tell:
        return Tell(
            status,
            {
                "code": code,
                "message": text,
                "more_info": f"https://www.twilio.com/docs/errors/{code}",
                "status": status,
            },
        )

    @desk.at("GET", f"/v1/Services/{service}/Documents/([^/]+)")
    def read(_ask: Ask, name: str) -> Any:
        return shown(name) if name in docs else bad(404, 20404, "The requested resource was not found")

    @desk.at("GET", f"/v1/Services/{service}/Documents")
    def listed(_ask: Ask) -> Any:
        return {
            "documents": [shown(name) for name in docs],
            "meta": {"page": 0, "page_size": 50, "key": "documents", "next_page_url": None},
        }

    @desk.at("POST", f"/v1/Services/{service}/Documents/([^/]+)")
    def write(ask: Ask, name: str) -> Any:
        with desk.lock:
            given = ask.head.get("if-match")
            if given is not None and given != docs[name]["revision"]:
                return bad(412, 54103, "The revision of the Document does not match the expected revision")
            sent = parse_qs(ask.body.decode())
            docs[name].update(data=json.loads(sent["Data"][0]), date_updated=iso(digits=0))
            docs[name]["revision"] = format(int(docs[name]["revision"], 16) + 1, "x")
            time.sleep(0.05)
            return shown(name)

    return desk
