"""Traffic that is well."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.ivo_desk import Ask, Desk, Rows, Say, iso
from tools.recording_apis.stories import held_ivo_setting as at
from tools.recording_apis.stories.held_ivo_stores import Aws

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _search() -> Desk:
    desk = Desk({"X-elastic-product": "Elasticsearch"})
    rows = Rows({f"p{n}": {"name": f"Lamp {n}", "stock": 9} for n in (1, 2, 3)})

    def told(key: str, result: str) -> dict[str, Any]:
        row = rows[key]
        shards = {"total": 2, "successful": 2, "failed": 0}
        return {
            "_index": "parts",
            "_id": key,
            "_version": row.rev,
            "result": result,
            "_shards": shards,
            "_seq_no": int(row.at),
            "_primary_term": 3,
        }

    for number, row in enumerate(rows.values()):
        row.at = 20.0 + number

    @desk.on("GET", "/parts/_doc/([a-z0-9]+)")
    def read(_ask: Ask, key: str) -> Say:
        if key not in rows:
            return Say(404, {"_index": "parts", "_id": key, "found": False})
        more = {name: value for name, value in told(key, "").items() if name not in {"result", "_shards"}}
        return Say(200, {**more, "found": True, "_source": rows[key].data})

    @desk.on("PUT POST", "/parts/(_doc|_update|_create)/([a-z0-9]+)")
    def write(ask: Ask, how: str, key: str) -> Say:
        if "if_seq_no" in ask.query and int(ask.query["if_seq_no"]) != int(rows[key].at):
            return Say(409, {"error": {"type": "version_conflict_engine_exception"}, "status": 409})
        new = key not in rows
        data = {**rows[key].data, **ask.json["doc"]} if how == "_update" else ask.json
        rows.keep(key, data).at = float(rows.tick)
        return Say(201 if new else 200, told(key, "created" if new else "updated"))

    desk.shows("/_cluster/health", {"cluster_name": "parts", "status": "yellow", "number_of_nodes": 1})
    desk.on("POST", "/parts/_search")(
        lambda _ask: Say(
            200,
            {
                "took": 3,
                "hits": {
                    "total": {"value": len(rows)},
                    "hits": [{"_id": key, "_source": row.data} for key, row in rows.items()],
                },
            },
        )
    )
    return desk


@at.tell(
    "e583",
    "stock-of-lamps",
    "none",
    "healthy",
    "Elasticsearch: each write carries if_seq_no and if_primary_term of the read before it; numbers jump since the shard "
    "counts all documents, partial updates go with retry_on_conflict, and a missing document is created after its 404.",
)
def lamps(stage: Stage) -> None:
    """Keep the numbers right."""
    server = at.opened(stage, _search(), "Elasticsearch", "cheroot")
    me = stage.actor("client", server, "es.lamps.test", "httpx", {"User-Agent": "elasticsearch-py/8.16.0"})
    other = stage.actor("other", server, "es.lamps.test", "curl")
    at.look(me, "/_cluster/health")
    me.send("POST", "/parts/_search", 200, None, {"query": {"match_all": {}}, "size": 20})
    for number, key in enumerate(("p1", "p2", "p1")):
        seen = me.get(f"/parts/_doc/{key}").json
        other.put(f"/parts/_doc/x{number}", {"name": "Shade", "stock": 1}, 201)
        body = {**seen["_source"], "stock": seen["_source"]["stock"] - 1}
        me.put(f"/parts/_doc/{key}?if_seq_no={seen['_seq_no']}&if_primary_term=3", body, 200)
        at.rest(0.3)
    other.send("POST", "/parts/_update/p3", 200, None, {"doc": {"note": "sale"}})
    me.send("POST", "/parts/_update/p3?retry_on_conflict=3", 200, None, {"doc": {"stock": 4}})
    at.sure("note" in me.get("/parts/_doc/p3").json["_source"])
    me.get("/parts/_doc/p9", 404)
    me.put("/parts/_create/p9", {"name": "Lamp 9", "stock": 2}, 201)


def _waf() -> Desk:
    desk, rows = (
        Desk({"x-amzn-RequestId": "5e1c83cc"}),
        Rows({"a41c-office": ["203.0.113.0/28"], "b52d-bots": ["198.51.100.4/32"]}),
    )

    def token(key: str) -> str:
        digest = hashlib.md5(f"{key}{rows[key].rev}".encode()).hexdigest()  # noqa: S324
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"

    def about(key: str) -> dict[str, Any]:
        return {
            "Name": key[5:],
            "Id": key,
            "ARN": f"arn:aws:wafv2:us-east-1:1:regional/ipset/{key[5:]}/{key}",
            "LockToken": token(key),
        }

    @desk.on("POST", "/")
    def call(ask: Ask) -> Say:
        kind, body = ask.field("x-amz-target").partition(".")[2], ask.json
        head = {"Content-Type": "application/x-amz-json-1.1"}
        if kind == "ListIPSets":
            return Say(200, {"IPSets": [about(key) for key in rows]}, head)
        key = body["Id"]
        if kind == "GetIPSet":
            one = {name: value for name, value in about(key).items() if name != "LockToken"}
            return Say(
                200,
                {
                    "IPSet": {**one, "IPAddressVersion": "IPV4", "Addresses": rows[key].data},
                    "LockToken": token(key),
                },
                head,
            )
        if body["LockToken"] != token(key):
            return Say(
                400,
                {
                    "__type": "WAFOptimisticLockException",
                    "message": "AWS WAF couldn\u2019t save your changes because someone changed the resource after you started to edit it.",
                },
                head,
            )
        rows.keep(key, body["Addresses"])
        return Say(200, {"NextLockToken": token(key)}, head)

    return desk


@at.tell(
    "e566",
    "address-lists-in-turn",
    "none",
    "healthy",
    "WAFv2 through boto3: address sets are read, changed with their LockToken, changed again with the NextLockToken of the "
    "answer, and another run's change in between is seen by a new read before the next.",
)
def addresses(stage: Stage) -> None:
    """Chain the tokens."""
    server = at.opened(stage, _waf(), "WAFv2", "waitress")
    me = Aws(stage, server, "wafv2", "wafv2.us-east-1.aws.test")
    other = Aws(stage, server, "wafv2", "waf-second.aws.test", "other")
    me.call("list_ip_sets", Scope="REGIONAL")
    for key in ("a41c-office", "b52d-bots"):
        named = {"Id": key, "Name": key[5:], "Scope": "REGIONAL"}
        for number in range(2):
            seen = me.call("get_ip_set", **named)
            one = [*seen["IPSet"]["Addresses"], f"192.0.2.{number + 7}/32"]
            done = me.call("update_ip_set", LockToken=seen["LockToken"], Addresses=one, **named)
            two = [*one, f"192.0.2.{number + 77}/32"]
            me.call("update_ip_set", LockToken=done["NextLockToken"], Addresses=two, **named)
            at.rest(0.3)
            theirs = other.call("get_ip_set", **named)
            more = [*theirs["IPSet"]["Addresses"], f"192.0.2.{number + 177}/32"]
            other.call("update_ip_set", LockToken=theirs["LockToken"], Addresses=more, **named)
    at.sure(len(me.call("get_ip_set", **named)["IPSet"]["Addresses"]) == 7)


def _zotero() -> Desk:
    desk, rows = Desk({"Zotero-API-Version": "3", "Zotero-Schema-Version": "33"}), Rows({}, 24000)
    rows.tick = 24010
    for key in ("ABCD2345", "QWER7788", "ZXCV9911"):
        row = rows.keep(key, {"itemType": "book", "title": key.lower(), "tags": []})
        row.rev = rows.tick

    def head() -> dict[str, str]:
        return {"Last-Modified-Version": str(rows.tick)}

    def shown(key: str) -> dict[str, Any]:
        row = rows[key]
        return {
            "key": key,
            "version": row.rev,
            "library": {"type": "group", "id": 31},
            "data": {"key": key, "version": row.rev, **row.data},
        }

    @desk.on("GET", "/groups/31/items")
    def page(ask: Ask) -> Say:
        if int(ask.field("if-modified-since-version") or 0) >= rows.tick:
            return Say(304, None, head())
        since = int(ask.query.get("since", "0"))
        return Say(200, [shown(key) for key, row in rows.items() if row.rev > since], head())

    @desk.on("PATCH", "/groups/31/items/([A-Z0-9]+)")
    def write(ask: Ask, key: str) -> Say:
        limit = int(ask.field("if-unmodified-since-version") or -1)
        if limit < rows[key].rev:
            return Say(
                412 if limit >= 0 else 428,
                f"Item has been modified since specified version (expected {limit}, found {rows[key].rev})",
            )
        row = rows.keep(key, {**rows[key].data, **ask.json})
        row.rev = rows.tick
        return Say(204, None, head())

    desk.shows(
        "/keys/current",
        {"key": "P9NiFoyL", "userID": 7, "access": {"groups": {"31": {"library": True, "write": True}}}},
    )
    return desk


@at.tell(
    "e596",
    "library-of-a-reading-group",
    "none",
    "healthy",
    "Zotero's group library: a program asks for changes with If-Modified-Since-Version (304 or newer items), takes a "
    "colleague's edits in, and patches items with the library's version of its newest answer: 204 each time.",
)
def library(stage: Stage) -> None:
    """Follow the library's version."""
    server = at.opened(stage, _zotero(), "Zotero", "flask")
    me = stage.actor("client", server, "api.zotero.test", "aiohttp", {"Zotero-API-Version": "3"})
    other = stage.actor("other", server, "api.zotero.test", "node:axios")
    at.look(me, "/keys/current")
    version = me.get("/groups/31/items?since=0").fields["last-modified-version"]
    for number, key in enumerate(("ABCD2345", "QWER7788", "ABCD2345", "ZXCV9911")):
        if number % 2:
            own = {"If-Unmodified-Since-Version": version}
            other.send("PATCH", f"/groups/31/items/{key}", 204, own, {"extra": f"cited {number}"})
            at.rest(0.4)
            fresh = me.get(f"/groups/31/items?since={version}", 200, {"If-Modified-Since-Version": version})
            version = fresh.fields["last-modified-version"]
        else:
            me.get(f"/groups/31/items?since={version}", 304, {"If-Modified-Since-Version": version})
        tags = {"tags": [{"tag": f"week {number}"}]}
        done = me.send(
            "PATCH", f"/groups/31/items/{key}", 204, {"If-Unmodified-Since-Version": version}, tags
        )
        version = done.fields["last-modified-version"]
        at.rest(0.2)


