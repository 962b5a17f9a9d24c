"""Take exercises on a server of this machine: `ifmatch learn`."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import click

from ifmatch.cli.exit_status import ExitStatus
from ifmatch.cli.terminal import say

if TYPE_CHECKING:
    from ifmatch.reference.journal import Event
    from ifmatch.reference.lessons import Lesson
    from ifmatch.reference.scripted import ScriptedServer

__all__ = ["command"]

_LOOK_SECONDS: Final = 0.1


@click.command("learn", short_help="Take exercises on a server of this machine, each checked.")
@click.argument("exercise", required=False)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=4120, show_default=True, help="0 picks a free one."
)
@click.option("--solve", is_flag=True, help="Show how it is done, request by request.")
@click.option("--forget", is_flag=True, help="Forget which exercises were done.")
def command(*, exercise: str | None, port: int, solve: bool, forget: bool) -> int:
    """Learn by doing, five minutes at a time.

    Without EXERCISE the list is printed. With its number or name a server starts;
    what to try is told, and every request is watched until the exercise is done.
    Use a second terminal for curl or for your own program. `next` takes the first
    one that is not done yet.
    """
    from ifmatch.reference.lessons import LESSONS

    done = _Done()
    if forget:
        done.forget()
        click.echo("Forgotten.")
        return ExitStatus.DONE
    if exercise is None:
        _print_list(LESSONS, done)
        return ExitStatus.DONE
    number, lesson = _chosen(exercise, LESSONS, done)
    _take(number, lesson, port, solve=solve)
    if not solve:
        done.add(lesson.name)
    following = next((one.name for one in LESSONS if one.name not in done.names), None)
    if following is not None and not solve:
        click.echo(f"\nThe next one: ifmatch learn {following}")
    return ExitStatus.DONE


class _Done:
    """Which exercises were done, in a file of the user."""

    def __init__(self) -> None:
        base = os.environ.get("XDG_STATE_HOME") or (Path.home() / ".local" / "state")
        self._path = Path(base) / "ifmatch" / "learned.json"
        try:
            found: object = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            found = []
        names = cast("list[object]", found) if isinstance(found, list) else []
        self.names: set[str] = {str(name) for name in names}

    def add(self, name: str) -> None:
        self.names.add(name)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(sorted(self.names)) + "\n", "utf-8")
        except OSError as error:
            say(f"ifmatch: {self._path} cannot be written, so this is not remembered: {error.strerror}")

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)
        self.names = set()


def _print_list(lessons: tuple[Lesson, ...], done: _Done) -> None:
    click.echo("Exercises; start one with its number or name: ifmatch learn 1\n")
    for number, lesson in enumerate(lessons, start=1):
        mark = "done" if lesson.name in done.names else "    "
        click.echo(f"  {number:2}  {mark}  {lesson.name:12} {lesson.title}")


def _chosen(exercise: str, lessons: tuple[Lesson, ...], done: _Done) -> tuple[int, Lesson]:
    numbered = list(enumerate(lessons, start=1))
    if exercise == "next":
        return next((pair for pair in numbered if pair[1].name not in done.names), numbered[0])
    for number, lesson in numbered:
        if exercise in {str(number), lesson.name}:
            return number, lesson
    names = ", ".join(lesson.name for lesson in lessons)
    raise click.UsageError(
        f"{exercise!r} is no exercise. There are 1 to {len(lessons)}, or by name: {names}."
    )


def _take(number: int, lesson: Lesson, port: int, *, solve: bool) -> None:
    from ifmatch.reference.recording import RecordingClient
    from ifmatch.reference.running import running
    from ifmatch.reference.scripted import ScriptedServer

    server = ScriptedServer(quirks=lesson.quirks)
    lesson.prepare(server)
    with running(server, port=0 if solve else port, on_stop=server.end_streams) as run:
        server.origin = run.origin
        _introduce(number, lesson, server)
        if not solve:
            _watch(lesson, server)
        else:
            with RecordingClient(run.origin, name="learn", agent="ifmatch-learn/1", timeout=10) as client:
                lesson.solve(client, server.path)
            for event in server.requests:
                click.echo(_line(event))
            if not lesson.done(server.requests, server):
                raise RuntimeError(f"the solution of {lesson.name} does not bring it about")
    click.echo()
    click.echo(click.wrap_text(f"Done. {lesson.moral}", 78))
    click.echo(f"More: ifmatch explain {lesson.topic}")


def _introduce(number: int, lesson: Lesson, server: ScriptedServer) -> None:
    click.echo(f"{number}. {lesson.title}\n")
    click.echo(click.wrap_text(lesson.story.replace("{url}", server.url), 78))
    click.echo(click.wrap_text(f"Task: {lesson.task.replace('{url}', server.url)}", 78))
    click.echo("\nA way to begin, in another terminal:")
    for line in lesson.commands:
        click.echo(f"  {line.format(url=server.url)}")
    click.echo("\nWhat the server sees (Ctrl-C ends):")


def _watch(lesson: Lesson, server: ScriptedServer) -> None:
    """Print each request as it comes, until the exercise is done."""
    seen = 0
    hinted = ""
    while not lesson.done(server.requests, server):
        events = server.requests
        for event in events[seen:]:
            click.echo(_line(event))
        if len(events) > seen:
            hint = lesson.hint(events, server)
            if hint and hint != hinted:
                click.echo(click.wrap_text(f"Hint: {hint}", 78, "    ", "    "))
                hinted = hint
        seen = len(events)
        time.sleep(_LOOK_SECONDS)
    for event in server.requests[seen:]:
        click.echo(_line(event))


def _line(event: Event) -> str:
    status = str(event.status) if event.status else "no answer"
    condition = f"  {event.condition}" if event.condition else ""
    etag = f"  ETag {event.etag}" if event.etag else ""
    return f"  {event.method} {event.path} -> {status}{etag}{condition}"
