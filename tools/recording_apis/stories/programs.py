"""Whole client programs: cadaver, the caldav and kinto-http libraries, curl's own tag keeping."""

from __future__ import annotations

import importlib
import subprocess
import time
from typing import TYPE_CHECKING, Any

from tools.recording.tap import Tap
from tools.recording_apis.actors import Curl
from tools.recording_apis.names import route
from tools.recording_apis.servers import program
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories.caldav import event
from tools.recording_apis.stories.records import furnished

if TYPE_CHECKING:
    from tools.recording_apis.servers import Server


def cadaver(stage: Stage, port: int, commands: str) -> str:
    """Run cadaver on the server behind a loopback port and return what it printed."""
    work = stage.directory()
    for number in (1, 2):
        (work / f"page{number}.txt").write_text(f"Page {number}\n" * number * 3, encoding="utf-8")
    done = subprocess.run(
        [program("cadaver"), f"http://127.0.0.1:{port}/"],
        input=commands,
        capture_output=True,
        text=True,
        check=False,
        cwd=work,
        timeout=30,
    )
    return done.stdout


@case(
    "a255",
    "cadaver-session-healthy",
    "none",
    "healthy",
    alone="none",
    description="cadaver lists, makes a folder, uploads, locks, saves under its lock, unlocks, deletes.",
)
def cadaver_healthy(stage: Stage) -> None:
    """Work with the command-line client."""
    server = stage.server("wsgidav")
    commands = "ls\nmkcol book\ncd book\nput page1.txt\nlock page1.txt\nput page1.txt\nunlock page1.txt\n"
    printed = cadaver(
        stage, stage.tap("client", server), f"{commands}put page2.txt\ndelete page2.txt\nls\nquit\n"
    )
    if "failed" in printed:
        raise StoryError(printed)


@case(
    "a256",
    "cadaver-locked-by-other",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description="Somebody else has locked the file with cadaver in another session; the upload is 423.",
)
def cadaver_locked(stage: Stage) -> None:
    """Upload over a lock."""
    server = stage.server("wsgidav")
    (server.directory / "page1.txt").write_text("Page 1\n")
    port = stage.tap("client", server)
    cadaver(stage, port, "lock page1.txt\n")
    # Both must use one URL, so they share a port, and the first session's exchanges are set apart here.
    stage.taps["other"] = Tap(port, "other", recorded=list(stage.taps["client"].recorded))
    stage.taps["client"].recorded.clear()
    printed = cadaver(stage, port, "ls\nput page1.txt\nquit\n")
    if "423" not in printed:
        raise StoryError(printed)


@case(
    "a257",
    "caldav-library-healthy",
    "none",
    "healthy",
    alone="none",
    description=(
        "The caldav library finds the principal, makes a calendar, stores, searches and deletes events."
    ),
)
def caldav_library(stage: Stage) -> None:
    """Use a calendar by library."""
    server = stage.server("radicale")
    port = stage.tap("client", server)
    library = importlib.import_module("caldav")
    url = f"http://127.0.0.1:{port}/"
    with library.DAVClient(url, username="anna", password="anna", enable_rfc6764=False) as client:  # noqa: S106
        calendar = client.principal().make_calendar(name="Office", cal_id="office")
        first = calendar.save_event(event("first", "Stand-up"))
        calendar.save_event(event("second", "Review", "20261202T090000Z"))
        calendar.events()
        first.load()
        first.delete()
        calendar.events()


class KintoUser:
    """The kinto-http library as one user."""

    def __init__(self, stage: Stage, name: str, server: Server, user: str) -> None:
        self._port = stage.tap(name, server)
        library = importlib.import_module("kinto_http")
        self._refused = library.KintoException
        self._client = library.Client(
            server_url="http://sync.example.test/v1", auth=(user, user), bucket="team", collection="tasks"
        )

    def do(self, operation: str, expect: int = 0, **named: Any) -> dict[str, Any]:
        """Call an operation and insist on the refusing status, 0 for success."""
        route("sync.example.test", self._port)
        status, result = 0, {}
        try:
            result = getattr(self._client, operation)(**named)
        except self._refused as refused:
            status = refused.response.status_code
        if status != expect:
            raise StoryError(f"{operation}: {status}, expected {expect}")
        return result


@case(
    "a258",
    "kinto-http-other-writer",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "Two users of the kinto-http library update one record; the second carries an outdated if_match."
    ),
)
def kinto_other(stage: Stage) -> None:
    """Two users of one library."""
    server = furnished(stage, "glue-chair")
    me, other = KintoUser(stage, "client", server, "anna"), KintoUser(stage, "other", server, "ben")
    mine = me.do("get_record", id="glue-chair")["data"]
    theirs = other.do("get_record", id="glue-chair")["data"]
    other.do("update_record", data={**theirs, "done": True}, if_match=theirs["last_modified"])
    time.sleep(0.5)
    stamp = mine["last_modified"]
    me.do("update_record", 412, data={**mine, "title": "glue the chair"}, if_match=stamp)
    me.do("get_record", id="glue-chair")


@case(
    "a259",
    "kinto-http-ensure-healthy",
    "none",
    "healthy",
    alone="none expected-control-flow exists-already",
    also="expected-control-flow",
    description=(
        "create_bucket and create_collection of the library with if_not_exists: the 412s to "
        "If-None-Match: * are its way of asking, and it goes on with what is there."
    ),
)
def kinto_ensure(stage: Stage) -> None:
    """Make sure that it exists."""
    server = furnished(stage, "one")
    me = KintoUser(stage, "client", server, "anna")
    me.do("create_bucket", id="team", if_not_exists=True)
    me.do("create_collection", id="tasks", if_not_exists=True)
    made = me.do("create_record", id="two", data={"title": "two", "done": False})["data"]
    me.do("update_record", data={**made, "done": True}, if_match=made["last_modified"])
    me.do("get_records")


@case(
    "a260",
    "curl-etag-compare-healthy",
    "none",
    "healthy",
    alone="none",
    description=(
        "curl with --etag-compare and --etag-save: the first run, without a stored tag, sends "
        "If-None-Match with an empty tag, which is curl's habit and no fault; later runs get 304."
    ),
)
def etag_compare(stage: Stage) -> None:
    """Let curl keep the tag."""
    server = stage.server("application", app="documents_flask")
    me = stage.actor("client", server, "docs.example.test", "curl")
    if not isinstance(me.program, Curl):
        raise TypeError("this story is about curl")
    me.program.more = ["--etag-compare", "etag.txt", "--etag-save", "etag.txt"]
    me.get("/documents/7")
    me.get("/documents/7", 304)
    me.get("/documents/7", 304)
