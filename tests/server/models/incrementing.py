"""Increment a number through a model, from several clients at once, and say what each was told.

`python -m tests.server.models.incrementing LIBRARY KIND PLACE... CONDITION CLIENTS WRITES`

LIBRARY: sqlalchemy or django; KIND: version, digest or xmin; PLACE: as `Place`, two words.
Standard output is as that of `tests.server.stores.incrementing`.
"""

from __future__ import annotations

import collections
import json
import random
import sys
import threading
import time

from ifmatch.core.http_date import format_http_date
from ifmatch.server.refusal import PreconditionRefusedError
from tests.server.models.places import SETTINGS, Place, facts

CONDITIONS = {
    "tag": lambda etag, _: [("If-Match", etag)],
    "any": lambda _, __: [("If-Match", "*")],
    "list": lambda etag, _: [("If-Match", f'"0000", {etag}, "1111"')],
    "date": lambda _, modified: [("If-Unmodified-Since", format_http_date(modified))],
    "none": lambda _, __: [],
}


class Alchemy:
    """Writes through SQLAlchemy."""

    def __init__(self, kind: str, place: Place) -> None:
        from sqlalchemy.orm import sessionmaker

        from tests.server.models import alchemy

        self.engine = place.engine()
        self.sessions = sessionmaker(self.engine)
        self.rows = alchemy.COUNTERS[kind]

    def read(self):
        with self.sessions() as session:
            current = self.rows.current(session.get(self.rows._model, 1))
        return current.representation

    def increment(self, given):
        def change(_, row):
            row.n += 1
            row.changed = time.time()
            return row

        return self.rows.write(self.sessions, 1, given, change, settings=SETTINGS)

    def leave(self) -> None:
        pass

    def close(self) -> None:
        self.engine.dispose()


class Django:
    """Writes through Django."""

    def __init__(self, kind: str, place: Place) -> None:
        from tests.server.models import dj

        self.connection = dj.connected(place)
        self.connection.__enter__()
        self.rows = dj.counters(kind)

    def read(self):
        return self.rows.current(self.rows._rows.get(pk=1)).representation

    def increment(self, given):
        def change(row):
            row.n += 1
            row.changed = time.time()
            return row

        return self.rows.write(1, given, change, settings=SETTINGS)

    def leave(self) -> None:
        from django.db import connections

        connections["place"].close()

    def close(self) -> None:
        self.connection.__exit__(None, None, None)


LIBRARIES = {"sqlalchemy": Alchemy, "django": Django}


def client(model, condition, writes, counts, told) -> None:
    """Write until so many writes were acknowledged; a 412 means: get the newer state and try again."""
    done = 0
    while done < writes:
        seen = model.read()
        time.sleep(random.random() * 0.0005)
        given = facts("PUT", *CONDITIONS[condition](seen.etag_field, seen.last_modified))
        try:
            written = model.increment(given)
        except PreconditionRefusedError as refusal:
            counts[refusal.answer.status] += 1
            if refusal.answer.status not in (412, 503):
                raise
        else:
            done += 1
            counts["applied"] += 1
            counts["attempts"] += written.attempts
            told(written.instance.n, written.etag)


def run(model, condition, clients, writes, told) -> collections.Counter:
    counts, failures, lock = collections.Counter(), [], threading.Lock()

    def locked(number, etag) -> None:
        with lock:
            told(number, etag)

    def guarded() -> None:
        mine = collections.Counter()
        try:
            client(model, condition, writes, mine, locked)
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)
        finally:
            model.leave()
        with lock:
            counts.update(mine)

    threads = [threading.Thread(target=guarded) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return counts


if __name__ == "__main__":
    library, kind, *place, condition, clients, writes = sys.argv[1:]
    model = LIBRARIES[library](kind, Place(*place))

    def told(number, token) -> None:
        print(json.dumps({"applied": [number, token]}), flush=True)

    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.readline()
    counts = run(model, condition, int(clients), int(writes), told)
    print(json.dumps({"counts": {str(name): count for name, count in counts.items()}}), flush=True)
    model.close()
