"""Locks, leases, and positions that the server no longer keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.simulation.messages import Request
from tools.simulation.plots.services import SYNC, BlobLeases, WebdavLocks, position
from tools.simulation.stage import Told

if TYPE_CHECKING:
    from tools.simulation.kernel import Flow
    from tools.simulation.messages import Fields
    from tools.simulation.stage import Stage

_INFO = '<?xml version="1.0" encoding="utf-8"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>'
_ACQUIRE: Fields = [("x-ms-lease-action", "acquire"), ("x-ms-lease-duration", "60"), ("Content-Length", "0")]


def webdav_lock(stage: Stage) -> Told:
    """A WebDAV lock: another's, or the own one without the If field."""
    stage.first()
    own = stage.rng.random() < 0.45
    me, rival = stage.editor(), stage.editor("other")
    token = f"opaquelocktoken:{stage.rng.getrandbits(32):08x}-1b2c-4d3e-8f90-{stage.rng.getrandbits(48):012x}"
    url = stage.skin.url(stage.key)
    stage.origin.hooks.append(WebdavLocks(stage.skin, url, token))
    timeout: Fields = [("Timeout", "Second-600"), ("Depth", "0"), ("Content-Type", "application/xml")]
    heals = stage.rng.random() < 0.4

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        holder = me if own else rival
        yield from holder.agent.send(Request("LOCK", url, timeout, _INFO))
        yield from me.agent.think(0.5, 2)
        mine = stage.edit(me.document)
        for _ in range(stage.rng.choice((1, 2))):
            yield from me.save(stage.key, mine)
            yield from me.agent.think(0.3, 2)
        if not own and stage.rng.random() < 0.6:
            yield from me.agent.send(Request("PROPFIND", url, [("Depth", "0")]))
        if heals and own:
            request = stage.skin.write(stage.key, mine, me.token)
            request.fields.append(("If", f"(<{token}>)"))
            yield from me.agent.send(request)
        elif heals:
            yield from rival.agent.send(Request("UNLOCK", url, [("Lock-Token", f"<{token}>")]))
            yield from me.agent.think(0.3, 1)
            yield from me.save(stage.key, mine)

    stage.play(story())
    slug, who = "locked-by-another", "Somebody else holds an exclusive lock"
    if own:
        slug, who = (
            "own-lock-not-named",
            "The client holds a lock itself but does not name it in the If field",
        )
    outcome = "recovered" if heals else "423"
    return Told(
        slug,
        "lease-or-lock",
        outcome,
        ("lease-or-lock",),
        f"{who}: the write with the right tag is refused with 423.",
        bodies=False,
    )


def blob_lease(stage: Stage) -> Told:
    """Azure Blob: a lease that the write does not name, or cannot be had."""
    stage.first()
    me, rival = stage.editor(), stage.editor("other")
    lease = f"{stage.rng.getrandbits(32):08x}-93f1-4c55-a1d2-{stage.rng.getrandbits(48):012x}"
    url = stage.skin.url(stage.key)
    form = stage.rng.choice(("missing", "acquire"))
    stage.origin.hooks.append(BlobLeases(stage, url, lease))
    acquire = Request("PUT", f"{url}?comp=lease", _ACQUIRE)

    def story() -> Flow[None]:
        yield from rival.agent.send(acquire.copy())
        yield from me.agent.think(0.5, 2)
        if form == "acquire":
            for _ in range(stage.rng.choice((1, 2))):
                yield from me.agent.send(acquire.copy())
                yield from me.agent.think(1, 5)
            return
        yield from me.read(stage.key)
        yield from me.agent.think(0.5, 2)
        yield from me.save(stage.key, stage.edit(me.document))
        if stage.rng.random() < 0.5:
            yield from me.agent.think(0.1, 1)
            yield from me.read(stage.key)

    stage.play(story())
    alone: tuple[str, ...] = ("lease-or-lock",)
    outcome, words = "409", "taking one is 409 LeaseAlreadyPresent"
    if form == "missing":
        alone = ("lease-or-lock", "token-missing")
        outcome, words = "412", "the write with the right tag but without its id is 412 LeaseIdMissing"
    return Told(
        f"blob-lease-{form}",
        "lease-or-lock",
        outcome,
        alone,
        f"Another process holds a lease on the blob: {words}.",
        bodies=False,
    )


def watch_too_old(stage: Stage) -> Told:
    """A position that the server no longer keeps: a watch, a list, an index, a sync token."""
    me = stage.editor()
    kubernetes = stage.rng.choice(("watch", "continue"))
    form = {"kubernetes": kubernetes, "etcd-v2": "index"}.get(stage.skin.id, "sync")
    old, now = stage.rng.randrange(1000, 5000), stage.rng.randrange(90000, 99999)
    place = position(stage.skin, form, old, now)
    stage.origin.hooks.append(lambda request: place.answer(stage.skin, request))
    fields: Fields = [("Depth", "1"), ("Content-Type", "application/xml")] if place.body else []

    def story() -> Flow[None]:
        for _ in range(stage.rng.choice((1, 2))):
            yield from me.agent.send(Request(place.method, place.url, list(fields), place.body))
            yield from me.agent.think(0.3, 2)
        fresh = SYNC.format("") if place.body else None
        yield from me.agent.send(Request(place.method, place.fresh, fields, fresh))

    stage.play(story())
    text = f"{place.words} that the server no longer keeps: {place.status}; starting afresh works."
    return Told(f"too-old-{form}", "token-expired", str(place.status), ("token-expired",), text)
