"""Imitations of Microsoft's and SAP's APIs after their documentation: Cosmos DB, configuration, Graph, OData."""

# ruff: noqa: ARG002, E501 - a product need not look at all that it is given; what it says is one sentence on a line
from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.tom_engine import Item, Product, Reply, Request, Tagged, digest, instant

if TYPE_CHECKING:
    from collections.abc import Mapping


class Cosmos(Tagged):
    """Azure Cosmos DB's SQL API: an item's ``_etag`` in its content and in ETag."""

    server = "Microsoft-HTTPAPI/2.0"

    def tag(self, path: str, item: Item) -> str:
        """Return a tag as Cosmos DB draws it."""
        seed = digest(path, 8)
        return f'"{seed[:4]}{item.version:04x}-0000-0d00-0000-{digest((path, item.version), 12)}"'

    def body(self, path: str, item: Item) -> Any:
        """Return an item with its system members."""
        system = {
            "_rid": digest(path, 12),
            "_etag": self.tag(path, item),
            "_ts": int(item.changed),
            "_attachments": "attachments/",
        }
        return {"id": path.rpartition("/")[2], **item.body, **system}

    def merged(self, request: Request, old: Item | None) -> Any:
        """Return the new content without system members."""
        return {
            name: value for name, value in super().merged(request, old).items() if not name.startswith("_")
        }

    def refuse(self, _request: Request, item: Item | None) -> Reply:
        """Answer 412 with substatus 0."""
        said = "Operation cannot be performed because one of the specified precondition is not met."
        body = {
            "code": "PreconditionFailed",
            "message": f"{said} ActivityId: {digest(item, 8)}, Microsoft.Azure.Documents.Common/2.14.0",
        }
        return Reply(412, body, {"x-ms-substatus": "0", "x-ms-request-charge": "1.24"})


class Configuration(Tagged):
    """Azure App Configuration: key-values with tags, problem details in errors."""

    server = "openresty/1.21.4.2"
    kind = "application/vnd.microsoft.appconfig.kv+json; charset=utf-8"

    def tag(self, path: str, item: Item) -> str:
        """Return a tag in base64url."""
        return f'"{base64.urlsafe_b64encode(bytes.fromhex(digest((path, item.version), 46))).decode().rstrip("=")}"'

    def body(self, path: str, item: Item) -> Any:
        """Return a key-value."""
        shown = {"etag": self.tag(path, item).strip('"'), "key": path.removeprefix("/kv/"), "label": None}
        return {**shown, **item.body, "last_modified": instant(item.changed), "locked": False}

    def refuse(self, _request: Request, item: Item | None) -> Reply:
        """Answer 412."""
        problem = {
            "type": "https://azconfig.io/errors/precondition-failed",
            "title": "Precondition failed",
            "status": 412,
        }
        return Reply(412, problem, {"Content-Type": "application/problem+json; charset=utf-8"})


class Drive(Tagged):
    """Microsoft Graph's drive items: ``eTag`` and ``cTag`` in the content, If-Match without quotes taken."""

    server = "Microsoft-IIS/10.0"

    def tag(self, path: str, item: Item) -> str:
        """Return a drive item's eTag."""
        return f'"{{{digest(path, 8).upper()}-5D2E-4C0B-9F11-{digest(path, 12).upper()}}},{item.version}"'

    def body(self, path: str, item: Item) -> Any:
        """Return a drive item."""
        by: dict[str, Any] = {"user": {"displayName": item.by}}
        if item.by.startswith("app:"):
            by = {"application": {"displayName": item.by.removeprefix("app:"), "id": digest(item.by, 12)}}
        shown = {
            "eTag": self.tag(path, item),
            "cTag": f'"c:{{{digest(path, 8).upper()}}},{item.version}"',
            "lastModifiedDateTime": instant(item.changed),
            "lastModifiedBy": by,
        }
        return {"id": digest(path, 16).upper(), **item.body, **shown}

    def refuse(self, _request: Request, _item: Item | None) -> Reply:
        """Answer 412 resourceModified."""
        inner = {"date": instant(time.time()), "request-id": digest(_request.target, 24)}
        error = {
            "code": "resourceModified",
            "message": "ETag does not match current item's value",
            "innerError": inner,
        }
        return Reply(412, {"error": error})


class Planner(Tagged):
    """Microsoft Graph's Planner: weak tags, compared as they are, for each task and its details."""

    server = "Microsoft-IIS/10.0"
    weakly = True
    demands = 400
    saved_status = 204

    def tag(self, path: str, item: Item) -> str:
        """Return a tag of the Planner."""
        inner = base64.b64encode(f'1-{digest(path, 4)}"{item.version}"'.encode()).decode()
        return f'W/"JzEt{inner}"'

    def head(self, path: str, item: Item) -> dict[str, str]:
        """Return no field: the tag is in the content."""
        return {}

    def body(self, path: str, item: Item) -> Any:
        """Return a task."""
        return {"@odata.etag": self.tag(path, item), **item.body}

    def check(self, request: Request, item: Item | None) -> Reply | None:
        """Return the refusal of a write, or None; what is no tag of the Planner is 400."""
        sent = request.fields.get("if-match")
        if sent is not None and not sent.startswith('W/"'):
            return Reply(
                400,
                {
                    "error": {
                        "code": "",
                        "message": "The If-Match header contains one or more invalid values.",
                    }
                },
            )
        return super().check(request, item)

    def demand(self, _request: Request) -> Reply:
        """Answer 400."""
        return Reply(
            400,
            {
                "error": {
                    "code": "",
                    "message": "The If-Match header must be specified for this kind of request.",
                }
            },
        )

    def refuse(self, _request: Request, _item: Item | None) -> Reply:
        """Answer 412."""
        said = (
            "The If-Match header contains one or more etags that do not match the current value of the item."
        )
        return Reply(412, {"error": {"code": "PreconditionFailed", "message": said}})


