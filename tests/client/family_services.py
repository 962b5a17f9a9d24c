"""Services of families that cannot be started here, as strict as their published behaviour says they are."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json

import httpx2


def reply(status, value=None, **fields):
    headers = {name.replace("_", "-"): str(text) for name, text in fields.items()}
    if value is None:
        return httpx2.Response(status, headers=headers)
    return httpx2.Response(status, json=value, headers=headers)


class Service:
    """One service in memory; `lose` takes the next write or its answer away.

    Attributes:
        held: what is there, by path.
        lose: `before` the write is carried out, `after` it, or `gateway`: 502 after it.
    """

    def __init__(self):
        self.held = {}
        self.numbers = itertools.count(10)
        self.lose = ""

    def __call__(self, request):
        lose = "" if request.method == "GET" else self.lose
        if request.method != "GET":
            self.lose = ""
        if lose == "before":
            raise httpx2.ReadError("lost before it was carried out")
        path = self.path(request)
        if request.method == "GET":
            return self.shown(self.held.get(path))
        if request.method == "POST":
            response = self.post(request, path)
        else:
            response = getattr(self, request.method.lower())(request, path, self.held.get(path))
        if lose == "after":
            raise httpx2.ReadError("lost after it was carried out")
        return reply(502) if lose == "gateway" else response

    def path(self, request):
        return request.url.path


class Consul(Service):
    """developer.hashicorp.com/consul/api-docs/kv: `cas` in the query, refusals are 200 `false`."""

    url = "http://consul.test/v1/kv/app/x"

    def shown(self, now):
        if now is None:
            return reply(404)
        value, index = now
        entry = {"Key": "app/x", "Value": base64.b64encode(value).decode(), "ModifyIndex": index}
        return reply(200, [entry], X_Consul_Index=index)

    def put(self, request, path, now):
        cas = request.url.params.get("cas")
        if cas is not None and int(cas) != (0 if now is None else now[1]):
            return reply(200, value=False)
        self.held[path] = (request.content, next(self.numbers))
        return reply(200, value=True)

    def delete(self, request, path, now):
        cas = int(request.url.params.get("cas", -1))
        if cas == 0 or (cas > 0 and now is not None and cas != now[1]):
            return reply(200, value=False)
        self.held.pop(path, None)
        return reply(200, value=True)


class Couch(Service):
    """docs.couchdb.org/en/stable/api/document: `_rev` in the document, in `rev` of a deletion."""

    url = "http://couch.test/db/doc"

    def shown(self, now):
        return reply(404, {"error": "not_found"}) if now is None else reply(200, now, ETag=f'"{now["_rev"]}"')

    def conflict(self):
        return reply(409, {"error": "conflict", "reason": "Document update conflict."})

    def put(self, request, path, now):
        document = json.loads(request.content)
        if document.get("_rev") != (None if now is None else now["_rev"]):
            return self.conflict()
        digest = hashlib.md5(request.content, usedforsecurity=False).hexdigest()
        self.held[path] = {**document, "_id": "doc", "_rev": f"{next(self.numbers)}-{digest}"}
        return reply(201, {"ok": True, "id": "doc", "rev": self.held[path]["_rev"]})

    def delete(self, request, path, now):
        if now is None:
            return reply(404, {"error": "not_found"})
        if request.url.params.get("rev") != now["_rev"]:
            return self.conflict()
        del self.held[path]
        return reply(200, {"ok": True})


class Elasticsearch(Service):
    """Index, get and delete APIs: `if_seq_no` and `if_primary_term`, `op_type=create`."""

    url = "http://elastic.test/idx/_doc/1"

    def shown(self, now):
        if now is None:
            return reply(404, {"found": False})
        return reply(200, {"_seq_no": now[1], "_primary_term": 1, "found": True, "_source": now[0]})

    def refused(self, request, now):
        wanted = request.url.params
        if wanted.get("op_type") == "create" and now is not None:
            return True
        return "if_seq_no" in wanted and (
            now is None or wanted["if_seq_no"] != str(now[1]) or wanted["if_primary_term"] != "1"
        )

    def put(self, request, path, now):
        if self.refused(request, now):
            return reply(409, {"error": {"type": "version_conflict_engine_exception"}, "status": 409})
        number = next(self.numbers)
        self.held[path] = (json.loads(request.content), number)
        return reply(201, {"_seq_no": number, "_primary_term": 1})

    def delete(self, request, path, now):
        if self.refused(request, now):
            return reply(409, {"error": {"type": "version_conflict_engine_exception"}, "status": 409})
        return reply(404 if self.held.pop(path, None) is None else 200, {})


class CloudStorage(Service):
    """cloud.google.com/storage/docs/xml-api: generations, 0 for what is not there."""

    url = "http://storage.test/bucket/object"

    def shown(self, now):
        if now is None:
            return reply(404)
        headers = {"x-goog-generation": str(now[1]), "Content-Type": "application/json", "ETag": '"md5"'}
        return httpx2.Response(200, content=now[0], headers=headers)

    def put(self, request, path, now):
        wanted = request.headers.get("x-goog-if-generation-match")
        if wanted is not None and wanted != str(0 if now is None else now[1]):
            return reply(412)
        number = next(self.numbers)
        self.held[path] = (request.content, number)
        return reply(200, x_goog_generation=number)

    def delete(self, request, path, now):
        wanted = request.headers.get("x-goog-if-generation-match")
        if now is None or (wanted is not None and wanted != str(now[1])):
            return reply(404 if now is None else 412)
        del self.held[path]
        return reply(204)


class ObjectStorage(Service):
    """cloud.google.com/storage/docs/json_api: content goes to `/upload`, a PUT to the object is metadata."""

    url = "http://storage.test/storage/v1/b/bucket/o/a%2Fb.json?alt=media"

    def path(self, request):
        path = request.url.path
        if not path.startswith("/upload/"):
            return path
        assert request.url.params["uploadType"] == "media"
        return f"{path.removeprefix('/upload')}/{request.url.params['name']}"

    def shown(self, now):
        if now is None:
            return reply(404)
        fields = {"x-goog-generation": str(now[1]), "Content-Type": "application/json", "ETag": "CJ="}
        return httpx2.Response(200, content=now[0], headers=fields)

    def wrong(self, request, now):
        wanted = request.url.params.get("ifGenerationMatch")
        if wanted is not None and wanted != str(0 if now is None else now[1]):
            reasons = [{"reason": "conditionNotMet", "location": "If-Match"}]
            return reply(412, {"error": {"code": 412, "errors": reasons}})
        return None

    def post(self, request, path):
        number = next(self.numbers)
        wrong = self.wrong(request, self.held.get(path))
        if wrong is None:
            self.held[path] = (request.content, number)
        return wrong or reply(200, {"kind": "storage#object", "generation": str(number), "etag": "CJ="})

    def put(self, *_):
        raise AssertionError("this would replace the object's metadata and leave its content")

    def delete(self, request, path, now):
        wrong = reply(404) if now is None else self.wrong(request, now)
        if wrong is None:
            del self.held[path]
        return wrong or reply(204)


class Kubernetes(Service):
    """API conventions: `resourceVersion` in the object, creation in the collection, preconditions."""

    url = "http://kube.test/api/v1/namespaces/d/configmaps/x"

    def status(self, code, reason):
        message = "the object has been modified; please apply your changes to the latest version"
        return reply(code, {"kind": "Status", "reason": reason, "code": code, "message": message})

    def stored(self, status, path, document):
        document["metadata"]["resourceVersion"] = str(next(self.numbers))
        self.held[path] = document
        return reply(status, document)

    def shown(self, now):
        return self.status(404, "NotFound") if now is None else reply(200, now)

    def post(self, request, path):
        document = json.loads(request.content)
        if not path.endswith("/configmaps"):
            return self.status(405, "MethodNotAllowed")
        path = f"{path}/{document['metadata']['name']}"
        if path in self.held:
            return self.status(409, "AlreadyExists")
        return self.stored(201, path, document)

    def put(self, request, path, now):
        document = json.loads(request.content)
        version = document["metadata"].get("resourceVersion")
        if now is None:
            return self.status(404, "NotFound")
        if version not in (None, now["metadata"]["resourceVersion"]):
            return self.status(409, "Conflict")
        return self.stored(200, path, document)

    def delete(self, request, path, now):
        version = json.loads(request.content or b"{}").get("preconditions", {}).get("resourceVersion")
        if now is None:
            return self.status(404, "NotFound")
        if version not in (None, now["metadata"]["resourceVersion"]):
            return self.status(409, "Conflict")
        del self.held[path]
        return reply(200, {"kind": "Status", "status": "Success"})


class GitHub(Service):
    """docs.github.com/rest/repos/contents: a commit message always, the blob's `sha` for what is there."""

    url = "http://github.test/repos/o/r/contents/a.json"

    @staticmethod
    def sha(octets):
        return hashlib.sha1(b"blob %d\0" % len(octets) + octets, usedforsecurity=False).hexdigest()

    def shown(self, now):
        if now is None:
            return reply(404, {"message": "Not Found"})
        return reply(200, {"content": base64.encodebytes(now).decode(), "sha": self.sha(now)}, ETag='W/"x"')

    def wrong(self, asked, now):
        if "message" not in asked:
            return reply(422, {"message": 'Invalid request.\n\n"message" wasn\'t supplied.'})
        if now is not None and "sha" not in asked:
            return reply(422, {"message": 'Invalid request.\n\n"sha" wasn\'t supplied.'})
        if "sha" in asked and (now is None or asked["sha"] != self.sha(now)):
            return reply(409, {"message": f"a.json does not match {asked['sha']}"})
        return None

    def put(self, request, path, now):
        asked = json.loads(request.content)
        wrong = self.wrong(asked, now)
        if wrong is not None:
            return wrong
        self.held[path] = base64.b64decode(asked["content"])
        return reply(200 if now else 201, {"content": {"sha": self.sha(self.held[path])}})

    def delete(self, request, path, now):
        wrong = self.wrong(json.loads(request.content), now)
        if wrong is None:
            del self.held[path]
        return wrong or reply(200, {"content": None})


