# mypy: ignore-errors
# ruff: noqa: ARG001 - routes are handed what their pattern holds
"""Imitations of products in use: dashboards, documents, a proxy's and a cloud's control, pages."""

from __future__ import annotations

import hashlib
import time

from tools.recording_apis.apps.fen_desk import Desk, form, stamp
from tools.recording_apis.apps.vic_core import Req, Res


def dashboards(boards: dict[str, dict], pause: float = 0.0) -> Desk:
    """Return a Grafana: the version goes along in the dashboard."""
    desk = Desk(boards, first=12)
    desk.still("/api/health", {"commit": "6b2d2c3f11", "database": "ok", "version": "11.3.1"})
    desk.still(
        "/api/search",
        [{"uid": uid, "title": data["title"], "type": "dash-db"} for uid, data in boards.items()],
    )
    desk.still("/api/folders", [{"uid": "nets", "title": "Netze"}])

    @desk.on("GET", "/api/dashboards/uid/(.+)")
    def read(req: Req, uid: str) -> Res:
        row = desk.rows[uid]
        meta = {"slug": uid, "version": row.rev, "updated": stamp(row.at), "updatedBy": row.by}
        return Res(200, {"meta": meta, "dashboard": {**row.data, "uid": uid, "version": row.rev}})

    @desk.on("POST", "/api/dashboards/db")
    def save(req: Req) -> Res:
        sent = req.json["dashboard"]
        with desk.lock:
            row = desk.rows[sent["uid"]]
            if sent["version"] != row.rev and not req.json.get("overwrite"):
                text = "The dashboard has been changed by someone else"
                return Res(412, {"message": text, "status": "version-mismatch"})
            data = {key: one for key, one in sent.items() if key not in {"uid", "version"}}
            row = desk.keep(sent["uid"], data, "sa-provisioner")
        time.sleep(pause)
        told = {"status": "success", "uid": sent["uid"], "version": row.rev, "url": f"/d/{sent['uid']}"}
        return Res(200, told)

    return desk


def couch(name: str, docs: dict[str, dict]) -> Desk:
    """Return a CouchDB: the revision goes along in the document."""
    desk = Desk(docs, first=3)
    desk.still(
        "/", {"couchdb": "Welcome", "version": "3.3.3", "vendor": {"name": "The Apache Software Foundation"}}
    )

    def rev(key: str) -> str:
        row = desk.rows[key]
        return f"{row.rev}-{hashlib.md5(row.digest().encode()).hexdigest()}"  # noqa: S324 - what it does

    @desk.on("GET", f"/{name}/_all_docs")
    def listing(req: Req) -> Res:
        rows = [{"id": key, "key": key, "value": {"rev": rev(key)}} for key in sorted(desk.rows)]
        return Res(200, {"total_rows": len(rows), "offset": 0, "rows": rows})

    @desk.on("GET", f"/{name}/_changes")
    def changes(req: Req) -> Res:
        results = [
            {"seq": f"{n}-g1AAAA", "id": key, "changes": [{"rev": rev(key)}]}
            for n, key in enumerate(desk.rows)
        ]
        return Res(200, {"results": results, "last_seq": f"{len(results)}-g1AAAA", "pending": 0})

    @desk.on("GET", f"/{name}/(.+)")
    def read(req: Req, key: str) -> Res:
        if key not in desk.rows:
            return Res(404, {"error": "not_found", "reason": "missing"})
        return Res(200, {"_id": key, "_rev": rev(key), **desk.rows[key].data}, {"ETag": f'"{rev(key)}"'})

    @desk.on("PUT", f"/{name}/(.+)")
    def write(req: Req, key: str) -> Res:
        with desk.lock:
            if key in desk.rows and req.json.get("_rev") != rev(key):
                return Res(409, {"error": "conflict", "reason": "Document update conflict."})
            desk.keep(key, {k: v for k, v in req.json.items() if k[0] != "_"}, "reader")
        return Res(201, {"ok": True, "id": key, "rev": rev(key)}, {"ETag": f'"{rev(key)}"'})

    return desk


