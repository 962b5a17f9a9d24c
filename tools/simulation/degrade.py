"""Take evidence away from captures, or put noise into them: less evidence may never make a sure wrong answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from ifmatch.capture.redact import Redactor
from ifmatch.model.exchange import Capture, Exchange, Provenance
from ifmatch.model.message import Content, Fields, Request, Response
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifmatch.model.unknown import UnknownType

    Body: TypeAlias = "Content | UnknownType | None"
    Variant: TypeAlias = "Callable[[tuple[Capture, ...]], tuple[Capture, ...]]"

_NOISE: Final = 100
# Where the second incident of `twice` happens.
OTHER_SERVICE: Final = "notes.second.example"


def _each(captures: tuple[Capture, ...], change: Callable[[Exchange], Exchange]) -> tuple[Capture, ...]:
    return tuple(
        replace(one, exchanges=tuple(change(exchange) for exchange in one.exchanges)) for one in captures
    )


def without_bodies(captures: tuple[Capture, ...]) -> tuple[Capture, ...]:
    """Make every content unknown, as an export without content does."""

    def gone(content: Body) -> Body:
        return None if content is None else UNKNOWN

    def change(one: Exchange) -> Exchange:
        response = one.response
        return replace(
            one,
            request=replace(one.request, content=gone(one.request.content)),
            response=None if response is None else replace(response, content=gone(response.content)),
        )

    return _each(captures, change)


def whole_seconds(captures: tuple[Capture, ...]) -> tuple[Capture, ...]:
    """Cut the times down to whole seconds."""

    def change(one: Exchange) -> Exchange:
        started = None if one.started is None else float(int(one.started))
        return replace(one, started=started, resolution=1.0)

    return _each(captures, change)


def lower_case(captures: tuple[Capture, ...]) -> tuple[Capture, ...]:
    """Write field names as HTTP/2 does."""

    def lowered(fields: Fields) -> Fields:
        return Fields([(name.lower(), value) for name, value in fields])

    def change(one: Exchange) -> Exchange:
        response = one.response
        return replace(
            one,
            request=replace(one.request, fields=lowered(one.request.fields)),
            response=None if response is None else replace(response, fields=lowered(response.fields)),
        )

    return _each(captures, change)


def cut(captures: tuple[Capture, ...]) -> tuple[Capture, ...]:
    """Lose the last exchange of each file, as a file cut short does; a file of one exchange stays."""
    return tuple(
        replace(one, exchanges=one.exchanges[:-1]) if len(one.exchanges) > 1 else one for one in captures
    )


def late(captures: tuple[Capture, ...]) -> tuple[Capture, ...]:
    """Lose the first exchange of each file, as a recording begun late does; a file of one exchange stays."""
    return tuple(
        replace(one, exchanges=one.exchanges[1:]) if len(one.exchanges) > 1 else one for one in captures
    )


def fewer(captures: tuple[Capture, ...]) -> tuple[Capture, ...]:
    """Lose the last file, mostly that of an upstream; a single file stays."""
    return captures[:-1] if len(captures) > 1 else captures


def _asset(source: str, number: int, started: float) -> Exchange:
    tag = f'"{number:x}-{started:.0f}"'
    answer = Fields([("ETag", tag), ("Cache-Control", "max-age=600"), ("Content-Type", "text/css")])
    return Exchange(
        Provenance(source, number),
        Request(
            "GET", f"https://assets.example.test/css/{number}.css", Fields([("Host", "assets.example.test")])
        ),
        Response(200, "OK", answer, Content.from_text("a{}")),
        started=started,
        duration=0.002,
    )


def among_noise(captures: tuple[Capture, ...]) -> tuple[Capture, ...]:
    """Put a hundred unrelated exchanges between those of the first file."""
    first = captures[0]
    if not first.exchanges:
        return captures
    each = _NOISE // len(first.exchanges) + 1
    out: list[Exchange] = []
    for one in first.exchanges:
        for step in range(each):
            out.append(_asset(first.name, len(out), (one.started or 0.0) - 0.0005 * (each - step)))
        out.append(replace(one, provenance=replace(one.provenance, entry=len(out))))
    return (replace(first, exchanges=tuple(out)), *captures[1:])


def twice(captures: tuple[Capture, ...]) -> tuple[Capture, ...]:
    """Put a second incident, on another service, behind the first file's exchanges."""
    first = captures[0]
    begin = max((one.ended or 0.0 for one in first.exchanges), default=0.0) + 5.0
    resolution = first.exchanges[0].resolution if first.exchanges else 0.0
    agent = next((one.request.fields.text("user-agent") for one in first.exchanges), None)
    sent = [("Host", OTHER_SERVICE), *([("User-Agent", agent)] if agent else [])]
    told = [
        ("GET", [], 200, [("ETag", '"n-1"')], '{"plan": "a"}'),
        ("PUT", [("If-Match", '"n-1"')], 412, [], '{"error": "changed"}'),
        ("GET", [], 200, [("ETag", '"n-2"')], '{"plan": "b"}'),
    ]
    more = [
        Exchange(
            Provenance(first.name, len(first.exchanges) + number),
            Request(
                method,
                f"https://{OTHER_SERVICE}/notes/7",
                Fields([*sent, *guard]),
                Content.from_text('{"plan": "c"}') if method == "PUT" else None,
            ),
            Response(
                status,
                "",
                Fields([*fields, ("Content-Type", "application/json")]),
                Content.from_text(body),
            ),
            started=begin + 2 * number,
            duration=0.02,
            resolution=resolution,
        )
        for number, (method, guard, status, fields, body) in enumerate(told)
    ]
    return (replace(first, exchanges=(*first.exchanges, *more)), *captures[1:])


def redacted(captures: tuple[Capture, ...]) -> tuple[Capture, ...]:
    """Hide the secrets, with one key for the case."""
    redactor = Redactor(b"k" * 32)
    redactor.learn(captures)
    return tuple(redactor.capture(one) for one in captures)


def renamed(captures: tuple[Capture, ...]) -> tuple[Capture, ...]:
    """Turn the order of the files round and give them other names."""
    out: list[Capture] = []
    for number, one in enumerate(reversed(captures)):
        name = f"capture ({number}).json"
        moved = tuple(
            replace(exchange, provenance=replace(exchange.provenance, source=name))
            for exchange in one.exchanges
        )
        out.append(replace(one, name=name, exchanges=moved))
    return tuple(out)


VARIANTS: Final[dict[str, Variant]] = {
    "without bodies": without_bodies,
    "whole seconds": whole_seconds,
    "lower-case names": lower_case,
    "cut": cut,
    "begun late": late,
    "a file less": fewer,
    "second incident": twice,
    "among noise": among_noise,
    "redacted": redacted,
    "renamed": renamed,
}
