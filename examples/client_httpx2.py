"""httpx2: writes that carry the right token, a 412 that is explained, edits that heal themselves.

ifmatch serve --port 4120 &
python examples/client_httpx2.py http://127.0.0.1:4120/resource
"""

import sys

import httpx2

import ifmatch
from ifmatch.client import Client, JsonMarker, Settings, track


def visit(document: dict[str, int]) -> dict[str, int]:
    """Count one visit."""
    document["visits"] = document.get("visits", 0) + 1
    return document


def main(url: str) -> None:
    """Show it on a resource."""
    with track(httpx2.Client()) as http:
        # The client stays what it is. If-Match goes along where the version is known.
        document = http.get(url).json()
        somebody_else = httpx2.put(url, json={**document, "title": "theirs"})
        refused = http.put(url, json={**document, "title": "mine"})
        print("somebody else:", somebody_else.status_code, "- we:", refused.status_code)
        for incident in ifmatch.explain(refused).incidents:
            print("why:", incident.findings[0].cause)

        # An edit is made on the state that is there, and anew on a newer one.
        editor = Client(http, Settings(authorship=JsonMarker()))
        done = editor.edit(url, visit)
        print("edit:", done.how, "in", done.requests, "requests")
        document = editor.read(url).document
        print(document["title"], document["visits"])


if __name__ == "__main__":
    main(sys.argv[1])
