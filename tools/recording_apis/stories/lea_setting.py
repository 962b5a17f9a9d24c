"""The services of this author's stories, their hosts, who calls them, and what their documents look like."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.ports import free_port
from tools.recording_apis.servers import NODE_MODULES, Server, program
from tools.recording_apis.stage import StoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage

_ROOT = Path(__file__).resolve().parents[3]
_APPS = _ROOT / "tools" / "recording_apis" / "apps"

GITLAB, AZURE, BITBUCKET, GRAFANA = "gitlab.acme.test", "dev.azure.test", "git.acme.test", "grafana.acme.test"
POD, CLOUD, BLOG = "pod.alma.test", "cloud.acme.test", "www.townnews.test"
SHOP, MAIL, STORE = "api.shop.test", "jmap.mail.test", "firestore.acme.test"
BMC, EDGE, IDP, ALM = "bmc-437.dc.test", "edge-7.noc.test", "scim.idp.test", "alm.rail.test"

FILE = "/api/v4/projects/42/repository/files/deploy%2Fvalues.yaml"
RUNBOOK = "/api/v4/projects/42/repository/files/docs%2Frunbook.md"
COMMITS = "/api/v4/projects/42/repository/commits"
ITEM = "/acme/pay/_apis/wit/workitems/299?api-version=7.1"
WIKI = "/acme/pay/_apis/wiki/wikis/pay.wiki/pages?path=%2FOnboarding&api-version=7.1&includeContent=true"
PULL = "/rest/api/1.0/projects/PAY/repos/api/pull-requests/17"
BOARD, BOARDS = "/api/dashboards/uid/cIBgcSjkk", "/api/dashboards/db"
SERVICE = "/v1.47/services/9mnpnzenvg8p8tdbtq4wvbkcz"
TASKS, CARD, PREFS = "/alma/tasks/week-48.ttl", "/alma/profile/card", "/alma/settings/prefs.ttl"
DAV = "/remote.php/dav/files/ada/"
BUDGET, MINUTES, TODO = f"{DAV}Documents/budget.csv", f"{DAV}Documents/minutes.md", f"{DAV}Notes/todo.md"
POST = "/wp-json/wp/v2/posts/1"
CART, CART_2 = "/acme/carts/c-81f2", "/acme/carts/c-81f3"
STOCK = "/admin/api/2026-10/graphql.json"
ROOM = "/v1/projects/acme/databases/(default)/documents/rooms/harbour"
SANITY = "/v2025-02-19/data/mutate/production"
SYSTEM, SYSTEM_2 = "/redfish/v1/Systems/437XR1138R2", "/redfish/v1/Systems/437XR1138R3"
SYSTEMS, PROTOCOL = "/redfish/v1/Systems", "/redfish/v1/Managers/BMC/NetworkProtocol"
ETH0, ETH1 = (f"/restconf/data/ietf-interfaces:interfaces/interface=eth{number}" for number in (0, 1))
EDGE_SYSTEM = "/restconf/data/ietf-system:system"
USER, USER_2, GROUP = "/scim/v2/Users/2819c223", "/scim/v2/Users/c75ad752", "/scim/v2/Groups/e9e30dba"
REQ, REQ_2 = "/rm/resources/REQ-118", "/rm/resources/REQ-119"
YANG = {"Content-Type": "application/yang-data+json", "Accept": "application/yang-data+json"}
SCIM = {"Content-Type": "application/scim+json", "Accept": "application/scim+json"}
TURTLE = {"Content-Type": "text/turtle"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PATCH = {"Content-Type": "application/json-patch+json"}


def _up(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"GET /-/up HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return b" 200 " in connection.recv(20)
    except OSError:
        return False


def _run(stage: Stage, name: str, version: str, command: Sequence[str], port: int, **own: str) -> Server:
    directory = stage.directory()
    log = directory.parent / f"{directory.name}-log"
    environment = {**os.environ, "NODE_PATH": str(NODE_MODULES), "PYTHONPATH": str(_ROOT), **own}
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env={**environment, "APP_DIRECTORY": str(directory)},
            start_new_session=True,
        )
    made = Server(port, version, (), process, directory, log)
    deadline = time.monotonic() + 60
    while not _up(port):
        if process.poll() is not None or time.monotonic() > deadline:
            made.stop()
            raise RuntimeError(f"{name} did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)
    stage.config += [f"{setting}={value}" for setting, value in own.items()]
    return stage.adopt(name if name not in stage.servers else f"{name}-2", made, recorded=True)


def forge(stage: Stage, what: str, **settings: str) -> Server:
    """Start the imitations of developers' products (Node.js); ``what`` names the one of the story."""
    port = free_port()
    command = [program("node"), str(_APPS / "lea_forge.js"), str(port)]
    return _run(stage, "forge", f"imitation of {what}", command, port, **settings)


def pod(stage: Stage, flags: str = "", **settings: str) -> Server:
    """Start the pod of linked data (WEBrick)."""
    port = free_port()
    command = [program("ruby"), str(_APPS / "lea_linked.rb"), str(port)]
    return _run(stage, "pod", "imitation of a Solid pod", command, port, FLAGS=flags, **settings)


