"""A service and its writers in virtual time: seeded delays, losses, late copies, foreign writers.

The ledger of the service is the judge: it knows which operation was applied, how often, and on what.
"""

from __future__ import annotations

import heapq
import itertools
import json
import random
from collections import Counter
from dataclasses import dataclass, field

from ifmatch.model.message import Fields
from ifmatch.update import (
    UNREAD,
    Answer,
    Circumstances,
    Edit,
    JsonMarker,
    Limits,
    NoAnswer,
    NotAppliedError,
    OutcomeUnknownError,
    Read,
    RoundTrip,
    Send,
    Task,
    Wait,
    update,
)

MARKER = JsonMarker()
TARGET = "http://service.test/counter"


@dataclass
class Faults:
    """Shares of requests that go wrong.

    Attributes:
        before: lost on the way to the service.
        after: applied, and the answer lost.
        late: the client is told that it was cut, and the request arrives up to 20 round trips later.
        bad_gateway: answered 502, half of them applied.
        copies: delivered twice; the client gets the answer to the second copy.
        forgetful: share of foreign writes that drop the marks.
    """

    before: float = 0.0
    after: float = 0.0
    late: float = 0.0
    bad_gateway: float = 0.0
    copies: float = 0.0
    forgetful: float = 0.0


class Service:
    """One JSON document with atomic If-Match; tags are never used twice."""

    def __init__(self, *, carries: bool = False) -> None:
        self.document = {"count": 0, "_writes": ["begin"]}
        self.version = 1
        self.carries = carries
        self.applied = Counter()
        self.requests = 0
        self.writes = 0

    @property
    def tag(self):
        return f'"v{self.version}"'

    @property
    def octets(self):
        return json.dumps(self.document).encode()

    def answer(self, command, operation):
        self.requests += 1
        fields = [("ETag", self.tag), ("Content-Type", "application/json")]
        if isinstance(command, Read):
            return 200, fields, self.octets
        sent = dict(command.fields)
        if sent["If-Match"] != self.tag:
            if not self.carries:
                return 412, [], b""
            shown = [
                *fields,
                ("Preference-Applied", "return=representation"),
                ("Content-Location", "/counter"),
            ]
            return 412, shown, self.octets
        self.write(json.loads(command.octets), operation)
        return 200, [("ETag", self.tag)], b""

    def write(self, document, operation):
        # One step at a time: anything else would be somebody's change gone.
        assert document["count"] == self.document["count"] + 1, "a lost update"
        self.document = document
        self.version += 1
        self.writes += 1
        self.applied[operation] += 1


@dataclass
class Run:
    """What came of one simulated run."""

    service: Service
    ends: dict = field(default_factory=dict)
    times: list = field(default_factory=list)
    requests: int = 0
    elapsed: float = 0.0

    def of(self, kind):
        return [name for name, end in self.ends.items() if isinstance(end, kind)]


def increment(document):
    document["count"] += 1
    return document


