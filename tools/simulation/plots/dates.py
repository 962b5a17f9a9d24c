"""Conditions that are dates: too coarse, in a wrong zone, by a wrong clock, or no dates at all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tools.simulation.messages import Response, http_date, iso
from tools.simulation.stage import Told

if TYPE_CHECKING:
    from tools.simulation.kernel import Flow
    from tools.simulation.messages import Answer, Document
    from tools.simulation.stage import Editor, Stage


def _dated(stage: Stage) -> None:
    stage.origin.faults.no_tags = stage.rng.random() < 0.75
    stage.skin.dates = True
    stage.skin.patch = False


def _save(stage: Stage, me: Editor, document: Document, date: str) -> Flow[Answer]:
    request = stage.skin.write(stage.key, document, None, me.document)
    request.fields.append(("If-Unmodified-Since", date))
    answer = yield from me.agent.send(request)
    return answer


def _served(answer: Answer) -> str:
    return (answer.field("Last-Modified") or "") if isinstance(answer, Response) else ""


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)


def date_other_writer(stage: Stage) -> Told:
    """A look-alike: the date is right and does its job."""
    _dated(stage)
    stage.first()
    me, rival = stage.editor(), stage.editor("other")

    def story() -> Flow[None]:
        date = _served((yield from me.read(stage.key)))
        mine = stage.edit(me.document)
        yield from me.agent.think(1.5, 4)
        yield from rival.read(stage.key)
        yield from _save(stage, rival, stage.edit(rival.document), _served_now(stage))
        yield from me.agent.think(1.2, 3)
        yield from _save(stage, me, mine, date)
        yield from me.agent.think(0.2, 1)
        yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "date-does-its-job",
        "other-writer",
        "412",
        ("other-writer",),
        "The client echoes Last-Modified in If-Unmodified-Since; somebody else has written meanwhile, so the save is refused.",
        bodies=False,
    )


def _served_now(stage: Stage) -> str:
    return stage.origin.modified(stage.origin.store[stage.key]) or ""


def date_precision_refused(stage: Stage) -> Told:
    """The server compares the fraction that its own header leaves out."""
    _dated(stage)
    stage.first()
    me = stage.editor()
    stage.origin.faults.precise = True
    stage.origin.store[stage.key].modified = int(stage.origin.store[stage.key].modified) + stage.rng.uniform(
        0.2, 0.9
    )
    heals = stage.rng.random() < 0.6

    def story() -> Flow[None]:
        date = _served((yield from me.read(stage.key)))
        mine = stage.edit(me.document)
        yield from me.agent.think()
        for _ in range(2):
            yield from _save(stage, me, mine, date)
            yield from me.agent.think(0.1, 1)
            yield from me.read(stage.key)
        if heals:
            later = http_date(_moment(date).timestamp() + 1)
            yield from _save(stage, me, mine, later)

    if stage.skin.form == "json":
        plain = stage.skin.content

        def content(entry: object, tag: str) -> str:
            text = plain(entry, tag)  # type: ignore[arg-type]
            stamp = iso(stage.origin.store[stage.key].modified)
            return text.rstrip()[:-1].rstrip() + f', "updatedAt": "{stamp}"' + "}"

        stage.skin.content = content  # type: ignore[method-assign]
    stage.play(story())
    return Told(
        "fraction-against-whole-second",
        "date-precision",
        "recovered" if heals else "412",
        ("date-precision",),
        "The client echoes Last-Modified exactly; the server compares it with the stored time and its fraction of a second, so it is always too early"
        + ("; one second later it passes." if heals else "."),
    )


def date_precision_lost(stage: Stage) -> Told:
    """Two writes within one second share a date."""
    _dated(stage)
    stage.origin.faults.no_tags = True
    stage.first(age=4000)
    me, rival = stage.editor(), stage.editor("other")
    me.agent.delay = rival.agent.delay = 0.0008
    stage.origin.pace = 0.003

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        base = dict(me.document)
        # Start right after a full second, so that all that follows shares it.
        yield 3 - (stage.world.now % 1.0) + 0.05
        yield from rival.read(stage.key)
        first = stage.edit(base)
        yield from _save(stage, me, first, _served_now(stage))
        date = _served((yield from me.read(stage.key)))
        yield 0.05
        theirs = stage.edit(first)
        yield from _save(stage, rival, theirs, date)
        yield 0.1
        mine = stage.edit(first, theirs, first)
        yield from _save(stage, me, mine, date)

    stage.play(story())
    return Told(
        "two-writes-in-one-second",
        "date-precision",
        "lost-update",
        ("date-precision", "none"),
        "Two writes fall into one second: Last-Modified does not move, the condition passes and the other's change is gone.",
        needs=frozenset({"other", "upstream"}),
    )


def clock_skew_client(stage: Stage) -> Told:
    """The client sends its own idea of now."""
    _dated(stage)
    stage.first()
    me, rival = stage.editor(), stage.editor("other")
    ahead = stage.rng.choice((240.0, 1800.0, 5400.0)) + stage.rng.uniform(5, 50)
    me.agent.tape.clock = ahead if stage.rng.random() < 0.5 else 0.0

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        base = dict(me.document)
        now = http_date(stage.world.now + ahead)
        mine = stage.edit(base)
        yield from me.agent.think(1, 3)
        yield from rival.read(stage.key)
        date = _served_now(stage)
        yield from _save(stage, rival, stage.edit(base, mine, base), date)
        yield from me.agent.think(1, 3)
        yield from _save(stage, me, mine, now)
        if stage.rng.random() < 0.4:
            yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "own-clock-ahead",
        "clock-skew",
        "lost-update",
        ("clock-skew",),
        f"The client's clock is {ahead / 60:.0f} minutes ahead and it sends its own now as If-Unmodified-Since: the condition can never fail, another's change is lost.",
        needs=frozenset({"other", "upstream"}),
    )


def clock_skew_server(stage: Stage) -> Told:
    """The server's clock is ahead; the client sends its own now."""
    _dated(stage)
    me = stage.editor()
    ahead = stage.rng.choice((420.0, 3600.0, 7260.0)) + stage.rng.uniform(3, 40)
    stage.first(age=stage.rng.uniform(5, 200))
    stage.origin.faults.clock = ahead

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think(1, 4)
        mine = stage.edit(me.document)
        for _ in range(stage.rng.choice((1, 2))):
            yield from _save(stage, me, mine, http_date(stage.world.now))
            yield from me.agent.think(1, 3)
        yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "server-clock-ahead",
        "clock-skew",
        "412",
        ("clock-skew",),
        f"The server's clock is {ahead / 60:.0f} minutes ahead: Date and Last-Modified lie in the client's future, and the client's own time in If-Unmodified-Since is always too early.",
        bodies=False,
    )


