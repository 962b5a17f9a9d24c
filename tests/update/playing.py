"""Play a script of answers to an update and keep the commands that it gave."""

from __future__ import annotations

import itertools

from ifmatch.model.message import Fields
from ifmatch.update import Answer, Circumstances, Limits, NoAnswer, Task, UpdateError, Wait, update

TARGET = "https://api.test/documents/1"


def answer(status, octets=b"", *, tag=None, elapsed=0.01, from_cache="", resent=False, **fields):
    pairs = [(name.replace("_", "-"), value) for name, value in fields.items()]
    if tag is not None:
        pairs.insert(0, ("ETag", tag))
    return Answer(status, Fields(pairs), octets, elapsed, from_cache, resent)


def cut(reason="connection reset", *, sent=True):
    return NoAnswer(reason, sent, 0.01)


def play(change, script, *, limits=None, random=0.5, bucket=None, waiting=lambda: 0, **task):
    """Return the end (value or exception) and every command; waits pass on the virtual clock."""
    now = [100.0]
    circumstances = Circumstances(
        lambda: now[0], lambda: random, limits or Limits(), bucket=bucket, waiting=waiting
    )
    task.setdefault("target", TARGET)
    steps = update(Task(change, "op-1", **task), circumstances)
    commands, events = [], itertools.chain(script, itertools.repeat(None))
    event = None
    while True:
        try:
            command = steps.send(event)
        except StopIteration as stop:
            return stop.value, commands
        except UpdateError as error:
            return error, commands
        commands.append(command)
        if isinstance(command, Wait):
            now[0] += command.seconds
            event = None
            continue
        event = next(events)
        assert event is not None, f"the script ends before {command}"
        now[0] += event.elapsed


def requests(commands):
    return [command for command in commands if not isinstance(command, Wait)]


def waits(commands):
    return [command.seconds for command in commands if isinstance(command, Wait)]
