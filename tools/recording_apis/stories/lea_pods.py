"""Linked data in a pod (LDP, Solid): tags by media type, weak ones, dates with fractions, and what is in between."""

from __future__ import annotations

import time
from email.utils import formatdate, parsedate_to_datetime

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import lea_setting as place

_LD = {"Accept": "application/ld+json"}
_DONE = (
    '<#t1> <urn:title> "Order seeds"; <urn:state> "done".\n<#t2> <urn:title> "Prune"; <urn:state> "open".\n'
)


@case(
    "b314",
    "lea-pod-create-guard-on-known-file",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    synthetic=True,
    description=(
        "A pod browser reads a task list (with its tag) and saves it with If-None-Match: *, the code path for new "
        "files, twice; with If-Match and the tag the save is taken."
    ),
)
def guard(stage: Stage) -> None:
    """Guard an update as a creation."""
    server = place.pod(stage)
    me = stage.actor("client", server, place.POD, "node:fetch", place.bearer("alma", Accept="text/turtle"))
    place.look_about(me, "/alma/tasks/", place.CARD)
    tag = me.get(place.TASKS).etag
    me.put(place.TASKS, _DONE, 412, {**place.TURTLE, "If-None-Match": "*"})
    me.put(
        "/alma/tasks/week-49.ttl", '<#t1> <urn:title> "Mulch".\n', 201, {**place.TURTLE, "If-None-Match": "*"}
    )
    me.put(place.TASKS, _DONE, 412, {**place.TURTLE, "If-None-Match": "*"})
    me.put(place.TASKS, _DONE, 205, {**place.TURTLE, "If-Match": tag})
    me.get(place.TASKS)


@case(
    "b315",
    "lea-pod-json-tag-for-turtle",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    synthetic=True,
    description=(
        "The pod makes a tag for each media type. An application reads JSON-LD, writes Turtle with that tag and is "
        "refused; the tag of the Turtle representation is taken."
    ),
)
def media(stage: Stage) -> None:
    """Read one representation and write another."""
    stage.keeps_content = False
    server = place.pod(stage, "each")
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, place.POD, "java", place.bearer("alma"))
    me.get("/alma/tasks/")
    me.get(place.CARD, 200, _LD)
    tag = me.get(place.TASKS, 200, _LD).etag
    me.put(place.TASKS, _DONE, 412, {**place.TURTLE, "If-Match": tag})
    tag = me.get(place.TASKS, 200, _LD).etag
    me.put(place.TASKS, _DONE, 412, {**place.TURTLE, "If-Match": tag})
    right = me.get(place.TASKS, 200, {"Accept": "text/turtle"}).etag
    me.put(place.TASKS, _DONE, 205, {**place.TURTLE, "If-Match": right})


@case(
    "b316",
    "lea-pod-has-only-weak-tags",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    synthetic=True,
    description=(
        "The pod makes weak tags only and compares strongly: no If-Match is ever taken, compressed or not, on two "
        "files, after fresh reads."
    ),
)
def weak(stage: Stage) -> None:
    """Send weak tags where strong ones are needed."""
    server = place.pod(stage, "weak")
    me = stage.actor("client", server, place.POD, "httpx", place.bearer("sync"))
    me.get("/alma/settings/")
    tag = me.get(place.PREFS).etag
    me.put(place.PREFS, '<> <urn:theme> "light".\n', 412, {**place.TURTLE, "If-Match": tag})
    me.get(place.PREFS, 304, {"If-None-Match": tag})
    time.sleep(1.2)
    tag = me.get(place.PREFS, 200, {"Accept-Encoding": "identity"}).etag
    me.put(place.PREFS, '<> <urn:theme> "light".\n', 412, {**place.TURTLE, "If-Match": tag})
    tag = me.get(place.TASKS, 200, {"Accept-Encoding": "identity"}).etag
    me.put(place.TASKS, _DONE, 412, {**place.TURTLE, "If-Match": tag})