_MONTHS = (
    "januari",
    "Februari",
    "Mrz",
    "avril",
    "Mai",
    "juin",
    "luglio",
    "août",
    "sept.",
    "Okt",
    "nov.",
    "Dez",
)


def _bad(moment: datetime, how: str) -> str:
    if how == "iso":
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    if how == "utc":
        return moment.strftime("%a, %d %b %Y %H:%M:%S UTC")
    if how == "epoch":
        return str(int(moment.timestamp()))
    if how == "locale":
        return f"{moment.day}. {_MONTHS[moment.month - 1]} {moment.year} {moment:%H:%M:%S}"
    if how == "offset":
        return moment.strftime("%a, %d %b %Y %H:%M:%S +0000")
    if how == "sql":
        return moment.strftime("%Y-%m-%d %H:%M:%S")
    return moment.strftime("%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)")


def bad_date_lost(stage: Stage) -> Told:
    """Not an HTTP date, so it is ignored, and the outdated write passes."""
    _dated(stage)
    stage.first()
    me, rival = stage.editor(), stage.editor("other")
    how = stage.rng.choice(("iso", "utc", "epoch", "locale", "offset", "sql", "javascript"))

    def story() -> Flow[None]:
        date = _served((yield from me.read(stage.key)))
        base = dict(me.document)
        mine = stage.edit(base)
        yield from me.agent.think(1.2, 3)
        yield from rival.read(stage.key)
        now = _served_now(stage)
        yield from _save(stage, rival, stage.edit(base, mine, base), now)
        yield from me.agent.think(1.2, 3)
        yield from _save(stage, me, mine, _bad(_moment(date), how))

    stage.play(story())
    return Told(
        f"bad-date-{how}-ignored",
        "bad-date",
        "lost-update",
        ("bad-date",),
        "If-Unmodified-Since is not an HTTP date and is ignored; the outdated save overwrites another's change.",
        needs=frozenset({"other", "upstream"}),
    )


