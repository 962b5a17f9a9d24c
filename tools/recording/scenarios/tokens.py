"""Clients whose token is damaged or belongs to another thing."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from tools.recording.origin import Habits, Origin, Reply, content_tag, size_and_time_tag, version_tag
from tools.recording.scenarios.material import ARTICLE, card, event, octets
from tools.recording.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording.message import Message


@case(
    "d130",
    "axios-undefined",
    "null-token",
    "412",
    alone="null-token",
    description=(
        "The page looks its tag up under a name the header object does not have; the literal undefined "
        "goes out in If-Match, twice."
    ),
    client=(200, 412, 200, 412),
)
def undefined(stage: Stage) -> None:
    """Send the word undefined."""
    origin = stage.origin(Habits(fields=(("X-Powered-By", "Express"),), problem="vendor"))
    path = "/api/v2/boards/17/cards/4410"
    origin.store(path, {"id": 4410, "title": "Write release notes", "column": "doing"})
    me = stage.client(
        stage.front("nginx", stage.tap(origin.port)),
        "kanban.example.test",
        "axios",
        {"Authorization": "Bearer k1"},
    )
    for column in ("review", "done"):
        me.get(path)
        time.sleep(0.6)
        me.put(
            path, {"id": 4410, "title": "Write release notes", "column": column}, {"If-Match": "undefined"}
        )
        time.sleep(1.0)


@case(
    "d131",
    "empty-quoted-tag",
    "null-token",
    "412",
    alone="null-token",
    description=(
        "A worker formats a missing database column into quotes: If-Match is an empty entity tag. The "
        "server has a real one."
    ),
    client=(412, 200, 412),
)
def empty_tag(stage: Stage) -> None:
    """Send an empty tag."""
    origin = stage.origin(Habits(tag=size_and_time_tag, lower=True, fields=(("server", "uvicorn"),)))
    path = "/objects/avatars/u-90.png"
    origin.store(path, octets(1400, 9), "image/png")
    me = stage.client(stage.tap(origin.port), "media.example.test", "requests")
    kind = {"Content-Type": "image/png", "If-Match": '""'}
    me.put(path, octets(1500, 10), kind)
    time.sleep(0.5)
    me.send("HEAD", path)
    me.put(path, octets(1500, 10), kind)


@case(
    "d132",
    "collection-placeholder",
    "null-token",
    "412",
    alone="null-token",
    description=(
        "A request collection without its environment: the placeholder {{etag}} is sent as it stands."
    ),
    client=(200, 412, 412),
)
def placeholder(stage: Stage) -> None:
    """Send a template variable."""
    origin = stage.origin(Habits(problem="plain"))
    path = "/customers/C-1002/address"
    origin.store(path, "<address><street>Ringweg 4</street><city>Utrecht</city></address>", "application/xml")
    me = stage.client(stage.front("caddy", stage.tap(origin.port)), "crm.example.test", "postman")
    me.get(path)
    body = "<address><street>Ringweg 6</street><city>Utrecht</city></address>"
    for _ in range(2):
        time.sleep(0.9)
        me.put(path, body, {"If-Match": "{{etag}}", "Content-Type": "application/xml"})


@case(
    "d133",
    "parent-tag-for-item",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "The client reads the shopping list and sends the list's tag with the change of one item; the "
        "item's own tag, read afterwards, is another and works."
    ),
    client=(200, 412, 200, 200),
)
def parent_tag(stage: Stage) -> None:
    """Guard an item with its list's tag."""
    origin = stage.origin(Habits())
    origin.store(
        "/lists/7", {"id": 7, "name": "Groceries", "items": ["/lists/7/items/1", "/lists/7/items/3"]}
    )
    origin.store("/lists/7/items/3", {"text": "Oat milk", "done": False})
    me = stage.client(
        stage.front("envoy", stage.tap(origin.port)),
        "lists.example.test",
        "dart",
        {"authorization": "Bearer d3"},
    )
    parent = me.get("/lists/7")
    time.sleep(0.8)
    me.put("/lists/7/items/3", {"text": "Oat milk", "done": True}, {"if-match": parent.etag})
    time.sleep(1.2)
    item = me.get("/lists/7/items/3")
    me.put("/lists/7/items/3", {"text": "Oat milk", "done": True}, {"if-match": item.etag})


