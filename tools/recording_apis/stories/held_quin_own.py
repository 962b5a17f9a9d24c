"""Stories of devices, operators and tools on services with ways of their own."""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vic_core import Box, Doc, Req, Res
from tools.recording_apis.servers import program
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_quin_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


_SCRIPT = """<!doctype html><title>Übergabe</title><script>
const api = 'http://pflege-api.klinik.test', pause = ms => new Promise(done => setTimeout(done, ms));
const call = (path, more) => fetch(api + path, more);
(async () => {
  await call('/wards/4/beds');
  for (const bed of [12, 14]) {
    const r = await call('/wards/4/beds/' + bed), row = await r.json(), tag = r.headers.get('etag');
    const headers = {'Content-Type': 'application/json'};
    if (tag) headers['If-Match'] = tag;
    await pause(350);
    await call('/wards/4/beds/' + bed, {method: 'PUT', headers, body: JSON.stringify({...row, note: 'nüchtern ab 22 h'})});
    await pause(250);
  }
  await call('/wards/4/beds'); await fetch('/ready');
})();
</script>"""


@case(
    "b898",
    "quin-ward-page-sees-no-tag",
    "cors-hidden-etag",
    "428",
    alone="cors-hidden-etag",
    description=(
        "A ward's page in Chromium reads beds from another origin, whose answers have an ETag but expose none: the page "
        "finds none and leaves If-Match out (the preflight would allow it), and each save is 428."
    ),
)
def ward(stage: Stage) -> None:
    """Let a page look for a tag it may not see."""
    docs = {f"/wards/4/beds/{n}": {"bed": n, "patient": f"P{n}", "note": ""} for n in (12, 13, 14)}
    box = Box(
        docs,
        lambda _p, doc: f'"b{doc.rev}-{doc.digest("sha1")[:8]}"',
        need=428,
        say={428: {"fehler": "If-Match fehlt"}},
    )
    cross = {
        "Access-Control-Allow-Origin": "http://station.klinik.test",
        "Access-Control-Allow-Methods": "GET, PUT, DELETE",
        "Access-Control-Allow-Headers": "content-type, if-match",
        "Access-Control-Expose-Headers": "X-Request-Id",
        "Access-Control-Max-Age": "0",
        "Cache-Control": "no-store",
        "Vary": "Origin",
    }

    def handler(req: Req) -> Res:
        if req.fields["host"].startswith("station."):
            shown = {"/": _SCRIPT, "/ready": "ok"}.get(req.path)
            return Res(200 if shown else 404, shown or "", {"Content-Type": "text/html; charset=utf-8"})
        res = Res(204) if req.method == "OPTIONS" else box(req)
        res.fields.update(cross)
        return res

    server = place.open_box(stage, handler, "waitress")
    port = stage.tap("client", server)
    command = [program("chromium"), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    command += [f"--user-data-dir={stage.directory()}", "--disable-background-networking", "--disable-sync"]
    command += [f"--host-resolver-rules=MAP *.test 127.0.0.1:{port}", "--disable-component-update"]
    command += ["--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable", "--no-proxy-server"]
    browser = subprocess.Popen([*command, "http://station.klinik.test/"], stdout=-3, stderr=-3)
    try:
        deadline = time.monotonic() + 40
        while not any(one.url.endswith("/ready") for one in stage.taps["client"].recorded):
            place.sure(time.monotonic() < deadline, [one.url for one in stage.taps["client"].recorded])
            time.sleep(0.2)
    finally:
        browser.terminate()
        browser.wait(10)
    statuses = [one.response.status for one in stage.taps["client"].recorded if one.response]
    place.sure(statuses.count(428) == 2, statuses)


@case(
    "b912",
    "quin-parcel-scanner-behind-the-time",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "A scanner whose clock is 7 min 41 s slow (its own Date field shows it against the server's) takes its own time "
        "of reading for If-Unmodified-Since: stops that dispatch has set up minutes ago are newer than that, 412, though "
        "nobody writes; older stops pass, and so does the date as served."
    ),
)
def scanner(stage: Stage) -> None:
    """Use a slow clock for a condition."""
    docs = {
        f"/runs/58/stops/{n}": {"stop": n, "parcels": n % 4 + 1, "state": "planned"} for n in (3, 4, 5, 6)
    }
    box = Box(
        docs, None, dates=True, say={412: {"error": "PRECONDITION_FAILED", "message": "stop was modified"}}
    )
    for number, age in ((3, 9000), (4, 150), (5, 97), (6, 5400)):
        box.docs[f"/runs/58/stops/{number}"].at = time.time() - age
    server = place.open_box(stage, box, "aiohttp")
    me = stage.actor(
        "client",
        server,
        "runs.courier.example",
        "requests",
        {"User-Agent": "scan/5.4 (TC57)", "Authorization": "Bearer dev-0581"},
    )

    def own() -> dict[str, str]:
        return {"Date": place.http_date(time.time() - 461)}

    me.get("/runs/58/stops", 200, own())
    for number in (3, 4, 5, 6):
        path = f"/runs/58/stops/{number}"
        seen, mark = me.get(path, 200, own()), own()["Date"]
        place.rest(0.7)
        late = number in (4, 5)
        body = {**seen.json, "state": "delivered"}
        me.put(path, body, 412 if late else 200, {**own(), "If-Unmodified-Since": mark})
        if late:
            again = me.get(path, 200, own())
            place.sure(again.fields["last-modified"] == seen.fields["last-modified"])
    me.put(
        "/runs/58/stops/5",
        body | {"stop": 5, "parcels": 2},
        200,
        {**own(), "If-Unmodified-Since": again.fields["last-modified"]},
    )
    me.get("/healthz", 200, own())


