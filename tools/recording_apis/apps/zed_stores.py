# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, ARG002, ARG005, D102, E501, S324 - routes are handed all that they may want
"""Imitations of stores and clouds in use: distributions, objects, indexes, documents, wikis."""

from __future__ import annotations

import hashlib
import time
from urllib.parse import parse_qsl, urlencode

from tools.recording_apis.apps.ray_core import Api, Res, guid, httpdate, iso

_XML = {"Content-Type": "text/xml"}


class Cloudfront(Api):
    """API: one distribution; its tag is a bare word."""

    def __init__(self, key: str, config: str) -> None:
        """Start with what is there."""
        self.key = key
        super().__init__(lambda req: {"x-amzn-RequestId": guid(f"{time.time()}")})
        self.keep("c", config, age=400000)
        base = f"/2020-05-31/distribution/{self.key}"
        head = '<?xml version="1.0"?>\n'
        self.on(
            "GET",
            base + "/config",
            lambda req: Res(200, head + self.rows["c"].data, {**_XML, "ETag": self.tag()}),
        )
        self.on("PUT", base + "/config", self.put)
        self.on("GET", base, lambda req: Res(200, self.whole(), {**_XML, "ETag": self.tag()}))
        made = head + "<Invalidation><Id>I2J0I21PCUYOIK</Id><Status>InProgress</Status></Invalidation>"
        self.on("POST", base + "/invalidation", lambda req: Res(201, made, dict(_XML)))

    def tag(self) -> str:
        return "E" + hashlib.md5(f"{self.key}{self.rows['c'].rev}".encode()).hexdigest().upper()[:13]

    def fail(self, status: int, code: str, said: str) -> Res:
        head = (
            '<?xml version="1.0"?>\n<ErrorResponse xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">'
        )
        error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{said}</Message></Error>"
        return Res(status, f"{head}{error}<RequestId>{guid(said)}</RequestId></ErrorResponse>", dict(_XML))

    def whole(self) -> str:
        return f"""<?xml version="1.0"?>\n<Distribution><Id>{self.key}</Id><Status>InProgress</Status>{self.rows["c"].data}</Distribution>"""

    def put(self, req):
        sent = req.fields.get("if-match")
        if not sent:
            return self.fail(
                400, "InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource."
            )
        if sent != self.tag():
            return self.fail(
                412,
                "PreconditionFailed",
                "The request failed because it didn't meet the preconditions in one or more request-header fields.",
            )
        self.keep("c", req.body.decode().partition("?>\n")[2])
        return Res(200, self.whole(), {**_XML, "ETag": self.tag()})


class Oss(Api):
    """API: a bucket of Alibaba's store."""

    def __init__(self, bucket: str) -> None:
        """Start with what is there."""
        self.bucket = bucket
        super().__init__(
            lambda req: {
                "Server": "AliyunOSS",
                "x-oss-request-id": guid(f"{time.time()}").replace("-", "").upper()[:24],
            }
        )
        self.on("GET", "/", self.many)
        self.on("PUT", "/(.+)", self.put)
        self.on("GET", "/(.+)", self.get)

    def marks(self, key: str) -> dict:
        row = self.rows[key]
        tag = hashlib.md5(row.data).hexdigest().upper()
        return {
            "ETag": f'"{tag}"',
            "Last-Modified": httpdate(row.at),
            "x-oss-object-type": "Normal",
            "Content-Type": "text/plain",
        }

    def fail(self, status: int, code: str, said: str, ec: str, key: str) -> Res:
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n  <Code>{code}</Code>\n  <Message>{said}</Message>\n'
        text += f"  <HostId>{self.bucket}.oss-cn-hangzhou.aliyuncs.com</HostId>\n  <Key>{key}</Key>\n  <EC>{ec}</EC>\n</Error>\n"
        return Res(status, text, {"Content-Type": "application/xml", "x-oss-ec": ec})

    def put(self, req, key: str):
        if key in self.rows and req.fields.get("x-oss-forbid-overwrite") == "true":
            return self.fail(
                409,
                "FileAlreadyExists",
                "The object you specified already exists and can not be overwritten.",
                "0026-00000002",
                key,
            )
        self.keep(key, req.body)
        told = self.marks(key)
        return Res(200, b"", {"ETag": told["ETag"]})

    def get(self, req, key: str):
        if key not in self.rows:
            return self.fail(404, "NoSuchKey", "The specified key does not exist.", "0026-00000001", key)
        return Res(200, self.rows[key].data, self.marks(key))

    def many(self, req):
        rows = "".join(
            (
                f"<Contents><Key>{k}</Key><Size>{len(r.data)}</Size><LastModified>{iso(r.at)}</LastModified></Contents>"
                for k, r in self.rows.items()
            )
        )
        return Res(
            200,
            f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult><Name>{self.bucket}</Name>{rows}</ListBucketResult>',
            {"Content-Type": "application/xml"},
        )


