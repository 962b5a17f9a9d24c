"""Controllers (Redfish), routers (RESTCONF), directories (SCIM) and requirements (OSLC), with what is between."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from tools.recording_apis import fronts
from tools.recording_apis.actors import Actor, Httpx
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import lea_setting as place

_GZIP = {"Accept-Encoding": "gzip, deflate"}
_LED = {"IndicatorLED": "Blinking"}


def _token(name: str) -> dict[str, str]:
    return {"X-Auth-Token": f"{name}-7d1c", "User-Agent": f"{name}/2.0"}


@case(
    "b337",
    "lea-redfish-wants-if-match",
    "token-missing",
    "428",
    alone="token-missing",
    synthetic=True,
    description=(
        "A rack tool PATCHes systems without If-Match; the controller's answer is 428 (Base.1.18.PreconditionRequired) "
        "for each, though every read has a tag. After an update of the tool one is patched with it."
    ),
)
def demanded(stage: Stage) -> None:
    """Patch without a condition."""
    server = place.devices(stage, "Redfish", "need")
    me = stage.actor("client", server, place.BMC, "requests", _token("racktool"))
    other = stage.actor("other", server, place.BMC, "curl", {})
    other.get(place.SYSTEMS, 401)
    me.get(place.SYSTEMS)
    for path in (place.SYSTEM, place.SYSTEM_2):
        me.get(path)
        me.send("PATCH", path, 428, None, {"AssetTag": "R12"})
    time.sleep(0.5)
    me.send("PATCH", place.SYSTEM, 428, None, {"AssetTag": "R12"})
    tag = me.get(place.SYSTEM).etag
    me.send("PATCH", place.SYSTEM, 200, {"If-Match": tag}, {"AssetTag": "R12"})


@case(
    "b338",
    "lea-redfish-quotes-lost",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    synthetic=True,
    description=(
        "A shell script cuts the tag out of the header with tr -d '\"' and sends it bare; the controller refuses "
        "both patches. The value is the served one without its quotation marks."
    ),
)
def bare(stage: Stage) -> None:
    """Send a tag without its quotation marks."""
    server = place.devices(stage, "Redfish")
    front = fronts.lighttpd(stage, server)
    me = stage.actor("client", front, place.BMC, "curl:trace-ascii", _token("led.sh"))
    me.get(place.SYSTEMS)
    for path in (place.SYSTEM, place.SYSTEM_2):
        tag = me.get(path).etag
        me.send("PATCH", path, 412, {"If-Match": tag.strip('"')}, _LED)
    me.get(place.SYSTEM)


@case(
    "b339",
    "lea-redfish-retry-loop",
    "retry-reuses-failed-token",
    "412",
    alone="retry-reuses-failed-token other-writer",
    also="other-writer",
    synthetic=True,
    description=(
        "A firmware pipeline repeats a refused PATCH five times with growing pauses and the very same If-Match; it "
        "never reads. An operator had set the asset tag before."
    ),
)
def loop(stage: Stage) -> None:
    """Repeat what was refused."""
    stage.keeps_content = False
    server = place.devices(stage, "Redfish")
    me = stage.actor("client", server, place.BMC, "node:axios", _token("pipeline"))
    other = stage.actor("other", server, place.BMC, "httpx", _token("operator"))
    me.get(place.SYSTEMS)
    tag = me.get(place.SYSTEM).etag
    theirs = other.get(place.SYSTEM).etag
    other.send("PATCH", place.SYSTEM, 200, {"If-Match": theirs}, {"AssetTag": "DC2-R12"})
    for number in range(5):
        me.send("PATCH", place.SYSTEM, 412, {"If-Match": tag}, _LED)
        time.sleep(0.15 * 2**number)
    me.get(place.PROTOCOL)


@case(
    "b340",
    "lea-redfish-member-tag-is-another",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    synthetic=True,
    description=(
        "The members of the controller's collection carry an @odata.etag that differs from the ETag of the same "
        "system's own answer; a tool that takes it from the body is refused, with the header's it is taken."
    ),
)
def member(stage: Stage) -> None:
    """Use the tag of a member of a collection."""
    server = place.devices(stage, "Redfish", "list")
    me = stage.actor("client", server, place.BMC, "httpx", _token("inventory"))
    rows = me.get(place.SYSTEMS).json["Members"]
    me.get(place.PROTOCOL)
    for row in rows:
        me.send("PATCH", row["@odata.id"], 412, {"If-Match": row["@odata.etag"]}, _LED)
    seen = me.get(place.SYSTEM)
    place.require(holds=seen.json["@odata.etag"] == rows[0]["@odata.etag"], otherwise="it has changed")
    me.send("PATCH", place.SYSTEM, 200, {"If-Match": seen.etag}, _LED)


@case(
    "b341",
    "lea-redfish-star-is-no-wildcard",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    synthetic=True,
    description=(
        "The controller compares * literally: If-Match: * on a system that exists, read a moment before and after, "
        "is 412 every time, while the tag itself is taken."
    ),
)
def star(stage: Stage) -> None:
    """Have the wildcard refused."""
    server = place.devices(stage, "Redfish", "star")
    me = stage.actor("client", server, place.BMC, "aiohttp", _token("ansible"))
    me.get(place.SYSTEMS)
    me.get(place.SYSTEM)
    me.send("PATCH", place.SYSTEM, 412, {"If-Match": "*"}, _LED)
    tag = me.get(place.SYSTEM).etag
    time.sleep(0.4)
    me.send("PATCH", place.SYSTEM, 412, {"If-Match": "*"}, _LED)
    me.send("PATCH", place.SYSTEM, 200, {"If-Match": tag}, _LED)


@case(
    "b342",
    "lea-redfish-two-controllers-salted",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    synthetic=True,
    description=(
        "Two redundant controllers behind Envoy make tags with a value of their own each; the same system has two "
        "tags in turn (X-Served-By), and the PATCH meets the other one."
    ),
)
def redundant(stage: Stage) -> None:
    """Read from one controller and write to the other."""
    servers = [place.devices(stage, "Redfish", "node", SALT=name) for name in ("cm-a", "cm-b")]
    front = fronts.envoy(stage, servers)
    me = stage.actor("client", front, place.BMC, "requests", _token("racktool"))
    seen = [me.get(place.SYSTEM) for _ in range(5)]
    place.require(holds=len({one.etag for one in seen}) == 2, otherwise="one tag")
    for _ in range(2):
        me.get(place.SYSTEM)
        me.get(place.SYSTEM)
        tag = me.get(place.SYSTEM).etag
        me.send("PATCH", place.SYSTEM, 412, {"If-Match": tag}, _LED)
    me.get(place.SYSTEM)


@case(
    "b343",
    "lea-redfish-proxy-drops-tags",
    "validator-stripped",
    "428",
    alone="token-missing validator-stripped",
    also="token-missing",
    synthetic=True,
    description=(
        "A jump host's Caddy removes ETag from answers; the controller insists on If-Match, so no patch is "
        "possible through it: 428. The origin's file shows the tags."
    ),
)
def removed(stage: Stage) -> None:
    """Get no tag to send."""
    server = place.devices(stage, "Redfish", "need")
    front = fronts.caddy(stage, server, "header {\n -ETag\n defer\n}")
    me = stage.actor("client", front, place.BMC, "node:fetch", _token("console"))
    me.get(place.SYSTEMS)
    place.require(holds="etag" not in me.get(place.SYSTEM).fields, otherwise="a tag")
    me.send("PATCH", place.SYSTEM, 428, None, _LED)
    me.get(place.SYSTEM_2)
    me.send("PATCH", place.SYSTEM_2, 428, None, _LED)


@case(
    "b344",
    "lea-restconf-one-tag-for-all-interfaces",
    "coarse-token-scope",
    "recovered",
    alone="coarse-token-scope other-writer",
    also="other-writer",
    synthetic=True,
    description=(
        "The router has one entity tag for its whole datastore: a colleague's change of the system's contact refuses "
        "a change of interface eth0, which is as it was read. Read again, the same change is taken."
    ),
)
def datastore(stage: Stage) -> None:
    """Be refused for another leaf."""
    server = place.devices(stage, "RESTCONF")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, place.EDGE, "requests", place.basic("net", **place.YANG))
    other = stage.actor("other", front, place.EDGE, "java", place.basic("noc", **place.YANG))
    tag = me.get(place.ETH0).etag
    before = me.get(place.ETH1)
    place.require(holds=before.etag == tag, otherwise="two tags")
    theirs = other.get(place.EDGE_SYSTEM).etag
    contact = place.dumped({"contact": "noc2@acme.test"})
    other.send("PATCH", place.EDGE_SYSTEM, 204, {"If-Match": theirs}, contact)
    time.sleep(0.5)
    change = place.dumped({"description": "uplink A (DE-CIX)"})
    me.send("PATCH", place.ETH0, 412, {"If-Match": tag}, change)
    again = me.get(place.ETH0)
    me.get(place.EDGE_SYSTEM)
    me.send("PATCH", place.ETH0, 204, {"If-Match": again.etag}, change)


@case(
    "b345",
    "lea-restconf-echoed-date-refused",
    "date-precision",
    "412",
    alone="date-precision",
    synthetic=True,
    description=(
        "A router without tags: the Last-Modified it has served, echoed as If-Unmodified-Since, is refused because "
        "it keeps milliseconds ('Modified at ….731'); one second more is taken."
    ),
)
def echoed(stage: Stage) -> None:
    """Echo a router's date."""
    server = place.devices(stage, "RESTCONF", "dates")
    me = stage.actor("client", server, place.EDGE, "httpx", place.basic("net", **place.YANG))
    me.get(place.ETH1)
    served = me.get(place.ETH0).fields["last-modified"]
    change = place.dumped({"enabled": False})
    me.send("PATCH", place.ETH0, 412, {"If-Unmodified-Since": served}, change)
    me.get(place.EDGE_SYSTEM)
    me.send("PATCH", place.ETH0, 412, {"If-Unmodified-Since": served}, change)
    hour = served.rsplit(":", 1)
    second = f"{int(hour[1][:2]) + 1:02d}"
    me.send("PATCH", place.ETH0, 204, {"If-Unmodified-Since": f"{hour[0]}:{second} GMT"}, change)


