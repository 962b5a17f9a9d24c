# mypy: ignore-errors
# ruff: noqa: ANN001, ANN003, ANN201, ANN202, ARG002, ARG005, D102, E501, S324 - routes are handed all that they may want
"""Imitations of suites in use: one description of rows under tags, and what each product makes of it."""

from __future__ import annotations

import hashlib
import time

from tools.recording_apis.apps.ray_core import Api, Res, guid, iso


def rows(api: Api, pattern: str, **how) -> Api:
    """Serve rows under a pattern whose group is their key.

    Args:
        api: Where.
        pattern: Their paths.
        how: ``show`` (key to content), ``marks`` (key to fields), ``sent`` and ``known`` (what a write carries, what
            it must be), ``refuse`` and ``gone`` (answers), ``need`` (answer when nothing is sent), ``clean``
            (content to be stored), ``done`` (answer to a write), ``polls`` (field of a conditional read).
    """
    marks = how.get("marks", lambda key: {})
    clean = how.get("clean", lambda asked: asked)

    def one(req, key: str):
        writes = req.method != "GET"
        sent = how["sent"](req) if writes and "sent" in how else None
        if key not in api.rows:
            return how["refuse"](req, key) if sent and "gone" in how else how.get("gone", api.missing)(req)
        if not writes:
            told = marks(key)
            tag = req.fields.get("if-none-match")
            if tag and tag == told.get("ETag"):
                return Res(304, b"", told)
            return Res(200, how["show"](key), told)
        with api.lock:
            if sent is None and how.get("need"):
                return how["need"](req, key)
            if sent is not None and sent != "*" and (sent != how["known"](key)):
                return how["refuse"](req, key)
            if req.method == "DELETE":
                del api.rows[key]
                return Res(204)
            old = api.rows[key].data if req.method in {"PATCH", "POST"} else {}
            api.keep(key, {**old, **clean(req.json)}, req.fields.get("x-author", ""))
        return how["done"](key) if "done" in how else Res(200, how["show"](key), marks(key))

    api.on("GET PUT PATCH DELETE", pattern, one)
    return api


def header(name: str):
    """Return a reader of a field."""
    return lambda req: req.fields.get(name)


class Box(Api):
    """API: files with bare numbers as tags."""

    def __init__(self, files: dict) -> None:
        """Start with what is there."""
        super().__init__(
            lambda req: {
                "box-request-id": hashlib.md5(f"{time.time()}".encode()).hexdigest()[:20],
                "strict-transport-security": "max-age=31536000",
            }
        )
        for key, data in files.items():
            self.keep(key, data, age=500000)
        self.missing = lambda req: self.fail(404, "not_found", "Not Found")
        rows(
            self,
            "/2\\.0/files/(\\d+)",
            show=self.show,
            sent=header("if-match"),
            known=lambda key: self.show(key)["etag"],
            refuse=lambda req, key: self.fail(
                412,
                "precondition_failed",
                "The resource has been modified. Please retrieve the resource again and retry",
            ),
            gone=self.missing,
        )
        self.on(
            "GET",
            "/2\\.0/folders/(\\d+)/items",
            lambda req, n: Res(
                200,
                {
                    "total_count": len(self.rows),
                    "entries": [self.show(key) for key in self.rows],
                    "offset": 0,
                },
            ),
        )
        self.on(
            "GET",
            "/2\\.0/users/me",
            lambda req: Res(200, {"type": "user", "id": "17738362", "name": "Vilde Aas"}),
        )

    def fail(self, status: int, code: str, said: str) -> Res:
        return Res(
            status,
            {
                "type": "error",
                "status": status,
                "code": code,
                "help_url": "http://developers.box.com/docs/#errors",
                "message": said,
                "request_id": guid(said)[:17],
            },
        )

    def show(self, key: str) -> dict:
        return {
            "type": "file",
            "id": key,
            "etag": str(self.rows[key].rev - 1),
            "modified_at": iso(self.rows[key].at, 0),
            **self.rows[key].data,
        }