class Solr(Api):
    """API: a core of parts; version 0 asks for no check."""

    def __init__(self, core: str, docs: list[dict]) -> None:
        """Start with what is there."""
        super().__init__()
        for number, doc in enumerate(docs):
            self.keep(doc["id"], doc, age=7000 + number)
        self.on(
            "GET",
            f"/solr/{core}/get",
            lambda req: Res(
                200, {"doc": self.shown(req.query["id"]) if req.query["id"] in self.rows else None}
            ),
        )
        self.on("GET", f"/solr/{core}/select", self.select)
        self.on("POST", f"/solr/{core}/update", self.update)
        self.on("GET", f"/solr/{core}/admin/ping", lambda req: self.fine({"status": "OK"}))

    def shown(self, key: str) -> dict:
        row = self.rows[key]
        return {**row.data, "_version_": (int(row.at * 1000) << 20) + row.rev}

    def fine(self, more: dict) -> Res:
        return Res(200, {"responseHeader": {"status": 0, "QTime": 4}, **more})

    def update(self, req):
        adds = []
        for doc in req.json:
            sent = doc.pop("_version_", 0)
            known = self.shown(doc["id"])["_version_"] if doc["id"] in self.rows else -1
            if sent > 1 and sent != known:
                said = f"version conflict for {doc['id']} expected={sent} actual={known}"
                return Res(
                    409, {"responseHeader": {"status": 409, "QTime": 2}, "error": {"msg": said, "code": 409}}
                )
            self.keep(doc["id"], doc)
            adds += [doc["id"], self.shown(doc["id"])["_version_"]]
        return self.fine({"adds": adds} if req.query.get("versions") == "true" else {})

    def select(self, req):
        name, _, value = req.query["q"].partition(":")
        rows = [one for one in map(self.shown, self.rows) if name == "*" or str(one[name]) == value]
        return self.fine(
            {"response": {"numFound": len(rows), "start": 0, "numFoundExact": True, "docs": rows}}
        )


class Elastic(Api):
    """API: an index: one row of numbers over all its documents."""

    def __init__(self, index: str, docs: dict) -> None:
        """Start with what is there."""
        self.index = index
        super().__init__(lambda req: {"X-elastic-product": "Elasticsearch"})
        self.seq, self.term, self.marks = (40, 1, {})
        for key, doc in docs.items():
            self.store(key, doc)
        self.on("GET PUT", f"/{self.index}/_doc/([^/]+)", self.one)
        self.on("POST", f"/{self.index}/_update/([^/]+)", self.update)
        self.on("POST", f"/{self.index}/_search", self.search)
        self.on(
            "GET",
            "/_cluster/health",
            lambda req: Res(200, {"cluster_name": "stock", "status": "green", "number_of_nodes": 3}),
        )

    def store(self, key: str, data: dict) -> None:
        self.seq += 1
        self.keep(key, data)
        self.marks[key] = (self.seq, self.term)

    def head(self, key: str) -> dict:
        seq, term = self.marks[key]
        return {
            "_index": self.index,
            "_id": key,
            "_version": self.rows[key].rev,
            "_seq_no": seq,
            "_primary_term": term,
        }

    def one(self, req, key: str):
        if req.method == "GET":
            if key not in self.rows:
                return Res(404, {"_index": self.index, "_id": key, "found": False})
            return Res(200, {**self.head(key), "found": True, "_source": self.rows[key].data})
        asked = req.query
        if (
            "if_seq_no" in asked
            and (int(asked["if_seq_no"]), int(asked["if_primary_term"])) != self.marks[key]
        ):
            return Res(409, {"error": {"type": "version_conflict_engine_exception"}, "status": 409})
        fresh = key not in self.rows
        self.store(key, req.json)
        return Res(
            201 if fresh else 200,
            {
                **self.head(key),
                "result": "created" if fresh else "updated",
                "_shards": {"total": 2, "successful": 2, "failed": 0},
            },
        )

    def update(self, req, key: str):
        self.store(key, {**self.rows[key].data, **req.json["doc"]})
        return Res(200, {**self.head(key), "result": "updated"})

    def search(self, req):
        hits = [{**self.head(key), "_score": 1.0, "_source": self.rows[key].data} for key in self.rows]
        return Res(
            200,
            {
                "took": 3,
                "timed_out": False,
                "hits": {"total": {"value": len(hits), "relation": "eq"}, "hits": hits},
            },
        )


