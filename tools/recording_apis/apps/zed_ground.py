# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, ARG002, ARG005, D102, E501, S324 - routes are handed all that they may want
"""Imitations of services in use whose trouble makes no noise, and of some that work well."""

from __future__ import annotations

import hashlib
import itertools
import time

from tools.recording_apis.apps.ray_core import Api, Res, guid, httpdate, iso
from tools.recording_apis.apps.zed_suites import header, rows


class Spring(Api):
    """API: entities as Spring Data REST shows them."""

    def __init__(self, kind: str, things: dict) -> None:
        """Start with what is there."""
        self.kind = kind
        super().__init__(
            lambda req: {"Vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"},
            first=3,
        )
        for key, data in things.items():
            self.keep(key, data, age=8000)
        rows(
            self,
            f"/api/{self.kind}/(\\d+)",
            show=self.show,
            marks=self.marks,
            sent=header("if-match"),
            known=self.tag,
            refuse=lambda req, key: Res(412, b""),
            clean=lambda asked: {k: v for k, v in asked.items() if k != "_links"},
            done=lambda key: Res(204, b"", {"ETag": self.tag(key)}),
        )
        self.on(
            "GET",
            f"/api/{self.kind}",
            lambda req: Res(
                200,
                {
                    "_embedded": {self.kind: [self.show(key) for key in self.rows]},
                    "page": {"size": 20, "totalElements": len(self.rows), "number": 0},
                },
                {"Cache-Control": "no-store"},
            ),
        )
        self.beside()

    def beside(self) -> None:
        self.on(
            "POST",
            "/api/rosters",
            lambda req: Res(
                201,
                {**req.json, "_links": {"self": {"href": "http://berths.port.example/api/rosters/88"}}},
                {"Location": "http://berths.port.example/api/rosters/88"},
            ),
        )
        self.on(
            "GET",
            "/api",
            lambda req: Res(
                200,
                {
                    "_links": {
                        self.kind: {"href": f"http://berths.port.example/api/{self.kind}{{?page,size}}"}
                    }
                },
                {"Cache-Control": "no-store"},
            ),
        )

    def tag(self, key: str) -> str:
        return f'"{self.rows[key].rev}"'

    def show(self, key: str) -> dict:
        link = f"http://berths.port.example/api/{self.kind}/{key}"
        return {**self.rows[key].data, "_links": {"self": {"href": link}, self.kind[:-1]: {"href": link}}}

    def marks(self, key: str) -> dict:
        return {"ETag": self.tag(key), "Content-Type": "application/hal+json"}


class Lrs(Api):
    """API: one node of a record store; its tags hold what only this node knows."""

    def __init__(self, node: str, salt: str, documents: dict) -> None:
        """Start with what is there."""
        self.salt = salt
        super().__init__(lambda req: {"X-Experience-API-Version": "1.0.3", "X-LRS-Node": node})
        for key, data in documents.items():
            self.keep(key, data, age=60000)
        self.on("GET", "/xapi/activities/profile", self.profile)
        self.on(
            "POST",
            "/xapi/statements",
            lambda req: Res(
                200, [guid(req.body.decode())], {"X-Experience-API-Consistent-Through": iso(time.time())}
            ),
        )
        self.on("GET", "/xapi/about", lambda req: Res(200, {"version": ["1.0.3", "1.0.2"]}))

    def profile(self, req):
        asked = req.query
        key = asked.get("profileId")
        if key is None:
            return Res(200, list(self.rows))
        if key not in self.rows:
            return Res(404, b"")
        fields = {
            "ETag": f'"{hashlib.sha1(self.salt.encode() + self.rows[key].octets).hexdigest()}"',
            "Last-Modified": httpdate(self.rows[key].at),
        }
        if req.fields.get("if-none-match") == fields["ETag"]:
            return Res(304, b"", fields)
        return Res(200, self.rows[key].data, fields)


