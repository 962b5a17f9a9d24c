"""Contended increments on every store and model helper, beside Django's `condition` on the same table.

python -m benchmarks.bench_stores [--writes N]
"""

from __future__ import annotations

import argparse
import collections
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.processes import ROOT
from ifmatch.server.stores.protocol import ABSENT, Content
from tests.server.models.alchemy import Base, Counter, Plain
from tests.server.models.places import Place
from tests.server.stores import clusters, incrementing
from tests.server.stores.opening import IN_PROCESS, KINDS, open_store

CLIENTS = 4
PREFACE = """\
2 processes of 4 clients (stores in memory: 8 clients of one process) increment one number; each reads,
waits up to half a millisecond, and writes with If-Match and the tag that it read, again after a 412.
*Lost*: acknowledged increments that are not in the number at the end. *Twice*: numbers told to a second
client too. 412, 500 and 503: shares of all answers. The last column stands beside the same SQL without
conditions (SELECT, UPDATE, COMMIT; it loses updates by its nature) under the same clients, retries after
412 included. The way to write is called directly, without HTTP. Django's `condition` is used as its
documentation shows it: the decorator around a view that loads, changes and saves; table and triggers are
those of the model helpers.
"""
HEAD = """\
| way | acknowledged | lost | twice | 412 | 500 | 503 | writes a second beside plain SQL |
|---|---|---|---|---|---|---|---|"""


class Result:
    """What the clients of one run were told."""

    def __init__(self, lines: list[str], seconds: float) -> None:
        said = [json.loads(line) for line in lines]
        self.numbers = [one["applied"][0] for one in said if "applied" in one]
        self.counts = collections.Counter()
        for one in said:
            self.counts.update(one.get("counts", {}))
        self.rate = len(self.numbers) / seconds

    def row(self, name: str, stored: int, bare: float | None) -> str:
        told = len(self.numbers)
        answers = sum(self.counts[kind] for kind in ("412", "500", "503")) + told
        lost, twice = told - stored, told - len(set(self.numbers))
        beside = "-" if bare is None else f"{self.rate / bare:.2f}"
        shares = [f"{100 * self.counts[kind] / answers:.2f} %" for kind in ("412", "500", "503")]
        cells = [name, f"{told}", f"{lost} ({100 * lost / told:.0f} %)", f"{twice}", *shares, beside]
        return f"| {' | '.join(cells)} |"


def by_processes(module: str, *arguments: str) -> Result:
    command = [sys.executable, "-m", module, *arguments]
    running = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for one in running:
        assert json.loads(one.stdout.readline()) == {"ready": True}
    start = time.perf_counter()
    for one in running:
        one.stdin.write("go\n")
        one.stdin.flush()
    told: list[list[str]] = [[], []]
    readers = [
        threading.Thread(target=lambda one=one, into=into: into.extend(one.stdout))
        for one, into in zip(running, told, strict=True)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    seconds = time.perf_counter() - start
    for one in running:
        one.stdin.close()
        one.stdout.close()
        assert one.wait(60) == 0
    return Result([*told[0], *told[1]], seconds)


def of_store(kind: str, where: str, writes: int) -> tuple[Result, int]:
    store = open_store(kind, where)
    store.swap(incrementing.KEY, ABSENT, Content(b"0"))
    if kind in IN_PROCESS:
        lines: list[str] = []
        start = time.perf_counter()
        counts = incrementing.run(
            store, "tag", 2 * CLIENTS, writes, lambda *pair: lines.append(json.dumps({"applied": pair}))
        )
        result = Result([*lines, json.dumps({"counts": counts})], time.perf_counter() - start)
    else:
        module = "tests.server.stores.incrementing"
        result = by_processes(module, kind, where, "tag", str(CLIENTS), str(writes))
    result.counts["412"] = result.counts["PreconditionFailed"]
    result.counts["503"] = result.counts["Exhausted"]
    stored = int(store.read(incrementing.KEY).content.octets)
    store.close()
    return result, stored


def of_table(place: Place, table: str, module: str, *arguments: str) -> tuple[Result, int]:
    place.run(f"UPDATE {table} SET n = 0, changed = 0")
    return by_processes(module, *arguments), place.run(f"SELECT n FROM {table}")[0][0]


def tables(place: Place) -> None:
    engine = place.engine()
    Base.metadata.create_all(engine, [Counter.__table__, Plain.__table__])
    engine.dispose()
    for table in ("counter", "plain"):
        place.run(f"INSERT INTO {table} (id, n, changed) VALUES (1, 0, 0)")
    if place.kind == "sqlite":
        place.run("PRAGMA journal_mode=WAL")


def database(place: Place, writes: int) -> float:
    """Print the rows of one database; return the rate of plain SQL."""
    tables(place)
    size = (str(CLIENTS), str(writes))
    worker = "benchmarks.stores_worker"
    bare, stored = of_table(place, "counter", worker, "bare", place.kind, place.where, *size)
    title = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[place.kind]
    print(bare.row(f"{title}: plain SQL, no condition", stored, bare.rate), flush=True)
    recipe, stored = of_table(place, "counter", worker, "condition", place.kind, place.where, *size)
    print(recipe.row(f"{title}: Django `condition`", stored, bare.rate), flush=True)
    for library, name in (("sqlalchemy", "SQLAlchemy"), ("django", "Django")):
        for kind in ("version", "digest", *(("xmin",) if place.kind == "postgresql" else ())):
            table = "counter" if kind == "version" else "plain"
            module = "tests.server.models.incrementing"
            done, stored = of_table(
                place, table, module, library, kind, place.kind, place.where, "tag", *size
            )
            print(done.row(f"{title}: **ifmatch**, {name}, {kind}", stored, bare.rate), flush=True)
    return bare.rate


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writes", type=int, default=2_000, help="of all clients together")
    each = parser.parse_args().writes // (2 * CLIENTS)
    print(f"# Stores and models: contended increments\n\n{PREFACE}\n{HEAD}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        with clusters.Postgresql(path) as postgresql, clusters.Redis(path) as redis:
            rates = {"sqlite": database(Place("sqlite", str(path / "models.sqlite")), each)}
            words = f"{postgresql.fresh_database()} options=-csearch_path=public"
            rates["postgresql"] = database(Place("postgresql", words), each)
            for kind in KINDS:
                where = str(path / f"{kind}.sqlite")
                if "postgresql" in kind:
                    where = postgresql.fresh_database()
                elif "redis" in kind:
                    where = redis.fresh_url()
                done, stored = of_store(kind, where, each)
                beside = next((rate for name, rate in rates.items() if name in kind), None)
                print(done.row(f"store **ifmatch**: {kind}", stored, beside), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
