"""Imitations after their documentation: APIs of Microsoft, of SAP and others of the OData kind."""

# ruff: noqa: ARG002, E501 - products need not use all they are handed; error texts stand as documented

from __future__ import annotations

import threading
import time
import uuid
from typing import Any, ClassVar

from tools.recording_apis.apps.noa_engine import Api, Record, Request, Response, digest, matches, stamp


class Cosmos(Api):
    """Cosmos DB, SQL API: ``_etag`` in the body and the ETag field."""

    server: ClassVar[str] = "Compute"
    media: ClassVar[str] = "application/json"

    def tag(self, record: Record, request: Request | None = None) -> str:
        """Return a tag that looks like a GUID."""
        one = digest([record.key, record.version], 8)
        return f'"{one[:4]}{one[4:]}-0000-0d00-0000-{int(record.at * 1000):012x}"'

    def view(self, record: Record) -> object:
        """Return an item with its system properties."""
        rid = digest(record.key, 12)
        own = {"_rid": rid, "_self": f"dbs/d/colls/c/docs/{rid}/", "_etag": self.tag(record)}
        return {**record.value, **own, "_attachments": "attachments/", "_ts": int(record.at)}

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take an item without system properties."""
        return {k: v for k, v in request.json.items() if not k.startswith("_")}

    def validators(self, record: Record, request: Request | None = None) -> dict[str, str]:
        """Return the tag and what Cosmos DB adds."""
        charge = {"x-ms-request-charge": "1", "x-ms-activity-id": str(uuid.uuid4())}
        return {"ETag": self.tag(record), **charge, "x-ms-session-token": f"0:-1#{record.version + 80}"}

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse a tag."""
        said = 'Message: {"Errors":["Operation cannot be performed because one of the specified precondition is not met."]}'
        said += f"\r\nActivityId: {uuid.uuid4()}, Request URI: /apps/DocDbApp/services/s/partitions/p/replicas/1p/"
        return Response(412, {"code": "PreconditionFailed", "message": said}, {"x-ms-substatus": "0"})

    def absent(self, request: Request) -> Response:
        """Answer when there is no such item."""
        return Response(
            404, {"code": "NotFound", "message": "Entity with the specified id does not exist in the system."}
        )


class Manager(Api):
    """Azure Resource Manager: an AKS cluster that works on its own after a write, or an API with tags."""

    server: ClassVar[str] = "Microsoft-HTTPAPI/2.0"

    def tag(self, record: Record, request: Request | None = None) -> str:
        """Return a GUID in quotes."""
        return f'"{uuid.UUID(digest([record.key, record.version]))}"'

    def view(self, record: Record) -> object:
        """Return a resource."""
        name = record.key.rpartition("/")[2]
        return {
            "id": record.key,
            "name": name,
            "etag": self.tag(record).strip('"'),
            "properties": record.value,
        }

    def validators(self, record: Record, request: Request | None = None) -> dict[str, str]:
        """Return the usual fields."""
        own = {"x-ms-request-id": str(uuid.uuid4()), "x-ms-ratelimit-remaining-subscription-writes": "199"}
        return {"ETag": self.tag(record), "Cache-Control": "no-cache", **own}

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take the properties; an AKS cluster is in the state Updating at first."""
        made = {**(old.value if old else {}), **request.json["properties"]}
        return {**made, "provisioningState": "Updating"} if "aks" in self.flags else made

    def stored(self, request: Request, record: Record) -> None:
        """Finish the operation a little later."""
        if "aks" in self.flags:
            done = {**record.value, "provisioningState": "Succeeded"}
            threading.Timer(0.6, lambda: self.keep(record.key, done, "system")).start()

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse a tag."""
        if "aks" not in self.flags:
            said = "The specified condition was not met: the ETag in If-Match is not the current one."
            return Response(412, {"error": {"code": "PreconditionFailed", "message": said}})
        now = self.tag(record).strip('"') if record else ""
        said = f"Request ETag does not match the current ETag '{now}'. Operation in progress or resource was updated."
        detail = {"code": "FailedPrecondition", "message": said}
        return Response(409, {"code": "EtagMismatch", "message": said, "details": [detail]})


class Settings(Api):
    """Azure App Configuration: key-values with a tag."""

    server: ClassVar[str] = "openresty/1.21.4.2"
    media: ClassVar[str] = "application/vnd.microsoft.appconfig.kv+json; charset=utf-8"

    def tag(self, record: Record, request: Request | None = None) -> str:
        """Return the tag."""
        return f'"{digest([record.value, record.version, "kv"], 43)}"'

    def view(self, record: Record) -> object:
        """Return a key-value."""
        return {
            "etag": self.tag(record).strip('"'),
            "key": record.key.rpartition("/")[2],
            "label": None,
            "content_type": "",
            "last_modified": stamp(record.at, 0).replace("Z", "+00:00"),
            "locked": False,
            **record.value,
        }

    def validators(self, record: Record, request: Request | None = None) -> dict[str, str]:
        """Return the tag and a token for synchronisation."""
        return {"ETag": self.tag(record), "Sync-Token": f"zAJw6V16=MDotMSMx;sn={record.version + 2100}"}

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take the value."""
        return {"value": request.json["value"]}

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse a tag without a word."""
        return Response(412)


