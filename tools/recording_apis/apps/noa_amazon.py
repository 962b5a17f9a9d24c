"""Imitations after their documentation: APIs of Amazon Web Services and stores that follow S3."""

# ruff: noqa: ARG002, E501, RUF001 - products need not use all they are handed; error texts stand as documented

from __future__ import annotations

import time
import uuid
from typing import Any, ClassVar
from xml.sax.saxutils import escape

from tools.recording_apis.apps.noa_engine import Api, Record, Request, Response, date, digest


def amazon_error(status: int, code: str, message: str) -> Response:
    """Return an error in Amazon's XML."""
    text = '<?xml version="1.0"?>\n<ErrorResponse xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Error>'
    text += f"<Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    fields = {"Content-Type": "text/xml"}
    return Response(status, f"{text}<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>", fields)


class CloudFront(Api):
    """CloudFront: unquoted tags, and a code of its own when there is none."""

    server: ClassVar[str] = "CloudFront"
    media: ClassVar[str] = "text/xml"

    def key(self, request: Request) -> str:
        """Return the distribution or function."""
        return request.path.removesuffix("/config")

    def tag(self, record: Record, request: Request | None = None) -> str:
        """Return a tag without quotes."""
        return "E" + digest([record.key, record.version], 13).upper()

    def view(self, record: Record) -> object:
        """Return a configuration in XML."""
        inner = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in record.value.items())
        return f'<?xml version="1.0"?>\n<DistributionConfig>{inner}</DistributionConfig>'

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take the elements of a flat document."""
        text = (
            request.body.decode().partition("<DistributionConfig>")[2].partition("</DistributionConfig>")[0]
        )
        found = {}
        while text:
            name, _, rest = text[1:].partition(">")
            found[name], _, text = rest.partition(f"</{name}>")
        return found

    def missing(self, request: Request, record: Record | None) -> Response | None:
        """Ask for a tag."""
        return amazon_error(
            400, "InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource."
        )

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse a tag."""
        return amazon_error(
            412,
            "PreconditionFailed",
            "The request failed because it didn't meet the preconditions in one or more request-header fields.",
        )


class Firewall(Api):
    """WAFv2: a lock token in the body, the next one in the answer."""

    server: ClassVar[str] = "Server"
    media: ClassVar[str] = "application/x-amz-json-1.1"

    def _token(self, record: Record) -> str:
        return str(uuid.UUID(digest([record.key, record.version])))

    def route(self, request: Request) -> Response | None:
        """Answer by the operation's name."""
        target = request.fields.get("x-amz-target", "").rpartition(".")[2]
        asked = request.json
        if target.startswith("List"):
            items = [
                {"Name": one.key, "Id": digest(one.key, 12), "LockToken": self._token(one)}
                for one in self.keys()
            ]
            return Response(200, {"IPSets": items})
        record = self.seen(asked["Name"])
        if record is None:
            return Response(
                400, {"__type": "WAFNonexistentItemException", "Message": "AWS WAF couldn't find it."}
            )
        if target.startswith("Get"):
            return Response(
                200, {"IPSet": {"Name": record.key, **record.value}, "LockToken": self._token(record)}
            )
        if asked.get("LockToken") != self._token(record):
            said = "AWS WAF couldn’t save your changes because someone changed the resource after you started to edit it."
            return Response(
                400, {"__type": "WAFOptimisticLockException", "Message": f"{said} Reapply your changes."}
            )
        made = self.keep(record.key, {**record.value, "Addresses": asked["Addresses"]}, request.who)
        return Response(200, {"NextLockToken": self._token(made)})


class Deleting(Api):
    """An object store after S3 that takes a delete marker for an object, or knows no conditions on writes."""

    server: ClassVar[str] = "nginx"
    media: ClassVar[str] = "application/xml"

    def tag(self, record: Record, request: Request | None = None) -> str:
        """Return a tag of 32 digits."""
        return f'"{digest(record.value)}"'

    def view(self, record: Record) -> object:
        """Return the content."""
        return record.value

    def taken(self, request: Request, old: Record | None) -> Any:
        """Take the content."""
        return request.body.decode()

    def error(self, status: int, code: str, message: str, more: str = "") -> Response:
        """Return an error in XML."""
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message>{more}'
        text += f"<RequestId>{digest(time.time(), 16).upper()}</RequestId></Error>"
        return Response(status, text, {"Content-Type": "application/xml"})

    def absent(self, request: Request) -> Response:
        """Answer when there is no such object."""
        name = escape(request.path.split("/", 2)[2])
        return self.error(404, "NoSuchKey", "The specified key does not exist.", f"<Key>{name}</Key>")

    def wrong(self, request: Request, record: Record | None) -> Response | None:
        """Refuse conditions, or what is there, by flags."""
        if "none" in self.flags and self.asks(request):
            said = "A header you provided implies functionality that is not implemented"
            return self.error(501, "NotImplemented", said, "<Header>If-Match</Header>")
        if "oss" in self.flags and request.fields.get("x-oss-forbid-overwrite") == "true" and record:
            said, code = (
                "The object you specified already exists and can not be overwritten.",
                "<EC>0026-00000002</EC>",
            )
            return self.error(409, "FileAlreadyExists", said, code)
        return None

    def holds(self, request: Request, record: Record | None) -> bool:
        """Take a delete marker for an object."""
        if "marker" in self.flags and record is None and self.history.get(self.key(request)):
            return request.fields.get("if-none-match") != "*"
        return super().holds(request, record)

    def refused(self, request: Request, record: Record | None) -> Response:
        """Refuse a condition."""
        name = "If-None-Match" if "if-none-match" in request.fields else "If-Match"
        said = "At least one of the pre-conditions you specified did not hold"
        return self.error(412, "PreconditionFailed", said, f"<Condition>{name}</Condition>")

    def done(self, request: Request, record: Record, old: Record | None) -> Response:
        """Answer without content."""
        return Response(200, b"", self.validators(record))

    def validators(self, record: Record, request: Request | None = None) -> dict[str, str]:
        """Return tag and date."""
        return {"ETag": self.tag(record), "Last-Modified": date(record.at)}
