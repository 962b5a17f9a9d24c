"""Graph, Planner, SharePoint, and SAP's OData."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, ClassVar

from tools.simulation.messages import Request, Response
from tools.simulation.skin import Skin
from tools.simulation.store import Condition, opaque

if TYPE_CHECKING:
    from tools.simulation.kernel import World
    from tools.simulation.messages import Answer, Document, Fields
    from tools.simulation.store import Entry


class Graph(Skin):
    """Microsoft Graph drive items: opaque tags in the body, often without quotes."""

    id: ClassVar[str] = "graph-drive"
    body_tokens = True
    creates = False
    fronted = False
    demands = False
    servers = ("graph",)
    clients = ("requests", "dotnet", "axios", "undici")
    hosts = ("graph.microsoft.com",)
    update_method = "PATCH"
    guards_creation = False

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.origin_url, self.patch, self.dates, self.answer, self.cache_control = (
            f"https://{self.host}",
            False,
            False,
            "full",
            None,
        )

    def url(self, key: str) -> str:
        """Return the URL of an item."""
        return f"{self.origin_url}/v1.0/me/drive/items/{key}"

    def tag(self, entry: Entry) -> str:
        """`"{guid},n"`."""
        return f'"{{{opaque(entry, "uuid", entry.key).upper()}}},{entry.version % 90}"'

    def validators(self, tag: str | None, modified: str | None) -> Fields:
        """No ETag field."""
        del tag, modified
        return []

    def content(self, entry: Entry, tag: str) -> str:
        """The item with eTag and cTag."""
        return json.dumps(
            {
                "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#items/$entity",
                "id": entry.key,
                "eTag": tag,
                "cTag": tag.replace('"{', '"c:{'),
                "name": f"{entry.key}.docx",
                "description": json.dumps(entry.document),
            }
        )

    def sent(self, key: str, document: Document, token: str | None) -> str:
        """The changed members."""
        del key, token
        return json.dumps({"description": json.dumps(document)})

    def token_of(self, answer: Answer) -> str | None:
        """ETag of the body."""
        if (
            not isinstance(answer, Response)
            or not isinstance(answer.body, str)
            or '"eTag"' not in answer.body
        ):
            return None
        return str(json.loads(answer.body)["eTag"])

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412 resourceModified."""
        del condition, entry, tag
        code, text = (
            ("invalidRequest", "The If-Match header must be specified for this kind of request.")
            if why == "required"
            else ("resourceModified", "ETag does not match current item's value")
        )
        status = 412 if why in {"mismatch", "gone", "exists"} else 400
        return self.json_answer(
            status,
            json.dumps(
                {
                    "error": {
                        "code": code,
                        "message": text,
                        "innerError": {"request-id": f"{self.world.rng.getrandbits(64):016x}"},
                    }
                }
            ),
        )


