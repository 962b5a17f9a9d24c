# mypy: ignore-errors
# ruff: noqa: ARG001, ARG005, E501, S324 - handlers share a shape; long words are those of the products
"""Imitations of Google's services: calendar, people, policies, machines, names, tables, documents, objects."""

from __future__ import annotations

import base64
import hashlib
import time

from tools.recording_apis.apps.tia_core import Api, Kind, Req, Res, Row, guid, iso


def refused(status: int, reason: str, message: str, domain: str = "global", **more: str) -> Res:
    """Return an error as Google's older services tell it."""
    one = {"domain": domain, "reason": reason, "message": message, **more}
    return Res(status, {"error": {"code": status, "message": message, "errors": [one]}})


def told(status: int, name: str, message: str) -> Res:
    """Return an error as Google's newer services tell it."""
    return Res(status, {"error": {"code": status, "message": message, "status": name}})


def fresh(server: str = "ESF") -> Api:
    """Return an API with the fields of Google's front end."""
    return Api(
        lambda _req: {
            "Vary": "Origin, X-Origin, Referer",
            "Server": server,
            "X-XSS-Protection": "0",
            "X-Frame-Options": "SAMEORIGIN",
        },
        lambda _req: refused(404, "notFound", "Not Found"),
    )


def _event_tag(row: Row) -> str:
    return f'"{int(row.at * 1e6) * 2 % 10**16:016d}"'


def _too_old() -> Res:
    return refused(
        410,
        "fullSyncRequired",
        "Sync token is no longer valid, a full sync is required.",
        "calendar",
        locationType="parameter",
        location="syncToken",
    )


def calendar(name: str, events: dict[str, dict]) -> Api:
    """Return one calendar: tags in content, sync tokens on lists."""
    api = fresh()

    def show(req: Req, row: Row) -> Res:
        own = {"kind": "calendar#event", "etag": _event_tag(row), "updated": iso(row.at), **row.data}
        return Res(
            200,
            own,
            {"ETag": _event_tag(row), "Cache-Control": "private, max-age=0, must-revalidate, no-transform"},
        )

    base = f"/calendar/v3/calendars/{name}/events"
    Kind(
        api,
        f"{base}/([a-z0-9]+)",
        tag=_event_tag,
        show=show,
        stale=lambda *_: refused(
            412, "conditionNotMet", "Precondition Failed", locationType="header", location="If-Match"
        ),
    )
    api.epoch = 0

    def listing(req: Req) -> Res:
        token = req.query.get("syncToken")
        if token is not None and not token.endswith(f"{api.epoch}="):
            return _too_old()
        since = float(base64.urlsafe_b64decode(token[:-2]).decode()[4:]) if token else 0.0
        items = [show(req, row).body for row in api.rows.values() if row.at > since]
        made = base64.urlsafe_b64encode(f"CPDA{time.time():.3f}".encode()).decode().rstrip("=")
        made += "=" * (-len(made) % 4)
        body = {"kind": "calendar#events", "summary": name, "timeZone": "Europe/Zurich", "items": items}
        return Res(200, {**body, "nextSyncToken": f"{made}{api.epoch}="})

    api.on("GET", base, listing)
    api.on(
        "GET",
        "/calendar/v3/colors",
        lambda _req: Res(200, {"kind": "calendar#colors", "event": {"1": {"background": "#a4bdfc"}}}),
    )
    for number, (key, data) in enumerate(events.items()):
        api.keep(key, {"id": key, "status": "confirmed", **data}, "", 90000 + 777.7 * number)
    return api


def _person_tag(row: Row) -> str:
    text = hashlib.sha1(f"{row.rev}{row.data}".encode()).digest()[:9]
    return f"%EgU{base64.b64encode(text).decode()}=="


def _other_person() -> Res:
    return told(
        400,
        "FAILED_PRECONDITION",
        "Request person.etag is different than the current person.etag. Clear local cache and get the latest person.",
    )


