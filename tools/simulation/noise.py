"""Traffic beside the story: assets, polls, other resources, telemetry, preflights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.simulation.messages import Request, Response, http_date

if TYPE_CHECKING:
    from tools.simulation.agents import Agent
    from tools.simulation.kernel import Flow
    from tools.simulation.messages import Answer
    from tools.simulation.stage import Stage


class _Other:
    """A host that answers anything: assets, telemetry."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def serve(self, request: Request) -> Flow[Answer]:
        yield self.stage.rng.uniform(0.002, 0.03)
        date = ("Date", http_date(self.stage.world.now))
        if request.method == "POST":
            return Response(204, [date, ("Access-Control-Allow-Origin", "*")])
        known = request.field("If-None-Match")
        tag = f'"{abs(hash_text(request.url)):x}"'
        if known == tag:
            return Response(304, [date, ("ETag", tag), ("Cache-Control", "public, max-age=600")])
        fields = [
            date,
            *([("Access-Control-Allow-Origin", "*")] if request.field("Origin") else []),
            ("Content-Type", "text/javascript"),
            ("ETag", tag),
            ("Cache-Control", "public, max-age=600"),
            ("Content-Length", "18"),
        ]
        return Response(200, fields, "console.log('ok');")


def hash_text(text: str) -> int:
    """Return a number for a text that is the same in each run."""
    value = 5381
    for character in text:
        value = (value * 33 + ord(character)) & 0xFFFFFFFFFF
    return value


def noise(stage: Stage, agent: Agent, amount: int) -> list[Flow[None]]:
    """Return background flows of one actor, `amount` exchanges in all, about."""
    keys = [stage.skin.new_key() for _ in range(2)]
    for key in keys:
        stage.first(key=key)
    flows: list[Flow[None]] = []
    if agent.kind.browser:
        flows.append(_assets(stage, agent, amount // 3))
    else:
        flows.append(_polls(stage, agent, keys[1], amount // 3))
    flows.append(_polls(stage, agent, keys[0], amount // 3))
    flows.append(_reads(stage, agent, keys[1], amount // 3))
    return flows


def _assets(stage: Stage, agent: Agent, amount: int) -> Flow[None]:
    rng = stage.rng
    host = f"cdn.{stage.skin.host.partition('.')[2] or 'example'}"
    known: dict[str, str] = {}
    elsewhere = _Other(stage)
    for _ in range(amount):
        yield rng.uniform(0.05, 0.9)
        if rng.random() < 0.2:
            body = f'{{"event":"view","n":{rng.randrange(100)}}}'
            beacon = Request(
                "POST",
                "https://telemetry.example.test/v1/events",
                [("Content-Type", "application/json")],
                body,
            )
            yield from agent.send(beacon, kind="beacon", route=elsewhere)
            continue
        url = f"https://{host}/static/{rng.choice(('app', 'vendor', 'chunk-3', 'chunk-8', 'locale-en'))}.{rng.randrange(3)}.js"
        fields = [("If-None-Match", known[url])] if url in known else []
        answer = yield from agent.send(Request("GET", url, fields), kind="script", route=elsewhere)
        if isinstance(answer, Response) and answer.field("ETag"):
            known[url] = answer.field("ETag") or ""


def _polls(stage: Stage, agent: Agent, key: str, amount: int) -> Flow[None]:
    tag: str | None = None
    for _ in range(amount):
        yield stage.rng.uniform(0.3, 1.6)
        request = stage.skin.read(key)
        if tag is not None and stage.skin.token_field == "If-Match":
            request.fields.append(("If-None-Match", tag))
        answer = yield from agent.send(request)
        if isinstance(answer, Response):
            tag = answer.field("ETag") or tag


def _reads(stage: Stage, agent: Agent, key: str, amount: int) -> Flow[None]:
    for _ in range(amount):
        yield stage.rng.uniform(0.2, 1.5)
        if stage.rng.random() < 0.8:
            yield from agent.send(stage.skin.read(key))
        else:
            yield from agent.send(Request("HEAD" if stage.skin.id == "rest" else "GET", stage.skin.url(key)))


def prelude(stage: Stage, agent: Agent) -> list[Flow[Answer]]:
    """Return what an actor may do before the story: sign in, ask for options, read something else."""
    rng = stage.rng
    elsewhere = _Signing(stage)
    base = f"{stage.skin.origin_url}{stage.skin.prefix}"
    form = [("Content-Type", "application/json")]
    steps = [
        agent.send(
            Request("POST", f"{base}/session", form, '{"user":"anna","remember":true}'), route=elsewhere
        ),
        agent.send(Request("GET", f"{base}/me"), route=elsewhere),
        agent.send(Request("GET", f"{base}/status"), route=elsewhere),
    ]
    return rng.sample(steps, rng.choice((1, 2)))


class _Signing:
    """Answers to what comes before a story."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def serve(self, request: Request) -> Flow[Answer]:
        yield self.stage.rng.uniform(0.004, 0.05)
        bodies = {"session": '{"expiresIn":3600}', "me": '{"id":"u-17","name":"Anna"}'}
        body = bodies.get(request.url.rpartition("/")[2], '{"status":"ok"}')
        return self.stage.origin.dressed(self.stage.skin.json_answer(200, body))