@case(
    "b346",
    "lea-restconf-no-conditions-here",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    synthetic=True,
    description=(
        "An older router serves tags but answers 501 to every conditional PATCH, by tag and by date alike; the same "
        "change without a condition is taken."
    ),
)
def unsupported(stage: Stage) -> None:
    """Ask for what the server cannot do."""
    server = place.devices(stage, "RESTCONF", "none")
    me = stage.actor("client", server, place.EDGE, "urllib", place.basic("net", **place.YANG))
    seen = me.get(place.ETH0)
    change = place.dumped({"description": "uplink A1"})
    me.send("PATCH", place.ETH0, 501, {"If-Match": seen.etag}, change)
    seen = me.get(place.ETH0)
    me.send("PATCH", place.ETH0, 501, {"If-Match": seen.etag}, change)
    me.send("PATCH", place.ETH0, 501, {"If-Unmodified-Since": seen.fields["last-modified"]}, change)
    me.send("PATCH", place.ETH0, 204, None, change)


@case(
    "b347",
    "lea-scim-apache-deflate",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    synthetic=True,
    description=(
        "Apache compresses a directory's answers and puts -gzip into their tags; a provisioning job sends such a "
        "tag and is refused. Uncompressed, the tag is without it (meta.version has it so all the time)."
    ),
)
def deflated(stage: Stage) -> None:
    """Send a tag that Apache has marked."""
    server = place.devices(stage, "SCIM", "strong")
    front = fronts.apache(stage, server, "SetOutputFilter DEFLATE")
    me = stage.actor("client", front, place.IDP, "requests", place.bearer("hr-sync", **place.SCIM))
    me.get("/scim/v2/Users")
    tag = me.get(place.USER, 200, _GZIP).etag
    place.require(holds="-gzip" in tag, otherwise=f"no suffix: {tag}")
    change = place.dumped({"Operations": [{"op": "replace", "value": {"title": "Guide II"}}]})
    me.send("PATCH", place.USER, 412, {"If-Match": tag}, change)
    plain = me.get(place.USER, 200, {"Accept-Encoding": "identity"})
    me.send("PATCH", place.USER, 200, {"If-Match": plain.etag, "Accept-Encoding": "identity"}, change)


