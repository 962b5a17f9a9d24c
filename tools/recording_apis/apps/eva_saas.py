# mypy: ignore-errors
# ruff: noqa: ARG002, ARG005, E501, S324 - handlers are handed all that they may want, hashes keep no secret
"""Imitations of services that companies rent, after their documentation."""

from __future__ import annotations

import hashlib
import time

from tools.recording_apis.apps.eva_core import Api, Req, Res, Row, Tagged, guid, iso


class Sanity(Api):
    """Sanity's content lake: mutations with ``ifRevisionID``; storing takes a while."""

    seconds = 0.28

    def setup(self) -> None:
        """Name the routes."""
        root = r"/v2024-01-01/data"
        self.on(
            "GET",
            rf"{root}/doc/production/(?P<key>[\w.-]+)",
            lambda req, key: Res(200, {"documents": [self.shown(key)], "omitted": []}),
        )
        self.on(
            "GET",
            rf"{root}/query/production",
            lambda _req: Res(200, {"query": "*", "ms": 6, "result": [{"_id": key} for key in self.rows]}),
        )
        self.on("POST", rf"{root}/mutate/production", self.mutate)

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        return {
            "sanity-shard": "gcp-eu-w1-01-prod-1024",
            "x-sanity-shard": "gcp-eu-w1-01-prod-1024",
            "xkey": "project-k7l2v9qp, project-k7l2v9qp-production",
            "Content-Type": "application/json; charset=utf-8",
        }

    def rev(self, key: str) -> str:
        """Return the revision."""
        return guid("rev", key, self.rows[key].rev).replace("-", "")[:22]

    def shown(self, key: str) -> dict[str, object]:
        """Return a document."""
        row = self.rows[key]
        return {"_id": key, "_type": "recipe", "_rev": self.rev(key), "_updatedAt": iso(row.at), **row.data}

    def mutate(self, req: Req) -> Res:
        """Answer mutations."""
        patch = req.json["mutations"][0]["patch"]
        key, sent = patch["id"], patch.get("ifRevisionID")
        with self.lock:
            if sent not in {None, self.rev(key)}:
                said = f'document "{key}" has unexpected revision ID ("{self.rev(key)}"), expected "{sent}"'
                item = {
                    "index": 0,
                    "error": {
                        "id": key,
                        "type": "documentRevisionIDDoesNotMatchError",
                        "description": said,
                        "currentRevisionID": self.rev(key),
                        "expectedRevisionID": sent,
                    },
                }
                return Res(
                    409,
                    {
                        "error": {
                            "description": f"The mutation(s) failed: {said}",
                            "type": "mutationError",
                            "items": [item],
                        }
                    },
                )
            self.store(key, {**self.rows[key].data, **patch["set"]}, "me")
            done = {
                "transactionId": self.rev(key),
                "results": [{"id": key, "operation": "update", "document": self.shown(key)}],
            }
        time.sleep(self.seconds)
        return Res(200, done)


class Tickets(Api):
    """Zendesk: tickets, whose updates are guarded only if one asks for it."""

    def setup(self) -> None:
        """Name the routes."""
        self.log: dict[str, list[dict[str, object]]] = {}
        self.on(
            "GET",
            r"/api/v2/tickets\.json",
            lambda _req: Res(
                200,
                {
                    "tickets": [self.shown(key) for key in self.rows],
                    "next_page": None,
                    "count": len(self.rows),
                },
            ),
        )
        self.on(
            "GET",
            r"/api/v2/tickets/(?P<key>\d+)\.json",
            lambda req, key: Res(200, {"ticket": self.shown(key)}),
        )
        self.on(
            "GET",
            r"/api/v2/tickets/(?P<key>\d+)/audits\.json",
            lambda req, key: Res(200, {"audits": self.log.get(key, []), "count": len(self.log.get(key, []))}),
        )
        self.on("PUT", r"/api/v2/tickets/(?P<key>\d+)\.json", self.change)

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        return {
            "X-Zendesk-Zorg": "yes",
            "X-Rate-Limit": "700",
            "X-Rate-Limit-Remaining": str(700 - self.count),
            "Cache-Control": "max-age=0, private, must-revalidate",
            "Content-Type": "application/json; charset=utf-8",
        }

    def shown(self, key: str) -> dict[str, object]:
        """Return a ticket."""
        row = self.rows[key]
        return {
            "id": int(key),
            "url": f"https://tuin.zendesk.example/api/v2/tickets/{key}.json",
            **row.data,
            "updated_at": iso(row.at),
        }

    def change(self, req: Req, key: str) -> Res:
        """Answer an update."""
        asked = req.json["ticket"]
        with self.lock:
            if asked.pop("safe_update", False) and asked.get("updated_stamp") != iso(self.rows[key].at):
                return Res(
                    409,
                    {
                        "error": "UpdateConflict",
                        "description": "Safe Update prevented the update due to outdated ticket data. Please fetch the latest ticket data and try again.",
                    },
                )
            asked.pop("updated_stamp", None)
            old = self.rows[key].data
            events = [
                {"type": "Change", "field_name": name, "previous_value": old.get(name), "value": value}
                for name, value in asked.items()
            ]
            self.store(key, {**old, **asked}, self.who(req))
            who = int(hashlib.md5(self.who(req).encode()).hexdigest()[:6], 16)
            audit = {
                "id": 90210 + self.count,
                "created_at": iso(time.time()),
                "author_id": who,
                "events": events,
            }
            self.log.setdefault(key, []).append(audit)
            return Res(200, {"ticket": self.shown(key), "audit": audit})


