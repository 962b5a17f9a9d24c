"""aiohttp: tracking by a middleware, editing beside it.

python examples/client_aiohttp.py http://127.0.0.1:4120/resource
"""

import asyncio
import sys

import aiohttp

from ifmatch.client import AsyncClient, track


async def main(url: str) -> None:
    """Show it on a resource."""
    async with aiohttp.ClientSession() as session:
        track(session)
        async with session.get(url) as response:
            response.raise_for_status()
            document = await response.json()
        async with session.put(url, json={**document, "title": "by aiohttp"}) as response:
            print("put:", response.status, "with If-Match:", "If-Match" in response.request_info.headers)

        editor = AsyncClient(session)
        done = await editor.edit(url, {"visits": 1})
        print("edit:", done.how)
        print((await editor.read(url)).value)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
