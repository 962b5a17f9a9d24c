"""Stories on BigQuery's metadata and the firewall of Amazon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.ray_clouds import bigquery, firewall
from tools.recording_apis.apps.ray_core import Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_ray_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_HOST = "bigquery.googleapis.example"
_PYTHON = {
    **place.GOOGLE,
    "User-Agent": "gcloud-python/3.25.0",
    "X-Goog-API-Client": "gl-python/3.11.9 grpc/1.66.1 gax/2.19.2 gapic/3.25.0 gccl/3.25.0",
}


@case(
    "b948",
    "ray-dataset-in-a-forbidden-place",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    synthetic=True,
    description=(
        "A provisioning job makes datasets; those in US are refused with 412 by a constraint of the organization on "
        "locations. The requests carry no condition, and those in the EU pass."
    ),
)
def places(stage: Stage) -> None:
    """Be refused by a policy with the status of a condition."""
    api = bigquery(
        "retail-lake-7",
        {
            "sales": {"location": "EU", "labels": {"tier": "gold"}},
            "sales/orders": {"schema": {"fields": [{"name": "id", "type": "INT64"}]}},
        },
    )

    def create(req: Req) -> Any:
        name, where = req.json["datasetReference"]["datasetId"], req.json["location"]
        if where.upper().startswith("US"):
            return api.error(
                412,
                "conditionNotMet",
                f"'{where}' violates constraint 'constraints/gcp.resourceLocations' on the resource 'projects/retail-lake-7/datasets/{name}'.",
            )
        api.keep(name, {"location": where, "labels": req.json.get("labels", {})})
        return Res(200, {"kind": "bigquery#dataset", "id": f"retail-lake-7:{name}", "location": where})

    api.on("POST", "/bigquery/v2/projects/retail-lake-7/datasets", create)
    server = place.open_box(stage, api, "cheroot", "BigQuery")
    me = stage.actor("client", server, _HOST, "requests", _PYTHON)
    top = "/bigquery/v2/projects/retail-lake-7"
    me.get(f"{top}/datasets")
    for name, where, status in (
        ("mart_emea", "EU", 200),
        ("mart_amer", "US", 412),
        ("mart_apac", "EU", 200),
        ("mart_amer_east", "us-east4", 412),
        ("mart_amer", "US", 412),
    ):
        body = {
            "datasetReference": {"projectId": "retail-lake-7", "datasetId": name},
            "location": where,
            "labels": {"made-by": "terraform"},
        }
        me.send("POST", f"{top}/datasets?prettyPrint=false", status, None, body)
        me.get(f"{top}/datasets/{name}?prettyPrint=false", 200 if status == 200 else 404)
        place.rest(0.25)
    seen = me.get(f"{top}/datasets/sales")
    me.send("PATCH", f"{top}/datasets/sales", 200, {"If-Match": seen.etag}, {"labels": {"tier": "silver"}})


@case(
    "b968",
    "ray-grants-from-the-morning-list",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    synthetic=True,
    description=(
        "A grants tool works out a dataset's access list in the morning, and right before it patches it fetches the "
        "dataset for its etag alone: If-Match holds, and the auditor's grant, which that fetch has shown, is gone."
    ),
)
def grants(stage: Stage) -> None:
    """Send the morning's access list with the newest etag."""
    owner = {"role": "OWNER", "userByEmail": "lake-admin@bank.example"}
    reader = {"role": "READER", "groupByEmail": "risk@bank.example"}
    data = {
        name: {"location": "EU", "access": [owner, reader]} for name in ("risk_daily", "risk_intraday", "fx")
    }
    api = bigquery("bank-risk", data)
    server = place.open_box(stage, api, "waitress", "BigQuery")
    me = stage.actor("client", server, _HOST, "httpx", _PYTHON)
    other = stage.actor(
        "other",
        server,
        _HOST,
        "java",
        {**place.GOOGLE, "User-Agent": "bq-audit Google-API-Java-Client/2.7.0"},
    )
    top = "/bigquery/v2/projects/bank-risk/datasets"
    me.get(top)
    morning = {name: me.get(f"{top}/{name}").json["access"] for name in data}
    me.send(
        "POST",
        "/bigquery/v2/projects/bank-risk/queries",
        200,
        None,
        {"query": "SELECT 1", "useLegacySql": False},
    )
    seen = other.get(f"{top}/risk_intraday")
    auditor = {"role": "READER", "userByEmail": "audit@regulator.example"}
    other.send(
        "PATCH",
        f"{top}/risk_intraday",
        200,
        {"If-Match": seen.etag},
        {"access": [*seen.json["access"], auditor]},
    )
    place.rest(0.9)
    desk = {"role": "WRITER", "groupByEmail": "desk@bank.example"}
    for name in ("fx", "risk_intraday", "risk_daily"):
        fresh = me.get(f"{top}/{name}")
        me.send("PATCH", f"{top}/{name}", 200, {"If-Match": fresh.etag}, {"access": [*morning[name], desk]})
    me.send(
        "POST",
        "/bigquery/v2/projects/bank-risk/queries",
        200,
        None,
        {"query": "SELECT 1", "useLegacySql": False},
    )
    now = me.get(f"{top}/risk_intraday")
    place.sure(auditor not in now.json["access"] and desk in now.json["access"])


