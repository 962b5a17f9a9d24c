"""Contended increments by 2 processes of 4 clients: nothing lost, nothing twice, nobody sent away."""

from __future__ import annotations

import collections
import json
import subprocess
import sys
from pathlib import Path

import pytest

from ifmatch.server.stores.protocol import ABSENT, Content
from tests.server.stores import incrementing
from tests.server.stores.incrementing import CONDITIONS, KEY
from tests.server.stores.opening import IN_PROCESS

ROOT = Path(__file__).parents[3]
CLIENTS = 4


def start(kind, where, condition, writes):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.server.stores.incrementing", kind, where, condition, str(CLIENTS),
         str(writes)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip


def by_processes(kind, where, condition, writes):
    """Return the acknowledged (number, token) pairs and the counts of both processes."""
    workers = [start(kind, where, condition, writes) for _ in range(2)]
    applied, counts = [], collections.Counter()
    for worker in workers:
        assert json.loads(worker.stdout.readline()) == {"ready": True}
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        for line in worker.communicate(timeout=300)[0].splitlines():
            said = json.loads(line)
            if "applied" in said:
                applied.append(said["applied"])
            else:
                counts.update(said["counts"])
        assert worker.returncode == 0
    return applied, counts


def check(opened, condition, writes) -> None:
    kind, where, open_once_more = opened
    store = open_once_more()
    store.swap(KEY, ABSENT, Content(b"0"))
    if kind in IN_PROCESS:
        applied = []
        counts = incrementing.run(
            store, condition, 2 * CLIENTS, writes, lambda *pair: applied.append(list(pair))
        )
    else:
        applied, counts = by_processes(kind, where, condition, writes)
    total = 2 * CLIENTS * writes
    print(f"{kind} {condition}: {dict(counts)}")
    # Each number was acknowledged to exactly one client, and the last one is what is stored.
    assert sorted(number for number, _ in applied) == list(range(1, total + 1))
    assert len({token for _, token in applied}) == total
    stored = store.read(KEY)
    assert int(stored.content.octets) == total
    assert [stored.version] == [token for number, token in applied if number == total]
    assert counts["Applied"] == total
    assert counts["Exhausted"] <= total / 1000


@pytest.mark.parametrize("condition", ["tag", "any"])
def test_no_increment_is_lost_or_counted_twice(opened, condition) -> None:
    check(opened, condition, 15)


@pytest.mark.parametrize("condition", ["list", "date", "none"])
def test_no_increment_is_lost_with_any_other_condition(opened, condition) -> None:
    check(opened, condition, 10)


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("condition", list(CONDITIONS))
def test_2000_increments(opened, condition) -> None:
    check(opened, condition, 250)
