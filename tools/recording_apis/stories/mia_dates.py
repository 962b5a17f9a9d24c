"""Clocks, dates as text, locks, and refusals that are something else."""

from __future__ import annotations

import time
from email.utils import formatdate, parsedate_to_datetime

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.mia_setting import JSON, around, desk, doc, dump, sure, unseen

_TEXT = {"Content-Type": "text/plain"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@case(
    "b454",
    "mia-sensor-hub-lives-in-the-future",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "The hub's clock is 47 minutes ahead: what it has just stored is dated in the client's future. The client "
        "sends its own time as If-Unmodified-Since, which is too early each time: three refusals, nobody else wrote."
    ),
)
def future(stage: Stage) -> None:
    """Write with one's own time to a server that is ahead."""
    docs = {f"/nodes/{n}": doc({"node": n, "level": 2 * n}, 600.0) for n in (1, 2, 3)}
    server = desk(stage, "flask", docs, clock="+2832", etag=False, shape="code")
    me = stage.actor("client", server, "hub.dike.test", "requests", {"X-Gauge": "g-4"})
    for n in (1, 2, 3):
        me.get(f"/nodes/{n}")
        own = formatdate(time.time(), usegmt=True)
        me.put(f"/nodes/{n}", {"node": n, "level": 2 * n + 1}, 412, {"If-Unmodified-Since": own})
    me.get("/nodes/2")


@case(
    "b455",
    "mia-date-with-french-names",
    "bad-date",
    "412",
    alone="bad-date",
    description=(
        "A client formats dates in its locale: If-Unmodified-Since 'ven., 27 nov. 2026 ...' is no HTTP-date, and nginx "
        "refuses the read. With the served value echoed the same read is 206."
    ),
)
def french(stage: Stage) -> None:
    """Send a date in words of another language."""
    server = fronts.site(stage, "nginx", {"sons/cloche.txt": "dong " * 300}, "")
    me = stage.actor("client", server, "sons.ville.test", "urllib", {"Accept-Encoding": "identity"})
    date = me.get("/sons/cloche.txt", 206, {"Range": "bytes=0-499"}).fields["last-modified"]
    moment = parsedate_to_datetime(date)
    days = ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim.")
    local = f"{days[moment.weekday()]}, {moment.day} nov. {moment:%Y %H:%M:%S} GMT"
    part = {"Range": "bytes=500-999"}
    me.get("/sons/cloche.txt", 412, {"If-Unmodified-Since": local, **part})
    me.get("/sons/cloche.txt", 206, {"If-Unmodified-Since": date, **part})


@case(
    "b456",
    "mia-lima-time-called-gmt",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "A client in Lima turns the served Last-Modified into its local time, five hours less, and labels it GMT: "
        "every If-Unmodified-Since is too early. Minutes and seconds agree with what was served."
    ),
)
def lima(stage: Stage) -> None:
    """Send a local time as GMT."""
    server = stage.server("wsgidav")
    names = ("cacao.txt", "cafe.txt")
    for name in names:
        fronts.put_file(server.directory, name, "lote 1\n", age=1800)
    me = stage.actor("client", server, "lotes.coop.test", "aiohttp", {"User-Agent": "LotesApp/1.9"})
    for name in names:
        date = parsedate_to_datetime(me.get(f"/{name}").fields["last-modified"])
        wrong = formatdate(date.timestamp() - 5 * 3600, usegmt=True)
        me.put(f"/{name}", "lote 1\nlote 2\n", 412, {"If-Unmodified-Since": wrong, **_TEXT})
    me.send("HEAD", f"/{names[0]}", 200)


_LOCK = (
    '<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype>'
    "<owner><href>mailto:{owner}@office.test</href></owner></lockinfo>"
)
_DISCOVER = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><lockdiscovery/><getetag/></prop></propfind>'


@case(
    "b457",
    "mia-budget-locked-by-the-treasurer",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "mod_dav: the treasurer holds an exclusive lock on the budget. The clerk's PUT with the current tag is 423; "
        "PROPFIND shows the lock and its owner, the tag is the same as before."
    ),
)
def locked(stage: Stage) -> None:
    """Write what somebody else has locked."""
    server = fronts.site(stage, "apache2", {"budget.csv": "post;eur\nrent;900\n"}, fronts.DAV["apache2"])
    me = stage.actor("client", server, "dav.office.test", "requests", {"User-Agent": "clerk-sheet/2.2"})
    other = stage.actor("other", server, "dav.office.test", "curl", {"User-Agent": "LibreOffice/24.8"})
    xml = {"Content-Type": "application/xml"}
    other.send("LOCK", "/budget.csv", 200, {"Timeout": "Second-600", **xml}, _LOCK.format(owner="treasurer"))
    tag = me.get("/budget.csv").etag
    me.put("/budget.csv", "post;eur\nrent;950\n", 423, {"If-Match": tag, "Content-Type": "text/csv"})
    seen = me.send("PROPFIND", "/budget.csv", 207, {"Depth": "0", **xml}, _DISCOVER)
    sure(holds="treasurer" in seen.text, otherwise=seen.text)