class Estates(Tagged):
    """Reapit Foundations: the tag with its quotes is wanted, and shown as ``_eTag``."""

    put_status = 204

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        return {
            "reapit-request-id": guid("rp", self.count),
            "api-supported-versions": "2020-01-31",
            "Content-Type": "application/json; charset=utf-8",
        }

    def tag(self, key: str, row: Row) -> str:
        """Return the tag."""
        return f'"{hashlib.md5(f"{key}{row.rev}".encode()).hexdigest().upper()}"'

    def shown(self, req: Req, key: str, row: Row) -> dict[str, object]:
        """Return a thing."""
        return {
            "id": key.rpartition("/")[2],
            "modified": iso(row.at),
            **row.data,
            "_eTag": self.tag(key, row),
            "_links": {"self": {"href": key}},
        }

    def listing(self, req: Req, key: str, below: dict[str, Row]) -> Res:
        """Return a list."""
        return Res(
            200,
            {
                "_embedded": [self.shown(req, one, row) for one, row in below.items()],
                "pageNumber": 1,
                "totalCount": len(below),
            },
        )

    def refuse(self, req: Req, why: str, key: str, row: Row | None) -> Res:
        """Return a refusal."""
        return Res(
            412,
            {
                "statusCode": 412,
                "dateTime": iso(time.time(), 7),
                "description": "The ETag provided in the If-Match header does not match the current ETag of the resource",
            },
        )


class Force(Tagged):
    """Salesforce: account rows with tags and dates."""

    dates = True
    put_status = 204

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        return {
            "Sforce-Limit-Info": f"api-usage={118 + self.count}/15000",
            "Cache-Control": "no-cache,must-revalidate,max-age=0,no-store,private",
        }

    def tag(self, key: str, row: Row) -> str:
        """Return the tag."""
        return f'"{hashlib.md5(f"{key}{row.rev}".encode()).hexdigest()[:24]}--gzip"'

    def shown(self, req: Req, key: str, row: Row) -> dict[str, object]:
        """Return a record."""
        moment = iso(row.at).replace("Z", ".000+0000")
        return {
            "attributes": {"type": "Account", "url": key},
            "Id": key.rpartition("/")[2],
            **row.data,
            "LastModifiedDate": moment,
            "SystemModstamp": moment,
        }

    def refuse(self, req: Req, why: str, key: str, row: Row | None) -> Res:
        """Return a refusal."""
        return Res(
            412,
            [
                {
                    "message": "The request was not processed because a precondition header was not met",
                    "errorCode": "PRECONDITION_FAILED",
                }
            ],
        )


class Fragments(Tagged):
    """AEM content fragments: what is read with references has a tag of its own."""

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        return {
            "x-request-id": guid("aem", self.count),
            "x-adobe-content": "cf",
            "Content-Type": "application/json",
        }

    def tag(self, key: str, row: Row) -> str:
        """Return the tag of the plain representation."""
        return f'"{hashlib.sha1(f"plain{key}{row.rev}".encode()).hexdigest()}"'

    def shown(self, req: Req, key: str, row: Row) -> dict[str, object]:
        """Return a fragment."""
        told = {"id": key.rpartition("/")[2], **row.data, "modified": {"at": iso(row.at, 3), "by": row.by}}
        if req.query.get("references"):
            told["references"] = [{"type": "content-fragment", "id": guid("ref", key), "title": "Rohkaffee"}]
        return told

    def listing(self, req: Req, key: str, below: dict[str, Row]) -> Res:
        """Return a list."""
        return Res(200, {"items": [self.shown(req, one, row) for one, row in below.items()]})

    def read(self, req: Req) -> Res:
        """Answer a read."""
        res = super().read(req)
        if req.query.get("references") and "ETag" in res.fields:
            res.fields["ETag"] = f'"{hashlib.sha1(Res(200, res.body).octets).hexdigest()}"'
        return res

    def merged(self, req: Req, key: str, row: Row | None) -> dict[str, object]:
        """Return the new content."""
        fields = {one["path"].split("/")[2]: one["value"] for one in req.json}
        return {**row.data, "fields": {**row.data["fields"], **fields}}

    def refuse(self, req: Req, why: str, key: str, row: Row | None) -> Res:
        """Return a refusal."""
        return Res(
            412,
            {
                "type": "https://api.aem.example/errors/precondition-failed",
                "title": "Precondition Failed",
                "status": 412,
                "detail": "The ETag does not match the current state of the fragment",
            },
            {"Content-Type": "application/problem+json"},
        )


