"""How the desk's answers look, and the habits that concern one request alone."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tools.recording.preconditions import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

Fields = list[tuple[str, str]]
Reply = tuple[int, Fields, bytes]
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}


def _title(status: int) -> str:
    return _TITLES.get(status) or HTTPStatus(status).phrase


def refusal(shape: str, status: int, detail: str) -> tuple[str, bytes]:
    """Return media type and content of a refusal."""
    title = _title(status)
    match shape:
        case "plain":
            return "text/plain; charset=utf-8", f"{detail}\n".encode()
        case "html":
            page = f"<!doctype html><title>{status} {title}</title><h1>{title}</h1><p>{detail}</p>"
            return "text/html; charset=utf-8", page.encode()
        case "code":
            told = {"error": {"code": title.replace(" ", ""), "message": detail}}
            return "application/json", json.dumps(told).encode()
        case "xml":
            code = title.replace(" ", "")
            text = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{detail}</Message></Error>'
            return "application/xml", text.encode()
        case "empty":
            return "", b""
        case _:
            made = {"type": "about:blank", "title": title, "status": status, "detail": detail}
            return "application/problem+json", json.dumps(made).encode()


def forbidden(
    told: Mapping[str, Any], method: str, path: str, fields: Mapping[str, str], body: bytes
) -> Reply | None:
    """Return the answer of a rule that is no precondition, or None."""
    if method in {"GET", "HEAD", "OPTIONS"}:
        return None
    for rule in told.get("rules", ()):
        if re.search(rule["body"], body.decode("utf-8", "replace")) and re.match(rule.get("path", ""), path):
            return rule["status"], [("Content-Type", rule["media"])], rule["says"].encode()
    if told.get("unsupported") and any(name in fields for name in ("if-match", "if-unmodified-since")):
        media, content = refusal(told.get("shape", "code"), 501, told["unsupported"])
        return 501, [("Content-Type", media)], content
    return None


def wrong(told: Mapping[str, Any], method: str, fields: Mapping[str, str]) -> Refusal | None:
    """Return the refusal of an evaluation that is wrong, or None."""
    bug = told.get("bug")
    if bug == "star" and fields.get("if-match") == "*":
        return Refusal(412, "No version matches '*'")
    if bug == "get" and method == "GET" and "if-none-match" in fields:
        return Refusal(412, "If-None-Match failed")
    if bug == "list" and "," in fields.get("if-match", ""):
        return Refusal(412, "The version does not match")
    return None


def represent(
    told: Mapping[str, Any], media: str, body: bytes, query: str, fields: Mapping[str, str]
) -> tuple[str, bytes, str]:
    """Return media type, content and name of the representation that a request selects."""
    if told.get("languages"):
        wanted = fields.get("accept-language", "en")[:2]
        texts = json.loads(body)
        chosen = wanted if wanted in texts else "en"
        return media, texts[chosen].encode(), chosen
    if told.get("as_xml") and "xml" in fields.get("accept", ""):
        items = "".join(f"<{k}>{v}</{k}>" for k, v in json.loads(body).items())
        return "application/xml", f"<record>{items}</record>".encode(), "x"
    if told.get("sparse") and query.startswith("fields="):
        names = query.removeprefix("fields=").split(",")
        kept = {k: v for k, v in json.loads(body).items() if k in names}
        return media, json.dumps(kept, separators=(",", ":")).encode(), query
    return media, body, ""


def translated(current: bytes, body: bytes, fields: Mapping[str, str]) -> bytes:
    """Return the texts of a page with one of them replaced."""
    texts = json.loads(current)
    texts[fields.get("content-language", "en")] = body.decode()
    return json.dumps(texts, ensure_ascii=False).encode()


def part(
    told: Mapping[str, Any], fields: Mapping[str, str], lines: Fields, content: bytes
) -> tuple[int, int] | None:
    """Return the first and last octet that a request asks for, or None for the whole."""
    wanted, guard = fields.get("range", ""), fields.get("if-range")
    if not wanted.startswith("bytes="):
        return None
    stale = guard is not None and guard not in {value for _, value in lines}
    if stale and told.get("ranges") != "always":
        return None
    first, _, last = wanted.removeprefix("bytes=").partition("-")
    return int(first), min(int(last or len(content) - 1), len(content) - 1)


def merged(current: bytes, change: bytes) -> bytes:
    """Return a JSON object with the members of another laid over it."""
    made = json.loads(current)
    for name, value in json.loads(change).items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = value
    return json.dumps(made, separators=(",", ":"), ensure_ascii=False).encode()


def stamped(current: bytes, what: str) -> bytes:
    """Return a document as the service changes it by itself."""
    made = json.loads(current)
    made["lastEvent"] = what
    made["events"] = made.get("events", 0) + 1
    return json.dumps(made, separators=(",", ":"), ensure_ascii=False).encode()


def patched(current: bytes, steps: bytes) -> tuple[bytes, str]:
    """Apply a JSON Patch of tests and replacements at the top level; return content and trouble."""
    made = json.loads(current)
    for number, step in enumerate(json.loads(steps)):
        name = step["path"].removeprefix("/")
        if step["op"] == "test" and made.get(name) != step["value"]:
            now = json.dumps(made.get(name))
            return current, f"operation {number}: test of {step['path']} failed, the value is {now}"
        if step["op"] in {"replace", "add"}:
            made[name] = step["value"]
    return json.dumps(made, separators=(",", ":"), ensure_ascii=False).encode(), ""
