# mypy: ignore-errors
# ruff: noqa: ARG002, ARG005, E501, S324 - handlers are handed all that they may want, hashes keep no secret
"""Imitations of open platforms with versions or tags of their own, after their documentation."""

from __future__ import annotations

import copy
import hashlib
import time

from tools.recording_apis.apps.eva_core import Api, Req, Res, Row, Tagged, guid, iso


class Placement(Api):
    """OpenStack Placement: inventories under the generation of their provider."""

    def setup(self) -> None:
        """Name the routes."""
        self.on(
            "GET",
            "/resource_providers",
            lambda _req: Res(
                200,
                {
                    "resource_providers": [
                        {"uuid": key, "name": row.data["name"], "generation": row.rev}
                        for key, row in self.rows.items()
                    ]
                },
            ),
        )
        self.on(
            "GET",
            r"/resource_providers/(?P<key>[\w-]+)/inventories",
            lambda req, key: Res(200, self.shown(key)),
        )
        self.on("PUT", r"/resource_providers/(?P<key>[\w-]+)/inventories", self.change)

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        return {
            "OpenStack-API-Version": "placement 1.39",
            "Vary": "OpenStack-API-Version",
            "x-openstack-request-id": f"req-{guid('os', self.count)}",
        }

    def shown(self, key: str) -> dict[str, object]:
        """Return the inventories of a provider."""
        return {
            "inventories": self.rows[key].data["inventories"],
            "resource_provider_generation": self.rows[key].rev,
        }

    def change(self, req: Req, key: str) -> Res:
        """Answer a write."""
        if req.json["resource_provider_generation"] != self.rows[key].rev:
            said = "There was a conflict when trying to complete your request.\n\n resource provider generation conflict  "
            error = {
                "status": 409,
                "title": "Conflict",
                "detail": said,
                "code": "placement.concurrent_update",
                "request_id": f"req-{guid('os', self.count)}",
            }
            return Res(409, {"errors": [error]})
        self.store(key, {**self.rows[key].data, "inventories": req.json["inventories"]}, "me")
        return Res(200, self.shown(key))


class WikiPages(Api):
    """MediaWiki's REST interface: source, and the revision that an edit is based on."""

    def setup(self) -> None:
        """Name the routes."""
        root = r"/w/rest\.php/v1/page/(?P<key>\w+)"
        self.on("GET", root, lambda req, key: Res(200, {**self.bare(key), "source": self.rows[key].data}))
        self.on(
            "GET",
            rf"{root}/bare",
            lambda req, key: Res(200, {**self.bare(key), "html_url": f"/w/rest.php/v1/page/{key}/html"}),
        )
        self.on("GET", rf"{root}/history", lambda req, key: Res(200, {"revisions": self.history(key)}))
        self.on("PUT", root, self.change)

    def number(self, key: str, row: Row) -> int:
        """Return the number of a revision."""
        return 481200 + len(key) * 7 + row.rev * 13

    def bare(self, key: str) -> dict[str, object]:
        """Return what a page is."""
        row = self.rows[key]
        latest = {"id": self.number(key, row), "timestamp": iso(row.at)}
        return {
            "id": 600 + len(key),
            "key": key,
            "title": key.replace("_", " "),
            "latest": latest,
            "content_model": "wikitext",
        }

    def history(self, key: str) -> list[dict[str, object]]:
        """Return the revisions, newest first."""
        rows = [*self.rows[key].past, self.rows[key]]
        sizes = [0, *(len(row.data.encode()) for row in rows)]
        told = [
            {
                "id": self.number(key, row),
                "timestamp": iso(row.at),
                "minor": False,
                "size": sizes[place + 1],
                "comment": "",
                "user": {"name": row.by},
                "delta": sizes[place + 1] - sizes[place],
            }
            for place, row in enumerate(rows)
        ]
        return told[::-1]

    def change(self, req: Req, key: str) -> Res:
        """Answer an edit."""
        if req.json["latest"]["id"] != self.number(key, self.rows[key]):
            return Res(
                409,
                {
                    "messageTranslations": {"en": "Edit conflict"},
                    "httpCode": 409,
                    "httpReason": "Conflict",
                    "errorKey": "rest-edit-conflict",
                },
            )
        self.store(key, req.json["source"], self.who(req))
        return Res(200, {**self.bare(key), "source": self.rows[key].data})


