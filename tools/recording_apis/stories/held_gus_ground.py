"""Stories on learning records, keys, libraries, pipelines and WebDAV."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_gus_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "e515",
    "gus-progress-sent-after-a-move",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    description="A record store has moved and answers writes with 302; the client goes on with a GET and takes its 200 for a save.",
    synthetic=True,
)
def moved(stage: Stage) -> None:
    """A PUT that ends as a GET."""
    app = place.script(stage, "gus_basket.js", "learning record store under Fastify", "lrs-moved")
    ours = stage.actor(
        "client",
        app,
        "lrs.akademie.example",
        "requests:follow",
        {"X-Experience-API-Version": "1.0.3", "Authorization": "Basic bHJz"},
    )
    ours.get("/xapi/about")
    ours.send(
        "POST", "/xapi/statements", 200, None, {"verb": {"id": "http://adlnet.gov/expapi/verbs/progressed"}}
    )
    path = (
        "/xapi/activities/profile?activityId=https%3A%2F%2Fkurs.example%2Fbrandschutz&profileId=fortschritt"
    )
    tag = ours.get(path).etag
    ours.put(path, {"stand": "Modul 4", "punkte": 55}, 200, {"If-Match": tag})
    ours.get(path.replace("fortschritt", "einstellungen"))
    place.wait(0.4)
    place.sure(ours.get(path).json["punkte"] == 41)


@case(
    "e488",
    "gus-profile-with-weak-tags-only",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description="A record store gives weak tags only and compares strongly: no guarded write ever gets through.",
    synthetic=True,
)
def weak(stage: Stage) -> None:
    """Weak, whatever is asked for."""
    app = place.script(stage, "gus_basket.js", "learning record store under Fastify", "lrs-weak")
    ours = place.actor(
        stage,
        "client",
        app,
        "lrs.hafenschule.example",
        "perl",
        {"X-Experience-API-Version": "1.0.3", "Authorization": "Basic bHJz"},
    )
    path = (
        "/xapi/activities/profile?activityId=https%3A%2F%2Fkurs.example%2Fbrandschutz&profileId=einstellungen"
    )
    ours.get("/xapi/about")
    ours.get("/xapi/statements?limit=5")
    tag = ours.get(path).etag
    ours.put(path, {"sprache": "pl", "ton": True}, 412, {"If-Match": tag})
    tag = ours.get(path, 200, {"Accept-Encoding": "identity"}).etag
    ours.get(path, 304, {"If-None-Match": tag})
    ours.put(path, {"sprache": "pl", "ton": True}, 412, {"If-Match": tag})
    ours.put(path.replace("einstellungen", "neu"), {"a": 1}, 204, {"If-None-Match": "*"})


@case(
    "e503",
    "gus-key-that-is-there",
    "exists-already",
    "200-false",
    alone="exists-already",
    also="status-dialect-mismatch",
    description="A roll-out registers its halls for the first time with cas=0; one of them is there for long and is told false.",
    synthetic=True,
)
def key(stage: Stage) -> None:
    """A refusal with status 200."""
    app = place.script(stage, "gus_basket.js", "Consul under Fastify", "keys")
    ours = place.actor(stage, "client", app, "consul.werk.example", "node:axios", {"X-Consul-Token": "3f1b"})
    ours.get("/v1/status/leader")
    ours.get("/v1/catalog/services")
    for hall, said in (("halle-ost", b"true"), ("halle-nord", b"false"), ("halle-west", b"true")):
        place.sure(ours.put(f"/v1/kv/ops/deploy/{hall}?cas=0", "v4.19.0", 200).body == said)
    ours.get("/v1/kv/ops/deploy/halle-nord")
    ours.get("/v1/kv/ops/deploy/?recurse")


@case(
    "e495",
    "gus-three-who-want-to-purge",
    "expected-control-flow",
    "412",
    alone="expected-control-flow",
    description="Workers at the edge claim a slot of a schedule in turns; whoever comes later is refused and stands by.",
    synthetic=True,
)
def purge(stage: Stage) -> None:
    """One of two, every round."""
    app = place.script(stage, "gus_basket.js", "Fastly KV under Fastify", "store")
    said = {"Fastly-Key": "x"}
    ours = place.actor(stage, "client", app, "api.rand.example", "bare", said)
    their = place.actor(stage, "other", app, "api.rand.example", "requests", said)
    base = "/resources/stores/kv/2xkq7wd0m5/keys"
    ours.get(f"{base}?prefix=purge-leader")
    for number in range(5):
        slot = f"{base}/purge-leader-{29 + number}"
        wins = number in {1, 4}
        first, second = (ours, their) if wins else (their, ours)
        first.put(f"{slot}?add=true", f'{{"holder":"edge-{"b" if wins else "a"}","ttl":1}}', 200)
        second.put(f"{slot}?add=true", f'{{"holder":"edge-{"a" if wins else "b"}","ttl":1}}', 412)
        if wins:
            ours.send("POST", "/service/9Fq/purge/news", 200)
        place.wait(0.5)


@case(
    "e519",
    "gus-book-held-up-by-other-books",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    also="other-writer",
    description="A client writes one book under the version of the whole library, which others have raised with other items.",
    synthetic=True,
)
def book(stage: Stage) -> None:
    """The book itself is as it was."""
    app = place.script(
        stage, "gus_library.rb", f"Zotero under WEBrick of Ruby {place.ruby_version()}", "zotero"
    )
    said = {"Zotero-API-Key": "P9", "Zotero-API-Version": "3"}
    ours = place.actor(stage, "client", app, "api.biblio.example", "urllib3", said)
    their = place.actor(stage, "other", app, "api.biblio.example", "httpx", said)
    ours.get("/keys/current")
    base = "/groups/90211/items"
    got = ours.get(f"{base}?since=5000")
    version = got.fields["last-modified-version"]
    their.send(
        "POST",
        base,
        200,
        {"If-Unmodified-Since-Version": version},
        [{"key": "B2HHA81L", "extra": "feuille 12b"}],
    )
    their.send(
        "POST",
        base,
        200,
        {"If-Unmodified-Since-Version": str(int(version) + 1)},
        [{"key": "M4T9X0ZC", "extra": "cote 8°"}],
    )
    ours.send(
        "POST", base, 412, {"If-Unmodified-Since-Version": version}, [{"key": "QK7RWE2P", "place": "Gent"}]
    )
    ours.get(f"{base}?since={version}")
    ours.get(f"{base}/QK7RWE2P")


@case(
    "e499",
    "gus-pipeline-told-somebody-changed-it",
    "token-missing",
    "412",
    alone="token-missing",
    description="A script sends a pipeline without If-Match; the server says somebody has modified it, which nobody has.",
    synthetic=True,
)
def pipeline(stage: Stage) -> None:
    """The text of a conflict, without one."""
    app = place.script(stage, "gus_library.rb", f"GoCD under WEBrick of Ruby {place.ruby_version()}", "gocd")
    ours = place.actor(
        stage,
        "client",
        app,
        "gocd.lackwerk.example",
        "curl:trace-time",
        {"Authorization": "bearer 12", "Accept": "application/vnd.go.cd.v11+json"},
    )
    ours.get("/go/api/version", 200, {"Accept": "application/vnd.go.cd.v1+json"})
    path = "/go/api/admin/pipelines/lackierung"
    one = ours.get(path).json
    ours.get("/go/api/pipelines/lackierung/status", 200, {"Accept": "application/vnd.go.cd.v1+json"})
    ours.put(path, {**one, "lock_behavior": "unlockWhenFinished"}, 412)
    ours.get(path)
    ours.put(path, {**one, "lock_behavior": "unlockWhenFinished"}, 412)


@case(
    "e518",
    "gus-sheet-saved-twice-at-once",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description="An editor saves to Apache's WebDAV and at once saves again under the tag it reads, which is weak in its first second.",
)
def sheet(stage: Stage) -> None:
    """A second later it would do."""
    web = fronts.site(
        stage,
        "apache2",
        {"plaene/schicht.txt": "Mo: A\nDi: B\n", "plaene/urlaub.txt": "KW 52\n"},
        fronts.DAV["apache2"],
    )
    ours = place.actor(
        stage, "client", web, "dav.werkstatt.example", "ruby", {"User-Agent": "davfs2/1.6.1 neon/0.32.5"}
    )
    ours.send("OPTIONS", "/plaene/", 200)
    ours.send("PROPFIND", "/plaene/", 207, {"Depth": "1"})
    tag = ours.get("/plaene/schicht.txt").etag
    time.sleep(1.02 - time.time() % 1)
    ours.put("/plaene/schicht.txt", "Mo: A\nDi: B\nMi: A\n", 204, {"If-Match": tag})
    tag = ours.send("HEAD", "/plaene/schicht.txt", 200).etag
    place.sure(tag.startswith("W/"), tag)
    ours.put("/plaene/schicht.txt", "Mo: A\nDi: B\nMi: A\nDo: B\n", 412, {"If-Match": tag})
    ours.get("/plaene/urlaub.txt")
    place.wait(2.0)
    ours.send("HEAD", "/plaene/schicht.txt", 200)
    ours.send("PROPFIND", "/plaene/", 207, {"Depth": "1"})
