"""Which tag a write gets: never one that is newer than what the writer itself saw last."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import weakref
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from ifmatch.client.validators import ValidatorMemory, current_task_scope, current_thread_scope

URL = "http://x.test/doc"


class Writer:
    """Stands for a thread or task; it may end."""


nothing: dict[str, str] = {}


ACTIONS = st.lists(st.tuples(st.sampled_from("rrrwwce"), st.integers(0, 3)), max_size=40)


@given(ACTIONS)
def test_no_write_is_let_through_by_another_scopes_newer_tag(actions) -> None:
    """r: read; w: write as the memory says; c: somebody else writes; e: the scope ends, a new one begins."""
    memory, version = ValidatorMemory(), 1
    writers = {number: Writer() for number in range(4)}
    held: dict[int, int] = {}
    for action, number in actions:
        scope = weakref.ref(writers[number])
        if action == "r":
            memory.saw(URL, f'"{version}"', scope)
            held[number] = version
        elif action == "c":
            version += 1
        elif action == "e":
            held.pop(number, None)
            writers[number] = Writer()
            gc.collect(0)
        else:
            tag = memory.base(URL, scope, nothing)
            if number in held:
                assert tag == f'"{held[number]}"', "the scope's own last sighting decides"
            if tag == f'"{version}"':
                version += 1
                memory.wrote(URL, scope, f'"{version}"')
                held[number] = version
            elif tag is not None:
                memory.refused(URL)


@given(ACTIONS)
def test_whoever_reads_and_writes_in_new_scopes_gets_through(actions) -> None:
    """A read and a write in tasks of their own: refused at most once after a new read."""
    memory = ValidatorMemory()
    for action, number in actions:
        gone = Writer()
        if action in "rw":
            memory.saw(URL, f'"old{number}"', weakref.ref(gone))
        del gone
    reader = Writer()
    for _attempt in range(2):
        memory.saw(URL, '"now"', weakref.ref(reader))
        writer = Writer()
        tag = memory.base(URL, weakref.ref(writer), nothing)
        if tag == '"now"':
            return
        memory.refused(URL)
    memory.saw(URL, '"now"', weakref.ref(reader))
    assert memory.base(URL, weakref.ref(Writer()), nothing) == '"now"'


def test_the_memory_is_bounded() -> None:
    memory, writer = ValidatorMemory(urls=3), Writer()
    for number in range(5):
        memory.saw(f"{URL}/{number}", '"1"', weakref.ref(writer))
    assert len(memory) == 3
    assert memory.base(f"{URL}/0", weakref.ref(writer), nothing) is None
    writers = [Writer() for _ in range(50)]
    for number, one in enumerate(writers):
        memory.saw(URL, f'"{number}"', weakref.ref(one))
    assert len(memory.sightings[URL]) <= 8


def test_scopes_of_threads_end_with_them() -> None:
    found = []
    thread = threading.Thread(target=lambda: found.append(current_thread_scope()))
    thread.start()
    thread.join(120)
    del thread
    gc.collect()
    assert found[0]() is None
    assert current_thread_scope() is current_thread_scope()
    assert current_thread_scope()() is not None


def test_scopes_of_tasks_differ() -> None:
    async def run():
        async def mine():
            return current_task_scope()

        one, other = await asyncio.gather(mine(), mine())
        assert one != other
        assert current_task_scope() == current_task_scope()

    asyncio.run(run())


def test_tasks_of_trio_are_told_apart_too(monkeypatch) -> None:
    """httpx2 runs on trio as well, where asyncio knows of no task."""
    one, other = Writer(), Writer()
    running = [one, one, other]
    lowlevel = SimpleNamespace(current_task=lambda: running.pop(0))
    monkeypatch.setitem(sys.modules, "trio", SimpleNamespace(lowlevel=lowlevel))
    first, again, second = (current_task_scope() for _ in range(3))
    assert first == again != second
    monkeypatch.delitem(sys.modules, "trio")
    assert current_task_scope() is current_thread_scope()


def test_urls_that_are_only_written_are_bounded_too() -> None:
    memory, writer = ValidatorMemory(urls=3), Writer()
    for number in range(5):
        memory.wrote(f"{URL}/{number}", weakref.ref(writer), '"1"')
    assert len(memory) == 3
    assert memory.base(f"{URL}/4", weakref.ref(writer), nothing) == '"1"'