def dataplane(backends: dict[str, dict[str, dict]], first: int) -> Desk:
    """Return a HAProxy Data Plane: one number for the whole configuration, in the target of each change."""
    desk, count = Desk(), [first]
    root = "/v3/services/haproxy/configuration"
    desk.still("/v3/services/haproxy/reloads", [])
    desk.still("/v3/info", {"api": {"version": "v3.0.3"}, "system": {"hostname": "lb"}})

    def with_version(status: int, body: object) -> Res:
        return Res(status, body, {"Configuration-Version": str(count[0])})

    @desk.on("GET", f"{root}/version")
    def version(req: Req) -> Res:
        return Res(200, f"{count[0]}\n", {"Content-Type": "application/json"})

    @desk.on("GET", f"{root}/backends/([a-z]+)/servers")
    def servers(req: Req, name: str) -> Res:
        return with_version(200, list(backends[name].values()))

    @desk.on("GET", f"{root}/backends/([a-z]+)/servers/([a-z0-9]+)")
    def server(req: Req, name: str, one: str) -> Res:
        return with_version(200, backends[name][one])

    @desk.on("PUT", f"{root}/backends/([a-z]+)/servers/([a-z0-9]+)")
    def change(req: Req, name: str, one: str) -> Res:
        with desk.lock:
            if int(req.query.get("version", 0)) != count[0]:
                text = f"version mismatch, expected {count[0]}, got {req.query.get('version')}"
                return with_version(409, {"code": 409, "message": text})
            count[0] += 1
            backends[name][one] = req.json
        made = with_version(202, req.json)
        made.fields["Reload-ID"] = f"2026-11-27-{count[0]}"
        return made

    return desk


def placement(providers: dict[str, dict]) -> Desk:
    """Return an OpenStack Placement: the generation of the provider is part of the content."""
    desk = Desk(
        providers, first=8, extra={"openstack-api-version": "placement 1.39", "vary": "openstack-api-version"}
    )
    desk.still(
        "/", {"versions": [{"id": "v1.0", "max_version": "1.39", "min_version": "1.0", "status": "CURRENT"}]}
    )
    desk.still("/resource_classes", {"resource_classes": [{"name": "VCPU"}, {"name": "MEMORY_MB"}]})
    desk.still(
        "/resource_providers",
        {"resource_providers": [{"uuid": key, "name": f"node-{key[:2]}"} for key in providers]},
    )

    def error(status: int, title: str, detail: str, code: str) -> Res:
        told = {
            "status": status,
            "title": title,
            "detail": detail,
            "code": code,
            "request_id": "req-5f3b6c1e",
        }
        return Res(status, {"errors": [told]})

    @desk.on("GET", "/resource_providers/([^/]+)/inventories")
    def read(req: Req, uuid: str) -> Res:
        row = desk.rows[uuid]
        return Res(200, {"resource_provider_generation": row.rev, "inventories": row.data})

    @desk.on("PUT", "/resource_providers/([^/]+)/inventories")
    def write(req: Req, uuid: str) -> Res:
        sent, row = req.json, desk.rows[uuid]
        if "resource_provider_generation" not in sent:
            text = "The server could not comply with the request since it is either malformed or "
            text += "otherwise incorrect.\n\n"
            text += " JSON does not validate: 'resource_provider_generation' is a required property\n\n"
            return error(
                400,
                "Bad Request",
                f"{text}Failed validating 'required' in schema",
                "placement.undefined_code",
            )
        if sent["resource_provider_generation"] != row.rev:
            text = "There was a conflict when trying to complete your request.\n\n "
            text += "resource provider generation conflict "
            return error(409, "Conflict", text, "placement.concurrent_update")
        row = desk.keep(uuid, sent["inventories"], "nova")
        return Res(200, {"resource_provider_generation": row.rev, "inventories": row.data})

    return desk


def _seq_conflict(name: str, key: str, number: int, sent: tuple) -> Res:
    reason = f"[{key}]: version conflict, required seqNo [{sent[0]}], primary term [{sent[1]}]. "
    reason += f"current document has seqNo [{number}] and primary term [3]"
    cause = {"type": "version_conflict_engine_exception", "reason": reason, "index": name, "shard": "0"}
    return Res(409, {"error": {"root_cause": [cause], **cause}, "status": 409})