def bad_date_refused(stage: Stage) -> Told:
    """Not an HTTP date, and the server refuses it."""
    _dated(stage)
    stage.first()
    me = stage.editor()
    stage.origin.faults.invalid_date_refused = True
    how = stage.rng.choice(("iso", "utc", "epoch", "locale", "offset", "sql", "javascript"))
    heals = stage.rng.random() < 0.5

    def story() -> Flow[None]:
        date = _served((yield from me.read(stage.key)))
        mine = stage.edit(me.document)
        yield from me.agent.think()
        yield from _save(stage, me, mine, _bad(_moment(date), how))
        yield from me.agent.think(0.2, 1)
        yield from me.read(stage.key)
        if heals:
            yield from _save(stage, me, mine, date)

    stage.play(story())
    return Told(
        f"bad-date-{how}-refused",
        "bad-date",
        "recovered" if heals else "412",
        ("bad-date",),
        "If-Unmodified-Since is not an HTTP date; the server refuses what it cannot read, though nothing has changed.",
        bodies=False,
    )


def timezone_refused(stage: Stage) -> Told:
    """Local time labelled GMT, behind: refused."""
    _dated(stage)
    stage.first()
    me = stage.editor()
    hours = stage.rng.choice((5, 8, 3.5, 7, 1, 4))

    def story() -> Flow[None]:
        date = _served((yield from me.read(stage.key)))
        mine = stage.edit(me.document)
        yield from me.agent.think()
        for _ in range(stage.rng.choice((1, 2))):
            yield from _save(stage, me, mine, http_date(_moment(date).timestamp() - hours * 3600))
            yield from me.agent.think(0.2, 1)
            yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "local-time-behind",
        "timezone-error",
        "412",
        ("timezone-error",),
        f"The client writes its local time (UTC-{hours:g}) and labels it GMT: the condition is hours too early and is refused though nothing has changed.",
        bodies=False,
    )


def timezone_lost(stage: Stage) -> Told:
    """Local time labelled GMT, ahead: a change is not seen."""
    _dated(stage)
    stage.first(age=stage.rng.uniform(300, 3000))
    me, rival = stage.editor(), stage.editor("other")
    hours = stage.rng.choice((2, 1, 9, 5.5, 10, 3))

    def story() -> Flow[None]:
        date = _served((yield from me.read(stage.key)))
        base = dict(me.document)
        mine = stage.edit(base)
        yield from me.agent.think(1.2, 3)
        yield from intrude_dated(stage, rival, base, mine)
        yield from me.agent.think(1.2, 3)
        yield from _save(stage, me, mine, http_date(_moment(date).timestamp() + hours * 3600))

    stage.play(story())
    return Told(
        "local-time-ahead",
        "timezone-error",
        "lost-update",
        ("timezone-error",),
        f"The client writes its local time (UTC+{hours:g}) and labels it GMT: the condition lies in the future, another's change is not seen and is overwritten.",
        needs=frozenset({"other", "upstream"}),
    )


def intrude_dated(stage: Stage, rival: Editor, base: Document, mine: Document) -> Flow[None]:
    """Let a rival read and write under a right date."""
    date = _served((yield from rival.read(stage.key)))
    yield from _save(stage, rival, stage.edit(base, mine, base), date)
