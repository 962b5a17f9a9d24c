"""httpx2, asynchronously: a hundred edits of one document at once, in a handful of writes.

python examples/client_httpx2_async.py http://127.0.0.1:4120/resource
"""

import asyncio
import sys

import httpx2

from ifmatch.client import AsyncClient, Settings


def visit(document: dict[str, int]) -> dict[str, int]:
    """Count one visit."""
    document["visits"] = document.get("visits", 0) + 1
    return document


async def main(url: str) -> None:
    """Show it on a resource."""
    async with httpx2.AsyncClient() as http:
        editor = AsyncClient(http, Settings(combine=True))
        done = await asyncio.gather(*(editor.edit(url, visit) for _ in range(100)))
        writes = {end.after for end in done}
        print("100 edits in", len(writes), "writes")
        print("visits:", (await editor.read(url)).document["visits"])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
