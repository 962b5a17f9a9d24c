"""A container terminal, a seed bank and a key store: revisions in the path, the query, the body and fields."""

from __future__ import annotations

import base64
import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import kim_setting as at
from tools.recording_apis.stories.kim_setting import (
    insist,
    look,
    seedbank,
    suite,
    terminal,
    together,
)

_HOST = "t7.kaikante.test"


@case(
    "b253",
    "kim-revision-in-the-path",
    "other-writer",
    "recovered",
    alone="other-writer status-dialect-mismatch",
    also="status-dialect-mismatch",
    description=(
        "A unit is changed through the address of the revision that was read (/revisions/7); the crane has moved it "
        "in between, 409 tells both numbers, and the change passes through the new one."
    ),
)
def in_path(stage: Stage) -> None:
    """Write below an old revision."""
    server = terminal(stage, at.UNITS)
    me = stage.actor("client", server, _HOST, "requests", {"Kk-User": "planner-2"})
    other = stage.actor("other", server, _HOST, "httpx", {"Kk-User": "crane-04"})
    me.send("POST", "/t7/session", 201, None, {"user": "planner-2", "secret": "********"})
    me.get("/t7/units")
    number = me.get("/t7/units/MSKU7701").json["result"]["revision"]
    me.get("/t7/clock?berths=1")
    other.put(f"/t7/units/MSKU7701/revisions/{number}", {"yard": "C-15"}, 200)
    time.sleep(0.9)
    me.put(f"/t7/units/MSKU7701/revisions/{number}", {"weight": 18350}, 409)
    seen = me.get("/t7/units/MSKU7701").json["result"]
    insist(seen["changedBy"] == "crane-04", "nobody moved it")
    me.put(f"/t7/units/MSKU7701/revisions/{seen['revision']}", {"weight": 18350}, 200)


@case(
    "b254",
    "kim-expected-revision-never-renewed",
    "stale-stored-token",
    "422",
    alone="stale-stored-token",
    also="status-dialect-mismatch",
    description=(
        "A weighbridge keeps the revision of its first read in a file and sends it with each weighing: the first "
        "passes and tells the new number, the later ones are 422. Nobody else touches the unit."
    ),
)
def never_renewed(stage: Stage) -> None:
    """Keep the number of the first read."""
    server = terminal(stage, at.UNITS)
    me = stage.actor("client", server, _HOST, "curl", {"Kk-User": "weighbridge"})
    number = me.get("/t7/units/HLXU3310").json["result"]["revision"]
    path = f"/t7/units/HLXU3310?expectedRevision={number}"
    me.put(path, {"weight": 22810}, 200)
    time.sleep(1.2)
    me.get("/t7/clock")
    me.put(path, {"weight": 22790}, 422)
    time.sleep(0.8)
    insist(me.get("/t7/units/HLXU3310").json["result"]["changedBy"] == "weighbridge", "somebody else wrote")


@case(
    "b255",
    "kim-refusal-read-from-the-body",
    "other-writer",
    "recovered",
    alone="other-writer status-dialect-mismatch",
    also="status-dialect-mismatch",
    description=(
        "The terminal's old edition tells refusals with 200 and done=false, fault KT-207. The planner reads it, "
        "finds the crane's move, and sends its change with the new revision."
    ),
)
def soft(stage: Stage) -> None:
    """Read the fault inside."""
    server = terminal(stage, at.UNITS, SOFT="1")
    front = fronts.envoy(stage, [server])
    me = stage.actor("client", front, _HOST, "httpx", {"Kk-User": "planner-1"})
    other = stage.actor("other", server, _HOST, "requests", {"Kk-User": "crane-02"})
    me.get("/t7/units")
    seen = me.get("/t7/units/MSKU7701").json["result"]
    other.send("POST", "/t7/units/MSKU7701", 200, None, {"revision": seen["revision"], "yard": "C-19"})
    time.sleep(0.7)
    told = me.send("POST", "/t7/units/MSKU7701", 200, None, {"revision": seen["revision"], "hold": "reefer"})
    insist(told.json["done"] is False, "it passed")
    seen = me.get("/t7/units/MSKU7701").json["result"]
    told = me.send("POST", "/t7/units/MSKU7701", 200, None, {"revision": seen["revision"], "hold": "reefer"})
    insist(told.json["done"], "refused again")
    me.get("/t7/units/TGHU2204")


