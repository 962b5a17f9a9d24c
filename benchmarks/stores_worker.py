"""One process of `bench_stores` for ways that are not ours: Django's `condition`, and SQL without conditions.

`python -m benchmarks.stores_worker WAY KIND PLACE CLIENTS WRITES`; speaks as the workers of the tests.
"""

from __future__ import annotations

import collections
import contextlib
import json
import random
import sqlite3
import sys
import threading
import time

from tests.server.models.places import Place


class Condition:
    """The recipe of Django's documentation: `condition` around a view that loads, changes and saves."""

    def __init__(self, place: Place) -> None:
        from tests.server.models import dj

        self.connection = dj.connected(place)
        self.connection.__enter__()
        from django.http import HttpResponse
        from django.test import RequestFactory
        from django.views.decorators.http import condition

        counters = dj.Counter.objects.using("place")

        @condition(etag_func=lambda _: f'"{counters.get(pk=1).version}"')
        def view(_):
            row = counters.get(pk=1)
            row.n += 1
            row.save()
            return HttpResponse(str(row.n))

        self.view, self.requests, self.counters = view, RequestFactory(), counters

    def once(self) -> int | str:
        tag = f'"{self.counters.get(pk=1).version}"'
        time.sleep(random.random() * 0.0005)
        try:
            answer = self.view(self.requests.put("/", headers={"If-Match": tag}))
        except Exception:  # noqa: BLE001 -- a server answers 500
            return "500"
        return int(answer.content) if answer.status_code == 200 else str(answer.status_code)

    def leave(self) -> None:
        from django.db import connections

        connections["place"].close()


class Bare:
    """The same statements without any condition: SELECT, UPDATE, COMMIT."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.local = threading.local()

    def connection(self):
        known = getattr(self.local, "connection", None)
        if known is None:
            if self.place.kind == "sqlite":
                known = sqlite3.connect(self.place.where, timeout=20)
            else:
                import psycopg

                known = psycopg.connect(self.place.where)
            self.local.connection = known
        return known

    def once(self) -> int | str:
        connection = self.connection()
        time.sleep(random.random() * 0.0005)
        with connection if self.place.kind == "sqlite" else connection.transaction():
            number = connection.execute("SELECT n FROM counter WHERE id = 1").fetchone()[0] + 1
            mark = "?" if self.place.kind == "sqlite" else "%s"
            connection.execute(f"UPDATE counter SET n = {mark} WHERE id = 1", (number,))
        return number

    def leave(self) -> None:
        self.local.connection.close()


def client(way, writes, counts, told) -> None:
    done = 0
    while done < writes:
        answer = way.once()
        if isinstance(answer, int):
            done += 1
            told(answer)
        counts["applied" if isinstance(answer, int) else answer] += 1
    way.leave()


def main() -> None:
    way, kind, where, clients, writes = sys.argv[1:]
    made = {"condition": Condition, "bare": Bare}[way](Place(kind, where))
    lock, counts = threading.Lock(), collections.Counter()

    def told(number) -> None:
        with lock:
            print(json.dumps({"applied": [number, str(number)]}), flush=True)

    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.readline()
    threads = [
        threading.Thread(target=client, args=(made, int(writes), counts, told)) for _ in range(int(clients))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"counts": dict(counts)}), flush=True)
    with contextlib.suppress(AttributeError):
        made.connection.__exit__(None, None, None)


if __name__ == "__main__":
    main()
