"""Accounts, contacts, partners and people."""

from __future__ import annotations

import calendar
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.cal_apis import Api, Req, Res, Row, guid, hashed, instant, stamp
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_cal_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "e380",
    "cal-accounts-asked-by-a-fast-clock",
    "clock-skew",
    "stale-read",
    alone="clock-skew",
    synthetic=True,
    description="A mirror of Salesforce accounts asks with If-Modified-Since made from its own clock, eleven minutes ahead of the answers' Date: 304 again and again, also after a colleague changed the account; a SOQL query in the same file shows a LastModifiedDate after the last 200 and another phone.",
)
def accounts(stage: Stage) -> None:
    """Ask about the future."""
    rows = {
        n: Row({"Name": t, "Phone": p}, age=86000)
        for n, t, p in (("0015f00AA", "Gull Freight", "0117 41"), ("0015f00AB", "Heron Mills", "0117 52"))
    }
    api: Api = Api(
        lambda _req: {
            "Sforce-Limit-Info": f"api-usage={api.count + 912}/100000",
            "Strict-Transport-Security": "max-age=63072000",
        },
        "application/json;charset=UTF-8",
    )
    base = "/services/data/v59.0"

    def shown(key: str) -> dict[str, Any]:
        row = rows[key]
        return {
            "attributes": {"type": "Account", "url": f"{base}/sobjects/Account/{key}"},
            "Id": key,
            **row.data,
            "LastModifiedDate": instant(row.at).replace("Z", "+0000"),
        }

    def seconds(text: str) -> float:
        return calendar.timegm(time.strptime(text, "%a, %d %b %Y %H:%M:%S GMT"))

    @api.on("GET|PATCH", base + "/sobjects/Account/([0-9A-Za-z]+)")
    def one(req: Req, key: str) -> Res:
        row = rows[key]
        if req.method == "PATCH":
            row.add(req.json, "sales")
            return Res(204)
        since = req.fields.get("if-modified-since")
        if since and int(row.at) <= seconds(since):
            return Res(304)
        return Res(200, shown(key), {"Last-Modified": stamp(row.at)})

    @api.on("GET", base + "/query")
    def query(_req: Req) -> Res:
        return Res(200, {"totalSize": len(rows), "done": True, "records": [shown(k) for k in rows]})

    server = place.open_box(stage, api, "stdlib", "Salesforce")
    me = stage.actor(
        "client",
        server,
        "gull.my.crm.example",
        "java",
        {"Authorization": "Bearer 00D5f!AQ", "X-PrettyPrint": "0"},
    )
    other = stage.actor(
        "other", server, "gull.my.crm.example", "requests", {"Authorization": "Bearer 00D5f!BQ"}
    )
    paths = {k: f"{base}/sobjects/Account/{k}" for k in rows}
    for path in paths.values():
        me.get(path)

    def ask(key: str) -> None:
        me.get(paths[key], 304, {"If-Modified-Since": stamp(time.time() + 660)})

    place.rest(1.0)
    ask("0015f00AA")
    ask("0015f00AB")
    other.send("PATCH", paths["0015f00AB"], 204, body={"Phone": "0117 99"})
    for _turn in range(3):
        place.rest(1.1)
        ask("0015f00AA")
        ask("0015f00AB")
    place.sure("0117 99" in me.get(base + "/query?q=SELECT+Id,Name,Phone,LastModifiedDate+FROM+Account").text)
    ask("0015f00AB")


