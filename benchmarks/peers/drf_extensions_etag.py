"""drf-extensions: its decorator `etag` on the methods of a view, as its documentation shows it."""

# ruff: noqa: E402 -- Django wants its settings before it is imported further

from __future__ import annotations

from importlib.metadata import version

from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="for benchmarks",
    ROOT_URLCONF=__name__,
    LOGGING_CONFIG=None,
    REST_FRAMEWORK={"UNAUTHENTICATED_USER": None, "DEFAULT_AUTHENTICATION_CLASSES": []},
)

from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.views import APIView
from rest_framework_extensions.etag.decorators import etag

from benchmarks.peers.notes import BASE, NAMES, Notes, name_of

VERSION = f"drf-extensions {version('drf-extensions')}"
NOTES = Notes()


def tag_of(*, request, **_):
    tag = NOTES.etag(name_of(request.path), request.META.get("QUERY_STRING", ""))
    # It adds the quotes itself.
    return tag[1:-1] if tag is not None and tag.startswith('"') else tag


class Permission(BasePermission):
    def has_permission(self, request, _view):
        early = NOTES.refused_before(name_of(request.path), authorised="Authorization" in request.headers)
        if early == 401:
            raise NotAuthenticated
        return early != 403


class Note(APIView):
    permission_classes = (Permission,)

    def get_authenticate_header(self, _request):
        return "Bearer"

    def dispatch(self, request, *args, **kwargs):
        if NOTES.refused_before(name_of(request.path), authorised=True) == 302:
            return HttpResponse(status=302, headers={"Location": BASE})
        return super().dispatch(request, *args, **kwargs)

    @etag(tag_of)
    def get(self, request):
        content = NOTES.content(name_of(request.path))
        if content is None:
            return HttpResponse(status=404)
        return HttpResponse(content, content_type="application/json", headers={"Cache-Control": "no-cache"})

    @etag(tag_of, rebuild_after_method_evaluation=True)
    def put(self, request):
        return HttpResponse(status=NOTES.write(name_of(request.path), "PUT", request.body))

    @etag(tag_of)
    def delete(self, request):
        return HttpResponse(status=NOTES.write(name_of(request.path), "DELETE", b""))


urlpatterns = [path((BASE + name).lstrip("/"), Note.as_view()) for name in NAMES if name != "-dated"]
app = get_wsgi_application()