@case(
    "d134",
    "list-neighbours-tag",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "A listing carries each member's tag; an index off by one sends the neighbour's tag with the write."
    ),
    client=(200, 412, 200),
)
def neighbours_tag(stage: Stage) -> None:
    """Guard a member with its neighbour's tag."""
    origin = stage.origin(Habits(problem="vendor"))
    names = ("door", "garage", "porch")
    for number, name in enumerate(names):
        origin.store(f"/sensors/{name}", {"name": name, "threshold": 10 + number, "unit": "lx"})
    listing = [
        {"href": f"/sensors/{name}", "etag": origin.etag(origin.resources[f"/sensors/{name}"])}
        for name in names
    ]
    origin.store("/sensors", {"members": listing})
    me = stage.client(stage.tap(origin.port), "sensors.example.test", "go")
    members = json.loads(me.get("/sensors").body)["members"]
    time.sleep(0.3)
    me.put(
        "/sensors/garage", {"name": "garage", "threshold": 25, "unit": "lx"}, {"If-Match": members[2]["etag"]}
    )
    time.sleep(0.4)
    me.get("/sensors/garage")


@case(
    "d135",
    "staging-tag-to-production",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "A release script reads the document from staging and writes it to production with staging's tag."
    ),
    client=(200, 412, 200, 412, 200),
)
def other_hosts_tag(stage: Stage) -> None:
    """Carry a tag from one host to another."""
    staging, production = stage.origin(Habits()), stage.origin(Habits())
    path = "/content/home.json"
    staging.store(path, {"hero": "Winter sale", "build": 512})
    production.store(path, {"hero": "Autumn sale", "build": 498}, age=86400 * 9)
    first, second = (
        stage.tap(staging.port, "upstream-staging"),
        stage.tap(production.port, "upstream-production"),
    )
    me = stage.client(first, "staging.example.test", "httpx")
    for _ in range(2):
        read = me.get(path)
        time.sleep(0.4)
        me.put(
            path,
            read.body,
            {"If-Match": read.etag, "Content-Type": "application/json"},
            host="www.example.test",
            port=second,
        )
        time.sleep(0.9)
    me.get(path, host="www.example.test", port=second)


@case(
    "d136",
    "html-escaped-quotes",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description="The tag went through an HTML form: its quotes come back as &quot;.",
    client=(200, 412, 200, 412),
)
def html_escaped(stage: Stage) -> None:
    """Send a tag with HTML entities."""
    origin = stage.origin(Habits(problem="html", fields=(("X-Runtime", "0.0131"),)))
    path = "/admin/pages/12"
    origin.store(path, ARTICLE)
    me = stage.client(
        stage.front("apache2", stage.tap(origin.port)), "admin.example.test", "browser", {"Cookie": "_app=1f"}
    )
    for title in ("Locking", "Locks"):
        read = me.get(path)
        time.sleep(0.7)
        me.put(path, {**ARTICLE, "title": title}, {"If-Match": read.etag.replace('"', "&quot;")})


@case(
    "d137",
    "url-encoded-tag",
    "malformed-validator",
    "400",
    alone="malformed-validator",
    description=(
        "The tag travelled through a query string: %22...%22 in If-Match; the server says 400 to what is "
        "no entity tag."
    ),
    client=(200, 400, 200),
)
def url_encoded(stage: Stage) -> None:
    """Send a percent-encoded tag."""

    def strict(origin: Origin, request: Message) -> Reply | None:
        value = request.get("If-Match")
        if value is not None and '"' not in value:
            return origin.refusal(400, "If-Match is not a list of entity tags")
        return None

    origin = stage.origin(Habits(tag=version_tag), hook=strict)
    path = "/forms/visa-application/answers/77"
    origin.store(path, {"passport": "X123", "purpose": "study"})
    me = stage.client(stage.front("haproxy", stage.tap(origin.port)), "forms.example.test", "undici")
    read = me.get(path)
    time.sleep(1.4)
    me.put(path, {"passport": "X123", "purpose": "work"}, {"if-match": read.etag.replace('"', "%22")})
    me.get(path, {"if-none-match": '"v0"'})


