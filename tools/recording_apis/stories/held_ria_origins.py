"""What servers get wrong by themselves: tags, evaluation, dates, and the order of check and write."""

from __future__ import annotations

import hashlib
import json
import time

from tools.recording_apis import fronts
from tools.recording_apis.apps.ria_desk import Desk, digest, revision
from tools.recording_apis.apps.ria_ground import Ask, Reply, serve
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.ria_setting import arrive, linger, need, rest


class Rendered(Desk):
    """Tags of the rendered page, in which the time of rendering stands."""

    def show(self, path: str, ask: Ask) -> Reply:
        """Answer a read with the time of rendering."""
        made = super().show(path, ask)
        if path in self.docs and made.status == 200:
            made.body = {**self.docs[path], "rendered_at": round(time.time(), 3)}
        return made

    def tag(self, path: str, _ask: Ask | None = None) -> str:
        """Return a tag of content and moment."""
        return digest(path, time.time_ns(), 0)


@case(
    "b827",
    "ria-tag-of-the-time-of-rendering",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "An exhibition planner takes the tag of the rendered text, in which the moment of rendering stands: reads a "
        "tenth of a second apart have two tags and one content, and no If-Match ever holds. lighttpd stands before."
    ),
)
def rendered(stage: Stage) -> None:
    """Read the same with ever new tags."""
    wall = {"wall": "N-3", "works": ["inv. 1904/7", "inv. 1911/2"], "height_cm": 155}
    front = fronts.lighttpd(
        stage, serve(stage, Rendered({"/walls/n3": wall, "/walls/n4": {**wall, "wall": "N-4"}}), "waitress")
    )
    me = stage.actor("client", front, "hang.kunsthalle.test", "httpx", {"X-User": "registrar"})
    me.get("/walls")
    tags = [me.get("/walls/n3").etag for _ in range(3)]
    need(len(set(tags)) == 3, "one tag")
    me.put("/walls/n3", {**wall, "height_cm": 150}, 412, {"If-Match": tags[-1]})
    again = me.get("/walls/n3")
    need(again.json["height_cm"] == 155, "it was written")
    me.put("/walls/n3", {**wall, "height_cm": 150}, 412, {"If-Match": again.etag})
    me.get("/walls/n4")
    me.get("/walls/n3")


@case(
    "b828",
    "ria-put-answers-with-another-kind-of-tag",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "The answer to a PUT carries a tag of the request's octets, a GET one of the row; only the second is compared "
        "with. A client that chains its writes on the answers is refused at every second one."
    ),
)
def chained(stage: Stage) -> None:
    """Chain writes on the tags of their answers."""

    class Two(Desk):
        """Answer a write with a tag of the request's octets."""

        def write(self, path: str, ask: Ask) -> Reply:
            made = super().write(path, ask)
            if made.status == 200:
                made.fields["ETag"] = (
                    '"sha1-' + hashlib.sha1(ask.body, usedforsecurity=False).hexdigest()[:12] + '"'
                )
            return made

    meter = {"meter": "E-20931", "tariff": "HT", "reading": 48_112, "reader": None}
    desk = Two(
        {"/meters/e-20931": meter, "/meters/e-20944": {**meter, "meter": "E-20944"}},
        tag=lambda p, _d, v: f'"{len(p)}-{v:06d}"',
        first=3,
    )
    me = stage.actor(
        "client",
        serve(stage, desk, "uvicorn"),
        "zaehler.netz.test",
        "node:fetch",
        {"Authorization": "Bearer rd-3"},
    )
    arrive(me)
    me.get("/meters")
    tag = me.get("/meters/e-20931").etag
    reading = 48_112
    for _ in range(2):
        reading += 40
        got = me.put("/meters/e-20931", {**meter, "reading": reading}, 200, {"If-Match": tag})
        rest(0.2)
        me.put(
            "/meters/e-20931", {**meter, "reading": reading, "reader": "Vogt"}, 412, {"If-Match": got.etag}
        )
        tag = me.get("/meters/e-20931").etag
        need(tag != got.etag, "one kind of tag")
    linger(me)
    me.put("/meters/e-20931", {**meter, "reading": reading, "reader": "Vogt"}, 200, {"If-Match": tag})


