"""Stories on services that companies rent, imitated."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.eva_core import guid
from tools.recording_apis.apps.eva_saas import (
    Charges,
    Estates,
    Force,
    Fragments,
    Leads,
    Pages,
    Sanity,
    Tickets,
)
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_eva_setting as scene

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage


@case(
    "d601",
    "eva-studio-saves-title-and-text-at-once",
    "self-race",
    "409",
    alone="self-race",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A plugin in a Sanity studio sends two mutations of one recipe at the same time, both with the _rev of the last read: "
        "one is stored, the other 409 while the first is under way. It happens again at the next save, in the same session."
    ),
)
def studio(stage: Stage) -> None:
    """Overtake oneself."""
    api = Sanity({f"recipe-{n}": {"title": f"Receita {n}", "servings": 4, "body": "..."} for n in (17, 18)})
    server = scene.host(stage, api, "starlette", "Sanity")
    me = stage.actor(
        "client",
        server,
        "k7l2v9qp.api.sanity.example",
        "httpx",
        {"Authorization": "Bearer sk", "X-Sanity-Session": "st-7741"},
    )
    root = "/v2024-01-01/data"
    near = scene.Nearby(
        api,
        me,
        {
            "/v2024-01-01/users/me": {"id": "pRo", "name": "Inês"},
            "/v2024-01-01/projects/k7l2v9qp": {"id": "k7l2v9qp", "studioHost": "cozinha"},
            "/v2024-01-01/jobs": {"jobs": []},
        },
    )
    near()
    me.get(f"{root}/query/production?query=*")

    def mutate(key: str, rev: str, values: dict[str, object]) -> Answer:
        body = {"mutations": [{"patch": {"id": key, "ifRevisionID": rev, "set": values}}]}
        return me.send("POST", f"{root}/mutate/production?returnDocuments=true", (200, 409), None, body)

    for turn in (1, 2):
        seen = me.get(f"{root}/doc/production/recipe-17").json["documents"][0]
        got = scene.together(
            partial(mutate, "recipe-17", seen["_rev"], {"title": f"Caldo verde {turn}"}),
            partial(mutate, "recipe-17", seen["_rev"], {"body": f"batata, couve ({turn})"}),
            apart=0.05,
        )
        scene.must([one.status for one in got] == [200, 409])
        near(2)
        scene.wait(0.5)
    seen = me.get(f"{root}/doc/production/recipe-18").json["documents"][0]
    mutate("recipe-18", seen["_rev"], {"servings": 6})
    me.get(f"{root}/doc/production/recipe-17")


@case(
    "d630",
    "eva-tagging-without-the-safe-update",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    synthetic=True,
    description=(
        "A helper closes Zendesk tickets with safe_update and the stamp, but sets tags without it: the list from what it had "
        "read replaces the one to which an agent has added refund since. The audit shows the tag go."
    ),
)
def tagging(stage: Stage) -> None:
    """Write without asking for the guard."""
    rows = {
        str(n): {"subject": f"Gieter {n} lekt", "status": "open", "tags": ["tuin"]}
        for n in (35436, 35437, 35440)
    }
    api = Tickets(rows)
    server = scene.host(stage, api, "waitress", "Zendesk")
    me = stage.actor(
        "client", server, "tuin.zendesk.example", "requests", {"Authorization": "Basic aGVscGVy"}
    )
    other = stage.actor(
        "other", server, "tuin.zendesk.example", "node:axios", {"Authorization": "Basic YWdlbnQ="}
    )
    bodies = {
        "/api/v2/users/me.json": {"user": {"id": 3391, "role": "agent"}},
        "/api/v2/macros/active.json": {"macros": []},
        "/api/v2/tags.json": {"tags": [{"name": "tuin", "count": 3}]},
    }
    near = scene.Nearby(api, me, bodies)
    near()
    held = {str(one["id"]): one for one in me.get("/api/v2/tickets.json").json["tickets"]}
    closing = {"status": "solved", "updated_stamp": held["35440"]["updated_at"], "safe_update": True}
    me.put("/api/v2/tickets/35440.json", {"ticket": closing}, 200)
    theirs = other.get("/api/v2/tickets/35437.json").json["ticket"]
    other.put(
        "/api/v2/tickets/35437.json",
        {"ticket": {"tags": ["tuin", "refund"], "updated_stamp": theirs["updated_at"], "safe_update": True}},
        200,
    )
    scene.wait(1.2)
    near(1, 2)
    seen = me.get("/api/v2/tickets/35440.json").json["ticket"]
    me.put(
        "/api/v2/tickets/35440.json",
        {"ticket": {"priority": "low", "updated_stamp": seen["updated_at"], "safe_update": True}},
        200,
    )
    for key in ("35436", "35437"):
        me.put(f"/api/v2/tickets/{key}.json", {"ticket": {"tags": [*held[key]["tags"], "export"]}}, 200)
        scene.wait(0.3)
    audits = me.get("/api/v2/tickets/35437/audits.json").json["audits"]
    scene.must(audits[-1]["events"][0]["previous_value"] == ["tuin", "refund"])
    scene.must("refund" not in me.get("/api/v2/tickets/35437.json").json["ticket"]["tags"])


@case(
    "d615",
    "eva-estate-agent-takes-the-quotes-off",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    synthetic=True,
    description=(
        "An estate agent's connector to Reapit trims the quotes from _eTag before it sends If-Match for properties: 412 each "
        "time, though nothing changes. For applicants it sends the tag as it came, which passes."
    ),
)
def quotes(stage: Stage) -> None:
    """Lose the quotes."""
    rows: dict[str, Any] = {
        f"/properties/RPT{n}": {"type": ["house"], "bedrooms": 3, "selling": {"price": 310000 + n}}
        for n in (190012, 190017)
    }
    rows["/applicants/RPT20000102"] = {"title": "Ms", "surname": "Okafor", "active": True}
    api = Estates(rows)
    server = scene.host(stage, api, "aiohttp", "Reapit Foundations")
    me = stage.actor(
        "client",
        server,
        "platform.reapit.example",
        "httpx",
        {"Authorization": "Bearer r", "api-version": "2020-01-31", "reapit-customer": "SBOX"},
    )
    near = scene.Nearby(
        api,
        me,
        {
            "/negotiators/RPT1": {"name": "T. Ahl", "_eTag": '"0A1"'},
            "/offices/LON": {"name": "London"},
            "/configuration/countries": [{"id": "GB"}],
        },
        tagged=False,
    )
    near()
    me.get("/properties?pageSize=25")
    one = me.get("/applicants/RPT20000102").json
    me.send("PATCH", "/applicants/RPT20000102", 204, {"If-Match": one["_eTag"]}, {"active": False})
    for key in ("RPT190012", "RPT190017"):
        seen = me.get(f"/properties/{key}").json
        scene.wait(0.3)
        bare = seen["_eTag"].strip('"')
        me.send("PATCH", f"/properties/{key}", 412, {"If-Match": bare}, {"bedrooms": 4})
        scene.must(me.get(f"/properties/{key}").json["_eTag"] == seen["_eTag"])
    me.get("/applicants/RPT20000102")


@case(
    "d593",
    "eva-accounts-in-the-time-of-bogota",
    "timezone-error",
    "412",
    alone="timezone-error",
    synthetic=True,
    description=(
        "A connector to Salesforce reads an account's Last-Modified, turns it into the time of Bogotá and writes GMT behind "
        "it: If-Unmodified-Since is five hours early, and each PATCH is 412. The row is as it was read."
    ),
)
def bogota(stage: Stage) -> None:
    """Write local time and call it GMT."""
    root = "/services/data/v62.0/sobjects/Account"
    rows = {
        f"{root}/0015e00000k{n}AAD": {
            "Name": f"Panadería {n}",
            "Phone": "601 555 01" + str(n),
            "Rating": "Warm",
        }
        for n in (41, 42, 43)
    }
    api = Force(rows)
    server = scene.host(stage, api, "cheroot", "Salesforce REST")
    me = stage.actor(
        "client",
        server,
        "pan.my.salesforce.example",
        "urllib",
        {"Authorization": "Bearer 00D", "Content-Type": "application/json"},
    )
    keys = list(rows)
    near = scene.Nearby(
        api,
        me,
        {
            "/services/data/v62.0/limits": {"DailyApiRequests": {"Max": 15000}},
            "/services/data/v62.0/sobjects/Account/describe": {"name": "Account"},
            "/services/oauth2/userinfo": {"zoneinfo": "America/Bogota"},
        },
        tagged=False,
    )
    near()
    me.send("PATCH", keys[2], 204, {"If-Match": me.get(keys[2]).etag}, {"Rating": "Hot"})
    for key in keys[:2]:
        seen = me.get(key)
        scene.wait(0.4)
        early = parsedate_to_datetime(seen.fields["last-modified"]) - timedelta(hours=5)
        me.send(
            "PATCH", key, 412, {"If-Unmodified-Since": format_datetime(early, usegmt=True)}, {"Rating": "Hot"}
        )
        scene.must(me.get(key).etag == seen.etag)
    me.get(keys[2], 200)


@case(
    "d627",
    "eva-fragment-read-with-all-it-refers-to",
    "representation-mismatch",
    "412",
    alone="representation-mismatch wrong-token-source",
    synthetic=True,
    description=(
        "An editor reads AEM content fragments with references=all-hydrated, which has a tag of its own, and patches the plain "
        "fragment with that: 412. The fragment that it reads plainly before it patches is stored."
    ),
)
def hydrated(stage: Stage) -> None:
    """Take the tag of another representation."""
    root = "/adobe/sites/cf/fragments"
    keys = [guid("fragment", n) for n in range(3)]
    rows = {
        f"{root}/{key}": {
            "title": f"Röstung {n}",
            "model": "kaffee",
            "fields": {"grad": "hell", "text": "..."},
        }
        for n, key in enumerate(keys)
    }
    api = Fragments(rows)
    server = scene.host(stage, api, "falcon", "AEM content fragments")
    me = stage.actor(
        "client", server, "author.aem.example", "java", {"Authorization": "Bearer aem", "X-Api-Key": "cf"}
    )
    patch = {"Content-Type": "application/json-patch+json"}

    def edit(key: str, tag: str, grade: str, expect: int) -> None:
        me.send(
            "PATCH",
            f"{root}/{key}",
            expect,
            {**patch, "If-Match": tag},
            [{"op": "replace", "path": "/fields/grad", "value": grade}],
        )

    near = scene.Nearby(
        api,
        me,
        {
            "/adobe/sites/cf/models": {"items": [{"id": "kaffee"}]},
            "/adobe/folders": {"items": []},
            "/adobe/sites/cf/workflows": {"items": []},
        },
    )
    near()
    me.get(f"{root}?path=/content/dam/kaffee")
    edit(keys[0], me.get(f"{root}/{keys[0]}").etag, "mittel", 200)
    for key in keys[1:]:
        seen = me.get(f"{root}/{key}?references=all-hydrated")
        scene.wait(0.4)
        edit(key, seen.etag, "dunkel", 412)
        near(0)
        scene.must(
            me.get(f"{root}/{key}?references=all-hydrated").etag == seen.etag != me.get(f"{root}/{key}").etag
        )


@case(
    "d590",
    "eva-invoice-finalised-twice-and-once",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A shop finalises invoices at Stripe with an Idempotency-Key. One answer is lost; the library sends the same with the "
        "same key and gets the first answer, marked Idempotent-Replayed. Each invoice is open once, then paid."
    ),
)
def once(stage: Stage) -> None:
    """Ask again and be given the same answer."""
    rows = {
        f"in_1QPr{n}": {"status": "draft", "amount_due": 1900 + n, "currency": "eur", "number": None}
        for n in (31, 32, 33)
    }
    api = Charges(rows)
    server = scene.host(stage, api, "stdlib", "Stripe")
    form = {"Authorization": "Bearer sk_test", "Content-Type": "application/x-www-form-urlencoded"}
    me = stage.actor(
        "client",
        server,
        "api.stripe.example",
        "node:fetch",
        form,
        loses=scene.loses("POST", "in_1QPr32/finalize"),
    )
    near = scene.Nearby(
        api,
        me,
        {"/v1/account": {"id": "acct_1", "country": "NL"}, "/v1/events": {"object": "list", "data": []}},
        tagged=False,
    )
    near()
    me.get("/v1/invoices?status=draft")
    for key in rows:
        for action in ("finalize", "pay"):
            sent = {"Idempotency-Key": guid(key, action)}
            lost = key == "in_1QPr32" and action == "finalize"
            got = me.send(
                "POST", f"/v1/invoices/{key}/{action}", 0 if lost else 200, sent, "auto_advance=false"
            )
            if lost:
                scene.wait(0.6)
                got = me.send("POST", f"/v1/invoices/{key}/{action}", 200, sent, "auto_advance=false")
                scene.must(got.fields["idempotent-replayed"] == "true")
        me.get(f"/v1/invoices/{key}")
        scene.wait(0.2)
    me.get("/v1/invoices?status=paid")


@case(
    "d632",
    "eva-leads-since-a-date-of-another-form",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A mailer asks Zoho CRM for leads changed since a date in ISO 8601, as that interface documents: 304 while nothing has "
        "changed, 200 with the one that a seller changed, 304 again. What it writes are notes of its own."
    ),
)
def since(stage: Stage) -> None:
    """Ask with the dates that the interface wants."""
    rows = {str(5545974000000309000 + n): {"Last_Name": f"Rao {n}", "Lead_Status": "New"} for n in range(4)}
    api = Leads(rows)
    server = scene.host(stage, api, "tornado", "Zoho CRM")
    me = stage.actor(
        "client", server, "www.zohoapis.example", "requests", {"Authorization": "Zoho-oauthtoken 1000.a"}
    )
    other = stage.actor(
        "other", server, "www.zohoapis.example", "httpx", {"Authorization": "Zoho-oauthtoken 1000.b"}
    )
    bodies = {
        "/crm/v7/org": {"org": [{"company_name": "Post & Co"}]},
        "/crm/v7/settings/modules": {"modules": [{"api_name": "Leads"}]},
        "/crm/v7/Tasks": {"data": [], "info": {"count": 0}},
    }
    near = scene.Nearby(api, me, bodies, tagged=False)
    near()
    listing = "/crm/v7/Leads?fields=Last_Name,Lead_Status,Modified_Time"
    latest = max(one["Modified_Time"] for one in me.get(listing).json["data"])
    for _ in range(3):
        me.get(listing, 304, {"If-Modified-Since": latest})
        scene.wait(0.4)
    near(2)
    other.put(f"/crm/v7/Leads/{list(rows)[2]}", {"data": [{"Lead_Status": "Contacted"}]}, 200)
    scene.wait(1.1)
    fresh = me.get(listing, 200, {"If-Modified-Since": latest}).json["data"]
    scene.must(len(fresh) == 1)
    me.send(
        "POST", "/crm/v7/Notes", 201, None, {"data": [{"Note_Title": "Mail 4", "Parent_Id": fresh[0]["id"]}]}
    )
    scene.wait(1.0)
    me.get(listing, 304, {"If-Modified-Since": fresh[0]["Modified_Time"]})


@case(
    "d617",
    "eva-wiki-where-each-sends-the-next-number",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "Two people take turns on pages of Confluence. Each reads the page, keeps what the other wrote, and sends the version "
        "that comes next, which never is the one that was read: all are stored, and nothing is lost."
    ),
)
def turns(stage: Stage) -> None:
    """Take turns."""
    api = Pages(
        {
            "884737": {"title": "Notfallplan", "value": "<p>1. Ruhe</p>"},
            "884738": {"title": "Rufliste", "value": "<p>Pforte 110</p>"},
        },
        first=11,
    )
    server = scene.host(stage, api, "cheroot", "Confluence")
    me = stage.actor("client", server, "klinik.atlassian.example", "aiohttp", {"X-User": "s.yilmaz"})
    other = stage.actor("other", server, "klinik.atlassian.example", "requests", {"X-User": "k.novak"})

    def add(who: Actor, key: str, text: str) -> None:
        seen = who.get(f"/wiki/rest/api/content/{key}?expand=version,body.storage").json
        value = seen["body"]["storage"]["value"] + f"<p>{text}</p>"
        body = {
            "id": key,
            "type": "page",
            "title": seen["title"],
            "version": {"number": seen["version"]["number"] + 1, "message": ""},
            "body": {"storage": {"value": value, "representation": "storage"}},
        }
        who.put(f"/wiki/rest/api/content/{key}", body, 200)
        scene.wait(0.35)

    near = scene.Nearby(
        api,
        me,
        {
            "/wiki/rest/api/user/current": {"displayName": "S. Yilmaz"},
            "/wiki/rest/api/settings/theme": {"themeKey": "default"},
            "/wiki/rest/mywork/latest/status/notification/count": {"count": 0, "timeout": 30},
        },
    )
    near()
    me.get("/wiki/rest/api/space/KLINIK/content")
    add(me, "884737", "2. Alarm")
    add(other, "884737", "3. Räumen")
    near(2)
    add(me, "884737", "4. Zählen")
    add(me, "884738", "Labor 140")
    add(other, "884738", "OP 150")
    scene.must("Räumen" in me.get("/wiki/rest/api/content/884737?expand=body.storage").text)
