"""What ona's stories share: ways of looking round, a browser, and an S3 client."""

from __future__ import annotations

import importlib
import random
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.names import route
from tools.recording_apis.stories.browser import _FLAGS
from tools.recording_apis.stories.vic_setting import at_once, open_box, rest, sure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage

__all__ = ["Bucket", "at_once", "find", "in_page", "open_box", "rest", "roam", "sure"]

_ASKED = {
    "": '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>',
    "tags": (
        '<?xml version="1.0" encoding="utf-8"?><d:propfind xmlns:d="DAV:"><d:prop><d:getetag/><d:resourcetype/>'
        "<d:getlastmodified/><d:displayname/></d:prop></d:propfind>"
    ),
    "locks": '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><lockdiscovery/></prop></propfind>',
}


def find(me: Actor, path: str, depth: str = "1", what: str = "tags") -> Answer:
    """Send a PROPFIND."""
    fields = {"Depth": depth, "Content-Type": "application/xml; charset=utf-8"}
    return me.send("PROPFIND", path, 207, fields, _ASKED[what])


def roam(
    me: Actor, paths: Sequence[str], seed: int, steps: int = 5, fields: Mapping[str, str] | None = None
) -> None:
    """Read what lies about, again with the tag that it had."""
    draw = random.Random(seed)  # noqa: S311 - draws a day, no secret
    held: dict[str, str] = {}
    for _ in range(steps):
        path = draw.choice(list(paths))
        own = dict(fields or {})
        if path in held:
            own["If-None-Match"] = held[path]
        got = me.send("GET", path, (200, 304), own)
        if "etag" in got.fields:
            held[path] = got.fields["etag"]
        time.sleep(draw.choice((0.02, 0.07, 0.18)))


class Bucket:
    """A boto3 S3 client behind a tap of its own.

    Args:
        stage: The story's stage.
        name: The actor's file.
        server: Where it sends to.
        host: The store's host name.
        agent: What it says it is.
    """

    def __init__(self, stage: Stage, name: str, server: Server, host: str, agent: str = "Boto3/1.35") -> None:
        self._port, self._host = stage.tap(name, server), host
        config = importlib.import_module("botocore.config").Config(
            retries={"mode": "standard", "total_max_attempts": 2},
            proxies={},
            user_agent=agent,
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        self._errors = importlib.import_module("botocore.exceptions")
        self.client = importlib.import_module("boto3").client(
            "s3",
            endpoint_url=f"http://{host}",
            region_name="eu-north-1",
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="none",  # noqa: S106 - the server checks nothing
            config=config,
        )

    def call(self, operation: str, expect: str = "", **named: Any) -> Any:
        """Call an operation and insist on its error code, empty for success."""
        route(self._host, self._port)
        code, answer = "", {}
        try:
            answer = getattr(self.client, operation)(**named)
            if "Body" in answer:
                answer["Text"] = answer["Body"].read().decode()
        except self._errors.ClientError as refused:
            code = str(refused.response["Error"]["Code"])
        sure(code == expect, f"{operation}: {code or answer}")
        return answer


def in_page(stage: Stage, pages: Server, api: Server, hosts: tuple[str, str], play: Any) -> None:
    """Let Chromium open ``/`` of the first host and play there; it keeps the HAR itself.

    Args:
        stage: The story's stage.
        pages: Serves the first host.
        api: Serves the second host.
        hosts: Host names of pages and interface.
        play: Called with a function that evaluates a script with an argument.
    """
    export = stage.directory() / "client.har"
    rules = (
        f"MAP {hosts[0]}:80 127.0.0.1:{pages.port}, MAP {hosts[1]}:80 127.0.0.1:{stage.tap('client', api)}"
    )
    driver = importlib.import_module("playwright.sync_api").sync_playwright().start()
    chromium = driver.chromium.launch(
        executable_path="/usr/bin/chromium", args=[*_FLAGS, f"--host-resolver-rules={rules}"]
    )
    context = chromium.new_context(record_har_path=str(export), record_har_content="embed", locale="da-DK")
    try:
        page = context.new_page()
        page.goto(f"http://{hosts[0]}/")
        play(page.evaluate)
    finally:
        stage.servers["browser"] = f"Chromium {chromium.version}"
        context.close()
        chromium.close()
        driver.stop()
        stage.exported["client"] = export
