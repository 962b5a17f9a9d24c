"""Hold the request that fails, how its server is reached, and what a read beside it looks like."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes, urlsplit, urlunsplit

from ifmatch.capture.redaction.vocabulary import SAFE_FIELDS, SAFE_PREFIXES, SAFE_SUFFIXES, TAG_FIELDS
from ifmatch.errors import InputError
from ifmatch.model.message import Content, Fields, Request
from ifmatch.wire import Route

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ifmatch.capture.curl_command import Operation
    from ifmatch.model.exchange import Exchange

__all__ = ["CONDITIONS", "NEVER", "Failing", "from_exchange", "from_operation"]

CONDITIONS: Final = frozenset(
    {"if-match", "if-none-match", "if-unmodified-since", "if-modified-since", "if-range", "if"}
)
# What describes or conditions the content of a write; a read beside it goes without.
_NOT_ON_READS: Final = CONDITIONS | {
    "content-length", "content-type", "content-encoding", "content-md5", "content-digest", "digest", "expect",
    "transfer-encoding", "prefer", "idempotency-key", "x-http-method-override", "lock-token", "overwrite",
    "destination", "depth", "trailer", "range",
}  # fmt: skip
# A client writes these anew for each connection.
_NOT_REPEATED: Final = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding"})
_AGENT: Final = "ifmatch"
NEVER: Final = '"ifmatch-never"'
"""A tag that no server gives out: a condition on it is false wherever it is evaluated."""


@dataclass(frozen=True, slots=True)
class Failing:
    """A request that fails, and how its server is reached.

    Attributes:
        request: as the program sends it.
        route: how its origin is reached.
        status: what it was answered, as recorded or as the user says.
        recorded: the exchange when it stands in a capture, None when only the command is known.
        follow: whether reads follow redirects within the origin.
    """

    request: Request
    route: Route = field(default_factory=Route)
    status: int = 412
    recorded: Exchange | None = None
    follow: bool = False

    def read(self, *fields: tuple[str, str], method: str = "GET", url: str = "") -> Request:
        """Return a read of the resource as the program would send it, without conditions and content.

        Args:
            fields: replace those of the same name; an empty value takes the field away.
            method: GET, HEAD or OPTIONS.
            url: another one of the same origin; "" for that of the failing request.
        """
        given = {name.lower() for name, _ in fields}
        kept = [
            (name, value)
            for name, value in self.request.fields
            if name.lower() not in _NOT_ON_READS | _NOT_REPEATED | given
        ]
        return Request(
            method, url or self.request.url, Fields([*kept, *(pair for pair in fields if pair[1])])
        )

    @property
    def is_safe(self) -> bool:
        """Tell whether the failing request itself may be sent without asking (RFC 9110 section 9.2.1)."""
        return self.request.method in {"GET", "HEAD", "OPTIONS"}


def from_operation(operation: Operation, status: int = 412) -> Failing:
    """Return the failing request of a curl command.

    Args:
        operation: of the command.
        status: what the user says it was answered.

    Raises:
        InputError: the command uses a scheme of authentication that takes several messages.
    """
    if operation.user is not None and operation.scheme != "basic":
        raise InputError(
            f"--{operation.scheme} needs several messages and is not supported live",
            source="curl command",
            advice="Send the token with -H 'Authorization: ...', or record with curl -v",
        )
    fields = [*operation.fields]
    for name, value in (("User-Agent", _AGENT), ("Accept", "*/*")):
        if name.lower() not in operation.removed and not any(
            key.lower() == name.lower() for key, _ in fields
        ):
            fields.append((name, value))
    url, authorization = _without_userinfo(operation.url.partition("#")[0])
    if authorization and not any(name.lower() == "authorization" for name, _ in fields):
        fields.append(("Authorization", authorization))
    protocols = ("h2", "http/1.1") if operation.http_version.startswith("2") else ("http/1.1",)
    direct = next((_place(one) for one in operation.connect_to), None)
    return Failing(
        request=Request(
            operation.method,
            url,
            Fields(fields),
            None if operation.content is None else Content.from_octets(operation.content),
        ),
        route=Route(
            addresses=operation.resolve,
            direct=direct,
            proxy=operation.proxy,
            unix_socket=operation.unix_socket,
            verify=not operation.insecure,
            certificate_authorities=operation.certificate_authorities,
            client_certificate=operation.client_certificate,
            client_key=operation.client_key,
            application_protocols=protocols,
        ),
        status=status,
        follow=operation.follow,
    )


def _place(connect_to: tuple[str, str, str, str]) -> tuple[str, int] | None:
    _, _, host, port = connect_to
    return (host, int(port)) if host and port else None


def _without_userinfo(url: str) -> tuple[str, str]:
    """Take user and password out of a URL: they go in Authorization, not into messages and journals.

    Args:
        url: absolute.

    Returns:
        The URL without them, and the value of Authorization as curl would send it, "" where there are none.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # is said where it would be sent to
        return url, ""
    userinfo, at, place = parts.netloc.rpartition("@")
    if not at:
        return url, ""
    user, _, password = userinfo.partition(":")
    octets = unquote_to_bytes(user) + b":" + unquote_to_bytes(password)
    return urlunsplit(parts._replace(netloc=place)), f"Basic {b64encode(octets).decode('ascii')}"


def _is_harmless(name: str) -> bool:
    lowered = name.lower()
    return (
        lowered in SAFE_FIELDS | TAG_FIELDS
        or lowered.startswith(SAFE_PREFIXES)
        or lowered.endswith(SAFE_SUFFIXES)
        or lowered in {"origin", "referer"}
    )


def from_exchange(
    exchange: Exchange, *, credentials: Iterable[tuple[str, str]] = (), captured: bool = False
) -> Failing:
    """Return the failing request of a capture; only fields that hold no secret by definition go along.

    Args:
        exchange: the refused request.
        credentials: header fields that the user gives.
        captured: whether the capture's own credentials, cookies and other fields are sent.
    """
    given = list(credentials)
    names = {name.lower() for name, _ in given}
    kept = [
        (name, value)
        for name, value in exchange.request.fields
        if name.lower() not in names | _NOT_REPEATED
        and not name.startswith(":")
        and (captured or _is_harmless(name))
    ]
    url, _ = _without_userinfo(exchange.request.url)
    request = replace(exchange.request, url=url, fields=Fields([*kept, *given]))
    return Failing(request=request, status=exchange.status or 412, recorded=exchange)
