"""Stories on Microsoft's clouds and business systems, imitated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.recording_apis.apps.eva_core import guid
from tools.recording_apis.apps.eva_microsoft import Central, Cosmos, Dataverse, Resources, Settings
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_eva_setting as scene

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d594",
    "eva-two-clerks-on-one-customer",
    "other-writer",
    "409",
    alone="other-writer",
    synthetic=True,
    description=(
        "Two clerks have a customer of Business Central open. One stores a new telephone number; the other's change of the "
        "address, with the etag from before, is 409 Request_EntityChanged, and her next read shows the new number."
    ),
)
def clerks(stage: Stage) -> None:
    """Be second."""
    root = f"/v2.0/{guid('tenant')}/Production/api/v2.0/companies({guid('Kystfisk')})"
    base = root.replace("(", "/").replace(")", "")
    people = {n: guid("customer", n) for n in (10000, 20000, 30000)}
    rows = {
        f"{base}/customers/{key}": {
            "id": key,
            "number": str(n),
            "displayName": f"Havgas {n}",
            "addressLine1": "Strandgata 4",
            "city": "Bodø",
            "phoneNumber": "755 10 000",
            "blocked": "_x0020_",
        }
        for n, key in people.items()
    }
    api = Central(rows)
    server = scene.host(stage, api, "waitress", "Dynamics 365 Business Central")
    domain = "api.businesscentral.dynamics.example"
    me = stage.actor(
        "client", server, domain, "requests", {"Authorization": "Bearer eyJ0.a", "Accept-Language": "nb-NO"}
    )
    other = stage.actor("other", server, domain, "node:fetch", {"Authorization": "Bearer eyJ0.b"})
    bodies = {
        f"/v2.0/{guid('tenant')}/Production/api/v2.0/companies": {"value": [{"name": "Kystfisk"}]},
        f"{root}/paymentTerms": {"value": [{"code": "30D"}]},
        f"{root}/salespeople": {"value": [{"code": "BS"}]},
    }
    near = scene.Nearby(api, me, bodies, tagged=False)
    near()
    me.get(f"{root}/customers")
    own, target = f"{root}/customers({people[10000]})", f"{root}/customers({people[20000]})"
    seen = me.get(own).json
    me.send("PATCH", own, 200, {"If-Match": seen["@odata.etag"]}, {"city": "Fauske"})
    mine, theirs = me.get(target).json, other.get(target).json
    scene.wait(0.6)
    other.send("PATCH", target, 200, {"If-Match": theirs["@odata.etag"]}, {"phoneNumber": "755 88 123"})
    scene.wait(1.1)
    third = f"{root}/customers({people[30000]})"
    me.send("PATCH", third, 200, {"If-Match": me.get(third).json["@odata.etag"]}, {"blocked": "Ship"})
    near(1)
    me.send("PATCH", target, 409, {"If-Match": mine["@odata.etag"]}, {"addressLine1": "Sjøgata 21"})
    now = me.get(target).json
    scene.must(now["phoneNumber"] == "755 88 123" and now["addressLine1"] == "Strandgata 4")
    me.get(f"{root}/customers")


_HOP = {"nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.9.0.4"}
_MORE = {
    "name": "to-dc",
    "properties": {"addressPrefix": "172.20.0.0/14", "nextHopType": "VirtualNetworkGateway"},
}


@case(
    "d618",
    "eva-routes-settle-under-a-new-tag",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    synthetic=True,
    description=(
        "A network tool stores a route table of Azure and takes the etag of the answer, which says Updating. A moment later "
        "the provider itself has set Succeeded and with it another etag: the next PUT is 412, which names both."
    ),
)
def routes(stage: Stage) -> None:
    """Be overtaken by the provider."""
    rows = {
        f"routeTables/{name}": {
            "provisioningState": "Succeeded",
            "disableBgpRoutePropagation": False,
            "routes": [],
        }
        for name in ("rt-hub", "rt-spoke")
    }
    api = Resources(rows)
    server = scene.host(stage, api, "cheroot", "Azure Resource Manager")
    me = stage.actor(
        "client",
        server,
        "management.azure.example",
        "httpx",
        {"Authorization": "Bearer eyJ0.arm", "User-Agent": "azsdk-go-armnetwork/v6.0.0"},
    )
    root = f"/subscriptions/{guid('sub')}/resourceGroups/rg-net/providers/Microsoft.Network/routeTables"
    group = root.partition("/providers")[0]
    bodies = {
        group: {"name": "rg-net", "location": "norwayeast"},
        f"{group}/providers/Microsoft.Network/virtualNetworks": {"value": [{"name": "vnet-hub"}]},
    }
    near = scene.Nearby(api, me, bodies, tagged=False)
    near()
    for name, number in (("rt-hub", 1), ("rt-spoke", 2)):
        path = f"{root}/{name}?api-version=2024-01-01"
        seen = me.get(path).json
        first = {"name": "to-fw", "properties": {**_HOP, "addressPrefix": f"10.{number}.0.0/16"}}
        saved = me.put(
            path,
            {"location": "norwayeast", "properties": {**seen["properties"], "routes": [first]}},
            200,
            {"If-Match": seen["etag"]},
        ).json
        scene.must(saved["properties"]["provisioningState"] == "Updating")
        scene.wait(1.2)
        me.put(
            path,
            {"location": "norwayeast", "properties": {**saved["properties"], "routes": [first, _MORE]}},
            412,
            {"If-Match": saved["etag"]},
        )
        now = me.get(path).json
        scene.must(
            now["properties"]["provisioningState"] == "Succeeded" and now["properties"]["routes"] == [first]
        )
        near(1)


@case(
    "d606",
    "eva-flags-listed-without-their-tags",
    "null-token",
    "412",
    alone="null-token",
    synthetic=True,
    description=(
        "A script lists key-values of Azure App Configuration with $select=key,value, which leaves the etag out, and stores "
        'some of them with If-Match: "None": 412 each time. One that it has read singly before is stored.'
    ),
)
def settings(stage: Stage) -> None:
    """Send the word for nothing."""
    api = Settings({"Kassa:Timeout": "30", "Kassa:Banner": "av", "Lager:Batch": "200", "Lager:Kanal": "b"})
    server = scene.host(stage, api, "cheroot", "Azure App Configuration")
    me = stage.actor(
        "client",
        server,
        "butik.azconfig.example",
        "requests",
        {
            "Authorization": "HMAC-SHA256 Credential=0-l9&Signature=x",
            "User-Agent": "azsdk-python-appconfiguration/1.7.0",
        },
    )
    media = {"Content-Type": "application/vnd.microsoft.appconfig.kv+json"}
    near = scene.Nearby(
        api, me, {"/labels": {"items": [{"name": "prod"}, {"name": "test"}]}, "/snapshots": {"items": []}}
    )
    near()
    kept = me.get("/kv/Lager:Kanal?label=prod&api-version=1.0").etag
    one = me.get("/kv/Lager:Batch?label=prod&api-version=1.0")
    me.put(
        "/kv/Lager:Batch?label=prod&api-version=1.0", {"value": "250"}, 200, {**media, "If-Match": one.etag}
    )
    items = me.get("/kv?key=Kassa:*&label=prod&$select=key,value&api-version=1.0").json["items"]
    for item in items[:2]:
        scene.wait(0.3)
        me.put(
            f"/kv/{item['key']}?label=prod&api-version=1.0",
            {"value": f"{item['value']}0"},
            412,
            {**media, "If-Match": f'"{item.get("etag")}"'},
        )
    me.get("/kv/Lager:Kanal?label=prod&api-version=1.0", 304, {"If-None-Match": kept})
    near(0)
    me.get("/kv?key=*&label=prod&api-version=1.0")


@case(
    "d607",
    "eva-till-hears-nothing-and-asks-again",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    synthetic=True,
    description=(
        "A till replaces its day's document in Cosmos DB; the connection breaks before the answer, and its library sends the "
        "same again with the same etag: 412. The document holds the till's own entry with the number that this write gave it."
    ),
)
def till(stage: Stage) -> None:
    """Hit one's own write."""
    root = "/dbs/tills/colls/days/docs"
    api = Cosmos(
        {
            f"{root}/till-{n}-1127": {"id": f"till-{n}-1127", "pk": f"till-{n}", "sales": [], "sum": 0}
            for n in (3, 8)
        }
    )
    server = scene.host(stage, api, "stdlib", "Azure Cosmos DB")
    me = stage.actor(
        "client",
        server,
        "markt.documents.azure.example",
        "node:fetch",
        {"Authorization": "type%3Dmaster%26ver%3D1.0%26sig%3Dx", "x-ms-version": "2018-12-31"},
        loses=scene.loses("PUT", "till-8", 2),
    )
    look = {"x-ms-documentdb-partitionkey": '["till-8"]'}
    near = scene.Nearby(
        api,
        me,
        {
            "/dbs/tills": {"id": "tills", "_self": "dbs/kzRb/"},
            "/dbs/tills/colls/days/pkranges": {"PartitionKeyRanges": [{"id": "0"}]},
            "/dbs/tills/colls/prices/docs": {"Documents": [], "_count": 0},
        },
    )
    near()
    me.get(root)
    for number in range(3):
        seen = me.get(f"{root}/till-8-1127", 200, look).json
        sale = {"nr": f"b{7301 + number}", "total": 12 + number, "op": guid("op", number)}
        body = {**seen, "sales": [*seen["sales"], sale], "sum": seen["sum"] + sale["total"]}
        sent = {**look, "If-Match": seen["_etag"]}
        if number == 1:
            me.put(f"{root}/till-8-1127", body, 0, sent)
            scene.wait(0.5)
            me.put(f"{root}/till-8-1127", body, 412, sent)
            scene.must(me.get(f"{root}/till-8-1127", 200, look).json["sales"][-1]["op"] == sale["op"])
        else:
            me.put(f"{root}/till-8-1127", body, 200, sent)
            near(2)
        scene.wait(0.4)
    me.get(f"{root}/till-3-1127", 200, {"x-ms-documentdb-partitionkey": '["till-3"]'})