@case(
    "b913",
    "quin-zone-serial-guards-each-record",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    also="other-writer",
    description=(
        "A DNS tool puts records with the zone's serial, which is the tag of every record: a colleague adds another "
        "host's record, and the tool's two PUTs are 412 although both of its records read as before; only the serial, "
        "which list and records share, has moved."
    ),
)
def zone(stage: Stage) -> None:
    """Collide with a sibling."""
    names = ("www", "vpn", "mx1", "ns2")
    docs = {
        f"/zones/hafen.example/records/{n}": {"name": n, "type": "A", "ttl": 300, "data": "192.0.2.7"}
        for n in names
    }
    serial = [2026112803]
    box = Box(docs, lambda _path, _doc: f'"{serial[0]}"', need=428)
    box.say[412] = {"error": "zone_serial", "message": "Zone wurde geändert", "zone": "hafen.example"}
    keep = box.store

    def store(*given: Any, **more: Any) -> Doc:
        serial[0] += 1
        return keep(*given, **more)

    box.store = store  # type: ignore[method-assign]
    box.listing = lambda _req, _path, below: Res(
        200,
        {"serial": serial[0], "records": [doc.data for doc in below.values()]},
        {"ETag": f'"{serial[0]}"'},
    )
    server = place.open_box(stage, box, "falcon")
    base = "/zones/hafen.example/records"
    me = stage.actor(
        "client",
        server,
        "dns.hafen.example",
        "node:fetch",
        {"Authorization": "Bearer tf-apply", "User-Agent": "zonectl/2.0"},
    )
    other = stage.actor("other", server, "dns.hafen.example", "httpx", {"Authorization": "Bearer okan"})
    me.get(base)
    held = {name: me.get(f"{base}/{name}") for name in ("www", "vpn")}
    seen = other.get(f"{base}/mx1")
    other.put(f"{base}/mx1", {**seen.json, "data": "192.0.2.61"}, 200, {"If-Match": seen.etag})
    place.rest(0.8)
    for name, mine in held.items():
        me.put(f"{base}/{name}", {**mine.json, "ttl": 3600}, 412, {"If-Match": mine.etag})
        now = me.get(f"{base}/{name}")
        place.sure(now.json == mine.json and now.etag != mine.etag)
    me.get(base)
    me.get("/healthz")


def _as_asked(req: Req, _path: str, doc: Doc) -> Res:
    """Return a playlist in the form that is asked for, with the tag of that form."""
    kind = "yaml" if "yaml" in req.fields.get("accept", "") else "json"
    tag = {"ETag": f'"{doc.digest("sha256" if kind == "yaml" else "sha1")[:20]}"'}
    if kind == "json":
        return Res(200, doc.data, tag)
    lines = [
        f"screen: {doc.data['screen']}",
        f"rev: {doc.data['rev']}",
        "items:",
        *(f"  - {i}" for i in doc.data["items"]),
    ]
    return Res(200, "\n".join(lines) + "\n", {**tag, "Content-Type": "application/yaml"})


