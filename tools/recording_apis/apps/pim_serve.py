# mypy: ignore-errors
# ruff: noqa: ANN001, ANN202 - frameworks call these as they will
"""Serve an application in this process on Django and FastAPI, or as ``vic_serve`` does."""

from __future__ import annotations

import importlib.metadata
import threading
import types
from typing import TYPE_CHECKING

from tools.ports import free_port
from tools.recording_apis.apps import vic_serve
from tools.recording_apis.apps.vic_core import Req

if TYPE_CHECKING:
    from collections.abc import Callable

_METHODS = ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS"]
_DJANGO: dict[str, object] = {}


def _django(handler):
    import django  # noqa: PLC0415 - only where a story wants it
    from django.conf import settings  # noqa: PLC0415
    from django.http import HttpResponse  # noqa: PLC0415
    from django.urls import re_path  # noqa: PLC0415

    _DJANGO["handler"] = handler

    def view(request):
        fields = {name.lower(): value for name, value in request.headers.items() if value}
        got = _DJANGO["handler"](Req(request.method, request.get_full_path(), fields, request.body))
        fields = {**got.fields, "Content-Length": str(len(got.octets))}
        if got.status in {204, 304}:
            fields = got.fields
        content = b"" if request.method == "HEAD" else got.octets
        return HttpResponse(content, status=got.status, headers=fields)

    if not settings.configured:
        urls = types.ModuleType("pim_urls")
        urls.urlpatterns = [re_path(".*", view)]
        settings.configure(
            ALLOWED_HOSTS=["*"],
            ROOT_URLCONF=urls,
            SECRET_KEY="none",  # noqa: S106 - signs nothing
            MIDDLEWARE=[
                "django.middleware.security.SecurityMiddleware",
                "django.middleware.common.CommonMiddleware",
                "django.middleware.clickjacking.XFrameOptionsMiddleware",
            ],
            APPEND_SLASH=False,
        )
        django.setup()
    from django.core.handlers.wsgi import WSGIHandler  # noqa: PLC0415

    return WSGIHandler()


def _fastapi(handler):
    import uvicorn  # noqa: PLC0415 - only where a story wants it
    from fastapi import FastAPI, Request, Response  # noqa: PLC0415
    from starlette.concurrency import run_in_threadpool  # noqa: PLC0415

    app = FastAPI(openapi_url=None)

    async def page(request):
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        asked = Req(request.method, target, dict(request.headers), await request.body())
        got = await run_in_threadpool(handler, asked)
        return Response(got.octets, got.status, got.fields)

    page.__annotations__ = {"request": Request}
    app.api_route("/{tail:path}", methods=_METHODS)(page)
    port = free_port()
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="critical", timeout_keep_alive=30)
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, daemon=True).start()
    version = f"FastAPI {importlib.metadata.version('fastapi')} under uvicorn"
    return port, version, lambda: setattr(server, "should_exit", True)


def serve(handler: Callable, kind: str) -> tuple[int, str, Callable[[], object]]:
    """Serve a handler and return its port, what serves it, and what ends it."""
    if kind == "django":
        port, version, stop = vic_serve._waitress(_django(handler))  # noqa: SLF001 - the same servers
        return port, f"Django {importlib.metadata.version('django')} under {version}", stop
    if kind == "fastapi":
        return _fastapi(handler)
    return vic_serve.serve(handler, kind)