@case(
    "b317",
    "lea-pod-tag-of-the-moment",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    synthetic=True,
    description=(
        "The pod makes the tag of each answer of the clock: two reads one after the other carry the same text and "
        "different tags, no 304 ever comes and no If-Match is taken."
    ),
)
def stamped(stage: Stage) -> None:
    """Get another tag with each read."""
    server = place.pod(stage, "stamp")
    me = stage.actor("client", server, place.POD, "curl:trace-time", place.bearer("alma"))
    me.get("/alma/contacts/")
    tag = me.get("/alma/contacts/people.ttl").etag
    again = me.get("/alma/contacts/people.ttl", 200, {"If-None-Match": tag})
    place.require(holds=again.etag != tag, otherwise="the same tag")
    me.put(
        "/alma/contacts/people.ttl",
        '<#p1> <urn:name> "Jo L.".\n',
        412,
        {**place.TURTLE, "If-Match": again.etag},
    )
    me.get(place.CARD)
    tag = me.get("/alma/contacts/people.ttl").etag
    me.put("/alma/contacts/people.ttl", '<#p1> <urn:name> "Jo L.".\n', 412, {**place.TURTLE, "If-Match": tag})


@case(
    "b318",
    "lea-pod-compares-after-the-store",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    synthetic=True,
    description=(
        "The pod compares If-Match with the text it has just stored: a first and only write is refused with 412, "
        "yet the next read shows the client's text with a new tag."
    ),
)
def late(stage: Stage) -> None:
    """Be refused after the write was done."""
    server = place.pod(stage, "late")
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, place.POD, "requests", place.bearer("alma"))
    place.look_about(me, "/alma/tasks/", place.CARD)
    tag = me.get(place.TASKS).etag
    me.put(place.TASKS, _DONE, 412, {**place.TURTLE, "If-Match": tag})
    time.sleep(0.5)
    seen = me.get(place.TASKS)
    place.require(holds=seen.text == _DONE and seen.etag != tag, otherwise="not stored")
    me.get("/alma/tasks/")


@case(
    "b319",
    "lea-pod-date-without-its-fraction",
    "date-precision",
    "412",
    alone="date-precision",
    synthetic=True,
    description=(
        "The pod has no tags and compares If-Unmodified-Since with a time that has milliseconds: the Last-Modified "
        "it has served itself, sent back unchanged, is refused; a second later is taken."
    ),
)
def fraction(stage: Stage) -> None:
    """Echo a date that has lost its fraction."""
    server = place.pod(stage, "date")
    me = stage.actor("client", server, place.POD, "aiohttp", place.bearer("sync"))
    me.get("/alma/settings/")
    served = me.get(place.PREFS).fields["last-modified"]
    text = '<> <urn:theme> "light"; <urn:lang> "de".\n'
    me.put(place.PREFS, text, 412, {**place.TURTLE, "If-Unmodified-Since": served})
    served = me.get(place.PREFS).fields["last-modified"]
    me.put(place.PREFS, text, 412, {**place.TURTLE, "If-Unmodified-Since": served})
    later = formatdate(parsedate_to_datetime(served).timestamp() + 1, usegmt=True)
    me.put(place.PREFS, text, 205, {**place.TURTLE, "If-Unmodified-Since": later})


