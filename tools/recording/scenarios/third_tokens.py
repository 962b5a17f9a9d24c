"""Third batch: what clients do to tokens, and what they send in place of one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording.origin import Habits, Origin, Reply, size_and_time_tag, version_tag
from tools.recording.scenarios.material import RUNBOOK, card, octets
from tools.recording.scenarios.third_writers import uuid_tag
from tools.recording.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording.message import Message
    from tools.recording.origin import Resource

_MERGE = {"Content-Type": "application/merge-patch+json"}
_CARD = {"Content-Type": "text/vcard"}


def number_tag(resource: Resource) -> str:
    """Return the number of the version as the tag."""
    return str(resource.version)


@case(
    "d311",
    "clean-up-deletes-without-looking",
    "unconditional-write",
    "lost-update",
    alone="none unconditional-write",
    also="target-missing",
    description=(
        "A clean-up job lists a draft as empty and deletes it without a guard; an author had just saved "
        "into it with If-Match."
    ),
    client=(200, 204),
    other=(200, 200, 412, 404),
)
def clean_up(stage: Stage) -> None:
    """Delete what was saved a moment ago."""
    origin = stage.origin(Habits(tag=number_tag))
    path = "/drafts/771"
    origin.store(path, {"id": 771, "text": ""})
    front = stage.front("caddy", stage.tap(origin.port))
    me = stage.client(front, "drafts.example.test", "go", {"Authorization": "Bearer janitor"})
    other = stage.other(front, "drafts.example.test", "browser", {"Cookie": "a=9"})
    me.get(path)
    seen = other.get(path)
    time.sleep(0.5)
    saved = other.put(path, {"id": 771, "text": "First paragraph."}, {"If-Match": seen.etag})
    time.sleep(0.8)
    me.send("DELETE", path)
    time.sleep(0.9)
    other.put(path, {"id": 771, "text": "First paragraph. Second."}, {"If-Match": saved.etag})
    other.get(path)


@case(
    "d314",
    "deleted-twice",
    "target-missing",
    "412",
    alone="target-missing",
    description="Two administrators delete one key; the second DELETE with If-Match is 412, the look is 404.",
    client=(200, 412, 404),
    other=(200, 204),
    upstream=(200, 200, 204, 412, 404),
)
def deleted_twice(stage: Stage) -> None:
    """Delete what is gone."""
    origin = stage.origin(Habits(tag=uuid_tag, problem="vendor"))
    path = "/keys/deploy-4"
    origin.store(path, {"name": "deploy-4", "scope": "read"})
    front = stage.front("envoy", stage.tap(origin.port))
    me = stage.client(front, "keys.example.test", "undici", {"authorization": "Bearer ad1"})
    other = stage.other(front, "keys.example.test", "postman", {"Authorization": "Bearer ad2"})
    mine, theirs = me.get(path), other.get(path)
    time.sleep(0.6)
    other.send("DELETE", path, {"If-Match": theirs.etag})
    time.sleep(1.1)
    me.send("DELETE", path, {"If-Match": mine.etag})
    time.sleep(0.2)
    me.send("HEAD", path)


@case(
    "d320",
    "none-from-a-format-string",
    "null-token",
    "412",
    alone="null-token",
    description=(
        "After a PUT answered without ETag the script formats None into the field: If-Match: None on the "
        "next save; with the tag of a GET it passes."
    ),
    client=(200, 204, 412, 200, 204),
)
def none_text(stage: Stage) -> None:
    """Send the word None."""
    origin = stage.origin(Habits(put_status=204, etag_on_write=False, problem="html"))
    path = "/wiki/oncall.md"
    origin.store(path, RUNBOOK, "text/markdown")
    front = stage.front("apache2", stage.tap(origin.port))
    me = stage.client(front, "wiki.example.test", "requests", {"Authorization": "Basic dzp3"})
    kind = {"Content-Type": "text/markdown"}
    read = me.get(path)
    saved = me.put(path, RUNBOOK + "20. Done.\n", {"If-Match": read.etag, **kind})
    time.sleep(0.9)
    me.put(path, RUNBOOK + "20. Done.\n21. Call.\n", {"If-Match": f"{saved.header('ETag')}", **kind})
    fresh = me.get(path)
    me.put(path, RUNBOOK + "20. Done.\n21. Call.\n", {"If-Match": fresh.etag, **kind})


@case(
    "d321",
    "version-zero",
    "null-token",
    "412",
    alone="null-token",
    description=(
        "A list view has no versions, so the model's default 0 goes out as the token of two PATCHes; the "
        "documents are at versions 1 and up."
    ),
    client=(200, 412, 412, 200, 200),
)
def version_zero(stage: Stage) -> None:
    """Send the default of an integer."""
    origin = stage.origin(Habits(tag=number_tag, emit_last_modified=False))
    origin.store("/devices", {"items": [{"id": "a", "name": "Door"}, {"id": "b", "name": "Gate"}]})
    origin.store("/devices/a", {"id": "a", "name": "Door"})
    origin.store("/devices/b", {"id": "b", "name": "Gate"})
    front = stage.front("traefik", stage.tap(origin.port))
    me = stage.client(front, "devices.example.test", "dart", {"Authorization": "Bearer app"})
    me.get("/devices")
    time.sleep(0.5)
    for name in ("a", "b"):
        me.send("PATCH", f"/devices/{name}", {"If-Match": '"0"', **_MERGE}, body='{"zone":"north"}')
        time.sleep(0.3)
    tag = me.get("/devices/b").etag
    me.send("PATCH", "/devices/b", {"If-Match": tag, **_MERGE}, body='{"zone":"north"}')


@case(
    "d323",
    "metadata-tag-for-the-media",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "The tag of a photo's metadata document goes into the PUT of the photo itself; the photo's own tag "
        "is another."
    ),
    client=(200, 412, 200, 204),
)
def metadata_tag(stage: Stage) -> None:
    """Send the neighbour's tag."""
    origin = stage.origin(Habits(tag=uuid_tag, put_status=204))
    origin.store("/photos/31/metadata", {"id": 31, "caption": "Pier", "width": 40})
    origin.store("/photos/31/original", octets(900, 31), "image/png")
    front = stage.front("nginx", stage.tap(origin.port))
    me = stage.client(front, "photos.example.test", "urlsession", {"Authorization": "Bearer p"})
    kind = {"Content-Type": "image/png"}
    meta = me.get("/photos/31/metadata")
    time.sleep(0.7)
    me.put("/photos/31/original", octets(950, 32), {"If-Match": meta.etag, **kind})
    time.sleep(0.3)
    head = me.send("HEAD", "/photos/31/original")
    me.put("/photos/31/original", octets(950, 32), {"If-Match": head.etag, **kind})


