"""Many writers, one resource: what each way to retry costs, beside the floor of serialised round trips."""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import contention_virtual
from benchmarks.contention_policies import PEERS
from benchmarks.processes import ROOT
from ifmatch.update import NoAnswer, NotAppliedError, OutcomeUnknownError, Read, Send, Wait
from tests.update import simulation

if TYPE_CHECKING:
    from collections.abc import Callable

WRITERS = (1, 8, 32, 128)
# Fewer would be kind to the peers: who loses early would be cut off before its worst.
EACH = {1: 40, 8: 20, 32: 20, 128: 20}
CAP = 60.0
NEAR = 0.002
CHAIN, SHARED, COMBINING, ALONE = "chain", "shared", "combining", "alone"
NAMES = {
    CHAIN: "the floor, measured: one writer chains all updates, bare",
    SHARED: "**ifmatch**: writers of a process share a client",
    COMBINING: "**ifmatch**, combining",
    ALONE: "**ifmatch**: a client a writer, none sees another",
}


PREFACE = """\
One JSON counter with atomic If-Match; every writer reads, adds one and writes, again and again. A write can
win only with the tag that came back from the one before, so the floor is `(updates + 1/2) * round trip`. A
cell: success, requests an update, wall time beside the floor, p50/p99 of an update in ms. After each run the
counter is compared with what was acknowledged. The peers are made from their published formulas and run on
the same transport.
"""
VIRTUAL = """\
The client's own code on an event loop whose clock jumps to the next timer: no noise of the machine, and no
cost of the code, which stands below. "Two processes" are two clients that do not see each other.
"""
SOCKETS = """\
A service in a process of its own, whose answers are due one round trip after the request, to the
microsecond (epoll would add a millisecond a timer); writers in one or two others, one minimal HTTP client
for all. The first row is what the machine makes of one read and the bare chain of writes: compare with it
where other work shared the cores.
"""
LOST = """\
32 writers, ten updates each, ten seeds, in virtual time; 5 % of the requests are lost, half before they
arrive, half after they were carried out. The ledger of the service knows what was applied. On real services
the same runs in `make test-full` (Azurite, moto, Radicale, Kinto, etcd, Django).
"""


@dataclass
class Result:
    """What one run came to."""

    asked: int
    times: list[tuple[float, float]]
    requests: int
    latency: float

    @property
    def success(self) -> float:
        return 100 * len(self.times) / self.asked

    @property
    def wall(self) -> float:
        return max(end for _, end in self.times) - min(begun for begun, _ in self.times)

    @property
    def ratio(self) -> float:
        return self.wall / ((len(self.times) + 0.5) * self.latency)

    @property
    def per_update(self) -> float:
        return self.requests / max(len(self.times), 1)

    def percentile(self, share: float) -> float:
        spent = sorted(end - begun for begun, end in self.times)
        return spent[min(len(spent) - 1, int(share * len(spent)))] * 1000

    def cell(self) -> str:
        if not self.times:
            return "0 %"
        return (
            f"{self.success:.0f} %, {self.per_update:.2f}, {self.ratio:.2f}x, "
            f"{self.percentile(0.5):.0f}/{self.percentile(0.99):.0f}"
        )


