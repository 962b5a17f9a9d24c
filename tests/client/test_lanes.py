"""One after another, in the order they came; together where that is allowed; nobody is forgotten."""

from __future__ import annotations

import asyncio
import os
import threading
import time

import pytest

from ifmatch.client.lanes import AsyncLanes, Entry, Lanes


def wait_for(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.001)


def queued(lanes, count):
    return lambda: sum(len(lane.queue) for lane in lanes._lanes.values()) == count


class Threads:
    """Start one writer after another, each known to wait before the next starts."""

    def __init__(self, most=64):
        self.lanes = Lanes(most)
        self.gate = threading.Event()
        self.batches = []
        self.threads = []
        self.results = {}

    def work(self, batch):
        assert self.gate.wait(120)
        self.batches.append([entry.item for entry in batch])
        for entry in batch:
            entry.outcome = f"done {entry.item}"

    def start(self, item, kind=None, patience=10.0, key="k"):
        entry = Entry(item, kind)

        def run():
            self.results[item] = (self.lanes.run(key, entry, self.work, patience), entry.outcome)

        thread = threading.Thread(target=run)
        thread.start()
        self.threads.append(thread)
        count = len(self.threads) - 1
        if patience == 10.0:
            wait_for(queued(self.lanes, count))

    def finish(self):
        self.gate.set()
        for thread in self.threads:
            thread.join(120)
        assert self.lanes._lanes == {}, "a lane must not outlive its writers"


def test_threads_go_in_the_order_they_came() -> None:
    threads = Threads()
    for number in range(8):
        threads.start(number)
    threads.finish()
    assert threads.batches == [[number] for number in range(8)]
    assert threads.results[3] == (True, "done 3")


def test_threads_of_one_kind_behind_the_leader_go_together() -> None:
    threads = Threads()
    for number, kind in enumerate(["a", "a", "a", None, "a", "b", "b"]):
        threads.start(number, kind)
    threads.finish()
    # The first leads alone only where nobody waits when it starts; here it was taken before the others came.
    assert threads.batches == [[0], [1, 2], [3], [4], [5, 6]]
    assert all(done and outcome for done, outcome in threads.results.values())


def test_batches_are_bounded() -> None:
    threads = Threads(most=3)
    for number in range(8):
        threads.start(number, "a")
    threads.finish()
    assert threads.batches == [[0], [1, 2, 3], [4, 5, 6], [7]]


def test_a_thread_whose_turn_does_not_come_gives_up() -> None:
    threads = Threads()
    threads.start(0)
    threads.start(1, patience=0.01)
    wait_for(lambda: 1 in threads.results)
    assert threads.results[1] == (False, None)
    threads.start(2, patience=9.0)
    wait_for(queued(threads.lanes, 1))
    threads.finish()
    assert threads.batches == [[0], [2]]