@case(
    "b966",
    "ray-schema-job-tries-five-times",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token other-writer",
    also="other-writer",
    synthetic=True,
    description=(
        "A streaming job adds a column with the table's etag; a catalogue has set a description meanwhile. The job's "
        "retry policy sends the very same request four times more, with growing pauses and no read in between."
    ),
)
def columns(stage: Stage) -> None:
    """Send again what has just failed."""
    fields = [{"name": "ts", "type": "TIMESTAMP", "mode": "REQUIRED"}, {"name": "vin", "type": "STRING"}]
    data: dict[str, Any] = {"telemetry": {"location": "EU"}}
    data |= {
        f"telemetry/{name}": {"schema": {"fields": fields}, "description": ""}
        for name in ("trips", "faults", "charging")
    }
    api = bigquery("fleet-9041", data)
    server = place.open_box(stage, api, "starlette", "BigQuery")
    me = stage.actor(
        "client",
        server,
        _HOST,
        "java",
        {**place.GOOGLE, "User-Agent": "Beam-IO/2.58.1 Google-HTTP-Java-Client/1.44.2 (gzip)"},
    )
    other = stage.actor(
        "other", server, _HOST, "requests", {**_PYTHON, "Authorization": "Bearer ya29.catalogue"}
    )
    top = "/bigquery/v2/projects/fleet-9041/datasets/telemetry/tables"
    me.get(top)
    wider = {"schema": {"fields": [*fields, {"name": "soc", "type": "FLOAT64", "mode": "NULLABLE"}]}}
    seen = {name: me.get(f"{top}/{name}") for name in ("trips", "faults", "charging")}
    theirs = other.get(f"{top}/faults")
    other.send("PATCH", f"{top}/faults", 200, {"If-Match": theirs.etag}, {"description": "DTCs by vehicle"})
    place.rest(0.4)
    for name in ("trips", "faults", "charging"):
        if name != "faults":
            me.send("PATCH", f"{top}/{name}", 200, {"If-Match": seen[name].etag}, wider)
            continue
        for pause in (0.2, 0.4, 0.8, 1.6, 0.0):
            me.send("PATCH", f"{top}/{name}", 412, {"If-Match": seen[name].etag}, wider)
            place.rest(pause)
    me.send("POST", "/bigquery/v2/projects/fleet-9041/queries", 200, None, {"query": "SELECT 1"})
    place.sure(len(me.get(f"{top}/faults").json["schema"]["fields"]) == 2)


_AGENT = "Boto3/1.44 md/Botocore ua/2.1 os/linux lang/python cfg/retry-mode#standard"


def _rules(*names: str) -> list[dict[str, Any]]:
    shown = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True}
    return [
        {
            "Name": name,
            "Priority": number,
            "Statement": {"GeoMatchStatement": {"CountryCodes": ["KP"]}},
            "Action": {"Block": {}},
            "VisibilityConfig": {**shown, "MetricName": name},
        }
        for number, name in enumerate(names)
    ]


_SHOWN = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "acl"}


def _wall() -> Any:
    acls = {
        f"WebACL/{name}": {"DefaultAction": {"Allow": {}}, "Rules": _rules("geo"), "VisibilityConfig": _SHOWN}
        for name in ("shop-edge", "api-edge")
    }
    sets = {
        f"IPSet/{name}": {"IPAddressVersion": "IPV4", "Addresses": ["192.0.2.0/28"]}
        for name in ("partners", "scrapers")
    }
    groups = {"RuleGroup/bots": {"Capacity": 50, "Rules": _rules("ua"), "VisibilityConfig": _SHOWN}}
    return firewall({**acls, **sets, **groups})