class Stage:
    """A service with one round trip."""

    def __init__(self, latency: float) -> None:
        self.latency = latency
        command = [sys.executable, "-m", "benchmarks.contention_service", str(latency)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()

    def measure(
        self, policy: str, writers: int, each: int, *, processes: int = 1, path: str = "/plain"
    ) -> Result:
        """Let so many writers update so often, and check the counter."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("POST", "/reset")
        connection.getresponse().read()
        start = time.time() + 0.6
        shares = [writers] if policy == CHAIN else [writers // processes] * processes
        commands = []
        for number, share in enumerate(shares):
            order = {
                "port": self.port,
                "path": path,
                "policy": policy,
                "writers": share,
                "each": each,
                "start": start,
                "cap": CAP,
                "seed": 77 * number + writers,
            }
            commands.append([sys.executable, "-m", "benchmarks.contention_worker", json.dumps(order)])
        running = [subprocess.Popen(one, cwd=ROOT, stdout=subprocess.PIPE, text=True) for one in commands]
        parts = [json.loads(one.communicate(timeout=300)[0]) for one in running]
        connection.request("GET", path)
        counted = json.loads(connection.getresponse().read())["n"]
        times = [tuple(pair) for part in parts for pair in part["times"]]
        assert counted == len(times), f"{policy}: {counted} counted, {len(times)} acknowledged"
        asked = sum(shares) * each
        return Result(asked, times, sum(part["requests"] for part in parts), self.latency)


def policies() -> list[tuple[str, str]]:
    return [(name, NAMES[name]) for name in (CHAIN, SHARED, COMBINING, ALONE)] + [
        (one.name, one.name) for one in PEERS
    ]


def table(
    measure: Callable[[str, int], Result], counts: tuple[int, ...], names: list[tuple[str, str]]
) -> dict[tuple[str, int], Result]:
    """Print one table and return its cells."""
    cells = {}
    print("| |" + "|".join(f" N = {count} " for count in counts) + "|")
    print("|---|" + "---|" * len(counts))
    for policy, name in names:
        row = []
        for count in counts:
            cells[policy, count] = measure(policy, count)
            row.append(cells[policy, count].cell())
        print(f"| {name} | " + " | ".join(row) + " |", flush=True)
    print()
    return cells


def virtual(policy: str, writers: int, each: int, *, processes: int = 1, latency: float = 0.010) -> Result:
    """One cell in virtual time."""
    plan = contention_virtual.Plan(policy, writers, each, processes, latency)
    times, requests, asked = contention_virtual.run(contention_virtual.perform(plan))
    return Result(asked, times, requests, latency)


def in_virtual_time() -> tuple[dict, dict]:
    """Print what each way to retry costs by itself."""
    print("## In virtual time\n\n" + VIRTUAL)
    names = [(policy, name) for policy, name in policies() if policy != CHAIN]
    many = tuple(count for count in WRITERS if count > 1)
    print("### Round trip 10 ms, one process, 20 updates a writer\n")
    one = table(lambda policy, count: virtual(policy, count, 20), WRITERS, names)
    print("### Round trip 10 ms, two processes\n")
    two = table(lambda policy, count: virtual(policy, count, 20, processes=2), many, names[:2] + names[4:5])
    print("### Round trip 10 ms, three, four and eight processes\n")
    crowded = tuple((count, processes) for count in (32, 128) for processes in (3, 4, 8))
    print("| |" + "|".join(f" N = {count}, {processes} processes " for count, processes in crowded) + "|")
    print("|---|" + "---|" * len(crowded))
    for policy, name in names[:2]:
        for count, processes in crowded:
            two[policy, count, processes] = virtual(policy, count, 20, processes=processes)
        row = " | ".join(two[policy, count, processes].cell() for count, processes in crowded)
        print(f"| {name} | {row} |", flush=True)
    print()
    print("### The herd: every writer one update, all at once, one process\n")
    table(lambda policy, count: virtual(policy, count, 1), WRITERS, names)
    print("### The herd, two processes\n")
    table(lambda policy, count: virtual(policy, count, 1, processes=2), many, names[:2] + names[4:5])
    for latency in (0.002, 0.100):
        print(f"### Round trip {latency * 1000:.0f} ms, one process, 10 updates a writer\n")
        table(lambda policy, count, way=latency: virtual(policy, count, 10, latency=way), WRITERS, names[:5])
    return one, two


def on_loopback() -> tuple[dict, dict]:
    """Print what the same comes to over real sockets on this machine."""
    print("## Over sockets\n\n" + SOCKETS)
    stage = Stage(0.010)
    wanted = (CHAIN, SHARED, COMBINING, PEERS[0].name, PEERS[1].name)
    names = [(policy, name) for policy, name in policies() if policy in wanted]
    print("### Round trip 10 ms, one process\n")
    one = table(lambda policy, count: stage.measure(policy, count, EACH[count]), WRITERS, names)
    print("### Round trip 10 ms, two processes\n")
    many = tuple(count for count in WRITERS if count > 1)
    two = table(lambda policy, count: stage.measure(policy, count, EACH[count], processes=2), many, names)
    stage.close()
    print("### Round trip 2 ms, one writer\n")
    near = Stage(NEAR)
    table(lambda policy, count: near.measure(policy, count, 400), (1,), names[:2])
    # Pairs, since a run takes less time than the machine's speed needs to change.
    pairs = [near.measure(SHARED, 1, 400).ratio / near.measure(CHAIN, 1, 400).ratio for _ in range(5)]
    near.close()
    told = ", ".join(f"{ratio:.3f}" for ratio in sorted(pairs))
    print(f"Beside the floor as measured, five pairs: {told}; wanted: ≤ 1.05.\n")
    return one, two


def overhead() -> float:
    """Microseconds of CPU time that an uncontended edit takes in the client, transport apart."""
    plan = contention_virtual.Plan(SHARED, 1, 2000)
    contention_virtual.run(contention_virtual.perform(plan))
    started = time.process_time()
    contention_virtual.run(contention_virtual.perform(plan))
    return (time.process_time() - started) / 2000 * 1e6


def verdicts(one: dict, two: dict) -> None:
    """Say of each figure whether it is reached."""
    print("### Figures\n\n| figure | wanted | | |\n|---|---|---|---|")

    def line(text: str, wanted: str, values: list[float], good: bool) -> None:
        shown = ", ".join(f"{value:.3g}" for value in values)
        print(f"| {text} | {wanted} | {shown} | {'reached' if good else '**missed**'} |")

    many = [count for count in WRITERS if count > 1]
    jitter = PEERS[1].name
    ratios = [one[SHARED, count].ratio for count in WRITERS]
    line(
        f"one process, wall time beside the floor, N = {list(WRITERS)}", "≤ 1.05", ratios, max(ratios) <= 1.05
    )
    if (CHAIN, WRITERS[0]) in one:
        beside = [one[SHARED, count].ratio / one[CHAIN, count].ratio for count in WRITERS]
        line(
            "one process, wall time beside the floor as measured on this machine",
            "≤ 1.05",
            beside,
            max(beside) <= 1.05,
        )
    asked = [one[SHARED, count].per_update for count in WRITERS]
    line("one process, requests an update", "≤ 1.05", asked, max(asked) <= 1.05)
    tail = [one[SHARED, count].percentile(0.99) / one[jitter, count].percentile(0.99) for count in many]
    line(f"one process, p99 beside AWS full jitter, N = {many}", "≤ 0.125", tail, max(tail) <= 0.125)
    combined = [one[COMBINING, count].ratio for count in many if count >= 32]
    line("combining, wall time beside the floor, N ≥ 32", "≤ 0.15", combined, max(combined) <= 0.15)
    for text, attribute in (("requests", "per_update"), ("wall time", "ratio")):
        beside = [
            getattr(two[SHARED, count], attribute) / getattr(two[jitter, count], attribute) for count in many
        ]
        line(f"two processes, {text} beside AWS full jitter, N = {many}", "< 1", beside, max(beside) < 1)
    tail = [two[SHARED, count].percentile(0.99) / two[jitter, count].percentile(0.99) for count in many]
    line(f"two processes, p99 beside AWS full jitter, N = {many}", "≤ 1", tail, max(tail) <= 1)
    crowded = [key for key in two if len(key) == 3 and key[0] == SHARED]
    if crowded:
        tail = [two[key].percentile(0.99) / two[jitter, key[1]].percentile(0.99) for key in crowded]
        told = ", ".join(f"{count} in {processes}" for _, count, processes in crowded)
        line(f"three processes and more, p99 beside AWS full jitter, N = {told}", "≤ 1", tail, max(tail) <= 1)
    ours = [cells[policy, count] for cells in (one, two) for policy in (SHARED, COMBINING) for count in many]
    least = min(result.success for result in ours)
    line("success of ours, all cells", "100 %", [least], least == 100)
    print()


def lost_answers() -> None:
    """Lose 5 % of the requests or their answers, in virtual time; the ledger judges."""
    print("## Lost answers\n\n" + LOST)
    print(
        "| | asked | reported as done | applied twice | reported wrongly | said to be unknown"
        " |\n|---|---|---|---|---|---|"
    )
    rows = {
        "naive: send again, on 412 read and change anew": naive,
        "give up at the first lost answer": give_up,
        "**ifmatch** without marks": lambda world: ours(world, None),
        "**ifmatch** with marks": lambda world: ours(world, simulation.MARKER),
    }
    for name, writers in rows.items():
        asked = done = twice = wrong = unknown = 0
        for seed in range(10):
            world = simulation.World(seed, faults=simulation.Faults(before=0.025, after=0.025))
            writers(world)
            run = world.go()
            assert run.service.writes == run.service.document["count"], "an update is lost"
            for operation, end in run.ends.items():
                applied, failed = run.service.applied[operation], isinstance(end, Exception)
                asked += 1
                done += not failed
                twice += applied > 1
                unknown += isinstance(end, OutcomeUnknownError)
                wrong += not isinstance(end, OutcomeUnknownError) and (applied > 0) is failed
        print(f"| {name} | {asked} | {done} | {twice} | {wrong} | {unknown} |")
    print()


def ours(world: simulation.World, authorship: object) -> None:
    for number in range(32):
        world.writer(f"w{number}", 10, authorship=authorship)


def naive(world: simulation.World) -> None:
    by_hand(world, resends=True)


def give_up(world: simulation.World) -> None:
    by_hand(world, resends=False)


def by_hand(world: simulation.World, *, resends: bool) -> None:
    """What people write: read, change, write; a transport that sends again, or an error."""

    def steps():
        while True:
            state = yield Read()
            if isinstance(state, NoAnswer):
                continue
            document = simulation.increment(json.loads(state.octets))
            write = Send("PUT", (("If-Match", state.fields.text("ETag")),), (), json.dumps(document).encode())
            answer = yield write
            while isinstance(answer, NoAnswer):
                if not resends:
                    raise NotAppliedError(answer.reason)
                answer = yield write
            if answer.status == 200:
                return answer
            yield Wait(world.random.random() * 0.02)

    def begin(number: int, turn: int) -> None:
        operation = f"n{number}.{turn}"

        def ended(end: object) -> None:
            world.run.ends[operation] = end
            if turn < 9:
                begin(number, turn + 1)

        world.perform(steps(), operation, ended)

    for number in range(32):
        world.at(world.random.random() * 0.01, begin, number, 0)


def one_cell(policy: str, writers: int, processes: int, latency: float) -> None:
    """Print one cell over sockets between two measurements of the floor: other work may share the cores."""
    stage = Stage(latency)
    before, cell, after = (
        stage.measure(one, writers, EACH.get(writers, 20), processes=count)
        for one, count in ((CHAIN, 1), (policy, processes), (CHAIN, 1))
    )
    stage.close()
    floor = (before.ratio + after.ratio) / 2
    print(f"floor {before.ratio:.3f}, {after.ratio:.3f}; {policy}: {cell.cell()}; {cell.ratio / floor:.3f}")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cell", choices=[policy for policy, _ in policies()], help="only one, over sockets")
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--latency", type=float, default=0.010, help="round trip in seconds")
    chosen = parser.parse_args([] if arguments is None else arguments)
    if chosen.cell:
        one_cell(chosen.cell, chosen.writers, chosen.processes, chosen.latency)
        return
    print("# Contention\n")
    print(PREFACE)
    one, two = in_virtual_time()
    verdicts(one, two)
    print(
        f"An uncontended edit takes {overhead():.0f} µs of CPU time in the client and the loop, transport"
        " apart.\n"
    )
    one, two = on_loopback()
    verdicts(one, two)
    lost_answers()


if __name__ == "__main__":
    main(sys.argv[1:])
