"""Unseen recordings: more applications with versions of their own making."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tools.recording_apis.apps.uma_core import Ask
from tools.recording_apis.apps.uma_ledger import Ledger, Rec, iso
from tools.recording_apis.apps.uma_own import Desk, rpc, sessions
from tools.recording_apis.stage import case
from tools.recording_apis.stories import uma_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.apps.uma_words import Reply
    from tools.recording_apis.stage import Stage


@case(
    "d238",
    "the-newest-date-under-an-old-text",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "An app for care plans sends updatedAt with each save. Before it saves, it fetches the plan again and takes the "
        "date alone; its plan is that of the morning, so a nurse's new medicine is gone. All answers are 200."
    ),
)
def plan(stage: Stage) -> None:
    """Take a new date for an old plan."""
    rows = {f"/plans/{n}": {"bed": n, "meds": ["ASS 100"], "diet": "leicht"} for n in ("11a", "11b", "12a")}
    desk = Desk(
        Ledger(rows),
        "body",
        "updatedAt",
        lambda rec: iso(rec.at, 6),
        stale=(422, {"errors": {"updatedAt": "is not the latest"}}),
        missing=(422, {"errors": {"updatedAt": "can't be blank"}}),
    )
    server = place.house(stage, desk, "pflegeplan", "waitress")
    me = stage.actor("client", server, "plan.pflege.test", "node:axios", {"X-User": "arzt-3"})
    other = stage.actor("other", server, "plan.pflege.test", "requests", {"X-User": "schwester-t"})
    place.glance(me, ["/plans/11a", "/plans/12a"], 4, 238)
    morning = {one["id"]: one for one in me.get("/plans").json["items"]}
    theirs = other.get("/plans/11b").json
    other.put("/plans/11b", {**theirs, "meds": ["ASS 100", "Ramipril 5"]}, 200)
    place.pause(1.2)
    me.put("/plans/11a", {**morning["11a"], "diet": "voll"}, 200)
    fresh = me.get("/plans/11b").json
    me.put("/plans/11b", {**morning["11b"], "diet": "voll", "updatedAt": fresh["updatedAt"]}, 200)
    place.holds(me.get("/plans/11b").json["meds"] == ["ASS 100"])


@case(
    "d239",
    "the-version-is-optional",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "A service for shift swaps refuses an outdated version with 409 and takes a body without one. A kiosk, which "
        "reads the version each time, never sends it, and overwrites what the phone has just saved with it."
    ),
)
def swaps(stage: Stage) -> None:
    """Leave out what may be left out."""
    rows = {f"/shifts/{n}": {"day": n, "who": "Ayla", "note": ""} for n in ("mo", "di", "mi")}
    desk = Desk(Ledger(rows), stale=(409, {"hiba": "A rekord közben megváltozott.", "jelenlegi": "{now}"}))
    server = place.house(stage, desk, "muszak")
    me = stage.actor("client", server, "muszak.gyar.test", "httpx", {"X-User": "kioszk"})
    other = stage.actor("other", server, "muszak.gyar.test", "aiohttp", {"X-User": "telefon"})
    me.get("/shifts")
    place.glance(me, ["/shifts/mo", "/shifts/mi", "/shifts"], 6, 239)
    seen, theirs = me.get("/shifts/di").json, other.get("/shifts/di").json
    saved = other.put("/shifts/di", {**theirs, "note": "csere Pallal"}, 200).json
    place.pause(0.9)
    place.holds(me.get("/shifts/di").json["note"] == "csere Pallal")
    me.put("/shifts/di", {"day": "di", "who": "Bela", "note": seen["note"]}, 200)
    me.put("/shifts/mi", {"day": "mi", "who": "Ayla", "note": ""}, 200)
    place.holds(me.get("/shifts/di").json["note"] == "")
    other.put("/shifts/di", {**saved, "note": "csere Pallal, 14 óra"}, 409)


@case(
    "d240",
    "a-version-of-zero",
    "null-token",
    "409",
    alone="null-token",
    also="status-dialect-mismatch",
    description=(
        "A script calls save over JSON-RPC with version 0, the start value of its class, for records that are at version "
        "2 and more, as get and list told it: 409, code -32009, each time. One save with the version is taken."
    ),
)
def zero(stage: Stage) -> None:
    """Send a start value for a version."""
    rows = {f"tariff/{n}": {"cents": 30 + n, "zone": n} for n in range(1, 5)}
    server = place.house(stage, rpc(Ledger(rows)), "rpcd/2")
    me = stage.actor("client", server, "rpc.tarife.test", "curl:trace-time", {"X-User": "import.py"})
    counter = iter(range(1, 20))

    def call(method: str, expect: int = 200, **params: object) -> Answer:
        body = {"jsonrpc": "2.0", "id": next(counter), "method": f"tariff.{method}", "params": params}
        return me.send("POST", "/rpc", expect, body=body)

    call("list")
    for number in (1, 2):
        call("get", key=f"tariff/{number}")
        call("save", 409, key=f"tariff/{number}", version=0, value={"cents": 40, "zone": number})
    version = call("get", key="tariff/3").json["result"]["version"]
    call("save", key="tariff/3", version=version, value={"cents": 41, "zone": 3})
    call("save", 409, key="tariff/4", version=0, value={"cents": 42, "zone": 4})


@case(
    "d241",
    "a-row-version-coded-for-urls",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A client puts the base64 row version of a loan percent-encoded into its field If-Row-Version, as for a URL: 412. "
        "Each read names the same value without the coding; a value without signs to encode passes."
    ),
)
def coded(stage: Stage) -> None:
    """Encode what has to be sent as it is."""
    rows = {f"/loans/{n}": {"loan": n, "rate": 3.1, "term": 120} for n in (1, 2, 3)}

    def version(rec: Rec) -> str:
        return base64.b64encode(bytes([0xFB, rec.serial % 256, 0xEF, rec.version])).decode()

    text = {"error": "row_version_mismatch", "detail": "If-Row-Version does not name the stored row version."}
    desk = Desk(Ledger(rows), "header", "Row-Version", version, stale=(412, text))

    def app(ask: Ask) -> Reply:
        fields = (
            {**ask.fields, "row-version": ask.fields["if-row-version"]}
            if "if-row-version" in ask.fields
            else ask.fields
        )
        return desk(Ask(ask.method, ask.path, ask.query, fields, ask.body))

    me = stage.actor("client", place.house(stage, app, "loans", "waitress"), "loans.bank.example", "java")
    me.get("/loans")
    place.glance(me, ["/loans/1", "/loans/3", "/loans"], 5, 241)
    for rate in (3.3, 3.3):
        seen = me.get("/loans/2")
        own = {"If-Row-Version": quote(seen.fields["row-version"], safe="")}
        place.holds("%" in own["If-Row-Version"])
        me.put("/loans/2", {"loan": 2, "rate": rate, "term": 120}, 412, own)
    place.pause(0.4)
    me.get("/loans/3")
    place.holds(me.get("/loans/2").fields["row-version"] == seen.fields["row-version"])
    me.put(
        "/loans/2", {"loan": 2, "rate": 3.3, "term": 120}, 200, {"If-Row-Version": seen.fields["row-version"]}
    )


@case(
    "d242",
    "the-list-s-number-for-an-item",
    "wrong-token-source",
    "409",
    alone="wrong-token-source",
    also="status-dialect-mismatch",
    description=(
        "A board's list has a revision of its own beside the items' revisions. A script sends the list's number as an "
        "item's: 409, names the item's. The numbers are apart by thousands, and nobody else writes."
    ),
)
def board(stage: Stage) -> None:
    """Send a number of the list."""
    rows = {f"/cards/{n}": {"title": f"Kort {n}", "column": "todo"} for n in range(21, 26)}
    box = Ledger(rows, 48100)
    text = {"fel": "Fel revision för kortet.", "skickad": "{sent}", "gällande": "{now}"}
    desk = Desk(box, "body", "revision", stale=(409, text), listed=lambda: {"revision": box.serial})
    server = place.house(stage, desk, "tavlan", "cheroot")
    me = stage.actor("client", server, "tavla.byra.test", "requests", {"X-User": "skript"})
    for number, column in ((21, "doing"), (24, "done"), (21, "done")):
        shown = me.get("/cards").json
        me.send("PATCH", f"/cards/{number}", 409, body={"column": column, "revision": shown["revision"]})
        place.pause(0.2)
    card = me.get("/cards/22").json
    me.send("PATCH", "/cards/22", 200, body={"column": "doing", "revision": card["revision"]})


@case(
    "d243",
    "five-hundred-for-a-version",
    "status-dialect-mismatch",
    "500",
    alone="status-dialect-mismatch other-writer",
    also="other-writer retry-reuses-failed-token",
    description=(
        "A service answers 500 to an outdated version, with OptimisticLockException in its body. The client takes it "
        "for a failure of the server and sends the same three times more; a colleague had changed the record."
    ),
)
def exception(stage: Stage) -> None:
    """Take a conflict for a failure."""
    rows = {f"/policies/{n}": {"holder": f"Kunde {n}", "premium": 40 + n} for n in (401, 402, 403)}
    text = {"error": "Internal Server Error", "exception": "javax.persistence.OptimisticLockException"}
    text["message"] = "Row was updated or deleted by another transaction: Policy, version {sent}"
    server = place.house(stage, Desk(Ledger(rows), stale=(500, text)), "Apache-Coyote/1.1")
    me = stage.actor("client", server, "police.versicherung.test", "java", {"X-User": "makler-2"})
    other = stage.actor("other", server, "police.versicherung.test", "httpx", {"X-User": "innendienst"})
    me.get("/policies")
    for number in (401, 403):
        held = me.get(f"/policies/{number}").json
        me.put(f"/policies/{number}", {**held, "premium": held["premium"] + 1}, 200)
    seen, theirs = me.get("/policies/402").json, other.get("/policies/402").json
    other.put("/policies/402", {**theirs, "premium": 55}, 200)
    place.pause(0.6)
    for wait in (0.2, 0.2, 0.2, 0.2):
        me.put("/policies/402", {**seen, "holder": "Kundin 402"}, 500)
        place.pause(wait)
    me.get("/policies/403")


@case(
    "d244",
    "a-price-with-two-decimals",
    "payload-precondition-mismatch",
    "422",
    alone="payload-precondition-mismatch",
    also="status-dialect-mismatch",
    description=(
        "A price service changes a price when expect names the stored one exactly. A till sends 12.50 where 12.5 is "
        "stored: 422, which names expect.prix, though the read shows that nobody changed it; 12.5 is taken."
    ),
)
def price(stage: Stage) -> None:
    """Expect a value in another notation."""
    box = Ledger(
        {f"/prix/{n}": {"article": n, "prix": p} for n, p in (("thé", "4.2"), ("miel", "12.5"), ("sel", "2"))}
    )

    def app(ask: Ask) -> Reply:
        rec = box.get(ask.path)
        if rec is None:
            return 200, {}, {"articles": [one.data for one in box.below("/prix/").values()]}
        if ask.method == "PATCH":
            wanted = ask.json["expect"]["prix"]
            if wanted != rec.data["prix"]:
                told = {
                    "champ": "expect.prix",
                    "message": f"valeur attendue {wanted}, valeur enregistrée {rec.data['prix']}",
                }
                return 422, {}, {"erreurs": [told]}
            rec = box.merge(ask.path, "caisse", prix=ask.json["set"]["prix"])
        return 200, {}, rec.data

    server = place.house(stage, app, "tarifs/3")
    me = stage.actor("client", server, "tarifs.epice.test", "aiohttp", {"X-User": "caisse-4"})
    me.get("/prix")
    me.send("PATCH", "/prix/thé", 200, body={"expect": {"prix": "4.2"}, "set": {"prix": "4.4"}})
    place.glance(me, ["/prix", "/prix/sel"], 4, 244)
    for _ in range(2):
        me.send("PATCH", "/prix/miel", 422, body={"expect": {"prix": "12.50"}, "set": {"prix": "13.90"}})
        me.get("/prix/miel")
    me.send("PATCH", "/prix/sel", 200, body={"expect": {"prix": "2"}, "set": {"prix": "2.2"}})
    place.pause(0.3)
    me.send("PATCH", "/prix/miel", 200, body={"expect": {"prix": "12.5"}, "set": {"prix": "13.90"}})


@case(
    "d245",
    "the-edit-session-ran-out",
    "token-expired",
    "410",
    alone="token-expired",
    description=(
        "An archive lets edit within a session that lasts a second and a half. An archivist saves with one that is "
        "older: 410, with the time it ended, twice; a fresh session of the same record is taken at once."
    ),
)
def archive(stage: Stage) -> None:
    """Save with a session that is over."""
    rows = {f"/akten/{n}": {"titel": f"Akte {n}", "jahr": 1900 + n} for n in (11, 12, 13)}
    words = {
        "unknown": "Diese Sitzung gehört nicht zur Akte.",
        "expired": "Die Bearbeitungssitzung ist abgelaufen.",
    }
    server = place.house(stage, sessions(Ledger(rows), 1.5, words), "archivum", "waitress")
    me = stage.actor("client", server, "akten.archiv.test", "node:fetch", {"X-User": "archivar"})
    me.get("/akten")
    quick = me.send("POST", "/akten/11/sessions", 201).json["session"]
    me.put("/akten/11", {"titel": "Akte 11", "jahr": 1912}, 200, {"Edit-Session": quick})
    held = {"Edit-Session": me.send("POST", "/akten/12/sessions", 201).json["session"]}
    me.get("/akten/12")
    place.pause(1.9)
    me.put("/akten/12", {"titel": "Akte 12, neu", "jahr": 1912}, 410, held)
    me.get("/akten/13")
    me.put("/akten/12", {"titel": "Akte 12, neu", "jahr": 1912}, 410, held)
    fresh = {"Edit-Session": me.send("POST", "/akten/12/sessions", 201).json["session"]}
    me.put("/akten/12", {"titel": "Akte 12, neu", "jahr": 1912}, 200, fresh)


@case(
    "d246",
    "one-version-two-winners",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race other-writer",
    description=(
        "Two nurses add a reading to one chart with the same version at the same moment; both are 200 with the version "
        "counted up, and the first reading is gone. A later save with the version of the first 200 is 409: the check "
        "holds when nothing overlaps."
    ),
)
def winners(stage: Stage) -> None:
    """Let two saves of one version pass."""
    rows: dict[str, Any] = {f"/charts/{n}": {"bed": n, "readings": []} for n in (3, 4, 5)}
    desk = Desk(Ledger(rows), stale=(409, {"error": "outdated", "current": "{now}"}), gap=0.3)
    server = place.house(stage, desk, "charts", "waitress")
    me = stage.actor("client", server, "charts.ward.example", "httpx", {"X-User": "nurse-kay"})
    other = stage.actor("other", server, "charts.ward.example", "requests", {"X-User": "nurse-lee"})
    me.get("/charts")
    for bed in (3, 5, 3):
        held = me.get(f"/charts/{bed}").json
        me.put(f"/charts/{bed}", {**held, "readings": [*held["readings"], "36.6 kay"]}, 200)
    seen, theirs = me.get("/charts/4").json, other.get("/charts/4").json
    got = place.together(
        lambda: me.put("/charts/4", {**seen, "readings": ["37.1 kay"]}, 200),
        lambda: other.put("/charts/4", {**theirs, "readings": ["118/76 lee"]}, 200),
        apart=0.1,
    )
    place.holds(me.get("/charts/4").json["readings"] == ["118/76 lee"])
    me.put("/charts/4", {**got[0].json, "readings": ["37.1 kay", "36.9 kay"]}, 409)
    me.put("/charts/5", {**me.get("/charts/5").json, "readings": ["60 kay"]}, 200)
