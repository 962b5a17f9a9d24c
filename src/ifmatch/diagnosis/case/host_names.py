"""Give one name to hosts that captures call by several: another port, or what a proxy calls an upstream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ifmatch.diagnosis.case.renamed_paths import rename_paths
from ifmatch.diagnosis.case.second_fronts import join_fronts
from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.steps.resources import host_of
from ifmatch.model.late import late_pattern
from ifmatch.model.places import port_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.steps.step import Step

# A shorter tag says nothing of where it comes from.
_TELLING = 6
# Octets from which on two contents are not the same by chance, by themselves and beside something else.
_SAME_CONTENT = 30
_LONG_CONTENT = 120
# How much two hosts must have in common under one path to be two ways to one service.
_ENOUGH = 3
_DOMAIN = 2
_OK = 200
# What tells the names of nodes apart.
_LAST_SIGN = late_pattern(r"(?:\d+|[-_.][a-z])$")


@dataclass(slots=True)
class _Shown:
    """What the answers of one host show under one path."""

    tags: set[str] = field(default_factory=set[str])
    contents: set[bytes] = field(default_factory=set[bytes])
    dates: set[str] = field(default_factory=set[str])
    taken: set[str] = field(default_factory=set[str])
    written: bool = False


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


def _other_ways(steps: Sequence[Step]) -> dict[str, str]:
    """Return what resources are called at the host that clients use, by their names at other hosts.

    Who looks for a fault asks the origin, or one of its nodes, by its own name, and gets what the front has:
    the same tag, content and date under the same path. What is written under such a path makes the two
    hosts one service; of files that several hosts have, such as libraries, only the file is one.
    """
    services = {host_of(step.resource) for step in steps if "://" in step.resource}
    if len(services) <= 1:
        return {}
    shown, used = _by_path(steps)
    found: dict[str, str] = {}
    for path, hosts in shown.items():
        first, *others = sorted(hosts, key=lambda one: (-used[one], len(one), one))
        one_service = {first}
        # What has more in common comes first: the others may be nodes beside it.
        others.sort(key=lambda one: -_alike(first, hosts[first], one, hosts[one]))
        for other in others:
            if max(_alike(one, hosts[one], other, hosts[other]) for one in one_service) < _ENOUGH:
                continue
            one_service.add(other)
            found[other + path] = first + path
            if hosts[first].written or hosts[other].written:
                found[other] = first
    return found


def _by_path(steps: Sequence[Step]) -> tuple[dict[str, dict[str, _Shown]], dict[str, int]]:
    """Return what hosts show under each path, and how often each is asked."""
    shown: dict[str, dict[str, _Shown]] = {}
    used: dict[str, int] = {}
    for step in steps:
        if "://" not in step.resource:
            continue
        host = host_of(step.resource)
        used[host] = used.get(host, 0) + 1
        one = shown.setdefault(step.resource[len(host) :], {}).setdefault(host, _Shown())
        one.written = one.written or step.is_write
        if not (step.read_ok or step.accepted):
            continue
        if step.accepted and step.guard is not None:
            # What a host compares with is its own.
            one.taken.update(tokens.base(token) for token in step.guard.tokens)
        if step.etag is not None:
            one.tags.add(tokens.base(step.etag))
        if step.method == "GET" and step.status == _OK and step.content is not None:
            one.contents.add(step.content.octets)
        if (date := step.header("last-modified")) is not None:
            one.dates.add(date)
    return shown, used


def _alike(one: str, left: _Shown, two: str, right: _Shown) -> int:
    """Return how much two hosts have in common: their names, and what they show under one path.

    A copy, as a staging system has it, shows one content under tags of its own: only a date in common, or
    names that number nodes, make two nodes of two such hosts.
    """
    taken = (left.taken & right.tags) | (left.tags & right.taken)
    tags = (left.tags & right.tags) | taken
    longest = max((len(tag) for tag in tags), default=0)
    telling = _DOMAIN if longest >= _TELLING or len(tags) > 1 or taken else len(tags)
    dated, numbered = bool(left.dates & right.dates), _numbered(one, two)
    if left.tags and right.tags and not (tags or dated or numbered):
        return 0
    content = max((len(octets) for octets in left.contents & right.contents), default=0)
    same = _DOMAIN if content >= _SAME_CONTENT else content > 0
    return telling + same + dated + numbered + _one_domain(one, two)


def _numbered(one: str, two: str) -> bool:
    """Tell whether two hosts are called alike but for a number or letter, as nodes are."""
    left, right = (
        _LAST_SIGN.sub("", (urlsplit(each).hostname or "").partition(".")[0]) for each in (one, two)
    )
    return bool(left) and left == right and port_in(one) == port_in(two)


def _one_domain(one: str, two: str) -> bool:
    """Tell whether two hosts have names of one domain."""
    left, right = ((urlsplit(each).hostname or "").split(".") for each in (one, two))
    named = not left[-1].isdigit() and not right[-1].isdigit()
    return named and min(len(left), len(right)) >= _DOMAIN and left[-_DOMAIN:] == right[-_DOMAIN:]


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
    ways = _other_ways(steps)
    for step in steps if ways else ():
        host = host_of(step.resource) if "://" in step.resource else ""
        name = ways.get(step.resource) or (ways[host] + step.resource[len(host) :] if host in ways else "")
        if name:
            step.resource = name
            step.node = step.node or urlsplit(host).netloc
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
    join_fronts(steps)