@case(
    "b916",
    "quin-playlist-read-as-yaml",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "Screens' playlists are read as YAML, with a tag of that form; the tool's PUT asks for JSON back, and the service "
        "compares with the tag of the JSON form: 412, after a second read as YAML with the same tag again. Read as JSON "
        "the playlist has the same revision under another tag, and with that the PUT passes."
    ),
)
def playlist(stage: Stage) -> None:
    """Read one form and write under another."""
    docs = {
        f"/screens/{n}/playlist": {"screen": n, "rev": 4, "items": ["kasse.mp4"]} for n in ("foyer", "gleis2")
    }
    box = Box(docs)
    box.extra = {"Vary": "Accept"}

    def judge(req: Req, doc: Doc | None) -> Res | None:
        if doc and req.fields.get("if-match") != _as_asked(req, req.path, doc).fields["ETag"]:
            return box.error(412, {"error": "etag mismatch"})
        return None

    box.show, box.judge = _as_asked, judge
    box.change = lambda req, doc: {
        **doc.data,
        "rev": doc.data["rev"] + 1,
        "items": json.loads(req.body)["items"],
    }
    box.answer_write = lambda req, path, doc, _made: _as_asked(req, path, doc)
    server = place.open_box(stage, box, "starlette")
    me = stage.actor(
        "client", server, "screens.bahnhof.example", "aiohttp", {"User-Agent": "signage-cli/1.3"}
    )
    me.get("/screens", 200, {"Accept": "application/json"})
    path = "/screens/foyer/playlist"
    body = {"items": ["kasse.mp4", "baustelle.mp4"]}
    for _attempt in range(2):
        seen = me.get(path, 200, {"Accept": "application/yaml"})
        me.put(path, body, 412, {"If-Match": seen.etag, "Accept": "application/json"})
        place.rest(0.5)
    plain = me.get(path, 200, {"Accept": "application/json"})
    place.sure(plain.etag != seen.etag and plain.json["rev"] == 4)
    me.put(path, body, 200, {"If-Match": plain.etag, "Accept": "application/json"})
    me.get("/screens/gleis2/playlist", 200, {"Accept": "application/yaml"})


@case(
    "b919",
    "quin-standby-scheduler",
    "expected-control-flow",
    "412",
    alone="expected-control-flow",
    description=(
        "A standby scheduler tries every half second to make the leader's key in etcd, which the active one keeps alive: "
        "412 (105, key already exists) each time, by design; when the active one stops, the try is 201, and the "
        "standby leads. Its other keys are read and written without trouble."
    ),
)
def standby(stage: Stage) -> None:
    """Lose an election, as intended, until it is won."""
    server = stage.server("etcd")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    me = stage.actor("client", server, "etcd.batch.internal", "requests", {"User-Agent": "scheduler/7 (b)"})
    other = stage.actor("other", server, "etcd.batch.internal", "httpx", {"User-Agent": "scheduler/7 (a)"})
    leader = "/v2/keys/batch/leader"
    other.put(f"{leader}?prevExist=false", "value=sched-a&ttl=2", 201, form)
    me.put("/v2/keys/batch/members/sched-b", "value=standby&ttl=30", 201, form)
    for number in range(6):
        me.put(f"{leader}?prevExist=false", "value=sched-b&ttl=2", 412, form)
        if number % 2 == 0:
            other.put(f"{leader}?prevValue=sched-a", "ttl=2&refresh=true&prevExist=true", 200, form)
        if number in (1, 4):
            me.get("/v2/keys/batch?recursive=true")
        place.rest(0.5)
    place.rest(2.1)
    me.put(f"{leader}?prevExist=false", "value=sched-b&ttl=2", 201, form)
    me.put("/v2/keys/batch/members/sched-b", "value=leading&ttl=30", 200, form)
    me.put(f"{leader}?prevValue=sched-b", "ttl=2&refresh=true&prevExist=true", 200, form)