class Sync(Api):
    """Firefox Sync: a collection that is guarded as a whole by its time."""

    def setup(self) -> None:
        """Name the routes."""
        self.latest = time.time() - 5000
        root = r"/1\.5/(?P<user>\d+)"
        self.on(
            "GET",
            rf"{root}/info/collections",
            lambda req, user: Res(
                200, {"bookmarks": round(self.latest, 2), "tabs": round(self.latest - 900, 2)}
            ),
        )
        self.on("GET", rf"{root}/storage/bookmarks", self.read)
        self.on("POST", rf"{root}/storage/bookmarks", self.post)

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        return {"X-Weave-Timestamp": f"{time.time():.2f}", "X-Last-Modified": f"{self.latest:.2f}"}

    def read(self, req: Req, user: str) -> Res:
        """Answer a read of objects, those that are newer if asked so."""
        newer = float(req.query.get("newer", 0))
        chosen = {key: row for key, row in self.rows.items() if round(row.at, 2) > newer}
        body = [{"id": key, "modified": round(row.at, 2), "payload": row.data} for key, row in chosen.items()]
        return Res(200, body, {"X-Weave-Records": str(len(body))})

    def post(self, req: Req, user: str) -> Res:
        """Answer a write of some objects."""
        since = req.fields.get("x-if-unmodified-since")
        if since is not None and float(since) < round(self.latest, 2):
            return Res(412, "0", {"Content-Type": "application/json"})
        for one in req.json:
            self.store(one["id"], one["payload"], "me")
        self.latest = time.time()
        return Res(
            200, {"modified": round(self.latest, 2), "success": [one["id"] for one in req.json], "failed": {}}
        )


class Records(Tagged):
    """An xAPI learning record store: profiles want a condition, state does not."""

    put_status = 204

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        return {"X-Experience-API-Version": "1.0.3", "X-Experience-API-Consistent-Through": iso(time.time())}

    def key(self, req: Req) -> str:
        """Return the key: the identifier of the document."""
        return f"{req.path}?{req.query.get('profileId') or req.query.get('stateId', '')}"

    def tag(self, key: str, row: Row) -> str:
        """Return the tag."""
        return f'"{row.digest("sha1")}"'

    def judge(self, req: Req, key: str, row: Row | None) -> str:
        """Return why a write is refused."""
        bare = "if-match" not in req.fields and "if-none-match" not in req.fields
        if req.method == "PUT" and "/profile" in req.path and bare and row is not None:
            return "missing"
        return super().judge(req, key, row)

    def refuse(self, req: Req, why: str, key: str, row: Row | None) -> Res:
        """Return a refusal."""
        if why == "missing":
            said = f"A document matching your query already exists, but the request did not include ETag headers. If you would like to override the document, provide the following header:: If-Match: {self.tag(key, row)}"
            return Res(409, said, {"Content-Type": "text/plain"})
        return Res(412, "ETag mismatch", {"Content-Type": "text/plain"})


class Remote(Tagged):
    """remoteStorage: documents of a user, with If-Match and If-None-Match as HTTP has them."""

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        return {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Expose-Headers": "ETag, Content-Type, Content-Length",
            "Cache-Control": "no-cache",
        }

    def tag(self, key: str, row: Row) -> str:
        """Return the tag."""
        return f'"{int(row.at * 1000)}"'

    def listing(self, req: Req, key: str, below: dict[str, Row]) -> Res:
        """Return a folder."""
        items = {
            one.removeprefix(key): {"ETag": self.tag(one, row).strip('"'), "Content-Type": "application/json"}
            for one, row in below.items()
        }
        return Res(
            200,
            {"@context": "http://remotestorage.io/spec/folder-description", "items": items},
            {"Content-Type": "application/ld+json"},
        )

    def refuse(self, req: Req, why: str, key: str, row: Row | None) -> Res:
        """Return a refusal."""
        return Res(412, b"", {"ETag": self.tag(key, row)} if row else {})