@case(
    "e390",
    "cal-lead-upserted-as-if-new",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    synthetic=True,
    description="A form's connector patches a Dataverse contact that it had read a moment before (200 with its @odata.etag) and sends If-None-Match: * meaning to be careful: 412 A record with matching key values already exists; a true upsert of another id by the same call is 204.",
)
def lead(stage: Stage) -> None:
    """Guard against what is known to be there."""
    rows = {
        guid(n): Row({"firstname": n, "telephone1": "", "donotemail": False}, 2041000 + i)
        for i, n in enumerate(("Edda", "Noor"))
    }
    api = Api(
        lambda _req: {
            "OData-Version": "4.0",
            "REQ_ID": guid(str(time.time())),
            "x-ms-service-request-id": guid("s" + str(time.time())),
        },
        "application/json; odata.metadata=minimal",
    )

    def shown(key: str) -> dict[str, Any]:
        row = rows[key]
        return {
            "@odata.etag": f'W/"{row.rev}"',
            "contactid": key,
            "modifiedon": instant(row.at, 0),
            **row.data,
        }

    api.say(
        "GET",
        "/api/data/v9.2/WhoAmI",
        {"BusinessUnitId": guid("bu"), "UserId": guid("me"), "OrganizationId": guid("org")},
    )

    @api.on("GET", "/api/data/v9.2/contacts")
    def listed(_req: Req) -> Res:
        return Res(
            200,
            {
                "@odata.context": "http://crm.kiosk.example/api/data/v9.2/$metadata#contacts",
                "value": [shown(k) for k in rows],
            },
        )

    @api.on("GET|PATCH", r"/api/data/v9.2/contacts\(([0-9a-f-]+)\)")
    def one(req: Req, key: str) -> Res:
        if req.method == "GET":
            return (
                Res(200, shown(key), {"ETag": f'W/"{rows[key].rev}"'})
                if key in rows
                else Res(
                    404,
                    {
                        "error": {
                            "code": "0x80040217",
                            "message": f"Entity 'Contact' With Id = {key} Does Not Exist",
                        }
                    },
                )
            )
        if key in rows and req.fields.get("if-none-match") == "*":
            return Res(
                412,
                {
                    "error": {
                        "code": "0x80040237",
                        "message": "A record with matching key values already exists.",
                    }
                },
            )
        if key in rows and req.fields.get("if-match", "*") not in {"*", f'W/"{rows[key].rev}"'}:
            return Res(
                412,
                {
                    "error": {
                        "code": "0x80060882",
                        "message": "The version of the existing record doesn't match the RowVersion property provided.",
                    }
                },
            )
        rows[key] = rows[key].add(req.json, step=11) if key in rows else Row(req.json, 2041900)
        return Res(204, b"", {"OData-EntityId": f"http://crm.kiosk.example/api/data/v9.2/contacts({key})"})

    server = place.open_box(stage, api, "cheroot", "Dataverse")
    me = stage.actor(
        "client",
        server,
        "crm.kiosk.example",
        "urllib",
        {"Authorization": "Bearer eyJ0", "OData-MaxVersion": "4.0", "Accept": "application/json"},
    )
    base = "/api/data/v9.2"
    me.get(base + "/WhoAmI")
    found = me.get(base + "/contacts?$select=firstname,telephone1").json["value"]
    me.send(
        "PATCH",
        f"{base}/contacts({found[0]['contactid']})",
        204,
        {"If-Match": found[0]["@odata.etag"]},
        {"telephone1": "040 77"},
    )
    noor = me.get(f"{base}/contacts({found[1]['contactid']})").json
    for turn in range(2):
        me.send(
            "PATCH",
            f"{base}/contacts({noor['contactid']})",
            412,
            {"If-None-Match": "*"},
            {"telephone1": "040 91", "donotemail": bool(turn)},
        )
        place.rest(0.4)
    me.send("PATCH", f"{base}/contacts({guid('Pim')})", 204, {"If-None-Match": "*"}, {"firstname": "Pim"})
    place.sure(me.get(f"{base}/contacts({noor['contactid']})").json["telephone1"] == "")


@case(
    "e392",
    "cal-partner-records-through-the-rewriting-gate",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    synthetic=True,
    description="An nginx rewrites host names in the JSON of an S/4HANA service by sub_filter and thereby drops the ETag of every read; the answers without a body keep theirs. The partner's client finds no tag in its reads, patches without one and is refused with 428, twice.",
)
def partner(stage: Stage) -> None:
    """Read without tags."""
    rows = {
        n: Row({"BusinessPartner": n, "SearchTerm1": t, "IsBlocked": False})
        for n, t in (("1000061", "WEAVE"), ("1000064", "DYE"))
    }
    api = Api(
        lambda _req: {
            "odata-version": "4.0",
            "sap-processing-info": "ODataBEP=,crp=,RAL=,st=,MedCacheHub=SHM",
            "sap-perf-fesrec": "48213.000000",
        },
        "application/json; charset=utf-8",
    )
    base = "/sap/opu/odata4/sap/api_business_partner/srvd_a2x/sap/bp/0001"

    def tag(row: Row) -> str:
        return f'W/"SADL-02024111{row.rev:03d}093000C~2024111{row.rev:03d}093000"'

    api.say(
        "GET",
        base + "/?",
        {"value": [{"name": "BusinessPartner", "url": "BusinessPartner"}]},
        ETag='W/"20240201"',
    )

    @api.on("GET", base + "/BusinessPartner")
    def listed(_req: Req) -> Res:
        return Res(
            200,
            {
                "@context": "http://s4hana.internal:44300/$metadata#BusinessPartner",
                "value": [r.data for r in rows.values()],
            },
        )

    @api.on("GET|PATCH", base + r"/BusinessPartner\('([0-9]+)'\)")
    def one(req: Req, key: str) -> Res:
        row = rows[key]
        if req.method == "PATCH":
            sent = req.fields.get("if-match")
            if sent is None:
                return Res(
                    428,
                    {
                        "error": {
                            "code": "SADL_ENTITY_RUNTIME/004",
                            "message": "Precondition required: If-Match header is missing",
                            "target": f"BusinessPartner('{key}')",
                        }
                    },
                )
            if sent not in {"*", tag(row)}:
                return Res(
                    412, {"error": {"code": "/IWBEP/CM_V4_APPS/017", "message": "Precondition failed"}}
                )
            row.add(req.json)
            return Res(204, b"", {"ETag": tag(row)})
        return Res(
            200,
            {"@context": "http://s4hana.internal:44300/$metadata#BusinessPartner/$entity", **row.data},
            {"ETag": tag(row)},
        )

    server = place.open_box(stage, api, "waitress", "SAP S/4HANA")
    front = fronts.nginx(
        stage,
        server,
        "sub_filter 'http://s4hana.internal:44300' 'http://erp.loom.example'; sub_filter_once off; sub_filter_types application/json;",
    )
    me = stage.actor(
        "client",
        front,
        "erp.loom.example",
        "node:fetch",
        {
            "Authorization": "Basic bG9vbQ==",
            "Accept": "application/json;odata.metadata=none",
            "sap-client": "100",
        },
    )
    me.get(base + "/BusinessPartner?$top=20")
    made = me.send(
        "PATCH", base + "/BusinessPartner('1000064')", 204, {"If-Match": "*"}, {"SearchTerm1": "DYEWORKS"}
    )
    place.sure("etag" in made.fields)
    place.sure("etag" not in me.get(base + "/BusinessPartner('1000064')").fields)
    seen = me.get(base + "/BusinessPartner('1000061')")
    place.sure("etag" not in seen.fields)
    for _turn in range(2):
        me.send("PATCH", base + "/BusinessPartner('1000061')", 428, body={"IsBlocked": True})
        place.rest(0.5)
        me.get(base + "/BusinessPartner('1000061')")


