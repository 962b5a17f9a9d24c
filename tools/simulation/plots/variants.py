"""Tags of one variant compared with another's."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from tools.simulation.plots.conflicts import status_of
from tools.simulation.stage import Told

if TYPE_CHECKING:
    from tools.simulation.kernel import Flow
    from tools.simulation.messages import Request
    from tools.simulation.stage import Stage
    from tools.simulation.store import Entry


def representation_mismatch(stage: Stage) -> Told:
    """The tag of a variant, compared with another variant's."""
    stage.first()
    name, mine_value, default = stage.rng.choice(
        (
            ("Accept-Language", "fr", "en"),
            ("Accept", "application/hal+json", "application/json"),
            ("Accept-Language", "de-DE", ""),
            ("Accept", "application/xml", "application/json"),
            ("API-Version", "2026-01", "2025-06"),
        )
    )
    me = stage.editor(kinds=("requests", "go", "java", "dotnet", "php", "curl"))
    faults = stage.origin.faults
    faults.accept_variant, faults.variant_of_write = name, default
    stage.origin.tag = _variant_tag(stage, name, default)  # type: ignore[method-assign]
    heals = stage.rng.random() < 0.7

    def story() -> Flow[None]:
        yield from me.read(stage.key, [(name, mine_value)])
        yield from me.agent.think()
        mine = stage.edit(me.document)
        yield from me.save(stage.key, mine)
        yield from me.agent.think(0.1, 1)
        if heals and stage.rng.random() < 0.5:
            request = stage.skin.write(stage.key, mine, me.token, me.document)
            request.fields.append((name, mine_value))
            yield from me.agent.send(request)
            return
        yield from me.read(stage.key, [(name, mine_value)] if not heals else [])
        if heals:
            yield from me.save(stage.key, mine)

    stage.play(story())
    alone: tuple[str, ...] = (
        ("representation-mismatch",) if heals else ("representation-mismatch", "etag-source-mismatch")
    )
    return Told(
        f"variant-by-{name.lower()}",
        "representation-mismatch",
        "recovered" if heals else status_of(stage),
        alone,
        f"The client reads with {name}: {mine_value} and writes without it; the write is compared with the tag of the other variant."
        + (" With like fields on both it passes." if heals else ""),
        needs=frozenset({"upstream"}),
    )


def _variant_tag(stage: Stage, name: str, default: str):  # type: ignore[no-untyped-def]  # noqa: ANN202

    def tag(entry: Entry, request: Request, _use: str) -> str | None:
        value = request.field(name)
        shown = copy.copy(entry)
        shown.salt = (
            default if value in {None, "*/*", "application/json, text/plain, */*"} else (value or default)
        )
        return stage.skin.tag(shown)

    return tag


def representation_by_query(stage: Stage) -> Told:
    """The tag of a view chosen by the query, compared with the whole's."""
    stage.first()
    query = stage.rng.choice(
        ("fields=summary", "$select=name,status", "view=compact", "expand=children", "format=full")
    )
    stage.origin.tag = _query_tag(stage)  # type: ignore[method-assign]
    me = stage.editor()
    heals = stage.rng.random() < 0.7

    def story() -> Flow[None]:
        request = stage.skin.read(stage.key)
        plain = request.url
        request.url = f"{plain}?{query}"
        answer = yield from me.agent.send(request)
        me.token = stage.skin.token_of(answer)
        me.document = dict(stage.origin.store[stage.key].document)
        yield from me.agent.think()
        mine = stage.edit(me.document)
        yield from me.save(stage.key, mine)
        yield from me.agent.think(0.1, 1)
        yield from me.read(stage.key)
        if heals:
            yield from me.save(stage.key, mine)

    stage.play(story())
    return Told(
        "variant-by-query",
        "representation-mismatch",
        "recovered" if heals else status_of(stage),
        ("representation-mismatch", "wrong-token-source", "etag-source-mismatch"),
        f"The client reads with ?{query} and writes without it; that view has a tag of its own, and the write is compared with the whole's"
        + ("; with the tag of a plain read it passes." if heals else "."),
        needs=frozenset({"upstream"}),
    )


def _query_tag(stage: Stage):  # type: ignore[no-untyped-def]  # noqa: ANN202
    def tag(entry: Entry, request: Request, _use: str) -> str | None:
        shown = copy.copy(entry)
        shown.salt = request.url.partition("?")[2]
        return stage.skin.tag(shown)

    return tag