class Statistics(Tagged):
    """An SDMX registry: each message says when it was prepared, and the tag is made from the whole."""

    prepared = 0

    def shown(self, req: Req, key: str, row: Row) -> dict[str, object]:
        """Return a message."""
        self.prepared += 1
        meta = {
            "schema": "https://json.sdmx.org/2.0.0/sdmx-json-structure-schema.json",
            "id": f"IDREF{self.prepared + 840}",
            "test": False,
            "prepared": iso(time.time(), 3),
            "sender": {"id": "BNS"},
        }
        return {"meta": meta, "data": {"dataflows": [row.data]}}

    def read(self, req: Req) -> Res:
        """Answer a read."""
        row = self.rows.get(req.path)
        if row is None:
            return Res(404, {"errors": [{"code": 100, "title": "No results found"}]})
        body = Res(200, self.shown(req, req.path, row))
        body.fields = {
            "ETag": f'"{hashlib.md5(body.octets).hexdigest()}"',
            "Content-Type": "application/vnd.sdmx.structure+json; version=2.0",
        }
        if req.fields.get("if-none-match") == body.fields["ETag"]:
            return Res(304, b"", body.fields)
        return body

    def same(self, sent: str, key: str, row: Row) -> bool:
        """Return whether a tag is that of the message as it would be now."""
        return sent == f'"{hashlib.md5(Res(200, self.shown(None, key, row)).octets).hexdigest()}"'

    def refuse(self, req: Req, why: str, key: str, row: Row | None) -> Res:
        """Return a refusal."""
        return Res(
            412,
            {
                "errors": [
                    {"code": 150, "title": "Semantic error", "details": ["The structure has been changed"]}
                ]
            },
        )


