"""Dialects that use If-Match with tags and errors of their own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from tools.simulation import topics
from tools.simulation.messages import Request, Response, get
from tools.simulation.skin import Skin
from tools.simulation.store import Condition, opaque

if TYPE_CHECKING:
    from tools.simulation.kernel import World
    from tools.simulation.messages import Answer, Fields
    from tools.simulation.store import Entry


class CloudFront(Skin):
    """AWS CloudFront: XML, `E…` tags, 400 without one."""

    id: ClassVar[str] = "cloudfront"
    creates = False
    fronted = False
    servers = ("cloudfront",)
    clients = ("awsgo", "terraform", "boto3")
    hosts = ("cloudfront.amazonaws.com",)
    topic_choice = (topics.PRICES,)
    missing_status = 400
    guards_creation = False
    guards_presence = False

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.origin_url, self.patch, self.dates, self.answer, self.cache_control = (
            f"https://{self.host}",
            False,
            False,
            "full",
            None,
        )

    def new_key(self) -> str:
        """A distribution id."""
        return "E" + "".join(self.world.rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ123456789") for _ in range(12))

    def url(self, key: str) -> str:
        """Return the URL of a distribution's configuration."""
        return f"{self.origin_url}/2020-05-31/distribution/{key}/config"

    def operation(self, request: Request) -> tuple[str, str]:
        """The key before /config."""
        kind, _ = super().operation(request)
        return kind, request.url.rsplit("/", 2)[-2]

    def tag(self, entry: Entry) -> str:
        """Not quoted."""
        return "E" + opaque(entry, "sha1", "").upper()[:13]

    def condition(self, request: Request) -> Condition | None:
        """The tag as it is."""
        value = get(request.fields, "If-Match")
        return Condition("match", (value,)) if value is not None and request.method != "GET" else None

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412 PreconditionFailed, 400 InvalidIfMatchVersion."""
        del condition, entry, tag
        status, code, text = (
            (400, "InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource.")
            if why in {"required", "malformed"}
            else (
                412,
                "PreconditionFailed",
                "The request failed because it didn't meet the preconditions in one or more request-header fields.",
            )
        )
        body = f'<?xml version="1.0"?>\n<ErrorResponse xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Error><Type>Sender</Type><Code>{code}</Code><Message>{text}</Message></Error><RequestId>{self.world.rng.getrandbits(64):016x}</RequestId></ErrorResponse>'
        return self.json_answer(status, body, "text/xml")


class Box(Skin):
    """Box: bare integers."""

    id: ClassVar[str] = "box"
    body_tokens = True
    creates = False
    fronted = False
    demands = False
    servers = ("nginx",)
    clients = ("requests", "java", "dotnet", "axios")
    hosts = ("api.box.com",)
    token_field = "if-match"
    guards_creation = False

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.origin_url, self.patch, self.dates, self.answer, self.cache_control = (
            f"https://{self.host}",
            False,
            False,
            "full",
            "no-cache, no-store",
        )

    def url(self, key: str) -> str:
        """Return the URL of a file."""
        return f"{self.origin_url}/2.0/files/{key}"

    def new_key(self) -> str:
        """A number."""
        return str(self.world.rng.randrange(10**10, 10**12))

    def tag(self, entry: Entry) -> str:
        """Return 1, 2, 3 and so on."""
        return str(entry.version)

    def validators(self, tag: str | None, modified: str | None) -> Fields:
        """No ETag field."""
        del tag, modified
        return []

    def content(self, entry: Entry, tag: str) -> str:
        """The file with its etag."""
        return json.dumps(
            {
                "type": "file",
                "id": entry.key,
                "etag": tag,
                "sequence_id": tag,
                "name": f"{entry.key[-3:]}.pdf",
                "tags": [f"{name}:{value}" for name, value in entry.document.items()],
            }
        )

    def condition(self, request: Request) -> Condition | None:
        """The integer as it is."""
        value = get(request.fields, "if-match")
        return (
            Condition("match", (value,))
            if value is not None and request.method not in {"GET", "HEAD"}
            else None
        )

    def token_of(self, answer: Answer) -> str | None:
        """Etag of the body."""
        if (
            not isinstance(answer, Response)
            or not isinstance(answer.body, str)
            or '"etag"' not in answer.body
        ):
            return None
        return str(json.loads(answer.body)["etag"])

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412 precondition_failed."""
        del condition, entry, tag, why
        return self.json_answer(
            412,
            json.dumps(
                {
                    "type": "error",
                    "status": 412,
                    "code": "precondition_failed",
                    "help_url": "http://developers.box.com/docs/#errors",
                    "message": "The resource has been modified. Please retrieve the resource again and retry",
                    "request_id": f"{self.world.rng.getrandbits(48):012x}",
                }
            ),
        )


