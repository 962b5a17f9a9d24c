"""Describe an exercise: what to try, how it is checked, what it teaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ifmatch.reference.journal import Event
    from ifmatch.reference.recording import RecordingClient
    from ifmatch.reference.scripted import ScriptedServer

__all__ = ["Lesson", "nothing"]

Events: TypeAlias = "Sequence[Event]"


def nothing(server: ScriptedServer) -> None:
    """Prepare nothing."""
    del server


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One exercise of five minutes.

    Attributes:
        name: for the command line.
        title: one line.
        story: what the situation is.
        task: what to bring about, one sentence.
        commands: a way to begin; `{url}` is the resource.
        done: tells from what was asked and answered, and from the state, whether it is brought about.
        hint: says what is missing after the latest request, "" when nothing helps more than the task.
        moral: what it teaches.
        solve: brings it about with a client, for those who want to see it, and for the tests.
        prepare: sets the server up.
        quirks: what the server does wrong.
        topic: for `ifmatch explain`.
    """

    name: str
    title: str
    story: str
    task: str
    commands: tuple[str, ...]
    done: Callable[[Events, ScriptedServer], bool]
    hint: Callable[[Events, ScriptedServer], str]
    moral: str
    solve: Callable[[RecordingClient, str], None]
    prepare: Callable[[ScriptedServer], None] = nothing
    quirks: tuple[str, ...] = ()
    topic: str = "412"
