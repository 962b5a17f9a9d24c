"""Business services with versions of their own making: how they are started, and small steps of their users."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.ports import free_port
from tools.recording_apis.servers import NODE_MODULES, Server, program
from tools.recording_apis.stage import StoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tools.recording.message import Message
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage

_ROOT = Path(__file__).resolve().parents[3]
_APPS = _ROOT / "tools" / "recording_apis" / "apps"
_WSGI = {"qin_parts": "Flask", "qin_council": "Django", "qin_patch": "Falcon"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
GZIP, PLAIN = {"Accept-Encoding": "gzip, deflate"}, {"Accept-Encoding": "identity"}
JSON = {"Content-Type": "application/json"}


_ASIDE = {
    "notices/today": {"text": "Stocktaking on Saturday", "level": "info", "until": "2026-11-28"},
    "people/me": {"locale": "de", "theme": "dark", "unread": 4},
    "banners/top": {"html": "<b>New:</b> labels can be printed from lists", "dismissable": True},
    "session": {"expires": "2026-11-27T18:00:00Z", "roles": ["clerk", "export"], "tenant": 41},
    "calendar/week-48": {"shifts": ["early", "early", "off", "late", "late"], "holidays": []},
    "settings/ui": {"columns": ["id", "name"], "pageSize": 50, "beta": False},
}
_PLACES = (
    ("people/me", "notices/today", "usage"),
    ("session", "banners/top", "telemetry"),
    ("settings/ui", "calendar/week-48", "audit/views"),
)


def _places(me: Actor) -> tuple[str, str, str]:
    """Return what programs of a host read and write beside their work."""
    return _PLACES[sum(me.host.encode()) % len(_PLACES)]


def _command(app: str, port: int) -> tuple[list[str], str]:
    module = f"tools.recording_apis.apps.{app}"
    match app:
        case "qin_parts" | "qin_council" | "qin_patch":
            command = [program("gunicorn"), "-k", "gthread", "--threads", "8", "--keep-alive", "30"]
            return [
                *command,
                "-b",
                f"127.0.0.1:{port}",
                f"{module}:application",
            ], f"{_WSGI[app]} under gunicorn"
        case "qin_fleet":
            command = [program("uvicorn"), f"{module}:application", "--port", str(port), "--lifespan", "off"]
            return [*command, "--timeout-keep-alive", "30"], "FastAPI under uvicorn"
        case "qin_tags":
            return [program("python"), "-m", module, str(port)], "aiohttp"
        case "qin_graph":
            return [program("node"), str(_APPS / "qin_graph.js"), str(port)], "Express 5"
        case "qin_ledger":
            return [program("java"), "-Xmx64m", str(_APPS / "QinLedger.java"), str(port)], "jdk.httpserver"
        case _:
            return [program("perl"), str(_APPS / "qin_soap.pl"), str(port)], "Perl"


def _up(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"GET /-/up HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return connection.recv(12).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def service(stage: Stage, app: str, seed: object, **settings: str) -> Server:
    """Start a service with a tap before it.

    Args:
        stage: The story's stage.
        app: ``parts``, ``tags``, ``fleet``, ``council``, ``patch``, ``graph``, ``ledger`` or ``soap``.
        seed: Its rows by key, or text as it is.
        settings: Environment variables of the service.

    Raises:
        RuntimeError: It did not start; the message holds the end of its log.
    """
    port, directory = free_port(), stage.directory()
    command, version = _command(f"qin_{app}", port)
    own = {"NODE_PATH": str(NODE_MODULES), "PYTHONPATH": str(_ROOT), "TZ": "UTC", **settings}
    if isinstance(seed, dict) and app in {"parts", "tags"}:
        seed = {**seed, **_ASIDE}
    own["SEED"] = seed if isinstance(seed, str) else json.dumps(seed)
    log = directory.parent / f"{directory.name}-log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env={**os.environ, **own},
            start_new_session=True,
        )
    made = Server(port, version, (), process, directory, log)
    deadline = time.monotonic() + 60
    while not _up(port):
        if process.poll() is not None or time.monotonic() > deadline:
            made.stop()
            raise RuntimeError(f"{app} did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)
    stage.config += [f"{name}={value}" for name, value in settings.items()]
    return stage.adopt(app if app not in stage.servers else f"{app}-2", made, recorded=True)


def require(holds: object, otherwise: str) -> None:
    """Raise when the story did not come out as it should."""
    if not holds:
        raise StoryError(otherwise)


def form(**fields: object) -> str:
    """Return fields as a form to send."""
    return urllib.parse.urlencode(fields)


def hidden(page: Answer, name: str = "lock_version") -> str:
    """Return the value of a hidden field of a page."""
    return page.text.split(f"name='{name}' value='")[1].split("'")[0]


def soap(inner: str) -> str:
    """Return a SOAP envelope."""
    head = '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Header/>'
    return f"{head}<soapenv:Body>{inner}</soapenv:Body></soapenv:Envelope>"


def element(answer: Answer, name: str) -> str:
    """Return the text of the first element with a name."""
    return answer.text.split(f"<{name}>")[1].split("</")[0]


def at_once(calls: Sequence[Callable[[], Answer]], stagger: float) -> list[Answer]:
    """Make calls that overlap, each ``stagger`` seconds after the one before, and return their answers."""
    with ThreadPoolExecutor(len(calls)) as pool:
        made = []
        for call in calls:
            made.append(pool.submit(call))
            time.sleep(stagger)
        return [one.result() for one in made]


def first_of(method: str) -> Callable[[Message], bool]:
    """Return a test that names the first request with a method."""
    seen: list[int] = []

    def test(request: Message) -> bool:
        if request.method != method or seen:
            return False
        seen.append(1)
        return True

    return test


def changed(answer: Answer, **changes: object) -> dict[str, Any]:
    """Return the document of an answer with changes, as a program that edits what it read."""
    return {**answer.json, **changes}


_QUERY = "query Order($id: ID!) { order(id: $id) { id version status note updatedBy } }"
_LIST = "query Orders { orders { id version status } }"
_SAVE = "mutation Save($input: {0}Input!) {{ {1}(input: $input) {{ id version status note updatedBy }} }}"


def graph_order(me: Actor, order: str) -> dict[str, Any]:
    """Ask a GraphQL endpoint for an order."""
    sent = {"operationName": "Order", "query": _QUERY, "variables": {"id": order}}
    found: dict[str, Any] = me.send("POST", "/graphql", 200, None, sent).json["data"]["order"]
    return found


def graph_orders(me: Actor) -> None:
    """Ask a GraphQL endpoint for all orders."""
    me.send("POST", "/graphql", 200, None, {"operationName": "Orders", "query": _LIST, "variables": {}})


def graph_save(me: Actor, field: str, expect: int = 200, **given: object) -> Answer:
    """Send a GraphQL mutation."""
    query = _SAVE.format(field[0].upper() + field[1:], field)
    sent = {"operationName": "Save", "query": query, "variables": {"input": given}}
    return me.send("POST", "/graphql", expect, None, sent)


def rpc(me: Actor, number: int, method: str, **params: object) -> Any:
    """Send a JSON-RPC call and return its answer."""
    sent = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    return me.send("POST", "/rpc", 200, None, sent).json


def aside(
    server: Server, method: str, path: str, body: object, headers: Mapping[str, str] | None = None
) -> bytes:
    """Send a request that no tap sees, as somebody whose traffic nobody recorded."""
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    fields = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}{path}", data=content, headers=fields, method=method
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        read: bytes = answer.read()
        return read


def browse(
    me: Actor, paths: Sequence[str], rounds: int = 1, headers: Mapping[str, str] | None = None
) -> None:
    """Read some paths, as programs do beside their work."""
    for _ in range(rounds):
        for path in paths:
            me.get(path, 200, headers)


def office(me: Actor, rounds: int = 1, user: str = "") -> None:
    """Do what an ERP's clients do beside their work: sign in, read what is new, note that a screen was used."""
    own, news, log = _places(me)
    if user:
        me.send("POST", "/login", 200, None, {"user": user})
    me.get(f"/erp/{own}")
    for number in range(rounds):
        if number % 3 != 1:
            me.get(f"/erp/{news}")
        screen = f"{me.host.split('.')[0]}-{number}-{time.time_ns() // 1000 % 1_000_000}"
        me.send("POST", f"/erp/{log}/{screen}", 201, None, {"screen": "list", "ms": 180 + 13 * number})


def notices(me: Actor, rounds: int = 1) -> None:
    """Poll what is new with the tag got, and read one's own settings."""
    own, news, _ = _places(me)
    me.get(f"/{own}")
    tag = me.get(f"/{news}").fields.get("etag", "")
    for _ in range(rounds):
        me.send("GET", f"/{news}", (200, 304), {"If-None-Match": tag} if tag else {})
        time.sleep(0.05)