class Reapit(Api):
    """API: an agency's entities."""

    def __init__(self, kind: str, things: dict) -> None:
        """Start with what is there."""
        super().__init__(lambda req: {"x-request-id": guid(f"{time.time()}")})
        for key, data in things.items():
            self.keep(key, data, age=300000)
        rows(
            self,
            f"/{kind}/([A-Z0-9]+)",
            show=self.show,
            marks=lambda key: {"ETag": self.tag(key)},
            sent=header("if-match"),
            known=self.tag,
            refuse=self.refuse,
            done=lambda key: Res(204),
        )
        self.on(
            "GET",
            f"/{kind}",
            lambda req: Res(
                200,
                {
                    "_embedded": [self.show(key) for key in self.rows],
                    "pageNumber": 1,
                    "totalCount": len(self.rows),
                },
            ),
        )
        self.on(
            "GET",
            "/configuration/propertyTypes",
            lambda req: Res(200, [{"id": "HOU", "value": "House"}, {"id": "FLT", "value": "Flat"}]),
        )

    def tag(self, key: str) -> str:
        return f'''"{self.rows[key].digest("reapit").upper()}"'''

    def show(self, key: str) -> dict:
        return {
            "id": key,
            **self.rows[key].data,
            "modified": iso(self.rows[key].at, 0),
            "_eTag": self.tag(key),
        }

    def refuse(self, req, key: str) -> Res:
        return Res(
            412,
            {
                "statusCode": 412,
                "dateTime": iso(time.time()),
                "description": "ETag provided does not match the current entity ETag",
            },
        )


class Github(Api):
    """API: a repository; a commit takes a while and its branch must not move meanwhile."""

    def __init__(self, files: dict) -> None:
        """Start with what is there."""
        super().__init__(
            lambda req: {
                "X-GitHub-Media-Type": "github.v3; format=json",
                "X-GitHub-Request-Id": guid(f"{time.time()}")[:18],
                "X-RateLimit-Remaining": "4981",
            }
        )
        self.commits, self.slow = ([], 0.0)
        base = "/repos/tidewatch/gauges"
        for path, content in files.items():
            self.commit(path, content, f"Add {path}", "keeper")
        self.on(
            "GET",
            base + "/contents/(.+)",
            lambda req, path: Res(200, self.show(path)) if path in self.rows else None,
        )
        self.on("PUT", base + "/contents/(.+)", self.put)
        self.on("GET", base + "/commits", lambda req: Res(200, self.commits[::-1]))
        self.on(
            "GET", base, lambda req: Res(200, {"full_name": "tidewatch/gauges", "default_branch": "main"})
        )

    def commit(self, path: str, content: str, message: str, who: str) -> None:
        self.keep(path, content)
        sha = hashlib.sha1(f"{path}{content}{time.time()}".encode()).hexdigest()
        self.commits.append(
            {
                "sha": sha,
                "commit": {"message": message, "author": {"name": who, "date": iso(time.time(), 0)}},
                "files": [path],
            }
        )

    def sha(self, path: str) -> str:
        return hashlib.sha1(self.rows[path].octets).hexdigest()

    def show(self, path: str) -> dict:
        return {
            "type": "file",
            "path": path,
            "sha": self.sha(path),
            "encoding": "base64",
            "content": self.rows[path].data,
        }

    def put(self, req, path: str):
        asked, head = (req.json, self.commits[-1]["sha"])
        if asked.get("sha") != self.sha(path):
            return Res(409, {"message": f"{path} does not match {asked.get('sha')}", "status": "409"})
        time.sleep(self.slow)
        with self.lock:
            now = self.commits[-1]["sha"]
            if now != head:
                return Res(
                    409,
                    {
                        "message": f"is at {now} but expected {head}",
                        "documentation_url": "https://docs.github.com/rest/repos/contents#create-or-update-file-contents",
                        "status": "409",
                    },
                )
            self.commit(
                path, asked["content"], asked["message"], asked.get("committer", {}).get("name", "tide-bot")
            )
        return Res(200, {"content": self.show(path), "commit": self.commits[-1]})


_DAV = {"Content-Type": "application/xml; charset=utf-8", "DAV": "1, 3, extended-mkcol, addressbook"}