@case(
    "d598",
    "eva-weak-tags-where-they-are-meant",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "An integration updates accounts of Dataverse with the weak @odata.etag, as that interface wants it, and some with "
        "If-Match: * so as never to create; between two of its changes a seller edits, and it reads anew first. All pass."
    ),
)
def accounts(stage: Stage) -> None:
    """Use weak tags where the interface compares them."""
    root = "/api/data/v9.2/accounts"
    keys = [guid("account", n) for n in range(4)]
    api = Dataverse(
        {
            f"{root}/{key}": {
                "accountid": key,
                "name": f"Pékség {n}",
                "creditlimit": 1000 * n,
                "description": "",
            }
            for n, key in enumerate(keys)
        },
        first=3,
    )
    server = scene.host(stage, api, "starlette", "Microsoft Dataverse")
    domain = "org.crm4.dynamics.example"
    me = stage.actor(
        "client",
        server,
        domain,
        "httpx",
        {"Authorization": "Bearer eyJ0.int", "Prefer": "return=representation"},
    )
    other = stage.actor("other", server, domain, "requests", {"Authorization": "Bearer eyJ0.ui"})
    me.get(f"{root}?$select=name,creditlimit")
    for place, key in enumerate(keys):
        path = f"{root}({key})"
        seen = me.get(path).json
        seen = me.send(
            "PATCH", path, 200, {"If-Match": seen["@odata.etag"]}, {"creditlimit": 500 + place}
        ).json
        if place == 1:
            other.send(
                "PATCH",
                path,
                204,
                {"If-Match": other.get(path).json["@odata.etag"]},
                {"description": "új telephely"},
            )
            scene.wait(0.5)
            seen = me.get(path).json
        me.get(path, 304, {"If-None-Match": seen["@odata.etag"]})
        me.send("PATCH", path, 200, {"If-Match": seen["@odata.etag"]}, {"name": f"{seen['name']} Kft."})
        scene.wait(0.2)
    me.send("PATCH", f"{root}({keys[0]})", 200, {"If-Match": "*"}, {"telephone1": "+36 1 555 0101"})
    scene.must(me.get(f"{root}({keys[1]})").json["description"] == "új telephely")
