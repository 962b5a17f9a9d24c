# mypy: ignore-errors
# ruff: noqa: ARG002, ARG005, E501, S324 - handlers are handed all that they may want, hashes keep no secret
"""Imitations of products that people run themselves, or that stand behind web servers, after their documentation."""

from __future__ import annotations

import hashlib
import json
import time

from tools.recording_apis.apps.eva_core import Api, Req, Res, Row, Tagged, guid, iso


class Eve(Tagged):
    """Python Eve: ``_etag`` in the content, and If-Match required."""

    need = True
    dates = True

    def tag(self, key: str, row: Row) -> str:
        """Return the tag."""
        return f'"{row.digest("sha1")}"'

    def shown(self, req: Req, key: str, row: Row) -> dict[str, object]:
        """Return a document."""
        made = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(row.at))
        links = {
            "self": {"title": key.split("/")[1], "href": key[1:]},
            "parent": {"title": "home", "href": "/"},
        }
        return {"_id": key.rsplit("/", 1)[1], **row.data, "_updated": made, "_created": made, "_links": links}

    def listing(self, req: Req, key: str, below: dict[str, Row]) -> Res:
        """Return a list."""
        return Res(
            200,
            {
                "_items": [self.shown(req, one, row) for one, row in below.items()],
                "_meta": {"page": 1, "max_results": 25, "total": len(below)},
            },
        )

    def refuse(self, req: Req, why: str, key: str, row: Row | None) -> Res:
        """Return a refusal."""
        if why == "missing":
            return Res(
                428,
                {
                    "_status": "ERR",
                    "_error": {
                        "code": 428,
                        "message": "To edit a document its etag must be provided using the If-Match header",
                    },
                },
            )
        return Res(
            412, {"_status": "ERR", "_error": {"code": 412, "message": "Client and server etags don't match"}}
        )

    def written(self, req: Req, key: str, row: Row, made: bool) -> Res:
        """Return the answer to a write."""
        return Res(201 if made else 200, {"_status": "OK", **self.shown(req, key, row)}, self.marks(key, row))


class SyncDocuments(Api):
    """Twilio Sync: documents with revisions; a form carries the data."""

    def setup(self) -> None:
        """Name the routes."""
        root = r"/v1/Services/(?P<service>IS\w+)/Documents"
        self.on(
            "GET",
            root,
            lambda req, service: Res(
                200, {"documents": [self.shown(key, service) for key in self.rows], "meta": {"page": 0}}
            ),
        )
        self.on("GET", rf"{root}/(?P<key>\w+)", lambda req, service, key: Res(200, self.shown(key, service)))
        self.on("POST", rf"{root}/(?P<key>\w+)", self.change)

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        return {
            "Twilio-Request-Id": "RQ" + guid("tw", self.count).replace("-", ""),
            "Twilio-Concurrent-Requests": "1",
            "X-API-Domain": "sync.twilio.com",
        }

    def revision(self, key: str) -> str:
        """Return the revision."""
        return f"{self.rows[key].rev + 9:x}"

    def shown(self, key: str, service: str) -> dict[str, object]:
        """Return a document."""
        row = self.rows[key]
        return {
            "sid": "ET" + hashlib.md5(key.encode()).hexdigest(),
            "unique_name": key,
            "service_sid": service,
            "revision": self.revision(key),
            "data": row.data,
            "date_updated": iso(row.at, 3),
            "created_by": "system",
        }

    def change(self, req: Req, service: str, key: str) -> Res:
        """Answer a write."""
        sent = req.fields.get("if-match")
        if sent is not None and sent.strip('"') != self.revision(key):
            said = "The revision of the Document does not match the expected revision"
            return Res(
                412,
                {
                    "code": 54103,
                    "message": said,
                    "more_info": "https://www.twilio.com/docs/errors/54103",
                    "status": 412,
                },
            )
        self.store(key, json.loads(dict(_form(req))["Data"]), self.who(req))
        return Res(200, self.shown(key, service))


def _form(req: Req) -> list[tuple[str, str]]:
    from urllib.parse import parse_qsl  # noqa: PLC0415 - beside its only use

    return parse_qsl(req.body.decode())


