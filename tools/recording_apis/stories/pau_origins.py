# ruff: noqa: ARG001 - a hook takes what hooks are given
"""APIs in use that change by themselves, make tags badly, judge badly, or trip over dates."""

from __future__ import annotations

from tools.recording_apis import fronts
from tools.recording_apis.apps.pau_engine import Answer, Item, Request, marker
from tools.recording_apis.apps.pau_tagged import Tagged
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import pau_setting as place
from tools.recording_apis.stories.pau_setting import bearer, must, pause


@case(
    "b691",
    "pau-photo-is-indexed-after-upload",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    synthetic=True,
    description=(
        "A camera app uploads a photo and sets its description with the eTag of the upload's answer: 412, since the "
        "drive's own media service has added width and taken date in between (lastModifiedBy: application); the "
        "content's hash is the same."
    ),
)
def photo(stage: Stage) -> None:
    """Meet a change that the service made by itself."""
    path = "/v1.0/me/drive/items/01PHOTO"
    body = {
        "id": "01PHOTO",
        "name": "IMG_2207.jpg",
        "file": {"hashes": {"quickXorHash": "kq9A="}},
        "lastModifiedBy": {"user": {"displayName": "Liv"}},
    }
    product = Tagged(
        "onedrive", {"/v1.0/me/drive/items/01ROOT": {"id": "01ROOT", "folder": {"childCount": 1}}}
    )
    product.extra["GET /v1.0/me/drive"] = place.said(
        {"id": "b!x", "driveType": "personal", "quota": {"state": "normal"}}
    )
    server = place.api(stage, product, "OneDrive", "cheroot")
    me = stage.actor(
        "client",
        server,
        "graph.microsoft.test",
        "httpx",
        bearer("liv", **{"User-Agent": "SnapSync/5.2 Android/15"}),
    )
    place.beside(me, "a")
    me.get("/v1.0/me/drive")
    new = me.put(path, body, 201).json["eTag"]
    indexed = {
        **body,
        "image": {"width": 4032, "height": 3024},
        "lastModifiedBy": {"application": {"displayName": "Media TA"}},
    }
    product.store(path, indexed, "system")
    pause(0.7)
    place.beside(me, "st")
    me.send("PATCH", path, 412, {"If-Match": new}, {"description": "Ice on the pier"})
    seen = me.get(path).json
    must(seen["file"] == body["file"], "another content")
    me.send("PATCH", path, 200, {"If-Match": seen["eTag"]}, {"description": "Ice on the pier"})


@case(
    "b692",
    "pau-publishing-a-function-moves-the-distribution",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    synthetic=True,
    description=(
        "A deployment reads a distribution's configuration, publishes the function that it names and then updates the "
        "distribution: 412. The service gave it a new ETag with the function; its XML is the same to the letter."
    ),
)
def function(stage: Stage) -> None:
    """Write a linked thing between read and write."""
    config, base = "/2020-05-31/distribution/E1PAU/config", "/2020-05-31/function/rewrite"
    xml = "<DistributionConfig><Enabled>true</Enabled><FunctionARN>arn:aws:cloudfront::1:function/rewrite</FunctionARN><Comment>{}</Comment></DistributionConfig>"
    product = Tagged("cloudfront", {config: xml.format("site")})

    def publish(request: Request) -> Answer | None:
        if request.path != f"{base}/publish":
            return None
        product.store(config, product.items[config].data, "service")
        told = "<FunctionSummary><Name>rewrite</Name><Status>UNPUBLISHED</Status><FunctionMetadata><Stage>LIVE</Stage></FunctionMetadata></FunctionSummary>"
        return Answer(200, told, {"x-amzn-RequestId": marker()})

    product.before.append(publish)
    product.extra[f"GET {base}/describe"] = place.said(
        "<FunctionSummary><Name>rewrite</Name><Stage>DEVELOPMENT</Stage></FunctionSummary>",
        ETag="ETVPDKIKX0DER",
    )
    server = place.api(stage, product, "CloudFront", "waitress")
    me = stage.actor(
        "client", server, "cloudfront.amazonaws.test", "requests", {"X-Amz-Date": "20261127T034000Z"}
    )
    tag = me.get(config).etag
    stage_tag = me.get(f"{base}/describe?Stage=DEVELOPMENT").etag
    me.send("POST", f"{base}/publish", 200, {"If-Match": stage_tag}, b"")
    pause()
    me.put(config, xml.format("site, winter"), 412, {"If-Match": tag, "Content-Type": "text/xml"})
    again = me.get(config)
    must(again.etag != tag and again.text == xml.format("site"), "another content")
    me.put(config, xml.format("site, winter"), 200, {"If-Match": again.etag, "Content-Type": "text/xml"})