@case(
    "b320",
    "lea-pod-client-clock-two-minutes-slow",
    "clock-skew",
    "412",
    alone="clock-skew",
    synthetic=True,
    description=(
        "A garden controller whose clock is behind by 170 seconds sends the time at which it read, by its own "
        "clock, as If-Unmodified-Since; the file it has just written itself is newer: 412."
    ),
)
def slow_clock(stage: Stage) -> None:
    """Use one's own clock."""
    server = place.pod(stage, "date")
    fields = place.bearer("garden", **{"User-Agent": "GardenHub/1.4 (esp32)"})
    me = stage.actor("client", server, place.POD, "curl", fields)

    def now() -> str:
        return formatdate(time.time() - 170, usegmt=True)

    me.get(place.TASKS, 200, {"Date": now()})
    me.put(place.TASKS, _DONE, 205, {**place.TURTLE, "Date": now(), "If-Unmodified-Since": now()})
    time.sleep(2.2)
    served = me.get(place.TASKS, 200, {"Date": now()}).fields["last-modified"]
    text = _DONE.replace("open", "done")
    for _ in range(2):
        me.put(place.TASKS, text, 412, {**place.TURTLE, "Date": now(), "If-Unmodified-Since": now()})
        time.sleep(0.6)
    later = formatdate(parsedate_to_datetime(served).timestamp() + 1, usegmt=True)
    me.put(place.TASKS, text, 205, {**place.TURTLE, "Date": now(), "If-Unmodified-Since": later})


@case(
    "b321",
    "lea-pod-iso-date",
    "bad-date",
    "412",
    alone="bad-date",
    synthetic=True,
    description=(
        "A library writes If-Unmodified-Since in ISO 8601; the pod cannot read it and refuses, twice. The same "
        "moment as an HTTP date, a second later because of its fraction, is taken."
    ),
    also="date-precision",
)
def iso(stage: Stage) -> None:
    """Send a date of another form."""
    server = place.pod(stage, "date")
    me = stage.actor("client", server, place.POD, "node:axios", place.bearer("alma"))
    me.get(place.CARD)
    served = parsedate_to_datetime(me.get(place.PREFS).fields["last-modified"])
    wrong = served.isoformat().replace("+00:00", "Z")
    text = '<> <urn:theme> "dark"; <urn:lang> "fr".\n'
    me.put(place.PREFS, text, 412, {**place.TURTLE, "If-Unmodified-Since": wrong})
    me.get("/alma/settings/")
    me.put(place.PREFS, text, 412, {**place.TURTLE, "If-Unmodified-Since": wrong})
    right = formatdate(served.timestamp() + 1, usegmt=True)
    me.put(place.PREFS, text, 205, {**place.TURTLE, "If-Unmodified-Since": right})


@case(
    "b322",
    "lea-pod-date-in-local-time",
    "timezone-error",
    "412",
    alone="timezone-error",
    synthetic=True,
    description=(
        "A desktop program in New York formats the served time with its local clock and writes GMT behind it: five "
        "hours too early, to the second. Both saves are refused."
    ),
)
def local(stage: Stage) -> None:
    """Shift a date by one's own zone."""
    server = place.pod(stage, "date")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, place.POD, "httpx", place.bearer("desk"))
    for path in (place.PREFS, place.TASKS):
        me.get("/alma/settings/" if path == place.PREFS else "/alma/tasks/")
        served = parsedate_to_datetime(me.get(path).fields["last-modified"]).timestamp()
        wrong = formatdate(served - 5 * 3600, usegmt=True)
        me.put(path, '<> <urn:lang> "en".\n', 412, {**place.TURTLE, "If-Unmodified-Since": wrong})
        time.sleep(0.3)
    me.get(place.PREFS)


@case(
    "b323",
    "lea-pod-varnish-compresses",
    "etag-weakened",
    "412",
    alone="etag-weakened weak-only-origin",
    synthetic=True,
    description=(
        "Varnish compresses what it stores (do_gzip) and makes the pod's strong tags weak for everybody; If-Match "
        "with the weak tag is refused. The origin's file has the strong one; without W/ the write is taken."
    ),
)
def varnished(stage: Stage) -> None:
    """Send a tag that Varnish has weakened."""
    server = place.pod(stage)
    rule = "sub vcl_backend_response { set beresp.do_gzip = true; set beresp.ttl = 0s; } "
    rule += "sub vcl_recv { return (pass); }"
    front = fronts.varnish(stage, server, rule)
    me = stage.actor("client", front, place.POD, "urllib", place.bearer("alma"))
    me.get("/alma/tasks/")
    tag = me.get(place.TASKS, 200, {"Accept-Encoding": "gzip"}).etag
    place.require(holds=tag.startswith("W/"), otherwise=f"a strong tag: {tag}")
    me.put(place.TASKS, _DONE, 412, {**place.TURTLE, "If-Match": tag})
    time.sleep(0.4)
    me.put(place.TASKS, _DONE, 205, {**place.TURTLE, "If-Match": tag.removeprefix("W/")})