class Raven(Api):
    """API: documents with change vectors of two nodes."""

    def __init__(self, database: str, docs: dict) -> None:
        """Start with what is there."""
        super().__init__(lambda req: {"Raven-Server-Version": "6.2.1", "Server": "Kestrel"})
        self.node, self.counts, self.vectors = ("A", {"A": 210, "B": 198}, {})
        self.idents = {"A": "u2Lv8XkqEk2lUjG3tTzYbQ", "B": "9sK0yQ1c7EW5oXo0d5mJ1g"}
        for key, doc in docs.items():
            self.store(key, doc)
        self.on("GET PUT", f"/databases/{database}/docs", self.many)
        self.on(
            "GET",
            "/cluster/topology",
            lambda req: Res(
                200, {"Leader": "A", "CurrentState": "Follower", "Topology": {"Members": ["A", "B"]}}
            ),
        )

    def store(self, key: str, data: dict) -> None:
        self.counts[self.node] += 1
        self.keep(key, data)
        held = {**self.vectors.get(key, {}), self.node: self.counts[self.node]}
        self.vectors[key] = dict(sorted(held.items()))

    def vector(self, key: str) -> str:
        return ", ".join((f"{node}:{n}-{self.idents[node]}" for node, n in self.vectors[key].items()))

    def shown(self, key: str) -> dict:
        meta = {
            "@collection": "Orders",
            "@change-vector": self.vector(key),
            "@id": key,
            "@last-modified": iso(self.rows[key].at, 7),
        }
        return {**self.rows[key].data, "@metadata": meta}

    def many(self, req):
        key = req.query.get("id")
        if req.method == "PUT":
            sent = req.fields.get("if-match", "").strip('"')
            if sent and sent != self.vector(key):
                said = f"Document {key} has change vector {self.vector(key)}, but Put was called with change vector {sent}."
                return Res(409, {"Type": "Raven.Client.Exceptions.ConcurrencyException", "Message": said})
            self.store(key, {k: v for k, v in req.json.items() if k != "@metadata"})
            return Res(201, {"Id": key, "ChangeVector": self.vector(key)})
        if key and key not in self.rows:
            return Res(404, {"Results": [], "Includes": {}})
        tag = f'"{self.vector(key)}"' if key else f'"{sum(self.counts.values())}"'
        if req.fields.get("if-none-match") == tag:
            return Res(304, b"", {"ETag": tag})
        rows = [self.shown(key)] if key else [self.shown(one) for one in self.rows]
        return Res(200, {"Results": rows, "Includes": {}}, {"ETag": tag})