def people(names: dict[str, dict], lag: float) -> Api:
    """Return contacts whose reads may come from behind for a while after a write."""
    api = fresh()
    old: dict[str, Row] = {}

    def shown(key: str, row: Row) -> dict:
        source = {
            "type": "CONTACT",
            "id": key,
            "etag": f"#{_person_tag(row)[4:14]}=",
            "updateTime": iso(row.at, 6),
        }
        return {
            "resourceName": f"people/{key}",
            "etag": _person_tag(row),
            "metadata": {"sources": [source], "objectType": "PERSON"},
            **row.data,
        }

    def behind(key: str) -> Row:
        row = api.rows[key]
        return old[key] if key in old and time.time() - row.at < lag else row

    def read(req: Req, key: str) -> Res | None:
        return Res(200, shown(key, behind(key))) if key in api.rows else None

    def write(req: Req, key: str) -> Res:
        with api.lock:
            row = api.rows[key]
            if req.json.get("etag") != _person_tag(row):
                return _other_person()
            old[key] = row
            fields = req.query["updatePersonFields"].split(",")
            return Res(
                200, shown(key, api.keep(key, {**row.data, **{name: req.json[name] for name in fields}}))
            )

    api.on("GET", r"/v1/people/(c\d+)", read)
    api.on("PATCH", r"/v1/people/(c\d+):updateContact", write)
    api.on(
        "GET",
        r"/v1/people/me/connections",
        lambda req: Res(
            200, {"connections": [shown(key, behind(key)) for key in api.rows], "totalPeople": len(api.rows)}
        ),
    )
    for key, data in names.items():
        api.keep(key, data, "", 400000)
    return api


def policies(project: str, bindings: list[dict]) -> Api:
    """Return a project's policy under one etag."""
    api = fresh()
    api.keep("policy", bindings, "", 90000)

    def tag(row: Row) -> str:
        return (
            "Bw"
            + base64.b64encode(hashlib.sha1(f"{row.rev}{project}".encode()).digest()[:7]).decode()[:9]
            + "="
        )

    def shown(row: Row) -> Res:
        return Res(200, {"version": 1, "etag": tag(row), "bindings": row.data})

    def store(req: Req) -> Res:
        with api.lock:
            sent, now = req.json["policy"].get("etag"), tag(api.rows["policy"])
            if sent not in (None, now):
                return told(
                    409,
                    "ABORTED",
                    f"There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff. The request's ETag '{sent}' did not match the current policy's ETag '{now}'.",
                )
            return shown(api.keep("policy", req.json["policy"]["bindings"]))

    api.on("POST", f"/v1/projects/{project}:getIamPolicy", lambda _req: shown(api.rows["policy"]))
    api.on("POST", f"/v1/projects/{project}:setIamPolicy", store)
    api.on(
        "GET",
        f"/v1/projects/{project}",
        lambda _req: Res(
            200, {"projectId": project, "lifecycleState": "ACTIVE", "projectNumber": "482211907"}
        ),
    )
    return api


def _print_of(text: object, salt: str) -> str:
    return base64.b64encode(hashlib.md5(f"{salt}{text}".encode()).digest()[:8]).decode()


def _machine(zone: str, data: dict, name: str) -> dict:
    return {
        "kind": "compute#instance",
        "id": str(int(guid(name)[:8], 16)),
        "name": name,
        "status": "RUNNING",
        "zone": zone,
        "tags": {"items": ["http"], "fingerprint": _print_of(name, "t")},
        "metadata": {
            "kind": "compute#metadata",
            "fingerprint": _print_of(data["meta"], f"m{name}"),
            "items": data["meta"],
        },
        "labels": data["labels"],
        "labelFingerprint": _print_of(data["labels"], f"l{name}"),
    }


def _operation(zone: str, name: str, verb: str) -> Res:
    return Res(
        200,
        {
            "kind": "compute#operation",
            "name": f"operation-{guid(name + verb)[:13]}",
            "operationType": verb,
            "status": "DONE",
            "targetLink": f"zones/{zone}/instances/{name}",
        },
    )


