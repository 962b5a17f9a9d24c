"""Services of APIs in use that make or judge tags in a way of their own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.tom_engine import Reply, digest
from tools.recording_apis.apps.tom_microsoft import OData
from tools.recording_apis.apps.tom_tagged import Config, Davical, Sets
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.tom_setting import (
    api,
    bearer,
    look,
    must,
    news,
    ping,
    report,
    rest,
    seek,
    sign_in,
)

if TYPE_CHECKING:
    from tools.recording_apis.apps.tom_engine import Item, Request


class _Rendered(OData):
    """An OData service whose tags are made when the answer is written."""

    def tag(self, path: str, item: Item) -> str:
        """Return a tag of this very answer."""
        return f'W/"{digest((path, item.version, self.numbers), 24)}"'

    def body(self, _path: str, item: Item) -> Any:
        """Return an entity without its tag."""
        return {"@odata.context": "$metadata#Assets/$entity", **item.body}


@case(
    "d128",
    "tom-asset-with-a-tag-an-answer",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    synthetic=True,
    description="An OData service of assets gives another weak tag with each answer, for the same octets. Every PATCH with the tag just read is 412, for two clerks' programs alike, until one of them sends a star. Nothing was written between.",
)
def asset(stage: Stage) -> None:
    """Never meet one's own tag."""
    product = _Rendered(
        {f"/odata/Assets({number})": {"Id": number, "Site": "Oulu", "Hours": 120} for number in (11, 12)}
    )
    server = api(stage, product, "OData service")
    me = stage.actor(
        "client", server, "assets.plant.test", "requests", bearer("clerk-a", OData_Version="4.0")
    )
    first, second = me.get("/odata/Assets(11)"), me.get("/odata/Assets(11)")
    must(first.etag != second.etag and first.body == second.body, "stable")
    for _ in range(2):
        tag = me.get("/odata/Assets(11)").etag
        me.send("PATCH", "/odata/Assets(11)", 412, {"If-Match": tag}, {"Hours": 121})
        rest(0.3)
    other = stage.actor(
        "other", server, "assets.plant.test", "urllib", bearer("clerk-b", OData_Version="4.0")
    )
    other.send(
        "PATCH", "/odata/Assets(12)", 412, {"If-Match": other.get("/odata/Assets(12)").etag}, {"Site": "Kemi"}
    )
    must(me.get("/odata/Assets(11)").body == first.body, "written")
    ping(me)
    seek(me, "Oulu")
    news(me)
    report(me)
    me.send("PATCH", "/odata/Assets(11)", 200, {"If-Match": "*"}, {"Hours": 121})


@case(
    "d129",
    "tom-listing-knows-another-tag",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    synthetic=True,
    description="A calendar client takes getetag from DAViCal's PROPFIND, which has a time and a length in it, and sends it with a PUT. The server compares with the digest that GET gives: 412, both tags printed. With GET's tag the same PUT is 204.",
)
def listing(stage: Stage) -> None:
    """Take the tag of a listing."""
    base = "/caldav.php/eva/leisure/"
    text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:{0}\r\nSUMMARY:{0}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    product = Davical({f"{base}{name}.ics": text.format(name) for name in ("gym", "dentist")}, elsewhere=True)
    server = api(stage, product, "DAViCal")
    me = stage.actor(
        "client",
        server,
        "dav.eva.test",
        "httpx",
        {"Authorization": "Basic ZXZhOng=", "User-Agent": "iOS/18.1 (22B83) dataaccessd/1.0"},
    )
    query = '<d:propfind xmlns:d="DAV:"><d:prop><d:getetag/></d:prop></d:propfind>'
    listed = me.send("PROPFIND", base, 207, {"Depth": "1"}, query).text
    tag = re.findall(r"gym.ics</href>.*?<getetag>([^<]+)<", listed)[0]
    calendar = {"Content-Type": "text/calendar"}
    new = text.format("gym").replace("END:VEVENT", "LOCATION:Hall 2\r\nEND:VEVENT")
    refused = me.put(f"{base}gym.ics", new, 412, {**calendar, "If-Match": tag})
    must(tag.strip('"') in refused.text, "not printed")
    rest(0.3)
    me.send("PROPFIND", base, 207, {"Depth": "1"}, query)
    me.put(f"{base}gym.ics", new, 412, {**calendar, "If-Match": tag})
    own = me.get(f"{base}gym.ics").etag
    must(own != tag, "same")
    me.put(f"{base}gym.ics", new, 204, {**calendar, "If-Match": own})
    me.get(f"{base}dentist.ics")