@case(
    "d138",
    "quotes-twice",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description="Code puts quotes around a value that has them already: two on each side.",
    client=(200, 412, 412),
)
def quotes_twice(stage: Stage) -> None:
    """Send a tag in doubled quotes."""
    origin = stage.origin(Habits(put_status=204))
    path = "/principals/omar/tasks/t-5.ics"
    origin.store(path, event("t-5", "Renew certificate"), "text/calendar")
    me = stage.client(
        stage.tap(origin.port), "tasks.example.test", "ruby", {"Authorization": "Basic b21hcjp4"}
    )
    read = me.get(path)
    for hour in ("10", "11"):
        me.put(
            path,
            event("t-5", "Renew certificate", hour),
            {"If-Match": f'"{read.etag}"', "Content-Type": "text/calendar"},
        )
        time.sleep(0.8)


@case(
    "d139",
    "quote-lost-at-the-end",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description="A field of a fixed width cut the tag's closing quote off.",
    client=(200, 412, 200, 200),
)
def quote_lost(stage: Stage) -> None:
    """Send a tag without its closing quote, then whole."""
    origin = stage.origin(Habits(tag=lambda resource: content_tag(resource) * 2))
    path = "/config/router-9/running"
    origin.store(path, "hostname router-9\ninterface ge-0/0/1\n mtu 1500\n", "text/plain")
    me = stage.client(stage.front("lighttpd", stage.tap(origin.port)), "netconf.example.test", "powershell")
    body = "hostname router-9\ninterface ge-0/0/1\n mtu 9000\n"
    read = me.get(path)
    me.put(path, body, {"If-Match": read.etag[:-1], "Content-Type": "text/plain"})
    time.sleep(1.1)
    read = me.get(path)
    me.put(path, body, {"If-Match": read.etag, "Content-Type": "text/plain"})


@case(
    "d140",
    "create-guard-for-a-save",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "The save button sends If-None-Match: * also for a card that was opened from the server: refused "
        "each time, though nobody else wrote."
    ),
    client=(200, 412, 200, 412),
)
def create_guard(stage: Stage) -> None:
    """Guard an update as if it were a create."""
    origin = stage.origin(Habits(fields=(("Server", "Caldora/1.9"),)))
    path = "/addressbooks/me/7c2.vcf"
    origin.store(path, card("7c2", "Jonas Weld", "jonas@example.org"), "text/vcard")
    me = stage.client(stage.front("traefik", stage.tap(origin.port)), "carddav.example.test", "okhttp")
    for mail in ("j.weld@example.org", "jw@example.org"):
        me.get(path)
        time.sleep(0.9)
        me.put(path, card("7c2", "Jonas Weld", mail), {"If-None-Match": "*", "Content-Type": "text/vcard"})


@case(
    "d141",
    "platform-cache-adds-condition",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "The platform's URL cache adds If-None-Match with the cached tag to the PUT (the application "
        "sets no condition at all); the server evaluates it as it must: 412. Sends without a cached copy "
        "pass."
    ),
    notes=(
        "the caching layer is played by the recording client",
        "the PUT to a path never read carries no condition",
    ),
    client=(200, 304, 412, 201, 412),
)
def platform_cache(stage: Stage) -> None:
    """Write with a condition the cache put in."""
    origin = stage.origin(Habits(read_fields=(("Cache-Control", "no-cache"),)))
    origin.store("/me/preferences", {"theme": "light", "units": "metric"})
    me = stage.client(
        stage.front("nginx", stage.tap(origin.port)),
        "api.example.test",
        "urlsession",
        {"Authorization": "Bearer ios-3"},
    )
    read = me.get("/me/preferences")
    time.sleep(0.6)
    cached = {"If-None-Match": read.etag}
    me.get("/me/preferences", cached)
    time.sleep(0.5)
    me.put("/me/preferences", {"theme": "dark", "units": "metric"}, cached)
    time.sleep(0.8)
    me.put("/me/drafts/1", {"text": "hello"})
    time.sleep(0.3)
    me.put("/me/preferences", {"theme": "dark", "units": "metric"}, cached)
