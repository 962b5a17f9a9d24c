"""The documents of ``shelf`` behind Django's ``condition`` decorator.

Environment, besides that of ``shelf``: ``MIDDLEWARE`` names classes of ``django.middleware``, separated by
commas; ``GAP`` seconds pass between check and write; ``REQUIRE=1`` refuses writes without a condition with
428.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse
from django.urls import path as route
from django.views.decorators.http import condition

from tools.recording_apis.apps.shelf import Shelf, merged

if TYPE_CHECKING:
    from django.http import HttpRequest

SHELF = Shelf()


def tag_of(request: HttpRequest, **_named: str) -> str | None:
    """Return the tag of a document."""
    row = SHELF.read(request.path)
    return row.etag if row and row.etag else None


def date_of(request: HttpRequest, **_named: str) -> datetime | None:
    """Return the moment of a document's last write."""
    row = SHELF.read(request.path)
    return datetime.fromtimestamp(row.modified, UTC) if row else None


@condition(etag_func=tag_of, last_modified_func=date_of)
def document(request: HttpRequest, **_named: str) -> HttpResponse:
    """Read, store, patch or remove a document."""
    row = SHELF.read(request.path)
    if request.method in {"GET", "HEAD"}:
        if row is None:
            return JsonResponse({"detail": "Not found."}, status=404)
        return HttpResponse(row.body, content_type=row.media)
    named = ("If-Match", "If-None-Match", "If-Unmodified-Since")
    if row is not None and os.environ.get("REQUIRE") and not any(one in request.headers for one in named):
        return JsonResponse({"detail": "If-Match header required"}, status=428)
    if row is None and request.method != "PUT":
        return JsonResponse({"detail": "Not found."}, status=404)
    time.sleep(float(os.environ.get("GAP", "0")))
    if request.method == "DELETE":
        SHELF.delete(request.path)
        return HttpResponse(status=204)
    body = request.body.decode("utf-8")
    if request.method == "PATCH":
        body = merged(row.body, body)
    media = row.media if row else request.content_type
    made = SHELF.write(request.path, body, media)
    answer = HttpResponse(made.body, content_type=made.media, status=200 if row else 201)
    if made.etag:
        answer["ETag"] = made.etag
    return answer


def ready(_request: HttpRequest) -> HttpResponse:
    """Say that the service is up."""
    return HttpResponse("ready")


settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="none",  # noqa: S106
    APPEND_SLASH=False,
    MIDDLEWARE=[f"django.middleware.{one}" for one in os.environ.get("MIDDLEWARE", "").split(",") if one],
)
django.setup()
urlpatterns = [route("-/ready", ready), route("<path:name>", document)]
application = get_wsgi_application()