@case(
    "b959",
    "ray-firewall-with-the-token-of-its-group",
    "wrong-token-source",
    "400",
    alone="wrong-token-source",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A pipeline adds a rule to a web ACL and sends the LockToken that the list of rule groups has shown for the "
        "group: WAFOptimisticLockException, twice. The web ACL's own token, which it has read, is the same before and after."
    ),
)
def wall(stage: Stage) -> None:
    """Send the lock token of another thing."""
    server = place.open_box(stage, _wall(), "waitress", "AWS WAFv2")
    me = place.Aws(stage, "client", server, "wafv2", "wafv2.eu-central-1.amazonaws.example", _AGENT)
    acls = {one["Name"]: one for one in me("list_web_acls", Scope="REGIONAL")["WebACLs"]}
    group = me("list_rule_groups", Scope="REGIONAL")["RuleGroups"][0]
    known = {"Scope": "REGIONAL", "Name": "api-edge", "Id": acls["api-edge"]["Id"]}
    held = me("get_web_acl", **known)
    kept = {"DefaultAction": {"Allow": {}}, "VisibilityConfig": _SHOWN}
    for _ in range(2):
        me(
            "update_web_acl",
            "WAFOptimisticLockException",
            **known,
            **kept,
            Rules=_rules("geo", "bots"),
            LockToken=group["LockToken"],
        )
        place.rest(0.5)
        now = me("get_web_acl", **known)
        place.sure(now["LockToken"] == held["LockToken"] and len(now["WebACL"]["Rules"]) == 1)
        group = me("list_rule_groups", Scope="REGIONAL")["RuleGroups"][0]
    partners = next(
        one for one in me("list_ip_sets", Scope="REGIONAL")["IPSets"] if one["Name"] == "partners"
    )
    me(
        "update_ip_set",
        Scope="REGIONAL",
        Name="partners",
        Id=partners["Id"],
        Addresses=["192.0.2.0/27"],
        LockToken=partners["LockToken"],
    )


@case(
    "b972",
    "ray-blocklist-fed-by-a-job",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A job feeds IP sets: each update takes the NextLockToken of the one before or that of a fresh get; a set that "
        "was retired is asked for once and is not there, which the job takes as it is."
    ),
)
def blocklist(stage: Stage) -> None:
    """Chain lock tokens."""
    server = place.open_box(stage, _wall(), "falcon", "AWS WAFv2")
    me = place.Aws(
        stage, "client", server, "wafv2", "wafv2.eu-central-1.amazonaws.example", "aws-sdk-py feed-to-waf/3.1"
    )
    sets = {one["Name"]: one for one in me("list_ip_sets", Scope="REGIONAL")["IPSets"]}
    me(
        "get_ip_set",
        "WAFNonexistentItemException",
        Scope="REGIONAL",
        Name="tor-exits",
        Id=sets["partners"]["Id"],
    )
    known = {"Scope": "REGIONAL", "Name": "scrapers", "Id": sets["scrapers"]["Id"]}
    token, addresses = sets["scrapers"]["LockToken"], ["192.0.2.0/28"]
    for number in range(4):
        addresses = [*addresses, f"198.51.100.{number * 16}/28"]
        token = me("update_ip_set", **known, Addresses=addresses, LockToken=token)["NextLockToken"]
        place.rest(0.3)
        if number == 1:
            token = me("get_ip_set", **known)["LockToken"]
    place.sure(len(me("get_ip_set", **known)["IPSet"]["Addresses"]) == 5)
    me("list_web_acls", Scope="REGIONAL")


@case(
    "b950",
    "ray-labels-day-after-day",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A cataloguer polls tables with If-None-Match and patches their labels with the etag of the newest answer; a "
        "colleague does so in between, which the poll shows before the next patch. All conditions hold."
    ),
)
def labels(stage: Stage) -> None:
    """Patch in turns with a colleague, always from the newest answer."""
    data: dict[str, Any] = {
        "hr": {"location": "EU"},
        "hr/people": {"labels": {"pii": "yes"}},
        "hr/roles": {"labels": {}},
    }
    server = place.open_box(stage, bigquery("hr-catalogue", data), "falcon", "BigQuery")
    me = stage.actor("client", server, _HOST, "aiohttp", {**_PYTHON, "User-Agent": "catalog-sync/5"})
    other = stage.actor(
        "other", server, _HOST, "requests", {**_PYTHON, "Authorization": "Bearer ya29.steward"}
    )
    path = "/bigquery/v2/projects/hr-catalogue/datasets/hr/tables/people"
    held = me.get(path)
    for number in range(3):
        me.get(path, 304, {"If-None-Match": held.etag})
        theirs = other.get(path)
        other.send(
            "PATCH",
            path,
            200,
            {"If-Match": theirs.etag},
            {"labels": {**theirs.json["labels"], "reviewed": f"w{number}"}},
        )
        place.rest(0.4)
        held = me.get(path, 200, {"If-None-Match": held.etag})
        body = {"labels": {**held.json["labels"], f"scan{number}": "ok"}}
        held = me.send("PATCH", path, 200, {"If-Match": held.etag}, body)
        me.get(path.replace("people", "roles"))
    place.sure(len(me.get(path).json["labels"]) == 5)