@case(
    "b262",
    "kim-counting-script-without-base",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write none",
    description=(
        "A counting script reads lots and puts them back whole without X-Base-Revision although every answer tells "
        "the revision; the shelf a curator had changed in between is the old one again."
    ),
)
def counting(stage: Stage) -> None:
    """Put back whole, without a base."""
    server = seedbank(stage, at.LOTS)
    me = stage.actor("client", server, "bank.saat.test", "curl", {"X-Curator": "count.pl", **at.TEXT})
    other = stage.actor("other", server, "bank.saat.test", "requests", {"X-Curator": "voss", **at.TEXT})
    me.get("/lots")
    for number in ("TRI-17", "TRI-18", "VIC-03"):
        me.get(f"/lots/{number}")
    base = other.get("/lots/TRI-18").fields["x-revision"]
    other.send("PATCH", "/lots/TRI-18", 200, {"X-Base-Revision": base}, "shelf: H4\n")
    time.sleep(0.8)
    for number, seeds in (("TRI-17", "1185"), ("TRI-18", "851"), ("VIC-03", "88")):
        me.put(f"/lots/{number}", at.lot(number, seeds=seeds), 200)
    insist("shelf: F2" in other.get("/lots/TRI-18").text, "nothing was lost")


@case(
    "b263",
    "kim-ledger-number-for-revision",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "Answers of the seed bank carry the number of the whole ledger (X-Ledger) and of the lot (X-Revision); a "
        "labelling tool sends the first as base, for two lots and again after fresh reads: 412 base-outdated."
    ),
)
def ledger(stage: Stage) -> None:
    """Send the number beside it."""
    server = seedbank(stage, at.LOTS)
    me = stage.actor("client", server, "bank.saat.test", "node:axios", {"X-Curator": "labels", **at.TEXT})
    me.get("/lots?taxon=Triticum")
    for number in ("TRI-17", "TRI-18", "TRI-17"):
        base = me.get(f"/lots/{number}").fields["x-ledger"]
        me.send("PATCH", f"/lots/{number}", 412, {"X-Base-Revision": base}, "label: printed\n")
        time.sleep(0.4)
    base = me.get("/lots/TRI-17").fields["x-revision"]
    me.send("PATCH", "/lots/TRI-17", 200, {"X-Base-Revision": base}, "label: printed\n")


@case(
    "b264",
    "kim-two-saves-then-a-customs-hold",
    "self-race",
    "409",
    alone="self-race nonprecondition-412",
    also="nonprecondition-412 status-dialect-mismatch",
    description=(
        "A planner's screen sends two changes of one unit at the same moment with one revision; the second is 409. "
        "Later the gate-out of another unit is 412, a customs hold that has nothing to do with revisions."
    ),
)
def two_troubles(stage: Stage) -> None:
    """Race oneself, then meet a rule."""
    server = terminal(stage, at.UNITS, HOLD="0.25")
    me = stage.actor(
        "client", server, _HOST, "requests", {"Kk-User": "planner-3", "User-Agent": "YardView/7.4"}
    )
    me.send("POST", "/t7/session", 201, None, {"user": "planner-3", "secret": "********"})
    me.get("/t7/units")
    number = me.get("/t7/units/HLXU3310").json["result"]["revision"]
    path = f"/t7/units/HLXU3310/revisions/{number}"
    together(
        [lambda: me.put(path, {"yard": "B-01"}, 200), lambda: me.put(path, {"weight": 22800}, 409)],
        0.06,
    )
    number = me.get("/t7/units/HLXU3310").json["result"]["revision"]
    me.put(f"/t7/units/HLXU3310/revisions/{number}", {"weight": 22800}, 200)
    for _ in range(3):
        me.get("/t7/clock")
        time.sleep(0.3)
    me.get("/t7/units/TGHU2204")
    me.send("POST", "/t7/units/TGHU2204", 412, None, {"gate": "out-2"})