@case(
    "e395",
    "cal-phone-number-back-to-the-old-one",
    "replica-lag",
    "stale-read",
    alone="replica-lag",
    synthetic=True,
    description="An address book updates a contact by Google's People API and gets the new number and etag; its next three reads, within a second and a half, give the old number and the old etag, without any cache's marks, and then the new ones stay; another contact is the same.",
)
def people(stage: Stage) -> None:
    """Read behind oneself."""
    rows = {
        f"c{n}": Row({"names": [{"displayName": t}], "phoneNumbers": [{"value": p}]}, age=9000)
        for n, t, p in ((71, "Ulla Brix", "31 20"), (72, "Per Holm", "31 44"), (73, "Asta Dam", "31 90"))
    }
    api = Api(
        lambda _req: {
            "Vary": "Origin, X-Origin, Referer",
            "Server": "ESF",
            "Server-Timing": "gfet4t7; dur=88",
            "Cache-Control": "private",
        },
        "application/json; charset=UTF-8",
    )

    def shown(key: str, rev: int, at: float, data: dict[str, Any]) -> dict[str, Any]:
        tag = f"%EgUBAgkuNxoEAQIFByIM{hashed((key, rev))[:12]}PQ=="
        return {
            "resourceName": f"people/{key}",
            "etag": tag,
            "metadata": {
                "sources": [
                    {
                        "type": "CONTACT",
                        "id": key,
                        "etag": f"#{hashed((key, rev))[:11]}=",
                        "updateTime": instant(at, 6),
                    }
                ]
            },
            **data,
        }

    def lagging(key: str) -> dict[str, Any]:
        row = rows[key]
        if row.past and time.time() - row.at < 1.7:
            rev, at, _by, data = row.past[-1]
            return shown(key, rev, at, data)
        return shown(key, row.rev, row.at, row.data)

    @api.on("GET", "/v1/people/me/connections")
    def listed(_req: Req) -> Res:
        return Res(
            200,
            {"connections": [lagging(k) for k in rows], "totalPeople": len(rows), "totalItems": len(rows)},
        )

    @api.on("GET", "/v1/people/(c[0-9]+)")
    def one(_req: Req, key: str) -> Res:
        return Res(200, lagging(key))

    @api.on("PATCH", "/v1/people/(c[0-9]+):updateContact")
    def update(req: Req, key: str) -> Res:
        row = rows[key]
        if req.json["etag"] != shown(key, row.rev, 0, {})["etag"]:
            return Res(
                400,
                {
                    "error": {
                        "code": 400,
                        "message": "Request person.etag is different than the current person.etag. Clear local cache and get the latest person.",
                        "status": "FAILED_PRECONDITION",
                    }
                },
            )
        row.add({"phoneNumbers": req.json["phoneNumbers"]})
        return Res(200, shown(key, row.rev, row.at, row.data))

    server = place.open_box(stage, api, "tornado", "Google People")
    me = stage.actor(
        "client",
        server,
        "people.rolodex.example",
        "node:axios",
        {"Authorization": "Bearer ya29.p", "x-goog-user-project": "rolodex"},
    )
    fields = "personFields=names,phoneNumbers,metadata"
    found = {
        one["resourceName"][7:]: one
        for one in me.get(f"/v1/people/me/connections?{fields}&pageSize=100").json["connections"]
    }
    for key, phone in (("c72", "31 45"), ("c73", "31 91")):
        body = {"etag": found[key]["etag"], "phoneNumbers": [{"value": phone}]}
        made = me.send(
            "PATCH",
            f"/v1/people/{key}:updateContact?updatePersonFields=phoneNumbers&{fields}",
            200,
            body=body,
        ).json
        for _turn in range(3):
            place.sure(me.get(f"/v1/people/{key}?{fields}").json["etag"] == found[key]["etag"])
            place.rest(0.45)
        place.rest(0.6)
        for _turn in range(2):
            place.sure(me.get(f"/v1/people/{key}?{fields}").json["etag"] == made["etag"])
            place.rest(0.2)
    me.get(f"/v1/people/me/connections?{fields}&pageSize=100")
