"""Stories of refusals that are no conflict, and of a page that may not see the tag."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.recording_apis.apps.ada_desk import Ask, Desk, Reply, hashed, numbered
from tools.recording_apis.stage import case
from tools.recording_apis.stories import ada_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d387",
    "ada-a-form-is-missing-at-customs",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A forwarder's service answers 412 when a shipment is released before its customs papers are complete, a rule of "
        "the business without any condition in the request; with the paper added, the same request goes through. Flask."
    ),
)
def customs(stage: Stage) -> None:
    """Break a rule of the business."""
    rows = {
        f"/shipments/{n}": {"no": n, "papers": ["invoice"], "state": "ready"} for n in ("s70", "s71", "s72")
    }
    side = at.beside("/trucks", 4, driver="Pavel")
    desk = Desk({**rows, **side}, numbered)

    def first(ask: Ask) -> Reply | None:
        path, _, action = ask.path.rpartition("/")
        if action != "release" or ask.method != "POST":
            return None
        shipment = desk.sheets[path].data
        if "T1" not in shipment["papers"]:
            said = "Shipment cannot be released: transit declaration T1 is missing."
            return Reply(412, {"error": "release_not_allowed", "message": said, "missing": ["T1"]})
        desk.put_down(path, {**shipment, "state": "released"}, ask.user)
        return Reply(200, desk.sheets[path].data)

    desk.first = first
    me = stage.actor(
        "client", at.desk(stage, desk, "flask"), "api.forwarder.test", "requests", {"X-Staff": "ivo"}
    )
    at.rounds(me, "/status", "/shipments", "/shipments/s70")
    at.busy(me, side, "driver", 9, 387)
    for number in ("s71", "s72", "s71"):
        me.send("POST", f"/shipments/{number}/release", 412, None, {"at": "Trieste"})
        at.pause(0.5)
    seen = me.get("/shipments/s71")
    me.send("PATCH", "/shipments/s71", 200, {"If-Match": seen.etag}, {"papers": ["invoice", "T1"]})
    me.send("POST", "/shipments/s71/release", 200, None, {"at": "Trieste"})
    at.rounds(me, "/shipments/s71")


@case(
    "d388",
    "ada-standby-asks-for-the-leaders-key",
    "expected-control-flow",
    "412",
    alone="expected-control-flow",
    description=(
        "Two schedulers elect a leader by a key of etcd with a lifetime: the standby tries to create it every half second "
        "and is refused while the leader renews it, as is meant. When the leader lets go, the standby wins and renews."
    ),
)
def standby(stage: Stage) -> None:
    """Lose an election as is meant."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "election.scheduler.test", "httpx", {"User-Agent": "sched/7 node-b"})
    other = stage.actor(
        "other", server, "election.scheduler.test", "requests", {"User-Agent": "sched/7 node-a"}
    )
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    key = "/v2/keys/election/scheduler/leader"
    other.put(f"{key}?prevExist=false", "value=node-a&ttl=5", 201, form)
    for number in range(6):
        me.put(f"{key}?prevExist=false", "value=node-b&ttl=5", 412, form)
        if number % 2:
            other.put(f"{key}?prevValue=node-a", "value=node-a&ttl=5", 200, form)
        at.pause(0.5)
        if number == 3:
            me.get(key)
    other.send("DELETE", f"{key}?prevValue=node-a", 200)
    me.put(f"{key}?prevExist=false", "value=node-b&ttl=5", 201, form)
    for _ in range(3):
        at.pause(0.5)
        me.put(f"{key}?prevValue=node-b", "value=node-b&ttl=5", 200, form)
        other.put(f"{key}?prevExist=false", "value=node-a&ttl=5", 412, form)


_PAGE = "<!doctype html><title>Room planner</title><p id=out></p>"
_SCRIPT = """async () => {
  const base = 'http://api.rooms.test';
  const shown = [];
  await (await fetch(base + '/rooms')).json();
  for (const room of ['r1', 'r2', 'r1']) {
    const got = await fetch(`${base}/rooms/${room}`, { cache: 'no-store' });
    const data = await got.json();
    const tag = got.headers.get('etag');
    const headers = { 'Content-Type': 'application/json' };
    if (tag) headers['If-Match'] = tag;
    const put = await fetch(`${base}/rooms/${room}`, { method: 'PUT', headers, body: JSON.stringify({ ...data, seats: 12 }) });
    shown.push([tag, put.status]);
    await new Promise((done) => setTimeout(done, 400));
  }
  await (await fetch(base + '/rooms/r3')).json();
  return shown;
}"""


@case(
    "d389",
    "ada-page-that-may-not-see-the-tag",
    "cors-hidden-etag",
    "428",
    alone="cors-hidden-etag token-missing",
    description=(
        "A page in Chromium reads rooms from another origin, which sends tags and does not expose them "
        "(no Access-Control-Expose-Headers): the script sees none, sends no If-Match, and each save is answered 428. Tornado."
    ),
)
def hidden(stage: Stage) -> None:
    """See no tag across origins."""
    rows = {f"/rooms/{n}": {"room": n, "seats": 10} for n in ("r1", "r2", "r3")}
    always = {"Access-Control-Allow-Origin": "http://planner.rooms.test", "Vary": "Origin"}
    desk = Desk(rows, hashed, needs=428, words={428: {"error": "If-Match is required"}}, always=always)

    def first(ask: Ask) -> Reply | None:
        if ask.method != "OPTIONS":
            return None
        allowed = {"Access-Control-Allow-Methods": "GET, PUT, PATCH, DELETE"}
        allowed["Access-Control-Allow-Headers"] = "Content-Type, If-Match, If-None-Match"
        return Reply(204, b"", {**allowed, "Access-Control-Max-Age": "600"})

    desk.first = first
    server = at.desk(stage, desk, "tornado")
    shown = at.browse(stage, server, _PAGE, _SCRIPT, ("planner.rooms.test", "api.rooms.test"))
    at.need(shown == [[None, 428]] * 3, shown)
