"""Refusals that are no condition, claims that are lost by design, and a page behind another origin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.tom_engine import Reply
from tools.recording_apis.apps.tom_microsoft import Lists
from tools.recording_apis.apps.tom_tagged import Fhir, Notes
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.tom_setting import api, azure, bearer, look, must, news, report, rest

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor
    from tools.recording_apis.apps.tom_engine import Request


_PAGE = '<!DOCTYPE html><html lang="de"><head><title>Anfrage abgelehnt</title></head><body><h1>Ihre Anfrage wurde blockiert</h1><p>Vorgangsnummer: {0}</p><p>Application Security Gateway</p></body></html>'


@case(
    "d153",
    "tom-list-item-with-a-script-in-it",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    synthetic=True,
    description="A form adds items to a SharePoint list by POST without any condition. Two of them hold markup in their text and are answered 412 with a German page of a security gateway and an incident number; the others are created. The same text without markup passes.",
)
def script(stage: Stage) -> None:
    """Be stopped for the text."""
    base = "/sites/it/_api/web/lists/getbytitle('Wishes')/items"
    product = Lists({f"{base}(1)": {"Title": "Monitor"}, f"{base}(2)": {"Title": "Chair"}})

    def guarded(request: Request) -> Reply | None:
        if b"<script" in request.body:
            page = _PAGE.format(f"{len(request.body)}-{product.numbers:06d}")
            return Reply(412, page, {"Content-Type": "text/html; charset=utf-8", "Connection": "close"})
        if request.method == "GET" and request.path == base:
            return Reply(200, {"value": [product.body(path, item) for path, item in product.items.items()]})
        if request.method == "POST" and request.path == base:
            path = f"{base}({len(product.items) + 1})"
            made = product.store(path, request.json, request.user)
            return Reply(201, product.body(path, made), {"ETag": product.tag(path, made)})
        return None

    product.before.append(guarded)
    server = api(stage, product, "SharePoint")
    me = stage.actor(
        "client",
        server,
        "intranet.test",
        "node:fetch",
        bearer("form", Accept="application/json;odata=nometadata"),
    )
    me.get(base)
    for title, status in (("Keyboard", 201), ("Button: <script>go()</script>", 412), ("Lamp", 201)):
        me.send("POST", base, status, None, {"Title": title})
        rest(0.2)
    me.send("POST", base, 412, None, {"Title": "Button: <script>go()</script>"})
    me.get(f"{base}(1)")
    look(me, "form.css")
    report(me)
    me.send("POST", base, 201, None, {"Title": "Button: script go"})


@case(
    "d154",
    "tom-notes-without-a-request-token",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    synthetic=True,
    description="A page's script writes notes with a session cookie after the session's token was renewed: 412 CSRF check failed, with no condition in any request, also on a POST that creates. After it has fetched a new token, which goes in requesttoken, all is as usual.",
)
def csrf(stage: Stage) -> None:
    """Lack a request token."""
    base = "/index.php/apps/notes/notes"
    product = Notes({f"{base}/{number}": {"title": f"N{number}", "content": ""} for number in (1, 2)})
    product.fixed["GET /index.php/csrftoken"] = Reply(
        200, {"token": "Zm9vYmFy:YmF6"}, {"Cache-Control": "no-store"}
    )

    def checked(request: Request) -> Reply | None:
        if request.writes and request.fields.get("requesttoken") != "Zm9vYmFy:YmF6":
            return Reply(412, {"message": "CSRF check failed"})
        if request.method == "POST":
            product.store(f"{base}/3", request.json, request.user)
            return Reply(200, product.body(f"{base}/3", product.items[f"{base}/3"]))
        return None

    product.before.append(checked)
    server = api(stage, product, "Nextcloud Notes")
    me = stage.actor(
        "client",
        server,
        "cloud.ada.test",
        "node:axios",
        {
            "Cookie": "nc_session_id=q; nc_sameSiteCookielax=true",
            "requesttoken": "b2xk:b25l",
            "X-Requested-With": "XMLHttpRequest",
        },
    )
    look(me, "notes.css")
    me.get(base)
    me.put(f"{base}/1", {"title": "N1", "content": "call Ida"}, 412)
    me.send("POST", base, 412, None, {"title": "N3", "content": ""})
    rest(0.5)
    me.get(f"{base}/1")
    token = {"requesttoken": me.get("/index.php/csrftoken").json["token"]}
    me.put(f"{base}/1", {"title": "N1", "content": "call Ida"}, 200, token)
    me.send("POST", base, 200, token, {"title": "N3", "content": ""})


def _claim(me: Actor, number: int, tag: str, owner: str, expect: int | tuple[int, ...]) -> Any:
    fields = {"x-ms-blob-type": "BlockBlob", "x-ms-meta-ownerid": owner}
    fields |= {"If-Match": tag} if tag else {"If-None-Match": "*"}
    return azure(me, "PUT", f"/notes/hub/readings/ownership/{number}", expect, fields, "")


@case(
    "d155",
    "tom-processors-share-out-partitions",
    "expected-control-flow",
    "412",
    alone="expected-control-flow other-writer",
    also="other-writer",
    description="Two event processors share four partitions by ownership blobs: every round each lists them and claims with If-Match what it wants; who comes second gets 412 or 409 for that blob, keeps what it has and goes on with the next round. After three rounds each owns two.",
)
def partitions(stage: Stage) -> None:
    """Lose a claim now and then."""
    server = stage.server("azurite")
    version = {"x-ms-version": "2021-12-02"}
    other = stage.actor(
        "other",
        server,
        "events.blob.test",
        "httpx",
        {**version, "User-Agent": "azsdk-python-eventhub/5.13 processor-b"},
    )
    me = stage.actor(
        "client",
        server,
        "events.blob.test",
        "requests",
        {**version, "User-Agent": "azsdk-python-eventhub/5.13 processor-a"},
    )
    azure(other, "PUT", "/notes/hub?restype=container", 201)
    tags: dict[int, str] = {}
    for number in range(4):
        (_claim(me, number, "", "a", 201), _claim(other, number, "", "b", 409))[0]
    for turn in range(3):
        azure(
            me,
            "GET",
            "/notes/hub?restype=container&comp=list&include=metadata&prefix=readings%2Fownership",
            200,
        )
        for number in range(4):
            tags[number] = azure(other, "HEAD", f"/notes/hub/readings/ownership/{number}", 200).etag
        rest(0.25)
        first, second = (me, other) if turn % 2 else (other, me)
        for number in (0, 1) if turn % 2 else (2, 3):
            _claim(first, number, tags[number], "a" if turn % 2 else "b", 201)
            _claim(second, number, tags[number], "b" if turn % 2 else "a", 412)
    for number in range(4):
        azure(me, "HEAD", f"/notes/hub/readings/ownership/{number}", 200)


@case(
    "d156",
    "tom-page-cannot-read-the-tag",
    "cors-hidden-etag",
    "412",
    alone="cors-hidden-etag null-token",
    also="null-token",
    synthetic=True,
    description="A web page on another origin reads care plans: the answers have ETag and Access-Control-Allow-Origin but no Access-Control-Expose-Headers, so its script finds null and sends If-Match: null after a preflight: 412 for each plan. A program on a server, without Origin, updates with the same service's tags.",
)
def page(stage: Stage) -> None:
    """Hide a field from a script."""
    base = "/fhir/CarePlan"
    product = Fhir({f"{base}/{number}": {"status": "active", "note": []} for number in (1, 2)}, first=2)
    allowed = {"Access-Control-Allow-Origin": "https://ward.test", "Vary": "Origin"}
    methods = {
        "Access-Control-Allow-Methods": "GET, PUT",
        "Access-Control-Allow-Headers": "authorization, content-type, if-match",
        "Access-Control-Max-Age": "5",
    }

    def preflight(request: Request) -> Reply | None:
        return Reply(204, None, {**allowed, **methods}) if request.method == "OPTIONS" else None

    product.before.append(preflight)
    product.after.append(
        lambda request, reply: (
            Reply(reply.status, reply.body, {**reply.fields, **allowed})
            if "origin" in request.fields
            else None
        )
    )
    server = api(stage, product, "FHIR server")
    browser = {
        "Origin": "https://ward.test",
        "Referer": "https://ward.test/",
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
        "Sec-Fetch-Mode": "cors",
        "Sec-Fetch-Site": "cross-site",
    }
    me = stage.actor("client", server, "fhir.ward.test", "requests", browser)
    other = stage.actor("other", server, "fhir.ward.test", "httpx", bearer("planner"))
    asked = {
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,content-type,if-match",
    }
    token = bearer("nurse")
    for number in (1, 2):
        seen = me.get(f"{base}/{number}", 200, token)
        must("etag" in seen.fields and "access-control-expose-headers" not in seen.fields, "exposed")
        me.send("OPTIONS", f"{base}/{number}", 204, asked)
        me.put(
            f"{base}/{number}", {**seen.json, "note": [{"text": "walk"}]}, 412, {**token, "If-Match": "null"}
        )
        rest(0.3)
    look(me, "plans.js")
    news(me)
    known = other.get(f"{base}/2")
    other.put(f"{base}/2", {**known.json, "note": [{"text": "rest"}]}, 200, {"If-Match": known.etag})