def _wiki() -> Desk:
    desk, rows = (
        Desk({"X-Seraph-LoginReason": "OK"}),
        Rows({"65601": "<p>Rota</p>", "65602": "<p>Keys</p>"}, 5, "mira"),
    )

    def shown(key: str) -> dict[str, Any]:
        row = rows[key]
        version = {"number": row.rev, "by": {"username": row.by}, "when": iso(row.at), "minorEdit": False}
        return {
            "id": key,
            "type": "page",
            "status": "current",
            "title": f"Page {key}",
            "version": version,
            "body": {"storage": {"value": row.data, "representation": "storage"}},
        }

    @desk.on("GET", "/rest/api/content/([0-9]+)")
    def read(_ask: Ask, key: str) -> Say:
        return Say(200, shown(key))

    @desk.on("PUT", "/rest/api/content/([0-9]+)")
    def write(ask: Ask, key: str) -> Say:
        sent = ask.json["version"]["number"]
        if sent != rows[key].rev + 1:
            told = f"Version must be incremented on update. Current version is: {rows[key].rev}"
            return Say(409, {"statusCode": 409, "message": told, "reason": "Conflict"})
        rows.keep(key, ask.json["body"]["storage"]["value"], ask.field("x-who"))
        return Say(200, shown(key))

    desk.shows("/rest/api/space/CREW", {"key": "CREW", "name": "Crew", "type": "global"})
    desk.shows("/rest/api/user/current", {"username": "pia", "displayName": "Pia"})
    return desk


