"""Files, calendars, contacts and record services: WebDAV, CalDAV, CardDAV, Kinto, Eve, Spring Data, FHIR, Zotero."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from tools.simulation import topics
from tools.simulation.messages import Request, Response, get
from tools.simulation.skin import Skin
from tools.simulation.store import Condition

if TYPE_CHECKING:
    from tools.simulation.kernel import World
    from tools.simulation.messages import Answer, Document, Fields
    from tools.simulation.store import Entry
    from tools.simulation.topics import Topic

_APACHE_412 = '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>412 Precondition Failed</title>\n</head><body>\n<h1>Precondition Failed</h1>\n<p>The precondition on the request\nfor the URL evaluated to false.</p>\n</body></html>\n'
_LIGHTTPD_412 = '<?xml version="1.0" encoding="iso-8859-1"?>\n<!DOCTYPE html>\n<html>\n <head>\n  <title>412 Precondition Failed</title>\n </head>\n <body>\n  <h1>412 Precondition Failed</h1>\n </body>\n</html>\n'
_SABRE = '<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">\n  <s:exception>Sabre\\DAV\\Exception\\PreconditionFailed</s:exception>\n  <s:message>{text}</s:message>\n  <s:header>{field}</s:header>\n</d:error>\n'
_SABRE_TEXTS = {
    "mismatch": "An If-Match header was specified, but none of the specified ETags matched",
    "gone": "An If-Match header was specified and the resource did not exist",
    "exists": "An If-None-Match header was specified, but the ETag matched (or * was specified).",
}


class Dav(Skin):
    """WebDAV files."""

    id: ClassVar[str] = "webdav"
    demands = False
    servers: ClassVar[tuple[str, ...]] = ("apache", "lighttpd", "wsgidav", "sabre")
    clients: ClassVar[tuple[str, ...]] = ("rclone", "nextclouddesktop", "curl", "requests", "java", "excel")
    topic_choice: ClassVar[tuple[Topic, ...]] = (topics.NOTE, topics.PRICES)
    hosts: ClassVar[tuple[str, ...]] = (
        "files.example.test",
        "dav.club.example",
        "cloud.home.example",
        "share.office.example",
    )
    extension: ClassVar[str] = ".txt"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.patch, self.dates, self.cache_control = False, True, None
        name = self.server.name
        self.answer = "tagged" if name == "sabre" else "bare"
        self.scheme = {
            "apache": "mtime",
            "lighttpd": "mtime",
            "sabre": "md5" if world.rng.random() < 0.3 else "revision",
        }.get(name, "inode")
        self.prefix = {"sabre": "/remote.php/dav/files/anna", "apache": "/dav"}.get(name, "/files")

    def url(self, key: str) -> str:
        """Return the URL of a file."""
        return f"{self.origin_url}{self.prefix}/{self.topic.noun}/{key}{self.extension}"

    def operation(self, request: Request) -> tuple[str, str]:
        """As REST, the name without its extension."""
        kind, key = super().operation(request)
        return kind, key.removesuffix(self.extension)

    def absent(self) -> Response:
        """404 in HTML or XML."""
        body = "<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>"
        return self.json_answer(404, body, "text/html; charset=utf-8")

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412 in the words of each server."""
        del entry, tag
        name = self.server.name
        if why == "malformed":
            return self.json_answer(
                400, "<html><head><title>400 Bad Request</title></head></html>", "text/html"
            )
        if why == "required":
            return self.json_answer(428, "Precondition Required", "text/plain")
        if name == "sabre":
            field = condition.field if condition else "If-Match"
            body = _SABRE.replace("{text}", _SABRE_TEXTS.get(why, _SABRE_TEXTS["mismatch"])).replace(
                "{field}", field
            )
            return self.json_answer(412, body, "application/xml; charset=utf-8")
        if name == "radicale":
            return self.json_answer(412, "Precondition failed.", "text/plain")
        if name == "wsgidav":
            return self.json_answer(
                412,
                "<!DOCTYPE HTML><html><head><title>412 Precondition failed</title></head><body><h1>412 Precondition failed</h1></body></html>",
                "text/html; charset=utf-8",
            )
        page = _APACHE_412 if name == "apache" else _LIGHTTPD_412
        return self.json_answer(412, page, "text/html; charset=iso-8859-1")


class Cal(Dav):
    """Calendar objects."""

    id: ClassVar[str] = "caldav"
    servers: ClassVar[tuple[str, ...]] = ("radicale", "sabre")
    clients: ClassVar[tuple[str, ...]] = ("davx5", "thunderbird", "requests")
    topic_choice: ClassVar[tuple[Topic, ...]] = (topics.EVENT,)
    hosts: ClassVar[tuple[str, ...]] = ("cal.example.test", "caldav.family.example", "cloud.home.example")
    extension = ".ics"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.prefix = (
            "/remote.php/dav/calendars/anna/personal" if self.server.name == "sabre" else "/anna/work"
        )
        self.scheme = "sha256" if self.server.name == "radicale" else "revision"
        self.answer = "tagged" if world.rng.random() < 0.7 else "bare"

    def url(self, key: str) -> str:
        """Return the URL of an object."""
        return f"{self.origin_url}{self.prefix}/{key}{self.extension}"


