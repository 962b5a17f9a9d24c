"""Imitations after their documentation: Salesforce, Alibaba's object store, Oracle's databases, z/OSMF."""

from __future__ import annotations

import hashlib
import time
import uuid
from typing import Any

from tools.recording_apis.apps.gus_records import parsed
from tools.recording_apis.apps.gus_wire import Ask, Counter, Tell, day, iso


def stamp(moment: float) -> str:
    """Return a time as Salesforce spells it."""
    return iso(moment).replace("Z", "+0000")


def force(
    rows: dict[str, dict[str, Any]], suffix: str = ""
) -> tuple[Counter, dict[str, list[dict[str, str]]]]:
    """Return accounts with dates and tags; the tag ends as documented when a suffix is given."""
    desk = Counter(
        {"Server": "sfdcedge", "Sforce-Limit-Info": "api-usage=412/15000", "Vary": "Accept-Encoding"},
        "application/json;charset=UTF-8",
    )
    base = "/services/data/v61.0"
    times = {key: one.pop("_at", time.time() - 9000) for key, one in rows.items()}
    past: dict[str, list[dict[str, str]]] = {key: [] for key in rows}

    def tag(key: str) -> str:
        return f'"{hashlib.sha1(f"{key}{times[key]}".encode()).hexdigest()[:28]}=-{suffix}"' if suffix else ""  # noqa: S324

    def heads(key: str) -> dict[str, str]:
        return {"Last-Modified": day(times[key]), **({"ETag": tag(key)} if suffix else {})}

    desk.plain(f"{base}/limits", {"DailyApiRequests": {"Max": 15000, "Remaining": 14588}})

    @desk.at("GET", f"{base}/sobjects/Account/([A-Za-z0-9]{{18}})")
    def read(ask: Ask, key: str) -> Any:
        if suffix and ask.head.get("if-none-match") == tag(key):
            return Tell(304, b"", heads(key))
        link = {"type": "Account", "url": f"{base}/sobjects/Account/{key}"}
        return Tell(
            200, {"attributes": link, "Id": key, **rows[key], "SystemModstamp": stamp(times[key])}, heads(key)
        )

    @desk.at("GET", f"{base}/query")
    def query(_ask: Ask) -> Any:
        found = [row for one in past.values() for row in one]
        return {"totalSize": len(found), "done": True, "records": found}

    @desk.at("PATCH", f"{base}/sobjects/Account/([A-Za-z0-9]{{18}})")
    def write(ask: Ask, key: str) -> Any:
        since = parsed(ask.head.get("if-unmodified-since", ""))
        if (since is not None and int(times[key]) > since) or ask.head.get("if-match", tag(key)) != tag(key):
            return Tell(412, [{"message": "Precondition Failed", "errorCode": "PRECONDITION_FAILED"}])
        now = time.time()
        by = ask.head.get("x-acting-user", "005Kx0000001aBcIAI")
        for name, value in ask.data.items():
            row = {"Field": name, "OldValue": str(rows[key].get(name)), "NewValue": str(value)}
            past[key].append({**row, "CreatedById": by, "CreatedDate": stamp(now)})
        rows[key].update(ask.data)
        times[key] = now
        return Tell(204)

    return desk, past


def oss(objects: dict[str, bytes]) -> Counter:
    """Return a bucket whose only guard is against what is there."""
    desk = Counter({"Server": "AliyunOSS"}, "application/xml")
    born = dict.fromkeys(objects, time.time() - 70000)

    def heads(key: str) -> dict[str, str]:
        return {
            "ETag": f'"{hashlib.md5(objects[key]).hexdigest().upper()}"',  # noqa: S324
            "Last-Modified": day(born[key]),
            "x-oss-request-id": uuid.uuid4().hex[:24].upper(),
            "x-oss-object-type": "Normal",
            "x-oss-storage-class": "Standard",
        }

    @desk.at("GET|HEAD", "/(.+)")
    def read(_ask: Ask, key: str) -> Any:
        return (
            Tell(200, objects[key], heads(key))
            if key in objects
            else Tell(404, b"", {"x-oss-ec": "0026-00000001"})
        )

    @desk.at("GET", "/")
    def listed(_ask: Ask) -> Any:
        rows = "".join(
            f"<Contents><Key>{k}</Key><ETag>{heads(k)['ETag']}</ETag><Size>{len(v)}</Size></Contents>"
            for k, v in sorted(objects.items())
        )
        return Tell(
            200,
            f"<ListBucketResult><Name>menu-shanghai</Name>{rows}</ListBucketResult>",
            None,
            "application/xml",
        )

    @desk.at("PUT", "/(.+)")
    def write(ask: Ask, key: str) -> Any:
        if ask.head.get("x-oss-forbid-overwrite") == "true" and key in objects:
            number = uuid.uuid4().hex[:24].upper()
            text = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>FileAlreadyExists</Code><Message>The object you specified '  # noqa: E501
            text += f"already exists and can not be overwritten.</Message><RequestId>{number}</RequestId><EC>0026-00000002</EC></Error>"  # noqa: E501
            return Tell(
                409, text, {"x-oss-request-id": number, "x-oss-ec": "0026-00000002"}, "application/xml"
            )
        objects[key], born[key] = ask.body, time.time()
        return Tell(200, b"", {k: v for k, v in heads(key).items() if k != "Last-Modified"})

    return desk


