"""Stories on Amazon's DynamoDB and Route 53 with boto3."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vin_core import Desk, Req, Res
from tools.recording_apis.names import route
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_vin_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage


class Aws:
    """A boto3 client of a service behind a tap of its own."""

    def __init__(self, stage: Stage, name: str, server: Server, service: str, loses: Any = None) -> None:
        self._port = stage.tap(name, server, loses)
        boto3 = importlib.import_module("boto3")
        agent = f"Boto3/{boto3.__version__} md/Botocore os/linux lang/python#3.11"
        config = importlib.import_module("botocore.config").Config(
            retries={"mode": "standard", "total_max_attempts": 3}, proxies={}, user_agent=agent
        )
        self._errors = importlib.import_module("botocore.exceptions")
        self._host = f"{service}.internal.example"
        self.client = boto3.client(
            service, endpoint_url=f"http://{self._host}", region_name="eu-west-1", config=config,
            aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="nothing",  # noqa: S106 - nothing checks it
        )  # fmt: skip

    def call(self, operation: str, expect: str = "", **named: Any) -> Any:
        """Call an operation and insist on its error code, empty for success."""
        route(self._host, self._port)
        code, answer = "", {}
        try:
            answer = getattr(self.client, operation)(**named)
        except self._errors.ClientError as refused:
            code = str(refused.response["Error"]["Code"])
        place.sure(code == expect, f"{operation}: {code or answer}")
        return answer


@case(
    "e148",
    "vin-dynamodb-update-sent-twice-by-the-sdk",
    "lost-response-replay",
    "400",
    alone="lost-response-replay",
    description=(
        "A warehouse's reservation in DynamoDB on a version condition: the answer of the first attempt is lost, boto3 sends "
        "the same invocation again and is told ConditionalCheckFailedException; the item read then has the reservation id "
        "of this very call and the version one up."
    ),
)
def dynamo(stage: Stage) -> None:
    """Meet the own write."""
    server = stage.server("moto")
    writes: list[int] = []

    def loses(message: Any) -> bool:
        if ("X-Amz-Target", "DynamoDB_20120810.UpdateItem") not in [(n, v) for n, v in message.fields]:
            return False
        writes.append(1)
        return len(writes) == 2

    setup = Aws(stage, "other", server, "dynamodb")
    key = [{"AttributeName": "sku", "KeyType": "HASH"}]
    kinds = [{"AttributeName": "sku", "AttributeType": "S"}]
    setup.call(
        "create_table",
        TableName="bins",
        KeySchema=key,
        AttributeDefinitions=kinds,
        BillingMode="PAY_PER_REQUEST",
    )
    for sku, free in (("A-11", 4), ("B-72", 9)):
        item = {"sku": {"S": sku}, "qty": {"N": str(free)}, "version": {"N": "6"}, "holds": {"L": []}}
        setup.call("put_item", TableName="bins", Item=item)
    stage.forget()
    me = Aws(stage, "client", server, "dynamodb", loses)
    me.call("describe_table", TableName="bins")
    for sku, hold in (("A-11", "rsv-0f31"), ("B-72", "rsv-0f32")):
        seen = me.call("get_item", TableName="bins", Key={"sku": {"S": sku}}, ConsistentRead=True)["Item"]
        me.call(
            "update_item", "" if sku == "A-11" else "ConditionalCheckFailedException", TableName="bins",
            Key={"sku": {"S": sku}}, ConditionExpression="version = :seen",
            UpdateExpression="SET qty = :qty, holds = list_append(holds, :hold), version = :next",
            ExpressionAttributeValues={
                ":seen": seen["version"], ":next": {"N": str(int(seen["version"]["N"]) + 1)},
                ":qty": {"N": str(int(seen["qty"]["N"]) - 1)}, ":hold": {"L": [{"S": hold}]}},
        )  # fmt: skip
    now = me.call("get_item", TableName="bins", Key={"sku": {"S": "B-72"}}, ConsistentRead=True)["Item"]
    place.sure(now["holds"]["L"] == [{"S": "rsv-0f32"}] and now["version"]["N"] == "7")


_NS = 'xmlns="https://route53.amazonaws.com/doc/2013-04-01/"'


def _zone() -> Desk:
    desk = Desk({"x-amzn-RequestId": "7e2d9f3a-5f0f-4c9e-8f15-0c1d7b64a0d2", "Content-Type": "text/xml"})
    sets = {("api.fjord.example.", "A"): (60, "192.0.2.41"), ("www.fjord.example.", "A"): (300, "192.0.2.9")}

    def one(name: str, kind: str) -> str:
        ttl, value = sets[name, kind]
        return (f"<ResourceRecordSet><Name>{name}</Name><Type>{kind}</Type><TTL>{ttl}</TTL><ResourceRecords>"
                f"<ResourceRecord><Value>{value}</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>")  # fmt: skip

    @desk.on("GET", "/2013-04-01/hostedzone/Z0841/rrset")
    def listed(_req: Req) -> Res:
        rows = "".join(one(*key) for key in sets)
        return Res(200, f'<?xml version="1.0"?>\n<ListResourceRecordSetsResponse {_NS}><ResourceRecordSets>{rows}'
                        "</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>300</MaxItems>"
                        "</ListResourceRecordSetsResponse>")  # fmt: skip

    @desk.on("POST", "/2013-04-01/hostedzone/Z0841/rrset/?")
    def change(req: Req) -> Res:
        text = req.body.decode()
        found = re.findall(
            r"<Action>(\w+)<.*?<Name>(.*?)<.*?<Type>(\w+)<.*?<TTL>(\d+)<.*?<Value>(.*?)<", text, re.DOTALL
        )
        for action, name, kind, ttl, value in found:
            if action == "DELETE" and sets.get((name, kind)) != (int(ttl), value):
                said = (f"[Tried to delete resource record set [name='{name}', type='{kind}'] but the values "
                        "provided do not match the current values]")  # fmt: skip
                return Res(400, f'<?xml version="1.0"?>\n<ErrorResponse {_NS}><Error><Type>Sender</Type><Code>'
                                f"InvalidChangeBatch</Code><Message>{said}</Message></Error><RequestId>7e2d9f3a"
                                "</RequestId></ErrorResponse>")  # fmt: skip
        for action, name, kind, ttl, value in found:
            if action == "DELETE":
                del sets[name, kind]
            else:
                sets[name, kind] = (int(ttl), value)
        return Res(200, f'<?xml version="1.0"?>\n<ChangeResourceRecordSetsResponse {_NS}><ChangeInfo><Id>/change/C0{desk.count}'
                        f"</Id><Status>PENDING</Status><SubmittedAt>{place.stamp()}</SubmittedAt></ChangeInfo>"
                        "</ChangeResourceRecordSetsResponse>")  # fmt: skip

    return desk


@case(
    "e123",
    "vin-record-set-deleted-with-another-ttl",
    "payload-precondition-mismatch",
    "400",
    alone="payload-precondition-mismatch",
    synthetic=True,
    description=(
        "A failover script deletes an A record of Route 53 with the TTL of its template, 300, while the live record, which "
        "its own listing showed, has 60: InvalidChangeBatch, and the whole batch with the new record is refused."
    ),
)
def zone(stage: Stage) -> None:
    """Delete what is not quite there."""
    server = place.open_box(stage, _zone(), "cheroot", "Route 53")
    me = Aws(stage, "client", server, "route53")

    def batch(*rows: tuple[str, str, int, str]) -> dict[str, Any]:
        made = [{"Action": action, "ResourceRecordSet": {"Name": name, "Type": "A", "TTL": ttl,
                 "ResourceRecords": [{"Value": value}]}} for action, name, ttl, value in rows]  # fmt: skip
        return {"HostedZoneId": "Z0841", "ChangeBatch": {"Comment": "failover", "Changes": made}}

    me.call("list_resource_record_sets", HostedZoneId="Z0841")
    me.call("change_resource_record_sets", **batch(("UPSERT", "www.fjord.example.", 300, "192.0.2.77")))
    place.rest(0.8)
    rows = (
        ("DELETE", "api.fjord.example.", 300, "192.0.2.41"),
        ("CREATE", "api.fjord.example.", 300, "198.51.100.8"),
    )
    me.call("change_resource_record_sets", "InvalidChangeBatch", **batch(*rows))
    me.call(
        "list_resource_record_sets",
        HostedZoneId="Z0841",
        StartRecordName="api.fjord.example.",
        StartRecordType="A",
    )
