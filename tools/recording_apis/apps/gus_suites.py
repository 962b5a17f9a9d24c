"""Imitations after their documentation: Planner, Dataverse, Box."""

from __future__ import annotations

import base64
import itertools
import time
import uuid
from typing import Any

from tools.recording_apis.apps.gus_wire import Ask, Counter, Tell, iso


def planner(tasks: dict[str, dict[str, Any]], details: dict[str, dict[str, Any]]) -> Counter:
    """Return tasks and their details, each with a weak tag of its own."""
    desk = Counter(
        {"OData-Version": "4.0", "Cache-Control": "no-store"},
        "application/json;odata.metadata=minimal;odata.streaming=true",
    )
    number = itertools.count(301)
    tags: dict[str, str] = {}

    def tick(key: str) -> None:
        tags[key] = (
            'W/"' + base64.b64encode(f"1-Task  @@@@@@@@@@@@@@@{next(number):03d}".encode()).decode() + '"'
        )

    for key in tasks:
        tick(key)
        tick(f"{key}/details")

    def shown(key: str) -> dict[str, Any]:
        one = details[key.removesuffix("/details")] if key.endswith("/details") else tasks[key]
        return {"@odata.etag": tags[key], "id": key.removesuffix("/details"), **one}

    @desk.at("GET", "/v1.0/planner/tasks/([^/]+(?:/details)?)")
    def read(_ask: Ask, key: str) -> Any:
        return Tell(200, shown(key), {"ETag": tags[key], "request-id": str(uuid.uuid4())})

    @desk.at("GET", "/v1.0/planner/plans/([^/]+)/tasks")
    def listed(_ask: Ask, _plan: str) -> Any:
        return {"@odata.count": len(tasks), "value": [shown(key) for key in tasks]}

    @desk.at("PATCH", "/v1.0/planner/tasks/([^/]+(?:/details)?)")
    def write(ask: Ask, key: str) -> Any:
        if ask.head.get("if-match") != tags[key]:
            return Tell(
                412, {"error": {"code": "", "message": "The If-Match header contains an invalid value."}}
            )
        (details[key.removesuffix("/details")] if key.endswith("/details") else tasks[key]).update(ask.data)
        tick(key)
        if "return=representation" in ask.head.get("prefer", ""):
            return Tell(200, shown(key), {"Preference-Applied": "return=representation", "ETag": tags[key]})
        return Tell(204)

    return desk


def _no_account(key: str) -> Tell:
    text = f"Entity 'account' With Id = {key} Does Not Exist"
    return Tell(404, {"error": {"code": "0x80040217", "message": text}})


def dataverse(rows: dict[str, dict[str, Any]]) -> Counter:
    """Return accounts with weak tags; one star only updates, the other only creates."""
    desk = Counter(
        {"OData-Version": "4.0", "x-ms-service-request-id": "{uuid}"},
        "application/json; odata.metadata=minimal",
    )
    number = itertools.count(4_410_281, 3)
    tags = {key: f'W/"{next(number)}"' for key in rows}

    @desk.at("GET", r"/api/data/v9.2/accounts\(([0-9a-f-]+)\)")
    def read(ask: Ask, key: str) -> Any:
        if key not in rows:
            return _no_account(key)
        if ask.head.get("if-none-match") == tags[key]:
            return Tell(304, b"", {"ETag": tags[key]})
        return Tell(200, {"@odata.etag": tags[key], "accountid": key, **rows[key]}, {"ETag": tags[key]})

    @desk.at("GET", "/api/data/v9.2/accounts")
    def listed(_ask: Ask) -> Any:
        return {
            "value": [
                {"@odata.etag": tags[key], "accountid": key, "name": one["name"]} for key, one in rows.items()
            ]
        }

    @desk.at("PATCH", r"/api/data/v9.2/accounts\(([0-9a-f-]+)\)")
    def write(ask: Ask, key: str) -> Any:
        given, new = ask.head.get("if-match"), key not in rows
        if new and given:
            return _no_account(key)
        if (given not in {None, "*", tags.get(key)}) or (not new and ask.head.get("if-none-match") == "*"):
            text = "The version of the existing record doesn't match the RowVersion property provided."
            return Tell(412, {"error": {"code": "0x80060882", "message": text}})
        rows.setdefault(key, {}).update(ask.data)
        tags[key] = f'W/"{next(number)}"'
        return Tell(204, b"", {"OData-EntityId": f"/api/data/v9.2/accounts({key})"})

    return desk


def box(files: dict[str, dict[str, Any]]) -> Counter:
    """Return files whose tags are bare numbers; what is gone answers 404."""
    desk = Counter({"box-request-id": "{hex}", "Strict-Transport-Security": "max-age=31536000"})

    def shown(key: str) -> dict[str, Any]:
        return {"type": "file", "id": key, **files[key]}

    @desk.at("GET", "/2.0/files/([0-9]+)")
    def read(ask: Ask, key: str) -> Any:
        if key not in files:
            return Tell(
                404,
                {"type": "error", "status": 404, "code": "not_found", "request_id": uuid.uuid4().hex[:16]},
            )
        if ask.head.get("if-none-match") == files[key]["etag"]:
            return Tell(304, b"", {"ETag": files[key]["etag"]})
        return Tell(200, shown(key), {"ETag": files[key]["etag"]})

    @desk.at("GET", "/2.0/folders/([0-9]+)/items")
    def listed(_ask: Ask, _key: str) -> Any:
        rows = [
            {
                "type": "file",
                "id": key,
                "etag": one["etag"],
                "sequence_id": one["sequence_id"],
                "name": one["name"],
            }
            for key, one in files.items()
        ]
        return {"total_count": len(rows), "entries": rows, "offset": 0, "limit": 100}

    @desk.at("GET", "/2.0/events")
    def events(ask: Ask) -> Any:
        return {"chunk_size": 0, "next_stream_position": ask.query.get("stream_position", "0"), "entries": []}

    @desk.at("PUT|DELETE", "/2.0/files/([0-9]+)")
    def write(ask: Ask, key: str) -> Any:
        if key not in files or ask.head.get("if-match", files[key]["etag"]) != files[key]["etag"]:
            text = "The resource has been modified. Please retrieve the resource again and retry"
            return Tell(412, {"type": "error", "status": 412, "code": "precondition_failed", "message": text})
        if ask.method == "DELETE":
            del files[key]
            return Tell(204)
        one = files[key]
        one.update(ask.data, modified_at=iso(time.time(), 0))
        one["etag"] = one["sequence_id"] = str(int(one["etag"]) + 1)
        return Tell(200, shown(key), {"ETag": one["etag"]})

    return desk