@case(
    "b693",
    "pau-tag-made-at-each-answer",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    synthetic=True,
    description=(
        "The database cloud's service gives each answer another ETag: two reads within a second have the same body "
        "and two tags, and no update under If-Match ever passes."
    ),
)
def rendered(stage: Stage) -> None:
    """Never hold a current tag."""
    path = "/20160918/dbSystems/ocid1.dbsystem.oc1..pau"
    product = Tagged(
        "notes", {path: {"id": "ocid1.dbsystem.oc1..pau", "displayName": "ledger", "cpuCoreCount": 4}}
    )

    def renewed(request: Request, answer: Answer) -> Answer:
        answer.fields.pop("Last-Modified", None)
        if "ETag" in answer.fields:
            answer.fields["ETag"] = f'"{marker()[:8]}"'
        answer.fields["opc-request-id"] = marker().upper()
        if answer.status == 412:
            answer.body = {
                "code": "NoEtagMatch",
                "message": "The etag in If-Match does not match the resource",
            }
        return answer

    product.after.append(renewed)
    server = place.api(stage, product, "Oracle Database cloud", "uvicorn")
    me = stage.actor(
        "client",
        server,
        "database.eu.oraclecloud.test",
        "aiohttp",
        {"Authorization": 'Signature version="1",keyId="fake"'},
    )
    place.beside(me, "l")
    for cores in (6, 8):
        first, second = me.get(path), me.get(path)
        must(first.etag != second.etag and first.text == second.text, "stable")
        me.put(path, {**second.json, "cpuCoreCount": cores}, 412, {"If-Match": second.etag})
        pause()
    place.beside(me, "j")
    me.get(path)


class _TwoShapes(Tagged):
    """A record store whose answers to writes carry tags of another shape than its reads."""

    def done(self, request: Request, path: str, item: Item, created: bool) -> Answer:
        """Answer with a number."""
        told = super().done(request, path, item, created)
        told.fields["ETag"] = f'"{int(item.changed * 1000)}"'
        return told


@case(
    "b694",
    "pau-write-answers-another-shape",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    synthetic=True,
    description=(
        "A learning record store answers a PUT with a millisecond number as ETag and a GET with a sha1; a course "
        "player chains the tag of its own write and is refused, each time; with the tag of a read it goes on."
    ),
)
def shapes(stage: Stage) -> None:
    """Chain the tags of write answers."""
    path = "/xapi/activities/state"
    server = place.api(stage, _TwoShapes("xapi", {path: {"slide": 1}}), "xAPI record store", "tornado")
    front = fronts.nginx(stage, server)
    me = stage.actor(
        "client",
        front,
        "lrs.course.test",
        "node:fetch",
        {"X-Experience-API-Version": "1.0.3", "Authorization": "Basic ZmFrZTpmYWtl"},
    )
    place.beside(me, "la")
    tag = me.get(path + "?stateId=bookmark").etag
    for slide in (2, 4):
        tag = me.put(path + "?stateId=bookmark", {"slide": slide}, 204, {"If-Match": tag}).etag
        pause(0.2)
        me.put(path + "?stateId=bookmark", {"slide": slide + 1}, 412, {"If-Match": tag})
        seen = me.get(path + "?stateId=bookmark")
        must(seen.json["slide"] == slide and len(seen.etag) != len(tag), "one shape")
        tag = seen.etag
    place.beside(me, "t")


@case(
    "b695",
    "pau-servlet-knows-weak-tags-only",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "A publisher puts files on Tomcat and replaces them under If-Match of the tag it reads, W/ with length and "
        "time, uncompressed and direct: 412 each time; with * it passes."
    ),
)
def servlet(stage: Stage) -> None:
    """Never satisfy a weak tag."""
    server = stage.server("tomcat")
    me = stage.actor("client", server, "files.press.test", "curl:trace-time", {"Accept-Encoding": "identity"})
    me.put("/menu.txt", "soup\n", 201, {"Content-Type": "text/plain"})
    pause(1.3)
    for text in ("soup, pie\n", "soup, pie, tea\n"):
        tag = me.get("/menu.txt").etag
        must(tag.startswith("W/"), "strong")
        me.put("/menu.txt", text, 412, {"If-Match": tag, "Content-Type": "text/plain"})
        pause(0.4)
    me.put("/menu.txt", text, 204, {"If-Match": "*", "Content-Type": "text/plain"})


