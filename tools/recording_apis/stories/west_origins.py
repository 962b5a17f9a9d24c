"""How origins make tags and judge conditions: by nonce, by two rules, weakly, too late, not at all."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import west_setting as place


@case(
    "a956",
    "west-tag-of-a-page-with-a-nonce",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "The tag is made of the answer's text, which holds a fresh CSRF token each time: two reads in a "
        "row differ in tag and token only, polling never gets 304, and no save with a tag passes."
    ),
)
def nonce(stage: Stage) -> None:
    """Read, poll and save in vain."""
    server = place.platform(stage, DIGEST="render")
    me = stage.actor("client", server, "wiki.acme.test", "httpx", {"Accept": "application/json"})
    place.stroll(me, "wiki", 2)
    cookie = place.login(me, "noor")
    tag = me.get(f"/{place.PAGE}", 200, cookie).etag
    tag = me.get(f"/{place.PAGE}", 200, {**cookie, "If-None-Match": tag}).etag
    me.put(f"/{place.PAGE}", place.page(labels=["pager"]), 412, {**cookie, "If-Match": tag})
    tag = me.get(f"/{place.PAGE}", 200, cookie).etag
    me.put(f"/{place.PAGE}", place.page(labels=["pager"]), 412, {**cookie, "If-Match": tag})
    me.get(f"/{place.PAGE}", 200, cookie)
    me.get(f"/{place.PAGE}", 200, cookie)


@case(
    "a957",
    "west-head-names-another-tag",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "HEAD is answered by a path of its own whose tag is made of size and time; a sync tool that asks "
        "by HEAD before it writes is refused, while the tag of GET passes."
    ),
)
def head(stage: Stage) -> None:
    """Take the tag of HEAD."""
    server = place.platform(stage, HEADTAG="1")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "config.acme.test", "requests", {**place.YAML, "X-Actor": "gitops"})
    for path in (place.GATEWAY, place.LIMITS):
        me.send("HEAD", f"/{path}", 200)
    place.stroll(me, "config", 4)
    tag = me.send("HEAD", f"/{place.GATEWAY}", 200).etag
    me.put(f"/{place.GATEWAY}", place.gateway(), 412, {"If-Match": tag})
    right = me.get(f"/{place.GATEWAY}").etag
    tag = me.send("HEAD", f"/{place.GATEWAY}", 200).etag
    place.require(tag != right, "one tag for both")
    me.put(f"/{place.GATEWAY}", place.gateway(), 200, {"If-Match": right})


@case(
    "a958",
    "west-put-answer-names-the-payload",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch server-side-mutation",
    description=(
        "The answer to a PUT carries the MD5 of what was sent, GET a version tag: whoever chains the tag "
        "of the own answer is refused each second time, with the tag of GET the save passes."
    ),
)
def put_answer(stage: Stage) -> None:
    """Chain the tag of the answer."""
    server = place.platform(stage, PUTTAG="1")
    me = stage.actor("client", server, "flags.acme.test", "node:fetch", {"X-Actor": "kim"})
    place.stroll(me, "flags", 2)
    tag = me.get(f"/{place.FLAG}").etag
    me.get(f"/{place.OTHER_FLAG}")
    tag = me.put(f"/{place.FLAG}", place.flag(rollout=20), 200, {"If-Match": tag}).etag
    me.put(f"/{place.FLAG}", place.flag(rollout=30), 412, {"If-Match": tag})
    tag = me.get(f"/{place.FLAG}").etag
    tag = me.put(f"/{place.FLAG}", place.flag(rollout=30), 200, {"If-Match": tag}).etag
    me.put(f"/{place.FLAG}", place.flag(rollout=40), 412, {"If-Match": tag})
    me.get(f"/{place.FLAG}")


@case(
    "a959",
    "west-tomcat-descriptor-upload",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "Tomcat's default servlet gives weak tags only, with and without compression; the deployment "
        "descriptor read a moment ago cannot be replaced with If-Match, today or later."
    ),
)
def tomcat(stage: Stage) -> None:
    """Replace a file of Tomcat's."""
    server = stage.server("tomcat")
    me = stage.actor("client", server, "apps.acme.test", "java", {"User-Agent": "cargo-deployer/1.10"})
    first = "<context path='/shop'><pool max='20'/></context>\n"
    me.put("/conf-shop.xml", first, 201, {"Content-Type": "application/xml"})
    me.get("/index.html")
    tag = me.get("/conf-shop.xml").etag
    more = {"Content-Type": "application/xml", "If-Match": tag}
    me.put("/conf-shop.xml", first.replace("20", "40"), 412, more)
    time.sleep(2.2)
    tag = me.get("/conf-shop.xml", 200, {"Accept-Encoding": "identity"}).etag
    me.put("/conf-shop.xml", first.replace("20", "40"), 412, {**more, "If-Match": tag})
    me.get("/conf-shop.xml", 304, {"If-None-Match": tag})


