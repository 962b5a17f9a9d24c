"""Calm traffic of plain origins behind real intermediaries, by clients of many kinds."""

from __future__ import annotations

import json
import time

from tools.recording.http_dates import format_http_date
from tools.recording.origin import (
    Habits,
    Reply,
    Resource,
    content_tag,
    size_and_time_tag,
    version_tag,
)
from tools.recording.scenarios.material import RUNBOOK, octets
from tools.recording.scenarios.routing import shared
from tools.recording.stage import Stage, case

_JSON = (("Content-Type", "application/json"),)
_MERGE = {"Content-Type": "application/merge-patch+json"}


def _told(status: int, **members: object) -> Reply:
    return Reply(status, _JSON, json.dumps(members).encode())


@case(
    "d620",
    "long-polling-phone-healthy",
    "none",
    "healthy",
    alone="none",
    description="A phone asks for a thread by tag; the answer is 304 at once or the new version; each new tag comes with new content.",
    client=(200, 304, 200, 304, 304, 200),
)
def _long_poll(stage: Stage) -> None:
    origin = stage.origin(Habits(tag=version_tag, emit_last_modified=False, lower=True))
    path = "/threads/77"
    origin.store(path, {"messages": 1})
    me = stage.client(stage.front("traefik", stage.tap(origin.port)), "chat.example.test", "okhttp")
    tag = me.get(path).etag
    for number in (0, 2, 0, 0, 3):
        if number:
            origin.commit(path, json.dumps({"messages": number}).encode())
        tag = me.get(path, {"If-None-Match": tag}).header("ETag") or tag
        time.sleep(0.4)


@case(
    "d621",
    "uploads-and-checks-healthy",
    "none",
    "healthy",
    alone="none expected-control-flow exists-already",
    description="A backup uploads chunks create-only under content names and checks some by HEAD; two chunks are there already (412), which is how it saves time.",
)
def _backup(stage: Stage) -> None:
    origin = stage.origin(Habits(tag=content_tag, problem="empty"))
    for number in (2, 3):
        origin.store(f"/chunks/{number:06x}", octets(300, number), "application/octet-stream")
    me = stage.client(stage.front("haproxy", stage.tap(origin.port)), "backup.example.test", "go")
    for number in range(6):
        me.put(
            f"/chunks/{number:06x}",
            octets(300, number),
            {"If-None-Match": "*", "Content-Type": "application/octet-stream"},
        )
        if number % 2:
            me.send("HEAD", f"/chunks/{number:06x}")


@case(
    "d622",
    "lists-of-tags-healthy",
    "none",
    "healthy",
    alone="none",
    description="A sync engine keeps every tag it has seen and sends the list with each save; the current one is always among them.",
    client=(200, 200, 200, 200, 304),
)
def _tag_lists(stage: Stage) -> None:
    origin = stage.origin(Habits(tag=size_and_time_tag))
    path = "/runbooks/db"
    origin.store(path, RUNBOOK, "text/markdown")
    me = stage.client(stage.front("apache2", stage.tap(origin.port)), "runbooks.example.test", "davx5")
    known = [me.get(path).etag]
    for number in range(3):
        text = f"{RUNBOOK}{number}. Done.\n"
        known.append(me.put(path, text, {"If-Match": ", ".join(known), "Content-Type": "text/markdown"}).etag)
        time.sleep(0.4)
    me.get(path, {"If-None-Match": ", ".join(known)})


@case(
    "d623",
    "weak-compare-by-design-healthy",
    "none",
    "healthy",
    alone="none",
    description="A FHIR server numbers versions in weak tags and compares them weakly, as FHIR has it: three updates in a row pass.",
    client=(200, 200, 200, 200),
)
def _weak(stage: Stage) -> None:
    origin = stage.origin(Habits(tag=lambda one: str(one.version), weak=True, weak_compare=True))
    path = "/fhir/Patient/p-9"
    origin.store(path, {"resourceType": "Patient", "id": "p-9", "active": True}, "application/fhir+json")
    me = stage.client(stage.front("envoy", stage.tap(origin.port)), "fhir.example.test", "java")
    tag = me.get(path).etag
    for active in (False, True, False):
        body = json.dumps({"resourceType": "Patient", "id": "p-9", "active": active})
        tag = me.put(path, body, {"If-Match": tag, "Content-Type": "application/fhir+json"}).etag
        time.sleep(0.3)


@case(
    "d624",
    "dates-that-do-not-move-healthy",
    "none",
    "healthy",
    alone="none",
    description="Reads guarded by If-Unmodified-Since and If-Modified-Since of a file that has not changed for a month: ranges, 304s and whole reads fit together.",
)
def _still(stage: Stage) -> None:
    origin = stage.origin(Habits(emit_etag=False, read_only_ranges=True))
    origin.store("/archive/1987.bin", octets(2400, 7), "application/octet-stream", age=2600000)
    me = stage.client(stage.front("varnishd", stage.tap(origin.port)), "archive.example.test", "curl")
    seen = me.get("/archive/1987.bin").last_modified
    me.get("/archive/1987.bin", {"If-Modified-Since": seen})
    for first in (0, 800, 1600):
        me.get("/archive/1987.bin", {"Range": f"bytes={first}-{first + 799}", "If-Unmodified-Since": seen})
    me.get("/archive/1987.bin", {"If-Modified-Since": format_http_date(time.time())})


@case(
    "d625",
    "agreeing-nodes-and-two-writers-healthy",
    "none",
    "healthy",
    alone="none",
    description="Two agents write two documents through two nodes that share a store and a way to make tags; polls and saves all fit.",
)
def _agreeing(stage: Stage) -> None:
    def tag(one: Resource) -> str:
        return f"{one.version}.{len(one.body)}"

    first, second = shared(stage, Habits(tag=tag), Habits(tag=tag))
    for name in ("north", "south"):
        first.store(f"/gates/{name}", {"gate": name, "open": False})
    front = stage.traefik([stage.tap(first.port, "upstream1"), stage.tap(second.port, "upstream2")])
    me = stage.client(front, "gates.example.test", "postman", {"Cookie": "a=1"})
    other = stage.other(front, "gates.example.test", "ruby", {"Cookie": "a=2"})
    mine, theirs = me.get("/gates/north").etag, other.get("/gates/south").etag
    for state in (True, False, True):
        mine = me.put("/gates/north", {"gate": "north", "open": state}, {"If-Match": mine}).etag
        theirs = other.put("/gates/south", {"gate": "south", "open": state}, {"If-Match": theirs}).etag
        me.get("/gates/north", {"If-None-Match": mine})
        time.sleep(0.3)
