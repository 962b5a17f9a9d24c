"""What stands between client and origin: proxies, encoders, caches, balancers, as observed.md measured them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tools.simulation.kernel import TimedOut
from tools.simulation.messages import Lost, Request, Response, get, http_date, put, without
from tools.simulation.store import TAG

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tools.simulation.agents import Hop
    from tools.simulation.kernel import Flow, World
    from tools.simulation.messages import Answer, Fields


class Between(Protocol):
    """An intermediary: a hop that has a next hop."""

    inner: Hop

    def serve(self, request: Request) -> Flow[Answer]:
        """Answer a request."""
        ...


@dataclass(frozen=True, slots=True)
class Look:
    """How an intermediary shows: fields it adds to requests and answers, and what it does to names."""

    name: str
    to_origin: tuple[tuple[str, str], ...] = ()
    to_client: tuple[tuple[str, str], ...] = ()
    server: str | None = None
    lower: bool = False


LOOKS = {
    one.name: one
    for one in (
        Look("nginx", (("X-Real-IP", "203.0.113.7"), ("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-Proto", "https")), (), "nginx/1.26.1"),
        Look("nginx-hidden", (("X-Forwarded-For", "203.0.113.7"),), (), "nginx"),
        Look("apache", (("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-Host", "{host}"), ("X-Forwarded-Server", "edge.example.test"))),
        Look("haproxy", (("x-forwarded-for", "203.0.113.7"),), (), None, True),
        Look("traefik", (("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-Port", "443"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Server", "traefik-1"))),
        Look("envoy", (("x-forwarded-proto", "https"), ("x-request-id", "{uuid}"), ("x-envoy-expected-rq-timeout-ms", "15000")), (("x-envoy-upstream-service-time", "{ms}"),), "envoy", True),
        Look("caddy", (("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-Host", "{host}"), ("X-Forwarded-Proto", "https"), ("Via", "1.1 Caddy")), (("Via", "1.1 Caddy"),)),
        Look("varnish", (("X-Forwarded-For", "203.0.113.7"), ("X-Varnish", "{number}")), (("X-Varnish", "{number}"), ("Age", "0"), ("Via", "1.1 varnish (Varnish/7.4)"))),
        Look("squid", (("Via", "1.1 edge1 (squid/5.7)"), ("X-Forwarded-For", "203.0.113.7"), ("Cache-Control", "max-age=259200")), (("X-Cache", "MISS from edge1"), ("Via", "1.1 edge1 (squid/5.7)"))),
        Look("cloudflare", (("CF-Connecting-IP", "203.0.113.7"), ("CF-Ray", "{ray}"), ("CDN-Loop", "cloudflare")), (("CF-Cache-Status", "DYNAMIC"), ("CF-RAY", "{ray}")), "cloudflare"),
        Look("cloudfront", (("X-Amz-Cf-Id", "{number}"), ("Via", "2.0 3f1c.cloudfront.net (CloudFront)")), (("X-Cache", "Miss from cloudfront"), ("Via", "1.1 3f1c.cloudfront.net (CloudFront)"), ("X-Amz-Cf-Pop", "AMS58-P4"))),
        Look("alb", (("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-Proto", "https"), ("X-Amzn-Trace-Id", "Root=1-{number}"))),
        Look("h2o", (("x-forwarded-for", "203.0.113.7"), ("via", "1.1 h2o")), (("via", "1.1 h2o"),), "h2o/2.2.6", True),
        Look("fastly", (("X-Forwarded-For", "203.0.113.7"), ("Fastly-Client-IP", "203.0.113.7"), ("X-Varnish", "{number}")), (("Via", "1.1 varnish"), ("X-Served-By", "cache-ams2100{ms}-AMS"), ("X-Cache", "MISS"), ("X-Cache-Hits", "0"))),
        Look("ats", (("Via", "http/1.1 edge[192.0.2.9] (ApacheTrafficServer/9.2.9)"),), (("Age", "0"),), "ATS/9.2.9"),
    )
}  # fmt: skip
BENIGN = ("nginx", "nginx-hidden", "apache", "haproxy", "traefik", "envoy", "alb", "cloudflare", "h2o")


def _filled(world: World, pairs: tuple[tuple[str, str], ...], host: str) -> Fields:
    rng = world.rng
    out: Fields = []
    for name, value in pairs:
        text = value.replace("{host}", host).replace("{ms}", str(rng.randrange(2, 30)))
        if "{" in text:
            text = text.replace(
                "{uuid}", f"{rng.getrandbits(32):08x}-77aa-4c1e-9d10-{rng.getrandbits(48):012x}"
            )
            text = text.replace("{number}", str(rng.randrange(10**6, 10**8))).replace(
                "{ray}", f"{rng.getrandbits(64):016x}-AMS"
            )
        out.append((name, text))
    return out


class Plain:
    """Forward; show as `look` says. The base of the other intermediaries.

    Args:
        world: clock and randomness.
        inner: next hop.
        look: name in `LOOKS`.
    """

    def __init__(self, world: World, inner: Hop, look: str) -> None:
        self.world = world
        self.inner = inner
        self.look = LOOKS[look]

    def serve(self, request: Request) -> Flow[Answer]:
        """Forward and answer."""
        yield self.world.rng.uniform(0.0003, 0.002)
        answer = yield from self.forward(self.outgoing(request))
        return answer if isinstance(answer, Lost) else self.incoming(request, answer)

    def forward(self, request: Request) -> Flow[Answer]:
        """Ask the next hop."""
        answer = yield from self.inner.serve(request)
        return answer

    def outgoing(self, request: Request) -> Request:
        """Return what goes to the next hop."""
        sent = request.copy()
        host = get(request.fields, "Host") or ""
        fields = without(sent.fields, "Connection") if self.look.name != "apache" else sent.fields
        sent.fields = [*fields, *_filled(self.world, self.look.to_origin, host)]
        if self.look.lower:
            sent.fields = [(name.lower(), value) for name, value in sent.fields]
        return sent

    def incoming(self, request: Request, answer: Response) -> Response:
        """Return what goes to the client."""
        del request
        shown = answer.copy()
        if self.look.server is not None:
            shown.fields = put(shown.fields, "Server", self.look.server)
        shown.fields = [*shown.fields, *_filled(self.world, self.look.to_client, "")]
        if self.look.lower:
            shown.fields = [(name.lower(), value) for name, value in shown.fields]
        return shown


class Encoder(Plain):
    """Compress answers and do something to the tag.

    Args:
        world: clock and randomness.
        inner: next hop.
        look: name in `LOOKS`.
        mode: `weak`, `remove`, or a suffix such as `-gzip`, put inside the quotes.
        undo_for_reads: takes the suffix off again in If-None-Match (Caddy).
        always: changes the tag also where the client takes no coding (Varnish do_gzip).
        on_head: HEAD answers are changed too.
        coding: the content coding.
    """

    def __init__(self, world: World, inner: Hop, look: str, mode: str, *, undo_for_reads: bool = False, always: bool = False, on_head: bool = True, coding: str = "gzip") -> None:  # fmt: skip
        super().__init__(world, inner, look)
        self.mode = mode
        self.undo_for_reads = undo_for_reads
        self.always = always
        self.on_head = on_head
        self.coding = coding

    def outgoing(self, request: Request) -> Request:
        """Take the suffix off If-None-Match where this software does."""
        sent = super().outgoing(request)
        tag = sent.field("If-None-Match")
        if self.undo_for_reads and tag and request.method in {"GET", "HEAD"}:
            sent.fields = put(sent.fields, "If-None-Match", tag.replace(f'{self.mode}"', '"'))
        return sent

    def changed(self, tag: str) -> str | None:
        """Return the tag as this encoder sends it on."""
        if self.mode == "remove":
            return None
        if self.mode == "weak":
            return tag if tag.startswith("W/") else f"W/{tag}"
        return f'{tag[:-1]}{self.mode}"' if tag.endswith('"') else tag + self.mode

    def incoming(self, request: Request, answer: Response) -> Response:
        """Change the tag of what is compressed."""
        shown = super().incoming(request, answer)
        taken = self.coding in (request.field("Accept-Encoding") or "")
        kinds = {"GET", "HEAD"} if self.on_head else {"GET"}
        if request.method not in kinds or answer.status != 200 or not (taken or self.always):
            return shown
        if "no-transform" in (answer.field("Cache-Control") or ""):
            return shown
        shown.fields = without(shown.fields, "Content-Length")
        tag = shown.field("ETag")
        if tag is not None:
            changed = self.changed(tag)
            name = next(name for name, _ in shown.fields if name.lower() == "etag")
            shown.fields = (
                without(shown.fields, "ETag") if changed is None else put(shown.fields, name, changed)
            )
        if taken:
            shown.fields += [("Content-Encoding", self.coding), ("Vary", "Accept-Encoding")]
        shown.fields.append(("Transfer-Encoding", "chunked"))
        return shown


class Stripper(Plain):
    """Drop fields of requests or answers.

    Args:
        world: clock and randomness.
        inner: next hop.
        look: name in `LOOKS`.
        of_requests: names dropped on the way to the origin.
        of_answers: names dropped on the way to the client.
        methods: only for these; empty for all.
    """

    def __init__(self, world: World, inner: Hop, look: str, *, of_requests: tuple[str, ...] = (), of_answers: tuple[str, ...] = (), methods: frozenset[str] = frozenset()) -> None:  # fmt: skip
        super().__init__(world, inner, look)
        self.of_requests = of_requests
        self.of_answers = of_answers
        self.methods = methods

    def outgoing(self, request: Request) -> Request:
        """Drop request fields."""
        sent = super().outgoing(request)
        if not self.methods or request.method in self.methods:
            sent.fields = without(sent.fields, *self.of_requests)
        return sent

    def incoming(self, request: Request, answer: Response) -> Response:
        """Drop response fields."""
        shown = super().incoming(request, answer)
        if not self.methods or request.method in self.methods:
            shown.fields = without(shown.fields, *self.of_answers)
        return shown


@dataclass(slots=True)
class Stored:
    """What a cache keeps of one answer."""

    answer: Response
    at: float


class Cache(Plain):
    """A shared cache that serves reads from its store.

    Args:
        world: clock and randomness.
        inner: next hop.
        look: name in `LOOKS`.
        life: seconds an answer is fresh.
        marks: `age` (Age, X-Cache), `x-cache`, or `none`.
        honours: listens to Cache-Control: no-cache of requests.
        drops: forgets a resource when a write to it passes.
        wants: whether an answer to this request may be kept.
    """

    def __init__(self, world: World, inner: Hop, look: str, life: float, *, marks: str = "age", honours: bool = False, drops: bool = False, wants: Callable[[Request], bool] | None = None) -> None:  # fmt: skip
        super().__init__(world, inner, look)
        self.life = life
        self.marks = marks
        self.honours = honours
        self.drops = drops
        self.wants = wants or (lambda _request: True)
        self.kept: dict[str, Stored] = {}

    def serve(self, request: Request) -> Flow[Answer]:
        """Answer from the store, or forward and keep."""
        if request.method not in {"GET", "HEAD"}:
            answer = yield from super().serve(request)
            if self.drops and isinstance(answer, Response) and answer.status < 400:
                self.kept.pop(request.url, None)
            return answer
        control = request.field("Cache-Control") or ""
        bypass = self.honours and ("no-cache" in control or "max-age=0" in control)
        kept = self.kept.get(request.url)
        if kept is not None and self.world.now - kept.at < self.life and not bypass:
            yield self.world.rng.uniform(0.0004, 0.002)
            return self._from_store(request, kept)
        fetched = request.copy()
        if self.wants(request) and request.method == "GET":
            fetched.fields = without(
                fetched.fields, "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since"
            )
        answer = yield from super().serve(fetched)
        if (
            isinstance(answer, Response)
            and answer.status == 200
            and self.wants(request)
            and request.method == "GET"
        ):
            self.kept[request.url] = Stored(answer.copy(), self.world.now)
            answer = self._condition(request, answer.copy())
        if isinstance(answer, Response):
            self._mark(answer, hit=False, age=0)
        return answer

    def _from_store(self, request: Request, kept: Stored) -> Response:
        answer = self._condition(request, kept.answer.copy())
        self._mark(answer, hit=True, age=int(self.world.now - kept.at))
        if request.method == "HEAD":
            answer.body = None
        return answer

    def _condition(self, request: Request, answer: Response) -> Response:
        sent, tag = request.field("If-None-Match"), answer.field("ETag")
        if sent and tag and tag.removeprefix("W/") in {one.removeprefix("W/") for one in TAG.findall(sent)}:
            kept = {"etag", "last-modified", "cache-control", "date", "vary", "server", "via", "expires"}
            return Response(304, [one for one in answer.fields if one[0].lower() in kept])
        since, modified = request.field("If-Modified-Since"), answer.field("Last-Modified")
        if not sent and since and since == modified:
            kept = {"etag", "last-modified", "cache-control", "date", "vary", "server", "via", "expires"}
            return Response(304, [one for one in answer.fields if one[0].lower() in kept])
        return answer

    def _mark(self, answer: Response, *, hit: bool, age: int) -> None:
        word = "HIT" if hit else "MISS"
        name = self.look.name
        if self.marks == "none":
            return
        if name in {"squid", "cloudfront", "fastly"}:
            shown = {
                "squid": f"{word} from edge1",
                "cloudfront": f"{word.title()} from cloudfront",
                "fastly": word,
            }[name]
            answer.fields = put(answer.fields, "X-Cache", shown)
            if name == "fastly" and hit:
                answer.fields = put(answer.fields, "X-Cache-Hits", "1")
        elif name == "cloudflare":
            answer.fields = put(answer.fields, "CF-Cache-Status", word)
        elif name != "varnish":
            answer.fields = put(answer.fields, "X-Cache-Status" if name == "nginx" else "X-Cache", word)
        if self.marks == "age" and (hit or name in {"varnish", "ats"}):
            answer.fields = put(answer.fields, "Age", str(age))


class Balancer(Plain):
    """Send requests to one of several nodes.

    Args:
        world: clock and randomness.
        nodes: next hops.
        look: name in `LOOKS`.
        choose: gives the index of the node for the n-th request; round robin by default.
    """

    def __init__(self, world: World, nodes: Sequence[Hop], look: str, choose: Callable[[int, Request], int] | None = None) -> None:  # fmt: skip
        super().__init__(world, nodes[0], look)
        self.nodes = nodes
        self.choose = choose or (lambda number, _request: number % len(nodes))
        self._number = -1

    def forward(self, request: Request) -> Flow[Answer]:
        """Ask the node whose turn it is."""
        self._number += 1
        answer = yield from self.nodes[self.choose(self._number, request)].serve(request)
        return answer


class Impatient(Plain):
    """Give up on the next hop after a while: ask again (a replay) or answer 504.

    Args:
        world: clock and randomness.
        nodes: next hops, tried in order.
        look: name in `LOOKS`.
        patience: seconds for each try.
        tries: how many before a 504.
    """

    def __init__(self, world: World, nodes: Sequence[Hop], look: str, patience: float, tries: int) -> None:
        super().__init__(world, nodes[0], look)
        self.nodes = nodes
        self.patience = patience
        self.tries = tries

    def forward(self, request: Request) -> Flow[Answer]:
        """Try, and try again."""
        for number in range(self.tries):
            node = self.nodes[number % len(self.nodes)]
            sent = request.copy()
            if self.look.name == "envoy" and number:
                sent.fields = put(sent.fields, "x-envoy-attempt-count", str(number + 1))
            answer = yield from self.world.wait(self.world.spawn(node.serve(sent)), self.patience)
            if not isinstance(answer, TimedOut | Lost):
                return answer
        html = "<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n<body>\r\n<center><h1>504 Gateway Time-out</h1></center>\r\n</body>\r\n</html>\r\n"
        fields = [
            ("Date", http_date(self.world.now)),
            ("Content-Type", "text/html"),
            ("Content-Length", str(len(html))),
        ]
        if self.look.lower:
            html, fields = (
                "upstream request timeout",
                [("content-type", "text/plain"), ("date", http_date(self.world.now))],
            )
        return Response(504, fields, html)
