"""The virtual clock: sleeping, waiting, giving up."""

from __future__ import annotations

from tools.simulation.kernel import TIMED_OUT, World


def test_flows_run_in_the_order_of_their_times() -> None:
    world, seen = World("a", 100.0), []

    def flow(name, *pauses):
        for pause in pauses:
            yield pause
            seen.append((name, world.now))

    world.spawn(flow("slow", 3.0, 3.0))
    world.spawn(flow("quick", 1.0, 4.0))
    world.spawn(flow("late", 1.0), delay=10.0)
    world.run()
    assert seen == [("quick", 101.0), ("slow", 103.0), ("quick", 105.0), ("slow", 106.0), ("late", 111.0)]


def test_a_promise_gives_what_the_flow_returned() -> None:
    world, got = World("a", 0.0), []

    def work():
        yield 2.0
        return "done"

    def story():
        promise = world.spawn(work())
        got.append((yield from world.wait(promise)))
        got.append((yield from world.wait(promise, 1.0)))

    world.spawn(story())
    world.run()
    assert got == ["done", "done"]


def test_waiting_ends_at_its_limit_and_the_work_goes_on() -> None:
    world, seen = World("a", 0.0), []

    def work():
        yield 5.0
        seen.append(("committed", world.now))
        return "late"

    def story():
        answer = yield from world.wait(world.spawn(work()), 1.5)
        seen.append((answer is TIMED_OUT, world.now))
        yield 10.0

    world.spawn(story())
    world.run()
    assert seen == [(True, 1.5), ("committed", 5.0)]