class Davical(Tagged):
    """DAViCal: tags of calendar objects; the wildcard is taken for one."""

    put_status = 204

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        return {
            "DAV": "1, 2, 3, access-control, calendar-access, calendar-schedule, extended-mkcol",
            "X-DAViCal-Version": "DAViCal/1.1.12; DB/1.3.5",
        }

    def merged(self, req: Req, key: str, row: Row | None) -> str:
        """Return the new content."""
        return req.body.decode()

    def read(self, req: Req) -> Res:
        """Answer a read."""
        res = super().read(req)
        res.fields["Content-Type"] = 'text/calendar; component="vevent"; charset=utf-8'
        return res

    def listing(self, req: Req, key: str, below: dict[str, Row]) -> Res:
        """Return a calendar as a whole."""
        return Res(200, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n")

    def same(self, sent: str, key: str, row: Row) -> bool:
        """Return whether what was sent is the tag, letter by letter."""
        return sent == self.tag(key, row)

    def refuse(self, req: Req, why: str, key: str, row: Row | None) -> Res:
        """Return a refusal."""
        own = self.tag(key, row) if row else ""
        sent = req.fields.get("if-match") or req.fields.get("if-none-match")
        said = f'<?xml version="1.0" encoding="utf-8" ?>\n<error xmlns="DAV:"><precondition-failed/>Existing resource ETag of &lt;&lt;{own}&gt;&gt; does not match &lt;&lt;{sent}&gt;&gt;</error>'
        return Res(412, said, {"Content-Type": "application/xml; charset=utf-8"})


class Entities(Tagged):
    """Spring Data REST: If-Unmodified-Since is looked at when the entity has been saved."""

    dates = True

    def marks(self, key: str, row: Row) -> dict[str, str]:
        """Return the validators: dates only."""
        return {
            "Last-Modified": super().marks(key, row)["Last-Modified"],
            "Content-Type": "application/hal+json",
        }

    def shown(self, req: Req, key: str, row: Row) -> dict[str, object]:
        """Return an entity."""
        return {**row.data, "_links": {"self": {"href": f"http://{req.fields['host']}{key}"}}}

    def listing(self, req: Req, key: str, below: dict[str, Row]) -> Res:
        """Return a page of entities."""
        return Res(
            200,
            {
                "_embedded": {
                    key.rpartition("/")[2]: [self.shown(req, one, row) for one, row in below.items()]
                },
                "page": {"size": 20, "totalElements": len(below)},
            },
            {"Content-Type": "application/hal+json"},
        )

    def write(self, req: Req) -> Res:
        """Answer a write: first save, then judge."""
        since = req.fields.pop("if-unmodified-since", None)
        res = super().write(req)
        if since and res.status < 300 and not self.unchanged(since, self.rows[req.path]):
            return Res(412, b"")
        return res


class Catalogue(Api):
    """An Iceberg REST catalogue: requirements are looked at, then the commit takes its time."""

    seconds = 0.35

    def setup(self) -> None:
        """Name the routes."""
        self.on("GET", "/v1/config", lambda _req: Res(200, {"defaults": {}, "overrides": {"prefix": ""}}))
        self.on(
            "GET",
            r"/v1/namespaces/(?P<space>\w+)/tables",
            lambda req, space: Res(
                200, {"identifiers": [{"namespace": [space], "name": key} for key in self.rows]}
            ),
        )
        root = r"/v1/namespaces/(?P<space>\w+)/tables/(?P<key>\w+)"
        self.on("GET", root, lambda req, space, key: Res(200, self.shown(key)))
        self.on("POST", root, self.commit)

    def shown(self, key: str) -> dict[str, object]:
        """Return a table's metadata."""
        row = self.rows[key]
        return {
            "metadata-location": f"s3://lake/{key}/metadata/{row.rev:05}-{guid(key, row.rev)}.metadata.json",
            "metadata": row.data,
        }

    def commit(self, req: Req, space: str, key: str) -> Res:
        """Answer a commit."""
        base = copy.deepcopy(self.rows[key].data)
        wanted = req.json["requirements"][0]["snapshot-id"]
        if base["current-snapshot-id"] != wanted:
            said = f"Requirement failed: branch main has changed: expected id {wanted} != {base['current-snapshot-id']}"
            return Res(409, {"error": {"message": said, "type": "CommitFailedException", "code": 409}})
        time.sleep(self.seconds)
        added = req.json["updates"][0]["snapshot"]
        snapshots = [*base["snapshots"], {**added, "timestamp-ms": int(time.time() * 1000)}]
        self.store(
            key,
            {
                **base,
                "current-snapshot-id": added["snapshot-id"],
                "snapshots": snapshots,
                "last-updated-ms": int(time.time() * 1000),
            },
            "me",
        )
        return Res(200, self.shown(key))


class Clinic(Tagged):
    """Canvas Medical: dates only, and a stored time with microseconds that they are compared with."""

    dates = True
    put_status = 200

    def marks(self, key: str, row: Row) -> dict[str, str]:
        """Return the validators: dates only."""
        return {
            "Last-Modified": super().marks(key, row)["Last-Modified"],
            "Content-Type": "application/fhir+json",
        }

    def shown(self, req: Req, key: str, row: Row) -> dict[str, object]:
        """Return a resource."""
        return {
            "resourceType": key.split("/")[1],
            "id": key.rpartition("/")[2],
            "meta": {"versionId": str(row.rev), "lastUpdated": iso(row.at, 6).replace("Z", "+00:00")},
            **row.data,
        }

    def listing(self, req: Req, key: str, below: dict[str, Row]) -> Res:
        """Return a bundle."""
        return Res(
            200,
            {
                "resourceType": "Bundle",
                "type": "searchset",
                "total": len(below),
                "entry": [{"resource": self.shown(req, one, row)} for one, row in below.items()],
            },
        )

    def unchanged(self, since: str, row: Row) -> bool:
        """Return whether the stored time, with its fraction, is no later than a date."""
        from email.utils import parsedate_to_datetime  # noqa: PLC0415 - beside its only use

        return row.at <= parsedate_to_datetime(since).timestamp()

    def merged(self, req: Req, key: str, row: Row | None) -> dict[str, object]:
        """Return the new content."""
        return {name: value for name, value in req.json.items() if name not in {"resourceType", "id", "meta"}}

    def refuse(self, req: Req, why: str, key: str, row: Row | None) -> Res:
        """Return a refusal."""
        return Res(
            412,
            {
                "resourceType": "OperationOutcome",
                "issue": [
                    {
                        "severity": "error",
                        "code": "conflict",
                        "details": {
                            "text": "Resource has been modified since the date in If-Unmodified-Since"
                        },
                    }
                ],
            },
        )