def machines(zone: str, names: tuple[str, ...]) -> Api:
    """Return virtual machines with a fingerprint for their labels and another for their metadata."""
    api = fresh()

    def change(req: Req, name: str, verb: str) -> Res:
        with api.lock:
            now, data = _machine(zone, api.rows[name].data, name), api.rows[name].data
            key, wanted = (
                ("labels", now["labelFingerprint"])
                if verb == "setLabels"
                else ("meta", now["metadata"]["fingerprint"])
            )
            sent = req.json.get("labelFingerprint" if key == "labels" else "fingerprint")
            if sent != wanted:
                noun = "Labels" if key == "labels" else "Supplied"
                said = f"{noun} fingerprint does not match current {'labels' if key == 'labels' else 'metadata'} fingerprint."
                return refused(412, "conditionNotMet", said, locationType="header", location="If-Match")
            api.keep(name, {**data, key: req.json["labels" if key == "labels" else "items"]})
            return _operation(zone, name, verb)

    base = f"/compute/v1/projects/klinik-prod/zones/{zone}/instances"
    api.on(
        "GET",
        f"{base}/([a-z0-9-]+)",
        lambda _req, name: Res(200, _machine(zone, api.rows[name].data, name)) if name in api.rows else None,
    )
    api.on(
        "GET",
        base,
        lambda _req: Res(
            200,
            {
                "kind": "compute#instanceList",
                "items": [_machine(zone, api.rows[name].data, name) for name in api.rows],
            },
        ),
    )
    api.on("POST", f"{base}/([a-z0-9-]+)/(setLabels|setMetadata)", change)
    for number, name in enumerate(names):
        api.keep(
            name,
            {
                "labels": {"stage": "prod", "rack": str(number)},
                "meta": [{"key": "enable-oslogin", "value": "TRUE"}],
            },
        )
    return api


def zones(zone: str, sets: list[dict]) -> Api:
    """Return a zone whose changes name the old records exactly."""
    api = fresh()
    api.sets = {(one["name"], one["type"]): one for one in sets}

    def change(req: Req) -> Res:
        with api.lock:
            for number, one in enumerate(req.json.get("deletions", [])):
                if api.sets.get((one["name"], one["type"])) != one:
                    return refused(
                        412,
                        "conditionNotMet",
                        f"Precondition not met for 'entity.change.deletions[{number}]'",
                    )
            for one in req.json.get("deletions", []):
                del api.sets[one["name"], one["type"]]
            for one in req.json.get("additions", []):
                api.sets[one["name"], one["type"]] = one
            return Res(
                200,
                {
                    "kind": "dns#change",
                    "id": "319",
                    "status": "pending",
                    "startTime": iso(time.time()),
                    **req.json,
                },
            )

    base = f"/dns/v1/projects/netz-2/managedZones/{zone}"
    api.on(
        "GET",
        f"{base}/rrsets",
        lambda req: Res(
            200,
            {
                "kind": "dns#resourceRecordSetsListResponse",
                "rrsets": [one for key, one in api.sets.items() if req.query.get("name") in (None, key[0])],
            },
        ),
    )
    api.on("POST", f"{base}/changes", change)
    return api


def tables(dataset: str, names: dict[str, dict], *, steady: bool = True, slow: float = 0.0) -> Api:
    """Return tables' metadata with tags; those that are not ``steady`` are drawn at each read."""
    api = fresh()
    drawn = {"n": 0}

    def tag(row: Row) -> str:
        drawn["n"] += 0 if steady else 1
        text = hashlib.md5(f"{row.rev}{row.data}{drawn['n']}".encode()).digest()
        return base64.b64encode(text).decode()

    def show(req: Req, row: Row) -> Res:
        made = tag(row)
        body = {
            "kind": "bigquery#table",
            "etag": made,
            "lastModifiedTime": str(int(row.at * 1000)),
            **row.data,
        }
        return Res(200, body, {"ETag": made})

    kind = Kind(
        api,
        rf"/bigquery/v2/projects/handel/datasets/{dataset}/tables/(\w+)",
        tag=tag,
        show=show,
        stale=lambda *_: refused(
            412, "conditionNotMet", "Precondition Failed", locationType="header", location="If-Match"
        ),
    )
    if slow:
        plain = kind.wrote
        kind.wrote = lambda req, row: (time.sleep(slow), plain(req, row))[1]
    for number, (name, data) in enumerate(names.items()):
        full = {
            "id": f"handel:{dataset}.{name}",
            "tableReference": {"projectId": "handel", "datasetId": dataset, "tableId": name},
        }
        api.keep(name, {**full, "numRows": "48213", **data}, "", 50000 + number * 991)
    return api


