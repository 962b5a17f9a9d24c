"""The places of a hosted platform's stories: its servers, people and what they do besides."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tools.recording_apis.stage import Stage, StoryError

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.servers import Server

PROJECT = "api/v3/projects/atlas"
MILESTONE = "api/v3/milestones/m-17"
FLAG = "flags/web/production/new-checkout"
FLAG_STAGING = "flags/web/staging/new-checkout"
OTHER_FLAG = "flags/web/production/dark-mode"
PAGE = "wiki/spaces/OPS/pages/90412"
RUNBOOK = "wiki/spaces/OPS/pages/90440"
GATEWAY = "config/edge/gateway.yaml"
LIMITS = "config/edge/limits.yaml"
PATIENT = "fhir/R4/Patient/pt-2207"
MEDICATION = "fhir/R4/MedicationRequest/mr-88"

_YAML = "routes:\n  - match: /api\n    upstream: api-blue:8080\n    timeout: 15s\n    retries: 2\n"
_LIMITS = "default:\n  rps: 120\n  burst: 40\npartners:\n  rps: 400\n"
SEEDS: dict[str, Any] = {
    PROJECT: {"name": "Atlas", "status": "active", "owner": "mara", "budget": 48000, "tags": ["infra", "eu"]},
    MILESTONE: {"title": "Beta", "due": "2026-12-18", "project": "atlas", "state": "open"},
    "api/v3/projects/borea": {
        "name": "Borea",
        "status": "paused",
        "owner": "ivo",
        "budget": 9000,
        "tags": [],
    },
    FLAG: {
        "on": False,
        "rollout": 10,
        "targeting": [{"attr": "country", "in": ["PT", "NO"]}],
        "salt": "9f2c",
    },
    OTHER_FLAG: {"on": True, "rollout": 100, "targeting": [], "salt": "77aa"},
    FLAG_STAGING: {"on": True, "rollout": 50, "targeting": [], "salt": "01be"},
    PAGE: {"title": "On-call handbook", "body": "Page the secondary after 10 minutes.", "labels": ["sre"]},
    RUNBOOK: {"title": "Queue backlog", "body": "Scale the consumers first.", "labels": ["sre", "queues"]},
    GATEWAY: {"text": _YAML},
    LIMITS: {"text": _LIMITS},
    PATIENT: {
        "active": True,
        "name": [{"family": "Haugen", "given": ["Liv"]}],
        "telecom": [{"system": "phone", "value": "+47 555 0142"}],
        "birthDate": "1974-09-02",
    },
    MEDICATION: {"status": "active", "intent": "order", "dosage": "5 mg daily", "subject": "Patient/pt-2207"},
    "wiki/spaces/HR/pages/71200": {"title": "Holidays", "body": "24 days and the 31st.", "labels": []},
    "fhir/R4/Observation/ob-4": {
        "status": "final",
        "code": "8867-4",
        "value": 71,
        "subject": "Patient/pt-2207",
    },
    "fhir/R4/Observation/ob-5": {
        "status": "final",
        "code": "8310-5",
        "value": 37.1,
        "subject": "Patient/pt-2207",
    },
    "config/mail/relay.yaml": {"text": "relay:\n  host: smtp.acme.test\n  port: 587\n"},
}
_ASIDE = {
    "api": ("/api/v3/projects?limit=1&offset=%d&sort=name", "/api/v3/projects/borea"),
    "flags": ("/flags/web/staging?limit=5&offset=%d&summary=true", f"/{FLAG_STAGING}"),
    "wiki": ("/wiki/spaces/HR/pages?limit=10&cursor=%d&expand=version", "/wiki/spaces/HR/pages/71200"),
    "fhir": ("/fhir/R4/Observation?subject=Patient/pt-2207&_count=1&page=%d", "/fhir/R4/Observation/ob-4"),
    "config": ("/config/mail?rev=%d", "/config/mail/relay.yaml"),
}
JSONAPI = {"Accept": "application/vnd.api+json", "Content-Type": "application/vnd.api+json"}
FHIR = {"Accept": "application/fhir+json", "Content-Type": "application/fhir+json"}
YAML = {"Content-Type": "text/x-yaml", "Accept": "text/x-yaml, */*;q=0.1"}


def platform(stage: Stage, **settings: str) -> Server:
    """Start the platform with its usual documents."""
    return stage.server("application", app="platform_flask", SEED=json.dumps(SEEDS), **settings)


def pair(stage: Stage, first: dict[str, str], second: dict[str, str]) -> tuple[Server, Server]:
    """Start two processes of the platform on one database."""
    store = str(stage.directory() / "shared.sqlite")
    return platform(stage, STORE=store, **first), platform(stage, STORE=store, **second)


def checkout(stage: Stage, **settings: str) -> Server:
    """Start the shop's checkout."""
    return stage.server("application", app="checkout_fastapi", **settings)


def login(actor: Actor, name: str) -> dict[str, str]:
    """Sign in and return the fields of the session."""
    answer = actor.send("POST", "/login", 200, None, {"login": name, "password": "correct horse"})
    sid = re.search(r"sid=[\w-]+", str(answer.fields["set-cookie"]))
    session = f"{sid[0]}; " if sid else ""  # Node's fetch hands over the last Set-Cookie only
    cookie = {"Cookie": f"{session}actor={name}"}
    actor.get("/me", 200, cookie)
    return cookie


def stroll(actor: Actor, kind: str, rounds: int) -> None:
    """Let somebody look around: pages of a list, a document again and again, a beacon."""
    pages, document = _ASIDE[kind]
    known: dict[str, str] = {}
    for number in range(rounds):
        actor.get(pages % number)
        seen = actor.send("GET", document, (200, 304), known)
        if tag := seen.fields.get("etag"):
            known = {"If-None-Match": tag}
        if number % 2:
            actor.get(f"/telemetry/pulse?seq={number}&sid=8f1d", 204)


def project(**changes: object) -> dict[str, Any]:
    """Return a JSON:API document of the project with changes."""
    return {"data": {"type": "projects", "id": "atlas", "attributes": {**SEEDS[PROJECT], **changes}}}


def flag(path: str = FLAG, **changes: object) -> dict[str, Any]:
    """Return a flag with changes."""
    return {**SEEDS[path], **changes}


def page(path: str = PAGE, **changes: object) -> dict[str, Any]:
    """Return a wiki page with changes."""
    return {**SEEDS[path], **changes}


def patient(**changes: object) -> dict[str, Any]:
    """Return a patient with changes."""
    return {"resourceType": "Patient", "id": "pt-2207", **SEEDS[PATIENT], **changes}


def gateway(old: str = "timeout: 15s", new: str = "timeout: 30s", base: str = _YAML) -> str:
    """Return the gateway's configuration with one replacement."""
    if old not in base:
        raise StoryError(f"{old!r} is not in the configuration")
    return base.replace(old, new)


def require(held: object, what: str) -> None:
    """Insist on something that the story is about."""
    if not held:
        raise StoryError(what)


def member(answer: Answer, *names: str) -> Any:
    """Return a member of a JSON answer by its path."""
    value = answer.json
    for name in names:
        value = value[name]
    return value
