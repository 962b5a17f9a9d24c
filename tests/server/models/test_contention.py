"""Contended increments on models, 2 processes of 4 clients: nothing lost, nothing twice, nobody sent away."""

from __future__ import annotations

import collections
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.models.alchemy import Base, Counter, Plain
from tests.server.models.incrementing import CONDITIONS

ROOT = Path(__file__).parents[3]
CLIENTS = 4
TABLE = {"version": "counter", "digest": "plain", "xmin": "plain"}
ALL = [
    (place, library, kind)
    for place in ("sqlite", "postgresql")
    for library in ("sqlalchemy", "django")
    for kind in ("version", "digest", "xmin")
    if not (place == "sqlite" and kind == "xmin")
]


def start(arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.server.models.incrementing", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip


def by_processes(place, library, kind, condition, writes):
    """Return the acknowledged (number, token) pairs and the counts of both processes."""
    arguments = [library, kind, place.kind, place.where, condition, str(CLIENTS), str(writes)]
    workers = [start(arguments) for _ in range(2)]
    applied, counts = [], collections.Counter()
    for worker in workers:
        assert json.loads(worker.stdout.readline()) == {"ready": True}
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        for line in worker.communicate(timeout=1_700)[0].splitlines():
            said = json.loads(line)
            if "applied" in said:
                applied.append(said["applied"])
            else:
                counts.update(said["counts"])
        assert worker.returncode == 0
    return applied, counts


def check(place, library, kind, condition, writes) -> None:
    engine = place.engine()
    Base.metadata.create_all(engine, [Counter.__table__, Plain.__table__])
    engine.dispose()
    place.run(f"INSERT INTO {TABLE[kind]} (id, n, changed) VALUES (1, 0, 0)")  # noqa: S608 -- names of ours
    if place.kind == "sqlite":
        place.run("PRAGMA journal_mode=WAL")
    applied, counts = by_processes(place, library, kind, condition, writes)
    total = 2 * CLIENTS * writes
    print(f"{place.kind} {library} {kind} {condition}: {dict(counts)}")
    # Each number was acknowledged to exactly one client, and the last one is what is stored.
    assert sorted(number for number, _ in applied) == list(range(1, total + 1))
    assert len({token for _, token in applied}) == total
    assert place.run(f"SELECT n FROM {TABLE[kind]}") == [(total,)]  # noqa: S608 -- names of ours
    assert counts["applied"] == total
    assert counts["503"] <= total / 1000


# Each library meets each database, each kind of version and each condition; the product is for the full run.
@pytest.mark.parametrize(
    ("place", "library", "kind", "condition"),
    [
        ("sqlite", "sqlalchemy", "version", "tag"),
        ("sqlite", "django", "version", "any"),
        ("postgresql", "sqlalchemy", "version", "list"),
        ("postgresql", "django", "version", "tag"),
        ("sqlite", "django", "digest", "date"),
        ("postgresql", "sqlalchemy", "xmin", "none"),
    ],
    indirect=["place"],
)
def test_no_increment_is_lost_or_counted_twice(place, library, kind, condition) -> None:
    check(place, library, kind, condition, 5)


@pytest.mark.full
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("condition", list(CONDITIONS))
@pytest.mark.parametrize(("place", "library", "kind"), ALL, indirect=["place"])
def test_2000_increments(place, library, kind, condition) -> None:
    check(place, library, kind, condition, 250)
