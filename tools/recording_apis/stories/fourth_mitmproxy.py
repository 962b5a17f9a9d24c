"""The client's file is the HAR that mitmproxy wrote between the client and the server."""

from __future__ import annotations

import json
import signal
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tools.ports import free_port
from tools.recording import components
from tools.recording_apis import fronts
from tools.recording_apis.actors import Actor, Httpx, Requests
from tools.recording_apis.servers import MissingProgramError
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.fourth_setting import MERGE, ROTA, TEXT, browse, shelf

if TYPE_CHECKING:
    from collections.abc import Generator

    from tools.recording_apis.servers import Server

_PROGRAM = Path(__file__).resolve().parents[3] / ".venvs" / "mitmproxy" / "bin" / "mitmdump"


@contextmanager
def _mitmproxy(stage: Stage, server: Server, host: str, *, kind: str = "requests") -> Generator[Actor]:
    """Put mitmdump before a server; when the story is over its HAR becomes the client's file."""
    if not _PROGRAM.exists():
        raise MissingProgramError("mitmproxy is not installed; see tools/recording_apis/README.md")
    work, port = stage.directory(), free_port()
    behind = stage.behind(server)
    arguments = [
        "--mode",
        f"reverse:http://127.0.0.1:{behind}",
        "-p",
        str(port),
        "--listen-host",
        "127.0.0.1",
    ]
    arguments += ["--set", f"hardump={work}/client.har", "--set", "keep_host_header=true", "-q"]
    arguments += ["--set", f"confdir={work}"]
    running = components.start(str(_PROGRAM), arguments, work, port, {"HOME": str(work)})
    program = Requests() if kind == "requests" else Httpx()
    try:
        yield Actor(host, port, program, {})
    finally:
        program.close()
        running.process.send_signal(signal.SIGINT)
        running.process.wait(20)
    log = json.loads((work / "client.har").read_text(encoding="utf-8"))
    for entry in log["log"]["entries"]:
        # In reverse mode mitmproxy adds the port of the server behind to the host of the URL.
        entry["request"]["url"] = entry["request"]["url"].replace(f":{behind}", "")
    (work / "named.har").write_text(json.dumps(log), encoding="utf-8")
    stage.servers["mitmproxy"] = f"mitmproxy {log['log']['creator'].get('version', '')}".strip()
    stage.exported["client"] = work / "named.har"


@case(
    "a570",
    "mitmproxy-sees-a-colleague-first",
    "other-writer",
    "412",
    alone="other-writer",
    description="mitmproxy's HAR of an editor that reads, waits and saves; a colleague saved in between.",
)
def _colleague(stage: Stage) -> None:
    path = "/articles/k-12"
    server = shelf(stage, "django", {path: ROTA, "/articles/k-13": ROTA})
    with _mitmproxy(stage, server, "press.example.test") as me:
        other = stage.actor("other", server, "press.example.test", "node", {"X-User": "2"})
        browse(me, ["/articles/k-13"], 2)
        tag = me.get(path).etag
        other.put(path, {**ROTA, "team": "late"}, 200, {"If-Match": other.get(path).etag})
        time.sleep(1.1)
        me.put(path, {**ROTA, "notes": "none"}, 412, {"If-Match": tag})
        me.get(path)


@case(
    "a571",
    "mitmproxy-sees-a-weak-tag",
    "etag-weakened",
    "412",
    alone="etag-weakened weak-only-origin",
    description="mitmproxy's HAR: nginx compresses and marks the tag weak, aiohttp's service refuses it; identity shows the strong one, which passes.",
)
def _weak(stage: Stage) -> None:
    front = fronts.nginx_gzip(stage, shelf(stage, "aiohttp", {"/rotas/6": ROTA}))
    with _mitmproxy(stage, front, "rota.example.test", kind="httpx") as me:
        tag = me.get("/rotas/6").etag
        me.put("/rotas/6", {**ROTA, "team": "b"}, 412, {"If-Match": tag})
        time.sleep(0.6)
        tag = me.get("/rotas/6", 200, {"Accept-Encoding": "identity"}).etag
        me.put("/rotas/6", {**ROTA, "team": "b"}, 200, {"If-Match": tag})


@case(
    "a572",
    "mitmproxy-sees-the-first-tag-again",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description="mitmproxy's HAR of a client on mod_webdav that saves twice with the tag of its first read.",
)
def _again(stage: Stage) -> None:
    server = fronts.site(stage, "lighttpd", {"list.txt": "a\n"}, fronts.DAV["lighttpd"])
    with _mitmproxy(stage, server, "lists.example.test") as me:
        tag = me.get("/list.txt").etag
        me.put("/list.txt", "a\nb\n", 204, {"If-Match": tag, **TEXT})
        time.sleep(1.0)
        me.put("/list.txt", "a\nb\nc\n", 412, {"If-Match": tag, **TEXT})
        me.get("/list.txt")


@case(
    "a573",
    "mitmproxy-on-a-calm-day-healthy",
    "none",
    "healthy",
    alone="none",
    description="mitmproxy's HAR of reads, 304s and guarded PATCHes that all fit.",
)
def _calm(stage: Stage) -> None:
    seed = {f"/rows/m{n}": {"n": n} for n in range(3)}
    server = shelf(stage, "falcon", seed)
    with _mitmproxy(stage, server, "rows.example.test", kind="httpx") as me:
        browse(me, list(seed), 2)
        for path in seed:
            tag = me.get(path).etag
            me.send("PATCH", path, 200, {"If-Match": tag, **MERGE}, '{"done":true}')
        browse(me, list(seed), 2)
