"""Let two writers send one tag at the same moment until both are accepted.

    python provoke.py URL [ROUNDS]

All but the last octet of both requests goes out first; then the last octets follow each other. Connections
are opened anew every few rounds, as two of them may meet the same worker.

Exit status: 1 both were accepted (an update is lost), 0 never in so many rounds.
"""

from __future__ import annotations

import http.client
import sys
import time
from urllib.parse import urlsplit

FRESH_EVERY = 4
CONTENTS = (b"writer 1", b"writer 2")


def begin(writer: http.client.HTTPConnection, path: str, tag: str, content: bytes) -> None:
    """Send all but the last octet of a guarded write."""
    writer.putrequest("PUT", path)
    writer.putheader("If-Match", tag)
    writer.putheader("Content-Length", str(len(content)))
    writer.endheaders(content[:-1])


def status_of(writer: http.client.HTTPConnection) -> int:
    """Read an answer to its end."""
    answer = writer.getresponse()
    answer.read()
    return answer.status


def rounds_until_lost(url: str, most: int) -> int:
    """Return the number of the first round in which both writers were accepted, 0 for none."""
    parts = urlsplit(url)
    writers: list[http.client.HTTPConnection] = []
    for number in range(1, most + 1):
        if number % FRESH_EVERY == 1:
            for writer in writers:
                writer.close()
            writers = [http.client.HTTPConnection(parts.netloc, timeout=10) for _ in CONTENTS]
        writers[0].request("GET", parts.path)
        read = writers[0].getresponse()
        read.read()
        for writer, content in zip(writers, CONTENTS, strict=True):
            begin(writer, parts.path, read.headers["ETag"], content)
        time.sleep(0.002)
        for writer, content in zip(writers, CONTENTS, strict=True):
            writer.send(content[-1:])
        statuses = [status_of(writer) for writer in writers]
        if all(200 <= status < 300 for status in statuses):
            return number
    return 0


def main() -> int:
    """Provoke, and say what came of it."""
    most = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    found = rounds_until_lost(sys.argv[1], most)
    if found:
        print(f"Round {found}: both writers sent one tag, and both were accepted. One update is lost.")
        return 1
    print(f"{most} rounds: never were two writers with one tag both accepted.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
