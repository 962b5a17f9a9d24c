"""Colleagues who write in between, and a page that cannot read a tag."""

from __future__ import annotations

import base64
import importlib
from typing import Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.pau_engine import Answer, Request
from tools.recording_apis.apps.pau_google import Policies, Repository
from tools.recording_apis.apps.pau_tagged import Tagged
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import pau_setting as place
from tools.recording_apis.stories.pau_setting import Aws, bearer, must, pause

_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update")
_PAGE = "http://rota.ward.test"
_SAVE = """async ([url, body]) => {
  const token = {'Authorization': 'Bearer eyJ.fake.nora'};
  const read = await fetch(url, {headers: token});
  const now = await read.json();
  const guard = read.headers.get('ETag');
  const headers = {...token, 'Content-Type': 'application/json', ...(guard ? {'If-Match': guard} : {})};
  const done = await fetch(url, {method: 'PATCH', headers, body: JSON.stringify(body)});
  await done.text();
  return [guard, done.status, Object.keys(now).length]; }"""


@case(
    "b708",
    "pau-rota-page-gets-428",
    "cors-hidden-etag",
    "428",
    alone="cors-hidden-etag token-missing",
    also="token-missing",
    synthetic=True,
    description=(
        "A rota page in Chromium reads shifts of an API on another origin. Its preflights allow If-Match, but no "
        "answer exposes ETag: the script sees null, sends no condition and gets 428 for both shifts, while the HAR "
        "shows the tags."
    ),
)
def rota(stage: Stage) -> None:
    """Save from a page that cannot see the tag."""
    base = "/shifts/"
    product = Tagged(
        "eve", {f"{base}{n}": {"day": day, "nurse": "Ada"} for n, day in ((1, "Mon"), (2, "Tue"))}
    )
    allowed = {"Access-Control-Allow-Origin": _PAGE, "Vary": "Origin"}

    def preflight(request: Request) -> Answer | None:
        if request.method != "OPTIONS":
            return None
        lines = {"Access-Control-Allow-Methods": "GET, PATCH", "Access-Control-Max-Age": "300"}
        return Answer(
            204,
            b"",
            {**allowed, **lines, "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match"},
        )

    def crossed(request: Request, answer: Answer) -> Answer:  # noqa: ARG001
        answer.fields |= allowed
        if isinstance(answer.body, dict):
            answer.body = {key: one for key, one in answer.body.items() if key != "_etag"}
        return answer

    product.before.append(preflight)
    product.after.append(crossed)
    server = place.api(stage, product, "Eve", "cheroot")
    page = "<!doctype html><title>Rota</title><link rel=stylesheet href=/rota.css><main></main>"
    pages = fronts.site(stage, "nginx", {"rota.html": page, "rota.css": "main { margin: 1em }\n"})
    rules = f"MAP rota.ward.test:80 127.0.0.1:{pages.port}, MAP api.ward.test:80 127.0.0.1:{stage.tap('client', server)}"
    driver = importlib.import_module("playwright.sync_api").sync_playwright().start()
    chromium = driver.chromium.launch(
        executable_path="/usr/bin/chromium", args=[*_FLAGS, f"--host-resolver-rules={rules}"]
    )
    export = stage.directory() / "client.har"
    context = chromium.new_context(record_har_path=str(export), record_har_content="embed", locale="sv-SE")
    tab = context.new_page()
    try:
        tab.goto(f"{_PAGE}/rota.html")
        for number in (1, 2):
            guard, status, _ = tab.evaluate(_SAVE, [f"http://api.ward.test{base}{number}", {"nurse": "Nora"}])
            must((guard, status) == (None, 428), f"{guard} {status}")
        stage.servers["browser"] = f"Chromium {chromium.version}"
    finally:
        context.close()
        chromium.close()
        driver.stop()
    stage.exported["client"] = export


@case(
    "b709",
    "pau-console-and-terraform-bind-at-once",
    "other-writer",
    "409",
    alone="other-writer",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A plan reads a project's policy and applies it after a review; somebody has given a role in the console "
        "meanwhile: 409 ABORTED with both etags. The policy read afterwards has the console's binding in the very "
        "role that the plan wanted to set."
    ),
)
def bindings(stage: Stage) -> None:
    """Apply a plan on a policy that has moved."""
    path = "/v1/projects/quay"
    owner = {"role": "roles/editor", "members": ["user:a@port.test"]}
    server = place.api(stage, Policies({path: {"bindings": [owner]}}), "Resource Manager", "uvicorn")
    user = {"User-Agent": "Terraform/1.9.8 terraform-provider-google/6.12.0"}
    me = stage.actor("client", server, "cloudresourcemanager.googleapis.test", "httpx", bearer("tf", **user))
    other = stage.actor(
        "other", server, "cloudresourcemanager.googleapis.test", "node:fetch", bearer("console-kay")
    )
    place.beside(me, "s")
    mine = me.send("POST", f"{path}:getIamPolicy", 200, None, {}).json
    theirs = other.send("POST", f"{path}:getIamPolicy", 200, None, {}).json
    theirs["bindings"][0]["members"].append("user:kay@port.test")
    other.send("POST", f"{path}:setIamPolicy", 200, None, {"policy": theirs})
    pause(0.6)
    place.beside(me, "j")
    mine["bindings"][0]["members"] = ["group:ops@port.test"]
    me.send("POST", f"{path}:setIamPolicy", 409, None, {"policy": mine})
    seen = me.send("POST", f"{path}:getIamPolicy", 200, None, {}).json
    must("user:kay@port.test" in seen["bindings"][0]["members"], "no other write")


