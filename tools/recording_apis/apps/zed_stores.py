# mypy: ignore-errors
# ruff: noqa: ARG005 - routes are handed all that they may want
"""Imitations of stores and clouds in use: distributions, objects, indexes, documents, wikis."""

from __future__ import annotations

import hashlib
import json
import time

from tools.recording_apis.apps.ray_core import Api, Res, guid, httpdate, iso

_XML = {"Content-Type": "text/xml"}


def cloudfront(key: str, config: str) -> Api:
    """Return one distribution; its tag is a bare word."""
    api = Api(lambda req: {"x-amzn-RequestId": guid(f"{time.time()}")})
    api.keep("c", config, age=400000)
    base = f"/2020-05-31/distribution/{key}"

    def tag() -> str:
        return "E" + hashlib.md5(f"{key}{api.rows['c'].rev}".encode()).hexdigest().upper()[:13]

    def fail(status: int, code: str, said: str) -> Res:
        head = '<?xml version="1.0"?>\n<ErrorResponse xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">'
        error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{said}</Message></Error>"
        return Res(status, f"{head}{error}<RequestId>{guid(said)}</RequestId></ErrorResponse>", dict(_XML))

    def whole() -> str:
        return f'<?xml version="1.0"?>\n<Distribution><Id>{key}</Id><Status>InProgress</Status>{api.rows["c"].data}</Distribution>'

    def put(req):
        sent = req.fields.get("if-match")
        if not sent:
            return fail(400, "InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource.")
        if sent != tag():
            return fail(412, "PreconditionFailed", "The request failed because it didn't meet the preconditions in one or more request-header fields.")
        api.keep("c", req.body.decode().partition("?>\n")[2])
        return Res(200, whole(), {**_XML, "ETag": tag()})

    head = '<?xml version="1.0"?>\n'
    api.on("GET", base + "/config", lambda req: Res(200, head + api.rows["c"].data, {**_XML, "ETag": tag()}))
    api.on("PUT", base + "/config", put)
    api.on("GET", base, lambda req: Res(200, whole(), {**_XML, "ETag": tag()}))
    made = head + "<Invalidation><Id>I2J0I21PCUYOIK</Id><Status>InProgress</Status></Invalidation>"
    api.on("POST", base + "/invalidation", lambda req: Res(201, made, dict(_XML)))
    return api