class Charges(Api):
    """Stripe: a key makes a repeated request the same one."""

    def setup(self) -> None:
        """Name the routes."""
        self.kept: dict[str, Res] = {}
        self.on(
            "GET",
            r"/v1/invoices",
            lambda _req: Res(
                200, {"object": "list", "data": [self.shown(key) for key in self.rows], "has_more": False}
            ),
        )
        self.on("GET", r"/v1/invoices/(?P<key>in_\w+)", lambda req, key: Res(200, self.shown(key)))
        self.on("POST", r"/v1/invoices/(?P<key>in_\w+)(?P<action>/finalize|/pay|)", self.act)

    def common(self, req: Req) -> dict[str, str]:
        """Return the fields of each answer."""
        return {
            "Request-Id": "req_" + hashlib.md5(str(self.count).encode()).hexdigest()[:14],
            "Stripe-Version": "2024-11-20.acacia",
        }

    def shown(self, key: str) -> dict[str, object]:
        """Return an invoice."""
        return {"id": key, "object": "invoice", **self.rows[key].data}

    def act(self, req: Req, key: str, action: str) -> Res:
        """Answer a write, a repeated one as before."""
        name = req.fields.get("idempotency-key", "")
        if name in self.kept:
            kept = self.kept[name]
            return Res(
                kept.status,
                kept.body,
                {
                    **kept.fields,
                    "Idempotent-Replayed": "true",
                    "Original-Request": kept.fields["Original-Request"],
                },
            )
        new = {"/finalize": {"status": "open", "number": f"TUIN-{key[-2:]}"}, "/pay": {"status": "paid"}}.get(
            action, {"description": req.body.decode()}
        )
        self.store(key, {**self.rows[key].data, **new}, "me")
        res = Res(
            200,
            self.shown(key),
            {
                "Idempotency-Key": name,
                "Original-Request": f"req_{hashlib.md5(name.encode()).hexdigest()[:14]}",
            },
        )
        self.kept[name] = res
        return res


class Leads(Api):
    """Zoho CRM: records that a date in ISO 8601 may ask for."""

    def setup(self) -> None:
        """Name the routes."""
        self.on("GET", "/crm/v7/Leads", self.since)
        self.on(
            "POST",
            "/crm/v7/Notes",
            lambda _req: Res(
                201,
                {
                    "data": [
                        {
                            "code": "SUCCESS",
                            "status": "success",
                            "message": "record added",
                            "details": {"id": str(5545974000002443000 + self.count)},
                        }
                    ]
                },
            ),
        )
        self.on("PUT", r"/crm/v7/Leads/(?P<key>\d+)", self.change)

    def since(self, req: Req) -> Res:
        """Answer a list of what has changed since a date."""
        from datetime import datetime  # noqa: PLC0415 - beside its only use

        sent = req.fields.get("if-modified-since")
        limit = datetime.fromisoformat(sent).timestamp() if sent else 0.0
        fresh = {key: row for key, row in self.rows.items() if int(row.at) > limit}
        if not fresh:
            return Res(304)
        data = [
            {"id": key, **row.data, "Modified_Time": iso(row.at).replace("Z", "+00:00")}
            for key, row in fresh.items()
        ]
        return Res(200, {"data": data, "info": {"per_page": 200, "count": len(data), "more_records": False}})

    def change(self, req: Req, key: str) -> Res:
        """Answer an update."""
        self.store(key, {**self.rows[key].data, **req.json["data"][0]}, "me")
        return Res(
            200,
            {
                "data": [
                    {
                        "code": "SUCCESS",
                        "details": {"id": key, "Modified_Time": iso(time.time()).replace("Z", "+00:00")},
                        "message": "record updated",
                        "status": "success",
                    }
                ]
            },
        )


class Pages(Api):
    """Confluence: the version that one sends is the next."""

    def setup(self) -> None:
        """Name the routes."""
        self.on("GET", r"/wiki/rest/api/content/(?P<key>\d+)", lambda req, key: Res(200, self.shown(key)))
        self.on(
            "GET",
            r"/wiki/rest/api/space/\w+/content",
            lambda _req: Res(
                200,
                {
                    "page": {
                        "results": [{"id": key, "title": row.data["title"]} for key, row in self.rows.items()]
                    }
                },
            ),
        )
        self.on("PUT", r"/wiki/rest/api/content/(?P<key>\d+)", self.change)

    def shown(self, key: str) -> dict[str, object]:
        """Return a page."""
        row = self.rows[key]
        return {
            "id": key,
            "type": "page",
            "status": "current",
            "title": row.data["title"],
            "version": {"number": row.rev, "when": iso(row.at, 3), "by": {"username": row.by}},
            "body": {"storage": {"value": row.data["value"], "representation": "storage"}},
        }

    def change(self, req: Req, key: str) -> Res:
        """Answer an update."""
        asked = req.json
        if asked["version"]["number"] != self.rows[key].rev + 1:
            said = f"Version must be incremented on update. Current version is: {self.rows[key].rev}"
            return Res(409, {"statusCode": 409, "message": said, "reason": "Conflict"})
        self.store(key, {"title": asked["title"], "value": asked["body"]["storage"]["value"]}, self.who(req))
        return Res(200, self.shown(key))
