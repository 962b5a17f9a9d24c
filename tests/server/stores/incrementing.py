"""Increment a shared number through the loop, from several clients at once, and say what each was told.

`python -m tests.server.stores.incrementing KIND PLACE CONDITION CLIENTS WRITES`

Standard output: a line `{"applied": [number, token]}` for each acknowledged write, at once, so that a
killed worker has told everything that it was told; and a line with counts at the end.
"""

from __future__ import annotations

import collections
import json
import random
import sys
import threading
import time

from ifmatch.core.http_date import format_http_date
from ifmatch.server.loop import Applied, Exhausted, PreconditionFailed, apply
from ifmatch.server.stores.protocol import Content
from tests.server.stores.opening import open_store

KEY = "counter"
CONDITIONS = {
    "tag": lambda seen: [("If-Match", seen.etag)],
    "any": lambda _: [("If-Match", "*")],
    "list": lambda seen: [("If-Match", f'"0000", {seen.etag}, "1111"')],
    "date": lambda seen: [("If-Unmodified-Since", format_http_date(seen.last_modified))],
    "none": lambda _: [],
}


def incremented(snapshot) -> Content:
    return Content(b"%d" % (int(snapshot.content.octets) + 1), "text/plain")


class Tally:
    def __init__(self, told) -> None:
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.told = told

    def add(self, outcome) -> None:
        with self.lock:
            self.counts[type(outcome).__name__] += 1
            if isinstance(outcome, Applied):
                self.counts["attempts"] += outcome.attempts
                self.told(int(outcome.content.octets), outcome.version)


def client(store, condition, writes, tally) -> None:
    """Write until so many writes were acknowledged; a 412 means: get the newer state and try again."""
    done = 0
    while done < writes:
        seen = store.read(KEY)
        # A person reads before writing; without this pause a lone client would never meet another one.
        time.sleep(random.random() * 0.0005)
        outcome = apply(
            store, KEY, "PUT", CONDITIONS[condition](seen), incremented,
            clock=time.monotonic, random=random.random, sleep=time.sleep,
        )  # fmt: skip
        tally.add(outcome)
        assert isinstance(outcome, Applied | PreconditionFailed | Exhausted), outcome
        done += isinstance(outcome, Applied)


def run(store, condition, clients, writes, told) -> collections.Counter:
    """Run the clients in threads; return what was answered how often."""
    tally = Tally(told)
    failures = []

    def guarded() -> None:
        try:
            client(store, condition, writes, tally)
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=guarded) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return tally.counts


if __name__ == "__main__":
    kind, where, condition, clients, writes = sys.argv[1:]
    store = open_store(kind, where)

    def told(number, token) -> None:
        print(json.dumps({"applied": [number, token]}), flush=True)

    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.readline()
    counts = run(store, condition, int(clients), int(writes), told)
    print(json.dumps({"counts": counts}), flush=True)
    store.close()
