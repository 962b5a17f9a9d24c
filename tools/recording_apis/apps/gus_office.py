"""Imitations after their documentation: SharePoint, Reapit, Nextcloud, Eve, an S3 bucket."""

from __future__ import annotations

import hashlib
import itertools
import json
import time
import uuid
from typing import Any

from tools.recording_apis.apps.gus_wire import Ask, Counter, Tell, day, iso


def _other_tag(given: str, version: int) -> Tell:
    text = f"The request ETag value '{given}' does not match the object's ETag value '\"{version}\"'."
    code = "-2130575305, Microsoft.SharePoint.SPException"
    return Tell(412, {"error": {"code": code, "message": {"lang": "de-DE", "value": text}}})


def sharepoint(rows: dict[int, dict[str, Any]], host: str) -> Counter:
    """Return list items as Atom feeds; If-Match must be the tag as the header has it."""
    desk = Counter(
        {
            "Server": "Microsoft-IIS/10.0",
            "MicrosoftSharePointTeamServices": "16.0.0.25513",
            "X-MS-InvokeApp": "1; RequireReadOnly",
        }
    )
    base = r"/sites/bau/_api/web/lists/getbytitle\('Bauteile'\)/items"
    versions = dict.fromkeys(rows, 3)
    atom = "application/atom+xml;type=entry;charset=utf-8"

    def entry(key: int) -> str:
        fields = "".join(f"<d:{name}>{value}</d:{name}>" for name, value in rows[key].items())
        return (
            f"<entry m:etag=\"&quot;{versions[key]}&quot;\"><id>http://{host}/sites/bau/_api/Web/Lists(guid'9f')/Items({key})</id>"
            f'<content type="application/xml"><m:properties><d:Id m:type="Edm.Int32">{key}</d:Id>{fields}</m:properties></content></entry>'  # noqa: E501
        )

    @desk.at("POST", "/sites/bau/_api/contextinfo")
    def context(_ask: Ask) -> Any:
        return {
            "FormDigestTimeoutSeconds": 1800,
            "FormDigestValue": "0x" + uuid.uuid4().hex.upper() + ",28 Nov 2026 14:00:00 -0000",
        }

    @desk.at("GET", base)
    def listed(_ask: Ask) -> Any:
        text = f"<feed>{''.join(entry(key) for key in rows)}</feed>"
        return Tell(200, text, None, "application/atom+xml;type=feed;charset=utf-8")

    @desk.at("GET", base + r"\(([0-9]+)\)")
    def read(ask: Ask, key: str) -> Any:
        if ask.head.get("if-none-match") == f'"{versions[int(key)]}"':
            return Tell(304, b"", {"ETag": f'"{versions[int(key)]}"'})
        return Tell(200, entry(int(key)), {"ETag": f'"{versions[int(key)]}"'}, atom)

    @desk.at("POST", base + r"\(([0-9]+)\)")
    def merge(ask: Ask, key: str) -> Any:
        number = int(key)
        given = ask.head.get("if-match", "*")
        if given not in {"*", f'"{versions[number]}"'}:
            return _other_tag(given, versions[number])
        rows[number].update({k: v for k, v in ask.data.items() if k != "__metadata"})
        versions[number] += 1
        return Tell(204, b"", {"ETag": f'"{versions[number]}"'})

    return desk


def reapit(rows: dict[str, dict[str, Any]]) -> Counter:
    """Return properties whose tag is made of what is rendered, the time of rendering among it."""
    desk = Counter({"x-amzn-trace-id": "{uuid}", "api-version": "2020-01-31"})

    def shown(key: str) -> tuple[dict[str, Any], str]:
        body = {**rows[key], "_links": {"self": {"href": f"/properties/{key}?t={time.time_ns()}"}}}
        tag = f'"{hashlib.md5(json.dumps(body).encode()).hexdigest().upper()}"'  # noqa: S324
        body["_links"]["self"]["href"] = f"/properties/{key}"
        return {**body, "_eTag": tag}, tag

    @desk.at("GET", "/properties/([A-Z0-9]+)")
    def read(ask: Ask, key: str) -> Any:
        body, tag = shown(key)
        if ask.head.get("if-none-match") == tag:
            return Tell(304, b"", {"ETag": tag})
        return Tell(200, body, {"ETag": tag})

    @desk.at("GET", "/properties")
    def listed(_ask: Ask) -> Any:
        return {
            "_embedded": [{"id": key, "modified": one["modified"]} for key, one in rows.items()],
            "pageNumber": 1,
            "totalCount": len(rows),
        }

    @desk.at("PATCH", "/properties/([A-Z0-9]+)")
    def write(ask: Ask, key: str) -> Any:
        if ask.head.get("if-match") != shown(key)[1]:
            return Tell(
                412,
                {
                    "statusCode": 412,
                    "dateTime": iso(),
                    "description": "ETag provided does not match the latest version of the resource",
                },
            )
        rows[key].update(ask.data)
        return Tell(204)

    return desk


