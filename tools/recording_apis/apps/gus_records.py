"""Imitations after their documentation: Confluence, Canvas Medical, FHIR, Cloud DNS, Azure Blob."""

from __future__ import annotations

import time
import uuid
from email.utils import parsedate_to_datetime
from typing import Any

from tools.recording_apis.apps.gus_wire import Ask, Counter, Tell, day, iso


def parsed(text: str) -> float | None:
    """Return an HTTP-date as a time, or nothing for what is none."""
    if not text.endswith("GMT"):
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        return None


def wiki(pages: dict[str, dict[str, Any]]) -> Counter:
    """Return pages of a Confluence; the version that is sent is the next one."""
    desk = Counter({"X-Confluence-Request-Time": "{ms}", "X-Seraph-LoginReason": "OK"})
    past: dict[str, list[dict[str, Any]]] = {key: [] for key in pages}

    @desk.at("GET", "/rest/api/content/([0-9]+)")
    def read(ask: Ask, key: str) -> Any:
        one = dict(pages[key])
        if "body.storage" not in ask.query.get("expand", ""):
            one.pop("body")
        return one

    @desk.at("GET", "/rest/api/content/([0-9]+)/version")
    def versions(_ask: Ask, key: str) -> Any:
        found = [*past[key], pages[key]["version"]][::-1]
        return {"results": found, "start": 0, "limit": 200, "size": len(found)}

    @desk.at("GET", "/rest/api/content/search")
    def search(_ask: Ask) -> Any:
        found = [{"id": key, "type": "page", "title": one["title"]} for key, one in pages.items()]
        return {"results": found, "start": 0, "limit": 25, "size": len(found)}

    @desk.at("PUT", "/rest/api/content/([0-9]+)")
    def write(ask: Ask, key: str) -> Any:
        sent, one = ask.data, pages[key]
        if sent["version"]["number"] != one["version"]["number"] + 1:
            text = f"Version must be incremented on update. Current version is: {one['version']['number']}"
            return Tell(409, {"statusCode": 409, "message": text, "reason": "Conflict"})
        past[key].append(one["version"])
        by = {"username": ask.head.get("x-user", "svc")}
        pages[key] = {
            **one,
            "title": sent["title"],
            "body": sent["body"],
            "version": {
                "number": sent["version"]["number"],
                "when": iso(),
                "by": by,
                "message": sent["version"].get("message", ""),
            },
        }
        return pages[key]

    return desk


def _outcome(status: int, code: str, **said: Any) -> Tell:
    issue = {"severity": "error", "code": code, **said}
    return Tell(status, {"resourceType": "OperationOutcome", "issue": [issue]})


def canvas(rows: dict[str, dict[str, Any]]) -> Counter:
    """Return resources guarded by dates; what is no date is passed over."""
    desk = Counter({"Server": "canvas-fumage"}, "application/fhir+json")
    times = {key: time.time() - 7200 for key in rows}

    @desk.at("POST", "/auth/token/")
    def token(_ask: Ask) -> Any:
        return Tell(
            200,
            {
                "access_token": uuid.uuid4().hex,
                "expires_in": 36000,
                "token_type": "Bearer",
                "scope": "system/*.*",
            },
            kind="application/json",
        )

    @desk.at("GET", "/(Coverage/[^/]+)")
    def read(_ask: Ask, key: str) -> Any:
        return Tell(200, rows[key], {"Last-Modified": day(times[key])})

    @desk.at("GET", "/Coverage")
    def listed(_ask: Ask) -> Any:
        return {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": len(rows),
            "entry": [{"resource": one} for one in rows.values()],
        }

    @desk.at("PUT", "/(Coverage/[^/]+)")
    def write(ask: Ask, key: str) -> Any:
        since = parsed(ask.head.get("if-unmodified-since", ""))
        if since is not None and int(times[key]) > since:
            return _outcome(412, "conflict", details={"text": "Resource updated since specified date"})
        rows[key] = {**ask.data}
        times[key] = time.time()
        return Tell(200, b"", {"Last-Modified": day(times[key])})

    return desk


def _version_heads(one: dict[str, Any]) -> dict[str, str]:
    return {"ETag": f'W/"{one["meta"]["versionId"]}"', "X-Request-Id": uuid.uuid4().hex[:16]}


def _fhir_reads(desk: Counter, rows: dict[str, dict[str, Any]], kind: str, found: Any) -> None:
    @desk.at("GET", f"/fhir/{kind}/([^/]+)")
    def read(ask: Ask, key: str) -> Any:
        one = rows[key]
        if ask.head.get("if-none-match") == _version_heads(one)["ETag"]:
            return Tell(304, b"", _version_heads(one))
        return Tell(200, one, _version_heads(one))

    @desk.at("GET", f"/fhir/{kind}")
    def search(ask: Ask) -> Any:
        got = found(ask) if "identifier" in ask.query else list(rows.values())
        return {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": len(got),
            "entry": [{"resource": one} for one in got],
        }

    desk.plain(
        "/fhir/metadata", {"resourceType": "CapabilityStatement", "status": "active", "fhirVersion": "4.0.1"}
    )