class Wikibase(Api):
    """Wikibase's REST interface: an item's tag is its revision, its labels are written one by one."""

    def setup(self) -> None:
        """Name the routes."""
        root = r"/w/rest\.php/wikibase/v1/entities/items/(?P<key>Q\d+)"
        self.on("GET", root, self.read)
        self.on("PUT", rf"{root}/labels/(?P<language>\w+)", self.label)
        self.on("GET", rf"{root}/labels", self.labels)

    def mark(self, key: str) -> str:
        """Return the tag."""
        return f'"{1276705600 + int(key[1:]) + self.rows[key].rev * 311}"'

    def fields(self, key: str) -> dict[str, str]:
        """Return the fields of an answer about an item."""
        moment = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(self.rows[key].at))
        return {"ETag": self.mark(key), "Last-Modified": moment, "X-Authenticated-User": "Kartograf"}

    def read(self, req: Req, key: str) -> Res:
        """Answer a read."""
        return Res(
            200, {"type": "item", "id": key, **self.rows[key].data, "statements": {}}, self.fields(key)
        )

    def labels(self, req: Req, key: str) -> Res:
        """Answer a read of the labels."""
        return Res(200, self.rows[key].data["labels"], self.fields(key))

    def label(self, req: Req, key: str, language: str) -> Res:
        """Answer a write of one label."""
        sent = req.fields.get("if-match")
        if sent not in {None, "*", self.mark(key)}:
            return Res(
                412,
                {
                    "errorKey": "rest-precondition-failed",
                    "httpCode": 412,
                    "httpReason": "Precondition Failed",
                },
            )
        data = self.rows[key].data
        self.store(key, {**data, "labels": {**data["labels"], language: req.json["label"]}}, "me")
        return Res(
            200,
            json.dumps(req.json["label"], ensure_ascii=False),
            {**self.fields(key), "Content-Type": "application/json"},
        )


class Scim(Tagged):
    """SCIM users with weak versions; a reader may lag behind."""

    weak = True
    behind = 0.0

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        return {"Content-Type": "application/scim+json", "X-Request-Id": guid("scim", self.count)}

    def tag(self, key: str, row: Row) -> str:
        """Return the tag."""
        return f'W/"{hashlib.sha1(f"{key}{row.rev}".encode()).hexdigest()[:16]}"'

    def shown(self, req: Req, key: str, row: Row) -> dict[str, object]:
        """Return a user."""
        meta = {
            "resourceType": "User",
            "lastModified": iso(row.at, 3),
            "version": self.tag(key, row),
            "location": f"https://id.verein.example{key}",
        }
        return {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": key.rsplit("/", 1)[1],
            **row.data,
            "meta": meta,
        }

    def listing(self, req: Req, key: str, below: dict[str, Row]) -> Res:
        """Return a list."""
        return Res(
            200,
            {
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
                "totalResults": len(below),
                "Resources": [self.shown(req, one, row) for one, row in below.items()],
            },
        )

    def merged(self, req: Req, key: str, row: Row | None) -> dict[str, object]:
        """Return the new content."""
        if req.method != "PATCH" or row is None:
            return super().merged(req, key, row)
        return {**row.data, **{one["path"]: one["value"] for one in req.json["Operations"]}}

    def refuse(self, req: Req, why: str, key: str, row: Row | None) -> Res:
        """Return a refusal."""
        return Res(
            412,
            {
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
                "detail": "Failed to update. Resource changed on the server.",
                "status": "412",
            },
        )

    def lagging(self, seconds: float) -> Scim:
        """Return a reader that sees what was there so long ago."""
        reader = Scim({})
        plain = Scim.read

        def read(req: Req) -> Res:
            limit = time.time() - seconds
            reader.rows = {
                key: next((one for one in reversed([*row.past, row]) if one.at <= limit), row)
                for key, row in self.rows.items()
            }
            return plain(reader, req)

        reader.routes.clear()
        reader.on("GET HEAD", ".*", read)
        return reader


class Arango(Tagged):
    """ArangoDB: documents under ``_rev``."""

    slow: dict[str, float]
    put_status = 201

    def setup(self) -> None:
        """Name the routes; nothing is slow yet."""
        super().setup()
        self.slow = {}

    def tag(self, key: str, row: Row) -> str:
        """Return the tag."""
        return f'"_{hashlib.sha1(f"{key}{row.rev}{row.at}".encode()).hexdigest()[:9]}--_"'

    def shown(self, req: Req, key: str, row: Row) -> dict[str, object]:
        """Return a document."""
        place = key.removeprefix("/_db/hof/_api/document/")
        return {
            "_key": place.rpartition("/")[2],
            "_id": place,
            "_rev": self.tag(key, row).strip('"'),
            **row.data,
        }

    def merged(self, req: Req, key: str, row: Row | None) -> dict[str, object]:
        """Return the new content."""
        base = row.data if req.method == "PATCH" and row else {}
        return {**base, **{name: value for name, value in req.json.items() if not name.startswith("_")}}

    def refuse(self, req: Req, why: str, key: str, row: Row | None) -> Res:
        """Return a refusal."""
        told = {name: value for name, value in self.shown(req, key, row).items() if name.startswith("_")}
        return Res(
            412,
            {
                "error": True,
                "errorNum": 1200,
                "code": 412,
                "errorMessage": "conflict, _rev values do not match",
                **told,
            },
        )

    def written(self, req: Req, key: str, row: Row, made: bool) -> Res:
        """Return the answer to a write, after a while if the document is slow."""
        res = super().written(req, key, row, made)
        res.body = {
            **{name: value for name, value in res.body.items() if name.startswith("_")},
            "_oldRev": "_old",
        }
        return res

    def write(self, req: Req) -> Res:
        """Answer a write."""
        res = super().write(req)
        if res.status < 300:
            time.sleep(self.slow.pop(req.path, 0.0))
        return res