def cloud(stage: Stage, flags: str = "", what: str = "Nextcloud's files") -> Server:
    """Start the files and the weblog (PHP)."""
    port = free_port()
    command = [program("php"), "-S", f"127.0.0.1:{port}", str(_APPS / "lea_files.php")]
    return _run(stage, "cloud", f"imitation of {what}", command, port, FLAGS=flags)


def market(stage: Stage, what: str, **settings: str) -> Server:
    """Start the imitations of shops, mail and document databases (Starlette)."""
    port = free_port()
    command = [program("uvicorn"), "tools.recording_apis.apps.lea_market:application", "--lifespan", "off"]
    command += [
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--no-server-header",
        "--timeout-keep-alive",
        "30",
    ]
    return _run(stage, "market", f"imitation of {what}", command, port, **settings)


def devices(stage: Stage, what: str, flags: str = "", **settings: str) -> Server:
    """Start the imitations of Redfish, RESTCONF, SCIM and OSLC (aiohttp)."""
    port = free_port()
    command = [program("python"), str(_APPS / "lea_devices.py"), str(port)]
    return _run(stage, "devices", f"imitation of {what}", command, port, FLAGS=flags, **settings)


def basic(name: str, **more: str) -> dict[str, str]:
    """Return the fields of one who signs on with a name."""
    token = base64.b64encode(f"{name}:x".encode()).decode()
    return {"Authorization": f"Basic {token}", **more}


def bearer(name: str, **more: str) -> dict[str, str]:
    """Return the fields of one who holds a token."""
    return {"Authorization": f"Bearer {name}-0000", **more}


def require(*, holds: bool, otherwise: str) -> None:
    """Raise unless the story came out."""
    if not holds:
        raise StoryError(otherwise)


def file_change(text: str, message: str, who: str, last: str | None = None) -> dict[str, str]:
    """Return the body that commits a file to GitLab."""
    body = {"branch": "main", "content": text, "commit_message": message, "author_name": who}
    return body if last is None else {**body, "last_commit_id": last}


def steps(rev: int | None, **fields: object) -> list[dict[str, object]]:
    """Return a JSON Patch for a work item that tests its revision first."""
    test: list[dict[str, object]] = [] if rev is None else [{"op": "test", "path": "/rev", "value": rev}]
    return test + [
        {"op": "add", "path": f"/fields/System.{name}", "value": value} for name, value in fields.items()
    ]


def acts(version: object, *actions: Mapping[str, object]) -> dict[str, object]:
    """Return the body of an update of a cart."""
    return {"version": version, "actions": list(actions)}


def email(address: str) -> dict[str, object]:
    """Return the action that sets a cart's address for mail."""
    return {"action": "setCustomerEmail", "email": address}


def item(sku: str, quantity: int = 1) -> dict[str, object]:
    """Return the action that adds to a cart."""
    return {"action": "addLineItem", "sku": sku, "quantity": quantity}


def saved(
    dashboard: Mapping[str, Any], message: str, *, overwrite: bool = False, **changes: Any
) -> dict[str, Any]:
    """Return the body that saves a dashboard of Grafana."""
    kept = {**dashboard, **changes}
    return {"dashboard": kept, "folderUid": "l3KqBxCMz", "message": message, "overwrite": overwrite}


def stock(item_id: str, quantity: int, compare: int) -> dict[str, Any]:
    """Return the GraphQL request that sets a quantity in Shopify."""
    row = {"inventoryItemId": item_id, "locationId": "gid://shopify/Location/1", "quantity": quantity}
    given = {"name": "available", "reason": "correction", "quantities": [{**row, "compareQuantity": compare}]}
    query = "mutation set($input: InventorySetQuantitiesInput!) { inventorySetQuantities(input: $input) "
    return {"query": query + "{ userErrors { field message code } } }", "variables": {"input": given}}


def calls(*methods: tuple[str, Mapping[str, object]]) -> dict[str, object]:
    """Return a JMAP request."""
    listed = [
        [name, {"accountId": "u33", **asked}, f"c{number}"] for number, (name, asked) in enumerate(methods)
    ]
    return {"using": ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"], "methodCalls": listed}


def look_about(actor: Actor, *paths: str) -> None:
    """Read other things than those of the story."""
    for path in paths:
        actor.get(path)


def etag_in(answer: Answer, path: str) -> str:
    """Return the tag that a PROPFIND tells for a file."""
    found = re.search(rf"{re.escape(path)}</d:href>.*?&quot;(\w+)&quot;", answer.text)
    if found is None:
        raise StoryError(f"no tag of {path}")
    return f'"{found[1]}"'


def poll(read: Callable[[], bool], seconds: float = 6.0, pause: float = 0.25) -> None:
    """Read until something shows; raise when it does not in time."""
    deadline = time.monotonic() + seconds
    while not read():
        if time.monotonic() > deadline:
            raise StoryError("it did not show in time")
        time.sleep(pause)


def text_of(answer: Answer) -> str:
    """Return the content of a file of GitLab."""
    return base64.b64decode(answer.json["content"]).decode()


def dumped(body: object) -> bytes:
    """Return JSON as octets, for programs whose type of content is set by hand."""
    return json.dumps(body).encode()