@at.tell(
    "e561",
    "rota-page-by-turns",
    "none",
    "healthy",
    "Confluence: two people add paragraphs to one page by turns; each reads it right before, sends the number after the one "
    "read and keeps the other's paragraphs, so that all of them are on the page in the end.",
)
def rota(stage: Stage) -> None:
    """Write by turns."""
    server = at.opened(stage, _wiki(), "Confluence", "tornado")
    me = stage.actor(
        "client", server, "wiki.crew.test", "urllib", {"X-Who": "pia", "Accept": "application/json"}
    )
    other = stage.actor("other", server, "wiki.crew.test", "requests", {"X-Who": "mira"})
    at.look(me, "/rest/api/user/current", "/rest/api/space/CREW", "/rest/api/content/65602?expand=version")
    target = "/rest/api/content/65601"
    for number in range(3):
        for one, name in ((me, "pia"), (other, "mira")):
            seen = one.get(f"{target}?expand=body.storage,version").json
            text = f"{seen['body']['storage']['value']}<p>{name} {number}</p>"
            body = {
                "type": "page",
                "title": seen["title"],
                "version": {"number": seen["version"]["number"] + 1},
                "body": {"storage": {"value": text, "representation": "storage"}},
            }
            one.put(target, body, 200)
            at.rest(0.25)
    at.sure(me.get(f"{target}?expand=body.storage,version").text.count("<p>") == 7)


