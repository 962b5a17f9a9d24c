"""Django, Flask, FastAPI, Express and json-server: what their own conditional requests do."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from tools.recording_apis.stage import Stage, StoryError, case

_DJANGO, _FLASK, _FASTAPI = "notes_django", "documents_flask", "fastapi_documents"


@case(
    "a165",
    "django-condition-race",
    "check-then-write-race",
    "lost-update",
    alone="none check-then-write-race",
    description=(
        "Two editors send the same tag at the same time; Django's condition decorator checks both before "
        "either view has written: two 200, one change gone."
    ),
)
def race(stage: Stage) -> None:
    """Check both, then write both."""
    server = stage.server("application", app=_DJANGO, GAP="0.15")
    me = stage.actor("client", server, "grants.example.test")
    other = stage.actor("other", server, "grants.example.test", "httpx")
    tag = me.get("/notes/12").etag
    theirs = other.get("/notes/12").etag
    mine = {"title": "Roof repair", "budget": 9500, "status": "draft"}
    yours = {"title": "Roof and gutter repair", "budget": 9000, "status": "draft"}
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(other.put, "/notes/12", yours, 200, {"If-Match": theirs})
        time.sleep(0.03)
        second = pool.submit(me.put, "/notes/12", mine, 200, {"If-Match": tag})
        first.result()
        second.result()
    time.sleep(0.5)
    other.get("/notes/12")


@case(
    "a166",
    "django-workflow-stamps",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "After the save a workflow engine of the service stamps the note, so the tag of the client's own PUT "
        "answer is outdated a moment later; nobody else wrote."
    ),
)
def stamped(stage: Stage) -> None:
    """Save twice while the service edits as well."""
    server = stage.server("application", app=_DJANGO, STAMP="0.4")
    me = stage.actor("client", server, "grants.example.test", "curl")
    tag = me.get("/notes/12").etag
    note = {"title": "Roof repair", "budget": 9800, "status": "submitted"}
    tag = me.put("/notes/12", note, 200, {"If-Match": tag}).etag
    time.sleep(1.2)
    me.put("/notes/12", {**note, "budget": 9900}, 412, {"If-Match": tag})
    me.get("/notes/12")


@case(
    "a167",
    "django-other-writer",
    "other-writer",
    "412",
    alone="other-writer",
    description="Two members of the board edit one note; Django's condition decorator refuses the second.",
)
def other_writer(stage: Stage) -> None:
    """Two people edit one note."""
    server = stage.server("application", app=_DJANGO)
    me = stage.actor("client", server, "grants.example.test", "httpx")
    other = stage.actor("other", server, "grants.example.test", "aiohttp")
    tag = me.get("/notes/13").etag
    theirs = other.get("/notes/13").etag
    time.sleep(0.4)
    note = {"title": "New bicycles", "budget": 2600, "status": "draft"}
    other.put("/notes/13", note, 200, {"If-Match": theirs})
    time.sleep(0.9)
    me.put("/notes/13", {**note, "budget": 2400, "status": "submitted"}, 412, {"If-Match": tag})
    me.get("/notes/13")


@case(
    "a168",
    "django-unquoted-tag-writes",
    "malformed-validator",
    "lost-update",
    alone="malformed-validator precondition-ignored none",
    also="precondition-ignored",
    description=(
        "The client strips the quotes; Django drops what it cannot parse and then has no condition left, "
        "so the outdated write goes through and the other change is gone."
    ),
)
def unquoted(stage: Stage) -> None:
    """Send a tag without quotes."""
    server = stage.server("application", app=_DJANGO)
    me = stage.actor("client", server, "grants.example.test")
    other = stage.actor("other", server, "grants.example.test", "httpx")
    bare = me.get("/notes/12").etag.strip('"')
    theirs = other.get("/notes/12").etag
    note = {"title": "Roof repair", "budget": 9000, "status": "submitted"}
    other.put("/notes/12", note, 200, {"If-Match": theirs})
    time.sleep(0.6)
    me.put("/notes/12", {**note, "budget": 8700, "status": "draft"}, 200, {"If-Match": bare})
    me.get("/notes/12")


@case(
    "a169",
    "django-retry-loop",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token",
    also="other-writer",
    description=(
        "A job retries its refused PUT with growing pauses and the same tag each time, reading nothing."
    ),
)
def retry_loop(stage: Stage) -> None:
    """Retry without reading."""
    server = stage.server("application", app=_DJANGO)
    always = {"User-Agent": "nightly-job/1.0"}
    me = stage.actor("client", server, "grants.example.test", "requests", always)
    other = stage.actor("other", server, "grants.example.test", "httpx")
    tag = me.get("/notes/12").etag
    note = {"title": "Roof repair", "budget": 9000, "status": "approved"}
    other.put("/notes/12", {**note, "budget": 8000}, 200, {"If-Match": other.get("/notes/12").etag})
    for pause in (0.25, 0.5, 1.0, 0.0):
        me.put("/notes/12", note, 412, {"If-Match": tag})
        time.sleep(pause)


@case(
    "a170",
    "django-autosave-self-race",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "An editor's autosave and its save button fire together with one tag: one wins, one is refused."
    ),
)
def self_race(stage: Stage) -> None:
    """Two own writes in flight."""
    server = stage.server("application", app=_DJANGO)
    always = {"User-Agent": "grant-desk/5.2", "X-Session": "s-41a7"}
    me = stage.actor("client", server, "grants.example.test", "requests", always)
    tag = me.get("/notes/12").etag
    note = {"title": "Roof repair", "budget": 9100, "status": "draft"}
    with ThreadPoolExecutor(2) as pool:
        drafts = [note, {**note, "status": "submitted"}]
        sent = [
            pool.submit(me.put, "/notes/12", draft, (200, 412), {"If-Match": tag, "X-Save": str(number)})
            for number, draft in enumerate(drafts)
        ]
        statuses = sorted(one.result().status for one in sent)
    if statuses != [200, 412]:
        raise StoryError(f"both saves came to {statuses}")
    me.get("/notes/12")


@case(
    "a171",
    "django-disjoint-notes-healthy",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two people edit two notes, each with the tag of the own note, and poll the other's with 304s."
    ),
)
def disjoint(stage: Stage) -> None:
    """Edit different notes."""
    server = stage.server("application", app=_DJANGO)
    me = stage.actor("client", server, "grants.example.test")
    other = stage.actor("other", server, "grants.example.test", "httpx")
    mine, yours = me.get("/notes/12"), other.get("/notes/13")
    watched = me.get("/notes/13").etag
    me.get("/notes/13", 304, {"If-None-Match": watched})
    first, second = mine.etag, yours.etag
    for budget in (100, 200):
        first = me.put("/notes/12", {**mine.json, "budget": budget}, 200, {"If-Match": first}).etag
        second = other.put("/notes/13", {**yours.json, "budget": budget}, 200, {"If-Match": second}).etag
    me.get("/notes/13", 200, {"If-None-Match": watched})


@case(
    "a172",
    "werkzeug-star-on-get",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "GET with If-Match: * on a document that exists is 412 from Werkzeug, although RFC 9110 section "
        "13.1.1 makes it true for any current representation."
    ),
)
def star(stage: Stage) -> None:
    """Read only if it exists."""
    server = stage.server("application", app=_FLASK)
    me = stage.actor("client", server, "docs.example.test", "curl:trace-ascii")
    me.get("/documents/7")
    me.get("/documents/7", 412, {"If-Match": "*"})
    me.get("/documents/7")


@case(
    "a173",
    "flask-nonce-in-body",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "Each answer carries a fresh nonce and the tag is a hash of the answer: no tag ever matches again."
    ),
)
def nonce(stage: Stage) -> None:
    """Hash what changes with every request."""
    server = stage.server("application", app=_FLASK, NONCE="1")
    me = stage.actor("client", server, "docs.example.test", "httpx")
    me.get("/documents/7")
    time.sleep(0.2)
    read = me.get("/documents/7")
    body = {"name": "Terms", "text": "Final", "version": 1}
    me.put("/documents/7", body, 412, {"If-Match": read.etag})
    tag = me.get("/documents/7").etag
    me.put("/documents/7", body, 412, {"If-Match": tag})


@case(
    "a174",
    "flask-428",
    "token-missing",
    "428",
    alone="token-missing",
    description="The service insists on If-Match; the client has the tag and sends none, then sends it.",
)
def required(stage: Stage) -> None:
    """Send no condition where one is needed."""
    server = stage.server("application", app=_FLASK, REQUIRE="1")
    me = stage.actor("client", server, "docs.example.test", "curl:trace-time")
    tag = me.get("/documents/8").etag
    body = {"name": "Privacy", "text": "Final of May"}
    me.put("/documents/8", body, 428)
    me.put("/documents/8", body, 200, {"If-Match": tag})


@case(
    "a175",
    "flask-null-tag",
    "null-token",
    "412",
    alone="null-token",
    description="The stored tag was never filled in: the job sends If-Match: None.",
)
def none_tag(stage: Stage) -> None:
    """Send the word None."""
    server = stage.server("application", app=_FLASK)
    me = stage.actor("client", server, "docs.example.test", "requests")
    me.get("/documents/8")
    me.put("/documents/8", {"name": "Privacy", "text": "Final"}, 412, {"If-Match": str(None)})


@case(
    "a176",
    "flask-polling-healthy",
    "none",
    "healthy",
    alone="none",
    description="A dashboard polls a document with 304s, sees a change by somebody, and polls on.",
)
def polling(stage: Stage) -> None:
    """Poll a document."""
    server = stage.server("application", app=_FLASK)
    me = stage.actor("client", server, "docs.example.test", "aiohttp")
    other = stage.actor("other", server, "docs.example.test")
    tag = me.get("/documents/7").etag
    for _ in range(3):
        me.get("/documents/7", 304, {"If-None-Match": tag})
        time.sleep(0.3)
    theirs = other.get("/documents/7").etag
    other.put("/documents/7", {"name": "Terms", "text": "Draft of April"}, 200, {"If-Match": theirs})
    tag = me.get("/documents/7", 200, {"If-None-Match": tag}).etag
    me.get("/documents/7", 304, {"If-None-Match": tag})


@case(
    "a178",
    "fastapi-etag-list",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "If-Match with two tags, one of them current, is 412: fastapi-etag compares the field as one string "
        "instead of reading the list of RFC 9110 section 13.1.1."
    ),
)
def tag_list(stage: Stage) -> None:
    """Send a list."""
    server = stage.server("application", app=_FASTAPI)
    me = stage.actor("client", server, "people.example.test", "httpx")
    first = me.get("/profiles/ada").etag
    body = {"email": "ada@example.test", "newsletter": False}
    me.put("/profiles/ada", body, 200, {"If-Match": first})
    second = me.get("/profiles/ada").etag
    body["email"] = "lovelace@example.test"
    me.put("/profiles/ada", body, 412, {"If-Match": f"{first}, {second}"})
    me.get("/profiles/ada")


@case(
    "a179",
    "fastapi-etag-star",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "PUT with If-Match: * on a profile that exists is 412: fastapi-etag takes the star for a tag."
    ),
)
def fastapi_star(stage: Stage) -> None:
    """Update whatever is there."""
    server = stage.server("application", app=_FASTAPI)
    me = stage.actor("client", server, "people.example.test", "curl")
    me.get("/profiles/ada")
    body = {"email": "ada@example.test", "newsletter": False}
    me.put("/profiles/ada", body, 412, {"If-Match": "*"})
    me.get("/profiles/ada")


@case(
    "a180",
    "fastapi-update-chain-healthy",
    "none",
    "healthy",
    alone="none",
    description="Three updates in a row, each with the tag read just before.",
)
def chain(stage: Stage) -> None:
    """Update again and again."""
    server = stage.server("application", app=_FASTAPI)
    me = stage.actor("client", server, "people.example.test", "aiohttp")
    for newsletter in (False, True, False):
        tag = me.get("/profiles/ada").etag
        body = {"email": "ada@example.test", "newsletter": newsletter}
        me.put("/profiles/ada", body, 200, {"If-Match": tag})
    tag = me.get("/profiles/ada").etag
    me.get("/profiles/ada", 304, {"If-None-Match": tag})


_POSTS = '{"posts":[{"id":1,"title":"Hello","views":3},{"id":2,"title":"World","views":8}]}'


@case(
    "a181",
    "json-server-ignores-if-match",
    "precondition-ignored",
    "lost-update",
    alone="none precondition-ignored",
    description=(
        "json-server never reads If-Match: the outdated PUT is answered 200 and a colleague's title is gone."
    ),
)
def ignored(stage: Stage) -> None:
    """Guard where nobody looks."""
    server = stage.server("json-server", content=_POSTS)
    me = stage.actor("client", server, "mock.example.test")
    other = stage.actor("other", server, "mock.example.test", "httpx")
    tag = me.get("/posts/1").etag
    theirs = other.get("/posts/1").etag
    other.put("/posts/1", {"id": 1, "title": "Hello, world", "views": 3}, 200, {"If-Match": theirs})
    time.sleep(0.8)
    me.put("/posts/1", {"id": 1, "title": "Hello", "views": 4}, 200, {"If-Match": tag})
    me.get("/posts/1")


@case(
    "a182",
    "json-server-own-old-tag-accepted",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    also="stale-stored-token",
    description="A tester writes, then writes again with the tag from before: 200 where 412 is due.",
)
def probed(stage: Stage) -> None:
    """Send a tag that is known to be old."""
    server = stage.server("json-server", content=_POSTS)
    me = stage.actor("client", server, "mock.example.test", "curl")
    tag = me.get("/posts/2").etag
    me.put("/posts/2", {"id": 2, "title": "World", "views": 9}, 200, {"If-Match": tag})
    me.get("/posts/2")
    me.put("/posts/2", {"id": 2, "title": "World!", "views": 8}, 200, {"If-Match": tag})
    me.get("/posts/2")


@case(
    "a183",
    "json-server-browse-healthy",
    "none",
    "healthy",
    alone="none",
    description="Lists, items, 304s, a POST and a PUT without any condition by the only client there is.",
)
def browse(stage: Stage) -> None:
    """Use a mock service."""
    server = stage.server("json-server", content=_POSTS)
    me = stage.actor("client", server, "mock.example.test", "aiohttp")
    tag = me.get("/posts").etag
    me.get("/posts", 304, {"If-None-Match": tag})
    made = me.send("POST", "/posts", 201, None, {"title": "Third", "views": 0}).json["id"]
    me.get(f"/posts/{made}")
    me.put(f"/posts/{made}", {"id": made, "title": "Third", "views": 1}, 200)
    me.get("/posts", 200, {"If-None-Match": tag})


@case(
    "a185",
    "express-put-answer-tag",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "Express puts a tag on every JSON answer, that of a PUT included: it names the text {saved: "
        "true}, not the note. The client takes it for the note's tag and its next save is refused."
    ),
)
def put_answer(stage: Stage) -> None:
    """Take the tag of the wrong answer."""
    server = stage.server("express")
    me = stage.actor("client", server, "memo.example.test")
    tag = me.get("/notes/1").etag
    tag = me.put("/notes/1", {"text": "call the plumber at 9", "pinned": False}, 200, {"If-Match": tag}).etag
    time.sleep(0.5)
    me.put("/notes/1", {"text": "call the plumber at 9", "pinned": True}, 412, {"If-Match": tag})
    me.get("/notes/1")


@case(
    "a186",
    "express-resumed-download-healthy",
    "none",
    "healthy",
    alone="none",
    description="A file is fetched in two ranges with If-Range, then asked for again: 304.",
)
def resume(stage: Stage) -> None:
    """Go on with a download."""
    server = stage.server("express")
    (server.directory / "public" / "manual.txt").write_text("page of the manual\n" * 120)
    me = stage.actor("client", server, "memo.example.test", "curl")
    head = me.send("HEAD", "/files/manual.txt", 200)
    date = head.fields["last-modified"]
    me.send("GET", "/files/manual.txt", 206, {"Range": "bytes=0-999"})
    me.send("GET", "/files/manual.txt", 206, {"Range": "bytes=1000-2279", "If-Range": date})
    me.get("/files/manual.txt", 304, {"If-None-Match": head.etag})


@case(
    "a187",
    "express-weak-tags-healthy",
    "none",
    "healthy",
    alone="none",
    description="Notes are polled with weak tags and 304s, and saved with a tag read just before.",
)
def weak_tags(stage: Stage) -> None:
    """Poll and save."""
    server = stage.server("express")
    me = stage.actor("client", server, "memo.example.test", "httpx")
    tag = me.get("/notes/2").etag
    me.get("/notes/2", 304, {"If-None-Match": tag})
    me.put("/notes/2", {"text": "two tickets", "pinned": True}, 200, {"If-Match": tag})
    fresh = me.get("/notes/2").etag
    me.put("/notes/2", {"text": "three tickets", "pinned": True}, 200, {"If-Match": fresh})
    me.get("/notes/2", 200, {"If-None-Match": fresh})