@case(
    "b324",
    "lea-pod-haproxy-sends-again",
    "intermediary-replay",
    "412",
    alone="post-commit-412 intermediary-replay",
    synthetic=True,
    description=(
        "The pod stores the first write but answers after two seconds; HAProxy (retry-on response-timeout) sends "
        "the PUT again after one and hands the client the 412 of the second. The file holds the client's text."
    ),
)
def again(stage: Stage) -> None:
    """Let HAProxy repeat a write."""
    server = place.pod(stage, TARRY="1.7")
    lines = " retries 1\n retry-on response-timeout\n timeout server 1s"
    front = fronts.haproxy(stage, [server], lines)
    me = stage.actor("client", front, place.POD, "requests", place.bearer("alma"))
    place.look_about(me, place.CARD, "/alma/tasks/")
    tag = me.get(place.TASKS).etag
    me.put(place.TASKS, _DONE, 412, {**place.TURTLE, "If-Match": tag})
    place.require(holds=me.get(place.TASKS).text == _DONE, otherwise="not stored")
    me.get(place.PREFS)
    time.sleep(1.0)


@case(
    "b325",
    "lea-pod-ignores-if-match",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    synthetic=True,
    description=(
        "The pod does not read conditions. A phone saves its list with a tag two versions old, 205, and the task "
        "that the laptop has added is gone; the origin's file shows that the field arrived."
    ),
)
def ignored(stage: Stage) -> None:
    """Have a stale tag accepted."""
    server = place.pod(stage, "lax")
    me = stage.actor("client", server, place.POD, "node:fetch", place.bearer("phone"))
    other = stage.actor("other", server, place.POD, "httpx", place.bearer("laptop"))
    tag = me.get(place.TASKS).etag
    me.get(place.CARD)
    for text in (
        '<#t3> <urn:title> "Buy twine".\n',
        '<#t3> <urn:title> "Buy twine". <#t4> <urn:title> "Rake".\n',
    ):
        theirs = other.get(place.TASKS).etag
        other.put(place.TASKS, text, 205, {**place.TURTLE, "If-Match": theirs})
    time.sleep(0.6)
    place.require(holds=me.get(place.TASKS).etag != tag, otherwise="the same tag")
    me.put(place.TASKS, _DONE, 205, {**place.TURTLE, "If-Match": tag})
    me.get(place.TASKS)
    other.get(place.TASKS)


@case(
    "b326",
    "lea-pod-head-has-another-tag",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    synthetic=True,
    description=(
        "HEAD answers with a tag of time and length, GET with a digest. A sync tool takes the tag of HEAD for its "
        "write and is refused; the tag of GET is taken, nothing has changed in between."
    ),
)
def head(stage: Stage) -> None:
    """Use the tag of HEAD."""
    stage.keeps_content = False
    server = place.pod(stage, "head")
    me = stage.actor("client", server, place.POD, "requests", place.bearer("sync"))
    me.get("/alma/tasks/")
    for path in (place.CARD, place.PREFS):
        me.send("HEAD", path, 200)
    tag = me.send("HEAD", place.TASKS, 200).etag
    me.put(place.TASKS, _DONE, 412, {**place.TURTLE, "If-Match": tag})
    again_tag = me.send("HEAD", place.TASKS, 200).etag
    place.require(holds=again_tag == tag, otherwise="it moved")
    me.put(place.TASKS, _DONE, 205, {**place.TURTLE, "If-Match": me.get(place.TASKS).etag})
