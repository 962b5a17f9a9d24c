"""Hosted content: Contentful, Confluence, GitHub."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, ClassVar

from tools.simulation.store import Condition, opaque

if TYPE_CHECKING:
    from tools.simulation.kernel import World
    from tools.simulation.messages import Document, Request, Response
    from tools.simulation.store import Entry
from tools.simulation.dialects.versioned import Versioned


class Contentful(Versioned):
    """X-Contentful-Version."""

    id: ClassVar[str] = "contentful"
    creates = False
    fronted = False
    numeric_token = True
    servers = ("contentful",)
    clients = ("axios", "undici", "requests")
    hosts = ("api.contentful.com",)
    told_at = "sys.version"
    sent_field = "X-Contentful-Version"

    def url(self, key: str) -> str:
        """Return the URL of an entry."""
        return f"{self.origin_url}/spaces/s7kx/environments/master/entries/{key}"

    def whole(self, document: Document, key: str, tag: str) -> dict[str, object]:
        """The entry."""
        fields = {name: {"en-US": value} for name, value in document.items()}
        return {
            "sys": {
                "id": key,
                "type": "Entry",
                "version": int(tag) if tag.isdigit() else 0,
                "space": {"sys": {"id": "s7kx"}},
            },
            "fields": fields,
        }

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """409 VersionMismatch."""
        del condition, entry, tag
        message = "Please pass sys.version as HTTP header" if why == "required" else None
        body: dict[str, object] = {
            "sys": {"type": "Error", "id": "VersionMismatch"},
            "requestId": f"{self.world.rng.getrandbits(64):016x}",
        }
        if message:
            body["message"] = message
        if why == "malformed":
            return self.json_answer(
                400,
                json.dumps(
                    {
                        "sys": {"type": "Error", "id": "BadRequest"},
                        "message": "The X-Contentful-Version header must be a number",
                    }
                ),
            )
        return self.json_answer(409, json.dumps(body), "application/vnd.contentful.management.v1+json")


class Confluence(Versioned):
    """version.number in the body, one more than the current."""

    id: ClassVar[str] = "confluence"
    creates = False
    fronted = False
    servers = ("atlassian",)
    clients = ("requests", "go", "axios")
    hosts = ("acme.atlassian.net",)
    told_at = "version.number"
    sent_at = "version.number"
    step = 1
    missing_status = 400

    def url(self, key: str) -> str:
        """Return the URL of a page."""
        return f"{self.origin_url}/wiki/rest/api/content/{key}"

    def new_key(self) -> str:
        """A number."""
        return str(self.world.rng.randrange(10**6, 10**8))

    def whole(self, document: Document, key: str, tag: str) -> dict[str, object]:
        """The page."""
        text = "".join(f"<p>{name}: {value}</p>" for name, value in document.items())
        return {
            "id": key,
            "type": "page",
            "status": "current",
            "title": f"Runbook {key[-2:]}",
            "version": {"number": int(tag) if tag.isdigit() else 0},
            "body": {"storage": {"value": text, "representation": "storage"}},
        }

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """409 with the version that must be incremented; 400 without any."""
        del entry
        if why in {"required", "malformed"}:
            return self.json_answer(
                400,
                json.dumps(
                    {
                        "statusCode": 400,
                        "data": {"authorized": False, "valid": True, "errors": []},
                        "message": "Must supply an incremented version when updating Content. No version supplied.",
                    }
                ),
            )
        sent = int(condition.values[0]) + 1 if condition and condition.values else 0
        text = (
            f"Version must be incremented on update. Current version is: {tag}"
            if self.wording % 2
            else f"com.atlassian.confluence.api.service.exceptions.ConflictException: Attempted to update stale data, version {sent}"
        )
        return self.json_answer(
            409,
            json.dumps(
                {
                    "statusCode": 409,
                    "data": {"authorized": True, "valid": True, "errors": []},
                    "message": text,
                    "reason": "Conflict",
                }
            ),
        )


class GitHubContents(Versioned):
    """sha of the file in the body."""

    id: ClassVar[str] = "github-contents"
    creates = False
    fronted = False
    servers = ("github",)
    clients = ("requests", "axios", "go", "ruby")
    hosts = ("api.github.com",)
    told_at = "sha"
    sent_at = "sha"
    numeric = False
    missing_status = 422

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.reads = [("Accept", "application/vnd.github+json"), ("X-GitHub-Api-Version", "2022-11-28")]
        self.writes = list(self.reads)

    def url(self, key: str) -> str:
        """Return the URL of a file."""
        return f"{self.origin_url}/repos/acme/site/contents/data/{key}.json"

    def operation(self, request: Request) -> tuple[str, str]:
        """As REST, without the extension."""
        kind, key = super().operation(request)
        return kind, key.removesuffix(".json")

    def tag(self, entry: Entry) -> str:
        """The blob's sha."""
        return (opaque(entry, "sha1", json.dumps(entry.document)) * 2)[:40]

    def whole(self, document: Document, key: str, tag: str) -> dict[str, object]:
        """The file."""
        text = base64.b64encode(json.dumps(document).encode()).decode()
        return {
            "name": f"{key}.json",
            "path": f"data/{key}.json",
            "sha": tag,
            "size": len(text),
            "type": "file",
            "content": text,
            "encoding": "base64",
        }

    def sent(self, key: str, document: Document, token: str | None) -> str:
        """Message, content, sha."""
        body: dict[str, object] = {
            "message": f"Update {key}",
            "content": base64.b64encode(json.dumps(document).encode()).decode(),
            "branch": "main",
        }
        if token is not None:
            body["sha"] = token
        return json.dumps(body)

    def accepted(self, entry: Entry, tag: str | None, modified: str | None, *, created: bool) -> Response:
        """The file and its commit."""
        del modified
        whole = self.whole(entry.document, entry.key, tag or "")
        commit = opaque(entry, "sha1", "commit")
        body = {
            "content": {name: whole[name] for name in ("name", "path", "sha", "size")},
            "sha": tag,
            "commit": {"sha": (commit * 2)[:40], "message": f"Update {entry.key}"},
        }
        return self.json_answer(201 if created else 200, json.dumps(body))

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """409 'is at … but expected …'; 422 without sha."""
        if why == "required":
            return self.json_answer(
                422,
                json.dumps(
                    {
                        "message": 'Invalid request.\n\n"sha" wasn\'t supplied.',
                        "documentation_url": "https://docs.github.com/rest/repos/contents",
                    }
                ),
            )
        sent = condition.values[0] if condition and condition.values else ""
        name = f"data/{entry.key}.json" if entry else ""
        return self.json_answer(
            409,
            json.dumps(
                {
                    "message": f"{name} does not match {sent}"
                    if self.wording % 3 == 0
                    else f"is at {tag} but expected {sent}",
                    "documentation_url": "https://docs.github.com/rest/repos/contents",
                }
            ),
        )
