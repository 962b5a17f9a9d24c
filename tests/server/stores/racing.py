"""Swap what is asked on standard input: `python -m tests.server.stores.racing KIND PLACE`."""

from __future__ import annotations

import sys

from ifmatch.server.stores.protocol import Content
from tests.server.stores.opening import open_store

if __name__ == "__main__":
    store = open_store(sys.argv[1], sys.argv[2])
    print("ready", flush=True)
    for line in sys.stdin:
        key, expected = line.split()
        answer = store.swap(key, expected, Content(b"mine"))
        print(answer if isinstance(answer, str) else f"lost {answer.reason}", flush=True)
    store.close()