@case(
    "d130",
    "tom-member-put-answers-another-shape",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    synthetic=True,
    description="An editor plug-in saves a member of a data set and keeps the tag of the 204. It has another shape than any tag of a read, and the next save with it is 412, twice in a row; a read in between gives a tag that is accepted.",
)
def member(stage: Stage) -> None:
    """Keep the tag of a write's answer."""
    base = "/zosmf/restfiles/ds"
    product = Sets(
        {
            f"{base}/PAY.SRC({name})": f"       IDENTIFICATION DIVISION.\n       PROGRAM-ID. {name}.\n"
            for name in ("CALC", "PRINT")
        }
    )

    def reshaped(request: Request, reply: Reply) -> None:
        if request.method == "PUT" and reply.status == 204:
            item = product.items[request.path]
            reply.fields["ETag"] = f'"{int(item.changed * 1000):X}-{len(item.body):04X}"'
        elif request.method == "GET" and "x-ibm-return-etag" not in request.fields:
            reply.fields.pop("ETag", None)

    product.after.append(reshaped)
    server = api(stage, product, "z/OSMF files")
    me = stage.actor(
        "client",
        server,
        "zos.pay.test",
        "node:fetch",
        {"X-CSRF-ZOSMF-HEADER": "true", "Authorization": "Basic SUJNVVNFUjp4"},
    )
    path, asked = f"{base}/PAY.SRC(CALC)", {"X-IBM-Return-Etag": "true"}
    me.get(f"{base}/PAY.SRC(PRINT)")
    seen = me.get(path, 200, asked)
    text, plain = seen.text, {"Content-Type": "text/plain"}
    tag = seen.etag
    for line in ("* TAX\n", "* BONUS\n"):
        text += line
        saved = me.put(path, text, 204, {**plain, "If-Match": tag}).etag
        rest(0.2)
        me.put(path, f"{text}* END\n", 412, {**plain, "If-Match": saved})
        tag = me.get(path, 200, asked).etag
        must(tag != saved, "same")
    me.put(path, f"{text}* END\n", 204, {**plain, "If-Match": tag})


@case(
    "d131",
    "tom-attachments-on-tomcat",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description="A case file keeps attachments on Tomcat's own servlet, which never gives a strong tag, also not for identity and without anything in between. If-Match with its W/ tag is 412 on the document and on the sheet, seconds after they were written and later; a star passes.",
)
def attachments(stage: Stage) -> None:
    """Meet weak tags only."""
    stage.keeps_content = False
    server = stage.server("tomcat")
    me = stage.actor("client", server, "files.court.test", "curl", {"User-Agent": "casefile/3"})
    for name in ("claim.txt", "sheet.csv"):
        me.put(f"/{name}", f"file;{name}\n" * 3, 201)
    rest(1.2)
    for name in ("claim.txt", "sheet.csv"):
        tag = me.get(f"/{name}").etag
        must(tag.startswith("W/"), tag)
        me.put(f"/{name}", f"file;{name}\n" * 4, 412, {"If-Match": tag})
    rest(0.8)
    plain = me.get("/claim.txt", 200, {"Accept-Encoding": "identity"}).etag
    must(plain.startswith("W/"), plain)
    me.put("/claim.txt", "file;claim\n", 412, {"If-Match": plain})
    me.get("/index.html")
    me.get("/claim.txt", 304, {"If-None-Match": plain})
    me.put("/claim.txt", "file;claim\n", 204, {"If-Match": "*"})


@case(
    "d132",
    "tom-pipeline-read-in-the-older-format",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    synthetic=True,
    description="A script reads a pipeline's configuration as v10 and puts it back as v11. Each version of the media type has a tag of its own: 412, someone has modified it, though nobody has. Read as v11, the tag passes; Vary: Accept is on each answer.",
)
def pipeline(stage: Stage) -> None:
    """Read in one version and write in another."""
    base = "/go/api/admin/pipelines"
    product = Config(
        {
            f"{base}/{name}": {"name": name, "label_template": "${COUNT}", "stages": [{"name": "build"}]}
            for name in ("web", "api")
        }
    )
    server = api(stage, product, "GoCD")
    me = stage.actor("client", server, "go.build.test", "urllib", bearer("bot"))
    ten, eleven = "application/vnd.go.cd.v10+json", "application/vnd.go.cd.v11+json"
    me.get(base)
    sign_in(me)
    look(me, "go.css")
    for _ in range(2):
        seen = me.get(f"{base}/web", 200, {"Accept": ten})
        new = {**seen.json, "label_template": "1.${COUNT}"}
        me.put(f"{base}/web", new, 412, {"Accept": eleven, "If-Match": seen.etag})
        rest(0.4)
    me.get(f"{base}/api", 200, {"Accept": ten})
    fresh = me.get(f"{base}/web", 200, {"Accept": eleven})
    must(fresh.json == seen.json and fresh.etag != seen.etag, "changed")
    me.put(f"{base}/web", new, 200, {"Accept": eleven, "If-Match": fresh.etag})


@case(
    "d133",
    "tom-playlist-saved-twice-in-a-second",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description="A radio's planner saves a playlist on Apache's WebDAV, reads it at once and saves again: the tag is W/ and the PUT is 412. Two seconds later the same tag is strong and the PUT is 204. Older playlists have strong tags all along.",
)
def playlist(stage: Stage) -> None:
    """Write before the clock has moved on."""
    stage.keeps_content = False
    files: dict[str, str | bytes] = {
        f"lists/{name}.m3u": f"#EXTM3U\n{name}.flac\n" for name in ("dawn", "noon", "night")
    }
    server = fronts.site(stage, "apache2", files, fronts.DAV["apache2"])
    me = stage.actor("client", server, "radio.test", "aiohttp", {"User-Agent": "planner/1.9"})
    settled = me.get("/lists/noon.m3u").etag
    me.put("/lists/noon.m3u", "#EXTM3U\nbell.flac\n", 204, {"If-Match": settled})
    text = "#EXTM3U\nbell.flac\nnews.flac\n"
    early = me.get("/lists/noon.m3u").etag
    must(early.startswith("W/"), early)
    me.put("/lists/noon.m3u", text, 412, {"If-Match": early})
    me.get("/lists/dawn.m3u")
    rest(2.3)
    later = me.get("/lists/noon.m3u").etag
    must(later == early.removeprefix("W/"), f"{early} {later}")
    me.put("/lists/noon.m3u", text, 204, {"If-Match": later})
