"""Conditions in payloads and searches."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from tools.simulation.messages import Request
from tools.simulation.plots.platforms import on
from tools.simulation.plots.services import Zone, answer_json
from tools.simulation.stage import Told

if TYPE_CHECKING:
    from tools.simulation.kernel import Flow
    from tools.simulation.messages import Fields
    from tools.simulation.stage import Stage

_JSON: Fields = [("Content-Type", "application/json")]


_CRITERIA = (
    "identifier=http://acme.example/mrn|10477",
    "email=ann@example.test",
    "identifier=urn:oid:1.2.36|88-2",
)
_METHODS = {"update": "PUT", "create": "POST", "delete": "DELETE"}
_WITH = {"update": "match URL", "create": "If-None-Exist", "delete": "match URL"}
_FHIR = "application/fhir+json;charset=utf-8"


def _bundle(base: str, kind: str, numbers: list[int]) -> str:
    found = [
        {
            "fullUrl": f"{base}/{number}",
            "resource": {"resourceType": kind, "id": str(number)},
            "search": {"mode": "match"},
        }
        for number in numbers
    ]
    total = len(numbers)
    return json.dumps({"resourceType": "Bundle", "type": "searchset", "total": total, "entry": found})


def multi_match(stage: Stage) -> Told:
    """FHIR: the criteria match more than one resource."""
    me = stage.editor()
    kind = stage.rng.choice(("Patient", "Practitioner", "Device"))
    base = f"{stage.skin.origin_url}{stage.skin.prefix}/{kind}"
    query = stage.rng.choice(_CRITERIA)
    form = stage.rng.choice(("update", "create", "delete"))
    count = stage.rng.choice((2, 2, 3))
    numbers = stage.rng.sample(range(100, 999), count)
    bundle = _bundle(base, kind, numbers)
    text = (
        f"Failed to {form.upper()} resource with {_WITH[form]} because this search matched several resources"
    )
    code = stage.rng.choice(("processing", "multiple-matches"))
    issue = {"severity": "error", "code": code, "diagnostics": f'{text}: "{query}" ({count})'}
    outcome = json.dumps({"resourceType": "OperationOutcome", "issue": [issue]})
    method = _METHODS[form]
    on(stage, method, f"/{kind}", stage.skin.json_answer(412, outcome, _FHIR))
    on(stage, "GET", f"/{kind}?", stage.skin.json_answer(200, bundle, _FHIR))
    fields: Fields = [("Content-Type", "application/fhir+json")] if form != "delete" else []
    if form == "create":
        fields.append(("If-None-Exist", query))
    body = (
        json.dumps({"resourceType": kind, "active": True, "name": [{"family": "Holm"}]})
        if form != "delete"
        else None
    )
    url = base if form == "create" else f"{base}?{query}"

    def story() -> Flow[None]:
        for _ in range(stage.rng.choice((1, 2))):
            yield from me.agent.send(Request(method, url, list(fields), body))
            yield from me.agent.think(0.2, 1.5)
        yield from me.agent.send(Request("GET", f"{base}?{query}"))

    stage.play(story())
    return Told(
        f"criteria-match-several-{form}",
        "multi-match",
        "412",
        ("multi-match",),
        f"A conditional {form} by search: the criteria match {count} resources, so the service refuses; the search shows them.",
    )


def _differing(stage: Stage, live: dict[str, object]) -> tuple[str, dict[str, object]]:
    name, text = str(live["name"]), live["type"] == "TXT"
    form = stage.rng.choice(("ttl", "case", "data"))
    old = dict(live)
    if form == "ttl":
        old["ttl"] = stage.rng.choice((3600, 60, 86400))
    if form == "case":
        old["name"] = name.title() if not text else name.upper()
    if form == "data":
        old["rrdatas"] = ["t0k3n"] if text else ["192.0.2.7", "192.0.2.8"]
    return form, old


def dns_change(stage: Stage) -> Told:
    """Cloud DNS: the deletion must equal the live record."""
    me = stage.editor()
    name = stage.rng.choice(("www.acme.example.", "mail.acme.example.", "_acme-challenge.acme.example."))
    text = name.startswith("_")
    live: dict[str, object] = {
        "name": name,
        "type": "TXT" if text else "A",
        "ttl": 300,
        "rrdatas": ['"t0k3n"'] if text else ["192.0.2.7"],
    }
    form, old = _differing(stage, live)
    base = f"{stage.skin.origin_url}/dns/v1/projects/acme/managedZones/acme-zone"
    stage.origin.hooks.append(Zone(stage.skin, live))
    new = {**live, "rrdatas": ['"n3w"'] if text else ["192.0.2.99"]}
    heals = stage.rng.random() < 0.5

    def change(deletion: dict[str, object]) -> Request:
        return Request(
            "POST", f"{base}/changes", list(_JSON), json.dumps({"additions": [new], "deletions": [deletion]})
        )

    def story() -> Flow[None]:
        for _ in range(stage.rng.choice((1, 2))):
            yield from me.agent.send(change(old))
            yield from me.agent.think(0.5, 3)
        yield from me.agent.send(Request("GET", f"{base}/rrsets?name={name}&type={live['type']}"))
        if heals:
            yield from me.agent.send(change(live))

    stage.play(story())
    return Told(
        f"dns-deletion-differs-{form}",
        "payload-precondition-mismatch",
        "recovered" if heals else "412",
        ("payload-precondition-mismatch",),
        f"A DNS change names the record it deletes with another {form} than it has: refused with deletions[0]; no condition field anywhere.",
    )


def json_patch_test(stage: Stage) -> Told:
    """A test operation of a JSON Patch that does not hold."""
    stage.first()
    me = stage.editor()
    fields = stage.skin.topic.fields
    status = stage.rng.choice((409, 412, 422))
    name = stage.rng.choice([key for key, values in fields.items() if len(values) > 1])
    live = stage.origin.store[stage.key].document[name]
    wrong = stage.rng.choice([value for value in fields[name] if value != live])
    wrong = stage.rng.choice((wrong, str(live) + " ", [live]))
    texts = (
        {
            "title": "Patch test failed",
            "status": status,
            "detail": f"test operation failed at path '/{name}'",
        },
        {"error": "PatchTestFailed", "message": f"The value at /{name} is not equal to the expected value"},
    )
    refusal = stage.skin.json_answer(
        status, json.dumps(texts[stage.skin.wording % 2]), "application/problem+json"
    )
    on(stage, "PATCH", stage.key, refusal)
    other = next(key for key in fields if key != name)
    test = {"op": "test", "path": f"/{name}", "value": wrong}
    operations = json.dumps([test, {"op": "replace", "path": f"/{other}", "value": fields[other][-1]}])

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        patch: Fields = [("Content-Type", "application/json-patch+json")]
        yield from me.agent.send(Request("PATCH", stage.skin.url(stage.key), patch, operations))
        yield from me.agent.think(0.2, 1)
        yield from me.read(stage.key)

    stage.play(story())
    return Told(
        f"json-patch-test-{status}",
        "payload-precondition-mismatch",
        str(status),
        ("payload-precondition-mismatch",),
        f"A JSON Patch tests /{name} for a value that the document does not have (nor had when it was read): {status}. No condition field; nobody else writes.",
    )


def previous_value(stage: Stage) -> Told:
    """Etcd v2: prevValue differs from the live value."""
    me = stage.editor()
    value, wrong = stage.rng.choice(
        (("blue", "Blue"), ("3", "3 "), ("true", "True"), ('{"a":1}', '{"a": 1}'))
    )
    url = f"{stage.skin.origin_url}/v2/keys/flags/{stage.rng.choice(('colour', 'rollout', 'limit'))}"
    number = stage.rng.randrange(40, 900)
    node = {"key": url.partition("/v2/keys")[2], "value": value, "modifiedIndex": number, "createdIndex": 9}
    on(stage, "GET", "/v2/keys/flags", answer_json(stage.skin, 200, {"action": "get", "node": node}))
    refusal = {
        "errorCode": 101,
        "message": "Compare failed",
        "cause": f"[{wrong} != {value}]",
        "index": number + 5,
    }
    on(stage, "PUT", "prevValue", answer_json(stage.skin, 412, refusal))
    form: Fields = [("Content-Type", "application/x-www-form-urlencoded")]

    def story() -> Flow[None]:
        yield from me.agent.send(Request("GET", url))
        yield from me.agent.think()
        for _ in range(stage.rng.choice((1, 2))):
            yield from me.agent.send(Request("PUT", f"{url}?prevValue={quote(wrong)}", form, "value=green"))
            yield from me.agent.think(0.2, 1)
        yield from me.agent.send(Request("GET", url))

    stage.play(story())
    return Told(
        "previous-value-differs",
        "payload-precondition-mismatch",
        "412",
        ("payload-precondition-mismatch",),
        f"A compare-and-swap by value names {wrong!r}, the key holds {value!r} all the time: refused with both values in the answer.",
    )