def documents(database: str) -> Api:
    """Return documents with preconditions on their update times."""
    api = fresh()

    def shown(path: str, row: Row) -> dict:
        return {
            "name": path,
            "fields": row.data,
            "createTime": iso(row.at - 500, 6),
            "updateTime": iso(row.at, 6),
        }

    def patch(req: Req, path: str) -> Res:
        with api.lock:
            row, query = api.rows.get(path), req.query
            if query.get("currentDocument.exists") == "false" and row:
                return told(409, "ALREADY_EXISTS", f"Document already exists: {path}")
            wanted = query.get("currentDocument.updateTime")
            if wanted and (row is None or iso(row.at, 6) != wanted):
                return told(
                    400,
                    "FAILED_PRECONDITION",
                    f"the stored version ({int(row.at * 1e6)}) does not match the required base version",
                )
            return Res(200, shown(path, api.keep(path, {**(row.data if row else {}), **req.json["fields"]})))

    base = f"(projects/{database}/databases/\\(default\\)/documents/.+)"
    api.on(
        "GET",
        f"/v1/{base}",
        lambda _req, path: (
            Res(200, shown(path, api.rows[path]))
            if path in api.rows
            else told(404, "NOT_FOUND", f'Document "{path}" not found.')
        ),
    )
    api.on("PATCH", f"/v1/{base}", patch)
    return api


def _object(bucket: str, name: str, row: Row) -> dict:
    return {
        "kind": "storage#object",
        "name": name,
        "bucket": bucket,
        "generation": str(int(row.at * 1e6)),
        "metageneration": "1",
        "contentType": "application/json",
        "size": str(len(row.octets)),
        "updated": iso(row.at),
        "etag": f"C{guid(name + str(row.rev))[:10]}Q=",
    }


def objects(bucket: str) -> Api:
    """Return a bucket as the JSON side shows it."""
    api = fresh("UploadServer")

    def upload(req: Req) -> Res:
        with api.lock:
            name, wanted = req.query["name"], req.query.get("ifGenerationMatch")
            now = _object(bucket, name, api.rows[name])["generation"] if name in api.rows else "0"
            if wanted not in (None, now):
                return refused(
                    412,
                    "conditionNotMet",
                    "At least one of the pre-conditions you specified did not hold.",
                    locationType="header",
                    location="If-Match",
                )
            return Res(200, _object(bucket, name, api.keep(name, req.json)))

    def read(req: Req, name: str) -> Res | None:
        if name not in api.rows:
            return refused(404, "notFound", f"No such object: {bucket}/{name}")
        row = api.rows[name]
        return Res(
            200,
            row.data if req.query.get("alt") == "media" else _object(bucket, name, row),
            {"X-Goog-Generation": _object(bucket, name, row)["generation"]},
        )

    api.on("POST", f"/upload/storage/v1/b/{bucket}/o", upload)
    api.on("GET", f"/storage/v1/b/{bucket}/o/(.+)", read)
    api.on(
        "GET",
        f"/storage/v1/b/{bucket}/o",
        lambda req: Res(
            200,
            {
                "kind": "storage#objects",
                "items": [
                    _object(bucket, name, row)
                    for name, row in api.rows.items()
                    if name.startswith(req.query.get("prefix", ""))
                ],
            },
        ),
    )
    return api