@case(
    "a960",
    "west-page-read-as-html",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "A page is read as HTML, whose tag is its own, and written as JSON with that tag: refused. Read "
        "with the media type it is written in, its tag passes."
    ),
)
def html(stage: Stage) -> None:
    """Read one representation, write the other."""
    server = place.platform(stage, VARY="accept")
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, "wiki.acme.test", "urllib", {"X-Actor": "amelie"})
    place.stroll(me, "wiki", 2)
    read = me.get(f"/{place.RUNBOOK}", 200, {"Accept": "text/html,application/xhtml+xml"})
    body = place.page(place.RUNBOOK, title="Queue backlog (Kafka)")
    media = {"Content-Type": "application/vnd.page+json"}
    me.put(f"/{place.RUNBOOK}", body, 412, {**media, "If-Match": read.etag})
    me.get(f"/{place.RUNBOOK}", 304, {"Accept": "text/html", "If-None-Match": read.etag})
    right = me.get(f"/{place.RUNBOOK}", 200, {"Accept": "application/vnd.page+json"}).etag
    me.put(f"/{place.RUNBOOK}", body, 200, {**media, "If-Match": right})


@case(
    "a961",
    "west-apache-dav-tag-still-weak",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "A publisher puts a file to Apache's mod_dav and edits it at once: the tag is W/ within the first "
        "second and If-Match fails; two seconds later the same tag is strong and the edit passes."
    ),
)
def settling(stage: Stage) -> None:
    """Edit right after publishing."""
    server = fronts.site(stage, "apache2", {"site/index.json": '{"v":1}\n'}, fronts.DAV["apache2"])
    me = stage.actor("client", server, "pub.acme.test", "httpx", {"User-Agent": "publisher/0.4"})
    me.get("/site/index.json")
    me.put("/site/news.json", '{"items":["launch"]}\n', 201, {"Content-Type": "application/json"})
    tag = me.get("/site/news.json").etag
    place.require(tag.startswith("W/"), f"not weak: {tag}")
    more = {"Content-Type": "application/json", "If-Match": tag}
    me.put("/site/news.json", '{"items":["launch","webinar"]}\n', 412, more)
    time.sleep(2.2)
    strong = me.get("/site/news.json").etag
    me.put("/site/news.json", '{"items":["launch","webinar"]}\n', 204, {**more, "If-Match": strong})


@case(
    "a962",
    "west-polling-gets-412-for-304",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "A flag service answers a GET whose If-None-Match matches with 412 where 304 is due; after a real "
        "change the same GET is 200."
    ),
)
def polling(stage: Stage) -> None:
    """Poll and be refused."""
    server = place.platform(stage, QUIRK="get412")
    me = stage.actor("client", server, "flags.acme.test", "node:axios", {"User-Agent": "flag-sdk-js/6.1.0"})
    tag = me.get(f"/{place.FLAG}").etag
    for _ in range(3):
        me.get(f"/{place.FLAG}", 412, {"If-None-Match": tag})
        time.sleep(0.4)
    me.put(f"/{place.FLAG}", place.flag(on=True), 200, {"If-Match": tag})
    fresh = me.get(f"/{place.FLAG}", 200, {"If-None-Match": tag}).etag
    me.get(f"/{place.FLAG}", 412, {"If-None-Match": fresh})