@case(
    "b710",
    "pau-session-renewed-after-a-conflict",
    "none",
    "recovered",
    alone="other-writer none",
    also="other-writer",
    synthetic=True,
    description=(
        "A fleet service saves a vehicle under its change vector; the workshop has added an entry: 409 "
        "ConcurrencyException. It loads the document anew, adds its own mileage to it and saves: both are in."
    ),
)
def vehicle(stage: Stage) -> None:
    """Conflict, load again, save both."""
    path = "/databases/Fleet/docs"
    product = Tagged(
        "raven",
        {path: {"Plate": "HB 12", "Km": 40100, "Repairs": [], "@metadata": {"@collection": "Vehicles"}}},
        first=81,
    )
    server = place.api(stage, product, "RavenDB", "tornado")
    me = stage.actor(
        "client",
        fronts.haproxy(stage, [server]),
        "raven.fleet.test",
        "java",
        {"Raven-Client-Version": "6.2.0"},
    )
    other = stage.actor("other", server, "raven.fleet.test", "requests", {"Raven-Client-Version": "6.2.0"})
    place.beside(me, "t")
    query = "?id=vehicles%2F12-A"
    mine = me.get(path + query)
    theirs = other.get(path + query)
    other.put(path + query, {**theirs.json, "Repairs": ["brakes"]}, 200, {"If-Match": theirs.etag})
    pause(0.5)
    place.beside(me, "s")
    me.put(path + query, {**mine.json, "Km": 40422}, 409, {"If-Match": mine.etag})
    pause(0.2)
    again = me.get(path + query)
    me.put(path + query, {**again.json, "Km": 40422}, 200, {"If-Match": again.etag})
    must(me.get(path + query).json["Repairs"] == ["brakes"], "lost")


@case(
    "b711",
    "pau-two-edits-of-one-readme",
    "other-writer",
    "409",
    alone="other-writer",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A release bot updates README.md with the blob's sha that it read before its build; a maintainer has "
        "committed to the same file in the meantime. 409, does not match; the file read again holds his line."
    ),
)
def readme(stage: Stage) -> None:
    """Commit over a colleague's commit."""
    base = "/repos/port/tide/contents/"

    def coded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    product = Repository({f"{base}README.md": coded("# Tide\n"), f"{base}CHANGES.md": coded("1.0\n")})
    product.extra["GET /rate_limit"] = place.said({"resources": {"core": {"limit": 5000, "remaining": 4991}}})
    server = place.api(stage, product, "GitHub", "waitress")
    api = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    me = stage.actor(
        "client",
        server,
        "api.github.test",
        "requests",
        bearer("release-bot", **api, **{"User-Agent": "PyGithub/Python"}),
    )
    other = stage.actor("other", server, "api.github.test", "curl", bearer("maintainer", **api))
    me.get("/rate_limit")
    sha = me.get(f"{base}README.md").json["sha"]
    theirs = other.get(f"{base}README.md").json["sha"]
    other.put(
        f"{base}README.md",
        {"message": "Contact", "content": coded("# Tide\nAsk Ruth.\n"), "sha": theirs},
        200,
    )
    changes = me.get(f"{base}CHANGES.md").json["sha"]
    me.put(f"{base}CHANGES.md", {"message": "1.1", "content": coded("1.1\n1.0\n"), "sha": changes}, 200)
    me.put(f"{base}README.md", {"message": "Badge 1.1", "content": coded("# Tide 1.1\n"), "sha": sha}, 409)
    must(base64.b64decode(me.get(f"{base}README.md").json["content"]).endswith(b"Ruth.\n"), "no other write")


@case(
    "b712",
    "pau-counter-tried-again",
    "none",
    "recovered",
    alone="other-writer none",
    also="other-writer",
    description=(
        "Two gates raise one counter in moto's DynamoDB with ConditionExpression n = :old. One of six updates of the "
        "client fails, since the other gate was first; it reads again and adds to the new number, and the sum is "
        "right at the end."
    ),
)
def counter(stage: Stage) -> None:
    """Try again on a fresh read."""
    server = stage.server("moto")
    setup = Aws(stage, "setup", server, "dynamodb")
    keys = [{"AttributeName": "id", "KeyType": "HASH"}]
    kinds = [{"AttributeName": "id", "AttributeType": "S"}]
    setup.call(
        "create_table",
        TableName="gates",
        KeySchema=keys,
        AttributeDefinitions=kinds,
        BillingMode="PAY_PER_REQUEST",
    )
    item: dict[str, Any] = {"TableName": "gates", "Key": {"id": {"S": "north"}}}
    setup.call("put_item", TableName="gates", Item={"id": {"S": "north"}, "n": {"N": "0"}})
    stage.forget()
    me, other = Aws(stage, "client", server, "dynamodb"), Aws(stage, "other", server, "dynamodb")

    def read(who: Aws) -> int:
        return int(who.call("get_item", **item, ConsistentRead=True)["Item"]["n"]["N"])

    def write(who: Aws, old: int, expect: str = "") -> None:
        values = {":old": {"N": str(old)}, ":new": {"N": str(old + 1)}}
        who.call(
            "update_item",
            expect,
            **item,
            UpdateExpression="SET n = :new",
            ConditionExpression="n = :old",
            ExpressionAttributeValues=values,
        )

    for turn in range(5):
        old = read(me)
        if turn == 3:
            write(other, read(other))
            write(me, old, "ConditionalCheckFailedException")
            pause(0.2)
            old = read(me)
        write(me, old)
        pause(0.1)
    must(read(me) == 6, "not six")