class _Projected(Tagged):
    """A service whose tags are of the representation that is read."""

    def show(self, request: Request, path: str, item: Item) -> Answer:
        """Return the fields that are asked for, under a tag of their own."""
        told = super().show(request, path, item)
        wanted = request.query.get("fields")
        if wanted and not request.writes:
            told.body = {key: one for key, one in item.data.items() if key in {"id", *wanted.split(",")}}
            told.fields["ETag"] = '"' + marker_of(f"{item.token}{wanted}") + '"'
            told.body["_eTag"] = told.fields["ETag"]
        return told


def marker_of(text: str) -> str:
    """Return an upper-case digest of a text."""
    return f"{sum(ord(one) * 31**n for n, one in enumerate(text)) % 16**32:032X}"


@case(
    "b696",
    "pau-tag-of-a-projection",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    synthetic=True,
    description=(
        "An agent's app reads contacts with ?fields=forename,mobilePhone and changes them with that tag: 412, also "
        "after reading so again. Read without the projection, the contact has another tag and the change passes."
    ),
)
def projection(stage: Stage) -> None:
    """Write with the tag of some fields."""
    path = "/contacts/OXF16000001"
    data = {"id": "OXF16000001", "forename": "Mae", "surname": "Holt", "mobilePhone": "1", "source": "web"}
    server = place.api(stage, _Projected("reapit", {path: data}), "Reapit Foundations", "cheroot")
    me = stage.actor(
        "client", server, "platform.reapit.test", "java", bearer("lister", **{"api-version": "2020-01-31"})
    )
    place.beside(me, "l")
    for _ in range(2):
        part = me.get(path + "?fields=forename,mobilePhone")
        me.send("PATCH", path, 412, {"If-Match": part.etag}, {"mobilePhone": "07700 900221"})
        pause()
    place.beside(me, "a")
    me.send("PATCH", path, 204, {"If-Match": me.get(path).etag}, {"mobilePhone": "07700 900221"})


@case(
    "b697",
    "pau-note-saved-twice-in-a-second",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "A notes app saves to Apache's WebDAV, reads the tag and saves again at once: the tag of the fresh file is "
        "weak and refused; two seconds later the same tag without W/ is taken."
    ),
)
def settled(stage: Stage) -> None:
    """Save faster than a server's clock."""
    server = fronts.site(stage, "apache2", {"ideas.txt": "one\n"}, fronts.DAV["apache2"])
    me = stage.actor("client", server, "dav.notes.test", "requests", {"User-Agent": "Joplin/3.1"})
    tag = me.get("/ideas.txt").etag
    me.put("/ideas.txt", "one\ntwo\n", 204, {"If-Match": tag})
    weak = me.get("/ideas.txt").etag
    must(weak.startswith("W/"), "strong at once")
    me.put("/ideas.txt", "one\ntwo\nthree\n", 412, {"If-Match": weak})
    pause(2.3)
    strong = me.get("/ideas.txt").etag
    must("W/" + strong == weak, "another tag")
    me.put("/ideas.txt", "one\ntwo\nthree\n", 204, {"If-Match": strong})


@case(
    "b698",
    "pau-star-is-compared-to-the-letter",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    synthetic=True,
    description=(
        "A calendar client updates an event with If-Match: * to change it only if it is there. It is (200 before and "
        "after), yet the server compares * to the letter: 412, Existing resource ETag does not match *."
    ),
)
def star(stage: Stage) -> None:
    """Be refused with the wildcard."""
    base = "/caldav.php/nils/heim/"
    text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:{0}\r\nSUMMARY:{1}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    product = Tagged("davical", {f"{base}{n}.ics": text.format(n, "Pump") for n in ("a1", "a2")})

    def literal(request: Request) -> Answer | None:
        item = product.items.get(request.path)
        if request.method == "PUT" and item is not None and request.fields.get("if-match") == "*":
            told = f"Existing resource ETag of <<{item.token}>> does not match <<*>>"
            return Answer(412, told, {"Content-Type": "text/plain; charset=utf-8", **product.marks()})
        return None

    product.before.append(literal)
    server = place.api(stage, product, "DAViCal", "wsgiref")
    me = stage.actor(
        "client",
        server,
        "cal.nils.test",
        "httpx",
        {"Authorization": "Basic bmlsczpmYWtl", "User-Agent": "khal-sync/0.5"},
    )
    place.beside(me, "s")
    kind = {"Content-Type": "text/calendar; charset=utf-8"}
    for name in ("a1", "a2"):
        tag = me.get(f"{base}{name}.ics").etag
        me.put(f"{base}{name}.ics", text.format(name, "Pump 2"), 412, {"If-Match": "*", **kind})
        must(me.get(f"{base}{name}.ics").etag == tag, "it has moved")
    me.put(f"{base}a2.ics", text.format("a2", "Pump 2"), 204, {"If-Match": tag, **kind})