def _no_tag_matched() -> Tell:
    text = "An If-Match header was specified, but none of the specified ETags matched."
    body = (
        '<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">\n'
        f"  <s:exception>Sabre\\DAV\\Exception\\PreconditionFailed</s:exception>\n  <s:message>{text}</s:message>\n"  # noqa: E501
        "  <s:header>If-Match</s:header>\n</d:error>\n"
    )
    return Tell(412, body, None, "application/xml; charset=utf-8")


def cloud_files(files: dict[str, bytes]) -> Counter:
    """Return files of a Nextcloud; a write answers another tag than the one that is kept."""
    desk = Counter({"Server": "Apache", "X-Powered-By": "PHP/8.2.26"}, "application/json; charset=utf-8")
    number = itertools.count(int(time.time()))
    kept = {
        name: (data, f"{next(number):x}a90c7715ee"[:13], time.time() - 30000) for name, data in files.items()
    }
    root = "/remote.php/dav/files/mreyes/"

    @desk.at("GET|HEAD", root + "(.+)")
    def read(ask: Ask, name: str) -> Any:
        data, tag, moment = kept[name]
        if ask.head.get("if-none-match") == f'"{tag}"':
            return Tell(304, b"", {"ETag": f'"{tag}"', "OC-ETag": f'"{tag}"'})
        return Tell(
            200,
            data,
            {"ETag": f'"{tag}"', "OC-ETag": f'"{tag}"', "Last-Modified": day(moment)},
            "text/markdown;charset=UTF-8",
        )

    @desk.at("PROPFIND", root + "(.*)")
    def find(_ask: Ask, _name: str) -> Any:
        rows = "".join(
            f"<d:response><d:href>{root}{name}</d:href><d:propstat><d:prop><d:getetag>&quot;{one[1]}&quot;</d:getetag>"
            f"<d:getcontentlength>{len(one[0])}</d:getcontentlength></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"  # noqa: E501
            for name, one in kept.items()
        )
        return Tell(
            207,
            f'<?xml version="1.0"?><d:multistatus xmlns:d="DAV:">{rows}</d:multistatus>',
            None,
            "application/xml; charset=utf-8",
        )

    @desk.at("PUT", root + "(.+)")
    def write(ask: Ask, name: str) -> Any:
        if ask.head.get("if-match", f'"{kept[name][1]}"') != f'"{kept[name][1]}"':
            return _no_tag_matched()
        kept[name] = (ask.body, f"{next(number):x}c11f90be27"[:13], time.time())
        tag = hashlib.md5(ask.body).hexdigest()  # noqa: S324
        return Tell(204, b"", {"ETag": f'"{tag}"', "OC-ETag": f'"{tag}"', "OC-FileId": "00004471ocq1"})

    desk.plain(
        "/ocs/v2.php/cloud/capabilities",
        {"ocs": {"meta": {"status": "ok"}, "data": {"version": {"string": "30.0.4"}}}},
    )
    return desk


def notes(rows: dict[int, dict[str, Any]]) -> Counter:
    """Return notes whose tag is quoted md5."""
    desk = Counter(
        {"X-Powered-By": "PHP/8.2.26", "X-Notes-API-Versions": "0.2, 1.3"}, "application/json; charset=utf-8"
    )

    def tag(key: int) -> str:
        return hashlib.md5(json.dumps(rows[key]).encode()).hexdigest()  # noqa: S324

    @desk.at("GET", "/index.php/apps/notes/api/v1/notes")
    def listed(ask: Ask) -> Any:
        left = ask.query.get("exclude", "").split(",")
        found = [{"id": key, "etag": tag(key), **one} for key, one in rows.items()]
        return [{name: value for name, value in one.items() if name not in left} for one in found]

    @desk.at("GET", "/index.php/apps/notes/api/v1/notes/([0-9]+)")
    def read(ask: Ask, key: str) -> Any:
        if ask.head.get("if-none-match") == f'"{tag(int(key))}"':
            return Tell(304, b"", {"ETag": f'"{tag(int(key))}"'})
        return Tell(
            200, {"id": int(key), "readonly": False, **rows[int(key)]}, {"ETag": f'"{tag(int(key))}"'}
        )

    @desk.at("GET", "/index.php/apps/notes/api/v1/settings")
    def settings(_ask: Ask) -> Any:
        return {"notesPath": "Notizen", "fileSuffix": ".md"}

    @desk.at("PUT", "/index.php/apps/notes/api/v1/notes/([0-9]+)")
    def write(ask: Ask, key: str) -> Any:
        number = int(key)
        if ask.head.get("if-match", f'"{tag(number)}"') != f'"{tag(number)}"':
            return Tell(412, {"id": number, "readonly": False, **rows[number]})
        rows[number].update(ask.data, modified=int(time.time()))
        return Tell(200, {"id": number, "readonly": False, **rows[number]}, {"ETag": f'"{tag(number)}"'})

    return desk