class Wiki(Api):
    """API: a wiki's api.php: everything is 200; ``gap`` lies between its check and its write."""

    def __init__(self, pages: dict, gap: float = 0.0) -> None:
        """Start with what is there."""
        self.gap = gap
        super().__init__(
            lambda req: {
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "private, must-revalidate, max-age=0",
            }
        )
        self.revs = {}
        for number, (title, text) in enumerate(pages.items()):
            self.revs[title] = [(9010 + number * 3, time.time() - 80000, "Maintenance", text, 0)]
        self.on("GET POST", "/w/api.php", self.act)

    def stamp(self, at: float) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))

    def edit(self, asked: dict, who: str):
        title = asked["title"]
        old = self.revs[title][-1]
        if asked.get("baserevid") and int(asked["baserevid"]) != old[0]:
            return Res(
                200,
                {
                    "error": {"code": "editconflict", "info": "Edit conflict.", "*": "See the API help"},
                    "servedby": "mw1",
                },
            )
        time.sleep(self.gap)
        new = max(rows[-1][0] for rows in self.revs.values()) + 1
        self.revs[title].append((new, time.time(), who, asked["text"], old[0]))
        told = {
            "result": "Success",
            "pageid": 77,
            "title": title,
            "oldrevid": old[0],
            "newrevid": new,
            "newtimestamp": self.stamp(time.time()),
        }
        return Res(200, {"edit": told})

    def act(self, req):
        asked = {**req.query, **dict(parse_qsl(req.body.decode()))}
        if asked.get("action") == "edit":
            return self.edit(asked, req.fields.get("x-bot", "Fenbot"))
        if asked.get("meta") == "tokens":
            return Res(200, {"batchcomplete": True, "query": {"tokens": {"csrftoken": "7f1c03a4+\\"}}})
        if asked.get("meta") == "userinfo":
            return Res(200, {"query": {"userinfo": {"id": 61, "name": "Fenbot", "groups": ["bot"]}}})
        title, limit = (asked["titles"], int(asked.get("rvlimit", 1)))
        rows = [
            {"revid": rid, "parentid": parent, "user": user, "timestamp": self.stamp(at), "content": text}
            for rid, at, user, text, parent in reversed(self.revs[title][-limit:])
        ]
        return Res(
            200,
            {
                "query": {"pages": [{"pageid": 77, "title": title, "revisions": rows}]},
                "curtimestamp": self.stamp(time.time()),
            },
        )


class Eve(Api):
    """API: a resource as Eve shows it, with conditions that may be left out."""

    def __init__(self, resource: str, items: dict) -> None:
        """Start with what is there."""
        self.resource = resource
        super().__init__(lambda req: {"Server": "Eve/2.1.0 Werkzeug/2.2.3"})
        for number, (key, item) in enumerate(items.items()):
            self.keep(key, item, age=9000 - number * 70)
        self.on(
            "GET",
            f"/{self.resource}",
            lambda req: Res(
                200,
                {
                    "_items": [self.shown(key) for key in self.rows],
                    "_meta": {"page": 1, "max_results": 25, "total": len(self.rows)},
                },
            ),
        )
        self.on("GET PUT PATCH", f"/{self.resource}/([^/]+)", self.one)

    def shown(self, key: str) -> dict:
        row = self.rows[key]
        own = {"_id": key, "_updated": httpdate(row.at), "_etag": hashlib.sha1(row.octets).hexdigest()}
        return {
            **row.data,
            **own,
            "_links": {"self": {"title": self.resource, "href": f"{self.resource}/{key}"}},
        }

    def one(self, req, key: str):
        if key not in self.rows:
            return Res(
                404,
                {
                    "_status": "ERR",
                    "_error": {"code": 404, "message": "The requested URL was not found on the server."},
                },
            )
        now = self.shown(key)
        tag = f'''"{now["_etag"]}"'''
        if req.method == "GET":
            if req.fields.get("if-none-match") == tag:
                return Res(304, b"", {"ETag": tag})
            return Res(200, now, {"ETag": tag, "Last-Modified": now["_updated"]})
        if req.fields.get("if-match") not in {None, tag}:
            return Res(
                412,
                {"_status": "ERR", "_error": {"code": 412, "message": "Client and server etags don't match"}},
            )
        sent = {k: v for k, v in req.json.items() if k[0] != "_"}
        self.keep(key, {**(self.rows[key].data if req.method == "PATCH" else {}), **sent})
        now = self.shown(key)
        return Res(
            200,
            {**{k: v for k, v in now.items() if k[0] == "_"}, "_status": "OK"},
            {"ETag": f'''"{now["_etag"]}"'''},
        )


def encode(pairs: dict) -> str:
    """Return a form."""
    return urlencode(pairs)
