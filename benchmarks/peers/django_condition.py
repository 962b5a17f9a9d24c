"""Django's decorator `condition`, as its documentation shows it."""

# ruff: noqa: E402 -- Django wants its settings before it is imported further

from __future__ import annotations

from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"], SECRET_KEY="for benchmarks", ROOT_URLCONF=__name__, LOGGING_CONFIG=None, USE_TZ=True
)

import django
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.http import condition, require_http_methods

from benchmarks.peers.notes import BASE, METHODS, NAMES, Notes, name_of

VERSION = f"Django {django.__version__} `condition`"
NOTES = Notes()


def etag(request):
    return NOTES.etag(name_of(request.path), request.META.get("QUERY_STRING", ""))


def modified(request):
    return NOTES.modified(name_of(request.path))


def allowed(view):
    def checked(request):
        early = NOTES.refused_before(name_of(request.path), authorised="Authorization" in request.headers)
        if early is not None:
            return HttpResponse(status=early, headers={"Location": BASE} if early == 302 else {})
        return view(request)

    return checked


@require_http_methods(list(METHODS))
@allowed
@condition(etag_func=etag, last_modified_func=modified)
def note(request):
    name = name_of(request.path)
    if request.method in ("GET", "HEAD"):
        content = NOTES.content(name)
        if content is None:
            return HttpResponse(status=404)
        return HttpResponse(content, content_type="application/json", headers={"Cache-Control": "no-cache"})
    return HttpResponse(status=NOTES.write(name, request.method, request.body))


urlpatterns = [path((BASE + name).lstrip("/"), note) for name in NAMES]
app = get_wsgi_application()