@case(
    "b265",
    "kim-change-without-revision",
    "token-missing",
    "422",
    alone="token-missing",
    also="status-dialect-mismatch",
    description=(
        "The terminal insists on a revision; a tool sends its changes without one: 422 KT-221, revision is "
        "mandatory, for two units. With the revision of a read the change passes."
    ),
)
def mandatory(stage: Stage) -> None:
    """Send no revision."""
    server = terminal(stage, at.UNITS, NEED="1")
    front = fronts.lighttpd(stage, server)
    me = stage.actor("client", front, _HOST, "aiohttp", {"Kk-User": "vgm-import"})
    me.get("/t7/units")
    for name in ("MSKU7701", "HLXU3310"):
        me.get(f"/t7/units/{name}")
        me.send("POST", f"/t7/units/{name}", 422, None, {"vgm": "verified"})
        time.sleep(0.3)
    number = me.get("/t7/units/MSKU7701").json["result"]["revision"]
    me.send("POST", "/t7/units/MSKU7701", 200, None, {"vgm": "verified", "revision": number})


@case(
    "b266",
    "kim-ten-is-not-ten",
    "server-precondition-bug",
    "409",
    alone="server-precondition-bug",
    also="status-dialect-mismatch",
    description=(
        "The terminal compares revisions as text; up to 9 all is well, with 10 it refuses the right number: the "
        "fault names have 10 and got 10, twice, after fresh reads, and nobody else writes."
    ),
)
def ten(stage: Stage) -> None:
    """Be refused with the right number."""
    server = terminal(stage, at.UNITS, TEXT="1")
    me = stage.actor("client", server, _HOST, "node:fetch", {"Kk-User": "reefer-watch"})
    for degrees in (-18, -19):
        number = me.get("/t7/units/HLXU3310").json["result"]["revision"]
        me.put(f"/t7/units/HLXU3310/revisions/{number}", {"temperature": degrees}, 200)
        time.sleep(0.6)
    for _ in range(2):
        number = me.get("/t7/units/HLXU3310").json["result"]["revision"]
        insist(number == 10, "not ten")
        me.put(f"/t7/units/HLXU3310/revisions/{number}", {"temperature": -20}, 409)
        time.sleep(0.5)
    me.get("/t7/units/HLXU3310")


