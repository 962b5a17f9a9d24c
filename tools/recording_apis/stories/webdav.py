"""WebDAV with WsgiDAV: files, moves, locks."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from tools.recording_apis.stage import Stage, StoryError, case

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor, Answer

_LOCK = (
    '<?xml version="1.0" encoding="utf-8"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/>'
    "</D:lockscope><D:locktype><D:write/></D:locktype><D:owner>{owner}</D:owner></D:lockinfo>"
)
_PROPERTIES = (
    '<?xml version="1.0" encoding="utf-8"?><D:propfind xmlns:D="DAV:"><D:prop><D:getetag/>'
    "<D:getlastmodified/><D:getcontentlength/><D:resourcetype/><D:lockdiscovery/></D:prop></D:propfind>"
)
_XML = {"Content-Type": 'text/xml; charset="utf-8"'}


def lock(actor: Actor, path: str, owner: str, timeout: str = "Second-600", expect: int = 200) -> str:
    """Take an exclusive write lock and return its token (RFC 4918 section 9.10)."""
    fields = {**_XML, "Depth": "0", "Timeout": timeout}
    answer = actor.send("LOCK", path, expect, fields, _LOCK.format(owner=owner))
    return answer.fields["lock-token"].strip("<>") if answer.status < 300 else ""


def properties(actor: Actor, path: str, depth: str = "1", expect: int = 207) -> Answer:
    """Ask for the properties that a synchroniser wants."""
    return actor.send("PROPFIND", path, expect, {**_XML, "Depth": depth}, _PROPERTIES)


def tag_of(listing: Answer, path: str) -> str:
    """Return the getetag value of a member of a listing."""
    for part in listing.text.split("<ns0:response>" if "<ns0:response>" in listing.text else "response>"):
        if f"{path}<" in part and (found := re.search(r"getetag>([^<]+)<", part)):
            return found[1].replace("&quot;", '"')
    raise StoryError(f"no getetag of {path} in {listing.text[:800]}")


def quoted(tag: str) -> str:
    """Return a tag in quotes: WsgiDAV's getetag has none."""
    return tag if tag.startswith('"') else f'"{tag}"'


@case(
    "a101",
    "webdav-other-writer",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "A price list is read, a colleague stores another version, the PUT with the old tag is refused."
    ),
)
def other_writer(stage: Stage) -> None:
    """Two people edit one file."""
    dav = stage.server("wsgidav")
    (dav.directory / "prices.csv").write_text("item,price\nbolt,12\nnut,4\n")
    me = stage.actor("client", dav, "files.example.test")
    other = stage.actor("other", dav, "files.example.test", "httpx")
    time.sleep(1.1)
    tag = me.get("/prices.csv").etag
    theirs = other.get("/prices.csv").etag
    other.put("/prices.csv", "item,price\nbolt,13\nnut,4\n", 204, {"If-Match": theirs})
    time.sleep(0.4)
    me.put("/prices.csv", "item,price\nbolt,12\nnut,5\n", 412, {"If-Match": tag})
    me.get("/prices.csv")


@case(
    "a102",
    "webdav-if-match-on-missing-creates",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored server-precondition-bug",
    also="server-precondition-bug",
    description=(
        "The file was deleted by somebody else; WsgiDAV does not evaluate If-Match where nothing exists, "
        "so the PUT answers 201 and the deletion is undone."
    ),
)
def deleted(stage: Stage) -> None:
    """Write to what is gone."""
    dav = stage.server("wsgidav")
    (dav.directory / "minutes.txt").write_text("Agenda: budget\n")
    me = stage.actor("client", dav, "files.example.test", "curl")
    other = stage.actor("other", dav, "files.example.test")
    tag = me.get("/minutes.txt").etag
    other.send("DELETE", "/minutes.txt", 204)
    me.put("/minutes.txt", "Agenda: budget, staff\n", 201, {"If-Match": tag})
    me.get("/minutes.txt")


