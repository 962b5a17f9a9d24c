"""A Django service with the ``condition`` decorator: notes in memory.

Environment: ``GAP`` seconds pass between check and write; ``STAMP`` seconds after a write the service itself
adds to the note; ``GZIP`` not empty puts Django's GZipMiddleware in front.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import condition

if TYPE_CHECKING:
    from django.http import HttpRequest

NOTES: dict[str, dict[str, Any]] = {
    "12": {"title": "Roof repair", "budget": 9000, "status": "draft"},
    "13": {"title": "New bicycles", "budget": 2400, "status": "draft"},
}
GAP = float(os.environ.get("GAP", "0"))
STAMP = float(os.environ.get("STAMP", "0"))


def tag_of(_request: HttpRequest, key: str) -> str | None:
    """Return the strong tag of a note: a hash of its content."""
    if key not in NOTES:
        return None
    return f'"{hashlib.sha1(json.dumps(NOTES[key], sort_keys=True).encode()).hexdigest()[:16]}"'  # noqa: S324


def stamp(key: str) -> None:
    """Change a note as a workflow engine would."""
    time.sleep(STAMP)
    NOTES[key] = {**NOTES[key], "status": "in review", "modifiedBy": "workflow-engine"}


@condition(etag_func=tag_of)
def note(request: HttpRequest, key: str) -> HttpResponse:
    """Read, replace or delete a note."""
    if request.method == "PUT":
        sent = json.loads(request.body)
        time.sleep(GAP)
        made = key not in NOTES
        NOTES[key] = sent
        if STAMP:
            threading.Thread(target=stamp, args=(key,), daemon=True).start()
        answer = JsonResponse(sent, status=201 if made else 200)
        answer["ETag"] = tag_of(request, key) or ""
        return answer
    if key not in NOTES:
        return JsonResponse({"detail": "Not found."}, status=404)
    if request.method == "DELETE":
        del NOTES[key]
        return HttpResponse(status=204)
    return JsonResponse(NOTES[key])


def ready(_request: HttpRequest) -> HttpResponse:
    """Say that the service is up."""
    return HttpResponse("ready")


MIDDLEWARE = ["django.middleware.gzip.GZipMiddleware"] if os.environ.get("GZIP") else []
settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="none",  # noqa: S106
    MIDDLEWARE=MIDDLEWARE,
)
django.setup()
urlpatterns = [path("notes/<str:key>", note), path("-/ready", ready)]
application = get_wsgi_application()