class Zotero(Service):
    """zotero.org/support/dev/web_api/v3/write_requests: a version of the library, 0 for what is not there."""

    url = "http://zotero.test/users/1/items/A"

    def shown(self, now):
        if now is None:
            return reply(404)
        value = {"key": "A", "version": now[1], "data": {**now[0], "key": "A", "version": now[1]}}
        return reply(200, value, Last_Modified_Version=now[1])

    def wrong(self, request, now):
        wanted = request.headers.get("If-Unmodified-Since-Version")
        if wanted is None:
            return reply(428)
        if now is None:
            return None if wanted == "0" else reply(404)
        return reply(412) if int(wanted) < now[1] else None

    def put(self, request, path, now):
        wrong = self.wrong(request, now)
        if wrong is None:
            self.held[path] = (json.loads(request.content), next(self.numbers))
        return wrong or reply(204, Last_Modified_Version=self.held[path][1])

    def delete(self, request, path, now):
        wrong = self.wrong(request, now)
        if wrong is None:
            del self.held[path]
        return wrong or reply(204)


class Contentful(Service):
    """Content Management API: `X-Contentful-Version`, none for what is not there."""

    url = "http://contentful.test/spaces/s/environments/m/entries/e"

    def shown(self, now):
        return reply(404) if now is None else reply(200, now)

    def wrong(self, request, now):
        wanted, version = (
            request.headers.get("X-Contentful-Version"),
            None if now is None else now["sys"]["version"],
        )
        if wanted != (None if version is None else str(version)):
            return reply(409, {"sys": {"type": "Error", "id": "VersionMismatch"}})
        return None

    def put(self, request, path, now):
        wrong = self.wrong(request, now)
        if wrong is None:
            document = json.loads(request.content)
            document["sys"] = {"id": "e", "version": 1 if now is None else now["sys"]["version"] + 1}
            self.held[path] = document
        return wrong or reply(200 if now else 201, self.held[path])

    def delete(self, request, path, now):
        wrong = self.wrong(request, now)
        if wrong is None:
            del self.held[path]
        return wrong or reply(204)