def _pods(names: list[str], until: dict[str, float]) -> Any:
    def answer(req: Req) -> Res:
        if req.path == "/version":
            return Res(200, {"major": "1", "minor": "31", "gitVersion": "v1.31.3"})
        start, token, revision = 0, req.query.get("continue", ""), 88412 + 7 * len(until)
        if token:
            if time.time() > until[token]:
                said = "The provided continue parameter is too old to display a consistent list result. "
                said += "You can start a new list without the continue parameter."
                status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
                return Res(410, {**status, "message": said, "reason": "Expired", "code": 410})
            revision, start = (int(part) for part in token.split("x")[1:])
        end = start + int(req.query["limit"])
        items = [
            {"metadata": {"name": name, "namespace": "shop"}, "status": {"phase": "Running"}}
            for name in names[start:end]
        ]
        meta = {"resourceVersion": str(revision)}
        if end < len(names):
            token = f"eyJ2IjoibWV0YS5rOHMuaW8vdjEifQx{revision}x{end}"
            until[token] = time.time() + 2
            meta |= {"continue": token, "remainingItemCount": str(len(names) - end)}
        return Res(200, {"kind": "PodList", "apiVersion": "v1", "metadata": meta, "items": items})

    return answer


@case(
    "b924",
    "quin-operator-lists-too-slowly",
    "token-expired",
    "410",
    alone="token-expired",
    synthetic=True,
    description=(
        "An operator lists pods page by page and works on each page for longer than the API server keeps the list: the "
        "continue token is 410 Expired, sent again 410 once more; a new list, paged without pause, comes to its end."
    ),
)
def slow_list(stage: Stage) -> None:
    """Come back with a token that is too old."""
    names = [f"cart-{n:02}" for n in range(9)]
    server = place.open_box(stage, _pods(names, {}), "waitress", "Kubernetes")
    fields = {
        "Authorization": "Bearer operator",
        "User-Agent": "cart-operator/0.14 (linux/amd64)",
        "Accept": "application/json",
    }
    me = stage.actor("client", server, "kube.prod.internal", "curl:trace-time", fields)
    base = "/api/v1/namespaces/shop/pods?limit=4"
    me.get("/version")
    token = me.get(base).json["metadata"]["continue"]
    place.rest(2.6)
    for _attempt in range(2):
        me.get(f"{base}&continue={token}", 410)
        place.rest(0.4)
    page = me.get(base).json["metadata"]
    while "continue" in page:
        page = me.get(f"{base}&continue={page['continue']}").json["metadata"]


@case(
    "b933",
    "quin-trunk-patch-with-a-test",
    "payload-precondition-mismatch",
    "409",
    alone="payload-precondition-mismatch",
    description=(
        "A network tool changes a trunk by JSON Patch and tests the VLANs first, which it has sorted: the stored list is "
        "in another order, so the test fails with 409 naming /vlans; with the list as it stands there the patch passes. "
        "Nobody else writes."
    ),
)
def trunk(stage: Stage) -> None:
    """Test for a list in another order."""
    docs = {
        f"/ports/{n}": {"port": n, "mode": "trunk", "vlans": [30, 10, 20], "desc": ""}
        for n in ("xe-0", "xe-1", "xe-2")
    }
    box = Box(docs, lambda _path, doc: f'"{doc.digest()[:10]}"')

    def patch(req: Req) -> Res | None:
        if req.method != "PATCH":
            return None
        data = dict(box.docs[req.path].data)
        for number, step in enumerate(req.json):
            name = step["path"].lstrip("/")
            if step["op"] == "test" and data[name] != step["value"]:
                error = {"code": "patch_test_failed", "operation": number, "path": step["path"]}
                return Res(409, {"error": {**error, "message": "value at path differs from the value given"}})
            if step["op"] == "replace":
                data[name] = step["value"]
        doc = box.store(req.path, data, req.who)
        return Res(200, doc.data, box.marks(req.path, doc))

    box.before.append(patch)
    server = place.open_box(stage, box, "flask")
    me = stage.actor(
        "client",
        server,
        "switches.campus.example",
        "java",
        {"Authorization": "Bearer netcfg", "Content-Type": "application/json-patch+json"},
    )
    me.get("/ports")
    for port in ("xe-0", "xe-1"):
        seen = me.get(f"/ports/{port}")
        live = seen.json["vlans"]
        for value in (sorted(live), live) if port == "xe-1" else (sorted(live),):
            steps = [
                {"op": "test", "path": "/vlans", "value": value},
                {"op": "replace", "path": "/vlans", "value": [*value, 40]},
            ]
            me.send("PATCH", f"/ports/{port}", 200 if value == live else 409, None, steps)
            place.sure(value == live or me.get(f"/ports/{port}").etag == seen.etag)
            place.rest(0.4)
    desc = [{"op": "test", "path": "/desc", "value": ""}, {"op": "replace", "path": "/desc", "value": "Aula"}]
    me.send("PATCH", "/ports/xe-2", 200, None, desc)
    me.get("/healthz")
