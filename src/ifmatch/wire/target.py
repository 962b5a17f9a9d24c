"""Say where a request goes: origin, address, proxy, TLS; and connect to it."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ifmatch.errors import ConsentMissingError, IfmatchError, TargetUnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifmatch.wire.limits import Limits
    from ifmatch.wire.policy import ConnectPolicy

__all__ = ["Origin", "Route", "connect", "origin_of"]

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port (RFC 9110 section 4.3.1).

    Attributes:
        scheme: `http` or `https`.
        host: lower case, without brackets.
        port: as used.
    """

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Return the value of Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def origin_of(url: str) -> Origin:
    """Return the origin of a URL.

    Args:
        url: absolute.

    Raises:
        TargetUnreachableError: it is none that can be asked.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise TargetUnreachableError(f"is no URL: {error}", target=url) from None
    if parts.scheme.lower() not in _PORTS or not parts.hostname:
        raise TargetUnreachableError(
            "is no http or https URL", target=url, advice="Write it in full: https://host/path"
        )
    scheme = parts.scheme.lower()
    return Origin(scheme, parts.hostname.lower(), port or _PORTS[scheme])


@dataclass(frozen=True, slots=True)
class Route:
    """How an origin is reached.

    Attributes:
        addresses: of `--resolve`: host and port to addresses; asked before any resolver.
        direct: host and port to connect to in the place of the origin's (`--direct`, `--connect-to`).
        proxy: URL of an HTTP proxy, "" for none.
        proxy_authorization: value of Proxy-Authorization, "" for none.
        unix_socket: path, "" for none.
        verify: whether certificates are checked.
        certificate_authorities: file, "" for those of the system.
        client_certificate: file, "" for none.
        client_key: file, "" when it is in the certificate's.
        application_protocols: for ALPN, best first (RFC 7301).
    """

    addresses: tuple[tuple[str, int, tuple[str, ...]], ...] = ()
    direct: tuple[str, int] | None = None
    proxy: str = ""
    proxy_authorization: str = ""
    unix_socket: str = ""
    verify: bool = True
    certificate_authorities: str = ""
    client_certificate: str = ""
    client_key: str = ""
    application_protocols: tuple[str, ...] = ("http/1.1",)


def connect(
    origin: Origin, route: Route, policy: ConnectPolicy, limits: Limits, clock: Callable[[], float]
) -> tuple[socket.socket, str]:
    """Open a connection to an origin, TLS included.

    Args:
        origin: of the request.
        route: how it is reached.
        policy: is asked about every address before it is connected to.
        limits: time to connect.
        clock: seconds, monotonic.

    Returns:
        The socket and the address it is connected to.

    Raises:
        TargetUnreachableError: at which step it failed, and why.
        ConsentMissingError: from the policy.
    """
    deadline = clock() + limits.connect_seconds
    host, port = route.direct or (origin.host, origin.port)
    if route.proxy:
        proxy = origin_of(route.proxy if "://" in route.proxy else f"http://{route.proxy}")
        host, port = proxy.host, proxy.port
        _check_behind_proxy(origin, route, policy)
    opened, address = (
        _open_local(route.unix_socket, limits.connect_seconds)
        if route.unix_socket
        else _open((host, port), route, policy, deadline, clock)
    )
    try:
        if route.proxy and origin.scheme == "https":
            _tunnel(opened, origin, route)
        if origin.scheme == "https":
            opened = _secured(opened, origin, route)
        opened.settimeout(limits.seconds)
    except BaseException:
        opened.close()
        raise
    return opened, address


def _check_behind_proxy(origin: Origin, route: Route, policy: ConnectPolicy) -> None:
    """Ask the policy about the origin: a proxy stands within, and connects to whatever it is told.

    Raises:
        ConsentMissingError: from the policy, and for a name that only the proxy can resolve.
    """
    if policy.typed or origin.host in policy.allowed:
        return
    try:
        addresses = _addresses(origin.host, origin.port, route)
    except TargetUnreachableError as error:
        raise ConsentMissingError(
            f"{origin.host} can only be resolved by the proxy, and the target stands in a file",
            target=origin.host,
            advice=f"If you mean it: --allow-host {origin.host}",
        ) from error
    for address in addresses:
        policy.check(origin.host, address)


def _open_local(path: str, seconds: float) -> tuple[socket.socket, str]:
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    opened.settimeout(seconds)
    try:
        opened.connect(path)
    except OSError as error:
        opened.close()
        raise TargetUnreachableError(f"cannot be connected to: {_words(error)}", target=path) from error
    return opened, path


def _open(
    place: tuple[str, int], route: Route, policy: ConnectPolicy, deadline: float, clock: Callable[[], float]
) -> tuple[socket.socket, str]:
    host, port = place
    problem: OSError | None = None
    for address in _addresses(host, port, route):
        policy.check(host, address)
        left = deadline - clock()
        if left <= 0:
            break
        try:
            return socket.create_connection((address, port), timeout=left), address
        except OSError as error:
            problem = error
    what = _words(problem) if problem is not None else "no time was left"
    raise TargetUnreachableError(f"cannot be connected to: {what}", target=f"{host}:{port}") from problem


def _addresses(host: str, port: int, route: Route) -> list[str]:
    for name, known, addresses in route.addresses:
        if known == port and name.lower() in {host, "*"}:
            return list(addresses)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TargetUnreachableError(
            f"the name cannot be resolved: {_words(error)}",
            target=host,
            advice="Check the spelling, or use --resolve",
        ) from error
    return list(dict.fromkeys(str(row[4][0]) for row in found))


def _words(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text or type(error).__name__


def _tunnel(opened: socket.socket, origin: Origin, route: Route) -> None:
    """Ask a proxy for a tunnel (RFC 9110 section 9.3.6)."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    lines = [f"CONNECT {host}:{origin.port} HTTP/1.1", f"Host: {host}:{origin.port}"]
    if route.proxy_authorization:
        lines.append(f"Proxy-Authorization: {route.proxy_authorization}")
    opened.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
    head = b""
    while b"\r\n\r\n" not in head:
        octets = opened.recv(4096)
        if not octets or len(head) > 65536:
            raise TargetUnreachableError("the proxy gave no answer to CONNECT", target=route.proxy)
        head += octets
    status = head.split(b"\r\n", 1)[0].decode("latin-1")
    if " 2" not in status[:12]:
        raise TargetUnreachableError(f"the proxy refused the tunnel: {status}", target=route.proxy)


def _context(route: Route) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=route.certificate_authorities or None)
    if not route.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if route.client_certificate:
        context.load_cert_chain(route.client_certificate, route.client_key or None)
    context.set_alpn_protocols(list(route.application_protocols))
    return context


def _secured(opened: socket.socket, origin: Origin, route: Route) -> socket.socket:
    try:
        return _context(route).wrap_socket(opened, server_hostname=origin.host)
    except ssl.SSLCertVerificationError as error:
        raise TargetUnreachableError(
            f"the certificate is not trusted: {error.verify_message}",
            target=origin.authority,
            advice="Name its authority with --cacert FILE; --insecure does not check at all",
        ) from error
    except (OSError, ssl.SSLError) as error:
        raise TargetUnreachableError(f"TLS failed: {_words(error)}", target=origin.authority) from error
    except IfmatchError:
        raise