@case(
    "b348",
    "lea-scim-gateway-removes-if-match",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    synthetic=True,
    description=(
        "HAProxy before the directory deletes If-Match: a job's PUT with a version from before a colleague's PUT is "
        "taken and brings the old name back. At the origin the field is missing."
    ),
)
def gateway(stage: Stage) -> None:
    """Write through a proxy that removes the condition."""
    server = place.devices(stage, "SCIM")
    front = fronts.haproxy(stage, [server], "", " http-request del-header If-Match")
    me = stage.actor("client", front, place.IDP, "java", place.bearer("hr-sync", **place.SCIM))
    other = stage.actor("other", front, place.IDP, "requests", place.bearer("desk", **place.SCIM))
    me.get("/scim/v2/Users")
    tag = me.get(place.USER_2).etag
    theirs = {"userName": "mcarter", "displayName": "Maya Carter-Lee", "active": True, "title": "Lead"}
    other.put(place.USER_2, place.dumped(theirs), 200, {"If-Match": other.get(place.USER_2).etag})
    time.sleep(0.7)
    place.require(holds=me.get(place.USER_2).etag != tag, otherwise="the same tag")
    mine = {"userName": "mcarter", "displayName": "M. Carter", "active": False, "title": ""}
    me.put(place.USER_2, place.dumped(mine), 200, {"If-Match": tag})
    me.get(place.USER_2)