@case(
    "b699",
    "pau-date-judged-after-the-commit",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    synthetic=True,
    description=(
        "A stock service evaluates If-Unmodified-Since after it has saved: every guarded PUT is 412 in a few "
        "milliseconds, and the row holds the client's text and number at once. One request at the client and at the "
        "service."
    ),
)
def committed(stage: Stage) -> None:
    """Be told no for what was done."""
    base = "/api/stockRows/"
    product = Tagged("spring", {f"{base}{n}": {"sku": f"NUT-{n}", "count": 40, "batch": ""} for n in (3, 4)})

    def afterwards(request: Request, answer: Answer) -> Answer:
        late = request.writes and "if-unmodified-since" in request.fields and answer.status == 200
        return Answer(412, "") if late else answer

    product.after.append(afterwards)
    server = place.api(stage, product, "Spring Data REST", "tornado")
    me = stage.actor(
        "client", fronts.traefik(stage, [server]), "stock.depot.test", "node:axios", bearer("depot")
    )
    place.beside(me, "t")
    for number in (3, 4):
        seen = me.get(f"{base}{number}")
        new = {"sku": f"NUT-{number}", "count": 12, "batch": f"scan-{number}-77e1"}
        date = {"If-Unmodified-Since": seen.fields["last-modified"]}
        me.put(f"{base}{number}", new, 412, date)
        must(me.get(f"{base}{number}").json["batch"] == new["batch"], "not written")
        pause()
    place.beside(me, "j")


@case(
    "b700",
    "pau-mock-takes-any-tag",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "A contract test against json-server (behind Caddy) sends If-Match with a tag that never was, then with one "
        "that its own two saves have outdated: 200 both times, and the older text is back."
    ),
)
def mock(stage: Stage) -> None:
    """Have any tag accepted."""
    server = stage.server(
        "json-server", content='{"berths": [{"id": 1, "ship": ""}, {"id": 2, "ship": "Rhein"}]}'
    )
    me = stage.actor("client", fronts.caddy(stage, server), "mock.port.test", "node:axios")
    old = me.get("/berths/1").etag
    new = me.put("/berths/1", {"ship": "Elbe"}, 200, {"If-Match": old}).etag
    must(me.get("/berths/1").etag == new != old, "one tag")
    me.put("/berths/1", {"ship": "Elbe 5"}, 200, {"If-Match": '"00000000-never"'})
    me.put("/berths/1", {"ship": ""}, 200, {"If-Match": old})
    me.get("/berths/1")


@case(
    "b701",
    "pau-create-only-overwrites",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    synthetic=True,
    description=(
        "A table engine writes its commit file with If-None-Match: * to the XML interface of a store that knows "
        "x-goog-if-generation-match only: HEAD says 200, the guarded PUT says 200 as well and replaces the file of "
        "another commit; the generation is a new one."
    ),
)
def overwrites(stage: Stage) -> None:
    """Overwrite what a guard should have kept."""
    path = "/lake/_delta_log/00000000000000000012.json"
    product = Tagged("notes", {path: {"commit": "theirs"}})
    product.checks = False

    def marked(request: Request, answer: Answer) -> Answer:
        item = product.items[path]
        answer.fields |= {
            "x-goog-generation": f"{item.changed * 1e6:.0f}",
            "x-goog-metageneration": "1",
            "Server": "UploadServer",
        }
        answer.fields["ETag"] = item.token
        return answer

    product.after.append(marked)
    server = place.api(stage, product, "Cloud Storage XML", "cheroot")
    me = stage.actor(
        "client",
        server,
        "storage.googleapis.test",
        "requests",
        {"User-Agent": "ClickHouse/25.8", "x-goog-project-id": "lake"},
    )
    theirs = me.send("HEAD", path, 200).fields["x-goog-generation"]
    me.put(path, {"commit": "mine", "txn": "c9-11"}, 200, {"If-None-Match": "*"})
    seen = me.get(path)
    must(seen.json["commit"] == "mine" and seen.fields["x-goog-generation"] != theirs, "kept")