def fhir(rows: dict[str, dict[str, Any]], kind: str = "Patient") -> Counter:
    """Return a health record server; rows carry their version in meta."""
    desk = Counter({"X-Powered-By": "HAPI FHIR 6.10.1 REST Server"}, "application/fhir+json;charset=UTF-8")

    def found(ask: Ask, text: str = "") -> list[dict[str, Any]]:
        wanted = text or ask.query.get("identifier", "")
        return [
            one
            for one in rows.values()
            if any(f"{i['system']}|{i['value']}" == wanted for i in one.get("identifier", []))
        ]

    def keep(key: str, data: dict[str, Any], number: int) -> dict[str, Any]:
        rows[key] = {**data, "id": key, "meta": {"versionId": str(number), "lastUpdated": iso()}}
        return rows[key]

    _fhir_reads(desk, rows, kind, found)

    @desk.at("PUT", f"/fhir/{kind}")
    def by_search(ask: Ask) -> Any:
        got = found(ask)
        if len(got) > 1:
            text = f"HAPI-0958: Failed to UPDATE resource with match URL. {len(got)} resources."
            return _outcome(412, "processing", diagnostics=text)
        key = got[0]["id"] if got else str(len(rows) + 900)
        one = keep(key, ask.data, int(got[0]["meta"]["versionId"]) + 1 if got else 1)
        return Tell(200 if got else 201, one, _version_heads(one))

    @desk.at("PUT", f"/fhir/{kind}/([^/]+)")
    def write(ask: Ask, key: str) -> Any:
        given = ask.head.get("if-match")
        if given is not None and given != _version_heads(rows[key])["ETag"]:
            return _outcome(412, "processing", diagnostics="HAPI-0974: version conflict")
        one = keep(key, ask.data, int(rows[key]["meta"]["versionId"]) + 1)
        return Tell(200, one, _version_heads(one))

    @desk.at("POST", f"/fhir/{kind}")
    def create(ask: Ask) -> Any:
        wanted = ask.head.get("if-none-exist", "").removeprefix("identifier=")
        got = found(ask, wanted) if wanted else []
        if len(got) == 1:
            return Tell(
                200, got[0], {**_version_heads(got[0]), "Location": f"/fhir/{kind}/{got[0]['id']}/_history/1"}
            )
        one = keep(str(len(rows) + 700), ask.data, 1)
        return Tell(201, one, {**_version_heads(one), "Location": f"/fhir/{kind}/{one['id']}/_history/1"})

    return desk


def cloud_dns(project: str, zone: str, sets: list[dict[str, Any]]) -> Counter:
    """Return a zone whose deletions must be what is there."""
    desk = Counter(
        {"Server": "ESF", "X-Frame-Options": "SAMEORIGIN", "Vary": "Origin"},
        "application/json; charset=UTF-8",
    )
    base = f"/dns/v1/projects/{project}/managedZones"

    @desk.at("GET", base)
    def zones(_ask: Ask) -> Any:
        return {
            "kind": "dns#managedZonesListResponse",
            "managedZones": [{"name": zone, "dnsName": "kiln.example.", "id": "588"}],
        }

    @desk.at("GET", f"{base}/{zone}/rrsets")
    def listed(ask: Ask) -> Any:
        found = [
            one
            for one in sets
            if ask.query.get("name", one["name"]) == one["name"]
            and ask.query.get("type", one["type"]) == one["type"]
        ]
        return {"kind": "dns#resourceRecordSetsListResponse", "rrsets": found}

    @desk.at("POST", f"{base}/{zone}/changes")
    def change(ask: Ask) -> Any:
        for number, gone in enumerate(ask.data.get("deletions", [])):
            plain = {k: v for k, v in gone.items() if k != "kind"}
            if plain not in [{k: v for k, v in one.items() if k != "kind"} for one in sets]:
                text = f"Precondition not met for 'entity.change.deletions[{number}]'"
                return Tell(
                    412,
                    {
                        "error": {
                            "code": 412,
                            "message": text,
                            "errors": [{"message": text, "domain": "global", "reason": "conditionNotMet"}],
                        }
                    },
                )
        for gone in ask.data.get("deletions", []):
            sets[:] = [one for one in sets if (one["name"], one["type"]) != (gone["name"], gone["type"])]
        sets.extend(ask.data.get("additions", []))
        return {**ask.data, "id": "71", "status": "pending", "startTime": iso(), "kind": "dns#change"}

    return desk


def blobs(names: dict[str, bytes]) -> tuple[Counter, Any]:
    """Return a container read by dates, and what puts a blob as somebody else."""
    desk = Counter({"Server": "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0", "x-ms-version": "2023-11-03"})
    kept: dict[str, tuple[bytes, float, str]] = {}

    def put(name: str, data: bytes, moment: float | None = None) -> None:
        now = moment or time.time()
        kept[name] = (data, now, f'"0x8DD{int(now * 1e4):X}"')

    for name, data in names.items():
        put(name, data, time.time() - 5400)

    def heads(name: str) -> dict[str, str]:
        _data, moment, tag = kept[name]
        return {
            "Last-Modified": day(moment),
            "ETag": tag,
            "x-ms-request-id": str(uuid.uuid4()),
            "x-ms-blob-type": "BlockBlob",
            "x-ms-lease-status": "unlocked",
        }

    @desk.at("GET|HEAD", "/prices/(.+)")
    def read(ask: Ask, name: str) -> Any:
        since = parsed(ask.head.get("if-modified-since", ""))
        if since is not None and int(kept[name][1]) <= since:
            return Tell(304, b"", heads(name))
        return Tell(200, kept[name][0], heads(name), "text/csv")

    @desk.at("GET", "/prices")
    def listed(_ask: Ask) -> Any:
        rows = "".join(
            f"<Blob><Name>{name}</Name><Properties><Last-Modified>{day(one[1])}</Last-Modified>"
            f"<Etag>{one[2].strip(chr(34))}</Etag><Content-Length>{len(one[0])}</Content-Length></Properties></Blob>"
            for name, one in sorted(kept.items())
        )
        text = f'<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="prices"><Blobs>{rows}</Blobs><NextMarker /></EnumerationResults>'  # noqa: E501
        return Tell(200, text, None, "application/xml")

    return desk, put
