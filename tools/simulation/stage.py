"""Set a scene: origin, what stands between, actors, noise; then write the files and the label."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tools.simulation import har
from tools.simulation.agents import Agent, Tap
from tools.simulation.between import BENIGN, Plain
from tools.simulation.kernel import World
from tools.simulation.messages import Lost, Request, Response, Tape
from tools.simulation.noise import noise, prelude
from tools.simulation.origin import CrossOrigin, Origin
from tools.simulation.software import BROWSERS, CLIENTS
from tools.simulation.topics import changed_fields

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Sequence

    from tools.simulation.agents import Hop
    from tools.simulation.kernel import Flow
    from tools.simulation.messages import Answer, Document, Fields
    from tools.simulation.skin import Skin


_VENDORS = (
    ".amazonaws.com",
    ".windows.net",
    "googleapis.com",
    ".azure.com:443",
    "microsoft.com",
    "contentful.com",
    "zotero.org",
    "github.com",
    "box.com",
    "twilio.com",
)


@dataclass(slots=True)
class Told:
    """What the world did: the label, but for the files.

    Attributes:
        slug: short name.
        cause: root cause, `none` for healthy traffic.
        outcome: status of the refusal, lost-update, lost-write, wrong-304, recovered, healthy, ...
        alone: causes that the client's file by itself supports, best first.
        description: one or two sentences.
        also: what is true as well.
        needs: roles of vantages without which the cause could not be told.
        bodies: whether the answer needs contents, so that they may not be left out.
    """

    slug: str
    cause: str
    outcome: str
    alone: tuple[str, ...]
    description: str
    also: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()
    bodies: bool = True


def benign_if_healed(told: Told) -> Told:
    """Return a label as it is, but `none` for a conflict with another writer that its client healed.

    The precondition did its job and nobody has to act: docs/decisions/007.
    """
    if (told.cause, told.outcome) != ("other-writer", "recovered"):
        return told
    return replace(told, cause="none", alone=("none", *told.alone), also=("other-writer", *told.also))


class Editor:
    """An actor that reads and writes through a dialect and remembers what it saw."""

    def __init__(self, agent: Agent, skin: Skin) -> None:
        self.agent = agent
        self.skin = skin
        self.token: str | None = None
        self.document: Document = {}
        self.seen: list[str] = []
        self.blind = False

    def read(self, key: str, extra: Fields | None = None, *, learn: bool = True) -> Flow[Answer]:
        """Read a resource and remember its content and token."""
        request = self.skin.read(key)
        request.fields = [*request.fields, *(extra or [])]
        answer = yield from self.agent.send(request)
        if isinstance(answer, Response) and answer.status == 200:
            token = self.skin.token_of(answer)
            if learn:
                self.token = token
                self.document = dict(answer.document or {})
            if token is not None:
                self.seen.append(token)
        return answer

    def poll(self, key: str, tag: str | None = None) -> Flow[Answer]:
        """Read a resource only if it has another tag."""
        request = self.skin.read(key)
        known = tag or self.token
        if known is not None and self.skin.token_field == "If-Match":
            request.fields.append(("If-None-Match", known))
        answer = yield from self.agent.send(request)
        return answer

    def save(
        self, key: str, document: Document, token: str | None = None, *, guarded: bool = True, learn: bool = True,
        limit: float | None = None, attempt: int = 1,
    ) -> Flow[Answer]:  # fmt: skip
        """Write a resource under the token remembered, or the one given."""
        used = (token if token is not None else self.token) if guarded else None
        request = self.skin.write(key, document, used, self.document)
        answer = yield from self.agent.send(request, limit=limit, attempt=attempt)
        if isinstance(answer, Response) and answer.status < 300 and learn:
            fresh = self.skin.token_of(answer)
            self.blind = fresh is None
            if fresh is not None:
                self.token = fresh
                self.seen.append(fresh)
            self.document = dict(document)
        return answer

    def look(self, key: str) -> Flow[None]:
        """Read again if the answer to the last write told no token."""
        if self.blind:
            yield from self.agent.think(0.02, 0.3)
            yield from self.read(key)
            self.blind = False


class Stage:
    """One case in the making.

    Args:
        seed: decides everything.
        skin: dialect.
        busy: exchanges of background noise, about.
    """

    def __init__(self, seed: str, skin: Callable[[World], Skin], busy: int = 0) -> None:
        self.world = World(seed, _start(seed))
        self.rng = self.world.rng
        self.skin = skin(self.world)
        self.origin = Origin(self.world, self.skin)
        self._pages: CrossOrigin | None = None
        self.upstream = Tape("upstream", peer="10.0.4.21")
        self.edge: Hop = Tap(self.world, self.origin, self.upstream)
        self.direct: Hop = self.edge
        self.arriving = Tape("edge", peer="10.0.4.3")
        self._edge_settled = False
        self.busy = busy
        self.agents: list[Agent] = []
        self.extra_tapes: list[Tape] = []
        self.key = self.skin.new_key()
        self.own_fields: list[Fields] = []
        self.digits = self.rng.choice((6, 6, 6, 3, 3))

    def between(self, make: Callable[[Hop], Hop]) -> None:
        """Put an intermediary before what is there."""
        self.edge = make(self.edge)

    def benign(self) -> None:
        """Perhaps put a harmless proxy in front."""
        if self.skin.fronted and self.rng.random() < 0.45:
            look = self.rng.choice(BENIGN)
            self.between(lambda inner: Plain(self.world, inner, look))

    def editor(self, role: str = "client", kinds: Sequence[str] | None = None, *, direct: bool = False, like: Editor | None = None, credentials: bool | None = None) -> Editor:  # fmt: skip
        """Bring an actor on stage.

        Args:
            role: client, or other for anybody else.
            kinds: client software to choose from; the dialect's own by default.
            direct: goes to the origin past the intermediaries.
            like: an actor whose software and credentials it has too.
            credentials: whether it sends some; by chance by default.
        """
        rng = self.rng
        self._watch_the_edge()
        kind = like.agent.kind if like else CLIENTS[rng.choice(tuple(kinds or self.skin.clients))]
        own: Fields = list(like.agent.own) if like else self._credentials(kind.name, credentials)
        agent = Agent(
            self.world,
            kind,
            self.direct if direct else self.edge,
            role=role,
            own=own,
            delay=rng.choice((0.0008, 0.012, 0.03, 0.06)),
        )
        agent.tape.digits = self.digits
        if kind.flavour == "tap":
            agent.tape.flavour = rng.choice(("tap", "tap", "tap", "mitmproxy", "toolkit"))
            if rng.random() < 0.15:
                agent.tape.lower_case, agent.tape.version = True, "HTTP/2.0"
        agent.tape.peer = f"192.0.2.{rng.randrange(2, 250)}"
        self.agents.append(agent)
        return Editor(agent, self.skin)

    def _watch_the_edge(self) -> None:
        """Perhaps record what arrives at the first intermediary."""
        if self.edge is self.direct or isinstance(self.edge, Tap) or self._edge_settled:
            return
        self._edge_settled = True
        if self.rng.random() < 0.22:
            self.edge = Tap(self.world, self.edge, self.arriving)

    def _credentials(self, kind: str, wanted: bool | None) -> Fields:
        rng = self.rng
        sends = rng.random() < 0.6 if wanted is None else wanted
        fields: Fields = []
        if kind in BROWSERS and rng.random() < 0.5:
            fields += self._page()
        if kind in {"boto3", "awsgo"}:
            return [
                *fields,
                (
                    "Authorization",
                    f"AWS4-HMAC-SHA256 Credential=AKIA{rng.getrandbits(48):012X}/20260301/eu-west-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature={rng.getrandbits(128):032x}",
                ),
            ]
        if sends:
            fields.append(
                (
                    "Authorization",
                    rng.choice(("Bearer {}", "Bearer eyJhbGciOiJIUzI1NiJ9.{}", "Basic {}")).format(
                        f"{rng.getrandbits(80):020x}"
                    ),
                )
            )
        if rng.random() < 0.12:
            fields.append(("X-Request-Source", rng.choice(("web", "mobile", "batch"))))
        return fields

    def _page(self) -> Fields:
        """Return the fields that tell of the page: one of the same origin, or of another that is let in."""
        if self.edge is not self.direct or self.rng.random() < 0.6:
            return [("Referer", f"{self.skin.origin_url}/")]
        site = f"https://app.{self.skin.host.partition('.')[2] or self.skin.host}"
        self.let_in(CrossOrigin(site, vary=True, exposes=True, allows=True))
        return [("Origin", site), ("Referer", f"{site}/")]

    def let_in(self, pages: CrossOrigin) -> None:
        """Let pages of another origin in, as far as they are."""
        first, self._pages = self._pages is None, pages
        if first:
            plain = self.origin.dressed
            self.origin.dressed = lambda answer: self._opened(plain(answer))  # type: ignore[method-assign]
            self.origin.hooks.append(lambda request: self._pages(request) if self._pages else None)

    def _opened(self, answer: Response) -> Response:
        return self._pages.opened(answer) if self._pages else answer

    def first(self, age: float | None = None, key: str | None = None) -> Document:
        """Store a first version of the resource and return its content."""
        document = self.skin.topic.first(self.rng)
        self.origin.seed(key or self.key, document, self.rng.uniform(600, 400000) if age is None else age)
        return document

    def edit(
        self, document: Document, avoid: Document | None = None, base: Document | None = None
    ) -> Document:
        """Return a content with one field changed, not one that `avoid` changed against `base`."""
        taken = changed_fields(base, avoid) if avoid is not None and base is not None else frozenset()
        return self.skin.topic.edit(self.rng, document, taken)

    def play(self, story: Flow[None]) -> None:
        """Run a story to its end, with noise beside it."""
        self.world.spawn(self._after_prelude(story), delay=0.5 if self.busy else 0.0)
        if self.busy and self.agents:
            for flow in noise(self, self.agents[0], self.busy):
                self.world.spawn(flow)
        self.world.run()

    def _after_prelude(self, story: Flow[None]) -> Flow[None]:
        """Perhaps sign in or look at something else first."""
        if self.agents and not self.skin.host.endswith(_VENDORS) and self.rng.random() < 0.25:
            agent = self.agents[0]
            for flow in prelude(self, agent):
                yield from flow
        yield from story

    def inner_address(self) -> tuple[str, str] | None:
        """Return how clients and the origin's side call the origin, where they differ."""
        chance = self.rng.random()
        outer = self.skin.origin_url
        if self.edge is self.direct or chance < 0.4:
            return None
        if chance < 0.8:
            return (outer, outer.replace("https://", "http://")) if outer.startswith("https") else None
        return outer, f"http://{self.rng.choice(('backend:8080', '10.0.4.21:8000', 'app.internal:9000'))}"