class Calendar(Skin):
    """Google Calendar: tags in the body and the field."""

    id: ClassVar[str] = "google-calendar"
    creates = False
    fronted = False
    demands = False
    servers = ("esf",)
    clients = ("requests", "dotnet", "php", "go")
    hosts = ("www.googleapis.com",)
    guards_creation = False

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.origin_url, self.patch, self.dates, self.answer = f"https://{self.host}", False, False, "full"
        self.cache_control = "private, max-age=0, must-revalidate, no-transform"

    def url(self, key: str) -> str:
        """Return the URL of an event."""
        return f"{self.origin_url}/calendar/v3/calendars/primary/events/{key}"

    def tag(self, entry: Entry) -> str:
        """Twice the time in microseconds, quoted."""
        return f'"{int(entry.modified * 2000) + entry.version}"'

    def content(self, entry: Entry, tag: str) -> str:
        """The event."""
        return json.dumps(
            {
                "kind": "calendar#event",
                "etag": tag,
                "id": entry.key,
                "status": "confirmed",
                "extendedProperties": {
                    "private": {name: str(value) for name, value in entry.document.items()}
                },
            },
            indent=1,
        )

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412 conditionNotMet."""
        del condition, entry, tag, why
        error = {
            "domain": "global",
            "reason": "conditionNotMet",
            "message": "Precondition Failed",
            "locationType": "header",
            "location": "If-Match",
        }
        return self.json_answer(
            412,
            json.dumps(
                {"error": {"errors": [error], "code": 412, "message": "Precondition Failed"}}, indent=1
            ),
        )


class Suffixed(Skin):
    """Tags that end in -gzip by design, and are taken back as they are (Salesforce)."""

    id: ClassVar[str] = "salesforce"
    fronted = False
    demands = False
    clients = ("java", "requests", "axios", "okhttp", "go")
    hosts = ("acme.my.salesforce.com",)
    servers = ("jetty",)
    update_method = "PATCH"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.origin_url, self.patch, self.dates, self.answer, self.cache_control = (
            f"https://{self.host}",
            False,
            True,
            "bare",
            None,
        )

    def url(self, key: str) -> str:
        """Return the URL of an account."""
        return f"{self.origin_url}/services/data/v61.0/sobjects/Account/{key}"

    def tag(self, entry: Entry) -> str:
        """Return a tag that ends in -gzip."""
        return f'"{opaque(entry, "base64", "")}=-gzip"'

    def present(self, entry: Entry, tag: str | None, modified: str | None) -> Response:
        """Compressed."""
        answer = super().present(entry, tag, modified)
        answer.fields += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
        return answer

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412, 400 for a malformed value."""
        del condition, entry, tag
        if why == "malformed":
            return self.json_answer(
                400, '[{"message":"Invalid If-Match value","errorCode":"INVALID_HEADER"}]'
            )
        return Response(412, [("Content-Length", "0")])


class Gocd(Skin):
    """GoCD: the server's own encoder adds --gzip, which it takes off again."""

    id: ClassVar[str] = "gocd"
    demands = False
    clients = ("ruby", "curl", "go", "requests")
    hosts = ("gocd.ci.example",)
    servers = ("jetty",)

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.patch, self.dates, self.answer, self.prefix, self.cache_control = (
            False,
            False,
            "full",
            "/go/api/admin",
            "max-age=0, private, must-revalidate",
        )
        self.scheme = "sha256"
        self.reads = [("Accept", "application/vnd.go.cd.v11+json"), ("Accept-Encoding", "gzip")]
        self.writes = [("Accept", "application/vnd.go.cd.v11+json")]

    def opaque(self, entry: Entry) -> str:
        """The hash and the suffix of the encoder."""
        return f"{super().opaque(entry)}--gzip"

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412 in GoCD's words."""
        del condition, entry, tag, why
        return self.json_answer(
            412,
            json.dumps(
                {
                    "message": "Someone has modified the entity. Please update your copy with the changes and try again."
                }
            ),
        )


class Lrs(Skin):
    """xAPI documents: quoted SHA-1, 409 without a condition."""

    id: ClassVar[str] = "xapi"
    clients = ("axios", "php", "chrome", "requests")
    hosts = ("lrs.academy.example",)
    missing_status = 409

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.patch, self.answer, self.scheme, self.prefix = False, "bare", "sha1", "/xapi"
        self.reads = [("X-Experience-API-Version", "1.0.3")]
        self.writes = list(self.reads)

    def url(self, key: str) -> str:
        """Return the URL of an activity profile."""
        return f"{self.origin_url}/xapi/activities/profile/{key}"

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412; 409 with advice."""
        del condition, entry, tag
        if why == "required":
            return self.json_answer(
                409,
                "No If-Match and If-None-Match headers supplied. Check the current state of the resource and set the If-Match header with its ETag.",
                "text/plain",
            )
        return self.json_answer(400 if why == "malformed" else 412, "Precondition failed", "text/plain")


class Twilio(Skin):
    """Twilio Sync: revisions, numeric codes."""

    id: ClassVar[str] = "twilio-sync"
    creates = False
    fronted = False
    demands = False
    clients = ("php", "axios", "ruby", "requests")
    hosts = ("sync.twilio.com",)
    update_method = "POST"
    guards_creation = False

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.origin_url, self.patch, self.dates, self.answer, self.scheme, self.prefix = (
            f"https://{self.host}",
            False,
            False,
            "full",
            "version",
            "/v1/Services/IS01",
        )
        self.cache_control = None

    def refused(
        self, why: str, condition: Condition | None, entry: Entry | None, tag: str | None
    ) -> Response:
        """412 with 20412 or 54003."""
        del condition, entry, tag
        code, text = (
            (54003, "Invalid If-Match header")
            if why == "malformed"
            else (
                20412,
                "Precondition Failed: The revision of the object does not match the expected revision",
            )
        )
        status = 400 if why == "malformed" else 412
        return self.json_answer(
            status,
            json.dumps(
                {
                    "code": code,
                    "message": text,
                    "more_info": f"https://www.twilio.com/docs/errors/{code}",
                    "status": status,
                }
            ),
        )


HEADERS = (CloudFront, Box, Calendar, Suffixed, Gocd, Lrs, Twilio)