class Card(Cal):
    """Contacts."""

    id: ClassVar[str] = "carddav"
    topic_choice: ClassVar[tuple[Topic, ...]] = (topics.CONTACT,)
    extension = ".vcf"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.prefix = (
            "/remote.php/dav/addressbooks/users/anna/contacts"
            if self.server.name == "sabre"
            else "/anna/contacts"
        )


class Kinto(Skin):
    """Kinto: quoted millisecond tags, a 412 with the current record."""

    id: ClassVar[str] = "kinto"
    demands = False
    servers = ("kinto",)
    clients = ("requests", "aiohttp", "firefox", "curl")
    hosts = ("kinto.example.test", "settings.sync.example")
    refusal_tells = True

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.patch, self.dates, self.answer, self.scheme, self.cache_control = (
            False,
            True,
            "full",
            "millis",
            None,
        )
        self.origin_url = f"https://{self.host}"

    def url(self, key: str) -> str:
        """Return the URL of a record."""
        return f"{self.origin_url}/v1/buckets/team/collections/{self.topic.noun}/records/{key}"

    def opaque(self, entry: Entry) -> str:
        """Milliseconds, unique."""
        return str(int(entry.modified * 1000) + entry.version % 7)

    def content(self, entry: Entry, tag: str) -> str:
        """The record in data."""
        return json.dumps(
            {
                "data": {
                    **entry.document,
                    "id": entry.key,
                    "last_modified": int(tag.strip('"') or 0) if tag.strip('"').isdigit() else 0,
                },
                "permissions": {"write": ["account:anna"]},
            }
        )

    def sent(self, key: str, document: Document, token: str | None) -> str:
        """The record in data."""
        del key, token
        return json.dumps({"data": document})

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412 errno 114 with the existing record; 400 for what is no quoted number."""
        if why == "malformed":
            value = condition.values[0] if condition else ""
            return self.json_answer(
                400,
                json.dumps(
                    {
                        "code": 400,
                        "errno": 107,
                        "error": "Invalid parameters",
                        "message": f"header: If-Match: Invalid value for If-Match. The value should be integer between double quotes. ({value})",
                    }
                ),
            )
        if why == "required":
            return self.json_answer(
                428,
                json.dumps(
                    {
                        "code": 428,
                        "errno": 110,
                        "error": "Precondition Required",
                        "message": "If-Match is required",
                    }
                ),
            )
        details = {"existing": json.loads(self.content(entry, tag or ""))["data"]} if entry else {}
        body = json.dumps(
            {
                "code": 412,
                "errno": 114,
                "error": "Precondition Failed",
                "message": "Resource was modified meanwhile",
                "details": details,
            }
        )
        answer = self.json_answer(412, body)
        answer.fields += self.validators(tag, None)
        return answer


class Eve(Skin):
    """Python Eve: `_etag` in the body, PATCH, If-Match."""

    id: ClassVar[str] = "eve"
    servers = ("werkzeug", "gunicorn")
    clients = ("requests", "axios", "curl", "php")
    hosts = ("eve.example.test", "api.people.example")
    guards_presence = False

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.patch, self.answer, self.scheme, self.dates = True, "full", "sha1", True

    def content(self, entry: Entry, tag: str) -> str:
        """The document with _etag."""
        links = {"self": {"href": f"{self.topic.noun}/{entry.key}", "title": self.topic.noun.title()}}
        return json.dumps(
            {"_id": entry.key, **entry.document, "_etag": tag.strip('"').removeprefix('W/"'), "_links": links}
        )

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412 or 428 in Eve's words."""
        del condition, entry, tag
        words = {
            "required": (428, "To edit a document its etag must be provided using the If-Match header"),
            "gone": (404, "The requested URL was not found on the server."),
            "malformed": (400, "If-Match is malformed"),
        }
        status, text = words.get(why, (412, "Client and server etags don't match"))
        return self.json_answer(
            status, json.dumps({"_status": "ERR", "_error": {"code": status, "message": text}})
        )


