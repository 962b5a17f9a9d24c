"""requests: threads that share a document, and a download that goes on where it was cut.

python examples/client_requests.py http://127.0.0.1:4120/resource
"""

import sys
import tempfile
import threading
from pathlib import Path

import requests

from ifmatch.client import Client


def visit(document: dict[str, int]) -> dict[str, int]:
    """Count one visit."""
    document["visits"] = document.get("visits", 0) + 1
    return document


def main(url: str) -> None:
    """Show it on a resource."""
    with requests.Session() as session:
        editor = Client(session)
        threads = [threading.Thread(target=editor.edit, args=(url, visit)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print("visits:", editor.read(url).document["visits"])

        with tempfile.TemporaryDirectory() as folder:
            done = editor.download(url, Path(folder) / "document.json")
            print("downloaded", done.octets, "octets of version", done.etag)


if __name__ == "__main__":
    main(sys.argv[1])