def _key(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@case(
    "b267",
    "kim-etcd-transaction-lost",
    "other-writer",
    "recovered",
    alone="other-writer status-dialect-mismatch",
    also="status-dialect-mismatch",
    description=(
        "A transaction of etcd compares the mod_revision that was read; an operator has written the key in between: "
        "the answer is 200 without succeeded and with the current value, and the next transaction passes."
    ),
)
def transaction(stage: Stage) -> None:
    """Lose a transaction."""
    server = stage.server("etcd")
    setup = stage.actor("setup", server, "etcd.atlas.test", "httpx")
    setup.send("POST", "/v3/kv/put", 200, None, {"key": _key("/svc/limits"), "value": _key("rps=120")})
    setup.program.close()
    stage.forget()
    del stage.taps["setup"]
    me = stage.actor("client", server, "etcd.atlas.test", "requests", {"User-Agent": "limitd/0.4"})
    other = stage.actor("other", server, "etcd.atlas.test", "httpx", {"User-Agent": "etcd-ui/2"})
    me.get("/version")

    def read() -> str:
        told = me.send("POST", "/v3/kv/range", 200, None, {"key": _key("/svc/limits")}).json
        return str(told["kvs"][0]["mod_revision"])

    def change(revision: str, text: str) -> bool:
        key = _key("/svc/limits")
        body = {
            "compare": [{"key": key, "target": "MOD", "result": "EQUAL", "mod_revision": revision}],
            "success": [{"request_put": {"key": key, "value": _key(text)}}],
            "failure": [{"request_range": {"key": key}}],
        }
        return bool(me.send("POST", "/v3/kv/txn", 200, None, body).json.get("succeeded"))

    revision = read()
    other.send("POST", "/v3/kv/put", 200, None, {"key": _key("/svc/limits"), "value": _key("rps=90")})
    time.sleep(0.8)
    insist(not change(revision, "rps=150"), "it passed")
    insist(change(read(), "rps=90;burst=30"), "it was refused")


@case(
    "b268",
    "kim-etcd-compares-a-line-end",
    "payload-precondition-mismatch",
    "200",
    alone="payload-precondition-mismatch status-dialect-mismatch",
    also="status-dialect-mismatch",
    description=(
        "A script guards its etcd transaction with the old value as its file has it, with a line end; the stored "
        "value has none: 200 without succeeded, twice. Nobody has written; without the line end it passes."
    ),
)
def line_end(stage: Stage) -> None:
    """Compare with a value that was never there."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.atlas.test", "curl", {"User-Agent": "rollout.sh"})
    key = _key("/svc/image")
    me.send("POST", "/v3/kv/put", 200, None, {"key": key, "value": _key("gateway:4.1")})
    for old, wanted in (("gateway:4.1\n", False), ("gateway:4.1\n", False), ("gateway:4.1", True)):
        me.send("POST", "/v3/kv/range", 200, None, {"key": key})
        body = {
            "compare": [{"key": key, "target": "VALUE", "result": "EQUAL", "value": _key(old)}],
            "success": [{"request_put": {"key": key, "value": _key("gateway:4.2")}}],
        }
        told = me.send("POST", "/v3/kv/txn", 200, None, body).json
        insist(bool(told.get("succeeded")) == wanted, f"{told}")
        time.sleep(0.4)


@case(
    "b269",
    "kim-one-refusal-in-a-long-morning",
    "other-writer",
    "recovered",
    alone="other-writer server-side-mutation",
    description=(
        "A roster screen polls the crew with 304s for a hundred requests and saves now and then; one save is 412 "
        "because the office wrote in between. The files hold no content of answers."
    ),
    synthetic=True,
)
def morning(stage: Stage) -> None:
    """Poll for long and be refused once."""
    stage.keeps_content = False
    server = suite(stage, "eve", at.PEOPLE)
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "crew.hafen.test", "requests", {"X-Actor": "roster-wall"})
    other = stage.actor("other", front, "crew.hafen.test", "httpx", {"X-Actor": "office"})
    names = ("ines", "kofi", "liv")
    held = {name: me.get(f"/api/crew/{name}").etag for name in names}
    for number in range(30):
        for name in names:
            answer = me.send("GET", f"/api/crew/{name}", (200, 304), {"If-None-Match": held[name]})
            held[name] = answer.fields.get("etag", held[name])
        if number in {6, 21}:
            told = me.send(
                "PATCH", "/api/crew/ines", 200, {"If-Match": held["ines"]}, {"port": f"Pier {number}"}
            )
            held["ines"] = told.etag
        if number == 14:
            theirs = other.get("/api/crew/kofi").etag
            other.send("PATCH", "/api/crew/kofi", 200, {"If-Match": theirs}, {"licence": "A"})
            time.sleep(0.3)
            me.send("PATCH", "/api/crew/kofi", 412, {"If-Match": held["kofi"]}, {"port": "Skagen"})
            held["kofi"] = me.get("/api/crew/kofi").etag
            told = me.send("PATCH", "/api/crew/kofi", 200, {"If-Match": held["kofi"]}, {"port": "Skagen"})
            held["kofi"] = told.etag
        time.sleep(0.03)
    look(me, ["/api/"])