class Notes(Api):
    """API: notes; the list's tag is made anew for each answer, those of the notes are not."""

    def __init__(self, texts: dict) -> None:
        """Start with what is there."""
        super().__init__(
            lambda req: {
                "X-Notes-API-Versions": "0.2, 1.3",
                "Cache-Control": "no-cache, no-store, must-revalidate",
            }
        )
        self.turn = itertools.count(1)
        for number, (key, text) in enumerate(texts.items()):
            self.keep(key, text, age=50000 + number)
        base = "/index.php/apps/notes/api/v1/notes"
        rows(
            self,
            base + "/(\\d+)",
            show=self.show,
            marks=lambda key: {"ETag": f'"{self.tag(key)}"'},
            sent=header("if-match"),
            known=lambda key: f'"{self.tag(key)}"',
            refuse=lambda req, key: Res(412, self.show(key)),
        )
        self.on("GET", base, self.many)
        self.on(
            "GET",
            "/ocs/v2.php/cloud/capabilities",
            lambda req: Res(
                200,
                {
                    "ocs": {
                        "meta": {"status": "ok"},
                        "data": {"capabilities": {"notes": {"api_version": ["0.2", "1.3"]}}},
                    }
                },
            ),
        )

    def tag(self, key: str) -> str:
        return self.rows[key].digest("notes")

    def show(self, key: str) -> dict:
        row = self.rows[key]
        return {
            "id": int(key),
            "etag": self.tag(key),
            "readonly": False,
            "modified": int(row.at),
            "favorite": False,
            "category": "",
            **row.data,
        }

    def many(self, req):
        made = hashlib.md5(f"{next(self.turn)}{time.time()}".encode()).hexdigest()
        return Res(
            200,
            [self.show(key) for key in self.rows],
            {"ETag": f'"{made}"', "Last-Modified": httpdate(max(row.at for row in self.rows.values()))},
        )


class Oracle(Api):
    """API: cloud networks; if-match may be left out."""

    def __init__(self, networks: dict) -> None:
        """Start with what is there."""
        super().__init__(lambda req: {"opc-request-id": guid(f"{time.time()}").replace("-", "").upper()})
        for key, data in networks.items():
            self.keep(key, data, age=880000)
        rows(
            self,
            "/20160918/vcns/([^/]+)",
            show=self.show,
            marks=lambda key: {"etag": self.tag(key)},
            sent=header("if-match"),
            known=self.tag,
            refuse=lambda req, key: Res(412, {"code": "NoEtagMatch", "message": "The etag does not match"}),
            clean=lambda asked: {k: v for k, v in asked.items() if k not in {"id", "lifecycleState", "href"}},
        )
        self.on("POST", "/20160918/vcns/([^/]+)/actions/changeCompartment", self.move)
        self.on("GET", "/20160918/vcns", lambda req: Res(200, [self.show(key) for key in self.rows]))

    def tag(self, key: str) -> str:
        return self.rows[key].digest("oci")[:8]

    def show(self, key: str) -> dict:
        href = f"https://iaas.eu-zurich-1.oraclecloud.com/20160918/vcns/{key}"
        return {"id": key, "lifecycleState": "AVAILABLE", "href": href, **self.rows[key].data}

    def move(self, req, key: str):
        return Res(
            202,
            b"",
            {"etag": self.tag(key), "opc-work-request-id": "ocid1.coreservicesworkrequest.oc1.zrh.aa8k"},
        )


class Zotero(Api):
    """API: a library; a write of many items is 200, whatever became of each."""

    def __init__(self, items: dict) -> None:
        """Start with what is there."""
        super().__init__(lambda req: {"Zotero-API-Version": "3", "Zotero-Schema-Version": "33"})
        self.version, self.at = (24020, {})
        for key, data in items.items():
            self.save_as(key, data)
        self.on("GET POST", "/users/475425/items", self.many)
        self.on(
            "GET",
            "/users/475425/items/([A-Z0-9]+)",
            lambda req, key: Res(200, self.show(key), {"Last-Modified-Version": str(self.at[key])}),
        )
        self.on(
            "GET",
            "/keys/current",
            lambda req: Res(
                200,
                {"userID": 475425, "username": "ilse", "access": {"user": {"library": True, "write": True}}},
            ),
        )

    def save_as(self, key: str, data: dict) -> None:
        self.version += 3
        self.keep(key, data)
        self.at[key] = self.version

    def show(self, key: str) -> dict:
        return {
            "key": key,
            "version": self.at[key],
            "library": {"type": "user", "id": 475425},
            "data": {"key": key, "version": self.at[key], **self.rows[key].data},
        }

    def mark(self) -> dict:
        return {"Last-Modified-Version": str(self.version)}

    def many(self, req):
        if req.method == "GET":
            if req.fields.get("if-modified-since-version") == str(self.version):
                return Res(304, b"", self.mark())
            since = int(req.query.get("since", 0))
            return Res(
                200,
                [self.show(key) for key in self.rows if self.at[key] > since],
                {**self.mark(), "Total-Results": str(len(self.rows))},
            )
        success, failed = ({}, {})
        for number, item in enumerate(req.json):
            key, version = (item["key"], item.get("version"))
            if version != self.at[key]:
                said = f"Item has been modified since specified version (expected {version}, found {self.at[key]})"
                failed[str(number)] = {"key": key, "code": 412, "message": said}
                continue
            self.save_as(
                key, {**self.rows[key].data, **{k: v for k, v in item.items() if k not in {"key", "version"}}}
            )
            success[str(number)] = key
        return Res(
            200,
            {
                "successful": {n: self.show(key) for n, key in success.items()},
                "success": success,
                "unchanged": {},
                "failed": failed,
            },
            self.mark(),
        )