def _start(seed: str) -> float:
    number = int(hashlib.sha256(seed.encode()).hexdigest()[:12], 16)
    return 1767225600 + number % 28_000_000 + (number % 997) / 997


@dataclass(slots=True)
class Case:
    """A case ready to be written."""

    id: str
    family: str
    told: Told
    dialect: str
    tapes: list[Tape]
    curl: bool = False
    names: dict[str, str] = field(default_factory=dict)


def collect(stage: Stage, told: Told, case_id: str, family: str) -> Case:
    """Choose which vantages are handed over, and how whole they are."""
    told = benign_if_healed(told)
    rng = stage.rng
    client = [agent.tape for agent in stage.agents if agent.tape.role == "client"]
    others = [agent.tape for agent in stage.agents if agent.tape.role == "other" and agent.tape.exchanges]
    kept = list(client[:1])
    show_others = "other" in told.needs or rng.random() < 0.75
    if show_others:
        kept += others
    ups = [tape for tape in (stage.upstream, *stage.extra_tapes) if tape.exchanges]
    inner = stage.inner_address()
    for tape in ups:
        tape.inner = inner
    if "upstream" in told.needs or rng.random() < 0.65:
        kept += ups
        kept += [stage.arriving] if stage.arriving.exchanges else []
    if rng.random() < 0.15:
        for tape in kept[1:]:
            tape.clock = rng.choice((-7.4, -2.1, 3.2, 11.8))
    if not told.bodies and not stage.skin.body_tokens and rng.random() < 0.35:
        left = rng.choice(("none", "none", "answers", "requests"))
        for tape in kept:
            tape.bodies = left
    if len(kept) == 1 and kept[0].flavour == "tap" and rng.random() < 0.2:
        kept[0].digits = 0
    return Case(case_id, family, told, stage.skin.id, kept, curl=_for_curl(stage, kept[0]))


