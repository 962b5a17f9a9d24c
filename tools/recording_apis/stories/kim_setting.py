"""Where the imitated products and the home-made services of these stories run, and what is in them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.ports import free_port
from tools.recording_apis.servers import Server, program
from tools.recording_apis.stage import StoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tools.recording.message import Message
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage

_ROOT = Path(__file__).resolve().parents[3]
_APPS = _ROOT / "tools" / "recording_apis" / "apps"
_SILENT = {"SEED", "DIALECT", "SERIAL"}
_RUNS = {
    "kim_cloud.js": "Node.js http",
    "kim_office.py": "Bottle under waitress",
    "kim_suite.py": "Falcon under gunicorn",
    "KimTerminal.java": "jdk.httpserver",
    "kim_seedbank.pl": "Perl sockets",
}


def _command(app: str, ports: Sequence[int]) -> list[str]:
    path = str(_APPS / app)
    match app.rsplit(".", 1)[1]:
        case "js":
            return [program("node"), path, str(ports[0])]
        case "java":
            return [program("java"), "-Xmx64m", path, str(ports[0])]
        case "pl":
            return [program("perl"), path, str(ports[0])]
        case _ if app == "kim_suite.py":
            runs = [program("gunicorn"), "-k", "gthread", "--threads", "8", "--keep-alive", "30"]
            binds = [text for port in ports for text in ("-b", f"127.0.0.1:{port}")]
            return [*runs, *binds, "tools.recording_apis.apps.kim_suite:application"]
        case _:
            return [program("python"), "-m", "tools.recording_apis.apps.kim_office", *map(str, ports)]


def _up(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"GET /-/up HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return connection.recv(12).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def nodes(stage: Stage, app: str, count: int, seed: Mapping[str, object], **settings: str) -> list[Server]:
    """Start a service that listens on several ports, with a tap before each of them.

    Args:
        stage: The story's stage.
        app: File below ``apps``.
        count: How many ports.
        seed: First states by key.
        settings: Environment variables of the service.
    """
    ports, directory = [free_port() for _ in range(count)], stage.directory()
    own = {"PYTHONPATH": str(_ROOT), "SEED": json.dumps(seed), **settings}
    log = directory.parent / f"{directory.name}-log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            _command(app, ports),
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env={**os.environ, **own},
            start_new_session=True,
        )
    made = [Server(port, _version(app, settings), (), process, directory, log) for port in ports]
    deadline = time.monotonic() + 60
    while not all(_up(port) for port in ports):
        if process.poll() is not None or time.monotonic() > deadline:
            made[0].stop()
            raise RuntimeError(f"{app} did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)
    stage.config += [f"{name}={value}" for name, value in settings.items() if name not in _SILENT]
    name = settings.get("DIALECT") or Path(app).stem
    return [
        stage.adopt(name if not at else f"{name}-{at + 1}", one, recorded=True) for at, one in enumerate(made)
    ]


def _version(app: str, settings: Mapping[str, str]) -> str:
    name = settings.get("DIALECT", "")
    return f"{name} imitation on {_RUNS[app]}" if name else _RUNS[app]


def cloud(stage: Stage, dialect: str, seed: Mapping[str, object], **settings: str) -> Server:
    """Start one of the imitations on Node's http."""
    return nodes(stage, "kim_cloud.js", 1, seed, DIALECT=dialect, **settings)[0]


def office(stage: Stage, dialect: str, seed: Mapping[str, object], **settings: str) -> Server:
    """Start one of the imitations on Bottle."""
    return nodes(stage, "kim_office.py", 1, seed, DIALECT=dialect, **settings)[0]


def suite(stage: Stage, dialect: str, seed: Mapping[str, object], **settings: str) -> Server:
    """Start one of the imitations on Falcon."""
    return nodes(stage, "kim_suite.py", 1, seed, DIALECT=dialect, **settings)[0]


def terminal(stage: Stage, seed: Mapping[str, object], **settings: str) -> Server:
    """Start the container terminal on Java's httpserver."""
    return nodes(stage, "KimTerminal.java", 1, seed, **settings)[0]


def seedbank(stage: Stage, seed: Mapping[str, object], **settings: str) -> Server:
    """Start the seed bank in Perl."""
    return nodes(stage, "kim_seedbank.pl", 1, seed, **settings)[0]


def insist(holds: object, said: str) -> None:
    """Raise ``StoryError`` unless the claim holds."""
    if not holds:
        raise StoryError(said)


def once(method: str, part: str = "") -> Callable[[Message], bool]:
    """Return a predicate that holds for the first request with this method and part of its target."""
    seen: list[int] = []

    def loses(message: Message) -> bool:
        if message.method == method and part in message.target and not seen:
            seen.append(1)
            return True
        return False

    return loses