def _vault() -> Desk:
    desk, kept = Desk({"Cache-Control": "no-store"}), {"billing": [{"key": "a1"}], "mailer": [{"key": "m1"}]}

    def wrap(data: Any) -> dict[str, Any]:
        return {
            "request_id": "f1d2",
            "lease_id": "",
            "renewable": False,
            "lease_duration": 0,
            "data": data,
            "warnings": None,
        }

    def about(key: str) -> dict[str, Any]:
        return {
            "created_time": iso(time.time(), 6),
            "deletion_time": "",
            "destroyed": False,
            "version": len(kept[key]),
        }

    @desk.on("GET", "/v1/secret/data/([a-z]+)")
    def read(_ask: Ask, key: str) -> Say:
        if key not in kept:
            return Say(404, {"errors": []})
        return Say(200, wrap({"data": kept[key][-1], "metadata": about(key)}))

    @desk.on("POST", "/v1/secret/data/([a-z]+)")
    def write(ask: Ask, key: str) -> Say:
        if ask.json["options"]["cas"] != len(kept.get(key, [])):
            return Say(400, {"errors": ["check-and-set parameter did not match the current version"]})
        kept.setdefault(key, []).append(ask.json["data"])
        return Say(200, wrap(about(key)))

    desk.shows(
        "/v1/sys/health", {"initialized": True, "sealed": False, "standby": False, "version": "1.18.1"}
    )
    desk.on("GET", "/v1/secret/metadata/([a-z]+)")(
        lambda _ask, key: Say(
            200, wrap({"current_version": len(kept[key]), "cas_required": True, "max_versions": 10})
        )
    )
    desk.on("POST", "/v1/auth/approle/login")(
        lambda _ask: Say(200, {"auth": {"client_token": "hvs.CAES", "lease_duration": 1200}})
    )
    return desk


@at.tell(
    "e590",
    "keys-are-turned",
    "none",
    "healthy",
    "Vault's KV version 2 with cas_required: a rotation logs in, reads each secret's version and writes with it as cas; a "
    "secret that is not there yet is 404 and created with cas 0, which is right for it.",
)
def keys(stage: Stage) -> None:
    """Turn keys one after another."""
    server = at.opened(stage, _vault(), "Vault", "uvicorn")
    me = stage.actor("client", server, "vault.ops.test", "node:fetch")
    at.look(me, "/v1/sys/health")
    login = {"role_id": "db02de05", "secret_id": "6a174c20"}
    token = {
        "X-Vault-Token": me.send("POST", "/v1/auth/approle/login", 200, None, login).json["auth"][
            "client_token"
        ]
    }
    for turn in range(2):
        for key in ("billing", "mailer", "search"):
            got = me.get(f"/v1/secret/data/{key}", 404 if key == "search" and not turn else 200, token)
            cas = got.json["data"]["metadata"]["version"] if got.status == 200 else 0
            body = {"options": {"cas": cas}, "data": {"key": f"{key[0]}{turn + 2}"}}
            done = me.send("POST", f"/v1/secret/data/{key}", 200, token, body).json
            at.sure(done["data"]["version"] == cas + 1)
            at.rest(0.2)
        at.look(me, "/v1/secret/metadata/billing", head=token)