@case(
    "d324",
    "two-tabs-one-variable",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "A page with two open cards keeps one variable for the tag: reading the second overwrites it, and "
        "the save of the first carries the second's tag. Vice versa later it fits."
    ),
    client=(200, 200, 412, 200, 200, 200),
)
def one_variable(stage: Stage) -> None:
    """Interleave two documents with one variable."""
    origin = stage.origin(Habits(problem="empty"))
    for name in ("ines", "omar"):
        origin.store(f"/contacts/{name}.vcf", card(name, name.title(), f"{name}@example.org"), "text/vcard")
    front = stage.front("haproxy", stage.tap(origin.port))
    me = stage.client(front, "people.example.test", "browser", {"Cookie": "t=4"})
    tag = me.get("/contacts/ines.vcf").etag
    tag = me.get("/contacts/omar.vcf").etag
    time.sleep(0.8)
    new = card("ines", "Ines D.", "ines@example.org")
    me.put("/contacts/ines.vcf", new, {"If-Match": tag, **_CARD})
    me.put("/contacts/omar.vcf", card("omar", "Omar S.", "omar@example.org"), {"If-Match": tag, **_CARD})
    time.sleep(0.6)
    tag = me.get("/contacts/ines.vcf").etag
    me.put("/contacts/ines.vcf", new, {"If-Match": tag, **_CARD})


@case(
    "d326",
    "upsert-always-creates",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "A client library's save() sends If-None-Match: * for all documents, also for the one it has just "
        "read and edited; its first document, a new one, went through."
    ),
    client=(201, 200, 412, 304, 412),
)
def upsert(stage: Stage) -> None:
    """Update with the guard for creation."""
    origin = stage.origin(Habits(tag=version_tag, fields=(("Server", "Kestrel"),)))
    origin.store("/rooms/2", {"no": 2, "seats": 8})
    me = stage.client(stage.front("envoy", stage.tap(origin.port)), "rooms.example.test", "axios")
    me.put("/rooms/9", {"no": 9, "seats": 4}, {"If-None-Match": "*"})
    tag = me.get("/rooms/2").etag
    time.sleep(0.6)
    me.put("/rooms/2", {"no": 2, "seats": 10}, {"If-None-Match": "*"})
    me.get("/rooms/2", {"If-None-Match": tag})
    time.sleep(0.8)
    me.put("/rooms/2", {"no": 2, "seats": 10}, {"If-None-Match": "*"})


@case(
    "d328",
    "delete-forgets-the-guard",
    "token-missing",
    "428",
    alone="token-missing",
    description=(
        "A console sends If-Match with its PUTs, yet its DELETE bears none: 428; with the tag it is taken."
    ),
    client=(200, 200, 428, 204),
)
def delete_unguarded(stage: Stage) -> None:
    """Delete without a condition."""
    origin = stage.origin(Habits(require=True, tag=size_and_time_tag, problem="plain"))
    path = "/zones/example.org/records/www"
    origin.store(path, {"name": "www", "type": "A", "data": "192.0.2.10"})
    me = stage.client(stage.front("caddy", stage.tap(origin.port)), "dns.example.test", "aiohttp")
    read = me.get(path)
    saved = me.put(path, {"name": "www", "type": "A", "data": "192.0.2.11"}, {"If-Match": read.etag})
    time.sleep(1.2)
    me.send("DELETE", path)
    time.sleep(0.4)
    me.send("DELETE", path, {"If-Match": saved.etag})