def _for_curl(stage: Stage, tape: Tape) -> bool:
    plain = all(
        isinstance(part, str | None) and stage.skin.form != "binary"
        for one in tape.exchanges
        for part in (one.request.body, one.answer.body if isinstance(one.answer, Response) else None)
    )
    return stage.agents[0].kind.name == "curl" and plain


def write_case(case: Case, folder: pathlib.Path) -> None:
    """Write the files of a case and its label into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, object] = {}
    names = _names(case.tapes)
    for tape, name in zip(case.tapes, names, strict=True):
        path = f"{case.id}.{name}.har"
        (folder / path).write_text(har.har_text(tape))
        statuses = [0 if isinstance(one.answer, Lost) else one.answer.status for one in tape.exchanges]
        entry: dict[str, object] = {"har": path, "entries": len(statuses), "statuses": statuses}
        if name == "client" and case.curl:
            text = f"{case.id}.client.curl.txt"
            (folder / text).write_text(har.curl_text(tape), newline="")
            entry["curl_v"] = text
        files[name] = entry
    told = case.told
    label = {
        "id": case.id, "slug": told.slug, "cause": told.cause, "outcome": told.outcome,
        "acceptable_from_client_alone": list(told.alone), "also_true": list(told.also), "synthetic": True,
        "description": told.description, "family": case.family, "dialect": case.dialect, "files": files,
    }  # fmt: skip
    (folder / f"{case.id}.label.json").write_text(json.dumps(label, indent=1) + "\n")


def _names(tapes: list[Tape]) -> list[str]:
    roles = [tape.role for tape in tapes]
    names: list[str] = []
    for number, role in enumerate(roles):
        same = roles.count(role)
        place = roles[: number + 1].count(role)
        names.append(role if same == 1 or (role == "other" and place == 1) else f"{role}{place}")
    return names


def request(method: str, url: str, fields: Fields | None = None, body: str | None = None) -> Request:
    """Return a request, for stories that need one of their own."""
    return Request(method, url, list(fields or []), body)