@case(
    "b829",
    "ria-framework-makes-weak-tags-only",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "A choir's scores are served with weak tags only, also without compression; the service compares strongly. "
        "Every If-Match is refused, on three scores, though nothing changes."
    ),
)
def weak(stage: Stage) -> None:
    """Send weak tags to a strong comparison."""
    score = {"work": "BWV 227", "parts": ["S1", "S2", "A", "T", "B"], "copies": 24}
    desk = Desk({f"/scores/bwv-{n}": {**score, "work": f"BWV {n}"} for n in (225, 226, 227)})
    desk.make = lambda p, d, v: f'W/"{len(json.dumps(d)):x}-{digest(p, d, v)[1:12]}"'
    server = serve(stage, desk, "flask")
    me = stage.actor("client", server, "noten.kantorei.test", "java", {"X-Voice": "archive"})
    me.get("/scores")
    for number in (225, 227):
        seen = me.get(f"/scores/bwv-{number}")
        me.put(f"/scores/bwv-{number}", {**seen.json, "copies": 30}, 412, {"If-Match": seen.etag})
        rest(0.2)
        plain = me.get(f"/scores/bwv-{number}", 200, {"Accept-Encoding": "identity"})
        need(plain.etag == seen.etag, "another tag")
    me.put("/scores/bwv-227", {**plain.json, "copies": 30}, 412, {"If-Match": plain.etag})
    linger(me)
    me.get("/scores/bwv-226")


@case(
    "b830",
    "ria-tag-of-the-xml-view",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "A customs client reads a declaration as XML for its printout and writes JSON with the XML's tag: refused. "
        "Read as JSON the same declaration has another tag, and that one is accepted."
    ),
)
def views(stage: Stage) -> None:
    """Read one representation and write another."""

    class Views(Desk):
        """Declarations as JSON or XML, with a tag of each."""

        def tag(self, path: str, ask: Ask | None = None) -> str:
            xml = ask is not None and "xml" in ask.fields.get("accept", "")
            return super().tag(path)[:-1] + ('-x"' if xml else '-j"')

        def show(self, path: str, ask: Ask) -> Reply:
            made = super().show(path, ask)
            made.fields["Vary"] = "Accept"
            if made.status == 200 and path in self.docs and "xml" in ask.fields.get("accept", ""):
                inner = "".join(f"<{k}>{v}</{k}>" for k, v in self.docs[path].items())
                made.body = f'<?xml version="1.0"?><declaration>{inner}</declaration>'.encode()
                made.fields["Content-Type"] = "application/xml"
            return made

    paper = {"mrn": "26DE5871", "goods": "Pumps", "gross_kg": 1840, "office": "DE004851"}
    server = serve(stage, Views({"/declarations/26DE5871": paper}), "cheroot")
    me = stage.actor("client", server, "atlas.zoll.test", "aiohttp", {"X-Eori": "DE1234"})
    me.get("/declarations")
    tag = me.get("/declarations/26DE5871", 200, {"Accept": "application/xml"}).etag
    new = {**paper, "gross_kg": 1860}
    as_json = {"Accept": "application/json"}
    me.put("/declarations/26DE5871", new, 412, {**as_json, "If-Match": tag})
    rest(0.4)
    me.get("/declarations/26DE5871", 304, {"Accept": "application/xml", "If-None-Match": tag})
    seen = me.get("/declarations/26DE5871", 200, as_json).etag
    linger(me)
    me.put("/declarations/26DE5871", new, 200, {**as_json, "If-Match": seen})


@case(
    "b831",
    "ria-apache-tag-is-weak-for-a-second",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "A script writes a zone file to Apache's DAV folder and amends it at once: the tag just read is weak, the "
        "write is refused. A second later the same tag is strong and the write goes through; so on the next file."
    ),
)
def settling(stage: Stage) -> None:
    """Write again within a second of a write."""
    zone = "$ORIGIN lab.test.\n@ 3600 IN SOA ns1 host 2026112701 7200 3600 1209600 300\n"
    server = fronts.site(stage, "apache2", {"zones/lab.zone": zone}, fronts.DAV["apache2"])
    me = stage.actor("client", server, "dav.hostmaster.test", "curl", {"User-Agent": "zonepush/0.9"})
    for serial, name in enumerate(("lab", "guest")):
        path = f"/zones/{name}.zone"
        me.put(path, f"{zone}; {serial}\n", (201, 204))
        fresh = me.get(path).etag
        need(fresh.startswith('W/"'), fresh)
        me.put(path, f"{zone}ns1 IN A 192.0.2.{serial + 1}\n", 412, {"If-Match": fresh})
        rest(2.2)
        settled = me.get(path).etag
        need(fresh == f"W/{settled}", f"{fresh} {settled}")
        me.put(path, f"{zone}ns1 IN A 192.0.2.{serial + 1}\n", 204, {"If-Match": settled})
        rest(0.2)