class Planner(Skin):
    """Microsoft Graph Planner: weak tags compared as text."""

    id: ClassVar[str] = "graph-planner"
    body_tokens = True
    creates = False
    fronted = False
    servers = ("graph",)
    clients = ("requests", "dotnet", "axios")
    hosts = ("graph.microsoft.com",)
    update_method = "PATCH"
    weak_by_dialect = True
    missing_status = 400
    guards_creation = False

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.origin_url, self.patch, self.dates, self.answer, self.cache_control = (
            f"https://{self.host}",
            False,
            False,
            "bare",
            None,
        )
        self.writes = [("Prefer", "return=representation")] if world.rng.random() < 0.4 else []
        self.answer = "full" if self.writes else "bare"

    def url(self, key: str) -> str:
        """Return the URL of a task."""
        return f"{self.origin_url}/v1.0/planner/tasks/{key}"

    def tag(self, entry: Entry) -> str:
        """W/"JzEt…"."""
        text = base64.b64encode(
            f"'1-Task  @@@@@@@@@@@@@@@@@@@{opaque(entry, 'short', '')}'".encode()
        ).decode()
        return f'W/"{text}"'

    def validators(self, tag: str | None, modified: str | None) -> Fields:
        """No ETag field."""
        del tag, modified
        return []

    def content(self, entry: Entry, tag: str) -> str:
        """The task with @odata.etag."""
        return json.dumps(
            {
                "@odata.etag": tag,
                "id": entry.key,
                "planId": "xqQg5FS2LkCp935s",
                "title": "Task",
                **entry.document,
            }
        )

    def token_of(self, answer: Answer) -> str | None:
        """@odata.etag."""
        if (
            not isinstance(answer, Response)
            or not isinstance(answer.body, str)
            or "@odata.etag" not in answer.body
        ):
            return None
        return str(json.loads(answer.body)["@odata.etag"])

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412, 400 without a tag."""
        del condition, entry, tag
        texts = {
            "required": (400, "The If-Match header must be specified for this kind of request."),
            "malformed": (400, "The If-Match header contains an invalid value."),
        }
        status, text = texts.get(
            why,
            (
                412,
                "The If-Match header contains a stale value."
                if self.wording % 2
                else "A precondition failed: the resource was modified.",
            ),
        )
        return self.json_answer(
            status,
            json.dumps(
                {"error": {"code": "", "message": text, "innerError": {"date": "2026-04-01T10:00:00"}}}
            ),
        )


class Sap(Skin):
    """SAP Gateway: weak timestamps or counters, 428 without one, PATCH."""

    id: ClassVar[str] = "sap-odata"
    fronted = False
    servers = ("sap",)
    clients = ("java", "dotnet", "axios", "php")
    hosts = ("s4.erp.example", "my300.s4hana.example")
    update_method = "PATCH"
    weak_by_dialect = True
    always_requires = True

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.origin_url, self.patch, self.dates, self.answer, self.cache_control = (
            f"https://{self.host}",
            False,
            False,
            world.rng.choice(("bare", "tagged")),
            None,
        )
        self.counter = world.rng.random() < 0.4

    def url(self, key: str) -> str:
        """Return the URL of an entity."""
        return f"{self.origin_url}/sap/opu/odata/sap/API_{self.topic.noun.upper()}_SRV/A_{self.topic.noun.title()}('{key}')"

    def operation(self, request: Request) -> tuple[str, str]:
        """The key in the parentheses."""
        kind, key = super().operation(request)
        return kind, key.partition("('")[2].removesuffix("')")

    def tag(self, entry: Entry) -> str:
        """W/"'0007'" or W/"SADL-…"."""
        if self.counter:
            return f"W/\"'{entry.version:04d}{entry.salt}'\""
        return f'W/"SADL-02{int(entry.modified)}000C~{20260000 + entry.version}{entry.salt}"'

    def content(self, entry: Entry, tag: str) -> str:
        """The entity with its metadata."""
        return json.dumps({"d": {"__metadata": {"uri": self.url(entry.key), "etag": tag}, **entry.document}})

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412 or 428 with a message class."""
        del condition, entry, tag
        status, code, text = (
            (428, "SADL_ENTITY_RUNTIME/004", "The request is required to be conditional.")
            if why == "required"
            else (412, "/IWBEP/CM_MGW_RT/021", "Precondition failed")
        )
        if why == "malformed":
            status, code, text = 400, "/IWFND/CM_MGW/001", "Invalid ETag"
        return self.json_answer(
            status,
            json.dumps(
                {
                    "error": {
                        "code": code,
                        "message": {"lang": "en", "value": text},
                        "innererror": {"transactionid": f"{self.world.rng.getrandbits(64):016X}"},
                    }
                }
            ),
        )


class SharePoint(Skin):
    """SharePoint list items: MERGE by POST, tag of a number."""

    id: ClassVar[str] = "sharepoint"
    creates = False
    fronted = False
    demands = False
    servers = ("iis",)
    clients = ("dotnet", "undici", "requests", "chrome")
    hosts = ("acme.sharepoint.com",)
    update_method = "POST"
    guards_creation = False

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.origin_url, self.patch, self.dates, self.answer, self.cache_control = (
            f"https://{self.host}",
            False,
            False,
            "tagged",
            "private, max-age=0",
        )
        self.writes = [("X-HTTP-Method", "MERGE")]
        self.reads = [("Accept", "application/json;odata=nometadata")]

    def url(self, key: str) -> str:
        """Return the URL of an item."""
        return (
            f"{self.origin_url}/sites/ops/_api/web/lists/getbytitle('{self.topic.noun.title()}')/items({key})"
        )

    def new_key(self) -> str:
        """A number."""
        return str(self.world.rng.randrange(1, 9000))

    def operation(self, request: Request) -> tuple[str, str]:
        """The key in the last parentheses."""
        kind, key = super().operation(request)
        return kind, key.partition("items(")[2].removesuffix(")")

    def tag(self, entry: Entry) -> str:
        """Return the number in quotes."""
        return f'"{entry.version}{entry.salt}"'

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412."""
        del condition, entry, tag
        if why == "gone":
            return self.json_answer(
                404,
                '{"odata.error":{"code":"-2130575338, System.ArgumentException","message":{"lang":"en-US","value":"Item does not exist."}}}',
            )
        text = "The request ETag value does not match the object's ETag value."
        return self.json_answer(
            412,
            json.dumps(
                {
                    "odata.error": {
                        "code": "-1, Microsoft.SharePoint.Client.ClientServiceException",
                        "message": {"lang": "en-US", "value": text},
                    }
                }
            ),
        )
