"""Name resources so that the same one has the same key on every vantage."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlencode

from ifmatch.diagnosis.reading.conditions import QUERY_NOT_IDENTITY
from ifmatch.model.grouped import grouped
from ifmatch.model.places import split

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ifmatch.diagnosis.steps.step import Step

# Parameters of signed URLs: they name who may ask, not what is asked for.
_SIGNING = frozenset(
    {
        "sig",
        "sv",
        "se",
        "sp",
        "sr",
        "st",
        "spr",
        "skoid",
        "sktid",
        "skt",
        "ske",
        "sks",
        "skv",
        "signature",
        "expires",
    }
)
# What the SDKs of a store call the operation by, and the parts of an object that they read one by one.
_OPERATION = "x-id"
_PART, _UPLOAD = "partnumber", "uploadid"
_SIGNING_PREFIXES = ("x-amz-", "x-goog-", "x-oss-", "x-ms-", "awsaccesskeyid", "googleaccessid")


@lru_cache(maxsize=65536)
def resource_key(url: str) -> str:
    """Return the key of the resource that a URL names.

    Scheme and host in lower case, percent-encoding normalised, parameters that carry preconditions,
    signatures or cache busting left out.

    Args:
        url: absolute URL or request target.

    Source: RFC 9110 section 4.2.3 (normalisation), RFC 3986 section 6.2.2.
    """
    parts = split(url)
    path = quote(unquote(parts.path or "/"), safe="/:@!$&'()*+,;=~-._%")
    query = ""
    if parts.query:
        asked = parse_qsl(parts.query, keep_blank_values=True)
        uploads = any(name.lower() == _UPLOAD for name, _ in asked)
        kept = [
            (name, value)
            for name, value in asked
            if name.lower() not in QUERY_NOT_IDENTITY
            and name.lower() != _OPERATION
            and (uploads or name.lower() != _PART)
            and name.lower() not in _SIGNING
            and not name.lower().startswith(_SIGNING_PREFIXES)
        ]
        query = "?" + urlencode(sorted(kept)) if kept else ""
    host = parts.netloc.rpartition("@")[2].lower()
    if host.endswith((":80", ":443")):
        host = host.rpartition(":")[0]
    return f"{parts.scheme.lower()}://{host}{path}{query}" if host else path + query


@lru_cache(maxsize=65536)
def path_of(url: str) -> str:
    """Return the path and query of a resource key."""
    key = resource_key(url)
    parts = split(key)
    return (parts.path or "/") + ("?" + parts.query if parts.query else "")


@lru_cache(maxsize=65536)
def host_of(url: str) -> str:
    """Return scheme and host of a resource key."""
    parts = split(resource_key(url))
    return f"{parts.scheme}://{parts.netloc}"


def bare(url: str) -> str:
    """Return a URL, path or key of a resource without its query, and without a slash at its end."""
    return url.partition("?")[0].rstrip("/")


def last_step(url: str) -> str:
    """Return the last step of the path of a URL or key: what names the thing in its collection."""
    return bare(path_of(url)).rpartition("/")[2]


def parent_of(key: str) -> str:
    """Return the key of the containing collection."""
    return bare(key).rpartition("/")[0] + "/"


def beside_each_other(one: str, two: str) -> bool:
    """Tell whether two resources differ in one step of their paths: the name of what they are of.

    Args:
        one: key of a resource.
        two: key of another.
    """
    if parent_of(one) == parent_of(two):
        return True
    left, right = (bare(key).split("/") for key in (one, two))
    return len(left) == len(right) and sum(a != b for a, b in zip(left, right, strict=True)) == 1


def by_service(steps: Iterable[Step]) -> list[list[Step]]:
    """Return the steps of each service, by the host that they were sent to, in their order.

    Args:
        steps: of a case.
    """
    hosts = grouped((host_of(step.exchange.request.url), step) for step in steps)
    return list(hosts.values())
