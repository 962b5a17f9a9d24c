"""Writes that a service wants a condition on, and clients that have none."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording.origin import Habits, Origin, Reply, version_tag
from tools.recording.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording.message import Message


@case(
    "d148",
    "vendor-428",
    "token-missing",
    "428",
    alone="token-missing",
    description=(
        "The tag is in the answer, the client sends none with PATCH and DELETE; the service demands one."
    ),
    client=(200, 428, 428, 200),
)
def vendor_428(stage: Stage) -> None:
    """Patch and delete without a condition."""
    origin = stage.origin(Habits(require=True, problem="vendor", tag=version_tag))
    path = "/projects/apollo/members/ling"
    origin.store(path, {"role": "viewer", "since": "2025-02-11"})
    me = stage.client(stage.front("envoy", stage.tap(origin.port)), "projects.example.test", "requests")
    read = me.get(path)
    me.send("PATCH", path, {"Content-Type": "application/merge-patch+json"}, body={"role": "editor"})
    time.sleep(0.5)
    me.send("DELETE", path)
    time.sleep(1.2)
    me.send(
        "PATCH",
        path,
        {"Content-Type": "application/merge-patch+json", "If-Match": read.etag},
        body={"role": "editor"},
    )


@case(
    "d149",
    "forbidden-without-if-match",
    "token-missing",
    "403",
    alone="token-missing status-dialect-mismatch",
    description=(
        "An older API answers 403 to a write without If-Match and says so in its text; with the tag the "
        "same write passes."
    ),
    client=(200, 403, 403, 200, 200),
)
def forbidden(stage: Stage) -> None:
    """Be told 403 for a missing condition."""
    origin = stage.origin(Habits(require=True, require_status=403, problem="plain"))
    path = "/people/5a8ae0f0"
    origin.store(
        path, {"firstname": "barack", "lastname": "obama", "_created": "Mon, 19 Feb 2024 14:31:12 GMT"}
    )
    me = stage.client(stage.tap(origin.port), "eve.example.test", "curl")
    me.get(path)
    for _ in range(2):
        me.put(path, {"firstname": "Barack", "lastname": "Obama"})
        time.sleep(0.7)
    read = me.get(path)
    me.put(path, {"firstname": "Barack", "lastname": "Obama"}, {"If-Match": read.etag})


@case(
    "d179",
    "version-must-be-specified",
    "token-missing",
    "400",
    alone="token-missing status-dialect-mismatch",
    description=(
        "An API that answers 400 with a code of its own, InvalidIfMatchVersion, when If-Match is missing."
    ),
    client=(200, 400, 200),
)
def must_be_specified(stage: Stage) -> None:
    """Be told 400 for a missing condition."""

    def demand(_: Origin, request: Message) -> Reply | None:
        if request.method != "PUT" or request.get("If-Match"):
            return None
        text = (
            '{"Code":"InvalidIfMatchVersion","Message":"The If-Match version must be specified for this '
            'operation."}'
        )
        return Reply(
            400,
            (("Content-Type", "application/json"), ("x-amzn-ErrorType", "InvalidIfMatchVersion")),
            text.encode(),
        )

    origin = stage.origin(
        Habits(tag=lambda resource: f"E{resource.version}QWRTYLB", put_status=200), hook=demand
    )
    path = "/2020-05-31/distribution/EDFDVBD6/config"
    text = "<DistributionConfig><Enabled>true</Enabled><Comment>{}</Comment></DistributionConfig>"
    origin.store(path, text.format("static"), "text/xml")
    me = stage.client(
        stage.tap(origin.port),
        "cdn.example.test",
        "go",
        {"Authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE"},
    )
    read = me.get(path)
    me.put(path, text.format("assets"), {"Content-Type": "text/xml"})
    time.sleep(0.6)
    me.put(path, text.format("assets"), {"Content-Type": "text/xml", "If-Match": read.etag})


@case(
    "d181",
    "cors-null",
    "cors-hidden-etag",
    "412",
    alone="cors-hidden-etag null-token",
    description=(
        "A page on another origin: ETag is on the wire but not exposed, so the script reads null and "
        "sends the literal null. The preflight was fine."
    ),
    config=("Access-Control-Allow-Origin without Access-Control-Expose-Headers",),
    client=(200, 204, 412, 200, 412),
)
def cors_null(stage: Stage) -> None:
    """Send null because the tag is hidden."""

    def preflight(_: Origin, request: Message) -> Reply | None:
        if request.method != "OPTIONS":
            return None
        allow = (
            ("Access-Control-Allow-Methods", "GET, PUT"),
            ("Access-Control-Allow-Headers", "content-type, if-match"),
        )
        return Reply(204, (*allow, ("Access-Control-Max-Age", "600")))

    origin = stage.origin(
        Habits(fields=(("Access-Control-Allow-Origin", "https://app.example.test"), ("Vary", "Origin"))),
        hook=preflight,
    )
    path = "/surveys/31/answers"
    origin.store(path, {"q1": 4, "q2": 2})
    me = stage.client(
        stage.front("nginx", stage.tap(origin.port)),
        "api.example.test",
        "browser",
        {
            "Origin": "https://app.example.test",
            "Referer": "https://app.example.test/",
            "Sec-Fetch-Site": "same-site",
        },
    )
    for turn in range(2):
        me.get(path)
        time.sleep(0.4)
        if turn == 0:
            ask = {
                "Access-Control-Request-Method": "PUT",
                "Access-Control-Request-Headers": "content-type,if-match",
            }
            me.send("OPTIONS", path, ask)
        me.put(path, {"q1": 5, "q2": 2}, {"If-Match": "null"})