@case(
    "b832",
    "ria-star-is-compared-to-the-letter",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "If-Match: * on an existing allotment is answered 412: the service compares the asterisk with the tag. "
        "Reads before and after are 200 with one tag, and the write with that tag passes."
    ),
)
def star(stage: Stage) -> None:
    """Send an asterisk that is taken to the letter."""

    class Literal(Desk):
        """Compare If-Match as text."""

        def judge(self, path: str, ask: Ask) -> int:
            sent = ask.fields.get("if-match")
            return 412 if sent is not None and sent != self.tag(path) else 0

    plot = {"plot": "31a", "tenant": "Kowalski", "rent": "96.00", "water": True}
    desk = Literal(
        {"/plots/31a": plot, "/plots/31b": {**plot, "plot": "31b", "tenant": "Marx"}}, tag=revision, first=5
    )
    me = stage.actor(
        "client", serve(stage, desk, "tornado"), "garten.verein.test", "curl", {"X-Clerk": "kasse"}
    )
    me.get("/plots")
    before = me.get("/plots/31a").etag
    new = {**plot, "rent": "99.00"}
    me.put("/plots/31a", new, 412, {"If-Match": "*"})
    need(me.get("/plots/31a").etag == before, "another tag")
    me.put("/plots/31a", new, 412, {"If-Match": "*"})
    me.put("/plots/31a", new, 200, {"If-Match": before})
    me.get("/plots/31b")
    me.put("/plots/31b", {**new, "plot": "31b", "tenant": "Marx"}, 412, {"If-Match": "*"})


@case(
    "b833",
    "ria-stored-first-judged-afterwards",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    description=(
        "A survey tool stores the answer sheet and then compares If-Match with the new state: every guarded write is "
        "answered 412 in a few milliseconds and is stored all the same, on two sheets."
    ),
)
def afterwards(stage: Stage) -> None:
    """Be refused after the write was made."""

    class After(Desk):
        """Store, then judge."""

        def write(self, path: str, ask: Ask) -> Reply:
            self.store(path, ask.json)
            wrong = self.judge(path, ask)
            return self.refused(wrong, path, ask) if wrong else Reply(200, self.docs[path], self.fields(path))

    sheet = {"respondent": 4417, "q1": None, "q2": None, "complete": False}
    desk = After({"/sheets/4417": sheet, "/sheets/4418": {**sheet, "respondent": 4418}}, dated=True)
    me = stage.actor(
        "client", serve(stage, desk, "waitress"), "umfrage.institut.test", "httpx", {"X-Tablet": "T-09"}
    )
    arrive(me)
    me.get("/sheets")
    for number, answer in ((4417, "yes"), (4418, "no")):
        seen = me.get(f"/sheets/{number}")
        new = {**seen.json, "q1": answer, "complete": True}
        me.put(f"/sheets/{number}", new, 412, {"If-Match": seen.etag})
        rest(0.3)
        again = me.get(f"/sheets/{number}")
        need(again.json == new and again.etag != seen.etag, "it was not written")


@case(
    "b834",
    "ria-nginx-dav-takes-any-tag",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "nginx's DAV module never looks at If-Match. A queue of a sync program sends a save with a tag that it has "
        "itself seen replaced a moment before; 204, and the colleague's file is gone."
    ),
)
def queue(stage: Stage) -> None:
    """Write with a tag that is known to be old."""
    files = {
        "minutes/board.txt": "Board, 26 November\n1. Budget: open\n2. Roof: open\n",
        "minutes/agm.txt": "AGM\n",
    }
    server = fronts.site(stage, "nginx", files, fronts.DAV["nginx"])
    me = stage.actor("client", server, "dav.coop.test", "requests", {"User-Agent": "CoopSync/4.0"})
    other = stage.actor("other", server, "dav.coop.test", "curl", {"User-Agent": "Notes/12"})
    old = me.get("/minutes/board.txt").etag
    me.get("/minutes/agm.txt")
    theirs = files["minutes/board.txt"].replace("Budget: open", "Budget: approved, 9:2")
    other.put("/minutes/board.txt", theirs, 204, {"If-Match": other.get("/minutes/board.txt").etag})
    rest(0.6)
    seen = me.send("HEAD", "/minutes/board.txt", 200)
    need(seen.etag != old, "one tag")
    mine = files["minutes/board.txt"].replace("Roof: open", "Roof: two offers")
    me.put("/minutes/board.txt", mine, 204, {"If-Match": old})
    rest(0.4)
    need("approved" not in me.get("/minutes/board.txt").text, "nothing was lost")