@case(
    "d329",
    "conflict-for-no-version",
    "token-missing",
    "409",
    alone="token-missing",
    description=(
        "A service answers 409 to a PATCH without If-Match and says that the request must be conditional; "
        "the same PATCH with the tag passes."
    ),
    client=(200, 409, 200),
)
def conflict_for_none(stage: Stage) -> None:
    """Patch without a condition."""
    origin = stage.origin(Habits(require=True, require_status=409, tag=uuid_tag, emit_last_modified=False))
    path = "/machines/m-4"
    origin.store(path, {"id": "m-4", "power": "on", "labels": {"rack": "r2"}})
    me = stage.client(stage.tap(origin.port), "dc.example.test", "curl", {"Authorization": "Bearer op"})
    read = me.get(path)
    time.sleep(0.7)
    me.send("PATCH", path, _MERGE, body='{"power":"off"}')
    time.sleep(0.5)
    me.send("PATCH", path, {"If-Match": read.etag, **_MERGE}, body='{"power":"off"}')


@case(
    "d330",
    "phone-adds-if-none-match",
    "implicit-precondition",
    "412",
    alone="implicit-precondition create-guard-on-update",
    description=(
        "The phone's HTTP stack has the document in its cache and adds If-None-Match with the stored tag "
        "to the app's PUT and DELETE: 412 each. The same calls of the desktop app go without and pass."
    ),
    client=(200, 304, 412, 412),
    other=(200, 200),
)
def phone(stage: Stage) -> None:
    """Write with a condition out of the platform's cache."""
    origin = stage.origin(Habits(read_fields=(("Cache-Control", "private, max-age=0"),)))
    path = "/profile/avatar-settings"
    origin.store(path, {"shape": "round", "size": 64})
    front = stage.front("nginx", stage.tap(origin.port))
    me = stage.client(front, "profile.example.test", "urlsession", {"Authorization": "Bearer ph"})
    other = stage.other(front, "profile.example.test", "undici", {"authorization": "Bearer ph"})
    tag = me.get(path).etag
    time.sleep(0.9)
    me.get(path, {"If-None-Match": tag})
    me.put(path, {"shape": "square", "size": 64}, {"If-None-Match": tag})
    time.sleep(0.5)
    me.send("DELETE", path, {"If-None-Match": tag})
    time.sleep(0.7)
    other.get(path)
    other.put(path, {"shape": "square", "size": 64})


@case(
    "d332",
    "checkout-ticket-too-old",
    "token-expired",
    "412",
    alone="token-expired",
    description=(
        "Tags are tickets of a session that lives 1.5 s; the save after lunch is refused with 'ticket "
        "expired' though the text is as read; a fresh ticket works."
    ),
    client=(200, 412, 200, 204),
)
def ticket(stage: Stage) -> None:
    """Save with an expired ticket."""
    issued: dict[str, float] = {}

    def check(_: Origin, request: Message) -> Reply | None:
        sent = request.get("If-Match")
        if request.method == "PUT" and sent and time.time() - issued.get(sent, 0.0) > 1.5:
            text = b"<error><code>TicketExpired</code><text>The edit ticket has expired.</text></error>"
            return Reply(412, (("Content-Type", "application/xml"),), text)
        if request.method == "GET":
            issued[f'"tk{len(issued):04d}"'] = time.time()
        return None

    origin = stage.origin(hook=check)
    origin.habits = Habits(
        tag=lambda _: f"tk{len(issued) - 1:04d}",
        emit_last_modified=False,
        put_status=204,
        etag_on_write=False,
    )
    path = "/minutes/board.xml"
    origin.store(path, "<minutes><item>Budget</item></minutes>", "application/xml")
    me = stage.client(stage.front("lighttpd", stage.tap(origin.port)), "board.example.test", "java")
    body = "<minutes><item>Budget approved</item></minutes>"
    kind = {"Content-Type": "application/xml"}
    tag = me.get(path).etag
    time.sleep(2.6)
    me.put(path, body, {"If-Match": tag, **kind})
    tag = me.get(path).etag
    me.put(path, body, {"If-Match": tag, **kind})


@case(
    "d337",
    "two-equal-signs-lost",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "Tags are base64; a configuration parser splits at = and drops what follows: the quote at the end "
        "and the padding are gone. The tag as served passes."
    ),
    client=(200, 412, 412, 200),
)
def base64_tag(stage: Stage) -> None:
    """Send a tag cut at the equals sign."""
    origin = stage.origin(Habits(tag=lambda one: f"AAAAAAAB{one.version}Yw==", emit_last_modified=False))
    path = "/subscriptions/s1/rules/allow"
    origin.store(path, {"name": "allow", "priority": 100, "ports": [443]})
    front = stage.front("varnishd", stage.tap(origin.port))
    me = stage.client(front, "cloud.example.test", "powershell", {"Authorization": "Bearer az"})
    tag = me.get(path).etag
    for _ in range(2):
        time.sleep(0.6)
        me.put(path, {"name": "allow", "priority": 90, "ports": [443]}, {"If-Match": tag.split("=")[0]})
    me.put(path, {"name": "allow", "priority": 90, "ports": [443]}, {"If-Match": tag})
