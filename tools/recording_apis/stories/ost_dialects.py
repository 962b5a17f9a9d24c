"""Refusals that speak another language, and pages whose scripts may not read a tag."""

from __future__ import annotations

import importlib
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import ost_setting as own

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor

_PERMIT = "/permits/BP-2026-0131"


@case(
    "a876",
    "form-page-says-not-saved-with-200",
    "status-dialect-mismatch",
    "lost-write",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    description=(
        "The inventory answers an outdated form with a page of status 200 that says NOT saved. A macro looks at the "
        "status only, reports success and goes on to the next asset; a colleague had changed the first one."
    ),
)
def polite(stage: Stage) -> None:
    """Take 200 for success."""
    server = own.house(stage, "ost_inventory.php", own.ASSETS, FLAGS="polite")
    macro = {"User-Agent": "Mozilla/5.0 (compatible; iMacros/12)", "Accept": "text/html"}
    me = stage.actor("client", server, "inventory.townhall.example.test", "httpx", macro)
    other = stage.actor(
        "other", server, "inventory.townhall.example.test", "requests", {"Accept": "text/html"}
    )
    mine, theirs = own.sign_in(me, "h.brandt"), own.sign_in(other, "s.duarte")
    me.get("/assets/1204", 200, mine)
    other.get("/assets/1204", 200, theirs)
    form = "lock_version=5&name=Plotter+A0&room=U.03&state=worn&owner=Archive"
    other.send("POST", "/assets/1204", 303, {**theirs, **own.FORM}, form)
    other.get("/assets/1204", 200, theirs)
    time.sleep(0.8)
    form = "lock_version=5&name=Plotter+A0&room=U.09&state=worn&owner=Planning"
    page = me.send("POST", "/assets/1204", 200, {**mine, **own.FORM}, form)
    own.insist("NOT saved" in page.text, "it was saved")
    me.get("/assets/1377", 200, mine)
    form = "lock_version=5&name=Ladder+6+m&room=Shed&state=good&owner=Works"
    me.send("POST", "/assets/1377", 303, {**mine, **own.FORM}, form)
    me.get("/assets/1377", 200, mine)
    own.insist("U.09" not in other.get("/assets/1204", 200, theirs).text, "it was saved")


@case(
    "a877",
    "replace-names-another-old-value",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    description=(
        "A patch document for a permit names the old value that it replaces: was='420', while the file has "
        "'420.00'. The service refuses with WAS_MISMATCH and both values; with the value as read it is stored."
    ),
)
def old_value(stage: Stage) -> None:
    """Spell an old value in another way."""
    server = own.house(stage, "ost_permits.py", own.PERMITS, FLAGS="compare")
    me = stage.actor("client", server, "permits.county.example.test", "java", {"X-Clerk": "cashier"})
    me.get("/permits?state=in%20review")
    own.stroll(me, ["/permits/BP-2026-0117", "/permits/BP-2026-0118"])
    me.get(_PERMIT)
    patch = '<patch><replace field="fee" was="{}">460.00</replace></patch>'
    for _ in range(2):
        me.send("PATCH", _PERMIT, 412, own.XML, patch.format("420"))
    read = me.get(_PERMIT)
    own.insist("<fee>420.00</fee>" in read.text and 'serial="20"' in read.text, "the file has changed")
    me.send("PATCH", _PERMIT, 200, own.XML, patch.format("420.00"))


@case(
    "a878",
    "update-by-search-finds-two",
    "multi-match",
    "412",
    alone="multi-match",
    description=(
        "A batch updates permits by a search for the applicant instead of a number: one applicant has two files, 412 "
        "NOT_SELECTIVE names both. With the plot in the search it is one, and stored."
    ),
)
def by_search(stage: Stage) -> None:
    """Update what a search finds."""
    server = own.house(stage, "ost_permits.py", own.PERMITS)
    me = stage.actor("client", server, "permits.county.example.test", "requests", {"X-Clerk": "batch-9"})
    me.get("/permits?applicant=Adeyemi")
    me.get("/permits/BP-2026-0131")
    body = "<permit><state>fee paid</state></permit>"
    me.put("/permits?applicant=Adeyemi", body, 200, own.XML)
    me.put("/permits?applicant=Voss", body, 412, own.XML)
    own.insist('total="2"' in me.get("/permits?applicant=Voss").text, "not two")
    me.put(f"/permits?applicant=Voss&plot={quote('12/5', safe='')}", body, 200, own.XML)
    me.get("/permits/BP-2026-0118")


@case(
    "a879",
    "store-cannot-do-conditions",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    also="status-dialect-mismatch",
    description=(
        "A roster store refuses every write that carries If-Match or If-None-Match with 501, also right after a "
        "fresh read. Without a condition the same write is stored."
    ),
)
def cannot(stage: Stage) -> None:
    """Ask for what the store cannot do."""
    server = own.house(stage, "ost_roster.js", own.SHIFTS, FLAGS="unguarded")
    me = stage.actor("client", server, "roster.clinic.example.test", "urllib", {"X-User": "rota-import"})
    me.get(own.WEEK)
    read = me.get(f"{own.WEEK}/s19")
    me.send("PATCH", f"{own.WEEK}/s19", 501, {"If-Match": read.etag}, {"nurse": "Weiss"})
    again = me.get(f"{own.WEEK}/s19")
    me.send("PATCH", f"{own.WEEK}/s19", 501, {"If-Match": again.etag}, {"nurse": "Weiss"})
    shift = {"ward": "4A", "from": "06:00", "to": "14:00", "nurse": "Sato"}
    me.put(f"{own.WEEK}/s20", shift, 501, {"If-None-Match": "*"})
    me.put(f"{own.WEEK}/s20", shift, 201)
    me.get(f"{own.WEEK}/s20")