def eve(rows: dict[str, dict[str, Any]]) -> Counter:
    """Return documents of an Eve application that wants If-Match."""
    desk = Counter({"Server": "Eve/2.2.0"})

    def doc(key: str) -> dict[str, Any]:
        tag = hashlib.sha1(json.dumps(rows[key]).encode()).hexdigest()  # noqa: S324
        return {
            "_id": key,
            **rows[key],
            "_etag": tag,
            "_links": {"self": {"title": "Probe", "href": f"proben/{key}"}},
        }

    @desk.at("GET", "/proben/([0-9a-f]+)")
    def read(_ask: Ask, key: str) -> Any:
        one = doc(key)
        return Tell(200, one, {"ETag": f'"{one["_etag"]}"'})

    @desk.at("GET", "/proben")
    def listed(_ask: Ask) -> Any:
        return {
            "_items": [doc(key) for key in rows],
            "_meta": {"page": 1, "max_results": 25, "total": len(rows)},
        }

    @desk.at("PATCH", "/proben/([0-9a-f]+)")
    def write(ask: Ask, key: str) -> Any:
        given = ask.head.get("if-match")
        if given is None:
            text = "To edit a document its etag must be provided using the If-Match header"
            return Tell(428, {"_status": "ERR", "_error": {"code": 428, "message": text}})
        if given.strip('"') != doc(key)["_etag"]:
            return Tell(
                412,
                {"_status": "ERR", "_error": {"code": 412, "message": "Client and server etags don't match"}},
            )
        rows[key].update(ask.data)
        one = doc(key)
        return Tell(200, {**one, "_status": "OK"}, {"ETag": f'"{one["_etag"]}"'})

    return desk


def bucket(objects: dict[str, bytes]) -> tuple[Counter, dict[str, Any]]:
    """Return a bucket of S3 with conditional reads and writes."""
    desk = Counter({"Server": "AmazonS3", "x-amz-id-2": "{hex}"}, "application/xml")
    kept: dict[str, Any] = {key: (data, time.time() - 6000) for key, data in objects.items()}

    def heads(key: str) -> dict[str, str]:
        return {
            "ETag": f'"{hashlib.md5(kept[key][0]).hexdigest()}"',  # noqa: S324
            "Last-Modified": day(kept[key][1]),
            "x-amz-request-id": uuid.uuid4().hex[:16].upper(),
            "Accept-Ranges": "bytes",
        }

    def failed() -> Tell:
        text = "<Error><Code>PreconditionFailed</Code><Message>At least one of the pre-conditions you specified did not hold</Message>"  # noqa: E501
        return Tell(412, f"{text}<Condition>If-Match</Condition></Error>", None, "application/xml")

    @desk.at("GET|HEAD", "/karten/(.+)")
    def read(ask: Ask, key: str) -> Any:
        if ask.head.get("if-match", heads(key)["ETag"]) != heads(key)["ETag"]:
            return failed()
        return Tell(200, kept[key][0], heads(key), "application/json")

    @desk.at("GET", "/karten")
    def listed(_ask: Ask) -> Any:
        rows = "".join(
            f"<Contents><Key>{key}</Key><LastModified>{iso(one[1])}</LastModified><ETag>{heads(key)['ETag']}</ETag>"
            f"<Size>{len(one[0])}</Size></Contents>"
            for key, one in sorted(kept.items())
        )
        return Tell(
            200, f"<ListBucketResult><Name>karten</Name>{rows}</ListBucketResult>", None, "application/xml"
        )

    @desk.at("PUT", "/karten/(.+)")
    def write(ask: Ask, key: str) -> Any:
        if "if-match" in ask.head and ask.head["if-match"] != heads(key)["ETag"]:
            return failed()
        kept[key] = (ask.body, time.time())
        return Tell(200, b"", {k: v for k, v in heads(key).items() if k != "Last-Modified"})

    return desk, kept
