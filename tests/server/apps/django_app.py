"""The service on Django: function views with the decorator, and the same as class-based views."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application
from django.core.exceptions import PermissionDenied
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views import View
from django.views.decorators.http import require_http_methods

from ifmatch.server.django import PreconditionMixin, conditional, facts_of, precondition
from tests.server.apps.service import BASE, MEDIA_TYPES, NAMES, SETTINGS, Service, allowed, name_of

service = Service()


def current(request):
    return service.current(name_of(request.path), request.META.get("QUERY_STRING", ""))


@precondition(current, media_types=MEDIA_TYPES)
def resource(request):
    name, facts = name_of(request.path), facts_of(request)
    if request.method in ("GET", "HEAD"):
        return response(service.read(facts, conditional(request)))
    return response(service.write(name, facts, request.body, SETTINGS))


def response(result) -> HttpResponse:
    answer = HttpResponse(result.octets, status=result.status)
    for key, value in result.fields:
        answer[key] = value
    return answer


def private(_request):
    return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})


def forbidden(_request):
    raise PermissionDenied


def moved(_request):
    return HttpResponseRedirect(BASE)


class ResourceView(PreconditionMixin, View):
    precondition_media_types = MEDIA_TYPES

    def get_current(self, request):
        return current(request)

    def get(self, request):
        return response(service.read(facts_of(request), conditional(request)))

    def put(self, request):
        return response(service.write(name_of(request.path), facts_of(request), request.body, SETTINGS))

    def delete(self, request):
        return self.put(request)


class AsyncView(PreconditionMixin, View):
    precondition_media_types = MEDIA_TYPES

    async def get_current(self, request):
        return current(request)

    async def get(self, request):
        return response(service.read(facts_of(request), conditional(request)))

    async def put(self, request):
        return response(service.write(name_of(request.path), facts_of(request), request.body, SETTINGS))

    async def delete(self, request):
        return await self.put(request)


VIEWS = {"-private": private, "-forbidden": forbidden, "-moved": moved}
CLASSES = {"classes": ResourceView, "async": AsyncView}


def view_of(name):
    if name in VIEWS:
        return VIEWS[name]
    kind = CLASSES.get(os.environ.get("VIEWS", ""))
    if kind is None:
        return require_http_methods(list(allowed(name)))(resource)
    names = [method.lower() for method in allowed(name)]
    return kind.as_view(http_method_names=names)


urlpatterns = [path((BASE + name).lstrip("/"), view_of(name)) for name in NAMES]
app = get_asgi_application() if os.environ.get("ASGI") else get_wsgi_application()