class Trellis(Tagged):
    """Trellis: linked data that wants a precondition with each change."""

    need = True
    dates = True
    put_status = 204

    def tag(self, key: str, row: Row) -> str:
        """Return the tag."""
        return f'"{row.digest("sha256")[:40]}"'

    def media(self, key: str) -> str:
        """Return the media type."""
        return "image/svg+xml" if key.endswith(".svg") else "text/turtle"

    def marks(self, key: str, row: Row) -> dict[str, str]:
        """Return the fields of an answer about a resource."""
        links = '<http://www.w3.org/ns/ldp#RDFSource>; rel="type"'
        return {
            **super().marks(key, row),
            "Link": links,
            "Allow": "GET,HEAD,OPTIONS,PATCH,PUT,DELETE",
            "Content-Type": self.media(key),
        }

    def merged(self, req: Req, key: str, row: Row | None) -> str:
        """Return the new content."""
        return req.body.decode()

    def listing(self, req: Req, key: str, below: dict[str, Row]) -> Res:
        """Return a container."""
        members = ", ".join(f"<http://trellis.internal:8080{one}>" for one in below)
        return Res(
            200,
            f"<> a <http://www.w3.org/ns/ldp#Container> ; <http://www.w3.org/ns/ldp#contains> {members} .\n",
            {"Content-Type": "text/turtle"},
        )

    def refuse(self, req: Req, why: str, key: str, row: Row | None) -> Res:
        """Return a refusal."""
        if why == "missing":
            return Res(428, {"code": 428, "message": "HTTP 428 Precondition Required"})
        return Res(412, {"code": 412, "message": "HTTP 412 Precondition Failed"})


class Invenio(Tagged):
    """InvenioRDM: drafts of records; the tag is the revision."""

    def tag(self, key: str, row: Row) -> str:
        """Return the tag."""
        return f'"{row.rev}"'

    def shown(self, req: Req, key: str, row: Row) -> dict[str, object]:
        """Return a draft."""
        pid = key.split("/")[3]
        links = {"self": f"/api/records/{pid}/draft", "publish": f"/api/records/{pid}/draft/actions/publish"}
        return {
            "id": pid,
            "revision_id": row.rev,
            "updated": iso(row.at, 6).replace("Z", "+00:00"),
            "links": links,
            "metadata": row.data,
            "status": "draft",
        }

    def listing(self, req: Req, key: str, below: dict[str, Row]) -> Res:
        """Return a list."""
        hits = [self.shown(req, one, row) for one, row in below.items()]
        return Res(200, {"hits": {"hits": hits, "total": len(hits)}, "sortBy": "newest"})

    def merged(self, req: Req, key: str, row: Row | None) -> dict[str, object]:
        """Return the new content."""
        return req.json["metadata"]

    def refuse(self, req: Req, why: str, key: str, row: Row | None) -> Res:
        """Return a refusal."""
        return Res(412, {"status": 412, "message": "Revision id provided doesn't match record's one."})


class Packages(Api):
    """An npm registry: packuments with ``_rev``; ``write=true`` asks past what caches hold."""

    def setup(self) -> None:
        """Name the routes."""
        self.on("GET", r"/(?P<name>[\w@.-]+)", self.read)
        self.on("PUT", r"/(?P<name>[\w@.-]+)/-rev/(?P<rev>[\w-]+)", self.write)
        self.on("GET", "/-/whoami", lambda _req: Res(200, {"username": "keramik"}))

    def rev(self, name: str) -> str:
        """Return the revision."""
        return f"{self.rows[name].rev}-{hashlib.md5(f'{name}{self.rows[name].rev}'.encode()).hexdigest()}"

    def read(self, req: Req, name: str) -> Res:
        """Answer a read."""
        if name not in self.rows:
            return Res(404, {"error": "Not found"})
        mark = f'"{hashlib.md5(self.rev(name).encode()).hexdigest()}"'
        keeps = "no-store" if req.query.get("write") else "public, max-age=300"
        fields = {"ETag": mark, "Cache-Control": keeps, "Vary": "Accept-Encoding, Accept"}
        if req.fields.get("if-none-match") == mark:
            return Res(304, b"", fields)
        return Res(200, {"_id": name, "_rev": self.rev(name), "name": name, **self.rows[name].data}, fields)

    def write(self, req: Req, name: str, rev: str) -> Res:
        """Answer a write."""
        if rev != self.rev(name) or req.json.get("_rev") != rev:
            return Res(
                409,
                {
                    "error": "Failed to save packument. A common cause is if you try to publish a new package before the previous package has been fully processed."
                },
            )
        self.store(
            name, {key: value for key, value in req.json.items() if key not in {"_id", "_rev", "name"}}, "me"
        )
        return Res(200, {"ok": "updated package", "success": True})
