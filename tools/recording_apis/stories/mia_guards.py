"""Guards of too large a scope, of the wrong kind, missing, put there by a layer, or too old."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.mia_setting import around, desk, doc, dump, sure


@case(
    "b412",
    "mia-one-tag-for-the-whole-seating-plan",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    description=(
        "All seats of a hall share one tag (plan-N). Two ushers change different seats; the second is refused although "
        "nobody touched his seat: the re-read shows it unchanged under a new tag, and the neighbours' tag moved too."
    ),
)
def seats(stage: Stage) -> None:
    """Change another seat than the colleague."""
    docs = {
        f"/hall/seats/{row}{n}": doc({"seat": f"{row}{n}", "state": "free"}) for row in "AB" for n in (1, 2)
    }
    server = desk(stage, "starlette", docs, scope="/hall/", scope_name="plan", shape="code", dated=False)
    me = stage.actor("client", server, "tickets.opera.test", "requests", {"X-Usher": "17"})
    other = stage.actor("other", server, "tickets.opera.test", "node", {"X-Usher": "4"})
    tag = me.get("/hall/seats/A1").etag
    sure(holds=me.get("/hall/seats/B2").etag == tag, otherwise="tags of their own")
    theirs = other.get("/hall/seats/B2").etag
    other.put("/hall/seats/B2", {"seat": "B2", "state": "sold"}, 200, {"If-Match": theirs})
    time.sleep(0.4)
    me.put("/hall/seats/A1", {"seat": "A1", "state": "blocked"}, 412, {"If-Match": tag})
    again = me.get("/hall/seats/A1")
    sure(holds=again.json["state"] == "free" and again.etag != tag, otherwise="not as told")
    me.get("/hall/seats/B1")
    me.put("/hall/seats/A1", {"seat": "A1", "state": "blocked"}, 200, {"If-Match": again.etag})


@case(
    "b414",
    "mia-upload-helper-guards-like-create",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "moto's S3: one helper stores new and known objects alike with If-None-Match: *. The menu was stored by the "
        "same run and read a moment ago (200, with a tag), so its update is refused; new objects are created well."
    ),
)
def helper(stage: Stage) -> None:
    """Update with the guard of a creation."""
    server = stage.server("moto")
    signed = (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261127/us-east-1/s3/aws4_request, SignedHeaders=host, "
    )
    me = stage.actor("client", server, "s3.camp.test", "urllib", {"Authorization": f"{signed}Signature=0"})
    star = {"If-None-Match": "*", "Content-Type": "text/markdown"}
    me.put("/camp-kitchen", b"", 200)
    me.put("/camp-kitchen/stew.md", "# Stew\n\n1 kg beans\n", 200, star)
    me.put("/camp-kitchen/bread.md", "# Bread\n\n500 g flour\n", 200, star)
    me.get("/camp-kitchen/stew.md")
    time.sleep(0.7)
    me.put("/camp-kitchen/stew.md", "# Stew\n\n1.2 kg beans\n", 412, star)
    sure(holds="1 kg" in me.get("/camp-kitchen/stew.md").text, otherwise="it was written")
    me.put("/camp-kitchen/porridge.md", "# Porridge\n\n80 g oats\n", 200, star)


@case(
    "b415",
    "mia-client-id-records-with-star",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "Kinto: a client lists its records, edits one, and PUTs it with If-None-Match: *, the guard of its create "
        "helper. Kinto refuses, showing the record that exists: the one the client itself made."
    ),
)
def kinto(stage: Stage) -> None:
    """Update a Kinto record with the guard of a creation."""
    server = stage.server("kinto")
    me = stage.actor("client", server, "sync.todo.test", "requests")
    me.put("/v1/accounts/rosa", {"data": {"password": "quark-stamp"}}, 201)
    me.always = {"Authorization": "Basic cm9zYTpxdWFyay1zdGFtcA=="}
    path = "/v1/buckets/default/collections/tasks/records"
    star = {"If-None-Match": "*"}
    me.put(f"{path}/t-1", {"data": {"text": "buy stamps", "done": False}}, 201, star)
    me.put(f"{path}/t-2", {"data": {"text": "call the smith", "done": False}}, 201, star)
    me.get(f"{path}?_sort=text")
    me.get(f"{path}/t-1")
    me.put(f"{path}/t-1", {"data": {"text": "buy stamps", "done": True}}, 412, star)
    me.get(f"{path}/t-1")


@case(
    "b416",
    "mia-new-api-wants-a-version",
    "token-missing",
    "428",
    alone="token-missing",
    description=(
        "Since its last release the API wants If-Match. An old script reads the vehicles with their tags and PUTs "
        "without a condition: 428 for each of them."
    ),
)
def fleet(stage: Stage) -> None:
    """Write without the condition that is wanted."""
    docs = {f"/vehicles/v{n}": doc({"plate": f"T-{n}40", "km": 1000 * n}) for n in range(1, 5)}
    server = fronts.nginx(
        stage, desk(stage, "flask", docs, needs=428, tag="rev", always={"X-Request-Id": "$id"})
    )
    me = stage.actor("client", server, "fleet.taxi.test", "urllib", {"Authorization": "Bearer garage"})
    around(me, 3)
    for n in range(1, 5):
        seen = me.get(f"/vehicles/v{n}")
        me.put(f"/vehicles/v{n}", {**seen.json, "km": seen.json["km"] + 120}, 428)


@case(
    "b418",
    "mia-cache-layer-adds-if-none-match-to-put",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "The app's HTTP layer adds If-None-Match from its cache to every request for a URL that it knows, saves "
        "included: the reads become 304, and the PUT is refused because the tag is the current one."
    ),
    notes=("The application sets no condition; the layer below does, for reads and writes alike.",),
)
def layer(stage: Stage) -> None:
    """Let a cache add a condition to a write."""
    docs = {
        "/profile/me": doc({"nick": "heron", "mail": "h@birds.test"}),
        "/profile/friends": doc({"count": 12}),
    }
    server = desk(stage, "aiohttp", docs, tag="md5", on_read={"Cache-Control": "private, no-cache"})
    me = stage.actor("client", server, "api.birds.test", "aiohttp", {"User-Agent": "Heron/5.2 (Android 14)"})
    around(me, 2)
    known = {path: {"If-None-Match": me.get(path).etag} for path in docs}
    me.get("/profile/friends", 304, known["/profile/friends"])
    me.get("/profile/me", 304, known["/profile/me"])
    new = {"nick": "grey-heron", "mail": "h@birds.test"}
    me.put("/profile/me", new, 412, known["/profile/me"])
    me.get("/profile/friends", 304, known["/profile/friends"])
    me.get("/profile/me", 304, known["/profile/me"])
    me.put("/profile/me", new, 200, {"Cache-Control": "no-store"})


@case(
    "b420",
    "mia-change-cursor-too-old",
    "token-expired",
    "410",
    alone="token-expired",
    description=(
        "A mirror asks for changes with the cursor of its last visit; cursors are kept for two seconds: 410, expired. "
        "A start without a cursor gives a fresh one, which works."
    ),
)
def cursor(stage: Stage) -> None:
    """Use a cursor that has expired."""
    docs = {f"/items/{n}": doc({"n": n}) for n in range(3)}
    server = desk(stage, "starlette", docs, keeps=2, shape="code")
    me = stage.actor("client", server, "feed.library.test", "httpx", {"X-Mirror": "eu-2"})
    first = me.get("/changes").json["cursor"]
    second = me.get(f"/changes?cursor={first}").json["cursor"]
    for n in range(3):
        me.get(f"/items/{n}")
    time.sleep(2.4)
    me.get(f"/changes?cursor={second}", 410)
    fresh = me.get("/changes").json["cursor"]
    me.get(f"/changes?cursor={fresh}")


@case(
    "b421",
    "mia-radicale-forgets-sync-tokens",
    "token-expired",
    "403",
    alone="token-expired",
    description=(
        "An address book is synced on Radicale, which keeps sync tokens for two seconds here: the sync with the old "
        "token answers 403/409 valid-sync-token; a sync from scratch works."
    ),
)
def sync_token(stage: Stage) -> None:
    """Sync with a token that the server has dropped."""
    server = stage.server("radicale", token_age=2)
    me = stage.actor("client", server, "dav.club.test", "requests", {"Authorization": "Basic bWFyazp4"})
    me.send("MKCOL", "/mark/book/", 201, {"Content-Type": "application/xml"}, _BOOK)

    def card(name: str) -> str:
        return f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{name}\r\nFN:{name}\r\nN:{name};;;;\r\nEND:VCARD\r\n"

    kind = {"Content-Type": "text/vcard"}
    me.put("/mark/book/ada.vcf", card("ada"), 201, {"If-None-Match": "*", **kind})
    first = _token(me.send("REPORT", "/mark/book/", 207, {"Content-Type": "application/xml"}, _sync("")).text)
    me.put("/mark/book/ben.vcf", card("ben"), 201, {"If-None-Match": "*", **kind})
    second = _token(
        me.send("REPORT", "/mark/book/", 207, {"Content-Type": "application/xml"}, _sync(first)).text
    )
    sure(holds=first != second, otherwise="one token")
    time.sleep(3.2)
    me.put("/mark/book/cleo.vcf", card("cleo"), 201, {"If-None-Match": "*", **kind})
    me.send("REPORT", "/mark/book/", 207, {"Content-Type": "application/xml"}, _sync(""))
    me.send("REPORT", "/mark/book/", (403, 409), {"Content-Type": "application/xml"}, _sync(first))
    me.send("REPORT", "/mark/book/", 207, {"Content-Type": "application/xml"}, _sync(""))


_BOOK = (
    '<?xml version="1.0"?><mkcol xmlns="DAV:" xmlns:R="urn:ietf:params:xml:ns:carddav"><set><prop>'
    "<resourcetype><collection/><R:addressbook/></resourcetype></prop></set></mkcol>"
)


def _sync(token: str) -> str:
    return (
        f'<?xml version="1.0"?><sync-collection xmlns="DAV:"><sync-token>{token}</sync-token>'
        "<sync-level>1</sync-level><prop><getetag/></prop></sync-collection>"
    )


def _token(text: str) -> str:
    return text.partition("<sync-token>")[2].partition("<")[0]


@case(
    "b422",
    "mia-locale-of-the-reader",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "A translator reads the French page (its own tag) and saves it without Accept-Language: the server compares "
        "with the English page. With the language of the read on the write it goes through."
    ),
)
def locale(stage: Stage) -> None:
    """Write with the tag of another language."""
    texts = {
        "en": "Opening hours: ten to six",
        "fr": "Ouvert de dix à dix-huit heures",
        "nl": "Open van tien tot zes",
    }
    docs = {"/pages/hours": ("text/plain; charset=utf-8", dump(texts), 864000.0)}
    server = desk(stage, "flask", docs, languages=True, put=204, on_read={"Vary": "Accept-Language"})
    me = stage.actor("client", fronts.caddy(stage, server), "site.bath.test", "requests", {"X-User": "lea"})
    french = {"Accept-Language": "fr", "Content-Language": "fr", "Content-Type": "text/plain; charset=utf-8"}
    tag = me.get("/pages/hours", 200, {"Accept-Language": "fr"}).etag
    new = "Ouvert de dix à dix-neuf heures"
    bare = {name: value for name, value in french.items() if name != "Accept-Language"}
    me.put("/pages/hours", new, 412, {"If-Match": tag, **bare})
    english = me.get("/pages/hours").etag
    sure(holds=english != tag, otherwise="one tag")
    sure(holds=me.get("/pages/hours", 200, {"Accept-Language": "fr"}).etag == tag, otherwise="it has moved")
    me.put("/pages/hours", new, 204, {"If-Match": tag, **french})
