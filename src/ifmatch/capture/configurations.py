"""Recognise and take apart configuration files of web servers and proxies, line by line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ConfigurationLine", "ServerConfiguration", "configuration_kind", "read_configuration"]

_MOST_LINES: Final = 200_000
# What a file of each kind shows, and how many of these signs make it one.
_SIGNS: Final[dict[str, tuple[str, ...]]] = {
    "nginx": (
        r"^\s*(?:http|events|server)\s*\{",
        r"^\s*location\s[^{]*\{",
        r"^\s*proxy_pass\s+\S+;",
        r"^\s*listen\s+[\w.:\[\]*]+[^;]*;",
        r"^# configuration file .*:$",
        r"^\s*(?:gzip|upstream|server_name)\s[^;{]*[;{]",
    ),
    "apache": (
        r"^\s*<(?:VirtualHost|Directory|Location|IfModule|Proxy)\b",
        r"^\s*LoadModule\s+\w+_module\s",
        r"^\s*ProxyPass\s",
        r"^\s*ServerName\s",
        r"^\s*(?:SetOutputFilter|AddOutputFilterByType|RequestHeader|FileETag|CacheEnable)\s",
    ),
    "haproxy": (
        r"^(?:frontend|backend|listen)\s+\S+",
        r"^(?:global|defaults)\s*$",
        r"^\s+(?:bind|server)\s+\S+",
        r"^\s+(?:mode http|balance|compression|http-request|http-response)\b",
    ),
    "varnish": (r"^\s*vcl\s+4\.\d\s*;", r"^\s*sub\s+vcl_\w+\s*\{", r"^\s*backend\s+\w+\s*\{"),
    "caddy": (
        r"^\S*(?::\d+|\.\w{2,})\s*\{\s*$",
        r"^\s+reverse_proxy\s",
        r"^\s+(?:encode|file_server|header|request_header)\b",
        r"^\{\s*$",
    ),
    "envoy": (
        r"^\s*static_resources:",
        r"^\s*-?\s*name:\s*envoy\.filters\.",
        r"^\s*(?:- )?filter_chains:",
        r"^\s*clusters:",
        r"^\s*\"?@type\"?:.*envoy",
    ),
}
# JSON begins so; a block of Caddy's own options has no quotes there.
_OBJECT: Final = late_pattern(rb"\s*\{\s*\"")
_NGINX_FILE = late_pattern(r"^# configuration file (.+):$")


class ConfigurationLine(Frozen, frozen=True):
    """One line that says something.

    Attributes:
        file: that it stands in, as `nginx -T` names it; "" for the source itself.
        number: 1-based, within that file.
        text: as written, blanks at both ends taken off.
        raw: as written.
        position: 0-based index of the line in the source.
    """

    file: str
    number: int
    text: str
    raw: str
    position: int


class ServerConfiguration(Frozen, frozen=True):
    """A configuration file.

    Attributes:
        name: of the source.
        kind: `nginx`, `apache`, `haproxy`, `varnish`, `caddy` or `envoy`.
        lines: that are neither blank nor comments.
        source: all lines as written.
    """

    name: str
    kind: str
    lines: tuple[ConfigurationLine, ...]
    source: tuple[str, ...]


def configuration_kind(head: bytes) -> str | None:
    """Return which server a text configures, None when it is no configuration.

    Args:
        head: the beginning of the file.
    """
    if b"\0" in head or (
        head.lstrip()[:1] in {b"[", b"<"}
        and not head.lstrip().startswith((b"<Virt", b"<If", b"<Dir", b"<Loc"))
    ):
        return None
    if _OBJECT.match(head) or re.search(
        rb"^HTTP/\d|^> (?:GET|PUT|POST|PATCH|DELETE|HEAD) ", head, re.MULTILINE
    ):
        return None
    text = head.decode("utf-8", "replace")
    best, most = None, 1
    for kind, signs in _SIGNS.items():
        found = sum(re.search(sign, text, re.MULTILINE) is not None for sign in signs)
        if found > most or (found == most == 1 and kind == "varnish" and "vcl_" in text):
            best, most = kind, found
    return best


def read_configuration(octets: bytes, name: str, kind: str) -> ServerConfiguration:
    """Take a configuration apart.

    Args:
        octets: the whole file.
        name: of the source.
        kind: of `configuration_kind`.
    """
    source = tuple(octets.decode("utf-8", "replace").splitlines()[:_MOST_LINES])
    return ServerConfiguration(name, kind, tuple(_lines(source, kind)), source)


def _lines(source: tuple[str, ...], kind: str) -> Iterator[ConfigurationLine]:
    file, first = "", 0
    for position, raw in enumerate(source):
        match = _NGINX_FILE.match(raw) if kind == "nginx" else None
        if match is not None:
            file, first = match[1], position + 1
            continue
        text = raw.strip()
        if text and not text.startswith(("#", "//")):
            yield ConfigurationLine(file, position - first + 1, text, raw, position)