@case(
    "a103",
    "webdav-move-overwrite-f",
    "exists-already",
    "412",
    alone="exists-already",
    description="MOVE with Overwrite: F onto a name that is taken (RFC 4918 section 9.9.4).",
)
def move(stage: Stage) -> None:
    """Rename onto an existing file."""
    dav = stage.server("wsgidav")
    (dav.directory / "draft.txt").write_text("new text\n")
    (dav.directory / "final.txt").write_text("old text\n")
    me = stage.actor("client", dav, "files.example.test", "curl:trace-time")
    properties(me, "/")
    where = {"Destination": "http://files.example.test/final.txt", "Overwrite": "F"}
    me.send("MOVE", "/draft.txt", 412, where)
    properties(me, "/final.txt", "0")


@case(
    "a104",
    "webdav-locked-by-other",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description="A colleague holds an exclusive lock; the PUT without its token is answered 423.",
)
def locked_by_other(stage: Stage) -> None:
    """Write to what is locked."""
    dav = stage.server("wsgidav")
    (dav.directory / "plan.txt").write_text("phase 1\n")
    me = stage.actor("client", dav, "files.example.test")
    other = stage.actor("other", dav, "files.example.test", "httpx")
    tag = me.get("/plan.txt").etag
    lock(other, "/plan.txt", "mia")
    me.put("/plan.txt", "phase 1\nphase 2\n", 423, {"If-Match": tag})
    properties(me, "/plan.txt", "0")


@case(
    "a105",
    "webdav-own-lock-without-if",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "The client locks the file, then saves without the If field that must name its own lock token."
    ),
)
def own_lock(stage: Stage) -> None:
    """Forget the lock token."""
    dav = stage.server("wsgidav")
    (dav.directory / "thesis.tex").write_text("\\section{One}\n")
    me = stage.actor("client", dav, "files.example.test", "curl")
    token = lock(me, "/thesis.tex", "jonas")
    me.get("/thesis.tex")
    me.put("/thesis.tex", "\\section{One}\nText.\n", 423)
    me.put("/thesis.tex", "\\section{One}\nText.\n", 204, {"If": f"(<{token}>)"})
    me.send("UNLOCK", "/thesis.tex", 204, {"Lock-Token": f"<{token}>"})


@case(
    "a106",
    "webdav-lock-expired",
    "token-expired",
    "412",
    alone="token-expired lease-or-lock",
    also="lease-or-lock",
    description=(
        "The lock was granted for two seconds; the save with its token comes later and is answered 412."
    ),
)
def lock_expired(stage: Stage) -> None:
    """Save after the lock has run out."""
    dav = stage.server("wsgidav")
    (dav.directory / "sheet.csv").write_text("a,b\n1,2\n")
    me = stage.actor("client", dav, "files.example.test")
    token = lock(me, "/sheet.csv", "lea", "Second-2")
    me.get("/sheet.csv")
    time.sleep(3.2)
    me.put("/sheet.csv", "a,b\n1,3\n", 412, {"If": f"(<{token}>)"})
    properties(me, "/sheet.csv", "0")


@case(
    "a107",
    "webdav-create-guard-on-update",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description="The client has just read the file with its tag, and saves it with If-None-Match: *.",
)
def create_guard(stage: Stage) -> None:
    """Guard an update as if it were a creation."""
    dav = stage.server("wsgidav")
    (dav.directory / "config.yaml").write_text("retries: 3\n")
    me = stage.actor("client", dav, "files.example.test", "httpx")
    me.get("/config.yaml")
    me.put("/config.yaml", "retries: 5\n", 412, {"If-None-Match": "*"})


@case(
    "a108",
    "webdav-exists-already",
    "exists-already",
    "412",
    alone="exists-already",
    description="First upload of a scan with If-None-Match: *; another device has stored that name before.",
)
def exists(stage: Stage) -> None:
    """Create what another device has created."""
    dav = stage.server("wsgidav")
    (dav.directory / "scans").mkdir()
    me = stage.actor("client", dav, "files.example.test")
    other = stage.actor("other", dav, "files.example.test", "curl")
    other.put("/scans/0042.txt", "scanner B, page 1\n", 201, {"If-None-Match": "*"})
    time.sleep(1.2)
    me.put("/scans/0042.txt", "scanner A, page 1\n", 412, {"If-None-Match": "*"})
    me.get("/scans/0042.txt")


