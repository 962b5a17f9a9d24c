"""Ranged reads of things that change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tools.simulation.agents import Agent
from tools.simulation.messages import Request, Response, put, without
from tools.simulation.stage import Told
from tools.simulation.store import Entry

if TYPE_CHECKING:
    from tools.simulation.kernel import Flow
    from tools.simulation.messages import Answer
    from tools.simulation.stage import Stage

_SIZE = 96


def _ranges(stage: Stage, honours: bool = True) -> None:
    """Teach the origin byte ranges (of the text) and If-Range."""
    plain = stage.origin.dressed
    latest: Request | None = None
    stage.skin.topic = replace(
        stage.skin.topic, noun=stage.rng.choice(("firmware", "media", "tiles", "archives", "exports"))
    )

    def content(entry: object, _tag: str) -> str:
        assert isinstance(entry, Entry)  # noqa: S101 - narrows a type
        unit = f"{entry.version:06d}:" + "".join(sorted(str(value) for value in entry.document.values()))
        return (unit.replace("\n", " ") * 60)[: _SIZE * 3]

    stage.skin.content = content  # type: ignore[method-assign,assignment]

    def hook(request: Request) -> Response | None:
        nonlocal latest
        latest = request
        return None

    def dressed(answer: Response) -> Response:
        request = latest or Request("GET", "")
        asked = request.field("Range")
        if answer.status == 200 and asked and request.method == "GET":
            condition = request.field("If-Range")
            if not honours or condition is None or condition == answer.field("ETag"):
                answer = _part(answer, asked)
        if answer.status in {200, 206} and request.method == "GET":
            answer.fields = put(answer.fields, "Accept-Ranges", "bytes")
        return plain(answer)

    stage.origin.hooks.append(hook)
    stage.origin.dressed = dressed  # type: ignore[method-assign]


def _part(answer: Response, asked: str) -> Response:
    body = answer.body if isinstance(answer.body, str) else ""
    first, _, last = asked.removeprefix("bytes=").partition("-")
    start, end = int(first), min(int(last or len(body) - 1), len(body) - 1)
    part = answer.copy()
    part.status, part.body = 206, body[start : end + 1]
    part.fields = put(
        without(part.fields, "Content-Length"), "Content-Range", f"bytes {start}-{end}/{len(body)}"
    )
    part.fields = put(part.fields, "Content-Length", str(end + 1 - start))
    return part


def _replace(stage: Stage) -> None:
    entry = stage.origin.store[stage.key]
    stage.origin.commit(stage.key, stage.edit(entry.document), "deployment")


def _fetch(stage: Stage, agent: object, number: int, guard: tuple[str, str] | None) -> Flow[Answer]:
    assert isinstance(agent, Agent)  # noqa: S101 - narrows a type
    fields = [("Range", f"bytes={number * _SIZE}-{number * _SIZE + _SIZE - 1}")]
    if guard is not None:
        fields.append(guard)
    answer = yield from agent.send(Request("GET", stage.skin.url(stage.key), fields))
    return answer


def read_changed(stage: Stage) -> Told:
    """The object is replaced between the parts."""
    stage.first()
    stage.benign()
    guarded = stage.rng.random() < 0.5
    _ranges(stage)
    me = stage.editor()

    def story() -> Flow[None]:
        answer = yield from _fetch(stage, me.agent, 0, None)
        tag = stage.skin.token_of(answer) or '"x"'
        yield from me.agent.think(0.3, 2)
        if stage.rng.random() < 0.5:
            yield from _fetch(stage, me.agent, 1, ("If-Match", tag) if guarded else None)
            yield from me.agent.think(0.3, 2)
        _replace(stage)
        yield from me.agent.think(0.3, 2)
        yield from _fetch(stage, me.agent, 2, ("If-Match", tag) if guarded else None)
        if guarded and stage.rng.random() < 0.5:
            yield from me.agent.send(Request("HEAD", stage.skin.url(stage.key)))

    stage.play(story())
    words = (
        "the next part, asked for with If-Match, is refused."
        if guarded
        else "the parts carry different tags and do not fit together."
    )
    return Told(
        "replaced-between-parts" if guarded else "spliced-from-two-versions",
        "read-changed-mid-transfer",
        "412" if guarded else "wrong-206",
        ("read-changed-mid-transfer",),
        f"A download in parts; the object is replaced between them: {words}",
        bodies=False,
    )


def if_range_ignored(stage: Stage) -> Told:
    """If-Range is not looked at: the rest of another version comes as 206."""
    stage.first()
    _ranges(stage, honours=False)
    me = stage.editor()

    def story() -> Flow[None]:
        answer = yield from _fetch(stage, me.agent, 0, None)
        tag = stage.skin.token_of(answer) or '"x"'
        yield from me.agent.think(0.5, 4)
        _replace(stage)
        yield from me.agent.think(0.3, 2)
        yield from _fetch(stage, me.agent, 1, ("If-Range", tag))
        yield from _fetch(stage, me.agent, 2, ("If-Range", tag))

    stage.play(story())
    return Told(
        "if-range-not-honoured",
        "precondition-ignored",
        "wrong-206",
        ("precondition-ignored", "read-changed-mid-transfer", "server-precondition-bug"),
        "A resumed download guards itself with If-Range; the server does not look at it and sends the rest of another version as 206.",
        also=("read-changed-mid-transfer",),
        bodies=False,
    )


def restart(stage: Stage) -> Told:
    """Healthy: If-Range makes the server send the whole new file."""
    stage.first()
    _ranges(stage)
    me = stage.editor()

    def story() -> Flow[None]:
        answer = yield from _fetch(stage, me.agent, 0, None)
        tag = stage.skin.token_of(answer) or '"x"'
        yield from me.agent.think(0.5, 4)
        yield from _fetch(stage, me.agent, 1, ("If-Range", tag))
        yield from _fetch(stage, me.agent, 2, ("If-Range", tag))

    stage.play(story())
    return Told(
        "resumed-whole",
        "none",
        "healthy",
        ("none",),
        "A download is resumed twice with If-Range and ends complete; the file stays the same.",
        bodies=False,
    )
