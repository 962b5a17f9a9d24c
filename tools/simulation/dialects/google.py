"""Google's own ways: fingerprints, policies, people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from tools.simulation.messages import Request, Response
from tools.simulation.store import Condition, opaque

if TYPE_CHECKING:
    from tools.simulation.messages import Document
    from tools.simulation.skin import Skin
    from tools.simulation.store import Entry
from tools.simulation.dialects.versioned import Versioned


class Compute(Versioned):
    """Google Compute: a fingerprint in the body, 412 conditionNotMet."""

    id: ClassVar[str] = "gcp-compute"
    creates = False
    fronted = False
    servers = ("esf",)
    clients = ("terraform", "go", "requests")
    hosts = ("compute.googleapis.com",)
    told_at = "fingerprint"
    sent_at = "fingerprint"
    numeric = False
    mismatch_status = 412
    missing_status = 412

    def url(self, key: str) -> str:
        """Return the URL of a resource."""
        return f"{self.origin_url}/compute/v1/projects/acme/global/urlMaps/{key}"

    def tag(self, entry: Entry) -> str:
        """Eight octets in base64."""
        return opaque(entry, "base64", json.dumps(entry.document))[:11] + "="

    def whole(self, document: Document, key: str, tag: str) -> dict[str, object]:
        """The resource."""
        return {
            "kind": "compute#urlMap",
            "id": "6211",
            "name": key,
            "fingerprint": tag,
            "hostRules": [],
            "labels": {name: str(value) for name, value in document.items()},
        }

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412."""
        del condition, entry, tag
        text = "Fingerprint is required for this request." if why == "required" else "Invalid fingerprint."
        if why == "mismatch" and self.wording % 2:
            text = "Supplied fingerprint does not match current metadata fingerprint."
        return _google(self, 412, "conditionNotMet", text)


class IamPolicy(Versioned):
    """Google IAM: policy.etag in setIamPolicy, 409 ABORTED."""

    id: ClassVar[str] = "gcp-iam"
    creates = False
    fronted = False
    demands = False
    servers = ("esf",)
    clients = ("terraform", "go", "requests")
    hosts = ("cloudresourcemanager.googleapis.com", "iam.googleapis.com")
    told_at = "etag"
    sent_at = "policy.etag"
    numeric = False

    def url(self, key: str) -> str:
        """Return the URL of a project's policy."""
        return f"{self.origin_url}/v1/projects/{key}:setIamPolicy"

    def read(self, key: str) -> Request:
        """GetIamPolicy."""
        return Request(
            "POST", self.url(key).replace("setIam", "getIam"), [("Content-Type", "application/json")], "{}"
        )

    def operation(self, request: Request) -> tuple[str, str]:
        """By the verb at the end."""
        key = request.url.rsplit("/", 1)[-1].partition(":")[0]
        return ("read" if "getIamPolicy" in request.url else "write"), key

    def condition(self, request: Request) -> Condition | None:
        """policy.etag."""
        return None if "getIamPolicy" in request.url else super().condition(request)

    def tag(self, entry: Entry) -> str:
        """Return what looks like BwV."""
        return "BwY" + opaque(entry, "base64", "")[:8] + "="

    def whole(self, document: Document, key: str, tag: str) -> dict[str, object]:
        """The policy."""
        del key
        members = [f"user:{name}-{value}@example.test".replace(" ", "") for name, value in document.items()]
        return {"version": 1, "etag": tag, "bindings": [{"role": "roles/viewer", "members": members}]}

    def write(self, key: str, document: Document, token: str | None, base: Document | None = None) -> Request:
        """SetIamPolicy."""
        del base
        policy = self.whole(document, key, token or "")
        if token is None:
            policy.pop("etag")
        return Request(
            "POST",
            self.url(key),
            [("Content-Type", "application/json")],
            json.dumps({"policy": policy}),
            dict(document),
        )

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """409 ABORTED with both tags."""
        del entry
        sent = condition.values[0] if condition and condition.values else ""
        text = f"There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff. The request's ETag '{sent}' did not match the current policy's ETag '{tag}'."
        del why
        body = {"error": {"code": 409, "message": text, "status": "ABORTED"}}
        return self.json_answer(409, json.dumps(body, indent=2), "application/json; charset=UTF-8")


class People(Versioned):
    """Google People: etag in the body, 400 failedPrecondition."""

    id: ClassVar[str] = "google-people"
    creates = False
    fronted = False
    servers = ("esf",)
    clients = ("requests", "php", "go")
    hosts = ("people.googleapis.com",)
    told_at = "etag"
    sent_at = "etag"
    numeric = False
    mismatch_status = 400
    missing_status = 400

    def url(self, key: str) -> str:
        """Return the URL of a contact."""
        return f"{self.origin_url}/v1/people/{key}"

    def read(self, key: str) -> Request:
        """With the fields wanted."""
        return Request("GET", self.url(key) + "?personFields=names,phoneNumbers")

    def write(self, key: str, document: Document, token: str | None, base: Document | None = None) -> Request:
        """PATCH :updateContact."""
        request = super().write(key, document, token, base)
        request.method, request.url = (
            "PATCH",
            self.url(key) + ":updateContact?updatePersonFields=names,phoneNumbers",
        )
        return request

    def operation(self, request: Request) -> tuple[str, str]:
        """The key before the colon."""
        kind, key = super().operation(request)
        return kind, key.partition(":")[0]

    def tag(self, entry: Entry) -> str:
        """Return an opaque tag that begins with a percent sign."""
        return "%EgUBAgkuNxoEAQIFByIM" + opaque(entry, "base64", "")[:14] + "="

    def whole(self, document: Document, key: str, tag: str) -> dict[str, object]:
        """The person."""
        return {
            "resourceName": f"people/{key}",
            "etag": tag,
            "names": [{"displayName": str(value)} for value in document.values()][:1],
            "userDefined": [{"key": name, "value": str(value)} for name, value in document.items()],
        }

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """400."""
        del condition, entry, tag
        text = (
            "Request must set person.etag or person.metadata.sources.etag for the source that is being updated."
            if why == "required"
            else "Request person.etag is different than the current person.etag. Clear local cache and get the latest person."
        )
        body = {
            "error": {
                "code": 400,
                "message": text,
                "status": "FAILED_PRECONDITION" if why == "mismatch" else "INVALID_ARGUMENT",
            }
        }
        return self.json_answer(400, json.dumps(body, indent=2), "application/json; charset=UTF-8")


def _google(skin: Skin, status: int, reason: str, text: str) -> Response:
    error = {
        "message": text,
        "domain": "global",
        "reason": reason,
        "location": "If-Match",
        "locationType": "header",
    }
    return skin.json_answer(
        status,
        json.dumps({"error": {"code": status, "message": text, "errors": [error]}}, indent=1),
        "application/json; charset=UTF-8",
    )