@case(
    "a109",
    "webdav-if-list-with-tag",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "The condition sits in WebDAV's If field as a state list with the old tag; a colleague wrote."
    ),
)
def if_list(stage: Stage) -> None:
    """Guard with a list of RFC 4918 section 10.4."""
    dav = stage.server("wsgidav")
    (dav.directory / "todo.txt").write_text("milk\n")
    me = stage.actor("client", dav, "files.example.test", "aiohttp")
    other = stage.actor("other", dav, "files.example.test")
    tag = me.get("/todo.txt").etag
    time.sleep(1.1)
    other.put("/todo.txt", "milk\neggs\n", 204, {"If-Match": other.get("/todo.txt").etag})
    me.put("/todo.txt", "milk\nbread\n", 412, {"If": f"([{tag}])"})
    me.get("/todo.txt")


@case(
    "a110",
    "webdav-sync-healthy",
    "none",
    "healthy",
    alone="none",
    description="A synchroniser lists, downloads, creates with a guard, updates with the right tag, deletes.",
)
def sync(stage: Stage) -> None:
    """Synchronise a folder."""
    dav = stage.server("wsgidav")
    (dav.directory / "notes").mkdir()
    for name in ("a", "b", "c"):
        (dav.directory / "notes" / f"{name}.md").write_text(f"# {name}\n")
    me = stage.actor("client", dav, "files.example.test", "requests", {"User-Agent": "notesync/2.1"})
    listing = properties(me, "/notes/")
    for name in ("a", "b"):
        tag = me.get(f"/notes/{name}.md").etag
        me.get(f"/notes/{name}.md", 304, {"If-None-Match": tag})
    time.sleep(1.1)
    me.put("/notes/new.md", "# new\n", 201, {"If-None-Match": "*"})
    tag = quoted(tag_of(listing, "/notes/a.md"))
    me.put("/notes/a.md", "# a\nmore\n", 204, {"If-Match": tag})
    me.send("DELETE", "/notes/c.md", 204, {"If-Match": quoted(tag_of(listing, "/notes/c.md"))})
    properties(me, "/notes/")


@case(
    "a111",
    "webdav-lock-edit-unlock-healthy",
    "none",
    "healthy",
    alone="none",
    description="An editor locks, reads, saves twice under its lock, refreshes it, unlocks.",
)
def lock_healthy(stage: Stage) -> None:
    """Edit under a lock."""
    dav = stage.server("wsgidav")
    (dav.directory / "letter.txt").write_text("Dear all,\n")
    me = stage.actor("client", dav, "files.example.test", "curl:trace-ascii")
    token = lock(me, "/letter.txt", "ines")
    me.get("/letter.txt")
    me.put("/letter.txt", "Dear all,\nwelcome.\n", 204, {"If": f"(<{token}>)"})
    me.send("LOCK", "/letter.txt", 200, {"If": f"(<{token}>)", "Timeout": "Second-600"})
    me.put("/letter.txt", "Dear all,\nwelcome back.\n", 204, {"If": f"(<{token}>)"})
    me.send("UNLOCK", "/letter.txt", 204, {"Lock-Token": f"<{token}>"})


@case(
    "a112",
    "webdav-ensure-folders-healthy",
    "none",
    "healthy",
    alone="none",
    description="An uploader makes its folders whether or not they exist: MKCOL 201 or 405, then uploads.",
)
def ensure(stage: Stage) -> None:
    """Make folders that may be there."""
    dav = stage.server("wsgidav")
    (dav.directory / "backup").mkdir()
    me = stage.actor("client", dav, "files.example.test", "httpx", {"User-Agent": "backup-agent/1.8"})
    me.send("MKCOL", "/backup/", 405)
    me.send("MKCOL", "/backup/2026-11/", 201)
    for day in ("22", "23", "24"):
        me.send("HEAD", f"/backup/2026-11/{day}.tar", 404)
        me.put(f"/backup/2026-11/{day}.tar", f"archive of day {day}\n" * 20, 201, {"If-None-Match": "*"})
    properties(me, "/backup/2026-11/")
