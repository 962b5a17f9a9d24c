"""A port, an energy supplier, a clinic and a brewery: their services, documents and what people do besides."""

from __future__ import annotations

import json
import os
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
_CLINIC = "tools.recording_apis.apps.jon_clinic:application"
_SILENT = {"SEED", "NODE"}

PORT, EMS, PRAXIS, BREW = "port.zeehaven.test", "ems.stadtwerk.test", "api.praxis.test", "brewhouse.test"
V2 = "/portcall/v2"
BERTH, BERTH_2 = f"{V2}/berths/K12", f"{V2}/berths/K14"
VESSEL, PILOT, NOTICE = f"{V2}/vessels/MV-Aurelia", f"{V2}/pilots/p-31", f"{V2}/notices/2026-114"
BERTHS: dict[str, Any] = {
    BERTH[1:]: {"length": 240, "draught": 11.2, "cranes": 3, "occupant": None, "remark": ""},
    BERTH_2[1:]: {"length": 180, "draught": 9.0, "cranes": 1, "occupant": "MV-Tern", "remark": "fender 4"},
    VESSEL[1:]: {"imo": "9412345", "loa": 212.5, "eta": "2026-11-27T05:30:00Z", "berth": "K12"},
    PILOT[1:]: {"name": "De Witte", "licence": "A", "onCall": True, "phone": "+31 118 555 010"},
    NOTICE[1:]: {"text": "Dredging at lock 2, keep clear.", "until": "2026-12-04", "severity": "info"},
}
SITE, SITE_2 = "/ems/sites/4711/config", "/ems/sites/4712/config"
_METER = "<Meter>1EMH00{}</Meter><Rate>{}</Rate><Interval>{}</Interval>"
DAY = "2026-12-01"
SLOT, SLOT_2 = "/clinic/api/appointments/3301", "/clinic/api/appointments/3302"
SLOTS: dict[str, Any] = {
    SLOT[1:]: {"day": DAY, "start": "09:15", "patient": "P-118", "doctor": "okafor", "note": "fasting"},
    SLOT_2[1:]: {"day": DAY, "start": "09:45", "patient": "P-204", "doctor": "okafor", "note": ""},
    "clinic/api/appointments/3303": {
        "day": "2026-12-02",
        "start": "11:00",
        "patient": "P-118",
        "doctor": "lindqvist",
        "note": "",
    },
    "clinic/api/staff/okafor": {"name": "Dr Okafor", "room": "2.07"},
}
RECIPES = {
    "pils": "name: Pils 5\nmalt: 62 kg pilsner\nhops: 900 g saaz\nboil: 75 min\nyeast: w34/70\n",
    "bock": "name: Winter bock\nmalt: 84 kg munich\nhops: 650 g perle\nboil: 90 min\nyeast: w34/70\n",
    "saison": "name: Saison 3\nmalt: 55 kg pilsner\nhops: 700 g styrian\nboil: 60 min\nyeast: 3711\n",
}


