"""The four libraries, sync and async, behind one synchronous face, so that one suite holds them all."""

from __future__ import annotations

import asyncio

import aiohttp
import httpx
import httpx2
import requests

from ifmatch.client import AsyncClient, Client, Limits, Settings

SYNC = {"httpx2": httpx2.Client, "httpx": httpx.Client, "requests": requests.Session}
ASYNC = {
    "httpx2-async": httpx2.AsyncClient,
    "httpx-async": httpx.AsyncClient,
    "aiohttp": aiohttp.ClientSession,
}
LIBRARIES = (*SYNC, *ASYNC)
QUICK = Limits(first_pause=0.001)


class Face:
    """One client of one library.

    Attributes:
        plain: the library's own client.
    """

    def __init__(self, name, **options):
        self.name = name
        if name.startswith("httpx"):
            # Loading the certificates of all authorities takes longer than most tests, and nothing here is
            # TLS.
            options.setdefault("verify", False)
        self.is_async = name in ASYNC
        self.loop = asyncio.new_event_loop() if self.is_async else None
        self.plain = self.wait(self.make(**options)) if self.is_async else SYNC[name](**options)

    async def make(self, **options):
        return ASYNC[self.name](**options)

    def wait(self, awaitable):
        return self.loop.run_until_complete(awaitable)

    def close(self):
        if self.is_async:
            self.wait(self.plain.close() if self.name == "aiohttp" else self.plain.aclose())
            self.loop.close()
        else:
            self.plain.close()

    def editor(self, settings=None, **options):
        """The editing client, its methods synchronous."""
        settings = settings or Settings(limits=QUICK)
        if not self.is_async:
            return Client(self.plain, settings, **options)
        return _Waiting(self, AsyncClient(self.plain, settings, **options))

    def request(self, method, url, **options):
        """Send through the library itself; the answer is read whole."""
        if self.name == "aiohttp":
            return self.wait(self._aiohttp(method, url, **options))
        if self.name.startswith("httpx"):
            options.setdefault("follow_redirects", True)
        if "data" in options and self.name.startswith("httpx"):
            options["content"] = options.pop("data")
        made = self.plain.request(method, url, **options)
        return self.wait(made) if self.is_async else made

    async def _aiohttp(self, method, url, **options):
        response = await self.plain.request(method, url, **options)
        await response.read()
        return response


class _Waiting:
    def __init__(self, face, client):
        self.face = face
        self.client = client

    def __getattr__(self, name):
        method = getattr(self.client, name)
        return lambda *arguments, **options: self.face.wait(method(*arguments, **options))


def status(response):
    return response.status if isinstance(response, aiohttp.ClientResponse) else response.status_code