def oracle(rows: dict[str, dict[str, Any]], slow: float) -> Counter:
    """Return database systems guarded by If-Match; an update takes its time."""
    desk = Counter({"X-Content-Type-Options": "nosniff"})
    now = {key: uuid.uuid4().hex for key in rows}

    def heads(key: str) -> dict[str, str]:
        return {"ETag": now[key], "opc-request-id": uuid.uuid4().hex.upper()}

    @desk.at("GET", "/20160918/dbSystems/([^/]+)")
    def read(_ask: Ask, key: str) -> Any:
        return Tell(200, rows[key], heads(key))

    @desk.at("GET", "/20160918/dbSystems")
    def listed(_ask: Ask) -> Any:
        return [{k: one[k] for k in ("id", "displayName", "lifecycleState")} for one in rows.values()]

    @desk.at("PUT", "/20160918/dbSystems/([^/]+)")
    def write(ask: Ask, key: str) -> Any:
        with desk.lock:
            if ask.head.get("if-match", now[key]) != now[key]:
                text = "DCS-10182: The etag provided does not match the etag of the resource."
                return Tell(
                    412,
                    {"code": "NoEtagMatch", "message": text},
                    {"opc-request-id": uuid.uuid4().hex.upper()},
                )
            rows[key].update(ask.data, timeUpdated=iso())
            now[key] = uuid.uuid4().hex
            got = Tell(200, dict(rows[key]), heads(key))
        time.sleep(slow)
        return got

    return desk


def zosmf(sets: dict[str, str], times: dict[str, float], salt: str, member: str) -> Counter:
    """Return data sets of one member of a sysplex, whose tags it makes with a salt of its own."""
    desk = Counter({"X-Powered-By": "Servlet/3.1", "Content-Language": "en-US"})

    def tag(name: str) -> str:
        return hashlib.md5(f"{salt}{times[name]}{sets[name]}".encode()).hexdigest().upper()  # noqa: S324

    @desk.at("GET", r"/zosmf/restfiles/ds/([A-Z0-9.()@$#]+)")
    def read(ask: Ask, name: str) -> Any:
        head = {"X-IBM-Txid": f"tx{int(time.time() * 1000):016X}{member}"}
        if ask.head.get("x-ibm-return-etag") == "true":
            head["ETag"] = tag(name)
        if ask.head.get("if-none-match") == tag(name):
            return Tell(304, b"", {**head, "ETag": tag(name)})
        return Tell(200, sets[name], head, "text/plain;charset=UTF-8")

    @desk.at("GET", "/zosmf/restfiles/ds")
    def listed(_ask: Ask) -> Any:
        rows = [{"dsname": name, "dsorg": "PS", "recfm": "FB", "lrecl": "80"} for name in sets]
        return {"items": rows, "returnedRows": len(rows), "JSONversion": 1}

    @desk.at("PUT", r"/zosmf/restfiles/ds/([A-Z0-9.()@$#]+)")
    def write(ask: Ask, name: str) -> Any:
        head = {"X-IBM-Txid": f"tx{int(time.time() * 1000):016X}{member}"}
        if ask.head.get("if-match", tag(name)).strip('"') != tag(name):
            return Tell(412, b"", head)
        sets[name], times[name] = ask.body.decode(), time.time()
        return Tell(204, b"", {**head, "ETag": tag(name)})

    return desk