def _up(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"GET /-/up HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return connection.recv(12).startswith(b"HTTP/1.1 200")
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
            env=environment,
            start_new_session=True,
        )
    made = Server(port, version, (), process, directory, log)
    deadline = time.monotonic() + 60
    while not _up(port):
        if process.poll() is not None or time.monotonic() > deadline:
            made.stop()
            raise RuntimeError(f"{name} did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)
    stage.config += [f"{setting}={value}" for setting, value in own.items() if setting not in _SILENT]
    return stage.adopt(name if name not in stage.servers else f"{name}-2", made, recorded=True)


def harbour(stage: Stage, **settings: str) -> Server:
    """Start the harbour's berth planning (Express)."""
    port = free_port()
    command = [program("node"), str(_APPS / "jon_harbour.js"), str(port)]
    version = json.loads((NODE_MODULES / "express" / "package.json").read_text(encoding="utf-8"))["version"]
    return _run(
        stage, "harbour", f"Express {version}", command, port, **{"SEED": json.dumps(BERTHS), **settings}
    )


def meters(stage: Stage, **settings: str) -> Server:
    """Start the energy supplier's configuration store (the JDK's server)."""
    port = free_port()
    seed = f"{SITE}={meter()}\n{SITE_2}={meter('17742', '0.35')}\n/ems/firmware={'<Image/>'}"
    command = [program("java"), "-Xmx64m", str(_APPS / "JonMeters.java"), str(port)]
    return _run(stage, "meters", "jdk.httpserver", command, port, SEED=seed, **settings)


def clinic(stage: Stage, ahead: str = "", **settings: str) -> Server:
    """Start the clinic's appointments (Django REST framework), its clock ``ahead`` as faketime writes it."""
    port = free_port()
    command = [program("faketime"), "-f", ahead] if ahead else []
    command += [program("gunicorn"), "-k", "gthread", "--threads", "6", "--keep-alive", "30"]
    command += ["-b", f"127.0.0.1:{port}", _CLINIC]
    version = "Django REST framework under gunicorn"
    return _run(stage, "clinic", version, command, port, SEED=json.dumps(SLOTS), **settings)


def brewery(stage: Stage, **settings: str) -> Server:
    """Start the brewery's recipe book (WEBrick)."""
    port = free_port()
    command = [program("ruby"), str(_APPS / "jon_brew.rb"), str(port)]
    return _run(stage, "brewery", "WEBrick of Ruby", command, port, SEED=json.dumps(RECIPES), **settings)


def meter(number: str = "17741", rate: str = "0.31", interval: str = "PT15M") -> str:
    """Return a meter's configuration."""
    return _METER.format(number, rate, interval)


def document(path: str, **changes: object) -> dict[str, Any]:
    """Return a document of the harbour, or an appointment, with changes."""
    return {**{**BERTHS, **SLOTS}[path.strip("/")], **changes}


def edited(answer: Answer, **changes: object) -> dict[str, Any]:
    """Return a document as an answer showed it, with changes."""
    kept = {name: value for name, value in answer.json.items() if not name.startswith("_")}
    kept = {name: value for name, value in kept.items() if name not in {"url", "modified", "modified_by"}}
    return {**kept, **changes}


def recipe(name: str, old: str = "", new: str = "") -> str:
    """Return a recipe with one replacement."""
    return RECIPES[name].replace(old, new) if old else RECIPES[name]


def sign_in(actor: Actor, agent: str, *, fumbles: bool = False) -> dict[str, str]:
    """Sign in at the harbour and return the field of the session."""
    if fumbles:
        actor.send("POST", f"{V2}/session", 401, None, {"agent": agent, "pin": "0000"})
    token = actor.send("POST", f"{V2}/session", 201, None, {"agent": agent, "pin": "7731"}).json["token"]
    return {"Authorization": f"Bearer {token}", "X-Agent": agent}


def watch(actor: Actor, rounds: int, fields: Mapping[str, str] | None = None, document: str = PILOT) -> None:
    """Let a planner's screen poll: ships, tides, one document again and again, a broken radar."""
    known: dict[str, str] = {}
    for number in range(rounds):
        actor.send("GET", f"{V2}/ais?after={number * 3}", 200, fields)
        seen = actor.send("GET", document, (200, 304), {**(fields or {}), **known})
        if tag := seen.fields.get("etag"):
            known = {"If-None-Match": tag}
        if number % 3 == 1:
            actor.send("GET", f"{V2}/tides", 200, fields)
        if number % 4 == 3:
            actor.send("GET", f"{V2}/radar", 503, fields)


def until(what: Callable[[], bool], said: str, seconds: float = 20.0) -> None:
    """Wait until something holds; raise ``StoryError`` when it never does."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            raise StoryError(said)
        time.sleep(0.05)


def insist(holds: object, said: str) -> None:
    """Raise ``StoryError`` unless the claim holds."""
    if not holds:
        raise StoryError(said)