@case(
    "a963",
    "west-star-refused-on-existing",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "An update-only PUT with If-Match: * is refused although the project exists (GET 200 before and "
        "after); with the project's own tag the same PUT passes."
    ),
)
def star(stage: Stage) -> None:
    """Ask that it exist."""
    server = place.platform(stage, QUIRK="star")
    front = fronts.envoy(stage, [server])
    me = stage.actor("client", front, "api.acme.test", "httpx", {**place.JSONAPI, "X-Actor": "svc-erp"})
    place.stroll(me, "api", 7)
    me.get(f"/{place.PROJECT}")
    me.put(f"/{place.PROJECT}", place.project(budget=51000), 412, {"If-Match": "*"})
    tag = me.get(f"/{place.PROJECT}").etag
    me.get("/api/v3/projects?page%5Bsize%5D=5")
    me.put(f"/{place.PROJECT}", place.project(budget=51000), 412, {"If-Match": "*"})
    me.put(f"/{place.PROJECT}", place.project(budget=51000), 200, {"If-Match": tag})


@case(
    "a964",
    "west-judged-after-the-commit",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    description=(
        "A service stores first and compares If-Match with what is there then: the first attempt with the "
        "current tag is 412, and the read shows the own text under the own name as the next version."
    ),
)
def after_commit(stage: Stage) -> None:
    """Be refused and stored."""
    server = place.platform(stage, GUARD="after")
    me = stage.actor("client", server, "wiki.acme.test", "requests", {"X-Actor": "tomas"})
    place.stroll(me, "wiki", 4)
    me.get("/wiki/spaces/OPS/pages?limit=25")
    tag = me.get(f"/{place.RUNBOOK}").etag
    body = place.page(place.RUNBOOK, body="Scale the consumers first. Rev. T-77.")
    me.put(f"/{place.RUNBOOK}", body, 412, {"If-Match": tag})
    time.sleep(0.4)
    me.get(f"/{place.RUNBOOK}")
    tag = me.get(f"/{place.PAGE}").etag
    me.put(f"/{place.PAGE}", place.page(body="Page the tertiary. Rev. T-78."), 412, {"If-Match": tag})
    me.get(f"/{place.PAGE}")


@case(
    "a965",
    "west-nginx-dav-takes-any-tag",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    description=(
        "nginx's DAV module never looks at If-Match on PUT: the outdated tag is accepted (204) and the "
        "colleague's line is lost, though GET honours the same field."
    ),
)
def nginx_dav(stage: Stage) -> None:
    """Write with an old tag to nginx."""
    files = {"team/rota.csv": "week,person\n48,ana\n49,bo\n", "team/readme.txt": "rota of the team\n"}
    server = fronts.site(stage, "nginx", files, fronts.DAV["nginx"])
    me = stage.actor("client", server, "share.acme.test", "curl:trace-ascii", {"User-Agent": "share-cli/1.2"})
    other = stage.actor("other", server, "share.acme.test", "urllib", {"User-Agent": "Mobile/15E148"})
    path = "/team/rota.csv"
    tag = me.get(path).etag
    me.get("/team/readme.txt")
    theirs = other.get(path).etag
    other.put(path, "week,person\n48,ana\n49,bo\n50,cy\n", 204, {"If-Match": theirs})
    me.get(path, 412, {"If-Match": tag})
    me.put(path, "week,person\n48,dee\n49,bo\n", 204, {"If-Match": tag})
    me.get(path)
    other.get(path)


@case(
    "a966",
    "west-two-saves-pass-together",
    "check-then-write-race",
    "lost-update",
    alone="none check-then-write-race precondition-ignored",
    description=(
        "The service judges and writes in two steps: two PUTs with one tag that overlap both get 200, the "
        "later wins; the same outdated tag alone is refused with 412 a moment later."
    ),
)
def together(stage: Stage) -> None:
    """Save together, then one after the other."""
    server = place.platform(stage, GUARD="gap", GAP="0.7")
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "api.acme.test", "httpx", {**place.JSONAPI, "X-Actor": "ivo"})
    other = stage.actor("other", front, "api.acme.test", "requests", {**place.JSONAPI, "X-Actor": "mara"})
    path = f"/{place.PROJECT}"
    place.stroll(me, "api", 5)
    tag, theirs = me.get(path).etag, other.get(path).etag
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(other.put, path, place.project(budget=54000), 200, {"If-Match": theirs})
        time.sleep(0.2)
        # The names of hosts are looked up per actor; the open connections stay where they are.
        second = pool.submit(me.put, path, place.project(owner="ivo"), 200, {"If-Match": tag})
        first.result()
        second.result()
    other.get(path)
    other.put(path, place.project(budget=54000), 412, {"If-Match": theirs})
    me.get(path)
