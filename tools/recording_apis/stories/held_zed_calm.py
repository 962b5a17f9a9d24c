"""A scoreboard, bookmarks and job control that work well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.recording_apis.apps import zed_records as records
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "e318",
    "zed-scoreboard-revisions-in-hex",
    "none",
    "healthy",
    alone="none",
    description=(
        "A scoreboard in Twilio Sync: two umpires in turns, each write with the bare hexadecimal revision read last (9, a, "
        "b ...), which comes back unquoted; a document that is not there yet is 404."
    ),
    synthetic=True,
)
def scoreboard(stage: Stage) -> None:
    """Work well."""
    server = place.open_box(
        stage,
        records.Twilio({"court-1": '{"home":3,"away":2}', "court-2": '{"home":0,"away":0}'}),
        "starlette",
        "Twilio Sync",
    )
    form = {"Authorization": "Basic U0sxOnNlYw==", "Content-Type": "application/x-www-form-urlencoded"}
    me = stage.actor("client", server, "sync.twilio.com", "node:axios", form)
    other = stage.actor("other", server, "sync.twilio.com", "urllib", form)
    base = "/v1/Services/IS2d0f6a11bb/Documents"
    me.get(f"{base}?PageSize=50")
    me.get(f"{base}/court-9", 404)
    for number in range(4):
        who = (me, other)[number % 2]
        seen = who.get(f"{base}/court-1").json
        body = f"Data=%7B%22home%22%3A3%2C%22away%22%3A{3 + number}%7D"
        who.send("POST", f"{base}/court-1", 200, {"If-Match": seen["revision"]}, body)
        place.rest(0.3)
    place.sure(me.get(f"{base}/court-1").json["revision"] == "b")
    me.get(f"{base}?PageSize=50")


@case(
    "e286",
    "zed-bookmarks-of-two-devices",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two devices sync bookmarks: versions are decimal seconds of the whole collection, each reads what is newer before "
        "it posts with X-If-Unmodified-Since, and polls in between are 304."
    ),
    synthetic=True,
)
def bookmarks(stage: Stage) -> None:
    """Work well."""
    server = place.open_box(
        stage,
        records.Sync({f"bm{n}AAAAAAAA": f'{{"ciphertext":"q{n}"}}' for n in range(3)}),
        "cheroot",
        "Firefox Sync",
    )
    me = stage.actor(
        "client",
        server,
        "sync-1-us-west1-g.sync.services.mozilla.com",
        "aiohttp",
        {"Authorization": 'Hawk id="eyJub2Rl"'},
    )
    other = stage.actor(
        "other",
        server,
        "sync-1-us-west1-g.sync.services.mozilla.com",
        "node:fetch",
        {"Authorization": 'Hawk id="eyJwaG9u"'},
    )
    base = "/1.5/90213377/storage/bookmarks"
    me.get("/1.5/90213377/info/configuration")
    me.get("/1.5/90213377/info/collections")
    held = [who.get(f"{base}?full=1").fields["x-last-modified"] for who in (me, other)]
    for number in range(3):
        own = number % 2
        who = (me, other)[own]
        since = who.get(f"{base}?full=1&newer={held[own]}").fields["x-last-modified"]
        posted = [{"id": f"bm{number}AAAAAAAA", "payload": f'{{"ciphertext":"z{number}"}}'}]
        done = who.send("POST", base, 200, {"X-If-Unmodified-Since": since}, posted)
        held[own] = done.fields["x-last-modified"]
        who.get(f"{base}?full=1", 304, {"X-If-Modified-Since": held[own]})
        place.rest(0.4)
    me.get(f"{base}?full=1&newer=0")
    me.get("/1.5/90213377/info/collections")


@case(
    "e305",
    "zed-jobs-read-with-and-without-tags",
    "none",
    "healthy",
    alone="none",
    description=(
        "An editor of job control on z/OSMF: looking at a member tells no ETag, opening it for an edit asks for one with "
        "X-IBM-Return-Etag; saves chain on the tags that saves return."
    ),
    synthetic=True,
)
def jobs(stage: Stage) -> None:
    """Work well."""
    members = {
        f"PROD.BILLING.JCL({name})": f"//{name} JOB (ACCT),'BILL',CLASS=A\n//S1 EXEC PGM=IEFBR14\n"
        for name in ("DAILY", "MONTHLY")
    }
    server = place.open_box(stage, records.Zosmf(members), "stdlib", "z/OSMF")
    me = stage.actor(
        "client",
        server,
        "zosmf.bank.example",
        "java",
        {"X-CSRF-ZOSMF-HEADER": "x", "Authorization": "Basic SUJNVVNFUjp4"},
    )
    base = "/zosmf/restfiles/ds"
    me.get(f"{base}?dslevel=PROD.BILLING")
    me.get(f"{base}/PROD.BILLING.JCL/member")
    me.get(f"{base}/PROD.BILLING.JCL(MONTHLY)")
    place.sure("etag" not in me.get(f"{base}/PROD.BILLING.JCL(DAILY)").fields)
    seen = me.get(f"{base}/PROD.BILLING.JCL(DAILY)", 200, {"X-IBM-Return-Etag": "true"})
    tag, text, plain = seen.etag, seen.text, {"Content-Type": "text/plain; charset=UTF-8"}
    for step in ("IDCAMS", "SORT"):
        text += f"//{step} EXEC PGM={step}\n"
        tag = me.put(f"{base}/PROD.BILLING.JCL(DAILY)", text, 204, {**plain, "If-Match": tag}).etag
        place.rest(0.3)
    me.get(f"{base}/PROD.BILLING.JCL(YEARLY)", 404)
    again = me.get(f"{base}/PROD.BILLING.JCL(DAILY)", 200, {"X-IBM-Return-Etag": "true"})
    place.sure(again.etag == tag)