class Graph(Api):
    """Microsoft Graph: OneDrive items and Planner tasks, whose details have a tag of their own."""

    server: ClassVar[str] = "Microsoft-IIS/10.0"
    media: ClassVar[str] = (
        "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
    )
    weak_matches: ClassVar[bool] = True

    def tag(self, record: Record, request: Request | None = None) -> str:
        """Return the tag of an item, without quotes, or of a task, weak."""
        if "/planner/" in record.key:
            return f'W/"JzEt{digest([record.key, record.version], 24)}Dlrc="'
        return f"aQTk{digest([record.key, record.version], 30).upper()}MA"

    def view(self, record: Record) -> object:
        """Return the thing with its tag."""
        name = record.key.rpartition("/")[2]
        if "/planner/" in record.key:
            return {"@odata.etag": self.tag(record), "id": record.key.split("/")[4], **record.value}
        same = f"aYzp{digest(record.value.get('content'), 26).upper()}MA"
        shown = {k: v for k, v in record.value.items() if k != "content"}
        user = {"user": {"displayName": record.by}}
        return {
            "id": name,
            "eTag": self.tag(record),
            "cTag": same,
            "lastModifiedDateTime": stamp(record.at, 0),
            "lastModifiedBy": {"application": {"displayName": "OneDrive"}} if record.by == "system" else user,
            **shown,
        }

    def validators(self, record: Record, request: Request | None = None) -> dict[str, str]:
        """Return the request's number only: the tag is in the body."""
        return {"request-id": str(uuid.uuid4()), "Cache-Control": "no-cache"}

    def _same(self, request: Request, record: Record | None) -> bool:
        asked = request.fields.get("if-match", "").strip('"')
        return record is not None and asked in {self.tag(record), "*"}

    def holds(self, request: Request, record: Record | None) -> bool:
        """Compare as text."""
        if record and "/planner/" in record.key:
            return request.fields["if-match"] == self.tag(record)
        return self._same(request, record)

    def wrong(self, request: Request, record: Record | None) -> Response | None:
        """Refuse a field that is no tag."""
        asked = request.fields.get("if-match")
        if asked is None or not record or "/planner/" not in record.key or asked.startswith('W/"JzEt'):
            return None
        return self.error(400, "", "The If-Match header contains an invalid value.")

    def error(self, status: int, code: str, message: str) -> Response:
        """Return an error as Graph writes it."""
        inner = {"date": stamp(time.time(), 0).rstrip("Z"), "request-id": str(uuid.uuid4())}
        return Response(status, {"error": {"code": code, "message": message, "innerError": inner}})

    def missing(self, request: Request, record: Record | None) -> Response | None:
        """Ask for a tag where Planner wants one."""
        if "/planner/" not in request.path:
            return None
        return self.error(400, "", "The If-Match header must be specified for this kind of request.")

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse a tag."""
        if "/planner/" in request.path:
            return self.error(412, "", "The If-Match header contains a stale value.")
        return self.error(412, "resourceModified", "ETag does not match current item's value")

    def stored(self, request: Request, record: Record) -> None:
        """Let OneDrive read a picture's properties a little later."""
        if record.value.get("file", {}).get("mimeType") == "image/jpeg" and record.by != "system":
            seen = {**record.value, "photo": {"cameraMake": "NIKON", "takenDateTime": "2026-08-02T09:11:40Z"}}
            seen["image"] = {"width": 4608, "height": 3072}
            threading.Timer(0.5, lambda: self.keep(record.key, seen, "system")).start()

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take a change, or new content."""
        if request.path.endswith("/content"):
            name = request.path.split("/")[-2]
            return {"name": name, "content": digest(request.body.hex()), "file": {"mimeType": "image/jpeg"}}
        return super().taken(request, old)

    def key(self, request: Request) -> str:
        """Return the item."""
        return request.path.removesuffix("/content")

    def done(self, request: Request, record: Record, old: Record | None) -> Response:
        """Answer with 204 for Planner, with the item otherwise."""
        if "/planner/" in record.key:
            return Response(204, b"", {"request-id": str(uuid.uuid4())})
        return super().done(request, record, old)


class Lists(Api):
    """SharePoint REST list items: numbers in quotes."""

    server: ClassVar[str] = "Microsoft-IIS/10.0"
    media: ClassVar[str] = "application/json;odata=nometadata;charset=utf-8"

    def tag(self, record: Record, request: Request | None = None) -> str:
        """Return the version in quotes."""
        return f'"{record.version}"'

    def validators(self, record: Record, request: Request | None = None) -> dict[str, str]:
        """Return the tag."""
        return {"ETag": self.tag(record), "SPRequestGuid": str(uuid.uuid4()), "X-Powered-By": "ASP.NET"}

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take a merge."""
        return {**(old.value if old else {}), **request.json}

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse a tag."""
        asked = request.fields.get("if-match")
        said = f"The request ETag value '{asked}' does not match the object's ETag value '{self.tag(record) if record else ''}'."
        code = "-1, Microsoft.SharePoint.Client.ClientServiceException"
        return Response(412, {"odata.error": {"code": code, "message": {"lang": "en-US", "value": said}}})

    def done(self, request: Request, record: Record, old: Record | None) -> Response:
        """Answer without content."""
        return Response(204, b"", self.validators(record))

    creates: ClassVar[tuple[str, ...]] = ()


class Dataverse(Api):
    """Dataverse: weak numbers, compared weakly."""

    server: ClassVar[str] = "Microsoft-IIS/10.0"
    media: ClassVar[str] = "application/json; odata.metadata=minimal"
    weak_matches: ClassVar[bool] = True

    def tag(self, record: Record, request: Request | None = None) -> str:
        """Return a row version."""
        return f'W/"{4_108_200 + record.version * 17 + int(digest(record.key, 4), 16)}"'

    def view(self, record: Record) -> object:
        """Return a row."""
        return {"@odata.etag": self.tag(record), **record.value, "modifiedon": stamp(record.at, 0)}

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse a tag."""
        said = "The version of the existing record doesn't match the RowVersion property provided."
        return Response(412, {"error": {"code": "0x80060882", "message": said}})

    def done(self, request: Request, record: Record, old: Record | None) -> Response:
        """Answer without content."""
        return Response(204, b"", {"OData-Version": "4.0", "OData-EntityId": record.key})