class Sabre(Api):
    """API: an address book under SabreDAV."""

    def __init__(self, user: str, cards: dict) -> None:
        """Start with what is there."""
        super().__init__(
            lambda req: {"X-Content-Type-Options": "nosniff", "X-Robots-Tag": "noindex, nofollow"}
        )
        for key, card in cards.items():
            self.keep(key, card, age=700000)
        self.base = f"/remote.php/dav/addressbooks/users/{user}/contacts/"
        self.on("PROPFIND POST", self.base, self.find)
        self.on(
            "GET",
            self.base + "([^/]+)",
            lambda req, key: (
                Res(
                    200,
                    self.rows[key].data,
                    {"ETag": self.tag(key), "Content-Type": "text/vcard; charset=utf-8"},
                )
                if key in self.rows
                else None
            ),
        )
        self.on("PUT", self.base + "([^/]+)", self.put)

    def tag(self, key: str) -> str:
        return f'"{hashlib.md5(self.rows[key].data.encode()).hexdigest()}"'

    def fail(self, said: str, name: str) -> Res:
        text = '<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">\n'
        text += f"  <s:exception>Sabre\\DAV\\Exception\\PreconditionFailed</s:exception>\n  <s:message>{said}</s:message>\n"
        return Res(412, f"{text}  <s:header>{name}</s:header>\n</d:error>\n", dict(_DAV))

    def put(self, req, key: str):
        if key in self.rows and req.fields.get("if-none-match") == "*":
            return self.fail(
                "An If-None-Match header was specified, but the ETag matched (or * was specified).",
                "If-None-Match",
            )
        sent, fresh = (req.fields.get("if-match"), key not in self.rows)
        if sent and (fresh or sent != self.tag(key)):
            return self.fail(
                "An If-Match header was specified, but none of the specified ETags matched.", "If-Match"
            )
        self.keep(key, req.body.decode())
        return Res(201 if fresh else 204, b"", {"ETag": self.tag(key), "OC-ETag": self.tag(key)})

    def find(self, req):
        parts = "".join(
            f"<d:response><d:href>{self.base}{key}</d:href><d:propstat><d:prop><d:getetag>{self.tag(key).replace(chr(34), '&quot;')}</d:getetag></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
            for key in self.rows
        )
        return Res(
            207, f'<?xml version="1.0"?>\n<d:multistatus xmlns:d="DAV:">{parts}</d:multistatus>', dict(_DAV)
        )


class Sap(Api):
    """API: an OData service that wants the tag."""

    def __init__(self, service: str, entity: str, things: dict) -> None:
        """Start with what is there."""
        self.entity = entity
        super().__init__(
            lambda req: {
                "sap-processing-info": "ODataBEP=,crp=,RAL=,st=,MedCacheHub=SHM,codeployed=X,softstate=",
                "odata-version": "4.0",
            }
        )
        for key, data in things.items():
            self.keep(key, data, age=80000)
        base = f"/sap/opu/odata4/sap/{service}/srvd_a2x/sap/{self.entity.lower()}/0001/"
        rows(
            self,
            f"{base}{self.entity}\\('([^']+)'\\)",
            show=self.show,
            marks=lambda key: {"ETag": self.tag(key)},
            sent=header("if-match"),
            known=self.tag,
            refuse=lambda req, key: self.fail(
                412, "SADL_ENTITY_RUNTIME/005", "Precondition failed: data was changed meanwhile"
            ),
            need=lambda req, key: self.fail(
                428,
                "SADL_ENTITY_RUNTIME/004",
                "Data cannot be changed without an ETag; provide the If-Match header",
            ),
        )
        self.on(
            "GET",
            base + self.entity,
            lambda req: Res(
                200,
                {
                    "@odata.context": "$metadata#" + self.entity,
                    "value": [self.show(key) for key in self.rows],
                },
            ),
        )
        self.on(
            "GET",
            base,
            lambda req: Res(
                200,
                {"value": [{"name": self.entity, "url": self.entity}]},
                {"x-csrf-token": "5nVw0jTtWvH3T9xQ=="},
            ),
        )

    def tag(self, key: str) -> str:
        return f'''W/"SADL-0{time.strftime("%Y%m%d%H%M%S", time.gmtime(self.rows[key].at))}C~{time.strftime("%Y%m%d%H%M%S", time.gmtime(self.rows[key].at))}"'''

    def show(self, key: str) -> dict:
        return {"@odata.etag": self.tag(key), f"{self.entity}": key, **self.rows[key].data}

    def fail(self, status: int, code: str, said: str) -> Res:
        return Res(
            status,
            {"error": {"code": code, "message": said, "@SAP__common.ExceptionCategory": "Client_Error"}},
        )
