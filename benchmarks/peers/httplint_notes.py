"""Lint each exchange of HARs with httplint: `python httplint_notes.py HAR...` prints notes by file as JSON.

Runs in the environment of the peers, so it imports nothing of this project.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

from httplint import HttpRequestLinter, HttpResponseLinter


def octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def fields(message: dict) -> list[tuple[bytes, bytes]]:
    # A HAR holds decoded content: what describes its coding would be wrong of it.
    gone = {"content-encoding", "content-length", "transfer-encoding"}
    return [
        (octets(one["name"]), octets(one["value"]))
        for one in message["headers"]
        if one["name"].lower() not in gone
    ]


def notes(entry: dict) -> set[str]:
    asked, told = entry["request"], entry["response"]
    request = HttpRequestLinter()
    request.process_request_topline(octets(asked["method"]), octets(asked["url"]), b"HTTP/1.1")
    request.process_headers(fields(asked))
    request.feed_content(octets(asked.get("postData", {}).get("text", "")))
    request.finish_content(True)
    found = [*request.notes]
    if told["status"]:
        response = HttpResponseLinter()
        response.request = request
        response.is_head_response = asked["method"] == "HEAD"
        response.process_response_topline(
            b"HTTP/1.1", str(told["status"]).encode(), octets(told["statusText"])
        )
        response.process_headers(fields(told))
        content = told["content"]
        text = octets(content.get("text", ""))
        response.feed_content(base64.b64decode(text) if content.get("encoding") == "base64" else text)
        response.finish_content(True)
        found += [*response.notes]
    return {f"{type(one).__name__} {one.summary}" for one in found}


def main() -> None:
    told = {}
    for name in sys.argv[1:]:
        log = json.loads(Path(name).read_text("utf-8"))["log"]
        told[name] = sorted(set().union(*(notes(entry) for entry in log["entries"])))
    print(json.dumps(told))


main()
