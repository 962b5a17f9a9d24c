"""Files served by aiohttp's own static handler, from the folder given."""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import sys

from aiohttp import web


async def ready(_request: web.Request) -> web.Response:
    """Say that the server is up."""
    return web.Response(text="ok\n")


def main() -> None:
    """Serve the folder of the second argument on the port of the first."""
    made = web.Application()
    made.router.add_get("/healthz", ready)
    made.router.add_static("/", sys.argv[2])
    web.run_app(made, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()