@case(
    "b458",
    "mia-conflict-told-as-bad-request",
    "status-dialect-mismatch",
    "400",
    alone="status-dialect-mismatch other-writer",
    description=(
        "The API answers an outdated If-Match with 400 BadRequest and 'version conflict' in its text. The client takes "
        "it for a mistake in the form and gives up without reading again; no file shows who had changed the record."
    ),
)
def bad_request(stage: Stage) -> None:
    """Take a conflict for a bad form."""
    entry = {"name": "Kite club", "members": 14, "contact": "Ola"}
    says = "version conflict: the record was changed after the version named in If-Match"
    server = desk(
        stage, "aiohttp", {"/clubs/kite": doc(entry)}, refuse=400, says=says, shape="code", tag="rev"
    )
    me = stage.actor("client", server, "clubs.city.test", "node:axios", {"X-Form": "f-12"})
    around(me, 12)
    tag = me.get("/clubs/kite").etag
    unseen(server, "/clubs/kite", {**entry, "contact": "Per"})
    around(me, 3)
    time.sleep(0.8)
    me.put("/clubs/kite", {**entry, "members": 15}, 400, {"If-Match": tag})
    me.get("/clubs/")


@case(
    "b459",
    "mia-etcd-old-value-with-another-case",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    description=(
        "etcd v2 compare-and-swap by prevValue: the deployer asks for 'blue', the key holds 'Blue' since its own first "
        "write. 412 'Compare failed ([blue != Blue])'; with the value as it is stored the swap passes."
    ),
)
def etcd(stage: Stage) -> None:
    """Swap with an old value that is spelt otherwise."""
    server = stage.server("etcd")
    me = stage.actor(
        "client", server, "etcd.deploy.test", "requests", {"User-Agent": "switcher/0.4", **_FORM}
    )
    me.put("/v2/keys/shop/colour", "value=Blue", 201)
    me.get("/v2/keys/shop?recursive=true")
    me.put("/v2/keys/shop/colour?prevValue=blue", "value=Green", 412)
    me.get("/v2/keys/shop/colour")
    me.put("/v2/keys/shop/colour?prevValue=Blue", "value=Green", 200)


@case(
    "b423",
    "mia-json-patch-tests-a-float",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    description=(
        "A JSON Patch begins with a test of the price as text ('4.50'); the record holds the number 4.5, as the read "
        "before showed. 412 names operation 0; with the number the patch passes."
    ),
)
def tested(stage: Stage) -> None:
    """Test a value of another type."""
    item = {"item": "ferry ticket", "price": 4.5, "zone": 2}
    server = desk(stage, "flask", {"/items/ferry": doc(item)}, tag="uuid", shape="problem")
    me = stage.actor("client", fronts.caddy(stage, server), "items.fare.test", "urllib", {"X-Till": "9"})
    me.get("/items/ferry")
    kind = {"Content-Type": "application/json-patch+json"}
    change = {"op": "replace", "path": "/price", "value": 4.8}
    wrong = [{"op": "test", "path": "/price", "value": "4.50"}, change]
    me.send("PATCH", "/items/ferry", 412, kind, dump(wrong))
    me.get("/items/ferry")
    me.send(
        "PATCH", "/items/ferry", 200, kind, dump([{"op": "test", "path": "/price", "value": 4.5}, change])
    )


@case(
    "b460",
    "mia-upsert-by-mail-finds-two",
    "multi-match",
    "412",
    alone="multi-match",
    description=(
        "An upsert by e-mail (PUT /donors?mail=...) finds two records of one donor and is 412: the criteria select 2 "
        "resources. Reads of the two show the same address."
    ),
)
def upsert(stage: Stage) -> None:
    """Update by criteria that two records meet."""
    docs = {
        "/donors/5": doc({"name": "R. Silva", "mail": "silva@mail.test", "sum": 40}),
        "/donors/6": doc({"name": "Rui Silva", "mail": "silva@mail.test", "sum": 25}),
        "/donors/7": doc({"name": "T. Oduya", "mail": "oduya@mail.test", "sum": 10}),
    }
    server = desk(stage, "starlette", docs, by_query=True, shape="problem", tag="rev")
    me = stage.actor("client", server, "donors.aid.test", "httpx", {"Authorization": "Bearer crm"})
    around(me, 2)
    me.put("/donors?mail=oduya@mail.test", {"name": "T. Oduya", "mail": "oduya@mail.test", "sum": 30}, 200)
    me.put("/donors?mail=silva@mail.test", {"name": "R. Silva", "mail": "silva@mail.test", "sum": 65}, 412)
    me.get("/donors/5")
    me.get("/donors/6")