class OData(Service):
    """OData 4.01 protocol, section 8.3.1: weak tags, in the field and in the document."""

    url = "http://odata.test/Things(1)"

    def shown(self, now):
        return reply(404) if now is None else reply(200, {**now[0], "@odata.etag": now[1]}, ETag=now[1])

    def wrong(self, request, now):
        match, none = request.headers.get("If-Match"), request.headers.get("If-None-Match")
        if now is None:
            return reply(412) if match else None
        if match is None and none is None:
            return reply(428)
        return reply(412) if none == "*" or (match and match != now[1]) else None

    def put(self, request, path, now):
        wrong = self.wrong(request, now)
        if wrong is None:
            self.held[path] = (json.loads(request.content), f'W/"{next(self.numbers)}"')
        return wrong or reply(204, ETag=self.held[path][1])

    def delete(self, request, path, now):
        wrong = self.wrong(request, now)
        if wrong is None:
            self.held.pop(path, None)
        return wrong or reply(204)


SERVICES = {
    "consul-kv": Consul,
    "contentful": Contentful,
    "couchdb": Couch,
    "elasticsearch": Elasticsearch,
    "gcs-json": ObjectStorage,
    "gcs-xml": CloudStorage,
    "github-contents": GitHub,
    "kubernetes": Kubernetes,
    "microsoft-graph": OData,
    "odata": OData,
    "zotero": Zotero,
}