def test_work_that_raises_lets_the_next_one_go() -> None:
    lanes = Lanes()

    def broken(_batch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lanes.run("k", Entry(0), broken, 1.0)
    assert lanes.run("k", Entry(1), lambda batch: setattr(batch[0], "outcome", 1), 1.0)
    assert lanes._lanes == {}


def test_a_wait_that_is_interrupted_does_not_block_the_lane() -> None:
    """A signal handler raises in the main thread while that waits for its turn."""
    threads = Threads()
    threads.start(0)

    class Interrupted(threading.Event().__class__):
        def wait(self, _seconds):
            raise KeyboardInterrupt

    class Broken(Entry):
        __slots__ = ()

        def __setattr__(self, name, value):
            super().__setattr__(name, Interrupted() if name == "signal" and value is not None else value)

    with pytest.raises(KeyboardInterrupt):
        threads.lanes.run("k", Broken(1), threads.work, 10.0)
    threads.start(2, patience=9.0)
    wait_for(queued(threads.lanes, 1))
    threads.finish()
    assert threads.batches == [[0], [2]]


def test_one_that_would_wait_for_itself_is_told_so() -> None:
    lanes = Lanes()

    def nested(_batch):
        lanes.run("other", Entry(1), lambda _: None, 1.0)
        with pytest.raises(RuntimeError, match="it would wait for itself"):
            lanes.run("k", Entry(2), lambda _: None, 60.0)

    assert lanes.run("k", Entry(0), nested, 1.0)
    assert lanes._lanes == {}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_who_had_a_lane_before_a_fork_does_not_have_it_in_the_child() -> None:
    threads = Threads()
    threads.start(0)
    child = os.fork()
    if child == 0:
        done = threads.lanes.run("k", Entry(1), lambda _: None, 0.5)
        os._exit(0 if done else 1)
    status = os.waitpid(child, 0)[1]
    threads.finish()
    assert os.waitstatus_to_exitcode(status) == 0


def test_keys_do_not_wait_for_each_other() -> None:
    threads = Threads()
    threads.start(0)
    other = Entry(1)
    assert threads.lanes.run("other", other, lambda batch: setattr(batch[0], "outcome", 1), 1.0)
    threads.finish()


# Tasks.


async def tasks_in_order(kinds, *, most=64, cancel=()):
    lanes, batches, gate = AsyncLanes(most), [], asyncio.Event()

    async def work(batch):
        await gate.wait()
        batches.append([entry.item for entry in batch])
        for entry in batch:
            entry.outcome = f"done {entry.item}"

    entries = [Entry(number, kind) for number, kind in enumerate(kinds)]
    tasks = []
    for entry in entries:
        tasks.append(asyncio.create_task(lanes.run("k", entry, work, 10.0)))
        await asyncio.sleep(0)
    for number in cancel:
        tasks[number].cancel()
        await asyncio.sleep(0)
    gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(not held for held in lanes._loops.values())
    return batches, results, entries


def test_tasks_go_in_the_order_they_came() -> None:
    batches, results, _ = asyncio.run(tasks_in_order([None] * 8))
    assert batches == [[number] for number in range(8)]
    assert results == [True] * 8


def test_tasks_of_one_kind_go_together() -> None:
    batches, _, entries = asyncio.run(tasks_in_order(["a", "a", "a", "b", "a"]))
    assert batches == [[0], [1, 2], [3], [4]]
    assert [entry.outcome for entry in entries] == [f"done {number}" for number in range(5)]


def test_a_cancelled_task_in_the_queue_is_passed_over() -> None:
    batches, results, _ = asyncio.run(tasks_in_order([None] * 4, cancel=[1, 2]))
    assert batches == [[0], [3]]
    assert [type(result) for result in results] == [
        bool,
        asyncio.CancelledError,
        asyncio.CancelledError,
        bool,
    ]


def test_a_cancelled_leader_lets_the_next_one_go() -> None:
    batches, results, _ = asyncio.run(tasks_in_order([None] * 3, cancel=[0]))
    assert batches == [[1], [2]]
    assert isinstance(results[0], asyncio.CancelledError)


def test_those_in_a_batch_do_not_suffer_when_its_leader_is_cancelled() -> None:
    async def run():
        lanes, gate, begun = AsyncLanes(), asyncio.Event(), asyncio.Event()

        async def work(batch):
            begun.set()
            await gate.wait()
            for entry in batch:
                entry.outcome = "done"

        first = asyncio.create_task(lanes.run("k", Entry(0), work, 10.0))
        await begun.wait()
        begun.clear()
        entries = [Entry(1, "a"), Entry(2, "a"), Entry(3, None)]
        tasks = [asyncio.create_task(lanes.run("k", entry, work, 10.0)) for entry in entries]
        await asyncio.sleep(0)
        gate.set()
        await first
        gate.clear()
        await begun.wait()
        tasks[0].cancel()
        await asyncio.sleep(0)
        gate.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(results[0], asyncio.CancelledError)
        assert results[1:] == [True, True]
        assert [entry.outcome for entry in entries] == ["done"] * 3
        assert all(not held for held in lanes._loops.values())

    asyncio.run(run())


def test_a_task_whose_turn_does_not_come_gives_up() -> None:
    async def run():
        lanes, gate = AsyncLanes(), asyncio.Event()

        async def work(batch):
            await gate.wait()
            batch[0].outcome = 1

        first = asyncio.create_task(lanes.run("k", Entry(0), work, 10.0))
        await asyncio.sleep(0)
        assert not await lanes.run("k", Entry(1), work, 0.01)
        gate.set()
        assert await first
        assert all(not held for held in lanes._loops.values())

    asyncio.run(run())