@case(
    "a880",
    "shield-answers-412",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A protection layer in nginx answers searches and forms that look like SQL with 412 and a page of its own. No "
        "request carries a condition, the service behind has not seen them, and harmless ones pass."
    ),
)
def shield(stage: Stage) -> None:
    """Be taken for an attacker."""
    server = own.house(stage, "ost_permits.py", own.PERMITS)
    page = (
        "<html><head><title>Request blocked</title></head><body><h1>Request blocked</h1><p>Your request looks "
        "harmful (rule 942100). Incident $request_id</p><hr>EdgeShield 3</body></html>"
    )
    rule = f"if ($args ~* \"(union|select|drop)\") {{ return 412 '{page}'; }}"
    edge = fronts.nginx(stage, server, block="default_type text/html;\n" + rule)
    me = stage.actor("client", edge, "permits.county.example.test", "node", {"X-Clerk": "portal"})
    me.get("/permits?applicant=Adeyemi")
    own.stroll(me, ["/permits/BP-2026-0117", "/permits?state=received"])
    me.get("/permits?applicant=Union%20Bank&sort=plot", 412)
    me.get(_PERMIT)
    me.send("PUT", "/permits?applicant=Union%20Bank", 412, own.XML, "<permit><state>closed</state></permit>")
    me.get("/permits?applicant=Voss")


def _lock(actor: Actor, condition: str, expect: int, holder: str) -> None:
    actor.send("PUT", f"/v2/keys/cron/leader?{condition}", expect, own.FORM, f"value={holder}&ttl=20")


@case(
    "a881",
    "cron-leader-among-three",
    "expected-control-flow",
    "412",
    alone="expected-control-flow exists-already",
    also="exists-already",
    description=(
        "Three hosts run one cron job and take the key cron/leader in etcd with prevExist=false each minute. One "
        "wins and renews, the losers get 412 and sleep; the job runs once a round and nobody is worse off."
    ),
)
def leader(stage: Stage) -> None:
    """Lose an election each round."""
    server = stage.server("etcd")
    job = {"User-Agent": "cron-once/1.1"}
    other = stage.actor("other", server, "etcd.example.test", "httpx", {**job, "X-Host": "web-1"})
    me = stage.actor("client", server, "etcd.example.test", "requests", {**job, "X-Host": "web-2"})
    third = stage.actor("other-3", server, "etcd.example.test", "urllib", {**job, "X-Host": "web-3"})
    _lock(other, "prevExist=false", 201, "web-1")
    for _ in range(4):
        _lock(me, "prevExist=false", 412, "web-2")
        _lock(third, "prevExist=false", 412, "web-3")
        _lock(other, "prevValue=web-1", 200, "web-1")
        other.send("PUT", "/v2/keys/cron/last-run", (200, 201), own.FORM, "value=ok")
        me.get("/v2/keys/cron/last-run")
        time.sleep(0.5)


_PAGE = """<!doctype html><title>Readings</title><script>
async function save(url, m3) {
  const got = await fetch(url);
  const seen = await got.json();
  const tag = got.headers.get('ETag');
  const headers = {'Content-Type': 'application/json', 'X-Operator': 'web-form'};
  if (tag) headers['If-Match'] = tag;
  const body = JSON.stringify({meter: {...seen.meter, m3}});
  const put = await fetch(url, {method: 'PUT', headers, body});
  return [tag, put.status];
}
</script><h1>Readings</h1>
"""
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]


@case(
    "a882",
    "reading-form-cannot-see-the-tag",
    "cors-hidden-etag",
    "428",
    alone="cors-hidden-etag",
    also="token-missing",
    description=(
        "A page on another origin reads a meter and looks for ETag, which nginx lets through without exposing it to "
        "scripts: the page finds null, sends no If-Match and is 428 on every save. The raw answers carry the tag."
    ),
)
def reading_form(stage: Stage) -> None:
    """Look for a tag that scripts may not read."""
    server = own.house(stage, "ost_meters.py", own.METERS, FLAGS="demand")
    fields = "add_header Access-Control-Allow-Origin http://forms.water.example.test always;"
    preflight = (
        f"if ($request_method = OPTIONS) {{ {fields} add_header Access-Control-Allow-Methods 'GET, PUT';"
        " add_header Access-Control-Allow-Headers 'content-type, if-match, x-operator'; return 204; }"
    )
    edge = fronts.nginx(stage, server, fields + preflight)
    pages = fronts.site(stage, "caddy", {"form.html": _PAGE})
    rules = f"MAP forms.water.example.test:80 127.0.0.1:{pages.port}, "
    rules += f"MAP hydra.water.example.test:80 127.0.0.1:{stage.tap('client', edge)}"
    export = stage.directory() / "client.har"
    driver: Any = importlib.import_module("playwright.sync_api").sync_playwright().start()
    try:
        chromium = driver.chromium.launch(
            executable_path="/usr/bin/chromium", args=[*_FLAGS, f"--host-resolver-rules={rules}"]
        )
        context = chromium.new_context(
            record_har_path=str(export), record_har_content="embed", locale="de-DE"
        )
        page = context.new_page()
        page.goto("http://forms.water.example.test/form.html")
        for number, m3 in (("70114", 1300), ("70231", 660)):
            call = f"save('http://hydra.water.example.test/v3/meters/{number}', {m3})"
            seen = page.evaluate(call)
            own.insist(seen == [None, 428], f"{seen}")
        stage.servers["browser"] = f"Chromium {chromium.version}"
        context.close()
        chromium.close()
    finally:
        driver.stop()
    stage.exported["client"] = export