@case(
    "b349",
    "lea-scim-read-from-the-replica",
    "replica-lag",
    "412",
    alone="replica-lag",
    synthetic=True,
    description=(
        "After its own PATCH (the answer has the new version) the job reads the user again and gets the old version "
        "from a replica, is refused with it, and sees its own change two seconds later."
    ),
)
def replica(stage: Stage) -> None:
    """Read what is behind."""
    server = place.devices(stage, "SCIM", "", LAG="2.0")
    me = stage.actor("client", server, place.IDP, "httpx", place.bearer("hr-sync", **place.SCIM))
    me.get("/scim/v2/Groups")
    tag = me.get(place.USER).etag
    first = place.dumped({"Operations": [{"op": "replace", "value": {"title": "Guide II"}}]})
    new = me.send("PATCH", place.USER, 200, {"If-Match": tag}, first).etag
    time.sleep(0.3)
    old = me.get(place.USER).etag
    place.require(holds=old == tag, otherwise="not behind")
    second = place.dumped({"Operations": [{"op": "replace", "value": {"active": False}}]})
    me.send("PATCH", place.USER, 412, {"If-Match": old}, second)
    me.get(place.GROUP)
    place.poll(lambda: me.get(place.USER).etag == new, pause=0.9)
    me.send("PATCH", place.USER, 200, {"If-Match": new}, second)


@case(
    "b350",
    "lea-scim-check-then-store",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race precondition-ignored",
    synthetic=True,
    description=(
        "Two administrators save different members of a group at once with the same version: both are "
        "200, the second has overwritten the first. A stale version sent alone is refused."
    ),
)
def gap(stage: Stage) -> None:
    """Slip in between check and store."""
    server = place.devices(stage, "SCIM", "", GATE="0.25")
    me = stage.actor("client", server, place.IDP, "requests", place.bearer("desk-1", **place.SCIM))
    port = stage.tap("other", server)
    other = Actor(place.IDP, port, Httpx(), place.bearer("desk-2", **place.SCIM))
    tag = me.get(place.GROUP).etag
    theirs = other.get(place.GROUP).etag
    one = place.dumped(
        {"displayName": "Tour Guides", "members": [{"value": "2819c223"}, {"value": "c75ad752"}]}
    )
    two = place.dumped({"displayName": "Guides", "members": [{"value": "2819c223"}]})
    with ThreadPoolExecutor(2) as pool:
        sent = [
            pool.submit(me.put, place.GROUP, one, 200, {"If-Match": tag}),
            pool.submit(other.put, place.GROUP, two, 200, {"If-Match": theirs}),
        ]
    place.require(holds=all(each.result().status == 200 for each in sent), otherwise="one was refused")
    me.get(place.GROUP)
    me.put(place.GROUP, one, 412, {"If-Match": tag})
    me.get(place.GROUP)
    other.program.close()


@case(
    "b351",
    "lea-scim-version-null",
    "null-token",
    "412",
    alone="null-token",
    synthetic=True,
    description=(
        "A connector in JavaScript maps users without meta.version to null and sends If-Match: null; refused three "
        "times, for two users. The tag of the read is taken."
    ),
)
def nothing(stage: Stage) -> None:
    """Send null."""
    server = place.devices(stage, "SCIM")
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, place.IDP, "node:fetch", place.bearer("connector", **place.SCIM))
    me.get("/scim/v2/Users")
    change = place.dumped({"Operations": [{"op": "replace", "value": {"active": False}}]})
    for path in (place.USER, place.USER_2, place.USER):
        me.send("PATCH", path, 412, {"If-Match": "null"}, change)
        time.sleep(0.2)
    tag = me.get(place.USER).etag
    me.send("PATCH", place.USER, 200, {"If-Match": tag}, change)
