"""Tokens that are nothing, damaged, or of another thing."""

from __future__ import annotations

import base64
import urllib.parse
from typing import TYPE_CHECKING

from tools.simulation.messages import put
from tools.simulation.plots.conflicts import intrude, status_of
from tools.simulation.stage import Told
from tools.simulation.store import Entry

if TYPE_CHECKING:
    from tools.simulation.kernel import Flow
    from tools.simulation.messages import Document, Request, Response
    from tools.simulation.stage import Stage

NULLS = ("null", "undefined", "None", '""', '"null"', 'W/""', "{{etag}}", '"undefined"', "nil", "${etag}")
DAMAGES = ("unquoted", "unquoted", "doubled", "escaped", "json", "html", "percent", "base64", "single", "cut", "suffix-outside", "named", "angle", "nested", "bracket", "typographic", "buster")  # fmt: skip


def null_token(stage: Stage) -> Told:
    """A word for nothing in the place of a token."""
    stage.first()
    stage.benign()
    me = stage.editor()
    word = stage.rng.choice(("undefined", "null", "NaN") if stage.skin.numeric_token else NULLS)
    again = stage.rng.random() < 0.4
    picky = stage.skin.numeric_token or stage.rng.random() < 0.25
    stage.origin.faults.reject_malformed = picky and not word.startswith(('"', "W/"))
    outcome = "400" if stage.origin.faults.reject_malformed else status_of(stage)

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        mine = stage.edit(me.document)
        for _ in range(2 if again else 1):
            yield from me.save(stage.key, mine, word)
            yield from me.agent.think(0.3, 2)
        if stage.rng.random() < 0.5:
            yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "nothing-sent-as-token",
        "null-token",
        outcome,
        ("null-token",),
        f"The client sends {word} where a token belongs; the read just before gave it a real one.",
        bodies=False,
    )


def damaged(tag: str, how: str) -> str:
    """Return an entity tag as people damage it."""
    inner = tag.removeprefix("W/").strip('"')
    forms = {
        "unquoted": inner,
        "doubled": f'""{inner}""',
        "escaped": f'\\"{inner}\\"',
        "json": f'"\\"{inner}\\""',
        "html": f"&quot;{inner}&quot;",
        "percent": urllib.parse.quote(tag, safe=""),
        "base64": base64.b64encode(tag.encode()).decode(),
        "single": f"'{inner}'",
        "cut": f'"{inner}',
        "suffix-outside": f'"{inner}"-gzip',
        "lower-weak": f'w/"{inner}"',
        "named": f'ETag: "{inner}"',
        "angle": f'<"{inner}">',
        "nested": f"\"'{inner}'\"",
        "bracket": f'["{inner}"]',
        "typographic": f"\u201c{inner}\u201d",
        "buster": f'"{inner}"?v=3',
    }
    return forms[how]


def malformed_validator(stage: Stage) -> Told:
    """A real tag, damaged on its way into the request."""
    stage.first()
    stage.benign()
    me = stage.editor()
    how = stage.rng.choice(DAMAGES)
    stage.origin.faults.reject_malformed = stage.rng.random() < 0.25 and how not in {
        "json",
        "nested",
        "doubled",
    }
    heals = stage.rng.random() < 0.3
    outcome = "400" if stage.origin.faults.reject_malformed else status_of(stage)

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        mine = stage.edit(me.document)
        yield from me.save(stage.key, mine, damaged(me.token or '"x"', how))
        if stage.rng.random() < 0.6 or heals:
            yield from me.agent.think(0.2, 1)
            yield from me.read(stage.key)
        if heals:
            yield from me.save(stage.key, mine)

    stage.play(story())
    return Told(
        f"damaged-{how}",
        "malformed-validator",
        "recovered" if heals else outcome,
        ("malformed-validator",),
        f"The tag was damaged on its way into the request ({how}); unharmed it is the current one.",
        bodies=False,
    )


def malformed_writes(stage: Stage) -> Told:
    """A damaged tag that the server throws away, so that the write is unguarded."""
    stage.first()
    me, rival = stage.editor(), stage.editor("other")
    how = stage.rng.choice(("unquoted", "escaped", "html", "percent", "single"))
    stage.origin.faults.drop_malformed = True
    stage.skin.patch = False

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        base = dict(me.document)
        mine = stage.edit(base)
        yield from me.agent.think()
        yield from intrude(stage, rival, mine)
        yield from me.agent.think(0.3, 2)
        yield from me.save(stage.key, mine, damaged(me.token or '"x"', how))

    stage.play(story())
    return Told(
        f"damaged-{how}-and-dropped",
        "malformed-validator",
        "lost-update",
        ("malformed-validator", "precondition-ignored", "none"),
        f"The tag was damaged ({how}); the server drops what it cannot parse and stores the outdated write over another's change.",
        also=("precondition-ignored",),
        needs=frozenset({"other", "upstream"}),
    )


def wrong_token_source(stage: Stage) -> Told:
    """The tag of a neighbour, a parent or another stage."""
    stage.first()
    stage.skin.patch = False
    stage.benign()
    me = stage.editor()
    where = stage.rng.choice(("neighbour", "parent", "other-host"))
    other = stage.skin.new_key() + ("b" if where == "neighbour" else "")
    stage.first(key=other)
    heals = stage.rng.random() < 0.6

    def story() -> Flow[None]:
        if where == "neighbour":
            yield from me.read(stage.key)
            mine = stage.edit(me.document)
            yield from me.read(other)
        else:
            request = stage.skin.read(stage.key)
            request.url = (
                (stage.skin.url(stage.key).rsplit("/", 1)[0])
                if where == "parent"
                else request.url.replace(stage.skin.host, f"staging.{stage.skin.host}")
            )
            twin = dict(stage.origin.store[stage.key].document)
            answer = yield from me.agent.send(request, route=_Elsewhere(stage, twin, where))
            me.token = stage.skin.token_of(answer)
            me.document = twin
            mine = stage.edit(twin)
        yield from me.agent.think()
        wrong = me.token
        yield from me.save(stage.key, mine, wrong)
        yield from me.agent.think(0.1, 1)
        yield from me.read(stage.key)
        if heals:
            yield from me.save(stage.key, mine)

    stage.play(story())
    names = {
        "neighbour": "of another resource, read last",
        "parent": "of the collection",
        "other-host": "of the staging host's copy",
    }
    return Told(
        f"token-{where}",
        "wrong-token-source",
        "recovered" if heals else status_of(stage),
        ("wrong-token-source",),
        f"The write bears the tag {names[where]}; the resource's own tag is another"
        + (" and works." if heals else "."),
    )


class _Elsewhere:
    """Another place that has a tag of its own: the collection, or staging."""

    def __init__(self, stage: Stage, document: Document, where: str) -> None:
        self.stage = stage
        self.document = document
        self.where = where

    def serve(self, request: Request) -> Flow[Response]:
        """Answer with that place's content and tag."""
        del request
        stage = self.stage
        yield stage.rng.uniform(0.01, 0.05)
        entry = stage.origin.store[stage.key]
        twin = Entry(
            f"{entry.key}-{self.where}",
            self.document,
            entry.version + 7,
            entry.modified - 5000,
            entry.created,
            form=entry.form,
        )
        tag = stage.skin.tag(twin)
        answer = stage.skin.present(twin, tag, None)
        if self.where == "parent":
            body = f'{{"items":[{stage.skin.content(entry, "").strip()}],"count":1}}'
            answer = stage.skin.json_answer(200, body)
            answer.fields = put(answer.fields, "ETag", tag)
        return stage.origin.dressed(answer)