def oss(bucket: str) -> Api:
    """Return a bucket of Alibaba's store."""
    api = Api(lambda req: {"Server": "AliyunOSS", "x-oss-request-id": guid(f"{time.time()}").replace("-", "").upper()[:24]})

    def marks(key: str) -> dict:
        row = api.rows[key]
        tag = hashlib.md5(row.data).hexdigest().upper()
        return {"ETag": f'"{tag}"', "Last-Modified": httpdate(row.at), "x-oss-object-type": "Normal", "Content-Type": "text/plain"}

    def fail(status: int, code: str, said: str, ec: str, key: str) -> Res:
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n  <Code>{code}</Code>\n  <Message>{said}</Message>\n'
        text += f"  <HostId>{bucket}.oss-cn-hangzhou.aliyuncs.com</HostId>\n  <Key>{key}</Key>\n  <EC>{ec}</EC>\n</Error>\n"
        return Res(status, text, {"Content-Type": "application/xml", "x-oss-ec": ec})

    def put(req, key: str):
        if key in api.rows and req.fields.get("x-oss-forbid-overwrite") == "true":
            return fail(409, "FileAlreadyExists", "The object you specified already exists and can not be overwritten.", "0026-00000002", key)
        api.keep(key, req.body)
        told = marks(key)
        return Res(200, b"", {"ETag": told["ETag"]})

    def get(req, key: str):
        if key not in api.rows:
            return fail(404, "NoSuchKey", "The specified key does not exist.", "0026-00000001", key)
        return Res(200, api.rows[key].data, marks(key))

    def many(req):
        rows = "".join(f"<Contents><Key>{k}</Key><Size>{len(r.data)}</Size><LastModified>{iso(r.at)}</LastModified></Contents>" for k, r in api.rows.items())
        return Res(200, f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult><Name>{bucket}</Name>{rows}</ListBucketResult>', {"Content-Type": "application/xml"})

    api.on("GET", "/", many)
    api.on("PUT", "/(.+)", put)
    api.on("GET", "/(.+)", get)
    return api


def solr(core: str, docs: list[dict]) -> Api:
    """Return a core of parts; version 0 asks for no check."""
    api = Api()
    for number, doc in enumerate(docs):
        api.keep(doc["id"], doc, age=7000 + number)

    def shown(key: str) -> dict:
        row = api.rows[key]
        return {**row.data, "_version_": (int(row.at * 1000) << 20) + row.rev}

    def fine(more: dict) -> Res:
        return Res(200, {"responseHeader": {"status": 0, "QTime": 4}, **more})

    def update(req):
        adds = []
        for doc in req.json:
            sent = doc.pop("_version_", 0)
            known = shown(doc["id"])["_version_"] if doc["id"] in api.rows else -1
            if sent > 1 and sent != known:
                said = f"version conflict for {doc['id']} expected={sent} actual={known}"
                return Res(409, {"responseHeader": {"status": 409, "QTime": 2}, "error": {"msg": said, "code": 409}})
            api.keep(doc["id"], doc)
            adds += [doc["id"], shown(doc["id"])["_version_"]]
        return fine({"adds": adds} if req.query.get("versions") == "true" else {})

    def select(req):
        rows = [shown(key) for key in api.rows]
        return fine({"response": {"numFound": len(rows), "start": 0, "numFoundExact": True, "docs": rows}})

    api.on("GET", f"/solr/{core}/get", lambda req: Res(200, {"doc": shown(req.query["id"]) if req.query["id"] in api.rows else None}))
    api.on("GET", f"/solr/{core}/select", select)
    api.on("POST", f"/solr/{core}/update", update)
    api.on("GET", f"/solr/{core}/admin/ping", lambda req: fine({"status": "OK"}))
    return api


def elastic(index: str, docs: dict) -> Api:
    """Return an index: one row of numbers over all its documents."""
    api = Api(lambda req: {"X-elastic-product": "Elasticsearch"})
    api.seq, api.term, api.marks = 40, 1, {}

    def store(key: str, data: dict) -> None:
        api.seq += 1
        api.keep(key, data)
        api.marks[key] = (api.seq, api.term)

    for key, doc in docs.items():
        store(key, doc)

    def head(key: str) -> dict:
        seq, term = api.marks[key]
        return {"_index": index, "_id": key, "_version": api.rows[key].rev, "_seq_no": seq, "_primary_term": term}

    def one(req, key: str):
        if req.method == "GET":
            if key not in api.rows:
                return Res(404, {"_index": index, "_id": key, "found": False})
            return Res(200, {**head(key), "found": True, "_source": api.rows[key].data})
        asked = req.query
        if "if_seq_no" in asked and (int(asked["if_seq_no"]), int(asked["if_primary_term"])) != api.marks[key]:
            return Res(409, {"error": {"type": "version_conflict_engine_exception"}, "status": 409})
        fresh = key not in api.rows
        store(key, req.json)
        return Res(201 if fresh else 200, {**head(key), "result": "created" if fresh else "updated", "_shards": {"total": 2, "successful": 2, "failed": 0}})

    def update(req, key: str):
        store(key, {**api.rows[key].data, **req.json["doc"]})
        return Res(200, {**head(key), "result": "updated"})

    def search(req):
        hits = [{**head(key), "_score": 1.0, "_source": api.rows[key].data} for key in api.rows]
        return Res(200, {"took": 3, "timed_out": False, "hits": {"total": {"value": len(hits), "relation": "eq"}, "hits": hits}})

    api.on("GET PUT", f"/{index}/_doc/([^/]+)", one)
    api.on("POST", f"/{index}/_update/([^/]+)", update)
    api.on("POST", f"/{index}/_search", search)
    api.on("GET", "/_cluster/health", lambda req: Res(200, {"cluster_name": "stock", "status": "green", "number_of_nodes": 3}))
    return api


def raven(database: str, docs: dict) -> Api:
    """Return documents with change vectors of two nodes."""
    api = Api(lambda req: {"Raven-Server-Version": "6.2.1", "Server": "Kestrel"})
    api.node, api.counts, api.vectors = "A", {"A": 210, "B": 198}, {}
    idents = {"A": "u2Lv8XkqEk2lUjG3tTzYbQ", "B": "9sK0yQ1c7EW5oXo0d5mJ1g"}

    def store(key: str, data: dict) -> None:
        api.counts[api.node] += 1
        api.keep(key, data)
        held = {**api.vectors.get(key, {}), api.node: api.counts[api.node]}
        api.vectors[key] = dict(sorted(held.items()))

    def vector(key: str) -> str:
        return ", ".join(f"{node}:{n}-{idents[node]}" for node, n in api.vectors[key].items())

    def shown(key: str) -> dict:
        meta = {"@collection": "Orders", "@change-vector": vector(key), "@id": key, "@last-modified": iso(api.rows[key].at, 7)}
        return {**api.rows[key].data, "@metadata": meta}

    for key, doc in docs.items():
        store(key, doc)

    def many(req):
        key = req.query.get("id")
        if req.method == "PUT":
            sent = req.fields.get("if-match", "").strip('"')
            if sent and sent != vector(key):
                said = f"Document {key} has change vector {vector(key)}, but Put was called with change vector {sent}."
                return Res(409, {"Type": "Raven.Client.Exceptions.ConcurrencyException", "Message": said})
            store(key, {k: v for k, v in req.json.items() if k != "@metadata"})
            return Res(201, {"Id": key, "ChangeVector": vector(key)})
        if key and key not in api.rows:
            return Res(404, {"Results": [], "Includes": {}})
        tag = f'"{vector(key)}"' if key else f'"{sum(api.counts.values())}"'
        if req.fields.get("if-none-match") == tag:
            return Res(304, b"", {"ETag": tag})
        rows = [shown(key)] if key else [shown(one) for one in api.rows]
        return Res(200, {"Results": rows, "Includes": {}}, {"ETag": tag})

    api.on("GET PUT", f"/databases/{database}/docs", many)
    api.on("GET", "/cluster/topology", lambda req: Res(200, {"Leader": "A", "CurrentState": "Follower", "Topology": {"Members": ["A", "B"]}}))
    return api


def wiki(pages: dict, gap: float = 0.0) -> Api:
    """Return a wiki's api.php: everything is 200; ``gap`` lies between its check and its write."""
    api = Api(lambda req: {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, must-revalidate, max-age=0"})
    api.revs = {}
    for number, (title, text) in enumerate(pages.items()):
        api.revs[title] = [(9010 + number * 3, time.time() - 80000, "Maintenance", text, 0)]

    def stamp(at: float) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))

    def edit(asked: dict, who: str):
        title = asked["title"]
        old = api.revs[title][-1]
        if asked.get("baserevid") and int(asked["baserevid"]) != old[0]:
            return Res(200, {"error": {"code": "editconflict", "info": "Edit conflict: $1", "*": "See the API help"}, "servedby": "mw1"})
        time.sleep(gap)
        new = max(rows[-1][0] for rows in api.revs.values()) + 1
        api.revs[title].append((new, time.time(), who, asked["text"], old[0]))
        told = {"result": "Success", "pageid": 77, "title": title, "oldrevid": old[0], "newrevid": new, "newtimestamp": stamp(time.time())}
        return Res(200, {"edit": told})

    def act(req):
        from urllib.parse import parse_qsl  # noqa: PLC0415 - beside its only use

        asked = {**req.query, **dict(parse_qsl(req.body.decode()))}
        if asked.get("action") == "edit":
            return edit(asked, req.fields.get("x-bot", "Fenbot"))
        if asked.get("meta") == "tokens":
            return Res(200, {"batchcomplete": True, "query": {"tokens": {"csrftoken": "7f1c03a4+\\"}}})
        if asked.get("meta") == "userinfo":
            return Res(200, {"query": {"userinfo": {"id": 61, "name": "Fenbot", "groups": ["bot"]}}})
        title, limit = asked["titles"], int(asked.get("rvlimit", 1))
        rows = [
            {"revid": rid, "parentid": parent, "user": user, "timestamp": stamp(at), "content": text}
            for rid, at, user, text, parent in reversed(api.revs[title][-limit:])
        ]
        return Res(200, {"query": {"pages": [{"pageid": 77, "title": title, "revisions": rows}]}, "curtimestamp": stamp(time.time())})

    api.on("GET POST", "/w/api.php", act)
    return api


def eve(resource: str, items: dict) -> Api:
    """Return a resource as Eve shows it, with conditions that may be left out."""
    api = Api(lambda req: {"Server": "Eve/2.1.0 Werkzeug/2.2.3"})
    for number, (key, item) in enumerate(items.items()):
        api.keep(key, item, age=9000 - number * 70)

    def shown(key: str) -> dict:
        row = api.rows[key]
        own = {"_id": key, "_updated": httpdate(row.at), "_etag": hashlib.sha1(row.octets).hexdigest()}
        return {**row.data, **own, "_links": {"self": {"title": resource, "href": f"{resource}/{key}"}}}

    def one(req, key: str):
        if key not in api.rows:
            return Res(404, {"_status": "ERR", "_error": {"code": 404, "message": "The requested URL was not found on the server."}})
        now = shown(key)
        tag = f'"{now["_etag"]}"'
        if req.method == "GET":
            if req.fields.get("if-none-match") == tag:
                return Res(304, b"", {"ETag": tag})
            return Res(200, now, {"ETag": tag, "Last-Modified": now["_updated"]})
        if req.fields.get("if-match") not in {None, tag}:
            return Res(412, {"_status": "ERR", "_error": {"code": 412, "message": "Client and server etags don't match"}})
        sent = {k: v for k, v in req.json.items() if k[0] != "_"}
        api.keep(key, {**(api.rows[key].data if req.method == "PATCH" else {}), **sent})
        now = shown(key)
        return Res(200, {**{k: v for k, v in now.items() if k[0] == "_"}, "_status": "OK"}, {"ETag": f'"{now["_etag"]}"'})

    api.on("GET", f"/{resource}", lambda req: Res(200, {"_items": [shown(key) for key in api.rows], "_meta": {"page": 1, "max_results": 25, "total": len(api.rows)}}))
    api.on("GET PUT PATCH", f"/{resource}/([^/]+)", one)
    return api


def encode(pairs: dict) -> str:
    """Return a form."""
    from urllib.parse import urlencode  # noqa: PLC0415 - beside its only use

    return urlencode(pairs)


def text_of(value: object) -> str:
    """Return JSON."""
    return json.dumps(value, ensure_ascii=False)