def together(calls: Sequence[Callable[[], Answer]], apart: float) -> list[Answer]:
    """Make calls at the same time, each so many seconds after the one before it."""

    def later(number: int, call: Callable[[], Answer]) -> Answer:
        time.sleep(number * apart)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [run.result() for run in [pool.submit(later, *pair) for pair in enumerate(calls)]]


def look(me: Actor, paths: Sequence[str], headers: Mapping[str, str] | None = None) -> None:
    """Read several things, none of which must exist, and those with a tag once more."""
    for path in paths:
        answer = me.send("GET", path, (200, 304, 404), headers)
        if answer.status == 200 and "etag" in answer.fields:
            me.send("GET", path, (200, 304), {**(headers or {}), "If-None-Match": answer.etag})


def without(body: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return an object without some of its members."""
    return {name: value for name, value in body.items() if name not in names}


PARTS: dict[str, Any] = {
    "parts/A-17": {"name": "Bearing 6204", "stock": 140, "bin": "R2-04", "price": 4.9, "$writes": 3},
    "parts/A-18": {"name": "Bearing 6205", "stock": 96, "bin": "R2-05", "price": 5.4, "$writes": 2},
    "parts/B-02": {"name": "Seal kit", "stock": 12, "bin": "R7-11", "price": 21.0},
}
WORKLOAD: dict[str, Any] = {
    "shop/configmaps/limits": {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "limits", "namespace": "shop", "labels": {"app": "gateway"}},
        "data": {"rps": "120", "burst": "40"},
        "$writes": 4,
    },
    "shop/deployments/gateway": {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "gateway", "namespace": "shop"},
        "spec": {"replicas": 3, "image": "gateway:4.1"},
        "status": {"readyReplicas": 3},
        "$writes": 2,
    },
    "shop/leases/reindexer": {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "reindexer", "namespace": "shop"},
        "spec": {"holderIdentity": "pod-a", "leaseDurationSeconds": 2, "renewTime": "0"},
    },
}
FIELDS: dict[str, Any] = {
    "fields/north-4": {"crop": "rye", "area": 4.2, "sown": "2026-10-02", "notes": ""},
    "fields/north-5": {"crop": "oats", "area": 3.8, "sown": "", "notes": "wet corner", "$writes": 3},
}
EVENTS: dict[str, Any] = {
    "events/7kq2": {"summary": "Sprint review", "start": "2026-12-01T10:00:00Z", "location": "Room 4"},
    "events/9dd1": {"summary": "Retro", "start": "2026-12-01T11:00:00Z", "location": "Room 4", "$writes": 2},
}
POLICY: dict[str, Any] = {
    "policies/atlas": {
        "bindings": [
            {"role": "roles/viewer", "members": ["group:all@atlas.test"]},
            {"role": "roles/editor", "members": ["user:mara@atlas.test"]},
        ]
    }
}
DRIVE: dict[str, Any] = {
    "items/01BYE5": {"name": "Budget 2027.xlsx", "size": 48213, "description": "draft", "$writes": 5},
    "items/01BYE6": {"name": "Roadmap.docx", "size": 20991, "description": "", "$writes": 2},
}
PLAN: dict[str, Any] = {
    "planner/gtR1": {"title": "Print badges", "percentComplete": 0, "planId": "xqQg"},
    "planner/gtR1/details": {"description": "200 pieces", "previewType": "automatic", "$writes": 2},
    "planner/hhW8": {"title": "Book hall", "percentComplete": 50, "planId": "xqQg"},
}
ASSETS: dict[str, Any] = {
    "Assets/4": {"Title": "Forklift 2", "Site": "Yard", "State": "in use", "$writes": 3},
    "Assets/5": {"Title": "Forklift 3", "Site": "Hall B", "State": "repair"},
}
ACCOUNTS: dict[str, Any] = {
    "accounts/8f21-77": {"name": "Haugen AS", "creditlimit": 50000, "telephone1": "+47 555 0142"},
    "accounts/9a02-13": {"name": "Voss BV", "creditlimit": 8000, "telephone1": "+31 555 0170"},
}
ORDERS: dict[str, Any] = {
    "A_SalesOrder/4711": {
        "SalesOrder": "4711",
        "PurchaseOrderByCustomer": "PO-88",
        "IncotermsLocation": "Oslo",
    },
    "A_SalesOrder/4712": {
        "SalesOrder": "4712",
        "PurchaseOrderByCustomer": "PO-91",
        "IncotermsLocation": "Turku",
    },
}
CARTS: dict[str, Any] = {
    "carts/c-118": {"customer": "cu-7", "lines": [{"sku": "lamp", "n": 2}], "coupon": ""},
    "carts/c-119": {"customer": "cu-9", "lines": [], "coupon": "XMAS"},
}
SWITCHES: dict[str, Any] = {
    "Pay:Limit$prod": {"value": "500", "content_type": "text/plain", "tags": {"team": "pay"}},
    "Pay:Mode$prod": {"value": "live", "content_type": "text/plain", "tags": {}},
    "Search:Boost$prod": {"value": "1.4", "content_type": "text/plain", "tags": {}},
}
KUBE = {"Accept": "application/json", "Authorization": "Bearer REDACTED"}

PATIENTS: dict[str, Any] = {
    "Patient/p-30": {"active": True, "name": [{"family": "Okafor"}], "identifier": "MRN-5531", "$writes": 2},
    "Patient/p-31": {"active": True, "name": [{"family": "Okafor"}], "identifier": "MRN-5531"},
    "Patient/p-40": {"active": True, "name": [{"family": "Sato"}], "identifier": "MRN-7002", "$writes": 3},
}
VISITS: dict[str, Any] = {
    "Appointment/a-9": {"status": "booked", "start": "2026-12-03T08:30:00Z", "practitioner": "dr-iyer"},
    "Appointment/a-10": {"status": "booked", "start": "2026-12-03T09:00:00Z", "practitioner": "dr-iyer"},
}
WIKI: dict[str, Any] = {
    "65601": {"title": "Runbook", "text": "<p>Call the secondary.</p>", "$writes": 7},
    "65602": {"title": "Glossary", "text": "<p>TEU</p>", "$writes": 2},
}
ROWS: dict[str, Any] = {
    "Account/001A7": {"Name": "Hafen AG", "Rating": "Warm", "Phone": "+49 555 0110", "$writes": 2},
    "Account/001A8": {"Name": "Voss BV", "Rating": "Cold", "Phone": "+31 555 0170"},
    "Contact/003C1": {"LastName": "Voss", "Email": "voss@example.test"},
}
ENTRIES: dict[str, Any] = {
    "sale": {"fields": {"title": {"en-US": "Winter sale"}, "teaser": {"en-US": "From Friday"}}, "$writes": 4},
    "hero": {"fields": {"title": {"en-US": "Hero"}}, "$writes": 2},
}
LIBRARY: dict[str, Any] = {
    "items/AB12": {"title": "Seeing like a state", "date": "1998", "tags": []},
    "items/CD34": {"title": "Normal accidents", "date": "1984", "tags": ["safety"]},
    "items/EF56": {"title": "Sorting things out", "date": "1999", "tags": []},
}
PEOPLE: dict[str, Any] = {
    "crew/ines": {"role": "pilot", "port": "Aarhus", "licence": "B"},
    "crew/kofi": {"role": "mate", "port": "Bergen", "licence": "C", "$writes": 3},
    "crew/liv": {"role": "engineer", "port": "Oslo", "licence": "C"},
}
ENTITIES: dict[str, Any] = {
    "products/12": {"name": "Lamp", "price": 39.9, "stock": 12, "$writes": 4},
    "products/13": {"name": "Bag", "price": 89.0, "stock": 3},
    "suppliers/4": {"name": "Borea", "iban": "NO00EXAMPLE"},
}
ARTICLES: dict[str, Any] = {
    "articles/77": {"title": "Ferry timetable", "body": "Hourly until 22:00", "state": "draft", "$writes": 2},
    "articles/78": {"title": "Ice on the quay", "body": "Take care.", "state": "live"},
}


def attributes(key: str, **changes: object) -> dict[str, Any]:
    """Return a JSON:API document of an article with changes."""
    kind, name = key.split("/")
    kept = without(ARTICLES[key], "$writes")
    return {"data": {"type": kind, "id": name, "attributes": {**kept, **changes}}}


def entity(key: str, **changes: object) -> dict[str, Any]:
    """Return an entity of the shop with changes."""
    return {**without(ENTITIES[key], "$writes"), **changes}


def page(text: str, number: int, title: str = "Runbook") -> dict[str, Any]:
    """Return a page of the wiki as its next version."""
    body = {"storage": {"value": text, "representation": "storage"}}
    return {"type": "page", "title": title, "version": {"number": number}, "body": body}


UNITS: dict[str, Any] = {
    "MSKU7701": {"yard": "C-14", "weight": 18200, "hold": "none", "revision": 7, "changedBy": "gate"},
    "TGHU2204": {"yard": "D-02", "weight": 9400, "hold": "customs", "revision": 3, "changedBy": "gate"},
    "HLXU3310": {"yard": "A-09", "weight": 22750, "hold": "none", "revision": 8, "changedBy": "vessel"},
}
LOTS: dict[str, Any] = {
    "TRI-17": {"taxon": "Triticum dicoccum", "seeds": "1200", "shelf": "F2", "$writes": 4},
    "TRI-18": {"taxon": "Triticum spelta", "seeds": "860", "shelf": "F2", "$writes": 2},
    "VIC-03": {"taxon": "Vicia faba", "seeds": "90", "shelf": "G1", "$writes": 6},
}
TEXT = {"Content-Type": "text/x-accession"}


def lot(number: str, **changes: str) -> str:
    """Return an accession as text with changes."""
    return "".join(
        f"{name}: {value}\n" for name, value in {**without(LOTS[number], "$writes"), **changes}.items()
    )
