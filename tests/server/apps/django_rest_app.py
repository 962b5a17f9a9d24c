"""The service on Django REST framework."""

from __future__ import annotations

from django.core.wsgi import get_wsgi_application
from django.http import HttpResponseRedirect
from django.urls import path
from rest_framework.exceptions import NotAuthenticated
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission
from rest_framework.views import APIView

from ifmatch.server.django import facts_of
from ifmatch.server.django_rest import PreconditionMixin
from tests.server.apps.django_app import response, service
from tests.server.apps.service import BASE, NAMES, SETTINGS, allowed, name_of


class Permission(BasePermission):
    def has_permission(self, request, _view):
        name = name_of(request.path)
        if name == "-private" and "Authorization" not in request.headers:
            raise NotAuthenticated
        return name != "-forbidden"


class ResourceView(PreconditionMixin, APIView):
    permission_classes = (Permission,)
    parser_classes = (JSONParser,)

    def get_authenticate_header(self, _request):
        return "Bearer"

    def get_current(self, request):
        name = name_of(request.path)
        if name == "-moved":
            return HttpResponseRedirect(BASE)
        return service.current(name, request.META.get("QUERY_STRING", ""))

    def get(self, request):
        return response(service.read(facts_of(request._request), self.conditional))

    def put(self, request):
        name, facts = name_of(request.path), facts_of(request._request)
        return response(service.write(name, facts, request._request.body, SETTINGS))

    def delete(self, request):
        return self.put(request)


urlpatterns = [
    path(
        (BASE + name).lstrip("/"),
        ResourceView.as_view(http_method_names=[method.lower() for method in allowed(name)]),
    )
    for name in NAMES
]
app = get_wsgi_application()