class Sap(Api):
    """SAP S/4HANA, OData V4: weak tags, 428 without one."""

    server: ClassVar[str] = "sap"
    media: ClassVar[str] = "application/json;odata.metadata=minimal;charset=utf-8"
    weak_matches: ClassVar[bool] = True

    def tag(self, record: Record, request: Request | None = None) -> str:
        """Return the time of the last change as SADL writes it."""
        moment = time.strftime("%Y%m%d%H%M%S", time.gmtime(record.at))
        return f'W/"SADL-0{moment}{int(record.at * 1e6) % 1_000_000:06d}C~{moment}"'

    def view(self, record: Record) -> object:
        """Return an entity."""
        return {"@odata.context": "$metadata#Entity", "@odata.etag": self.tag(record), **record.value}

    def error(self, status: int, code: str, message: str) -> Response:
        """Return an error as the gateway writes it."""
        more = {"ContentID": "", "@SAP__core.ExceptionCategory": "Client_Error"}
        return Response(status, {"error": {"code": code, "message": message, **more}})

    def missing(self, request: Request, record: Record | None) -> Response | None:
        """Ask for a tag."""
        return self.error(
            428, "/IWBEP/CM_V4_APPS/017", "Precondition required: the If-Match header is missing."
        )

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse a tag."""
        return self.error(
            412, "/IWBEP/CM_V4_APPS/016", "Precondition failed: the entity was changed in the meantime."
        )


class OData(Api):
    """A service on OData libraries whose tag depends on what was selected."""

    server: ClassVar[str] = "Kestrel"
    media: ClassVar[str] = "application/json; odata.metadata=minimal; charset=utf-8"
    weak_matches: ClassVar[bool] = True

    def _shown(self, record: Record, request: Request | None) -> Any:
        names = request.query.get("$select", "").split(",") if request else [""]
        return {k: v for k, v in record.value.items() if k in names} if names != [""] else record.value

    def tag(self, record: Record, request: Request | None = None) -> str:
        """Return the tag of the representation."""
        return f'W/"{digest([self._shown(record, request), record.version], 24)}"'

    def read(self, request: Request) -> Response:
        """Answer a read of what was selected."""
        made, record = super().read(request), self.seen(self.key(request))
        if made.status == 200 and record:
            made.body = {"@odata.etag": made.fields["ETag"], **self._shown(record, request)}
        return made

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse a tag."""
        said = "The etag value in the If-Match header does not match the current etag value of the entity."
        return Response(412, {"error": {"code": "PreconditionFailed", "message": said}})

    def holds(self, request: Request, record: Record | None) -> bool:
        """Compare weakly, as OData does."""
        tag = self.tag(record, request) if record else None
        return matches(request.fields.get("if-match", ""), tag, exists=record is not None, weak=True)
