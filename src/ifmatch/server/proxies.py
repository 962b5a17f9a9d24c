"""Tell what servers in front of a service do to its entity tags, from a name or from their configuration.

What each does was measured on Debian 12 with the versions given; see docs/server/checks.md.

Source: RFC 9110 section 8.8.3.3 (content codings and entity tags) and section 7.7 (transformations).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ifmatch.server.concerns import Concern

__all__ = ["PROXIES", "Proxy", "concerns_behind", "concerns_of_configuration"]


@dataclass(frozen=True, slots=True)
class Proxy:
    """What one setting of one program does.

    Attributes:
        cause: id of the cause that it brings about.
        text: what happens to tags and conditions.
        fix: what to change there.
        sign: in a configuration file, where comments are left out.
        unless: in the same file, which takes the effect away; None for nothing.
    """

    cause: str
    text: str
    fix: str
    sign: re.Pattern[str]
    unless: re.Pattern[str] | None = None


def _sign(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.MULTILINE)


_EXEMPT: Final = "Exempt the media types of the API from compression there"

PROXIES: Final[dict[str, Proxy]] = {
    "nginx-gzip": Proxy(
        "etag-weakened",
        "nginx with gzip turns strong tags weak on what it compresses, and If-Match with a weak tag is false",
        f"{_EXEMPT} (gzip_types without application/json), or `gzip off;` in that location",
        _sign(r"^\s*gzip\s+on\s*;"),
    ),
    "nginx-sub-filter": Proxy(
        "validator-stripped",
        "nginx with sub_filter removes the ETag of what it rewrites",
        "Take sub_filter out of the locations of the API",
        _sign(r"^\s*sub_filter\s"),
    ),
    "nginx-proxy-cache": Proxy(
        "stale-cache-read",
        "nginx with proxy_cache evaluates If-Match on reads itself, ignores no-cache of requests, and keeps"
        " what it stored after a PUT",
        "Send Cache-Control: no-cache, private from the API, or `proxy_cache off;` in its locations",
        _sign(r"^\s*proxy_cache\s+(?!off\s*;)"),
    ),
    "apache-deflate": Proxy(
        "etag-suffix-rewrite",
        'Apache with mod_deflate ends tags with -gzip ("abc-gzip") and does not take it off again',
        "DeflateAlterETag NoChange",
        _sign(r"^\s*(?:Set|AddOutput)\w*Filter\w*\s.*\bDEFLATE\b"),
        _sign(r"^\s*DeflateAlterETag\s+NoChange"),
    ),
    "apache-brotli": Proxy(
        "etag-suffix-rewrite",
        'Apache with mod_brotli ends tags with -br ("abc-br") and does not take it off again',
        "BrotliAlterETag NoChange",
        _sign(r"^\s*(?:Set|AddOutput)\w*Filter\w*\s.*\bBROTLI_COMPRESS\b"),
        _sign(r"^\s*BrotliAlterETag\s+NoChange"),
    ),
    "caddy-encode": Proxy(
        "etag-suffix-rewrite",
        'Caddy with encode ends tags with -gzip ("abc-gzip"), and takes it off in If-None-Match only',
        "Match only the paths that are not the API: `encode @static gzip`",
        _sign(r"^\s*encode\s+(?!@)"),
    ),
    "haproxy-compression": Proxy(
        "etag-weakened",
        "HAProxy with compression turns strong tags weak, and If-Match with a weak tag is false",
        "Leave application/json out of `compression type`",
        _sign(r"^\s*compression\s+algo(?:-res)?\s"),
    ),
    "varnish-gzip": Proxy(
        "etag-weakened",
        "Varnish with do_gzip turns strong tags weak for every client, whether it asked for gzip or not",
        "Do not set beresp.do_gzip for the API",
        _sign(r"beresp\.do_gzip\s*=\s*true"),
    ),
    "envoy-compressor": Proxy(
        "validator-stripped",
        "Envoy with the compressor filter removes a strong ETag from what it compresses",
        "Set disable_on_etag_header: true in the filter",
        _sign(r"envoy\.filters\.http\.compressor"),
        _sign(r"disable_on_etag_header:\s*true"),
    ),
    "trafficserver-compress": Proxy(
        "etag-suffix-rewrite",
        'Apache Traffic Server with the compress plugin ends tags with -df ("abc-df")',
        f"{_EXEMPT} (compressible-content-type)",
        _sign(r"^\s*compress\.so\b"),
    ),
}
"""Settings that change tags, by name."""

_COMMENT: Final = re.compile(r"(?m)(?:^|(?<=\s))(?:#|//).*$")


def concerns_behind(names: tuple[str, ...]) -> list[Concern]:
    """Return what the named settings in front of a service do.

    Args:
        names: keys of PROXIES.

    Raises:
        KeyError: when a name is none of them.
    """
    return [_concern(PROXIES[name], name) for name in names]


def concerns_of_configuration(text: str, name: str) -> list[Concern]:
    """Return what a configuration file of a server in front does to tags.

    Args:
        text: of the file: nginx, Apache, Caddy, HAProxy, Varnish, Envoy or Traffic Server.
        name: of the file.
    """
    plain = _COMMENT.sub("", text)
    found: list[Concern] = []
    for key, proxy in PROXIES.items():
        match = proxy.sign.search(plain)
        if match is None or (proxy.unless is not None and proxy.unless.search(plain)):
            continue
        line = plain.count("\n", 0, match.end()) + 1
        found.append(_concern(proxy, f"{key}: {name}, line {line}"))
    return found


def _concern(proxy: Proxy, where: str) -> Concern:
    return Concern(cause=proxy.cause, where=where, text=proxy.text, fix=proxy.fix, is_certain=True)
