"""httpx: a document edited by hand, brought in three-way.

python examples/client_httpx.py http://127.0.0.1:4120/resource
"""

import sys

import httpx

from ifmatch.client import Client, DataConflictError, MergeDocument


def main(url: str) -> None:
    """Show it on a resource."""
    with httpx.Client() as http:
        editor = Client(http)
        read = editor.read(url)
        mine = read.document
        mine["title"] = "edited by hand"

        # Meanwhile somebody writes another place of the document: both changes stay.
        editor.edit(url, {"note": "somebody else's"})
        editor.edit(url, MergeDocument(read.document, mine))
        print(editor.read(url).value)

        # The same place: nothing is written, and the conflict comes as data.
        editor.edit(url, {"title": "theirs"})
        mine["title"] = "mine again"
        try:
            editor.edit(url, MergeDocument(read.document, mine))
        except DataConflictError as error:
            for conflict in error.conflicts:
                print(conflict.pointer, "mine:", conflict.mine, "theirs:", conflict.theirs)


if __name__ == "__main__":
    main(sys.argv[1])