class Lists(Tagged):
    """SharePoint's list items: a counter as tag, MERGE in X-HTTP-Method."""

    server = "Microsoft-IIS/10.0"
    saved_status = 204

    def tag(self, _path: str, item: Item) -> str:
        """Return the counter in quotes."""
        return f'"{item.version}"'

    def body(self, path: str, item: Item) -> Any:
        """Return an item of a list."""
        return {
            "odata.type": "SP.Data.TasksListItem",
            "odata.etag": self.tag(path, item),
            **item.body,
            "Modified": instant(item.changed)[:19] + "Z",
        }

    def merged(self, request: Request, old: Item | None) -> Any:
        """Return the old members with the new ones."""
        return {**(old.body if old else {}), **request.json}

    def refuse(self, _request: Request, item: Item | None) -> Reply:
        """Answer 412 with SharePoint's code."""
        version = item.version if item else 0
        said = f"The request ETag value '\"{_request.fields.get('if-match', '')}\"' does not match the object's ETag value '\"{version}\"'."
        return Reply(
            412,
            {
                "odata.error": {
                    "code": "-1, Microsoft.SharePoint.Client.ClientServiceException",
                    "message": {"lang": "de-DE", "value": said},
                }
            },
        )


class OData(Tagged):
    """An OData 4.01 service: weak tags, compared weakly."""

    server = "Kestrel"
    weakly = True
    word = "2026"

    def tag(self, path: str, item: Item) -> str:
        """Return a weak tag."""
        return f'W/"{base64.b64encode(f"{self.word}{digest(path, 4)}{item.version:06d}".encode()).decode()}"'

    def body(self, path: str, item: Item) -> Any:
        """Return an entity."""
        return {
            "@odata.context": "$metadata#Entities/$entity",
            "@odata.etag": self.tag(path, item),
            **item.body,
        }

    def refuse(self, _request: Request, _item: Item | None) -> Reply:
        """Answer 412."""
        said = "The version of the existing record doesn't match the RowVersion property provided."
        return Reply(412, {"error": {"code": "0x80060882", "message": said}}, {"OData-Version": "4.0"})


class Sap(OData):
    """SAP Gateway: weak tags of the SADL, 428 without a condition."""

    server = "SAP NetWeaver Application Server / ABAP 757"
    demands = 428
    saved_status = 204

    def tag(self, path: str, item: Item) -> str:
        """Return a tag of the SADL."""
        day = time.strftime("%Y%m%d%H%M%S", time.gmtime(item.changed))
        return f'W/"SADL-{day}00{item.version:02d}C~{day}{digest(path, 4)}"'

    def demand(self, _request: Request) -> Reply:
        """Answer 428."""
        return Reply(
            428,
            self._error("/IWBEP/CM_V4_APPS/017", "Für die Änderung ist das Kopffeld If-Match erforderlich"),
        )

    def refuse(self, _request: Request, _item: Item | None) -> Reply:
        """Answer 412."""
        return Reply(
            412,
            self._error("SADL_ENTITY_RUNTIME/005", "Vorbedingung nicht erfüllt (ETag stimmt nicht überein)"),
        )

    def _error(self, code: str, said: str) -> Mapping[str, Any]:
        details = {
            "ContentID": None,
            "@SAP__common.ExceptionCategory": "Client_Error",
            "@SAP__common.Application": {"ServiceId": "API_BUSINESS_PARTNER"},
        }
        return {"error": {"code": code, "message": said, **details}}


class Table(Product):
    """Azure Table's merge, guarded by a weak tag made of the timestamp."""

    server = "Windows-Azure-Table/1.0 Microsoft-HTTPAPI/2.0"
    saved_status = 204

    def tag(self, _path: str, item: Item) -> str:
        """Return the timestamp, percent-encoded."""
        moment = instant(item.changed).removesuffix("Z").replace(":", "%3A")
        return f"W/\"datetime'{moment}{item.version % 10}Z'\""

    def body(self, path: str, item: Item) -> Any:
        """Return an entity."""
        return {"odata.etag": self.tag(path, item), **item.body, "Timestamp": instant(item.changed)}

    def check(self, request: Request, item: Item | None) -> Reply | None:
        """Return the refusal of a write, or None."""
        sent = request.fields.get("if-match")
        if sent is None or item is None or sent in {"*", self.tag(request.path, item)}:
            return None
        if not sent.startswith("W/\"datetime'") or "%3A" not in sent:
            return Reply(
                400,
                _odata(
                    "InvalidInput",
                    "The etag value specified in one of the request headers is not valid. Please make sure only one etag value is specified and is valid.",
                ),
            )
        return self.refuse(request, item)

    def refuse(self, _request: Request, _item: Item | None) -> Reply:
        """Answer 412."""
        return Reply(
            412,
            _odata(
                "UpdateConditionNotSatisfied",
                "The update condition specified in the request was not satisfied.",
            ),
        )


def _odata(code: str, said: str) -> Mapping[str, Any]:
    return {"odata.error": {"code": code, "message": {"lang": "en-US", "value": said}}}
