"""A FastAPI service with fastapi-etag: profiles in memory."""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi_etag import Etag, add_exception_handler

PROFILES: dict[str, dict[str, Any]] = {"ada": {"email": "ada@example.test", "newsletter": True, "version": 1}}

application = FastAPI()
add_exception_handler(application)


async def tag_of(request: Request) -> str:
    """Return the tag of a profile: its version."""
    return f'"v{PROFILES[request.path_params["name"]]["version"]}"'


@application.get("/-/ready")
async def ready() -> str:
    """Say that the service is up."""
    return "ready"


@application.get("/profiles/{name}", dependencies=[Depends(Etag(tag_of, weak=False))])
async def read(name: str) -> dict[str, Any]:
    """Return a profile."""
    return PROFILES[name]


@application.put("/profiles/{name}", dependencies=[Depends(Etag(tag_of, weak=False))])
async def replace(name: str, body: dict[str, Any]) -> dict[str, Any]:
    """Replace a profile."""
    PROFILES[name] = {**body, "version": PROFILES[name]["version"] + 1}
    return PROFILES[name]
