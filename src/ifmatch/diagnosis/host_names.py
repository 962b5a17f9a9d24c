"""Give one name to hosts that captures call by several: another port, or what a proxy calls an upstream."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ifmatch.diagnosis import tokens
from ifmatch.diagnosis.renamed_paths import rename_paths
from ifmatch.diagnosis.resources import host_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.steps import Step

# A shorter tag says nothing of where it comes from.
_TELLING = 6
# Octets from which on two contents are not the same by chance.
_SAME_CONTENT = 30
_LONG_CONTENT = 120


def _ports(steps: Sequence[Step]) -> dict[str, str]:
    """Return the names of services that are seen under two ports of one host, by the one to replace.

    One path with one tag under both shows that they are one: clients that cannot set Host name the port that
    they were sent to.
    """
    seen: dict[tuple[str, str], set[str]] = {}
    services = {host_of(step.resource) for step in steps if "://" in step.resource}
    if len({urlsplit(one).hostname for one in services}) == len(services):
        return {}
    for step in steps:
        if "://" not in step.resource:
            continue
        tag = step.etag or ""
        telling = len(tokens.opaque(tag)) >= _TELLING
        shown = step.representation.octets if step.representation is not None else b""
        # Versions that stand in contents are not known yet: a content that long is nobody else's.
        if telling or len(shown) >= (_SAME_CONTENT if tag else _LONG_CONTENT):
            host = host_of(step.resource)
            path = step.resource[len(host) :]
            # A short tag is that of many things: then the content has to be the same, too.
            what = tag if telling else f"{tag} {hash(shown)}"
            seen.setdefault((path, what), set()).add(host)
    found: dict[str, str] = {}
    for hosts in seen.values():
        first, *others = sorted(hosts, key=lambda one: (len(one), one))
        for other in others:
            # Only the port may differ: one name under two ports, or under one and none.
            if urlsplit(other).hostname == urlsplit(first).hostname and other != first:
                found[other] = found.get(first, first)
    return found


def share_names(steps: Sequence[Step]) -> None:
    """Give resources seen under an upstream's host name, or another port, the name that clients use.

    Args:
        steps: of all captures, with their hops.
    """
    ports = _ports(steps)
    for step in steps if ports else ():
        host = host_of(step.resource) if "://" in step.resource else ""
        if host in ports:
            step.resource = ports[host] + step.resource[len(host) :]
    names: dict[str, str] = {}
    for step in steps:
        for hop in step.hops:
            here, there = host_of(hop.request.url), host_of(step.exchange.request.url)
            if here != there:
                names.setdefault(here, there)
    clients = {host_of(step.exchange.request.url) for step in steps if step.hops}
    for step in steps if names else ():
        host = host_of(step.resource) if "://" in step.resource else ""
        if host in names and host not in clients:
            step.resource = names[host] + step.resource[len(host) :]
    rename_paths(steps)
