"""A network inventory on Falcon: JSON Patch with ``test``, writes by criteria, a batch of commands.

Environment: that of ``qin_core``. HABITS: bulk (one answer for each command).
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import copy
import json
from typing import Any

import falcon

from tools.recording_apis.apps.qin_core import HABITS, Rows, setting

ROWS = Rows()


def _error(answer: falcon.Response, status: int, code: str, text: str, **more: Any) -> None:
    answer.status = status
    answer.media = {"error": {"code": code, "message": text, **more}}


def _at(document: dict[str, Any], pointer: str) -> tuple[dict[str, Any], str]:
    parts = pointer.strip("/").split("/")
    for part in parts[:-1]:
        document = document[part]
    return document, parts[-1]


class Up:
    """Whether the service is there."""

    def on_get(self, _: falcon.Request, answer: falcon.Response) -> None:
        """Say so."""
        answer.text = "up"


class Devices:
    """All devices."""

    def on_get(self, request: falcon.Request, answer: falcon.Response) -> None:
        """List them, those that fit the criteria."""
        wanted = dict(request.params)
        rows = {
            key: row
            for key, row in ROWS.listed("").items()
            if all(str(row.data.get(name)) == value for name, value in wanted.items())
        }
        answer.media = {"count": len(rows), "devices": [{"id": key, **row.data} for key, row in rows.items()]}

    def on_put(self, request: falcon.Request, answer: falcon.Response) -> None:
        """Change the one device that fits the criteria."""
        wanted = dict(request.params)
        keys = [
            key
            for key, row in ROWS.listed("").items()
            if all(str(row.data.get(name)) == value for name, value in wanted.items())
        ]
        if len(keys) > 1:
            _error(
                answer,
                412,
                "MULTIPLE_MATCHES",
                f"the criteria select {len(keys)} devices, one is needed",
                matches=keys,
            )
            return
        if not keys:
            _error(answer, 404, "NO_MATCH", "no device fits")
            return
        row = ROWS.truth(keys[0])
        new = ROWS.write(
            keys[0], {**(row.data if row else {}), **request.media}, request.get_header("X-User") or "guest"
        )
        answer.media = {"id": keys[0], **new.data}


class Device:
    """One device."""

    def on_get(self, _: falcon.Request, answer: falcon.Response, key: str) -> None:
        """Show it."""
        row = ROWS.seen(key)
        if row is None:
            _error(answer, 404, "NOT_FOUND", key)
            return
        answer.media = {"id": key, **row.data}

    def on_patch(self, request: falcon.Request, answer: falcon.Response, key: str) -> None:
        """Apply a JSON Patch, or nothing of it."""
        row = ROWS.truth(key)
        if row is None:
            _error(answer, 404, "NOT_FOUND", key)
            return
        document = copy.deepcopy(row.data)
        for number, step in enumerate(json.loads(request.bounded_stream.read())):
            place, name = _at(document, step["path"])
            if step["op"] == "test" and place.get(name) != step["value"]:
                wanted, found = json.dumps(step["value"]), json.dumps(place.get(name))
                detail = f"test failed at {step['path']}: expected {wanted}, found {found}"
                _error(answer, int(setting("REFUSE", "409")), "PATCH_TEST_FAILED", detail, operation=number)
                return
            if step["op"] in {"replace", "add"}:
                place[name] = step["value"]
            elif step["op"] == "remove":
                place.pop(name, None)
        new = ROWS.write(key, document, request.get_header("X-User") or "guest")
        answer.media = {"id": key, **new.data}


class Batch:
    """Many commands at once."""

    def on_post(self, request: falcon.Request, answer: falcon.Response) -> None:
        """Run each command if its ``ifSerial`` is the device's."""
        results = []
        for command in request.media["commands"]:
            row = ROWS.truth(command["device"])
            if row is None or ("bulk" not in HABITS and command.get("ifSerial") != row.data["serial"]):
                results.append(
                    {
                        "device": command["device"],
                        "result": "CONFLICT",
                        "serial": row.data["serial"] if row else None,
                    }
                )
                continue
            new = {**row.data, **command["set"], "serial": row.data["serial"] + 1}
            ROWS.write(command["device"], new, request.get_header("X-User") or "guest")
            results.append({"device": command["device"], "result": "OK", "serial": new["serial"]})
        answer.media = {"results": results}


application = falcon.App()
application.add_route("/-/up", Up())
application.add_route("/inventory/devices", Devices())
application.add_route("/inventory/devices/{key}", Device())
application.add_route("/inventory/batch", Batch())
application.req_options.strip_url_path_trailing_slash = True
