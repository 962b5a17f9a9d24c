# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201 - Django calls these as it will
"""A ferry timetable on Django: the compressor below ConditionalGetMiddleware, as one project had it."""

from __future__ import annotations

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="not-a-secret",  # noqa: S106 - signs nothing
    MIDDLEWARE=[
        "django.middleware.http.ConditionalGetMiddleware",
        "django.middleware.gzip.GZipMiddleware",
    ],
)
_PIERS = ("Nordkai", "Sundet", "Lervik", "Holmen", "Skjaer")


def line(_request, number: int):
    """Return the departures of a line."""
    rows = [
        {"pier": _PIERS[n % 5], "at": f"{6 + n // 3:02d}:{n % 3 * 20:02d}", "deck": "bil"} for n in range(36)
    ]
    return JsonResponse({"line": number, "valid": "2026-12-01", "departures": rows})


def notice(_request):
    """Return a line too short to compress."""
    return JsonResponse({"notice": "Ingen avvik"})


urlpatterns = [
    path("-/ready", lambda _request: HttpResponse("ok")),
    path("lines/<int:number>.json", line),
    path("notice.json", notice),
]
application = get_wsgi_application()