class World:
    """The clock, the network and the writers."""

    def __init__(self, seed, *, latency=0.010, spread=0.2, faults=None, service=None):
        self.random = random.Random(seed)
        self.now = 0.0
        self.queue = []
        self.order = itertools.count()
        self.latency = latency
        self.spread = spread
        self.faults = faults or Faults()
        self.run = Run(service or Service())

    def at(self, delay, action, *arguments):
        heapq.heappush(self.queue, (self.now + delay, next(self.order), action, arguments))

    def way(self):
        """Seconds of one way through the network."""
        return self.latency / 2 * (1 + self.spread * self.random.random())

    def go(self, until=1e9):
        while self.queue:
            moment, _, action, arguments = heapq.heappop(self.queue)
            if moment > until:
                break
            self.now = moment
            action(*arguments)
        return self.run

    # The network.

    def transmit(self, command, operation, resume):
        started, faults = self.now, self.faults
        self.run.requests += 1
        roll = self.random.random()
        write = isinstance(command, Send)

        def lost(reason):
            resume(NoAnswer(reason, elapsed=self.now - started))

        def arrive():
            if faults.copies and write and self.random.random() < faults.copies:
                self.run.service.answer(command, operation)
            status, fields, octets = self.run.service.answer(command, operation)
            self.at(self.way(), back, status, fields, octets)

        def back(status, fields, octets):
            resume(Answer(status, Fields(fields), octets, self.now - started))

        def arrive_and_lose():
            self.run.service.answer(command, operation)
            self.at(self.way(), lost, "cut after the request was sent")

        def gateway(applies):
            if applies:
                self.run.service.answer(command, operation)
            self.at(self.way(), back, 502, [], b"")

        for share, action in (
            (faults.before, lambda: self.at(self.way() * 2, lost, "cut before the request arrived")),
            (faults.after, lambda: self.at(self.way(), arrive_and_lose)),
            (
                faults.late,
                lambda: (
                    self.at(self.way(), lost, "cut"),
                    self.at(
                        self.random.random() * 20 * self.latency, self.run.service.answer, command, operation
                    ),
                ),
            ),
            (faults.bad_gateway, lambda: self.at(self.way(), gateway, self.random.random() < 0.5)),
        ):
            if roll < share:
                action()
                return
            roll -= share
        self.at(self.way(), arrive)

    # The writers.

    def circumstances(self, limits=None):
        return Circumstances(
            lambda: self.now, self.random.random, limits or Limits(seconds=600.0), RoundTrip()
        )

    def perform(self, steps, operation, ended):
        """Drive one machine; `ended` gets what it returned or raised."""

        def step(event):
            try:
                command = steps.send(event)
            except StopIteration as stop:
                ended(stop.value)
            except (NotAppliedError, OutcomeUnknownError) as error:
                ended(error)
            else:
                if isinstance(command, Wait):
                    self.at(command.seconds, step, None)
                else:
                    self.transmit(command, operation, step)

        step(None)

    def writer(self, name, updates, *, authorship=MARKER, limits=None, remembers=True, change=None, gap=0.0):
        """Make a writer with so many updates in a row; it keeps the state of its own last write."""
        known = [UNREAD]
        circumstances = self.circumstances(limits)

        def begin(number):
            operation = f"{name}.{number}"
            started = self.now
            task = Task(
                change or Edit(increment),
                operation,
                TARGET,
                known[0] if remembers else UNREAD,
                authorship=authorship,
            )

            def ended(end):
                self.run.ends[operation] = end
                self.run.times.append(self.now - started)
                self.run.elapsed = self.now
                known[0] = UNREAD
                if not isinstance(end, Exception) and end.state is not None:
                    known[0] = end.state
                if number + 1 < updates:
                    self.at(self.random.random() * gap, begin, number + 1)

            self.perform(update(task, circumstances), operation, ended)

        self.at(self.random.random() * self.latency, begin, 0)

    def foreign(self, name, updates, gap):
        """Add a writer without the machine that writes whenever it likes, and may drop the marks."""

        def write(number):
            document = json.loads(self.run.service.octets)
            document["count"] += 1
            if self.random.random() < self.faults.forgetful:
                document.pop("_writes", None)
            self.run.service.write(document, f"{name}.{number}")
            if number + 1 < updates:
                self.at(self.random.random() * gap, write, number + 1)

        self.at(self.random.random() * gap, write, 0)


def simulate(seed, *, writers=4, updates=4, faults=None, carries=False, foreign=0, **options):
    world = World(seed, faults=faults, service=Service(carries=carries))
    for number in range(writers):
        world.writer(f"w{number}", updates, **options)
    if foreign:
        world.foreign("foreign", foreign, 0.05)
    return world.go()


def violations(run):
    """Everything that a run claimed and the ledger denies."""
    found = []
    for operation, end in run.ends.items():
        times = run.service.applied[operation]
        if times > 1:
            found.append(f"{operation}: applied {times} times")
        elif isinstance(end, OutcomeUnknownError):
            continue
        elif isinstance(end, Exception) and times:
            found.append(f"{operation}: applied, reported as {type(end).__name__}")
        elif not isinstance(end, Exception) and times != 1:
            found.append(f"{operation}: reported as {end.how}, never applied")
    if run.service.writes != run.service.document["count"]:
        found.append("an update is lost")
    return found