@case(
    "b461",
    "mia-bucket-knows-no-conditional-put",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    description=(
        "A store answers every PUT with If-Match or If-Unmodified-Since with 501 NotImplemented, also right after a "
        "read; the same PUT without a condition is 200."
    ),
)
def bucket(stage: Stage) -> None:
    """Send a condition to a store that knows none."""
    says = "A header you provided implies functionality that is not implemented: conditional writes"
    docs = {"/tiles/9-4.txt": doc("grass grass road\n", 50000, "text/plain")}
    server = desk(
        stage, "flask", docs, unsupported=says, shape="xml", tag="md5", always={"x-amz-request-id": "$id"}
    )
    me = stage.actor("client", server, "tiles.game.test", "requests", {"User-Agent": "tile-baker/1.1"})
    seen = me.get("/tiles/9-4.txt")
    me.put("/tiles/9-4.txt", "grass road road\n", 501, {"If-Match": seen.etag, **_TEXT})
    date = me.send("HEAD", "/tiles/9-4.txt", 200).fields["last-modified"]
    me.put("/tiles/9-4.txt", "grass road road\n", 501, {"If-Unmodified-Since": date, **_TEXT})
    me.put("/tiles/9-4.txt", "grass road road\n", 200, _TEXT)


@case(
    "b462",
    "mia-firewall-says-412",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A firewall before a forum answers posts with a certain SQL-like text with 412 and a page of its own (incident "
        "number). No condition is in the requests; the same post in other words is 201."
    ),
)
def firewall(stage: Stage) -> None:
    """Post what a firewall does not like."""
    page = "<html><head><title>Request blocked</title></head><body><h1>Request blocked</h1>"
    page += "<p>Rule 942190, incident 7f3c-11d0. Contact the site's owner.</p></body></html>"
    rule = {"body": "(?i)union\\s+select", "status": 412, "media": "text/html", "says": page}
    server = desk(stage, "aiohttp", {"/threads/3": doc({"title": "Query help", "posts": 2})}, rules=[rule])
    me = stage.actor("client", fronts.nginx(stage, server), "forum.data.test", "urllib", {"Cookie": "sid=8"})
    around(me, 3)
    me.get("/threads/3")
    text = {"thread": 3, "text": "why does UNION SELECT drop my duplicates?"}
    me.send("POST", "/threads/3/posts", 412, JSON, dump(text))
    me.send("POST", "/threads/3/posts", 412, JSON, dump(text))
    text["text"] = "why are my duplicates gone when I join two results?"
    me.send("POST", "/threads/3/posts", 201, JSON, dump(text))


@case(
    "b463",
    "mia-standby-waits-for-the-lock-object",
    "expected-control-flow",
    "412",
    alone="expected-control-flow",
    description=(
        "A standby tries twice a second to create the lock object with If-None-Match: *; while worker-1 holds it "
        "the answer is 412 and the read shows the holder. When worker-1 lets go, the twelfth try is 201."
    ),
)
def standby(stage: Stage) -> None:
    """Lose an election until the leader has gone."""
    server = desk(stage, "stdlib", {"/state/cursor": doc({"at": 118})}, tag="uuid", shape="xml")
    me = stage.actor(
        "client", server, "locks.batch.test", "requests", {"User-Agent": "scheduler/3 (worker-2)"}
    )
    other = stage.actor(
        "other", server, "locks.batch.test", "httpx", {"User-Agent": "scheduler/3 (worker-1)"}
    )
    path, star = "/locks/leader.json", {"If-None-Match": "*"}
    held = other.put(path, {"holder": "worker-1", "ttl": 3}, 201, star)
    for _ in range(11):
        me.put(path, {"holder": "worker-2", "ttl": 3}, 412, star)
        sure(holds=me.get(path).json["holder"] == "worker-1", otherwise="another holder")
        time.sleep(0.4)
    other.send("DELETE", path, 204, {"If-Match": held.etag})
    tag = me.put(path, {"holder": "worker-2", "ttl": 3}, 201, star).etag
    me.get("/state/cursor")
    me.put(path, {"holder": "worker-2", "ttl": 3, "renewed": 1}, 200, {"If-Match": tag})