class SpringData(Skin):
    """Spring Data REST: tags from @Version."""

    id: ClassVar[str] = "spring-data-rest"
    demands = False
    servers = ("spring",)
    clients = ("java", "axios", "okhttp", "chrome", "curl")
    hosts = ("api.ledger.example", "stock.example.test")

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.scheme, self.dates, self.prefix = "version", world.rng.random() < 0.5, "/api"

    def content(self, entry: Entry, tag: str) -> str:
        """HAL."""
        del tag
        href = self.url(entry.key)
        return json.dumps({**entry.document, "_links": {"self": {"href": href}}}, indent=2)

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412 without content."""
        del condition, entry, tag
        status = {"required": 428, "malformed": 400}.get(why, 412)
        return Response(status, [("Content-Length", "0")])


class Fhir(Skin):
    """FHIR: weak version tags by design."""

    id: ClassVar[str] = "fhir"
    servers = ("jetty", "kestrel", "tomcat")
    clients = ("java", "dotnet", "requests", "okhttp")
    hosts = ("fhir.clinic.example", "hapi.example.test")
    weak_by_dialect = True
    missing_status = 412

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.patch, self.dates, self.answer = False, True, "full"
        self.kind = world.rng.choice(("Patient", "Observation", "Appointment"))
        self.prefix = world.rng.choice(("/fhir", "/r4", "/baseR4"))
        self.form = "json"

    def url(self, key: str) -> str:
        """Return the URL of a resource."""
        return f"{self.origin_url}{self.prefix}/{self.kind}/{key}"

    def tag(self, entry: Entry) -> str:
        """W/"version"."""
        return f'W/"{entry.version}{entry.salt}"'

    def content(self, entry: Entry, tag: str) -> str:
        """The resource with meta."""
        version = tag.removeprefix("W/").strip('"')
        return json.dumps(
            {"resourceType": self.kind, "id": entry.key, "meta": {"versionId": version}, **entry.document},
            separators=(",", ":"),
        )

    def sent(self, key: str, document: Document, token: str | None) -> str:
        """The resource."""
        del token
        return json.dumps({"resourceType": self.kind, "id": key, **document}, separators=(",", ":"))

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412 with an OperationOutcome."""
        current = (tag or "").removeprefix("W/").strip('"')
        del entry
        texts = {
            "required": "If-Match header is required for updates of this resource (versioned-update)",
            "exists": "Resource already exists",
            "malformed": "If-Match is not a weak entity tag",
        }
        sent = condition.values[0] if condition and condition.values else ""
        text = texts.get(
            why,
            f"Version mismatch: expected {sent}, current version is {current}"
            if self.wording % 2
            else "The supplied version is not the current version of the resource",
        )
        status = 400 if why == "malformed" else 412
        body = json.dumps(
            {
                "resourceType": "OperationOutcome",
                "issue": [
                    {
                        "severity": "error",
                        "code": "conflict" if status == 412 else "invalid",
                        "diagnostics": text,
                    }
                ],
            }
        )
        return self.json_answer(status, body, "application/fhir+json;charset=utf-8")


class Zotero(Skin):
    """Zotero: a version of the library or the object in If-Unmodified-Since-Version."""

    id: ClassVar[str] = "zotero"
    fronted = False
    servers = ("zotero",)
    clients = ("requests", "axios", "curl")
    hosts = ("api.zotero.org",)
    token_field = "If-Unmodified-Since-Version"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.origin_url, self.patch, self.dates, self.answer, self.scheme = (
            "https://api.zotero.org",
            False,
            False,
            "tagged",
            "version",
        )
        self.reads = [("Zotero-API-Version", "3")]
        self.writes = [("Zotero-API-Version", "3")]
        self.user = world.rng.randrange(10**5, 10**7)

    def new_key(self) -> str:
        """Eight capitals and digits."""
        return "".join(self.world.rng.choice("23456789ABCDEFGHIJKLMNPQRSTUVWXYZ") for _ in range(8))

    def url(self, key: str) -> str:
        """Return the URL of an item."""
        return f"{self.origin_url}/users/{self.user}/items/{key}"

    def tag(self, entry: Entry) -> str:
        """The version number."""
        return str(20000 + entry.version)

    def condition(self, request: Request) -> Condition | None:
        """The version that must still hold; 0 for new things."""
        value = get(request.fields, "If-Unmodified-Since-Version")
        if get(request.fields, "If-None-Match") == "*":
            return Condition("absent", ("*",))
        if value is None:
            return None
        return Condition(
            "match" if value.isdigit() else "malformed-match", (value,), field="If-Unmodified-Since-Version"
        )

    def validators(self, tag: str | None, modified: str | None) -> Fields:
        """Last-Modified-Version."""
        del modified
        return [("Last-Modified-Version", tag)] if tag else []

    def content(self, entry: Entry, tag: str) -> str:
        """The item with its version."""
        return json.dumps(
            {
                "key": entry.key,
                "version": int(tag) if tag.isdigit() else 0,
                "library": {"type": "user", "id": self.user},
                "data": {"key": entry.key, **entry.document},
            },
            indent=4,
        )

    def token_of(self, answer: Answer) -> str | None:
        """Last-Modified-Version."""
        return answer.field("Last-Modified-Version") if isinstance(answer, Response) else None

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412 with both versions, 428 without any."""
        del entry
        if why == "required":
            return self.json_answer(428, "If-Unmodified-Since-Version not provided", "text/plain")
        if why == "malformed":
            return self.json_answer(400, "Invalid If-Unmodified-Since-Version value", "text/plain")
        sent = condition.values[0] if condition and condition.values else ""
        answer = self.json_answer(
            412,
            f"Item has been modified since specified version (expected {sent}, found {tag})",
            "text/plain",
        )
        answer.fields += [("Last-Modified-Version", tag or "0")]
        return answer


DOCUMENTS = (Dav, Cal, Card, Kinto, Eve, SpringData, Fhir, Zotero)
