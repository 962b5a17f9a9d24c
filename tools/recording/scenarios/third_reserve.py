"""Third batch: more stories whose ids fall to the held-out part."""

from __future__ import annotations

import time

from tools.recording.origin import Habits, Resource, size_and_time_tag, version_tag
from tools.recording.scenarios.material import CATALOGUE, card
from tools.recording.scenarios.third_tokens import number_tag
from tools.recording.scenarios.third_writers import uuid_tag
from tools.recording.stage import Stage, case

_MERGE = {"Content-Type": "application/merge-patch+json"}


@case(
    "d315",
    "delete-of-an-edited-card",
    "other-writer",
    "412",
    alone="other-writer",
    description="A DELETE with the tag of a list's detail view meets another's edit; the read shows the new mail.",
    client=(200, 412, 200),
    other=(200, 204),
)
def delete_edited(stage: Stage) -> None:
    """Delete what another has just edited."""
    origin = stage.origin(Habits(tag=size_and_time_tag, put_status=204))
    path = "/cards/ole.vcf"
    origin.store(path, card("o1", "Ole", "ole@example.org"), "text/vcard")
    front = stage.front("apache2", stage.tap(origin.port))
    me = stage.client(front, "cards.example.test", "dart", {"Authorization": "Bearer me"})
    other = stage.other(front, "cards.example.test", "davx5", {"Authorization": "Bearer them"})
    mine, theirs = me.get(path), other.get(path)
    time.sleep(0.4)
    changed = {"If-Match": theirs.etag, "Content-Type": "text/vcard"}
    other.put(path, card("o1", "Ole", "ole@example.net"), changed)
    time.sleep(0.9)
    me.send("DELETE", path, {"If-Match": mine.etag})
    me.get(path)


@case(
    "d316",
    "gateway-gives-up-first",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "nginx answers 504 after a second while the PATCH is applied; the client's repeat with the same "
        "tag and run id is 412, and the read shows that run id."
    ),
    config=("proxy_read_timeout 1s",),
    client=(200, 504, 412, 200),
)
def gateway(stage: Stage) -> None:
    """Repeat after a timeout at the gateway."""
    origin = stage.origin(Habits(tag=number_tag, answer_delay=1.4))
    path = "/batches/b-5"
    origin.store(path, {"batch": "b-5", "rows": 10, "run": "u-1"})
    front = stage.nginx_proxy(stage.tap(origin.port), "proxy_read_timeout 1s;")
    me = stage.client(front, "batches.example.test", "java", {"X-Run": "u-2"})
    tag = me.get(path).etag
    body = '{"rows":20,"run":"u-2"}'
    me.send("PATCH", path, {"If-Match": tag, **_MERGE}, body=body)
    time.sleep(0.9)
    me.send("PATCH", path, {"If-Match": tag, **_MERGE}, body=body)
    me.get(path)


@case(
    "d317",
    "undefined-in-quotes",
    "null-token",
    "412",
    alone="null-token",
    description='A page reads response.etag, which is no member, and sends "undefined" in quotes with each save.',
    client=(200, 412, 200, 412),
)
def undefined(stage: Stage) -> None:
    """Send the word undefined."""
    origin = stage.origin(Habits(tag=uuid_tag))
    path = "/forms/f2"
    origin.store(path, {"form": "f2", "fields": 3})
    me = stage.client(stage.front("envoy", stage.tap(origin.port)), "forms.example.test", "browser")
    for fields in (4, 5):
        me.get(path)
        time.sleep(0.6)
        me.put(path, {"form": "f2", "fields": fields}, {"If-Match": '"undefined"'})


@case(
    "d318",
    "weak-after-gzip-on-a-delete",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "nginx compresses a catalogue and weakens the tag; DELETE with it is refused, with the strong "
        "form from an identity read it is taken."
    ),
    config=("gzip on; gzip_types application/json",),
    client=(200, 412, 200, 204),
)
def weak_delete(stage: Stage) -> None:
    """Delete with a weakened tag."""
    origin = stage.origin(Habits(tag=version_tag, problem="plain"))
    path = "/catalogues/old"
    origin.store(path, CATALOGUE)
    front = stage.nginx_proxy(
        stage.tap(origin.port), "gzip on; gzip_proxied any; gzip_types application/json; gzip_min_length 50;"
    )
    me = stage.client(front, "goods.example.test", "aiohttp")
    tag = me.get(path).etag
    me.send("DELETE", path, {"If-Match": tag})
    time.sleep(0.7)
    tag = me.get(path, {"Accept-Encoding": "identity"}).etag
    me.send("DELETE", path, {"If-Match": tag})


@case(
    "d319",
    "album-wide-version",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope unstable-etag server-side-mutation",
    also="other-writer",
    description=(
        "All photos of an album share the album's version; a caption elsewhere in it refuses the PATCH of "
        "a photo that is as it was."
    ),
    client=(200, 412, 200, 200),
    other=(200, 200),
)
def album(stage: Stage) -> None:
    """Be refused because of another photo."""
    origin = stage.origin()

    def version(_: Resource) -> str:
        return f"album-{sum(one.version for one in origin.resources.values())}"

    origin.habits = Habits(tag=version, emit_last_modified=False)
    for name in ("p1", "p2"):
        origin.store(f"/album/{name}", {"photo": name, "caption": ""})
    front = stage.front("traefik", stage.tap(origin.port))
    me = stage.client(front, "album.example.test", "urlsession", {"Authorization": "Bearer a"})
    other = stage.other(front, "album.example.test", "okhttp", {"Authorization": "Bearer b"})
    mine, theirs = me.get("/album/p1"), other.get("/album/p2")
    other.send("PATCH", "/album/p2", {"If-Match": theirs.etag, **_MERGE}, body='{"caption":"Pier"}')
    time.sleep(0.8)
    for tag in (mine.etag, ""):
        now = tag or me.get("/album/p1").etag
        me.send("PATCH", "/album/p1", {"If-Match": now, **_MERGE}, body='{"caption":"Gull"}')


@case(
    "d322",
    "two-documents-two-tags",
    "none",
    "healthy",
    alone="none",
    description="Two documents by turns, each with its own chain of tags and a 304 now and then; all fits.",
    client=(200, 200, 200, 200, 304, 200, 200, 304),
)
def two_documents(stage: Stage) -> None:
    """Keep two chains apart."""
    origin = stage.origin(Habits(tag=uuid_tag, lower=True))
    paths = ("/pots/1", "/pots/2")
    for path in paths:
        origin.store(path, {"pot": path[-1], "water": 0})
    me = stage.client(stage.front("haproxy", stage.tap(origin.port)), "pots.example.test", "httpx")
    tags = {path: me.get(path).etag for path in paths}
    for turn in (1, 2):
        for path in paths:
            body = f'{{"water":{turn}}}'
            tags[path] = me.send("PATCH", path, {"If-Match": tags[path], **_MERGE}, body=body).etag
            time.sleep(0.2)
        me.get(paths[0], {"If-None-Match": tags[paths[0]]})