def search_index(name: str, docs: dict[str, dict], refresh: float) -> Desk:
    """Return an OpenSearch: reads by id are at once, searches see a change after the next refresh."""
    desk = Desk(docs, first=116)
    desk.still("/", {"cluster_name": "suche", "version": {"distribution": "opensearch", "number": "2.17.1"}})
    desk.still("/_cluster/health", {"cluster_name": "suche", "status": "green", "number_of_nodes": 3})

    def shown(key: str, row: object) -> dict:
        return {"_index": name, "_id": key, "_seq_no": row.rev, "_primary_term": 3, "_source": row.data}

    @desk.on("GET", f"/{name}/_doc/(.+)")
    def read(req: Req, key: str) -> Res:
        return Res(200, {**shown(key, desk.rows[key]), "found": True})

    @desk.on("POST", f"/{name}/_search")
    def search(req: Req) -> Res:
        known = {}
        for key, row in desk.rows.items():
            old = [one for one in (*row.past, row) if one.at < time.time() - refresh]
            known[key] = old[-1] if old else row
        wanted = req.json["query"]["term"]
        field, value = next(iter(wanted.items()))
        fit = [(key, row) for key, row in known.items() if row.data.get(field) == value]
        hits = [{**shown(key, row), "_score": 1.2} for key, row in fit]
        told = {"total": {"value": len(hits)}, "hits": hits}
        return Res(200, {"took": 2, "timed_out": False, "hits": told})

    @desk.on("PUT", f"/{name}/_doc/(.+)")
    def write(req: Req, key: str) -> Res:
        row, sent = desk.rows[key], (req.query.get("if_seq_no"), req.query.get("if_primary_term"))
        if sent != (None, None) and sent != (str(row.rev), "3"):
            return _seq_conflict(name, key, row.rev, sent)
        row = desk.keep(key, req.json, "indexer")
        return Res(
            200,
            {
                "_index": name,
                "_id": key,
                "_version": len(row.past) + 1,
                "result": "updated",
                "_seq_no": row.rev,
                "_primary_term": 3,
            },
        )

    return desk


def hypervisor(guests: dict[str, dict]) -> Desk:
    """Return a Proxmox VE: the digest of a guest's configuration is a parameter of each change."""
    desk = Desk(guests)
    desk.still(
        "/api2/json/version", {"data": {"release": "8.3", "version": "8.3.0", "repoid": "c1689ccb1065a83b"}}
    )
    desk.still("/api2/json/cluster/status", {"data": [{"type": "cluster", "quorate": 1, "nodes": 3}]})

    @desk.on("GET", "/api2/json/nodes/pve2/qemu/([0-9]+)/config")
    def read(req: Req, number: str) -> Res:
        row = desk.rows[number]
        return Res(200, {"data": {**row.data, "digest": row.digest()}})

    @desk.on("GET", "/api2/json/nodes/pve2/qemu/([0-9]+)/status/current")
    def status(req: Req, number: str) -> Res:
        return Res(
            200, {"data": {"vmid": int(number), "status": "running", "qmpstatus": "running", "cpus": 2}}
        )

    @desk.on("PUT", "/api2/json/nodes/pve2/qemu/([0-9]+)/config")
    def write(req: Req, number: str) -> Res:
        sent, row = form(req), desk.rows[number]
        if sent.pop("digest", row.digest()) != row.digest():
            text = "detected modified configuration - file changed by other user? Try again.\n"
            return Res(500, {"data": None, "message": text})
        desk.keep(number, {**row.data, **sent}, "root@pam")
        return Res(200, {"data": None})

    return desk


def pages(content: dict[str, dict]) -> Desk:
    """Return a Confluence: the next version's number is part of the content."""
    desk = Desk(content, first=7)
    desk.still("/rest/api/user/current", {"type": "known", "username": "svc-doku", "displayName": "Doku"})
    desk.still("/rest/api/space/BETR", {"key": "BETR", "name": "Betrieb"})

    def shown(key: str, *, body: bool = True) -> dict:
        row = desk.rows[key]
        version = {"number": row.rev, "when": stamp(row.at, 3), "by": {"username": row.by}}
        told = {"id": key, "type": "page", "title": row.data["title"], "version": version}
        return (
            {**told, "body": {"storage": {"value": row.data["text"], "representation": "storage"}}}
            if body
            else told
        )

    @desk.on("GET", "/rest/api/content/([0-9]+)")
    def read(req: Req, key: str) -> Res:
        return Res(200, shown(key, body="body" in req.query.get("expand", "")))

    @desk.on("GET", "/rest/api/content/([0-9]+)/history")
    def history(req: Req, key: str) -> Res:
        row = desk.rows[key]
        return Res(200, {"latest": True, "lastUpdated": {"number": row.rev, "by": {"username": row.by}}})

    @desk.on("PUT", "/rest/api/content/([0-9]+)")
    def write(req: Req, key: str) -> Res:
        sent, row = req.json, desk.rows[key]
        if sent["version"]["number"] != row.rev + 1:
            text = f"Version must be incremented on update. Current version is: {row.rev}"
            return Res(409, {"statusCode": 409, "message": text, "reason": "Conflict"})
        user = req.fields.get("x-user", "svc-doku")
        desk.keep(key, {"title": sent["title"], "text": sent["body"]["storage"]["value"]}, user)
        return Res(200, shown(key))

    return desk
